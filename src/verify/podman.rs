//! The door to podman: a store, a network and temporary files of its own for each run, so that
//! nothing of the user's is touched and everything is removed by forgetting the store.

use std::{
    ffi::OsStr,
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::Duration,
};

use anyhow::{Context as _, bail};

use super::engine::{Run, is_gone};

/// What the folder of a run begins with, in the folder of temporary files.
const PREFIX: &str = "longshore-podman-";
/// The file in it that says which process it belongs to.
const OWNER: &str = "owner";

/// Podman with a store of its own; all that it made is removed when this goes out of scope.
pub struct Podman {
    folder: PathBuf,
    network: String,
}

impl Podman {
    /// Returns the version of the podman of this machine, as major and minor number; `None` where
    /// there is none.
    pub fn version() -> Option<(u32, u32)> {
        let output = Command::new("podman")
            .arg("--version")
            .stdin(Stdio::null())
            .output()
            .ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        version(&text)
    }

    /// Makes the store and the network of `run`.
    ///
    /// # Errors
    ///
    /// When podman cannot do so; what was made is removed.
    pub async fn open(run: &Run) -> anyhow::Result<Self> {
        let folder = std::env::temp_dir().join(format!("{PREFIX}{}", run.id));
        let podman = Self {
            folder,
            network: format!("longshore-podman-{}", run.id),
        };
        private_folder(&podman.folder)?;
        fs::write(
            podman.folder.join(OWNER),
            super::engine::owner(std::process::id()),
        )
        .context("failed to write into the folder of temporary files")?;
        podman.run(&["network", "create", &podman.network]).await?;
        Ok(podman)
    }

    /// Returns the folder for files of the run.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns the network of the run.
    pub fn network(&self) -> &str {
        &self.network
    }

    /// Runs podman and returns what it printed on stdout.
    ///
    /// # Errors
    ///
    /// What it printed, where it fails or takes too long.
    pub async fn run(&self, arguments: &[&str]) -> anyhow::Result<String> {
        /// Long enough for an image of some gigabytes.
        const PATIENCE: Duration = Duration::from_secs(600);
        let mut command = tokio::process::Command::from(command(&self.folder, arguments));
        command.kill_on_drop(true);
        let output = tokio::time::timeout(PATIENCE, command.output()).await;
        let output = output.with_context(|| format!("`podman {}` hangs", arguments.join(" ")))?;
        let output = output.context("failed to run podman")?;
        told(arguments, &output)
    }

    /// Returns the exit code of a container that has ended.
    ///
    /// # Errors
    ///
    /// When there is no such container.
    pub async fn exit_code(&self, container: &str) -> anyhow::Result<Option<i64>> {
        let format = "{{.State.Status}} {{.State.ExitCode}}";
        let text = self
            .run(&["inspect", "--format", format, container])
            .await?;
        let (status, code) = text
            .trim()
            .split_once(' ')
            .context("podman told no state")?;
        let is_over = matches!(status, "exited" | "stopped");
        Ok(code.parse().ok().filter(|_| is_over))
    }

    /// Returns the end of what a container printed.
    pub async fn logs(&self, container: &str) -> String {
        let mut command = tokio::process::Command::from(command(
            &self.folder,
            &["logs", "--tail", "60", container],
        ));
        command.kill_on_drop(true);
        match command.output().await {
            Ok(output) => {
                let streams = [output.stdout, output.stderr];
                streams
                    .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
                    .concat()
            }
            Err(_) => String::new(),
        }
    }

    /// Removes everything.
    ///
    /// # Errors
    ///
    /// What is left, and why.
    pub fn close(self) -> anyhow::Result<()> {
        remove(&self.folder)
    }
}

impl Drop for Podman {
    fn drop(&mut self) {
        // After an error that one is told; what is left is tried again at the next run.
        let _ = remove(&self.folder);
    }
}

/// Removes what runs of this machine left behind whose process was killed.
pub fn sweep() {
    let Ok(entries) = fs::read_dir(std::env::temp_dir()) else {
        return;
    };
    for entry in entries.flatten() {
        let is_ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
        let owner = fs::read_to_string(entry.path().join(OWNER)).unwrap_or_default();
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_ours && is_folder && is_mine(&entry.path()) && is_gone(&owner) {
            let _ = remove(&entry.path());
        }
    }
}

/// Returns a port of this machine that nothing listens on now.
///
/// # Errors
///
/// When none is free.
pub fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").context("no port of this machine is free")?;
    Ok(listener.local_addr()?.port())
}

fn version(text: &str) -> Option<(u32, u32)> {
    let number = text.split_whitespace().last()?;
    let mut parts = number.split('.').map(|part| part.parse().ok());
    Some((parts.next()??, parts.next()??))
}

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("podman");
    let place = |name: &str| folder.join(name);
    let options: [(&str, PathBuf); 3] = [
        ("--root", place("root")),
        ("--runroot", place("runroot")),
        ("--tmpdir", place("tmp")),
    ];
    for (option, path) in &options {
        command.arg(option).arg(path);
    }
    command.args(arguments).stdin(Stdio::null());
    command
}

fn told(arguments: &[&str], output: &Output) -> anyhow::Result<String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if !output.status.success() {
        bail!(
            "`podman {}` failed: {}\n{}",
            arguments.first().copied().unwrap_or_default(),
            text(&output.stderr),
            text(&output.stdout)
        );
    }
    Ok(text(&output.stdout))
}

/// The folder holds secrets: nobody else may read it, nor have made it.
fn private_folder(path: &Path) -> anyhow::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    let made = builder.create(path);
    made.with_context(|| format!("failed to make `{}`", path.display()))
}

#[cfg(unix)]
fn is_mine(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let owner = |path: &Path| fs::metadata(path).map(|data| data.uid()).ok();
    owner(path).is_some() && owner(path) == owner(Path::new("/proc/self"))
}

#[cfg(not(unix))]
fn is_mine(_: &Path) -> bool {
    true
}

fn remove(folder: &Path) -> anyhow::Result<()> {
    if !folder.exists() {
        return Ok(());
    }
    let name = folder.file_name().unwrap_or_default();
    let quiet = |program: &str, arguments: &[&OsStr]| {
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null());
        let _ = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    };
    for arguments in [
        &["pod", "rm", "--all", "--force", "--time", "0"][..],
        &["rm", "--all", "--force", "--time", "0"],
        &["network", "rm", "--force", &name.to_string_lossy()],
        &["volume", "rm", "--all", "--force"],
        &["rmi", "--all", "--force"],
    ] {
        let _ = command(folder, arguments).output();
    }
    if fs::remove_dir_all(folder).is_ok() {
        return Ok(());
    }
    // The store may be a mount of its own, and files in it belong to users of a namespace.
    quiet("umount", &[folder.join("root/overlay").as_os_str()]);
    quiet(
        "podman",
        &["unshare", "rm", "-rf", "--"]
            .map(OsStr::new)
            .into_iter()
            .chain([folder.as_os_str()])
            .collect::<Vec<_>>(),
    );
    if !folder.exists() {
        return Ok(());
    }
    fs::remove_dir_all(folder)
        .with_context(|| format!("failed to remove podman's store `{}`", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_its_first_two_numbers() {
        assert_eq!(version("podman version 4.3.1\n"), Some((4, 3)));
        assert_eq!(version("podman version 5.4.2"), Some((5, 4)));
        assert_eq!(version("podman"), None);
    }

    #[test]
    fn folders_of_live_processes_and_of_others_are_left_alone() {
        let run = Run::new().expect("random");
        let folder = std::env::temp_dir().join(format!("{PREFIX}{}", run.id));
        private_folder(&folder).expect("made");
        assert!(
            private_folder(&folder).is_err(),
            "a second one must not share it"
        );
        fs::write(
            folder.join(OWNER),
            super::super::engine::owner(std::process::id()),
        )
        .expect("written");
        sweep();
        let stays = folder.exists();
        fs::write(folder.join(OWNER), "no label of ours").expect("written");
        sweep();
        let stays_too = folder.exists();
        fs::remove_dir_all(&folder).expect("removed");
        assert!(stays && stays_too);
    }
}
