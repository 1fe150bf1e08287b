//! The last rung of a program that speaks HTTP: some path answers.

use anyhow::Context as _;

use super::{
    Network, PERIOD, Reached, SHOWN, Site,
    failures::{failure, start_origin, with_denied},
};
use crate::{
    plan::Component,
    verify::{
        engine::{Answer, Engine, GrpcHealth},
        http::{self, Meaning},
        log::last_lines,
        patience::Patience,
        report::{Answered, Cause},
    },
};

/// What is said of a path without an answer.
const SILENT: &str = "gave no answer";
/// How many redirects are followed.
const REDIRECTS: usize = 5;

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
            let (what, body) = match tried {
                Tried::Answered(answer) => return Ok(Ok(Spoken::Http(answer))),
                Tried::Failed(what, body) => (what, body),
            };
            // A server of gRPC breaks off what asks in HTTP/1.1, or answers in HTTP/2.
            if body.is_empty() && what.contains(SILENT) {
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
                log.extend(
                    last_lines(&body, 5)
                        .into_iter()
                        .map(|line| format!("body: {line}")),
                );
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
            let (first, last) = match self.follow(port, path, host).await {
                Ok(answers) => answers,
                Err(what) => {
                    worst = worst.or(Some((format!("`{path}` {what}"), String::new())));
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
                worst = worst.or(Some((what, last.body)));
                continue;
            }
            match meaning {
                Meaning::Proof => return Tried::Answered(answered(true)),
                Meaning::Protected => protected = protected.or(Some(answered(false))),
                Meaning::Nothing => nothing = nothing.or(Some(answered(false))),
                Meaning::Failure => {
                    let what = format!("`{path}` gave status {}", last.status);
                    worst = worst.or(Some((what, last.body)));
                }
            }
        }
        match (protected, worst, nothing) {
            (Some(answer), _, _) | (None, None, Some(answer)) => Tried::Answered(answer),
            (None, Some((what, body)), _) => Tried::Failed(what, body),
            (None, None, None) => Tried::Failed("no path was asked".to_owned(), String::new()),
        }
    }

    /// Asks `path` and follows redirects within the application; returns the first and the last
    /// answer.
    async fn follow(&self, port: u16, path: &str, host: &str) -> Result<(Answer, Answer), String> {
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
                return Ok((first, last));
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
            false => Ok((first, last)),
        }
    }
}

/// What is spoken on the main port.
pub(super) enum Spoken {
    /// HTTP.
    Http(Answered),
    /// gRPC with its health service, which says that it serves.
    Grpc,
    /// gRPC without its health service.
    GrpcUnchecked,
    /// Something else.
    Other,
}

enum Tried {
    Answered(Answered),
    /// What happened, and the body.
    Failed(String, String),
}
