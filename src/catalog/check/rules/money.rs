//! Rules for subscriptions, electricity tariffs, exchange rates, and ranges of inputs.

use super::common::{Report, currency_code, not_empty, reference, within};
use super::medians::Medians;
use crate::catalog::{AllowanceUnit, Catalog, Currency, Overage, Range, Subscription, Tariff};

pub(in crate::catalog::check) fn subscription(
    r: &Subscription,
    c: &Catalog,
    _: &Medians,
    report: Report<'_>,
) {
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

pub(in crate::catalog::check) fn range(r: &Range, c: &Catalog, _: &Medians, report: Report<'_>) {
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

pub(in crate::catalog::check) fn tariff(r: &Tariff, c: &Catalog, _: &Medians, report: Report<'_>) {
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

pub(in crate::catalog::check) fn currency(r: &Currency, _: &Catalog, _: &Medians, report: Report<'_>) {
    if r.id.len() != 3 || !r.id.chars().all(|c| c.is_ascii_uppercase()) {
        report("id", format!("`{}` is no currency", r.id), "an ISO 4217 code: EUR");
    }
    within("usd", Some(r.usd), 1e-6, 100.0, "US dollars for one unit", report);
}
