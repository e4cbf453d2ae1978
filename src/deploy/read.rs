//! Reads documents into a [`Deployment`]: the chosen option of an advice document, or a plan of a plan
//! document, with what the catalogue knows about model, accelerator and provider.
//!
//! The JSON is read by the names that both documents have in common, so that older documents can be read,
//! too. What they lack is reported, not guessed.

use super::input::{Accelerator, Cloud, Deployment, Limits, Place, Request, Served, Weights};
use super::recipe::LeftOut;
use super::{llama, quote, server};
use crate::capacity::{Engine, KvType, ModelShape, Quantisation};
use crate::catalog::{Catalog, OpenModel, Vendor};
use crate::plan::{self, weights::released};
use crate::workload::{Answer as _, Use};
use serde::Deserialize;
use serde_json::Value;

/// What the user asked for, beside the document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// Id of an option of an advice document, instead of the chosen one.
    pub option: Option<String>,
    /// Number of a plan in a plan document, from 1, instead of the first.
    pub plan: Option<usize>,
    /// Id of a model, where a plan for several needs has several, instead of that of the first need.
    pub model: Option<String>,
    /// `OWNER/REPO` with weights in the plan's format, or `OWNER/REPO/FILE.gguf`.
    pub weights: Option<String>,
    /// Context length, tokens.
    pub context: Option<u64>,
}

/// What is wrong with a document or with what the user asked for, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    /// What is wrong, without the name of the file.
    pub message: String,
    /// What to do; empty where that is obvious.
    pub hint: String,
}

fn fault(message: impl Into<String>, hint: impl Into<String>) -> Fault {
    Fault { message: message.into(), hint: hint.into() }
}

/// A plan, as both documents have it; only the fields that recipes need.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Row {
    name: Option<String>,
    host: Option<String>,
    hosts: Option<u32>,
    spare_hosts: Option<u32>,
    accelerator: Option<String>,
    accelerator_name: Option<String>,
    model: Option<String>,
    backend: Option<String>,
    engine: Option<String>,
    quantisation: Option<String>,
    kv_type: Option<String>,
    tensor_parallel: Option<u32>,
    pipeline_parallel: Option<u32>,
    expert_parallel: Option<bool>,
    replicas: Option<u32>,
    concurrency: Option<u32>,
    context_tokens: Option<f64>,
    weights_bytes: Option<f64>,
}

/// Upper limit for every number in a plan.
const MOST: u32 = 1_000_000;

/// Read a document. `from` is its name for people.
pub fn deployment(
    from: &str,
    document: &Value,
    catalog: &Catalog,
    asked: &Asked,
) -> Result<Deployment, Fault> {
    let schema = document["schema"].as_str().unwrap_or_default();
    match schema.split_once('/').map_or(schema, |(name, _)| name) {
        "freehold.advice" => advice(from, document, catalog, asked),
        "freehold.plan" => plan_document(from, document, catalog, asked),
        "" => Err(fault(
            "no `schema` field at the top, so this is not a document of freehold's",
            "give an advice or a plan document: `freehold advise --json`, `freehold breakeven --format json`",
        )),
        other => Err(fault(
            format!(
                "a document of the kind \"{}\" holds no plan to deploy",
                crate::sanitize::line(other, 60)
            ),
            "give an advice or a plan document",
        )),
    }
}

fn advice(from: &str, document: &Value, catalog: &Catalog, asked: &Asked) -> Result<Deployment, Fault> {
    if asked.plan.is_some() {
        return Err(fault(
            "--plan takes a plan document, and this is an advice document",
            "choose with --option",
        ));
    }
    if let Some(model) = &asked.model {
        return Err(only_one(model));
    }
    let result = &document["result"];
    let options = result["options"].as_array().map_or(&[][..], Vec::as_slice);
    let of = |id: &str| options.iter().find(|o| o["id"].as_str() == Some(id));
    let option = match (&asked.option, result["chosen"].as_str()) {
        (Some(id), _) => {
            let ids = options.iter().filter_map(|o| o["id"].as_str());
            let known = || ids.map(|i| crate::sanitize::line(i, 60)).collect::<Vec<_>>().join(", ");
            Some(of(id).ok_or_else(|| {
                fault(format!("there is no option \"{id}\""), format!("its options are: {}", known()))
            })?)
        }
        (None, Some(id)) => Some(of(id).ok_or_else(|| {
            fault(
                "the chosen option is not among its options",
                "make the document again with `freehold advise --json`",
            )
        })?),
        (None, None) => None,
    };
    let none = Value::Null;
    let option = option.unwrap_or(&none);
    let placement = option["placement"].as_str().or_else(|| result["placement"].as_str()).unwrap_or_default();
    let title = option["name"].as_str().and_then(quote::name).unwrap_or(placement).to_owned();
    let strict = result["answers"]["privacy"].as_str() == Some("strict");
    let mut found = begin(from, title, document, !strict);
    if matches!(placement, "local" | "hybrid") {
        found.limits = found.limits.or(of_terms(&option["plan"]));
        match &option["plan"] {
            Value::Null => found.left_out.push(LeftOut::new(
                "recipes for own or rented machines",
                "the document has no plan for this option: say how many requests there are, and advise again",
            )),
            row => serve(&mut found, "result.options[].plan", row, catalog, asked)?,
        }
    }
    if matches!(placement, "cloud" | "hybrid") {
        let named = option["api_model"].as_str().or_else(|| result["models"]["api"]["id"].as_str());
        match named {
            None => found.left_out.push(LeftOut::new("cloud", "the document names no API model")),
            Some(id) => match cloud(id, catalog) {
                Ok(cloud) => found.cloud = Some(cloud),
                Err(because) => found.left_out.push(LeftOut::new("cloud", because)),
            },
        }
    }
    if found.served.is_none() && found.cloud.is_none() && found.left_out.is_empty() {
        return Err(fault(
            format!("its placement is \"{}\", which is none", crate::sanitize::line(placement, 40)),
            "make the document again with `freehold advise --json`",
        ));
    }
    Ok(found)
}

fn plan_document(
    from: &str,
    document: &Value,
    catalog: &Catalog,
    asked: &Asked,
) -> Result<Deployment, Fault> {
    if asked.option.is_some() {
        return Err(fault(
            "--option takes an advice document, and this is a plan document",
            "choose with --plan",
        ));
    }
    let result = &document["result"];
    let plans = result["plans"].as_array().map_or(&[][..], Vec::as_slice);
    if let Some(there) = asked.plan.is_none().then(|| on_owned_machines(result)).flatten() {
        return owned(from, document, &there, catalog, asked);
    }
    let shared = result["together"].as_array().map_or(&[][..], Vec::as_slice);
    if !shared.is_empty() {
        return together(from, document, shared, catalog, asked);
    }
    if let Some(model) = &asked.model {
        return Err(only_one(model));
    }
    let number = asked.plan.unwrap_or(1);
    let Some(row) = number.checked_sub(1).and_then(|n| plans.get(n)) else {
        return Err(match plans.len() {
            0 => fault("it has no plan: nothing carries the need", "see its `rejected` for the reasons"),
            n => fault(format!("there is no plan {number}"), format!("it has plans 1 to {n}")),
        });
    };
    let misses = row["misses"].as_array().is_some_and(|m| !m.is_empty());
    let title = row["name"].as_str().and_then(quote::name).unwrap_or("plan").to_owned();
    let mut found = begin(from, title, document, true);
    if misses {
        found.left_out.push(LeftOut::new(
            "a promise",
            "the plan misses a limit of the need: the accepting command will say so",
        ));
    }
    serve(&mut found, &format!("result.plans[{}]", number - 1), row, catalog, asked)?;
    found.left_out.extend(further_needs(result));
    Ok(found)
}

fn only_one(model: &str) -> Fault {
    fault(
        format!("--model {model}: the document has one model"),
        "leave it out; it chooses among the models of a plan for several needs",
    )
}

/// One model of a plan for several needs: that of the first need, unless another was asked for.
fn together(
    from: &str,
    document: &Value,
    rows: &[Value],
    catalog: &Catalog,
    asked: &Asked,
) -> Result<Deployment, Fault> {
    let result = &document["result"];
    let number = asked.plan.unwrap_or(1);
    let Some(row) = number.checked_sub(1).and_then(|n| rows.get(n)) else {
        return Err(fault(format!("there is no plan {number}"), format!("it has plans 1 to {}", rows.len())));
    };
    let parts = row["parts"].as_array().map_or(&[][..], Vec::as_slice);
    let runs = |part: &&Value, model: &str| part["model"].as_str() == Some(model);
    let line = |v: &Value| crate::sanitize::line(v.as_str().unwrap_or("?"), 60);
    let part = if let Some(model) = &asked.model {
        let models: Vec<String> = parts.iter().map(|p| line(&p["model"])).collect();
        let unknown = || {
            fault(
                format!("--model {model}: the plan does not run it"),
                format!("it runs {}", models.join(", ")),
            )
        };
        Some(parts.iter().find(|p| runs(p, model)).ok_or_else(unknown)?)
    } else {
        let first = result["needs"][0]["model"].as_str().unwrap_or_default();
        parts.iter().find(|p| runs(p, first)).or_else(|| parts.first())
    };
    let Some(part) = part else {
        return Err(fault(
            format!("plan {number} runs no model"),
            "make the document again with this version",
        ));
    };
    let title = row["name"].as_str().and_then(quote::name).unwrap_or("plan").to_owned();
    let mut found = begin(from, title, document, true);
    let figure = |key: &str| part[key].as_f64().filter(|v| v.is_finite() && *v > 0.0);
    found.limits = Limits { ttft_ms: figure("ttft_limit_ms"), tpot_ms: figure("tpot_limit_ms") };
    found.request = Request {
        input_tokens: figure("input_tokens").or(found.request.input_tokens),
        output_tokens: figure("output_tokens").or(found.request.output_tokens),
    };
    let mut served = part.as_object().cloned().unwrap_or_default();
    for key in ["name", "host", "hosts", "spare_hosts", "accelerator", "accelerator_name"] {
        served.insert(key.to_owned(), row[key].clone());
    }
    let at = format!("result.together[{}].parts[]", number - 1);
    serve(&mut found, &at, &Value::Object(served), catalog, asked)?;
    for other in parts.iter().filter(|p| p["model"] != part["model"]) {
        found.left_out.push(LeftOut::new(
            format!("{} ({})", line(&other["needs"]), line(&other["model"])),
            format!(
                "it runs on the same machines, on accelerators of its own; --model {} writes its folder",
                line(&other["model"])
            ),
        ));
    }
    Ok(found)
}

/// What runs for the first need on machines that are there already.
struct OwnedMachines {
    row: Value,
    /// Names of further machines that run copies of it, as the user gave them.
    others: Vec<String>,
    /// Requests a second that all of these machines cannot carry.
    short: f64,
}

/// What runs on the machines that the document was told about (`fit --plan --have`), which is then what is
/// deployed. `None` where none were named, or none of them can run the model.
fn on_owned_machines(result: &Value) -> Option<OwnedMachines> {
    let first = &result["owned"][0];
    let machines = first["machines"].as_array()?;
    let copies = |m: &Value| m["runs"]["replicas"].as_u64().unwrap_or(0);
    // Older documents do not say enough about it.
    let mut running: Vec<&Value> =
        machines.iter().filter(|m| copies(m) > 0 && m["runs"]["engine"].is_string()).collect();
    running.sort_by_key(|m| std::cmp::Reverse(copies(m)));
    let (machine, others) = running.split_first()?;
    let mut row = machine["runs"].as_object()?.clone();
    for key in ["host", "accelerator", "accelerator_name"] {
        row.insert(key.to_owned(), machine[key].clone());
    }
    row.insert("name".to_owned(), machine["name"].clone());
    row.insert("model".to_owned(), first["model"].clone());
    let name = |m: &&Value| crate::sanitize::line(m["name"].as_str().unwrap_or("machines"), 60);
    Some(OwnedMachines {
        row: Value::Object(row),
        others: others.iter().map(name).collect(),
        short: first["short_requests_per_second"].as_f64().unwrap_or(0.0),
    })
}

fn owned(
    from: &str,
    document: &Value,
    there: &OwnedMachines,
    catalog: &Catalog,
    asked: &Asked,
) -> Result<Deployment, Fault> {
    let name = there.row["name"].as_str().and_then(quote::name).unwrap_or("what is there").to_owned();
    let mut found = begin(from, name, document, true);
    serve(&mut found, "result.owned[0].machines[]", &there.row, catalog, asked)?;
    if there.short > 0.0 {
        found.left_out.push(LeftOut::new(
            "the whole load",
            format!(
                "what is there lacks {} requests a second at the peak; --plan 1 writes what would be bought for it",
                crate::number::short(there.short)
            ),
        ));
    }
    for other in &there.others {
        found.left_out.push(LeftOut::new(
            format!("copies on {other}"),
            "one folder is for machines of one kind; plan with `--have` of this kind alone",
        ));
    }
    found.left_out.extend(further_needs(&document["result"]));
    Ok(found)
}

/// The needs beside the first, which recipes do not cover.
fn further_needs(result: &Value) -> Vec<LeftOut> {
    let needs = result["needs"].as_array().map_or(&[][..], Vec::as_slice);
    let line = |need: &Value, key: &str| crate::sanitize::line(need[key].as_str().unwrap_or("?"), 60);
    let of = |need: &Value| {
        LeftOut::new(
            format!("{} ({})", line(need, "name"), line(need, "model")),
            "one folder serves one need: plan this one alone for files of its own",
        )
    };
    // What the first need's model also serves runs on the same machines.
    let first = needs.first().map(|n| &n["model"]);
    needs.iter().skip(1).filter(|n| Some(&n["model"]) != first).map(of).collect()
}

/// What both kinds of document say about the need.
fn begin(from: &str, title: String, document: &Value, overflow: bool) -> Deployment {
    let need = &document["result"]["need"];
    let input = |key: &str| {
        let value = &document["inputs"][format!("need.{key}")]["value"];
        value.as_f64().or_else(|| value["likely"].as_f64())
    };
    let either = |ours: &str, key: &str| {
        need[ours].as_f64().or_else(|| input(key)).filter(|v| v.is_finite() && *v > 0.0)
    };
    let purpose = need["use"].as_str().or_else(|| document["inputs"]["need.use"]["value"].as_str());
    let usual = purpose.and_then(Use::from_word).map(plan::limits).unwrap_or_default();
    Deployment {
        from: crate::sanitize::line(from, 200),
        title,
        served: None,
        cloud: None,
        overflow,
        limits: Limits {
            ttft_ms: either("ttft_limit_ms", "ttft_ms").or(usual.ttft_ms),
            tpot_ms: either("tpot_limit_ms", "tpot_ms").or(usual.tpot_ms),
        },
        request: Request {
            input_tokens: either("input_tokens", "input_tokens"),
            output_tokens: either("output_tokens", "output_tokens"),
        },
        left_out: Vec::new(),
    }
}

/// The limits that a plan was made for, by the terms that it was computed from: an advice names none where
/// those of the use were taken.
fn of_terms(row: &Value) -> Limits {
    let terms = row["terms"].as_array().map_or(&[][..], Vec::as_slice);
    let ms = |name: &str| {
        let term = terms.iter().find(|t| t["name"] == name)?;
        term["value"].as_f64().map(|seconds| seconds * 1e3).filter(|ms| ms.is_finite() && *ms > 0.0)
    };
    Limits { ttft_ms: ms("limit.ttft-p95"), tpot_ms: ms("limit.tpot-p95") }
}

/// Fill in the machines of a plan, or report what the plan lacks. A field of a wrong type is an error.
fn serve(
    found: &mut Deployment,
    at: &str,
    row: &Value,
    catalog: &Catalog,
    asked: &Asked,
) -> Result<(), Fault> {
    let row: Row = serde_json::from_value(row.clone())
        .map_err(|e| fault(format!("{at}: {e}"), "make the document again with this version"))?;
    match served(&row, found.request, catalog, asked)? {
        Ok(served) => found.served = Some(served),
        Err(because) => found.left_out.push(LeftOut::new("recipes for own or rented machines", because)),
    }
    Ok(())
}

/// The machines of a plan.
///
/// # Errors
///
/// The outer error is what the user asked for wrongly, the inner one what the document lacks.
fn served(
    row: &Row,
    request: Request,
    catalog: &Catalog,
    asked: &Asked,
) -> Result<Result<Served, String>, Fault> {
    Ok(machines(row, request, catalog, asked).and_then(|mut served| {
        let model = row.model.as_deref().and_then(|id| catalog.open_model(id));
        served.weights = weights(&served, model, asked)?;
        served.licence = match &asked.weights {
            None => model.and_then(|m| m.licence.clone()),
            Some(_) => None,
        };
        let planned = row.weights_bytes.filter(|b| b.is_finite() && *b > 0.0);
        served.download_bytes = model.and_then(|m| download(&served, m)).or(planned);
        Ok(served)
    }))
    .and_then(|made| match (&asked.weights, made) {
        (Some(given), Err(because)) if because.contains("--weights") => Err(fault(
            format!("--weights {given}: {because}"),
            "give OWNER/REPO, or OWNER/REPO/FILE.gguf for llama.cpp",
        )),
        (_, made) => Ok(made),
    })
}

fn whole(name: &str, value: Option<u32>, least: u32) -> Result<u32, String> {
    match value {
        None => Err(format!("the plan does not say `{name}`")),
        Some(n) if (least..=MOST).contains(&n) => Ok(n),
        Some(n) => Err(format!("the plan says {n} for `{name}`, which cannot be")),
    }
}

fn machines(row: &Row, request: Request, catalog: &Catalog, asked: &Asked) -> Result<Served, String> {
    let lacks = |name: &str| format!("the plan does not say `{name}`");
    let name = row.model.as_deref().ok_or_else(|| lacks("model"))?;
    let name = quote::name(name).ok_or("the plan's `model` is not a name")?;
    let word = row.engine.as_deref().or(row.backend.as_deref()).ok_or_else(|| lacks("backend"))?;
    let engine = engine(word).ok_or_else(|| {
        format!("there is no recipe for the engine \"{}\"", crate::sanitize::line(word, 40))
    })?;
    if engine == Engine::TensorRtLlm {
        return Err("there is no recipe for TensorRT-LLM yet; plan with `--local.backend vllm`".to_owned());
    }
    let format = row.quantisation.as_deref().ok_or_else(|| lacks("quantisation"))?;
    let format = Quantisation::find(format)
        .ok_or_else(|| format!("the weight format \"{}\" is not known", crate::sanitize::line(format, 40)))?;
    let kv = match row.kv_type.as_deref() {
        None => return Err(lacks("kv_type")),
        Some(kv) => KvType::find(kv)
            .ok_or_else(|| format!("the KV type \"{}\" is not known", crate::sanitize::line(kv, 40)))?,
    };
    let hosts = whole("hosts", row.hosts, 1)?;
    let spare_hosts = row.spare_hosts.unwrap_or(0);
    if spare_hosts >= hosts {
        return Err(format!("the plan has {hosts} machines, and {spare_hosts} of them spare"));
    }
    let concurrency = whole("concurrency", row.concurrency, 1)?;
    let accelerator = accelerator(row, catalog)?;
    let planned = row.context_tokens.filter(|c| c.is_finite() && *c >= 1.0);
    let trained = catalog.open_model(name).and_then(|m| m.context_tokens);
    let context = context(planned, request, concurrency, trained, asked.context)
        .ok_or("neither the plan nor the need says how long a request is; say it with --context TOKENS")?;
    let place =
        row.host.as_deref().and_then(|id| catalog.rental(id)).map_or(Place::Owned, |rental| Place::Rented {
            provider: Some(rental.provider.clone()),
            instance: Some(rental.instance.clone()),
            spot: rental.terms == crate::catalog::RentalTerms::Spot,
        });
    Ok(Served {
        name: name.to_owned(),
        weights: Weights::Repository(String::new()),
        licence: None,
        engine,
        format: format.id.to_owned(),
        kv,
        accelerator,
        place,
        hosts,
        spare_hosts,
        replicas: whole("replicas", row.replicas, 1)?,
        tensor: whole("tensor_parallel", row.tensor_parallel, 1)?,
        // Plans of older documents, which lack this field, had no pipeline parallelism.
        pipeline: whole("pipeline_parallel", row.pipeline_parallel.or(Some(1)), 1)?,
        expert_parallel: row.expert_parallel.unwrap_or(false),
        concurrency,
        context_tokens: context,
        download_bytes: None,
    })
}

/// An engine, by its own name or by that of one of its software paths.
fn engine(word: &str) -> Option<Engine> {
    Engine::find(word).or_else(|| {
        let path =
            crate::capacity::Backend::ALL.into_iter().find(|b| b.label().eq_ignore_ascii_case(word))?;
        Some(path.engine())
    })
}

fn accelerator(row: &Row, catalog: &Catalog) -> Result<Accelerator, String> {
    let id =
        row.accelerator.as_deref().or(row.host.as_deref()).ok_or("the plan does not say `accelerator`")?;
    let id = quote::name(id).ok_or("the plan's `accelerator` is not a name")?;
    let inside = catalog.machine(id).and_then(|m| m.accelerator.as_deref());
    let record = catalog.accelerator(inside.unwrap_or(id));
    let by_path = match row.backend.as_deref() {
        Some("cuda") => Some(Vendor::Nvidia),
        Some("rocm") => Some(Vendor::Amd),
        Some("metal" | "mlx") => Some(Vendor::Apple),
        Some("sycl") => Some(Vendor::Intel),
        _ => None,
    };
    let name = record.map(|r| r.name.as_str()).or(row.accelerator_name.as_deref()).and_then(quote::name);
    let vendor =
        if row.backend.as_deref() == Some("cpu") { None } else { record.map(|r| r.vendor).or(by_path) };
    Ok(Accelerator { id: id.to_owned(), name: name.unwrap_or(id).to_owned(), vendor })
}

/// The context length to serve. The plan knows the 95th percentile: twice that, as far as the model and the
/// memory for the KV cache (that of all concurrent mean requests) allow.
fn context(
    planned: Option<f64>,
    request: Request,
    concurrency: u32,
    trained: Option<u64>,
    asked: Option<u64>,
) -> Option<u64> {
    let mean = request.input_tokens.unwrap_or(0.0) + request.output_tokens.unwrap_or(0.0);
    // Token counts are positive and far below 2^53.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let tokens = |t: f64| t.min(1e9).ceil() as u64;
    let longest = asked.or_else(|| {
        let p95 = planned.or((mean > 0.0).then_some(mean))?.max(mean);
        let fits = (f64::from(concurrency) * mean).max(p95);
        Some(tokens((2.0 * p95).min(fits)).next_multiple_of(256))
    })?;
    Some(longest.min(trained.unwrap_or(u64::MAX)).max(1))
}

/// The origin of weights in the plan's format.
fn weights(served: &Served, model: Option<&OpenModel>, asked: &Asked) -> Result<Weights, String> {
    if let Some(given) = &asked.weights {
        return own_weights(served, given);
    }
    let model = model.ok_or_else(|| {
        format!(
            "{} is not in the catalogue, so its weights are not known; name them with --weights OWNER/REPO",
            served.name
        )
    })?;
    let repo = model.repository.as_deref().and_then(quote::repository);
    let repo = repo.ok_or_else(|| {
        format!("the repository of {} is not known; name one with --weights OWNER/REPO", served.name)
    })?;
    let first = released(&served.name);
    let unknown = || {
        format!(
            "no repository with {} weights of {} is known; name one with --weights OWNER/REPO",
            served.format, served.name
        )
    };
    match served.engine {
        Engine::LlamaCpp if llama::can_make(&served.format) => Ok(Weights::Converted(repo.to_owned())),
        Engine::Mlx => Ok(Weights::Converted(repo.to_owned())),
        engine if server::is(engine) && first == Some(served.format.as_str()) => {
            Ok(Weights::Repository(repo.to_owned()))
        }
        // Servers accept either of the 16-bit formats.
        engine if server::is(engine) && first == Some("BF16") && served.format == "F16" => {
            Ok(Weights::Repository(repo.to_owned()))
        }
        engine if server::is(engine) && first == Some("BF16") && served.format == "FP8" => {
            Ok(Weights::RoundedToFp8(repo.to_owned()))
        }
        _ => Err(unknown()),
    }
}

fn own_weights(served: &Served, given: &str) -> Result<Weights, String> {
    let given = given.strip_prefix("hf:").unwrap_or(given);
    let mut parts = given.splitn(3, '/');
    let (owner, repo, file) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""), parts.next());
    let repository = format!("{owner}/{repo}");
    let wrong = || "--weights takes OWNER/REPO of the Hugging Face Hub".to_owned();
    let repository = quote::repository(&repository).ok_or_else(wrong)?.to_owned();
    match (served.engine, file) {
        (Engine::LlamaCpp, file) => {
            let fine = |f: &str| {
                f.to_ascii_lowercase().ends_with(".gguf")
                    && !f.split('/').any(|p| p.is_empty() || p == "..")
                    && f.chars().all(|c| c.is_ascii_alphanumeric() || "-_./+".contains(c))
            };
            if file.is_some_and(|f| !fine(f)) {
                return Err("--weights takes OWNER/REPO/FILE.gguf for llama.cpp".to_owned());
            }
            Ok(Weights::Gguf { repository, file: file.map(str::to_owned) })
        }
        (_, None) => Ok(Weights::Repository(repository)),
        (engine, Some(_)) => {
            Err(format!("--weights takes OWNER/REPO for {}, without a file", engine.label()))
        }
    }
}

/// Size of the download, bytes: in the plan's format, or in the 16 bits that it is made from.
fn download(served: &Served, model: &OpenModel) -> Option<f64> {
    let shape = ModelShape::from_catalogue(model).ok()?;
    let format = match &served.weights {
        Weights::RoundedToFp8(_) => "BF16",
        Weights::Converted(_) => released(&served.name).unwrap_or("BF16"),
        Weights::Repository(_) | Weights::Gguf { .. } => served.format.as_str(),
    };
    let engine = match (&served.weights, served.engine) {
        (Weights::Converted(_), _) => Engine::Vllm,
        (_, engine) => engine,
    };
    let format = Quantisation::find(format)?;
    format.runs_on(engine).then(|| shape.bytes_under(format, engine).total)
}

/// An API model of the catalogue, with the provider that serves it.
fn cloud(id: &str, catalog: &Catalog) -> Result<Cloud, String> {
    let shown = crate::sanitize::line(id, 100);
    let model =
        catalog.api_model(id).ok_or_else(|| format!("the API model {shown} is not in today's catalogue"))?;
    let name = quote::name(&model.model).ok_or_else(|| format!("the wire name of {shown} is not a name"))?;
    let provider = catalog.provider_of(model).ok_or_else(|| {
        format!(
            "how {} is reached is not in the catalogue; add a [[provider]] for it",
            crate::sanitize::line(&model.provider, 60)
        )
    })?;
    Ok(Cloud { provider: provider.clone(), model: name.to_owned() })
}
