//! An API target: its address, how requests to it are written, and the limits on its answers.

use crate::measure::address::Address;
use crate::measure::net::Proxy;
use crate::measure::wire::{LimitField, Quirks, WireKind};
use secrecy::SecretString;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// An API target.
#[derive(Debug, Clone)]
pub struct ApiTarget {
    pub wire: WireKind,
    pub model: String,
    pub address: Address,
    pub key: Option<SecretString>,
    /// The environment variable the key is looked for in, for messages.
    pub key_variable: Option<String>,
    /// The header the key goes into; `authorization` takes it as a bearer token.
    pub key_header: &'static str,
    pub quirks: Quirks,
    pub proxy: Option<Proxy>,
    /// Connect only to addresses that are not public, whatever the name resolves to.
    pub private_only: bool,
    /// What is usually wrong where this provider finds nothing at an address, for an error message.
    pub not_found_hint: Option<String>,
    pub learnt: Learnt,
}

impl ApiTarget {
    /// A target without a key, a proxy or quirks.
    pub fn new(wire: WireKind, model: &str, address: Address) -> Self {
        Self {
            wire,
            model: model.to_owned(),
            address,
            key: None,
            key_variable: None,
            key_header: "authorization",
            quirks: Quirks::default(),
            proxy: None,
            private_only: false,
            not_found_hint: None,
            learnt: Learnt::default(),
        }
    }

    /// Scheme, host and port: what a key is bound to, and the only part of a URL that is shown beside a
    /// fault.
    pub fn origin(&self) -> String {
        self.address.origin()
    }

    /// How a request is written, with what was learnt from the server's refusals.
    pub fn quirks(&self) -> Quirks {
        let limit_field = self.limit_field();
        Quirks { limit_field, ..self.quirks }
    }

    pub(super) fn use_limit_field(&self, field: LimitField) {
        self.learnt.0.store(field != self.quirks.limit_field, Ordering::Relaxed);
    }

    /// The field that limits the length of the answer, with what was learnt.
    pub fn limit_field(&self) -> LimitField {
        let field = self.quirks.limit_field;
        if self.learnt.other_limit_field() { field.other() } else { field }
    }
}

/// What was learnt from a server's refusals; shared by all clients of a target.
#[derive(Debug, Clone, Default)]
pub struct Learnt(Arc<AtomicBool>);

impl Learnt {
    /// The server refused the field that limits the answer and took the other one.
    pub fn other_limit_field(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Limits on time and size of one request.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub connect: Duration,
    /// Longest time from the send to the first content; pings do not extend it.
    pub first: Duration,
    /// Longest time between bytes once content has come.
    pub idle: Duration,
    /// Longest time of the whole answer.
    pub total: Duration,
    pub event_bytes: usize,
    pub total_bytes: usize,
    /// Strict privacy: an answer that shows that it came from another machine ends the use of this target.
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
