//! What the end of a run means for the user: one sentence for every target that is not complete, with what
//! to do about it.

use super::questions::AskingEnded;
use crate::document::bench::{BenchDocument, Target};
use crate::measure::event::{Fault, FaultKind};

/// Why a run is not complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    Interrupted,
    /// A key was refused.
    Credential,
    Failed,
}

/// What is missing of a run, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotWhole {
    pub cause: Cause,
    pub message: String,
    pub hint: String,
}

/// How a run ended, and where its results are.
#[derive(Debug, Clone, Copy)]
pub struct EndOfRun<'a> {
    pub interrupted: bool,
    /// It ended because the next request could have passed the spending cap.
    pub capped: bool,
    pub journal: &'a str,
    /// The command that resumes the run.
    pub again: &'a str,
    /// For each target, names in the catalogue that are similar to its model's.
    pub near: &'a [Vec<String>],
}

/// What is missing of a run; `None`: nothing.
pub fn of_run(document: &BenchDocument, over: &EndOfRun<'_>) -> Option<NotWhole> {
    let EndOfRun { interrupted, capped, journal, again, near } = *over;
    let kept = format!("What was measured is in the report and in {journal}.\nTo go on: {again}");
    if interrupted {
        let message = "interrupted: the rest of the run is missing".to_owned();
        return Some(NotWhole { cause: Cause::Interrupted, message, hint: kept });
    }
    let targets = &document.result.targets;
    let mut said: Vec<String> = Vec::new();
    let mut advice: Vec<String> = Vec::new();
    for (n, target) in targets.iter().enumerate() {
        let Some(line) = lost(document, target) else { continue };
        said.push(line);
        let fault = target.stopped.as_ref().or_else(|| first_fault(document, target));
        let similar = near.get(n).map_or(&[][..], Vec::as_slice);
        advice.extend(fault.and_then(|f| remedy(f, similar)).filter(|a| !advice.contains(a)));
    }
    for judge in &document.result.judges {
        said.extend(judge.stopped.as_ref().map(|fault| format!("{}, as judge: {}", judge.id, fault.message)));
    }
    if capped {
        said.push("the next request could cost more than --max-cost allows, so the run stopped".to_owned());
    }
    if said.is_empty() {
        return None;
    }
    advice.push(kept);
    let refused = |t: &Target| t.stopped.as_ref().is_some_and(|f| f.kind == FaultKind::Auth);
    let cause = if targets.iter().any(refused) { Cause::Credential } else { Cause::Failed };
    Some(NotWhole { cause, message: said.join("\n"), hint: advice.join(" ") })
}

/// What is missing after judges were asked about the answers that are there; `None`: nothing.
pub fn of_judging(ended: &AskingEnded, journal: &str) -> Option<NotWhole> {
    let hint =
        format!("What was said is in the report and in {journal}; the same command asks only what is left.");
    if ended.interrupted {
        let message = "interrupted: some questions were not asked".to_owned();
        return Some(NotWhole { cause: Cause::Interrupted, message, hint });
    }
    let mut lines: Vec<String> =
        ended.stopped.iter().map(|(id, fault)| format!("{id}: {}", fault.message)).collect();
    if ended.capped {
        lines.push(
            "the next question could cost more than --max-cost allows, so the asking stopped".to_owned(),
        );
    }
    (!lines.is_empty()).then(|| NotWhole { cause: Cause::Failed, message: lines.join("\n"), hint })
}

/// Why a target has no results, or not all of them.
fn lost(document: &BenchDocument, target: &Target) -> Option<String> {
    if let Some(fault) = &target.stopped {
        return Some(format!("{}: {}", target.id, fault.message));
    }
    let alone = document.result.samples.iter().filter(|s| s.target == target.id).map(|s| &s.error);
    let loaded = document.result.load_samples.iter().filter(|s| s.target == target.id).map(|s| &s.error);
    let mut errors = alone.chain(loaded).peekable();
    let first = errors.peek().copied()?.as_ref()?;
    let all = errors.all(Option::is_some);
    all.then(|| format!("every request to {} failed: {}", target.id, first.message))
}

fn first_fault<'a>(document: &'a BenchDocument, target: &Target) -> Option<&'a Fault> {
    document.result.samples.iter().filter(|s| s.target == target.id).find_map(|s| s.error.as_ref())
}

/// What can be done about a fault.
fn remedy(fault: &Fault, near: &[String]) -> Option<String> {
    let text = match fault.kind {
        FaultKind::Auth => "Check the key and what it may use.".to_owned(),
        FaultKind::Region => {
            "A key does not help: the provider refuses requests from this country.".to_owned()
        }
        FaultKind::Quota => {
            "Add credit or raise the limit with the provider, then go on with --resume.".to_owned()
        }
        FaultKind::Rate => "Wait, or ask for fewer requests; --resume asks again what failed.".to_owned(),
        FaultKind::NotFound if near.is_empty() => {
            "Check the model's name and the base URL.".to_owned()
        }
        FaultKind::NotFound => format!("Check the model's name; the catalogue has {}.", near.join(", ")),
        FaultKind::Context => "Shorten the prompt, or lower --max-output-tokens.".to_owned(),
        FaultKind::ConnectDns | FaultKind::ConnectRefused | FaultKind::ConnectTimeout => {
            "Check the address, and that the server runs.".to_owned()
        }
        FaultKind::Proxy => {
            "Check HTTPS_PROXY, ALL_PROXY and NO_PROXY: the server is reached through the proxy that they name.".to_owned()
        }
        FaultKind::Tls => {
            "A certificate of an authority of your own, or the server's own one, is trusted when SSL_CERT_FILE names its file."
                .to_owned()
        }
        FaultKind::TimeoutFirst | FaultKind::TimeoutIdle | FaultKind::TimeoutTotal => {
            "A slow server may need a longer --first-timeout, --idle-timeout or --timeout.".to_owned()
        }
        _ => return None,
    };
    Some(text)
}
