//! Looks on while a run goes: writes the journal, shows progress, keeps the spending cap.

use super::bars::Bars;
use super::journal::{Earlier, Journal};
use super::rows::Rows;
use super::spending;
use crate::cli::error::CliError;
use crate::document::bench::Sample;
use crate::document::bench::build::{
    self, Answers, Asking, Basis, Bill, Deciding, Graded, Grading, Kept, TargetFacts, Told,
};
use crate::measure::event::{Fault, FaultKind};
use crate::measure::load::Sent;
use crate::measure::run::{Record, Watch};
use crate::measure::schedule::Step;
use crate::threads::in_order;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::ControlFlow;
use std::time::Duration;

/// What the requests so far came to. The same whether they have just been answered or are read
/// from a journal.
#[derive(Debug)]
pub struct Tally<'a> {
    basis: &'a Basis,
    /// Asked alone, without warm-up.
    pub samples: Vec<Sample>,
    /// Per target: answers whose calls of tools fit what was offered, and answers that call any.
    pub calls_fit: Vec<[u32; 2]>,
    pub grading: Grading,
    /// Whole answers, for whoever is asked about them.
    answers: Answers,
    /// What was told about them.
    pub told: Told,
    /// Under load, with warm-up.
    pub sent: Rows,
    spent: f64,
    /// The most output tokens of one answer, by target: some servers do not keep the limit.
    longest: Vec<u64>,
    /// The most that requests of unknown cost can have cost.
    unsettled: f64,
    unknown: bool,
    /// Failures that nobody billed: a resumed run asks these again, but not those of a load that was
    /// on to its end. There a failure is a result.
    failed: BTreeSet<Step>,
    pub asked_again: u32,
}

/// An answer that was asked alone, as far as grading goes.
struct Answered {
    /// The answer; `None` where there is none to grade.
    kept: Option<Kept>,
    graded: Graded,
    /// Do its calls of tools fit what was offered? `None` where it calls none.
    calls_fit: Option<bool>,
}

impl<'a> Tally<'a> {
    pub fn new(basis: &'a Basis) -> Self {
        Self {
            basis,
            samples: Vec::new(),
            calls_fit: vec![[0; 2]; basis.targets.len()],
            grading: Grading::new(&basis.prompts),
            answers: Answers::new(),
            told: Told::default(),
            sent: Rows::default(),
            spent: 0.0,
            longest: vec![0; basis.targets.len()],
            unsettled: 0.0,
            unknown: false,
            failed: BTreeSet::new(),
            asked_again: 0,
        }
    }

    /// Everything an earlier part of the run, or a whole run, did.
    pub fn of(basis: &'a Basis, earlier: &Earlier) -> Self {
        let mut tally = Self::new(basis);
        let graded = tally.graded(&earlier.records);
        for ((session, record), graded) in earlier.records.iter().zip(graded) {
            tally.note_graded(record, *session, graded);
        }
        // Sent, and not seen to end: they may have been billed.
        for step in &earlier.cut {
            tally.unsettled += tally.worst_case(step).unwrap_or(0.0);
        }
        let graded = tally.graded_recorded(&earlier.recorded);
        for ((step, text), answered) in earlier.recorded.iter().zip(graded) {
            tally.keep_recorded(*step, text, answered);
        }
        tally.told.clone_from(&earlier.told);
        for (key, about, record) in &earlier.judged {
            if let Some(facts) = earlier.judge_facts.get(key) {
                tally.judged(key, about, record, facts, None);
            }
        }
        tally.unsettled += earlier.judging_cut.values().flatten().sum::<f64>();
        tally.grade_again(&earlier.header.run_id);
        tally.failed.retain(|step| step.load.is_none_or(|place| !earlier.phases.contains(&place.phase)));
        tally
    }

    /// Stored answers with their grades, on all processors: thousands of them, with many graders each, take
    /// seconds on one. Nothing for those that are not graded one by one.
    fn graded(&self, records: &[(u32, Record)]) -> Vec<Option<Answered>> {
        let of = |(_, record): &(u32, Record)| {
            let alone = record.step.load.is_none() && !record.step.warmup;
            alone.then(|| self.answered(record))
        };
        in_order(records, of)
    }

    /// The same of answers that another program has recorded.
    fn graded_recorded(&self, recorded: &[(Step, String)]) -> Vec<(Kept, Graded)> {
        in_order(recorded, |(step, text)| self.answered_elsewhere(*step, text))
    }

    fn answered_elsewhere(&self, step: Step, text: &str) -> (Kept, Graded) {
        let kept = Kept::recorded(text.to_owned());
        let graded = self.grading.grade(step.prompt, step.turn, Some(&kept), &BTreeMap::new());
        (kept, graded)
    }

    /// An answer and its grade.
    fn answered(&self, record: &Record) -> Answered {
        let step = record.step;
        let kept = Kept::of(record, &self.basis.targets[step.target]);
        Answered {
            calls_fit: kept.as_ref().and_then(|kept| self.grading.calls_fit(step.prompt, kept)),
            graded: self.grading.grade(step.prompt, step.turn, kept.as_ref(), &BTreeMap::new()),
            kept,
        }
    }

    /// One more request that ended; what it cost, where that is known.
    pub fn note(&mut self, record: &Record, session: u32) -> Option<f64> {
        self.note_graded(record, session, None)
    }

    fn note_graded(&mut self, record: &Record, session: u32, answered: Option<Answered>) -> Option<f64> {
        let facts = &self.basis.targets[record.step.target];
        let longest = &mut self.longest[record.step.target];
        *longest = (*longest).max(record.figures.output_tokens.unwrap_or(0));
        let (cost, bill) = self.charge(record, facts, self.worst_case(&record.step));
        if self.failed.remove(&record.step) {
            self.asked_again += 1;
            self.forget(&record.step);
        }
        if record.figures.error.is_some() && bill == Bill::Nothing {
            self.failed.insert(record.step);
        }
        if record.step.load.is_some() {
            self.sent.push(build::sent(record, session, facts, &self.grading));
        } else if !record.step.warmup {
            let answered = answered.unwrap_or_else(|| self.answered(record));
            self.keep(record, facts, answered);
        }
        cost
    }

    /// What a request cost, or can have cost: `worst` is the most for one attempt.
    fn charge(&mut self, record: &Record, facts: &TargetFacts, worst: Option<f64>) -> (Option<f64>, Bill) {
        let cost = build::cost(record, facts);
        let bill = build::bill(record, facts);
        match bill {
            Bill::Known(usd) => self.spent += usd,
            Bill::Nothing => {}
            Bill::Open(attempts) => {
                self.spent += cost.unwrap_or(0.0);
                let open = attempts - u32::from(cost.is_some());
                match worst {
                    Some(worst) => self.unsettled += worst * f64::from(open),
                    None => self.unknown |= facts.origin.is_some() && !facts.stand_in,
                }
            }
        }
        (cost, bill)
    }

    /// One answer of a judge.
    pub fn judged(
        &mut self,
        key: &str,
        about: &str,
        record: &Record,
        facts: &TargetFacts,
        worst: Option<f64>,
    ) {
        let (cost, bill) = self.charge(record, facts, worst);
        let spent = self.told.spent.entry(key.to_owned()).or_insert(Some(0.0));
        *spent = match bill {
            Bill::Nothing => *spent,
            Bill::Known(_) | Bill::Open(_) => spent.zip(cost).map(|(a, b)| a + b),
        };
        if record.figures.error.is_none() {
            let said = self.told.said.entry(key.to_owned()).or_default();
            said.insert(about.to_owned(), record.answer().to_owned());
        }
    }

    /// What is asked about the answers.
    pub fn asking<'s>(&'s self, run_id: &'s str) -> Asking<'s> {
        Asking { basis: self.basis, grading: &self.grading, answers: &self.answers, run_id }
    }

    /// Grade anew the answers whose graders need something from outside, with what was told.
    pub fn grade_again(&mut self, run_id: &str) {
        let asking = Asking { basis: self.basis, grading: &self.grading, answers: &self.answers, run_id };
        let mut places = HashMap::new();
        for (n, s) in self.samples.iter().enumerate() {
            places.insert((s.target.as_str(), s.prompt_id.as_str(), s.repeat, s.turn), n);
        }
        let mut graded = Vec::new();
        for (step, kept) in &self.answers {
            if self.grading.needs(step.prompt).is_empty() {
                continue;
            }
            let target = self.basis.targets[step.target].id.as_str();
            let prompt = self.basis.prompts[step.prompt].id.as_str();
            let Some(n) = places.get(&(target, prompt, step.repeat, step.turn)) else { continue };
            let given = asking.given(step, kept, &self.told);
            graded.push((*n, self.grading.grade(step.prompt, step.turn, Some(kept), &given)));
        }
        for (n, grade) in graded {
            let sample = &mut self.samples[n];
            sample.pass = grade.pass;
            sample.score = grade.score;
            sample.failed_graders = grade.failed;
            sample.not_graded = grade.missing;
        }
    }

    /// The most that can have been spent so far, USD.
    pub fn at_most_spent(&self) -> f64 {
        self.spent + self.unsettled
    }

    /// Keep an answer that was asked alone.
    fn keep(&mut self, record: &Record, facts: &TargetFacts, answered: Answered) {
        let step = record.step;
        if let Some(fits) = answered.calls_fit {
            let [fit, of] = &mut self.calls_fit[step.target];
            *fit += u32::from(fits);
            *of += 1;
        }
        self.samples.push(build::sample(record, facts, &self.basis.prompts, answered.graded));
        if let Some(kept) = answered.kept.filter(|_| self.grading.is_last(step.prompt, step.turn)) {
            self.answers.insert(step, kept);
        }
    }

    /// An answer that another program has recorded.
    pub fn recorded(&mut self, step: Step, text: &str) {
        let answered = self.answered_elsewhere(step, text);
        self.keep_recorded(step, text, answered);
    }

    fn keep_recorded(&mut self, step: Step, text: &str, (kept, graded): (Kept, Graded)) {
        let facts = &self.basis.targets[step.target];
        self.samples.push(build::recorded(text, &step, facts, &self.basis.prompts, graded));
        self.answers.insert(step, kept);
    }

    /// A failed request was asked again: what comes of it now counts.
    fn forget(&mut self, step: &Step) {
        let target = &self.basis.targets[step.target].id;
        let prompt = &self.basis.prompts[step.prompt].id;
        if step.load.is_some() {
            self.sent.forget(*step);
        } else {
            self.samples.retain(|s| {
                s.error.is_none()
                    || s.target != *target
                    || (s.repeat, s.turn) != (step.repeat, step.turn)
                    || s.prompt_id != *prompt
            });
        }
    }

    /// The most one request can cost, where it has a price.
    fn worst_case(&self, step: &Step) -> Option<f64> {
        let price = self.basis.targets[step.target].price.as_ref()?;
        let (input, output) =
            spending::most(&self.basis.prompts[step.prompt], step.turn, self.basis.max_output_tokens);
        price.worst_case(input, output.max(self.longest[step.target]))
    }

    /// Steps that are to be asked again: they failed, and nothing was billed.
    pub fn unanswered(&self) -> &BTreeSet<Step> {
        &self.failed
    }

    /// The most that requests of unknown cost can have cost, USD.
    pub fn unsettled_usd(&self) -> Option<f64> {
        (!self.unknown).then_some(self.unsettled)
    }

    /// USD, by usage and prices; null where one is missing.
    pub fn spent_usd(&self) -> Option<f64> {
        (!self.unknown).then_some(self.spent)
    }
}

/// Prompts that are answered before graders from outside are asked about them, where the run ends when its answer is
/// known: asking them may mean that a model is loaded.
const BATCH: usize = 20;

/// Looks on.
pub struct Watcher<'a> {
    pub tally: Tally<'a>,
    max_cost: Option<f64>,
    journal: Journal,
    pub bars: Bars<'a>,
    /// Requests of each target that are measured alone, for the bars.
    alone: Vec<u64>,
    warm: bool,
    /// The requests under way, and the most that each can cost.
    under_way: BTreeMap<Step, f64>,
    pub capped: bool,
    /// Where the run ends as soon as the verdicts are clear: what follows them, and how many requests of
    /// each prompt are still to come.
    deciding: Option<Deciding<'a>>,
    to_come: HashMap<usize, usize>,
    pub decided: bool,
    /// Where graders have to be asked before a prompt counts: the prompts that everybody has answered since they
    /// were asked last.
    waiting: Option<Vec<String>>,
    /// Enough of them wait: the run stops until they are graded.
    pub pause: bool,
    /// Steps that ended, where the run may pause.
    ended: BTreeSet<Step>,
    /// Failures under load that were shown, by target and kind.
    told: HashMap<(usize, FaultKind), u32>,
    pub broken: Option<CliError>,
}

impl<'a> Watcher<'a> {
    pub fn new(
        tally: Tally<'a>,
        steps: &[Step],
        max_cost: Option<f64>,
        journal: Journal,
        bars: Bars<'a>,
    ) -> Self {
        let count =
            |target, warmup| steps.iter().filter(|s| s.target == target && s.warmup == warmup).count() as u64;
        let targets = 0..tally.basis.targets.len();
        let warmups: Vec<_> = targets.clone().map(|t| (t, Some(count(t, true)))).collect();
        let mut watcher = Self {
            alone: targets.map(|t| count(t, false)).collect(),
            tally,
            max_cost,
            journal,
            bars,
            warm: false,
            under_way: BTreeMap::new(),
            capped: false,
            deciding: None,
            to_come: HashMap::new(),
            decided: false,
            waiting: None,
            pause: false,
            ended: BTreeSet::new(),
            told: HashMap::new(),
            broken: None,
        };
        watcher.follow(steps);
        // What an earlier part of the run left ungraded waits for the next whole prompt.
        watcher.pause = false;
        if steps.iter().any(|s| s.warmup) {
            watcher.bars.begin("Warming up", &warmups);
        }
        watcher
    }

    /// Where the run is to end early: what earlier parts of it say, and what is still to come.
    fn follow(&mut self, steps: &[Step]) {
        self.deciding = Deciding::of(self.tally.basis);
        let basis = self.tally.basis;
        let asks = (0..basis.prompts.len()).any(|n| !self.tally.grading.needs(n).is_empty());
        self.waiting = (self.deciding.is_some() && asks).then(Vec::new);
        for step in steps.iter().filter(|s| !s.warmup && s.load.is_none()) {
            *self.to_come.entry(step.prompt).or_default() += 1;
        }
        let mut done: Vec<String> = Vec::new();
        for sample in &self.tally.samples {
            if !done.contains(&sample.prompt_id) {
                done.push(sample.prompt_id.clone());
            }
        }
        let open: BTreeSet<&str> =
            self.to_come.keys().map(|n| self.tally.basis.prompts[*n].id.as_str()).collect();
        done.retain(|id| !open.contains(id.as_str()));
        for id in done {
            self.prompt_done(&id);
        }
    }

    /// Every target has answered a prompt, all repeats of it.
    fn prompt_done(&mut self, id: &str) {
        if let Some(waiting) = &mut self.waiting {
            waiting.push(id.to_owned());
            self.pause = waiting.len() >= BATCH;
        } else {
            self.count(id);
        }
    }

    /// Graders from outside have been asked about all that is answered: the prompts that waited for them count now.
    pub fn graded(&mut self) {
        self.pause = false;
        for id in self.waiting.as_mut().map(std::mem::take).unwrap_or_default() {
            self.count(&id);
        }
    }

    /// What is written down of the run, for whoever asks graders meanwhile.
    pub fn for_outside(&mut self) -> (&mut Tally<'a>, &mut Journal) {
        self.bars.end();
        (&mut self.tally, &mut self.journal)
    }

    /// Is a step still to be taken after a pause?
    pub fn is_left(&self, step: &Step) -> bool {
        !step.warmup && !self.ended.contains(step)
    }

    /// Go on after a pause with these steps.
    pub fn goes_on(&mut self, steps: &[Step]) {
        for (target, left) in self.alone.iter_mut().enumerate() {
            *left = steps.iter().filter(|s| s.target == target).count() as u64;
        }
        self.warm = false;
    }

    /// A prompt and its grades, as evidence.
    fn count(&mut self, id: &str) {
        if let Some(deciding) = &mut self.deciding {
            let of_prompt: Vec<&Sample> = self.tally.samples.iter().filter(|s| s.prompt_id == id).collect();
            self.decided |= deciding.prompt_done(&of_prompt);
        }
    }

    /// The journal, once nothing more is to come.
    pub fn close(mut self) -> Result<(Tally<'a>, Journal), CliError> {
        self.bars.end();
        match self.broken {
            Some(error) => {
                self.bars.note("The run stopped: what it measured could not be kept.");
                Err(error)
            }
            None => Ok((self.tally, self.journal)),
        }
    }

    /// Sent, and not known to have ended.
    pub fn under_way(&self) -> Vec<Step> {
        self.under_way.keys().copied().collect()
    }

    /// All of a phase under load was sent.
    pub fn phase_done(&mut self, phase: usize) {
        if let Err(e) = self.journal.phase(phase) {
            self.broken.get_or_insert(e);
        }
    }

    /// What was sent of a phase under load. Where that cannot be read, the run stops.
    pub fn rows_of(&mut self, phase: usize) -> Vec<Sent> {
        self.tally.sent.of_phase(phase).unwrap_or_else(|e| {
            self.broken.get_or_insert(e);
            Vec::new()
        })
    }

    /// Could the next request, with all that is under way, pass the cap?
    fn too_dear(&self, worst: f64) -> bool {
        let reserved: f64 = self.under_way.values().sum();
        self.max_cost.is_some_and(|cap| self.tally.spent + self.tally.unsettled + reserved + worst > cap)
    }
}

impl Watch for Watcher<'_> {
    fn before(&mut self, step: &Step) -> ControlFlow<()> {
        if !step.warmup && step.load.is_none() && !self.warm {
            self.warm = true;
            let parts: Vec<_> = self.alone.iter().enumerate().map(|(t, n)| (t, Some(*n))).collect();
            self.bars.begin("Measuring", &parts);
        }
        let worst = self.tally.worst_case(step).unwrap_or(0.0);
        let facts = &self.tally.basis.targets[step.target];
        if (worst > 0.0 || (facts.origin.is_some() && !facts.stand_in)) && self.too_dear(worst) {
            self.capped = true;
            return ControlFlow::Break(());
        }
        if let Err(e) = self.journal.sent(step) {
            self.broken = Some(e);
            return ControlFlow::Break(());
        }
        self.under_way.insert(*step, worst);
        ControlFlow::Continue(())
    }

    fn after(&mut self, record: &Record) -> ControlFlow<()> {
        let step = &record.step;
        self.under_way.remove(step);
        if self.waiting.is_some() {
            self.ended.insert(*step);
        }
        let written = self.journal.sample(record);
        let cost = self.tally.note(record, self.journal.session());
        if let Some(fault) = &record.figures.error {
            let basis = self.tally.basis;
            let (target, prompt) = (&basis.targets[step.target].id, &basis.prompts[step.prompt].id);
            // Under load the same failure may come a thousand times: it is counted, not repeated.
            let seen = self.told.entry((step.target, fault.kind)).or_insert(0);
            *seen += u32::from(step.load.is_some());
            match *seen {
                0..=3 => self.bars.note(&format!("{target} · {prompt}: {}", fault.message)),
                4 => self.bars.note(&format!("{target}: more of these are counted, not shown")),
                _ => {}
            }
        }
        self.bars.ended(step.target, record.figures.error.is_some(), cost);
        if !step.warmup
            && step.load.is_none()
            && let Some(left) = self.to_come.get_mut(&step.prompt)
        {
            *left = left.saturating_sub(1);
            if *left == 0 {
                let id = self.tally.basis.prompts[step.prompt].id.clone();
                self.prompt_done(&id);
            }
        }
        match written {
            Ok(()) if self.decided || self.pause => ControlFlow::Break(()),
            Ok(()) => ControlFlow::Continue(()),
            Err(e) => {
                self.broken = Some(e);
                ControlFlow::Break(())
            }
        }
    }

    fn retry(&mut self, step: &Step, fault: &Fault, wait: Duration) {
        let id = &self.tally.basis.targets[step.target].id;
        self.bars.note(&format!("{id}: {}; trying again in {:.1} s", fault.message, wait.as_secs_f64()));
    }
}
