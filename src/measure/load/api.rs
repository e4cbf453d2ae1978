//! A load phase against an API. Over HTTP/1 each request under way has a connection of its own, as each
//! user would; over HTTP/2 up to fifty share one.

use super::lag::Lag;
use super::phase::{PhaseEnd, Shape, Surroundings};
use super::queue::Queue;
use crate::measure::backend::http::{ApiBackend, ApiTarget, Limits};
use crate::measure::clock::Clocks;
use crate::measure::conversation::Histories;
use crate::measure::counts::Counted;
use crate::measure::event::{Fault, FaultKind, Request};
use crate::measure::figures::figures;
use crate::measure::redact::Redactor;
use crate::measure::retry::{Advice, back_off};
use crate::measure::run::Record;
use crate::measure::schedule::Step;
use crate::measure::trace::{Recorder, Trace};
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

/// The clients that the requests of a phase are sent with.
#[derive(Debug)]
pub struct Pool {
    target: ApiTarget,
    limits: Limits,
    idle: Vec<ApiBackend>,
    /// The newest client, and how many requests share it.
    newest: Option<(ApiBackend, u32)>,
    redactor: Redactor,
}

impl Pool {
    pub fn new(target: ApiTarget, limits: Limits) -> Self {
        let mut redactor = Redactor::default();
        if let Some(key) = &target.key {
            redactor.add(key);
        }
        Self { target, limits, idle: Vec::new(), newest: None, redactor }
    }

    fn take(&mut self) -> Result<ApiBackend, Fault> {
        self.prepare(1)?;
        // `prepare` has just made one.
        self.idle
            .pop()
            .ok_or_else(|| Fault { kind: FaultKind::Request, message: "no client is left".to_owned() })
    }

    /// Makes clients until this many are ready, so that none is made while others are timed.
    fn prepare(&mut self, count: usize) -> Result<(), Fault> {
        while self.idle.len() < count {
            let backend = match &self.newest {
                Some((client, users)) if *users < SHARING => {
                    let backend = client.beside();
                    self.newest = Some((client.beside(), users + 1));
                    backend
                }
                _ => {
                    let client = ApiBackend::new(self.target.clone(), self.limits)
                        .map_err(|message| Fault { kind: FaultKind::Request, message })?;
                    self.newest = Some((client.beside(), 1));
                    client
                }
            };
            self.idle.push(backend);
        }
        Ok(())
    }
}

/// Requests that may share a client. Over HTTP/2 they share a connection too, and servers allow
/// about a hundred streams on one: more would wait in the client, unseen.
const SHARING: u32 = 50;

/// Requests that are sent in a row before it is checked that this program keeps up.
const TURN: u32 = 32;

/// Waits until a sleep of 1 ms really is short, that is, until events of the requests under way are handled
/// as they come. Tries eight times at most, since a machine may be busy with something else.
async fn catch_up() {
    const SHORT: Duration = Duration::from_millis(1);
    for _ in 0..8 {
        let due = Instant::now() + SHORT;
        sleep_until(due).await;
        if due.elapsed() < 2 * SHORT {
            return;
        }
    }
}

/// Refusals in a row after which a target that has never answered is given up.
const HOPELESS: u32 = 20;

/// Has the system enlarge this process's table of open files beforehand. It doubles the table when it is
/// full, and makes every thread wait for up to tens of milliseconds then.
fn make_room_for(connections: usize) {
    #[cfg(unix)]
    if connections > 128 {
        let open = || std::fs::File::open("/dev/null").ok();
        drop((0..connections + 128).map_while(|_| open()).collect::<Vec<_>>());
    }
    #[cfg(not(unix))]
    let _ = connections;
}

/// A request that ended, with its client, which is free again.
struct Ended {
    backend: ApiBackend,
    done: Option<(Record, Advice)>,
}

/// The state of a phase while it runs.
struct Running<'p, 's> {
    pool: &'p mut Pool,
    around: Surroundings<'s>,
    set: JoinSet<Ended>,
    /// The answers of conversations under way.
    histories: Histories,
    origin: Instant,
    /// When the first measured request was sent.
    measuring: Option<Instant>,
    lag: Lag,
    /// Refusals since the last answer: the more, the longer the server is left alone.
    setbacks: u32,
    answered: bool,
    over: Option<PhaseEnd>,
}

/// Sends all requests of a queue, and reports how the phase ended.
pub async fn run(
    pool: &mut Pool,
    queue: &mut Queue,
    around: Surroundings<'_>,
    stop: Pin<&mut impl Future<Output = ()>>,
) -> PhaseEnd {
    let ready = match queue.phase.shape {
        Shape::Closed { concurrency } => concurrency as usize,
        Shape::Open { .. } => 4,
    };
    make_room_for(ready);
    if let Err(fault) = pool.prepare(ready) {
        return PhaseEnd::Lost(fault);
    }
    let mut running = Running {
        pool,
        around,
        set: JoinSet::new(),
        histories: Histories::default(),
        origin: Instant::now(),
        measuring: None,
        lag: Lag::default(),
        setbacks: 0,
        answered: false,
        over: None,
    };
    let clock = running.lag.clone().watch();
    let work = async {
        match queue.phase.shape {
            Shape::Closed { concurrency } => running.closed(queue, concurrency).await,
            Shape::Open { .. } => running.open(queue).await,
        }
    };
    // Requests are tasks of their own, so that an event of one wakes that task and nothing else.
    tokio::select! {
        biased;
        () = stop => PhaseEnd::Interrupted,
        end = work => end,
        () = clock => PhaseEnd::Interrupted,
    }
}

impl Running<'_, '_> {
    async fn closed(&mut self, queue: &mut Queue, concurrency: u32) -> PhaseEnd {
        let mut free = concurrency;
        loop {
            while free > 0 && self.over.is_none() {
                let Some((step, _)) = queue.next(self.sending_for()) else { break };
                if !self.send(step, None) {
                    break;
                }
                free -= 1;
                // A loop of thousands is filled bit by bit, so that events of those under way are stamped
                // in time.
                if concurrency > TURN && free.is_multiple_of(TURN) {
                    catch_up().await;
                }
            }
            match self.set.join_next().await {
                Some(Ok(ended)) => {
                    let paused = self.ended(ended);
                    free += u32::from(!paused);
                }
                Some(Err(_)) => {}
                None => return self.over.take().unwrap_or(PhaseEnd::Whole),
            }
        }
    }

    async fn open(&mut self, queue: &mut Queue) -> PhaseEnd {
        let mut due = self.origin;
        let mut not_before = self.origin;
        let mut upcoming = queue.next(Duration::ZERO);
        loop {
            if self.over.is_some() {
                upcoming = None;
            }
            let Some((step, gap)) = upcoming else {
                match self.set.join_next().await {
                    Some(Ok(ended)) => {
                        self.ended(ended);
                    }
                    Some(Err(_)) => {}
                    None => return self.over.take().unwrap_or(PhaseEnd::Whole),
                }
                continue;
            };
            let at = due + gap;
            tokio::select! {
                biased;
                () = sleep_until(at.max(not_before)) => {
                    self.send(step, Some(at - self.origin));
                    due = at;
                    upcoming = queue.next(Duration::ZERO);
                    // The client is made now, not when the next request is due.
                    let _ = self.pool.prepare(1);
                }
                Some(Ok(ended)) = self.set.join_next(), if !self.set.is_empty() => {
                    let asked = ended.done.as_ref().and_then(|(_, advice)| requested_pause(*advice));
                    self.ended(ended);
                    if let Some(wait) = asked {
                        not_before = not_before.max(Instant::now() + wait);
                    }
                }
            }
        }
    }

    fn sending_for(&self) -> Duration {
        self.measuring.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// Starts one request; `false` where none may start any more.
    fn send(&mut self, step: Step, scheduled: Option<Duration>) -> bool {
        if self.over.is_some() {
            return false;
        }
        if self.around.watch.before(&step).is_break() {
            self.over = Some(PhaseEnd::Stopped);
            return false;
        }
        let backend = match self.pool.take() {
            Ok(backend) => backend,
            Err(fault) => {
                self.over = Some(PhaseEnd::Lost(fault));
                return false;
            }
        };
        if !step.warmup && self.measuring.is_none() {
            self.measuring = Some(Instant::now());
        }
        let request = self.around.asker.request(&step, &[]);
        let sending = send_one(backend, step, request, scheduled, self.origin, self.lag.clone());
        self.set.spawn(sending);
        true
    }

    /// Starts the next turn of the conversation that this step was a turn of, with the same client. Returns
    /// the client where the conversation is over.
    fn start_next_turn(&mut self, step: &Step, backend: ApiBackend) -> Option<ApiBackend> {
        let next = Step { turn: step.turn + 1, ..*step };
        if self.over.is_some() || next.turn >= self.around.asker.turns(step.prompt) {
            return Some(backend);
        }
        let Some(said) = self.histories.before(&next) else { return Some(backend) };
        let request = self.around.asker.request(&next, said);
        if self.around.watch.before(&next).is_break() {
            self.over = Some(PhaseEnd::Stopped);
            return Some(backend);
        }
        let pause = self.around.asker.pause(&next);
        let sending = send_one(backend, next, request, None, self.origin, self.lag.clone());
        // The request's clock starts when it is polled first.
        self.set.spawn(async move {
            sleep(pause).await;
            sending.await
        });
        None
    }

    /// Takes in a request that ended. `true`: its place stays empty for a while, as the server asked.
    fn ended(&mut self, ended: Ended) -> bool {
        let Some((mut record, advice)) = ended.done else {
            self.pool.idle.push(ended.backend);
            return false;
        };
        record.redact(&self.pool.redactor);
        let turns = self.around.asker.turns(record.step.prompt);
        self.histories.note(&record.step, turns, record.answered());
        self.setbacks += u32::from(matches!(advice, Advice::Retry(_)));
        if let Some(fault) = &record.figures.error {
            // The server has never answered: there is no load to measure.
            if advice == Advice::Provider || (!self.answered && self.setbacks >= HOPELESS) {
                self.over.get_or_insert(PhaseEnd::Lost(fault.clone()));
            }
        } else {
            (self.answered, self.setbacks) = (true, 0);
        }
        if self.around.watch.after(&record).is_break() {
            self.over.get_or_insert(PhaseEnd::Stopped);
        }
        let wait = match advice {
            Advice::Retry(said) if record.figures.error.is_some() => {
                Some(said.unwrap_or_else(|| back_off(self.setbacks.clamp(1, 5), 0.0)))
            }
            _ => None,
        };
        let Some(backend) = self.start_next_turn(&record.step, ended.backend) else { return true };
        let Some(wait) = wait.filter(|_| self.over.is_none()) else {
            self.pool.idle.push(backend);
            return false;
        };
        self.set.spawn(async move {
            sleep(wait).await;
            Ended { backend, done: None }
        });
        true
    }
}

/// How long a server asked to be left alone.
fn requested_pause(advice: Advice) -> Option<Duration> {
    match advice {
        Advice::Retry(said) => said,
        _ => None,
    }
}

async fn send_one(
    mut backend: ApiBackend,
    step: Step,
    request: Request,
    scheduled: Option<Duration>,
    origin: Instant,
    lag: Lag,
) -> Ended {
    let (sent, clocks) = (Instant::now(), Clocks::now());
    let mut recorder = Recorder::new(request.max_output_tokens);
    let outcome = backend.generate(&request, &mut |event| recorder.note(event)).await;
    let trace = Trace { clock_gap_ms: clocks.gap_ms(), ..recorder.finish() };
    let figures = figures(&trace, Counted::ByProvider);
    let record = Record {
        step,
        started: sent - origin,
        scheduled,
        took: sent.elapsed(),
        client_lag: Some(lag.since(sent)),
        statuses: figures.status.into_iter().collect(),
        trace,
        figures,
        unredacted: None,
        attempts: 1,
        waited: Duration::ZERO,
        connect: outcome.connect,
        meter_j: None,
    };
    Ended { backend, done: Some((record, outcome.advice)) }
}
