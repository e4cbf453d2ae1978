//! How late this program itself is: a clock that ought to wake every twenty milliseconds, and how much
//! later it did. What delays it also delays stamps. The timer's own grain of a millisecond is
//! inside.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// Between two looks at the clock.
const EVERY: Duration = Duration::from_millis(20);

/// Shared by the clock and the requests under way. Kept: when it woke late and by how much, newest
/// last, and only those that nothing later exceeds, so that there are few and the first one after
/// any instant is the worst since.
#[derive(Debug, Clone, Default)]
pub struct Lag(Arc<Mutex<Vec<(Instant, Duration)>>>);

impl Lag {
    /// Compares the clock with its timer again and again. It never ends by itself: whoever polls it
    /// beside the work drops it with the work.
    pub async fn watch(self) {
        let mut due = Instant::now() + EVERY;
        loop {
            sleep_until(due).await;
            let now = Instant::now();
            self.note(now, now - due);
            // What was slept through is not looked at again.
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

    /// The worst since an instant.
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
