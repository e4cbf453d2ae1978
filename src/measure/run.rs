//! Runs planned steps, one at a time, each with its attempts.
//!
//! ```text
//! steps ─► backend.generate ─► events ─► fold ─► Record ─► RunObserver (journal, progress, spending)
//! ```

use super::backend::Backend;
use super::clock::Clocks;
use super::conversation::{Answered, Histories};
use super::counts::Doubt;
use super::event::{Fault, FaultKind, Request};
use super::figures::{Figures, figures};
use super::redact::Redactor;
use super::retry::{Advice, back_off};
use super::schedule::Step;
use super::trace::{Recorder, Trace};
use rand::{RngExt as _, SeedableRng as _, rngs::ChaCha8Rng};
use serde::{Deserialize, Serialize};
use std::future::Future;
use std::ops::ControlFlow;
use std::time::Duration;
use tokio::time::Instant;

/// One finished request: its figures, and how they were obtained.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    pub step: Step,
    /// Time of the send since the start of the run, or of its phase under load.
    pub started: Duration,
    /// Open loop: when it was due, since the start of its phase.
    pub scheduled: Option<Duration>,
    /// Time from the send until the answer was over, whole or not.
    pub took: Duration,
    /// Under load: the longest delay of this program itself while the request was under way.
    pub client_lag: Option<Duration>,
    /// The trace that the figures were computed from.
    pub trace: Trace,
    pub figures: Figures,
    /// The answer as it came, where a key was removed from the one in `trace`: for grading, and never
    /// written anywhere.
    pub unredacted: Option<String>,
    pub attempts: u32,
    /// Time waited between attempts.
    pub waited: Duration,
    pub statuses: Vec<u16>,
    pub connect: Option<Duration>,
    /// Under load: joules that the device had used at the send, since the start of the phase.
    pub meter_j: Option<f64>,
}

impl Record {
    /// The answer as it came. Where it was read back from a journal, removed keys are missing.
    pub fn answer(&self) -> &str {
        self.unredacted.as_deref().unwrap_or(&self.trace.text)
    }

    /// What a later turn of the conversation needs of this answer; `None` where it failed.
    pub fn answered(&self) -> Option<Answered> {
        let answered =
            || Answered { text: self.answer().to_owned(), tool_calls: self.trace.tool_calls.clone() };
        self.figures.error.is_none().then(answered)
    }

    /// Removes keys from everything that is kept. A key can come back in pieces, one per event, so the
    /// whole answer is searched.
    pub fn redact(&mut self, redactor: &Redactor) {
        let clean = redactor.clean(&self.trace.text);
        if clean != self.trace.text {
            self.unredacted = Some(std::mem::replace(&mut self.trace.text, clean));
            self.trace.redacted = true;
            self.figures.doubts.push(Doubt::Redacted);
        }
        self.trace.thoughts = redactor.clean(&self.trace.thoughts);
    }
}

/// Turns steps into requests.
pub trait Asker {
    /// How many requests one pass of a prompt is: the turns of its conversation, or one.
    fn turns(&self, prompt: usize) -> u32;
    /// The pause before a step, counted from the end of the answer before it.
    fn pause(&self, step: &Step) -> Duration;
    /// The request of a step; `said` has the answers to the turns before it.
    fn request(&self, step: &Step, said: &[Answered]) -> Request;
}

/// Follows a run: the journal, the progress line, the spending cap. Each call decides whether the run goes
/// on; a break means that nothing more is started, because the spending cap is reached or the journal
/// cannot be written.
pub trait RunObserver {
    /// A request is about to start.
    fn before(&mut self, step: &Step) -> ControlFlow<()>;
    /// A request ended; the next one starts after this returns.
    fn after(&mut self, record: &Record) -> ControlFlow<()>;
    /// An attempt failed and is tried again.
    fn retry(&mut self, step: &Step, fault: &Fault, wait: Duration);
}

/// How often and for how long to try.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Attempts after the first.
    pub retries: u32,
    /// Factor on every wait; 0 in tests.
    pub wait_factor: f64,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ended {
    /// Every measured step was started.
    pub complete: bool,
    pub interrupted: bool,
    /// For each target: why nothing more was sent to it.
    pub stopped: Vec<Option<Fault>>,
    /// For each target: measured steps that were never started.
    pub skipped: Vec<u32>,
}

/// Runs the steps in order. `histories` has the answers of conversations that an earlier part of the run
/// began. `stop` ends the run early; the request in flight is then abandoned.
#[allow(clippy::too_many_arguments, reason = "each is another side of the run")]
pub async fn run(
    backends: &mut [Backend],
    steps: &[Step],
    asker: &dyn Asker,
    mut histories: Histories,
    patience: Patience,
    seed: u64,
    watch: &mut dyn RunObserver,
    stop: impl Future<Output = ()>,
) -> Ended {
    let start = Instant::now();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut redactor = Redactor::default();
    for key in backends.iter().filter_map(Backend::key) {
        redactor.add(key);
    }
    let mut ended = Ended {
        complete: true,
        interrupted: false,
        stopped: vec![None; backends.len()],
        skipped: vec![0; backends.len()],
    };
    let mut stop = std::pin::pin!(stop);
    for (n, step) in steps.iter().enumerate() {
        if ended.stopped[step.target].is_some() {
            ended.skipped[step.target] += u32::from(!step.warmup);
            ended.complete &= step.warmup;
            continue;
        }
        let Some(said) = histories.before(step) else {
            // The turn before has no answer to continue from.
            skip_rest(&mut ended, &steps[n..=n]);
            continue;
        };
        let request = asker.request(step, said);
        let pause = asker.pause(step);
        let interrupted = !pause.is_zero()
            && tokio::select! {
                biased;
                () = &mut stop => true,
                () = tokio::time::sleep(pause) => false,
            };
        if interrupted {
            ended.interrupted = true;
            skip_rest(&mut ended, &steps[n..]);
            return ended;
        }
        if watch.before(step).is_break() {
            skip_rest(&mut ended, &steps[n..]);
            return ended;
        }
        let work = attempts(&mut backends[step.target], step, &request, patience, &mut rng, watch, start);
        let done = tokio::select! {
            biased;
            () = &mut stop => None,
            done = work => Some(done),
        };
        let Some((mut record, advice)) = done else {
            ended.interrupted = true;
            skip_rest(&mut ended, &steps[n..]);
            return ended;
        };
        record.redact(&redactor);
        histories.note(step, asker.turns(step.prompt), record.answered());
        if let (Some(fault), Advice::Provider) = (&record.figures.error, advice) {
            ended.stopped[step.target] = Some(fault.clone());
        }
        if watch.after(&record).is_break() {
            skip_rest(&mut ended, &steps[n + 1..]);
            return ended;
        }
    }
    ended
}

fn skip_rest(ended: &mut Ended, rest: &[Step]) {
    for step in rest.iter().filter(|s| !s.warmup) {
        ended.complete = false;
        ended.skipped[step.target] += 1;
    }
}

/// All attempts of one step. Only the last one is measured.
async fn attempts(
    backend: &mut Backend,
    step: &Step,
    request: &Request,
    patience: Patience,
    rng: &mut ChaCha8Rng,
    watch: &mut dyn RunObserver,
    start: Instant,
) -> (Record, Advice) {
    let started = start.elapsed();
    let mut waited = Duration::ZERO;
    let mut statuses = Vec::new();
    for attempt in 1.. {
        let mut recorder = Recorder::new(request.max_output_tokens);
        let (sent, clocks) = (Instant::now(), Clocks::now());
        let outcome = backend.generate(request, &mut |event| recorder.note(event)).await;
        let trace = Trace { clock_gap_ms: clocks.gap_ms(), ..recorder.finish() };
        let figures = figures(&trace, backend.counted());
        statuses.extend(figures.status);
        let retry = match (&figures.error, outcome.advice) {
            (Some(fault), Advice::Retry(wait)) if attempt <= retries_for(fault, patience) => {
                Some((fault.clone(), wait))
            }
            _ => None,
        };
        let Some((fault, said)) = retry else {
            let advice = settle(figures.error.as_ref(), outcome.advice);
            let record = Record {
                step: *step,
                started,
                scheduled: None,
                took: sent.elapsed(),
                client_lag: None,
                trace,
                figures,
                unredacted: None,
                attempts: attempt,
                waited,
                statuses,
                connect: outcome.connect,
                meter_j: None,
            };
            return (record, advice);
        };
        let wait = said.unwrap_or_else(|| back_off(attempt, rng.random())).mul_f64(patience.wait_factor);
        watch.retry(step, &fault, wait);
        tokio::time::sleep(wait).await;
        waited += wait;
    }
    unreachable!("the loop returns")
}

/// Retries for a failure: one after an empty answer, after everything else as many as allowed.
fn retries_for(fault: &Fault, patience: Patience) -> u32 {
    if fault.kind == FaultKind::Empty { patience.retries.min(1) } else { patience.retries }
}

/// What to do once all attempts have failed: a server that cannot be reached is given up.
fn settle(fault: Option<&Fault>, advice: Advice) -> Advice {
    match (fault.map(|f| f.kind), advice) {
        (
            Some(
                FaultKind::ConnectRefused
                | FaultKind::ConnectTimeout
                | FaultKind::ConnectDns
                | FaultKind::Proxy
                | FaultKind::Worker,
            ),
            _,
        ) => Advice::Provider,
        (_, Advice::Retry(_)) => Advice::Sample,
        (_, advice) => advice,
    }
}
