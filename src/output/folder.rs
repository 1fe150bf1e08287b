//! The folder that is written to.

#![allow(clippy::disallowed_methods, reason = "this is the door")]

use std::{
    collections::BTreeSet,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use anyhow::Context;
use cap_fs_ext::{DirExt, FollowSymlinks, OpenOptionsFollowExt};
use cap_std::{ambient_authority, fs::Dir, fs::OpenOptions};

use super::OutputPath;
use crate::input::{self, Unreadable};

/// Largest file that is read back, in bytes; a larger one is not longshore's.
const LARGEST: u64 = 64 << 20;
/// Beginning and end of the name of a file that is being written.
const PARTIAL: (&str, &str) = (".longshore-", ".part");

/// A folder below which files are read back, replaced and removed, and nowhere else.
///
/// No component of a path may be a link. Where another process puts one in the place of a folder
/// meanwhile, nothing is written through it: each folder is opened below the one before.
#[derive(Debug)]
pub struct OutputFolder {
    root: PathBuf,
}

/// What lies at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Present {
    /// Nothing.
    Missing,
    /// A plain file, with its contents.
    File(Vec<u8>),
    /// Something that longshore neither reads nor replaces: why.
    Other(String),
}

impl OutputFolder {
    /// Names the folder `root`, which need not be there yet and may be reached by a link, as the
    /// user names it.
    pub fn at(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
        }
    }

    /// Returns what lies at `path`.
    ///
    /// # Errors
    ///
    /// When the system refuses to say.
    pub fn read(&self, path: &OutputPath) -> anyhow::Result<Present> {
        let (folders, name) = path.split();
        let folder = match self.folder(&folders, false) {
            Ok(Found::Folder(folder)) => folder,
            Ok(Found::Missing) => return Ok(Present::Missing),
            Ok(Found::Other(why)) => return Ok(Present::Other(why)),
            Err(error) => return Err(error).with_context(|| format!("failed to read `{path}`")),
        };
        let contents =
            input::open_plain(&folder, name).and_then(|file| input::bounded(file, LARGEST));
        match contents {
            Ok(contents) => Ok(Present::File(contents)),
            Err(Unreadable::Missing) => Ok(Present::Missing),
            Err(Unreadable::Refused(error)) if is_special(&folder, name) => {
                // Opening a socket is refused.
                Ok(Present::Other(format!(
                    "`{path}` is no plain file: {error}"
                )))
            }
            Err(Unreadable::Refused(error)) => {
                Err(error).with_context(|| format!("failed to read `{path}`"))
            }
            Err(why) => Ok(Present::Other(format!("`{path}`: {why}"))),
        }
    }

    /// Replaces the file at `path`, or makes it: it is written beside its place and moved there, so
    /// that a reader, and a machine that loses its power, has the old one or the new one.
    ///
    /// # Errors
    ///
    /// When something else than a plain file is there or on the way, or it cannot be written.
    pub fn replace(
        &self,
        path: &OutputPath,
        contents: &[u8],
        executable: bool,
    ) -> anyhow::Result<()> {
        let context = || {
            format!(
                "failed to write `{}`",
                self.root.join(path.as_str()).display()
            )
        };
        let (folders, name) = path.split();
        fs::create_dir_all(&self.root).with_context(context)?;
        let folder = match self.folder(&folders, true).with_context(context)? {
            Found::Folder(folder) => folder,
            Found::Missing => anyhow::bail!("{}: its folder went away", context()),
            Found::Other(why) => anyhow::bail!("{}: {why}", context()),
        };
        if is_special(&folder, name) {
            anyhow::bail!("{}: it is no plain file", context());
        }
        // A run that sweeps at the same moment may take the file before it is locked.
        let written = write_and_move(&folder, name, contents, executable);
        match written {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                write_and_move(&folder, name, contents, executable)
            }
            written => written,
        }
        .with_context(context)
    }

    /// Makes the file at `path` anew, to be written bit by bit as a log is.
    ///
    /// # Errors
    ///
    /// When something else than a plain file is there or on the way, or it cannot be made.
    pub fn stream(&self, path: &OutputPath) -> anyhow::Result<fs::File> {
        self.replace(path, b"", false)?;
        let context = || {
            format!(
                "failed to write `{}`",
                self.root.join(path.as_str()).display()
            )
        };
        let (folders, name) = path.split();
        let Found::Folder(folder) = self.folder(&folders, false).with_context(context)? else {
            anyhow::bail!("{}: its folder went away", context());
        };
        let mut options = OpenOptions::new();
        options.write(true).follow(FollowSymlinks::No);
        let file = folder.open_with(name, &options).with_context(context)?;
        Ok(file.into_std())
    }

    /// Removes the plain file at `path`.
    ///
    /// # Errors
    ///
    /// When it is no plain file, or cannot be removed.
    pub fn remove(&self, path: &OutputPath) -> anyhow::Result<()> {
        let context = || {
            format!(
                "failed to remove `{}`",
                self.root.join(path.as_str()).display()
            )
        };
        let (folders, name) = path.split();
        match self.folder(&folders, false).with_context(context)? {
            Found::Folder(folder) if !is_special(&folder, name) => {
                folder.remove_file(name).with_context(context)
            }
            Found::Folder(_) | Found::Missing | Found::Other(_) => {
                anyhow::bail!("{}: it is no plain file", context())
            }
        }
    }

    /// Removes what killed runs left beside the files `paths`: files that were being written and
    /// that no living process holds.
    pub fn sweep<'p>(&self, paths: impl IntoIterator<Item = &'p OutputPath>) {
        let folders: BTreeSet<Vec<&str>> = paths.into_iter().map(|path| path.split().0).collect();
        for folder in folders {
            if let Ok(Found::Folder(folder)) = self.folder(&folder, false) {
                sweep(&folder);
            }
        }
    }

    /// Opens the folder at `names` one by one, with no link among them; makes those that are
    /// missing where `make`.
    fn folder(&self, names: &[&str], make: bool) -> io::Result<Found> {
        let mut folder = match Dir::open_ambient_dir(&self.root, ambient_authority()) {
            Ok(folder) => folder,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Missing),
            Err(error) => return Err(error),
        };
        let mut path = String::new();
        for name in names {
            path.push_str(name);
            if make {
                match folder.create_dir(name) {
                    Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                        return Err(error);
                    }
                    _ => {}
                }
            }
            match folder.symlink_metadata(name) {
                Ok(found) if found.is_dir() => folder = folder.open_dir_nofollow(name)?,
                Ok(found) => {
                    let kind = if found.is_symlink() {
                        "a link"
                    } else {
                        "a file"
                    };
                    return Ok(Found::Other(format!("`{path}` is {kind}, not a folder")));
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    return Ok(Found::Missing);
                }
                Err(error) => return Err(error),
            }
            path.push('/');
        }
        Ok(Found::Folder(folder))
    }
}

/// What lies where a folder is looked for.
enum Found {
    Folder(Dir),
    Missing,
    /// Something else: what, and where.
    Other(String),
}

/// Whether `name` is there and no plain file.
fn is_special(folder: &Dir, name: &str) -> bool {
    folder
        .symlink_metadata(name)
        .is_ok_and(|found| !found.is_file())
}

fn write_and_move(folder: &Dir, name: &str, contents: &[u8], executable: bool) -> io::Result<()> {
    let random = getrandom::u64().map_err(|error| io::Error::other(error.to_string()))?;
    let partial = format!("{}{random:016x}{}", PARTIAL.0, PARTIAL.1);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    let mut file = folder.open_with(&partial, &options)?.into_std();
    let written = (|| {
        // While it is locked, no other run sweeps it away.
        file.lock()?;
        file.write_all(contents)?;
        set_mode(&file, executable)?;
        file.sync_all()?;
        folder.rename(&partial, folder, name)
    })();
    if written.is_err() {
        let _ = folder.remove_file(&partial);
    }
    written?;
    // The new name is on the disk, too; not every file system can be asked for that.
    if let Ok(folder) = folder.open(".") {
        let _ = folder.sync_all();
    }
    Ok(())
}

fn sweep(folder: &Dir) {
    let Ok(entries) = folder.entries() else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let is_partial = name
            .to_str()
            .is_some_and(|name| name.starts_with(PARTIAL.0) && name.ends_with(PARTIAL.1));
        if !is_partial || !entry.file_type().is_ok_and(|kind| kind.is_file()) {
            continue;
        }
        let Some(name) = name.to_str() else { continue };
        if let Ok(file) = input::open_plain(folder, name)
            && file.try_lock().is_ok()
        {
            let _ = folder.remove_file(name);
        }
    }
}

/// A generated file is for the whole team to read.
#[cfg(unix)]
fn set_mode(file: &fs::File, executable: bool) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(if executable {
        0o755
    } else {
        0o644
    }))
}

#[cfg(not(unix))]
fn set_mode(_: &fs::File, _: bool) -> io::Result<()> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn path(text: &str) -> OutputPath {
        OutputPath::parse(text).expect("a path")
    }

    /// An output folder, and one outside of it with the file `known`.
    fn folders() -> (tempfile::TempDir, tempfile::TempDir, OutputFolder) {
        let inside = tempfile::tempdir().expect("a folder");
        let outside = tempfile::tempdir().expect("a folder");
        fs::write(outside.path().join("known"), "known").expect("written");
        let output = OutputFolder::at(inside.path());
        (inside, outside, output)
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("listed").flatten();
        let mut names: Vec<String> = entries
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_made_with_its_folders_and_replaced() {
        let (inside, _outside, output) = folders();
        for text in ["one", "two"] {
            output
                .replace(&path("a/b/c"), text.as_bytes(), true)
                .expect("written");
            let found = output.read(&path("a/b/c")).expect("read");
            assert_eq!(found, Present::File(text.into()));
        }
        assert_eq!(names(&inside.path().join("a/b")), ["c"]);
        output.remove(&path("a/b/c")).expect("removed");
        assert_eq!(output.read(&path("a/b/c")).expect("read"), Present::Missing);
    }

    #[test]
    fn nothing_is_written_read_or_removed_through_a_linked_folder() {
        let (inside, outside, output) = folders();
        symlink(outside.path(), inside.path().join("k8s")).expect("linked");
        let why = "`k8s` is a link, not a folder";
        assert!(output.replace(&path("k8s/new"), b"x", false).is_err());
        assert!(output.replace(&path("k8s/known"), b"x", false).is_err());
        assert!(output.remove(&path("k8s/known")).is_err());
        let found = output.read(&path("k8s/known")).expect("read");
        assert_eq!(found, Present::Other(why.to_owned()));
        assert_eq!(names(outside.path()), ["known"]);
    }

    #[test]
    fn a_file_that_is_written_bit_by_bit_is_made_anew_and_behind_no_link() {
        let (inside, outside, output) = folders();
        for text in ["longer", "short"] {
            let mut file = output.stream(&path("a.log")).expect("made");
            file.write_all(text.as_bytes()).expect("written");
        }
        let found = output.read(&path("a.log")).expect("read");
        assert_eq!(found, Present::File("short".into()));
        symlink(outside.path().join("known"), inside.path().join("b.log")).expect("linked");
        assert!(output.stream(&path("b.log")).is_err());
        let text = fs::read_to_string(outside.path().join("known")).expect("read");
        assert_eq!(text, "known");
    }

    #[test]
    fn a_link_in_the_place_of_a_file_is_neither_read_nor_replaced() {
        let (inside, outside, output) = folders();
        symlink(outside.path().join("known"), inside.path().join("f")).expect("linked");
        assert!(matches!(
            output.read(&path("f")).expect("read"),
            Present::Other(_)
        ));
        assert!(output.replace(&path("f"), b"x", false).is_err());
        assert!(output.remove(&path("f")).is_err());
        let text = fs::read_to_string(outside.path().join("known")).expect("read");
        assert_eq!(text, "known");
    }

    #[test]
    fn what_a_killed_run_left_is_swept_and_what_is_being_written_is_not() {
        let (inside, _outside, output) = folders();
        let left = format!("{}left{}", PARTIAL.0, PARTIAL.1);
        let held = format!("{}held{}", PARTIAL.0, PARTIAL.1);
        fs::write(inside.path().join(&left), "x").expect("written");
        let file = fs::File::create(inside.path().join(&held)).expect("made");
        file.lock().expect("locked");
        output.sweep([&path("a")]);
        assert_eq!(names(inside.path()), [held]);
    }
}
