//! Reads `--api PROVIDER:MODEL[@BASE_URL]` into a target with its wire format, key, quirks and price.

use super::args::Args;
use super::plain_http::{self, Clear};
use crate::app::bench;
use crate::app::bench::asked::Asked;
use crate::app::bench::privacy::{Place, Privacy};
use crate::app::bench::spending::Service;
use crate::app::bench::targets::NamedApi;
use crate::catalog::{ApiWire, Catalog, Provider};
use crate::cli::context::Context;
use crate::cli::environment;
use crate::cli::error::CliError;
use crate::cli::secrets::{self, KeyVariables, Variable, is_loopback, is_own};
use crate::document::bench::build::TargetFacts;
use crate::measure::address::{Address, looks_like_a_host};
use crate::measure::backend::http::ApiTarget;
use crate::measure::net::is_private_host;
use crate::measure::redact;
use crate::measure::wire::WireKind;
use jiff::civil::Date;
use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};

/// An API target, ready to be connected to.
#[derive(Debug, Clone)]
pub struct Api {
    pub target: ApiTarget,
    pub facts: TargetFacts,
    pub loopback: bool,
    /// Models of the provider with a similar name, where this one is not in the catalogue.
    pub near: Vec<String>,
}

impl Api {
    /// The service, as spending sees it.
    pub fn service(&self) -> Service {
        Service {
            id: self.facts.id.clone(),
            endpoint: self.target.address.endpoint.to_string(),
            key_variable: self.target.key.as_ref().and(self.target.key_variable.clone()),
            stand_in: self.facts.stand_in,
            loopback: self.loopback,
            price: self.facts.price.clone(),
            near: self.near.clone(),
        }
    }
}

/// Reads all `--api` arguments, or those of another flag that names APIs.
pub fn parse(
    flag: &str,
    texts: &[String],
    args: &Args,
    catalog: &Catalog,
    context: &Context,
    privacy: &Privacy,
) -> Result<Vec<Api>, CliError> {
    let named: Vec<NamedTarget<'_>> = texts
        .iter()
        .map(|text| named_target(flag, text, catalog, &environment::text))
        .collect::<Result<_, _>>()?;
    for NamedTarget { provider, model, address } in &named {
        let base = &address.base;
        privacy.allows(&Place {
            id: &format!("{}:{model}", provider.id),
            model,
            origin: &base.origin().ascii_serialization(),
            loopback: is_loopback(base),
            wire: provider.wire,
        })?;
        plain_http::refuse_public(base)?;
    }
    let variables = KeyVariables::parse(&args.api_key_env)?;
    let servers: Vec<(Url, Variable)> = named
        .iter()
        .map(|n| {
            let base = &n.address.base;
            let optional = is_loopback(base) || plain_http::is_plain(base);
            Ok((base.clone(), variables.of(base, optional, &catalog.providers)?))
        })
        .collect::<Result<_, CliError>>()?;
    let asked = args.asked();
    let clear = plain_http::decide(args, context, &servers)?;
    let variables: Vec<Variable> = servers.into_iter().map(|(_, variable)| variable).collect();
    named
        .iter()
        .zip(variables.iter().zip(clear))
        .map(|(n, (variable, clear))| {
            let key = match clear {
                _ if args.dry_run => None,
                Clear::Prompts => None,
                Clear::Nothing | Clear::PromptsAndKey => variable.key(&variables)?,
            };
            let known = secrets::variables(catalog);
            if key.is_some() && !known.contains(&variable.name.as_str()) {
                context.note(&format!(
                    "The key in {} is sent to {}: that is no provider's own variable.",
                    variable.name,
                    n.address.origin()
                ));
            }
            if let Some(key) = key.as_ref().filter(|key| !redact::is_secret(key)) {
                context.note(&format!(
                    "The key in {} has {} and is too simple to be a secret: it is not looked for in answers.",
                    variable.name,
                    characters(key.expose_secret().chars().count())
                ));
            }
            Ok(api(n, variable, key, clear, &asked, catalog, context.today))
        })
        .collect()
}

fn characters(n: usize) -> String {
    if n == 1 { "1 character".to_owned() } else { format!("{n} characters") }
}

/// A target as the argument names it.
#[derive(Debug)]
struct NamedTarget<'a> {
    provider: &'a Provider,
    model: String,
    address: Address,
}

fn api(
    named: &NamedTarget<'_>,
    variable: &Variable,
    key: Option<SecretString>,
    clear: Clear,
    asked: &Asked,
    catalog: &Catalog,
    today: Date,
) -> Api {
    let NamedTarget { provider, model, address } = named;
    let base = &address.base;
    let origin = address.origin();
    let proxy = crate::cli::proxy::of(base);
    let api = NamedApi {
        provider,
        model,
        origin: &origin,
        own: is_own(provider, base),
        loopback: is_loopback(base),
        proxy: proxy.as_ref().map(|p| p.url.as_str()),
    };
    let (facts, near) = bench::targets::facts(&api, asked, catalog, today);
    Api {
        target: ApiTarget {
            quirks: bench::targets::quirks(&api, asked),
            key,
            key_variable: Some(variable.name.clone()),
            key_header: provider.key_header.name(),
            private_only: clear != Clear::Nothing,
            not_found_hint: provider.not_found.clone(),
            proxy: proxy.clone(),
            ..ApiTarget::new(wire(provider.wire), model, address.clone())
        },
        facts,
        loopback: api.loopback,
        near,
    }
}

const fn wire(wire: ApiWire) -> WireKind {
    match wire {
        ApiWire::OpenAiChat => WireKind::OpenAiChat,
        ApiWire::OpenAiResponses => WireKind::OpenAiResponses,
        ApiWire::Anthropic => WireKind::Anthropic,
        ApiWire::Gemini => WireKind::Gemini,
        ApiWire::Ollama => WireKind::Ollama,
    }
}

fn named_target<'a>(
    flag: &str,
    text: &str,
    catalog: &'a Catalog,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<NamedTarget<'a>, CliError> {
    const SHAPE: &str = "An API target is PROVIDER:MODEL[@BASE_URL], such as openai:gpt-x or \
                         compatible:my-model@https://llm.example.com/v1. `freehold db list providers` \
                         shows the providers.";
    let bad = |what: String| CliError::usage(format!("{flag} {text:?}: {what}")).hint(SHAPE);
    let (name, rest) =
        text.split_once(':').ok_or_else(|| bad("there is no provider before the model".to_owned()))?;
    let name = name.trim();
    let lower = name.to_ascii_lowercase();
    let provider = catalog.provider(name).or_else(|| catalog.provider(&lower)).ok_or_else(|| {
        let ids = catalog.ids(crate::catalog::Kind::Provider);
        bad(format!("{name:?} is not one of the providers {}", ids.join(", ")))
    })?;
    // Model names may hold an @ themselves; a base URL begins with its scheme.
    let folded = rest.to_ascii_lowercase();
    let at = ["@http://", "@https://"].iter().filter_map(|s| folded.find(s)).min();
    let of_variable = || provider.endpoint_variable.as_deref().and_then(variable);
    let (model, base) = if let Some(at) = at {
        (&rest[..at], Some(rest[at + 1..].to_owned()))
    } else {
        without_scheme(name, rest).map_err(&bad)?;
        (rest, provider.base_url.clone().or_else(of_variable))
    };
    let model = model.trim();
    let model = if provider.wire == ApiWire::Gemini { model.trim_start_matches("models/") } else { model };
    if model.trim().is_empty() || model.chars().any(char::is_control) {
        return Err(bad("there is no model name".to_owned()));
    }
    let base = base.ok_or_else(|| {
        let example = provider.hosts.first().map_or("llm.example.com".to_owned(), |h| h.replace('*', "NAME"));
        let or = provider.endpoint_variable.as_ref().map_or(String::new(), |v| format!(", or in {v}"));
        bad(format!("{name} needs the base URL after the model: {name}:{rest}@https://{example}{or}"))
    })?;
    let mut url = Url::parse(&base).map_err(|e| bad(format!("{base:?} is not a URL ({e})")))?;
    if provider.wire == ApiWire::Gemini && url.query() == Some("alt=sse") {
        // A part of the endpoint, pasted with it.
        url.set_query(None);
    }
    if !url.username().is_empty()
        || url.password().is_some()
        || url.query().is_some_and(|query| provider.dated_path.is_none() || version_of(query).is_none())
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
    let without_path = matches!(url.path(), "" | "/");
    let version = url.query().and_then(version_of).map(str::to_owned).or_else(|| {
        // An address with a path needs no version from the environment.
        provider.version_variable.as_deref().filter(|_| without_path).and_then(variable)
    });
    let is_date = |version: &String| version.starts_with(|c: char| c.is_ascii_digit());
    if let (Some(form), Some(version)) = (&provider.dated_path, version.filter(is_date)) {
        dated(&mut url, form, model, &version);
        let address = Address::of(wire(provider.wire), &url, "", model);
        return Ok(NamedTarget { provider, model: model.to_owned(), address });
    }
    let address = Address::of(wire(provider.wire), &url, own_path(provider, &url), model);
    Ok(NamedTarget { provider, model: model.to_owned(), address })
}

/// The path of the provider's API on a server: the provider's own where the address is its own or has the
/// beginning of that path, else the usual one.
fn own_path<'p>(provider: &'p Provider, typed: &Url) -> &'p str {
    let Some(base) = &provider.base_url else { return &provider.path };
    let after_host = base.splitn(4, '/').nth(3).unwrap_or_default().trim_matches('/');
    let typed_path = typed.path().trim_matches('/');
    let begins =
        !typed_path.is_empty() && after_host.split('/').zip(typed_path.split('/')).all(|(a, b)| a == b);
    if begins || is_own(provider, typed) { after_host } else { &provider.path }
}

/// Refuses a server address without a scheme, which would be taken for a part of the model's name.
fn without_scheme(name: &str, rest: &str) -> Result<(), String> {
    let Some((model, host)) = rest.rsplit_once('@') else { return Ok(()) };
    if host.is_empty() {
        return Err("the address after @ is missing".to_owned());
    }
    if model.is_empty() {
        // `@cf/meta/…` is how some models are called; a port is none's.
        let first = host.split('/').next().unwrap_or(host);
        return if first.contains(':') {
            Err(format!("there is no model name before the address {host:?}"))
        } else {
            Ok(())
        };
    }
    if !looks_like_a_host(host) {
        return Ok(());
    }
    // What was meant for a scheme goes.
    let shown = host.trim().trim_start_matches('/');
    let (shown, stated) = match shown.split_once('/') {
        Some((scheme, after)) if scheme.ends_with([':', ';']) || scheme.eq_ignore_ascii_case("http") => {
            (after.trim_start_matches('/'), true)
        }
        _ => (shown, false),
    };
    let bare_v6 = shown.parse::<std::net::Ipv6Addr>().is_ok();
    let shown = if bare_v6 { format!("[{shown}]") } else { shown.to_owned() };
    let own = if bare_v6 {
        is_private_host(&shown)
    } else {
        is_private_host(shown.split([':', '/']).next().unwrap_or(&shown))
    };
    let scheme = if own { "http" } else { "https" };
    let what = if stated { "does not begin with http:// or https://" } else { "has no scheme" };
    Err(format!(
        "the address after @ {what}: write {name}:{model}@{scheme}://{shown}. If {host} is a part of the model's name, add the server's address after it: {name}:{rest}@https://…"
    ))
}

/// The API version in a query that has nothing else.
fn version_of(query: &str) -> Option<&str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    let version = query.strip_prefix("api-version=")?;
    (!version.is_empty() && version.chars().all(plain)).then_some(version)
}

/// Sets the address of a model in the dated form; one that has its path already keeps it.
fn dated(url: &mut Url, form: &str, model: &str, version: &str) {
    let given = url.path().trim_end_matches('/').trim_end_matches("/chat/completions").to_owned();
    if given.contains("/deployments/") {
        url.set_path(&format!("{given}/"));
    } else if let Ok(mut parts) = url.path_segments_mut() {
        // Segment by segment, so that a model's name stays one segment.
        parts.clear();
        parts.extend(form.split('/').map(|part| if part == "{model}" { model } else { part })).push("");
    }
    url.set_query(Some(&format!("api-version={version}")));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(text: &str) -> String {
        named_target("--api", text, &Catalog::embedded(), &|_| None)
            .expect("a target")
            .address
            .base
            .to_string()
    }

    #[test]
    fn azure_has_two_forms_and_the_variables_people_have() {
        let with = |text: &str, variables: &[(&str, &str)]| {
            let find =
                |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
            named_target("--api", text, &Catalog::embedded(), &find)
                .map(|named| named.address.base.to_string())
        };
        let endpoint = ("AZURE_OPENAI_ENDPOINT", "https://mine.openai.azure.com/");
        let version = ("OPENAI_API_VERSION", "2024-10-21");
        let v1 = "https://mine.openai.azure.com/openai/v1/";
        let dated = "https://mine.openai.azure.com/openai/deployments/gpt/?api-version=2024-10-21";
        assert_eq!(with("azure:gpt", &[endpoint]).expect("a target"), v1);
        assert_eq!(with("azure:gpt", &[endpoint, version]).expect("a target"), dated);
        assert_eq!(with("azure:gpt", &[endpoint, ("OPENAI_API_VERSION", "preview")]).expect("a target"), v1);
        assert_eq!(with("azure:gpt@https://mine.openai.azure.com", &[version]).expect("a target"), dated);
        for form in ["", "/", "/openai/deployments/gpt", "/openai/deployments/gpt/chat/completions"] {
            let text = format!("azure:gpt@https://mine.openai.azure.com{form}?api-version=2024-10-21");
            assert_eq!(with(&text, &[]).expect("a target"), dated);
        }
        let stated = "azure:gpt@https://mine.openai.azure.com/openai/v1";
        assert_eq!(with(stated, &[endpoint, version]).expect("a target"), v1);
        assert!(with("azure:gpt", &[]).is_err_and(|e| format!("{e:?}").contains("AZURE_OPENAI_ENDPOINT")));
        for bad in ["?api-key=x", "?api-version=2024-10-21&key=x", "?api-version="] {
            assert!(with(&format!("azure:gpt@https://mine.openai.azure.com{bad}"), &[]).is_err(), "{bad}");
        }
        assert!(with("openai:gpt@https://x.example/?api-version=2024-10-21", &[]).is_err());
        let odd = with("azure:a/../b@https://mine.openai.azure.com/?api-version=2024-10-21", &[]);
        assert!(odd.expect("a target").contains("/deployments/a%2F..%2Fb/"));
    }

    #[test]
    fn base_urls_are_completed_not_changed() {
        assert_eq!(base("openai:m"), "https://api.openai.com/v1/");
        assert_eq!(base("openai:m@http://127.0.0.1:8080"), "http://127.0.0.1:8080/v1/");
        assert_eq!(base("openai:m@http://127.0.0.1:8080/v1"), "http://127.0.0.1:8080/v1/");
        assert_eq!(base("compatible:a/b@c@https://x.example/openai/v1/"), "https://x.example/openai/v1/");
        assert_eq!(base("anthropic:m@http://localhost:1/v1"), "http://localhost:1/");
        assert_eq!(
            base("azure:gpt@https://mine.openai.azure.com"),
            "https://mine.openai.azure.com/openai/v1/"
        );
        assert_eq!(base("groq:m"), "https://api.groq.com/openai/v1/");
        assert_eq!(base("OpenAI:m@HTTP://127.0.0.1:8080"), "http://127.0.0.1:8080/v1/");
        assert_eq!(
            base("gemini:g@https://x.example/v1beta/models/g:streamGenerateContent?alt=sse"),
            "https://x.example/v1beta/"
        );
        let catalog = Catalog::embedded();
        assert_eq!(
            named_target("--api", "compatible:a/b@c@https://x.example/v1", &catalog, &|_| None)
                .expect("a target")
                .model,
            "a/b@c"
        );
    }

    /// Every shipped provider can be named, and its address is one that requests can be sent to.
    #[test]
    fn every_shipped_provider_is_a_target() {
        let catalog = Catalog::embedded();
        for provider in &catalog.providers {
            let text = match provider.base_url {
                Some(_) => format!("{}:m", provider.id),
                None => format!("{}:m@https://x.example", provider.id),
            };
            let named = named_target("--api", &text, &catalog, &|_| None).expect("a target");
            assert!(named.address.base.path().ends_with('/'), "{text}");
            assert_eq!(is_own(provider, &named.address.base), provider.base_url.is_some(), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_target_is_refused() {
        for bad in [
            "openai:m@",
            "openai:@gpu:8000",
            "openai:m@ http://127.0.0.1:8000",
            "openai:m@htp://gpu:8000",
            "openai:m@gpu1",
            "openai:m@::1",
            "gpt",
            "nobody:gpt",
            "openai:",
            "compatible:m",
            "azure:m",
            "openai:m@https://u:p@x.example/",
            "openai:m@https://x.example/?key=1",
        ] {
            assert!(named_target("--api", bad, &Catalog::embedded(), &|_| None).is_err(), "{bad}");
        }
    }
}
