//! Commands in sentences: "run npm install, then npm start".
//!
//! About three in ten steps of real documents stand in no block of code.

use crate::recipe::Catalog;

/// A command in a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spoken {
    /// Where it begins in the text.
    pub at: usize,
    /// The command.
    pub code: String,
}

/// What tells a command from other words.
pub struct Hearing<'a> {
    /// Words of sentences.
    pub catalog: &'a Catalog,
    /// Whether these words are a command that does something.
    pub is_command: &'a dyn Fn(&str) -> bool,
    /// Whether the word is a file of the repository.
    pub is_file: &'a dyn Fn(&str) -> bool,
}

/// Returns the commands that `text`, a paragraph without markup, tells a person to type.
pub fn commands(text: &str, hearing: &Hearing<'_>) -> Vec<Spoken> {
    let mut found = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let tokens = tokens(line, at);
        at += line.len();
        match whole_line(line, &tokens, hearing) {
            Some(spoken) => found.push(spoken),
            None => found.extend(after_verbs(&tokens, hearing)),
        }
    }
    found
}

/// Returns the file that `text` tells a person to run, as a command: "run the file app.py".
pub fn file_run(text: &str, hearing: &Hearing<'_>) -> Option<Spoken> {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let tokens = tokens(line, at);
        at += line.len();
        let mut verbs = tokens.iter().map(|token| hearing.is(token.word, "verbs"));
        let Some(verb) = verbs.position(|is_verb| is_verb) else {
            continue;
        };
        for token in &tokens[verb + 1..] {
            let ending = token.word.rsplit_once('.').map_or("", |(_, ending)| ending);
            let runner = hearing.catalog.list("prose", ending).first();
            if let Some(runner) = runner.filter(|_| (hearing.is_file)(token.word)) {
                return Some(Spoken {
                    at: token.at,
                    code: format!("{runner} {}", token.word),
                });
            }
        }
    }
    None
}

/// Returns the name in "create a database called shop".
pub fn database_name(text: &str, catalog: &Catalog) -> Option<String> {
    let lower = text.to_lowercase();
    let databases = catalog.list("prose", "databases").iter();
    let at = databases
        .filter_map(|word| lower.find(word.as_str()))
        .min()?;
    let called = catalog.list("prose", "called").iter();
    let end = called
        .filter_map(|word| Some(lower[at..].find(word.as_str())? + at + word.len()))
        .min()?;
    // Lower case can have another length than the text beyond ASCII.
    let rest = text.get(end..)?;
    let name = rest.trim_start_matches(|c: char| c.is_whitespace() || "`'\":*".contains(c));
    let is_name = |c: &char| c.is_ascii_alphanumeric() || *c == '_' || *c == '-';
    let name: String = name.chars().take_while(is_name).collect();
    (name.len() > 1).then_some(name)
}

impl Hearing<'_> {
    fn is(&self, word: &str, list: &str) -> bool {
        let word = word.to_lowercase();
        self.catalog.list("prose", list).contains(&word)
    }
}

/// A word without the marks around it.
struct Token<'a> {
    word: &'a str,
    at: usize,
    /// Whether a mark behind it ends the phrase.
    ends: bool,
}

fn tokens(line: &str, start: usize) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    for raw in line.split_whitespace() {
        let offset = raw.as_ptr() as usize - line.as_ptr() as usize;
        let word = raw.trim_start_matches(['`', '"', '\'', '(', '“', '‘']);
        let skipped = raw.len() - word.len();
        let bare = word.trim_end_matches([
            '`', '"', '\'', ')', ',', ';', ':', '!', '?', '.', '”', '’', '，', '。',
        ]);
        tokens.push(Token {
            word: bare,
            at: start + offset + skipped,
            ends: bare.len() < word.len(),
        });
    }
    tokens
}

/// A line that is a command and nothing else, behind the number or mark of a list.
fn whole_line(line: &str, tokens: &[Token<'_>], hearing: &Hearing<'_>) -> Option<Spoken> {
    let is_mark = |token: &&Token<'_>| {
        token.word.is_empty()
            || token
                .word
                .chars()
                .all(|c| c.is_ascii_digit() || "-*•$>)".contains(c))
    };
    let marks = tokens.iter().take_while(is_mark).count();
    let rest = &tokens[marks..];
    let first = rest.first()?;
    let is_sentence = rest
        .iter()
        .skip(1)
        .any(|token| hearing.is(token.word, "stops"));
    let start = tokens.first()?.at;
    let base = start - (line.len() - line.trim_start().len()).min(start);
    let code = line.get(first.at.checked_sub(base)?..)?.trim();
    let is_plain = !code.ends_with(['.', ':', '!']) && rest.len() <= 12 && !is_sentence;
    (is_plain && (hearing.is_command)(code)).then(|| Spoken {
        at: first.at,
        code: code.to_owned(),
    })
}

/// What follows "run", up to the end of the phrase.
fn after_verbs(tokens: &[Token<'_>], hearing: &Hearing<'_>) -> Vec<Spoken> {
    let mut found = Vec::new();
    let mut index = 0;
    let mut hears = false;
    while let Some(token) = tokens.get(index) {
        if hearing.is(token.word, "verbs") {
            hears = true;
            index += 1;
            continue;
        }
        if !hears {
            index += 1;
            continue;
        }
        let mut words = Vec::new();
        for token in &tokens[index..] {
            if hearing.is(token.word, "stops") || token.word.is_empty() {
                break;
            }
            words.push(token.word);
            if token.ends {
                break;
            }
        }
        let code = words.join(" ");
        if words.len() > 1 && (hearing.is_command)(&code) {
            found.push(Spoken { at: token.at, code });
            index += words.len();
        } else {
            index += 1;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let catalog = Catalog::built_in();
        let is_command = |code: &str| {
            let begins = [
                "npm install",
                "npm start",
                "pip install",
                "python app.py",
                "node server.js",
            ];
            begins.iter().any(|known| code.starts_with(known))
        };
        let hearing = Hearing {
            catalog: &catalog,
            is_command: &is_command,
            is_file: &|word| word == "app.py",
        };
        let found: Vec<Spoken> = commands(text, &hearing)
            .into_iter()
            .chain(file_run(text, &hearing))
            .collect();
        for spoken in &found {
            assert!(text.is_char_boundary(spoken.at), "{text:?}");
        }
        let codes: Vec<&str> = found.iter().map(|spoken| spoken.code.as_str()).collect();
        assert_eq!(codes, expected, "{text:?}");
    }

    #[test]
    fn a_line_may_be_a_command() {
        check(
            "1. npm install\n2) npm start",
            &["npm install", "npm start"],
        );
        check(
            "- pip install -r requirements.txt",
            &["pip install -r requirements.txt"],
        );
        check("npm install will take a while.", &[]);
    }

    #[test]
    fn a_sentence_may_hold_commands() {
        check(
            "Now run npm install, and then npm start.",
            &["npm install", "npm start"],
        );
        check("Führe \"npm install\" aus", &["npm install"]);
        check("npm is a package manager; start reading.", &[]);
    }

    #[test]
    fn a_file_may_be_named() {
        check(
            "5. Run the Flask application file (eg. in VSCode), filename: \"app.py\" ",
            &["python app.py"],
        );
        check("The file app.py holds it.", &[]);
    }

    #[test]
    fn a_database_may_be_named() {
        let catalog = Catalog::built_in();
        let name = |text| database_name(text, &catalog);
        assert_eq!(
            name("Create a database called `shop`."),
            Some("shop".to_owned())
        );
        assert_eq!(name("创建一个名为 blog 的数据库"), None);
        assert_eq!(
            name("Cree una base de datos llamada tienda"),
            Some("tienda".to_owned())
        );
        assert_eq!(name("The database is fast."), None);
    }

    #[test]
    fn any_text_is_heard() {
        check("İ run é\u{85}`\"(", &[]);
        check("执行 npm install", &["npm install"]);
    }
}
