//! Arguments and output: the only module that talks to the user.

mod output;
mod text;

use std::{ffi::OsString, process::ExitCode};

use crate::{convert, diagnostic, recipe::Catalog};

/// Runs.
pub fn run(args: impl Iterator<Item = OsString>) -> ExitCode {
    let args: Vec<String> = args.map(|a| a.into_string().unwrap()).collect();
    let c = Catalog::built_in();
    let w = convert::plan(std::path::Path::new(&args[2]), &c).unwrap();
    for d in &w.diagnostics { eprintln!("{}", diagnostic::render(d, false)); }
    if args.len() > 3 { println!("{}", serde_json::to_string_pretty(&w.value).unwrap()); } else {
    println!("{}", text::plan(&w.value)); }
    if args[1]=="convert" { let c = convert::render(w.value).unwrap(); let out = std::path::Path::new("/tmp/out"); let cmp = output::compare(c.artifacts, out).unwrap(); cmp.write(true, Default::default()).unwrap(); }
    ExitCode::SUCCESS
}
