//! Converts counts as a source states them to the normal form. Sources differ in whether the input count
//! includes cached tokens, and the output count reasoning. This is the only place that converts.

use super::record::{Reason, Stated, Tokens, reason};

/// Counts as the source states them; `None` where it does not.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counts {
    pub input: Option<u64>,
    pub cache_read: Option<u64>,
    /// All tokens written to caches; the counts by lifetime are included in it.
    pub cache_write: Option<u64>,
    pub cache_write_5m: Option<u64>,
    pub cache_write_1h: Option<u64>,
    pub output: Option<u64>,
    pub reasoning: Option<u64>,
    /// All tokens, if the source states them; shows which counts include which.
    pub total: Option<u64>,
}

/// Is a part included in the count it belongs to?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// It is included.
    Inside,
    /// It must be added.
    Beside,
    /// The total shows it; without a total that fits, the source's convention decides.
    Unsure(Convention),
}

/// The convention of a source whose records do not show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Convention {
    Inside,
    Beside,
}

/// The normal form of a record's counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Normal {
    pub tokens: Tokens,
    /// There are cached tokens, and nothing in the record shows whether the input includes them.
    pub uncertain: bool,
}

impl Counts {
    /// Is there neither an input nor an output count?
    pub fn is_empty(&self) -> bool {
        self.input.is_none() && self.output.is_none()
    }

    /// Convert to the normal form. Where a part cannot be included in the whole, because it is larger, it
    /// is taken as not included.
    pub fn normal(self, cached: Side, reasoning: Side) -> Result<Normal, &'static Reason> {
        let input = self.input.unwrap_or(0);
        let output = self.output.unwrap_or(0);
        let read = self.cache_read.unwrap_or(0);
        let by_lifetime = sum(&[self.cache_write_5m.unwrap_or(0), self.cache_write_1h.unwrap_or(0)])?;
        let write = self.cache_write.unwrap_or(0).max(by_lifetime);
        let parts = sum(&[read, write])?;
        let thoughts = self.reasoning.unwrap_or(0);

        let fits = |cached_inside: bool, thoughts_inside: bool| {
            let all = sum(&[
                input,
                output,
                if cached_inside { 0 } else { parts },
                if thoughts_inside { 0 } else { thoughts },
            ]);
            self.total.is_some_and(|total| all == Ok(total))
        };
        let (thoughts_inside, _) = match reasoning {
            _ if thoughts == 0 => (true, true),
            Side::Inside if thoughts <= output => (true, true),
            Side::Inside | Side::Beside => (false, true),
            Side::Unsure(_) if thoughts > output => (false, true),
            Side::Unsure(convention) => {
                let inside = fits(true, true) || fits(false, true);
                let beside = fits(true, false) || fits(false, false);
                if inside == beside { (convention == Convention::Inside, false) } else { (inside, true) }
            }
        };
        let (cached_inside, certain) = match cached {
            _ if parts == 0 => (true, true),
            _ if input < parts => (false, true),
            Side::Inside => (true, true),
            Side::Beside => (false, true),
            Side::Unsure(convention) => match (fits(true, thoughts_inside), fits(false, thoughts_inside)) {
                (true, false) => (true, true),
                (false, true) => (false, true),
                _ => (convention == Convention::Inside, false),
            },
        };
        let one_hour = self.cache_write_1h.unwrap_or(0);
        let tokens = Tokens {
            input: if cached_inside { input - parts } else { input },
            cache_read: read,
            cache_write_5m: by_lifetime - one_hour,
            cache_write_1h: one_hour,
            cache_write_other: write - by_lifetime,
            output: if thoughts_inside { output } else { sum(&[output, thoughts])? },
            reasoning: thoughts,
            stated: Stated {
                cache_read: self.cache_read.is_some(),
                cache_write: self.cache_write.is_some()
                    || self.cache_write_5m.is_some()
                    || self.cache_write_1h.is_some(),
                reasoning: self.reasoning.is_some(),
            },
        };
        sum(&[tokens.input, parts, tokens.output])?;
        Ok(Normal { tokens, uncertain: !certain })
    }
}

fn sum(parts: &[u64]) -> Result<u64, &'static Reason> {
    parts.iter().try_fold(0u64, |sum, part| sum.checked_add(*part)).ok_or(&reason::ABSURD)
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNSURE: Side = Side::Unsure(Convention::Inside);

    fn counts(input: u64, read: u64, write: u64, output: u64, total: Option<u64>) -> Counts {
        Counts {
            input: Some(input),
            cache_read: Some(read),
            cache_write: Some(write),
            output: Some(output),
            total,
            ..Counts::default()
        }
    }

    fn uncached(counts: Counts, side: Side) -> (u64, bool) {
        let normal = counts.normal(side, Side::Inside).expect("fits");
        (normal.tokens.input, normal.uncertain)
    }

    #[test]
    fn the_side_of_the_cache_is_told_by_the_source_or_by_the_sums() {
        assert_eq!(uncached(counts(100, 60, 10, 5, None), Side::Inside), (30, false));
        assert_eq!(uncached(counts(100, 60, 10, 5, None), Side::Beside), (100, false));
        assert_eq!(uncached(counts(100, 60, 10, 5, Some(105)), UNSURE), (30, false));
        assert_eq!(uncached(counts(100, 60, 10, 5, Some(175)), UNSURE), (100, false));
        // Nothing shows it: the convention decides, and the result says so.
        assert_eq!(uncached(counts(100, 60, 10, 5, None), UNSURE), (30, true));
        assert_eq!(uncached(counts(100, 60, 10, 5, Some(9)), Side::Unsure(Convention::Beside)), (100, true));
        // Less input than cached tokens: the input cannot include them, whatever the convention.
        assert_eq!(uncached(counts(12, 2495, 100, 80, Some(92)), Side::Inside), (12, false));
        assert_eq!(uncached(counts(50, 0, 0, 5, None), UNSURE), (50, false));
    }

    #[test]
    fn reasoning_is_inside_or_beside() {
        let counts = Counts { input: Some(86), output: Some(200), reasoning: Some(100), ..Counts::default() };
        let output = |total, side| {
            let normal = Counts { total, ..counts }.normal(Side::Inside, side).expect("fits");
            (normal.tokens.output, normal.tokens.reasoning)
        };
        assert_eq!(output(None, Side::Inside), (200, 100));
        assert_eq!(output(None, Side::Beside), (300, 100));
        assert_eq!(output(Some(386), UNSURE), (300, 100));
        assert_eq!(output(Some(286), UNSURE), (200, 100));
    }

    #[test]
    fn writes_by_lifetime_are_parts_of_all_writes() {
        let counts = Counts {
            input: Some(10),
            cache_write: Some(8400),
            cache_write_5m: Some(400),
            cache_write_1h: Some(7000),
            ..Counts::default()
        };
        let tokens = counts.normal(Side::Beside, Side::Inside).expect("fits").tokens;
        assert_eq!(
            (tokens.cache_write_5m, tokens.cache_write_1h, tokens.cache_write_other),
            (400, 7000, 1000)
        );
        assert_eq!(tokens.prompt(), 8410);
    }

    #[test]
    fn sums_that_no_counter_holds_are_absurd() {
        let counts = Counts { input: Some(u64::MAX), output: Some(1), ..Counts::default() };
        assert_eq!(counts.normal(Side::Beside, Side::Inside), Err(&reason::ABSURD));
    }
}
