//! compose.yaml: the application with everything that it needs, on one machine.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Artifact, HEADER, dockerfile_name,
    env::{own_settings, settings, value},
    marks::{Mark, Marks},
    sizing,
    template::{lay_out_typed, views},
    volumes::{self, VolumeNames},
};
use crate::{
    name::{ConfigKey, EnvName, LongName, MountPath, ObjectName, VariableName},
    plan::{BuildPlan, Component, EnvKind, Origin, Piece, Port, Service, pieces_of},
    quote,
    quote::{
        compose::{Compose, ComposeText, source, words},
        yaml::{Flow, Key, Scalar, Word},
    },
};

type Text = Scalar<ComposeText>;
type Id = LongName;

views! { Compose:
    struct ComposeView {
        header: &'static str,
        name: Scalar<ObjectName>,
        containers: Vec<Container>,
        volumes: Vec<Key<ObjectName>>,
        secrets: Vec<Secret>,
    }

    #[derive(Default)]
    struct Container {
        id: Key<Id>,
        image: Text,
        why: Mark,
        dockerfile: Option<Text>,
        build_secrets: Flow<Scalar<EnvName>>,
        entrypoint: Flow<Text>,
        command: Flow<Text>,
        command_why: Mark,
        directory: Option<Text>,
        env_files: Vec<Text>,
        environment: Vec<Var>,
        network_mode: Option<Text>,
        aliases: Flow<Scalar<ObjectName>>,
        ports: Vec<Item>,
        hardened: bool,
        has_low_port: bool,
        user: Text,
        tmpfs: Vec<Text>,
        memory: Text,
        memory_why: Mark,
        stop_grace: Option<Item>,
        volumes: Vec<Mount>,
        healthcheck: Flow<Text>,
        healthcheck_why: Mark,
        depends_on: Vec<Dependency>,
        restart: Text,
    }

    struct Var {
        name: Key<VariableName>,
        value: Text,
        why: Mark,
    }

    struct Item {
        value: Text,
        why: Mark,
    }

    struct Secret {
        id: Key<EnvName>,
        variable: Scalar<EnvName>,
        why: Mark,
    }

    /// A mount in the long form, where a `:` in a path is a character.
    struct Mount {
        volume: Option<Word<ObjectName>>,
        file: Option<Text>,
        target: Text,
        why: Mark,
    }

    #[derive(Clone)]
    struct Dependency {
        id: Key<Id>,
        condition: &'static str,
    }
}

/// Returns `compose.yaml`.
pub fn compose(plan: &BuildPlan) -> anyhow::Result<Artifact> {
    let marks = Marks::default();
    let names = VolumeNames::new(plan);
    let known = plan.secret_names();
    let to = Names {
        plan,
        volumes: &names,
        secrets: &known,
        marks: &marks,
    };
    let mut containers = Vec::new();
    let mut volumes = Vec::new();
    let mut taken = Vec::new();
    for component in &plan.components {
        let ready: Vec<Dependency> = component
            .services
            .iter()
            .map(|service| Dependency {
                id: Key::new(service_id(service)),
                condition: "service_healthy",
            })
            .collect();
        let mut app = base(to, component, &[]);
        if !component.shares_network() {
            app.ports = ports(component, &mut taken, &marks);
            if plan.components.len() > 1 && component.main_port().is_some() {
                let further = plan.further_hosts(&component.id).into_keys();
                let further = further.filter(|host| *host != component.id);
                let own = ObjectName::of(&plan.object_name(&component.id));
                let aliases = std::iter::once(own).chain(further.map(ObjectName::of));
                app.aliases = Flow::new(aliases.map(Scalar::new));
            }
        }
        app.depends_on.clone_from(&ready);
        let earlier = plan.starts_after(&component.id).into_iter();
        app.depends_on.extend(earlier.map(|peer| Dependency {
            id: Key::new(Id::of(&peer.id)),
            condition: "service_started",
        }));
        app.restart = Scalar::new("unless-stopped");
        if !component.prepare.is_empty() {
            let mut container = prepare(to, component);
            container.depends_on.clone_from(&ready);
            app.depends_on.push(Dependency {
                id: container.id.clone(),
                condition: "service_completed_successfully",
            });
            containers.push(container);
        }
        for process in &component.processes {
            let mut container = base(to, component, &[&process.id]);
            container.command = words(&process.command);
            container.command_why = marks.why(&process.origin);
            container.directory = Some(Scalar::new(component.absolute(&process.directory)));
            container.depends_on.clone_from(&app.depends_on);
            container.restart = Scalar::new("unless-stopped");
            containers.push(container);
        }
        containers.insert(0, app);
        for service in &component.services {
            if !containers
                .iter()
                .any(|known| known.id == Key::new(service_id(service)))
            {
                containers.push(backing(to, service, &mut volumes, &mut taken));
            }
        }
        volumes.extend(
            component
                .volumes
                .iter()
                .filter(|volume| volume.persistent)
                .map(|volume| Key::new(names.of(component, &volume.path))),
        );
    }
    let view = ComposeView {
        header: HEADER,
        name: Scalar::new(ObjectName::of(&plan.name)),
        containers,
        volumes,
        secrets: build_secrets(to),
    };
    let text = lay_out_typed::<Compose>("compose.yaml.j2", &view)?;
    Ok(marks.artifact(
        "compose.yaml",
        &text,
        &Origin::manifest(
            "templates/compose.yaml.j2",
            "the security settings of the manifests, on this machine",
        ),
    ))
}

/// The secrets of all builds, each once: Compose hands them from the environment to the build.
fn build_secrets(to: Names<'_>) -> Vec<Secret> {
    let components = to.plan.components.iter();
    let secrets = components.flat_map(Component::build_secrets);
    let secrets: BTreeMap<EnvName, Secret> = secrets
        .filter_map(|secret| {
            let name = EnvName::parse(&secret.id)?;
            let item = Secret {
                id: Key::new(name.clone()),
                variable: Scalar::new(name.clone()),
                why: to.marks.why(&secret.origin),
            };
            Some((name, item))
        })
        .collect();
    secrets.into_values().collect()
}

/// What runs before each release, one command after the other.
fn prepare(to: Names<'_>, component: &Component) -> Container {
    let commands = component.prepare.iter();
    let lines: Vec<String> = commands
        .map(|command| {
            let folder = component.absolute(&command.directory);
            format!("cd {} && {}", quote::shell::word(&folder), command.command)
        })
        .collect();
    let origins = component.prepare.iter();
    let origins = origins.flat_map(|command| command.origin.iter().cloned());
    Container {
        command: words(["sh", "-ec", &lines.join("; ")]),
        command_why: to.marks.why(&origins.collect::<Vec<_>>()),
        restart: Scalar::new("no"),
        ..base(to, component, &["prepare"])
    }
}

/// How the service is called.
fn service_id(service: &Service) -> Id {
    Id::of(&service.kind)
}

/// What every service is named by, and marked with.
#[derive(Clone, Copy)]
struct Names<'a> {
    plan: &'a BuildPlan,
    volumes: &'a VolumeNames<'a>,
    /// The secrets, to which a value may refer.
    secrets: &'a BTreeSet<&'a str>,
    marks: &'a Marks,
}

/// What the application, its prepare steps and its processes have in common; `role` tells them apart.
fn base(to: Names<'_>, component: &Component, role: &[&str]) -> Container {
    let Names { plan, marks, .. } = to;
    let service_env = component
        .env
        .iter()
        .filter(|var| var.kind == EnvKind::Service)
        .filter_map(|var| {
            Some(Var {
                name: Key::new(VariableName::parse(&var.name)?),
                value: Scalar::new(with_hint(
                    var.default.as_deref().unwrap_or_default(),
                    to.secrets,
                )),
                why: marks.why(&var.origin),
            })
        });
    let own = own_settings(plan, component).into_iter().filter_map(|var| {
        Some(Var {
            name: Key::new(VariableName::parse(&var.name)?),
            value: Scalar::new(with_hint(value(var, "development")?, to.secrets)),
            why: marks.why(&var.origin),
        })
    });
    let secrets = component
        .env
        .iter()
        .filter(|var| var.kind == EnvKind::Secret)
        .filter_map(|var| {
            let name = EnvName::parse(&var.name)?;
            let value = ComposeText::default();
            let value = match var.required {
                true => value.required(&name, HINT),
                false => value.optional(&name),
            };
            Some(Var {
                name: Key::new(name.into()),
                value: Scalar::new(value),
                why: marks.why(&var.origin),
            })
        });
    let env_files = if settings(plan).is_empty() {
        Vec::new()
    } else {
        vec![Scalar::new("env/development.env")]
    };
    let memory = sizing::memory_limit(component);
    let grace = sizing::grace(component);
    let build_secrets = component.build_secrets().into_iter();
    let build_secrets = build_secrets.filter_map(|secret| EnvName::parse(&secret.id));
    let mut id = vec![component.id.as_str()];
    id.extend(role);
    Container {
        id: Key::new(Id::joined(&id)),
        image: Scalar::new(format!("{}:dev", plan.object_name(&component.id))),
        dockerfile: Some(Scalar::new(dockerfile_name(plan, &component.id))),
        why: marks.why(&component.image.origin),
        build_secrets: Flow::new(build_secrets.map(Scalar::new)),
        env_files,
        environment: own.chain(service_env).chain(secrets).collect(),
        hardened: true,
        has_low_port: component.has_low_port() && !component.shares_network(),
        network_mode: plan
            .network_owner()
            .filter(|_| component.shares_network())
            .map(|owner| Scalar::new(format!("service:{}", service_id(owner)))),
        user: Scalar::new(format!("{0}:{0}", component.image.user)),
        tmpfs: tmpfs(component),
        memory: Scalar::new(format!("{}m", memory.value)),
        memory_why: marks.why(&memory.origin),
        stop_grace: grace.map(|grace| Item {
            value: Scalar::new(format!("{}s", grace.value)),
            why: marks.why(&grace.origin),
        }),
        volumes: component
            .volumes
            .iter()
            .filter(|volume| volume.persistent)
            .filter_map(|volume| {
                let name = to.volumes.of(component, &volume.path);
                mount(name, &volume.path, marks.why(&volume.origin))
            })
            .chain(component.services.iter().filter_map(|service| {
                let why = marks.why(&fixed_origin(service));
                mount(volumes::socket(service), service.socket()?, why)
            }))
            .collect(),
        ..Container::default()
    }
}

/// Folders that are emptied at each start. What stands before the first `:` is the path.
fn tmpfs(component: &Component) -> Vec<Text> {
    let user = component.image.user;
    let volumes = component.volumes.iter().filter(|volume| !volume.persistent);
    let paths = volumes.filter_map(|volume| MountPath::parse(&volume.path));
    let own = paths.map(|path| format!("{path}:uid={user},gid={user}"));
    std::iter::once("/tmp:exec,mode=1777".to_owned())
        .chain(own)
        .map(Scalar::new)
        .collect()
}

/// The volume `name`, mounted at `path`; `None` where nothing can be.
fn mount(name: ObjectName, path: &str, why: Mark) -> Option<Mount> {
    let path = MountPath::parse(path)?;
    Some(Mount {
        volume: Some(Word::new(name)),
        file: None,
        target: Scalar::new(path.as_ref()),
        why,
    })
}

fn ports(component: &Component, taken: &mut Vec<u16>, marks: &Marks) -> Vec<Item> {
    let mut item = |port: &Port| Item {
        value: Scalar::new(format!(
            "127.0.0.1:{}:{}",
            outside(port.port, taken),
            port.port
        )),
        why: marks.why(&port.origin),
    };
    component.ports.iter().map(&mut item).collect()
}

/// Returns where the source says at which address the service is.
pub fn fixed_origin(service: &Service) -> Vec<Origin> {
    let fixed = service.fixed.as_ref();
    fixed.map_or_else(Vec::new, |fixed| fixed.origin.clone())
}

/// The port of a developer's machine: one that needs no root and that no other component has.
fn outside(port: u16, taken: &mut Vec<u16>) -> u16 {
    let first = if port < 1024 { 8000 + port } else { port };
    let free = (first..=u16::MAX).find(|port| !taken.contains(port));
    let port = free.unwrap_or(first);
    taken.push(port);
    port
}

fn backing(
    to: Names<'_>,
    service: &Service,
    named: &mut Vec<Key<ObjectName>>,
    taken: &mut Vec<u16>,
) -> Container {
    let Names { plan, marks, .. } = to;
    let why = || marks.why(&service.origin);
    let mut mounts = Vec::new();
    if let Some(socket) = service.socket() {
        let name = volumes::socket(service);
        let why = marks.why(&fixed_origin(service));
        mounts.extend(mount(name.clone(), socket, why));
        named.push(Key::new(name));
    }
    // The owner of a network is known on it by all names, and publishes all ports.
    let owner = plan.network_owner().map(|owner| owner.kind.as_str());
    let owns_network = owner == Some(service.kind.as_str());
    let guests: Vec<&Component> = plan
        .components
        .iter()
        .filter(|component| owns_network && component.shares_network())
        .collect();
    let mut aliases: Vec<ObjectName> = Vec::new();
    if service.host_name() != service.kind {
        aliases.push(ObjectName::of(service.host_name()));
    }
    if plan.components.len() > 1 {
        let names = guests.iter().map(|guest| plan.object_name(&guest.id));
        aliases.extend(names.map(|name| ObjectName::of(&name)));
    }
    let joins = owner.filter(|_| service.is_local() && !owns_network);
    let depends_on = joins.map(|owner| Dependency {
        id: Key::new(Id::of(owner)),
        condition: "service_started",
    });
    if let Some(data) = &service.data {
        let name = volumes::data(service);
        mounts.extend(mount(name.clone(), data, why()));
        named.push(Key::new(name));
    }
    if let Some(folder) = &service.init_directory {
        let files = service.init.iter().zip(volumes::init_keys(service));
        for (index, (file, key)) in files.enumerate() {
            let target = init_target(folder, index, &key);
            mounts.extend(source(file).map(|file| Mount {
                volume: None,
                file: Some(Scalar::new(file)),
                target: Scalar::new(target),
                why: why(),
            }));
        }
    }
    let healthcheck = service.healthcheck.iter().map(String::as_str);
    Container {
        id: Key::new(service_id(service)),
        image: Scalar::new(service.image.as_str()),
        why: why(),
        entrypoint: words(&service.entrypoint),
        command: words(&service.command),
        network_mode: joins.map(|owner| Scalar::new(format!("service:{}", Id::of(owner)))),
        aliases: Flow::new(aliases.into_iter().map(Scalar::new)),
        ports: guests
            .iter()
            .flat_map(|guest| ports(guest, taken, marks))
            .collect(),
        has_low_port: guests.iter().any(|guest| guest.has_low_port()),
        depends_on: depends_on.into_iter().collect(),
        environment: service
            .settings
            .iter()
            .filter_map(|(name, value)| {
                Some(Var {
                    name: Key::new(VariableName::parse(name)?),
                    value: Scalar::new(with_hint(value, to.secrets)),
                    why: why(),
                })
            })
            .collect(),
        volumes: mounts,
        healthcheck: words(std::iter::once("CMD").chain(healthcheck)),
        healthcheck_why: why(),
        restart: Scalar::new("unless-stopped"),
        ..Container::default()
    }
}

/// Returns where a service finds the file that it loads as number `index`.
pub fn init_target(folder: &str, index: usize, key: &ConfigKey) -> String {
    format!("{folder}/{index:02}-{key}")
}

/// What Compose says of a secret that is not set.
const HINT: &str = "set it in env/secrets.env";

/// `${NAME}` → `${NAME:?…}`, so that a missing secret is said before anything starts.
fn with_hint(value: &str, secrets: &BTreeSet<&str>) -> ComposeText {
    pieces_of(value, |name| secrets.contains(name))
        .into_iter()
        .fold(ComposeText::default(), |text, piece| match piece {
            Piece::Text(piece) => text.text(piece),
            Piece::Secret(name) => match EnvName::parse(name) {
                Some(name) => text.required(&name, HINT),
                None => text.text(&format!("${{{name}}}")),
            },
        })
}
