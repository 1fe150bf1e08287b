//! Site files of nginx and Apache: what the web server before an application was told.
//!
//! Grammars: nginx.org/en/docs/beginners_guide.html#conf_structure and
//! httpd.apache.org/docs/2.4/configuring.html. A directive is a name and its arguments; which names
//! say what is data (`recipes/words/sites.toml`).

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

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
    /// The path below which requests run programs and, behind a blank, their folder, a path of the
    /// host.
    pub scripts: Option<Fact>,
    /// The FastCGI server that scripts are handed to.
    pub fastcgi: Option<Fact>,
    /// Regular expressions for paths that are refused.
    pub denied: Vec<Fact>,
    /// What scripts are told as if the environment said it, by name.
    pub parameters: BTreeMap<String, Fact>,
    /// How the directives are called that said it, by their list of `recipes/words/sites.toml`.
    pub directives: BTreeMap<String, String>,
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
        take(&mut self.scripts, other.scripts);
        take(&mut self.fastcgi, other.fastcgi);
        let known = self.denied.iter().map(|known| known.value.clone());
        let mut known: BTreeSet<String> = known.collect();
        let denied = other.denied.into_iter();
        self.denied
            .extend(denied.filter(|fact| known.insert(fact.value.clone())));
        for (name, fact) in other.parameters {
            self.parameters.entry(name).or_insert(fact);
        }
        for (kind, name) in other.directives {
            self.directives.entry(kind).or_insert(name);
        }
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
    let (mut denied, mut parameters) = (Vec::new(), BTreeMap::new());
    let mut called: BTreeMap<String, String> = BTreeMap::new();
    for directive in directives(text) {
        let Some((name, arguments)) = directive.words.split_first() else {
            continue;
        };
        let kinds = [
            "root",
            "proxy",
            "host",
            "upload",
            "certificate",
            "fallback",
            "scripts",
            "fastcgi",
            "denied",
            "parameter",
        ];
        let means = |kind: &&&str| {
            let names = catalog.list("sites", kind);
            names.iter().any(|known| known.eq_ignore_ascii_case(name))
        };
        let Some(kind) = kinds.iter().find(means) else {
            continue;
        };
        let fact = |value: String| Fact {
            value,
            file: file.to_owned(),
            line: first + directive.line,
        };
        let mut remember = || {
            let known = called.entry((*kind).to_owned());
            known.or_insert_with(|| name.clone());
        };
        // ProxyPass has the path before the address.
        let value = match *kind {
            "denied" => {
                let is_all = arguments == ["all"];
                let path = directive.inside.as_deref().and_then(location);
                if let Some(path) = path.filter(|_| is_all) {
                    remember();
                    denied.push(fact(path));
                }
                continue;
            }
            "parameter" => {
                if let [name, value, ..] = arguments
                    && !value.contains('$')
                    && !catalog.list("sites", "own-parameters").contains(name)
                {
                    remember();
                    parameters
                        .entry(name.clone())
                        .or_insert(fact(value.clone()));
                }
                continue;
            }
            "proxy" => arguments.iter().find(|word| word.contains("://")),
            // try_files has the files to try before it, and a status where there is none.
            "fallback" => arguments.last().filter(|word| word.starts_with('/')),
            _ => arguments.first(),
        };
        // What the query holds is a variable.
        let value = value.map(|value| match *kind {
            "fallback" => value.split('?').next().unwrap_or_default().to_owned(),
            "scripts" => arguments.join(" "),
            _ => value.clone(),
        });
        let is_told = |value: &String| {
            let is_variable = value.contains('$') && *kind != "fastcgi";
            !is_variable && value.as_str() != "_"
        };
        if let Some(value) = value.filter(is_told) {
            remember();
            said.entry(*kind).or_insert_with(|| fact(value));
        }
    }
    Site {
        root: said.remove("root"),
        proxy: said.remove("proxy"),
        host: said.remove("host"),
        upload: said.remove("upload"),
        certificate: said.remove("certificate"),
        fallback: said.remove("fallback"),
        scripts: said.remove("scripts"),
        fastcgi: said.remove("fastcgi"),
        denied,
        parameters,
        directives: called,
    }
}

/// The paths of nginx's block `location`, as a regular expression
/// (<https://nginx.org/en/docs/http/ngx_http_core_module.html#location>); none for another block.
fn location(block: &[String]) -> Option<String> {
    let path = |path: &String| regex::escape(path);
    match block {
        [name, ..] if name != "location" => None,
        [_, sign, pattern] if sign == "~" => Some(pattern.clone()),
        [_, sign, pattern] if sign == "~*" => Some(format!("(?i){pattern}")),
        [_, sign, exact] if sign == "=" => Some(format!("^{}$", path(exact))),
        [_, sign, prefix] if sign == "^~" => Some(format!("^{}", path(prefix))),
        [_, prefix] if prefix.starts_with('/') => Some(format!("^{}", path(prefix))),
        _ => None,
    }
}

/// A directive: its name and arguments, without quotes.
#[derive(Default)]
struct Directive {
    words: Vec<String>,
    /// The line, from 0.
    line: usize,
    /// The block of nginx around it.
    inside: Option<Rc<[String]>>,
}

/// The directives of a site file: nginx ends one with `;` or a brace, Apache with the line.
fn directives(text: &str) -> Vec<Directive> {
    let mut all: Vec<Directive> = Vec::new();
    let mut blocks: Vec<Rc<[String]>> = Vec::new();
    for (line, content) in text.lines().enumerate() {
        let mut words: Vec<String> = Vec::new();
        let mut word = String::new();
        let mut quote = None;
        let mut chars = content.chars().chain(['\n']).peekable();
        while let Some(c) = chars.next() {
            // In a pattern such as \d{4} braces count nothing.
            let is_count =
                c == '{' && !word.is_empty() && chars.peek().is_some_and(char::is_ascii_digit);
            match quote {
                Some(open) if c == open => quote = None,
                Some(_) if c != '\n' => word.push(c),
                None if c == '"' || c == '\'' => quote = Some(c),
                None if c == '#' && word.is_empty() => break,
                None if is_count => {
                    word.push(c);
                    word.extend(chars.by_ref().take_while(|c| *c != '}'));
                    word.push('}');
                }
                _ if c.is_whitespace() || matches!(c, ';' | '{' | '}') => {
                    if !word.is_empty() {
                        words.push(std::mem::take(&mut word));
                    }
                    if c == ' ' || c == '\t' {
                        continue;
                    }
                    let ended = Directive {
                        words: std::mem::take(&mut words),
                        line,
                        inside: blocks.last().cloned(),
                    };
                    match c {
                        '{' => blocks.push(ended.words.as_slice().into()),
                        '}' => {
                            blocks.pop();
                        }
                        _ => {}
                    }
                    if !ended.words.is_empty() {
                        all.push(ended);
                    }
                }
                _ => word.push(c),
            }
        }
        if !word.is_empty() {
            words.push(word);
        }
        if !words.is_empty() {
            all.push(Directive {
                words,
                line,
                inside: blocks.last().cloned(),
            });
        }
    }
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
    fn a_site_of_php_fpm_refuses_paths_and_tells_parameters() {
        let site = read(
            "server {\n  location ~ \\.php$ {\n    fastcgi_pass unix:/run/php/php8.2-fpm.sock;\n    \
             fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;\n    fastcgi_param \
             SHOP_MODE live;\n  }\n  location ~ /\\. { deny all; }\n  location /data/ {\n    deny \
             all;\n  }\n  location = /x.log { deny all; }\n  location ~ ^/\\d{4}/ { deny 10.0.0.1; }\n}\n",
        );
        let denied: Vec<&str> = site.denied.iter().map(|fact| fact.value.as_str()).collect();
        assert_eq!(denied, ["/\\.", "^/data/", "^/x\\.log$"]);
        assert_eq!(
            value(site.fastcgi),
            Some(("unix:/run/php/php8.2-fpm.sock".to_owned(), 3))
        );
        let parameters: Vec<(&str, usize)> = site
            .parameters
            .iter()
            .map(|(name, fact)| (name.as_str(), fact.line))
            .collect();
        assert_eq!(parameters, [("SHOP_MODE", 5)]);
        let called: Vec<&str> = site.directives.values().map(String::as_str).collect();
        assert_eq!(called, ["deny", "fastcgi_pass", "fastcgi_param"]);
    }

    #[test]
    fn an_alias_of_scripts_has_a_path_and_a_folder() {
        let text =
            "ScriptAlias /cgi-bin/ \"/srv/harbour/cgi-bin/\"\nSetEnv HARBOUR_DATA /srv/data\n";
        assert!(is_site(text, &Catalog::built_in()));
        let site = read(text);
        assert_eq!(
            value(site.scripts),
            Some(("/cgi-bin/ /srv/harbour/cgi-bin/".to_owned(), 1))
        );
        assert_eq!(site.parameters["HARBOUR_DATA"].value, "/srv/data");
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
