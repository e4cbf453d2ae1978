use crate::capacity::{Backend, Calibration, HardwareShape, KvType, Load, ModelShape, Quantisation, predict};
use crate::catalog::device::{format_of_file, is_card, model_of_file};
use crate::catalog::resolve::nearest;
use crate::catalog::{Catalog, Kind};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output::OutputArgs;
use crate::cli::{catalog, hardware};
use crate::document::bench::BenchDocument;
use crate::document::envelope::{Envelope, Input, Warning};
use crate::document::fit::{FitResult, FitRow, LeftOut, Pair, Reason, SCHEMA};
use crate::gguf;
use crate::number;
use crate::provenance::{Source, Sourced};
use crate::workload::evidence::{Evidence, Figure, MeasuredTarget, TargetKind};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Which models fit which hardware, and how fast they would run.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  freehold fit                                            what this machine can run
  freehold fit --hardware nvidia-rtx-4090                 what a card can run
  freehold fit --model llama-3.1-8b-instruct              where a model runs
  freehold fit --hardware all                             the largest model each card and machine holds
  freehold fit --hardware this --model model.gguf --context 8192
  freehold fit --hardware nvidia-h100-sxm-80gb --count 2 --model llama-3.3-70b-instruct --quantisation FP8 --concurrency 32")]
pub struct Args {
    /// An accelerator or machine of the catalogue, or `this` (default: this; with --model: all).
    #[arg(long, value_name = "ID|this|all")]
    pub hardware: Option<String>,
    /// Accelerators of that kind.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub count: u32,
    /// An open model of the catalogue, or a GGUF file (only its header is read).
    #[arg(long, value_name = "ID|FILE")]
    pub model: Option<String>,
    /// Tokens in the context of one sequence: memory is taken for as many, speed is at this depth.
    #[arg(long, value_name = "TOKENS", default_value_t = 4096, value_parser = clap::value_parser!(u64).range(1..=16_777_216))]
    pub context: u64,
    /// Sequences at once.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub concurrency: u32,
    /// Weight format, as `Q4_K_M`, `Q8_0`, `FP8` or `AWQ` (default: the most precise of the usual ones
    /// that fits; with one model on one hardware: all of them).
    #[arg(long, value_name = "FORMAT")]
    pub quantisation: Option<String>,
    /// Format of the KV cache.
    #[arg(long, value_enum, default_value_t = Kv::F16)]
    pub kv_type: Kv,
    /// Software path, where the hardware has several (default: what its maker's users run first).
    #[arg(long, value_name = "PATH", value_parser = backends())]
    pub backend: Option<Backend>,
    /// A bench document of this machine: its speeds calibrate the predictions.
    #[arg(long, value_name = "FILE")]
    pub measured: Option<PathBuf>,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Kv {
    F16,
    #[value(name = "q8_0")]
    Q8,
    #[value(name = "q4_0")]
    Q4,
    Fp8,
}

impl From<Kv> for KvType {
    fn from(kv: Kv) -> Self {
        match kv {
            Kv::F16 => Self::F16,
            Kv::Q8 => Self::Q8_0,
            Kv::Q4 => Self::Q4_0,
            Kv::Fp8 => Self::Fp8,
        }
    }
}

/// The software paths by their labels.
fn backends() -> impl TypedValueParser<Value = Backend> {
    PossibleValuesParser::new(Backend::ALL.map(Backend::label)).map(|name| {
        let named = |b: &Backend| b.label() == name;
        Backend::ALL.into_iter().find(named).unwrap_or(Backend::Cpu)
    })
}

/// Hardware and models to try, and what could not be used.
struct Candidates {
    hardware: Vec<HardwareShape>,
    models: Vec<ModelShape>,
    left_out: Vec<LeftOut>,
    warnings: Vec<Warning>,
    inputs: BTreeMap<String, Input>,
}

// Every command is called alike, with its own arguments.
#[allow(clippy::needless_pass_by_value)]
pub fn run(args: Args, context: &Context) -> Result<(), CliError> {
    let catalog = catalog::load(context)?;
    let formats = formats(args.quantisation.as_deref())?;
    let mut candidates = Candidates {
        hardware: Vec::new(),
        models: Vec::new(),
        left_out: Vec::new(),
        warnings: Vec::new(),
        inputs: inputs(&args),
    };
    add_models(&mut candidates, &args, &catalog)?;
    add_hardware(&mut candidates, &args, &catalog)?;
    let load = Load {
        context_tokens: args.context,
        prompt_tokens: args.context,
        concurrency: args.concurrency,
        kv: args.kv_type.into(),
    };
    let calibration = calibration(&args, &candidates, &catalog, context, &load)?;
    let mut rows = Vec::new();
    let one_pair = candidates.hardware.len() == 1 && candidates.models.len() == 1;
    // Everything on everything would be tens of thousands of rows: the largest model of each.
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
    too_long(&mut candidates, args.context);
    let document = Envelope {
        schema: SCHEMA.to_owned(),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        created: context.now.clone(),
        inputs: candidates.inputs,
        result: FitResult { rows, left_out: candidates.left_out },
        warnings: candidates.warnings,
    };
    args.output.write(context, || serde_json::to_string_pretty(&document), || document.view(), None)
}

fn inputs(args: &Args) -> BTreeMap<String, Input> {
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
    let kv = KvType::from(args.kv_type).label();
    BTreeMap::from([
        given("context", args.context.into(), Some("tokens"), args.context == 4096),
        given("concurrency", args.concurrency.into(), None, args.concurrency == 1),
        given("kv-type", kv.into(), None, args.kv_type == Kv::F16),
        given("quantisation", args.quantisation.clone().into(), None, args.quantisation.is_none()),
        given("hardware", args.hardware.clone().into(), None, args.hardware.is_none()),
        given("count", args.count.into(), None, args.count == 1),
        given("model", args.model.clone().into(), None, args.model.is_none()),
    ])
}

/// The one format asked for, or none.
fn formats(name: Option<&str>) -> Result<Option<&'static Quantisation>, CliError> {
    let Some(name) = name else { return Ok(None) };
    Quantisation::find(name).map(Some).ok_or_else(|| {
        let known: Vec<&str> = crate::capacity::quantisation::FORMATS.iter().map(|f| f.id).collect();
        CliError::usage(format!("no weight format is named `{name}`"))
            .hint(format!("known formats: {}", known.join(", ")))
    })
}

/// What people serve on this hardware, from most to fewest bits.
fn usual_formats(model: &ModelShape, hardware: &HardwareShape) -> Vec<&'static Quantisation> {
    use crate::capacity::shape::MemoryClass;
    let names: &[&str] = match (hardware.backend, hardware.class) {
        _ if model.expert_bits_limit.is_some() => &["MXFP4"],
        (Backend::Vllm, _) | (Backend::Cuda | Backend::Rocm, MemoryClass::Stacked) => &["FP16", "FP8", "AWQ"],
        _ => &["Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M"],
    };
    names.iter().filter_map(|n| Quantisation::find(n)).collect()
}

fn add_models(candidates: &mut Candidates, args: &Args, catalog: &Catalog) -> Result<(), CliError> {
    let Some(name) = args.model.as_deref() else {
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
    let path = Path::new(name);
    let looks_like_file = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("gguf"));
    if looks_like_file || (catalog.open_model(name).is_none() && path.is_file()) {
        let model = from_file(path, candidates, args)?;
        candidates.models.push(model);
        return Ok(());
    }
    let model =
        catalog.open_model(name).ok_or_else(|| unknown_name("model", name, catalog, &[Kind::OpenModel]))?;
    let shape = ModelShape::from_catalogue(model)
        .map_err(|u| CliError::failed(format!("no prediction for {name}: {u} in the catalogue")))?;
    candidates.models.push(shape);
    Ok(())
}

fn from_file(path: &Path, candidates: &mut Candidates, args: &Args) -> Result<ModelShape, CliError> {
    let header = read_header(path)?;
    if let Some(split) = header.facts.split.filter(|s| s.count > 1) {
        candidates.warnings.push(Warning::new(
            "split-model",
            format!(
                "{} is part {} of {}: weights of the other parts are not counted.",
                path.display(),
                split.index + 1,
                split.count
            ),
        ));
    }
    if args.quantisation.is_some() {
        candidates.warnings.push(Warning::new(
            "quantisation-of-file",
            "The weights are as they are in the file; --quantisation has no effect.",
        ));
    }
    let name =
        path.file_stem().map_or_else(|| path.display().to_string(), |s| s.to_string_lossy().into_owned());
    ModelShape::from_gguf(name, &header)
        .map_err(|u| CliError::failed(format!("no prediction for {}: {u}", path.display())))
}

/// The header of a GGUF file, with errors that name the file.
pub fn read_header(path: &Path) -> Result<gguf::Header, CliError> {
    let file = std::fs::File::open(path).map_err(|e| CliError::file("read", path, &e))?;
    let meta = file.metadata().map_err(|e| CliError::file("read", path, &e))?;
    if !meta.is_file() {
        return Err(CliError::usage(format!("{} is not an ordinary file", path.display())));
    }
    gguf::read(file, meta.len()).map_err(|e| CliError::usage(format!("{}: {e}", path.display())))
}

fn unknown_name(what: &str, name: &str, catalog: &Catalog, kinds: &[Kind]) -> CliError {
    let ids: Vec<&str> = kinds.iter().flat_map(|k| catalog.ids(*k)).collect();
    let near = nearest(name, ids, 3);
    let error = CliError::usage(format!("no {what} is named `{name}`"));
    if near.is_empty() {
        error.hint("`freehold db list` shows all of them")
    } else {
        error.hint(format!("did you mean {}?", near.join(", ")))
    }
}

fn add_hardware(candidates: &mut Candidates, args: &Args, catalog: &Catalog) -> Result<(), CliError> {
    let all = args.hardware.as_deref() == Some("all") || (args.hardware.is_none() && args.model.is_some());
    let found = match args.hardware.as_deref() {
        _ if all => catalog
            .accelerators
            .iter()
            .filter_map(|card| HardwareShape::from_accelerator(card, args.count).ok())
            .chain(catalog.machines.iter().filter_map(|machine| {
                let card = machine.accelerator.as_deref().and_then(|id| catalog.accelerator(id));
                HardwareShape::from_machine(machine, card).ok()
            }))
            .collect(),
        None | Some("this") => {
            let machine = hardware::detect();
            if machine.is_busy() {
                candidates.warnings.push(Warning::new(
                    "machine-is-busy",
                    "This machine is busy: its memory bandwidth was measured beside other work, so the speeds \
                     may be too low.",
                ));
            }
            let (shape, notes) = hardware::shape(&machine, catalog);
            for note in notes {
                candidates.inputs.insert(
                    "hardware.this".to_owned(),
                    Input::plain(&Sourced::assumed(shape.name.clone(), "this machine", note)),
                );
            }
            vec![shape]
        }
        Some(id) => vec![named_hardware(id, args.count, catalog)?],
    };
    candidates.hardware = match args.backend {
        Some(backend) => found.into_iter().map(|h| h.with_backend(backend)).collect(),
        None => found,
    };
    Ok(())
}

fn named_hardware(id: &str, count: u32, catalog: &Catalog) -> Result<HardwareShape, CliError> {
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
        CliError::failed(format!("no prediction for {id}: {u} in the catalogue")).hint(hint)
    })
}

/// Rows of one pair: all formats that fit, or only the first.
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
                let row = FitRow::new(pair, &prediction);
                let whole = row.memory.device_layers.is_none();
                if all || whole {
                    rows.push(row);
                } else {
                    // Better fewer bits on the device than more of them in system memory.
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

/// From a bench document: the first local target whose model is known here.
fn calibration(
    args: &Args,
    candidates: &Candidates,
    catalog: &Catalog,
    context: &Context,
    load: &Load,
) -> Result<Option<Calibration>, CliError> {
    let Some(path) = args.measured.as_deref() else { return Ok(None) };
    let [hardware] = candidates.hardware.as_slice() else {
        return Err(CliError::usage("--measured needs one hardware: the one it was measured on")
            .hint("add --hardware this"));
    };
    let (document, evidence) = evidence(path)?;
    let named = args.hardware.as_deref().filter(|id| *id != "this");
    let mut unlike = None;
    for target in evidence.targets.iter().filter(|t| t.kind == TargetKind::Local) {
        if let Some(other) = other_hardware(target, named, hardware, catalog) {
            unlike = Some(other);
            continue;
        }
        let facts = document.result.targets.iter().find(|t| t.id == target.id);
        let facts = facts.and_then(|t| t.engine.as_ref()?.model.as_ref());
        let own = facts.and_then(|f| Some((f.shape(&target.model), Quantisation::find(&f.quantisation)?)));
        let known = own.or_else(|| measured_model(&target.model, candidates, catalog));
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
            context.note(&format!(
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
    context.note(&format!("{} does not calibrate: {why}", path.display()));
    Ok(None)
}

fn evidence(path: &Path) -> Result<(BenchDocument, Evidence), CliError> {
    let text = catalog::read_capped(path, 256 << 20)?;
    let document: BenchDocument = serde_json::from_str(&text)
        .map_err(|e| CliError::usage(format!("{} is not a bench document: {e}", path.display())))?;
    let evidence = document.evidence(&path.display().to_string());
    Ok((document, evidence))
}

/// Why a measurement is none of this hardware: a processor's speed does not calibrate a card.
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
        // This machine, or a computer without a card: the user's word.
        _ => true,
    };
    let place =
        if target.devices.is_empty() { "another machine".to_owned() } else { target.devices.join(" + ") };
    (!same).then(|| format!("it was measured on {place}, not on {}", hardware.name))
}

/// The model a target ran: the file given here, a file that still exists, or a catalogue record.
fn measured_model(
    name: &str,
    candidates: &Candidates,
    catalog: &Catalog,
) -> Option<(ModelShape, &'static Quantisation)> {
    let of = |model: ModelShape| {
        let format = model.file_format.or_else(|| Quantisation::find("Q4_K_M"))?;
        Some((model, format))
    };
    let stem = Path::new(name).file_stem()?.to_string_lossy().into_owned();
    if let Some(model) = candidates.models.iter().find(|m| m.file.is_some() && (m.id == stem || m.id == name))
    {
        return of(model.clone());
    }
    if let Ok(header) = read_header(Path::new(name))
        && let Ok(model) = ModelShape::from_gguf(stem, &header)
    {
        return of(model);
    }
    let mut model = ModelShape::from_catalogue(model_of_file(catalog, name)?).ok()?;
    model.file_format = format_of_file(name).and_then(|format| Quantisation::find(&format));
    of(model)
}
