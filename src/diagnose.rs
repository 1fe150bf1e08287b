//! The log of a failure → what caused it, and what to do: rules of `recipes/repairs`.

mod log;
mod spots;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    manifest::dockerfile::{Instruction, instructions},
    quote::{self, shell::Filling},
    recipe::{Catalog, Certainty, Edit, LookUp, RepairRecipe},
    secret,
};
use log::Log;
use spots::Spots;

/// What a log shows.
#[derive(Debug, Clone)]
pub struct Diagnosis<'c> {
    /// Id of the rule.
    pub id: &'c str,
    /// The rule.
    pub recipe: &'c RepairRecipe,
    /// The cause, in a few words.
    pub cause: String,
    /// What a person can do.
    pub advice: String,
    /// The decisive line, from 1.
    pub line: usize,
    /// What the groups of the rule's expression captured.
    pub captured: BTreeMap<String, String>,
    /// The same, and what is looked up by it: `package`, and `install`, the command that installs it.
    pub names: BTreeMap<String, String>,
}

impl Diagnosis<'_> {
    /// Returns the edits of the plan, with their names filled in; none where one of them needs a
    /// name that the log does not give.
    pub fn edits(&self) -> Vec<Edit> {
        edits(self.recipe, &self.names)
    }
}

/// Returns the edits of `recipe` with `names` in the place of `{name}`; none where one of them is
/// missing.
pub fn edits(recipe: &RepairRecipe, names: &BTreeMap<String, String>) -> Vec<Edit> {
    let edits = recipe.edit.iter();
    let filled: Option<Vec<Edit>> = edits.map(|edit| fill_edit(edit, names)).collect();
    filled.unwrap_or_default()
}

/// What `longshore diagnose` found, as data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DiagnosisReport {
    /// `longshore.diagnosis/1`.
    pub schema: String,
    /// Group of causes of the likeliest one, such as `python-version-mismatch`; `unknown` where no
    /// rule fits.
    pub category: String,
    /// What the log shows, the likeliest cause first.
    pub causes: Vec<Cause>,
    /// What was looked at.
    pub looked_at: LookedAt,
}

/// One cause of a failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cause {
    /// Id of the rule, a file of `recipes/repairs`.
    pub rule: String,
    /// Group of causes that it belongs to.
    pub category: String,
    /// Whether this is a cause, or only what follows from one.
    pub certainty: Certainty,
    /// The cause, in a few words.
    pub cause: String,
    /// What to do, as an imperative sentence.
    pub remedy: String,
    /// Edits of longshore's plan that repair it.
    pub edits: Vec<Edit>,
    /// The verdict where no edit repairs it, such as `blocked-private-dependency`.
    pub blocked: Option<String>,
    /// The decisive line of the log, from 1.
    pub line: usize,
    /// What stands there.
    pub text: String,
    /// Where the rule comes from.
    pub source: String,
}

/// What was looked at for a diagnosis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LookedAt {
    /// How many lines the log has.
    pub lines: usize,
    /// How many rules there are.
    pub rules: usize,
    /// The instruction that failed, as the log or the Dockerfile has it.
    pub instruction: Option<FailedInstruction>,
    /// The image that its stage starts from.
    pub base_image: Option<String>,
}

/// The instruction that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FailedInstruction {
    /// Its first line in the Dockerfile, from 1, where that is known.
    pub line: Option<usize>,
    /// Its text on one line.
    pub text: String,
}

/// Returns what `log` shows, for people and programs; `dockerfile` is the text of the Dockerfile
/// that was built, where it is there. No secret that stands in one of them is in it.
pub fn report(log: &str, dockerfile: Option<&str>, catalog: &Catalog) -> DiagnosisReport {
    let patterns = catalog.secrets();
    let mut known = secret::Known::default();
    for text in std::iter::once(log).chain(dockerfile) {
        patterns.remember(text, None, &mut known);
    }
    patterns.masked_value(unmasked(log, dockerfile, catalog), known)
}

fn unmasked(log: &str, dockerfile: Option<&str>, catalog: &Catalog) -> DiagnosisReport {
    let log = Log::read(log.lines());
    let dockerfile = dockerfile.map(instructions).unwrap_or_default();
    let context = Context::of(&log, &dockerfile, None, catalog);
    let found = find(&log, &context, catalog);
    let causes: Vec<Cause> = found.iter().map(|found| cause(found, &log)).collect();
    DiagnosisReport {
        schema: "longshore.diagnosis/1".to_owned(),
        category: causes
            .first()
            .map_or("unknown", |cause| &cause.category)
            .to_owned(),
        causes,
        looked_at: LookedAt {
            lines: log.lines.len(),
            rules: catalog.repairs.len(),
            instruction: context.instruction,
            base_image: context.image,
        },
    }
}

fn cause(found: &Diagnosis<'_>, log: &Log) -> Cause {
    Cause {
        rule: found.id.to_owned(),
        category: found.recipe.category.clone(),
        certainty: found.recipe.certainty,
        cause: found.cause.clone(),
        remedy: found.advice.clone(),
        edits: found.edits(),
        blocked: found.recipe.blocked.clone(),
        line: found.line,
        text: log.lines[found.line - 1].text.clone(),
        source: found.recipe.source.clone(),
    }
}

/// Returns what `log` shows, the likeliest cause first. `suite` is the Debian suite of the image,
/// where it is known: packages have its names.
pub fn diagnose<'c>(log: &[&str], catalog: &'c Catalog, suite: Option<&str>) -> Vec<Diagnosis<'c>> {
    let log = Log::read(log.iter().copied());
    let context = Context::of(&log, &[], suite, catalog);
    find(&log, &context, catalog)
}

/// What is known of the image that failed.
#[derive(Debug, Clone, Default)]
struct Context {
    instruction: Option<FailedInstruction>,
    image: Option<String>,
    suite: Option<String>,
    /// The package manager of the image.
    manager: Option<String>,
    /// The command that installs `{package}`.
    install: Option<String>,
    /// Lines that `with` and `without` may fit, beside those of the log.
    beside: Vec<String>,
}

impl Context {
    fn of(log: &Log, dockerfile: &[Instruction], suite: Option<&str>, catalog: &Catalog) -> Self {
        let written = log.instruction_in(dockerfile);
        let instruction = match written {
            Some(index) => Some(FailedInstruction {
                line: Some(dockerfile[index].first),
                text: dockerfile[index].text.trim().to_owned(),
            }),
            None => log
                .instruction
                .clone()
                .map(|text| FailedInstruction { line: None, text }),
        };
        let until = written.map_or(dockerfile.len(), |index| index + 1);
        let froms = || dockerfile[..until].iter().filter(|known| known.is("FROM"));
        let image = froms()
            .next_back()
            .and_then(|from| image_of(from, dockerfile));
        let image = image.or_else(|| log.image.clone());
        let beside: Vec<String> = instruction
            .iter()
            .map(|instruction| instruction.text.clone())
            .chain(image.iter().map(|image| format!("FROM {image}")))
            .collect();
        let failed = log.lines.iter().filter(|line| line.is_of_failure);
        let texts: Vec<&str> = beside
            .iter()
            .map(String::as_str)
            .chain(failed.map(|line| line.text.as_str()))
            .collect();
        let has = |words: &[String]| {
            let mut texts = texts.iter();
            texts.any(|text| words.iter().any(|word| text.contains(word.as_str())))
        };
        let managers = catalog.list("images", "managers");
        let manager = managers
            .iter()
            .find(|manager| has(catalog.list("images", &format!("{manager}-signs"))));
        let manager_or_debian = manager.or(catalog.list("images", "debian").first());
        let install = manager_or_debian.and_then(|manager| {
            let commands = catalog.list("images", &format!("{manager}-install"));
            commands.first().cloned()
        });
        // The tag of an image names its suite, and so does each line in which an index is fetched.
        let suites = catalog.list("images", "suites");
        let named = || {
            suites.iter().find(|suite| {
                let mut texts = texts.iter();
                texts.any(|text| {
                    let mut words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '.');
                    words.any(|word| word == suite.as_str())
                })
            })
        };
        let suite = suite.map(str::to_owned).or_else(|| named().cloned());
        Self {
            instruction,
            image,
            suite,
            manager: manager.cloned(),
            install,
            beside,
        }
    }
}

/// The image of a `FROM`, with the defaults of the arguments before it; that of the stage it goes on
/// from, where it names one.
fn image_of(from: &Instruction, dockerfile: &[Instruction]) -> Option<String> {
    let mut from = from;
    // Stages that name each other in a circle are no Dockerfile, but may be given.
    for _ in 0..dockerfile.len().max(1) {
        let image = from
            .text
            .split_whitespace()
            .skip(1)
            .find(|word| !word.starts_with("--"))?;
        let is_stage = |known: &&Instruction| {
            let words: Vec<&str> = known.text.split_whitespace().collect();
            known.is("FROM")
                && known.first < from.first
                && matches!(words[..], [.., r#as, name] if r#as.eq_ignore_ascii_case("as") && name == image)
        };
        match dockerfile.iter().find(is_stage) {
            Some(stage) => from = stage,
            None => return Some(image.to_owned()),
        }
    }
    None
}

fn find<'c>(log: &Log, context: &Context, catalog: &'c Catalog) -> Vec<Diagnosis<'c>> {
    let all: Vec<(usize, &str)> = (1..)
        .zip(log.lines.iter().map(|line| line.text.as_str()))
        .collect();
    let failed: Vec<(usize, &str)> = all
        .iter()
        .zip(&log.lines)
        .filter(|(_, line)| line.is_of_failure)
        .map(|(line, _)| *line)
        .collect();
    // A step that failed without a word may have gone wrong in one before.
    let found = among(&failed, context, catalog);
    if found.is_empty() {
        among(&all, context, catalog)
    } else {
        found
    }
}

fn among<'c>(
    lines: &[(usize, &str)],
    context: &Context,
    catalog: &'c Catalog,
) -> Vec<Diagnosis<'c>> {
    let texts: Vec<&str> = lines.iter().map(|(_, text)| *text).collect();
    let mut spots = spots::spots(&texts, catalog).into_iter();
    let rules = catalog.repairs.iter();
    let mut found: Vec<Diagnosis<'c>> = rules
        .filter_map(|(id, recipe)| {
            let spots: Spots = spots.by_ref().take(recipe.log.len()).collect();
            of_rule((id, recipe), (lines, &texts), &spots, context, catalog)
        })
        .collect();
    let refined: Vec<&String> = found
        .iter()
        .flat_map(|diagnosis| &diagnosis.recipe.refines)
        .collect();
    let is_general = |diagnosis: &Diagnosis<'_>| refined.iter().any(|id| *id == diagnosis.id);
    let general: Vec<&str> = found
        .iter()
        .filter(|diagnosis| is_general(diagnosis))
        .map(|diagnosis| diagnosis.id)
        .collect();
    found.retain(|diagnosis| !general.contains(&diagnosis.id));
    // What a tool says last is that it failed; why stands above.
    found.sort_by_key(|diagnosis| (diagnosis.recipe.certainty, diagnosis.line));
    let has_cause = found
        .iter()
        .any(|diagnosis| diagnosis.recipe.certainty != Certainty::Symptom);
    if has_cause {
        found.retain(|diagnosis| diagnosis.recipe.certainty != Certainty::Symptom);
    }
    found
}

fn of_rule<'c>(
    (id, recipe): (&'c str, &'c RepairRecipe),
    (lines, texts): (&[(usize, &str)], &[&str]),
    spots: &Spots,
    context: &Context,
    catalog: &'c Catalog,
) -> Option<Diagnosis<'c>> {
    let beside: Vec<&str> = context.beside.iter().map(String::as_str).collect();
    recipe.log.iter().zip(spots).find_map(|(sign, spots)| {
        let (index, captures) = sign.find(texts, spots.as_deref(), &beside)?;
        let captured: BTreeMap<String, String> = sign
            .pattern
            .capture_names()
            .flatten()
            .filter_map(|name| Some((name.to_owned(), captures.name(name)?.as_str().to_owned())))
            .collect();
        let names = looked_up(recipe, &captured, catalog, context);
        let advice = fill(&recipe.advice, &names);
        let advice = advice.or_else(|| fill(recipe.otherwise.as_ref()?, &names));
        Some(Diagnosis {
            id,
            recipe,
            cause: fill(&recipe.title, &names).unwrap_or_else(|| recipe.title.clone()),
            advice: advice.unwrap_or_else(|| recipe.advice.clone()),
            line: lines[index].0,
            captured,
            names,
        })
    })
}

/// Returns `captured`, which the expressions of `recipe` may have captured from a log of an image of the
/// Debian suite `suite`, with what is looked up by it; `None` where none of them can have captured it.
pub fn names(
    recipe: &RepairRecipe,
    captured: &BTreeMap<String, String>,
    catalog: &Catalog,
    suite: Option<&str>,
) -> Option<BTreeMap<String, String>> {
    let can_capture = |(name, value): (&String, &String)| {
        let mut signs = recipe.log.iter();
        signs.any(|sign| sign.pattern.group_matches(name, value))
    };
    let context = Context::of(&Log::read([].into_iter()), &[], suite, catalog);
    let all = captured.iter().all(can_capture);
    all.then(|| looked_up(recipe, captured, catalog, &context))
}

fn looked_up(
    recipe: &RepairRecipe,
    captured: &BTreeMap<String, String>,
    catalog: &Catalog,
    context: &Context,
) -> BTreeMap<String, String> {
    let mut names = captured.clone();
    let look_up = recipe.look_up.as_ref();
    let package = look_up.and_then(|look_up| package(look_up, captured, catalog, context));
    if let Some(package) = package {
        if let Some(install) = &context.install {
            names.insert("install".to_owned(), install.replace("{package}", &package));
        }
        names.insert("package".to_owned(), package);
    }
    names
}

/// The package that a name in the log stands for.
fn package(
    look_up: &LookUp,
    names: &BTreeMap<String, String>,
    catalog: &Catalog,
    context: &Context,
) -> Option<String> {
    let name = names.get(&look_up.name)?;
    let suite = context.suite.as_deref().unwrap_or("bookworm");
    if let Some(package) = look_up.table.get(name) {
        return Some(package.clone());
    }
    let packages = match look_up.kind {
        Some(kind) => catalog.packages_with_file(kind, name, suite),
        None if look_up.renamed => {
            let mut packages = catalog.packages_on(name, suite);
            packages.retain(|package| package != name);
            packages
        }
        None => vec![name.clone()],
    };
    let packages: Vec<String> = match &context.manager {
        Some(manager) if look_up.kind.is_some() || look_up.renamed => packages
            .into_iter()
            .map(|package| elsewhere(package, manager, catalog))
            .collect(),
        _ => packages,
    };
    (!packages.is_empty()).then(|| packages.join(" "))
}

/// How `manager` calls the Debian package `name`.
fn elsewhere(name: String, manager: &str, catalog: &Catalog) -> String {
    let known = catalog.debian_package(&name);
    let names = known.and_then(|known| known.elsewhere.get(manager));
    names
        .and_then(|names| names.first().cloned())
        .unwrap_or(name)
}

/// As [`fill`], for a command of a shell: a name may stand for several words.
fn fill_command(command: &str, names: &BTreeMap<String, String>) -> Option<String> {
    let quoted = |value: &String| quote::shell::join(value.split_whitespace());
    let quoted: BTreeMap<String, String> = names
        .iter()
        .map(|(name, value)| (name.clone(), quoted(value)))
        .collect();
    let value = |name: &str| quoted.get(name).map(|value| Filling::Words(value));
    fill(command, names).map(|_| quote::shell::filled(command, &value))
}

/// Returns `text` with each `{name}` filled in, `None` where one has no value.
pub fn fill(text: &str, names: &BTreeMap<String, String>) -> Option<String> {
    let mut filled = text.to_owned();
    for (name, value) in names {
        filled = filled.replace(&format!("{{{name}}}"), value);
    }
    let is_open = filled.match_indices('{').any(|(at, _)| {
        let rest = &filled[at + 1..];
        rest.find('}').is_some_and(|end| {
            end > 0
                && rest[..end]
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c == '_')
        })
    });
    (!is_open).then_some(filled)
}

fn fill_edit(edit: &Edit, names: &BTreeMap<String, String>) -> Option<Edit> {
    let one = |text: &String| fill(text, names);
    // One name may stand for several packages.
    let all = |texts: &Vec<String>| -> Option<Vec<String>> {
        let filled: Option<Vec<String>> = texts.iter().map(one).collect();
        let words = filled?;
        let words = words.iter().flat_map(|text| text.split_whitespace());
        Some(words.map(str::to_owned).collect())
    };
    Some(match edit {
        Edit::AddPackages { build, run } => Edit::AddPackages {
            build: all(build)?,
            run: all(run)?,
        },
        Edit::RemovePackage { package } => Edit::RemovePackage {
            package: one(package)?,
        },
        Edit::AddInstall {
            command,
            first,
            late,
        } => Edit::AddInstall {
            command: fill_command(command, names)?,
            first: *first,
            late: *late,
        },
        Edit::ReplaceInCommands { piece, by } => Edit::ReplaceInCommands {
            piece: one(piece)?,
            by: fill_command(by, names)?,
        },
        Edit::RemoveCommand { piece } => Edit::RemoveCommand { piece: one(piece)? },
        Edit::SetVersion { version } => Edit::SetVersion {
            version: one(version)?,
        },
        Edit::WrapStart { words } => {
            let filled: Option<Vec<String>> = words.iter().map(one).collect();
            Edit::WrapStart { words: filled? }
        }
        Edit::SetBuildEnv { name, value } => Edit::SetBuildEnv {
            name: one(name)?,
            value: one(value)?,
        },
        Edit::SetEnv { name, value } => Edit::SetEnv {
            name: one(name)?,
            value: one(value)?,
        },
        Edit::AddVolume {
            path,
            persistent,
            seeded,
        } => Edit::AddVolume {
            path: one(path)?,
            persistent: *persistent,
            seeded: *seeded,
        },
        Edit::TraceWrites { endings } => Edit::TraceWrites {
            endings: endings.clone(),
        },
        Edit::LinkFile { path, scratch } => Edit::LinkFile {
            path: one(path)?,
            scratch: *scratch,
        },
        Edit::SkipPrepare {} => Edit::SkipPrepare {},
        Edit::MoreMemory {} => Edit::MoreMemory {},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_the_first_cause_of_its_own_example() {
        let catalog = Catalog::built_in();
        let mut wrong = Vec::new();
        for (id, recipe) in catalog.repairs.iter().filter(|(_, rule)| !rule.last_resort) {
            let example = recipe.example.as_deref().unwrap_or_default();
            let found = report(example, None, &catalog);
            match found.causes.first() {
                Some(cause) if cause.rule == *id && !cause.remedy.contains('{') => {}
                Some(cause) => wrong.push(format!("{id}: {} ({})", cause.rule, cause.remedy)),
                None => wrong.push(format!("{id}: nothing")),
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[track_caller]
    fn check(log: &str, dockerfile: &str, rule: &str, remedy: &str) {
        let found = report(log, Some(dockerfile), &Catalog::built_in());
        let first = found.causes.first().expect("a cause");
        assert_eq!(first.rule, rule, "{found:#?}");
        assert!(first.remedy.contains(remedy), "{}", first.remedy);
    }

    #[test]
    fn a_package_has_the_name_that_the_image_of_the_dockerfile_gives_it() {
        let log = "fatal error: ffi.h: No such file or directory\nerror: command 'gcc' failed with exit status 1";
        let on = |image: &str| format!("FROM {image}\nRUN pip install cffi\n");
        check(
            log,
            &on("python:3.9-slim-bullseye"),
            "header-missing-python",
            "apt-get install --yes libffi-dev",
        );
        check(
            log,
            &on("python:3.9-alpine"),
            "header-missing-python",
            "apk add --no-cache libffi-dev",
        );
    }

    #[test]
    fn the_instruction_is_the_one_that_failed() {
        let dockerfile = "FROM alpine:3.19 AS base\nRUN apk add git\n\nFROM base\nRUN echo a \\\n  && made-up-tool\n";
        let log = "Step 4/4 : RUN echo a   && made-up-tool\n ---> Running in 0123456789ab\na\n/bin/sh: made-up-tool: not found\n";
        let found = report(log, Some(dockerfile), &Catalog::built_in());
        let instruction = found.looked_at.instruction.expect("is known");
        assert_eq!(instruction.line, Some(5));
        assert_eq!(found.looked_at.base_image.as_deref(), Some("alpine:3.19"));
        assert_eq!(found.causes[0].line, 4);
    }

    #[test]
    fn a_line_of_a_step_that_ended_well_is_no_cause() {
        let log = "#7 [2/3] RUN ./a\n#7 0.101 /bin/sh: 1: made-up: not found\n#7 DONE 0.3s\n#8 [3/3] RUN pip install -r a.txt\n#8 1.230 ERROR: No matching distribution found for made-up==9\n#8 ERROR: process \"/bin/sh -c pip install -r a.txt\" did not complete successfully: exit code: 1\n";
        let found = report(log, None, &Catalog::built_in());
        assert_eq!(
            found.category, "python-no-matching-distribution",
            "{found:#?}"
        );
    }

    #[test]
    fn a_log_that_says_nothing_is_unknown() {
        let found = report("doing things\ndone\n", None, &Catalog::built_in());
        assert_eq!(found.category, "unknown");
        assert_eq!((found.looked_at.lines, found.causes.len()), (2, 0));
    }
}
