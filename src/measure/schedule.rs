//! Which request runs when. Targets are interleaved so that drift, time of day and heat hit all of
//! them alike: per repeat the prompts come in a seeded shuffle, and the order of the targets turns
//! around from one prompt to the next (A B, B A, A B, …).

use rand::{SeedableRng as _, rngs::ChaCha8Rng, seq::SliceRandom as _};
use serde::{Deserialize, Serialize};

/// One planned request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Step {
    pub target: usize,
    pub prompt: usize,
    pub repeat: u32,
    /// Opens connections and fills caches; measured by nobody.
    pub warmup: bool,
    /// Its place in a phase under load; absent: alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load: Option<Place>,
}

/// A request of a phase under load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The phase, as an index of the run's phases.
    pub phase: usize,
    /// 0-based within the phase; warm-up requests count for themselves.
    pub index: u32,
}

/// Warm-up first, then all repeats.
pub fn schedule(targets: usize, prompts: usize, repeats: u32, warmup: u32, seed: u64) -> Vec<Step> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut steps = Vec::new();
    for repeat in 0..warmup {
        for target in 0..targets {
            steps.push(Step {
                target,
                prompt: repeat as usize % prompts.max(1),
                repeat,
                warmup: true,
                load: None,
            });
        }
    }
    let mut order: Vec<usize> = (0..prompts).collect();
    let mut sides: Vec<usize> = (0..targets).collect();
    sides.shuffle(&mut rng);
    for repeat in 0..repeats {
        order.shuffle(&mut rng);
        for &prompt in &order {
            steps.extend(sides.iter().map(|&target| Step {
                target,
                prompt,
                repeat,
                warmup: false,
                load: None,
            }));
            sides.reverse();
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_request_once_and_the_order_turns_around(
            targets in 1usize..4, prompts in 1usize..12, repeats in 1u32..4, seed in any::<u64>(),
        ) {
            let steps = schedule(targets, prompts, repeats, 1, seed);
            prop_assert_eq!(&steps, &schedule(targets, prompts, repeats, 1, seed));
            let measured: Vec<_> = steps.iter().filter(|s| !s.warmup).collect();
            let mut seen: Vec<_> = measured.iter().map(|s| (s.target, s.prompt, s.repeat)).collect();
            seen.sort_unstable();
            seen.dedup();
            prop_assert_eq!(seen.len(), targets * prompts * repeats as usize);
            prop_assert_eq!(measured.len(), seen.len());
            for pair in measured.chunks(targets).collect::<Vec<_>>().windows(2) {
                let forward: Vec<_> = pair[0].iter().map(|s| s.target).collect();
                let back: Vec<_> = pair[1].iter().rev().map(|s| s.target).collect();
                prop_assert_eq!(forward, back);
            }
        }
    }
}
