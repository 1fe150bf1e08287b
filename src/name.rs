//! Names that are valid by construction: of Kubernetes objects, Compose services, images, hosts.
//!
//! A name that longshore makes can be made of any text: it is transliterated, and shortened with a
//! hash of the whole. A name that only a person can mean, such as that of a host, is checked instead.
//! What is one already stays as it is.

mod cron;
mod host;
mod image;
mod taken;

use std::fmt;

use sha2::{Digest, Sha256};

use crate::source::is_hidden;

pub use cron::CronExpression;
pub use host::HostName;
pub use image::ImageReference;
pub use taken::Taken;

/// Returns `name` in small letters and digits, so that `dbHost`, `DB_HOST` and `db-host` are one name.
pub fn plain(name: &str) -> String {
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    letters.map(|c| c.to_ascii_lowercase()).collect()
}

/// A text of at most 253 letters, digits, `-`, `_` and `.`: no place has to quote it against its own
/// characters, and a key of YAML is never too long.
pub trait Name: AsRef<str> {}

/// A DNS label of RFC 1035 with at most `MAX` characters: lower-case letters, digits and `-`, a letter
/// first and no `-` last.
///
/// It fits wherever Kubernetes wants a label or a subdomain, of RFC 1123 or 1035
/// (<https://kubernetes.io/docs/concepts/overview/working-with-objects/names/>), a value of a label, and
/// Compose the name of a project, a service or a volume.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label<const MAX: usize>(String);

/// Name of a workload, a container, a Service or a volume of a pod, or a label's value.
pub type ObjectName = Label<63>;
/// Name of a CronJob: it puts eleven characters behind it for each Job.
pub type CronJobName = Label<52>;
/// Name of an object that nothing else is named after, such as a claim or a ConfigMap.
pub type LongName = Label<253>;
/// Name of a port.
pub type PortName = Label<15>;

impl<const MAX: usize> Label<MAX> {
    /// Makes a label of `text`.
    pub fn of(text: &str) -> Self {
        if is_label(text) && text.len() <= MAX {
            return Self(text.to_owned());
        }
        let slug = slug(text);
        match slug.len() {
            0 => Self(shortened("name", text, MAX)),
            length if length > MAX => Self(shortened(&slug, text, MAX)),
            _ => Self(slug),
        }
    }

    /// Makes a label of `parts` with `-` between them.
    pub fn joined(parts: &[&str]) -> Self {
        Self::of(&parts.join("-"))
    }

    /// Makes a label that begins like `wish` and ends in a hash of `text`.
    fn with_hash_of(wish: &str, text: &str) -> Self {
        let slug = slug(wish);
        let begin = if slug.is_empty() { "name" } else { &slug };
        Self(shortened(begin, text, MAX))
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A key of a ConfigMap or a Secret: letters, digits, `-`, `_` and `.`, at most 253.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConfigKey(String);

impl ConfigKey {
    /// Makes a key of `text`.
    pub fn of(text: &str) -> Self {
        let is_known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let is_key = !text.is_empty() && text.chars().all(is_known) && !text.starts_with("..");
        if is_key && text != "." && text.len() <= 253 {
            return Self(text.to_owned());
        }
        let known = deunicode::deunicode(text);
        let known: String = known
            .chars()
            .map(|c| if is_known(c) { c } else { '-' })
            .collect();
        let known = known.trim_start_matches('.');
        // The ending tells what the file is.
        let (begin, ending) = match known.rsplit_once('.') {
            Some((begin, ending)) if ending.len() < 10 => (begin, format!(".{ending}")),
            _ => (known, String::new()),
        };
        let begin = shortened(begin, text, 200);
        Self(format!("{begin}{ending}"))
    }
}

/// Name of an environment variable: ASCII letters, digits and `_`, no digit first, at most 253
/// characters, as it becomes a key of a ConfigMap. A value can refer to it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct EnvName(String);

impl EnvName {
    /// Returns the name that `text` is, if it is one.
    pub fn parse(text: &str) -> Option<Self> {
        let begins_well = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        let goes_on_well = text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        let is_name = begins_well && goes_on_well && text.len() <= 253;
        is_name.then(|| Self(text.to_owned()))
    }
}

/// Name of a variable of a container, as Kubernetes takes it: letters, digits, `_`, `-` and `.`, no digit
/// first, at most 253 characters. Programs such as Elasticsearch are set up by names that no shell knows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct VariableName(String);

impl VariableName {
    /// Returns the name that `text` is, if it is one.
    pub fn parse(text: &str) -> Option<Self> {
        let is_known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let begins_well = !text.starts_with(|c: char| c.is_ascii_digit());
        let is_name =
            begins_well && text.chars().all(is_known) && !text.trim_matches('.').is_empty();
        (is_name && text.len() <= 253 && !text.starts_with("..")).then(|| Self(text.to_owned()))
    }
}

impl From<EnvName> for VariableName {
    fn from(name: EnvName) -> Self {
        Self(name.0)
    }
}

/// An absolute path at which something can be mounted into a container: Kubernetes takes none with `:`, no
/// engine the root or a way upwards, and nobody would see what is hidden.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MountPath(String);

impl MountPath {
    /// Returns the path that `text` is, if something can be mounted there. It is one path however many
    /// `/` stand in it.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('/');
        let is_absolute = text.starts_with('/') && !text.trim_matches('/').is_empty();
        let is_clean =
            parts.all(|part| part != "..") && !text.contains(|c| c == ':' || is_hidden(c));
        let parts = text.split('/').filter(|part| !matches!(*part, "" | "."));
        let path = parts.fold(String::new(), |path, part| path + "/" + part);
        (is_absolute && is_clean && !path.is_empty()).then_some(Self(path))
    }
}

/// The path of a request with its query, as RFC 9112 has it in a request line: `/`, then visible ASCII
/// characters that no shell, file or page reads as its own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct HttpPath(String);

impl HttpPath {
    /// Returns the path that `text` is, if it is one.
    pub fn parse(text: &str) -> Option<Self> {
        let is_known = |c: char| c.is_ascii_alphanumeric() || "/-._~%!&'()*+,;=:@?".contains(c);
        let is_path = text.starts_with('/') && text.chars().all(is_known) && text.len() <= 2048;
        is_path.then(|| Self(text.to_owned()))
    }
}

/// A DNS subdomain of RFC 1123: the name of an object that a person made.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subdomain(String);

impl Subdomain {
    /// Returns the name that `text` is, if it is one.
    pub fn parse(text: &str) -> Option<Self> {
        let is_known =
            |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
        let is_part = |part: &str| {
            !part.is_empty()
                && part.chars().all(is_known)
                && !part.starts_with('-')
                && !part.ends_with('-')
        };
        (text.len() <= 253 && text.split('.').all(is_part)).then(|| Self(text.to_owned()))
    }
}

/// Implements what every text has that only its own constructors make.
macro_rules! texts {
    ($($name:ty),+ $(,)?) => {
        $(
            impl AsRef<str> for $name {
                fn as_ref(&self) -> &str {
                    &self.0
                }
            }

            impl ::std::fmt::Display for $name {
                fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                    f.write_str(&self.0)
                }
            }
        )+
    };
}
use texts;

texts!(
    ConfigKey,
    EnvName,
    HttpPath,
    MountPath,
    Subdomain,
    VariableName
);

impl Name for ConfigKey {}
impl Name for EnvName {}
impl Name for Subdomain {}
impl Name for VariableName {}
impl<const MAX: usize> Name for Label<MAX> {}

impl<const MAX: usize> AsRef<str> for Label<MAX> {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> fmt::Display for Label<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Returns `text` in lower-case letters, digits and `-`, a letter first and none of `-` last; empty
/// where nothing of it can be written so.
pub fn slug(text: &str) -> String {
    let mut slug = String::new();
    // Pictures have names of their own.
    let text = text.replace(|c: char| !c.is_alphanumeric(), " ");
    for c in deunicode::deunicode(&text).chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.ends_with('-') && !slug.is_empty() {
            slug.push('-');
        }
    }
    let slug = slug.trim_start_matches(|c: char| !c.is_ascii_alphabetic());
    slug.trim_end_matches('-').to_owned()
}

/// Whether `text` is a DNS label of RFC 1035, but for its length.
fn is_label(text: &str) -> bool {
    let is_known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(is_known)
        && !text.ends_with('-')
}

/// The beginning of `slug`, which is ASCII, with a hash of `text`: `max` characters at most.
fn shortened(slug: &str, text: &str, max: usize) -> String {
    let digest = Sha256::digest(text.as_bytes());
    let hash: String = digest
        .iter()
        .take(3)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let room = max.saturating_sub(hash.len() + 1);
    let begin = &slug[..slug.len().min(room)];
    format!("{}-{hash}", begin.trim_end_matches(['-', '.']))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn label(text: &str, expected: &str) {
        assert_eq!(ObjectName::of(text).as_str(), expected);
    }

    #[test]
    fn what_is_a_label_stays() {
        label("web", "web");
        label("a--b", "a--b");
        label("true", "true");
    }

    #[test]
    fn any_text_becomes_a_label() {
        label("beat_1", "beat-1");
        label("-dash", "dash");
        label("__x__", "x");
        label("Данные", "dannye");
        label("3d viewer", "d-viewer");
        label("", "name-e3b0c4");
        label("___", "name-bda251");
    }

    #[test]
    fn a_long_one_is_told_apart_by_its_end() {
        let long = |end: &str| ObjectName::of(&format!("{}{end}", "a".repeat(100)));
        assert_eq!(long("b").as_str().len(), 63);
        assert_ne!(long("b"), long("c"));
        assert!(CronJobName::of(&"a".repeat(53)).as_str().len() <= 52);
        assert_eq!(PortName::of("metrics-exporter").as_str(), "metrics-add63c");
    }

    #[test]
    fn a_key_keeps_the_ending_of_its_file() {
        let key = |text: &str| ConfigKey::of(text).to_string();
        assert_eq!(key("schema_1.SQL"), "schema_1.SQL");
        assert_eq!(key("a:ro.sql"), "a-ro-da6edf.sql");
        assert_eq!(key(".."), "-5ec1f7");
    }

    #[test]
    fn a_variable_has_a_name_that_a_config_map_takes() {
        assert!(EnvName::parse("NO").is_some());
        assert!(EnvName::parse("_1").is_some());
        for text in ["", "1A", "A-B", "A B", "É", &"A".repeat(254)] {
            assert!(EnvName::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_container_may_have_variables_with_dots() {
        assert!(VariableName::parse("discovery.type").is_some());
        for text in ["", "1A", "A B", "..", "..a", "A=B", &"a".repeat(254)] {
            assert!(VariableName::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn nothing_is_mounted_at_a_path_with_a_colon() {
        assert!(MountPath::parse("/app/my data").is_some());
        assert_eq!(MountPath::parse("/app//x/./"), MountPath::parse("/app/x"));
        for text in ["", "/", "/.", "app", "/a:b", "/a/../b", "/a\nb"] {
            assert!(MountPath::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn an_object_of_a_person_has_a_subdomain_for_its_name() {
        assert!(Subdomain::parse("shop-tls.v2").is_some());
        for text in ["", "a..b", "-a", "a.-b", "A", "a_b", &"a".repeat(254)] {
            assert!(Subdomain::parse(text).is_none(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_text_gives_valid_names(text in ".{0,120}") {
            let label = ObjectName::of(&text);
            prop_assert!(is_label(label.as_str()) && label.as_str().len() <= 63, "{}", label);
            prop_assert_eq!(ObjectName::of(label.as_str()), label);
            let short = PortName::of(&text);
            prop_assert!(is_label(short.as_str()) && short.as_str().len() <= 15, "{}", short);
            let key = ConfigKey::of(&text).to_string();
            prop_assert_eq!(ConfigKey::of(&key).to_string(), key);
        }
    }
}
