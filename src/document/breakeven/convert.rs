//! Results of the cost engine → the types of the breakeven document.

use super::{
    BreakevenDocument, BreakevenResult, CashFlowMonth, CloudOffer, Comparator, Comparison, EventRow, Hybrid,
    LocalOffer, Overflow, OverflowOption, RoutedSplit, SCHEMA, SkippedEntry, TornadoBar, TurningPoint,
    Uncertainty, VolumeWindow, series, text,
};
use crate::cost::case::Payment;
use crate::cost::simulate::Parts;
use crate::cost::{
    self, BreakEven, Case, Evaluation, Never, OfferSummary, Outcome, Pair, Ranking, Role, Supply, Values,
    evaluate::Comparison as EngineComparison,
};
use crate::document::envelope::Input;
use crate::document::plan::PlanRow;
use crate::provenance::Source;
use crate::terms::{Column, Derivation};
use crate::units::{Hours, Requests, Tokens};
use jiff::ToSpan as _;
use std::collections::{BTreeMap, BTreeSet};

/// The most bars of the tornado that the document keeps.
const MOST_BARS: usize = 20;

impl From<Role> for Comparator {
    fn from(role: Role) -> Self {
        match role {
            Role::Asked => Self::Asked,
            Role::SameModel => Self::SameModel,
            Role::RentedGpu => Self::RentedGpu,
            Role::AsCapable => Self::AsCapable,
        }
    }
}

impl BreakevenDocument {
    /// The document of a ranking of every API model against every hardware, with the pairs that a reader
    /// looks at.
    pub fn ranking(
        case: &Case,
        ranking: &Ranking,
        skipped: &[cost::Skipped],
        drawing: cost::Drawing,
        created: &str,
    ) -> Self {
        let row = |(n, row): (usize, &cost::ranking::Row)| {
            let break_even = ranking.break_even.get(&n).cloned().unwrap_or_default();
            comparison(case, row.pair, &row.outcome, &break_even, row.local_cheaper)
        };
        let comparisons: Vec<Comparison> = ranking.rows.iter().enumerate().map(row).collect();
        let mut result = BreakevenResult::new(case, &ranking.offers, comparisons);
        result.ranking = true;
        result.draws = case.uncertain.then_some(drawing.count);
        result.pairs = ranking.pairs as u64;
        result.pairs_local_cheaper = ranking.local_cheaper as u64;
        result.skipped =
            skipped.iter().map(|s| SkippedEntry { id: s.id.clone(), why: s.why.clone() }).collect();
        result.summary = text::ranking_summary(case, &result);
        // The inputs of hundreds of offers only repeat the catalogue; what was given or assumed for all of
        // them stays.
        let echoed = case.inputs.iter().filter(|i| !i.name.starts_with("all."));
        Self::of(case, echoed, case.notices.iter(), result, created)
    }

    /// The document of a case and its evaluation. `created` is RFC 3339.
    pub fn new(case: &Case, evaluation: &Evaluation, created: &str) -> Self {
        let comparisons = evaluation
            .comparisons
            .iter()
            .map(|c| comparison(case, c.pair, &c.outcome, &c.break_even, None))
            .collect();
        let mut result = BreakevenResult::new(case, &evaluation.offers, comparisons);
        result.hybrid = hybrid(case, evaluation);
        result.uncertainty = uncertainty(case, evaluation);
        result.cash_flow = evaluation.comparisons.iter().flat_map(|c| cash_flow(case, c)).collect();
        (result.derivations, result.columns) = derivations(case, evaluation, &result);
        result.cumulative = series::cumulative(case, evaluation);
        let per_request = matches!(case.need.shape, cost::case::Shape::PerRequest { .. });
        result.by_volume = evaluation.by_volume.as_ref().map(|v| series::by_volume(case, v, per_request));
        result.summary = text::summary(case, &result);
        let notices = case.notices.iter().chain(&evaluation.notices);
        Self::of(case, case.inputs.iter(), notices, result, created)
    }

    fn of<'a>(
        case: &'a Case,
        inputs: impl Iterator<Item = &'a cost::case::InputRecord>,
        notices: impl Iterator<Item = &'a cost::Notice>,
        result: BreakevenResult,
        created: &str,
    ) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            created: created.to_owned(),
            inputs: inputs
                .map(|i| (i.name.clone(), Input::given(&i.value, i.unit, i.source.clone())))
                .collect(),
            result,
            warnings: notices.map(|n| text::warning(n, &case.finance.currency)).collect(),
        }
    }
}

impl BreakevenResult {
    /// The fields that every breakeven document has; all others are empty.
    fn new(case: &Case, summaries: &[OfferSummary], comparisons: Vec<Comparison>) -> Self {
        let likely = case.likely();
        let v = Values::of(&likely);
        let hours: Hours = v.get(case.need.hours);
        let head = case.pairs.first().copied();
        let first = head.and_then(|p| summaries.iter().find(|o| o.offer == p.local));
        let oldest =
            case.inputs.iter().filter(|i| i.unit.starts_with("USD")).filter_map(|i| i.source.as_of()).min();
        let per_request = matches!(case.need.shape, cost::case::Shape::PerRequest { .. });
        let (mut baselines, mut compared) = (BTreeSet::new(), BTreeSet::new());
        for pair in &case.pairs {
            baselines.insert(pair.cloud);
            compared.insert(pair.local);
        }
        let is_local = |o: &&OfferSummary| {
            matches!(case.offers[o.offer].supply, Supply::Machine(_))
                && (compared.contains(&o.offer)
                    || !baselines.contains(&o.offer)
                    || is_rented_local(case, o.offer))
        };
        let is_cloud =
            |o: &&OfferSummary| matches!(case.offers[o.offer].supply, Supply::Api(_)) || !is_local(o);
        Self {
            today: None,
            summary: Vec::new(),
            currency: case.finance.currency.code().to_owned(),
            usd_rate: case.finance.currency.per_usd(),
            hours_per_month: hours.get(),
            horizon_months: case.need.horizon,
            start: case.need.start.strftime("%Y-%m").to_string(),
            oldest_price: oldest.map(|d| d.to_string()),
            requests_per_month: first.filter(|_| per_request).map(|o| o.requests_per_month),
            tokens_per_month: first.map_or(0.0, |o| o.tokens_per_month),
            pairs: comparisons.len() as u64,
            pairs_local_cheaper: comparisons.iter().filter(|c| c.saving_usd > 0.0).count() as u64,
            comparisons,
            local: summaries.iter().filter(is_local).map(|o| local(case, o)).collect(),
            cloud: summaries.iter().filter(is_cloud).map(|o| cloud(case, o, per_request)).collect(),
            hybrid: None,
            uncertainty: None,
            ranking: false,
            draws: None,
            skipped: Vec::new(),
            cash_flow: Vec::new(),
            derivations: Vec::new(),
            columns: Vec::new(),
            cumulative: Vec::new(),
            by_volume: None,
        }
    }
}

/// Is this cloud offer a rented `[[local]]`? Such an offer stays in the list of local ones even where it
/// serves as the baseline.
fn is_rented_local(case: &Case, offer: usize) -> bool {
    case.inputs.iter().any(|i| i.name.starts_with("local")) && case.local_offers.contains(&offer)
}

fn comparison(
    case: &Case,
    pair: Pair,
    o: &Outcome,
    break_even: &BreakEven,
    local_cheaper: Option<f64>,
) -> Comparison {
    let (cloud, local) = (&case.offers[pair.cloud], &case.offers[pair.local]);
    let per_request = matches!(case.need.shape, cost::case::Shape::PerRequest { .. });
    let money = &case.finance.currency;
    let likely = case.likely();
    let tokens = case.need.tokens(Values::of(&likely)).total().get();
    Comparison {
        cloud: cloud.name.clone(),
        local: local.name.clone(),
        comparator: if cloud.role == Role::Asked { local.role.into() } else { cloud.role.into() },
        payback_months: o.payback,
        never_because: o.never.map(|n| text::never(n, money)),
        never_reason: o.never.map(|n| {
            match n {
                Never::RunningCost { .. } => "running-cost",
                Never::SavingEnds { .. } => "saving-ends",
                Never::Replacements { .. } => "replacements",
                Never::TooFar { .. } => "too-far",
            }
            .to_owned()
        }),
        discounted_payback_months: o.discounted_payback,
        tco_cloud_usd: o.tco_cloud.get(),
        tco_local_usd: o.tco_local.get(),
        saving_usd: (o.tco_cloud - o.tco_local).get(),
        npv_saving_usd: o.npv.get(),
        breakeven_requests_per_month: break_even.requests.filter(|_| per_request).map(f64::from),
        breakeven_tokens_per_month: break_even.tokens_per_month,
        breakeven_windows: break_even
            .windows
            .iter()
            .map(|(from, to)| VolumeWindow {
                from_tokens_per_month: from.get() * tokens,
                to_tokens_per_month: to.map(|to| to.get() * tokens),
                from_requests_per_month: per_request.then_some(from.get()),
                to_requests_per_month: to.filter(|_| per_request).map(f64::from),
            })
            .collect(),
        breakeven_utilisation: break_even.utilisation,
        breakeven_blended_usd_per_mtok: break_even.price.map(|p| f64::from(p.blended)),
        best_point_months: o.best.map(|b| b.0),
        best_point_usd: o.best.map(|b| b.1.get()),
        probability_local_cheaper: local_cheaper,
        quality_note: text::quality(cloud, local),
    }
}

fn parts_map(parts: &Parts, keep: impl Fn(&str) -> bool) -> BTreeMap<String, f64> {
    parts
        .named()
        .into_iter()
        .filter(|(name, usd)| usd.get() != 0.0 || keep(name))
        .map(|(name, usd)| (name.to_owned(), usd.get()))
        .collect()
}

/// Cost of a month ÷ its requests whose answers pass, US dollars.
fn successful(case: &Case, s: &OfferSummary, monthly: f64) -> Option<f64> {
    let per_request = matches!(case.need.shape, cost::case::Shape::PerRequest { .. });
    let (rate, _) = case.offers[s.offer].pass_rate.as_ref()?;
    let passing = s.requests_per_month * rate;
    (per_request && passing > 0.0).then(|| monthly / passing)
}

fn local(case: &Case, s: &OfferSummary) -> LocalOffer {
    let offer = &case.offers[s.offer];
    let (kind, rented) = match &offer.supply {
        Supply::Machine(m) => match &m.payment {
            Payment::Rented { .. } => ("rented", true),
            Payment::Bought { loan: Some(_), .. } => ("financed", false),
            Payment::Bought { .. } => ("owned", false),
        },
        Supply::Api(_) => ("api", false),
    };
    LocalOffer {
        name: offer.name.clone(),
        id: offer.id.clone(),
        kind: kind.to_owned(),
        comparator: offer.role.into(),
        model: offer.open_model.clone(),
        tier: offer.tier,
        units: s.units.unwrap_or(0),
        units_at_horizon: s.units_at_horizon.unwrap_or(0),
        capex_usd: s.capex.get(),
        monthly_usd: s.parts.total().get(),
        monthly_parts_usd: parts_map(&s.parts, |name| match name {
            "power" | "staff" => !rented,
            "rent" => rented,
            _ => false,
        }),
        amortised_usd_per_month: s.amortised.get(),
        residual_usd: s.closing.residual.get(),
        still_owed_usd: s.closing.owed.get(),
        tco_usd: s.tco.get(),
        capacity_tokens_per_month: s.capacity_tokens,
        utilisation: s.utilisation,
        usd_per_mtok_input: s.input_price.map(f64::from),
        usd_per_mtok_output: s.output_price.map(f64::from),
        usd_per_mtok_blended: s.blended_price.map(f64::from),
        pass_rate: offer.pass_rate.as_ref().map(|p| p.0),
        pass_rate_source: offer.pass_rate.as_ref().map(|p| p.1.clone()),
        usd_per_successful_request: successful(case, s, s.parts.total().get() + s.amortised.get()),
        billed_hours_per_month: s.billed_hours.map(f64::from),
        total_upfront_usd: s.total.upfront.get(),
        total_parts_usd: parts_map(&s.total.parts, |_| false),
        events: events(case, s),
        plan: plan_of(case, s, !s.derived.is_empty()),
    }
}

fn cloud(case: &Case, s: &OfferSummary, per_request: bool) -> CloudOffer {
    let offer = &case.offers[s.offer];
    let monthly = s.parts.total().get();
    CloudOffer {
        name: offer.name.clone(),
        id: offer.id.clone(),
        comparator: offer.role.into(),
        tier: offer.tier,
        monthly_usd: monthly,
        monthly_parts_usd: parts_map(&s.parts, |_| false),
        tco_usd: s.tco.get(),
        usd_per_request: (per_request && s.requests_per_month > 0.0).then(|| monthly / s.requests_per_month),
        usd_per_mtok_input: s.input_price.map(f64::from),
        usd_per_mtok_output: s.output_price.map(f64::from),
        usd_per_mtok_blended: s.blended_price.map(f64::from),
        pass_rate: offer.pass_rate.as_ref().map(|p| p.0),
        pass_rate_source: offer.pass_rate.as_ref().map(|p| p.1.clone()),
        usd_per_successful_request: successful(case, s, monthly),
        billed_hours_per_month: s.billed_hours.map(f64::from),
        units: s.units,
        events: events(case, s),
        retires: case.notices.iter().find_map(|n| match n {
            cost::Notice::ModelRetires { offer: name, day } if *name == offer.name => Some(day.to_string()),
            _ => None,
        }),
    }
}

/// How every figure of the offers is computed, by its path in the result, and how the rows of lists are
/// computed.
fn derivations(
    case: &Case,
    evaluation: &Evaluation,
    result: &BreakevenResult,
) -> (Vec<Derivation>, Vec<Column>) {
    let place = |offer: usize| {
        let name = &case.offers[offer].name;
        let local = result.local.iter().position(|l| l.name == *name).map(|n| format!("result.local[{n}]"));
        let cloud =
            || result.cloud.iter().position(|c| c.name == *name).map(|n| format!("result.cloud[{n}]"));
        local.or_else(cloud)
    };
    let likely = case.likely();
    let v = case.values(&likely);
    let requests = result.requests_per_month.map(Requests::new);
    let mut all = cost::derive::load(case, v, requests, Tokens::new(result.tokens_per_month));
    for s in &evaluation.offers {
        let Some(path) = place(s.offer) else { continue };
        all.extend(s.derived.iter().map(|d| d.clone().below(&path)));
        if requests.is_some() && s.requests_per_month > 0.0 {
            // Only one's own hardware has a purchase that is spread over its life.
            let amortised = path.starts_with("result.local").then_some(s.amortised.get());
            let rate = case.offers[s.offer].pass_rate.as_ref().map(|(rate, _)| *rate);
            let each = cost::derive::each(s.parts.total().get(), amortised, s.requests_per_month, rate);
            all.extend(each.into_iter().map(|d| d.below(&path)));
        }
    }
    for (n, c) in evaluation.comparisons.iter().enumerate() {
        let (Some(cloud), Some(local)) = (place(c.pair.cloud), place(c.pair.local)) else { continue };
        let places = cost::derive::Places { cloud: &cloud, local: &local };
        let found = cost::derive::comparison(case, c.pair, v, (&c.outcome, &c.break_even), places);
        all.extend(found.into_iter().map(|d| d.below(&format!("result.comparisons[{n}]"))));
        if n == 0 {
            all.extend(cost::derive::parts(case, c.pair, v, places));
        }
    }
    let split = evaluation.routed.iter().flat_map(cost::derive::routed);
    all.extend(split.map(|d| d.below("result.hybrid.routed")));
    all.extend(evaluation.draws.iter().flat_map(cost::derive::odds));
    let months: Vec<cost::Month> = evaluation.comparisons.iter().flat_map(|c| c.months.clone()).collect();
    let mut columns = if months.is_empty() { Vec::new() } else { cost::derive::columns(&months) };
    let bars = &evaluation.tornado[..evaluation.tornado.len().min(MOST_BARS)];
    let overflow = evaluation.overflow.as_ref().map(cost::derive::overflow);
    for (figures, rules) in overflow.into_iter().chain([cost::derive::tornado(case, bars)]) {
        all.extend(figures);
        columns.extend(rules);
    }
    (all, columns)
}

/// The events of an offer, with their dates and in words.
fn events(case: &Case, s: &OfferSummary) -> Vec<EventRow> {
    let money = &case.finance.currency;
    let row = |event: &cost::Event| {
        let (month, kind, what) = match *event {
            cost::Event::PriceChange { month, before, after } => {
                let change = if before.get() > 0.0 { after.get() / before.get() - 1.0 } else { 0.0 };
                (month, "price-change", text::price_change(before, after, change, money))
            }
            cost::Event::Units { month, added, units } => {
                (month, "units", format!("{added} more, {units} in all: the load has outgrown what is there"))
            }
            cost::Event::Replacement { month, units } => {
                let them = if units == 1 { "one is worn out" } else { "they are worn out" };
                (month, "replacement", format!("{units} bought again: {them}"))
            }
            cost::Event::Delivery { month } => (month, "delivery", "works from here on".to_owned()),
        };
        EventRow { month: month + 1, date: month_of(case, month), kind: kind.to_owned(), what }
    };
    let mut rows: Vec<EventRow> = s.events.iter().map(row).collect();
    rows.sort_by_key(|r| r.month);
    rows
}

fn month_of(case: &Case, month: u32) -> String {
    let day = case.need.start.checked_add(i64::from(month).months());
    day.map_or_else(|_| String::new(), |d| d.strftime("%Y-%m").to_string())
}

/// The plan behind an offer, as a row of a document.
fn plan_of(case: &Case, s: &OfferSummary, with_terms: bool) -> Option<Box<PlanRow>> {
    let offer = &case.offers[s.offer];
    let plan = offer.plan.as_deref()?;
    let likely = case.likely();
    let tokens = case.need.tokens(Values::of(&likely));
    let context = case.need.asks.context.unwrap_or_else(|| tokens.total().get());
    let model = offer.open_model.as_deref().unwrap_or("");
    let made = if with_terms { PlanRow::of } else { PlanRow::brief };
    let row = made(&offer.name, plan, model, context, s);
    Some(Box::new(row))
}

fn cash_flow<'a>(case: &'a Case, c: &'a EngineComparison) -> impl Iterator<Item = CashFlowMonth> + 'a {
    c.months.iter().map(|m| CashFlowMonth {
        cloud: case.offers[c.pair.cloud].name.clone(),
        local: case.offers[c.pair.local].name.clone(),
        month: m.month + 1,
        date: month_of(case, m.month),
        requests: m.cloud.requests.get(),
        cloud_usd: (m.cloud.parts.total() + m.cloud.upfront).get(),
        cloud_upfront_usd: m.cloud.upfront.get(),
        cloud_parts_usd: parts_map(&m.cloud.parts, |_| false),
        local_units: m.local.units,
        local_upfront_usd: m.local.upfront.get(),
        local_running_usd: m.local.parts.total().get(),
        local_parts_usd: parts_map(&m.local.parts, |_| false),
        position_usd: m.position.get(),
        discounted_position_usd: m.discounted_position.get(),
    })
}

fn hybrid(case: &Case, evaluation: &Evaluation) -> Option<Hybrid> {
    let pair = case.pairs.first()?;
    let (routed, overflow) = (&evaluation.routed, &evaluation.overflow);
    if routed.is_none() && overflow.is_none() {
        return None;
    }
    let head = &evaluation.comparisons.first()?.outcome;
    let mut totals = vec![("cloud", head.tco_cloud), ("local", head.tco_local)];
    totals.extend(routed.as_ref().map(|r| ("routed", r.outcome.tco_local)));
    totals.extend(overflow.as_ref().map(|o| ("overflow", o.best.tco)));
    let cheapest = totals.iter().min_by(|a, b| a.1.get().total_cmp(&b.1.get())).map_or("cloud", |t| t.0);
    Some(Hybrid {
        cloud: case.offers[pair.cloud].name.clone(),
        local: case.offers[pair.local].name.clone(),
        routed: routed.as_ref().map(|r| RoutedSplit {
            local_share: r.local_share,
            escalation_share: r.escalation,
            units: r.units,
            capex_usd: r.capex.get(),
            monthly_usd: r.monthly.get(),
            tco_usd: r.outcome.tco_local.get(),
            tco_cloud_only_usd: r.tco_cloud_only.get(),
            tco_local_only_usd: r.tco_local_only.get(),
            payback_months: r.outcome.payback,
        }),
        overflow: overflow.as_ref().map(|o| Overflow {
            best_units: o.best.units,
            tco_usd: o.best.tco.get(),
            options: o
                .options
                .iter()
                .map(|t| OverflowOption {
                    units: t.units,
                    local_share: t.local_share,
                    cloud_usd: t.cloud.get(),
                    local_usd: t.local.get(),
                    left_usd: t.left.get(),
                    tco_usd: t.tco.get(),
                })
                .collect(),
        }),
        cheapest: cheapest.to_owned(),
    })
}

fn uncertainty(case: &Case, evaluation: &Evaluation) -> Option<Uncertainty> {
    let pair = case.pairs.first()?;
    let draws = evaluation.draws.as_ref();
    let bar = |b: &cost::uncertainty::Bar| TornadoBar {
        input: case.slot_name(b.slot).to_owned(),
        low: b.low,
        high: b.high,
        saving_at_low_usd: b.saving_at_low,
        saving_at_high_usd: b.saving_at_high,
        swing_usd: b.swing(),
        assumed: b.assumed,
    };
    let turn = |t: &cost::turning::Turn| TurningPoint {
        input: case.slot_name(t.slot).to_owned(),
        unit: case.inputs[case.slot_inputs[t.slot]].unit.to_owned(),
        likely: t.taken.likely,
        low: t.taken.low,
        high: t.taken.high,
        value: t.value,
        in_range: t.in_range,
    };
    let payback = |n: usize| draws.and_then(|d| d.payback[n]);
    Some(Uncertainty {
        cloud: case.offers[pair.cloud].name.clone(),
        local: case.offers[pair.local].name.clone(),
        draws: draws.map_or(0, |d| d.count),
        seed: draws.map_or(0, |d| d.seed),
        distribution: "triangular".to_owned(),
        probability_local_cheaper: draws.map(|d| d.local_cheaper),
        payback_p10: payback(0),
        payback_p50: payback(1),
        payback_p90: payback(2),
        tornado: evaluation.tornado.iter().take(MOST_BARS).map(bar).collect(),
        turning_points: evaluation.turns.iter().take(20).map(turn).collect(),
    })
}

/// A source in words, as tables of inputs show it.
pub fn source_words(source: &Source) -> String {
    match source {
        Source::User(how) => format!("user: {how}"),
        Source::Measured { file, path, .. } => format!("measured: {file} {path}"),
        Source::Database { entry, as_of, .. } => format!("database: {entry}, {as_of}"),
        Source::Assumed { rule, .. } => format!("assumed: {rule}"),
    }
}
