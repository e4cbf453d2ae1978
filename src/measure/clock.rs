//! The two clocks of the machine beside each other. Every time in this program is the monotonic
//! clock's, which setting the wall clock does not move. Where the two went apart while a request was
//! under way, either that was done or the machine slept, and then the answer waited in a buffer:
//! the sample is marked.

use std::time::{Duration, Instant, SystemTime};

/// Both clocks at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Clocks {
    wall: SystemTime,
    monotonic: Instant,
}

/// What a time service corrects in a request's time stays below this.
const LEAST: Duration = Duration::from_secs(1);

impl Clocks {
    pub fn now() -> Self {
        Self { wall: SystemTime::now(), monotonic: Instant::now() }
    }

    /// Milliseconds that the wall clock gained on the monotonic one since (negative: lost); none
    /// below a second.
    pub fn gap_ms(self) -> Option<f64> {
        self.gap(Self::now())
    }

    fn gap(self, now: Self) -> Option<f64> {
        let wall = match now.wall.duration_since(self.wall) {
            Ok(ahead) => ahead.as_secs_f64(),
            Err(behind) => -behind.duration().as_secs_f64(),
        };
        let gap = wall - now.monotonic.duration_since(self.monotonic).as_secs_f64();
        (gap.abs() >= LEAST.as_secs_f64()).then_some(gap * 1000.0)
    }
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
            begin.gap(Clocks { wall, monotonic: begin.monotonic + Duration::from_secs(monotonic) })
        };
        assert_eq!(after(600, 600), None);
        assert_eq!(after(86_400 + 5, 5), Some(86_400_000.0));
        assert_eq!(after(5 - 86_400, 5), Some(-86_400_000.0));
    }
}
