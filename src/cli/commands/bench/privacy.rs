//! Strict privacy: no prompt leaves this machine, and none is sent to a server that may pass it on.
//!
//! The answer comes from `--privacy` or a profile; strict in either is strict. It is enforced before
//! a name is resolved or a key is read. A server on this machine counts as a cloud until the user
//! says that it generates the answers itself (`--local-server`): a proxy or a tunnel looks the same
//! from here. What gives itself away as a cloud in spite of that is refused as well.

use super::args::Args;
use crate::catalog::ApiWire;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::profiles;
use crate::cli::secrets::is_loopback;
use crate::document::envelope::Input;
use crate::measure::backend::http::ApiBackend;
use crate::provenance::{Source, Sourced};
use crate::workload::Privacy as Answer;
use crate::workload::keys::{Key, answers};
use reqwest::Url;
use std::collections::BTreeMap;

/// What the user wants of privacy.
#[derive(Debug, Clone)]
pub struct Privacy {
    pub answer: Option<Answer>,
    pub source: Source,
    /// Origins that the user vouches for.
    pub local_servers: Vec<String>,
}

impl Privacy {
    /// From the arguments. A profile that cannot be read ends the command.
    pub fn of(args: &Args, context: &Context) -> Result<Self, CliError> {
        let flag = args.privacy.map(|answer| (answer, Source::flag("--privacy")));
        let profile = args.profile.as_deref().map(|name| profiles::find(name, context)).transpose()?;
        let written = profile.and_then(|profile| {
            let draft = profile.draft;
            let said = |key: &Key| draft.source(key).cloned();
            // A mandate is strict whatever else the profile says.
            let mandated = said(answers::PRIVACY_REASON).map(|source| (Answer::Strict, source));
            mandated.or_else(|| Some((draft.answer(answers::PRIVACY)?, said(answers::PRIVACY)?)))
        });
        let strictest = match (flag, written) {
            (Some(flag), Some(written)) if written.0 == Answer::Strict => {
                if flag.0 != Answer::Strict {
                    return Err(CliError::usage(format!(
                        "--privacy {} contradicts the profile, which says strict ({})",
                        flag.0.key(),
                        written.1.describe()
                    ))
                    .hint("Leave the profile out, or change it, if prompts may really leave this machine."));
                }
                Some(written)
            }
            (flag, written) => flag.or(written),
        };
        let local_servers = args.local_server.iter().map(|text| origin(text)).collect::<Result<_, _>>()?;
        let nobody = || Source::assumed("privacy", "nobody asked for privacy");
        let (answer, source) = strictest.map_or_else(|| (None, nobody()), |(answer, s)| (Some(answer), s));
        Ok(Self { answer, source, local_servers })
    }

    /// Strict, too, where a run was begun so.
    #[must_use]
    pub fn at_least(self, began: Option<Answer>) -> Self {
        if began == Some(Answer::Strict) && !self.strict() {
            return Self { answer: began, source: Source::flag("--privacy"), ..self };
        }
        self
    }

    pub fn strict(&self) -> bool {
        self.answer == Some(Answer::Strict)
    }

    /// The answer and the user's word, for the document.
    pub fn record(&self, inputs: &mut BTreeMap<String, Input>) {
        let Some(answer) = self.answer else { return };
        let plain = |value: serde_json::Value, source: Source| Input::plain(&Sourced::new(value, source));
        inputs.insert("privacy".to_owned(), plain(answer.key().into(), self.source.clone()));
        if !self.local_servers.is_empty() {
            let via = Source::flag("--local-server");
            inputs.insert("local_servers".to_owned(), plain(self.local_servers.clone().into(), via));
        }
    }

    /// May prompts go there? Decided from the address alone: nothing is resolved or sent.
    pub fn allows(&self, id: &str, model: &str, base: &Url, wire: ApiWire) -> Result<(), CliError> {
        if !self.strict() {
            return Ok(());
        }
        let Source::User(via) = &self.source else { return Ok(()) };
        let origin = base.origin().ascii_serialization();
        let refused = |why: String, hint: String| {
            Err(CliError::usage(format!("privacy is strict ({via}): {why}. Nothing was sent")).hint(hint))
        };
        if !is_loopback(base) {
            return refused(
                format!("{id} is at {origin}, and prompts may not leave this machine"),
                "Measure a model on this machine (--model FILE.gguf), or leave strict privacy out for prompts that may leave it.".to_owned(),
            );
        }
        if wire == ApiWire::Ollama && model.ends_with("cloud") {
            return refused(
                format!("{id} runs in Ollama's cloud, although its port is on this machine"),
                "Name a model that Ollama runs here.".to_owned(),
            );
        }
        if !self.local_servers.contains(&origin) {
            return refused(
                format!(
                    "{origin} is on this machine, but may pass prompts on to a cloud (a proxy, a tunnel)"
                ),
                format!("If that server generates the answers itself, say so: --local-server {origin}"),
            );
        }
        Ok(())
    }

    /// What a server says about where its model runs, asked before any prompt. No answer is a no.
    pub async fn ask(&self, id: &str, backend: &ApiBackend) -> Result<(), CliError> {
        if !self.strict() {
            return Ok(());
        }
        match backend.runs_elsewhere().await {
            Ok(None) => Ok(()),
            Ok(Some(host)) => Err(CliError::usage(format!(
                "privacy is strict: the server of {id} says that this model runs at {host}. No prompt was sent"
            ))),
            Err(why) => Err(CliError::usage(format!(
                "privacy is strict: it cannot be found out where {id} runs ({why}). No prompt was sent"
            ))),
        }
    }
}

fn origin(text: &str) -> Result<String, CliError> {
    let bad = |why: &str| {
        CliError::usage(format!("--local-server {text:?} {why}"))
            .hint("Write the server's address, such as http://127.0.0.1:8080.")
    };
    let url = Url::parse(text).map_err(|_| bad("is not an address"))?;
    if is_loopback(&url) {
        Ok(url.origin().ascii_serialization())
    } else {
        Err(bad("is not on this machine"))
    }
}
