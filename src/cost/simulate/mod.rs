//! Simulates one offer month by month. All costs come from this simulation; closed forms exist only in
//! tests, to check it.
//!
//! Conventions: months count from 0. What is bought in a month is paid at its beginning, everything else
//! evenly over the month. Requests grow from month to month. A drift of API prices acts continuously, so a
//! month is charged the mean price over its days.

mod loan;
mod parts;
mod recorded;
mod request;
mod work;

pub use loan::annuity;
pub use parts::{Bill, Closing, Parts, Step};
pub use request::{ASSUMED_REQUEST_TOKENS, RequestTokens};

use super::case::{Api, Machine, Need, Offer, Payment, Period, Supply, Values};
use crate::terms::{Derivation, Record, Term};
use crate::units::{Hours, Requests, Seconds, Usd, UsdPerHour};
use loan::{annuity_factor, months};
use request::drift_within_month;

pub use crate::workload::keys::LAST_MONTH;

/// How the months of an offer repeat in the long run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// First of the months that all cost the same, purchases apart; `None` where growth or price drift
    /// never ends.
    pub settled: Option<u32>,
    /// Months between replacements of a unit; `None` where units are not replaced.
    pub life: Option<usize>,
}

/// The volume of the first month, the same on both sides of a comparison.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Flow {
    pub requests: Requests,
    /// Factor on the scenario's volume; a peak that was given as a rate is scaled by it.
    pub scale: f64,
}

/// The simulation of one offer, at the beginning of a month.
#[derive(Debug)]
pub struct Run<'a> {
    need: &'a Need,
    supply: &'a Supply,
    v: Values<'a>,
    flow: Flow,
    month: u32,
    grown: f64,
    growth: f64,
    // API
    drift: f64,
    drift_step: f64,
    request_price: Usd,
    next_change: u32,
    credits: f64,
    // Machine
    work: Option<Seconds>,
    /// Units in service and in reserve.
    units: u32,
    /// For each month the units that were bought, or rented with a commitment.
    bought: &'a mut Vec<u32>,
    /// Units whose loan is being repaid, or that a rental commitment still binds.
    bound: u32,
    life: Option<usize>,
    instalment: Usd,
    /// Months for which the loan of a unit is repaid, or for which a rental commitment binds; 0 for
    /// neither. A loan ends with the unit if that is earlier, because a unit that is sold is paid off.
    term: usize,
    /// Duration of the loan as agreed, months.
    agreed: usize,
}

impl<'a> Run<'a> {
    /// Start a simulation. `bought` is working memory that is reused from run to run.
    pub fn new(
        offer: &'a Offer,
        need: &'a Need,
        v: Values<'a>,
        flow: Flow,
        bought: &'a mut Vec<u32>,
    ) -> Self {
        bought.clear();
        let mut run = Self {
            need,
            supply: &offer.supply,
            v,
            flow,
            month: 0,
            grown: 1.0,
            growth: 1.0 + v.get(need.growth),
            drift: 1.0,
            drift_step: 1.0,
            request_price: Usd::ZERO,
            next_change: 0,
            credits: 0.0,
            work: None,
            units: 0,
            bought,
            bound: 0,
            life: None,
            instalment: Usd::ZERO,
            term: 0,
            agreed: 0,
        };
        match run.supply {
            Supply::Api(api) => {
                (run.drift_step, run.drift) = drift_within_month(v.get(api.drift));
                run.credits = v.get::<Usd>(api.credits).get();
            }
            Supply::Machine(machine) => run.prepare(machine),
        }
        run
    }

    fn prepare(&mut self, machine: &Machine) {
        self.work = machine.work(self.need, self.v);
        match &machine.payment {
            Payment::Bought { price, spares, life, loan, .. } => {
                self.life = life.map(|slot| months(self.v.get(slot)));
                if let Some(loan) = loan {
                    let principal: Usd = self.v.get::<Usd>(*price) * (1.0 + self.v.get(*spares));
                    self.agreed = months(self.v.get(loan.term));
                    self.term = self.life.map_or(self.agreed, |life| life.min(self.agreed));
                    self.instalment = annuity(principal, self.v.get(loan.rate), self.agreed);
                }
            }
            Payment::Rented { term, .. } => self.term = term.map_or(0, |slot| months(self.v.get(slot))),
        }
    }

    /// Without price drift: an API's prices stay as on the first day.
    #[must_use]
    pub const fn without_drift(mut self) -> Self {
        (self.drift, self.drift_step) = (1.0, 1.0);
        self
    }

    /// Simulate the next month; only what is paid.
    pub fn bill(&mut self) -> Bill {
        Bill::from(&self.step(&mut ()))
    }

    /// Everything that is paid in this many months, less what is left then; and what is paid in the first
    /// `meanwhile` months, which another offer also pays while it is awaited. US dollars.
    pub fn total(mut self, months: u32, meanwhile: u32) -> (f64, f64) {
        let (mut sum, mut early) = (0.0, 0.0);
        for month in 0..months {
            let bill = self.bill();
            sum += bill.total();
            if month < meanwhile {
                early += bill.total();
            }
        }
        (sum - self.closing(&mut ()).value().get(), early)
    }

    /// Set the requests of the next month, growth included.
    pub fn set_requests(&mut self, requests: Requests) {
        self.flow.requests = requests / self.grown;
    }

    /// Simulate the next month. `record` receives the derivations of its figures.
    pub fn step(&mut self, record: &mut impl Record) -> Step {
        let requests = self.flow.requests * self.grown;
        let mut step = match self.supply {
            Supply::Api(api) => self.api(api, requests, record),
            Supply::Machine(machine) => self.machine(machine, requests, record),
        };
        self.lift(&mut step, record);
        self.month += 1;
        self.grown *= self.growth;
        self.drift *= self.drift_step;
        step
    }

    /// Add what is paid once, and the surcharge on all payments.
    fn lift(&self, step: &mut Step, record: &mut impl Record) {
        let v = self.v;
        let (one_off, uplift) = match self.supply {
            Supply::Api(api) => (api.one_off, api.uplift),
            Supply::Machine(machine) => (machine.one_off, machine.uplift),
        };
        let share: f64 = v.get(uplift);
        if self.month == 0 {
            step.one_off = v.get(one_off);
            step.upfront += step.one_off;
        }
        if share > 0.0 {
            let payments = step.parts.total();
            step.parts.uplift = payments * share;
            step.upfront += step.upfront.max(Usd::ZERO) * share;
            record.add(|| {
                let terms = vec![
                    Term::plain("payments", payments.get(), "USD/month"),
                    v.term("uplift_share", uplift),
                ];
                let formula = "payments × uplift_share";
                Derivation::new(
                    "monthly_parts_usd.uplift",
                    step.parts.uplift.get(),
                    "USD/month",
                    formula,
                    terms,
                )
            });
        }
        if let Supply::Machine(machine) = self.supply {
            let owed = self.owed_on_a_sale(machine);
            recorded::upfront(v, machine, (step, owed, self.month == 0), record);
        }
    }

    /// Debt on a unit that is sold at the end of its life, where its loan runs longer.
    fn owed_on_a_sale(&self, machine: &Machine) -> Usd {
        let Payment::Bought { loan: Some(loan), .. } = &machine.payment else { return Usd::ZERO };
        match self.agreed - self.term {
            0 => Usd::ZERO,
            rest => self.instalment * annuity_factor(self.v.get(loan.rate), rest),
        }
    }

    fn api(&mut self, api: &Api, requests: Requests, record: &mut impl Record) -> Step {
        let v = self.v;
        if self.month >= self.next_change {
            self.request_price = api.request_price(self.month, self.need, v);
            let next = api.periods.iter().find(|p| p.from_month > self.month);
            self.next_change = next.map_or(u32::MAX, |p| p.from_month);
        }
        let price = self.request_price * self.drift;
        let free: Requests = v.get(api.free_requests);
        let billed = (requests.get() - free.get()).max(0.0);
        let list = price * billed;
        let mut off = Usd::ZERO;
        for (n, (above, share)) in api.discounts.iter().enumerate() {
            let end = api.discounts.get(n + 1).map_or(f64::INFINITY, |next| next.0);
            off += Usd::new((list.get().min(end) - above).max(0.0) * share);
        }
        let least: Usd = v.get(api.minimum);
        let usage = (list - off).max(least);
        let paid_by_credits = usage.get().min(self.credits);
        self.credits -= paid_by_credits;
        let fixed: Usd = v.get(api.fixed);
        let parts = Parts {
            api: usage - Usd::new(paid_by_credits) + fixed,
            staff: v.get::<UsdPerHour>(api.staff.rate) * v.get::<Hours>(api.staff.hours),
            ..Parts::default()
        };
        record.add(|| {
            let mut terms = vec![
                Term::figure("requests", requests.get(), "requests/month", "result.requests_per_month"),
                Term::figure("usd_per_request", price.get(), "USD", "usd_per_request_charged"),
            ];
            let mut formula = "requests × usd_per_request".to_owned();
            if free.get() > 0.0 {
                "max(requests − free_requests, 0) × usd_per_request".clone_into(&mut formula);
                terms.push(v.term("free_requests", api.free_requests));
            }
            if off.get() > 0.0 {
                formula = format!("{formula} − discount");
                terms.push(Term::plain("discount", off.get(), "USD/month"));
            }
            if least.get() > 0.0 {
                formula = format!("max({formula}, minimum)");
                terms.push(v.term("minimum", api.minimum));
            }
            if paid_by_credits > 0.0 {
                formula = format!("{formula} − credits");
                terms.push(Term::plain("credits", paid_by_credits, "USD/month"));
            }
            if fixed.get() > 0.0 {
                formula = format!("{formula} + fixed");
                terms.push(v.term("fixed", api.fixed));
            }
            Derivation::new("monthly_parts_usd.api", parts.api.get(), "USD/month", &formula, terms)
        });
        recorded::staff(v, &api.staff, 1.0, parts.staff, record);
        Step { parts, requests, ..Step::default() }
    }

    fn machine(&mut self, machine: &Machine, requests: Requests, record: &mut impl Record) -> Step {
        let v = self.v;
        if self.month < machine.delivery {
            self.bought.push(0);
            return Step { requests, ..Step::default() };
        }
        let needed = machine.units.unwrap_or_else(|| {
            let peak = machine.peak(self.need, v, requests, self.grown, self.flow.scale);
            self.work.map_or(1, |work| {
                let units = machine.units_for(peak, work, v);
                recorded::units(machine, self.need, v, peak, work, units, record);
                units
            })
        }) + machine.spare;
        let mut step = Step { requests, ..Step::default() };
        match &machine.payment {
            Payment::Rented { rent, billed, .. } => {
                // Rent follows the load in both directions, but does not fall below what commitments bind.
                // Units that are idle cost the same.
                if self.term > 0 {
                    self.bound -= self.run_out();
                    let added = needed.saturating_sub(self.units.max(self.bound));
                    self.bought.push(added);
                    self.bound += added;
                }
                self.units = needed.max(self.bound);
                let hours: Hours = v.get(*billed);
                let units = f64::from(self.units);
                step.parts.rent = v.get(*rent) * hours * units;
                record.add(|| {
                    let terms = vec![
                        Term::figure("units", units, "units", "units"),
                        v.term("usd_per_hour", *rent),
                        v.term("billed_hours", *billed),
                    ];
                    let usd = step.parts.rent.get();
                    let formula = "units × usd_per_hour × billed_hours";
                    Derivation::new("monthly_parts_usd.rent", usd, "USD/month", formula, terms)
                });
            }
            Payment::Bought { price, owned, install, spares, maintenance, residual, loan, .. } => {
                let each: Usd = v.get(*price);
                let added = needed.saturating_sub(self.units);
                let at = self.month as usize;
                let replaced = self.life.and_then(|life| at.checked_sub(life)).map_or(0, |m| self.bought[m]);
                self.units += added;
                self.bought.push(added + replaced);
                step.added = added;
                step.replaced = replaced;
                // What is there already comes first, and is replaced at the end of its life.
                let first = machine.delivery as usize;
                step.had = if at == first { added.min(*owned) } else { 0 };
                let of_first = self.life.is_some_and(|life| at == first + life);
                step.had_replaced = if of_first { replaced.min(*owned) } else { 0 };
                let new = f64::from(added - step.had + replaced);
                step.upfront = v.get(*install) * f64::from(added - step.had);
                step.upfront -= each * v.get(*residual) * f64::from(replaced - step.had_replaced);
                if let Some(loan) = loan {
                    // A unit that is sold is paid off first.
                    if replaced > 0 {
                        step.upfront += self.owed_on_a_sale(machine) * f64::from(replaced);
                    }
                    self.bound = self.bound + added + replaced - self.run_out();
                    step.parts.loan = self.instalment * f64::from(self.bound);
                    record.add(|| {
                        let terms = vec![
                            Term::plain("units_on_loan", f64::from(self.bound), "units"),
                            v.term("purchase_usd", *price),
                            v.term("spare_share", *spares),
                            v.term("rate_per_year", loan.rate),
                            Term::input("term_months", self.agreed as f64, "months", v.name(loan.term.index())),
                        ];
                        let formula = if v.get(loan.rate) > 0.0 {
                            "units_on_loan × purchase_usd × (1 + spare_share) × rate_per_year ÷ 12 ÷ (1 − (1 + rate_per_year ÷ 12) ^ (0 − term_months))"
                        } else {
                            "units_on_loan × purchase_usd × (1 + spare_share) ÷ term_months"
                        };
                        let usd = step.parts.loan.get();
                        Derivation::new("monthly_parts_usd.loan", usd, "USD/month", formula, terms)
                    });
                } else {
                    step.upfront += each * (1.0 + v.get(*spares)) * new;
                }
                step.parts.maintenance = each * (f64::from(self.units) * v.get(*maintenance) / 12.0);
                let units = f64::from(self.units);
                record.add(|| {
                    let terms = vec![
                        Term::figure("units", units, "units", "units"),
                        v.term("purchase_usd", *price),
                        v.term("maintenance_share", *maintenance),
                    ];
                    let usd = step.parts.maintenance.get();
                    let formula = "units × purchase_usd × maintenance_share ÷ 12";
                    Derivation::new("monthly_parts_usd.maintenance", usd, "USD/month", formula, terms)
                });
            }
        }
        let units = f64::from(self.units);
        step.units = self.units;
        step.parts.power = self.power(machine, requests, record);
        let further = machine.staff.further.map_or(Hours::ZERO, |slot| v.get(slot));
        let hours = v.get::<Hours>(machine.staff.hours) + further * (units - 1.0).max(0.0);
        step.parts.staff = v.get::<UsdPerHour>(machine.staff.rate) * hours;
        recorded::staff(v, &machine.staff, units, step.parts.staff, record);
        for (part, slot, name) in [
            (&mut step.parts.hosting, machine.hosting, "hosting"),
            (&mut step.parts.licence, machine.licence, "licence"),
        ] {
            *part = v.get(slot) * units;
            let usd = part.get();
            record.add(|| {
                let terms = vec![Term::figure("units", units, "units", "units"), v.term(name, slot)];
                let formula = format!("units × {name}");
                Derivation::new(&format!("monthly_parts_usd.{name}"), usd, "USD/month", &formula, terms)
            });
        }
        step.parts.other = v.get(machine.other);
        record.add(|| {
            let terms = vec![v.term("other", machine.other)];
            Derivation::new("monthly_parts_usd.other", step.parts.other.get(), "USD/month", "other", terms)
        });
        step
    }

    /// Power in US dollars a month: units × (idle + busy share × (load − idle)) × hours × PUE × tariff.
    fn power(&self, machine: &Machine, requests: Requests, record: &mut impl Record) -> Usd {
        let Some(power) = &machine.power else { return Usd::ZERO };
        let v = self.v;
        let hours: Hours = v.get(machine.service_hours);
        let on = hours * f64::from(self.units);
        let busy =
            self.work.map_or(on, |work| Hours::new((requests.get() * work.get() / 3600.0).min(on.get())));
        let idle = v.get(power.idle);
        let energy = idle * on + (v.get(power.load) - idle) * busy;
        let usd = energy * v.get(power.pue) * v.get(power.tariff);
        record.add(|| {
            let mut terms = vec![
                Term::figure("units", f64::from(self.units), "units", "units"),
                v.term("idle_watts", power.idle),
                v.term("hours", machine.service_hours),
                v.term("load_watts", power.load),
                v.term("pue", power.pue),
                v.term("usd_per_kwh", power.tariff),
            ];
            let formula = match self.work {
                Some(work) => {
                    terms.push(Term::figure("requests", requests.get(), "requests/month", "result.requests_per_month"));
                    terms.push(Term::figure("seconds_per_request", work.get(), "s", "seconds_per_request"));
                    "(units × idle_watts × hours + (load_watts − idle_watts) × min(requests × seconds_per_request ÷ 3600, units × hours)) ÷ 1000 × pue × usd_per_kwh"
                }
                None => "(units × idle_watts × hours + (load_watts − idle_watts) × units × hours) ÷ 1000 × pue × usd_per_kwh",
            };
            Derivation::new("monthly_parts_usd.power", usd.get(), "USD/month", formula, terms)
        });
        usd
    }

    /// Units whose loan or commitment ended with the previous month.
    fn run_out(&self) -> u32 {
        (self.month as usize).checked_sub(self.term).and_then(|m| self.bought.get(m)).copied().unwrap_or(0)
    }

    /// Residual value and debt after the months that were simulated.
    pub fn closing(&self, record: &mut impl Record) -> Closing {
        let Supply::Machine(machine) = self.supply else { return Closing::default() };
        let v = self.v;
        match &machine.payment {
            Payment::Bought { price, owned, residual, loan, .. } => {
                let share: f64 = v.get(*residual);
                let worth = self.worth(share, machine.delivery as usize, *owned);
                let residual_usd = v.get::<Usd>(*price) * worth;
                record.add(|| {
                    let terms = vec![
                        v.term("purchase_usd", *price),
                        Term::plain("units_worth", worth, "units"),
                    ];
                    Derivation::new("residual_usd", residual_usd.get(), "USD", "purchase_usd × units_worth", terms).note(
                        format!(
                            "Of each unit in service, residual_share ({share}) to the power of its age over its life: new it is worth its price, at the end of its life that share of it"
                        ),
                    )
                });
                let rate = loan.map_or(0.0, |loan| v.get(loan.rate));
                let unpaid = self.agreed - self.term;
                Closing {
                    residual: residual_usd,
                    owed: self.owed(self.instalment, |months| annuity_factor(rate, months + unpaid)),
                }
            }
            Payment::Rented { rent, billed, .. } => {
                let month = v.get::<_>(*rent) * v.get::<Hours>(*billed);
                Closing { residual: Usd::ZERO, owed: self.owed(month, |months| months as f64) }
            }
        }
    }

    /// Residual value of the units in service, in units of a new one's price: for each, the residual share
    /// to the power of age ÷ life. A unit without a life counts the months so far as its life. The `owned`
    /// units that were there in the month `begin` are left out: they are nobody's purchase.
    fn worth(&self, residual: f64, begin: usize, owned: u32) -> f64 {
        let now = self.month as usize;
        let life = self.life.unwrap_or(now).max(1);
        let first = now.saturating_sub(life);
        let in_service = self.bought.iter().enumerate().take(now).skip(first);
        let paid = |at: usize, units: u32| if at == begin { units.saturating_sub(owned) } else { units };
        in_service
            .map(|(at, units)| f64::from(paid(at, *units)) * residual.powf((now - at) as f64 / life as f64))
            .sum()
    }

    /// Debt on the units that are still bound: `monthly` × the factor for the months that remain, for each
    /// of them.
    fn owed(&self, monthly: Usd, factor: impl Fn(usize) -> f64) -> Usd {
        let now = self.month as usize;
        let first = now.saturating_sub(self.term);
        let bound = self.bought.iter().enumerate().take(now).skip(first).filter(|(_, units)| **units > 0);
        bound.map(|(at, units)| monthly * (f64::from(*units) * factor(at + self.term - now))).sum()
    }

    fn settled_at(&self) -> Option<u32> {
        if (self.growth - 1.0).abs() > 1e-12 {
            return None;
        }
        match self.supply {
            Supply::Api(api) => {
                ((self.drift_step - 1.0).abs() < 1e-12).then(|| api.last_change().max(self.credits_last(api)))
            }
            Supply::Machine(machine) => {
                let term = u32::try_from(self.term).unwrap_or(LAST_MONTH);
                Some(term.saturating_add(machine.delivery + machine.overlap))
            }
        }
    }

    /// A month by which the credits are certainly used up.
    fn credits_last(&self, api: &Api) -> u32 {
        if self.credits <= 0.0 {
            return 0;
        }
        let price = |p: &Period| api.request_price(p.from_month, self.need, self.v).get();
        let least = api.periods.iter().map(price).fold(f64::INFINITY, f64::min) * self.flow.requests.get();
        let months = (self.credits / least).ceil() + 1.0;
        // The clamp keeps it in range.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let months = months.clamp(0.0, f64::from(LAST_MONTH)) as u32;
        months
    }

    /// How its months repeat, for comparisons that look beyond the horizon.
    pub fn pace(&self) -> Pace {
        Pace { settled: self.settled_at(), life: self.life }
    }
}
