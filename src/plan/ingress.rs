//! The name under which the public finds the application, for the Ingress of production.

use super::{Component, Ingress, Origin, OriginKind, Protocol, ledger, port::value_of, variables};
use crate::{
    config::Config,
    manifest::{Fact, site::Site},
    name::HostName,
    readme::Document,
    recipe::Catalog,
    repo::{self, Repo},
    step::{InstallStep, rule},
};

/// Gives the component that the public asks first the name that a person settled, a site file names,
/// or a document asks a certificate for; none where nobody names one.
pub fn join(
    components: &mut [Component],
    repo: &Repo,
    documents: &[Document],
    steps: &[InstallStep],
    catalog: &Catalog,
    config: &Config,
) {
    let site = variables::site(repo, documents, catalog);
    let at = |fact: &Fact| {
        let text = fact.value.as_str();
        Origin::at(OriginKind::Manifest, &fact.file, fact.line, text)
    };
    let of_site = site
        .host
        .as_ref()
        .map(|fact| (fact.value.as_str(), at(fact)));
    let settled = config.host.as_ref();
    let settled = settled.map(|said| (said.value.clone(), said.origin.clone()));
    let certified = certified(steps, catalog);
    let documented = of_site.filter(|(host, _)| is_public(host, catalog));
    let documented = documented.map(|(host, origin)| (host.to_lowercase(), origin));
    let Some((host, origin)) = settled.or(documented).or_else(|| certified.clone()) else {
        return;
    };
    let tls = match (&config.tls_secret, &site.certificate, certified) {
        (Some(said), _, _) => Some((Some(said.value.clone()), said.origin.clone())),
        (None, Some(fact), _) => Some((None, at(fact))),
        (None, None, Some((_, origin))) => Some((None, origin)),
        (None, None, None) => None,
    };
    let Some(index) = front(components, &site) else {
        return;
    };
    components[index].ingress = Some(Ingress {
        host,
        has_tls: tls.is_some(),
        tls_secret: tls.as_ref().and_then(|(secret, _)| secret.clone()),
        tls_origin: tls.into_iter().map(|(_, origin)| origin).collect(),
        class: config.ingress_class.as_ref().map(|said| said.value.clone()),
        origin: vec![origin],
    });
}

/// The component that the public asks first: one that hands requests on, else the one that the site
/// names, else the first.
fn front(components: &[Component], site: &Site) -> Option<usize> {
    let speaks_http = |component: &Component| {
        let port = component.main_port();
        port.is_some_and(|port| port.protocol == Protocol::Http)
    };
    let place = |fits: &dyn Fn(&Component) -> bool| {
        let mut components = components.iter();
        components.position(|component| speaks_http(component) && fits(component))
    };
    let is_named = |component: &Component| {
        let port = component.main_port().map(|port| format!(":{}", port.port));
        let address = site
            .proxy
            .as_ref()
            .map(|fact| fact.value.trim_end_matches('/'));
        port.zip(address)
            .is_some_and(|(port, address)| address.ends_with(&port))
    };
    place(&|component| !component.proxies.is_empty())
        .or_else(|| place(&is_named))
        .or_else(|| place(&|_| true))
}

/// The first name that a command of the documents asks a certificate for.
fn certified(steps: &[InstallStep], catalog: &Catalog) -> Option<(String, Origin)> {
    steps.iter().find_map(|step| {
        let (found, words) = rule(&step.words, catalog);
        let flags = &found?.0.rule.host_flags;
        let (_, names) = value_of(&words, flags)?;
        let host = names.split(',').next()?.to_lowercase();
        is_public(&host, catalog).then(|| (host, ledger::origin(step)))
    })
}

/// Whether `host` is a whole name (<https://www.rfc-editor.org/rfc/rfc1123#section-2>), and one that
/// stands for itself.
fn is_public(host: &str, catalog: &Catalog) -> bool {
    let Some(host) = HostName::parse(host) else {
        return false;
    };
    let is_address = host.is_address();
    let host = host.as_ref();
    let bare = host.strip_prefix("www.").unwrap_or(host);
    let stands_for_another = catalog
        .list("sites", "no-hosts")
        .iter()
        .any(|pattern| repo::matcher(pattern).is_some_and(|pattern| pattern.is_match(bare)));
    host.contains('.') && !is_address && !stands_for_another
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_stand_for_another_are_not_public() {
        let catalog = Catalog::built_in();
        for host in ["shop.example.com", "Town-Hall.GOV"] {
            assert!(is_public(host, &catalog), "{host}");
        }
        for host in [
            "localhost",
            "example.com",
            "www.example.com",
            "yourdomain.com",
            "shop.local",
            "10.0.0.1",
            "*.shop.org",
            "~^(.+)$",
            "a..b",
            "your_domain.com",
            "-shop-.city.gov",
        ] {
            assert!(!is_public(host, &catalog), "{host}");
        }
    }
}
