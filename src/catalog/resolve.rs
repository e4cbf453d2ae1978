//! A name a person typed → one record, and what was assumed on the way. An alias means a model
//! *today*: whoever prices by it must be able to say so.

use super::{ApiModel, Catalog, Kind};
use crate::spelling::nearest;

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
}
