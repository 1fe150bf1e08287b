//! The bodies of the fuzz targets, run on their seeds and on mutations of these that are the same at each run.
//! Every input that once broke something is a seed: `make fuzz` finds new ones.

#[path = "fuzz/src/lib.rs"]
mod fuzz;

use std::{fs, path::Path};

/// What is put into inputs, one in a line, as libFuzzer takes it.
const DICTIONARY: &str = include_str!("fuzz/dictionary");

fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new("tests/fuzz/seeds").join(target);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{target}: {error}"));
    let mut seeds: Vec<(String, Vec<u8>)> = entries
        .map(|entry| entry.expect("an entry").path())
        .map(|path| (path.display().to_string(), fs::read(&path).expect("read")))
        .collect();
    seeds.sort();
    seeds
}

/// The words of the dictionary: `"\x1b[31m"`.
fn words() -> Vec<Vec<u8>> {
    let lines = DICTIONARY
        .lines()
        .filter_map(|line| line.strip_prefix('"')?.strip_suffix('"'));
    lines.map(word).collect()
}

fn word(line: &str) -> Vec<u8> {
    let (mut word, mut rest) = (Vec::new(), line);
    while let Some((before, after)) = rest.split_once('\\') {
        word.extend_from_slice(before.as_bytes());
        if let Some(hex) = after.strip_prefix('x') {
            word.push(u8::from_str_radix(&hex[..2], 16).expect("two digits"));
            rest = &hex[2..];
        } else {
            word.extend_from_slice(&after.as_bytes()[..1]);
            rest = &after[1..];
        }
    }
    word.extend_from_slice(rest.as_bytes());
    word
}

/// Numbers that look random and are not (<https://en.wikipedia.org/wiki/Xorshift>).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit.max(1) as u64).expect("it is small")
    }

    /// Changes a few places of `bytes`.
    fn mutate(&mut self, mut bytes: Vec<u8>, other: &[u8], words: &[Vec<u8>]) -> Vec<u8> {
        for _ in 0..=self.below(4) {
            let start = self.below(bytes.len() + 1);
            let end = (start + self.below(24)).min(bytes.len());
            match self.below(6) {
                0 => drop(bytes.drain(start..end)),
                1 => {
                    let twice = bytes[start..end].repeat(2);
                    bytes.splice(start..end, twice);
                }
                2 => {
                    let from = self.below(other.len() + 1);
                    let piece = &other[from..(from + self.below(80)).min(other.len())];
                    bytes.splice(start..end, piece.iter().copied());
                }
                3 if start < bytes.len() => bytes[start] = self.below(256) as u8,
                _ => {
                    let word = &words[self.below(words.len())];
                    bytes.splice(start..start, word.iter().copied());
                }
            }
        }
        bytes
    }
}

#[track_caller]
fn check(name: &str) {
    let (_, target, mutations) = fuzz::TARGETS
        .into_iter()
        .find(|(known, ..)| *known == name)
        .expect("a target");
    let seeds = seeds(name);
    let run = |place: &str, bytes: &[u8]| {
        let run = std::panic::catch_unwind(|| target(bytes));
        assert!(run.is_ok(), "{place}: {:?}", String::from_utf8_lossy(bytes));
    };
    for (path, bytes) in &seeds {
        run(path, bytes);
    }
    let words = words();
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    for _ in 0..mutations {
        let (path, bytes) = &seeds[numbers.below(seeds.len())];
        let (_, other) = &seeds[numbers.below(seeds.len())];
        run(path, &numbers.mutate(bytes.clone(), other, &words));
    }
}

/// A test for each target.
macro_rules! targets {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            check(stringify!($name));
        })*

        #[test]
        fn each_target_is_run() {
            let known = fuzz::TARGETS.map(|(name, ..)| name);
            assert_eq!(known, [$(stringify!($name)),*]);
        }
    };
}

targets!(markdown rst asciidoc plain shell recipe config state manifest site log dockerfile whole);
