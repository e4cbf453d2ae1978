//! Splits records of several models into several needs: one for each recorded model, with the open model
//! that replaces it.

use super::FromUsage;
use crate::app::Refusal;
use crate::catalog::device::model_of_file;
use crate::catalog::{Catalog, OpenModel};
use crate::cost::Scenario;
use crate::cost::keys::local;
use crate::document::usage::{ModelNeedRow, SizeRow};
use crate::number::percent;
use crate::provenance::UserInput;
use crate::spelling::nearest;
use crate::workload::keys::{Key, need};
use crate::workload::{Fields, Given, Range, Value};

/// Most models that are planned separately.
const MOST: usize = 16;

/// `claude-haiku-4-5=qwen3-8b`: a model as the records name it, and the open model in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replace {
    recorded: String,
    open: String,
}

impl Replace {
    /// Reads the value of a flag.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        match text.split_once('=').map(|(recorded, open)| (recorded.trim(), open.trim())) {
            Some((recorded, open)) if !recorded.is_empty() && !open.is_empty() => {
                Ok(Self { recorded: recorded.to_owned(), open: open.to_owned() })
            }
            _ => Err(Refusal::input(format!("--replace {text}: must be RECORDED=MODEL"))
                .hint("for example --replace claude-haiku-4-5=qwen3-8b")),
        }
    }
}

impl FromUsage {
    /// Replaces the one need for all by one for each recorded model. A model that `replace` does not name
    /// is replaced by the scenario's own, else by the open model of the same name. Nothing changes where
    /// there is only one model, or no `replace` beside the scenario's own. `true` where it was split.
    pub fn split(
        &self,
        scenario: &mut Scenario,
        replace: &[Replace],
        catalog: &Catalog,
    ) -> Result<bool, Refusal> {
        let rest = scenario.local.first().and_then(|l| l.get(local::MODEL.name)).cloned();
        let models = &self.usage.need.models;
        if replace.is_empty() && rest.is_some() {
            return Ok(false);
        }
        let named = self.places(replace, catalog)?;
        let mut parts: Vec<(usize, &ModelNeedRow, Given)> = Vec::new();
        let mut without = Vec::new();
        for (n, model) in models.iter().enumerate() {
            match named[n].clone().or_else(|| rest.clone()) {
                Some(given) => parts.push((n, model, given)),
                None => without.push(model),
            }
        }
        // All recorded models are closed ones: the usual question asks which open model to use.
        if parts.is_empty() {
            return Ok(false);
        }
        if !without.is_empty() {
            let names: Vec<String> = without
                .iter()
                .take(5)
                .map(|m| format!("{} ({} of the tokens)", m.name, percent(m.share_of_tokens)))
                .collect();
            return Err(Refusal::input(format!(
                "--usage: which open model takes the place of {}?",
                names.join(", ")
            ))
            .hint("--replace RECORDED=MODEL says it for one, --model for all that are not named"));
        }
        if parts.len() > MOST {
            return Err(Refusal::input(format!(
                "--replace: the records are of {} models; at most {MOST} can be planned one by one",
                parts.len()
            ))
            .hint("--model alone takes all of them as one need"));
        }
        if let [(_, _, only)] = parts.as_slice() {
            to_one(scenario, only);
            return Ok(false);
        }
        for key in [need::REQUESTS_PER_MONTH, need::TOKENS_PER_MONTH, need::INPUT_TOKENS, need::OUTPUT_TOKENS]
        {
            if scenario.need.get(key.name).is_some_and(|given| !self.is_ours(given)) {
                return Err(Refusal::input(format!(
                    "{}: the records say it for each model; one number for all contradicts them",
                    key.path()
                )));
            }
        }
        let base = scenario.local.first().cloned().unwrap_or_default();
        let mut needs: Vec<Fields> = Vec::new();
        let mut locals: Vec<Fields> = Vec::new();
        for (n, model, open) in parts {
            needs.push(self.part(&scenario.need, n, model)?);
            let mut fields = base.clone();
            fields.insert(local::MODEL.name, open);
            locals.push(fields);
        }
        scenario.need = needs.remove(0);
        scenario.further_needs = needs;
        scenario.local = locals;
        Ok(true)
    }

    /// The open model for each recorded one, where it is known.
    fn places(&self, replace: &[Replace], catalog: &Catalog) -> Result<Vec<Option<Given>>, Refusal> {
        let models = &self.usage.need.models;
        for Replace { recorded, open } in replace {
            if !models.iter().any(|m| &m.name == recorded) {
                let names = || models.iter().map(|m| m.name.as_str());
                let near = nearest(recorded, names(), 3);
                let shown = if near.is_empty() {
                    names().take(5).collect::<Vec<_>>().join(", ")
                } else {
                    near.join(", ")
                };
                return Err(Refusal::input(format!("--replace: the records have no model `{recorded}`"))
                    .hint(format!("they have {shown}")));
            }
            if catalog.open_model(open).is_none() {
                let near = nearest(open, catalog.open_models.iter().map(|m| m.id.as_str()), 3);
                let error =
                    Refusal::input(format!("--replace {recorded}={open}: no open model is named `{open}`"));
                return Err(if near.is_empty() {
                    error.hint("`freehold db list` shows all of them")
                } else {
                    error.hint(format!("did you mean {}?", near.join(", ")))
                });
            }
        }
        let text = |id: &str, source| Given { value: Value::Text(id.to_owned()), source };
        let place = |(n, model): (usize, &ModelNeedRow)| {
            if let Some(said) = replace.iter().rev().find(|r| r.recorded == model.name) {
                return Some(text(&said.open, crate::provenance::Source::User(UserInput::flag("--replace"))));
            }
            let own: Option<&OpenModel> =
                catalog.open_model(&model.name).or_else(|| model_of_file(catalog, &model.name));
            own.map(|own| text(&own.id, self.from(&format!("result.need.models.{n}.name"))))
        };
        Ok(models.iter().enumerate().map(place).collect())
    }

    /// The need of one model: what is known of its requests, and what holds for all.
    fn part(&self, all: &Fields, n: usize, model: &ModelNeedRow) -> Result<Fields, Refusal> {
        let uncounted = || {
            Refusal::input(format!(
                "--replace: the records do not count the requests of {}: models cannot be told apart",
                model.name
            ))
            .hint("--model alone takes all of them as one need")
        };
        let requests = model.requests_per_month.filter(|r| *r > 0.0).ok_or_else(uncounted)?;
        let shape = model.shape.filter(|s| s.total_tokens() > 0.0).ok_or_else(uncounted)?;
        let mut fields = all.clone();
        // Sizes are those of all models together.
        for key in [need::SIZES, need::TOKENS_PER_MONTH, need::INPUT_SHARE, need::CONTEXT_TOKENS] {
            if fields.get(key.name).is_some_and(|given| self.is_ours(given)) {
                fields.remove(key.name);
            }
        }
        let mut put = |key: &'static Key, value: Option<f64>, path: &str| {
            let ours = fields.get(key.name).is_none_or(|given| self.is_ours(given));
            if let Some(value) = value.filter(|_| ours) {
                let source = self.from(&format!("result.need.models.{n}.{path}"));
                fields.insert(key.name, Given { value: Value::Number(Range::exactly(value)), source });
            }
        };
        put(need::REQUESTS_PER_MONTH, Some(requests), "requests_per_month");
        put(need::INPUT_TOKENS, Some(shape.input_tokens), "shape.input_tokens");
        put(need::OUTPUT_TOKENS, Some(shape.output_tokens), "shape.output_tokens");
        let reasoning = self.usage.stated.reasoning.then_some(shape.reasoning_tokens);
        put(need::REASONING_TOKENS, reasoning, "shape.reasoning_tokens");
        let cached = self.usage.need.cached_share.map(|_| shape.cached_input_share);
        put(need::CACHED_INPUT_SHARE, cached, "shape.cached_input_share");
        put(need::CONTEXT_TOKENS, long(&model.sizes), "sizes");
        let name = Given {
            value: Value::Text(model.name.chars().take(200).collect()),
            source: self.from(&format!("result.need.models.{n}.name")),
        };
        fields.insert(need::NAME.name, name);
        Ok(fields)
    }

    /// Was the value filled in from these records?
    fn is_ours(&self, given: &Given) -> bool {
        self.need.values().any(|own| own.source == given.source)
    }
}

/// Plans all requests on one model.
fn to_one(scenario: &mut Scenario, open: &Given) {
    if scenario.local.is_empty() {
        scenario.local.push(Fields::new());
    }
    scenario.local[0].insert(local::MODEL.name, open.clone());
}

/// 95th percentile of the tokens of a request; `None` where sizes are not known.
fn long(sizes: &[SizeRow]) -> Option<f64> {
    if sizes.len() < 2 {
        return None;
    }
    let tokens = |s: &SizeRow| {
        s.input + s.cache_read + s.cache_write_5m + s.cache_write_1h + s.cache_write_other + s.output
    };
    let mut all: Vec<(f64, f64)> = sizes.iter().map(|s| (tokens(s), s.share)).collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut below = 0.0;
    let reached = all.iter().find(|(_, share)| {
        below += share;
        below >= 0.95 - 1e-9
    });
    reached.or(all.last()).map(|(tokens, _)| *tokens)
}
