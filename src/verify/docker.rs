//! The engine over the Docker API: bollard.

#![allow(
    clippy::disallowed_methods,
    reason = "files of the engine, of the system and in folders of longshore's own"
)]

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    io::{self, BufWriter, Write},
    path::Path,
    time::{Duration, Instant},
};

use bollard::{
    body_full, body_try_stream,
    container::LogOutput,
    errors::Error,
    exec::StartExecResults,
    grpc::{
        build::{ImageBuildFrontendOptions, ImageBuildLoadInput, SecretSource},
        driver::{Build, moby::Moby},
    },
    models::{
        BuildInfoAux, ChangeType, ContainerCreateBody, EndpointSettings, ExecConfig, HostConfig,
        HostConfigLogConfig, Mount, MountType, NetworkCreateRequest, NetworkingConfig, PortBinding,
        VolumeCreateRequest,
    },
    query_parameters::{
        BuildImageOptionsBuilder, BuilderVersion, ContainerArchiveInfoOptionsBuilder,
        CreateContainerOptionsBuilder, CreateImageOptionsBuilder, InspectContainerOptions,
        ListContainersOptionsBuilder, ListImagesOptionsBuilder, ListNetworksOptionsBuilder,
        ListVolumesOptionsBuilder, LogsOptionsBuilder, RemoveContainerOptionsBuilder,
        RemoveImageOptionsBuilder, RemoveVolumeOptionsBuilder, StartContainerOptions,
        StatsOptionsBuilder, StopContainerOptionsBuilder, UploadToContainerOptionsBuilder,
    },
};
use futures_util::{Stream, StreamExt, future::join_all};
use hyper::body::Bytes;
use tokio::sync::mpsc;

use super::{
    Event,
    context::Context,
    engine::{
        Answer, BuildFailure, BuildRequest, Built, Change, ChangeKind, ContainerSpec, Engine,
        EngineError, Executed, GrpcHealth, ImageInfo, OWNER_LABEL, RUN_LABEL, Run, State, Usage,
        is_gone,
    },
    http,
    load::{self, Ramp},
    log::{BoundedLog, last_lines, plain},
};
use crate::plan::Load;

/// Label of an image that stands in for the official one of its name.
const STAND_IN_LABEL: &str = "io.longshore.stand-in";
/// How BuildKit names the step that looks for a base image.
const BASE_IMAGE: &str = "[internal] load metadata for ";
/// Largest log of a container on the engine's disk.
const LARGEST_LOG: &str = "16m";
/// How often leftovers are looked for until there are none: what was being made while the run was
/// interrupted comes up late.
const ROUNDS: usize = 40;
/// Pause between two rounds.
const PAUSE: Duration = Duration::from_millis(50);
/// How long the engine has to say that it is there.
const PATIENCE: Duration = Duration::from_secs(5);

/// A Docker engine, or another one that speaks its API.
pub struct Docker {
    api: bollard::Docker,
    is_local: bool,
}

impl Docker {
    /// Connects to the engine that `DOCKER_HOST` names, or to the one of this machine.
    ///
    /// # Errors
    ///
    /// [`EngineError::Unreachable`] when none answers.
    pub async fn connect() -> Result<Self, EngineError> {
        let address = std::env::var("DOCKER_HOST")
            .unwrap_or_else(|_| "unix:///var/run/docker.sock".to_owned());
        let unreachable = |cause: String| EngineError::Unreachable {
            address: address.clone(),
            cause,
        };
        let api = bollard::Docker::connect_with_defaults()
            .map_err(|error| unreachable(error.to_string()))?;
        match tokio::time::timeout(PATIENCE, api.negotiate_version()).await {
            Ok(Ok(api)) => {
                let is_local = address.starts_with("unix://") || address.starts_with('/');
                Ok(Self { api, is_local })
            }
            Ok(Err(error)) => Err(unreachable(root(&error))),
            Err(_) => Err(unreachable(format!(
                "no answer within {} seconds",
                PATIENCE.as_secs()
            ))),
        }
    }

    async fn inspect(&self, image: &str) -> Option<bollard::models::ImageInspect> {
        self.api.inspect_image(image).await.ok()
    }

    /// Removes what carries `label`, with `keep` deciding by the owner's label what stays, and
    /// returns how many things there were to remove.
    async fn remove(
        &self,
        label: &str,
        with_images: bool,
        keep: &dyn Fn(&str) -> bool,
    ) -> Result<usize, EngineError> {
        let filters: HashMap<&str, Vec<&str>> = [("label", vec![label])].into();
        let goes = |labels: &Option<HashMap<String, String>>| {
            let owner = labels.as_ref().and_then(|labels| labels.get(OWNER_LABEL));
            owner.is_some_and(|owner| !keep(owner))
        };
        let doing = "removing what the run made";
        let failed = |error: Error| other(doing, &error);

        let options = ListContainersOptionsBuilder::default()
            .all(true)
            .filters(&filters)
            .build();
        let containers = self.api.list_containers(Some(options)).await;
        let containers = containers.map_err(failed)?;
        let removals = containers
            .into_iter()
            .filter(|container| goes(&container.labels))
            .map(async |container| {
                let id = container.id.unwrap_or_default();
                let options = RemoveContainerOptionsBuilder::default()
                    .force(true)
                    .v(true)
                    .build();
                gone(self.api.remove_container(&id, Some(options)).await, doing)
            });
        let removed = join_all(removals).await;
        let containers = removed.len();
        removed.into_iter().collect::<Result<(), _>>()?;

        let networks = async {
            let options = ListNetworksOptionsBuilder::default()
                .filters(&filters)
                .build();
            let networks = self.api.list_networks(Some(options)).await;
            let mut found = 0;
            for network in networks.map_err(failed)? {
                if goes(&network.labels) {
                    found += 1;
                    let id = network.id.unwrap_or_default();
                    gone(self.api.remove_network(&id).await, doing)?;
                }
            }
            Ok(found)
        };
        let volumes = async {
            let options = ListVolumesOptionsBuilder::default()
                .filters(&filters)
                .build();
            let volumes = self.api.list_volumes(Some(options)).await.map_err(failed)?;
            let mut found = 0;
            for volume in volumes.volumes.unwrap_or_default() {
                if goes(&Some(volume.labels)) {
                    found += 1;
                    let options = RemoveVolumeOptionsBuilder::default().force(true).build();
                    let removed = self.api.remove_volume(&volume.name, Some(options)).await;
                    gone(removed, doing)?;
                }
            }
            Ok(found)
        };
        let images = async {
            let mut found = 0;
            if !with_images {
                return Ok(found);
            }
            let options = ListImagesOptionsBuilder::default()
                .filters(&filters)
                .build();
            let images = self.api.list_images(Some(options)).await.map_err(failed)?;
            for image in images {
                if goes(&Some(image.labels)) {
                    found += 1;
                    let options = RemoveImageOptionsBuilder::default().force(true).build();
                    let removed = self.api.remove_image(&image.id, Some(options), None).await;
                    gone(removed.map(drop), doing)?;
                }
            }
            Ok(found)
        };
        // All of them, even where one cannot be removed yet.
        let (networks, volumes, images) = tokio::join!(networks, volumes, images);
        Ok(containers + networks? + volumes? + images?)
    }
}

impl Docker {
    /// Writes `image` into `file` as an archive, as `docker save` does.
    ///
    /// # Errors
    ///
    /// When the engine does not have it or goes away, or the file cannot be written.
    pub async fn save(&self, image: &str, file: &mut std::fs::File) -> anyhow::Result<()> {
        let mut archive = self.api.export_image(image);
        while let Some(bytes) = archive.next().await {
            let bytes = bytes.map_err(|error| other("saving an image", &error))?;
            file.write_all(&bytes)?;
        }
        Ok(())
    }
}

impl Engine for Docker {
    async fn ensure_image(&self, image: &str) -> Result<ImageInfo, EngineError> {
        if self.inspect(image).await.is_none() {
            let (name, tag) = name_and_tag(image);
            let options = CreateImageOptionsBuilder::default()
                .from_image(name)
                .tag(tag)
                .build();
            let mut pull = self.api.create_image(Some(options), None, None);
            while let Some(step) = pull.next().await {
                step.map_err(|error| match other("pulling an image", &error) {
                    EngineError::Other { cause, .. } => EngineError::NoImage {
                        image: image.to_owned(),
                        cause,
                    },
                    trouble => trouble,
                })?;
            }
        }
        let Some(found) = self.inspect(image).await else {
            let cause = "the registry sent nothing".to_owned();
            return Err(EngineError::NoImage {
                image: image.to_owned(),
                cause,
            });
        };
        let labels = found
            .config
            .and_then(|config| config.labels)
            .unwrap_or_default();
        Ok(ImageInfo {
            stand_in: labels.contains_key(STAND_IN_LABEL),
        })
    }

    async fn build(
        &self,
        run: &Run,
        request: BuildRequest,
        progress: &mut dyn FnMut(Event),
    ) -> Result<Result<Built, BuildFailure>, EngineError> {
        // An image that stays has no label of the run, so that nothing sweeps it.
        let is_temporary = request.tag.ends_with(&run.id);
        let labels: HashMap<String, String> = if is_temporary {
            hash(&run.labels)
        } else {
            HashMap::new()
        };
        if !request.secrets.is_empty() {
            return self.build_with_secrets(request, &labels).await;
        }
        let options = BuildImageOptionsBuilder::default()
            .dockerfile(&request.dockerfile)
            .t(&request.tag)
            .version(BuilderVersion::BuilderBuildKit)
            .session(&format!("longshore-{}-{}", run.id, request.dockerfile))
            .labels(&labels)
            .rm(true)
            .build();
        let mut stream = self.api.build_image(
            options,
            None,
            Some(body_try_stream(packed(request.context))),
        );
        let mut log = BoundedLog::default();
        let mut seen: HashSet<String> = HashSet::new();
        let mut step = None;
        let mut absent = None;
        let deadline = tokio::time::Instant::now() + request.timeout;
        loop {
            let Ok(next) = tokio::time::timeout_at(deadline, stream.next()).await else {
                let message = format!(
                    "it did not end within {} seconds",
                    request.timeout.as_secs()
                );
                return Ok(Err(BuildFailure {
                    step,
                    message,
                    log: log.text(),
                }));
            };
            let Some(message) = next else { break };
            match message {
                Ok(info) => {
                    let Some(BuildInfoAux::BuildKit(status)) = info.aux else {
                        continue;
                    };
                    for line in &status.logs {
                        log.push(&line.msg);
                        let text = plain(&String::from_utf8_lossy(&line.msg));
                        for line in text.lines().filter(|line| !line.trim().is_empty()) {
                            progress(Event::Log(line.to_owned()));
                        }
                    }
                    for vertex in &status.vertexes {
                        if !vertex.error.is_empty() && !vertex.error.contains("context canceled") {
                            absent = vertex.name.strip_prefix(BASE_IMAGE).map(str::to_owned);
                            step = Some(vertex.name.clone());
                        }
                        let is_step =
                            vertex.name.starts_with('[') && !vertex.name.starts_with("[internal]");
                        if is_step
                            && vertex.completed.is_some()
                            && seen.insert(vertex.digest.clone())
                        {
                            log.push(format!("{}\n", vertex.name).as_bytes());
                            progress(Event::BuildStep {
                                name: vertex.name.clone(),
                                cached: vertex.cached,
                            });
                        }
                    }
                }
                Err(error) => {
                    return match (absent, build_error(&error, step, &log)?) {
                        (Some(image), Err(broken)) => Err(EngineError::NoImage {
                            image,
                            cause: broken.message,
                        }),
                        (_, result) => Ok(result),
                    };
                }
            }
        }
        Ok(self.built(&request.tag, step, &log).await)
    }

    async fn create_network(&self, run: &Run) -> Result<(), EngineError> {
        let request = NetworkCreateRequest {
            name: network(run),
            labels: Some(hash(&run.labels)),
            ..NetworkCreateRequest::default()
        };
        self.api
            .create_network(request)
            .await
            .map(drop)
            .map_err(|error| other("making a network", &error))
    }

    async fn create_volume(&self, run: &Run, name: &str) -> Result<String, EngineError> {
        let name = format!("longshore-{}-{name}", run.id);
        let request = VolumeCreateRequest {
            name: Some(name.clone()),
            labels: Some(hash(&run.labels)),
            ..VolumeCreateRequest::default()
        };
        self.api
            .create_volume(request)
            .await
            .map_err(|error| other("making a volume", &error))?;
        Ok(name)
    }

    async fn create(&self, run: &Run, spec: &ContainerSpec) -> Result<String, EngineError> {
        let mounts = spec.volumes.iter().map(|(name, path)| Mount {
            typ: Some(MountType::VOLUME),
            source: Some(name.clone()),
            target: Some(path.clone()),
            ..Mount::default()
        });
        let mut host = HostConfig {
            network_mode: Some(match &spec.shares_network_of {
                Some(owner) => format!("container:{owner}"),
                None => network(run),
            }),
            mounts: Some(mounts.collect()),
            log_config: Some(HostConfigLogConfig {
                typ: Some("json-file".to_owned()),
                config: Some([("max-size".to_owned(), LARGEST_LOG.to_owned())].into()),
            }),
            ..HostConfig::default()
        };
        let mut user = spec.as_root.then(|| "0:0".to_owned());
        if let Some(hardening) = &spec.hardened {
            user = Some(format!("{0}:{0}", hardening.user));
            let own = format!(
                "rw,nosuid,nodev,size=256m,mode=0755,uid={0},gid={0}",
                hardening.user
            );
            let shared = [(
                "/tmp".to_owned(),
                "rw,exec,nosuid,nodev,size=256m,mode=1777".to_owned(),
            )];
            let tmpfs = hardening
                .tmpfs
                .iter()
                .map(|path| (path.clone(), own.clone()));
            host.tmpfs = Some(tmpfs.chain(shared).collect());
            host.readonly_rootfs = Some(true);
            host.cap_drop = Some(vec!["ALL".to_owned()]);
            host.security_opt = Some(vec!["no-new-privileges:true".to_owned()]);
            host.memory = Some(hardening.memory);
            host.memory_swap = Some(hardening.memory);
            host.pids_limit = Some(512);
        }
        // As the manifests do for a program that is no root and listens below 1024.
        if spec.publish.iter().any(|(inside, _)| *inside < 1024) {
            let name = "net.ipv4.ip_unprivileged_port_start".to_owned();
            host.sysctls = Some([(name, "0".to_owned())].into());
        }
        let bindings = spec.publish.iter().map(|(inside, outside)| {
            let binding = PortBinding {
                host_ip: Some("127.0.0.1".to_owned()),
                host_port: Some(outside.to_string()),
            };
            (format!("{inside}/tcp"), Some(vec![binding]))
        });
        host.port_bindings = Some(bindings.collect());
        let exposed = spec
            .publish
            .iter()
            .map(|(inside, _)| format!("{inside}/tcp"));
        let exposed = Some(exposed.collect());
        let endpoint = EndpointSettings {
            aliases: Some(spec.aliases.clone()),
            ..EndpointSettings::default()
        };
        // Who shares the network of another container has none of its own.
        let networking = NetworkingConfig {
            endpoints_config: Some([(network(run), endpoint)].into()),
        };
        let networking = Some(networking).filter(|_| spec.shares_network_of.is_none());
        let body = ContainerCreateBody {
            image: Some(spec.image.clone()),
            user,
            entrypoint: spec.entrypoint.clone(),
            cmd: spec.command.clone(),
            working_dir: spec.directory.clone(),
            env: Some(
                spec.env
                    .iter()
                    .map(|(name, value)| format!("{name}={value}"))
                    .collect(),
            ),
            labels: Some(hash(&run.labels)),
            exposed_ports: exposed,
            host_config: Some(host),
            networking_config: networking,
            ..ContainerCreateBody::default()
        };
        let options = CreateContainerOptionsBuilder::default()
            .name(&format!("longshore-{}-{}", run.id, spec.name))
            .build();
        let created = self
            .api
            .create_container(Some(options), body)
            .await
            .map_err(|error| other("making a container", &error))?;
        Ok(created.id)
    }

    async fn copy_in(&self, id: &str, folder: &str, archive: Vec<u8>) -> Result<(), EngineError> {
        let options = UploadToContainerOptionsBuilder::default()
            .path(folder)
            .build();
        self.api
            .upload_to_container(id, Some(options), body_full(archive.into()))
            .await
            .map_err(|error| other("copying files", &error))
    }

    async fn start(&self, id: &str) -> Result<Result<(), String>, EngineError> {
        match self
            .api
            .start_container(id, None::<StartContainerOptions>)
            .await
        {
            Ok(()) => Ok(Ok(())),
            Err(error) => {
                let text = root(&error);
                if let Some(port) = taken_port(&text) {
                    return Err(EngineError::PortTaken(port));
                }
                match cannot_run(&text) {
                    Some(cause) => Ok(Err(cause)),
                    None => Err(other("starting a container", &error)),
                }
            }
        }
    }

    async fn state(&self, id: &str) -> Result<State, EngineError> {
        let found = self
            .api
            .inspect_container(id, None::<InspectContainerOptions>)
            .await;
        let found = found.map_err(|error| other("looking at a container", &error))?;
        let state = found.state.unwrap_or_default();
        let running = state.running.unwrap_or(false);
        let ports = found
            .network_settings
            .and_then(|network| network.ports)
            .unwrap_or_default();
        let published = ports.into_iter().filter_map(|(inside, bindings)| {
            let inside = inside.split('/').next()?.parse().ok()?;
            let mut outside = bindings.into_iter().flatten();
            let outside = outside.find_map(|binding| binding.host_port?.parse().ok())?;
            Some((inside, outside))
        });
        let published = published.collect();
        let never_started = state
            .started_at
            .as_deref()
            .is_none_or(|at| at.starts_with("0001"));
        Ok(State {
            running,
            exit_code: state.exit_code.filter(|_| !running && !never_started),
            out_of_memory: state.oom_killed.unwrap_or(false),
            published,
        })
    }

    async fn exec(&self, id: &str, command: &[String]) -> Result<Executed, EngineError> {
        let doing = "running a command in a container";
        let config = ExecConfig {
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            cmd: Some(command.to_vec()),
            ..ExecConfig::default()
        };
        let exec = match self.api.create_exec(id, config).await {
            Ok(exec) => exec.id,
            // It ended in the meantime; the caller looks at its state next.
            Err(Error::DockerResponseServerError {
                status_code: 409, ..
            }) => return Ok(Executed::default()),
            Err(error) => return Err(other(doing, &error)),
        };
        let mut log = BoundedLog::default();
        match self.api.start_exec(&exec, None).await {
            Ok(StartExecResults::Attached { mut output, .. }) => {
                while let Some(Ok(piece)) = output.next().await {
                    log.push(&piece.into_bytes());
                }
            }
            Ok(StartExecResults::Detached) => {}
            Err(Error::DockerResponseServerError { .. }) => return Ok(Executed::default()),
            Err(error) => return Err(other(doing, &error)),
        }
        let exit_code = self
            .api
            .inspect_exec(&exec)
            .await
            .ok()
            .and_then(|exec| exec.exit_code);
        Ok(Executed {
            exit_code,
            output: log.text(),
        })
    }

    async fn sockets(&self, id: &str) -> Result<Option<String>, EngineError> {
        let command = ["cat", "/proc/net/tcp", "/proc/net/tcp6"].map(str::to_owned);
        let executed = self.exec(id, &command).await?;
        // Where there is no IPv6, `cat` fails with the first table printed.
        if executed.output.contains("local_address") {
            return Ok(Some(executed.output));
        }
        // An image without `cat`; only an engine of this machine has its processes in our `/proc`.
        if !self.is_local {
            return Ok(None);
        }
        let found = self
            .api
            .inspect_container(id, None::<InspectContainerOptions>)
            .await;
        let state = found
            .map_err(|error| other("looking at a container", &error))?
            .state;
        let pid = state.and_then(|state| state.pid).filter(|pid| *pid > 0);
        let table = |name: &str| std::fs::read_to_string(format!("/proc/{}/net/{name}", pid?)).ok();
        Ok(table("tcp").map(|text| text + &table("tcp6").unwrap_or_default()))
    }

    async fn logs(&self, id: &str) -> Result<String, EngineError> {
        let options = LogsOptionsBuilder::default()
            .stdout(true)
            .stderr(true)
            .build();
        let mut stream = self.api.logs(id, Some(options));
        let mut log = BoundedLog::default();
        while let Some(piece) = stream.next().await {
            match piece {
                Ok(
                    LogOutput::StdOut { message }
                    | LogOutput::StdErr { message }
                    | LogOutput::Console { message },
                ) => log.push(&message),
                Ok(LogOutput::StdIn { .. }) => {}
                Err(error) => return Err(other("reading a log", &error)),
            }
        }
        Ok(log.text())
    }

    async fn usage(&self, id: &str) -> Result<Usage, EngineError> {
        let options = StatsOptionsBuilder::default()
            .stream(false)
            .one_shot(true)
            .build();
        let stats = match self.api.stats(id, Some(options)).next().await {
            Some(Ok(stats)) => stats,
            Some(Err(error)) => return Err(other("measuring a container", &error)),
            None => return Ok(Usage::default()),
        };
        let memory = stats.memory_stats.unwrap_or_default();
        let usage = memory.usage.unwrap_or(0);
        // As `docker stats` counts: without the page cache that nobody uses any more.
        // https://docs.docker.com/reference/cli/docker/container/stats/
        let details = memory.stats.unwrap_or_default();
        let cache = details
            .get("total_inactive_file")
            .or_else(|| details.get("inactive_file"));
        let memory_now = usage.saturating_sub(cache.copied().unwrap_or(0));
        let cpu = stats.cpu_stats.and_then(|cpu| cpu.cpu_usage?.total_usage);
        let at = stats
            .read
            .and_then(|at| u64::try_from(at.unix_timestamp_nanos()).ok());
        Ok(Usage {
            memory: memory_now,
            // Cgroup v1 keeps the peak; v2 has it only in a file, so the samples' maximum has to do.
            peak_memory: memory.max_usage.unwrap_or(memory_now).max(memory_now),
            cpu: Duration::from_nanos(cpu.unwrap_or(0)),
            at: Duration::from_nanos(at.unwrap_or(0)),
        })
    }

    async fn ramp(&self, ramp: &Ramp) -> Load {
        load::ramp(ramp).await
    }

    async fn changes(&self, id: &str) -> Result<Vec<Change>, EngineError> {
        let changes = self
            .api
            .container_changes(id)
            .await
            .map_err(|error| other("looking at a container", &error))?;
        let changes = changes.unwrap_or_default().into_iter();
        let mut changes: Vec<Change> = changes
            .map(|change| Change {
                path: change.path,
                kind: match change.kind {
                    ChangeType::_0 => ChangeKind::Modified,
                    ChangeType::_1 => ChangeKind::Added,
                    ChangeType::_2 => ChangeKind::Deleted,
                },
            })
            .collect();
        changes.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(changes)
    }

    async fn is_folder(&self, id: &str, path: &str) -> Result<bool, EngineError> {
        let options = ContainerArchiveInfoOptionsBuilder::default()
            .path(path)
            .build();
        let found = self.api.get_container_archive_info(id, Some(options)).await;
        let found = found.map_err(|error| other("looking at a file of a container", &error))?;
        // The bit of a folder in Go's modes: pkg.go.dev/io/fs#FileMode.
        Ok(found.file_mode & (1 << 31) != 0)
    }

    async fn stop(&self, id: &str, grace: Duration) -> Result<Option<Duration>, EngineError> {
        let doing = "stopping a container";
        let begun = Instant::now();
        let seconds = i32::try_from(grace.as_secs()).unwrap_or(i32::MAX);
        let options = StopContainerOptionsBuilder::default().t(seconds).build();
        self.api
            .stop_container(id, Some(options))
            .await
            .map_err(|error| other(doing, &error))?;
        // What took the whole grace period was killed at its end.
        let took = begun.elapsed();
        Ok((took < grace).then_some(took))
    }

    async fn get(
        &self,
        port: u16,
        path: &str,
        host: &str,
        cookies: &[String],
    ) -> Result<Answer, String> {
        http::get(port, path, host, cookies).await
    }

    async fn grpc_health(&self, port: u16) -> Result<GrpcHealth, String> {
        http::grpc_health(port).await
    }

    async fn remove_run(&self, run: &str, keep_image: bool) -> Result<(), EngineError> {
        let label = format!("{RUN_LABEL}={run}");
        let mut last = None;
        for round in 0..ROUNDS {
            // The first look whether all is gone needs no pause.
            if round > 1 {
                tokio::time::sleep(PAUSE).await;
            }
            match self.remove(&label, !keep_image, &|_| false).await {
                Ok(0) => return Ok(()),
                Ok(_) => {}
                // A network stays in use for a moment after its last container.
                Err(error) => last = Some(error),
            }
        }
        let cause = format!("something with the label `{label}` is still there");
        Err(last.unwrap_or(EngineError::Other {
            doing: "removing what the run made",
            cause,
        }))
    }

    async fn sweep(&self) {
        // What cannot be removed now is tried again at the next run.
        let _ = self.remove(RUN_LABEL, true, &|owner| !is_gone(owner)).await;
    }
}

fn network(run: &Run) -> String {
    format!("longshore-{}", run.id)
}

fn hash(labels: &BTreeMap<String, String>) -> HashMap<String, String> {
    labels
        .iter()
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// Something that is gone already was to be removed anyway.
fn gone(result: Result<(), Error>, doing: &'static str) -> Result<(), EngineError> {
    match result {
        Err(Error::DockerResponseServerError {
            status_code: 404 | 409,
            ..
        })
        | Ok(()) => Ok(()),
        Err(error) => Err(other(doing, &error)),
    }
}

fn other(doing: &'static str, error: &Error) -> EngineError {
    let cause = root(error);
    if let Some(full) = EngineError::of_full_disk(&cause) {
        full
    } else if is_broken(error) {
        EngineError::Gone { doing, cause }
    } else {
        EngineError::Other { doing, cause }
    }
}

/// Returns whether an error is about the connection, and nothing that the engine said.
fn is_broken(error: &Error) -> bool {
    matches!(
        error,
        Error::HyperResponseError { .. }
            | Error::HyperLegacyError { .. }
            | Error::IOError { .. }
            | Error::SocketNotFoundError(_)
    )
}

/// The last cause of an error says what happened; those above it say who noticed.
fn root(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = cause.to_string();
        source = cause.source();
    }
    text
}

/// Splits an image's name for the engine: a port is no tag, and a digest stays with its name.
fn name_and_tag(image: &str) -> (&str, &str) {
    match image.rsplit_once(':') {
        _ if image.contains('@') => (image, ""),
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (image, "latest"),
    }
}

/// Packs the context while it is sent, so that it is never in memory as a whole.
impl Docker {
    /// The image that a build left under `tag`.
    async fn built(
        &self,
        tag: &str,
        step: Option<String>,
        log: &BoundedLog,
    ) -> Result<Built, BuildFailure> {
        let Some(image) = self.inspect(tag).await else {
            return Err(BuildFailure {
                step,
                message: "the engine made no image".to_owned(),
                log: log.text(),
            });
        };
        let size = image.size.and_then(|size| u64::try_from(size).ok());
        Ok(Built {
            id: image.id.unwrap_or_default(),
            size: size.unwrap_or(0),
            log: log.text(),
        })
    }

    /// Builds over a session of BuildKit's own protocol, the only way to hand over secrets; its
    /// client tells nothing of the steps, so that a failure names no line.
    async fn build_with_secrets(
        &self,
        request: BuildRequest,
        labels: &HashMap<String, String>,
    ) -> Result<Result<Built, BuildFailure>, EngineError> {
        let mut options =
            ImageBuildFrontendOptions::builder().dockerfile(Path::new(&request.dockerfile));
        for (name, value) in labels {
            options = options.label(name, value);
        }
        for id in &request.secrets {
            options = options.set_secret(id, &SecretSource::Env(id.clone()));
        }
        let context = request.context;
        let packed = tokio::task::spawn_blocking(move || {
            let mut archive = Vec::new();
            context.pack(&mut archive).map(|()| archive)
        });
        let packed = packed.await.expect("packing does not panic");
        let archive = match packed {
            Ok(archive) => ImageBuildLoadInput::Upload(archive.into()),
            Err(error) => {
                return Err(EngineError::Other {
                    doing: "packing the build context",
                    cause: error.to_string(),
                });
            }
        };
        let driver = Moby::new(&self.api);
        let building = driver.docker_build(&request.tag, options.build(), archive, None, None);
        let message = match tokio::time::timeout(request.timeout, building).await {
            Ok(Ok(())) => {
                return Ok(self.built(&request.tag, None, &BoundedLog::default()).await);
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!(
                "it did not end within {} seconds",
                request.timeout.as_secs()
            ),
        };
        Ok(Err(BuildFailure {
            step: None,
            message,
            log: String::new(),
        }))
    }
}

fn packed(context: Context) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    let (sender, receiver) = mpsc::channel(8);
    tokio::task::spawn_blocking(move || {
        let mut to = BufWriter::with_capacity(256 * 1024, Pipe(sender.clone()));
        if let Err(error) = context.pack(&mut to).and_then(|()| to.flush()) {
            // Where nobody listens any more, the build has ended already.
            let _ = sender.blocking_send(Err(error));
        }
    });
    let pieces = |mut receiver: mpsc::Receiver<io::Result<Bytes>>| async {
        receiver.recv().await.map(|piece| (piece, receiver))
    };
    futures_util::stream::unfold(receiver, pieces)
}

struct Pipe(mpsc::Sender<io::Result<Bytes>>);

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let piece = Ok(Bytes::copy_from_slice(bytes));
        self.0
            .blocking_send(piece)
            .map_err(|_| io::ErrorKind::BrokenPipe)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// `Bind for 127.0.0.1:8080 failed: port is already allocated`, or `listen tcp4 127.0.0.1:8080:
/// bind: address already in use` where the other one is no container.
fn taken_port(text: &str) -> Option<u16> {
    let is_taken =
        text.contains("port is already allocated") || text.contains("address already in use");
    let (_, rest) = text.rsplit_once("127.0.0.1:").filter(|_| is_taken)?;
    rest.split(|c: char| !c.is_ascii_digit())
        .next()?
        .parse()
        .ok()
}

/// Why the command of a container cannot be run, where that is the image's fault and not the
/// engine's: `exec: "gunicorn": executable file not found in $PATH`.
fn cannot_run(text: &str) -> Option<String> {
    let (_, cause) = text
        .split_once("starting container process caused: ")
        .or_else(|| text.split_once("unable to start container process: "))?;
    let is_ours = ["exec: ", "chdir to cwd", "exec /", "mkdir "]
        .iter()
        .any(|word| cause.starts_with(word));
    is_ours.then(|| cause.trim_end_matches(": unknown").to_owned())
}

/// A failed step is the Dockerfile's; a connection that broke is the engine's.
fn build_error(
    error: &Error,
    step: Option<String>,
    log: &BoundedLog,
) -> Result<Result<Built, BuildFailure>, EngineError> {
    match error {
        Error::DockerResponseServerError { .. } | Error::DockerStreamError { .. } => {
            let text = match error {
                Error::DockerResponseServerError { message, .. } => message.clone(),
                _ => root(error),
            };
            // A step that finds the disk full says so in its own words, in the log.
            let said = last_lines(&log.text(), 10).join("\n");
            if let Some(full) = EngineError::of_full_disk(&format!("{said}\n{text}")) {
                return Err(full);
            }
            // BuildKit of Docker 20.10, seen under load: no fault of the Dockerfile.
            if text.contains("failed to prepare") && text.contains("/committed: no such file") {
                return Err(EngineError::LostLayer(text));
            }
            // `executor failed running [...]: exit code: 7` (20.10), `process "..." did not complete
            // successfully: exit code: 7` (26): the instruction is known already.
            let message = match text.rsplit_once("exit code: ") {
                Some((_, code)) => format!("exit code {}", code.trim()),
                None => text,
            };
            Ok(Err(BuildFailure {
                step,
                message,
                log: log.text(),
            }))
        }
        _ => Err(other("building the image", error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_in_an_images_name_is_no_tag() {
        assert_eq!(name_and_tag("redis:7"), ("redis", "7"));
        assert_eq!(name_and_tag("redis"), ("redis", "latest"));
        assert_eq!(
            name_and_tag("host:5000/redis"),
            ("host:5000/redis", "latest")
        );
        assert_eq!(name_and_tag("redis@sha256:ab"), ("redis@sha256:ab", ""));
    }

    #[test]
    fn a_taken_port_is_read_from_both_messages() {
        let docker = "driver failed programming external connectivity on endpoint longshore-1 (8f): \
            Bind for 127.0.0.1:8080 failed: port is already allocated";
        assert_eq!(taken_port(docker), Some(8080));
        let kernel =
            "Error starting userland proxy: listen tcp4 127.0.0.1:80: bind: address already in use";
        assert_eq!(taken_port(kernel), Some(80));
        assert_eq!(taken_port("no such image"), None);
    }

    #[test]
    fn a_command_that_is_not_there_is_the_images_fault() {
        let text = "failed to create shim task: OCI runtime create failed: runc create failed: unable to \
            start container process: exec: \"gunicorn\": executable file not found in $PATH: unknown";
        let cause = "exec: \"gunicorn\": executable file not found in $PATH";
        assert_eq!(cannot_run(text).as_deref(), Some(cause));
        assert_eq!(cannot_run("OCI runtime create failed: no cgroup"), None);
    }
}
