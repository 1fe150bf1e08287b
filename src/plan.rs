//! Steps + recipes → build plan.
//!
//! [`build_plan`] joins what was read; the modules below each decide one thing: the version of the
//! runtime, the system packages, the services, the environment, the start command. The plan is
//! complete: rendering and verification look at nothing else.

mod build;
mod env;
mod extensions;
mod ledger;
mod model;
mod packages;
mod runtime;
mod services;
mod start;
mod version;

pub use build::{build_plan, finding};
pub use env::ENVIRONMENTS;
pub use model::*;
