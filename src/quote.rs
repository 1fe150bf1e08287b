//! A stranger's text, quoted for the place where it is put.
//!
//! A value carries no quoting; the place does. Each place has one function, or one type that only
//! that function makes, so that a text reaches a generated file by no other way.

pub mod compose; // values of compose.yaml, where `$` begins a variable
pub mod conf; // words of nginx, Apache and php.ini
pub mod dockerfile; // instructions of a Dockerfile
pub mod env; // values of env files, by Compose's rules
pub mod ignore; // patterns of .dockerignore
pub mod kubernetes; // commands and variables of containers, where `$(` begins one
pub mod markdown; // texts and code of Markdown
pub mod shell; // words of a POSIX shell
pub mod syntax; // how configuration files are read
pub mod terminal; // texts on a terminal, and JSON that is printed
pub mod yaml; // scalars and keys of YAML

pub use crate::source::is_hidden;
