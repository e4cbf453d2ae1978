//! Days, hours of the week, and the time that records cover.

use crate::usage::summary::{Coverage, Totals};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;

/// Seconds of a day.
pub(super) const DAY: i64 = 86_400;

/// Number of the day since 1970, or since the first day of a source without dates.
pub(super) fn day_of(second: i64) -> i32 {
    i32::try_from(second.div_euclid(DAY)).unwrap_or(0)
}

/// Hour of the week in a time zone; 0 is Monday 00:00.
pub(super) fn hour_of_week(second: i64, zone: &TimeZone) -> Option<u8> {
    let offset = zone.to_offset(Timestamp::from_second(second).ok()?).seconds();
    // 1970-01-01 was a Thursday.
    let hour = (second + i64::from(offset)).div_euclid(3600) + 3 * 24;
    u8::try_from(hour.rem_euclid(168)).ok()
}

/// Coverage of the time from `first` to `last`; `days` are those with records.
pub(super) fn covered(first: i64, last: i64, relative: bool, days: &BTreeMap<i32, Totals>) -> Coverage {
    // A bucket that ends at midnight does not reach into the next day.
    let last_day = day_of((last - 1).max(first));
    let gap = days.keys().zip(days.keys().skip(1)).map(|(a, b)| b - a - 1).max().unwrap_or(0);
    Coverage {
        first,
        last,
        days: u32::try_from(days.len()).unwrap_or(u32::MAX),
        span_days: u32::try_from(last_day - day_of(first) + 1).unwrap_or(0),
        longest_gap_days: u32::try_from(gap).unwrap_or(0),
        relative,
    }
}
