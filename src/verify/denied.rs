//! Paths that a program could not write, read from what it printed.
//!
//! Under a read-only root the engine sees no change, so the program's own words are all there is.

use std::collections::BTreeSet;

/// How the C library, Python, Node, Java and Go say that a path may not be written.
const REFUSALS: [&str; 5] = [
    "read-only file system",
    "permission denied",
    "erofs",
    "eacces",
    "accessdeniedexception",
];

/// Returns the absolute paths on the lines of `log` that say so.
pub fn paths(log: &str) -> Vec<String> {
    let says_no = |line: &&str| {
        let line = line.to_lowercase();
        REFUSALS.iter().any(|refusal| line.contains(refusal))
    };
    let found: BTreeSet<String> = log.lines().filter(says_no).filter_map(path).collect();
    found.into_iter().collect()
}

/// The last absolute path of the line: what stands before it is the program's own name.
fn path(line: &str) -> Option<String> {
    let quotes = ['\'', '"', '`', '\u{2018}', '\u{2019}'];
    let ends = |c: char| c.is_whitespace() || quotes.contains(&c) || "()[]{}<>,;=".contains(c);
    let words = line
        .split(ends)
        .map(|word| word.trim_end_matches([':', '.']));
    let is_path = |word: &&str| word.len() > 1 && word.starts_with('/') && !word.starts_with("//");
    words.rev().find(is_path).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: &[&str]) {
        assert_eq!(paths(line), expected);
    }

    #[test]
    fn python_says_it_in_quotes() {
        check(
            "OSError: [Errno 30] Read-only file system: '/app/instance'",
            &["/app/instance"],
        );
        check(
            "PermissionError: [Errno 13] Permission denied: '/data/db'",
            &["/data/db"],
        );
    }

    #[test]
    fn node_says_it_with_a_code() {
        check(
            "Error: EROFS: read-only file system, mkdir '/app/uploads'",
            &["/app/uploads"],
        );
    }

    #[test]
    fn a_shell_and_go_say_it_without_quotes() {
        check(
            "sh: 1: cannot create /app/x.log: Read-only file system",
            &["/app/x.log"],
        );
        check(
            "open /var/lib/app.db: permission denied",
            &["/var/lib/app.db"],
        );
        check(
            "mkdir: cannot create directory \u{2018}/srv/a\u{2019}: Permission denied",
            &["/srv/a"],
        );
    }

    #[test]
    fn any_other_line_names_no_path() {
        check(
            "GET /index.html 200\npermission denied for table users\n",
            &[],
        );
    }
}
