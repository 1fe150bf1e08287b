//! Facts, steps and catalogue → which recipes fit the repository, and why.

use crate::{
    diagnostic::{Code, Diagnostic, Severity, Warned},
    manifest::{self, Manifest, SourceFacts},
    origin::{Origin, OriginKind},
    recipe::{Catalog, FrameworkRecipe, StackRecipe},
    repo::{self, Repo},
    step::{InstallStep, rule},
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
    /// What the manifests say.
    pub manifest: Manifest,
    /// What the source code says.
    pub facts: SourceFacts,
}

/// A stack that may fit.
struct Candidate<'c> {
    score: i32,
    stack_id: &'c str,
    stack: &'c StackRecipe,
    folder: String,
    evidence: Vec<Origin>,
}

/// Returns the selection, or `None` with a diagnostic that says what was looked for.
pub fn selection<'c>(
    repo: &Repo,
    steps: &[InstallStep],
    catalog: &'c Catalog,
) -> Warned<Option<Selection<'c>>> {
    let mut candidates: Vec<Candidate<'c>> = Vec::new();
    for (stack_id, stack) in &catalog.stacks {
        for folder in folders(repo, &stack.detect.files, catalog) {
            candidates.extend(candidate(repo, steps, catalog, stack_id, stack, folder));
        }
    }
    if candidates.is_empty() {
        for (stack_id, stack) in &catalog.stacks {
            for folder in folders(repo, &stack.detect.weak_files, catalog) {
                candidates.extend(candidate(repo, steps, catalog, stack_id, stack, folder));
            }
        }
    }
    // A special case takes the place of the stack that it refines, in the same folder.
    let refined: Vec<(String, String)> = candidates
        .iter()
        .flat_map(|special| {
            special
                .stack
                .refines
                .iter()
                .map(|general| (general.clone(), special.folder.clone()))
        })
        .collect();
    candidates.retain(|candidate| {
        !refined
            .iter()
            .any(|(id, folder)| id == candidate.stack_id && *folder == candidate.folder)
    });
    candidates.sort_by(|a, b| {
        b.score
            .cmp(&a.score)
            .then_with(|| a.folder.cmp(&b.folder))
            .then_with(|| a.stack_id.cmp(b.stack_id))
    });

    prefer_server(&mut candidates, repo, catalog);
    let mut diagnostics = Vec::new();
    let mut rest = candidates.into_iter();
    let Some(best) = rest.next() else {
        diagnostics.push(nothing_found(repo, catalog));
        return Warned {
            value: None,
            diagnostics,
        };
    };
    let runner_up =
        rest.find(|other| other.stack_id != best.stack_id && other.score + 4 > best.score);
    let runner_up = runner_up.map(|other| (other.stack_id.to_owned(), other.folder));
    let manifest =
        manifest::manifest(repo, &best.folder, best.stack, catalog).unpack(&mut diagnostics);
    let facts = manifest::source_facts(repo, &best.folder, best.stack, catalog);
    let mut evidence = best.evidence;
    let framework = framework(
        repo,
        catalog,
        best.stack_id,
        &best.folder,
        &manifest,
        &facts,
        &mut evidence,
    );
    let selection = Selection {
        stack_id: best.stack_id,
        stack: best.stack,
        folder: best.folder,
        framework,
        evidence,
        runner_up,
        manifest,
        facts,
    };
    Warned {
        value: Some(selection),
        diagnostics,
    }
}

/// A stack that only builds a front end gives way to one in the same folder that serves: its package
/// manifest is there for the assets.
fn prefer_server(candidates: &mut [Candidate<'_>], repo: &Repo, catalog: &Catalog) {
    let serves = |candidate: &Candidate<'_>| {
        let manifest = manifest::manifest(repo, &candidate.folder, candidate.stack, catalog).value;
        let facts = manifest::source_facts(repo, &candidate.folder, candidate.stack, catalog);
        let found = framework(
            repo,
            catalog,
            candidate.stack_id,
            &candidate.folder,
            &manifest,
            &facts,
            &mut Vec::new(),
        );
        found.is_some_and(|(_, framework)| !framework.serves_static)
    };
    let Some(best) = candidates.first() else {
        return;
    };
    let (folder, score) = (best.folder.clone(), best.score);
    let is_rival = |other: &Candidate<'_>| other.folder == folder && other.score + 6 > score;
    if !candidates[1..].iter().any(is_rival) || serves(&candidates[0]) {
        return;
    }
    let server = candidates
        .iter()
        .position(|other| is_rival(other) && serves(other));
    if let Some(server) = server {
        candidates[..=server].rotate_right(1);
    }
}

/// Folders with a file of `patterns`, the root first, at most three levels down.
fn folders(repo: &Repo, patterns: &[String], catalog: &Catalog) -> Vec<String> {
    let aside = catalog.list("folders", "no-application");
    let mut folders = vec![".".to_owned()];
    for pattern in patterns.iter().filter(|pattern| !pattern.contains('/')) {
        for path in repo.glob(&format!("**/{pattern}")) {
            let folder = repo::folder_of(path);
            let is_aside = folder
                .split('/')
                .any(|part| aside.contains(&part.to_ascii_lowercase()));
            if !is_aside
                && folder.matches('/').count() < 3
                && !folders.iter().any(|known| known == folder)
            {
                folders.push(folder.to_owned());
            }
        }
    }
    folders
}

fn candidate<'c>(
    repo: &Repo,
    steps: &[InstallStep],
    catalog: &Catalog,
    stack_id: &'c str,
    stack: &'c StackRecipe,
    folder: String,
) -> Option<Candidate<'c>> {
    let mut evidence = Vec::new();
    let mut score = 0;
    let found = |patterns: &[String]| -> Option<String> {
        patterns.iter().find_map(|pattern| {
            repo.glob(&repo::join(&folder, pattern))
                .first()
                .map(|path| (*path).to_owned())
        })
    };
    if let Some(path) = found(&stack.detect.files) {
        score += 10;
        evidence.push(Origin::manifest(path, format!("a file of {}", stack.title)));
    } else if let Some(path) = found(&stack.detect.weak_files) {
        score += 3;
        evidence.push(Origin::manifest(
            path,
            format!("looks like {}", stack.title),
        ));
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
    let of_tools: Vec<&InstallStep> = steps
        .iter()
        .filter(|step| {
            let tool = rule(&step.words, catalog).0.map(|(rule, _)| rule.tool);
            tool.is_some_and(|tool| stack.detect.tools.iter().any(|known| known == tool))
        })
        .collect();
    if let Some(step) = of_tools.first() {
        score += 3;
        evidence.push(Origin::at(
            OriginKind::Readme,
            &step.source.path,
            step.source.line(step.span.start),
            &step.text,
        ));
        score += i32::try_from((of_tools.len() - 1).min(4)).unwrap_or(0);
    }
    let is_here = |step: &&InstallStep| step.context.directory == folder;
    let is_visited = match folder.as_str() {
        "." => of_tools.iter().any(is_here),
        _ => steps.iter().any(|step| is_here(&step)),
    };
    if is_visited {
        score += 3;
    }
    Some(Candidate {
        score,
        stack_id,
        stack,
        folder,
        evidence,
    })
}

fn framework<'c>(
    repo: &Repo,
    catalog: &'c Catalog,
    stack_id: &str,
    folder: &str,
    manifest: &Manifest,
    facts: &SourceFacts,
    evidence: &mut Vec<Origin>,
) -> Option<(&'c str, &'c FrameworkRecipe)> {
    let mut found: Vec<(&str, &FrameworkRecipe, Vec<Origin>)> = Vec::new();
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
                .get(name)
                .filter(|package| !package.development || recipe.serves_static);
            if let Some(package) = package {
                let text = format!("{}{}", package.name, package.requirement);
                signs.push(Origin::at(
                    OriginKind::Manifest,
                    &package.file,
                    package.line,
                    text,
                ));
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
        for sign in &recipe.detect.text {
            for path in repo.glob(&repo::join(folder, &sign.file)) {
                let Some(source) = repo.source(path) else {
                    continue;
                };
                if let Some(at) = source.text.find(&sign.has) {
                    let origin = Origin::at(OriginKind::Manifest, path, source.line(at), &sign.has);
                    signs.push(origin);
                }
            }
        }
        if !signs.is_empty() {
            found.push((id, recipe, signs));
        }
    }
    let refined: Vec<&String> = found
        .iter()
        .flat_map(|(_, recipe, _)| &recipe.refines)
        .collect();
    let left: Vec<_> = found
        .iter()
        .filter(|(id, _, _)| !refined.iter().any(|refined| refined == id))
        .collect();
    let (id, recipe, signs) = left.into_iter().max_by_key(|(_, _, signs)| signs.len())?;
    evidence.extend(signs.iter().cloned());
    Some((id, recipe))
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
