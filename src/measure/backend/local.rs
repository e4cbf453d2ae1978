//! The local engine as the rest of the program sees it: the parent side of the worker process.
//!
//! ```text
//! LocalConfig ─► start: check the file, spawn the worker, load ─► LocalInfo
//! Request ─► generate: events with the worker's own times ─► sink
//! ```
//!
//! The worker may abort, crash, be killed, hang, send nonsense or never stop sending. Each of these ends
//! the worker and is a [`Fault`] that says what probably happened, with the engine's last log lines.

mod fault;
mod file;
#[cfg(all(test, unix))]
mod injection;
mod process;

pub(crate) use file::hex;
pub use file::{ModelFile, check, sha256};
pub use process::{WorkerCommand, passed_on};

use super::protocol::{Command, EngineBuild, FrameError, LoadRequest, Loaded, Prompt, Reply, VERSION};
use crate::measure::energy::{Meter, Used};
use crate::measure::event::{Event, Fault, FaultKind, Nanos, Request, Stamped};
use fault::fault;
use process::{Ending, Worker};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// What to load and how long to wait for it.
#[derive(Debug, Clone)]
pub struct LocalConfig {
    pub load: LoadRequest,
    pub worker: WorkerCommand,
    pub limits: Limits,
    /// Called once the engine's devices are known, before loading.
    pub plan: Option<Plan>,
}

/// Refuses a load that cannot fit, or reduces what is asked for until it does.
pub type Plan = fn(&ModelFile, &EngineBuild, &mut LoadRequest) -> Result<(), Fault>;

/// Times after which the worker is taken for dead.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// From its start to its first message.
    pub start: Duration,
    /// Without any message while it has work; it sends one twice a second.
    pub silence: Duration,
    /// Without progress while it has work. Progress is one step of loading, prefill or decoding.
    pub stall: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            start: Duration::from_secs(20),
            silence: Duration::from_secs(20),
            stall: Duration::from_mins(5),
        }
    }
}

impl LocalConfig {
    /// The engine's defaults for `model`, with room for `context` tokens of prompt and output. Fails where
    /// this program was built without the engine.
    pub fn new(model: PathBuf, context: u32) -> Result<Self, Fault> {
        Ok(Self {
            load: LoadRequest::new(model, context),
            plan: None,
            worker: WorkerCommand::this_program()?,
            limits: Limits::default(),
        })
    }
}

/// What is loaded, for the document.
#[derive(Debug, Clone, PartialEq)]
pub struct LocalInfo {
    pub file: ModelFile,
    pub build: EngineBuild,
    pub loaded: Loaded,
    /// From the start of the process to its first message, without loading the model.
    pub worker_start: Duration,
}

/// One measured round of the engine alone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Timed {
    pub took: Duration,
    /// The energy that the device used for it, where that can be read.
    pub energy: Option<Used>,
}

/// The embedding of a text and the time it took.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedding {
    pub tokens: u32,
    pub tokenizing: Duration,
    /// Time in the model.
    pub computing: Duration,
    /// The time that the caller waited.
    pub total: Duration,
    /// The pooled vector, of length 1.
    pub vector: Vec<f32>,
}

/// News of one running request.
#[derive(Debug, Clone, PartialEq)]
pub enum Update {
    /// `at` is on the worker's clock; the times of the request's events count from it.
    Accepted {
        id: u32,
        at: Nanos,
    },
    Events {
        id: u32,
        events: Vec<Stamped>,
    },
}

/// A loaded model in its worker process. Dropping it kills the worker.
#[derive(Debug)]
pub struct LocalBackend {
    worker: Worker,
    limits: Limits,
    info: LocalInfo,
    /// Events each running request may still send, by id.
    running: BTreeMap<u32, u64>,
    next_id: u32,
    /// Why the worker is gone; every later request fails with it.
    dead: Option<Fault>,
    watch: StallWatch,
    meter: Option<Meter>,
}

/// Notices a worker that lives but gets nowhere.
#[derive(Debug)]
struct StallWatch {
    progress: u64,
    since: Instant,
}

impl StallWatch {
    fn new() -> Self {
        Self { progress: 0, since: Instant::now() }
    }
    fn restart(&mut self) {
        self.since = Instant::now();
    }
    /// Has there been no progress for longer than `limit`? `progress` is the worker's count of steps.
    fn stalled(&mut self, progress: u64, limit: Duration) -> bool {
        if progress != self.progress {
            self.progress = progress;
            self.restart();
        }
        self.since.elapsed() > limit
    }
}

impl LocalBackend {
    /// Checks the file, starts the worker and loads the model; `progress` is called with the share loaded,
    /// 0 to 1.
    pub async fn start(config: LocalConfig, progress: &mut dyn FnMut(f32)) -> Result<Self, Fault> {
        let file = file::check(&config.load.model)?;
        if !config.load.raw && file.header.facts.chat_template.is_none() {
            return Err(fault(
                FaultKind::Template,
                format!(
                    "{} carries no chat template (it may be a base model), so chat messages cannot be put to it \
                     as it was trained; with --raw the prompts go to it as they are",
                    file.path.display()
                ),
            ));
        }
        let begun = Instant::now();
        let mut worker = Worker::spawn(&config.worker)?;
        let build = hello(&mut worker, &config.limits).await?;
        let worker_start = begun.elapsed();
        // The worker starts in the same folder, but a canonical path also survives a change of folder.
        let mut load = LoadRequest { model: file.path.clone(), ..config.load };
        if let Some(plan) = config.plan
            && let Err(refusal) = plan(&file, &build, &mut load)
        {
            worker.close().await;
            return Err(refusal);
        }
        if let Err(e) = worker.send(&Command::Load(load)).await {
            return Err(worker.ended(Ending::Closed(Some(e))).await);
        }
        let loaded = load_reply(&mut worker, &config.limits, progress).await?;
        let info = LocalInfo { file, build, loaded, worker_start };
        Ok(Self {
            worker,
            limits: config.limits,
            info,
            running: BTreeMap::new(),
            next_id: 1,
            dead: None,
            watch: StallWatch::new(),
            meter: None,
        })
    }

    pub fn info(&self) -> &LocalInfo {
        &self.info
    }

    /// The worker's process id, while it runs: for memory and energy counters.
    pub fn process_id(&self) -> Option<u32> {
        self.worker.id()
    }

    /// The meter that reads the energy of each request; `None`: energy is not measured.
    pub fn set_meter(&mut self, meter: Option<Meter>) {
        self.meter = meter;
    }
    pub fn meter(&self) -> Option<&Meter> {
        self.meter.as_ref()
    }

    /// The most bytes of memory that the worker has had resident so far; `None` where the system does not
    /// tell.
    pub fn peak_memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process_id()?)).ok()?;
        let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?;
        let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kibibytes << 10)
    }

    /// Generate one answer. Every event goes to `sink`; the last is `Finished` or `Failed`.
    pub async fn generate(&mut self, request: &Request, sink: &mut dyn FnMut(Stamped)) {
        let begun = Instant::now();
        if let Err(fault) = self.generate_inner(request, sink).await {
            let at = u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
            sink(Stamped { at, event: Event::Failed(fault) });
        }
    }

    async fn generate_inner(
        &mut self,
        request: &Request,
        sink: &mut dyn FnMut(Stamped),
    ) -> Result<(), Fault> {
        self.cancel_all().await?;
        let mine = self.submit(request, false).await?;
        while self.running.contains_key(&mine) {
            if let Update::Events { id, events } = self.next().await?
                && id == mine
            {
                events.into_iter().for_each(&mut *sink);
            }
        }
        Ok(())
    }

    /// Hands over a request without waiting for its answer: up to `parallel` are decoded together, more
    /// wait inside the worker (their clock runs). Returns the request's id. With `ignore_end` every answer
    /// has its full length.
    pub async fn submit(&mut self, request: &Request, ignore_end: bool) -> Result<u32, Fault> {
        if let Some(fault) = &self.dead {
            return Err(fault.clone());
        }
        if self.running.is_empty() {
            self.watch.restart();
        }
        let id = self.new_id();
        let prompt = Prompt {
            messages: request.marked_messages(),
            tools: request.tools.clone(),
            max_output_tokens: request.max_output_tokens,
            conversation: request.conversation,
            ignore_end,
            json_schema: request.json_schema.as_ref().map(serde_json::Value::to_string),
        };
        match self.worker.send(&Command::Generate { id, request: prompt }).await {
            Ok(()) => {}
            // The prompt itself is too large; the worker has seen nothing of it.
            Err(e @ FrameError::TooLarge(_)) => return Err(fault(FaultKind::TooLarge, e.to_string())),
            Err(e) => return Err(self.end_worker(Ending::Closed(Some(e))).await),
        }
        // Allows for the few events that are not tokens.
        self.running.insert(id, u64::from(request.max_output_tokens) + 16);
        Ok(id)
    }

    /// The next update of any running request. A request's last event ends its id. Cancel-safe: a dropped
    /// call loses nothing.
    pub async fn next(&mut self) -> Result<Update, Fault> {
        loop {
            let reply = self.receive().await?;
            match reply {
                Reply::Accepted { id, at } if self.running.contains_key(&id) => {
                    return Ok(Update::Accepted { id, at });
                }
                Reply::Events { id, events } if self.running.contains_key(&id) => {
                    if !self.count(id, &events) {
                        return Err(self.end_worker(Ending::Flood).await);
                    }
                    return Ok(Update::Events { id, events });
                }
                // A heartbeat, or what a cancelled request had still sent.
                Reply::Heartbeat { .. } | Reply::Accepted { .. } | Reply::Events { .. } => {}
                other => {
                    let what = format!("an unexpected {} reply", name(&other));
                    return Err(self.end_worker(Ending::Nonsense(FrameError::Nonsense(what))).await);
                }
            }
        }
    }

    /// Are these events no more than the request may send? Forgets the request with its last event.
    fn count(&mut self, id: u32, events: &[Stamped]) -> bool {
        let Some(left) = self.running.get_mut(&id) else { return false };
        let Some(rest) = left.checked_sub(events.len() as u64) else { return false };
        *left = rest;
        if events.iter().any(|e| matches!(e.event, Event::Finished { .. } | Event::Failed(_))) {
            self.running.remove(&id);
        }
        true
    }

    /// The embedding of a text, on a backend that was loaded with `embed`.
    pub async fn embed(&mut self, text: &str) -> Result<Embedding, Fault> {
        self.cancel_all().await?;
        self.watch.restart();
        let id = self.new_id();
        let begun = Instant::now();
        match self.worker.send(&Command::Embed { id, text: text.to_owned() }).await {
            Ok(()) => {}
            Err(e @ FrameError::TooLarge(_)) => return Err(fault(FaultKind::TooLarge, e.to_string())),
            Err(e) => return Err(self.end_worker(Ending::Closed(Some(e))).await),
        }
        let dimensions = self.info.loaded.embedding.as_ref().map_or(0, |kind| kind.dimensions);
        loop {
            match self.receive().await? {
                Reply::Embedded { id: of, tokens, tokenize_ns, ns, vector }
                    if of == id && vector.len() == dimensions as usize && dimensions > 0 =>
                {
                    return Ok(Embedding {
                        tokens,
                        tokenizing: Duration::from_nanos(tokenize_ns),
                        computing: Duration::from_nanos(ns),
                        total: begun.elapsed(),
                        vector,
                    });
                }
                Reply::TaskFailed { id: of, fault } if of == id => return Err(fault),
                other => self.expect_no_more(&other).await?,
            }
        }
    }

    /// Ignores a reply that may come at any time; any other ends the worker.
    async fn expect_no_more(&mut self, reply: &Reply) -> Result<(), Fault> {
        match reply {
            Reply::Heartbeat { .. } | Reply::Events { .. } | Reply::Accepted { .. } => Ok(()),
            other => {
                let what = format!("an unexpected {} reply", name(other));
                Err(self.end_worker(Ending::Nonsense(FrameError::Nonsense(what))).await)
            }
        }
    }

    fn new_id(&mut self) -> u32 {
        let id = self.next_id;
        self.next_id = self.next_id.wrapping_add(1);
        id
    }

    /// Measures the engine alone, as llama-bench does: `rounds` timings of `prompt` tokens of prefill, or
    /// of `generate` tokens of decoding, after `depth` tokens of context.
    pub async fn synthetic(
        &mut self,
        prompt: u32,
        generate: u32,
        depth: u32,
        rounds: u32,
    ) -> Result<Vec<Timed>, Fault> {
        self.cancel_all().await?;
        self.watch.restart();
        let id = self.new_id();
        let command = Command::Synthetic { id, prompt, generate, depth, rounds };
        if let Err(e) = self.worker.send(&command).await {
            return Err(self.end_worker(Ending::Closed(Some(e))).await);
        }
        let mut times = Vec::new();
        let mut begun = None;
        loop {
            match self.receive().await? {
                Reply::RoundBegins { id: of } if of == id => begun = self.meter.as_ref().map(Meter::mark),
                Reply::Round { id: of, ns, last, .. } if of == id => {
                    let energy = begun.take().and_then(|mark| self.meter.as_ref()?.since(mark));
                    times.push(Timed { took: Duration::from_nanos(ns), energy });
                    if last {
                        return Ok(times);
                    }
                    if times.len() > rounds as usize {
                        return Err(self.end_worker(Ending::Flood).await);
                    }
                }
                Reply::TaskFailed { id: of, fault } if of == id => return Err(fault),
                other => self.expect_no_more(&other).await?,
            }
        }
    }

    /// The next reply; a worker that is silent or makes no progress for too long is ended.
    async fn receive(&mut self) -> Result<Reply, Fault> {
        if let Some(fault) = &self.dead {
            return Err(fault.clone());
        }
        match receive(&mut self.worker, self.limits.silence, self.limits.stall, &mut self.watch).await {
            Ok(reply) => Ok(reply),
            Err(ending) => Err(self.end_worker(ending).await),
        }
    }

    /// Stops requests whose caller no longer waits, before another is measured.
    async fn cancel_all(&mut self) -> Result<(), Fault> {
        for id in std::mem::take(&mut self.running).into_keys() {
            if let Err(e) = self.worker.send(&Command::Cancel { id }).await {
                return Err(self.end_worker(Ending::Closed(Some(e))).await);
            }
        }
        Ok(())
    }

    async fn end_worker(&mut self, ending: Ending) -> Fault {
        let fault = self.worker.ended(ending).await;
        self.running.clear();
        self.dead = Some(fault.clone());
        fault
    }

    /// Lets the worker end by itself, and kills it where it does not.
    pub async fn shutdown(mut self) {
        self.worker.close().await;
    }
}

/// What the engine of this program is and which devices it sees: asked of a worker that loads nothing.
pub async fn engine() -> Result<EngineBuild, Fault> {
    let mut worker = Worker::spawn(&WorkerCommand::this_program()?)?;
    let build = hello(&mut worker, &Limits::default()).await?;
    worker.close().await;
    Ok(build)
}

async fn hello(worker: &mut Worker, limits: &Limits) -> Result<EngineBuild, Fault> {
    let ending = match receive(worker, limits.start, limits.start, &mut StallWatch::new()).await {
        Ok(Reply::Hello { version: VERSION, build }) => return Ok(build),
        Ok(Reply::Unusable(fault)) => {
            worker.close().await;
            return Err(fault);
        }
        Ok(Reply::Hello { version, .. }) => Ending::Nonsense(FrameError::Nonsense(format!(
            "it speaks version {version}; was the program replaced while it ran?"
        ))),
        Ok(other) => Ending::Nonsense(FrameError::Nonsense(format!("{} instead of hello", name(&other)))),
        Err(ending) => ending,
    };
    Err(worker.ended(ending).await)
}

async fn load_reply(
    worker: &mut Worker,
    limits: &Limits,
    progress: &mut dyn FnMut(f32),
) -> Result<Loaded, Fault> {
    let mut watch = StallWatch::new();
    loop {
        let ending = match receive(worker, limits.silence, limits.stall, &mut watch).await {
            Ok(Reply::LoadProgress { fraction }) => {
                watch.restart();
                progress(fraction.clamp(0.0, 1.0));
                continue;
            }
            Ok(Reply::Heartbeat { .. }) => continue,
            Ok(Reply::Loaded(loaded)) => return Ok(*loaded),
            Ok(Reply::LoadFailed(fault)) => {
                let fault = worker.with_log(fault);
                worker.close().await;
                return Err(fault);
            }
            Ok(other) => Ending::Nonsense(FrameError::Nonsense(format!("{} while loading", name(&other)))),
            Err(ending) => ending,
        };
        return Err(worker.ended(ending).await);
    }
}

async fn receive(
    worker: &mut Worker,
    silence: Duration,
    stall: Duration,
    watch: &mut StallWatch,
) -> Result<Reply, Ending> {
    match tokio::time::timeout(silence, worker.receive()).await {
        Err(_) => Err(Ending::Silent(silence)),
        Ok(None) => Err(Ending::Closed(None)),
        Ok(Some(Err(e))) => Err(Ending::Nonsense(e)),
        Ok(Some(Ok(Reply::Heartbeat { progress }))) => {
            if watch.stalled(progress, stall) {
                Err(Ending::Stalled(stall))
            } else {
                Ok(Reply::Heartbeat { progress })
            }
        }
        Ok(Some(Ok(reply))) => {
            watch.restart();
            Ok(reply)
        }
    }
}

fn name(reply: &Reply) -> &'static str {
    match reply {
        Reply::Hello { .. } => "hello",
        Reply::Unusable(_) => "unusable",
        Reply::LoadProgress { .. } => "load-progress",
        Reply::Loaded(_) => "loaded",
        Reply::LoadFailed(_) => "load-failed",
        Reply::Heartbeat { .. } => "heartbeat",
        Reply::Accepted { .. } => "accepted",
        Reply::Events { .. } => "events",
        Reply::Round { .. } => "round",
        Reply::RoundBegins { .. } => "round-begins",
        Reply::Embedded { .. } => "embedded",
        Reply::TaskFailed { .. } => "task-failed",
    }
}
