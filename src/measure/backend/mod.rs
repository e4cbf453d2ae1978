//! Backends: the ways to get an answer generated. A backend reports events as they happen and never retries
//! silently; [`figures`](super::figures) decides what the events mean.
//!
//! `http` asks any API (sockets, limits, time stamps) and has the formats in `measure/wire/` read the
//! frames. `local` is the parent side of the worker process, `worker` the process itself, and `llama` the
//! one module that may call C++.

#[cfg(any(test, feature = "llama"))]
mod decode;
pub mod engine;
pub mod http;
pub mod libraries;
#[cfg(feature = "llama")]
pub mod llama;
pub mod local;
pub mod protocol;
pub mod seal;
pub mod worker;

use super::counts::Counted;
use super::event::{Event, Request, Stamped};
use super::retry::Advice;
use http::{ApiBackend, Outcome};
use local::LocalBackend;

/// Any backend. A failure is an [`Event::Failed`], not an `Err`.
#[derive(Debug)]
pub enum Backend {
    Api(Box<ApiBackend>),
    Local(Box<LocalBackend>),
}

impl Backend {
    /// Asks for one answer; every event goes to `sink`, the last is `Finished` or `Failed`.
    pub async fn generate(&mut self, request: &Request, sink: &mut (dyn FnMut(Stamped) + Send)) -> Outcome {
        match self {
            Self::Api(api) => api.generate(request, sink).await,
            Self::Local(local) => {
                let begun = local.meter().map(crate::measure::energy::Meter::mark);
                let mut last = 0;
                local
                    .generate(request, &mut |event| {
                        last = event.at;
                        sink(event);
                    })
                    .await;
                let used = begun.and_then(|mark| local.meter()?.since(mark));
                if let Some(used) = used {
                    let over_ms = used.over.as_secs_f64() * 1e3;
                    sink(Stamped { at: last, event: Event::Energy { joules: used.joules, over_ms } });
                }
                Outcome { advice: Advice::Sample, connect: None }
            }
        }
    }
    /// The API key that it sends, so that it can be kept out of everything else.
    pub fn key(&self) -> Option<&secrecy::SecretString> {
        match self {
            Self::Api(api) => api.target().key.as_ref(),
            Self::Local(_) => None,
        }
    }
    /// Who counts its tokens.
    pub fn counted(&self) -> Counted {
        match self {
            Self::Api(_) => Counted::ByProvider,
            Self::Local(_) => Counted::ByEngine,
        }
    }
}
