//! Requests and tokens by time: days, hours of the week, and the busiest hour, minute and second.

use super::calendar::{DAY, day_of, hour_of_week};
use crate::usage::record::{Clock, Record};
use crate::usage::summary::{Busiest, Coverage, Day, Peak, Totals};
use foldhash::fast::FixedState;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};

/// The most different minutes, or seconds, that are counted.
const MOST_BINS: usize = 1 << 19;
/// Seconds in a quarter of an hour: offsets of time zones are multiples of it.
const QUARTER: i64 = 900;

/// Requests (`None` where they are not counted) and tokens, by hour of the week.
pub(super) type ByHourOfWeek = (Option<BTreeMap<u8, u64>>, BTreeMap<u8, u64>);

/// Requests and tokens by time.
#[derive(Debug, Default)]
pub(super) struct ByTime {
    quarters: HashMap<i64, Totals, FixedState>,
    day_buckets: BTreeMap<i32, Totals>,
    /// Totals of records without a time, and of records that span more than a day.
    pub undated: Totals,
    /// Requests by hour of the day, from logs that have no dates.
    hours_of_day: Option<[u64; 24]>,
    has_requests_by_hour: bool,
    minutes: Bins,
    seconds: Bins,
}

impl ByTime {
    pub(super) fn add(&mut self, record: &Record, batch: bool) {
        let Some(when) = record.when else {
            self.undated.add(record);
            self.minutes.unknown = true;
            self.seconds.unknown = true;
            return;
        };
        if when.clock == Clock::DayOne {
            let hour = usize::try_from(when.start.rem_euclid(DAY) / 3600).unwrap_or(0);
            let hours = self.hours_of_day.get_or_insert_default();
            hours[hour] = hours[hour].saturating_add(record.requests.unwrap_or(0));
            return;
        }
        let span = i64::from(when.span);
        match span.cmp(&DAY) {
            Ordering::Greater => self.undated.add(record),
            // The bucket of a day has no hour; midnight would be an invention.
            Ordering::Equal => self.day_buckets.entry(day_of(when.start)).or_default().add(record),
            Ordering::Less => {
                self.quarters.entry(when.start.div_euclid(QUARTER)).or_default().add(record);
                self.has_requests_by_hour |= record.requests.is_some();
            }
        }
        for (bins, width) in [(&mut self.minutes, 60), (&mut self.seconds, 1)] {
            match record.requests {
                Some(requests) if span <= width => bins.add(when.start.div_euclid(width), requests, batch),
                Some(0) => {}
                _ => bins.give_up(),
            }
        }
    }
    /// No more records follow.
    pub(super) fn close(&mut self) {
        self.minutes.flush();
        self.seconds.flush();
    }
    /// Requests and tokens by hour of the week in a time zone; `None` where no record has an hour.
    pub(super) fn hours_of_week(&self, zone: &TimeZone) -> Option<ByHourOfWeek> {
        let (mut requests, mut tokens) = (BTreeMap::new(), BTreeMap::new());
        for (quarter, totals) in &self.quarters {
            let Some(hour) = hour_of_week(quarter * QUARTER, zone) else { continue };
            if totals.requests_stated > 0 {
                *requests.entry(hour).or_default() += totals.requests_stated;
            }
            if totals.tokens() > 0 {
                *tokens.entry(hour).or_default() += totals.tokens();
            }
        }
        (!self.quarters.is_empty()).then_some((self.has_requests_by_hour.then_some(requests), tokens))
    }

    /// Requests by hour of the day; `None` where no source has only that.
    pub(super) fn hours_of_day(&self) -> Option<BTreeMap<u8, u64>> {
        let hours = (0u8..24).zip(self.hours_of_day?);
        Some(hours.filter(|(_, n)| *n > 0).collect())
    }

    /// Totals by day in a time zone.
    pub(super) fn by_day(&self, zone: &TimeZone) -> Vec<Day> {
        let mut days = self.day_buckets.clone();
        for (quarter, totals) in &self.quarters {
            let start = quarter * QUARTER;
            let local = Timestamp::from_second(start).map_or(0, |t| zone.to_offset(t).seconds());
            days.entry(day_of(start + i64::from(local))).or_default().merge(totals);
        }
        days.into_iter().map(|(date, totals)| Day { date, totals }).collect()
    }

    /// The busiest times. `totals` are those of all records.
    pub(super) fn peak(&self, totals: &Totals, coverage: Option<Coverage>) -> Peak {
        if !self.has_requests_by_hour || totals.requests().is_none() {
            return Peak::default();
        }
        // Quarters of an hour count batch requests only as part of all requests. Hours come from the
        // minutes where these are known, and otherwise from the quarters.
        let mut hours: HashMap<i64, u64> = HashMap::new();
        if self.minutes.unknown {
            for (quarter, totals) in &self.quarters {
                *hours.entry(quarter / 4).or_default() += totals.requests_stated;
            }
        } else {
            for (minute, [requests, _]) in &self.minutes.counts {
                *hours.entry(i64::from(*minute) / 60).or_default() += u64::from(*requests);
            }
        }
        let busiest = hours.iter().max_by_key(|(hour, n)| (**n, std::cmp::Reverse(**hour)));
        let hour =
            busiest.map(|(hour, n)| Busiest { start: hour * 3600, requests: *n }).filter(|b| b.requests > 0);
        let covered = coverage.map(|c| (c.last.div_euclid(3600) - c.first.div_euclid(3600) + 1).max(1));
        let all: u64 = hours.values().sum();
        let hour_to_mean =
            hour.zip(covered).map(|(hour, covered)| hour.requests as f64 / (all as f64 / covered as f64));
        Peak { hour, minute: self.minutes.busiest(60), second: self.seconds.busiest(1), hour_to_mean }
    }
}

/// Number of requests in short spans of time: without those of batches, and with them.
#[derive(Debug, Default)]
struct Bins {
    counts: HashMap<u32, [u32; 2], FixedState>,
    /// The span of the last record, kept at hand because logs are mostly in order.
    open: u32,
    pending: [u32; 2],
    /// Some record was wider than a span, or there were too many spans: the peak is not known.
    unknown: bool,
}

impl Bins {
    fn add(&mut self, bin: i64, requests: u64, batch: bool) {
        if self.unknown {
            return;
        }
        let Ok(bin) = u32::try_from(bin) else { return self.give_up() };
        if bin != self.open {
            self.flush();
            self.open = bin;
        }
        let [waiting_left_out, all] = &mut self.pending;
        let requests = u32::try_from(requests).unwrap_or(u32::MAX);
        *all = all.saturating_add(requests);
        if !batch {
            *waiting_left_out = waiting_left_out.saturating_add(requests);
        }
    }
    fn flush(&mut self) {
        let pending = std::mem::take(&mut self.pending);
        if pending == [0, 0] || self.unknown {
            return;
        }
        let counts = self.counts.entry(self.open).or_default();
        for (sum, part) in counts.iter_mut().zip(pending) {
            *sum = sum.saturating_add(part);
        }
        if self.counts.len() > MOST_BINS {
            self.give_up();
        }
    }
    fn give_up(&mut self) {
        self.unknown = true;
        self.counts = HashMap::default();
    }
    fn busiest(&self, width: i64) -> Option<Busiest> {
        // Of several equal maxima the earliest.
        let most = self.counts.iter().max_by_key(|(bin, [n, _])| (*n, std::cmp::Reverse(**bin)))?;
        Some(Busiest { start: i64::from(*most.0) * width, requests: u64::from(most.1[0]) })
            .filter(|b| b.requests > 0)
    }
}
