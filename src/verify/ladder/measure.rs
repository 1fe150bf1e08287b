//! What is measured of a program that is up, and the logs that are kept.

use std::{fs::File, io::Write, path::PathBuf, time::Duration};

use super::Site;
use crate::{
    plan::Component,
    verify::{denied, engine::Engine},
};

impl<E: Engine> Site<'_, E> {
    /// Paths written outside the declared ones, as the engine and the log tell.
    pub(super) async fn written(
        &self,
        component: &Component,
        id: &str,
    ) -> anyhow::Result<Vec<String>> {
        let mut paths = self.engine.changes(id).await?;
        paths.extend(denied::paths(&self.engine.logs(id).await?));
        paths.sort();
        paths.dedup();
        let declared = |path: &str| {
            let inside = |folder: &str| {
                path == folder
                    || path.starts_with(&format!("{folder}/"))
                    || folder.starts_with(&format!("{path}/"))
            };
            component.volumes.iter().any(|volume| inside(&volume.path))
                || ["/tmp", "/run", "/dev", "/etc", "/proc", "/sys"]
                    .iter()
                    .any(|folder| inside(folder))
        };
        paths.retain(|path| !declared(path));
        Ok(paths)
    }

    /// Keeps what a container printed, if the user wants that, and returns where.
    pub(super) async fn keep_log(&self, name: &str, id: &str) -> Option<PathBuf> {
        let (path, mut file) = self.log_file(name)?;
        let text = self.engine.logs(id).await.ok()?;
        file.write_all(text.as_bytes()).ok()?;
        Some(path)
    }

    /// A log that cannot be kept is no reason to fail the run.
    pub(super) fn log_file(&self, name: &str) -> Option<(PathBuf, File)> {
        let folder = self.options.keep_logs.as_ref()?;
        std::fs::create_dir_all(folder).ok()?;
        let path = folder.join(format!("{name}.log"));
        let file = File::create(&path).ok()?;
        Some((path, file))
    }
}

pub(super) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
