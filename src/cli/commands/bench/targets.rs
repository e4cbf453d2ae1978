//! `--api PROVIDER:MODEL[@BASE_URL]` → a target with its wire, key, quirks and price.

use super::Args;
use crate::catalog::Catalog;
use crate::cli::error::CliError;
use crate::cli::secrets::{KeyVariables, is_loopback};
use crate::measure::backend::http::ApiTarget;
use crate::measure::backend::wire::{Quirks, WireKind};
use crate::report::bench::Kind;
use crate::report::bench::build::TargetFacts;
use crate::report::bench::price::PriceInForce;
use jiff::civil::Date;
use reqwest::Url;

/// An API target, ready to be connected to.
#[derive(Debug)]
pub struct Api {
    pub target: ApiTarget,
    pub facts: TargetFacts,
    pub loopback: bool,
    /// Models of the provider with a similar name, where this one is not in the catalogue.
    pub near: Vec<String>,
}

struct Provider {
    name: &'static str,
    wire: WireKind,
    base: Option<&'static str>,
    /// Appended to a base URL without a path.
    path: &'static str,
    /// The provider in the price catalogue.
    catalogue: Option<&'static str>,
}

const PROVIDERS: &[Provider] = &[
    Provider {
        name: "openai",
        wire: WireKind::OpenAiChat,
        base: Some("https://api.openai.com/v1"),
        path: "v1/",
        catalogue: Some("openai"),
    },
    Provider {
        name: "openai-responses",
        wire: WireKind::OpenAiResponses,
        base: Some("https://api.openai.com/v1"),
        path: "v1/",
        catalogue: Some("openai"),
    },
    Provider {
        name: "anthropic",
        wire: WireKind::Anthropic,
        base: Some("https://api.anthropic.com"),
        path: "",
        catalogue: Some("anthropic"),
    },
    Provider {
        name: "gemini",
        wire: WireKind::Gemini,
        base: Some("https://generativelanguage.googleapis.com"),
        path: "",
        catalogue: Some("google"),
    },
    Provider {
        name: "ollama",
        wire: WireKind::Ollama,
        base: Some("http://127.0.0.1:11434"),
        path: "",
        catalogue: None,
    },
    Provider {
        name: "mistral",
        wire: WireKind::OpenAiChat,
        base: Some("https://api.mistral.ai/v1"),
        path: "v1/",
        catalogue: Some("mistral"),
    },
    Provider {
        name: "groq",
        wire: WireKind::OpenAiChat,
        base: Some("https://api.groq.com/openai/v1"),
        path: "v1/",
        catalogue: Some("groq"),
    },
    Provider {
        name: "deepseek",
        wire: WireKind::OpenAiChat,
        base: Some("https://api.deepseek.com"),
        path: "v1/",
        catalogue: Some("deepseek"),
    },
    Provider {
        name: "openrouter",
        wire: WireKind::OpenAiChat,
        base: Some("https://openrouter.ai/api/v1"),
        path: "v1/",
        catalogue: Some("openrouter"),
    },
    Provider { name: "compatible", wire: WireKind::OpenAiChat, base: None, path: "v1/", catalogue: None },
];

/// All `--api` arguments.
pub fn parse(args: &Args, catalog: &Catalog, today: Date) -> Result<Vec<Api>, CliError> {
    let variables = KeyVariables::parse(&args.api_key_env)?;
    let parsed: Vec<(&Provider, String, Url)> =
        args.api.iter().map(|text| one(text)).collect::<Result<_, _>>()?;
    let origins: Vec<String> = parsed.iter().map(|(.., url)| url.origin().ascii_serialization()).collect();
    parsed
        .into_iter()
        .zip(&origins)
        .map(|((provider, model, base), origin)| {
            let loopback = is_loopback(&base);
            if base.scheme() != "https" && !loopback {
                return Err(CliError::usage(format!(
                    "{base} is not https: the key and the prompts would travel in the clear"
                ))
                .hint("Use https://. Plain http:// is accepted for servers on this machine only."));
            }
            let sole = origins.iter().all(|o| o == origin);
            let key =
                if args.dry_run { None } else { variables.key(origin, provider.wire, loopback, sole)? };
            // Ollama runs some of its models in its own cloud, through the same local port.
            let remote = provider.wire == WireKind::Ollama && model.ends_with("cloud");
            let stand_in = args.stand_in || (loopback && !remote);
            let price = provider
                .catalogue
                .filter(|_| !stand_in && origin_is(provider, origin))
                .and_then(|name| catalog.served_as(name, &model))
                .and_then(|found| PriceInForce::on(found.model(), today));
            let near = provider
                .catalogue
                .filter(|_| price.is_none() && origin_is(provider, origin))
                .map_or_else(Vec::new, |name| near_names(catalog, name, &model));
            let id = if origin_is(provider, origin) {
                format!("{}:{model}", provider.name)
            } else {
                format!("{}:{model}@{}", provider.name, origin.split("://").last().unwrap_or_default())
            };
            Ok(Api {
                facts: TargetFacts {
                    levels: Vec::new(),
                    id,
                    kind: Kind::Api,
                    model: model.clone(),
                    stand_in,
                    origin: Some(origin.clone()),
                    price,
                    engine: None,
                },
                target: ApiTarget {
                    wire: provider.wire,
                    model,
                    quirks: quirks(provider, loopback, args.api_greedy),
                    base,
                    key,
                },
                loopback,
                near,
            })
        })
        .collect()
}

fn near_names(catalog: &Catalog, provider: &str, model: &str) -> Vec<String> {
    let of_provider = catalog.api_models.iter().filter(|m| m.provider == provider);
    crate::catalog::nearest(model, of_provider.map(|m| m.model.as_str()), 3)
}

fn origin_is(provider: &Provider, origin: &str) -> bool {
    provider.base.and_then(|b| Url::parse(b).ok()).is_some_and(|b| b.origin().ascii_serialization() == origin)
}

/// Two targets may be the same model twice (an A/A run): their ids must differ.
pub fn distinct_ids(facts: &mut [TargetFacts]) {
    for n in 0..facts.len() {
        let earlier =
            facts[..n].iter().filter(|f| f.id.split('#').next() == facts[n].id.split('#').next()).count();
        if earlier > 0 {
            facts[n].id = format!("{}#{}", facts[n].id, earlier + 1);
        }
    }
}

fn quirks(provider: &Provider, loopback: bool, greedy: bool) -> Quirks {
    Quirks {
        // Servers on this machine are mostly llama.cpp's; the others ignore the field.
        llama_server: loopback && provider.wire != WireKind::Ollama,
        old_max_tokens: matches!(provider.name, "mistral" | "deepseek" | "compatible"),
        stream_options: provider.name != "mistral",
        temperature: greedy.then_some(0.0),
    }
}

fn one(text: &str) -> Result<(&'static Provider, String, Url), CliError> {
    const SHAPE: &str = "An API target is PROVIDER:MODEL[@BASE_URL], such as openai:gpt-x or \
                         compatible:my-model@https://llm.example.com/v1.";
    let bad = |what: String| CliError::usage(format!("--api {text:?}: {what}")).hint(SHAPE);
    let (name, rest) =
        text.split_once(':').ok_or_else(|| bad("there is no provider before the model".to_owned()))?;
    let provider = PROVIDERS.iter().find(|p| p.name == name).ok_or_else(|| {
        let names: Vec<&str> = PROVIDERS.iter().map(|p| p.name).collect();
        bad(format!("{name:?} is not one of the providers {}", names.join(", ")))
    })?;
    // Model names may hold an @ themselves; a base URL begins with its scheme.
    let at = ["@http://", "@https://"].iter().filter_map(|s| rest.find(s)).min();
    let (model, base) = match at {
        Some(at) => (&rest[..at], Some(&rest[at + 1..])),
        None => (rest, provider.base),
    };
    if model.trim().is_empty() || model.chars().any(char::is_control) {
        return Err(bad("there is no model name".to_owned()));
    }
    let base = base.ok_or_else(|| bad("a compatible server needs its base URL after an @".to_owned()))?;
    let mut url = Url::parse(base).map_err(|e| bad(format!("{base:?} is not a URL ({e})")))?;
    if !url.username().is_empty()
        || url.password().is_some()
        || url.query().is_some()
        || url.fragment().is_some()
    {
        return Err(bad(
            "a base URL has no user name, password, query or fragment; keys come from the environment"
                .to_owned(),
        ));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(bad("the base URL has no host".to_owned()));
    }
    let path = match url.path() {
        "" | "/" => format!("/{}", provider.path),
        path => format!("{}/", path.trim_end_matches('/')),
    };
    // Anthropic's own path has the v1 in it.
    let path =
        if provider.wire == WireKind::Anthropic { path.trim_end_matches("v1/").to_owned() } else { path };
    url.set_path(&path);
    Ok((provider, model.to_owned(), url))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(text: &str) -> String {
        one(text).expect("a target").2.to_string()
    }

    #[test]
    fn base_urls_are_completed_not_changed() {
        assert_eq!(base("openai:m"), "https://api.openai.com/v1/");
        assert_eq!(base("openai:m@http://127.0.0.1:8080"), "http://127.0.0.1:8080/v1/");
        assert_eq!(base("openai:m@http://127.0.0.1:8080/v1"), "http://127.0.0.1:8080/v1/");
        assert_eq!(base("compatible:a/b@c@https://x.example/openai/v1/"), "https://x.example/openai/v1/");
        assert_eq!(base("anthropic:m@http://localhost:1/v1"), "http://localhost:1/");
        assert_eq!(one("compatible:a/b@c@https://x.example/v1").expect("a target").1, "a/b@c");
    }

    #[test]
    fn what_is_not_a_target_is_refused() {
        for bad in [
            "gpt",
            "nobody:gpt",
            "openai:",
            "compatible:m",
            "openai:m@https://u:p@x.example/",
            "openai:m@https://x.example/?key=1",
        ] {
            assert!(one(bad).is_err(), "{bad}");
        }
    }
}
