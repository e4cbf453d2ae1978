//! Names of graders: those that are supported, and those that are not, with the reason.

use crate::quality::text::levenshtein;

/// A supported grader, with the others of its kind.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    pub names: &'static [&'static str],
    /// Where it passes, after "where the answer".
    pub passes: &'static str,
    /// What it takes as `value` and as `threshold`, with the usual threshold; empty where nothing.
    pub value: &'static str,
}

/// The graders that promptfoo has too, under the same names.
pub const OF_PROMPTFOO: &[Kind] = &[
    Kind {
        names: &["equals"],
        passes: "is the text; for a list or mapping: is that JSON, whatever the order of keys",
        value: "any",
    },
    Kind {
        names: &["contains", "icontains"],
        passes: "has the text in it (with i: whatever the case)",
        value: "text or number",
    },
    Kind {
        names: &["contains-any", "contains-all", "icontains-any", "icontains-all"],
        passes: "has one, or all, of the texts",
        value: "list, or text with commas",
    },
    Kind { names: &["starts-with"], passes: "begins with the text", value: "text" },
    Kind {
        names: &["regex"],
        passes: "has a match of JavaScript's kind of pattern, without flags",
        value: "pattern",
    },
    Kind {
        names: &["is-json", "contains-json"],
        passes: "is JSON, or has an object in it, that fits the schema",
        value: "JSON schema (draft-07), optional",
    },
    Kind {
        names: &["is-sql", "contains-sql"],
        passes: "can be read as SQL of the database",
        value: "{databaseType, allowedTables, allowedColumns}",
    },
    Kind {
        names: &["is-xml", "contains-xml"],
        passes: "is well-formed XML, or has some in it, with the elements",
        value: "paths such as r.name",
    },
    Kind {
        names: &["is-html", "contains-html"],
        passes: "is HTML, or looks as if it had some in it",
        value: "",
    },
    Kind {
        names: &["is-valid-openai-tools-call", "is-valid-function-call", "is-valid-openai-function-call"],
        passes: "calls tools that were offered, with arguments that fit",
        value: "",
    },
    Kind {
        names: &["tool-call-f1"],
        passes: "calls the tools expected: F1 of the names",
        value: "names; threshold 1",
    },
    Kind {
        names: &["levenshtein"],
        passes: "is at most so many changes away, in UTF-16 units",
        value: "text; threshold 5",
    },
    Kind {
        names: &["rouge-n", "bleu", "gleu", "meteor"],
        passes: "scores at least the threshold beside the reference",
        value: "text(s); threshold 0.75 (rouge-n) or 0.5",
    },
    Kind { names: &["word-count"], passes: "has so many words", value: "number, or {min, max}" },
    Kind { names: &["latency"], passes: "took at most so many milliseconds", value: "threshold" },
    Kind { names: &["cost"], passes: "cost at most so many US dollars", value: "threshold" },
    Kind { names: &["finish-reason"], passes: "ended for the reason", value: "text" },
    Kind { names: &["is-refusal"], passes: "begins or sounds like an English refusal", value: "" },
    Kind {
        names: &["perplexity", "perplexity-score"],
        passes: "was that likely to the model",
        value: "threshold",
    },
    Kind {
        names: &["similar", "similar:cosine", "similar:dot", "similar:euclidean"],
        passes: "means about the same: embeddings of a local model",
        value: "text(s); threshold 0.75",
    },
    Kind { names: &["llm-rubric"], passes: "meets the rubric, says a judge", value: "text" },
    Kind {
        names: &["assert-set"],
        passes: "passes the assertions in it, as a prompt does",
        value: "assert, threshold",
    },
];

/// The graders that promptfoo does not have.
pub const OUR_OWN: &[Kind] = &[
    Kind {
        names: &["numeric"],
        passes: "has the number as its last one, within the tolerance (1,234.50 is a number)",
        value: "number, or {value, tolerance}; threshold is the tolerance",
    },
    Kind {
        names: &["choice"],
        passes: "chose the letter: alone, after \"answer is\", or at its start; where two could be meant, none is",
        value: "letter(s)",
    },
    Kind {
        names: &["rouge-l"],
        passes: "scores at least the threshold: longest common sequence of words of any script",
        value: "text; threshold 0.75",
    },
    Kind {
        names: &["chrf"],
        passes: "scores at least the threshold: runs of characters (chrF2, as sacreBLEU)",
        value: "text(s); threshold 0.5",
    },
    Kind { names: &["max-tokens"], passes: "has at most so many tokens", value: "number" },
    Kind {
        names: &["exec"],
        passes: "passes a program of yours, which is named on the command line and never by a prompt file",
        value: "its name",
    },
];

fn names() -> impl Iterator<Item = &'static str> {
    OF_PROMPTFOO.iter().chain(OUR_OWN).flat_map(|kind| kind.names).copied()
}

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
    let best = names().map(|name| (levenshtein(&lower, name), name)).min()?;
    (best.0 <= 3 && best.0 * 2 < lower.len().max(2)).then(|| format!("{not}{}", best.1))
}
