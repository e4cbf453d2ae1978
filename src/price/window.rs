//! Windows of the day with prices of their own.

use crate::catalog::TimeWindow;

/// A window of the day (UTC), on some days of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Minutes after midnight, inclusive.
    start: u16,
    /// Minutes after midnight, exclusive. Where it is at or before `start`, the window runs past midnight.
    end: u16,
    /// The days it starts on: bit 0 is Monday.
    days: u8,
}

const DAY: u16 = 24 * 60;
const EVERY_DAY: u8 = 0b111_1111;

impl Window {
    /// Reads the window of a record; `None` where its start or end is no time of day (`db check` reports
    /// it).
    pub fn of(record: &TimeWindow) -> Option<Self> {
        let minutes = |text: &str| -> Option<u16> {
            let (hours, minutes) = text.split_once(':')?;
            let (hours, minutes) = (hours.parse::<u16>().ok()?, minutes.parse::<u16>().ok()?);
            (minutes < 60).then_some(hours * 60 + minutes).filter(|m| *m <= DAY)
        };
        let days =
            record.weekdays.iter().filter(|d| (1..=7).contains(*d)).fold(0, |days, d| days | 1 << (d - 1));
        Some(Self {
            start: minutes(&record.start_utc)?,
            end: minutes(&record.end_utc)?,
            days: if record.weekdays.is_empty() { EVERY_DAY } else { days },
        })
    }

    const fn starts_on(self, day: u8) -> bool {
        self.days & (1 << (day % 7)) != 0
    }

    /// Is this minute of the week (0 is Monday 00:00 UTC) inside the window? One that runs past midnight
    /// belongs to the day it starts on.
    pub fn holds(self, minute_of_week: u16) -> bool {
        let (day, now) = ((minute_of_week / DAY % 7) as u8, minute_of_week % DAY);
        if self.start < self.end {
            (self.start..self.end).contains(&now) && self.starts_on(day)
        } else {
            (now >= self.start && self.starts_on(day)) || (now < self.end && self.starts_on(day + 6))
        }
    }

    /// Share of the requests that fall into the window, 0 to 1. `load` has the weight of each of the 168
    /// hours of the week, adding up to 1; without it requests come evenly.
    pub fn share(self, load: Option<&[f64]>) -> f64 {
        let held =
            |hour: u16| f64::from((0..60).map(|m| u8::from(self.holds(hour * 60 + m))).sum::<u8>()) / 60.0;
        let weight =
            |hour: u16| load.map_or(1.0 / 168.0, |w| w.get(usize::from(hour)).copied().unwrap_or(0.0));
        (0..168).map(|hour| weight(hour) * held(hour)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Rates;

    fn window(start: &str, end: &str, weekdays: &[u8]) -> Window {
        let record = TimeWindow {
            start_utc: start.into(),
            end_utc: end.into(),
            weekdays: weekdays.to_vec(),
            rates: Rates::default(),
        };
        Window::of(&record).expect("times")
    }

    #[test]
    fn windows_wrap_midnight_and_follow_the_load() {
        let night = window("16:30", "00:30", &[]);
        assert!((night.share(None) - 8.0 / 24.0).abs() < 1e-12);
        let mut load = vec![0.0; 168];
        load[0] = 0.5;
        load[30] = 0.5;
        // Monday 00:00 is half inside; Tuesday 06:00 is outside.
        assert!((night.share(Some(&load)) - 0.25).abs() < 1e-12);
        // Monday to Friday: eight hours on five days of seven, and none of Monday's small hours, which
        // belong to Sunday.
        let workdays = window("16:30", "00:30", &[1, 2, 3, 4, 5]);
        assert!((workdays.share(None) - 5.0 * 8.0 / 168.0).abs() < 1e-12);
        assert!(workdays.share(Some(&load)).abs() < 1e-12);
    }

    #[test]
    fn the_minute_decides() {
        let friday = 4 * DAY;
        let weekdays = window("16:30", "00:30", &[1, 2, 3, 4, 5]);
        let at = |day: u16, h: u16, m: u16| weekdays.holds(friday + day * DAY + h * 60 + m);
        assert!(!at(0, 16, 29) && at(0, 16, 30));
        assert!(at(1, 0, 29), "Friday's window ends on Saturday");
        assert!(!at(1, 16, 30), "none begins on a Saturday");
    }

    #[test]
    fn nonsense_is_no_window() {
        for (start, end) in [("25:00", "01:00"), ("1", "2"), ("10:61", "11:00"), ("-1:00", "02:00")] {
            let record = TimeWindow {
                start_utc: start.into(),
                end_utc: end.into(),
                weekdays: Vec::new(),
                rates: Rates::default(),
            };
            assert_eq!(Window::of(&record), None, "{start} {end}");
        }
    }
}
