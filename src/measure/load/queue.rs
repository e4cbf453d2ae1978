//! The requests that a phase still has to send, in order: warm-up first, then the measured ones.

use super::arrivals::{self, Gaps};
use super::phase::{Extent, Phase, Shape};
use crate::measure::schedule::{Place, Step};
use std::collections::BTreeSet;
use std::time::Duration;

/// The requests of one phase that are still to be sent.
#[derive(Debug)]
pub struct Queue {
    pub phase: Phase,
    /// Index of the phase within the run.
    number: usize,
    prompts: usize,
    warmups: u32,
    /// Most measured requests, where their number is limited.
    most: Option<u32>,
    /// Time left for measured requests, where that is limited.
    left: Option<Duration>,
    /// Steps that were sent and journalled in an earlier part of the run.
    done: BTreeSet<Step>,
    next: u32,
    /// Open loop: how many requests there are in all, warm-up included, and the gaps before those to come.
    arrivals: Option<(u32, Gaps)>,
}

/// What a queue depends on beside its phase.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    pub extent: Extent,
    pub warmup: u32,
    pub prompts: usize,
    pub seed: u64,
}

impl Queue {
    /// The queue of a phase. `load` numbers its shape within the run; `done` is what an earlier part
    /// of the run sent, and `spent` how long it sent measured requests.
    pub fn new(
        phase: Phase,
        number: usize,
        load: usize,
        rules: Rules,
        done: BTreeSet<Step>,
        spent: Duration,
    ) -> Self {
        let warmups = phase.shape.warmups(rules.warmup);
        let most = rules.extent.most(phase.shape);
        let duration = rules.extent.duration();
        let arrivals = match phase.shape {
            Shape::Closed { .. } => None,
            Shape::Open { rate_per_s, arrivals } => {
                let gaps = || arrivals.gaps(rate_per_s, arrivals::seed(rules.seed, load, phase.round));
                let mut at = Duration::ZERO;
                let measured = gaps().skip(warmups as usize).take(most.unwrap_or(u32::MAX) as usize);
                let within = measured.take_while(|gap| {
                    at = at.saturating_add(*gap);
                    duration.is_none_or(|limit| at <= limit)
                });
                let count = u32::try_from(within.count()).unwrap_or(u32::MAX);
                Some((warmups.saturating_add(count), gaps()))
            }
        };
        let left = match phase.shape {
            Shape::Closed { .. } => duration.map(|d| d.saturating_sub(spent)),
            // Everything that arrives in the time is counted already.
            Shape::Open { .. } => None,
        };
        Self { phase, number, prompts: rules.prompts, warmups, most, left, done, next: 0, arrivals }
    }

    /// Measured requests of the phase, where their number is known before it runs.
    pub fn measured(&self) -> Option<u32> {
        match &self.arrivals {
            None => self.most,
            Some((all, _)) => Some(all.saturating_sub(self.warmups)),
        }
    }

    /// Warm-up requests of the phase.
    pub fn warmups(&self) -> u32 {
        self.warmups
    }

    /// Time left to send measured requests, where it is limited.
    pub fn left(&self) -> Option<Duration> {
        self.left
    }

    fn step(&self, n: u32) -> Step {
        let warmup = n < self.warmups;
        let index = if warmup { n } else { n - self.warmups };
        Step {
            target: self.phase.target,
            prompt: index as usize % self.prompts.max(1),
            repeat: index,
            warmup,
            load: Some(Place { phase: self.number, index }),
            turn: 0,
        }
    }

    /// The next request, and in an open loop the gap before it; `sending_for` is how long measured requests
    /// have been sent. After the time is over nothing measured is sent.
    pub fn next(&mut self, sending_for: Duration) -> Option<(Step, Duration)> {
        loop {
            let n = self.next;
            let gap = if let Some((all, gaps)) = &mut self.arrivals {
                (n < *all).then(|| gaps.next())??
            } else {
                let measured = n.checked_sub(self.warmups);
                if measured.zip(self.most).is_some_and(|(n, most)| n >= most)
                    || (measured.is_some() && self.left.is_some_and(|left| sending_for >= left))
                {
                    return None;
                }
                Duration::ZERO
            };
            self.next = n.checked_add(1)?;
            let step = self.step(n);
            // A request keeps its own gap when others before it are left out: a thinned Poisson process is
            // a Poisson process.
            if !self.done.contains(&step) {
                return Some((step, gap));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::load::Arrivals;
    use proptest::prelude::*;

    fn rules(requests: Option<u32>, seconds: Option<f64>) -> Rules {
        Rules { extent: Extent { requests, seconds }, warmup: 1, prompts: 3, seed: 5 }
    }
    fn queue(shape: Shape, rules: Rules, done: BTreeSet<Step>, spent: Duration) -> Queue {
        Queue::new(Phase { target: 0, shape, round: 0 }, 2, 0, rules, done, spent)
    }
    fn drain(mut queue: Queue) -> Vec<Step> {
        std::iter::from_fn(|| queue.next(Duration::ZERO)).map(|(step, _)| step).collect()
    }

    #[test]
    fn time_ends_a_closed_loop_and_earlier_time_counts() {
        let shape = Shape::Closed { concurrency: 2 };
        let mut q = queue(shape, rules(None, Some(10.0)), BTreeSet::new(), Duration::from_secs(4));
        assert!(q.next(Duration::ZERO).is_some_and(|(s, _)| s.warmup));
        assert!(q.next(Duration::from_secs(99)).is_some_and(|(s, _)| s.warmup), "warm-up has its own time");
        assert!(q.next(Duration::from_secs(5)).is_some_and(|(s, _)| !s.warmup));
        assert!(q.next(Duration::from_secs(6)).is_none(), "4 s before, 6 s now");
    }

    /// Requests are counted, not kept, so that a long load takes no more memory.
    #[test]
    fn a_long_open_loop_takes_no_more_memory_than_a_short_one() {
        let shape = Shape::Open { rate_per_s: 1000.0, arrivals: Arrivals::Constant };
        let mut q = queue(shape, rules(None, Some(2000.0)), BTreeSet::new(), Duration::ZERO);
        assert_eq!(q.measured(), Some(2_000_000));
        assert!(std::mem::size_of::<Queue>() < 1024);
        assert_eq!(q.next(Duration::ZERO).map(|(_, gap)| gap), Some(Duration::from_millis(1)));
    }

    #[test]
    fn an_open_loop_of_a_minute_sends_what_arrives_in_it() {
        let shape = Shape::Open { rate_per_s: 2.0, arrivals: Arrivals::Constant };
        let q = queue(shape, rules(None, Some(60.0)), BTreeSet::new(), Duration::ZERO);
        assert_eq!((q.warmups(), q.measured()), (2, Some(120)));
    }

    proptest! {
        #[test]
        fn what_was_done_is_never_sent_again_and_nothing_else_is_left_out(
            concurrency in 1u32..6, requests in 1u32..30, killed in proptest::collection::vec(any::<bool>(), 0..40),
            open in any::<bool>(),
        ) {
            let shape = if open {
                Shape::Open { rate_per_s: f64::from(concurrency), arrivals: Arrivals::Poisson }
            } else {
                Shape::Closed { concurrency }
            };
            let all = drain(queue(shape, rules(Some(requests), None), BTreeSet::new(), Duration::ZERO));
            prop_assert_eq!(all.iter().filter(|s| !s.warmup).count(), requests as usize);
            let done: BTreeSet<Step> =
                all.iter().zip(&killed).filter(|(_, k)| **k).map(|(s, _)| *s).collect();
            let rest = drain(queue(shape, rules(Some(requests), None), done.clone(), Duration::ZERO));
            let mut together: Vec<Step> = done.into_iter().chain(rest).collect();
            together.sort();
            let mut all = all;
            all.sort();
            prop_assert_eq!(together, all);
        }
    }
}
