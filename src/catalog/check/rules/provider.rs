//! Rules for providers: the services that answer requests.

use super::common::{Report, not_empty, reference};
use super::medians::Medians;
use crate::catalog::{Catalog, Provider};

pub(in crate::catalog::check) fn provider(r: &Provider, catalog: &Catalog, _: &Medians, report: Report<'_>) {
    not_empty("name", &r.name, report);
    if r.id.contains([':', '/', '@']) {
        report("id", format!("`{}` cannot stand before a model's name", r.id), "no `:`, `/` or `@`");
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let named =
        |variable: &Option<String>| variable.as_ref().is_none_or(|v| !v.is_empty() && v.chars().all(plain));
    for (field, variable) in
        [("endpoint_variable", &r.endpoint_variable), ("version_variable", &r.version_variable)]
    {
        if !named(variable) {
            report(
                field,
                "this is not the name of an environment variable".to_owned(),
                "a name such as MY_ENDPOINT",
            );
        }
    }
    if r.dated_path.as_ref().is_some_and(|path| !path.contains("{model}")) {
        report("dated_path", "it has no place for the model".to_owned(), "a path with {model} in it");
    }
    if !named(&r.key_variable) {
        report(
            "key_variable",
            "this is not the name of an environment variable".to_owned(),
            "a name such as MY_KEY; never the key itself",
        );
    }
    if let Some(base) = &r.base_url {
        let rest = base.strip_prefix("https://").or_else(|| base.strip_prefix("http://127.0.0.1"));
        if rest.is_none_or(|rest| rest.is_empty() || rest.contains(['@', '?', '#'])) {
            report(
                "base_url",
                format!("`{base}` is no base URL"),
                "https://HOST/PATH without user, query or #",
            );
        }
    }
    if r.key_variable.is_some() && r.base_url.is_none() && r.hosts.is_empty() {
        report("key_variable", "it is not said where this key may go".to_owned(), "a `base_url`, or `hosts`");
    }
    for (n, host) in r.hosts.iter().enumerate() {
        let labels: Vec<&str> = host.split('.').collect();
        let fixed = labels.iter().rev().take_while(|l| **l != "*" && !l.is_empty()).count();
        if fixed < 2 || labels.iter().any(|l| l.is_empty() || (l.contains('*') && *l != "*")) {
            report(
                &format!("hosts.{n}"),
                format!("`{host}` is too wide for a key, or no host"),
                "a host whose last two labels are fixed: *.example.com",
            );
        }
    }
    if let Some(prices) = &r.prices {
        let known = || catalog.api_models.iter().map(|m| m.provider.as_str());
        reference("prices", prices, "price provider", known().any(|p| p == prices), known(), report);
    }
}
