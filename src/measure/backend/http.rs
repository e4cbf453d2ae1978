//! One request over HTTP: bytes are stamped as they arrive, then decoded, then read by the wire.
//!
//! No redirects, no compression, the key only in a sensitive header, every size and time limited.
//! Nothing is retried here: the outcome says what may be tried again.

mod connects;
mod failure;
mod frames;

use connects::{Connects, Timing};
use failure::{Failure, after_fault, elsewhere, not_a_stream, send_failure};
use frames::Frames;

use crate::measure::event::{Event, FaultKind, Nanos, Request, Stamped, Usage};
use crate::measure::net::{self, Proxy, chain};
use crate::measure::provider_error::clip;
use crate::measure::redact::Redactor;
use crate::measure::retry::{self, Advice, Wait};
use crate::measure::wire::{self, Quirks, WireKind};
use reqwest::header::{self, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Response, Url};
use secrecy::{ExposeSecret as _, SecretString};
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep_until, timeout_at};

/// Where an API target is and how it is spoken to.
#[derive(Debug, Clone)]
pub struct ApiTarget {
    pub wire: WireKind,
    pub model: String,
    /// Its path ends in a slash.
    pub base: Url,
    pub key: Option<SecretString>,
    /// The header the key goes into; `authorization` takes it as a bearer token.
    pub key_header: &'static str,
    pub quirks: Quirks,
    pub proxy: Option<Proxy>,
}

impl ApiTarget {
    /// Scheme, host and port: what a key is bound to, and all of a URL that is ever shown.
    pub fn origin(&self) -> String {
        self.base.origin().ascii_serialization()
    }
}

/// Bounds on time and size.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub connect: Duration,
    /// From send to the first content; pings do not feed it.
    pub first: Duration,
    /// Between bytes once content came.
    pub idle: Duration,
    /// The whole answer.
    pub total: Duration,
    pub event_bytes: usize,
    pub total_bytes: usize,
    /// Strict privacy: an answer that shows that it came from another machine ends the target.
    pub local_only: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            first: Duration::from_mins(3),
            idle: Duration::from_mins(1),
            total: Duration::from_mins(10),
            event_bytes: 1 << 20,
            total_bytes: 64 << 20,
            local_only: false,
        }
    }
}

/// What became of one attempt, beside its events.
#[derive(Debug, Clone, Copy)]
pub struct Outcome {
    /// What may be done if it failed.
    pub advice: Advice,
    /// Opening the connection, where this request had to; not part of any latency.
    pub connect: Option<Duration>,
}

/// A connection pool to one origin.
#[derive(Debug)]
pub struct ApiBackend {
    client: reqwest::Client,
    target: ApiTarget,
    limits: Limits,
    connects: Connects,
    redactor: Redactor,
}

impl ApiBackend {
    /// Prepare a client; nothing is sent yet.
    pub fn new(target: ApiTarget, limits: Limits) -> Result<Self, String> {
        let broken =
            |e: reqwest::Error| format!("the HTTP client cannot be built: {}", chain(&e.without_url()));
        let builder = net::builder(target.proxy.as_ref(), limits.connect).map_err(broken)?;
        // The system's authorities take a while to read, and a plain address asks none of them.
        let plain = target.base.scheme() == "http" && target.proxy.is_none();
        let client = if plain { builder.tls_certs_only([]) } else { builder }
            .default_headers(headers(&target)?)
            .tcp_nodelay(true)
            .connector_layer(Timing)
            .build()
            .map_err(broken)?;
        let mut redactor = Redactor::default();
        if let Some(value) = target.proxy.as_ref().and_then(|p| p.authorization.as_ref()) {
            let secret = value.to_str().unwrap_or_default().trim_start_matches("Basic ");
            redactor.add(&SecretString::from(secret.to_owned()));
        }
        if let Some(key) = &target.key {
            redactor.add(key);
        }
        Ok(Self { client, target, limits, connects: Connects::default(), redactor })
    }

    /// For another request at the same time: the same client, so that nothing is set up again.
    #[must_use]
    pub fn beside(&self) -> Self {
        Self {
            client: self.client.clone(),
            target: self.target.clone(),
            limits: self.limits,
            connects: Connects::default(),
            redactor: self.redactor.clone(),
        }
    }

    /// The target it talks to.
    pub fn target(&self) -> &ApiTarget {
        &self.target
    }

    /// Where the server itself says that the model runs, if that is elsewhere. Asks nothing of a
    /// wire that has no such word.
    pub async fn runs_elsewhere(&self) -> Result<Option<String>, String> {
        if self.target.wire != WireKind::Ollama {
            return Ok(None);
        }
        let url = self.target.base.join("api/tags").map_err(|e| e.to_string())?;
        let asked = self.client.get(url).header(header::ACCEPT, "application/json").send();
        let answer = timeout_at(Instant::now() + self.limits.connect, asked).await;
        let response =
            answer.map_err(|_| "it does not answer".to_owned())?.map_err(|e| send_failure(e).0.message)?;
        if response.status() != 200 {
            return Err(format!("GET /api/tags: HTTP {}", response.status().as_u16()));
        }
        wire::ollama::runs_elsewhere(&body_text(response).await, &self.target.model)
    }

    /// Send one request and report what comes back.
    pub async fn generate(&mut self, request: &Request, sink: &mut (dyn FnMut(Stamped) + Send)) -> Outcome {
        let outgoing = self.target.wire.outgoing(&self.target.model, request, &self.target.quirks);
        let mut url = self.target.base.clone();
        let path = format!("{}{}", url.path(), outgoing.path);
        url.set_path(&path);
        // A base may hold the version of its API.
        if let Some(query) = outgoing.query {
            url.set_query(Some(query));
        }
        let body = outgoing.body.to_string();
        let sent = self.send_once(&url, &body, sink).await;
        // A server may close an idle connection just as it is used again: that is no answer to this
        // request, so it is sent once more over a new connection.
        let failure = match sent {
            Err(failure) if failure.2 => self.send_once(&url, &body, sink).await.err(),
            sent => sent.err(),
        };
        let advice = match failure {
            Some(Failure(mut fault, advice, _)) => {
                fault.message = self.redactor.clean(&clip(&fault.message));
                sink(Stamped { at: 0, event: Event::Failed(fault) });
                advice
            }
            None => Advice::Sample,
        };
        Outcome { advice, connect: self.connects.peek() }
    }

    async fn send_once(
        &mut self,
        url: &Url,
        body: &str,
        sink: &mut (dyn FnMut(Stamped) + Send),
    ) -> Result<(), Failure> {
        self.connects.take();
        let clock = Clock { start: Instant::now(), connects: self.connects.clone() };
        let mut answer = Answer {
            clock: &clock,
            limits: self.limits,
            redactor: &self.redactor,
            sink,
            content: false,
            finished: false,
            fault: None,
        };
        let post = self.client.post(url.clone()).header(header::CONTENT_TYPE, "application/json");
        let receiving = answer.receive(post.body(body.to_owned()).send(), self.target.wire);
        self.connects.during(receiving).await
    }
}

/// A header that only a cloud, or a proxy before one, sends.
fn sign_of_a_cloud(headers: &HeaderMap) -> Option<&str> {
    const SIGNS: &[&str] = &["openai-version", "openai-organization", "anthropic-organization-id", "cf-ray"];
    let sign = |name: &&str| SIGNS.contains(name) || name.starts_with("x-litellm-");
    headers.keys().map(HeaderName::as_str).find(sign)
}

fn headers(target: &ApiTarget) -> Result<HeaderMap, String> {
    let mut map = HeaderMap::new();
    let accept = if target.wire.is_lines() { "application/x-ndjson" } else { "text/event-stream" };
    map.insert(header::ACCEPT, HeaderValue::from_static(accept));
    // A compressor holds back events and destroys their timing.
    map.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    if target.wire == WireKind::Anthropic {
        let sampling = target.quirks.temperature.is_some();
        let version =
            if sampling { wire::anthropic::VERSION_WITH_SAMPLING } else { wire::anthropic::VERSION };
        map.insert("anthropic-version", HeaderValue::from_static(version));
    }
    if let Some(key) = &target.key {
        let key = key.expose_secret();
        let name = HeaderName::from_static(target.key_header);
        let text = if name == header::AUTHORIZATION { format!("Bearer {key}") } else { key.to_owned() };
        let mut value = HeaderValue::from_str(&text)
            .map_err(|_| "the API key has characters that cannot stand in a header".to_owned())?;
        value.set_sensitive(true);
        map.insert(name, value);
    }
    Ok(map)
}

/// Stamps count from the send over an open connection: what a new connection took to open is
/// taken off and reported apart.
struct Clock {
    start: Instant,
    connects: Connects,
}

impl Clock {
    fn stamp(&self) -> Nanos {
        let elapsed = self.start.elapsed().saturating_sub(self.connects.peek().unwrap_or_default());
        u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX)
    }
}

/// One answer on its way in.
struct Answer<'a> {
    clock: &'a Clock,
    limits: Limits,
    redactor: &'a Redactor,
    sink: &'a mut (dyn FnMut(Stamped) + Send),
    /// Some content came: from here on nothing is tried again.
    content: bool,
    /// The terminal condition was seen.
    finished: bool,
    fault: Option<Failure>,
}

impl Answer<'_> {
    async fn receive(
        &mut self,
        sent: impl Future<Output = reqwest::Result<Response>>,
        wire: WireKind,
    ) -> Result<(), Failure> {
        let first = self.clock.start + self.limits.first.min(self.limits.total);
        let response = match timeout_at(first, sent).await {
            Err(_) => {
                return Err(Failure::new(
                    FaultKind::TimeoutFirst,
                    format!("no answer within {} s", self.limits.first.as_secs()),
                    Advice::Retry(None),
                ));
            }
            Ok(Err(e)) => {
                let mut failure = send_failure(e);
                failure.2 = failure.0.kind == FaultKind::Empty && self.clock.connects.peek().is_none();
                return Err(failure);
            }
            Ok(Ok(response)) => response,
        };
        let at = self.clock.stamp();
        let status = response.status().as_u16();
        let text = |name: &str| response.headers().get(name).and_then(|v| v.to_str().ok());
        let request_id =
            text("x-request-id").or_else(|| text("request-id")).map(|id| self.redactor.clean(&clip(id)));
        let connection_reused = Some(self.clock.connects.peek().is_none());
        let unix = Some(now_unix());
        let http2 = Some(response.version() == http::Version::HTTP_2);
        (self.sink)(Stamped {
            at,
            event: Event::Headers { status, connection_reused, request_id, http2, unix },
        });
        if self.limits.local_only
            && let Some(sign) = sign_of_a_cloud(response.headers())
        {
            return Err(elsewhere(&format!("its answer has the header {sign}")));
        }
        if status != 200 {
            return Err(refused(response).await);
        }
        let plain =
            |encoding: &str| encoding.trim().is_empty() || encoding.trim().eq_ignore_ascii_case("identity");
        if let Some(encoding) = text("content-encoding").filter(|e| !plain(e)) {
            let message = format!(
                "the answer is compressed ({encoding}) although that was declined; its timing would be the compressor's"
            );
            return Err(Failure::new(FaultKind::NotAStream, message, Advice::Provider));
        }
        let kind = text("content-type").unwrap_or_default().to_ascii_lowercase();
        let streams = if wire.is_lines() { "json" } else { "text/event-stream" };
        if kind.starts_with("text/html") || (!wire.is_lines() && kind.starts_with("application/json")) {
            return Err(not_a_stream(&body_text(response).await));
        }
        self.read(response, wire, !kind.contains(streams)).await
    }

    async fn read(&mut self, mut response: Response, wire: WireKind, sniff: bool) -> Result<(), Failure> {
        let start = self.clock.start;
        let total = start + self.limits.total;
        let mut reader = wire.reader();
        let mut frames = Frames::new(wire, self.limits.event_bytes);
        let mut bytes_seen = 0;
        let mut sniffed = !sniff;
        let mut timer = std::pin::pin!(sleep_until((start + self.limits.first).min(total)));
        // The same memory for every chunk's events.
        let mut events = Vec::new();
        loop {
            let deadline = if self.finished {
                (Instant::now() + AFTER_THE_END.min(self.limits.idle)).min(total)
            } else if self.content {
                (Instant::now() + self.limits.idle).min(total)
            } else {
                (start + self.limits.first).min(total)
            };
            let chunk = within(deadline, timer.as_mut(), response.chunk()).await;
            let at = self.clock.stamp();
            let chunk = match chunk {
                // Whatever happens after the terminal condition does not spoil the answer.
                None | Some(Err(_)) if self.finished => break,
                None => return Err(self.timed_out(Instant::now() >= total)),
                Some(Err(e)) => return Err(self.broken_off(&e, &frames)),
                Some(Ok(None)) => break,
                Some(Ok(Some(chunk))) => chunk,
            };
            bytes_seen += chunk.len();
            if bytes_seen > self.limits.total_bytes {
                if self.finished {
                    break;
                }
                let message = format!("the answer is larger than {} bytes", self.limits.total_bytes);
                return Err(Failure::new(FaultKind::TooLarge, message, Advice::Provider));
            }
            if !sniffed && let Some(byte) = chunk.iter().find(|b| !b.is_ascii_whitespace()) {
                sniffed = true;
                if *byte == b'<' || (matches!(byte, b'{' | b'[') && !wire.is_lines()) {
                    let rest = body_text(response).await;
                    return Err(not_a_stream(&(String::from_utf8_lossy(&chunk).into_owned() + &rest)));
                }
            }
            let fed = frames.feed(&chunk, reader.as_mut(), &mut events);
            self.pass_on(&mut events, at);
            if let Some(failure) = self.fault.take() {
                return Err(failure);
            }
            fed.map_err(|e| Failure::new(FaultKind::TooLarge, e.to_string(), Advice::Provider))?;
        }
        let at = self.clock.stamp();
        frames.end(reader.as_mut(), &mut events);
        reader.end(&mut events);
        self.pass_on(&mut events, at);
        if let Some(failure) = self.fault.take() {
            return Err(failure);
        }
        if self.finished { Ok(()) } else { Err(self.incomplete(&frames)) }
    }

    /// Hand events to the sink; the first failure among them ends the answer.
    fn pass_on(&mut self, events: &mut Vec<Event>, at: Nanos) {
        for mut event in events.drain(..) {
            match &mut event {
                Event::Failed(fault) => {
                    let advice = after_fault(fault, self.content);
                    self.fault.get_or_insert(Failure(fault.clone(), advice, false));
                    return;
                }
                Event::Content { text, .. } => {
                    self.content = true;
                    *text = self.redactor.cleaned(std::mem::take(text));
                }
                Event::Finished { .. } => self.finished = true,
                Event::Usage(Usage { raw: Some(raw), .. }) => {
                    let text = raw.to_string();
                    let clean = self.redactor.clean(&text);
                    if clean != text {
                        *raw = serde_json::from_str(&clean).unwrap_or_default();
                    }
                }
                Event::RunsElsewhere { host } if self.limits.local_only => {
                    let message = format!("it says that the model runs at {host}");
                    self.fault.get_or_insert(elsewhere(&message));
                    return;
                }
                _ => {}
            }
            (self.sink)(Stamped { at, event });
        }
    }

    fn timed_out(&self, total: bool) -> Failure {
        let retry = if self.content { Advice::Sample } else { Advice::Retry(None) };
        if total {
            let message = format!("the answer was not complete within {} s", self.limits.total.as_secs());
            Failure::new(FaultKind::TimeoutTotal, message, Advice::Sample)
        } else if self.content {
            let message =
                format!("nothing came for {} s in the middle of the answer", self.limits.idle.as_secs());
            Failure::new(FaultKind::TimeoutIdle, message, retry)
        } else {
            let message = format!("no content within {} s", self.limits.first.as_secs());
            Failure::new(FaultKind::TimeoutFirst, message, retry)
        }
    }

    fn broken_off(&self, error: &reqwest::Error, frames: &Frames) -> Failure {
        let mut failure = self.incomplete(frames);
        failure.0.message = format!("{} ({})", failure.0.message, chain(error));
        failure
    }

    /// The stream ended, cleanly or not, without the terminal condition.
    fn incomplete(&self, frames: &Frames) -> Failure {
        let pending = frames.pending().map_or(String::new(), |p| format!("; it ends in {:?}", clip(&p)));
        if self.content || !pending.is_empty() || frames.any {
            let message = format!("the stream ended before the answer was complete{pending}");
            let kind = if frames.meaningful || self.content || !pending.is_empty() {
                FaultKind::Truncated
            } else {
                FaultKind::Empty
            };
            Failure::new(kind, message, if self.content { Advice::Sample } else { Advice::Retry(None) })
        } else {
            Failure::new(FaultKind::Empty, "the stream ended without any answer", Advice::Retry(None))
        }
    }
}

/// An answer other than 200.
async fn refused(response: Response) -> Failure {
    let status = response.status().as_u16();
    let header = |name: &str| response.headers().get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
    let wait = match header("retry-after-ms").map_or(Wait::Unsaid, |v| retry::retry_after_ms(&v)) {
        Wait::Unsaid => header("retry-after").map_or(Wait::Unsaid, |v| retry::retry_after(&v, now_unix())),
        said => said,
    };
    let to = header("location").map(|to| match response.url().join(&to) {
        Ok(url) => url.origin().ascii_serialization(),
        Err(_) => "an unreadable address".to_owned(),
    });
    let reset = retry::reset(|name| header(name), now_unix());
    let again = header("x-should-retry");
    let body = body_text(response).await;
    let (mut fault, mut advice) = retry::classify(status, &body, wait, reset);
    // The server knows best whether this very request can succeed later.
    if matches!(advice, Advice::Retry(_)) && again.as_deref() == Some("false") {
        advice = Advice::Sample;
    }
    if let Some(to) = to.filter(|_| fault.kind == FaultKind::Redirect) {
        fault.message = format!(
            "the server redirects to {to} (HTTP {status}); redirects are not followed, since a key must not travel on. Use that address as the base URL if it is the right one"
        );
    }
    Failure(fault, advice, false)
}

/// What comes before the deadline. The timer is not set anew for each piece of an answer: it goes off
/// when it was last set to, and only then looks whether the deadline has moved on since.
async fn within<T>(
    deadline: Instant,
    mut timer: Pin<&mut Sleep>,
    coming: impl Future<Output = T>,
) -> Option<T> {
    if deadline < timer.deadline() {
        timer.as_mut().reset(deadline);
    }
    let mut coming = std::pin::pin!(coming);
    loop {
        tokio::select! {
            biased;
            came = &mut coming => return Some(came),
            () = timer.as_mut() => {
                if Instant::now() >= deadline {
                    return None;
                }
                timer.as_mut().reset(deadline);
            }
        }
    }
}

/// How long usage may follow the end of the answer.
const AFTER_THE_END: Duration = Duration::from_secs(5);

/// The beginning of a body that is not a stream: enough for a message, never long.
async fn body_text(mut response: Response) -> String {
    const LARGEST: usize = 64 << 10;
    let deadline = Instant::now() + Duration::from_secs(5);
    let mut body = Vec::new();
    while let Ok(Ok(Some(chunk))) = timeout_at(deadline, response.chunk()).await {
        body.extend_from_slice(&chunk[..chunk.len().min(LARGEST - body.len())]);
        if body.len() == LARGEST {
            break;
        }
    }
    String::from_utf8_lossy(&body).into_owned()
}

fn now_unix() -> i64 {
    jiff::Timestamp::now().as_second()
}
