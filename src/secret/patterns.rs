//! Finds secrets in a text by what stands around them, or by how they begin.
//!
//! One pass over the text finds the lines with a word that belongs to a secret; only those are read.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use aho_corasick::{AhoCorasick, AhoCorasickKind, Input, MatchKind};
use memchr::{memchr, memchr2, memmem, memrchr};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{
    Known,
    value::{is_ordinary, looks_random},
};

/// Longer than most values, in bytes.
const LONG: usize = 256;

/// A secret in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// Where it stands.
    pub range: Range<usize>,
    /// Name of the variable that could take its place.
    pub name: String,
    /// Whether its own form says that it is a secret, and not only its place.
    pub is_certain: bool,
}

/// Gives a list of words by its name.
type Lists<'c> = Box<dyn Fn(&str) -> &'c [String] + 'c>;

/// How secrets are written: the lists of `recipes/words/secrets.toml`.
pub struct Patterns<'c> {
    list: Lists<'c>,
    tokens: Vec<Token<'c>>,
    flags: Vec<Flag<'c>>,
    /// Where a token begins, by its place in `tokens`.
    beginnings: Option<AhoCorasick>,
    /// What every secret has on its line.
    signs: Option<AhoCorasick>,
}

/// How the tokens of a provider are written.
struct Token<'c> {
    begin: &'c str,
    /// How many characters follow at least.
    length: usize,
    name: &'c str,
    /// Further characters, of which one must be there.
    further: &'c str,
}

/// A flag of a program, and where its password stands.
struct Flag<'c> {
    program: Vec<&'c str>,
    flag: &'c str,
    form: &'c str,
}

impl<'c> Patterns<'c> {
    /// Returns the patterns of the lists that `list` gives by name.
    pub fn new(list: impl Fn(&str) -> &'c [String] + 'c) -> Self {
        let tokens: Vec<Token<'_>> = list("tokens").iter().filter_map(|it| token(it)).collect();
        let flags: Vec<Flag<'_>> = list("flags").iter().filter_map(|it| flag(it)).collect();
        let names = ["parts", "endings", "likely"].map(&list).into_iter();
        let names = names.flatten().map(|word| word.trim_matches('_'));
        let signs = names
            .chain(["://", "PRIVATE KEY"])
            .chain(tokens.iter().map(|token| token.begin))
            .chain(flags.iter().map(|flag| flag.program[0]))
            .chain(
                ["schemes", "key-files"]
                    .map(&list)
                    .into_iter()
                    .flatten()
                    .map(String::as_str),
            );
        Self {
            list: Box::new(list),
            // The lists of an overlay may be any, and one that is too long finds nothing.
            signs: searcher(signs.collect()),
            beginnings: searcher(tokens.iter().map(|token| token.begin).collect()),
            tokens,
            flags,
        }
    }

    /// Returns the secrets in `text`, in its order, none within another.
    pub fn hits(&self, text: &str) -> Vec<Hit> {
        let mut hits = Vec::new();
        let mut from = 0;
        while let Some(line) = self.next_line(text, from) {
            let begin = hits.len();
            self.of_line(&text[line.clone()], &mut hits);
            for hit in &mut hits[begin..] {
                hit.range = hit.range.start + line.start..hit.range.end + line.start;
            }
            from = line.end;
        }
        if hits.is_empty() && from == 0 {
            return hits;
        }
        private_keys(text, &mut hits);
        hits.sort_by_key(|hit| (hit.range.start, std::cmp::Reverse(hit.range.end)));
        let mut end = 0;
        hits.retain(|hit| {
            let is_first = hit.range.start >= end;
            end = end.max(hit.range.end);
            is_first
        });
        hits
    }

    /// Returns `text` with a mask wherever a secret that is in it stands; it keeps its number of lines.
    pub fn masked(&self, text: &str) -> String {
        let mut known = Known::default();
        self.remember(text, None, &mut known);
        known
            .mask(&BTreeSet::new(), "")
            .mask_lines(text)
            .into_owned()
    }

    /// Returns `value` with a mask wherever a secret that is in one of its texts, or in `known`, stands.
    pub fn masked_value<T: Serialize + DeserializeOwned>(&self, value: T, mut known: Known) -> T {
        let Ok(mut data) = serde_json::to_value(&value) else {
            return value;
        };
        self.remember_all(&data, &mut known);
        let mask = known.mask(&BTreeSet::new(), "");
        if mask.is_empty() {
            return value;
        }
        mask.mask_value(&mut data);
        serde_json::from_value(data).unwrap_or(value)
    }

    /// Remembers the secrets in every text of `value`; an object with a file and a line says where.
    pub fn remember_all(&self, value: &Value, known: &mut Known) {
        let mut open = vec![(value, None)];
        while let Some((value, place)) = open.pop() {
            match value {
                Value::String(text) => self.remember(text, place, known),
                Value::Array(items) => open.extend(items.iter().map(|item| (item, place))),
                Value::Object(members) => {
                    let file = members.get("file").and_then(Value::as_str);
                    let line = members.get("line").and_then(Value::as_u64);
                    let line = line.and_then(|line| usize::try_from(line).ok());
                    let place = file.zip(line).or(place);
                    open.extend(members.values().map(|member| (member, place)));
                }
                Value::Null | Value::Bool(_) | Value::Number(_) => {}
            }
        }
    }

    /// Returns the secret that the value of the variable `name` is, or holds.
    pub fn of_variable(&self, name: &str, value: &str) -> Option<Hit> {
        let value = value.trim();
        if let Some(hit) = self.hits(value).into_iter().next() {
            return Some(hit);
        }
        let hit = |range| Hit {
            range,
            name: name.to_owned(),
            is_certain: false,
        };
        let start = value.rfind(':').map_or(0, |at| at + 1);
        let last = &value[start..];
        let is_secret = self.is_secret(name) && !self.is_ordinary(value);
        if is_secret {
            return Some(hit(0..value.len()));
        }
        let is_likely = self.is_likely(name) && !value.contains("://") && !self.is_ordinary(last);
        (is_likely && looks_random(last)).then(|| hit(start..value.len()))
    }

    /// Remembers the secrets in `text`, whose first line is line `line` of `file`.
    pub fn remember(&self, text: &str, place: Option<(&str, usize)>, known: &mut Known) {
        let (mut at, mut lines) = (0, 0);
        for hit in self.hits(text) {
            lines += text[at..hit.range.start].matches('\n').count();
            at = hit.range.start;
            let place = place.map(|(file, line)| (file.to_owned(), line + lines));
            known.add(&text[hit.range], &hit.name, hit.is_certain, place);
        }
    }

    /// Returns whether `value` is a word, a reference, a placeholder or a password of development, which
    /// protects nothing.
    pub fn is_ordinary(&self, value: &str) -> bool {
        is_ordinary(value, (self.list)("placeholders"), (self.list)("ordinary"))
    }

    /// Returns the next line with a sign of a secret, behind `from`, with those that it goes on in.
    fn next_line(&self, text: &str, from: usize) -> Option<Range<usize>> {
        let input = Input::new(text).span(from..text.len());
        let found = self.signs.as_ref()?.find(input)?;
        let start = memrchr(b'\n', &text.as_bytes()[from..found.start()]);
        let start = start.map_or(from, |at| from + at + 1);
        let mut end = found.end();
        loop {
            let Some(length) = memchr(b'\n', &text.as_bytes()[end..]) else {
                return Some(start..text.len());
            };
            end += length + 1;
            let line = &text[..end - 1];
            let line = line.strip_suffix('\r').unwrap_or(line);
            if !line.ends_with('\\') || end == text.len() {
                return Some(start..end);
            }
        }
    }

    fn of_line(&self, line: &str, hits: &mut Vec<Hit>) {
        self.addresses(line, hits);
        self.tokens(line, hits);
        self.schemes(line, hits);
        self.named(line, hits);
        self.flags(line, hits);
    }

    /// Returns whether `name` is that of a secret, in whatever way it is written.
    fn is_secret(&self, name: &str) -> bool {
        let name = variable(name);
        let has_part = (self.list)("parts")
            .iter()
            .any(|part| has_part(&name, part));
        (has_part || self.ends(&name, "endings")) && !self.ends(&name, "public")
    }

    fn is_likely(&self, name: &str) -> bool {
        let name = variable(name);
        let mut parts = (self.list)("likely").iter();
        parts.any(|part| has_part(&name, part)) && !self.ends(&name, "public")
    }

    fn ends(&self, name: &str, list: &str) -> bool {
        let mut endings = (self.list)(list).iter();
        endings.any(|ending| name.ends_with(ending.as_str()))
    }

    /// Who logs in, in an address: RFC 3986, 3.2.1.
    fn addresses(&self, text: &str, hits: &mut Vec<Hit>) {
        for at in memmem::find_iter(text.as_bytes(), "://") {
            let start = at + 3;
            let ends = |c: char| c.is_whitespace() || "/?#\"'`<>,|".contains(c);
            let end = text[start..].find(ends).map_or(text.len(), |at| start + at);
            let Some((login, host)) = text[start..end].rsplit_once('@') else {
                continue;
            };
            let (user, password, shift) = match login.split_once(':') {
                Some((user, password)) => (user, password, user.len() + 1),
                None if text[..at].ends_with("http") || text[..at].ends_with("https") => {
                    ("", login, 0)
                }
                None => continue,
            };
            let is_random = shift > 0 || looks_random(password);
            if !is_random || password == user || self.is_ordinary(password) {
                continue;
            }
            let host = host.split(':').next().unwrap_or_default();
            let name = format!("{}_PASSWORD", variable(host).trim_matches('_'));
            let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic());
            let name = match is_name {
                true => name,
                false => "URL_PASSWORD".to_owned(),
            };
            hits.push(Hit {
                range: start + shift..start + login.len(),
                name,
                is_certain: false,
            });
        }
    }

    /// What begins as tokens of a provider do.
    fn tokens(&self, text: &str, hits: &mut Vec<Hit>) {
        let Some(beginnings) = &self.beginnings else {
            return;
        };
        // What looks like a token is looked at once, however many begin within it.
        let mut looked_at: BTreeMap<&str, usize> = BTreeMap::new();
        for found in beginnings.find_overlapping_iter(text) {
            let token = &self.tokens[found.pattern().as_usize()];
            let start = found.start();
            let until = looked_at.entry(token.further).or_default();
            let is_inside = text[..start].ends_with(|c: char| c.is_alphanumeric());
            if start < *until || is_inside || !text[start..].starts_with(token.begin) {
                continue;
            }
            let rest = &text[found.end()..];
            let is_of = |c: char| {
                c.is_ascii_alphanumeric() || "_-".contains(c) || token.further.contains(c)
            };
            let rest = &rest[..rest.find(|c| !is_of(c)).unwrap_or(rest.len())];
            *until = found.end() + rest.len();
            let is_whole = token.further.is_empty() || rest.contains(|c| token.further.contains(c));
            let is_long = rest.len() >= token.length;
            let is_ordinary = || self.is_ordinary(&format!("{}{rest}", token.begin));
            if is_long && is_whole && !is_ordinary() {
                hits.push(Hit {
                    range: start..*until,
                    name: token.name.to_owned(),
                    is_certain: true,
                });
            }
        }
    }

    /// `Basic …` and `Bearer …`: RFC 7617, RFC 6750.
    fn schemes(&self, text: &str, hits: &mut Vec<Hit>) {
        for scheme in (self.list)("schemes") {
            for at in memmem::find_iter(text.as_bytes(), scheme) {
                let start = at + scheme.len() + 1;
                let Some(rest) = text.get(start..).filter(|_| text[..start].ends_with(' ')) else {
                    continue;
                };
                let is_of = |c: char| c.is_ascii_alphanumeric() || "_-.+/=~".contains(c);
                let value = &rest[..rest.find(|c| !is_of(c)).unwrap_or(rest.len())];
                if looks_random(value) && !self.is_ordinary(value) {
                    hits.push(Hit {
                        range: start..start + value.len(),
                        name: "AUTHORIZATION".to_owned(),
                        is_certain: true,
                    });
                }
            }
        }
    }

    /// `NAME=value`, `"name": "value"`, `--name value`, `?name=value`, `name is value`.
    fn named(&self, text: &str, hits: &mut Vec<Hit>) {
        let is_of_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        let mut at = 0;
        while let Some(start) = text[at..].find(is_of_name).map(|found| at + found) {
            let end = text[start..]
                .find(|c| !is_of_name(c))
                .map_or(text.len(), |len| start + len);
            at = end;
            let name = &text[start..end];
            let Some((from, is_tight)) = separator(&text[end..], name.starts_with('-')) else {
                continue;
            };
            let (is_secret, is_likely) = (self.is_secret(name), self.is_likely(name));
            if !is_secret && !is_likely {
                continue;
            }
            let Some(range) = value(text, end + from) else {
                continue;
            };
            // Of names within a long value nothing is taken.
            if range.len() > LONG {
                at = range.end;
            }
            let found = &text[range.clone()];
            let has_digit = found.contains(|c: char| c.is_ascii_digit());
            // Blanks alone tell a value from its name where a directive sets a variable.
            let is_bare =
                !is_tight && text[end..].starts_with([' ', '\t']) && from_blanks(&text[end..]);
            let is_directive =
                name.contains('_') && !name.contains(|c: char| c.is_ascii_lowercase());
            let is_random = looks_random(found) && (!is_bare || is_directive && has_digit);
            let is_sure = is_secret && is_tight || is_random;
            if is_sure && !self.is_ordinary(found) {
                hits.push(Hit {
                    range,
                    name: variable(name),
                    is_certain: false,
                });
            }
        }
    }

    /// What the flags of programs take: the rest of the word, the next word, or what stands behind the
    /// `:` of it; and what is written into the file of a key.
    fn flags(&self, text: &str, hits: &mut Vec<Hit>) {
        let mut words: Option<Vec<Range<usize>>> = None;
        let mut add = |range: Range<usize>, name: String| {
            if !self.is_ordinary(&text[range.clone()]) {
                hits.push(Hit {
                    range,
                    name,
                    is_certain: false,
                });
            }
        };
        for rule in &self.flags {
            if !text.contains(rule.program[0]) {
                continue;
            }
            let words = words.get_or_insert_with(|| self::words(text));
            let Some(first) = position(words, &rule.program, text) else {
                continue;
            };
            for (index, word) in words.iter().enumerate().skip(first) {
                if let Some(range) = rule.value(text, word, words.get(index + 1)) {
                    add(range, format!("{}_PASSWORD", variable(rule.program[0])));
                }
            }
        }
        let key_files = (self.list)("key-files");
        if !text.contains('>') || !key_files.iter().any(|file| text.contains(file.as_str())) {
            return;
        }
        let words = words.unwrap_or_else(|| self::words(text));
        let is_key_file = |word: &Range<usize>| {
            let file = text[word.clone()].rsplit('/').next().unwrap_or_default();
            key_files.iter().any(|known| known == file)
        };
        if let Some(word) = words.get(1).filter(|_| words.iter().any(is_key_file)) {
            add(word.clone(), "PRIVATE_KEY".to_owned());
        }
    }
}

impl Flag<'_> {
    /// Returns where the password stands that `word` of `text`, before `next`, names.
    fn value(
        &self,
        text: &str,
        word: &Range<usize>,
        next: Option<&Range<usize>>,
    ) -> Option<Range<usize>> {
        let shown = &text[word.clone()];
        match self.form {
            "rest" if shown.starts_with(self.flag) => {
                let start = word.start + self.flag.len();
                // Quotes may begin in the middle of a word: `-p'a b'`.
                let quote = text[start..].chars().next().filter(|c| "'\"".contains(*c));
                let Some(quote) = quote else {
                    return Some(start..word.end);
                };
                let length = text[start + 1..].find(quote)?;
                Some(start + 1..start + 1 + length)
            }
            "next" if shown == self.flag => next.cloned(),
            "login" if shown == self.flag => {
                let next = next?;
                let colon = text[next.clone()].find(':')?;
                Some(next.start + colon + 1..next.end)
            }
            // `-uname:password` and `--user=name:password` are one word.
            "login"
                if shown
                    .strip_prefix(self.flag)
                    .is_some_and(|rest| !self.flag.starts_with("--") || rest.starts_with('=')) =>
            {
                let colon = shown.find(':')?;
                Some(word.start + colon + 1..word.end)
            }
            _ => None,
        }
    }
}

/// Reads `BEGINNING LENGTH NAME FURTHER`.
fn token(rule: &str) -> Option<Token<'_>> {
    let mut words = rule.split(' ');
    Some(Token {
        begin: words.next().filter(|begin| !begin.is_empty())?,
        length: words.next()?.parse().ok()?,
        name: words.next().unwrap_or("TOKEN"),
        further: words.next().unwrap_or_default(),
    })
}

/// Reads `PROGRAM|FLAG|FORM`.
fn flag(rule: &str) -> Option<Flag<'_>> {
    let [program, flag, form] = rule.split('|').collect::<Vec<_>>()[..] else {
        return None;
    };
    let program: Vec<&str> = program.split(' ').collect();
    Some(Flag {
        program,
        flag,
        form,
    })
}

fn searcher(words: Vec<&str>) -> Option<AhoCorasick> {
    let mut builder = AhoCorasick::builder();
    builder
        .ascii_case_insensitive(true)
        .match_kind(MatchKind::Standard)
        .kind(Some(AhoCorasickKind::ContiguousNFA));
    builder.build(words).ok()
}

/// From `-----BEGIN` to the end of `-----END`, where there is one.
fn private_keys(text: &str, hits: &mut Vec<Hit>) {
    let mut ends = memmem::find_iter(text.as_bytes(), "-----END ").peekable();
    let mut from = 0;
    for start in memmem::find_iter(text.as_bytes(), "-----BEGIN ") {
        let head = &text[start..];
        let head = &head[..memchr(b'\n', head.as_bytes()).unwrap_or(head.len())];
        if start < from || !head.contains("PRIVATE KEY") {
            continue;
        }
        while ends.next_if(|end| *end < start).is_some() {}
        let end = ends.peek().and_then(|end| {
            let after = memmem::find(&text.as_bytes()[end + 9..], b"-----")?;
            Some(end + 9 + after + 5)
        });
        from = end.unwrap_or(start + head.trim_end_matches(['"', '\'', '\r']).len());
        hits.push(Hit {
            range: start..from,
            name: "PRIVATE_KEY".to_owned(),
            is_certain: true,
        });
    }
}

/// Whether the upper-case `name` has `part` between its underscores.
fn has_part(name: &str, part: &str) -> bool {
    name.split('_').any(|own| own == part)
}

/// Returns `name` as that of a variable: `apiKey` and `--api-key` are `API_KEY`.
fn variable(name: &str) -> String {
    let mut made = String::new();
    let mut was_lower = false;
    for c in name.trim_matches('-').chars() {
        if c.is_ascii_uppercase() && was_lower {
            made.push('_');
        }
        was_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
        made.push(if c.is_ascii_alphanumeric() {
            c.to_ascii_uppercase()
        } else {
            '_'
        });
    }
    made
}

/// Returns how far behind a name its value begins, and whether what stands between says that it is one.
fn separator(rest: &str, is_flag: bool) -> Option<(usize, bool)> {
    let unquoted = rest.trim_start_matches(['"', '\'', '`']);
    let quoted = rest.len() > unquoted.len();
    let blanks = unquoted.len() - unquoted.trim_start_matches([' ', '\t']).len();
    let behind = &unquoted[blanks..];
    let signs = [
        ("=>", true),
        (":=", true),
        ("=", blanks == 0 && !behind.starts_with("= ")),
        (":", quoted),
    ];
    let found = signs.iter().find(|(sign, _)| behind.starts_with(sign));
    let length = rest.len() - behind.len();
    if let Some((sign, is_tight)) = found {
        let after = &behind[sign.len()..];
        let value = after.trim_start_matches([' ', '\t']);
        let is_quoted = value.starts_with(['"', '\'']);
        return Some((rest.len() - value.len(), *is_tight || is_quoted));
    }
    let listed = behind
        .strip_prefix(',')
        .map(|after| after.trim_start_matches(' '));
    if let Some(value) = listed.filter(|value| quoted && value.starts_with(['"', '\''])) {
        return Some((rest.len() - value.len(), true));
    }
    // Without a sign, a directive names a variable, and its value has a digit.
    match behind.strip_prefix("is ") {
        Some(after) if blanks > 0 => Some((rest.len() - after.len(), false)),
        _ => (blanks > 0).then_some((length, is_flag)),
    }
}

/// Whether nothing but blanks stands between a name and what follows.
fn from_blanks(rest: &str) -> bool {
    let behind = rest.trim_start_matches([' ', '\t']);
    !behind.starts_with(['=', ':', ',']) && !behind.starts_with("is ")
}

/// Returns where the value stands that begins at `start`, without its quotes.
fn value(text: &str, start: usize) -> Option<Range<usize>> {
    let rest = text.get(start..)?;
    if let Some(quote) = rest.bytes().next().filter(|c| b"\"'`".contains(c)) {
        let length = memchr2(quote, b'\n', &rest.as_bytes()[1..])?;
        let is_closed = rest.as_bytes()[1 + length] == quote;
        return (is_closed && length > 0).then_some(start + 1..start + 1 + length);
    }
    let ends = |c: char| c.is_whitespace() || "\"'`;,&|)]}>".contains(c);
    let length = rest.find(ends).unwrap_or(rest.len());
    (length > 0).then_some(start..start + length)
}

/// The words of a line, without the quotes around them.
fn words(line: &str) -> Vec<Range<usize>> {
    let mut words = Vec::new();
    let mut at = 0;
    while let Some(start) = line[at..]
        .find(|c: char| !c.is_whitespace())
        .map(|found| at + found)
    {
        let quote = line[start..].chars().next();
        let quote = quote.filter(|c| matches!(c, '"' | '\''));
        let begin = start + quote.map_or(0, char::len_utf8);
        let length = match quote {
            Some(quote) => line[begin..].find(quote),
            None => line[begin..].find(char::is_whitespace),
        };
        let end = length.map_or(line.len(), |length| begin + length);
        at = end + usize::from(quote.is_some() && end < line.len());
        // What ends the code or the sentence around a command is none of its words.
        let word = match quote {
            Some(_) => &line[begin..end],
            None => line[begin..end].trim_end_matches(['`', ')', ';', ',']),
        };
        words.push(begin..begin + word.len());
    }
    words
}

/// Returns the place behind the words of `program` among `words`.
fn position(words: &[Range<usize>], program: &[&str], text: &str) -> Option<usize> {
    let name = |word: &Range<usize>| {
        let name = text[word.clone()].rsplit('/').next().unwrap_or_default();
        name.trim_matches(['`', '$', '(', '&', ';'])
    };
    let mut runs = words.windows(program.len());
    let at = runs.position(|run| run.iter().map(name).eq(program.iter().copied()))?;
    Some(at + program.len())
}
