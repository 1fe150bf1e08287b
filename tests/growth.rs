//! What a conversion costs grows with its input, not with the square of it: of each kind of input, four
//! times as much takes less than eight times as long.

#![cfg(target_os = "linux")]

use std::{fmt::Write as _, fs, ops::Range, sync::LazyLock, time::Duration};

use longshore::{
    config::{Config, Trust},
    convert,
    diagnostic::Code,
    recipe::Catalog,
};

static CATALOG: LazyLock<Catalog> = LazyLock::new(Catalog::built_in);

/// Files by path.
type Files = Vec<(String, String)>;

/// An application of Node.
fn application(readme: &str, more: &[(&str, String)]) -> Files {
    let manifest = r#"{"name": "shop", "scripts": {"start": "node a.js", "build": "node b.js"}, "dependencies": {"express": "4", "pg": "8"}}"#;
    let server = "const app = require('express')();\napp.listen(3000);\n";
    let files = [
        ("README.md", readme.to_owned()),
        ("package.json", manifest.to_owned()),
        ("a.js", server.to_owned()),
        ("b.js", String::new()),
    ];
    let all = files.into_iter().chain(more.iter().cloned());
    let mut all: Files = all.map(|(path, text)| (path.to_owned(), text)).collect();
    // What comes later takes the place of what came before.
    all.reverse();
    let mut seen = std::collections::BTreeSet::new();
    all.retain(|(path, _)| seen.insert(path.clone()));
    all
}

/// An application whose README goes on with `text`.
fn told(text: &str) -> Files {
    let readme = format!("# Shop\n\n```sh\nnpm install\nnpm start\n```\n\n{text}");
    application(&readme, &[])
}

/// An application whose README has `lines` in a block of shell.
fn typed(lines: &str) -> Files {
    told(&format!("```sh\n{lines}```\n"))
}

/// An application with the file `path`.
fn with(path: &str, text: String) -> Files {
    let readme = "# Shop\n\n```sh\nnpm install\nnpm start\n```\n";
    application(readme, &[(path, text)])
}

/// `line` of each of `numbers`.
fn each(numbers: Range<usize>, line: impl Fn(usize) -> String) -> String {
    numbers.map(line).collect()
}

/// The processor time that this thread has had.
fn spent() -> Duration {
    let text = fs::read_to_string("/proc/thread-self/schedstat").expect("Linux says it");
    let nanoseconds = text.split(' ').next().and_then(|first| first.parse().ok());
    Duration::from_nanos(nanoseconds.expect("a number"))
}

fn cost(files: &Files) -> Duration {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().expect("has a parent")).expect("made");
        fs::write(path, text).expect("written");
    }
    let begin = spent();
    let plan = convert::plan(folder.path(), &CATALOG, Trust::Withheld).expect("it opens");
    convert::render(plan.value).expect("it renders");
    spent() - begin
}

/// Compares what `n` and `4 n` of a kind cost beyond an application without any.
#[track_caller]
fn check(n: usize, files: fn(usize) -> Files) {
    // What is faster than this varies by other things.
    let least = Duration::from_millis(30);
    // The first run reads recipes.
    cost(&files(1));
    let mut told = String::new();
    for _ in 0..3 {
        let none = cost(&files(0));
        let once = cost(&files(n)).saturating_sub(none).max(least);
        let four_times = cost(&files(4 * n)).saturating_sub(none);
        if four_times < once * 8 {
            return;
        }
        let _ = writeln!(told, "{once:?} and {four_times:?} beyond {none:?}");
    }
    panic!("four times as much costs more than eight times as much:\n{told}");
}

#[test]
fn inline_code() {
    check(800, |n| told(&"`npm install` ".repeat(n)));
}

#[test]
fn versions_in_prose() {
    check(1500, |n| told(&"Node 18 ".repeat(n)));
}

#[test]
fn sentences() {
    check(800, |n| {
        told(&"Run npm install, then open the page. ".repeat(n))
    });
}

#[test]
fn sections_below_a_long_title() {
    check(100, |n| {
        let title = "a ".repeat(4 * n);
        let parts = each(0..n, |i| format!("## Install {i}\n\n`npm install`\n\n"));
        told(&format!("# {title}\n\n{parts}"))
    });
}

#[test]
fn the_same_command() {
    check(200, |n| typed(&"npm run build\n".repeat(n)));
}

#[test]
fn unknown_commands() {
    check(200, |n| {
        typed(&each(0..n, |i| format!("frobnicate{i} x\n")))
    });
}

#[test]
fn exports_and_their_use() {
    check(150, |n| {
        typed(&each(0..n, |i| format!("export V{i}=x\necho $V{i}\n")))
    });
}

#[test]
fn folders() {
    check(150, |n| typed(&each(0..n, |i| format!("mkdir d{i}\n"))));
}

#[test]
fn packages_of_the_system() {
    check(100, |n| {
        typed(&each(0..n, |i| format!("apt-get install p{i}\n")))
    });
}

#[test]
fn here_documents() {
    check(150, |n| typed(&"cat > a <<EOF\nx\nEOF\n".repeat(n)));
}

#[test]
fn lines_of_a_crontab() {
    check(100, |n| {
        let lines = each(0..n, |i| format!("0 2 * * * node a{i}.js\n"));
        told(&format!("```\n{lines}```\n"))
    });
}

#[test]
fn keys_of_a_file_to_create() {
    check(100, |n| {
        let keys = each(0..n, |i| format!("\"password{i}\": \"x\",\n"));
        told(&format!(
            "Create `config.json`:\n\n```json\n{{{keys}\"a\": 1}}\n```\n"
        ))
    });
}

#[test]
fn plain_text() {
    check(150, |n| {
        let mut files = with("README.txt", "  npm install\n\n".repeat(n));
        files.retain(|(path, _)| path != "README.md");
        files
    });
}

#[test]
fn lines_of_an_example() {
    check(200, |n| {
        with(".env.example", each(0..n, |i| format!("A{i}=x\n")))
    });
}

#[test]
fn variables_that_a_source_reads() {
    check(150, |n| {
        with(
            "e.js",
            each(0..n, |i| format!("f(process.env.R{i} || 'x');\n")),
        )
    });
}

#[test]
fn dependencies() {
    check(1500, |n| {
        let all = each(0..n, |i| format!("\"d{i}\": \"1\", "));
        let text = format!(
            "{{\"name\": \"x\", \"scripts\": {{\"start\": \"node a.js\"}}, \"dependencies\": {{{all}\"express\": \"4\"}}}}"
        );
        with("package.json", text)
    });
}

#[test]
fn scripts() {
    check(800, |n| {
        let all = each(0..n, |i| format!("\"s{i}\": \"npm run s{}\", ", i + 1));
        let text = format!(
            "{{\"name\": \"x\", \"scripts\": {{{all}\"start\": \"npm run s0\"}}, \"dependencies\": {{\"express\": \"4\"}}}}"
        );
        with("package.json", text)
    });
}

#[test]
fn connections() {
    check(300, |n| {
        let all = "new Pool({host: 'db', user: 'u'});".repeat(n);
        with("p.js", format!("const {{Pool}} = require('pg');\n{all}"))
    });
}

#[test]
fn pairs_on_one_line() {
    check(400, |n| {
        let all = "host: 'a', password: 'b', user: 'c', database: 'd'; ".repeat(n);
        with(
            "c.js",
            format!("{all}const {{Pool}} = require('pg'); new Pool({{host: 'db'}})"),
        )
    });
}

#[test]
fn blocks_in_one_another() {
    check(1500, |n| {
        let blocks = "location / {".repeat(n);
        with("nginx.conf", format!("server {{\n{blocks}\n deny all;\n"))
    });
}

#[test]
fn targets_in_a_chain() {
    check(300, |n| {
        let targets = each(0..n, |i| format!("t{i}: t{}\n\techo {i}\n", i + 1));
        let readme = "# Shop\n\n```sh\nmake t0\nnpm install\nnpm start\n```\n";
        application(readme, &[("Makefile", targets)])
    });
}

#[test]
fn functions_in_a_chain() {
    check(300, |n| {
        let functions = each(0..n, |i| format!("f{i}() {{ f{}; }}\n", i + 1));
        let script = format!("#!/bin/sh\n{functions}f0\n");
        let readme = "# Shop\n\n```sh\nsh setup.sh\nnpm install\nnpm start\n```\n";
        application(readme, &[("setup.sh", script)])
    });
}

#[test]
fn manifests() {
    check(100, |n| {
        let manifest =
            "{\"scripts\": {\"start\": \"node a.js\"}, \"dependencies\": {\"express\": \"4\"}}";
        let mut files = with("a.js", String::new());
        files.extend((0..n).map(|i| (format!("p{i}/package.json"), manifest.to_owned())));
        files
    });
}

/// What a limit cuts is said, and a chain of any length overflows no stack.
#[test]
fn what_is_cut_is_said() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let put = |path: &str, text: &str| {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().expect("has a parent")).expect("made");
        fs::write(path, text).expect("written");
    };
    let top = r#"{"name": "top", "workspaces": ["p/*"], "scripts": {"start": "npm -w p0 start"}}"#;
    put("package.json", top);
    for i in 0..250 {
        let next = i + 1;
        put(
            &format!("p/p{i}/package.json"),
            &format!(
                r#"{{"name": "p{i}", "scripts": {{"start": "node a.js"}}, "dependencies": {{"p{next}": "*", "express": "4"}}}}"#
            ),
        );
    }
    put("p/p0/a.js", "require('express')().listen(3000)\n");
    put(
        "README.md",
        "# Shop\n\n```sh\nnpm install\nnpm -w p0 start\n```\n",
    );
    let config = Config::default();
    let plan = convert::plan_with(folder.path(), &CATALOG, &config).expect("it opens");
    let said = plan.diagnostics.iter();
    let mut said = said.filter(|diagnostic| diagnostic.code == Code::TooLarge);
    let said = said.next().map(|diagnostic| diagnostic.message.as_str());
    assert!(
        said.is_some_and(|said| said.contains("200 other projects")),
        "{said:?}"
    );
}
