//! A front end whose development server hands requests on to another program of the repository:
//! the web server of its image does the same.

use super::{Component, Origin, OriginKind, Proxy, Volume, joined_name};
use crate::{
    diagnostic::{Code, Diagnostic, Severity},
    manifest::proxy::{self, Handed},
    plan::ExtraFile,
    recipe::{Catalog, HandsOnRecipe},
    repo::Repo,
    select::Selection,
};

/// Stands in a configuration for the pieces that hand requests on.
const HANDED_ON: &str = "{handed_on}";
/// Stands in a configuration for what answers where there is no file.
const OTHERWISE: &str = "{otherwise}";

/// Finds the component that each request is handed on to, and writes it into the configuration of
/// the web server; what nobody of the repository answers is told.
pub fn join(
    name: &str,
    components: &mut [Component],
    selections: &[Selection<'_>],
    repo: &Repo,
    catalog: &Catalog,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let known: Vec<Known> = components
        .iter()
        .zip(selections)
        .filter_map(|(component, selection)| {
            let framework = selection.framework;
            let is_static = framework.is_some_and(|(_, framework)| framework.serves_static);
            let port = component.main_port().filter(|_| !is_static)?;
            Some(Known {
                id: component.id.clone(),
                host: joined_name(name, &component.id),
                port: port.port,
                origin: port.origin.clone(),
            })
        })
        .collect();
    for (component, selection) in components.iter_mut().zip(selections) {
        let files = selection.framework.map(|(_, framework)| &framework.proxied);
        let handed = files.map(|files| proxy::handed(repo, &component.path, files));
        for handed in handed.into_iter().flatten() {
            let others: Vec<&Known> = known.iter().filter(|one| one.id != component.id).collect();
            match proxied(&handed, &others, catalog) {
                Ok(proxy) => component.proxies.push(proxy),
                Err(why) => diagnostics.extend(not_taken(&handed, why, repo)),
            }
        }
        write(component, catalog);
    }
}

/// A component that answers requests.
struct Known {
    id: String,
    host: String,
    port: u16,
    origin: Vec<Origin>,
}

/// Returns who answers what is handed on, or why nobody does.
fn proxied(handed: &Handed, others: &[&Known], catalog: &Catalog) -> Result<Proxy, &'static str> {
    let address = handed.target.split_once("://");
    let address = address.map_or(handed.target.as_str(), |(_, rest)| rest);
    let (place, base) = address.split_once('/').unwrap_or((address, ""));
    let (host, port) = place.rsplit_once(':').unwrap_or((place, "80"));
    let is_own = catalog
        .list("environment", "own-hosts")
        .iter()
        .any(|own| own == host);
    let by_port = others
        .iter()
        .find(|one| is_own && port.parse() == Ok(one.port));
    let by_name = || others.iter().find(|one| one.id == host);
    let other = match (by_port.or_else(by_name), others) {
        (Some(other), _) => other,
        // The port of a development server may differ from the one that serves later.
        (None, [only]) if is_own => only,
        (None, _) if is_own => return Err("no component of this repository listens there"),
        (None, _) => return Err("it is no address of this repository's programs"),
    };
    let base = base.trim_end_matches('/');
    let base = match base {
        "" => String::new(),
        base => format!("/{base}"),
    };
    let (from, to) = handed.rewrite.clone().unwrap_or_default();
    let to = format!("{base}{}", to.trim_end_matches('/'));
    let is_path = handed.path.as_deref().is_none_or(proxy::is_plain);
    if !is_path {
        return Err("its path cannot stand in the configuration of a web server");
    }
    if !proxy::is_plain(&to) || !proxy::is_plain(&from) {
        return Err("its path is rewritten in a way that is not understood");
    }
    let mut origin = vec![Origin::at(
        OriginKind::Manifest,
        &handed.file,
        handed.line,
        &handed.text,
    )];
    origin.extend(other.origin.iter().cloned());
    Ok(Proxy {
        path: handed.path.clone(),
        component: other.id.clone(),
        host: other.host.clone(),
        port: other.port,
        from,
        to,
        origin,
    })
}

fn not_taken(handed: &Handed, why: &str, repo: &Repo) -> Option<Diagnostic> {
    let source = repo.source(&handed.file)?;
    let path = handed.path.as_deref().unwrap_or("what is no file");
    let diagnostic = Diagnostic::new(
        Severity::Note,
        Code::ProxyNotTaken,
        format!(
            "the development server hands `{path}` on to `{}`; the image does not",
            handed.target
        ),
    );
    let span = source.line_span(handed.line);
    Some(
        diagnostic.at(&source, span, why).hint(
            "hand it on in front of the container, such as in the Ingress, if the pages need it",
        ),
    )
}

/// Fills in what the files of the image's web server have for requests that are handed on.
fn write(component: &mut Component, catalog: &Catalog) {
    let image = &mut component.image;
    let without_tag = |image: &str| image.split(':').next().unwrap_or_default().to_owned();
    let server = catalog.runtimes.iter().find_map(|(id, runtime)| {
        let is_server = without_tag(&runtime.image) == without_tag(&image.run_from);
        Some((id, runtime.hands_on.as_ref().filter(|_| is_server)?))
    });
    let is_meant = |file: &ExtraFile| file.contents.contains(HANDED_ON);
    let Some((id, recipe)) = server else {
        return;
    };
    let (mut pieces, mut otherwise) = (Vec::new(), recipe.by_default.clone());
    if !component.proxies.is_empty() {
        pieces.push(recipe.shared.clone());
    }
    for proxy in &component.proxies {
        if proxy.path.is_none() {
            otherwise = fill(&recipe.otherwise, proxy, recipe);
        }
        let piece = match proxy.path {
            Some(_) => &recipe.path,
            None => &recipe.unknown,
        };
        pieces.push(fill(piece, proxy, recipe));
    }
    for file in image.extra_files.iter_mut().filter(|file| is_meant(file)) {
        let lines = file.contents.split_inclusive('\n');
        let lines = lines.map(|line| match line.contains(HANDED_ON) {
            true => pieces.concat(),
            false => line.replace(OTHERWISE, &otherwise),
        });
        file.contents = lines.collect();
        if let Some(to) = recipe.moves.get(&file.to).filter(|_| !pieces.is_empty()) {
            file.to.clone_from(to);
        }
        let origins = component.proxies.iter().flat_map(|proxy| &proxy.origin);
        file.origin.extend(origins.cloned());
    }
    if pieces.is_empty() {
        return;
    }
    let id = format!("runtimes/{id}");
    image
        .extra_files
        .extend(recipe.file.iter().map(|file| ExtraFile {
            path: file.path.clone(),
            to: file.to.clone(),
            contents: file.contents.trim_start().to_owned(),
            executable: file.executable,
            origin: vec![Origin::recipe(&id, &file.why)],
        }));
    component
        .volumes
        .extend(recipe.writable.iter().map(|path| Volume {
            path: path.clone(),
            persistent: false,
            reason: "the server writes its configuration there when it starts".to_owned(),
            origin: vec![Origin::recipe(&id, "requests are handed on")],
        }));
}

/// Fills a piece of the recipe; a line that rewrites nothing goes.
fn fill(piece: &str, proxy: &Proxy, recipe: &HandsOnRecipe) -> String {
    let is_kept = |line: &&str| {
        let stays = proxy.from.is_empty() && proxy.to.is_empty();
        !(stays && line.contains("{rewrite}"))
    };
    let lines: String = piece.split_inclusive('\n').filter(is_kept).collect();
    let rewrite = recipe
        .rewrite
        .replace("{from}", &regex::escape(&proxy.from));
    lines
        .replace("{rewrite}", &rewrite.replace("{to}", &proxy.to))
        .replace("{path}", proxy.path.as_deref().unwrap_or("/"))
        .replace("{name}", &proxy.component.replace('-', "_"))
        .replace("{host}", &proxy.host)
        .replace("{port}", &proxy.port.to_string())
}
