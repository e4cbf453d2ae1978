//! The most that a run will ask of paid services, in calls and as money, and whether it may.

use super::asked::Asked;
use super::settings::Settings;
use super::{bounds, load};
use crate::app::Refusal;
use crate::document::bench::Spending;
use crate::document::bench::build::most_to_judge;
use crate::document::bench::price::PriceInForce;
use crate::measure::conversation;
use crate::prompts::Prompt;

/// A service on the network that will be asked.
#[derive(Debug, Clone)]
pub struct Service {
    pub id: String,
    /// Where the requests go.
    pub endpoint: String,
    /// The variable that holds the key that is sent.
    pub key_variable: Option<String>,
    pub stand_in: bool,
    pub loopback: bool,
    pub price: Option<PriceInForce>,
    /// Models of the provider with a similar name, where this one is not in the catalogue.
    pub near: Vec<String>,
}

impl Service {
    /// Does it cost nothing?
    fn is_free(&self) -> bool {
        self.stand_in && self.loopback
    }
}

/// Upper bounds of what one service is asked.
#[derive(Debug)]
struct AskedAtMost {
    service: Service,
    /// It is asked as a judge.
    judges: bool,
    calls: u32,
    input: u64,
    output: u64,
    /// Input tokens of the longest request.
    longest: u64,
    /// Closed loops that end by time alone have no known number of calls.
    unbounded: bool,
}

/// Upper bounds of the whole run.
#[derive(Debug)]
pub struct Plan {
    services: Vec<AskedAtMost>,
    /// Attempts of one call, each of which may be billed.
    attempts: u32,
}

impl Plan {
    /// The plan of a run with its targets and its judges.
    pub fn of_run(
        asked: &Asked,
        settings: &Settings,
        prompts: &[Prompt],
        services: Vec<Service>,
        judges: Vec<Service>,
    ) -> Self {
        let targets = asked.live() + asked.answers.len();
        let judging = asked.judging.judging();
        let most = most_to_judge(prompts, targets, settings.repeats, settings.max_output_tokens, &judging);
        Self::new(asked, services, prompts, settings).and_judges(asked, judges, &|_| most)
    }

    /// The plan of the run's targets.
    fn new(asked: &Asked, services: Vec<Service>, prompts: &[Prompt], settings: &Settings) -> Self {
        let each: Vec<(u64, u64)> =
            prompts.iter().map(|p| bounds::billed_for_all_turns(p, settings.max_output_tokens)).collect();
        let first = asked.models.len();
        let load_plan = settings.load_plan(asked, first + services.len());
        let loads = load::calls(&load_plan, prompts.len(), settings.seed);
        let services = services
            .into_iter()
            .enumerate()
            .map(|(n, service)| {
                let mut times: Vec<u64> = vec![u64::from(settings.repeats); each.len()];
                let mut ask = |count: u32| (0..count as usize).for_each(|n| times[n % each.len()] += 1);
                if settings.repeats > 0 {
                    ask(settings.warmup);
                }
                let mine = || loads.iter().filter(|l| l.target == first + n);
                for load in mine() {
                    ask(load.warmups);
                    ask(load.measured.unwrap_or(0));
                }
                let in_all =
                    |pick: fn(&(u64, u64)) -> u64| times.iter().zip(&each).map(|(n, b)| n * pick(b)).sum();
                let requests = times.iter().zip(prompts).map(|(n, p)| n * u64::from(conversation::turns(p)));
                AskedAtMost {
                    service,
                    judges: false,
                    calls: u32::try_from(requests.sum::<u64>()).unwrap_or(u32::MAX),
                    input: in_all(|b| b.0),
                    output: in_all(|b| b.1),
                    longest: each.iter().map(|b| b.0).max().unwrap_or(0),
                    unbounded: mine().any(|l| l.measured.is_none()),
                }
            })
            .collect();
        Self { services, attempts: asked.attempts() }
    }

    /// The plan of a run that asks only judges. `most`: number of questions and their bytes, for each
    /// judge.
    pub fn of_judges(asked: &Asked, judges: Vec<Service>, most: &dyn Fn(&Service) -> (u64, u64)) -> Self {
        Self { services: Vec::new(), attempts: asked.attempts() }.and_judges(asked, judges, most)
    }

    /// Adds what each judge is asked at most: number of questions, and their bytes.
    fn and_judges(
        mut self,
        asked: &Asked,
        judges: Vec<Service>,
        most: &dyn Fn(&Service) -> (u64, u64),
    ) -> Self {
        for service in judges {
            let (calls, input) = most(&service);
            self.services.push(AskedAtMost {
                service,
                judges: true,
                calls: u32::try_from(calls).unwrap_or(u32::MAX),
                input: input + calls * bounds::OVERHEAD_TOKENS,
                output: calls * u64::from(asked.judging.tokens),
                longest: input + bounds::OVERHEAD_TOKENS,
                unbounded: false,
            });
        }
        self
    }

    /// Adds this plan to what a run had planned.
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

    /// Services that may cost money.
    fn paid(&self) -> impl Iterator<Item = &AskedAtMost> {
        self.services.iter().filter(|s| !s.service.is_free())
    }

    fn worst_case(&self) -> Option<f64> {
        let most = |s: &AskedAtMost| {
            s.service.price.as_ref().filter(|_| !s.unbounded)?.worst_case(s.input, s.output, s.longest)
        };
        self.paid().map(most).sum::<Option<f64>>().map(|usd| usd * f64::from(self.attempts))
    }

    fn unpriced(&self) -> Vec<String> {
        self.paid().map(|s| &s.service).filter(|s| s.price.is_none()).map(|s| s.id.clone()).collect()
    }

    /// The plan as lines of text, shown before the first call.
    pub fn announcement(&self, asked: &Asked, prompts: &[Prompt], settings: &Settings) -> Vec<String> {
        let mut lines = Vec::new();
        let word = |n: usize, one: &str| if n == 1 { format!("{n} {one}") } else { format!("{n} {one}s") };
        let targets = word(asked.live(), "target");
        if settings.repeats > 0 && asked.live() > 0 {
            let turns: u32 = prompts.iter().map(conversation::turns).sum();
            let of_turns = match turns as usize {
                n if n > prompts.len() => format!(" of {n} turns in all"),
                _ => String::new(),
            };
            lines.push(format!(
                "Plan: {}{of_turns} × {} on {targets}, after {} per target.",
                word(prompts.len(), "prompt"),
                word(settings.repeats as usize, "repeat"),
                word(settings.warmup as usize, "warm-up request"),
            ));
        }
        if let Some(text) = load::announcement(&asked.load.shapes, asked.load.extent, settings.rounds) {
            lines.push(format!("Load: {text}, on {targets}."));
        }
        lines.extend(self.each());
        lines
    }

    /// What each service is asked, and what it may cost, as lines of text.
    pub fn each(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.services.iter().map(|asked| self.line(asked)).collect();
        if self.paid().next().is_some() {
            lines.push(format!("  {}", Self::BASIS));
        }
        lines
    }

    fn line(&self, asked: &AskedAtMost) -> String {
        let service = &asked.service;
        let cost = match &service.price {
            _ if service.is_free() => "on this machine: a stand-in for a cloud API, costs nothing".to_owned(),
            Some(_) if asked.unbounded => {
                "its cost is not bounded: a closed loop sends as much as fits into its time (--requests or \
                 --max-cost bounds it)"
                    .to_owned()
            }
            Some(price) => match price.worst_case(asked.input, asked.output, asked.longest) {
                Some(usd) => format!(
                    "at most ${usd:.4}{} at the prices of {} ({})",
                    match self.attempts {
                        1 => String::new(),
                        n => format!(
                            ", ${:.4} if each call took {n} attempts and all were billed,",
                            usd * f64::from(n)
                        ),
                    },
                    price.record.as_of,
                    price.record.source
                ),
                None => "its cost is not known: the price record lacks a rate".to_owned(),
            },
            None if service.near.is_empty() => {
                "its cost is not known: the catalogue has no price for this model".to_owned()
            }
            None => format!(
                "its cost is not known: the catalogue has no price for this model (similar names: {})",
                service.near.join(", ")
            ),
        };
        format!(
            "  {}{} at {}{}: {}{}, at most {} input and {} output tokens; {cost}.",
            service.id,
            if asked.judges { " as judge" } else { "" },
            service.endpoint,
            service.key_variable.as_ref().map_or(String::new(), |name| format!(" with the key in {name}")),
            if asked.unbounded { "more than " } else { "" },
            if asked.calls == 1 { "1 call".to_owned() } else { format!("{} calls", asked.calls) },
            asked.input,
            asked.output
        )
    }

    /// What the upper bounds assume.
    const BASIS: &str = "The most it can be: one token per byte of the prompts, every answer as long as its limit allows \
         (reasoning counts as output), nothing from a cache.";

    /// May the run start? `yes`: the user passed `--yes`. `can_ask`: the user can be asked.
    pub fn consent(&self, asked: &Asked, yes: bool, can_ask: bool) -> Result<Consent, Refusal> {
        if self.paid().next().is_none() {
            return Ok(Consent::By("not-needed"));
        }
        if asked.max_cost.is_some() {
            let unpriced = self.unpriced();
            if unpriced.is_empty() {
                return Ok(Consent::By("--max-cost"));
            }
            if !yes {
                return Err(Refusal::input(format!(
                    "--max-cost cannot be kept: no price is known for {}",
                    unpriced.join(" and ")
                ))
                .hint("Add the price to your catalogue (freehold db --help), or accept an unknown cost with --yes."));
            }
        }
        if yes {
            return Ok(Consent::By("--yes"));
        }
        if !can_ask {
            return Err(Refusal::input(
                "this run sends prompts to a paid API and nobody can be asked (no terminal)",
            )
            .hint(
                "Pass --yes to accept the plan above, --max-cost USD to cap it, or --dry-run to only see it.",
            ));
        }
        let cost =
            self.worst_case().map_or("an unknown amount".to_owned(), |usd| format!("at most ${usd:.4}"));
        Ok(Consent::Ask(format!("Send these prompts and spend {cost}?")))
    }

    /// The record of spending for the document, before anything was spent.
    pub fn spending(&self, consent: &'static str, max_cost: Option<f64>) -> Spending {
        Spending {
            planned_calls: self.services.iter().map(|s| s.calls).sum(),
            planned_input_tokens: self.services.iter().map(|s| s.input).sum(),
            planned_output_tokens: self.services.iter().map(|s| s.output).sum(),
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

/// Whether there is consent to the spending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Consent {
    /// It was given, or none is needed: the word for the document.
    By(&'static str),
    /// The user must be asked; a yes is recorded as [`AGREED`].
    Ask(String),
}

/// The word for the document where the user was asked and agreed.
pub const AGREED: &str = "asked";

#[cfg(test)]
mod tests {
    use super::*;

    fn service(stand_in: bool) -> Service {
        Service {
            id: "openai:m".to_owned(),
            endpoint: "https://api.example/v1".to_owned(),
            key_variable: None,
            stand_in,
            loopback: stand_in,
            price: None,
            near: Vec::new(),
        }
    }

    fn plan(asked: &Asked, services: Vec<Service>) -> Plan {
        let settings = Settings::of(&Asked { apis: vec!["openai:m".to_owned()], ..Asked::default() });
        let prompts = [Prompt { id: "p".to_owned(), prompt: "12345678".to_owned(), ..Prompt::default() }];
        Plan::of_run(asked, &settings.expect("settings"), &prompts, services, Vec::new())
    }

    #[test]
    fn what_may_cost_money_starts_by_a_word_or_a_question_only() {
        let mut asked = Asked { apis: vec!["openai:m".to_owned()], ..Asked::default() };
        let free = plan(&asked, vec![service(true)]);
        assert_eq!(free.consent(&asked, false, false), Ok(Consent::By("not-needed")));
        let paid = plan(&asked, vec![service(false)]);
        assert_eq!(paid.consent(&asked, true, true), Ok(Consent::By("--yes")));
        let question = Consent::Ask("Send these prompts and spend an unknown amount?".to_owned());
        assert_eq!(paid.consent(&asked, false, true), Ok(question));
        assert!(paid.consent(&asked, false, false).is_err_and(|e| e.message.contains("no terminal")));
        // A spending cap cannot be kept without a price, unless the user accepts that.
        asked.max_cost = Some(1.0);
        assert!(paid.consent(&asked, false, true).is_err_and(|e| e.message.contains("openai:m")));
        assert_eq!(paid.consent(&asked, true, true), Ok(Consent::By("--yes")));
    }

    #[test]
    fn a_plan_counts_repeats_warm_up_and_loads_for_each_service() {
        let shapes = vec![crate::measure::load::Shape::Closed { concurrency: 2 }];
        let mut asked = Asked { apis: vec!["openai:m".to_owned()], ..Asked::default() };
        let said = plan(&asked, vec![service(false)]).each().remove(0);
        // 3 repeats and 1 warm-up request.
        assert!(
            said.contains(": 4 calls, at most 288 input and 1024 output tokens; its cost is not known"),
            "{said}"
        );
        asked.load.shapes = shapes;
        asked.load.extent.requests = Some(10);
        let said = plan(&asked, vec![service(false)]).each().remove(0);
        assert!(said.contains(": 16 calls,"), "{said}");
        asked.load.extent = crate::measure::load::Extent { requests: None, seconds: Some(5.0) };
        let said = plan(&asked, vec![service(false)]).each().remove(0);
        assert!(said.contains(": more than 6 calls,"), "{said}");
    }
}
