//! Files of environment variables, with their comments.

use std::collections::HashMap;

use crate::source::SourceFile;

/// A line `NAME=value` of an env file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvLine {
    /// The name.
    pub name: String,
    /// The value, unquoted; empty where there is none.
    pub value: String,
    /// The comment above or beside it.
    pub about: Option<String>,
    /// Whether the line is commented out.
    pub disabled: bool,
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
}

/// Returns the lines `NAME=value` of `source`, commented-out ones included.
pub fn env_lines(source: &SourceFile) -> Vec<EnvLine> {
    let mut lines: Vec<EnvLine> = Vec::new();
    // Values by name, for lines that refer to one above.
    let mut values: HashMap<&str, String> = HashMap::new();
    let mut about: Option<String> = None;
    for (index, line) in source.text.lines().enumerate() {
        let text = line.trim();
        let bare = text.trim_start_matches('#').trim();
        let disabled = text.starts_with('#');
        let assignment = bare.strip_prefix("export ").unwrap_or(bare).split_once('=');
        match assignment {
            Some((name, value))
                if is_env_name(name.trim_end()) && !(disabled && bare.contains(". ")) =>
            {
                let (value, beside) = env_value(value);
                let other = value
                    .strip_prefix("${")
                    .and_then(|rest| rest.strip_suffix('}'));
                let value = other
                    .and_then(|name| values.get(name))
                    .cloned()
                    .unwrap_or(value);
                let name = name.trim_end();
                if !disabled && !value.is_empty() {
                    values.entry(name).or_insert_with(|| value.clone());
                }
                lines.push(EnvLine {
                    name: name.to_owned(),
                    value,
                    about: beside.or_else(|| about.take()),
                    disabled,
                    file: source.path.clone(),
                    line: index + 1,
                });
            }
            _ if text.is_empty() => about = None,
            // Symfony Flex marks so whose lines they are: `###> symfony/mailer ###`.
            _ if disabled && bare.starts_with(['>', '<']) => about = None,
            _ if disabled && !bare.is_empty() => about = Some(bare.to_owned()),
            _ => {}
        }
    }
    lines
}

fn is_env_name(name: &str) -> bool {
    crate::shell::is_name(name) && name.chars().any(|c| c.is_ascii_uppercase())
}

/// Removes quotes and a comment behind the value, which is returned second.
fn env_value(text: &str) -> (String, Option<String>) {
    let text = text.trim();
    for quote in ['"', '\''] {
        if let Some(rest) = text.strip_prefix(quote) {
            let (value, after) = rest.split_once(quote).unwrap_or((rest, ""));
            return (value.to_owned(), comment(after));
        }
    }
    match text.split_once(" #") {
        Some((value, about)) => (value.trim().to_owned(), comment(about)),
        None => (text.to_owned(), None),
    }
}

fn comment(text: &str) -> Option<String> {
    let text = text.trim().trim_start_matches('#').trim();
    (!text.is_empty()).then(|| text.to_owned())
}
