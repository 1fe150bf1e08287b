//! A path below the output folder.

use std::{borrow::Borrow, fmt, ops::Deref};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Most bytes of a name that common file systems take.
const LONGEST_NAME: usize = 255;
/// Most bytes of a whole path, well below the 4,096 that Linux takes with the folder before it.
const LONGEST_PATH: usize = 1024;

/// Path of a generated file, relative to the output folder, with `/` between its names.
///
/// It stays below that folder on every system: no empty name, `.` or `..`, no drive, nothing that
/// Git takes for its own folder, no control character, and no character that Windows reserves.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String")]
pub struct OutputPath(String);

impl OutputPath {
    /// Reads a path.
    ///
    /// # Errors
    ///
    /// When it does not stay below the folder, or some system does not take it: why.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| Err(format!("`{text}` cannot be written: {why}"));
        if text.is_empty() || text.len() > LONGEST_PATH {
            return wrong("a path has 1 to 1024 bytes");
        }
        if text.starts_with('/') {
            return wrong("it is absolute");
        }
        for name in text.split('/') {
            if name.is_empty() || name == "." || name == ".." {
                return wrong("it has an empty name, `.` or `..`");
            }
            if name.len() > LONGEST_NAME {
                return wrong("a name has at most 255 bytes");
            }
            if name.chars().any(|c| c.is_control() || is_invisible(c)) {
                return wrong("it has a control character");
            }
            if name.contains(['\\', ':', '<', '>', '"', '|', '?', '*']) {
                return wrong("it has a character that some systems reserve");
            }
            if is_of_git(name) {
                return wrong("it lies in the folder of Git");
            }
        }
        Ok(Self(text.to_owned()))
    }

    /// Returns the path that longshore itself gives a file.
    ///
    /// # Panics
    ///
    /// When `text` is no path, which a run of any sample shows.
    pub fn fixed(text: &str) -> Self {
        Self::parse(text).expect("a path of longshore's own")
    }

    /// Returns the path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the names of the folders and that of the file.
    pub fn split(&self) -> (Vec<&str>, &str) {
        let mut names: Vec<&str> = self.0.split('/').collect();
        let file = names.pop().unwrap_or_default();
        (names, file)
    }
}

/// Characters that show nothing or turn the text around: separators of lines and paragraphs, zero
/// width, marks of direction. Some file systems ignore them in names.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{ffff}'
    )
}

/// The names that Git refuses in a tree, because some file system takes them for `.git`
/// (`verify_path` of its read-cache.c): in any case, with dots or blanks behind it, and the short
/// name that Windows gives it.
fn is_of_git(name: &str) -> bool {
    let name = name.trim_end_matches(['.', ' ']).to_ascii_lowercase();
    name == ".git" || name == "git~1"
}

impl TryFrom<String> for OutputPath {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text)
    }
}

impl Deref for OutputPath {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for OutputPath {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl PartialEq<str> for OutputPath {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for OutputPath {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

impl fmt::Display for OutputPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_below_the_folder_is_one() {
        for path in [
            "Dockerfile",
            "k8s/base/a.yaml",
            ".gitignore",
            "a..b/c d",
            "ü",
        ] {
            assert_eq!(OutputPath::parse(path).as_deref(), Ok(path));
        }
    }

    #[test]
    fn a_path_that_may_lead_out_is_none() {
        let long = "a".repeat(256);
        for path in [
            "",
            "/etc/cron.d/x",
            "../x",
            "a/../../x",
            "a//b",
            "a/",
            "./a",
            "C:x",
            "C:\\x",
            "a\\..\\b",
            ".git/hooks/post-checkout",
            "a/.GIT/config",
            ".git./x",
            ".git /x",
            "GIT~1/x",
            ".g\u{200c}it/x",
            "a\nb",
            "a\u{1b}[31m",
            "a\u{2028}b",
            "a\u{202e}b",
            long.as_str(),
        ] {
            assert!(OutputPath::parse(path).is_err(), "{path:?}");
        }
    }
}
