//! The ladder: parsed → built → started → listening → answers, one rung after the other.

use std::{
    collections::BTreeMap,
    fs::File,
    io::Write,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::Context as _;

use super::{
    Event, Options,
    context::{self, Context},
    denied,
    engine::{
        Answer, BuildFailure, BuildRequest, ContainerSpec, Engine, Executed, Hardening, Run, State,
    },
    environment::Secrets,
    http::{self, Meaning},
    instruction,
    listening::{Listener, listeners},
    load,
    log::last_lines,
    report::{Answered, Cause, ComponentReport, Failure, Report, Rung},
};
use crate::{
    origin::places,
    plan::{BuildPlan, Command, Component, Measured, Origin, Protocol, Service},
    render::Artifact,
    repo::file_name,
};

/// How often something is looked at while waiting for it.
const PERIOD: Duration = Duration::from_millis(100);
/// How often a service's health check runs.
const HEALTH_PERIOD: Duration = Duration::from_millis(250);
/// How long one health check may take.
const HEALTH_PATIENCE: Duration = Duration::from_secs(10);
/// How long a program must run to count as started, unless it listens before that.
const MOMENT: Duration = Duration::from_secs(1);
/// How long a program without a port must stay up to count as running.
const STAYS_UP: Duration = Duration::from_secs(5);
/// How long a further process must stay up.
const PROCESS_STAYS_UP: Duration = Duration::from_secs(3);
/// How long a container has to end after the request to stop, as with `docker stop`.
const GRACE: Duration = Duration::from_secs(10);
/// How many redirects are followed.
const REDIRECTS: usize = 5;
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
    /// Whether the port that the user asked for is in use.
    has_published: bool,
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
    let mut stand_ins = Vec::new();
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
        if engine.ensure_image(image).await?.stand_in {
            stand_ins.push(image.to_owned());
        }
    }
    engine.create_network(run).await?;

    let mut reports = Vec::new();
    let mut started = Started::default();
    for component in &plan.components {
        let mut report = ComponentReport {
            id: component.id.clone(),
            rung: Rung::Parsed,
            notes: Vec::new(),
            answer: None,
            measured: None,
            build_seconds: 0.0,
            image_id: None,
            image_bytes: 0,
            stop_ms: None,
            logs: Vec::new(),
            failure: None,
        };
        let result = site
            .component(component, &mut report, &mut started, progress)
            .await?;
        report.failure = result.err();
        reports.push(report);
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
            hardened: Some(Hardening {
                user: component.image.user,
                tmpfs: component
                    .volumes
                    .iter()
                    .filter(|volume| !volume.persistent)
                    .map(|volume| volume.path.clone())
                    .collect(),
                memory: self.options.memory_limit,
            }),
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
                    reach!(self.prepare(&spec, command, report).await);
                }
            }
            progress(Event::Reached(format!("prepared: {}", command.command)));
        }

        let app = if owner.is_some() {
            spec("app")
        } else {
            ContainerSpec {
                aliases: vec![self.alias(component)],
                publish: self.published(component, started),
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
        Ok(Ok(()))
    }

    /// The name by which other components find this one.
    fn alias(&self, component: &Component) -> String {
        match self.plan.components.len() {
            1 => component.id.clone(),
            _ => format!("{}-{}", self.plan.name, component.id),
        }
    }

    /// The port of `component` to publish, on the one that the user asked for if it is still free.
    fn published(&self, component: &Component, started: &mut Started) -> Vec<(u16, u16)> {
        let Some(port) = component.main_port() else {
            return Vec::new();
        };
        let wanted = self.options.publish_port.filter(|_| !started.has_published);
        started.has_published = true;
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
        match self.engine.stop(id, GRACE).await? {
            Some(took) => {
                report.stop_ms = Some(milliseconds(took));
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
        Ok(Ok(()))
    }

    async fn build(
        &self,
        component: &Component,
        report: &mut ComponentReport,
        progress: &mut dyn FnMut(Event),
    ) -> Reached<String> {
        progress(Event::Stage(format!("building {}", component.id)));
        let dockerfile = if self.plan.components.len() == 1 {
            "Dockerfile".to_owned()
        } else {
            format!("Dockerfile.{}", component.id)
        };
        let tag = match (self.options.keep_image, self.plan.components.len()) {
            (true, 1) => format!("{}:dev", self.plan.name),
            (true, _) => format!("{}-{}:dev", self.plan.name, component.id),
            (false, _) => format!(
                "longshore/{}-{}:{}",
                self.plan.name, component.id, self.run.id
            ),
        };
        let secrets = component.build_secrets();
        if let Some(missing) = secrets
            .iter()
            .find(|secret| std::env::var_os(&secret.id).is_none())
        {
            let message = format!("the build needs the secret {}", missing.id);
            let hint = format!(
                "set the environment variable {} to the address of the mirror",
                missing.id
            );
            return Ok(Err(failure(
                Cause::Build,
                message,
                &missing.origin,
                Vec::new(),
                &[&hint],
            )));
        }
        let request = BuildRequest {
            secrets: secrets.iter().map(|secret| secret.id.clone()).collect(),
            context: Context::list(self.repository, self.artifacts)?,
            dockerfile: dockerfile.clone(),
            tag: tag.clone(),
            timeout: self.options.build_timeout,
        };
        let begun = Instant::now();
        // What is shown of the log is bounded; what is kept is all of it.
        let mut kept = self.log_file(&format!("{}-build", component.id));
        let mut watched = |event: Event| {
            if let Some((_, file)) = &mut kept {
                let _ = match &event {
                    Event::BuildStep { name, .. } => writeln!(file, "{name}"),
                    Event::Log(line) => writeln!(file, "{line}"),
                    Event::Stage(_) | Event::Reached(_) => Ok(()),
                };
            }
            progress(event);
        };
        let result = self.engine.build(self.run, request, &mut watched).await?;
        report.logs.extend(kept.map(|(path, _)| path));
        report.build_seconds = begun.elapsed().as_secs_f64();
        match result {
            Ok(built) => {
                report.image_id = Some(built.id);
                report.image_bytes = built.size;
                Ok(Ok(tag))
            }
            Err(broken) => Ok(Err(self.build_failure(&dockerfile, broken))),
        }
    }

    fn build_failure(&self, dockerfile: &str, broken: BuildFailure) -> Failure {
        let artifact = self
            .artifacts
            .iter()
            .find(|artifact| artifact.path == dockerfile);
        let found = broken
            .step
            .as_deref()
            .zip(artifact)
            .and_then(|(step, artifact)| {
                Some((instruction::lines_of(&artifact.contents, step)?, artifact))
            });
        let (place, origins) = match found {
            Some(((first, last), artifact)) => {
                let origins = artifact
                    .origins
                    .range(first..=last)
                    .flat_map(|(_, origins)| origins);
                (
                    format!("{dockerfile}:{first}: "),
                    origins.cloned().collect(),
                )
            }
            None => (String::new(), Vec::new()),
        };
        let step = broken
            .step
            .as_deref()
            .map_or("the build", instruction::name_of);
        let message = format!("{place}`{step}` failed: {}", broken.message);
        failure(
            Cause::Build,
            message,
            &origins,
            last_lines(&broken.log, SHOWN),
            &[],
        )
    }

    /// Starts a service and waits until its health check succeeds.
    async fn service(
        &self,
        service: &Service,
        started: &mut Started,
        report: &mut ComponentReport,
        progress: &mut dyn FnMut(Event),
    ) -> Reached<String> {
        progress(Event::Stage(format!("starting {}", service.kind)));
        let owner = self.plan.network_owner().filter(|_| service.is_local());
        let owns = owner.is_some_and(|owner| owner.kind == service.kind);
        let mut aliases = vec![service.kind.clone()];
        aliases.extend(
            Some(service.host_name())
                .filter(|name| *name != service.kind)
                .map(str::to_owned),
        );
        let mut publish = Vec::new();
        let guests = self.plan.components.iter();
        for guest in guests.filter(|guest| owns && guest.shares_network()) {
            aliases.push(self.alias(guest));
            publish.extend(self.published(guest, started));
        }
        let mut volumes = BTreeMap::new();
        if let Some(folder) = service.socket() {
            let name = format!("{}-socket", service.kind);
            let name = self.engine.create_volume(self.run, &name).await?;
            volumes.insert(name.clone(), folder.to_owned());
            started.sockets.insert(service.kind.clone(), name);
        }
        let spec = ContainerSpec {
            name: service.kind.clone(),
            aliases,
            shares_network_of: owner
                .filter(|_| !owns)
                .and_then(|owner| started.services.get(&owner.kind).cloned()),
            publish,
            volumes,
            command: Some(service.command.clone()).filter(|command| !command.is_empty()),
            image: service.image.clone(),
            env: self.secrets.fill_all(&service.settings),
            ..ContainerSpec::default()
        };
        let id = self.engine.create(self.run, &spec).await?;
        if let Some(folder) = &service.init_directory {
            let mut files = Vec::new();
            for (index, path) in service.init.iter().enumerate() {
                let bytes = context::read_inside(self.repository, path)?;
                files.push((format!("{index:02}-{}", file_name(path)), bytes));
            }
            // Copied, not mounted: the engine may be on another machine.
            if !files.is_empty() {
                self.engine
                    .copy_in(&id, folder, context::files(&files)?)
                    .await?;
            }
        }
        let what = format!("the service {} cannot be started", service.kind);
        reach!(
            self.start(&id, Cause::Service, &what, &service.origin)
                .await
        );
        let begun = Instant::now();
        let trouble = loop {
            let state = self.engine.state(&id).await?;
            if state.running {
                let check = self.engine.exec(&id, &service.healthcheck);
                let check = tokio::time::timeout(HEALTH_PATIENCE, check).await;
                if check.unwrap_or_else(|_| Ok(Executed::default()))?.exit_code == Some(0) {
                    let seconds = begun.elapsed().as_secs_f64();
                    progress(Event::Reached(format!(
                        "{} healthy after {seconds:.1} s",
                        service.kind
                    )));
                    return Ok(Ok(id));
                }
            }
            if !state.running && state.exit_code.is_some() {
                break format!(
                    "ended with {} while starting",
                    state.exit_code.unwrap_or(-1)
                );
            }
            if begun.elapsed() > self.options.start_timeout {
                break format!(
                    "is not healthy after {} seconds",
                    self.options.start_timeout.as_secs()
                );
            }
            tokio::time::sleep(HEALTH_PERIOD).await;
        };
        report.logs.extend(self.keep_log(&service.kind, &id).await);
        let log = last_lines(&self.engine.logs(&id).await?, SHOWN);
        let message = format!("the service {} {trouble}", service.kind);
        Ok(Err(failure(
            Cause::Service,
            message,
            &service.origin,
            log,
            &[],
        )))
    }

    /// Runs a prepare step in a container of its own.
    async fn prepare(
        &self,
        spec: &ContainerSpec,
        command: &Command,
        report: &mut ComponentReport,
    ) -> Reached<()> {
        let id = self.engine.create(self.run, spec).await?;
        let what = format!("the prepare step `{}` cannot be run", command.command);
        reach!(
            self.start(&id, Cause::Prepare, &what, &command.origin)
                .await
        );
        let begun = Instant::now();
        let state = loop {
            let state = self.engine.state(&id).await?;
            if !state.running || begun.elapsed() > self.options.prepare_timeout {
                break state;
            }
            tokio::time::sleep(PERIOD).await;
        };
        report.logs.extend(self.keep_log(&spec.name, &id).await);
        let exit_code = if state.running { None } else { state.exit_code };
        if exit_code == Some(0) {
            return Ok(Ok(()));
        }
        let log = self.engine.logs(&id).await?;
        Ok(Err(self.unprepared(command, exit_code, &log)))
    }

    /// Runs a prepare step in the container of a service.
    async fn prepare_in(&self, service: &str, command: &Command) -> Reached<()> {
        let settings = command
            .env
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        let shell = ["sh", "-c", &command.command].map(str::to_owned);
        let words: Vec<String> = ["env".to_owned()]
            .into_iter()
            .chain(settings)
            .chain(shell)
            .collect();
        let running = self.engine.exec(service, &words);
        let executed = match tokio::time::timeout(self.options.prepare_timeout, running).await {
            Ok(executed) => executed?,
            Err(_) => return Ok(Err(self.unprepared(command, None, ""))),
        };
        if executed.exit_code == Some(0) {
            return Ok(Ok(()));
        }
        let exit_code = executed.exit_code.unwrap_or(-1);
        Ok(Err(self.unprepared(
            command,
            Some(exit_code),
            &executed.output,
        )))
    }

    fn unprepared(&self, command: &Command, exit_code: Option<i64>, log: &str) -> Failure {
        let what = match exit_code {
            Some(code) => format!("ended with {code}"),
            None => format!(
                "did not end within {} seconds",
                self.options.prepare_timeout.as_secs()
            ),
        };
        let message = format!("the prepare step `{}` {what}", command.command);
        with_denied(
            failure(
                Cause::Prepare,
                message,
                &command.origin,
                last_lines(log, SHOWN),
                &[],
            ),
            log,
        )
    }

    /// Waits until `deadline`; a process that ends before that is a failure.
    async fn stays_up(
        &self,
        id: &str,
        name: &str,
        deadline: Instant,
        origin: &[Origin],
    ) -> Reached<()> {
        loop {
            let state = self.engine.state(id).await?;
            if !state.running {
                let log = self.engine.logs(id).await?;
                let message = format!(
                    "the process {name} ended with {}",
                    state.exit_code.unwrap_or(-1)
                );
                let ended = failure(
                    Cause::Process,
                    message,
                    origin,
                    last_lines(&log, SHOWN),
                    &[],
                );
                return Ok(Err(with_denied(ended, &log)));
            }
            if Instant::now() > deadline {
                return Ok(Ok(()));
            }
            tokio::time::sleep(PERIOD).await;
        }
    }

    /// From `started` to `answers`.
    async fn up(
        &self,
        component: &Component,
        id: &str,
        network: &Network,
        begun: Instant,
        report: &mut ComponentReport,
        progress: &mut dyn FnMut(Event),
    ) -> Reached<()> {
        let Some(port) = component.main_port() else {
            return self
                .without_port(component, id, begun, report, progress)
                .await;
        };
        let deadline = begun + self.options.start_timeout;
        let mut peak = 0;
        // Started, and listening where it should.
        let listening = loop {
            let state = self.engine.state(id).await?;
            if !state.running {
                return Ok(Err(self.ended(component, id, &state).await?));
            }
            let Some(tables) = self.engine.sockets(id).await? else {
                report.notes.push(
                    "its sockets cannot be looked at from here; only its answer counts".to_owned(),
                );
                break Vec::new();
            };
            let mut found = listeners(&tables);
            found.retain(|listener| !network.others.contains(listener));
            if found
                .iter()
                .any(|listener| listener.port == port.port && !listener.is_local())
            {
                report.rung = Rung::Listening;
                progress(Event::Reached(format!(
                    "listening on {} after {} ms",
                    port.port,
                    milliseconds(begun.elapsed())
                )));
                break found;
            }
            if begun.elapsed() > MOMENT {
                report.rung = Rung::Started;
            }
            if Instant::now() > deadline {
                report.rung = Rung::Started;
                return Ok(Err(self
                    .not_listening(component, id, port.port, &found)
                    .await?));
            }
            tokio::time::sleep(PERIOD).await;
        };

        if port.protocol == Protocol::Tcp {
            report.notes.push(format!(
                "speaks no HTTP: that it listens on {} is its answer",
                port.port
            ));
        } else {
            let answer = reach!(self.answer(component, id, network, begun, &mut peak).await);
            progress(Event::Reached(format!(
                "{} gave {} after {} ms",
                answer.path,
                answer.status,
                milliseconds(begun.elapsed())
            )));
            match (answer.proven, http::meaning(answer.status, None)) {
                (true, _) => {}
                (false, Meaning::Nothing) => report.notes.push(format!(
                    "answers with {} on every path tried, which is no probe; manifests ask for the open port instead",
                    answer.status
                )),
                (false, _) => report.notes.push(format!(
                    "`{}` answers with {}, which is no probe; manifests ask for the open port instead",
                    answer.path, answer.status
                )),
            }
            report.answer = Some(answer);
        }
        let startup_ms = milliseconds(begun.elapsed());
        report.rung = Rung::Answers;
        let target = load::Target {
            id,
            owner: &network.owner,
        };
        let load = load::measure(
            self.engine,
            component,
            target,
            self.options,
            report,
            progress,
        );
        let load = load.await?;
        peak = peak.max(self.engine.peak_memory(id).await.unwrap_or(0));
        report.measured = Some(Measured {
            startup_ms,
            peak_memory_bytes: peak,
            listening: listening.iter().map(ToString::to_string).collect(),
            written: self.written(component, id).await?,
            load,
        });
        Ok(Ok(()))
    }

    /// Asks until there is an answer, or no time left.
    async fn answer(
        &self,
        component: &Component,
        id: &str,
        network: &Network,
        begun: Instant,
        peak: &mut u64,
    ) -> Reached<Answered> {
        let inside = component.main_port().map_or(0, |port| port.port);
        let deadline = begun + self.options.start_timeout;
        let health = component.health.as_ref();
        let host = health
            .and_then(|health| health.host.as_deref())
            .unwrap_or("localhost");
        let errors = health
            .map(|health| health.errors.as_slice())
            .unwrap_or_default();
        let mut paths: Vec<(&str, Option<u16>)> = Vec::new();
        if let Some(health) = health {
            paths.push((&health.path, Some(health.status)));
            let others = health
                .candidates
                .iter()
                .filter(|path| **path != health.path);
            paths.extend(others.map(|path| (path.as_str(), None)));
        } else {
            paths.push(("/", None));
        }
        loop {
            let state = self.engine.state(id).await?;
            if !state.running {
                return Ok(Err(self.ended(component, id, &state).await?));
            }
            let published = match network.owner.as_str() {
                "" => state.published,
                owner => self.engine.state(owner).await?.published,
            };
            let port = published
                .get(&inside)
                .context("the engine did not publish the port")?;
            let port = *port;
            let tried = self.ask(port, &paths, host, errors).await;
            let (what, body) = match tried {
                Tried::Answered(answer) => return Ok(Ok(answer)),
                Tried::Failed(what, body) => (what, body),
            };
            // The engine answers this at once only the first time, so not before a success.
            *peak = (*peak).max(self.engine.peak_memory(id).await.unwrap_or(0));
            if Instant::now() > deadline {
                let state = self.engine.state(id).await?;
                if !state.running {
                    return Ok(Err(self.ended(component, id, &state).await?));
                }
                let printed = self.engine.logs(id).await?;
                let mut log = last_lines(&printed, SHOWN);
                log.extend(
                    last_lines(&body, 5)
                        .into_iter()
                        .map(|line| format!("body: {line}")),
                );
                let silent = failure(Cause::Answer, what, start_origin(component), log, &[]);
                return Ok(Err(with_denied(silent, &printed)));
            }
            tokio::time::sleep(PERIOD * 5).await;
        }
    }

    /// Asks the paths in turn; the first proof wins, then what is protected, then "nothing here"
    /// from an application that otherwise works.
    async fn ask(
        &self,
        port: u16,
        paths: &[(&str, Option<u16>)],
        host: &str,
        errors: &[String],
    ) -> Tried {
        let mut protected = None;
        let mut nothing = None;
        let mut worst = None;
        for (path, expected) in paths {
            let (first, last) = match self.follow(port, path, host).await {
                Ok(answers) => answers,
                Err(what) => {
                    worst = worst.or(Some((format!("`{path}` {what}"), String::new())));
                    continue;
                }
            };
            let words = last.body.split_whitespace().collect::<Vec<_>>().join(" ");
            let answered = |proven: bool| Answered {
                path: (*path).to_owned(),
                status: first.status,
                proven,
                body: words.chars().take(4000).collect(),
            };
            let meaning = match http::meaning(first.status, *expected) {
                Meaning::Proof if (300..400).contains(&first.status) => {
                    http::meaning(last.status, None)
                }
                meaning => meaning,
            };
            let told = errors
                .iter()
                .find(|error| last.body.contains(error.as_str()));
            if let Some(error) = told {
                let what = format!(
                    "`{path}` gave status {}, but the page says `{error}`",
                    last.status
                );
                worst = worst.or(Some((what, last.body)));
                continue;
            }
            match meaning {
                Meaning::Proof => return Tried::Answered(answered(true)),
                Meaning::Protected => protected = protected.or(Some(answered(false))),
                Meaning::Nothing => nothing = nothing.or(Some(answered(false))),
                Meaning::Failure => {
                    let what = format!("`{path}` gave status {}", last.status);
                    worst = worst.or(Some((what, last.body)));
                }
            }
        }
        match (protected, worst, nothing) {
            (Some(answer), _, _) | (None, None, Some(answer)) => Tried::Answered(answer),
            (None, Some((what, body)), _) => Tried::Failed(what, body),
            (None, None, None) => Tried::Failed("no path was asked".to_owned(), String::new()),
        }
    }

    /// Asks `path` and follows redirects within the application; returns the first and the last
    /// answer.
    async fn follow(&self, port: u16, path: &str, host: &str) -> Result<(Answer, Answer), String> {
        let mut cookies: Vec<String> = Vec::new();
        let get = async |path: &str, cookies: &[String]| {
            let answer = self.engine.get(port, path, host, cookies).await;
            answer.map_err(|error| format!("gave no answer: {error}"))
        };
        let first = get(path, &cookies).await?;
        let mut last = first.clone();
        let mut path = path.to_owned();
        for _ in 0..REDIRECTS {
            let location = last
                .location
                .as_deref()
                .filter(|_| (300..400).contains(&last.status));
            let Some(next) = location.and_then(|location| http::redirected(location, &path, host))
            else {
                return Ok((first, last));
            };
            // Some programs go round until their cookie comes back.
            cookies.append(&mut last.cookies);
            last = get(&next, &cookies).await?;
            path = next;
        }
        match (300..400).contains(&last.status) {
            true => Err(format!(
                "was redirected more than {REDIRECTS} times, last to `{path}`"
            )),
            false => Ok((first, last)),
        }
    }

    /// A program without a port answers by ending with 0, or by staying up.
    async fn without_port(
        &self,
        component: &Component,
        id: &str,
        begun: Instant,
        report: &mut ComponentReport,
        progress: &mut dyn FnMut(Event),
    ) -> Reached<()> {
        loop {
            let state = self.engine.state(id).await?;
            let ended_well = !state.running && state.exit_code == Some(0);
            let stays_up = state.running && begun.elapsed() > STAYS_UP;
            if state.running && begun.elapsed() > MOMENT {
                report.rung = Rung::Started;
            }
            if ended_well || stays_up {
                report.rung = Rung::Answers;
                let what = if ended_well {
                    "ended with 0"
                } else {
                    "stays up"
                };
                report
                    .notes
                    .push(format!("a program without a port: it {what}"));
                progress(Event::Reached(what.to_owned()));
                let peak = if stays_up {
                    self.engine.peak_memory(id).await.unwrap_or(0)
                } else {
                    0
                };
                report.measured = Some(Measured {
                    startup_ms: milliseconds(begun.elapsed()),
                    peak_memory_bytes: peak,
                    listening: Vec::new(),
                    written: self.written(component, id).await?,
                    load: None,
                });
                return Ok(Ok(()));
            }
            if !state.running && state.exit_code.is_some() {
                return Ok(Err(self.ended(component, id, &state).await?));
            }
            tokio::time::sleep(PERIOD).await;
        }
    }

    async fn ended(
        &self,
        component: &Component,
        id: &str,
        state: &State,
    ) -> anyhow::Result<Failure> {
        let log = self.engine.logs(id).await?;
        let (cause, message) = if state.out_of_memory {
            let limit = self.options.memory_limit >> 20;
            (
                Cause::OutOfMemory,
                format!("the kernel ended it: it wants more than {limit} MiB of memory"),
            )
        } else {
            let code = state.exit_code.unwrap_or(-1);
            (Cause::Ended, format!("the container ended with {code}"))
        };
        let ended = failure(
            cause,
            message,
            start_origin(component),
            last_lines(&log, SHOWN),
            &[],
        );
        Ok(with_denied(ended, &log))
    }

    async fn not_listening(
        &self,
        component: &Component,
        id: &str,
        port: u16,
        found: &[Listener],
    ) -> anyhow::Result<Failure> {
        let printed = self.engine.logs(id).await?;
        let shown: Vec<String> = found.iter().map(ToString::to_string).collect();
        let local = found
            .iter()
            .any(|listener| listener.port == port && listener.is_local());
        let (cause, message, hint) = match (local, shown.is_empty()) {
            (true, _) => (
                Cause::LocalOnly,
                format!(
                    "it listens on 127.0.0.1:{port} only, where nothing outside its container reaches it"
                ),
                "make it listen on 0.0.0.0: by a flag of the start command, or a setting that the code reads",
            ),
            (false, false) => (
                Cause::OtherPort,
                format!("it listens on {}, not on {port}", shown.join(" and ")),
                "correct the port in the README, or the start command",
            ),
            (false, true) => (
                Cause::NoPort,
                format!(
                    "it opened no port within {} seconds",
                    self.options.start_timeout.as_secs()
                ),
                "give it more time with `--start-timeout`, if it needs that",
            ),
        };
        let log = last_lines(&printed, SHOWN);
        let silent = failure(cause, message, start_origin(component), log, &[hint]);
        Ok(with_denied(silent, &printed))
    }

    /// Paths written outside the declared ones, as the engine and the log tell.
    async fn written(&self, component: &Component, id: &str) -> anyhow::Result<Vec<String>> {
        let mut paths = self.engine.changes(id).await?;
        paths.extend(denied::paths(&self.engine.logs(id).await?));
        paths.sort();
        paths.dedup();
        let declared = |path: &str| {
            let inside = |folder: &str| {
                path == folder
                    || path.starts_with(&format!("{folder}/"))
                    || folder.starts_with(&format!("{path}/"))
            };
            component.volumes.iter().any(|volume| inside(&volume.path))
                || ["/tmp", "/run", "/dev", "/etc", "/proc", "/sys"]
                    .iter()
                    .any(|folder| inside(folder))
        };
        paths.retain(|path| !declared(path));
        Ok(paths)
    }

    /// Keeps what a container printed, if the user wants that, and returns where.
    async fn keep_log(&self, name: &str, id: &str) -> Option<PathBuf> {
        let (path, mut file) = self.log_file(name)?;
        let text = self.engine.logs(id).await.ok()?;
        file.write_all(text.as_bytes()).ok()?;
        Some(path)
    }

    /// A log that cannot be kept is no reason to fail the run.
    fn log_file(&self, name: &str) -> Option<(PathBuf, File)> {
        let folder = self.options.keep_logs.as_ref()?;
        std::fs::create_dir_all(folder).ok()?;
        let path = folder.join(format!("{name}.log"));
        let file = File::create(&path).ok()?;
        Some((path, file))
    }
}

fn start_origin(component: &Component) -> &[Origin] {
    component.start.as_ref().map_or(&[], |start| &start.origin)
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Says in the hints which paths the program could not write.
fn with_denied(mut failure: Failure, log: &str) -> Failure {
    for path in denied::paths(log) {
        failure.hints.push(format!("it cannot write `{path}`: the root file system is read-only; make it a volume if it must"));
    }
    failure
}

enum Tried {
    Answered(Answered),
    /// What happened, and the body.
    Failed(String, String),
}

fn failure(
    cause: Cause,
    message: String,
    origins: &[Origin],
    log: Vec<String>,
    hints: &[&str],
) -> Failure {
    Failure {
        cause,
        message,
        places: places(origins),
        origins: origins.to_vec(),
        log,
        hints: hints.iter().map(|hint| (*hint).to_owned()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::fake::Fake;

    const EVERYWHERE: &str = "00000000:1F40";
    const LOOPBACK: &str = "0100007F:1F40";
    const OTHER_PORT: &str = "00000000:2328";

    fn plan(change: impl Fn(&mut serde_json::Value)) -> BuildPlan {
        let origin = serde_json::json!([{"kind": "readme", "file": "README.md", "line": 12}]);
        let mut plan = serde_json::json!({
            "schema": crate::plan::SCHEMA, "name": "app", "readmes": [], "ledger": [], "questions": [], "diagnostics": [],
            "components": [{
                "id": "web", "path": ".", "stack": "s", "framework": null, "evidence": [],
                "runtime": {"name": "r", "version": "1", "requested": null, "origin": []},
                "image": {
                    "build_from": "a", "run_from": "stand-in", "workdir": "/app", "build_env": {}, "run_env": {}, "setup": [],
                    "manifests": [], "caches": [], "artifacts": [], "copy_source": true, "extra_files": [], "user": 10001,
                    "health_command": null, "origin": []
                },
                "system_packages": {"build": [], "runtime": [], "origins": {}},
                "files": [], "install": [], "build": [], "prepare": [],
                "start": {"command": ["serve"], "directory": ".", "origin": origin},
                "processes": [], "schedules": [],
                "ports": [{"port": 8000, "protocol": "http", "origin": []}],
                "health": null, "env": [], "services": [], "volumes": []
            }]
        });
        change(&mut plan["components"][0]);
        serde_json::from_value(plan).expect("a plan")
    }

    fn climbed(fake: &Fake, plan: &BuildPlan) -> ComponentReport {
        let folder = tempfile::tempdir().expect("a folder");
        let run = Run::new().expect("random");
        let options = Options {
            start_timeout: Duration::from_secs(2),
            prepare_timeout: Duration::from_secs(3),
            ..Options::default()
        };
        let dockerfile = Artifact {
            path: "Dockerfile".into(),
            contents: "FROM a\nRUN make\n".into(),
            origins: [(2, vec![Origin::recipe("stacks/s", "make")])].into(),
            executable: false,
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let report = runtime.block_on(climb(
            fake,
            &run,
            plan,
            &[dockerfile],
            folder.path(),
            &options,
            &mut |_| {},
        ));
        let mut report = report.expect("a report");
        assert_eq!(report.stand_ins, ["stand-in"]);
        report.components.remove(0)
    }

    fn listening_on(listens: &'static str, answers: &[(&'static str, &[Answer])]) -> Fake {
        let answers = answers
            .iter()
            .map(|(path, answers)| (*path, answers.to_vec().into()));
        Fake {
            listens,
            answers: answers.collect::<BTreeMap<_, _>>().into(),
            ..Fake::default()
        }
    }

    fn status(status: u16) -> Answer {
        Answer {
            status,
            body: format!("body of {status}"),
            ..Answer::default()
        }
    }

    fn redirect(location: &str) -> Answer {
        Answer {
            location: Some(location.to_owned()),
            ..status(302)
        }
    }

    fn serving(answers: &[(&'static str, &[Answer])]) -> Fake {
        listening_on(EVERYWHERE, answers)
    }

    #[track_caller]
    fn check_failure(
        fake: &Fake,
        plan: &BuildPlan,
        rung: Rung,
        cause: Cause,
        words: &str,
    ) -> Failure {
        let report = climbed(fake, plan);
        let failure = report.failure.expect("a failure");
        assert_eq!((report.rung, failure.cause), (rung, cause), "{failure:?}");
        assert!(failure.message.contains(words), "{failure:?}");
        failure
    }

    #[track_caller]
    fn check_answer(fake: &Fake, plan: &BuildPlan, path: &str, status: u16, proven: bool) {
        let report = climbed(fake, plan);
        let answer = report
            .answer
            .unwrap_or_else(|| panic!("{:?}", report.failure));
        assert_eq!(
            (answer.path.as_str(), answer.status, answer.proven),
            (path, status, proven)
        );
        assert_eq!((report.rung, report.failure), (Rung::Answers, None));
    }

    #[track_caller]
    fn check_silence(answers: &[(&'static str, &[Answer])], words: &str) -> Failure {
        check_failure(
            &serving(answers),
            &plan(|_| {}),
            Rung::Listening,
            Cause::Answer,
            words,
        )
    }

    fn with_paths(paths: &'static [&'static str], status: u16) -> BuildPlan {
        plan(|component| {
            component["health"] = serde_json::json!({
                "candidates": paths, "path": paths[0], "status": status, "host": "shop.example", "proven": false, "origin": []
            });
        })
    }

    fn with_prepare(runs_in: Option<&str>) -> BuildPlan {
        plan(|component| {
            component["services"] = serde_json::json!([{
                "kind": "postgres", "version": "15", "image": "postgres:15", "port": 5432, "env": {"URL": "pg:${PASSWORD}"},
                "settings": {"PASSWORD": "${PASSWORD}"}, "secrets": ["PASSWORD"], "healthcheck": ["ready"], "data": null,
                "user": 999, "writable": [], "init": [], "init_directory": null, "optional": false, "origin": []
            }]);
            component["prepare"] = serde_json::json!([{
                "command": "migrate", "directory": "site", "runs_in": runs_in, "env": {"A": "1"},
                "origin": [{"kind": "readme", "file": "README.md", "line": 7}]
            }]);
        })
    }

    #[test]
    fn a_page_is_an_answer() {
        check_answer(
            &serving(&[("/", &[status(200)])]),
            &plan(|_| {}),
            "/",
            200,
            true,
        );
    }

    #[test]
    fn a_slow_start_is_waited_for() {
        let fake = serving(&[("/", &[status(503), status(200)])]);
        check_answer(&fake, &plan(|_| {}), "/", 200, true);
    }

    #[test]
    fn a_page_behind_a_login_answers_but_is_no_probe() {
        let fake = serving(&[("/", &[status(401)]), ("/broken", &[status(500)])]);
        check_answer(&fake, &with_paths(&["/", "/broken"], 200), "/", 401, false);
    }

    #[test]
    fn the_declared_status_is_a_probe() {
        let fake = serving(&[("/", &[status(401)])]);
        check_answer(&fake, &with_paths(&["/"], 401), "/", 401, true);
    }

    #[test]
    fn after_nothing_at_the_root_the_other_paths_are_tried() {
        let fake = serving(&[("/", &[status(404)]), ("/api", &[status(200)])]);
        check_answer(&fake, &with_paths(&["/", "/api"], 200), "/api", 200, true);
        assert!(
            fake.calls
                .borrow()
                .contains(&"get shop.example/api".to_owned())
        );
    }

    #[test]
    fn nothing_on_every_path_is_an_answer_with_a_note() {
        let fake = serving(&[("/", &[status(404)]), ("/api", &[status(404)])]);
        let report = climbed(&fake, &with_paths(&["/", "/api"], 200));
        assert!(
            report.notes[0].starts_with("answers with 404 on every path tried"),
            "{report:?}"
        );
        assert!(report.answer.is_some_and(|answer| !answer.proven));
    }

    #[test]
    fn a_server_error_is_no_answer_and_its_body_is_shown() {
        let failure = check_silence(&[("/", &[status(500)])], "`/` gave status 500");
        assert_eq!(failure.log, ["body: body of 500"]);
        assert_eq!(failure.places, ["README.md:12"]);
    }

    #[test]
    fn a_page_that_tells_of_an_error_is_no_answer() {
        let broken = Answer {
            body: "<b>Fatal error</b>: no database".to_owned(),
            ..status(200)
        };
        let mut plan = with_paths(&["/"], 200);
        let health = plan.components[0].health.as_mut().expect("a path");
        health.errors.push("<b>Fatal error</b>".to_owned());
        let failure = check_failure(
            &serving(&[("/", &[broken])]),
            &plan,
            Rung::Listening,
            Cause::Answer,
            "the page says `<b>Fatal error</b>`",
        );
        assert_eq!(failure.log, ["body: <b>Fatal error</b>: no database"]);
    }

    #[test]
    fn a_port_without_an_answer_is_told() {
        check_silence(&[], "gave no answer: connection refused");
    }

    #[test]
    fn a_redirect_is_followed_within_the_application() {
        let fake = serving(&[("/", &[redirect("/login")]), ("/login", &[status(200)])]);
        check_answer(&fake, &plan(|_| {}), "/", 302, true);
    }

    #[test]
    fn a_redirect_to_an_error_is_no_answer() {
        check_silence(
            &[("/", &[redirect("/a")]), ("/a", &[status(500)])],
            "`/` gave status 500",
        );
    }

    #[test]
    fn a_redirect_to_another_host_is_an_answer() {
        let fake = serving(&[("/", &[redirect("https://sso.example/")])]);
        check_answer(&fake, &plan(|_| {}), "/", 302, true);
    }

    #[test]
    fn a_circle_of_redirects_is_no_answer() {
        check_silence(
            &[("/", &[redirect("/")])],
            "`/` was redirected more than 5 times",
        );
    }

    #[test]
    fn a_cookie_comes_back_with_the_redirect() {
        let first = Answer {
            cookies: vec!["seen=1".into()],
            ..redirect("/")
        };
        let fake = serving(&[("/", &[first, status(200)])]);
        check_answer(&fake, &plan(|_| {}), "/", 302, true);
        assert!(
            fake.calls
                .borrow()
                .contains(&"get localhost/ seen=1".to_owned())
        );
    }

    #[test]
    fn loopback_only_another_port_and_no_port_are_told_apart() {
        let plan = plan(|_| {});
        for (listens, cause, words) in [
            (LOOPBACK, Cause::LocalOnly, "127.0.0.1:8000 only"),
            (OTHER_PORT, Cause::OtherPort, "0.0.0.0:9000, not on 8000"),
            ("", Cause::NoPort, "opened no port within 2 seconds"),
        ] {
            check_failure(
                &listening_on(listens, &[]),
                &plan,
                Rung::Started,
                cause,
                words,
            );
        }
    }

    #[test]
    fn where_sockets_cannot_be_looked_at_only_the_answer_counts() {
        let fake = Fake {
            is_blind: true,
            ..serving(&[("/", &[status(200)])])
        };
        check_answer(&fake, &plan(|_| {}), "/", 200, true);
    }

    #[test]
    fn a_port_that_speaks_no_http_answers_by_listening() {
        let plan = plan(|component| component["ports"][0]["protocol"] = "tcp".into());
        let report = climbed(&serving(&[]), &plan);
        assert_eq!(
            (report.rung, report.answer, report.failure),
            (Rung::Answers, None, None)
        );
    }

    #[test]
    fn a_crash_is_not_started_and_names_the_path_it_cannot_write() {
        let fake = Fake {
            ended: [("-app", 1)].into(),
            log: "OSError: [Errno 30] Read-only file system: '/app/db'",
            ..Fake::default()
        };
        let failure = check_failure(
            &fake,
            &plan(|_| {}),
            Rung::Built,
            Cause::Ended,
            "the container ended with 1",
        );
        assert!(
            failure.hints[0].contains("cannot write `/app/db`"),
            "{failure:?}"
        );
    }

    #[test]
    fn want_of_memory_is_a_cause_of_its_own() {
        let fake = Fake {
            ended: [("-app", 137)].into(),
            ..Fake::default()
        };
        check_failure(
            &fake,
            &plan(|_| {}),
            Rung::Built,
            Cause::OutOfMemory,
            "more than 512 MiB",
        );
    }

    #[test]
    fn a_start_command_that_is_not_in_the_image_is_a_failure() {
        let fake = Fake {
            unstartable: [("-app", "exec: \"serve\"")].into(),
            ..Fake::default()
        };
        let words = "its start command cannot be run: exec: \"serve\"";
        check_failure(&fake, &plan(|_| {}), Rung::Built, Cause::Ended, words);
    }

    #[test]
    fn an_application_that_ends_after_its_answer_does_not_pass() {
        let fake = Fake {
            dies_later: true,
            ..serving(&[("/", &[status(200)])])
        };
        check_failure(
            &fake,
            &plan(|_| {}),
            Rung::Answers,
            Cause::Ended,
            "did not stay up",
        );
    }

    #[test]
    fn a_program_that_ignores_the_request_to_stop_is_noted() {
        let fake = Fake {
            ignores_stop: true,
            ..serving(&[("/", &[status(200)])])
        };
        let report = climbed(&fake, &plan(|_| {}));
        assert_eq!((report.stop_ms, report.failure), (None, None));
        assert!(report.notes[0].starts_with("does not heed SIGTERM"));
    }

    #[test]
    fn a_program_without_a_port_answers_by_ending_well() {
        let plan = plan(|component| component["ports"] = serde_json::json!([]));
        let fake = Fake {
            ended: [("-app", 0)].into(),
            ..Fake::default()
        };
        let report = climbed(&fake, &plan);
        assert_eq!((report.rung, report.failure), (Rung::Answers, None));
        let fake = Fake {
            ended: [("-app", 2)].into(),
            ..Fake::default()
        };
        check_failure(&fake, &plan, Rung::Built, Cause::Ended, "ended with 2");
    }

    #[test]
    fn a_failed_build_step_names_its_line_and_origin() {
        let broken = BuildFailure {
            step: Some("[2/2] RUN make".into()),
            message: "exit code 2".into(),
            log: "cc: not found\n".into(),
        };
        let fake = Fake {
            build: Some(broken),
            ..Fake::default()
        };
        let words = "Dockerfile:2: `RUN make` failed: exit code 2";
        let failure = check_failure(&fake, &plan(|_| {}), Rung::Parsed, Cause::Build, words);
        assert_eq!(
            (failure.places, failure.log),
            (
                vec!["recipes/stacks/s.toml".into()],
                vec!["cc: not found".into()]
            )
        );
    }

    #[test]
    fn a_prepare_step_runs_like_the_application_but_in_its_own_folder() {
        let fake = Fake {
            ended: [("-prepare-1", 0)].into(),
            ..serving(&[("/", &[status(200)])])
        };
        check_answer(&fake, &with_prepare(None), "/", 200, true);
        let specs = fake.specs.borrow();
        let [service, prepare, app] = &specs[..] else {
            panic!("{specs:?}")
        };
        assert_eq!(prepare.directory.as_deref(), Some("/app/site"));
        assert_eq!(prepare.command.as_deref().map(<[String]>::len), Some(3));
        assert_eq!(prepare.env["A"], "1");
        assert_eq!(prepare.env["URL"], app.env["URL"]);
        assert_eq!(app.env["URL"], format!("pg:{}", service.env["PASSWORD"]));
        for spec in [prepare, app] {
            assert_eq!(
                spec.hardened.as_ref().map(|hardening| hardening.user),
                Some(10001)
            );
        }
        assert!(service.hardened.is_none() && service.aliases == ["postgres"]);
    }

    #[test]
    fn a_service_at_localhost_owns_the_network_and_publishes_the_port() {
        let mut plan = with_prepare(None);
        let service = &mut plan.components[0].services[0];
        service.fixed = Some(crate::plan::FixedAddress {
            host: crate::plan::LOCALHOST.into(),
            socket: Some("/run/pg".into()),
            origin: Vec::new(),
        });
        service.written.insert("PASSWORD".into(), "guest".into());
        let fake = Fake {
            ended: [("-prepare-1", 0)].into(),
            is_blind: true,
            ..serving(&[("/", &[status(200)])])
        };
        check_answer(&fake, &plan, "/", 200, true);
        let specs = fake.specs.borrow();
        let [service, prepare, app] = &specs[..] else {
            panic!("{specs:?}")
        };
        assert_eq!(service.publish, [(8000, 0)]);
        assert_eq!(service.aliases, ["postgres", "web"]);
        assert_eq!(service.env["PASSWORD"], "guest");
        for spec in [prepare, app] {
            assert_eq!(spec.shares_network_of.as_deref(), Some("postgres"));
            assert_eq!(spec.volumes, service.volumes);
            assert!(spec.publish.is_empty() && spec.aliases.is_empty());
        }
    }

    #[test]
    fn a_prepare_step_that_fails_names_the_line_of_the_readme() {
        let fake = Fake {
            ended: [("-prepare-1", 3)].into(),
            log: "no table",
            ..Fake::default()
        };
        let words = "the prepare step `migrate` ended with 3";
        let failure = check_failure(
            &fake,
            &with_prepare(None),
            Rung::Built,
            Cause::Prepare,
            words,
        );
        assert_eq!(
            (failure.places, failure.log),
            (vec!["README.md:7".into()], vec!["no table".into()])
        );
    }

    #[test]
    fn a_prepare_step_of_a_service_runs_in_its_container() {
        let fake = serving(&[("/", &[status(200)])]);
        check_answer(&fake, &with_prepare(Some("postgres")), "/", 200, true);
        let call = "exec in postgres: env A=1 sh -c migrate".to_owned();
        assert!(fake.calls.borrow().contains(&call));
    }

    #[test]
    fn a_service_that_does_not_get_healthy_is_named_with_its_log() {
        let fake = Fake {
            exec: 1,
            log: "no disk for me",
            ..Fake::default()
        };
        let words = "the service postgres is not healthy after 2 seconds";
        let failure = check_failure(
            &fake,
            &with_prepare(None),
            Rung::Built,
            Cause::Service,
            words,
        );
        assert_eq!(failure.log, ["no disk for me"]);
    }

    #[test]
    fn what_the_engine_says_was_written_is_told_unless_it_is_declared() {
        let report = climbed(&serving(&[("/", &[status(200)])]), &plan(|_| {}));
        assert_eq!(report.measured.expect("measured").written, ["/srv/x"]);
    }
}
