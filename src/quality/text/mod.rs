//! Similarity of a text to one or more references, computed as by promptfoo, `rouge-score` and sacreBLEU.

mod chrf;
mod porter;
mod treebank;

pub use chrf::chrf;

use crate::prompts::js;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A hash function for numbers that are already well distributed: a single multiplication.
#[derive(Default)]
struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }
    fn write_u64(&mut self, n: u64) {
        self.0 = (self.0.rotate_left(23) ^ n).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
    #[allow(clippy::cast_possible_truncation)]
    fn write_u128(&mut self, n: u128) {
        self.write_u64(n as u64);
        self.write_u64((n >> 64) as u64);
    }
}

type Counts = HashMap<u128, u32, BuildHasherDefault<Spread>>;

/// Numbers words from 1, so that a run of up to four words fits into one number.
#[derive(Default)]
struct Numbers<'t>(HashMap<&'t str, u32>);

impl<'t> Numbers<'t> {
    fn of(&mut self, words: &[&'t str]) -> Vec<u32> {
        let mut number = |word: &&'t str| {
            let next = u32::try_from(self.0.len() + 1).unwrap_or(u32::MAX);
            *self.0.entry(word).or_insert(next)
        };
        words.iter().map(&mut number).collect()
    }
}

/// A run of numbers of at most `bits` bits, packed into one number.
fn gram(run: &[u32], bits: u32) -> u128 {
    run.iter().fold(0, |key, number| key << bits | u128::from(*number))
}

/// All runs of `n` numbers, packed.
fn grams(numbers: &[u32], n: usize, bits: u32) -> impl Iterator<Item = u128> {
    numbers.windows(n).map(move |run| gram(run, bits))
}

/// For each length up to `orders`, the number of runs that both texts have. A run counts no more often than
/// it occurs in the other text.
fn shared(a: &[u32], b: &[u32], orders: usize, bits: u32) -> Vec<usize> {
    let mut found = Vec::with_capacity(orders);
    // If a run is not in the other text, then no longer run that begins with it is.
    let mut begins: Vec<usize> = (0..a.len()).collect();
    for n in 1..=orders {
        let mut left = Counts::default();
        if !begins.is_empty() {
            for gram in grams(b, n, bits) {
                *left.entry(gram).or_insert(0) += 1;
            }
        }
        let mut matches = 0;
        begins.retain(|at| {
            let Some(run) = a.get(*at..at + n) else { return false };
            let Some(count) = left.get_mut(&gram(run, bits)) else { return false };
            if *count > 0 {
                *count -= 1;
                matches += 1;
            }
            true
        });
        found.push(matches);
    }
    found
}

/// The words of two texts as numbers, equal words with equal ones.
fn numbered(a: &[&str], b: &[&str]) -> (Vec<u32>, Vec<u32>) {
    let mut numbers = Numbers::default();
    (numbers.of(a), numbers.of(b))
}

/// The words as string slices.
fn borrowed(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

/// Number of runs of `n` words in a text of `words` words.
fn runs(words: usize, n: usize) -> usize {
    (words + 1).saturating_sub(n)
}

/// The words of a text in lower case; a text without words has one that is empty.
fn lower_words(lower: &str) -> Vec<&str> {
    let words: Vec<&str> = js::words(lower).collect();
    if words.is_empty() { vec![""] } else { words }
}

/// The harmonic mean, worked out from the smaller one: where it is a round number such as 0.75 it comes out
/// as that number and no bit less, so that a threshold at it is met. promptfoo's package does the same.
fn f1(precision: f64, recall: f64) -> f64 {
    let (low, high) = if precision < recall { (precision, recall) } else { (recall, precision) };
    if low > 0.0 { high.min(low * (2.0 / (1.0 + low / high))) } else { 0.0 }
}

/// BLEU of one sentence (Papineni et al. 2002), 0 to 1, as promptfoo counts it: words are what white
/// space parts, in lower case; only orders that the answer is long enough for count; an order without
/// a match has precision 1e-7; with several references the best one is taken for each order.
/// `None` without references.
pub fn bleu(answer: &str, references: &[String]) -> Option<f64> {
    if references.is_empty() {
        return None;
    }
    if js::trim(answer).is_empty() {
        return Some(0.0);
    }
    let answer = answer.to_lowercase();
    let words = lower_words(&answer);
    let lower: Vec<String> = references.iter().map(|r| r.to_lowercase()).collect();
    let mut numbers = Numbers::default();
    let words = numbers.of(&words);
    let references: Vec<Vec<u32>> = lower.iter().map(|r| numbers.of(&lower_words(r))).collect();
    // The reference nearest in length; the shorter of two.
    let length = references.iter().map(Vec::len).min_by_key(|len| (len.abs_diff(words.len()), *len))?;
    let matches: Vec<Vec<usize>> = references.iter().map(|r| shared(&words, r, 4, 32)).collect();
    let orders: Vec<f64> = (1..=4)
        .filter(|n| runs(words.len(), *n) > 0)
        .map(|n| {
            let best = matches.iter().map(|m| m[n - 1]).max().unwrap_or(0);
            best as f64 / runs(words.len(), n) as f64
        })
        .collect();
    // Weighted before they are summed, as promptfoo does it: the last digit decides at a threshold.
    let weight = 1.0 / orders.len() as f64;
    let log: f64 = orders.iter().map(|p| weight * if *p == 0.0 { 1e-7f64.ln() } else { p.ln() }).sum();
    let penalty = if words.len() > length { 1.0 } else { (1.0 - length as f64 / words.len() as f64).exp() };
    Some(penalty * log.exp())
}

/// The words of a text in lower case without the full stops at their end; none where nothing else is there.
fn without_stops(lower: &str) -> Vec<&str> {
    let words: Vec<&str> = lower_words(lower).iter().map(|w| w.trim_end_matches('.')).collect();
    if words.iter().any(|w| !w.is_empty()) { words } else { Vec::new() }
}

/// GLEU of one sentence (Wu et al. 2016), 0 to 1: the share of the runs of one to four words that also
/// occur in the other text, for whichever text it is smaller. Words are in lower case, without full stops
/// at their end. `None` without references.
pub fn gleu(answer: &str, references: &[String]) -> Option<f64> {
    let lower = answer.to_lowercase();
    let own = without_stops(&lower);
    references
        .iter()
        .map(|reference| {
            let lower = reference.to_lowercase();
            let (own, words) = numbered(&own, &without_stops(&lower));
            if own.is_empty() || words.is_empty() {
                return 0.0;
            }
            let total = |len: usize| (1..=4).map(|n| runs(len, n)).sum::<usize>() as f64;
            let matches: usize = shared(&own, &words, 4, 32).iter().sum();
            matches as f64 / total(own.len()).max(total(words.len()))
        })
        .reduce(f64::max)
}

/// ROUGE-N (Lin 2004) as promptfoo computes it, 0 to 1: the F1 of single tokens by Penn Treebank rules, in
/// lower case. A token counts no more often than it occurs in the other text.
pub fn rouge_n(answer: &str, reference: &str) -> f64 {
    let (own, other) =
        (treebank::tokens(&answer.to_lowercase()), treebank::tokens(&reference.to_lowercase()));
    let (own, other) = numbered(&borrowed(&own), &borrowed(&other));
    let overlap = shared(&own, &other, 1, 32)[0] as f64;
    if overlap == 0.0 {
        return 0.0;
    }
    f1(overlap / own.len() as f64, overlap / other.len() as f64)
}

/// ROUGE-L (Lin 2004), 0 to 1: the F1 of the longest common subsequence of words. Words are runs of ASCII
/// letters and digits in lower case, as in `rouge-score` without stemming, or with `unicode` letters and
/// digits of any script.
pub fn rouge_l(answer: &str, reference: &str, unicode: bool) -> f64 {
    let part = |c: char| if unicode { c.is_alphanumeric() } else { c.is_ascii_alphanumeric() };
    let (answer, reference) = (answer.to_lowercase(), reference.to_lowercase());
    let own: Vec<&str> = answer.split(|c| !part(c)).filter(|w| !w.is_empty()).collect();
    let other: Vec<&str> = reference.split(|c| !part(c)).filter(|w| !w.is_empty()).collect();
    if own.is_empty() || other.is_empty() {
        return 0.0;
    }
    let (own, other) = numbered(&own, &other);
    let common = rapidfuzz::distance::lcs_seq::similarity(own.iter().copied(), other.iter().copied()) as f64;
    f1(common / own.len() as f64, common / other.len() as f64)
}

/// METEOR (Banerjee and Lavie 2005), 0 to 1, by words and Porter stems. promptfoo's own version also uses
/// `WordNet` for synonyms, which its package lacks; without it both give the same result. `None` without
/// references or with an empty answer.
pub fn meteor(answer: &str, references: &[String]) -> Option<f64> {
    if answer.is_empty() {
        return None;
    }
    let words = |text: &str| -> Vec<String> {
        text.split(js::is_space).map(|w| w.trim_end_matches('.').to_lowercase()).collect()
    };
    let own = words(&squeezed(answer));
    references.iter().map(|r| meteor_of(&own, &words(&squeezed(r)))).reduce(f64::max)
}

/// The text with every run of white space as one space, as splitting at `\s+` sees it; empty pieces at the
/// ends are kept.
fn squeezed(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut space = false;
    for c in text.chars() {
        if js::is_space(c) {
            if !space {
                out.push(' ');
            }
            space = true;
        } else {
            out.push(c);
            space = false;
        }
    }
    out
}

fn meteor_of(own: &[String], other: &[String]) -> f64 {
    // Words are matched from the end, each with the last remaining equal word of the other text.
    let mut pairs: Vec<(usize, usize)> = Vec::new();
    let mut rest: (Vec<usize>, Vec<usize>) = ((0..own.len()).collect(), (0..other.len()).collect());
    for stemmed in [false, true] {
        if rest.1.is_empty() {
            break;
        }
        // A stem begins like its word, so that words whose first letter no other word has need no stem.
        let begins: Vec<Option<char>> = rest.1.iter().map(|i| other[*i].chars().next()).collect();
        let stem = |word: &String| {
            let may_match = stemmed && begins.contains(&word.chars().next());
            if may_match { porter::stem(word) } else { word.clone() }
        };
        let of = |words: &[String], left: &[usize]| left.iter().map(|i| stem(&words[*i])).collect::<Vec<_>>();
        let (mut a, mut b) = numbered(&borrowed(&of(own, &rest.0)), &borrowed(&of(other, &rest.1)));
        for i in (0..a.len()).rev() {
            if let Some(j) = (0..b.len()).rev().find(|j| a[i] == b[*j]) {
                a.remove(i);
                b.remove(j);
                pairs.push((rest.0.remove(i), rest.1.remove(j)));
            }
        }
    }
    if pairs.is_empty() {
        return 0.0;
    }
    pairs.sort_unstable();
    let matches = pairs.len() as f64;
    let (precision, recall) = (matches / own.len() as f64, matches / other.len() as f64);
    let mean = precision * recall / (0.9 * precision + 0.1 * recall);
    let chunks = 1 + pairs.windows(2).filter(|w| w[1].0 != w[0].0 + 1 || w[1].1 != w[0].1 + 1).count();
    (1.0 - 0.5 * (chunks as f64 / matches).powi(3)) * mean
}

/// Edit distance: the fewest insertions, deletions and replacements of UTF-16 units that turn one text into
/// the other.
pub fn levenshtein(a: &str, b: &str) -> usize {
    let units = |text: &str| text.encode_utf16().collect::<Vec<_>>();
    rapidfuzz::distance::levenshtein::distance(units(a), units(b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    /// Expected values come from rouge-score, sacreBLEU and rapidfuzz, on texts in many scripts and on
    /// degenerate ones.
    #[test]
    fn scores_are_those_of_the_packages() {
        let fixture: Value =
            serde_json::from_str(include_str!("../../../tests/fixtures/quality/text.json")).expect("JSON");
        let cases = fixture["cases"].as_array().expect("cases");
        assert!(cases.len() > 150);
        let mut wrong = Vec::new();
        for case in cases {
            let (a, b) = (case["answer"].as_str().expect("text"), case["reference"].as_str().expect("text"));
            let wanted = |key: &str| case[key].as_f64().expect("a number");
            for (name, found) in [
                ("rouge_l", rouge_l(a, b, false)),
                ("chrf", chrf(a, &[b.to_owned()]).expect("a reference")),
                ("levenshtein", levenshtein(a, b) as f64),
            ] {
                if (found - wanted(name)).abs() > 1e-9 {
                    wrong.push(format!("{name} of {a:?} and {b:?}: {found}, not {}", wanted(name)));
                }
            }
        }
        assert!(wrong.is_empty(), "{} wrong: {wrong:#?}", wrong.len());
    }

    #[test]
    fn nothing_in_common_is_nothing_and_no_crash() {
        for text in ["", " ", "...", "\u{200b}", "😀"] {
            let reference = [text.to_owned()];
            for score in [
                bleu(text, &reference).expect("a reference"),
                gleu(text, &reference).expect("a reference"),
                rouge_n(text, text),
                rouge_l(text, text, true),
                meteor(text, &reference).unwrap_or(0.0),
                chrf(text, &reference).expect("a reference"),
            ] {
                assert!((0.0..=1.0).contains(&score), "{text:?}: {score}");
            }
        }
        assert_eq!(
            (bleu("a", &[]), gleu("a", &[]), chrf("a", &[]), meteor("", &["a".to_owned()])),
            (None, None, None, None)
        );
    }
}
