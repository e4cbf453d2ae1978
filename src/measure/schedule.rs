//! Which request runs when. Targets are interleaved so that drift, time of day and heat affect all of them
//! alike: in each repeat the prompts come in a seeded shuffle, and the order of the targets is reversed
//! from one prompt to the next (A B, B A, A B, …).

use rand::{SeedableRng as _, rngs::ChaCha8Rng, seq::SliceRandom as _};
use serde::{Deserialize, Serialize};

/// One planned request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Step {
    pub target: usize,
    pub prompt: usize,
    pub repeat: u32,
    /// Warm-up: opens connections and fills caches, and is not measured.
    pub warmup: bool,
    /// Its place in a phase under load; absent where requests run one at a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load: Option<Place>,
    /// Which turn of the prompt's conversation it is, 0-based.
    #[serde(default, skip_serializing_if = "is_first")]
    pub turn: u32,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_first(turn: &u32) -> bool {
    *turn == 0
}

/// A request of a phase under load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The phase, as an index of the run's phases.
    pub phase: usize,
    /// Number within the phase, from 0; warm-up requests are numbered separately.
    pub index: u32,
}

/// Warm-up first, then all repeats. `turns` says for each prompt how many requests it is made of; those
/// of one conversation follow one another.
pub fn schedule(targets: usize, turns: &[u32], repeats: u32, warmup: u32, seed: u64) -> Vec<Step> {
    let prompts = turns.len();
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
                turn: 0,
            });
        }
    }
    let mut order: Vec<usize> = (0..prompts).collect();
    let mut sides: Vec<usize> = (0..targets).collect();
    sides.shuffle(&mut rng);
    for repeat in 0..repeats {
        order.shuffle(&mut rng);
        for &prompt in &order {
            for &target in &sides {
                let of_turn = |turn| Step { target, prompt, repeat, warmup: false, load: None, turn };
                steps.extend((0..turns[prompt]).map(of_turn));
            }
            sides.reverse();
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_turns_of_a_conversation_follow_one_another() {
        let steps = schedule(2, &[1, 3], 2, 0, 7);
        assert_eq!(steps.len(), 2 * 2 * 4);
        for pair in steps.windows(2).filter(|pair| pair[1].turn > 0) {
            assert_eq!(pair[1], Step { turn: pair[0].turn + 1, ..pair[0] });
        }
    }

    proptest! {
        #[test]
        fn every_request_once_and_the_order_turns_around(
            targets in 1usize..4, prompts in 1usize..12, repeats in 1u32..4, seed in any::<u64>(),
        ) {
            let steps = schedule(targets, &vec![1; prompts], repeats, 1, seed);
            prop_assert_eq!(&steps, &schedule(targets, &vec![1; prompts], repeats, 1, seed));
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
