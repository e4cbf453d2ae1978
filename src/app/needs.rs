//! Derives a need from records of usage: values for the keys of a need, each with its place in the
//! document, filled into scenarios and drafts where the user has not given them.
//!
//! What the records cannot know is not filled in; [`FromUsage::gaps`] says what that is and why.

mod several;
mod today;

pub use several::Replace;

use crate::catalog::Catalog;
use crate::cost::Scenario;
use crate::cost::keys::{cloud, hybrid};
use crate::document::breakeven::BreakevenDocument;
use crate::document::envelope::Warning;
use crate::document::usage::{MissingRow, NeedRow, SizeRow, UsageDocument, UsageResult};
use crate::number::percent;
use crate::provenance::{FileRole, Source, UserInput};
use crate::workload::given::RequestSize;
use crate::workload::keys::{Key, need};
use crate::workload::{Fields, Given, NeedDraft, Range, Value};

/// Id of the warning where records are of several models.
const SEVERAL_MODELS: &str = "usage-several-models";

/// A need derived from records.
#[derive(Debug, Clone)]
pub struct FromUsage {
    /// The document or the records, as the user named them.
    pub file: String,
    /// What the records add up to.
    pub usage: UsageResult,
    /// Keys of `[need]`.
    pub need: Fields,
    /// Load by hour of the week.
    pub profile: Option<Given>,
    /// The model that most of the tokens went to, by its record in the catalogue.
    pub model: Option<Given>,
    /// What the records cannot know, one sentence each.
    pub gaps: Vec<String>,
    /// Warnings about the figures.
    pub warnings: Vec<Warning>,
}

/// A place in the document of the records.
fn place(file: &str, path: &str) -> Source {
    Source::User(UserInput::File {
        role: FileRole::Usage,
        file: file.to_owned(),
        line: None,
        key: path.to_owned(),
    })
}

/// The need in a document; `file` names it in sources.
pub fn of_usage(document: &UsageDocument, file: &str) -> FromUsage {
    let r = &document.result;
    let from = |path: &str| place(file, path);
    let mut fields = Fields::new();
    let mut put = |key: &'static Key, value: Option<f64>, path: &str| {
        if let Some(value) = value.filter(|v| v.is_finite()) {
            fields
                .insert(key.name, Given { value: Value::Number(Range::exactly(value)), source: from(path) });
        }
    };
    let n = &r.need;
    let requests = n.requests_per_month.filter(|m| m.value > 0.0);
    let shape = n.shape.filter(|s| s.total_tokens() > 0.0);
    if let Some(m) = requests {
        put(need::REQUESTS_PER_MONTH, Some(m.value), "result.need.requests_per_month.value");
    } else {
        let tokens = n.tokens_per_month.map(|m| m.value).filter(|v| *v > 0.0);
        put(need::TOKENS_PER_MONTH, tokens, "result.need.tokens_per_month.value");
    }
    if let Some(shape) = shape {
        put(need::INPUT_TOKENS, Some(shape.input_tokens), "result.need.shape.input_tokens");
        put(need::OUTPUT_TOKENS, Some(shape.output_tokens), "result.need.shape.output_tokens");
        let reasoning = r.stated.reasoning.then_some(shape.reasoning_tokens);
        put(need::REASONING_TOKENS, reasoning, "result.need.shape.reasoning_tokens");
        put(need::CONTEXT_TOKENS, n.context_tokens_p95, "result.need.context_tokens_p95");
    } else {
        let (prompt, output) = (r.totals.prompt() as f64, r.totals.output as f64);
        let share = (prompt + output > 0.0).then(|| prompt / (prompt + output));
        put(need::INPUT_SHARE, share, "result.totals");
    }
    // (With the mean alone, all requests would be below a long context's price, or all above it.)
    let sizes = sizes(n).filter(|_| shape.is_some());
    put(need::CACHED_INPUT_SHARE, n.cached_share, "result.need.cached_share");
    put(
        need::CACHE_WRITE_INPUT_SHARE,
        n.cache_write_share.filter(|s| *s > 0.0),
        "result.need.cache_write_share",
    );
    put(need::BATCH_SHARE, Some(n.batch_share).filter(|s| *s > 0.0), "result.need.batch_share");
    // The busiest hour of less than a day says nothing about a month.
    let scaled = n.requests_per_month.is_some() || n.tokens_per_month.is_some();
    let peak = r.peak.hour_to_mean.filter(|x| scaled && *x >= 1.0);
    put(need::PEAK_TO_MEAN, peak, "result.peak.hour_to_mean");
    if let Some(sizes) = sizes {
        let given = Given { value: Value::Sizes(sizes), source: from("result.need.sizes") };
        fields.insert(need::SIZES.name, given);
    }
    let profile = n.hour_of_week_utc.as_ref().filter(|h| scaled && h.len() == 168).map(|hours| Given {
        value: Value::Hours(hours.clone()),
        source: from("result.need.hour_of_week_utc"),
    });
    let model = n
        .models
        .iter()
        .find_map(|m| r.repriced.priced_as.get(&m.name))
        .map(|id| Given { value: Value::Text(id.clone()), source: from("result.repriced.priced_as") });
    FromUsage {
        file: file.to_owned(),
        usage: r.clone(),
        need: fields,
        profile,
        model,
        gaps: gaps(n),
        warnings: warnings(r),
    }
}

/// Requests that represent all, where they differ in size.
fn sizes(need: &NeedRow) -> Option<Vec<RequestSize>> {
    let one = |s: &SizeRow| {
        let written = s.cache_write_5m + s.cache_write_1h + s.cache_write_other;
        let prompt = s.input + s.cache_read + written;
        let of_prompt = |part: f64| if prompt > 0.0 { part / prompt } else { 0.0 };
        RequestSize {
            share: s.share,
            input_tokens: prompt,
            cached_input_share: of_prompt(s.cache_read),
            cache_write_input_share: of_prompt(written),
            output_tokens: (s.output - s.reasoning).max(0.0),
            reasoning_tokens: s.reasoning,
        }
    };
    let sizes: Vec<RequestSize> = need.sizes.iter().filter(|s| s.share > 0.0).map(one).collect();
    (2..=RequestSize::MOST).contains(&sizes.len()).then_some(sizes)
}

fn gaps(need: &NeedRow) -> Vec<String> {
    let why = |missing: MissingRow| match missing {
        MissingRow::NoTimes => "they do not say when",
        MissingRow::NoRequests => "a source does not count requests",
        MissingRow::OnlyBuckets => "they are sums over many requests",
        MissingRow::TooShort => "they cover less than a whole day",
        MissingRow::TooFewWeeks | MissingRow::IdleWeek | MissingRow::Nothing => "there are too few",
    };
    [
        (need.requests_missing, "how many requests a month there are (--requests-per-month)"),
        (need.shape_missing, "how large a request is (--input-tokens, --output-tokens)"),
    ]
    .into_iter()
    .filter_map(|(missing, what)| Some(format!("the records cannot say {what}: {}", why(missing?))))
    .collect()
}

fn warnings(r: &UsageResult) -> Vec<Warning> {
    let mut warnings = Vec::new();
    if let Some(m) = r.need.requests_per_month.or(r.need.tokens_per_month)
        && !m.whole_week
    {
        let days = if m.days == 1 { "1 whole day".to_owned() } else { format!("{} whole days", m.days) };
        let message = format!(
            "The month is scaled from {days} of records, and not every day of the week is among them."
        );
        warnings.push(Warning::new("usage-short", message));
    }
    if let Some(growth) = r.growth
        && growth.low > 0.0
    {
        let message = format!(
            "Use grew by {} a month ({} to {}). That is not extrapolated: --growth-per-month says how it goes on.",
            percent(growth.per_month),
            percent(growth.low),
            percent(growth.high)
        );
        warnings.push(Warning::new("usage-growth", message));
    }
    let named: Vec<String> = r
        .need
        .models
        .iter()
        .take(3)
        .map(|m| format!("{} ({} of the tokens)", m.name, percent(m.share_of_tokens)))
        .collect();
    if r.need.models.len() > 1 {
        let more = r.need.models.len().saturating_sub(3);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let message = format!(
            "The records are of {} models, {}{more}: every offer is priced as if one model served all of it.",
            r.need.models.len(),
            named.join(", ")
        );
        warnings.push(Warning::new(SEVERAL_MODELS, message));
    }
    warnings
}

impl FromUsage {
    fn from(&self, path: &str) -> Source {
        place(&self.file, path)
    }

    /// Warnings about a plan; `split`: each model was planned separately.
    pub fn warnings_of_plan(&self, split: bool) -> Vec<Warning> {
        let of_plan = |w: &Warning| {
            if w.id != SEVERAL_MODELS {
                return Some(w.clone());
            }
            let message = format!(
                "The records are of {} models: the plan serves all of their requests with one. --replace RECORDED=MODEL plans for each by itself.",
                self.usage.need.models.len()
            );
            (!split).then(|| Warning::new(SEVERAL_MODELS, message))
        };
        self.warnings.iter().filter_map(of_plan).collect()
    }

    /// Fills in what the user has not given. What contradicts something that was given is left out: a
    /// number of requests beside a number of tokens, a share beside tokens of a request, one peak beside
    /// another.
    pub fn fill(&self, scenario: &mut Scenario) {
        for (name, given) in self.beside(&scenario.need) {
            scenario.need.entry(name).or_insert(given);
        }
        if let Some(profile) = &self.profile {
            scenario.hybrid.entry(hybrid::PROFILE.name).or_insert_with(|| profile.clone());
        }
        if let (Some(model), true) = (&self.model, scenario.cloud.is_empty()) {
            scenario.cloud.push(Fields::from([(cloud::MODEL.name, model.clone())]));
        }
    }

    /// The fields that do not contradict what was given.
    fn beside(&self, said: &Fields) -> Fields {
        let has = |fields: &Fields, keys: &[&Key]| keys.iter().any(|k| fields.contains_key(k.name));
        let volume = [need::REQUESTS_PER_MONTH, need::TOKENS_PER_MONTH, need::AT_CAPACITY];
        let shape = [need::INPUT_TOKENS, need::OUTPUT_TOKENS, need::INPUT_SHARE];
        let peak = [need::PEAK_TO_MEAN, need::PEAK_REQUESTS_PER_SECOND];
        let (volume_said, peak_said) = (has(said, &volume), has(said, &peak));
        let share_said = has(said, &[need::INPUT_SHARE]);
        // A share of input matters only where the lengths of requests are not given.
        let counted = has(said, &[need::REQUESTS_PER_MONTH]) || has(said, &shape);
        let at_capacity = has(said, &[need::AT_CAPACITY]);
        let contradicts = |name: &str| {
            let is = |keys: &[&Key]| keys.iter().any(|k| k.name == name);
            (is(&volume) && volume_said)
                || (is(&peak) && (peak_said || at_capacity))
                || (is(&[need::INPUT_SHARE]) && counted)
                || (is(&[need::INPUT_TOKENS, need::OUTPUT_TOKENS, need::REASONING_TOKENS, need::SIZES])
                    && share_said)
                // The sizes are not those of other requests.
                || (is(&[need::SIZES, need::CONTEXT_TOKENS]) && has(said, &shape))
        };
        let kept = self.need.iter().filter(|(name, _)| !contradicts(name) && !said.contains_key(*name));
        kept.map(|(name, given)| (*name, given.clone())).collect()
    }

    /// Adds today's cost to a document. Where the records are of coding agents, seats of the same provider
    /// are shown beside it, for `people` people (default: one).
    pub fn add_to(&self, document: &mut BreakevenDocument, catalog: &Catalog, people: Option<u32>) {
        let today = today::of(&self.usage, &self.file, &document.result, catalog, people.unwrap_or(1));
        if people.is_some() && !today.options.iter().any(|o| o.kind == "seat") {
            let message = "--seats has no effect: the records are not of a coding agent whose provider sells seats for so many people.";
            document.warnings.push(Warning::new("seats-without-effect", message));
        }
        document.result.today = (!document.result.ranking).then_some(today);
        document.warnings.extend(self.warnings.iter().cloned());
    }

    /// The same for a draft of a need.
    #[must_use]
    pub fn complete(&self, draft: NeedDraft) -> NeedDraft {
        let more = NeedDraft::of(self.beside(draft.fields()));
        draft.or(more)
    }
}
