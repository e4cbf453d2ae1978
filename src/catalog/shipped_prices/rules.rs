//! The rules for choosing, linking and deciding on prices: data, with a reason for each.

use crate::catalog::ApiModel;
use crate::catalog::compare::Change;
use serde::Deserialize;

/// The contents of `shipped_prices/rules.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    provider: Vec<ProviderRule>,
    #[serde(default)]
    leave_out: Vec<Pattern>,
    #[serde(default)]
    tier: Vec<TierRule>,
    #[serde(default)]
    open_model: Vec<OpenModelRule>,
    #[serde(default)]
    decide: Vec<Decision>,
    #[serde(default)]
    weekdays: Vec<WeekdayRule>,
}

/// A rules file that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("shipped_prices/rules.toml: {0}")]
pub struct RulesError(#[from] toml::de::Error);

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProviderRule {
    id: String,
    /// The provider serves open weights of other makers.
    #[serde(default)]
    open_models: bool,
    /// The first source keeps retired models of this provider, so only models that the second one has are
    /// taken.
    #[serde(default)]
    only_checked: bool,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pattern {
    ids: Vec<String>,
    reason: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct TierRule {
    ids: Vec<String>,
    tier: u8,
    #[allow(dead_code, reason = "for whoever reads the rules")]
    reason: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OpenModelRule {
    /// Patterns for ids of API models.
    ids: Vec<String>,
    /// Id of the open model; absent where it is none in the catalogue, although the name looks like one.
    pub(super) open_model: Option<String>,
    #[allow(dead_code, reason = "for whoever reads the rules")]
    reason: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Decision {
    ids: Vec<String>,
    /// Fields that the rule applies to; empty for all.
    #[serde(default)]
    fields: Vec<String>,
    take: Take,
    reason: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Take {
    GenaiPrices,
    Litellm,
}

/// Days of the week for time windows, which the first source does not have.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct WeekdayRule {
    ids: Vec<String>,
    weekdays: Vec<u8>,
    #[allow(dead_code, reason = "for whoever reads the rules")]
    reason: String,
}

impl Rules {
    /// The rules that this program ships with.
    pub fn shipped() -> Result<Self, RulesError> {
        Ok(toml::from_str(include_str!("rules.toml"))?)
    }
    fn provider(&self, id: &str) -> Option<&ProviderRule> {
        self.provider.iter().find(|p| p.id == id)
    }
    pub(super) fn is_shipped(&self, provider: &str) -> bool {
        self.provider(provider).is_some()
    }
    pub(super) fn serves_open_models(&self, provider: &str) -> bool {
        self.provider(provider).is_some_and(|p| p.open_models)
    }
    pub(super) fn needs_check(&self, provider: &str) -> bool {
        self.provider(provider).is_some_and(|p| p.only_checked)
    }
    pub(super) fn leave_out(&self, id: &str) -> Option<&str> {
        self.leave_out.iter().find(|p| any(&p.ids, id)).map(|p| p.reason.as_str())
    }
    /// The tier by the first rule that matches.
    pub(super) fn tier(&self, id: &str) -> Option<u8> {
        self.tier.iter().find(|r| any(&r.ids, id)).map(|r| r.tier)
    }
    /// The rule for a model whose name does not tell.
    pub(super) fn open_model(&self, id: &str) -> Option<&OpenModelRule> {
        self.open_model.iter().find(|r| any(&r.ids, id))
    }
    /// Is the second source's figure taken? And the reason.
    pub fn decide(&self, change: &Change) -> (bool, String) {
        self.decide
            .iter()
            .find(|d| {
                any(&d.ids, &change.id)
                    && (d.fields.is_empty() || d.fields.iter().any(|f| glob(f, &change.field)))
            })
            .map_or_else(
                || (false, DEFAULT_REASON.to_owned()),
                |d| (d.take == Take::Litellm, d.reason.clone()),
            )
    }
    pub(super) fn amend(&self, model: &mut ApiModel) {
        let Some(rule) = self.weekdays.iter().find(|r| any(&r.ids, &model.id)) else { return };
        for window in model.price.iter_mut().flat_map(|p| &mut p.windows) {
            window.weekdays.clone_from(&rule.weekdays);
        }
    }
}

const DEFAULT_REASON: &str =
    "genai-prices: it dates its changes and cites the provider's page; not settled by a page read here";

fn any(patterns: &[String], text: &str) -> bool {
    patterns.iter().any(|p| glob(p, text))
}

/// Does the text match the pattern? `*` stands for any run of characters.
pub(super) fn glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = text.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.len() >= last.len() && rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs() {
        for (pattern, text, fits) in [
            ("a/b", "a/b", true),
            ("a/b", "a/bc", false),
            ("a/*", "a/bc", true),
            ("*-tts", "x/y-tts", true),
            ("a*c*e", "abcde", true),
            ("a*c*e", "abde", false),
            ("a*a", "a", false),
            ("*", "", true),
        ] {
            assert_eq!(glob(pattern, text), fits, "{pattern} {text}");
        }
    }

    #[test]
    fn the_shipped_rules_read() {
        let rules = Rules::shipped().expect("reads");
        assert!(rules.is_shipped("anthropic") && !rules.is_shipped("nobody"));
    }
}
