//! Files that a command of a document runs: what a person would read next to know what happens.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    limits,
    recipe::Catalog,
    repo::{self, Repo},
    source::Span,
};

/// Code of a file, as a document's command runs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Where it stands in the file.
    pub span: Span,
    /// The code.
    pub code: String,
    /// Whether `code` is, byte for byte, what stands at `span`; otherwise variables were replaced.
    pub is_verbatim: bool,
}

/// Returns whether the file `path` is a script for a POSIX shell: by its ending, or its first line.
pub fn is_script(repo: &Repo, path: &str, catalog: &Catalog) -> bool {
    let Some(source) = repo.source(path) else {
        return false;
    };
    let first = source.text.lines().next().unwrap_or_default();
    let is_shell = |name: &str| {
        let shells = catalog.list("scripts", "shells");
        shells.iter().any(|shell| shell == name)
    };
    match (first.strip_prefix("#!"), path.rsplit_once('.')) {
        (Some(line), _) => line
            .split_whitespace()
            .any(|word| is_shell(repo::file_name(word))),
        (None, Some((_, ending))) => is_shell(ending),
        (None, None) => false,
    }
}

/// Returns the whole text of a script.
pub fn script(text: &str) -> Vec<Piece> {
    vec![Piece {
        span: Span::new(0, text.len()),
        code: text.to_owned(),
        is_verbatim: true,
    }]
}

/// Returns what `make target` runs, the recipes of prerequisites first; the first target stands for
/// an empty name. `None` where there is no such target.
///
/// Reads the part of <https://www.gnu.org/software/make/manual/make.html> that people use for
/// commands: variables, rules with prerequisites, recipes with `@` and `-`.
pub fn make(text: &str, target: &str) -> Option<Vec<Piece>> {
    let makefile = Makefile::read(text);
    let mut targets = makefile.rules.iter().map(|rule| rule.target.as_str());
    let target = match target {
        "" => targets.find(|name| !name.starts_with('.')),
        name => targets.find(|known| *known == name),
    }?;
    Some(makefile.run(target))
}

/// Returns the shell provisioners of a Vagrantfile: the text of inline ones, and a command for each
/// script (<https://developer.hashicorp.com/vagrant/docs/provisioning/shell>).
pub fn vagrant(text: &str) -> Vec<Piece> {
    let (mut pieces, mut scripts) = (Vec::new(), Vec::new());
    let mut at = 0;
    let mut heredoc: Option<(String, usize)> = None;
    for raw in text.split_inclusive('\n') {
        let line = raw.trim();
        match &heredoc {
            Some((end, start)) if line == end => {
                pieces.push(Piece {
                    span: Span::new(*start, at),
                    code: text[*start..at].to_owned(),
                    is_verbatim: true,
                });
                heredoc = None;
            }
            Some(_) => {}
            None if line.starts_with('#') => {}
            None => {
                if let Some((_, end)) = line.split_once("<<") {
                    let end = end.trim_start_matches(['-', '~', '\'', '"']);
                    let is_name = |c: &char| c.is_alphanumeric() || *c == '_';
                    let end: String = end.chars().take_while(is_name).collect();
                    if !end.is_empty() {
                        heredoc = Some((end, at + raw.len()));
                    }
                } else if line.contains("shell") && line.contains("path") {
                    let quoted = line.split(['"', '\'']).skip(1).step_by(2);
                    let paths = quoted.filter(|word| *word != "shell");
                    scripts.extend(paths.map(|path| Piece {
                        span: Span::new(0, 0),
                        code: format!("./{path}"),
                        is_verbatim: false,
                    }));
                }
            }
        }
        at += raw.len();
    }
    pieces.extend(scripts);
    pieces
}

#[derive(Debug, Default)]
struct Makefile {
    variables: BTreeMap<String, String>,
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    target: String,
    needs: Vec<String>,
    recipe: Vec<(Span, String)>,
}

impl Makefile {
    fn read(text: &str) -> Self {
        let mut makefile = Self::default();
        let mut open: Vec<usize> = Vec::new();
        let mut at = 0;
        let mut lines = text.split_inclusive('\n').peekable();
        while let Some(raw) = lines.next() {
            let start = at;
            at += raw.len();
            let mut end = start + raw.trim_end().len();
            let mut line = raw.trim_end().to_owned();
            while line.ends_with('\\')
                && let Some(next) = lines.next()
            {
                line.pop();
                line.push_str(next.trim());
                end = at + next.trim_end().len();
                at += next.len();
            }
            if let Some(recipe) = line.strip_prefix('\t') {
                let recipe = recipe.trim().trim_start_matches(['@', '-', '+']).trim();
                let span = Span::new(start + 1, end.max(start + 1));
                for rule in &open {
                    makefile.rules[*rule].recipe.push((span, recipe.to_owned()));
                }
                continue;
            }
            let code = line.split('#').next().unwrap_or_default().trim();
            if !code.is_empty() {
                open = makefile.statement(code);
            }
        }
        makefile
    }

    /// Reads a line that is no recipe; returns the rules that it opens.
    fn statement(&mut self, code: &str) -> Vec<usize> {
        if let Some((name, value)) = assignment(code) {
            self.variables.entry(name).or_insert(value);
            return Vec::new();
        }
        let Some((targets, needs)) = code.split_once(':') else {
            return Vec::new();
        };
        let needs = needs.trim_start_matches(':');
        let needs = needs.split(['|', ';']).next().unwrap_or_default();
        let open = self.rules.len();
        self.rules
            .extend(targets.split_whitespace().map(|target| Rule {
                target: target.to_owned(),
                needs: needs.split_whitespace().map(str::to_owned).collect(),
                recipe: Vec::new(),
            }));
        (open..self.rules.len()).collect()
    }

    /// Returns what `target` runs. Keeps its own stack: a chain of targets is as long as its author
    /// likes.
    fn run(&self, target: &str) -> Vec<Piece> {
        enum Task<'m> {
            Target(&'m str),
            Recipe(&'m Rule),
        }
        let mut rules: BTreeMap<&str, Vec<&Rule>> = BTreeMap::new();
        for rule in &self.rules {
            rules.entry(&rule.target).or_default().push(rule);
        }
        let mut seen = BTreeSet::new();
        let mut budget = Budget::default();
        let mut pieces = Vec::new();
        let mut pending = vec![Task::Target(target)];
        while let Some(task) = pending.pop() {
            match task {
                Task::Target(name) if !seen.insert(name) => {}
                Task::Target(name) => {
                    for rule in rules.get(name).into_iter().flatten().rev() {
                        pending.push(Task::Recipe(rule));
                        let needs = rule.needs.iter().rev();
                        pending.extend(needs.map(|need| Task::Target(need)));
                    }
                }
                Task::Recipe(rule) => pieces.extend(rule.recipe.iter().map(|(span, code)| {
                    let filled = self.expand(code, 0, &mut budget);
                    Piece {
                        span: *span,
                        code: filled.unwrap_or_else(|| code.clone()),
                        is_verbatim: false,
                    }
                })),
            }
        }
        pieces
    }

    /// Replaces `$(NAME)`, `${NAME}` and `$$`; what is not known stays. `None` where the `budget` does
    /// not reach.
    fn expand(&self, text: &str, depth: usize, budget: &mut Budget) -> Option<String> {
        let mut out = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            out.push_str(&rest[..at]);
            let after = &rest[at + 1..];
            if let Some(tail) = after.strip_prefix('$') {
                out.push('$');
                rest = tail;
                continue;
            }
            let close = match after.chars().next() {
                Some('(') => after.find(')'),
                Some('{') => after.find('}'),
                _ => None,
            };
            let Some(close) = close else {
                out.push('$');
                rest = after;
                continue;
            };
            let name = &after[1..close];
            match (name, self.variables.get(name)) {
                ("MAKE", _) => out.push_str("make"),
                (_, Some(value)) if depth < 8 => {
                    budget.take(value.len())?;
                    out.push_str(&self.expand(value, depth + 1, budget)?);
                }
                _ => out.push_str(&rest[at..at + close + 2]),
            }
            rest = &after[close + 1..];
        }
        out.push_str(rest);
        Some(out)
    }
}

/// What the variables of a Makefile may still become.
struct Budget {
    count: usize,
    bytes: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            count: limits::EXPANSIONS,
            bytes: limits::EXPANDED,
        }
    }
}

impl Budget {
    /// Takes one expansion to `bytes`; `None` where that is too much.
    fn take(&mut self, bytes: usize) -> Option<()> {
        self.count = self.count.checked_sub(1)?;
        self.bytes = self.bytes.checked_sub(bytes)?;
        Some(())
    }
}

/// `NAME = value`, with `:=`, `?=` and `::=`.
fn assignment(code: &str) -> Option<(String, String)> {
    let code = code.strip_prefix("export ").unwrap_or(code);
    let (name, value) = code.split_once('=')?;
    let name = name.trim_end_matches([':', '?', '+', '!']).trim();
    let is_name = !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c == ':');
    is_name.then(|| (name.to_owned(), value.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(pieces: Option<Vec<Piece>>) -> Vec<String> {
        let pieces = pieces.unwrap_or_default().into_iter();
        pieces.map(|piece| piece.code).collect()
    }

    #[test]
    fn make_runs_prerequisites_first_and_replaces_variables() {
        let text = "PIP ?= venv/bin/pip\nall: install\n\t@echo done\ninstall: venv\n\t$(PIP) install \\\n\t  -r requirements.txt\nvenv:\n\tpython -m venv venv\n";
        let expected = [
            "python -m venv venv",
            "venv/bin/pip install -r requirements.txt",
            "echo done",
        ];
        assert_eq!(code(make(text, "")), expected);
        assert_eq!(make(text, "deploy"), None);
    }

    #[test]
    fn a_target_that_needs_itself_ends() {
        let text = "a: b\n\techo a\nb: a\n\techo b\n";
        assert_eq!(code(make(text, "a")), ["echo b", "echo a"]);
    }

    #[test]
    fn a_chain_of_targets_may_be_long() {
        let links = (0..100_000).map(|link| format!("t{link}: t{}\n", link + 1));
        let text = links.collect::<String>() + "t100000:\n\techo done\n";
        assert_eq!(code(make(&text, "t0")), ["echo done"]);
    }

    #[test]
    fn variables_that_multiply_stay_as_written() {
        let text = format!("A={}\nb:\n\techo $(A)\n\techo b\n", "$(A)".repeat(12));
        assert_eq!(code(make(&text, "b")), ["echo $(A)", "echo b"]);
    }

    #[test]
    fn pieces_lie_inside_the_text() {
        for text in [
            "a:\n\t\n",
            "\t",
            "a: \\\n",
            "$(",
            "a:\n\t$(x",
            "<<",
            "x <<EOF\né",
            "a:\n\té\\\n",
        ] {
            let made = make(text, "").unwrap_or_default();
            for piece in made.iter().chain(&vagrant(text)) {
                assert!(text.get(piece.span.range()).is_some(), "{text:?}");
            }
        }
    }

    #[test]
    fn a_vagrantfile_has_inline_and_file_provisioners() {
        let text = "config.vm.provision \"shell\", path: \"boot.sh\"\nconfig.vm.provision :shell, inline: <<-SHELL\n  apt-get install -y redis\nSHELL\n";
        let pieces = vagrant(text);
        let codes: Vec<&str> = pieces.iter().map(|piece| piece.code.trim()).collect();
        assert_eq!(codes, ["apt-get install -y redis", "./boot.sh"]);
    }
}
