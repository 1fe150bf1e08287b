//! Addresses of services that stand in the source, where no environment variable can move them.

use std::{cell::RefCell, collections::HashMap, ops::Range, rc::Rc, sync::LazyLock};

use regex::{Captures, Regex};

use super::{LOCALHOST, Origin, created::CreatedFile, image, input::Input};
use crate::{
    name::plain,
    recipe::{Catalog, Expression, ServiceRecipe},
    repo,
    source::SourceFile,
};

/// What the source says of a service: where it looks for it, and who logs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// [`LOCALHOST`] for this machine, or another host as it stands there.
    pub host: String,
    /// The host as it stands there, empty where none does.
    pub named: String,
    /// The port, where one is named.
    pub port: Option<u16>,
    /// The user.
    pub user: Option<String>,
    /// The password, which may be empty, and where it stands.
    pub password: Option<(String, Origin)>,
    /// Those of `user` and `password` that the source does not name at all.
    pub unnamed: Vec<&'static str>,
    /// The database.
    pub database: Option<String>,
    /// The line that connects.
    pub origin: Origin,
}

/// The parts of an address that patterns name.
const ROLES: [&str; 5] = ["host", "port", "user", "password", "database"];

/// An argument: a string, or a name with what is looked up in it.
const ARGUMENT: &str = r#"(?:"[^"\n]*"|'[^'\n]*'|`[^`\n]*`|[$@]?[A-Za-z_][\w.$]*(?:->\w+|\[[^\]\n]*\]|\(\s*["'][^"'\n]*["'][^)\n]*\))*|\d+)"#;

/// A part of the text of a string, or what is put in its place: `${x}`, `{x}`, `" + x + "`, `$x`.
const TEXT: &str = r#"(?:[$#]?\{[^}\n]+\}|["'`]\s*[.+]\s*[^"'`\n;,]+?\s*[.+]\s*["'`]|\$\w+(?:->\w+)*|%s|[^\s"'`$:/@;,?&{}()<>]*)"#;

/// A name and the string beside it, in the manner of most languages and configuration files.
static PAIR: LazyLock<Regex> = LazyLock::new(|| {
    constant(
        r#"(?:define\(\s*["'](?<defined>\w+)["']\s*,|["']?\b(?<name>[A-Za-z_][\w-]*)["']?\s*(?:\]\s*)?(?:=>|:=|=|:))\s*(?:"(?<double>[^"\n]*)"|'(?<single>[^'\n]*)'|(?<number>\d+)\b)"#,
    )
});

/// A key of a connection's block, and its value.
static KEY: LazyLock<Regex> = LazyLock::new(|| {
    constant(&format!(
        r#"["']?\b(?<name>[A-Za-z_][\w-]*)["']?\s*(?:=>|=|:)\s*(?<value>{ARGUMENT})"#
    ))
});

/// A word of a string such as `host=db user=anna`.
static WORD: LazyLock<Regex> =
    LazyLock::new(|| constant(&format!(r"\b(?<name>\w+)=(?<value>{TEXT})")));

fn constant(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a constant")
}

/// Returns the address of the service that stands in the source of the component; `recipes` are its
/// own and those of the services that it stands in for. Addresses on this machine come first.
pub fn written(recipes: &[&ServiceRecipe], input: &Input<'_, '_>) -> Option<Written> {
    let patterns = patterns(recipes);
    let source = Code::new(input);
    let mut others = None;
    for file in &source.files {
        for pattern in &patterns {
            for found in pattern.captures_iter(&file.text) {
                let Some(written) = source.read(file, &found, recipes) else {
                    continue;
                };
                if written.host == LOCALHOST {
                    return Some(written);
                }
                others.get_or_insert(written);
            }
        }
    }
    others
}

/// URLs of the service, and what its recipe knows of code that connects to it.
fn patterns(recipes: &[&ServiceRecipe]) -> Vec<Regex> {
    let schemes: Vec<String> = recipes
        .iter()
        .flat_map(|recipe| &recipe.schemes)
        .map(|scheme| regex::escape(scheme))
        .collect();
    let url = format!(
        r#"["'`](?:jdbc:)?(?:{})://(?:{{user=}}(?::{{password=}})?@)?{{host=}}(?::{{port=}})?(?:/{{database=}})?(?:\?(?<query>[^"'`\s]*))?"#,
        schemes.join("|")
    );
    let own = recipes.iter().flat_map(|recipe| &recipe.detect.connects);
    own.chain([&url])
        .filter_map(|pattern| Regex::new(&expanded(pattern)).ok())
        .collect()
}

/// Puts regular expressions in the place of `{host}` and `{host=}`.
pub fn expanded(pattern: &str) -> String {
    ROLES.iter().fold(pattern.to_owned(), |pattern, role| {
        pattern
            .replace(&format!("{{{role}}}"), &format!("(?<{role}>{ARGUMENT})"))
            .replace(&format!("{{{role}=}}"), &format!("(?<{role}_text>{TEXT})"))
    })
}

/// What is read of the component.
struct Code<'a> {
    files: Vec<std::sync::Arc<SourceFile>>,
    env_reads: &'a [Expression],
    catalog: &'a Catalog,
    pairs: RefCell<HashMap<String, Rc<Pairs>>>,
    /// The file and line that was looked at last, and whether it is aside: [`Code::is_aside`].
    near: RefCell<Option<((String, usize), bool)>>,
}

impl<'a> Code<'a> {
    fn new(input: &'a Input<'_, '_>) -> Self {
        let (selection, repo, catalog) = (input.selection, input.repo, input.catalog);
        let configuration = catalog
            .list("addresses", "files")
            .iter()
            .flat_map(|pattern| repo.glob(&repo::join(&selection.folder, pattern)));
        let mut paths: Vec<&str> = selection.facts.files.iter().map(String::as_str).collect();
        paths.extend(configuration);
        paths.extend(input.copied.iter().map(String::as_str));
        let mut seen = std::collections::BTreeSet::new();
        let replaced = image::replaced(input);
        let is_replaced = |path: &str| replaced.iter().any(|(sample, _)| sample == path);
        paths.retain(|path| seen.insert(*path) && !is_replaced(path));
        Self {
            files: paths
                .into_iter()
                .filter_map(|path| repo.source(path))
                .chain(input.created.iter().map(CreatedFile::fixed_part))
                .collect(),
            env_reads: &selection.stack.env_reads,
            catalog,
            pairs: RefCell::default(),
            near: RefCell::default(),
        }
    }

    /// Reads one place that connects; `None` where it is a comment, or the address comes from
    /// somewhere else.
    fn read(
        &self,
        file: &SourceFile,
        found: &Captures<'_>,
        recipes: &[&ServiceRecipe],
    ) -> Option<Written> {
        let whole = found.get(0).expect("the whole match");
        if self.is_aside(file, whole.start()) {
            return None;
        }
        let block = found
            .name("block")
            .map(|block| (block.start(), block.as_str()));
        let value = |role: &str| -> Asked {
            let text = found.name(&format!("{role}_text"));
            if let Some(words) = found.name("words") {
                return self.in_words(role, words.as_str(), words.start(), file);
            }
            match (found.name(role), text, block) {
                (Some(part), _, _) => self.argument(part.as_str(), file, part.start()),
                (None, Some(part), _) => self.text(part.as_str(), file, part.start()),
                (None, None, Some((start, text))) => self.in_block(role, text, start, file),
                (None, None, None) => Asked::Nothing,
            }
        };
        // `postgres://127.0.0.1/shop?user=anna&password=…`: postgresql.org/docs/current/libpq-connect.html
        let query = found.name("query");
        let value = |role: &str| match (value(role), query) {
            (Asked::Nothing, Some(query)) => {
                self.in_words(role, query.as_str(), query.start(), file)
            }
            (asked, _) => asked,
        };
        let host = match value("host") {
            Asked::Value(host, _) => host,
            Asked::Nothing => String::new(),
            Asked::Elsewhere => return None,
        };
        // `host:3306` in one string.
        let (host, joined_port) = match host.rsplit_once(':') {
            Some((name, port)) if port.parse::<u16>().is_ok() && !name.contains(':') => {
                (name.to_owned(), port.parse().ok())
            }
            _ => (host, None),
        };
        let is_listed = |list: &str| {
            let known = self.catalog.list("addresses", list);
            known.contains(&host)
        };
        let is_local = host.is_empty() || is_listed("local");
        // Where a connection names nobody, the same file often does, by the usual names.
        let or_beside = |role: &str| match value(role) {
            Asked::Nothing if recipes.iter().any(|recipe| recipe.database.is_some()) => {
                self.beside(role, file)
            }
            asked => asked,
        };
        let is_unnamed = |role: &&str| matches!(or_beside(role), Asked::Nothing);
        let unnamed = ["user", "password"]
            .into_iter()
            .filter(is_unnamed)
            .collect();
        let text = |asked: Asked| match asked {
            Asked::Value(value, _) => Some(value),
            Asked::Nothing | Asked::Elsewhere => None,
        };
        Some(Written {
            host: if is_local {
                LOCALHOST.to_owned()
            } else {
                host.clone()
            },
            named: host,
            unnamed,
            port: text(value("port"))
                .and_then(|port| port.parse().ok())
                .or(joined_port),
            user: text(or_beside("user")).filter(|user| is_plain(user)),
            password: match or_beside("password") {
                Asked::Value(value, origin) => Some((value, origin)),
                Asked::Nothing | Asked::Elsewhere => None,
            },
            database: text(or_beside("database")).filter(|name| is_plain(name)),
            origin: self.origin(file, whole.start()),
        })
    }

    /// Whether the line at `at` is a comment, or reads the environment.
    fn is_aside(&self, file: &SourceFile, at: usize) -> bool {
        let number = file.line(at);
        let place = (file.path.clone(), number);
        let near = self.near.take().filter(|(known, _)| *known == place);
        let (place, is_aside) = near.unwrap_or_else(|| {
            let line = file.line_text(number);
            let reads = || self.env_reads.iter().any(|read| read.is_match(line));
            (place, self.is_comment(line) || reads())
        });
        self.near.replace(Some((place, is_aside)));
        is_aside
    }

    fn is_comment(&self, line: &str) -> bool {
        let signs = self.catalog.list("addresses", "comments");
        signs
            .iter()
            .any(|sign| line.trim_start().starts_with(sign.as_str()))
    }

    /// The value of an argument.
    fn argument(&self, expression: &str, file: &SourceFile, at: usize) -> Asked {
        let is_number = expression.starts_with(|c: char| c.is_ascii_digit());
        match unquoted(expression) {
            Some(text) => Asked::Value(text.to_owned(), self.origin(file, at)),
            None if is_number => Asked::Value(expression.to_owned(), self.origin(file, at)),
            None => self.computed(expression, file),
        }
    }

    /// The value of a part of a string.
    fn text(&self, text: &str, file: &SourceFile, at: usize) -> Asked {
        match text {
            "" => Asked::Nothing,
            "%s" => Asked::Elsewhere,
            _ if text.contains(['$', '{', '"', '\'', '`']) => self.computed(text, file),
            _ => Asked::Value(text.to_owned(), self.origin(file, at)),
        }
    }

    /// The string that the last name of `expression` is given.
    fn computed(&self, expression: &str, file: &SourceFile) -> Asked {
        let is_env = expression.to_lowercase().contains("env")
            || self.env_reads.iter().any(|read| read.is_match(expression));
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let last = expression
            .trim_end_matches(|c| !is_name(c))
            .rsplit(|c| !is_name(c))
            .next()
            .unwrap_or_default();
        let assigned = || self.assigned(last, file).unwrap_or(Asked::Elsewhere);
        if is_env { Asked::Elsewhere } else { assigned() }
    }

    fn origin(&self, file: &SourceFile, at: usize) -> Origin {
        Origin::in_source(file, at)
    }

    /// The string that the name is given, in `file` or else in any other one.
    fn assigned(&self, name: &str, file: &SourceFile) -> Option<Asked> {
        let others = self
            .files
            .iter()
            .map(|other| &**other)
            .filter(|other| other.path != file.path);
        std::iter::once(file).chain(others).find_map(|file| {
            let pairs = self.pairs(file);
            let pair = *pairs.by_name.get(name)?;
            Some(pairs.asked(pair, file))
        })
    }

    /// The value beside a usual name for `role` in the pairs of one connection.
    fn in_block(&self, role: &str, block: &str, start: usize, file: &SourceFile) -> Asked {
        for found in KEY.captures_iter(block) {
            let names = [role.to_owned(), format!("{role}-in-block")];
            let is_role = names
                .iter()
                .any(|list| self.is_listed(list, &found["name"]));
            let value = found.name("value").expect("a group of the pattern");
            let at = start + value.start();
            if is_role && !self.is_comment(file.line_text(file.line(at))) {
                return self.argument(value.as_str(), file, at);
            }
        }
        Asked::Nothing
    }

    /// The value of `role` in a string such as `host=db user=anna`.
    fn in_words(&self, role: &str, words: &str, start: usize, file: &SourceFile) -> Asked {
        let found = WORD
            .captures_iter(words)
            .find(|found| self.is_listed(role, &found["name"]));
        let value = found.as_ref().and_then(|found| found.name("value"));
        value.map_or(Asked::Nothing, |value| {
            self.text(value.as_str(), file, start + value.start())
        })
    }

    /// The value beside a usual name for `role`, anywhere in `file`.
    fn beside(&self, role: &str, file: &SourceFile) -> Asked {
        let pairs = self.pairs(file);
        let names = self.catalog.list("addresses", role).iter();
        let found = names.filter_map(|name| pairs.by_plain_name.get(name)).min();
        found.map_or(Asked::Nothing, |pair| pairs.asked(*pair, file))
    }

    fn is_listed(&self, list: &str, name: &str) -> bool {
        let known = self.catalog.list("addresses", list);
        known.contains(&plain(name))
    }

    /// The pairs of `file`, which are read once.
    fn pairs(&self, file: &SourceFile) -> Rc<Pairs> {
        let mut known = self.pairs.borrow_mut();
        if let Some(known) = known.get(&file.path) {
            return Rc::clone(known);
        }
        let pairs = Rc::new(self.read_pairs(file));
        known.insert(file.path.clone(), Rc::clone(&pairs));
        pairs
    }

    fn read_pairs(&self, file: &SourceFile) -> Pairs {
        let mut pairs = Pairs::default();
        // The line that was looked at last, and whether it is a comment.
        let mut near = (0, false);
        for found in PAIR.captures_iter(&file.text) {
            let at = found.get(0).expect("the whole match").start();
            let number = file.line(at);
            if near.0 != number {
                near = (number, self.is_comment(file.line_text(number)));
            }
            if near.1 {
                continue;
            }
            let name = found.name("defined").or_else(|| found.name("name"));
            let value = ["double", "single", "number"]
                .iter()
                .find_map(|group| found.name(group));
            let (Some(name), Some(value)) = (name, value) else {
                continue;
            };
            let pair = pairs.all.len();
            pairs.all.push((at, value.range()));
            let name = name.as_str();
            pairs.by_name.entry(name.to_owned()).or_insert(pair);
            pairs.by_plain_name.entry(plain(name)).or_insert(pair);
        }
        pairs
    }
}

/// The names of a file with the strings beside them, in order.
#[derive(Default)]
struct Pairs {
    /// Where each begins, and where its value stands.
    all: Vec<(usize, Range<usize>)>,
    /// The first of each name.
    by_name: HashMap<String, usize>,
    /// As `by_name`, by small letters and digits.
    by_plain_name: HashMap<String, usize>,
}

impl Pairs {
    fn asked(&self, pair: usize, file: &SourceFile) -> Asked {
        let (at, value) = &self.all[pair];
        let value = file.text[value.clone()].to_owned();
        Asked::Value(value, Origin::in_source(file, *at))
    }
}

/// What became of looking for a part of an address.
enum Asked {
    /// It stands there.
    Value(String, Origin),
    /// The code does not say.
    Nothing,
    /// It comes from outside, or is computed.
    Elsewhere,
}

/// The text of a string without anything put into it.
fn unquoted(expression: &str) -> Option<&str> {
    let quote = expression.chars().next().filter(|c| "\"'`".contains(*c))?;
    let inner = expression.strip_prefix(quote)?.strip_suffix(quote)?;
    let is_whole = !inner.contains(quote) && !inner.contains("${") && !inner.contains("#{");
    is_whole.then_some(inner)
}

/// A name that is safe in a shell word, a URL and YAML.
fn is_plain(value: &str) -> bool {
    !value.is_empty()
        && value.len() <= 64
        && value
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c))
        && value.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_of_the_catalogue_is_a_regular_expression() {
        for (id, recipe) in &Catalog::built_in().services {
            for pattern in &recipe.detect.connects {
                let compiled = Regex::new(&expanded(pattern));
                assert!(compiled.is_ok(), "{id}: {pattern}: {compiled:?}");
            }
            assert_eq!(patterns(&[recipe]).len(), recipe.detect.connects.len() + 1);
        }
    }

    #[test]
    fn a_string_with_something_put_into_it_is_no_value() {
        assert_eq!(unquoted("'db'"), Some("db"));
        assert_eq!(unquoted("''"), Some(""));
        assert_eq!(unquoted("`${host}`"), None);
        assert_eq!(unquoted("$host"), None);
    }
}
