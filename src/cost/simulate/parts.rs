//! The cost of a month by part, and what is left at the end.

use crate::units::{Requests, Usd};

/// Running cost of one month by part, US dollars.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Parts {
    pub api: Usd,
    pub rent: Usd,
    pub loan: Usd,
    pub power: Usd,
    pub staff: Usd,
    pub hosting: Usd,
    pub maintenance: Usd,
    pub licence: Usd,
    pub other: Usd,
    /// Surcharge on all payments of the month.
    pub uplift: Usd,
}

impl Parts {
    pub fn total(&self) -> Usd {
        // Added as plain numbers and clamped once, because draws spend much of their time here.
        let sum = self.api.get()
            + self.rent.get()
            + self.loan.get()
            + self.power.get()
            + self.staff.get()
            + self.hosting.get()
            + self.maintenance.get()
            + self.licence.get()
            + self.other.get()
            + self.uplift.get();
        Usd::new(sum.clamp(f64::MIN, f64::MAX))
    }
    /// The sum, part by part.
    #[must_use]
    pub fn plus(mut self, other: &Self) -> Self {
        self.api += other.api;
        self.rent += other.rent;
        self.loan += other.loan;
        self.power += other.power;
        self.staff += other.staff;
        self.hosting += other.hosting;
        self.maintenance += other.maintenance;
        self.licence += other.licence;
        self.other += other.other;
        self.uplift += other.uplift;
        self
    }
    /// Name and amount of each part, in the order of reports.
    pub fn named(&self) -> [(&'static str, Usd); 10] {
        [
            ("api", self.api),
            ("rent", self.rent),
            ("loan", self.loan),
            ("power", self.power),
            ("staff", self.staff),
            ("hosting", self.hosting),
            ("maintenance", self.maintenance),
            ("licence", self.licence),
            ("other", self.other),
            ("uplift", self.uplift),
        ]
    }
}

/// What one offer needs and pays in one month.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Step {
    /// Paid at the beginning of the month: purchases, less what replaced units fetch.
    pub upfront: Usd,
    /// Paid during the month, by part.
    pub parts: Parts,
    /// Units in service and in reserve.
    pub units: u32,
    /// Units that are new this month.
    pub added: u32,
    /// Units that were bought again this month.
    pub replaced: u32,
    /// Of `added`, those that were there already and cost nothing.
    pub had: u32,
    /// Of `replaced`, those that were there already and whose sale is not counted.
    pub had_replaced: u32,
    /// The part of `upfront` that is paid only once, at the start.
    pub one_off: Usd,
    pub requests: Requests,
}

/// The payments of one month, US dollars.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Bill {
    /// Paid at the beginning of the month.
    pub upfront: f64,
    /// Paid during the month.
    pub running: f64,
}

impl Bill {
    pub fn total(self) -> f64 {
        self.upfront + self.running
    }
}

impl From<&Step> for Bill {
    fn from(step: &Step) -> Self {
        Self { upfront: step.upfront.get(), running: step.parts.total().get() }
    }
}

/// What an offer has and owes at the end of a month.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Closing {
    /// What the units in service would fetch if sold.
    pub residual: Usd,
    /// Debt: the balance of loans, and the rent of commitments that have not ended.
    pub owed: Usd,
}

impl Closing {
    pub fn value(self) -> Usd {
        self.residual - self.owed
    }
}
