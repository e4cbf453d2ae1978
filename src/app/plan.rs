//! `fit --plan`: what to build to serve a need.

pub mod keys;

use super::refusal::Refusal;
use crate::capacity::ModelShape;
use crate::catalog::{self, Accelerator, Catalog, HardwareClass, Host};
use crate::cost::case::{Blueprint, InputRecord};
use crate::cost::keys::local;
use crate::cost::{self, Basis, PlanCase, Scenario};
use crate::document::SkippedEntry;
use crate::document::breakeven::text::warning;
use crate::document::envelope::{Envelope, Input, Warning};
use crate::document::plan::{
    NamedNeed, OwnedCopy, OwnedResult, OwnedRow, PlanDocument, PlanNeed, PlanResult, PlanRow, RejectedRow,
    SCHEMA, TogetherRow, order_name,
};
use crate::plan::{self, Ask, Machine, Owned, Part};
use crate::provenance::Source;
use crate::spelling::nearest;
use crate::workload::keys::{Key, need};
use crate::workload::{Fields, Given, Range, Value};
use std::collections::BTreeSet;

/// Machines that are there already, as the user named them.
#[derive(Debug, Clone)]
pub struct Have {
    pub text: String,
    pub owned: Owned,
}

/// Makes plans for the needs of a scenario. With several needs, the machines of `have` serve them in turn.
pub fn plan(
    scenario: &Scenario,
    basis: Basis<'_>,
    have: &[Have],
    now: &str,
) -> Result<PlanDocument, Refusal> {
    let ignored = keys::ignored(scenario)?;
    let found = cost::resolve_plans(scenario, basis).map_err(no_plan)?;
    let mut further = Vec::new();
    for (n, need) in scenario.further_needs.iter().enumerate() {
        let own = scenario.local.get(n + 1).or(scenario.local.first()).cloned();
        let one = Scenario {
            need: need.clone(),
            further_needs: Vec::new(),
            local: own.into_iter().collect(),
            ..scenario.clone()
        };
        further.push(cost::resolve_plans(&one, basis).map_err(no_plan)?);
    }
    let needs: Vec<&PlanCase> = std::iter::once(&found).chain(&further).collect();
    let case = &found.case;
    let owned = if have.is_empty() { Vec::new() } else { owned(&needs, have, basis.catalog)? };
    let shares = shares(&owned, &needs);
    // What is there carries part of the load: what would be ordered is for the rest.
    let share = shares.iter().any(|share| *share < 1.0).then(|| {
        let rate = |(n, share): (&&PlanCase, &f64)| (n.need.rate() * share, n.need.rate());
        let sums = needs.iter().zip(&shares).map(rate).fold((0.0, 0.0), |a, b| (a.0 + b.0, a.1 + b.1));
        sums.0 / sums.1
    });
    let rest = match share {
        Some(share) if needs.len() == 1 => {
            Some(cost::resolve_plans(&part_of(scenario, share), basis).map_err(no_plan)?)
        }
        _ => None,
    };
    let ordered = rest.as_ref().unwrap_or(&found);
    let (mut plans, mut four) = rows(ordered);
    let all_new = rest.as_ref().and_then(|_| rows(&found).0.into_iter().next()).map(|(row, _)| row);
    let all_new = all_new.filter(|row| row.misses.is_empty());
    // The search ranked by its estimates. Where the first has few bits anyway, so may a cheaper one.
    let first = plans.first().map(|(row, _)| row).filter(|row| row.few_bits && row.misses.is_empty());
    let most = first.map_or(f64::NEG_INFINITY, |row| row.tco_usd);
    plans.splice(0..0, four.take_if(|(row, _)| row.tco_usd < most));
    let in_four_bits = four.map(|(row, plan)| PlanRow { terms: PlanRow::terms_of(plan), ..row });
    let best = |key: &dyn Fn(&PlanRow) -> f64| {
        let kept = plans.iter().enumerate().filter(|(_, (p, _))| p.misses.is_empty());
        kept.min_by(|a, b| key(&a.1.0).total_cmp(&key(&b.1.0))).and_then(|(n, _)| u32::try_from(n).ok())
    };
    let output = found.need.output.mean;
    let chosen = (
        best(&|p| p.tco_usd),
        best(&|p| f64::from(p.hosts)),
        best(&|p| p.ttft_ms.likely + output * p.tpot_ms.likely),
    );
    // Only the plans that somebody would order get their intermediate figures: hundreds of plans would have
    // thousands.
    let explained = [chosen.0, chosen.1, chosen.2, Some(0)];
    for (n, (row, plan)) in plans.iter_mut().enumerate() {
        if explained.iter().flatten().any(|kept| usize::try_from(*kept) == Ok(n)) {
            row.terms = PlanRow::terms_of(plan);
            counted(row, &case.inputs);
        }
    }
    let plans: Vec<PlanRow> = plans.into_iter().map(|(row, _)| row).collect();
    let asked = share.filter(|_| rest.is_some()).map(|share| part_of(scenario, share));
    let asked = asked.as_ref().unwrap_or(scenario);
    let with_later_limits = plans.first().and_then(|first| later(asked, basis, ordered, first));
    let mut seen = BTreeSet::new();
    // The nearest first.
    let mut tried: Vec<&plan::Rejected> = found.rejected.iter().collect();
    tried.sort_by(|a, b| missed_by(a).total_cmp(&missed_by(b)));
    let rejected = tried.into_iter().map(RejectedRow::of);
    let rejected =
        rejected.filter(|r| seen.insert((r.accelerator.clone(), r.engine.clone(), r.quantisation.clone())));
    let (together, together_in_few_bits) =
        if needs.len() > 1 { together(&needs, &shares, scenario, basis)? } else { (Vec::new(), None) };
    let result = PlanResult {
        model: found.model.clone(),
        need: need_of(&found.need),
        horizon_months: case.need.horizon,
        currency: case.finance.currency.code().to_owned(),
        usd_rate: case.finance.currency.per_usd(),
        rejected: rejected.collect(),
        skipped: found
            .skipped
            .iter()
            .map(|s| SkippedEntry { id: s.id.clone(), why: s.why.clone() })
            .collect(),
        owned,
        planned_share: share,
        all_new,
        together,
        together_in_few_bits,
        needs: if needs.len() > 1 { named_needs(&needs) } else { Vec::new() },
        in_four_bits,
        with_later_limits,
        cheapest: chosen.0,
        fewest_hosts: chosen.1,
        lowest_latency: chosen.2,
        plans,
    };
    let mut inputs: std::collections::BTreeMap<String, Input> = case
        .inputs
        .iter()
        .filter(|i| !i.name.starts_with("all."))
        .map(|i| (i.name.clone(), Input::given(&i.value, i.unit, i.source.clone())))
        .collect();
    for (n, one) in further.iter().enumerate() {
        for input in &one.case.inputs {
            let Some(key) = input.name.strip_prefix("need.") else { continue };
            let input_of = Input::given(&input.value, input.unit, input.source.clone());
            inputs.insert(format!("need.{}.{key}", n + 2), input_of);
        }
        for input in one.case.inputs.iter().filter(|_| scenario.local.len() > n + 1) {
            let Some(key) = input.name.strip_prefix("local.") else { continue };
            let input_of = Input::given(&input.value, input.unit, input.source.clone());
            inputs.insert(format!("local.{}.{key}", n + 2), input_of);
        }
    }
    inputs
        .insert("plan".to_owned(), Input { value: true.into(), unit: None, source: Source::flag("--plan") });
    if !have.is_empty() {
        let named: Vec<&str> = have.iter().map(|h| h.text.as_str()).collect();
        let value = serde_json::to_value(named).unwrap_or_default();
        inputs.insert("have".to_owned(), Input { value, unit: None, source: Source::flag("--have") });
    }
    let mut warnings: Vec<Warning> = ignored.into_iter().collect();
    let grows = |fields: &Fields| {
        let growth = fields.get(need::GROWTH_PER_MONTH.name).and_then(|g| g.value.range());
        growth.is_some_and(|growth| growth.likely != 0.0)
    };
    if needs.len() > 1 && std::iter::once(&scenario.need).chain(&scenario.further_needs).any(grows) {
        warnings.push(Warning::new(
            "growth-of-several-needs",
            "The machines for several needs are those of the first month: growth is not counted.",
        ));
    }
    let mut ids = BTreeSet::new();
    for notice in &case.notices {
        let shown = warning(notice, &case.finance.currency);
        // Hundreds of plans share their warnings: each is given once.
        if shown.id != "predicted-speed" && ids.insert(shown.id.clone()) {
            warnings.push(shown);
        }
    }
    Ok(Envelope {
        schema: SCHEMA.to_owned(),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        created: now.to_owned(),
        inputs,
        result,
        warnings,
    })
}

/// A plan as a row, with the blueprint it was made from.
type Row<'c> = (PlanRow, &'c Blueprint);

/// The plans of a case, those that keep the limits first, then by total cost; and the best with four bits
/// that the maker did not release, where these are set apart.
fn rows(found: &PlanCase) -> (Vec<Row<'_>>, Option<Row<'_>>) {
    let case = &found.case;
    let summaries = cost::alone(case);
    let row = |offer: usize| {
        let plan = case.offers[offer].plan.as_deref()?;
        let context = found.need.input.p95 + found.need.output.p95;
        let mut row =
            PlanRow::brief(&case.offers[offer].name, plan, &found.model, context, &summaries[offer]);
        row.name = order_name(&plan.machine, row.hosts);
        Some((row, plan))
    };
    let mut plans: Vec<Row<'_>> =
        (0..case.offers.len()).filter(|n| !found.in_four_bits.contains(n)).filter_map(row).collect();
    // The search uses estimates of cost; the order is by what the cost engine computes.
    plans.sort_by(|(a, _), (b, _)| {
        (a.misses.len().cmp(&b.misses.len()))
            .then(a.tco_usd.total_cmp(&b.tco_usd))
            .then_with(|| a.host.cmp(&b.host))
    });
    (plans, found.in_four_bits.first().copied().and_then(row))
}

/// For each need the share of its load that the machines that are there do not carry. 1 for all of them
/// where these carry everything or nothing, or where there are none: what is then planned is for the whole
/// load.
fn shares(owned: &[OwnedResult], needs: &[&PlanCase]) -> Vec<f64> {
    let short = |o: &OwnedResult| o.short_requests_per_second > 0.0;
    let helps = |o: &OwnedResult| o.requests_per_second_at_most > 0.0;
    if !owned.iter().any(short) || !owned.iter().any(helps) {
        return vec![1.0; needs.len()];
    }
    let of = |need: &&PlanCase| {
        let row = owned.iter().find(|o| o.model == need.model);
        row.map_or(1.0, |o| (o.short_requests_per_second / o.requests_per_second_asked).clamp(0.0, 1.0))
    };
    needs.iter().map(of).collect()
}

/// The scenario with this share of its requests.
fn part_of(scenario: &Scenario, share: f64) -> Scenario {
    let mut part = Scenario { further_needs: Vec::new(), ..scenario.clone() };
    let of = |key: &Key, otherwise: Option<f64>| {
        let given = scenario.need.get(key.name).and_then(|g| g.value.range());
        let range = given.or_else(|| otherwise.map(Range::exactly))?.map(|v| v * share);
        let reason = "what the machines that are there do not carry";
        Some((key.name, Given::chosen(Value::Number(range), "missing", reason)))
    };
    let keys = [of(need::VOLUME_FACTOR, Some(1.0)), of(need::PEAK_REQUESTS_PER_SECOND, None)];
    part.need.extend(keys.into_iter().flatten());
    part
}

/// Staff hours and watts that the user gave replace what the plan assumed.
fn counted(row: &mut PlanRow, inputs: &[InputRecord]) {
    let given = |keys: &[&str]| {
        let own =
            inputs.iter().find(|i| keys.contains(&i.name.as_str()) && matches!(i.source, Source::User(_)));
        own.map(|i| i.source.clone())
    };
    let hours = row.staff_hours_per_month.likely;
    let watts = ["local.idle_watts", "local.load_watts"];
    for term in &mut row.terms {
        let (value, source) = match term.name.as_str() {
            "bill.people-hours" => (Some(hours), given(&["local.staff_hours_per_month"])),
            "bill.mean-watts" => (row.watts, given(&watts)),
            "bill.full-watts" => (row.full_watts, given(&watts)),
            _ => continue,
        };
        if let (Some(value), Some(source)) = (value, source) {
            (term.value, term.source) = (value, source);
        }
    }
}

/// A plan with looser limits is mentioned if it costs at most this share: at least a fifth less.
const WORTH_SAYING: f64 = 0.8;

/// The cheapest plan with limits twice as long, where a limit binds and that plan is much cheaper.
fn later(scenario: &Scenario, basis: Basis<'_>, found: &PlanCase, first: &PlanRow) -> Option<PlanRow> {
    let bound = first.binds.iter().any(|b| matches!(b.as_str(), "ttft" | "tpot" | "e2e"));
    if !bound || !first.misses.is_empty() || found.need.batch.is_some() {
        return None;
    }
    let mut eased = Scenario { further_needs: Vec::new(), ..scenario.clone() };
    let limits = found.need.limits;
    let keys =
        [(need::TTFT_MS, limits.ttft_ms), (need::TPOT_MS, limits.tpot_ms), (need::E2E_MS, limits.e2e_ms)];
    for (key, ms) in keys {
        let Some(ms) = ms else { continue };
        let twice = Value::Number(Range::exactly(2.0 * ms));
        eased.need.insert(key.name, Given::chosen(twice, "twice", "what the limit costs"));
    }
    let found = cost::resolve_plans(&eased, basis).ok()?;
    let case = &found.case;
    let priced = cost::alone(case);
    let context = found.need.input.p95 + found.need.output.p95;
    let row = |offer: usize| {
        let plan = case.offers[offer].plan.as_deref()?;
        let mut row =
            PlanRow::brief(&case.offers[offer].name, plan, &found.model, context, priced.get(offer)?);
        row.name = order_name(&plan.machine, row.hosts);
        row.misses.is_empty().then_some(row)
    };
    let rows = (0..case.offers.len()).filter(|n| !found.in_four_bits.contains(n)).filter_map(row);
    let best = rows.min_by(|a, b| a.tco_usd.total_cmp(&b.tco_usd))?;
    (best.tco_usd < WORTH_SAYING * first.tco_usd).then_some(best)
}

/// The refusal where a needed input is missing: names the flags of `fit`.
fn no_plan(error: cost::ResolveError) -> Refusal {
    let cost::ResolveError::Missing(keys) = &error else { return error.into() };
    let flag = |key: &str| match key.split_once('.') {
        Some(("need", name)) => format!("--{}", name.replace('_', "-")),
        Some(("local", "model")) => "--model".to_owned(),
        _ => format!("--{}", key.replace('_', "-")),
    };
    let lines: Vec<String> =
        keys.iter().map(|m| format!("  {} ({}): {}", m.key, flag(&m.key), m.why)).collect();
    Refusal::input(format!("no plan can be made without:\n{}", lines.join("\n")))
        .hint("give each as a flag or in a scenario file; --usage takes them from records of usage")
}

/// How many times a limit, or the memory, is exceeded.
fn missed_by(rejected: &plan::Rejected) -> f64 {
    match rejected.why {
        plan::Why::TooSlow { over, .. } => over,
        plan::Why::DoesNotFit { weights, memory } => weights / memory.max(1.0),
        plan::Why::NoWeights | plan::Why::NoEngine => f64::INFINITY,
    }
}

fn need_of(need: &plan::Need) -> PlanNeed {
    PlanNeed {
        purpose: need.use_.key().to_owned(),
        requests_per_second_mean: need.mean_rate,
        requests_per_second_peak: need.rate(),
        input_tokens: need.input.mean,
        input_tokens_p95: need.input.p95,
        output_tokens: need.output.mean,
        repeated_share: need.repeated_share,
        ttft_limit_ms: need.limits.ttft_ms,
        tpot_limit_ms: need.limits.tpot_ms,
        e2e_limit_ms: need.limits.e2e_ms,
        limits_from: plan::limits_source(need.use_).to_owned(),
        must_stay_up: need.must_stay_up,
        deadline_hours: need.batch.map(|b| b.deadline_hours),
    }
}

fn named_needs(needs: &[&PlanCase]) -> Vec<NamedNeed> {
    let of = |(n, asked): (usize, &&PlanCase)| NamedNeed {
        name: name_of(asked, n),
        model: asked.model.clone(),
        need: need_of(&asked.need),
    };
    needs.iter().enumerate().map(of).collect()
}

fn shape_of(catalog: &Catalog, id: &str) -> Result<(ModelShape, Option<u32>), Refusal> {
    let model =
        catalog.open_model(id).ok_or_else(|| Refusal::input(format!("`{id}` is not in the catalogue")))?;
    let shape = ModelShape::from_catalogue(model).map_err(|e| Refusal::input(format!("{id}: {e}")))?;
    Ok((shape, model.heads))
}

/// What the machines that are there carry of each need; a later need gets what is left.
fn owned(needs: &[&PlanCase], have: &[Have], catalog: &Catalog) -> Result<Vec<OwnedResult>, Refusal> {
    let mut left: Vec<Owned> = have.iter().map(|h| h.owned.clone()).collect();
    let mut results = Vec::new();
    // Needs of one model share its copies, in the order in which the models are first asked for.
    let mut groups: Vec<(&PlanCase, plan::Need)> = Vec::new();
    for (n, asked) in needs.iter().enumerate() {
        let own = plan::Need { name: name_of(asked, n), ..asked.need.clone() };
        match groups.iter_mut().find(|(first, _)| first.model == asked.model) {
            Some((_, need)) => *need = need.and(&own),
            None => groups.push((asked, own)),
        }
    }
    for (asked, need) in groups {
        let (shape, heads) = shape_of(catalog, &asked.model)?;
        let weighing = asked.weighing;
        let cost = |bill: &plan::Bill<'_>| weighing.cost(bill);
        let ask =
            Ask { need: &need, model: &shape, heads, machines: &[], allowed: &asked.allowed, cost: &cost };
        // The machines that have accelerators left.
        let (places, there): (Vec<usize>, Vec<Owned>) = left
            .iter()
            .enumerate()
            .filter(|(_, o)| o.machine.accelerators > 0)
            .map(|(index, owned)| (index, owned.clone()))
            .unzip();
        let carried = plan::carry(&ask, &there);
        let survives = need.must_stay_up.then(|| survives(&ask, &there));
        let mut machines = Vec::new();
        for (index, owned) in left.iter_mut().enumerate() {
            let position = places.iter().position(|place| *place == index);
            let placed = carried.as_ref().and_then(|c| c.placed.iter().find(|p| Some(p.owned) == position));
            let all = owned.machine.accelerators * owned.number;
            machines.push(OwnedRow {
                name: have[index].text.clone(),
                hosts: owned.number,
                accelerators: all,
                host: owned.machine.id.clone(),
                accelerator: owned.machine.accelerator.clone(),
                accelerator_name: owned.machine.accelerator_name.clone(),
                runs: placed
                    .map(|p| OwnedCopy::of(&p.replica, &need, p.replicas, p.room, p.carries, &owned.machine)),
                free_accelerators: placed.map_or(all, |p| p.free_accelerators),
            });
            if let Some(p) = placed {
                // The free accelerators are spread over the machines; counting them as one machine is close
                // enough for the next need.
                owned.machine.accelerators = p.free_accelerators;
                owned.number = 1;
            }
        }
        let rate = need.rate();
        results.push(OwnedResult {
            need: need.name.clone(),
            model: asked.model.clone(),
            requests_per_second_asked: rate,
            requests_per_second_at_most: carried.as_ref().map_or(0.0, |c| c.at_most),
            short_requests_per_second: carried.as_ref().map_or(rate, |c| c.short),
            free_at_peak: carried.as_ref().map_or(0.0, |c| c.free_at_peak),
            free_by_hour: carried.as_ref().and_then(|c| c.free_by_hour.clone()),
            survives_failure: survives,
            machines,
        });
    }
    Ok(results)
}

/// Do the other machines carry the need when any one fails?
fn survives(ask: &Ask<'_>, there: &[Owned]) -> bool {
    (0..there.len()).all(|failed| {
        let mut others = there.to_vec();
        others[failed].number -= 1;
        others.retain(|o| o.number > 0);
        plan::carry(ask, &others).is_some_and(|c| c.short <= 0.0)
    })
}

fn name_of(asked: &PlanCase, n: usize) -> String {
    if asked.need.name.is_empty() { format!("need {}", n + 1) } else { asked.need.name.clone() }
}

/// Most rows of a table of plans for several needs.
const TOGETHER: usize = 10;

/// Plans for all needs, or for the share of each that is missing, on machines of one kind: the cheapest
/// first, each kind of accelerator once; and the cheapest with few bits, where there are others.
fn together(
    needs: &[&PlanCase],
    shares: &[f64],
    scenario: &Scenario,
    basis: Basis<'_>,
) -> Result<(Vec<TogetherRow>, Option<TogetherRow>), Refusal> {
    let mut named: Vec<plan::Need> = Vec::new();
    let mut missing: Vec<&PlanCase> = Vec::new();
    for ((n, asked), share) in needs.iter().enumerate().zip(shares).filter(|(_, share)| **share > 0.0) {
        let need = plan::Need { name: name_of(asked, n), ..asked.need.clone() };
        named.push(need.times(*share));
        missing.push(asked);
    }
    let needs = missing.as_slice();
    let shapes: Vec<_> = needs.iter().map(|n| shape_of(basis.catalog, &n.model)).collect::<Result<_, _>>()?;
    let parts: Vec<Part<'_>> = needs
        .iter()
        .zip(&shapes)
        .zip(&named)
        .map(|((asked, (model, heads)), need)| Part { need, model, heads: *heads, allowed: &asked.allowed })
        .collect();
    let Some(first) = needs.first() else { return Ok((Vec::new(), None)) };
    let weighing = first.weighing;
    let machines: &[Machine] = &first.machines;
    // The search uses estimates of cost; the order is by what the cost engine computes.
    let found = plan::together(&parts, machines, &|bill| weighing.cost(bill));
    let bills: Vec<plan::Bill<'_>> = found.iter().map(|t| t.bill.clone()).collect();
    let (case, places) = cost::resolve_bills(scenario, basis, &bills).map_err(no_plan)?;
    let priced = cost::alone(&case);
    let models = models_in_order(needs);
    let mut rows: Vec<TogetherRow> = found
        .iter()
        .zip(places)
        .filter_map(|(t, place)| Some(TogetherRow::of(t, &models, priced.get(place?)?)))
        .collect();
    rows.sort_by(|a, b| a.total_usd.total_cmp(&b.total_usd).then_with(|| a.host.cmp(&b.host)));
    // As for one need: weights of few bits lose some quality, so they are mentioned beside the others.
    let (few, enough): (Vec<_>, Vec<_>) = rows.into_iter().partition(|r| r.few_bits);
    let (mut rows, few) = if enough.is_empty() { (few, None) } else { (enough, few.into_iter().next()) };
    let mut seen = BTreeSet::new();
    rows.retain(|r| seen.insert((r.accelerator.clone(), r.accelerators)));
    rows.truncate(TOGETHER);
    Ok((rows, few))
}

/// Models of several needs, in the order of [`plan::together`].
fn models_in_order(needs: &[&PlanCase]) -> BTreeSet<String> {
    needs.iter().map(|n| n.model.clone()).collect()
}

/// Reads machines that are there: `4x nvidia-h100-sxm-80gb@dgx`, `2x dgx-h100`, `nvidia-rtx-4090`. They are
/// accelerators, in the host that is named, or complete machines.
pub fn have(text: &str, catalog: &Catalog) -> Result<Have, Refusal> {
    named_as("--have ", text, catalog)
}

/// The same from `local.hosts` of a scenario; each machine once, however many tables name it.
pub fn hosts(scenario: &Scenario, catalog: &Catalog) -> Result<Vec<Have>, Refusal> {
    let mut texts: Vec<&str> = Vec::new();
    for fields in &scenario.local {
        if let Some(Value::Texts(named)) = fields.get(local::HOSTS.name).map(|g| &g.value) {
            texts.extend(named.iter().map(String::as_str).filter(|t| !texts.contains(t)).collect::<Vec<_>>());
        }
    }
    texts.into_iter().map(|text| named_as("local.hosts: ", text, catalog)).collect()
}

fn named_as(place: &str, text: &str, catalog: &Catalog) -> Result<Have, Refusal> {
    let wrong = |why: String| {
        Refusal::input(format!("{place}{text}: {why}"))
            .hint("for example `4x nvidia-h100-sxm-80gb`, `4x nvidia-h100-sxm-80gb@HOST` or `2x dgx-h100`; `freehold db list` has the names")
    };
    let Some(plan::Named { number, id, place }) = plan::Named::parse(text) else {
        return Err(wrong(format!("the number is 1 to {}", plan::Named::MOST)));
    };
    if let Some(machine) = catalog.machines.iter().find(|m| m.id == id) {
        let machine = plan::machine::already_there(catalog, machine)
            .map_err(|why| wrong(format!("{id} cannot be planned with: {why}")))?;
        return Ok(Have { text: text.to_owned(), owned: Owned { machine: machine.owned(), number } });
    }
    let Some(card) = catalog.accelerators.iter().find(|c| c.id == id && c.class != HardwareClass::Cpu) else {
        let ids = catalog.accelerators.iter().map(|c| c.id.as_str());
        let near = nearest(id, ids.chain(catalog.machines.iter().map(|m| m.id.as_str())), 3);
        let near =
            if near.is_empty() { String::new() } else { format!("; did you mean {}?", near.join(" or ")) };
        return Err(wrong(format!("`{id}` is not an accelerator or machine of the catalogue{near}")));
    };
    let (machine, hosts) = match place {
        None => bare(card, number).map_err(wrong)?,
        Some(place) => inside(catalog, card, number, place).map_err(wrong)?,
    };
    Ok(Have { text: text.to_owned(), owned: Owned { machine: machine.owned(), number: hosts } })
}

/// The accelerators without a host, as one machine.
fn bare(card: &Accelerator, number: u32) -> Result<(Machine, u32), String> {
    let cite = card.cite("board_watts");
    let source =
        Source::Database { entry: format!("gpu {}", card.id), source: cite.source, as_of: cite.as_of };
    let machine = plan::machine::bare(card, number, &card.id, source)
        .ok_or_else(|| format!("the power of {} is not in the catalogue", card.id))?;
    Ok((machine, 1))
}

/// `number` of the cards in the host or machine that is named, which they fill wholly or in part. What is
/// there needs no price.
fn inside(catalog: &Catalog, card: &Accelerator, number: u32, place: &str) -> Result<(Machine, u32), String> {
    let complete = catalog.machines.iter().filter(|m| m.id.contains(place));
    let complete = complete
        .filter(|m| m.accelerator.as_deref() == Some(card.id.as_str()))
        .find_map(|m| plan::machine::already_there(catalog, m).ok());
    let made = complete.or_else(|| {
        let like = catalog.orders().filter(|(host, c, ..)| c.id == card.id && host.id.contains(place));
        let mut fitting: Vec<_> =
            like.filter_map(|(_, _, n, order)| Some((n, plan::machine::from_order(&order.ok()?)?))).collect();
        fitting.sort_by_key(|(n, _)| (*n < number, *n));
        fitting.into_iter().next().map(|(_, machine)| machine)
    });
    let (mut machine, holds) = match made {
        Some(machine) => {
            let holds = machine.accelerators;
            (machine, holds)
        }
        None => unpriced(catalog, card, number, place)?,
    };
    // It holds fewer cards than it could.
    if number < holds {
        machine.accelerators = number;
        return Ok((machine, 1));
    }
    if !number.is_multiple_of(holds) {
        return Err(format!("{number} do not fill machines of {holds}"));
    }
    Ok((machine, number / holds))
}

/// Cards in a host without a known price: the cards stand for it, as many as it holds.
fn unpriced(
    catalog: &Catalog,
    card: &Accelerator,
    number: u32,
    place: &str,
) -> Result<(Machine, u32), String> {
    let full = |host: &Host| if host.slots.number > 0 { number.min(host.slots.number) } else { number };
    let like: Vec<&Host> = catalog.hosts.iter().filter(|h| h.id.contains(place)).collect();
    let exact = like.iter().copied().find(|h| h.id == place);
    // A board may be there in part.
    let holds = |host: &Host| if host.slots.always_full() { host.slots.number } else { full(host) };
    let takes = |host: &&Host| host.carries(card, holds(host)).is_ok();
    if let Some(host) = exact.filter(takes).or_else(|| like.iter().copied().find(takes)) {
        let (machine, _) = bare(card, holds(host))?;
        return Ok((machine, holds(host)));
    }
    if let Some(host) = exact.or_else(|| like.first().copied().filter(|_| like.len() == 1)) {
        let why = host.carries(card, holds(host)).err().map_or_else(String::new, |why| why.to_string());
        let at = catalog::line_of("host", &host.id).map_or_else(String::new, |at| format!(" ({at})"));
        return Err(format!("`{}`{at} takes no {}: {why}", host.id, card.id));
    }
    let hosts = catalog.hosts.iter().map(|h| h.id.as_str());
    let near = nearest(place, hosts.chain(catalog.machines.iter().map(|m| m.id.as_str())), 3);
    let near = if near.is_empty() { String::new() } else { format!("; did you mean {}?", near.join(" or ")) };
    Err(format!("no host like `{place}` takes {}{near}", card.id))
}
