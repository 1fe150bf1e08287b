//! Artifacts → report: builds the image, starts it with its services in the security context of the
//! manifests, asks it, measures it, and removes everything again.
//!
//! The only module that runs anything, and only inside containers. Tokio starts and ends here.

mod chart;
mod context;
mod correct;
mod denied;
mod docker;
mod engine;
mod environment;
#[cfg(test)]
mod fake;
mod http;
mod ignored;
mod instruction;
mod ladder;
mod listening;
mod load;
mod log;
mod manifests;
mod page;
mod patience;
mod podman;
mod report;

use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context;

pub use correct::{is_mountable, is_of_the_system, is_scratch};
pub use docker::Docker;
pub use engine::{
    Answer, BuildFailure, BuildRequest, Built, Change, ChangeKind, ContainerSpec, Engine,
    EngineError, Executed, GrpcHealth, ImageInfo, State, Usage,
};
pub use load::LoadBounds;
pub use page::PageSigns;
pub use report::{
    Cause, ComponentReport, Failure, Proof, ProofOutcome, Repair, Report, Rung, Verdict, Written,
    apply, proven,
};

use crate::{
    plan::BuildPlan,
    render::{self, Artifact},
};

/// How long the engine may still be at what it was making when a run was cut off.
const LATE: Duration = Duration::from_millis(300);

/// How often a run is followed by another one with what it found.
const MOST_CORRECTIONS: usize = 3;

/// How a smoke run is made.
#[derive(Debug, Clone)]
pub struct Options {
    /// How long a build may take.
    pub build_timeout: Duration,
    /// How long the application, and each service, has until it answers; an application that is
    /// still at work gets up to three times as long.
    pub start_timeout: Duration,
    /// How long one prepare step may take.
    pub prepare_timeout: Duration,
    /// Folder to keep all logs in.
    pub keep_logs: Option<PathBuf>,
    /// How long the application is left alone after its answer, to measure what it uses then.
    pub idle: Duration,
    /// Memory that a container may use, in bytes.
    pub memory_limit: i64,
    /// Port of this machine to publish the application on; a free one where there is none.
    pub publish_port: Option<u16>,
    /// Whether the image stays under the tag `NAME:dev`.
    pub keep_image: bool,
    /// How much load to send once the application answers; none by default.
    pub load: Option<LoadBounds>,
    /// Whether to run the manifests too, by podman, and past a Kubernetes server.
    pub manifests: bool,
    /// How pages for people say that something may not be written.
    pub signs: PageSigns,
    /// Whether the application runs as root and may write anywhere, to see which files it wants to
    /// write ([`ComponentReport::traced`]): that it answers so proves nothing.
    pub trace: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            build_timeout: Duration::from_secs(1800),
            start_timeout: Duration::from_secs(60),
            prepare_timeout: Duration::from_secs(300),
            keep_logs: None,
            idle: Duration::from_millis(500),
            memory_limit: 512 << 20,
            publish_port: None,
            keep_image: false,
            load: None,
            manifests: false,
            signs: PageSigns::default(),
            trace: false,
        }
    }
}

/// What happens during a smoke run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A stage begins, such as `building web`.
    Stage(String),
    /// A step of the build has ended.
    BuildStep {
        /// The instruction.
        name: String,
        /// Whether the cache had it.
        cached: bool,
    },
    /// A line that a build step printed.
    Log(String),
    /// Something was reached: a rung, a healthy service, a finished prepare step.
    Reached(String),
}

/// Builds and starts what `plan` says, asks it, measures it, and removes everything again.
///
/// Where a run finds another port than the planned one, or a folder that must be writable, a second
/// run proves that the plan works with it; the report names such corrections, and [`apply`] writes
/// them into the plan.
///
/// # Errors
///
/// [`EngineError`] for trouble with the engine or this machine, and `Interrupted` after Ctrl-C; all
/// that was made is removed first. A container that does not build or answer is no error but a
/// [`Report`].
pub fn verify(
    plan: &BuildPlan,
    artifacts: &[Artifact],
    repository: &Path,
    options: &Options,
    progress: &mut dyn FnMut(Event),
) -> anyhow::Result<Report> {
    let runtime = runtime()?;
    let engine = runtime.block_on(Docker::connect())?;
    runtime.block_on(engine.sweep());
    podman::sweep();
    let mut report = run_once(
        &runtime, &engine, plan, artifacts, repository, options, progress,
    )?;
    // What such a run found would be hidden from the next one by the volumes that it led to.
    if options.trace {
        return Ok(report);
    }
    let mut corrected = plan.clone();
    for _ in 0..MOST_CORRECTIONS {
        let Some(again) = report.correct(&mut corrected) else {
            break;
        };
        progress(Event::Stage(format!("running it again: {again}")));
        let artifacts = render::artifacts(&mut corrected)?;
        let next = run_once(
            &runtime, &engine, &corrected, &artifacts, repository, options, progress,
        )?;
        match report.followed_by(next) {
            Ok(next) => report = next,
            Err(first) => {
                report = *first;
                break;
            }
        }
    }
    Ok(report)
}

/// One run from the build to the removal of everything that it made.
fn run_once(
    runtime: &tokio::runtime::Runtime,
    engine: &Docker,
    plan: &BuildPlan,
    artifacts: &[Artifact],
    repository: &Path,
    options: &Options,
    progress: &mut dyn FnMut(Event),
) -> anyhow::Result<Report> {
    let run = engine::Run::new()?;
    let result = catch_unwind(AssertUnwindSafe(|| {
        runtime.block_on(async {
            let climbed = async {
                let mut report =
                    ladder::climb(engine, &run, plan, artifacts, repository, options, progress)
                        .await?;
                if options.manifests {
                    let proofs =
                        manifests::prove(engine, &run, plan, artifacts, options, &report, progress)
                            .await?;
                    report.add_proofs(proofs);
                }
                Ok(report)
            };
            tokio::select! {
                report = climbed => report,
                () = interrupted() => Err(EngineError::Interrupted.into()),
            }
        })
    }));
    let left = runtime.block_on(async {
        let left = engine.remove_run(&run.id, options.keep_image).await;
        if matches!(result, Ok(Ok(_))) {
            return left;
        }
        // What the engine was making when the run was cut off may come up only now.
        tokio::time::sleep(LATE).await;
        engine.remove_run(&run.id, options.keep_image).await
    });
    match (result, left) {
        (Err(panic), _) => resume_unwind(panic),
        (Ok(report), Ok(())) => report,
        (Ok(Ok(_)), Err(left)) => Err(left.into()),
        // Where the engine is gone nothing can be removed, and its error says so already.
        (Ok(Err(error)), Err(EngineError::Gone { .. } | EngineError::Unreachable { .. })) => {
            Err(error)
        }
        // The first error says what happened; that something is left must be known all the same.
        (Ok(Err(error)), Err(left)) => Err(error.context(left)),
    }
}

/// Removes what runs of this machine left behind whose process was killed: containers, networks,
/// volumes and images. Each smoke run does so before it begins.
///
/// # Errors
///
/// [`EngineError`] where no engine answers.
pub fn sweep() -> anyhow::Result<()> {
    let runtime = runtime()?;
    let engine = runtime.block_on(Docker::connect())?;
    runtime.block_on(engine.sweep());
    podman::sweep();
    Ok(())
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder
        .enable_all()
        .build()
        .context("failed to start the runtime")
}

/// Returns once the user or the system asks the program to end.
async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (Ok(mut end), Ok(mut hang_up)) = (
            signal(SignalKind::terminate()),
            signal(SignalKind::hangup()),
        ) else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = end.recv() => {}
            _ = hang_up.recv() => {}
        }
    }
    #[cfg(not(unix))]
    {
        let _ = tokio::signal::ctrl_c().await;
    }
}
