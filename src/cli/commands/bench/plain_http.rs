//! Decides on plain http beyond this machine: only within the user's own network, and only where the user
//! allowed it.
//!
//! Prompts and answers then travel unencrypted. A key would, too, which must be allowed separately.

use super::Args;
use crate::cli::ask::{Ask as _, Terminal};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::secrets::{Variable, is_loopback};
use crate::measure::net::is_private_host;
use reqwest::Url;

/// What may be sent to a target unencrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clear {
    /// Nothing is unencrypted: it is https, or on this machine.
    Nothing,
    /// Prompts, and no key.
    Prompts,
    /// Prompts and the key.
    PromptsAndKey,
}

/// Is this plain http to another machine?
pub fn is_plain(url: &Url) -> bool {
    url.scheme() != "https" && !is_loopback(url)
}

/// Refuses plain http to a public address.
pub fn refuse_public(url: &Url) -> Result<(), CliError> {
    if !is_plain(url) || url.host_str().is_some_and(is_private_host) {
        return Ok(());
    }
    if url.host_str().is_some_and(|host| matches!(host, "0.0.0.0" | "[::]")) {
        let mut there = url.clone();
        let _ = there.set_host(Some("127.0.0.1"));
        return Err(CliError::usage(format!("{url} is where a server listens, not where it is asked"))
            .hint(format!("On this machine it is {there}, from elsewhere the machine's own name.")));
    }
    Err(CliError::usage(format!("{url} is not https: the key and the prompts would travel in the clear"))
        .hint("Use https://. Plain http:// is accepted for this machine, and with --allow-http for a host of your own network."))
}

/// What may be sent unencrypted to each server: by the flags, else by one question for each host. `servers`
/// are their addresses, with the variables that hold their keys.
pub fn decide(args: &Args, context: &Context, servers: &[(Url, Variable)]) -> Result<Vec<Clear>, CliError> {
    let mut asked: Vec<(String, Clear)> = Vec::new();
    let mut decided = Vec::new();
    for (url, variable) in servers {
        if !is_plain(url) {
            decided.push(Clear::Nothing);
            continue;
        }
        let host = url.host_str().unwrap_or_default().to_owned();
        let allowed = args.allow_http.iter().any(|named| names(named, url));
        let earlier = asked.iter().find(|(h, _)| *h == host).map(|(_, clear)| *clear);
        let clear = match earlier {
            Some(clear) => clear,
            None if allowed => by_flags(args, context, &host, variable)?,
            None if args.dry_run => {
                context.note(&format!(
                    "{host} is asked over plain http: the run itself needs --allow-http {host}."
                ));
                Clear::Prompts
            }
            None if context.can_ask() => by_questions(&host, variable)?,
            None => {
                return Err(CliError::usage(format!(
                    "{url} is plain http: prompts and answers would travel to {host} in the clear"
                ))
                .hint(format!(
                    "Say so with --allow-http {host} if that network is your own, or use https://."
                )));
            }
        };
        asked.push((host, clear));
        decided.push(clear);
    }
    Ok(decided)
}

/// Does an argument (`HOST`, `HOST:PORT` or the whole origin) name the host of this URL?
fn names(named: &str, url: &Url) -> bool {
    let plain = named.trim().trim_end_matches('/');
    let plain = plain.strip_prefix("http://").unwrap_or(plain);
    let host = url.host_str().unwrap_or_default();
    let with_port = format!("{host}:{}", url.port_or_known_default().unwrap_or(80));
    plain.eq_ignore_ascii_case(host)
        || plain.eq_ignore_ascii_case(&with_port)
        || format!("[{plain}]").eq_ignore_ascii_case(host)
}

fn by_flags(args: &Args, context: &Context, host: &str, variable: &Variable) -> Result<Clear, CliError> {
    if !variable.is_set() {
        return Ok(Clear::Prompts);
    }
    if args.allow_http_keys {
        return Ok(Clear::PromptsAndKey);
    }
    if variable.is_stated() {
        return Err(CliError::usage(format!(
            "the key in {} would travel to {host} in the clear",
            variable.name
        ))
        .hint("Say so with --allow-http-keys, use https://, or leave --api-key-env out for this server."));
    }
    context.note(&format!(
        "The key in {} is not sent to {host}, since it would travel in the clear (--allow-http-keys sends it).",
        variable.name
    ));
    Ok(Clear::Prompts)
}

fn by_questions(host: &str, variable: &Variable) -> Result<Clear, CliError> {
    let mut terminal = Terminal::new();
    let question = format!(
        "Send prompts to {host} over plain http, unencrypted? Only your own network should carry them."
    );
    if !terminal.confirm(&question, false)? {
        return Err(CliError::usage(format!("not started: {host} was not to be asked over plain http")));
    }
    if variable.is_set() {
        let question = format!("Send the key in {} to {host} unencrypted, too?", variable.name);
        if terminal.confirm(&question, false)? {
            return Ok(Clear::PromptsAndKey);
        }
    }
    Ok(Clear::Prompts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_named_in_any_form() {
        let url = |text: &str| Url::parse(text).expect("a URL");
        let gpu = url("http://gpu-box:8000/v1");
        for form in ["gpu-box", "GPU-box", "gpu-box:8000", "http://gpu-box:8000", "http://gpu-box:8000/"] {
            assert!(names(form, &gpu), "{form}");
        }
        assert!(!names("gpu-box:9000", &gpu) && !names("gpu", &gpu) && !names("", &gpu));
        assert!(names("fe80::1", &url("http://[fe80::1]:80/")));
    }

    #[test]
    fn plain_http_to_the_world_is_never_accepted() {
        for public in ["http://llm.example.com/v1", "http://8.8.8.8/", "http://0.0.0.0:8000/", "http://[::]/"]
        {
            assert!(refuse_public(&Url::parse(public).expect("a URL")).is_err(), "{public}");
        }
        for own in ["http://gpu-box:8000/", "http://192.168.1.2/", "http://127.0.0.1/", "https://x.example/"]
        {
            assert!(refuse_public(&Url::parse(own).expect("a URL")).is_ok(), "{own}");
        }
    }
}
