//! Plans of the engine → rows of the document.

use super::{LaterRow, MissedRow, OwnedCopy, PartRow, PlanRow, RejectedRow, TermRow, TogetherRow};
use crate::capacity::{Quantisation, Spread, has_rows};
use crate::cost::case::Blueprint;
use crate::cost::{Later, OfferSummary};
use crate::document::fit::BandRow;
use crate::plan::weights::Weights;
use crate::plan::{Bind, Machine, Missed, Need, Rejected, Replica, Together, Why, few_bits};
use crate::workload::Range;
use std::collections::BTreeSet;

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

/// The word that documents use for what binds.
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
    /// The row of a plan, with every figure on the way to it and the costs that the cost engine computed.
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

    /// The row of a plan, without the figures on the way.
    pub fn brief(
        name: &str,
        plan: &Blueprint,
        model: &str,
        context_tokens: f64,
        cost: &OfferSummary,
    ) -> Self {
        let (r, m) = (&plan.replica, &plan.machine);
        // What the user said of machines (how many, spares) is counted by the cost engine.
        let ordered = cost.units.unwrap_or(plan.hosts);
        let hosts = f64::from(ordered);
        // The cost engine's hours: what the user gave takes precedence over what a class of machine takes.
        let people = cost.staff_hours.unwrap_or([Range::exactly(0.0); 2]);
        let hours = |end: fn(&Range) -> f64| end(&people[0]) + end(&people[1]) * (hosts - 1.0).max(0.0);
        let busy = plan.hosts_busy;
        let watts = cost.unit_watts.map(|[idle, full]| hosts * (idle + (full - idle) * busy));
        Self {
            name: name.to_owned(),
            host: m.id.clone(),
            host_name: m.name.clone(),
            hosts: ordered,
            spare_hosts: cost.spare_units,
            accelerator: m.accelerator.clone(),
            accelerator_name: m.accelerator_name.clone(),
            accelerators: ordered * m.accelerators,
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
            rack_units: m.rack_units.map(|u| u * hosts),
            staff_hours_per_month: BandRow {
                low: hours(|r| r.low),
                likely: hours(|r| r.likely),
                high: hours(|r| r.high),
            },
            capex_usd: cost.capex.get(),
            monthly_usd: cost.parts.total().get(),
            tco_usd: cost.tco.get(),
            left_usd: Some(cost.closing.value().get()),
            upfront_usd: Some(cost.upfront.get()),
            later: later(cost),
            running_usd: Some(cost.total.parts.total().get()),
            price_source: m.price_source.clone(),
            bare: plan.bare,
            unmeasured: !has_rows(&m.shape, r.backend),
            few_bits: few_bits(r),
            terms: Vec::new(),
        }
    }
}

fn later(cost: &OfferSummary) -> Vec<LaterRow> {
    let row = |l: &Later| LaterRow {
        month: l.month + 1,
        added: l.added,
        replaced: l.replaced,
        usd: l.upfront.get(),
    };
    cost.later.iter().map(row).collect()
}

/// Name of what is ordered: one `NVIDIA L40S`, or three hosts as `3 × (2 × NVIDIA L40S in a host)`.
pub fn order_name(machine: &Machine, hosts: u32) -> String {
    let one = if machine.in_host && !machine.board {
        format!("{} in {}", machine.label(), machine.name)
    } else {
        machine.name.clone()
    };
    match hosts {
        1 => one,
        n if machine.in_host && !machine.board => format!("{n} × ({one})"),
        n => format!("{n} × {one}"),
    }
}

impl OwnedCopy {
    /// The row for `replicas` copies on machines that are there already, where `room` would fit.
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
    /// The row for several needs on machines of one kind. `models` are in the order of `found.parts`.
    pub fn of(found: &Together<'_>, models: &BTreeSet<String>, cost: &OfferSummary) -> Self {
        let machine = found.machine;
        let part = |((need, replica, copies), model): (&(Need, Replica, u32), &String)| PartRow {
            needs: need.name.clone(),
            model: model.clone(),
            backend: replica.backend.label().to_owned(),
            tensor_parallel: Some(replica.tensor),
            pipeline_parallel: Some(replica.pipeline),
            expert_parallel: replica.expert_parallel,
            context_tokens: Some(need.longest.unwrap_or(0.0).max(need.input.p95 + need.output.p95)),
            weights_bytes: Some(replica.weight_bytes),
            few_bits: few_bits(replica),
            ttft_limit_ms: need.limits.ttft_ms.filter(|_| need.batch.is_none()),
            tpot_limit_ms: need.limits.tpot_ms.filter(|_| need.batch.is_none()),
            input_tokens: Some(need.input.mean),
            output_tokens: Some(need.output.mean),
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
        // The bill names all machines that the needs ask for; the user may have asked for more spares.
        let hosts = cost.units.unwrap_or(found.hosts);
        Self {
            host: machine.id.clone(),
            host_name: machine.name.clone(),
            hosts,
            spare_hosts: found.spare_hosts + hosts.saturating_sub(found.hosts),
            name: order_name(machine, hosts),
            accelerator: machine.accelerator.clone(),
            accelerator_name: machine.accelerator_name.clone(),
            accelerators: hosts * machine.accelerators,
            parts: found.parts.iter().zip(models).map(part).collect(),
            free_accelerators: found.free_accelerators,
            watts: machine.rent_usd_hour.is_none().then_some(found.bill.mean_watts),
            capex_usd: cost.capex.get(),
            monthly_usd: cost.parts.total().get(),
            total_usd: cost.tco.get(),
            left_usd: Some(cost.closing.value().get()),
            upfront_usd: Some(cost.upfront.get()),
            later: later(cost),
            running_usd: Some(cost.total.parts.total().get()),
            few_bits: found.few_bits(),
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
    /// The row of a combination that was tried.
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
