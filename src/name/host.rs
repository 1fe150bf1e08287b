//! Names of hosts.

use super::{Name, texts};

/// The name of a host that is more than a label: labels of letters, digits and inner `-` with dots
/// between them, each at most 63 characters, all at most 253
/// (<https://www.rfc-editor.org/rfc/rfc1123#section-2>). It is in lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct HostName(String);

impl HostName {
    /// Returns the name that `text` is, if it is one; upper case is the same name.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        let is_label = |label: &str| {
            let is_known = |c: char| c.is_ascii_alphanumeric() || c == '-';
            (1..=63).contains(&label.len())
                && label.chars().all(is_known)
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let is_name = text.len() <= 253 && text.split('.').all(is_label);
        is_name.then_some(Self(text))
    }

    /// Returns whether it is an address of IPv4.
    pub fn is_address(&self) -> bool {
        self.0.split('.').all(|part| part.parse::<u8>().is_ok())
    }
}

texts!(HostName);

impl Name for HostName {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_has_labels_that_begin_and_end_well() {
        for text in ["shop.example.org", "a", "x-y.b", "3.de"] {
            assert!(HostName::parse(text).is_some(), "{text}");
        }
        let (label, whole) = ("a".repeat(64), "a.".repeat(127) + "b");
        for text in [
            "", "-a.org", "a-.b", "a..b", "a.b.", "*.a", "a b", &label, &whole,
        ] {
            assert!(HostName::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn upper_case_is_the_same_name() {
        assert_eq!(HostName::parse("Shop.ORG"), HostName::parse("shop.org"));
    }
}
