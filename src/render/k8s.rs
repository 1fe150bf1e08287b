//! Kubernetes manifests: a base, and an overlay for each environment.

use std::collections::BTreeSet;

use super::{
    Artifact, HEADER,
    compose::{fixed_origin, init_target},
    env::{own_settings, settings, value},
    marks::{Mark, Marks},
    sizing,
    template::{lay_out_typed, views},
    volumes::{self, VolumeNames},
};
use crate::{
    name::{
        ConfigKey, CronExpression, CronJobName, EnvName, HostName, LongName, MountPath, ObjectName,
        PortName, Subdomain, VariableName,
    },
    plan::{
        BuildPlan, Command, Component, ENVIRONMENTS, EnvKind, Origin, Piece, Protocol, Service,
        pieces_of,
    },
    quote,
    quote::{
        kubernetes::{Expanded, Kubernetes, Literal, words},
        yaml::{Comment, Flow, Key, Scalar, Word},
    },
    repo::file_name,
};

views! { Kubernetes:
    struct WorkloadsView {
        header: &'static str,
        workloads: Vec<Workload>,
    }

    #[derive(Default)]
    struct Workload {
        api: &'static str,
        kind: &'static str,
        name: Scalar<ObjectName>,
        app: Scalar<ObjectName>,
        component: Scalar<ObjectName>,
        comments: Vec<Comment>,
        account: Scalar<ObjectName>,
        user: u32,
        /// Whether a port is below 1024, which Linux keeps for root.
        has_low_port: bool,
        /// Seconds that a pod has to end.
        grace: Option<u64>,
        grace_why: Mark,
        /// Restart policy of a job's pod.
        restart: Option<&'static str>,
        /// Whether the old pod must end before the new one starts, as one volume serves one pod.
        recreate: bool,
        cron: Option<Scalar<CronExpression>>,
        cron_why: Mark,
        lists: Vec<ContainerList>,
        volumes: Vec<VolumeSource>,
    }

    struct ContainerList {
        kind: &'static str,
        containers: Vec<Container>,
    }

    #[derive(Default)]
    struct Container {
        name: Scalar<ObjectName>,
        image: Scalar<Literal>,
        why: Mark,
        /// Arguments for the program that the image starts.
        args: Flow<Scalar<Expanded>>,
        args_why: Mark,
        /// Whether it runs beside the containers, although it is started before them.
        is_sidecar: bool,
        /// Whether it must write to its root file system.
        writes_root: bool,
        /// User, where it is not that of the pod.
        user: Option<u32>,
        command: Flow<Scalar<Expanded>>,
        command_why: Mark,
        directory: Option<Scalar<Literal>>,
        port: Option<ContainerPort>,
        config: Option<Scalar<LongName>>,
        env: Vec<Var>,
        probes: Vec<Probe>,
        resources: Resources,
        mounts: Vec<Mount>,
    }

    struct ContainerPort {
        name: Scalar<PortName>,
        number: u16,
        why: Mark,
    }

    struct Var {
        name: Word<VariableName>,
        value: Option<Scalar<Expanded>>,
        secret: Option<SecretKey>,
        why: Mark,
    }

    struct SecretKey {
        secret: Scalar<LongName>,
        key: Word<VariableName>,
    }

    #[derive(Default)]
    struct Probe {
        kind: &'static str,
        path: Option<Scalar<Literal>>,
        host: Option<Scalar<Literal>>,
        command: Flow<Scalar<Literal>>,
        grpc: Option<u16>,
        port: Option<Word<PortName>>,
        why: Mark,
        period: u32,
        timeout: u32,
        failures: u64,
        failures_why: Mark,
    }

    #[derive(Default)]
    struct Resources {
        comment: Option<Comment>,
        cpu: Scalar<Literal>,
        cpu_why: Mark,
        request: Scalar<Literal>,
        request_why: Mark,
        limit: Scalar<Literal>,
        limit_why: Mark,
    }

    struct Mount {
        name: Scalar<ObjectName>,
        path: Scalar<MountPath>,
        file: Option<Scalar<ConfigKey>>,
        why: Mark,
    }

    struct VolumeSource {
        name: Scalar<ObjectName>,
        claim: Option<Scalar<LongName>>,
        config: Option<Scalar<ObjectName>>,
    }

    struct ObjectsView {
        header: &'static str,
        objects: Vec<Object>,
    }

    #[derive(Default)]
    struct Object {
        kind: &'static str,
        name: Scalar<LongName>,
        app: Option<Scalar<ObjectName>>,
        component: Scalar<ObjectName>,
        comments: Vec<Comment>,
        comment_why: Mark,
        port: Option<ServicePort>,
        storage: Option<Scalar<Literal>>,
        why: Mark,
        data: Vec<Datum>,
    }

    struct ServicePort {
        name: Scalar<PortName>,
        port: u16,
        target: Word<PortName>,
        why: Mark,
    }

    struct Datum {
        name: Key<VariableName>,
        value: Scalar<Literal>,
        why: Mark,
    }

    #[derive(Default)]
    struct KustomizationView {
        header: &'static str,
        comments: Vec<Comment>,
        resources: Vec<Word<Literal>>,
        environment: Option<Scalar<Literal>>,
        patches: Vec<Word<Literal>>,
        /// Deployments whose number of replicas an autoscaler decides.
        autoscaled: Vec<Scalar<ObjectName>>,
        images: Vec<ImageTag>,
        replicas: Vec<Replicas>,
    }

    struct ImageTag {
        name: Scalar<ObjectName>,
        tag: Scalar<Literal>,
    }

    struct AutoscalersView {
        header: &'static str,
        autoscalers: Vec<Autoscaler>,
    }

    struct IngressView {
        header: &'static str,
        comments: Vec<Comment>,
        name: Scalar<ObjectName>,
        app: Scalar<ObjectName>,
        component: Scalar<ObjectName>,
        class: Option<Scalar<Subdomain>>,
        secret: Option<Scalar<Subdomain>>,
        secret_why: Mark,
        host: Scalar<HostName>,
        host_why: Mark,
        port: Scalar<PortName>,
        port_why: Mark,
    }

    struct Autoscaler {
        name: Scalar<ObjectName>,
        app: Scalar<ObjectName>,
        component: Scalar<ObjectName>,
        comments: Vec<Comment>,
        least: u32,
        most: u32,
        utilization: u32,
        why: Mark,
    }

    struct Replicas {
        name: Scalar<ObjectName>,
        count: u32,
    }
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
    let names = VolumeNames::new(plan);
    let known = plan.secret_names();
    let to = Names {
        plan,
        volumes: &names,
        secrets: &known,
        marks: &marks,
    };
    for component in &plan.components {
        let suffix = if plan.components.len() == 1 {
            String::new()
        } else {
            format!("-{}", component.id)
        };
        workloads.push((
            format!("deployment{suffix}.yaml"),
            deployments(to, component),
        ));
        if !component.prepare.is_empty() && !component.shares_network() {
            workloads.push((
                format!("prepare-job{suffix}.yaml"),
                vec![prepare_job(to, component)],
            ));
        }
        if !component.schedules.is_empty() {
            workloads.push((format!("cronjobs{suffix}.yaml"), cron_jobs(to, component)));
        }
        services.extend(service(plan, component, &marks));
        for (host, origin) in plan.further_hosts(&component.id) {
            services.extend(service(plan, component, &marks).map(|object| Object {
                name: Scalar::new(LongName::of(host)),
                comments: vec![Comment::new("The name by which others look for it.")],
                comment_why: marks.why(origin),
                ..object
            }));
        }
        claims.extend(component_claims(to, component));
    }
    for (file, workloads) in workloads {
        let text = lay_out_typed::<Kubernetes>(
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
            Comment::new(&format!(
                "Needs the Secret {}, made from env/secrets.env:",
                secret_name(plan)
            )),
            Comment::new(&format!(
                "kubectl create secret generic {} --from-env-file=env/secrets.env",
                secret_name(plan)
            )),
        ],
        resources: resources.into_iter().map(Word::new).collect(),
        ..KustomizationView::default()
    };
    let text = lay_out_typed::<Kubernetes>("k8s/kustomization.yaml.j2", &base)?;
    artifacts.push(marks.artifact("k8s/base/kustomization.yaml", &text, &layout()));
    for environment in ENVIRONMENTS {
        artifacts.extend(overlay(to, environment)?);
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
    let text = lay_out_typed::<Kubernetes>(
        "k8s/objects.yaml.j2",
        &ObjectsView {
            header: HEADER,
            objects,
        },
    )?;
    Ok(marks.artifact(path, &text, &layout()))
}

/// What every object is named by, and marked with.
#[derive(Clone, Copy)]
struct Names<'a> {
    plan: &'a BuildPlan,
    volumes: &'a VolumeNames<'a>,
    /// The secrets, to which a value may refer.
    secrets: &'a BTreeSet<&'a str>,
    marks: &'a Marks,
}

fn app_name(plan: &BuildPlan) -> Scalar<ObjectName> {
    Scalar::new(ObjectName::of(&plan.name))
}

/// The name of a component's objects.
fn object_name(plan: &BuildPlan, component: &Component) -> ObjectName {
    ObjectName::of(&plan.object_name(&component.id))
}

fn secret_name(plan: &BuildPlan) -> LongName {
    LongName::joined(&[&plan.name, "secrets"])
}

fn config_name(plan: &BuildPlan) -> LongName {
    LongName::joined(&[&plan.name, "config"])
}

fn deployments(to: Names<'_>, component: &Component) -> Vec<Workload> {
    let marks = to.marks;
    let keeps_data = component.volumes.iter().any(|volume| volume.persistent);
    let mut app = app_container(to, component);
    app.port = component.main_port().map(|port| ContainerPort {
        name: Scalar::new(port_name(port.protocol)),
        number: port.port,
        why: marks.why(&port.origin),
    });
    app.probes = probes(component, marks);
    if let Some(cpu) = sizing::cpu_at_knee(component) {
        app.resources.cpu = Scalar::new(format!("{}m", cpu.value));
        app.resources.cpu_why = marks.why(&cpu.origin);
    }
    let processes = component.processes.iter().map(|process| {
        let container = Container {
            directory: Some(Scalar::new(component.absolute(&process.directory))),
            ..app_container(to, component)
        };
        let why = marks.why(&process.origin);
        let container = running(words(&process.command), why, container, component);
        (process.id.as_str(), container)
    });
    let list = |kind: &'static str, containers: Vec<Container>| ContainerList { kind, containers };
    if component.shares_network() {
        let mut containers = vec![app];
        containers.extend(processes.map(|(id, container)| Container {
            name: Scalar::new(ObjectName::of(id)),
            ..container
        }));
        let own = with_sidecars(to, component, list("containers", containers));
        return vec![own];
    }
    let mut workloads = vec![Workload {
        recreate: keeps_data,
        lists: vec![list("containers", vec![app])],
        ..deployment(to, component, None)
    }];
    workloads.extend(processes.map(|(id, container)| Workload {
        recreate: keeps_data,
        lists: vec![list("containers", vec![container])],
        ..deployment(to, component, Some(id))
    }));
    workloads
}

/// The pod of a component that looks for services on its own machine: they are started before it
/// and run beside it (<https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/>, from
/// Kubernetes 1.29 on), and what prepares a release runs between.
fn with_sidecars(to: Names<'_>, component: &Component, containers: ContainerList) -> Workload {
    let Names { plan, .. } = to;
    let mut workload = deployment(to, component, None);
    workload.recreate = true;
    let mut before = Vec::new();
    for service in component.local_services() {
        let claim = service_claim(plan, component, service);
        let mut backing = backing(to, service, Place::Beside { claim });
        backing.container.is_sidecar = true;
        backing.container.user = Some(service.user);
        backing.container.port = None;
        let place = Origin::place;
        let place = service
            .fixed
            .iter()
            .flat_map(|fixed| &fixed.origin)
            .map(place);
        workload.comments.push(Comment::new(&format!(
            "{} runs in the pod of the application, which looks for it at localhost: {}.",
            service.kind,
            place.collect::<Vec<_>>().join(", ")
        )));
        workload.comments.extend(backing.comments);
        workload.volumes.extend(backing.volumes);
        before.push(backing.container);
    }
    let prepare = component.prepare.iter().enumerate();
    before.extend(prepare.map(|(index, command)| prepare_container(to, component, index, command)));
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
fn service_claim(plan: &BuildPlan, component: &Component, service: &Service) -> Option<LongName> {
    service.data.as_ref()?;
    let parts = [&plan.name, &component.id, &service.kind];
    Some(LongName::joined(&parts.map(String::as_str)))
}

fn prepare_container(
    to: Names<'_>,
    component: &Component,
    index: usize,
    command: &Command,
) -> Container {
    let container = Container {
        name: Scalar::new(ObjectName::joined(&["prepare", &(index + 1).to_string()])),
        directory: Some(Scalar::new(component.absolute(&command.directory))),
        ..app_container(to, component)
    };
    let words = words(["sh", "-c", &command.command]);
    running(words, to.marks.why(&command.origin), container, component)
}

/// Has `container` run `words` instead of the start command. What the image puts before any command
/// stays, as it does where Docker runs them.
fn running(
    words: Flow<Scalar<Expanded>>,
    why: Mark,
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

fn prepare_job(to: Names<'_>, component: &Component) -> Workload {
    let mut containers: Vec<Container> = component
        .prepare
        .iter()
        .enumerate()
        .map(|(index, command)| prepare_container(to, component, index, command))
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
            Comment::new(
                "Runs before each release, once: delete the old job and apply this one before the new",
            ),
            Comment::new("image is rolled out."),
        ],
        restart: Some("Never"),
        lists,
        ..workload(to, component, "Job", "batch/v1", Some("prepare"))
    }
}

fn cron_jobs(to: Names<'_>, component: &Component) -> Vec<Workload> {
    let schedules = component.schedules.iter();
    let jobs = schedules.filter_map(|schedule| {
        let cron = CronExpression::parse(&schedule.cron)?;
        let container = Container {
            directory: Some(Scalar::new(component.absolute(&schedule.directory))),
            ..app_container(to, component)
        };
        let why = to.marks.why(&schedule.origin);
        let container = running(words(&schedule.command), why, container, component);
        let mut comments = Vec::new();
        if component.shares_network() {
            comments.push(Comment::new(
                "Looks for its services at localhost and finds none there: they run in the pod of the",
            ));
            comments.push(Comment::new(
                "application. It needs their address from the environment to work.",
            ));
        }
        let object = to.plan.object_name(&component.id);
        let name = CronJobName::joined(&[&object, &schedule.id]);
        Some(Workload {
            name: Scalar::new(ObjectName::of(name.as_str())),
            comments,
            restart: Some("Never"),
            cron: Some(Scalar::new(cron)),
            cron_why: to.marks.why(&schedule.origin),
            lists: vec![ContainerList {
                kind: "containers",
                containers: vec![container],
            }],
            ..workload(to, component, "CronJob", "batch/v1", Some(&schedule.id))
        })
    });
    jobs.collect()
}

fn deployment(to: Names<'_>, component: &Component, role: Option<&str>) -> Workload {
    workload(to, component, "Deployment", "apps/v1", role)
}

/// What all workloads of a component have in common; `role` is that of one beside the application.
fn workload(
    to: Names<'_>,
    component: &Component,
    kind: &'static str,
    api: &'static str,
    role: Option<&str>,
) -> Workload {
    let Names { plan, marks, .. } = to;
    let object = plan.object_name(&component.id);
    let name = match role {
        None => ObjectName::of(&object),
        Some(role) => ObjectName::joined(&[&object, role]),
    };
    let mut volumes = vec![VolumeSource {
        name: Scalar::new(ObjectName::of("tmp")),
        claim: None,
        config: None,
    }];
    let mountable = component.volumes.iter();
    let mountable = mountable.filter(|volume| MountPath::parse(&volume.path).is_some());
    volumes.extend(mountable.map(|volume| {
        let name = to.volumes.of(component, &volume.path);
        let claim = claim_name(plan, &name);
        VolumeSource {
            name: Scalar::new(name),
            claim: volume.persistent.then(|| Scalar::new(claim)),
            config: None,
        }
    }));
    // What was measured is the application itself, not what runs once.
    let grace = sizing::grace(component).filter(|_| role.is_none());
    Workload {
        api,
        kind,
        name: Scalar::new(name),
        app: app_name(plan),
        component: Scalar::new(role_label(plan, component, role)),
        account: app_name(plan),
        user: component.image.user,
        has_low_port: component.has_low_port(),
        volumes,
        grace: grace.as_ref().map(|grace| grace.value),
        grace_why: grace.map_or_else(Mark::default, |grace| marks.why(&grace.origin)),
        ..Workload::default()
    }
}

/// The value of the label by which Services and Deployments find their pods, which must not find those of
/// another component.
fn role_label(plan: &BuildPlan, component: &Component, role: Option<&str>) -> ObjectName {
    match (role, plan.components.len()) {
        (None, _) => ObjectName::of(&component.id),
        (Some(role), 1) => ObjectName::of(role),
        (Some(role), _) => ObjectName::joined(&[&component.id, role]),
    }
}

fn app_container(to: Names<'_>, component: &Component) -> Container {
    let Names { plan, marks, .. } = to;
    let secret = |name: &str, why: &[Origin]| {
        let name = VariableName::parse(name)?;
        Some(secret_var(plan, name.clone(), name, marks.why(why)))
    };
    let own = own_settings(plan, component).into_iter().filter_map(|var| {
        let value = value(var, "production")?;
        plain_var(&var.name, value.into(), marks.why(&var.origin))
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
                .filter_map(|name| secret(name, &service.origin)),
        );
    }
    env.extend(
        component
            .env
            .iter()
            .filter(|var| var.kind == EnvKind::Secret && var.required)
            .filter_map(|var| secret(&var.name, &var.origin)),
    );
    for var in component
        .env
        .iter()
        .filter(|var| var.kind == EnvKind::Service)
    {
        let value = var.default.as_deref().unwrap_or_default();
        let var = plain_var(
            &var.name,
            expanded(value, to.secrets),
            marks.why(&var.origin),
        );
        env.extend(var.filter(|var| !env.iter().any(|known| known.name == var.name)));
    }
    let mut mounts: Vec<Mount> = Vec::new();
    mounts.extend(mount(ObjectName::of("tmp"), "/tmp", Mark::default()));
    mounts.extend(component.volumes.iter().filter_map(|volume| {
        let name = to.volumes.of(component, &volume.path);
        mount(name, &volume.path, marks.why(&volume.origin))
    }));
    mounts.extend(component.services.iter().filter_map(|service| {
        let why = marks.why(&fixed_origin(service));
        mount(volumes::socket(service), service.socket()?, why)
    }));
    Container {
        name: Scalar::new(ObjectName::of(&component.id)),
        image: Scalar::new(object_name(plan, component).as_str()),
        why: marks.why(&component.image.origin),
        config: Some(Scalar::new(config_name(plan))),
        env,
        resources: resources(component, marks),
        mounts,
        ..Container::default()
    }
}

/// A variable with the value of a secret.
fn secret_var(plan: &BuildPlan, name: VariableName, key: VariableName, why: Mark) -> Var {
    Var {
        name: Word::new(name),
        value: None,
        secret: Some(SecretKey {
            secret: Scalar::new(secret_name(plan)),
            key: Word::new(key),
        }),
        why,
    }
}

/// A variable with a value of its own; `None` for what is no name of one.
fn plain_var(name: &str, value: Expanded, why: Mark) -> Option<Var> {
    Some(Var {
        name: Word::new(VariableName::parse(name)?),
        value: Some(Scalar::new(value)),
        secret: None,
        why,
    })
}

/// `${NAME}` → `$(NAME)`.
fn expanded(value: &str, secrets: &BTreeSet<&str>) -> Expanded {
    pieces_of(value, |name| secrets.contains(name))
        .into_iter()
        .fold(Expanded::default(), |text, piece| match piece {
            Piece::Text(piece) => text.text(piece),
            Piece::Secret(name) => match EnvName::parse(name) {
                Some(name) => text.variable(&name),
                None => text.text(&format!("${{{name}}}")),
            },
        })
}

/// The volume `name` at `path`; `None` where nothing can be mounted.
fn mount(name: ObjectName, path: &str, why: Mark) -> Option<Mount> {
    Some(Mount {
        name: Scalar::new(name),
        path: Scalar::new(MountPath::parse(path)?),
        file: None,
        why,
    })
}

/// What a container asks of its node. Only what was measured has a tier.
fn resources(component: &Component, marks: &Marks) -> Resources {
    let cpu = sizing::cpu_request(component);
    let request = sizing::memory_request(component);
    let limit = sizing::memory_limit(component);
    let comment = component.measured.as_ref().map(|_| {
        let tier = sizing::tier(component).name();
        Comment::new(&format!("Measured, with a margin: tier {tier}."))
    });
    Resources {
        comment,
        cpu: Scalar::new(format!("{}m", cpu.value)),
        cpu_why: marks.why(&cpu.origin),
        request: Scalar::new(format!("{}Mi", request.value)),
        request_why: marks.why(&request.origin),
        limit: Scalar::new(format!("{}Mi", limit.value)),
        limit_why: marks.why(&limit.origin),
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
        path: proven.map(|health| Scalar::new(health.path.as_str())),
        host: proven.and_then(|health| health.host.as_deref().map(Scalar::new)),
        port: Some(Word::new(port_name(port.protocol))),
        why: marks.why(proven.map_or(&port.origin, |health| &health.origin)),
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
            failures_why: marks.why(&startup.origin),
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

fn port_name(protocol: Protocol) -> PortName {
    PortName::of(match protocol {
        Protocol::Http => "http",
        Protocol::Grpc => "grpc",
        Protocol::Tcp => "tcp",
    })
}

fn service(plan: &BuildPlan, component: &Component, marks: &Marks) -> Option<Object> {
    let port = component.main_port()?;
    Some(Object {
        kind: "Service",
        name: Scalar::new(LongName::of(object_name(plan, component).as_str())),
        app: Some(app_name(plan)),
        component: Scalar::new(role_label(plan, component, None)),
        port: Some(ServicePort {
            name: Scalar::new(port_name(port.protocol)),
            // Components find each other on the port that they know.
            port: if port.protocol == Protocol::Http && plan.components.len() == 1 {
                80
            } else {
                port.port
            },
            target: Word::new(port_name(port.protocol)),
            why: marks.why(&port.origin),
        }),
        ..Object::default()
    })
}

/// The Ingress of production: nobody else has its name.
fn ingress_of(plan: &BuildPlan, component: &Component, marks: &Marks) -> Option<IngressView> {
    let ingress = component.ingress.as_ref()?;
    let port = component.main_port()?;
    let name = object_name(plan, component);
    let secret = match &ingress.tls_secret {
        Some(secret) => Subdomain::parse(secret),
        None => Subdomain::parse(LongName::joined(&[name.as_str(), "tls"]).as_str()),
    };
    let secret = secret.filter(|_| ingress.has_tls);
    let comments = secret.iter().flat_map(|secret| {
        [
            format!("Needs the Secret {secret}, which cert-manager can make, or:"),
            format!("kubectl create secret tls {secret} --cert=FILE --key=FILE"),
        ]
    });
    let class = ingress.class.as_deref();
    Some(IngressView {
        header: HEADER,
        comments: comments.map(|comment| Comment::new(&comment)).collect(),
        app: app_name(plan),
        component: Scalar::new(role_label(plan, component, None)),
        class: class.and_then(Subdomain::parse).map(Scalar::new),
        secret: secret.map(Scalar::new),
        secret_why: marks.why(&ingress.tls_origin),
        host: Scalar::new(HostName::parse(&ingress.host)?),
        host_why: marks.why(&ingress.origin),
        port: Scalar::new(port_name(port.protocol)),
        port_why: marks.why(&port.origin),
        name: Scalar::new(name),
    })
}

fn claim_name(plan: &BuildPlan, volume: &ObjectName) -> LongName {
    LongName::joined(&[&plan.name, volume.as_str()])
}

fn component_claims(to: Names<'_>, component: &Component) -> Vec<Object> {
    let Names { plan, marks, .. } = to;
    let claim = |name: LongName, comment: &str, why: Mark| Object {
        kind: "PersistentVolumeClaim",
        name: Scalar::new(name),
        app: Some(app_name(plan)),
        component: Scalar::new(role_label(plan, component, None)),
        comments: vec![Comment::new(comment)],
        storage: Some(Scalar::new("1Gi")),
        why,
        ..Object::default()
    };
    let kept = component.volumes.iter().filter(|volume| volume.persistent);
    let kept = kept.filter(|volume| MountPath::parse(&volume.path).is_some());
    kept.map(|volume| {
        let name = claim_name(plan, &to.volumes.of(component, &volume.path));
        let comment = format!("{}: {}", volume.path, volume.reason);
        claim(name, &comment, marks.why(&volume.origin))
    })
    .chain(component.local_services().filter_map(|service| {
        let name = service_claim(plan, component, service)?;
        let comment = format!("the data of {}", service.kind);
        Some(claim(name, &comment, marks.why(&service.origin)))
    }))
    .collect()
}

fn account(plan: &BuildPlan) -> Object {
    Object {
        kind: "ServiceAccount",
        name: Scalar::new(LongName::of(&plan.name)),
        app: Some(app_name(plan)),
        component: Scalar::new(ObjectName::of("web")),
        ..Object::default()
    }
}

fn config_map(plan: &BuildPlan, environment: &str, marks: &Marks) -> Object {
    let data = settings(plan).into_iter().filter_map(|var| {
        Some(Datum {
            name: Key::new(VariableName::parse(&var.name)?),
            value: Scalar::new(value(var, environment)?),
            why: marks.why(&var.origin),
        })
    });
    Object {
        kind: "ConfigMap",
        name: Scalar::new(config_name(plan)),
        app: Some(app_name(plan)),
        component: Scalar::new(ObjectName::of("web")),
        data: data.collect(),
        ..Object::default()
    }
}

/// Returns the files of one overlay: development and test bring their own backing services.
fn overlay(to: Names<'_>, environment: &str) -> anyhow::Result<Vec<Artifact>> {
    let folder = format!("k8s/overlays/{environment}");
    let marks = Marks::default();
    let to = Names {
        marks: &marks,
        ..to
    };
    let plan = to.plan;
    let mut artifacts = Vec::new();
    let mut resources = vec!["../../base".to_owned()];
    let mut comments: Vec<String> = Vec::new();
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
        let (objects, workloads) = backing_services(to, &services);
        let workloads = lay_out_typed::<Kubernetes>(
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
        let text = lay_out_typed::<Kubernetes>("k8s/ingress.yaml.j2", &view)?;
        artifacts.push(marks.artifact(&format!("{folder}/ingress.yaml"), &text, &layout()));
        resources.push("ingress.yaml".to_owned());
    }
    let autoscalers: Vec<Autoscaler> = plan
        .components
        .iter()
        .filter(|_| is_production)
        .filter_map(|component| autoscaler(plan, component, &marks))
        .collect();
    let autoscaled: Vec<Scalar<ObjectName>> = autoscalers
        .iter()
        .map(|scaler| scaler.name.clone())
        .collect();
    if !autoscalers.is_empty() {
        let view = AutoscalersView {
            header: HEADER,
            autoscalers,
        };
        let text = lay_out_typed::<Kubernetes>("k8s/autoscaler.yaml.j2", &view)?;
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
        comments: comments.iter().map(|text| Comment::new(text)).collect(),
        resources: resources.into_iter().map(Word::new).collect(),
        environment: Some(Scalar::new(environment)),
        patches: has_config
            .then(|| Word::new("configmap.yaml"))
            .into_iter()
            .collect(),
        images: plan
            .components
            .iter()
            .map(|component| ImageTag {
                name: Scalar::new(object_name(plan, component)),
                tag: Scalar::new(match environment {
                    "development" => "dev",
                    "test" => "test",
                    _ => "1.0",
                }),
            })
            .collect(),
        replicas: plan
            .components
            .iter()
            // A volume that one pod writes cannot serve two.
            .filter(|component| may_run_twice(component))
            .map(|component| Scalar::new(object_name(plan, component)))
            .filter(|name| !autoscaled.contains(name))
            .map(|name| Replicas {
                name,
                count: if is_production { 2 } else { 1 },
            })
            .collect(),
        autoscaled: autoscaled.clone(),
    };
    let text = lay_out_typed::<Kubernetes>("k8s/kustomization.yaml.j2", &view)?;
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
        name: Scalar::new(object_name(plan, component)),
        app: app_name(plan),
        component: Scalar::new(role_label(plan, component, None)),
        comments: comments.iter().map(|text| Comment::new(text)).collect(),
        least: LEAST_REPLICAS,
        most: most.unwrap_or(MOST_REPLICAS),
        utilization: UTILIZATION,
        why: marks.why(&cpu.origin),
    })
}

fn backing_services(to: Names<'_>, services: &[&Service]) -> (Vec<Object>, Vec<Workload>) {
    let Names { plan, marks, .. } = to;
    let mut objects = Vec::new();
    let mut workloads = Vec::new();
    for service in services {
        let name = Scalar::new(LongName::of(ObjectName::of(service.host_name()).as_str()));
        // A name leads to one of them only.
        let is_known = objects.iter().any(|known: &Object| known.name == name);
        objects.extend((!is_known).then(|| Object {
            kind: "Service",
            name,
            app: Some(app_name(plan)),
            component: Scalar::new(ObjectName::of(&service.kind)),
            port: Some(ServicePort {
                name: Scalar::new(port_name(Protocol::Tcp)),
                port: service.port,
                target: Word::new(port_name(Protocol::Tcp)),
                why: marks.why(&service.origin),
            }),
            ..Object::default()
        }));
        let mut comments = vec![Comment::new(&format!(
            "{} for trying things out: its data is gone with the pod.",
            service.kind
        ))];
        let backing = backing(to, service, Place::Alone);
        comments.extend(backing.comments);
        workloads.push(Workload {
            api: "apps/v1",
            kind: "Deployment",
            name: Scalar::new(ObjectName::of(&service.kind)),
            app: app_name(plan),
            component: Scalar::new(ObjectName::of(&service.kind)),
            comments,
            account: app_name(plan),
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
    comments: Vec<Comment>,
}

/// The pod in which a backing service runs.
enum Place {
    /// Its own.
    Alone,
    /// That of the application; `claim` keeps the data.
    Beside { claim: Option<LongName> },
}

impl Place {
    /// Returns the name of a volume for the folder number `at` that `service` writes.
    fn writable(&self, service: &Service, at: usize) -> ObjectName {
        match self {
            Self::Alone => ObjectName::joined(&["writable", &at.to_string()]),
            Self::Beside { .. } => volumes::writable(service, at),
        }
    }

    /// Returns the name of the volume with the files that `service` loads.
    fn init(&self, service: &Service) -> ObjectName {
        match self {
            Self::Alone => ObjectName::of("init"),
            Self::Beside { .. } => volumes::init(service),
        }
    }

    fn claim(&self) -> Option<LongName> {
        match self {
            Self::Alone => None,
            Self::Beside { claim } => claim.clone(),
        }
    }
}

fn backing(to: Names<'_>, service: &Service, place: Place) -> Backing {
    let marks = to.marks;
    let why = || marks.why(&service.origin);
    let mut volumes = Vec::new();
    let mut mounts = Vec::new();
    let mut comments = Vec::new();
    let socket = service.socket();
    let data = service.data.iter().map(|path| (path, place.claim()));
    let writable = service.writable.iter().map(|path| (path, None));
    for (index, (path, claim)) in data.chain(writable).enumerate() {
        let name = match socket {
            Some(socket) if socket == path => volumes::socket(service),
            _ => place.writable(service, index + 1),
        };
        volumes.push(VolumeSource {
            name: Scalar::new(name.clone()),
            claim: claim.map(Scalar::new),
            config: None,
        });
        mounts.extend(mount(name, path, why()));
    }
    if let (Some(folder), false) = (&service.init_directory, service.init.is_empty()) {
        let name = place.init(service);
        comments.extend(init_comments(service));
        volumes.push(VolumeSource {
            name: Scalar::new(name.clone()),
            claim: None,
            config: Some(Scalar::new(volumes::init(service))),
        });
        for (index, key) in volumes::init_keys(service).into_iter().enumerate() {
            let path = init_target(folder, index, &key);
            mounts.extend(mount(name.clone(), &path, why()).map(|mount| Mount {
                file: Some(Scalar::new(key)),
                ..mount
            }));
        }
    }
    let probe = |kind: &'static str, period: u32, failures: u64| Probe {
        kind,
        command: Flow::new(
            service
                .healthcheck
                .iter()
                .map(|word| Scalar::new(word.as_str())),
        ),
        why: why(),
        period,
        timeout: 5,
        failures,
        ..Probe::default()
    };
    let container = Container {
        name: Scalar::new(ObjectName::of(&service.kind)),
        image: Scalar::new(service.image.as_str()),
        why: why(),
        command: words(&service.entrypoint),
        command_why: why(),
        args: words(&service.command),
        writes_root: !service.read_only,
        port: Some(ContainerPort {
            name: Scalar::new(port_name(Protocol::Tcp)),
            number: service.port,
            why: why(),
        }),
        env: service_env(to, service),
        probes: vec![probe("startupProbe", 2, 60), probe("readinessProbe", 10, 3)],
        resources: Resources {
            cpu: Scalar::new("100m"),
            request: Scalar::new("128Mi"),
            limit: Scalar::new(service.memory.as_deref().unwrap_or("512Mi")),
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

/// What to know about the files that a service loads, with the commands that hand them over.
fn init_comments(service: &Service) -> Vec<Comment> {
    let config = volumes::init(service);
    let loaded = format!(
        "Loads {} from the ConfigMap {config}:",
        service.init.join(", ")
    );
    let (mut copies, mut flags) = (Vec::new(), Vec::new());
    for (file, key) in service.init.iter().zip(volumes::init_keys(service)) {
        // kubectl takes no file with `=` in its path.
        if file.contains('=') {
            copies.push(format!(
                "cp {} {key}",
                quote::shell::copied(&format!("./{file}"))
            ));
            flags.push(format!("--from-file={key}"));
        } else if file_name(file) == key.as_ref() {
            flags.push(quote::shell::copied(&format!("--from-file={file}")));
        } else {
            flags.push(quote::shell::copied(&format!("--from-file={key}={file}")));
        }
    }
    let command = format!("kubectl create configmap {config} {}", flags.join(" "));
    let lines = [loaded].into_iter().chain(copies).chain([command]);
    lines.map(|line| Comment::new(&line)).collect()
}

/// The environment of a service's own container. A value may refer to a variable only if that one
/// is listed before it, so the secrets within longer values come first.
fn service_env(to: Names<'_>, service: &Service) -> Vec<Var> {
    let Names { plan, marks, .. } = to;
    let pieces = |value| pieces_of(value, |name| to.secrets.contains(name));
    let why = || marks.why(&service.origin);
    let secret = |name: &str, key: &str| {
        let (name, key) = (VariableName::parse(name)?, VariableName::parse(key)?);
        Some(secret_var(plan, name, key, why()))
    };
    let mut env: Vec<Var> = Vec::new();
    let (mut plain, mut whole) = (Vec::new(), Vec::new());
    for (name, value) in &service.settings {
        match pieces(value)[..] {
            [Piece::Secret(key)] => whole.extend(secret(name, key)),
            _ => plain.push((name, value)),
        }
    }
    for (_, value) in &plain {
        for piece in pieces(value) {
            if let Piece::Secret(key) = piece
                && let Some(var) = secret(key, key)
                && !env.iter().chain(&whole).any(|known| known.name == var.name)
            {
                env.push(var);
            }
        }
    }
    env.extend(whole);
    env.extend(
        plain
            .into_iter()
            .filter_map(|(name, value)| plain_var(name, expanded(value, to.secrets), why())),
    );
    env
}
