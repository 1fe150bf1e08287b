//! Turns a repository's README into container files.
//!
//! read → parse → classify → select → plan → render → verify
//!
//! **Invariant:** only `repo` reads, only `verify` runs anything, only `cli` talks to the user.

pub mod source; // text and positions
pub mod diagnostic; // what to tell the user about the input
pub mod repo; // reads the repository
pub mod readme; // documents → code blocks and paragraphs
pub mod shell; // code → simple commands
pub mod plan; // steps + recipes → build plan
