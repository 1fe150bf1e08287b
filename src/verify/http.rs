//! One GET over loopback, and what its status means.

use std::time::Duration;

use http_body_util::{BodyExt, Empty};
use hyper::{Request, body::Bytes, header};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::engine::Answer;

/// How long one request may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Bytes kept of a body.
const MOST_BODY: usize = 64 * 1024;

/// Asks `http://127.0.0.1:port/path` with `host` as the `Host` header.
///
/// # Errors
///
/// What went wrong, in words: refused, reset, no answer in time.
pub async fn get(port: u16, path: &str, host: &str) -> Result<Answer, String> {
    match tokio::time::timeout(PATIENCE, ask(port, path, host)).await {
        Ok(answer) => answer,
        Err(_) => Err(format!("no answer within {} seconds", PATIENCE.as_secs())),
    }
}

async fn ask(port: u16, path: &str, host: &str) -> Result<Answer, String> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let stream = TcpStream::connect(("127.0.0.1", port))
        .await
        .map_err(|error| text(&error))?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| text(&error))?;
    let connection = tokio::spawn(connection);
    let request = Request::get(path)
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

/// Returns what `status` means.
pub fn meaning(status: u16) -> Meaning {
    match status {
        200..=399 => Meaning::Proof,
        401 | 403 => Meaning::Protected,
        404 | 405 | 410 => Meaning::Nothing,
        _ => Meaning::Failure,
    }
}

/// Returns the path to ask next, where `location` leads to the same application.
pub fn redirected(location: &str, host: &str) -> Option<String> {
    if location.starts_with('/') && !location.starts_with("//") {
        return Some(location.split('#').next().unwrap_or(location).to_owned());
    }
    let rest = location.strip_prefix("http://")?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let name = authority.split(':').next().unwrap_or(authority);
    let is_same = [
        host.split(':').next().unwrap_or(host),
        "localhost",
        "127.0.0.1",
    ]
    .contains(&name);
    is_same.then(|| format!("/{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_is_followed_on_the_same_host_only() {
        assert_eq!(
            redirected("/login?next=/", "localhost"),
            Some("/login?next=/".to_owned())
        );
        assert_eq!(
            redirected("http://localhost:8000/a", "localhost"),
            Some("/a".to_owned())
        );
        assert_eq!(redirected("https://sso.example/x", "localhost"), None);
        assert_eq!(redirected("//evil.example/x", "localhost"), None);
    }

    #[test]
    fn a_page_behind_a_login_answers() {
        assert_eq!(meaning(401), Meaning::Protected);
        assert_eq!(meaning(302), Meaning::Proof);
        assert_eq!(meaning(500), Meaning::Failure);
        assert_eq!(meaning(400), Meaning::Failure);
    }
}
