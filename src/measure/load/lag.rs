//! Measures how late this program itself is: a timer should fire every 20 ms, and its delay is recorded.
//! What delays it also delays time stamps. The timer's own resolution of a millisecond is included.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// Time between two looks at the clock.
const EVERY: Duration = Duration::from_millis(20);

/// Delays of the timer, shared with the requests under way. Each entry is when it fired late and by how
/// much, newest last; only those that no later one exceeds are kept, so that there are few, and the first
/// after any instant is the worst since.
#[derive(Debug, Clone, Default)]
pub struct Lag(Arc<Mutex<Vec<(Instant, Duration)>>>);

impl Lag {
    /// Records the delay of a timer every 20 ms. The future never ends: poll it beside the work, and drop
    /// it with the work.
    pub async fn watch(self) {
        let mut due = Instant::now() + EVERY;
        loop {
            sleep_until(due).await;
            let now = Instant::now();
            self.note(now, now - due);
            // Ticks that were slept through are not made up for.
            due = (due + EVERY).max(now);
        }
    }

    fn kept(&self) -> MutexGuard<'_, Vec<(Instant, Duration)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, now: Instant, late: Duration) {
        let mut kept = self.kept();
        while kept.last().is_some_and(|(_, earlier)| *earlier <= late) {
            kept.pop();
        }
        kept.push((now, late));
    }

    /// The longest delay since an instant.
    pub fn since(&self, begin: Instant) -> Duration {
        let kept = self.kept();
        let first = kept.partition_point(|(at, _)| *at < begin);
        kept.get(first).map_or(Duration::ZERO, |(_, late)| *late)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_since_an_instant() {
        let (lag, start) = (Lag::default(), Instant::now());
        let at = |ms: u64| start + Duration::from_millis(ms);
        for (when, late) in [(5, 1), (10, 9), (15, 2), (20, 4), (25, 3)] {
            lag.note(at(when), Duration::from_millis(late));
        }
        let worst = |ms| lag.since(at(ms)).as_millis();
        assert_eq!([worst(0), worst(10), worst(11), worst(21), worst(26)], [9, 9, 4, 3, 0]);
    }
}
