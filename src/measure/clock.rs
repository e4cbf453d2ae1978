//! The two clocks of the machine beside each other. Every time in this program is the monotonic
//! clock's, which setting the wall clock does not move. Where the two went apart while a request was
//! under way, either that was done or the machine slept, and then the answer waited in a buffer:
//! the sample is marked. So is one during which this process was stopped (Ctrl-Z, a debugger, a container
//! that was paused): both clocks went on then, but nobody looked.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
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

/// A thread that looks at the clock five times a second.
#[derive(Debug)]
struct Pulse {
    begin: Instant,
    /// When it last looked, and how long it was kept from looking so far; nanoseconds.
    last: AtomicU64,
    stopped: AtomicU64,
}

impl Pulse {
    fn look(&self) {
        let now = self.now();
        let before = self.last.swap(now, Ordering::Relaxed);
        self.stopped.fetch_add(nanos(missed(now.saturating_sub(before))), Ordering::Relaxed);
    }
    fn now(&self) -> u64 {
        nanos(self.begin.elapsed())
    }
    /// What was counted, and what is going on as the thread has not looked yet.
    fn total(&self) -> Duration {
        let counted = Duration::from_nanos(self.stopped.load(Ordering::Relaxed));
        counted + missed(self.now().saturating_sub(self.last.load(Ordering::Relaxed)))
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// Of the time between two looks, what is too much.
fn missed(between: u64) -> Duration {
    let between = Duration::from_nanos(between);
    if between < LATE { Duration::ZERO } else { between.saturating_sub(BEAT) }
}

/// How long this process has been stopped since it first asked.
fn stopped() -> Duration {
    static PULSE: OnceLock<Option<&'static Pulse>> = OnceLock::new();
    let pulse = PULSE.get_or_init(|| {
        let pulse: &'static Pulse = Box::leak(Box::new(Pulse {
            begin: Instant::now(),
            last: AtomicU64::new(0),
            stopped: AtomicU64::new(0),
        }));
        let beat = move || loop {
            std::thread::sleep(BEAT);
            pulse.look();
        };
        // Without the thread nothing is noticed, and nothing else is worse.
        std::thread::Builder::new().name("pulse".into()).spawn(beat).ok().map(|_| pulse)
    });
    pulse.map_or(Duration::ZERO, Pulse::total)
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
        assert_eq!((missed(nanos(BEAT)), missed(3_200_000_000)), (Duration::ZERO, Duration::from_secs(3)));
    }
}
