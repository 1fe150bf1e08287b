//! `.dockerignore` as the engine's own client reads it.
//!
//! Patterns are anchored at the root, a later line overrules an earlier one, and a pattern also
//! covers everything below what it matches:
//! <https://docs.docker.com/build/concepts/context/#dockerignore-files>.

use globset::{GlobBuilder, GlobMatcher};

/// What a `.dockerignore` leaves out.
#[derive(Debug, Clone, Default)]
pub struct Ignored {
    rules: Vec<Rule>,
}

#[derive(Debug, Clone)]
struct Rule {
    returns: bool,
    pattern: GlobMatcher,
    /// The words of the pattern up to the first one with a wildcard.
    literal: String,
}

impl Ignored {
    /// Reads the lines of the file; a malformed pattern leaves out nothing.
    pub fn parse(text: &str) -> Self {
        let lines = text.trim_start_matches('\u{feff}').lines();
        Self {
            rules: lines.filter_map(rule).collect(),
        }
    }

    /// Returns whether `path`, relative to the root, stays out.
    pub fn is_ignored(&self, path: &str) -> bool {
        let mut is_ignored = false;
        for rule in &self.rules {
            if rule.returns == is_ignored && covers(&rule.pattern, path) {
                is_ignored = !rule.returns;
            }
        }
        is_ignored
    }

    /// Returns whether something below the folder `path`, which itself stays out, may come in.
    pub fn may_return_below(&self, path: &str) -> bool {
        let folder = format!("{path}/");
        self.rules.iter().filter(|rule| rule.returns).any(|rule| {
            let literal = format!("{}/", rule.literal);
            rule.literal.is_empty() || literal.starts_with(&folder) || folder.starts_with(&literal)
        })
    }
}

fn rule(line: &str) -> Option<Rule> {
    if line.starts_with('#') {
        return None;
    }
    let line = line.trim();
    let (returns, pattern) = match line.strip_prefix('!') {
        Some(pattern) => (true, pattern.trim()),
        None => (false, line),
    };
    // `./a/`, `/a` and `a` are the same; `.` alone is the root, which is never left out.
    let words: Vec<&str> = pattern
        .split('/')
        .filter(|word| !matches!(*word, "" | "."))
        .collect();
    if words.is_empty() {
        return None;
    }
    let pattern = GlobBuilder::new(&words.join("/"))
        .literal_separator(true)
        .build()
        .ok()?;
    let literal: Vec<&str> = words
        .into_iter()
        .take_while(|word| !word.contains(['*', '?', '[', '{', '\\']))
        .collect();
    Some(Rule {
        returns,
        pattern: pattern.compile_matcher(),
        literal: literal.join("/"),
    })
}

/// Returns whether the pattern matches `path` or a folder above it.
fn covers(pattern: &GlobMatcher, path: &str) -> bool {
    let above = path.match_indices('/').map(|(at, _)| &path[..at]);
    above.chain([path]).any(|path| pattern.is_match(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, out: &[&str], kept: &[&str]) {
        let ignored = Ignored::parse(text);
        for path in out {
            assert!(ignored.is_ignored(path), "{path} comes in");
        }
        for path in kept {
            assert!(!ignored.is_ignored(path), "{path} stays out");
        }
    }

    #[test]
    fn a_pattern_is_anchored_at_the_root() {
        check(
            "env\n/k8s/\n",
            &["env", "env/a", "k8s/b/c"],
            &["src/env", "environment"],
        );
    }

    #[test]
    fn two_stars_match_at_any_depth() {
        check(
            "**/.env\n**/*.pyc\n",
            &[".env", "a/b/.env", "a.pyc", "a/b.pyc"],
            &["a.env"],
        );
    }

    #[test]
    fn one_star_stays_within_a_folder() {
        check(
            "*.log\na/*/c\n",
            &["x.log", "a/b/c", "a/b/c/d"],
            &["a/x.log", "a/b/b/c"],
        );
    }

    #[test]
    fn a_later_line_overrules_an_earlier_one() {
        check(
            "**/.env.*\n!.env.example\n",
            &[".env.local"],
            &[".env.example"],
        );
        check("!.env.example\n**/.env.*\n", &[".env.example"], &[]);
    }

    #[test]
    fn a_comment_and_the_root_leave_out_nothing() {
        check("# a\n.\n/\n\n[\n", &[], &["a", "# a"]);
    }

    #[test]
    fn a_folder_is_skipped_unless_something_below_returns() {
        let ignored = Ignored::parse("node_modules\nenv\n!env/sample.env\n");
        assert!(ignored.may_return_below("env"));
        assert!(!ignored.may_return_below("node_modules"));
        assert!(Ignored::parse("a\n!**/keep\n").may_return_below("a"));
    }
}
