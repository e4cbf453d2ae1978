//! Examples from the catalogue for a verdict: an API model, an open model, hardware. Examples to
//! start from, not recommendations: tiers are coarse, prices and specifications are dated.

use super::matrix::CapabilityTier;
use crate::catalog::{Accelerator, ApiModel, Catalog, HardwareClass, OpenModel};
use crate::workload::RequestShape;
use jiff::civil::Date;

/// What a token mix is assumed to be while nobody says: three tokens in for one out.
const ASSUMED_SHAPE: RequestShape = RequestShape {
    input_tokens: 750.0,
    cached_input_share: 0.0,
    output_tokens: 250.0,
    reasoning_tokens: 0.0,
    input_tokens_p95: None,
    output_tokens_p95: None,
};

/// An API model and what one of the need's requests costs there at list price.
#[derive(Debug, Clone, PartialEq)]
pub struct ApiCandidate<'a> {
    pub model: &'a ApiModel,
    pub usd_per_request: f64,
    /// The request shape was assumed.
    pub assumed_shape: bool,
}

/// The cheapest API model of at least this tier that is served and priced on the day.
pub fn api(
    catalog: &Catalog,
    tiers: CapabilityTier,
    shape: Option<RequestShape>,
    today: Date,
) -> Option<ApiCandidate<'_>> {
    let asked = shape.unwrap_or(ASSUMED_SHAPE);
    catalog
        .api_models
        .iter()
        .filter(|m| m.tier.is_some_and(|t| t <= tiers.cloud))
        .filter(|m| m.retires.is_none_or(|day| day > today))
        .filter_map(|m| Some((m, list_price(m, &asked, today)?)))
        .min_by(|(_, a), (_, b)| a.total_cmp(b))
        .map(|(model, usd_per_request)| ApiCandidate {
            model,
            usd_per_request,
            assumed_shape: shape.is_none(),
        })
}

/// One request at list price, USD: no cache, no batch, no context tier. Nothing for a free model:
/// a free tier is no offer to build on.
pub fn list_price(model: &ApiModel, shape: &RequestShape, today: Date) -> Option<f64> {
    let price = model.price_on(today).filter(|p| p.currency == "USD" && !p.free)?;
    let (input, output) = (price.rates.input_per_mtok?, price.rates.output_per_mtok?);
    Some((shape.input_tokens * input + (shape.output_tokens + shape.reasoning_tokens) * output) / 1e6)
}

/// The open model of the tier (or the nearest better one) that computes least per token; among
/// equals the newest.
pub fn open(catalog: &Catalog, tiers: CapabilityTier) -> Option<&OpenModel> {
    let of_tier = |tier: u8| {
        catalog
            .open_models
            .iter()
            .filter(move |m| m.tier == Some(tier) && m.repository.is_some() && m.parameters.is_some())
            .max_by(|a, b| {
                // `released` is an ISO date: text order is time order.
                a.released.cmp(&b.released).then(b.parameters.cmp(&a.parameters))
            })
    };
    (1..=tiers.local).rev().find_map(of_tier)
}

/// Hardware a model's weights fit into, and how many.
#[derive(Debug, Clone, PartialEq)]
pub struct HardwareCandidate<'a> {
    pub accelerator: &'a Accelerator,
    pub count: u32,
    /// Weights at 4 bits with a fifth on top for cache and buffers, GiB.
    pub needed_gib: f64,
}

/// Bytes of one parameter at 4.5 bits, as a mixed 4-bit quantisation has it.
const BYTES_PER_PARAMETER: f64 = 4.5 / 8.0;
/// Cache and buffers on top of the weights.
const HEADROOM: f64 = 1.2;

/// How many of a class one would still put into one machine.
const fn counts(class: HardwareClass) -> &'static [u32] {
    match class {
        HardwareClass::Consumer => &[1, 2],
        HardwareClass::Workstation => &[1, 2, 4],
        _ => &[1, 2, 4, 8],
    }
}

/// The least that holds the model: consumer cards before workstation before data-centre ones.
pub fn hardware<'a>(catalog: &'a Catalog, model: &OpenModel) -> Option<HardwareCandidate<'a>> {
    let needed_gib = model.parameters? as f64 * BYTES_PER_PARAMETER * HEADROOM / (1u64 << 30) as f64;
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
            let memory = a.memory_gib.filter(|m| *m > 0.0)?;
            let count = counts(a.class).iter().copied().find(|n| f64::from(*n) * memory >= needed_gib)?;
            Some(HardwareCandidate { accelerator: a, count, needed_gib })
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
