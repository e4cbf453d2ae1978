//! Makes the shipped price list: from one source, checked against a second one, by the rules in
//! `shipped_prices/rules.toml`. Every disagreement is listed with the decision.
//!
//! ```text
//! genai-prices ─► import ─┬─► choose (providers, what is left out) ─► link (open model, tier) ─► TOML
//! litellm ─────► import ─┘            └─► cross-check: agreements, disagreements + decisions ─► docs
//! ```

mod link;
mod rules;

use super::compare::{Change, changes};
use super::import::{Imported, names};
use super::{ApiModel, Catalog};
use crate::provenance::Cite;
use jiff::civil::Date;
use std::collections::BTreeMap;

pub use rules::{Rules, RulesError};

/// The shipped price list, and how it came about.
#[derive(Debug, Clone, Default)]
pub struct Shipped {
    /// Sorted by id.
    pub models: Vec<ApiModel>,
    /// Figures on which the two sources disagree.
    pub disagreements: Vec<Disagreement>,
    /// Numbers of models by provider.
    pub counts: BTreeMap<String, Count>,
    /// Models that a rule leaves out: reason → ids.
    pub left_out: BTreeMap<String, Vec<String>>,
    /// Models of a provider of open weights for which no open model was found.
    pub unlinked: Vec<String>,
}

/// Number of models of a provider, and how many the second source confirms.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// Models that are shipped.
    pub models: usize,
    /// Of these, models that the second source has, too.
    pub checked: usize,
    /// Of these, models whose input and output prices agree.
    pub agree: usize,
}

/// A figure on which the two sources disagree.
#[derive(Debug, Clone, PartialEq)]
pub struct Disagreement {
    /// The figure: the first source's value as the old one, the second's as the new one.
    pub change: Change,
    /// The second source's value is shipped.
    pub second_taken: bool,
    /// Why that value is shipped, in one sentence.
    pub reason: String,
}

/// Make the shipped list from the two imports, for this day. `catalog` has the open models.
pub fn ship(first: Imported, second: &Imported, rules: &Rules, catalog: &Catalog, day: Date) -> Shipped {
    let mut out = Shipped::default();
    let by_name: BTreeMap<(String, String), &ApiModel> =
        second.models.iter().map(|m| ((m.provider.clone(), m.model.clone()), m)).collect();
    let (moving, fixed): (Vec<_>, Vec<_>) =
        first.models.into_iter().partition(|m| names::is_moving(&m.model));
    for mut model in fixed {
        if !rules.is_shipped(&model.provider) {
            continue;
        }
        date_by(&mut model, &second.models, day);
        let checked = [&model.model]
            .into_iter()
            .chain(&model.aliases)
            .find_map(|name| by_name.get(&(model.provider.clone(), name.clone())))
            .copied();
        if let Some(reason) = leave_out(&model, checked, rules, day) {
            out.left_out.entry(reason).or_default().push(model.id);
            continue;
        }
        let count = out.counts.entry(model.provider.clone()).or_default();
        count.models += 1;
        if let Some(checked) = checked {
            count.checked += 1;
            let differ = cross_check(&mut model, checked, rules, day);
            let list_price =
                |d: &Disagreement| matches!(d.change.field.as_str(), "input_per_mtok" | "output_per_mtok");
            count.agree += usize::from(!differ.iter().any(list_price));
            out.disagreements.extend(differ);
        }
        rules.amend(&mut model);
        model.open_model = link::open_model(&model, rules, catalog);
        model.tier = link::tier(&model, rules, catalog);
        out.models.push(model);
    }
    let moving = moved_away(&mut out.models, &by_name, moving, day);
    attach_moving(&mut out, moving, rules, day);
    out.models.sort_by(|a, b| a.id.cmp(&b.id));
    out.models.dedup_by(|later, first| later.id == first.id);
    one_owner(&mut out.models);
    let unlinked = |m: &&ApiModel| m.open_model.is_none() && rules.serves_open_models(&m.provider);
    out.unlinked = out.models.iter().filter(unlinked).map(|m| m.id.clone()).collect();
    out.disagreements.sort_by(|a, b| (&a.change.id, &a.change.field).cmp(&(&b.change.id, &b.change.field)));
    out
}

/// Why a model is not shipped; `None` where it is.
fn leave_out(model: &ApiModel, checked: Option<&ApiModel>, rules: &Rules, day: Date) -> Option<String> {
    if model.price_on(day).is_none_or(|p| p.free) {
        return Some("free of charge: a trial, not an offer to plan with".to_owned());
    }
    if checked.and_then(|c| c.retires).is_some_and(|on| on <= day) {
        return Some("retired by its provider, says litellm".to_owned());
    }
    if checked.is_none() && rules.needs_check(&model.provider) {
        return Some("not in litellm, for providers whose retired models the first source keeps".to_owned());
    }
    rules.leave_out(&model.id).map(str::to_owned)
}

/// Give the model its dated id: where the first source has only an undated name, and the second has a dated
/// one at the same price, that becomes the record's name and the undated one its alias.
fn date_by(model: &mut ApiModel, second: &[ApiModel], day: Date) {
    if names::date_of(&model.model).is_some() {
        return;
    }
    let dated = second
        .iter()
        .filter(|m| m.provider == model.provider && names::date_of(&m.model).is_some())
        .filter(|m| {
            m.model.strip_prefix(&model.model).is_some_and(|rest| {
                rest.starts_with(['-', '@']) && rest[1..].chars().all(|c| c.is_ascii_digit() || c == '-')
            })
        })
        .filter(|m| changes(model, m, day).iter().all(|c| !is_list_price(&c.field)))
        .max_by_key(|m| names::date_of(&m.model));
    if let Some(dated) = dated {
        let undated = std::mem::replace(&mut model.model, dated.model.clone());
        model.aliases.retain(|a| *a != model.model);
        model.aliases.push(undated);
        // The id keeps a path only if it had one before.
        let short = !model.id[model.provider.len() + 1..].contains('/');
        let part = if short { model.model.rsplit('/').next().unwrap_or_default() } else { &model.model };
        model.id = format!("{}/{part}", model.provider);
    }
}

fn is_list_price(field: &str) -> bool {
    matches!(field, "input_per_mtok" | "output_per_mtok")
}

/// Add prices that the first source does not have, and list those on which the two disagree.
fn cross_check(model: &mut ApiModel, other: &ApiModel, rules: &Rules, day: Date) -> Vec<Disagreement> {
    let cite = Cite { source: other.source.clone(), as_of: other.as_of, derived: None };
    if model.max_output_tokens.is_none() && other.max_output_tokens.is_some() {
        model.max_output_tokens = other.max_output_tokens;
        model.cite.insert("max_output_tokens".to_owned(), cite.clone());
    }
    if model.context_tokens.is_none() && other.context_tokens.is_some() {
        model.context_tokens = other.context_tokens;
        model.cite.insert("context_tokens".to_owned(), cite.clone());
    }
    if other.retires.is_some() {
        model.retires = other.retires;
        model.cite.insert("retires".to_owned(), cite.clone());
    }
    let differ = changes(model, other, day);
    if !differ.iter().any(|c| is_list_price(&c.field)) {
        fill_prices(model, other, &cite, day);
    }
    differ
        .into_iter()
        // A figure that one source does not have is no disagreement.
        .filter(|c| c.old.is_some() && c.new.is_some())
        .map(|mut change| {
            change.id.clone_from(&model.id);
            let (second_taken, reason) = rules.decide(&change);
            if second_taken {
                take(model, &change, &cite, day);
            }
            Disagreement { change, second_taken, reason }
        })
        .collect()
}

/// Take batch and cache prices from the second source, where the list prices agree.
fn fill_prices(model: &mut ApiModel, other: &ApiModel, cite: &Cite, day: Date) {
    let Some(theirs) = other.price_on(day).cloned() else { return };
    let mut filled = Vec::new();
    let Some(ours) = in_force(model, day) else { return };
    if ours.batch_multiplier.is_none() && theirs.batch_multiplier.is_some() {
        ours.batch_multiplier = theirs.batch_multiplier;
        filled.push("price.batch_multiplier");
    }
    if ours.rates.cache_read_per_mtok.is_none() && ours.tiers.is_empty() && ours.windows.is_empty() {
        // There, a zero or the input price itself stands for "no such offer".
        let input = ours.rates.input_per_mtok;
        ours.rates.cache_read_per_mtok =
            theirs.rates.cache_read_per_mtok.filter(|p| *p > 0.0 && input.is_some_and(|i| *p < i));
        if ours.rates.cache_read_per_mtok.is_some() {
            filled.push("price.rates.cache_read_per_mtok");
        }
    }
    for field in filled {
        model.cite.insert(field.to_owned(), cite.clone());
    }
}

fn in_force(model: &mut ApiModel, day: Date) -> Option<&mut super::PricePeriod> {
    model.price.iter_mut().rfind(|p| p.from.is_none_or(|from| from <= day))
}

/// Take over the second source's figure.
fn take(model: &mut ApiModel, change: &Change, cite: &Cite, day: Date) {
    let Some(price) = in_force(model, day) else { return };
    let rate = |field: &str| format!("price.rates.{field}");
    let mut path = rate(&change.field);
    match change.field.as_str() {
        "input_per_mtok" => price.rates.input_per_mtok = change.new,
        "output_per_mtok" => price.rates.output_per_mtok = change.new,
        "cache_read_per_mtok" => price.rates.cache_read_per_mtok = change.new,
        "cache_write_per_mtok" => price.rates.cache_write_per_mtok = change.new,
        "batch_multiplier" => {
            price.batch_multiplier = change.new;
            path = String::from("price.batch_multiplier");
        }
        _ => return,
    }
    model.cite.insert(path, cite.clone());
}

/// Aliases such as `x-latest` that the second source prices differently from the model they are attached
/// to: the alias has moved on. They are removed, and attached again by that price.
fn moved_away(
    models: &mut [ApiModel],
    second: &BTreeMap<(String, String), &ApiModel>,
    mut moving: Vec<ApiModel>,
    day: Date,
) -> Vec<ApiModel> {
    for model in models {
        let now = model.clone();
        model.aliases.retain(|alias| {
            let other =
                second.get(&(now.provider.clone(), alias.clone())).filter(|_| names::is_moving(alias));
            let Some(other) = other else { return true };
            let stays = !changes(&now, other, day).iter().any(|c| is_list_price(&c.field));
            if !stays {
                moving.push((*other).clone());
            }
            stays
        });
    }
    moving
}

/// Attach an alias such as `x-latest` to the newest dated model of the same line with the same prices
/// today. Without such a model it is not shipped.
fn attach_moving(out: &mut Shipped, moving: Vec<ApiModel>, rules: &Rules, day: Date) {
    for alias in moving.into_iter().filter(|m| rules.is_shipped(&m.provider)) {
        let line = alias.model.trim_end_matches("-latest");
        let owner = out
            .models
            .iter_mut()
            .filter(|m| m.provider == alias.provider && m.model.starts_with(line))
            .filter(|m| !changes(&alias, m, day).iter().any(|c| is_list_price(&c.field)))
            .max_by_key(|m| (names::date_of(&m.model), m.model.clone()));
        match owner {
            Some(owner) if !owner.aliases.contains(&alias.model) => owner.aliases.push(alias.model),
            Some(_) => {}
            None => out
                .left_out
                .entry("a moving name whose fixed model the source does not tell".to_owned())
                .or_default()
                .push(alias.id),
        }
    }
}

/// Leave every alias with one record only: the newest that has it, and none if it is another record's own
/// name.
fn one_owner(models: &mut [ApiModel]) {
    let own: Vec<(String, String)> = models.iter().map(|m| (m.provider.clone(), m.model.clone())).collect();
    let mut taken: BTreeMap<(String, String), String> = BTreeMap::new();
    for model in models.iter().rev() {
        for alias in &model.aliases {
            taken.entry((model.provider.clone(), alias.clone())).or_insert_with(|| model.id.clone());
        }
    }
    for model in models {
        let provider = model.provider.clone();
        let id = model.id.clone();
        model.aliases.sort();
        model.aliases.dedup();
        model.aliases.retain(|alias| {
            let key = (provider.clone(), alias.clone());
            !own.contains(&key) && taken.get(&key) == Some(&id)
        });
    }
}
