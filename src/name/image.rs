//! References of images.

use std::sync::LazyLock;

use regex::Regex;

use super::texts;

/// A reference of an image by the grammar of the distribution project, such as
/// `registry.example/team/shop:1.0@sha256:…`
/// (<https://pkg.go.dev/github.com/distribution/reference>).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ImageReference(String);

static GRAMMAR: LazyLock<Regex> = LazyLock::new(|| {
    let component = "[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?";
    let address = r"\[(?:[a-fA-F0-9:]+)\]";
    let domain = format!(r"(?:{component}(?:\.{component})*|{address})(?::[0-9]+)?");
    let path = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
    let tag = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}";
    let digest = "[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}";
    let name = format!("((?:{domain}/)?{path}(?:/{path})*)");
    Regex::new(&format!("^{name}(?::{tag})?(?:@{digest})?$")).expect("the grammar is an expression")
});

impl ImageReference {
    /// Returns the reference that `text` is, if it is one.
    pub fn parse(text: &str) -> Option<Self> {
        let found = GRAMMAR.captures(text)?;
        // The domain counts in the limit.
        (found[1].len() <= 255).then(|| Self(text.to_owned()))
    }
}

texts!(ImageReference);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grammar_of_distribution_decides() {
        for text in [
            "postgres:16-bookworm",
            "shop:dev",
            "a",
            "registry.example:5000/team/my_app:1.0",
            "localhost/x",
            "[::1]:80/x",
            "ghcr.io/a/b__c@sha256:0123456789abcdef0123456789abcdef",
        ] {
            assert!(ImageReference::parse(text).is_some(), "{text}");
        }
        for text in [
            "",
            "Shop",
            "a b",
            "a:",
            "a:-x",
            "https://x/y",
            "a/-b",
            "a$x",
            "a\n",
            "-a",
            "a@sha256:12",
            "a.-b/c",
        ] {
            assert!(ImageReference::parse(text).is_none(), "{text}");
        }
    }
}
