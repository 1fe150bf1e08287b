//! Plan → files, in memory.
use crate::plan::{BuildPlan, Origin};
use std::collections::BTreeMap;
/// A generated file.
#[derive(Debug, Clone)]
pub struct Artifact {
    /// p
    pub path: String,
    /// c
    pub contents: String,
    /// o
    pub origins: BTreeMap<usize, Vec<Origin>>,
    /// e
    pub executable: bool,
}
/// stub
pub fn artifacts(_: &BuildPlan) -> anyhow::Result<Vec<Artifact>> {
    Ok(Vec::new())
}
/// stub
pub fn locate(_: &mut BuildPlan, _: &[Artifact]) {}
