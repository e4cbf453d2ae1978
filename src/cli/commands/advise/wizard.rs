//! The five questions and what follows from them, from the table of keys. Asks only what is not
//! answered yet.

use crate::cli::ask::{Ask, AskError};
use crate::provenance::{Source, UserInput};
use crate::workload::given::{Given, Value, value_from_text};
use crate::workload::keys::{Key, Kind, answers, need};
use crate::workload::need::Question;
use crate::workload::{Answer as _, Modifier, NeedDraft, Privacy};

/// Ask for everything that is missing. `again` makes the command line of a draft, for a run that is
/// interrupted.
pub(super) fn run(
    ask: &mut dyn Ask,
    mut draft: NeedDraft,
    again: &dyn Fn(&NeedDraft) -> String,
) -> Result<NeedDraft, AskError> {
    for question in draft.missing() {
        remember(ask, &draft, again);
        let (n, text, default) = wording(question);
        choose(ask, &mut draft, question.answers(), &format!("{n}/5 {text}"), default)?;
        remember(ask, &draft, again);
        match question {
            Question::Privacy
                if draft.answer(answers::PRIVACY) == Some(Privacy::Strict)
                    && !draft.has(answers::PRIVACY_REASON) =>
            {
                reason(ask, &mut draft)?;
            }
            Question::Volume => numbers(ask, &mut draft)?,
            _ => {}
        }
    }
    remember(ask, &draft, again);
    if draft.modifiers().is_empty() {
        circumstances(ask, &mut draft)?;
        remember(ask, &draft, again);
    }
    Ok(draft)
}

/// Its place, its words, and which answer is offered first: never the risky one.
const fn wording(question: Question) -> (u8, &'static str, usize) {
    match question {
        Question::Privacy => (1, "May a provider see the data?", 0),
        Question::Volume => (2, "How much will it be used?", 0),
        Question::Capability => (3, "How strong must the model be?", 1),
        Question::Operations => (4, "Who would run servers?", 0),
        Question::Budget => (5, "How is it paid?", 0),
    }
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
    let text =
        if draft.is_empty() { String::new() } else { format!("Go on from here with:\n  {}", again(draft)) };
    ask.remember(&text);
}

fn said(key: &Key, value: Value) -> Given {
    Given { value, source: Source::User(UserInput::question(key.name)) }
}

fn choose(
    ask: &mut dyn Ask,
    draft: &mut NeedDraft,
    key: &'static Key,
    question: &str,
    default: usize,
) -> Result<(), AskError> {
    let Kind::Choice(words) = key.kind else { return Ok(()) };
    let lines: Vec<String> = words.iter().map(|w| format!("{}: {}", w.word, w.means)).collect();
    let chosen = ask.choose(question, &lines, default)?;
    if let Some(word) = words.get(chosen) {
        draft.set(key, said(key, Value::Text(word.word.to_owned())));
    }
    Ok(())
}

fn reason(ask: &mut dyn Ask, draft: &mut NeedDraft) -> Result<(), AskError> {
    let key = answers::PRIVACY_REASON;
    let Kind::Choice(words) = key.kind else { return Ok(()) };
    let mut lines = vec!["our own policy: no law or contract asks for it".to_owned()];
    lines.extend(words.iter().map(|w| format!("{}: {}", w.word, w.means)));
    let chosen = ask.choose("Who requires it?", &lines, 0)?;
    if let Some(word) = chosen.checked_sub(1).and_then(|n| words.get(n)) {
        draft.set(key, said(key, Value::Text(word.word.to_owned())));
    }
    Ok(())
}

/// Optional numbers: they place the break-even and price the options.
fn numbers(ask: &mut dyn Ask, draft: &mut NeedDraft) -> Result<(), AskError> {
    number(ask, draft, need::REQUESTS_PER_MONTH, "Requests in a month (20k, 1.5M; Enter: not known)")?;
    if draft.has(need::REQUESTS_PER_MONTH) {
        number(ask, draft, need::INPUT_TOKENS, "Input tokens of one request (Enter: not known)")?;
        number(ask, draft, need::OUTPUT_TOKENS, "Output tokens of one request (Enter: not known)")?;
    }
    Ok(())
}

fn number(
    ask: &mut dyn Ask,
    draft: &mut NeedDraft,
    key: &'static Key,
    question: &str,
) -> Result<(), AskError> {
    if draft.has(key) {
        return Ok(());
    }
    let how = || UserInput::question(key.name);
    let read = |text: &str| {
        let shown = format!("{} {}: ", how(), text.trim());
        value_from_text(key, how(), text.trim())
            .map_err(|e| e.to_string().trim_start_matches(&shown).to_owned())
    };
    let text = ask.text(question, "", &|text| {
        if text.trim().is_empty() { Ok(()) } else { read(text).map(drop) }
    })?;
    if let Ok(given) = read(&text) {
        draft.set(key, given);
    }
    Ok(())
}

fn circumstances(ask: &mut dyn Ask, draft: &mut NeedDraft) -> Result<(), AskError> {
    let lines: Vec<String> = Modifier::WORDS.iter().map(|w| format!("{}: {}", w.word, w.means)).collect();
    let chosen = ask.choose_many("What else holds? (Space marks, Enter goes on)", &lines)?;
    for word in chosen.into_iter().filter_map(|n| Modifier::WORDS.get(n)) {
        let name = format!("{}{}", answers::MODIFIER, word.word);
        if let Some(key) = crate::workload::keys::find(answers::KEYS, &name) {
            draft.set(key, said(key, Value::Flag(true)));
        }
    }
    Ok(())
}
