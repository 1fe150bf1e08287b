//! A stranger's text, quoted for the place where it is put.
//!
//! A value carries no quoting; the place does. Each place has one function, or one type that only
//! that function makes, so that a text reaches a generated file by no other way.

pub mod compose; // values of compose.yaml, where `$` begins a variable
pub mod kubernetes; // commands and variables of containers, where `$(` begins one
pub mod yaml; // scalars and keys of YAML

/// Returns whether a reader cannot see `c`, or cannot rely on what it sees: control characters, line
/// and paragraph separators, controls of the direction of writing, other invisible ones, private use,
/// and what is no character at all. Joiners stay, which letters and pictures are made of.
pub fn is_hidden(c: char) -> bool {
    let is_noncharacter = u32::from(c) & 0xfffe == 0xfffe;
    is_noncharacter
        || c.is_control()
        || matches!(c,
            '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'
            | '\u{200e}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{e000}'..='\u{f8ff}'
            | '\u{fdd0}'..='\u{fdef}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
            | '\u{f0000}'..)
}
