//! llama.cpp in the worker process: the one module that may call C++.
//!
//! ```text
//! requests ─► queue ─► slots (one sequence each) ─► one batch per step ─► events
//! ```
//!
//! Every step decodes one token of each running sequence and fills the rest of the batch with
//! waiting prompt tokens, so that sequences join and leave between steps. One sequence is the
//! special case, not another path.
#![allow(unsafe_code)]

#[cfg(feature = "dynamic-backends")]
mod beside;
mod choose;
mod common;
mod embed;
mod log;
mod model;
mod paused;
mod rendered;
mod slots;

use super::engine::{self, Embedded, Engine, Progress, Round, Synthetic};
use super::protocol::{EngineBuild, LoadRequest, Loaded, Prompt};
use crate::measure::event::{Event, Fault, Stamped};
use common::engine_fault;
use llama_cpp_2::llama_backend::LlamaBackend;
use slots::Slots;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

/// The engine of this process, with at most one model loaded.
#[derive(Debug)]
pub struct LlamaEngine {
    backend: Option<LlamaBackend>,
    slots: Option<Slots>,
    /// Requests that came before a model was loaded: they fail in the next step.
    orphans: Vec<(u32, Instant)>,
    /// Of the backends beside the program: those that found no device, with the reason; or why nothing can
    /// be computed.
    beside: Result<Vec<String>, String>,
}

impl LlamaEngine {
    /// Sets up llama.cpp. `backends`: the folder with its backends, where the user named one.
    pub fn new(backends: Option<&Path>) -> Self {
        log::capture();
        #[cfg(feature = "dynamic-backends")]
        let beside = beside::load(backends);
        #[cfg(not(feature = "dynamic-backends"))]
        let beside = {
            // Backends are part of the program.
            let _ = backends;
            Ok(Vec::new())
        };
        Self { backend: LlamaBackend::init().ok(), slots: None, orphans: Vec::new(), beside }
    }
}

impl Engine for LlamaEngine {
    fn build(&self) -> Result<EngineBuild, Fault> {
        match &self.beside {
            Ok(left_out) => Ok(model::build(left_out.clone())),
            Err(problem) => Err(engine_fault(problem.clone())),
        }
    }

    fn load(&mut self, request: &LoadRequest, progress: &Arc<dyn Progress>) -> Result<Loaded, Fault> {
        let Some(backend) = &self.backend else {
            return Err(engine_fault("llama.cpp could not be initialised"));
        };
        if self.slots.is_some() {
            return Err(engine_fault("this worker already has a model"));
        }
        if let Some(bytes) = request.memory_limit {
            engine::limit_memory(bytes);
        }
        let (slots, loaded) = model::load(backend, request, progress)?;
        self.slots = Some(slots);
        Ok(loaded)
    }

    fn accept(&mut self, id: u32, prompt: Prompt, accepted: Instant) {
        match &mut self.slots {
            Some(slots) => slots.queue(id, prompt, accepted),
            None => self.orphans.push((id, accepted)),
        }
    }

    fn cancel(&mut self, id: u32) {
        if let Some(slots) = &mut self.slots {
            slots.cancel(id);
        }
    }

    fn is_busy(&self) -> bool {
        !self.orphans.is_empty() || self.slots.as_ref().is_some_and(Slots::is_busy)
    }

    fn step(&mut self, emit: &mut dyn FnMut(u32, Stamped)) {
        for (id, accepted) in self.orphans.drain(..) {
            let at = engine::nanos(accepted.elapsed());
            emit(id, Stamped { at, event: Event::Failed(engine_fault("no model is loaded")) });
        }
        if let Some(slots) = &mut self.slots {
            slots.step(emit);
        }
    }

    fn synthetic(
        &mut self,
        run: Synthetic,
        progress: &Arc<dyn Progress>,
        round: &mut dyn FnMut(Round),
    ) -> Result<(), Fault> {
        match &mut self.slots {
            Some(slots) => slots.synthetic(run, progress, round),
            None => Err(engine_fault("no model is loaded")),
        }
    }

    fn embed(&mut self, text: &str) -> Result<Embedded, Fault> {
        match &mut self.slots {
            Some(slots) => slots.embed(text),
            None => Err(engine_fault("no model is loaded")),
        }
    }
}
