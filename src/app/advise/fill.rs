//! The decision as a document: options, what stands against them, what would flip it, what to do first.

use super::given::Given;
use super::pricing::{Behind, Pricing, Turns};
use crate::advise::options::{Because, Choice, Kind, Limit, Priced, Terms, choose};
use crate::advise::verdict::ConfidenceStep;
use crate::advise::{Confidence, Placement, QualityStanding, Stage, Verdict};
use crate::capacity::{HardwareShape, Load, ModelShape, memory};
use crate::catalog::OpenModel;
use crate::cost::Supply;
use crate::cost::case::Blueprint;
use crate::cost::keys::{cloud, hybrid, local};
use crate::document::advice::{
    self, AdviceDocument, ApiExample, ExcludedGroup, Flip, HardwareExample, Models, OpenExample, OptionRow,
    RecipeStep, Setting, Tension, text,
};
use crate::document::envelope::Warning;
use crate::document::plan::PlanRow;
use crate::document::repeat::quoted;
use crate::money::Currency;
use crate::number;
use crate::provenance::Source;
use crate::workload::keys::need;
use crate::workload::{Budget, Operations, Privacy, Value};
use std::collections::BTreeMap;

/// What was priced and what was chosen of it.
#[derive(Debug)]
pub(super) struct Decided<'a> {
    pub pricing: Pricing<'a>,
    pub choice: Choice,
    pub terms: Terms,
    /// The cloud option and the own one that the turning points are between.
    rivals: Option<(usize, usize)>,
    turns: Turns,
}

impl<'a> Decided<'a> {
    /// With the points at which the choice turns.
    pub fn new(pricing: Pricing<'a>, choice: Choice, terms: Terms) -> Self {
        let best = |placement: Placement| {
            if pricing.options[choice.chosen].kind.placement() == placement {
                return Some(choice.chosen);
            }
            let of_it = |n: &usize| pricing.options[*n].kind.placement() == placement;
            let priced =
                (0..pricing.options.len()).filter(of_it).filter(|n| pricing.options[*n].cost.is_some());
            priced.min_by(|a, b| {
                let key =
                    |n: usize| (choice.excluded[n].is_some(), pricing.options[n].cost.map_or(0.0, |c| c.tco));
                key(*a).0.cmp(&key(*b).0).then(key(*a).1.total_cmp(&key(*b).1))
            })
        };
        let rivals = best(Placement::Cloud).zip(best(Placement::Local));
        let turns = rivals.map_or_else(Turns::default, |(cloud, own)| pricing.turns(cloud, own));
        Self { pricing, choice, terms, rivals, turns }
    }
}

fn usd(amount: f64) -> String {
    Currency::usd().show(amount)
}

/// The document of a priced decision.
pub(super) fn document(setting: &Setting<'_>, verdict: &Verdict, decided: &Decided<'_>) -> AdviceDocument {
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
    let mut document = advice::build(setting, &moved);
    let horizon = pricing.case.need.horizon;
    let result = &mut document.result;
    result.options = rows(decided);
    result.chosen = Some(id(pricing, choice.chosen));
    result.horizon_months = Some(horizon);
    result.sentence = Some(sentence(decided));
    if let Some(matrix) = &mut result.matrix {
        matrix.placement = says;
        matrix.rule.clone_from(&verdict.rule);
        matrix.text = verdict.reasons.first().map(|r| text::reason(verdict, r)).unwrap_or_default();
        matrix.differs_because = (says != placement).then(|| differs(decided, says));
    }
    models(setting, decided, &mut result.models);
    result.excluded = excluded(decided);
    result.tensions = tensions(setting, decided);
    result.flips = flips(decided);
    result.first_steps = first_steps(decided);
    result.cost_command = Some(cost_command(setting, decided));
    result.volume_threshold = decided.turns.requests.map(|requests| advice::VolumeThreshold {
        requests_per_month: Some(requests),
        tokens_per_month: setting.need.shape.map(|s| s.total_tokens() * requests),
        source: Source::assumed("computed", "the volume at which both cost the same"),
    });
    document.warnings.retain(|w| w.id != "volume-answer-disagrees");
    document.warnings.extend(warnings(decided));
    document
}

/// The document of a decision between the offers of a cost document. `plain` is the matrix's verdict
/// without it, `costed` knows what the document says about cost.
pub(super) fn from_document(
    setting: &Setting<'_>,
    plain: &Verdict,
    costed: &Verdict,
    given: &Given,
) -> AdviceDocument {
    let says = plain.placement;
    let mut moved = Verdict { cost: costed.cost.clone(), threshold: costed.threshold, ..plain.clone() };
    let first = plain.reasons.first().map(|r| text::reason(plain, r)).unwrap_or_default();
    moved.settle(setting.matrix, setting.need, given.placement);
    let mut steps = Vec::new();
    match given.because {
        Because::GivesLeast => steps.push(ConfidenceStep::GivesUp),
        Because::OnlyPlacement => steps.push(ConfidenceStep::OnlyPlace),
        _ => match given.odds {
            Some(odds) if odds < 0.6 => steps.push(ConfidenceStep::NearlyEven),
            Some(odds) if odds < 0.75 => steps.push(ConfidenceStep::OftenDearer),
            Some(_) => {}
            None => steps.push(ConfidenceStep::NotAllPriced),
        },
    }
    moved.confidence = steps.iter().fold(Confidence::High, |c, s| s.apply(c));
    moved.confidence_steps = steps;
    if given.placement != says {
        moved.stage = Stage::Cost;
        "computed-cost".clone_into(&mut moved.rule);
    }
    let mut document = advice::build(setting, &moved);
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
        matrix.differs_because = (says != given.placement).then(|| match best_of_it {
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
    document.warnings.retain(|w| w.id != "volume-answer-disagrees");
    document
}

/// Start high; every doubt takes something away.
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
    let good = verdict.quality.as_ref().is_some_and(|q| q.standing == QualityStanding::NonInferior);
    if chosen.open_model && !only && !good {
        steps.push(ConfidenceStep::UnmeasuredQuality);
    }
    let unpriced = pricing.options.iter().any(|o| o.cost.is_none());
    if unpriced || pricing.open.is_none() {
        steps.push(ConfidenceStep::NotAllPriced);
    }
    if steps.is_empty() && only {
        // A placement without an alternative is sure; what it does there still has to be measured.
        let measured = !(own && chosen.predicted) && (good || !chosen.open_model);
        steps.push(if measured { ConfidenceStep::Firm } else { ConfidenceStep::OnlyPlace });
    }
    (steps.iter().fold(Confidence::High, |c, s| s.apply(c)), steps)
}

/// Options that may be taken first, each group by its total.
fn rows(decided: &Decided<'_>) -> Vec<OptionRow> {
    let Decided { pricing, choice, .. } = decided;
    let mut order: Vec<usize> = (0..pricing.options.len()).collect();
    order.sort_by(|a, b| {
        let key = |n: usize| {
            let tco = pricing.options[n].cost.map_or(f64::INFINITY, |c| c.tco);
            (n != choice.chosen, choice.excluded[n].is_some(), tco)
        };
        let (a, b) = (key(*a), key(*b));
        a.0.cmp(&b.0).then(a.1.cmp(&b.1)).then(a.2.total_cmp(&b.2))
    });
    order.into_iter().map(|n| row(decided, n)).collect()
}

/// Of the option's kind; a split with a rented machine beside one with a bought machine says so.
fn id(pricing: &Pricing<'_>, n: usize) -> String {
    let kind = pricing.options[n].kind;
    let rented = match pricing.behind[n] {
        Behind::Split { pair, .. } => match &pricing.case.offers[pair.local].supply {
            Supply::Machine(m) => m.is_rented(),
            Supply::Api(_) => false,
        },
        Behind::Offer(_) | Behind::Nothing => false,
    };
    if rented { format!("{}-rented", kind.id()) } else { kind.id().to_owned() }
}

fn row(decided: &Decided<'_>, n: usize) -> OptionRow {
    let Decided { pricing, choice, .. } = decided;
    let option = &pricing.options[n];
    let kind = option.kind;
    let excluded = choice.excluded[n];
    let split = match pricing.behind[n] {
        Behind::Offer(_) | Behind::Nothing => None,
        Behind::Split { local_share, .. } => Some(local_share),
    };
    OptionRow {
        id: id(pricing, n),
        placement: kind.placement(),
        name: name(decided, n),
        api_model: api_model(pricing, n),
        open_model: pricing.open.filter(|_| option.open_model).map(|m| m.id.clone()),
        tier: option.tier,
        monthly_usd: option.cost.map(|c| c.monthly),
        monthly_parts_usd: parts(pricing, n),
        tco_usd: option.cost.map(|c| c.tco),
        capex_usd: option.cost.map(|c| c.capex),
        probability_cheapest: choice.chances[n],
        expected_tco_usd: option.way.map(|way| pricing.totals.mean(way)),
        excluded_because: excluded.map(text::limit),
        excluded_by: excluded.map(|l| l.id().to_owned()),
        needs: needs(decided, n),
        against: against(decided, n),
        local_share: split,
        plan: plan(decided, n),
    }
}

/// What would be built for it: of a split, for its own side at the whole load.
fn plan(decided: &Decided<'_>, n: usize) -> Option<PlanRow> {
    let pricing = &decided.pricing;
    let offer = match pricing.behind[n] {
        Behind::Offer(offer) => offer,
        Behind::Split { pair, .. } => pair.local,
        Behind::Nothing => return None,
    };
    let o = &pricing.case.offers[offer];
    let (plan, model) = (o.plan.as_deref()?, o.open_model.as_deref()?);
    Some(PlanRow::of(&o.name, plan, model, pricing.context_tokens, &pricing.offers[offer]))
}

/// The month of a single offer, part by part.
fn parts(pricing: &Pricing<'_>, n: usize) -> BTreeMap<String, f64> {
    let Behind::Offer(offer) = pricing.behind[n] else { return BTreeMap::new() };
    let named = pricing.offers[offer].parts.named().into_iter();
    named.filter(|(_, usd)| usd.get() != 0.0).map(|(name, usd)| (name.to_owned(), usd.get())).collect()
}

fn api_model(pricing: &Pricing<'_>, n: usize) -> Option<String> {
    let offer = match pricing.behind[n] {
        Behind::Offer(offer) => offer,
        Behind::Split { pair, .. } => pair.cloud,
        Behind::Nothing => return None,
    };
    let offer = &pricing.case.offers[offer];
    matches!(offer.supply, Supply::Api(_)).then(|| offer.id.clone()).flatten()
}

/// As people call an option.
fn name(decided: &Decided<'_>, n: usize) -> String {
    let pricing = &decided.pricing;
    let kind = pricing.options[n].kind;
    match pricing.behind[n] {
        Behind::Offer(offer) => {
            let machines = pricing.offers[offer].units.unwrap_or(1);
            let own = machine(pricing, offer, machines);
            match kind {
                Kind::Have => format!("{own}, yours already"),
                Kind::Rented => format!("{own}, rented"),
                Kind::Owned => format!("{own}, bought"),
                _ => own,
            }
        }
        Behind::Split { pair, units, local_share } => {
            let percent = (local_share * 100.0).round();
            let (own, api) = (machine(pricing, pair.local, units), &pricing.case.offers[pair.cloud].name);
            let own = if id(pricing, n).ends_with("rented") { format!("{own}, rented") } else { own };
            format!("{percent} % of the requests on {own}, the others to {api}")
        }
        Behind::Nothing => "the hardware that is there".to_owned(),
    }
}

/// A model and what it runs on: `gpt-oss-20b on 2 × RTX 3090`.
fn machine(pricing: &Pricing<'_>, offer: usize, units: u32) -> String {
    let offer = &pricing.case.offers[offer];
    let (Some(plan), Some(model)) = (&offer.plan, &offer.open_model) else { return offer.name.clone() };
    let machine = &plan.machine;
    let each = if machine.accelerators > 1 { format!("{} × ", machine.accelerators) } else { String::new() };
    let hosts = if units > 1 { format!("{units} machines with ") } else { String::new() };
    format!("{model} on {hosts}{each}{}", machine.accelerator_name)
}

/// What an option takes.
fn needs(decided: &Decided<'_>, n: usize) -> Vec<String> {
    let pricing = &decided.pricing;
    let mut found = Vec::new();
    let mut machines = |offer: usize, units: u32| {
        let Some(plan) = &pricing.case.offers[offer].plan else { return };
        let each = units.max(1);
        found.push(format!(
            "{each} × {}, {} with {} weights",
            plan.machine.name,
            plan.replica.backend.engine().label(),
            plan.replica.format.id
        ));
    };
    match pricing.behind[n] {
        Behind::Offer(offer) => machines(offer, pricing.offers[offer].units.unwrap_or(1)),
        Behind::Split { pair, units, .. } => {
            machines(pair.local, units);
            found.push("a router between the two".to_owned());
        }
        Behind::Nothing => {}
    }
    if let Some(staff) = parts(pricing, n).get("staff") {
        found.push(format!("{} a month for the people who look after it", usd(*staff)));
    }
    let leaves = pricing.options[n].kind.placement() != Placement::Local;
    if leaves && decided.terms.answers.privacy == Privacy::Sensitive {
        found.push("an agreement with the provider: no training, no retention, region".to_owned());
    }
    found
}

/// What speaks against an option.
fn against(decided: &Decided<'_>, n: usize) -> Vec<String> {
    let pricing = &decided.pricing;
    let option = &pricing.options[n];
    let mut found = Vec::new();
    if let Behind::Offer(offer) = pricing.behind[n] {
        let o = &pricing.case.offers[offer];
        let idle = o.plan.as_ref().map(|p| p.busy_mean).filter(|b| *b < 0.25);
        if let Some(busy) = idle {
            found.push(format!("idle {} of the time", number::percent(1.0 - busy)));
        }
        if let Supply::Machine(_) = &o.supply
            && let Some(plan) = &o.plan
            && !plan.missed.is_empty()
        {
            found.push("misses the limit on latency".to_owned());
        }
    }
    if option.predicted {
        found.push("speed predicted, not measured".to_owned());
    }
    let good = decided.terms.quality == Some(QualityStanding::NonInferior);
    if option.open_model && !good {
        found.push("quality on your prompts not measured".to_owned());
    }
    if option.kind == Kind::Seats {
        found.push("for people only, and providers do not publish how much one may ask".to_owned());
    }
    found
}

/// The verdict in one sentence.
fn sentence(decided: &Decided<'_>) -> String {
    let Decided { pricing, choice, .. } = decided;
    let n = choice.chosen;
    let option = &pricing.options[n];
    let what = name(decided, n);
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
    format!("{verb} {what}{cost}.")
}

/// Why the verdict is not what the matrix says.
fn differs(decided: &Decided<'_>, says: Placement) -> String {
    let Decided { pricing, choice, .. } = decided;
    let chosen = &pricing.options[choice.chosen];
    let of_it = pricing.options.iter().enumerate().filter(|(_, o)| o.kind.placement() == says);
    let best = of_it.filter_map(|(n, o)| Some((o.cost?.tco, n))).min_by(|a, b| a.0.total_cmp(&b.0));
    let Some((tco, n)) = best else {
        return match says {
            Placement::Hybrid => {
                "one machine would carry the whole load, so there is nothing to split".to_owned()
            }
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

/// The examples of models are those that were priced, and the hardware is that of the plan.
fn models(setting: &Setting<'_>, decided: &Decided<'_>, models: &mut Models) {
    let Decided { pricing, choice, .. } = decided;
    let n = choice.chosen;
    let offer = |n: usize, local: bool| match pricing.behind[n] {
        Behind::Offer(o) => Some(o),
        Behind::Split { pair, .. } => Some(if local { pair.local } else { pair.cloud }),
        Behind::Nothing => None,
    };
    models.hardware = None;
    if let Some(id) = api_model(pricing, n)
        && let Some(model) = setting.catalog.api_model(&id)
        && let Some(o) = offer(n, false)
    {
        let summary = &pricing.offers[o];
        let month = summary.parts.api.get();
        let cite = model.cite("price");
        models.api = Some(ApiExample {
            id,
            tier: model.tier,
            usd_per_request: month / summary.requests_per_month.max(f64::MIN_POSITIVE),
            usd_per_month: Some(month),
            request: setting
                .draft
                .source(need::INPUT_TOKENS)
                .cloned()
                .unwrap_or_else(|| Source::assumed("need", "from the month's tokens")),
            source: Source::Database {
                entry: format!("api model {}", model.id),
                source: cite.source,
                as_of: cite.as_of,
            },
        });
    }
    let plan = offer(n, true).and_then(|o| pricing.case.offers[o].plan.as_deref());
    if let (Some(plan), Some(open)) = (plan, pricing.open) {
        let cite = open.cite("parameters");
        models.open = Some(OpenExample {
            id: open.id.clone(),
            tier: open.tier,
            repository: open.repository.clone(),
            parameters: open.parameters,
            source: Source::Database {
                entry: format!("open model {}", open.id),
                source: cite.source,
                as_of: cite.as_of,
            },
        });
        let machine = &plan.machine;
        let gib = 1_073_741_824.0;
        models.hardware = Some(HardwareExample {
            id: machine.accelerator.clone(),
            name: machine.accelerator_name.clone(),
            count: plan.accelerators,
            memory_gib: setting
                .catalog
                .accelerator(&machine.accelerator)
                .and_then(|a| a.memory_gib)
                .map(|m| m * f64::from(plan.accelerators)),
            needed_gib: needed_bytes(plan, open, pricing.context_tokens) / gib,
            source: machine.source.clone(),
        });
    }
}

/// Memory of all copies, each with one request of the longest that is planned: what `fit` says of the
/// same copy.
fn needed_bytes(plan: &Blueprint, open: &OpenModel, context_tokens: f64) -> f64 {
    let r = &plan.replica;
    let Ok(model) = ModelShape::from_catalogue(open) else {
        return r.weight_bytes * f64::from(plan.replicas);
    };
    let hardware = HardwareShape { backend: r.backend, ..plan.machine.slice(r.devices(), r.pipeline) };
    // A number of tokens, far below 2^53.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let tokens = context_tokens.ceil().max(1.0) as u64;
    let load = Load { kv: r.kv, ..Load::new(tokens, 1) };
    memory::fits(&model, &hardware, r.format, &load).needed * f64::from(plan.replicas)
}

/// The mean of an option's total over all draws.
fn mean(pricing: &Pricing<'_>, n: usize) -> String {
    pricing.options[n].way.map_or_else(|| "more".to_owned(), |way| usd(pricing.totals.mean(way)))
}

/// What was left out before it was priced.
fn excluded(decided: &Decided<'_>) -> Vec<ExcludedGroup> {
    let Decided { pricing, choice, .. } = decided;
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

/// Answers that pull in different directions.
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

/// What would flip it: other answers on the same options, and numbers.
fn flips(decided: &Decided<'_>) -> Vec<Flip> {
    let Decided { pricing, choice, terms, .. } = decided;
    let here = pricing.options[choice.chosen].kind.placement();
    let mut found = numbers(decided);
    let mut consider = |what: &str, to: &str, changed: &Terms, condition: &str| {
        let Some(other) = choose(&pricing.options, Some(&pricing.totals), changed) else { return };
        let option = &pricing.options[other.chosen];
        let placement = option.kind.placement();
        if placement == here || found.iter().any(|f| f.what == what) {
            return;
        }
        let (Some(cost), Some(now)) = (option.cost, pricing.options[choice.chosen].cost) else { return };
        let change = cost.tco - now.tco;
        let change = if change < 0.0 {
            format!("{} less over {} months", usd(-change), pricing.case.need.horizon)
        } else {
            format!("{} more over {} months", usd(change), pricing.case.need.horizon)
        };
        found.push(Flip {
            what: what.to_owned(),
            to: Some(to.to_owned()),
            placement,
            settled_by: None,
            at: None,
            today: None,
            text: format!(
                "{condition}: {} ({}), {change}.",
                text::place(placement),
                name(decided, other.chosen)
            ),
        });
    };
    let with = |change: fn(&mut Terms)| {
        let mut changed = *terms;
        change(&mut changed);
        changed
    };
    for (privacy, condition) in [
        (Privacy::Sensitive, "If a provider with an agreement might see the data"),
        (Privacy::Standard, "If a provider might see the data"),
        (Privacy::Strict, "If the data might not leave"),
    ] {
        let mut changed = *terms;
        changed.answers.privacy = privacy;
        if privacy != terms.answers.privacy {
            consider("privacy", privacy.key(), &changed, condition);
        }
    }
    if terms.answers.operations == Operations::Limited {
        consider(
            "operations",
            "available",
            &with(|t| t.answers.operations = Operations::Available),
            "If somebody had the time to run it",
        );
    } else {
        consider(
            "operations",
            "limited",
            &with(|t| t.answers.operations = Operations::Limited),
            "If nobody had the time to run it",
        );
    }
    if terms.answers.budget == Budget::Opex {
        consider(
            "budget",
            "capex",
            &with(|t| {
                t.answers.budget = Budget::Capex;
                t.up_front = None;
            }),
            "If money could be spent up front",
        );
    } else {
        consider(
            "budget",
            "opex",
            &with(|t| {
                t.answers.budget = Budget::Opex;
                t.up_front = None;
            }),
            "If nothing could be spent up front",
        );
    }
    consider(
        "capability",
        "measured",
        &with(|t| t.answers.capability = crate::workload::Capability::Moderate),
        "If the open model were measured to be good enough on your prompts",
    );
    for modifier in terms.modifiers.iter() {
        let changed = Terms { modifiers: terms.modifiers.without(modifier), ..*terms };
        consider(modifier.key(), "no", &changed, &format!("Without \"{}\"", text::modifier(modifier)));
    }
    found
}

/// A need does not grow so many times.
const FAR: f64 = 100.0;

/// Requests, dollars, pass rate.
fn numbers(decided: &Decided<'_>) -> Vec<Flip> {
    let Decided { pricing, choice, .. } = decided;
    let Some((cloud, own)) = decided.rivals else { return Vec::new() };
    // Where the data decides, no number does.
    if choice.next.is_none() {
        return Vec::new();
    }
    let turns = &decided.turns;
    let here = pricing.options[choice.chosen].kind.placement();
    let (cheap_cloud, cheap_own) = (name(decided, cloud), name(decided, own));
    let mut found = Vec::new();
    let mut add = |what: &str, at: f64, today: Option<f64>, placement: Placement, text: String| {
        found.push(Flip {
            what: what.to_owned(),
            to: Some(number::plain(at)),
            placement,
            settled_by: None,
            at: Some(at),
            today,
            text,
        });
    };
    let requests = requests_now(pricing);
    let but = match choice.excluded[own] {
        Some(limit) if here == Placement::Cloud => format!(" (but {})", text::limit(limit)),
        _ => String::new(),
    };
    // At the likely values alone it would be the other one: that is said beside the matrix.
    let already = |at: f64| requests.is_some_and(|now| at > 0.0 && (here == Placement::Cloud) == (at <= now));
    match turns.requests {
        Some(at) if already(at) => {}
        Some(at) if here == Placement::Cloud && requests.is_some_and(|now| at > now * FAR) => {
            add(
                "requests_per_month",
                at,
                requests,
                Placement::Local,
                format!(
                    "More requests do not change it: only from {} a month on would {cheap_own} cost less.",
                    number::short(at)
                ),
            );
        }
        Some(at) if at > 0.0 => {
            let dollars = turns
                .usd_per_month
                .zip(requests)
                .map(|(usd_now, now)| format!(", an API bill of about {} a month", usd(usd_now / now * at)))
                .unwrap_or_default();
            if here == Placement::Cloud {
                add(
                    "requests_per_month",
                    at,
                    requests,
                    Placement::Local,
                    format!(
                        "From about {} requests a month on{dollars}, {cheap_own} costs less{but}.",
                        number::short(at)
                    ),
                );
            } else {
                add(
                    "requests_per_month",
                    at,
                    requests,
                    Placement::Cloud,
                    format!(
                        "Below about {} requests a month{dollars}, {cheap_cloud} costs less.",
                        number::short(at)
                    ),
                );
            }
        }
        _ if here == Placement::Cloud => {
            found.push(Flip {
                what: "requests_per_month".to_owned(),
                to: None,
                placement: here,
                settled_by: None,
                at: None,
                today: requests,
                text: format!("More requests alone do not change it: {cheap_own} costs more at any volume."),
            });
            return with_price(decided, found, &cheap_cloud, here, &but);
        }
        _ => {}
    }
    with_price(decided, found, &cheap_cloud, here, &but)
}

fn with_price(
    decided: &Decided<'_>,
    mut found: Vec<Flip>,
    cheap_cloud: &str,
    here: Placement,
    but: &str,
) -> Vec<Flip> {
    let turns = &decided.turns;
    let turned = turns.api_usd_per_mtok.filter(|(at, today)| (here == Placement::Cloud) == (at > today));
    if let Some((at, today)) = turned {
        let (placement, text) = if here == Placement::Cloud {
            let times = if today > 0.0 {
                format!(", {} times today's", number::measured(at / today))
            } else {
                String::new()
            };
            (
                Placement::Local,
                format!(
                    "If {cheap_cloud} cost more than {} per million tokens{times}, running it yourself would cost less{but}.",
                    usd(at)
                ),
            )
        } else {
            (
                Placement::Cloud,
                format!(
                    "If {cheap_cloud} cost less than {} per million tokens (today {}), it would be the cheaper one.",
                    usd(at),
                    usd(today)
                ),
            )
        };
        if at.is_finite() && (at - today).abs() > 1e-12 {
            found.push(Flip {
                what: "api_usd_per_mtok".to_owned(),
                to: Some(number::plain(at)),
                placement,
                settled_by: None,
                at: Some(at),
                today: Some(today),
                text,
            });
        }
    }
    if let Some(rate) = turns.pass_rate.filter(|r| here != Placement::Cloud && *r > 0.0) {
        found.push(Flip {
            what: "pass_rate".to_owned(),
            to: Some(number::plain(rate)),
            placement: Placement::Cloud,
            settled_by: None,
            at: Some(rate),
            today: None,
            text: format!(
                "If fewer than {} of the open model's answers were good enough, and the others went on to the API, the API alone would cost less.",
                number::percent(rate)
            ),
        });
    }
    found
}

fn requests_now(pricing: &Pricing<'_>) -> Option<f64> {
    pricing.offers.first().map(|o| o.requests_per_month)
}

/// What to do on Monday.
fn first_steps(decided: &Decided<'_>) -> Vec<RecipeStep> {
    let Decided { pricing, choice, .. } = decided;
    let n = choice.chosen;
    let option = &pricing.options[n];
    let mut steps = Vec::new();
    let mut step = |text: String, code: Option<String>| steps.push(RecipeStep { text, code });
    let api = api_model(pricing, n);
    if let Some(id) = &api {
        let (provider, model) = id.split_once('/').unwrap_or(("openai", id));
        step(
            "Take a few dozen of your own prompts and measure the API on them; the first call of this command costs nothing.".to_owned(),
            Some(format!("freehold bench --api {} --prompts prompts.jsonl --dry-run", quoted(&format!("{provider}:{model}")))),
        );
    }
    match option.kind {
        Kind::Api | Kind::SameModel => {
            let cost = parts(pricing, n).get("api").copied().unwrap_or_default();
            step(format!("Set a limit of about {} a month at the provider, twice what is expected.", usd((cost * 2.0).max(10.0))), None);
        }
        Kind::Seats => step("Buy seats for one team first, and see in a month who uses them.".to_owned(), None),
        Kind::Rented => step("Rent one machine for a day, serve the model, and measure it under your load before you commit.".to_owned(), None),
        Kind::Owned | Kind::Have | Kind::Routed | Kind::Overflow => step(
            "Before you order: rent the same accelerator for a day, serve the model, and measure speed and answers under your load.".to_owned(),
            None,
        ),
    }
    if option.kind.placement() != Placement::Cloud {
        step("Name the person who looks after it, and who does when that person is away.".to_owned(), None);
    }
    step(
        "Write the files that run it.".to_owned(),
        Some("freehold deploy advice.json -o deployment".to_owned()),
    );
    steps
}

/// `freehold breakeven …` with the same offers.
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
        // The name comes first: given again, it begins the next offer.
        if let Some(name) = fields.get(cloud::NAME.name).or(model) {
            push(format!("--{}", cloud::NAME.flag()), &name.value);
        }
        for key in [cloud::MODEL, cloud::FIXED] {
            if let Some(given) = fields.get(key.name) {
                push(format!("--{}", key.flag()), &given.value);
            }
        }
    }
    for fields in &scenario.local {
        for key in local::KEYS {
            let first = *key == local::KIND;
            if let Some(given) = fields.get(key.name).filter(|_| !first) {
                push(format!("--{}", key.flag()), &given.value);
            }
        }
        if let Some(given) = fields.get(local::KIND.name) {
            push(format!("--{}", local::KIND.flag()), &given.value);
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
    for limit in &choice.gives {
        found.push(Warning::new(
            "answer-gives-way",
            format!("Nothing meets every answer. This comes nearest, although {}.", text::limit(*limit)),
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
            format!("The machine will be idle {} of the time: it is bought for where the data is, not for the load.", number::percent(1.0 - busy)),
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
    let _ = Limit::NotPriced;
    found
}
