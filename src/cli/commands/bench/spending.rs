//! What a run will ask of paid accounts, whether that is allowed, and what it came to.

use super::args::Args;
use super::judges;
use super::settings::Settings;
use super::targets::Api;
use crate::app::bench::{bounds, load};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::document::bench::Spending;
use crate::document::bench::price::PriceInForce;
use crate::measure::conversation;
use crate::prompts::Prompt;

/// The upper bound of one target's requests.
#[derive(Debug)]
struct TargetPlan {
    id: String,
    /// Where the requests go.
    endpoint: String,
    /// The variable whose key goes along.
    key_variable: Option<String>,
    stand_in: bool,
    loopback: bool,
    /// It is asked about the answers of others.
    judges: bool,
    calls: u32,
    input: u64,
    output: u64,
    /// Closed loops that end by time alone: nobody knows how many calls fit in.
    unbounded: bool,
    price: Option<PriceInForce>,
    near: Vec<String>,
}

/// The upper bound of the whole run.
#[derive(Debug)]
pub struct Plan {
    targets: Vec<TargetPlan>,
    /// Attempts of one call, each of which may be billed.
    attempts: u32,
}

impl Plan {
    pub fn new(args: &Args, apis: &[Api], prompts: &[Prompt], settings: &Settings) -> Self {
        let each: Vec<(u64, u64)> =
            prompts.iter().map(|p| bounds::billed_for_all_turns(p, settings.max_output_tokens)).collect();
        let first = args.model.len();
        let loads =
            load::calls(&settings.load_plan(&args.load, first + apis.len()), prompts.len(), settings.seed);
        let targets = apis
            .iter()
            .enumerate()
            .map(|(n, api)| {
                let mut asked: Vec<u64> = vec![u64::from(settings.repeats); each.len()];
                let mut ask = |count: u32| (0..count as usize).for_each(|n| asked[n % each.len()] += 1);
                if settings.repeats > 0 {
                    ask(settings.warmup);
                }
                let mine = || loads.iter().filter(|l| l.target == first + n);
                for load in mine() {
                    ask(load.warmups);
                    ask(load.measured.unwrap_or(0));
                }
                let times =
                    |pick: fn(&(u64, u64)) -> u64| asked.iter().zip(&each).map(|(n, b)| n * pick(b)).sum();
                TargetPlan {
                    id: api.facts.id.clone(),
                    endpoint: api.target.address.endpoint.to_string(),
                    key_variable: api.target.key.as_ref().and(api.target.key_variable.clone()),
                    stand_in: api.facts.stand_in,
                    loopback: api.loopback,
                    judges: false,
                    calls: u32::try_from(
                        asked
                            .iter()
                            .zip(prompts)
                            .map(|(n, p)| n * u64::from(conversation::turns(p)))
                            .sum::<u64>(),
                    )
                    .unwrap_or(u32::MAX),
                    input: times(|b| b.0),
                    output: times(|b| b.1),
                    unbounded: mine().any(|l| l.measured.is_none()),
                    price: api.facts.price.clone(),
                    near: api.near.clone(),
                }
            })
            .collect();
        Self { targets, attempts: args.retries.saturating_add(1) }
    }

    /// A run that asks nobody but judges.
    pub fn of_judges(args: &Args, judges: &[judges::Named], most: &dyn Fn(&Api) -> (u64, u64)) -> Self {
        Self { targets: Vec::new(), attempts: args.retries.saturating_add(1) }.and_judges(args, judges, most)
    }

    /// The same run with what each judge is asked at most: questions, and bytes of them.
    #[must_use]
    pub fn and_judges(
        mut self,
        args: &Args,
        judges: &[judges::Named],
        most: &dyn Fn(&Api) -> (u64, u64),
    ) -> Self {
        for judge in judges {
            let judges::Named::Api(api) = judge else { continue };
            let (calls, input) = most(api);
            self.targets.push(TargetPlan {
                id: api.facts.id.clone(),
                endpoint: api.target.address.endpoint.to_string(),
                key_variable: api.target.key.as_ref().and(api.target.key_variable.clone()),
                stand_in: api.facts.stand_in,
                loopback: api.loopback,
                judges: true,
                calls: u32::try_from(calls).unwrap_or(u32::MAX),
                input: input + calls * bounds::OVERHEAD_TOKENS,
                output: calls * u64::from(args.judging.judge_tokens),
                unbounded: false,
                price: api.facts.price.clone(),
                near: api.near.clone(),
            });
        }
        self
    }

    /// Count this beside what a run was planned with.
    pub fn add_to(&self, spending: &mut Spending, consent: &'static str, max_cost: Option<f64>) {
        let more = self.spending(consent, max_cost);
        spending.planned_calls += more.planned_calls;
        spending.planned_input_tokens += more.planned_input_tokens;
        spending.planned_output_tokens += more.planned_output_tokens;
        spending.worst_case_usd = spending.worst_case_usd.zip(more.worst_case_usd).map(|(a, b)| a + b);
        spending.unpriced.extend(more.unpriced);
        spending.max_cost_usd = max_cost.or(spending.max_cost_usd);
        if consent != "not-needed" {
            more.consent.clone_into(&mut spending.consent);
        }
    }

    /// Targets that may cost money.
    fn paid(&self) -> impl Iterator<Item = &TargetPlan> {
        self.targets.iter().filter(|t| !(t.stand_in && t.loopback))
    }

    fn worst_case(&self) -> Option<f64> {
        let most = |t: &TargetPlan| t.price.as_ref().filter(|_| !t.unbounded)?.worst_case(t.input, t.output);
        self.paid().map(most).sum::<Option<f64>>().map(|usd| usd * f64::from(self.attempts))
    }

    fn unpriced(&self) -> Vec<String> {
        self.paid().filter(|t| t.price.is_none()).map(|t| t.id.clone()).collect()
    }

    /// Say what is planned, before the first call.
    pub fn announce(&self, context: &Context, args: &Args, prompts: &[Prompt], settings: &Settings) {
        let word = |n: usize, one: &str| if n == 1 { format!("{n} {one}") } else { format!("{n} {one}s") };
        let targets = word(args.model.len() + args.api.len(), "target");
        if settings.repeats > 0 && args.model.len() + args.api.len() > 0 {
            let turns: u32 = prompts.iter().map(conversation::turns).sum();
            let of_turns = match turns as usize {
                n if n > prompts.len() => format!(" of {n} turns in all"),
                _ => String::new(),
            };
            context.note(&format!(
                "Plan: {}{of_turns} × {} on {targets}, after {} per target.",
                word(prompts.len(), "prompt"),
                word(settings.repeats as usize, "repeat"),
                word(settings.warmup as usize, "warm-up request"),
            ));
        }
        if let Some(text) = load::announcement(&args.load.shapes(), args.load.extent(), settings.rounds) {
            context.note(&format!("Load: {text}, on {targets}."));
        }
        self.each(context);
    }

    /// What is asked of each API, and what it may cost.
    pub fn each(&self, context: &Context) {
        for target in &self.targets {
            let cost = match &target.price {
                _ if target.stand_in && target.loopback => {
                    "on this machine: a stand-in for a cloud API, costs nothing".to_owned()
                }
                Some(_) if target.unbounded => {
                    "its cost is not bounded: a closed loop sends as much as fits into its time (--requests or \
                     --max-cost bounds it)"
                        .to_owned()
                }
                Some(price) => match price.worst_case(target.input, target.output) {
                    Some(usd) => format!(
                        "at most ${usd:.4}{} at the prices of {} ({})",
                        match self.attempts {
                            1 => String::new(),
                            n => format!(", ${:.4} if each call took {n} attempts and all were billed,", usd * f64::from(n)),
                        },
                        price.record.as_of,
                        price.record.source
                    ),
                    None => "its cost is not known: the price record lacks a rate".to_owned(),
                },
                None if target.near.is_empty() => {
                    "its cost is not known: the catalogue has no price for this model".to_owned()
                }
                None => format!(
                    "its cost is not known: the catalogue has no price for this model (similar names: {})",
                    target.near.join(", ")
                ),
            };
            context.note(&format!(
                "  {}{} at {}{}: {}{}, at most {} input and {} output tokens; {cost}.",
                target.id,
                if target.judges { " as judge" } else { "" },
                target.endpoint,
                target.key_variable.as_ref().map_or(String::new(), |name| format!(" with the key in {name}")),
                if target.unbounded { "more than " } else { "" },
                if target.calls == 1 { "1 call".to_owned() } else { format!("{} calls", target.calls) },
                target.input,
                target.output
            ));
        }
        if self.paid().next().is_some() {
            context.note(&format!("  {}", Self::BASIS));
        }
    }

    /// What "at most" rests on.
    const BASIS: &str = "The most it can be: one token per byte of the prompts, every answer as long as its limit allows \
         (reasoning counts as output), nothing from a cache.";

    /// May it start? Says by what.
    pub fn consent(&self, context: &Context, args: &Args) -> Result<&'static str, CliError> {
        if self.paid().next().is_none() {
            return Ok("not-needed");
        }
        if args.max_cost.is_some() {
            let unpriced = self.unpriced();
            if unpriced.is_empty() {
                return Ok("--max-cost");
            }
            if !args.yes {
                return Err(CliError::usage(format!("--max-cost cannot be kept: no price is known for {}", unpriced.join(" and ")))
                    .hint("Add the price to your catalogue (freehold db --help), or accept an unknown cost with --yes."));
            }
        }
        if args.yes {
            return Ok("--yes");
        }
        if !context.can_ask() {
            return Err(CliError::usage(
                "this run sends prompts to a paid API and nobody can be asked (no terminal)",
            )
            .hint(
                "Pass --yes to accept the plan above, --max-cost USD to cap it, or --dry-run to only see it.",
            ));
        }
        let cost =
            self.worst_case().map_or("an unknown amount".to_owned(), |usd| format!("at most ${usd:.4}"));
        let agreed = dialoguer::Confirm::new()
            .with_prompt(format!("Send these prompts and spend {cost}?"))
            .default(false)
            .interact_opt()
            .map_err(|e| CliError::failed(format!("the question could not be asked: {e}")))?;
        match agreed {
            Some(true) => Ok("asked"),
            _ => Err(CliError::new(crate::cli::error::Exit::Interrupted, "not started: nothing was sent")),
        }
    }

    /// The document's record of it, before anything was spent.
    pub fn spending(&self, consent: &'static str, max_cost: Option<f64>) -> Spending {
        Spending {
            planned_calls: self.targets.iter().map(|t| t.calls).sum(),
            planned_input_tokens: self.targets.iter().map(|t| t.input).sum(),
            planned_output_tokens: self.targets.iter().map(|t| t.output).sum(),
            worst_case_usd: self.worst_case(),
            attempts_per_call: Some(self.attempts),
            unsettled_usd: None,
            unpriced: self.unpriced(),
            max_cost_usd: max_cost,
            consent: consent.to_owned(),
            spent_usd: None,
        }
    }
}
