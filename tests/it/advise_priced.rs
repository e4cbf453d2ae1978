//! The computed verdict: what it promises about money, privacy and the brief.

use crate::run::Sandbox;
use freehold::advise::{Guide, Matrix, Placement, decide};
use freehold::app::advise::{AdviceBasis, Asked, advise};
use freehold::catalog::Catalog;
use freehold::document::advice::AdviceDocument;
use freehold::provenance::Source;
use freehold::workload::given::{Given, Range, Value};
use freehold::workload::keys::{Key, answers, need};
use freehold::workload::profile::SHIPPED;
use freehold::workload::{
    Answer as _, Budget, Capability, NeedDraft, Operations, Privacy, PrivacyReason, Profile, Use,
};
use rand::{RngExt as _, SeedableRng as _, rngs::ChaCha8Rng};

pub const NOW: &str = "2026-11-27T12:00:00Z";

pub fn decided(catalog: &Catalog, draft: &NeedDraft) -> AdviceDocument {
    let today = "2026-11-27".parse().expect("a day");
    let asked = Asked { draft, evidence: None, cost: None, allow_mismatch: false };
    advise(&asked, &AdviceBasis { catalog, today, now: NOW }).unwrap_or_else(|e| panic!("{e}: {draft:?}"))
}

pub fn profile(name: &str) -> NeedDraft {
    Profile::shipped(name).expect(name).draft.with_implied()
}

pub fn text(draft: &mut NeedDraft, key: &'static Key, word: &str) {
    draft.set(key, Given { value: Value::Text(word.to_owned()), source: Source::flag("--test") });
}

pub fn number(draft: &mut NeedDraft, key: &'static Key, value: f64) {
    draft.set(key, Given { value: Value::Number(Range::exactly(value)), source: Source::flag("--test") });
}

/// A few in every run; as many as the promise is about with `FREEHOLD_TEST_LONG=1`, which takes a quarter of
/// an hour in a release build.
fn times(promised: usize) -> usize {
    let long = std::env::var_os("FREEHOLD_TEST_LONG").is_some_and(|v| !v.is_empty() && v != "0");
    match (long, cfg!(debug_assertions)) {
        (true, _) => promised,
        (false, true) => promised.div_ceil(250),
        (false, false) => promised.div_ceil(50),
    }
}

/// Needs as they come: from a prototype to a large service.
fn random_need(rng: &mut ChaCha8Rng) -> NeedDraft {
    fn one_of<'a>(rng: &mut ChaCha8Rng, words: &[&'a str]) -> &'a str {
        words[rng.random_range(0..words.len())]
    }
    let mut draft = NeedDraft::default();
    for key in [answers::PRIVACY, answers::VOLUME, answers::CAPABILITY, answers::OPERATIONS, answers::BUDGET]
    {
        let freehold::workload::keys::Kind::Choice(words) = key.kind else { panic!("a choice") };
        let words: Vec<&str> = words.iter().map(|w| w.word).collect();
        text(&mut draft, key, one_of(rng, &words));
    }
    let uses: Vec<&str> = Use::WORDS.iter().map(|w| w.word).collect();
    text(&mut draft, need::USE, one_of(rng, &uses));
    number(&mut draft, need::REQUESTS_PER_MONTH, 10f64.powf(rng.random_range(2.0..7.5)).round());
    number(&mut draft, need::INPUT_TOKENS, 10f64.powf(rng.random_range(1.5..4.3)).round());
    number(&mut draft, need::OUTPUT_TOKENS, 10f64.powf(rng.random_range(1.0..3.2)).round());
    if rng.random_bool(0.4) {
        number(&mut draft, need::CACHED_INPUT_SHARE, (rng.random_range(0.0..1.0f64) * 100.0).round() / 100.0);
    }
    if rng.random_bool(0.3) {
        number(&mut draft, answers::PEOPLE, f64::from(rng.random_range(1..400)));
    }
    if rng.random_bool(0.2) {
        text(
            &mut draft,
            answers::HAVE,
            one_of(rng, &["4x nvidia-h100-sxm-80gb", "nvidia-rtx-4090", "2x dgx-spark-128gb"]),
        );
    }
    if rng.random_bool(0.2) {
        number(&mut draft, answers::UP_FRONT, 10f64.powf(rng.random_range(2.0..5.5)).round());
    }
    draft
}

fn cheaper(catalog: &Catalog, factor: f64) -> Catalog {
    let mut cheap = catalog.clone();
    for period in cheap.api_models.iter_mut().flat_map(|m| &mut m.price) {
        let tiers = period.tiers.iter_mut().map(|t| &mut t.rates);
        let windows = period.windows.iter_mut().map(|w| &mut w.rates);
        for rates in std::iter::once(&mut period.rates).chain(tiers).chain(windows) {
            for rate in [
                &mut rates.input_per_mtok,
                &mut rates.output_per_mtok,
                &mut rates.cache_read_per_mtok,
                &mut rates.cache_write_per_mtok,
                &mut rates.reasoning_per_mtok,
            ] {
                *rate = rate.map(|r| r * factor);
            }
        }
    }
    cheap
}

#[test]
fn a_cheaper_api_never_moves_the_verdict_toward_local() {
    let catalog = Catalog::embedded();
    let catalogs: Vec<Catalog> = [0.7, 0.2].into_iter().map(|f| cheaper(&catalog, f)).collect();
    let mut rng = ChaCha8Rng::seed_from_u64(15);
    for _ in 0..times(1000) {
        let draft = random_need(&mut rng);
        let mut here = decided(&catalog, &draft).result;
        for cheap in &catalogs {
            let there = decided(cheap, &draft).result;
            assert!(
                there.placement <= here.placement,
                "{:?} to {:?}: {draft:#?}\n{:#?}\n{:#?}",
                here.placement,
                there.placement,
                here.options,
                there.options
            );
            here = there;
        }
    }
}

#[test]
fn tighter_privacy_never_moves_the_verdict_toward_the_cloud() {
    let catalog = Catalog::embedded();
    let mut rng = ChaCha8Rng::seed_from_u64(16);
    for _ in 0..times(1000) {
        let mut draft = random_need(&mut rng);
        let mut least = Placement::Cloud;
        for privacy in Privacy::ALL {
            text(&mut draft, answers::PRIVACY, privacy.key());
            let placement = decided(&catalog, &draft).result.placement;
            assert!(placement >= least, "{privacy:?}: {least:?} to {placement:?}: {draft:#?}");
            least = placement;
        }
        assert_eq!(least, Placement::Local, "what may not leave stays");
    }
}

/// Every amount of an advice is that of `breakeven`, to the cent.
fn agrees(sandbox: &Sandbox, document: &AdviceDocument) {
    let result = &document.result;
    let command = result.cost_command.as_deref().expect("priced");
    let cost = sandbox.shell(&format!("{command} --today 2026-11-27 --draws 10 --json")).json();
    let all: Vec<&serde_json::Value> = ["cloud", "local"]
        .iter()
        .flat_map(|side| cost["result"][side].as_array().into_iter().flatten())
        .collect();
    let close = |a: f64, b: f64| (a - b).abs() < 0.01;
    for option in &result.options {
        let (Some(tco), Some(monthly)) = (option.tco_usd, option.monthly_usd) else { continue };
        // `breakeven` splits between the first two offers only, and the rented one is not among them.
        if option.id.starts_with("hybrid") && option.id.ends_with("rented") {
            continue;
        }
        let there = if option.placement == Placement::Hybrid {
            let hybrid = &cost["result"]["hybrid"];
            let totals = [&hybrid["routed"]["tco_usd"], &hybrid["overflow"]["tco_usd"]];
            let options =
                hybrid["overflow"]["options"].as_array().into_iter().flatten().map(|o| &o["tco_usd"]);
            totals.into_iter().chain(options).any(|t| t.as_f64().is_some_and(|t| close(t, tco)))
        } else {
            all.iter().any(|o| {
                let amount = |name: &str| o[name].as_f64().unwrap_or(f64::NAN);
                close(amount("tco_usd"), tco) && close(amount("monthly_usd"), monthly)
            })
        };
        assert!(there, "{} {tco} {monthly}: {command}\n{:#?} {}", option.name, all, cost["result"]["hybrid"]);
    }
}

#[test]
fn advise_and_breakeven_agree_to_the_cent_on_every_profile() {
    let catalog = Catalog::embedded();
    let sandbox = Sandbox::new();
    for (name, _) in SHIPPED {
        let document = decided(&catalog, &profile(name));
        assert!(document.result.options.len() >= 3, "{name}");
        agrees(&sandbox, &document);
    }
}

#[test]
fn advise_and_breakeven_agree_to_the_cent_on_random_needs() {
    let catalog = Catalog::embedded();
    let sandbox = Sandbox::new();
    let mut rng = ChaCha8Rng::seed_from_u64(17);
    for _ in 0..times(300) {
        agrees(&sandbox, &decided(&catalog, &random_need(&mut rng)));
    }
}

#[test]
fn each_row_of_the_use_cases_is_the_matrix_or_says_why_not() {
    let catalog = Catalog::embedded();
    for case in Guide::shipped().use_cases {
        let result = decided(&catalog, &profile(&case.profile)).result;
        let matrix = result.matrix.expect("always");
        assert_eq!(matrix.placement, case.placement, "{}", case.situation);
        assert_eq!(
            matrix.differs_because.is_some(),
            result.placement != case.placement,
            "{}",
            case.situation
        );
        assert_eq!(result.chosen.as_deref(), Some(result.options[0].id.as_str()));
        assert!(result.sentence.is_some() && !result.first_steps.is_empty(), "{}", case.situation);
    }
}

#[test]
fn each_mandate_keeps_the_data_in_and_counsel_can_lift_it() {
    let catalog = Catalog::embedded();
    for reason in PrivacyReason::ALL.iter().filter(|r| **r != PrivacyReason::None) {
        let mut draft = profile("low-volume-app");
        text(&mut draft, answers::PRIVACY_REASON, reason.key());
        let kept = decided(&catalog, &draft);
        assert_eq!(kept.result.placement, Placement::Local, "{reason:?}");
        let out = kept.result.excluded.first().expect("what may not leave");
        assert_eq!((out.what.as_str(), out.excluded_by.as_str()), ("API models", "may-not-leave"));
        assert!(out.count > 20, "{}", out.count);
        assert!(kept.result.tensions.iter().any(|t| t.way_out.contains("--privacy-reason none")));
        assert!(kept.warnings.iter().any(|w| w.id == "mandate"));
        text(&mut draft, answers::PRIVACY_REASON, "none");
        assert_eq!(decided(&catalog, &draft).result.placement, Placement::Cloud, "{reason:?}");
    }
}

#[test]
fn each_capability_gets_models_of_its_tier() {
    let catalog = Catalog::embedded();
    let matrix = Matrix::shipped();
    for capability in Capability::ALL {
        let mut draft = profile("low-volume-app");
        text(&mut draft, answers::CAPABILITY, capability.key());
        let tiers = matrix.tiers_for(*capability).expect("known");
        for option in decided(&catalog, &draft).result.options {
            if option.id == "api" {
                assert!(option.tier.is_some_and(|t| t <= tiers.cloud), "{capability:?}: {option:?}");
            }
            if option.excluded_because.is_none() && option.placement == Placement::Local {
                assert!(option.tier.is_some_and(|t| t <= tiers.local), "{capability:?}: {option:?}");
            }
        }
    }
}

#[test]
fn what_a_need_of_the_issue_costs_is_not_overruled_by_a_constant() {
    // 30,000 short requests: 33 million tokens would be "high volume" to the brief.
    let mut draft = profile("high-volume-extraction");
    number(&mut draft, need::REQUESTS_PER_MONTH, 30_000.0);
    number(&mut draft, need::INPUT_TOKENS, 1_000.0);
    number(&mut draft, need::OUTPUT_TOKENS, 100.0);
    let result = decided(&Catalog::embedded(), &draft).result;
    assert_eq!(result.placement, Placement::Cloud);
    let matrix = result.matrix.expect("always");
    assert_eq!(matrix.placement, Placement::Local);
    assert!(matrix.differs_because.is_some());
    let flip = result.flips.iter().find(|f| f.what == "requests_per_month").expect("where it turns");
    assert!(flip.at.is_none_or(|at| at > 30_000.0), "{flip:?}");
}

/// What a flip says comes true for whoever does as it says.
#[test]
fn a_flip_that_is_followed_leads_where_it_says() {
    let catalog = Catalog::embedded();
    let mut draft = profile("gradual-migration");
    text(&mut draft, answers::BUDGET, Budget::Capex.key());
    let result = decided(&catalog, &draft).result;
    let turn =
        result.flips.iter().find(|f| f.at.is_some() && f.what == "requests_per_month").expect("a volume");
    let mut more = draft.clone();
    number(&mut more, need::REQUESTS_PER_MONTH, turn.at.expect("a volume") * 1.05);
    assert_eq!(decided(&catalog, &more).result.placement, turn.placement, "{turn:?}");
    let answers =
        [("privacy", answers::PRIVACY), ("budget", answers::BUDGET), ("operations", answers::OPERATIONS)];
    for (what, key) in answers {
        for flip in result.flips.iter().filter(|f| f.what == what && !f.text.contains(" and ")) {
            let mut other = draft.clone();
            text(&mut other, key, flip.to.as_deref().expect("an answer"));
            assert_eq!(decided(&catalog, &other).result.placement, flip.placement, "{flip:?}");
        }
    }
}

#[test]
fn nobody_to_run_it_shows_in_confidence_and_way_out() {
    let result = decided(&Catalog::embedded(), &profile("legal")).result;
    assert_eq!(result.placement, Placement::Local);
    assert_eq!(result.confidence, freehold::advise::Confidence::Low);
    assert!(result.tensions.iter().any(|t| t.id == "strict-without-people"));
    let mut draft = profile("healthcare-strict");
    text(&mut draft, answers::OPERATIONS, Operations::Available.key());
    let firm = decided(&Catalog::embedded(), &draft);
    assert_eq!(firm.result.confidence, freehold::advise::Confidence::High);
    assert!(firm.warnings.iter().any(|w| w.id == "mostly-idle"));
}

#[test]
fn the_matrix_decides_alone_without_numbers() {
    let mut draft = profile("high-volume-extraction");
    for key in [need::REQUESTS_PER_MONTH, need::INPUT_TOKENS] {
        draft.unset(key);
    }
    let result = decided(&Catalog::embedded(), &draft).result;
    let need = draft.complete().expect("five answers");
    assert_eq!(result.placement, decide(&Matrix::shipped(), &need, None, None).placement);
    assert!(result.options.is_empty() && result.chosen.is_none());
    assert!(result.confidence < freehold::advise::Confidence::High);
}

/// Seats cover what they cost; agents that ask for two hundred times as much pay for it.
#[test]
fn seats_do_not_carry_more_than_they_cost() {
    let catalog = Catalog::embedded();
    let asked = |requests: f64| {
        let mut draft = profile("small-team");
        text(&mut draft, need::USE, "agent");
        number(&mut draft, answers::PEOPLE, 80.0);
        number(&mut draft, need::REQUESTS_PER_MONTH, requests);
        number(&mut draft, need::INPUT_TOKENS, 25_000.0);
        number(&mut draft, need::OUTPUT_TOKENS, 500.0);
        number(&mut draft, need::CACHED_INPUT_SHARE, 0.9);
        let result = decided(&catalog, &draft).result;
        let find =
            |id: &str| result.options.iter().find(|o| o.id == id).and_then(|o| o.monthly_usd).expect(id);
        (find("seats"), find("api"))
    };
    let (few_seats, few_api) = asked(500.0);
    assert!(few_seats > few_api, "seats for nothing cost their fee: {few_seats} {few_api}");
    let (seats, api) = asked(15e6);
    assert!(seats > 0.5 * api, "{seats} for what costs {api} by the token");
    assert!(seats > 5.0 * few_seats, "{seats} {few_seats}");
}

#[test]
fn a_developer_kit_is_never_ordered() {
    let catalog = Catalog::embedded();
    let kits: Vec<&str> =
        catalog.machines.iter().filter(|m| m.for_development).map(|m| m.id.as_str()).collect();
    assert!(kits.contains(&"jetson-agx-thor-128gb"), "{kits:?}");
    let (found, left_out) = freehold::plan::machines(&catalog);
    assert!(found.iter().all(|m| !kits.contains(&m.id.as_str())));
    assert!(
        left_out
            .iter()
            .any(|l| l.id == "jetson-agx-thor-128gb" && l.why == freehold::plan::NotBuyable::ForDevelopment)
    );
}

/// Two answers together stand in the way of what costs a quarter: that is said.
#[test]
fn what_two_answers_keep_away_is_said() {
    let catalog = Catalog::embedded();
    let mut draft = profile("high-volume-extraction");
    text(&mut draft, answers::OPERATIONS, "limited");
    text(&mut draft, answers::BUDGET, "opex");
    text(&mut draft, answers::CAPABILITY, "basic");
    text(&mut draft, answers::PRIVACY, "standard");
    text(&mut draft, need::USE, "chat");
    // So few that nothing rented by the hour pays, and so many that a machine of one's own does.
    number(&mut draft, need::REQUESTS_PER_MONTH, 500_000.0);
    number(&mut draft, need::PEAK_TO_MEAN, 3.0);
    number(&mut draft, need::INPUT_TOKENS, 4000.0);
    number(&mut draft, need::OUTPUT_TOKENS, 400.0);
    let result = decided(&catalog, &draft).result;
    assert_eq!(result.placement, Placement::Cloud, "{:?}", result.sentence);
    let flip = result.flips.iter().find(|f| f.what == "operations").expect("said");
    assert!(flip.text.contains("up front") && flip.placement == Placement::Local, "{}", flip.text);
}

/// What to do on Monday runs: the service is one that `bench` knows.
#[test]
fn the_first_step_names_a_service_that_can_be_asked() {
    let catalog = Catalog::embedded();
    let mut seen = 0;
    for (name, _) in SHIPPED {
        for step in decided(&catalog, &profile(name)).result.first_steps {
            let Some(code) = step.code else { continue };
            let Some((_, rest)) = code.split_once("--api ") else { continue };
            let target = rest.split(' ').next().expect("a word").trim_matches('\'');
            let (provider, model) = target.split_once(':').expect(target);
            assert!(catalog.provider(provider).is_some() && !model.is_empty(), "{name}: {code}");
            seen += 1;
        }
    }
    assert!(seen > 5, "{seen}");
}

/// Where one system must take over from another, an API alone names the second one.
#[test]
fn redundancy_is_kept_where_the_cloud_is_cheapest() {
    let result = decided(&Catalog::embedded(), &profile("redundancy")).result;
    let chosen = result.options.iter().find(|o| Some(&o.id) == result.chosen.as_ref()).expect("chosen");
    if chosen.placement == Placement::Cloud {
        assert!(chosen.needs.iter().any(|n| n.contains("second provider")), "{:?}", chosen.needs);
    }
}

/// The brief's two ways, and nobody is moved from where nothing runs.
#[test]
fn each_migration_is_of_this_case_in_this_direction() {
    let catalog = Catalog::embedded();
    let way = |draft: &NeedDraft| decided(&catalog, draft).result;
    // From the cloud: the weights must be trained further, so they are held.
    let mut draft = profile("gradual-migration");
    draft.set(
        freehold::workload::keys::find(answers::KEYS, "modifiers.fine-tuning").expect("a key"),
        Given { value: Value::Flag(true), source: Source::flag("--test") },
    );
    text(&mut draft, answers::BUDGET, "capex");
    text(&mut draft, answers::OPERATIONS, "available");
    let result = way(&draft);
    assert_ne!(result.placement, Placement::Cloud, "{:?}", result.sentence);
    let moved = result.migration.expect("a way");
    assert_eq!(moved.title, "From the cloud to your own hardware");
    assert_eq!((moved.steps.len(), moved.measures.is_empty(), moved.stop_if.is_empty()), (6, false, false));
    // To the cloud: a machine is there, and nobody has the time to run it.
    let mut draft = profile("small-team");
    text(&mut draft, answers::HAVE, "nvidia-rtx-4090");
    let result = way(&draft);
    assert_eq!(result.placement, Placement::Cloud);
    assert_eq!(result.migration.expect("a way").title, "From your own hardware to the cloud");
    // A start-up has nothing to move.
    assert!(way(&profile("starting-out")).migration.is_none());
    // What may not leave is not measured against an API.
    let kept = way(&profile("healthcare-strict")).migration.expect("a way");
    assert!(kept.steps.iter().all(|s| !s.contains("--api")), "{:?}", kept.steps);
}

/// The brief's quick start for a model of one's own.
#[test]
fn ollama_is_the_quick_way_to_a_model_of_ones_own() {
    let result = decided(&Catalog::embedded(), &profile("offline-field-device")).result;
    let code: Vec<&str> =
        result.recipes.iter().flat_map(|r| &r.steps).filter_map(|s| s.code.as_deref()).collect();
    assert!(code.iter().any(|c| c.contains("ollama run")), "{code:?}");
}
