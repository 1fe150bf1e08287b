//! Parts of a Dockerfile, as BuildKit reads it
//! (<https://docs.docker.com/reference/dockerfile/>,
//! <https://github.com/moby/buildkit/tree/master/frontend/dockerfile>).

use super::{is_hidden, shell};

/// Returns `text` as one word of an instruction in which variables count, such as `WORKDIR` or `ENV`,
/// unchanged where it needs no quotes. What is hidden becomes a blank.
pub fn word(text: &str) -> String {
    let text = text.replace(is_hidden, " ");
    if !text.is_empty() && text.chars().all(is_plain) {
        return text;
    }
    quoted(&text)
}

/// Returns `text` as one word in double quotes in which no variable counts.
pub fn quoted(text: &str) -> String {
    let text = text.replace(is_hidden, " ");
    let mut out = String::from("\"");
    for c in text.chars() {
        if matches!(c, '"' | '\\' | '$') {
            out.push('\\');
        }
        out.push(c);
    }
    out + "\""
}

fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_-./@+=:,".contains(c)
}

/// Returns `words` as a JSON array on one line, as the exec form of `CMD` and `ENTRYPOINT` wants it; what
/// is hidden is escaped.
pub fn exec<W: AsRef<str>>(words: impl IntoIterator<Item = W>) -> String {
    let words = words.into_iter().map(|word| json(word.as_ref()));
    format!("[{}]", words.collect::<Vec<_>>().join(", "))
}

fn json(text: &str) -> String {
    let mut out = String::new();
    for c in serde_json::Value::from(text).to_string().chars() {
        match c {
            c if is_hidden(c) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
            c => out.push(c),
        }
    }
    // A word that begins with `<<` is a here-document, even in `COPY`.
    out.replace("<<", "\\u003c\\u003c")
}

/// Returns the instruction that copies the files or folders `from` to `to`, behind `flags` that begin
/// with `--` and end in a blank, or are empty. Neither a variable nor a pattern counts in the names.
pub fn copy<S: AsRef<str>>(flags: &str, from: &[S], to: &str) -> String {
    let words = || from.iter().map(AsRef::as_ref).chain([to]);
    let needs_no_quotes =
        |word: &str| !word.is_empty() && !word.starts_with('-') && word.chars().all(is_plain);
    if words().all(needs_no_quotes) {
        let words: Vec<&str> = words().collect();
        return format!("COPY {flags}{}", words.join(" "));
    }
    let sources = from.iter().map(|path| literal(path.as_ref()));
    let words: Vec<String> = sources.chain([to.to_owned()]).collect();
    let words = words.iter().map(|word| without_variables(word));
    format!("COPY {flags}{}", exec(words))
}

/// `path` as a pattern that matches it alone: <https://pkg.go.dev/path/filepath#Match>. A part of a path
/// without special characters is none, and its backslashes are backslashes.
fn literal(path: &str) -> String {
    let part = |part: &str| {
        if !part.contains(['*', '?', '[']) {
            return part.to_owned();
        }
        let escaped = part.chars().map(|c| match c {
            '*' => "[*]".to_owned(),
            '?' => "[?]".to_owned(),
            '[' => "[[]".to_owned(),
            '\\' => "\\\\".to_owned(),
            c => c.to_string(),
        });
        escaped.collect()
    };
    path.split('/').map(part).collect::<Vec<String>>().join("/")
}

/// `text` with a backslash before what begins a variable or quotes.
fn without_variables(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '"' | '\'' | '\\' | '$') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// Returns `command`, one line for a shell, as the end of a `RUN`: one that would begin a here-document,
/// go on in the next line, or be a flag, a list of words or a comment there is a word for another shell.
pub fn run(command: &str) -> String {
    let command = command.replace(is_hidden, " ");
    let command = command.trim();
    let goes_on = command.ends_with('\\') || begins_here_document(command);
    let is_comment = command.is_empty() || command.starts_with('#');
    let is_list = serde_json::from_str::<Vec<String>>(command).is_ok();
    if command.starts_with('-') {
        // Else it would be an option of that shell.
        return format!("sh -c {}", shell::word(&format!(" {command}")));
    }
    if goes_on || is_comment || is_list {
        return format!("sh -c {}", shell::word(command));
    }
    command.to_owned()
}

/// Whether `<<` stands outside of quotes, as BuildKit's lexer takes them: it knows nothing of `$(…)`.
fn begins_here_document(command: &str) -> bool {
    let mut quote: Option<char> = None;
    let mut chars = command.chars().peekable();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (None | Some('"'), '\\') => {
                chars.next();
            }
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            (None, '<') if chars.peek() == Some(&'<') => return true,
            _ => {}
        }
    }
    // Where a quote stays open, the lexer may see another beginning.
    quote.is_some() && command.contains("<<")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_word_has_quotes_only_where_it_needs_them() {
        assert_eq!(word("/srv/app-1"), "/srv/app-1");
        assert_eq!(word("/srv/my app"), "\"/srv/my app\"");
        assert_eq!(word("/a$B\"\\"), r#""/a\$B\"\\""#);
        assert_eq!(word("/a\nRUN x"), "\"/a RUN x\"");
    }

    #[test]
    fn a_name_with_a_blank_or_like_a_flag_is_json() {
        assert_eq!(copy("", &["a.txt"], "./"), "COPY a.txt ./");
        assert_eq!(
            copy("", &["my app"], "./my app"),
            r#"COPY ["my app", "./my app"]"#
        );
        assert_eq!(
            copy("--from=build ", &["--from=x"], "./"),
            r#"COPY --from=build ["--from=x", "./"]"#
        );
        assert_eq!(copy("", &["<<x"], "./"), r#"COPY ["\u003c\u003cx", "./"]"#);
    }

    #[test]
    fn neither_pattern_nor_variable_counts_in_a_name() {
        assert_eq!(
            copy("", &["app/[id]/*.js"], "./"),
            r#"COPY ["app/[[]id]/[*].js", "./"]"#
        );
        assert_eq!(copy("", &["$HOME"], "./"), r#"COPY ["\\$HOME", "./"]"#);
    }

    #[test]
    fn a_run_is_one_line_without_a_here_document() {
        assert_eq!(run("npm ci"), "npm ci");
        assert_eq!(run("echo 'a << b' \"c <<d\""), "echo 'a << b' \"c <<d\"");
        assert_eq!(
            run("go build ./cmd/a <<\"USER 0\""),
            "sh -c 'go build ./cmd/a <<\"USER 0\"'"
        );
        assert_eq!(run("echo a\\"), "sh -c 'echo a\\'");
        assert_eq!(run("# make"), "sh -c '# make'");
        assert_eq!(run(""), "sh -c ''");
        assert_eq!(run("--network=host x"), "sh -c ' --network=host x'");
        assert_eq!(run(r#"["x"]"#), r#"sh -c '["x"]'"#);
        assert_eq!(
            run("echo \"$(cat 'it' \"x <<y\")\""),
            "sh -c 'echo \"$(cat '\\''it'\\'' \"x <<y\")\"'"
        );
    }

    #[test]
    fn the_exec_form_is_json_on_one_line() {
        assert_eq!(exec(["a b", "\u{202e}\n$x"]), r#"["a b", "\u202e\n$x"]"#);
    }

    proptest! {
        #[test]
        fn the_exec_form_is_read_back_equal(words in prop::collection::vec(any::<String>(), 1..4)) {
            let line = exec(&words);
            prop_assert!(!line.contains(is_hidden) && !line.contains("<<"));
            let read: Vec<String> = serde_json::from_str(&line).expect("JSON");
            prop_assert_eq!(read, words);
        }

        #[test]
        fn no_run_begins_a_here_document_or_goes_on(command in "[a<'\"\\\\ $(\\n]{0,30}") {
            let line = run(&command);
            prop_assert!(!line.ends_with('\\') && !line.contains('\n'));
            prop_assert!(!begins_here_document(&line), "{}", line);
        }
    }
}
