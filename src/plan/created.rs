//! Configuration files that documents have a person create: what differs between environments, or is
//! secret, comes from environment variables.
//!
//! A source file reads the variables itself. A file of data is filled when a container starts, by a
//! script before the start command, and lies in memory: the image holds a link to it.

use std::{
    cell::LazyCell,
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::Range,
    sync::Arc,
};

use super::{
    Command, ExtraFile, Fate, Image, Origin, OriginKind, Volume,
    env::{self, Candidate},
    ledger::{self, Ledger},
};
use crate::{
    manifest::settings::{Setting, settings},
    name::plain,
    output::OutputPath,
    quote,
    recipe::{Catalog, ServiceRecipe},
    repo::{self, Repo},
    select::Selection,
    shell,
    source::SourceFile,
    step::Action,
};

/// Where the files lie that are filled at each start.
const FILLED: &str = "/run/settings";
/// The script that fills them.
const SCRIPT: &str = "/usr/local/bin/with-settings";
/// Ends the text of a file in the script.
const END: &str = "END_OF_FILE";

/// A configuration file, with what takes the place of values.
#[derive(Debug, Clone)]
pub struct CreatedFile {
    /// The step that writes it.
    step: usize,
    /// Its path in the repository.
    pub path: String,
    text: String,
    slots: Vec<Slot>,
    manner: Manner,
    origin: Origin,
}

/// A value that comes from a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Slot {
    name: String,
    value: String,
    range: Range<usize>,
    quote: Option<char>,
    origin: Origin,
}

/// How the variables get into a file.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Manner {
    /// The file is source code that reads them: `{name}` in `read` is the name, `head` stands at the
    /// top.
    Reads { read: String, head: Option<String> },
    /// They are filled in, between double quotes or as they are.
    Filled { quoted: bool },
}

impl CreatedFile {
    /// Returns whether the file takes a value from the variable `name`.
    pub fn reads(&self, name: &str) -> bool {
        self.slots.iter().any(|slot| slot.name == name)
    }

    /// Returns the file as far as it is the same in every environment.
    pub fn fixed_part(&self) -> Arc<SourceFile> {
        let text = self.with_slots(|_| String::new(), str::to_owned);
        Arc::new(SourceFile::new(&self.path, text))
    }

    /// The text, with `value` in the place of each slot and `between` of what stands between them.
    fn with_slots(
        &self,
        value: impl Fn(&Slot) -> String,
        between: impl Fn(&str) -> String,
    ) -> String {
        let mut text = String::new();
        let mut at = 0;
        for slot in &self.slots {
            text += &between(&self.text[at..slot.range.start]);
            text += &value(slot);
            at = slot.range.end;
        }
        text + &between(&self.text[at..])
    }

    /// The text of source code that reads its values from the environment.
    fn reading(&self, read: &str, head: Option<&str>) -> String {
        let text = self.with_slots(|slot| read.replace("{name}", &slot.name), str::to_owned);
        match head {
            Some(head)
                if !self.slots.is_empty() && !text.lines().any(|line| line.trim() == head) =>
            {
                format!("{head}\n{text}")
            }
            _ => text,
        }
    }

    /// The lines of shell that write the file.
    fn filling(&self, quoted: bool) -> String {
        let target = format!("{FILLED}/{}", self.path);
        let value = |slot: &Slot| match (quoted, slot.quote) {
            (true, _) => format!("\"$(quoted \"${{{}-}}\")\"", slot.name),
            (false, Some(quote)) => format!("{quote}${{{}-}}{quote}", slot.name),
            (false, None) => format!("${{{}-}}", slot.name),
        };
        format!(
            "mkdir -p {}\ncat > {} <<{END}\n{}\n{END}\n",
            quote::shell::word(repo::folder_of(&target)),
            quote::shell::word(&target),
            self.with_slots(value, quote::shell::in_here_document)
        )
    }
}

/// Returns the configuration files of the component that documents have a person create, without
/// those that a command writes and that are the same everywhere.
pub fn created_files(
    repo: &Repo,
    selection: &Selection<'_>,
    catalog: &Catalog,
    ledger: &Ledger<'_>,
) -> Vec<CreatedFile> {
    let mut files: Vec<CreatedFile> = Vec::new();
    let patterns = LazyCell::new(|| catalog.secrets());
    let holds_secret = |name: &str, value: &str| patterns.of_variable(name, value).is_some();
    // What pages are built from is read by browsers, which have no environment.
    if selection.serves_static() {
        return files;
    }
    for (index, step) in ledger.open() {
        let Action::WriteFile {
            path,
            text,
            appends: false,
        } = &step.action
        else {
            continue;
        };
        let mut assets = selection.assets.iter();
        let is_of_pages = assets.any(|assets| repo::is_inside(path, &assets.folder));
        let is_env = path.contains(".env");
        let is_open = !step.words.is_empty() && text.contains('$');
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
        let is_there = repo.contains(path) || !path.chars().all(is_plain);
        // A generated file shows all that stands in it.
        let hides = text.contains(|c| quote::is_hidden(c) && !matches!(c, '\n' | '\t'));
        if is_there
            || hides
            || is_of_pages
            || is_env
            || is_open
            || path.starts_with("..")
            || text.contains(END)
        {
            continue;
        }
        let Some(manner) = manner(path, catalog) else {
            continue;
        };
        let first = step.source.line(step.span.start);
        let ending = path.rsplit('.').next().unwrap_or_default();
        let found = settings(text, ending, catalog);
        let roles = roles(&found, catalog);
        let mut slots: Vec<Slot> = Vec::new();
        let (mut read, mut lines_above) = (0, 0);
        for setting in &found {
            let start = setting.range.start;
            lines_above += text[read.min(start)..start].matches('\n').count();
            read = read.max(start);
            let Some(name) = variable_of(setting, &roles, selection, catalog, &holds_secret) else {
                continue;
            };
            let name = match is_taken(&name, catalog) {
                true => with_stem(&name, path),
                false => name,
            };
            // A block begins where its first line is; lines of a here-document follow the command.
            let line = first + lines_above + usize::from(!step.words.is_empty());
            let said = Origin::at(
                OriginKind::Readme,
                &step.source.path,
                line,
                format!("`{}` of {path}", setting.keys.join(".")),
            );
            slots.push(Slot {
                name,
                value: setting.value.clone(),
                range: setting.range.clone(),
                quote: setting.quote,
                origin: said,
            });
        }
        let is_refused = ending == "php" && !may_call(text, &slots, catalog);
        // What a command writes, it writes while the image is built.
        let is_fixed = slots.is_empty() && !step.words.is_empty();
        if is_fixed || is_refused || files.iter().any(|known| known.path == *path) {
            continue;
        }
        files.push(CreatedFile {
            step: index,
            path: path.clone(),
            text: text.clone(),
            slots,
            manner,
            origin: ledger::origin(step),
        });
    }
    files
}

/// How a file of this name is given its values.
fn manner(path: &str, catalog: &Catalog) -> Option<Manner> {
    let ending = path.rsplit('.').next()?;
    let list = |list: &str| catalog.list("settings", list);
    let is_listed = |name: &str| list(name).iter().any(|known| known == ending);
    let of_ending = |name: &str| {
        let mut lines = list(name).iter().filter_map(|line| line.split_once('='));
        lines
            .find(|(known, _)| *known == ending)
            .map(|(_, text)| text.to_owned())
    };
    let is_packed = list("packed")
        .iter()
        .any(|folder| path.contains(folder.as_str()));
    if is_packed {
        let read = list("packed-read").first()?.clone();
        return Some(Manner::Reads { read, head: None });
    }
    if let Some(read) = of_ending("code") {
        let head = of_ending("heads");
        return Some(Manner::Reads { read, head });
    }
    let quoted = is_listed("quoted");
    (quoted || is_listed("plain")).then_some(Manner::Filled { quoted })
}

/// Whether functions may be called where the slots stand.
fn may_call(text: &str, slots: &[Slot], catalog: &Catalog) -> bool {
    let fixed = catalog.list("settings", "fixed");
    slots.iter().all(|slot| {
        let start = text[..slot.range.start].rfind('\n').map_or(0, |at| at + 1);
        let line = text[start..].trim_start();
        !fixed.iter().any(|word| line.starts_with(word.as_str()))
    })
}

/// The variable that takes the place of a value: of a secret, of what only the reader knows, and of
/// what leads to a service.
fn variable_of(
    setting: &Setting,
    roles: &Roles<'_>,
    selection: &Selection<'_>,
    catalog: &Catalog,
    holds_secret: &dyn Fn(&str, &str) -> bool,
) -> Option<String> {
    let name = variable_name(setting, roles, catalog)?;
    let is_placeholder = env::is_placeholder(&setting.value, catalog);
    let is_text = setting.quote.is_some() || is_placeholder || !is_quoted_kind(&setting.value);
    let names_service = |recipe: &ServiceRecipe| {
        let mut names = recipe.env.values().flatten();
        names.any(|known| *known == name)
    };
    let is_of_service = catalog.services.values().any(names_service);
    let is_address = service_of_address(&setting.value, catalog).is_some();
    let key = setting.keys.last().map_or("", String::as_str);
    let is_meant = env::is_secret(&name, catalog)
        || is_placeholder && !setting.value.is_empty()
        || is_of_service
        || is_address
        || hinted(&name, &setting.value, selection, catalog).is_some()
        || holds_secret(key, &setting.value);
    (is_text && is_meant).then_some(name)
}

/// A number or a truth value, which goes without quotes.
fn is_quoted_kind(value: &str) -> bool {
    value.parse::<f64>().is_ok()
        || ["true", "false", "null", "None", "True", "False"].contains(&value)
}

/// The service of which `value` is an address: `mongodb+srv://…` is one of MongoDB.
fn service_of_address<'c>(value: &str, catalog: &'c Catalog) -> Option<&'c ServiceRecipe> {
    let value = value.strip_prefix("jdbc:").unwrap_or(value);
    let (scheme, _) = value.split_once("://")?;
    let scheme = scheme.split('+').next().unwrap_or(scheme);
    let mut services = catalog.services.values();
    services.find(|recipe| recipe.schemes.iter().any(|known| known == scheme))
}

/// The service, among those whose client the application has, that a placeholder names as an address:
/// `db: "your MongoDB connection string"`.
fn hinted<'c>(
    name: &str,
    value: &str,
    selection: &Selection<'_>,
    catalog: &'c Catalog,
) -> Option<&'c ServiceRecipe> {
    let said = format!("{name} {value}").to_lowercase();
    let is_address = catalog
        .list("settings", "addresses")
        .iter()
        .any(|word| said.contains(word.as_str()));
    let is_open = value.is_empty() || env::is_placeholder(value, catalog);
    let mut services = catalog.services.values().filter(|_| is_address && is_open);
    services.find(|recipe| {
        let is_named = recipe
            .detect
            .words
            .iter()
            .any(|word| said.contains(word.as_str()));
        let has = |name: &String| selection.manifest.package(name).is_some();
        is_named && recipe.detect.packages.iter().any(has)
    })
}

/// What the settings of each block are of a connection.
type Roles<'s> = HashMap<&'s [String], BTreeSet<&'static str>>;

fn roles<'s>(settings: &'s [Setting], catalog: &Catalog) -> Roles<'s> {
    let mut roles = Roles::new();
    for (last, around) in settings.iter().filter_map(|known| known.keys.split_last()) {
        if let Some(role) = role_of(last, catalog) {
            roles.entry(around).or_default().insert(role);
        }
    }
    roles
}

/// What the setting `name` is of a connection, if it is anything.
fn role_of(name: &str, catalog: &Catalog) -> Option<&'static str> {
    let roles = [
        ("host", "HOST"),
        ("port", "PORT"),
        ("user", "USER"),
        ("password", "PASSWORD"),
        ("database", "NAME"),
        ("database-in-block", "NAME"),
    ];
    let mut roles = roles.into_iter();
    let role = roles.find(|(list, _)| is_listed(name, "addresses", list, catalog));
    role.map(|(_, role)| role)
}

/// Whether the letters and digits of `name` are one of a list of words.
fn is_listed(name: &str, table: &str, list: &str, catalog: &Catalog) -> bool {
    catalog.list(table, list).contains(&plain(name))
}

/// The name of the variable for a setting: `jwtSecret` is `JWT_SECRET`; the host of a database is
/// `DB_HOST`, whatever stands around it.
fn variable_name(setting: &Setting, roles: &Roles<'_>, catalog: &Catalog) -> Option<String> {
    let (last, around) = setting.keys.split_last()?;
    let listed = |table: &str, list: &str, name: &str| is_listed(name, table, list, catalog);
    let role_of = |name: &str| role_of(name, catalog);
    let none = BTreeSet::new();
    let beside = roles.get(around).unwrap_or(&none);
    let connects = beside.contains("HOST") && (beside.contains("NAME") || beside.contains("USER"));
    let is_database = match around.last() {
        Some(last) => listed("settings", "connections", last),
        None => beside.contains("NAME"),
    };
    let is_bare = |name: &str| !name.contains('_') || name.to_lowercase() == *name;
    if connects
        && is_database
        && is_bare(last)
        && let Some(role) = role_of(last)
    {
        return Some(format!("DB_{role}"));
    }
    let outer = around
        .iter()
        .filter(|name| !listed("settings", "outer", name));
    let parts: Vec<String> = outer.chain([last]).map(|name| upper(name)).collect();
    Some(parts.join("_")).filter(|name| shell::is_name(name))
}

/// `mongoURI` → `MONGO_URI`, `spring.datasource.url` → `SPRING_DATASOURCE_URL`.
fn upper(name: &str) -> String {
    let mut text = String::new();
    let mut before = ' ';
    for c in name.chars() {
        let begins =
            c.is_ascii_uppercase() && (before.is_ascii_lowercase() || before.is_ascii_digit());
        if begins {
            text.push('_');
        }
        text.push(if c.is_ascii_alphanumeric() {
            c.to_ascii_uppercase()
        } else {
            '_'
        });
        before = c;
    }
    text.trim_matches('_').to_owned()
}

/// Whether the variable means something else already.
fn is_taken(name: &str, catalog: &Catalog) -> bool {
    ["system", "host", "port", "mode"]
        .iter()
        .any(|list| env::listed(catalog, "environment", list, name))
}

fn with_stem(name: &str, path: &str) -> String {
    let file = repo::file_name(path);
    let stem = file.split('.').next().unwrap_or(file);
    format!("{}_{name}", upper(stem))
}

/// Adds the variables of the files to those that are known.
pub fn add_candidates(
    found: &mut BTreeMap<String, Candidate>,
    files: &[CreatedFile],
    selection: &Selection<'_>,
    catalog: &Catalog,
) {
    for file in files {
        for slot in &file.slots {
            let candidate = found.entry(slot.name.clone()).or_default();
            candidate.origin.push(slot.origin.clone());
            candidate.required = true;
            let value = &slot.value;
            let is_placeholder = value.is_empty() || env::is_placeholder(value, catalog);
            let about = match is_placeholder && !value.is_empty() {
                true => format!("goes into {}; the README writes {value}", file.path),
                false => format!("goes into {}", file.path),
            };
            candidate.about.get_or_insert(about);
            let service = service_of_address(value, catalog)
                .or_else(|| hinted(&slot.name, value, selection, catalog));
            let is_plain = service.is_some_and(|recipe| {
                let scheme = value.split_once("://").map(|(scheme, _)| scheme);
                recipe
                    .schemes
                    .iter()
                    .any(|known| Some(known.as_str()) == scheme)
                    && !value.contains(['@', '<'])
            });
            let shown = match service {
                // Where it stands for an address of the author's, or for any.
                Some(recipe) if !is_plain => recipe
                    .schemes
                    .first()
                    .map(|scheme| format!("{scheme}://localhost")),
                _ => (!is_placeholder).then(|| value.clone()),
            };
            if let Some(shown) = shown {
                candidate.told.get_or_insert(shown);
            }
        }
    }
}

/// Adds the files that are the same wherever they run to the source, and says what became of all.
/// One in which a secret stands where no variable can take its place is left to the reader.
pub fn add_to_source(
    files: &[CreatedFile],
    image: &mut Image,
    catalog: &Catalog,
    ledger: &mut Ledger<'_>,
) {
    for file in files {
        if file.slots.is_empty() && super::files::has_secret(&file.text, catalog) {
            ledger.skip(file.step, "holds-values-of-one-machine", Some(&file.path));
            continue;
        }
        let Ok(path) = OutputPath::parse(&format!("container/source/{}", file.path)) else {
            ledger.skip(file.step, "name-cannot-be-written", Some(&file.path));
            continue;
        };
        let remark = match (&file.manner, file.slots.is_empty()) {
            (Manner::Filled { .. }, false) => "filled from environment variables at each start",
            (Manner::Reads { .. }, false) => "with values from environment variables",
            (_, true) => "as it is written there",
        };
        let remark = Some(remark.to_owned());
        ledger.set(file.step, Fate::Dockerfile, "Dockerfile", remark);
        let contents = match &file.manner {
            Manner::Reads { read, head } => file.reading(read, head.as_deref()),
            Manner::Filled { .. } if file.slots.is_empty() => file.text.clone(),
            Manner::Filled { .. } => continue,
        };
        image.source_files.push(ExtraFile {
            path,
            to: format!("{}/{}", image.workdir, file.path),
            contents: format!("{contents}\n"),
            executable: false,
            origin: vec![file.origin.clone()],
        });
    }
}

/// Lays the files that are filled at each start into the image: links to them, the script, and the
/// folder in memory that it writes to.
pub fn fill(files: &[CreatedFile], image: &mut Image, volumes: &mut Vec<Volume>) {
    let filled = |file: &&CreatedFile| {
        matches!(file.manner, Manner::Filled { .. }) && !file.slots.is_empty()
    };
    let files: Vec<&CreatedFile> = files.iter().filter(filled).collect();
    if files.is_empty() {
        return;
    }
    let origin: Vec<Origin> = files.iter().map(|file| file.origin.clone()).collect();
    let mut script = "#!/bin/sh\n# Writes the files with settings that the documents have a person create, from environment\n# variables, and becomes the command.\nset -eu\n\n".to_owned();
    let is_quoted = |file: &&CreatedFile| file.manner == Manner::Filled { quoted: true };
    if files.iter().any(is_quoted) {
        script += "# A value between double quotes.\nquoted() {\n  printf '%s' \"$1\" | sed 's/[\\\\\"]/\\\\&/g'\n}\n\n";
    }
    for file in &files {
        let target = format!("{}/{}", image.workdir, file.path);
        let line = format!(
            "mkdir -p {} && ln -s {} {}",
            quote::shell::word(repo::folder_of(&target)),
            quote::shell::word(&format!("{FILLED}/{}", file.path)),
            quote::shell::word(&target)
        );
        image
            .run_setup
            .push(Command::new(line, ".", vec![file.origin.clone()]));
        script += &file.filling(is_quoted(file));
    }
    script += "\nexec \"$@\"\n";
    image.extra_files.push(ExtraFile {
        path: OutputPath::fixed("container/with-settings.sh"),
        to: SCRIPT.to_owned(),
        contents: script,
        executable: true,
        origin: origin.clone(),
    });
    image.entrypoint.push(SCRIPT.to_owned());
    volumes.push(Volume {
        path: FILLED.to_owned(),
        persistent: false,
        reason: "files with settings, written at each start".to_owned(),
        origin,
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(ending: &str, text: &str, expected: &[&str]) {
        let catalog = Catalog::built_in();
        let found = settings(text, ending, &catalog);
        let names: Vec<String> = found
            .iter()
            .filter_map(|setting| variable_name(setting, &roles(&found, &catalog), &catalog))
            .collect();
        assert_eq!(names, expected);
    }

    #[test]
    fn settings_have_the_names_that_variables_usually_have() {
        check(
            "json",
            r#"{"mongoURI": "x", "jwtSecret": "y"}"#,
            &["MONGO_URI", "JWT_SECRET"],
        );
        check(
            "json",
            r#"{"mail": {"host": "x", "user": "y"}}"#,
            &["MAIL_HOST", "MAIL_USER"],
        );
        check(
            "properties",
            "spring.datasource.url=x",
            &["SPRING_DATASOURCE_URL"],
        );
        check(
            "js",
            "module.exports = { env: { apiKey: 'x' } }",
            &["API_KEY"],
        );
    }

    #[test]
    fn the_connection_of_a_database_has_names_of_its_own() {
        let of_sequelize = r#"{"production": {"username": "a", "password": "b", "database": "c", "host": "d", "dialect": "mysql"}}"#;
        check(
            "json",
            of_sequelize,
            &["DB_USER", "DB_PASSWORD", "DB_NAME", "DB_HOST", "DIALECT"],
        );
        check(
            "py",
            "DATABASES = {'default': {'NAME': 'a', 'USER': 'b', 'HOST': 'c'}}",
            &["DB_NAME", "DB_USER", "DB_HOST"],
        );
        check(
            "ini",
            "[mysql]\nhost=a\nuser=b\n",
            &["MYSQL_HOST", "MYSQL_USER"],
        );
    }

    #[test]
    fn what_stands_between_values_means_nothing_to_a_shell() {
        let text = r#"{"a": "x", "b": "$HOME `id` \n"}"#;
        let file = CreatedFile {
            step: 0,
            path: "config/a b.json".to_owned(),
            text: text.to_owned(),
            slots: vec![Slot {
                name: "A".to_owned(),
                value: "x".to_owned(),
                range: 6..9,
                quote: Some('"'),
                origin: Origin::manifest("README.md", ""),
            }],
            manner: Manner::Filled { quoted: true },
            origin: Origin::manifest("README.md", ""),
        };
        let expected = r#"mkdir -p /run/settings/config
cat > '/run/settings/config/a b.json' <<END_OF_FILE
{"a": "$(quoted "${A-}")", "b": "\$HOME \`id\` \\n"}
END_OF_FILE
"#;
        assert_eq!(file.filling(true), expected);
        assert_eq!(
            file.reading("process.env.{name}", None),
            r#"{"a": process.env.A, "b": "$HOME `id` \n"}"#
        );
    }
}
