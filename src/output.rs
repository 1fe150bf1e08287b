//! The one door to the output folder: paths that stay inside it, files replaced atomically.
//!
//! Everything that longshore writes, compares or removes is named by an [`OutputPath`] and reached
//! through an [`OutputFolder`], which follows no link and touches nothing but plain files.

mod folder;
mod path;

pub use folder::{OutputFolder, Present};
pub use path::OutputPath;
