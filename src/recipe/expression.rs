//! A regular expression of a recipe, compiled only where it may match.
//!
//! Compiling one costs a hundred times as much as reading it, and most runs need few of several
//! hundred. So each knows texts one of which stands in all that it matches ([`Expression::needs`]);
//! where none does, it has no match and is not compiled. For the built-in recipes these are found
//! when longshore is built.

use std::sync::OnceLock;

use memchr::{memchr2, memmem};
use regex::{CaptureMatches, Captures, Match, Regex, RegexBuilder};
use regex_syntax::{
    ast::{self, Ast, ClassPerlKind, ClassSetItem, Span, Visitor},
    hir::{Class, Hir, HirKind},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// A regular expression of a recipe.
///
/// `\w`, `\d`, `\s` and `\b` are those of ASCII: code and configuration need no others, and their
/// tables for all of Unicode are most of what compiling costs.
#[derive(Debug, Clone)]
pub struct Expression {
    text: String,
    /// The same expression with classes of ASCII.
    lean: String,
    needs: Vec<Needed>,
    compiled: OnceLock<Regex>,
}

/// A text that a match has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Needed {
    text: String,
    /// Whether letters of ASCII may stand there in the other case.
    any_case: bool,
}

impl Expression {
    /// Reads an expression.
    ///
    /// # Errors
    ///
    /// When it does not compile: why.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = |error: String| {
            // The last line says what is wrong; those before it draw the expression.
            let reason = error.lines().last().unwrap_or_default();
            let reason = reason.trim_start_matches("error: ");
            format!("the regular expression `{text}` does not compile: {reason}")
        };
        let ast = ast::parse::Parser::new().parse(text);
        let ast = ast.map_err(|error| wrong(error.to_string()))?;
        let lean = lean(text, &ast);
        let hir = regex_syntax::parse(&lean).map_err(|error| wrong(error.to_string()))?;
        Ok(Self {
            text: text.to_owned(),
            lean,
            needs: needs(&hir),
            compiled: OnceLock::new(),
        })
    }

    /// Returns the expression as it is written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns whether `text` has a match.
    pub fn is_match(&self, text: &str) -> bool {
        self.may_match(text) && self.compiled().is_match(text)
    }

    /// Returns the first match in `text`.
    pub fn find<'t>(&self, text: &'t str) -> Option<Match<'t>> {
        self.may_match(text)
            .then(|| self.compiled().find(text))
            .flatten()
    }

    /// Returns all matches in `text`.
    pub fn find_iter<'t>(&self, text: &'t str) -> impl Iterator<Item = Match<'t>> {
        let found = self
            .may_match(text)
            .then(|| self.compiled().find_iter(text));
        found.into_iter().flatten()
    }

    /// Returns the groups of the first match in `text`.
    pub fn captures<'t>(&self, text: &'t str) -> Option<Captures<'t>> {
        self.may_match(text)
            .then(|| self.compiled().captures(text))
            .flatten()
    }

    /// Returns the groups of all matches in `text`.
    pub fn captures_iter<'t>(&self, text: &'t str) -> impl Iterator<Item = Captures<'t>> {
        let found: Option<CaptureMatches<'_, 't>> = self
            .may_match(text)
            .then(|| self.compiled().captures_iter(text));
        found.into_iter().flatten()
    }

    /// Returns how many groups it has, the whole match among them.
    pub fn captures_len(&self) -> usize {
        self.compiled().captures_len()
    }

    /// Returns the names of its groups.
    pub fn capture_names(&self) -> impl Iterator<Item = Option<&str>> {
        self.compiled().capture_names()
    }

    /// Returns whether the group `name` can have captured `value`: what stands in the group matches all of
    /// it. False where there is no such group.
    pub fn group_matches(&self, name: &str, value: &str) -> bool {
        let Ok(hir) = regex_syntax::parse(&self.lean) else {
            return false;
        };
        group(&hir, name).is_some_and(|inner| {
            let whole = Regex::new(&format!(r"\A(?:{inner})\z"));
            whole.is_ok_and(|whole| whole.is_match(value))
        })
    }

    /// Returns texts one of which stands in every match, if only letters of ASCII in another case; none
    /// where there are no such texts.
    pub fn needed(&self) -> impl Iterator<Item = &str> {
        self.needs.iter().map(|needed| needed.text.as_str())
    }

    /// Returns whether `text` has one of the texts that every match has; true where there are none.
    pub fn may_match(&self, text: &str) -> bool {
        self.needs.is_empty()
            || self
                .needs
                .iter()
                .any(|needed| needed.is_in(text.as_bytes()))
    }

    fn compiled(&self) -> &Regex {
        self.compiled.get_or_init(|| {
            let mut builder = RegexBuilder::new(&self.lean);
            // What has been parsed can only fail by its size.
            let built = builder.size_limit(usize::MAX).build();
            built.expect("it was parsed when it was read")
        })
    }
}

/// What stands in the group `name` of `hir`.
fn group<'h>(hir: &'h Hir, name: &str) -> Option<&'h Hir> {
    match hir.kind() {
        HirKind::Capture(capture) if capture.name.as_deref() == Some(name) => Some(&capture.sub),
        HirKind::Capture(capture) => group(&capture.sub, name),
        HirKind::Repetition(repetition) => group(&repetition.sub, name),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().find_map(|part| group(part, name))
        }
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => None,
    }
}

impl Needed {
    fn is_in(&self, text: &[u8]) -> bool {
        let needle = self.text.as_bytes();
        if !self.any_case {
            return memmem::find(text, needle).is_some();
        }
        let Some((first, rest)) = needle.split_first() else {
            return true;
        };
        let (lower, upper) = (first.to_ascii_lowercase(), first.to_ascii_uppercase());
        let mut from = 0;
        while let Some(at) = memchr2(lower, upper, &text[from..]) {
            let after = from + at + 1;
            let found = text.get(after..after + rest.len());
            if found.is_some_and(|found| found.eq_ignore_ascii_case(rest)) {
                return true;
            }
            from = after;
        }
        false
    }
}

impl Serialize for Expression {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match serializer.is_human_readable() {
            true => self.text.serialize(serializer),
            false => (&self.text, &self.lean, &self.needs).serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Expression {
    /// Reads the text of a recipe, or what longshore's build made of it.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let text = String::deserialize(deserializer)?;
            return Self::parse(&text).map_err(D::Error::custom);
        }
        let (text, lean, needs) = Deserialize::deserialize(deserializer)?;
        Ok(Self {
            text,
            lean,
            needs,
            compiled: OnceLock::new(),
        })
    }
}

/// Returns `text`, whose tree is `ast`, with the classes of ASCII in place of those of Unicode.
fn lean(text: &str, ast: &Ast) -> String {
    /// The places of classes, and what stands there instead.
    #[derive(Default)]
    struct Classes(Vec<(Span, &'static str)>);

    impl Visitor for Classes {
        type Output = Vec<(Span, &'static str)>;
        type Err = std::convert::Infallible;

        fn finish(self) -> Result<Self::Output, Self::Err> {
            Ok(self.0)
        }

        fn visit_pre(&mut self, ast: &Ast) -> Result<(), Self::Err> {
            match ast {
                Ast::ClassPerl(class) if !class.negated => {
                    let instead = match class.kind {
                        ClassPerlKind::Digit => "[0-9]",
                        ClassPerlKind::Space => r"[\t\n\v\f\r ]",
                        ClassPerlKind::Word => "[0-9A-Za-z_]",
                    };
                    self.0.push((class.span, instead));
                }
                Ast::Assertion(assertion) if assertion.kind == ast::AssertionKind::WordBoundary => {
                    self.0.push((assertion.span, r"(?-u:\b)"));
                }
                _ => {}
            }
            Ok(())
        }

        fn visit_class_set_item_pre(&mut self, item: &ClassSetItem) -> Result<(), Self::Err> {
            if let ClassSetItem::Perl(class) = item
                && !class.negated
            {
                let instead = match class.kind {
                    ClassPerlKind::Digit => "0-9",
                    ClassPerlKind::Space => r"\t\n\v\f\r ",
                    ClassPerlKind::Word => "0-9A-Za-z_",
                };
                self.0.push((class.span, instead));
            }
            Ok(())
        }
    }

    let Ok(classes) = ast::visit(ast, Classes::default());
    let mut lean = String::with_capacity(text.len());
    let mut from = 0;
    for (span, instead) in classes {
        lean.push_str(&text[from..span.start.offset]);
        lean.push_str(instead);
        from = span.end.offset;
    }
    lean.push_str(&text[from..]);
    lean
}

/// Shortest text that is worth looking for, in bytes.
const SHORTEST: usize = 2;
/// Most alternatives that are looked for: one pass over the text for each.
const MOST: usize = 12;

/// Returns texts one of which stands in every match of `hir`; none where nothing is known.
fn needs(hir: &Hir) -> Vec<Needed> {
    let needs = required(hir).unwrap_or_default();
    let is_worth_it =
        needs.len() <= MOST && needs.iter().all(|needed| needed.text.len() >= SHORTEST);
    needs.into_iter().filter(|_| is_worth_it).collect()
}

fn required(hir: &Hir) -> Option<Vec<Needed>> {
    match hir.kind() {
        HirKind::Literal(_) | HirKind::Class(_) => {
            let (text, any_case) = character(hir)?;
            Some(vec![Needed { text, any_case }])
        }
        HirKind::Repetition(repetition) if repetition.min > 0 => required(&repetition.sub),
        HirKind::Capture(capture) => required(&capture.sub),
        HirKind::Alternation(all) => {
            let mut needs: Vec<Needed> = Vec::new();
            for one in all {
                for needed in required(one)? {
                    if !needs.contains(&needed) {
                        needs.push(needed);
                    }
                }
            }
            Some(needs)
        }
        HirKind::Concat(all) => {
            let mut best: Option<Vec<Needed>> = None;
            let mut take = |needs: Vec<Needed>| {
                let length = |needs: &[Needed]| needs.iter().map(|needed| needed.text.len()).min();
                let value =
                    |needs: &Vec<Needed>| (length(needs).unwrap_or(0), usize::MAX - needs.len());
                if best.as_ref().is_none_or(|best| value(best) < value(&needs)) {
                    best = Some(needs);
                }
            };
            // Characters that follow each other are one text.
            let mut run = Needed {
                text: String::new(),
                any_case: false,
            };
            for part in all {
                if let Some((text, any_case)) = character(part) {
                    run.text.push_str(&text);
                    run.any_case |= any_case;
                    continue;
                }
                if let HirKind::Look(_) = part.kind() {
                    continue;
                }
                if !run.text.is_empty() {
                    take(vec![run.clone()]);
                    run.text.clear();
                    run.any_case = false;
                }
                required(part).map(&mut take);
            }
            if !run.text.is_empty() {
                take(vec![run]);
            }
            best
        }
        HirKind::Empty | HirKind::Look(_) | HirKind::Repetition(_) => None,
    }
}

/// The text of a literal, or the one letter of a class that has it in both cases.
fn character(hir: &Hir) -> Option<(String, bool)> {
    match hir.kind() {
        HirKind::Literal(literal) => {
            let text = std::str::from_utf8(&literal.0).ok()?;
            Some((text.to_owned(), false))
        }
        HirKind::Class(Class::Unicode(class)) => {
            let mut letters = class.iter().flat_map(|range| [range.start(), range.end()]);
            let letters: [char; 4] = [
                letters.next()?,
                letters.next()?,
                letters.next()?,
                letters.next()?,
            ];
            let [upper, upper_end, lower, lower_end] = letters;
            let is_pair = class.ranges().len() == 2
                && upper == upper_end
                && lower == lower_end
                && upper.is_ascii_uppercase()
                && upper.to_ascii_lowercase() == lower;
            is_pair.then(|| (lower.to_string(), true))
        }
        HirKind::Class(Class::Bytes(_))
        | HirKind::Empty
        | HirKind::Look(_)
        | HirKind::Repetition(_)
        | HirKind::Capture(_)
        | HirKind::Concat(_)
        | HirKind::Alternation(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_takes_what_it_could_have_captured_and_nothing_else() {
        let sign =
            Expression::parse(r"(?i)^no module named '(?<module>[a-z_]\w*)' in (?<file>\S+)")
                .expect("it parses");
        assert!(sign.group_matches("module", "yaml") && sign.group_matches("module", "YAML"));
        assert!(sign.group_matches("file", "é.py"));
        for (name, value) in [
            ("module", "yaml; rm x"),
            ("module", "yaml\n"),
            ("file", "a b"),
            ("package", "yaml"),
        ] {
            assert!(!sign.group_matches(name, value), "{name} {value}");
        }
    }

    #[track_caller]
    fn check(expression: &str, expected: &[&str]) {
        let expression = Expression::parse(expression).expect("it parses");
        let needs: Vec<String> = expression
            .needs
            .iter()
            .map(|needed| match needed.any_case {
                true => format!("{}?", needed.text),
                false => needed.text.clone(),
            })
            .collect();
        assert_eq!(needs, expected);
    }

    #[test]
    fn the_longest_text_that_every_match_has_is_needed() {
        check(r#"os\.environ\[["'](\w+)["']\]"#, &["os.environ["]);
        check(r"(?m)^EXPOSE (\d+)", &["EXPOSE "]);
        check(r"port\s*=\s*([0-9]+)", &["port"]);
    }

    #[test]
    fn of_alternatives_each_is_needed() {
        check("(?:getenv|environ)\\(", &["getenv", "environ"]);
        check("(?:getenv|[a-z]+)x", &[]);
    }

    #[test]
    fn letters_of_any_case_are_looked_for_in_any_case() {
        // `s` and `k` have third forms in Unicode, so that a text ends before them.
        check("(?i)create database", &["create databa?"]);
        let expression = Expression::parse("(?i)create table").expect("it parses");
        assert!(expression.is_match("x; CREATE Table y"));
        assert!(!expression.may_match("creates a Table"));
    }

    #[test]
    fn what_may_be_missing_is_not_needed() {
        check("(?:https?://)?", &[]);
        check("a*b?", &[]);
    }

    #[test]
    fn classes_are_those_of_ascii() {
        let expression = Expression::parse(r"\b\w+ [\w.-]+ \d\s").expect("it parses");
        assert_eq!(
            expression.lean,
            r"(?-u:\b)[0-9A-Za-z_]+ [0-9A-Za-z_.-]+ [0-9][\t\n\v\f\r ]"
        );
        assert!(expression.is_match("né shop a.b-c 1\t"));
        assert_eq!(expression.as_str(), r"\b\w+ [\w.-]+ \d\s");
    }
}
