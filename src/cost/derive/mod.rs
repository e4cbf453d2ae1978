//! How the figures of a comparison and of a split are derived, from values that the engine kept when it
//! computed them. Names of figures are relative to the comparison; names that begin with `result.` are
//! relative to the document.

mod months;
mod whole;

pub use months::{columns, parts};
pub use whole::{each, load, odds, overflow, tornado};

use super::case::{Case, Pair, Supply, Values};
use super::compare::{self, BreakEven, Outcome, SavingEnd, Turn};
use super::hybrid::Routed;
use crate::terms::{Derivation, Term};

/// Paths of the two sides of a comparison in the document: `result.cloud[0]`, `result.local[0]`.
#[derive(Debug, Clone, Copy)]
pub struct Places<'a> {
    /// The baseline.
    pub cloud: &'a str,
    /// The offer that is compared with it.
    pub local: &'a str,
}

/// Derivations of the figures of a comparison.
pub fn comparison(
    case: &Case,
    pair: Pair,
    v: Values<'_>,
    (outcome, found): (&Outcome, &BreakEven),
    places: Places<'_>,
) -> Vec<Derivation> {
    let mut all = totals(outcome, compare::paid_meanwhile(case, pair, v).get(), places);
    all.extend(payback("payback_months", outcome.seen.turn, "the position"));
    all.extend(payback("discounted_payback_months", outcome.seen.discounted_turn, "the discounted position"));
    all.extend(best(outcome));
    all.extend(break_even(case, pair, v, (outcome, found), places));
    all
}

fn totals(outcome: &Outcome, meanwhile: f64, places: Places<'_>) -> Vec<Derivation> {
    let total = |name: &str, usd: f64, place: &str| {
        let figure = format!("{place}.tco_usd");
        let terms = vec![Term::figure("total", usd, "USD", &figure)];
        Derivation::new(name, usd, "USD", "total", terms).note("everything the offer costs up to the horizon")
    };
    let (cloud, local) = (outcome.tco_cloud.get(), outcome.tco_local.get());
    let at = outcome.seen.horizon;
    let own = if meanwhile == 0.0 {
        total("tco_local_usd", local, places.local)
    } else {
        let terms = vec![
            Term::figure("total", local - meanwhile, "USD", &format!("{}.tco_usd", places.local)),
            Term::plain("baseline_meanwhile", meanwhile, "USD"),
        ];
        Derivation::new("tco_local_usd", local, "USD", "total + baseline_meanwhile", terms).note(
            "everything the offer costs up to the horizon, and what the baseline is paid until it works and while both run",
        )
    };
    vec![
        total("tco_cloud_usd", cloud, places.cloud),
        own,
        Derivation::new(
            "saving_usd",
            cloud - local,
            "USD",
            "baseline − other_side",
            vec![
                Term::figure("baseline", cloud, "USD", "tco_cloud_usd"),
                Term::figure("other_side", local, "USD", "tco_local_usd"),
            ],
        )
        .note("over the horizon, not discounted"),
        Derivation::new(
            "npv_saving_usd",
            outcome.npv.get(),
            "USD",
            "discounted_position + (left_to_other_side − left_to_baseline) × worth",
            vec![
                Term::plain("discounted_position", at.position, "USD"),
                Term::plain("left_to_other_side", at.local_left, "USD"),
                Term::plain("left_to_baseline", at.cloud_left, "USD"),
                Term::plain("worth", at.worth, "x"),
            ],
        )
        .note(
            "the position at the horizon with each month discounted, and what is left then: residual value less what is owed; worth is that of one dollar of the last day",
        ),
    ]
}

/// The month of the payback, and the point within it.
fn payback(figure: &str, turn: Option<Turn>, what: &str) -> Option<Derivation> {
    let turn = turn?;
    let months = Term::plain("whole_months", turn.months, "months");
    if turn.missing == 0.0 {
        return Some(
            Derivation::new(figure, turn.months, "months", "whole_months", vec![months])
                .note(format!("{what} is positive from the beginning of the month that follows")),
        );
    }
    let terms = vec![
        months,
        Term::plain("missing", turn.missing, "USD"),
        Term::plain("month_saves", turn.saving, "USD/month"),
    ];
    let value = turn.months + turn.missing / turn.saving;
    Some(Derivation::new(figure, value, "months", "whole_months + missing ÷ month_saves", terms).note(
        format!(
            "when {what} turns positive: it starts at minus what is bought and grows by what each month saves"
        ),
    ))
}

/// The month in which the saving ends.
fn best(outcome: &Outcome) -> Vec<Derivation> {
    let (Some((months, position)), Some(end)) = (outcome.best, outcome.seen.end) else { return Vec::new() };
    let note = "where falling or changing prices end the monthly saving; from there on the lead shrinks";
    let at = match end {
        SavingEnd::Shrinks { month, last, next } => Derivation::new(
            "best_point_months",
            months,
            "months",
            "last_month − 0.5 + it_saves ÷ (it_saves − next_saves)",
            vec![
                Term::plain("last_month", month, "months"),
                Term::plain("it_saves", last, "USD"),
                Term::plain("next_saves", next, "USD"),
            ],
        ),
        SavingEnd::Changes => Derivation::new(
            "best_point_months",
            months,
            "months",
            "last_month",
            vec![Term::plain("last_month", months, "months")],
        ),
    };
    let position = position.get();
    let terms = vec![Term::plain("position", position, "USD")];
    vec![at.note(note), Derivation::new("best_point_usd", position, "USD", "position", terms).note(note)]
}

fn break_even(
    case: &Case,
    pair: Pair,
    v: Values<'_>,
    (outcome, found): (&Outcome, &BreakEven),
    places: Places<'_>,
) -> Vec<Derivation> {
    let tokens = case.need.tokens(v).total().get();
    let (cloud, local) = (outcome.tco_cloud.get(), outcome.tco_local.get());
    let both = || {
        vec![
            Term::figure("baseline", cloud, "USD", "tco_cloud_usd"),
            Term::figure("other_side", local, "USD", "tco_local_usd"),
        ]
    };
    let mut all = Vec::new();
    if let Some(requests) = found.requests {
        let requests = requests.get();
        all.push(
            Derivation::new("breakeven_requests_per_month", requests, "requests/month", "", both()).note(
                "the smallest volume at which the other side costs no more over the horizon: same request, same growth, units bought as the peak needs them; found by halving an interval over the simulation. At the volume of the need the two cost what stands here",
            ),
        );
        let terms = vec![
            Term::figure("requests", requests, "requests/month", "breakeven_requests_per_month"),
            Term::plain("tokens_of_a_request", tokens, "tokens"),
        ];
        let value = requests * tokens;
        all.push(Derivation::new(
            "breakeven_tokens_per_month",
            value,
            "tokens/month",
            "requests × tokens_of_a_request",
            terms,
        ));
        all.extend(busy(case, pair, v, requests, found.utilisation));
    }
    if let (Some(price), Supply::Api(api)) = (found.price, &case.offers[pair.cloud].supply) {
        let today = api.request_price(0, &case.need, v).get() / tokens * 1e6;
        let mut terms = both();
        let figure = format!("{}.usd_per_mtok_blended", places.cloud);
        terms.insert(0, Term::figure("price", today, "USD/Mtok", &figure));
        let (formula, note) = match price.free {
            Some((baseline, other_side)) => {
                terms.push(Term::plain("baseline_at_0", baseline.get(), "USD"));
                terms.push(Term::plain("other_side_at_0", other_side.get(), "USD"));
                (
                    "price × (other_side_at_0 − baseline_at_0) ÷ ((baseline − baseline_at_0) − (other_side − other_side_at_0))",
                    "all prices per token of the baseline scaled alike; what it costs with all of them at 0 (people, fees, what is paid once) stays, and so does what the other side pays it meanwhile",
                )
            }
            None => (
                "",
                "all prices per token of the baseline scaled alike; found by halving an interval over the simulation, since credits, a minimum or a discount bend its bill. At the prices of the need the two cost what stands here",
            ),
        };
        all.push(
            Derivation::new(
                "breakeven_blended_usd_per_mtok",
                price.blended.get(),
                "USD/Mtok",
                formula,
                terms,
            )
            .note(note),
        );
    }
    all
}

/// The busy share of the hardware at the break-even volume.
fn busy(case: &Case, pair: Pair, v: Values<'_>, requests: f64, share: Option<f64>) -> Option<Derivation> {
    let Supply::Machine(machine) = &case.offers[pair.local].supply else { return None };
    let now = compare::flow(case, pair, v).requests.get();
    let scale = requests / now.max(f64::MIN_POSITIVE);
    let flow = super::simulate::Flow { requests: crate::units::Requests::new(requests), scale };
    let units = compare::first_units(case, machine, v, flow);
    let work = machine.work(&case.need, v)?.get();
    let hours = v.get(machine.service_hours);
    let hours: crate::units::Hours = hours;
    let terms = vec![
        Term::figure("requests", requests, "requests/month", "breakeven_requests_per_month"),
        Term::plain("work_of_a_request", work, "s"),
        Term::plain("units", f64::from(units), "units"),
        Term::plain("hours", hours.get(), "hours/month"),
    ];
    let formula = "requests × work_of_a_request ÷ (units × hours × 3600)";
    Some(Derivation::new("breakeven_utilisation", share?, "share", formula, terms))
}

/// Derivations of the figures of a routed split; names are relative to it.
pub fn routed(routed: &Routed) -> Vec<Derivation> {
    let usd = |name: &str, value: f64, figure: &str, note: &str| {
        let term = match figure {
            "" => Term::plain("total", value, "USD"),
            figure => Term::figure("total", value, "USD", figure),
        };
        Derivation::new(name, value, "USD", "total", vec![term]).note(note)
    };
    let shares = || {
        vec![
            Term::input("local_share", routed.local_share, "share", "hybrid.local_share"),
            Term::input("escalation_share", routed.escalation, "share", "hybrid.escalation_share"),
        ]
    };
    let same = |name: &str, value: f64| {
        let input = format!("hybrid.{name}");
        Derivation::new(name, value, "share", name, vec![Term::input(name, value, "share", &input)])
    };
    let sides = "a share of the requests goes to the local side first, and of those a share on to the API, paid twice; both sides are simulated at their part of the load";
    let units = f64::from(routed.units);
    let mut all = vec![
        same("local_share", routed.local_share),
        same("escalation_share", routed.escalation),
        Derivation::new(
            "cloud_share",
            1.0 - routed.local_share + routed.local_share * routed.escalation,
            "share",
            "1 − local_share + local_share × escalation_share",
            shares(),
        ),
        usd(
            "tco_cloud_only_usd",
            routed.tco_cloud_only.get(),
            "result.comparisons[0].tco_cloud_usd",
            "the API alone",
        ),
        usd(
            "tco_local_only_usd",
            routed.tco_local_only.get(),
            "result.comparisons[0].tco_local_usd",
            "the hardware alone",
        ),
        usd("tco_usd", routed.outcome.tco_local.get(), "", sides),
    ];
    let terms = vec![Term::plain("units_for_its_peak", units, "units")];
    all.push(
        Derivation::new("units", units, "units", "units_for_its_peak", terms)
            .note("the peak that is left to the local side decides how many"),
    );
    let each = routed.capex.get() / units.max(1.0);
    let terms = vec![Term::figure("units", units, "units", "units"), Term::plain("each", each, "USD")];
    all.push(Derivation::new("capex_usd", routed.capex.get(), "USD", "units × each", terms));
    let monthly = routed.monthly.get();
    let terms = vec![Term::plain("first_month", monthly, "USD/month")];
    all.push(Derivation::new("monthly_usd", monthly, "USD/month", "first_month", terms).note(sides));
    all.extend(payback(
        "payback_months",
        routed.outcome.seen.turn,
        "the position of the split against the API alone",
    ));
    all
}
