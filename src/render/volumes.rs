//! How volumes are called: in compose.yaml, in pods and as claims.

use std::collections::BTreeMap;

use crate::{
    name::{ConfigKey, ObjectName, Taken},
    plan::{BuildPlan, Component, Service},
    repo::file_name,
};

/// The names of the volumes of all components, none of which two have.
pub struct VolumeNames<'p>(BTreeMap<Place<'p>, ObjectName>);

/// A component, and a path in it.
type Place<'p> = (&'p str, &'p str);

impl<'p> VolumeNames<'p> {
    /// Names the volumes of `plan`.
    pub fn new(plan: &'p BuildPlan) -> Self {
        let mut taken = Taken::default();
        taken.keep("tmp");
        for service in plan.components.iter().flat_map(|one| &one.services) {
            let of_service = [data(service), socket(service), init(service)];
            let folders = (1..=service.writable.len() + 1).map(|at| writable(service, at));
            for name in of_service.into_iter().chain(folders) {
                taken.keep(name.as_str());
            }
        }
        // The data of a service beside the application has a claim of this name.
        for component in &plan.components {
            let services = component.local_services();
            for service in services {
                taken.keep(format!("{}-{}", component.id, service.kind));
            }
        }
        let mut paths: Vec<Place<'_>> = plan
            .components
            .iter()
            .flat_map(|one| one.volumes.iter().map(|volume| (&*one.id, &*volume.path)))
            .collect();
        Self(named(&mut paths, &mut taken))
    }

    /// Returns the name of the volume of `component` for `path`.
    pub fn of(&self, component: &Component, path: &str) -> ObjectName {
        let name = self.0.get(&(component.id.as_str(), path));
        name.cloned()
            .unwrap_or_else(|| ObjectName::joined(&[&component.id, path]))
    }
}

/// Names `places`, none of them as anything `taken` is. The plain name is for the path that it says most
/// of, whatever the order is: a volume must not change its name because another one was found.
fn named<'p>(places: &mut [Place<'p>], taken: &mut Taken) -> BTreeMap<Place<'p>, ObjectName> {
    places.sort_by_key(|(id, path)| (lost(path), *id, *path));
    let mut names = BTreeMap::new();
    for (id, path) in places.iter() {
        let wish = format!("{id}-{}", words(path));
        let whole = format!("{id}\0{path}");
        names
            .entry((*id, *path))
            .or_insert_with(|| taken.label_with(&wish, &whole, |_| Vec::new()));
    }
    names
}

/// Returns the name of the volume for the data of `service`.
pub fn data(service: &Service) -> ObjectName {
    ObjectName::joined(&[&service.kind, "data"])
}

/// Returns the name of the volume for the socket of `service`.
pub fn socket(service: &Service) -> ObjectName {
    ObjectName::joined(&[&service.kind, "socket"])
}

/// Returns the name of the volume, and of the ConfigMap, for the files that `service` loads.
pub fn init(service: &Service) -> ObjectName {
    ObjectName::joined(&[&service.kind, "init"])
}

/// Returns the name of the volume for the folder number `at` that `service` writes, in the pod of the
/// application.
pub fn writable(service: &Service, at: usize) -> ObjectName {
    ObjectName::joined(&[&service.kind, "writable", &at.to_string()])
}

/// Returns the names under which `service` finds the files that it loads: unique, and such that a
/// ConfigMap can hold them.
pub fn init_keys(service: &Service) -> Vec<ConfigKey> {
    let files = service.init.iter();
    let keys: Vec<ConfigKey> = files.map(|file| ConfigKey::of(file_name(file))).collect();
    let mut known: BTreeMap<&ConfigKey, usize> = BTreeMap::new();
    for key in &keys {
        *known.entry(key).or_default() += 1;
    }
    let unique = keys
        .iter()
        .enumerate()
        .map(|(index, key)| match known[key] {
            1 => key.clone(),
            _ => ConfigKey::of(&format!("{index:02}-{key}")),
        });
    unique.collect()
}

/// `path` in small letters, digits and `-`.
fn words(path: &str) -> String {
    let path = if path.is_ascii() {
        path.to_ascii_lowercase()
    } else {
        crate::name::slug(path)
    };
    let words = path.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    words.trim_matches('-').to_owned()
}

/// How many characters of `path` its name does not say.
fn lost(path: &str) -> usize {
    let is_said = |c: &char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '/');
    path.chars().filter(|c| !is_said(c)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(places: &[Place<'_>]) -> Vec<String> {
        let mut sorted = places.to_vec();
        let mut taken = Taken::default();
        taken.keep("web-redis");
        let names = named(&mut sorted, &mut taken);
        places
            .iter()
            .map(|place| names[place].to_string())
            .collect()
    }

    #[test]
    fn a_volume_is_called_by_its_path() {
        assert_eq!(
            names(&[("web", "/var/www/html/storage")]),
            ["web-var-www-html-storage"]
        );
        assert_eq!(names(&[("web", "/app/данные")]), ["web-app-dannye"]);
    }

    #[test]
    fn paths_that_are_called_alike_are_told_apart() {
        let paths = ["/a b", "/a-b", "/a/b", "/A-b"].map(|path| ("web", path));
        let found = names(&paths);
        assert_eq!(found[1], "web-a-b");
        let distinct: std::collections::BTreeSet<_> = found.iter().collect();
        assert_eq!(distinct.len(), paths.len());
        assert_eq!(names(&[("a", "/b-c"), ("a-b", "/c")])[0], "a-b-c");
        assert_ne!(names(&[("a", "/b-c"), ("a-b", "/c")])[1], "a-b-c");
    }

    #[test]
    fn a_volume_keeps_its_name_when_another_one_is_found() {
        assert_eq!(
            names(&[("web", "/a b"), ("web", "/a-b")])[1],
            names(&[("web", "/a-b")])[0]
        );
    }

    #[test]
    fn a_long_path_has_a_short_name() {
        let path = format!("/{}", "x".repeat(100));
        assert_eq!(names(&[("web", &path)])[0].len(), 63);
    }

    #[test]
    fn no_volume_is_called_as_that_of_a_service() {
        assert_ne!(names(&[("web", "/redis")])[0], "web-redis");
    }
}
