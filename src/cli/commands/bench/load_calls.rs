//! The calls of the loads, before anything is sent: how many there will be, and in words.

use super::args::{LoadArgs, Seconds};
use super::settings::Settings;
use crate::document::bench::load::LoadPlan;
use crate::measure::load::{Arrivals, Phase, Queue, Shape, queue};
use std::collections::BTreeSet;
use std::time::Duration;

/// The calls of one phase.
pub struct Calls {
    pub target: usize,
    pub warmups: u32,
    /// `None`: as many as fit into its time.
    pub measured: Option<u32>,
}

/// The calls of all phases, before anything is sent.
pub(super) fn calls(args: &LoadArgs, targets: usize, settings: &Settings, prompts: usize) -> Vec<Calls> {
    let plan = settings.load_plan(args, targets);
    let rules = queue::Rules { extent: plan.extent, warmup: plan.warmup, prompts, seed: settings.seed };
    let one = |(number, phase): (usize, &Phase)| {
        let load = load_number(&plan, phase);
        let queue = Queue::new(*phase, number, load, rules, BTreeSet::new(), Duration::ZERO);
        Calls { target: phase.target, warmups: queue.warmups(), measured: queue.measured() }
    };
    plan.phases.iter().enumerate().map(one).collect()
}

/// What is planned under load, in words.
pub(super) fn announcement(args: &LoadArgs, settings: &Settings) -> Option<String> {
    let list = |numbers: Vec<String>| numbers.join(", ");
    let mut parts = Vec::new();
    let (mut levels, mut rates) = (Vec::new(), Vec::new());
    for shape in args.shapes() {
        match shape {
            Shape::Closed { concurrency } => levels.push(concurrency.to_string()),
            Shape::Open { rate_per_s, .. } => rates.push(format!("{rate_per_s}/s")),
        }
    }
    if !levels.is_empty() {
        parts.push(format!("{} at once", list(levels)));
    }
    if !rates.is_empty() {
        let spread = match args.arrivals.unwrap_or(Arrivals::Poisson) {
            Arrivals::Poisson => "Poisson",
            Arrivals::Constant => "constant",
        };
        parts.push(format!("{} ({spread} arrivals)", list(rates)));
    }
    if parts.is_empty() {
        return None;
    }
    let extent = match (args.requests, args.duration) {
        (None, None) => String::new(),
        (Some(n), None) => format!(", {} each", requests(n)),
        (None, Some(Seconds(s))) => format!(", {s} s each"),
        (Some(n), Some(Seconds(s))) => format!(", {} or {s} s each", requests(n)),
    };
    let rounds = if settings.rounds > 1 { format!(", {} rounds", settings.rounds) } else { String::new() };
    Some(format!("{}{extent}{rounds}", parts.join(" and ")))
}

fn requests(n: u32) -> String {
    if n == 1 { "1 request".to_owned() } else { format!("{n} requests") }
}

/// The place of a phase's load among the loads, so that every target gets the same arrivals.
pub fn load_number(plan: &LoadPlan, phase: &Phase) -> usize {
    let mut shapes: Vec<Shape> = Vec::new();
    for p in &plan.phases {
        if !shapes.contains(&p.shape) {
            shapes.push(p.shape);
        }
    }
    shapes.iter().position(|s| *s == phase.shape).unwrap_or(0)
}
