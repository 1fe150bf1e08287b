//! compose.yaml: the application with everything that it needs, on one machine.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    Artifact, HEADER, dockerfile_name,
    env::{own_settings, settings, value},
    marks::{Marks, one_line},
    sizing,
    template::lay_out,
};
use crate::{
    plan::{BuildPlan, Component, EnvKind, Origin, Piece, Port, Service, pieces},
    repo::file_name,
};

#[derive(Serialize)]
struct ComposeView {
    header: &'static str,
    name: String,
    containers: Vec<Container>,
    volumes: Vec<String>,
    secrets: Vec<Item>,
}

#[derive(Serialize, Default)]
struct Container {
    id: String,
    image: String,
    why: String,
    dockerfile: Option<String>,
    build_secrets: Vec<String>,
    entrypoint: Vec<String>,
    command: Vec<String>,
    command_why: String,
    directory: Option<String>,
    env_files: Vec<String>,
    environment: Vec<Var>,
    network_mode: Option<String>,
    aliases: Vec<String>,
    ports: Vec<Item>,
    hardened: bool,
    has_low_port: bool,
    user: String,
    tmpfs: Vec<String>,
    memory: String,
    memory_why: String,
    stop_grace: Option<Item>,
    volumes: Vec<Item>,
    healthcheck: Vec<String>,
    healthcheck_why: String,
    depends_on: Vec<Dependency>,
    restart: &'static str,
}

#[derive(Serialize)]
struct Var {
    name: String,
    value: String,
    why: String,
}

#[derive(Serialize)]
struct Item {
    value: String,
    why: String,
}

#[derive(Serialize, Clone)]
struct Dependency {
    id: String,
    condition: &'static str,
}

/// Returns `compose.yaml`.
pub fn compose(plan: &BuildPlan) -> anyhow::Result<Artifact> {
    let marks = Marks::default();
    let mut containers = Vec::new();
    let mut volumes = Vec::new();
    let mut taken = Vec::new();
    for component in &plan.components {
        let ready: Vec<Dependency> = component
            .services
            .iter()
            .map(|service| Dependency {
                id: service.kind.clone(),
                condition: "service_healthy",
            })
            .collect();
        let mut app = base(plan, component, &component.id, &marks);
        app.dockerfile = Some(dockerfile_name(plan, &component.id));
        if !component.shares_network() {
            app.ports = ports(component, &mut taken, &marks);
            if plan.components.len() > 1 && component.main_port().is_some() {
                app.aliases.push(plan.object_name(&component.id));
                let further = plan.further_hosts(&component.id).into_keys();
                let further = further.filter(|host| *host != component.id);
                app.aliases.extend(further.map(str::to_owned));
            }
        }
        app.depends_on.clone_from(&ready);
        let earlier = plan.starts_after(&component.id).into_iter();
        app.depends_on.extend(earlier.map(|peer| Dependency {
            id: peer.id.clone(),
            condition: "service_started",
        }));
        app.restart = "unless-stopped";
        if !component.prepare.is_empty() {
            let id = format!("{}-prepare", component.id);
            let mut prepare = base(plan, component, &id, &marks);
            let lines: Vec<String> = component
                .prepare
                .iter()
                .map(|command| {
                    format!(
                        "cd {} && {}",
                        component.absolute(&command.directory),
                        one_line(&command.command)
                    )
                })
                .collect();
            prepare.command = escaped(&["sh".to_owned(), "-ec".to_owned(), lines.join("; ")]);
            prepare.command_why = marks.mark(
                &component
                    .prepare
                    .iter()
                    .flat_map(|command| command.origin.clone())
                    .collect::<Vec<_>>(),
            );
            prepare.dockerfile = Some(dockerfile_name(plan, &component.id));
            prepare.depends_on.clone_from(&ready);
            prepare.restart = "no";
            app.depends_on.push(Dependency {
                id: id.clone(),
                condition: "service_completed_successfully",
            });
            containers.push(prepare);
        }
        for process in &component.processes {
            let mut container = base(
                plan,
                component,
                &format!("{}-{}", component.id, process.id),
                &marks,
            );
            container.dockerfile = Some(dockerfile_name(plan, &component.id));
            container.command = escaped(&process.command);
            container.command_why = marks.mark(&process.origin);
            container.directory = Some(component.absolute(&process.directory));
            container.depends_on.clone_from(&app.depends_on);
            container.restart = "unless-stopped";
            containers.push(container);
        }
        containers.insert(0, app);
        for service in &component.services {
            if !containers.iter().any(|known| known.id == service.kind) {
                containers.push(backing(plan, service, &marks, &mut volumes, &mut taken));
            }
        }
        volumes.extend(
            component
                .volumes
                .iter()
                .filter(|volume| volume.persistent)
                .map(|volume| volume_name(&component.id, &volume.path)),
        );
    }
    // Compose hands them from the environment to the build.
    let place = plan.components.iter().flat_map(Component::build_secrets);
    let secrets: BTreeMap<&str, Item> = place
        .map(|secret| {
            let item = Item {
                value: secret.id.clone(),
                why: marks.mark(&secret.origin),
            };
            (secret.id.as_str(), item)
        })
        .collect();
    let view = ComposeView {
        header: HEADER,
        name: plan.name.clone(),
        containers,
        volumes,
        secrets: secrets.into_values().collect(),
    };
    let text = lay_out("compose.yaml.j2", &view)?;
    Ok(marks.artifact(
        "compose.yaml",
        &text,
        &Origin::manifest(
            "templates/compose.yaml.j2",
            "the security settings of the manifests, on this machine",
        ),
    ))
}

/// What the application, its prepare steps and its processes have in common.
fn base(plan: &BuildPlan, component: &Component, id: &str, marks: &Marks) -> Container {
    let service_env = component
        .env
        .iter()
        .filter(|var| var.kind == EnvKind::Service)
        .map(|var| Var {
            name: var.name.clone(),
            value: with_hint(var.default.as_deref().unwrap_or_default()),
            why: marks.mark(&var.origin),
        });
    let own = own_settings(plan, component).into_iter().filter_map(|var| {
        Some(Var {
            name: var.name.clone(),
            value: with_hint(value(var, "development")?),
            why: marks.mark(&var.origin),
        })
    });
    let secrets = component
        .env
        .iter()
        .filter(|var| var.kind == EnvKind::Secret)
        .map(|var| Var {
            name: var.name.clone(),
            value: if var.required {
                with_hint(&format!("${{{}}}", var.name))
            } else {
                format!("${{{}:-}}", var.name)
            },
            why: marks.mark(&var.origin),
        });
    let env_files = if settings(plan).is_empty() {
        Vec::new()
    } else {
        vec!["env/development.env".to_owned()]
    };
    let memory = sizing::memory_limit(component);
    let grace = sizing::grace(component);
    Container {
        id: id.to_owned(),
        image: format!("{}:dev", plan.object_name(&component.id)),
        why: marks.mark(&component.image.origin),
        build_secrets: component
            .build_secrets()
            .iter()
            .map(|secret| secret.id.clone())
            .collect(),
        env_files,
        environment: own.chain(service_env).chain(secrets).collect(),
        hardened: true,
        has_low_port: component.has_low_port() && !component.shares_network(),
        network_mode: plan
            .network_owner()
            .filter(|_| component.shares_network())
            .map(|owner| format!("service:{}", owner.kind)),
        user: format!("{0}:{0}", component.image.user),
        tmpfs: vec!["/tmp:exec,mode=1777".to_owned()]
            .into_iter()
            .chain(
                component
                    .volumes
                    .iter()
                    .filter(|volume| !volume.persistent)
                    .map(|volume| {
                        format!(
                            "{}:uid={1},gid={1}",
                            one_line(&volume.path),
                            component.image.user
                        )
                    }),
            )
            .collect(),
        memory: format!("{}m", memory.value),
        memory_why: marks.mark(&memory.origin),
        stop_grace: grace.map(|grace| Item {
            value: format!("{}s", grace.value),
            why: marks.mark(&grace.origin),
        }),
        volumes: component
            .volumes
            .iter()
            .filter(|volume| volume.persistent)
            .map(|volume| Item {
                value: format!(
                    "{}:{}",
                    volume_name(&component.id, &volume.path),
                    one_line(&volume.path)
                ),
                why: marks.mark(&volume.origin),
            })
            .chain(component.services.iter().filter_map(|service| {
                let socket = service.socket()?;
                Some(Item {
                    value: format!("{}-socket:{socket}", service.kind),
                    why: marks.mark(&fixed_origin(service)),
                })
            }))
            .collect(),
        ..Container::default()
    }
}

fn ports(component: &Component, taken: &mut Vec<u16>, marks: &Marks) -> Vec<Item> {
    let mut item = |port: &Port| Item {
        value: format!("127.0.0.1:{}:{}", outside(port.port, taken), port.port),
        why: marks.mark(&port.origin),
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
    plan: &BuildPlan,
    service: &Service,
    marks: &Marks,
    named: &mut Vec<String>,
    taken: &mut Vec<u16>,
) -> Container {
    let why = || marks.mark(&service.origin);
    let mut volumes = Vec::new();
    if let Some(socket) = service.socket() {
        let name = format!("{}-socket", service.kind);
        volumes.push(Item {
            value: format!("{name}:{socket}"),
            why: marks.mark(&fixed_origin(service)),
        });
        named.push(name);
    }
    // The owner of a network is known on it by all names, and publishes all ports.
    let owner = plan.network_owner().map(|owner| owner.kind.as_str());
    let owns_network = owner == Some(service.kind.as_str());
    let guests: Vec<&Component> = plan
        .components
        .iter()
        .filter(|component| owns_network && component.shares_network())
        .collect();
    let mut aliases: Vec<String> = Vec::new();
    if service.host_name() != service.kind {
        aliases.push(service.host_name().to_owned());
    }
    if plan.components.len() > 1 {
        aliases.extend(guests.iter().map(|guest| plan.object_name(&guest.id)));
    }
    let joins = owner.filter(|_| service.is_local() && !owns_network);
    let depends_on = joins.map(|owner| Dependency {
        id: owner.to_owned(),
        condition: "service_started",
    });
    if let Some(data) = &service.data {
        let name = format!("{}-data", service.kind);
        volumes.push(Item {
            value: format!("{name}:{data}"),
            why: why(),
        });
        named.push(name);
    }
    if let Some(folder) = &service.init_directory {
        for (index, file) in service.init.iter().enumerate() {
            let file = one_line(file);
            volumes.push(Item {
                value: format!("./{file}:{folder}/{index:02}-{}:ro", file_name(&file)),
                why: why(),
            });
        }
    }
    let mut healthcheck = vec!["CMD".to_owned()];
    healthcheck.extend(escaped(&service.healthcheck));
    Container {
        id: service.kind.clone(),
        image: service.image.clone(),
        why: why(),
        entrypoint: escaped(&service.entrypoint),
        command: escaped(&service.command),
        network_mode: joins.map(|owner| format!("service:{owner}")),
        aliases,
        ports: guests
            .iter()
            .flat_map(|guest| ports(guest, taken, marks))
            .collect(),
        has_low_port: guests.iter().any(|guest| guest.has_low_port()),
        depends_on: depends_on.into_iter().collect(),
        environment: service
            .settings
            .iter()
            .map(|(name, value)| Var {
                name: name.clone(),
                value: with_hint(value),
                why: why(),
            })
            .collect(),
        volumes,
        healthcheck,
        healthcheck_why: why(),
        restart: "unless-stopped",
        ..Container::default()
    }
}

/// Compose reads `$` as the start of a variable; `$$` is the character.
fn escaped(words: &[String]) -> Vec<String> {
    words
        .iter()
        .map(|word| one_line(word).replace('$', "$$"))
        .collect()
}

/// `${NAME}` → `${NAME:?…}`, so that a missing secret is said before anything starts.
fn with_hint(value: &str) -> String {
    let text = |piece| match piece {
        Piece::Text(text) => text.replace('$', "$$"),
        Piece::Secret(name) => format!("${{{name}:?set it in env/secrets.env}}"),
    };
    one_line(&pieces(value).into_iter().map(text).collect::<String>())
}

/// Returns the name of the volume for `path`.
pub fn volume_name(component: &str, path: &str) -> String {
    let words: String = path
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '-'
            }
        })
        .collect();
    format!("{component}-{}", words.trim_matches('-'))
}
