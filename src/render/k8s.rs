//! Kubernetes manifests: a base, and an overlay for each environment.

use serde::Serialize;

use super::{
    Artifact, HEADER,
    compose::{fixed_origin, volume_name},
    env::{own_settings, settings, value},
    marks::{Marks, one_line},
    sizing,
    template::lay_out,
};
use crate::{
    plan::{
        BuildPlan, Command, Component, ENVIRONMENTS, EnvKind, Origin, Piece, Protocol, Service,
        pieces,
    },
    repo::file_name,
};

#[derive(Serialize)]
struct WorkloadsView {
    header: &'static str,
    workloads: Vec<Workload>,
}

#[derive(Serialize, Default)]
struct Workload {
    api: &'static str,
    kind: &'static str,
    name: String,
    app: String,
    component: String,
    comments: Vec<String>,
    account: String,
    user: u32,
    /// Whether a port is below 1024, which Linux keeps for root.
    has_low_port: bool,
    /// Seconds that a pod has to end.
    grace: Option<u64>,
    grace_why: String,
    /// Restart policy of a job's pod.
    restart: Option<&'static str>,
    /// Whether the old pod must end before the new one starts, as one volume serves one pod.
    recreate: bool,
    cron: String,
    cron_why: String,
    lists: Vec<ContainerList>,
    volumes: Vec<VolumeSource>,
}

#[derive(Serialize)]
struct ContainerList {
    kind: &'static str,
    containers: Vec<Container>,
}

#[derive(Serialize, Default)]
struct Container {
    name: String,
    image: String,
    why: String,
    /// Arguments for the program that the image starts.
    args: Vec<String>,
    args_why: String,
    /// Whether it runs beside the containers, although it is started before them.
    is_sidecar: bool,
    /// Whether it must write to its root file system.
    writes_root: bool,
    /// User, where it is not that of the pod.
    user: Option<u32>,
    command: Vec<String>,
    command_why: String,
    directory: Option<String>,
    port: Option<ContainerPort>,
    config: Option<String>,
    env: Vec<Var>,
    probes: Vec<Probe>,
    resources: Resources,
    mounts: Vec<Mount>,
}

#[derive(Serialize)]
struct ContainerPort {
    name: &'static str,
    number: u16,
    why: String,
}

#[derive(Serialize)]
struct Var {
    name: String,
    secret: Option<String>,
    /// The key of the secret.
    key: String,
    value: String,
    why: String,
}

#[derive(Serialize, Default)]
struct Probe {
    kind: &'static str,
    path: Option<String>,
    host: Option<String>,
    command: Vec<String>,
    grpc: Option<u16>,
    port: String,
    why: String,
    period: u32,
    timeout: u32,
    failures: u64,
    failures_why: String,
}

#[derive(Serialize, Default)]
struct Resources {
    comment: String,
    cpu: String,
    cpu_why: String,
    request: String,
    request_why: String,
    limit: String,
    limit_why: String,
}

#[derive(Serialize)]
struct Mount {
    name: String,
    path: String,
    file: Option<String>,
    why: String,
}

#[derive(Serialize)]
struct VolumeSource {
    name: String,
    claim: Option<String>,
    config: Option<String>,
}

#[derive(Serialize)]
struct ObjectsView {
    header: &'static str,
    objects: Vec<Object>,
}

#[derive(Serialize, Default)]
struct Object {
    kind: &'static str,
    name: String,
    app: Option<String>,
    component: String,
    comments: Vec<String>,
    port: Option<ServicePort>,
    storage: String,
    why: String,
    data: Vec<Datum>,
}

#[derive(Serialize)]
struct ServicePort {
    name: &'static str,
    port: u16,
    target: String,
    why: String,
}

#[derive(Serialize)]
struct Datum {
    name: String,
    value: String,
    why: String,
}

#[derive(Serialize, Default)]
struct KustomizationView {
    header: &'static str,
    comments: Vec<String>,
    resources: Vec<String>,
    labels: Vec<Label>,
    patches: Vec<String>,
    /// Deployments whose number of replicas an autoscaler decides.
    autoscaled: Vec<String>,
    images: Vec<ImageTag>,
    replicas: Vec<Replicas>,
}

#[derive(Serialize)]
struct Label {
    name: &'static str,
    value: String,
}

#[derive(Serialize)]
struct ImageTag {
    name: String,
    tag: &'static str,
}

#[derive(Serialize)]
struct AutoscalersView {
    header: &'static str,
    autoscalers: Vec<Autoscaler>,
}

#[derive(Serialize)]
struct IngressView {
    header: &'static str,
    comments: Vec<String>,
    name: String,
    app: String,
    component: String,
    class: Option<String>,
    secret: Option<String>,
    secret_why: String,
    host: String,
    host_why: String,
    port: &'static str,
    port_why: String,
}

#[derive(Serialize)]
struct Autoscaler {
    name: String,
    app: String,
    component: String,
    comments: Vec<String>,
    least: u32,
    most: u32,
    utilization: u32,
    why: String,
}

#[derive(Serialize)]
struct Replicas {
    name: String,
    count: u32,
}

/// Returns everything below `k8s/`.
pub fn manifests(plan: &BuildPlan) -> anyhow::Result<Vec<Artifact>> {
    let mut artifacts = Vec::new();
    let mut resources = vec![
        "configmap.yaml".to_owned(),
        "serviceaccount.yaml".to_owned(),
    ];
    let mut workloads: Vec<(String, Vec<Workload>)> = Vec::new();
    let mut services = Vec::new();
    let mut claims = Vec::new();
    let marks = Marks::default();
    for component in &plan.components {
        let suffix = if plan.components.len() == 1 {
            String::new()
        } else {
            format!("-{}", component.id)
        };
        workloads.push((
            format!("deployment{suffix}.yaml"),
            deployments(plan, component, &marks),
        ));
        if !component.prepare.is_empty() && !component.shares_network() {
            workloads.push((
                format!("prepare-job{suffix}.yaml"),
                vec![prepare_job(plan, component, &marks)],
            ));
        }
        if !component.schedules.is_empty() {
            workloads.push((
                format!("cronjobs{suffix}.yaml"),
                cron_jobs(plan, component, &marks),
            ));
        }
        services.extend(service(plan, component, &marks));
        for (host, origin) in plan.further_hosts(&component.id) {
            services.extend(service(plan, component, &marks).map(|object| Object {
                name: host.to_owned(),
                comments: vec![format!(
                    "The name by which others look for it.{}",
                    marks.mark(origin)
                )],
                ..object
            }));
        }
        claims.extend(component_claims(plan, component, &marks));
    }
    for (file, workloads) in workloads {
        let text = lay_out(
            "k8s/workload.yaml.j2",
            &WorkloadsView {
                header: HEADER,
                workloads,
            },
        )?;
        artifacts.push(marks.artifact(&format!("k8s/base/{file}"), &text, &layout()));
        resources.push(file);
    }
    for (file, objects) in [("service.yaml", services), ("volumes.yaml", claims)] {
        if !objects.is_empty() {
            artifacts.push(objects_file(&format!("k8s/base/{file}"), objects, &marks)?);
            resources.push(file.to_owned());
        }
    }
    artifacts.push(objects_file(
        "k8s/base/configmap.yaml",
        vec![config_map(plan, "production", &marks)],
        &marks,
    )?);
    artifacts.push(objects_file(
        "k8s/base/serviceaccount.yaml",
        vec![account(plan)],
        &marks,
    )?);
    resources.sort();
    let base = KustomizationView {
        header: HEADER,
        comments: vec![
            format!(
                "Needs the Secret {}, made from env/secrets.env:",
                secret_name(plan)
            ),
            format!(
                "kubectl create secret generic {} --from-env-file=env/secrets.env",
                secret_name(plan)
            ),
        ],
        resources,
        ..KustomizationView::default()
    };
    let text = lay_out("k8s/kustomization.yaml.j2", &base)?;
    artifacts.push(marks.artifact("k8s/base/kustomization.yaml", &text, &layout()));
    for environment in ENVIRONMENTS {
        artifacts.extend(overlay(plan, environment)?);
    }
    Ok(artifacts)
}

fn layout() -> Origin {
    Origin::manifest(
        "templates/k8s",
        "what a pod under the restricted Pod Security Standard needs",
    )
}

fn objects_file(path: &str, objects: Vec<Object>, marks: &Marks) -> anyhow::Result<Artifact> {
    let text = lay_out(
        "k8s/objects.yaml.j2",
        &ObjectsView {
            header: HEADER,
            objects,
        },
    )?;
    Ok(marks.artifact(path, &text, &layout()))
}

fn secret_name(plan: &BuildPlan) -> String {
    format!("{}-secrets", plan.name)
}

fn config_name(plan: &BuildPlan) -> String {
    format!("{}-config", plan.name)
}

fn deployments(plan: &BuildPlan, component: &Component, marks: &Marks) -> Vec<Workload> {
    let keeps_data = component.volumes.iter().any(|volume| volume.persistent);
    let mut app = app_container(plan, component, marks);
    app.port = component.main_port().map(|port| ContainerPort {
        name: port_name(port.protocol),
        number: port.port,
        why: marks.mark(&port.origin),
    });
    app.probes = probes(component, marks);
    if let Some(cpu) = sizing::cpu_at_knee(component) {
        app.resources.cpu = format!("{}m", cpu.value);
        app.resources.cpu_why = marks.mark(&cpu.origin);
    }
    let processes = component.processes.iter().map(|process| {
        let container = Container {
            directory: Some(component.absolute(&process.directory)),
            ..app_container(plan, component, marks)
        };
        let why = marks.mark(&process.origin);
        let container = running(words(&process.command), why, container, component);
        (process.id.clone(), container)
    });
    let list = |kind: &'static str, containers: Vec<Container>| ContainerList { kind, containers };
    if component.shares_network() {
        let mut containers = vec![app];
        containers.extend(processes.map(|(name, container)| Container { name, ..container }));
        let own = with_sidecars(plan, component, marks, list("containers", containers));
        return vec![own];
    }
    let mut workloads = vec![Workload {
        recreate: keeps_data,
        lists: vec![list("containers", vec![app])],
        ..deployment(plan, component, &component.id, marks)
    }];
    workloads.extend(processes.map(|(id, container)| Workload {
        recreate: keeps_data,
        lists: vec![list("containers", vec![container])],
        ..deployment(plan, component, &id, marks)
    }));
    workloads
}

/// The pod of a component that looks for services on its own machine: they are started before it
/// and run beside it (<https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/>, from
/// Kubernetes 1.29 on), and what prepares a release runs between.
fn with_sidecars(
    plan: &BuildPlan,
    component: &Component,
    marks: &Marks,
    containers: ContainerList,
) -> Workload {
    let mut workload = deployment(plan, component, &component.id, marks);
    workload.recreate = true;
    let mut before = Vec::new();
    for service in component.local_services() {
        let claim = service_claim(plan, component, service);
        let mut backing = backing(plan, service, &format!("{}-", service.kind), claim, marks);
        backing.container.is_sidecar = true;
        backing.container.user = Some(service.user);
        backing.container.port = None;
        let place = Origin::place;
        let place = service
            .fixed
            .iter()
            .flat_map(|fixed| &fixed.origin)
            .map(place);
        workload.comments.push(one_line(&format!(
            "{} runs in the pod of the application, which looks for it at localhost: {}.",
            service.kind,
            place.collect::<Vec<_>>().join(", ")
        )));
        workload.comments.extend(backing.comments);
        workload.volumes.extend(backing.volumes);
        before.push(backing.container);
    }
    let prepare = component.prepare.iter().enumerate();
    before.extend(
        prepare.map(|(index, command)| prepare_container(plan, component, index, command, marks)),
    );
    workload.lists = vec![
        ContainerList {
            kind: "initContainers",
            containers: before,
        },
        containers,
    ];
    workload
}

/// The claim for the data of a service in the pod of the component.
fn service_claim(plan: &BuildPlan, component: &Component, service: &Service) -> Option<String> {
    service.data.as_ref()?;
    Some(format!("{}-{}-{}", plan.name, component.id, service.kind))
}

fn prepare_container(
    plan: &BuildPlan,
    component: &Component,
    index: usize,
    command: &Command,
    marks: &Marks,
) -> Container {
    let line = one_line(&command.command);
    let container = Container {
        name: format!("prepare-{}", index + 1),
        directory: Some(component.absolute(&command.directory)),
        ..app_container(plan, component, marks)
    };
    let words = vec!["sh".to_owned(), "-c".to_owned(), line];
    running(words, marks.mark(&command.origin), container, component)
}

/// Has `container` run `words` instead of the start command. What the image puts before any command
/// stays, as it does where Docker runs them.
fn running(
    words: Vec<String>,
    why: String,
    container: Container,
    component: &Component,
) -> Container {
    match component.image.entrypoint.is_empty() {
        true => Container {
            command: words,
            command_why: why,
            ..container
        },
        false => Container {
            args: words,
            args_why: why,
            ..container
        },
    }
}

fn prepare_job(plan: &BuildPlan, component: &Component, marks: &Marks) -> Workload {
    let mut containers: Vec<Container> = component
        .prepare
        .iter()
        .enumerate()
        .map(|(index, command)| prepare_container(plan, component, index, command, marks))
        .collect();
    let last = containers.pop();
    let mut lists = Vec::new();
    if !containers.is_empty() {
        lists.push(ContainerList {
            kind: "initContainers",
            containers,
        });
    }
    lists.push(ContainerList {
        kind: "containers",
        containers: last.into_iter().collect(),
    });
    Workload {
        comments: vec![
            "Runs before each release, once: delete the old job and apply this one before the new"
                .to_owned(),
            "image is rolled out.".to_owned(),
        ],
        restart: Some("Never"),
        lists,
        ..workload(plan, component, "Job", "batch/v1", "prepare", marks)
    }
}

fn cron_jobs(plan: &BuildPlan, component: &Component, marks: &Marks) -> Vec<Workload> {
    component
        .schedules
        .iter()
        .map(|schedule| {
            let container = Container {
                directory: Some(component.absolute(&schedule.directory)),
                ..app_container(plan, component, marks)
            };
            let why = marks.mark(&schedule.origin);
            let container = running(words(&schedule.command), why, container, component);
            let mut comments = Vec::new();
            if component.shares_network() {
                comments.push(
                    "Looks for its services at localhost and finds none there: they run in the pod of the"
                        .to_owned(),
                );
                comments.push(
                    "application. It needs their address from the environment to work.".to_owned(),
                );
            }
            Workload {
                comments,
                restart: Some("Never"),
                cron: schedule.cron.clone(),
                cron_why: marks.mark(&schedule.origin),
                lists: vec![ContainerList {
                    kind: "containers",
                    containers: vec![container],
                }],
                ..workload(plan, component, "CronJob", "batch/v1", &schedule.id, marks)
            }
        })
        .collect()
}

fn deployment(plan: &BuildPlan, component: &Component, role: &str, marks: &Marks) -> Workload {
    workload(plan, component, "Deployment", "apps/v1", role, marks)
}

/// What all workloads of a component have in common.
fn workload(
    plan: &BuildPlan,
    component: &Component,
    kind: &'static str,
    api: &'static str,
    role: &str,
    marks: &Marks,
) -> Workload {
    let object = plan.object_name(&component.id);
    let name = if role == component.id {
        object
    } else {
        format!("{object}-{role}")
    };
    let mut volumes = vec![VolumeSource {
        name: "tmp".to_owned(),
        claim: None,
        config: None,
    }];
    volumes.extend(component.volumes.iter().map(|volume| {
        let name = volume_name(&component.id, &volume.path);
        let claim = volume
            .persistent
            .then(|| claim_name(plan, component, &volume.path));
        VolumeSource {
            name,
            claim,
            config: None,
        }
    }));
    // What was measured is the application itself, not what runs once.
    let grace = sizing::grace(component).filter(|_| role == component.id);
    Workload {
        api,
        kind,
        name,
        app: plan.name.clone(),
        component: role.to_owned(),
        account: plan.name.clone(),
        user: component.image.user,
        has_low_port: component.has_low_port(),
        volumes,
        grace: grace.as_ref().map(|grace| grace.value),
        grace_why: grace.map_or_else(String::new, |grace| marks.mark(&grace.origin)),
        ..Workload::default()
    }
}

fn app_container(plan: &BuildPlan, component: &Component, marks: &Marks) -> Container {
    let secret = |name: &str, why: &[Origin]| Var {
        name: name.to_owned(),
        secret: Some(secret_name(plan)),
        key: name.to_owned(),
        value: String::new(),
        why: marks.mark(why),
    };
    let own = own_settings(plan, component).into_iter().filter_map(|var| {
        Some(Var {
            name: var.name.clone(),
            secret: None,
            key: String::new(),
            value: one_line(value(var, "production")?),
            why: marks.mark(&var.origin),
        })
    });
    // A value may refer to a variable only if that one is listed before it.
    let mut env: Vec<Var> = own.collect();
    for service in &component.services {
        let leads = |name: &String| {
            component.env.iter().any(|var| {
                var.default
                    .as_ref()
                    .is_some_and(|value| value.contains(&format!("${{{name}}}")))
            })
        };
        env.extend(
            service
                .secrets
                .iter()
                .filter(|name| leads(name))
                .map(|name| secret(name, &service.origin)),
        );
    }
    env.extend(
        component
            .env
            .iter()
            .filter(|var| var.kind == EnvKind::Secret && var.required)
            .map(|var| secret(&var.name, &var.origin)),
    );
    for var in component
        .env
        .iter()
        .filter(|var| var.kind == EnvKind::Service)
    {
        let value = var.default.as_deref().unwrap_or_default();
        if env.iter().any(|known| known.name == var.name) {
            continue;
        }
        let value = one_line(value).replace("${", "$(").replace('}', ")");
        env.push(Var {
            name: var.name.clone(),
            secret: None,
            key: String::new(),
            value,
            why: marks.mark(&var.origin),
        });
    }
    let mut mounts = vec![Mount {
        name: "tmp".to_owned(),
        path: "/tmp".to_owned(),
        file: None,
        why: String::new(),
    }];
    mounts.extend(component.volumes.iter().map(|volume| Mount {
        name: volume_name(&component.id, &volume.path),
        path: one_line(&volume.path),
        file: None,
        why: marks.mark(&volume.origin),
    }));
    mounts.extend(component.services.iter().filter_map(|service| {
        Some(Mount {
            name: format!("{}-socket", service.kind),
            path: service.socket()?.to_owned(),
            file: None,
            why: marks.mark(&fixed_origin(service)),
        })
    }));
    Container {
        name: component.id.clone(),
        image: plan.object_name(&component.id),
        why: marks.mark(&component.image.origin),
        config: Some(config_name(plan)),
        env,
        resources: resources(component, marks),
        mounts,
        ..Container::default()
    }
}

/// What a container asks of its node. Only what was measured has a tier.
fn resources(component: &Component, marks: &Marks) -> Resources {
    let cpu = sizing::cpu_request(component);
    let request = sizing::memory_request(component);
    let limit = sizing::memory_limit(component);
    let why = marks.mark(&request.origin);
    let comment = component.measured.as_ref().map(|_| {
        let tier = sizing::tier(component).name();
        format!("Measured, with a margin: tier {tier}.{why}")
    });
    Resources {
        comment: comment.unwrap_or_default(),
        cpu: format!("{}m", cpu.value),
        cpu_why: marks.mark(&cpu.origin),
        request: format!("{}Mi", request.value),
        request_why: marks.mark(&request.origin),
        limit: format!("{}Mi", limit.value),
        limit_why: marks.mark(&limit.origin),
    }
}

/// A path becomes a probe only once a smoke run proved it; until then an open port has to do.
fn probes(component: &Component, marks: &Marks) -> Vec<Probe> {
    let Some(port) = component.main_port() else {
        return Vec::new();
    };
    let proven = component.health.as_ref().filter(|health| health.proven);
    let probe = |kind: &'static str, period: u32, failures: u64| Probe {
        kind,
        path: proven.map(|health| one_line(&health.path)),
        host: proven.and_then(|health| health.host.clone()),
        port: port_name(port.protocol).to_owned(),
        why: marks.mark(proven.map_or(&port.origin, |health| &health.origin)),
        period,
        timeout: 5,
        failures,
        // The kubelet asks the number of a gRPC port, and knows it by no name.
        grpc: (port.protocol == Protocol::Grpc).then_some(port.port),
        ..Probe::default()
    };
    let startup = sizing::startup(component);
    vec![
        Probe {
            failures_why: marks.mark(&startup.origin),
            ..probe("startupProbe", 2, startup.value.div_ceil(2000))
        },
        probe("readinessProbe", 10, 3),
        Probe {
            path: None,
            host: None,
            grpc: None,
            ..probe("livenessProbe", 20, 3)
        },
    ]
}

fn port_name(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Http => "http",
        Protocol::Grpc => "grpc",
        Protocol::Tcp => "tcp",
    }
}

fn service(plan: &BuildPlan, component: &Component, marks: &Marks) -> Option<Object> {
    let port = component.main_port()?;
    Some(Object {
        kind: "Service",
        name: plan.object_name(&component.id),
        app: Some(plan.name.clone()),
        component: component.id.clone(),
        port: Some(ServicePort {
            name: port_name(port.protocol),
            // Components find each other on the port that they know.
            port: if port.protocol == Protocol::Http && plan.components.len() == 1 {
                80
            } else {
                port.port
            },
            target: port_name(port.protocol).to_owned(),
            why: marks.mark(&port.origin),
        }),
        ..Object::default()
    })
}

/// The Ingress of production: nobody else has its name.
fn ingress_of(plan: &BuildPlan, component: &Component, marks: &Marks) -> Option<IngressView> {
    let ingress = component.ingress.as_ref()?;
    let port = component.main_port()?;
    let name = plan.object_name(&component.id);
    let secret = ingress.tls_secret.clone();
    let secret = secret.unwrap_or_else(|| format!("{name}-tls"));
    let secret = Some(secret).filter(|_| ingress.has_tls);
    let comments = secret.iter().flat_map(|secret| {
        [
            format!("Needs the Secret {secret}, which cert-manager can make, or:"),
            format!("kubectl create secret tls {secret} --cert=FILE --key=FILE"),
        ]
    });
    Some(IngressView {
        header: HEADER,
        comments: comments.collect(),
        app: plan.name.clone(),
        component: component.id.clone(),
        class: ingress.class.clone(),
        secret,
        secret_why: marks.mark(&ingress.tls_origin),
        host: ingress.host.clone(),
        host_why: marks.mark(&ingress.origin),
        port: port_name(port.protocol),
        port_why: marks.mark(&port.origin),
        name,
    })
}

fn claim_name(plan: &BuildPlan, component: &Component, path: &str) -> String {
    format!("{}-{}", plan.name, volume_name(&component.id, path))
}

fn component_claims(plan: &BuildPlan, component: &Component, marks: &Marks) -> Vec<Object> {
    let kept = component.volumes.iter().filter(|volume| volume.persistent);
    kept.map(|volume| Object {
        kind: "PersistentVolumeClaim",
        name: claim_name(plan, component, &volume.path),
        app: Some(plan.name.clone()),
        component: component.id.clone(),
        comments: vec![format!(
            "{}: {}",
            one_line(&volume.path),
            one_line(&volume.reason)
        )],
        storage: "1Gi".to_owned(),
        why: marks.mark(&volume.origin),
        ..Object::default()
    })
    .chain(component.local_services().filter_map(|service| {
        Some(Object {
            kind: "PersistentVolumeClaim",
            name: service_claim(plan, component, service)?,
            app: Some(plan.name.clone()),
            component: component.id.clone(),
            comments: vec![format!("the data of {}", service.kind)],
            storage: "1Gi".to_owned(),
            why: marks.mark(&service.origin),
            ..Object::default()
        })
    }))
    .collect()
}

fn account(plan: &BuildPlan) -> Object {
    Object {
        kind: "ServiceAccount",
        name: plan.name.clone(),
        app: Some(plan.name.clone()),
        component: "web".to_owned(),
        ..Object::default()
    }
}

fn config_map(plan: &BuildPlan, environment: &str, marks: &Marks) -> Object {
    let data = settings(plan).into_iter().filter_map(|var| {
        let value = one_line(value(var, environment)?);
        Some(Datum {
            name: var.name.clone(),
            value,
            why: marks.mark(&var.origin),
        })
    });
    Object {
        kind: "ConfigMap",
        name: config_name(plan),
        app: Some(plan.name.clone()),
        component: "web".to_owned(),
        data: data.collect(),
        ..Object::default()
    }
}

fn words(command: &[String]) -> Vec<String> {
    command.iter().map(|word| one_line(word)).collect()
}

/// Returns the files of one overlay: development and test bring their own backing services.
fn overlay(plan: &BuildPlan, environment: &str) -> anyhow::Result<Vec<Artifact>> {
    let folder = format!("k8s/overlays/{environment}");
    let marks = Marks::default();
    let mut artifacts = Vec::new();
    let mut resources = vec!["../../base".to_owned()];
    let mut comments = Vec::new();
    let is_production = environment == "production";
    let mut services: Vec<&Service> = Vec::new();
    for service in plan
        .components
        .iter()
        .flat_map(|component| &component.services)
        .filter(|service| !service.is_local())
    {
        if !services.iter().any(|known| known.kind == service.kind) {
            services.push(service);
        }
    }
    if is_production {
        let hosts: Vec<String> = services
            .iter()
            .map(|service| format!("{}:{}", service.host_name(), service.port))
            .collect();
        if !hosts.is_empty() {
            comments.push(format!(
                "Expects managed services to answer at {}: give them these names with a Service",
                hosts.join(" and ")
            ));
            comments.push(
                "of type ExternalName, or change the addresses in ../../base/deployment.yaml."
                    .to_owned(),
            );
        }
    } else if !services.is_empty() {
        let (objects, workloads) = backing_services(plan, &services, &marks);
        let workloads = lay_out(
            "k8s/workload.yaml.j2",
            &WorkloadsView {
                header: HEADER,
                workloads,
            },
        )?;
        artifacts.push(marks.artifact(
            &format!("{folder}/backing-services.yaml"),
            &workloads,
            &layout(),
        ));
        artifacts.push(objects_file(
            &format!("{folder}/backing-addresses.yaml"),
            objects,
            &marks,
        )?);
        resources.extend([
            "backing-addresses.yaml".to_owned(),
            "backing-services.yaml".to_owned(),
        ]);
    }
    let mut components = plan.components.iter().filter(|_| is_production);
    if let Some(view) = components.find_map(|one| ingress_of(plan, one, &marks)) {
        let text = lay_out("k8s/ingress.yaml.j2", &view)?;
        artifacts.push(marks.artifact(&format!("{folder}/ingress.yaml"), &text, &layout()));
        resources.push("ingress.yaml".to_owned());
    }
    let autoscalers: Vec<Autoscaler> = plan
        .components
        .iter()
        .filter(|_| is_production)
        .filter_map(|component| autoscaler(plan, component, &marks))
        .collect();
    let autoscaled: Vec<String> = autoscalers
        .iter()
        .map(|scaler| scaler.name.clone())
        .collect();
    if !autoscalers.is_empty() {
        let view = AutoscalersView {
            header: HEADER,
            autoscalers,
        };
        let text = lay_out("k8s/autoscaler.yaml.j2", &view)?;
        artifacts.push(marks.artifact(&format!("{folder}/autoscaler.yaml"), &text, &layout()));
        resources.push("autoscaler.yaml".to_owned());
    }
    let mut config = config_map(plan, environment, &marks);
    config.app = None;
    let has_config = !config.data.is_empty();
    if has_config {
        artifacts.push(objects_file(
            &format!("{folder}/configmap.yaml"),
            vec![config],
            &marks,
        )?);
    }
    let view = KustomizationView {
        header: HEADER,
        comments,
        resources,
        labels: vec![Label {
            name: "environment",
            value: environment.to_owned(),
        }],
        patches: has_config
            .then(|| "configmap.yaml".to_owned())
            .into_iter()
            .collect(),
        images: plan
            .components
            .iter()
            .map(|component| ImageTag {
                name: plan.object_name(&component.id),
                tag: match environment {
                    "development" => "dev",
                    "test" => "test",
                    _ => "1.0",
                },
            })
            .collect(),
        replicas: plan
            .components
            .iter()
            // A volume that one pod writes cannot serve two.
            .filter(|component| may_run_twice(component))
            .filter(|component| !autoscaled.contains(&plan.object_name(&component.id)))
            .map(|component| Replicas {
                name: plan.object_name(&component.id),
                count: if is_production { 2 } else { 1 },
            })
            .collect(),
        autoscaled: autoscaled.clone(),
    };
    let text = lay_out("k8s/kustomization.yaml.j2", &view)?;
    artifacts.push(marks.artifact(&format!("{folder}/kustomization.yaml"), &text, &layout()));
    Ok(artifacts)
}

/// A volume that one pod writes, and services at localhost, cannot serve two.
fn may_run_twice(component: &Component) -> bool {
    !component.volumes.iter().any(|volume| volume.persistent) && !component.shares_network()
}

/// A pod is to be used so much, in percent of what it did at the knee: the rest is for the time until
/// another pod is up.
const UTILIZATION: u32 = 70;
/// One pod may be lost without anybody noticing.
const LEAST_REPLICAS: u32 = 2;
/// Where nobody said how many requests there will be.
const MOST_REPLICAS: u32 = 10;

/// The autoscaler of a component whose load was measured; `None` for any other one.
fn autoscaler(plan: &BuildPlan, component: &Component, marks: &Marks) -> Option<Autoscaler> {
    let (knee, _) = component.capacity().filter(|_| may_run_twice(component))?;
    let cpu = sizing::cpu_at_knee(component)?;
    let load = component.measured.as_ref()?.load.as_ref()?;
    let each = knee * f64::from(UTILIZATION) / 100.0;
    let most = load.wanted.map(|wanted| {
        let pods = (f64::from(wanted) / each).ceil().clamp(1.0, 1000.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped"
        )]
        let pods = pods as u32;
        pods.max(LEAST_REPLICAS + 1)
    });
    let mut comments = vec![
        format!(
            "One pod served {knee:.0} requests per second with 95 of 100 within {:.0} ms, and used {}m of a",
            load.limit_ms, cpu.value
        ),
        format!("core, which is its request. At {UTILIZATION} % of that another pod is started."),
    ];
    comments.push(match load.wanted {
        Some(wanted) => format!("Enough for {wanted} requests per second."),
        None => format!(
            "Enough for {:.0} requests per second; how many there will be, nobody said.",
            each * f64::from(MOST_REPLICAS)
        ),
    });
    Some(Autoscaler {
        name: plan.object_name(&component.id),
        app: plan.name.clone(),
        component: component.id.clone(),
        comments,
        least: LEAST_REPLICAS,
        most: most.unwrap_or(MOST_REPLICAS),
        utilization: UTILIZATION,
        why: marks.mark(&cpu.origin),
    })
}

fn backing_services(
    plan: &BuildPlan,
    services: &[&Service],
    marks: &Marks,
) -> (Vec<Object>, Vec<Workload>) {
    let mut objects = Vec::new();
    let mut workloads = Vec::new();
    for service in services {
        objects.push(Object {
            kind: "Service",
            name: service.host_name().to_owned(),
            app: Some(plan.name.clone()),
            component: service.kind.clone(),
            port: Some(ServicePort {
                name: "tcp",
                port: service.port,
                target: "tcp".to_owned(),
                why: marks.mark(&service.origin),
            }),
            ..Object::default()
        });
        let mut comments = vec![format!(
            "{} for trying things out: its data is gone with the pod.",
            service.kind
        )];
        let backing = backing(plan, service, "", None, marks);
        comments.extend(backing.comments);
        workloads.push(Workload {
            api: "apps/v1",
            kind: "Deployment",
            name: service.kind.clone(),
            app: plan.name.clone(),
            component: service.kind.clone(),
            comments: comments.iter().map(|comment| one_line(comment)).collect(),
            account: plan.name.clone(),
            user: service.user,
            has_low_port: false,
            recreate: true,
            lists: vec![ContainerList {
                kind: "containers",
                containers: vec![backing.container],
            }],
            volumes: backing.volumes,
            ..Workload::default()
        });
    }
    (objects, workloads)
}

/// The container of a backing service, its volumes, and what to know about them.
struct Backing {
    container: Container,
    volumes: Vec<VolumeSource>,
    comments: Vec<String>,
}

/// `prefix` keeps the names of volumes apart from others of the pod; `claim` keeps the data.
fn backing(
    plan: &BuildPlan,
    service: &Service,
    prefix: &str,
    claim: Option<String>,
    marks: &Marks,
) -> Backing {
    let why = || marks.mark(&service.origin);
    let mut volumes = Vec::new();
    let mut mounts = Vec::new();
    let mut comments = Vec::new();
    let socket = service.socket();
    let data = service.data.iter().map(|path| (path, claim.clone()));
    let writable = service.writable.iter().map(|path| (path, None));
    for (index, (path, claim)) in data.chain(writable).enumerate() {
        let name = match socket {
            Some(socket) if socket == path => format!("{}-socket", service.kind),
            _ => format!("{prefix}writable-{}", index + 1),
        };
        volumes.push(VolumeSource {
            name: name.clone(),
            claim,
            config: None,
        });
        mounts.push(Mount {
            name,
            path: path.clone(),
            file: None,
            why: why(),
        });
    }
    if let (Some(folder), false) = (&service.init_directory, service.init.is_empty()) {
        let config = format!("{}-init", service.kind);
        comments.push(one_line(&format!(
            "Loads {} from the ConfigMap {config}:",
            service.init.join(", ")
        )));
        let files: Vec<String> = service
            .init
            .iter()
            .map(|file| format!("--from-file={file}"))
            .collect();
        comments.push(one_line(&format!(
            "kubectl create configmap {config} {}",
            files.join(" ")
        )));
        let name = format!("{prefix}init");
        volumes.push(VolumeSource {
            name: name.clone(),
            claim: None,
            config: Some(config),
        });
        for (index, file) in service.init.iter().enumerate() {
            mounts.push(Mount {
                name: name.clone(),
                path: format!("{folder}/{index:02}-{}", file_name(file)),
                file: Some(file_name(file).to_owned()),
                why: why(),
            });
        }
    }
    let probe = |kind: &'static str, period: u32, failures: u64| Probe {
        kind,
        command: service.healthcheck.clone(),
        why: why(),
        period,
        timeout: 5,
        failures,
        ..Probe::default()
    };
    let container = Container {
        name: service.kind.clone(),
        image: service.image.clone(),
        why: why(),
        command: words(&service.entrypoint),
        command_why: why(),
        args: words(&service.command),
        writes_root: !service.read_only,
        port: Some(ContainerPort {
            name: "tcp",
            number: service.port,
            why: why(),
        }),
        env: service_env(plan, service, marks),
        probes: vec![probe("startupProbe", 2, 60), probe("readinessProbe", 10, 3)],
        resources: Resources {
            cpu: "100m".to_owned(),
            request: "128Mi".to_owned(),
            limit: service.memory.clone().unwrap_or_else(|| "512Mi".to_owned()),
            ..Resources::default()
        },
        mounts,
        ..Container::default()
    };
    Backing {
        container,
        volumes,
        comments,
    }
}

/// The environment of a service's own container. A value may refer to a variable only if that one
/// is listed before it, so the secrets within longer values come first.
fn service_env(plan: &BuildPlan, service: &Service, marks: &Marks) -> Vec<Var> {
    let why = || marks.mark(&service.origin);
    let secret = |name: &str, key: &str| Var {
        name: name.to_owned(),
        secret: Some(secret_name(plan)),
        key: key.to_owned(),
        value: String::new(),
        why: why(),
    };
    let mut env: Vec<Var> = Vec::new();
    let (mut plain, mut whole) = (Vec::new(), Vec::new());
    for (name, value) in &service.settings {
        match pieces(value)[..] {
            [Piece::Secret(key)] => whole.push(secret(name, key)),
            _ => plain.push((name, value)),
        }
    }
    for (_, value) in &plain {
        for piece in pieces(value) {
            if let Piece::Secret(key) = piece
                && !env.iter().chain(&whole).any(|known| known.name == key)
            {
                env.push(secret(key, key));
            }
        }
    }
    env.extend(whole);
    env.extend(plain.into_iter().map(|(name, value)| Var {
        name: name.clone(),
        secret: None,
        key: String::new(),
        value: one_line(value).replace("${", "$(").replace('}', ")"),
        why: why(),
    }));
    env
}
