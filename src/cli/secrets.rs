//! API keys: from the environment only, one variable per origin, never shown.
//!
//! A key belongs to one origin (scheme, host, port). The key in a provider's variable, as the catalogue
//! names it, is sent to that provider's own hosts and nowhere else; any other host needs a variable of its
//! own, named on the command line. No file in a project can change this: `cli::catalog` takes providers
//! from the shipped catalogue and the user's own folder only.

use super::environment;
use super::error::{CliError, Exit};
use crate::catalog::{Catalog, Provider};
use reqwest::Url;
use secrecy::SecretString;

/// The default variable for servers that are not a provider's own.
pub const OWN_VARIABLE: &str = environment::API_KEY.name;

/// Names of the variables that providers' keys are looked for in, each once.
pub fn variables(catalog: &Catalog) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for name in catalog.providers.iter().filter_map(|p| p.key_variable.as_deref()).chain([OWN_VARIABLE]) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// Is this URL one of the provider's own?
pub fn is_own(provider: &Provider, url: &Url) -> bool {
    if let Some(base) = provider.base_url.as_deref().and_then(|b| Url::parse(b).ok()) {
        return base.origin() == url.origin();
    }
    let host = url.host_str().unwrap_or_default();
    url.scheme() == "https" && url.port().is_none() && provider.hosts.iter().any(|p| fits(p, host))
}

/// Does a host match a pattern in which `*` is one whole label?
fn fits(pattern: &str, host: &str) -> bool {
    let (pattern, host) = (pattern.split('.'), host.split('.'));
    pattern.clone().count() == host.clone().count()
        && pattern.zip(host).all(|(p, h)| (p == "*" && !h.is_empty()) || p.eq_ignore_ascii_case(h))
}

/// The variables that hold keys, as the user names them by `--api-key-env`: `NAME` or `ORIGIN=NAME`.
#[derive(Debug, Clone, Default)]
pub struct KeyVariables {
    any: Option<String>,
    by_origin: Vec<(String, String)>,
}

/// The variable that holds the key of one server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    pub name: String,
    /// It may hold a key for another origin.
    shared: bool,
    /// The user named it.
    stated: bool,
    /// The server may need no key: it is on this machine, or in the user's own network.
    optional: bool,
    origin: String,
}

impl KeyVariables {
    /// From `--api-key-env` arguments.
    pub fn parse(arguments: &[String]) -> Result<Self, CliError> {
        let mut variables = Self::default();
        for argument in arguments {
            let (origin, name) = match argument.rsplit_once('=') {
                Some((origin, name)) => {
                    let url = Url::parse(origin).map_err(|e| {
                        CliError::usage(format!(
                            "--api-key-env {argument}: {origin:?} is not an origin ({e})"
                        ))
                        .hint("Write NAME, or ORIGIN=NAME such as https://llm.example.com=MY_KEY.")
                    })?;
                    (Some(url.origin().ascii_serialization()), name)
                }
                None => (None, argument.as_str()),
            };
            if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
                return Err(CliError::usage(
                    "--api-key-env takes the name of an environment variable, not a key",
                )
                .hint("Put the key into a variable and give its name, such as MY_KEY."));
            }
            match origin {
                Some(origin) => variables.by_origin.push((origin, name.to_owned())),
                None if variables.any.replace(name.to_owned()).is_some() => {
                    return Err(CliError::usage("--api-key-env is given twice without an origin")
                        .hint("Write ORIGIN=NAME for each server."));
                }
                None => {}
            }
        }
        Ok(variables)
    }

    /// The variable that holds the key of a server. `providers` is every provider known.
    pub fn of(&self, url: &Url, optional: bool, providers: &[Provider]) -> Result<Variable, CliError> {
        let origin = url.origin().ascii_serialization();
        let stated = self.by_origin.iter().find(|(o, _)| *o == origin).map(|(_, name)| name.clone());
        let own = providers.iter().find(|p| p.key_variable.is_some() && is_own(p, url));
        let known = own.and_then(|p| p.key_variable.clone());
        // A provider with a host of its own for every customer: one variable, many origins.
        let many = own.is_some_and(|p| p.base_url.is_none());
        let by_user = stated.is_some() || (known.is_none() && self.any.is_some());
        let (name, shared) = match (stated, known, self.any.clone()) {
            (Some(name), ..) => (name, false),
            (None, Some(name), _) => (name, many),
            (None, None, Some(name)) => (name, true),
            (None, None, None) => (OWN_VARIABLE.to_owned(), true),
        };
        let mut owners = providers.iter().filter(|p| p.key_variable.as_ref() == Some(&name)).peekable();
        if let Some(owner) = owners.peek().copied()
            && !owners.any(|p| is_own(p, url))
        {
            return Err(CliError::usage(format!(
                "{name} belongs to {} and is not sent to {origin}",
                home(owner)
            ))
            .hint(format!(
                "Put the key of {origin} into a variable of its own and name it: --api-key-env {origin}=NAME"
            )));
        }
        Ok(Variable { name, shared, stated: by_user, optional, origin })
    }
}

/// The addresses that a provider's key may go to, in words.
fn home(provider: &Provider) -> String {
    let base = provider.base_url.as_deref().and_then(|b| Url::parse(b).ok());
    base.map_or_else(|| provider.hosts.join(" and "), |b| b.origin().ascii_serialization())
}

impl Variable {
    /// Did the user name it for this server?
    pub fn is_stated(&self) -> bool {
        self.stated
    }
    /// Is it set?
    pub fn is_set(&self) -> bool {
        environment::text(&self.name).is_some()
    }
    /// The key; `None` where it is not set and the server may need none. `all` are the variables of every
    /// server of the run: a shared variable's key goes to one server only.
    pub fn key(&self, all: &[Self]) -> Result<Option<SecretString>, CliError> {
        let also = |v: &&Self| v.name == self.name && v.origin != self.origin;
        if self.shared && all.iter().any(|v| also(&v)) {
            if self.optional && !self.stated {
                return Ok(None);
            }
            return Err(CliError::usage(format!("more than one server would get the key in {}", self.name))
                .hint("Name a variable for each: --api-key-env ORIGIN=NAME, once per server."));
        }
        match environment::text(&self.name) {
            Some(key) => Ok(Some(SecretString::from(key))),
            _ if self.optional && !self.stated => Ok(None),
            _ => Err(CliError::new(
                Exit::Credential,
                format!("no API key for {}: the environment variable {} is not set", self.origin, self.name),
            )
            .hint(format!(
                "Set it: export {}=..., or name another variable with --api-key-env. Keys are never taken from the command line.",
                self.name
            ))),
        }
    }
}

/// Is this host the machine itself?
pub fn is_loopback(url: &Url) -> bool {
    match url.host_str() {
        Some("localhost") => true,
        Some(host) => host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .parse::<std::net::IpAddr>()
            .is_ok_and(|ip| ip.is_loopback()),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variable(url: &str, arguments: &[&str]) -> Result<Variable, CliError> {
        let url = Url::parse(url).expect("a URL");
        let arguments: Vec<String> = arguments.iter().map(|a| (*a).to_owned()).collect();
        let providers = Catalog::embedded().providers;
        KeyVariables::parse(&arguments)?.of(&url, is_loopback(&url), &providers)
    }

    #[test]
    fn a_key_goes_to_its_own_hosts_only() {
        let name = |url: &str| variable(url, &[]).expect("known").name;
        assert_eq!(name("https://api.groq.com/openai/v1"), "GROQ_API_KEY");
        assert_eq!(name("https://mine.openai.azure.com/openai/v1/"), "AZURE_OPENAI_API_KEY");
        assert_eq!(
            name("https://bedrock-runtime.eu-west-1.amazonaws.com/openai/v1"),
            "AWS_BEARER_TOKEN_BEDROCK"
        );
        for other in [
            "https://a.b.openai.azure.com/",
            "https://openai.azure.com.evil.example/",
            "https://mine.openai.azure.com:8443/",
            "http://mine.openai.azure.com/",
            "https://api.openai.com.evil.example/v1",
            "https://api.openai.com:444/v1",
            "http://127.0.0.1:8080/v1",
        ] {
            assert_eq!(name(other), OWN_VARIABLE, "{other}");
            let asked = variable(other, &["OPENAI_API_KEY"]);
            assert!(asked.is_err(), "{other} must not get OpenAI's key, even when asked to");
            let origin = Url::parse(other).expect("a URL").origin().ascii_serialization();
            assert!(variable(other, &[&format!("{origin}=AZURE_OPENAI_API_KEY")]).is_err(), "{other}");
        }
    }

    #[test]
    fn one_variable_of_many_hosts_goes_to_one_of_them() {
        let a = variable("https://a.openai.azure.com/", &[]).expect("known");
        let b = variable("https://b.openai.azure.com/", &[]).expect("known");
        let all = [a.clone(), b];
        assert!(a.key(&all).is_err(), "two resources would get the same key");
    }
}
