//! What to ask the application for, to know that it answers.

use std::sync::LazyLock;

use regex::Regex;

use super::{
    Health, Origin, OriginKind,
    input::{Input, fill_plain},
};
use crate::{
    readme::{Document, Part},
    repo,
};

/// An address on this machine with a path.
static ADDRESS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?:https?://|\b|^)(?:localhost|127\.0\.0\.1|0\.0\.0\.0)(?::(?:\d+|\w*port\w*))?(/[\w./-]*)",
    )
    .expect("a constant")
});

/// Returns which paths to ask for, best first, and what counts as an answer.
pub fn health(input: &Input<'_, '_>) -> Health {
    let mut candidates: Vec<String> = Vec::new();
    let mut origin = Vec::new();
    let mut add = |path: &str, why: Origin| {
        if !candidates.iter().any(|known| known == path) {
            candidates.push(path.to_owned());
            origin.push(why);
        }
    };
    if let Some(said) = &input.selection.config.health {
        add(&said.value, said.origin.clone());
    }
    // Paths made for this purpose, where the code has them.
    for source in input.selection.facts.sources(input.repo) {
        for known in input.catalog.list("health", "paths") {
            let quoted = [
                format!("\"{known}\""),
                format!("'{known}'"),
                format!("\"{known}/\""),
                format!("'{known}/'"),
            ];
            if let Some(at) = quoted
                .iter()
                .find_map(|piece| source.text.find(piece.as_str()))
            {
                add(known, Origin::in_source(&source, at));
            }
        }
    }
    let framework = input.selection.framework;
    for path in framework
        .into_iter()
        .flat_map(|(_, framework)| &framework.health)
    {
        let id = framework.map_or("", |(id, _)| id);
        let Some(path) = fill_plain(path, input) else {
            continue;
        };
        add(
            &path,
            Origin::recipe(&format!("frameworks/{id}"), "usual first page"),
        );
    }
    // A page of its own proves more than the first one, which may be a file.
    let pages = pages(input);
    for (path, place) in named_pages(&pages, input) {
        add(&path, place);
    }
    add(
        "/",
        Origin::recipe(
            &format!("stacks/{}", input.selection.stack_id),
            "first page",
        ),
    );
    for (path, place) in installers(input) {
        add(&path, place);
    }
    for (path, place) in paths_in_documents(input.documents) {
        add(from_own_root(&path, input), place);
    }
    for (path, place) in pages.into_iter().take(MOST_ROUTES) {
        if !changes_something(&path, input) {
            add(&path, place);
        }
    }
    for (path, place) in routes(input) {
        add(&path, place);
    }
    Health {
        path: candidates[0].clone(),
        candidates,
        status: 200,
        errors: input.selection.stack.error_pages.clone(),
        host: framework
            .and_then(|(_, framework)| fill_plain(framework.health_host.as_ref()?, input)),
        proven: false,
        origin,
    }
}

/// Pages of the installer that a person goes through before the first page is there, where source
/// files below a document root are pages.
fn installers(input: &Input<'_, '_>) -> Vec<(String, Origin)> {
    let Some((root, _)) = input.variables.get("docroot") else {
        return Vec::new();
    };
    let root = repo::join(input.directory, root);
    let sources = &input.selection.stack.sources;
    let named = |name: &str| {
        input
            .catalog
            .list("health", "installers")
            .iter()
            .any(|known| known == name)
    };
    let is_one = |inside: &str| {
        let (name, ending) = repo::file_name(inside).rsplit_once('.').unwrap_or_default();
        let folder = repo::file_name(repo::folder_of(inside));
        inside.matches('/').count() <= 1
            && sources.iter().any(|known| known == ending)
            && (named(name) || name == "index" && named(folder))
    };
    let found = input.repo.files().filter_map(|file| {
        let inside = match root.as_str() {
            "." => file,
            root => file.strip_prefix(root)?.strip_prefix('/')?,
        };
        is_one(inside).then(|| {
            (
                format!("/{inside}"),
                Origin::manifest(file, "the page of an installer"),
            )
        })
    });
    found.take(MOST_INSTALLERS).collect()
}

/// How many pages of an installer are asked for, where the first page does not answer.
const MOST_INSTALLERS: usize = 2;

/// How many pages of the source are asked for, where no other path answers.
const MOST_ROUTES: usize = 6;

/// Pages that the source answers, without those that change something.
fn routes(input: &Input<'_, '_>) -> Vec<(String, Origin)> {
    let mut found: Vec<(String, Origin)> = Vec::new();
    for source in input.selection.facts.sources(input.repo) {
        let expressions = input.selection.stack.routes.iter();
        let places = expressions.flat_map(|route| route.captures_iter(&source.text));
        for path in places.filter_map(|place| place.get(1)) {
            let line = source.line(path.start());
            let origin = Origin::at(OriginKind::Manifest, &source.path, line, path.as_str());
            let path = format!("/{}", path.as_str().trim_start_matches('/'));
            if !changes_something(&path, input) && !found.iter().any(|(known, _)| *known == path) {
                found.push((path, origin));
            }
        }
    }
    found.sort_by_key(|(path, _)| path.matches('/').count());
    found.truncate(MOST_ROUTES);
    found
}

/// Whether the name of a page says that it changes something.
fn changes_something(path: &str, input: &Input<'_, '_>) -> bool {
    let catalog = input.catalog;
    catalog.has_part("health", "changes", path, &['/', '-', '_', '.'])
}

/// The source files that are pages by themselves, by the path under which the web server has them:
/// below the path of its programs, or from its document root.
fn pages(input: &Input<'_, '_>) -> Vec<(String, Origin)> {
    let value = |name: &str| input.variables.get(name).map_or("", |(value, _)| value);
    let (scripts, root) = (value("scripts"), value("docroot"));
    let mut found: Vec<(String, Origin)> = Vec::new();
    for pattern in &input.selection.stack.pages {
        for file in input.repo.glob(&repo::join(input.directory, pattern)) {
            let inside = |folder: &str| {
                let folder = repo::join(input.directory, folder);
                match folder.as_str() {
                    "." => Some(file),
                    folder => file.strip_prefix(folder)?.strip_prefix('/'),
                }
            };
            let is_source = input
                .selection
                .facts
                .files
                .iter()
                .any(|known| known == file);
            let below = inside(scripts).map(|inside| format!("{}{inside}", value("script_path")));
            let plain = inside(root).map(|inside| format!("/{inside}"));
            for path in below.into_iter().chain(plain).filter(|_| is_source) {
                if !found.iter().any(|(known, _)| *known == path) {
                    found.push((path, Origin::manifest(file, "a page by itself")));
                }
            }
        }
    }
    found
}

/// Those of `pages` that documents name, by an address of any host or by their path, in the order of
/// the documents.
fn named_pages(pages: &[(String, Origin)], input: &Input<'_, '_>) -> Vec<(String, Origin)> {
    let mut found: Vec<(usize, usize, String, Origin)> = Vec::new();
    for (number, document) in input.documents.iter().enumerate() {
        let source = &document.source;
        for (path, _) in pages {
            let is_whole = |at: &usize| {
                let rest = &source.text[at + path.len()..];
                !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_' || c == '/')
            };
            let places = source.text.match_indices(path.as_str());
            // A path of the host, such as /var/www/cgi-bin/book.cgi, names it as well.
            if let Some(at) = places.map(|(at, _)| at).find(is_whole) {
                let line = source.line(at);
                let origin = Origin::at(OriginKind::Readme, &source.path, line, path);
                found.push((number, at, path.clone(), origin));
            }
        }
    }
    found.sort_by_key(|(number, at, _, _)| (*number, *at));
    let found = found.into_iter();
    found.map(|(_, _, path, origin)| (path, origin)).collect()
}

/// `path` without the folder of a shared web server that the application stood in: the end of it
/// that is a file of the application.
fn from_own_root<'p>(path: &'p str, input: &Input<'_, '_>) -> &'p str {
    let is_file = |path: &str| {
        let path = repo::join(&input.selection.folder, path.trim_start_matches('/'));
        !path.ends_with('/') && input.repo.contains(&path)
    };
    let ends = path.match_indices('/').map(|(at, _)| &path[at..]);
    ends.into_iter().find(|end| is_file(end)).unwrap_or(path)
}

/// Paths of addresses on this machine that documents name: `http://localhost:8000/admin`.
fn paths_in_documents(documents: &[Document]) -> Vec<(String, Origin)> {
    let mut found = Vec::new();
    for document in documents {
        for part in &document.parts {
            let (text, at) = match part {
                Part::Text(paragraph) => (&paragraph.text, paragraph.span.start),
                Part::Code(block) => (&block.code, block.file_offset(0)),
            };
            for captured in ADDRESS.captures_iter(text) {
                let Some(path) = captured.get(1) else {
                    continue;
                };
                let line = document.source.line(at) + text[..path.start()].matches('\n').count();
                let path = path.as_str().trim_end_matches(['.', ',']).to_owned();
                found.push((
                    path.clone(),
                    Origin::at(OriginKind::Readme, &document.source.path, line, path),
                ));
            }
        }
    }
    found.truncate(6);
    found
}
