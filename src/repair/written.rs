//! What a run as root wrote → edits that let the application write there, and nowhere else.

use crate::{
    plan::Component,
    recipe::{Catalog, Edit},
    repo::{self, Repo},
    verify::{Written, is_mountable, is_scratch},
};

/// The most places that one repair makes writable.
const MOST_PLACES: usize = 8;

/// The application that wrote.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// Its component.
    pub component: &'a Component,
    /// Its repository, whose folders lie in the image as they do there.
    pub repo: &'a Repo,
    /// What is known of files.
    pub catalog: &'a Catalog,
}

/// Returns what of `written` the application may need to write, where a volume or a link can let it.
pub fn counted(written: &[Written], place: Place<'_>) -> Vec<Written> {
    let counts = |found: &&Written| place.counts(&found.path);
    written.iter().filter(counts).cloned().collect()
}

/// Returns the edits that make writable what was `written` and [counts](counted): what has one of the `endings`, where
/// something has, and all of it otherwise.
///
/// What is new as a whole, and what only keeps its place in the repository, becomes a volume. A file
/// beside the source becomes a link, because a volume would hide that.
pub fn edits(written: &[Written], endings: &[String], place: Place<'_>) -> Vec<Edit> {
    let all: Vec<&Written> = written.iter().collect();
    let ends = |found: &&&Written| endings.iter().any(|ending| found.path.ends_with(ending));
    let named: Vec<&Written> = all.iter().filter(ends).copied().collect();
    let meant = if named.is_empty() { &all } else { &named };
    let mut edits: Vec<Edit> = Vec::new();
    for found in meant {
        let is_covered = edits.iter().any(|edit| match edit {
            Edit::AddVolume { path, .. } | Edit::LinkFile { path, .. } => {
                found.path == *path || repo::is_inside(&found.path, path)
            }
            _ => false,
        });
        if !is_covered && edits.len() < MOST_PLACES {
            edits.extend(place.edit(found, &all));
        }
    }
    edits
}

impl Place<'_> {
    /// Whether the application may need to write `path`, and a volume or a link can let it.
    fn counts(self, path: &str) -> bool {
        let ignored = self.catalog.list("written", "ignored");
        let ignored_endings = self.catalog.list("written", "ignored-endings");
        let is_ignored = path
            .split('/')
            .any(|part| ignored.iter().any(|known| known == part))
            || ignored_endings
                .iter()
                .any(|ending| path.ends_with(ending.as_str()));
        let mut volumes = self.component.volumes.iter();
        let is_volume = volumes.any(|volume| {
            path == volume.path
                || repo::is_inside(path, &volume.path)
                || repo::is_inside(&volume.path, path)
        });
        !is_ignored && !is_volume && is_mountable(path)
    }

    fn edit(self, found: &Written, all: &[&Written]) -> Option<Edit> {
        let new_folder = all.iter().find(|folder| {
            folder.is_folder
                && folder.is_new
                && (folder.path == found.path || repo::is_inside(&found.path, &folder.path))
        });
        if let Some(folder) = new_folder {
            return Some(self.volume(self.kept_empty_above(&folder.path)));
        }
        if found.is_folder {
            let is_code = self
                .inside(&found.path)
                .is_none_or(|inside| self.holds_source(inside));
            let workdir = &self.component.image.workdir;
            let is_elsewhere = found.path != *workdir && !repo::is_inside(&found.path, workdir);
            return (is_elsewhere || !is_code).then(|| self.volume(&found.path));
        }
        let folder = repo::folder_of(&found.path);
        let Some(inside) = self.inside(folder) else {
            // A volume at the folder of the source is one where nothing of the source is in the image.
            let is_home = folder == self.component.image.workdir;
            return Some(match is_home && !is_bare(self.component) {
                true => self.link(&found.path),
                false => self.volume(folder),
            });
        };
        if self.is_kept_empty(inside) {
            return Some(self.volume(self.kept_empty_above(folder)));
        }
        let is_beside = |other: &&&Written| other.is_new && repo::folder_of(&other.path) == folder;
        let several = all.iter().filter(is_beside).count() > 1;
        Some(match several && !self.holds_source(inside) {
            true => self.volume(folder),
            false => self.link(&found.path),
        })
    }

    fn volume(self, path: &str) -> Edit {
        Edit::AddVolume {
            path: path.to_owned(),
            persistent: !is_made_again(path, self.catalog),
            seeded: holds_files(path, self.component, self.repo),
        }
    }

    fn link(self, path: &str) -> Edit {
        Edit::LinkFile {
            path: path.to_owned(),
            scratch: is_made_again(path, self.catalog),
        }
    }

    /// The folder of the repository that lies at `path`, below its root.
    fn inside<'p>(&self, path: &'p str) -> Option<&'p str> {
        let rest = path.strip_prefix(&self.component.image.workdir)?;
        rest.strip_prefix('/').filter(|inside| !inside.is_empty())
    }

    /// The highest folder from `path` upwards that the repository has for nothing but what is written
    /// below it.
    fn kept_empty_above<'p>(&self, path: &'p str) -> &'p str {
        let mut path = path;
        loop {
            let above = repo::folder_of(path);
            match self.inside(above) {
                Some(inside) if self.is_kept_empty(inside) => path = above,
                _ => return path,
            }
        }
    }

    fn is_kept_empty(self, inside: &str) -> bool {
        self.repo.has_folder(inside) && !has_files(inside, self.repo)
    }

    fn holds_source(self, inside: &str) -> bool {
        let stack = self.catalog.stacks.get(&self.component.stack);
        let endings = stack.map_or(&[][..], |stack| &stack.sources);
        self.repo.files().any(|file| {
            let (_, ending) = file.rsplit_once('.').unwrap_or_default();
            repo::is_inside(file, inside) && endings.iter().any(|known| known == ending)
        })
    }
}

/// Whether nothing of the repository lies in the image at the place of the source.
pub fn is_bare(component: &Component) -> bool {
    let image = &component.image;
    let is_there = |path: &String| *path == image.workdir || repo::is_inside(path, &image.workdir);
    let artifacts = image.artifacts.iter().map(|artifact| &artifact.to);
    let mut files = artifacts.chain(image.extra_files.iter().map(|file| &file.to));
    !image.copy_source && !files.any(is_there)
}

/// Whether the repository has files at `path` of the image.
pub fn holds_files(path: &str, component: &Component, repo: &Repo) -> bool {
    let inside = path.strip_prefix(&format!("{}/", component.image.workdir));
    inside.is_some_and(|inside| has_files(inside, repo))
}

/// Whether a folder of the repository has files other than hidden ones, which only keep it there.
fn has_files(inside: &str, repo: &Repo) -> bool {
    let mut files = repo.files();
    files.any(|file| repo::is_inside(file, inside) && !repo::file_name(file).starts_with('.'))
}

/// Whether what is written at `path` is of no lasting value, by its name.
pub fn is_made_again(path: &str, catalog: &Catalog) -> bool {
    let words = catalog.list("written", "scratch");
    let endings = catalog.list("written", "scratch-endings");
    let is_word = |part: &str| {
        let part = part.trim_start_matches('.').to_ascii_lowercase();
        words.contains(&part)
    };
    // Without a home, a program writes its settings and caches right below the root.
    path.starts_with("/.")
        || path
            .split('/')
            .any(|part| is_scratch(part) || is_word(part))
        || endings.iter().any(|ending| path.ends_with(ending.as_str()))
}
