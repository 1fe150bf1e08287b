//! Generated files, read by other parsers than our own.

use std::collections::BTreeSet;

use longshore::{convert::Conversion, render::Artifact};
use serde::Deserialize;
use serde_yaml_ng::Value;

use super::dockerfile;

/// Holds when all files of `conversion` are what they seem.
pub fn are_sound(conversion: &Conversion) {
    for file in &conversion.artifacts {
        shows_all(&file.path, &file.contents);
        let name = file.path.rsplit('/').next().unwrap_or_default();
        match name.rsplit_once('.').map_or("", |(_, ending)| ending) {
            "yaml" => is_yaml(file),
            "env" => is_env(file),
            "md" => has_no_html(file),
            _ => {}
        }
    }
    dockerfile::are_as_planned(conversion);
}

/// Holds when `text` has no character that moves a cursor, turns the direction of writing, ends a line for
/// one reader only, or that no file may hold.
pub fn shows_all(path: &str, text: &str) {
    let hidden = text.chars().find(|c| {
        let code = u32::from(*c);
        let is_control = code < 0x20 && !matches!(c, '\n' | '\t') || (0x7f..0xa0).contains(&code);
        let turns = matches!(code, 0x200e | 0x200f | 0x202a..=0x202e | 0x2066..=0x2069 | 0x61c);
        let ends = matches!(code, 0x2028 | 0x2029 | 0xfeff | 0xfffe | 0xffff);
        is_control || turns || ends
    });
    assert!(hidden.is_none(), "{path} has {hidden:?}\n{text}");
}

/// Two readers find the same, and no key twice.
fn is_yaml(file: &Artifact) {
    let documents = serde_yaml_ng::Deserializer::from_str(&file.contents);
    let documents: Vec<Value> = documents
        .map(|document| {
            Value::deserialize(document)
                .unwrap_or_else(|error| panic!("{}: {error}\n{}", file.path, file.contents))
        })
        .collect();
    let others: Vec<Value> = serde_saphyr::from_multiple(&file.contents)
        .unwrap_or_else(|error| panic!("{}: {error}\n{}", file.path, file.contents));
    assert_eq!(documents, others, "{}", file.contents);
}

/// Each line is a comment or a variable, and no variable stands there twice.
fn is_env(file: &Artifact) {
    let mut names = BTreeSet::new();
    for line in file
        .contents
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        let (name, _) = line
            .split_once('=')
            .unwrap_or_else(|| panic!("{}", file.contents));
        let is_of_name = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
        assert!(
            !name.is_empty() && name.chars().all(is_of_name),
            "{name:?}\n{}",
            file.contents
        );
        assert!(names.insert(name), "{name}\n{}", file.contents);
    }
}

/// Markdown of people, but for the first line, which is a comment.
fn has_no_html(file: &Artifact) {
    use pulldown_cmark::{Event, Options, Parser};
    let events = Parser::new_ext(&file.contents, Options::ENABLE_TABLES);
    for (event, range) in events.into_offset_iter() {
        let is_html = matches!(event, Event::Html(_) | Event::InlineHtml(_));
        assert!(!is_html || range.start == 0, "{event:?}\n{}", file.contents);
    }
}
