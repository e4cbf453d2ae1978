//! `[[cloud]]` with a `subscription`: seats for people. How much a seat may use is read from its record.
//! Where the provider publishes no number, a seat is taken to cover as much use as it costs, at the prices
//! of `model`, as in `advise`; without `model` it is taken to cover all use. A notice says which.

use super::error::{ResolveError, impossible};
use super::resolver::{Resolver, SourcedRange, Table, near_ids};
use crate::catalog::{AllowancePeriod, AllowanceUnit, Overage, Subscription};
use crate::cost::case::{Need, Notice, Offer, Role, Supply, Values};
use crate::cost::keys::cloud;
use crate::provenance::Source;
use crate::workload::keys::{Key, Section};
use crate::workload::{Given, Range, Value};

/// Days in a month of 730 hours.
const DAYS: f64 = 730.0 / 24.0;

/// How much use one seat includes in a month.
#[derive(Debug, Clone, Copy, PartialEq)]
enum SeatAllowance {
    /// The provider publishes no number.
    NotPublished,
    /// This number of requests.
    Requests(f64),
    /// Use worth this much at the API's prices, US dollars.
    Worth(f64),
    /// None: all use is charged in addition.
    Nothing,
}

impl Resolver<'_> {
    /// The offer for seats: their price, and the API's prices for use beyond what they include.
    pub(super) fn seats(
        &mut self,
        table: Table<'_>,
        id: &str,
        need: &Need,
        hours_of_week: Option<&[f64]>,
    ) -> Result<Offer, ResolveError> {
        let key = table.path(cloud::SUBSCRIPTION);
        let Some(plan) = self.basis.catalog.subscription(id) else {
            let near = near_ids(id, self.basis.catalog.subscriptions.iter().map(|s| s.id.as_str()));
            return Err(ResolveError::Unknown { key, id: id.to_owned(), near, why: None });
        };
        let Some(people) = self.whole(table, cloud::SEATS, None) else {
            self.miss(&table.path(cloud::SEATS), "people who have a seat");
            return self.api(table, need, hours_of_week, Role::Asked);
        };
        if let Some(most) = plan.seats_to.filter(|most| people > *most) {
            let why = format!("`{id}` is sold for at most {most} people");
            return Err(impossible(&table.path(cloud::SEATS), why));
        }
        let sold = people.max(plan.seats_from.unwrap_or(1));
        let field = if plan.per_month.is_some() { "per_month" } else { "per_month_of_year" };
        let price = plan.per_month.or(plan.per_month_of_year);
        let Some(price) = price.and_then(|p| self.to_usd(p, &plan.currency)) else {
            return Err(impossible(&key, format!("the price of `{id}` in US dollars is not known")));
        };
        let holds = self.holds(plan);
        let number = f64::from(sold);
        let cite = plan.cite(field);
        let source =
            Source::Database { entry: format!("subscription {id}"), source: cite.source, as_of: cite.as_of };
        let mut fields = table.fields.clone();
        let mut put = |key: &'static Key, value: Value| {
            fields.entry(key.name).or_insert_with(|| Given { value, source: source.clone() });
        };
        let seats = if sold == 1 { "1 seat".to_owned() } else { format!("{sold} seats") };
        put(cloud::NAME, Value::Text(format!("{}, {seats}", plan.name)));
        let priced = [cloud::MODEL, cloud::INPUT].iter().any(|key| table.has(key));
        let fee = Value::Number(Range::exactly(price * number));
        // Where the limit is not published, a seat is taken to cover use worth its price, if there are
        // prices.
        let covers_its_price = holds == SeatAllowance::NotPublished && priced;
        put(if covers_its_price { cloud::MINIMUM } else { cloud::FIXED }, fee);
        if holds == SeatAllowance::NotPublished && !priced {
            for rate in cloud::RATES.iter().filter(|key| **key != cloud::REASONING) {
                put(rate, Value::Number(Range::exactly(0.0)));
            }
            put(cloud::BATCH_MULTIPLIER, Value::Number(Range::exactly(1.0)));
        }
        if !priced && holds != SeatAllowance::NotPublished {
            let what = if holds == SeatAllowance::Nothing { "all use" } else { "what is past the allowance" };
            let why = format!("{what} is charged at the API's prices: those of which model?");
            self.miss(&table.path(cloud::MODEL), &why);
        }
        let own = Table { section: Section::Cloud, fields: &fields, prefix: table.prefix };
        let offer = self.api(own, need, hours_of_week, Role::Asked)?;
        let derived = match holds {
            SeatAllowance::Requests(each) => Some((each * number, format!("{each:.0} requests a seat"))),
            SeatAllowance::Worth(usd) => {
                let each = self.usd_per_request(&offer, need).filter(|each| *each > 0.0);
                each.map(|each| {
                    (usd * number / each, format!("{usd:.2} USD a seat at the API's price of a request"))
                })
            }
            SeatAllowance::NotPublished => {
                let offer = offer.name.clone();
                self.notices.push(Notice::SeatLimitsUnknown { offer, covers_its_price });
                None
            }
            SeatAllowance::Nothing => None,
        };
        if let Some((requests, how)) = derived.filter(|_| !table.has(cloud::FREE_REQUESTS)) {
            let reason = format!("in the price of the seats ({id}): {how}");
            self.set_free_requests(
                &offer,
                (Range::exactly(requests), Source::assumed("seat-allowance", reason)),
            );
        }
        Ok(offer)
    }

    fn usd_per_request(&self, offer: &Offer, need: &Need) -> Option<f64> {
        let Supply::Api(api) = &offer.supply else { return None };
        let likely: Vec<f64> = self.ranges.iter().map(|r| r.likely).collect();
        Some(api.request_price(0, need, Values::of(&likely)).get())
    }

    /// Put a number of free requests, which follows from the offer's own prices, into its slot.
    fn set_free_requests(&mut self, offer: &Offer, (range, source): SourcedRange) {
        let Supply::Api(api) = &offer.supply else { return };
        let slot = api.free_requests.index();
        self.ranges[slot] = range;
        let input = &mut self.inputs[self.slot_inputs[slot]];
        input.value = Value::Number(range);
        input.source = source;
    }

    fn holds(&self, plan: &Subscription) -> SeatAllowance {
        if plan.all_use_charged {
            return SeatAllowance::Nothing;
        }
        // A number for one model says nothing about the others.
        let Some(of_all) = plan.allowance.iter().find(|a| a.of.is_none() && a.model.is_none()) else {
            return SeatAllowance::NotPublished;
        };
        let times = match of_all.per {
            AllowancePeriod::Month => 1.0,
            AllowancePeriod::Week => DAYS / 7.0,
            AllowancePeriod::Day => DAYS,
            // What is not used within a short period is lost, and nobody asks around the clock.
            AllowancePeriod::Minute | AllowancePeriod::FiveHours => return SeatAllowance::NotPublished,
        };
        let amount = of_all.amount * times;
        let usd = |amount: f64| {
            self.to_usd(amount, &plan.currency).map_or(SeatAllowance::NotPublished, SeatAllowance::Worth)
        };
        match (of_all.unit, &plan.overage) {
            (AllowanceUnit::Requests, _) => SeatAllowance::Requests(amount),
            (AllowanceUnit::Money, _) => usd(amount),
            (
                AllowanceUnit::Credits,
                Some(Overage::Packs { amount: pack, unit: AllowanceUnit::Credits, price }),
            ) => usd(amount * price / pack),
            _ => SeatAllowance::NotPublished,
        }
    }
}
