//! A generated Dockerfile, read by another parser than our own.

use longshore::{convert::Conversion, plan::Component};
use parse_dockerfile::{Command, Flag, Instruction, Stage};

/// What longshore writes; what else stands there came from the input.
const WRITTEN: [&str; 10] = [
    "FROM",
    "RUN",
    "COPY",
    "ENV",
    "WORKDIR",
    "USER",
    "EXPOSE",
    "LABEL",
    "CMD",
    "ENTRYPOINT",
];

/// Holds when the Dockerfile of each component of `conversion` is as planned; returns them in order.
pub fn are_as_planned(conversion: &Conversion) -> Vec<&str> {
    let components = &conversion.plan.components;
    let text = |component: &Component| {
        let name = match components.len() {
            1 => "Dockerfile".to_owned(),
            _ => format!("Dockerfile.{}", component.id),
        };
        let mut files = conversion.artifacts.iter();
        let file = files.find(|file| file.path.as_str() == name);
        file.expect("a Dockerfile").contents.as_str()
    };
    let texts: Vec<&str> = components.iter().map(text).collect();
    for (text, component) in texts.iter().zip(components) {
        is_as_planned(text, component);
    }
    texts
}

/// Holds when `text` is the Dockerfile that is planned for `component`: it parses, every line that looks like an
/// instruction is one, there is no here-document, the image is not run by root, and it starts as planned.
pub fn is_as_planned(text: &str, component: &Component) {
    let dockerfile =
        parse_dockerfile::parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let found: Vec<(usize, &str)> = dockerfile
        .instructions
        .iter()
        .map(|instruction| keyword(text, instruction))
        .collect();
    for (_, word) in &found {
        let is_written = WRITTEN.contains(word) || *word == "HEALTHCHECK";
        assert!(is_written, "{word}\n{text}");
    }
    // Longshore indents what goes on in a further line.
    let begins = |line: &&str| line.starts_with(|c: char| c.is_ascii_alphabetic());
    let lines = text.split('\n').enumerate();
    let expected: Vec<(usize, &str)> = lines
        .filter(|(_, line)| begins(line))
        .map(|(index, line)| (index + 1, line.split(' ').next().unwrap_or_default()))
        .collect();
    assert_eq!(found, expected, "{text}");

    let stages: Vec<Stage<'_, '_>> = dockerfile.stages().collect();
    let [.., last] = &stages[..] else {
        panic!("no stage\n{text}");
    };
    let images = component.assets.iter().map(|stage| &stage.build_from);
    let images = images.chain([&component.image.build_from, &component.image.run_from]);
    assert!(
        stages
            .iter()
            .map(|stage| &*stage.from.image.value)
            .eq(images),
        "{text}"
    );
    let is_ours = |stage: &Stage<'_, '_>| match &stage.from.as_ {
        Some((_, name)) => name.value == "build" || name.value.starts_with("assets"),
        None => std::ptr::eq(stage.from, last.from),
    };
    assert!(stages.iter().all(is_ours), "{text}");
    for instruction in &dockerfile.instructions {
        match instruction {
            Instruction::Run(run) => {
                assert!(run.here_docs.is_empty(), "{text}");
                assert!(run.options.iter().all(is_mount), "{text}");
            }
            Instruction::Copy(copy) => assert!(copy.options.iter().all(is_of_copy), "{text}"),
            _ => {}
        }
    }
    let user = last
        .instructions
        .iter()
        .rev()
        .find_map(|instruction| match instruction {
            Instruction::User(user) => Some(&*user.arguments.value),
            _ => None,
        });
    let ids = user.expect("a user").split(':');
    for id in ids {
        assert!(
            id.parse::<u32>().is_ok_and(|id| id != 0),
            "{user:?}\n{text}"
        );
    }
    starts_as_planned(text, last, component);
}

/// A flag of `RUN` as longshore writes it: no network, no agent and no folder of the host.
fn is_mount(flag: &Flag<'_>) -> bool {
    let kinds = [
        "type=cache,",
        "type=bind,from=",
        "type=secret,id=",
        "type=tmpfs,",
    ];
    let value = flag.value.as_ref().map_or("", |value| &value.value);
    flag.name.value == "mount" && kinds.iter().any(|kind| value.starts_with(kind))
}

fn is_of_copy(flag: &Flag<'_>) -> bool {
    ["from", "chmod", "chown"].contains(&&*flag.name.value)
}

fn starts_as_planned(text: &str, last: &Stage<'_, '_>, component: &Component) {
    let commands: Vec<&Command<'_>> = last
        .instructions
        .iter()
        .filter_map(|instruction| match instruction {
            Instruction::Cmd(cmd) => Some(&cmd.arguments),
            _ => None,
        })
        .collect();
    let entrypoints = last
        .instructions
        .iter()
        .filter_map(|instruction| match instruction {
            Instruction::Entrypoint(entrypoint) => Some(&entrypoint.arguments),
            _ => None,
        });
    let planned = component.start.iter().map(|start| start.command.clone());
    let commands: Vec<Vec<String>> = commands
        .into_iter()
        .map(|command| words(text, command))
        .collect();
    assert_eq!(commands, planned.collect::<Vec<_>>(), "{text}");
    for entrypoint in entrypoints {
        assert_eq!(
            words(text, entrypoint),
            component.image.entrypoint,
            "{text}"
        );
    }
}

/// The words of the exec form.
fn words(text: &str, command: &Command<'_>) -> Vec<String> {
    let Command::Exec(array) = command else {
        panic!("a line for a shell\n{text}");
    };
    serde_json::from_str(&text[array.span.clone()]).expect("JSON")
}

/// The line of an instruction, from 1, and its keyword.
fn keyword<'t>(text: &'t str, instruction: &Instruction<'_>) -> (usize, &'t str) {
    let span = match instruction {
        Instruction::Add(found) => &found.add.span,
        Instruction::Arg(found) => &found.arg.span,
        Instruction::Cmd(found) => &found.cmd.span,
        Instruction::Copy(found) => &found.copy.span,
        Instruction::Entrypoint(found) => &found.entrypoint.span,
        Instruction::Env(found) => &found.env.span,
        Instruction::Expose(found) => &found.expose.span,
        Instruction::From(found) => &found.from.span,
        Instruction::Healthcheck(found) => &found.healthcheck.span,
        Instruction::Label(found) => &found.label.span,
        Instruction::Maintainer(found) => &found.maintainer.span,
        Instruction::Onbuild(found) => &found.onbuild.span,
        Instruction::Run(found) => &found.run.span,
        Instruction::Shell(found) => &found.shell.span,
        Instruction::Stopsignal(found) => &found.stopsignal.span,
        Instruction::User(found) => &found.user.span,
        Instruction::Volume(found) => &found.volume.span,
        Instruction::Workdir(found) => &found.workdir.span,
        _ => panic!("an unknown instruction\n{text}"),
    };
    let line = text[..span.start].matches('\n').count() + 1;
    (line, &text[span.clone()])
}
