//! Phases of a load: how requests are sent (closed or open loop), for how long, and in which order the
//! targets get them.

use super::arrivals::Arrivals;
use crate::measure::event::Fault;
use crate::measure::run::{Asker, RunObserver};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How requests are sent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Shape {
    /// `concurrency` requests under way at any time: one that ends is replaced at once.
    Closed { concurrency: u32 },
    /// Requests sent at instants that do not depend on the answers.
    Open { rate_per_s: f64, arrivals: Arrivals },
}

impl Shape {
    /// Measured requests of one phase where the user does not say how many: four for each place, or what
    /// arrives in half a minute, at least twenty.
    pub fn default_requests(self) -> u32 {
        match self {
            Self::Closed { concurrency } => 4 * concurrency.max(2),
            Self::Open { rate_per_s, .. } => whole(rate_per_s * 30.0).max(20),
        }
    }
    /// Warm-up requests: `warmup` for each place, or what arrives in `warmup` seconds.
    pub fn warmups(self, warmup: u32) -> u32 {
        match self {
            Self::Closed { concurrency } => concurrency.saturating_mul(warmup),
            Self::Open { rate_per_s, .. } => whole(rate_per_s.max(1.0) * f64::from(warmup)),
        }
    }
}

fn whole(count: f64) -> u32 {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let count = count.ceil().clamp(0.0, f64::from(u32::MAX)) as u32;
    count
}

/// When a phase is over: after so many measured requests or so many seconds, whichever comes first.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Extent {
    pub requests: Option<u32>,
    pub seconds: Option<f64>,
}

impl Extent {
    /// The most measured requests of a phase; `None`: until the time is over.
    pub fn most(self, shape: Shape) -> Option<u32> {
        match (self.requests, self.seconds) {
            (None, None) => Some(shape.default_requests()),
            (requests, _) => requests,
        }
    }
    pub fn duration(self) -> Option<Duration> {
        self.seconds.and_then(|s| Duration::try_from_secs_f64(s).ok())
    }
}

/// One load on one target.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Phase {
    pub target: usize,
    pub shape: Shape,
    /// Which round it is, from 0.
    pub round: u32,
}

/// Every load on every target, `rounds` times. The order of the targets is reversed from one load to the
/// next, so that drift affects them alike.
pub fn phases(targets: usize, shapes: &[Shape], rounds: u32) -> Vec<Phase> {
    let mut order: Vec<usize> = (0..targets).collect();
    let mut phases = Vec::new();
    for round in 0..rounds {
        for &shape in shapes {
            phases.extend(order.iter().map(|&target| Phase { target, shape, round }));
            order.reverse();
        }
    }
    phases
}

/// How a phase ended.
#[derive(Debug, Clone, PartialEq)]
pub enum PhaseEnd {
    /// Everything planned was sent.
    Whole,
    /// The run was interrupted.
    Interrupted,
    /// The watch stopped it: the spending cap was reached, or the journal cannot be written.
    Stopped,
    /// The target cannot be used any more.
    Lost(Fault),
}

/// What a phase needs to know of the run around it.
pub struct Surroundings<'a> {
    pub asker: &'a dyn Asker,
    pub watch: &'a mut dyn RunObserver,
}

impl std::fmt::Debug for Surroundings<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Surroundings")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_gets_every_load_and_the_order_turns_around() {
        let shapes = [1, 4].map(|concurrency| Shape::Closed { concurrency });
        let order: Vec<usize> = phases(2, &shapes, 2).iter().map(|p| p.target).collect();
        assert_eq!(order, [0, 1, 1, 0, 0, 1, 1, 0]);
    }

    #[test]
    fn extents_have_defaults_and_the_first_limit_holds() {
        let closed = Shape::Closed { concurrency: 16 };
        let open = Shape::Open { rate_per_s: 2.0, arrivals: Arrivals::Poisson };
        assert_eq!(Extent::default().most(closed), Some(64));
        assert_eq!(Extent::default().most(open), Some(60));
        assert_eq!(Extent { requests: None, seconds: Some(9.0) }.most(closed), None);
        assert_eq!(Extent { requests: Some(5), seconds: Some(9.0) }.most(closed), Some(5));
        assert_eq!((closed.warmups(1), open.warmups(3)), (16, 6));
    }
}
