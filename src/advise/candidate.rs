//! Examples from the catalogue for a verdict: an API model, an open model, hardware. They are starting
//! points and not recommendations: tiers are coarse, and prices and specifications are dated.

use super::matrix::CapabilityTier;
use crate::capacity::{
    HardwareShape, Load, Memory, ModelShape, Placement, Quantisation, layout, usual_formats,
};
use crate::catalog::{Accelerator, ApiModel, Catalog, HardwareClass, OpenModel};
use crate::price::{Schedule, Usage};
use crate::workload::RequestShape;
use jiff::civil::Date;

/// The request shape that is assumed if none is given: three input tokens for each output token.
const ASSUMED_SHAPE: RequestShape = RequestShape {
    input_tokens: 750.0,
    cached_input_share: 0.0,
    output_tokens: 250.0,
    reasoning_tokens: 0.0,
    input_tokens_p95: None,
    output_tokens_p95: None,
};

/// The request shape, or the assumed one if there is none.
pub fn shape_or_assumed(shape: Option<RequestShape>) -> RequestShape {
    shape.unwrap_or(ASSUMED_SHAPE)
}

/// An API model, with the cost of one request of the need at list price.
#[derive(Debug, Clone, PartialEq)]
pub struct ApiCandidate<'a> {
    pub model: &'a ApiModel,
    pub usd_per_request: f64,
    /// The request shape is assumed.
    pub assumed_shape: bool,
}

/// The cheapest current model of the makers, of at least this tier and with a price on this day; if no
/// maker has one, the cheapest of all providers.
pub fn api<'a>(
    catalog: &'a Catalog,
    makers: &[String],
    tiers: CapabilityTier,
    shape: Option<RequestShape>,
    today: Date,
) -> Option<ApiCandidate<'a>> {
    let asked = shape.unwrap_or(ASSUMED_SHAPE);
    let strong = |m: &&ApiModel| m.tier.is_some_and(|t| t <= tiers.cloud);
    let priced = |m: &'a ApiModel| Some((m, list_price(m, &asked, today)?));
    let cheapest = |models: Vec<&'a ApiModel>| {
        models.into_iter().filter_map(priced).min_by(|(_, a), (_, b)| a.total_cmp(b))
    };
    let of_makers = (1..=tiers.cloud).flat_map(|tier| current(catalog, makers, tier, today)).collect();
    let served = || catalog.api_models.iter().filter(strong).filter(|m| serves(m, today)).collect();
    let (model, usd_per_request) = cheapest(of_makers).or_else(|| cheapest(served()))?;
    Some(ApiCandidate { model, usd_per_request, assumed_shape: shape.is_none() })
}

fn serves(model: &ApiModel, today: Date) -> bool {
    model.retires.is_none_or(|day| day > today)
}

/// Each maker's newest model of the tier that has a price, cheapest first. The newest is the one with the
/// highest version in its name, and the cheapest of several; a model that will be retired is only taken if
/// there is no other.
pub fn current<'a>(catalog: &'a Catalog, makers: &[String], tier: u8, today: Date) -> Vec<&'a ApiModel> {
    let of_another =
        |m: &ApiModel| makers.iter().any(|o| *o != m.provider && m.model.starts_with(o.as_str()));
    let price = |m: &ApiModel| list_price(m, &ASSUMED_SHAPE, today).unwrap_or(f64::MAX);
    let newest = |maker: &String| {
        catalog
            .api_models
            .iter()
            .filter(|m| m.tier == Some(tier) && m.provider == *maker && serves(m, today) && !of_another(m))
            .filter(|m| list_price(m, &ASSUMED_SHAPE, today).is_some())
            .min_by(|a, b| {
                let version = |m: &ApiModel| version(m.name.as_deref().unwrap_or(&m.model));
                (a.retires.is_some().cmp(&b.retires.is_some()))
                    .then(version(b).total_cmp(&version(a)))
                    .then(price(a).total_cmp(&price(b)))
            })
    };
    let mut found: Vec<&ApiModel> = makers.iter().filter_map(newest).collect();
    found.sort_by(|a, b| price(a).total_cmp(&price(b)));
    found
}

/// Year and month in an id: `gpt-4o-2024-08-06`, `claude-haiku-4-5-20251001`, `command-r7b-12-2024`,
/// `mistral-large-2512`; `None` where it contains none.
pub fn dated(id: &str) -> Option<(i16, i8)> {
    let words: Vec<&str> = id.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    let number =
        |text: &str| text.bytes().all(|c| c.is_ascii_digit()).then(|| text.parse::<i32>().ok()).flatten();
    let month = |year: i32, month: i32| {
        let plausible = (2020..2100).contains(&year) && (1..=12).contains(&month);
        plausible.then(|| Some((i16::try_from(year).ok()?, i8::try_from(month).ok()?))).flatten()
    };
    let in_pair = words.windows(2).find_map(|pair| {
        let (a, b) = (number(pair[0])?, number(pair[1])?);
        if pair[0].len() == 4 { month(a, b) } else { month(b, a) }
    });
    in_pair.or_else(|| {
        words.iter().find_map(|word| {
            let n = number(word)?;
            match word.len() {
                8 => month(n / 10_000, n / 100 % 100),
                4 if n / 100 >= 23 => month(2000 + n / 100, n % 100),
                _ => None,
            }
        })
    })
}

/// The version in a name: `Grok 4.7`, `Kimi K3.1 Pro`, `GLM-4.5V`; 0 where it contains none. Sizes (`24B`,
/// `8x22B`) and dates (`2512`, `03-2025`) are not versions.
fn version(name: &str) -> f64 {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric() && c != '.');
    let is_year_or_day = |w: &&str| w.len() >= 4 && w.bytes().all(|c| c.is_ascii_digit());
    words
        .take_while(|w| !is_year_or_day(w))
        .filter(|w| !(w.ends_with(['b', 'B']) || w.len() > 1 && w.starts_with('0') && !w.contains('.')))
        .filter_map(|w| {
            let digits = w.trim_start_matches(|c: char| c.is_ascii_alphabetic());
            let end = digits.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(digits.len());
            digits[..end].parse::<f64>().ok()
        })
        .filter(|v| *v < 20.0)
        .fold(0.0, f64::max)
}

/// Cost of the mean request of a need, US dollars: with caching and context tiers, without batch prices,
/// evenly over the day. `None` for a free model, since a free tier is nothing to build on.
pub fn list_price(model: &ApiModel, shape: &RequestShape, today: Date) -> Option<f64> {
    let period = model.price_on(today).filter(|p| p.currency == "USD" && !p.free)?;
    // Both input and output need a price, even if this request has only one of them.
    let priced = period.rates.input_per_mtok.is_some() && period.rates.output_per_mtok.is_some();
    let cached = if period.rates.cache_read_per_mtok.is_some() { shape.cached_input_share } else { 0.0 };
    let usage =
        Usage::of_shares(shape.input_tokens, cached, 0.0, shape.output_tokens, shape.reasoning_tokens);
    let charge = Schedule::of(period, model.reasoning, 1.0).expected(&usage, None, 0.0).ok();
    charge.filter(|_| priced).map(|c| c.total())
}

/// The newest open model of the tier, or of the nearest better one, and the smallest of several. Only
/// models whose memory and speed can be predicted, because the next step is `freehold fit`.
pub fn open(catalog: &Catalog, tiers: CapabilityTier) -> Option<&OpenModel> {
    let of_tier = |tier: u8| {
        catalog
            .open_models
            .iter()
            .filter(move |m| m.tier == Some(tier) && m.repository.is_some())
            .filter(|m| ModelShape::from_catalogue(m).is_ok())
            .max_by(|a, b| {
                // `released` is an ISO date, so that text order is time order.
                a.released.cmp(&b.released).then(b.parameters.cmp(&a.parameters))
            })
    };
    (1..=tiers.local).rev().find_map(of_tier)
}

/// Hardware that a model fits into, and how many are needed.
#[derive(Debug, Clone, PartialEq)]
pub struct HardwareCandidate<'a> {
    pub accelerator: &'a Accelerator,
    pub count: u32,
    /// Memory for weights, the KV cache of one sequence, buffers and a margin, GiB, with weights in
    /// `format`.
    pub needed_gib: f64,
    /// The smallest of the usual weight formats.
    pub format: &'static str,
}

/// The memory that a model needs on this many cards in the smallest of the usual weight formats, as
/// computed by `fit`. `None` where too little is known of the model or the card.
pub fn memory(model: &OpenModel, card: &Accelerator, count: u32) -> Option<(&'static Quantisation, Memory)> {
    let model = ModelShape::from_catalogue(model).ok()?;
    let hardware = HardwareShape::from_accelerator(card, count).ok()?;
    let format = usual_formats(&model, &hardware).pop()?;
    Some((format, layout(&model, &hardware, format, &Load::default())))
}

const GIB: f64 = 1_073_741_824.0;

/// Numbers of accelerators of a class that are put into one machine.
const fn counts(class: HardwareClass) -> &'static [u32] {
    match class {
        HardwareClass::Consumer => &[1, 2],
        HardwareClass::Workstation => &[1, 2, 4],
        _ => &[1, 2, 4, 8],
    }
}

/// The smallest hardware that holds the model: consumer cards before workstation cards before data-centre
/// ones.
pub fn hardware<'a>(catalog: &'a Catalog, model: &OpenModel) -> Option<HardwareCandidate<'a>> {
    catalog
        .accelerators
        .iter()
        .filter(|a| {
            matches!(
                a.class,
                HardwareClass::Consumer | HardwareClass::Workstation | HardwareClass::Datacentre
            ) && !a.price.is_empty()
        })
        .filter_map(|a| {
            let holds = |count: &u32| {
                let (format, memory) = memory(model, a, *count)?;
                (memory.placement == Placement::Fits).then(|| HardwareCandidate {
                    accelerator: a,
                    count: *count,
                    needed_gib: memory.needed / GIB,
                    format: format.id,
                })
            };
            counts(a.class).iter().find_map(holds)
        })
        .min_by(|a, b| {
            let memory = |c: &HardwareCandidate| f64::from(c.count) * c.accelerator.memory_gib.unwrap_or(0.0);
            a.accelerator
                .class
                .cmp(&b.accelerator.class)
                .then(a.count.cmp(&b.count))
                .then(memory(a).total_cmp(&memory(b)))
                .then(b.accelerator.released.cmp(&a.accelerator.released))
        })
}

#[cfg(test)]
mod tests {
    use super::{dated, memory, version};
    use crate::capacity::{CannotPredict, HardwareShape, Load, ModelShape, predict};
    use crate::catalog::Catalog;

    /// There is only one formula: the memory that the verdict names equals that of `fit`, for every pair.
    #[test]
    #[allow(clippy::float_cmp, reason = "the same computation")]
    fn a_model_takes_the_same_memory_here_and_in_fit() {
        let catalog = Catalog::embedded();
        let mut pairs = 0;
        for model in &catalog.open_models {
            for card in &catalog.accelerators {
                let Some((format, here)) = memory(model, card, 1) else { continue };
                let shape = ModelShape::from_catalogue(model).expect("known");
                let hardware = HardwareShape::from_accelerator(card, 1).expect("known");
                let (needed, usable) = match predict(&shape, &hardware, format, &Load::default()) {
                    Ok(there) => (there.memory.needed, there.memory.usable),
                    Err(CannotPredict::DoesNotFit { needed, usable, .. }) => (needed, usable),
                    Err(CannotPredict::Unknown(_)) => continue,
                };
                assert_eq!((here.needed, here.usable), (needed, usable), "{} on {}", model.id, card.id);
                pairs += 1;
            }
        }
        assert!(pairs > 10_000, "{pairs}");
    }

    #[test]
    fn an_id_tells_its_month() {
        for (id, told) in [
            ("openai/gpt-4o-2024-08-06", Some((2024, 8))),
            ("anthropic/claude-haiku-4-5-20251001", Some((2025, 10))),
            ("cohere/command-r7b-12-2024", Some((2024, 12))),
            ("mistral/mistral-large-2512", Some((2025, 12))),
            ("openai/gpt-6-luna", None),
            ("meta/llama-4-scout-17b-16e-instruct", None),
            ("qwen/qwen3-235b-a22b-2507", Some((2025, 7))),
        ] {
            assert_eq!(dated(id), told, "{id}");
        }
    }

    #[test]
    #[allow(clippy::float_cmp, reason = "read, not computed")]
    fn a_name_tells_its_version() {
        for (name, told) in [
            ("Grok 4.20", 4.2),
            ("kimi-k3.1-pro-highspeed", 3.1),
            ("GLM-4.5V", 4.5),
            ("gpt-5.2-pro-2025-12-11", 5.2),
            ("Mistral Small 3.2 24B", 3.2),
            ("Ministral 8B 24.10", 0.0),
            ("Mixtral 8x22B Instruct", 0.0),
            ("command-a-03-2025", 0.0),
            ("Gemini 4 Argon", 4.0),
            ("", 0.0),
        ] {
            assert_eq!(version(name), told, "{name}");
        }
    }
}
