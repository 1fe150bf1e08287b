//! The door to podman: a store, a network and temporary files of its own for each run, so that
//! nothing of the user's is touched and everything is removed by forgetting the store.

#![allow(
    clippy::disallowed_methods,
    reason = "files of the engine, of the system and in folders of longshore's own"
)]

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
/// The configuration of podman, where the machine's own would not do.
const CONFIGURATION: &str = "containers.conf";

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
        let proc = |name: &str| {
            let text = fs::read_to_string(Path::new("/proc").join(name));
            text.unwrap_or_default()
        };
        let most_processes = proc("sys/kernel/pid_max");
        if let Some(text) = lower_limits(
            &proc("self/status"),
            &proc("self/limits"),
            most_processes.trim().parse().unwrap_or(u64::MAX),
        ) {
            fs::write(podman.folder.join(CONFIGURATION), text)
                .context("failed to write into the folder of temporary files")?;
        }
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

    /// Returns how much time of a core a container has used; `None` where podman may not look, as
    /// without root on cgroups of the first version.
    /// <https://docs.podman.io/en/stable/markdown/podman-stats.1.html>
    pub async fn used(&self, container: &str) -> Option<Duration> {
        let arguments = [
            "stats",
            "--no-stream",
            "--format",
            "{{.CPUNano}}",
            container,
        ];
        let text = self.run(&arguments).await.ok()?;
        text.parse().ok().map(Duration::from_nanos)
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
    let configuration = place(CONFIGURATION);
    if std::env::var_os("CONTAINERS_CONF").is_none() && configuration.is_file() {
        command.env("CONTAINERS_CONF", configuration);
    }
    command.args(arguments).stdin(Stdio::null());
    command
}

/// Returns a `containers.conf` with the limits of this process, where it is root and may not raise
/// them, as within a container; `None` anywhere else. podman would set higher ones, and start
/// nothing.
///
/// `status` and `limits` are those files of `/proc/self`. `most_processes` are those that the kernel
/// has numbers for, to which podman lowers its own limit.
/// <https://github.com/containers/common/blob/main/docs/containers.conf.5.md> (`default_ulimits`)
fn lower_limits(status: &str, limits: &str, most_processes: u64) -> Option<String> {
    /// The bit of `CAP_SYS_RESOURCE`, from linux/capability.h.
    const SYS_RESOURCE: u64 = 1 << 24;
    /// What podman sets where it may.
    const OPEN_FILES: u64 = 1 << 20;
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()
    };
    let is_root = field("Uid:") == Some("0");
    let capabilities = u64::from_str_radix(field("CapEff:")?, 16).ok()?;
    if !is_root || capabilities & SYS_RESOURCE != 0 {
        return None;
    }
    // The hard limit; where there is none, any that podman sets is lower.
    let own = |name: &str| -> Option<u64> {
        let line = limits.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().nth(1)?.parse().ok()
    };
    let files = own("Max open files").map_or(OPEN_FILES, |own| own.min(OPEN_FILES));
    let processes = own("Max processes").map_or(most_processes, |own| own.min(most_processes));
    Some(format!(
        "[containers]\ndefault_ulimits = [\"nofile={files}:{files}\", \"nproc={processes}:{processes}\"]\n"
    ))
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
    fn only_root_that_may_not_raise_limits_keeps_its_own() {
        let status = |user: &str, capabilities: &str| {
            format!("Name:\tx\nUid:\t{user}\t0\t0\t0\nCapEff:\t{capabilities}\n")
        };
        let limits = "Limit                     Soft Limit           Hard Limit           Units     \n\
                      Max processes             unlimited            unlimited            processes \n\
                      Max open files            1024                 4096                 files     \n";
        let own = "[containers]\ndefault_ulimits = [\"nofile=4096:4096\", \"nproc=32768:32768\"]\n";
        for (user, capabilities, expected) in [
            ("0", "000001fffeffffff", Some(own)),
            ("0", "000001ffffffffff", None),
            ("1000", "0000000000000000", None),
        ] {
            let found = lower_limits(&status(user, capabilities), limits, 32768);
            assert_eq!(found.as_deref(), expected, "{user} {capabilities}");
        }
        assert_eq!(lower_limits("", "", 32768), None, "no /proc");
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
