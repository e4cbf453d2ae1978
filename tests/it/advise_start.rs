//! What to do after a verdict: recipes and first steps are of the verdict's own models, and can be followed.

use crate::advise_priced::{NOW, decided, number, profile, text};
use crate::run::Sandbox;
use freehold::advise::{Confidence, Placement};
use freehold::app::advise::{AdviceBasis, Asked, CostFile, advise};
use freehold::app::deploy::deploy;
use freehold::catalog::Catalog;
use freehold::deploy::read;
use freehold::document::advice::{AdviceDocument, OptionRow, RecipeStep};
use freehold::document::breakeven::BreakevenDocument;
use freehold::provenance::Source;
use freehold::workload::given::{Given, Value};
use freehold::workload::keys::{answers, find, need};
use freehold::workload::profile::SHIPPED;
use freehold::workload::{NeedDraft, Privacy};

fn with(mut draft: NeedDraft, modifiers: &[&str]) -> NeedDraft {
    for name in modifiers {
        let key = find(answers::KEYS, &format!("modifiers.{name}")).expect("a key");
        draft.set(key, Given { value: Value::Flag(true), source: Source::flag("--test") });
    }
    draft
}

fn answered(words: [&str; 5]) -> NeedDraft {
    let keys = [answers::PRIVACY, answers::VOLUME, answers::CAPABILITY, answers::OPERATIONS, answers::BUDGET];
    let mut draft = NeedDraft::default();
    for (key, word) in keys.into_iter().zip(words) {
        let source = Source::flag(format!("--{}", key.flag()));
        draft.set(key, Given { value: Value::Text(word.to_owned()), source });
    }
    draft
}

fn sized(mut draft: NeedDraft, requests: f64, input: f64, output: f64) -> NeedDraft {
    number(&mut draft, need::REQUESTS_PER_MONTH, requests);
    number(&mut draft, need::INPUT_TOKENS, input);
    number(&mut draft, need::OUTPUT_TOKENS, output);
    draft
}

fn chosen(document: &AdviceDocument) -> &OptionRow {
    let result = &document.result;
    result.options.iter().find(|o| Some(&o.id) == result.chosen.as_ref()).expect("chosen")
}

fn steps(document: &AdviceDocument) -> Vec<&RecipeStep> {
    let recipes = document.result.recipes.iter().flat_map(|r| &r.steps);
    document.result.first_steps.iter().chain(recipes).collect()
}

/// The words behind a flag, of all commands.
fn words<'a>(document: &'a AdviceDocument, before: &str) -> Vec<&'a str> {
    let codes = steps(document).into_iter().filter_map(|s| s.code.as_deref());
    codes
        .flat_map(|c| c.split(before).skip(1))
        .map(|rest| rest.split([' ', '"', '\n']).next().unwrap_or_default().trim_matches('\''))
        .collect()
}

/// No command and no example of a document is about another model than the one that it decided for.
fn of_its_own_models(name: &str, document: &AdviceDocument, catalog: &Catalog) {
    let (row, models) = (chosen(document), &document.result.models);
    assert_eq!(models.api.as_ref().map(|m| &m.id), row.api_model.as_ref(), "{name}: {}", row.name);
    let open = models.open.as_ref().map(|m| &m.id);
    if row.placement == Placement::Cloud {
        assert_eq!(open, None, "{name}");
    } else {
        assert_eq!(open, row.open_model.as_ref(), "{name}: {}", row.name);
    }
    let api = row.api_model.as_ref().map(|id| catalog.api_model(id).expect("known"));
    for model in words(document, "model=\"") {
        assert_eq!(Some(model), api.map(|m| m.model.as_str()), "{name}");
    }
    for model in words(document, "fit --model ") {
        assert_eq!(Some(model), open.map(String::as_str), "{name}");
    }
    for target in words(document, "--api ") {
        let own = || models.open.as_ref().and_then(|m| m.repository.as_ref());
        if target.contains("@http://localhost") {
            assert!(own().is_some_and(|r| target.contains(r.as_str())), "{name}: {target}");
            continue;
        }
        let api = api.expect("an API model");
        let service = target.split(':').next().expect("a service");
        let provider = catalog.provider(service).unwrap_or_else(|| panic!("{name}: {target}"));
        assert!(target.contains(&api.model), "{name}: {target}");
        match catalog.provider_of(api) {
            Some(of) => assert_eq!(of.id, provider.id, "{name}: {target}"),
            None => assert!(target.starts_with("compatible:"), "{name}: {target}"),
        }
    }
    let again = document.result.look_again.as_ref().expect("a day");
    let named = catalog.api_models.iter().find(|m| again.because.starts_with(&format!("{}:", m.id)));
    assert!(named.is_none_or(|m| Some(&m.id) == row.api_model.as_ref()), "{name}: {}", again.because);
    for warning in document.warnings.iter().filter(|w| w.id == "prices-older-than-90-days") {
        let of = row.api_model.as_deref().unwrap_or_default();
        assert!(warning.message.contains(of), "{name}: {}", warning.message);
    }
}

/// Every command that writes files is carried out by `deploy`, and none is printed where it is refused.
fn can_be_deployed(name: &str, document: &AdviceDocument, catalog: &Catalog) -> usize {
    let json = serde_json::to_string(document).expect("JSON");
    let mut seen = 0;
    for step in steps(document) {
        let Some(code) = step.code.as_deref().filter(|c| c.contains("freehold deploy")) else { continue };
        let weights = code.contains("--weights").then(|| "OWNER/REPO".to_owned());
        assert!(weights.is_none() || step.text.contains("OWNER/REPO"), "{name}: {}", step.text);
        let asked = read::Asked { weights, ..read::Asked::default() };
        let folder = deploy("advice.json", &json, catalog, &asked).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(folder.left_out.iter().all(|l| !l.because.contains("--weights")), "{name}: {code}");
        seen += 1;
    }
    seen
}

/// A step that puts prompts onto somebody else's machine says which.
fn keeps_data_in(name: &str, document: &AdviceDocument) {
    let result = &document.result;
    let offline = document.inputs.contains_key("modifiers.offline");
    if result.answers.privacy == Privacy::Standard && !offline {
        return;
    }
    for step in result.first_steps.iter().filter(|s| s.text.contains("rent ")) {
        let safe = ["made-up", "No offer to rent"].iter().any(|w| step.text.contains(w));
        assert!(safe, "{name}: {}", step.text);
    }
}

#[test]
fn what_to_do_is_about_the_models_of_the_verdict_and_can_be_done() {
    let catalog = Catalog::embedded();
    let mut seen = 0;
    let mut check = |name: &str, draft: &NeedDraft| {
        let document = decided(&catalog, draft);
        of_its_own_models(name, &document, &catalog);
        keeps_data_in(name, &document);
        seen += can_be_deployed(name, &document, &catalog);
        document
    };
    for (name, _) in SHIPPED {
        check(name, &profile(name));
    }
    // A Mac whose weights nobody knows how to make.
    let mut rag = sized(answered(["strict", "high", "moderate", "available", "capex"]), 4e5, 3000.0, 300.0);
    text(&mut rag, need::USE, "rag");
    number(&mut rag, answers::UP_FRONT, 3000.0);
    check("rag", &rag);
    // The model that ships inside is sent half of the work, so the API is not left out.
    let shipped = answered(["standard", "high", "maximum", "available", "capex"]);
    let shipped = sized(with(shipped, &["embedded", "fine-tuning"]), 3e6, 2000.0, 300.0);
    let document = check("embedded", &shipped);
    let uses_api = chosen(&document).api_model.is_some();
    assert!(!uses_api || document.result.excluded.is_empty(), "{:?}", document.result.excluded);
    assert!(seen > SHIPPED.len(), "{seen}");
}

#[test]
fn without_numbers_the_first_steps_lead_to_numbers() {
    let catalog = Catalog::embedded();
    for words in [
        ["standard", "low", "moderate", "limited", "opex"],
        ["strict", "high", "basic", "available", "capex"],
        ["standard", "high", "moderate", "available", "opex"],
    ] {
        let document = decided(&catalog, &answered(words));
        let result = &document.result;
        assert!(result.chosen.is_none() && result.first_steps.len() > 2, "{words:?}");
        let again = result.first_steps.iter().filter_map(|s| s.code.as_deref());
        let flag = format!("--privacy {}", words[0]);
        assert!(again.clone().any(|c| c.contains("advise") && c.contains(&flag)), "{words:?}");
        let keeps = result.placement == Placement::Local;
        assert!(!keeps || again.clone().all(|c| !c.contains("--api")), "{words:?}");
        can_be_deployed("without numbers", &document, &catalog);
    }
}

fn costed(sandbox: &Sandbox, line: &str) -> BreakevenDocument {
    let json = sandbox.shell(&format!("freehold breakeven {line} --draws 10 --json")).ok();
    serde_json::from_str(&json).expect("a document")
}

fn from(catalog: &Catalog, draft: &NeedDraft, document: &BreakevenDocument) -> AdviceDocument {
    let today = "2026-11-27".parse().expect("a day");
    let cost = Some(CostFile { name: "cost.json", document });
    let asked = Asked { draft, evidence: None, cost, allow_mismatch: true };
    advise(&asked, &AdviceBasis { catalog, today, now: NOW }).expect("decided")
}

#[test]
fn a_cost_document_is_followed_by_steps_towards_its_own_choice() {
    let catalog = Catalog::embedded();
    let sandbox = Sandbox::new();
    let need = "--requests-per-month 200000 --input-tokens 1000 --output-tokens 300 --today 2026-11-27";
    let own = "--local.model gpt-oss-20b --local.kind owned";
    for (api, privacy, side) in [
        ("openai/gpt-6-luna", "standard", Placement::Cloud),
        ("deepseek/deepseek-v4-flash", "standard", Placement::Cloud),
        ("anthropic/claude-opus-4-8", "strict", Placement::Local),
    ] {
        let Some(model) = catalog.api_model(api) else { panic!("{api}") };
        let document = costed(&sandbox, &format!("{need} --cloud.model {} {own}", model.id));
        let draft = answered([privacy, "high", "moderate", "available", "capex"]);
        let draft = sized(draft, 200_000.0, 1000.0, 300.0);
        let advice = from(&catalog, &draft, &document);
        assert_eq!(chosen(&advice).placement, side, "{api}: {:?}", advice.result.sentence);
        of_its_own_models(api, &advice, &catalog);
        assert!(advice.result.first_steps.len() > 1, "{api}: {:?}", advice.result.first_steps);
        assert!(can_be_deployed(api, &advice, &catalog) > 0, "{api}");
        // Made for another need, it is trusted less, and why is said.
        let other = from(&catalog, &sized(draft.clone(), 8000.0, 1000.0, 300.0), &document);
        let (here, there) = (&advice.result, &other.result);
        assert!(there.confidence < here.confidence || here.confidence == Confidence::Low, "{api}");
        assert!(there.confidence_because.iter().any(|b| b.contains("another need")), "{api}");
    }
}

/// A price of the user's own, of a model that is in no catalogue.
#[test]
fn an_offer_described_by_hand_is_not_given_a_model() {
    let catalog = Catalog::embedded();
    let need = "--requests-per-month 200000 --input-tokens 1000 --output-tokens 300 --today 2026-11-27";
    let ours = "--cloud.name ours --cloud.input-usd-per-mtok 0.01 --cloud.output-usd-per-mtok 0.02";
    let own = "--local.model gpt-oss-20b --local.kind owned";
    let document = costed(&Sandbox::new(), &format!("{need} {ours} {own}"));
    let draft = answered(["standard", "high", "moderate", "available", "capex"]);
    let advice = from(&catalog, &sized(draft, 200_000.0, 1000.0, 300.0), &document);
    assert_eq!(chosen(&advice).name, "ours");
    assert!(advice.result.models.api.is_none() && words(&advice, "model=\"") == ["MODEL"]);
    assert!(words(&advice, "--api ").iter().all(|target| *target == "PROVIDER:MODEL"));
    assert!(advice.result.first_steps.len() > 1, "{:?}", advice.result.first_steps);
}

#[test]
fn a_tier_that_is_asked_for_is_kept() {
    let catalog = Catalog::embedded();
    for words in [
        ["standard", "low", "basic", "limited", "opex"],
        ["standard", "high", "basic", "available", "capex"],
        ["strict", "high", "basic", "available", "capex"],
    ] {
        let draft = sized(answered(words), 50_000.0, 800.0, 200.0);
        for tier in [1, 2, 4] {
            let mut asked = draft.clone();
            number(&mut asked, need::TIER, f64::from(tier));
            let document = decided(&catalog, &asked);
            let has = chosen(&document).tier.expect("rated");
            // No open model is of the first tier: what may not leave gets the best there is, and it is said.
            let said = document.warnings.iter().any(|w| w.id == "answer-gives-way");
            assert!(has <= tier || said && has == 2, "{words:?}: {has} for {tier}");
        }
    }
}

#[test]
fn rented_machines_need_an_agreement_too() {
    let draft = answered(["sensitive", "high", "moderate", "available", "capex"]);
    let document = decided(&Catalog::embedded(), &sized(draft, 3e5, 2000.0, 300.0));
    for option in &document.result.options {
        let leaves = !matches!(option.id.as_str(), "owned" | "have");
        let said = option.needs.iter().any(|n| n.contains("agreement"));
        assert_eq!(said, leaves, "{}: {:?}", option.id, option.needs);
    }
}

#[test]
fn what_does_not_count_and_what_is_assumed_is_said() {
    let catalog = Catalog::embedded();
    let warned = |draft: &NeedDraft, id: &str| decided(&catalog, draft).warnings.iter().any(|w| w.id == id);
    let mut draft =
        sized(answered(["standard", "high", "moderate", "available", "capex"]), 1e5, 800.0, 200.0);
    assert!(!warned(&draft, "simple-share-not-used") && !warned(&draft, "request-size-assumed"));
    number(&mut draft, answers::SIMPLE_SHARE, 0.9);
    assert!(warned(&draft, "simple-share-not-used"));
    assert!(!warned(&with(draft, &["mixed-complexity"]), "simple-share-not-used"));
    let mut total = answered(["standard", "high", "moderate", "available", "capex"]);
    number(&mut total, need::TOKENS_PER_MONTH, 1e9);
    number(&mut total, need::INPUT_SHARE, 0.8);
    assert!(warned(&total, "request-size-assumed"));
}
