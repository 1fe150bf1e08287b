//! Files and folders: what documents copy and write, what the application writes while it runs.

use super::{
    Command, EnvVar, Fate, FileCopy, Image, Origin, Volume,
    commands::push,
    env, image,
    input::{Input, fill_text},
    ledger::{self, Ledger},
};
use crate::{
    diagnostic::{Code, Diagnostic, Severity},
    quote,
    recipe::Catalog,
    repo::{self, Repo},
    step::{Action, InstallStep},
};

/// Files that a document has a person write into the repository: `cat > config.ini <<EOF`.
pub fn written_files(input: &Input<'_, '_>, ledger: &mut Ledger<'_>) -> Vec<Command> {
    let mut commands = Vec::new();
    for (index, step) in ledger.steps.iter().enumerate() {
        let Action::WriteFile {
            path,
            text,
            appends,
        } = &step.action
        else {
            continue;
        };
        if !ledger.is_open(index) || path.contains(".env") || path.starts_with("..") {
            continue;
        }
        // A value of the author's, or one that only the reader knows, is not for an image.
        if has_secret(text, input.catalog) || text.contains('$') {
            ledger.skip(index, "holds-values-of-one-machine", Some(path));
            continue;
        }
        let folder = repo::folder_of(path);
        let make = if folder == "." || input.repo.has_folder(folder) {
            String::new()
        } else {
            format!("mkdir -p {} && ", quote::shell::word(folder))
        };
        let sign = if *appends { ">>" } else { ">" };
        commands.push(Command::new(
            format!(
                "{make}printf '%s\\n' {} {sign} {}",
                quote::shell::join(text.lines()),
                quote::shell::word(path)
            ),
            ".",
            vec![ledger::origin(step)],
        ));
        ledger.set(index, Fate::Dockerfile, "Dockerfile", None);
    }
    commands
}

/// Returns the files of the repository that documents have a person copy, such as
/// `config.example.json`; settings of an env file come from the environment.
pub fn copied(repo: &Repo, ledger: &Ledger<'_>) -> Vec<String> {
    let from = |(_, step): (usize, &InstallStep)| match &step.action {
        Action::Copy { to, .. } if is_env_file(to) => None,
        Action::Copy { from, .. } if repo.contains(from) => Some(from.clone()),
        _ => None,
    };
    ledger.open().filter_map(from).collect()
}

fn is_env_file(path: &str) -> bool {
    repo::file_name(path).starts_with(".env")
}

/// Returns the copies that documents make; the lines of env files are settings, no copies.
pub fn files(
    input: &Input<'_, '_>,
    ledger: &mut Ledger<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<FileCopy> {
    let repo = input.repo;
    let replaced = image::replaced(input);
    let mut files: Vec<FileCopy> = Vec::new();
    for (index, step) in ledger.steps.iter().enumerate() {
        let Action::Copy { from, to } = &step.action else {
            continue;
        };
        if !ledger.is_open(index) {
            continue;
        }
        let is_env = is_env_file(to);
        if let Some((_, file)) = replaced.iter().find(|(sample, _)| sample == from) {
            let remark = "reads the environment in place of the copy";
            ledger.set(index, Fate::Fact, &file.path, Some(remark.to_owned()));
            continue;
        }
        if !repo.contains(from) && !repo.has_folder(from) {
            diagnostics.push(
                Diagnostic::new(
                    Severity::Warning,
                    Code::MissingFile,
                    format!("`{from}` is not in the repository"),
                )
                .at(&step.source, step.span, "copies it")
                .hint("correct the README, or commit the file"),
            );
            ledger.skip(index, "file-is-not-in-the-repository", Some(from));
        } else if is_env {
            ledger.set(
                index,
                Fate::Env,
                "env/development.env",
                Some("its lines are in the env files".to_owned()),
            );
        } else if from == to || from.starts_with("..") {
            ledger.skip(index, "host-only", None);
        } else {
            ledger.set(index, Fate::Dockerfile, "Dockerfile", None);
            if !files.iter().any(|known| known.to == *to) {
                files.push(FileCopy {
                    from: from.clone(),
                    to: to.clone(),
                    is_folder: repo.has_folder(from),
                    origin: vec![ledger::origin(step)],
                });
            }
        }
    }
    files
}

/// Log files become links to the standard output, where an orchestrator reads logs.
pub fn log_files(input: &Input<'_, '_>) -> Vec<Command> {
    let stack = &input.selection.stack;
    let patterns = &stack.log_files;
    let mut commands: Vec<Command> = Vec::new();
    for source in input.selection.facts.sources(input.repo) {
        for found in patterns
            .iter()
            .flat_map(|pattern| pattern.captures_iter(&source.text))
        {
            let Some(file) = found
                .get(1)
                .filter(|file| !file.as_str().starts_with('/') && !file.as_str().contains(".."))
            else {
                continue;
            };
            let folder = repo::folder_of(file.as_str());
            let make = if folder == "." {
                String::new()
            } else {
                format!("mkdir -p {} && ", quote::shell::word(folder))
            };
            push(
                &mut commands,
                Command::new(
                    format!(
                        "{make}ln -sf /dev/stdout {}",
                        quote::shell::word(file.as_str())
                    ),
                    input.directory,
                    vec![Origin::in_source(&source, file.start())],
                ),
            );
        }
    }
    commands
}

/// Whether a line of `text`, a file of settings, gives a value to a name that is one of secrets.
pub fn has_secret(text: &str, catalog: &Catalog) -> bool {
    let name = |line: &str| {
        line.split(['=', ':'])
            .next()
            .unwrap_or_default()
            .trim()
            .replace(['"', '\''], "")
    };
    text.lines().any(|line| {
        line.contains(['=', ':']) && env::is_secret(&name(line).to_uppercase(), catalog)
    })
}

/// Files that the application keeps data in become links into a volume, so that the root file
/// system stays read-only and a new release does not hide under old data.
pub fn data_files(input: &Input<'_, '_>) -> (Vec<Command>, Vec<Command>, Vec<Volume>) {
    let (mut links, mut seeds, mut volumes) = (Vec::new(), Vec::new(), Vec::new());
    let patterns = &input.selection.stack.data_files;
    let mut known = std::collections::BTreeSet::new();
    for source in input.selection.facts.sources(input.repo) {
        for found in patterns
            .iter()
            .flat_map(|pattern| pattern.captures_iter(&source.text))
        {
            let Some(file) = found.get(2) else { continue };
            let folders: Vec<&str> = found
                .get(1)
                .map_or("", |literals| literals.as_str())
                .split(['"', '\''])
                .skip(1)
                .step_by(2)
                .collect();
            let joined = folders
                .iter()
                .copied()
                .chain([file.as_str()])
                .collect::<Vec<_>>()
                .join("/");
            if joined.starts_with('/')
                || joined.contains("..")
                || repo::file_name(&joined).starts_with('.')
            {
                continue;
            }
            let line = source.line_text(source.line(file.start()));
            let joined = match own_folder(&source.text, line, &source.path, input) {
                Some(folder) => repo::join(&folder, &joined),
                None => joined,
            };
            let home = home_of_data(&joined, input);
            let target = repo::join(home, &joined);
            if !known.insert(target.clone()) {
                continue;
            }
            let origin = Origin::in_source(&source, file.start());
            let data = format!("/data/{}", repo::file_name(&target));
            let folder = repo::folder_of(&joined);
            let mut command = String::new();
            if folder != "." && !input.repo.has_folder(&repo::join(home, folder)) {
                command = format!("mkdir -p {} && ", quote::shell::word(folder));
            }
            if input.repo.contains(&target) {
                let seed = format!("{joined}.seed");
                command = format!(
                    "{command}mv {} {} && ",
                    quote::shell::word(&joined),
                    quote::shell::word(&seed)
                );
                seeds.push(first_data(&seed, &data, &target, home));
            }
            links.push(Command::new(
                format!(
                    "{command}ln -sf {} {}",
                    quote::shell::word(&data),
                    quote::shell::word(&joined)
                ),
                home,
                vec![origin.clone()],
            ));
            if volumes.is_empty() {
                volumes.push(Volume {
                    path: "/data".to_owned(),
                    persistent: true,
                    reason: "the application keeps its data in a file".to_owned(),
                    origin: vec![origin],
                });
            }
        }
    }
    (links, seeds, volumes)
}

/// The folder that the path of a data file is relative to: that of the application, or the top of
/// its workspace where only this has the folder of the file.
fn home_of_data<'a>(file: &str, input: &'a Input<'_, '_>) -> &'a str {
    let (here, top) = (input.directory, input.install_folder());
    let folder = repo::folder_of(file);
    let has = |place: &str| input.repo.has_folder(&repo::join(place, folder));
    match folder != "." && !has(here) && has(top) {
        true => top,
        false => here,
    }
}

/// Gives the volume the data that the repository brings in `file`, where it has none yet.
fn first_data(seed: &str, data: &str, file: &str, home: &str) -> Command {
    Command::new(
        format!(
            "test -e {0} || cp {1} {0}",
            quote::shell::word(data),
            quote::shell::word(seed)
        ),
        home,
        vec![Origin::manifest(
            file,
            "the repository brings a first version of the data",
        )],
    )
}

/// The folder that a path in `line` is joined to, relative to the component, where the source takes
/// it from its own place: `os.path.dirname(__file__)` is the folder of the file, each further
/// `dirname` or `.parent` the one above.
fn own_folder(text: &str, line: &str, path: &str, input: &Input<'_, '_>) -> Option<String> {
    let is_joined = line.contains("join(") || line.contains(" / ");
    let own = text
        .lines()
        .find(|line| line.contains("__file__") || line.contains("__dirname"))?;
    let ups = own.matches("dirname").count() + own.matches(".parent").count();
    let mut folder = repo::folder_of(path);
    for _ in 1..ups.max(1) {
        folder = repo::folder_of(folder);
    }
    let inside = match input.directory {
        "." => folder,
        directory => folder.strip_prefix(directory)?.trim_start_matches('/'),
    };
    (is_joined && !inside.is_empty() && inside != ".").then(|| inside.to_owned())
}

/// A variable that names a database file leads into the data volume: a path outside the
/// application, or the address of a database in a file. What the repository brings in that file is
/// copied there by one of the `prepare` steps.
pub fn in_data_volume(
    mut var: EnvVar,
    input: &Input<'_, '_>,
    volumes: &mut Vec<Volume>,
    prepare: &mut Vec<Command>,
) -> EnvVar {
    let found = var
        .default
        .as_deref()
        .and_then(|value| data_file(value, input.catalog));
    let Some((scheme, path, options)) = found else {
        return var;
    };
    let name = match path.strip_prefix("./") {
        Some(inside) => inside.replace('/', "-"),
        None => repo::file_name(path).to_owned(),
    };
    let data = format!("/data/{name}");
    let brought = repo::join(input.directory, path);
    if !path.starts_with('/') && input.repo.contains(&brought) {
        prepare.insert(0, first_data(path, &data, &brought, input.directory));
    }
    var.default = Some(format!("{scheme}{data}{options}"));
    if !volumes.iter().any(|volume| volume.path == "/data") {
        volumes.push(Volume {
            path: "/data".to_owned(),
            persistent: true,
            reason: format!(
                "{} names a file that the application keeps data in",
                var.name
            ),
            origin: var.origin.clone(),
        });
    }
    var
}

/// Takes `value` apart where it names a database file: what stands before the path, the path, and
/// the options behind it. `sqlite:///x.db` is relative, `sqlite:////x.db` is not
/// (<https://docs.sqlalchemy.org/en/20/core/engines.html#sqlite>).
fn data_file<'v>(value: &'v str, catalog: &Catalog) -> Option<(&'v str, &'v str, &'v str)> {
    let (place, _) = value.split_once('?').unwrap_or((value, ""));
    let options = &value[place.len()..];
    let schemes = catalog.list("environment", "data-schemes");
    let scheme = schemes
        .iter()
        .filter(|scheme| place.starts_with(scheme.as_str()));
    let scheme = &place[..scheme.map(String::len).max().unwrap_or(0)];
    let path = &place[scheme.len()..];
    let endings = catalog.list("environment", "data-endings");
    let is_data = endings.iter().any(|ending| path.ends_with(ending.as_str()));
    let is_here = !scheme.is_empty() || path.starts_with("./");
    let is_outside = path.starts_with('/') || is_here && !path.contains("..");
    (is_data && is_outside).then_some((scheme, path, options))
}

/// The folders of database files that committed configuration names by absolute paths, such as
/// `/var/lib/shop/shop.db`.
pub fn configured_folders(input: &Input<'_, '_>) -> Vec<Volume> {
    let (catalog, folder) = (input.catalog, &input.selection.folder);
    let is_piece = |c: char| c.is_whitespace() || "\"'`=:,;<>()".contains(c);
    let mut volumes: Vec<Volume> = Vec::new();
    for pattern in catalog.list("addresses", "files") {
        for path in input.repo.glob(&repo::join(folder, pattern)) {
            let Some(source) = input.repo.source(path) else {
                continue;
            };
            for piece in source.text.split(is_piece) {
                let named = data_file(piece, catalog).map(|(_, file, _)| repo::folder_of(file));
                // What an address leaves behind its scheme is relative: `sqlite:///shop.db`. A volume at
                // a folder of the system or of the application would hide what is there.
                let is_of_data = |folder: &&str| {
                    let mut roots = catalog.list("folders", "data-roots").iter();
                    roots.any(|root| folder.starts_with(root.as_str()))
                };
                let Some(folder) = named.filter(is_of_data) else {
                    continue;
                };
                let at = piece.as_ptr() as usize - source.text.as_ptr() as usize;
                let comments = catalog.list("addresses", "comments");
                let line = source.line_text(source.line(at)).trim_start();
                let is_comment = comments.iter().any(|sign| line.starts_with(sign.as_str()));
                if is_comment || volumes.iter().any(|known| known.path == folder) {
                    continue;
                }
                volumes.push(Volume {
                    path: folder.to_owned(),
                    persistent: true,
                    reason: format!("`{path}` names a file there that keeps data"),
                    origin: vec![Origin::in_source(&source, at)],
                });
            }
        }
    }
    volumes
}

/// Folders that a document makes for the application to write in, and those that recipes name; beside
/// them the command that makes the former, for a build that looks for them.
pub fn folders(
    input: &Input<'_, '_>,
    ledger: &mut Ledger<'_>,
    image: &Image,
) -> (Vec<Volume>, Option<Command>) {
    let mut volumes = Vec::new();
    let mut made: Vec<String> = Vec::new();
    let mut origin = Vec::new();
    for (index, step) in ledger.steps.iter().enumerate() {
        let Action::MakeFolder(paths) = &step.action else {
            continue;
        };
        if !ledger.is_open(index) {
            continue;
        }
        origin.push(ledger::origin(step));
        for path in paths {
            if !made.contains(path) {
                made.push(path.clone());
            }
        }
        // Files that are only served are written while they are built.
        if input.selection.serves_static() {
            match input.selection.framework {
                Some(_) => ledger.set(index, Fate::Dockerfile, "Dockerfile", None),
                None => ledger.skip(index, "files-are-only-served", None),
            }
            continue;
        }
        for path in paths {
            volumes.push(Volume {
                path: format!("{}/{path}", image.workdir),
                persistent: true,
                reason: "the documents make this folder for the application".to_owned(),
                origin: vec![ledger::origin(step)],
            });
        }
        ledger.set(
            index,
            Fate::Fact,
            "k8s/base",
            Some("a writable volume".to_owned()),
        );
    }
    let framework = input
        .selection
        .framework
        .map(|(id, framework)| (format!("frameworks/{id}"), &framework.image));
    let stack = (
        format!("stacks/{}", input.selection.stack_id),
        &input.selection.stack.image,
    );
    let mut of_recipes: Vec<Volume> = Vec::new();
    for (id, recipe) in framework.into_iter().chain([stack]) {
        let written = recipe.writable.iter().map(|path| (path, false));
        let written = written.chain(recipe.kept.iter().map(|path| (path, true)));
        for (path, persistent) in written.filter(|(path, _)| path.as_str() != "/tmp") {
            let path = fill_text(path, input);
            let path = if path.starts_with('/') {
                path
            } else {
                format!("{}/{path}", image.workdir)
            };
            let reason = match persistent {
                true => "keeps what its users give it",
                false => "written while it runs",
            };
            of_recipes.push(Volume {
                path,
                persistent,
                reason: reason.to_owned(),
                origin: vec![Origin::recipe(&id, reason)],
            });
        }
    }
    // Who knows the framework knows better than who has a person make the folder what is kept.
    for volume in &mut volumes {
        if let Some(known) = of_recipes.iter().find(|known| known.path == volume.path) {
            volume.persistent = known.persistent;
        }
    }
    // What lies in a kept folder is kept with it; what a framework looks for and nobody needs to keep
    // is mounted within it, as a new volume is empty.
    let kept: Vec<String> = volumes
        .iter()
        .chain(&of_recipes)
        .filter(|volume| volume.persistent)
        .map(|volume| format!("{}/", volume.path))
        .collect();
    let is_kept = |volume: &Volume| {
        let mut kept = kept.iter();
        kept.any(|folder| volume.path.starts_with(folder.as_str()))
    };
    volumes.retain(|volume| !is_kept(volume));
    of_recipes.retain(|volume| !(volume.persistent && is_kept(volume)));
    volumes.extend(of_recipes);
    volumes.sort_by(|a, b| a.path.cmp(&b.path));
    volumes.dedup_by(|a, b| a.path == b.path);
    let make = format!("mkdir -p {}", quote::shell::join(&made));
    let make = (!made.is_empty()).then(|| Command::new(make, ".", origin));
    (volumes, make)
}
