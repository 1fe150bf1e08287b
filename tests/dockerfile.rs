//! Another parser than our own finds in each generated Dockerfile what the plan says, and nothing else,
//! whatever text stands in the plan.

#[path = "judges/dockerfile.rs"]
mod judge;

use std::{fs, path::Path, sync::LazyLock};

use longshore::{
    config::Trust,
    convert,
    plan::{BuildPlan, FileCopy, Origin},
    quote::is_hidden,
    recipe::Catalog,
};
use parse_dockerfile::{Instruction, Source};
use proptest::prelude::*;

static CATALOG: LazyLock<Catalog> = LazyLock::new(Catalog::built_in);

fn plan_of(root: &Path) -> BuildPlan {
    let plan = convert::plan(root, &CATALOG, Trust::Withheld);
    plan.expect("a plan").value
}

/// Holds when the Dockerfiles of `plan` are as planned; returns the first one.
fn read(plan: BuildPlan) -> String {
    let conversion = convert::render(plan).expect("files");
    judge::are_as_planned(&conversion)[0].to_owned()
}

#[test]
fn another_parser_reads_the_dockerfile_of_every_sample() {
    let mut count = 0;
    for folder in ["samples", "samples/rendered"] {
        for sample in fs::read_dir(folder).expect("listed") {
            let sample = sample.expect("an entry").path();
            if sample.join("case.toml").is_file() {
                read(plan_of(&sample.join("repo")));
                count += 1;
            }
        }
    }
    assert!(count > 50, "{count}");
}

/// A plan with an instruction of each kind.
static PLAN: LazyLock<BuildPlan> = LazyLock::new(|| {
    let repo = Path::new("samples/the_readme_says_how_to_install_a_django_app/repo");
    let mut plan = plan_of(repo);
    let web = &mut plan.components[0];
    web.image.copy_source = false;
    web.files.clear();
    plan
});

/// Text with what a Dockerfile, a shell or JSON takes for more than a character.
fn text() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "\n",
        "\r",
        "\t",
        "\u{85}",
        "\u{2028}",
        "\u{0}",
        "\u{1b}",
        "\u{202e}",
        "\u{e000}0\u{e001}",
        "\nRUN x\n",
        "\nADD a b\n",
        "USER 0",
        "<<EOF",
        "<<\"USER 1:1\"",
        "<<-x",
        "\\",
        "\\\n",
        "`",
        "\"",
        "'",
        "$HOME",
        "${HOME:-x}",
        "$$",
        "$(x)",
        "#",
        " # ",
        "--from=x",
        "--mount=type=ssh",
        "[",
        "]",
        "*",
        "?",
        ",",
        "{{ 7*7 }}",
        "a",
        "é",
        "店",
        "😀",
        " ",
        "  ",
        "/",
        "..",
        "~",
        ";",
        "&&",
        "|",
        ">",
    ]);
    let piece =
        prop_oneof![4 => piece.prop_map(str::to_owned), 1 => any::<char>().prop_map(String::from)];
    prop::collection::vec(piece, 0..10).prop_map(|pieces| pieces.concat())
}

/// `text` with blanks for what a Dockerfile shows nowhere.
fn shown(text: &str) -> String {
    text.replace(is_hidden, " ")
}

/// The words of an instruction in which variables count, none of which may stand there:
/// `ProcessWords` of BuildKit's shell lexer.
fn words(text: &str) -> Vec<String> {
    lexed(text, &[' ', '\t'])
}

fn lexed(text: &str, blanks: &[char]) -> Vec<String> {
    let (mut words, mut word, mut is_open) = (Vec::new(), None::<String>, false);
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            c if blanks.contains(&c) && !is_open => words.extend(word.take()),
            '"' => {
                is_open = !is_open;
                word.get_or_insert_default();
            }
            '\\' => word.get_or_insert_default().extend(chars.next()),
            '$' | '\'' if !is_open => panic!("{c} in {text}"),
            '$' => panic!("a variable in {text}"),
            c => word.get_or_insert_default().push(c),
        }
    }
    assert!(!is_open, "{text}");
    words.extend(word);
    words
}

/// The first file that an instruction copies.
fn copied(instruction: &Instruction<'_>) -> Option<String> {
    let Instruction::Copy(copy) = instruction else {
        return None;
    };
    let [Source::Path(path), ..] = &copy.src[..] else {
        return None;
    };
    let word = lexed(&path.value, &[]).concat();
    let parts: Vec<String> = word.split('/').map(file_of).collect();
    Some(parts.join("/"))
}

/// The name that the pattern `part` stands for (<https://pkg.go.dev/path/filepath#Match>).
fn file_of(part: &str) -> String {
    if !part.contains(['*', '?', '[']) {
        return part.to_owned();
    }
    let (mut name, mut chars) = (String::new(), part.chars());
    while let Some(c) = chars.next() {
        match c {
            '\\' => name.extend(chars.next()),
            '[' => {
                name.extend(chars.next());
                assert_eq!(chars.next(), Some(']'), "{part}");
            }
            '*' | '?' => panic!("a pattern: {part}"),
            c => name.push(c),
        }
    }
    name
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_found_again(value in text(), word in text(), folder in text(), file in text(), line in text()) {
        let mut plan = PLAN.clone();
        let origin = vec![Origin::manifest(&file, &line)];
        let web = &mut plan.components[0];
        web.image.workdir = format!("/w{folder}");
        web.image.run_env = [("A".to_owned(), value.clone()), ("B".to_owned(), word.clone())].into();
        web.image.manifests = vec![format!("m{file}")];
        web.install[0].command = format!("true {line}");
        web.install[0].env = [("C".to_owned(), value.clone())].into();
        web.build[0].command = line;
        web.files = vec![FileCopy { from: file.clone(), to: folder.clone(), is_folder: true, origin }];
        let start = web.start.as_mut().expect("a start");
        start.command = vec![word.clone(), value.clone()];
        start.directory = ".".to_owned();
        let text = read(plan);

        let dockerfile = parse_dockerfile::parse(&text).expect("a Dockerfile");
        let last = dockerfile.stages().last().expect("a stage");
        let mut env = last.instructions.iter().filter_map(|instruction| match instruction {
            Instruction::Env(env) => Some(words(&text[env.arguments.span.clone()].replace("\\\n", " "))),
            _ => None,
        });
        let expected = [format!("A={}", shown(&value)), format!("B={}", shown(&word))];
        prop_assert_eq!(env.next().expect("variables"), expected);
        let mut folders = last.instructions.iter().filter_map(|instruction| match instruction {
            Instruction::Workdir(folder) => Some(words(&text[folder.arguments.span.clone()])),
            _ => None,
        });
        prop_assert_eq!(folders.next().expect("a folder"), [shown(&format!("/w{folder}"))]);
        let copied: Vec<String> = dockerfile.instructions.iter().filter_map(copied).collect();
        let manifest = format!("m{file}");
        prop_assert!(copied.contains(&manifest), "{:?} of {}", copied, text);
    }
}
