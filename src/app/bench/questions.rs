//! Questions to graders outside of this program: judges, an embedding model, programs of the user. Nothing
//! is asked twice, and nothing that could pass the spending cap.

use super::asked::{JudgingOptions, LocalOptions, Program};
use super::bounds::OVERHEAD_TOKENS;
use super::local_models::context;
use super::tally::Tally;
use crate::document::bench::build::{self, Question, Replies, TargetFacts};
use crate::measure::conversation::Answered;
use crate::measure::event::{Fault, Request};
use crate::measure::run;
use crate::measure::schedule::Step;
use crate::prompts::conversation::{Message, Role};
use crate::prompts::{Assertion, Prompt};
use crate::quality::judge::Form;
use crate::quality::{Graders, Need};
use std::collections::BTreeSet;
use std::time::Duration;

/// How the asking ended.
#[derive(Debug, Default)]
pub struct AskingEnded {
    pub interrupted: bool,
    pub capped: bool,
    /// Judges that were given up.
    pub stopped: Vec<(String, Fault)>,
}

impl AskingEnded {
    /// Was everything asked?
    pub fn is_whole(&self) -> bool {
        !self.interrupted && !self.capped && self.stopped.is_empty()
    }
}

/// Gives every prompt without a rubric of its own that of the command line.
pub fn add_rubric(prompts: &mut [Prompt], rubric: &str) {
    for prompt in prompts {
        let needs = Graders::needs(&prompt.asserts);
        if !needs.iter().any(|(_, need)| matches!(need, Need::Judge { .. })) {
            prompt.asserts.push(Assertion::of("llm-rubric", rubric.into()));
        }
    }
}

/// Notes on graders that prompts need and the command line does not give: such answers get no grade.
pub fn lacking(judging: &JudgingOptions, prompts: &[Prompt]) -> Vec<String> {
    let count = |wanted: fn(&Need) -> bool| {
        prompts.iter().filter(|p| Graders::needs(&p.asserts).iter().any(|(_, need)| wanted(need))).count()
    };
    let said = |n: usize, what: &str, remedy: &str| {
        let (prompts, have) = if n == 1 { ("prompt", "has") } else { ("prompts", "have") };
        (n > 0).then(|| format!("{n} {prompts} {have} {what}: without {remedy} their answers get no grade."))
    };
    let judge = judging.judges.is_empty() || judging.no_rubrics;
    let rubrics = if judge { count(|n| matches!(n, Need::Judge { .. })) } else { 0 };
    let vectors =
        if judging.embedder.is_none() { count(|n| matches!(n, Need::Embeddings { .. })) } else { 0 };
    let given: BTreeSet<&str> = judging.programs.iter().map(|e| e.name.as_str()).collect();
    let programs: BTreeSet<String> = prompts
        .iter()
        .flat_map(|p| Graders::needs(&p.asserts))
        .filter_map(|(_, need)| match need {
            Need::Program { name } if !given.contains(name.as_str()) => Some(name),
            _ => None,
        })
        .collect();
    let mut all: Vec<String> = said(rubrics, "a rubric (llm-rubric)", "--judge").into_iter().collect();
    all.extend(said(vectors, "a similar assertion", "--embedder"));
    all.extend(programs.iter().map(|name| {
        format!("prompts want the program {name:?} as grader (exec): without --exec {name}=PROGRAM their answers get no grade.")
    }));
    all
}

/// The context that a judge on this machine needs for the longest question, at two bytes a token, unless one is given.
pub fn context_for_questions(local: &LocalOptions, tokens: u32, questions: &[Question]) -> u32 {
    local.context.unwrap_or_else(|| {
        let longest = questions.iter().map(|q| q.asked.bytes() / 2).max().unwrap_or(0);
        context(longest + OVERHEAD_TOKENS + u64::from(tokens), 2048)
    })
}

/// Must a question still be asked? Not if there is an answer; but a text without a verdict does not count
/// for a judge that is now asked for JSON.
fn is_left(question: &Question, said: Option<&String>, form: Form) -> bool {
    said.is_none_or(|text| form == Form::Json && question.babbled(text))
}

/// The questions that are left to ask a judge, by its key.
pub fn questions_left(questions: Vec<Question>, told: &Replies, judge: &str, form: Form) -> Vec<Question> {
    let said = told.said.get(judge);
    questions.into_iter().filter(|q| is_left(q, said.and_then(|said| said.get(&q.about)), form)).collect()
}

/// What is left to ask a judge about answers that are there: number of questions, and their bytes.
pub fn left(questions: &[Question], told: &Replies, judge: &str, form: Form) -> (u64, u64) {
    let said = told.said.get(judge);
    let left = questions.iter().filter(|q| is_left(q, said.and_then(|said| said.get(&q.about)), form));
    left.fold((0, 0), |sum, q| (sum.0 + 1, sum.1 + q.asked.bytes()))
}

/// The judges that count: those that are named now, then earlier ones, whose answers stay.
pub fn in_force(now: &[TargetFacts], before: &[TargetFacts]) -> Vec<TargetFacts> {
    let named = |judge: &TargetFacts| now.iter().any(|n| build::judge_key(n) == build::judge_key(judge));
    now.iter().chain(before.iter().filter(|judge| !named(judge))).cloned().collect()
}

/// The most US dollars that a question can cost; `None`: no price is known.
pub fn worst_case(judge: &TargetFacts, question: &Question, tokens: u32) -> Option<f64> {
    let input = question.asked.bytes() + OVERHEAD_TOKENS;
    judge.price.as_ref()?.worst_case(input, u64::from(tokens), input)
}

/// May a question be asked that costs at most `worst` US dollars?
pub fn may_ask(judge: &TargetFacts, worst: Option<f64>, max_cost: Option<f64>, tally: &Tally<'_>) -> bool {
    let paid = worst.is_some() || (judge.origin.is_some() && !judge.stand_in);
    !paid || max_cost.is_none_or(|cap| tally.at_most_spent() + worst.unwrap_or(0.0) <= cap)
}

/// Most tokens of a verdict in JSON without its reason.
const VERDICT_TOKENS: u32 = 64;
/// Fewest characters of a reason that is useful.
const SHORTEST_REASON: u32 = 40;
/// Most characters of a reason.
const LONGEST_REASON: u32 = 400;

/// Most characters of a reason that leave tokens for the verdict after it, a character being at worst a
/// token; 0: no reason. `None`: no limit, where the judge cannot be `held` to a length.
fn longest_reason(tokens: u32, held: bool) -> Option<u32> {
    let longest = tokens.saturating_sub(VERDICT_TOKENS).min(LONGEST_REASON);
    if longest < SHORTEST_REASON { Some(0) } else { held.then_some(longest) }
}

/// Makes the request of each question to a judge.
#[derive(Debug)]
pub struct Asker<'a> {
    questions: &'a [Question],
    tokens: u32,
    /// For models whose chat template takes no system message.
    one_message: bool,
    form: Form,
    /// See [`JudgePrompt::schema`](crate::quality::judge::JudgePrompt::schema).
    reason: Option<u32>,
}

impl<'a> Asker<'a> {
    /// `held`: the judge can be limited in the length of a text, as engines on this machine can; services
    /// elsewhere refuse a schema that asks for it. `one_message`: its template takes no system message.
    pub fn new(questions: &'a [Question], tokens: u32, one_message: bool, form: Form, held: bool) -> Self {
        Self { questions, tokens, one_message, form, reason: longest_reason(tokens, held) }
    }

    /// A step for each question.
    pub fn steps(&self) -> Vec<Step> {
        let step = |prompt| Step { target: 0, prompt, repeat: 0, warmup: false, load: None, turn: 0 };
        (0..self.questions.len()).map(step).collect()
    }
}

impl run::Asker for Asker<'_> {
    fn turns(&self, _: usize) -> u32 {
        1
    }
    fn pause(&self, _: &Step) -> Duration {
        Duration::ZERO
    }
    fn request(&self, step: &Step, _: &[Answered]) -> Request {
        let asked = &self.questions[step.prompt].asked;
        let user = asked.user(self.form, self.reason);
        let messages = if self.one_message {
            vec![Message::text(Role::User, format!("{}\n\n{user}", asked.system))]
        } else {
            vec![Message::text(Role::System, &asked.system), Message::text(Role::User, user)]
        };
        let json_schema = (self.form == Form::Json).then(|| asked.schema(self.reason));
        Request { messages, max_output_tokens: self.tokens, json_schema, ..Request::default() }
    }
}

/// Most characters of a text that are embedded: what comes after matters little to such a model.
const LONGEST_TEXT: usize = 8_000;

/// The part of a text that is embedded.
pub fn for_vector(text: &str) -> String {
    text.chars().take(LONGEST_TEXT).collect()
}

/// The context that an embedding model needs for the longest of the texts, unless one is given.
pub fn context_for_vectors(local: &LocalOptions, texts: &[String]) -> u32 {
    local.context.unwrap_or_else(|| {
        let longest = texts.iter().map(|t| t.len().min(LONGEST_TEXT * 4)).max().unwrap_or(0) as u64 / 2;
        context(longest + 64, 256).min(8_192)
    })
}

/// A note on texts that the embedding model could not read; `None`: there are none.
pub fn without_vector(failed: usize) -> Option<String> {
    let texts = if failed == 1 { "text has" } else { "texts have" };
    (failed > 0).then(|| {
        format!("{failed} {texts} no vector: the model could not read them; their answers get no grade.")
    })
}

/// The answers that each program must still grade: those that name it and that it has not graded yet.
pub fn for_programs(
    wanted: Vec<build::ForProgram>,
    told: &Replies,
    programs: &[Program],
) -> Vec<(Program, build::ForProgram)> {
    wanted
        .into_iter()
        .filter(|w| !told.programs.contains_key(&w.about))
        .filter_map(|w| Some((programs.iter().find(|p| p.name == w.name)?.clone(), w)))
        .collect()
}
