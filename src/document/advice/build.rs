//! The verdict, its need and the catalogue → the advice document.

use super::text;
use super::{
    AdviceDocument, AdviceResult, ApiExample, CostNote, Flip, HardwareExample, LookAgain, MatrixNote,
    Migration, Models, OpenExample, QualityNote, Reason, Recipe, RecipeStep, TierNote, VolumeThreshold,
};
use crate::advise::guide::{self, Guide};
use crate::advise::matrix::Matrix;
use crate::advise::{CostStanding, Placement, QualityStanding, ReasonKind, Verdict, candidate, verdict};
use crate::catalog::{ApiModel, Catalog, OpenModel, Provider};
use crate::document::envelope::{Envelope, Input, Warning};
use crate::document::repeat::quoted;
use crate::number;
use crate::provenance::{Cite, Source};
use crate::workload::keys::{answers, need};
use crate::workload::{Evidence, Modifier, Need, NeedDraft, Privacy};
use jiff::ToSpan as _;
use jiff::civil::Date;
use std::collections::BTreeMap;

/// What the document shows beside the verdict.
#[derive(Debug, Clone, Copy)]
pub struct Setting<'a> {
    pub matrix: &'a Matrix,
    pub guide: &'a Guide,
    pub catalog: &'a Catalog,
    pub draft: &'a NeedDraft,
    pub need: &'a Need,
    pub today: Date,
    /// The present moment, RFC 3339.
    pub now: &'a str,
    pub evidence: Option<&'a Evidence>,
    pub cost_file: Option<&'a str>,
}

/// The advice document of a verdict about these models: recipes, the day to look again and the age of the
/// price are theirs.
pub fn build(setting: &Setting, verdict: &Verdict, models: Models) -> AdviceDocument {
    Envelope {
        schema: super::SCHEMA.to_owned(),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        created: setting.now.to_owned(),
        inputs: inputs(setting),
        warnings: warnings(setting, verdict, &models),
        result: AdviceResult {
            placement: verdict.placement,
            confidence: verdict.confidence,
            confidence_because: verdict
                .confidence_steps
                .iter()
                .map(|s| text::confidence(*s).to_owned())
                .collect(),
            rule: verdict.rule.clone(),
            stage: verdict.stage,
            reasons: verdict.reasons.iter().map(|r| reason(verdict, r)).collect(),
            against: verdict.against.iter().map(|r| reason(verdict, r)).collect(),
            answers: verdict.answers,
            adjustments: verdict
                .adjustments
                .iter()
                .map(|a| text::adjustment(*a, setting.need.privacy_reason))
                .collect(),
            flips: flips(verdict),
            volume_threshold: verdict.threshold.as_ref().map(|t| threshold(setting, verdict, t)),
            quality: quality(verdict),
            cost: cost(verdict),
            migration: migration(setting, verdict),
            recipes: recipes(setting, verdict, &models),
            look_again: Some(look_again(setting, &models)),
            models,
            sentence: None,
            options: Vec::new(),
            chosen: None,
            matrix: Some(MatrixNote {
                cell: text::cell(verdict.answers),
                placement: verdict.placement,
                rule: verdict.rule.clone(),
                text: verdict.reasons.first().map(|r| text::reason(verdict, r)).unwrap_or_default(),
                differs_because: None,
            }),
            horizon_months: None,
            cumulative: Vec::new(),
            by_volume: None,
            excluded: Vec::new(),
            tensions: Vec::new(),
            first_steps: Vec::new(),
            cost_command: None,
        },
    }
}

fn reason(verdict: &Verdict, reason: &crate::advise::Reason) -> Reason {
    let source = match &reason.kind {
        ReasonKind::Matrix { .. } => None,
        ReasonKind::Quality => verdict.quality.as_ref().map(|q| Source::measured(&q.file, &q.quality.path)),
        ReasonKind::Cost => verdict.cost.as_ref().map(|c| Source::measured(&c.file, &c.hardest.path)),
    };
    Reason {
        id: reason.id.clone(),
        text: text::reason(verdict, reason),
        toward: reason.toward.clone(),
        weight: reason.weight,
        brief: match &reason.kind {
            ReasonKind::Matrix { brief, .. } => Some(brief.clone()),
            ReasonKind::Quality | ReasonKind::Cost => None,
        },
        source,
    }
}

/// One flip per question and placement: the mildest change that brings the placement about. Where low and
/// variable volume lead to the same placement, only the first is kept.
fn flips(verdict: &Verdict) -> Vec<Flip> {
    let mut found: Vec<Flip> = Vec::new();
    for flip in &verdict.flips {
        let flip = text::flip(*flip, verdict);
        if found.iter().all(|f| f.what != flip.what || f.placement != flip.placement) {
            found.push(flip);
        }
    }
    found
}

fn threshold(setting: &Setting, verdict: &Verdict, t: &verdict::Threshold) -> VolumeThreshold {
    let source = match &verdict.cost {
        Some(cost) if t.computed => Source::measured(&cost.file, &cost.hardest.path),
        _ => Source::Assumed {
            rule: "high-volume-threshold".to_owned(),
            reason: format!(
                "the brief's line: {} (line {})",
                setting.matrix.volume.brief.text, setting.matrix.volume.brief.line
            ),
        },
    };
    VolumeThreshold { requests_per_month: t.requests_per_month, tokens_per_month: t.tokens_per_month, source }
}

fn quality(verdict: &Verdict) -> Option<QualityNote> {
    let finding = verdict.quality.as_ref()?;
    let standing = match finding.standing {
        QualityStanding::NonInferior => "non-inferior",
        QualityStanding::Inferior => "inferior",
        QualityStanding::Undecided => "undecided",
        QualityStanding::StandIn => "stand-in",
    };
    Some(QualityNote {
        standing: standing.to_owned(),
        prompts: finding.quality.prompts,
        margin: finding.quality.margin,
        local_pass_rate: finding.quality.local_pass_rate,
        api_pass_rate: finding.quality.api_pass_rate,
        text: text::quality(finding),
        source: Source::measured(&finding.file, &finding.quality.path),
    })
}

fn cost(verdict: &Verdict) -> Option<CostNote> {
    let finding = verdict.cost.as_ref()?;
    let standing = match finding.standing {
        CostStanding::Local => "local",
        CostStanding::Cloud => "cloud",
        CostStanding::Contested => "contested",
    };
    let pair = &finding.hardest;
    Some(CostNote {
        standing: standing.to_owned(),
        horizon_months: finding.horizon_months,
        cloud: pair.cloud.clone(),
        local: pair.local.clone(),
        payback_months: pair.payback_months,
        never_because: pair.never_because.clone(),
        tco_cloud_usd: pair.tco_cloud_usd,
        tco_local_usd: pair.tco_local_usd,
        text: text::cost(finding),
        file: finding.file.clone(),
    })
}

fn database(entry: String, cite: Cite) -> Source {
    Source::Database { entry, source: cite.source, as_of: cite.as_of }
}

/// Examples from the catalogue of the classes that a verdict calls for, where nothing was priced or chosen.
pub fn examples(setting: &Setting, verdict: &Verdict) -> Models {
    let Some(tiers) = verdict.tiers else { return Models::default() };
    let note = |tier: u8| {
        setting.matrix.tier(tier).map(|t| TierNote {
            tier: t.tier,
            title: t.title.clone(),
            meaning: t.meaning.clone(),
            hardware: t.hardware.clone(),
        })
    };
    let rented = verdict.placement != Placement::Local;
    let owned = verdict.placement != Placement::Cloud;
    let open = owned.then(|| candidate::open(setting.catalog, tiers)).flatten();
    let hardware = open.and_then(|model| candidate::hardware(setting.catalog, model));
    let api = rented
        .then(|| {
            candidate::api(setting.catalog, &setting.guide.makers, tiers, setting.need.shape, setting.today)
        })
        .flatten();
    Models {
        cloud_tier: rented.then(|| note(tiers.cloud)).flatten(),
        local_tier: owned.then(|| note(tiers.local)).flatten(),
        api: api.map(|api| {
            let month = setting.need.requests_per_month.map(|n| n * api.usd_per_request);
            let request = if api.assumed_shape {
                Source::assumed("example-request", "no request shape given: 750 tokens in, 250 out")
            } else {
                draft_source(setting)
            };
            api_example(api.model, api.usd_per_request, month, request)
        }),
        open: open.map(open_example),
        hardware: hardware.map(|h| HardwareExample {
            id: h.accelerator.id.clone(),
            name: h.accelerator.name.clone(),
            count: h.count,
            memory_gib: h.accelerator.memory_gib.map(|m| m * f64::from(h.count)),
            needed_gib: h.needed_gib,
            source: database(format!("gpu {}", h.accelerator.id), h.accelerator.cite("memory_gib")),
        }),
    }
}

/// An API model of a document, with the price of a request and of a month, US dollars.
pub fn api_example(
    model: &ApiModel,
    usd_per_request: f64,
    usd_per_month: Option<f64>,
    request: Source,
) -> ApiExample {
    ApiExample {
        id: model.id.clone(),
        tier: model.tier,
        usd_per_request,
        usd_per_month,
        request,
        source: database(format!("api model {}", model.id), model.cite("price")),
    }
}

/// An open model of a document.
pub fn open_example(model: &OpenModel) -> OpenExample {
    OpenExample {
        id: model.id.clone(),
        tier: model.tier,
        repository: model.repository.clone(),
        parameters: model.parameters,
        source: database(format!("open model {}", model.id), model.cite("parameters")),
    }
}

/// The target by which `bench` asks an API model: `groq:MODEL`. Where the catalogue does not know the
/// address, the user has to put it in the place of `BASE_URL`.
pub fn target(catalog: &Catalog, model: &ApiModel) -> String {
    match catalog.provider_of(model) {
        Some(p) if p.base_url.is_some() || p.endpoint_variable.is_some() => {
            format!("{}:{}", p.id, model.model)
        }
        Some(p) => format!("{}:{}@BASE_URL", p.id, model.model),
        None => format!("compatible:{}@BASE_URL", model.model),
    }
}

/// The variables that tell `OpenAI`'s client where a model is served and with which key, before a command;
/// empty for `OpenAI` itself, whose address and key it finds by itself.
fn client(provider: Option<&Provider>) -> String {
    let address = provider.and_then(Provider::address);
    if address.as_deref() == Some("https://api.openai.com/v1") {
        return String::new();
    }
    let key = provider.and_then(|p| p.key_variable.as_deref()).filter(|k| is_variable(k));
    let base = quoted(address.as_deref().unwrap_or("BASE_URL"));
    format!("OPENAI_BASE_URL={base} OPENAI_API_KEY=\"${}\" ", key.unwrap_or("API_KEY"))
}

fn is_variable(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The guide's steps for moving this workload from where it runs now to where it belongs.
fn migration(setting: &Setting, verdict: &Verdict) -> Option<Migration> {
    let draft = setting.draft;
    let from = if draft.has(answers::HAVE) {
        Some(Placement::Local)
    } else if setting.need.modifiers.contains(Modifier::GradualMigration) {
        Some(Placement::Cloud)
    } else {
        None
    };
    let closed =
        verdict.answers.privacy == Privacy::Strict || setting.need.modifiers.contains(Modifier::Offline);
    // A model that ships inside a product is not moved.
    if setting.need.modifiers.contains(Modifier::Embedded) {
        return None;
    }
    let found = setting.guide.migration(from, verdict.placement, closed)?;
    Some(Migration {
        title: found.title.clone(),
        steps: found.steps.clone(),
        measures: found.measures.clone(),
        stop_if: found.stop_if.clone(),
    })
}

/// The recipes of this placement, with the models of the document filled in; a blank without a model stays
/// as a word in capitals.
fn recipes(setting: &Setting, verdict: &Verdict, models: &Models) -> Vec<Recipe> {
    let api = models.api.as_ref().and_then(|api| setting.catalog.api_model(&api.id));
    let provider = api.and_then(|m| setting.catalog.provider_of(m));
    let key = provider.and_then(|p| p.key_variable.as_deref()).unwrap_or("API_KEY");
    let target = api.map_or_else(|| "PROVIDER:MODEL".to_owned(), |m| target(setting.catalog, m));
    let client = client(provider);
    let fill = |text: &str| {
        let open = models.open.as_ref();
        text.trim_matches('\n')
            .replace("{client}", &client)
            .replace("{key}", key)
            .replace("{target}", &quoted(&target))
            .replace("{api_model}", api.map_or("MODEL", |m| &m.model))
            .replace("{open_model}", open.map_or("MODEL", |m| &m.id))
            .replace("{repository}", open.and_then(|m| m.repository.as_deref()).unwrap_or("OWNER/REPO"))
    };
    let step = |s: &guide::RecipeStep| RecipeStep { text: fill(&s.text), code: s.code.as_deref().map(fill) };
    setting
        .guide
        .recipes(verdict.placement, api.map(|m| m.provider.as_str()))
        .into_iter()
        .map(|r| Recipe {
            title: r.title.clone(),
            time_to_first_result: r.time_to_first_result.clone(),
            steps: r.steps.iter().map(step).collect(),
        })
        .collect()
}

/// The day after the guide's months, or an earlier one on which the catalogue says that the example model's
/// price changes or that it retires.
fn look_again(setting: &Setting, models: &Models) -> LookAgain {
    let months = setting.guide.look_again.months;
    let mut date = setting.today.saturating_add(months.months());
    let mut because = format!("{months} months from now: what holds today may not then");
    let api = models.api.as_ref().and_then(|api| setting.catalog.api_model(&api.id));
    if let Some(model) = api {
        let change = model.price.iter().filter_map(|p| p.from).find(|from| *from > setting.today);
        let events = [(change, "its price changes"), (model.retires, "it is retired")];
        for (day, what) in events {
            if let Some(day) = day.filter(|day| *day > setting.today && *day < date) {
                date = day;
                because = format!("{}: {what} on that day", model.id);
            }
        }
    }
    LookAgain { date: date.to_string(), because, triggers: setting.guide.look_again.triggers.clone() }
}

/// Where the request shape comes from: taken to be where its input tokens come from.
fn draft_source(setting: &Setting) -> Source {
    let source = setting.draft.source(need::INPUT_TOKENS).cloned();
    source.unwrap_or_else(|| Source::assumed("example-request", "no request shape given"))
}

/// The answers and the numbers of a need, as documents have them.
pub fn inputs_of(draft: &NeedDraft) -> BTreeMap<String, Input> {
    let keys = answers::KEYS.iter().chain(need::KEYS);
    let said = keys.filter_map(|key| Some((key, draft.fields().get(key.name)?)));
    said.map(|(key, g)| (key.path(), Input::given(&g.value, key.unit, g.source.clone()))).collect()
}

/// Every value that went in.
fn inputs(setting: &Setting) -> BTreeMap<String, Input> {
    let mut inputs = inputs_of(setting.draft);
    let mut put = |name: &str, input: Option<Input>| {
        if let Some(input) = input {
            inputs.insert(name.to_owned(), input);
        }
    };
    for (name, file) in [("evidence", setting.evidence.map(|e| e.file.as_str())), ("cost", setting.cost_file)]
    {
        let flag = format!("--{name}");
        put(name, file.map(|f| Input::plain(&crate::provenance::Sourced::flag(f, flag))));
    }
    inputs
}

fn warnings(setting: &Setting, verdict: &Verdict, models: &Models) -> Vec<Warning> {
    let mut warnings = Vec::new();
    for a in &verdict.adjustments {
        let a = text::adjustment(*a, setting.need.privacy_reason);
        warnings.push(Warning::new(super::ANSWER_REPLACED, text::replaced(&a)).about(a.question));
    }
    if let Some(reason) = setting.need.privacy_reason
        && let Some(mandate) = setting.matrix.privacy_reasons.iter().find(|m| m.id == reason)
    {
        warnings
            .push(Warning::new("mandate", format!("{}: {}", mandate.title, mandate.note)).about("privacy"));
    }
    if let Some(tokens) = setting.need.tokens_per_month() {
        let given = setting.need.answers.volume;
        let meant = verdict::volume_of(setting.matrix, tokens);
        let high = crate::workload::Volume::High;
        if (given == high) != (meant == high) {
            warnings.push(
                Warning::new(
                    "volume-answer-disagrees",
                    format!(
                        "{} tokens a month are {} the brief's line of {} for high volume, but the answer is \"{}\". \
                         `freehold breakeven` settles it.",
                        number::short(tokens),
                        if meant == high { "above" } else { "below" },
                        number::short(setting.matrix.volume.high_tokens_per_month),
                        given.key(),
                    ),
                )
                .about("volume"),
            );
        }
    }
    for target in setting.evidence.iter().flat_map(|e| e.stand_ins()) {
        warnings.push(
            Warning::new(
                "stand-in",
                format!(
                    "{}: {} was a stand-in for a cloud API: what it did says nothing about a provider.",
                    setting.evidence.map_or("", |e| e.file.as_str()),
                    target.id
                ),
            )
            .about(target.id.clone()),
        );
    }
    if let Some(q) = verdict.quality.as_ref() {
        let id = match q.standing {
            QualityStanding::StandIn => Some("quality-against-stand-in"),
            QualityStanding::Undecided => Some("quality-undecided"),
            _ => None,
        };
        if let Some(id) = id {
            warnings.push(Warning::new(id, text::quality(q)).about("capability"));
        }
    }
    if let Some(c) = verdict.cost.as_ref().filter(|c| c.standing == CostStanding::Contested) {
        warnings.push(Warning::new("cost-contested", text::cost(c)).about("volume"));
    }
    if let Some(Source::Database { entry, as_of, .. }) = models.api.as_ref().map(|a| &a.source)
        && (setting.today - *as_of).get_days() > 90
    {
        warnings.push(
            Warning::new("prices-older-than-90-days", format!("The price of {entry} was read on {as_of}."))
                .about(entry.clone()),
        );
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::{client, target};
    use crate::advise::{Guide, Placement};
    use crate::catalog::{ApiWire, Catalog};

    /// A recipe for an API reaches the service that sells the model, with that service's key and client.
    #[test]
    fn a_recipe_reaches_the_provider_of_its_model() {
        let (catalog, guide) = (Catalog::embedded(), Guide::shipped());
        let mut others = 0;
        for model in &catalog.api_models {
            let target = target(&catalog, model);
            let (service, asked) = target.split_once(':').expect("a service");
            assert!(catalog.provider(service).is_some(), "{target}");
            assert!(asked.starts_with(&model.model), "{target}");
            let Some(provider) = catalog.provider_of(model) else {
                assert!(target.ends_with("@BASE_URL"), "{target}");
                continue;
            };
            let own = guide.recipes(Placement::Cloud, Some(&model.provider));
            let of_provider = own.iter().any(|r| r.provider.is_some());
            assert_eq!(provider.wire == ApiWire::OpenAiChat, !of_provider, "{}", model.id);
            if of_provider || model.provider == "openai" {
                continue;
            }
            let (client, key) = (client(Some(provider)), provider.key_variable.as_deref());
            let address = provider.address().unwrap_or_else(|| "BASE_URL".to_owned());
            assert!(client.contains(&address) && key.is_some_and(|k| client.contains(k)), "{client}");
            others += 1;
        }
        assert!(others > 100, "{others}");
    }
}
