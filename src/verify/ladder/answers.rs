//! The last rung of a program that speaks HTTP: some path answers.

use std::fmt;

use anyhow::Context as _;

use super::{
    Network, PERIOD, Reached, SHOWN, Site,
    failures::{failure, start_origin, with_denied},
};
use crate::{
    plan::Component,
    repo,
    verify::{
        correct::is_mountable,
        engine::{Answer, Engine, GrpcHealth},
        http::{self, Meaning},
        log::last_lines,
        page::Refusal,
        patience::Patience,
        report::{Answered, Cause},
    },
};

/// What is said of a path without an answer.
const SILENT: &str = "gave no answer";
/// How many redirects are followed.
const REDIRECTS: usize = 5;
/// How many paths that a page names are looked at in the container.
const MOST_NAMED: usize = 40;
/// Prints those of its arguments that are there, or could be made in a folder that is there, and that
/// the user of the container may not write, with what they are.
const UNWRITABLE: &str = r#"for p; do
if [ -d "$p" ]; then [ -w "$p" ] || echo "folder $p"
elif [ -e "$p" ]; then [ -w "$p" ] || echo "file $p"
elif [ -d "${p%/*}" ]; then [ -w "${p%/*}" ] || echo "new $p"
fi; done"#;

impl<E: Engine> Site<'_, E> {
    /// Asks until there is an answer, or no time left.
    pub(super) async fn answer(
        &self,
        component: &Component,
        id: &str,
        network: &Network,
        patience: &mut Patience,
        peak: &mut u64,
    ) -> Reached<Spoken> {
        let inside = component.main_port().map_or(0, |port| port.port);
        let health = component.health.as_ref();
        let host = health
            .and_then(|health| health.host.as_deref())
            .unwrap_or("localhost");
        let errors = health
            .map(|health| health.errors.as_slice())
            .unwrap_or_default();
        let mut paths: Vec<(&str, Option<u16>)> = Vec::new();
        if let Some(health) = health {
            paths.push((&health.path, Some(health.status)));
            let others = health
                .candidates
                .iter()
                .filter(|path| **path != health.path);
            paths.extend(others.map(|path| (path.as_str(), None)));
        } else {
            paths.push(("/", None));
        }
        loop {
            let state = self.engine.state(id).await?;
            if !state.running {
                return Ok(Err(self.ended(component, id, &state).await?));
            }
            let port = match self.published_port(id, network, inside).await {
                Ok(port) => port,
                // It may have ended between the two looks; its port is closed then.
                Err(error) => {
                    let state = self.engine.state(id).await?;
                    if state.running {
                        return Err(error);
                    }
                    return Ok(Err(self.ended(component, id, &state).await?));
                }
            };
            let tried = self.ask(port, &paths, host, errors).await;
            let (what, page) = match tried {
                Tried::Answered(answer, page) => {
                    let refused = self.refused(component, id, &page).await?;
                    return Ok(
                        match refused.iter().find(|refused| refused.can_be_repaired) {
                            Some(found) => {
                                let what = format!(
                                    "`{}` gave status {}, but {found}",
                                    answer.path, answer.status
                                );
                                let log =
                                    refused.iter().map(|other| format!("body: {}", other.said));
                                let origin = start_origin(component);
                                Err(failure(Cause::Answer, what, origin, log.collect(), &[]))
                            }
                            None => Ok(Spoken::Http(Box::new(HttpAnswer {
                                notes: self.notes_on(&page, &refused),
                                answer,
                            }))),
                        },
                    );
                }
                Tried::Failed(what, page) => (what, page),
            };
            // A server of gRPC breaks off what asks in HTTP/1.1, or answers in HTTP/2.
            if page.body.is_empty() && what.contains(SILENT) {
                match self.engine.grpc_health(port).await {
                    Ok(GrpcHealth::Serving) => return Ok(Ok(Spoken::Grpc)),
                    Ok(GrpcHealth::NoService) => return Ok(Ok(Spoken::GrpcUnchecked)),
                    Ok(GrpcHealth::NotServing) | Err(_) => {}
                }
            }
            if what.contains(http::OTHER_PROTOCOL) {
                return Ok(Ok(Spoken::Other));
            }
            // The engine answers this at once only the first time, so not before a success.
            *peak = (*peak).max(self.peak_memory(id).await);
            if self.is_over(patience, id).await {
                let state = self.engine.state(id).await?;
                if !state.running {
                    return Ok(Err(self.ended(component, id, &state).await?));
                }
                let printed = self.engine.logs(id).await?;
                let mut log = last_lines(&printed, SHOWN);
                let refused = self.refused(component, id, &page).await?;
                let said = refused.iter().map(|refused| refused.said.clone());
                let shown = said.chain(last_lines(&page.body, 5));
                log.extend(shown.map(|line| format!("body: {line}")));
                let what = match refused.iter().find(|refused| refused.can_be_repaired) {
                    Some(found) => format!("{what}, and {found}"),
                    None => what,
                };
                let silent = failure(Cause::Answer, what, start_origin(component), log, &[]);
                return Ok(Err(with_denied(silent, &printed)));
            }
            tokio::time::sleep(PERIOD * 5).await;
        }
    }

    /// Asks a port that speaks no HTTP whether it speaks gRPC, and whether it serves then.
    pub(super) async fn connection(
        &self,
        component: &Component,
        id: &str,
        network: &Network,
        patience: &mut Patience,
    ) -> Reached<Spoken> {
        let inside = component.main_port().map_or(0, |port| port.port);
        loop {
            let port = self.published_port(id, network, inside).await?;
            match self.engine.grpc_health(port).await {
                Ok(GrpcHealth::Serving) => return Ok(Ok(Spoken::Grpc)),
                Ok(GrpcHealth::NoService) => return Ok(Ok(Spoken::GrpcUnchecked)),
                Err(_) => return Ok(Ok(Spoken::Other)),
                Ok(GrpcHealth::NotServing) if self.is_over(patience, id).await => {
                    let printed = self.engine.logs(id).await?;
                    let what = format!(
                        "port {inside} says to the health check of gRPC that it does not serve"
                    );
                    let log = last_lines(&printed, SHOWN);
                    let silent = failure(Cause::Answer, what, start_origin(component), log, &[]);
                    return Ok(Err(with_denied(silent, &printed)));
                }
                Ok(GrpcHealth::NotServing) => {}
            }
            let state = self.engine.state(id).await?;
            if !state.running {
                return Ok(Err(self.ended(component, id, &state).await?));
            }
            tokio::time::sleep(PERIOD * 5).await;
        }
    }

    /// The port of this machine that leads to `inside`.
    async fn published_port(
        &self,
        id: &str,
        network: &Network,
        inside: u16,
    ) -> anyhow::Result<u16> {
        let publisher = match network.owner.as_str() {
            "" => id,
            owner => owner,
        };
        let published = self.engine.state(publisher).await?.published;
        let port = published.get(&inside);
        port.copied().context("the engine did not publish the port")
    }

    /// Asks the paths in turn; the first proof wins, then what is protected, then "nothing here"
    /// from an application that otherwise works.
    async fn ask(
        &self,
        port: u16,
        paths: &[(&str, Option<u16>)],
        host: &str,
        errors: &[String],
    ) -> Tried {
        let mut protected = None;
        let mut nothing = None;
        let mut worst = None;
        for (path, expected) in paths {
            let (first, last, at) = match self.follow(port, path, host).await {
                Ok(answers) => answers,
                Err(what) => {
                    worst = worst.or(Some((format!("`{path}` {what}"), Page::default())));
                    continue;
                }
            };
            let words = last.body.split_whitespace().collect::<Vec<_>>().join(" ");
            let answered = |proven: bool| Answered {
                path: (*path).to_owned(),
                status: first.status,
                proven,
                body: words.chars().take(4000).collect(),
            };
            let is_installer = self.options.signs.is_installer(&at);
            let page = Page {
                path: at,
                is_first: paths.first().is_some_and(|(first, _)| first == path),
                body: last.body.clone(),
            };
            let meaning = match http::meaning(&first, *expected) {
                Meaning::Proof if (300..400).contains(&first.status) => http::meaning(&last, None),
                meaning => meaning,
            };
            let told = errors
                .iter()
                .find(|error| last.body.contains(error.as_str()));
            if let Some(error) = told {
                let what = format!(
                    "`{path}` gave status {}, but the page says `{error}`",
                    last.status
                );
                worst = worst.or(Some((what, page)));
                continue;
            }
            match meaning {
                // The page of an installer goes once it was gone through.
                Meaning::Proof => {
                    let lasts = page.is_first || !is_installer;
                    return Tried::Answered(answered(lasts), page);
                }
                Meaning::Protected => protected = protected.or(Some((answered(false), page))),
                Meaning::Nothing => nothing = nothing.or(Some((answered(false), page))),
                Meaning::Failure => {
                    let what = format!("`{path}` gave status {}", last.status);
                    worst = worst.or(Some((what, page)));
                }
            }
        }
        match (protected, worst, nothing) {
            (Some((answer, page)), _, _) | (None, None, Some((answer, page))) => {
                Tried::Answered(answer, page)
            }
            (None, Some((what, page)), _) => Tried::Failed(what, page),
            (None, None, None) => Tried::Failed("no path was asked".to_owned(), Page::default()),
        }
    }

    /// What `page` says may not be written, and what the container says of it: a page may tell of
    /// that in general, or of another machine.
    async fn refused(
        &self,
        component: &Component,
        id: &str,
        page: &Page,
    ) -> anyhow::Result<Vec<Refused>> {
        let refusals = self.options.signs.refusals(&page.body);
        let home = component.absolute(&component.path);
        let below = page.path.split(['?', '#']).next().unwrap_or_default();
        let beside = format!("{home}/{}", repo::folder_of(below.trim_start_matches('/')));
        let mut named: Vec<(String, &Refusal)> = Vec::new();
        for refusal in &refusals {
            for word in &refusal.words {
                for folder in [&home, &beside] {
                    let path = format!("/{}", repo::join(folder, word).trim_start_matches('/'));
                    if !named.iter().any(|(known, _)| *known == path) && is_mountable(&path) {
                        named.push((path, refusal));
                    }
                }
            }
        }
        named.truncate(MOST_NAMED);
        if named.is_empty() {
            return Ok(Vec::new());
        }
        let command = ["sh", "-c", UNWRITABLE, "sh"].map(str::to_owned);
        let paths = named.iter().map(|(path, _)| path.clone());
        let command: Vec<String> = command.into_iter().chain(paths).collect();
        let printed = self.engine.exec(id, &command).await?.output;
        let workdir = &component.image.workdir;
        let refused = printed.lines().filter_map(|line| {
            let (kind, path) = line.split_once(' ')?;
            let (_, refusal) = named.iter().find(|(known, _)| known == path)?;
            // A word alone may be any word; what it names is a folder of the application.
            let is_word = !refusal.words.iter().any(|word| {
                word.contains('/') && path.ends_with(word.trim_start_matches(['.', '/']))
            });
            let folder = match kind {
                "folder" => path,
                _ if is_word => return None,
                _ => repo::folder_of(path),
            };
            let holds_source = [workdir, &home]
                .iter()
                .any(|source| *source == folder || repo::is_inside(source, folder));
            Some(Refused {
                said: refusal.said.clone(),
                path: path.to_owned(),
                can_be_repaired: !holds_source,
            })
        });
        Ok(refused.collect())
    }

    /// What to tell of a page that answers.
    fn notes_on(&self, page: &Page, refused: &[Refused]) -> Vec<String> {
        let mut notes: Vec<String> = refused.iter().map(ToString::to_string).collect();
        if self.options.signs.is_installer(&page.path) {
            notes.push(format!(
                "waits for its installation in a browser, at `{}`",
                page.path
            ));
        }
        notes
    }

    /// Asks `path` and follows redirects within the application; returns the first and the last
    /// answer, and the path of the last one.
    async fn follow(
        &self,
        port: u16,
        path: &str,
        host: &str,
    ) -> Result<(Answer, Answer, String), String> {
        let mut cookies: Vec<String> = Vec::new();
        let get = async |path: &str, cookies: &[String]| {
            let answer = self.engine.get(port, path, host, cookies).await;
            answer.map_err(|error| format!("{SILENT}: {error}"))
        };
        let first = get(path, &cookies).await?;
        let mut last = first.clone();
        let mut path = path.to_owned();
        for _ in 0..REDIRECTS {
            let location = last
                .location
                .as_deref()
                .filter(|_| (300..400).contains(&last.status));
            let Some(next) = location.and_then(|location| http::redirected(location, &path, host))
            else {
                return Ok((first, last, path));
            };
            // Some programs go round until their cookie comes back.
            cookies.append(&mut last.cookies);
            last = get(&next, &cookies).await?;
            path = next;
        }
        match (300..400).contains(&last.status) {
            true => Err(format!(
                "was redirected more than {REDIRECTS} times, last to `{path}`"
            )),
            false => Ok((first, last, path)),
        }
    }
}

/// What is spoken on the main port.
pub(super) enum Spoken {
    /// HTTP.
    Http(Box<HttpAnswer>),
    /// gRPC with its health service, which says that it serves.
    Grpc,
    /// gRPC without its health service.
    GrpcUnchecked,
    /// Something else.
    Other,
}

/// An answer over HTTP, and what to tell of its page.
pub(super) struct HttpAnswer {
    pub(super) answer: Answered,
    pub(super) notes: Vec<String>,
}

/// The page that a path led to.
#[derive(Default)]
struct Page {
    path: String,
    /// Whether the path that led to it is the first one that was asked.
    is_first: bool,
    body: String,
}

/// A path that the application may not write, as its page says.
struct Refused {
    said: String,
    path: String,
    /// Whether a volume can make it writable: one at the source would hide that.
    can_be_repaired: bool,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the page says `{}`: `{}` is not writable",
            self.said, self.path
        )
    }
}

enum Tried {
    Answered(Answered, Page),
    /// What happened, and the page.
    Failed(String, Page),
}
