//! Applications whose program is a script that documents run by its path.

use super::ledger::Ledger;
use crate::{
    recipe::Catalog,
    repo::{self, Repo},
    select::Selection,
    step::{Action, InstallStep, Purpose},
};

/// What a name in a script's arguments says that it does: nothing that stays up.
const CONTROLS: &str = "controls";

/// Lets the step that runs the program start it, where no step is known to. Elsewhere a script is a
/// list of commands for an image; here it is the application.
pub fn start_by_file(
    repo: &Repo,
    selection: &Selection<'_>,
    catalog: &Catalog,
    ledger: &mut Ledger<'_>,
) {
    if selection.stack.detect.run_files.is_empty() {
        return;
    }
    let is_source = |file: &String| selection.facts.files.contains(file);
    let mut found: Vec<(Rank, usize, String)> = Vec::new();
    for (index, step) in ledger.steps.iter().enumerate() {
        let is_for_debian = step.context.platform.is_none();
        let Some(file) = step.run_file(repo, catalog).filter(is_source) else {
            continue;
        };
        // What a script of the documents runs is that script's.
        let is_inside = is_source(&step.source.path);
        if !is_for_debian || is_inside || step.context.purpose == Purpose::Test {
            continue;
        }
        if let Some(rank) = rank(step, &file, repo, selection, catalog) {
            found.push((rank, index, file));
        }
    }
    let Some((_, index, file)) = found.into_iter().min() else {
        return;
    };
    ledger.start_by_file(index, &file);
}

/// Order of scripts that may be the program: those that stay up first, then those that are named
/// after it, those that are told least, and by the purpose of the section.
type Rank = (bool, bool, usize, u8);

/// The rank of `step`, which runs `file`; none for a script that only installs, builds or prepares.
fn rank(
    step: &InstallStep,
    file: &str,
    repo: &Repo,
    selection: &Selection<'_>,
    catalog: &Catalog,
) -> Option<Rank> {
    let stack = selection.stack;
    let source = repo.source(file)?;
    let stem = repo::file_name(file).split('.').next().unwrap_or_default();
    let stem = stem.to_lowercase();
    let is = |list: &str, name: &str| catalog.has_part("scripts", list, name, &['-', '_']);
    let mut pieces = stack.serves.iter().chain(&stack.stays_up);
    let stays_up = pieces.any(|piece| source.text.contains(piece.as_str()));
    let is_named = ["start", "worker"].iter().any(|list| is(list, &stem));
    let is_about_image = ["prepare", "build", "test", "install"]
        .iter()
        .any(|list| is(list, &stem));
    let arguments = step
        .words
        .iter()
        .skip_while(|word| !word.ends_with(repo::file_name(file)));
    let arguments: Vec<&String> = arguments.skip(1).collect();
    let controls = arguments.iter().any(|word| is(CONTROLS, word));
    let purpose = match step.context.purpose {
        Purpose::Install => 0,
        Purpose::Development | Purpose::OtherWay => 1,
        Purpose::Usage | Purpose::Test => 2,
    };
    let is_program = step.action == Action::Start || stays_up || !is_about_image;
    (is_program && !controls).then_some((!stays_up, !is_named, arguments.len(), purpose))
}
