//! The requests under load: how many there will be, what is left of them, and at which level to stop.

use crate::document::bench::build::Basis;
use crate::document::bench::load::LoadPlan;
use crate::measure::load::{Arrivals, Extent, Phase, Queue, Sent, Shape, Slo, queue};
use crate::measure::schedule::Step;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// The calls of one phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Calls {
    pub target: usize,
    pub warmups: u32,
    /// Measured requests; `None`: as many as fit into the phase's time.
    pub measured: Option<u32>,
}

/// The calls of all phases, before anything is sent.
pub fn calls(plan: &LoadPlan, prompts: usize, seed: u64) -> Vec<Calls> {
    let rules = queue::Rules { extent: plan.extent, warmup: plan.warmup, prompts, seed };
    let one = |(number, phase): (usize, &Phase)| {
        let load = load_number(plan, phase);
        let queue = Queue::new(*phase, number, load, rules, BTreeSet::new(), Duration::ZERO);
        Calls { target: phase.target, warmups: queue.warmups(), measured: queue.measured() }
    };
    plan.phases.iter().enumerate().map(one).collect()
}

/// The planned load in words; `None`: there is none.
pub fn announcement(shapes: &[Shape], extent: Extent, rounds: u32) -> Option<String> {
    let list = |numbers: Vec<String>| numbers.join(", ");
    let mut parts = Vec::new();
    let (mut levels, mut rates, mut spread) = (Vec::new(), Vec::new(), "Poisson");
    for shape in shapes {
        match *shape {
            Shape::Closed { concurrency } => levels.push(concurrency.to_string()),
            Shape::Open { rate_per_s, arrivals } => {
                rates.push(format!("{rate_per_s}/s"));
                spread = match arrivals {
                    Arrivals::Poisson => "Poisson",
                    Arrivals::Constant => "constant",
                };
            }
        }
    }
    if !levels.is_empty() {
        parts.push(format!("{} at once", list(levels)));
    }
    if !rates.is_empty() {
        parts.push(format!("{} ({spread} arrivals)", list(rates)));
    }
    if parts.is_empty() {
        return None;
    }
    let extent = match (extent.requests, extent.seconds) {
        (None, None) => String::new(),
        (Some(n), None) => format!(", {} each", requests(n)),
        (None, Some(s)) => format!(", {s} s each"),
        (Some(n), Some(s)) => format!(", {} or {s} s each", requests(n)),
    };
    let rounds = if rounds > 1 { format!(", {rounds} rounds") } else { String::new() };
    Some(format!("{}{extent}{rounds}", parts.join(" and ")))
}

fn requests(n: u32) -> String {
    if n == 1 { "1 request".to_owned() } else { format!("{n} requests") }
}

/// What all queues of a run depend on.
fn rules(basis: &Basis) -> queue::Rules {
    queue::Rules {
        extent: basis.load.extent,
        warmup: basis.load.warmup,
        prompts: basis.prompts.len(),
        seed: basis.seed,
    }
}

/// The requests that a phase still has to send.
pub fn queue_of(basis: &Basis, number: usize, done: BTreeSet<Step>, spent: Duration) -> Queue {
    let phase = basis.load.phases[number];
    Queue::new(phase, number, load_number(&basis.load, &phase), rules(basis), done, spent)
}

/// The number of a phase's load among the loads, so that every target gets the same arrivals.
fn load_number(plan: &LoadPlan, phase: &Phase) -> usize {
    let mut shapes: Vec<Shape> = Vec::new();
    for p in &plan.phases {
        if !shapes.contains(&p.shape) {
            shapes.push(p.shape);
        }
    }
    shapes.iter().position(|s| *s == phase.shape).unwrap_or(0)
}

/// The requests that an earlier part of the run has sent in a phase and that are not sent again, and for
/// how long it sent measured requests. `again`: those that failed and are sent once more.
pub fn already_sent(sent: &[Sent], again: &BTreeSet<Step>) -> (BTreeSet<Step>, Duration) {
    let mut spans: BTreeMap<u32, (f64, f64)> = BTreeMap::new();
    for s in sent.iter().filter(|s| !s.step.warmup) {
        let span = spans.entry(s.session).or_insert((s.sent_ms, s.sent_ms));
        *span = (span.0.min(s.sent_ms), span.1.max(s.sent_ms));
    }
    let ms: f64 = spans.values().map(|(from, to)| to - from).sum();
    let spent = Duration::try_from_secs_f64(ms / 1000.0).unwrap_or_default();
    (sent.iter().map(|s| s.step).filter(|step| !again.contains(step)).collect(), spent)
}

/// Levels of concurrency at which most requests broke a limit. Higher levels are skipped if the limits are
/// the user's own.
#[derive(Debug)]
pub struct BrokenLevels {
    limits: Slo,
    /// Are the limits the user's own?
    stops: bool,
    /// The lowest such level of each target.
    lowest: BTreeMap<usize, u32>,
}

impl BrokenLevels {
    pub fn new(limits: Slo, stops: bool) -> Self {
        Self { limits, stops, lowest: BTreeMap::new() }
    }

    /// Why a phase is skipped; `None`: it is not.
    pub fn leaves_out(&self, phase: &Phase) -> Option<String> {
        let Shape::Closed { concurrency } = phase.shape else { return None };
        let at = self.lowest.get(&phase.target).filter(|at| concurrency > **at)?;
        Some(format!("{concurrency} requests at once were left out: at {at} most broke a limit already"))
    }

    /// Are the samples of a phase needed to decide whether to skip others?
    pub fn needs_samples(&self, phase: &Phase) -> bool {
        self.stops && matches!(phase.shape, Shape::Closed { .. })
    }

    /// Takes in a phase of which all was sent.
    pub fn note(&mut self, phase: &Phase, sent: &[Sent]) {
        if let Shape::Closed { concurrency } = phase.shape
            && self.stops
            && breaks_limits(sent, &self.limits)
        {
            self.lowest.entry(phase.target).or_insert(concurrency);
        }
    }
}

/// Did fewer than half of a phase's requests keep every limit?
fn breaks_limits(rows: &[Sent], slo: &Slo) -> bool {
    let kept: Vec<bool> =
        rows.iter().filter(|s| !s.step.warmup).map(|s| s.meets(slo).unwrap_or(true)).collect();
    kept.iter().filter(|kept| **kept).count() * 2 < kept.len()
}

/// The title of a phase while it runs.
pub fn title(phase: &Phase, plan: &LoadPlan) -> String {
    let what = match phase.shape {
        Shape::Closed { concurrency: 1 } => "Measuring 1 request at a time".to_owned(),
        Shape::Closed { concurrency } => format!("Measuring {concurrency} requests at once"),
        Shape::Open { rate_per_s, .. } => format!("Measuring {rate_per_s} requests per second"),
    };
    let rounds = plan.phases.iter().map(|p| p.round).max().unwrap_or(0) + 1;
    if rounds > 1 { format!("{what}, round {} of {rounds}", phase.round + 1) } else { what }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_load_is_said_as_it_was_asked() {
        let level = |concurrency| Shape::Closed { concurrency };
        let rate = Shape::Open { rate_per_s: 2.0, arrivals: Arrivals::Constant };
        let none = Extent::default();
        assert_eq!(announcement(&[], none, 1), None);
        let said = |shapes: &[Shape], extent, rounds| announcement(shapes, extent, rounds).expect("a load");
        assert_eq!(said(&[level(1), level(4)], none, 1), "1, 4 at once");
        let both = Extent { requests: Some(1), seconds: Some(60.0) };
        assert_eq!(
            said(&[level(4), rate], both, 2),
            "4 at once and 2/s (constant arrivals), 1 request or 60 s each, 2 rounds"
        );
    }
}
