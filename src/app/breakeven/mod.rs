//! `freehold breakeven`: from a scenario, the catalogue, measurements and usage records to a document of
//! costs.

mod repeated;

pub use repeated::Repeated;

use crate::advise::Matrix;
use crate::app::Refusal;
use crate::app::needs::FromUsage;
use crate::catalog::{Catalog, NotResolved};
use crate::cost::keys;
use crate::cost::ranking::Rows;
use crate::cost::{self, Basis, Case, Drawing, ResolveError, Scenario};
use crate::document::breakeven::BreakevenDocument;
use crate::document::envelope::{Input, Warning};
use crate::document::joined::{What, of_measurement};
use crate::provenance::{Source, Sourced, UserInput};
use crate::spelling::nearest;
use crate::workload::given::value_from_text;
use crate::workload::keys::{Key, Section, answers, need};
use crate::workload::{Evidence, Given, NeedDraft, Range, Value};

/// What the user asks beside the scenario. Each field is a flag, and is echoed under its name.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asked {
    /// Every API model against every hardware, ranked.
    pub all: bool,
    /// In a ranking, a row for every pair.
    pub every_pair: bool,
    /// Monte Carlo draws, where inputs are ranges.
    pub draws: Option<u32>,
    /// Seed of the draws.
    pub seed: Option<u64>,
    /// People whose seats would do the same work, where the records are of coding agents.
    pub seats: Option<u32>,
    /// Use a measurement of something else as far as it applies.
    pub allow_mismatch: bool,
}

/// What else the computation needs.
#[derive(Debug, Clone, Copy)]
pub struct Beside<'a> {
    /// Records of usage, which have filled the scenario already.
    pub usage: Option<&'a FromUsage>,
    /// Threads a ranking may use.
    pub threads: usize,
    /// When the document is made, RFC 3339.
    pub created: &'a str,
}

/// Why there is no document.
#[derive(Debug, Clone, PartialEq)]
pub enum NotComputed {
    /// Keys without a value that the user could still be asked for, each with the reason; a dotted name may
    /// stand for a key of the first offer only.
    Missing(ResolveError),
    /// No answer of the user would help.
    Refused(Refusal),
}

impl From<Refusal> for NotComputed {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<ResolveError> for NotComputed {
    fn from(error: ResolveError) -> Self {
        match error {
            ResolveError::Missing(_) => Self::Missing(error),
            error => Self::Refused(error.into()),
        }
    }
}

/// Computes the document of a scenario.
///
/// # Errors
/// Where keys have no value, or the scenario cannot be computed.
pub fn breakeven(
    scenario: &Scenario,
    known: Basis<'_>,
    asked: Asked,
    beside: Beside<'_>,
) -> Result<BreakevenDocument, NotComputed> {
    let drawing = Drawing {
        count: asked.draws.unwrap_or(cost::uncertainty::DEFAULT_DRAWS),
        seed: asked.seed.unwrap_or(1),
    };
    let mut document = if asked.all {
        // What a ranking lacks is refused at once: there the keys are not those of one offer.
        let (case, skipped) = cost::resolve_all(scenario, known).map_err(Refusal::from)?;
        let rows = if asked.every_pair { Rows::EveryPair } else { Rows::EachOffer };
        let ranking = cost::rank(&case, rows, drawing, beside.threads);
        BreakevenDocument::ranking(&case, &ranking, &skipped, drawing, beside.created)
    } else {
        let case = cost::resolve(scenario, known)?;
        let evaluation = cost::evaluate(&case, drawing);
        let mut document = BreakevenDocument::new(&case, &evaluation, beside.created);
        if let Some(evidence) = known.evidence {
            // Where nothing of it applies, no input names it.
            let used = |input: &Input| matches!(input.source, Source::Measured { .. });
            if !document.inputs.values().any(used) {
                let file = Sourced::flag(evidence.file.clone(), "--measured");
                document.inputs.insert("measured".to_owned(), Input::plain(&file));
            }
            one_case(asked.allow_mismatch, evidence, &case, &mut document)?;
        }
        document
    };
    if let Some(usage) = beside.usage {
        usage.add_to(&mut document, known.catalog, asked.seats);
    }
    echo(asked, &mut document);
    Ok(document)
}

/// Refuses a measurement of something else, or warns of it where the user allows it.
fn one_case(
    allowed: bool,
    evidence: &Evidence,
    case: &Case,
    document: &mut BreakevenDocument,
) -> Result<(), Refusal> {
    let found = of_measurement(evidence, &document.inputs, &case.notices);
    if found.is_empty() {
        return Ok(());
    }
    if !allowed {
        let all: Vec<&str> = found.iter().map(|d| d.text.as_str()).collect();
        return Err(Refusal::input(format!("--measured: {}", all.join("\n"))).hint(
            "leave --measured out and the speed is predicted; --allow-mismatch takes from it what applies",
        ));
    }
    let flag = Sourced::flag(true, "--allow-mismatch");
    document.inputs.insert("allow_mismatch".to_owned(), Input::plain(&flag));
    // Another machine or model has its own warning.
    let lengths = found.into_iter().filter(|d| d.what == What::Need);
    document
        .warnings
        .extend(lengths.map(|d| Warning::new("measured-for-another-need", d.text).about(d.about)));
    Ok(())
}

/// Echoes the flags beside the scenario as inputs.
fn echo(asked: Asked, document: &mut BreakevenDocument) {
    let mut put = |name: &str, value: Option<serde_json::Value>| {
        if let Some(value) = value {
            let flag = Sourced::flag(value, format!("--{name}"));
            document.inputs.insert(name.to_owned(), Input::plain(&flag));
        }
    };
    put("every-pair", (asked.every_pair && asked.all).then(|| true.into()));
    put("all", asked.all.then(|| true.into()));
    put("draws", asked.draws.map(Into::into));
    put("seed", asked.seed.map(Into::into));
    put("seats", asked.seats.map(Into::into));
}

/// Fills in what a profile says about requests, where neither flags nor the scenario do.
pub fn add_profile(scenario: &mut Scenario, draft: &NeedDraft) {
    // The tier that the capability answer asks of an API model.
    if let Some(given) = draft.fields().get(answers::CAPABILITY.name)
        && let Some(tiers) = draft.answer(answers::CAPABILITY).and_then(|c| Matrix::shipped().tiers_for(c))
    {
        let value = Value::Number(Range::exactly(f64::from(tiers.cloud)));
        scenario.need.entry(need::TIER.name).or_insert(Given { value, source: given.source.clone() });
    }
    for key in need::KEYS {
        if let Some(given) = draft.fields().get(key.name) {
            scenario.need.entry(key.name).or_insert_with(|| given.clone());
        }
    }
}

/// The key that a missing dotted name stands for, where one answer can fill it.
pub fn answerable(path: &str) -> Option<&'static Key> {
    keys::of_path(path).filter(|(_, offer)| *offer == 0).map(|(key, _)| key)
}

/// Reads a typed answer to the question for a key; it must be in the catalogue where the key names a
/// record.
///
/// # Errors
/// A sentence that says what is wrong with the answer.
pub fn answer(key: &'static Key, text: &str, catalog: &Catalog) -> Result<Given, String> {
    let how = || UserInput::question(key.path());
    let text = text.trim();
    // The person has just typed it, so the error need not repeat it.
    let shown = format!("{} {text}: ", how());
    let given =
        value_from_text(key, how(), text).map_err(|e| e.to_string().trim_start_matches(&shown).to_owned())?;
    listed(key, text, catalog).map(|()| given)
}

/// Refuses an answer that is not in the catalogue, where it must be.
fn listed(key: &Key, id: &str, catalog: &Catalog) -> Result<(), String> {
    let hardware = || {
        let machines = catalog.machines.iter().map(|m| m.id.as_str());
        let gpus = catalog.accelerators.iter().map(|g| g.id.as_str());
        machines.chain(gpus).chain(catalog.rentals.iter().map(|r| r.id.as_str()))
    };
    let open_models = || catalog.open_models.iter().map(|m| m.id.as_str());
    let near = match (key.section, key.name) {
        (Section::Cloud, "model") => match catalog.resolve_api_model(id) {
            Ok(_) => return Ok(()),
            Err(NotResolved::Unknown { near, .. } | NotResolved::Ambiguous { ids: near, .. }) => near,
        },
        (Section::Local, "hardware") if hardware().any(|known| known == id) => return Ok(()),
        (Section::Local, "hardware") => nearest(id, hardware(), 3),
        (Section::Local, "model") if open_models().any(|known| known == id) => return Ok(()),
        (Section::Local, "model") => nearest(id, open_models(), 3),
        _ => return Ok(()),
    };
    let hint = if near.is_empty() { String::new() } else { format!("; did you mean {}?", near.join(" or ")) };
    Err(format!("`{id}` is not in the catalogue{hint}"))
}
