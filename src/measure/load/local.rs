//! A load phase on the local engine: one worker decodes several requests together and lets more wait. A
//! request's clock starts when the worker accepts it, so its latency includes the wait for a place.

use super::phase::{PhaseEnd, Shape, Surroundings};
use super::queue::Queue;
use crate::measure::backend::local::{LocalBackend, Update};
use crate::measure::conversation::Histories;
use crate::measure::counts::Counted;
use crate::measure::energy::{Mark, Meter};
use crate::measure::event::{Event, Fault};
use crate::measure::figures::figures;
use crate::measure::run::Record;
use crate::measure::schedule::Step;
use crate::measure::trace::Recorder;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// A request under way.
struct Open {
    step: Step,
    sent: Instant,
    scheduled: Option<Duration>,
    meter_j: Option<f64>,
    recorder: Recorder,
}

/// The state of a phase while it runs.
struct Running<'b, 's> {
    backend: &'b mut LocalBackend,
    around: Surroundings<'s>,
    open: BTreeMap<u32, Open>,
    /// The answers of conversations under way, and turns whose think time is not over, with when it will
    /// be.
    histories: Histories,
    thinking: Vec<(Instant, Step)>,
    origin: Instant,
    /// The device's energy at `origin`.
    energy: Option<Mark>,
    measuring: Option<Instant>,
    over: Option<PhaseEnd>,
}

/// Sends all requests of a queue, and reports how the phase ended.
pub async fn run(
    backend: &mut LocalBackend,
    queue: &mut Queue,
    around: Surroundings<'_>,
    stop: Pin<&mut impl Future<Output = ()>>,
) -> PhaseEnd {
    let energy = backend.meter().map(Meter::mark);
    let mut running = Running {
        backend,
        around,
        open: BTreeMap::new(),
        histories: Histories::default(),
        thinking: Vec::new(),
        origin: Instant::now(),
        energy,
        measuring: None,
        over: None,
    };
    let work = async {
        let outcome = match queue.phase.shape {
            Shape::Closed { concurrency } => running.closed(queue, concurrency).await,
            Shape::Open { .. } => running.open_loop(queue).await,
        };
        outcome.unwrap_or_else(PhaseEnd::Lost)
    };
    tokio::select! {
        biased;
        () = stop => PhaseEnd::Interrupted,
        end = work => end,
    }
}

/// What happens next in a phase.
enum Next {
    /// The think time before a turn is over.
    Turn(Step),
    Update(Update),
}

impl Running<'_, '_> {
    /// Is no request under way and no turn to come?
    fn is_idle(&self) -> bool {
        self.open.is_empty() && self.thinking.is_empty()
    }

    /// The next turn or update. Cancel-safe: a dropped call loses nothing.
    async fn next(&mut self) -> Result<Next, Fault> {
        let due = self.thinking.iter().map(|(at, _)| *at).enumerate().min_by_key(|(_, at)| *at);
        let (place, at) = due.unwrap_or((0, self.origin));
        tokio::select! {
            biased;
            () = sleep_until(at), if due.is_some() => Ok(Next::Turn(self.thinking.swap_remove(place).1)),
            update = self.backend.next(), if !self.open.is_empty() => Ok(Next::Update(update?)),
        }
    }

    async fn on(&mut self, next: Next) -> Result<(), Fault> {
        match next {
            Next::Turn(step) => self.send(step, None).await,
            Next::Update(update) => {
                self.update(update);
                Ok(())
            }
        }
    }

    async fn closed(&mut self, queue: &mut Queue, concurrency: u32) -> Result<PhaseEnd, Fault> {
        loop {
            while self.over.is_none() && self.open.len() + self.thinking.len() < concurrency as usize {
                let sending_for = self.measuring.map_or(Duration::ZERO, |since| since.elapsed());
                let Some((step, _)) = queue.next(sending_for) else { break };
                self.send(step, None).await?;
            }
            if self.is_idle() {
                return Ok(self.over.take().unwrap_or(PhaseEnd::Whole));
            }
            let next = self.next().await?;
            self.on(next).await?;
        }
    }

    async fn open_loop(&mut self, queue: &mut Queue) -> Result<PhaseEnd, Fault> {
        let mut due = self.origin;
        let mut upcoming = queue.next(Duration::ZERO);
        loop {
            match upcoming.filter(|_| self.over.is_none()) {
                None if self.is_idle() => return Ok(self.over.take().unwrap_or(PhaseEnd::Whole)),
                None => {
                    let next = self.next().await?;
                    self.on(next).await?;
                }
                Some((step, gap)) => {
                    let at = due + gap;
                    let idle = self.is_idle();
                    tokio::select! {
                        biased;
                        () = sleep_until(at) => {
                            self.send(step, Some(at - self.origin)).await?;
                            due = at;
                            upcoming = queue.next(Duration::ZERO);
                        }
                        next = self.next(), if !idle => self.on(next?).await?,
                    }
                }
            }
        }
    }

    async fn send(&mut self, step: Step, scheduled: Option<Duration>) -> Result<(), Fault> {
        if self.around.watch.before(&step).is_break() {
            self.over = Some(PhaseEnd::Stopped);
            return Ok(());
        }
        let said = self.histories.before(&step).unwrap_or(&[]);
        let request = self.around.asker.request(&step, said);
        let sent = Instant::now();
        if !step.warmup && self.measuring.is_none() {
            self.measuring = Some(sent);
        }
        let meter_j = self.energy.and_then(|mark| self.backend.meter()?.since(mark)).map(|used| used.joules);
        let id = self.backend.submit(&request, false).await?;
        self.open.insert(
            id,
            Open { step, sent, scheduled, meter_j, recorder: Recorder::new(request.max_output_tokens) },
        );
        Ok(())
    }

    fn update(&mut self, update: Update) {
        let Update::Events { id, events } = update else { return };
        let Some(open) = self.open.get_mut(&id) else { return };
        let last = events.iter().any(|e| matches!(e.event, Event::Finished { .. } | Event::Failed(_)));
        for event in events {
            open.recorder.note(event);
        }
        if last && let Some(open) = self.open.remove(&id) {
            self.ended(open);
        }
    }

    fn ended(&mut self, open: Open) {
        let trace = open.recorder.finish();
        let figures = figures(&trace, Counted::ByEngine);
        let record = Record {
            step: open.step,
            started: open.sent - self.origin,
            scheduled: open.scheduled,
            took: open.sent.elapsed(),
            client_lag: None,
            trace,
            figures,
            unredacted: None,
            attempts: 1,
            waited: Duration::ZERO,
            statuses: Vec::new(),
            connect: None,
            meter_j: open.meter_j,
        };
        if self.around.watch.after(&record).is_break() {
            self.over.get_or_insert(PhaseEnd::Stopped);
        }
        let turns = self.around.asker.turns(record.step.prompt);
        self.histories.note(&record.step, turns, record.answered());
        let next = Step { turn: record.step.turn + 1, ..record.step };
        if self.over.is_none() && next.turn < turns && self.histories.before(&next).is_some() {
            self.thinking.push((Instant::now() + self.around.asker.pause(&next), next));
        }
    }
}
