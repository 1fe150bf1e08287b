//! What is measured of a program that is up, and the logs that are kept.

use std::{fs::File, io::Write, path::PathBuf, time::Duration};

use super::Site;
use crate::{
    output::{OutputFolder, OutputPath},
    plan::{Component, Measured},
    repo,
    verify::{
        denied,
        engine::{Change, ChangeKind, Engine, Usage},
        report::{ComponentReport, Written},
    },
};

/// How many paths without anything below them are looked at more closely.
const MOST_LOOKS: usize = 200;

impl<E: Engine> Site<'_, E> {
    /// Measures a program that answered `startup` after its start, now and once it has been idle.
    pub(super) async fn measured(
        &self,
        component: &Component,
        id: &str,
        startup: Duration,
        peak: u64,
    ) -> anyhow::Result<Measured> {
        // A figure that cannot be had is no reason to fail the run.
        let started = self.engine.usage(id).await.unwrap_or_default();
        // Looking at its files costs the program nothing, and the engine takes a while for it.
        let ((), once) = tokio::join!(
            tokio::time::sleep(self.options.idle),
            self.measured_once(component, id, startup)
        );
        let idle = self.engine.usage(id).await.unwrap_or_default();
        let peak = peak.max(started.peak_memory).max(idle.peak_memory);
        let startup_cpu = (!started.cpu.is_zero()).then(|| millicores(started.cpu, startup));
        Ok(Measured {
            peak_memory_bytes: peak,
            steady_memory_bytes: Some(idle.memory).filter(|memory| *memory > 0),
            startup_cpu_millicores: startup_cpu.flatten(),
            steady_cpu_millicores: rate(&started, &idle),
            ..once?
        })
    }

    /// Measures a program that has ended.
    pub(super) async fn measured_once(
        &self,
        component: &Component,
        id: &str,
        startup: Duration,
    ) -> anyhow::Result<Measured> {
        Ok(Measured {
            startup_ms: milliseconds(startup),
            peak_memory_bytes: 0,
            steady_memory_bytes: None,
            startup_cpu_millicores: None,
            steady_cpu_millicores: None,
            listening: Vec::new(),
            written: self.written(component, id).await?,
            stop_ms: None,
            corrections: Vec::new(),
            load: None,
        })
    }

    /// The highest memory use so far, 0 where it cannot be known.
    pub(super) async fn peak_memory(&self, id: &str) -> u64 {
        let usage = self.engine.usage(id).await;
        usage.map_or(0, |usage| usage.peak_memory)
    }

    /// Paths written outside the declared ones, as the engine and the log tell.
    pub(super) async fn written(
        &self,
        component: &Component,
        id: &str,
    ) -> anyhow::Result<Vec<String>> {
        let changes = self.engine.changes(id).await?.into_iter();
        let mut paths: Vec<String> = changes.map(|change| change.path).collect();
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

    /// Notes what the container wrote, where the run is to find that out.
    pub(super) async fn trace(&self, id: &str, report: &mut ComponentReport) -> anyhow::Result<()> {
        if !self.options.trace {
            return Ok(());
        }
        let mut changes = self.engine.changes(id).await?;
        changes.retain(|change| change.kind != ChangeKind::Deleted);
        let mut looks = MOST_LOOKS;
        for (at, change) in changes.iter().enumerate() {
            let is_below = |other: &Change| repo::is_inside(&other.path, &change.path);
            let holds = changes[at + 1..].iter().any(is_below);
            let is_new = change.kind == ChangeKind::Added;
            // A folder on the way to what was written.
            if holds && !is_new {
                continue;
            }
            let is_unsure = !holds && looks > 0;
            looks -= usize::from(is_unsure);
            // What was removed in between is no folder to keep.
            let is_folder = is_unsure
                && self
                    .engine
                    .is_folder(id, &change.path)
                    .await
                    .is_ok_and(|is| is);
            report.traced.push(Written {
                path: change.path.clone(),
                is_folder: holds || is_folder,
                is_new,
            });
        }
        Ok(())
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
        let path = OutputPath::parse(&format!("{name}.log")).ok()?;
        let file = OutputFolder::at(folder).stream(&path).ok()?;
        Some((folder.join(path.as_str()), file))
    }
}

pub(super) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The mean CPU use between two looks; `None` where the engine gave the same look twice.
fn rate(before: &Usage, after: &Usage) -> Option<u64> {
    let between = after.at.checked_sub(before.at)?;
    millicores(after.cpu.checked_sub(before.cpu)?, between)
}

/// CPU time in `between`, in thousandths of a core.
fn millicores(cpu: Duration, between: Duration) -> Option<u64> {
    u64::try_from((cpu.as_micros() * 1000).checked_div(between.as_micros())?).ok()
}
