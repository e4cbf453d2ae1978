//! Turns a price file that others keep into records: what changes, what is left out and why.

use crate::app::refusal::Refusal;
use crate::catalog::compare::{Comparison, compare};
use crate::catalog::import::{Format, Imported, Reason, Skipped, names};
use crate::catalog::{ApiModel, Catalog, Resolution, check, text, write};
use crate::document::db::ImportPlan;
use crate::spelling::nearest;
use jiff::civil::Date;

/// What the user wants from a price file.
#[derive(Debug, Clone)]
pub struct Wish {
    pub format: Format,
    /// Only these providers' models; all where none is named.
    pub providers: Vec<String>,
    /// Only models that the catalogue has already.
    pub known: bool,
    /// Take implausible prices, too.
    pub implausible: bool,
}

/// What the import would take over.
#[derive(Debug)]
pub struct Import {
    /// The plan to show: `target` names the file.
    pub plan: ImportPlan,
    pub models: Vec<ApiModel>,
}

/// Chooses, completes and checks the records of a price file; `target` is the file they would go to.
pub fn import(
    mut imported: Imported,
    wish: &Wish,
    catalog: &Catalog,
    target: String,
    today: Date,
) -> Result<Import, Refusal> {
    choose(&mut imported, wish, catalog)?;
    skip(&mut imported, |m| retired(m, today));
    skip(&mut imported, |m| alias_of(m, catalog));
    carry_over(&mut imported.models, catalog, today);
    let mut comparison = compare(&catalog.api_models, &imported.models, today);
    if wish.known {
        // Models that were not asked for are not missing.
        comparison.added.clear();
    }
    leave_out(&mut imported, &comparison, wish, catalog, today);
    // A model that is left out is neither new nor a change.
    let taken = |id: &String| !imported.skipped.iter().any(|left_out| left_out.id == *id);
    comparison.added.retain(taken);
    comparison.changed.retain(|change| taken(&change.id));
    let Imported { models, skipped, .. } = imported;
    Ok(Import { plan: ImportPlan { target, records: models.len(), comparison, skipped }, models })
}

/// The text of a file with these records. Records of `before` (name and text of the present file) that this
/// import does not mention stay in it.
pub fn file(models: &[ApiModel], before: Option<(&str, &str)>, format: Format, today: Date) -> String {
    let mut kept: Vec<ApiModel> = Vec::new();
    if let Some((name, text)) = before {
        let old = text::parse(name, text, &mut Vec::new());
        kept = old.records.api_models.into_iter().map(|e| e.record).collect();
        kept.retain(|m| !models.iter().any(|new| new.id == m.id));
    }
    kept.extend_from_slice(models);
    kept.sort_by(|a, b| a.id.cmp(&b.id));
    let head = format!(
        "Imported by `freehold db import --from {}`, last on {today}. These records replace the shipped ones\n\
         with the same ids; delete this file to go back to those.",
        format.name(),
    );
    write::api_models(&head, &kept)
}

/// Keeps the models that were asked for.
fn choose(imported: &mut Imported, wish: &Wish, catalog: &Catalog) -> Result<(), Refusal> {
    let mut known: Vec<String> = imported.models.iter().map(|m| m.provider.clone()).collect();
    known.dedup();
    for wanted in &wish.providers {
        if !known.contains(wanted) {
            let near = nearest(wanted, known.iter().map(String::as_str), 3);
            let hint = if near.is_empty() { known.join(", ") } else { near.join(", ") };
            return Err(
                Refusal::input(format!("the file has no provider `{wanted}`")).hint(format!("it has {hint}"))
            );
        }
    }
    let wanted = |m: &ApiModel| {
        (wish.providers.is_empty() || wish.providers.contains(&m.provider))
            && (!wish.known || catalog.api_model(&m.id).is_some() || own_name(m, catalog).is_some())
    };
    imported.models.retain(wanted);
    if !wish.providers.is_empty() {
        let of = |s: &Skipped| wish.providers.iter().any(|p| s.id.starts_with(&format!("{p}/")));
        imported.skipped.retain(of);
    }
    Ok(())
}

/// Skips the models for which there is a reason.
fn skip(imported: &mut Imported, reason: impl Fn(&ApiModel) -> Option<Reason>) {
    let skipped = &mut imported.skipped;
    imported.models.retain(|m| match reason(m) {
        None => true,
        Some(reason) => {
            skipped.push(Skipped { id: m.id.clone(), reason });
            false
        }
    });
}

fn retired(model: &ApiModel, today: Date) -> Option<Reason> {
    model.retires.filter(|d| *d <= today).map(|_| Reason::Retired)
}

/// A reason to skip a name that is an alias: prices are kept by dated id.
fn alias_of(model: &ApiModel, catalog: &Catalog) -> Option<Reason> {
    let known_as = catalog.served_as(&model.provider, &model.model);
    let moving = names::is_moving(&model.model) || matches!(known_as, Some(Resolution::Alias { .. }));
    moving.then_some(Reason::MovingName)
}

/// The record whose own model name this is.
fn own_name<'a>(model: &ApiModel, catalog: &'a Catalog) -> Option<&'a ApiModel> {
    catalog.api_models.iter().find(|m| m.provider == model.provider && m.model == model.model)
}

/// Keeps what the file does not say but the catalogue knows: links, tiers, names, limits, and the batch
/// price where the list prices are the same. A record that the catalogue has under another id keeps that
/// id.
fn carry_over(models: &mut Vec<ApiModel>, catalog: &Catalog, today: Date) {
    for model in models.iter_mut() {
        let found = catalog.api_model(&model.id).or_else(|| own_name(model, catalog));
        let Some(old) = found else { continue };
        carry_batch(model, old, today);
        if old.id != model.id {
            model.id.clone_from(&old.id);
            model.model.clone_from(&old.model);
        }
        model.open_model = model.open_model.take().or_else(|| old.open_model.clone());
        model.tier = model.tier.or(old.tier);
        model.name = model.name.take().or_else(|| old.name.clone());
        if model.aliases.is_empty() {
            model.aliases.clone_from(&old.aliases);
        }
        for (field, kept) in [
            ("context_tokens", (&mut model.context_tokens, old.context_tokens)),
            ("max_output_tokens", (&mut model.max_output_tokens, old.max_output_tokens)),
        ] {
            if kept.0.is_none() && kept.1.is_some() {
                *kept.0 = kept.1;
                model.cite.insert(field.to_owned(), old.cite(field));
            }
        }
    }
    models.sort_by(|a, b| a.id.cmp(&b.id));
    models.dedup_by(|later, first| later.id == first.id);
}

fn carry_batch(model: &mut ApiModel, old: &ApiModel, today: Date) {
    let Some(known) = old.price_on(today) else { return };
    let cite = old.cite("price.batch_multiplier");
    let mut carried = false;
    for period in &mut model.price {
        let same = period.rates.input_per_mtok == known.rates.input_per_mtok
            && period.rates.output_per_mtok == known.rates.output_per_mtok;
        if same && period.batch_multiplier.is_none() && known.batch_multiplier.is_some() {
            period.batch_multiplier = known.batch_multiplier;
            carried = true;
        }
    }
    if carried {
        model.cite.insert("price.batch_multiplier".to_owned(), cite);
    }
}

/// Skips records that cannot be true, or that no catalogue file may hold, with the reason.
fn leave_out(imported: &mut Imported, comparison: &Comparison, wish: &Wish, catalog: &Catalog, today: Date) {
    // An alias that another record already has stays with that record.
    for model in &mut imported.models {
        let (id, provider) = (model.id.clone(), model.provider.clone());
        let others = || catalog.api_models.iter().filter(|o| o.provider == provider && o.id != id);
        model.aliases.retain(|a| !others().any(|o| o.model == *a || o.aliases.contains(a)));
    }
    let mut merged = catalog.clone();
    merged.lay_api_models(&imported.models);
    let mut bad = check::unusable(&imported.models, &merged, today);
    if !wish.implausible {
        bad.extend(comparison.implausible.iter().map(|i| (i.id.clone(), i.reason.clone())));
    }
    for (id, reason) in bad {
        let before = imported.models.len();
        imported.models.retain(|m| m.id != id);
        if imported.models.len() < before {
            imported.skipped.push(Skipped { id, reason: Reason::Unusable(reason) });
        }
    }
}
