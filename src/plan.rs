//! Steps + recipes → build plan.
//!
//! [`build_plan`] joins what was read; the modules below each decide one thing: the version of the
//! runtime, the system packages, the services, the environment, the start command. The plan is
//! complete: rendering and verification look at nothing else.

mod address;
mod assets;
mod bindings;
mod build;
mod components;
mod contents;
mod commands;
mod created;
mod dumps;
mod env;
mod files;
mod health;
mod image;
mod ingress;
mod input;
mod kind;
mod lifecycle;
mod install;
mod extensions;
mod ledger;
mod missing;
mod model;
mod name;
mod packages;
mod peers;
mod port;
mod processes;
mod proxies;
mod questions;
mod refused;
mod prune;
mod runtime;
mod script;
mod secrets;
mod services;
mod settled;
mod start;
mod variables;
pub mod version;
mod way;
mod workspace;

pub use build::{build_plan, finding};
pub use env::ENVIRONMENTS;
pub use model::*;
pub use secrets::hide as hide_secrets;
