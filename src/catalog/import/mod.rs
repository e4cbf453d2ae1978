//! Imports API models from price files that other projects maintain.
//!
//! ```text
//! file text ─► serde types of that format ─► one ApiModel per dated model ─► compare, check, write
//!                                        └─► Skipped: what could not be taken over, and why
//! ```
//!
//! A file is only data: addresses in it are kept as names of sources and never called. Figures are
//! converted to US dollars per million tokens, and otherwise left as they are.
//!
//! Every record is read by itself. An odd one is left out with its [`Reason`], and the others are taken
//! over. A record whose price has steps of an unknown kind is left out, too, because its base price alone
//! would be too low.

mod entries;
mod genai_prices;
mod litellm;
mod models_dev;
pub mod names;
mod number;
mod openrouter;
mod taken;

pub use taken::{Imported, Origin, Reason, Skipped};

use super::text::Problem;
use serde_json::Value;

/// Longest price file that is read, in bytes (the largest known has 3.2 MB).
pub const MAX_FILE_BYTES: u64 = 32 * 1024 * 1024;

/// The formats that can be imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `data.json` of pydantic/genai-prices.
    GenaiPrices,
    /// `model_prices_and_context_window.json` of BerriAI/litellm.
    Litellm,
    /// `api.json` of models.dev.
    ModelsDev,
    /// The response of `OpenRouter`'s models endpoint.
    OpenRouter,
}

impl Format {
    /// Every format, in the order in which help lists them.
    pub const ALL: [Self; 4] = [Self::GenaiPrices, Self::Litellm, Self::ModelsDev, Self::OpenRouter];
    /// The name on the command line: `genai-prices`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::GenaiPrices => "genai-prices",
            Self::Litellm => "litellm",
            Self::ModelsDev => "models.dev",
            Self::OpenRouter => "openrouter",
        }
    }
    /// The format with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|f| f.name() == name)
    }
}

/// Read a file.
///
/// # Errors
///
/// Where the file is not of this format; the problem names the line, the column, and the format it seems to
/// have.
pub fn read(format: Format, text: &str, origin: &Origin) -> Result<Imported, Problem> {
    // Some Windows tools put a byte order mark at the beginning of files.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if let Some(other) = recognised(text).filter(|found| *found != format) {
        let what = format!("this looks like a file of {}", other.name());
        let expected = format!("a file of {} (`--from {}` reads this one)", format.name(), other.name());
        return Err(Problem::at(&origin.file, text, 0..0, what, expected));
    }
    let mut imported = match format {
        Format::GenaiPrices => genai_prices::read(text, origin),
        Format::Litellm => litellm::read(text, origin),
        Format::ModelsDev => models_dev::read(text, origin),
        Format::OpenRouter => openrouter::read(text, origin),
    }
    .map_err(|e| json_problem(&origin.file, text, &e))?;
    imported.models.sort_by(|a, b| a.id.cmp(&b.id));
    let skipped = &mut imported.skipped;
    imported.models.dedup_by(|later, first| {
        let twice = later.id == first.id;
        if twice {
            skipped.push(Skipped { id: later.id.clone(), reason: Reason::Twice });
        }
        twice
    });
    Ok(imported)
}

/// The format that a text seems to have; `None` where it is none of them, or not JSON.
fn recognised(text: &str) -> Option<Format> {
    let value: Value = serde_json::from_str(text).ok()?;
    let list_of = |value: &Value, field: &str| {
        let first = value.as_array().and_then(|items| items.first());
        first.is_some_and(|item| item.get(field).is_some())
    };
    if list_of(&value, "models") {
        return Some(Format::GenaiPrices);
    }
    if value.get("data").is_some_and(|data| list_of(data, "pricing")) {
        return Some(Format::OpenRouter);
    }
    let entries: Vec<&Value> = value.as_object()?.values().filter(|v| v.is_object()).collect();
    let all = |of: fn(&Value) -> bool| !entries.is_empty() && entries.iter().all(|e| of(e));
    let any = |of: fn(&Value) -> bool| entries.iter().any(|e| of(e));
    if all(|provider| provider.get("models").is_some_and(Value::is_object)) {
        return Some(Format::ModelsDev);
    }
    let litellm =
        any(|model| model.get("litellm_provider").is_some() || model.get("input_cost_per_token").is_some());
    litellm.then_some(Format::Litellm)
}

fn json_problem(file: &str, text: &str, error: &serde_json::Error) -> Problem {
    let message = error.to_string();
    let message = message.split(" at line ").next().unwrap_or_default();
    let (what, expected) = message.split_once(", expected ").unwrap_or((message, ""));
    // serde_json reports where it stopped reading, which is the end of the value that it refused.
    let line_start: usize =
        text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    let at = (line_start + error.column().saturating_sub(1)).min(text.len());
    Problem::at(file, text, at..at + 1, what, expected)
}
