//! Scalars and keys of YAML, read alike by YAML 1.1 and 1.2.
