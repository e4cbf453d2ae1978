//! What happens to the model's output: choosing the greatest logit, putting bytes together to text, and
//! scaling vectors to length 1.

use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};

/// The index of the greatest logit; the first of equals, as every greedy sampler has it. `None`
/// where nothing can be chosen: no logits, or none that is a number.
///
/// One pass in lanes that the compiler turns into vector instructions, block by block, so that only the
/// block with the greatest is searched for its place: a vocabulary of 260,000 takes some tens of
/// microseconds, and no list of candidates is built.
pub(super) fn greatest(logits: &[f32]) -> Option<usize> {
    const LANES: usize = 16;
    const BLOCK: usize = 4096;
    let of_block = |block: &[f32]| {
        let mut best = [f32::NEG_INFINITY; LANES];
        let mut chunks = block.chunks_exact(LANES);
        for chunk in &mut chunks {
            for (best, &logit) in best.iter_mut().zip(chunk) {
                // A comparison with NaN is false: NaN is never chosen.
                *best = if logit > *best { logit } else { *best };
            }
        }
        let rest = chunks.remainder().iter().copied();
        best.into_iter().chain(rest).fold(f32::NEG_INFINITY, f32::max)
    };
    let (mut greatest, mut start) = (f32::NEG_INFINITY, 0);
    for (n, block) in logits.chunks(BLOCK).enumerate() {
        let here = of_block(block);
        if here > greatest {
            (greatest, start) = (here, n * BLOCK);
        }
    }
    if greatest == f32::NEG_INFINITY {
        return None;
    }
    #[allow(clippy::float_cmp, reason = "the value came out of this slice")]
    logits[start..].iter().position(|&logit| logit == greatest).map(|at| start + at)
}

/// Looks for the likeliest tokens of several sequences at the same time, on threads that wait for it: while
/// they look, the GPU computes nothing.
///
/// Threads started for each step would cost more than they save: on two cores 0.4 ms for 4 rows of 128,256
/// logits where these take 0.1.
#[derive(Debug)]
#[cfg_attr(not(feature = "llama"), allow(dead_code, reason = "only the engine has rows"))]
pub(super) struct Searchers {
    /// `None`: whoever asks looks for itself.
    pool: Option<rayon::ThreadPool>,
}

#[cfg_attr(not(feature = "llama"), allow(dead_code, reason = "only the engine has rows"))]
impl Searchers {
    /// Numbers for which it pays to wake other threads, which takes about 0.1 ms: four rows of 131,072.
    const WORTH: usize = 1 << 19;

    /// At most `threads` of them; with one or none, and where the system starts no threads, there is no pool.
    pub(super) fn new(threads: usize) -> Self {
        let named = |n| format!("search-{n}");
        let pool = || rayon::ThreadPoolBuilder::new().num_threads(threads).thread_name(named).build().ok();
        Self { pool: (threads > 1).then(pool).flatten() }
    }

    /// [`greatest`] of each row.
    pub(super) fn greatest_of_each(&self, rows: &[&[f32]]) -> Vec<Option<usize>> {
        let numbers: usize = rows.iter().map(|row| row.len()).sum();
        match &self.pool {
            Some(pool) if rows.len() > 1 && numbers >= Self::WORTH => {
                pool.install(|| rows.par_iter().map(|row| greatest(row)).collect())
            }
            _ => rows.iter().map(|row| greatest(row)).collect(),
        }
    }
}

/// The vector scaled to length 1. `None` where its length is 0 or not finite.
pub(super) fn unit(vector: &[f32]) -> Option<Vec<f32>> {
    let length = vector.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
    #[allow(clippy::cast_possible_truncation, reason = "at most 1")]
    let scaled = |x: &f32| (f64::from(*x) / length) as f32;
    (length.is_finite() && length > 0.0).then(|| vector.iter().map(scaled).collect())
}

/// Puts the bytes of a model's tokens together to text. A token may end inside a character, so text comes
/// out only once it is whole. Bytes that can never become a character are shown as U+FFFD.
#[derive(Debug, Default)]
pub(super) struct Speller {
    held: Vec<u8>,
}

impl Speller {
    /// Where the next token's bytes go.
    pub(super) fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.held
    }
    /// Takes out the text that is whole by now.
    pub(super) fn take(&mut self) -> String {
        let whole = self.whole();
        let text = String::from_utf8_lossy(&self.held[..whole]).into_owned();
        self.held.drain(..whole);
        text
    }
    /// The answer is over: takes out the rest, although it will not become whole.
    pub(super) fn finish(&mut self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut self.held)).into_owned()
    }
    /// Number of bytes up to an unfinished character at the end.
    fn whole(&self) -> usize {
        let mut from = 0;
        loop {
            match std::str::from_utf8(&self.held[from..]) {
                Ok(_) => return self.held.len(),
                Err(e) => match e.error_len() {
                    Some(bad) => from += e.valid_up_to() + bad,
                    None => return from + e.valid_up_to(),
                },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vector_gets_length_one_or_is_refused() {
        assert_eq!(unit(&[3.0, -4.0]), Some(vec![0.6, -0.8]));
        assert_eq!(unit(&[1e30, 0.0]), Some(vec![1.0, 0.0]), "squares beyond a float's range");
        for useless in [&[][..], &[0.0, 0.0], &[f32::NAN, 1.0], &[f32::INFINITY, 1.0]] {
            assert_eq!(unit(useless), None, "{useless:?}");
        }
    }
    use proptest::prelude::*;

    /// Long rows, as vocabularies are: the place of the greatest in any block, and many rows at once.
    #[test]
    fn the_greatest_of_long_rows_is_found_side_by_side() {
        let row = |at: usize| {
            let mut row: Vec<f32> = (0..131_072_u32).map(|i| f32::from((i % 977) as u16) / 1e3).collect();
            row[at] = 3.0;
            row[131_071] = 3.0;
            row
        };
        let places = [0, 1, 4095, 4096, 4097, 70_000, 131_070, 131_071];
        let rows: Vec<Vec<f32>> = (0..40).map(|n| row(places[n % places.len()])).collect();
        let slices: Vec<&[f32]> = rows.iter().map(Vec::as_slice).collect();
        let expected: Vec<Option<usize>> = (0..40).map(|n| Some(places[n % places.len()])).collect();
        for threads in [0, 1, 2, 5] {
            let searchers = Searchers::new(threads);
            assert_eq!(searchers.pool.is_some(), threads > 1);
            assert_eq!(searchers.greatest_of_each(&slices), expected, "{threads} threads");
            assert_eq!(searchers.greatest_of_each(&[&[][..], &[f32::NAN]]), [None, None]);
            assert_eq!(searchers.greatest_of_each(&[]), []);
        }
    }

    proptest! {
        #[test]
        fn the_greatest_is_the_first_maximum(logits in prop::collection::vec(-9i16..9, 0..70)) {
            let logits: Vec<f32> = logits.into_iter().map(f32::from).collect();
            let mut expected: Option<usize> = None;
            for (i, &x) in logits.iter().enumerate() {
                if expected.is_none_or(|e| x > logits[e]) {
                    expected = Some(i);
                }
            }
            prop_assert_eq!(greatest(&logits), expected);
        }

        #[test]
        fn any_split_spells_the_same(text in "\\PC{0,12}", sizes in prop::collection::vec(1usize..4, 1..50)) {
            let mut speller = Speller::default();
            let mut spelled = String::new();
            let mut rest = text.as_bytes();
            for size in sizes.into_iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let (now, later) = rest.split_at(size.min(rest.len()));
                speller.bytes().extend_from_slice(now);
                spelled.push_str(&speller.take());
                rest = later;
            }
            prop_assert_eq!(spelled, text);
            prop_assert_eq!(speller.finish(), "");
        }
    }

    #[test]
    fn what_is_no_number_is_not_chosen() {
        assert_eq!(greatest(&[f32::NAN, 1.0, 3.0, f32::NAN]), Some(2));
        assert_eq!(greatest(&[f32::NAN; 40]), None);
        assert_eq!(greatest(&[f32::NEG_INFINITY; 3]), None);
        assert_eq!(greatest(&[]), None);
    }

    #[test]
    fn what_is_no_text_is_shown() {
        let mut speller = Speller::default();
        speller.bytes().extend_from_slice(b"a\xffb\xe2\x82");
        assert_eq!(speller.take(), "a\u{fffd}b");
        speller.bytes().push(0xac);
        assert_eq!(speller.take(), "€");
        speller.bytes().extend_from_slice(b"\xf0\x9f");
        assert_eq!((speller.take().as_str(), speller.finish().as_str()), ("", "\u{fffd}"));
    }
}
