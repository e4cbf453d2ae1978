//! The seam between the worker process and an engine: what an engine must be able to do, so that
//! another engine, or one that only pretends, can be put in llama.cpp's place.

use super::protocol::{EngineBuild, LoadRequest, Loaded, Prompt};
use crate::measure::event::{Fault, Nanos, Stamped};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Hears how far an engine is, so that a standstill can be told from slow work.
pub trait Progress: Send + Sync {
    /// The engine got one step further.
    fn tick(&self);
    /// This share of the model is loaded, 0 to 1.
    fn loading(&self, fraction: f32);
}

/// What drives a model. One process serves one engine with one model.
pub trait Engine {
    /// What it is; a failure where it cannot be used at all.
    fn build(&self) -> Result<EngineBuild, Fault>;
    fn load(&mut self, request: &LoadRequest, progress: &Arc<dyn Progress>) -> Result<Loaded, Fault>;
    /// Queue a request that came in at `accepted`; its failures are events too.
    fn accept(&mut self, id: u32, prompt: Prompt, accepted: Instant);
    /// Forget a request, without further events.
    fn cancel(&mut self, id: u32);
    fn is_busy(&self) -> bool;
    /// One pass of the engine over every running request.
    fn step(&mut self, emit: &mut dyn FnMut(u32, Stamped));
    /// llama-bench's measurement: each round's time goes to `round`.
    fn synthetic(
        &mut self,
        run: Synthetic,
        progress: &Arc<dyn Progress>,
        round: &mut dyn FnMut(Round),
    ) -> Result<(), Fault>;
    /// The vector of a text.
    fn embed(&mut self, text: &str) -> Result<Embedded, Fault>;
}

/// What a synthetic run tells of each round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Round {
    Begins,
    Took(Duration),
}

/// A text's vector and what it took.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedded {
    pub tokens: u32,
    pub tokenizing: Duration,
    pub computing: Duration,
    pub vector: Vec<f32>,
}

/// One measurement of the engine alone, in tokens.
#[derive(Debug, Clone, Copy)]
pub struct Synthetic {
    pub prompt: u32,
    pub generate: u32,
    pub depth: u32,
    pub rounds: u32,
}

/// Whole nanoseconds of a duration.
pub fn nanos(duration: Duration) -> Nanos {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Private memory beyond this fails to be allocated. The model file is mapped and does not count.
pub fn limit_memory(bytes: u64) {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        let _ = setrlimit(Resource::Data, Rlimit { current: Some(bytes), maximum: Some(bytes) });
    }
    #[cfg(not(unix))]
    let _ = bytes;
}
