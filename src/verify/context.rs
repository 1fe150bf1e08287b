//! The build context: the repository as `.dockerignore` leaves it, with the generated files on top.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, bail};
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use tar::{Builder, EntryType, Header};
use walkdir::WalkDir;

use crate::render::Artifact;

/// A context may be this large, in bytes.
const LARGEST: u64 = 1 << 30;

/// Returns the context as a tar archive; modes and times are always the same, so that the engine's
/// cache depends on contents only. Links are kept as links and never followed.
///
/// # Errors
///
/// When a file cannot be read, or the context is larger than 1 GiB.
pub fn archive(repository: &Path, artifacts: &[Artifact]) -> anyhow::Result<Vec<u8>> {
    let ignored = rules(artifacts);
    let generated: BTreeMap<&str, &Artifact> = artifacts
        .iter()
        .map(|artifact| (artifact.path.as_str(), artifact))
        .collect();
    let mut archive = Builder::new(Vec::new());
    let mut size = 0;
    let walk = WalkDir::new(repository)
        .follow_links(false)
        .min_depth(1)
        .sort_by_file_name()
        .into_iter();
    let walk = walk.filter_entry(|entry| entry.file_name() != ".git");
    for entry in walk {
        let entry = entry.context("failed to list the repository")?;
        let path = entry
            .path()
            .strip_prefix(repository)
            .context("a walk stays below its root")?;
        let name = path.to_string_lossy().replace('\\', "/");
        let is_folder = entry.file_type().is_dir();
        let is_out = ignored
            .matched_path_or_any_parents(path, is_folder)
            .is_ignore();
        if is_out || generated.contains_key(name.as_str()) {
            continue;
        }
        let mut header = header(0o644);
        if is_folder {
            header.set_entry_type(EntryType::Directory);
            header.set_mode(0o755);
            archive.append_data(&mut header, format!("{name}/"), std::io::empty())?;
        } else if entry.file_type().is_symlink() {
            let target = fs::read_link(entry.path())
                .with_context(|| format!("failed to read the link `{name}`"))?;
            header.set_entry_type(EntryType::Symlink);
            archive.append_link(&mut header, &name, target)?;
        } else if entry.file_type().is_file() {
            let bytes =
                fs::read(entry.path()).with_context(|| format!("failed to read `{name}`"))?;
            size += bytes.len() as u64;
            if size > LARGEST {
                bail!(
                    "the build context is larger than 1 GiB; exclude what the image does not need in .dockerignore"
                );
            }
            header.set_mode(if is_executable(&entry) { 0o755 } else { 0o644 });
            append(&mut archive, header, &name, &bytes)?;
        }
    }
    for (name, artifact) in generated {
        // The engine needs the Dockerfile itself; of the others an image gets what it asks for.
        let is_dockerfile = name.starts_with("Dockerfile");
        if !is_dockerfile && ignored.matched_path_or_any_parents(name, false).is_ignore() {
            continue;
        }
        let header = header(if artifact.executable { 0o755 } else { 0o644 });
        append(&mut archive, header, name, artifact.contents.as_bytes())?;
    }
    archive
        .into_inner()
        .context("failed to pack the build context")
}

/// Returns a tar archive of `files`, for copying into a container.
///
/// # Errors
///
/// When a path is too long for tar.
pub fn files(files: &[(String, Vec<u8>)]) -> anyhow::Result<Vec<u8>> {
    let mut archive = Builder::new(Vec::new());
    for (name, bytes) in files {
        append(&mut archive, header(0o644), name, bytes)?;
    }
    archive.into_inner().context("failed to pack files")
}

fn header(mode: u32) -> Header {
    let mut header = Header::new_gnu();
    header.set_mode(mode);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header.set_size(0);
    header
}

fn append(
    archive: &mut Builder<Vec<u8>>,
    mut header: Header,
    name: &str,
    bytes: &[u8],
) -> anyhow::Result<()> {
    header.set_size(bytes.len() as u64);
    archive
        .append_data(&mut header, name, bytes)
        .with_context(|| format!("failed to pack `{name}`"))
}

/// The patterns of the generated `.dockerignore`. They are anchored at the root, as Docker reads
/// them: <https://docs.docker.com/build/concepts/context/#dockerignore-files>.
fn rules(artifacts: &[Artifact]) -> Gitignore {
    let mut builder = GitignoreBuilder::new("");
    let text = artifacts
        .iter()
        .find(|artifact| artifact.path == ".dockerignore")
        .map_or("", |artifact| &artifact.contents);
    for line in text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        let (negation, pattern) = line
            .strip_prefix('!')
            .map_or(("", line), |pattern| ("!", pattern));
        let anchored = if pattern.starts_with("**/") {
            pattern.to_owned()
        } else {
            format!("/{}", pattern.trim_start_matches('/'))
        };
        // A malformed pattern ignores nothing, as for Docker.
        let _ = builder.add_line(None, &format!("{negation}{anchored}"));
    }
    builder.build().unwrap_or_else(|_| Gitignore::empty())
}

#[cfg(unix)]
fn is_executable(entry: &walkdir::DirEntry) -> bool {
    use std::os::unix::fs::PermissionsExt;
    entry
        .metadata()
        .is_ok_and(|metadata| metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(_: &walkdir::DirEntry) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignored_files_stay_out_and_generated_ones_come_in() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("app.py"), "x").expect("written");
        fs::write(folder.path().join(".env"), "SECRET=1").expect("written");
        fs::write(folder.path().join("Dockerfile"), "old").expect("written");
        let artifact = |path: &str, contents: &str| Artifact {
            path: path.into(),
            contents: contents.into(),
            origins: BTreeMap::new(),
            executable: false,
        };
        let artifacts = [
            artifact(".dockerignore", "**/.env\nk8s\n"),
            artifact("Dockerfile", "new"),
        ];
        let bytes = archive(folder.path(), &artifacts).expect("packed");
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
        assert_eq!(names, ["app.py", ".dockerignore", "Dockerfile"]);
    }
}
