//! Texts of Kubernetes' manifests. In commands, arguments and variables of containers `$(NAME)` is the value
//! of a variable and `$$` is the character
//! (<https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/>).
//!
//! kustomize turns a manifest into JSON and reads that as YAML, where a control character that JSON writes
//! as it is ends it all, or becomes a blank. So they are blanks from the start; tabs and ends of lines stay.

use super::yaml::{Flow, Laid, Scalar, Word};
use crate::name::{CronExpression, EnvName, MountPath};

/// Marks the templates of Kubernetes' manifests.
#[derive(Debug)]
pub enum Kubernetes {}

/// A text that Kubernetes takes as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Literal(String);

impl From<&str> for Literal {
    fn from(text: &str) -> Self {
        Self(text.chars().map(printable).collect())
    }
}

impl From<String> for Literal {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl AsRef<str> for Literal {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// `c`, or a blank for a character that is not printable in YAML
/// (<https://yaml.org/spec/1.2.2/#51-character-set>).
fn printable(c: char) -> char {
    match c {
        '\t' | '\n' | '\r' => c,
        '\u{feff}' | '\u{fffe}' | '\u{ffff}' => ' ',
        c if c.is_control() => ' ',
        c => c,
    }
}

/// A text in which Kubernetes puts the values of variables, and only of those that stand there on purpose.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expanded(String);

impl Expanded {
    /// Appends `text`. A `$` is doubled where it would begin a variable, or be taken for half of a
    /// doubled one.
    #[must_use]
    pub fn text(mut self, text: &str) -> Self {
        let mut chars = text.chars().map(printable).peekable();
        while let Some(c) = chars.next() {
            self.0.push(c);
            let is_read = matches!(chars.peek(), Some('$' | '(') | None);
            if c == '$' && is_read {
                self.0.push('$');
            }
        }
        self
    }

    /// Appends the value of the variable `name`.
    #[must_use]
    pub fn variable(mut self, name: &EnvName) -> Self {
        self.0.push_str(&format!("$({name})"));
        self
    }
}

impl From<&str> for Expanded {
    fn from(text: &str) -> Self {
        Self::default().text(text)
    }
}

impl AsRef<str> for Expanded {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Laid<Kubernetes> for Scalar<Expanded> {}
impl Laid<Kubernetes> for Scalar<Literal> {}
impl Laid<Kubernetes> for Word<Literal> {}
impl Laid<Kubernetes> for Scalar<CronExpression> {}
impl Laid<Kubernetes> for Scalar<MountPath> {}

/// Returns the words of a command.
pub fn words<W: AsRef<str>>(words: impl IntoIterator<Item = W>) -> Flow<Scalar<Expanded>> {
    Flow::new(words.into_iter().map(|word| Scalar::new(word.as_ref())))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What Kubernetes makes of `text`, with all variables called `known` set to `!`:
    /// <https://github.com/kubernetes/kubernetes/blob/master/third_party/forked/golang/expansion/expand.go>.
    fn expand(text: &str) -> String {
        let (mut out, mut rest) = (String::new(), text);
        while let Some((before, after)) = rest.split_once('$') {
            out.push_str(before);
            if let Some(after) = after.strip_prefix('$') {
                out.push('$');
                rest = after;
            } else if let Some((name, after)) = after
                .strip_prefix('(')
                .and_then(|after| after.split_once(')'))
            {
                out.push_str(if name == "known" { "!" } else { "?" });
                rest = after;
            } else {
                out.push('$');
                rest = after;
            }
        }
        out + rest
    }

    #[test]
    fn a_dollar_is_doubled_only_where_it_would_be_read() {
        assert_eq!(
            Expanded::from("sh -c \"echo $PORT\"").0,
            "sh -c \"echo $PORT\""
        );
        assert_eq!(Expanded::from("$(date) $$").0, "$$(date) $$$$");
    }

    #[test]
    fn a_variable_stands_only_where_it_is_meant() {
        let name = EnvName::parse("known").expect("a name");
        let text = Expanded::from("a$").variable(&name).text("$(known)");
        assert_eq!(expand(&text.0), "a$!$(known)");
    }

    proptest! {
        #[test]
        fn any_text_is_read_as_it_is(text in "[$()a ]{0,12}") {
            prop_assert_eq!(expand(&Expanded::from(text.as_str()).0), text);
        }
    }
}
