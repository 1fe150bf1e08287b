//! What a development server hands on: the paths below which another program of the repository
//! answers, and on which port it does.

use std::collections::BTreeSet;

use super::literal::{self, Literal, Value};
use crate::{
    recipe::ProxiedFile,
    repo::{self, Repo},
    source::SourceFile,
};

/// Paths that a development server hands on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handed {
    /// The paths begin with this; `None` stands for what is neither a file nor asked for as a page.
    pub path: Option<String>,
    /// The address, as written.
    pub target: String,
    /// What stands at the beginning of the path, and what takes its place: `/api` and nothing.
    pub rewrite: Option<(String, String)>,
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The words that say so.
    pub text: String,
}

/// Returns what the files that a recipe names say, for the component in `folder`; a path that
/// occurs twice is taken as it stands first.
pub fn handed(repo: &Repo, folder: &str, files: &[ProxiedFile]) -> Vec<Handed> {
    let mut all: Vec<Handed> = Vec::new();
    let mut paths = BTreeSet::new();
    for known in files {
        for path in repo.glob(&repo::join(folder, &known.file)) {
            let Some(source) = repo.source(path) else {
                continue;
            };
            let mut found = Vec::new();
            for function in &known.calls {
                for arguments in literal::calls(&source, function) {
                    of_call(&arguments, &mut found);
                }
            }
            if let Some(key) = &known.key {
                for value in literal::at_key(&source, key) {
                    of_value(&value, &mut found);
                }
            }
            for entry in found {
                if paths.insert(entry.path.clone()) {
                    all.push(entry.at(&source));
                }
            }
        }
    }
    all
}

/// What was found, before its place is known.
struct Found {
    path: Option<String>,
    target: String,
    rewrite: Option<(String, String)>,
    at: usize,
}

impl Found {
    fn at(self, source: &SourceFile) -> Handed {
        let line = source.line(self.at);
        Handed {
            path: self.path,
            target: self.target,
            rewrite: self.rewrite,
            file: source.path.clone(),
            line,
            text: source.excerpt(self.at).to_owned(),
        }
    }
}

/// `"http://localhost:4000"`, `{ "/api": … }` or `[{ context: ["/api"], target: … }]`.
fn of_value(value: &Literal, found: &mut Vec<Found>) {
    match &value.value {
        Value::Text(target) => found.push(Found {
            path: None,
            target: target.clone(),
            rewrite: None,
            at: value.at,
        }),
        Value::Table(entries) => {
            for (key, options) in entries {
                of_options(key, options, options.at, found);
            }
        }
        Value::List(entries) => {
            for options in entries {
                for context in texts(options.get("context").or(options.get("path"))) {
                    of_options(context, options, options.at, found);
                }
            }
        }
        Value::Replace(..) | Value::Other => {}
    }
}

/// `proxy("/api", { target })`, `proxy({ target, pathFilter: "/api" })`.
fn of_call(arguments: &[Literal], found: &mut Vec<Found>) {
    let Some(options) = arguments.iter().find(|value| value.get("target").is_some()) else {
        return;
    };
    let mut paths = texts(arguments.first());
    paths.extend(texts(options.get("pathFilter")));
    for path in paths {
        of_options(path, options, options.at, found);
    }
}

/// A text, or a list of them.
fn texts(value: Option<&Literal>) -> Vec<&str> {
    match value.map(|value| &value.value) {
        Some(Value::Text(text)) => vec![text],
        Some(Value::List(list)) => list.iter().filter_map(Literal::text).collect(),
        _ => Vec::new(),
    }
}

fn of_options(pattern: &str, options: &Literal, at: usize, found: &mut Vec<Found>) {
    let target = options.text().or_else(|| options.get("target")?.text());
    let (Some(target), Some(path)) = (target, prefix(pattern)) else {
        return;
    };
    let rewrite = options
        .get("rewrite")
        .or_else(|| options.get("pathRewrite"));
    let rewrite = rewrite.and_then(|rewrite| match &rewrite.value {
        Value::Replace(pattern, by) => Some((prefix(pattern)?, by.clone())),
        Value::Table(entries) => entries
            .iter()
            .find_map(|(pattern, by)| Some((prefix(pattern)?, by.text()?.to_owned()))),
        Value::Text(_) | Value::List(_) | Value::Other => None,
    });
    found.push(Found {
        path: Some(path).filter(|path| !path.is_empty()),
        target: target.to_owned(),
        rewrite,
        at,
    });
}

/// The beginning of a path that `pattern` stands for, without a slash at its end: `/api`, `^/api`,
/// `/api/*`, `^\/api/.*`. `None` where it is more than that; empty for every path.
fn prefix(pattern: &str) -> Option<String> {
    let plain = pattern.replace("\\/", "/");
    let plain = plain.trim_start_matches('^');
    let plain = plain.trim_end_matches('$');
    let plain = plain.strip_suffix(".*").unwrap_or(plain);
    let plain = plain.trim_end_matches('*').trim_end_matches('/');
    is_plain(plain).then(|| plain.to_owned())
}

/// Whether `path` is one that may stand in the configuration of a web server as it is.
pub fn is_plain(path: &str) -> bool {
    let is_known = |c: char| c.is_ascii_alphanumeric() || "/-_.~".contains(c);
    (path.is_empty() || path.starts_with('/')) && path.chars().all(is_known)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Path, target, and what is rewritten.
    type Entry = (Option<String>, String, Option<(String, String)>);

    fn of(code: &str) -> Vec<Entry> {
        let mut found = Vec::new();
        for value in literal::at_key(&SourceFile::new("x.js", code), "proxy") {
            of_value(&value, &mut found);
        }
        let found = found.into_iter();
        found
            .map(|one| (one.path, one.target, one.rewrite))
            .collect()
    }

    #[test]
    fn a_text_stands_for_what_is_no_file() {
        assert_eq!(
            of("x = { proxy: 'http://localhost:5000' }"),
            [(None, "http://localhost:5000".to_owned(), None)]
        );
    }

    #[test]
    fn paths_are_keys_or_contexts() {
        let expected = [
            (
                Some("/api".to_owned()),
                "http://localhost:1".to_owned(),
                None,
            ),
            (
                Some("/img".to_owned()),
                "http://localhost:1".to_owned(),
                None,
            ),
        ];
        for code in [
            "x = { proxy: { '/api': 'http://localhost:1', '^/img/.*': { target: 'http://localhost:1' } } }",
            "x = { proxy: [{ context: ['/api/**', '/img'], target: 'http://localhost:1' }] }",
        ] {
            assert_eq!(of(code), expected, "{code}");
        }
    }

    #[test]
    fn what_begins_a_path_is_replaced() {
        let rewrite = Some(("/api".to_owned(), String::new()));
        for code in [
            r"x = { proxy: { '/api': { target: 't', rewrite: p => p.replace(/^\/api/, '') } } }",
            "x = { proxy: { '/api': { target: 't', pathRewrite: { '^/api': '' } } } }",
        ] {
            assert_eq!(of(code)[0].2, rewrite, "{code}");
        }
    }

    #[test]
    fn patterns_that_are_no_beginnings_are_left_out() {
        assert_eq!(prefix("^/(api|auth)"), None);
        assert_eq!(prefix("/a; } location /"), None);
        assert_eq!(prefix("**").as_deref(), Some(""));
        assert_eq!(prefix("/").as_deref(), Some(""));
        assert_eq!(prefix("/api/").as_deref(), Some("/api"));
    }
}
