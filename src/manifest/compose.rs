//! A compose file that a person wrote: evidence of which folders become images, how they are called,
//! and which waits for which; never the answer.
//!
//! Format: <https://docs.docker.com/reference/compose-file/services/>.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, de::IgnoredAny};

use crate::{
    origin::Origin,
    recipe::Catalog,
    repo::{self, Repo},
};

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    services: BTreeMap<String, Service>,
}

#[derive(Deserialize)]
struct Service {
    build: Option<Build>,
    #[serde(default)]
    depends_on: Dependencies,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Dependencies {
    Names(Vec<String>),
    Conditions(BTreeMap<String, IgnoredAny>),
}

impl Default for Dependencies {
    fn default() -> Self {
        Self::Names(Vec::new())
    }
}

impl Dependencies {
    fn names(&self) -> Vec<&str> {
        match self {
            Self::Names(names) => names.iter().map(String::as_str).collect(),
            Self::Conditions(conditions) => conditions.keys().map(String::as_str).collect(),
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Build {
    Context(String),
    Settings { context: Option<String> },
}

/// What the compose files of a repository say of the images that they build; one file goes on with a
/// service of another.
#[derive(Debug, Default)]
pub struct Composed {
    services: BTreeMap<String, Built>,
}

#[derive(Debug, Default)]
struct Built {
    folder: Option<String>,
    /// Names of other services, with the file that says so.
    waits_for: BTreeMap<String, String>,
}

impl Composed {
    /// Reads the compose files at the root of `repo`. A file that cannot be read says nothing.
    pub fn of(repo: &Repo, catalog: &Catalog) -> Self {
        let mut services: BTreeMap<String, Built> = BTreeMap::new();
        for pattern in catalog.list("documents", "compose") {
            for path in repo.glob(pattern) {
                let Some(source) = repo.source(path) else {
                    continue;
                };
                let Ok(file) = serde_saphyr::from_str::<File>(&source.text) else {
                    continue;
                };
                for (name, service) in file.services {
                    let built = services.entry(name).or_default();
                    for other in service.depends_on.names() {
                        built.waits_for.insert(other.to_owned(), path.to_owned());
                    }
                    let context = service.build.map(|build| match build {
                        Build::Context(context) => context,
                        Build::Settings { context } => context.unwrap_or_default(),
                    });
                    if let Some(context) = context {
                        built.folder = Some(repo::join(".", &context));
                    }
                }
            }
        }
        Self { services }
    }

    /// Returns the folders, relative to the repository, that images are built from.
    pub fn folders(&self) -> BTreeSet<String> {
        let folders = self
            .services
            .values()
            .filter_map(|service| service.folder.clone());
        folders.collect()
    }

    /// Returns the names of the services that are built from `folder`.
    pub fn services_of(&self, folder: &str) -> impl Iterator<Item = &str> {
        self.built_from(folder).map(|(name, _)| name)
    }

    /// Returns what says that the service built from `folder` starts after the one built from
    /// `other`.
    pub fn waits(&self, folder: &str, other: &str) -> Option<Origin> {
        self.built_from(folder).find_map(|(name, service)| {
            let mut others = self.services_of(other);
            let (waited, file) = others.find_map(|other| service.waits_for.get_key_value(other))?;
            Some(Origin::manifest(
                file,
                format!("`{name}` depends on `{waited}`"),
            ))
        })
    }

    fn built_from(&self, folder: &str) -> impl Iterator<Item = (&str, &Built)> {
        let services = self.services.iter();
        services
            .filter(move |(_, service)| service.folder.as_deref() == Some(folder))
            .map(|(name, service)| (name.as_str(), service))
    }
}
