//! Reads files that a stranger wrote: the one door for everything that is read.
//!
//! What is opened is a plain file, however it is named: no link leads out of a folder, no FIFO,
//! device or socket is waited for, and no more is read than a limit. The opened handle is asked,
//! not the path, which may have changed meanwhile.

#![allow(clippy::disallowed_methods, reason = "this is the door")]

use std::{
    fmt, fs,
    io::{self, Read, Seek},
    path::Path,
};

use cap_fs_ext::{FollowSymlinks, OpenOptionsFollowExt};
use cap_std::{
    ambient_authority,
    fs::{Dir, OpenOptions},
};

use crate::limits;
use sha2::{Digest, Sha256};

/// Why a file is not read.
#[derive(Debug)]
pub enum Unreadable {
    /// There is none.
    Missing,
    /// It is something else than a plain file, such as `a link`.
    Special(&'static str),
    /// It has more than so many bytes.
    TooLarge(u64),
    /// It is not UTF-8.
    NotText,
    /// The system refuses it.
    Refused(io::Error),
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => write!(f, "there is no such file"),
            Self::Special(kind) => write!(f, "it is {kind}, not a plain file"),
            Self::TooLarge(limit) => write!(f, "it is larger than {limit} bytes"),
            Self::NotText => write!(f, "it is not UTF-8 text"),
            Self::Refused(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for Unreadable {}

impl From<io::Error> for Unreadable {
    fn from(error: io::Error) -> Self {
        #[cfg(unix)]
        if rustix::io::Errno::from_io_error(&error) == Some(rustix::io::Errno::LOOP) {
            return Self::Special("a link");
        }
        match error.kind() {
            io::ErrorKind::NotFound => Self::Missing,
            io::ErrorKind::IsADirectory => Self::Special("a folder"),
            _ => Self::Refused(error),
        }
    }
}

/// Reads the plain file `path`, which the user names: it may be a link.
///
/// # Errors
///
/// When it is no plain file, larger than `limit` bytes, or cannot be read.
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>, Unreadable> {
    bounded(opened(path)?, limit)
}

/// Reads the text of the plain file `path`, which the user names: it may be a link.
///
/// # Errors
///
/// As [`read`], and when it is not UTF-8.
pub fn text(path: &Path, limit: u64) -> Result<String, Unreadable> {
    String::from_utf8(read(path, limit)?).map_err(|_| Unreadable::NotText)
}

/// Reads `reader` to its end, of which at most `limit` bytes are kept at the beginning and as many
/// at the end; a line says where some are left out. A pipe that never ends is read up to
/// [`limits::PIPE`], which a last line says.
///
/// # Errors
///
/// When it cannot be read.
pub fn ends(reader: impl Read, limit: u64) -> io::Result<Vec<u8>> {
    let mut reader = reader.take(limits::PIPE);
    let limit = usize::try_from(limit).unwrap_or(usize::MAX / 4);
    let mut first = Vec::new();
    reader.by_ref().take(limit as u64).read_to_end(&mut first)?;
    let mut last = Vec::new();
    let mut left_out = 0;
    let mut piece = vec![0; 64 << 10];
    loop {
        let count = match reader.read(&mut piece) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        last.extend_from_slice(&piece[..count]);
        if last.len() >= 2 * limit {
            let surplus = last.len() - limit;
            last.drain(..surplus);
            left_out += surplus;
        }
    }
    let surplus = last.len().saturating_sub(limit);
    left_out += surplus;
    if left_out > 0 {
        first.extend_from_slice(format!("\n[{left_out} bytes left out]\n").as_bytes());
    }
    first.extend_from_slice(&last[surplus..]);
    if reader.limit() == 0 {
        first.extend_from_slice(b"\n[what follows was not read]\n");
    }
    Ok(first)
}

/// Reads the two ends of the plain file `path`, which the user names: see [`ends`].
///
/// # Errors
///
/// When it is no plain file, or cannot be read.
pub fn ends_of(path: &Path, limit: u64) -> Result<Vec<u8>, Unreadable> {
    let mut file = opened(path)?;
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(Unreadable::Special(kind(found.file_type())));
    }
    let (Some(skipped), size) = (found.len().checked_sub(2 * limit), found.len()) else {
        return Ok(ends(file, limit)?);
    };
    if skipped == 0 {
        return Ok(ends(file, limit)?);
    }
    let mut text = Vec::new();
    file.by_ref().take(limit).read_to_end(&mut text)?;
    text.extend_from_slice(format!("\n[{skipped} bytes left out]\n").as_bytes());
    file.seek(io::SeekFrom::Start(size - limit))?;
    file.take(limit).read_to_end(&mut text)?;
    Ok(text)
}

/// Opens the plain file `path`, which a walk found and which is no link.
///
/// # Errors
///
/// When it is something else by now, or cannot be opened.
pub fn found(path: &Path) -> Result<fs::File, Unreadable> {
    let mut options = fs::OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, NONBLOCK | NOFOLLOW);
    let file = options.open(path)?;
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(Unreadable::Special(kind(found.file_type())));
    }
    Ok(file)
}

fn opened(path: &Path) -> io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, NONBLOCK);
    options.open(path)
}

/// Returns the SHA-256 of `bytes` in hexadecimal.
pub fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// A folder below which files are read, and nowhere else.
#[derive(Debug)]
pub struct InputFolder {
    folder: Dir,
}

impl InputFolder {
    /// Opens the folder `root`.
    ///
    /// # Errors
    ///
    /// When it is no folder that can be opened.
    pub fn open(root: &Path) -> io::Result<Self> {
        let folder = Dir::open_ambient_dir(root, ambient_authority())?;
        Ok(Self { folder })
    }

    /// Reads the plain file `path`, relative to the folder: no link, and nothing that a link leads
    /// to out of the folder.
    ///
    /// # Errors
    ///
    /// When it is no plain file, larger than `limit` bytes, or cannot be read.
    pub fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, Unreadable> {
        let file = open_plain(&self.folder, path)?;
        bounded(file, limit)
    }

    /// Reads the text of the plain file `path`, relative to the folder.
    ///
    /// # Errors
    ///
    /// As [`InputFolder::read`], and when it is not UTF-8.
    pub fn text(&self, path: &str, limit: u64) -> Result<String, Unreadable> {
        String::from_utf8(self.read(path, limit)?).map_err(|_| Unreadable::NotText)
    }
}

/// Opens `path` below `folder` for reading; a link or what is not there is an error, what is no
/// plain file is found by [`bounded`].
pub(crate) fn open_plain(folder: &Dir, path: &str) -> Result<fs::File, Unreadable> {
    let mut options = OpenOptions::new();
    options.read(true).follow(FollowSymlinks::No);
    #[cfg(unix)]
    cap_std::fs::OpenOptionsExt::custom_flags(&mut options, NONBLOCK);
    let file = folder.open_with(path, &options)?;
    Ok(file.into_std())
}

/// A FIFO without a writer is opened at once instead of being waited for.
#[cfg(unix)]
const NONBLOCK: i32 = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
/// A link is an error.
#[cfg(unix)]
const NOFOLLOW: i32 = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();

/// Reads `file` if it is a plain one of at most `limit` bytes.
pub(crate) fn bounded(file: fs::File, limit: u64) -> Result<Vec<u8>, Unreadable> {
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(Unreadable::Special(kind(found.file_type())));
    }
    if found.len() > limit {
        return Err(Unreadable::TooLarge(limit));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(found.len()).unwrap_or(0));
    // It may grow while it is read.
    file.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(Unreadable::TooLarge(limit));
    }
    Ok(bytes)
}

/// What something that is no plain file is.
fn kind(of: fs::FileType) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if of.is_fifo() {
            return "a FIFO";
        }
        if of.is_socket() {
            return "a socket";
        }
        if of.is_char_device() || of.is_block_device() {
            return "a device";
        }
    }
    if of.is_dir() {
        "a folder"
    } else if of.is_symlink() {
        "a link"
    } else {
        "a special file"
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_pipe_that_never_ends_is_left() {
        let text = ends(io::repeat(b'x'), 4).expect("it is read");
        let text = String::from_utf8(text).expect("text");
        assert!(
            text.starts_with("xxxx\n[1073741816 bytes left out]\nxxxx"),
            "{text}"
        );
        assert!(text.ends_with("[what follows was not read]\n"), "{text}");
    }

    #[track_caller]
    fn refused(result: Result<Vec<u8>, Unreadable>, why: &str) {
        assert_eq!(result.expect_err("refused").to_string(), why);
    }

    #[test]
    fn a_plain_file_is_read() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("a"), "x").expect("written");
        let input = InputFolder::open(folder.path()).expect("opened");
        assert_eq!(input.text("a", 1).expect("read"), "x");
        refused(input.read("a", 0), "it is larger than 0 bytes");
        refused(input.read("b", 1), "there is no such file");
    }

    #[test]
    fn no_link_leads_out_of_the_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        let outside = tempfile::tempdir().expect("a folder");
        fs::write(outside.path().join("secret"), "x").expect("written");
        symlink(outside.path(), folder.path().join("folder")).expect("linked");
        symlink(outside.path().join("secret"), folder.path().join("file")).expect("linked");
        let input = InputFolder::open(folder.path()).expect("opened");
        for path in ["folder/secret", "file", "../secret", "/etc/hostname"] {
            assert!(input.read(path, 10).is_err(), "{path}");
        }
        refused(input.read("file", 10), "it is a link, not a plain file");
    }

    #[test]
    fn a_file_that_the_user_names_may_be_a_link_and_no_device() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("a"), "x").expect("written");
        symlink("a", folder.path().join("b")).expect("linked");
        assert_eq!(read(&folder.path().join("b"), 1).expect("read"), b"x");
        refused(
            read(Path::new("/dev/zero"), 10),
            "it is a device, not a plain file",
        );
        refused(read(folder.path(), 10), "it is a folder, not a plain file");
    }

    #[test]
    fn of_a_long_log_the_ends_are_kept() {
        let log = format!("{}{}", "a".repeat(5), "b".repeat(100_000));
        let kept = ends(log.as_bytes(), 10).expect("read");
        let shown = "aaaaabbbbb\n[99985 bytes left out]\nbbbbbbbbbb";
        assert_eq!(String::from_utf8_lossy(&kept), shown);
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("log"), &log).expect("written");
        assert_eq!(ends_of(&folder.path().join("log"), 10).expect("read"), kept);
        assert_eq!(ends("abc".as_bytes(), 10).expect("read"), b"abc");
    }

    #[test]
    fn a_fifo_is_not_waited_for() {
        let folder = tempfile::tempdir().expect("a folder");
        let made = std::process::Command::new("mkfifo")
            .arg(folder.path().join("f"))
            .status();
        assert!(made.expect("mkfifo is there").success());
        let input = InputFolder::open(folder.path()).expect("opened");
        refused(input.read("f", 10), "it is a FIFO, not a plain file");
        refused(
            read(&folder.path().join("f"), 10),
            "it is a FIFO, not a plain file",
        );
    }
}
