//! Transcripts of every command, and of the errors that people meet: `tests/cli/*.trycmd`.
//!
//! `TRYCMD=overwrite cargo test --test cli` rewrites what was printed; read it then.

#[test]
fn transcripts() {
    trycmd::TestCases::new()
        .case("tests/cli/*.trycmd")
        .case("README.md");
}
