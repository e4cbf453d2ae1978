//! The worker process: reads commands, drives the engine, writes what happens.
//!
//! ```text
//! stdin ─► reader thread ─► commands with their time of arrival ─┐
//!                                                                ▼
//! stdout ◄─ frames ◄─ events of every running request ◄─ one engine step after another
//!        ◄─ heartbeat thread, twice a second while there is work
//! ```
//!
//! The pipe on stdout belongs to the protocol: it is moved aside at the start and file descriptor 1
//! is pointed at stderr, so that nothing a library prints can reach it. The process holds no key,
//! writes no core file, dies with its parent, and ends at once when its stdin closes.

use super::engine::{Engine, Progress, Round, Synthetic, nanos};
use super::protocol::{self, Command, FrameError, MAX_DIMENSIONS, Reply};
use crate::measure::event::{Event, Fault, FaultKind, Stamped};
use std::fs::File;
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often a busy worker sends a heartbeat.
const HEARTBEAT: Duration = Duration::from_millis(500);
/// Events wait at most this long to be written together; their time stamps are not affected.
const BATCHING: Duration = Duration::from_millis(20);

/// The pipe to the parent, shared with the heartbeat thread.
#[derive(Debug, Clone)]
pub struct Link {
    out: Arc<Mutex<File>>,
    busy: Arc<AtomicBool>,
    progress: Arc<AtomicU64>,
}

impl Link {
    pub fn new(out: File) -> Self {
        Self {
            out: Arc::new(Mutex::new(out)),
            busy: Arc::new(AtomicBool::new(false)),
            progress: Arc::new(AtomicU64::new(0)),
        }
    }
    /// Writes a reply. A parent that cannot be written to is gone, and the process ends.
    fn send(&self, reply: &Reply) {
        self.send_all(std::iter::once(reply));
    }
    /// Several replies in one write: with many requests at once each write is time that the engine waits.
    fn send_all(&self, replies: impl Iterator<Item = impl std::borrow::Borrow<Reply>>) {
        let mut frames = Vec::new();
        for reply in replies {
            let Ok(frame) = protocol::encode(reply.borrow()) else { end(3) };
            frames.extend(frame);
        }
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        if out.write_all(&frames).is_err() {
            end(0);
        }
    }
    fn beat(&self) {
        loop {
            std::thread::sleep(HEARTBEAT);
            if self.busy.load(Ordering::Relaxed) {
                self.send(&Reply::Heartbeat { progress: self.progress.load(Ordering::Relaxed) });
            }
        }
    }
}

impl Progress for Link {
    fn tick(&self) {
        self.progress.fetch_add(1, Ordering::Relaxed);
    }
    fn loading(&self, fraction: f32) {
        self.tick();
        self.send(&Reply::LoadProgress { fraction });
    }
}

/// Runs the worker: the body of the hidden subcommand. Returns when the parent closes the pipe. `engine` is
/// called only once nothing that it prints can reach the parent.
pub fn run<E: Engine>(engine: impl FnOnce() -> E) -> Result<(), FrameError> {
    let out = take_stdout()?;
    harden();
    let link = Link::new(out);
    let commands = read_commands();
    serve(engine(), &commands, &link);
    Ok(())
}

/// Serves commands until the pipe closes.
pub fn serve(mut engine: impl Engine, commands: &Receiver<(Instant, Command)>, link: &Link) {
    let epoch = Instant::now();
    match engine.build() {
        Ok(build) => link.send(&Reply::Hello { version: protocol::VERSION, build }),
        Err(fault) => return link.send(&Reply::Unusable(fault)),
    }
    let heart = link.clone();
    beside(move || heart.beat());
    let mut pending = Pending::default();
    loop {
        let next = if engine.is_busy() {
            match commands.try_recv() {
                Ok(command) => Some(command),
                Err(TryRecvError::Empty) => None,
                Err(TryRecvError::Disconnected) => return,
            }
        } else {
            link.busy.store(false, Ordering::Relaxed);
            match commands.recv_timeout(Duration::from_mins(1)) {
                Ok(command) => Some(command),
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => return,
            }
        };
        link.busy.store(true, Ordering::Relaxed);
        match next {
            Some((at, Command::Generate { id, request })) => {
                link.send(&Reply::Accepted { id, at: nanos(at.duration_since(epoch)) });
                engine.accept(id, request, at);
                // More requests may have come at the same time: they belong in the same step.
                continue;
            }
            Some((_, Command::Cancel { id })) => {
                engine.cancel(id);
                pending.forget(id);
            }
            Some((_, Command::Load(request))) => link.send(&match engine.load(&request, &heard(link)) {
                Ok(loaded) => Reply::Loaded(Box::new(loaded)),
                Err(fault) => Reply::LoadFailed(fault),
            }),
            Some((_, Command::Synthetic { id, prompt, generate, depth, rounds })) => {
                synthetic(&mut engine, id, Synthetic { prompt, generate, depth, rounds }, link);
            }
            Some((_, Command::Embed { id, text })) => link.send(&embed(&mut engine, id, &text)),
            None => {}
        }
        if engine.is_busy() {
            engine.step(&mut |id, event| pending.push(id, event));
            link.tick();
            pending.write_if_due(link);
        }
    }
}

/// The link as the progress that an engine reports to.
fn heard(link: &Link) -> Arc<dyn Progress> {
    Arc::new(link.clone())
}

fn synthetic(engine: &mut impl Engine, id: u32, run: Synthetic, link: &Link) {
    let mut done = 0;
    let mut round = |round: Round| match round {
        Round::Begins => link.send(&Reply::RoundBegins { id }),
        Round::Took(time) => {
            done += 1;
            let tokens = if run.generate > 0 { run.generate } else { run.prompt };
            link.send(&Reply::Round { id, tokens, ns: nanos(time), last: done == run.rounds });
        }
    };
    if let Err(fault) = engine.synthetic(run, &heard(link), &mut round) {
        link.send(&Reply::TaskFailed { id, fault });
    }
}

fn embed(engine: &mut impl Engine, id: u32, text: &str) -> Reply {
    let too_long = |length| Fault {
        kind: FaultKind::Model,
        message: format!("a vector of {length} numbers is longer than the {MAX_DIMENSIONS} allowed"),
    };
    match engine.embed(text) {
        Ok(found) if found.vector.len() > MAX_DIMENSIONS => {
            Reply::TaskFailed { id, fault: too_long(found.vector.len()) }
        }
        Ok(found) => Reply::Embedded {
            id,
            tokens: found.tokens,
            tokenize_ns: nanos(found.tokenizing),
            ns: nanos(found.computing),
            vector: found.vector,
        },
        Err(fault) => Reply::TaskFailed { id, fault },
    }
}

/// Events that wait to be written, in order for each request.
#[derive(Default)]
struct Pending {
    events: Vec<(u32, Vec<Stamped>)>,
    since: Option<Instant>,
    /// The parent is waiting for one of them.
    urgent: bool,
}

impl Pending {
    fn push(&mut self, id: u32, event: Stamped) {
        self.since.get_or_insert_with(Instant::now);
        self.urgent |= matches!(event.event, Event::Finished { .. } | Event::Failed(_));
        match self.events.iter_mut().find(|(of, _)| *of == id) {
            Some((_, events)) => events.push(event),
            None => self.events.push((id, vec![event])),
        }
    }
    fn forget(&mut self, id: u32) {
        self.events.retain(|(of, _)| *of != id);
    }
    fn write_if_due(&mut self, link: &Link) {
        let waited = self.since.is_some_and(|since| since.elapsed() >= BATCHING);
        if self.urgent || waited {
            link.send_all(self.events.drain(..).map(|(id, events)| Reply::Events { id, events }));
            self.since = None;
            self.urgent = false;
        }
    }
}

/// Runs `work` on a thread of its own. Where the system starts no further thread, the worker says so and
/// ends.
fn beside(work: impl FnOnce() + Send + 'static) {
    if let Err(e) = std::thread::Builder::new().spawn(work) {
        let _ = writeln!(std::io::stderr(), "error: the system starts no further thread: {e}");
        end(3);
    }
}

/// Commands with the moment their last byte was read: a request's clock starts there, before it
/// waits for anything.
fn read_commands() -> Receiver<(Instant, Command)> {
    let (sender, receiver) = std::sync::mpsc::channel();
    beside(move || {
        let mut input = std::io::stdin().lock();
        loop {
            match protocol::read(&mut input) {
                Ok(Some(command)) => {
                    if sender.send((Instant::now(), command)).is_err() {
                        return;
                    }
                }
                // The parent closed the pipe or is gone: nobody waits for what runs.
                Ok(None) => end(0),
                Err(e) => {
                    let _ = writeln!(std::io::stderr(), "error: unreadable command: {e}");
                    end(3);
                }
            }
        }
    });
    receiver
}

/// Takes the pipe on stdout for the protocol, and points descriptor 1 at stderr instead.
#[cfg(unix)]
fn take_stdout() -> std::io::Result<File> {
    use std::os::fd::AsFd as _;
    let pipe = std::io::stdout().as_fd().try_clone_to_owned()?;
    rustix::stdio::dup2_stdout(std::io::stderr().as_fd())?;
    Ok(pipe.into())
}

#[cfg(windows)]
fn take_stdout() -> std::io::Result<File> {
    use std::os::windows::io::AsHandle as _;
    Ok(std::io::stdout().as_handle().try_clone_to_owned()?.into())
}

/// Limits what the process can do: no core file (it would hold the prompts), no life after the parent's,
/// and no network where the system can take it away.
fn harden() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    }
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Signal, set_parent_process_death_signal};
        let _ = set_parent_process_death_signal(Some(Signal::KILL));
    }
    if super::seal::impossible().is_none()
        && let Err(why) = super::seal::take_network_away()
    {
        // A note in the log that the parent keeps; the worker can do its work all the same.
        let _ = writeln!(std::io::stderr(), "the network could not be taken away: {why}");
    }
}

/// Ends the process at once, whatever the engine's threads do: a worker has nothing to save.
#[allow(clippy::exit)]
fn end(code: i32) -> ! {
    std::process::exit(code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::backend::engine::Embedded;
    use crate::measure::backend::protocol::{EngineBuild, LoadRequest, Loaded, Prompt};
    use crate::measure::event::{Channel, FinishReason};

    /// An engine that answers every request with one word per step.
    #[derive(Default)]
    struct Parrot {
        running: Vec<(u32, u32, Instant)>,
    }

    impl Engine for Parrot {
        fn build(&self) -> Result<EngineBuild, Fault> {
            Ok(EngineBuild {
                name: "parrot".into(),
                version: "1".into(),
                source: String::new(),
                devices: Vec::new(),
                libraries: Vec::new(),
                left_out: Vec::new(),
            })
        }
        fn load(&mut self, _: &LoadRequest, _: &Arc<dyn Progress>) -> Result<Loaded, Fault> {
            unreachable!("not asked for")
        }
        fn accept(&mut self, id: u32, prompt: Prompt, accepted: Instant) {
            self.running.push((id, prompt.max_output_tokens, accepted));
        }
        fn cancel(&mut self, id: u32) {
            self.running.retain(|r| r.0 != id);
        }
        fn is_busy(&self) -> bool {
            !self.running.is_empty()
        }
        fn step(&mut self, emit: &mut dyn FnMut(u32, Stamped)) {
            for (id, left, accepted) in &mut self.running {
                let at = nanos(accepted.elapsed());
                *left -= 1;
                let text = format!("{left} ");
                emit(
                    *id,
                    Stamped { at, event: Event::Content { channel: Channel::Text, text, tokens: Some(1) } },
                );
                if *left == 0 {
                    emit(*id, Stamped { at, event: Event::Finished { reason: FinishReason::Length } });
                }
            }
            self.running.retain(|r| r.1 > 0);
        }
        fn synthetic(
            &mut self,
            run: Synthetic,
            _: &Arc<dyn Progress>,
            round: &mut dyn FnMut(Round),
        ) -> Result<(), Fault> {
            for i in 0..run.rounds {
                round(Round::Begins);
                round(Round::Took(Duration::from_nanos(u64::from(i) + 1)));
            }
            Ok(())
        }
        /// As many numbers as the text has bytes.
        fn embed(&mut self, text: &str) -> Result<Embedded, Fault> {
            let nothing = || Fault { kind: FaultKind::Request, message: "empty".into() };
            let vector = (!text.is_empty()).then(|| vec![0.5; text.len()]).ok_or_else(nothing)?;
            let (tokenizing, computing) = (Duration::from_nanos(1), Duration::from_nanos(2));
            Ok(Embedded { tokens: 3, tokenizing, computing, vector })
        }
    }

    /// Run commands through a worker with the parrot, and read all it wrote.
    fn serve_all(commands: Vec<Command>) -> Vec<Reply> {
        let (sender, receiver) = std::sync::mpsc::channel();
        let now = Instant::now();
        for command in commands {
            sender.send((now, command)).expect("open");
        }
        let file = tempfile::NamedTempFile::new().expect("a file");
        let link = Link::new(file.reopen().expect("reopened"));
        // A last request of one token tells that everything before it was served.
        sender.send((now, generate(99, 1))).expect("open");
        let worker = std::thread::spawn(move || serve(Parrot::default(), &receiver, &link));
        let mut replies;
        loop {
            replies = Vec::new();
            let bytes = std::fs::read(file.path()).expect("read");
            let mut input = bytes.as_slice();
            while let Ok(Some(reply)) = protocol::read::<Reply>(&mut input) {
                replies.push(reply);
            }
            if replies.iter().any(|r| matches!(r, Reply::Events { id: 99, .. })) {
                break;
            }
            std::thread::yield_now();
        }
        drop(sender);
        worker.join().expect("ends when the pipe closes");
        replies
    }

    fn generate(id: u32, max_output_tokens: u32) -> Command {
        Command::Generate { id, request: Prompt { max_output_tokens, ..Prompt::default() } }
    }

    #[test]
    fn overlapping_requests_keep_their_own_order() {
        let replies = serve_all(vec![generate(1, 3), generate(2, 2)]);
        assert!(matches!(replies[0], Reply::Hello { version: protocol::VERSION, .. }));
        let text = |wanted: u32| -> String {
            replies
                .iter()
                .filter_map(|r| match r {
                    Reply::Events { id, events } if *id == wanted => Some(events),
                    _ => None,
                })
                .flatten()
                .filter_map(|e| match &e.event {
                    Event::Content { text, .. } => Some(text.as_str()),
                    _ => None,
                })
                .collect()
        };
        assert_eq!((text(1).as_str(), text(2).as_str()), ("2 1 0 ", "1 0 "));
        assert_eq!(replies.iter().filter(|r| matches!(r, Reply::Accepted { .. })).count(), 3);
    }

    #[test]
    fn a_synthetic_run_ends_with_its_last_round() {
        let run = Command::Synthetic { id: 5, prompt: 512, generate: 0, depth: 0, rounds: 2 };
        let replies = serve_all(vec![run]);
        let begins = replies.iter().filter(|r| matches!(r, Reply::RoundBegins { id: 5 })).count();
        assert_eq!(begins, 2);
        let rounds: Vec<_> = replies
            .into_iter()
            .filter_map(|r| match r {
                Reply::Round { id: 5, tokens, ns, last } => Some((tokens, ns, last)),
                _ => None,
            })
            .collect();
        assert_eq!(rounds, [(512, 1, false), (512, 2, true)]);
    }

    #[test]
    fn a_text_gets_its_vector_or_the_reason_and_no_vector_is_too_long() {
        let texts = ["four".to_owned(), String::new(), "x".repeat(MAX_DIMENSIONS + 1)];
        let commands = (1..).zip(texts).map(|(id, text)| Command::Embed { id, text }).collect();
        let replies: Vec<_> = serve_all(commands)
            .into_iter()
            .filter_map(|r| match r {
                Reply::Embedded { id, tokens, tokenize_ns, ns, vector } => {
                    Some((id, Ok((tokens, tokenize_ns, ns, vector.len()))))
                }
                Reply::TaskFailed { id, fault } => Some((id, Err(fault.kind))),
                _ => None,
            })
            .collect();
        let expected = [(1, Ok((3, 1, 2, 4))), (2, Err(FaultKind::Request)), (3, Err(FaultKind::Model))];
        assert_eq!(replies, expected);
    }
}
