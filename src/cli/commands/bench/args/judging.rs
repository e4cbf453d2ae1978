//! Arguments of graders outside of this program: models as judges, an embedding model, programs of the
//! user.

use crate::app::bench::asked::{JUDGE_TOKENS, JudgeForm, JudgingOptions, Program};
use clap::builder::PossibleValue;
use std::path::PathBuf;

impl std::str::FromStr for Program {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((name, path)) if !name.trim().is_empty() && !path.trim().is_empty() => {
                Ok(Self { name: name.trim().to_owned(), path: PathBuf::from(path) })
            }
            _ => Err("it is written NAME=PROGRAM, NAME as in the prompt file".to_owned()),
        }
    }
}

/// Judges, and other graders outside of this program.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct JudgingArgs {
    /// A model that judges the answers once they are there (repeatable): an API as for --api, or a model on this
    /// machine as for --model. It grades by the rubrics of the prompts (`llm-rubric`; the first judge's word
    /// counts), and says of each pair of targets whose answer is better, asked in both orders.
    #[arg(long, value_name = "TARGET", help_heading = "Judges and graders")]
    pub judge: Vec<String>,
    /// A rubric for every prompt that has none of its own, such as "The answer is correct and polite".
    #[arg(long, value_name = "TEXT", help_heading = "Judges and graders")]
    pub rubric: Option<String>,
    /// What decides which of two answers is better [default: correct, complete, in the form asked for, no longer
    /// than needed].
    #[arg(long, value_name = "TEXT", help_heading = "Judges and graders")]
    pub criterion: Option<String>,
    /// Judges do not grade by rubrics.
    #[arg(long, help_heading = "Judges and graders")]
    pub no_rubrics: bool,
    /// Judges do not compare pairs of answers.
    #[arg(long, conflicts_with = "no_rubrics", help_heading = "Judges and graders")]
    pub no_preferences: bool,
    /// Longest answer of a judge, tokens; a model that reasons needs room for it.
    #[arg(long, value_name = "N", default_value_t = JUDGE_TOKENS, value_parser = clap::value_parser!(u32).range(16..=100_000), help_heading = "Judges and graders")]
    pub judge_tokens: u32,
    /// Form of a judge's verdict: `line`, at the end of its answer; `json`, held to a JSON schema by
    /// structured output, so that any model gives one; `auto`, json for models and servers on this machine,
    /// else line.
    #[arg(
        long,
        value_name = "FORM",
        default_value = "auto",
        value_enum,
        help_heading = "Judges and graders"
    )]
    pub judge_form: JudgeForm,
    /// An embedding model on this machine, as for --model: grades `similar`.
    #[arg(long, value_name = "MODEL", help_heading = "Judges and graders")]
    pub embedder: Option<String>,
    /// A program of yours that grades where a prompt file says `exec` with this name (repeatable). It gets one
    /// line of JSON (id, prompt, answer, vars) and says {"pass": true} or {"score": 0.5}, or nothing: then its exit
    /// code 0 is a pass and 1 a failure. It sees no keys. No program is run that is not named here.
    #[arg(long, value_name = "NAME=PROGRAM", help_heading = "Judges and graders")]
    pub exec: Vec<Program>,
    /// With --replay: how a person graded some answers, drawn at random (CSV or JSONL with `target`,
    /// `prompt_id`, `pass` and, where prompts were repeated, `repeat`). It shows how good the judges are,
    /// and the pass rates that this person would find.
    #[arg(long, value_name = "FILE", requires = "replay", help_heading = "Judges and graders")]
    pub human: Option<PathBuf>,
}

impl JudgingArgs {
    /// The arguments as plain values.
    pub fn options(&self) -> JudgingOptions {
        JudgingOptions {
            judges: self.judge.clone(),
            tokens: self.judge_tokens,
            form: self.judge_form,
            rubric: self.rubric.clone(),
            criterion: self.criterion.clone(),
            no_rubrics: self.no_rubrics,
            no_preferences: self.no_preferences,
            embedder: self.embedder.clone(),
            programs: self.exec.clone(),
            human: self.human.clone(),
        }
    }
}

impl clap::ValueEnum for JudgeForm {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Auto, Self::Line, Self::Json]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let help = match self {
            Self::Auto => "JSON for models and servers on this machine, a line else",
            Self::Line => "In words of its own, the verdict in the last line",
            Self::Json => "Structured output",
        };
        Some(PossibleValue::new(self.given().unwrap_or("auto")).help(help))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_named_with_its_path() {
        let good: Program = "mine=./grade.sh".parse().expect("good");
        assert_eq!((good.name.as_str(), good.path), ("mine", PathBuf::from("./grade.sh")));
        for bad in ["", "mine", "=x", "mine="] {
            assert!(bad.parse::<Program>().is_err(), "{bad}");
        }
    }
}
