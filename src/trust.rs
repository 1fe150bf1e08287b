//! Whose `longshore.toml` is trusted with more than the application: recipes, registries, mirrors,
//! certificates.
//!
//! What lies in a repository is a stranger's until the user says otherwise, for a folder and for what
//! stands in it at that time. The same holds for the record of an earlier verification that lies in a
//! repository: a digest of all that was trusted is kept in the user's own
//! configuration, as direnv does (<https://direnv.net/man/direnv.1.html>), and a change revokes it.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    path::{Path, PathBuf},
};

use anyhow::Context;
use serde::{Deserialize, Serialize};
use walkdir::WalkDir;

use crate::{
    config::{self, Config},
    input::{InputFolder, digest},
    limits,
    output::{OutputFolder, OutputPath, Present},
    repo,
};

/// Name of the file in the user's configuration.
const FILE: &str = "trusted.json";
/// Version of its format.
const SCHEMA: &str = "longshore.trusted/1";

/// The folders that the user trusts.
#[derive(Debug)]
pub struct TrustStore {
    folder: PathBuf,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Trusted {
    schema: String,
    /// Digest of what was trusted, by the folder.
    folders: BTreeMap<String, String>,
    /// Digest of the record that a run of this user left, by the folder.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    records: BTreeMap<String, String>,
}

impl TrustStore {
    /// Returns the store in the user's configuration folder: `$XDG_CONFIG_HOME/longshore`, or
    /// `~/.config/longshore` (<https://specifications.freedesktop.org/basedir-spec/latest/>); `None`
    /// where there is no home.
    pub fn of_user() -> Option<Self> {
        let set = |name: &str| {
            let value = std::env::var_os(name).map(PathBuf::from);
            value.filter(|path| path.is_absolute())
        };
        let home = || set("HOME").or_else(|| set("USERPROFILE"));
        let folder = set("XDG_CONFIG_HOME").or_else(|| Some(home()?.join(".config")))?;
        Some(Self::at(&folder.join("longshore")))
    }

    /// Returns the store in `folder`.
    pub fn at(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
        }
    }

    /// Returns whether the user trusts the repository at `root` as it is now.
    pub fn trusts(&self, root: &Path) -> bool {
        let known = key(root).and_then(|key| self.read().folders.remove(&key));
        known.is_some_and(|known| digest_of(root).as_ref() == Some(&known))
    }

    /// Trusts the repository at `root` as it is now.
    ///
    /// # Errors
    ///
    /// When it has no `longshore.toml` that can be read, or the store cannot be written.
    pub fn trust(&self, root: &Path) -> anyhow::Result<()> {
        let shown = root.display();
        let digest = digest_of(root)
            .with_context(|| format!("`{shown}` has no `{}` that can be read", config::FILE))?;
        let key = key(root).with_context(|| format!("`{shown}` is no folder"))?;
        let mut trusted = self.read();
        trusted.folders.insert(key, digest);
        self.write(&trusted)
    }

    /// Trusts the repository at `root` no more; returns whether it was trusted.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    pub fn revoke(&self, root: &Path) -> anyhow::Result<bool> {
        let mut trusted = self.read();
        // The folder may be gone.
        let key = key(root).unwrap_or_else(|| root.display().to_string());
        let was_trusted = trusted.folders.remove(&key).is_some();
        if was_trusted {
            self.write(&trusted)?;
        }
        Ok(was_trusted)
    }

    /// Returns the trusted folders, sorted, each with whether it is as it was.
    pub fn folders(&self) -> Vec<(String, bool)> {
        let folders = self.read().folders.into_iter();
        let is_same = |(folder, known): (String, String)| {
            let is_same = digest_of(Path::new(&folder)) == Some(known);
            (folder, is_same)
        };
        folders.map(is_same).collect()
    }

    /// Returns whether the record of what was verified, in the folder `root`, is as a run of this
    /// user left it.
    pub fn knows_record(&self, root: &Path) -> bool {
        let known = key(root).and_then(|key| self.read().records.remove(&key));
        known.is_some_and(|known| record_of(root).as_ref() == Some(&known))
    }

    /// Remembers the record in the folder `root`, which this run left.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    pub fn remember_record(&self, root: &Path) -> anyhow::Result<()> {
        let (Some(key), Some(digest)) = (key(root), record_of(root)) else {
            return Ok(());
        };
        let mut trusted = self.read();
        trusted.records.insert(key, digest);
        self.write(&trusted)
    }

    /// A store that cannot be read trusts nothing.
    fn read(&self) -> Trusted {
        let text = OutputFolder::at(&self.folder).read(&OutputPath::fixed(FILE));
        let read = match text {
            Ok(Present::File(text)) => serde_json::from_slice(&text).ok(),
            Ok(Present::Missing | Present::Other(_)) | Err(_) => None,
        };
        let read = read.filter(|trusted: &Trusted| trusted.schema == SCHEMA);
        read.unwrap_or_else(|| Trusted {
            schema: SCHEMA.to_owned(),
            folders: BTreeMap::new(),
            records: BTreeMap::new(),
        })
    }

    fn write(&self, trusted: &Trusted) -> anyhow::Result<()> {
        let text = serde_json::to_string_pretty(trusted).context("failed to write the store")?;
        let text = format!("{text}\n");
        OutputFolder::at(&self.folder).replace(&OutputPath::fixed(FILE), text.as_bytes(), false)
    }
}

/// The digest of the record in the folder `root`.
fn record_of(root: &Path) -> Option<String> {
    let folder = InputFolder::open(root).ok()?;
    let record = folder.read(repo::STATE, limits::STATE).ok()?;
    Some(digest(&record))
}

/// The name of a folder in the store: its place with no link in it.
fn key(root: &Path) -> Option<String> {
    let place = root.canonicalize().ok()?;
    Some(place.to_str()?.to_owned())
}

/// Returns the digest of the `longshore.toml` at `root` and of all files that it leads to: recipes and
/// the certificate. `None` where there is none.
pub fn digest_of(root: &Path) -> Option<String> {
    let folder = InputFolder::open(root).ok()?;
    let text = folder.text(config::FILE, limits::FILE).ok()?;
    let mut all = format!("{} {}\n", config::FILE, digest(text.as_bytes()));
    for path in Config::paths_of(&text) {
        let files = WalkDir::new(root.join(&path)).sort_by_file_name();
        let files = files.into_iter().flatten().take(limits::LISTED);
        for entry in files.filter(|entry| !entry.file_type().is_dir()) {
            let Ok(inside) = entry.path().strip_prefix(root) else {
                continue;
            };
            let inside = inside.to_string_lossy();
            let known = folder.read(&inside, limits::RECIPE);
            let known = known.map_or_else(|why| why.to_string(), |bytes| digest(&bytes));
            let _ = writeln!(all, "{inside:?} {known}");
        }
    }
    Some(digest(all.as_bytes()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn any_change_of_what_was_trusted_revokes_it() {
        let (keep, home) = (tempfile::tempdir(), tempfile::tempdir());
        let (keep, home) = (keep.expect("a folder"), home.expect("a folder"));
        let (root, store) = (keep.path(), TrustStore::at(home.path()));
        let write = |path: &str, text: &str| {
            let path = root.join(path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(path, text).expect("written");
        };
        assert!(store.trust(root).is_err());
        let settings = "recipes = [\"r\"]\n[build]\nca-certificate = \"ca.pem\"\n";
        for (path, text) in [
            ("longshore.toml", settings),
            ("r/stacks/x.toml", "a"),
            ("ca.pem", "b"),
        ] {
            write(path, text);
        }
        for (path, text) in [
            ("longshore.toml", "recipes = [\"r\", \"s\"]\n"),
            ("r/stacks/x.toml", "c"),
            ("r/stacks/y.toml", "d"),
            ("longshore.toml", settings),
            ("ca.pem", "e"),
        ] {
            store.trust(root).expect("trusted");
            assert!(store.trusts(root));
            write(path, text);
            assert!(!store.trusts(root), "{path}");
        }
        store.trust(root).expect("trusted");
        write("README.md", "is no part of it");
        assert!(store.trusts(root));
        assert_eq!(store.folders().len(), 1);
        assert!(store.revoke(root).expect("written"));
        assert!(!store.trusts(root) && !store.revoke(root).expect("written"));
    }
}
