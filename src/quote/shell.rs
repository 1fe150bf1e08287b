//! Words of a POSIX shell.

use super::is_hidden;

/// Returns `text` as one word of a POSIX shell, unchanged where it needs no quotes.
pub fn word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=@%+,".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// Returns `text` as one word of a command that a person copies into Bash or zsh: on one line, with escapes
/// for what is hidden (<https://www.gnu.org/software/bash/manual/html_node/ANSI_002dC-Quoting.html>).
pub fn copied(text: &str) -> String {
    if !text.contains(is_hidden) {
        return word(text);
    }
    let mut out = String::from("$'");
    for c in text.chars() {
        match c {
            '\'' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if is_hidden(c) => out.push_str(&format!("\\U{:08x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out + "'"
}

/// Returns `words` as one line, each a [`word`].
pub fn join<W: AsRef<str>>(words: impl IntoIterator<Item = W>) -> String {
    let words = words.into_iter().map(|text| word(text.as_ref()));
    words.collect::<Vec<_>>().join(" ")
}

/// Returns `text` as part of a word between double quotes, unchanged where it needs no backslash.
pub fn between_double_quotes(text: &str) -> String {
    escaped(text, &['\\', '"', '$', '`'])
}

/// Returns `text` as part of a here-document whose end is not quoted.
pub fn in_here_document(text: &str) -> String {
    escaped(text, &['\\', '$', '`'])
}

/// What stands in the place of a `{name}` of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filling<'v> {
    /// A text, which becomes part of a word.
    Text(&'v str),
    /// Words that are quoted already.
    Words(&'v str),
}

/// Returns the command `template` with each `{name}` that has a value filled in, quoted for where it
/// stands: in a word, between quotes, or in a command that a shell gets by `-c`.
pub fn filled<'v>(template: &str, value: &dyn Fn(&str) -> Option<Filling<'v>>) -> String {
    let mut out = String::with_capacity(template.len());
    let mut quote: Option<char> = None;
    let mut rest = template;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        if let Some((name, behind)) = placeholder(rest)
            && !out.ends_with('$')
            && let Some(value) = value(name)
        {
            out.push_str(&match (value, quote) {
                (Filling::Words(words), _) => words.to_owned(),
                (Filling::Text(""), _) => String::new(),
                (Filling::Text(text), None) => word(text),
                (Filling::Text(text), Some('"')) => between_double_quotes(text),
                (Filling::Text(text), Some(_)) => between_single_quotes(text),
            });
            rest = behind;
            continue;
        }
        match (quote, c) {
            (None, '\'') if out.ends_with("sh -c ") => {
                let (code, behind) = after.split_once('\'').unwrap_or((after, ""));
                let code = between_single_quotes(&filled(code, value));
                out.push_str(&format!("'{code}'"));
                rest = behind;
                continue;
            }
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            (None | Some('"'), '\\') => {
                out.push(c);
                let escaped = after.chars().next();
                out.extend(escaped);
                rest = &after[escaped.map_or(0, char::len_utf8)..];
                continue;
            }
            _ => {}
        }
        out.push(c);
        rest = after;
    }
    out
}

/// The name between the braces that `text` begins with, and what stands behind them.
fn placeholder(text: &str) -> Option<(&str, &str)> {
    let (name, behind) = text.strip_prefix('{')?.split_once('}')?;
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    (!name.is_empty() && name.chars().all(is_name)).then_some((name, behind))
}

/// Returns `text` as part of a word between single quotes.
fn between_single_quotes(text: &str) -> String {
    text.replace('\'', r"'\''")
}

/// Puts a backslash before each of `special`.
fn escaped(text: &str, special: &[char]) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if special.contains(&c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_word_has_quotes_only_where_it_needs_them() {
        assert_eq!(word("./cmd/app_1"), "./cmd/app_1");
        assert_eq!(word(""), "''");
        assert_eq!(word("a;touch x"), "'a;touch x'");
        assert_eq!(word("it's"), r"'it'\''s'");
    }

    #[test]
    fn a_word_for_copying_stays_on_its_line() {
        assert_eq!(copied("a b"), "'a b'");
        assert_eq!(copied("a\nb'\u{202e}"), r"$'a\nb\'\U0000202e'");
    }

    fn fill(template: &str, text: &'static str) -> String {
        filled(template, &|name| {
            (name == "x").then_some(Filling::Text(text))
        })
    }

    #[test]
    fn what_needs_no_quotes_is_filled_in_as_it_is() {
        assert_eq!(fill("go build ./{x}", "cmd/app"), "go build ./cmd/app");
        assert_eq!(fill("hugo --baseURL={x}/", ""), "hugo --baseURL=/");
        assert_eq!(fill("a {port} ${x} {x", "b"), "a {port} ${x} {x");
    }

    #[test]
    fn a_value_is_quoted_for_where_it_stands() {
        assert_eq!(
            fill("go build ./{x}", "a;touch b"),
            "go build ./'a;touch b'"
        );
        assert_eq!(fill("a ./{x}", "b <<\"USER 0\""), "a ./'b <<\"USER 0\"'");
        assert_eq!(fill("echo \"{x}\"", "$(b) \""), "echo \"\\$(b) \\\"\"");
        assert_eq!(fill("sed 's/{x}/'", "it's"), r"sed 's/it'\''s/'");
        assert_eq!(fill(r"a \'{x}", "b c"), r"a \''b c'");
        let shell = fill("sh -c 'mysql < {x}'", "a b");
        let words = ["sh", "-c", "mysql < 'a b'"].map(str::to_owned);
        assert_eq!(shlex::split(&shell), Some(words.to_vec()));
    }

    #[test]
    fn words_stay_words() {
        let words = |name: &str| (name == "x").then_some(Filling::Words("'a<2' b"));
        assert_eq!(filled("pip install {x}", &words), "pip install 'a<2' b");
    }

    proptest! {
        #[test]
        fn a_filled_command_has_the_words_of_its_template(text in "[^\0]{1,20}") {
            let value = |name: &str| (name == "x").then_some(Filling::Text(&text));
            let line = filled("a ./{x}/b \"-{x}-\" '={x}=' sh -c 'c {x}'", &value);
            let words = shlex::split(&line).expect("words");
            let expected = ["a".to_owned(), format!("./{text}/b"), format!("-{text}-"), format!("={text}=")];
            prop_assert_eq!(&words[..4], &expected);
            prop_assert_eq!(shlex::split(&words[6]), Some(vec!["c".to_owned(), text]));
        }
    }

    proptest! {
        #[test]
        fn any_text_is_one_word(text in any::<String>(), other in "[ -~\\n]{0,20}") {
            let line = join([&text, &other]);
            prop_assert_eq!(shlex::split(&line), Some(vec![text.clone(), other.clone()]));
            let line = format!("\"{}\"", between_double_quotes(&text));
            prop_assert_eq!(shlex::split(&line), Some(vec![text]));
        }
    }
}
