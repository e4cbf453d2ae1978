//! The questions as flags, and flags as a command line to repeat.

use super::Args;
use crate::advise::{Matrix, verdict};
use crate::cli::error::CliError;
use crate::document::repeat::quoted;
use crate::number;
use crate::provenance::{Source, Sourced};
use crate::units::Share;
use crate::workload::need::{Question, sourced};
use crate::workload::profile::Count;
use crate::workload::{Budget, Capability, Modifier, NeedDraft, Operations, Privacy, PrivacyReason, Volume};

/// Each question of the wizard.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Answers")]
pub struct AnswerArgs {
    /// May the data leave? `sensitive`: only under an agreement with the provider.
    #[arg(long, value_enum, hide_possible_values = false)]
    pub privacy: Option<Privacy>,
    /// What mandates that it may not; implies `--privacy strict`.
    #[arg(long, value_enum, value_name = "REASON")]
    pub privacy_reason: Option<PrivacyReason>,
    /// How many tokens, how steadily? `high`: much, every month.
    #[arg(long, value_enum)]
    pub volume: Option<Volume>,
    /// How strong must the model be?
    #[arg(long, value_enum)]
    pub capability: Option<Capability>,
    /// Are there people to run servers?
    #[arg(long, value_enum)]
    pub operations: Option<Operations>,
    /// Running costs, or money up front?
    #[arg(long, value_enum)]
    pub budget: Option<Budget>,
    /// What else holds; may be repeated or separated by commas.
    #[arg(long = "with", value_enum, value_name = "CIRCUMSTANCE", value_delimiter = ',')]
    pub modifiers: Vec<Modifier>,
    /// Requests in a month.
    #[arg(long, value_name = "N")]
    pub requests_per_month: Option<Count>,
    /// Mean input tokens of one request, cached ones included.
    #[arg(long, value_name = "N")]
    pub input_tokens: Option<Count>,
    /// Share of the input tokens read from the provider's cache, 0 to 1.
    #[arg(long, value_name = "SHARE", value_parser = share)]
    pub cached_input_share: Option<Share>,
    /// Mean output tokens of one request, without reasoning.
    #[arg(long, value_name = "N")]
    pub output_tokens: Option<Count>,
    /// Mean reasoning tokens of one request.
    #[arg(long, value_name = "N")]
    pub reasoning_tokens: Option<Count>,
}

fn share(text: &str) -> Result<Share, String> {
    let value: f64 = text.parse().map_err(|e| format!("{e}"))?;
    Share::try_from(value).map_err(|e| e.to_string())
}

impl AnswerArgs {
    /// What the flags say.
    pub fn draft(&self) -> NeedDraft {
        let via = |flag: &str| Source::User { via: format!("--{flag}") };
        let count = |value: Option<Count>, flag: &str| sourced(value.map(Count::get), || via(flag));
        let mut modifiers: Vec<Sourced<Modifier>> = Vec::new();
        for modifier in &self.modifiers {
            if modifiers.iter().all(|m| m.value != *modifier) {
                modifiers.push(Sourced::new(*modifier, via("with")));
            }
        }
        NeedDraft {
            privacy: sourced(self.privacy, || via("privacy")),
            privacy_reason: sourced(self.privacy_reason, || via("privacy-reason")),
            volume: sourced(self.volume, || via("volume")),
            capability: sourced(self.capability, || via("capability")),
            operations: sourced(self.operations, || via("operations")),
            budget: sourced(self.budget, || via("budget")),
            modifiers,
            input_tokens: count(self.input_tokens, "input-tokens"),
            cached_input_share: sourced(self.cached_input_share.map(Share::get), || {
                via("cached-input-share")
            }),
            output_tokens: count(self.output_tokens, "output-tokens"),
            reasoning_tokens: count(self.reasoning_tokens, "reasoning-tokens"),
            requests_per_month: count(self.requests_per_month, "requests-per-month"),
        }
    }
}

/// Where nobody answered the volume question but the numbers are known, they answer it.
pub(super) fn with_volume(mut draft: NeedDraft, matrix: &Matrix) -> NeedDraft {
    let (Some(requests), Some(input), Some(output)) =
        (&draft.requests_per_month, &draft.input_tokens, &draft.output_tokens)
    else {
        return draft;
    };
    let reasoning = draft.reasoning_tokens.as_ref().map_or(0.0, |t| t.value);
    let tokens = requests.value * (input.value + output.value + reasoning);
    let volume = verdict::volume_of(matrix, tokens);
    draft.volume.get_or_insert_with(|| {
        Sourced::assumed(
            volume,
            "high-volume-threshold",
            format!(
                "{} tokens a month; the brief's line for high volume is {}",
                number::short(tokens),
                number::short(matrix.volume.high_tokens_per_month)
            ),
        )
    });
    draft
}

/// The flag of a question with its answers.
fn flag(question: Question) -> String {
    let answers: Vec<&str> = match question {
        Question::Privacy => Privacy::ALL.iter().map(|a| a.key()).collect(),
        Question::Volume => Volume::ALL.iter().map(|a| a.key()).collect(),
        Question::Capability => Capability::ALL.iter().map(|a| a.key()).collect(),
        Question::Operations => Operations::ALL.iter().map(|a| a.key()).collect(),
        Question::Budget => Budget::ALL.iter().map(|a| a.key()).collect(),
    };
    format!("--{} {}", question.key(), answers.join("|"))
}

/// Nobody to ask: what is missing, as flags.
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
    let mut put = |flag: &str, value: Option<String>| {
        if let Some(value) = value {
            words.push(format!("--{flag}"));
            words.push(quoted(&value));
        }
    };
    let number = |v: &Option<Sourced<f64>>| v.as_ref().map(|v| v.value.to_string());
    put("privacy", draft.privacy.as_ref().map(|a| a.value.key().to_owned()));
    put("privacy-reason", draft.privacy_reason.as_ref().map(|a| a.value.key().to_owned()));
    put("volume", draft.volume.as_ref().map(|a| a.value.key().to_owned()));
    put("capability", draft.capability.as_ref().map(|a| a.value.key().to_owned()));
    put("operations", draft.operations.as_ref().map(|a| a.value.key().to_owned()));
    put("budget", draft.budget.as_ref().map(|a| a.value.key().to_owned()));
    let modifiers: Vec<&str> = draft.modifiers.iter().map(|m| m.value.key()).collect();
    put("with", (!modifiers.is_empty()).then(|| modifiers.join(",")));
    put("requests-per-month", number(&draft.requests_per_month));
    put("input-tokens", number(&draft.input_tokens));
    put("cached-input-share", number(&draft.cached_input_share));
    put("output-tokens", number(&draft.output_tokens));
    put("reasoning-tokens", number(&draft.reasoning_tokens));
    put("evidence", args.evidence.as_ref().map(|p| p.display().to_string()));
    put("cost", args.cost.as_ref().map(|p| p.display().to_string()));
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_numbers_answer_the_volume_question() {
        let args = AnswerArgs {
            requests_per_month: Count::try_from(30_000.0).ok(),
            input_tokens: Count::try_from(900.0).ok(),
            output_tokens: Count::try_from(100.0).ok(),
            ..AnswerArgs::default()
        };
        let matrix = Matrix::shipped();
        let volume = with_volume(args.draft(), &matrix).volume.expect("derived");
        assert_eq!((volume.value, volume.source.word()), (Volume::High, "assumed"));
        let said = AnswerArgs { volume: Some(Volume::Low), ..args };
        assert_eq!(with_volume(said.draft(), &matrix).volume.map(|v| v.value), Some(Volume::Low));
    }
}
