pub const LIMIT: &str = "50M";
