//! The one door to the output folder: paths that stay inside it, files replaced atomically.
