//! Finds the API model that a typed name means. An alias stands for a model only *today*, so the result
//! says if one was used.

use super::{ApiModel, Catalog, Kind};
use crate::spelling::nearest;

/// How a name was resolved.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Resolution<'a> {
    /// The name is an id, or the exact name used in requests.
    Exact(&'a ApiModel),
    /// The name is an alias of this model today.
    Alias {
        /// The alias as it was typed.
        alias: &'a str,
        /// The model it stands for today.
        model: &'a ApiModel,
    },
}

impl<'a> Resolution<'a> {
    /// The model, by whatever name it was found.
    pub const fn model(&self) -> &'a ApiModel {
        match self {
            Self::Exact(model) | Self::Alias { model, .. } => model,
        }
    }
}

/// Why a name stands for no single record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotResolved {
    /// No record has this name.
    #[error("no API model is named `{name}`{}", did_you_mean(near))]
    Unknown {
        /// The name as it was typed.
        name: String,
        /// Similar ids, the most similar first; empty where there are none.
        near: Vec<String>,
    },
    /// Several providers have a model with this name.
    #[error("`{name}` could mean {}", ids.join(", "))]
    Ambiguous {
        /// The name as it was typed.
        name: String,
        /// Ids of the models that it could stand for.
        ids: Vec<String>,
    },
}

fn did_you_mean(near: &[String]) -> String {
    if near.is_empty() { String::new() } else { format!("; did you mean {}?", near.join(", ")) }
}

impl Catalog {
    /// Find a model by `provider/model`, `provider:model`, or `model` where only one provider has it. Dated
    /// ids, names used in requests and aliases are understood.
    ///
    /// # Errors
    ///
    /// Where no model has this name, or several have it.
    pub fn resolve_api_model(&self, name: &str) -> Result<Resolution<'_>, NotResolved> {
        if let Some(model) = self.api_model(name) {
            return Ok(Resolution::Exact(model));
        }
        // The provider is before the first `:` or `/`; model names may contain either character.
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

    /// The model that a provider serves under this name, as in targets of `bench`.
    pub fn served_as(&self, provider: &str, wire: &str) -> Option<Resolution<'_>> {
        self.matching(|m| m.provider == provider, wire).into_iter().next()
    }

    /// Models with this name, exact names before aliases.
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
        // An exact name takes precedence over another provider's alias.
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
