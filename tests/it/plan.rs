//! The plan engine as a library: what it plans for known needs, and what it promises.

use freehold::capacity::{
    Arrivals, Backend, Engine, HardwareShape, KvType, ModelShape, Pace, Quantisation, Traffic,
};
use freehold::catalog::{Catalog, Stands};
use freehold::plan::{
    Allowed, Ask, Batch, Bill, Bind, Cost, Limits, Machine, Need, Owned, Part, Plan, Tokens, Use, Why, carry,
    machines, search, terms, together,
};
use freehold::provenance::Source;

const HOURS: f64 = 730.0;

fn model(id: &str) -> (ModelShape, Option<u32>) {
    let catalog = Catalog::embedded();
    let record = catalog.open_model(id).unwrap_or_else(|| panic!("no model {id}"));
    (ModelShape::from_catalogue(record).expect("whole"), record.heads)
}

/// A server with so many of a card, at a published price of the whole.
fn server(card: &str, number: u32, price_usd: f64) -> Machine {
    let catalog = Catalog::embedded();
    let record = catalog.accelerator(card).unwrap_or_else(|| panic!("no card {card}"));
    let shape = HardwareShape::from_accelerator(record, 1).expect("whole");
    let watts = record.board_watts.expect("watts");
    let source = Source::flag("--test");
    Machine {
        id: format!("server-{number}x-{card}"),
        name: format!("server with {number} {}", record.name),
        accelerator: card.to_owned(),
        accelerator_name: record.name.clone(),
        accelerators: number,
        board: card.contains("sxm"),
        shape,
        in_host: true,
        stands: Stands::Rack,
        rack_units: Some(4.0),
        base_watts: 450.0,
        full_watts: 450.0 + f64::from(number) * watts,
        idle_watts: 450.0 + f64::from(number) * watts * 0.1,
        price_usd: Some(price_usd),
        install_usd: price_usd * 0.07,
        rent_usd_hour: None,
        price_source: Some(source.clone()),
        source,
    }
}

/// Complete servers at the prices of `ConfigIQ`, August and September 2026.
fn servers() -> Vec<Machine> {
    vec![
        server("nvidia-l4", 1, 18_000.0),
        server("nvidia-l4", 4, 24_000.0),
        server("nvidia-l40s", 1, 35_000.0),
        server("nvidia-l40s", 8, 150_000.0),
        server("nvidia-rtx-pro-6000-blackwell-server", 1, 34_766.0),
        server("nvidia-rtx-pro-6000-blackwell-server", 8, 165_000.0),
        server("nvidia-h100-sxm-80gb", 1, 48_000.0),
        server("nvidia-h100-sxm-80gb", 8, 285_000.0),
        server("nvidia-h200-sxm", 8, 370_000.0),
        server("nvidia-b200-sxm", 8, 404_000.0),
        server("nvidia-a100-sxm-80gb", 8, 160_000.0),
    ]
}

/// Purchase, power at 0.12 $ and a PUE of 1.4, people at 100 $ an hour, over 36 months.
fn cost(bill: &Bill<'_>) -> Cost {
    let power = bill.mean_watts / 1000.0 * HOURS * 0.12 * 1.4;
    let monthly_usd = power + bill.people.likely * 100.0;
    Cost { capex_usd: bill.purchase_usd, monthly_usd, total_usd: bill.purchase_usd + 36.0 * monthly_usd }
}

fn monthly(use_: Use, requests: f64, peak: f64, input: f64, output: f64) -> Need {
    let mean = requests / (HOURS * 3600.0);
    Need::new(use_, mean, mean * peak, Tokens::exactly(input), Tokens::exactly(output))
}

fn plan_of<'a>(
    need: &'a Need,
    id: &str,
    machines: &'a [Machine],
    allowed: &'a Allowed,
    check: impl FnOnce(&freehold::plan::SearchResult<'_>),
) {
    let (shape, heads) = model(id);
    let found = search(&Ask { need, model: &shape, heads, machines, allowed, cost: &cost });
    check(&found);
}

fn format(id: &str) -> &'static Quantisation {
    Quantisation::find(id).expect("known")
}

fn said(p: &Plan<'_>) -> String {
    format!(
        "{} × {} with {} × {} ({} spare), {} {} kv {} tp{} pp{}, {} copies of {} at once; TTFT {:.0} ms TPOT {:.1} ms (p95 {:.0}, {:.1}); carries {:.1}/s of {:.1}, busy {:.0} %/{:.0} %; {:?}; {:.0} W, {:.0} $ + {:.0} $/month",
        p.hosts,
        p.machine.id,
        p.machine.accelerators,
        p.machine.accelerator,
        p.spare_hosts,
        p.replica.backend.label(),
        p.replica.format.id,
        p.replica.kv.label(),
        p.replica.tensor,
        p.replica.pipeline,
        p.replicas,
        p.replica.concurrency,
        p.typical.ttft.likely * 1e3,
        p.typical.tpot.likely * 1e3,
        p.replica.ttft_p95 * 1e3,
        p.replica.tpot_p95 * 1e3,
        p.carries,
        p.at_most,
        p.busy_peak * 100.0,
        p.busy_mean * 100.0,
        p.binds,
        p.bill.full_watts,
        p.cost.capex_usd,
        p.cost.monthly_usd,
    )
}

/// A ladder of mended assumptions: 30M requests a month of 600 + 60 tokens on Qwen3 8B.
#[test]
fn one_card_carries_what_eight_at_once_needed_three_for() {
    let need = monthly(Use::Chat, 30e6, 3.0, 600.0, 60.0);
    let h100 = [server("nvidia-h100-sxm-80gb", 1, 48_000.0)];
    let hosts = |allowed: &Allowed, must_stay_up: bool| {
        let need = Need { must_stay_up, ..need.clone() };
        let mut hosts = 0;
        plan_of(&need, "qwen3-8b", &h100, allowed, |found| {
            eprintln!("{}", said(&found.plans[0]));
            hosts = found.plans[0].hosts;
        });
        hosts
    };
    let fixed = |name: &str, at_once: u32| Allowed {
        formats: Some(vec![format(name)]),
        concurrency: Some(at_once),
        ceiling: Some(0.7),
        ..Allowed::default()
    };
    let q4 = Allowed { engines: Some(vec![Engine::LlamaCpp]), ..fixed("Q4_K_M", 8) };
    assert!(hosts(&q4, false) >= 4, "8 at once under llama.cpp");
    assert!((2..=4).contains(&hosts(&fixed("FP8", 8), false)), "8 at once under vLLM");
    assert_eq!(hosts(&fixed("FP8", 64), false), 1);
    assert_eq!(hosts(&Allowed::default(), false), 1);
    assert_eq!(hosts(&Allowed::default(), true), 2, "and one to stand by");
}

#[test]
fn three_million_requests_need_one_server_not_sixteen() {
    let machines = servers();
    let need = monthly(Use::Chat, 3e6, 3.0, 2000.0, 500.0);
    plan_of(&need, "deepseek-r1", &machines, &Allowed::default(), |found| {
        for p in &found.plans {
            eprintln!("{}", said(p));
        }
        let h200 = found.plans.iter().find(|p| p.machine.id.contains("h200")).expect("H200 carries it");
        assert!(h200.hosts <= 2, "{}", said(h200));
    });
    plan_of(&need, "llama-3.3-70b-instruct", &machines, &Allowed::default(), |found| {
        for p in &found.plans {
            eprintln!("{}", said(p));
        }
        let h100 = found.plans.iter().find(|p| p.machine.id.contains("8x-nvidia-h100")).expect("H100");
        assert_eq!(h100.hosts, 1, "{}", said(h100));
    });
}

/// The coding agents of arXiv 2606.30560: 153.7k tokens in, 523 out, 95.8 % of the input seen before.
#[test]
fn a_prefix_cache_saves_machines_and_memory_limits_it() {
    let h100 = [server("nvidia-h100-sxm-80gb", 8, 285_000.0)];
    let need = Need { repeated_share: 0.958, ..monthly(Use::Agent, 2e6, 3.0, 100_000.0, 523.0) };
    let no_limits = Need { limits: Limits::default(), ..need };
    let used = |need: &Need, allowed: &Allowed| {
        let mut used = (0, 0.0);
        plan_of(need, "gpt-oss-120b", &h100, allowed, |found| {
            let p = &found.plans[0];
            eprintln!("{} cached {:.3}", said(p), p.replica.cached_share);
            used = (p.hosts, p.replica.cached_share);
        });
        used
    };
    let (with, share) = used(&no_limits, &Allowed::default());
    let none = Allowed { cached_share: Some(0.0), ..Allowed::default() };
    let (without, zero) = used(&no_limits, &none);
    assert!(zero == 0.0 && share > 0.3 && share <= 0.958, "{share}");
    assert!((with, without) == (1, 2), "{with} hosts with a cache, {without} without");
    // Turns that come ten hours apart find little.
    let (_, rare) = used(&Need { gap_seconds: 36_000.0, ..no_limits }, &Allowed::default());
    assert!(rare < 0.2 * share, "{rare}");
}

#[test]
fn limits_nothing_can_meet_name_the_nearest_plan_and_what_it_misses() {
    let machines = servers();
    let mut need = monthly(Use::Chat, 1e5, 3.0, 8000.0, 300.0);
    need.limits = Limits { ttft_ms: Some(20.0), tpot_ms: Some(50.0), e2e_ms: None };
    plan_of(&need, "llama-3.3-70b-instruct", &machines, &Allowed::default(), |found| {
        assert!(found.plans.is_empty());
        let (plan, missed) = found.nearest.as_ref().expect("the nearest");
        eprintln!("{} misses {missed:?}", said(plan));
        assert_eq!(missed.len(), 1);
        assert_eq!(missed[0].limit, Bind::Ttft);
        assert!(missed[0].seconds > missed[0].limit_seconds);
        let slow = |r: &&freehold::plan::Rejected| matches!(r.why, Why::TooSlow { .. });
        assert!(found.rejected.iter().any(|r| slow(&r) && r.accelerator == "nvidia-l40s"));
        let small = |r: &&freehold::plan::Rejected| matches!(r.why, Why::DoesNotFit { .. });
        assert!(found.rejected.iter().any(|r| small(&r) && r.accelerator == "nvidia-l4"));
    });
}

#[test]
fn a_format_that_does_not_exist_is_said() {
    let machines = servers();
    let need = monthly(Use::Chat, 1e5, 3.0, 500.0, 300.0);
    let allowed = Allowed { formats: Some(vec![format("MXFP4")]), ..Allowed::default() };
    plan_of(&need, "qwen3-8b", &machines, &allowed, |found| {
        assert!(found.plans.is_empty() && found.nearest.is_none());
        assert!(found.rejected.iter().any(|r| r.why == Why::NoWeights));
    });
    let mlx = Allowed { engines: Some(vec![Engine::Mlx]), ..Allowed::default() };
    plan_of(&need, "qwen3-8b", &machines, &mlx, |found| {
        assert!(found.plans.is_empty() && found.rejected.iter().all(|r| r.why == Why::NoEngine));
    });
}

#[test]
fn batch_work_has_no_limits_and_no_peak_but_its_deadline() {
    let machines = servers();
    let batch = |hours: f64| Need {
        batch: Some(Batch { requests: 30e6, deadline_hours: hours }),
        ..Need::new(Use::Batch, 1.0, 1.0, Tokens::exactly(600.0), Tokens::exactly(120.0))
    };
    let hosts = |need: &Need| {
        let mut hosts = 0;
        plan_of(need, "qwen3-8b", &machines[6..7], &Allowed::default(), |found| {
            let p = &found.plans[0];
            eprintln!("{}", said(p));
            hosts = p.hosts;
            assert!(p.at_most >= need.rate());
        });
        hosts
    };
    let (month, day) = (hosts(&batch(730.0)), hosts(&batch(24.0)));
    assert!(month == 1 && day > 3, "{month} in a month, {day} in a day");
}

/// llama.cpp spreads layers: eight cards for one process would decode no faster than one.
#[test]
fn spread_layers_take_as_few_cards_as_hold_the_model() {
    let cards = [server("nvidia-rtx-4090", 8, 30_000.0)];
    let mut need = monthly(Use::Chat, 1e4, 3.0, 500.0, 200.0);
    need.limits = Limits::default();
    let llama = Allowed { engines: Some(vec![Engine::LlamaCpp]), ..Allowed::default() };
    plan_of(&need, "llama-3.3-70b-instruct", &cards, &llama, |found| {
        let p = &found.plans[0];
        eprintln!("{}", said(p));
        assert!(p.replica.devices() <= 4, "{}", said(p));
    });
    plan_of(&need, "qwen3-8b", &cards, &llama, |found| {
        assert_eq!(found.plans[0].replica.devices(), 1);
    });
}

#[test]
fn what_is_owned_carries_so_much_and_the_rest_is_free() {
    let machine = server("nvidia-h100-sxm-80gb", 4, 150_000.0).owned();
    let owned = [Owned { machine: machine.clone(), number: 1 }];
    let (shape, heads) = model("llama-3.3-70b-instruct");
    let mut hours = [0.3; 168];
    hours[10] = 3.0;
    let mut need = monthly(Use::Chat, 5e5, 3.0, 1500.0, 300.0);
    need.hours = Some(Box::new(hours));
    let allowed = Allowed::default();
    let ask = |need: &Need| {
        carry(&Ask { need, model: &shape, heads, machines: &[], allowed: &allowed, cost: &cost }, &owned)
    };
    let carried = ask(&need).expect("it runs there");
    assert!(carried.short == 0.0 && carried.carries >= carried.rate, "{carried:?}");
    let free = carried.free_by_hour.as_ref().expect("by hour");
    assert!(free[0] > free[10] && carried.free_at_peak > 0.0);
    let much = Need { peak_rate: 1e3, ..need };
    let carried = ask(&much).expect("it runs there");
    assert!(carried.short > 900.0 && carried.placed[0].free_accelerators == 0);
}

#[test]
fn several_needs_share_hosts_and_needs_of_one_model_share_its_copies() {
    let machines = servers();
    let (llama, llama_heads) = model("llama-3.3-70b-instruct");
    let (small, small_heads) = model("qwen3-8b");
    let by_day = |from: usize| {
        let mut hours = [0.2; 168];
        for day in 0..7 {
            for hour in from..from + 4 {
                hours[day * 24 + hour] = 5.0;
            }
        }
        Some(Box::new(hours))
    };
    let need =
        |requests, from| Need { hours: by_day(from), ..monthly(Use::Chat, requests, 5.0, 1000.0, 300.0) };
    let allowed = Allowed::default();
    let part = |need, model, heads| Part { need, model, heads, allowed: &allowed };
    let (morning, evening, support) = (need(5e5, 8), need(5e5, 18), need(1e6, 9));
    // Peaks at different hours do not add up.
    let both = morning.and(&evening);
    assert!(both.peak_rate < 0.6 * (morning.peak_rate + evening.peak_rate), "{}", both.peak_rate);
    let parts = [
        part(&morning, &llama, llama_heads),
        part(&evening, &llama, llama_heads),
        part(&support, &small, small_heads),
    ];
    let found = together(&parts, &machines, &cost);
    let best = &found[0];
    eprintln!("{} x{} free {} {:?}", best.machine.id, best.hosts, best.free_accelerators, best.cost);
    assert_eq!(best.parts.len(), 2, "two models");
    let alone: u32 = best.parts.iter().map(|(_, r, n)| r.devices() * n).sum();
    assert_eq!(best.hosts * best.machine.accelerators, alone + best.free_accelerators);
}

#[test]
fn modules_are_planned_on_boards_and_cards_in_hosts_only() {
    let catalog = Catalog::embedded();
    let (all, out) = machines(&catalog);
    assert!(!all.is_empty());
    for machine in &all {
        assert!(machine.price_usd.is_some_and(|p| p > 0.0), "{}", machine.id);
        assert!(machine.full_watts > 0.0 && machine.idle_watts <= machine.full_watts, "{}", machine.id);
        if machine.board && catalog.host(&machine.id).is_some() {
            assert!([4, 8, 16].contains(&machine.accelerators), "{}", machine.id);
        }
    }
    assert!(all.iter().any(|m| m.id == "hgx-h100" && m.accelerators == 8));
    assert!(!out.is_empty());
}

#[test]
fn every_figure_has_terms_that_end_in_it() {
    let machines = servers();
    let need = monthly(Use::Rag, 2e6, 3.0, 3000.0, 300.0);
    plan_of(&need, "llama-3.3-70b-instruct", &machines, &Allowed::default(), |found| {
        let plan = &found.plans[0];
        let terms = terms(plan, &need);
        let value =
            |name: &str| terms.iter().find(|t| t.name == name).unwrap_or_else(|| panic!("{name}")).value;
        let parts = ["weights", "experts", "products", "cache", "launch", "exchange", "requests"];
        let step: f64 = parts.iter().map(|p| value(&format!("step.{p}"))).sum();
        assert!((step - value("step")).abs() < 1e-12);
        assert!((value("load.in-system") - need.rate() * value("replica.stay")).abs() < 1e-9);
        let room = value("plan.replicas") * value("replica.requests-at-once");
        assert!(room >= value("load.places") * (1.0 - 1e-9));
        assert!(value("plan.carries") >= need.rate() * (1.0 - 1e-9));
        assert!(value("ttft.p95") <= value("limit.ttft-p95") && value("tpot") <= value("limit.tpot-p95"));
        assert!(terms.iter().all(|t| t.value.is_finite()));
    });
}

#[test]
fn the_three_answers_are_what_they_are_called() {
    let machines = servers();
    let need = Need { must_stay_up: true, ..monthly(Use::Chat, 8e6, 3.0, 1000.0, 400.0) };
    plan_of(&need, "llama-3.3-70b-instruct", &machines, &Allowed::default(), |found| {
        let cheapest = &found.plans[0];
        let fewest = &found.plans[found.fewest.expect("some")];
        let quickest = &found.plans[found.quickest.expect("some")];
        for p in [cheapest, fewest, quickest] {
            eprintln!("{}", said(p));
        }
        let whole = |p: &Plan<'_>| p.typical.ttft.likely + 400.0 * p.typical.tpot.likely;
        for p in &found.plans {
            assert!(p.cost.total_usd >= cheapest.cost.total_usd && p.hosts >= fewest.hosts);
            assert!(whole(p) >= whole(quickest));
            assert_eq!(p.spare_hosts, 1);
            assert!(p.replicas <= p.replicas_per_host * (p.hosts - p.spare_hosts));
            assert!(p.carries >= need.peak_rate && p.busy_peak < 1.0);
            let limits = need.limits;
            assert!(p.replica.ttft_p95 * 1e3 <= limits.ttft_ms.expect("chat"));
            assert!(p.replica.tpot_p95 * 1e3 <= limits.tpot_ms.expect("chat"));
        }
    });
}

/// Whatever can be ordered holds what is planned on it: computers of one chip differ in their memory.
#[test]
fn every_machine_holds_its_plan() {
    let catalog = Catalog::embedded();
    let (machines, _) = freehold::plan::machines(&catalog);
    let need = monthly(Use::Chat, 1e5, 3.0, 1_000.0, 300.0);
    for id in ["gpt-oss-120b", "llama-3.3-70b-instruct", "qwen3-30b-a3b"] {
        plan_of(&need, id, &machines, &Allowed::default(), |found| {
            assert!(found.plans.len() > 10, "{id}: {}", found.plans.len());
            for p in found.plans.iter().chain(&found.in_four_bits) {
                let there = p.machine.shape.memory_bytes * f64::from(p.replica.devices());
                let taken = p.replica.weight_bytes + p.replica.room_bytes;
                assert!(taken <= there, "{id} on {}: {taken} of {there}", p.machine.id);
            }
        });
    }
}

/// Keys that fix a part of the plan are kept, whatever would be better.
#[test]
fn what_the_user_fixed_stays() {
    let machines = servers();
    let need = monthly(Use::Chat, 5e5, 3.0, 800.0, 200.0);
    let allowed = Allowed {
        engines: Some(vec![Engine::Sglang]),
        formats: Some(vec![format("FP8")]),
        kv: Some(KvType::Fp8),
        tensor_parallel: Some(2),
        concurrency: Some(16),
        ..Allowed::default()
    };
    plan_of(&need, "llama-3.3-70b-instruct", &machines, &allowed, |found| {
        assert!(!found.plans.is_empty());
        for p in &found.plans {
            let r = &p.replica;
            assert_eq!((r.backend, r.format.id, r.kv), (Backend::Sglang, "FP8", KvType::Fp8));
            assert_eq!((r.tensor, r.concurrency), (2, 16));
        }
    });
}

/// Every accelerator of the catalogue in hosts of one, two, four and eight: more than can be ordered.
fn everything() -> Vec<Machine> {
    let catalog = Catalog::embedded();
    let cards = catalog.accelerators.iter().filter(|c| {
        c.memory_gib.is_some_and(|m| m >= 8.0) && c.board_watts.is_some() && c.bandwidth_gb_s.is_some()
    });
    cards.flat_map(|c| [1, 2, 4, 8].map(|n| server(&c.id, n, 3_000.0 + 2_000.0 * f64::from(n)))).collect()
}

/// `cargo test --release --test it plan::how_long -- --ignored --nocapture`.
#[test]
#[ignore = "takes times: run it in a release build"]
#[allow(clippy::print_stdout)]
fn how_long_a_search_takes() {
    let machines = everything();
    let need = Need { repeated_share: 0.3, ..monthly(Use::Chat, 3e6, 3.0, 1500.0, 300.0) };
    for id in ["qwen3-8b", "llama-3.3-70b-instruct", "gpt-oss-120b", "deepseek-r1"] {
        let (shape, heads) = model(id);
        let allowed = Allowed::default();
        let ask =
            Ask { need: &need, model: &shape, heads, machines: &machines, allowed: &allowed, cost: &cost };
        let mut times: Vec<f64> = (0..5)
            .map(|_| {
                let start = std::time::Instant::now();
                assert!(!search(&ask).plans.is_empty());
                start.elapsed().as_secs_f64() * 1e3
            })
            .collect();
        times.sort_by(f64::total_cmp);
        println!("{id}: {} machines, {:.1} ms (median of 5)", machines.len(), times[2]);
    }
}

/// What benchmarks/plan/compare asks, answered: one JSON line each.
#[test]
#[ignore = "prints answers for benchmarks/plan/compare"]
#[allow(clippy::print_stdout)]
fn questions() {
    #[derive(serde::Deserialize)]
    struct File {
        model: Vec<Asked>,
        load: Vec<Load>,
    }
    #[derive(serde::Deserialize)]
    struct Asked {
        id: String,
        peer: String,
        quantisation: String,
        systems: Vec<(String, u32)>,
    }
    #[derive(serde::Deserialize)]
    struct Load {
        input: f64,
        output: f64,
        at_once: f64,
    }
    let path = format!("{}/benchmarks/plan/questions.toml", env!("CARGO_MANIFEST_DIR"));
    let file: File = toml::from_str(&std::fs::read_to_string(path).expect("there")).expect("it parses");
    let catalog = Catalog::embedded();
    for asked in &file.model {
        let (shape, _) = model(&asked.id);
        for (system, devices) in &asked.systems {
            let card = match system.as_str() {
                "h100_sxm" => "nvidia-h100-sxm-80gb",
                "h200_sxm" => "nvidia-h200-sxm",
                _ => "nvidia-b200-sxm",
            };
            let record = catalog.accelerator(card).expect("listed");
            let hardware =
                HardwareShape::from_accelerator(record, *devices).expect("whole").with_backend(Backend::Vllm);
            for load in &file.load {
                let traffic = Traffic {
                    input: load.input,
                    cached: 0.0,
                    output: load.output,
                    concurrency: load.at_once,
                    kv: KvType::F16,
                    arrivals: Arrivals::Steady,
                };
                let Some(pace) = Pace::new(&shape, &hardware, format(&asked.quantisation), KvType::F16)
                else {
                    continue;
                };
                let served = pace.under(&traffic);
                let (tpot, ttft) = (served.tpot.times(1e3), served.ttft.times(1e3));
                println!(
                    r#"{{"model": "{}", "peer": "{}", "quantisation": "{}", "system": "{system}", "devices": {devices}, "mixture": {}, "input": {}, "output": {}, "at_once": {}, "tpot_ms": {:.3}, "tpot_low_ms": {:.3}, "tpot_high_ms": {:.3}, "ttft_ms": {:.1}}}"#,
                    asked.id,
                    asked.peer,
                    asked.quantisation,
                    shape.is_mixture(),
                    load.input,
                    load.output,
                    load.at_once,
                    tpot.likely,
                    tpot.low,
                    tpot.high,
                    ttft.likely,
                );
            }
        }
    }
}

/// Six needs on what the catalogue sells, as docs/plan.md shows them:
/// `cargo test --test it plan::six_needs -- --ignored --nocapture`.
#[test]
#[ignore = "prints plans for docs/plan.md"]
#[allow(clippy::print_stdout)]
fn six_needs() {
    let catalog = Catalog::embedded();
    let (all, out) = machines(&catalog);
    println!("{} machines, {} left out", all.len(), out.len());
    let office = |m: &&Machine| m.stands == Stands::Office;
    let desks: Vec<Machine> = all.iter().filter(office).cloned().collect();
    let support = Need { repeated_share: 0.5, ..monthly(Use::Chat, 20_000.0 * 6.0, 6.0, 1_800.0, 250.0) };
    let hospital =
        Need { must_stay_up: true, ..monthly(Use::Documents, 40.0 * 22.0 * 25.0, 8.0, 6_000.0, 600.0) };
    let law = monthly(Use::Documents, 12.0 * 22.0 * 30.0, 8.0, 12_000.0, 800.0);
    let texts = Need {
        batch: Some(Batch { requests: 30e6, deadline_hours: 730.0 }),
        ..Need::new(Use::Batch, 1.0, 1.0, Tokens::exactly(600.0), Tokens::exactly(180.0))
    };
    let agents =
        Need { repeated_share: 0.9, ..monthly(Use::Agent, 80.0 * 22.0 * 600.0, 4.0, 40_000.0, 500.0) };
    let r1 = monthly(Use::Chat, 3e6, 3.0, 2_000.0, 500.0);
    let cases: [(&str, &Need, &str, &[Machine]); 7] = [
        ("support chat, 20,000 chats a month", &support, "qwen3-32b", &all),
        ("hospital, 40 doctors, on premises", &hospital, "llama-3.3-70b-instruct", &all),
        ("law firm, 12 lawyers, under a desk", &law, "qwen3-30b-a3b-instruct-2507", &desks),
        ("30M product texts in a month", &texts, "qwen3-8b", &all),
        ("80 developers with agents", &agents, "gpt-oss-120b", &all),
        ("DeepSeek R1, 3M requests", &r1, "deepseek-r1", &all),
        ("70B, 3M requests", &r1, "llama-3.3-70b-instruct", &all),
    ];
    let allowed = Allowed::default();
    for (title, need, id, machines) in cases {
        println!("\n{title}: {id}");
        plan_of(need, id, machines, &allowed, |found| {
            let (few, quick) = (found.fewest.unwrap_or(0), found.quickest.unwrap_or(0));
            for (what, at) in [("cheapest", 0), ("second", 1), ("fewest", few), ("quickest", quick)] {
                if let Some(p) = found.plans.get(at) {
                    println!("  {what}: {}", said(p));
                }
            }
            println!(
                "  {} plans, {} rejected, {} in four bits",
                found.plans.len(),
                found.rejected.len(),
                found.in_four_bits.len()
            );
        });
    }
    let h100 = server("nvidia-h100-sxm-80gb", 4, 150_000.0).owned();
    let owned = [Owned { machine: h100, number: 1 }];
    let (shape, heads) = model("llama-3.3-70b-instruct");
    let bank = monthly(Use::Rag, 400e3, 4.0, 3_000.0, 300.0);
    let ask = Ask { need: &bank, model: &shape, heads, machines: &[], allowed: &allowed, cost: &cost };
    let c = carry(&ask, &owned).expect("it runs");
    let p = &c.placed[0];
    println!(
        "\nbank with 4 H100: {} {} tp{}, {} of {} copies, {} accelerators free; carries {:.2} of {:.2}/s asked, at most {:.2}/s, {:.0} % free at the peak",
        p.replica.backend.label(),
        p.replica.format.id,
        p.replica.tensor,
        p.replicas,
        p.room,
        p.free_accelerators,
        c.carries,
        c.rate,
        c.at_most,
        c.free_at_peak * 100.0
    );
}

/// Work that waits fills the quiet hours: it neither adds to the peak nor to the limits.
#[test]
fn batch_work_beside_people_fills_their_quiet_hours() {
    let chat = monthly(Use::Chat, 4e5, 3.0, 1800.0, 250.0);
    let mut night = monthly(Use::Batch, 5e5, 1.0, 3000.0, 100.0);
    night.batch = Some(Batch { requests: 5e5, deadline_hours: 730.0 });
    for both in [chat.and(&night), night.and(&chat)] {
        assert!((both.rate() - chat.peak_rate).abs() < 1e-9 && both.batch.is_none());
        assert!((both.mean_rate - chat.mean_rate - night.rate()).abs() < 1e-9);
        assert_eq!((both.limits, both.input, both.output), (chat.limits, chat.input, chat.output));
        assert_eq!(both.longest, Some(3100.0));
    }
    // More of it than the peak leaves room for: all of it together.
    night.batch = Some(Batch { requests: 5e6, deadline_hours: 730.0 });
    let both = chat.and(&night);
    assert!((both.rate() - both.mean_rate).abs() < 1e-9 && both.rate() > chat.peak_rate);
    assert!(both.input.mean > chat.input.mean);
    assert_eq!(both.input.p95.to_bits(), chat.input.p95.to_bits());
    // Two of a kind: one batch with all of the requests at their rates together.
    let twice = night.and(&night);
    assert!((twice.rate() - 2.0 * night.rate()).abs() < 1e-9 * night.rate());
    // A long prompt with a loose limit does not tighten a short one's.
    let search = monthly(Use::Rag, 1e5, 3.0, 4000.0, 300.0);
    let people = chat.and(&search);
    assert_eq!((people.limits.ttft_ms, people.input.p95), (chat.limits.ttft_ms, chat.input.p95));
    assert_eq!(people.longest, Some(4300.0));
}
