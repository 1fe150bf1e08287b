//! `longshore.toml`: what a person settled, because no file of the repository does.
//!
//! Answers to the plan's questions, corrections of what was understood, and what is true of the
//! place where images are built: registries, mirrors, a company's certificate. Every value keeps its
//! line, so that what it leads to can be explained. No secret stands in it: a value that looks like
//! one is refused.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use toml::Spanned;

use crate::{
    diagnostic::{Code, Diagnostic, Severity, nearest},
    input::{self, Unreadable},
    limits,
    name::{HostName, ImageReference, Subdomain},
    origin::{Origin, OriginKind},
    recipe::{Catalog, ConfigurationError, explained, position},
    repo,
    shell::is_name,
    source::SourceFile,
};

/// Name of the file, in the root of the repository.
pub const FILE: &str = "longshore.toml";

/// A value with the line that says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said<T> {
    /// The value.
    pub value: T,
    /// File and line.
    pub origin: Origin,
}

/// What a person settled.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Config {
    /// Folders of recipes on top of the built-in ones.
    pub recipes: Vec<PathBuf>,
    /// Answers by the id of the question.
    pub answers: BTreeMap<String, Said<String>>,
    /// Folder of the application.
    pub path: Option<Said<String>>,
    /// Version of the runtime.
    pub runtime: Option<Said<String>>,
    /// Port that the application listens on.
    pub port: Option<Said<u16>>,
    /// Start command.
    pub start: Option<Said<StartCommand>>,
    /// Path that answers when the application is well.
    pub health: Option<Said<String>>,
    /// Further Debian packages of the run stage.
    pub packages: Vec<Said<String>>,
    /// Further Debian packages of the build stage.
    pub build_packages: Vec<Said<String>>,
    /// Values of environment variables.
    pub env: BTreeMap<String, Said<String>>,
    /// Name under which the public finds the application.
    pub host: Option<Said<String>>,
    /// Kubernetes Secret with the certificate for it.
    pub tls_secret: Option<Said<String>>,
    /// Class of the Ingress.
    pub ingress_class: Option<Said<String>>,
    /// Registry, with or without a path, from which images of Docker Hub are taken.
    pub registry: Option<Said<String>>,
    /// Images that go by another name, by the name in recipes.
    pub images: BTreeMap<String, Said<String>>,
    /// Certificate of an authority that signs what a build downloads.
    pub certificate: Option<Said<Certificate>>,
    /// Mirrors of package registries, by the tool that asks them.
    pub mirrors: BTreeMap<String, Said<Mirror>>,
    /// What a repository's own file says and may not, because nobody trusts it: the keys.
    pub left_out: Vec<Said<&'static str>>,
}

/// Whether a repository's own `longshore.toml` is as good as the user's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// The user said so.
    Granted,
    /// It is a stranger's: it may settle what is true of its application, not where recipes,
    /// images, packages and certificates come from.
    Withheld,
}

/// A start command as a person writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StartCommand {
    /// A line of shell.
    Line(String),
    /// Its words.
    Words(Vec<String>),
}

/// A certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// The text, PEM.
    pub contents: String,
}

/// Where a mirror of a package registry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mirror {
    /// Its address, which anybody may know.
    Url(String),
    /// The environment variable of whoever builds that holds its address, because the address holds
    /// a password: it is handed to the build as a secret and reaches no layer.
    Secret(String),
}

/// The file as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct File {
    recipes: Vec<Spanned<String>>,
    answers: BTreeMap<Spanned<String>, Spanned<Text>>,
    component: ComponentTable,
    env: BTreeMap<Spanned<String>, Spanned<Text>>,
    images: BTreeMap<Spanned<String>, Spanned<String>>,
    build: BuildTable,
    ingress: IngressTable,
    mirrors: BTreeMap<Spanned<String>, Spanned<MirrorValue>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct ComponentTable {
    path: Option<Spanned<String>>,
    runtime: Option<Spanned<Text>>,
    port: Option<Spanned<u16>>,
    start: Option<Spanned<StartValue>>,
    health: Option<Spanned<String>>,
    packages: Vec<Spanned<String>>,
    build_packages: Vec<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct BuildTable {
    ca_certificate: Option<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct IngressTable {
    host: Option<Spanned<String>>,
    tls_secret: Option<Spanned<String>>,
    class: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "a text, a number, `true` or `false`")]
enum Text {
    Plain(String),
    Bool(bool),
    Integer(i64),
    Float(f64),
}

impl Text {
    /// The text of an answer or of an environment variable.
    fn plain(&self) -> String {
        match self {
            Self::Plain(text) => text.clone(),
            Self::Bool(value) => value.to_string(),
            Self::Integer(value) => value.to_string(),
            Self::Float(value) => value.to_string(),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "a line of shell, or a list of words")]
enum StartValue {
    Line(String),
    Words(Vec<String>),
}

#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "an address, or `{ env = \"NAME\" }`")]
enum MirrorValue {
    Url(String),
    Secret(SecretTable),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SecretTable {
    env: String,
}

/// Reads one file; collects what is wrong with it.
struct Reader<'t> {
    file: &'t str,
    source: SourceFile,
    /// Returns the place of a path that the file names, if it may name it.
    place: &'t dyn Fn(&str) -> Option<PathBuf>,
    errors: Vec<ConfigurationError>,
}

impl Config {
    /// Reads the `longshore.toml` of the repository at `root`; none is an empty one. A path in it
    /// must lie within the repository, even where it is trusted.
    ///
    /// # Errors
    ///
    /// What is wrong, by line.
    pub fn of_repository(root: &Path, trust: Trust) -> Result<Self, Vec<ConfigurationError>> {
        match repo::text_at_root(root, FILE) {
            Ok(Some(text)) => match trust {
                Trust::Granted => Self::parse(FILE, &text, &|path| repo::inside(root, path)),
                Trust::Withheld => Self::of_stranger(FILE, &text),
            },
            Ok(None) => Ok(Self::default()),
            Err(error) => Err(vec![unreadable(FILE, &error)]),
        }
    }

    /// Reads the file that a person names; paths in it are relative to its folder.
    ///
    /// # Errors
    ///
    /// What is wrong, by line.
    pub fn of_file(path: &Path) -> Result<Self, Vec<ConfigurationError>> {
        let shown = path.display().to_string();
        let text = input::text(path, limits::NAMED);
        let text = text.map_err(|error| vec![unreadable(&shown, &error)])?;
        let folder = path.parent().unwrap_or(Path::new("."));
        Self::parse(&shown, &text, &|path| Some(folder.join(path)))
    }

    /// Reads `text`; `place` says where a path that it names lies, if it may name it.
    ///
    /// # Errors
    ///
    /// What is wrong, by line.
    pub fn parse(
        file: &str,
        text: &str,
        place: &dyn Fn(&str) -> Option<PathBuf>,
    ) -> Result<Self, Vec<ConfigurationError>> {
        Reader::new(file, text, place).read(written(file, text)?)
    }

    /// Reads `text`, which a stranger wrote: no path in it is followed, and what it says of the place
    /// where images are built goes to [`Config::left_out`].
    ///
    /// # Errors
    ///
    /// What is wrong, by line.
    pub fn of_stranger(file: &str, text: &str) -> Result<Self, Vec<ConfigurationError>> {
        let mut written = written(file, text)?;
        let nowhere = |_: &str| None;
        let reader = Reader::new(file, text, &nowhere);
        let mut left_out = Vec::new();
        let mut leave_out = |key, at: Option<usize>| {
            left_out.extend(at.map(|at| reader.said_at(at, key)));
        };
        let recipes = std::mem::take(&mut written.recipes);
        leave_out("recipes", recipes.first().map(|path| path.span().start));
        let images = std::mem::take(&mut written.images);
        leave_out(
            "[images]",
            images.keys().map(|name| name.span().start).min(),
        );
        let certificate = written.build.ca_certificate.take();
        let certificate = certificate.map(|path| path.span().start);
        leave_out("[build] ca-certificate", certificate);
        let mirrors = std::mem::take(&mut written.mirrors);
        leave_out(
            "[mirrors]",
            mirrors.keys().map(|name| name.span().start).min(),
        );
        let config = reader.read(written)?;
        Ok(Self { left_out, ..config })
    }

    /// Returns the paths that `text`, a `longshore.toml`, names: of recipes and of a certificate.
    /// Where it cannot be read there are none.
    pub fn paths_of(text: &str) -> Vec<String> {
        let Ok(written) = written(FILE, text) else {
            return Vec::new();
        };
        let paths = written
            .recipes
            .into_iter()
            .chain(written.build.ca_certificate);
        paths.map(Spanned::into_inner).collect()
    }

    /// Returns what to say of [`Config::left_out`].
    pub fn untrusted(&self) -> Option<Diagnostic> {
        if self.left_out.is_empty() {
            return None;
        }
        let said = self.left_out.iter().map(|said| {
            let line = said.origin.line.unwrap_or_default();
            format!("`{}` (line {line})", said.value)
        });
        let message = format!(
            "`{FILE}` of the repository is not trusted: ignored {}",
            said.collect::<Vec<_>>().join(", ")
        );
        let diagnostic = Diagnostic::new(Severity::Warning, Code::Untrusted, message);
        Some(
            diagnostic
                .hint("`longshore trust PATH` accepts the file as it is now, until it changes")
                .hint(
                    "`--trust-repository` accepts it for this run, `--config FILE` takes your own",
                ),
        )
    }

    /// Returns what is said of every component: all but the corrections of the main one.
    #[must_use]
    pub fn of_others(&self) -> Self {
        let mut others = self.clone();
        others
            .answers
            .retain(|id, _| !["stack", "framework"].contains(&id.as_str()));
        Self {
            path: None,
            runtime: None,
            port: None,
            start: None,
            health: None,
            packages: Vec::new(),
            build_packages: Vec::new(),
            ..others
        }
    }

    /// Returns the answer to the question `id`.
    pub fn answer(&self, id: &str) -> Option<&Said<String>> {
        self.answers.get(id)
    }

    /// Returns whether the question `id` is answered by `yes` or `no`, and which.
    pub fn says(&self, id: &str) -> Option<(bool, &Origin)> {
        let said = self.answers.get(id)?;
        match said.value.as_str() {
            "yes" | "true" => Some((true, &said.origin)),
            "no" | "false" => Some((false, &said.origin)),
            _ => None,
        }
    }

    /// Returns the name by which `image` is fetched, and the line that says so; `None` where it
    /// keeps its name.
    pub fn image(&self, image: &str) -> Option<(String, &Origin)> {
        let (name, tag) = parts(image);
        if let Some(said) = self.images.get(image) {
            return Some((said.value.clone(), &said.origin));
        }
        if let Some(said) = self.images.get(name) {
            let (_, own_tag) = parts(&said.value);
            let keeps_tag = own_tag.is_none();
            let tag = tag.filter(|_| keeps_tag).map(|tag| format!(":{tag}"));
            return Some((
                format!("{}{}", said.value, tag.unwrap_or_default()),
                &said.origin,
            ));
        }
        let said = self.registry.as_ref().filter(|_| is_of_docker_hub(name))?;
        let image = format!("{}/{image}", said.value.trim_end_matches('/'));
        Some((image, &said.origin))
    }

    /// Returns what is wrong with `[mirrors]`, with what to do: tools that no recipe knows a mirror for,
    /// and addresses that hold a secret.
    pub fn wrong_mirrors(&self, catalog: &Catalog) -> Vec<ConfigurationError> {
        if self.mirrors.is_empty() {
            return Vec::new();
        }
        let patterns = catalog.secrets();
        let is_secret = |mirror: &Mirror| match mirror {
            Mirror::Url(url) => !patterns.hits(url).is_empty(),
            Mirror::Secret(_) => false,
        };
        let secret = self
            .mirrors
            .iter()
            .filter(|(_, said)| is_secret(&said.value));
        let secret = secret.map(|(tool, said)| ConfigurationError {
            file: said.origin.file.clone().unwrap_or_default(),
            position: said.origin.line.map(|line| (line, 1)),
            message: format!("the address of the mirror of `{tool}` holds a secret"),
            hint: Some("write `{ env = \"NAME\" }`, and set NAME to the address where images are built: it is handed over as a secret".to_owned()),
        });
        let known = || {
            let tools = catalog.tools.iter();
            tools
                .filter(|(_, tool)| tool.mirror.is_some())
                .map(|(id, _)| id.as_str())
        };
        let is_unknown = |name: &str| catalog.mirrored_tool(name).is_none();
        let unknown = self.mirrors.iter().filter(|(tool, _)| is_unknown(tool));
        let unknown = unknown.map(|(tool, said)| ConfigurationError {
            file: said.origin.file.clone().unwrap_or_default(),
            position: said.origin.line.map(|line| (line, 1)),
            message: format!("no tool recipe tells how to give `{tool}` a mirror"),
            hint: Some(match nearest(tool, known()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there are {}", known().collect::<Vec<_>>().join(", ")),
            }),
        });
        unknown.chain(secret).collect()
    }
}

/// Reads the file as it is written.
fn written(file: &str, text: &str) -> Result<File, Vec<ConfigurationError>> {
    toml::from_str(text).map_err(|error| {
        let (message, hint) = explained(error.message());
        let at = error.span().map(|span| position(text, span.start));
        vec![ConfigurationError {
            file: file.to_owned(),
            position: at,
            message,
            hint,
        }]
    })
}

impl<'t> Reader<'t> {
    fn new(file: &'t str, text: &'t str, place: &'t dyn Fn(&str) -> Option<PathBuf>) -> Self {
        Self {
            file,
            source: SourceFile::new(file, text),
            place,
            errors: Vec::new(),
        }
    }

    fn read(mut self, written: File) -> Result<Config, Vec<ConfigurationError>> {
        let config = self.config(written);
        if self.errors.is_empty() {
            Ok(config)
        } else {
            Err(self.errors)
        }
    }

    fn config(&mut self, written: File) -> Config {
        let mut config = Config::default();
        for path in &written.recipes {
            config.recipes.extend(self.path(path));
        }
        for (id, text) in &written.answers {
            let value = text.get_ref().plain();
            config
                .answers
                .insert(id.get_ref().clone(), self.said(text, value));
        }
        let component = &written.component;
        config.path = component.path.as_ref().map(|path| {
            let value = path
                .get_ref()
                .trim_start_matches("./")
                .trim_end_matches('/');
            let value = if value.is_empty() { "." } else { value };
            self.said(path, value.to_owned())
        });
        config.runtime = component
            .runtime
            .as_ref()
            .map(|text| self.said(text, text.get_ref().plain()));
        config.port = component
            .port
            .as_ref()
            .map(|port| self.said(port, *port.get_ref()));
        config.start = component.start.as_ref().map(|start| {
            let value = match start.get_ref() {
                StartValue::Line(line) => StartCommand::Line(line.clone()),
                StartValue::Words(words) => StartCommand::Words(words.clone()),
            };
            self.said(start, value)
        });
        if let Some(health) = &component.health {
            if !health.get_ref().starts_with('/') {
                self.error(health, "a path begins with `/`", "write `/healthz`");
            }
            config.health = Some(self.said(health, health.get_ref().clone()));
        }
        config.packages = self.packages(&component.packages);
        config.build_packages = self.packages(&component.build_packages);
        for (name, text) in &written.env {
            if !is_name(name.get_ref()) {
                let message = format!("`{}` is no name of an environment variable", name.get_ref());
                self.error(name, &message, "use letters, digits and `_`");
            }
            let value = text.get_ref().plain();
            config
                .env
                .insert(name.get_ref().clone(), self.said(text, value));
        }
        for (name, value) in &written.images {
            let text = value.get_ref();
            let is_mirror = name.get_ref() == "mirror";
            let image = match is_mirror {
                true => format!("{text}/name"),
                false => text.clone(),
            };
            if ImageReference::parse(&image).is_none() {
                let message = format!("`{text}` is no reference of an image");
                self.error(
                    value,
                    &message,
                    "write `registry.example/path/name`, without `https://`",
                );
                continue;
            }
            let said = self.said(value, text.clone());
            if is_mirror {
                config.registry = Some(said);
            } else {
                config.images.insert(name.get_ref().clone(), said);
            }
        }
        if let Some(path) = &written.build.ca_certificate {
            config.certificate = self.certificate(path);
        }
        let ingress = &written.ingress;
        config.host = self.dns_name(ingress.host.as_ref(), |text| {
            HostName::parse(text).is_some()
        });
        let is_object = |text: &str| Subdomain::parse(text).is_some();
        config.tls_secret = self.dns_name(ingress.tls_secret.as_ref(), is_object);
        config.ingress_class = self.dns_name(ingress.class.as_ref(), is_object);
        for (tool, value) in &written.mirrors {
            let mirror = match value.get_ref() {
                MirrorValue::Url(url) => {
                    self.url(value, url);
                    Mirror::Url(url.clone())
                }
                MirrorValue::Secret(table) => {
                    if !is_name(&table.env) {
                        let message =
                            format!("`{}` is no name of an environment variable", table.env);
                        self.error(value, &message, "use letters, digits and `_`");
                    }
                    Mirror::Secret(table.env.clone())
                }
            };
            config
                .mirrors
                .insert(tool.get_ref().clone(), self.said(value, mirror));
        }
        config
    }

    /// A name of DNS, which those of Kubernetes objects are, too; one that is none is left out.
    fn dns_name(
        &mut self,
        written: Option<&Spanned<String>>,
        is_name: impl Fn(&str) -> bool,
    ) -> Option<Said<String>> {
        let name = written?;
        let text = name.get_ref();
        if !is_name(text) {
            let message = format!("`{text}` is no name of DNS");
            let hint =
                "use small letters, digits, `.` and inner `-`, at most 253, without `https://`";
            self.error(name, &message, hint);
            return None;
        }
        Some(self.said(name, text.clone()))
    }

    fn packages(&mut self, written: &[Spanned<String>]) -> Vec<Said<String>> {
        let mut packages = Vec::new();
        for name in written {
            let text = name.get_ref();
            // https://www.debian.org/doc/debian-policy/ch-controlfields.html#source
            let is_name = text.len() > 1
                && text
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "+-.".contains(c))
                && text.starts_with(|c: char| c.is_ascii_alphanumeric());
            if !is_name {
                let message = format!("`{text}` is no name of a Debian package");
                self.error(name, &message, "search packages.debian.org for its name");
            }
            packages.push(self.said(name, text.clone()));
        }
        packages
    }

    fn url<T>(&mut self, at: &Spanned<T>, url: &str) {
        // GOPROXY and its like take several addresses.
        let address = url.split_once("://").map(|(_, rest)| rest);
        let host = address.map(|rest| rest.split('/').next().unwrap_or_default());
        let is_plain = !url
            .chars()
            .any(|c| c.is_whitespace() || c.is_control() || "'\"`$\\".contains(c));
        match host {
            Some(host) if host.contains('@') => self.error(
                at,
                "the address of the mirror holds a password",
                "write `{ env = \"NAME\" }`, and set NAME to the address where images are built: it is handed over as a secret",
            ),
            Some(host) if !host.is_empty() && is_plain => {}
            _ => self.error(at, &format!("`{url}` is no address"), "write `https://host/path`"),
        }
    }

    fn certificate(&mut self, path: &Spanned<String>) -> Option<Said<Certificate>> {
        let file = self.path(path)?;
        let contents = match input::text(&file, limits::NAMED) {
            Ok(contents) => contents,
            Err(error) => {
                let message = format!("cannot read `{}`: {error}", path.get_ref());
                self.error(path, &message, "name a file in PEM form");
                return None;
            }
        };
        if contents.contains("PRIVATE KEY") {
            let message = format!("`{}` holds a private key", path.get_ref());
            self.error(path, &message, "name a file with the certificate alone");
            return None;
        }
        let contents = certificates(&contents);
        if contents.is_empty() {
            let message = format!("`{}` holds no certificate in PEM form", path.get_ref());
            let hint = "`openssl x509 -inform der -in FILE -out FILE.pem` changes the form";
            self.error(path, &message, hint);
            return None;
        }
        Some(self.said(path, Certificate { contents }))
    }

    fn path(&mut self, path: &Spanned<String>) -> Option<PathBuf> {
        let place = (self.place)(path.get_ref());
        if place.is_none() {
            let message = format!("`{}` is not in the repository", path.get_ref());
            let hint = "a path is relative to the repository; `--config FILE` may name others";
            self.error(path, &message, hint);
        }
        place
    }

    fn said<T, U>(&self, at: &Spanned<T>, value: U) -> Said<U> {
        self.said_at(at.span().start, value)
    }

    fn said_at<U>(&self, at: usize, value: U) -> Said<U> {
        let line = self.source.line(at);
        let text = self.source.line_text(line).trim();
        Said {
            value,
            origin: Origin::at(OriginKind::Answer, self.file, line, text),
        }
    }

    fn error<T>(&mut self, at: &Spanned<T>, message: &str, hint: &str) {
        self.errors.push(ConfigurationError {
            file: self.file.to_owned(),
            position: Some(self.source.position(at.span().start)),
            message: message.to_owned(),
            hint: Some(hint.to_owned()),
        });
    }
}

/// Returns the certificates in `text`, in PEM form; what is told around them, which no program reads, is
/// left out: <https://www.rfc-editor.org/rfc/rfc7468#section-2>.
fn certificates(text: &str) -> String {
    const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
    const END: &str = "-----END CERTIFICATE-----";
    let is_coded = |line: &str| {
        line.chars()
            .all(|c| c.is_ascii_alphanumeric() || "+/=".contains(c))
    };
    let (mut all, mut one) = (String::new(), None);
    for line in text.lines().map(str::trim) {
        match (&mut one, line) {
            (_, BEGIN) => one = Some(format!("{BEGIN}\n")),
            (Some(certificate), END) => {
                all += &format!("{certificate}{END}\n");
                one = None;
            }
            (Some(certificate), line) if is_coded(line) => *certificate += &format!("{line}\n"),
            _ => {}
        }
    }
    all
}

fn unreadable(file: &str, error: &Unreadable) -> ConfigurationError {
    ConfigurationError {
        file: file.to_owned(),
        position: None,
        message: format!("cannot be read: {error}"),
        hint: None,
    }
}

/// Returns the name of an image and its tag: a colon after the last `/` begins the tag.
pub fn parts(image: &str) -> (&str, Option<&str>) {
    if let Some((name, digest)) = image.split_once('@') {
        return (name, Some(digest));
    }
    let after = image.rfind('/').map_or(0, |at| at + 1);
    match image[after..].find(':') {
        Some(at) => (&image[..after + at], Some(&image[after + at + 1..])),
        None => (image, None),
    }
}

/// A reference without a registry: its first part holds no dot, no colon, and is not `localhost`
/// (<https://github.com/distribution/reference>, `splitDockerDomain`).
fn is_of_docker_hub(name: &str) -> bool {
    let Some((first, _)) = name.split_once('/') else {
        return true;
    };
    !first.contains(['.', ':']) && first != "localhost"
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn read(text: &str) -> Result<Config, Vec<ConfigurationError>> {
        Config::parse(FILE, text, &|path| Some(PathBuf::from(path)))
    }

    #[track_caller]
    fn refused(text: &str, position: (usize, usize), message: &str, hint: &str) {
        let errors = read(text).expect_err("refused");
        assert_eq!(errors[0].position, Some(position), "{errors:?}");
        assert!(errors[0].message.contains(message), "{errors:?}");
        let said = errors[0].hint.as_deref().unwrap_or_default();
        assert!(said.contains(hint), "{said}");
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_place_and_the_nearest_one() {
        refused(
            "\n[component]\nprot = 80\n",
            (3, 1),
            "unknown key `prot`",
            "`port`",
        );
        refused("answer = 1\n", (1, 1), "unknown key `answer`", "`answers`");
        refused(
            "[build]\nca = \"x\"\n",
            (2, 1),
            "unknown key `ca`",
            "ca-certificate",
        );
    }

    #[test]
    fn a_name_that_no_manifest_can_hold_is_refused() {
        for host in [
            "-a.org",
            "a-.b",
            "a..b",
            "a b",
            &format!("{}.org", "a".repeat(64)),
        ] {
            let text = format!("[ingress]\nhost = \"{host}\"\n");
            refused(&text, (2, 8), "is no name of DNS", "inner `-`");
        }
        let text = "[ingress]\nhost = \"a.org\"\nclass = \"Nginx\"\n";
        refused(text, (3, 9), "is no name of DNS", "small letters");
        let text = "[images]\npostgres = \"registry.example/post gres\"\n";
        refused(
            text,
            (2, 12),
            "is no reference of an image",
            "registry.example",
        );
        read("[images]\nmirror = \"registry.example:5000\"\n").expect("reads");
    }

    #[test]
    fn a_value_knows_its_line() {
        let config = read("[component]\n# why not\nport = 9000 # ours\n").expect("reads");
        let port = config.port.expect("is said");
        assert_eq!(port.value, 9000);
        assert_eq!(port.origin.place(), "longshore.toml:3");
    }

    #[test]
    fn an_address_with_a_password_is_refused() {
        refused(
            "[mirrors]\npip = \"https://me:secret@pypi.bank.example/simple\"\n",
            (2, 7),
            "holds a password",
            "env",
        );
        let config = read("[mirrors]\npip = { env = \"PIP_MIRROR\" }\n").expect("reads");
        assert_eq!(
            config.mirrors["pip"].value,
            Mirror::Secret("PIP_MIRROR".to_owned())
        );
    }

    #[test]
    fn a_port_beyond_the_last_is_refused() {
        refused("[component]\nport = 70000\n", (2, 8), "70000", "");
    }

    #[track_caller]
    fn renamed(config: &str, image: &str, expected: Option<&str>) {
        let config = read(config).expect("reads");
        let found = config.image(image).map(|(image, _)| image);
        assert_eq!(found.as_deref(), expected);
    }

    #[test]
    fn images_are_renamed_and_mirrored() {
        let mirror = "[images]\nmirror = \"registry.bank.example/hub\"\npython = \"registry.bank.example/base/python\"\n\"redis:7-bookworm\" = \"cache.bank.example/redis:7.2\"\n";
        let python = "registry.bank.example/base/python:3.11-slim-bookworm";
        renamed(mirror, "python:3.11-slim-bookworm", Some(python));
        renamed(
            mirror,
            "redis:7-bookworm",
            Some("cache.bank.example/redis:7.2"),
        );
        renamed(
            mirror,
            "redis:6-bookworm",
            Some("registry.bank.example/hub/redis:6-bookworm"),
        );
        let nginx = "registry.bank.example/hub/nginxinc/nginx-unprivileged:1";
        renamed(mirror, "nginxinc/nginx-unprivileged:1", Some(nginx));
        renamed(mirror, "quay.example/app:1", None);
        renamed(
            "[images]\npython = \"x.example/py:ours\"\n",
            "python:3.11",
            Some("x.example/py:ours"),
        );
    }

    #[test]
    fn what_stands_around_a_certificate_is_left_out() {
        let one = "-----BEGIN CERTIFICATE-----\nAb+/\nCd==\n-----END CERTIFICATE-----\n";
        assert_eq!(certificates(one), one);
        let told = format!(
            "subject=/CN=x\r\n{}\nRUN touch x\n{one}tail",
            one.replace('\n', "\r\n")
        );
        assert_eq!(certificates(&told), one.repeat(2));
        assert_eq!(certificates("-----BEGIN CERTIFICATE-----\nAb\n"), "");
        assert!(!certificates(&one.replace("Cd==", "RUN x y")).contains("RUN"));
    }

    #[test]
    fn a_private_key_is_no_certificate() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("ca.pem");
        fs::write(&path, "-----BEGIN PRIVATE KEY-----\n").expect("written");
        let text = format!("[build]\nca-certificate = \"{}\"\n", path.display());
        refused(&text, (2, 18), "holds a private key", "alone");
    }

    #[test]
    fn a_repository_names_no_path_outside_itself() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join(FILE), "recipes = [\"/etc\"]\n").expect("written");
        let errors = Config::of_repository(folder.path(), Trust::Granted).expect_err("refused");
        assert_eq!(errors[0].position, Some((1, 12)));
        assert!(
            errors[0].message.contains("not in the repository"),
            "{errors:?}"
        );
    }
}
