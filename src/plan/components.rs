//! Several components of one repository: which of them a folder belongs to, how they are called,
//! and how one finds the other.

use std::collections::{BTreeMap, BTreeSet};

use super::{Component, EnvKind, Origin, joined_name};
use crate::{
    name::{Label, Taken, slug},
    output::OutputPath,
    repo,
    select::Selection,
};

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

/// The most characters of a component's id.
const ID: usize = 40;

/// Names everything of `components`, and returns the name of the application, which is `name` unless a
/// service is called so. No two services of compose.yaml and no two objects of Kubernetes then have one
/// name, and nobody's label finds the pods of another.
pub fn name(name: &str, components: &mut [Component], selections: &[Selection<'_>]) -> String {
    let services = components.iter().flat_map(|component| &component.services);
    let services: BTreeSet<String> = services
        .flat_map(|service| [service.kind.as_str(), service.host_name()])
        .map(str::to_owned)
        .collect();
    let mut taken = Taken::default();
    for service in &services {
        taken.keep(service.as_str());
    }
    let apart = |wish: String| match services.contains(&wish) {
        true => format!("{wish}-app"),
        false => wish,
    };
    let wishes: Vec<String> = wishes(selections).into_iter().map(apart).collect();
    for (component, wish) in components.iter_mut().zip(&wishes) {
        name_roles(component, wish, taken.clone());
    }
    if let [only] = components {
        let roles = roles(only);
        let objects = |name: &str| roles.iter().map(|role| joined_name(name, role)).collect();
        let services = |id: &str| roles.iter().map(|role| format!("{id}-{role}")).collect();
        let id: Label<ID> = taken.clone().label_with(&wishes[0], &wishes[0], services);
        let app: Label<ID> = taken.label_with(&apart(name.to_owned()), name, objects);
        only.id = id.to_string();
        return app.to_string();
    }
    // A folder that is called as its id is keeps it, whatever the order is.
    let mut order: Vec<usize> = (0..components.len()).collect();
    order.sort_by_key(|index| {
        let (folder, wish) = (&selections[*index].folder, &wishes[*index]);
        repo::file_name(folder) != wish && folder.replace('/', "-") != *wish
    });
    for index in order {
        let roles = roles(&components[index]);
        let own = |id: &str| {
            let services = roles.iter().map(|role| format!("{id}-{role}"));
            let object = joined_name(name, id);
            let objects: Vec<String> = roles
                .iter()
                .map(|role| joined_name(&object, role))
                .collect();
            services.chain(objects).chain([object]).collect()
        };
        let folder = &selections[index].folder;
        let id: Label<ID> = taken.label_with(&wishes[index], folder, own);
        components[index].id = id.to_string();
    }
    name.to_owned()
}

/// What runs beside a component's application, each with a service and an object of its own.
fn roles(component: &Component) -> Vec<String> {
    let processes = component.processes.iter().map(|process| &process.id);
    let schedules = component.schedules.iter().map(|schedule| &schedule.id);
    let prepare = (!component.prepare.is_empty()).then(|| "prepare".to_owned());
    processes.chain(schedules).cloned().chain(prepare).collect()
}

/// Gives the processes of `component`, which is to be called `id`, names that are none of `taken`, nor of
/// anything else in their pod.
fn name_roles(component: &mut Component, id: &str, mut taken: Taken) {
    taken.keep(id);
    if !component.prepare.is_empty() {
        taken.keep("prepare");
    }
    for at in 1..=component.prepare.len() {
        taken.keep(format!("prepare-{at}"));
    }
    for schedule in &component.schedules {
        taken.keep(schedule.id.as_str());
    }
    let wishes: Vec<String> = component
        .processes
        .iter()
        .map(|one| one.id.clone())
        .collect();
    let names = taken.labels::<63>(&wishes);
    for (process, name) in component.processes.iter_mut().zip(names) {
        process.id = name.to_string();
    }
}

/// How the components would be called: `web` the only one and one at the top, else as its folder, with
/// the folder above where two are called alike.
fn wishes(selections: &[Selection<'_>]) -> Vec<String> {
    let short = |selection: &Selection<'_>| slug(repo::file_name(&selection.folder));
    let mut known: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for selection in selections {
        let folders = known.entry(short(selection)).or_default();
        folders.insert(&selection.folder);
    }
    let ids = selections.iter().map(|selection| {
        let id = match selection.folder.as_str() {
            _ if selections.len() == 1 => String::new(),
            "." => String::new(),
            folder => match short(selection) {
                short if known[&short].len() > 1 => slug(folder),
                short => short,
            },
        };
        if id.is_empty() { "web".to_owned() } else { id }
    });
    ids.collect()
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
