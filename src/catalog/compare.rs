//! Compares two lists of API models: which are new, which changed by how much, which disappeared, which are
//! implausible.

use super::check::Medians;
use super::{ApiModel, Rates};
use jiff::civil::Date;
use std::collections::BTreeMap;

/// A list price that changes by more than this factor is more likely a mistake than news.
const SUSPICIOUS_TIMES: f64 = 5.0;

/// The differences between an old and a new list.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Comparison {
    /// Number of ids that are in both lists with the same prices.
    pub same: usize,
    /// Ids that only the new list has.
    pub added: Vec<String>,
    /// Ids of the compared providers that the new list does not have.
    pub gone: Vec<String>,
    /// Figures that differ.
    pub changed: Vec<Change>,
    /// New records whose prices cannot be right, with the reason.
    pub implausible: Vec<Implausible>,
}

/// One figure of one model that differs. `id` is that of the old list.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Id of the model.
    pub id: String,
    /// `input_per_mtok`, `tier above 200000 tokens: output_per_mtok`, `batch_multiplier`.
    pub field: String,
    /// The old figure; `None` where it was unknown or absent.
    pub old: Option<f64>,
    /// The new figure; `None` where it is unknown or absent.
    pub new: Option<f64>,
}

impl Change {
    /// The change as a share of the old figure; negative where it fell.
    pub fn relative(&self) -> Option<f64> {
        let (old, new) = (self.old?, self.new?);
        (old != 0.0).then(|| new / old - 1.0)
    }
}

/// A record whose prices cannot be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Implausible {
    /// Id of the model.
    pub id: String,
    /// Which price it is, and why it cannot be right, in one sentence.
    pub reason: String,
}

/// The models of a list, by id and by all names their provider gives them.
struct Names<'a> {
    by_id: BTreeMap<&'a str, &'a ApiModel>,
    by_name: BTreeMap<(&'a str, &'a str), &'a ApiModel>,
}

impl<'a> Names<'a> {
    fn of(models: &'a [ApiModel]) -> Self {
        let aliases =
            models.iter().flat_map(|m| m.aliases.iter().map(move |a| ((m.provider.as_str(), a.as_str()), m)));
        let mut by_name: BTreeMap<_, _> = aliases.collect();
        // A record's own name takes precedence over another record's alias.
        by_name.extend(models.iter().map(|m| ((m.provider.as_str(), m.model.as_str()), m)));
        Self { by_id: models.iter().map(|m| (m.id.as_str(), m)).collect(), by_name }
    }
    fn find(&self, model: &ApiModel) -> Option<&'a ApiModel> {
        let named = |name: &String| self.by_name.get(&(model.provider.as_str(), name.as_str())).copied();
        let by_id = self.by_id.get(model.id.as_str()).copied();
        by_id.or_else(|| named(&model.model)).or_else(|| model.aliases.iter().find_map(named))
    }
}

/// Compare the prices in force on a day. Models are the same if their ids are equal, or if one list has the
/// other's name for it as an alias.
pub fn compare(old: &[ApiModel], new: &[ApiModel], day: Date) -> Comparison {
    let before = Names::of(old);
    let providers: Vec<&str> = new.iter().map(|m| m.provider.as_str()).collect();
    let medians = if old.len() >= 10 { Medians::of_models(old) } else { Medians::of_models(new) };
    let mut out = Comparison::default();
    for model in new {
        let Some(price) = model.price_on(day) else { continue };
        let previous = before.find(model);
        let id = previous.map_or(&model.id, |p| &p.id);
        if let Some((_, reason)) = medians.slip(&price.rates) {
            out.implausible.push(Implausible { id: id.clone(), reason });
        }
        let Some(previous) = previous else {
            out.added.push(model.id.clone());
            continue;
        };
        let changes = changes(previous, model, day);
        if changes.is_empty() {
            out.same += 1;
        }
        for change in &changes {
            if let (Some(old), Some(new)) = (change.old, change.new)
                && old > 0.0
                && !(1.0 / SUSPICIOUS_TIMES..=SUSPICIOUS_TIMES).contains(&(new / old))
            {
                out.implausible.push(Implausible {
                    id: id.clone(),
                    reason: format!("{} goes from {old} to {new}", change.field),
                });
            }
        }
        out.changed.extend(changes);
    }
    let after = Names::of(new);
    out.gone = old
        .iter()
        .filter(|m| providers.contains(&m.provider.as_str()) && after.find(m).is_none())
        .map(|m| m.id.clone())
        .collect();
    out
}

/// Figures of one model that differ on a day.
pub fn changes(old: &ApiModel, new: &ApiModel, day: Date) -> Vec<Change> {
    let mut out = Vec::new();
    let (Some(before), Some(after)) = (old.price_on(day), new.price_on(day)) else { return out };
    rates(&mut out, &old.id, "", &before.rates, &after.rates);
    for tier in &after.tiers {
        let at = tier.above_input_tokens;
        let empty = Rates::default();
        let previous = before.tiers.iter().find(|t| near(t.above_input_tokens, at));
        let label = format!("above {at} tokens: ");
        rates(&mut out, &old.id, &label, previous.map_or(&empty, |t| &t.rates), &tier.rates);
    }
    for tier in &before.tiers {
        let at = tier.above_input_tokens;
        if !after.tiers.iter().any(|t| near(t.above_input_tokens, at)) {
            rates(&mut out, &old.id, &format!("above {at} tokens: "), &tier.rates, &Rates::default());
        }
    }
    differ(&mut out, &old.id, "batch_multiplier".to_owned(), before.batch_multiplier, after.batch_multiplier);
    out
}

/// The same threshold? One source writes "above 199,999", another "from 200,000".
fn near(a: u64, b: u64) -> bool {
    a.abs_diff(b) <= 1
}

fn rates(out: &mut Vec<Change>, id: &str, label: &str, old: &Rates, new: &Rates) {
    for (field, old, new) in [
        ("input_per_mtok", old.input_per_mtok, new.input_per_mtok),
        ("output_per_mtok", old.output_per_mtok, new.output_per_mtok),
        ("cache_read_per_mtok", old.cache_read_per_mtok, new.cache_read_per_mtok),
        ("cache_write_per_mtok", old.cache_write_per_mtok, new.cache_write_per_mtok),
        ("reasoning_per_mtok", old.reasoning_per_mtok, new.reasoning_per_mtok),
    ] {
        differ(out, id, format!("{label}{field}"), old, new);
    }
}

/// Add a figure that differs by more than half a percent: less can come from rounding in the sources.
fn differ(out: &mut Vec<Change>, id: &str, field: String, old: Option<f64>, new: Option<f64>) {
    let same = match (old, new) {
        (None, None) => true,
        (Some(a), Some(b)) => (a - b).abs() <= 0.005 * a.abs().max(b.abs()),
        _ => false,
    };
    if !same {
        out.push(Change { id: id.to_owned(), field, old, new });
    }
}
