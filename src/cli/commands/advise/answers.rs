//! Flags for answers that are missing, and the command line that repeats a draft.

use super::args::Args;
use crate::advise::{Matrix, verdict};
use crate::cli::error::CliError;
use crate::cli::keys;
use crate::document::repeat::quoted;
use crate::number;
use crate::provenance::Source;
use crate::workload::keys::{Kind, answers};
use crate::workload::need::Question;
use crate::workload::{Given, NeedDraft, Value};

/// Answers the volume question from the numbers, where nobody answered it but the numbers are known.
pub(super) fn with_volume(mut draft: NeedDraft, matrix: &Matrix) -> NeedDraft {
    if draft.has(answers::VOLUME) {
        return draft;
    }
    let Some(tokens) = draft.tokens_per_month() else { return draft };
    let volume = verdict::volume_of(matrix, tokens);
    let reason = format!(
        "{} tokens a month; from {} on, owning starts to be worth computing",
        number::short(tokens),
        number::short(matrix.volume.high_tokens_per_month)
    );
    draft.set(
        answers::VOLUME,
        Given::chosen(Value::Text(volume.key().to_owned()), "high-volume-threshold", reason),
    );
    draft
}

/// Notes on answers in which the command line differs from the profile or document it goes with: which of
/// them holds, and why.
pub(super) fn overruled(said: &NeedDraft, written: &NeedDraft) -> Vec<String> {
    let other = |(name, given): (&&'static str, &Given)| {
        let there = written.fields().get(name).filter(|there| there.value != given.value)?;
        Some(format!(
            "{name}: {} stands ({}), not {} ({}): the command line wins over what is written down",
            given.value.to_flag(),
            where_said(&given.source),
            there.value.to_flag(),
            where_said(&there.source)
        ))
    };
    said.fields().iter().filter_map(other).collect()
}

fn where_said(source: &Source) -> String {
    match source {
        Source::User(how) => how.to_string(),
        other => other.describe(),
    }
}

/// The flag of a question with its answers.
fn flag(question: Question) -> String {
    let key = question.answers();
    let Kind::Choice(words) = key.kind else { return key.flag() };
    let words: Vec<&str> = words.iter().map(|w| w.word).collect();
    format!("--{} {}", key.flag(), words.join("|"))
}

/// The error where there is nobody to ask: the missing answers, as flags.
pub(super) fn missing(draft: &NeedDraft) -> CliError {
    let flags: Vec<String> = draft.missing().into_iter().map(flag).collect();
    CliError::usage(format!(
        "there is no terminal to ask on, and these answers are missing:\n  {}",
        flags.join("\n  ")
    ))
    .hint("or name a profile that has them: `--profile NAME` (`freehold advise --list-profiles`)")
}

/// The command that gives the same verdict without a question.
pub(super) fn command_line(draft: &NeedDraft, args: &Args) -> String {
    let mut words = vec!["freehold".to_owned(), "advise".to_owned()];
    words.extend(keys::words(draft));
    for (flag, file) in [("--evidence", &args.evidence), ("--cost", &args.cost)] {
        if let Some(file) = file {
            words.extend([flag.to_owned(), file.display().to_string()]);
        }
    }
    words.iter().map(|w| quoted(w)).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::keys::{Key, need};
    use crate::workload::{Range, Volume};

    #[test]
    fn what_a_flag_overrules_is_said() {
        let draft = |word: &str| {
            let mut draft = NeedDraft::default();
            draft.set(answers::PRIVACY, Given::chosen(Value::Text(word.to_owned()), "test", "test"));
            draft
        };
        assert!(overruled(&draft("strict"), &draft("strict")).is_empty());
        assert!(overruled(&draft("strict"), &NeedDraft::default()).is_empty());
        let said = overruled(&draft("strict"), &draft("standard"));
        assert!(said.len() == 1 && said[0].starts_with("privacy: strict stands"), "{said:?}");
    }

    #[test]
    fn known_numbers_answer_the_volume_question() {
        let mut draft = NeedDraft::default();
        let mut set = |key: &'static Key, value: f64| {
            draft.set(key, Given::chosen(Value::Number(Range::exactly(value)), "test", "test"));
        };
        set(need::REQUESTS_PER_MONTH, 30_000.0);
        set(need::INPUT_TOKENS, 900.0);
        set(need::OUTPUT_TOKENS, 100.0);
        let matrix = Matrix::shipped();
        let derived = with_volume(draft.clone(), &matrix);
        assert_eq!(derived.answer(answers::VOLUME), Some(Volume::High));
        assert_eq!(derived.source(answers::VOLUME).map(crate::provenance::Source::word), Some("assumed"));
        draft.set(answers::VOLUME, Given::chosen(Value::Text("low".to_owned()), "test", "test"));
        assert_eq!(with_volume(draft, &matrix).answer(answers::VOLUME), Some(Volume::Low));
    }
}
