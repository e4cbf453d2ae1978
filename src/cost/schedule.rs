//! The payments of an offer month by month, computed once for all comparisons: a catalogue makes a hundred
//! thousand pairs from a few hundred offers.

use super::case::{Case, Values};
use super::compare::{self, Sides};
use super::simulate::{Bill, Flow, Pace, Run};

/// The payments of one offer, as far as any comparison needs them.
#[derive(Debug, Clone)]
pub(super) struct Months {
    bills: Vec<Bill>,
    /// After the last bill, the last `period` bills repeat.
    period: usize,
    closing: f64,
    meanwhile: usize,
    pub pace: Pace,
}

impl Months {
    pub(super) fn new(case: &Case, offer: usize, v: Values<'_>, flow: Flow, memory: &mut Vec<u32>) -> Self {
        let mut run = Run::new(&case.offers[offer], &case.need, v, flow, memory);
        let pace = run.pace();
        let horizon = case.need.horizon as usize;
        let period = pace.life.unwrap_or(1);
        // Once settled, every life of the units is like the one before.
        let whole = compare::limit(case, v) as usize;
        let months = pace.settled.map_or(whole, |s| (s.max(1) as usize + period).max(horizon)).min(whole);
        let mut bills = Vec::with_capacity(months);
        let mut closing = 0.0;
        for month in 0..months {
            bills.push(run.bill());
            if month + 1 == horizon {
                closing = run.closing(&mut ()).value().get();
            }
        }
        let meanwhile = case.offers[offer].meanwhile() as usize;
        Self { bills, period: period.min(months), closing, meanwhile, pace }
    }

    fn bill(&self, month: usize) -> Bill {
        let known = self.bills.len();
        self.bills[if month < known { month } else { known - self.period + (month - known) % self.period }]
    }
}

/// The payments of two offers, month by month.
#[derive(Debug)]
pub(super) struct Pairing<'a> {
    cloud: &'a Months,
    local: &'a Months,
    month: usize,
}

impl<'a> Pairing<'a> {
    pub(super) const fn new(cloud: &'a Months, local: &'a Months) -> Self {
        Self { cloud, local, month: 0 }
    }
}

impl Sides for Pairing<'_> {
    fn next(&mut self) -> (Bill, Bill) {
        let month = self.month;
        self.month += 1;
        let (cloud, mut local) = (self.cloud.bill(month), self.local.bill(month));
        if month < self.local.meanwhile {
            local.running += cloud.running;
            local.upfront += cloud.upfront;
        }
        (cloud, local)
    }
    fn closing(&self) -> (f64, f64) {
        (self.cloud.closing, self.local.closing)
    }
}
