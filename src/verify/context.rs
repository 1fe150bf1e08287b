//! The build context: the repository as `.dockerignore` leaves it, with the generated files on top.

use std::{
    collections::BTreeMap,
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail, ensure};
use tar::{Builder, EntryType, Header};
use walkdir::WalkDir;

use super::ignored::Ignored;
use crate::{input, render::Artifact};

/// A context may be this large, in bytes.
const LARGEST: u64 = 1 << 30;
/// When every file was written, in seconds of Unix time: 1980, the first year of a ZIP archive. Maven's
/// war plugin does not copy a file of time 0, which is what a missing file has in Java.
const WRITTEN: u64 = 315_532_800;
/// A file that is loaded into a service may be this large, in bytes.
const LARGEST_FILE: u64 = 64 << 20;

/// What a build may see, listed but not yet read.
///
/// Modes and times are always the same, so that the engine's cache depends on contents only. Links
/// are kept as links and never followed.
#[derive(Debug, Clone)]
pub struct Context {
    entries: Vec<Entry>,
}

#[derive(Debug, Clone)]
struct Entry {
    name: String,
    content: Content,
}

#[derive(Debug, Clone)]
enum Content {
    Folder,
    Link { target: PathBuf },
    File { path: PathBuf, size: u64, mode: u32 },
    Generated { text: String, mode: u32 },
}

impl Context {
    /// Lists the repository without what `.dockerignore` among `artifacts` leaves out.
    ///
    /// # Errors
    ///
    /// When a folder cannot be listed, or the context is larger than 1 GiB.
    pub fn list(repository: &Path, artifacts: &[Artifact]) -> anyhow::Result<Self> {
        let ignored = ignored(artifacts);
        let generated: BTreeMap<&str, &Artifact> = artifacts
            .iter()
            .map(|artifact| (artifact.path.as_str(), artifact))
            .collect();
        let mut entries = Vec::new();
        let mut size = 0;
        let walk = WalkDir::new(repository)
            .follow_links(false)
            .min_depth(1)
            .sort_by_file_name();
        let mut walk = walk.into_iter();
        while let Some(found) = walk.next() {
            let found = found.context("failed to list the repository")?;
            let path = found
                .path()
                .strip_prefix(repository)
                .context("a walk stays below its root")?;
            let name = path.to_string_lossy().replace('\\', "/");
            let is_folder = found.file_type().is_dir();
            let is_out = found.file_name() == ".git" || ignored.is_ignored(&name);
            if is_out {
                if is_folder && (found.file_name() == ".git" || !ignored.may_return_below(&name)) {
                    walk.skip_current_dir();
                }
                continue;
            }
            // A generated file takes the place of the repository's, and of a link or a file that
            // stands where its folder must be.
            let below = format!("{name}/");
            let gives_way = generated.contains_key(name.as_str())
                || !is_folder && generated.keys().any(|path| path.starts_with(&below));
            if gives_way {
                continue;
            }
            let content = if is_folder {
                Content::Folder
            } else if found.file_type().is_symlink() {
                let target = std::fs::read_link(found.path())
                    .with_context(|| format!("failed to read the link `{name}`"))?;
                Content::Link { target }
            } else if found.file_type().is_file() {
                let metadata = found
                    .metadata()
                    .with_context(|| format!("failed to read `{name}`"))?;
                size += metadata.len();
                let mode = if is_executable(&metadata) {
                    0o755
                } else {
                    0o644
                };
                Content::File {
                    path: found.path().to_owned(),
                    size: metadata.len(),
                    mode,
                }
            } else {
                continue;
            };
            entries.push(Entry { name, content });
        }
        if size > LARGEST {
            bail!(
                "the build context has {} MiB and may have {}; exclude what the image does not need in `.dockerignore`",
                size >> 20,
                LARGEST >> 20
            );
        }
        for (name, artifact) in generated {
            // The engine needs the Dockerfile itself; of the others an image gets what it asks for.
            let is_dockerfile = name.starts_with("Dockerfile");
            if is_dockerfile || !ignored.is_ignored(name) {
                let mode = if artifact.executable { 0o755 } else { 0o644 };
                let content = Content::Generated {
                    text: artifact.contents.clone(),
                    mode,
                };
                entries.push(Entry {
                    name: name.to_owned(),
                    content,
                });
            }
        }
        Ok(Self { entries })
    }

    /// Packs the context as a tar archive.
    ///
    /// # Errors
    ///
    /// When a file cannot be read, or `to` takes no more.
    pub fn pack(&self, to: impl Write) -> io::Result<()> {
        let mut archive = Builder::new(to);
        for Entry { name, content } in &self.entries {
            match content {
                Content::Folder => {
                    let mut header = header(0o755, 0);
                    header.set_entry_type(EntryType::Directory);
                    archive.append_data(&mut header, format!("{name}/"), io::empty())?;
                }
                Content::Link { target } => {
                    let mut header = header(0o777, 0);
                    header.set_entry_type(EntryType::Symlink);
                    archive.append_link(&mut header, name, target)?;
                }
                Content::File { path, size, mode } => {
                    // The header has promised `size` bytes: a file that grew is cut, one that
                    // shrank is filled up.
                    let open = input::found(path)
                        .map_err(|why| io::Error::other(format!("failed to read `{name}`: {why}")));
                    let file = open?.chain(io::repeat(0)).take(*size);
                    archive.append_data(&mut header(*mode, *size), name, file)?;
                }
                Content::Generated { text, mode } => {
                    let size = text.len() as u64;
                    archive.append_data(&mut header(*mode, size), name, text.as_bytes())?;
                }
            }
        }
        archive.finish()
    }
}

/// Returns a tar archive of `files`, for copying into a container.
///
/// # Errors
///
/// When a path is too long for tar.
pub fn files(files: &[(String, Vec<u8>)]) -> anyhow::Result<Vec<u8>> {
    let mut archive = Builder::new(Vec::new());
    for (name, bytes) in files {
        archive
            .append_data(
                &mut header(0o644, bytes.len() as u64),
                name,
                bytes.as_slice(),
            )
            .with_context(|| format!("failed to pack `{name}`"))?;
    }
    archive.into_inner().context("failed to pack files")
}

/// Reads `path` of the repository, which a link may not leave.
///
/// # Errors
///
/// When it cannot be read, lies outside, or is larger than 64 MiB.
pub fn read_inside(repository: &Path, path: &str) -> anyhow::Result<Vec<u8>> {
    let failed = || format!("failed to read `{path}`");
    let root = repository.canonicalize().with_context(failed)?;
    let file = root.join(path).canonicalize().with_context(failed)?;
    ensure!(
        file.starts_with(&root),
        "`{path}` leads out of the repository"
    );
    input::read(&file, LARGEST_FILE).with_context(failed)
}

/// Returns whether a folder of the repository holds files, other than hidden ones that only keep it
/// in the repository.
pub fn holds_files(repository: &Path, folder: &str) -> bool {
    let files = WalkDir::new(repository.join(folder)).max_depth(4);
    let mut files = files.follow_links(false).into_iter().flatten();
    files.any(|file| {
        let is_hidden = file.file_name().to_string_lossy().starts_with('.');
        !file.file_type().is_dir() && !is_hidden
    })
}

fn ignored(artifacts: &[Artifact]) -> Ignored {
    let file = artifacts
        .iter()
        .find(|artifact| artifact.path == ".dockerignore");
    Ignored::parse(file.map_or("", |artifact| &artifact.contents))
}

fn header(mode: u32, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_mode(mode);
    header.set_mtime(WRITTEN);
    header.set_uid(0);
    header.set_gid(0);
    header.set_size(size);
    header
}

#[cfg(unix)]
fn is_executable(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn is_executable(_: &std::fs::Metadata) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};

    use super::*;

    fn artifact(path: &str, contents: &str) -> Artifact {
        Artifact {
            path: crate::output::OutputPath::fixed(path),
            contents: contents.into(),
            origins: BTreeMap::new(),
            executable: false,
        }
    }

    fn folder(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().expect("a parent")).expect("made");
            fs::write(path, "text of the repository").expect("written");
        }
        folder
    }

    fn packed(folder: &Path, artifacts: &[Artifact]) -> Vec<u8> {
        let mut bytes = Vec::new();
        Context::list(folder, artifacts)
            .expect("listed")
            .pack(&mut bytes)
            .expect("packed");
        bytes
    }

    #[track_caller]
    fn check(folder: &Path, artifacts: &[Artifact], expected: &[&str]) {
        let bytes = packed(folder, artifacts);
        let mut archive = tar::Archive::new(bytes.as_slice());
        let names: Vec<String> = archive
            .entries()
            .expect("entries")
            .map(|entry| {
                entry
                    .expect("an entry")
                    .path()
                    .expect("a path")
                    .to_string_lossy()
                    .into_owned()
            })
            .collect();
        assert_eq!(names, expected);
    }

    #[test]
    fn ignored_files_stay_out_and_generated_ones_come_in() {
        let folder = folder(&["app.py", ".env", "Dockerfile", ".git/config"]);
        let artifacts = [
            artifact(".dockerignore", "**/.env\nk8s\n"),
            artifact("Dockerfile", "new"),
        ];
        check(
            folder.path(),
            &artifacts,
            &["app.py", ".dockerignore", "Dockerfile"],
        );
    }

    #[test]
    fn a_file_that_is_needed_all_the_same_is_found_in_an_ignored_folder() {
        let folder = folder(&["env/other", "env/sample.env"]);
        let artifacts = [artifact(".dockerignore", "env\n!env/sample.env\n")];
        check(
            folder.path(),
            &artifacts,
            &["env/sample.env", ".dockerignore"],
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_kept_as_a_link_but_gives_way_to_a_generated_folder() {
        let folder = folder(&["app.py"]);
        std::os::unix::fs::symlink("/etc", folder.path().join("container")).expect("linked");
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join("users")).expect("linked");
        check(
            folder.path(),
            &[artifact("container/nginx.conf", "x")],
            &["app.py", "users", "container/nginx.conf"],
        );
        let bytes = packed(folder.path(), &[]);
        assert!(!String::from_utf8_lossy(&bytes).contains("root:"));
    }

    #[test]
    fn a_context_does_not_depend_on_times() {
        let folder = folder(&["app.py"]);
        let before = packed(folder.path(), &[]);
        let file = File::options()
            .write(true)
            .open(folder.path().join("app.py"))
            .expect("opens");
        file.set_modified(std::time::SystemTime::UNIX_EPOCH)
            .expect("set");
        assert_eq!(before, packed(folder.path(), &[]));
    }

    #[cfg(unix)]
    #[test]
    fn a_schema_outside_the_repository_is_not_read() {
        let folder = folder(&["schema.sql"]);
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join("link.sql")).expect("linked");
        assert!(read_inside(folder.path(), "schema.sql").is_ok());
        for path in ["link.sql", "../../../../../../etc/passwd", "/etc/passwd"] {
            let error = read_inside(folder.path(), path)
                .expect_err("outside")
                .to_string();
            assert!(error.contains("leads out of the repository"), "{error}");
        }
    }
}
