//! Turns a repository's README into container files.
//!
//! read → parse → classify → select → plan → render → verify
//!
//! **Invariant:** only `repo` reads, only `verify` runs anything, only `cli` talks to the user.

#![cfg_attr(not(test), warn(clippy::disallowed_methods))]

pub mod source; // text and positions
pub mod name; // names that are valid by construction
pub mod quote; // a stranger's text, quoted for the place where it is put
pub mod limits; // how much of an input is read
pub mod input; // reads files that a stranger wrote
pub mod output; // the one door to the output folder
pub mod origin; // where a value comes from
pub mod diagnostic; // what to tell the user about the input
pub mod secret; // secrets, known by name and by value
pub mod repo; // reads the repository
pub mod history; // when it was last worked on
pub mod readme; // documents → code blocks and paragraphs
pub mod shell; // code → simple commands
pub mod recipe; // the catalogue in recipes/
pub mod config; // longshore.toml: what a person settled
pub mod trust; // whose longshore.toml may do more than settle the application
pub mod manifest; // manifest files → declared packages, scripts, environment
pub mod step; // commands → install steps
pub mod select; // which recipes fit, and why
pub mod plan; // steps + recipes → build plan
pub mod diagnose; // the log of a failure → its cause, and what to do
pub mod render; // plan → files, in memory
pub mod verify; // build and smoke-run them
pub mod convert; // the pipeline, in one function
pub mod record; // what a smoke run left for later runs
pub mod repair; // a failed smoke run → an edit of the plan
pub mod cli; // arguments and output
