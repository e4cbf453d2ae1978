//! A phase on the local engine: one worker that decodes several requests together and lets more
//! wait. A request's clock runs from its acceptance, so waiting for a place is inside.

use super::phase::{PhaseEnd, Shape, Surroundings};
use super::queue::Queue;
use crate::measure::backend::local::{LocalBackend, Update};
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

/// The phase while it runs.
struct Running<'b, 's> {
    backend: &'b mut LocalBackend,
    around: Surroundings<'s>,
    open: BTreeMap<u32, Open>,
    origin: Instant,
    /// The device's energy at `origin`.
    energy: Option<Mark>,
    measuring: Option<Instant>,
    over: Option<PhaseEnd>,
}

/// Send all of a queue.
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

impl Running<'_, '_> {
    async fn closed(&mut self, queue: &mut Queue, concurrency: u32) -> Result<PhaseEnd, Fault> {
        loop {
            while self.over.is_none() && self.open.len() < concurrency as usize {
                let sending_for = self.measuring.map_or(Duration::ZERO, |since| since.elapsed());
                let Some((step, _)) = queue.next(sending_for) else { break };
                self.send(step, None).await?;
            }
            if self.open.is_empty() {
                return Ok(self.over.take().unwrap_or(PhaseEnd::Whole));
            }
            let update = self.backend.next().await?;
            self.update(update);
        }
    }

    async fn open_loop(&mut self, queue: &mut Queue) -> Result<PhaseEnd, Fault> {
        let mut due = self.origin;
        let mut upcoming = queue.next(Duration::ZERO);
        loop {
            match upcoming.filter(|_| self.over.is_none()) {
                None if self.open.is_empty() => return Ok(self.over.take().unwrap_or(PhaseEnd::Whole)),
                None => {
                    let update = self.backend.next().await?;
                    self.update(update);
                }
                Some((step, gap)) => {
                    let at = due + gap;
                    tokio::select! {
                        biased;
                        () = sleep_until(at) => {
                            self.send(step, Some(at - self.origin)).await?;
                            due = at;
                            upcoming = queue.next(Duration::ZERO);
                        }
                        update = self.backend.next(), if !self.open.is_empty() => self.update(update?),
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
        let request = (self.around.request)(&step);
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
    }
}
