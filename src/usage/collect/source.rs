//! What is known about one source: time, granularity, totals and bill.

use super::calendar::{DAY, covered, day_of};
use crate::usage::record::{Clock, Reason, Record};
use crate::usage::summary::{Bill, Coverage, Granularity, Note, Source, Totals, Usd};
use std::collections::BTreeMap;

/// Everything that was collected from one source.
#[derive(Debug)]
pub(super) struct PerSource {
    pub name: &'static str,
    pub zero: &'static Reason,
    pub files: u32,
    totals: Totals,
    days: BTreeMap<i32, Totals>,
    first: i64,
    last: i64,
    relative: bool,
    pub granularity: Option<Granularity>,
    pub bill: Bill,
    pub duplicates: u64,
    pub fields: Vec<(String, u64)>,
    pub notes: BTreeMap<Note, u64>,
    pub kept_days: Option<i32>,
    pub sampling: Option<f64>,
}

impl PerSource {
    /// A new source; `zero` is the reason under which its rows without use are skipped.
    pub(super) fn new(name: &'static str, zero: &'static Reason) -> Self {
        Self {
            name,
            zero,
            files: 0,
            totals: Totals::default(),
            days: BTreeMap::new(),
            first: i64::MAX,
            last: i64::MIN,
            relative: false,
            granularity: None,
            bill: Bill::default(),
            duplicates: 0,
            fields: Vec::new(),
            notes: BTreeMap::new(),
            kept_days: None,
            sampling: None,
        }
    }

    pub(super) fn add(&mut self, record: &Record) {
        self.totals.add(record);
        if let Some(usd) = record.usd {
            *self.bill.usd.get_or_insert_default() += Usd::of(usd);
            self.bill.requests = self.bill.requests.saturating_add(record.requests.unwrap_or(0));
        }
        let granularity = match record.when {
            _ if record.single => Some(Granularity::Request),
            Some(when) if when.span > 0 => Some(Granularity::Bucket(when.span)),
            _ => None,
        };
        if let (Some(granularity), true) = (
            granularity,
            !matches!(self.granularity, Some(Granularity::Difference(_) | Granularity::Lifetime)),
        ) {
            self.granularity = Some(self.granularity.map_or(granularity, |g| g.min(granularity)));
        }
        let Some(when) = record.when else { return };
        self.relative |= when.clock == Clock::DayOne;
        self.first = self.first.min(when.start);
        self.last = self.last.max(when.start.saturating_add(i64::from(when.span.max(1))));
        if i64::from(when.span) <= DAY {
            self.days.entry(day_of(when.start)).or_default().add(record);
        }
    }

    pub(super) fn finish(self) -> Source {
        let coverage =
            (self.first != i64::MAX).then(|| covered(self.first, self.last, self.relative, &self.days));
        let last_day = self.days.keys().next_back().copied();
        // Days within the retention period are complete; the day at its edge is not.
        let kept_from = self.kept_days.zip(last_day).map(|(days, last)| last - days + 2);
        let mut notes = self.notes;
        if let (Some(from), Some(first)) = (kept_from, self.days.keys().next())
            && *first < from
        {
            *notes.entry(Note::Retention).or_default() += 1;
        }
        Source {
            name: self.name,
            files: self.files,
            granularity: self.granularity,
            totals: self.totals,
            coverage,
            days: self.days,
            kept_from,
            bill: self.bill,
            duplicates_dropped: self.duplicates,
            fields: self.fields,
            notes,
            sampling: self.sampling,
        }
    }

    /// Does every record of the source state a number of requests?
    pub(super) fn states_requests(&self) -> bool {
        self.totals.requests().is_some()
    }
}

/// Totals by day over all sources, in UTC or relative to the first day.
pub(super) fn all_days(sources: &[PerSource]) -> BTreeMap<i32, Totals> {
    let mut days: BTreeMap<i32, Totals> = BTreeMap::new();
    let relative = sources.iter().all(|s| s.relative || s.days.is_empty());
    for source in sources.iter().filter(|s| s.relative == relative) {
        for (day, totals) in &source.days {
            days.entry(*day).or_default().merge(totals);
        }
    }
    days
}

/// The time that all sources cover together; `None` where no record has a time.
pub(super) fn coverage(sources: &[PerSource], days: &BTreeMap<i32, Totals>) -> Option<Coverage> {
    let relative = sources.iter().all(|s| s.relative || s.first == i64::MAX);
    let dated = || sources.iter().filter(|s| s.first != i64::MAX && s.relative == relative);
    let first = dated().map(|s| s.first).min()?;
    let last = dated().map(|s| s.last).max()?;
    Some(covered(first, last, relative, days))
}

/// The bills of all sources together.
pub(super) fn whole_bill(sources: &[Source]) -> Bill {
    let mut bill = Bill::default();
    for source in sources {
        let part = &source.bill;
        if let Some(usd) = part.usd {
            *bill.usd.get_or_insert_default() += usd;
        }
        if let Some(usd) = part.byok_usd {
            *bill.byok_usd.get_or_insert_default() += usd;
        }
        for (currency, amount) in &part.other {
            *bill.other.entry(*currency).or_default() += *amount;
        }
        bill.requests = bill.requests.saturating_add(part.requests);
        bill.from_report |= part.from_report;
        bill.currency_assumed |= part.currency_assumed;
    }
    bill
}
