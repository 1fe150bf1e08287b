//! Site files of nginx and Apache: what the web server before an application was told.
//!
//! Grammars: nginx.org/en/docs/beginners_guide.html#conf_structure and
//! httpd.apache.org/docs/2.4/configuring.html. A directive is a name and its arguments; which names
//! say what is data (`recipes/words/sites.toml`).

use std::collections::BTreeMap;

use super::Fact;
use crate::recipe::Catalog;

/// What sites say, each with its place; the first one counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Site {
    /// The folder that is served, a path of the host.
    pub root: Option<Fact>,
    /// The address on this machine that requests are handed to.
    pub proxy: Option<Fact>,
    /// The name under which the site is found.
    pub host: Option<Fact>,
    /// The largest request body, as written: `50M`, or bytes.
    pub upload: Option<Fact>,
    /// The certificate that the site shows.
    pub certificate: Option<Fact>,
    /// The file that answers for paths without a file of their own: `/index.php`.
    pub fallback: Option<Fact>,
}

impl Site {
    /// Takes over from `other` what is not known yet.
    pub fn add(&mut self, other: Self) {
        let take = |known: &mut Option<Fact>, new| {
            if known.is_none() {
                *known = new;
            }
        };
        take(&mut self.root, other.root);
        take(&mut self.proxy, other.proxy);
        take(&mut self.host, other.host);
        take(&mut self.upload, other.upload);
        take(&mut self.certificate, other.certificate);
        take(&mut self.fallback, other.fallback);
    }
}

/// Returns whether `text` is a site file: one of its lines opens a server.
pub fn is_site(text: &str, catalog: &Catalog) -> bool {
    let opens = |line: &str| {
        let line: String = line.split_whitespace().collect::<Vec<_>>().join(" ");
        catalog
            .list("sites", "opens")
            .iter()
            .any(|sign| line.starts_with(sign.as_str()))
    };
    text.lines().any(opens)
}

/// Reads the site file `text`, whose first line is line `first` of `file`.
pub fn site(text: &str, file: &str, first: usize, catalog: &Catalog) -> Site {
    let mut said: BTreeMap<&str, Fact> = BTreeMap::new();
    for (index, line) in text.lines().enumerate() {
        for directive in directives(line) {
            let Some((name, arguments)) = directive.split_first() else {
                continue;
            };
            let kinds = ["root", "proxy", "host", "upload", "certificate", "fallback"];
            let means = |kind: &&&str| {
                let names = catalog.list("sites", kind);
                names.iter().any(|known| known.eq_ignore_ascii_case(name))
            };
            let Some(kind) = kinds.iter().find(means) else {
                continue;
            };
            // ProxyPass has the path before the address.
            let value = match *kind {
                "proxy" => arguments.iter().find(|word| word.contains("://")),
                // try_files has the files to try before it, and a status where there is none.
                "fallback" => arguments.last().filter(|word| word.starts_with('/')),
                _ => arguments.first(),
            };
            // What the query holds is a variable.
            let value = value.map(|value| match *kind {
                "fallback" => value.split('?').next().unwrap_or_default().to_owned(),
                _ => value.clone(),
            });
            let is_told = |value: &String| !value.contains('$') && value.as_str() != "_";
            let Some(value) = value.filter(is_told) else {
                continue;
            };
            said.entry(*kind).or_insert_with(|| Fact {
                value,
                file: file.to_owned(),
                line: first + index,
            });
        }
    }
    Site {
        root: said.remove("root"),
        proxy: said.remove("proxy"),
        host: said.remove("host"),
        upload: said.remove("upload"),
        certificate: said.remove("certificate"),
        fallback: said.remove("fallback"),
    }
}

/// The directives of a line, each in words without quotes: nginx ends one with `;` or a brace,
/// Apache with the line.
fn directives(line: &str) -> Vec<Vec<String>> {
    let mut all = vec![Vec::new()];
    let mut word = String::new();
    let mut quote = None;
    for c in line.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            None if c == '"' || c == '\'' => quote = Some(c),
            None if c == '#' && word.is_empty() => break,
            None if c.is_whitespace() || matches!(c, ';' | '{' | '}') => {
                let directive = all.last_mut();
                if let Some(directive) = directive.filter(|_| !word.is_empty()) {
                    directive.push(std::mem::take(&mut word));
                }
                if !c.is_whitespace() {
                    all.push(Vec::new());
                }
            }
            _ => word.push(c),
        }
    }
    if let Some(directive) = all.last_mut().filter(|_| !word.is_empty()) {
        directive.push(word);
    }
    all.retain(|directive| !directive.is_empty());
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Site {
        site(text, "site.conf", 1, &Catalog::built_in())
    }

    fn value(fact: Option<Fact>) -> Option<(String, usize)> {
        fact.map(|fact| (fact.value, fact.line))
    }

    #[test]
    fn a_site_of_nginx_hands_on_and_limits() {
        let text = "server { listen 80;\n  server_name shop.example.com www.shop.example.com;\n  \
                    root /var/www/shop/public; # served\n  client_max_body_size 50M;\n  location / { \
                    proxy_pass http://127.0.0.1:8000; }\n}\n";
        assert!(is_site(text, &Catalog::built_in()));
        let site = read(text);
        assert_eq!(
            value(site.root),
            Some(("/var/www/shop/public".to_owned(), 3))
        );
        assert_eq!(value(site.host), Some(("shop.example.com".to_owned(), 2)));
        assert_eq!(value(site.upload), Some(("50M".to_owned(), 4)));
        assert_eq!(
            value(site.proxy),
            Some(("http://127.0.0.1:8000".to_owned(), 5))
        );
    }

    #[test]
    fn a_site_of_apache_names_its_folder() {
        let text = "<VirtualHost *:80>\n  ServerName shop.example.com\n  DocumentRoot \"/var/www/my \
                    shop\"\n  ProxyPass /api http://localhost:9000/\n</VirtualHost>\n";
        let site = read(text);
        assert_eq!(value(site.root), Some(("/var/www/my shop".to_owned(), 3)));
        assert_eq!(
            value(site.proxy),
            Some(("http://localhost:9000/".to_owned(), 4))
        );
    }

    #[test]
    fn what_is_open_is_not_said() {
        assert_eq!(
            read("server { server_name _; root $home; proxy_pass http://$up; }"),
            Site::default()
        );
        assert!(!is_site("[server]\nroot = /x", &Catalog::built_in()));
    }
}
