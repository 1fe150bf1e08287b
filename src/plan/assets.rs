//! Stages that build a front end, or assets, for a component.

use super::{
    AssetStage, BuildPlace, Command, commands, image, input::Input, install, ledger::Ledger,
    packages, runtime, settled, variables, workspace::is_built_along,
};
use crate::{
    diagnostic::Diagnostic,
    manifest::site::Site,
    readme::Document,
    recipe::Catalog,
    repo::{self, Repo},
    select::Selection,
    step::{InstallStep, rule},
};

/// Returns the stage for `selection`, with the steps of the documents that are about it.
pub fn stage(
    repo: &Repo,
    documents: &[Document],
    selection: &Selection<'_>,
    catalog: &Catalog,
    ledger: &mut Ledger<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) -> AssetStage {
    let scope = ledger.scope();
    let is_own = |step: &InstallStep| {
        let tool = rule(&step.words, catalog).0.map(|(found, _)| found.tool);
        let tools = &selection.stack.detect.tools;
        let folder = &selection.folder;
        let place = repo::join(".", &step.context.directory);
        let is_here = folder == "." || place == *folder || place.starts_with(&format!("{folder}/"));
        is_here && tool.is_some_and(|tool| tools.iter().any(|known| known == tool))
    };
    ledger.narrow(is_own);
    let site = Site::default();
    let values = variables::variables(
        repo,
        documents,
        selection,
        &selection.folder,
        &site,
        ledger.steps,
    );
    let input = Input {
        repo,
        documents,
        selection,
        catalog,
        directory: &selection.folder,
        variables: &values,
        copied: &[],
        created: &[],
        site: &site,
    };
    let (runtime, base) = runtime::runtime(
        selection,
        repo,
        documents,
        ledger.steps,
        catalog,
        diagnostics,
    );
    let installs = install::install(&input, ledger, diagnostics);
    let mut builds = commands::build_commands(&input, ledger);
    builds.retain(|command| command.directory == selection.folder);
    if builds.is_empty() {
        builds.extend(script(&input));
    }
    let build: Vec<Command> = installs.late.iter().cloned().chain(builds).collect();
    let layout = image::image(&input, &base, &installs);
    let (packages, _) =
        packages::system_packages(&input, &runtime, &base.suite, &[], ledger, diagnostics);
    ledger.restore(scope);
    let mut place = BuildPlace::default();
    settled::place(&mut place, &runtime.name, selection.config, catalog);
    AssetStage {
        place,
        path: selection.folder.clone(),
        stack: selection.stack_id.to_owned(),
        runtime,
        build_from: layout.build_from,
        env: layout.build_env,
        packages: packages.build,
        manifests: layout.manifests,
        caches: layout.caches,
        install: installs.early,
        build,
        remove: selection
            .stack
            .assets
            .as_ref()
            .map(|assets| assets.remove.clone())
            .unwrap_or_default(),
        origin: selection.evidence.clone(),
    }
}

/// The script that builds assets, by its name.
fn script(input: &Input<'_, '_>) -> Option<Command> {
    let selection = input.selection;
    let assets = selection.stack.assets.as_ref()?;
    let (name, fact) = assets
        .scripts
        .iter()
        .find_map(|name| selection.manifest.scripts.get_key_value(name))?;
    Some(Command::new(
        assets.command.replace("{script}", name),
        &selection.folder,
        vec![fact.origin()],
    ))
}

/// Returns whether `command` runs a script that builds what a stage of its own has built already.
pub fn builds_again(command: &Command, input: &Input<'_, '_>) -> bool {
    let selection = input.selection;
    let script = command
        .command
        .split_whitespace()
        .last()
        .and_then(|name| selection.manifest.scripts.get(name));
    let names = |assets: &Selection<'_>| {
        let folder = assets
            .folder
            .strip_prefix(&selection.folder)
            .unwrap_or(&assets.folder);
        let folder = folder.trim_start_matches('/');
        let mut words = script.iter().flat_map(|script| {
            script
                .value
                .split(|c: char| !c.is_alphanumeric() && !matches!(c, '-' | '_' | '/'))
        });
        !folder.is_empty() && words.any(|word| word.trim_matches('/') == folder)
    };
    let mut staged = selection.assets.iter();
    staged.any(|assets| !is_built_along(assets, selection) && names(assets))
}
