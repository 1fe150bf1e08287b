//! Dockerfile and .dockerignore.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    Artifact, HEADER, dockerfile_name,
    marks::{Marks, one_line},
    template::{lay_out, lay_out_typed, views},
};
use crate::{
    origin,
    plan::{BuildPlace, BuildPlan, BuildSecret, Command, Component, Origin},
    quote::{
        self, dockerfile,
        ignore::{IgnoreFile, Pattern},
    },
};

/// What `templates/Dockerfile.j2` may use.
#[derive(Serialize)]
struct DockerfileView {
    header: &'static str,
    /// Where a step of the build is a layer of its own: a failure then names its line, a change
    /// runs only what follows it, and the stage is not shipped.
    pragma: Option<&'static str>,
    stages: Vec<Stage>,
}

#[derive(Serialize)]
struct Stage {
    from: String,
    /// ` AS build`, or empty.
    alias: String,
    why: String,
    groups: Vec<Group>,
}

impl Stage {
    /// Returns whether a RUN stands right below another one.
    fn runs_twice(&self) -> bool {
        let (mut in_run, mut goes_on) = (false, false);
        let mut lines = self.groups.iter().flat_map(|group| &group.lines);
        lines.any(|line| {
            let begins = !goes_on && line.text.starts_with("RUN ");
            let twice = begins && in_run;
            // A RUN of several commands is one that was put together already.
            in_run = (begins || goes_on && in_run) && !line.text.contains("&&");
            goes_on = line.text.ends_with('\\');
            twice
        })
    }
}

/// Lines that belong together, under a comment.
#[derive(Serialize, Default)]
struct Group {
    comments: Vec<String>,
    lines: Vec<Line>,
}

#[derive(Serialize)]
struct Line {
    text: String,
    why: String,
}

/// Writes groups of instructions, remembering the folder that `WORKDIR` last set.
struct Writer<'m> {
    marks: &'m Marks,
    groups: Vec<Group>,
    directory: String,
}

impl Writer<'_> {
    fn group(&mut self, comment: &str, origins: &[Origin]) -> &mut Self {
        let mut comments = Vec::new();
        if !comment.is_empty() {
            let places = places(origins);
            comments.push(if places.is_empty() {
                comment.to_owned()
            } else {
                format!("{comment} ({places})")
            });
        }
        self.groups.push(Group {
            comments,
            lines: Vec::new(),
        });
        self
    }

    fn line(&mut self, text: &str, origins: &[Origin]) {
        let line = Line {
            text: text.to_owned(),
            why: self.marks.mark(origins),
        };
        if self.groups.is_empty() {
            self.groups.push(Group::default());
        }
        self.groups
            .last_mut()
            .expect("there is a group")
            .lines
            .push(line);
    }

    fn workdir(&mut self, directory: &str, origins: &[Origin]) {
        if self.directory != directory {
            self.line(&format!("WORKDIR {}", dockerfile::word(directory)), origins);
            directory.clone_into(&mut self.directory);
        }
    }

    /// Writes a command; where it downloads, with the secrets that lead to its mirror.
    fn run(&mut self, command: &Command, caches: &[String], secrets: &[BuildSecret]) {
        let mut mounts: String = caches
            .iter()
            .map(|cache| format!("--mount=type=cache,target={cache} "))
            .collect();
        let mut before = String::new();
        for secret in secrets.iter().chain(&command.secrets) {
            let id = &secret.id;
            mounts += &format!("--mount=type=secret,id={id},required=true ");
            // The secret is read within the command, so that it stands in no layer.
            let address = format!("$(cat /run/secrets/{id})");
            let filled = |text: &str| text.replace("{url}", &address);
            for (name, value) in &secret.env {
                before += &format!("{name}=\"{}\" && export {name} && ", filled(value));
            }
            if let Some(line) = &secret.before {
                if !mounts.contains("type=tmpfs") {
                    mounts += "--mount=type=tmpfs,target=/run/longshore ";
                }
                before += &format!("{} && ", filled(line));
            }
        }
        let line = one_line(&command.command);
        let (flags, line) = run_flags(&line);
        mounts += flags;
        let line = dockerfile::run(line);
        if !before.is_empty() {
            mounts += &format!("{} ", one_line(before.trim_end()));
        }
        let env: String = command
            .env
            .iter()
            .map(|(name, value)| format!("{name}={} ", quote::shell::word(&one_line(value))))
            .collect();
        let text = if env.is_empty() {
            format!("RUN {mounts}{line}")
        } else {
            // Set for this one command: it loads the settings, and none of this stays in the image.
            format!("RUN {mounts}{env}\\\n    {line}")
        };
        let mut origins = command.origin.clone();
        origins.extend(secrets.iter().flat_map(|secret| secret.origin.clone()));
        for part in text.split('\n') {
            self.line(part, &origins);
        }
    }
}

/// The flags of `RUN` that a recipe's command begins with, files of other images, and the rest.
fn run_flags(line: &str) -> (&str, &str) {
    let mut rest = line;
    let is_flag = |rest: &str| rest.starts_with("--mount=type=bind,from=");
    while let Some((_, after)) = rest.split_once(' ').filter(|_| is_flag(rest)) {
        rest = after.trim_start();
    }
    line.split_at(line.len() - rest.len())
}

/// Returns the Dockerfile of `component`.
pub fn dockerfile(plan: &BuildPlan, component: &Component) -> anyhow::Result<Artifact> {
    let marks = Marks::default();
    let assets = 0..component.assets.len();
    let mut stages: Vec<Stage> = assets
        .map(|index| asset_stage(component, index, &marks))
        .collect();
    stages.push(build_stage(component, &marks));
    stages.push(run_stage(plan, component, &marks));
    let mut view = DockerfileView {
        header: HEADER,
        pragma: None,
        stages,
    };
    view.pragma = view
        .stages
        .iter()
        .any(Stage::runs_twice)
        .then_some("# hadolint global ignore=DL3059");
    let text = lay_out("Dockerfile.j2", &view)?;
    let otherwise = component
        .image
        .origin
        .first()
        .cloned()
        .unwrap_or_else(|| Origin::manifest("templates/Dockerfile.j2", "layout"));
    Ok(marks.artifact(&dockerfile_name(plan, &component.id), &text, &otherwise))
}

fn build_stage(component: &Component, marks: &Marks) -> Stage {
    let image = &component.image;
    let mut writer = Writer {
        marks,
        groups: Vec::new(),
        directory: String::new(),
    };
    env(&mut writer, &image.build_env, &image.origin);
    packages(
        &mut writer,
        "needed to install and build only",
        &component.system_packages.build,
        component,
    );
    place(&mut writer, &image.place);
    for command in &image.setup {
        writer.run(command, &[], &image.place.secrets);
    }
    if !component.install.is_empty() {
        let origins: Vec<Origin> = component
            .install
            .iter()
            .flat_map(|command| command.origin.clone())
            .collect();
        writer.group(
            "dependencies before the source: a change of the source does not install them again",
            &origins,
        );
        writer.workdir(&image.workdir, &image.origin);
        copies(&mut writer, &image.manifests, &image.workdir, &origins);
        for command in &component.install {
            writer.workdir(&component.absolute(&command.directory), &command.origin);
            writer.run(command, &image.caches, &image.place.secrets);
        }
    }
    writer.group("the source", &[]);
    writer.workdir(&image.workdir, &image.origin);
    source(&mut writer, component, component.assets.len());
    for file in &component.files {
        let (from, to) = (one_line(&file.from), one_line(&file.to));
        let quote = quote::shell::word;
        let above = crate::repo::folder_of(&to);
        let make = match file.is_folder && above != "." {
            true => format!("mkdir -p {} && ", quote(above)),
            false => String::new(),
        };
        let flag = if file.is_folder { "-r " } else { "" };
        let command = format!("{make}cp {flag}{} {}", quote(&from), quote(&to));
        let text = format!("RUN {}", dockerfile::run(&command));
        writer.line(&text, &file.origin);
    }
    for file in &image.source_files {
        let text = dockerfile::copy("", &[file.path.as_str()], &file.to);
        writer.line(&text, &file.origin);
    }
    if !component.build.is_empty() {
        writer.group(
            "build",
            &component
                .build
                .iter()
                .flat_map(|command| command.origin.clone())
                .collect::<Vec<_>>(),
        );
        for command in &component.build {
            writer.workdir(&component.absolute(&command.directory), &command.origin);
            let is_cached = command.cached || component.install.is_empty();
            let (caches, secrets): (&[String], &[BuildSecret]) = if is_cached {
                (&image.caches, &image.place.secrets)
            } else {
                (&[], &[])
            };
            writer.run(command, caches, secrets);
        }
    }
    for command in &image.finish {
        let why = command.origin.iter().find_map(|origin| origin.text.clone());
        writer.group(&why.unwrap_or_default(), &command.origin);
        writer.run(command, &[], &[]);
    }
    Stage {
        from: image.build_from.clone(),
        alias: " AS build".to_owned(),
        why: marks.mark(&component.runtime.origin),
        groups: writer.groups,
    }
}

/// Copies the source, from the last of `assets` stages where there is one.
fn source(writer: &mut Writer<'_>, component: &Component, assets: usize) {
    let image = &component.image;
    match (assets.checked_sub(1), image.source.as_str()) {
        (Some(last), _) => {
            let stage = &component.assets[last];
            let flag = format!("--from={} ", stage_name(last));
            let text = dockerfile::copy(&flag, &[&image.workdir], "./");
            writer.line(&text, &stage.origin);
        }
        (None, ".") => writer.line("COPY . .", &image.origin),
        (None, folder) => {
            let text = dockerfile::copy("", &[folder], &format!("./{folder}"));
            writer.line(&text, &image.origin);
        }
    }
}

/// The name of the stage that builds assets number `index`.
fn stage_name(index: usize) -> String {
    match index {
        0 => "assets".to_owned(),
        index => format!("assets-{}", index + 1),
    }
}

fn asset_stage(component: &Component, index: usize, marks: &Marks) -> Stage {
    let stage = &component.assets[index];
    let image = &component.image;
    let mut writer = Writer {
        marks,
        groups: Vec::new(),
        directory: String::new(),
    };
    env(&mut writer, &stage.env, &stage.origin);
    packages(
        &mut writer,
        "needed to build the assets",
        &stage.packages,
        component,
    );
    place(&mut writer, &stage.place);
    let origins = |commands: &[Command]| -> Vec<Origin> {
        let origins = commands.iter().flat_map(|command| command.origin.clone());
        origins.collect()
    };
    let installs = origins(&stage.install);
    writer.group("the tools that build the assets", &installs);
    writer.workdir(&image.workdir, &stage.origin);
    copies(&mut writer, &stage.manifests, &image.workdir, &installs);
    for command in &stage.install {
        writer.workdir(&component.absolute(&command.directory), &command.origin);
        writer.run(command, &stage.caches, &stage.place.secrets);
    }
    writer.group("the assets", &origins(&stage.build));
    writer.workdir(&image.workdir, &stage.origin);
    source(&mut writer, component, index);
    for command in &stage.build {
        writer.workdir(&component.absolute(&command.directory), &command.origin);
        writer.run(command, &[], &[]);
    }
    if !stage.remove.is_empty() {
        writer.workdir(&component.absolute(&stage.path), &stage.origin);
        // A name that begins with `-` would be an option.
        let folders = stage
            .remove
            .iter()
            .map(|folder| match folder.starts_with('-') {
                true => format!("./{folder}"),
                false => folder.clone(),
            });
        let folders = quote::shell::join(folders);
        let command = dockerfile::run(&format!("rm -rf {folders}"));
        writer.line(&format!("RUN {command}"), &stage.origin);
    }
    Stage {
        from: stage.build_from.clone(),
        alias: format!(" AS {}", stage_name(index)),
        why: marks.mark(&stage.runtime.origin),
        groups: writer.groups,
    }
}

fn run_stage(plan: &BuildPlan, component: &Component, marks: &Marks) -> Stage {
    let image = &component.image;
    let mut writer = Writer {
        marks,
        groups: Vec::new(),
        directory: String::new(),
    };
    let title = dockerfile::quoted(&plan.object_name(&component.id));
    writer.line(
        &format!("LABEL org.opencontainers.image.title={title}"),
        &image.origin,
    );
    packages(
        &mut writer,
        "needed while it runs",
        &component.system_packages.runtime,
        component,
    );
    env(&mut writer, &image.run_env, &image.origin);
    for command in &image.run_setup {
        writer.run(command, &[], &[]);
    }
    if image.copy_source {
        writer.group("", &[]);
        writer.workdir(&image.workdir, &image.origin);
    }
    for artifact in &image.artifacts {
        writer.line(
            &dockerfile::copy("--from=build ", &[&artifact.from], &artifact.to),
            &image.origin,
        );
    }
    if image.copy_source {
        writer.line(
            &dockerfile::copy("--from=build ", &[&image.workdir], &image.workdir),
            &image.origin,
        );
    }
    for file in &image.extra_files {
        // The mode of the file may be lost on its way into a repository.
        let mode = if file.executable { "--chmod=0755 " } else { "" };
        writer.line(
            &dockerfile::copy(mode, &[file.path.as_str()], &file.to),
            &file.origin,
        );
    }
    if !component.volumes.is_empty() {
        let origins: Vec<Origin> = component
            .volumes
            .iter()
            .flat_map(|volume| volume.origin.clone())
            .collect();
        writer.group("the only places that it may write to", &origins);
        let paths: Vec<String> = component
            .volumes
            .iter()
            .map(|volume| quote::shell::word(&one_line(&volume.path)))
            .collect();
        let paths = paths.join(" ");
        writer.line(
            &format!(
                "RUN mkdir -p {paths} && chown -R {0}:{0} {paths}",
                image.user
            ),
            &origins,
        );
    }
    writer.group("", &[]);
    writer.line(&format!("USER {0}:{0}", image.user), &image.origin);
    for port in &component.ports {
        writer.line(&format!("EXPOSE {}", port.port), &port.origin);
    }
    if let (Some(health), Some(command), Some(port)) = (
        &component.health,
        &image.health_command,
        component.main_port(),
    ) && health.proven
    {
        let url = format!("http://127.0.0.1:{}{}", port.port, health.path);
        let words = crate::shell::script(command, crate::shell::Dialect::Shell, &|_| true);
        let words: Vec<String> = words
            .commands
            .first()
            .map(|command| {
                command
                    .value
                    .texts()
                    .iter()
                    .map(|word| word.replace("{url}", &url))
                    .collect()
            })
            .unwrap_or_default();
        if !words.is_empty() {
            writer.line(
                &format!(
                    "HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD {}",
                    dockerfile::exec(&words)
                ),
                &health.origin,
            );
        }
    }
    if let Some(start) = &component.start {
        writer.workdir(&component.absolute(&start.directory), &start.origin);
        if !image.entrypoint.is_empty() {
            let program = |word: &String| {
                let name = word.rsplit('/').next().unwrap_or(word);
                let package = component.system_packages.origins.get(name);
                let file = image.extra_files.iter().find(|file| file.to == *word);
                package.or(file.map(|file| &file.origin)).cloned()
            };
            let why: Vec<Origin> = image
                .entrypoint
                .iter()
                .filter_map(program)
                .flatten()
                .collect();
            writer.line(
                &format!("ENTRYPOINT {}", dockerfile::exec(&image.entrypoint)),
                if why.is_empty() { &image.origin } else { &why },
            );
        }
        let command = dockerfile::exec(&start.command);
        writer.line(&format!("CMD {command}"), &start.origin);
    }
    Stage {
        from: image.run_from.clone(),
        alias: String::new(),
        why: marks.mark(&component.runtime.origin),
        groups: writer.groups,
    }
}

/// What is true of the place where it is built: of this stage only.
fn place(writer: &mut Writer<'_>, place: &BuildPlace) {
    let files = || place.certificate.iter().chain(&place.files);
    if files().next().is_none() && place.env.is_empty() && place.setup.is_empty() {
        return;
    }
    let said = files().flat_map(|file| &file.origin);
    let said = said.chain(place.env.iter().flat_map(|var| &var.origin));
    let origins: Vec<Origin> = said.cloned().collect();
    writer.group(
        "of the place where it is built; not in the image that runs",
        &origins,
    );
    for file in files() {
        let text = dockerfile::copy("", &[file.path.as_str()], &file.to);
        writer.line(&text, &file.origin);
    }
    for command in &place.setup {
        writer.run(command, &[], &[]);
    }
    for var in &place.env {
        let text = format!("ENV {}={}", var.name, dockerfile::quoted(&var.value));
        writer.line(&text, &var.origin);
    }
}

fn env(writer: &mut Writer<'_>, env: &BTreeMap<String, String>, origins: &[Origin]) {
    if env.is_empty() {
        return;
    }
    writer.group("", &[]);
    let count = env.len();
    for (index, (name, value)) in env.iter().enumerate() {
        let start = if index == 0 { "ENV " } else { "    " };
        let end = if index + 1 == count { "" } else { " \\" };
        writer.line(&format!("{start}{name}={}{end}", env_value(value)), origins);
    }
}

/// The value of a variable. A recipe may put something before the value that the base image has, as in
/// `/opt/venv/bin:$PATH`; no other variable counts.
fn env_value(value: &str) -> String {
    let inherited = value.strip_suffix(INHERITED);
    let own = dockerfile::quoted(inherited.unwrap_or(value));
    match inherited {
        Some(_) => format!("{}{INHERITED}\"", &own[..own.len() - 1]),
        None => own,
    }
}

/// The end of a value that goes on as the base image has it.
const INHERITED: &str = ":$PATH";

fn packages(writer: &mut Writer<'_>, comment: &str, names: &[String], component: &Component) {
    if names.is_empty() {
        return;
    }
    writer.group(comment, &[]);
    let last = writer.groups.last_mut().expect("there is a group");
    // An exact version of a Debian package is gone from the mirror after the next update.
    last.comments.push("hadolint ignore=DL3008".to_owned());
    let layout = &component.image.origin;
    writer.line(
        "RUN --mount=type=cache,target=/var/cache/apt,sharing=locked \\",
        layout,
    );
    writer.line(
        "    --mount=type=cache,target=/var/lib/apt/lists,sharing=locked \\",
        layout,
    );
    writer.line(
        "    rm -f /etc/apt/apt.conf.d/docker-clean && mkdir -p /usr/share/man/man1 && \\",
        layout,
    );
    writer.line(
        "    apt-get update && apt-get install -y --no-install-recommends \\",
        layout,
    );
    for (index, name) in names.iter().enumerate() {
        let end = if index + 1 == names.len() { "" } else { " \\" };
        let origins = component.system_packages.why(name);
        let name = quote::shell::word(&one_line(name));
        writer.line(&format!("      {name}{end}"), origins);
    }
}

/// One `COPY` for each folder, so that the paths stay.
fn copies(writer: &mut Writer<'_>, manifests: &[String], workdir: &str, origins: &[Origin]) {
    let mut folders: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for path in manifests {
        folders
            .entry(crate::repo::folder_of(path))
            .or_default()
            .push(path);
    }
    for (folder, paths) in folders {
        let target = if folder == "." {
            "./".to_owned()
        } else {
            format!("{workdir}/{folder}/")
        };
        writer.line(&dockerfile::copy("", &paths, &target), origins);
    }
}

/// At most three places, for a comment.
fn places(origins: &[Origin]) -> String {
    let places = origin::places(origins);
    let shown: Vec<String> = places.iter().take(3).map(|place| one_line(place)).collect();
    format!(
        "{}{}",
        shown.join(", "),
        if places.len() > 3 { ", …" } else { "" }
    )
}

views! { IgnoreFile:
    struct IgnoreView {
        header: &'static str,
        groups: Vec<IgnoreGroup>,
    }

    struct IgnoreGroup {
        comment: &'static str,
        patterns: Vec<Pattern>,
    }
}

/// Returns the `.dockerignore`: what an image never needs, without the files that it does need.
pub fn dockerignore(plan: &BuildPlan) -> anyhow::Result<Artifact> {
    let owned = |patterns: &[&'static str]| {
        let patterns = patterns.iter();
        patterns.map(|pattern| Pattern::own(pattern)).collect()
    };
    let generated = [
        "Dockerfile*",
        ".dockerignore",
        "compose.yaml",
        "CONTAINER.md",
        "longshore.toml",
        ".longshore.json",
        "env/*.env",
        "k8s/base",
        "k8s/overlays",
    ];
    let needed: Vec<Pattern> = plan
        .components
        .iter()
        .flat_map(|component| {
            let files = component.files.iter().map(|file| file.from.clone());
            files.chain(component.image.manifests.clone()).chain(
                component
                    .image
                    .extra_files
                    .iter()
                    .chain(&component.image.source_files)
                    .map(|file| file.path.to_string()),
            )
        })
        .filter(|path| {
            path.starts_with("env/")
                || path.starts_with("k8s/")
                || crate::repo::file_name(path).starts_with(".env")
        })
        .filter_map(|path| Pattern::except(&path))
        .collect();
    let mut groups = vec![
        IgnoreGroup {
            comment: "history and tools",
            patterns: owned(&[
                ".git",
                "**/.git",
                ".github",
                ".gitlab-ci.yml",
                ".idea",
                ".vscode",
                "**/.DS_Store",
            ]),
        },
        IgnoreGroup {
            comment: "what an install or a build on a person's machine leaves behind",
            patterns: owned(&[
                "**/node_modules",
                "**/__pycache__",
                "**/*.pyc",
                "**/venv",
                "**/.venv",
                "**/.pytest_cache",
                "**/*.log",
            ]),
        },
        IgnoreGroup {
            comment: "secrets and settings of one machine",
            patterns: owned(&["**/.env", "**/.env.*", "**/*.pem", "**/*.key"]),
        },
        IgnoreGroup {
            comment: "the container files themselves",
            patterns: owned(&generated),
        },
    ];
    if !needed.is_empty() {
        groups.push(IgnoreGroup {
            comment: "needed by the image all the same",
            patterns: needed,
        });
    }
    let view = IgnoreView {
        header: HEADER,
        groups,
    };
    let text = lay_out_typed::<IgnoreFile>("dockerignore.j2", &view)?;
    Ok(Marks::default().artifact(
        ".dockerignore",
        &text,
        &Origin::manifest("templates/dockerignore.j2", "an image never needs it"),
    ))
}
