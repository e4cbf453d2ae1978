//! Answers → grades. Some graders need a judge or a program, which are asked after the run, so an answer is
//! kept whole until everything its graders need is there.

use super::basis::TargetFacts;
use super::bill::cost;
use crate::measure::conversation;
use crate::measure::event::FinishReason;
use crate::measure::run::Record;
use crate::prompts::Prompt;
use crate::quality::{self, Answer, Given, Grade, Graders, Need};
use crate::threads::in_order;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The graders of a run's prompts, each prepared once.
#[derive(Debug, Clone)]
pub struct Grading(Vec<OfPrompt>);

#[derive(Debug, Clone)]
struct OfPrompt {
    expect: Option<String>,
    graders: Graders,
    needs: Vec<(usize, Need)>,
    tools: Vec<Value>,
    turns: u32,
}

/// The result of grading one answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Graded {
    /// `None` where nothing is expected of the answer, and where it cannot be graded.
    pub pass: Option<bool>,
    /// Weighted mean of the graders' scores, 0 to 1.
    pub score: Option<f64>,
    /// Types of the graders that the answer failed.
    pub failed: Vec<String>,
    /// Why the answer has no grade although something was expected of it.
    pub missing: Option<String>,
}

/// A whole answer, with what graders may look at beside its text.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept {
    pub text: String,
    calls: Option<Value>,
    latency_ms: Option<f64>,
    cost_usd: Option<f64>,
    output_tokens: Option<u64>,
    finish: Option<&'static str>,
}

impl Kept {
    /// The answer of a request. `None` where the request failed, and where the text is not what the model
    /// sent because a key had to be taken out of it.
    pub fn of(record: &Record, facts: &TargetFacts) -> Option<Self> {
        let f = &record.figures;
        let there = f.error.is_none() && (!record.trace.redacted || record.unredacted.is_some());
        let calls = &record.trace.tool_calls;
        let calls = (!calls.is_empty()).then(|| {
            let call = |c: &crate::measure::event::ToolCall| {
                json!({"id": c.id, "type": "function", "function": {"name": c.name, "arguments": c.arguments}})
            };
            Value::Array(calls.iter().map(call).collect())
        });
        let text = match &calls {
            // The text of an answer that only calls tools is its calls.
            Some(calls) if record.answer().trim().is_empty() => calls.to_string(),
            _ => record.answer().to_owned(),
        };
        there.then(|| Self {
            text,
            calls,
            latency_ms: f.e2e_ms,
            cost_usd: cost(record, facts),
            output_tokens: f.output_tokens,
            finish: f.finish.and_then(|reason| match reason {
                FinishReason::Stop => Some("stop"),
                FinishReason::Length => Some("length"),
                FinishReason::ToolCalls => Some("tool_calls"),
                FinishReason::ContentFilter => Some("content_filter"),
                FinishReason::Other => None,
            }),
        })
    }

    /// An answer that another program has recorded: nothing but its text is known.
    pub fn recorded(text: String) -> Self {
        Self { text, calls: None, latency_ms: None, cost_usd: None, output_tokens: None, finish: None }
    }

    fn answer<'a>(&'a self, tools: &'a [Value]) -> Answer<'a> {
        Answer {
            text: &self.text,
            value: self.calls.as_ref(),
            latency_ms: self.latency_ms,
            cost_usd: self.cost_usd,
            output_tokens: self.output_tokens,
            finish_reason: self.finish,
            tools: (!tools.is_empty()).then_some(tools),
            ..Answer::default()
        }
    }
}

impl Grading {
    /// The graders of these prompts, in their order.
    pub fn new(prompts: &[Prompt]) -> Self {
        let tool = |t: &crate::prompts::conversation::Tool| {
            json!({"type": "function", "function":
                {"name": t.name, "description": t.description, "parameters": t.parameters}})
        };
        let of = |prompt: &Prompt| OfPrompt {
            expect: prompt.expect.clone(),
            graders: Graders::new(&prompt.asserts, prompt.threshold),
            needs: Graders::needs(&prompt.asserts),
            tools: conversation::tools(prompt).iter().map(tool).collect(),
            turns: conversation::turns(prompt),
        };
        Self(in_order(prompts, of))
    }

    /// What graders of a prompt need from a judge, a program or an embedding model, with the index of each
    /// grader.
    pub fn needs(&self, prompt: usize) -> &[(usize, Need)] {
        self.0.get(prompt).map_or(&[], |p| &p.needs)
    }

    /// Is this the last turn of a prompt? Only its answer is graded and compared.
    pub fn is_last(&self, prompt: usize, turn: u32) -> bool {
        self.0.get(prompt).is_some_and(|p| turn + 1 == p.turns)
    }

    /// Is the answer to this turn graded? In a conversation only the last one can be.
    pub fn expects(&self, prompt: usize, turn: u32) -> bool {
        self.0
            .get(prompt)
            .is_some_and(|p| turn + 1 == p.turns && (p.expect.is_some() || !p.graders.is_empty()))
    }

    /// Does a prompt offer tools? Only then can calls be checked against their schemas.
    pub fn offers_tools(&self, prompt: usize) -> bool {
        self.0.get(prompt).is_some_and(|p| !p.tools.is_empty())
    }

    /// Were the tools that an answer calls offered, and do the arguments fit their schemas? `None` where it
    /// calls none.
    pub fn calls_fit(&self, prompt: usize, kept: &Kept) -> Option<bool> {
        let of = self.0.get(prompt)?;
        kept.calls.as_ref()?;
        let valid = crate::prompts::Assertion {
            kind: "is-valid-openai-tools-call".to_owned(),
            ..crate::prompts::Assertion::default()
        };
        match Graders::new(&[valid], None).grade(&kept.answer(&of.tools), &BTreeMap::new()) {
            Grade::Scored(score) => Some(score.pass),
            Grade::Missing(_) => None,
        }
    }

    /// Grade an answer. `given` has what a judge, a program or an embedding model said, by the grader's
    /// index.
    pub fn grade(
        &self,
        prompt: usize,
        turn: u32,
        kept: Option<&Kept>,
        given: &BTreeMap<usize, Given>,
    ) -> Graded {
        let (true, Some(of)) = (self.expects(prompt, turn), self.0.get(prompt)) else {
            return Graded::default();
        };
        let Some(kept) = kept else { return Graded::default() };
        let expected = of.expect.as_ref().is_none_or(|e| quality::passes(&kept.text, e));
        let failed_expectation = (!expected).then(|| "expect".to_owned());
        let share = |pass: bool| f64::from(u8::from(pass));
        if of.graders.is_empty() {
            return Graded {
                pass: Some(expected),
                score: Some(share(expected)),
                failed: failed_expectation.into_iter().collect(),
                missing: None,
            };
        }
        match of.graders.grade(&kept.answer(&of.tools), given) {
            Grade::Scored(score) => {
                let failed = score.components.iter().filter(|c| !c.pass).map(|c| c.kind.clone());
                Graded {
                    pass: Some(expected && score.pass),
                    score: Some(share(expected) * score.score),
                    failed: failed_expectation.into_iter().chain(failed).collect(),
                    missing: None,
                }
            }
            Grade::Missing(why) => Graded { missing: Some(why.to_string()), ..Graded::default() },
        }
    }
}
