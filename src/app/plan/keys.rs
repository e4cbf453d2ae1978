//! Keys of a scenario that change nothing about a plan: given on a command line they are refused, and those
//! of a scenario file, which other commands read too, are named in a warning.

use crate::app::refusal::Refusal;
use crate::cost::Scenario;
use crate::cost::keys::{finance, local};
use crate::document::envelope::Warning;
use crate::provenance::{FileRole, Source, UserInput};
use crate::workload::keys::{Key, need};

/// Keys without effect on a plan, each with what to do instead.
const WITHOUT_EFFECT: [(&Key, &str); 12] = [
    (need::TIER, API),
    (need::CACHE_WRITE_INPUT_SHARE, API),
    (need::START, "months count from the first one: --need.horizon-months says how many"),
    (local::NAME, "a plan is named after what would be ordered"),
    (local::PREFILL, SPEEDS),
    (local::DECODE, SPEEDS),
    (local::SAME_AS_MEASURED, SPEEDS),
    (local::OVERLAP, "it is about a side that is replaced: `freehold breakeven` has two"),
    (local::PREFILL_FREE, MODELS),
    (local::INPUT_AS_OUTPUT, MODELS),
    (
        finance::DISCOUNT_RATE,
        "totals of a plan are sums of what is paid; `freehold breakeven` discounts them",
    ),
    (
        local::GPUS_PER_UNIT,
        "without --hardware the plan chooses how many accelerators a machine has: name the accelerator too",
    ),
];
const API: &str = "it is about an API: `freehold breakeven` and `freehold advise` compare with one";
const SPEEDS: &str = "a plan predicts the speed of every machine that it tries; `freehold breakeven` counts with \
                      the speeds of one";
const MODELS: &str = "it reproduces published models of cost: `freehold breakeven` takes it";

/// Does this key change nothing about any plan?
pub fn is_without_effect(key: &Key) -> bool {
    remedy(key).is_some() && key != local::GPUS_PER_UNIT
}

fn remedy(key: &Key) -> Option<&'static str> {
    WITHOUT_EFFECT.iter().find(|(k, _)| *k == key).map(|(_, remedy)| *remedy)
}

/// Refuses keys of a command line that change nothing about a plan. Returns a warning where a scenario file
/// has some.
pub fn ignored(scenario: &Scenario) -> Result<Option<Warning>, Refusal> {
    let local = scenario.local.iter();
    let tables = std::iter::once((need::KEYS, &scenario.need))
        .chain(scenario.further_needs.iter().map(|fields| (need::KEYS, fields)))
        .chain(local.map(|fields| (local::KEYS, fields)))
        .chain(std::iter::once((finance::KEYS, &scenario.finance)));
    let mut of_files: Vec<String> = Vec::new();
    for (keys, fields) in tables {
        for key in keys {
            let (Some(given), Some(instead)) = (fields.get(key.name), remedy(key)) else { continue };
            if *key == local::GPUS_PER_UNIT && fields.contains_key(local::HARDWARE_ID.name) {
                continue;
            }
            match &given.source {
                Source::User(UserInput::Flag { flag }) => {
                    return Err(Refusal::input(format!("{flag} changes nothing about a plan")).hint(instead));
                }
                Source::User(UserInput::File { role: FileRole::Scenario, .. }) => of_files.push(key.path()),
                _ => {}
            }
        }
    }
    of_files.dedup();
    let message = |keys: String| {
        Warning::new(
            "without-effect-on-a-plan",
            format!(
                "{keys} of the scenario changes nothing about a plan; `freehold breakeven` counts with it."
            ),
        )
    };
    Ok((!of_files.is_empty()).then(|| message(of_files.join(", "))))
}
