//! One GET over loopback, and what its status means.

use std::time::Duration;

use http_body_util::{BodyExt, Empty};
use hyper::{Request, body::Bytes, header};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::engine::Answer;

/// How long one request may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// Bytes kept of a body.
const MOST_BODY: usize = 64 * 1024;

/// Asks `http://127.0.0.1:port/path` with `host` as the `Host` header, sending `cookies` back.
///
/// # Errors
///
/// What went wrong, in words: refused, reset, no answer in time.
pub async fn get(port: u16, path: &str, host: &str, cookies: &[String]) -> Result<Answer, String> {
    match tokio::time::timeout(PATIENCE, ask(port, path, host, cookies)).await {
        Ok(answer) => answer,
        Err(_) => Err(format!("no answer within {} seconds", PATIENCE.as_secs())),
    }
}

async fn ask(port: u16, path: &str, host: &str, cookies: &[String]) -> Result<Answer, String> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let stream = TcpStream::connect(("127.0.0.1", port))
        .await
        .map_err(|error| text(&error))?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| text(&error))?;
    let connection = tokio::spawn(connection);
    let mut request = Request::get(path);
    if !cookies.is_empty() {
        request = request.header(header::COOKIE, cookies.join("; "));
    }
    let request = request
        .header(header::HOST, host)
        .header(header::USER_AGENT, "longshore")
        .header(header::ACCEPT, "text/html,application/json,*/*")
        .body(Empty::<Bytes>::new())
        .map_err(|error| text(&error))?;
    let response = sender
        .send_request(request)
        .await
        .map_err(|error| text(&error))?;
    let status = response.status().as_u16();
    let location = response
        .headers()
        .get(header::LOCATION)
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned);
    let given = response.headers().get_all(header::SET_COOKIE).iter();
    let cookies = given
        .filter_map(|value| value.to_str().ok()?.split(';').next().map(str::to_owned))
        .collect();
    let mut body = response.into_body();
    let mut bytes = Vec::new();
    while bytes.len() < MOST_BODY
        && let Some(Ok(frame)) = body.frame().await
    {
        if let Some(data) = frame.data_ref() {
            bytes.extend_from_slice(&data[..data.len().min(MOST_BODY - bytes.len())]);
        }
    }
    connection.abort();
    Ok(Answer {
        status,
        location,
        cookies,
        body: String::from_utf8_lossy(&bytes).into_owned(),
    })
}

/// What an answer means for the question whether the application answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// It answers, and the path will do as a probe.
    Proof,
    /// It answers, but wants to know who asks.
    Protected,
    /// It answers that there is nothing at this path.
    Nothing,
    /// It does not work.
    Failure,
}

/// Returns what `status` means, where `expected` is the status that the plan declares for the path.
pub fn meaning(status: u16, expected: Option<u16>) -> Meaning {
    match status {
        _ if Some(status) == expected => Meaning::Proof,
        200..=399 => Meaning::Proof,
        401 | 403 => Meaning::Protected,
        404 | 405 | 410 => Meaning::Nothing,
        _ => Meaning::Failure,
    }
}

/// Returns the path to ask next, where `location` in the answer for `path` leads to the same
/// application.
pub fn redirected(location: &str, path: &str, host: &str) -> Option<String> {
    let location = location.split('#').next().unwrap_or(location);
    if location.starts_with("//") {
        return None;
    }
    if location.starts_with('/') {
        return Some(location.to_owned());
    }
    let (path, _) = path.split_once('?').unwrap_or((path, ""));
    if location.starts_with('?') {
        return Some(format!("{path}{location}"));
    }
    let Some(rest) = location.strip_prefix("http://") else {
        let has_scheme = location
            .split(['/', '?'])
            .next()
            .is_some_and(|word| word.contains(':'));
        let (folder, _) = path.rsplit_once('/').unwrap_or_default();
        return (!has_scheme).then(|| format!("{folder}/{location}"));
    };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let name = |authority: &str| authority.split(':').next().map(str::to_ascii_lowercase);
    let is_same = [host, "localhost", "127.0.0.1"]
        .map(name)
        .contains(&name(authority));
    is_same.then(|| {
        if path.starts_with('/') {
            path.to_owned()
        } else {
            format!("/{path}")
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(location: &str, expected: Option<&str>) {
        assert_eq!(
            redirected(location, "/app/start?a=1", "localhost").as_deref(),
            expected
        );
    }

    #[test]
    fn a_redirect_is_followed_on_the_same_host_only() {
        check("/login?next=/#form", Some("/login?next=/"));
        check("http://localhost:8000/a", Some("/a"));
        check("http://LOCALHOST?b=2", Some("/?b=2"));
        check("https://sso.example/x", None);
        check("https://localhost/x", None);
        check("//evil.example/x", None);
        check("http://localhost.evil.example/", None);
        check("mailto:a@b.example", None);
    }

    #[test]
    fn a_relative_redirect_is_followed() {
        check("login", Some("/app/login"));
        check("?page=2", Some("/app/start?page=2"));
    }

    #[test]
    fn a_page_behind_a_login_answers() {
        assert_eq!(meaning(401, None), Meaning::Protected);
        assert_eq!(meaning(302, None), Meaning::Proof);
        assert_eq!(meaning(500, None), Meaning::Failure);
        assert_eq!(meaning(400, None), Meaning::Failure);
    }

    #[test]
    fn the_declared_status_is_a_proof_whatever_it_is() {
        assert_eq!(meaning(401, Some(401)), Meaning::Proof);
        assert_eq!(meaning(404, Some(404)), Meaning::Proof);
    }
}
