//! The requests that are sent one at a time, in order.

use crate::document::bench::build::Basis;
use crate::measure::conversation;
use crate::measure::schedule::{Step, schedule};
use std::collections::BTreeMap;

/// Each prompt for each target, one at a time, in the order in which they are sent.
pub fn one_at_a_time(basis: &Basis, repeats: u32, warmup: u32) -> Vec<Step> {
    let warmup = if repeats == 0 { 0 } else { warmup };
    let mut steps = schedule(basis.targets.len(), &turns(basis), repeats, warmup, basis.seed);
    if basis.until_decided {
        // All repeats of a prompt are one piece of evidence: they come together, in the shuffled order of
        // the prompts.
        let mut place = BTreeMap::new();
        for step in steps.iter().filter(|s| !s.warmup) {
            let next = place.len() + 1;
            place.entry(step.prompt).or_insert(next);
        }
        steps.sort_by_key(|s| if s.warmup { 0 } else { place[&s.prompt] });
    }
    steps
}

/// How many requests each prompt is made of.
pub fn turns(basis: &Basis) -> Vec<u32> {
    basis.prompts.iter().map(conversation::turns).collect()
}
