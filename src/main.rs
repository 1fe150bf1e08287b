//! The program: hands the arguments to [`longshore::cli`] and exits with its code.

use std::process::ExitCode;

fn main() -> ExitCode {
    longshore::cli::run(std::env::args_os())
}
