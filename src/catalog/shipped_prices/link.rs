//! Finds the open model that an API model serves, and its capability tier.

use super::rules::Rules;
use crate::catalog::{ApiModel, Catalog};

/// The open model whose name is the same in plain form, or the one that a rule names; `None` where there
/// are several candidates.
pub(super) fn open_model(model: &ApiModel, rules: &Rules, catalog: &Catalog) -> Option<String> {
    if let Some(rule) = rules.open_model(&model.id) {
        return rule.open_model.clone().filter(|id| catalog.open_model(id).is_some());
    }
    let names: Vec<String> =
        [Some(&model.model), model.name.as_ref()].into_iter().flatten().map(|n| plain_form(n)).collect();
    let mut found: Vec<&str> = catalog
        .open_models
        .iter()
        .filter(|open| {
            let repository = open.repository.as_deref().unwrap_or(&open.id);
            let forms = [plain_form(&open.id), plain_form(repository)];
            names.iter().any(|n| forms.contains(n))
        })
        .map(|open| open.id.as_str())
        .collect();
    found.dedup();
    match found[..] {
        [one] => Some(one.to_owned()),
        _ => None,
    }
}

/// The tier of the open model, or else that of the first rule that matches; otherwise `None`.
pub(super) fn tier(model: &ApiModel, rules: &Rules, catalog: &Catalog) -> Option<u8> {
    let open = model.open_model.as_deref().and_then(|id| catalog.open_model(id)).and_then(|m| m.tier);
    open.or_else(|| rules.tier(&model.id))
}

/// A form of the name in which `accounts/fireworks/models/llama-v3p1-8b-instruct`,
/// `meta-llama/Llama-3.1-8B-Instruct` and `Meta-Llama-3.1-8B-Instruct-Turbo` are equal, since they are the
/// same weights: the last part of the path in lower case, letters and digits only, without words for the
/// maker, chat tuning and serving.
pub(super) fn plain_form(name: &str) -> String {
    let last = name.rsplit('/').next().unwrap_or(name).to_lowercase();
    let mut last = last.split(':').next().unwrap_or_default();
    // Bedrock puts the maker and the region in front: `global.openai.`, `meta.`.
    while let Some((before, after)) = last.split_once('.')
        && before.chars().all(|c| c.is_ascii_alphabetic())
    {
        last = after;
    }
    // Fireworks writes 3p1 for 3.1.
    let chars: Vec<char> = last.chars().collect();
    let mut dotted = String::new();
    for (n, c) in chars.iter().enumerate() {
        let between =
            n > 0 && chars[n - 1].is_ascii_digit() && chars.get(n + 1).is_some_and(char::is_ascii_digit);
        dotted.push(if *c == 'p' && between { '.' } else { *c });
    }
    let words: Vec<&str> = dotted
        .split(|c: char| !c.is_alphanumeric() && c != '.')
        .filter(|w| !w.is_empty() && !MARKS.contains(w))
        .collect();
    let mut plain: String = words.concat();
    plain.retain(char::is_alphanumeric);
    plain.replace("llamav", "llama")
}

/// Words that stand for the maker, chat tuning or serving, and not for the weights.
const MARKS: [&str; 22] = [
    "instruct",
    "it",
    "chat",
    "turbo",
    "meta",
    "fp8",
    "fp4",
    "nvfp4",
    "bf16",
    "int4",
    "awq",
    "lite",
    "maas",
    "versatile",
    "instant",
    "hf",
    "tee",
    "nvidia",
    "zai",
    "basic",
    "v1",
    "latest",
];

#[cfg(test)]
mod tests {
    use super::plain_form;

    #[test]
    fn names_of_the_same_weights_meet() {
        let forms: Vec<String> = [
            "accounts/fireworks/models/llama-v3p1-8b-instruct",
            "meta-llama/Llama-3.1-8B-Instruct",
            "meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo",
            "llama-3.1-8b-instant",
            "llama3.1-8b",
            "llama-3.1-8b-instruct",
            "meta.llama3-1-8b-instruct-v1:0",
        ]
        .map(plain_form)
        .into();
        assert!(forms.iter().all(|f| f == "llama318b"), "{forms:?}");
        assert_ne!(plain_form("Qwen3-32B"), plain_form("Qwen3-30B-A3B"));
        assert_ne!(plain_form("qwen3-coder-30b-a3b"), plain_form("qwen3-30b-a3b"));
    }
}
