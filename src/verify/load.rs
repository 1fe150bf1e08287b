//! Load: a ramp of GET requests of rising rate to the container, until it answers too slowly.
//!
//! Each rate is sent as it is due, whether earlier requests were answered or not, and a latency
//! counts from the moment when the request was due: a slow answer that delays the next request does
//! not hide (*coordinated omission*). The only address that is ever asked is 127.0.0.1, on the port
//! that the run published; a redirect is an answer and is not followed.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use http_body_util::{BodyExt, Empty};
use hyper::{Request, Uri, body::Bytes, header};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use tokio::{sync::Semaphore, task::JoinSet, time};

use super::{Event, Options, chart, engine::Engine, report::ComponentReport};
use crate::{
    output::{OutputFolder, OutputPath},
    plan::{Component, Load, LoadEnd, LoadStep},
};

/// How much load may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoadBounds {
    /// How long the ramp may take.
    pub time: Duration,
    /// How many requests it may send.
    pub requests: u64,
    /// Requests per second that production is to serve, where that is known.
    pub wanted: Option<u32>,
}

impl LoadBounds {
    /// Most seconds that may be asked for.
    pub const MOST_SECONDS: u64 = 300;
    /// Most requests that may be asked for.
    pub const MOST_REQUESTS: u64 = 1_000_000;
}

/// Where a ramp goes to: always this machine's loopback address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ramp {
    /// The published port.
    pub port: u16,
    /// The proven path, which begins with `/`.
    pub path: String,
    /// The `Host` header.
    pub host: String,
    /// The proven status; any other one is an error.
    pub status: u16,
    /// How much may be sent.
    pub bounds: LoadBounds,
}

/// The container that is asked.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// Its id.
    pub id: &'a str,
    /// The container whose network it shares and that publishes its port; empty for none.
    pub owner: &'a str,
}

/// How many requests are sent one after the other at first, and how long that may take at most.
const SINGLE: (u64, Duration) = (40, Duration::from_secs(3));
/// How many requests may be open at once.
const MOST_OPEN: usize = 256;
/// How long one request may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// The latency limit, as a multiple of the unloaded one.
const SLOWER: f64 = 4.0;
/// The latency limit is at least and at most this, in milliseconds. Below the first, the clock of
/// this machine says more than the application; above the second, people notice.
const LIMITS: (f64, f64) = (20.0, 500.0);
/// Which part of the requests may fail.
const MOST_ERRORS: f64 = 0.01;
/// Which part of the offered rate must be answered.
const KEEPS_UP: f64 = 0.9;
/// How the time is divided: into so many rates.
const STEPS: u32 = 14;
/// A rate is sent for so long at most.
const LONGEST_STEP: Duration = Duration::from_millis(2500);
/// How often the gap between the last good and the first bad rate is halved.
const HALVINGS: u32 = 3;

/// Sends load to a component that answered on a proven path, if `options` ask for it, and returns
/// what was found; the chart lies beside the logs.
///
/// # Errors
///
/// When the engine goes away.
pub async fn measure<E: Engine>(
    engine: &E,
    component: &Component,
    target: Target<'_>,
    options: &Options,
    report: &mut ComponentReport,
    progress: &mut dyn FnMut(Event),
) -> anyhow::Result<Option<Load>> {
    let Some(bounds) = options.load else {
        return Ok(None);
    };
    let proven = report.answer.clone().filter(|answer| answer.proven);
    let (Some(answer), Some(port)) = (proven, component.main_port()) else {
        let why = "no load was sent: there is no path that was proven to answer";
        report.notes.push(why.to_owned());
        return Ok(None);
    };
    let owner = if target.owner.is_empty() {
        target.id
    } else {
        target.owner
    };
    let Some(published) = engine
        .state(owner)
        .await?
        .published
        .get(&port.port)
        .copied()
    else {
        let why = "no load was sent: the engine did not publish the port";
        report.notes.push(why.to_owned());
        return Ok(None);
    };
    progress(Event::Stage(format!("sending load to {}", component.id)));
    let host = component
        .health
        .as_ref()
        .and_then(|health| health.host.clone());
    let ramp = Ramp {
        port: published,
        path: answer.path,
        host: host.unwrap_or_else(|| "localhost".to_owned()),
        status: answer.status,
        bounds,
    };
    let before = engine.usage(target.id).await.unwrap_or_default().cpu;
    let mut load = engine.ramp(&ramp).await;
    let after = engine.usage(target.id).await.unwrap_or_default().cpu;
    let sent: u64 = load.steps.iter().map(|step| step.requests).sum();
    // An engine that tells no CPU time tells 0, before and after.
    let used = after.saturating_sub(before);
    if let (Some(knee), true) = (load.knee, sent > 0 && !used.is_zero()) {
        #[expect(clippy::cast_precision_loss, reason = "some thousands")]
        let each = used.as_secs_f64() / sent as f64;
        load.cpu_millicores = Some(rounded(each * knee * 1000.0).max(1));
    }
    progress(Event::Reached(match load.knee {
        Some(knee) => format!(
            "{knee:.0} requests per second within {:.0} ms",
            load.limit_ms
        ),
        None => "no rate was answered within the limit".to_owned(),
    }));
    let note = match load.end {
        LoadEnd::Knee => None,
        LoadEnd::Bounds => {
            Some("the load ended at its bounds of time and requests: it may serve more")
        }
        LoadEnd::Sender => Some("this machine could not send load faster: it may serve more"),
        LoadEnd::Unloaded => {
            Some("single requests are too slow, or fail, so no rate was found that it serves")
        }
    };
    report.notes.extend(note.map(str::to_owned));
    if let Some(folder) = &options.keep_logs {
        let name = format!("{}-load.svg", component.id);
        let text = chart::chart(&component.id, &load);
        // As with logs, a chart that cannot be kept is no reason to fail the run.
        if let Ok(path) = OutputPath::parse(&name)
            && OutputFolder::at(folder)
                .replace(&path, text.as_bytes(), false)
                .is_ok()
        {
            report.logs.push(folder.join(name));
        }
    }
    Ok(Some(load))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped"
)]
fn rounded(value: f64) -> u32 {
    value.round().clamp(0.0, 1e9) as u32
}

/// Sends the ramp and returns what was found, without what the processor did.
pub async fn ramp(ramp: &Ramp) -> Load {
    let begun = Instant::now();
    let mut load = Load {
        path: ramp.path.clone(),
        unloaded_p95_ms: 0.0,
        limit_ms: LIMITS.0,
        steps: Vec::new(),
        knee: None,
        end: LoadEnd::Unloaded,
        cpu_millicores: None,
        wanted: ramp.bounds.wanted,
    };
    let Some(sender) = Sender::new(ramp) else {
        return load;
    };
    let end = begun + ramp.bounds.time;
    let (count, longest) = SINGLE;
    let single = sender.single(
        count.min(ramp.bounds.requests / 4).max(1),
        end.min(begun + longest.min(ramp.bounds.time / 4)),
    );
    let single = single.await;
    load.unloaded_p95_ms = single.percentile(0.95);
    load.limit_ms = (load.unloaded_p95_ms * SLOWER).clamp(LIMITS.0, LIMITS.1);
    if single.answered == 0 || single.errors > 0 || load.unloaded_p95_ms > LIMITS.1 {
        return load;
    }
    let mut left = ramp.bounds.requests.saturating_sub(single.answered);
    // A quarter of what one connection can do, so that the ramp begins well below the knee.
    let mut rate = (250.0 / single.percentile(0.5).max(0.1)).clamp(2.0, 1000.0);
    let step_time = (ramp.bounds.time / STEPS).min(LONGEST_STEP);
    let most = (ramp.bounds.requests / 8).max(10);
    let mut good: Option<f64> = None;
    let mut bad: Option<f64> = None;
    let mut halvings = 0;
    load.end = loop {
        let wanted = rounded(rate * step_time.as_secs_f64()).max(10);
        let count = u64::from(wanted).min(most);
        if left < count || Instant::now() + step_time > end {
            break if bad.is_some() {
                LoadEnd::Knee
            } else {
                LoadEnd::Bounds
            };
        }
        let sent = sender.send(rate, count, end).await;
        left -= sent.requests();
        let step = sent.step(rate, load.limit_ms);
        let is_good = step.within_limit;
        if is_good {
            good = Some(rate);
            load.knee = Some(step.answered.min(rate));
        } else if sent.is_late {
            // The bad latency is our own.
            load.steps.push(step);
            break LoadEnd::Sender;
        } else {
            bad = Some(rate);
        }
        load.steps.push(step);
        rate = match (good, bad) {
            (Some(good), Some(bad)) => {
                halvings += 1;
                if halvings > HALVINGS {
                    break LoadEnd::Knee;
                }
                (good * bad).sqrt()
            }
            (_, None) => rate * 2.0,
            (None, Some(_)) if rate <= 1.0 => break LoadEnd::Knee,
            (None, Some(_)) => rate / 2.0,
        };
    };
    load.steps.sort_by(|a, b| a.offered.total_cmp(&b.offered));
    load
}

/// Sends GET requests to one path of one port of this machine.
struct Sender {
    client: Client<HttpConnector, Empty<Bytes>>,
    uri: Uri,
    host: header::HeaderValue,
    status: u16,
}

/// What became of some requests.
struct Sent {
    latencies: Histogram<u64>,
    answered: u64,
    errors: u64,
    took: Duration,
    /// Whether the requests themselves were sent late, for which the application is not to blame.
    is_late: bool,
}

impl Sender {
    fn new(ramp: &Ramp) -> Option<Arc<Self>> {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(PATIENCE));
        let client = Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(MOST_OPEN)
            .build(connector);
        Some(Arc::new(Self {
            client,
            uri: address(ramp.port, &ramp.path)?,
            host: header::HeaderValue::from_str(&ramp.host).ok()?,
            status: ramp.status,
        }))
    }

    /// Whether one request is answered as it should, body and all.
    async fn get(&self) -> bool {
        let request = Request::get(self.uri.clone())
            .header(header::HOST, self.host.clone())
            .header(header::USER_AGENT, "longshore")
            .header(header::ACCEPT, "text/html,application/json,*/*")
            .body(Empty::new());
        let Ok(request) = request else {
            return false;
        };
        let asked = async {
            let response = self.client.request(request).await.ok()?;
            let status = response.status().as_u16();
            let mut body = response.into_body();
            while let Some(frame) = body.frame().await {
                frame.ok()?;
            }
            Some(status)
        };
        let status = time::timeout(PATIENCE, asked).await;
        matches!(status, Ok(Some(status)) if status == self.status)
    }

    /// Sends requests one after the other.
    async fn single(&self, count: u64, end: Instant) -> Sent {
        let begun = Instant::now();
        let mut sent = Sent::new();
        while sent.requests() < count && (Instant::now() < end || sent.requests() == 0) {
            let due = Instant::now();
            let is_good = self.get().await;
            sent.note(due.elapsed(), is_good);
        }
        sent.took = begun.elapsed();
        sent
    }

    /// Sends `count` requests at `rate` per second, until `end` at the latest.
    async fn send(self: &Arc<Self>, rate: f64, count: u64, end: Instant) -> Sent {
        let mut sent = Sent::new();
        let mut lateness = histogram();
        let open = Arc::new(Semaphore::new(MOST_OPEN));
        let mut requests = JoinSet::new();
        let begun = Instant::now();
        for index in 0..count {
            #[expect(clippy::cast_precision_loss, reason = "at most a million")]
            let due = begun + Duration::from_secs_f64(index as f64 / rate);
            time::sleep_until(due.into()).await;
            let waiting = Instant::now();
            let place = time::timeout_at(end.into(), Arc::clone(&open).acquire_owned()).await;
            let Ok(Ok(place)) = place else {
                break;
            };
            // Late although a place was free: it was this machine, not the application.
            if waiting.elapsed() < Duration::from_millis(1) && open.available_permits() > 0 {
                record(&mut lateness, due.elapsed());
            }
            let sender = Arc::clone(self);
            requests.spawn(async move {
                let is_good = sender.get().await;
                drop(place);
                (due.elapsed(), is_good)
            });
            while let Some(Ok((latency, is_good))) = requests.try_join_next() {
                sent.note(latency, is_good);
            }
        }
        while let Some(Ok((latency, is_good))) = requests.join_next().await {
            sent.note(latency, is_good);
        }
        sent.took = begun.elapsed();
        // The timer itself is a millisecond or two late.
        sent.is_late = lateness.value_at_quantile(0.5) > 5_000;
        sent
    }
}

/// The address of `path` on this machine; `None` where `path` is none.
fn address(port: u16, path: &str) -> Option<Uri> {
    let uri = Uri::builder()
        .scheme("http")
        .authority(format!("127.0.0.1:{port}"))
        .path_and_query(path)
        .build()
        .ok()?;
    path.starts_with('/').then_some(uri)
}

impl Sent {
    fn new() -> Self {
        Self {
            latencies: histogram(),
            answered: 0,
            errors: 0,
            took: Duration::ZERO,
            is_late: false,
        }
    }

    fn note(&mut self, latency: Duration, is_good: bool) {
        record(&mut self.latencies, latency);
        if is_good {
            self.answered += 1;
        } else {
            self.errors += 1;
        }
    }

    fn requests(&self) -> u64 {
        self.answered + self.errors
    }

    /// A percentile in milliseconds, to the hundredth.
    #[expect(clippy::cast_precision_loss, reason = "some seconds")]
    fn percentile(&self, quantile: f64) -> f64 {
        (self.latencies.value_at_quantile(quantile) as f64 / 10.0).round() / 100.0
    }

    #[expect(clippy::cast_precision_loss, reason = "some thousands")]
    fn step(&self, offered: f64, limit_ms: f64) -> LoadStep {
        let answered = self.answered as f64 / self.took.as_secs_f64().max(1e-6);
        let p95_ms = self.percentile(0.95);
        let few_errors = self.errors as f64 <= self.requests() as f64 * MOST_ERRORS;
        // The last answer comes after the last request was due.
        let expected = self.requests() as f64 / offered + limit_ms / 1000.0;
        let keeps_up = self.took.as_secs_f64() * KEEPS_UP <= expected;
        LoadStep {
            offered: tenth(offered),
            answered: tenth(answered.min(offered)),
            requests: self.requests(),
            errors: self.errors,
            p50_ms: self.percentile(0.5),
            p95_ms,
            p99_ms: self.percentile(0.99),
            within_limit: p95_ms <= limit_ms && few_errors && keeps_up,
        }
    }
}

fn tenth(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// Microseconds, up to a minute, to three digits.
fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000, 3).expect("the bounds are right")
}

fn record(histogram: &mut Histogram<u64>, latency: Duration) {
    let microseconds = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
    histogram.saturating_record(microseconds);
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net::{TcpListener, TcpStream},
        sync::atomic::{AtomicUsize, Ordering},
        thread,
    };

    use super::*;

    /// An application of one thread that takes `work` for each request, so that it serves
    /// 1 / `work` of them in a second; it answers with `head`, and closes the connection.
    fn application(work: Duration, head: String) -> (u16, Arc<AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream): Result<TcpStream, _> = stream else {
                    return;
                };
                let mut request = [0; 1024];
                let read = stream.read(&mut request).unwrap_or(0);
                if !request[..read].starts_with(b"GET ") {
                    continue;
                }
                count.fetch_add(1, Ordering::SeqCst);
                thread::sleep(work);
                let _ = stream.write_all(
                    format!("HTTP/1.1 {head}Content-Length: 2\r\nConnection: close\r\n\r\nok")
                        .as_bytes(),
                );
            }
        });
        (port, asked)
    }

    fn ramped(port: u16, status: u16, bounds: LoadBounds) -> Load {
        let ramp_to = Ramp {
            port,
            path: "/".into(),
            host: "localhost".into(),
            status,
            bounds,
        };
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_all().build().expect("a runtime");
        runtime.block_on(ramp(&ramp_to))
    }

    fn bounds(seconds: u64, requests: u64) -> LoadBounds {
        LoadBounds {
            time: Duration::from_secs(seconds),
            requests,
            wanted: None,
        }
    }

    #[test]
    fn the_knee_lies_where_requests_begin_to_queue() {
        let (port, _) = application(Duration::from_millis(10), "200 OK\r\n".into());
        let load = ramped(port, 200, bounds(8, 5_000));
        let knee = load.knee.expect("a knee");
        // At most 100 a second, and less where the machine is busy.
        assert!((15.0..=105.0).contains(&knee), "{load:?}");
        assert_eq!(load.end, LoadEnd::Knee, "{load:?}");
        assert!(load.unloaded_p95_ms >= 10.0, "{load:?}");
        assert!(load.steps.iter().any(|step| !step.within_limit), "{load:?}");
    }

    #[test]
    fn bounds_of_time_and_requests_are_kept() {
        let (port, asked) = application(Duration::ZERO, "200 OK\r\n".into());
        let begun = Instant::now();
        let load = ramped(port, 200, bounds(30, 200));
        let sent = asked.load(Ordering::SeqCst);
        assert!((10..=200).contains(&sent), "{sent}: {load:?}");
        let begun_again = Instant::now();
        ramped(port, 200, bounds(1, 1_000_000));
        assert!(
            begun_again.elapsed() < Duration::from_secs(7),
            "{:?}",
            begun_again.elapsed()
        );
        assert!(begun.elapsed() < Duration::from_secs(40));
    }

    #[test]
    fn a_redirect_is_an_answer_and_is_not_followed() {
        let (other, asked_there) = application(Duration::ZERO, "200 OK\r\n".into());
        let head = format!("302 Found\r\nLocation: http://127.0.0.1:{other}/\r\n");
        let (port, asked) = application(Duration::ZERO, head);
        let load = ramped(port, 302, bounds(2, 300));
        assert!(load.knee.is_some(), "{load:?}");
        assert!(asked.load(Ordering::SeqCst) > 10);
        assert_eq!(asked_there.load(Ordering::SeqCst), 0);
    }

    #[test]
    fn another_status_is_an_error_and_ends_the_ramp_at_once() {
        let (port, asked) = application(Duration::ZERO, "503 Busy\r\n".into());
        let load = ramped(port, 200, bounds(2, 300));
        assert_eq!(
            (load.end, load.knee, load.steps.len()),
            (LoadEnd::Unloaded, None, 0)
        );
        assert!(asked.load(Ordering::SeqCst) <= 40);
    }

    #[test]
    fn no_path_leads_to_another_host() {
        for path in [
            "//evil.example/",
            "/@evil.example",
            "/?u=http://evil.example",
            "/a:80@b",
        ] {
            let uri = address(8000, path).expect("an address");
            assert_eq!(
                (uri.host(), uri.port_u16()),
                (Some("127.0.0.1"), Some(8000)),
                "{uri}"
            );
        }
        for path in [
            "http://evil.example/",
            "@evil.example",
            "evil.example",
            "",
            "*",
        ] {
            assert_eq!(address(8000, path), None, "{path}");
        }
    }
}
