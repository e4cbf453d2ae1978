//! The targets of a run: what is known of an API before it is asked, its price included.

use super::asked::Asked;
use super::recorded::Recorded;
use crate::catalog::{ApiWire, Catalog, Provider};
use crate::document::bench::Kind;
use crate::document::bench::build::{Basis, TargetFacts};
use crate::document::bench::price::PriceInForce;
use crate::measure::wire::{LimitField, Quirks};
use jiff::civil::Date;

/// An API as the command line names it, and where it is.
#[derive(Debug, Clone, Copy)]
pub struct NamedApi<'a> {
    pub provider: &'a Provider,
    pub model: &'a str,
    pub origin: &'a str,
    /// Is that the provider's own server?
    pub own: bool,
    /// Is it on this machine?
    pub loopback: bool,
    /// The address of the proxy on the way.
    pub proxy: Option<&'a str>,
}

/// What is known of an API, and models of the provider with a similar name where this one is not in the
/// catalogue. Only a provider's own server has its prices.
pub fn facts(
    api: &NamedApi<'_>,
    asked: &Asked,
    catalog: &Catalog,
    today: Date,
) -> (TargetFacts, Vec<String>) {
    let NamedApi { provider, model, origin, own, loopback, proxy } = *api;
    // Ollama runs some of its models in its own cloud, through the same local port.
    let remote = provider.wire == ApiWire::Ollama && model.ends_with("cloud");
    let stand_in = asked.stand_in || (loopback && !remote);
    let prices = provider.prices.as_deref().filter(|_| own);
    let found = prices.and_then(|name| catalog.served_as(name, model));
    let price = found.filter(|_| !stand_in).and_then(|found| PriceInForce::on(found.model(), today));
    let near = match prices {
        Some(prices) if found.is_none() => near_names(catalog, prices, model),
        _ => Vec::new(),
    };
    let id = if own && provider.base_url.is_some() {
        format!("{}:{model}", provider.id)
    } else {
        format!("{}:{model}@{}", provider.id, origin.split("://").last().unwrap_or_default())
    };
    let facts = TargetFacts {
        id,
        kind: Kind::Api,
        model: model.to_owned(),
        stand_in,
        origin: Some(origin.to_owned()),
        price,
        engine: None,
        synthetic: Vec::new(),
        embedding: None,
        energy: None,
        remarks: Vec::new(),
        proxy: proxy.map(str::to_owned),
        note: provider.note.clone(),
        recorded_in: None,
        judge_form: None,
    };
    (facts, near)
}

fn near_names(catalog: &Catalog, provider: &str, model: &str) -> Vec<String> {
    let of_provider = catalog.api_models.iter().filter(|m| m.provider == provider);
    crate::spelling::nearest(model, of_provider.map(|m| m.model.as_str()), 3)
}

/// How an API's server differs from the rules of its wire format.
pub fn quirks(api: &NamedApi<'_>, asked: &Asked) -> Quirks {
    let NamedApi { provider, own, loopback, .. } = *api;
    let of_provider = match provider.limit_field {
        crate::catalog::LimitField::MaxTokens => LimitField::MaxTokens,
        crate::catalog::LimitField::MaxCompletionTokens => LimitField::MaxCompletionTokens,
    };
    Quirks {
        // Servers on this machine are mostly llama.cpp's; the others ignore the field.
        llama_server: provider.llama_server || (loopback && provider.wire != ApiWire::Ollama),
        limit_field: asked.limit_field.unwrap_or(of_provider),
        stream_options: provider.stream_options,
        // Only the provider itself is known to take the field that turns it off.
        obfuscates: provider.obfuscates && own,
        temperature: asked.api_greedy.then_some(0.0),
    }
}

/// The targets of a run, recorded ones after those that are asked. `began`: the basis of a resumed run; its
/// logs are not read again, since their answers are in the journal.
pub fn with_recorded(
    mut live: Vec<TargetFacts>,
    began: Option<&Basis>,
    logs: &[Recorded],
) -> Vec<TargetFacts> {
    if let Some(began) = began {
        live.extend(began.targets.iter().filter(|t| t.recorded_in.is_some()).cloned());
    } else {
        live.extend(logs.iter().map(|log| log.facts.clone()));
        distinct_ids(&mut live);
    }
    live
}

/// Makes the ids of targets distinct: two may be the same model (an A/A run).
pub fn distinct_ids(facts: &mut [TargetFacts]) {
    for n in 0..facts.len() {
        let earlier =
            facts[..n].iter().filter(|f| f.id.split('#').next() == facts[n].id.split('#').next()).count();
        if earlier > 0 {
            facts[n].id = format!("{}#{}", facts[n].id, earlier + 1);
        }
    }
}
