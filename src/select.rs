//! Facts, steps and catalogue → which recipes fit the repository, and why.

mod documentation;
mod members;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{
    config::{Config, Said},
    diagnostic::{Code, Diagnostic, Severity, Warned, nearest},
    limits,
    manifest::{
        self, Manifest, Reader, SourceFacts, variable,
        workspace::{Project, Workspace, workspaces},
    },
    origin::{Origin, OriginKind},
    recipe::{Catalog, Documents, FrameworkRecipe, StackRecipe, TextSign, contains_word},
    repo::{self, Repo},
    source::SourceFile,
    step::{Action, InstallStep, Purpose, rule},
};

/// The recipes that fit, the folder they fit in, and what was read there.
pub struct Selection<'c> {
    /// Id of the stack.
    pub stack_id: &'c str,
    /// The stack.
    pub stack: &'c StackRecipe,
    /// Folder with the stack's files, relative to the repository.
    pub folder: String,
    /// The framework, with its id.
    pub framework: Option<(&'c str, &'c FrameworkRecipe)>,
    /// Why.
    pub evidence: Vec<Origin>,
    /// The next best stack and its folder, where another one has proof too.
    pub runner_up: Option<(String, String)>,
    /// The workspace that it is the top or a member of.
    pub workspace: Option<Arc<Workspace>>,
    /// What is built for it with other tools: a front end that it serves, bundles of assets.
    pub assets: Vec<Selection<'c>>,
    /// Frameworks with as many signs as the one that was taken.
    pub tied: Vec<&'c str>,
    /// What a person settled.
    pub config: &'c Config,
    /// What the manifests say.
    pub manifest: Manifest,
    /// What the source code says.
    pub facts: SourceFacts,
}

impl Selection<'_> {
    /// Returns whether it may be a site about an application.
    pub fn documents(&self) -> bool {
        let framework = self.framework;
        self.stack.documents != Documents::Never
            || framework.is_some_and(|(_, framework)| framework.documents != Documents::Never)
    }

    /// Returns whether the result is static files, served by the run stage's web server.
    pub fn serves_static(&self) -> bool {
        let framework = self.framework;
        self.stack.serves_static || framework.is_some_and(|(_, framework)| framework.serves_static)
    }
}

/// A stack that may fit.
struct Candidate<'c> {
    score: i32,
    stack_id: &'c str,
    stack: &'c StackRecipe,
    folder: String,
    /// The workspace that it is the top or a member of.
    workspace: Option<Arc<Workspace>>,
    /// Whether a file that only this stack has is there.
    is_certain: bool,
    evidence: Vec<Origin>,
}

/// Most components of one repository, unless documents or a compose file tell of each; more are a
/// collection of examples.
const MOST_COMPONENTS: usize = 8;
/// Most of those that documents or a compose file tell of.
const MOST_TOLD: usize = 24;

/// Returns the components, the one that the repository is most about first; none, with a diagnostic
/// that says what was looked for, where no stack fits.
pub fn selections<'c>(
    reader: &Reader<'c>,
    steps: &[InstallStep],
    config: &'c Config,
    others: &'c Config,
) -> Warned<Vec<Selection<'c>>> {
    let (repo, catalog) = (reader.repo, reader.catalog);
    let mut diagnostics = Vec::new();
    let mut candidates = candidates(reader, steps, config);
    documentation::give_way(&mut candidates, reader, steps, config, &mut diagnostics);
    let workspaces = workspaces(repo, catalog);
    for candidate in &mut candidates {
        let workspace = Workspace::of(&workspaces, &candidate.folder);
        let workspace = workspace.filter(|one| one.stack_id == candidate.stack_id);
        candidate.workspace = workspace.cloned();
    }
    let built = reader.composed.folders();
    only_built(&mut candidates, &built);
    only_finished(&mut candidates, steps, catalog);
    prefer_server(&mut candidates, reader);
    prefer_server_around(&mut candidates, reader);
    let running = match &config.path {
        Some(_) => BTreeSet::new(),
        None => members::only_running(&mut candidates, &workspaces, reader, steps),
    };
    settle(&mut candidates, repo, catalog, config, &mut diagnostics);
    let Some(best) = candidates.first() else {
        diagnostics.push(nothing_found(repo, catalog));
        return Warned {
            value: Vec::new(),
            diagnostics,
        };
    };
    let runner_up = candidates[1..].iter().find(|other| {
        other.stack_id != best.stack_id
            && other.folder == best.folder
            && other.score + 4 > best.score
    });
    let runner_up = runner_up.map(|other| (other.stack_id.to_owned(), other.folder.clone()));
    let mut main = read(best, &[&best.folder, "."], reader, config).unpack(&mut diagnostics);
    main.runner_up = runner_up;

    let visited = visited(steps);
    let mut more: Vec<(bool, Selection<'c>)> = Vec::new();
    for candidate in candidates[1..]
        .iter()
        .filter(|candidate| candidate.is_certain)
    {
        let folder = candidate.folder.as_str();
        let overlaps = |known: &str| {
            known == folder
                || repo::is_inside(known, folder)
                || known != "." && repo::is_inside(folder, known)
        };
        let is_covered = candidate.stack_id == main.stack_id
            && main.stack.covers_nested
            && repo::is_inside(folder, &main.folder);
        let mut part_files = candidate.stack.part_files.iter();
        let is_part = candidate.stack_id == main.stack_id
            && part_files.any(|file| repo.contains(&repo::join(folder, file)));
        if is_covered
            || is_part
            || folder == home(repo, &main)
            || overlaps(&main.folder)
            || more.iter().any(|(_, known)| overlaps(&known.folder))
        {
            continue;
        }
        let is_told = built.contains(folder) || visited.contains(folder);
        let selection = read(candidate, &[folder], reader, others).value;
        if running.contains(folder) || is_application(&selection, is_told) {
            more.push((is_told, selection));
        }
    }
    if more.len() >= MOST_COMPONENTS {
        more.retain(|(is_told, _)| *is_told);
        more.truncate(MOST_TOLD - 1);
    }
    let mut components = vec![main];
    components.extend(more.into_iter().map(|(_, selection)| selection));
    give_assets(&mut components, &candidates, reader, steps, others);
    Warned {
        value: components,
        diagnostics,
    }
}

/// Returns the folder in which the commands of `selection` run: that of the file that marks a framework's root, or the stack's own.
pub fn home(repo: &Repo, selection: &Selection<'_>) -> String {
    let root_file = selection
        .framework
        .and_then(|(_, framework)| framework.root_file.as_ref());
    let found = root_file.and_then(|file| {
        let pattern = repo::join(&selection.folder, &format!("**/{file}"));
        repo.glob(&pattern)
            .first()
            .map(|path| repo::folder_of(path).to_owned())
    });
    found.unwrap_or_else(|| selection.folder.clone())
}

/// Where a compose file builds images from several folders, and none from the top, these are the
/// components.
fn only_built(candidates: &mut Vec<Candidate<'_>>, built: &BTreeSet<String>) {
    let is_built =
        |candidate: &Candidate<'_>| candidate.is_certain && built.contains(&candidate.folder);
    let folders: BTreeSet<&str> = candidates
        .iter()
        .filter(|candidate| is_built(candidate))
        .map(|candidate| candidate.folder.as_str())
        .collect();
    if folders.len() > 1 && !built.contains(".") {
        candidates.retain(is_built);
    }
}

/// Where a guide keeps what a reader begins with beside what comes out, only the latter is an
/// application, and one language of it is enough.
fn only_finished(candidates: &mut Vec<Candidate<'_>>, steps: &[InstallStep], catalog: &Catalog) {
    let has =
        |folder: &str, list: &str| catalog.has_part("folders", list, folder, &['/', '-', '_']);
    if candidates
        .iter()
        .any(|candidate| has(&candidate.folder, "finished"))
    {
        candidates.retain(|candidate| !has(&candidate.folder, "unfinished"));
    }
    // Nor is the same one in another language, unless a document goes there.
    let folders: BTreeSet<String> = candidates
        .iter()
        .map(|candidate| candidate.folder.clone())
        .collect();
    let visited = visited(steps);
    candidates.retain(|candidate| {
        if visited.contains(candidate.folder.as_str()) {
            return true;
        }
        let mut endings = catalog.list("folders", "variants").iter();
        !endings.any(|ending| {
            let base = candidate.folder.strip_suffix(ending.as_str());
            base.is_some_and(|base| folders.contains(base))
        })
    });
}

/// The folders in which a document tells a person to run something.
fn visited(steps: &[InstallStep]) -> BTreeSet<&str> {
    let runs = |step: &&InstallStep| {
        !matches!(
            step.action,
            Action::ChangeDirectory | Action::Skip(_) | Action::Other
        )
    };
    let runs = steps.iter().filter(runs);
    runs.map(|step| step.context.directory.as_str()).collect()
}

/// Whether what was found in a folder beside the main one is an application, not a library or a tool
/// of the repository.
fn is_application(selection: &Selection<'_>, is_told: bool) -> bool {
    let manifest = &selection.manifest;
    let can_start = manifest.scripts.contains_key("start")
        || manifest.dockerfile.command.is_some()
        || !manifest.processes.is_empty()
        || selection.facts.serves;
    selection.framework.is_some() || !manifest.processes.is_empty() || is_told && can_start
}

/// Front ends that a server of the repository serves are built for it; so are the assets whose
/// manifest lies beside a server's own.
fn give_assets<'c>(
    components: &mut Vec<Selection<'c>>,
    candidates: &[Candidate<'c>],
    reader: &Reader<'c>,
    steps: &[InstallStep],
    config: &'c Config,
) {
    let is_static = Selection::serves_static;
    let repo = reader.repo;
    let mut at = 0;
    while at < components.len() {
        let server = components.iter().position(|server| {
            !is_static(server)
                && is_static(&components[at])
                && serves_output(server, &components[at], repo)
        });
        match server {
            Some(server) => {
                let front_end = components.remove(at);
                let server = if server > at { server - 1 } else { server };
                // What was built and committed is served as it is.
                let is_there = output(&front_end, repo)
                    .is_some_and(|output| repo.contains(&format!("{output}/index.html")));
                if !is_there {
                    components[server].assets.push(front_end);
                }
            }
            None => at += 1,
        }
    }
    for component in components
        .iter_mut()
        .filter(|component| !is_static(component))
    {
        let beside = candidates.iter().find(|other| {
            other.folder == component.folder
                && other.is_certain
                && other.stack_id != component.stack_id
                && other.stack.assets.is_some()
        });
        let Some(beside) = beside else { continue };
        let found = read(beside, &[&beside.folder], reader, config).value;
        if builds_assets(&found) && is_told(&found, steps, reader.catalog) {
            component.runner_up = None;
            component.assets.push(found);
        }
    }
}

/// Whether the package manifest is there to build assets: it has a bundler and a script to build.
fn builds_assets(selection: &Selection<'_>) -> bool {
    let Some(assets) = &selection.stack.assets else {
        return false;
    };
    let manifest = &selection.manifest;
    assets
        .packages
        .iter()
        .any(|name| manifest.packages.contains_key(name))
        && assets
            .scripts
            .iter()
            .any(|name| manifest.scripts.contains_key(name))
}

/// Whether a document tells to install or build with the tools of `assets`: bundles are often
/// committed, and old tools that nobody asks for may not build any more.
fn is_told(assets: &Selection<'_>, steps: &[InstallStep], catalog: &Catalog) -> bool {
    let tools = &assets.stack.detect.tools;
    let runs = |step: &InstallStep| {
        let tool = rule(&step.words, catalog).0.map(|(found, _)| found.tool);
        let is_work = matches!(
            step.action,
            Action::Install | Action::Build | Action::Script(_)
        );
        is_work
            && step.context.purpose != Purpose::Test
            && tool.is_some_and(|tool| tools.iter().any(|known| known == tool))
    };
    steps.iter().any(runs)
}

/// The folder that a front end builds into, relative to the repository.
fn output(front_end: &Selection<'_>, repo: &Repo) -> Option<String> {
    let (_, framework) = front_end.framework?;
    let artifact = framework.image.artifacts.first()?;
    let name = repo::file_name(artifact.split(':').next()?);
    let variable = name
        .strip_prefix('{')
        .and_then(|name| name.strip_suffix('}'));
    let name = match variable.and_then(|name| framework.variable.get(name)) {
        None => name.to_owned(),
        Some(variable) => {
            let found = variable::of_file(variable, repo, &[], &front_end.folder);
            found.map(|(value, _)| value).or(variable.default.clone())?
        }
    };
    Some(repo::join(&front_end.folder, &name))
}

/// Whether the source of `server` names the folder that `front_end` builds into, in one string or in
/// parts: `path.join(__dirname, "client", "build")`.
fn serves_output(server: &Selection<'_>, front_end: &Selection<'_>, repo: &Repo) -> bool {
    let Some(whole) = output(front_end, repo) else {
        return false;
    };
    let (above, output) = (repo::folder_of(&whole), repo::file_name(&whole));
    let place = format!("{}/{output}", repo::file_name(above));
    let names_it = |line: &str| {
        let parts = line.split(['"', '\'', '`', ',', ' ', '/', '+']);
        let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
        parts.join("/").contains(&place)
    };
    // A source beside it, as `//go:embed build/*` has it: pkg.go.dev/embed.
    let names_neighbour = |source: &SourceFile| {
        let folder = repo::folder_of(&source.path);
        folder == above && contains_word(&source.text, output)
    };
    let mut sources = server.facts.sources(repo);
    sources.any(|source| source.text.lines().any(names_it) || names_neighbour(&source))
}

/// Reads what lies in the folder of `candidate`, and its manifests in `folders`.
fn read<'c>(
    candidate: &Candidate<'c>,
    folders: &[&str],
    reader: &Reader<'c>,
    config: &'c Config,
) -> Warned<Selection<'c>> {
    let (folder, id, stack) = (&candidate.folder, candidate.stack_id, candidate.stack);
    let (repo, catalog) = (reader.repo, reader.catalog);
    let mut diagnostics = Vec::new();
    let mut manifest = reader.manifest(folders, id, stack).unpack(&mut diagnostics);
    let mut facts = reader.facts(folder, id, stack);
    let mut evidence = candidate.evidence.clone();
    let mut found = frameworks(repo, catalog, id, folder, &manifest, &facts);
    documentation::only_beside_nothing(&mut found, stack, folder, &manifest, &facts, repo, catalog);
    let most = found.first().map_or(0, |(_, _, signs)| signs.len());
    let best_of_all = found.iter().filter(|(_, _, signs)| signs.len() == most);
    let mut tied: Vec<&str> = best_of_all.map(|(id, _, _)| *id).collect();
    if let Some(said) = config.answer("framework") {
        let recipe = catalog.frameworks.get_key_value(&said.value);
        let origin = vec![said.origin.clone()];
        found.clear();
        match recipe {
            Some((id, recipe)) => found.push((id, recipe, origin)),
            None if said.value == "none" => {}
            None => {
                let known = catalog.frameworks.keys().map(String::as_str);
                diagnostics.push(unknown("framework", said, known));
            }
        }
    }
    let mut found = found.into_iter();
    let framework = found.next().map(|(id, recipe, signs)| {
        evidence.extend(signs);
        (id, recipe)
    });
    let taken = framework.map_or("", |(id, _)| id);
    tied.retain(|id| *id != taken);
    // What it takes of its workspace is a part of it.
    let workspace = candidate.workspace.iter();
    let needed: Vec<&Project> = workspace.flat_map(|all| all.needed(folder)).collect();
    if needed.len() >= limits::NEEDED {
        let message = format!(
            "`{folder}` needs {} other projects of its workspace or more: further ones are not built with it",
            limits::NEEDED
        );
        diagnostics.push(Diagnostic::new(Severity::Warning, Code::TooLarge, message));
    }
    for project in needed {
        let folder = project.folder.as_str();
        manifest.take_in(reader.manifest(&[folder], id, stack).value);
        facts.take_in(reader.facts(folder, id, stack));
    }
    Warned {
        value: Selection {
            stack_id: id,
            stack,
            folder: folder.clone(),
            framework,
            evidence,
            runner_up: None,
            workspace: candidate.workspace.clone(),
            assets: Vec::new(),
            tied,
            config,
            manifest,
            facts,
        },
        diagnostics,
    }
}

/// The stacks that fit, best first.
fn candidates<'c>(
    reader: &Reader<'c>,
    steps: &[InstallStep],
    config: &Config,
) -> Vec<Candidate<'c>> {
    let (repo, catalog) = (reader.repo, reader.catalog);
    let mut candidates: Vec<Candidate<'c>> = Vec::new();
    let told = Told::new(steps, catalog);
    for (stack_id, stack) in &catalog.stacks {
        let told = told.of(stack);
        for folder in folders(repo, &stack.detect.files, catalog, config) {
            candidates.extend(candidate(repo, &told, stack_id, stack, folder));
        }
    }
    if documentation::may_all_document(&candidates, reader) {
        for (stack_id, stack) in &catalog.stacks {
            let patterns = &stack.detect.weak_files;
            let told = told.of(stack);
            for folder in folders(repo, patterns, catalog, config) {
                let found = candidate(repo, &told, stack_id, stack, folder);
                let is_new = |found: &Candidate<'_>| {
                    !candidates.iter().any(|known| {
                        known.stack_id == found.stack_id && known.folder == found.folder
                    })
                };
                candidates.extend(found.filter(is_new));
            }
        }
    }
    if candidates.is_empty() {
        candidates = run_by_documents(repo, steps, catalog);
    }
    // A special case takes the place of the stack that it refines, in the same folder.
    let mut refined: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for special in &candidates {
        let general = special.stack.refines.iter().map(String::as_str);
        let folder = refined.entry(special.folder.clone()).or_default();
        folder.extend(general);
    }
    candidates.retain(|candidate| {
        let refined = refined.get(&candidate.folder);
        !refined.is_some_and(|ids| ids.contains(candidate.stack_id))
    });
    candidates.sort_by(|a, b| {
        b.score
            .cmp(&a.score)
            .then_with(|| a.folder.cmp(&b.folder))
            .then_with(|| a.stack_id.cmp(b.stack_id))
    });
    candidates
}

/// What the steps of the documents say of stacks and folders.
struct Told<'s> {
    steps: &'s [InstallStep],
    /// The steps that run a tool, by its id.
    by_tool: BTreeMap<&'s str, Vec<usize>>,
    folders: BTreeSet<&'s str>,
}

/// What they say of one stack.
struct OfTools<'t> {
    /// The first step that runs a tool of it.
    first: Option<&'t InstallStep>,
    count: usize,
    /// Whether one of them runs at the top.
    at_top: bool,
    /// All folders in which something runs.
    folders: &'t BTreeSet<&'t str>,
}

impl<'s> Told<'s> {
    fn new(steps: &'s [InstallStep], catalog: &'s Catalog) -> Self {
        let mut by_tool: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (index, step) in steps.iter().enumerate() {
            if let Some((rule, _)) = rule(&step.words, catalog).0 {
                by_tool.entry(rule.tool).or_default().push(index);
            }
        }
        let folders = steps.iter().map(|step| step.context.directory.as_str());
        Self {
            steps,
            by_tool,
            folders: folders.collect(),
        }
    }

    fn of(&self, stack: &StackRecipe) -> OfTools<'_> {
        let tools: BTreeSet<&str> = stack.detect.tools.iter().map(String::as_str).collect();
        let of_tools = tools.into_iter().filter_map(|tool| self.by_tool.get(tool));
        let of_tools: BTreeSet<usize> = of_tools.flatten().copied().collect();
        let mut steps = of_tools.iter().map(|index| &self.steps[*index]);
        OfTools {
            count: of_tools.len(),
            first: steps.clone().next(),
            at_top: steps.any(|step| step.context.directory == "."),
            folders: &self.folders,
        }
    }
}

/// The stacks of files that documents run, where nothing else shows what the repository is.
fn run_by_documents<'c>(
    repo: &Repo,
    steps: &[InstallStep],
    catalog: &'c Catalog,
) -> Vec<Candidate<'c>> {
    let candidate = |(stack_id, stack): (&'c String, &'c StackRecipe)| {
        let patterns = stack.detect.run_files.iter();
        let files: BTreeSet<&str> = patterns.flat_map(|pattern| repo.glob(pattern)).collect();
        let step = steps.iter().find(|step| {
            let file = step.run_file(repo, catalog);
            file.is_some_and(|file| files.contains(file.as_str()))
        })?;
        Some(Candidate {
            score: 1,
            stack_id: stack_id.as_str(),
            stack,
            folder: ".".to_owned(),
            workspace: None,
            is_certain: false,
            evidence: vec![Origin::at(
                OriginKind::Readme,
                &step.source.path,
                step.source.line(step.span.start),
                &step.text,
            )],
        })
    };
    catalog.stacks.iter().filter_map(candidate).collect()
}

/// A stack that serves nothing gives way to one in the same folder that does: its manifest is there
/// for assets or for tools of development.
fn prefer_server(candidates: &mut [Candidate<'_>], reader: &Reader<'_>) {
    let unsettled = Config::default();
    // Without a framework a stack serves that starts in one way only; of the best one its own word
    // counts, too.
    let serves = |candidate: &Candidate<'_>, by_itself: bool| {
        let folders = [candidate.folder.as_str(), "."];
        let found = read(candidate, &folders, reader, &unsettled).value;
        let manifest = &found.manifest;
        // Code for browsers looks like a server's, so a stack that also builds assets must say more.
        let can_start = candidate.stack.assets.is_none()
            || manifest.scripts.contains_key("start")
            || manifest.main.is_some();
        match found.framework {
            Some((_, framework)) => !framework.serves_static,
            None => {
                candidate.stack.starts_by_itself() && !found.facts.files.is_empty()
                    || by_itself && can_start && found.facts.serves
            }
        }
    };
    let Some(best) = candidates.first() else {
        return;
    };
    let folder = best.folder.clone();
    let is_rival = |other: &Candidate<'_>| other.folder == folder && other.is_certain;
    if !candidates[1..].iter().any(is_rival) || serves(&candidates[0], true) {
        return;
    }
    let server = candidates
        .iter()
        .position(|other| is_rival(other) && serves(other, false));
    if let Some(server) = server {
        candidates[..=server].rotate_right(1);
    }
}

/// A front end gives way to the server in a folder around it whose source names what it builds:
/// documents often tell more of the front end.
fn prefer_server_around(candidates: &mut [Candidate<'_>], reader: &Reader<'_>) {
    let unsettled = Config::default();
    let read = |candidate| read(candidate, &[&candidate.folder], reader, &unsettled).value;
    let Some(best) = candidates.first() else {
        return;
    };
    let is_around = |other: &Candidate<'_>| repo::is_inside(&best.folder, &other.folder);
    if !candidates.iter().any(is_around) {
        return;
    }
    let front_end = read(best);
    if !front_end
        .framework
        .is_some_and(|(_, framework)| framework.serves_static)
    {
        return;
    }
    let server = candidates.iter().position(|other| {
        is_around(other) && other.is_certain && serves_output(&read(other), &front_end, reader.repo)
    });
    if let Some(server) = server {
        candidates[..=server].rotate_right(1);
    }
}

/// Folders with a file of `patterns`, the root first, at most three levels down.
fn folders(repo: &Repo, patterns: &[String], catalog: &Catalog, config: &Config) -> Vec<String> {
    let aside = catalog.list("folders", "no-application");
    let mut known = BTreeSet::from(["."]);
    let mut folders = vec![".".to_owned()];
    // A person may name a folder that is deep, or called `examples`.
    let settled = config.path.as_ref().map(|said| said.value.as_str());
    let settled = settled.filter(|folder| known.insert(folder));
    folders.extend(settled.map(str::to_owned));
    for pattern in patterns.iter().filter(|pattern| !pattern.contains('/')) {
        for path in repo.glob(&format!("**/{pattern}")) {
            let folder = repo::folder_of(path);
            let is_aside = folder
                .split('/')
                .any(|part| aside.contains(&part.to_ascii_lowercase()));
            if !is_aside && folder.matches('/').count() < 3 && known.insert(folder) {
                folders.push(folder.to_owned());
            }
        }
    }
    folders
}

fn candidate<'c>(
    repo: &Repo,
    told: &OfTools<'_>,
    stack_id: &'c str,
    stack: &'c StackRecipe,
    folder: String,
) -> Option<Candidate<'c>> {
    let mut evidence = Vec::new();
    let mut score = 0;
    let mut is_certain = false;
    let found = |patterns: &[String]| -> Option<String> {
        patterns.iter().find_map(|pattern| {
            repo.glob(&repo::join(&folder, pattern))
                .first()
                .map(|path| (*path).to_owned())
        })
    };
    let (only_with, unless) = (&stack.detect.only_with, &stack.detect.unless_files);
    let is_proof = |_: &String| {
        (only_with.is_empty() || found(only_with).is_some()) && found(unless).is_none()
    };
    if let Some(path) = found(&stack.detect.files).filter(is_proof) {
        score += 10;
        is_certain = true;
        evidence.push(Origin::manifest(path, format!("a file of {}", stack.title)));
    } else if let Some(path) = found(&stack.detect.weak_files) {
        score += 3;
        evidence.push(Origin::manifest(
            path,
            format!("looks like {}", stack.title),
        ));
    } else if let Some(origin) = texts(repo, &folder, &stack.detect.weak_text).next() {
        score += 3;
        evidence.push(origin);
    }
    if score == 0 {
        return None;
    }
    score -= i32::try_from(if folder == "." {
        0
    } else {
        1 + folder.matches('/').count()
    })
    .unwrap_or(9);
    if let Some(step) = told.first {
        score += 3;
        evidence.push(Origin::at(
            OriginKind::Readme,
            &step.source.path,
            step.source.line(step.span.start),
            &step.text,
        ));
        score += i32::try_from((told.count - 1).min(4)).unwrap_or(0);
    }
    let is_visited = match folder.as_str() {
        "." => told.at_top,
        _ => told.folders.contains(folder.as_str()),
    };
    if is_visited {
        score += 3;
    }
    Some(Candidate {
        score,
        stack_id,
        stack,
        folder,
        workspace: None,
        is_certain,
        evidence,
    })
}

/// Returns where the texts of `signs` stand in files of `folder`, the first place in each.
pub fn texts(repo: &Repo, folder: &str, signs: &[TextSign]) -> impl Iterator<Item = Origin> {
    signs.iter().flat_map(move |sign| {
        let paths = repo.glob(&repo::join(folder, &sign.file)).into_iter();
        paths.filter_map(move |path| {
            let source = repo.source(path)?;
            let at = source.text.find(&sign.has)?;
            let line = source.line(at);
            Some(Origin::at(OriginKind::Manifest, path, line, &sign.has))
        })
    })
}

/// A framework with its id and its signs.
type Found<'c> = (&'c str, &'c FrameworkRecipe, Vec<Origin>);

/// Returns the frameworks with signs that no other one refines, those with the most signs first.
fn frameworks<'c>(
    repo: &Repo,
    catalog: &'c Catalog,
    stack_id: &str,
    folder: &str,
    manifest: &Manifest,
    facts: &SourceFacts,
) -> Vec<Found<'c>> {
    let mut found: Vec<Found<'c>> = Vec::new();
    for (id, recipe) in catalog
        .frameworks
        .iter()
        .filter(|(_, recipe)| recipe.stacks.iter().any(|stack| stack == stack_id))
    {
        let mut signs = Vec::new();
        for name in &recipe.detect.packages {
            // A front end's build tool is declared for development.
            let package = manifest
                .packages
                .get(&manifest::normal_name(name))
                .filter(|package| !package.development || recipe.serves_static);
            if let Some(package) = package {
                signs.push(package.origin());
            }
        }
        for name in &recipe.detect.imports {
            if let Some((file, line)) = facts.imports.get(name) {
                signs.push(Origin::at(
                    OriginKind::Manifest,
                    file,
                    *line,
                    format!("imports {name}"),
                ));
            }
        }
        for pattern in &recipe.detect.files {
            if let Some(path) = repo.glob(&repo::join(folder, pattern)).first() {
                signs.push(Origin::manifest(
                    *path,
                    format!("a file of {}", recipe.title),
                ));
            }
        }
        signs.extend(texts(repo, folder, &recipe.detect.text));
        let only_with = &recipe.detect.only_with;
        let is_there = |pattern: &String| !repo.glob(&repo::join(folder, pattern)).is_empty();
        if !signs.is_empty() && (only_with.is_empty() || only_with.iter().any(is_there)) {
            found.push((id, recipe, signs));
        }
    }
    let refined: Vec<String> = found
        .iter()
        .flat_map(|(_, recipe, _)| recipe.refines.clone())
        .collect();
    found.retain(|(id, _, _)| !refined.iter().any(|refined| refined == id));
    found.sort_by(|a, b| b.2.len().cmp(&a.2.len()).then_with(|| b.0.cmp(a.0)));
    found
}

/// Puts first what a person settled: the folder, the stack.
fn settle<'c>(
    candidates: &mut Vec<Candidate<'c>>,
    repo: &Repo,
    catalog: &'c Catalog,
    config: &Config,
    diagnostics: &mut Vec<Diagnostic>,
) {
    if let Some(said) = &config.path {
        candidates.retain(|candidate| candidate.folder == said.value);
        for candidate in candidates.iter_mut() {
            candidate.evidence.push(said.origin.clone());
        }
        if !repo.has_folder(&said.value) {
            let message = format!(
                "`{}` names the folder `{}`, which holds no file",
                said.origin.place(),
                said.value
            );
            diagnostics.push(
                Diagnostic::new(Severity::Error, Code::Configuration, message)
                    .hint("write the folder as it is called in the repository"),
            );
        }
    }
    let Some(said) = config.answer("stack") else {
        return;
    };
    let Some((stack_id, stack)) = catalog.stacks.get_key_value(&said.value) else {
        let known = catalog.stacks.keys().map(String::as_str);
        diagnostics.push(unknown("stack", said, known));
        return;
    };
    let at = candidates
        .iter()
        .position(|candidate| candidate.stack_id == stack_id);
    let mut settled = match at {
        Some(at) => candidates.remove(at),
        // A person knows better than the files that we look for.
        None => Candidate {
            score: 0,
            is_certain: true,
            stack_id,
            stack,
            folder: config
                .path
                .as_ref()
                .map_or(".", |said| &said.value)
                .to_owned(),
            workspace: None,
            evidence: Vec::new(),
        },
    };
    settled.evidence.push(said.origin.clone());
    candidates.insert(0, settled);
}

fn unknown<'k>(
    what: &str,
    said: &Said<String>,
    known: impl Iterator<Item = &'k str>,
) -> Diagnostic {
    let message = format!(
        "`{}` says {what} `{}`, which no recipe is called",
        said.origin.place(),
        said.value
    );
    let diagnostic = Diagnostic::new(Severity::Error, Code::Configuration, message);
    match nearest(&said.value, known) {
        Some(near) => diagnostic.hint(format!("did you mean `{near}`?")),
        None => diagnostic.hint("`longshore recipes list` names them all"),
    }
}

fn nothing_found(repo: &Repo, catalog: &Catalog) -> Diagnostic {
    let files: Vec<&str> = repo.files().collect();
    if files
        .iter()
        .all(|path| repo::file_name(path).starts_with('.'))
    {
        return Diagnostic::new(
            Severity::Error,
            Code::EmptyRepository,
            "the folder holds no file that longshore may read",
        )
        .hint("name the folder with the application's source");
    }
    let wanted: Vec<String> = catalog
        .stacks
        .values()
        .map(|stack| {
            format!(
                "{} ({})",
                stack.title,
                stack
                    .detect
                    .files
                    .iter()
                    .chain(&stack.detect.weak_files)
                    .chain(&stack.detect.run_files)
                    .take(3)
                    .cloned()
                    .collect::<Vec<_>>()
                    .join(", ")
            )
        })
        .collect();
    let mut endings: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
    for path in &files {
        if let Some((_, ending)) = repo::file_name(path).rsplit_once('.') {
            *endings.entry(ending).or_default() += 1;
        }
    }
    let most = endings.iter().max_by_key(|(_, count)| **count);
    let nearest = most.map_or_else(
        || {
            format!(
                "nearest: {} files without an ending that tells a language",
                files.len()
            )
        },
        |(ending, count)| {
            format!(
                "nearest: {count} of {} files end in `.{ending}`",
                files.len()
            )
        },
    );
    Diagnostic::new(
        Severity::Error,
        Code::NoStack,
        "no recipe recognises this application",
    )
    .hint(format!("looked for {}", wanted.join("; ")))
    .hint(nearest)
    .hint("name the folder of the application, or add a recipe of your own with `--recipes DIR`")
}
