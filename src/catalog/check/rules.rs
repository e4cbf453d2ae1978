//! The rules, one function per kind of record. `report(path, message, expected)` tells a problem.
//!
//! The bounds are wide on purpose: they are there to catch a wrong unit or a lost digit, not to
//! judge a price. Each is a physical or market limit with room on both sides.

use crate::catalog::{
    Accelerator, AllowanceUnit, ApiModel, Attention, Catalog, CiteByField, Currency, FormFactor, Host,
    Machine, Misfit, OpenModel, Overage, PricePeriod, Provider, PurchasePrice, Range, Rates, Rental,
    RentalTerms, Subscription, Tariff,
};
use crate::spelling::nearest;
use jiff::civil::Date;

/// Highest believable price of a million tokens (the dearest known list price is 600).
pub const MAX_USD_PER_MTOK: f64 = 10_000.0;
/// A price this many times under the median of its class is a slip (per thousand is 1,000, and
/// the cheapest real offers are about 30 times under).
const TIMES_UNDER: f64 = 150.0;
/// A price this many times over it is one (the dearest real offers are about 300 times over).
const TIMES_OVER: f64 = 600.0;
/// Rent differs by terms and provider, not by more than this for the same accelerator.
const RENT_TIMES: f64 = 20.0;

type Report<'a> = &'a mut dyn FnMut(&str, String, &str);

/// Medians that single records are compared with.
#[derive(Debug, Clone, Default)]
pub struct Medians {
    input_per_mtok: Option<f64>,
    output_per_mtok: Option<f64>,
}

impl Medians {
    /// Of the list prices of all models. Fewer than ten are no class.
    pub fn of(catalog: &Catalog) -> Self {
        Self::of_models(&catalog.api_models)
    }
    /// Of these models.
    pub fn of_models(models: &[ApiModel]) -> Self {
        let rates = |field: fn(&Rates) -> Option<f64>| {
            median(
                models
                    .iter()
                    .filter_map(|m| m.price.last().and_then(|p| field(&p.rates)))
                    .filter(|p| *p > 0.0)
                    .collect(),
            )
        };
        Self { input_per_mtok: rates(|r| r.input_per_mtok), output_per_mtok: rates(|r| r.output_per_mtok) }
    }
    /// Why a pair of prices cannot be in this unit, or `None`.
    pub fn slip(&self, rates: &Rates) -> Option<(&'static str, String)> {
        let pairs = [
            ("input_per_mtok", rates.input_per_mtok, self.input_per_mtok),
            ("output_per_mtok", rates.output_per_mtok, self.output_per_mtok),
        ];
        pairs.into_iter().find_map(|(field, price, median)| {
            let (price, median) = (price?, median?);
            let far = if price <= 0.0 || !price.is_finite() {
                return None;
            } else if price * TIMES_UNDER < median {
                format!("{:.0} times under", median / price)
            } else if price > median * TIMES_OVER {
                format!("{:.0} times over", price / median)
            } else {
                return None;
            };
            Some((field, format!("{field} {price} is {far} the median of {median}: a unit slip?")))
        })
    }
}

/// The middle value; of fewer than ten values there is none worth comparing with.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    (values.len() >= 10).then(|| values[values.len() / 2])
}

/// What every record has: an id, a source, a date.
pub(super) fn common(
    id: &str,
    source: &str,
    as_of: Date,
    cite: &CiteByField,
    today: Date,
    report: Report<'_>,
) {
    if id.is_empty()
        || id.len() > 200
        || id.chars().any(|c| c.is_whitespace() || c.is_control() || !c.is_ascii())
    {
        report("id", format!("`{id}` is no id"), "1 to 200 ASCII characters without spaces");
    }
    let mut cited = |path: &str, source: &str, as_of: Date| {
        if source.trim().is_empty() {
            report(&format!("{path}source"), "no source".to_owned(), "where the figures were read");
        }
        if as_of > today {
            report(&format!("{path}as_of"), format!("{as_of} is in the future"), "the day it was read");
        }
        if as_of.year() < 2020 {
            report(&format!("{path}as_of"), format!("{as_of} is before there was a market"), "2020 or later");
        }
    };
    cited("", source, as_of);
    for (field, cite) in cite {
        cited(&format!("cite.{field}."), &cite.source, cite.as_of);
    }
}

/// A citation of a field that the record does not have was meant for another.
pub(super) fn citations<T: serde::Serialize>(record: &T, cite: &CiteByField, report: Report<'_>) {
    if cite.is_empty() {
        return;
    }
    let Ok(serde_json::Value::Object(fields)) = serde_json::to_value(record) else { return };
    for path in cite.keys() {
        let field = path.split('.').next().unwrap_or(path);
        if !fields.contains_key(field) {
            let near = nearest(field, fields.keys().map(String::as_str), 1);
            let expected =
                near.first().map_or("a field of the record".to_owned(), |n| format!("perhaps {n}"));
            report(&format!("cite.{path}"), format!("the record has no {field} to cite for"), &expected);
        }
    }
}

/// A figure inside its bounds, where there is one.
fn within(path: &str, value: Option<f64>, low: f64, high: f64, unit: &str, report: Report<'_>) {
    let Some(value) = value else { return };
    if !value.is_finite() || value < low || value > high {
        report(path, format!("{path} is {value}"), &format!("{low} to {high} {unit}"));
    }
}

fn not_empty(path: &str, value: &str, report: Report<'_>) {
    if value.trim().is_empty() {
        report(path, format!("{path} is empty"), "a name");
    }
}

fn currency_code(path: &str, code: &str, catalog: &Catalog, report: Report<'_>) {
    if code.len() != 3 || !code.chars().all(|c| c.is_ascii_uppercase()) {
        report(path, format!("`{code}` is no currency"), "an ISO 4217 code: USD, EUR");
    } else if code != "USD" && catalog.currency(code).is_none() {
        report(path, format!("no rate to USD is known for {code}"), "a [[currency]] record with this id");
    }
}

/// A reference that leads nowhere names both ends.
fn reference<'a>(
    path: &str,
    to: &str,
    kind: &str,
    found: bool,
    known: impl IntoIterator<Item = &'a str>,
    report: Report<'_>,
) {
    if !found {
        let near = nearest(to, known, 3);
        let id = format!("the id of {} {kind}", if kind.starts_with(['a', 'o']) { "an" } else { "a" });
        let expected = if near.is_empty() { id } else { format!("{id}, perhaps {}", near.join(", ")) };
        report(path, format!("{path} points to {kind} `{to}`, which does not exist"), &expected);
    }
}

fn prices(list: &[PurchasePrice], catalog: &Catalog, report: Report<'_>) {
    for (n, price) in list.iter().enumerate() {
        let at = |field: &str| format!("price.{n}.{field}");
        if !(price.amount.is_finite() && price.amount > 0.0 && price.amount < 50_000_000.0) {
            report(&at("amount"), format!("price {}", price.amount), "an amount above 0");
        }
        currency_code(&at("currency"), &price.currency, catalog, report);
        if price.source.trim().is_empty() {
            report(&at("source"), "price without a source".to_owned(), "where it was read");
        }
        not_empty(&at("place"), &price.place, report);
        within(&at("vat"), price.vat, 0.01, 0.5, "of the price without it, as a share", report);
        within(&at("install"), price.install, 0.01, 10_000_000.0, "in the price's currency", report);
    }
}

/// Only the price of a host can be one with accelerators in it.
fn nothing_fitted(list: &[PurchasePrice], report: Report<'_>) {
    for n in list.iter().enumerate().filter(|(_, p)| p.fitted.is_some()).map(|(n, _)| n) {
        report(
            &format!("price.{n}.fitted"),
            "accelerators in the price of something that has no slots".to_owned(),
            "no `fitted`, or a [[host]]",
        );
    }
}

/// Year or month: `2024` or `2024-10`.
fn month(path: &str, value: Option<&str>, report: Report<'_>) {
    let Some(text) = value else { return };
    let (year, month) = text.split_once('-').unwrap_or((text, "01"));
    let number = |text: &str, digits: usize| {
        (text.len() == digits && text.bytes().all(|b| b.is_ascii_digit()))
            .then(|| text.parse::<u32>().ok())?
    };
    let right = number(year, 4).is_some_and(|y| (2000..2100).contains(&y))
        && number(month, 2).is_some_and(|m| (1..=12).contains(&m));
    if !right {
        report(path, format!("`{text}` is no month"), "a year or a month: \"2024\", \"2024-10\"");
    }
}

pub(super) fn accelerator(r: &Accelerator, c: &Catalog, _: &Medians, report: Report<'_>) {
    not_empty("name", &r.name, report);
    within("memory_gib", r.memory_gib, 0.5, 2_048.0, "GiB", report);
    within("bandwidth_gb_s", r.bandwidth_gb_s, 10.0, 100_000.0, "GB/s", report);
    for (path, value) in [
        ("fp16_tflops", r.fp16_tflops),
        ("bf16_tflops", r.bf16_tflops),
        ("fp8_tflops", r.fp8_tflops),
        ("fp4_tflops", r.fp4_tflops),
        ("int8_tops", r.int8_tops),
    ] {
        within(path, value, 0.1, 100_000.0, "dense teraflops", report);
    }
    within("board_watts", r.board_watts, 1.0, 5_000.0, "W", report);
    within("idle_watts", r.idle_watts, 0.05, 1_000.0, "W", report);
    within("interconnect_gb_s", r.interconnect_gb_s, 1.0, 10_000.0, "GB/s", report);
    if let (Some(idle), Some(board)) = (r.idle_watts, r.board_watts)
        && idle > board
    {
        report(
            "idle_watts",
            format!("idle {idle} W is above the board's {board} W"),
            "less than board_watts",
        );
    }
    within("slot_width", r.slot_width, 1.0, 5.0, "places", report);
    month("discontinued", r.discontinued.as_deref(), report);
    nothing_fitted(&r.price, report);
    prices(&r.price, c, report);
}

pub(super) fn machine(r: &Machine, c: &Catalog, _: &Medians, report: Report<'_>) {
    not_empty("name", &r.name, report);
    if let Some(id) = &r.accelerator {
        let known = c.accelerators.iter().map(|a| a.id.as_str());
        reference("accelerator", id, "gpu", c.accelerator(id).is_some(), known, report);
    }
    within("memory_gib", r.memory_gib, 1.0, 65_536.0, "GiB", report);
    within("bandwidth_gb_s", r.bandwidth_gb_s, 5.0, 100_000.0, "GB/s", report);
    within("fp16_tflops", r.fp16_tflops, 0.01, 10_000.0, "dense teraflops", report);
    within("idle_watts", r.idle_watts, 0.5, 20_000.0, "W", report);
    within("load_watts", r.load_watts, 1.0, 200_000.0, "W", report);
    within("accelerators", Some(f64::from(r.accelerators)), 0.0, 1_024.0, "accelerators", report);
    if let (Some(idle), Some(load)) = (r.idle_watts, r.load_watts)
        && idle > load
    {
        report("idle_watts", format!("idle {idle} W is above load {load} W"), "less than load_watts");
    }
    within("rack_units", r.rack_units, 0.5, 60.0, "rack units", report);
    month("discontinued", r.discontinued.as_deref(), report);
    nothing_fitted(&r.price, report);
    prices(&r.price, c, report);
}

pub(super) fn host(r: &Host, c: &Catalog, _: &Medians, report: Report<'_>) {
    not_empty("name", &r.name, report);
    within("slots.number", Some(f64::from(r.slots.number)), 1.0, 32.0, "slots", report);
    within("slots.watts", r.slots.watts, 25.0, 3_000.0, "W for one slot", report);
    within("slots.link_gb_s", r.slots.link_gb_s, 1.0, 10_000.0, "GB/s", report);
    within("accelerator_watts", r.accelerator_watts, 25.0, 50_000.0, "W for all accelerators", report);
    within("base_watts", r.base_watts, 5.0, 20_000.0, "W", report);
    within("idle_watts", r.idle_watts, 1.0, 10_000.0, "W", report);
    within("rack_units", r.rack_units, 0.5, 60.0, "rack units", report);
    within("memory_gib", r.memory_gib, 1.0, 65_536.0, "GiB", report);
    within("bandwidth_gb_s", r.bandwidth_gb_s, 5.0, 10_000.0, "GB/s", report);
    if let (Some(idle), Some(base)) = (r.idle_watts, r.base_watts)
        && idle > base
    {
        report("idle_watts", format!("idle {idle} W is above base {base} W"), "at most base_watts");
    }
    if !matches!(r.slots.form, FormFactor::Pcie | FormFactor::Sxm | FormFactor::Oam) {
        report(
            "slots.form",
            "such accelerators are not put into slots".to_owned(),
            "pcie, sxm or oam; a computer with its accelerator soldered in is a [[machine]]",
        );
    } else if r.slots.always_full() && r.accelerators.is_empty() {
        report(
            "accelerators",
            "a board of modules is made for certain ones, and none is named".to_owned(),
            "the ids of the accelerators it is sold with",
        );
    }
    for (n, id) in r.accelerators.iter().enumerate() {
        let number = if r.slots.always_full() { r.slots.number } else { 1 };
        fits(&format!("accelerators.{n}"), r, id, number, c, report);
    }
    prices(&r.price, c, report);
    for (n, fitted) in r.price.iter().enumerate().filter_map(|(n, p)| Some((n, p.fitted.as_ref()?))) {
        let at = format!("price.{n}.fitted");
        fits(&at, r, &fitted.accelerator, fitted.number, c, report);
    }
}

/// Accelerators that a host is said to carry must be ones that it can.
fn fits(path: &str, host: &Host, id: &str, number: u32, c: &Catalog, report: Report<'_>) {
    let Some(card) = c.accelerator(id) else {
        let known = c.accelerators.iter().map(|a| a.id.as_str());
        return reference(path, id, "gpu", false, known, report);
    };
    // An unknown figure keeps it out of plans, but is no mistake.
    if let Err(misfit) = host.carries(card, number)
        && !matches!(misfit, Misfit::PowerUnknown)
    {
        report(path, format!("{id} does not go into it: {misfit}"), "an accelerator that fits the slots");
    }
}

pub(super) fn rental(r: &Rental, c: &Catalog, _: &Medians, report: Report<'_>) {
    not_empty("provider", &r.provider, report);
    let known = c.accelerators.iter().map(|a| a.id.as_str());
    reference("accelerator", &r.accelerator, "gpu", c.accelerator(&r.accelerator).is_some(), known, report);
    currency_code("currency", &r.currency, c, report);
    within("accelerators", Some(f64::from(r.accelerators)), 1.0, 1_024.0, "accelerators", report);
    if r.per_hour > 0.0 && r.per_hour < 10_000.0 {
        let each = r.per_hour / f64::from(r.accelerators.max(1));
        let mut same: Vec<f64> = c
            .rentals
            .iter()
            .filter(|o| o.accelerator == r.accelerator && o.currency == r.currency && o.id != r.id)
            .map(|o| o.per_hour / f64::from(o.accelerators.max(1)))
            .collect();
        same.sort_by(f64::total_cmp);
        if let Some(middle) = same.get(same.len() / 2)
            && (each > middle * RENT_TIMES || each * RENT_TIMES < *middle)
        {
            report(
                "per_hour",
                format!("{each:.3} per accelerator-hour, others of {} cost {middle:.3}", r.accelerator),
                "the price of one hour of the whole instance",
            );
        }
    } else {
        report("per_hour", format!("per_hour is {}", r.per_hour), "the price of one hour, above 0");
    }
    if r.term_months.is_some() && r.terms != RentalTerms::Reserved {
        report("term_months", "a commitment on terms that have none".to_owned(), "terms = \"reserved\"");
    }
}

pub(super) fn subscription(r: &Subscription, c: &Catalog, _: &Medians, report: Report<'_>) {
    not_empty("provider", &r.provider, report);
    not_empty("name", &r.name, report);
    currency_code("currency", &r.currency, c, report);
    let monthly = [("per_month", r.per_month), ("per_month_of_year", r.per_month_of_year)];
    for (path, value) in monthly {
        within(path, value, 0.0, 100_000.0, "for one seat and month", report);
    }
    if monthly.iter().all(|(_, price)| price.is_none()) {
        report("", "no price of a seat".to_owned(), "per_month, per_month_of_year or both");
    }
    if let (Some(month), Some(year)) = (r.per_month, r.per_month_of_year)
        && year > month
    {
        report(
            "per_month_of_year",
            format!("a month costs {year} within a year and {month} alone"),
            "the price of one month, at most that of a single one",
        );
    }
    if let (Some(from), Some(to)) = (r.seats_from, r.seats_to)
        && from > to
    {
        report("seats_from", format!("from {from} to {to} seats"), "at most seats_to");
    }
    for (n, allowance) in r.allowance.iter().enumerate() {
        let at = |field: &str| format!("allowance.{n}.{field}");
        within(&at("amount"), Some(allowance.amount), 0.01, 1e12, "of the allowance's unit", report);
        match (&allowance.of, allowance.unit) {
            (Some(id), AllowanceUnit::Times) if *id != r.id => {
                let known = c.subscriptions.iter().map(|s| s.id.as_str());
                reference(&at("of"), id, "subscription", c.subscription(id).is_some(), known, report);
            }
            (Some(_), AllowanceUnit::Times) => {
                report(&at("of"), "a multiple of itself".to_owned(), "the id of another subscription");
            }
            (None, AllowanceUnit::Times) => {
                report(&at("unit"), "a multiple of nothing".to_owned(), "`of`, the id of a subscription");
            }
            (Some(_), _) => {
                report(&at("of"), "a plan to compare with where nothing is".to_owned(), "unit = \"times\"");
            }
            (None, _) => {}
        }
    }
    match &r.overage {
        Some(Overage::ApiPrice { factor }) => {
            within("overage.factor", Some(*factor), 0.01, 100.0, "times the API's price", report);
        }
        Some(Overage::Packs { amount, price, .. }) => {
            within("overage.amount", Some(*amount), 0.01, 1e12, "of its unit", report);
            within("overage.price", Some(*price), 0.01, 1e6, "in the plan's currency", report);
        }
        Some(Overage::Waits) | None => {}
    }
}

pub(super) fn range(r: &Range, c: &Catalog, _: &Medians, report: Report<'_>) {
    not_empty("unit", &r.unit, report);
    not_empty("reason", &r.reason, report);
    let finite = [r.low, r.likely, r.high].iter().all(|v| v.is_finite());
    if !finite || r.low > r.likely || r.likely > r.high {
        report(
            "likely",
            format!("{} to {}, likely {}", r.low, r.high, r.likely),
            "low, likely and high in this order",
        );
    }
    let twin = c.ranges.iter().find(|o| o.id != r.id && o.input == r.input && o.case == r.case);
    if let Some(twin) = twin {
        report("case", format!("{} has the same input and case", twin.id), "one range for each case");
    }
}

pub(super) fn tariff(r: &Tariff, c: &Catalog, _: &Medians, report: Report<'_>) {
    within("usd_per_kwh", Some(r.usd_per_kwh), 0.001, 2.0, "USD/kWh", report);
    within("grams_co2_per_kwh", r.grams_co2_per_kwh, 0.0, 2_000.0, "g/kWh", report);
    match (&r.currency, r.local_per_kwh) {
        (Some(code), Some(local)) => {
            currency_code("currency", code, c, report);
            if !(local.is_finite() && local > 0.0) {
                report("local_per_kwh", format!("local_per_kwh is {local}"), "a price above 0");
            }
            if let Some(rate) = c.currency(code)
                && !(0.5..2.0).contains(&(local * rate.usd / r.usd_per_kwh))
            {
                report(
                    "usd_per_kwh",
                    format!("{} {code} at {} USD is {:.4} USD/kWh", local, rate.usd, local * rate.usd),
                    "both figures to agree",
                );
            }
        }
        (None, Some(_)) => {
            report("local_per_kwh", "a local price without its currency".to_owned(), "currency");
        }
        _ => {}
    }
}

pub(super) fn currency(r: &Currency, _: &Catalog, _: &Medians, report: Report<'_>) {
    if r.id.len() != 3 || !r.id.chars().all(|c| c.is_ascii_uppercase()) {
        report("id", format!("`{}` is no currency", r.id), "an ISO 4217 code: EUR");
    }
    within("usd", Some(r.usd), 1e-6, 100.0, "US dollars for one unit", report);
}

pub(super) fn provider(r: &Provider, catalog: &Catalog, _: &Medians, report: Report<'_>) {
    not_empty("name", &r.name, report);
    if r.id.contains([':', '/', '@']) {
        report("id", format!("`{}` cannot stand before a model's name", r.id), "no `:`, `/` or `@`");
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let named =
        |variable: &Option<String>| variable.as_ref().is_none_or(|v| !v.is_empty() && v.chars().all(plain));
    for (field, variable) in
        [("endpoint_variable", &r.endpoint_variable), ("version_variable", &r.version_variable)]
    {
        if !named(variable) {
            report(
                field,
                "this is not the name of an environment variable".to_owned(),
                "a name such as MY_ENDPOINT",
            );
        }
    }
    if r.dated_path.as_ref().is_some_and(|path| !path.contains("{model}")) {
        report("dated_path", "it has no place for the model".to_owned(), "a path with {model} in it");
    }
    if !named(&r.key_variable) {
        report(
            "key_variable",
            "this is not the name of an environment variable".to_owned(),
            "a name such as MY_KEY; never the key itself",
        );
    }
    if let Some(base) = &r.base_url {
        let rest = base.strip_prefix("https://").or_else(|| base.strip_prefix("http://127.0.0.1"));
        if rest.is_none_or(|rest| rest.is_empty() || rest.contains(['@', '?', '#'])) {
            report(
                "base_url",
                format!("`{base}` is no base URL"),
                "https://HOST/PATH without user, query or #",
            );
        }
    }
    if r.key_variable.is_some() && r.base_url.is_none() && r.hosts.is_empty() {
        report("key_variable", "it is not said where this key may go".to_owned(), "a `base_url`, or `hosts`");
    }
    for (n, host) in r.hosts.iter().enumerate() {
        let labels: Vec<&str> = host.split('.').collect();
        let fixed = labels.iter().rev().take_while(|l| **l != "*" && !l.is_empty()).count();
        if fixed < 2 || labels.iter().any(|l| l.is_empty() || (l.contains('*') && *l != "*")) {
            report(
                &format!("hosts.{n}"),
                format!("`{host}` is too wide for a key, or no host"),
                "a host whose last two labels are fixed: *.example.com",
            );
        }
    }
    if let Some(prices) = &r.prices {
        let known = || catalog.api_models.iter().map(|m| m.provider.as_str());
        reference("prices", prices, "price provider", known().any(|p| p == prices), known(), report);
    }
}

pub(super) fn open_model(r: &OpenModel, _: &Catalog, _: &Medians, report: Report<'_>) {
    not_empty("name", &r.name, report);
    tier(r.tier, report);
    let number = |n: Option<u64>| n.map(|n| n as f64);
    within("parameters", number(r.parameters), 1e6, 1e14, "parameters (not billions)", report);
    within("active_parameters", number(r.active_parameters), 1e6, 1e13, "parameters (not billions)", report);
    if let (Some(active), Some(all)) = (r.active_parameters, r.parameters)
        && active > all
    {
        report("active_parameters", format!("{active} active of {all}"), "at most all parameters");
    }
    within("layers", r.layers.map(f64::from), 1.0, 1_000.0, "layers", report);
    within("heads", r.heads.map(f64::from), 1.0, 1_024.0, "heads", report);
    within("kv_heads", r.kv_heads.map(f64::from), 1.0, 1_024.0, "heads", report);
    within("head_size", r.head_size.map(f64::from), 8.0, 2_048.0, "values", report);
    within("hidden_size", r.hidden_size.map(f64::from), 64.0, 131_072.0, "values", report);
    within("vocabulary", r.vocabulary.map(f64::from), 100.0, 5e6, "tokens", report);
    within("context_tokens", number(r.context_tokens), 128.0, 1e8, "tokens", report);
    if let (Some(kv), Some(heads)) = (r.kv_heads, r.heads)
        && kv > heads
    {
        report("kv_heads", format!("{kv} KV heads of {heads} heads"), "at most as many as heads");
    }
    if let (Some(lookup), Some(all)) = (r.lookup_parameters, r.parameters)
        && lookup >= all
    {
        report("lookup_parameters", format!("{lookup} of {all} parameters"), "fewer than parameters");
    }
    if let (Some(used), Some(experts)) = (r.experts_per_token, r.experts)
        && used > experts
    {
        report("experts_per_token", format!("{used} of {experts} experts"), "at most as many as experts");
    }
    let some_layers = match r.attention {
        Attention::SlidingWindow { full_layers, sliding_layers, .. } => {
            Some(("attention.full_layers", full_layers.saturating_add(sliding_layers.unwrap_or(0))))
        }
        Attention::Hybrid { attention_layers, state_layers } => {
            Some(("attention.attention_layers", attention_layers.saturating_add(state_layers.unwrap_or(0))))
        }
        Attention::Latent { attention_layers, .. } => {
            attention_layers.map(|layers| ("attention.attention_layers", layers))
        }
        Attention::Full | Attention::Pooled { .. } => None,
    };
    if let (Some((path, some)), Some(all)) = (some_layers, r.layers)
        && some > all
    {
        report(path, format!("{some} of {all} layers"), "at most as many as layers");
    }
}

fn tier(tier: Option<u8>, report: Report<'_>) {
    if let Some(tier) = tier
        && !(1..=4).contains(&tier)
    {
        report("tier", format!("tier {tier}"), "1 (highest capability) to 4");
    }
}

pub(super) fn api_model(r: &ApiModel, c: &Catalog, medians: &Medians, report: Report<'_>) {
    not_empty("provider", &r.provider, report);
    not_empty("model", &r.model, report);
    if !r.id.starts_with(&format!("{}/", r.provider)) {
        report("id", format!("the id does not begin with the provider {}", r.provider), "provider/model");
    }
    tier(r.tier, report);
    if let Some(id) = &r.open_model {
        let known = c.open_models.iter().map(|m| m.id.as_str());
        reference("open_model", id, "open model", c.open_model(id).is_some(), known, report);
    }
    for (n, alias) in r.aliases.iter().enumerate() {
        let owner = |o: &&ApiModel| o.provider == r.provider && o.id != r.id;
        let path = format!("aliases.{n}");
        if *alias == r.model {
            report(&path, format!("alias `{alias}` is the model's own name"), "another name");
        }
        // Neither circle nor fork: an alias leads to one record, and a record's name is no alias.
        for other in c.api_models.iter().filter(owner) {
            if other.model == *alias {
                let circle =
                    if other.aliases.contains(&r.model) { ", and that one back to this" } else { "" };
                report(
                    &path,
                    format!("alias `{alias}` is the record {}{circle}", other.id),
                    "a name of its own",
                );
            } else if other.id > r.id && other.aliases.contains(alias) {
                report(&path, format!("alias `{alias}` also belongs to {}", other.id), "one owner");
            }
        }
    }
    if r.price.is_empty() {
        report("", "no price".to_owned(), "at least one [[api_model.price]]");
    }
    let mut last = None;
    for (n, period) in r.price.iter().enumerate() {
        if n > 0 && period.from <= last {
            report(
                &format!("price.{n}.from"),
                "price periods out of order".to_owned(),
                "a later `from` than the period before",
            );
        }
        last = period.from;
        price_period(n, period, c, medians, report);
    }
}

fn price_period(n: usize, period: &PricePeriod, c: &Catalog, medians: &Medians, report: Report<'_>) {
    let at = |path: &str| format!("price.{n}.{path}");
    currency_code(&at("currency"), &period.currency, c, report);
    within_share(&at("batch_multiplier"), period.batch_multiplier, report);
    rates(&at("rates"), &period.rates, period.free, report);
    if period.rates.input_per_mtok.is_none() && period.rates.output_per_mtok.is_none() {
        report(&at("rates"), "neither input nor output price".to_owned(), "the prices of a million tokens");
    }
    if period.currency == "USD"
        && let Some((field, message)) = medians.slip(&period.rates)
    {
        report(&at(&format!("rates.{field}")), message, "USD per million tokens");
    }
    let mut above = 0;
    for (t, tier) in period.tiers.iter().enumerate() {
        let path = at(&format!("tiers.{t}"));
        if tier.above_input_tokens <= above {
            report(
                &format!("{path}.above_input_tokens"),
                format!("tier above {} tokens is out of order", tier.above_input_tokens),
                "a higher threshold than the tier before",
            );
        }
        above = tier.above_input_tokens;
        rates(&format!("{path}.rates"), &tier.rates, period.free, report);
    }
    for (w, window) in period.windows.iter().enumerate() {
        let path = at(&format!("windows.{w}"));
        let parsed = [("start_utc", &window.start_utc), ("end_utc", &window.end_utc)].map(|(field, time)| {
            let time = minutes(time);
            if time.is_none() {
                report(&format!("{path}.{field}"), format!("{field} is no time of day"), "\"HH:MM\", UTC");
            }
            time
        });
        if let [Some(start), Some(end)] = parsed
            && start == end
        {
            report(&format!("{path}.end_utc"), "a window of no length".to_owned(), "another time");
        }
        if window.weekdays.iter().any(|d| !(1..=7).contains(d)) {
            report(&format!("{path}.weekdays"), "no day of the week".to_owned(), "1 (Monday) to 7");
        }
        rates(&format!("{path}.rates"), &window.rates, period.free, report);
    }
}

fn rates(path: &str, rates: &Rates, free: bool, report: Report<'_>) {
    for (field, price) in [
        ("input_per_mtok", rates.input_per_mtok),
        ("output_per_mtok", rates.output_per_mtok),
        ("cache_read_per_mtok", rates.cache_read_per_mtok),
        ("cache_write_per_mtok", rates.cache_write_per_mtok),
        ("reasoning_per_mtok", rates.reasoning_per_mtok),
    ] {
        let Some(price) = price else { continue };
        // Some providers take no extra charge for writing to the cache or reading from it.
        let may_be_zero = free || field.starts_with("cache_");
        if !price.is_finite() || !(0.0..=MAX_USD_PER_MTOK).contains(&price) {
            report(
                &format!("{path}.{field}"),
                format!("{field} is {price}"),
                &format!("0 to {MAX_USD_PER_MTOK} per million tokens"),
            );
        } else if price == 0.0 && !may_be_zero {
            report(
                &format!("{path}.{field}"),
                format!("{field} is 0"),
                "a price above 0, nothing where unknown, or `free = true` beside the rates",
            );
        }
    }
    if let (Some(read), Some(input)) = (rates.cache_read_per_mtok, rates.input_per_mtok)
        && read > input
    {
        report(
            &format!("{path}.cache_read_per_mtok"),
            format!("reading from the cache costs {read}, sending the tokens {input}"),
            "at most the input price",
        );
    }
}

fn within_share(path: &str, value: Option<f64>, report: Report<'_>) {
    if let Some(value) = value
        && !(value > 0.0 && value <= 1.0)
    {
        report(path, format!("batch_multiplier is {value}"), "a factor above 0, at most 1");
    }
}

/// `HH:MM` as minutes since midnight.
pub fn minutes(time: &str) -> Option<u32> {
    let (hours, minutes) = time.split_once(':')?;
    let two = |s: &str| (s.len() == 2).then(|| s.parse::<u32>().ok()).flatten();
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
}
