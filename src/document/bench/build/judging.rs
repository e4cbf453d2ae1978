//! What graders ask of judges, programs and embedding models, and what their replies come to.
//!
//! ```text
//! answers ─► questions ─► (`app` has them asked) ─► Replies ─► grades, preferences, judges
//! ```
//!
//! Every question is known by a digest of its texts, so that none is asked or paid for twice: not for two
//! equal answers, not in a run that is resumed, not when a stored run is graded by other rubrics.

use super::basis::{Basis, JudgedPair, TargetFacts};
use super::grade::{Grading, Kept};
use crate::document::bench::judge::{Calibration, CorrectedDifference, CorrectedRate, Judge, RubricVerdicts};
use crate::document::bench::pair::{PairJudged, ShareOf};
use crate::measure::event::Fault;
use crate::measure::schedule::Step;
use crate::prompts::Prompt;
use crate::prompts::conversation::Role;
use crate::quality::judge::{self, BothOrders, Codes, Confusion, JudgePrompt, Share};
use crate::quality::{Given, Need};
use crate::stats;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The criterion of preferences where the user gives none.
pub const CRITERION: &str = "Which answer does better what the task asks: correct, complete, in the form that was asked for, and no longer than it needs?";

/// Bytes of an answer that one of its tokens is counted as, for estimates made before there are answers.
const BYTES_PER_TOKEN: u64 = 8;

/// What judges are asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judging {
    /// A verdict on each answer, by the rubrics of its prompt.
    pub rubrics: bool,
    /// Which of two answers is better.
    pub preferences: bool,
    /// What makes an answer the better one.
    pub criterion: String,
}

/// One question to a judge.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// Digest of the texts in question.
    pub about: String,
    /// Index of the prompt whose answers it is about.
    pub prompt: usize,
    pub asked: JudgePrompt,
    codes: Codes,
}

impl Question {
    /// Was the judge's reply babble, which asking for another form of reply may mend?
    pub fn babbled(&self, said: &str) -> bool {
        judge::babbled(said, &self.codes)
    }
}

/// One text for a program of the user, or for an embedding model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForProgram {
    pub about: String,
    pub name: String,
    /// One line of JSON for the program's standard input.
    pub input: String,
}

/// Answers by the step of the schedule that they belong to; of a conversation, the answer to its last turn.
pub type Answers = BTreeMap<Step, Kept>;

/// Everything that judges, programs and embedding models have replied so far.
#[derive(Debug, Clone, Default)]
pub struct Replies {
    /// The judges in use.
    pub judges: Vec<TargetFacts>,
    pub judging: Option<Judging>,
    /// For each judge (see [`key`]): its replies by the digest of the question.
    pub said: HashMap<String, HashMap<String, String>>,
    /// For each judge: what its replies cost, US dollars; `None` where that is not known.
    pub spent: HashMap<String, Option<f64>>,
    pub stopped: HashMap<String, Fault>,
    /// Verdicts of programs, by the digest of the question.
    pub programs: HashMap<String, Given>,
    /// Vectors of texts, by digest (see [`vector_about`]).
    pub vectors: HashMap<String, Vec<f32>>,
    /// SHA-256 of the file of the embedding model in use.
    pub embedder: Option<String>,
}

/// Identifies a judge: its id and, of a local model, the hash of its file.
pub fn key(judge: &TargetFacts) -> String {
    let file = judge.engine.as_ref().and_then(|e| e.model_sha256.as_deref());
    file.map_or_else(|| judge.id.clone(), |sha| format!("{} {sha}", judge.id))
}

fn digest(parts: &serde_json::Value) -> String {
    let bytes = Sha256::digest(parts.to_string());
    bytes.iter().fold(String::with_capacity(64), |mut text, byte| {
        use std::fmt::Write as _;
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Digest that identifies the vector of a text under a model.
pub fn vector_about(model: &str, text: &str) -> String {
    digest(&json!(["vector", model, text]))
}

/// What was asked, in full: the system text, and the turns that the prompt file contains.
fn task(prompt: &Prompt) -> String {
    let Some(talk) = &prompt.conversation else {
        return match &prompt.system {
            Some(system) => format!("{system}\n\n{}", prompt.prompt),
            None => prompt.prompt.clone(),
        };
    };
    let said = talk.messages.iter().map(|m| {
        let who = match m.role {
            Role::System => "System",
            Role::User => "User",
            Role::Assistant => "Assistant",
            Role::Tool => "Tool",
        };
        format!("{who}: {}", m.content.as_deref().unwrap_or("(answered during the run)"))
    });
    said.collect::<Vec<_>>().join("\n\n")
}

/// Codes that the author of an answer cannot guess, so that text in an answer cannot pass for the judge's
/// verdict: made from the run's random id and the question.
fn codes(run_id: &str, about: &str) -> Codes {
    let bytes = Sha256::digest(format!("judge {run_id} {about}"));
    let number = |at: usize| bytes[at..at + 8].iter().fold(0u64, |n, b| n << 8 | u64::from(*b));
    Codes::new([number(0), number(8)])
}

/// Makes the questions about a run's answers, and reads the replies.
#[derive(Debug)]
pub struct Asking<'a> {
    pub basis: &'a Basis,
    pub grading: &'a Grading,
    pub answers: &'a Answers,
    pub run_id: &'a str,
}

/// The two orders in which a pair of answers is shown: the question's digest and codes for each.
struct Both {
    a_first: (String, Codes),
    b_first: (String, Codes),
}

impl Asking<'_> {
    fn rubric(&self, prompt: usize, rubric: &str, answer: &str) -> (String, Codes, JudgePrompt) {
        let of = &self.basis.prompts[prompt];
        let (task, reference) = (task(of), of.expect.as_deref());
        let about = digest(&json!(["rubric", rubric, task, answer, reference]));
        let codes = codes(self.run_id, &about);
        let asked = judge::rubric_prompt(rubric, &task, answer, reference, &codes);
        (about, codes, asked)
    }

    fn preference(
        &self,
        prompt: usize,
        criterion: &str,
        first: &str,
        second: &str,
    ) -> (String, Codes, JudgePrompt) {
        let task = task(&self.basis.prompts[prompt]);
        let about = digest(&json!(["preference", criterion, task, first, second]));
        let codes = codes(self.run_id, &about);
        let asked = judge::pairwise_prompt(criterion, &task, first, second, &codes);
        (about, codes, asked)
    }

    /// A target's answers to the first repeat, by prompt.
    fn first(&self, target: usize) -> BTreeMap<usize, &Kept> {
        let mine = self.answers.iter().filter(|(s, _)| s.target == target && s.repeat == 0);
        mine.map(|(s, kept)| (s.prompt, kept)).collect()
    }

    /// Everything a judge is to be asked; equal questions only once.
    pub fn questions(&self, judging: &Judging) -> Vec<Question> {
        let (mut questions, mut seen) = (Vec::new(), BTreeSet::new());
        let mut ask = |prompt: usize, (about, codes, asked): (String, Codes, JudgePrompt)| {
            if seen.insert(about.clone()) {
                questions.push(Question { about, prompt, asked, codes });
            }
        };
        if judging.rubrics {
            for (step, kept) in self.answers {
                for (_, need) in self.grading.needs(step.prompt) {
                    if let Need::Judge { rubric } = need {
                        ask(step.prompt, self.rubric(step.prompt, rubric, &kept.text));
                    }
                }
            }
        }
        if judging.preferences {
            for (a, b) in self.basis.couples() {
                let (of_a, of_b) = (self.first(a), self.first(b));
                for (prompt, a) in of_a {
                    let Some(b) = of_b.get(&prompt).filter(|b| b.text.trim() != a.text.trim()) else {
                        continue;
                    };
                    ask(prompt, self.preference(prompt, &judging.criterion, &a.text, &b.text));
                    ask(prompt, self.preference(prompt, &judging.criterion, &b.text, &a.text));
                }
            }
        }
        questions
    }

    /// Everything programs are to be asked; equal questions only once.
    pub fn for_programs(&self) -> Vec<ForProgram> {
        let mut seen = BTreeSet::new();
        let mut all = Vec::new();
        for (step, kept) in self.answers {
            for (_, need) in self.grading.needs(step.prompt) {
                if let Need::Program { name } = need {
                    let one = self.for_program(step.prompt, name, &kept.text);
                    if seen.insert(one.about.clone()) {
                        all.push(one);
                    }
                }
            }
        }
        all
    }

    fn for_program(&self, prompt: usize, name: &str, answer: &str) -> ForProgram {
        let of = &self.basis.prompts[prompt];
        let input = crate::quality::exec::request(&of.id, &of.prompt, answer, &of.vars);
        ForProgram { about: digest(&json!(["program", name, input])), name: name.to_owned(), input }
    }

    /// Texts whose vectors are needed; equal ones only once.
    pub fn for_vectors(&self) -> Vec<String> {
        let mut texts = BTreeSet::new();
        for (step, kept) in self.answers {
            for (_, need) in self.grading.needs(step.prompt) {
                if let Need::Embeddings { references } = need {
                    texts.insert(kept.text.clone());
                    texts.extend(references.iter().cloned());
                }
            }
        }
        texts.into_iter().collect()
    }

    /// What has been said about an answer, by the grader's index. Of several judges the first one counts.
    pub fn given(&self, step: &Step, kept: &Kept, told: &Replies) -> BTreeMap<usize, Given> {
        let judge = told.judges.first().map(key);
        let said = judge.as_ref().and_then(|key| told.said.get(key));
        let mut given = BTreeMap::new();
        for (place, need) in self.grading.needs(step.prompt) {
            let found = match need {
                Need::Judge { rubric } => {
                    let (about, codes, _) = self.rubric(step.prompt, rubric, &kept.text);
                    said.and_then(|said| said.get(&about)).map(|text| {
                        judge::read_rubric(text, &codes)
                            .map_or(Given::Nothing, |(pass, score)| Given::Verdict { pass, score })
                    })
                }
                Need::Program { name } => {
                    told.programs.get(&self.for_program(step.prompt, name, &kept.text).about).cloned()
                }
                Need::Embeddings { references } => told.embedder.as_ref().and_then(|model| {
                    let vector = |text: &String| told.vectors.get(&vector_about(model, text)).cloned();
                    let references = references.iter().map(vector).collect::<Option<Vec<_>>>()?;
                    Some(Given::Vectors { answer: vector(&kept.text)?, references })
                }),
            };
            given.extend(found.map(|g| (*place, g)));
        }
        given
    }

    /// What each judge prefers, for each pair that it compared.
    pub fn preferences(&self, told: &Replies) -> Vec<JudgedPair> {
        let Some(judging) = told.judging.as_ref().filter(|j| j.preferences) else { return Vec::new() };
        let nothing = HashMap::new();
        let mut found = Vec::new();
        for judge in &told.judges {
            let said = told.said.get(&key(judge)).unwrap_or(&nothing);
            for (a, b) in self.basis.couples() {
                let (of_a, of_b) = (self.first(a), self.first(b));
                let (mut pairs, mut identical) = (Vec::new(), 0u32);
                for (prompt, a) in of_a {
                    let Some(b) = of_b.get(&prompt) else { continue };
                    if a.text.trim() == b.text.trim() {
                        identical += 1;
                        continue;
                    }
                    let both = self.both(prompt, &judging.criterion, &a.text, &b.text);
                    let read = |(about, codes): &(String, Codes)| judge::read_choice(said.get(about)?, codes);
                    let orders = BothOrders { a_first: read(&both.a_first), b_first: read(&both.b_first) };
                    pairs.push((orders, a.text.chars().count(), b.text.chars().count()));
                }
                if pairs.is_empty() && identical == 0 {
                    continue;
                }
                let (a, b) = (&self.basis.targets[a], &self.basis.targets[b]);
                let report = judge::report(&pairs);
                found.push(JudgedPair {
                    a: a.id.clone(),
                    b: b.id.clone(),
                    preference: PairJudged {
                        judge: judge.id.clone(),
                        prompts: size(pairs.len()) + identical,
                        identical,
                        a_wins: report.wins_a,
                        b_wins: report.wins_b,
                        ties: report.ties + identical,
                        missing: report.missing,
                        p: report.p,
                        flips: report.flips.map(share),
                        first_position: report.first_position.map(share),
                        longer_wins: report.longer_wins.map(share),
                        a_wins_equal_length: report.wins_a_equal_length.map(share),
                        own_family: own_family(judge, &[a, b]),
                    },
                });
            }
        }
        found
    }

    fn both(&self, prompt: usize, criterion: &str, a: &str, b: &str) -> Both {
        let (about, codes, _) = self.preference(prompt, criterion, a, b);
        let (turned, turned_codes, _) = self.preference(prompt, criterion, b, a);
        Both { a_first: (about, codes), b_first: (turned, turned_codes) }
    }

    /// The rubrics of a prompt.
    fn rubrics_of(&self, prompt: usize) -> impl Iterator<Item = &str> {
        self.grading.needs(prompt).iter().filter_map(|(_, need)| match need {
            Need::Judge { rubric } => Some(rubric.as_str()),
            _ => None,
        })
    }

    /// A judge's verdict on one answer: does it meet every rubric of its prompt, and the mean score, 0 to
    /// 1. `None` where a verdict is missing.
    fn verdict(&self, step: &Step, kept: &Kept, said: &HashMap<String, String>) -> Option<(bool, f64)> {
        let verdicts = self.rubrics_of(step.prompt).map(|rubric| {
            let (about, codes, _) = self.rubric(step.prompt, rubric, &kept.text);
            judge::read_rubric(said.get(&about)?, &codes)
        });
        let all: Vec<(bool, f64)> = verdicts.collect::<Option<_>>()?;
        let score = all.iter().map(|v| v.1).sum::<f64>() / all.len() as f64;
        Some((all.iter().all(|v| v.0), score))
    }

    /// The judges of a run with their verdicts, and how well they agree with people's grades.
    pub fn judges(&self, told: &Replies, people: &[HumanGrade]) -> Vec<Judge> {
        let Some(judging) = &told.judging else { return Vec::new() };
        let questions = self.questions(judging);
        let nothing = HashMap::new();
        let mut found = Vec::new();
        for judge in &told.judges {
            let key = key(judge);
            let said = told.said.get(&key).unwrap_or(&nothing);
            let answered: Vec<&Question> = questions.iter().filter(|q| said.contains_key(&q.about)).collect();
            let usable = |q: &&&Question| {
                said.get(&q.about).is_some_and(|text| {
                    judge::read_rubric(text, &q.codes).is_some()
                        || judge::read_choice(text, &q.codes).is_some()
                })
            };
            let good = answered.iter().filter(usable).count();
            let verdicts: Vec<(&Step, Option<(bool, f64)>)> = if judging.rubrics {
                let graded = self.answers.iter().filter(|(s, _)| self.rubrics_of(s.prompt).next().is_some());
                graded.map(|(s, k)| (s, self.verdict(s, k, said))).collect()
            } else {
                Vec::new()
            };
            let all: Vec<&TargetFacts> = self.basis.targets.iter().collect();
            found.push(Judge {
                id: judge.id.clone(),
                kind: judge.kind,
                model: judge.model.clone(),
                origin: judge.origin.clone(),
                answered: size(answered.len()),
                unusable: size(answered.len() - good),
                form: judge.judge_form,
                unanswered: size(questions.len() - answered.len()),
                spent_usd: if judge.origin.is_none() || judge.stand_in {
                    Some(0.0)
                } else {
                    told.spent.get(&key).copied().flatten()
                },
                stopped: told.stopped.get(&key).cloned(),
                rubrics: self.rubrics(&verdicts),
                calibration: self.calibration(&verdicts, people),
                own_family: own_family(judge, &all),
            });
        }
        found
    }

    fn rubrics(&self, verdicts: &[(&Step, Option<(bool, f64)>)]) -> Vec<RubricVerdicts> {
        let of = |target: usize| {
            let mine: Vec<Option<(bool, f64)>> =
                verdicts.iter().filter(|(s, _)| s.target == target).map(|(_, v)| *v).collect();
            let judged: Vec<(bool, f64)> = mine.iter().copied().flatten().collect();
            let (n, passed) = (size(judged.len()), size(judged.iter().filter(|v| v.0).count()));
            (!mine.is_empty()).then(|| RubricVerdicts {
                target: self.basis.targets[target].id.clone(),
                judged: n,
                missing: size(mine.len()) - n,
                passed: stats::wilson(passed, n).map(|i| ShareOf {
                    rate: f64::from(passed) / f64::from(n),
                    low: i.low,
                    high: i.high,
                }),
                score: (n > 0).then(|| judged.iter().map(|v| v.1).sum::<f64>() / f64::from(n)),
            })
        };
        (0..self.basis.targets.len()).filter_map(of).collect()
    }

    fn calibration(
        &self,
        verdicts: &[(&Step, Option<(bool, f64)>)],
        people: &[HumanGrade],
    ) -> Option<Calibration> {
        let person: BTreeMap<(usize, usize, u32), bool> =
            people.iter().map(|g| ((g.target, g.prompt, g.repeat), g.pass)).collect();
        let place = |s: &Step| (s.target, s.prompt, s.repeat);
        let judged: Vec<(&Step, bool)> = verdicts.iter().filter_map(|(s, v)| Some((*s, (*v)?.0))).collect();
        let mut confusion = Confusion::default();
        for (step, pass) in &judged {
            if let Some(person) = person.get(&place(step)) {
                confusion.count(*pass, *person);
            }
        }
        let c = confusion;
        let answers = c.true_pass + c.false_pass + c.true_fail + c.false_fail;
        if answers == 0 {
            return None;
        }
        let rate = |target: usize| {
            let mine: Vec<bool> =
                judged.iter().filter(|(s, _)| s.target == target).map(|(_, p)| *p).collect();
            let (passed, n) = (size(mine.iter().filter(|p| **p).count()), size(mine.len()));
            let (rate, interval) = confusion.corrected_rate(passed, n)?;
            Some(CorrectedRate {
                target: self.basis.targets[target].id.clone(),
                judge_rate: f64::from(passed) / f64::from(n),
                rate,
                low: interval.low,
                high: interval.high,
            })
        };
        // Repeats of a prompt are not independent: they count once, by their mean.
        let mean = |target: usize, prompt: usize, of_person: bool| -> Option<f64> {
            let mine = judged.iter().filter(|(s, _)| s.target == target && s.prompt == prompt);
            let values: Vec<f64> = mine
                .filter_map(|(s, pass)| if of_person { person.get(&place(s)).copied() } else { Some(*pass) })
                .map(|pass| f64::from(u8::from(pass)))
                .collect();
            (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
        };
        let difference = |(a, b): (usize, usize)| {
            let both = |prompt, of_person| Some(mean(a, prompt, of_person)? - mean(b, prompt, of_person)?);
            let prompts: Vec<(f64, Option<f64>)> = (0..self.basis.prompts.len())
                .filter_map(|p| Some((both(p, false)?, both(p, true))))
                .collect();
            let (difference, interval) = judge::corrected_difference(&prompts)?;
            Some(CorrectedDifference {
                a: self.basis.targets[a].id.clone(),
                b: self.basis.targets[b].id.clone(),
                prompts: size(prompts.len()),
                graded: size(prompts.iter().filter(|p| p.1.is_some()).count()),
                judge_difference: prompts.iter().map(|p| p.0).sum::<f64>() / prompts.len() as f64,
                difference,
                low: interval.low,
                high: interval.high,
            })
        };
        Some(Calibration {
            answers,
            true_pass: c.true_pass,
            false_pass: c.false_pass,
            true_fail: c.true_fail,
            false_fail: c.false_fail,
            sensitivity: c.sensitivity().map(share),
            specificity: c.specificity().map(share),
            targets: (0..self.basis.targets.len()).filter_map(rate).collect(),
            pairs: self.basis.couples().into_iter().filter_map(difference).collect(),
        })
    }
}

/// A person's verdict on one answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HumanGrade {
    pub target: usize,
    pub prompt: usize,
    pub repeat: u32,
    pub pass: bool,
}

/// The most questions that a judge can be asked in a run, and an upper bound of the input tokens of all of
/// them: one for each byte. Every answer is counted as long as its limit allows.
pub fn most(prompts: &[Prompt], targets: usize, repeats: u32, limit: u32, judging: &Judging) -> (u64, u64) {
    let couples = (targets * targets.saturating_sub(1) / 2) as u64;
    let codes = Codes::new([0, 0]);
    let (mut calls, mut input) = (0u64, 0u64);
    let bytes = JudgePrompt::bytes;
    for prompt in prompts {
        let longest = (judge::LONGEST_SHOWN * 4) as u64;
        let tokens = u64::from(prompt.max_output_tokens.unwrap_or(limit));
        let answer = (tokens * BYTES_PER_TOKEN).min(longest);
        let task = task(prompt);
        if judging.rubrics {
            for (_, need) in crate::quality::Graders::needs(&prompt.asserts) {
                if let Need::Judge { rubric } = need {
                    let asked = judge::rubric_prompt(&rubric, &task, "", prompt.expect.as_deref(), &codes);
                    let times = targets as u64 * u64::from(repeats);
                    calls += times;
                    input += times * (bytes(&asked) + answer);
                }
            }
        }
        if judging.preferences {
            let asked = judge::pairwise_prompt(&judging.criterion, &task, "", "", &codes);
            calls += 2 * couples;
            input += 2 * couples * (bytes(&asked) + 2 * answer);
        }
    }
    (calls, input)
}

fn own_family(judge: &TargetFacts, targets: &[&TargetFacts]) -> Vec<String> {
    let own = judge::family(&judge.model);
    let same =
        |t: &&&TargetFacts| t.model == judge.model || (own.is_some() && judge::family(&t.model) == own);
    targets.iter().filter(same).map(|t| t.id.clone()).collect()
}

fn share(share: Share) -> ShareOf {
    ShareOf { rate: share.rate(), low: share.interval.low, high: share.interval.high }
}

fn size(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
