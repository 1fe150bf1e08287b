//! Steps and recipes → build plan.

mod model;

pub use model::*;
