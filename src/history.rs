//! When a repository was last worked on.

use std::{
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use gix::date::{Time, time::format::SHORT};
use walkdir::WalkDir;

use crate::{limits, repo::Repo};

/// A point in time, in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(i64);

impl Moment {
    /// Returns the moment so many seconds after the beginning of 1970.
    pub fn at(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Returns the present moment.
    pub fn now() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        Self(now.map_or(0, |since| {
            i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
        }))
    }

    /// Returns the beginning of a day of ISO 8601, such as `2026-10-31`, in UTC; `None` for any other
    /// text.
    pub fn of_day(text: &str) -> Option<Self> {
        let moment = Self(gix::date::parse(text, None).ok()?.seconds);
        (moment.day() == text).then_some(moment)
    }

    /// Returns the day in UTC, ISO 8601.
    pub fn day(self) -> String {
        Time::new(self.0, 0).format_or_unix(SHORT)
    }

    /// Returns whether more than so many days have passed since.
    pub fn is_long_ago(self, days: i64) -> bool {
        self < Self::now().days_before(days)
    }

    /// Returns the moment so many days earlier.
    pub fn days_before(self, days: i64) -> Self {
        Self(self.0 - days * 24 * 60 * 60)
    }
}

/// Returns when the newest commit was made; without a history, when the newest file was written,
/// which an unpacked archive keeps.
pub fn last_change(repo: &Repo) -> Option<Moment> {
    commit(repo.root()).or_else(|| newest_file(repo))
}

/// The time of the commit that is checked out. A configuration outside the repository is not read.
fn commit(root: &Path) -> Option<Moment> {
    if !is_plain(&root.join(".git")) {
        return None;
    }
    let options = gix::open::Options::isolated();
    let git = gix::ThreadSafeRepository::open_opts(root, options).ok()?;
    let time = git.to_thread_local().head_commit().ok()?.time().ok()?;
    Some(Moment(time.seconds))
}

/// Whether `git` is a folder that leads Git to no other place: no link, no file that names another
/// folder for the history or its objects, and nothing but plain files and folders where Git reads
/// (<https://git-scm.com/docs/gitrepository-layout>).
fn is_plain(git: &Path) -> bool {
    const ELSEWHERE: [&str; 3] = [
        "commondir",
        "objects/info/alternates",
        "objects/info/http-alternates",
    ];
    const READ: [&str; 7] = [
        "HEAD",
        "config",
        "config.worktree",
        "packed-refs",
        "shallow",
        "refs",
        "objects",
    ];
    let leads_elsewhere = |file: &&str| git.join(file).symlink_metadata().is_ok();
    if !git.symlink_metadata().is_ok_and(|found| found.is_dir())
        || ELSEWHERE.iter().any(leads_elsewhere)
    {
        return false;
    }
    let mut left = limits::LISTED;
    READ.iter().all(|part| {
        let is_objects = *part == "objects";
        // What is not there is no entry.
        let mut walk = WalkDir::new(git.join(part)).into_iter().flatten();
        walk.all(|entry| {
            left = left.saturating_sub(1);
            let kind = entry.file_type();
            let is_small = || {
                entry
                    .metadata()
                    .is_ok_and(|found| found.len() <= limits::MEMORY)
            };
            left > 0 && (kind.is_dir() || kind.is_file() && (is_objects || is_small()))
        })
    })
}

fn newest_file(repo: &Repo) -> Option<Moment> {
    let times = repo.files().filter_map(|path| {
        let since = repo.modified(path)?.duration_since(UNIX_EPOCH).ok()?;
        i64::try_from(since.as_secs()).ok()
    });
    times.max().map(Moment)
}

#[cfg(test)]
mod tests {
    use std::{
        fs::{File, FileTimes},
        time::Duration,
    };

    use super::*;

    #[test]
    fn the_newest_file_tells_where_there_is_no_history() {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, seconds) in [("old", 1_000_000_000), ("new", 1_500_000_000)] {
            let file = File::create(folder.path().join(name)).expect("made");
            let times = FileTimes::new().set_modified(UNIX_EPOCH + Duration::from_secs(seconds));
            file.set_times(times).expect("set");
        }
        let repo = Repo::open(folder.path()).expect("opens").value;
        let moment = last_change(&repo).expect("known");
        assert_eq!(moment.day(), "2017-07-14");
        assert_eq!(moment.days_before(14).day(), "2017-06-30");
        assert!(moment.is_long_ago(365) && !moment.is_long_ago(365_000));
    }

    #[test]
    fn the_commit_that_is_checked_out_tells() {
        let folder = tempfile::tempdir().expect("a folder");
        let git = gix::init(folder.path()).expect("made");
        let tree = git.empty_tree().id;
        let who = gix::actor::SignatureRef {
            name: "Anna".into(),
            email: "anna@example.org".into(),
            time: "1500000000 +0200",
        };
        let parents: [gix::ObjectId; 0] = [];
        git.commit_as(who, who, "HEAD", "first", tree, parents)
            .expect("committed");
        std::fs::write(folder.path().join("new"), "").expect("written");
        let repo = Repo::open(folder.path()).expect("opens").value;
        assert_eq!(last_change(&repo).expect("known").day(), "2017-07-14");
    }
}
