//! Whatever text stands in a plan, another reader of YAML than our own finds it again in compose.yaml and
//! in the manifests, at its place and nowhere else.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::LazyLock,
};

use longshore::{
    config::Trust,
    convert,
    plan::{BuildPlan, Command, EnvKind, EnvVar, Origin, Process, Schedule, Volume},
    quote,
    recipe::Catalog,
    shell::{self, Dialect},
};
use proptest::prelude::*;
use serde::Deserialize;
use serde_yaml_ng::Value;

static CATALOG: LazyLock<Catalog> = LazyLock::new(Catalog::built_in);

/// A plan with a database, a schema and a step before each release.
static PLAN: LazyLock<BuildPlan> = LazyLock::new(|| {
    let repo = Path::new("samples/flask_app_loads_its_schema_into_mariadb/repo");
    let mut plan = plan_of(repo);
    let origin = vec![Origin::manifest("test", "test")];
    let web = &mut plan.components[0];
    web.prepare = vec![Command::new("true", ".", origin.clone())];
    web.processes = vec![Process {
        id: "worker".to_owned(),
        command: Vec::new(),
        directory: ".".to_owned(),
        origin: origin.clone(),
    }];
    web.schedules = vec![Schedule {
        id: "schedule".to_owned(),
        cron: "0 4 * * *".to_owned(),
        command: Vec::new(),
        directory: ".".to_owned(),
        origin,
    }];
    plan
});

fn plan_of(root: &Path) -> BuildPlan {
    convert::plan(root, &CATALOG, Trust::Withheld)
        .expect("a plan")
        .value
}

/// Text with what some reader takes for more than a character.
fn text() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "\n",
        "\r",
        "\t",
        "\u{85}",
        "\u{2028}",
        "\u{2029}",
        "\u{feff}",
        "\u{fffe}",
        "\u{0}",
        "\u{1b}",
        "\u{202e}",
        "\u{e000}0\u{e001}",
        "---",
        "...",
        ": ",
        " #",
        "# ",
        "- ",
        "\"",
        "'",
        "\\",
        "{{ 7*7 }}",
        "${HOME}",
        "${HOME:-x}",
        "$$",
        "$(HOME)",
        "$",
        ")",
        "}",
        "NO",
        "~",
        "*a",
        "&a",
        "!!str ",
        "|",
        ">",
        "%YAML 1.1",
        "<<",
        "a",
        "é",
        "店",
        "😀",
        " ",
        ",",
        "[",
        "]",
        "/",
        ":",
        "..",
    ]);
    let piece =
        prop_oneof![4 => piece.prop_map(str::to_owned), 1 => any::<char>().prop_map(String::from)];
    prop::collection::vec(piece, 0..10).prop_map(|pieces| pieces.concat())
}

/// The files of `plan` that are YAML, each with its documents.
fn read(plan: BuildPlan) -> BTreeMap<String, Vec<Value>> {
    let artifacts = convert::render(plan).expect("files").artifacts;
    let files = artifacts
        .into_iter()
        .filter(|file| file.path.ends_with(".yaml"));
    files
        .map(|file| {
            let hidden = |c: char| c != '\n' && longshore::quote::is_hidden(c);
            assert!(!file.contents.contains(hidden), "{}", file.contents);
            let documents = serde_yaml_ng::Deserializer::from_str(&file.contents);
            let documents = documents.map(|document| {
                Value::deserialize(document)
                    .unwrap_or_else(|error| panic!("{}: {error}\n{}", file.path, file.contents))
            });
            let documents: Vec<Value> = documents.collect();
            let ours: Vec<Value> = serde_saphyr::from_multiple(&file.contents)
                .unwrap_or_else(|error| panic!("{}: {error}\n{}", file.path, file.contents));
            assert_eq!(documents, ours, "{}", file.contents);
            (file.path.to_string(), documents)
        })
        .collect()
}

/// What Compose makes of `text`, in which no variable may stand.
fn composed(text: &Value) -> String {
    undoubled(text, |_| true)
}

/// What Kubernetes makes of `text`, in which no variable may stand.
fn expanded(text: &Value) -> String {
    undoubled(text, |after| after.starts_with('('))
}

/// `text` with `$` for `$$`, and no `$` before what `begins` a variable.
fn undoubled(text: &Value, begins: fn(&str) -> bool) -> String {
    let (mut out, mut rest) = (String::new(), text.as_str().expect("a text"));
    while let Some((before, after)) = rest.split_once('$') {
        let doubled = after.strip_prefix('$');
        assert!(doubled.is_some() || !begins(after), "{text:?}");
        out.push_str(before);
        out.push('$');
        rest = doubled.unwrap_or(after);
    }
    out + rest
}

/// `text` without what no manifest can hold.
fn printable(text: &str) -> String {
    let is_held = |c: char| {
        matches!(c, '\t' | '\n' | '\r')
            || !(c.is_control() || matches!(c, '\u{feff}' | '\u{fffe}' | '\u{ffff}'))
    };
    text.chars()
        .map(|c| if is_held(c) { c } else { ' ' })
        .collect()
}

fn container(document: &Value) -> &Value {
    &document["spec"]["template"]["spec"]["containers"][0]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_found_again(value in text(), word in text(), folder in text(), about in text()) {
        let mut plan = PLAN.clone();
        let web = &mut plan.components[0];
        web.env.push(EnvVar {
            name: "NO".to_owned(),
            kind: EnvKind::Config,
            required: false,
            default: Some(value.clone()),
            values: BTreeMap::new(),
            about: Some(about.clone()),
            origin: Vec::new(),
        });
        web.prepare[0].command.clone_from(&word);
        web.prepare[0].directory = format!("d{folder}");
        web.processes[0].command = vec![word.clone(), value.clone()];
        web.processes[0].directory = format!("d{folder}");
        web.schedules[0].command = vec![word.clone()];
        web.volumes.push(Volume {
            path: format!("/d{folder}"),
            persistent: true,
            reason: about,
            origin: Vec::new(),
        });
        let workdir = web.image.workdir.clone();
        let files = read(plan);

        let services = &files["compose.yaml"][0]["services"];
        let worker = &services["web-worker"];
        let words = [composed(&worker["command"][0]), composed(&worker["command"][1])];
        prop_assert_eq!(words, [word.clone(), value.clone()]);
        let directory = format!("{workdir}/d{folder}");
        prop_assert_eq!(composed(&worker["working_dir"]), directory);
        let volumes = services["web"]["volumes"].as_sequence().into_iter().flatten();
        let targets: Vec<String> = volumes.map(|volume| composed(&volume["target"])).collect();
        let path = longshore::name::MountPath::parse(&format!("/d{folder}"));
        let expected: Vec<String> = path.iter().map(ToString::to_string).collect();
        prop_assert_eq!(targets, expected);

        let config = &files["k8s/base/configmap.yaml"][0];
        prop_assert_eq!(config["data"]["NO"].as_str().map(str::to_owned), Some(printable(&value)));
        let deployments = &files["k8s/base/deployment.yaml"];
        let command = |at: usize| expanded(&container(&deployments[1])["command"][at]);
        prop_assert_eq!(command(0), printable(&word));
        prop_assert_eq!(command(1), printable(&value));
        let job = container(&files["k8s/base/prepare-job.yaml"][0]);
        prop_assert_eq!(expanded(&job["command"][2]), printable(&word));
    }

    #[test]
    fn any_name_becomes_a_valid_one(name in text(), id in text(), role in text(), file in text()) {
        let mut plan = PLAN.clone();
        plan.name = name;
        let web = &mut plan.components[0];
        web.id = format!("a{id}");
        web.processes[0].id = format!("b{role}");
        let service = &mut web.services[0];
        service.init = vec![format!("db/{file}.sql")];
        service.kind.push_str(&file);
        let files = read(plan);
        for document in files.values().flatten() {
            let name = &document["metadata"]["name"];
            prop_assert!(name.is_null() || is_label(name.as_str().unwrap_or_default()), "{:?}", name);
        }
        for (_, service) in files["compose.yaml"][0]["services"].as_mapping().expect("services") {
            let mounts = service["volumes"].as_sequence().into_iter().flatten();
            for source in mounts.filter(|mount| mount["type"] == "bind").map(|mount| &mount["source"]) {
                let source = composed(source);
                prop_assert!(source.starts_with("./") && source.split('/').all(|part| part != ".."));
            }
        }
    }
}

/// A name of a file.
fn file_name() -> impl Strategy<Value = String> {
    let name = text().prop_map(|name| name.replace(['/', '\0'], "_"));
    let long = "[a-z_]{60,70}";
    prop_oneof![4 => name, 1 => long].prop_filter("a name", |name| {
        let is_name = !name.trim().is_empty() && !name.starts_with('.');
        is_name && name.len() < 200
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn whatever_a_repository_is_called_its_objects_have_names(
        names in prop::collection::btree_set(file_name(), 2..6),
        roles in prop::collection::vec(text(), 0..4),
        vars in prop::collection::vec(text(), 0..4),
    ) {
        let folder = tempfile::tempdir().expect("a folder");
        let mut readme = "# Shop\n\n".to_owned();
        for name in &names {
            let own = folder.path().join(name);
            std::fs::create_dir(&own).expect("made");
            let write = |path: &str, text: &str| std::fs::write(own.join(path), text).expect("written");
            write("package.json", r#"{"scripts": {"start": "node s.js"}, "dependencies": {"express": "4"}}"#);
            write("s.js", "require(\"express\")().listen(3000);\n");
            let lines = roles.iter().map(|role| format!("{role}: node r.js {role}\n"));
            write("Procfile", &lines.collect::<String>());
            let lines = vars.iter().map(|var| format!("{var}={var}\n"));
            write(".env.example", &lines.collect::<String>());
            let place = quote::shell::word(name);
            readme.push_str(&format!("## {name}\n\n```sh\ncd {place}\nnpm install\nmkdir {place}\nnpm start\n```\n\n"));
        }
        std::fs::write(folder.path().join("README.md"), readme).expect("written");
        let plan = plan_of(folder.path());
        let files = read(plan);
        let mut objects = BTreeSet::new();
        let base = files.iter().filter(|(path, _)| path.starts_with("k8s/base/"));
        for document in base.flat_map(|(_, documents)| documents) {
            let Some(name) = document["metadata"]["name"].as_str() else { continue };
            let kind = document["kind"].as_str().expect("a kind").to_owned();
            prop_assert!(is_label(name) && (name.len() <= 63 || kind == "PersistentVolumeClaim"), "{}", name);
            prop_assert!(objects.insert((kind, name.to_owned())), "{}", name);
            let pod = &document["spec"]["template"]["spec"];
            for list in ["volumes", "containers", "initContainers"] {
                let items = pod[list].as_sequence().into_iter().flatten();
                let names: Vec<&str> = items.filter_map(|item| item["name"].as_str()).collect();
                prop_assert!(names.iter().all(|name| is_label(name) && name.len() <= 63), "{:?}", names);
                let distinct: BTreeSet<&&str> = names.iter().collect();
                prop_assert_eq!(distinct.len(), names.len());
            }
        }
    }
}

#[test]
fn two_readers_agree_on_every_sample() {
    let mut read = 0;
    for entry in walkdir::WalkDir::new("samples") {
        let entry = entry.expect("readable");
        let is_expected = entry
            .path()
            .components()
            .any(|part| part.as_os_str() == "expected");
        if !is_expected
            || entry
                .path()
                .extension()
                .is_none_or(|ending| ending != "yaml")
        {
            continue;
        }
        let text = std::fs::read_to_string(entry.path()).expect("readable");
        let documents = serde_yaml_ng::Deserializer::from_str(&text);
        let documents: Vec<Value> = documents
            .map(|document| Value::deserialize(document).expect("YAML"))
            .collect();
        let ours: Vec<Value> = serde_saphyr::from_multiple(&text).expect("YAML");
        assert_eq!(documents, ours, "{}", entry.path().display());
        read += 1;
    }
    assert!(read > 100, "{read}");
}

#[test]
fn a_command_to_copy_has_quoted_names() {
    let mut plan = PLAN.clone();
    let files = [
        "db/$(touch x).sql",
        "db/a b.sql",
        "c/a b.sql",
        "db/schema.sql",
        "db/a=b.sql",
    ];
    plan.components[0].services[0].init = files.map(str::to_owned).to_vec();
    let artifacts = convert::render(plan).expect("files").artifacts;
    let mut files = artifacts.iter();
    let file = files.find(|file| file.path.as_str() == "k8s/overlays/test/backing-services.yaml");
    let text = &file.expect("a file").contents;
    let words = |start: &str| -> Vec<String> {
        let line = text.lines().find_map(|line| {
            line.strip_prefix("# ")
                .filter(|line| line.starts_with(start))
        });
        let script = shell::script(line.expect("a comment"), Dialect::Shell, &|_| true);
        assert_eq!(script.commands.len(), 1, "{line:?}");
        script.commands[0].value.owned_texts()
    };
    let copy = words("cp");
    assert_eq!(copy[..2], ["cp", "./db/a=b.sql"]);
    let command = words("kubectl");
    let flags: Vec<(&str, &str)> = command[4..]
        .iter()
        .map(|flag| flag.strip_prefix("--from-file=").expect("a flag"))
        .map(|flag| flag.split_once('=').unwrap_or(("", flag)))
        .collect();
    let paths: Vec<&str> = flags.iter().map(|(_, path)| *path).collect();
    let expected = [
        "db/$(touch x).sql",
        "db/a b.sql",
        "c/a b.sql",
        "db/schema.sql",
        copy[2].as_str(),
    ];
    assert_eq!(paths, expected);
    assert_ne!(flags[1].0, flags[2].0);
}

#[test]
fn an_application_may_be_called_as_its_service() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |path: &str, text: &str| {
        std::fs::write(folder.path().join(path), text).expect("written");
    };
    let package = r#"{"name": "redis", "scripts": {"start": "node s.js"}, "dependencies": {"express": "4", "redis": "4"}}"#;
    write("package.json", package);
    write(
        "s.js",
        "const url = process.env.REDIS_URL;\nrequire(\"express\")().listen(3000);\n",
    );
    write("Procfile", "web: node s.js\nredis: node r.js\n");
    write(
        "README.md",
        "# Redis\n\n```sh\nnpm install\nnpm start\n```\n",
    );
    let plan = plan_of(folder.path());
    assert_eq!(plan.name, "redis-app");
    let files = read(plan);
    let services = files["compose.yaml"][0]["services"]
        .as_mapping()
        .expect("services");
    assert_eq!(services.len(), 3);
    let overlay = &files["k8s/overlays/test/backing-addresses.yaml"][0];
    assert_eq!(overlay["metadata"]["name"], "redis");
    for deployment in &files["k8s/base/deployment.yaml"] {
        assert_ne!(deployment["metadata"]["name"], "redis");
        assert_ne!(
            deployment["spec"]["selector"]["matchLabels"],
            overlay["spec"]["selector"]
        );
    }
}

/// Folders that would be called alike, or as a service or a step is.
const FOLDERS: [&str; 12] = [
    "a b",
    "a-b",
    "A_B",
    "api",
    "API",
    "é",
    "è",
    "redis",
    "prepare",
    "web",
    "web-prepare",
    "true",
];

#[test]
fn nothing_has_the_name_of_another() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, text).expect("written");
    };
    let part =
        |name: &&str| format!("## {name}\n\n```sh\ncd '{name}'\nnpm install\nnpm start\n```\n\n");
    let parts: String = FOLDERS.iter().map(part).collect();
    write("README.md", &format!("# Shop\n\n{parts}"));
    for name in FOLDERS {
        let package = r#"{"scripts": {"start": "node s.js"}, "dependencies": {"express": "4", "redis": "4"}}"#;
        write(&format!("{name}/package.json"), package);
        let server = "const url = process.env.REDIS_URL;\nconst app = require(\"express\")();\napp.listen(3000);\n";
        write(&format!("{name}/s.js"), server);
        write(
            &format!("{name}/Procfile"),
            "web: node s.js\nbeat_1: node b.js\nbeat-1: node c.js\n",
        );
    }
    let plan = plan_of(folder.path());
    assert_eq!(plan.components.len(), FOLDERS.len());
    // Our names stay those of the folders that have them.
    for name in ["a-b", "api", "prepare", "web", "true"] {
        let is_it = |path: &str| path == name || path.ends_with(&format!("/{name}"));
        let found = plan
            .components
            .iter()
            .find(|component| is_it(&component.path));
        assert_eq!(found.expect("a component").id, name);
    }
    // A key that stands twice is refused.
    let files = read(plan);
    let mut objects = BTreeSet::new();
    for (path, documents) in files
        .iter()
        .filter(|(path, _)| path.starts_with("k8s/base/"))
    {
        for document in documents
            .iter()
            .filter(|document| !document["metadata"].is_null())
        {
            let name = document["metadata"]["name"]
                .as_str()
                .expect("a name")
                .to_owned();
            let kind = document["kind"].as_str().expect("a kind").to_owned();
            assert!(
                objects.insert((kind.clone(), name.clone())),
                "{path}: {kind} {name}"
            );
        }
    }
    let label = |(kind, _): &&(String, String)| kind == "Deployment";
    assert_eq!(objects.iter().filter(label).count(), FOLDERS.len() * 3);
    let deployments = files
        .values()
        .flatten()
        .filter(|document| document["kind"] == "Deployment");
    let selectors: Vec<String> = deployments
        .filter(|document| document["spec"]["template"]["metadata"]["labels"].is_mapping())
        .map(|document| format!("{:?}", document["spec"]["selector"]["matchLabels"]))
        .collect();
    let distinct: BTreeSet<&String> = selectors.iter().collect();
    // Those of the services stand in two overlays.
    assert_eq!(distinct.len() + 1, selectors.len());
}

fn is_label(name: &str) -> bool {
    let is_known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    name.len() <= 253
        && name.chars().all(is_known)
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && !name.ends_with('-')
}
