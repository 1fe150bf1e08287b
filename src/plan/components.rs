//! Several components of one repository: which of them a folder belongs to, how they are called,
//! and how one finds the other.

use super::{Component, EnvKind, Origin, joined_name, name::slug};
use crate::{output::OutputPath, repo, select::Selection};

/// Returns the index of the component that `folder` belongs to: the deepest that holds it, else the
/// first. What is built for a component belongs to it.
pub fn owner(selections: &[Selection<'_>], folder: &str) -> usize {
    let depth_in = |place: &str| {
        let is_in = place == folder
            || place == "."
            || folder
                .strip_prefix(place)
                .is_some_and(|rest| rest.starts_with('/'));
        is_in.then(|| if place == "." { 0 } else { place.len() })
    };
    let depth = |selection: &Selection<'_>| {
        let own = depth_in(&selection.folder);
        let assets = selection
            .assets
            .iter()
            .filter_map(|assets| depth_in(&assets.folder));
        own.into_iter().chain(assets).max()
    };
    let found = selections
        .iter()
        .enumerate()
        .filter_map(|(index, selection)| Some((depth(selection)?, std::cmp::Reverse(index))))
        .max();
    found.map_or(0, |(_, std::cmp::Reverse(index))| index)
}

/// Returns the id of component `index`: `web` for the only one and for one at the top, else its
/// folder's name, with the folder above where two are called alike.
pub fn id(selections: &[Selection<'_>], index: usize) -> String {
    let folder = selections[index].folder.as_str();
    let is_alone = selections.len() == 1;
    let short = |folder: &str| slug(repo::file_name(folder));
    let id = match folder {
        _ if is_alone => String::new(),
        "." => String::new(),
        folder => {
            let is_taken = selections
                .iter()
                .any(|other| other.folder != folder && short(&other.folder) == short(folder));
            if is_taken {
                slug(folder)
            } else {
                short(folder)
            }
        }
    };
    if id.is_empty() { "web".to_owned() } else { id }
}

/// Lets each component of `name` work beside the others: an address of another one on the
/// developer's machine becomes its name, files that longshore writes get a folder for each, and a
/// component in a folder of its own is built from this folder.
pub fn join(name: &str, components: &mut [Component]) {
    if components.len() < 2 {
        return;
    }
    let addresses: Vec<(String, u16, Vec<Origin>)> = components
        .iter()
        .filter_map(|component| {
            let port = component.main_port()?;
            let host = joined_name(name, &component.id);
            Some((host, port.port, port.origin.clone()))
        })
        .collect();
    for component in components {
        let own = joined_name(name, &component.id);
        let image = &mut component.image;
        for file in image.extra_files.iter_mut().chain(&mut image.source_files) {
            let inside = file.path.strip_prefix("container/");
            let own = inside.map(|inside| format!("container/{}/{inside}", component.id));
            if let Some(own) = own.and_then(|own| OutputPath::parse(&own).ok()) {
                file.path = own;
            }
        }
        if is_on_its_own(component) {
            component.image.source.clone_from(&component.path);
        }
        let settings = component
            .env
            .iter_mut()
            .filter(|var| var.kind == EnvKind::Config);
        for var in settings {
            for (host, port, origin) in addresses.iter().filter(|(host, _, _)| *host != own) {
                let Some(value) = var
                    .default
                    .as_ref()
                    .and_then(|value| elsewhere(value, host, *port))
                else {
                    continue;
                };
                var.default = Some(value.clone());
                for of_environment in var.values.values_mut() {
                    if let Some(value) = elsewhere(of_environment, host, *port) {
                        *of_environment = value;
                    }
                }
                var.origin.extend(origin.iter().cloned());
            }
        }
    }
}

/// `value`, an address of `port` on this machine, as an address of `host`.
fn elsewhere(value: &str, host: &str, port: u16) -> Option<String> {
    let address = ["localhost", "127.0.0.1"]
        .iter()
        .map(|own| format!("{own}:{port}"))
        .find(|own| value == own || value.contains(&format!("//{own}")))?;
    let after = value.split(&address).nth(1)?;
    let is_whole = !after.starts_with(|c: char| c.is_ascii_digit());
    is_whole.then(|| value.replace(&address, &format!("{host}:{port}")))
}

/// Whether nothing that builds the component lies outside its folder.
fn is_on_its_own(component: &Component) -> bool {
    let inside = |path: &str| {
        let rest = path.strip_prefix(component.path.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let mut commands = component.install.iter().chain(&component.build);
    component.path != "."
        && component.assets.is_empty()
        && component.image.manifests.iter().all(|path| inside(path))
        && component
            .files
            .iter()
            .all(|file| inside(&file.from) && inside(&file.to))
        && commands.all(|command| inside(&command.directory) && !command.command.contains("../"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_on_this_machine_becomes_the_name_of_the_other() {
        let moved = |value: &str| elsewhere(value, "shop-api", 5000);
        assert_eq!(
            moved("http://localhost:5000/v1").as_deref(),
            Some("http://shop-api:5000/v1")
        );
        assert_eq!(moved("127.0.0.1:5000").as_deref(), Some("shop-api:5000"));
        assert_eq!(moved("http://localhost:50001"), None);
        assert_eq!(moved("http://localhost:3000"), None);
    }
}
