//! Words of a POSIX shell.

/// Returns `text` as one word of a POSIX shell, unchanged where it needs no quotes.
pub fn word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=@%+,".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
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
