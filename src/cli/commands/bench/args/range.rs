//! Flags that take a whole number within a range.

/// A parser of whole numbers from `least` to `most`.
pub fn up_to(least: i64, most: u64) -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(least..=i64::try_from(most).unwrap_or(i64::MAX))
}
