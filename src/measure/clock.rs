//! The two clocks of the machine beside each other. Every time in this program is the monotonic
//! clock's, which setting the wall clock does not move. Where the two went apart while a request was
//! under way, either that was done or the machine slept, and then the answer waited in a buffer:
//! the sample is marked. So is one during which this process was stopped (Ctrl-Z, a debugger, a container
//! that was paused): both clocks went on then, but nobody looked.

use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// Both clocks at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Clocks {
    wall: SystemTime,
    monotonic: Instant,
    /// How long this process had been stopped until then.
    stopped: Duration,
}

/// What a time service corrects in a request's time stays below this.
const LEAST: Duration = Duration::from_secs(1);

impl Clocks {
    pub fn now() -> Self {
        Self { wall: SystemTime::now(), monotonic: Instant::now(), stopped: stopped() }
    }

    /// Milliseconds that the wall clock gained on the monotonic one since (negative: lost), or that this
    /// process was stopped; none below a second.
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

/// Between two looks at the clock.
const BEAT: Duration = Duration::from_millis(200);
/// A look that comes later than this was kept from it: the process was stopped. On a busy machine a
/// thread that only sleeps is some tens of milliseconds late.
const LATE: Duration = Duration::from_millis(1500);

/// A thread that looks at the clock five times a second. After a stop it wakes at the same moment as the
/// requests that ask it: what it counted and when it looked are changed and read together.
#[derive(Debug, Clone, Copy)]
struct Pulse {
    last: Instant,
    /// How long it was kept from looking so far.
    stopped: Duration,
}

impl Pulse {
    fn look(&mut self, now: Instant) {
        self.stopped = self.total(now);
        self.last = now;
    }

    /// What was counted, and what is going on as the thread has not looked yet.
    fn total(&self, now: Instant) -> Duration {
        self.stopped + missed(now.saturating_duration_since(self.last))
    }
}

/// Of the time between two looks, what is too much.
fn missed(between: Duration) -> Duration {
    if between < LATE { Duration::ZERO } else { between.saturating_sub(BEAT) }
}

/// How long this process has been stopped since it first asked.
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
        // Without the thread nothing is noticed, and nothing else is worse.
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
        // Stopped from 300 ms on; what asks first is answered as what asks later.
        let stop = Duration::from_millis(2200 + 100 - 200);
        assert_eq!(pulse.total(at(2500)), stop);
        pulse.look(at(2500));
        assert_eq!(pulse.total(at(2501)), stop);
        pulse.look(at(2700));
        assert_eq!(pulse.total(at(2750)), stop);
    }
}
