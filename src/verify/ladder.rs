//! The ladder: parsed → built → started → listening → answers, one rung after the other.

mod answers;
mod build;
mod failures;
mod measure;
mod prepare;
mod processes;
mod services;
#[cfg(test)]
pub mod tests;
mod up;

use std::{
    borrow::Cow,
    collections::BTreeMap,
    path::Path,
    time::{Duration, Instant},
};

use super::{
    Event, Options, correct,
    engine::{ContainerSpec, Engine, EngineError, Hardening, Run},
    environment::Secrets,
    listening::{Listener, listeners},
    report::{Cause, ComponentReport, Failure, Report, Rung},
};
use crate::{
    plan::{BuildPlan, Component, Origin},
    render::Artifact,
};
use failures::{failure, start_origin};
use measure::milliseconds;
use prepare::Job;

/// How often something is looked at while waiting for it.
const PERIOD: Duration = Duration::from_millis(100);
/// How long a further process must stay up.
const PROCESS_STAYS_UP: Duration = Duration::from_secs(3);
/// How long a container has to end after the request to stop, as with `docker stop`.
const GRACE: Duration = Duration::from_secs(10);
/// How many lines of a log are shown.
const SHOWN: usize = 300;

/// What a run works with.
struct Site<'a, E> {
    engine: &'a E,
    run: &'a Run,
    secrets: Secrets<'a>,
    plan: &'a BuildPlan,
    artifacts: &'a [Artifact],
    repository: &'a Path,
    options: &'a Options,
}

/// What has been started so far.
#[derive(Default)]
struct Started {
    /// Backing services: kind → container.
    services: BTreeMap<String, String>,
    /// Volumes of the sockets that services share: kind → name.
    sockets: BTreeMap<String, String>,
    /// Applications that run: place in the plan, container.
    applications: Vec<(usize, String)>,
}

/// The network that an application shares with services.
#[derive(Default)]
struct Network {
    /// The container that owns it and publishes its ports; empty for its own.
    owner: String,
    /// What the services listen on.
    others: Vec<Listener>,
}

/// Climbs as far as each component gets.
pub async fn climb<E: Engine>(
    engine: &E,
    run: &Run,
    plan: &BuildPlan,
    artifacts: &[Artifact],
    repository: &Path,
    options: &Options,
    progress: &mut dyn FnMut(Event),
) -> anyhow::Result<Report> {
    let mut stand_ins = Vec::new();
    let mut absent = Vec::new();
    let mut images: Vec<&str> = Vec::new();
    for component in &plan.components {
        images.extend([
            component.image.build_from.as_str(),
            component.image.run_from.as_str(),
        ]);
        images.extend(
            component
                .services
                .iter()
                .map(|service| service.image.as_str()),
        );
    }
    images.sort_unstable();
    images.dedup();
    for image in images {
        match engine.ensure_image(image).await {
            Ok(info) => stand_ins.extend(info.stand_in.then(|| image.to_owned())),
            Err(EngineError::NoImage { cause, .. }) if is_optional(plan, image) => {
                absent.push((image.to_owned(), cause));
            }
            Err(trouble) => return Err(trouble.into()),
        }
    }
    let (plan, left_out) = without(plan, &absent);
    let plan = &plan;
    let secrets = Secrets::new(run, plan);
    let site = Site {
        engine,
        run,
        secrets,
        plan,
        artifacts,
        repository,
        options,
    };
    engine.create_network(run).await?;

    let mut reports = vec![ComponentReport::default(); plan.components.len()];
    let mut started = Started::default();
    for index in plan.start_order() {
        let component = &plan.components[index];
        let mut report = ComponentReport {
            id: component.id.clone(),
            notes: left_out.get(&component.id).cloned().unwrap_or_default(),
            ..ComponentReport::default()
        };
        let result = site
            .component(component, &mut report, &mut started, progress)
            .await?;
        report.failure = result.err();
        let volumes = correct::volumes(component, &report, repository);
        report.proposed.extend(volumes);
        reports[index] = report;
    }
    // All stay up until the end, because one may need another.
    for (index, id) in started.applications.iter().rev() {
        let report = &mut reports[*index];
        if report.failure.is_none() {
            report.failure = site.end(&plan.components[*index], id, report).await?.err();
        }
    }
    for (kind, id) in &started.services {
        let kept = site.keep_log(kind, id).await;
        if let Some(report) = reports.first_mut() {
            report.logs.extend(kept);
        }
    }
    Ok(Report::new(reports, stand_ins))
}

/// Whether only services that the application also runs without have this image.
fn is_optional(plan: &BuildPlan, image: &str) -> bool {
    plan.components.iter().all(|component| {
        let services = component.services.iter();
        let mut with_it = services.filter(|service| service.image == image);
        let own = [&component.image.build_from, &component.image.run_from];
        !own.iter().any(|own| *own == image) && with_it.all(|service| service.optional)
    })
}

/// The plan without the services that have one of the `absent` images, and without what leads the
/// application to them; beside it what to tell of each component.
fn without<'p>(
    plan: &'p BuildPlan,
    absent: &[(String, String)],
) -> (Cow<'p, BuildPlan>, BTreeMap<String, Vec<String>>) {
    let mut left_out: BTreeMap<String, Vec<String>> = BTreeMap::new();
    if absent.is_empty() {
        return (Cow::Borrowed(plan), left_out);
    }
    let mut plan = plan.clone();
    for component in &mut plan.components {
        for (image, cause) in absent {
            let services = component.services.iter();
            let Some(service) = services.clone().find(|service| service.image == *image) else {
                continue;
            };
            component
                .env
                .retain(|var| !service.env.contains_key(&var.name));
            let notes = left_out.entry(component.id.clone()).or_default();
            notes.push(format!(
                "ran without {}, as it can: the image `{image}` is not on this machine and cannot be pulled: {cause}",
                service.kind
            ));
        }
        component
            .services
            .retain(|service| !absent.iter().any(|(image, _)| service.image == *image));
    }
    (Cow::Owned(plan), left_out)
}

/// A rung that was not reached is data; trouble with the engine is an error.
type Reached<T> = anyhow::Result<Result<T, Failure>>;

/// Passes a failure on.
macro_rules! reach {
    ($result:expr) => {
        match $result? {
            Ok(value) => value,
            Err(failure) => return Ok(Err(failure)),
        }
    };
}
use reach;

impl<E: Engine> Site<'_, E> {
    async fn component(
        &self,
        component: &Component,
        report: &mut ComponentReport,
        started: &mut Started,
        progress: &mut dyn FnMut(Event),
    ) -> Reached<()> {
        if component.start.is_none() {
            return Ok(Err(failure(
                Cause::NoStartCommand,
                "nothing says how to start it".to_owned(),
                &[],
                Vec::new(),
                &["write the start command into the README"],
            )));
        }
        let image = reach!(self.build(component, report, progress).await);
        report.rung = Rung::Built;
        progress(Event::Reached(format!(
            "built in {:.1} s, {} MB",
            report.build_seconds,
            report.image_bytes / 1_000_000
        )));

        let env = self.secrets.env(component);
        let mut volumes = BTreeMap::new();
        // Those that share the application's network first: what they publish is its ports.
        let local = component.local_services();
        let remote = component
            .services
            .iter()
            .filter(|service| !service.is_local());
        for service in local.chain(remote) {
            if !started.services.contains_key(&service.kind) {
                let id = reach!(self.service(service, started, report, progress).await);
                started.services.insert(service.kind.clone(), id);
            }
            if let (Some(folder), Some(name)) =
                (service.socket(), started.sockets.get(&service.kind))
            {
                volumes.insert(name.clone(), folder.to_owned());
            }
        }
        let owner = self
            .plan
            .network_owner()
            .filter(|_| component.shares_network());
        let owner = owner.and_then(|owner| started.services.get(&owner.kind).cloned());
        for (index, volume) in component
            .volumes
            .iter()
            .enumerate()
            .filter(|(_, volume)| volume.persistent)
        {
            let name = self
                .engine
                .create_volume(self.run, &format!("{}-{index}", component.id))
                .await?;
            volumes.insert(name, volume.path.clone());
        }
        let spec = |name: &str| ContainerSpec {
            name: format!("{}-{name}", component.id),
            image: image.clone(),
            env: env.clone(),
            shares_network_of: owner.clone(),
            volumes: volumes.clone(),
            hardened: (!self.options.trace).then(|| Hardening {
                user: component.image.user,
                tmpfs: component
                    .volumes
                    .iter()
                    .filter(|volume| !volume.persistent)
                    .map(|volume| volume.path.clone())
                    .collect(),
                memory: self.options.memory_limit,
            }),
            as_root: self.options.trace,
            ..ContainerSpec::default()
        };
        for (index, command) in component.prepare.iter().enumerate() {
            progress(Event::Stage(format!("preparing: {}", command.command)));
            match command
                .runs_in
                .as_ref()
                .and_then(|kind| started.services.get(kind))
            {
                Some(service) => reach!(self.prepare_in(service, command).await),
                None => {
                    let spec = ContainerSpec {
                        command: Some(["sh", "-c", &command.command].map(str::to_owned).to_vec()),
                        directory: Some(component.absolute(&command.directory)),
                        env: env.clone().into_iter().chain(command.env.clone()).collect(),
                        ..spec(&format!("prepare-{}", index + 1))
                    };
                    reach!(self.once(&spec, &Job::prepare(command), report).await);
                }
            }
            progress(Event::Reached(format!("prepared: {}", command.command)));
        }

        let app = if owner.is_some() {
            spec("app")
        } else {
            ContainerSpec {
                aliases: self.aliases(component),
                publish: self.published(component),
                ..spec("app")
            }
        };
        let network = match &owner {
            Some(owner) => Network {
                owner: owner.clone(),
                others: self.listeners(owner).await?,
            },
            None => Network::default(),
        };
        progress(Event::Stage(format!("starting {}", component.id)));
        let id = self.engine.create(self.run, &app).await?;
        let begun = Instant::now();
        let origin = start_origin(component);
        reach!(
            self.start(&id, Cause::Ended, "its start command cannot be run", origin)
                .await
        );
        let result = self
            .up(component, &id, &network, begun, report, progress)
            .await;
        report
            .logs
            .extend(self.keep_log(&format!("{}-app", component.id), &id).await);
        self.trace(&id, report).await?;
        reach!(result);
        let goes_on = component.main_port().is_some() || self.engine.state(&id).await?.running;
        if goes_on {
            started.applications.push((self.index(component), id));
        }
        let mut processes = Vec::new();
        for process in &component.processes {
            progress(Event::Stage(format!("starting {}", process.id)));
            let spec = ContainerSpec {
                command: Some(process.command.clone()),
                directory: Some(component.absolute(&process.directory)),
                ..spec(&process.id)
            };
            let id = self.engine.create(self.run, &spec).await?;
            let what = format!("the command of the process {} cannot be run", process.id);
            reach!(
                self.start(&id, Cause::Process, &what, &process.origin)
                    .await
            );
            processes.push((process, id));
        }
        let all_up = Instant::now() + PROCESS_STAYS_UP;
        for (process, id) in &processes {
            let result = self
                .stays_up(id, &process.id, all_up, &process.origin)
                .await;
            let name = format!("{}-{}", component.id, process.id);
            report.logs.extend(self.keep_log(&name, id).await);
            reach!(result);
            progress(Event::Reached(format!("process {} stays up", process.id)));
        }
        for schedule in &component.schedules {
            progress(Event::Stage(format!("running {} once", schedule.id)));
            let spec = ContainerSpec {
                command: Some(schedule.command.clone()),
                directory: Some(component.absolute(&schedule.directory)),
                ..spec(&schedule.id)
            };
            let job = Job {
                what: format!("the scheduled job {}", schedule.id),
                cause: Cause::Schedule,
                origin: &schedule.origin,
            };
            let took = reach!(self.once(&spec, &job, report).await);
            let said = format!("{} ended with 0 after {} ms", job.what, milliseconds(took));
            progress(Event::Reached(said.clone()));
            report.notes.push(said);
        }
        Ok(Ok(()))
    }

    /// The names by which other components find this one.
    fn aliases(&self, component: &Component) -> Vec<String> {
        let further = self.plan.further_hosts(&component.id).into_keys();
        let own = self.plan.object_name(&component.id);
        let names = [own, component.id.clone()].into_iter();
        names.chain(further.map(str::to_owned)).collect()
    }

    /// The port of `component` to publish; that of the first one on the port that the user asked for.
    fn published(&self, component: &Component) -> Vec<(u16, u16)> {
        let Some(port) = component.main_port() else {
            return Vec::new();
        };
        let mut components = self.plan.components.iter();
        let first = components.find(|one| one.main_port().is_some());
        let is_first = first.is_some_and(|first| first.id == component.id);
        let wanted = self.options.publish_port.filter(|_| is_first);
        vec![(port.port, wanted.unwrap_or(0))]
    }

    /// What is listened on in the network of a container.
    async fn listeners(&self, id: &str) -> anyhow::Result<Vec<Listener>> {
        let tables = self.engine.sockets(id).await?;
        Ok(tables.map_or_else(Vec::new, |tables| listeners(&tables)))
    }

    fn index(&self, component: &Component) -> usize {
        let found = self
            .plan
            .components
            .iter()
            .position(|known| known.id == component.id);
        found.expect("the component is one of the plan's")
    }

    /// Starts a container; where its command cannot be run, `what` says so.
    async fn start(&self, id: &str, cause: Cause, what: &str, origin: &[Origin]) -> Reached<()> {
        let result = self.engine.start(id).await?;
        Ok(result.map_err(|why| failure(cause, format!("{what}: {why}"), origin, Vec::new(), &[])))
    }

    /// Asks an application that answered to end.
    async fn end(
        &self,
        component: &Component,
        id: &str,
        report: &mut ComponentReport,
    ) -> Reached<()> {
        let state = self.engine.state(id).await?;
        if !state.running {
            let mut failure = self.ended(component, id, &state).await?;
            failure.message = format!("it answered, but did not stay up: {}", failure.message);
            return Ok(Err(failure));
        }
        let mut measured_stop = GRACE;
        match self.engine.stop(id, GRACE).await? {
            Some(took) => {
                report.stop_ms = Some(milliseconds(took));
                measured_stop = took.min(GRACE);
                if took >= GRACE {
                    report.notes.push(format!(
                        "did not end within {} seconds of the request to stop and was killed",
                        GRACE.as_secs()
                    ));
                }
            }
            None => report.notes.push(
                "does not heed SIGTERM: each stop will take the whole grace period, and a kill"
                    .to_owned(),
            ),
        }
        if let Some(measured) = &mut report.measured {
            measured.stop_ms = Some(milliseconds(measured_stop));
        }
        Ok(Ok(()))
    }
}
