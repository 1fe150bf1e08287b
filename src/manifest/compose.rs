//! A compose file that a person wrote: evidence of which folders become images, how they are called,
//! which waits for which, and which versions of services run beside them; never the answer.
//!
//! Format: <https://docs.docker.com/reference/compose-file/services/>; the first one had the services
//! at its top (<https://docs.docker.com/reference/compose-file/legacy-versions/>).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, de::IgnoredAny};
use serde_saphyr::Spanned;

use crate::{
    origin::{Origin, OriginKind},
    recipe::Catalog,
    repo::{self, Repo},
};

#[derive(Deserialize)]
struct File {
    services: BTreeMap<String, Service>,
}

#[derive(Deserialize)]
struct Service {
    build: Option<Build>,
    image: Option<Spanned<String>>,
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
        for (path, name, service) in read(repo, ".", catalog) {
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

/// Returns the images that compose files in `folder` name, and where.
pub fn images(repo: &Repo, folder: &str, catalog: &Catalog) -> Vec<(String, Origin)> {
    let services = read(repo, folder, catalog).into_iter();
    let images = services.filter_map(|(path, _, service)| {
        let image = service.image?;
        let line = usize::try_from(image.referenced.line()).ok()?;
        let text = repo.source(path)?.line_text(line).trim().to_owned();
        let origin = Origin::at(OriginKind::Manifest, path, line, text);
        Some((image.value, origin))
    });
    images.collect()
}

/// The services of the compose files in `folder`: path, name and service.
fn read<'r>(repo: &'r Repo, folder: &str, catalog: &Catalog) -> Vec<(&'r str, String, Service)> {
    let patterns = catalog.list("documents", "compose").iter();
    let paths = patterns.flat_map(|pattern| repo.glob(&repo::join(folder, pattern)));
    let services = paths.filter_map(|path| {
        let text = &repo.source(path)?.text;
        let file = serde_saphyr::from_str::<File>(text).map(|file| file.services);
        let services = file
            .or_else(|_| serde_saphyr::from_str::<BTreeMap<_, _>>(text))
            .ok()?;
        let services = services.into_iter();
        Some(services.map(move |(name, service)| (path, name, service)))
    });
    services.flatten().collect()
}
