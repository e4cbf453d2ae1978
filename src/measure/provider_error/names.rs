//! The names and words that providers and servers use for errors, and which kind of failure they prove.

use crate::measure::event::FaultKind;

/// The kind of failure that an error's names or words prove; `None`: none.
pub(super) fn kind_by_name(names: &[String], words: &str) -> Option<FaultKind> {
    let is = |list: &[&str]| names.iter().any(|name| list.contains(&name.as_str()));
    let says = |list: &[&str]| list.iter().any(|part| words.contains(part));
    let limited = is(RATE_NAMES) || says(&["per minute", "per day", "rate limit"]);
    if is(SPENT) || (says(SPENT_WORDS) && !limited) {
        Some(FaultKind::Quota)
    } else if is(&["unsupported_country_region_territory"]) || words.contains("location is not supported") {
        Some(FaultKind::Region)
    } else if is(TOO_LONG) || (is_too_long(words) && !limited) {
        Some(FaultKind::Context)
    } else if is(REFUSED) || says(REFUSED_WORDS) {
        Some(FaultKind::Auth)
    } else if is(UNKNOWN_MODEL)
        || UNKNOWN_MODEL_WORDS.iter().any(|parts| parts.iter().all(|part| words.contains(part)))
    {
        Some(FaultKind::NotFound)
    } else {
        None
    }
}

/// Error names that mean the account has no money or no allowance left: waiting does not help.
const SPENT: &[&str] = &[
    "insufficient_quota",
    "insufficient_balance",
    "insufficient_credits",
    "credit_balance_exhausted",
    "organization_spend_limit_exceeded",
    "project_spend_limit_exceeded",
    "organization_usage_limit_exceeded",
    "enforced_spend_limit_reached",
    "contract_spend_limit_reached",
    "billing_error",
    "billing_hard_limit_reached",
    "payment_required",
    "402",
];

const SPENT_WORDS: &[&str] = &[
    "credit balance is too low",
    "insufficient balance",
    "insufficient credit",
    "insufficient funds",
    "requires more credits",
    "out of credits",
    "payment required",
    "account balance is",
    "in arrears",
];

/// Error names that mean the key is wrong or may not do this.
const REFUSED: &[&str] = &[
    "authentication_error",
    "permission_error",
    "invalid_api_key",
    "invalid_authentication_error",
    "API_KEY_INVALID",
    "UNAUTHENTICATED",
    "PERMISSION_DENIED",
    "401",
    "403",
];

const REFUSED_WORDS: &[&str] =
    &["incorrect api key", "invalid api key", "api key not valid", "no auth credentials"];

/// Error names that mean there is no such model: no other prompt will do better.
const UNKNOWN_MODEL: &[&str] = &["model_not_found", "DeploymentNotFound", "not_found_error", "404"];

/// Words for the same, or for a wrong path, lower case, all parts of a line in any order: Ollama, LM
/// Studio, `OpenAI`, vLLM, Bedrock, `OpenRouter`.
const UNKNOWN_MODEL_WORDS: &[&[&str]] = &[
    &["model '", "not found"],
    &["model \"", "not found"],
    &["model `", "not found"],
    &["the model", "does not exist"],
    &["model identifier is invalid"],
    &["is not a valid model"],
    &["no endpoints found"],
    &["unexpected endpoint or method"],
    &["pulling it first"],
];

/// Error names that mean the prompt does not fit the model's context.
const TOO_LONG: &[&str] = &[
    "context_length_exceeded",
    "exceed_context_size_error",
    "context_window_exceeded",
    "string_above_max_length",
];

/// Names of a limit on requests or tokens in a time, which is not the model's context.
const RATE_NAMES: &[&str] =
    &["rate_limit_exceeded", "rate_limit_error", "RESOURCE_EXHAUSTED", "too_many_requests", "429"];

/// Wordings for a prompt that does not fit, in lower case; all parts of an entry must occur, in any order.
/// Each is from a server's source or a public report: `OpenAI`, Azure, Anthropic, Gemini, Mistral, xAI,
/// Cohere, Bedrock, Groq, Cerebras, Fireworks, Together, Moonshot, Z.AI, Alibaba, watsonx, GitHub Models,
/// vLLM, `SGLang`, TGI, TensorRT-LLM, llama.cpp, Ollama, LM Studio, `TabbyAPI`, MLX.
const TOO_LONG_WORDS: &[&[&str]] = &[
    &["maximum context length"],
    &["context size", "exceed"],
    &["context length", "exceed"],
    &["context window", "exceed"],
    &["context limit", "exceed"],
    &["context length of only"],
    &["context length is only"],
    &["context_length_exceeded"],
    &["context_window_exceeded"],
    &["context", "too small"],
    &["must be <=", "context"],
    &["max_new_tokens", "must be <="],
    &["maximum input length"],
    &["max message tokens"],
    &["more than max tokens"],
    &["token limit exceeded", "prompt"],
    &["max_seq_len"],
    &["max_model_len"],
    &["conversation is too l"],
    &["too many input tokens"],
    &["prompt has too many tokens"],
    &["reached context length"],
    &["longer than the model's context"],
    &["longer than the maximum model length"],
    &["prompt is too long"],
    &["input is too long"],
    &["prompt too long"],
    &["input too long"],
    &["prompt exceeds max"],
    &["prompt length", "exceed"],
    &["prompt length", "greater than"],
    &["input length", "exceed"],
    &["range of input length"],
    &["token count", "exceed"],
    &["input tokens", "exceed"],
    &["number of tokens in the prompt", "exceed"],
    &["number of tokens to keep", "context"],
    &["maximum prompt length is"],
    &["max_input_len", "exceed"],
    &["tokens", "too large for model"],
    &["must have less than", "tokens"],
    &["`inputs` tokens + `max_new_tokens` must be"],
    &["too many tokens", "limit"],
    &["exceeded model token limit"],
    &["exceeds", "token limit"],
    &["reduce the length of the messages"],
    &["reduce the length of the input"],
    &["request body too large", "tokens"],
    &["context the overflows"],
    &["context overflow"],
    &["no kv slot", "context"],
    &["max context size"],
    &["n_keep", "n_ctx"],
    &["max tokens of", "exceeded"],
    &["input is too large to process"],
    &["input token count", "only supports"],
    &["prompt 超长"],
    &["输入", "过长"],
    &["上下文", "超"],
];

/// The same for wordings that are not listed: one word of each entry says that the tokens of what was sent
/// are more than something allows.
const TOO_MANY_OF: &[&[&str]] = &[
    &["token"],
    &["prompt", "input", "message", "conversation", "context", "n_ctx"],
    &[
        "exceed",
        "longer than",
        "too long",
        "too large",
        "too many",
        "greater than",
        "larger than",
        "more than",
        "but the limit is",
        "not fit",
    ],
];

fn is_too_long(words: &str) -> bool {
    TOO_LONG_WORDS.iter().any(|parts| parts.iter().all(|part| words.contains(part)))
        || TOO_MANY_OF.iter().all(|parts| parts.iter().any(|part| words.contains(part)))
}

/// Words that mean that the same request may succeed soon.
pub(super) const PASSING: &[&str] = &[
    "overloaded",
    "over capacity",
    "at capacity",
    "temporarily",
    "try again",
    "too many requests",
    "rate limit",
    "service unavailable",
    "model is loading",
    "loading model",
    "timed out",
    "timeout",
    "bad gateway",
    "upstream connect error",
    "no healthy upstream",
    "unexpectedly stopped",
    "during generation",
];

/// Names of errors and the HTTP status that they stand for.
const STATUS_OF: &[(&[&str], u16)] = &[
    (&["invalid_request_error", "INVALID_ARGUMENT", "BadRequestError", "FAILED_PRECONDITION"], 400),
    (&["request_too_large"], 413),
    (RATE_NAMES, 429),
    (&["ThrottlingException", "throttling_error", "rate_limited"], 429),
    (
        &[
            "api_error",
            "server_error",
            "internal_server_error",
            "internal_error",
            "INTERNAL",
            "InternalServerError",
        ],
        500,
    ),
    (&["bad_gateway"], 502),
    (&["service_unavailable", "UNAVAILABLE", "ServiceUnavailableError", "model_loading"], 503),
    (&["timeout_error", "timeout", "DEADLINE_EXCEEDED", "gateway_timeout"], 504),
    (&["overloaded_error", "overloaded", "capacity_exceeded", "over_capacity", "engine_overloaded"], 529),
];

/// The HTTP status that a name or code stands for.
pub(super) fn status_of(name: &str) -> Option<u16> {
    let number = name.parse::<u16>().ok().filter(|n| (400..600).contains(n));
    number.or_else(|| STATUS_OF.iter().find(|(names, _)| names.contains(&name)).map(|(_, status)| *status))
}

/// May a request that got this status succeed if it is sent again?
pub(super) const fn passes(status: u16) -> bool {
    matches!(status, 408 | 409 | 424 | 425 | 429 | 498 | 500..=599)
}
