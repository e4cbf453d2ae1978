//! Sizes of requests: the joint distribution of their parts, in bounded memory.
//!
//! A month's total does not determine a price, nor a mean the server that is needed: context tiers, caches
//! and memory depend on single requests. Requests are counted in a grid of prompt size × cached share ×
//! output size. Its cells keep exact sums, so that whatever is derived from cells adds up to the totals.

use super::record::Tokens;
use foldhash::fast::FixedState;
use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

/// Number of values that a [`Sketch`] keeps as they are, before it counts them in bins.
const EXACT: usize = 8192;
/// Number of bins per doubling, as a power of two.
const BITS: u32 = 9;

/// Distribution of values: exact for up to 8,192 of them, and then in bins. Values below 1,024 have bins of
/// their own; larger ones are off by at most 0.1 %. Mean and maximum are always exact.
#[derive(Debug, Clone, Default)]
pub struct Sketch {
    values: Vec<u64>,
    bins: Vec<u32>,
    n: u64,
    sum: u128,
    max: u64,
}

impl Sketch {
    /// Add a value.
    pub fn add(&mut self, value: u64) {
        self.n += 1;
        self.sum += u128::from(value);
        self.max = self.max.max(value);
        if self.bins.is_empty() {
            self.values.push(value);
            if self.values.len() > EXACT {
                self.start_bins();
            }
        } else {
            self.count(value, 1);
        }
    }
    fn start_bins(&mut self) {
        for value in std::mem::take(&mut self.values) {
            self.count(value, 1);
        }
    }
    fn count(&mut self, value: u64, times: u32) {
        let bin = bin(value);
        if self.bins.len() <= bin {
            self.bins.resize(bin + 1, 0);
        }
        self.bins[bin] = self.bins[bin].saturating_add(times);
    }
    /// Add the values of another sketch.
    pub fn merge(&mut self, other: &Self) {
        self.n += other.n;
        self.sum += other.sum;
        self.max = self.max.max(other.max);
        self.values.extend(&other.values);
        if !other.bins.is_empty() || !self.bins.is_empty() || self.values.len() > EXACT {
            self.start_bins();
            for (bin, times) in other.bins.iter().enumerate().filter(|(_, times)| **times > 0) {
                self.count(middle(bin), *times);
            }
        }
    }
    /// Mean and percentiles; `None` without values.
    pub fn spread(&self) -> Option<Spread> {
        if self.n == 0 {
            return None;
        }
        let mut sorted: Vec<(u64, u64)> = self.values.iter().map(|value| (*value, 1)).collect();
        sorted.sort_unstable();
        sorted.extend(self.bins.iter().enumerate().map(|(bin, times)| (middle(bin), u64::from(*times))));
        // Nearest rank: the smallest value that this share of the requests does not exceed.
        let at = |share: f64| {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let rank = ((share * self.n as f64).ceil() as u64).max(1);
            let mut below = 0;
            sorted
                .iter()
                .find(|(_, times)| {
                    below += times;
                    below >= rank
                })
                .map_or(self.max, |(value, _)| (*value).min(self.max))
        };
        Some(Spread {
            mean: self.sum as f64 / self.n as f64,
            p50: at(0.50),
            p95: at(0.95),
            p99: at(0.99),
            max: self.max,
        })
    }
}

/// Index of the bin of a value: the value itself below 2^(BITS + 1), then its leading bits.
fn bin(value: u64) -> usize {
    let used = 64 - value.leading_zeros();
    let shift = used.saturating_sub(BITS + 1);
    // At most 55 times 2^BITS.
    usize::try_from((u64::from(shift) << BITS) + (value >> shift)).unwrap_or(usize::MAX)
}

/// The value in the middle of a bin.
fn middle(bin: usize) -> u64 {
    let shift = ((bin as u64) >> BITS).saturating_sub(1);
    let low = (bin as u64 - (shift << BITS)) << shift;
    low + ((1u64 << shift) >> 1)
}

/// Mean and percentiles of the size of single requests, tokens.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    pub mean: f64,
    pub p50: u64,
    pub p95: u64,
    pub p99: u64,
    pub max: u64,
}

/// Prompt sizes, in tokens, at which prices or engines change. No cell of the grid and no representative
/// request extends across one.
const EDGES: [u64; 13] = [
    32_000, 32_768, 65_536, 128_000, 131_072, 200_000, 256_000, 262_144, 272_000, 512_000, 524_288,
    1_000_000, 1_048_576,
];

/// Upper bounds of the grid's prompt cells: four per doubling, and the edges above.
static PROMPT_ENDS: LazyLock<Vec<u64>> = LazyLock::new(|| {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let quarters = (16..=92).map(|n| 2f64.powf(f64::from(n) / 4.0).round() as u64);
    let mut ends: Vec<u64> = quarters.chain(EDGES).chain([0]).collect();
    ends.sort_unstable();
    ends.dedup();
    ends
});

/// Upper bounds of the share of the prompt that came from a cache; the first one means none at all.
const CACHED_ENDS: [f64; 6] = [0.0, 0.25, 0.5, 0.75, 0.9, 1.0];

type Key = (u16, u8, u8);

#[allow(clippy::cast_possible_truncation)]
fn key(tokens: &Tokens) -> Key {
    let size = tokens.prompt();
    let prompt = PROMPT_ENDS.partition_point(|end| *end < size) as u16;
    let cached = match tokens.cache_read {
        0 => 0,
        read => CACHED_ENDS.partition_point(|end| *end < share(read, size)) as u8,
    };
    // Two per doubling.
    let above = tokens.output.saturating_add(1);
    let octave = above.ilog2();
    let half = if octave > 0 { above >> (octave - 1) & 1 } else { 0 };
    (prompt, cached, (octave * 2) as u8 + half as u8)
}

fn share(part: u64, all: u64) -> f64 {
    if all == 0 { 0.0 } else { part as f64 / all as f64 }
}

/// A number of requests, and the sums of their tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RequestSums {
    pub requests: u64,
    parts: [u64; 7],
}

impl RequestSums {
    fn add(&mut self, requests: u64, parts: [u64; 7]) {
        self.requests += requests;
        for (sum, part) in self.parts.iter_mut().zip(parts) {
            *sum = sum.saturating_add(part);
        }
    }
    fn prompt(&self) -> u64 {
        self.parts[..5].iter().sum()
    }
    fn mean(&self, of: usize) -> f64 {
        self.parts[of] as f64 / self.requests.max(1) as f64
    }
    fn size(&self, all: u64) -> Size {
        Size {
            share: share(self.requests, all),
            input: self.mean(0),
            cache_read: self.mean(1),
            cache_write_5m: self.mean(2),
            cache_write_1h: self.mean(3),
            cache_write_other: self.mean(4),
            output: self.mean(5),
            reasoning: self.mean(6),
        }
    }
}

/// A request that represents a share of all requests; tokens are means.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Size {
    /// Share of all requests, 0 to 1.
    pub share: f64,
    pub input: f64,
    pub cache_read: f64,
    pub cache_write_5m: f64,
    pub cache_write_1h: f64,
    pub cache_write_other: f64,
    /// Reasoning included.
    pub output: f64,
    pub reasoning: f64,
}

impl Size {
    /// All prompt tokens, cached or not.
    pub fn prompt(&self) -> f64 {
        self.input + self.cache_read + self.cache_write_5m + self.cache_write_1h + self.cache_write_other
    }
}

/// Requests of one kind.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cluster {
    /// Are their prompts longer than `boundary`? `None` where prompts do not fall into short and long ones.
    pub long: Option<bool>,
    /// Did at least half of the prompt come from a cache? `None` where the source does not say.
    pub cached: Option<bool>,
    pub requests: u64,
    pub size: Size,
}

/// Requests of a model, counted in the cells of the grid.
#[derive(Debug, Clone, Default)]
pub struct Grid {
    cells: HashMap<Key, RequestSums, FixedState>,
    /// Number of requests whose source states cache reads.
    cache_stated: u64,
    all: RequestSums,
}

impl Grid {
    /// Count a request.
    pub fn add(&mut self, tokens: &Tokens) {
        self.cells.entry(key(tokens)).or_default().add(1, tokens.parts());
        self.all.add(1, tokens.parts());
        self.cache_stated += u64::from(tokens.stated.cache_read);
    }
    /// Add the requests of another grid.
    pub fn merge(&mut self, other: &Self) {
        for (key, heap) in &other.cells {
            self.cells.entry(*key).or_default().add(heap.requests, heap.parts);
        }
        self.all.add(other.all.requests, other.all.parts);
        self.cache_stated += other.cache_stated;
    }
    pub const fn requests(&self) -> u64 {
        self.all.requests
    }

    /// The prompt size that best separates short from long prompts (Otsu's threshold on the logarithm).
    /// `None` unless the two sides differ at least fourfold and neither is rare.
    pub fn boundary(&self) -> Option<u64> {
        let mut columns: BTreeMap<u16, RequestSums> = BTreeMap::new();
        for ((prompt, _, _), heap) in &self.cells {
            columns.entry(*prompt).or_default().add(heap.requests, heap.parts);
        }
        let log = |heap: &RequestSums| (heap.prompt() as f64 / heap.requests.max(1) as f64).max(1.0).ln();
        let n = self.all.requests as f64;
        let sum: f64 = columns.values().map(|h| h.requests as f64 * log(h)).sum();
        let (mut below_n, mut below_sum) = (0.0, 0.0);
        let mut best: Option<(f64, u16, f64)> = None;
        for (column, heap) in &columns {
            below_n += heap.requests as f64;
            below_sum += heap.requests as f64 * log(heap);
            let above_n = n - below_n;
            if above_n < 0.5 {
                break;
            }
            let apart = (sum - below_sum) / above_n - below_sum / below_n;
            let between = below_n * above_n * apart * apart;
            let rare = below_n.min(above_n) < 0.01 * n;
            if !rare && best.is_none_or(|(most, _, _)| between > most) {
                best = Some((between, *column, apart));
            }
        }
        let (_, column, apart) = best?;
        (apart >= 4f64.ln()).then(|| PROMPT_ENDS.get(column as usize).copied()).flatten()
    }

    /// Kinds of requests, short or long, cached or not; the largest first.
    pub fn clusters(&self) -> Vec<Cluster> {
        let boundary = self.boundary();
        let known = self.cache_stated > 0;
        let mut clusters: BTreeMap<(Option<bool>, Option<bool>), RequestSums> = BTreeMap::new();
        for ((prompt, cached, _), heap) in &self.cells {
            let long = boundary.map(|end| PROMPT_ENDS.get(*prompt as usize).is_none_or(|e| *e > end));
            let cached = known.then(|| usize::from(*cached) > 2);
            clusters.entry((long, cached)).or_default().add(heap.requests, heap.parts);
        }
        let all = self.all.requests;
        let mut clusters: Vec<_> = clusters
            .into_iter()
            .map(|((long, cached), heap)| Cluster {
                long,
                cached,
                requests: heap.requests,
                size: heap.size(all),
            })
            .collect();
        clusters.sort_by_key(|c| std::cmp::Reverse(c.requests));
        clusters
    }

    /// At most `most` requests that represent all of them, the largest share first. Their weighted sum
    /// equals the sum of all requests, and none combines requests on both sides of one of `EDGES`.
    pub fn sizes(&self, most: usize) -> Vec<Size> {
        let coarse = |column: u16| {
            let end = PROMPT_ENDS.get(column as usize).copied().unwrap_or(u64::MAX);
            let fine = [256, 1024, 4096, 16_384].iter().filter(|e| **e < end).count();
            fine + EDGES.iter().filter(|e| **e < end).count()
        };
        let mut heaps: BTreeMap<(usize, u8, u8), RequestSums> = BTreeMap::new();
        for ((prompt, cached, output), heap) in &self.cells {
            let cached = match cached {
                0 => 0,
                1 | 2 => 1,
                _ => 2,
            };
            let place = (coarse(*prompt), cached, output / 6);
            heaps.entry(place).or_default().add(heap.requests, heap.parts);
        }
        while heaps.len() > most {
            // The rarest is merged with its neighbour of the same prompt size; one without a neighbour
            // stays.
            let rarest = heaps
                .iter()
                .filter(|(k, _)| heaps.range((k.0, 0, 0)..=(k.0, 255, 255)).count() > 1)
                .min_by_key(|(_, heap)| heap.requests)
                .map(|(k, heap)| (*k, *heap));
            let Some((place, heap)) = rarest else { break };
            heaps.remove(&place);
            let near = heaps
                .range_mut((place.0, 0, 0)..=(place.0, 255, 255))
                .min_by_key(|(k, _)| (k.1.abs_diff(place.1), k.2.abs_diff(place.2)));
            if let Some((_, neighbour)) = near {
                neighbour.add(heap.requests, heap.parts);
            }
        }
        let mut sizes: Vec<_> = heaps.values().map(|heap| heap.size(self.all.requests)).collect();
        sizes.sort_by(|a, b| b.share.total_cmp(&a.share));
        sizes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usage::record::Stated;

    fn request(input: u64, cache_read: u64, output: u64) -> Tokens {
        let stated = Stated { cache_read: true, ..Stated::default() };
        Tokens { input, cache_read, output, stated, ..Tokens::default() }
    }

    #[test]
    fn percentiles_are_values_that_occurred() {
        let mut sketch = Sketch::default();
        for value in 1..=1000 {
            sketch.add(value);
        }
        let spread = sketch.spread().expect("values");
        assert_eq!((spread.p50, spread.p95, spread.p99, spread.max), (500, 950, 990, 1000));
        assert!((spread.mean - 500.5).abs() < 1e-9);
        assert_eq!(Sketch::default().spread(), None);
    }

    #[test]
    fn many_values_are_rounded_but_stay_near() {
        let mut sketch = Sketch::default();
        let mut parts = [Sketch::default(), Sketch::default()];
        for value in 1..=200_000u64 {
            sketch.add(value);
            parts[usize::from(value > 5000)].add(value);
        }
        let [mut first, second] = parts;
        first.merge(&second);
        for sketch in [&sketch, &first] {
            let spread = sketch.spread().expect("values");
            assert!(sketch.bins.len() < 10_000);
            assert!((spread.p95 as f64 / 190_000.0 - 1.0).abs() < 0.001, "{}", spread.p95);
            assert!((spread.mean - 100_000.5).abs() < 1e-6 && spread.max == 200_000);
        }
    }

    #[test]
    fn a_bin_holds_its_middle() {
        for value in (0..5000).chain([123_456, 1 << 40, u64::MAX / 2, u64::MAX]) {
            let near = middle(bin(value));
            assert!(near.abs_diff(value) as f64 <= value as f64 / 1000.0, "{value} {near}");
            assert_eq!(bin(near), bin(value));
        }
        assert_eq!(middle(bin(1023)), 1023);
    }

    #[test]
    fn what_stands_for_all_adds_up_to_all_and_respects_the_tiers() {
        let mut grid = Grid::default();
        let mut seed = 7u64;
        let mut above = 0u64;
        let mut sums = [0u64; 3];
        for _ in 0..20_000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let prompt = (seed >> 33) % 400_000;
            let read = if seed.is_multiple_of(3) { prompt / 2 } else { 0 };
            let tokens = request(prompt - read, read, (seed >> 20) % 9000);
            above += u64::from(prompt > 200_000);
            for (sum, part) in sums.iter_mut().zip([tokens.input, tokens.cache_read, tokens.output]) {
                *sum += part;
            }
            grid.add(&tokens);
        }
        let sizes = grid.sizes(32);
        assert!(sizes.len() <= 32);
        let total = |of: fn(&Size) -> f64| sizes.iter().map(|s| s.share * of(s)).sum::<f64>() * 20_000.0;
        for (ours, exact) in
            [total(|s| s.input), total(|s| s.cache_read), total(|s| s.output)].iter().zip(sums)
        {
            assert!((ours / exact as f64 - 1.0).abs() < 1e-9);
        }
        let long: f64 = sizes.iter().filter(|s| s.prompt() > 200_000.0).map(|s| s.share).sum();
        assert!((long * 20_000.0 - above as f64).abs() < 0.5, "{long} {above}");
    }

    #[test]
    fn short_and_long_cached_and_not_are_told_apart() {
        let mut grid = Grid::default();
        for n in 0..900 {
            grid.add(&request(300 + n % 50, 0, 40));
        }
        for n in 0..100 {
            grid.add(&request(2_000, 60_000 + n, 500));
        }
        let boundary = grid.boundary().expect("two kinds");
        assert!((350..60_000).contains(&boundary), "{boundary}");
        let clusters = grid.clusters();
        assert_eq!(clusters.len(), 2);
        assert_eq!(
            (clusters[0].long, clusters[0].cached, clusters[0].requests),
            (Some(false), Some(false), 900)
        );
        assert_eq!(
            (clusters[1].long, clusters[1].cached, clusters[1].requests),
            (Some(true), Some(true), 100)
        );
        let mut alike = Grid::default();
        for n in 0..100 {
            alike.add(&request(1000 + n, 0, 10));
        }
        assert_eq!(alike.boundary(), None);
    }
}
