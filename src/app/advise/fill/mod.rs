//! The decision as a document: options, what speaks against each, what would flip it, what to do first.

mod decided;
mod flips;
mod models;
mod option_rows;
mod steps;

pub(super) use decided::Decided;
pub(super) use flips::Again;
pub(super) use option_rows::agreement;

use super::given::Given;
use super::pricing::{Behind, DRAWING, Pricing};
use crate::advise::options::{Because, Kind, Priced, Terms};
use crate::advise::verdict::ConfidenceStep;
use crate::advise::{Confidence, Placement, Stage, Verdict};
use crate::catalog::Catalog;
use crate::cost::keys::{cloud, hybrid, local};
use crate::cost::{self, Deployment};
use crate::document::advice::{self, AdviceDocument, ExcludedGroup, Setting, Tension, text};
use crate::document::breakeven::series::{CostByVolume, CumulativeCost, by_volume_of, cumulative_of};
use crate::document::envelope::Warning;
use crate::document::repeat::quoted;
use crate::number;
use crate::provenance::Source;
use crate::workload::keys::need;
use crate::workload::{Operations, Privacy, Value};
use decided::usd;
use flips::{Decide, flips};
use option_rows::{api_model, id, name, parts, rows};
use steps::Start;

/// The document of a priced decision. `again` decides anew for another need.
pub(super) fn document(
    setting: &Setting<'_>,
    verdict: &Verdict,
    decided: &Decided<'_>,
    again: &Decide<'_>,
) -> AdviceDocument {
    let Decided { pricing, choice, .. } = decided;
    let placement = pricing.options[choice.chosen].kind.placement();
    let says = verdict.placement;
    let mut moved = verdict.clone();
    moved.settle(setting.matrix, setting.need, placement);
    let (confidence, steps) = confidence(verdict, decided);
    moved.confidence = confidence;
    moved.confidence_steps = steps;
    if placement != says {
        moved.stage = Stage::Cost;
        "computed-cost".clone_into(&mut moved.rule);
    }
    let mut named = advice::examples(setting, &moved);
    models::of_decision(setting, decided, &mut named);
    let mut document = advice::build(setting, &moved, named);
    let horizon = pricing.case.need.horizon;
    let result = &mut document.result;
    result.options = rows(decided);
    result.chosen = Some(id(pricing, choice.chosen));
    result.horizon_months = Some(horizon);
    (result.cumulative, result.by_volume) = series(decided);
    result.sentence = Some(sentence(decided));
    if let Some(matrix) = &mut result.matrix {
        matrix.placement = says;
        matrix.rule.clone_from(&verdict.rule);
        matrix.text = verdict.reasons.first().map(|r| text::reason(verdict, r)).unwrap_or_default();
        matrix.differs_because = (says != placement).then(|| differs(decided, says));
    }
    result.excluded = excluded(decided);
    result.tensions = tensions(setting, decided);
    result.flips = flips(decided, setting.draft, again);
    result.first_steps = steps::towards(&start(decided, setting.catalog), setting.catalog);
    result.cost_command = Some(cost_command(setting, decided));
    result.volume_threshold = decided.turns.requests.map(|requests| advice::VolumeThreshold {
        requests_per_month: Some(requests),
        tokens_per_month: setting.need.shape.map(|s| s.total_tokens() * requests),
        source: Source::assumed("computed", "the volume at which both cost the same"),
    });
    document.warnings.retain(|w| w.id != "volume-answer-disagrees");
    document.warnings.extend(warnings(decided));
    steps::write_files(&mut document, setting.catalog);
    document
}

/// Most options in a chart.
const MOST_DRAWN: usize = 6;

/// Costs of the options month by month, and at other volumes: of the chosen one, then of the others that
/// may be taken, then of those that may not, each group by its total. A split by the hour was planned for
/// one volume, and is not drawn at others.
fn series(decided: &Decided<'_>) -> (Vec<CumulativeCost>, Option<CostByVolume>) {
    let Decided { pricing, choice, .. } = decided;
    let way = |n: usize| match pricing.behind[n] {
        Behind::Offer(offer) => Some(Deployment::Alone(offer)),
        Behind::Split { pair, .. } if pricing.options[n].kind == Kind::Routed => {
            Some(Deployment::Routed(pair))
        }
        Behind::Split { pair, units, .. } => Some(Deployment::Overflow { pair, units }),
        Behind::Nothing => None,
    };
    let mut drawn: Vec<(usize, Deployment)> = option_rows::order(decided)
        .into_iter()
        .filter(|n| pricing.options[*n].cost.is_some())
        .filter_map(|n| Some((n, way(n)?)))
        .collect();
    // Options that may not be taken are drawn only if there is nothing else to compare with.
    let may = drawn.iter().filter(|(n, _)| *n == choice.chosen || choice.excluded[*n].is_none()).count();
    drawn.truncate(may.clamp(2, MOST_DRAWN));
    let names =
        |drawn: &[(usize, Deployment)]| drawn.iter().map(|(n, _)| name(decided, *n)).collect::<Vec<_>>();
    let ways = |drawn: &[(usize, Deployment)]| drawn.iter().map(|(_, way)| *way).collect::<Vec<_>>();
    let paid = cost::curves::cumulative_of(&pricing.case, &ways(&drawn), DRAWING);
    let cumulative = cumulative_of(&names(&drawn), &paid);
    drawn.retain(|(_, way)| !matches!(way, Deployment::Overflow { .. }));
    let place = |n: usize| drawn.iter().position(|(drawn, _)| *drawn == n);
    let rivals = decided.rivals.and_then(|(cloud, own)| Some((place(cloud)?, place(own)?)));
    let per_request = matches!(pricing.case.need.shape, cost::case::Shape::PerRequest { .. });
    let found = cost::curves::by_volume_of(&pricing.case, &ways(&drawn), rivals, decided.turns.requests);
    (cumulative, found.map(|found| by_volume_of(&names(&drawn), &found, per_request)))
}

/// The document of a decision between the offers of a cost document. `plain` is the matrix's verdict
/// without it, `costed` knows what the document says about cost.
pub(super) fn from_document(
    setting: &Setting<'_>,
    plain: &Verdict,
    costed: &Verdict,
    given: &Given,
    terms: &Terms,
) -> AdviceDocument {
    let placement = given.kind.placement();
    let says = plain.placement;
    let mut moved = Verdict { cost: costed.cost.clone(), threshold: costed.threshold, ..plain.clone() };
    let first = plain.reasons.first().map(|r| text::reason(plain, r)).unwrap_or_default();
    moved.settle(setting.matrix, setting.need, placement);
    let mut steps = Vec::new();
    match given.because {
        Because::GivesLeast => steps.push(ConfidenceStep::GivesUp),
        Because::OnlyPlacement => steps.push(ConfidenceStep::OnlyPlace),
        _ => match given.odds {
            Some(odds) if odds < 0.6 => steps.push(ConfidenceStep::NearlyEven),
            Some(odds) if odds < 0.75 => steps.push(ConfidenceStep::OftenDearer),
            Some(_) => {}
            None => steps.push(ConfidenceStep::NotDrawn),
        },
    }
    moved.confidence = steps.iter().fold(Confidence::High, |c, s| s.apply(c));
    moved.confidence_steps = steps;
    if placement != says {
        moved.stage = Stage::Cost;
        "computed-cost".clone_into(&mut moved.rule);
    }
    let mut named = advice::examples(setting, &moved);
    models::of_document(setting, given, &mut named);
    let mut document = advice::build(setting, &moved, named);
    let result = &mut document.result;
    let (best, months) = (&given.rows[0], given.horizon_months);
    let amount = |usd_: Option<f64>| usd_.map_or_else(|| "unknown".to_owned(), usd);
    result.sentence = Some(format!(
        "By your own calculation: {}, {} a month and {} over {months} months.",
        best.name,
        amount(best.monthly_usd),
        amount(best.tco_usd)
    ));
    if let Some(matrix) = &mut result.matrix {
        matrix.placement = says;
        matrix.rule.clone_from(&plain.rule);
        matrix.text = first;
        let best_of_it = given.rows.iter().find(|o| o.placement == says);
        matrix.differs_because = (says != placement).then(|| match best_of_it {
            Some(o) => format!(
                "{} costs {} over {months} months{}, and this {}",
                o.name,
                amount(o.tco_usd),
                o.excluded_because.as_ref().map_or_else(String::new, |b| format!(" (and {b})")),
                amount(best.tco_usd)
            ),
            None => format!("the calculation has nothing that is {}", text::place(says)),
        });
    }
    result.chosen = Some(given.chosen.clone());
    result.horizon_months = Some(months);
    result.options.clone_from(&given.rows);
    result.cumulative.clone_from(&given.cumulative);
    result.by_volume.clone_from(&given.by_volume);
    // Flips of the matrix alone do not count here: the calculation decides.
    result.flips.retain(|f| f.what == "privacy" && f.placement != placement);
    result.flips.splice(0..0, given.flips.iter().cloned());
    let plan = best.plan.as_ref();
    result.first_steps = steps::towards(
        &Start {
            kind: given.kind,
            rented: given.kind == Kind::Rented || given.own_is_rented,
            api: given.api.as_ref().and_then(|api| setting.catalog.api_model(api.id.as_deref()?)),
            api_usd: given.api.as_ref().and_then(|api| api.usd_per_month),
            accelerator: plan.map(|p| (p.accelerator.as_str(), p.accelerator_name.as_str())),
            terms,
        },
        setting.catalog,
    );
    document.warnings.retain(|w| w.id != "volume-answer-disagrees");
    steps::write_files(&mut document, setting.catalog);
    document
}

/// The confidence: it starts high, and every doubt lowers it. Also the doubts that did.
fn confidence(verdict: &Verdict, decided: &Decided<'_>) -> (Confidence, Vec<ConfidenceStep>) {
    let Decided { pricing, choice, .. } = decided;
    let chosen = &pricing.options[choice.chosen];
    let mut steps = Vec::new();
    if !choice.gives.is_empty() {
        return (Confidence::Low, vec![ConfidenceStep::GivesUp]);
    }
    let only = choice.next.is_none();
    match choice.odds {
        Some(odds) if odds < 0.6 => steps.push(ConfidenceStep::NearlyEven),
        Some(odds) if odds < 0.75 => steps.push(ConfidenceStep::OftenDearer),
        _ => {}
    }
    if choice.because == Because::CheapestOnAverage && steps.is_empty() {
        steps.push(ConfidenceStep::OftenDearer);
    }
    let own = chosen.kind.placement() != Placement::Cloud;
    if own && !only && chosen.predicted {
        steps.push(ConfidenceStep::PredictedSpeed);
    }
    let good = verdict.quality.as_ref().is_some_and(|q| q.speaks_for(true));
    if chosen.open_model && !only && !good {
        steps.push(ConfidenceStep::UnmeasuredQuality);
    }
    if chosen.kind == Kind::Routed && decided.split_assumed {
        steps.push(ConfidenceStep::AssumedSplit);
    }
    let unpriced = pricing.options.iter().any(|o| o.cost.is_none());
    if unpriced || pricing.open.is_none() {
        steps.push(ConfidenceStep::NotAllPriced);
    }
    if steps.is_empty() && only {
        // A placement without an alternative is certain; how the model performs there must still be measured.
        let shown = verdict.quality.as_ref().is_some_and(|q| q.speaks_for(chosen.open_model));
        steps.push(if shown && !(own && chosen.predicted) {
            ConfidenceStep::Firm
        } else {
            ConfidenceStep::OnlyPlace
        });
    }
    (steps.iter().fold(Confidence::High, |c, s| s.apply(c)), steps)
}

/// The verdict in one sentence.
fn sentence(decided: &Decided<'_>) -> String {
    let Decided { pricing, choice, .. } = decided;
    let n = choice.chosen;
    let option = &pricing.options[n];
    // The verb of the sentence says this already.
    let what = name(decided, n);
    let what =
        what.trim_end_matches(", bought").trim_end_matches(", rented").trim_end_matches(", yours already");
    let cost = option.cost.map_or_else(String::new, |c| {
        let upfront = if c.capex > 0.0 { format!("{} up front and ", usd(c.capex)) } else { String::new() };
        format!(
            ": {upfront}{} a month, {} over {} months",
            usd(c.monthly),
            usd(c.tco),
            pricing.case.need.horizon
        )
    });
    let verb = match option.kind {
        Kind::Api | Kind::SameModel => "Use the API",
        Kind::Seats => "Buy seats:",
        Kind::Rented => "Rent the hardware and run the model yourself:",
        Kind::Owned => "Buy the hardware and run the model yourself:",
        Kind::Have => "Run the model on the hardware you have:",
        Kind::Routed => "Send simple requests to a model of your own and the others to the API:",
        Kind::Overflow => "Carry the base load yourself and send the rest to the API:",
    };
    let first = format!("{verb} {what}{cost}.");
    match dearer_all_the_same(decided) {
        Some(why) => format!("{first} {why}"),
        None => first,
    }
}

/// Why the chosen option is taken although another of its placement costs less; `None`: it does not.
fn dearer_all_the_same(decided: &Decided<'_>) -> Option<String> {
    let Decided { pricing, choice, .. } = decided;
    let now = pricing.options[choice.chosen].cost?.tco;
    let n = (0..pricing.options.len())
        .filter(|n| choice.because == Because::NearlyTheSame && choice.excluded[*n].is_none())
        .filter(|n| pricing.options[*n].kind == Kind::SameModel)
        .find(|n| pricing.options[*n].cost.is_some_and(|c| c.tco < now))?;
    let less = now - pricing.options[n].cost?.tco;
    Some(format!(
        "{} costs {} less over {} months ({}), but is an open model whose answers you would have to measure first.",
        name(decided, n),
        usd(less),
        pricing.case.need.horizon,
        share(less / now)
    ))
}

/// A share above 0 in per cent: a little is not nothing.
fn share(of: f64) -> String {
    if of < 0.001 { "less than 0.1 %".to_owned() } else { number::percent(of) }
}

/// Why the verdict differs from the matrix.
fn differs(decided: &Decided<'_>, says: Placement) -> String {
    let Decided { pricing, choice, .. } = decided;
    let chosen = &pricing.options[choice.chosen];
    let of_it = pricing.options.iter().enumerate().filter(|(_, o)| o.kind.placement() == says);
    let best = of_it.filter_map(|(n, o)| Some((o.cost?.tco, n))).min_by(|a, b| a.0.total_cmp(&b.0));
    let Some((tco, n)) = best else {
        return match says {
            Placement::Hybrid => match option_rows::second_provider(decided, choice.chosen) {
                Some(second) => format!(
                    "one machine would carry the whole load, so there is nothing to split, and {second} behind the same router takes over when the first API fails"
                ),
                None => "one machine would carry the whole load, so there is nothing to split".to_owned(),
            },
            _ => format!("nothing that is {} could be priced for this need", text::place(says)),
        };
    };
    let cost = chosen.cost.map_or(0.0, |c| c.tco);
    let months = pricing.case.need.horizon;
    match choice.excluded[n] {
        Some(limit) => format!(
            "the cheapest that is {} would be {}, {} over {months} months, but {}",
            text::place(says),
            name(decided, n),
            usd(tco),
            text::limit(limit)
        ),
        None if tco >= cost => format!(
            "at this volume {} would cost {} over {months} months, and this {}",
            name(decided, n),
            usd(tco),
            usd(cost)
        ),
        None => format!(
            "{} would cost {} over {months} months if everything came as expected, but {} in the mean of all that may come (prices, volume, people), and this {}",
            name(decided, n),
            usd(tco),
            mean(pricing, n),
            mean(pricing, choice.chosen)
        ),
    }
}

/// The mean of an option's total over all draws.
fn mean(pricing: &Pricing<'_>, n: usize) -> String {
    pricing.options[n].way.map_or_else(|| "more".to_owned(), |way| usd(pricing.totals.mean(way)))
}

/// Options that were excluded before they were priced.
fn excluded(decided: &Decided<'_>) -> Vec<ExcludedGroup> {
    let Decided { pricing, choice, .. } = decided;
    // Nothing that the verdict uses is left out.
    if api_model(pricing, choice.chosen).is_some() {
        return Vec::new();
    }
    let api = pricing.options.iter().position(|o| o.kind == Kind::Api);
    let limit = api.and_then(|n| choice.excluded[n]);
    limit
        .into_iter()
        .map(|limit| ExcludedGroup {
            what: if pricing.capable == 1 { "API model" } else { "API models" }.to_owned(),
            count: pricing.capable as u64,
            because: text::limit(limit),
            excluded_by: limit.id().to_owned(),
        })
        .collect()
}

/// Answers that contradict each other, with a way out.
fn tensions(setting: &Setting<'_>, decided: &Decided<'_>) -> Vec<Tension> {
    let terms = &decided.terms;
    let strict = terms.answers.privacy == Privacy::Strict;
    let mut found = Vec::new();
    let mut add = |holds: bool, id: &str, text: &str, way_out: &str| {
        if holds {
            found.push(Tension { id: id.to_owned(), text: text.to_owned(), way_out: way_out.to_owned() });
        }
    };
    add(
        strict && terms.answers.operations == Operations::Limited,
        "strict-without-people",
        "The data may not leave, and nobody has the time to run the machine that keeps it.",
        "Have a managed private deployment offered, or ask counsel whether an agreement with a provider is enough (`--privacy sensitive`), or take a smaller model on one machine that somebody looks after for a few hours a month.",
    );
    add(
        strict && setting.need.answers.capability == crate::workload::Capability::Maximum,
        "maximum-that-may-not-leave",
        "The strongest models are rented only, and the data may not leave.",
        "Measure whether the best open model is good enough on your prompts (`freehold bench`), or keep only the part in that must stay.",
    );
    add(
        setting.need.privacy_reason.is_some(),
        "mandate-may-be-lifted",
        "A mandate keeps the data in, whatever it costs.",
        "If counsel finds that an agreement with a provider is enough: `--privacy-reason none --privacy sensitive`.",
    );
    found
}

/// What the first steps towards the chosen option depend on.
fn start<'a>(decided: &'a Decided<'_>, catalog: &'a Catalog) -> Start<'a> {
    let Decided { pricing, choice, .. } = decided;
    let n = choice.chosen;
    let local = match pricing.behind[n] {
        Behind::Offer(offer) => Some(offer),
        Behind::Split { pair, .. } => Some(pair.local),
        Behind::Nothing => None,
    };
    let plan = local.and_then(|o| pricing.case.offers[o].plan.as_deref());
    let id = api_model(pricing, n);
    Start {
        kind: pricing.options[n].kind,
        rented: option_rows::is_rented(pricing, n),
        api: id.and_then(|id| catalog.api_model(&id)),
        api_usd: Some(parts(pricing, n).get("api").copied().unwrap_or_default()),
        accelerator: plan.map(|p| (p.machine.accelerator.as_str(), p.machine.accelerator_name.as_str())),
        terms: &decided.terms,
    }
}

/// The document of a verdict without prices.
pub(super) fn unpriced(setting: &Setting<'_>, verdict: &Verdict, without_numbers: bool) -> AdviceDocument {
    let named = advice::examples(setting, verdict);
    let mut document = advice::build(setting, verdict, named.clone());
    document.result.first_steps = steps::unpriced(&document, &named, setting.catalog, without_numbers);
    steps::write_files(&mut document, setting.catalog);
    document
}

/// The command line of `freehold breakeven` for the same offers.
fn cost_command(setting: &Setting<'_>, decided: &Decided<'_>) -> String {
    let scenario = &decided.pricing.scenario;
    let mut words = vec!["freehold".to_owned(), "breakeven".to_owned()];
    let mut push = |flag: String, value: &Value| match value {
        Value::Flag(true) => words.push(flag),
        Value::Flag(false) => {}
        value => words.extend([flag, value.to_flag()]),
    };
    for key in need::KEYS {
        if let Some(given) = setting.draft.fields().get(key.name) {
            push(format!("--{}", key.flag()), &given.value);
        }
    }
    for fields in &scenario.cloud {
        let model = fields.get(cloud::MODEL.name);
        // The name comes first: where it is given again, it begins the next offer.
        if let Some(name) = fields.get(cloud::NAME.name).or(model) {
            push(format!("--{}", cloud::NAME.flag()), &name.value);
        }
        for key in [cloud::MODEL, cloud::FIXED, cloud::MINIMUM] {
            if let Some(given) = fields.get(key.name) {
                push(format!("--{}", key.flag()), &given.value);
            }
        }
    }
    for fields in &scenario.local {
        // The model comes first: where it is given again, it begins the next offer.
        let middle = local::KEYS.iter().copied().filter(|k| ![local::MODEL, local::KIND].contains(k));
        for key in [local::MODEL].into_iter().chain(middle).chain([local::KIND]) {
            if let Some(given) = fields.get(key.name) {
                push(format!("--{}", key.flag()), &given.value);
            }
        }
    }
    for key in hybrid::KEYS {
        if let Some(given) = scenario.hybrid.get(key.name) {
            push(format!("--{}", key.flag()), &given.value);
        }
    }
    words.iter().map(|w| quoted(w)).collect::<Vec<_>>().join(" ")
}

/// What the reader must know before trusting the numbers.
fn warnings(decided: &Decided<'_>) -> Vec<Warning> {
    let Decided { pricing, choice, .. } = decided;
    let mut found = Vec::new();
    if !choice.gives.is_empty() {
        let gives: Vec<String> = choice.gives.iter().map(|limit| text::limit(*limit)).collect();
        found.push(Warning::new(
            "answer-gives-way",
            format!("Nothing meets every answer. This comes nearest, although {}.", text::all(&gives)),
        ));
    }
    let option: &Priced = &pricing.options[choice.chosen];
    let only = choice.next.is_none() && option.kind.placement() == Placement::Local;
    let busy = match pricing.behind[choice.chosen] {
        Behind::Offer(o) => pricing.case.offers[o].plan.as_ref().map(|p| p.busy_mean),
        Behind::Split { .. } | Behind::Nothing => None,
    };
    if let Some(busy) = busy.filter(|b| only && *b < 0.5) {
        found.push(Warning::new(
            "mostly-idle",
            match option.kind {
                Kind::Have => format!("What you have will be idle {} of the time: there is room for other work.", number::percent(1.0 - busy)),
                _ => format!("The machine will be idle {} of the time: it is bought for what your answers require, not for the load.", number::percent(1.0 - busy)),
            },
        ));
    }
    let retiring = pricing.case.notices.iter().filter_map(|n| match n {
        crate::cost::Notice::ModelRetires { offer, day } => Some(
            Warning::new(
                "model-retires",
                format!("{offer} is retired on {day}: plan the move to its successor."),
            )
            .about(offer.clone()),
        ),
        _ => None,
    });
    found.extend(retiring);
    found
}

#[cfg(test)]
mod tests {
    use super::share;

    #[test]
    fn a_little_less_is_not_no_less() {
        for of in [1e-9, 0.0004, 0.000_999, 0.001, 0.01] {
            let shown = share(of);
            assert!(!shown.starts_with("0 ") && !shown.starts_with("0.0 "), "{of}: {shown}");
        }
    }
}
