//! Draws a sample of prompts: every kind of work in proportion, nothing twice, and the same for the same
//! seed.

use super::Prompt;
use rand::{Rng as _, SeedableRng as _, rngs::ChaCha8Rng};
use std::collections::{BTreeMap, BTreeSet};

/// A sample, and what it was drawn from.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The prompts, in the order in which they were given.
    pub prompts: Vec<Prompt>,
    /// Number of prompts left after repetitions were removed.
    pub distinct: usize,
    /// Number of prompts with the same text as an earlier one, ignoring case, white space and digits.
    pub repeated: usize,
}

/// The text in lower case, with single spaces and every run of digits as `0`. Prompts for which it is equal
/// ask the same question.
fn shape(prompt: &Prompt) -> String {
    let text = format!("{}\n{}", prompt.system.as_deref().unwrap_or_default(), prompt.prompt).to_lowercase();
    let mut out = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        let mut digits = false;
        for c in word.chars() {
            if c.is_ascii_digit() {
                if !digits {
                    out.push('0');
                }
                digits = true;
            } else {
                out.push(c);
                digits = false;
            }
        }
        out.push(' ');
    }
    out
}

/// Draw `n` prompts, from each category in proportion to its size (largest remainders), and at least one.
pub fn draw(prompts: Vec<Prompt>, n: usize, seed: u64) -> Sample {
    let given = prompts.len();
    let mut seen = BTreeSet::new();
    let distinct: Vec<Prompt> = prompts.into_iter().filter(|p| seen.insert(shape(p))).collect();
    let repeated = given - distinct.len();
    let total = distinct.len();
    if total <= n {
        return Sample { prompts: distinct, distinct: total, repeated };
    }
    let mut strata: BTreeMap<Option<String>, Vec<usize>> = BTreeMap::new();
    for (at, prompt) in distinct.iter().enumerate() {
        strata.entry(prompt.category.clone()).or_default().push(at);
    }
    let mut quotas: Vec<(usize, f64)> = strata
        .values()
        .map(|members| {
            let exact = n as f64 * members.len() as f64 / total as f64;
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let whole = exact.floor() as usize;
            (whole, exact - exact.floor())
        })
        .collect();
    // What remains goes to categories without any prompt, then to the largest remainders.
    let mut order: Vec<usize> = (0..quotas.len()).collect();
    order.sort_by(|a, b| {
        (quotas[*a].0 > 0).cmp(&(quotas[*b].0 > 0)).then(quotas[*b].1.total_cmp(&quotas[*a].1))
    });
    let left = n - quotas.iter().map(|q| q.0).sum::<usize>();
    for at in order.into_iter().take(left) {
        quotas[at].0 += 1;
    }
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut chosen = BTreeSet::new();
    for (mut members, (quota, _)) in strata.into_values().zip(quotas) {
        // The first positions of a random permutation.
        for place in 0..quota.min(members.len()) {
            let rest = u64::try_from(members.len() - place).unwrap_or(1);
            let pick = usize::try_from(rng.next_u64() % rest).unwrap_or(0);
            members.swap(place, place + pick);
            chosen.insert(members[place]);
        }
    }
    let prompts =
        distinct.into_iter().enumerate().filter(|(at, _)| chosen.contains(at)).map(|(_, p)| p).collect();
    Sample { prompts, distinct: total, repeated }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draw_keeps_shares_drops_repeats_and_is_the_same_again() {
        let prompt = |n: usize, category: &str, text: String| Prompt {
            id: format!("p{n}"),
            prompt: text,
            category: Some(category.to_owned()),
            ..Prompt::default()
        };
        let word = |n: usize| {
            format!("{}{}", char::from(b'a' + u8::try_from(n % 26).expect("small")), "x".repeat(n / 26))
        };
        let mut prompts: Vec<Prompt> =
            (0..90).map(|n| prompt(n, "chat", format!("tell me of {}", word(n)))).collect();
        prompts.extend((90..100).map(|n| prompt(n, "code", format!("write {}", word(n)))));
        prompts.extend((100..120).map(|n| prompt(n, "chat", format!("Order {n}:  where is it?"))));
        let sample = draw(prompts.clone(), 20, 7);
        assert_eq!((sample.prompts.len(), sample.distinct, sample.repeated), (20, 101, 19));
        let code = sample.prompts.iter().filter(|p| p.category.as_deref() == Some("code")).count();
        assert_eq!(code, 2);
        assert_eq!(sample, draw(prompts.clone(), 20, 7));
        assert_ne!(sample.prompts, draw(prompts.clone(), 20, 8).prompts);
        assert_eq!(draw(prompts, 500, 7).prompts.len(), 101);
        assert!(draw(Vec::new(), 5, 1).prompts.is_empty());
    }
}
