//! Compares the monotonic clock with the wall clock. Every time in this program is the monotonic clock's,
//! which setting the wall clock does not move. If the two drift apart while a request is under way, either
//! the wall clock was set or the machine slept, and then the answer waited in a buffer: the sample is
//! marked. A sample is also marked if this process was stopped meanwhile (Ctrl-Z, a debugger, a paused
//! container): then both clocks went on, but the program did not.

use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// Both clocks at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Clocks {
    wall: SystemTime,
    monotonic: Instant,
    /// How long this process had been stopped up to that moment.
    stopped: Duration,
}

/// Smallest gap that is reported: corrections by a time service during a request stay below it.
const LEAST: Duration = Duration::from_secs(1);

impl Clocks {
    /// Both clocks now.
    pub fn now() -> Self {
        Self { wall: SystemTime::now(), monotonic: Instant::now(), stopped: stopped() }
    }

    /// Milliseconds by which the wall clock has moved against the monotonic one since `self` (negative: it
    /// fell behind), or for which this process was stopped. `None` where it was less than a second.
    pub fn gap_ms(self) -> Option<f64> {
        self.gap(Self::now())
    }

    fn gap(self, now: Self) -> Option<f64> {
        let wall = match now.wall.duration_since(self.wall) {
            Ok(ahead) => ahead.as_secs_f64(),
            Err(behind) => -behind.duration().as_secs_f64(),
        };
        let gap = wall - now.monotonic.duration_since(self.monotonic).as_secs_f64();
        let stopped = now.stopped.saturating_sub(self.stopped);
        if gap.abs() >= LEAST.as_secs_f64() {
            Some(gap * 1000.0)
        } else {
            (stopped >= LEAST).then_some(stopped.as_secs_f64() * 1000.0)
        }
    }
}

/// Time between two looks of the thread at the clock.
const BEAT: Duration = Duration::from_millis(200);
/// Time between two looks from which on the process counts as stopped. On a busy machine a thread that only
/// sleeps is some tens of milliseconds late.
const LATE: Duration = Duration::from_millis(1500);

/// What a thread that looks at the clock five times a second has seen. After a stop it wakes at the same
/// moment as the requests that ask for its count, so that count and last look are changed and read
/// together.
#[derive(Debug, Clone, Copy)]
struct Pulse {
    last: Instant,
    /// How long the process has been stopped, as far as the thread has seen.
    stopped: Duration,
}

impl Pulse {
    fn look(&mut self, now: Instant) {
        self.stopped = self.total(now);
        self.last = now;
    }

    /// The time counted so far, and the time of a stop that the thread has not seen yet.
    fn total(&self, now: Instant) -> Duration {
        self.stopped + missed(now.saturating_duration_since(self.last))
    }
}

/// The part of the time between two looks that the process was stopped; zero where it was not.
fn missed(between: Duration) -> Duration {
    if between < LATE { Duration::ZERO } else { between.saturating_sub(BEAT) }
}

/// How long this process has been stopped since the first call, which starts the thread.
fn stopped() -> Duration {
    static PULSE: OnceLock<Option<&'static Mutex<Pulse>>> = OnceLock::new();
    let pulse = PULSE.get_or_init(|| {
        let pulse = Mutex::new(Pulse { last: Instant::now(), stopped: Duration::ZERO });
        let pulse: &'static Mutex<Pulse> = Box::leak(Box::new(pulse));
        let beat = move || loop {
            std::thread::sleep(BEAT);
            let mut pulse = pulse.lock().unwrap_or_else(PoisonError::into_inner);
            pulse.look(Instant::now());
        };
        // If the thread cannot be started, stops are not noticed; nothing else depends on it.
        std::thread::Builder::new().name("pulse".into()).spawn(beat).ok().map(|_| pulse)
    });
    pulse.map_or(Duration::ZERO, |pulse| {
        let pulse = pulse.lock().unwrap_or_else(PoisonError::into_inner);
        pulse.total(Instant::now())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_clock_alone_did_is_a_gap() {
        let begin = Clocks::now();
        let after = |wall: i64, monotonic: u64| {
            let magnitude = Duration::from_secs(wall.unsigned_abs());
            let wall = if wall < 0 { begin.wall - magnitude } else { begin.wall + magnitude };
            let monotonic = begin.monotonic + Duration::from_secs(monotonic);
            begin.gap(Clocks { wall, monotonic, stopped: begin.stopped })
        };
        assert_eq!(after(600, 600), None);
        assert_eq!(after(86_400 + 5, 5), Some(86_400_000.0));
        assert_eq!(after(5 - 86_400, 5), Some(-86_400_000.0));
        let stopped = Clocks { stopped: begin.stopped + Duration::from_secs(3), ..begin };
        assert_eq!(begin.gap(stopped), Some(3000.0));
        assert_eq!(missed(BEAT), Duration::ZERO);
        assert_eq!(missed(Duration::from_millis(3200)), Duration::from_secs(3));
    }

    #[test]
    fn a_stop_counts_the_same_before_and_after_it_was_looked_at() {
        let begin = Instant::now();
        let mut pulse = Pulse { last: begin, stopped: Duration::ZERO };
        let at = |ms: u64| begin + Duration::from_millis(ms);
        pulse.look(at(200));
        assert_eq!(pulse.total(at(300)), Duration::ZERO);
        // Stopped from 300 ms on; a request gets the same answer before and after the thread has looked.
        let stop = Duration::from_millis(2200 + 100 - 200);
        assert_eq!(pulse.total(at(2500)), stop);
        pulse.look(at(2500));
        assert_eq!(pulse.total(at(2501)), stop);
        pulse.look(at(2700));
        assert_eq!(pulse.total(at(2750)), stop);
    }
}
