//! A log that costs bounded memory: its beginning and its end.

use std::collections::VecDeque;

/// Bytes kept of the beginning.
const HEAD: usize = 64 * 1024;
/// Bytes kept of the end.
const TAIL: usize = 192 * 1024;

/// Collects text and forgets the middle of it.
#[derive(Debug, Default)]
pub struct BoundedLog {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    dropped: usize,
}

impl BoundedLog {
    /// Adds `bytes` to the end.
    pub fn push(&mut self, bytes: &[u8]) {
        let room = HEAD.saturating_sub(self.head.len()).min(bytes.len());
        self.head.extend_from_slice(&bytes[..room]);
        self.tail.extend(&bytes[room..]);
        let excess = self.tail.len().saturating_sub(TAIL);
        self.tail.drain(..excess);
        self.dropped += excess;
    }

    /// Returns the text; where the middle is missing, a line says so.
    pub fn text(&self) -> String {
        let mut bytes = self.head.clone();
        if self.dropped > 0 {
            bytes.extend_from_slice(format!("\n[{} bytes left out]\n", self.dropped).as_bytes());
        }
        bytes.extend(&self.tail);
        plain(&String::from_utf8_lossy(&bytes))
    }
}

/// Returns `text` without terminal escapes and control characters other than the line feed.
pub fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\u{1b}' {
            if chars.next_if_eq(&'[').is_some() {
                while chars.next_if(|c| !c.is_ascii_alphabetic()).is_some() {}
                chars.next();
            }
        } else if c == '\n' || !c.is_control() {
            plain.push(c);
        } else if c == '\t' {
            plain.push(' ');
        }
    }
    plain
}

/// Returns the last `count` lines of `text` that hold something.
pub fn last_lines(text: &str, count: usize) -> Vec<String> {
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let start = lines.len().saturating_sub(count);
    lines[start..]
        .iter()
        .map(|line| line.chars().take(400).collect())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_keeps_its_beginning_and_its_end() {
        let mut log = BoundedLog::default();
        log.push(b"first\n");
        for _ in 0..100_000 {
            log.push(b"noise noise\n");
        }
        log.push(b"last\n");
        let text = log.text();
        assert!(
            text.starts_with("first\n")
                && text.ends_with("last\n")
                && text.contains("bytes left out")
        );
        assert!(text.len() < HEAD + TAIL + 100);
    }

    #[test]
    fn terminal_escapes_are_removed() {
        assert_eq!(plain("a\u{1b}[31;1mred\u{1b}[0m\r\nb"), "ared\nb");
    }
}
