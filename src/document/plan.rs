//! `freehold.plan/1`: what somebody would build to serve a need with one open model.
//!
//! A plan names the machine, how many, what runs on each, what every request gets, what keeps it from
//! being smaller, and what it costs. Times are milliseconds; those with a band are means at the peak,
//! `ttft_p95_ms` and `tpot_p95_ms` are what the limits are held against.

use super::envelope::Envelope;
use super::fit::BandRow;
use super::skipped::SkippedEntry;
use crate::capacity::{Quantisation, Spread, has_rows};
use crate::cost::OfferSummary;
use crate::cost::case::Blueprint;
use crate::document::metrics::definition;
use crate::plan::weights::Weights;
use crate::plan::{Bind, Machine, Missed, Need, Rejected, Replica, Together, Why, few_bits};
use crate::provenance::Source;
use crate::workload::Range;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Name and major version of the document.
pub const SCHEMA: &str = "freehold.plan/1";

/// A plan document.
pub type PlanDocument = Envelope<PlanResult>;

/// Plans for one need and one model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlanResult {
    /// Id of the open model in the catalogue.
    pub model: String,
    /// What the plans must carry.
    pub need: PlanNeed,
    /// Months over which totals are counted.
    pub horizon_months: u32,
    /// ISO 4217 code of the currency that amounts are shown in; the fields are US dollars.
    pub currency: String,
    /// Units of that currency for one US dollar.
    pub usd_rate: f64,
    /// Plans that carry the need within the limits, the chosen one first, then by total cost. Where no
    /// plan keeps the limits: the one that comes nearest, with what it misses.
    pub plans: Vec<PlanRow>,
    /// Index in `plans` of the one with the lowest total cost; null where there is none.
    pub cheapest: Option<u32>,
    /// Index in `plans` of the one with the fewest machines.
    pub fewest_hosts: Option<u32>,
    /// Index in `plans` of the one whose whole answers are there first.
    pub lowest_latency: Option<u32>,
    /// The best plan with weights of four bits that the maker of the model did not release; null where
    /// there is none, or where only such plans exist (they then stand in `plans`).
    pub in_four_bits: Option<PlanRow>,
    /// The cheapest plan with limits on latency twice as long, where a limit binds and it costs less than
    /// four fifths of the chosen one; else null.
    #[serde(default)]
    pub with_later_limits: Option<PlanRow>,
    /// What was tried and is no plan.
    pub rejected: Vec<RejectedRow>,
    /// Machines that could not be considered.
    pub skipped: Vec<SkippedEntry>,
    /// What machines that are there already do, one for each need in turn: a later
    /// one gets what the earlier left free. Empty where none were named.
    #[serde(default)]
    pub owned: Vec<OwnedResult>,
    /// Several needs on the same machines: the best plans; empty where there is one need.
    #[serde(default)]
    pub together: Vec<TogetherRow>,
    /// Every need with its model, where there are several: `need` and `plans` are the first's alone.
    #[serde(default)]
    pub needs: Vec<NamedNeed>,
}

/// One need of several.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NamedNeed {
    /// What it is called.
    pub name: String,
    /// Id of the model that serves it.
    pub model: String,
    /// What must be carried.
    pub need: PlanNeed,
}

/// What the plans must carry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlanNeed {
    /// `chat`, `code`, `rag`, `documents`, `agent` or `batch`.
    #[serde(rename = "use")]
    pub purpose: String,
    /// Requests a second, mean over the hours of the month.
    pub requests_per_second_mean: f64,
    /// Requests a second in the busiest time, or what the deadline of a batch asks for.
    pub requests_per_second_peak: f64,
    /// Input tokens of a request, mean.
    pub input_tokens: f64,
    /// Input tokens that 95 requests of 100 do not exceed.
    pub input_tokens_p95: f64,
    /// Output tokens of a request with its reasoning, mean.
    pub output_tokens: f64,
    /// Share of the input that was sent before, 0 to 1: at most so much comes from a prefix cache.
    pub repeated_share: f64,
    /// Limit on the time to the first token, ms at the 95th percentile; null: none.
    pub ttft_limit_ms: Option<f64>,
    /// Limit on each further token, ms at the 95th percentile; null: none.
    pub tpot_limit_ms: Option<f64>,
    /// Limit on the whole answer, ms at the 95th percentile; null: none.
    #[serde(default)]
    pub e2e_limit_ms: Option<f64>,
    /// Where limits that nobody gave are from.
    pub limits_from: String,
    /// One machine may fail without a loss.
    pub must_stay_up: bool,
    /// Hours in which a batch must be done; null where requests are answered as they come.
    pub deadline_hours: Option<f64>,
}

/// One plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlanRow {
    /// As reports call it.
    pub name: String,
    /// Id of the host, machine or rental in the catalogue that is ordered; of the accelerator where no
    /// computer for it is known.
    pub host: String,
    /// As its maker writes it.
    pub host_name: String,
    #[doc = definition!(hosts)]
    pub hosts: u32,
    /// Machines that only stand in for one that failed.
    pub spare_hosts: u32,
    /// Id of the accelerator in them.
    pub accelerator: String,
    /// As its maker writes it.
    pub accelerator_name: String,
    #[doc = definition!(accelerators)]
    pub accelerators: u32,
    /// Id of the model that runs.
    pub model: String,
    /// `vllm`, `cuda`, `metal`, …: the software path that the speeds are predicted for.
    pub backend: String,
    /// `vllm`, `llama.cpp` or `mlx`: the engine that is started.
    pub engine: String,
    /// The weight format: `FP8`.
    pub quantisation: String,
    /// `published`, `converted` or `unknown`: whether weights of the model in this format are there.
    pub weights: String,
    /// The format of keys and values in the cache: `F16`.
    pub kv_type: String,
    /// Accelerators that share every layer.
    pub tensor_parallel: u32,
    /// Groups of accelerators that share the layers out.
    pub pipeline_parallel: u32,
    /// Experts are dealt out whole instead of split.
    pub expert_parallel: bool,
    /// Copies of the model in service.
    pub replicas: u32,
    /// Copies that one machine holds.
    pub replicas_per_host: u32,
    /// Requests that one copy serves at once.
    pub concurrency: u32,
    /// Tokens that the longest planned request has, input and output.
    pub context_tokens: f64,
    /// Share of the input that the engine's own prefix cache holds, 0 to 1.
    pub cached_input_share: f64,
    #[doc = definition!(predicted_ttft_ms)]
    pub ttft_ms: BandRow,
    #[doc = definition!(predicted_tpot_ms)]
    pub tpot_ms: BandRow,
    /// Time to the first token at the 95th percentile, with every place taken, ms.
    pub ttft_p95_ms: f64,
    /// Time per further token with every place taken, ms.
    pub tpot_p95_ms: f64,
    #[doc = definition!(requests_per_second)]
    pub requests_per_second: f64,
    /// Requests a second with every place taken.
    pub requests_per_second_at_most: f64,
    /// Share of the time that the machines in service are busy at the peak, 0 to 1.
    pub busy_peak: f64,
    /// The same on average.
    pub busy_mean: f64,
    /// What keeps the plan from being smaller, the strongest reason first: `compute`, `kv-memory`,
    /// `ttft`, `tpot`, `e2e`, `granularity`, `spare` or `asked`.
    pub binds: Vec<String>,
    /// Limits that it misses; empty where it keeps them.
    #[serde(default)]
    pub misses: Vec<MissedRow>,
    /// Bytes of the weights of one copy, over its accelerators.
    pub weights_bytes: f64,
    /// Bytes that one copy has left for keys and values, over its accelerators.
    pub kv_room_bytes: f64,
    #[doc = definition!(plan_watts)]
    pub watts: Option<f64>,
    /// The same with every machine at full load.
    pub full_watts: Option<f64>,
    /// Height in a rack; null where it stands elsewhere or is not known.
    pub rack_units: Option<f64>,
    /// Hours a month of people who look after it.
    pub staff_hours_per_month: BandRow,
    #[doc = definition!(capex_usd)]
    pub capex_usd: f64,
    #[doc = definition!(monthly_usd)]
    pub monthly_usd: f64,
    #[doc = definition!(tco_usd)]
    pub tco_usd: f64,
    /// What the machines still fetch at the horizon, less what is owed then; it is taken off the total. Null
    /// in older documents.
    #[serde(default)]
    pub left_usd: Option<f64>,
    /// Where the price of a machine was read; null where none is known.
    pub price_source: Option<Source>,
    /// No computer for the accelerators is known: the price is theirs alone.
    pub bare: bool,
    /// No published run of the engine on accelerators of this generation stands behind the speeds: measure
    /// one before more are ordered.
    #[serde(default)]
    pub unmeasured: bool,
    /// Weights of fewer than eight bits that the maker of the model did not release: they lose some quality.
    #[serde(default)]
    pub few_bits: bool,
    /// Every figure on the way, in the order in which they follow from each other; empty for plans that are
    /// neither the first nor one of the three that are chosen.
    pub terms: Vec<TermRow>,
}

/// One figure on the way to a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TermRow {
    /// Its name: `replica.requests-at-once`.
    pub name: String,
    /// Its value.
    pub value: f64,
    /// Its unit; empty for a share or a ratio.
    pub unit: String,
    /// Where it comes from.
    pub source: Source,
}

/// A limit that a plan misses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MissedRow {
    /// `ttft`, `tpot` or `e2e`.
    pub limit: String,
    /// The limit, ms at the 95th percentile.
    pub limit_ms: f64,
    /// What 95 of its requests of 100 get, ms.
    pub ms: f64,
    /// What one request alone gets on the accelerators that come nearest, ms; null in older documents.
    #[serde(default)]
    pub alone_ms: Option<f64>,
}

/// What was tried and is no plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RejectedRow {
    /// Id of the accelerator.
    pub accelerator: String,
    /// The engine.
    pub engine: String,
    /// The weight format.
    pub quantisation: String,
    /// `too-slow`, `does-not-fit`, `no-weights` or `no-engine`.
    pub reason: String,
    /// The same in words with its figures.
    pub why: String,
}

/// What machines that are there do for a need.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OwnedResult {
    /// Which need.
    pub need: String,
    /// Id of the model.
    pub model: String,
    /// Requests a second that are asked for at the peak.
    pub requests_per_second_asked: f64,
    /// Requests a second that all machines together could carry within the limits.
    pub requests_per_second_at_most: f64,
    /// Requests a second beyond that; 0 where the machines are enough.
    pub short_requests_per_second: f64,
    /// Share of what all machines carry that stays free at the peak, 0 to 1.
    pub free_at_peak: f64,
    /// The same in each of the 168 hours of the week, Monday 00:00 UTC first; null where the hours of the
    /// load are not known.
    #[serde(default)]
    pub free_by_hour: Option<Vec<f64>>,
    /// Whether the others carry the need when any one machine fails; null where it need not stay up.
    #[serde(default)]
    pub survives_failure: Option<bool>,
    /// One for each kind of machine.
    pub machines: Vec<OwnedRow>,
}

/// Machines of one kind that are there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OwnedRow {
    /// As they were named.
    pub name: String,
    /// How many.
    pub hosts: u32,
    /// Accelerators in all of them.
    pub accelerators: u32,
    /// Id of the host or machine in the catalogue; of the accelerator where no computer was named.
    #[serde(default)]
    pub host: String,
    /// Id of the accelerator.
    #[serde(default)]
    pub accelerator: String,
    /// As its maker writes it.
    #[serde(default)]
    pub accelerator_name: String,
    /// The engine, formats and parallelism of a copy; null where the model does not run here within
    /// the limits.
    pub runs: Option<OwnedCopy>,
    /// Accelerators that stay free.
    pub free_accelerators: u32,
}

/// A copy of the model on owned machines.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OwnedCopy {
    /// The software path.
    pub backend: String,
    /// The engine that is started.
    #[serde(default)]
    pub engine: String,
    /// Machines that these copies run on.
    #[serde(default)]
    pub hosts: u32,
    /// Experts are dealt out whole instead of split.
    #[serde(default)]
    pub expert_parallel: bool,
    /// Tokens that the longest planned request has, input and output.
    #[serde(default)]
    pub context_tokens: f64,
    /// Bytes of the weights of one copy.
    #[serde(default)]
    pub weights_bytes: f64,
    /// Time to the first token at the 95th percentile, with every place taken, ms; null in older documents.
    #[serde(default)]
    pub ttft_p95_ms: Option<f64>,
    /// Time per further token with every place taken, ms; null in older documents.
    #[serde(default)]
    pub tpot_p95_ms: Option<f64>,
    /// The weight format.
    pub quantisation: String,
    /// The format of the KV cache.
    pub kv_type: String,
    /// Accelerators that share every layer.
    pub tensor_parallel: u32,
    /// Groups of accelerators that share the layers out.
    pub pipeline_parallel: u32,
    /// Copies that run for this need.
    pub replicas: u32,
    /// Copies that there is room for.
    pub room: u32,
    /// Requests at once of one copy.
    pub concurrency: u32,
    /// Requests a second that the copies carry.
    pub requests_per_second: f64,
}

/// Several needs on machines of one kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TogetherRow {
    /// Id of the host.
    pub host: String,
    /// As its maker writes it.
    pub host_name: String,
    /// Machines, the spare ones included.
    pub hosts: u32,
    /// Machines that only stand in for one that failed.
    pub spare_hosts: u32,
    /// What is ordered, as reports call it.
    #[serde(default)]
    pub name: String,
    /// Id of the accelerator in them.
    #[serde(default)]
    pub accelerator: String,
    /// As its maker writes it.
    #[serde(default)]
    pub accelerator_name: String,
    /// Accelerators in all of them.
    #[serde(default)]
    pub accelerators: u32,
    /// What runs for each model.
    pub parts: Vec<PartRow>,
    /// Accelerators that no copy uses, in the machines in service.
    pub free_accelerators: u32,
    /// At the wall at the mean load, W.
    #[serde(default)]
    pub watts: Option<f64>,
    /// Purchase and installation.
    pub capex_usd: f64,
    /// Power, place and people, a month.
    pub monthly_usd: f64,
    /// Over the horizon, what is left then taken off.
    pub total_usd: f64,
}

/// One model of several on the same machines.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PartRow {
    /// Names of the needs that it serves.
    pub needs: String,
    /// Id of the model.
    pub model: String,
    /// The engine that is started.
    #[serde(default)]
    pub engine: String,
    /// The weight format.
    pub quantisation: String,
    /// The format of keys and values in the cache.
    #[serde(default)]
    pub kv_type: String,
    /// Accelerators of one copy.
    pub accelerators: u32,
    /// Copies.
    pub replicas: u32,
    /// Requests at once of one copy.
    pub concurrency: u32,
    /// Requests a second at the peak.
    pub requests_per_second: f64,
    /// Time to the first token at the 95th percentile, with every place taken, ms; null in older documents.
    #[serde(default)]
    pub ttft_p95_ms: Option<f64>,
    /// Time per further token with every place taken, ms; null in older documents.
    #[serde(default)]
    pub tpot_p95_ms: Option<f64>,
}

const MS: f64 = 1e3;

fn band(s: Spread) -> BandRow {
    BandRow { low: s.low * MS, likely: s.likely * MS, high: s.high * MS }
}

const fn weights_word(weights: Weights) -> &'static str {
    match weights {
        Weights::Maker => "published",
        Weights::Converted => "converted",
        Weights::Unknown => "unknown",
    }
}

/// The word for what binds, as documents have it.
pub const fn bind_word(bind: Bind) -> &'static str {
    match bind {
        Bind::Compute => "compute",
        Bind::KvMemory => "kv-memory",
        Bind::Ttft => "ttft",
        Bind::Tpot => "tpot",
        Bind::EndToEnd => "e2e",
        Bind::Granularity => "granularity",
        Bind::Spare => "spare",
        Bind::Asked => "asked",
    }
}

impl PlanRow {
    /// A plan with every figure on the way to it, and what the cost engine says about it.
    pub fn of(name: &str, plan: &Blueprint, model: &str, context_tokens: f64, cost: &OfferSummary) -> Self {
        Self { terms: Self::terms_of(plan), ..Self::brief(name, plan, model, context_tokens, cost) }
    }

    /// Every figure on the way to a plan.
    pub fn terms_of(plan: &Blueprint) -> Vec<TermRow> {
        let row = |t: crate::plan::Term| TermRow {
            name: t.name.to_owned(),
            value: t.value,
            unit: t.unit.to_owned(),
            source: t.source,
        };
        plan.terms().into_iter().map(row).collect()
    }

    /// The same without the figures on the way.
    pub fn brief(
        name: &str,
        plan: &Blueprint,
        model: &str,
        context_tokens: f64,
        cost: &OfferSummary,
    ) -> Self {
        let (r, m) = (&plan.replica, &plan.machine);
        let hosts = f64::from(plan.hosts);
        // As the cost engine counts them: what the user said comes before what a class takes.
        let people = cost.staff_hours.unwrap_or([Range::exactly(0.0); 2]);
        let hours = |end: fn(&Range) -> f64| end(&people[0]) + end(&people[1]) * (hosts - 1.0).max(0.0);
        let busy = plan.hosts_busy;
        let watts = cost.unit_watts.map(|[idle, full]| hosts * (idle + (full - idle) * busy));
        Self {
            name: name.to_owned(),
            host: m.id.clone(),
            host_name: m.name.clone(),
            hosts: plan.hosts,
            spare_hosts: plan.spare_hosts,
            accelerator: m.accelerator.clone(),
            accelerator_name: m.accelerator_name.clone(),
            accelerators: plan.accelerators,
            model: model.to_owned(),
            backend: r.backend.label().to_owned(),
            engine: r.backend.engine().label().to_owned(),
            quantisation: r.format.id.to_owned(),
            weights: weights_word(r.weights).to_owned(),
            kv_type: r.kv.label().to_owned(),
            tensor_parallel: r.tensor,
            pipeline_parallel: r.pipeline,
            expert_parallel: r.expert_parallel,
            replicas: plan.replicas,
            replicas_per_host: plan.replicas_per_host,
            concurrency: r.concurrency,
            context_tokens,
            cached_input_share: plan.cached_share,
            ttft_ms: band(plan.typical.ttft),
            tpot_ms: band(plan.typical.tpot),
            ttft_p95_ms: r.ttft_p95 * MS,
            tpot_p95_ms: r.tpot_p95 * MS,
            requests_per_second: plan.carries,
            requests_per_second_at_most: plan.at_most,
            busy_peak: plan.busy_peak,
            busy_mean: plan.busy_mean,
            binds: plan.binds.iter().map(|b| bind_word(*b).to_owned()).collect(),
            misses: plan.missed.iter().map(MissedRow::of).collect(),
            weights_bytes: r.weight_bytes,
            kv_room_bytes: r.room_bytes,
            watts,
            full_watts: cost.unit_watts.map(|[_, full]| hosts * full),
            rack_units: plan.rack_units,
            staff_hours_per_month: BandRow {
                low: hours(|r| r.low),
                likely: hours(|r| r.likely),
                high: hours(|r| r.high),
            },
            capex_usd: cost.capex.get(),
            monthly_usd: cost.parts.total().get(),
            tco_usd: cost.tco.get(),
            left_usd: Some(cost.closing.value().get()),
            price_source: m.price_source.clone(),
            bare: plan.bare,
            unmeasured: !has_rows(&m.shape, r.backend),
            few_bits: few_bits(r),
            terms: Vec::new(),
        }
    }
}

/// What is ordered: `2 × NVIDIA L40S in a host`, three of them.
pub fn order_name(machine: &Machine, hosts: u32) -> String {
    let one = if machine.in_host && !machine.board {
        format!("{} in {}", machine.label(), machine.name)
    } else {
        machine.name.clone()
    };
    match hosts {
        1 => one,
        n if machine.accelerators > 1 && machine.in_host => format!("{n} × ({one})"),
        n => format!("{n} × {one}"),
    }
}

impl OwnedCopy {
    /// So many copies on machines of one kind that are there, of those there is room for.
    pub fn of(
        replica: &Replica,
        need: &Need,
        replicas: u32,
        room: u32,
        requests_per_second: f64,
        machine: &Machine,
    ) -> Self {
        Self {
            backend: replica.backend.label().to_owned(),
            engine: replica.backend.engine().label().to_owned(),
            hosts: replicas.div_ceil((machine.accelerators / replica.devices()).max(1)),
            expert_parallel: replica.expert_parallel,
            context_tokens: need.input.p95 + need.output.p95,
            weights_bytes: replica.weight_bytes,
            ttft_p95_ms: Some(replica.ttft_p95 * MS),
            tpot_p95_ms: Some(replica.tpot_p95 * MS),
            quantisation: replica.format.id.to_owned(),
            kv_type: replica.kv.label().to_owned(),
            tensor_parallel: replica.tensor,
            pipeline_parallel: replica.pipeline,
            replicas,
            room,
            concurrency: replica.concurrency,
            requests_per_second,
        }
    }
}

impl TogetherRow {
    /// Several needs on machines of one kind, with the models in the order of their parts and what the cost
    /// engine says.
    pub fn of(found: &Together<'_>, models: &BTreeSet<String>, cost: &OfferSummary) -> Self {
        let machine = found.machine;
        let part = |((need, replica, copies), model): (&(Need, Replica, u32), &String)| PartRow {
            needs: need.name.clone(),
            model: model.clone(),
            engine: replica.backend.engine().label().to_owned(),
            quantisation: replica.format.id.to_owned(),
            kv_type: replica.kv.label().to_owned(),
            accelerators: replica.devices(),
            replicas: *copies,
            concurrency: replica.concurrency,
            requests_per_second: need.rate(),
            ttft_p95_ms: Some(replica.ttft_p95 * MS),
            tpot_p95_ms: Some(replica.tpot_p95 * MS),
        };
        Self {
            host: machine.id.clone(),
            host_name: machine.name.clone(),
            hosts: found.hosts,
            spare_hosts: found.spare_hosts,
            name: order_name(machine, found.hosts),
            accelerator: machine.accelerator.clone(),
            accelerator_name: machine.accelerator_name.clone(),
            accelerators: found.bill.accelerators,
            parts: found.parts.iter().zip(models).map(part).collect(),
            free_accelerators: found.free_accelerators,
            watts: machine.rent_usd_hour.is_none().then_some(found.bill.mean_watts),
            capex_usd: cost.capex.get(),
            monthly_usd: cost.parts.total().get(),
            total_usd: cost.tco.get(),
        }
    }
}

impl MissedRow {
    fn of(missed: &Missed) -> Self {
        Self {
            limit: bind_word(missed.limit).to_owned(),
            limit_ms: missed.limit_seconds * MS,
            ms: missed.seconds * MS,
            alone_ms: Some(missed.alone_seconds * MS),
        }
    }
}

impl RejectedRow {
    /// One that was tried.
    pub fn of(rejected: &Rejected) -> Self {
        let format: &Quantisation = rejected.format;
        let (reason, why) = match rejected.why {
            Why::TooSlow { ttft_ms, tpot_ms, over } => (
                "too-slow",
                format!(
                    "one request alone takes {ttft_ms:.0} ms to the first token and {tpot_ms:.0} ms for each further one: {over:.1} times a limit"
                ),
            ),
            Why::DoesNotFit { weights, memory } => (
                "does-not-fit",
                format!(
                    "{:.0} GB of weights, {:.0} GB of memory on the most that one machine holds",
                    weights / 1e9,
                    memory / 1e9
                ),
            ),
            Why::NoWeights => ("no-weights", format!("no weights of the model in {} are known", format.id)),
            Why::NoEngine => ("no-engine", "the engine does not run on it".to_owned()),
        };
        Self {
            accelerator: rejected.accelerator.clone(),
            engine: rejected.engine.label().to_owned(),
            quantisation: format.id.to_owned(),
            reason: reason.to_owned(),
            why,
        }
    }
}
