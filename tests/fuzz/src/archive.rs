//! Several files in one text, as in Go's txtar: `-- path --` on a line of its own begins a file.

/// Returns the files of `bytes` in order, at most 64, each once; what stands before the first one is a README.
pub fn files(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        if let Some(path) = header(line) {
            files.push((path, Vec::new()));
        } else {
            if files.is_empty() {
                files.push(("README.md".to_owned(), Vec::new()));
            }
            let (_, contents) = files.last_mut().expect("there is a file");
            contents.extend_from_slice(line);
        }
    }
    files.truncate(64);
    files
}

/// The path in a line that begins a file: one that stays below its folder.
fn header(line: &[u8]) -> Option<String> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let path = line.strip_prefix(b"-- ")?.strip_suffix(b" --")?;
    let path = std::str::from_utf8(path).ok()?;
    let is_part = |part: &str| !part.is_empty() && part != "." && part != ".." && part.len() < 200;
    let stays = path.len() < 500 && !path.contains('\0') && path.split('/').all(is_part);
    stays.then(|| path.to_owned())
}
