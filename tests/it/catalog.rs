//! The shipped catalogue, the user's records over it, and the price files others keep.

#![allow(clippy::float_cmp)]

use crate::run::suite;
use freehold::catalog::import::{self, Format, Imported, Origin};
use freehold::catalog::{
    ApiModel, Catalog, Kind, NotResolved, Resolution, check, compare::compare, shipped_files, text, write,
};
use jiff::civil::{Date, date};
use proptest::prelude::*;

const TODAY: Date = date(2026, 11, 22);

fn import(format: Format, text: &str) -> Imported {
    let origin = Origin { file: "prices.json".to_owned(), source: "a test".to_owned(), as_of: TODAY };
    import::read(format, text, &origin).unwrap_or_else(|p| panic!("{p}"))
}

fn model<'a>(imported: &'a Imported, id: &str) -> &'a ApiModel {
    let ids: Vec<&str> = imported.models.iter().map(|m| m.id.as_str()).collect();
    imported.models.iter().find(|m| m.id == id).unwrap_or_else(|| panic!("{id} is not among {ids:?}"))
}

fn overlay(text: &str) -> Result<Catalog, String> {
    let file = ("mine.toml".to_owned(), text.to_owned());
    Catalog::embedded().overlaid(&[file], TODAY).map_err(|p| p.to_string())
}

// --- what is shipped ---

/// Every shipped file, read with its places and held against every rule.
#[test]
fn shipped_records_are_believable() {
    let catalog = Catalog::embedded();
    let (parsed, mut problems) = text::parse_all(shipped_files());
    problems.extend(check::files(&parsed, &catalog, TODAY));
    let shown: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert!(shown.is_empty(), "{} problems\n\n{}", shown.len(), shown.join("\n\n"));
}

#[test]
fn what_is_embedded_is_what_the_files_say() {
    let (parsed, problems) = text::parse_all(shipped_files());
    assert!(problems.is_empty());
    let mut catalog = Catalog::default();
    catalog.lay(&parsed);
    let embedded = Catalog::embedded();
    assert_eq!(catalog.api_models, embedded.api_models);
    assert_eq!(catalog.accelerators, embedded.accelerators);
    assert_eq!(catalog.open_models, embedded.open_models);
    assert_eq!(catalog.tariffs, embedded.tariffs);
}

/// The sizes the catalogue promises.
#[test]
fn the_catalogue_is_large_enough_to_decide_with() {
    let catalog = Catalog::embedded();
    let providers: std::collections::BTreeSet<&str> =
        catalog.api_models.iter().map(|m| m.provider.as_str()).collect();
    let linked = catalog.api_models.iter().filter(|m| m.open_model.is_some()).count();
    assert!(catalog.api_models.len() >= 200 && providers.len() >= 12, "{providers:?}");
    assert!(linked >= 100, "{linked} models by the token are linked to an open model");
    assert!(catalog.accelerators.len() + catalog.machines.len() >= 60);
    assert!(catalog.rentals.len() >= 25 && catalog.tariffs.len() >= 20 && catalog.open_models.len() >= 120);
}

/// Prices that change on a known day, step up with the request, or depend on the hour, as they were
/// read from the source.
#[test]
fn shipped_prices_keep_dates_steps_and_hours() {
    let catalog = Catalog::embedded();
    let find = |name: &str| catalog.resolve_api_model(name).expect("shipped").model();

    let argon = find("google/gemini-4-argon");
    let on = |day| argon.price_on(day).and_then(|p| p.rates.input_per_mtok);
    assert_eq!((on(TODAY), on(date(2026, 12, 1))), (Some(2.0), Some(4.0)));

    let haiku = find("anthropic/claude-haiku-5-5").price_on(TODAY).expect("priced");
    assert_eq!((haiku.rates.input_per_mtok, haiku.batch_multiplier), (Some(0.1), Some(0.5)));
    assert_eq!(haiku.tiers[0].above_input_tokens, 100_000);
    assert_eq!(haiku.tiers[0].rates.output_per_mtok, Some(2.5));

    let flash = find("deepseek/deepseek-v4-flash").price_on(TODAY).expect("priced");
    assert_eq!(flash.rates.output_per_mtok, Some(0.6));
    assert_eq!(flash.windows.len(), 2);
    assert_eq!(flash.windows[0].rates.output_per_mtok, Some(1.2));
    assert_eq!(flash.windows[0].weekdays, [1, 2, 3, 4, 5]);

    assert!(matches!(
        catalog.resolve_api_model("anthropic/claude-haiku-4-5"),
        Ok(Resolution::Alias { model, .. }) if model.id == "anthropic/claude-haiku-4-5-20251001"
    ));
    assert!(matches!(catalog.resolve_api_model("gpt-oss-120b"), Err(NotResolved::Ambiguous { .. })));
}

/// No shipped record is named by a moving name, and no name leads to two records of a provider.
#[test]
fn names_lead_to_one_record() {
    let catalog = Catalog::embedded();
    for m in &catalog.api_models {
        assert!(!import::names::is_moving(&m.model), "{}", m.id);
        for alias in &m.aliases {
            let found = catalog.served_as(&m.provider, alias).expect("known");
            assert_eq!(found.model().id, m.id, "{alias}");
        }
    }
}

// --- records of one's own ---

const TARIFF: &str = "[[tariff]]\nid = \"us\"\nname = \"ours\"\ncountry = \"US\"\nusd_per_kwh = 0.07\n\
                      source = \"contract\"\nas_of = 2026-10-01\n";

#[test]
fn a_record_of_ones_own_replaces_or_joins() {
    let id = Catalog::embedded().tariffs[0].id.clone();
    let before = Catalog::embedded().tariffs.len();
    let replaced = overlay(&TARIFF.replace("\"us\"", &format!("\"{id}\""))).expect("accepted");
    assert_eq!(replaced.tariff(&id).map(|t| t.usd_per_kwh), Some(0.07));
    assert_eq!(replaced.tariffs.len(), before);
    let joined = overlay(&TARIFF.replace("\"us\"", "\"our-cellar\"")).expect("accepted");
    assert_eq!(joined.tariffs.len(), before + 1);
}

fn api_model(price: &str) -> String {
    format!(
        "[[api_model]]\nid = \"acme/one\"\nprovider = \"acme\"\nmodel = \"one\"\nsource = \"quote\"\n\
         as_of = \"2026-11-01\"\n[[api_model.price]]\n{price}\n"
    )
}

/// Each case: what is written, and what the message must say.
#[test]
fn bad_records_are_told_by_place_and_remedy() {
    let model = |price: &str| api_model(price);
    let cases: Vec<(String, &[&str])> = vec![
        ("[[gpu]".to_owned(), &["mine.toml:1:"]),
        ("[[gpus]]\nid = \"x\"\n".to_owned(), &["mine.toml:1:3", "`gpus` is no kind of record", "[[gpu]]"]),
        ("gpu = 3\n".to_owned(), &["mine.toml:1:1", "`gpu` is not a list"]),
        (
            TARIFF.replace("0.07", "\"cheap\""),
            &["mine.toml:5:15", "usd_per_kwh = \"cheap\"", "^^^^^^^ expected"],
        ),
        (TARIFF.replace("country", "county"), &["mine.toml:4:1", "county", "country"]),
        (TARIFF.replace("source = \"contract\"\n", ""), &["missing field `source`"]),
        (TARIFF.replace("2026-10-01", "2027-10-01"), &["mine.toml:7:9", "in the future"]),
        (TARIFF.replace("0.07", "7.0"), &["usd_per_kwh is 7", "0.001 to 2 USD/kWh"]),
        (TARIFF.replace("0.07", "nan"), &["usd_per_kwh is NaN"]),
        (format!("{TARIFF}\n{TARIFF}"), &["tariff `us` is already in mine.toml, line 2", "each id once"]),
        (
            model("rates = { input_per_mtok = 0, output_per_mtok = 0 }"),
            &["mine.toml:8:28", "input_per_mtok is 0", "free = true"],
        ),
        (
            model("rates = { input_per_mtok = 3, output_per_mtok = -15 }"),
            &["output_per_mtok is -15", "0 to 10000 per million tokens"],
        ),
        // Per token, and per thousand tokens, where a million is meant.
        (
            model("rates = { input_per_mtok = 0.000003, output_per_mtok = 0.000015 }"),
            &["times under the median", "unit slip", "USD per million tokens"],
        ),
        (
            model("rates = { input_per_mtok = 0.003, output_per_mtok = 0.015 }"),
            &["times under the median", "unit slip"],
        ),
        (
            model("rates = { input_per_mtok = 3000, output_per_mtok = 9500 }"),
            &["times over the median", "unit slip"],
        ),
        (
            model("rates = { input_per_mtok = 3, output_per_mtok = 15 }\nbatch_multiplier = 50"),
            &["batch_multiplier is 50", "above 0, at most 1"],
        ),
        (
            model(
                "rates = { input_per_mtok = 3, output_per_mtok = 15 }\nwindows = [{ start_utc = \"25:00\", end_utc = \"04:00\", rates = {} }]",
            ),
            &["start_utc is no time of day", "HH:MM"],
        ),
        (
            model(
                "from = \"2026-12-01\"\nrates = { input_per_mtok = 3, output_per_mtok = 15 }\n[[api_model.price]]\nfrom = \"2026-11-01\"\nrates = { input_per_mtok = 3, output_per_mtok = 15 }",
            ),
            &["mine.toml:11:8", "out of order"],
        ),
        (
            model("rates = { input_per_mtok = 3, output_per_mtok = 15 }")
                .replace("[[api_model.price]]", "open_model = \"llama-3.1-8b-instuct\"\n[[api_model.price]]"),
            &[
                "acme/one: open_model points to open model `llama-3.1-8b-instuct`",
                "perhaps llama-3.1-8b-instruct",
            ],
        ),
        (
            model("currency = \"XXX\"\nrates = { input_per_mtok = 3, output_per_mtok = 15 }"),
            &["no rate to USD is known for XXX", "[[currency]]"],
        ),
    ];
    for (written, expected) in cases {
        let Err(message) = overlay(&written) else { panic!("accepted:\n{written}") };
        for part in expected {
            assert!(message.contains(part), "`{part}` is not in:\n{message}\n\nfor:\n{written}");
        }
    }
}

#[test]
fn a_circle_of_aliases_names_both_ends() {
    let one = api_model("rates = { input_per_mtok = 3, output_per_mtok = 15 }");
    let two = one.replace("acme/one", "acme/two").replace("model = \"one\"", "model = \"two\"");
    let circle = format!(
        "{}{}",
        one.replace("source =", "aliases = [\"two\"]\nsource ="),
        two.replace("source =", "aliases = [\"one\"]\nsource =")
    );
    let message = overlay(&circle).expect_err("a circle");
    assert!(message.contains("acme/one: alias `two` is the record acme/two, and that one back to this"));
    assert!(message.contains("acme/two: alias `one` is the record acme/one, and that one back to this"));
}

#[test]
fn every_problem_is_told_not_the_first() {
    let text = format!("{}{}", TARIFF.replace("0.07", "70"), api_model("rates = { input_per_mtok = 0 }"));
    let message = overlay(&text).expect_err("two problems");
    assert!(message.contains("mine.toml:5:") && message.contains("mine.toml:15:"), "{message}");
}

// --- price files others keep ---

#[test]
fn genai_prices_are_read_with_dates_hours_steps_and_batch() {
    let imported = import(Format::GenaiPrices, include_str!("../fixtures/prices/genai-prices.json"));
    let gemini = model(&imported, "google/gemini-3.6-flash");
    assert_eq!(gemini.price.len(), 2);
    assert_eq!(gemini.price[1].from, Some(date(2027, 1, 1)));
    assert_eq!(gemini.price[1].rates.input_per_mtok, Some(1.5));

    let haiku = model(&imported, "anthropic/claude-haiku-5-5");
    assert_eq!(haiku.price[0].tiers[0].above_input_tokens, 100_000);
    assert_eq!(haiku.price[0].tiers[0].rates.input_per_mtok, Some(0.5));
    assert_eq!(haiku.price[0].batch_multiplier, Some(0.5));

    // Three dated prices, then the hours that belong to the last of them.
    let flash = model(&imported, "deepseek/deepseek-v4-flash");
    let windows: Vec<usize> = flash.price.iter().map(|p| p.windows.len()).collect();
    assert_eq!(windows, [0, 0, 2]);
    assert_eq!(
        (flash.price[2].windows[0].start_utc.as_str(), flash.price[2].windows[0].end_utc.as_str()),
        ("01:00", "04:00")
    );

    // A path on the wire, a short id here; dated releases that share a price are records each.
    assert_eq!(
        model(&imported, "fireworks/llama-v3p1-8b-instruct").model,
        "accounts/fireworks/models/llama-v3p1-8b-instruct"
    );
    assert!(model(&imported, "openai/gpt-4o-2024-08-06").aliases.is_empty());
    assert!(model(&imported, "openai/gpt-4o-2024-11-20").aliases.contains(&"gpt-4o".to_owned()));
    // A released name stands before the dated preview it followed.
    assert_eq!(model(&imported, "google/gemini-2.5-flash").model, "gemini-2.5-flash");

    let reasons: Vec<(&str, &str)> =
        imported.skipped.iter().map(|s| (s.id.as_str(), s.reason.as_str())).collect();
    assert!(reasons.contains(&("openai/whisper-1", "not a text model")));
    assert!(reasons.contains(&("google/gemini-2.5-flash-image", "deprecated by its provider")));
    assert!(reasons.contains(&("perplexity/sonar", "charges per request besides tokens")));
    assert!(reasons.contains(&("mistral/mistral-nemo:free", "no price of input and output tokens")));
}

#[test]
fn litellm_is_read_per_token_with_suffixes() {
    let imported = import(Format::Litellm, include_str!("../fixtures/prices/litellm.json"));
    let opus = model(&imported, "anthropic/claude-opus-5-5");
    let price = opus.price_on(TODAY).expect("priced");
    assert_eq!((price.rates.input_per_mtok, price.rates.output_per_mtok), (Some(4.0), Some(20.0)));
    assert_eq!((price.rates.cache_read_per_mtok, price.batch_multiplier), (Some(0.2), Some(0.5)));
    assert_eq!((opus.context_tokens, opus.max_output_tokens), (Some(1_000_000), Some(128_000)));

    let grok = model(&imported, "x-ai/grok-4.3").price_on(TODAY).expect("priced");
    assert_eq!(grok.tiers[0].above_input_tokens, 200_000);
    assert_eq!(grok.tiers[0].rates.input_per_mtok, Some(2.5));

    let qwen = model(&imported, "dashscope/qwen-flash").price_on(TODAY).expect("priced");
    assert_eq!((qwen.rates.input_per_mtok, qwen.tiers[0].above_input_tokens), (Some(0.05), 256_000));

    // The list price is the peak's; the rest of the week is cheaper, weekends all day.
    let flash = model(&imported, "deepseek/deepseek-v4-flash").price_on(TODAY).expect("priced");
    assert_eq!(flash.rates.output_per_mtok, Some(1.2));
    assert!(flash.windows.iter().all(|w| w.rates.output_per_mtok == Some(0.6)));
    assert_eq!(flash.windows.iter().filter(|w| w.weekdays == [6, 7]).count(), 2);
    assert!(imported.skipped.iter().any(|s| s.id == "text-embedding-3-small"));
}

#[test]
fn models_dev_and_openrouter_are_read() {
    let imported = import(Format::ModelsDev, include_str!("../fixtures/prices/models-dev.json"));
    let grok = model(&imported, "x-ai/grok-4.3").price_on(TODAY).expect("priced");
    assert_eq!(grok.tiers.len(), 1);
    assert_eq!(grok.tiers[0].rates.output_per_mtok, Some(5.0));
    assert_eq!(model(&imported, "void/gpt-6.1-sol").max_output_tokens, Some(128_000));

    let imported = import(Format::OpenRouter, include_str!("../fixtures/prices/openrouter.json"));
    let lite = model(&imported, "openrouter/google/gemini-3.1-flash-lite");
    let rates = lite.price_on(TODAY).expect("priced").rates;
    assert_eq!((rates.input_per_mtok, rates.output_per_mtok), (Some(0.25), Some(1.5)));
    assert_eq!((rates.cache_read_per_mtok, rates.reasoning_per_mtok), (Some(0.025), None));
    assert!(model(&imported, "openrouter/inclusionai/ring-2.6-1t:free").price[0].free);
    assert_eq!(imported.skipped[0].reason, "a price that depends on the request");
}

#[test]
fn the_two_sources_are_compared_by_every_name() {
    let first = import(Format::GenaiPrices, include_str!("../fixtures/prices/genai-prices.json"));
    let second = import(Format::Litellm, include_str!("../fixtures/prices/litellm.json"));
    let c = compare(&first.models, &second.models, TODAY);
    let differ = |id: &str, field: &str| c.changed.iter().find(|c| c.id == id && c.field == field);
    let large = differ("mistral/mistral-large-4", "input_per_mtok").expect("differs");
    assert_eq!((large.old, large.new), (Some(0.7), Some(1.36)));
    assert!((large.relative().expect("both") - 0.943).abs() < 0.001);
    assert!(differ("anthropic/claude-opus-5-5", "input_per_mtok").is_none());
    // gpt-4o is an alias in one and a record in the other: the same model, nothing new.
    assert!(!c.added.iter().any(|id| id.starts_with("openai/")), "{:?}", c.added);
    assert!(c.gone.contains(&"openai/gpt-5.4-2026-03-05".to_owned()), "{:?}", c.gone);
}

#[test]
fn a_new_price_that_cannot_be_true_is_called_so() {
    let shipped = Catalog::embedded().api_models;
    let mut slipped = shipped.iter().find(|m| m.id == "anthropic/claude-opus-5-5").expect("shipped").clone();
    let rates = &mut slipped.price[0].rates;
    rates.input_per_mtok = rates.input_per_mtok.map(|p| p / 1000.0);
    let c = compare(&shipped, &[slipped], TODAY);
    assert!(!c.implausible.is_empty() && c.implausible.iter().all(|i| i.id == "anthropic/claude-opus-5-5"));
}

/// Wrong shapes are problems with a place, never a panic and never half an import.
#[test]
fn wrong_price_files_are_told_by_place() {
    let origin = Origin { file: "p.json".to_owned(), source: "test".to_owned(), as_of: TODAY };
    for (format, text, expected) in [
        (Format::GenaiPrices, "{\"a\": 1}", "p.json:1:"),
        (
            Format::GenaiPrices,
            "[{\"id\": \"x\",\n\"models\": [{\"id\": \"y\", \"match\": {\"equals\": \"y\"}, \"prices\": {\"input_mtok\": -1}}]}]",
            "p.json:2:",
        ),
        (
            Format::GenaiPrices,
            "[{\"id\": \"x\", \"models\": [{\"id\": \"y\", \"match\": {\"equals\": \"y\"}, \"prices\": 3}]}]",
            "an object of prices, or a list",
        ),
        (
            Format::Litellm,
            "{\"m\": {\"input_cost_per_token\": \"much\"}}",
            "a price: a number that is not negative",
        ),
        (Format::Litellm, "[]", "an object of model entries"),
        (Format::ModelsDev, "{\"x\": {\"models\": {\"y\": {\"cost\": {\"input\": -0.5}}}}}", "a price"),
        (Format::OpenRouter, "{\"models\": []}", "missing field `data`"),
        (Format::OpenRouter, "", "p.json:1:1"),
    ] {
        let problem = import::read(format, text, &origin).expect_err(text).to_string();
        assert!(problem.contains(expected), "`{expected}` is not in:\n{problem}");
    }
}

/// An odd record is left out with its reason, and the others are taken.
#[test]
fn one_odd_record_never_refuses_a_file() {
    let litellm = |odd: &str| {
        format!(
            "\u{feff}{{\"good\": {{\"litellm_provider\": \"openai\", \"mode\": \"chat\", \"input_cost_per_token\": 2e-6, \
             \"output_cost_per_token\": 8e-6}}, \"odd\": {{\"litellm_provider\": \"openai\", \"mode\": \"chat\", {odd}}}}}"
        )
    };
    let genai = |odd: &str| {
        format!(
            "[{{\"id\": \"x\", \"models\": [{{\"id\": \"good\", \"match\": {{\"equals\": \"good\"}}, \"prices\": {{\"input_mtok\": 1, \
             \"output_mtok\": 2}}}}, {{\"id\": \"odd\", \"match\": {{\"equals\": \"odd\"}}, \"prices\": {odd}}}]}}]"
        )
    };
    let models_dev = |odd: &str| {
        format!(
            "{{\"x\": {{\"models\": {{\"good\": {{\"cost\": {{\"input\": 1, \"output\": 2}}}}, \"odd\": {{\"cost\": {odd}}}}}}}}}"
        )
    };
    let openrouter = |odd: &str| {
        format!(
            "{{\"data\": [{{\"id\": \"good\", \"pricing\": {{\"prompt\": \"0.000001\", \"completion\": 2e-6}}}}, {{\"id\": \"odd\", \"pricing\": {odd}}}]}}"
        )
    };
    let base = "\"input_cost_per_token\": 1e-6, \"output_cost_per_token\": 2e-6";
    for (format, text, reason) in [
        (
            Format::Litellm,
            litellm("\"input_cost_per_token\": -1, \"output_cost_per_token\": -1"),
            "not negative",
        ),
        (Format::Litellm, litellm("\"input_cost_per_token\": \"much\""), "a price"),
        (
            Format::Litellm,
            litellm(&format!("{base}, \"input_cost_per_token_above_10_images\": 9e-6")),
            "tier",
        ),
        (Format::Litellm, litellm(&format!("{base}, \"tiered_pricing\": [{{\"above_hour\": 3}}]")), "tier"),
        (Format::Litellm, litellm(&format!("{base}, \"off_peak_pricing\": {{\"moon\": \"full\"}}")), "hour"),
        (Format::GenaiPrices, genai("{\"input_mtok\": -1}"), "not negative"),
        (
            Format::GenaiPrices,
            genai("{\"input_mtok\": {\"base\": 1, \"tiers\": [{\"requests\": 5, \"price\": 2}]}}"),
            "requests",
        ),
        (
            Format::GenaiPrices,
            genai(
                "[{\"constraint\": {\"region\": \"eu\"}, \"prices\": {\"input_mtok\": 1, \"output_mtok\": 2}}]",
            ),
            "region",
        ),
        (Format::ModelsDev, models_dev("{\"input\": -0.5}"), "not negative"),
        (
            Format::ModelsDev,
            models_dev(
                "{\"input\": 1, \"output\": 2, \"tiers\": [{\"tier\": {\"type\": \"hour\", \"size\": 3}, \"input\": 9}]}",
            ),
            "tier",
        ),
        (
            Format::ModelsDev,
            models_dev("{\"input\": 1, \"output\": 2, \"context_over_1m\": {\"input\": 9}}"),
            "tier",
        ),
        (Format::OpenRouter, openrouter("{\"prompt\": \"-1\", \"completion\": \"-1\"}"), "depends"),
        (
            Format::OpenRouter,
            openrouter("{\"prompt\": \"1e-6\", \"completion\": \"2e-6\", \"tiers\": [{\"above\": 5}]}"),
            "kind",
        ),
        (
            Format::OpenRouter,
            openrouter("{\"prompt\": \"1e-6\", \"completion\": \"2e-6\", \"request\": \"0.01\"}"),
            "per request",
        ),
        (Format::OpenRouter, openrouter("\"none\""), "cannot be read"),
    ] {
        let imported = import(format, &text);
        let ids: Vec<&str> = imported.models.iter().map(|m| m.model.as_str()).collect();
        assert_eq!(ids, ["good"], "{text}");
        assert_eq!(imported.skipped.len(), 1, "{:?}", imported.skipped);
        assert!(imported.skipped[0].id.ends_with("odd"), "{:?}", imported.skipped);
        assert!(imported.skipped[0].reason.contains(reason), "{reason}: {:?}", imported.skipped);
    }
    let long = litellm(&format!(
        "{base}, \"input_cost_per_token_above_1m_tokens\": 9e-6, \"input_cost_per_token_above_200k_tokens_priority\": 5e-6"
    ));
    let tiers: Vec<u64> = import(Format::Litellm, &long).models[1].price[0]
        .tiers
        .iter()
        .map(|t| t.above_input_tokens)
        .collect();
    assert_eq!(tiers, [1_000_000], "another service's tier is not this one's");
}

#[test]
fn deep_nesting_is_refused_not_followed() {
    let deep = "[".repeat(100_000);
    let origin = Origin { file: "p.json".to_owned(), source: "test".to_owned(), as_of: TODAY };
    for format in Format::ALL {
        assert!(import::read(format, &deep, &origin).is_err());
    }
    let toml = format!("gpu = {}", "[".repeat(100_000));
    assert!(overlay(&toml).is_err());
}

/// The TOML and JSON files that parsers are tested with: records or problems with a place, alone and
/// where a record's figure would stand.
#[test]
fn no_file_of_a_test_suite_breaks_the_readers() {
    for toml in suite("testdata/toml_test.json").unwrap_or_default() {
        for text in [toml.clone(), format!("[[gpu]]\n{toml}"), format!("[[gpu]]\nmemory_gb = {toml}")] {
            let mut problems = Vec::new();
            let parsed = text::parse("mine.toml", &text, &mut problems);
            problems.extend(check::files(&[parsed], &Catalog::default(), TODAY));
            for problem in problems {
                assert!(problem.to_string().starts_with("mine.toml:"), "{problem}");
            }
        }
    }
    let origin = Origin { file: "p.json".to_owned(), source: "test".to_owned(), as_of: TODAY };
    for json in suite("testdata/json_test_suite.json").unwrap_or_default() {
        let wraps = [
            (Format::Litellm, ["{\"m\": {\"input_cost_per_token\": ", "}}"]),
            (
                Format::GenaiPrices,
                ["[{\"id\": \"x\", \"models\": [{\"id\": \"y\", \"prices\": {\"input_mtok\": ", "}}]}]"],
            ),
            (Format::ModelsDev, ["{\"x\": {\"models\": {\"y\": {\"cost\": {\"input\": ", "}}}}}"]),
            (Format::OpenRouter, ["{\"data\": [{\"id\": \"m\", \"pricing\": {\"prompt\": ", "}}]}"]),
        ];
        for (format, [before, after]) in wraps {
            for text in [json.clone(), format!("{before}{json}{after}")] {
                match import::read(format, &text, &origin) {
                    Ok(imported) => {
                        let prices = imported.models.iter().flat_map(|m| &m.price);
                        assert!(
                            prices.filter_map(|p| p.rates.input_per_mtok).all(|p| p.is_finite() && p >= 0.0)
                        );
                    }
                    Err(problem) => assert!(problem.to_string().starts_with("p.json:"), "{problem}"),
                }
            }
        }
    }
}

#[test]
fn what_is_written_reads_back_the_same() {
    let shipped = Catalog::embedded().api_models;
    let text = write::api_models("Two lines\nof comment", &shipped);
    let mut problems = Vec::new();
    let parsed = text::parse("x.toml", &text, &mut problems);
    assert!(problems.is_empty(), "{problems:?}");
    let back: Vec<ApiModel> = parsed.records.api_models.into_iter().map(|e| e.record).collect();
    assert_eq!(back, shipped);
}

proptest! {
    /// Whatever a file holds, reading it ends in records or problems.
    #[test]
    fn no_text_makes_the_reader_panic(text in "(\\[\\[(gpu|api_model|tariff)\\]\\]|[a-z_]{1,8} = |\"[^\"]{0,6}\"|[0-9.]{1,5}|\\{|\\}|\\[|\\]|,|\n| |é){0,60}") {
        let mut problems = Vec::new();
        let parsed = text::parse("x.toml", &text, &mut problems);
        let _ = check::files(&[parsed], &Catalog::default(), TODAY);
        for problem in &problems {
            prop_assert!(!problem.to_string().is_empty());
        }
    }

    /// Names of any kind are quoted so that they come back as they were.
    #[test]
    fn any_name_survives_writing(name in "\\PC{0,40}|[\\x00-\\x7f]{0,40}") {
        static ONE: std::sync::OnceLock<ApiModel> = std::sync::OnceLock::new();
        let mut model = ONE.get_or_init(|| Catalog::embedded().api_models[0].clone()).clone();
        model.name = Some(name);
        let text = write::api_models("", &[model.clone()]);
        let mut problems = Vec::new();
        let parsed = text::parse("x.toml", &text, &mut problems);
        prop_assert!(problems.is_empty(), "{:?}\n{}", problems, text);
        prop_assert_eq!(&parsed.records.api_models[0].record, &model);
    }
}

#[test]
fn every_kind_has_ids() {
    let catalog = Catalog::embedded();
    for kind in Kind::ALL {
        assert!(!catalog.ids(kind).is_empty(), "{}", kind.plural());
    }
}
