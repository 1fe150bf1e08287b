//! Code → simple commands, as POSIX names them.
//!
//! Reading never fails: prompts and output lines are told apart first, what
//! tree-sitter cannot parse is split at blanks, and every offset stays valid in the given code
//! because preparation replaces characters by others of the same length.

mod console;
mod parse;

use std::collections::{BTreeMap, BTreeSet};

use crate::source::{Span, Spanned};

pub use console::{Dialect, typed};

/// What a block of code says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Script {
    /// The commands, in order.
    pub commands: Vec<Spanned<SimpleCommand>>,
    /// Lines that show what a command printed.
    pub outputs: Vec<Span>,
    /// Comments, without `#`.
    pub comments: Vec<Spanned<String>>,
    /// The functions, by name and where each stands; only those that are called have commands.
    pub functions: Vec<(String, Span)>,
}

/// A simple command: assignments, words and redirections.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SimpleCommand {
    /// `NAME=value` before the words; a command of only these sets variables.
    pub assignments: Vec<(String, String)>,
    /// The words, quotes removed.
    pub words: Vec<Word>,
    /// Redirections, in order.
    pub redirects: Vec<Redirect>,
    /// The body of a here-document.
    pub heredoc: Option<String>,
    /// What joins it to the command before it.
    pub joint: Joint,
    /// Whether it stands in a loop, a condition, a function or a substitution.
    pub nested: bool,
    /// The `for` loops around it, outermost first: variable and words.
    pub loops: Vec<(String, Vec<String>)>,
    /// Which subshell it runs in, as a number that commands of one subshell share; 0 for none.
    pub subshell: usize,
    /// Whether the line was written for the Windows command prompt or PowerShell.
    pub windows: bool,
    /// The command as written, on one line.
    pub text: String,
}

/// A word of a command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Word {
    /// Its text without quotes; an expansion stays as written.
    pub text: String,
    /// Whether its value depends on a variable or another command.
    pub dynamic: bool,
}

/// A redirection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirect {
    /// The operator, such as `>>`.
    pub operator: String,
    /// The file.
    pub target: String,
}

/// What joins a command to the one before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Joint {
    /// Nothing: it begins a line or follows `;` or `&`.
    #[default]
    First,
    /// `&&`.
    And,
    /// `||`.
    Or,
    /// `|`.
    Pipe,
}

impl SimpleCommand {
    /// Returns the words as the catalogue's rules take them.
    pub fn owned_texts(&self) -> Vec<String> {
        self.words.iter().map(|word| word.text.clone()).collect()
    }

    /// Returns the texts of the words.
    pub fn texts(&self) -> Vec<&str> {
        self.words.iter().map(|word| word.text.as_str()).collect()
    }
}

/// Reads `code`.
///
/// `is_command` tells whether a word is the name of a known command; it settles whether a line
/// that begins with `# ` is a comment or typed by root.
pub fn script(code: &str, dialect: Dialect, is_command: &dyn Fn(&str) -> bool) -> Script {
    let prepared = console::prepare(code, dialect, is_command);
    let mut script = Script {
        outputs: prepared.outputs,
        ..Script::default()
    };
    for chunk in console::chunks(&prepared.text) {
        parse::read(code, &prepared.text, chunk, &mut script);
    }
    // The grammar may find one where there is nothing, such as before `|`.
    script
        .commands
        .retain(|command| !command.value.text.is_empty());
    for command in &mut script.commands {
        let windows = prepared
            .windows
            .iter()
            .any(|line| line.start <= command.span.start && command.span.start < line.end);
        command.value.windows = windows;
    }
    leave_uncalled_out(&mut script);
    script
}

/// Returns the words of every command in the script `code`, wherever it stands: those of functions
/// that nothing calls and of substitutions, too.
pub fn called(code: &str) -> Vec<Spanned<Vec<String>>> {
    let prepared = console::prepare(code, Dialect::Shell, &|_| true);
    let mut called = Vec::new();
    for chunk in console::chunks(&prepared.text) {
        parse::called(code, &prepared.text, chunk, &mut called);
    }
    called
}

/// Takes the commands of functions out that nothing calls, from the outside or from a function that
/// is called, and the calls themselves.
fn leave_uncalled_out(script: &mut Script) {
    let functions = &script.functions;
    if functions.is_empty() {
        return;
    }
    let mut named: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, (name, _)) in functions.iter().enumerate() {
        named.entry(name).or_default().push(index);
    }
    let inside = innermost(functions, &script.commands);
    // What each function calls; what stands in none is run.
    let mut calls: Vec<Vec<usize>> = vec![Vec::new(); functions.len()];
    let mut pending = Vec::new();
    let mut is_call = Vec::new();
    for (command, inside) in script.commands.iter().zip(&inside) {
        let name = command.value.words.first().map(|word| word.text.as_str());
        let called = name.and_then(|name| named.get(name));
        is_call.push(called.is_some());
        let caller = inside.map_or(&mut pending, |index| &mut calls[index]);
        caller.extend(called.into_iter().flatten());
    }
    let mut is_called = vec![false; functions.len()];
    while let Some(index) = pending.pop() {
        if !std::mem::replace(&mut is_called[index], true) {
            pending.append(&mut calls[index]);
        }
    }
    // A call is what the function does.
    let is_kept = inside.iter().zip(is_call).map(|(inside, is_call)| {
        let is_run = inside.is_none_or(|index| is_called[index]);
        is_run && !is_call
    });
    let mut is_kept = is_kept.collect::<Vec<_>>().into_iter();
    script
        .commands
        .retain(|_| is_kept.next().unwrap_or_default());
}

/// For each command the index of the function that it stands in, the last one of several.
fn innermost(
    functions: &[(String, Span)],
    commands: &[Spanned<SimpleCommand>],
) -> Vec<Option<usize>> {
    let mut edges: Vec<(usize, usize)> = Vec::new();
    for (index, (_, span)) in functions.iter().enumerate() {
        if span.start < span.end {
            edges.extend([(span.start, index), (span.end, index)]);
        }
    }
    edges.sort_unstable();
    let mut order: Vec<usize> = (0..commands.len()).collect();
    order.sort_by_key(|at| commands[*at].span.start);
    let (mut open, mut edges) = (BTreeSet::new(), edges.into_iter().peekable());
    let mut inside = vec![None; commands.len()];
    for at in order {
        let start = commands[at].span.start;
        while let Some((edge, index)) = edges.next_if(|(edge, _)| *edge <= start) {
            match edge == functions[index].1.start {
                true => open.insert(index),
                false => open.remove(&index),
            };
        }
        inside[at] = open.last().copied();
    }
    inside
}

/// Returns whether `word` may name a variable.
pub fn is_name(word: &str) -> bool {
    let mut chars = word.chars();
    chars
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Returns the program that `word` names in a folder `bin`: `gunicorn` of `venv/bin/gunicorn`.
pub fn in_bin_folder(word: &str) -> Option<&str> {
    word.rsplit_once("/bin/").map(|(_, program)| program)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(code: &str, expected: &[&[&str]]) {
        let known = |word: &str| ["npm", "pip", "cd", "apt-get", "make"].contains(&word);
        let script = script(code, Dialect::Console, &known);
        let words: Vec<Vec<&str>> = script.commands.iter().map(|c| c.value.texts()).collect();
        assert_eq!(words, expected);
    }

    #[test]
    fn a_function_that_nothing_calls_does_nothing() {
        let code =
            "function a { apt install x; b; }\nb() { npm ci; }\nc() { make d; }\n\nset -e\na\n";
        let script = script(code, Dialect::Shell, &|_| true);
        let texts: Vec<&str> = script
            .commands
            .iter()
            .map(|c| c.value.text.as_str())
            .collect();
        assert_eq!(texts, ["apt install x", "npm ci", "set -e"]);
    }

    #[test]
    fn and_list_is_two_commands() {
        check("cd app && npm ci", &[&["cd", "app"], &["npm", "ci"]]);
    }

    #[test]
    fn a_prompt_is_no_word() {
        check("$ npm ci\n", &[&["npm", "ci"]]);
        check("(venv) $ pip install x", &[&["pip", "install", "x"]]);
        check("user@host:~/app$ npm ci", &[&["npm", "ci"]]);
        check("[root@host app]# npm ci", &[&["npm", "ci"]]);
        check("C:\\app> npm ci", &[&["npm", "ci"]]);
        check("> npm ci", &[&["npm", "ci"]]);
    }

    #[test]
    fn a_line_without_prompt_is_output_beside_lines_with_one() {
        check(
            "$ npm ci\nadded 5 packages\n$ npm start\n",
            &[&["npm", "ci"], &["npm", "start"]],
        );
    }

    #[test]
    fn a_hash_is_a_prompt_only_before_a_known_command() {
        check(
            "# apt-get install git\n# make\n",
            &[&["apt-get", "install", "git"], &["make"]],
        );
        check("# install it\nnpm ci\n", &[&["npm", "ci"]]);
        check(
            "# make sure that Node is there\nnpm ci\n",
            &[&["npm", "ci"]],
        );
    }

    #[test]
    fn a_variable_at_the_start_of_a_line_is_no_prompt() {
        check("$HOME/bin/run now", &[&["$HOME/bin/run", "now"]]);
    }

    #[test]
    fn quotes_are_removed_and_expansions_stay() {
        check(
            "pip install 'a b' \"c $D\" e\\ f",
            &[&["pip", "install", "a b", "c $D", "e f"]],
        );
    }

    #[test]
    fn a_backslash_continues_a_line() {
        check("$ npm \\\n  ci\n", &[&["npm", "ci"]]);
    }

    #[test]
    fn a_placeholder_is_one_word_and_no_redirection() {
        check(
            "createdb <your db>\nmake",
            &[&["createdb", "<your db>"], &["make"]],
        );
    }

    #[test]
    fn a_heredoc_with_a_redirection_behind_it_is_no_placeholder() {
        let code = "cat <<EOF >&2\nit's here (or\nthere)\nEOF\nif true; then\n  make\nfi\n";
        check(code, &[&["cat"], &["true"], &["make"]]);
    }

    #[test]
    fn an_assignment_before_a_command_belongs_to_it() {
        let script = script("PORT=80 HOST='0.0.0.0' node x.js", Dialect::Shell, &|_| {
            true
        });
        assert_eq!(
            script.commands[0].value.assignments,
            [
                ("PORT".to_owned(), "80".to_owned()),
                ("HOST".to_owned(), "0.0.0.0".to_owned())
            ]
        );
    }

    #[test]
    fn export_is_a_command_with_words() {
        check("export A=1 B=\"x y\"", &[&["export", "A=1", "B=x y"]]);
    }

    #[test]
    fn a_redirection_and_a_heredoc_are_kept() {
        let script = script(
            "cat > .env <<EOF\nA=1\nEOF\nmake\n",
            Dialect::Shell,
            &|_| true,
        );
        let cat = &script.commands[0].value;
        assert_eq!(
            (
                cat.redirects[0].operator.as_str(),
                cat.redirects[0].target.as_str()
            ),
            (">", ".env")
        );
        assert_eq!(cat.heredoc.as_deref(), Some("A=1\n"));
        assert_eq!(script.commands[1].value.texts(), ["make"]);
    }

    #[test]
    fn a_span_covers_the_command() {
        let code = "$ cd app && npm ci  # now\n";
        let script = script(code, Dialect::Console, &|_| true);
        let texts: Vec<&str> = script
            .commands
            .iter()
            .map(|command| &code[command.span.range()])
            .collect();
        assert_eq!(texts, ["cd app", "npm ci"]);
        assert_eq!(script.commands[1].value.joint, Joint::And);
    }

    #[test]
    fn what_cannot_be_parsed_is_split_at_blanks() {
        check("npm ci )\n", &[&["npm", "ci"]]);
    }

    #[test]
    fn nothing_is_no_command() {
        check("make\n\u{3000}|npm", &[&["make"], &["npm"]]);
    }

    #[test]
    fn characters_beyond_ascii_stay_in_the_words() {
        check(
            "cd 你好 && npm ci # 安装",
            &[&["cd", "你好"], &["npm", "ci"]],
        );
        check("$ npm ci\n\u{1f575}\u{fe0f} done\n", &[&["npm", "ci"]]);
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics_and_spans_lie_inside(code in "\\PC{0,200}|[ -~\\n\\r\\t$#<>|&;'\"`\\\\]{0,200}") {
            let script = script(&code, Dialect::Console, &|word| word == "npm");
            for command in &script.commands {
                proptest::prop_assert!(code.get(command.span.range()).is_some());
            }
        }
    }
}
