pub fn name() -> &'static str {
    "bins"
}
