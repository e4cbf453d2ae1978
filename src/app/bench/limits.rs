//! Limits on what a journal may ask for: no more than the command line. A journal is data, and its numbers
//! decide how much is sent and how much memory is taken.

use super::range;
use crate::document::bench::build::Basis;
use crate::document::bench::load::LoadPlan;
use crate::measure::conversation;
use crate::measure::load::Shape;

/// Most targets and load phases of one run: no command line asks for as many.
const MOST_TARGETS: usize = 1000;
const MOST_PHASES: usize = 1_000_000;

/// Refuses numbers out of their range; the error names the first.
pub fn check(basis: &Basis) -> Result<(), String> {
    let whole = |name: &str| basis.inputs.get(name).and_then(|input| input.value.as_u64());
    within("targets", basis.targets.len() as u64, 1, MOST_TARGETS as u64)?;
    within("loads", basis.load.phases.len() as u64, 0, MOST_PHASES as u64)?;
    within("max_output_tokens", u64::from(basis.max_output_tokens), 1, range::MOST_OUTPUT_TOKENS)?;
    within("warmup", u64::from(basis.load.warmup), 0, range::MOST_WARMUP)?;
    within("repeats", whole("repeats").unwrap_or(0), 0, range::MOST_REPEATS)?;
    for prompt in &basis.prompts {
        let most = prompt.max_output_tokens.map_or(1, u64::from);
        within("max_output_tokens of a prompt", most, 1, range::MOST_OUTPUT_TOKENS)?;
        if let Some(talk) = &prompt.conversation {
            talk.check().map_err(|fault| format!("prompt {}: {fault:?}", prompt.id))?;
        }
    }
    if !(basis.margin > 0.0 && basis.margin < 1.0) {
        return Err(format!("margin {} is not a share between 0 and 1", basis.margin));
    }
    let extent = basis.load.extent;
    within("requests of a load", extent.requests.map_or(1, u64::from), 1, range::MOST_REQUESTS)?;
    if !extent.seconds.is_none_or(|s| s > 0.0 && s <= range::LONGEST.as_secs_f64()) {
        return Err("the duration of a load is not between 0 and 30 days".to_owned());
    }
    let turns: u64 = basis.prompts.iter().map(|p| u64::from(conversation::turns(p))).sum();
    plan(basis.targets.len(), turns, whole("repeats").unwrap_or(0), &basis.load)?;
    for phase in &basis.load.phases {
        if phase.target >= basis.targets.len() {
            return Err("a load is on a target that the run does not have".to_owned());
        }
        match phase.shape {
            Shape::Closed { concurrency } => {
                within("requests at once", u64::from(concurrency), 1, range::MOST_AT_ONCE)?;
            }
            Shape::Open { rate_per_s, .. } if !range::is_rate(rate_per_s) => {
                return Err(format!("a rate of {rate_per_s} requests a second is out of range"));
            }
            Shape::Open { .. } => {}
        }
    }
    Ok(())
}

/// Refuses more requests than can be sent and kept. `turns`: of all prompts together.
pub fn plan(targets: usize, turns: u64, repeats: u64, load: &LoadPlan) -> Result<(), String> {
    let most = range::MOST_REQUESTS;
    let alone = (targets as u64).saturating_mul(turns).saturating_mul(repeats);
    if alone > most {
        return Err(format!("{alone} requests one at a time are too many: at most {most} are sent in a run"));
    }
    for phase in &load.phases {
        let measured = match (load.extent.most(phase.shape), phase.shape, load.extent.seconds) {
            (Some(requests), ..) => f64::from(requests),
            (None, Shape::Open { rate_per_s, .. }, Some(seconds)) => rate_per_s * seconds,
            (None, ..) => 0.0,
        };
        let all = measured + f64::from(phase.shape.warmups(load.warmup));
        if all > most as f64 {
            return Err(format!(
                "{all:.0} requests of one load are too many: at most {most} are sent, so take a lower rate, a shorter time or --requests"
            ));
        }
    }
    Ok(())
}

fn within(name: &str, value: u64, low: u64, high: u64) -> Result<(), String> {
    if (low..=high).contains(&value) {
        return Ok(());
    }
    Err(format!("{name} {value} is not between {low} and {high}"))
}
