//! Reads one answer: stamps its bytes, splits them into frames, has the wire format read those, and judges
//! the end.

use super::connects::Connects;
use super::failure::{Failure, elsewhere, not_a_stream, refused_without_key, send_failure};
use super::frames::{Frames, Readers};
use super::target::{ApiTarget, Limits};
use crate::measure::ending::{self, Ending, StreamEnd};
use crate::measure::event::{Event, FaultKind, FinishReason, Nanos, Stamped, Usage};
use crate::measure::net::chain;
use crate::measure::provider_error::{self, clip};
use crate::measure::redact::Redactor;
use crate::measure::retry::{self, Advice, Wait};
use crate::measure::{address, wire};
use http::{HeaderMap, HeaderName, Version, header};
use reqwest::Response;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep_until, timeout, timeout_at};

/// The clock of one answer. It counts from the send over an open connection: the time that opening a new
/// connection took is subtracted, and reported separately.
pub(super) struct Clock {
    start: Instant,
    connects: Connects,
    /// The time the connection took to open; zero until the headers are here.
    opening: Duration,
}

impl Clock {
    /// A clock that starts now.
    pub(super) fn start(connects: Connects) -> Self {
        Self { start: Instant::now(), connects, opening: Duration::ZERO }
    }
    /// The headers are here, so the connection they came over is open.
    fn opened(&mut self) {
        self.opening = self.connects.peek().unwrap_or_default();
    }
    fn stamp(&self, now: Instant) -> Nanos {
        let elapsed = now.saturating_duration_since(self.start).saturating_sub(self.opening);
        u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX)
    }
}

/// One answer while it is read.
pub(super) struct Answer<'a> {
    clock: Clock,
    target: &'a ApiTarget,
    limits: Limits,
    redactor: &'a Redactor,
    sink: &'a mut (dyn FnMut(Stamped) + Send),
    /// Some content came: from here on the request is not sent again.
    content: bool,
    /// The answer calls a tool, with arguments or without.
    called: bool,
    fault: Option<Failure>,
}

/// How the reading of a stream ended.
struct StreamOutcome {
    end: StreamEnd,
    /// Why it was not read to its end: a timeout, a reset, its size.
    failure: Option<Failure>,
}

impl StreamOutcome {
    fn broken(failure: Failure) -> Self {
        Self { end: StreamEnd::Broken, failure: Some(failure) }
    }
}

impl<'a> Answer<'a> {
    pub(super) fn new(
        clock: Clock,
        target: &'a ApiTarget,
        limits: Limits,
        redactor: &'a Redactor,
        sink: &'a mut (dyn FnMut(Stamped) + Send),
    ) -> Self {
        Self { clock, target, limits, redactor, sink, content: false, called: false, fault: None }
    }

    /// Wait for the answer to what was sent, and read it to its end.
    pub(super) async fn receive(
        mut self,
        sent: impl Future<Output = reqwest::Result<Response>>,
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
                let mut failure = send_failure(e, self.target.proxy.as_ref());
                failure.resend =
                    failure.fault.kind == FaultKind::Empty && self.clock.connects.peek().is_none();
                return Err(failure);
            }
            Ok(Ok(response)) => response,
        };
        self.head(&response)?;
        let status = response.status();
        if !status.is_success() {
            return Err(refused(self.target, response).await);
        }
        self.read(response).await
    }

    /// Reports status and headers as an event. Refuses an answer that shows a cloud under strict privacy,
    /// and one that is compressed.
    fn head(&mut self, response: &Response) -> Result<(), Failure> {
        let now = Instant::now();
        self.clock.opened();
        let at = self.clock.stamp(now);
        let text = |name: &str| response.headers().get(name).and_then(|v| v.to_str().ok());
        let request_id =
            text("x-request-id").or_else(|| text("request-id")).map(|id| self.redactor.clean(&clip(id)));
        let event = Event::Headers {
            status: response.status().as_u16(),
            connection_reused: Some(self.clock.connects.peek().is_none()),
            request_id,
            http2: Some(response.version() == Version::HTTP_2),
            unix: Some(now_unix()),
        };
        (self.sink)(Stamped { at, event });
        if self.limits.local_only
            && let Some(sign) = sign_of_a_cloud(response.headers())
        {
            return Err(elsewhere(&format!("its answer has the header {sign}")));
        }
        let plain =
            |encoding: &str| encoding.trim().is_empty() || encoding.trim().eq_ignore_ascii_case("identity");
        if response.status().is_success()
            && let Some(encoding) = text("content-encoding").filter(|e| !plain(e))
        {
            let message = format!(
                "the answer is compressed ({}) although that was declined; its timing would be the compressor's",
                clip(encoding)
            );
            return Err(Failure::new(FaultKind::NotAStream, message, Advice::Provider));
        }
        Ok(())
    }

    async fn read(mut self, mut response: Response) -> Result<(), Failure> {
        let wire = self.target.wire;
        let mut reader = wire.reader();
        let mut frames = Frames::new(wire, self.limits.event_bytes);
        let mut ending = Ending::new(wire.has_terminator());
        // One buffer for the events of every chunk.
        let mut events = Vec::new();
        let over = {
            let mut reading = Reading { frames: &mut frames, ending: &mut ending, events: &mut events };
            self.read_to_the_end(&mut response, reader.as_mut(), &mut reading).await
        };
        if let Some(failure) = self.fault.take() {
            return Err(failure);
        }
        if ending.is_over() {
            drain_and_release(response).await;
        }
        if let Some(body) = frames.body() {
            return Err(not_a_stream(&body));
        }
        let Some(reason) = ending.whole(over.end) else {
            return Err(over.failure.unwrap_or_else(|| self.incomplete(&frames)));
        };
        // The finish reason that counts in the end need not be the last one stated.
        let at = self.clock.stamp(Instant::now());
        (self.sink)(Stamped { at, event: Event::Finished { reason } });
        match ending::without_content(reason).filter(|_| !self.content && !self.called) {
            None => Ok(()),
            Some(fault) => {
                let again = reason != FinishReason::Length;
                let advice = if again { Advice::Retry(None) } else { Advice::Sample };
                Err(Failure::new(fault.kind, fault.message, advice))
            }
        }
    }

    /// Read until the terminator, the end of the stream, a fault or a limit. A fault is noted in
    /// `self.fault`.
    async fn read_to_the_end(
        &mut self,
        response: &mut Response,
        reader: &mut dyn wire::Wire,
        reading: &mut Reading<'_>,
    ) -> StreamOutcome {
        let delimited = is_delimited(response);
        let start = self.clock.start;
        let total = start + self.limits.total;
        let first = (start + self.limits.first).min(total);
        let mut timer = std::pin::pin!(sleep_until(first));
        let mut bytes_seen = 0;
        // When bytes last came, and when content last came: once there is a finish reason, pings do not put
        // off the end.
        let (mut now, mut last_said) = (start, start);
        loop {
            let deadline = if reading.ending.reason_stands() {
                (last_said + self.limits.idle).min(total)
            } else if self.content {
                (now + self.limits.idle).min(total)
            } else {
                first
            };
            let chunk = within(deadline, timer.as_mut(), response.chunk()).await;
            // The clock is read once for each piece of the answer.
            now = Instant::now();
            let at = self.clock.stamp(now);
            let chunk = match chunk {
                None => return StreamOutcome::broken(self.timed_out(now >= total)),
                Some(Err(e)) => return StreamOutcome::broken(self.broken_off(&e, reading.frames)),
                Some(Ok(None)) => break,
                Some(Ok(Some(chunk))) => chunk,
            };
            bytes_seen += chunk.len();
            if bytes_seen > self.limits.total_bytes {
                let message = format!("the answer is larger than {} bytes", self.limits.total_bytes);
                return StreamOutcome::broken(Failure::new(FaultKind::TooLarge, message, Advice::Provider));
            }
            let fed = reading.feed(&chunk, reader);
            if !reading.events.is_empty() {
                last_said = now;
                self.pass_on(reading.events, at);
            }
            if self.fault.is_some() || reading.ending.is_over() || reading.frames.body_is_whole() {
                return StreamOutcome { end: StreamEnd::Complete, failure: None };
            }
            if let Err(e) = fed {
                return StreamOutcome::broken(Failure::new(
                    FaultKind::TooLarge,
                    e.to_string(),
                    Advice::Provider,
                ));
            }
        }
        let at = self.clock.stamp(now);
        reading.end(reader);
        self.pass_on(reading.events, at);
        let end = if delimited { StreamEnd::Complete } else { StreamEnd::Closed };
        StreamOutcome { end, failure: None }
    }

    /// Hand events to the sink; the first failure among them ends the answer.
    fn pass_on(&mut self, events: &mut Vec<Event>, at: Nanos) {
        for mut event in events.drain(..) {
            match &mut event {
                Event::Failed(fault) => {
                    self.fault.get_or_insert(Failure::of(fault.clone(), Advice::Sample));
                    return;
                }
                Event::Refused { error } => {
                    let (fault, advice) = provider_error::in_stream(error, self.content);
                    self.fault.get_or_insert(Failure::of(fault, advice));
                    return;
                }
                Event::Content { .. } => self.content = true,
                Event::ToolCall { .. } => self.called = true,
                Event::Usage(Usage { raw: Some(raw), .. }) => {
                    let text = raw.to_string();
                    let clean = self.redactor.clean(&text);
                    if clean != text {
                        *raw = serde_json::from_str(&clean).unwrap_or_default();
                    }
                }
                Event::Model { name } => *name = self.redactor.clean(name),
                Event::RunsElsewhere { host } if self.limits.local_only => {
                    let message = format!("it says that the model runs at {host}");
                    self.fault.get_or_insert(elsewhere(&message));
                    return;
                }
                // This event only tells the reader to stop.
                Event::End => continue,
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
        failure.fault.message = format!("{} ({})", failure.fault.message, chain(error));
        failure
    }

    /// The stream ended, cleanly or not, before the answer was whole.
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

/// The failure that an answer stands for whose status is no success.
async fn refused(target: &ApiTarget, response: Response) -> Failure {
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    let header = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
    let wait = match header("retry-after-ms").map_or(Wait::Unsaid, |v| retry::retry_after_ms(&v)) {
        Wait::Unsaid => header("retry-after").map_or(Wait::Unsaid, |v| retry::retry_after(&v, now_unix())),
        said => said,
    };
    let to = header("location").map(|to| match response.url().join(&to) {
        Ok(url) => url.origin().ascii_serialization(),
        Err(_) => "an unreadable address".to_owned(),
    });
    let reset = retry::reset(|name| header(name), now_unix());
    let body = body_text(response).await;
    let (mut fault, mut advice) = provider_error::in_answer(status, &body, wait, reset);
    // The server knows best whether this request can succeed later.
    if matches!(advice, Advice::Retry(_)) && header("x-should-retry").as_deref() == Some("false") {
        advice = Advice::Sample;
    }
    match (fault.kind, to) {
        (FaultKind::Redirect, Some(to)) => {
            fault.message = format!(
                "the server redirects to {to} (HTTP {status}); redirects are not followed, since a key must not travel on. Use that address as the base URL if it is the right one"
            );
        }
        (FaultKind::NotFound, _) => {
            let endpoint = &target.address.endpoint;
            let own = target.not_found_hint.as_deref();
            let hint = own.unwrap_or_else(|| address::hint(target.wire, endpoint));
            fault.message = format!("{} (asked was POST {endpoint}; {hint})", fault.message);
        }
        (FaultKind::Auth, _) if target.key.is_none() => {
            fault = refused_without_key(target, status, &fault);
        }
        (FaultKind::Proxy, _) => {
            let proxy = target.proxy.as_ref().map_or("on the way", |proxy| &proxy.url);
            fault.message = format!("the proxy {proxy} wants a user name and a password (HTTP {status})");
        }
        _ => {}
    }
    Failure::of(fault, advice)
}

/// What the reading of one stream changes.
struct Reading<'a> {
    frames: &'a mut Frames,
    ending: &'a mut Ending,
    events: &'a mut Vec<Event>,
}

impl Reading<'_> {
    fn feed(&mut self, chunk: &[u8], wire: &mut dyn wire::Wire) -> Result<(), crate::measure::sse::TooLarge> {
        self.frames.feed(chunk, &mut Readers { wire, ending: self.ending, out: self.events })
    }
    fn end(&mut self, wire: &mut dyn wire::Wire) {
        self.frames.end(&mut Readers { wire, ending: self.ending, out: self.events });
    }
}

/// Does the transport mark where the body ends, so that an end without an error means that it is whole?
fn is_delimited(response: &Response) -> bool {
    let headers = response.headers();
    response.version() == Version::HTTP_2
        || headers.contains_key(header::CONTENT_LENGTH)
        || headers.get(header::TRANSFER_ENCODING).is_some_and(|v| v.as_bytes().ends_with(b"chunked"))
}

/// The name of a header that only a cloud service, or a proxy in front of one, sends.
fn sign_of_a_cloud(headers: &HeaderMap) -> Option<&str> {
    const SIGNS: &[&str] = &["openai-version", "openai-organization", "anthropic-organization-id", "cf-ray"];
    let sign = |name: &&str| SIGNS.contains(name) || name.starts_with("x-litellm-");
    headers.keys().map(HeaderName::as_str).find(sign)
}

/// Reads the little that is left after an answer has ended, so that the connection can be used again. The
/// caller waits for at most 2 ms; what has not ended a second later is closed.
async fn drain_and_release(mut response: Response) {
    const A_MOMENT: Duration = Duration::from_millis(2);
    const SOON: Duration = Duration::from_secs(1);
    const MOST_CHUNKS: usize = 64;
    let mut rest = Box::pin(async move {
        for _ in 0..MOST_CHUNKS {
            if !matches!(response.chunk().await, Ok(Some(_))) {
                break;
            }
        }
    });
    if timeout(A_MOMENT, rest.as_mut()).await.is_err() {
        tokio::spawn(async move { timeout(SOON, rest).await });
    }
}

/// The output of `coming`, or `None` at the deadline. To save setting the timer anew for each piece of an
/// answer, it goes off when it was last set to, and only then checks whether the deadline has moved on
/// since.
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

/// The beginning of a body that is not a stream, up to 64 KiB: enough for an error message.
pub(super) async fn body_text(mut response: Response) -> String {
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
