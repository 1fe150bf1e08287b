//! Values of compose.yaml, where `$` begins a variable
//! (<https://github.com/compose-spec/compose-spec/blob/main/12-interpolation.md>).

use super::yaml::{Flow, Laid, Scalar};
use crate::name::EnvName;

/// Marks the template of compose.yaml.
#[derive(Debug)]
pub enum Compose {}

/// A value of compose.yaml: a text in which every `$` is the character, and variables that stand there
/// on purpose. Compose puts no variables into keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ComposeText(String);

impl ComposeText {
    /// Appends `text`.
    #[must_use]
    pub fn text(mut self, text: &str) -> Self {
        self.0.push_str(&text.replace('$', "$$"));
        self
    }

    /// Appends the value of the variable `name`; where it has none, nothing starts, and `hint` is said.
    #[must_use]
    pub fn required(mut self, name: &EnvName, hint: &'static str) -> Self {
        self.0.push_str(&format!("${{{name}:?{hint}}}"));
        self
    }

    /// Appends the value of the variable `name`, or nothing where it has none.
    #[must_use]
    pub fn optional(mut self, name: &EnvName) -> Self {
        self.0.push_str(&format!("${{{name}:-}}"));
        self
    }
}

impl From<&str> for ComposeText {
    fn from(text: &str) -> Self {
        Self::default().text(text)
    }
}

impl From<String> for ComposeText {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl AsRef<str> for ComposeText {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Laid<Compose> for Scalar<ComposeText> {}

/// Returns the file at `path`, relative to the folder of compose.yaml, as the source of a mount; `None`
/// where it lies outside.
pub fn source(path: &str) -> Option<ComposeText> {
    let is_inside = !path.starts_with('/') && path.split('/').all(|part| part != "..");
    is_inside.then(|| ComposeText::default().text("./").text(path))
}

/// Returns the words of a command.
pub fn words<W: AsRef<str>>(words: impl IntoIterator<Item = W>) -> Flow<Scalar<ComposeText>> {
    Flow::new(words.into_iter().map(|word| Scalar::new(word.as_ref())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dollar_of_a_text_is_the_character() {
        let text = ComposeText::from("a$b ${HOME:-x} $$");
        assert_eq!(text.as_ref(), "a$$b $${HOME:-x} $$$$");
    }

    #[test]
    fn no_source_of_a_mount_lies_outside() {
        let read = |path: &str| source(path).map(|text| text.0);
        assert_eq!(read("a:b/$c.sql").as_deref(), Some("./a:b/$$c.sql"));
        for path in ["../a", "a/../../b", "/etc/passwd"] {
            assert_eq!(read(path), None, "{path}");
        }
    }

    #[test]
    fn a_variable_stands_only_where_it_is_meant() {
        let name = EnvName::parse("PASSWORD").expect("a name");
        let text = ComposeText::from("pg://u:")
            .required(&name, "set it")
            .text("@$h");
        assert_eq!(text.as_ref(), "pg://u:${PASSWORD:?set it}@$$h");
        assert_eq!(
            ComposeText::default().optional(&name).as_ref(),
            "${PASSWORD:-}"
        );
    }
}
