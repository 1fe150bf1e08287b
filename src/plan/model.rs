//! The plan as data: what `longshore plan --format json` prints.
//!
//! A plan is complete: rendering and verification read nothing else, neither the catalogue nor
//! the repository's text. Every value that a person may question carries its [`Origin`]s.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    name::{MountPath, ObjectName},
    output::OutputPath,
    secret::Secret,
};

pub use crate::origin::{Origin, OriginKind};

/// Name and version of the JSON shape, the value of [`BuildPlan::schema`].
pub const SCHEMA: &str = "longshore.plan/1";

/// Everything that was understood of one repository.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BuildPlan {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// Name of the application: lower-case letters, digits and `-`, fit for an image, a compose
    /// project and a Kubernetes object.
    pub name: String,
    /// The documents that were read, in reading order, relative to the repository.
    pub readmes: Vec<String>,
    /// The parts that become one image each.
    pub components: Vec<Component>,
    /// The fate of every command found in the documents, in their order.
    pub ledger: Vec<LedgerEntry>,
    /// What the input did not settle; each has a default that was taken.
    pub questions: Vec<Question>,
    /// What the user should know about the input.
    pub diagnostics: Vec<Finding>,
    /// When the measurements were recorded, and for which files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded: Option<Recorded>,
}

/// A record of a smoke run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Recorded {
    /// The day in UTC, ISO 8601.
    pub on: String,
    /// SHA-256 of the generated files that it was made for, without `CONTAINER.md`.
    pub files: String,
}

/// One deployable part of the repository: one image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Component {
    /// Unique name within the plan, fit for a compose service and a Kubernetes object.
    pub id: String,
    /// Folder of the application relative to the repository, `.` for the root.
    pub path: String,
    /// Id of the stack recipe, such as `python-pip`.
    pub stack: String,
    /// Id of the framework recipe, such as `django`.
    pub framework: Option<String>,
    /// Why this stack and framework were chosen.
    pub evidence: Vec<Origin>,
    /// The language runtime.
    pub runtime: Runtime,
    /// What other tools build for it, in stages of their own before its build stage.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assets: Vec<AssetStage>,
    /// How the image is laid out.
    pub image: Image,
    /// Debian packages of the two stages.
    pub system_packages: SystemPackages,
    /// Configuration files made from an example before the build steps run.
    pub files: Vec<FileCopy>,
    /// Commands that install dependencies, before the source is copied.
    pub install: Vec<Command>,
    /// Commands that build the application, after the source is copied.
    pub build: Vec<Command>,
    /// One-shot commands to run before each release, in order: migrations, seeds.
    pub prepare: Vec<Command>,
    /// How the application is started; `None` when nothing said so.
    pub start: Option<Start>,
    /// Further long-running processes of the same image, such as queue workers.
    pub processes: Vec<Process>,
    /// Scheduled jobs of the same image.
    pub schedules: Vec<Schedule>,
    /// Ports the application listens on; the first is the main one.
    pub ports: Vec<Port>,
    /// Requests that it hands on to another component.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub proxies: Vec<Proxy>,
    /// The name under which the public finds it, where one is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ingress: Option<Ingress>,
    /// What to ask of the application to know that it answers.
    pub health: Option<Health>,
    /// Environment variables the application reads.
    pub env: Vec<EnvVar>,
    /// Backing services to start beside it.
    pub services: Vec<Service>,
    /// Other components that it looks for, or starts after.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub peers: Vec<Peer>,
    /// Paths that must stay writable (and, where `persistent`, be kept).
    pub volumes: Vec<Volume>,
    /// What a smoke run measured, once there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured: Option<Measured>,
}

/// Another component that one looks for, or starts after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Peer {
    /// Id of the other component.
    pub id: String,
    /// The host name under which it is looked for; `None` where only the order is known.
    pub host: Option<String>,
    /// Whether it starts first.
    pub first: bool,
    /// What says so.
    pub origin: Vec<Origin>,
}

/// The language runtime of a component.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Runtime {
    /// Id of the runtime recipe, such as `python`.
    pub name: String,
    /// The version taken, such as `3.11`.
    pub version: String,
    /// What the repository asked for, in its own words.
    pub requested: Option<String>,
    /// Why this version.
    pub origin: Vec<Origin>,
}

/// How the image is laid out: two stages, the first builds, the second runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Image {
    /// Base image of the build stage.
    pub build_from: String,
    /// Base image of the run stage.
    pub run_from: String,
    /// Folder of the source in both stages.
    pub workdir: String,
    /// Environment of the build stage.
    pub build_env: BTreeMap<String, String>,
    /// Environment of the run stage.
    pub run_env: BTreeMap<String, String>,
    /// Commands right after the build stage's system packages, such as making a virtual
    /// environment.
    pub setup: Vec<Command>,
    /// Commands that end the build stage, so that the run stage takes over less.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub finish: Vec<Command>,
    /// Commands of the run stage, as root, after its system packages.
    #[serde(default)]
    pub run_setup: Vec<Command>,
    /// Manifests, relative to the repository, that `install` needs; copied before the source.
    pub manifests: Vec<String>,
    /// BuildKit cache mounts of the install and build commands: absolute folders.
    pub caches: Vec<String>,
    /// Folder of the repository that is copied into the build stage, `.` for all of it.
    #[serde(default = "whole")]
    pub source: String,
    /// What the run stage takes over from the build stage: absolute paths, from → to.
    pub artifacts: Vec<ArtifactCopy>,
    /// Whether the run stage starts with the source tree of the build stage.
    pub copy_source: bool,
    /// Words before the start command: a small program that passes signals on; empty where the
    /// start command ends on SIGTERM by itself.
    #[serde(default)]
    pub entrypoint: Vec<String>,
    /// Files of the run stage that longshore itself writes into the image, such as an nginx site.
    pub extra_files: Vec<ExtraFile>,
    /// Files that documents have a person add to the source, in the build stage.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub source_files: Vec<ExtraFile>,
    /// Command that asks `{url}` inside the container and fails when it gives no success.
    pub health_command: Option<String>,
    /// Numeric user and group the application runs as.
    pub user: u32,
    /// What is true of the place where it is built.
    #[serde(default, skip_serializing_if = "BuildPlace::is_empty")]
    pub place: BuildPlace,
    /// The recipe lines behind the layout.
    pub origin: Vec<Origin>,
}

fn whole() -> String {
    ".".to_owned()
}

/// A stage that builds a front end which the application serves, or its assets. It holds the whole
/// source, and the build stage goes on with what it leaves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AssetStage {
    /// Folder of its manifest relative to the repository.
    pub path: String,
    /// Id of the stack recipe, such as `node-npm`.
    pub stack: String,
    /// The language runtime.
    pub runtime: Runtime,
    /// Base image.
    pub build_from: String,
    /// Environment of its commands.
    pub env: BTreeMap<String, String>,
    /// Debian packages that its installation needs.
    pub packages: Vec<String>,
    /// Manifests, relative to the repository, that `install` needs; copied before the source.
    pub manifests: Vec<String>,
    /// BuildKit cache mounts of its commands: absolute folders.
    pub caches: Vec<String>,
    /// Commands that install its tools, before the source is copied.
    pub install: Vec<Command>,
    /// Commands that build.
    pub build: Vec<Command>,
    /// Folders, relative to `path`, that only the build needs.
    pub remove: Vec<String>,
    /// What is true of the place where it is built.
    #[serde(default, skip_serializing_if = "BuildPlace::is_empty")]
    pub place: BuildPlace,
    /// Why there is such a stage.
    pub origin: Vec<Origin>,
}

/// What is true of the place where an image is built: a certificate and mirrors. It reaches the
/// build stage only, and a secret reaches no layer at all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BuildPlace {
    /// Certificate of a further authority to trust.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<ExtraFile>,
    /// Files by which tools find a mirror; none holds its address.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<ExtraFile>,
    /// Environment of the build stage.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<BuildVar>,
    /// Commands before anything is installed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub setup: Vec<Command>,
    /// Addresses that hold a password.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<BuildSecret>,
}

/// A variable of the build stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BuildVar {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Who said so.
    pub origin: Vec<Origin>,
}

/// The address of a mirror that is handed to the build as a BuildKit secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BuildSecret {
    /// Id of the secret, and name of the variable that holds it where images are built.
    pub id: String,
    /// Environment of each command that downloads; `{url}` stands for the secret.
    pub env: BTreeMap<String, String>,
    /// Command right before each of them, in the same layer; `{url}` as above.
    pub before: Option<String>,
    /// Who said so.
    pub origin: Vec<Origin>,
}

impl BuildPlace {
    /// Returns whether nothing is said of it.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A path that moves from the build stage to the run stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ArtifactCopy {
    /// Absolute path in the build stage.
    pub from: String,
    /// Absolute path in the run stage.
    pub to: String,
}

/// A file that longshore writes beside the Dockerfile and copies into a stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExtraFile {
    /// Path among the generated files, such as `container/nginx.conf`.
    pub path: OutputPath,
    /// Absolute path in the image.
    pub to: String,
    /// The whole text.
    pub contents: String,
    /// Whether it is a script that something runs.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub executable: bool,
    /// Why it is there.
    pub origin: Vec<Origin>,
}

/// Debian packages by stage, sorted by name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SystemPackages {
    /// Needed to install or build, absent from the final image.
    pub build: Vec<String>,
    /// Needed while the application runs.
    pub runtime: Vec<String>,
    /// Why each package is there.
    pub origins: BTreeMap<String, Vec<Origin>>,
}

impl SystemPackages {
    /// Returns why the package `name` is there.
    pub fn why(&self, name: &str) -> &[Origin] {
        self.origins.get(name).map_or(&[], Vec::as_slice)
    }
}

/// `cp from to` of a configuration file, relative to the repository.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FileCopy {
    /// The example that is in the repository.
    pub from: String,
    /// The file the application reads.
    pub to: String,
    /// Whether it is a folder with all that is in it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_folder: bool,
    /// Who asked for it.
    pub origin: Vec<Origin>,
}

/// A shell command with the folder it runs in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Command {
    /// One line of POSIX shell, without newline.
    pub command: String,
    /// Folder relative to the repository, `.` for its root.
    pub directory: String,
    /// Environment for this command only.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// Id of a service whose client must run it instead of the application's image, such as
    /// `mariadb` for loading a schema file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runs_in: Option<String>,
    /// Whether what it downloads is kept between builds of the image.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cached: bool,
    /// Secrets of the build that it is given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<BuildSecret>,
    /// Who asked for it.
    pub origin: Vec<Origin>,
}

impl Command {
    /// Returns the command `command` that runs in `directory`, in no service and without a cache.
    pub fn new(
        command: impl Into<String>,
        directory: impl Into<String>,
        origin: Vec<Origin>,
    ) -> Self {
        Self {
            command: command.into(),
            directory: directory.into(),
            env: BTreeMap::new(),
            runs_in: None,
            cached: false,
            secrets: Vec::new(),
            origin,
        }
    }

    /// Returns its words, as far as blanks tell them apart.
    pub fn words(&self) -> Vec<String> {
        let words = self.command.split_whitespace();
        words.map(str::to_owned).collect()
    }

    /// Returns whether a document tells it.
    pub fn is_told(&self) -> bool {
        let mut origins = self.origin.iter();
        origins.any(|origin| origin.kind == OriginKind::Readme)
    }
}

/// The start command in exec form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Start {
    /// The words; no shell takes part unless the first word is one.
    pub command: Vec<String>,
    /// Folder relative to the repository, `.` for its root.
    pub directory: String,
    /// Who asked for it, and what was changed about it.
    pub origin: Vec<Origin>,
}

/// A further long-running process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Process {
    /// Unique name within the component, such as `worker`.
    pub id: String,
    /// The words, exec form.
    pub command: Vec<String>,
    /// Folder relative to the repository.
    pub directory: String,
    /// Who asked for it.
    pub origin: Vec<Origin>,
}

/// A scheduled job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Schedule {
    /// Unique name within the component.
    pub id: String,
    /// Five cron fields.
    pub cron: String,
    /// The words, exec form.
    pub command: Vec<String>,
    /// Folder relative to the repository.
    pub directory: String,
    /// Who asked for it.
    pub origin: Vec<Origin>,
}

/// A port the application listens on inside its container.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Port {
    /// The number.
    pub port: u16,
    /// What is spoken there.
    pub protocol: Protocol,
    /// Who said so.
    pub origin: Vec<Origin>,
}

/// The name under which the public finds a component in production.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ingress {
    /// The name.
    pub host: String,
    /// Whether it is reached by HTTPS.
    #[serde(default)]
    pub has_tls: bool,
    /// The Secret with the certificate, where a person named one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_secret: Option<String>,
    /// Who said that there is a certificate.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tls_origin: Vec<Origin>,
    /// Class of the controller, where a person named one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// Who said so.
    pub origin: Vec<Origin>,
}

/// Requests that a web server hands on to another component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Proxy {
    /// Their paths begin with this; none for what is neither a file nor asked for as a page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Id of the other component.
    pub component: String,
    /// The name under which it is found, on compose's network and as a Kubernetes Service.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// What stands at the beginning of the path, and is replaced …
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub from: String,
    /// … by this; where both are empty the path stays.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub to: String,
    /// Who said so.
    pub origin: Vec<Origin>,
}

impl std::fmt::Display for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let path = self
            .path
            .as_deref()
            .unwrap_or("what is no file and no page");
        write!(f, "{path} → {}:{}", self.host, self.port)?;
        match (self.from.as_str(), self.to.as_str()) {
            ("", "") => Ok(()),
            (from, to) => write!(f, ", {from}/… as {to}/…"),
        }
    }
}

/// What is spoken on a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// HTTP/1.1 without TLS.
    Http,
    /// gRPC with the health service `grpc.health.v1`.
    Grpc,
    /// Any other protocol over TCP.
    Tcp,
}

/// What to ask of the application to know that it answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Health {
    /// Paths worth trying, best first. Never empty.
    pub candidates: Vec<String>,
    /// The path that is asked: the proven one, or the best candidate.
    pub path: String,
    /// The status it gave, or is expected to give.
    pub status: u16,
    /// Value of the `Host` header, where the application insists on one.
    pub host: Option<String>,
    /// Pieces of pages that tell of an error, whatever the status.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<String>,
    /// Whether a smoke run proved `path`; only then does it become a probe.
    pub proven: bool,
    /// Who suggested it.
    pub origin: Vec<Origin>,
}

/// An environment variable the application reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EnvVar {
    /// Its name.
    pub name: String,
    /// How it is handled.
    pub kind: EnvKind,
    /// Whether the application is known not to start without it.
    pub required: bool,
    /// The value that holds in every environment unless `values` says otherwise; never set for a
    /// secret. A `${NAME}` in it stands for the secret of that name.
    pub default: Option<String>,
    /// Values that differ by environment: `development`, `test`, `production`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, String>,
    /// What it is for, in the repository's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// Where it is read or documented.
    pub origin: Vec<Origin>,
}

/// How an environment variable is handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EnvKind {
    /// A plain setting: env files and ConfigMap.
    Config,
    /// A secret of the application: by name only, never a value.
    Secret,
    /// The address of a backing service; its value may refer to secrets.
    Service,
}

/// A backing service that runs beside the application.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Service {
    /// Id of the service recipe, such as `postgres`; also its host name.
    pub kind: String,
    /// The version taken.
    pub version: String,
    /// Its image.
    pub image: String,
    /// The port it listens on.
    pub port: u16,
    /// What the application needs to reach it: name → value with `${NAME}` for secrets.
    pub env: BTreeMap<String, String>,
    /// Environment of the service's own container, with `${NAME}` for secrets.
    pub settings: BTreeMap<String, String>,
    /// What runs in the place of the program that its image starts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entrypoint: Vec<String>,
    /// Arguments for the program that its image starts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// Memory that its container may take, where that is more than most services need.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<String>,
    /// Names of the secrets that exist only to reach this service, such as `POSTGRES_PASSWORD`.
    pub secrets: Vec<String>,
    /// Values of those secrets that stand in the source, so that no other value works, and that protect
    /// nothing, such as `postgres`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub written: BTreeMap<String, String>,
    /// Those secrets of which the source holds a value that protects something.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub in_source: BTreeMap<String, SourceSecret>,
    /// The address in the source, where no environment variable can change it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixed: Option<FixedAddress>,
    /// Command to run inside its container that succeeds once it accepts work.
    pub healthcheck: Vec<String>,
    /// Folder of its data, if it keeps any.
    pub data: Option<String>,
    /// Numeric user of its image.
    pub user: u32,
    /// Folders it must be able to write besides `data`.
    pub writable: Vec<String>,
    /// Whether it works with a read-only root file system.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub read_only: bool,
    /// Files of the repository to load when it is created, such as a schema, in order.
    pub init: Vec<String>,
    /// Folder of the image from which such files are loaded.
    pub init_directory: Option<String>,
    /// Whether the application starts and answers without it.
    pub optional: bool,
    /// Why it is there.
    pub origin: Vec<Origin>,
}

fn yes() -> bool {
    true
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_yes(value: &bool) -> bool {
    *value
}

/// A secret of a service whose value stands in the source, so that the application logs in with no other.
///
/// The service must be set up with that value, and no file may hold it once more: a smoke run takes it
/// from here, and a person copies it from where it stands, as `env/secrets.example.env` says. So it is in
/// no file, no plan that is written down, and no message.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SourceSecret {
    /// The value; a plan that was read has none.
    #[serde(skip)]
    pub value: Option<Secret>,
    /// Where it stands.
    pub origin: Origin,
}

impl std::fmt::Debug for SourceSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SourceSecret({})", self.origin.place())
    }
}

/// An address that stands in the source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FixedAddress {
    /// The host: `localhost`, or a name that the service must have.
    pub host: String,
    /// Folder of the Unix socket that clients take for this host, in both containers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub socket: Option<String>,
    /// Where it stands.
    pub origin: Vec<Origin>,
}

/// A path that must be writable although the root file system is not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Volume {
    /// Absolute path in the image.
    pub path: String,
    /// Whether what is written there must survive a restart.
    pub persistent: bool,
    /// Why, in one phrase.
    pub reason: String,
    /// Who said so.
    pub origin: Vec<Origin>,
}

/// What a smoke run measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Measured {
    /// From the start of the container until it answered, in milliseconds.
    pub startup_ms: u64,
    /// Highest memory use seen, in bytes.
    pub peak_memory_bytes: u64,
    /// Memory use while idle after the answer, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steady_memory_bytes: Option<u64>,
    /// Mean CPU use until it answered, in thousandths of a core.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub startup_cpu_millicores: Option<u64>,
    /// Mean CPU use while idle after the answer, in thousandths of a core.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steady_cpu_millicores: Option<u64>,
    /// TCP ports listened on, as `address:port`.
    pub listening: Vec<String>,
    /// Paths written outside the declared writable ones, or on them.
    pub written: Vec<String>,
    /// Milliseconds from the request to stop until it had ended; that of the whole grace period
    /// where it was killed at its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_ms: Option<u64>,
    /// What the run found to be other than planned.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub corrections: Vec<Correction>,
    /// How many requests it serves, where that was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load: Option<Load>,
}

/// How many requests one container serves, found by a ramp of rising rates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Load {
    /// The path that was asked, always with GET.
    pub path: String,
    /// 95th percentile of the latency of single requests, one after the other, in milliseconds.
    pub unloaded_p95_ms: f64,
    /// The 95th percentile may be this high, in milliseconds.
    pub limit_ms: f64,
    /// What was tried, by rising rate.
    pub steps: Vec<LoadStep>,
    /// The highest rate, in requests per second, that was answered within the limit.
    pub knee: Option<f64>,
    /// Why no higher rate was tried.
    pub end: LoadEnd,
    /// Processor time that it uses at the knee, in thousandths of a core; `None` where the engine
    /// does not tell.
    pub cpu_millicores: Option<u32>,
    /// Requests per second that production is to serve, where a person said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wanted: Option<u32>,
}

/// One rate of a ramp.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoadStep {
    /// Requests per second that were to be sent.
    pub offered: f64,
    /// Requests per second that were answered well.
    pub answered: f64,
    /// How many were sent.
    pub requests: u64,
    /// How many of them failed: no answer, or another status than the proven one.
    pub errors: u64,
    /// Median latency in milliseconds, counted from the moment when a request was due.
    pub p50_ms: f64,
    /// 95th percentile.
    pub p95_ms: f64,
    /// 99th percentile.
    pub p99_ms: f64,
    /// Whether it was answered within the limit.
    pub within_limit: bool,
}

/// Why a ramp ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LoadEnd {
    /// The next higher rate was over the limit.
    Knee,
    /// The time or the requests were used up before that.
    Bounds,
    /// This machine could not send faster.
    Sender,
    /// Single requests are slower than any limit, or fail.
    Unloaded,
}

/// Something that a smoke run found to be other than planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Correction {
    /// The main port is another one.
    Port {
        /// The planned one.
        planned: u16,
        /// The one that it listens on.
        found: u16,
    },
    /// The main port speaks something else.
    Protocol {
        /// The port.
        port: u16,
        /// What is spoken there.
        protocol: Protocol,
    },
    /// It must write to a folder that was not known to be written.
    Volume {
        /// The folder.
        path: String,
        /// Whether what is written there must survive a restart.
        persistent: bool,
        /// The path that it wrote, or could not write.
        written: String,
    },
}

impl Correction {
    /// Returns what was found, in one sentence.
    pub fn text(&self) -> String {
        match self {
            Self::Port { planned, found } => {
                format!("it listens on port {found}, not on the planned {planned}")
            }
            Self::Protocol { port, protocol } => match protocol {
                Protocol::Grpc => format!("port {port} answers the health check of gRPC"),
                Protocol::Tcp => format!("port {port} speaks gRPC without its health check"),
                Protocol::Http => format!("port {port} speaks HTTP"),
            },
            Self::Volume {
                path,
                persistent,
                written,
            } => {
                let kind = if *persistent {
                    "kept"
                } else {
                    "emptied at each start"
                };
                format!("it writes `{written}`, so `{path}` is a volume, {kind}")
            }
        }
    }

    /// Returns its origin.
    pub fn origin(&self) -> Origin {
        Origin {
            kind: OriginKind::Measured,
            file: None,
            line: None,
            text: Some(self.text()),
        }
    }
}

/// What became of one command of the documents.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LedgerEntry {
    /// The document.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The command as written, on one line.
    pub command: String,
    /// What became of it.
    pub fate: Fate,
    /// Where it went: a file (with line, where it has one) or a name.
    pub target: Option<String>,
    /// Why it was skipped, or what was changed about it.
    pub reason: Option<String>,
}

/// What became of a command.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// It became a line of the Dockerfile.
    Dockerfile,
    /// It became an environment variable.
    Env,
    /// It became a backing service, or a part of one.
    Service,
    /// It became a step that runs before each release.
    Prepare,
    /// It became the start command.
    Start,
    /// It became a further process.
    Process,
    /// It became a scheduled job.
    Schedule,
    /// It became a port, a volume or a question.
    Fact,
    /// It was skipped, for the reason given.
    Skipped,
}

/// Something the input did not settle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Question {
    /// Stable name; the key of its answer in `longshore.toml`.
    pub id: String,
    /// The question, ending in `?`.
    pub question: String,
    /// The answers to choose from; empty when any text will do.
    pub options: Vec<String>,
    /// What was taken.
    pub default: Option<String>,
    /// What led to the question.
    pub origin: Vec<Origin>,
}

/// A diagnostic as data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// `error`, `warning` or `note`.
    pub severity: String,
    /// Stable name of the situation, kebab-case.
    pub code: String,
    /// What was found.
    pub message: String,
    /// The file it is about.
    pub file: Option<String>,
    /// The line, from 1.
    pub line: Option<usize>,
    /// What to do, one action each.
    pub hints: Vec<String>,
}

/// A piece of a value that may refer to secrets: [`pieces`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'v> {
    /// Plain text.
    Text(&'v str),
    /// `${NAME}`: the name.
    Secret(&'v str),
}

/// Takes `value` apart at each `${NAME}`; a `${` without a name and a `}` is plain text.
pub fn pieces(value: &str) -> Vec<Piece<'_>> {
    pieces_of(value, |_| true)
}

/// Takes `value` apart as [`pieces`] does, at each name that `is_secret`; any other is plain text.
pub fn pieces_of(value: &str, is_secret: impl Fn(&str) -> bool) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let (mut start, mut at) = (0, 0);
    while let Some(open) = value[at..].find("${").map(|found| at + found) {
        at = open + 2;
        let name = value[at..].split_once('}').map(|(name, _)| name);
        let is_meant = |name: &&str| crate::shell::is_name(name) && is_secret(name);
        let Some(name) = name.filter(is_meant) else {
            continue;
        };
        pieces.extend((start < open).then(|| Piece::Text(&value[start..open])));
        pieces.push(Piece::Secret(name));
        at += name.len() + 1;
        start = at;
    }
    pieces.extend((start < value.len()).then(|| Piece::Text(&value[start..])));
    pieces
}

impl BuildPlan {
    /// Returns the name of a component's image and of its objects, a host name by which the others
    /// find it.
    pub fn object_name(&self, id: &str) -> String {
        match self.components.len() {
            1 => self.name.clone(),
            _ => joined_name(&self.name, id),
        }
    }

    /// Returns the names of all secrets, those of the services and of the application.
    pub fn secret_names(&self) -> BTreeSet<&str> {
        let components = self.components.iter();
        components
            .flat_map(|component| {
                let services = component.services.iter();
                let of_services = services.flat_map(|service| &service.secrets);
                let vars = component.env.iter();
                let vars = vars.filter(|var| var.kind == EnvKind::Secret);
                of_services.chain(vars.map(|var| &var.name))
            })
            .map(String::as_str)
            .collect()
    }

    /// Returns the further host names under which other components look for one, and what says so.
    pub fn further_hosts(&self, id: &str) -> BTreeMap<&str, &[Origin]> {
        let own = self.object_name(id);
        let mut hosts = BTreeMap::new();
        for peer in self
            .components
            .iter()
            .flat_map(|component| &component.peers)
        {
            let host = peer.host.as_deref().filter(|host| *host != own);
            if let (true, Some(host)) = (peer.id == id, host) {
                hosts.entry(host).or_insert(peer.origin.as_slice());
            }
        }
        hosts
    }

    /// Returns the places of the components in the order in which they start: each after those that
    /// it looks for or hands requests on to, as far as they do not look for each other.
    pub fn start_order(&self) -> Vec<usize> {
        let mut order = Vec::new();
        let mut seen = vec![false; self.components.len()];
        for index in 0..self.components.len() {
            self.visit(index, &mut seen, &mut order);
        }
        order
    }

    fn visit(&self, index: usize, seen: &mut [bool], order: &mut Vec<usize>) {
        if std::mem::replace(&mut seen[index], true) {
            return;
        }
        let component = &self.components[index];
        let peers = component.peers.iter().filter(|peer| peer.first);
        let peers = peers.map(|peer| &peer.id);
        for id in peers.chain(component.proxies.iter().map(|proxy| &proxy.component)) {
            let other = self.components.iter().position(|other| other.id == *id);
            if let Some(other) = other {
                self.visit(other, seen, order);
            }
        }
        order.push(index);
    }

    /// Returns the components that must be up before `id`: its peers that start before it.
    pub fn starts_after(&self, id: &str) -> Vec<&Component> {
        let order = self.start_order();
        let earlier = order.iter().map(|index| &self.components[*index]);
        let earlier = earlier.take_while(|component| component.id != id);
        let own = self.components.iter().find(|component| component.id == id);
        let is_waited_for = |other: &&Component| {
            let mut peers = own.iter().flat_map(|own| &own.peers);
            peers.any(|peer| peer.first && peer.id == other.id)
        };
        earlier.filter(is_waited_for).collect()
    }

    /// Returns the service whose network those share that are looked for on the application's own
    /// machine, and the components that look there. A service owns the network, and not the
    /// application, because the owner starts first.
    pub fn network_owner(&self) -> Option<&Service> {
        self.components
            .iter()
            .find_map(|component| component.local_services().next())
    }
}

/// Returns the name of the objects of one of several components.
pub fn joined_name(plan: &str, id: &str) -> String {
    ObjectName::joined(&[plan, id]).to_string()
}

impl Component {
    /// Returns whether it looks for a service on its own machine.
    pub fn shares_network(&self) -> bool {
        self.local_services().next().is_some()
    }

    /// Returns the secrets that its build asks for, each once.
    pub fn build_secrets(&self) -> Vec<&BuildSecret> {
        let stages = self.assets.iter().map(|stage| &stage.place);
        let mut secrets: Vec<&BuildSecret> = Vec::new();
        let of_places = [&self.image.place].into_iter().chain(stages);
        let of_places = of_places.flat_map(|place| &place.secrets);
        let image = &self.image;
        let own = [
            &image.setup,
            &image.finish,
            &image.run_setup,
            &self.install,
            &self.build,
        ];
        let of_assets = self.assets.iter();
        let of_assets = of_assets.flat_map(|stage| [&stage.install, &stage.build]);
        let commands = own.into_iter().chain(of_assets).flatten();
        for secret in of_places.chain(commands.flat_map(|command| &command.secrets)) {
            if !secrets.iter().any(|known| known.id == secret.id) {
                secrets.push(secret);
            }
        }
        secrets
    }

    /// Returns the absolute folder of `directory` in the image.
    pub fn absolute(&self, directory: &str) -> String {
        match directory {
            "." | "" => self.image.workdir.clone(),
            _ => format!("{}/{directory}", self.image.workdir),
        }
    }

    /// Returns whether it listens on a port below 1024, which Linux keeps for root.
    pub fn has_low_port(&self) -> bool {
        self.ports.iter().any(|port| port.port < 1024)
    }

    /// Returns the services that it looks for on its own machine: [`BuildPlan::network_owner`].
    pub fn local_services(&self) -> impl Iterator<Item = &Service> {
        self.services.iter().filter(|service| service.is_local())
    }

    /// Returns the requests per second that one container serves, and the thousandths of a core that
    /// it then uses, where both were measured.
    pub fn capacity(&self) -> Option<(f64, u32)> {
        let load = self.measured.as_ref()?.load.as_ref()?;
        Some((load.knee?, load.cpu_millicores?))
    }

    /// Takes over what a smoke run measured: the figures, and what was other than planned. A load that
    /// an earlier run measured, and the memory for it, stay until another run sends one.
    pub fn take_over(&mut self, measured: &Measured) {
        for correction in &measured.corrections {
            self.correct(correction);
        }
        let earlier = self
            .measured
            .take()
            .filter(|earlier| earlier.load.is_some());
        let mut measured = measured.clone();
        if let (Some(earlier), None) = (earlier, &measured.load) {
            measured.load = earlier.load;
            let peak = measured.peak_memory_bytes.max(earlier.peak_memory_bytes);
            measured.peak_memory_bytes = peak;
        }
        self.measured = Some(measured);
    }

    /// Corrects the plan as a smoke run found it; a second time it changes nothing.
    pub fn correct(&mut self, correction: &Correction) {
        let origin = correction.origin();
        match correction {
            Correction::Port { planned, found } => {
                if let Some(port) = self.ports.iter_mut().find(|port| port.port == *planned) {
                    port.port = *found;
                    port.origin.insert(0, origin);
                }
            }
            Correction::Protocol { port, protocol } => {
                let mut ports = self.ports.iter_mut();
                let known = ports.find(|known| known.port == *port && known.protocol != *protocol);
                if let Some(known) = known {
                    known.protocol = *protocol;
                    known.origin.insert(0, origin);
                }
            }
            Correction::Volume {
                path, persistent, ..
            } => {
                let path = MountPath::parse(path);
                let is_known = |path: &MountPath| {
                    let mut known = self.volumes.iter();
                    known.any(|volume| volume.path == path.as_ref())
                };
                if let Some(path) = path.filter(|path| !is_known(path)) {
                    self.volumes.push(Volume {
                        path: path.to_string(),
                        persistent: *persistent,
                        reason: correction.text(),
                        origin: vec![origin],
                    });
                }
            }
        }
    }

    /// Returns the main port, if the application listens on one.
    pub fn main_port(&self) -> Option<&Port> {
        self.ports.first()
    }
}

impl Service {
    /// Returns whether the source looks for it on its own machine.
    pub fn is_local(&self) -> bool {
        self.fixed
            .as_ref()
            .is_some_and(|fixed| fixed.host == LOCALHOST)
    }

    /// Returns the name by which the application finds it on the network.
    pub fn host_name(&self) -> &str {
        match &self.fixed {
            Some(fixed) if fixed.host != LOCALHOST => &fixed.host,
            _ => &self.kind,
        }
    }

    /// Returns the folder of the socket that it shares with the application.
    pub fn socket(&self) -> Option<&str> {
        self.fixed.as_ref()?.socket.as_deref()
    }
}

/// The host of a [`FixedAddress`] on the application's own machine, however the source writes it.
pub const LOCALHOST: &str = "localhost";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_taken_apart_at_its_secrets() {
        let expected = [
            Piece::Text("pg://u:"),
            Piece::Secret("P"),
            Piece::Text("@h/$x"),
        ];
        assert_eq!(pieces("pg://u:${P}@h/$x"), expected);
        assert_eq!(pieces("a${open"), [Piece::Text("a${open")]);
        let expected = [Piece::Text("${"), Piece::Secret("K")];
        assert_eq!(pieces("${${K}"), expected);
    }

    #[test]
    fn a_variable_that_is_no_secret_is_text() {
        let expected = [Piece::Text("${HOME}/"), Piece::Secret("K")];
        assert_eq!(pieces_of("${HOME}/${K}", |name| name == "K"), expected);
    }
}
