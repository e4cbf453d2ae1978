//! One request over HTTP: bytes are stamped as they arrive, then decoded, then read by the wire.
//!
//! No redirects are followed, nothing is compressed, the key is only in a header marked as sensitive, and
//! every size and time is limited. Only two things are sent again here: a request that the server cannot
//! have seen, and one that it refused because it knows a field by another name. For everything else the
//! outcome says what may be tried again.

mod answer;
mod connects;
mod failure;
mod frames;
mod target;

pub use target::{ApiTarget, Learnt, Limits};

use answer::{Answer, Clock, body_text};
use connects::{Connects, Timing};
use failure::{Failure, refuses_limit_field, send_failure};

use crate::measure::event::{Event, Request, Stamped};
use crate::measure::net::{self, chain};
use crate::measure::provider_error::clip;
use crate::measure::redact::Redactor;
use crate::measure::retry::Advice;
use crate::measure::wire::{self, WireKind};
use reqwest::header::{self, HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// The outcome of one attempt, beside its events.
#[derive(Debug, Clone, Copy)]
pub struct Outcome {
    /// What may be tried again if it failed.
    pub advice: Advice,
    /// Time to open the connection, where this request had to; not part of any latency.
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
    /// Prepare a client; nothing is sent yet. Fails, with the reason, where the HTTP client cannot be
    /// built.
    pub fn new(target: ApiTarget, limits: Limits) -> Result<Self, String> {
        let broken =
            |e: reqwest::Error| format!("the HTTP client cannot be built: {}", chain(&e.without_url()));
        let plain = target.address.endpoint.scheme() == "http";
        let reach = net::Reach { private_only: target.private_only, connect: limits.connect, plain };
        let client = net::builder(target.proxy.as_ref(), reach)
            .map_err(|why| format!("the HTTP client cannot be built: {why}"))?
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

    /// A backend for another request at the same time: it shares the client, so that nothing is set up
    /// again.
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

    /// Where the model runs by the server's own word, if that is another machine. Only Ollama's wire format
    /// has such a word; the others are not asked.
    pub async fn runs_elsewhere(&self) -> Result<Option<String>, String> {
        if self.target.wire != WireKind::Ollama {
            return Ok(None);
        }
        let url = self.target.address.base.join("api/tags").map_err(|e| e.to_string())?;
        let asked = self.client.get(url).header(header::ACCEPT, "application/json").send();
        let answer = timeout_at(Instant::now() + self.limits.connect, asked).await;
        let response = answer
            .map_err(|_| "it does not answer".to_owned())?
            .map_err(|e| send_failure(e, self.target.proxy.as_ref()).fault.message)?;
        if response.status() != 200 {
            return Err(format!("GET /api/tags: HTTP {}", response.status().as_u16()));
        }
        wire::ollama::runs_elsewhere(&body_text(response).await, &self.target.model)
    }

    /// Send one request and report what comes back.
    pub async fn generate(&mut self, request: &Request, sink: &mut (dyn FnMut(Stamped) + Send)) -> Outcome {
        let outcome = self.ask(request, sink).await;
        let advice = match outcome {
            Err(Failure { mut fault, advice, .. }) => {
                fault.message = self.redactor.clean(&clip(&fault.message));
                sink(Stamped { at: 0, event: Event::Failed(fault) });
                advice
            }
            Ok(()) => Advice::Sample,
        };
        Outcome { advice, connect: self.connects.peek() }
    }

    async fn ask(
        &mut self,
        request: &Request,
        sink: &mut (dyn FnMut(Stamped) + Send),
    ) -> Result<(), Failure> {
        let field = self.target.limit_field();
        let refusal = match self.ask_over_a_connection(request, sink).await {
            Err(failure) if refuses_limit_field(&failure.fault, self.target.wire, field) => failure,
            outcome => return outcome,
        };
        // A model that wants the limit under its other name gets that name from now on.
        self.target.use_limit_field(field.other());
        match self.ask_over_a_connection(request, sink).await {
            Err(failure) if refuses_limit_field(&failure.fault, self.target.wire, field.other()) => {
                self.target.use_limit_field(field);
                Err(refusal)
            }
            outcome => outcome,
        }
    }

    /// Sends the request, and once more over a new connection where the server had closed the idle one just
    /// as it was used again: that is no answer to this request.
    async fn ask_over_a_connection(
        &mut self,
        request: &Request,
        sink: &mut (dyn FnMut(Stamped) + Send),
    ) -> Result<(), Failure> {
        let body = self.target.wire.body(&self.target.model, request, &self.target.quirks()).to_string();
        match self.send_once(&body, sink).await {
            Err(failure) if failure.resend => self.send_once(&body, sink).await,
            sent => sent,
        }
    }

    async fn send_once(&mut self, body: &str, sink: &mut (dyn FnMut(Stamped) + Send)) -> Result<(), Failure> {
        self.connects.take();
        let clock = Clock::start(self.connects.clone());
        let answer = Answer::new(clock, &self.target, self.limits, &self.redactor, sink);
        let post = self.client.post(self.target.address.endpoint.clone());
        let post = post.header(header::CONTENT_TYPE, "application/json").body(body.to_owned());
        answer.receive(self.connects.during(post.send())).await
    }
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
