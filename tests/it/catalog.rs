//! The shipped catalogue, the user's records over it, and the price files others keep.

#![allow(clippy::float_cmp)]

use crate::run::suite;
use freehold::catalog::import::{self, Format, Imported, Origin, Reason};
use freehold::catalog::{
    ApiModel, Catalog, Kind, NotResolved, RangeCase, RangeInput, Resolution, check, compare::compare,
    shipped_files, text, write,
};
use jiff::civil::{Date, date};
use proptest::prelude::*;

const TODAY: Date = date(2026, 11, 27);

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
    let sellers: std::collections::BTreeSet<&str> =
        catalog.subscriptions.iter().map(|s| s.provider.as_str()).collect();
    assert!(catalog.subscriptions.len() >= 15 && sellers.len() >= 5, "{sellers:?}");
}

/// Every input that is assumed where nobody states it has a range, by the place where it differs.
#[test]
fn assumed_inputs_have_ranges() {
    use RangeCase::{Any, Api, Card, Office, Owned, Rack, Rented, SameModel, Server, Successors};
    let catalog = Catalog::embedded();
    let of = |input, case| {
        let r = catalog.range(input, case).unwrap_or_else(|| panic!("no range of {input:?}, {case:?}"));
        (r.low, r.likely, r.high)
    };
    assert_eq!(of(RangeInput::ApiPriceChange, SameModel), (-0.3, 0.0, 0.2));
    assert_eq!(of(RangeInput::ApiPriceChange, Successors), (-0.8, -0.4, 0.0));
    assert_eq!(of(RangeInput::Volume, Any), (0.5, 1.0, 1.7));
    assert_eq!(of(RangeInput::Purchase, Card), (0.9, 1.0, 1.6));
    assert_eq!(of(RangeInput::Purchase, Server), (0.9, 1.0, 1.3));
    assert_eq!(of(RangeInput::StaffHours, Office), (2.0, 4.0, 10.0));
    assert_eq!(of(RangeInput::StaffHours, Rack), (10.0, 20.0, 60.0));
    assert_eq!(of(RangeInput::StaffHours, Api), (1.0, 4.0, 10.0));
    // A case without a range of its own takes the one of any.
    assert_eq!(of(RangeInput::PeakToMean, Rack), of(RangeInput::PeakToMean, Any));
    assert_ne!(of(RangeInput::Pue, Rack), of(RangeInput::Pue, Any));
    for case in [Owned, Rented, Api] {
        assert_eq!(of(RangeInput::Implementation, case).1, 0.0);
    }
    assert!(catalog.range(RangeInput::Implementation, Any).is_none());
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

fn seat(fields: &str) -> String {
    format!(
        "[[subscription]]\nid = \"acme-seat\"\nprovider = \"acme\"\nname = \"Seat\"\nbuyer = \"person\"\n\
         currency = \"USD\"\nsource = \"test\"\nas_of = 2026-11-01\n{fields}\n"
    )
}

fn range(values: &str) -> String {
    format!(
        "[[range]]\nid = \"x\"\ninput = \"pue\"\ncase = \"card\"\nunit = \"x\"\nreason = \"test\"\n\
         source = \"test\"\nas_of = 2026-11-01\n{values}\n"
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
        (seat("per_month = -3"), &["per_month is -3", "for one seat and month"]),
        (seat("note = \"free\""), &["no price of a seat", "per_month_of_year"]),
        (
            seat("per_month = 10\nper_month_of_year = 12"),
            &["mine.toml:10:21", "at most that of a single one"],
        ),
        (seat("per_month = 10\nseats_from = 9\nseats_to = 3"), &["from 9 to 3 seats"]),
        (
            seat("per_month = 10\nallowance = [{ amount = 5, unit = \"times\", per = \"month\" }]"),
            &["a multiple of nothing", "`of`, the id of a subscription"],
        ),
        (
            seat(
                "per_month = 10\nallowance = [{ amount = 5, unit = \"times\", per = \"month\", of = \"cursor-por\" }]",
            ),
            &["points to subscription `cursor-por`", "perhaps cursor-pro"],
        ),
        (
            seat("per_month = 10\nallowance = [{ amount = 5, unit = \"hugs\", per = \"month\" }]"),
            &["hugs", "credits"],
        ),
        (range("low = 2\nlikely = 1\nhigh = 3"), &["2 to 3, likely 1", "low, likely and high in this order"]),
        (range("low = nan\nlikely = 1\nhigh = 3"), &["NaN to 3, likely 1"]),
        (range("low = 0\nlikely = 1\nhigh = 2").replace("pue", "pueh"), &["pueh", "staff-hours"]),
        (
            range("low = 0\nlikely = 1\nhigh = 2").replace("case = \"card\"", "case = \"rack\""),
            &["pue-rack has the same input and case", "one range for each case"],
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

    let reasons: Vec<(&str, &Reason)> = imported.skipped.iter().map(|s| (s.id.as_str(), &s.reason)).collect();
    assert!(reasons.contains(&("openai/whisper-1", &Reason::NotText)));
    assert!(reasons.contains(&("google/gemini-2.5-flash-image", &Reason::Deprecated)));
    assert!(reasons.contains(&("perplexity/sonar", &Reason::PerRequest)));
    assert!(reasons.contains(&("mistral/mistral-nemo:free", &Reason::NoPrice)));
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
    assert_eq!(imported.skipped[0].reason, Reason::Depends);
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

/// A file that is none of the format is a problem with a place, never a panic.
#[test]
fn wrong_price_files_are_told_by_place() {
    let origin = Origin { file: "p.json".to_owned(), source: "test".to_owned(), as_of: TODAY };
    for (format, text, expected) in [
        (Format::GenaiPrices, "{\"a\": 1}", "p.json:1:"),
        (Format::Litellm, "[]", "an object of entries"),
        (Format::Litellm, "{\"m\": {\"mode\": \"chat\"},\n\"n\": {]}", "p.json:2:"),
        (Format::OpenRouter, "{\"models\": []}", "missing field `data`"),
        (Format::OpenRouter, "", "p.json:1:1"),
    ] {
        let problem = import::read(format, text, &origin).expect_err(text).to_string();
        assert!(problem.contains(expected), "`{expected}` is not in:\n{problem}");
    }
}

/// A file of each format: a good record, then what is given for an odd one.
fn with_a_good_record(format: Format, odd: &str) -> String {
    match format {
        Format::GenaiPrices => format!(
            "[{{\"id\": \"x\", \"models\": [\n{{\"id\": \"good\", \"match\": {{\"equals\": \"good\"}}, \
             \"prices\": {{\"input_mtok\": 1, \"output_mtok\": 4}}}},\n{odd}]}}]"
        ),
        Format::Litellm => format!(
            "{{\n\"good\": {{\"litellm_provider\": \"x\", \"mode\": \"chat\", \
             \"input_cost_per_token\": 1e-6, \"output_cost_per_token\": 4e-6}},\n\"odd\": {odd}}}"
        ),
        Format::ModelsDev => format!(
            "{{\"x\": {{\"models\": {{\n\"good\": {{\"cost\": {{\"input\": 1, \"output\": 4}}}},\n\
             \"odd\": {odd}}}}}}}"
        ),
        Format::OpenRouter => format!(
            "{{\"data\": [\n{{\"id\": \"x/good\", \
             \"pricing\": {{\"prompt\": \"1e-6\", \"completion\": \"4e-6\"}}}},\n{odd}]}}"
        ),
    }
}

type Is<'a> = &'a dyn Fn(&Reason) -> bool;

/// The good one is always taken; the odd one is left out with its reason, on its line.
#[test]
fn one_odd_record_is_left_out_and_not_the_file() {
    let unreadable = |reason: &Reason| matches!(reason, Reason::Unreadable { line: 3, .. });
    let depends = |reason: &Reason| *reason == Reason::Depends;
    let step = |reason: &Reason| matches!(reason, Reason::UnknownStep(_));
    let no_number = |reason: &Reason| matches!(reason, Reason::NoNumber(_));
    let no_price = |reason: &Reason| *reason == Reason::NoPrice;
    let per_request = |reason: &Reason| *reason == Reason::PerRequest;
    let genai = |prices: &str| {
        format!("{{\"id\": \"odd\", \"match\": {{\"equals\": \"odd\"}}, \"prices\": {prices}}}")
    };
    let litellm = |prices: &str| format!("{{\"litellm_provider\": \"x\", \"mode\": \"chat\", {prices}}}");
    let flat = "\"input_cost_per_token\": 1e-6, \"output_cost_per_token\": 4e-6";
    let dev = |cost: &str| format!("{{\"cost\": {{{cost}}}}}");
    let router = |pricing: &str| format!("{{\"id\": \"odd\", \"pricing\": {{{pricing}}}}}");
    let (dev_flat, router_flat) =
        ("\"input\": 1, \"output\": 4", "\"prompt\": \"1e-6\", \"completion\": \"4e-6\"");
    let cases: Vec<(Format, String, Is<'_>)> = vec![
        // No price, or none that is fixed.
        (Format::GenaiPrices, genai("{\"input_mtok\": -1, \"output_mtok\": 1}"), &depends),
        (Format::GenaiPrices, genai("3"), &unreadable),
        (Format::GenaiPrices, genai("{\"input_mtok\": \"much\"}"), &unreadable),
        (Format::GenaiPrices, genai("{\"input_mtok\": 1e999, \"output_mtok\": 1}"), &unreadable),
        (Format::GenaiPrices, "7".to_owned(), &unreadable),
        (Format::GenaiPrices, "[".repeat(500) + &"]".repeat(500), &unreadable),
        (Format::Litellm, litellm("\"input_cost_per_token\": -1, \"output_cost_per_token\": -1"), &depends),
        (Format::Litellm, litellm("\"input_cost_per_token\": \"much\""), &no_number),
        (Format::Litellm, litellm("\"input_cost_per_token\": {\"usd\": 1}"), &no_number),
        (Format::Litellm, litellm("\"input_cost_per_token\": 1e-6"), &no_price),
        (Format::Litellm, litellm(&format!("{flat}, \"input_cost_per_request\": 0.005")), &per_request),
        (Format::Litellm, "[1, 2]".to_owned(), &unreadable),
        (Format::Litellm, "\"text\"".to_owned(), &unreadable),
        (Format::ModelsDev, dev("\"input\": -0.5, \"output\": 1"), &depends),
        (Format::ModelsDev, dev("\"input\": true"), &unreadable),
        (Format::ModelsDev, "{}".to_owned(), &no_price),
        (Format::OpenRouter, router("\"prompt\": \"-1\", \"completion\": \"-1\""), &depends),
        (Format::OpenRouter, router("\"prompt\": -1, \"completion\": -1"), &depends),
        (Format::OpenRouter, router("\"prompt\": [], \"completion\": 1"), &unreadable),
        (Format::OpenRouter, router(&format!("{router_flat}, \"request\": \"0.01\"")), &per_request),
        (Format::OpenRouter, "{\"pricing\": {}}".to_owned(), &unreadable),
        // Steps of a kind that is not known: the base price alone would be too low.
        (
            Format::GenaiPrices,
            genai("{\"input_mtok\": {\"base\": 1, \"tiers\": [{\"images\": 2, \"price\": 3}]}}"),
            &unreadable,
        ),
        (
            Format::GenaiPrices,
            genai(
                "[{\"prices\": {\"input_mtok\": 1, \"output_mtok\": 2}}, {\"constraint\": {\"region\": \"eu\"}, \"prices\": {}}]",
            ),
            &unreadable,
        ),
        (
            Format::GenaiPrices,
            genai(
                "[{\"constraint\": {\"start_time\": \"16:30:00Z\", \"end_time\": \"00:30:00Z\"}, \
                 \"prices\": {\"input_mtok\": 1, \"output_mtok\": 2}}]",
            ),
            &step,
        ),
        (Format::Litellm, litellm(&format!("{flat}, \"input_cost_per_token_above_3_images\": 1")), &step),
        (
            Format::Litellm,
            litellm(&format!("{flat}, \"output_cost_per_token_above_200k_output_tokens\": 1")),
            &step,
        ),
        (Format::Litellm, litellm(&format!("{flat}, \"output_cost_per_token_above_1hr\": 1")), &step),
        (
            Format::Litellm,
            litellm(&format!("{flat}, \"input_cost_per_token_above_200k_tokens\": -1")),
            &depends,
        ),
        (
            Format::Litellm,
            litellm(&format!(
                "{flat}, \"tiered_pricing\": [{{\"range\": [0, 9], \"modality\": \"image\", {flat}}}]"
            )),
            &step,
        ),
        (Format::Litellm, litellm(&format!("\"tiered_pricing\": [{{{flat}}}]")), &step),
        (
            Format::Litellm,
            litellm(&format!(
                "{flat}, \"off_peak_pricing\": {{{flat}, \"windows\": [{{\"season\": \"winter\"}}]}}"
            )),
            &step,
        ),
        (Format::ModelsDev, dev(&format!("{dev_flat}, \"tiers\": [{{\"input\": 2}}]")), &step),
        (
            Format::ModelsDev,
            dev(&format!(
                "{dev_flat}, \"tiers\": [{{\"tier\": {{\"type\": \"images\", \"size\": 2}}, \"input\": 2}}]"
            )),
            &step,
        ),
        (Format::ModelsDev, dev(&format!("{dev_flat}, \"weekend\": {{\"input\": 2}}")), &step),
        (Format::OpenRouter, router(&format!("{router_flat}, \"tiers\": [{{\"above\": 3}}]")), &step),
    ];
    for (format, odd, is) in cases {
        let imported = import(format, &with_a_good_record(format, &odd));
        let ids: Vec<&str> = imported.models.iter().map(|m| m.id.as_str()).collect();
        assert!(matches!(ids[..], [id] if id.ends_with("good")), "{odd}: {ids:?}");
        let [skipped] = &imported.skipped[..] else { panic!("{odd}: {:?}", imported.skipped) };
        assert!(is(&skipped.reason), "{odd}: {}: {}", skipped.id, skipped.reason);
    }
}

/// What is odd and no price leaves a record as it is.
#[test]
fn an_odd_limit_or_service_is_no_reason_to_leave_a_price_out() {
    let flat = "\"input_cost_per_token\": \"1e-6\", \"output_cost_per_token\": 4e-6";
    let odd = format!(
        "{{\"litellm_provider\": \"x\", \"mode\": \"chat\", {flat}, \"max_input_tokens\": \"200k\", \
         \"max_output_tokens\": 8192.0, \"source\": 3, \"deprecation_date\": \"soon\", \
         \"output_cost_per_token_above_100k_tokens\": 5e-6, \"input_cost_per_token_above_100k_tokens_flex\": 1, \
         \"cache_creation_input_token_cost_above_1hr_above_100k_tokens\": 1, \"supports_x\": [1]}}"
    );
    let imported = import(Format::Litellm, &with_a_good_record(Format::Litellm, &odd));
    let odd = model(&imported, "x/odd");
    assert_eq!((odd.context_tokens, odd.max_output_tokens, odd.retires), (None, Some(8_192), None));
    // A step of the output alone is a step.
    let price = odd.price_on(TODAY).expect("priced");
    let [tier] = &price.tiers[..] else { panic!("{:?}", price.tiers) };
    assert_eq!((tier.above_input_tokens, tier.rates.output_per_mtok), (100_000, Some(5.0)));
    assert_eq!(tier.rates.input_per_mtok, price.rates.input_per_mtok);

    let marked = format!("\u{feff}{}", with_a_good_record(Format::OpenRouter, "{\"id\": 1}"));
    assert_eq!(import(Format::OpenRouter, &marked).models.len(), 1);
    let half = "{\"\\ud800\": {}, \"good\": {\"litellm_provider\": \"x\", \"mode\": \"chat\", \
                \"input_cost_per_token\": 1, \"output_cost_per_token\": 1}}";
    assert_eq!(import(Format::Litellm, half).models.len(), 1);
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

/// Offers are told apart by their names, in tables, charts and sentences.
#[test]
fn every_rental_has_a_name_of_its_own_and_no_key() {
    let catalog = Catalog::embedded();
    let mut names: Vec<String> = catalog.rentals.iter().map(freehold::catalog::Rental::name).collect();
    assert!(names.len() > 100 && catalog.rentals.iter().all(|r| r.name() != r.id));
    names.sort();
    let all = names.len();
    names.dedup();
    assert_eq!(names.len(), all);
}
