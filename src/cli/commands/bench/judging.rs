//! After the answers: what graders and judges need from outside is asked, written down, and never asked twice.

use super::args::Args;
use super::journal::Journal;
use super::judges::Named;
use super::outside::Outside;
use super::signals::interrupted;
use super::{embedder, local, programs, request_limits};
use crate::app::bench::journal::Line;
use crate::app::bench::tally::Tally;
use crate::app::bench::targets::distinct_ids;
use crate::cli::error::CliError;
use crate::cli::progress::Progress;
use crate::document::bench::build::{self, Judging, Question, TargetFacts};
use crate::measure::backend::Backend;
use crate::measure::backend::http::ApiBackend;
use crate::measure::conversation::{Answered, Histories};
use crate::measure::event::{Fault, Request};
use crate::measure::run::{self, Patience, Record, Watch};
use crate::measure::schedule::Step;
use crate::prompts::conversation::{Message, Role};
use crate::quality::judge::Form;
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::time::Duration;

/// Tokens of a chat template around a question, at most.
const OVERHEAD_TOKENS: u64 = 64;

/// How the asking ended.
#[derive(Debug, Default)]
pub struct Ended {
    pub interrupted: bool,
    pub capped: bool,
    /// Judges that were given up.
    pub stopped: Vec<(String, Fault)>,
}

impl Ended {
    /// Was everything asked?
    pub fn is_whole(&self) -> bool {
        !self.interrupted && !self.capped && self.stopped.is_empty()
    }
}

/// Programs, then vectors, then each judge; the grades that rest on them are made last.
pub async fn ask(mut outside: Outside<'_, '_>, judges: Vec<Named>) -> Result<Ended, CliError> {
    programs::ask(&mut outside).await?;
    embedder::ask(&mut outside).await?;
    let mut ended = Ended::default();
    if !judges.is_empty() {
        let mut facts: Vec<TargetFacts> = Vec::new();
        let judging = outside.args.judging.options().judging();
        if outside.asking().questions(&judging).is_empty() {
            outside.context.note(
                "There is nothing to judge: no prompt has a rubric (--rubric gives one), and no two targets differ.",
            );
            outside.tally.grade_again(outside.run_id);
            return Ok(ended);
        }
        for judge in judges {
            if !one(&mut outside, judge, &judging, &mut facts, &mut ended).await? {
                break;
            }
        }
    }
    outside.tally.grade_again(outside.run_id);
    Ok(ended)
}

/// One judge; false: nothing more is to be asked.
async fn one(
    outside: &mut Outside<'_, '_>,
    judge: Named,
    judging: &Judging,
    so_far: &mut Vec<TargetFacts>,
    ended: &mut Ended,
) -> Result<bool, CliError> {
    let questions = outside.asking().questions(judging);
    let mut progress = Progress::new(outside.context);
    // Engines on this machine hold a text to a length; services elsewhere refuse a schema that asks for it.
    let held = match &judge {
        Named::Api(api) => api.loopback,
        Named::Local(_) => true,
    };
    let (mut backend, fact) = match judge {
        Named::Api(api) => {
            let limits = request_limits::of(outside.args, outside.privacy.strict())?;
            let backend = ApiBackend::new(api.target, limits).map_err(CliError::failed)?;
            outside.privacy.ask(&api.facts.id, &backend).await?;
            let form = outside.args.judging.judge_form.of(held);
            (Backend::Api(Box::new(backend)), TargetFacts { judge_form: Some(form), ..api.facts })
        }
        Named::Local(model) => {
            let how = local::How { context: room(outside.args, &questions), raw: outside.args.local.raw };
            // Greedy: the same question gets the same verdict.
            let prepared = local::Prepared::default();
            let (backend, fact) =
                local::open(&model, outside.args, how, prepared, outside.context, &mut progress).await?;
            let form = outside.args.judging.judge_form.of(held);
            (Backend::Local(Box::new(backend)), TargetFacts { judge_form: Some(form), ..fact })
        }
    };
    so_far.push(fact);
    distinct_ids(so_far);
    let fact = so_far.last().cloned().unwrap_or_else(|| unreachable!("one was pushed"));
    let told = &mut outside.tally.told;
    let key = build::judge_key(&fact);
    // Judges of before keep their word, behind those that are named now.
    let mut judges = so_far.clone();
    judges.extend(
        told.judges
            .iter()
            .filter(|j| so_far.iter().all(|n| build::judge_key(n) != build::judge_key(j)))
            .cloned(),
    );
    told.judging = Some(judging.clone());
    told.judges.clone_from(&judges);
    outside.journal.outside(&Line::Judging { judges, judging: judging.clone() })?;
    told.stopped.remove(&key);
    let said = told.said.entry(key.clone()).or_default();
    let form = fact.judge_form.unwrap_or(Form::Line);
    let left: Vec<Question> =
        questions.into_iter().filter(|q| is_left(q, said.get(&q.about), form)).collect();
    if left.is_empty() {
        return Ok(true);
    }
    progress.phase(&format!("Judging with {}", fact.id), left.len() as u64);
    let steps: Vec<Step> = (0..left.len())
        .map(|n| Step { target: 0, prompt: n, repeat: 0, warmup: false, load: None, turn: 0 })
        .collect();
    let asker = Asker {
        questions: &left,
        tokens: outside.args.judging.judge_tokens,
        one_message: outside.args.local.system_as_user,
        form,
        reason: longest_reason(outside.args.judging.judge_tokens, held),
    };
    let mut watch = Watcher {
        questions: &left,
        fact: &fact,
        key: &key,
        tokens: outside.args.judging.judge_tokens,
        max_cost: outside.args.max_cost,
        tally: &mut *outside.tally,
        journal: &mut *outside.journal,
        progress,
        capped: false,
        broken: None,
    };
    let patience = Patience { retries: outside.args.retries, wait_factor: 1.0 };
    let mut backends = [backend];
    let over = run::run(
        &mut backends,
        &steps,
        &asker,
        Histories::default(),
        patience,
        outside.seed,
        &mut watch,
        interrupted(),
    )
    .await;
    watch.progress.done();
    let (capped, broken) = (watch.capped, watch.broken.take());
    drop(watch);
    if let Some(error) = broken {
        return Err(error);
    }
    ended.capped |= capped;
    ended.interrupted |= over.interrupted;
    if let Some(fault) = over.stopped.into_iter().flatten().next() {
        outside.tally.told.stopped.insert(key, fault.clone());
        ended.stopped.push((fact.id, fault));
    }
    let [only] = backends;
    backend = only;
    if let Backend::Local(local) = backend
        && !over.interrupted
    {
        local.shutdown().await;
    }
    Ok(!ended.interrupted && !ended.capped)
}

/// Context for the longest question, at two bytes a token.
fn room(args: &Args, questions: &[Question]) -> u32 {
    args.local.context.unwrap_or_else(|| {
        let longest = questions.iter().map(|q| bytes(q) / 2).max().unwrap_or(0);
        let most = longest + OVERHEAD_TOKENS + u64::from(args.judging.judge_tokens);
        u32::try_from(most.max(2048).next_multiple_of(256)).unwrap_or(u32::MAX)
    })
}

fn bytes(question: &Question) -> u64 {
    question.asked.bytes()
}

/// Is a question still to be asked? Not where there is an answer; but one without a verdict is no answer to a
/// judge that is held to a form now.
fn is_left(question: &Question, said: Option<&String>, form: Form) -> bool {
    said.is_none_or(|text| form == Form::Json && question.babbled(text))
}

/// What is left to ask a judge about answers that are there: questions, and bytes of them.
pub fn left(questions: &[Question], said: Option<&HashMap<String, String>>, form: Form) -> (u64, u64) {
    let left = questions.iter().filter(|q| is_left(q, said.and_then(|said| said.get(&q.about)), form));
    left.fold((0, 0), |sum, q| (sum.0 + 1, sum.1 + bytes(q)))
}

/// Tokens of a verdict in JSON without its reason, at most.
const VERDICT_TOKENS: u32 = 64;
/// A reason is of use from so many characters on.
const SHORTEST_REASON: u32 = 40;
/// More than these is no short sentence.
const LONGEST_REASON: u32 = 400;

/// The longest reason that leaves room for the verdict behind it, a character being a token at worst; 0: none. `None`:
/// however long, where the judge cannot be `held` to a length.
fn longest_reason(tokens: u32, held: bool) -> Option<u32> {
    let room = tokens.saturating_sub(VERDICT_TOKENS).min(LONGEST_REASON);
    if room < SHORTEST_REASON { Some(0) } else { held.then_some(room) }
}

struct Asker<'a> {
    questions: &'a [Question],
    tokens: u32,
    /// For models whose template takes no system text.
    one_message: bool,
    form: Form,
    /// See [`JudgePrompt::schema`](crate::quality::judge::JudgePrompt::schema).
    reason: Option<u32>,
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

struct Watcher<'w, 'a> {
    questions: &'w [Question],
    fact: &'w TargetFacts,
    key: &'w str,
    tokens: u32,
    max_cost: Option<f64>,
    tally: &'w mut Tally<'a>,
    journal: &'w mut Journal,
    progress: Progress<'w>,
    capped: bool,
    broken: Option<CliError>,
}

impl Watcher<'_, '_> {
    fn worst(&self, question: &Question) -> Option<f64> {
        self.fact.price.as_ref()?.worst_case(bytes(question) + OVERHEAD_TOKENS, u64::from(self.tokens))
    }

    fn written(&mut self, line: &Line) -> ControlFlow<()> {
        match self.journal.outside(line) {
            Ok(()) => ControlFlow::Continue(()),
            Err(e) => {
                self.broken = Some(e);
                ControlFlow::Break(())
            }
        }
    }
}

impl Watch for Watcher<'_, '_> {
    fn before(&mut self, step: &Step) -> ControlFlow<()> {
        let question = &self.questions[step.prompt];
        let worst = self.worst(question);
        let paid = worst.is_some() || (self.fact.origin.is_some() && !self.fact.stand_in);
        if paid && self.max_cost.is_some_and(|cap| self.tally.at_most_spent() + worst.unwrap_or(0.0) > cap) {
            self.capped = true;
            return ControlFlow::Break(());
        }
        self.written(&Line::JudgeSent {
            judge: self.key.to_owned(),
            about: question.about.clone(),
            worst_usd: worst,
        })
    }

    fn after(&mut self, record: &Record) -> ControlFlow<()> {
        let question = &self.questions[record.step.prompt];
        let worst = self.worst(question);
        let line = Line::judged(self.key, &question.about, record);
        let flow = self.written(&line);
        self.tally.judged(self.key, &question.about, record, self.fact, worst);
        if let Some(fault) = &record.figures.error {
            self.progress.note(&format!("{}: {}", self.fact.id, fault.message));
        }
        self.progress.step();
        flow
    }

    fn retry(&mut self, _: &Step, fault: &Fault, wait: Duration) {
        self.progress.note(&format!(
            "{}: {}; trying again in {:.1} s",
            self.fact.id,
            fault.message,
            wait.as_secs_f64()
        ));
    }
}
