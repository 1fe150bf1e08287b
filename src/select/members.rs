//! Which projects of a workspace are components: those that its start leads to, or each that is an
//! application.

use std::{collections::BTreeSet, sync::Arc};

use super::{Candidate, Selection, read, serves_output, visited};
use crate::{
    config::Config,
    manifest::{Reader, workspace::Workspace},
    recipe::{Catalog, Does},
    repo::Repo,
    step::{Action, Following, InstallStep, Purpose, Reach},
};

/// What a command does that keeps something running.
const STARTS: [Does; 2] = [Does::Start, Does::Process];

/// Leaves only those projects of `workspaces` among `candidates` that run by themselves, and front
/// ends that one of them serves; returns the folders of the members that do.
pub(super) fn only_running<'c>(
    candidates: &mut Vec<Candidate<'c>>,
    workspaces: &[Arc<Workspace>],
    reader: &Reader<'c>,
    steps: &[InstallStep],
) -> BTreeSet<String> {
    let mut running = BTreeSet::new();
    for workspace in workspaces {
        let top = &workspace.top.folder;
        // Beside an application of another stack the manifest is there for its assets.
        let is_foreign = |other: &Candidate<'_>| {
            other.is_certain && other.folder == *top && other.stack_id != workspace.stack_id
        };
        if !candidates.iter().any(is_foreign) {
            running.extend(of_one(candidates, workspace, reader, steps));
        }
    }
    running
}

/// A member with what was read of it.
struct Member<'c> {
    selection: Selection<'c>,
    is_application: bool,
    is_needed: bool,
}

fn of_one<'c>(
    candidates: &mut Vec<Candidate<'c>>,
    workspace: &Arc<Workspace>,
    reader: &Reader<'c>,
    steps: &[InstallStep],
) -> BTreeSet<String> {
    let (repo, catalog) = (reader.repo, reader.catalog);
    let unsettled = Config::default();
    let visited = visited(steps);
    let members: Vec<Member<'_>> = candidates
        .iter()
        .filter(|candidate| is_member(candidate, workspace))
        .map(|candidate| {
            let found = read(candidate, &[&candidate.folder], reader, &unsettled).value;
            member(found, workspace, &visited, catalog)
        })
        .collect();
    let reach = start(workspace, repo, steps, catalog);
    let top = &workspace.top.folder;
    let serves = |server: &Member<'_>, other: &Member<'_>| {
        other.selection.serves_static()
            && !server.selection.serves_static()
            && serves_output(&server.selection, &other.selection, repo)
    };
    // A front end that others need is served by one of them, or a library with a page to show it.
    let runs = |member: &Member<'_>| {
        let is_served = || members.iter().any(|server| serves(server, member));
        member.is_application
            && (!member.is_needed || member.selection.serves_static() && is_served())
    };
    let only = match (reach.several, reach.folders.first()) {
        (false, Some(folder)) if reach.folders.len() == 1 => Some(folder),
        _ => None,
    };
    let only = only.and_then(|folder| {
        let mut members = members.iter();
        members.find(|member| member.selection.folder == *folder)
    });
    let is_itself = reach.folders.contains(top)
        || reach == Reach::default() && has_framework(candidates, workspace, reader);
    let kept: Vec<&Member<'_>> = match only {
        Some(only) => {
            let front_ends = members.iter().filter(|other| serves(only, other));
            std::iter::once(only).chain(front_ends).collect()
        }
        None => members.iter().filter(|member| runs(member)).collect(),
    };
    let mut kept: Vec<(bool, String)> = kept
        .into_iter()
        .map(|member| {
            (
                member.selection.serves_static(),
                member.selection.folder.clone(),
            )
        })
        .collect();
    // What tells of all of them belongs to a server rather than to a front end.
    kept.sort_by_key(|(is_static, _)| *is_static);
    if kept.is_empty() && !is_itself {
        return BTreeSet::new();
    }
    let first = candidates
        .iter()
        .position(|candidate| is_project(candidate, workspace));
    let (mut projects, others): (Vec<Candidate<'_>>, Vec<Candidate<'_>>) = candidates
        .drain(..)
        .partition(|candidate| is_project(candidate, workspace));
    projects.retain(|project| {
        is_itself && project.folder == *top
            || kept.iter().any(|(_, folder)| *folder == project.folder)
    });
    projects.sort_by_key(|project| {
        let place = kept
            .iter()
            .position(|(_, folder)| *folder == project.folder);
        place.map_or(0, |place| place + 1)
    });
    candidates.extend(others);
    let first = first.unwrap_or(0).min(candidates.len());
    candidates.splice(first..first, projects);
    kept.into_iter().map(|(_, folder)| folder).collect()
}

fn is_project(candidate: &Candidate<'_>, workspace: &Workspace) -> bool {
    candidate.stack_id == workspace.stack_id && workspace.project(&candidate.folder).is_some()
}

fn is_member(candidate: &Candidate<'_>, workspace: &Workspace) -> bool {
    is_project(candidate, workspace)
        && candidate.is_certain
        && candidate.folder != workspace.top.folder
}

fn member<'c>(
    selection: Selection<'c>,
    workspace: &Workspace,
    visited: &BTreeSet<&str>,
    catalog: &Catalog,
) -> Member<'c> {
    let project = workspace.project(&selection.folder);
    let scripts = project.map(|project| &project.scripts);
    let starts = catalog.list("scripts", "start").iter();
    let mut starts = starts.filter(|name| scripts.is_some_and(|all| all.contains_key(*name)));
    let can_start = starts.next().is_some();
    let is_needed = !can_start && project.is_some_and(|project| workspace.is_declared(project));
    let stays_up = selection.facts.serves || visited.contains(selection.folder.as_str());
    let is_application = selection.framework.is_some()
        || !selection.manifest.processes.is_empty()
        || can_start && stays_up;
    Member {
        is_application,
        is_needed,
        selection,
    }
}

/// Whether what lies at the top is an application of a framework that only it declares.
fn has_framework(candidates: &[Candidate<'_>], workspace: &Workspace, reader: &Reader<'_>) -> bool {
    let unsettled = Config::default();
    let top = candidates.iter().find(|candidate| {
        candidate.folder == workspace.top.folder && is_project(candidate, workspace)
    });
    top.is_some_and(|top| {
        let found = read(top, &[&top.folder], reader, &unsettled).value;
        found.framework.is_some()
    })
}

/// What the documents' start leads to; where they have none, the scripts at the top.
fn start(
    workspace: &Arc<Workspace>,
    repo: &Repo,
    steps: &[InstallStep],
    catalog: &Catalog,
) -> Reach {
    let following = Following {
        workspaces: std::slice::from_ref(workspace),
        repo,
        catalog,
    };
    let mut reach = Reach::default();
    let is_start = |name: &str| {
        let has = |list: &str| catalog.has_part("scripts", list, name, &[':', '-', '_']);
        (has("start") || has("development")) && !has("test")
    };
    for step in steps {
        let context = &step.context;
        let is_meant = match &step.action {
            Action::Script(name) => is_start(name),
            Action::Start => true,
            _ => false,
        };
        let is_here = workspace.project(&context.directory).is_some();
        if is_meant && is_here && context.platform.is_none() && context.purpose != Purpose::Test {
            following.words(&step.words, &context.directory, &STARTS, &mut reach);
        }
    }
    if reach == Reach::default() {
        let top = &workspace.top;
        for list in ["start", "development"] {
            for name in catalog.list("scripts", list) {
                following.script(name, &top.folder, &STARTS, &mut reach);
            }
        }
    }
    reach
}
