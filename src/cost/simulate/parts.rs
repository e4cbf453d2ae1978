//! What a month costs, part by part, and what is left at the end of it.

use crate::units::{Requests, Usd};

/// What one month costs, by part.
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
    /// On top of all payments of the month.
    pub uplift: Usd,
}

impl Parts {
    pub fn total(&self) -> Usd {
        // Added bare and brought into range once: draws spend much of their time here.
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
    /// Part by part.
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
    /// Name and amount of each part, in the order reports show them.
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

/// One month of one offer.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Step {
    /// Paid at the beginning: purchases less what replaced units fetch.
    pub upfront: Usd,
    /// Paid over the month.
    pub parts: Parts,
    pub units: u32,
    /// Of them new, and bought again, this month.
    pub added: u32,
    pub replaced: u32,
    /// Of `upfront`, what is paid once at the start.
    pub one_off: Usd,
    pub requests: Requests,
}

/// What a month costs, in USD.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Bill {
    /// At its beginning.
    pub upfront: f64,
    /// Over the month.
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

/// What is left of a deployment at the end of a month.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Closing {
    /// What the units in service would fetch.
    pub residual: Usd,
    /// What is still owed: the balance of loans, the rent of commitments that go on.
    pub owed: Usd,
}

impl Closing {
    pub fn value(self) -> Usd {
        self.residual - self.owed
    }
}
