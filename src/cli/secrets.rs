//! API keys: from the environment only, one variable per origin, never shown.
//!
//! A key belongs to one origin (scheme, host, port). The providers' own variables are sent to the
//! providers' own hosts and nowhere else; any other host needs a variable of its own.

use super::error::{CliError, Exit};
use crate::measure::backend::wire::WireKind;
use reqwest::Url;
use secrecy::SecretString;

/// The variable for servers that are not a provider's own.
pub const OWN_VARIABLE: &str = "FREEHOLD_API_KEY";

/// Origins whose key variable is known: those of the providers' SDKs.
const KNOWN: &[(&str, &str)] = &[
    ("https://api.openai.com", "OPENAI_API_KEY"),
    ("https://api.anthropic.com", "ANTHROPIC_API_KEY"),
    ("https://generativelanguage.googleapis.com", "GEMINI_API_KEY"),
    ("https://openrouter.ai", "OPENROUTER_API_KEY"),
    ("https://api.groq.com", "GROQ_API_KEY"),
    ("https://api.mistral.ai", "MISTRAL_API_KEY"),
    ("https://api.deepseek.com", "DEEPSEEK_API_KEY"),
    ("https://api.together.xyz", "TOGETHER_API_KEY"),
    ("https://api.x.ai", "XAI_API_KEY"),
];

/// Names of the variables that providers' keys are looked for in.
pub fn variables() -> impl Iterator<Item = &'static str> {
    KNOWN.iter().map(|(_, name)| *name).chain([OWN_VARIABLE])
}

/// Which variable holds the key of which origin, as the user says: `NAME` or `ORIGIN=NAME`.
#[derive(Debug, Clone, Default)]
pub struct KeyVariables {
    any: Option<String>,
    by_origin: Vec<(String, String)>,
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

    /// The key for an origin. `sole` is true where no other server of this run would get the same
    /// variable; `loopback` servers need none.
    pub fn key(
        &self,
        origin: &str,
        wire: WireKind,
        loopback: bool,
        sole: bool,
    ) -> Result<Option<SecretString>, CliError> {
        let stated = self.by_origin.iter().find(|(o, _)| o == origin).map(|(_, name)| name.as_str());
        let known = KNOWN.iter().find(|(o, _)| *o == origin).map(|(_, name)| *name);
        let (name, shared) = match (stated, known, self.any.as_deref()) {
            (Some(name), _, _) | (None, Some(name), _) => (name, false),
            (None, None, Some(name)) => (name, true),
            (None, None, None) => (OWN_VARIABLE, true),
        };
        if let Some((owner, _)) = KNOWN.iter().find(|(o, n)| *n == name && *o != origin) {
            return Err(CliError::usage(format!("{name} belongs to {owner} and is not sent to {origin}"))
                .hint(format!("Put the key of {origin} into a variable of its own and name it: --api-key-env {origin}=NAME")));
        }
        if shared && !sole {
            if loopback && self.any.is_none() {
                return Ok(None);
            }
            return Err(CliError::usage(format!("more than one server would get the key in {name}"))
                .hint("Name a variable for each: --api-key-env ORIGIN=NAME, once per server."));
        }
        match std::env::var(name) {
            Ok(key) if !key.trim().is_empty() => Ok(Some(SecretString::from(key.trim().to_owned()))),
            _ if (loopback && stated.is_none()) || wire == WireKind::Ollama => Ok(None),
            _ => Err(CliError::new(Exit::Credential, format!("no API key for {origin}: the environment variable {name} is not set"))
                .hint(format!("Set it: export {name}=..., or name another variable with --api-key-env. Keys are never taken from the command line."))),
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
