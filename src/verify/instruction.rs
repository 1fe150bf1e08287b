//! Which line of a Dockerfile a step of a build is.

use crate::manifest::dockerfile::{Instruction, instructions};

/// Returns the first and last line of the instruction that BuildKit calls `step`, such as
/// `[build 4/8] RUN make`.
///
/// The words decide; where BuildKit has put the values of variables into them, its count does.
pub fn lines_of(dockerfile: &str, step: &str) -> Option<(usize, usize)> {
    let instructions = instructions(dockerfile);
    let wanted = words(name_of(step));
    let by_words = instructions
        .iter()
        .find(|instruction| words(&instruction.text) == wanted);
    by_words
        .or_else(|| by_count(&instructions, step))
        .map(|instruction| (instruction.first, instruction.last))
}

/// `[build 4/8] RUN make` → `RUN make`.
pub fn name_of(step: &str) -> &str {
    match step.split_once("] ") {
        Some((stage, name)) if stage.starts_with('[') => name,
        _ => step,
    }
}

fn words(text: &str) -> Vec<&str> {
    text.split_whitespace()
        .filter(|word| *word != "\\")
        .collect()
}

/// BuildKit counts the instructions of a stage that make a layer, its FROM included.
fn by_count<'a>(instructions: &'a [Instruction], step: &str) -> Option<&'a Instruction> {
    let (stage, _) = step.strip_prefix('[')?.split_once("] ")?;
    let (stage, number) = stage.rsplit_once(' ').unwrap_or(("", stage));
    let number: usize = number.split_once('/')?.0.trim().parse().ok()?;
    let stages = instructions
        .iter()
        .filter(|instruction| instruction.is("FROM"))
        .count();
    let (mut index, mut count, mut is_here) = (0, 0, false);
    for instruction in instructions {
        if instruction.is("FROM") {
            let name = match words(&instruction.text)[..] {
                [.., keyword, name] if keyword.eq_ignore_ascii_case("as") => name.to_lowercase(),
                _ if stages == 1 => String::new(),
                _ => format!("stage-{index}"),
            };
            (index, count, is_here) = (index + 1, 1, name == stage.trim());
        } else if ["RUN", "COPY", "ADD", "WORKDIR"]
            .iter()
            .any(|keyword| instruction.is(keyword))
        {
            count += 1;
        } else {
            continue;
        }
        if is_here && count == number {
            return Some(instruction);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCKERFILE: &str = "\
# made by hand
FROM a AS build
WORKDIR /app
ENV FLAGS=-q
RUN x \\
    # why
    y
RUN make $FLAGS

FROM b
COPY --from=build /app /app
USER 1
RUN z
";

    #[track_caller]
    fn check(step: &str, lines: Option<(usize, usize)>) {
        assert_eq!(lines_of(DOCKERFILE, step), lines);
    }

    #[test]
    fn an_instruction_over_several_lines_is_found_by_its_words() {
        check("[build 3/4] RUN x     y", Some((5, 7)));
        check("RUN z", Some((13, 13)));
    }

    #[test]
    fn an_instruction_with_a_variable_is_found_by_its_number() {
        check("[build 4/4] RUN make -q", Some((8, 8)));
        check("[stage-1 3/3] RUN zz", Some((13, 13)));
    }

    #[test]
    fn what_is_not_there_is_not_found() {
        check("RUN q", None);
        check("[build 9/9] RUN q", None);
        check("[internal] load metadata for docker.io/library/a", None);
    }

    #[test]
    fn a_single_stage_has_no_name() {
        assert_eq!(
            lines_of("FROM a\nRUN b $C\n", "[2/2] RUN b c"),
            Some((2, 2))
        );
    }
}
