//! Measures energy: from the device's own counters where it has some, else from power samples.
//!
//! ```text
//! Source (NVML | powercap) ─► readings ─► Sum (wrap-around, gaps, going backwards) ─► Meter
//!                                                           request: mark … since ─► Event::Energy
//! ```
//!
//! A figure that cannot be trusted is `None` with the reason, never 0.

mod nvml;
mod powercap;
mod source;

pub use nvml::nvidia;
pub use powercap::{POWERCAP, processor, throttle_events};
pub use source::{Counter, Origin, Reading, Source};

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

/// How often power is sampled; counters are read each second, to notice wrap-around.
const POWER_EVERY: Duration = Duration::from_millis(100);
const COUNTER_EVERY: Duration = Duration::from_secs(1);
/// Longest time between two power samples: further apart, the energy between them would be a guess.
const LARGEST_GAP: Duration = Duration::from_secs(3);

/// The energy since the first reading.
#[derive(Debug, Default)]
struct Sum {
    joules: f64,
    last: Option<(Duration, Reading)>,
    problem: Option<String>,
}

impl Sum {
    /// Adds a reading taken `at` this time since the start. The meter has the clock, so this is pure.
    fn add(&mut self, at: Duration, reading: Result<Reading, String>) {
        let reading = match reading {
            Ok(reading) => reading,
            Err(why) => {
                self.problem.get_or_insert(why);
                return;
            }
        };
        match (&self.last, &reading) {
            (Some((since, Reading::Power(before))), Reading::Power(now)) => {
                let gap = at.saturating_sub(*since);
                if gap > LARGEST_GAP {
                    let text = format!("no power sample for {:.1} s", gap.as_secs_f64());
                    self.problem.get_or_insert(text);
                }
                self.joules += f64::midpoint(*before, *now) * gap.as_secs_f64();
            }
            (Some((_, Reading::Counters(before))), Reading::Counters(now)) if before.len() == now.len() => {
                for (before, now) in before.iter().zip(now) {
                    match (now.joules - before.joules, now.range) {
                        (up, _) if up >= 0.0 => self.joules += up,
                        (down, Some(range)) if down + range >= 0.0 => self.joules += down + range,
                        _ => {
                            self.problem.get_or_insert("the energy counter went backwards".to_owned());
                        }
                    }
                }
            }
            (None, _) => {}
            _ => {
                self.problem.get_or_insert("the energy counters changed during the run".to_owned());
            }
        }
        self.last = Some((at, reading));
    }
}

/// Reads an energy source all the time, on a thread of its own. Clones share it; reading ends with the last
/// of them.
#[derive(Debug, Clone)]
pub struct Meter(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    begun: Instant,
    state: Mutex<State>,
    origin: Origin,
    scope: String,
}

#[derive(Debug)]
struct State {
    source: Box<dyn Source>,
    sum: Sum,
    remarks: BTreeSet<String>,
}

/// A reading of the meter to count from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mark {
    at: Duration,
    joules: f64,
}

/// Energy between two moments.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Used {
    pub joules: f64,
    pub over: Duration,
}

impl Used {
    pub fn watts(self) -> Option<f64> {
        (!self.over.is_zero()).then(|| self.joules / self.over.as_secs_f64())
    }
}

impl Meter {
    /// Starts reading. Fails where the first reading does.
    pub fn start(source: Box<dyn Source>) -> Result<Self, String> {
        let meter = Self::without_thread(source)?;
        let every = if meter.0.origin == Origin::NvmlPower { POWER_EVERY } else { COUNTER_EVERY };
        let weak = Arc::downgrade(&meter.0);
        std::thread::Builder::new()
            .name("energy".to_owned())
            .spawn(move || watch(&weak, every))
            .map_err(|e| format!("no thread to read it: {e}"))?;
        Ok(meter)
    }

    fn without_thread(mut source: Box<dyn Source>) -> Result<Self, String> {
        let mut sum = Sum::default();
        sum.add(Duration::ZERO, source.read());
        if let Some(problem) = sum.problem {
            return Err(problem);
        }
        let _ = source.remarks();
        let (origin, scope) = (source.origin(), source.scope());
        let state = Mutex::new(State { source, sum, remarks: BTreeSet::new() });
        Ok(Self(Arc::new(Shared { begun: Instant::now(), state, origin, scope })))
    }

    /// A mark at this moment, from a fresh reading.
    pub fn mark(&self) -> Mark {
        let (at, state) = self.0.read();
        Mark { at, joules: state.sum.joules }
    }

    /// The energy used since a mark; `None` where the readings cannot be trusted.
    pub fn since(&self, mark: Mark) -> Option<Used> {
        let (at, state) = self.0.read();
        let joules = state.sum.joules - mark.joules;
        let usable = state.sum.problem.is_none() && joules.is_finite() && joules >= 0.0;
        usable.then(|| Used { joules, over: at.saturating_sub(mark.at) })
    }

    pub fn origin(&self) -> Origin {
        self.0.origin
    }
    pub fn scope(&self) -> &str {
        &self.0.scope
    }
    /// Why the readings can no longer be trusted; `None`: they can.
    pub fn problem(&self) -> Option<String> {
        self.0.lock().sum.problem.clone()
    }
    /// What happened to the device: throttling, other programs on it.
    pub fn remarks(&self) -> Vec<String> {
        self.0.lock().remarks.iter().cloned().collect()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
    fn read(&self) -> (Duration, MutexGuard<'_, State>) {
        let mut state = self.lock();
        let reading = state.source.read();
        let at = self.begun.elapsed();
        state.sum.add(at, reading);
        (at, state)
    }
}

fn watch(shared: &Weak<Shared>, every: Duration) {
    loop {
        std::thread::sleep(every);
        let Some(shared) = shared.upgrade() else { return };
        let (_, mut state) = shared.read();
        let remarks = state.source.remarks();
        state.remarks.extend(remarks);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[allow(clippy::unnecessary_wraps, reason = "as a source gives it")]
    fn counter(joules: f64, range: Option<f64>) -> Result<Reading, String> {
        Ok(Reading::Counters(vec![Counter { joules, range }]))
    }
    fn seconds(n: f64) -> Duration {
        Duration::from_secs_f64(n)
    }

    #[test]
    fn a_counter_that_starts_again_goes_on_and_one_that_jumps_back_is_not_trusted() {
        let mut sum = Sum::default();
        for (at, joules) in [(0.0, 90.0), (1.0, 95.0), (2.0, 3.0)] {
            sum.add(seconds(at), counter(joules, Some(100.0)));
        }
        assert_eq!((sum.joules, sum.problem.as_deref()), (13.0, None));
        let mut sum = Sum::default();
        for joules in [90.0, 3.0, 4.0] {
            sum.add(seconds(1.0), counter(joules, None));
        }
        assert!(sum.problem.expect("not trusted").contains("backwards"));
    }

    #[test]
    fn power_is_integrated_and_a_gap_is_not_trusted() {
        let mut sum = Sum::default();
        for (at, watts) in [(0.0, 100.0), (1.0, 100.0), (2.0, 300.0)] {
            sum.add(seconds(at), Ok(Reading::Power(watts)));
        }
        assert_eq!((sum.joules, sum.problem.as_deref()), (300.0, None));
        sum.add(seconds(6.0), Ok(Reading::Power(300.0)));
        assert!(sum.problem.expect("not trusted").contains("4.0 s"));
    }

    #[test]
    fn an_unreadable_source_is_said_once() {
        let mut sum = Sum::default();
        sum.add(seconds(0.0), counter(1.0, None));
        sum.add(seconds(1.0), Err("gone".to_owned()));
        sum.add(seconds(2.0), Err("other".to_owned()));
        assert_eq!(sum.problem.as_deref(), Some("gone"));
    }

    proptest! {
        /// A counter that starts again loses nothing while it does so at most once between readings.
        #[test]
        fn wrapping_loses_nothing(steps in proptest::collection::vec(0.0f64..9.9, 1..40)) {
            let mut sum = Sum::default();
            let mut total = 0.0;
            sum.add(Duration::ZERO, counter(0.0, Some(10.0)));
            for step in steps {
                total += step;
                sum.add(Duration::ZERO, counter(total % 10.0, Some(10.0)));
            }
            prop_assert!((sum.joules - total).abs() < 1e-6 && sum.problem.is_none());
        }
    }

    /// A counter that a test moves.
    #[derive(Debug)]
    struct Fake(Arc<Mutex<f64>>);

    impl Source for Fake {
        fn origin(&self) -> Origin {
            Origin::Powercap
        }
        fn scope(&self) -> String {
            "a fake".to_owned()
        }
        fn read(&mut self) -> Result<Reading, String> {
            let joules = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if joules < 0.0 { Err("it was taken away".to_owned()) } else { counter(joules, None) }
        }
    }

    #[test]
    fn a_meter_tells_what_was_used_between_two_moments() {
        let value = Arc::new(Mutex::new(5.0));
        let set = |joules: f64| *value.lock().unwrap_or_else(PoisonError::into_inner) = joules;
        let meter = Meter::without_thread(Box::new(Fake(value.clone()))).expect("it reads");
        set(7.0);
        let mark = meter.mark();
        set(10.5);
        assert_eq!(meter.since(mark).map(|u| u.joules), Some(3.5));
        assert_eq!((meter.scope(), meter.problem()), ("a fake", None));
        set(-1.0);
        assert_eq!(meter.since(mark), None);
        assert_eq!(meter.problem().as_deref(), Some("it was taken away"));
        set(-1.0);
        assert!(Meter::start(Box::new(Fake(value.clone()))).is_err());
    }
}
