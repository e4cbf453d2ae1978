//! How figures are derived that belong to no single offer or comparison: the load, the odds, the bars of
//! the tornado, and overflow.

use crate::cost::case::{Case, Machine, Shape, Supply, Values, Volume};
use crate::cost::hybrid::Overflow;
use crate::cost::uncertainty::{ASSUMED_SWING, Bar, Draws};
use crate::terms::{Column, ColumnTerm, Derivation, Term};
use crate::units::{Requests, Tokens};

/// Derivations of the load and of the conventions, relative to `result`. Requests and tokens are those of
/// the first month of the headline.
pub fn load(case: &Case, v: Values<'_>, requests: Option<Requests>, tokens: Tokens) -> Vec<Derivation> {
    let need = &case.need;
    let horizon = f64::from(need.horizon);
    let rate = case.finance.currency.per_usd();
    let mut all = vec![
        Derivation::new(
            "usd_rate",
            rate,
            "per USD",
            "usd_rate",
            vec![match case.input("finance.usd_rate") {
                Some(input) => Term::input("usd_rate", rate, "per USD", &input.name),
                None => Term::plain("usd_rate", rate, "per USD"),
            }],
        )
        .note("units of the currency of the report for one USD: 1 where that is USD"),
        Derivation::new(
            "hours_per_month",
            v.get(need.hours).get(),
            "hours",
            "hours_per_month",
            vec![v.term("hours_per_month", need.hours)],
        ),
        Derivation::new(
            "horizon_months",
            horizon,
            "months",
            "horizon_months",
            vec![Term::input("horizon_months", horizon, "months", "need.horizon_months")],
        ),
    ];
    let factor = v.term("volume_factor", need.volume_factor);
    let of_request = need.tokens(v).total();
    let machine = case.pairs.first().and_then(|p| match &case.offers[p.local].supply {
        Supply::Machine(machine) => Some(machine.as_ref()),
        Supply::Api(_) => None,
    });
    if let Some(requests) = requests {
        let (formula, terms) = match need.volume {
            Volume::Requests(slot) => {
                ("requests_per_month × volume_factor", vec![v.term("requests_per_month", slot), factor])
            }
            Volume::Tokens(slot) => (
                "tokens_per_month ÷ tokens_of_a_request × volume_factor",
                vec![
                    v.term("tokens_per_month", slot),
                    Term::plain("tokens_of_a_request", of_request.get(), "tokens"),
                    factor,
                ],
            ),
            Volume::AtCapacity => ("capacity × ceiling", at_capacity(case, machine, v)),
        };
        all.push(Derivation::new("requests_per_month", requests.get(), "requests/month", formula, terms));
    }
    let (formula, terms) = match (need.shape, requests) {
        (Shape::PerRequest { input, output, reasoning }, Some(requests)) => (
            "requests × (input_tokens + output_tokens + reasoning_tokens)",
            vec![
                Term::figure("requests", requests.get(), "requests/month", "requests_per_month"),
                v.term("input_tokens", input),
                v.term("output_tokens", output),
                v.term("reasoning_tokens", reasoning),
            ],
        ),
        _ if let Volume::Tokens(slot) = need.volume => (
            "tokens_per_month × volume_factor",
            vec![v.term("tokens_per_month", slot), v.term("volume_factor", need.volume_factor)],
        ),
        _ => {
            let mut terms = at_capacity(case, machine, v);
            terms.push(Term::plain("tokens_of_a_request", of_request.get(), "tokens"));
            ("capacity × ceiling × tokens_of_a_request", terms)
        }
    };
    all.push(Derivation::new("tokens_per_month", tokens.get(), "tokens/month", formula, terms));
    all.into_iter().map(|d| d.below("result")).collect()
}

/// Terms for the volume that the hardware can serve, up to its ceiling.
fn at_capacity(case: &Case, machine: Option<&Machine>, v: Values<'_>) -> Vec<Term> {
    let Some(machine) = machine else { return Vec::new() };
    let units = machine.units.unwrap_or(1);
    let capacity = machine.capacity(&case.need, v, units).map_or(0.0, Requests::get);
    vec![
        Term::plain("capacity", capacity, "requests/month"),
        Term::plain("ceiling", machine.ceiling_of(units, v), "share"),
    ]
}

/// Derivations of the cost of a request, and of a request whose answer passes, relative to an offer.
/// `month` is the cost of the first month in US dollars, `amortised` the part of the purchase that is added
/// to it, and `requests` are the requests of that month.
pub fn each(month: f64, amortised: Option<f64>, requests: f64, pass_rate: Option<f64>) -> Vec<Derivation> {
    let mut terms = vec![Term::figure("month", month, "USD", "monthly_usd")];
    terms.extend(amortised.map(|usd| Term::figure("amortised", usd, "USD", "amortised_usd_per_month")));
    let cost = if amortised.is_some() { "(month + amortised)" } else { "month" };
    terms.push(Term::figure("requests", requests, "requests/month", "result.requests_per_month"));
    let usd = (month + amortised.unwrap_or(0.0)) / requests;
    let formula = format!("{cost} ÷ requests");
    let mut all = Vec::new();
    if requests <= 0.0 {
        return all;
    }
    // Where no answer passes, there is no cost of one that does.
    if let Some(rate) = pass_rate.filter(|rate| *rate > 0.0) {
        let mut terms = terms.clone();
        terms.push(Term::figure("pass_rate", rate, "share", "pass_rate"));
        let formula = format!("{formula} ÷ pass_rate");
        all.push(Derivation::new("usd_per_successful_request", usd / rate, "USD", &formula, terms));
    }
    if amortised.is_none() {
        all.push(Derivation::new("usd_per_request", usd, "USD", &formula, terms));
    }
    all
}

/// Derivations of the odds, relative to `result.uncertainty`.
pub fn odds(draws: &Draws) -> Vec<Derivation> {
    let count = f64::from(draws.count);
    let of_draws = || {
        vec![
            Term::figure("draws", count, "draws", "draws"),
            Term::figure("seed", draws.seed as f64, "", "seed"),
        ]
    };
    let note = "each range is drawn from a triangle (low, likely, high), independently of the others, and each draw runs the whole simulation";
    let mut terms = vec![Term::plain("cheaper", (draws.local_cheaper * count).round(), "draws")];
    terms.extend(of_draws());
    let mut all = vec![
        Derivation::new("probability_local_cheaper", draws.local_cheaper, "share", "cheaper ÷ draws", terms)
            .note(format!("{note}; cheaper counts those in which the other side costs less by the horizon")),
    ];
    for (months, percent) in draws.payback.iter().zip([10, 50, 90]) {
        let Some(months) = months else { continue };
        all.push(
            Derivation::new(&format!("payback_p{percent}"), *months, "months", "", of_draws()).note(format!(
                "{note}; the paybacks in order, those that never come last: the one at {percent} % of them, by nearest rank"
            )),
        );
    }
    all.into_iter().map(|d| d.below("result.uncertainty")).collect()
}

/// Derivations of the ends of the bars, and the rule that holds for all bars.
pub fn tornado(case: &Case, bars: &[Bar]) -> (Vec<Derivation>, Vec<Column>) {
    let mut ends = Vec::new();
    for (n, bar) in bars.iter().enumerate() {
        let input = &case.inputs[case.slot_inputs[bar.slot]];
        let likely = case.ranges[bar.slot].likely;
        for (name, value, factor) in
            [("low", bar.low, 1.0 - ASSUMED_SWING), ("high", bar.high, 1.0 + ASSUMED_SWING)]
        {
            let figure = format!("result.uncertainty.tornado[{n}].{name}");
            ends.push(if !bar.assumed {
                let end = format!("{name}_end");
                let terms = vec![Term::input(&end, value, input.unit, &input.name)];
                Derivation::new(&figure, value, input.unit, &end, terms)
            } else if (likely * factor - value).abs() <= 1e-9 * value.abs() {
                let terms = vec![
                    Term::input("likely", likely, input.unit, &input.name),
                    Term::plain("factor", factor, "x"),
                ];
                Derivation::new(&figure, value, input.unit, "likely × factor", terms)
                    .note("no input has a range: each is taken a fifth down and up")
            } else {
                let terms = vec![Term::plain("limit", value, input.unit)];
                Derivation::new(&figure, value, input.unit, "limit", terms)
                    .note("a fifth down or up would leave what the input may be")
            });
        }
    }
    let of = |field: &str| format!("result.uncertainty.tornado[].{field}");
    let term = |name: &str| ColumnTerm::figure(name, &of(name));
    let at = |field: &str, end: &str| {
        let likely = ColumnTerm::figure("saving_usd", "result.comparisons[0].saving_usd");
        Column::new(&of(field), "USD", "", vec![likely, term(end)])
            .note(format!("saving_usd of the first comparison, computed again with this one input at its {end} end and the others likely"))
    };
    let swing = Column::new(
        &of("swing_usd"),
        "USD",
        "max(saving_at_high_usd, saving_at_low_usd) − min(saving_at_high_usd, saving_at_low_usd)",
        vec![term("saving_at_high_usd"), term("saving_at_low_usd")],
    );
    let columns = vec![at("saving_at_low_usd", "low"), at("saving_at_high_usd", "high"), swing];
    (ends, if bars.is_empty() { Vec::new() } else { columns })
}

/// Derivations of the overflow split: the number of units that was chosen, and the rules for all that were
/// tried.
pub fn overflow(found: &Overflow) -> (Vec<Derivation>, Vec<Column>) {
    let best = found.options.iter().position(|o| o.units == found.best.units).unwrap_or(0);
    let of = |field: &str| format!("result.hybrid.overflow.options[].{field}");
    let of_best = |field: &str| format!("result.hybrid.overflow.options[{best}].{field}");
    let note = format!("of {} numbers of units tried, the one with the lowest total", found.options.len());
    let chosen = |name: &str, value: f64, unit: &str, field: &str| {
        let terms = vec![Term::figure(field, value, unit, &of_best(field))];
        Derivation::new(&format!("result.hybrid.overflow.{name}"), value, unit, field, terms)
            .note(note.clone())
    };
    let best = vec![
        chosen("best_units", f64::from(found.best.units), "units", "units"),
        chosen("tco_usd", found.best.tco.get(), "USD", "tco_usd"),
    ];
    let term = |name: &str| ColumnTerm::figure(name, &of(name));
    let worded = |field: &str, unit: &str, note: &str| {
        Column::new(&of(field), unit, "", vec![term("units")]).note(note)
    };
    let hours = "in each hour of the week (hybrid.profile) the units serve what they can below their ceiling, and the API the rest";
    let columns = vec![
        worded("units", "units", "the number tried; 0 is the API alone"),
        worded("local_share", "share", hours),
        worded("cloud_usd", "USD", "what the API charges over the horizon for its part of every month"),
        worded("local_usd", "USD", "what the units cost over the horizon at their part of every month"),
        worded("left_usd", "USD", "what is left at the horizon: residual value less what is owed"),
        Column::new(
            &of("tco_usd"),
            "USD",
            "cloud_usd + local_usd − left_usd",
            ["cloud_usd", "local_usd", "left_usd"].map(term).to_vec(),
        ),
    ];
    (best, columns)
}
