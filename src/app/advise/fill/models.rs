//! The models and the machine of a decision: those of the chosen option, in the place of examples.

use super::decided::Decided;
use super::option_rows::api_model;
use crate::advise::Placement;
use crate::advise::candidate::{list_price, shape_or_assumed};
use crate::advise::options::Kind;
use crate::app::advise::given::Given;
use crate::app::advise::pricing::Behind;
use crate::capacity::{HardwareShape, Load, ModelShape, memory};
use crate::catalog::{Catalog, OpenModel};
use crate::cost::case::Blueprint;
use crate::document::advice::{HardwareExample, Models, Setting, api_example, open_example};
use crate::document::plan::PlanRow;
use crate::provenance::Source;
use crate::workload::keys::need;

const GIB: f64 = 1_073_741_824.0;

/// Puts the models that the chosen option is made of, and the hardware of its plan, in the place of examples.
pub(super) fn of_decision(setting: &Setting<'_>, decided: &Decided<'_>, models: &mut Models) {
    let (pricing, n) = (&decided.pricing, decided.choice.chosen);
    let kind = pricing.options[n].kind;
    let offer = |local: bool| match pricing.behind[n] {
        Behind::Offer(o) => Some(o),
        Behind::Split { pair, .. } => Some(if local { pair.local } else { pair.cloud }),
        Behind::Nothing => None,
    };
    models.hardware = None;
    let seat = offer(false).filter(|_| kind == Kind::Seats);
    let id = api_model(pricing, n).or_else(|| pricing.case.offers[seat?].id.clone());
    if let Some(model) = id.and_then(|id| setting.catalog.api_model(&id))
        && let Some(o) = offer(false)
    {
        let summary = &pricing.offers[o];
        let month = Some(summary.parts.api.get()).filter(|_| kind != Kind::Seats);
        let each = match month {
            Some(month) => Some(month / summary.requests_per_month.max(f64::MIN_POSITIVE)),
            None => list_price(model, &shape_or_assumed(setting.draft.shape()), setting.today),
        };
        let request = request_source(setting, "from the month's tokens");
        models.api = each.map(|each| api_example(model, each, month, request));
    }
    if kind.placement() == Placement::Cloud {
        return;
    }
    models.open = pricing.open.map(open_example);
    let plan = offer(true).and_then(|o| pricing.case.offers[o].plan.as_deref());
    if let (Some(plan), Some(open)) = (plan, pricing.open) {
        let machine = &plan.machine;
        models.hardware = Some(HardwareExample {
            id: machine.accelerator.clone(),
            name: machine.accelerator_name.clone(),
            count: plan.accelerators,
            memory_gib: memory_gib(setting.catalog, &machine.accelerator, plan.accelerators),
            needed_gib: needed_bytes(plan, open, pricing.context_tokens) / GIB,
            source: machine.source.clone(),
        });
    }
}

/// The same for an option of a cost document. What the catalogue does not know is left empty.
pub(super) fn of_document(setting: &Setting<'_>, given: &Given, models: &mut Models) {
    let (row, placement) = (&given.rows[0], given.kind.placement());
    let api = given.api.as_ref().and_then(|api| {
        let model = setting.catalog.api_model(api.id.as_deref()?)?;
        let by_list = || list_price(model, &shape_or_assumed(setting.draft.shape()), setting.today);
        let each = api.usd_per_request.or_else(by_list)?;
        Some(api_example(
            model,
            each,
            api.usd_per_month,
            request_source(setting, "that of the cost document"),
        ))
    });
    models.api = api.filter(|_| placement != Placement::Local);
    let open = row.open_model.as_deref().and_then(|id| setting.catalog.open_model(id));
    models.open = open.filter(|_| placement != Placement::Cloud).map(open_example);
    models.hardware = row.plan.as_ref().and_then(|plan| hardware(setting.catalog, plan));
}

/// The hardware of a plan of a document.
fn hardware(catalog: &Catalog, plan: &PlanRow) -> Option<HardwareExample> {
    let model = catalog.open_model(&plan.model)?;
    let accelerator = catalog.accelerator(&plan.accelerator)?;
    let cite = accelerator.cite("memory_gib");
    let count = plan.accelerators;
    let (_, needed) = crate::advise::candidate::memory(model, accelerator, count)?;
    Some(HardwareExample {
        id: plan.accelerator.clone(),
        name: plan.accelerator_name.clone(),
        count,
        memory_gib: memory_gib(catalog, &plan.accelerator, count),
        needed_gib: needed.needed / GIB,
        source: Source::Database {
            entry: format!("gpu {}", accelerator.id),
            source: cite.source,
            as_of: cite.as_of,
        },
    })
}

fn memory_gib(catalog: &Catalog, accelerator: &str, count: u32) -> Option<f64> {
    catalog.accelerator(accelerator)?.memory_gib.map(|each| each * f64::from(count))
}

fn request_source(setting: &Setting<'_>, otherwise: &str) -> Source {
    let given = setting.draft.source(need::INPUT_TOKENS).cloned();
    given.unwrap_or_else(|| Source::assumed("need", otherwise))
}

/// Bytes of memory for all copies, each with one request of the longest that is planned: what `fit` says of
/// the same copy.
fn needed_bytes(plan: &Blueprint, open: &OpenModel, context_tokens: f64) -> f64 {
    let r = &plan.replica;
    let Ok(model) = ModelShape::from_catalogue(open) else {
        return r.weight_bytes * f64::from(plan.replicas);
    };
    let hardware = HardwareShape { backend: r.backend, ..plan.machine.slice(r.devices(), r.pipeline) };
    // A number of tokens, far below 2^53.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let tokens = context_tokens.ceil().max(1.0) as u64;
    let load = Load { kv: r.kv, ..Load::new(tokens, 1) };
    memory::fits(&model, &hardware, r.format, &load).needed * f64::from(plan.replicas)
}
