//! Strict privacy: no prompt leaves this machine, and none is sent to a server that may pass it on.
//!
//! A server on this machine counts as a cloud until the user says that it generates the answers itself
//! (`--local-server`), since a proxy or a tunnel looks the same from here. A server that nevertheless shows
//! itself to be a cloud is refused as well.

use crate::app::Refusal;
use crate::catalog::ApiWire;
use crate::document::envelope::Input;
use crate::provenance::{Source, Sourced};
use crate::workload::keys::{Key, answers};
use crate::workload::{NeedDraft, Privacy as Answer};
use std::collections::BTreeMap;

/// The privacy that the user wants.
#[derive(Debug, Clone)]
pub struct Privacy {
    pub answer: Option<Answer>,
    pub source: Source,
    /// Origins of servers that, by the user's word, generate answers themselves.
    pub local_servers: Vec<String>,
}

/// Where prompts would go.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The target's id, and the model there.
    pub id: &'a str,
    pub model: &'a str,
    pub origin: &'a str,
    /// Is it on this machine?
    pub loopback: bool,
    pub wire: ApiWire,
}

impl Privacy {
    /// The privacy by flag and profile: strict in either is strict. No server is vouched for yet.
    pub fn of(flag: Option<Answer>, profile: Option<&NeedDraft>) -> Result<Self, Refusal> {
        let flag = flag.map(|answer| (answer, Source::flag("--privacy")));
        let written = profile.and_then(|draft| {
            let said = |key: &Key| draft.source(key).cloned();
            // A mandate is strict whatever else the profile says.
            let mandated = said(answers::PRIVACY_REASON).map(|source| (Answer::Strict, source));
            mandated.or_else(|| Some((draft.answer(answers::PRIVACY)?, said(answers::PRIVACY)?)))
        });
        let strictest = match (flag, written) {
            (Some(flag), Some(written)) if written.0 == Answer::Strict => {
                if flag.0 != Answer::Strict {
                    return Err(Refusal::input(format!(
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
        let nobody = || Source::assumed("privacy", "nobody asked for privacy");
        let (answer, source) = strictest.map_or_else(|| (None, nobody()), |(answer, s)| (Some(answer), s));
        Ok(Self { answer, source, local_servers: Vec::new() })
    }

    /// Makes it strict where the run was begun under strict privacy.
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

    /// Adds the answer, and servers that the user vouched for, to the inputs of the document.
    pub fn record(&self, inputs: &mut BTreeMap<String, Input>) {
        let Some(answer) = self.answer else { return };
        let plain = |value: serde_json::Value, source: Source| Input::plain(&Sourced::new(value, source));
        inputs.insert("privacy".to_owned(), plain(answer.key().into(), self.source.clone()));
        if !self.local_servers.is_empty() {
            let via = Source::flag("--local-server");
            inputs.insert("local_servers".to_owned(), plain(self.local_servers.clone().into(), via));
        }
    }

    /// May prompts be sent to a place? Decided from the address alone: nothing is resolved or sent.
    pub fn allows(&self, place: &Place<'_>) -> Result<(), Refusal> {
        let Place { id, model, origin, loopback, wire } = *place;
        if !self.strict() {
            return Ok(());
        }
        let Source::User(via) = &self.source else { return Ok(()) };
        let refused = |why: String, hint: String| {
            Err(Refusal::input(format!("privacy is strict ({via}): {why}. Nothing was sent")).hint(hint))
        };
        if !loopback {
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
        if !self.local_servers.iter().any(|server| server == origin) {
            return refused(
                format!(
                    "{origin} is on this machine, but may pass prompts on to a cloud (a proxy, a tunnel)"
                ),
                format!("If that server generates the answers itself, say so: --local-server {origin}"),
            );
        }
        Ok(())
    }

    /// Checks what a server says about where its model runs, asked before any prompt: `Ok(None)` is on the
    /// server itself. No answer counts as a no.
    pub fn heard(&self, id: &str, runs_at: Result<Option<String>, String>) -> Result<(), Refusal> {
        if !self.strict() {
            return Ok(());
        }
        match runs_at {
            Ok(None) => Ok(()),
            Ok(Some(host)) => Err(Refusal::input(format!(
                "privacy is strict: the server of {id} says that this model runs at {host}. No prompt was sent"
            ))),
            Err(why) => Err(Refusal::input(format!(
                "privacy is strict: it cannot be found out where {id} runs ({why}). No prompt was sent"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strict_privacy_lets_prompts_go_only_where_the_user_vouches_for_it() {
        let here = Place {
            id: "vllm:m",
            model: "m",
            origin: "http://127.0.0.1:8000",
            loopback: true,
            wire: ApiWire::OpenAiChat,
        };
        let away = Place { origin: "https://api.example", loopback: false, ..here };
        let cloud = Place { model: "m:cloud", wire: ApiWire::Ollama, ..here };
        let lax = Privacy::of(None, None).expect("nothing was said");
        assert!([here, away, cloud].iter().all(|place| lax.allows(place).is_ok()));
        let mut strict = Privacy::of(Some(Answer::Strict), None).expect("by the flag");
        assert!([here, away, cloud].iter().all(|place| strict.allows(place).is_err()));
        strict.local_servers.push(here.origin.to_owned());
        assert!(strict.allows(&here).is_ok());
        assert!([away, cloud].iter().all(|place| strict.allows(place).is_err()));
        // No answer counts as a no.
        assert!(strict.heard("m", Ok(None)).is_ok() && strict.heard("m", Err("it is down".into())).is_err());
        assert!(strict.heard("m", Ok(Some("ollama.com".to_owned()))).is_err());
        assert!(lax.at_least(Some(Answer::Strict)).strict());
    }
}
