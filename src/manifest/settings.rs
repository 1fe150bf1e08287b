//! Settings in the text of a configuration file: names, what stands around them, values.

use std::ops::Range;

use crate::recipe::Catalog;

/// A setting whose value stands there as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Its name, behind those of the objects or sections around it, outermost first.
    pub keys: Vec<String>,
    /// The value without quotes.
    pub value: String,
    /// Where the value stands in the text, with its quotes, or with the comment behind it where there
    /// are none.
    pub range: Range<usize>,
    /// The quote around it.
    pub quote: Option<char>,
}

/// Returns the settings in `text`, in order, where `ending` is that of the name of its file. What is
/// computed or put together is none.
pub fn settings(text: &str, ending: &str, catalog: &Catalog) -> Vec<Setting> {
    let is = |list: &str| catalog.list("settings", list).iter().any(|e| e == ending);
    match (is("indented"), is("lines")) {
        (true, _) => indented(text),
        (_, true) => lines(text),
        _ => Scan::new(text).settings(),
    }
}

/// The value behind `=` or `:` on a line, where `at` is its offset in the text.
fn value_of_line(text: &str, at: usize) -> Option<(String, Range<usize>, Option<char>)> {
    let start = at + (text.len() - text.trim_start().len());
    let text = text.trim();
    if let Some(quote) = text.chars().next().filter(|c| "\"'".contains(*c)) {
        let end = text[1..].find(quote)? + 1;
        let rest = text[end + 1..].trim_start();
        let is_whole = rest.is_empty() || rest.starts_with(['#', ';', ',']);
        return is_whole.then(|| (text[1..end].to_owned(), start..start + end + 1, Some(quote)));
    }
    let ends = [" #", "\t#", " ;"];
    let end = ends.iter().filter_map(|mark| text.find(mark)).min();
    let text = text[..end.unwrap_or(text.len())].trim_end();
    let is_plain = !text.is_empty() && !text.starts_with(['{', '[', '|', '>', '&', '*']);
    is_plain.then(|| (text.to_owned(), start..start + text.len(), None))
}

/// The lines of `text` with their offsets.
fn with_offsets(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split_inclusive('\n').scan(0, |next, line| {
        let at = *next;
        *next += line.len();
        Some((at, line.trim_end_matches(['\n', '\r'])))
    })
}

fn unquoted(key: &str) -> String {
    key.trim().trim_matches(['"', '\'']).to_owned()
}

/// `key = value` below `[section]`.
fn lines(text: &str) -> Vec<Setting> {
    let mut found = Vec::new();
    let mut section: Vec<String> = Vec::new();
    for (at, line) in with_offsets(text) {
        let bare = line.trim();
        if bare.is_empty() || bare.starts_with(['#', ';', '!']) {
            continue;
        }
        if bare.starts_with('[') && bare.contains(']') {
            let name = bare.trim_matches(['[', ']', ' ']);
            section = name.split('.').map(unquoted).collect();
            continue;
        }
        let Some(sign) = line.find(['=', ':']) else {
            continue;
        };
        if let Some((value, mut range, quote)) = value_of_line(&line[sign + 1..], at + sign + 1) {
            // Not every reader knows of comments behind a value.
            if quote.is_none() {
                range.end = at + line.trim_end().len();
            }
            let mut keys = section.clone();
            keys.extend(line[..sign].split('.').map(unquoted));
            found.push(Setting {
                keys,
                value,
                range,
                quote,
            });
        }
    }
    found
}

/// Settings that nest by indentation.
fn indented(text: &str) -> Vec<Setting> {
    let mut found = Vec::new();
    let mut above: Vec<(usize, String)> = Vec::new();
    for (at, line) in with_offsets(text) {
        let bare = line.trim_start();
        let depth = line.len() - bare.len();
        let is_setting = !bare.is_empty() && !bare.starts_with(['#', '-']);
        let Some(sign) = line.find(':').filter(|_| is_setting) else {
            continue;
        };
        above.retain(|(known, _)| *known < depth);
        let key = unquoted(&line[depth.min(sign)..sign]);
        if let Some((value, range, quote)) = value_of_line(&line[sign + 1..], at + sign + 1) {
            let mut keys: Vec<String> = above.iter().map(|(_, key)| key.clone()).collect();
            keys.push(key);
            found.push(Setting {
                keys,
                value,
                range,
                quote,
            });
        } else {
            above.push((depth, key));
        }
    }
    found
}

/// A reader of JSON and of literals in source code.
struct Scan<'t> {
    text: &'t str,
    at: usize,
    /// What the open brackets belong to.
    around: Vec<Option<String>>,
    /// The string or name just read, which may be that of a setting.
    word: Option<String>,
    /// The name whose value is to come, and whether `=` stands behind it.
    key: Option<(String, bool)>,
    found: Vec<Setting>,
}

impl<'t> Scan<'t> {
    fn new(text: &'t str) -> Self {
        Self {
            text,
            at: 0,
            around: Vec::new(),
            word: None,
            key: None,
            found: Vec::new(),
        }
    }

    fn settings(mut self) -> Vec<Setting> {
        while let Some(c) = self.text[self.at..].chars().next() {
            match c {
                '"' | '\'' | '`' => self.string(c),
                '#' => self.skip_to("\n"),
                '/' if self.text[self.at..].starts_with("//") => self.skip_to("\n"),
                '/' if self.text[self.at..].starts_with("/*") => self.skip_to("*/"),
                ':' | '=' => {
                    let is_arrow = self.text[self.at..].starts_with("=>");
                    self.at += if is_arrow { 2 } else { 1 };
                    if let Some(word) = self.word.take() {
                        self.key = Some((word, c == '=' && !is_arrow));
                    }
                }
                '{' | '[' | '(' => {
                    let key = self.key.take();
                    // `define('NAME', 'value')` of PHP; `config = {` names the whole file.
                    let is_define = c == '(' && self.word.as_deref() == Some("define");
                    let is_file = |name: &str, assigned: bool| {
                        assigned && name.chars().any(|c| c.is_ascii_lowercase())
                    };
                    let name = key.filter(|(name, assigned)| !is_file(name, *assigned));
                    let name = name.map(|(name, _)| name);
                    self.around.push(match is_define {
                        true => Some("define(".to_owned()),
                        false => name,
                    });
                    self.word = None;
                    self.at += 1;
                }
                '}' | ']' | ')' => {
                    self.around.pop();
                    self.at += 1;
                    // `$config['password'] = '…'`
                    let rest = self.text[self.at..].trim_start();
                    let is_assigned =
                        rest.starts_with('=') && !rest.starts_with("==") && !rest.starts_with("=>");
                    if c != ']' || !is_assigned {
                        self.word = None;
                    }
                    self.key = None;
                }
                ',' if self.is_define() => {
                    self.key = self.word.take().map(|word| (word, true));
                    self.at += 1;
                }
                ',' | ';' => {
                    (self.word, self.key) = (None, None);
                    self.at += 1;
                }
                '<' if self.text[self.at..].starts_with("<?") => {
                    self.at += 2;
                    if self.text[self.at..].starts_with("php") {
                        self.at += 3;
                    }
                }
                c if c.is_alphanumeric() || c == '_' || c == '<' => self.bare(),
                c => self.at += c.len_utf8(),
            }
        }
        self.found
    }

    fn is_define(&self) -> bool {
        matches!(self.around.last(), Some(Some(name)) if name == "define(")
    }

    fn skip_to(&mut self, end: &str) {
        let rest = &self.text[self.at..];
        self.at += rest.find(end).map_or(rest.len(), |found| found + end.len());
    }

    /// Whether nothing follows that computes with the value before.
    fn is_whole(&self, end: usize) -> bool {
        let rest = self.text[end..].trim_start_matches([' ', '\t', '\r']);
        rest.is_empty() || rest.starts_with([',', ';', '}', ']', ')', '\n', '#', '/'])
    }

    fn push(&mut self, value: &str, range: Range<usize>, quote: Option<char>) {
        let Some((key, _)) = self.key.take() else {
            return;
        };
        let around = self.around.iter().flatten();
        let mut keys: Vec<String> = around.filter(|name| *name != "define(").cloned().collect();
        keys.push(key);
        self.found.push(Setting {
            keys,
            value: value.to_owned(),
            range,
            quote,
        });
    }

    fn string(&mut self, quote: char) {
        let start = self.at;
        let mut is_escaped = false;
        let inside = self.text[start + 1..].char_indices();
        let end = inside
            .take_while(|(_, c)| *c != '\n' || quote == '`')
            .find(|(_, c)| {
                let ends = *c == quote && !is_escaped;
                is_escaped = *c == '\\' && !is_escaped;
                ends
            });
        let Some((length, _)) = end else {
            self.at += 1;
            return;
        };
        let end = start + 1 + length;
        let value = &self.text[start + 1..end];
        self.at = end + 1;
        let is_plain = !value.contains('\\') && !value.contains("${");
        match self.key {
            Some(_) if is_plain && self.is_whole(self.at) => {
                self.push(value, start..self.at, Some(quote));
            }
            Some(_) => self.key = None,
            None => self.word = Some(value.to_owned()),
        }
    }

    /// A name, a number, or `<what a person knows>`.
    fn bare(&mut self) {
        let start = self.at;
        let rest = &self.text[start..];
        let is_open = rest.starts_with('<');
        let ends = || {
            rest.find(['>', '\n'])
                .filter(|end| rest[*end..].starts_with('>'))
        };
        let end = is_open.then(ends).flatten();
        let length = match (is_open, end) {
            (true, Some(end)) => end + 1,
            (true, None) => 1,
            (false, _) => rest
                .find(|c: char| !c.is_alphanumeric() && !"_$.-".contains(c))
                .unwrap_or(rest.len()),
        };
        self.at += length;
        let word = &rest[..length];
        let is_value = self.is_whole(self.at);
        // `key: string = 'value'` of TypeScript.
        let is_type = rest[length..].trim_start().starts_with('=');
        match self.key {
            Some(_) if is_value => self.push(word, start..self.at, None),
            Some(_) if is_type => {}
            _ => {
                self.key = None;
                self.word = Some(word.to_owned());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(ending: &str, text: &str, expected: &[(&str, &str)]) {
        let found = settings(text, ending, &Catalog::built_in());
        let shown: Vec<(String, &str)> = found
            .iter()
            .map(|setting| (setting.keys.join("."), setting.value.as_str()))
            .collect();
        let shown: Vec<(&str, &str)> = shown.iter().map(|(k, v)| (k.as_str(), *v)).collect();
        assert_eq!(shown, expected);
        for setting in &found {
            let inside = text[setting.range.clone()].trim_matches(['"', '\'', '`']);
            assert!(inside.starts_with(&setting.value), "{inside}");
        }
    }

    #[test]
    fn objects_nest() {
        check(
            "json",
            "{\n  \"uri\": \"mongodb://db/x\",\n  \"db\": {\"host\": \"localhost\", \"port\": 1},\n  \"list\": [\"a\"], \"key\": <your key>\n}",
            &[
                ("uri", "mongodb://db/x"),
                ("db.host", "localhost"),
                ("db.port", "1"),
                ("key", "<your key>"),
            ],
        );
    }

    #[test]
    fn literals_of_source_code_are_settings() {
        check(
            "js",
            "// keys.js\nmodule.exports = {\n  secretOrKey: 'x', // why\n  url: 'a' + b,\n  db: f('x')\n};\nexport const KEY = \"y\";",
            &[("secretOrKey", "x"), ("KEY", "y")],
        );
        check(
            "py",
            "DATABASES = {'default': {'NAME': 'shop'}}\nSECRET = os.environ['A']\nKEY = 'z'  # here\n",
            &[("DATABASES.default.NAME", "shop"), ("KEY", "z")],
        );
        check(
            "php",
            "<?php\ndefine('DB_HOST', 'localhost');\nreturn ['mail' => ['user' => 'anna']];",
            &[("DB_HOST", "localhost"), ("mail.user", "anna")],
        );
    }

    #[test]
    fn lines_and_indentation_are_settings() {
        check(
            "ini",
            "; all\n[db]\nhost = localhost ; here\nname=\"shop\"\n",
            &[("db.host", "localhost"), ("db.name", "shop")],
        );
        check(
            "yml",
            "db:\n  host: localhost # here\n  tags:\n    - a: b\nkey: 'x'\n",
            &[("db.host", "localhost"), ("key", "x")],
        );
    }

    #[test]
    fn any_text_is_read() {
        let catalog = Catalog::built_in();
        for text in [
            "{\"é: <",
            "'''",
            "<a",
            "a: `\u{e9}",
            "define('",
            "=\u{2028}>",
            "a='\\'",
        ] {
            for ending in ["json", "yml", "ini", "php"] {
                settings(text, ending, &catalog);
            }
        }
    }
}
