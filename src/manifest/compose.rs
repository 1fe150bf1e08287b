//! A compose file that a person wrote: evidence of which folders become images, never the answer.
//!
//! Format: <https://docs.docker.com/reference/compose-file/build/>.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::{
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
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Build {
    Context(String),
    Settings { context: Option<String> },
}

/// Returns the folders, relative to the repository, that compose files at its root build images
/// from. A file that cannot be read says nothing.
pub fn built_folders(repo: &Repo, catalog: &Catalog) -> BTreeSet<String> {
    let mut folders = BTreeSet::new();
    for pattern in catalog.list("documents", "compose") {
        for path in repo.glob(pattern) {
            let Some(source) = repo.source(path) else {
                continue;
            };
            let Ok(file) = serde_saphyr::from_str::<File>(&source.text) else {
                continue;
            };
            let builds = file
                .services
                .into_values()
                .filter_map(|service| service.build);
            folders.extend(builds.map(|build| {
                let context = match build {
                    Build::Context(context) => context,
                    Build::Settings { context } => context.unwrap_or_default(),
                };
                repo::join(".", &context)
            }));
        }
    }
    folders
}
