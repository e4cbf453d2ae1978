//! Use cases called as a library: values in, document out, no program around them.

use freehold::app::{RefusalKind, db, doctor, fit, machine, schema};
use freehold::capacity::{HardwareShape, KvType};
use freehold::catalog::import::{Format, Origin, read};
use freehold::catalog::{Catalog, Kind};
use freehold::render::Page as _;

const NOW: &str = "2026-11-24T00:00:00Z";

fn today() -> jiff::civil::Date {
    "2026-11-24".parse().expect("a day")
}

fn asked(hardware: Option<&str>, model: Option<&str>) -> fit::Asked {
    fit::Asked {
        hardware: hardware.map(str::to_owned),
        count: 1,
        model: model.map(str::to_owned),
        context: 4096,
        concurrency: 1,
        quantisation: None,
        kv: KvType::F16,
        backend: None,
    }
}

fn found(catalog: &Catalog) -> fit::FitInputs<'_> {
    fit::FitInputs { catalog, this: None, model_file: None, measured: None, now: NOW }
}

fn laptop() -> machine::Machine {
    machine::Machine {
        cpu: "A processor of nobody's".to_owned(),
        allowed: freehold::measure::allowed::Allowed {
            memory_bytes: 16 << 30,
            machine_bytes: 16 << 30,
            memory_limit: None,
            cores: 4,
            machine_cores: 4,
        },
        vectors: Some("AVX2"),
        load: 9.0,
        system: "Linux".to_owned(),
        gpus: Vec::new(),
        nvml_problem: Some("its library is not installed".to_owned()),
    }
}

#[test]
fn the_same_question_has_the_same_answer() {
    let catalog = Catalog::embedded();
    let ask = asked(Some("nvidia-rtx-4090"), Some("llama-3.1-8b-instruct"));
    let first = fit::fit(&ask, found(&catalog)).expect("fits").document;
    assert_eq!(first.created, NOW);
    assert!(first.result.rows.len() > 1, "one model on one card: every usual format");
    assert_eq!(fit::fit(&ask, found(&catalog)).expect("fits").document, first);
}

#[test]
fn a_machine_is_what_was_found_of_it() {
    let catalog = Catalog::embedded();
    let speeds = |_| machine::Speeds { bandwidth: 50e9, hertz: 3e9, how: "told by the test".to_owned() };
    let machine::Seen { shape, notes, left_out } = machine::shape(&laptop(), &catalog, speeds);
    assert_eq!(
        (shape.id.as_str(), shape.bandwidth, notes.as_slice()),
        ("this", 50e9, &["told by the test".to_owned()][..])
    );
    let ask = asked(None, None);
    assert!(ask.is_of_this_machine() && !asked(None, Some("x")).is_of_this_machine());
    let this = fit::ThisMachine { shape, notes, left_out, busy: laptop().is_busy() };
    let document =
        fit::fit(&ask, fit::FitInputs { this: Some(this), ..found(&catalog) }).expect("fits").document;
    assert!(document.result.rows.iter().all(|row| row.hardware == "this"));
    assert!(document.warnings.iter().any(|w| w.id == "machine-is-busy"), "9 programs on 4 cores");
}

/// A card that the driver named is the catalogue's, with the memory that the driver tells.
#[test]
fn a_known_card_is_recognised() {
    let catalog = Catalog::embedded();
    let gpu = machine::Gpu {
        name: "NVIDIA GeForce RTX 4090".to_owned(),
        memory_bytes: Some(20 << 30),
        free_bytes: None,
        driver: None,
        power_readable: None,
        backend: None,
    };
    let with = machine::Machine { gpus: vec![gpu], ..laptop() };
    let speeds = |_| machine::Speeds { bandwidth: 50e9, hertz: 3e9, how: String::new() };
    let shape = machine::shape(&with, &catalog, speeds).shape;
    let card = catalog.accelerator("nvidia-rtx-4090").expect("in the catalogue");
    let known = HardwareShape::from_accelerator(card, 1).expect("known");
    assert_eq!((shape.bandwidth, shape.memory_bytes), (known.bandwidth, f64::from(20 << 10) * 1_048_576.0));
}

#[test]
fn refusals_say_whose_turn_it_is() {
    let catalog = Catalog::embedded();
    let refusal = fit::fit(&asked(Some("nvidia-rtx-409"), None), found(&catalog)).expect_err("unknown");
    assert_eq!(refusal.kind, RefusalKind::Input);
    assert!(refusal.hint.as_deref().is_some_and(|h| h.contains("nvidia-rtx-4090")), "{refusal:?}");
    let refusal = schema::schema(Some("bensh")).expect_err("unknown");
    assert_eq!(refusal.hint.as_deref(), Some("did you mean bench?"));
    assert!(schema::schema(None).expect("a list").lines().count() > 5);
    let refusal = db::search(&catalog, &["qqqqq".to_owned()], None, today(), NOW).expect_err("nothing");
    assert_eq!(refusal.kind, RefusalKind::Failed);
}

#[test]
fn records_are_found_and_dated() {
    let catalog = Catalog::embedded();
    let filter =
        db::Filter { kind: Some(Kind::ApiModel), provider: Some("ANTHROPIC".to_owned()), tier: None };
    let listing = db::list(&catalog, &filter, today(), NOW).expect("some");
    assert!(listing.kinds.len() == 1 && !listing.kinds[0].1.is_empty());
    assert!(listing.json().expect("JSON").contains("freehold.db-list/1"));
    // Nothing is stale on the day before the catalogue was read; everything is in a hundred years.
    let (early, late) = ("2020-01-01".parse().expect("a day"), "2126-01-01".parse().expect("a day"));
    assert!(db::age(&catalog, 90, early).stale.is_empty());
    let late = db::age(&catalog, 90, late);
    assert!(late.kinds.iter().all(|k| k.stale == k.records), "{late:?}");
}

#[test]
fn layers_are_checked_against_those_below() {
    let own = "[[gpu]]\nid = \"mine\"\nname = \"Mine\"\nvendor = \"nvidia\"\nclass = \"consumer\"\nform = \"pcie\"\n\
               memory_gib = -5\nsource = \"me\"\nas_of = 2026-11-22\n";
    let checked = db::check(&[vec![("own.toml".to_owned(), own.to_owned())]], today());
    assert_eq!((checked.files.len(), checked.files[0].records), (1, 1));
    assert!(
        checked.problems.iter().any(|p| p.file == "own.toml" && p.message.contains("memory_gib")),
        "{checked:?}"
    );
}

/// An import decides; nothing is written.
#[test]
fn an_import_says_what_it_would_change() {
    let catalog = Catalog::embedded();
    let text = r#"{"acme/new-model-2026-11-01": {"litellm_provider": "acme", "mode": "chat",
        "input_cost_per_token": 1e-06, "output_cost_per_token": 2e-06}}"#;
    let origin = Origin { file: "p.json".to_owned(), source: "litellm: p.json".to_owned(), as_of: today() };
    let imported = || read(Format::Litellm, text, &origin).expect("a price file");
    let wish = db::Wish { format: Format::Litellm, providers: Vec::new(), known: false, implausible: false };
    let taken = db::import(imported(), &wish, &catalog, "own.toml".to_owned(), today()).expect("a plan");
    let known = db::Wish { known: true, ..wish.clone() };
    let none = db::import(imported(), &known, &catalog, "own.toml".to_owned(), today()).expect("a plan");
    assert_eq!((taken.models.len(), none.models.len()), (1, 0), "{:?}", taken.plan.skipped);
    let other = db::Wish { providers: vec!["akme".to_owned()], ..wish };
    let refusal = db::import(imported(), &other, &catalog, String::new(), today()).expect_err("unknown");
    assert!(refusal.message.contains("akme"), "{refusal}");
    // Records of the file that the import says nothing about stay.
    let before = db::file(&taken.models, None, Format::Litellm, today());
    let after = db::file(&[], Some(("own.toml", &before)), Format::Litellm, today());
    assert_eq!(before, after);
}

#[test]
fn a_doctor_reports_what_it_is_told() {
    let catalog = Catalog::embedded();
    let machine = laptop();
    let document = doctor::doctor(doctor::Inspection {
        machine: &machine,
        target: "x86_64-linux".to_owned(),
        processor_energy_readable: None,
        built: doctor::Built::default(),
        engine: None,
        keys: vec![("OPENAI_API_KEY".to_owned(), true)],
        catalog: &catalog,
        catalog_problem: Some("own.toml: line 3".to_owned()),
        own_files: 2,
        today: today(),
        now: NOW,
    });
    assert_eq!(document.warnings[0].message, "own.toml: line 3");
    assert!(document.result.keys[0].present && document.result.catalogue.own_files == 2);
    assert!(!document.result.engine.compiled);
}
