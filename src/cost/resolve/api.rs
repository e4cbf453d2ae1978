//! `[[cloud]]`: API models from the catalogue, prices given by hand, or a rented baseline.

use super::error::{ResolveError, impossible};
use super::resolver::{Resolver, SourcedRange, Table, database, default_of, unknown};
use crate::catalog::{ApiModel, NotResolved, PricePeriod, Rates as CatalogRates, ReasoningRule, Resolution};
use crate::cost::case::{Api, Need, Notice, Offer, Period, Rates, Role, Slot, Staff, Supply, Values};
use crate::cost::keys::{cloud, local};
use crate::price::Window;
use crate::provenance::{Cite, Source};
use crate::units::UsdPerMtok;
use crate::workload::given::Change;
use crate::workload::keys::{Applies, Key, Section};
use crate::workload::{Fields, Given, Value};
use crate::workload::{MeasuredTarget, TargetKind};
use jiff::civil::Date;
use std::collections::BTreeMap;
use std::ops::Range as Span;

/// Prices of one period by key name, before they get slots.
type Prices = BTreeMap<&'static str, SourcedRange>;

/// One rate by the name of its key.
type NamedRate = (&'static str, Slot<UsdPerMtok>);

impl<'a> Resolver<'a> {
    pub(super) fn cloud(
        &mut self,
        n: usize,
        fields: &Fields,
        need: &Need,
        hours_of_week: Option<&[f64]>,
        locals: &[Fields],
    ) -> Result<Offer, ResolveError> {
        let prefix = if n == 0 { "cloud".to_owned() } else { format!("cloud.{}", n + 1) };
        let table = Table { section: Section::Cloud, fields, prefix: &prefix };
        if table.text(cloud::KIND) == Some("rented") || table.has(cloud::USD_PER_HOUR) {
            return self.rented_baseline(table, need, locals);
        }
        Self::refuse_without_effect(table, Applies::API, "an API paid by the token")?;
        if let Some(id) = self.text(table, cloud::SUBSCRIPTION) {
            return self.seats(table, &id, need, hours_of_week);
        }
        if table.has(cloud::SEATS) {
            let why = "seats of which subscription? give cloud.subscription too";
            return Err(impossible(&table.path(cloud::SEATS), why));
        }
        self.api(table, need, hours_of_week, Role::Asked)
    }

    pub(super) fn api(
        &mut self,
        table: Table<'_>,
        need: &Need,
        hours_of_week: Option<&[f64]>,
        role: Role,
    ) -> Result<Offer, ResolveError> {
        let first_slot = self.ranges.len();
        let model = match self.text(table, cloud::MODEL) {
            Some(id) => Some(self.api_model(&table.path(cloud::MODEL), &id)?),
            None => None,
        };
        let name = self.text(table, cloud::NAME).or_else(|| model.map(|m| m.id.clone()));
        let name = name.unwrap_or_else(|| table.prefix.to_owned());
        if let Some(day) = model.and_then(|m| m.retires) {
            self.notices.push(Notice::ModelRetires { offer: name.clone(), day });
        }
        let periods = self.periods(table, model, need, hours_of_week);
        let target = self.basis.evidence.and_then(|e| {
            let same = |t: &&MeasuredTarget| {
                model.map_or(name == t.model, |m| m.model == t.model || m.id == t.model)
            };
            e.targets.iter().filter(|t| t.kind == TargetKind::Api).find(same)
        });
        let failures = self.measured(target.and_then(|t| t.failure_share.as_ref()));
        let nobody = !self.people && !table.has(cloud::STAFF_HOURS);
        let api = Api {
            periods,
            drift: self.number(table, cloud::PRICE_CHANGE, None, ""),
            fixed: self.number(table, cloud::FIXED, None, ""),
            retry: self.number(table, cloud::RETRY_SHARE, failures, ""),
            staff: Staff {
                hours: self.number(table, cloud::STAFF_HOURS, None, ""),
                further: None,
                rate: self.part(table, cloud::STAFF_RATE, nobody),
            },
            one_off: self.number(table, cloud::ONE_OFF, None, ""),
            uplift: self.number(table, cloud::UPLIFT, None, ""),
            credits: self.number(table, cloud::CREDITS, None, ""),
            minimum: self.number(table, cloud::MINIMUM, None, ""),
            free_requests: self.number(table, cloud::FREE_REQUESTS, None, ""),
            discounts: self.discounts(table),
        };
        Ok(Offer {
            name,
            id: model.map(|m| m.id.clone()),
            role,
            tier: model.and_then(|m| m.tier),
            open_model: model.and_then(|m| m.open_model.clone()),
            supply: Supply::Api(api),
            pass_rate: self.passes(target),
            plan: None,
            slots: first_slot..self.ranges.len(),
        })
    }

    /// The discounts on large bills.
    fn discounts(&mut self, table: Table<'_>) -> Vec<(f64, f64)> {
        match table.fields.get(cloud::DISCOUNTS.name) {
            Some(Given { value: value @ Value::Discounts(steps), source }) => {
                self.echo(table.path(cloud::DISCOUNTS), "", value.clone(), source.clone());
                steps.clone()
            }
            _ => Vec::new(),
        }
    }

    /// An API model by its dated id, or by an alias that means a single model today.
    fn api_model(&mut self, key: &str, id: &str) -> Result<&'a ApiModel, ResolveError> {
        match self.basis.catalog.resolve_api_model(id) {
            Ok(Resolution::Exact(model)) => Ok(model),
            Ok(Resolution::Alias { alias, model }) => {
                self.notices.push(Notice::AliasUsed { alias: alias.to_owned(), model: model.id.clone() });
                Ok(model)
            }
            Err(NotResolved::Unknown { name, near }) => {
                Err(ResolveError::Unknown { key: key.to_owned(), id: name, near, why: None })
            }
            Err(NotResolved::Ambiguous { name, ids }) => Err(ResolveError::Unknown {
                key: key.to_owned(),
                id: name,
                near: ids,
                why: Some("several providers serve it".to_owned()),
            }),
        }
    }

    /// All prices from the start on: the catalogue's periods, in which a price that was given replaces its
    /// own rate, then the changes.
    fn periods(
        &mut self,
        table: Table<'_>,
        model: Option<&ApiModel>,
        need: &Need,
        hours_of_week: Option<&[f64]>,
    ) -> Vec<Period> {
        let base_day = need.start.max(self.basis.today.min(need.start.last_of_month()));
        let listed: Vec<&PricePeriod> = model.map_or_else(Vec::new, |m| {
            let current = m.price_on(base_day);
            let later = m.price.iter().filter(|p| p.from.is_some_and(|d| d > base_day));
            current.into_iter().chain(later).collect()
        });
        let mut periods = Vec::new();
        let mut given = Prices::new();
        for key in cloud::RATES {
            if let Some(found) = self.given(table, key) {
                given.insert(key.name, found);
            }
        }
        if given.is_empty() && model.is_none() && table.has(cloud::FIXED) {
            // A flat fee is the whole price; tokens cost nothing.
            if let Some(flat) = default_of("cloud.flat_fee") {
                let all = [cloud::INPUT, cloud::OUTPUT, cloud::CACHE_READ, cloud::CACHE_WRITE];
                given.extend(all.map(|key| (key.name, flat.clone())));
            }
        }
        let multiplier = self.given(table, cloud::BATCH_MULTIPLIER);
        if let (Some(m), false) = (model, listed.is_empty()) {
            for (n, period) in listed.iter().enumerate() {
                let cite = period.cite.clone().unwrap_or_else(|| m.cite("price"));
                let mut own = self.listed_prices(&period.rates, m, period, &cite);
                own.extend(given.clone());
                let batch = multiplier
                    .clone()
                    .or_else(|| period.batch_multiplier.map(|b| database(b, "api-model", &m.id, &cite)));
                let from = if n == 0 { 0 } else { period.from.map_or(0, |d| month_of(need.start, d)) };
                let path = if n == 0 { String::new() } else { format!("price[{n}].") };
                if let Some(day) = period.from.filter(|_| n > 0) {
                    let source = Source::Database {
                        entry: format!("api-model {}", m.id),
                        source: cite.source.clone(),
                        as_of: cite.as_of,
                    };
                    self.echo(
                        format!("{}.{path}from", table.prefix),
                        "",
                        Value::Text(day.to_string()),
                        source,
                    );
                }
                let mut made = self.period(table, &path, from, &own, batch, need);
                for tier in &period.tiers {
                    let path = format!("{path}above_{}.", tier.above_input_tokens);
                    let mut rates = own.clone();
                    rates.extend(self.listed_prices(&tier.rates, m, period, &cite));
                    rates.extend(given.clone());
                    made.tiers.push((tier.above_input_tokens, self.rates(table, &path, &rates, need)));
                }
                made.tiers.sort_by_key(|t| t.0);
                for window in &period.windows {
                    let path = format!("{path}from_{}_utc.", window.start_utc);
                    let mut rates = own.clone();
                    rates.extend(self.listed_prices(&window.rates, m, period, &cite));
                    rates.extend(given.clone());
                    // `db check` reports a window that cannot be read; no requests fall into it.
                    let share = Window::of(window).map_or(0.0, |w| w.share(hours_of_week));
                    made.windows.push((share, self.rates(table, &path, &rates, need)));
                }
                periods.push(made);
            }
            self.set_aside(table, m, &listed, &given);
        } else {
            if let Some(m) = model {
                self.miss(
                    &table.path(cloud::INPUT),
                    &format!("the catalogue has no price for {} on that day", m.id),
                );
            }
            periods.push(self.period(table, "", 0, &given, multiplier, need));
        }
        periods.sort_by_key(|p| p.from_month);
        if let Some(Given { value: value @ Value::Changes(changes), source }) =
            table.fields.get(cloud::CHANGES.name)
        {
            self.echo(table.path(cloud::CHANGES), "", value.clone(), source.clone());
            periods = self.changed(table, changes, source, need, &periods);
        }
        periods
    }

    /// Notes for which prices of the catalogue a given one stands, where those differ from the list price
    /// of the first period: of later days, of long requests, and of times of the day.
    fn set_aside(&mut self, table: Table<'_>, m: &ApiModel, listed: &[&PricePeriod], given: &Prices) {
        let Some(first) = listed.first() else { return };
        let mut rates = Vec::new();
        for (key, of) in [
            (cloud::INPUT, (|r| r.input_per_mtok) as fn(&CatalogRates) -> Option<_>),
            (cloud::OUTPUT, |r| r.output_per_mtok),
            (cloud::CACHE_READ, |r| r.cache_read_per_mtok),
            (cloud::CACHE_WRITE, |r| r.cache_write_per_mtok),
            (cloud::REASONING, |r| r.reasoning_per_mtok),
        ] {
            let list = of(&first.rates);
            let later = listed.iter().skip(1).map(|p| &p.rates);
            let tiers = listed.iter().flat_map(|p| p.tiers.iter().map(|t| &t.rates));
            let windows = listed.iter().flat_map(|p| p.windows.iter().map(|w| &w.rates));
            let differs = later.chain(tiers).chain(windows).any(|r| of(r).is_some() && of(r) != list);
            if given.contains_key(key.name) && differs {
                rates.push(table.path(key));
            }
        }
        if !rates.is_empty() {
            self.notices.push(Notice::ListPricesReplaced { model: m.id.clone(), keys: rates });
        }
    }

    /// The periods with the changes of the user's own: each starts from the prices in force on its day, with
    /// their tiers and windows, and replaces the rates that it names from then on.
    fn changed(
        &mut self,
        table: Table<'_>,
        changes: &[Change],
        source: &Source,
        need: &Need,
        periods: &[Period],
    ) -> Vec<Period> {
        let tokens = self.largest_request(need);
        let mut named: Vec<(u32, Vec<NamedRate>)> = Vec::new();
        for (n, change) in changes.iter().enumerate() {
            let mut slots = Vec::new();
            for key in cloud::RATES {
                let Some(range) = change.rates.get(key.name) else { continue };
                if key.name == cloud::REASONING.name && tokens.reasoning.get() <= 0.0 {
                    continue;
                }
                let name = format!("{}.change[{n}].{}", table.prefix, key.name);
                slots.push((key.name, self.slot(name, key.unit, (*range, source.clone()))));
            }
            named.push((month_of(need.start, change.from), slots));
        }
        named.sort_by_key(|(from, _)| *from);
        let mut months: Vec<u32> =
            periods.iter().map(|p| p.from_month).chain(named.iter().map(|(from, _)| *from)).collect();
        months.sort_unstable();
        months.dedup();
        let in_force = |month: u32| periods.iter().rev().find(|p| p.from_month <= month);
        let mut all = Vec::new();
        for month in months {
            let Some(base) = in_force(month) else { continue };
            let mut period = Period { from_month: month, ..base.clone() };
            let new = named.iter().filter(|(from, _)| *from <= month).flat_map(|(_, slots)| slots);
            for (key, slot) in new {
                let tiers = period.tiers.iter_mut().map(|(_, rates)| rates);
                let windows = period.windows.iter_mut().map(|(_, rates)| rates);
                for rates in std::iter::once(&mut period.rates).chain(tiers).chain(windows) {
                    replace(rates, key, *slot);
                }
            }
            all.push(period);
        }
        all
    }

    fn period(
        &mut self,
        table: Table<'_>,
        path: &str,
        from_month: u32,
        prices: &Prices,
        batch: Option<SourcedRange>,
        need: &Need,
    ) -> Period {
        let rates = self.rates(table, path, prices, need);
        let batch_used = self.ranges[need.batch.index()].high > 0.0;
        let batch_multiplier = batch_used.then(|| {
            let name = format!("{}.{path}{}", table.prefix, cloud::BATCH_MULTIPLIER.name);
            if batch.is_none() {
                self.miss(
                    &table.path(cloud::BATCH_MULTIPLIER),
                    "no batch price is known; give the factor, or need.batch_share 0",
                );
            }
            self.slot(name, "x", batch.unwrap_or_else(unknown))
        });
        Period { from_month, rates, batch_multiplier, tiers: Vec::new(), windows: Vec::new() }
    }

    /// Slots for one set of prices. A price that the request shape needs and nobody knows is reported as
    /// missing.
    fn rates(&mut self, table: Table<'_>, path: &str, prices: &Prices, need: &Need) -> Rates {
        let used = |r: &Self, slot: Slot<f64>| r.ranges[slot.index()].high > 0.0;
        let (cached, written) = (used(self, need.cached), used(self, need.cache_write));
        let tokens = self.largest_request(need);
        let mut slot = |key: &'static Key, why: &str| -> Slot<UsdPerMtok> {
            let name = format!("{}.{path}{}", table.prefix, key.name);
            if !prices.contains_key(key.name) {
                // A price that is given holds for all periods, tiers and windows.
                self.miss(&table.path(key), why);
            }
            self.slot(name, key.unit, prices.get(key.name).cloned().unwrap_or_else(unknown))
        };
        // Tokens that do not occur need no price.
        let input = slot_or_free(tokens.input.get(), cloud::INPUT, prices, &mut slot);
        let output = slot_or_free(tokens.written().get(), cloud::OUTPUT, prices, &mut slot);
        let why = "the request reads from a cache, and no price for that is known; where there is no discount, give the input price";
        let cache_read = cached.then(|| slot(cloud::CACHE_READ, why));
        let why = "the request writes to a cache, and no price for that is known";
        let cache_write = written.then(|| slot(cloud::CACHE_WRITE, why));
        let own = tokens.reasoning.get() > 0.0 && prices.contains_key(cloud::REASONING.name);
        let reasoning = own.then(|| slot(cloud::REASONING, ""));
        Rates { input, output, cache_read, cache_write, reasoning }
    }

    /// The catalogue's prices by key, in US dollars.
    fn listed_prices(
        &self,
        rates: &CatalogRates,
        model: &ApiModel,
        period: &PricePeriod,
        cite: &Cite,
    ) -> Prices {
        let own_reasoning = matches!(model.reasoning, ReasoningRule::OwnRate);
        [
            (cloud::INPUT, rates.input_per_mtok),
            (cloud::OUTPUT, rates.output_per_mtok),
            (cloud::CACHE_READ, rates.cache_read_per_mtok),
            (cloud::CACHE_WRITE, rates.cache_write_per_mtok),
            (cloud::REASONING, rates.reasoning_per_mtok.filter(|_| own_reasoning)),
        ]
        .into_iter()
        .filter_map(|(key, amount)| {
            let usd = self.to_usd(amount?, &period.currency)?;
            Some((key.name, database(usd, "api-model", &model.id, cite)))
        })
        .collect()
    }

    /// For each local open model the cheapest offer by the token; if nobody sells it so, the cheapest API
    /// of its tier or a better one.
    pub(super) fn same_models(
        &mut self,
        offers: &mut Vec<Offer>,
        locals: Span<usize>,
        need: &Need,
        hours_of_week: Option<&[f64]>,
    ) {
        let mut models: Vec<String> = locals.filter_map(|i| offers[i].open_model.clone()).collect();
        models.sort();
        models.dedup();
        for open in models {
            let candidates: Vec<&str> = self
                .basis
                .catalog
                .api_models
                .iter()
                .filter(|m| m.open_model.as_ref() == Some(&open))
                .map(|m| m.id.as_str())
                .collect();
            if offers.iter().any(|o| o.id.as_deref().is_some_and(|id| candidates.contains(&id))) {
                continue;
            }
            let same = self.cheapest_listed(&candidates, Role::SameModel, offers.len(), need, hours_of_week);
            if let Some(offer) = same {
                offers.push(offer);
                continue;
            }
            let capable = self.as_capable(&open, offers, need);
            let instead = self.cheapest_listed(&capable, Role::AsCapable, offers.len(), need, hours_of_week);
            let id = instead.as_ref().and_then(|o| o.id.clone());
            self.notices.push(Notice::NoSameModel { model: open, instead: id });
            offers.extend(instead);
        }
    }

    /// API models of the open model's tier or a better one that are served throughout and accept the
    /// request. Open models smaller than it are left out.
    fn as_capable(&self, open: &str, offers: &[Offer], need: &Need) -> Vec<&'a str> {
        let catalog = self.basis.catalog;
        let Some(own) = catalog.open_model(open) else { return Vec::new() };
        let Some(tier) = own.tier else { return Vec::new() };
        // Tiers are coarse: within one, a smaller open model is no match for a larger one.
        let smaller = |m: &ApiModel| {
            let sold = m.open_model.as_deref().and_then(|id| catalog.open_model(id));
            m.tier == Some(tier) && sold.is_some_and(|sold| sold.parameters < own.parameters)
        };
        let tokens = self.likely_request(need).total().get();
        let taken = |id: &str| offers.iter().any(|o| o.id.as_deref() == Some(id));
        let end = need.start.checked_add(jiff::Span::new().months(i64::from(need.horizon)));
        let served = |day: Option<jiff::civil::Date>| day.is_none_or(|d| end.as_ref().is_ok_and(|e| d >= *e));
        let fits = |limit: Option<u64>| limit.is_none_or(|l| tokens <= l as f64);
        catalog
            .api_models
            .iter()
            .filter(|m| m.tier.is_some_and(|t| t <= tier) && !smaller(m))
            .filter(|m| served(m.retires) && fits(m.context_tokens))
            .map(|m| m.id.as_str())
            .filter(|id| !taken(id))
            .collect()
    }

    /// The model on which a request costs least.
    fn cheapest_listed(
        &mut self,
        candidates: &[&str],
        role: Role,
        n: usize,
        need: &Need,
        hours_of_week: Option<&[f64]>,
    ) -> Option<Offer> {
        let mut cheapest: Option<(f64, &str)> = None;
        for id in candidates.iter().copied() {
            let usd = self.attempt(
                |r| {
                    let offer = r.listed_api(id, role, n, need, hours_of_week)?;
                    let likely: Vec<f64> = r.ranges.iter().map(|x| x.likely).collect();
                    let Supply::Api(api) = &offer.supply else { return None };
                    Some(api.request_price(0, need, Values::of(&likely)).get())
                },
                false,
            );
            if let Some(usd) = usd.filter(|u| cheapest.is_none_or(|(best, _)| *u < best)) {
                cheapest = Some((usd, id));
            }
        }
        let (_, id) = cheapest?;
        self.attempt(|r| r.listed_api(id, role, n, need, hours_of_week), true)
    }

    fn listed_api(
        &mut self,
        id: &str,
        role: Role,
        n: usize,
        need: &Need,
        hours_of_week: Option<&[f64]>,
    ) -> Option<Offer> {
        let (rule, reason) = match role {
            Role::AsCapable => (
                "as-capable-api",
                "the cheapest API of the local model's tier or a better one, and of no smaller open model",
            ),
            _ => ("same-model-by-the-token", "the same open model, by the token"),
        };
        let model = Given::chosen(Value::Text(id.to_owned()), rule, reason);
        let fields = Fields::from([(cloud::MODEL.name, model)]);
        let prefix = format!("comparator.{}", n + 1);
        let table = Table { section: Section::Cloud, fields: &fields, prefix: &prefix };
        self.api(table, need, hours_of_week, role).ok().filter(|_| self.missing.is_empty())
    }

    /// Try something that may leave slots and notices behind; keep them only if it succeeds and `keep` is
    /// true.
    pub(super) fn attempt<T>(&mut self, f: impl FnOnce(&mut Self) -> Option<T>, keep: bool) -> Option<T> {
        let (ranges, inputs, notices) = (self.ranges.len(), self.inputs.len(), self.notices.len());
        let (missing, uncertain, user_ranges) = (self.missing.len(), self.uncertain, self.user_ranges);
        let result = f(self);
        if result.is_none() || !keep {
            self.ranges.truncate(ranges);
            self.slot_inputs.truncate(ranges);
            self.inputs.truncate(inputs);
            self.notices.truncate(notices);
            self.missing.truncate(missing);
            self.uncertain = uncertain;
            self.user_ranges = user_ranges;
        }
        result
    }

    /// A GPU rented by the hour as the baseline. It serves the same load, so it runs at the speeds of the
    /// first `[[local]]`, where that states any.
    fn rented_baseline(
        &mut self,
        table: Table<'_>,
        need: &Need,
        locals: &[Fields],
    ) -> Result<Offer, ResolveError> {
        Self::refuse_without_effect(table, Applies::RENTED, "a baseline rented by the hour")?;
        let mut fields = Fields::new();
        for key in [cloud::NAME, cloud::USD_PER_HOUR, cloud::BILLED_HOURS, cloud::UNITS] {
            if let Some((key, given)) = table.fields.get_key_value(key.name) {
                fields.insert(key, given.clone());
            }
        }
        let chosen = |t: &str| {
            Given::chosen(Value::Text(t.to_owned()), "rented-baseline", "what is paid by the hour is rented")
        };
        let kind = table.fields.get(cloud::KIND.name).cloned().unwrap_or_else(|| chosen("rented"));
        fields.insert(cloud::KIND.name, kind);
        fields.entry(cloud::NAME.name).or_insert_with(|| chosen("rented baseline"));
        for key in [
            local::PREFILL,
            local::DECODE,
            local::CONCURRENCY,
            local::PREFILL_FREE,
            local::INPUT_AS_OUTPUT,
            local::CEILING,
        ] {
            if let Some((key, given)) = locals.first().and_then(|l| l.get_key_value(key.name)) {
                fields.insert(key, given.clone());
            }
        }
        let inner = Table { section: Section::Local, fields: &fields, prefix: table.prefix };
        self.machine_offer(inner, need, Role::Asked)
    }
}

/// Sets one rate, where the need has tokens of its class.
fn replace(rates: &mut Rates, key: &str, slot: Slot<UsdPerMtok>) {
    match key {
        key if key == cloud::INPUT.name => rates.input = slot,
        key if key == cloud::OUTPUT.name => rates.output = slot,
        key if key == cloud::CACHE_READ.name => rates.cache_read = rates.cache_read.map(|_| slot),
        key if key == cloud::CACHE_WRITE.name => rates.cache_write = rates.cache_write.map(|_| slot),
        _ => rates.reasoning = Some(slot),
    }
}

fn slot_or_free(
    tokens: f64,
    key: &'static Key,
    prices: &Prices,
    slot: &mut impl FnMut(&'static Key, &str) -> Slot<UsdPerMtok>,
) -> Slot<UsdPerMtok> {
    if tokens > 0.0 || prices.contains_key(key.name) {
        return slot(key, "the price; an offer without a price is not free");
    }
    // Never read, because there are no tokens to multiply it by.
    Slot::at(0)
}

/// Months from the first month to the first whole month that begins on or after a day.
fn month_of(start: Date, day: Date) -> u32 {
    let index = |d: Date| i32::from(d.year()) * 12 + i32::from(d.month());
    let months = index(day) - index(start) + i32::from(day.day() > 1);
    u32::try_from(months.max(0)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_begin_with_the_first_whole_month() {
        let date = |t: &str| t.parse::<Date>().expect("a date");
        assert_eq!(month_of(date("2026-12-01"), date("2027-01-01")), 1);
        assert_eq!(month_of(date("2026-12-01"), date("2027-01-02")), 2);
        assert_eq!(month_of(date("2026-12-01"), date("2026-01-01")), 0);
    }
}
