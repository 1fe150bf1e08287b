//! Prompts and output lines, told apart before the shell grammar sees the text.

use crate::source::Span;

/// How a block of code is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// What a terminal shows: prompts, commands and their output.
    Console,
    /// A script: every line is code.
    Shell,
}

/// Code made ready for the shell grammar, byte for byte as long as the original.
pub struct Prepared {
    /// The text.
    pub text: String,
    /// Lines that show output.
    pub outputs: Vec<Span>,
    /// Lines typed at a Windows prompt.
    pub windows: Vec<Span>,
}

/// The largest piece given to the grammar at once, in bytes: hostile input then costs at most
/// about 200 ms a piece.
const LARGEST_CHUNK: usize = 4096;

/// Blanks prompts and output lines and makes placeholders into words, keeping all offsets.
pub fn prepare(code: &str, dialect: Dialect, is_command: &dyn Fn(&str) -> bool) -> Prepared {
    let lines: Vec<&str> = code.split_inclusive('\n').collect();
    let root_prompts = dialect == Dialect::Console && hash_is_prompt(&lines, is_command);
    let angle_prompts = dialect == Dialect::Console && angle_is_prompt(&lines);
    let length = |line: &str| match dialect {
        Dialect::Console => prompt(line, root_prompts, angle_prompts),
        Dialect::Shell => None,
    };
    let has_prompts = lines.iter().any(|line| length(line).is_some());

    let mut prepared = Prepared {
        text: String::with_capacity(code.len()),
        outputs: Vec::new(),
        windows: Vec::new(),
    };
    let mut continues = false;
    let mut heredoc: Option<String> = None;
    let mut at = 0;
    for line in lines {
        let body = line.trim_end_matches(['\n', '\r']);
        let span = Span::new(at, at + body.len());
        at += line.len();
        if let Some(end) = &heredoc {
            if body.trim() == end {
                heredoc = None;
            }
            prepared.text.push_str(&harmless(line));
            continue;
        }
        let found = length(line);
        let skip = match (&found, continues) {
            (Some(prompt), _) => prompt.length,
            (None, true) if has_prompts && body.starts_with("> ") => 2,
            (None, true) => 0,
            (None, false) if !has_prompts => 0,
            (None, false) => {
                if !body.trim().is_empty() && !body.trim_start().starts_with('#') {
                    prepared.outputs.push(span);
                }
                let is_comment = body.trim_start().starts_with('#');
                prepared.text.push_str(&if is_comment {
                    harmless(line)
                } else {
                    blank(line)
                });
                continue;
            }
        };
        if found.is_some_and(|prompt| prompt.windows) {
            prepared.windows.push(span);
        }
        prepared.text.push_str(&" ".repeat(skip));
        prepared
            .text
            .push_str(&placeholders(&harmless(&line[skip..])));
        continues = body.ends_with('\\');
        heredoc = heredoc_end(body);
    }
    prepared
}

/// Splits prepared text at line ends into pieces that the grammar reads in bounded time.
pub fn chunks(text: &str) -> Vec<Span> {
    let mut chunks = Vec::new();
    let (mut start, mut at) = (0, 0);
    let mut heredoc: Option<String> = None;
    for line in text.split_inclusive('\n') {
        at += line.len();
        let body = line.trim_end();
        match &heredoc {
            Some(end) if body.trim() == end => heredoc = None,
            Some(_) => {}
            None => heredoc = heredoc_end(body),
        }
        let is_open = heredoc.is_some() || body.ends_with('\\');
        let is_full = at - start >= LARGEST_CHUNK * 3 / 4;
        if is_full && (!is_open || at - start >= LARGEST_CHUNK) {
            chunks.push(Span::new(start, at));
            start = at;
            heredoc = None;
        }
    }
    if start < text.len() {
        chunks.push(Span::new(start, text.len()));
    }
    // One line can be longer than a piece may be: it is no command that a person would type.
    chunks.retain(|chunk| chunk.end - chunk.start <= 4 * LARGEST_CHUNK);
    chunks
}

/// Returns what is typed at the prompt that `line` begins with; `None` without one.
pub fn typed(line: &str) -> Option<&str> {
    prompt(line, false, false).map(|prompt| &line[prompt.length..])
}

#[derive(Debug, Clone, Copy)]
struct Prompt {
    length: usize,
    windows: bool,
}

/// Returns the prompt that `line` begins with.
fn prompt(line: &str, root_prompts: bool, angle_prompts: bool) -> Option<Prompt> {
    let text = line.trim_start_matches([' ', '\t']);
    let blanks = line.len() - text.len();
    let unix = |length: usize| {
        Some(Prompt {
            length: blanks + length,
            windows: false,
        })
    };
    let windows = |length: usize| {
        Some(Prompt {
            length: blanks + length,
            windows: true,
        })
    };
    for mark in ["$ ", "$\t", "% ", "❯ ", "➜ ", "λ "] {
        if text.starts_with(mark) {
            return unix(mark.len());
        }
    }
    if root_prompts && text.starts_with("# ") {
        return unix(2);
    }
    if angle_prompts && text.starts_with("> ") {
        return unix(2);
    }
    let drive = text.as_bytes();
    let is_drive = matches!(drive, [letter, b':', b'\\', ..] if letter.is_ascii_alphabetic());
    if is_drive || text.starts_with("PS ") {
        let end = text.find('>').filter(|end| *end < 80)?;
        let after = text[end + 1..].len() - text[end + 1..].trim_start_matches(' ').len();
        return windows(end + 1 + after);
    }
    // `(venv) $ …`, `user@host:~/x$ …`, `[root@host ~]# …`, `mysql> …` is another program's.
    let end = text
        .find("$ ")
        .or_else(|| text.find("# ").filter(|_| text.contains('@')))?;
    let head = text[..end].trim_end();
    let is_environment = head.starts_with('(') && head.ends_with(')');
    let is_host =
        head.contains('@') && !head.contains(' ') || head.starts_with('[') && head.ends_with(']');
    let is_both = head.starts_with('(') && head.contains('@');
    (head.len() < 60 && (is_environment || is_host || is_both)).then_some(Prompt {
        length: blanks + end + 2,
        windows: false,
    })
}

/// `# ` is root's prompt only where no line has another one and every such line goes on with a
/// known command in lower case and arguments that are no sentence.
fn hash_is_prompt(lines: &[&str], is_command: &dyn Fn(&str) -> bool) -> bool {
    let mut hashes = lines
        .iter()
        .filter_map(|line| line.trim_start().strip_prefix("# "))
        .peekable();
    let others = lines.iter().any(|line| {
        let text = line.trim();
        !text.is_empty() && !text.starts_with('#') && prompt(line, false, false).is_some()
    });
    let first_line_is_command = lines
        .iter()
        .find(|line| !line.trim().is_empty())
        .is_some_and(|line| line.trim_start().starts_with("# "));
    hashes.peek().is_some()
        && !others
        && first_line_is_command
        && hashes.all(|rest| {
            let mut words = rest.split_whitespace();
            let known = words
                .next()
                .is_some_and(|word| is_command(word) || word.starts_with("./"));
            // "make sure that …" is a sentence.
            let is_sentence = words
                .next()
                .is_some_and(|word| ["sure", "the", "a", "an", "your", "it"].contains(&word));
            known && !is_sentence
        })
}

/// `> ` is a prompt where the first line has it; further down it continues a command.
fn angle_is_prompt(lines: &[&str]) -> bool {
    lines
        .iter()
        .find(|line| !line.trim().is_empty())
        .is_some_and(|line| line.trim_start().starts_with("> "))
}

fn heredoc_end(body: &str) -> Option<String> {
    let at = body.find("<<")?;
    if body[at..].starts_with("<<<") {
        return None;
    }
    let rest = body[at + 2..].trim_start_matches(['-', '~', ' ', '\'', '"', '\\']);
    let end: String = rest
        .chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect();
    (!end.is_empty()).then_some(end)
}

fn blank(line: &str) -> String {
    line.bytes()
        .map(|byte| if byte == b'\n' { '\n' } else { ' ' })
        .collect()
}

/// Control characters, NUL among them, become blanks, and every character beyond ASCII becomes as
/// many `x` as it has bytes: the grammar's scanner asks the C library for the class of a character,
/// whose tables end at 255, and crashes on others. The texts are taken from the original later.
fn harmless(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    for c in line.chars() {
        let stand_in = match c {
            '\n' | '\t' => c,
            _ if c.is_control() || c.is_whitespace() => ' ',
            _ if c.is_ascii() => c,
            _ => 'x',
        };
        plain.extend(std::iter::repeat_n(stand_in, c.len_utf8()));
    }
    plain
}

/// Makes `<your name>` into `_your_name_`: the grammar takes `<` for a redirection.
fn placeholders(line: &str) -> String {
    let mut text = line.as_bytes().to_vec();
    let mut from = 0;
    while let Some(open) = line[from..].find('<').map(|at| from + at) {
        from = open + 1;
        let Some(close) = line[open..].find('>').map(|at| open + at) else {
            break;
        };
        let inner = &line[open + 1..close];
        // `<<EOF >file` begins a here-document.
        let is_heredoc = line[..open].ends_with('<');
        let is_words = !is_heredoc
            && inner.starts_with(|c: char| c.is_alphanumeric() || c == '_')
            && inner.len() < 60
            && inner
                .chars()
                .all(|c| c.is_alphanumeric() || " _-./:'@|".contains(c));
        if is_words && inner.is_ascii() {
            for byte in &mut text[open..=close] {
                if !byte.is_ascii_alphanumeric() {
                    *byte = b'_';
                }
            }
            from = close + 1;
        }
    }
    String::from_utf8(text).unwrap_or_else(|_| line.to_owned())
}
