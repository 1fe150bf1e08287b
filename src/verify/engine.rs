//! The door to the container engine, and what passes through it.

#![allow(
    clippy::disallowed_methods,
    reason = "files of the engine, of the system and in folders of longshore's own"
)]

use std::{collections::BTreeMap, fmt, time::Duration};

use super::{Event, context::Context, load::Ramp};
use crate::plan::Load;

/// A container engine. Tests put a fake in its place.
#[allow(
    async_fn_in_trait,
    reason = "one thread runs a smoke run from end to end"
)]
pub trait Engine {
    /// Makes sure that `image` is there, pulling it where it is not.
    async fn ensure_image(&self, image: &str) -> Result<ImageInfo, EngineError>;
    /// Builds an image; the outer error is the engine's, the inner one the Dockerfile's.
    async fn build(
        &self,
        run: &Run,
        request: BuildRequest,
        progress: &mut dyn FnMut(Event),
    ) -> Result<Result<Built, BuildFailure>, EngineError>;
    /// Makes the private network of the run.
    async fn create_network(&self, run: &Run) -> Result<(), EngineError>;
    /// Makes a volume of the run and returns its name.
    async fn create_volume(&self, run: &Run, name: &str) -> Result<String, EngineError>;
    /// Creates a container and returns its id.
    async fn create(&self, run: &Run, spec: &ContainerSpec) -> Result<String, EngineError>;
    /// Unpacks a tar archive into a folder of a container.
    async fn copy_in(&self, id: &str, folder: &str, archive: Vec<u8>) -> Result<(), EngineError>;
    /// Starts a created container; the inner error says why its command cannot be run.
    async fn start(&self, id: &str) -> Result<Result<(), String>, EngineError>;
    /// Returns how a container is.
    async fn state(&self, id: &str) -> Result<State, EngineError>;
    /// Runs a command in a container.
    async fn exec(&self, id: &str, command: &[String]) -> Result<Executed, EngineError>;
    /// Returns the kernel's tables of the container's sockets, `/proc/net/tcp` and `tcp6`; `None`
    /// where they cannot be read.
    async fn sockets(&self, id: &str) -> Result<Option<String>, EngineError>;
    /// Returns what a container printed, the beginning and the end where it is long.
    async fn logs(&self, id: &str) -> Result<String, EngineError>;
    /// Returns what a container uses.
    async fn usage(&self, id: &str) -> Result<Usage, EngineError>;
    /// Sends a ramp of requests to a port that is published on this machine's loopback address.
    async fn ramp(&self, ramp: &Ramp) -> Load;
    /// Returns what a container changed in its root file system, in the order of the paths.
    async fn changes(&self, id: &str) -> Result<Vec<Change>, EngineError>;
    /// Returns whether a path of a container, which need not run, is a folder.
    async fn is_folder(&self, id: &str, path: &str) -> Result<bool, EngineError>;
    /// Asks a container to stop, ends it after `grace`, and returns how long it took; `None` where
    /// it did not heed the request and was killed at the end of `grace`.
    async fn stop(&self, id: &str, grace: Duration) -> Result<Option<Duration>, EngineError>;
    /// Asks `path` of the port that is published on this machine's loopback address.
    async fn get(
        &self,
        port: u16,
        path: &str,
        host: &str,
        cookies: &[String],
    ) -> Result<Answer, String>;
    /// Asks the health service of gRPC, `grpc.health.v1`, on a published port.
    async fn grpc_health(&self, port: u16) -> Result<GrpcHealth, String>;
    /// Removes everything that carries the label of the run.
    async fn remove_run(&self, run: &str, keep_image: bool) -> Result<(), EngineError>;
    /// Removes what runs of this machine left whose process is gone.
    async fn sweep(&self);
}

/// What a build needs.
pub struct BuildRequest {
    /// The build context, which is packed while it is sent.
    pub context: Context,
    /// Name of the Dockerfile in the context.
    pub dockerfile: String,
    /// Tag for the image.
    pub tag: String,
    /// Variables of this process that are handed to the build as secrets of the same id.
    pub secrets: Vec<String>,
    /// When to give up.
    pub timeout: Duration,
}

/// A built image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// Its id.
    pub id: String,
    /// Its size in bytes.
    pub size: u64,
    /// What the build printed.
    pub log: String,
}

/// A build that failed because of the Dockerfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildFailure {
    /// The instruction that failed, where it is known.
    pub step: Option<String>,
    /// What the engine says.
    pub message: String,
    /// What the build printed.
    pub log: String,
}

/// What is known of an image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageInfo {
    /// Whether it stands in for the official image of this name.
    pub stand_in: bool,
}

/// A container to create.
#[derive(Debug, Clone, Default)]
pub struct ContainerSpec {
    /// Name within the run; other containers reach it under `aliases`.
    pub name: String,
    /// Names in the network.
    pub aliases: Vec<String>,
    /// Id of the container whose network it shares, in place of the run's.
    pub shares_network_of: Option<String>,
    /// Its image.
    pub image: String,
    /// What runs in place of the image's own entry point.
    pub entrypoint: Option<Vec<String>>,
    /// Command in place of the image's own.
    pub command: Option<Vec<String>>,
    /// Folder to run in, in place of the image's own.
    pub directory: Option<String>,
    /// Environment.
    pub env: BTreeMap<String, String>,
    /// Whether to run it as the manifests do: read-only root, no capabilities, no new privileges.
    pub hardened: Option<Hardening>,
    /// Whether it runs as root where it is not hardened, in place of the image's own user.
    pub as_root: bool,
    /// Volumes: name → path.
    pub volumes: BTreeMap<String, String>,
    /// Ports to publish on loopback: inside, outside (0 for a free one).
    pub publish: Vec<(u16, u16)>,
}

/// The security context of the manifests.
#[derive(Debug, Clone)]
pub struct Hardening {
    /// Numeric user and group.
    pub user: u32,
    /// Paths that are writable but not kept.
    pub tmpfs: Vec<String>,
    /// Memory limit in bytes.
    pub memory: i64,
}

/// How a container is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// Whether it runs.
    pub running: bool,
    /// How it ended, once it has.
    pub exit_code: Option<i64>,
    /// Whether the kernel ended it for want of memory.
    pub out_of_memory: bool,
    /// The loopback ports that its ports were published on: inside → outside.
    pub published: BTreeMap<u16, u16>,
}

/// What a container uses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Memory in use that the kernel cannot take back, in bytes.
    pub memory: u64,
    /// The highest memory use so far that the engine knows of, in bytes.
    pub peak_memory: u64,
    /// CPU time used so far.
    pub cpu: Duration,
    /// When this was so, since the beginning of Unix time.
    pub at: Duration,
}

/// A path of its root file system that a container changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The path.
    pub path: String,
    /// How it was changed.
    pub kind: ChangeKind,
}

/// How a container changed a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// The image does not have it.
    Added,
    /// The image has it; a folder also counts where something in it was changed.
    Modified,
    /// The image has it, and it is gone.
    Deleted,
}

/// What a command in a container came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Executed {
    /// Its exit code; `None` where it could not be started.
    pub exit_code: Option<i64>,
    /// What it printed.
    pub output: String,
}

/// An answer over HTTP.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The `Location` header.
    pub location: Option<String>,
    /// The `WWW-Authenticate` header.
    pub challenge: Option<String>,
    /// The cookies that it sets, `name=value`.
    pub cookies: Vec<String>,
    /// The beginning of the body.
    pub body: String,
}

/// What a port says to the health check of gRPC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GrpcHealth {
    /// It serves.
    Serving,
    /// It does not serve, or not yet.
    NotServing,
    /// It speaks gRPC, and has no such service.
    NoService,
}

/// Trouble with the engine or this machine, for which no edit of the plan helps.
#[derive(Debug)]
pub enum EngineError {
    /// No engine answers at this address.
    Unreachable {
        /// The address.
        address: String,
        /// What the attempt said.
        cause: String,
    },
    /// An image is neither there nor can it be pulled.
    NoImage {
        /// Its name.
        image: String,
        /// What the registry or the engine says.
        cause: String,
    },
    /// Something else already listens on the port that was asked for.
    PortTaken(u16),
    /// The engine has no room left.
    DiskFull(String),
    /// The engine no longer has a layer that its build cache names.
    LostLayer(String),
    /// The connection to the engine broke off.
    Gone {
        /// What was being done.
        doing: &'static str,
        /// What the connection said.
        cause: String,
    },
    /// The user ended the run.
    Interrupted,
    /// The engine went away, or said something unexpected.
    Other {
        /// What was tried.
        doing: &'static str,
        /// What it said.
        cause: String,
    },
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable { address, cause } => {
                write!(f, "no container engine answers at `{address}`: {cause}")
            }
            Self::NoImage { image, cause } => {
                write!(
                    f,
                    "the image `{image}` is not on this machine and cannot be pulled: {cause}"
                )
            }
            Self::PortTaken(port) => write!(f, "port {port} of this machine is already taken"),
            Self::DiskFull(cause) => write!(
                f,
                "the container engine has no room left on its disk: {cause}"
            ),
            Self::LostLayer(cause) => write!(
                f,
                "the container engine has lost a layer of its build cache: {cause}"
            ),
            Self::Gone { doing, cause } => {
                write!(f, "the container engine went away {doing}: {cause}")
            }
            Self::Interrupted => write!(f, "interrupted; everything that was started is removed"),
            Self::Other { doing, cause } => {
                write!(f, "the container engine failed {doing}: {cause}")
            }
        }
    }
}

impl std::error::Error for EngineError {}

impl EngineError {
    /// Returns the error that `text`, what some tool or the kernel said, tells of a full disk.
    pub fn of_full_disk(text: &str) -> Option<Self> {
        let is_full = |line: &&str| line.to_lowercase().contains("no space left on device");
        let line = text.lines().find(is_full)?;
        Some(Self::DiskFull(line.trim().to_owned()))
    }

    /// Returns what to do, one action each.
    pub fn hints(&self) -> Vec<String> {
        let hints: &[&str] = match self {
            Self::Unreachable { .. } => &[
                "start it: `sudo systemctl start docker`, or `dockerd` by hand",
                "or name another one in the environment variable DOCKER_HOST",
                "`longshore plan` and `longshore convert` need none",
            ],
            Self::NoImage { .. } => &[
                "check its name and tag",
                "log in to a registry that has it (`docker login`), or set a mirror in the engine's `daemon.json`",
                "or bring it as a file: `docker load`",
            ],
            Self::PortTaken(_) => &["leave `--port` out to take a free one"],
            Self::DiskFull(_) => &["make room with `docker system prune`"],
            Self::LostLayer(_) => &["empty the cache with `docker builder prune --all`"],
            Self::Gone { .. } => &[
                "start it again: `sudo systemctl start docker`, or `dockerd` by hand",
                "then run the command again: that also removes what this run left behind",
            ],
            Self::Interrupted => &[],
            Self::Other { .. } => &["look at the engine's own log, then run the command again"],
        };
        hints.iter().map(|hint| (*hint).to_owned()).collect()
    }
}

/// One smoke run: what it makes carries its labels.
#[derive(Debug, Clone)]
pub struct Run {
    /// Unique name.
    pub id: String,
    /// Labels for containers, networks, volumes and images.
    pub labels: BTreeMap<String, String>,
    random: Vec<u8>,
}

/// Label that holds the name of a run.
pub const RUN_LABEL: &str = "io.longshore.run";
/// Label that holds which process of which machine made something.
pub const OWNER_LABEL: &str = "io.longshore.owner";

impl Run {
    /// Returns a new run of this process.
    ///
    /// # Errors
    ///
    /// When the system gives no random numbers.
    pub fn new() -> anyhow::Result<Self> {
        let mut random = vec![0; 32];
        getrandom::fill(&mut random)
            .map_err(|error| anyhow::anyhow!("the system gives no random numbers: {error}"))?;
        let id: String = random[..6]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let labels = [
            (RUN_LABEL.to_owned(), id.clone()),
            (OWNER_LABEL.to_owned(), owner(std::process::id())),
        ];
        Ok(Self {
            id,
            labels: labels.into(),
            random,
        })
    }

    /// Returns the secret `name` of this run: 32 letters and digits, the length of the keys that ciphers
    /// of 256 bits take (laravel.com/docs/master/encryption, RFC 7518, section 3.2).
    pub fn secret(&self, name: &str) -> String {
        use sha2::{Digest, Sha256};
        let digest = Sha256::new()
            .chain_update(&self.random)
            .chain_update(name)
            .finalize();
        const LETTERS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";
        digest
            .iter()
            .map(|byte| char::from(LETTERS[usize::from(*byte) % LETTERS.len()]))
            .collect()
    }
}

/// Returns what tells this process from every other, on any machine: boot and namespace, number and
/// start time.
pub fn owner(pid: u32) -> String {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    // Two runs in containers that share an engine do not see each other's process numbers.
    let namespace = std::fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // Field 22, counted behind the name in parentheses, which may hold blanks: proc_pid_stat(5).
    let started = stat
        .rsplit_once(')')
        .and_then(|(_, rest)| rest.split_whitespace().nth(19))
        .unwrap_or("gone");
    format!("{}/{} {pid} {started}", boot.trim(), namespace.display())
}

/// Returns whether the process behind an owner label is gone for sure: it was one of this boot and
/// process namespace of this machine, and no longer runs.
pub fn is_gone(label: &str) -> bool {
    let mut parts = label.split(' ');
    let (Some(boot), Some(pid)) = (parts.next(), parts.next().and_then(|pid| pid.parse().ok()))
    else {
        return false;
    };
    let now = owner(pid);
    now.starts_with(&format!("{boot} ")) && now != label
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_live_process_is_not_gone() {
        assert!(!is_gone(&owner(std::process::id())));
    }

    #[test]
    fn a_process_with_the_number_of_a_dead_one_is_another() {
        let label = owner(std::process::id());
        let (known, _) = label.rsplit_once(' ').expect("three parts");
        assert!(is_gone(&format!("{known} 1")));
    }

    #[test]
    fn a_process_of_another_machine_or_namespace_is_left_alone() {
        assert!(!is_gone("0000/pid:[1] 1 1"));
        assert!(!is_gone("not a label of ours"));
    }

    #[test]
    fn a_secret_is_the_same_within_a_run_only() {
        let (one, other) = (Run::new().expect("random"), Run::new().expect("random"));
        assert_eq!(one.secret("KEY"), one.secret("KEY"));
        assert_ne!(one.secret("KEY"), one.secret("OTHER"));
        assert_ne!(one.secret("KEY"), other.secret("KEY"));
        let is_plain = |c: char| c.is_ascii_alphanumeric();
        assert!(one.secret("KEY").len() == 32 && one.secret("KEY").chars().all(is_plain));
    }
}
