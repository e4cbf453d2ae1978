//! The five questions and what follows from them. Asks only what is not answered yet.

use crate::cli::ask::{Ask, AskError};
use crate::document::advice::modifier;
use crate::provenance::Sourced;
use crate::workload::need::Question;
use crate::workload::profile::Count;
use crate::workload::{Budget, Capability, Modifier, NeedDraft, Operations, Privacy, PrivacyReason, Volume};

/// Ask for everything that is missing. `again` makes the command line of a draft, for whoever
/// interrupts.
pub(super) fn run(
    ask: &mut dyn Ask,
    mut draft: NeedDraft,
    again: &dyn Fn(&NeedDraft) -> String,
) -> Result<NeedDraft, AskError> {
    for question in draft.missing() {
        remember(ask, &draft, again);
        match question {
            Question::Privacy => {
                draft.privacy = Some(said("privacy", privacy(ask)?));
                remember(ask, &draft, again);
                let strict = draft.privacy.as_ref().is_some_and(|p| p.value == Privacy::Strict);
                if strict && draft.privacy_reason.is_none() {
                    draft.privacy_reason = privacy_reason(ask)?.map(|r| said("privacy reason", r));
                }
            }
            Question::Volume => {
                draft.volume = Some(said("volume", volume(ask)?));
                remember(ask, &draft, again);
                numbers(ask, &mut draft)?;
            }
            Question::Capability => draft.capability = Some(said("capability", capability(ask)?)),
            Question::Operations => draft.operations = Some(said("operations", operations(ask)?)),
            Question::Budget => draft.budget = Some(said("budget", budget(ask)?)),
        }
    }
    remember(ask, &draft, again);
    if draft.modifiers.is_empty() {
        draft.modifiers = circumstances(ask)?;
        remember(ask, &draft, again);
    }
    Ok(draft)
}

/// A name to save the answers under, if wanted.
pub(super) fn save(ask: &mut dyn Ask) -> Result<Option<String>, AskError> {
    if !ask.confirm("Save these answers as a profile?", false)? {
        return Ok(None);
    }
    let name = ask.text("Name, or a file ending in .toml", "my-need", &|name| {
        let name = name.trim();
        if name.is_empty() || name.contains('\0') { Err("a name is needed".to_owned()) } else { Ok(()) }
    })?;
    Ok(Some(name.trim().to_owned()))
}

fn remember(ask: &mut dyn Ask, draft: &NeedDraft, again: &dyn Fn(&NeedDraft) -> String) {
    let said_something = *draft != NeedDraft::default();
    let text =
        if said_something { format!("Go on from here with:\n  {}", again(draft)) } else { String::new() };
    ask.remember(&text);
}

fn said<T>(question: &str, value: T) -> Sourced<T> {
    Sourced::user(value, format!("question: {question}"))
}

fn pick<T: Copy>(
    ask: &mut dyn Ask,
    question: &str,
    items: &[(T, &str, &str)],
    default: usize,
) -> Result<T, AskError> {
    let lines: Vec<String> = items.iter().map(|(_, key, text)| format!("{key}: {text}")).collect();
    ask.choose(question, &lines, default).map(|n| items[n.min(items.len() - 1)].0)
}

fn privacy(ask: &mut dyn Ask) -> Result<Privacy, AskError> {
    pick(
        ask,
        "1/5 May a provider see the data?",
        &[
            (Privacy::Standard, "standard", "yes"),
            (Privacy::Sensitive, "sensitive", "only under an agreement"),
            (Privacy::Strict, "strict", "no, it may not leave"),
        ],
        0,
    )
}

fn privacy_reason(ask: &mut dyn Ask) -> Result<Option<PrivacyReason>, AskError> {
    pick(
        ask,
        "What says so?",
        &[
            (None, "own decision", "nothing outside the team"),
            (Some(PrivacyReason::Hipaa), "hipaa", "health data"),
            (Some(PrivacyReason::AttorneyClient), "attorney-client", "legal privilege"),
            (Some(PrivacyReason::Classified), "classified", "government work"),
            (Some(PrivacyReason::TradeSecrets), "trade-secrets", "own algorithms, secrets"),
            (Some(PrivacyReason::Jurisdiction), "jurisdiction", "rules of place for user data"),
        ],
        0,
    )
}

fn volume(ask: &mut dyn Ask) -> Result<Volume, AskError> {
    pick(
        ask,
        "2/5 How much will it be used?",
        &[
            (Volume::Low, "low", "little, or nobody knows yet"),
            (Volume::Variable, "variable", "comes and goes"),
            (Volume::High, "high", "much, every month (30M tokens and up)"),
        ],
        0,
    )
}

/// Optional numbers: they place the break-even and price the examples.
fn numbers(ask: &mut dyn Ask, draft: &mut NeedDraft) -> Result<(), AskError> {
    let mut number = |question: &str, key: &str, slot: &mut Option<Sourced<f64>>| {
        if slot.is_none() {
            *slot = count(ask, question)?.map(|n| said(key, n));
        }
        Ok::<(), AskError>(())
    };
    number("Requests in a month (Enter: not known)", "requests per month", &mut draft.requests_per_month)?;
    if draft.requests_per_month.is_some() {
        number("Input tokens of one request (Enter: not known)", "input tokens", &mut draft.input_tokens)?;
        number("Output tokens of one request (Enter: not known)", "output tokens", &mut draft.output_tokens)?;
    }
    Ok(())
}

fn count(ask: &mut dyn Ask, question: &str) -> Result<Option<f64>, AskError> {
    let parse = |text: &str| text.trim().replace(',', "").parse::<Count>();
    let text = ask.text(question, "", &|text| {
        if text.trim().is_empty() {
            Ok(())
        } else {
            parse(text).map(|_| ()).map_err(|_| "a number, please".to_owned())
        }
    })?;
    Ok(parse(&text).ok().map(Count::get))
}

fn capability(ask: &mut dyn Ask) -> Result<Capability, AskError> {
    pick(
        ask,
        "3/5 How strong must the model be?",
        &[
            (Capability::Basic, "basic", "simple, well-defined tasks"),
            (Capability::Moderate, "moderate", "good enough is enough"),
            (Capability::Maximum, "maximum", "the strongest there is"),
        ],
        1,
    )
}

fn operations(ask: &mut dyn Ask) -> Result<Operations, AskError> {
    pick(
        ask,
        "4/5 Who would run servers?",
        &[
            (Operations::Limited, "limited", "nobody has the time"),
            (Operations::Available, "available", "there are people for it"),
        ],
        0,
    )
}

fn budget(ask: &mut dyn Ask) -> Result<Budget, AskError> {
    pick(
        ask,
        "5/5 How is it paid?",
        &[(Budget::Opex, "opex", "running costs"), (Budget::Capex, "capex", "money up front is possible")],
        0,
    )
}

fn circumstances(ask: &mut dyn Ask) -> Result<Vec<Sourced<Modifier>>, AskError> {
    let lines: Vec<String> = Modifier::ALL.iter().map(|m| format!("{}: {}", m.key(), modifier(*m))).collect();
    let chosen = ask.choose_many("What else holds? (Space marks, Enter goes on)", &lines)?;
    Ok(chosen.into_iter().filter_map(|n| Modifier::ALL.get(n)).map(|m| said("what else holds", *m)).collect())
}
