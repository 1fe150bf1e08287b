//! What a run found to be other than planned → corrections of the plan.

use super::{context::holds_files, denied, listening::Listener, report::ComponentReport};
use crate::{
    plan::{Component, Correction},
    repo::{file_name, folder_of},
};
use std::path::Path;

/// The most folders that are taken for volumes.
const MOST_VOLUMES: usize = 8;
/// The longest path of a volume, whose name is made of it and has at most 63 characters.
const LONGEST: usize = 40;
/// Folders of the system: nothing that is not root writes there, whatever is mounted.
const SYSTEM: [&str; 11] = [
    "/bin", "/boot", "/dev", "/etc", "/lib", "/lib64", "/proc", "/root", "/sbin", "/sys", "/usr",
];
/// Folders whose contents can be made again, as the Filesystem Hierarchy Standard names them:
/// <https://refspecs.linuxfoundation.org/FHS_3.0/fhs/ch05.html>.
const SCRATCH: [&str; 6] = ["cache", "lock", "log", "run", "spool", "tmp"];

/// Returns the port to plan with where the program listens on exactly one that others reach.
pub fn port(planned: u16, found: &[Listener]) -> Option<Correction> {
    let mut reached: Vec<u16> = found
        .iter()
        .filter(|listener| !listener.is_local())
        .map(|listener| listener.port)
        .collect();
    reached.sort_unstable();
    reached.dedup();
    match reached[..] {
        [found] => Some(Correction::Port { planned, found }),
        _ => None,
    }
}

/// Returns the volumes for what a component wrote, or could not write.
pub fn volumes(
    component: &Component,
    report: &ComponentReport,
    repository: &Path,
) -> Vec<Correction> {
    let mut written: Vec<String> = match &report.measured {
        Some(measured) => measured.written.clone(),
        None => Vec::new(),
    };
    if let Some(failure) = &report.failure {
        written.extend(denied::paths(&failure.log.join("\n")));
    }
    let mut found: Vec<Correction> = Vec::new();
    for path in written {
        let Some(folder) = folder(&path, component, repository) else {
            continue;
        };
        let covers = |known: &str| folder == known || folder.starts_with(&format!("{known}/"));
        let is_known = component.volumes.iter().any(|volume| covers(&volume.path))
            || found
                .iter()
                .any(|known| matches!(known, Correction::Volume { path, .. } if covers(path)));
        if is_known || found.len() == MOST_VOLUMES {
            continue;
        }
        let persistent = !folder.split('/').any(is_scratch);
        found.push(Correction::Volume {
            path: folder,
            persistent,
            written: path,
        });
    }
    found
}

/// Returns whether the contents of a folder of this name can be made again.
pub fn is_scratch(name: &str) -> bool {
    let name = name.trim_start_matches('.').to_ascii_lowercase();
    SCRATCH
        .iter()
        .any(|known| name == *known || name == format!("{known}s"))
}

/// Returns whether `folder` is one of the system's own, which a volume would hide.
pub fn is_of_the_system(folder: &str) -> bool {
    SYSTEM.contains(&folder) || ["/", "/var", "/home", "/opt", "/srv"].contains(&folder)
}

/// Returns whether something can be mounted at `path`, or at its folder, so that it can be written:
/// it is absolute, has no odd characters, and is none of the system's.
pub fn is_mountable(path: &str) -> bool {
    let is_plain = path
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "._-/".contains(c));
    let has_steps = path.split('/').any(|word| word == "..");
    let is_system = SYSTEM
        .iter()
        .chain(&["/tmp"])
        .any(|system| path == *system || path.starts_with(&format!("{system}/")));
    is_plain && !has_steps && !is_system && path.starts_with('/') && path.len() > 1
}

/// The folder to mount so that `path` can be written; `None` where that would hide what the image
/// holds there, or where the path is not one to mount anything at.
fn folder(path: &str, component: &Component, repository: &Path) -> Option<String> {
    if !is_mountable(path) {
        return None;
    }
    let path = path.trim_end_matches('/');
    let name = file_name(path);
    let is_file = name.trim_start_matches('.').contains('.');
    let folder = if is_file { folder_of(path) } else { path };
    if folder.len() > LONGEST || !folder.starts_with('/') {
        return None;
    }
    let workdir = component.image.workdir.as_str();
    let holds_workdir = workdir == folder || workdir.starts_with(&format!("{folder}/"));
    let inside = folder.strip_prefix(&format!("{workdir}/"));
    let hides = holds_workdir || inside.is_some_and(|inside| holds_files(repository, inside));
    (!hides).then(|| folder.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::ladder::tests::plan;

    #[track_caller]
    fn check(path: &str, expected: Option<&str>) {
        let repository = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(repository.path().join("static")).expect("made");
        std::fs::write(repository.path().join("static/site.css"), "").expect("written");
        let plan = plan(|_| {});
        let found = folder(path, &plan.components[0], repository.path());
        assert_eq!(found.as_deref(), expected);
    }

    #[test]
    fn a_file_is_written_in_its_folder() {
        check("/app/instance/app.db", Some("/app/instance"));
        check("/app/instance", Some("/app/instance"));
        check("/var/lib/app/.cache/", Some("/var/lib/app/.cache"));
    }

    #[test]
    fn nothing_is_mounted_over_what_the_image_holds() {
        check("/app/app.log", None);
        check("/app", None);
        check("/app/static/upload.png", None);
        check("/usr/share/x", None);
        check("/root/.npm", None);
    }

    #[test]
    fn an_odd_path_is_no_volume() {
        check("/app/a b", None);
        check("/app/../etc", None);
        check("/x.log", None);
        check("/app/\u{202e}x", None);
    }

    #[test]
    fn several_other_ports_are_no_correction() {
        let listener = |port| Listener {
            address: std::net::Ipv4Addr::UNSPECIFIED.into(),
            port,
        };
        assert_eq!(port(80, &[listener(1), listener(2)]), None);
        let found = Correction::Port {
            planned: 80,
            found: 1,
        };
        assert_eq!(port(80, &[listener(1), listener(1)]), Some(found));
    }
}
