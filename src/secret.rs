//! Secrets, known by name and by value.
