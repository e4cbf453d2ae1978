//! What the figures of a plan were computed from, for explanations that need no second formula.

use super::need::Need;
use super::search::Plan;
use crate::capacity::Engine;
use crate::provenance::Source;

/// One intermediate figure. Names are keys, `of.part` in kebab case; the renderer has the words for them.
#[derive(Debug, Clone, PartialEq)]
pub struct Term {
    pub name: &'static str,
    pub value: f64,
    pub unit: &'static str,
    pub source: Source,
}

fn term(name: &'static str, value: f64, unit: &'static str, source: &Source) -> Term {
    Term { name, value, unit, source: source.clone() }
}

/// The terms of a plan, in the order in which they follow from each other.
pub fn terms(plan: &Plan<'_>, need: &Need) -> Vec<Term> {
    let rule =
        |rule: &str, reason: &str| Source::Assumed { rule: rule.to_owned(), reason: reason.to_owned() };
    let (r, machine) = (&plan.replica, plan.machine);
    let predicted = rule(
        &format!("predictor {}", r.backend.label()),
        "bytes and operations over the hardware's peaks; docs/predictor.md",
    );
    let asked = rule("need", "as the need says");
    let limits = rule("limits by use", super::need::limits_source(need.use_));
    let staffing = rule(
        "square-root staffing",
        "R × c ≥ A + 1.645 × √A: 95 of 100 requests find a place (Erlang 1917; Halfin and Whitt 1981)",
    );
    let prefix =
        rule("prefix cache", "1 − exp(−t ÷ gap), t = memory ÷ what requests push out (Che et al. 2002)");
    let whole = rule("whole machines", "up to the next whole number");
    let s = &r.served;
    let mut terms = vec![
        term("need.rate", need.rate(), "requests/s", &asked),
        term("need.input-tokens", need.input.mean, "tokens", &asked),
        term("need.input-tokens-p95", need.input.p95, "tokens", &asked),
        term("need.output-tokens", need.output.mean, "tokens", &asked),
        term("need.repeated-share", need.repeated_share, "", &asked),
        term("replica.weights", r.weight_bytes, "bytes", &predicted),
        term("replica.cache-room", r.room_bytes, "bytes", &predicted),
        term("replica.requests-in-memory", s.holds, "requests", &predicted),
        term("replica.cached-share", r.cached_share, "", &prefix),
        term("replica.requests-at-once", f64::from(r.concurrency), "requests", &predicted),
        term("step.weights", s.step.weights, "s", &predicted),
        term("step.experts", s.step.experts, "s", &predicted),
        term("step.products", s.step.products, "s", &predicted),
        term("step.cache", s.step.cache, "s", &predicted),
        term("step.launch", s.step.launch, "s", &predicted),
        term("step.exchange", s.step.exchange, "s", &predicted),
        term("step.requests", s.step.requests, "s", &predicted),
        term("step", s.step.seconds(), "s", &predicted),
        term("prompt.alone", s.prompt.alone, "s", &predicted),
        term("prompt.beside-others", s.prompt.machine, "s", &predicted),
        term("replica.reading-share", s.reading_share, "", &predicted),
        term("tpot", s.tpot.likely, "s", &predicted),
        term("ttft.front-end", s.front, "s", &predicted),
        term("ttft.queued", s.queued, "s", &predicted),
        term("ttft", s.ttft.likely, "s", &predicted),
        term("ttft.p95", r.ttft_p95, "s", &predicted),
        term("replica.rate", r.rate(), "requests/s", &predicted),
        term("replica.stay", r.stay(), "s", &predicted),
    ];
    if let Some(ms) = need.limits.ttft_ms.filter(|_| need.batch.is_none()) {
        terms.push(term("limit.ttft-p95", ms / 1e3, "s", &limits));
    }
    if let Some(ms) = need.limits.tpot_ms.filter(|_| need.batch.is_none()) {
        terms.push(term("limit.tpot-p95", ms / 1e3, "s", &limits));
    }
    if let Some(ms) = need.limits.e2e_ms.filter(|_| need.batch.is_none()) {
        terms.push(term("limit.e2e-p95", ms / 1e3, "s", &asked));
    }
    let in_system = need.rate() * r.stay();
    terms.extend([
        term("load.in-system", in_system, "requests", &staffing),
        term("load.places", super::staffing::places(in_system), "requests", &staffing),
        term("load.cached-share", plan.cached_share, "", &prefix),
        term("plan.replicas", f64::from(plan.replicas), "copies", &staffing),
        term("plan.replicas-per-host", f64::from(plan.replicas_per_host), "copies", &whole),
        term("plan.hosts-in-service", f64::from(plan.hosts - plan.spare_hosts), "hosts", &whole),
        term("plan.spare-hosts", f64::from(plan.spare_hosts), "hosts", &asked),
        term("plan.carries", plan.carries, "requests/s", &staffing),
        term("plan.at-most", plan.at_most, "requests/s", &predicted),
        term("plan.busy-peak", plan.busy_peak, "", &predicted),
        term("plan.busy-mean", plan.busy_mean, "", &predicted),
        term("host.full-watts", machine.full_watts, "W", &machine.source),
        term("host.idle-watts", machine.idle_watts, "W", &machine.source),
        term("bill.mean-watts", plan.bill.mean_watts, "W", &predicted),
        term("bill.full-watts", plan.bill.full_watts, "W", &machine.source),
        term(
            "bill.people-hours",
            plan.bill.people.likely,
            "h/month",
            &rule(
                "people by class and size",
                "up to three machines in an office 4 h, production 20 h a month, and a tenth of that for each further host",
            ),
        ),
    ]);
    if let (Some(price), Some(source)) = (machine.price_usd, &machine.price_source) {
        terms.push(term("host.price", price, "USD", source));
        terms.push(term("host.install", machine.install_usd, "USD", source));
        terms.push(term("bill.purchase", plan.bill.purchase_usd, "USD", source));
    }
    if r.backend.engine() != Engine::Vllm {
        terms.retain(|t| !matches!(t.name, "step.requests") || t.value > 0.0);
    }
    terms
}
