//! The shell grammar: tree-sitter-bash's tree → simple commands.

use std::cell::RefCell;

use tree_sitter::{Node, Parser, Tree};

use super::{Joint, Redirect, Script, SimpleCommand, Word};
use crate::source::{Span, Spanned};

thread_local! {
    static PARSER: RefCell<Parser> = RefCell::new({
        let mut parser = Parser::new();
        let language = tree_sitter_bash::LANGUAGE.into();
        parser.set_language(&language).expect("the grammar fits the library");
        parser
    });
}

/// The tree of `text`, the prepared piece `chunk`, and what reads it.
fn parsed<'a>(code: &'a str, text: &str, chunk: Span) -> Option<(Tree, Reader<'a>)> {
    let tree = PARSER.with_borrow_mut(|parser| parser.parse(text, None))?;
    let at = chunk.start;
    Some((tree, Reader { code, at }))
}

/// Reads the piece `chunk` of `prepared` into `script`; texts are taken from `code`, the original.
pub fn read(code: &str, prepared: &str, chunk: Span, script: &mut Script) {
    let text = &prepared[chunk.range()];
    let Some((tree, reader)) = parsed(code, text, chunk) else {
        return;
    };
    let first = script.commands.len();
    let structures = reader.walk(tree.root_node(), script);
    reader.lines_without_command(text, script, first, &structures);
    script.commands[first..].sort_by_key(|command| command.span);
}

/// Adds the words of every command in the piece `chunk` of `prepared`, at any depth.
pub fn called(code: &str, prepared: &str, chunk: Span, called: &mut Vec<Spanned<Vec<String>>>) {
    let Some((tree, reader)) = parsed(code, &prepared[chunk.range()], chunk) else {
        return;
    };
    let mut pending = vec![tree.root_node()];
    while let Some(node) = pending.pop() {
        if node.kind() == "command" {
            let command = reader.command(&Visit::at(node));
            let value = command.value.owned_texts();
            let span = command.span;
            called.push(Spanned { value, span });
        }
        let mut cursor = node.walk();
        let children: Vec<Node<'_>> = node.children(&mut cursor).collect();
        pending.extend(children.into_iter().rev());
    }
}

struct Reader<'a> {
    code: &'a str,
    /// Offset of the piece in `code`.
    at: usize,
}

impl<'a> Reader<'a> {
    fn span(&self, node: Node<'_>) -> Span {
        Span::new(self.at + node.start_byte(), self.at + node.end_byte())
    }

    fn text(&self, node: Node<'_>) -> &'a str {
        self.code.get(self.span(node).range()).unwrap_or_default()
    }

    /// Visits the tree without recursion, so that a deep one cannot overflow the stack.
    /// Returns where loops, conditions and functions begin.
    fn walk(&self, root: Node<'_>, script: &mut Script) -> Vec<usize> {
        let mut structures = Vec::new();
        let mut pending = vec![Visit {
            node: root,
            ..Visit::at(root)
        }];
        while let Some(visit) = pending.pop() {
            let node = visit.node;
            match node.kind() {
                "command" | "declaration_command" | "unset_command" | "test_command" => {
                    script.commands.push(self.command(&visit));
                }
                "variable_assignment" => script.commands.push(self.assignment(&visit)),
                "comment" => {
                    let value = self.text(node).trim_start_matches('#').trim().to_owned();
                    script.comments.push(Spanned {
                        value,
                        span: self.span(node),
                    });
                }
                kind => {
                    if STRUCTURES.contains(&kind) {
                        structures.push(self.span(node).start);
                    }
                    if kind == "function_definition"
                        && let Some(name) = node.child_by_field_name("name")
                    {
                        script
                            .functions
                            .push((self.text(name).to_owned(), self.span(node)));
                    }
                    let mut cursor = node.walk();
                    let children: Vec<Node<'_>> = node.children(&mut cursor).collect();
                    let mut visits = visit.children(&children);
                    if kind == "for_statement" {
                        self.enter_loop(node, &mut visits);
                    }
                    pending.extend(visits.into_iter().rev());
                }
            }
        }
        structures
    }

    /// Lets the commands of a `for` loop know what its variable becomes.
    fn enter_loop(&self, node: Node<'_>, visits: &mut [Visit<'_>]) {
        let Some(variable) = node.child_by_field_name("variable") else {
            return;
        };
        let mut cursor = node.walk();
        let words = node.children_by_field_name("value", &mut cursor);
        let words: Vec<String> = words.map(|word| self.word(word).text).collect();
        for visit in visits {
            let variable = self.text(variable).to_owned();
            visit.loops.push((variable, words.clone()));
        }
    }

    fn command(&self, visit: &Visit<'_>) -> Spanned<SimpleCommand> {
        let mut command = SimpleCommand {
            joint: visit.joint,
            nested: visit.nested,
            subshell: visit.subshell,
            loops: visit.loops.clone(),
            ..SimpleCommand::default()
        };
        let mut cursor = visit.node.walk();
        for child in visit.node.children(&mut cursor) {
            match child.kind() {
                "variable_assignment" if visit.node.kind() == "command" => {
                    command.assignments.extend(self.name_and_value(child));
                }
                "variable_assignment" => {
                    let word = self
                        .name_and_value(child)
                        .map(|(name, value)| format!("{name}={value}"));
                    command.words.push(Word {
                        text: word.unwrap_or_default(),
                        dynamic: is_dynamic(child),
                    });
                }
                "file_redirect" | "herestring_redirect" => self.redirect(child, &mut command),
                "command_name" => {
                    let inner = child.child(0).unwrap_or(child);
                    command.words.push(self.word(inner));
                }
                _ => command.words.push(self.word(child)),
            }
        }
        let mut span = self.span(visit.node);
        if let Some(outer) = visit.redirected {
            self.outer_redirects(outer, &mut command);
            span = Span::new(span.start, self.span(outer).end);
        }
        self.finish(command, span)
    }

    fn assignment(&self, visit: &Visit<'_>) -> Spanned<SimpleCommand> {
        let assignments = self.name_and_value(visit.node).into_iter().collect();
        let command = SimpleCommand {
            assignments,
            joint: visit.joint,
            nested: visit.nested,
            subshell: visit.subshell,
            ..SimpleCommand::default()
        };
        self.finish(command, self.span(visit.node))
    }

    fn finish(&self, mut command: SimpleCommand, span: Span) -> Spanned<SimpleCommand> {
        let raw = self.code.get(span.range()).unwrap_or_default();
        let shown = match command.heredoc {
            Some(_) => raw.lines().next().unwrap_or_default(),
            None => raw,
        };
        let joined = shown.replace("\\\r\n", " ").replace("\\\n", " ");
        command.text = joined.split_whitespace().collect::<Vec<_>>().join(" ");
        let length = shown.trim_end().len();
        Spanned {
            value: command,
            span: Span::new(span.start, span.start + length),
        }
    }

    fn outer_redirects(&self, outer: Node<'_>, command: &mut SimpleCommand) {
        let mut cursor = outer.walk();
        for child in outer.children(&mut cursor) {
            match child.kind() {
                "file_redirect" => self.redirect(child, command),
                "heredoc_redirect" => {
                    let mut inner = child.walk();
                    for part in child.children(&mut inner) {
                        match part.kind() {
                            "heredoc_body" => command.heredoc = Some(self.text(part).to_owned()),
                            "file_redirect" => self.redirect(part, command),
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
    }

    fn redirect(&self, node: Node<'_>, command: &mut SimpleCommand) {
        let mut cursor = node.walk();
        let mut operator = String::new();
        let mut target = String::new();
        for child in node.children(&mut cursor) {
            if child.is_named() {
                target = self.word(child).text;
            } else {
                operator = self.text(child).to_owned();
            }
        }
        command.redirects.push(Redirect { operator, target });
    }

    fn name_and_value(&self, node: Node<'_>) -> Option<(String, String)> {
        let name = node.child_by_field_name("name")?;
        let value = node.child_by_field_name("value");
        let value = value.map(|value| self.word(value).text).unwrap_or_default();
        Some((self.text(name).to_owned(), value))
    }

    fn word(&self, node: Node<'_>) -> Word {
        let raw = self.text(node);
        let text = match node.kind() {
            "raw_string" => raw
                .get(1..raw.len().saturating_sub(1))
                .unwrap_or(raw)
                .to_owned(),
            "string" => unescape(
                raw.strip_prefix('"')
                    .map_or(raw, |raw| raw.strip_suffix('"').unwrap_or(raw)),
                "\"\\$`",
            ),
            "concatenation" => {
                let mut cursor = node.walk();
                node.children(&mut cursor)
                    .map(|child| self.word(child).text)
                    .collect()
            }
            "word" => unescape(raw, ""),
            _ => raw.to_owned(),
        };
        Word {
            text,
            dynamic: is_dynamic(node),
        }
    }

    /// A line with words of which the grammar made no command is split at blanks: nothing that a
    /// person wrote may get lost.
    fn lines_without_command(
        &self,
        text: &str,
        script: &mut Script,
        first: usize,
        structures: &[usize],
    ) {
        let mut at = self.at;
        for line in text.split_inclusive('\n') {
            let start = at;
            at += line.len();
            let shown = line.split(" #").next().unwrap_or_default().trim_end();
            let blanks = shown.len() - shown.trim_start().len();
            let span = Span::new(start + blanks, start + shown.len().max(blanks));
            let has_words =
                shown.chars().any(char::is_alphanumeric) && !shown.trim_start().starts_with('#');
            let is_covered = script.commands[first..].iter().any(|command| {
                command.span.start < at && start < command.span.end.max(command.span.start + 1)
            });
            let in_heredoc = script.commands[first..].iter().any(|command| {
                command.value.heredoc.as_ref().is_some_and(|body| {
                    let end = command.span.end + body.len() + 80;
                    command.span.end < start && start < end && body.contains(shown.trim())
                })
            });
            let is_structure = ["done", "fi", "esac", "do", "then", "else", "EOF", "{", "}"]
                .contains(&shown.trim().trim_end_matches(';'))
                || structures.iter().any(|begin| (start..at).contains(begin));
            let continues = start > self.at
                && self.code[..start]
                    .trim_end_matches(['\n', '\r', ' '])
                    .ends_with('\\');
            if has_words && !is_covered && !is_structure && !continues && !in_heredoc {
                let raw = self.code.get(span.range()).unwrap_or_default();
                let words = raw.split_whitespace().map(|word| Word {
                    text: word.to_owned(),
                    dynamic: word.contains('$'),
                });
                let command = SimpleCommand {
                    words: words.collect(),
                    text: raw.to_owned(),
                    ..SimpleCommand::default()
                };
                script.commands.push(Spanned {
                    value: command,
                    span,
                });
            }
        }
    }
}

/// Nodes of the grammar whose first line is no command of its own.
const STRUCTURES: [&str; 6] = [
    "for_statement",
    "while_statement",
    "c_style_for_statement",
    "if_statement",
    "case_statement",
    "function_definition",
];

/// A node and what is known of its surroundings.
struct Visit<'t> {
    node: Node<'t>,
    joint: Joint,
    nested: bool,
    subshell: usize,
    loops: Vec<(String, Vec<String>)>,
    redirected: Option<Node<'t>>,
}

impl<'t> Visit<'t> {
    fn at(node: Node<'t>) -> Self {
        Self {
            node,
            joint: Joint::First,
            nested: false,
            subshell: 0,
            loops: Vec::new(),
            redirected: None,
        }
    }

    fn children(&self, children: &[Node<'t>]) -> Vec<Self> {
        let kind = self.node.kind();
        let nested = self.nested || STRUCTURES.contains(&kind) || kind == "command_substitution";
        let subshell = match (self.subshell, kind) {
            (0, "subshell") => self.node.start_byte() + 1,
            (outer, _) => outer,
        };
        let mut joint = self.joint;
        let mut visits = Vec::new();
        for child in children {
            match child.kind() {
                "&&" => joint = Joint::And,
                "||" => joint = Joint::Or,
                "|" | "|&" => joint = Joint::Pipe,
                ";" | "&" | "\n" => joint = Joint::First,
                _ if !child.is_named() => {}
                "file_redirect" | "heredoc_redirect" | "heredoc_body" => {}
                _ => {
                    let redirected = match kind {
                        "redirected_statement" => Some(self.node),
                        _ => None,
                    };
                    visits.push(Self {
                        node: *child,
                        joint,
                        nested,
                        subshell,
                        loops: self.loops.clone(),
                        redirected,
                    });
                    if kind == "program" {
                        joint = Joint::First;
                    }
                }
            }
        }
        visits
    }
}

fn is_dynamic(node: Node<'_>) -> bool {
    let expands = |kind: &str| {
        matches!(
            kind,
            "simple_expansion"
                | "expansion"
                | "command_substitution"
                | "process_substitution"
                | "arithmetic_expansion"
        )
    };
    let mut pending = vec![node];
    while let Some(node) = pending.pop() {
        if expands(node.kind()) {
            return true;
        }
        let mut cursor = node.walk();
        pending.extend(node.children(&mut cursor));
    }
    false
}

/// Removes the backslash before any of `special`, or before every character when it is empty.
fn unescape(text: &str, special: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match chars.peek() {
            Some(next) if c == '\\' && (special.is_empty() || special.contains(*next)) => {
                plain.extend(chars.next());
            }
            _ => plain.push(c),
        }
    }
    plain
}
