//! One request over loopback, and what the answer means.

use std::time::Duration;

use http_body_util::{BodyExt, Empty, Full};
use hyper::{Request, body::Bytes, header};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

use super::engine::{Answer, GrpcHealth};

/// How long one request may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long a health check of gRPC may take; what does not speak it may never say so.
const GRPC_PATIENCE: Duration = Duration::from_secs(3);
/// Bytes kept of a body.
const MOST_BODY: usize = 64 * 1024;

/// What is said of a server that answers in another protocol.
pub const OTHER_PROTOCOL: &str = "answers, but not in HTTP";

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
    let response = sender.send_request(request).await;
    let response = response.map_err(|error| match error.is_parse() {
        true => format!("{OTHER_PROTOCOL}: {error}"),
        false => text(&error),
    })?;
    let status = response.status().as_u16();
    let location = response
        .headers()
        .get(header::LOCATION)
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned);
    let challenge = response
        .headers()
        .get(header::WWW_AUTHENTICATE)
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
        challenge,
        cookies,
        body: String::from_utf8_lossy(&bytes).into_owned(),
    })
}

/// Asks the health service of gRPC on `127.0.0.1:port` for the server as a whole
/// (<https://github.com/grpc/grpc/blob/master/doc/health-checking.md>), over HTTP/2 without TLS.
///
/// # Errors
///
/// What went wrong, in words, where the port does not speak gRPC.
pub async fn grpc_health(port: u16) -> Result<GrpcHealth, String> {
    match tokio::time::timeout(GRPC_PATIENCE, ask_grpc(port)).await {
        Ok(health) => health,
        Err(_) => Err(format!(
            "no answer within {} seconds",
            GRPC_PATIENCE.as_secs()
        )),
    }
}

async fn ask_grpc(port: u16) -> Result<GrpcHealth, String> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let stream = TcpStream::connect(("127.0.0.1", port))
        .await
        .map_err(|error| text(&error))?;
    let io = TokioIo::new(stream);
    let (mut sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io)
        .await
        .map_err(|error| text(&error))?;
    let connection = tokio::spawn(connection);
    // An empty HealthCheckRequest: not compressed, length 0.
    let request = Request::post(format!(
        "http://127.0.0.1:{port}/grpc.health.v1.Health/Check"
    ))
    .header(header::CONTENT_TYPE, "application/grpc")
    .header(header::TE, "trailers")
    .body(Full::new(Bytes::from_static(&[0; 5])))
    .map_err(|error| text(&error))?;
    let response = sender
        .send_request(request)
        .await
        .map_err(|error| text(&error))?;
    let status = |headers: &hyper::HeaderMap| {
        let value = headers.get("grpc-status")?;
        value.to_str().ok().map(str::to_owned)
    };
    let mut said = status(response.headers());
    let mut body = response.into_body();
    let mut message = Vec::new();
    while let Some(Ok(frame)) = body.frame().await {
        if let Some(data) = frame.data_ref() {
            message.extend_from_slice(&data[..data.len().min(64)]);
        }
        if let Some(trailers) = frame.trailers_ref() {
            said = status(trailers).or(said);
        }
        if message.len() > MOST_BODY {
            break;
        }
    }
    connection.abort();
    // HealthCheckResponse: field 1 is the status, of which 1 is SERVING.
    match (said.as_deref(), message.get(5..)) {
        (Some("0"), Some([0x08, 1, ..])) => Ok(GrpcHealth::Serving),
        (Some("0"), _) => Ok(GrpcHealth::NotServing),
        (Some(_), _) => Ok(GrpcHealth::NoService),
        (None, _) => Err("it speaks HTTP/2, but not gRPC".to_owned()),
    }
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

/// Returns what `answer` means, where `expected` is the status that the plan declares for the path.
pub fn meaning(answer: &Answer, expected: Option<u16>) -> Meaning {
    match answer.status {
        status if Some(status) == expected => Meaning::Proof,
        200..=399 => Meaning::Proof,
        401 => Meaning::Protected,
        403 if asks_who(answer) => Meaning::Protected,
        status if is_nothing(status) => Meaning::Nothing,
        _ => Meaning::Failure,
    }
}

/// Returns whether `status` says that there is nothing at a path, or nothing to get.
pub fn is_nothing(status: u16) -> bool {
    matches!(status, 404 | 405 | 410)
}

/// Returns whether a refusal is that of an application which wants to know who asks, and not of a
/// server that may not read its files: by a challenge, a form to log in, or as programs say it to
/// programs, in JSON or without words.
fn asks_who(answer: &Answer) -> bool {
    let body = answer.body.trim_start().to_ascii_lowercase();
    let has_form = ["type=\"password\"", "type='password'", "type=password"]
        .iter()
        .any(|field| body.contains(field));
    answer.challenge.is_some() || has_form || body.is_empty() || body.starts_with(['{', '['])
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
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

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

    fn answer(status: u16, body: &str) -> Answer {
        Answer {
            status,
            body: body.to_owned(),
            ..Answer::default()
        }
    }

    #[test]
    fn a_page_behind_a_login_answers() {
        let challenged = Answer {
            challenge: Some("Basic".to_owned()),
            ..answer(403, "<h1>Forbidden</h1>")
        };
        let form = "<form><input name=p TYPE=\"password\"></form>";
        for protected in [
            answer(401, "who are you?"),
            answer(403, ""),
            answer(403, " {\"detail\": \"credentials were not provided\"}"),
            answer(403, form),
            challenged,
        ] {
            assert_eq!(meaning(&protected, None), Meaning::Protected);
        }
        assert_eq!(meaning(&answer(302, ""), None), Meaning::Proof);
        assert_eq!(meaning(&answer(500, ""), None), Meaning::Failure);
        assert_eq!(meaning(&answer(400, ""), None), Meaning::Failure);
    }

    #[test]
    fn a_server_that_may_not_read_its_files_does_not_answer() {
        let page = "<html><h1>403 Forbidden</h1></html>";
        assert_eq!(meaning(&answer(403, page), None), Meaning::Failure);
    }

    /// What is said of a server that sends `words` to whoever connects: at once, or when it is asked.
    fn said_of(words: &'static [u8], waits: bool) -> String {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.expect("a runtime").block_on(async {
            let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
            let port = listener.local_addr().expect("bound").port();
            let server = async {
                let (mut stream, _) = listener.accept().await.expect("somebody connects");
                if waits {
                    let asked = stream.read(&mut [0; 1024]).await.expect("a request");
                    assert_ne!(asked, 0);
                }
                stream.write_all(words).await.expect("sent");
                if !waits {
                    // What is not read when a connection ends takes what was sent with it.
                    let mut rest = Vec::new();
                    stream.read_to_end(&mut rest).await.expect("an end");
                }
            };
            let (answer, ()) = tokio::join!(get(port, "/", "localhost", &[]), server);
            answer.expect_err("no HTTP")
        })
    }

    #[test]
    fn a_server_that_says_something_else_speaks_another_protocol() {
        for words in [&b"-ERR unknown command\r\n"[..], b"\0\0\x12\x04\0\0"] {
            let said = said_of(words, true);
            assert!(said.starts_with(OTHER_PROTOCOL), "{said}");
        }
        let said = said_of(b"220 mail.example ESMTP\r\n", false);
        assert!(said.starts_with(OTHER_PROTOCOL), "{said}");
        // What breaks off may be of any protocol.
        let said = said_of(b"", true);
        assert!(!said.contains(OTHER_PROTOCOL), "{said}");
    }

    #[test]
    fn the_declared_status_is_a_proof_whatever_it_is() {
        assert_eq!(meaning(&answer(401, ""), Some(401)), Meaning::Proof);
        assert_eq!(meaning(&answer(404, ""), Some(404)), Meaning::Proof);
    }
}
