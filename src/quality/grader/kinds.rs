//! Names of graders: those that are supported, and those that are not, with the reason.

use crate::quality::text::levenshtein;

/// Names of all supported graders.
pub const KINDS: &[&str] = &[
    "assert-set",
    "bleu",
    "choice",
    "chrf",
    "contains",
    "contains-all",
    "contains-any",
    "contains-html",
    "contains-json",
    "contains-sql",
    "contains-xml",
    "cost",
    "equals",
    "exec",
    "finish-reason",
    "gleu",
    "icontains",
    "icontains-all",
    "icontains-any",
    "is-html",
    "is-json",
    "is-refusal",
    "is-sql",
    "is-valid-function-call",
    "is-valid-openai-function-call",
    "is-valid-openai-tools-call",
    "is-xml",
    "latency",
    "levenshtein",
    "llm-rubric",
    "max-tokens",
    "meteor",
    "numeric",
    "perplexity",
    "perplexity-score",
    "regex",
    "rouge-l",
    "rouge-n",
    "similar",
    "similar:cosine",
    "similar:dot",
    "similar:euclidean",
    "starts-with",
    "tool-call-f1",
    "word-count",
];

pub(super) const PROGRAMS: &str = "no program of a prompt file is run";

pub(super) const SERVICES: &str = "it needs a judge, a trace or a service that only promptfoo has";

/// Graders of promptfoo that are not supported, with the reason.
pub(super) const NOT_RUN: &[(&str, &str)] = &[
    ("javascript", PROGRAMS),
    ("python", PROGRAMS),
    ("ruby", PROGRAMS),
    ("webhook", PROGRAMS),
    ("agent-rubric", SERVICES),
    ("answer-relevance", SERVICES),
    ("classifier", SERVICES),
    ("context-faithfulness", SERVICES),
    ("context-recall", SERVICES),
    ("context-relevance", SERVICES),
    ("conversation-relevance", SERVICES),
    ("factuality", SERVICES),
    ("g-eval", SERVICES),
    ("guardrails", SERVICES),
    ("model-graded-closedqa", SERVICES),
    ("model-graded-factuality", SERVICES),
    ("moderation", SERVICES),
    ("pi", SERVICES),
    ("search-rubric", SERVICES),
    ("select-best", SERVICES),
    ("max-score", SERVICES),
    ("skill-used", SERVICES),
    ("human", SERVICES),
    ("trace-error-spans", SERVICES),
    ("trace-span-count", SERVICES),
    ("trace-span-duration", SERVICES),
];

/// Other names for supported graders.
const ALIASES: &[(&str, &str)] = &[
    ("exact-match", "equals"),
    ("exact", "equals"),
    ("similarity", "similar"),
    ("json-schema", "is-json"),
    ("ends-with", "regex"),
    ("latency-ms", "latency"),
    ("match", "regex"),
    ("includes", "contains"),
    ("llm-judge", "llm-rubric"),
    ("refusal", "is-refusal"),
    ("char-count", "word-count"),
    ("json", "is-json"),
];

pub(super) fn nearest(kind: &str) -> Option<String> {
    let (not, base) = kind.strip_prefix("not-").map_or(("", kind), |base| ("not-", base));
    let lower = base.to_lowercase().replace('_', "-");
    if let Some((_, name)) = ALIASES.iter().find(|(alias, _)| *alias == lower) {
        return Some(format!("{not}{name}"));
    }
    let best = KINDS.iter().map(|name| (levenshtein(&lower, name), *name)).min()?;
    (best.0 <= 3 && best.0 * 2 < lower.len().max(2)).then(|| format!("{not}{}", best.1))
}
