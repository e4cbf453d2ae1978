//! `fit`: which models fit which hardware, and how fast they are predicted to run there.

use super::refusal::Refusal;
use crate::capacity::memory::USUAL_CONTEXT_TOKENS;
use crate::capacity::shape::MemoryClass;
use crate::capacity::{
    Arrivals, Backend, Calibration, Engine, HardwareShape, KvType, Load, ModelShape, Pace, Quantisation,
    Traffic, predict, usual_formats,
};
use crate::catalog::device::{format_of_file, is_card, model_of_file};
use crate::catalog::{Catalog, Kind, Vendor};
use crate::document::bench::BenchDocument;
use crate::document::envelope::{Envelope, Input, Warning};
use crate::document::fit::{BandRow, FitDocument, FitResult, FitRow, LeftOut, Pair, Reason, SCHEMA};
use crate::gguf;
use crate::number;
use crate::provenance::{Source, Sourced};
use crate::spelling::nearest;
use crate::workload::evidence::{Figure, MeasuredTarget, TargetKind};
use std::collections::BTreeMap;
use std::path::Path;

/// What the user asks, each value as it was given.
#[derive(Debug, Clone)]
pub struct Asked {
    /// An id, `this` or `all`; `None`: this machine, or all hardware where a model is named.
    pub hardware: Option<String>,
    /// Accelerators of that kind.
    pub count: u32,
    /// Id of a model, or the path of a file.
    pub model: Option<String>,
    /// Tokens in the context of one sequence.
    pub context: u64,
    /// Sequences at once.
    pub concurrency: u32,
    /// A weight format; `None`: the usual ones.
    pub quantisation: Option<String>,
    pub kv: KvType,
    pub backend: Option<Software>,
}

/// What computes the model, as a user names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Software {
    Backend(Backend),
    /// llama.cpp, through the driver that its users usually take on the hardware.
    LlamaCpp,
}

impl Software {
    /// The names that [`Self::find`] takes.
    pub fn names() -> impl Iterator<Item = &'static str> {
        std::iter::once(Engine::LlamaCpp.label()).chain(Backend::ALL.iter().map(|backend| backend.label()))
    }

    /// By the name of a backend, or `llama.cpp`.
    pub fn find(name: &str) -> Option<Self> {
        let backend = Backend::ALL.into_iter().find(|b| b.label() == name).map(Self::Backend);
        backend.or_else(|| (Engine::find(name) == Some(Engine::LlamaCpp)).then_some(Self::LlamaCpp))
    }

    pub const fn engine(self) -> Engine {
        match self {
            Self::Backend(backend) => backend.engine(),
            Self::LlamaCpp => Engine::LlamaCpp,
        }
    }

    fn on(self, hardware: HardwareShape) -> HardwareShape {
        let backend = match self {
            Self::Backend(backend) => backend,
            Self::LlamaCpp => hardware.path(Engine::LlamaCpp).unwrap_or(hardware.backend),
        };
        hardware.with_backend(backend)
    }
}

impl Asked {
    /// Does the answer depend on the machine that the program runs on?
    pub fn is_of_this_machine(&self) -> bool {
        match self.hardware.as_deref() {
            None => self.model.is_none(),
            Some(id) => id == "this",
        }
    }
}

/// What predictions rest on, as it was found for what is asked.
#[derive(Debug)]
pub struct FitInputs<'a> {
    pub catalog: &'a Catalog,
    /// This machine, where [`Asked::is_of_this_machine`].
    pub this: Option<ThisMachine>,
    /// The model's file, where it is one.
    pub model_file: Option<ModelFile>,
    pub measured: Option<MeasuredFile>,
    /// RFC 3339.
    pub now: &'a str,
}

/// The machine that the program runs on, as the predictor sees it.
#[derive(Debug, Clone)]
pub struct ThisMachine {
    pub shape: HardwareShape,
    /// How each figure was found.
    pub notes: Vec<String>,
    /// GPUs that are there but not counted, each with the reason.
    pub left_out: Vec<String>,
    /// Other programs were running during the test of its memory.
    pub busy: bool,
}

/// A model file's header.
#[derive(Debug)]
pub struct ModelFile {
    pub path: String,
    pub header: gguf::Header,
}

/// A bench document to calibrate the predictions with.
#[derive(Debug)]
pub struct MeasuredFile {
    pub path: String,
    pub document: BenchDocument,
    /// Headers of the files of its local targets, where they still exist.
    pub headers: Vec<ModelFile>,
}

/// The document, and notes to print beside it.
#[derive(Debug)]
pub struct Fitted {
    pub document: FitDocument,
    pub notes: Vec<String>,
}

/// Hardware and models to try, and what could not be used.
struct Candidates {
    hardware: Vec<HardwareShape>,
    models: Vec<ModelShape>,
    left_out: Vec<LeftOut>,
    warnings: Vec<Warning>,
    inputs: BTreeMap<String, Input>,
    notes: Vec<String>,
}

/// Which models fit which hardware, and how fast they are predicted to run there.
pub fn fit(asked: &Asked, found: FitInputs<'_>) -> Result<Fitted, Refusal> {
    let FitInputs { catalog, this, model_file, measured, now } = found;
    let formats = formats(asked.quantisation.as_deref())?;
    let mut candidates = Candidates {
        hardware: Vec::new(),
        models: Vec::new(),
        left_out: Vec::new(),
        warnings: Vec::new(),
        inputs: inputs(asked),
        notes: Vec::new(),
    };
    add_models(&mut candidates, asked, model_file.as_ref(), catalog)?;
    add_hardware(&mut candidates, asked, this, catalog)?;
    let load = Load {
        context_tokens: asked.context,
        prompt_tokens: asked.context,
        concurrency: asked.concurrency,
        kv: asked.kv,
    };
    let calibration = match &measured {
        Some(measured) => calibration(measured, asked, &mut candidates, catalog, &load)?,
        None => None,
    };
    let mut rows = Vec::new();
    let one_pair = candidates.hardware.len() == 1 && candidates.models.len() == 1;
    // All models on all hardware would be tens of thousands of rows: only the largest model of each is
    // shown.
    let largest_only = candidates.hardware.len() > 1 && candidates.models.len() > 1;
    if largest_only {
        candidates.models.sort_by(|a, b| b.parameters.total_cmp(&a.parameters));
        candidates.left_out.clear();
    }
    for hardware in &candidates.hardware {
        for model in &candidates.models {
            let choice = match model.file_format.or(formats) {
                Some(format) => vec![format],
                None => usual_formats(model, hardware),
            };
            let tried = try_formats(model, hardware, &choice, &load, one_pair, calibration.as_ref());
            if largest_only {
                let whole = tried.0.into_iter().find(|row| row.memory.device_layers.is_none());
                if let Some(row) = whole {
                    rows.push(row);
                    break;
                }
                continue;
            }
            rows.extend(tried.0);
            candidates.left_out.extend(tried.1);
        }
    }
    rows.sort_by(|a: &FitRow, b| {
        (&a.hardware, b.parameters)
            .partial_cmp(&(&b.hardware, a.parameters))
            .unwrap_or(std::cmp::Ordering::Equal)
    });
    if largest_only {
        rows.sort_by(|a, b| b.parameters.total_cmp(&a.parameters));
    } else if candidates.hardware.len() > 1 {
        rows.sort_by(|a, b| b.decode_tps.likely.total_cmp(&a.decode_tps.likely));
    }
    too_long(&mut candidates, asked.context);
    if let [only] = candidates.hardware.as_slice()
        && only.rate_is_guessed()
        && !rows.is_empty()
    {
        let message = format!("{}.", crate::capacity::guessed(&only.name));
        candidates.warnings.push(Warning::new("arithmetic-rate-guessed", message).about(&only.name));
    }
    let document = Envelope {
        schema: SCHEMA.to_owned(),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        created: now.to_owned(),
        inputs: candidates.inputs,
        result: FitResult { rows, left_out: candidates.left_out },
        warnings: candidates.warnings,
    };
    Ok(Fitted { document, notes: candidates.notes })
}

fn inputs(asked: &Asked) -> BTreeMap<String, Input> {
    let given = |name: &str, value: serde_json::Value, unit: Option<&str>, default: bool| {
        let source = if default {
            Source::Assumed { rule: format!("default {name}"), reason: "not given".to_owned() }
        } else {
            Source::flag(format!("--{name}"))
        };
        let mut input = Input::plain(&Sourced::new(value, source));
        input.unit = unit.map(str::to_owned);
        (name.to_owned(), input)
    };
    let kv = asked.kv.label();
    BTreeMap::from([
        given("context", asked.context.into(), Some("tokens"), asked.context == USUAL_CONTEXT_TOKENS),
        given("concurrency", asked.concurrency.into(), None, asked.concurrency == 1),
        given("kv-type", kv.into(), None, asked.kv == KvType::F16),
        given("quantisation", asked.quantisation.clone().into(), None, asked.quantisation.is_none()),
        given("hardware", asked.hardware.clone().into(), None, asked.hardware.is_none()),
        given("count", asked.count.into(), None, asked.count == 1),
        given("model", asked.model.clone().into(), None, asked.model.is_none()),
    ])
}

/// The format asked for; `None`: none was.
fn formats(name: Option<&str>) -> Result<Option<&'static Quantisation>, Refusal> {
    let Some(name) = name else { return Ok(None) };
    Quantisation::find(name).map(Some).ok_or_else(|| {
        let known: Vec<&str> = crate::capacity::quantisation::FORMATS.iter().map(|f| f.id).collect();
        Refusal::input(format!("no weight format is named `{name}`"))
            .hint(format!("known formats: {}", known.join(", ")))
    })
}

fn add_models(
    candidates: &mut Candidates,
    asked: &Asked,
    file: Option<&ModelFile>,
    catalog: &Catalog,
) -> Result<(), Refusal> {
    if let Some(file) = file {
        let model = from_file(file, asked, candidates)?;
        candidates.models.push(model);
        return Ok(());
    }
    let Some(name) = asked.model.as_deref() else {
        for model in &catalog.open_models {
            match ModelShape::from_catalogue(model) {
                Ok(shape) => candidates.models.push(shape),
                Err(unknown) => candidates.left_out.push(LeftOut {
                    hardware: "any".to_owned(),
                    model: model.id.clone(),
                    quantisation: "any".to_owned(),
                    reason: Reason::Unknown,
                    needed_bytes: None,
                    usable_bytes: None,
                    unknown: Some(unknown.to_string()),
                }),
            }
        }
        return Ok(());
    };
    let model =
        catalog.open_model(name).ok_or_else(|| unknown_name("model", name, catalog, &[Kind::OpenModel]))?;
    let shape = ModelShape::from_catalogue(model)
        .map_err(|u| Refusal::failed(format!("no prediction for {name}: {u} in the catalogue")))?;
    candidates.models.push(shape);
    Ok(())
}

fn from_file(file: &ModelFile, asked: &Asked, candidates: &mut Candidates) -> Result<ModelShape, Refusal> {
    let ModelFile { path, header } = file;
    if asked.quantisation.is_some() {
        candidates.warnings.push(Warning::new(
            "quantisation-of-file",
            "The weights are as they are in the file; --quantisation has no effect.",
        ));
    }
    ModelShape::from_gguf(stem(path), header)
        .map_err(|u| Refusal::failed(format!("no prediction for {path}: {u}")))
}

/// A file's name without its ending.
fn stem(path: &str) -> String {
    // `llama3.2:1b` and `hf:OWNER/REPO:Q8_0` have no ending.
    if !Path::new(path).extension().is_some_and(|ending| ending.eq_ignore_ascii_case("gguf")) {
        return path.to_owned();
    }
    Path::new(path).file_stem().map_or_else(|| path.to_owned(), |s| s.to_string_lossy().into_owned())
}

fn unknown_name(what: &str, name: &str, catalog: &Catalog, kinds: &[Kind]) -> Refusal {
    let ids: Vec<&str> = kinds.iter().flat_map(|k| catalog.ids(*k)).collect();
    let near = nearest(name, ids, 3);
    let error = Refusal::input(format!("no {what} is named `{name}`"));
    if near.is_empty() {
        error.hint("`freehold db list` shows all of them")
    } else {
        error.hint(format!("did you mean {}?", near.join(", ")))
    }
}

fn add_hardware(
    candidates: &mut Candidates,
    asked: &Asked,
    this: Option<ThisMachine>,
    catalog: &Catalog,
) -> Result<(), Refusal> {
    let all = asked.hardware.as_deref() == Some("all") || (asked.hardware.is_none() && asked.model.is_some());
    let found = match asked.hardware.as_deref() {
        _ if all => catalog
            .accelerators
            .iter()
            .filter_map(|card| HardwareShape::from_accelerator(card, asked.count).ok())
            .chain(catalog.machines.iter().filter_map(|machine| {
                let card = machine.accelerator.as_deref().and_then(|id| catalog.accelerator(id));
                HardwareShape::from_machine(machine, card).ok()
            }))
            .collect(),
        None | Some("this") => {
            let ThisMachine { shape, notes, left_out, busy } =
                this.ok_or_else(|| Refusal::failed("this machine could not be looked at"))?;
            if busy {
                candidates.warnings.push(Warning::new(
                    "machine-is-busy",
                    "This machine is busy: its memory bandwidth was measured beside other work, so the speeds \
                     may be too low.",
                ));
            }
            for text in left_out {
                candidates.warnings.push(Warning::new("gpu-left-out", format!("{text}.")));
            }
            candidates.inputs.insert(
                "hardware.this".to_owned(),
                Input::plain(&Sourced::assumed(shape.name.clone(), "this machine", notes.join("; "))),
            );
            vec![shape]
        }
        Some(id) => vec![named_hardware(id, asked.count, catalog)?],
    };
    if let [one] = found.as_slice()
        && one.vendor == Vendor::Amd
        && one.class == MemoryClass::Unified
    {
        let gib = one.memory_bytes / f64::from(1 << 30);
        candidates.warnings.push(Warning::new(
            "gpu-memory-default",
            format!(
                "Linux lets the GPU of {} have half of its {gib:.0} GiB of memory unless told otherwise, and Windows what its \
                 firmware sets aside. What is shown can be had after raising that limit (on Linux ttm.pages_limit, in pages of \
                 4 KiB).",
                one.name
            ),
        ));
    }
    candidates.hardware = match asked.backend {
        Some(software) => found.into_iter().map(|h| software.on(h)).collect(),
        None => found,
    };
    Ok(())
}

fn named_hardware(id: &str, count: u32, catalog: &Catalog) -> Result<HardwareShape, Refusal> {
    let shape = if let Some(card) = catalog.accelerator(id) {
        HardwareShape::from_accelerator(card, count)
    } else if let Some(machine) = catalog.machine(id) {
        let card = machine.accelerator.as_deref().and_then(|id| catalog.accelerator(id));
        HardwareShape::from_machine(machine, card)
    } else if let Some(rental) = catalog.rental(id) {
        let card = catalog
            .accelerator(&rental.accelerator)
            .ok_or_else(|| unknown_name("accelerator", &rental.accelerator, catalog, &[Kind::Gpu]))?;
        HardwareShape::from_accelerator(card, rental.accelerators * count)
    } else {
        return Err(unknown_name("hardware", id, catalog, &[Kind::Gpu, Kind::Machine, Kind::Rental]));
    };
    shape.map_err(|u| {
        let hint = if u.field == "memory_gib" {
            "name the whole machine instead: its memory is not the chip's own"
        } else {
            "give the figure in a record of your own: `freehold db path`"
        };
        Refusal::failed(format!("no prediction for {id}: {u} in the catalogue")).hint(hint)
    })
}

/// Rows of one model on one hardware: all formats that fit, or only the first. Also what does not fit.
fn try_formats(
    model: &ModelShape,
    hardware: &HardwareShape,
    formats: &[&'static Quantisation],
    load: &Load,
    all: bool,
    calibration: Option<&Calibration>,
) -> (Vec<FitRow>, Vec<LeftOut>) {
    let (mut rows, mut left) = (Vec::new(), Vec::new());
    let mut partly: Option<FitRow> = None;
    for format in formats {
        let pair = Pair {
            hardware: &hardware.id,
            hardware_name: &hardware.name,
            accelerators: hardware.devices,
            model: &model.id,
            parameters: model.parameters,
            quantisation: format.id,
            backend: hardware.serving(format).label(),
            context_tokens: load.context_tokens,
            concurrency: load.concurrency,
        };
        match predict(model, hardware, format, load) {
            Ok(prediction) => {
                let prediction = match calibration {
                    Some(by) => prediction.calibrated(by),
                    None => prediction,
                };
                let mut row = FitRow::new(pair, &prediction);
                row.ttft_ms = first_token(model, hardware, format, load);
                let whole = row.memory.device_layers.is_none();
                if all || whole {
                    rows.push(row);
                } else {
                    // Fewer bits on the device are better than more of them in system memory.
                    partly = Some(row);
                }
                if !all && whole {
                    return (rows, Vec::new());
                }
            }
            Err(why) => left.push(LeftOut::new(pair, &why)),
        }
    }
    if let (true, Some(row)) = (rows.is_empty(), partly) {
        return (vec![row], Vec::new());
    }
    if !all {
        // One reason per pair: that of the smallest format.
        left = left.pop().into_iter().collect();
    }
    (rows, left)
}

/// Tokens of the answers that are generated while a prompt is read, and rounds of the load, as in public
/// benchmarks.
const ANSWER: f64 = 1024.0;
const ROUNDS: f64 = 10.0;

/// TTFT under the load, milliseconds.
fn first_token(
    model: &ModelShape,
    hardware: &HardwareShape,
    format: &Quantisation,
    load: &Load,
) -> Option<BandRow> {
    let hardware = hardware.clone().with_backend(hardware.serving(format));
    let pace = Pace::new(model, &hardware, format, load.kv)?;
    let served = pace.under(&Traffic {
        input: load.prompt_tokens as f64,
        cached: 0.0,
        output: ANSWER,
        concurrency: f64::from(load.concurrency),
        kv: load.kv,
        arrivals: if load.concurrency > 1 { Arrivals::Together { rounds: ROUNDS } } else { Arrivals::Steady },
    });
    let ms = served.ttft.times(1e3);
    Some(BandRow { low: ms.low, likely: ms.likely, high: ms.high })
}

fn too_long(candidates: &mut Candidates, context_tokens: u64) {
    let short: Vec<&str> = candidates
        .models
        .iter()
        .filter(|m| m.context_tokens.is_some_and(|most| most < context_tokens))
        .map(|m| m.id.as_str())
        .collect();
    let message = match short.as_slice() {
        [] => return,
        [one] => format!("{one} was not made for a context of {context_tokens} tokens."),
        many => format!("{} models were not made for a context of {context_tokens} tokens.", many.len()),
    };
    candidates.warnings.push(Warning::new("context-beyond-training", message));
}

/// Calibration by a bench document: by the first local target whose model is known here.
fn calibration(
    measured: &MeasuredFile,
    asked: &Asked,
    candidates: &mut Candidates,
    catalog: &Catalog,
    load: &Load,
) -> Result<Option<Calibration>, Refusal> {
    let [hardware] = candidates.hardware.as_slice() else {
        return Err(Refusal::input("--measured needs one hardware: the one it was measured on")
            .hint("add --hardware this"));
    };
    let MeasuredFile { path, document, headers } = measured;
    let evidence = document.evidence(path);
    let named = asked.hardware.as_deref().filter(|id| *id != "this");
    let mut unlike = None;
    for target in evidence.targets.iter().filter(|t| t.kind == TargetKind::Local) {
        if let Some(other) = other_hardware(target, named, hardware, catalog) {
            unlike = Some(other);
            continue;
        }
        let facts = document.result.targets.iter().find(|t| t.id == target.id);
        let facts = facts.and_then(|t| t.engine.as_ref()?.model.as_ref());
        let own = facts.and_then(|f| Some((f.shape(&target.model), Quantisation::find(&f.quantisation)?)));
        let known = own.or_else(|| measured_model(&target.model, &candidates.models, headers, catalog));
        let Some((model, format)) = known else { continue };
        let Some(level) = target.levels.iter().min_by_key(|l| l.concurrency) else { continue };
        let value = |figure: Option<&Figure>| figure.map(|f| f.value);
        let tokens = value(target.input_tokens.as_ref()).unwrap_or(256.0)
            + value(target.output_tokens.as_ref()).unwrap_or(128.0) / 2.0;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let depth = tokens.clamp(1.0, 1e7) as u64;
        let like =
            Load { context_tokens: depth, prompt_tokens: depth, concurrency: level.concurrency, ..*load };
        let Ok(predicted) = predict(&model, hardware, format, &like) else { continue };
        if let Some(found) = Calibration::between(
            &predicted,
            level.decode_tps.as_ref(),
            value(level.prefill_tps.as_ref()),
            &evidence.file,
        ) {
            candidates.notes.push(format!(
                "calibrated by {}: measured decode is {:.2} of the prediction",
                evidence.file, found.decode_factor
            ));
            return Ok(Some(found));
        }
        unlike = value(level.decode_tps.as_ref()).map(|measured| {
            format!(
                "it has {} tok/s for {}, where {} are predicted: too far apart for the same hardware, or \
                 the machine was busy",
                number::plain(measured),
                target.model,
                number::plain(predicted.decode_tps.likely.get())
            )
        });
    }
    let why = unlike.unwrap_or_else(|| {
        "no local target in it whose model is in the catalogue or given by --model".to_owned()
    });
    candidates.notes.push(format!("{path} does not calibrate: {why}"));
    Ok(None)
}

/// Why a measurement is not of this hardware: a processor's speed does not calibrate a card. `None`: it is.
fn other_hardware(
    target: &MeasuredTarget,
    named: Option<&str>,
    hardware: &HardwareShape,
    catalog: &Catalog,
) -> Option<String> {
    let device = target.devices.first().map(String::as_str);
    let card = |id: &str| {
        let of = catalog.machine(id).and_then(|m| m.accelerator.clone());
        let of = of.or_else(|| catalog.rental(id).map(|r| r.accelerator.clone()));
        catalog.accelerator(of.as_deref().unwrap_or(id))
    };
    let same = match (target.on_gpu, hardware.backend == Backend::Cpu, named.and_then(card)) {
        (Some(true), true, _) | (Some(false), false, _) => false,
        (_, _, Some(card)) => is_card(catalog, target.hardware.as_deref(), device, card).unwrap_or(false),
        // For this machine, or a computer without a card, the user's word counts.
        _ => true,
    };
    let place =
        if target.devices.is_empty() { "another machine".to_owned() } else { target.devices.join(" + ") };
    (!same).then(|| format!("it was measured on {place}, not on {}", hardware.name))
}

/// The model that a target ran: the file given here, a file that still exists, or a catalogue record.
fn measured_model(
    name: &str,
    models: &[ModelShape],
    headers: &[ModelFile],
    catalog: &Catalog,
) -> Option<(ModelShape, &'static Quantisation)> {
    let of = |model: ModelShape| {
        let format = model.file_format.or_else(|| Quantisation::find("Q4_K_M"))?;
        Some((model, format))
    };
    let stem = stem(name);
    if let Some(model) = models.iter().find(|m| m.file.is_some() && (m.id == stem || m.id == name)) {
        return of(model.clone());
    }
    if let Some(file) = headers.iter().find(|file| file.path == name)
        && let Ok(model) = ModelShape::from_gguf(stem, &file.header)
    {
        return of(model);
    }
    let mut model = ModelShape::from_catalogue(model_of_file(catalog, name)?).ok()?;
    model.file_format = format_of_file(name).and_then(|format| Quantisation::find(&format));
    of(model)
}
