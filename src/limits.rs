//! How much of an input is read: what lies beyond is cut with a finding.
