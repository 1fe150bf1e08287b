//! Which version of the runtime: files before prose, an exact request before a range, old pins
//! before the default.

use std::ops::Range;

use regex::Regex;

use super::{
    Origin, OriginKind, Runtime, ledger,
    version::{self, compare, fits, numbers},
};
use crate::{
    diagnostic::{Code, Diagnostic, Severity},
    manifest::{Manifest, SourceFacts},
    readme::{Document, Part},
    recipe::{
        Catalog, Ceiling, Expression, RuntimeRecipe, RuntimeVersion, VersionFile, VersionFormat,
        contains_word,
    },
    repo::{self, Repo},
    select::Selection,
    step::InstallStep,
};

/// A version that something asks for.
#[derive(Debug, Clone)]
struct Request {
    text: String,
    origin: Origin,
}

/// The runtime's image, and what its tag is made of.
pub struct Base {
    /// The image.
    pub image: String,
    /// Its suite of Debian.
    pub suite: String,
    /// Its version of the runtime.
    pub version: String,
}

impl Base {
    /// Replaces `{runtime}`, `{version}` and `{suite}` in the name of an image.
    pub fn fill(&self, image: &str) -> String {
        image
            .replace("{runtime}", &self.image)
            .replace("{version}", &self.version)
            .replace("{suite}", &self.suite)
    }
}

/// Returns the runtime of the stack that was selected, and its base image.
pub fn runtime(
    selection: &Selection<'_>,
    repo: &Repo,
    documents: &[Document],
    steps: &[InstallStep],
    catalog: &Catalog,
    diagnostics: &mut Vec<Diagnostic>,
) -> (Runtime, Base) {
    let (stack_id, stack, folder) = (selection.stack_id, selection.stack, &selection.folder);
    let (manifest, facts) = (&selection.manifest, &selection.facts);
    let id = &stack.runtime;
    let recipe = &catalog.runtimes[id];
    let (in_files, in_ci) = requests_in_files(recipe, folder, repo);
    let neutral = |step: &&InstallStep| step.context.platform.is_none();
    let in_commands = requests_in_commands(recipe, steps.iter().filter(neutral));
    let elsewhere = requests_in_commands(recipe, steps.iter().filter(|step| !neutral(step)));
    let in_prose = prose(&recipe.words, documents, catalog);
    let newest = stack.newest.as_ref().map(|newest| {
        let origin = Origin::recipe(&format!("stacks/{stack_id}"), &newest.why);
        (newest.version.clone(), origin)
    });
    let ceiling = ceiling(recipe, folder, repo, manifest, facts)
        .into_iter()
        .chain(newest)
        .min_by(|a, b| compare(&numbers(&a.0), &numbers(&b.0)));

    let settled = selection.config.runtime.as_ref().map(|said| Request {
        text: said.value.clone(),
        origin: said.origin.clone(),
    });
    let found = in_files
        .iter()
        .chain(&in_commands)
        .chain(&in_prose)
        .chain(&elsewhere)
        .chain(&in_ci)
        .find(|request| asks(recipe, request));
    let strongest = settled.as_ref().or(found);
    let (taken, mut origin) = match strongest {
        Some(request) => (
            take(recipe, &request.text, ceiling.as_ref())
                .or_else(|| take(recipe, &request.text, None)),
            vec![request.origin.clone()],
        ),
        None => (None, Vec::new()),
    };
    let taken = taken.or_else(|| take(recipe, "", ceiling.as_ref()));
    let version = taken.unwrap_or_else(|| default_version(recipe));
    let is_limited = strongest.is_none_or(|request| !version::is_exact(&request.text));
    let limit = ceiling.as_ref().filter(|(limit, _)| {
        is_limited && compare(&numbers(&version.version), &numbers(limit)).is_eq()
    });
    origin.extend(limit.map(|(_, reason)| reason.clone()));
    if origin.is_empty() {
        origin.push(Origin::recipe(
            &format!("runtimes/{id}"),
            "default, as nothing asks for a version",
        ));
    }

    if let Some(request) = strongest {
        let served = fits(&version.version, &request.text);
        if !served {
            diagnostics.push(
                Diagnostic::new(
                    Severity::Warning,
                    Code::NoSuchVersion,
                    format!(
                        "`{}` asks for {} {}; {} was taken",
                        request.origin.place(),
                        recipe.title,
                        request.text,
                        version.version
                    ),
                )
                .hint(format!("images exist for {}", list(recipe))),
            );
        }
        if let Some(other) = in_prose
            .iter()
            .find(|other| asks(recipe, other) && !fits(&version.version, &other.text))
            .filter(|_| settled.is_none())
        {
            diagnostics.push(
                Diagnostic::new(
                    Severity::Warning,
                    Code::VersionConflict,
                    format!(
                        "`{}` asks for {} {}, but `{}` for {}; {} was taken",
                        other.origin.place(),
                        recipe.title,
                        other.text,
                        request.origin.place(),
                        request.text,
                        version.version
                    ),
                )
                .hint("a manifest wins over prose; correct the one that is out of date"),
            );
        }
    }
    if version.ends < recipe.checked {
        diagnostics.push(
            Diagnostic::new(
                Severity::Warning,
                Code::EndOfLifeRuntime,
                format!(
                    "{} {} has had no security fixes since {}",
                    recipe.title, version.version, version.ends
                ),
            )
            .hint(format!(
                "it was taken because of {}",
                origin
                    .iter()
                    .map(Origin::place)
                    .collect::<Vec<_>>()
                    .join(" and ")
            ))
            .also(limit.and_then(|(_, reason)| reason.text.clone())),
        );
    }
    let mut base = Base {
        image: recipe.image.clone(),
        version: version.version.clone(),
        suite: version.suite.clone(),
    };
    base.image = base.fill(&recipe.image);
    let runtime = Runtime {
        name: id.to_owned(),
        version: version.version.clone(),
        requested: strongest.map(|request| request.text.clone()),
        origin,
    };
    (runtime, base)
}

/// Returns the version of a service that prose asks for, such as "PostgreSQL 14", if it has one.
pub fn mentioned_version(
    words: &[String],
    versions: &[String],
    documents: &[Document],
    catalog: &Catalog,
) -> Option<(String, Origin)> {
    prose(words, documents, catalog)
        .into_iter()
        .find_map(|request| {
            let version = versions
                .iter()
                .find(|version| fits(version, &request.text) && version::is_exact(&request.text))?;
            Some((version.clone(), request.origin))
        })
}

/// A request that says nothing at this granularity (`3` for Python) is none.
fn asks(recipe: &RuntimeRecipe, request: &Request) -> bool {
    let fitting = recipe
        .version
        .iter()
        .filter(|version| fits(&version.version, &request.text))
        .count();
    let said = numbers(&request.text);
    let is_wider = version::is_exact(&request.text) && said.len() < numbers(&recipe.default).len();
    !(said.is_empty() || is_wider && fitting > 1)
}

/// The default where it fits and no pin forbids it, else the newest version that fits both, else
/// the newest that fits the request.
fn take<'r>(
    recipe: &'r RuntimeRecipe,
    request: &str,
    ceiling: Option<&(String, Origin)>,
) -> Option<&'r RuntimeVersion> {
    let fitting: Vec<&RuntimeVersion> = recipe
        .version
        .iter()
        .filter(|version| request.is_empty() || fits(&version.version, request))
        .collect();
    let below = |version: &&&RuntimeVersion| {
        ceiling
            .is_none_or(|(limit, _)| compare(&numbers(&version.version), &numbers(limit)).is_le())
    };
    let allowed: Vec<&&RuntimeVersion> = fitting.iter().filter(below).collect();
    let default = allowed
        .iter()
        .find(|version| version.version == recipe.default);
    let supported = allowed
        .iter()
        .rfind(|version| version.ends >= recipe.checked);
    // Below the default an unpinned application runs best on what is nearest to it.
    let oldest_above = || {
        allowed
            .iter()
            .find(|version| compare(&numbers(&version.version), &numbers(&recipe.default)).is_gt())
    };
    let found = default
        .or_else(oldest_above)
        .or(supported)
        .or_else(|| allowed.last())
        .map(|version| **version);
    match ceiling {
        Some(_) if !fitting.is_empty() => found,
        _ => found.or_else(|| nearest(recipe, request, &fitting)),
    }
}

fn nearest<'r>(
    recipe: &'r RuntimeRecipe,
    request: &str,
    fitting: &[&'r RuntimeVersion],
) -> Option<&'r RuntimeVersion> {
    if let Some(version) = fitting.last() {
        return Some(version);
    }
    let wanted = numbers(request);
    if wanted.is_empty() {
        return None;
    }
    // The next newer version, or else the newest there is.
    let newer = recipe
        .version
        .iter()
        .find(|version| compare(&numbers(&version.version), &wanted).is_gt());
    newer.or(recipe.version.last())
}

fn default_version(recipe: &RuntimeRecipe) -> &RuntimeVersion {
    recipe
        .version
        .iter()
        .find(|version| version.version == recipe.default)
        .or(recipe.version.last())
        .expect("a runtime has a version")
}

/// The lowest ceiling that a pin or a text sets.
fn ceiling(
    recipe: &RuntimeRecipe,
    folder: &str,
    repo: &Repo,
    manifest: &Manifest,
    facts: &SourceFacts,
) -> Option<(String, Origin)> {
    let hits = recipe.ceiling.iter().filter_map(|ceiling| {
        let origin = match &ceiling.text {
            Some(text) => text_sign(ceiling, text, folder, repo, facts)?,
            None => pin_sign(ceiling, manifest)?,
        };
        Some((ceiling.newest.clone(), origin))
    });
    hits.min_by(|a, b| compare(&numbers(&a.0), &numbers(&b.0)))
}

/// Returns the pin that a ceiling is about, if the manifest has it.
pub fn pin_sign(ceiling: &Ceiling, manifest: &Manifest) -> Option<Origin> {
    let package = manifest.packages.get(ceiling.package.as_ref()?)?;
    let pinned = version::pinned(&package.requirement)?;
    if compare(&pinned, &numbers(ceiling.below.as_ref()?)).is_ge() {
        return None;
    }
    let text = format!("{}{}: {}", package.name, package.requirement, ceiling.why);
    Some(Origin::at(
        OriginKind::Manifest,
        &package.file,
        package.line,
        text,
    ))
}

/// Returns whether a ceiling says that what `requirement` pins of `package` was never built for the
/// version `version` of the runtime: then it is compiled, if it installs at all.
pub fn lacks_build(
    recipe: &RuntimeRecipe,
    version: &str,
    package: &str,
    requirement: &str,
) -> bool {
    let Some(pinned) = version::pinned(requirement) else {
        return false;
    };
    recipe.ceiling.iter().any(|ceiling| {
        let is_meant = ceiling.package.as_deref() == Some(package);
        let below = ceiling.below.as_ref();
        is_meant
            && below.is_some_and(|below| compare(&pinned, &numbers(below)).is_lt())
            && compare(&numbers(version), &numbers(&ceiling.newest)).is_gt()
    })
}

fn text_sign(
    ceiling: &Ceiling,
    pattern: &Expression,
    folder: &str,
    repo: &Repo,
    facts: &SourceFacts,
) -> Option<Origin> {
    let named = ceiling
        .file
        .as_ref()
        .map(|file| repo.glob(&repo::join(folder, file)));
    let paths: Vec<&str> = match named {
        Some(named) => named,
        None => facts.files.iter().map(String::as_str).collect(),
    };
    paths.into_iter().find_map(|path| {
        let source = repo.source(path)?;
        // A pattern may look at more than what it says.
        let all = pattern.captures(&source.text)?;
        let found = all.get(1).or_else(|| all.get(0))?;
        let said = format!("{}: {}", found.as_str().trim(), ceiling.why);
        Some(Origin::at(
            OriginKind::Manifest,
            path,
            source.line(found.start()),
            said,
        ))
    })
}

/// "nvm use 14", "apt install openjdk-11-jdk", "conda create -n shop python=3.8".
fn requests_in_commands<'s>(
    recipe: &RuntimeRecipe,
    steps: impl Iterator<Item = &'s InstallStep> + Clone,
) -> Vec<Request> {
    let mut requests = Vec::new();
    for asking in &recipe.asked_by {
        let pattern = &asking.word;
        for step in steps.clone() {
            let name = step.words.first().map_or("", |word| repo::file_name(word));
            if !asking.commands.iter().any(|known| known == name) {
                continue;
            }
            let version = step.words[1..].iter().find_map(|word| {
                let version = pattern.captures(word)?.get(1)?;
                Some(version.as_str().to_owned())
            });
            requests.extend(version.map(|text| Request {
                text,
                origin: ledger::origin(step),
            }));
        }
    }
    requests
}

/// What files ask for: those of the application, and those of continuous integration, which says
/// only what it was tested with.
fn requests_in_files(
    recipe: &RuntimeRecipe,
    folder: &str,
    repo: &Repo,
) -> (Vec<Request>, Vec<Request>) {
    let (mut requests, mut tested) = (Vec::new(), Vec::new());
    let mut folders = vec![folder];
    if folder != "." {
        folders.push(".");
    }
    for file in &recipe.requested_in {
        for folder in &folders {
            let paths = repo.glob(&repo::join(folder, &file.file));
            for path in paths {
                let Some(source) = repo.source(path) else {
                    continue;
                };
                let found = if file.tested {
                    newest_tested(file, &source)
                } else {
                    read(file, &source)
                };
                if let Some((text, line)) = found {
                    let origin = Origin::at(OriginKind::Manifest, path, line, &text);
                    let all = if file.tested {
                        &mut tested
                    } else {
                        &mut requests
                    };
                    all.push(Request { text, origin });
                }
            }
        }
    }
    (requests, tested)
}

/// The newest version in a list of continuous integration that there is an image for.
fn newest_tested(
    file: &VersionFile,
    source: &crate::source::SourceFile,
) -> Option<(String, usize)> {
    let list = file.pattern.as_ref()?;
    let number = Regex::new(r"\d+(?:\.\d+)?").ok()?;
    let lists = list
        .captures_iter(&source.text)
        .filter_map(|found| found.get(1));
    let versions = lists.flat_map(|list| {
        number
            .find_iter(list.as_str())
            .map(move |version| (version.as_str(), list.start() + version.start()))
    });
    let (text, at) = versions.max_by(|a, b| compare(&numbers(a.0), &numbers(b.0)))?;
    Some((text.to_owned(), source.line(at)))
}

fn read(file: &VersionFile, source: &crate::source::SourceFile) -> Option<(String, usize)> {
    let text = &source.text;
    let located = |value: &str| {
        let at = text.find(value).unwrap_or(0);
        (value.trim().to_owned(), source.line(at))
    };
    match file.format {
        VersionFormat::Line => {
            let line = text
                .lines()
                .map(str::trim)
                .find(|line| !line.is_empty() && !line.starts_with('#'))?;
            Some(located(line))
        }
        VersionFormat::Json => {
            let parsed = jsonc_parser::parse_to_serde_value::<serde_json::Value>(
                text,
                &jsonc_parser::ParseOptions::default(),
            );
            let mut value = parsed.ok()?;
            for part in file.key.as_deref()?.split('.') {
                value = value.get_mut(part)?.take();
            }
            value.as_str().map(located)
        }
        VersionFormat::Toml => {
            let table: toml::Table = toml::from_str(text).ok()?;
            let mut value = &toml::Value::Table(table);
            for part in file.key.as_deref()?.split('.') {
                value = value.get(part)?;
            }
            value.as_str().map(located)
        }
        VersionFormat::Pattern => {
            let pattern = file.pattern.as_ref()?;
            let found = pattern.captures(text)?.get(1)?;
            Some((found.as_str().trim().to_owned(), source.line(found.start())))
        }
    }
}

/// "Python 3.6+", "Node.js >= 14", "Node v16 or newer".
fn prose(words: &[String], documents: &[Document], catalog: &Catalog) -> Vec<Request> {
    if words.is_empty() {
        return Vec::new();
    }
    let names: Vec<String> = words.iter().map(|word| regex::escape(word)).collect();
    let pattern = format!(
        r"(?i)(?:^|[^\w-])(?:{})(?:\s*[\[(])?(?:\s+version)?\s*[:=]?\s*(>=|>|<=|~|\^|==)?\s*v?(\d+(?:\.(?:\d+|x))*)(\s*\+|\s+(?:or|and)\s+(?:newer|later|higher|above|up|greater)|\s*以上)?",
        names.join("|")
    );
    let Ok(pattern) = Regex::new(&pattern) else {
        return Vec::new();
    };
    let refusals = catalog.list("prose", "refusals");
    let mut requests = Vec::new();
    for document in documents {
        for part in &document.parts {
            let Part::Text(paragraph) = part else {
                continue;
            };
            // The sentence of the match before, whether it refuses, and the line that was reached.
            let mut near: Option<(Range<usize>, bool)> = None;
            let (mut line, mut at) = (document.source.line(paragraph.span.start), 0);
            for found in pattern.captures_iter(&paragraph.text) {
                let whole = found.get(0).expect("the whole match");
                line += paragraph.text[at..whole.start()].matches('\n').count();
                at = whole.start();
                let is_near = |range: &Range<usize>| whole.end() <= range.end;
                let (range, refuses) = match near.take().filter(|(range, _)| is_near(range)) {
                    Some(near) => near,
                    None => {
                        let range = sentence(&paragraph.text, whole.start(), whole.end());
                        let sentence = &paragraph.text[range.clone()];
                        let mut words = refusals.iter();
                        (range, words.any(|words| contains_word(sentence, words)))
                    }
                };
                near = Some((range, refuses));
                if refuses {
                    continue;
                }
                let operator = found.get(1).map_or("", |operator| operator.as_str());
                let number = found.get(2).map_or("", |number| number.as_str());
                let more = if found.get(3).is_some() { "+" } else { "" };
                let said = whole.as_str().trim();
                requests.push(Request {
                    text: format!(
                        "{operator}{number}{}",
                        if operator.is_empty() { more } else { "" }
                    ),
                    origin: Origin::at(OriginKind::Readme, &document.source.path, line, said),
                });
            }
        }
    }
    requests
}

/// Where the sentence of `text` stands around what goes from `start` to `end`.
fn sentence(text: &str, start: usize, end: usize) -> Range<usize> {
    let from = text[..start].rfind(". ").map_or(0, |at| at + 2);
    let to = text[end..].find(". ").map_or(text.len(), |at| end + at);
    from..to
}

fn list(recipe: &RuntimeRecipe) -> String {
    recipe
        .version
        .iter()
        .map(|version| version.version.as_str())
        .collect::<Vec<_>>()
        .join(", ")
}
