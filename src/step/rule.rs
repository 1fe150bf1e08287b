//! Which recipe says what a command means.

use crate::recipe::{Catalog, CommandRule, Does, Matched, Pattern};

/// A rule of the catalogue that fits a command.
#[derive(Debug, Clone, Copy)]
pub struct Rule<'c> {
    /// Id of the tool.
    pub tool: &'c str,
    /// The rule.
    pub rule: &'c CommandRule,
    /// Flags of the tool that take a value.
    pub value_flags: &'c [String],
}

/// Returns the rule of `catalog` that fits the command `words` best, with what stood for its
/// wildcards, and `words` without the wrappers before it.
pub fn rule<'c>(
    words: &[String],
    catalog: &'c Catalog,
) -> (Option<(Rule<'c>, Matched)>, Vec<String>) {
    rule_where(words, catalog, &|_| false)
}

/// As [`rule`]; rules that apply only where a path is not there are asked with `is_there`.
pub fn rule_where<'c>(
    words: &[String],
    catalog: &'c Catalog,
    is_there: &dyn Fn(&str) -> bool,
) -> (Option<(Rule<'c>, Matched)>, Vec<String>) {
    let mut words = words.to_vec();
    // What a tool would mean by itself where it wraps nothing that is known.
    let mut otherwise = None;
    // Each wrapper takes at least one word away, or names another program, so this ends.
    loop {
        let known = words.first().and_then(|name| catalog.tool(name));
        let Some((tool_id, tool)) = known else {
            return otherwise.map_or((None, words), |(found, words)| (Some(found), words));
        };
        let arguments: Vec<&str> = words[1..].iter().map(String::as_str).collect();
        let mut fits: Vec<(&CommandRule, Matched)> = tool
            .command
            .iter()
            .filter(|rule| !rule.unless.as_ref().is_some_and(|path| is_there(path)))
            .filter_map(|rule| Some((rule, rule.words.matches(&arguments, &tool.value_flags)?)))
            .collect();
        // Of equals the last one written wins.
        fits.sort_by_key(|(_, matched)| matched.specificity);
        let Some((rule, matched)) = fits.pop() else {
            return otherwise.map_or((None, words), |(found, words)| (Some(found), words));
        };
        let as_rule = |rule: &'c CommandRule| Rule {
            tool: tool_id,
            rule,
            value_flags: &tool.value_flags,
        };
        if rule.does != Does::Wrapper {
            return (Some((as_rule(rule), matched)), words);
        }
        let plain = fits.pop().filter(|(other, _)| other.does != Does::Wrapper);
        if otherwise.is_none() {
            otherwise = plain.map(|(rule, matched)| ((as_rule(rule), matched), words.clone()));
        }
        words = unwrapped(&words, &rule.words, &tool.value_flags);
        let ending = words.first().and_then(|word| word.rsplit_once('.'));
        if let Some(program) = ending.and_then(|(_, ending)| rule.interpreters.get(ending)) {
            words.insert(0, program.clone());
        }
    }
}

/// Takes the wrapper off: its name, its flags, and the literal words of its pattern.
fn unwrapped(words: &[String], pattern: &Pattern, value_flags: &[String]) -> Vec<String> {
    let mut literals: Vec<&str> = pattern.literals().collect();
    let mut rest = &words[1..];
    while let [first, tail @ ..] = rest {
        if let Some(at) = literals.iter().position(|literal| literal == first) {
            literals.remove(at);
            rest = tail;
        } else if literals.is_empty() && first.contains('=') && !first.starts_with('-') {
            rest = tail;
        } else if first.starts_with('-') {
            let takes_value = value_flags.iter().any(|flag| flag == first);
            rest = if takes_value {
                tail.get(1..).unwrap_or(&[])
            } else {
                tail
            };
        } else {
            break;
        }
    }
    rest.to_vec()
}
