//! An error in a provider's own words → a fault.

use super::event::{Fault, FaultKind};
use serde_json::Value;

/// Text from outside, short enough for a message.
pub fn clip(text: &str) -> String {
    super::text::one_line(text, 300)
}

/// The error in a body that is no stream. Gemini wraps it in a list.
pub fn error_of(body: &Value) -> &Value {
    let inner = body.get(0).unwrap_or(body);
    inner.get("error").filter(|e| !e.is_null()).unwrap_or(inner)
}

/// Is this the name of a failure that passes by itself?
pub fn is_transient(label: &str) -> bool {
    TRANSIENT.contains(&label)
}

/// An error object of any provider as a fault. What ends a provider for good is told from what
/// only spoils this answer.
pub fn provider_fault(error: &Value) -> Fault {
    let word = |place: &str| match error.pointer(place) {
        Some(Value::String(s)) => s.clone(),
        Some(Value::Number(n)) => n.to_string(),
        _ => String::new(),
    };
    let (kind, code, status) = (word("/type"), word("/code"), word("/status"));
    let detail = word("/details/error_code");
    let message = match error {
        Value::String(s) => s.clone(),
        _ => ["/message", "/detail", "/error"]
            .iter()
            .map(|p| word(p))
            .find(|m| !m.is_empty())
            .unwrap_or_default(),
    };
    // The name that tells what to do, where one of them does.
    let names = [&kind, &code, &status];
    let telling = names.into_iter().find(|s| is_transient(s));
    let label = telling.or_else(|| names.into_iter().find(|s| !s.is_empty())).cloned().unwrap_or_default();
    let text = match (label.is_empty(), message.is_empty()) {
        (_, true) if label.is_empty() => clip(&error.to_string()),
        (_, true) => label,
        (true, false) => message.clone(),
        (false, false) => format!("{label}: {message}"),
    };
    let is = |names: &[&str]| names.iter().any(|n| kind == *n || code == *n || status == *n || detail == *n);
    let kind = if is(SPENT) {
        FaultKind::Quota
    } else if is(&["unsupported_country_region_territory"]) || message.contains("location is not supported") {
        FaultKind::Region
    } else if is(TOO_LONG) || text.to_ascii_lowercase().contains("prompt is too long") {
        FaultKind::Context
    } else if is(REFUSED) {
        FaultKind::Auth
    } else if is(UNKNOWN_MODEL) {
        FaultKind::NotFound
    } else {
        FaultKind::ProviderError
    };
    Fault { kind, message: clip(&text) }
}

/// Error codes that mean the account has no money or no allowance left: waiting does not help.
const SPENT: &[&str] = &[
    "insufficient_quota",
    "credit_balance_exhausted",
    "organization_spend_limit_exceeded",
    "project_spend_limit_exceeded",
    "organization_usage_limit_exceeded",
    "enforced_spend_limit_reached",
    "contract_spend_limit_reached",
    "billing_error",
    "402",
];

/// Error codes that mean the key is wrong or may not do this.
const REFUSED: &[&str] = &[
    "authentication_error",
    "permission_error",
    "invalid_api_key",
    "UNAUTHENTICATED",
    "PERMISSION_DENIED",
    "401",
    "403",
];

/// Error codes that mean there is no such model: no other prompt will fare better.
const UNKNOWN_MODEL: &[&str] = &["model_not_found", "DeploymentNotFound"];

/// Error names and codes that mean the provider is busy or broken, and may not be soon.
const TRANSIENT: &[&str] = &[
    "overloaded_error",
    "overloaded",
    "rate_limit_error",
    "rate_limit_exceeded",
    "capacity_exceeded",
    "api_error",
    "server_error",
    "timeout_error",
    "internal_server_error",
    "internal_error",
    "service_unavailable",
    "INTERNAL",
    "UNAVAILABLE",
    "DEADLINE_EXCEEDED",
    "RESOURCE_EXHAUSTED",
    "429",
    "498",
    "500",
    "502",
    "503",
    "504",
    "522",
    "524",
    "529",
];

/// Error codes that mean the prompt does not fit the model's context.
const TOO_LONG: &[&str] = &["context_length_exceeded", "exceed_context_size_error"];
