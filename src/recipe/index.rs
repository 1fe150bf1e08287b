//! The index of the built-in catalogue: which recipes there are, and where each lies.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The built-in recipes.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Index {
    /// By path, such as `stacks/python-pip`.
    pub recipes: BTreeMap<String, Place>,
    /// Name of a tool and the id of its recipe.
    pub tools: Vec<(String, String)>,
}

/// Where a recipe lies, each a start and an end in bytes.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Place {
    /// In the encoded recipes.
    pub encoded: (usize, usize),
    /// In the texts.
    pub text: (usize, usize),
}
