//! What may stand on the command line.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::{
    config::Trust,
    trust::TrustStore,
    verify::{LoadBounds, Options},
};

/// Turns a repository and its README into a container that has been proven to run.
#[derive(Debug, Parser)]
#[command(name = "longshore", version, about, disable_help_subcommand = true)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// When to colour messages.
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    pub color: Color,
    /// A folder of recipes on top of the built-in ones; may be given several times.
    #[arg(long, global = true, value_name = "DIR")]
    pub recipes: Vec<PathBuf>,
    /// What you settled, if it does not stand in the repository's own `longshore.toml`.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Take recipes, registries, mirrors and certificates from the repository's own
    /// `longshore.toml`, too, for this run.
    #[arg(long, global = true)]
    pub trust_repository: bool,
    /// Trust nothing but the command line.
    #[arg(long, global = true, hide = true)]
    pub no_trust_store: bool,
}

impl Arguments {
    /// Returns the store of what the user trusts, where it counts.
    pub fn trust_store(&self) -> Option<TrustStore> {
        TrustStore::of_user().filter(|_| !self.no_trust_store)
    }

    /// Returns whether the user trusts the repository at `root`.
    pub fn trust(&self, root: &Path) -> Trust {
        let is_known = || self.trust_store().is_some_and(|store| store.trusts(root));
        match self.trust_repository || is_known() {
            true => Trust::Granted,
            false => Trust::Withheld,
        }
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Say what was understood; writes nothing.
    Plan(PlanArguments),
    /// Write the container files.
    Convert(ConvertArguments),
    /// Ask what the input did not settle, write it into longshore.toml, and convert.
    Wizard(WizardArguments),
    /// Build the image, start it with its services, ask it, measure it, and clean up.
    Verify(VerifyArguments),
    /// Convert many repositories, and report on all of them.
    Batch(BatchArguments),
    /// Accept what a repository's own longshore.toml says, until it changes.
    Trust(TrustArguments),
    /// Say why a line is there.
    Explain(ExplainArguments),
    /// Name the cause of a failed build or start, from its log.
    Diagnose(DiagnoseArguments),
    /// Look at the catalogue.
    Recipes {
        /// What to look at.
        #[command(subcommand)]
        command: RecipesCommand,
    },
    /// Print the JSON Schema of a machine-readable output.
    Schema {
        /// Which output.
        #[arg(value_enum, default_value_t = SchemaOf::Plan)]
        of: SchemaOf,
    },
    /// Print a completion script.
    Completions {
        /// For which shell.
        shell: clap_complete::Shell,
    },
    /// Print the manual page.
    Man,
}

/// Arguments of `plan`.
#[derive(Debug, Args)]
pub struct PlanArguments {
    /// Folder of the repository.
    #[arg(default_value = ".")]
    pub path: PathBuf,
    /// How to print it.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

/// Arguments of `convert`.
#[derive(Debug, Args)]
pub struct ConvertArguments {
    /// Folder of the repository.
    #[arg(default_value = ".")]
    pub path: PathBuf,
    /// Folder for the files, if not the repository itself.
    #[arg(long, short, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// Overwrite files that a person wrote or edited.
    #[arg(long)]
    pub force: bool,
    /// Write nothing; exit with 1 if a file would change.
    #[arg(long, conflicts_with_all = ["force", "verify"])]
    pub check: bool,
    /// Build and smoke-run the result, and write what was measured.
    #[arg(long)]
    pub verify: bool,
    /// Print what a batch wants to know, on a line of its own.
    #[arg(long, hide = true)]
    pub summary: bool,
    /// How to verify.
    #[command(flatten)]
    pub smoke: SmokeArguments,
}

/// Arguments of `batch`.
#[derive(Debug, Args)]
pub struct BatchArguments {
    /// A folder with a folder for each repository, or a file with a path on each line.
    #[arg(value_name = "DIR|LIST")]
    pub source: PathBuf,
    /// Folder for the files, with a folder for each repository.
    #[arg(long, short, value_name = "DIR")]
    pub output: PathBuf,
    /// How many are done at once.
    #[arg(long, short, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=64))]
    pub jobs: u8,
    /// How to print the report.
    #[arg(long, value_enum, default_value_t = BatchFormat::Text)]
    pub format: BatchFormat,
    /// Do again what an earlier run has done.
    #[arg(long)]
    pub again: bool,
    /// Overwrite files that a person wrote or edited.
    #[arg(long)]
    pub force: bool,
    /// Build and smoke-run each.
    #[arg(long)]
    pub verify: bool,
    /// Find out how many requests per second each serves; then one is done at a time.
    #[arg(long, requires = "verify")]
    pub load: bool,
    /// Run the manifests of each, too.
    #[arg(long, requires = "verify")]
    pub manifests: bool,
    /// Seconds that an application has until it answers; up to three times as many while it is still at work.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub start_timeout: u64,
    /// Seconds that one repository may take; what runs then is cut short, and nothing more is
    /// repaired.
    #[arg(long, value_name = "SECONDS", default_value_t = 3600, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub time_limit: u64,
}

/// How to print the report of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum BatchFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// JUnit XML, for the pages of a pipeline.
    Junit,
}

/// Arguments of `trust`.
#[derive(Debug, Args)]
pub struct TrustArguments {
    /// Folder of the repository.
    #[arg(default_value = ".")]
    pub path: PathBuf,
    /// Trust it no more.
    #[arg(long)]
    pub revoke: bool,
    /// List the trusted folders.
    #[arg(long, conflicts_with = "revoke")]
    pub list: bool,
}

/// Arguments of `wizard`.
#[derive(Debug, Args)]
pub struct WizardArguments {
    /// What to convert, and how.
    #[command(flatten)]
    pub convert: ConvertArguments,
    /// Take every default and ask nothing.
    #[arg(long)]
    pub yes: bool,
}

/// Arguments of `verify`.
#[derive(Debug, Args)]
pub struct VerifyArguments {
    /// Folder of the repository.
    #[arg(default_value = ".")]
    pub path: PathBuf,
    /// How to print the report.
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    pub format: ReportFormat,
    /// How to verify.
    #[command(flatten)]
    pub smoke: SmokeArguments,
}

/// How a smoke run is made.
#[derive(Debug, Args)]
pub struct SmokeArguments {
    /// Seconds that the application has until it answers; up to three times as many while it is still at work.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub start_timeout: u64,
    /// Seconds that all builds and runs may take together; what runs then is cut short, and nothing
    /// more is repaired.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub time_limit: Option<u64>,
    /// Port of this machine to publish the application on; by default a free one.
    #[arg(long, value_name = "PORT")]
    pub port: Option<u16>,
    /// Folder to keep the logs of the build and of every container in.
    #[arg(long, value_name = "DIR")]
    pub logs: Option<PathBuf>,
    /// Keep the image under its tag.
    #[arg(long)]
    pub keep_image: bool,
    /// Report the first failure; repair nothing.
    #[arg(long)]
    pub no_repair: bool,
    /// Find out how many requests per second it serves, by sending them to the started container.
    #[arg(long)]
    pub load: bool,
    /// Seconds that the load may take, 300 at most.
    #[arg(long, value_name = "SECONDS", default_value_t = 20, requires = "load", value_parser = clap::value_parser!(u64).range(1..=LoadBounds::MOST_SECONDS))]
    pub load_seconds: u64,
    /// Requests that the load may send, 1000000 at most.
    #[arg(long, value_name = "COUNT", default_value_t = 20_000, requires = "load", value_parser = clap::value_parser!(u64).range(100..=LoadBounds::MOST_REQUESTS))]
    pub load_requests: u64,
    /// Requests per second that production is to serve, for the number of its replicas.
    #[arg(long, value_name = "RATE", requires = "load", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub load_target: Option<u32>,
    /// Run the manifests too: by podman, and past a Kubernetes server without keeping them.
    #[arg(long)]
    pub manifests: bool,
}

impl SmokeArguments {
    /// Returns what a smoke run is to be like.
    pub fn options(&self) -> Options {
        let load = LoadBounds {
            time: Duration::from_secs(self.load_seconds),
            requests: self.load_requests,
            wanted: self.load_target,
        };
        Options {
            start_timeout: Duration::from_secs(self.start_timeout),
            keep_logs: self.logs.clone(),
            publish_port: self.port,
            keep_image: self.keep_image,
            load: self.load.then_some(load),
            manifests: self.manifests,
            ..Options::default()
        }
    }
}

/// Arguments of `explain`.
#[derive(Debug, Args)]
pub struct ExplainArguments {
    /// Folder of the repository.
    pub path: PathBuf,
    /// A generated file, with or without a line: `Dockerfile`, `Dockerfile:14`.
    #[arg(value_name = "FILE[:LINE]")]
    pub place: String,
}

/// Arguments of `diagnose`.
#[derive(Debug, Args)]
pub struct DiagnoseArguments {
    /// The log; `-` for standard input.
    #[arg(value_name = "LOGFILE")]
    pub log: PathBuf,
    /// The Dockerfile that was built: tells base image and instruction.
    #[arg(long, value_name = "FILE")]
    pub dockerfile: Option<PathBuf>,
    /// How to print it.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

/// What to look at in the catalogue.
#[derive(Debug, Subcommand)]
pub enum RecipesCommand {
    /// List all recipes.
    List,
    /// Print one recipe, such as `services/redis`.
    Show {
        /// Its kind and name.
        recipe: String,
        /// How to print it.
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Check the recipes of `--recipes`.
    Check,
}

/// How to print a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// How to print the report of a smoke run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// For pipelines: JUnit XML, a case for each rung.
    Junit,
}

/// When to colour messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Which machine-readable output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SchemaOf {
    /// `longshore plan --format json`.
    Plan,
    /// `longshore verify --format json`.
    Report,
    /// `longshore diagnose --format json`.
    Diagnosis,
    /// `.longshore.json`, which a run leaves beside the files that it wrote.
    State,
}
