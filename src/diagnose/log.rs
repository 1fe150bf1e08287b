//! The log of a container build or start, read line by line: what the engine itself says in it is
//! taken for what it is.

use std::sync::LazyLock;

use regex::Regex;

use crate::manifest::dockerfile::Instruction;

/// A log.
#[derive(Debug, Clone, Default)]
pub struct Log {
    /// Its lines.
    pub lines: Vec<Line>,
    /// The instruction that failed, as the engine shows it.
    pub instruction: Option<String>,
    /// The image of the last stage that it names.
    pub image: Option<String>,
    /// Number of the instruction in the Dockerfile, from 1, where the engine counts them all.
    step: Option<usize>,
    /// Line of the Dockerfile.
    place: Option<usize>,
}

/// A line of a log.
#[derive(Debug, Clone)]
pub struct Line {
    /// Its text without colours and without what the engine puts before it.
    pub text: String,
    /// Whether it belongs to the step that failed, or to none.
    pub is_of_failure: bool,
}

/// Marks of the engines, <https://docs.docker.com/reference/cli/docker/buildx/build/#progress> and
/// <https://github.com/containers/buildah>.
struct Marks {
    /// What other programs put before a line: the time, the name of the service.
    before: Regex,
    /// A step of the classic builder or of buildah.
    step: Regex,
    /// A line of a step of BuildKit.
    vertex: Regex,
    /// The head of a step of BuildKit.
    head: Regex,
    /// The step of BuildKit that failed.
    failed: Regex,
    /// The summary of BuildKit: the place in the Dockerfile.
    place: Regex,
    /// The summary of BuildKit: the step, with its last lines below.
    summary: Regex,
}

static MARKS: LazyLock<Marks> = LazyLock::new(|| {
    let regex = |text| Regex::new(text).expect("compiles");
    Marks {
        before: regex(
            r"^(?:[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(?:Z|[+-][0-9:]+) |[A-Za-z0-9._-]+ +\| )",
        ),
        step: regex(r"^(?i:step) ([0-9]+)/[0-9]+ ?: (.*)"),
        vertex: regex(r"^#([0-9]+) (?:[0-9]+\.[0-9]+ ?)?(.*)"),
        head: regex(r"^\[(?:[^\]]* )?[0-9]+/[0-9]+\] ([A-Z]+ .*)"),
        failed: regex(r"^#([0-9]+) ERROR"),
        place: regex(r"^[A-Za-z0-9._-]*(?i:dockerfile)[A-Za-z0-9._-]*:([0-9]+)$"),
        summary: regex(r"^ > \[(?:[^\]]* )?[0-9]+/[0-9]+\] ([A-Z]+ .*?):?$"),
    }
});

impl Log {
    /// Reads the lines of a log.
    pub fn read<'l>(lines: impl Iterator<Item = &'l str>) -> Self {
        let marks = &*MARKS;
        let lines: Vec<String> = lines.map(|line| bare(line, marks)).collect();
        let failed = lines
            .iter()
            .filter_map(|line| marks.failed.captures(line))
            .map(|found| found[1].to_owned())
            .next_back();
        let mut log = Self::default();
        let mut done = 0;
        for line in lines {
            if let Some(found) = marks.step.captures(&line) {
                // Whatever ran before this step did not fail.
                done = log.lines.len();
                log.step = found[1].parse().ok();
                log.saw(&found[2]);
            }
            if let Some(found) = marks.place.captures(&line) {
                log.place = found[1].parse().ok();
            }
            if let Some(found) = marks.summary.captures(&line) {
                log.saw(&found[1]);
            }
            // What an instruction says is no message; only of FROM it is all that there is.
            let is_heading = marks
                .step
                .captures(&line)
                .is_some_and(|found| !found[2].starts_with("FROM"));
            let vertex = marks.vertex.captures(&line);
            let is_of_failure = !is_heading
                && match (&vertex, &failed) {
                    (Some(found), Some(failed)) => found[1] == failed[..],
                    _ => true,
                };
            if let Some(found) = &vertex
                && let Some(head) = marks.head.captures(&found[2])
                && is_of_failure
            {
                log.saw(&head[1]);
            }
            let text = vertex.map_or_else(|| line.clone(), |found| found[2].to_owned());
            log.lines.push(Line {
                text,
                is_of_failure,
            });
        }
        for before in &mut log.lines[..done] {
            before.is_of_failure = false;
        }
        log
    }

    fn saw(&mut self, instruction: &str) {
        if let Some(image) = instruction.strip_prefix("FROM ") {
            self.image = image
                .split_whitespace()
                .find(|word| !word.starts_with("--"))
                .map(str::to_owned);
        }
        self.instruction = Some(instruction.to_owned());
    }

    /// Returns which of the instructions of the Dockerfile failed, from 0.
    pub fn instruction_in(&self, dockerfile: &[Instruction]) -> Option<usize> {
        if let Some(place) = self.place {
            let is_there = |known: &Instruction| (known.first..=known.last).contains(&place);
            return dockerfile.iter().position(is_there);
        }
        let shown = squeezed(self.instruction.as_ref()?);
        // Long instructions are cut off.
        let start: String = shown.chars().take(60).collect();
        let is_it = |known: &Instruction| squeezed(&known.text).starts_with(&start);
        let by_number = self
            .step
            .and_then(|step| step.checked_sub(1))
            .filter(|index| dockerfile.get(*index).is_some_and(is_it));
        by_number.or_else(|| dockerfile.iter().position(is_it))
    }
}

fn squeezed(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ")
}

fn bare(line: &str, marks: &Marks) -> String {
    let plain = anstream::adapter::strip_str(line).to_string();
    // Of a progress bar that overwrites itself, the last state stays.
    let plain = plain.trim_end();
    let plain = plain.rsplit('\r').next().unwrap_or(plain);
    let plain = marks.before.replace(plain, "");
    plain
        .chars()
        .map(|c| if c == '\t' { ' ' } else { c })
        .filter(|c| !c.is_control())
        .collect()
}
