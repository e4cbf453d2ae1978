//! The interface between the worker process and an engine: what an engine must be able to do, so that
//! another engine, or a fake one in a test, can be put in llama.cpp's place.

use super::protocol::{EngineBuild, LoadRequest, Loaded, Prompt};
use crate::measure::event::{Fault, Nanos, Stamped};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Is told of every step of an engine, so that a hang can be told from slow work.
pub trait Progress: Send + Sync {
    /// The engine got one step further.
    fn tick(&self);
    /// This share of the model is loaded, 0 to 1.
    fn loading(&self, fraction: f32);
}

/// An inference engine. One process serves one engine with one model.
pub trait Engine {
    /// The engine's name, version and devices; a failure where it cannot be used at all.
    fn build(&self) -> Result<EngineBuild, Fault>;
    /// Load the model and reserve its context.
    fn load(&mut self, request: &LoadRequest, progress: &Arc<dyn Progress>) -> Result<Loaded, Fault>;
    /// Queue a request that came in at `accepted`. What fails later is reported as its events.
    fn accept(&mut self, id: u32, prompt: Prompt, accepted: Instant);
    /// Drop a request, without further events.
    fn cancel(&mut self, id: u32);
    /// Are requests waiting or running?
    fn is_busy(&self) -> bool;
    /// One pass of the engine over every running request; their events go to `emit`, by request id.
    fn step(&mut self, emit: &mut dyn FnMut(u32, Stamped));
    /// Measure the engine alone, as llama-bench does: each round's time goes to `round`.
    fn synthetic(
        &mut self,
        run: Synthetic,
        progress: &Arc<dyn Progress>,
        round: &mut dyn FnMut(Round),
    ) -> Result<(), Fault>;
    /// The embedding of a text.
    fn embed(&mut self, text: &str) -> Result<Embedded, Fault>;
}

/// What a synthetic run reports of each round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Round {
    Begins,
    Took(Duration),
}

/// The embedding of a text and the time it took.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedded {
    pub tokens: u32,
    pub tokenizing: Duration,
    pub computing: Duration,
    pub vector: Vec<f32>,
}

/// One measurement of the engine alone: tokens of prefill or of decoding, and tokens already in the cache.
#[derive(Debug, Clone, Copy)]
pub struct Synthetic {
    pub prompt: u32,
    pub generate: u32,
    pub depth: u32,
    pub rounds: u32,
}

/// A duration in whole nanoseconds, at most `u64::MAX` of them.
pub fn nanos(duration: Duration) -> Nanos {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Limits the private memory of this process: an allocation beyond so many bytes fails. The model file is
/// mapped and does not count. Without effect outside of Unix.
pub fn limit_memory(bytes: u64) {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        let _ = setrlimit(Resource::Data, Rlimit { current: Some(bytes), maximum: Some(bytes) });
    }
    #[cfg(not(unix))]
    let _ = bytes;
}
