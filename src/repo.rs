//! Reads the repository: the only door to the files of the input.
//!
//! Symbolic links are never followed, so nothing outside the folder is read; depth, number of
//! files and the size of a file are limited, so a hostile tree costs bounded time and memory.

use std::{
    cell::{Cell, OnceCell, RefCell},
    collections::{BTreeMap, HashMap, VecDeque},
    fmt, fs,
    path::{Path, PathBuf},
    sync::{Arc, LazyLock},
};

use globset::{GlobBuilder, GlobMatcher};
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use serde::Deserialize;

use crate::{
    diagnostic::{Code, Diagnostic, Severity, Warned},
    input::{InputFolder, Unreadable, digest},
    limits,
    source::SourceFile,
};

/// Name of the file that remembers what was written, beside the generated files.
pub const STATE: &str = ".longshore.json";

/// Folders whose contents are never the application's own source.
///
/// Names from <https://github.com/github/gitignore> (Python, Node, Rust, Java) and the version
/// control systems.
const FOREIGN_FOLDERS: [&str; 22] = [
    ".git",
    ".hg",
    ".svn",
    "node_modules",
    "bower_components",
    "__pycache__",
    ".venv",
    "venv",
    ".tox",
    ".nox",
    ".mypy_cache",
    ".pytest_cache",
    ".eggs",
    "site-packages",
    ".idea",
    ".vscode",
    ".gradle",
    ".terraform",
    ".next",
    ".nuxt",
    ".cache",
    ".bundle",
];

/// The files of one repository.
pub struct Repo {
    root: PathBuf,
    folder: InputFolder,
    files: BTreeMap<String, u64>,
    read: RefCell<BTreeMap<String, Read>>,
    /// How many bytes have been read.
    total: Cell<u64>,
    /// The paths by the names of the files, once somebody asks for them.
    by_name: OnceCell<HashMap<String, Vec<String>>>,
}

/// What reading a file gave.
type Read = Result<Arc<SourceFile>, Refusal>;

/// Why the text of a file is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It is no file of the repository.
    Missing,
    /// It is larger than a file that a person writes.
    TooLarge,
    /// It is no text.
    Binary,
    /// The system does not let it be read.
    Refused,
    /// So much was read before it that it has no room.
    NoRoom,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => write!(f, "it is not there"),
            Self::TooLarge => write!(f, "it is larger than {} bytes", limits::FILE),
            Self::Binary => write!(f, "it is not text"),
            Self::Refused => write!(f, "it cannot be read"),
            Self::NoRoom => write!(f, "{} bytes were read before it", limits::TOTAL),
        }
    }
}

/// Why a folder cannot be opened as a repository.
#[derive(Debug)]
pub enum OpenError {
    /// There is nothing at this path.
    Missing(PathBuf),
    /// It is a file.
    NotAFolder(PathBuf),
    /// It cannot be listed.
    Unreadable(PathBuf, std::io::Error),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(path) => write!(f, "`{}` does not exist", path.display()),
            Self::NotAFolder(path) => {
                write!(
                    f,
                    "`{}` is a file; name the folder of the repository",
                    path.display()
                )
            }
            Self::Unreadable(path, error) => {
                write!(f, "cannot read `{}`: {error}", path.display())
            }
        }
    }
}

impl std::error::Error for OpenError {}

impl Repo {
    /// Lists the files below `root`.
    ///
    /// # Errors
    ///
    /// When `root` is no folder that can be listed. Folders below it that cannot be listed are
    /// left out.
    pub fn open(root: &Path) -> Result<Warned<Self>, OpenError> {
        let found = fs::metadata(root).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => OpenError::Missing(root.to_owned()),
            _ => OpenError::Unreadable(root.to_owned(), error),
        })?;
        if !found.is_dir() {
            return Err(OpenError::NotAFolder(root.to_owned()));
        }
        let unreadable = |error| OpenError::Unreadable(root.to_owned(), error);
        fs::read_dir(root).map_err(unreadable)?;
        let folder = InputFolder::open(root).map_err(unreadable)?;
        let written = written_to(&folder);
        let listing = list(root, &ignored_by(root, &folder));
        let mut diagnostics = Vec::new();
        if listing.cut > 0 {
            let message = format!(
                "the repository has more than {} files; {} or more were not looked at",
                limits::FILES,
                listing.cut
            );
            diagnostics.push(
                Diagnostic::new(Severity::Warning, Code::TooLarge, message)
                    .hint("name the folder of one application instead"),
            );
        }
        if listing.deep > 0 {
            let message = format!(
                "what lies more than {} folders deep was not looked at: {} folders or more",
                limits::DEPTH,
                listing.deep
            );
            diagnostics.push(Diagnostic::new(Severity::Note, Code::TooLarge, message));
        }
        let mut files = listing.files;
        // What an earlier run wrote is no evidence for what it concluded, unless somebody changed it.
        for (path, written) in written {
            let is_as_written = files.contains_key(&path)
                && folder
                    .read(&path, limits::STATE)
                    .is_ok_and(|contents| digest(&contents) == written);
            if is_as_written {
                files.remove(&path);
            }
        }
        let repo = Self {
            root: root.to_owned(),
            folder,
            files,
            read: RefCell::default(),
            total: Cell::new(0),
            by_name: OnceCell::new(),
        };
        Ok(Warned {
            value: repo,
            diagnostics,
        })
    }

    /// Returns the folder that was opened.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the paths of all files, sorted, relative to the root, with `/` between the parts.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// Returns whether `path` is a file of the repository.
    pub fn contains(&self, path: &str) -> bool {
        self.files.contains_key(&normal(path))
    }

    /// Returns whether `path` is a folder with files in it.
    pub fn has_folder(&self, path: &str) -> bool {
        let folder = format!("{}/", normal(path));
        folder == "./" || folder == "/" || self.below(&folder).next().is_some()
    }

    /// Returns whether `path` is a file, or a folder with files in it.
    pub fn has(&self, path: &str) -> bool {
        self.contains(path) || self.has_folder(path)
    }

    /// Returns the files that match `pattern` (`*` stays within a folder, `**` does not), sorted
    /// with the shallowest first.
    pub fn glob(&self, pattern: &str) -> Vec<&str> {
        if !pattern.contains(['*', '?', '[', '{']) {
            return self
                .files
                .get_key_value(&normal(pattern))
                .map(|(path, _)| path.as_str())
                .into_iter()
                .collect();
        }
        let Some(matcher) = matcher(pattern) else {
            return Vec::new();
        };
        // Only what lies below its plain folders can match, and only files of its plain name.
        let special = pattern.find(['*', '?', '[', '{', '\\']).unwrap_or(0);
        let folder = &pattern[..pattern[..special].rfind('/').map_or(0, |at| at + 1)];
        let name = file_name(pattern);
        let candidates: Vec<&str> = match name.contains(['*', '?', '[', ']', '{', '}', ',', '\\']) {
            true => self.below(folder).collect(),
            false => self.named(name).collect(),
        };
        let candidates = candidates.into_iter();
        let mut found: Vec<&str> = candidates.filter(|path| matcher.is_match(path)).collect();
        found.sort_by_key(|path| (path.matches('/').count(), *path));
        found
    }

    /// Returns the files below `folder`, sorted; all of them for `.`.
    pub fn files_in(&self, folder: &str) -> impl Iterator<Item = &str> {
        let start = match folder {
            "." => String::new(),
            folder => format!("{folder}/"),
        };
        let from = self.files.range(start.clone()..);
        let paths = from.map(|(path, _)| path.as_str());
        paths.take_while(move |path| path.starts_with(&start))
    }

    /// Returns the files that are called `name`, in any folder, sorted.
    pub fn named(&self, name: &str) -> impl Iterator<Item = &str> {
        let by_name = self.by_name.get_or_init(|| {
            let mut by_name: HashMap<String, Vec<String>> = HashMap::new();
            for path in self.files() {
                let paths = by_name.entry(file_name(path).to_owned()).or_default();
                paths.push(path.to_owned());
            }
            by_name
        });
        let paths = by_name.get(name).into_iter().flatten();
        paths.map(String::as_str)
    }

    /// Returns the text of `path`, read and decoded once; `None` when it is no file of the
    /// repository, too large, or binary.
    pub fn source(&self, path: &str) -> Option<Arc<SourceFile>> {
        self.text(path).ok()
    }

    /// Returns the text of `path`, read and decoded once.
    ///
    /// # Errors
    ///
    /// Why it is not read.
    pub fn text(&self, path: &str) -> Result<Arc<SourceFile>, Refusal> {
        let path = normal(path);
        if !self.files.contains_key(&path) {
            return Err(Refusal::Missing);
        }
        if let Some(known) = self.read.borrow().get(&path) {
            return known.clone();
        }
        let text = match self.folder.read(&path, limits::FILE) {
            _ if self.total.get() >= limits::TOTAL => Err(Refusal::NoRoom),
            Ok(bytes) if is_binary(&bytes) => Err(Refusal::Binary),
            Ok(bytes) => {
                self.total.set(self.total.get() + bytes.len() as u64);
                Ok(Arc::new(SourceFile::decode(path.clone(), &bytes)))
            }
            Err(Unreadable::TooLarge(_)) => Err(Refusal::TooLarge),
            Err(Unreadable::Missing) => Err(Refusal::Missing),
            Err(_) => Err(Refusal::Refused),
        };
        self.read.borrow_mut().insert(path, text.clone());
        text
    }

    /// Returns a finding where more was to be read than is read of one repository.
    pub fn left_unread(&self) -> Option<Diagnostic> {
        let read = self.read.borrow();
        let without_room = read
            .values()
            .filter(|read| read.as_ref().err() == Some(&Refusal::NoRoom));
        let count = without_room.count();
        let message = format!(
            "more than {} bytes of the repository are not read; files that were wanted besides: {count}",
            limits::TOTAL
        );
        let finding = Diagnostic::new(Severity::Warning, Code::TooLarge, message);
        (count > 0).then(|| finding.hint("name the folder of one application instead"))
    }

    /// Returns when `path` was last written.
    pub fn modified(&self, path: &str) -> Option<std::time::SystemTime> {
        fs::symlink_metadata(self.root.join(normal(path)))
            .ok()?
            .modified()
            .ok()
    }

    /// Returns the size of `path` in bytes, if it is a file of the repository.
    pub fn size(&self, path: &str) -> Option<u64> {
        self.files.get(&normal(path)).copied()
    }

    fn below(&self, folder: &str) -> impl Iterator<Item = &str> {
        self.files
            .range(folder.to_owned()..)
            .map(|(path, _)| path.as_str())
            .take_while(move |path| path.starts_with(folder))
    }
}

/// Returns the text of `name` right below `root`, before the repository is opened; `None` where
/// there is no such file of its own: a link, a folder, nothing.
///
/// # Errors
///
/// When the file is there but cannot be read, or is larger than [`limits::FILE`].
pub fn text_at_root(root: &Path, name: &str) -> Result<Option<String>, Unreadable> {
    let Ok(folder) = InputFolder::open(root) else {
        return Ok(None);
    };
    match folder.text(name, limits::FILE) {
        Ok(text) => Ok(Some(text)),
        Err(Unreadable::Missing | Unreadable::Special(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Returns the place of `path`, written in a file of the repository, if it lies below `root` with
/// all links followed.
pub fn inside(root: &Path, path: &str) -> Option<PathBuf> {
    let (root, place) = (
        root.canonicalize().ok()?,
        root.join(path).canonicalize().ok()?,
    );
    place.starts_with(&root).then_some(place)
}

/// Returns `folder/name`, or `name` where `folder` is `.`, with `.` and `..` resolved; a path that
/// would leave the repository stays at its root.
pub fn join(folder: &str, name: &str) -> String {
    if name.starts_with('/') {
        normal(name)
    } else {
        normal(&format!("{folder}/{name}"))
    }
}

/// Returns the folder of `path`, `.` for a file at the root.
pub fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or(".", |(folder, _)| folder)
}

/// Returns whether the file or folder `path` lies below `folder`.
pub fn is_inside(path: &str, folder: &str) -> bool {
    folder == "." && path != "."
        || path
            .strip_prefix(folder)
            .is_some_and(|rest| rest.starts_with('/'))
}

/// Returns the last part of `path`.
pub fn file_name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// Whether `path` ends in the name of a file, as far as a name can tell: `.data` is a folder.
pub fn names_file(path: &str) -> bool {
    file_name(path).trim_start_matches('.').contains('.')
}

/// Compiles a path pattern; `None` when it is malformed.
pub fn matcher(pattern: &str) -> Option<GlobMatcher> {
    GlobBuilder::new(pattern)
        .literal_separator(true)
        .build()
        .ok()
        .map(|glob| glob.compile_matcher())
}

fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    if parts.is_empty() {
        ".".to_owned()
    } else {
        parts.join("/")
    }
}

/// The files of a repository.
struct Listing {
    /// Path and size.
    files: BTreeMap<String, u64>,
    /// How many more there are at least.
    cut: usize,
    /// How many folders lie too deep.
    deep: usize,
}

/// Lists the files below `root`, those of the upper folders first. Where there are too many, each
/// folder gives its first ones before any gives more, so that a large one hides none of the others.
fn list(root: &Path, ignored: &Gitignore) -> Listing {
    /// How many files a folder gives before the next one has its turn.
    const TURN: usize = 200;
    let mut found: Vec<(usize, usize, String, u64)> = Vec::new();
    let (mut listed, mut deep) = (0, 0);
    let mut folders = VecDeque::from([(String::new(), 1)]);
    while let Some((folder, depth)) = folders.pop_front() {
        let Ok(entries) = fs::read_dir(root.join(&folder)) else {
            continue;
        };
        let left = limits::LISTED.saturating_sub(listed);
        let mut names: Vec<(String, fs::DirEntry)> = entries
            .flatten()
            .take(left)
            .filter_map(|entry| Some((entry.file_name().into_string().ok()?, entry)))
            .collect();
        listed += names.len();
        names.sort_by(|a, b| a.0.cmp(&b.0));
        if names.len() > TURN {
            names.sort_by_key(|(name, _)| !matters(name));
        }
        let mut position = 0;
        for (name, entry) in names {
            let Ok(kind) = entry.file_type() else {
                continue;
            };
            let path = format!("{folder}{name}");
            if kind.is_dir() && is_own(root, &path, &name, ignored) {
                match depth < limits::DEPTH {
                    true => folders.push_back((format!("{path}/"), depth + 1)),
                    false => deep += 1,
                }
            } else if kind.is_file() {
                let size = entry.metadata().map_or(0, |metadata| metadata.len());
                found.push((position / TURN, depth, path, size));
                position += 1;
            }
        }
    }
    let cut = match found.len().checked_sub(limits::FILES) {
        Some(cut) if cut > 0 => {
            found.sort();
            cut
        }
        _ => usize::from(listed >= limits::LISTED),
    };
    let files = found.into_iter().take(limits::FILES);
    Listing {
        files: files.map(|(_, _, path, size)| (path, size)).collect(),
        cut,
        deep,
    }
}

/// Whether a file of this name may tell how to install or start an application: a README, or a file
/// that a recipe names. The build of longshore gathers these names from the recipes, sorted.
fn matters(name: &str) -> bool {
    static NAMES: LazyLock<Vec<&str>> = LazyLock::new(|| {
        include_str!(concat!(env!("OUT_DIR"), "/files.txt"))
            .lines()
            .collect()
    });
    let is_readme = name
        .get(..6)
        .is_some_and(|start| start.eq_ignore_ascii_case("readme"));
    is_readme || NAMES.binary_search(&name).is_ok()
}

/// `.gitignore` speaks here for folders only: a committed file that it names is still part of the
/// application, a folder it names is as a rule what a build makes.
fn is_own(root: &Path, path: &str, name: &str, ignored: &Gitignore) -> bool {
    !FOREIGN_FOLDERS.contains(&name) && !ignored.matched(root.join(path), true).is_ignore()
}

/// A NUL byte in the first 8,000 bytes, the rule git uses (`buffer_is_binary` in xdiff-interface.c);
/// UTF-16 with a byte order mark is text.
fn is_binary(bytes: &[u8]) -> bool {
    let has_mark = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
    !has_mark && bytes.iter().take(8000).any(|byte| *byte == 0)
}

/// The files that an earlier run wrote, with the digests of what it wrote.
fn written_to(folder: &InputFolder) -> BTreeMap<String, String> {
    #[derive(Default, Deserialize)]
    struct State {
        #[serde(default)]
        files: BTreeMap<String, String>,
    }
    let text = folder.text(STATE, limits::STATE).unwrap_or_default();
    let state: State = serde_json::from_str(&text).unwrap_or_default();
    state.files
}

/// The rules of the `.gitignore` at `root`; a broken or missing one ignores nothing.
fn ignored_by(root: &Path, folder: &InputFolder) -> Gitignore {
    let mut builder = GitignoreBuilder::new(root);
    let text = folder.read(".gitignore", limits::FILE).unwrap_or_default();
    for line in String::from_utf8_lossy(&text).lines() {
        // A line that is no pattern ignores nothing.
        let _ = builder.add_line(None, line);
    }
    builder.build().unwrap_or_else(|_| Gitignore::empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_too_deep_is_said() {
        let deep = "a/".repeat(limits::DEPTH) + "README.md";
        let (folder, _) = repo(&[("README.md", "x"), (&deep, "x")]);
        let warned = Repo::open(folder.path()).expect("it opens");
        assert!(
            warned.diagnostics[0]
                .message
                .starts_with("what lies more than 10 folders deep")
        );
    }

    #[test]
    fn so_much_is_read_of_a_repository_and_no_more() {
        let (_folder, repo) = repo(&[("a", "x"), ("b", "x")]);
        assert!(repo.text("a").is_ok() && repo.left_unread().is_none());
        repo.total.set(limits::TOTAL);
        assert_eq!(repo.text("b"), Err(Refusal::NoRoom));
        let finding = repo.left_unread().expect("it is said");
        assert!(finding.message.ends_with("wanted besides: 1"));
    }

    fn repo(files: &[(&str, &str)]) -> (tempfile::TempDir, Repo) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().expect("has a parent")).expect("made");
            fs::write(path, text).expect("written");
        }
        let repo = Repo::open(folder.path()).expect("opens").value;
        (folder, repo)
    }

    #[test]
    fn the_shallowest_match_comes_first() {
        let (_keep, repo) = repo(&[("b/manage.py", ""), ("a/c/manage.py", "")]);
        assert_eq!(repo.glob("**/manage.py"), ["b/manage.py", "a/c/manage.py"]);
    }

    #[test]
    fn dependencies_and_ignored_folders_are_not_listed() {
        let (_keep, repo) = repo(&[
            (".gitignore", "build/\n.env\n"),
            ("build/x", ""),
            ("node_modules/y/package.json", ""),
            (".env", ""),
        ]);
        assert_eq!(repo.files().collect::<Vec<_>>(), [".env", ".gitignore"]);
    }

    #[test]
    #[cfg(unix)]
    fn a_link_out_of_the_tree_is_not_read() {
        let (keep, _) = repo(&[("a", "")]);
        std::os::unix::fs::symlink("/etc/passwd", keep.path().join("README.md")).expect("linked");
        let repo = Repo::open(keep.path()).expect("opens").value;
        assert!(repo.source("README.md").is_none());
    }

    #[test]
    fn a_path_cannot_leave_the_root() {
        assert_eq!(join("a", "../../../etc/passwd"), "etc/passwd");
        assert_eq!(join(".", "./x/../y"), "y");
    }
}
