//! After the answers: asks graders and judges outside of this program, and writes down what they say, so
//! that nothing is asked twice.

use super::journal::Journal;
use super::judges::NamedJudge;
use super::outside::Outside;
use super::signals::interrupted;
use super::{embedder, local, privacy, programs, request_limits};
use crate::app::bench::journal::Line;
use crate::app::bench::questions::{self, Asker, AskingEnded};
use crate::app::bench::tally::Tally;
use crate::app::bench::targets::distinct_ids;
use crate::cli::error::CliError;
use crate::cli::progress::Progress;
use crate::document::bench::build::{self, Judging, Question, TargetFacts};
use crate::measure::backend::Backend;
use crate::measure::backend::http::ApiBackend;
use crate::measure::conversation::Histories;
use crate::measure::event::Fault;
use crate::measure::run::{self, Patience, Record, RunObserver};
use crate::measure::schedule::Step;
use crate::quality::judge::Form;
use std::ops::ControlFlow;
use std::time::Duration;

/// Asks programs, then computes embeddings, then asks each judge; the grades that rest on them are made
/// afterwards.
pub async fn ask(mut outside: Outside<'_, '_>, judges: Vec<NamedJudge>) -> Result<AskingEnded, CliError> {
    programs::ask(&mut outside).await?;
    embedder::ask(&mut outside).await?;
    let mut ended = AskingEnded::default();
    if !judges.is_empty() {
        let mut facts: Vec<TargetFacts> = Vec::new();
        let asked = outside.args.judging.options().judging();
        if outside.asking().questions(&asked).is_empty() {
            outside.context.note(
                "There is nothing to judge: no prompt has a rubric (--rubric gives one), and no two targets differ.",
            );
            outside.tally.grade_again(outside.run_id);
            return Ok(ended);
        }
        for judge in judges {
            if !ask_judge(&mut outside, judge, &asked, &mut facts, &mut ended).await? {
                break;
            }
        }
    }
    outside.tally.grade_again(outside.run_id);
    Ok(ended)
}

/// Asks one judge; `false`: nothing more is to be asked.
async fn ask_judge(
    outside: &mut Outside<'_, '_>,
    judge: NamedJudge,
    asked: &Judging,
    so_far: &mut Vec<TargetFacts>,
    ended: &mut AskingEnded,
) -> Result<bool, CliError> {
    let questions = outside.asking().questions(asked);
    let mut progress = Progress::new(outside.context);
    // Engines on this machine can limit the length of a text in a schema; services elsewhere refuse such a
    // schema.
    let held = match &judge {
        NamedJudge::Api(api) => api.loopback,
        NamedJudge::Local(_) => true,
    };
    let options = outside.args.judging.options();
    let (mut backend, fact) = match judge {
        NamedJudge::Api(api) => {
            let limits = request_limits::of(outside.args, outside.privacy.strict())?;
            let backend = ApiBackend::new(api.target, limits).map_err(CliError::failed)?;
            privacy::ask(outside.privacy, &api.facts.id, &backend).await?;
            let form = options.form.of(held);
            (Backend::Api(Box::new(backend)), TargetFacts { judge_form: Some(form), ..api.facts })
        }
        NamedJudge::Local(model) => {
            let of_models = outside.args.local.options();
            let context = questions::context_for_questions(&of_models, options.tokens, &questions);
            let worker = local::Worker { context, raw: of_models.raw };
            // Greedy: the same question gets the same verdict.
            let prepared = local::Prepared::default();
            let (backend, fact) =
                local::open(&model, outside.args, worker, prepared, outside.context, &mut progress).await?;
            let form = options.form.of(held);
            (Backend::Local(Box::new(backend)), TargetFacts { judge_form: Some(form), ..fact })
        }
    };
    so_far.push(fact);
    distinct_ids(so_far);
    let fact = so_far.last().cloned().unwrap_or_else(|| unreachable!("one was pushed"));
    let told = &mut outside.tally.told;
    let key = build::judge_key(&fact);
    let judges = questions::in_force(so_far, &told.judges);
    told.judging = Some(asked.clone());
    told.judges.clone_from(&judges);
    outside.journal.outside(&Line::Judging { judges, judging: asked.clone() })?;
    told.stopped.remove(&key);
    told.said.entry(key.clone()).or_default();
    let form = fact.judge_form.unwrap_or(Form::Line);
    let left = questions::questions_left(questions, told, &key, form);
    if left.is_empty() {
        return Ok(true);
    }
    progress.phase(&format!("Judging with {}", fact.id), left.len() as u64);
    let asker = Asker::new(&left, options.tokens, outside.args.local.system_as_user, form, held);
    let steps = asker.steps();
    let mut watch = Watcher {
        questions: &left,
        fact: &fact,
        key: &key,
        tokens: options.tokens,
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
        questions::worst_case(self.fact, question, self.tokens)
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

impl RunObserver for Watcher<'_, '_> {
    fn before(&mut self, step: &Step) -> ControlFlow<()> {
        let question = &self.questions[step.prompt];
        let worst = self.worst(question);
        if !questions::may_ask(self.fact, worst, self.max_cost, self.tally) {
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
