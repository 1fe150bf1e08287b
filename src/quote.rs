//! A stranger's text, quoted for the place where it is put.
//!
//! A value carries no quoting; the place does. Each place has one function, or one type that only
//! that function makes, so that a text reaches a generated file by no other way.

pub mod yaml; // scalars and keys of YAML
