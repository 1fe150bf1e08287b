//! The ladder: parsed → built → started → listening → answers, one rung after the other.

use std::{
    collections::BTreeMap,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::Context;

use super::{
    Event, Options, context,
    engine::{BuildFailure, BuildRequest, ContainerSpec, Engine, Hardening, Run, State},
    http::{self, Meaning},
    listening::{Listener, listeners},
    log::last_lines,
    report::{Answered, Cause, ComponentReport, Failure, Report, Rung},
};
use crate::{
    plan::{BuildPlan, Component, EnvKind, Measured, Origin, Service},
    render::Artifact,
    repo::file_name,
};

/// How often something is looked at while waiting for it.
const PERIOD: Duration = Duration::from_millis(100);
/// How long a program without a port must stay up to count as running.
const STAYS_UP: Duration = Duration::from_secs(5);
/// How long a container has to end after the request to stop, as in Kubernetes' default.
const GRACE: Duration = Duration::from_secs(30);
/// How many lines of a log are shown.
const SHOWN: usize = 40;

/// What a run works with.
struct Site<'a, E> {
    engine: &'a E,
    run: &'a Run,
    plan: &'a BuildPlan,
    artifacts: &'a [Artifact],
    repository: &'a Path,
    options: &'a Options,
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
    let site = Site {
        engine,
        run,
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
    let mut running = BTreeMap::new();
    for component in &plan.components {
        let mut report = ComponentReport {
            id: component.id.clone(),
            rung: Rung::Parsed,
            notes: Vec::new(),
            answer: None,
            measured: None,
            build_seconds: 0.0,
            image_bytes: 0,
            stop_ms: None,
            failure: None,
        };
        if let Err(failure) = site
            .component(component, &mut report, &mut running, progress)
            .await?
        {
            report.failure = Some(failure);
        }
        reports.push(report);
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
        running: &mut BTreeMap<String, String>,
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

        let env = self.env(component);
        for service in &component.services {
            if !running.contains_key(&service.kind) {
                let id = reach!(self.service(service, progress).await);
                running.insert(service.kind.clone(), id);
            }
        }
        let mut volumes = BTreeMap::new();
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
            let spec = ContainerSpec {
                command: Some(vec![
                    "sh".to_owned(),
                    "-c".to_owned(),
                    command.command.clone(),
                ]),
                directory: Some(component.absolute(&command.directory)),
                env: env
                    .iter()
                    .chain(&command.env)
                    .map(|(name, value)| (name.clone(), value.clone()))
                    .collect(),
                ..spec(&format!("prepare-{}", index + 1))
            };
            reach!(self.prepare(&spec, &command.command, &command.origin).await);
            progress(Event::Reached(format!("prepared: {}", command.command)));
        }

        let port = component.main_port().map(|port| port.port);
        let app = ContainerSpec {
            alias: Some(component.id.clone()),
            publish: port.map(|port| (port, self.options.publish_port.unwrap_or(0))),
            ..spec("app")
        };
        progress(Event::Stage(format!("starting {}", component.id)));
        let id = self.engine.create(self.run, &app).await?;
        let begun = Instant::now();
        self.engine.start(&id).await?;
        let result = self.up(component, &id, begun, report, progress).await;
        self.keep_log(&format!("{}-app", component.id), &id).await;
        reach!(result);
        for process in &component.processes {
            let spec = ContainerSpec {
                command: Some(process.command.clone()),
                directory: Some(component.absolute(&process.directory)),
                ..spec(&process.id)
            };
            reach!(self.process(&spec, &process.id, &process.origin).await);
            progress(Event::Reached(format!("process {} stays up", process.id)));
        }
        if self.engine.state(&id).await?.running {
            let took = self.engine.stop(&id, GRACE).await?;
            report.stop_ms = u64::try_from(took.as_millis()).ok();
            if took >= GRACE {
                report.notes.push(format!(
                    "did not end within {} seconds of SIGTERM and was killed",
                    GRACE.as_secs()
                ));
            }
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
        let tag = match self.options.keep_image {
            true => format!("{}:dev", self.plan.name),
            false => format!(
                "longshore/{}-{}:{}",
                self.plan.name, component.id, self.run.id
            ),
        };
        let request = BuildRequest {
            context: context::archive(self.repository, self.artifacts)?,
            dockerfile: dockerfile.clone(),
            tag: tag.clone(),
            timeout: self.options.build_timeout,
        };
        let begun = Instant::now();
        let result = self.engine.build(self.run, request, progress).await?;
        report.build_seconds = begun.elapsed().as_secs_f64();
        match result {
            Ok(built) => {
                report.image_bytes = built.size;
                self.keep_text(&format!("{}-build", component.id), &built.log);
                Ok(Ok(tag))
            }
            Err(broken) => {
                self.keep_text(&format!("{}-build", component.id), &broken.log);
                Ok(Err(self.build_failure(&dockerfile, broken)))
            }
        }
    }

    fn build_failure(&self, dockerfile: &str, broken: BuildFailure) -> Failure {
        let artifact = self
            .artifacts
            .iter()
            .find(|artifact| artifact.path == dockerfile);
        let line = broken
            .step
            .as_deref()
            .zip(artifact)
            .and_then(|(step, artifact)| instruction_line(&artifact.contents, step));
        let origins: Vec<Origin> = line
            .zip(artifact)
            .map(|((first, last), artifact)| {
                artifact
                    .origins
                    .range(first..=last)
                    .flat_map(|(_, origins)| origins.clone())
                    .collect()
            })
            .unwrap_or_default();
        let place = line
            .map(|(first, _)| format!("{dockerfile}:{first}: "))
            .unwrap_or_default();
        let step = broken.step.as_deref().unwrap_or("the build");
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
    async fn service(&self, service: &Service, progress: &mut dyn FnMut(Event)) -> Reached<String> {
        progress(Event::Stage(format!("starting {}", service.kind)));
        let secret = |value: &str| self.with_secrets(value);
        let spec = ContainerSpec {
            name: service.kind.clone(),
            alias: Some(service.kind.clone()),
            image: service.image.clone(),
            env: service
                .settings
                .iter()
                .map(|(name, value)| (name.clone(), secret(value)))
                .collect(),
            ..ContainerSpec::default()
        };
        let id = self.engine.create(self.run, &spec).await?;
        if let Some(folder) = &service.init_directory {
            let mut files = Vec::new();
            for (index, path) in service.init.iter().enumerate() {
                let bytes = std::fs::read(self.repository.join(path))
                    .with_context(|| format!("failed to read `{path}`"))?;
                files.push((format!("{index:02}-{}", file_name(path)), bytes));
            }
            if !files.is_empty() {
                self.engine
                    .copy_in(&id, folder, context::files(&files)?)
                    .await?;
            }
        }
        self.engine.start(&id).await?;
        let begun = Instant::now();
        loop {
            let state = self.engine.state(&id).await?;
            if state.running {
                let executed = self.engine.exec(&id, &service.healthcheck).await?;
                if executed.exit_code == Some(0) {
                    progress(Event::Reached(format!(
                        "{} healthy after {:.1} s",
                        service.kind,
                        begun.elapsed().as_secs_f64()
                    )));
                    return Ok(Ok(id));
                }
            }
            let ended = !state.running && state.exit_code.is_some();
            if ended || begun.elapsed() > self.options.start_timeout {
                let log = self.engine.logs(&id).await?;
                let what = if ended {
                    "ended while starting".to_owned()
                } else {
                    format!(
                        "is not healthy after {} seconds",
                        self.options.start_timeout.as_secs()
                    )
                };
                return Ok(Err(failure(
                    Cause::Service,
                    format!("the service {} {what}", service.kind),
                    &service.origin,
                    last_lines(&log, SHOWN),
                    &[],
                )));
            }
            tokio::time::sleep(PERIOD).await;
        }
    }

    async fn prepare(&self, spec: &ContainerSpec, command: &str, origin: &[Origin]) -> Reached<()> {
        let id = self.engine.create(self.run, spec).await?;
        self.engine.start(&id).await?;
        let begun = Instant::now();
        let state = loop {
            let state = self.engine.state(&id).await?;
            if !state.running || begun.elapsed() > self.options.prepare_timeout {
                break state;
            }
            tokio::time::sleep(PERIOD).await;
        };
        self.keep_log(&spec.name, &id).await;
        if !state.running && state.exit_code == Some(0) {
            return Ok(Ok(()));
        }
        let log = self.engine.logs(&id).await?;
        let what = if state.running {
            "did not end in time".to_owned()
        } else {
            format!("ended with {}", state.exit_code.unwrap_or(-1))
        };
        Ok(Err(failure(
            Cause::Prepare,
            format!("the prepare step `{command}` {what}"),
            origin,
            last_lines(&log, SHOWN),
            &[],
        )))
    }

    async fn process(&self, spec: &ContainerSpec, name: &str, origin: &[Origin]) -> Reached<()> {
        let id = self.engine.create(self.run, spec).await?;
        self.engine.start(&id).await?;
        let begun = Instant::now();
        while begun.elapsed() < STAYS_UP {
            let state = self.engine.state(&id).await?;
            if !state.running {
                let log = self.engine.logs(&id).await?;
                let message = format!(
                    "the process {name} ended with {}",
                    state.exit_code.unwrap_or(-1)
                );
                return Ok(Err(failure(
                    Cause::Process,
                    message,
                    origin,
                    last_lines(&log, SHOWN),
                    &[],
                )));
            }
            tokio::time::sleep(PERIOD).await;
        }
        self.keep_log(&spec.name, &id).await;
        Ok(Ok(()))
    }

    /// From `started` to `answers`.
    async fn up(
        &self,
        component: &Component,
        id: &str,
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
            report.rung = report.rung.max(Rung::Started);
            let found = self.listeners(id).await?;
            if found
                .iter()
                .any(|listener| listener.port == port.port && !listener.is_local())
            {
                break found;
            }
            if Instant::now() > deadline {
                return Ok(Err(self
                    .not_listening(component, id, port.port, &found)
                    .await?));
            }
            tokio::time::sleep(PERIOD).await;
        };
        report.rung = Rung::Listening;
        progress(Event::Reached(format!(
            "listening on {} after {} ms",
            port.port,
            begun.elapsed().as_millis()
        )));

        let state = self.engine.state(id).await?;
        let published = state
            .published
            .context("the engine did not publish the port")?;
        let health = component.health.as_ref();
        let host = health
            .and_then(|health| health.host.clone())
            .unwrap_or_else(|| "localhost".to_owned());
        let candidates = health
            .map(|health| health.candidates.clone())
            .unwrap_or_else(|| vec!["/".to_owned()]);
        let answer = loop {
            let tried = self.ask(published, &candidates, &host).await;
            peak = peak.max(self.engine.peak_memory(id).await.unwrap_or(0));
            match tried {
                Tried::Answered(answer) => break answer,
                Tried::Failed(what, body) => {
                    let state = self.engine.state(id).await?;
                    if !state.running {
                        return Ok(Err(self.ended(component, id, &state).await?));
                    }
                    if Instant::now() > deadline {
                        let mut log = last_lines(&self.engine.logs(id).await?, SHOWN);
                        log.extend(
                            last_lines(&body, 5)
                                .into_iter()
                                .map(|line| format!("body: {line}")),
                        );
                        let origin = component
                            .start
                            .as_ref()
                            .map(|start| start.origin.clone())
                            .unwrap_or_default();
                        return Ok(Err(failure(Cause::Answer, what, &origin, log, &[])));
                    }
                }
            }
            tokio::time::sleep(PERIOD * 5).await;
        };
        let startup_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        report.rung = Rung::Answers;
        progress(Event::Reached(format!(
            "{} gave {} after {startup_ms} ms",
            answer.path, answer.status
        )));
        if !answer.proven {
            report.notes.push(format!(
                "`{}` answers with {}, which is no probe; manifests ask for the open port instead",
                answer.path, answer.status
            ));
        }
        report.answer = Some(answer);
        peak = peak.max(self.engine.peak_memory(id).await.unwrap_or(0));
        report.measured = Some(Measured {
            startup_ms,
            peak_memory_bytes: peak,
            listening: listening.iter().map(ToString::to_string).collect(),
            written: self.written(component, id).await?,
        });
        Ok(Ok(()))
    }

    /// Asks the candidates in turn; the first proof wins, then what is protected, then "nothing
    /// here" from an application that otherwise works.
    async fn ask(&self, port: u16, candidates: &[String], host: &str) -> Tried {
        let mut weaker: Option<Answered> = None;
        let mut worst = ("no answer".to_owned(), String::new());
        let mut failed = false;
        for path in candidates {
            let first = match self.engine.get(port, path, host).await {
                Ok(answer) => answer,
                Err(error) => {
                    worst = (format!("`{path}` gave no answer: {error}"), String::new());
                    failed = true;
                    continue;
                }
            };
            let mut last = first.clone();
            // More than five redirects are a loop.
            for _ in 0..5 {
                let next = last
                    .location
                    .as_deref()
                    .filter(|_| (300..400).contains(&last.status))
                    .and_then(|location| http::redirected(location, host));
                let Some(next) = next else { break };
                match self.engine.get(port, &next, host).await {
                    Ok(answer) => last = answer,
                    Err(_) => break,
                }
            }
            let answered = |proven: bool| Answered {
                path: path.clone(),
                status: first.status,
                proven,
                body: last
                    .body
                    .split_whitespace()
                    .collect::<Vec<_>>()
                    .join(" ")
                    .chars()
                    .take(4000)
                    .collect(),
            };
            match http::meaning(last.status) {
                Meaning::Proof => return Tried::Answered(answered(true)),
                Meaning::Protected => weaker = weaker.or_else(|| Some(answered(false))),
                Meaning::Nothing => weaker = weaker.or_else(|| Some(answered(false))),
                Meaning::Failure => {
                    worst = (
                        format!("`{path}` gave status {}", last.status),
                        last.body.clone(),
                    );
                    failed = true;
                }
            }
        }
        match weaker {
            Some(answer) if !failed => Tried::Answered(answer),
            _ => Tried::Failed(worst.0, worst.1),
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
                    startup_ms: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
                    peak_memory_bytes: peak,
                    listening: Vec::new(),
                    written: self.written(component, id).await?,
                });
                return Ok(Ok(()));
            }
            if !state.running && state.exit_code.is_some() {
                return Ok(Err(self.ended(component, id, &state).await?));
            }
            if state.running {
                report.rung = report.rung.max(Rung::Started);
            }
            tokio::time::sleep(PERIOD).await;
        }
    }

    async fn listeners(&self, id: &str) -> anyhow::Result<Vec<Listener>> {
        let command = ["cat", "/proc/net/tcp", "/proc/net/tcp6"].map(str::to_owned);
        Ok(listeners(&self.engine.exec(id, &command).await?.output))
    }

    async fn ended(
        &self,
        component: &Component,
        id: &str,
        state: &State,
    ) -> anyhow::Result<Failure> {
        let log = self.engine.logs(id).await?;
        let origin = component
            .start
            .as_ref()
            .map(|start| start.origin.clone())
            .unwrap_or_default();
        if state.out_of_memory {
            let message = format!(
                "the kernel ended it: it wants more than {} MiB of memory",
                self.options.memory_limit >> 20
            );
            return Ok(failure(
                Cause::OutOfMemory,
                message,
                &origin,
                last_lines(&log, SHOWN),
                &[],
            ));
        }
        let message = format!("the container ended with {}", state.exit_code.unwrap_or(-1));
        Ok(failure(
            Cause::Ended,
            message,
            &origin,
            last_lines(&log, SHOWN),
            &[],
        ))
    }

    async fn not_listening(
        &self,
        component: &Component,
        id: &str,
        port: u16,
        found: &[Listener],
    ) -> anyhow::Result<Failure> {
        let log = last_lines(&self.engine.logs(id).await?, SHOWN);
        let origin = component
            .start
            .as_ref()
            .map(|start| start.origin.clone())
            .unwrap_or_default();
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
        Ok(failure(cause, message, &origin, log, &[hint]))
    }

    /// Paths written outside the declared ones, as the engine and the log tell.
    async fn written(&self, component: &Component, id: &str) -> anyhow::Result<Vec<String>> {
        let changes = self.engine.changes(id).await?;
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
        Ok(changes.into_iter().filter(|path| !declared(path)).collect())
    }

    /// The environment of production, with secrets of this run.
    fn env(&self, component: &Component) -> BTreeMap<String, String> {
        let mut env = BTreeMap::new();
        for var in &component.env {
            let value = match var.kind {
                EnvKind::Config => var
                    .values
                    .get("production")
                    .or(var.default.as_ref())
                    .cloned(),
                EnvKind::Service => var.default.as_deref().map(|value| self.with_secrets(value)),
                EnvKind::Secret => var.required.then(|| self.run.secret(&var.name)),
            };
            if let Some(value) = value {
                env.insert(var.name.clone(), value);
            }
        }
        env
    }

    /// `${NAME}` → the secret of this run.
    fn with_secrets(&self, value: &str) -> String {
        let mut text = String::new();
        let mut rest = value;
        while let Some((before, after)) = rest.split_once("${") {
            text.push_str(before);
            let (name, after) = after.split_once('}').unwrap_or((after, ""));
            text.push_str(&self.run.secret(name));
            rest = after;
        }
        text + rest
    }

    async fn keep_log(&self, name: &str, id: &str) {
        if self.options.keep_logs.is_some()
            && let Ok(text) = self.engine.logs(id).await
        {
            self.keep_text(name, &text);
        }
    }

    /// A log that cannot be kept is no reason to fail the run.
    fn keep_text(&self, name: &str, text: &str) {
        if let Some(folder) = &self.options.keep_logs {
            let _ = std::fs::create_dir_all(folder);
            let _ = std::fs::write(folder.join(format!("{name}.log")), text);
        }
    }
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
    let mut places: Vec<String> = Vec::new();
    for origin in origins {
        let place = origin.place();
        if !places.contains(&place) {
            places.push(place);
        }
    }
    Failure {
        cause,
        message,
        places,
        log,
        hints: hints.iter().map(|hint| (*hint).to_owned()).collect(),
    }
}

/// Returns the first and last line of the instruction `step` in `dockerfile`; continuation lines are
/// one instruction, and blanks do not matter.
fn instruction_line(dockerfile: &str, step: &str) -> Option<(usize, usize)> {
    let normal = |text: &str| {
        text.replace('\\', " ")
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    };
    let wanted = normal(step);
    let mut start = 0;
    let mut instruction = String::new();
    for (index, line) in dockerfile.lines().enumerate() {
        if instruction.is_empty() {
            start = index + 1;
        }
        let open = line.trim_end().ends_with('\\');
        instruction.push_str(line.trim_end().trim_end_matches('\\'));
        instruction.push(' ');
        if open {
            continue;
        }
        if normal(&instruction) == wanted {
            return Some((start, index + 1));
        }
        instruction.clear();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instruction_over_several_lines_is_found() {
        let dockerfile = "FROM a\nRUN x \\\n    y\nRUN z\n";
        assert_eq!(instruction_line(dockerfile, "RUN x     y"), Some((2, 3)));
        assert_eq!(instruction_line(dockerfile, "RUN z"), Some((4, 4)));
        assert_eq!(instruction_line(dockerfile, "RUN q"), None);
    }
}
