//! Reads the repository: the only door to the files of the input.
//!
//! Symbolic links are never followed, so nothing outside the folder is read; depth, number of
//! files and the size of a file are limited, so a hostile tree costs bounded time and memory.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    fmt, fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use globset::{GlobBuilder, GlobMatcher};
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use serde::{Deserialize, de::IgnoredAny};
use walkdir::{DirEntry, WalkDir};

use crate::{
    diagnostic::{Code, Diagnostic, Severity, Warned},
    source::SourceFile,
};

/// Name of the file that remembers what was written, beside the generated files.
pub const STATE: &str = ".longshore.json";
/// A file of the repository that is larger than this is not read, in bytes.
pub const LARGEST_FILE: u64 = 2 * 1024 * 1024;
/// How many folders deep the walk goes.
pub const DEEPEST: usize = 10;
/// How many files the walk lists.
pub const MOST_FILES: usize = 20_000;

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
    files: BTreeMap<String, u64>,
    read: RefCell<BTreeMap<String, Option<Arc<SourceFile>>>>,
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
        fs::read_dir(root).map_err(|error| OpenError::Unreadable(root.to_owned(), error))?;

        let ignored = ignored_by(root);
        let written = written_to(root);
        let walk = WalkDir::new(root)
            .follow_links(false)
            .max_depth(DEEPEST)
            .sort_by_file_name()
            .into_iter()
            .filter_entry(|entry| entry.depth() == 0 || is_own(entry, &ignored));
        let mut files = BTreeMap::new();
        let mut diagnostics = Vec::new();
        for entry in walk.flatten().filter(|entry| entry.file_type().is_file()) {
            if files.len() == MOST_FILES {
                diagnostics.push(
                    Diagnostic::new(
                        Severity::Warning,
                        Code::TooLarge,
                        format!("the repository has more than {MOST_FILES} files; the rest was not looked at"),
                    )
                    .hint("name the folder of one application instead"),
                );
                break;
            }
            let size = entry.metadata().map(|metadata| metadata.len()).unwrap_or(0);
            if let Some(path) = relative(root, entry.path()).filter(|path| !written.contains(path))
            {
                files.insert(path, size);
            }
        }
        let repo = Self {
            root: root.to_owned(),
            files,
            read: RefCell::default(),
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
        let mut found: Vec<&str> = self.files().filter(|path| matcher.is_match(path)).collect();
        found.sort_by_key(|path| (path.matches('/').count(), *path));
        found
    }

    /// Returns the text of `path`, read and decoded once; `None` when it is no file of the
    /// repository, too large, or binary.
    pub fn source(&self, path: &str) -> Option<Arc<SourceFile>> {
        let path = normal(path);
        let size = *self.files.get(&path)?;
        if let Some(known) = self.read.borrow().get(&path) {
            return known.clone();
        }
        let source = (size <= LARGEST_FILE)
            .then(|| fs::read(self.root.join(&path)).ok())
            .flatten()
            .filter(|bytes| !is_binary(bytes))
            .map(|bytes| Arc::new(SourceFile::decode(path.clone(), &bytes)));
        self.read.borrow_mut().insert(path, source.clone());
        source
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
/// When the file is there but cannot be read, or is larger than [`LARGEST_FILE`].
pub fn text_at_root(root: &Path, name: &str) -> std::io::Result<Option<String>> {
    let path = root.join(name);
    let Ok(found) = fs::symlink_metadata(&path) else {
        return Ok(None);
    };
    if !found.is_file() {
        return Ok(None);
    }
    if found.len() > LARGEST_FILE {
        return Err(std::io::Error::other("the file is too large"));
    }
    fs::read_to_string(path).map(Some)
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

/// `.gitignore` speaks here for folders only: a committed file that it names is still part of the
/// application, a folder it names is as a rule what a build makes.
fn is_own(entry: &DirEntry, ignored: &Gitignore) -> bool {
    if !entry.file_type().is_dir() {
        return true;
    }
    let foreign = entry
        .file_name()
        .to_str()
        .is_none_or(|name| FOREIGN_FOLDERS.contains(&name));
    !foreign && !ignored.matched(entry.path(), true).is_ignore()
}

fn relative(root: &Path, path: &Path) -> Option<String> {
    let parts: Option<Vec<&str>> = path
        .strip_prefix(root)
        .ok()?
        .iter()
        .map(|part| part.to_str())
        .collect();
    Some(parts?.join("/"))
}

/// A NUL byte in the first 8,000 bytes, the rule git uses (`buffer_is_binary` in xdiff-interface.c);
/// UTF-16 with a byte order mark is text.
fn is_binary(bytes: &[u8]) -> bool {
    let has_mark = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
    !has_mark && bytes.iter().take(8000).any(|byte| *byte == 0)
}

/// The rules of the `.gitignore` at `root`; a broken or missing one ignores nothing.
/// The files that an earlier run wrote: what was concluded is no evidence for it.
fn written_to(root: &Path) -> BTreeSet<String> {
    #[derive(Default, Deserialize)]
    struct State {
        #[serde(default)]
        files: BTreeMap<String, IgnoredAny>,
    }
    /// Far more than the state of any repository.
    const MOST: u64 = 10 << 20;
    let path = root.join(STATE);
    let is_file = fs::symlink_metadata(&path).is_ok_and(|data| data.is_file() && data.len() < MOST);
    let text = is_file.then(|| fs::read_to_string(&path).unwrap_or_default());
    let state: State = serde_json::from_str(&text.unwrap_or_default()).unwrap_or_default();
    state.files.into_keys().collect()
}

fn ignored_by(root: &Path) -> Gitignore {
    let mut builder = GitignoreBuilder::new(root);
    let file = root.join(".gitignore");
    if file.is_file() {
        builder.add(file);
    }
    builder.build().unwrap_or_else(|_| Gitignore::empty())
}

#[cfg(test)]
mod tests {
    use super::*;

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
