//! A name a person typed → one record, and what was assumed on the way. An alias means a model
//! *today*: whoever prices by it must be able to say so.

use super::{ApiModel, Catalog, Kind};

/// How a name was understood.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Resolution<'a> {
    /// The name is the id, or the exact name on the wire.
    Exact(&'a ApiModel),
    /// The name is an alias; today it means this model.
    Alias {
        /// As it was typed.
        alias: &'a str,
        /// What it means today.
        model: &'a ApiModel,
    },
}

impl<'a> Resolution<'a> {
    /// The model, however it was named.
    pub const fn model(&self) -> &'a ApiModel {
        match self {
            Self::Exact(model) | Self::Alias { model, .. } => model,
        }
    }
}

/// A name that is not one record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotResolved {
    /// Nothing has this name; `near` are the closest ids, closest first.
    #[error("no API model is named `{name}`{}", did_you_mean(near))]
    Unknown {
        /// As it was typed.
        name: String,
        /// Ids, closest first; empty where none is close.
        near: Vec<String>,
    },
    /// Several providers have it: the ids it could mean.
    #[error("`{name}` could mean {}", ids.join(", "))]
    Ambiguous {
        /// As it was typed.
        name: String,
        /// Ids of the models it could mean.
        ids: Vec<String>,
    },
}

fn did_you_mean(near: &[String]) -> String {
    if near.is_empty() { String::new() } else { format!("; did you mean {}?", near.join(", ")) }
}

impl Catalog {
    /// `provider/model`, `provider:model`, or `model` where only one provider has it; dated ids,
    /// wire names and aliases.
    pub fn resolve_api_model(&self, name: &str) -> Result<Resolution<'_>, NotResolved> {
        if let Some(model) = self.api_model(name) {
            return Ok(Resolution::Exact(model));
        }
        // A provider stands before the first `:` or `/`; wire names may hold either themselves.
        for (provider, wire) in [name.split_once(':'), name.split_once('/')].into_iter().flatten() {
            let found = self.matching(|m| m.provider == provider, wire);
            if let Some(found) = only_one(name, &found)? {
                return Ok(found);
            }
        }
        if let Some(found) = only_one(name, &self.matching(|_| true, name))? {
            return Ok(found);
        }
        Err(NotResolved::Unknown { name: name.to_owned(), near: nearest(name, self.ids(Kind::ApiModel), 3) })
    }

    /// What a provider serves under a wire name: the way `bench` targets are written.
    pub fn served_as(&self, provider: &str, wire: &str) -> Option<Resolution<'_>> {
        self.matching(|m| m.provider == provider, wire).into_iter().next()
    }

    /// Exact wire names before aliases.
    fn matching(&self, of: impl Fn(&ApiModel) -> bool, wire: &str) -> Vec<Resolution<'_>> {
        let candidates = || self.api_models.iter().filter(|m| of(m));
        let exact: Vec<_> = candidates().filter(|m| m.model == wire).map(Resolution::Exact).collect();
        if !exact.is_empty() {
            return exact;
        }
        candidates()
            .filter_map(|model| {
                let alias = model.aliases.iter().find(|a| *a == wire)?;
                Some(Resolution::Alias { alias, model })
            })
            .collect()
    }
}

fn only_one<'a>(name: &str, found: &[Resolution<'a>]) -> Result<Option<Resolution<'a>>, NotResolved> {
    match *found {
        [] => Ok(None),
        [one] => Ok(Some(one)),
        _ => Err(NotResolved::Ambiguous {
            name: name.to_owned(),
            ids: found.iter().map(|r| r.model().id.clone()).collect(),
        }),
    }
}

/// The names closest to what was typed, closest first: those that hold it, then those within a
/// third of its length in edits.
pub fn nearest<'a>(typed: &str, names: impl IntoIterator<Item = &'a str>, most: usize) -> Vec<String> {
    let typed = typed.to_lowercase();
    let allowed = (typed.chars().count() / 3).max(2);
    let mut ranked: Vec<(usize, &str)> = names
        .into_iter()
        .filter_map(|name| {
            let lower = name.to_lowercase();
            let part = lower.rsplit('/').next().unwrap_or(&lower);
            if typed.len() >= 3 && lower.contains(&typed) {
                return Some((0, name));
            }
            let edits = edit_distance(&typed, &lower).min(edit_distance(&typed, part));
            (edits <= allowed).then_some((edits, name))
        })
        .collect();
    ranked.sort_by_key(|(edits, name)| (*edits, name.len(), *name));
    ranked.into_iter().take(most).map(|(_, name)| name.to_owned()).collect()
}

/// Insertions, deletions, replacements and swaps of neighbours (optimal string alignment).
fn edit_distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let change = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = change.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before[j - 2] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(id: &str, aliases: &[&str]) -> ApiModel {
        let (provider, wire) = id.split_once('/').expect("provider/model");
        ApiModel {
            id: id.to_owned(),
            provider: provider.to_owned(),
            model: wire.to_owned(),
            name: None,
            aliases: aliases.iter().map(|a| (*a).to_owned()).collect(),
            open_model: None,
            tier: None,
            context_tokens: None,
            max_output_tokens: None,
            reasoning: super::super::ReasoningRule::AsOutput,
            retires: None,
            price: Vec::new(),
            source: "test".to_owned(),
            as_of: jiff::civil::date(2026, 11, 1),
            cite: super::super::CiteByField::new(),
        }
    }

    fn catalog() -> Catalog {
        Catalog {
            api_models: vec![
                model("acme/large-2026-05-01", &["large", "large-latest"]),
                model("acme/small", &[]),
                model("other/org/small", &["small"]),
            ],
            ..Catalog::default()
        }
    }

    #[test]
    fn an_alias_says_that_it_is_one() {
        let catalog = catalog();
        let found = catalog.resolve_api_model("acme/large-latest").expect("known");
        assert!(matches!(found, Resolution::Alias { alias: "large-latest", .. }));
        assert_eq!(found.model().id, "acme/large-2026-05-01");
        assert!(matches!(catalog.resolve_api_model("acme:large-2026-05-01"), Ok(Resolution::Exact(_))));
        assert!(matches!(catalog.resolve_api_model("other:org/small"), Ok(Resolution::Exact(_))));
        // An exact wire name wins over another provider's alias.
        assert_eq!(catalog.resolve_api_model("small").expect("known").model().id, "acme/small");
    }

    #[test]
    fn unknown_names_are_errors_that_suggest() {
        let catalog = catalog();
        let Err(NotResolved::Unknown { near, .. }) = catalog.resolve_api_model("acme/smal") else {
            panic!("must not resolve")
        };
        assert_eq!(near[0], "acme/small");
        assert!(catalog.resolve_api_model("gpt-oss-120b").is_err());
    }

    #[test]
    fn edits_are_counted_with_swaps() {
        assert_eq!(edit_distance("abcd", "abdc"), 1);
        assert_eq!(edit_distance("", "abc"), 3);
        assert_eq!(edit_distance("kitten", "sitting"), 3);
    }
}
