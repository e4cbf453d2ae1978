//! The URL that requests go to, made from the base URL that somebody typed. This is the only place that
//! makes such a URL.
//!
//! People type a base URL in many forms: a host, a host with a version, an endpoint copied from a page, the
//! address of a model. Each wire format knows its own endpoint; whatever part of it was typed already is
//! taken off first, so that every form leads to the same place.

use super::wire::WireKind;
use reqwest::Url;

/// The URLs of one API target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The URL that the wire format's paths are appended to; ends in a slash.
    pub base: Url,
    /// Where requests for answers go.
    pub endpoint: Url,
}

impl Address {
    /// The address of `model` under a typed base URL. `own_path` is the path of the provider's own
    /// API, `v1` or `api/v1`, for an address with no path or with the beginning of that one. A query
    /// (Azure's `api-version`) stays.
    pub fn of(wire: WireKind, typed: &Url, own_path: &str, model: &str) -> Self {
        let own: Vec<&str> = own_path.split('/').filter(|s| !s.is_empty()).collect();
        let typed_path: Vec<&str> = typed.path().split('/').filter(|s| !s.is_empty()).collect();
        let mut segments = without_endpoint(wire, &typed_path, model);
        match wire {
            WireKind::OpenAiChat | WireKind::OpenAiResponses => {
                if own.starts_with(&segments) {
                    segments.clone_from(&own);
                } else if segments.last() == Some(&"v1beta") {
                    // Gemini's form of this wire.
                    segments.push("openai");
                }
            }
            WireKind::Gemini => {
                let within_project = segments.iter().any(|s| matches!(*s, "projects" | "publishers"));
                if !segments.last().is_some_and(|s| is_version(s)) && !within_project {
                    segments.push("v1beta");
                }
            }
            WireKind::Anthropic | WireKind::Ollama => {
                if segments.is_empty() {
                    segments.clone_from(&own);
                }
            }
        }
        let mut base = typed.clone();
        base.set_path(&segments.iter().flat_map(|s| [s, "/"]).collect::<String>());
        let (path, query) = wire.endpoint(model);
        let mut endpoint = base.clone();
        endpoint.set_path(&format!("{}{path}", base.path()));
        if let Some(query) = query {
            endpoint.set_query(Some(query));
        }
        Self { base, endpoint }
    }

    /// Scheme, host and port: what a key is bound to.
    pub fn origin(&self) -> String {
        self.endpoint.origin().ascii_serialization()
    }
}

fn is_version(segment: &str) -> bool {
    let rest = segment.strip_prefix('v').unwrap_or_default();
    rest.starts_with(|c: char| c.is_ascii_digit()) && rest.chars().all(|c| c.is_ascii_alphanumeric())
}

/// The typed path without what belongs to an endpoint of the wire format.
fn without_endpoint<'a>(wire: WireKind, typed: &[&'a str], model: &str) -> Vec<&'a str> {
    let endings: &[&[&str]] = match wire {
        WireKind::OpenAiChat | WireKind::OpenAiResponses => &[
            &["chat", "completions"],
            &["completions"],
            &["completion"],
            &["responses"],
            &["messages"],
            &["embeddings"],
            &["models"],
            &["health"],
            // Ollama's and others' own endpoints on the same server.
            &["api", "chat"],
            &["api", "generate"],
            &["api", "tags"],
        ],
        WireKind::Anthropic => &[
            &["v1", "messages", "count_tokens"],
            &["v1", "messages"],
            &["messages"],
            &["v1", "chat", "completions"],
            &["v1", "complete"],
            &["v1", "models"],
            &["v1"],
        ],
        WireKind::Gemini => &[&["openai", "chat", "completions"], &["openai"]],
        WireKind::Ollama => &[
            &["api", "chat"],
            &["api", "generate"],
            &["api", "tags"],
            &["api", "ps"],
            &["api", "show"],
            &["api", "version"],
            &["api"],
            &["v1", "chat", "completions"],
            &["v1"],
        ],
    };
    let mut segments = typed.to_vec();
    if wire == WireKind::Gemini
        && let Some(at) = segments.iter().position(|s| *s == "models" || *s == "tunedModels")
    {
        // `models/NAME`, `models/NAME:generateContent`.
        segments.truncate(at);
    }
    // `models/NAME`, as a page about the model has it.
    if let [.., "models", name] = segments.as_slice()
        && model.starts_with(name.split([':', '%']).next().unwrap_or(name))
    {
        segments.truncate(segments.len() - 2);
    }
    if let Some(ending) = endings.iter().find(|ending| segments.ends_with(ending)) {
        segments.truncate(segments.len() - ending.len());
    }
    if let [.., version, "chat"] = segments.as_slice()
        && is_version(version)
    {
        segments.pop();
    }
    segments
}

/// Is the text after an `@` meant as a server, without a scheme or with a wrong one: `127.0.0.1:8080`,
/// `gpu-box:8000/v1`, `llm.example.com`, `htp://gpu`? A prompt for one's own server must never go to a
/// provider, so everything is but what models have behind an `@` of their own: a version, a revision, a
/// digest, a preset.
pub fn looks_like_a_host(text: &str) -> bool {
    !text.is_empty() && !is_revision(text)
}

fn is_revision(text: &str) -> bool {
    const WORDS: &[&str] = &[
        "latest", "default", "preview", "main", "master", "stable", "beta", "exp", "dev", "awq", "gptq",
        "dwq",
    ];
    /// What a digit follows: `v2`, `q4_0`, `f16`, `w4a16`.
    const LETTERS: &[&str] = &[
        "", "v", "r", "q", "iq", "tq", "w", "b", "k", "f", "fp", "bf", "rc", "int", "exp", "beta", "mxfp",
        "nvfp",
    ];
    /// Who made the file, or how, before its format: `ud-q4_k_xl`, `mlx-4bit`.
    const MADE: &[&str] = &["ud-", "mlx-", "dwq-", "awq-", "gptq-", "i1-"];
    let is_hex = |digits: &str| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit());
    if let Some(digest) = text.strip_prefix("sha256:") {
        return is_hex(digest);
    }
    if let Some(("preset" | "refs", rest)) = text.split_once('/') {
        return !rest.contains(':');
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if !text.chars().all(plain) || text.parse::<std::net::Ipv4Addr>().is_ok() {
        return false;
    }
    let lower = text.to_ascii_lowercase();
    let lower = MADE.iter().find_map(|made| lower.strip_prefix(made)).unwrap_or(&lower);
    let digits = lower.find(|c: char| c.is_ascii_digit());
    // Names of domains end in letters.
    let domain =
        lower.rsplit_once('.').is_some_and(|(_, last)| last.bytes().all(|b| b.is_ascii_alphabetic()));
    let commit = (7..=40).contains(&lower.len()) && is_hex(lower) && digits.is_some();
    let numbered = digits.is_some_and(|at| LETTERS.contains(&&lower[..at]) && !domain);
    WORDS.contains(&lower) || commit || numbered
}

/// What to check where a server finds nothing at an endpoint, as a sentence for an error message.
pub fn hint(wire: WireKind, endpoint: &Url) -> &'static str {
    let path = endpoint.path();
    match wire {
        WireKind::OpenAiChat | WireKind::OpenAiResponses if !path.split('/').any(is_version) => {
            "the base URL usually ends in /v1"
        }
        WireKind::OpenAiChat | WireKind::OpenAiResponses => {
            "either the model is not there under this name, or the base URL has another path"
        }
        WireKind::Anthropic => "the base URL is what stands before /v1/messages",
        WireKind::Gemini => {
            "the base URL is what stands before /v1beta/models, and the model's name is without models/"
        }
        WireKind::Ollama => {
            "the base URL is what stands before /api/chat, and `ollama pull` fetches a model that is not there"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use WireKind::{Anthropic, Gemini, Ollama, OpenAiChat, OpenAiResponses};

    fn endpoint(wire: WireKind, typed: &str, own: &str, model: &str) -> String {
        Address::of(wire, &typed.parse().expect("a URL"), own, model).endpoint.to_string()
    }

    #[test]
    fn every_common_form_leads_to_the_endpoint() {
        let chat = "https://x.example/v1/chat/completions";
        for form in [
            "",
            "/",
            "/v1",
            "/v1/",
            "//v1//",
            "/v1/chat",
            "/v1/chat/completions",
            "/v1/chat/completions/",
            "/v1/completions",
            "/v1/responses",
            "/v1/models",
            "/v1/models/m",
            "/v1/embeddings",
            "/completion",
            "/health",
            "/api/chat",
        ] {
            assert_eq!(endpoint(OpenAiChat, &format!("https://x.example{form}"), "v1", "m"), chat, "{form}");
        }
        let responses = "https://x.example/v1/responses";
        for form in ["", "/v1", "/v1/responses", "/v1/chat/completions", "/v1/models/m"] {
            assert_eq!(
                endpoint(OpenAiResponses, &format!("https://x.example{form}"), "v1", "m"),
                responses,
                "{form}"
            );
        }
        let messages = "https://x.example/v1/messages";
        for form in [
            "",
            "/",
            "/v1",
            "/v1/",
            "/v1/messages",
            "/v1/models",
            "/messages",
            "/v1/messages/count_tokens",
            "/v1/chat/completions",
        ] {
            assert_eq!(endpoint(Anthropic, &format!("https://x.example{form}"), "", "m"), messages, "{form}");
        }
        let gemini = "https://x.example/v1beta/models/g-2:streamGenerateContent?alt=sse";
        for form in [
            "",
            "/",
            "/v1beta",
            "/v1beta/",
            "/v1beta/models",
            "/v1beta/models/g-2",
            "/v1beta/models/g-2:generateContent",
            "/v1beta/models/g-2:streamGenerateContent",
            "/v1beta/openai",
            "/v1beta/openai/chat/completions",
        ] {
            assert_eq!(endpoint(Gemini, &format!("https://x.example{form}"), "", "g-2"), gemini, "{form}");
        }
        let ollama = "http://x.example:11434/api/chat";
        for form in [
            "",
            "/",
            "/api",
            "/api/",
            "/api/chat",
            "/api/generate",
            "/api/tags",
            "/v1",
            "/v1/chat/completions",
        ] {
            assert_eq!(endpoint(Ollama, &format!("http://x.example:11434{form}"), "", "m"), ollama, "{form}");
        }
    }

    #[test]
    fn other_paths_stay_and_the_providers_own_is_completed() {
        for (typed, own, wanted) in [
            ("https://openrouter.ai/api", "api/v1", "https://openrouter.ai/api/v1/chat/completions"),
            ("https://openrouter.ai", "api/v1", "https://openrouter.ai/api/v1/chat/completions"),
            ("https://api.groq.com/openai", "openai/v1", "https://api.groq.com/openai/v1/chat/completions"),
            ("https://webui.example/api", "v1", "https://webui.example/api/chat/completions"),
            ("https://api.z.ai/api/paas/v4", "api/paas/v4", "https://api.z.ai/api/paas/v4/chat/completions"),
            ("https://x.example/llm/v2/chat/completions", "v1", "https://x.example/llm/v2/chat/completions"),
            ("https://x.example/v1beta", "v1", "https://x.example/v1beta/openai/chat/completions"),
            ("https://x.example/v1beta/openai/", "v1", "https://x.example/v1beta/openai/chat/completions"),
            (
                "https://h.example/models/org%2Fm/v1",
                "v1",
                "https://h.example/models/org%2Fm/v1/chat/completions",
            ),
            ("https://x.example/chat", "v1", "https://x.example/chat/chat/completions"),
        ] {
            assert_eq!(endpoint(OpenAiChat, typed, own, "org/m"), wanted, "{typed}");
        }
        assert_eq!(
            endpoint(Anthropic, "https://api.deepseek.com/anthropic", "", "m"),
            "https://api.deepseek.com/anthropic/v1/messages"
        );
        assert_eq!(
            endpoint(Gemini, "https://x.example/v1", "", "models/g"),
            "https://x.example/v1/models/g:streamGenerateContent?alt=sse"
        );
        let dated = "https://a.openai.azure.com/openai/deployments/g/?api-version=2024-10-21";
        assert_eq!(
            endpoint(OpenAiChat, dated, "openai/v1", "g"),
            "https://a.openai.azure.com/openai/deployments/g/chat/completions?api-version=2024-10-21"
        );
    }

    #[test]
    fn the_base_is_what_other_calls_start_from() {
        let base =
            |wire, typed: &str| Address::of(wire, &typed.parse().expect("a URL"), "v1", "m").base.to_string();
        assert_eq!(base(OpenAiChat, "http://h:1/v1/chat/completions"), "http://h:1/v1/");
        assert_eq!(base(Ollama, "http://h:1/api/chat"), "http://h:1/v1/");
        assert_eq!(
            Address::of(Ollama, &"http://h:1/api/chat".parse().expect("a URL"), "", "m").base.as_str(),
            "http://h:1/"
        );
    }

    #[test]
    fn a_host_without_its_scheme_is_told_from_a_version() {
        for host in [
            "127.0.0.1:8080",
            "127.0.0.1",
            "localhost:1234",
            "localhost",
            "gpu-box",
            "gpu-box:8000/v1",
            "[::1]:80",
            "llm.example.com",
            "llm.example.com/v1",
            "host.docker.internal:11434",
            "mybox.local",
            "gpu1",
            "gpu:port",
            ":8000",
            "localhost:",
            "::1",
            "fe80::1",
            "[::1]:8080/v1",
            "müller.local:8000",
            "http:/gpu:8000",
            "htp://gpu:8000",
            "http;//gpu:8000",
            "//gpu:8000",
            " http://127.0.0.1:8000",
            "HTTP:gpu",
            "$HOST:8000",
            "${BASE_URL}",
            "1.example.com",
            "10.0.0.5:8000",
        ] {
            assert!(looks_like_a_host(host), "{host}");
        }
        for version in [
            "20250514",
            "latest",
            "default",
            "v2",
            "001",
            "2025.10",
            "2025-05-14",
            "q4_0",
            "Q4_K_M",
            "w4a16",
            "fp8",
            "f16",
            "UD-Q4_K_XL",
            "ud-iq2_xxs",
            "mlx-4bit",
            "gptq-int4",
            "awq",
            "tq1_0",
            "",
            "main",
            "a1b2c3d",
            "sha256:0a1b",
            "preset/mail",
            "refs/pr/3",
        ] {
            assert!(!looks_like_a_host(version), "{version}");
        }
    }
}
