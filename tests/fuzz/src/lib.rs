//! What is fuzzed, as plain functions: each takes any bytes and panics when longshore does something wrong with
//! them. The fuzz targets run them on what libFuzzer thinks of, `tests/fuzz_corpus.rs` on the seeds.

mod archive;
#[path = "../../judges/dockerfile.rs"]
mod dockerfile;
#[path = "../../judges/files.rs"]
mod files;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, LazyLock},
};

use longshore::{
    config::{self, Config, Trust},
    convert, diagnose,
    diagnostic::{self, Diagnostic, Warned},
    manifest::{self, compose::Composed, settings, site, workspace},
    output::OutputFolder,
    plan::BuildPlan,
    readme::{self, Part},
    recipe::{Catalog, ConfigurationError},
    record::State,
    repair,
    repo::{self, Repo},
    shell::{self, Dialect},
    source::{SourceFile, Span},
    step,
};
use tempfile::TempDir;

/// A body of a target.
pub type Target = fn(&[u8]);

/// All targets, by name, and how dear one run is: how many mutations of its seeds the tests try.
pub const TARGETS: [(&str, Target, usize); 13] = [
    ("markdown", markdown, 400),
    ("rst", rst, 400),
    ("asciidoc", asciidoc, 400),
    ("plain", plain, 400),
    ("shell", shell, 400),
    ("recipe", recipe, 20),
    ("config", config, 40),
    ("state", state, 40),
    ("manifest", manifest, 60),
    ("site", site, 200),
    ("log", log, 60),
    ("dockerfile", dockerfile, 60),
    ("whole", whole, 40),
];

static CATALOG: LazyLock<Catalog> = LazyLock::new(Catalog::built_in);

/// An application by its manifest alone, to which what is fuzzed is added.
const APPLICATION: [(&str, &str); 2] = [
    ("requirements.txt", "flask\ngunicorn\npsycopg2\n"),
    (
        "app.py",
        "import os\nfrom flask import Flask\napp = Flask(__name__)\nurl = os.environ['DATABASE_URL']\n",
    ),
];

thread_local! {
    /// The repository around a document.
    static AROUND: (Folder, Repo) = {
        let folder = repository(&APPLICATION);
        let repo = Repo::open(&folder.path()).expect("a folder").value;
        (folder, repo)
    };
}

/// A README in Markdown.
pub fn markdown(bytes: &[u8]) {
    document("README.md", bytes);
}

/// A README in reStructuredText.
pub fn rst(bytes: &[u8]) {
    document("README.rst", bytes);
}

/// A README in AsciiDoc.
pub fn asciidoc(bytes: &[u8]) {
    document("README.adoc", bytes);
}

/// A README without markup.
pub fn plain(bytes: &[u8]) {
    document("README.txt", bytes);
}

/// Everything that is read from a document lies within it.
fn document(path: &str, bytes: &[u8]) {
    let source = Arc::new(SourceFile::decode(path, bytes));
    let document = readme::document(Arc::clone(&source));
    for part in &document.parts {
        match part {
            Part::Text(paragraph) => {
                lies_within(&source.text, paragraph.span);
                for code in &paragraph.code {
                    lies_within(&source.text, code.span);
                }
            }
            Part::Code(block) => {
                for offset in 0..=block.code.len() {
                    assert!(block.file_offset(offset) <= source.text.len(), "{block:?}");
                }
                script(&block.code, Dialect::Console);
            }
        }
    }
    let steps = AROUND.with(|(_, repo)| step::install_steps(&[document], repo, &CATALOG).value);
    for step in steps {
        lies_within(&step.source.text, step.span);
    }
}

/// A block of code, and a script.
pub fn shell(bytes: &[u8]) {
    let code = SourceFile::decode("code", bytes).text;
    script(&code, Dialect::Console);
    script(&code, Dialect::Shell);
    for call in shell::called(&code) {
        lies_within(&code, call.span);
    }
}

fn script(code: &str, dialect: Dialect) {
    let is_command = |word: &str| CATALOG.tool(word).is_some();
    let script = shell::script(code, dialect, &is_command);
    let spans = script.commands.iter().map(|command| command.span);
    let spans = spans.chain(script.outputs.iter().copied());
    let spans = spans.chain(script.comments.iter().map(|comment| comment.span));
    for span in spans.chain(script.functions.iter().map(|(_, span)| *span)) {
        lies_within(code, span);
    }
}

/// Recipes that a user adds, as an archive.
pub fn recipe(bytes: &[u8]) {
    let folder = repository(&archive::files(bytes));
    match Catalog::with_folders(&[folder.path()]) {
        Err(errors) => assert!(!errors.is_empty()),
        Ok(catalog) => {
            let repository = repository(&APPLICATION);
            let plan = convert::plan(&repository.path(), &catalog, Trust::Withheld);
            convert::render(plan.expect("a plan").value).expect("files");
        }
    }
}

/// A `longshore.toml`, of the user and of a stranger.
pub fn config(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let nowhere = |_: &str| None;
    let users = Config::parse(config::FILE, text, &nowhere);
    let strangers = Config::of_stranger(config::FILE, text);
    let has_place = |error: &ConfigurationError| {
        let line = error.position.map_or(1, |(line, _)| line);
        line <= text.matches('\n').count() + 1
    };
    let folder = repository(&APPLICATION);
    for config in [users, strangers] {
        match config {
            Err(errors) => assert!(
                !errors.is_empty() && errors.iter().all(has_place),
                "{errors:?}"
            ),
            Ok(config) => {
                let plan = convert::plan_with(&folder.path(), &CATALOG, &config);
                is_sound(plan.expect("a plan"));
            }
        }
    }
}

/// A record of an earlier run, taken for ours, whatever the plan and the files are that it was made for.
pub fn state(bytes: &[u8]) {
    let files: Vec<(&str, &[u8])> = APPLICATION
        .iter()
        .map(|(path, text)| (*path, text.as_bytes()))
        .chain([(repo::STATE, bytes)])
        .collect();
    let folder = repository(&files);
    let root = &folder.path();
    let state = State::read(&OutputFolder::at(root)).unwrap_or_default();
    let mut plan = convert::plan(root, &CATALOG, Trust::Withheld).expect("a plan");
    if let Some(verified) = state.verified {
        let repo = Repo::open(root).expect("a folder").value;
        let repairs = repair::again(&verified.repairs, &plan.value, &repo, &CATALOG);
        if let Ok(repairs) = repairs {
            let repaired = repair::plan(root, &CATALOG, &Config::default(), &repairs);
            plan = repaired.expect("a plan");
        }
        verified.apply(&mut plan.value);
        plan.value.recorded = Some(verified.mark());
    }
    is_sound(plan);
}

/// Manifests of every kind, as an archive.
pub fn manifest(bytes: &[u8]) {
    let folder = repository(&archive::files(bytes));
    let repo = Repo::open(&folder.path()).expect("a folder").value;
    let mut diagnostics = Vec::new();
    for stack in CATALOG.stacks.values() {
        manifest::manifest(&repo, &["."], stack, &CATALOG).unpack(&mut diagnostics);
        manifest::source_facts(&repo, ".", stack, &CATALOG);
    }
    workspace::workspaces(&repo, &CATALOG);
    Composed::of(&repo, &CATALOG);
    manifest::compose::images(&repo, ".", &CATALOG);
    for path in repo.files() {
        if let Some(source) = repo.source(path) {
            let ending = path.rsplit('.').next().unwrap_or_default();
            settings::settings(&source.text, ending, &CATALOG);
        }
    }
    diagnostics.iter().for_each(can_be_shown);
}

/// Settings of nginx or Apache.
pub fn site(bytes: &[u8]) {
    let text = SourceFile::decode("site", bytes).text;
    site::is_site(&text, &CATALOG);
    let site = site::site(&text, "site", 1, &CATALOG);
    let facts = [
        site.root,
        site.proxy,
        site.host,
        site.upload,
        site.certificate,
    ];
    let facts = facts.into_iter().flatten();
    let last = text.matches('\n').count() + 1;
    for fact in facts
        .chain(site.denied)
        .chain(site.parameters.into_values())
    {
        assert!((1..=last).contains(&fact.line), "{fact:?}");
    }
}

/// The log of a failed build, and a Dockerfile that may be any text.
pub fn log(bytes: &[u8]) {
    let log = String::from_utf8_lossy(bytes);
    let dockerfile = log.split_once("\n\n").map(|(_, rest)| rest);
    let report = diagnose::report(&log, dockerfile, &CATALOG);
    for cause in &report.causes {
        assert!(
            (1..=report.looked_at.lines).contains(&cause.line),
            "{cause:?}"
        );
    }
}

/// A Dockerfile that a person wrote.
pub fn dockerfile(bytes: &[u8]) {
    let text = SourceFile::decode("Dockerfile", bytes).text;
    let lines = text.lines().count();
    for instruction in manifest::dockerfile::instructions(&text) {
        let (first, last) = (instruction.first, instruction.last);
        assert!(
            1 <= first && first <= last && last <= lines,
            "{instruction:?}"
        );
    }
    let mut files: Vec<(&str, &[u8])> = vec![("Dockerfile", bytes)];
    files.extend(
        APPLICATION
            .iter()
            .map(|(path, text)| (*path, text.as_bytes())),
    );
    convert(&repository(&files).path());
}

/// A whole repository, as an archive.
pub fn whole(bytes: &[u8]) {
    convert(&repository(&archive::files(bytes)).path());
}

fn convert(root: &Path) {
    is_sound(convert::plan(root, &CATALOG, Trust::Withheld).expect("a plan"));
}

/// Holds when every command of the documents has a fate, and the files of `plan` are sound.
fn is_sound(plan: Warned<BuildPlan>) {
    plan.diagnostics.iter().for_each(can_be_shown);
    for entry in &plan.value.ledger {
        assert!(
            entry.target.is_some() || entry.reason.is_some(),
            "{entry:?}"
        );
    }
    files::are_sound(&convert::render(plan.value).expect("files"));
}

fn can_be_shown(diagnostic: &Diagnostic) {
    let shown = diagnostic::render(diagnostic, false);
    files::shows_all("a diagnostic", &shown);
}

fn lies_within(text: &str, span: Span) {
    assert!(text.get(span.range()).is_some(), "{span:?} of {text:?}");
}

/// A folder called `app`, below one of its own.
struct Folder(TempDir);

impl Folder {
    fn path(&self) -> PathBuf {
        self.0.path().join("app")
    }
}

/// A folder with `files`; of two of one name, or below another one, the first is there.
fn repository<P: AsRef<str>, T: AsRef<[u8]>>(files: &[(P, T)]) -> Folder {
    let folder = Folder(tempfile::tempdir().expect("a folder"));
    let root = folder.path();
    fs::create_dir(&root).expect("made");
    for (path, contents) in files {
        let path = root.join(path.as_ref());
        let is_free = fs::symlink_metadata(&path).is_err();
        if is_free
            && path
                .parent()
                .is_some_and(|parent| fs::create_dir_all(parent).is_ok())
        {
            let _ = fs::write(&path, contents);
        }
    }
    folder
}
