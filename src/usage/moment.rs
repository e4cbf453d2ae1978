//! Reads times as exports write them. A time without a zone is UTC, which is what every source means that
//! leaves it out; a mapping can say otherwise. `07/09/2026` is refused, because nobody can know which part
//! is the month.

use super::record::{Clock, Reason, When, reason};
use jiff::civil::{Date, DateTime, Time};
use jiff::fmt::strtime;
use jiff::tz::{Offset, TimeZone};

const DAY: u32 = 86_400;

/// How a column writes its times.
#[derive(Debug, Clone, PartialEq)]
pub struct TimeStyle {
    /// A `strftime` format; `None` for ISO 8601 and seconds since 1970.
    pub format: Option<String>,
    /// The zone of times that do not name one.
    pub zone: TimeZone,
}

impl Default for TimeStyle {
    fn default() -> Self {
        Self { format: None, zone: TimeZone::UTC }
    }
}

/// A time from a number of seconds, milliseconds, microseconds or nanoseconds since 1970; its size shows
/// which.
pub fn from_number(value: f64) -> Result<When, &'static Reason> {
    let seconds = match value.abs() {
        v if !v.is_finite() => return Err(&reason::UNREADABLE_TIME),
        v if v < 1e11 => value,
        v if v < 1e14 => value / 1e3,
        v if v < 1e17 => value / 1e6,
        _ => value / 1e9,
    };
    // Times from 2000 to 2100; any other number is not a time.
    if !(946_684_800.0..4_102_444_800.0).contains(&seconds) {
        return Err(&reason::UNREADABLE_TIME);
    }
    #[allow(clippy::cast_possible_truncation)]
    Ok(When::at(seconds.floor() as i64))
}

/// The same for a whole number, with digits that a float would lose.
pub fn from_whole(value: u64) -> Result<When, &'static Reason> {
    let seconds = match value {
        v if v < 100_000_000_000 => v,
        v if v < 100_000_000_000_000 => v / 1_000,
        v if v < 100_000_000_000_000_000 => v / 1_000_000,
        v => v / 1_000_000_000,
    };
    from_number(seconds as f64)
}

/// A time from text, in this style.
pub fn from_text(text: &str, style: &TimeStyle) -> Result<When, &'static Reason> {
    let text = text.trim();
    if let Some(format) = &style.format {
        return from_format(text, format, &style.zone);
    }
    iso(text.as_bytes(), &style.zone)
}

/// A time in one of the usual variants of ISO 8601.
pub fn from_iso(text: &str) -> Result<When, &'static Reason> {
    iso(text.trim().as_bytes(), &TimeZone::UTC)
}

fn from_format(text: &str, format: &str, zone: &TimeZone) -> Result<When, &'static Reason> {
    let unreadable = |_| &reason::UNREADABLE_TIME;
    let parsed = strtime::parse(format, text).map_err(unreadable)?;
    if let Ok(timestamp) = parsed.to_timestamp() {
        return Ok(When::at(timestamp.as_second()));
    }
    let date = parsed.to_date().map_err(unreadable)?;
    let time = (parsed.hour().is_some()).then(|| parsed.to_time()).transpose().map_err(unreadable)?;
    let start = seconds(date, time.unwrap_or_default(), zone)?;
    Ok(When { start, span: if time.is_some() { 0 } else { DAY }, clock: Clock::Utc })
}

fn seconds(date: Date, time: Time, zone: &TimeZone) -> Result<i64, &'static Reason> {
    let civil = DateTime::from_parts(date, time);
    let zoned = zone.to_ambiguous_timestamp(civil).compatible().map_err(|_| &reason::UNREADABLE_TIME)?;
    Ok(zoned.as_second())
}

struct Scan<'t> {
    text: &'t [u8],
    at: usize,
}

impl Scan<'_> {
    fn digits(&mut self, n: usize) -> Option<i16> {
        let part = self.text.get(self.at..self.at + n)?;
        if !part.iter().all(u8::is_ascii_digit) {
            return None;
        }
        self.at += n;
        Some(part.iter().fold(0, |value, digit| value * 10 + i16::from(digit - b'0')))
    }
    fn take(&mut self, any_of: &[u8]) -> Option<u8> {
        let found = *self.text.get(self.at).filter(|b| any_of.contains(b))?;
        self.at += 1;
        Some(found)
    }
    fn skip(&mut self, what: impl Fn(u8) -> bool) {
        while self.text.get(self.at).is_some_and(|b| what(*b)) {
            self.at += 1;
        }
    }
    fn rest(&self) -> &[u8] {
        &self.text[self.at.min(self.text.len())..]
    }
}

fn iso(text: &[u8], zone: &TimeZone) -> Result<When, &'static Reason> {
    let bad = &reason::UNREADABLE_TIME;
    let mut scan = Scan { text, at: 0 };
    let year = scan.digits(4);
    let (Some(year), Some(separator)) = (year, scan.take(b"-/.")) else {
        return not_iso(text);
    };
    let month = scan.digits(2).ok_or(bad)?;
    scan.take(&[separator]).ok_or(bad)?;
    let day = scan.digits(2).ok_or(bad)?;
    let small = |n: i16| i8::try_from(n).map_err(|_| bad);
    let date = Date::new(year, small(month)?, small(day)?).map_err(|_| bad)?;
    if !(2000..2100).contains(&year) {
        return Err(bad);
    }
    if scan.rest().is_empty() {
        return Ok(When { start: seconds(date, Time::midnight(), zone)?, span: DAY, clock: Clock::Utc });
    }
    scan.take(b"Tt ").ok_or(bad)?;
    let hour = scan.digits(2).ok_or(bad)?;
    let mut minute = 0;
    let mut second = 0;
    if scan.take(b":").is_some() {
        minute = scan.digits(2).ok_or(bad)?;
        if scan.take(b":").is_some() {
            second = scan.digits(2).ok_or(bad)?.min(59);
            if scan.take(b".,").is_some() {
                scan.skip(|b| b.is_ascii_digit());
            }
        }
    }
    let time = Time::new(small(hour)?, small(minute)?, small(second)?, 0).map_err(|_| bad)?;
    scan.skip(|b| b == b' ');
    let offset = match scan.rest() {
        b"" => None,
        b"Z" | b"z" | b"UTC" | b"GMT" => Some(0),
        _ => Some(offset(&mut scan).ok_or(bad)?),
    };
    let start = match offset {
        None => seconds(date, time, zone)?,
        Some(offset) => {
            let civil = DateTime::from_parts(date, time);
            let offset = Offset::from_seconds(offset).map_err(|_| bad)?;
            offset.to_timestamp(civil).map_err(|_| bad)?.as_second()
        }
    };
    Ok(When::at(start))
}

/// An offset such as `+02:00`, `+0200` or `+02`, in seconds.
fn offset(scan: &mut Scan) -> Option<i32> {
    let sign = if scan.take(b"+-")? == b'-' { -1 } else { 1 };
    let hours = scan.digits(2)?;
    scan.take(b":");
    let minutes = if scan.rest().is_empty() { 0 } else { scan.digits(2)? };
    // `[Europe/Berlin]` may follow; the offset before it is used.
    (scan.rest().is_empty() || scan.rest().starts_with(b"["))
        .then_some(sign * (i32::from(hours) * 3600 + i32::from(minutes) * 60))
}

fn not_iso(text: &[u8]) -> Result<When, &'static Reason> {
    let plain = std::str::from_utf8(text).map_err(|_| &reason::UNREADABLE_TIME)?;
    if let Ok(whole) = plain.parse::<u64>() {
        return from_whole(whole);
    }
    if let Ok(value) = plain.parse::<f64>() {
        return from_number(value);
    }
    // Three groups of digits, such as `7/9/2026` or `07.09.26`.
    let mut groups = plain.split([' ', 'T']).next().unwrap_or_default().split(['/', '.', '-']);
    let short = |g: Option<&str>| {
        g.is_some_and(|g| matches!(g.len(), 1 | 2 | 4) && g.bytes().all(|b| b.is_ascii_digit()))
    };
    if short(groups.next()) && short(groups.next()) && short(groups.next()) {
        return Err(&reason::AMBIGUOUS_TIME);
    }
    Err(&reason::UNREADABLE_TIME)
}

/// A time zone: `UTC`, `+02:00`, or a name from the time zone database.
pub fn zone(name: &str) -> Option<TimeZone> {
    if matches!(name, "" | "UTC" | "utc" | "Z" | "GMT") {
        return Some(TimeZone::UTC);
    }
    if name.starts_with(['+', '-']) {
        let mut scan = Scan { text: name.as_bytes(), at: 0 };
        return Some(TimeZone::fixed(Offset::from_seconds(offset(&mut scan)?).ok()?));
    }
    jiff::tz::TimeZoneDatabase::bundled().get(name).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_instant_in_every_form() {
        for text in [
            "2026-09-07T09:00:00Z",
            "2026-09-07 09:00:00.9799600",
            "2026-09-07T11:00:00.000+02:00",
            "2026-09-07 09:00",
            "2026-09-07T04:00:00-0500",
            "2026-09-07 09:00:00 UTC",
            "2026-09-07 09:00:00+00",
            "1788771600",
            "1788771600000",
            "1788771600.7",
            "1788771600000000000",
        ] {
            assert_eq!(from_iso(text), Ok(When::at(1_788_771_600)), "{text}");
        }
        assert_eq!(from_whole(1_788_771_600_123), Ok(When::at(1_788_771_600)));
    }

    #[test]
    fn a_date_alone_is_a_day_without_an_hour() {
        let day = from_iso("2026-09-07").expect("a date");
        assert_eq!((day.start, day.span), (1_788_739_200, 86_400));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in
            ["", "not a date", "2026-13-01", "2026-02-30", "1900-01-01T00:00:00Z", "17", "2026-09-07T25:00"]
        {
            assert_eq!(from_iso(text), Err(&reason::UNREADABLE_TIME), "{text}");
        }
        for text in ["07/09/2026", "7/9/2026 11:00", "07.09.26"] {
            assert_eq!(from_iso(text), Err(&reason::AMBIGUOUS_TIME), "{text}");
        }
    }

    #[test]
    fn a_format_and_a_zone_can_be_stated() {
        let style =
            TimeStyle { format: Some("%d/%m/%Y %H:%M".to_owned()), zone: zone("+02:00").expect("an offset") };
        assert_eq!(from_text("07/09/2026 11:00", &style), Ok(When::at(1_788_771_600)));
        assert_eq!(from_text("not a date", &style), Err(&reason::UNREADABLE_TIME));
        let berlin = TimeStyle { format: None, zone: zone("Europe/Berlin").expect("in the database") };
        assert_eq!(from_text("2026-09-07 11:00:00", &berlin), Ok(When::at(1_788_771_600)));
        assert!(zone("Nowhere/Land").is_none());
    }
}
