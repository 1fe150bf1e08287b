//! Writes the generated files: atomically, and never over what a person edited.

use std::{collections::BTreeSet, path::Path};

use anyhow::Context;
use similar::TextDiff;

use crate::{
    input::digest,
    output::{OutputFolder, OutputPath, Present},
    record::{State, Verified},
    render::Artifact,
    repo::STATE,
};

/// What is to happen with one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It is as it should be.
    Unchanged,
    /// There is none yet.
    New,
    /// longshore wrote it and nobody edited it since; its text.
    Update(String),
    /// A person wrote or edited it; its text.
    Edited(String),
    /// What is there is no plain file, or lies behind a link: why it is left alone, even by force.
    Obstructed(String),
}

/// What becomes of the record of a smoke run.
#[derive(Debug, Default)]
pub enum Record {
    /// It stays as it is.
    #[default]
    Kept,
    /// This one takes its place.
    New(Verified),
}

/// The state of an output folder, compared with what is to be written.
pub struct Comparison {
    /// Each artifact with what is to happen with it.
    pub changes: Vec<(Artifact, Change)>,
    /// Files that an earlier run wrote, that nobody edited, and that are no longer made.
    pub stale: Vec<OutputPath>,
    state: State,
    folder: OutputFolder,
}

/// Compares `artifacts` with what is in `folder`.
///
/// # Errors
///
/// When a file is there but cannot be read.
pub fn compare(artifacts: Vec<Artifact>, folder: &Path) -> anyhow::Result<Comparison> {
    let folder = OutputFolder::at(folder);
    let state = State::read(&folder).unwrap_or_default();
    let mut changes = Vec::new();
    for artifact in artifacts {
        let written = state.files.get(&artifact.path);
        let change = match folder.read(&artifact.path)? {
            Present::Missing => Change::New,
            Present::File(present) if present == artifact.contents.as_bytes() => Change::Unchanged,
            Present::File(present) => {
                let text = String::from_utf8_lossy(&present).into_owned();
                match written == Some(&digest(&present)) {
                    true => Change::Update(text),
                    false => Change::Edited(text),
                }
            }
            Present::Other(why) => Change::Obstructed(why),
        };
        changes.push((artifact, change));
    }
    let made: BTreeSet<&OutputPath> = changes.iter().map(|(artifact, _)| &artifact.path).collect();
    let mut stale = Vec::new();
    for (path, written) in &state.files {
        if !made.contains(path)
            && let Present::File(present) = folder.read(path)?
            && digest(&present) == *written
        {
            stale.push(path.clone());
        }
    }
    Ok(Comparison {
        changes,
        stale,
        state,
        folder,
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

    /// Returns whether the folder has a record of what was verified, or gets one from this run.
    pub fn has_record(&self, is_verified: bool) -> bool {
        is_verified || self.state.verified.is_some()
    }

    /// Writes what is new or updated, edited files only with `force`; removes stale files. Returns
    /// the paths that were written. Every file is written beside its place and moved there, so that
    /// a reader sees the old one or the new one; what a killed run left there goes.
    ///
    /// # Errors
    ///
    /// When a file cannot be written: no permission, a full disk.
    pub fn write(&self, force: bool, record: Record) -> anyhow::Result<Vec<OutputPath>> {
        let state_file = OutputPath::fixed(STATE);
        let artifacts = self.changes.iter().map(|(artifact, _)| &artifact.path);
        self.folder.sweep(artifacts.chain([&state_file]));
        let mut state = self.state.clone();
        let mut written = Vec::new();
        for (artifact, change) in &self.changes {
            let is_written = match change {
                Change::New | Change::Update(_) => true,
                Change::Edited(_) => force,
                Change::Obstructed(_) => continue,
                Change::Unchanged => false,
            };
            let contents = artifact.contents.as_bytes();
            if is_written {
                self.folder
                    .replace(&artifact.path, contents, artifact.executable)?;
                written.push(artifact.path.clone());
            }
            if is_written || *change == Change::Unchanged {
                state.files.insert(artifact.path.clone(), digest(contents));
            }
        }
        for path in &self.stale {
            self.folder.remove(path)?;
            state.files.remove(path);
        }
        if let Record::New(verified) = record {
            state.verified = Some(verified);
        }
        let mut text = serde_json::to_string_pretty(&state).context("failed to write the state")?;
        text.push('\n');
        if self.folder.read(&state_file)? != Present::File(text.clone().into_bytes()) {
            self.folder.replace(&state_file, text.as_bytes(), false)?;
        }
        Ok(written)
    }
}

/// Returns the difference between `present`, the text of a file, and `artifact`, as a unified diff.
pub fn diff(present: &str, artifact: &Artifact) -> String {
    TextDiff::from_lines(present, artifact.contents.as_str())
        .unified_diff()
        .context_radius(2)
        .header(
            &format!("{} (yours)", artifact.path),
            &format!("{} (generated)", artifact.path),
        )
        .to_string()
}

/// Writes `path`, whose folder the user names, beside its place and moves it there.
///
/// # Errors
///
/// When it cannot be written, or is something else than a plain file.
pub fn replace(path: &Path, contents: &[u8]) -> anyhow::Result<()> {
    let shown = path.display();
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let name = path.file_name().and_then(|name| name.to_str());
    let name = OutputPath::parse(name.unwrap_or_default())
        .map_err(|why| anyhow::anyhow!("failed to write `{shown}`: {why}"))?;
    let folder = OutputFolder::at(folder);
    folder.sweep([&name]);
    folder.replace(&name, contents, false)
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, fs};

    use super::*;

    fn artifact(contents: &str) -> Vec<Artifact> {
        vec![Artifact {
            path: OutputPath::fixed("k8s/a.yaml"),
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
            .write(false, Record::default())
            .expect("written");
        fs::write(&path, "mine\n").expect("edited");
        let second = compare(artifact("two\n"), folder.path()).expect("compared");
        assert_eq!(second.changes[0].1, Change::Edited("mine\n".to_owned()));
        second.write(false, Record::default()).expect("written");
        assert_eq!(fs::read_to_string(&path).expect("read"), "mine\n");
        assert!(diff("mine\n", &second.changes[0].0).contains("-mine\n+two"));
        second.write(true, Record::default()).expect("written");
        assert_eq!(fs::read_to_string(&path).expect("read"), "two\n");
    }

    #[test]
    fn a_second_run_changes_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        compare(artifact("one\n"), folder.path())
            .expect("compared")
            .write(false, Record::default())
            .expect("written");
        let second = compare(artifact("one\n"), folder.path()).expect("compared");
        assert!(!second.differs());
        assert!(
            second
                .write(false, Record::default())
                .expect("written")
                .is_empty()
        );
    }

    #[test]
    fn what_is_no_longer_made_is_removed_unless_edited() {
        let folder = tempfile::tempdir().expect("a folder");
        compare(artifact("one\n"), folder.path())
            .expect("compared")
            .write(false, Record::default())
            .expect("written");
        let second = compare(Vec::new(), folder.path()).expect("compared");
        assert_eq!(second.stale, ["k8s/a.yaml"]);
        second.write(false, Record::default()).expect("written");
        assert!(!folder.path().join("k8s/a.yaml").exists());
    }
}
