//! How the months of a comparison are derived: the rules that hold for every row, and the parts of a month,
//! written once and again only where they change.

use super::Places;
use crate::cost::case::{Case, Pair, Supply, Values};
use crate::cost::compare::{self, Month};
use crate::cost::simulate::{Parts, Run, Step};
use crate::terms::{Column, ColumnTerm, Derivation, Term};

/// Number of months after which parts are no longer written down one by one.
const MOST_MONTHS: u32 = 240;

/// The rules of the cash flow, for the parts that occur in these months.
pub fn columns(months: &[Month]) -> Vec<Column> {
    let of = |field: &str| format!("result.cash_flow[].{field}");
    let before = |field: &str| format!("result.cash_flow[-].{field}");
    let term = |name: &str| ColumnTerm::figure(name, &of(name));
    let worded =
        |field: &str, unit: &str, note: &str| Column::new(&of(field), unit, "", Vec::new()).note(note);
    let sum = |field: &str, side: &str, parts: fn(&Month) -> &Parts, more: Option<&str>| {
        let occurs = |name: &str| {
            months.iter().any(|m| parts(m).named().iter().any(|(n, usd)| *n == name && usd.get() != 0.0))
        };
        let named = Parts::default().named();
        let names: Vec<&str> = named.iter().map(|(name, _)| *name).filter(|name| occurs(name)).collect();
        let mut terms: Vec<ColumnTerm> =
            names.iter().map(|name| ColumnTerm::figure(name, &of(&format!("{side}.{name}")))).collect();
        terms.extend(more.map(term));
        let formula: Vec<&str> = names.into_iter().chain(more).collect();
        Column::new(&of(field), "USD", &formula.join(" + "), terms)
    };
    let upfront = months.iter().any(|m| m.cloud.upfront.get() != 0.0).then_some("cloud_upfront_usd");
    let position = |field: &str, formula: &str, more: Vec<ColumnTerm>| {
        let mut terms = vec![ColumnTerm::figure("before", &before(field))];
        terms.extend(["cloud_usd", "local_running_usd", "local_upfront_usd"].map(term));
        terms.extend(more);
        Column::new(&of(field), "USD", formula, terms)
    };
    vec![
        worded("month", "months", "counted from 1 at the start"),
        Column::new(
            &of("requests"),
            "requests",
            "before × (1 + growth_per_month)",
            vec![
                ColumnTerm::figure("before", &before("requests")),
                ColumnTerm::input("growth_per_month", "need.growth_per_month"),
            ],
        )
        .first("result.requests_per_month"),
        sum("cloud_usd", "cloud_parts_usd", |m| &m.cloud.parts, upfront),
        worded("cloud_upfront_usd", "USD", "what the baseline pays at the beginning of the month"),
        worded("cloud_parts_usd", "USD", "what the baseline pays over the month, part by part"),
        sum("local_running_usd", "local_parts_usd", |m| &m.local.parts, None),
        worded("local_parts_usd", "USD", "what the other side pays over the month, part by part"),
        worded(
            "local_upfront_usd",
            "USD",
            "what is bought at the beginning of the month, less what replaced units fetch; a loan pays for the purchase itself",
        ),
        worded("local_units", "units", "as many as the month's peak needs; what was bought stays"),
        position("position_usd", "before + cloud_usd − local_running_usd − local_upfront_usd", Vec::new()),
        position(
            "discounted_position_usd",
            "before + (cloud_usd − local_running_usd) × (1 + discount_rate_per_year) ^ (0 − month ÷ 12) − local_upfront_usd × (1 + discount_rate_per_year) ^ (0 − (month − 1) ÷ 12)",
            vec![
                ColumnTerm::input("discount_rate_per_year", "finance.discount_rate_per_year"),
                term("month"),
            ],
        )
        .note("what is paid over a month counts as paid at its end, a purchase at its beginning"),
    ]
}

/// The derivation of each part of each month, left out where that of an earlier month also gives this
/// month's amount. Paths begin with `result.cash_flow[0]`.
pub fn parts(case: &Case, pair: Pair, v: Values<'_>, places: Places<'_>) -> Vec<Derivation> {
    let flow = compare::flow(case, pair, v);
    let mut memory = [Vec::new(), Vec::new()];
    let [first, second] = &mut memory;
    let mut cloud = Run::new(&case.offers[pair.cloud], &case.need, v, flow, first);
    let mut local = Run::new(&case.offers[pair.local], &case.need, v, flow, second);
    let meanwhile = case.offers[pair.local].meanwhile();
    let mut all: Vec<Derivation> = Vec::new();
    // For each part, its last derivation that was written down.
    let mut last: Vec<usize> = Vec::new();
    for month in 0..case.need.horizon.min(MOST_MONTHS) {
        let mut of_cloud = Vec::new();
        let of_baseline = cloud.step(&mut of_cloud);
        let mut of_local = Vec::new();
        let of_other = local.step(&mut of_local);
        let mut found: Vec<Derivation> = of_cloud
            .into_iter()
            .filter_map(|d| renamed(d, "cloud", month, places.cloud, &of_baseline))
            .collect();
        found
            .extend(of_local.into_iter().filter_map(|d| renamed(d, "local", month, places.local, &of_other)));
        if month < meanwhile && matches!(case.offers[pair.local].supply, Supply::Machine(_)) {
            found.push(paid_meanwhile(month, &of_baseline));
            once_meanwhile(&mut found, month, &of_baseline);
        }
        for d in found {
            let column = column_of(&d.figure);
            let known = last.iter().position(|n: &usize| column_of(&all[*n].figure) == column);
            if known.is_some_and(|n| goes_on(&all[last[n]], &d)) {
                continue;
            }
            match known {
                Some(n) => last[n] = all.len(),
                None => last.push(all.len()),
            }
            all.push(d);
        }
    }
    all
}

/// The field of a row's figure, without the row.
fn column_of(figure: &str) -> &str {
    figure.split_once("].").map_or(figure, |(_, field)| field)
}

/// Does the derivation of an earlier month also explain this one? It does if the result is the same and the
/// terms differ only in figures of the row itself, such as its requests.
fn goes_on(earlier: &Derivation, d: &Derivation) -> bool {
    let same = |a: f64, b: f64| (a - b).abs() <= 1e-12 * a.abs();
    let of_the_row = |t: &Term| t.figure.as_ref().is_some_and(|f| f.starts_with("result.cash_flow["));
    same(earlier.value, d.value)
        || (earlier.formula == d.formula
            && earlier.terms.len() == d.terms.len()
            && earlier
                .terms
                .iter()
                .zip(&d.terms)
                .all(|(a, b)| (of_the_row(a) && of_the_row(b)) || same(a.value, b.value)))
}

/// A part of one month, under its name in the cash flow; `None` for parts that rows do not have.
fn renamed(d: Derivation, side: &str, month: u32, place: &str, step: &Step) -> Option<Derivation> {
    let row = format!("result.cash_flow[{month}]");
    let mut d = match d.figure.as_str() {
        "units" if side == "local" => in_service(d, step),
        "upfront_usd" => d,
        part if part.starts_with("monthly_parts_usd.") => d,
        _ => return None,
    };
    d.figure = match d.figure.as_str() {
        "units" => format!("{row}.local_units"),
        "upfront_usd" => format!("{row}.{side}_upfront_usd"),
        part => format!("{row}.{side}_parts_usd.{}", part.trim_start_matches("monthly_parts_usd.")),
    };
    for term in &mut d.terms {
        term.figure = term.figure.take().and_then(|figure| match figure.as_str() {
            "units" if side == "local" => Some(format!("{row}.local_units")),
            "seconds_per_request" => Some(format!("{place}.seconds_per_request")),
            "result.requests_per_month" => Some(format!("{row}.requests")),
            _ => None,
        });
    }
    Some(d)
}

/// The units of a month: as many as its load needs, or as there are already.
fn in_service(d: Derivation, step: &Step) -> Derivation {
    let units = f64::from(step.units);
    if (d.value - units).abs() < 0.5 {
        return d;
    }
    let terms = vec![Term::plain("in_service", units, "units"), Term::plain("needed", d.value, "units")];
    Derivation::new("units", units, "units", "max(in_service, needed)", terms)
        .note("what was bought, or is held by a commitment, stays when the load needs less")
}

/// What the baseline pays at the beginning of the month, the other side pays as well while it is awaited.
fn once_meanwhile(found: &mut Vec<Derivation>, month: u32, baseline: &Step) {
    let usd = baseline.upfront.get();
    if usd == 0.0 {
        return;
    }
    let row = format!("result.cash_flow[{month}]");
    let term = Term::figure("cloud_upfront_usd", usd, "USD", &format!("{row}.cloud_upfront_usd"));
    let figure = format!("{row}.local_upfront_usd");
    match found.iter_mut().find(|d| d.figure == figure) {
        Some(own) => {
            own.value += usd;
            own.formula = format!("{} + cloud_upfront_usd", own.formula);
            own.terms.push(term);
        }
        None => found.push(
            Derivation::new(&figure, usd, "USD", "cloud_upfront_usd", vec![term])
                .note("the other side uses the baseline until it works"),
        ),
    }
}

/// Until the hardware works, and while both run, the baseline is paid as well.
fn paid_meanwhile(month: u32, baseline: &Step) -> Derivation {
    let figure = |name: &str| format!("result.cash_flow[{month}].{name}");
    let (running, upfront) = (baseline.parts.total().get(), baseline.upfront.get());
    let terms = vec![
        Term::figure("cloud_usd", running + upfront, "USD", &figure("cloud_usd")),
        Term::figure("cloud_upfront_usd", upfront, "USD", &figure("cloud_upfront_usd")),
    ];
    Derivation::new(&figure("local_parts_usd.api"), running, "USD", "cloud_usd − cloud_upfront_usd", terms)
        .note("until the hardware works, and while both run, the baseline is paid as well")
}
