//! The other components of the repository that one looks for: by which names, and which must be up
//! before it.
//!
//! A compose file of the repository names its parts, and each finds the others by these names
//! (<https://docs.docker.com/compose/how-tos/networking/>); the code and the configuration then
//! hold them. A name counts only where one of the files of another component holds it as a host.

use std::collections::{BTreeMap, BTreeSet};

use super::{Component, Origin, Peer, joined_name};
use crate::{
    manifest::Reader,
    recipe::Catalog,
    repo::{self, Repo},
};

/// The largest file that is searched for names, in bytes.
const LARGEST: u64 = 256 << 10;

/// Finds the peers of each of `components` of the application `name`.
pub fn find(name: &str, reader: &Reader<'_>, components: &mut [Component]) {
    if components.len() < 2 {
        return;
    }
    let (repo, composed) = (reader.repo, &reader.composed);
    let names: Vec<BTreeSet<String>> = components
        .iter()
        .map(|component| {
            let folder = repo::file_name(&component.path).to_owned();
            let own = [component.id.clone(), folder];
            let composed = composed.services_of(&component.path).map(str::to_owned);
            own.into_iter()
                .chain(composed)
                .filter(|name| is_host_name(name))
                .collect()
        })
        .collect();
    // Who is called so, where it is only one of them, and no service is.
    let mut owners: BTreeMap<String, Option<usize>> = BTreeMap::new();
    for (index, (component, names)) in components.iter().zip(&names).enumerate() {
        let object = joined_name(name, &component.id);
        for host in names.iter().chain([&object]) {
            let owner = owners.entry(host.clone()).or_insert(Some(index));
            *owner = owner.filter(|owner| *owner == index);
        }
        for service in &component.services {
            for host in [service.host_name(), &service.kind] {
                owners.insert(host.to_owned(), None);
            }
        }
    }
    let folders = || components.iter().map(|component| component.path.as_str());
    let has_order =
        folders().any(|folder| folders().any(|other| composed.waits(folder, other).is_some()));
    let files = files(repo, reader.catalog, components);
    let mut found: Vec<Vec<Peer>> = Vec::new();
    for (index, component) in components.iter().enumerate() {
        let mut peers = Vec::new();
        for (other, peer) in components.iter().enumerate() {
            if other == index {
                continue;
            }
            let waits = composed.waits(&component.path, &peer.path);
            let port = peer.main_port().map(|port| port.port);
            let hosts = names[other].iter();
            let hosts = hosts.filter(|host| owners.get(*host) == Some(&Some(other)));
            let places =
                hosts.filter_map(|host| Some((host, place(repo, &files[index], host, port)?)));
            let known = peers.len();
            peers.extend(places.map(|(host, origin)| Peer {
                id: peer.id.clone(),
                host: Some(host.clone()),
                first: waits.is_some() || !has_order,
                origin: vec![origin],
            }));
            if let (true, Some(origin)) = (peers.len() == known, waits) {
                peers.push(Peer {
                    id: peer.id.clone(),
                    host: None,
                    first: true,
                    origin: vec![origin],
                });
            }
        }
        found.push(peers);
    }
    for (component, peers) in components.iter_mut().zip(found) {
        component.peers = peers;
    }
}

/// The line of one of `files` that names `host`.
fn place(repo: &Repo, files: &[&str], host: &str, port: Option<u16>) -> Option<Origin> {
    files.iter().find_map(|path| {
        let source = repo.source(path)?;
        let at = mention(&source.text, host, port)?;
        Some(Origin::in_source(&source, at))
    })
}

/// The files of each component, small enough to search; what is written for readers tells nothing of
/// the running program.
fn files<'r>(repo: &'r Repo, catalog: &Catalog, components: &[Component]) -> Vec<Vec<&'r str>> {
    let mut files = vec![Vec::new(); components.len()];
    let prose = catalog.list("documents", "prose");
    for path in repo.files() {
        let owner = components
            .iter()
            .enumerate()
            .filter(|(_, component)| repo::is_inside(path, &component.path))
            .max_by_key(|(_, component)| component.path.trim_matches('.').len());
        let Some((owner, _)) = owner else { continue };
        let is_document = prose.iter().any(|ending| path.ends_with(ending.as_str()));
        if !is_document && repo.size(path).is_some_and(|size| size <= LARGEST) {
            files[owner].push(path);
        }
    }
    files
}

/// Whether a name can be that of a Kubernetes Service (RFC 1035), and leads elsewhere.
fn is_host_name(name: &str) -> bool {
    let is_label = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    name.len() < 64
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && !name.ends_with('-')
        && name.chars().all(is_label)
        && name != "localhost"
}

/// Where `text` names `host`: as the host of a URL, or with the port of the one who is looked for.
fn mention(text: &str, host: &str, port: Option<u16>) -> Option<usize> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    text.match_indices(host).map(|(at, _)| at).find(|at| {
        let before = &text[..*at];
        let after = &text[at + host.len()..];
        let is_url = before.ends_with("://") && !after.starts_with(is_name);
        let with_port = port.is_some_and(|port| {
            let rest = after.strip_prefix(&format!(":{port}"));
            rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()))
        });
        is_url || with_port && !before.ends_with(|c: char| is_name(c) || c == '/')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_host_only_where_an_address_stands() {
        let finds = |text: &str| mention(text, "config", Some(8888)).is_some();
        assert!(finds("uri: http://config:8888"));
        assert!(finds("const base = 'https://config/v1'"));
        assert!(finds("CONFIG=config:8888"));
        assert!(!finds("import config"));
        assert!(!finds("http://config.example.com/"));
        assert!(!finds("app-config:8888"));
        assert!(!finds("config:88881"));
    }
}
