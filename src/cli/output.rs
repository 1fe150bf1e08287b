//! Writes the generated files: atomically, and never over what a person edited.

use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::Context;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use similar::TextDiff;

use crate::{
    plan::{Health, Measured},
    render::Artifact,
    verify::Repair,
};

pub use crate::repo::STATE;

/// What longshore remembers between runs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// SHA-256 of each file as it was written, by path.
    pub files: BTreeMap<String, String>,
    /// What a smoke run proved, by component.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub proven: BTreeMap<String, Proven>,
    /// What was repaired.
    #[serde(default, skip_serializing_if = "Repairs::is_none")]
    pub repairs: Repairs,
}

/// What a smoke run repaired before the application answered.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Repairs {
    /// SHA-256 of the plan before the repairs.
    pub plan: String,
    /// The repairs, in their order.
    pub made: Vec<Repair>,
}

impl Repairs {
    fn is_none(&self) -> bool {
        self.made.is_empty()
    }
}

/// What a smoke run proved of a component.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Proven {
    /// SHA-256 of the plan that was proven, before the measurements.
    pub plan: String,
    /// The measurements.
    pub measured: Measured,
    /// The path that answered.
    pub health: Option<Health>,
}

/// What is to happen with one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It is as it should be.
    Unchanged,
    /// There is none yet.
    New,
    /// longshore wrote it and nobody edited it since.
    Update,
    /// A person wrote or edited it.
    Edited,
}

/// The state of an output folder, compared with what is to be written.
pub struct Comparison {
    /// Each artifact with what is to happen with it.
    pub changes: Vec<(Artifact, Change)>,
    /// Files that an earlier run wrote, that nobody edited, and that are no longer made.
    pub stale: Vec<String>,
    state: State,
    folder: PathBuf,
}

impl State {
    /// Reads what an earlier run left in `folder`; a missing or broken file is an empty state, so
    /// that every file counts as a person's.
    pub fn read(folder: &Path) -> Self {
        let text = fs::read_to_string(folder.join(STATE)).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }
}

/// Compares `artifacts` with what is in `folder`.
///
/// # Errors
///
/// When a file is there but cannot be read.
pub fn compare(artifacts: Vec<Artifact>, folder: &Path) -> anyhow::Result<Comparison> {
    let state = State::read(folder);
    let mut changes = Vec::new();
    for artifact in artifacts {
        let path = folder.join(&artifact.path);
        let change = match fs::read(&path) {
            Ok(present) if present == artifact.contents.as_bytes() => Change::Unchanged,
            Ok(present) if state.files.get(&artifact.path) == Some(&hash(&present)) => {
                Change::Update
            }
            Ok(_) => Change::Edited,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Change::New,
            Err(error) => {
                return Err(error).with_context(|| format!("failed to read `{}`", path.display()));
            }
        };
        changes.push((artifact, change));
    }
    let made = |path: &str| changes.iter().any(|(artifact, _)| artifact.path == path);
    let stale = state.files.iter().filter(|(path, written)| {
        let present = fs::read(folder.join(path)).ok();
        !made(path) && present.is_some_and(|present| hash(&present) == **written)
    });
    let stale = stale.map(|(path, _)| path.clone()).collect();
    Ok(Comparison {
        changes,
        stale,
        state,
        folder: folder.to_owned(),
    })
}

impl Comparison {
    /// Returns whether the folder differs from what would be written.
    pub fn differs(&self) -> bool {
        !self.stale.is_empty()
            || self
                .changes
                .iter()
                .any(|(_, change)| *change != Change::Unchanged)
    }

    /// Returns the difference between the file in the folder and `artifact`, as a unified diff.
    pub fn diff(&self, artifact: &Artifact) -> String {
        let present = fs::read(self.folder.join(&artifact.path)).unwrap_or_default();
        let present = String::from_utf8_lossy(&present);
        TextDiff::from_lines(present.as_ref(), artifact.contents.as_str())
            .unified_diff()
            .context_radius(2)
            .header(
                &format!("{} (yours)", artifact.path),
                &format!("{} (generated)", artifact.path),
            )
            .to_string()
    }

    /// Writes what is new or updated, edited files only with `force`; removes stale files. Returns
    /// the paths that were written. Every file is written beside its place and moved there, so that
    /// a reader sees the old one or the new one.
    ///
    /// # Errors
    ///
    /// When a file cannot be written: no permission, a full disk.
    pub fn write(
        &self,
        force: bool,
        proven: BTreeMap<String, Proven>,
        repairs: Option<Repairs>,
    ) -> anyhow::Result<Vec<String>> {
        let mut state = self.state.clone();
        let mut written = Vec::new();
        for (artifact, change) in &self.changes {
            let is_kept = *change == Change::Edited && !force;
            if !is_kept {
                if *change != Change::Unchanged {
                    replace(
                        &self.folder.join(&artifact.path),
                        artifact.contents.as_bytes(),
                        artifact.executable,
                    )?;
                    written.push(artifact.path.clone());
                }
                state
                    .files
                    .insert(artifact.path.clone(), hash(artifact.contents.as_bytes()));
            }
        }
        for path in &self.stale {
            let full = self.folder.join(path);
            fs::remove_file(&full)
                .with_context(|| format!("failed to remove `{}`", full.display()))?;
            state.files.remove(path);
        }
        state.proven.extend(proven);
        if let Some(repairs) = repairs {
            state.repairs = repairs;
        }
        let mut text = serde_json::to_string_pretty(&state).context("failed to write the state")?;
        text.push('\n');
        let path = self.folder.join(STATE);
        if fs::read_to_string(&path).ok().as_deref() != Some(&text) {
            replace(&path, text.as_bytes(), false)?;
        }
        Ok(written)
    }
}

/// Returns the SHA-256 of `bytes` in hexadecimal.
pub fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Writes `path` beside its place and moves it there.
///
/// # Errors
///
/// When it cannot be written.
pub fn replace(path: &Path, contents: &[u8], executable: bool) -> anyhow::Result<()> {
    let context = || format!("failed to write `{}`", path.display());
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).with_context(context)?;
    let mut file = tempfile::Builder::new()
        .prefix(".longshore-")
        .tempfile_in(folder)
        .with_context(context)?;
    file.write_all(contents).with_context(context)?;
    set_mode(file.as_file(), executable).with_context(context)?;
    file.persist(path)
        .map_err(|error| error.error)
        .with_context(context)?;
    Ok(())
}

/// A temporary file is readable by its owner only; a generated one is for the whole team.
#[cfg(unix)]
fn set_mode(file: &fs::File, executable: bool) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(if executable {
        0o755
    } else {
        0o644
    }))
}

#[cfg(not(unix))]
fn set_mode(_: &fs::File, _: bool) -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn artifact(contents: &str) -> Vec<Artifact> {
        vec![Artifact {
            path: "k8s/a.yaml".into(),
            contents: contents.into(),
            origins: BTreeMap::new(),
            executable: false,
        }]
    }

    #[test]
    fn an_edited_file_stays_unless_forced() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("k8s/a.yaml");
        compare(artifact("one\n"), folder.path())
            .expect("compared")
            .write(false, BTreeMap::new(), None)
            .expect("written");
        fs::write(&path, "mine\n").expect("edited");
        let second = compare(artifact("two\n"), folder.path()).expect("compared");
        assert_eq!(second.changes[0].1, Change::Edited);
        second.write(false, BTreeMap::new(), None).expect("written");
        assert_eq!(fs::read_to_string(&path).expect("read"), "mine\n");
        assert!(second.diff(&second.changes[0].0).contains("-mine\n+two"));
        second.write(true, BTreeMap::new(), None).expect("written");
        assert_eq!(fs::read_to_string(&path).expect("read"), "two\n");
    }

    #[test]
    fn a_second_run_changes_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        compare(artifact("one\n"), folder.path())
            .expect("compared")
            .write(false, BTreeMap::new(), None)
            .expect("written");
        let second = compare(artifact("one\n"), folder.path()).expect("compared");
        assert!(!second.differs());
        assert!(
            second
                .write(false, BTreeMap::new(), None)
                .expect("written")
                .is_empty()
        );
    }

    #[test]
    fn what_is_no_longer_made_is_removed_unless_edited() {
        let folder = tempfile::tempdir().expect("a folder");
        compare(artifact("one\n"), folder.path())
            .expect("compared")
            .write(false, BTreeMap::new(), None)
            .expect("written");
        let second = compare(Vec::new(), folder.path()).expect("compared");
        assert_eq!(second.stale, ["k8s/a.yaml"]);
        second.write(false, BTreeMap::new(), None).expect("written");
        assert!(!folder.path().join("k8s/a.yaml").exists());
    }
}
