//! The manifests, proven: run by podman where it is there, and given to the Kubernetes server of the
//! current context, which checks them without keeping anything.
//!
//! podman runs the documents as they are rendered, but for what it lacks: addresses of Services
//! become host aliases, a Job becomes a pod, a port is published on this machine's loopback address,
//! a volume is a folder of the run, images are never pulled, and probes are left out, because the application is asked from here.

#![allow(
    clippy::disallowed_methods,
    reason = "files of the engine, of the system and in folders of longshore's own"
)]

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

use super::{
    Docker, Event, Options,
    engine::{EngineError, Run},
    environment::Secrets,
    http,
    log::last_lines,
    patience::Patience,
    podman::{Podman, free_port},
    report::{Answered, ComponentReport, Proof, ProofOutcome, Report, Rung},
};
use crate::{
    plan::{BuildPlan, Component, Protocol, joined_name},
    render::Artifact,
};

/// How often something is looked at while waiting for it.
const PERIOD: Duration = Duration::from_millis(300);
/// How long a server of Kubernetes has to check an overlay.
const SERVER_PATIENCE: Duration = Duration::from_secs(60);
/// How many lines of a log are shown.
const SHOWN: usize = 25;
/// From this version on, podman reads a secret as a Kubernetes document; before, as a map of values.
/// <https://github.com/containers/podman/blob/main/RELEASE_NOTES.md> (4.4.0)
const SECRET_IS_DOCUMENT: (u32, u32) = (4, 4);

/// Runs and checks the manifests in `artifacts`.
///
/// # Errors
///
/// Trouble with the engine or this machine. Manifests that do not run are no error.
pub async fn prove(
    engine: &Docker,
    run: &Run,
    plan: &BuildPlan,
    artifacts: &[Artifact],
    options: &Options,
    report: &Report,
    progress: &mut dyn FnMut(Event),
) -> anyhow::Result<Vec<Proof>> {
    let by_podman = by_podman(engine, run, plan, artifacts, options, report, progress).await?;
    let by_server = by_server(artifacts, progress).await?;
    Ok(vec![by_podman, by_server])
}

fn proof(tool: &str, outcome: ProofOutcome, message: impl Into<String>) -> Proof {
    Proof {
        tool: tool.to_owned(),
        outcome,
        message: message.into(),
        log: Vec::new(),
    }
}

async fn by_podman(
    engine: &Docker,
    run: &Run,
    plan: &BuildPlan,
    artifacts: &[Artifact],
    options: &Options,
    report: &Report,
    progress: &mut dyn FnMut(Event),
) -> anyhow::Result<Proof> {
    let skipped = |message: &str| Ok(proof("podman", ProofOutcome::Skipped, message));
    let Some(version) = Podman::version() else {
        return skipped("podman is not installed");
    };
    if report
        .components
        .iter()
        .any(|component| component.rung != Rung::Answers)
    {
        return skipped("podman was not tried, because the image does not answer by itself");
    }
    if plan.components.iter().any(Component::shares_network) {
        return skipped("podman has no sidecars that start before the prepare steps");
    }
    let services = || {
        plan.components
            .iter()
            .flat_map(|component| &component.services)
    };
    if services().any(|service| !service.init.is_empty()) {
        return skipped("podman cannot mount single files of a ConfigMap, which a service loads");
    }
    progress(Event::Stage("running the manifests by podman".to_owned()));
    let podman = Podman::open(run).await?;
    let mut stage = Stage {
        podman: &podman,
        engine,
        secrets: secrets(&Secrets::new(run, plan)),
        addresses: BTreeMap::new(),
        documents: documents(artifacts)?,
        options,
        playing: String::new(),
    };
    let result = stage.play(plan, report, version, progress).await;
    let playing = std::mem::take(&mut stage.playing);
    let proof = match result {
        Ok(message) => proof("podman", ProofOutcome::Passed, message),
        Err(error) => {
            let text = format!("{error:#}");
            if let Some(full) = EngineError::of_full_disk(&text) {
                podman.close()?;
                return Err(full.into());
            }
            let mut lines = text.lines();
            let message = format!("by podman: {}", lines.next().unwrap_or_default());
            let mut log: Vec<String> = last_lines(&lines.collect::<Vec<_>>().join("\n"), SHOWN);
            if text.contains("setting rlimit") {
                log.push("podman may not raise its limits here: set `default_ulimits` in containers.conf".to_owned());
            }
            if !playing.is_empty() {
                log.extend(last_lines(&podman.logs(&playing).await, SHOWN));
            }
            Proof {
                log,
                ..proof("podman", ProofOutcome::Failed, message)
            }
        }
    };
    podman.close()?;
    if proof.outcome == ProofOutcome::Passed {
        progress(Event::Reached(proof.message.clone()));
    }
    Ok(proof)
}

/// The values of the secrets of a run.
fn secrets(secrets: &Secrets) -> BTreeMap<String, String> {
    let value = |name: &str| secrets.fill(&format!("${{{name}}}"));
    secrets
        .names()
        .map(|name| (name.to_owned(), value(name)))
        .collect()
}

/// Every document below `k8s/base`, and what the development overlay adds.
fn documents(artifacts: &[Artifact]) -> anyhow::Result<Vec<Value>> {
    let mut documents = Vec::new();
    for artifact in artifacts {
        let path = artifact.path.as_str();
        let is_base = path.starts_with("k8s/base/") && !path.ends_with("kustomization.yaml");
        if is_base || path == "k8s/overlays/development/backing-services.yaml" {
            let found: Vec<Value> = serde_saphyr::from_multiple(&artifact.contents)
                .map_err(|error| anyhow::anyhow!("`{path}` is no YAML: {error}"))?;
            documents.extend(found);
        }
    }
    Ok(documents)
}

/// What has been played so far.
struct Stage<'a> {
    podman: &'a Podman,
    engine: &'a Docker,
    secrets: BTreeMap<String, String>,
    /// Name of a Service → address of the pod behind it.
    addresses: BTreeMap<String, String>,
    documents: Vec<Value>,
    options: &'a Options,
    /// The container that is waited for.
    playing: String,
}

impl Stage<'_> {
    async fn play(
        &mut self,
        plan: &BuildPlan,
        report: &Report,
        version: (u32, u32),
        progress: &mut dyn FnMut(Event),
    ) -> anyhow::Result<String> {
        self.bring_images(plan, report).await?;
        self.bring_secret(plan, version).await?;
        for service in plan
            .components
            .iter()
            .flat_map(|component| &component.services)
        {
            if self.addresses.contains_key(service.host_name()) {
                continue;
            }
            let pod = self
                .pod("Deployment", &service.kind)
                .with_context(|| format!("no Deployment runs {}", service.kind))?;
            self.start(&service.kind, pod, None).await?;
            let container = format!("longshore-{0}-{0}", service.kind);
            self.healthy(&container, &service.healthcheck).await?;
            let address = self.address(&format!("longshore-{}", service.kind)).await?;
            self.addresses
                .insert(service.host_name().to_owned(), address);
            progress(Event::Reached(format!("{} runs by podman", service.kind)));
        }
        let mut told = Vec::new();
        for index in plan.start_order() {
            let (component, found) = (&plan.components[index], &report.components[index]);
            let name = plan.object_name(&component.id);
            if let Some(pod) = self.pod("Job", &joined_name(&name, "prepare")) {
                self.prepare(&component.id, pod).await?;
            }
            let pod = self
                .pod("Deployment", &name)
                .context("there is no Deployment")?;
            let port = component.main_port().map(|port| (port.port, port.protocol));
            let published = match port {
                Some(_) => Some(free_port()?),
                None => None,
            };
            let begun = Instant::now();
            self.start(
                &component.id,
                pod,
                port.map(|(port, _)| port).zip(published),
            )
            .await?;
            let container = format!("longshore-{0}-{0}", component.id);
            self.playing.clone_from(&container);
            let is_http = port.is_some_and(|(_, protocol)| protocol == Protocol::Http);
            let expected = found.answer.as_ref().filter(|_| is_http);
            let what = match (published, expected) {
                (Some(published), Some(expected)) => {
                    let host = component
                        .health
                        .as_ref()
                        .and_then(|health| health.host.as_deref());
                    self.answers(
                        &container,
                        published,
                        expected,
                        found,
                        host.unwrap_or("localhost"),
                    )
                    .await?
                }
                _ => self.stays_up(&container).await?,
            };
            self.playing.clear();
            let address = self.address(&format!("longshore-{}", component.id)).await?;
            for host in plan.further_hosts(&component.id).into_keys() {
                self.addresses.insert(host.to_owned(), address.clone());
            }
            self.addresses.insert(name, address);
            told.push(format!(
                "{}: {what} after {:.1} s",
                component.id,
                begun.elapsed().as_secs_f64()
            ));
        }
        Ok(format!("podman runs the manifests: {}", told.join("; ")))
    }

    /// Hands the images over from the engine, so that nothing is built or pulled again.
    async fn bring_images(&self, plan: &BuildPlan, report: &Report) -> anyhow::Result<()> {
        let mut images: Vec<(String, String)> = Vec::new();
        for (component, found) in plan.components.iter().zip(&report.components) {
            let id = found.image_id.clone().context("the image has no id")?;
            let name = plan.object_name(&component.id);
            images.push((id, name));
            let services = component.services.iter();
            images.extend(services.map(|service| (service.image.clone(), service.image.clone())));
        }
        images.sort();
        images.dedup();
        for (from, name) in images {
            let archive = self.podman.folder().join("image.tar");
            let mut file = fs::File::create(&archive).context("failed to write an image")?;
            self.engine.save(&from, &mut file).await?;
            let input = archive.to_string_lossy();
            let loaded = self
                .podman
                .run(&["load", "--quiet", "--input", &input])
                .await?;
            fs::remove_file(&archive).context("failed to remove an archive")?;
            let loaded = loaded.lines().last().unwrap_or_default();
            let loaded = loaded.split_once(": ").map_or(loaded, |(_, name)| name);
            self.podman.run(&["tag", loaded, &local(&name)]).await?;
        }
        Ok(())
    }

    async fn bring_secret(&self, plan: &BuildPlan, version: (u32, u32)) -> anyhow::Result<()> {
        let encode = |(name, value): (&String, &String)| {
            (name.clone(), Value::String(STANDARD.encode(value)))
        };
        let data: Map<String, Value> = self.secrets.iter().map(encode).collect();
        let name = format!("{}-secrets", plan.name);
        let text = if version < SECRET_IS_DOCUMENT {
            Value::Object(data)
        } else {
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "data": data})
        };
        let file = self.podman.folder().join("secret.json");
        fs::write(&file, text.to_string()).context("failed to write a secret")?;
        self.podman
            .run(&["secret", "create", &name, &file.to_string_lossy()])
            .await?;
        fs::remove_file(&file).context("failed to remove a secret")
    }

    /// The pod of a workload.
    fn pod(&self, kind: &str, name: &str) -> Option<Value> {
        let found = self
            .documents
            .iter()
            .find(|document| document["kind"] == kind && document["metadata"]["name"] == name);
        found.map(|document| document["spec"]["template"]["spec"].clone())
    }

    /// Starts the pod `longshore-ID`, whose port, inside, is published, outside.
    async fn start(&self, id: &str, spec: Value, port: Option<(u16, u16)>) -> anyhow::Result<()> {
        let name = format!("longshore-{id}");
        let pod = json!({
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "labels": {"io.longshore": id}},
            "spec": self.for_podman(id, spec, port),
        });
        let others = self
            .documents
            .iter()
            .filter(|document| document["kind"] == "ConfigMap");
        let documents: Vec<String> = others.chain([&pod]).map(Value::to_string).collect();
        let file = self.podman.folder().join(format!("{id}.yaml"));
        fs::write(&file, documents.join("\n---\n")).context("failed to write a manifest")?;
        let path = file.to_string_lossy();
        self.podman
            .run(&["kube", "play", "--network", self.podman.network(), &path])
            .await?;
        Ok(())
    }

    /// Changes what podman lacks or does in another way.
    fn for_podman(&self, id: &str, mut spec: Value, port: Option<(u16, u16)>) -> Value {
        let aliases: Vec<Value> = self
            .addresses
            .iter()
            .map(|(name, address)| json!({"ip": address, "hostnames": [name]}))
            .collect();
        spec["hostAliases"] = Value::Array(aliases);
        // fsGroup makes a volume writable for the pod's user; podman does not know it, and a folder that
        // everybody may write stands in.
        for volume in spec["volumes"].as_array_mut().into_iter().flatten() {
            let is_written =
                !volume["emptyDir"].is_null() || !volume["persistentVolumeClaim"].is_null();
            if let (Some(name), true) = (volume["name"].as_str(), is_written) {
                let folder = self
                    .podman
                    .folder()
                    .join("volumes")
                    .join(format!("{id}-{name}"));
                if writable_folder(&folder).is_ok() {
                    *volume =
                        json!({"name": name, "hostPath": {"path": folder, "type": "Directory"}});
                }
            }
        }
        // podman knows no accounts of a cluster.
        if let Some(spec) = spec.as_object_mut() {
            spec.remove("serviceAccountName");
        }
        for list in ["initContainers", "containers"] {
            for container in spec[list].as_array_mut().into_iter().flatten() {
                for probe in ["startupProbe", "readinessProbe", "livenessProbe"] {
                    container
                        .as_object_mut()
                        .map(|container| container.remove(probe));
                }
                let image = container["image"].as_str().unwrap_or_default();
                container["image"] = Value::String(local(image));
                container["imagePullPolicy"] = json!("Never");
                for var in container["env"].as_array_mut().into_iter().flatten() {
                    if let Some(value) = var["value"].as_str() {
                        var["value"] = Value::String(self.referred(value));
                    }
                }
                if let Some((inside, outside)) = port.filter(|_| container["name"] == id) {
                    container["ports"] = json!([{"containerPort": inside, "hostIP": "127.0.0.1", "hostPort": outside}]);
                }
            }
        }
        spec
    }

    /// `$(NAME)` of a secret, and `$$` for the character, as Kubernetes fills them in; podman does so in
    /// commands only.
    fn referred(&self, value: &str) -> String {
        let (mut filled, mut rest) = (String::new(), value);
        while let Some((before, after)) = rest.split_once('$') {
            filled.push_str(before);
            let name = after
                .strip_prefix('(')
                .and_then(|after| after.split_once(')'));
            let secret = name.and_then(|(name, after)| Some((self.secrets.get(name)?, after)));
            let (character, after) = match (after.strip_prefix('$'), secret) {
                (Some(after), _) => ("$", after),
                (None, Some((secret, after))) => (secret.as_str(), after),
                (None, None) => ("$", after),
            };
            filled.push_str(character);
            rest = after;
        }
        filled + rest
    }

    async fn address(&self, pod: &str) -> anyhow::Result<String> {
        let infra = self
            .podman
            .run(&["pod", "inspect", "--format", "{{.InfraContainerID}}", pod])
            .await?;
        let format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
        self.podman
            .run(&["inspect", "--format", format, &infra])
            .await
    }

    async fn healthy(&mut self, container: &str, check: &[String]) -> anyhow::Result<()> {
        self.playing = container.to_owned();
        let mut command = vec!["exec", container];
        command.extend(check.iter().map(String::as_str));
        let step = self.options.start_timeout;
        let checked = self.wait(container, step, async || self.podman.run(&command).await);
        if let (Err(_), waited) = checked.await? {
            let seconds = waited.as_secs();
            bail!("the service in {container} is not healthy after {seconds} seconds");
        }
        self.playing.clear();
        Ok(())
    }

    /// Tries something until it works, for as long as what runs in `container` has: `step`, and more
    /// while it is at work. Returns the last result, and how long that was at most.
    async fn wait<T, E>(
        &self,
        container: &str,
        step: Duration,
        mut tried: impl AsyncFnMut() -> Result<T, E>,
    ) -> anyhow::Result<(Result<T, E>, Duration)> {
        let mut patience = Patience::new(Instant::now(), step);
        loop {
            let result = tried().await;
            if result.is_ok() {
                return Ok((result, patience.limit()));
            }
            self.goes_on(container).await?;
            let used = async || self.podman.used(container).await.unwrap_or_default();
            if patience.is_over(used).await {
                return Ok((result, patience.limit()));
            }
            tokio::time::sleep(PERIOD).await;
        }
    }

    /// Runs the pod of a Job to its end.
    async fn prepare(&mut self, id: &str, pod: Value) -> anyhow::Result<()> {
        let names = pod["containers"].as_array().into_iter().flatten();
        let last = names
            .filter_map(|container| container["name"].as_str())
            .next_back();
        let last = last.context("a Job has a container")?.to_owned();
        let role = format!("{id}-prepare");
        let container = format!("longshore-{role}-{last}");
        self.playing.clone_from(&container);
        self.start(&role, pod, None).await?;
        let begun = Instant::now();
        loop {
            match self.podman.exit_code(&container).await? {
                Some(0) => break,
                Some(code) => bail!("the prepare step {last} ended with {code}"),
                None if begun.elapsed() > self.options.prepare_timeout => {
                    bail!(
                        "the prepare step {last} did not end within {} seconds",
                        self.options.prepare_timeout.as_secs()
                    );
                }
                None => tokio::time::sleep(PERIOD).await,
            }
        }
        self.playing.clear();
        Ok(())
    }

    async fn goes_on(&self, container: &str) -> anyhow::Result<()> {
        match self.podman.exit_code(container).await? {
            Some(code) => bail!("the container {container} ended with {code}"),
            None => Ok(()),
        }
    }

    /// Waits for the answer that `found` had from the engine, for at least the time that it took
    /// there.
    async fn answers(
        &self,
        container: &str,
        port: u16,
        expected: &Answered,
        found: &ComponentReport,
        host: &str,
    ) -> anyhow::Result<String> {
        let (path, status) = (&expected.path, expected.status);
        let startup = found.measured.as_ref().map_or(0, |found| found.startup_ms);
        let step = Duration::from_millis(startup).max(self.options.start_timeout);
        let asked = async || match http::get(port, path, host, &[]).await {
            Ok(answer) if answer.status == status => Ok(()),
            Ok(answer) => Err(format!("status {}, not {status}", answer.status)),
            Err(error) => Err(format!("no answer: {error}")),
        };
        match self.wait(container, step, asked).await? {
            (Ok(()), _) => Ok(format!("`{path}` gave {status}")),
            (Err(what), _) => bail!("`{path}` gave {what}"),
        }
    }

    async fn stays_up(&self, container: &str) -> anyhow::Result<String> {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(3) {
            match self.podman.exit_code(container).await? {
                Some(0) => return Ok("ended with 0".to_owned()),
                Some(code) => bail!("the container {container} ended with {code}"),
                None => tokio::time::sleep(PERIOD).await,
            }
        }
        Ok("stays up".to_owned())
    }
}

/// A folder like an emptyDir of a pod with an fsGroup; it lies within the private one of the run.
fn writable_folder(path: &Path) -> std::io::Result<()> {
    fs::create_dir_all(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(path, fs::Permissions::from_mode(0o777))?;
    }
    Ok(())
}

/// The name of an image in podman's store, under which it is looked for nowhere else.
fn local(image: &str) -> String {
    let (name, tag) = match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (image, "dev"),
    };
    format!(
        "localhost/longshore/{}:{tag}",
        name.replace([':', '@'], "-")
    )
}

/// Has the Kubernetes server of the current context check each overlay, without keeping anything.
async fn by_server(
    artifacts: &[Artifact],
    progress: &mut dyn FnMut(Event),
) -> anyhow::Result<Proof> {
    let skipped = |message: &str| Ok(proof("kubectl", ProofOutcome::Skipped, message));
    let context = kubectl(&["config", "current-context"]).await;
    let context = match context {
        None => return skipped("kubectl is not installed"),
        Some(Err(_)) => return skipped("no Kubernetes context is configured"),
        Some(Ok(context)) => context.trim().to_owned(),
    };
    // A context often outlives its cluster.
    let version = kubectl(&["version", "--request-timeout=10s"]).await;
    if !matches!(version, Some(Ok(_))) {
        let silent = format!("the Kubernetes server of {context} does not answer");
        return skipped(&silent);
    }
    progress(Event::Stage(format!(
        "asking the Kubernetes server of {context}"
    )));
    let folder = tempfile::tempdir().context("failed to make a folder")?;
    let manifests = artifacts
        .iter()
        .filter(|artifact| artifact.path.starts_with("k8s/"));
    for artifact in manifests {
        let path = folder.path().join(artifact.path.as_str());
        fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))
            .context("failed to make a folder")?;
        fs::write(&path, &artifact.contents).context("failed to write a manifest")?;
    }
    let mut checked = Vec::new();
    for environment in crate::plan::ENVIRONMENTS {
        let overlay = folder.path().join("k8s/overlays").join(environment);
        let overlay = overlay.to_string_lossy();
        let arguments = [
            "apply",
            "--dry-run=server",
            "--request-timeout=20s",
            "-k",
            &overlay,
        ];
        if let Some(Err(said)) = kubectl(&arguments).await {
            let message =
                format!("the Kubernetes server of {context} refuses the overlay {environment}");
            return Ok(Proof {
                log: last_lines(&said, SHOWN),
                ..proof("kubectl", ProofOutcome::Failed, message)
            });
        }
        checked.push(environment);
    }
    let message = format!(
        "the Kubernetes server of {context} takes the overlays {}",
        checked.join(", ")
    );
    progress(Event::Reached(message.clone()));
    Ok(proof("kubectl", ProofOutcome::Passed, message))
}

/// What kubectl printed: on stdout, or on stderr where it failed; `None` where there is none.
async fn kubectl(arguments: &[&str]) -> Option<Result<String, String>> {
    let mut command = tokio::process::Command::new("kubectl");
    command
        .args(arguments)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = match tokio::time::timeout(SERVER_PATIENCE, command.output()).await {
        Ok(Ok(output)) => output,
        Ok(Err(_)) => return None,
        Err(_) => return Some(Err("kubectl gave no answer".to_owned())),
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Some(if output.status.success() {
        Ok(text(&output.stdout))
    } else {
        Err(text(&output.stderr))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_has_a_name_that_no_registry_has() {
        assert_eq!(local("postgres:15"), "localhost/longshore/postgres:15");
        assert_eq!(local("shop"), "localhost/longshore/shop:dev");
        assert_eq!(
            local("reg.example:5000/a/b"),
            "localhost/longshore/reg.example-5000/a/b:dev"
        );
    }
}
