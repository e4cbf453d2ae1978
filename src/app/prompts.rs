//! `prompts`: describes a set of prompts, or draws one from records of use.

use super::refusal::Refusal;
use crate::catalog::Catalog;
use crate::document::bench::price::PriceInForce;
use crate::document::envelope::{Envelope, Input, Warning};
use crate::document::prompts::{
    CategoryOfPrompts, CostOfRun, NeededForMargin, NotRun, PromptsDocument, PromptsResult, SCHEMA,
};
use crate::measure::conversation;
use crate::prompts::conversation::{Message, Role};
use crate::prompts::promptfoo::NoticeKind;
use crate::prompts::sample::{Sample, draw};
use crate::prompts::set::Written;
use crate::prompts::{Conversation, Prompt, Set, redact};
use crate::provenance::Sourced;
use crate::quality::{Graders, Need, SMOKE};
use crate::stats::prompts_needed;
use crate::usage::texts;
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};

/// Shares of prompts on which two sides disagree, for which the number of prompts needed is given.
const DISAGREE: [f64; 3] = [0.1, 0.2, 0.3];
/// Bytes assumed for a token: about four in English, fewer in other scripts and in code.
const BYTES_PER_TOKEN: f64 = 4.0;
/// Most prompts of one draw.
pub const MOST_DRAWN: usize = 100_000;

/// The same defaults as of `bench`.
const MARGIN: f64 = 0.1;
const REPEATS: u32 = 3;
const OUTPUT: u32 = 256;

/// What the user asks about a set.
#[derive(Debug)]
pub struct Check<'a> {
    /// The file's name, as it was given.
    pub file: &'a str,
    pub set: &'a Set,
    /// API models whose cost is asked for, as they were typed.
    pub models: &'a [String],
    /// Accepted loss of pass rate; absent: 0.1.
    pub margin: Option<f64>,
    /// How often each prompt is asked; absent: 3 times.
    pub repeats: Option<u32>,
    /// Output limit where a prompt has none of its own; absent: 256.
    pub max_output_tokens: Option<u32>,
    pub catalog: &'a Catalog,
    pub today: Date,
    pub now: &'a str,
}

fn given<T>(value: Option<T>, default: T, flag: &str) -> Sourced<T> {
    match value {
        Some(value) => Sourced::flag(value, flag),
        None => Sourced::assumed(
            default,
            format!("default-{}", flag.trim_start_matches('-')),
            "the default of the command".to_owned(),
        ),
    }
}

fn size(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// Checks a set of prompts: is everything in it valid, how long is it, what does a run cost, and are there
/// enough for the margin?
pub fn check(asked: &Check<'_>) -> Result<PromptsDocument, Refusal> {
    let margin = asked.margin.unwrap_or(MARGIN);
    if !(margin > 0.0 && margin < 1.0) {
        return Err(Refusal::input(format!("--margin {margin} is not a share between 0 and 1")));
    }
    let (repeats, limit) = (asked.repeats.unwrap_or(REPEATS), asked.max_output_tokens.unwrap_or(OUTPUT));
    let (mut not_run, mut judged, mut embedded, mut graded) = (Vec::new(), 0, 0, 0);
    let mut programs: BTreeMap<String, u32> = BTreeMap::new();
    for prompt in &asked.set.prompts {
        let graders = Graders::new(&prompt.asserts, prompt.threshold);
        if let Some(problem) = graders.problems().iter().find(|p| !p.what.is_not_run()) {
            let line = problem.line.map_or_else(String::new, |l| format!(", line {l}"));
            return Err(
                Refusal::input(format!("{}{line}: {}", asked.file, problem.what)).hint(problem.what.remedy())
            );
        }
        not_run.extend(graders.problems().iter().map(|p| NotRun {
            prompt_id: prompt.id.clone(),
            line: p.line.map(size),
            what: p.what.to_string(),
        }));
        let needs = Graders::needs(&prompt.asserts);
        judged += u32::from(needs.iter().any(|(_, n)| matches!(n, Need::Judge { .. })));
        embedded += u32::from(needs.iter().any(|(_, n)| matches!(n, Need::Embeddings { .. })));
        let named: BTreeSet<String> = needs
            .into_iter()
            .filter_map(|(_, need)| match need {
                Need::Program { name } => Some(name),
                _ => None,
            })
            .collect();
        for name in named {
            *programs.entry(name).or_insert(0) += 1;
        }
        graded += u32::from(prompt.expect.is_some() || !graders.is_empty());
    }
    let longest =
        |p: &Prompt| (0..conversation::turns(p)).map(|turn| conversation::size(p, turn).0 as u64).max();
    let longest = asked.set.prompts.iter().filter_map(longest).max().unwrap_or(0);
    let (bytes, most_output) = asked.set.prompts.iter().fold((0u64, 0u64), |sum, p| {
        let turns = conversation::turns(p);
        let sent: u64 = (0..turns).map(|turn| conversation::size(p, turn).0 as u64).sum();
        let output = u64::from(p.max_output_tokens.unwrap_or(limit)) * u64::from(turns);
        (sum.0 + sent, sum.1 + output)
    });
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let likely = (bytes as f64 / BYTES_PER_TOKEN).ceil() as u64;
    let runs = asked
        .models
        .iter()
        .map(|m| cost(asked, m, repeats, (bytes, likely, most_output), longest))
        .collect::<Result<_, _>>()?;
    let needed: Vec<NeededForMargin> = DISAGREE
        .iter()
        .filter_map(|share| {
            let prompts = prompts_needed(margin, *share)?.max(SMOKE);
            Some(NeededForMargin { disagree_share: *share, prompts })
        })
        .collect();
    let categories = categories(&asked.set.prompts);
    let result = PromptsResult {
        prompts: size(asked.set.prompts.len()),
        conversations: size(asked.set.prompts.iter().filter(|p| p.conversation.is_some()).count()),
        requests: asked.set.prompts.iter().map(conversation::turns).sum::<u32>().saturating_mul(repeats),
        graded,
        needs_judge: judged,
        repeated: repeated(&asked.set.prompts),
        categories,
        input_bytes: bytes,
        input_tokens_likely: likely,
        output_tokens_at_most: most_output,
        runs,
        needed,
        not_run,
    };
    let mut warnings = warnings(&result);
    warnings.extend(others_needed(embedded, &programs));
    warnings.extend(notes(asked.file, asked.set).into_iter().map(|message| Warning {
        id: "prompt-file".to_owned(),
        message,
        about: None,
    }));
    let inputs = BTreeMap::from([
        ("prompts_file".to_owned(), Input::plain(&Sourced::flag(asked.file.to_owned(), "FILE"))),
        ("margin".to_owned(), Input::of(&given(asked.margin, MARGIN, "--margin"), "share")),
        ("repeats".to_owned(), Input::of(&given(asked.repeats, REPEATS, "--repeats"), "per prompt")),
        (
            "max_output_tokens".to_owned(),
            Input::of(&given(asked.max_output_tokens, OUTPUT, "--max-output-tokens"), "tokens"),
        ),
    ]);
    Ok(Envelope {
        schema: SCHEMA.to_owned(),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        created: asked.now.to_owned(),
        inputs,
        result,
        warnings,
    })
}

/// Most lines that a note names.
const MOST_LINES: usize = 5;

/// Notes on a valid file of prompts, in whole sentences.
pub fn notes(file: &str, set: &Set) -> Vec<String> {
    // The same note for several lines is given once.
    let mut said: Vec<(String, Vec<usize>)> = Vec::new();
    for notice in &set.notices {
        let text = match &notice.kind {
            NoticeKind::UnknownKey { place, key } => {
                format!("nothing reads the key {key:?} of the {place}; is it misspelt?")
            }
            NoticeKind::NothingAsserted { .. } => {
                "a test asserts nothing, so every answer passes it".to_owned()
            }
            NoticeKind::NotRun { what } => {
                format!(
                    "{what} is a program or a script, and none of a prompt file is run: its tests have no grade"
                )
            }
            NoticeKind::Repeats(n) => format!("it asks for {n} repeats of each test; here --repeats decides"),
            NoticeKind::NoFiles { pattern } => format!("no file has a name like {pattern:?}"),
        };
        let line = notice.line.into_iter();
        match said.iter_mut().find(|(known, _)| *known == text) {
            Some((_, lines)) => lines.extend(line.filter(|l| !lines.contains(l)).collect::<Vec<_>>()),
            None => said.push((text, line.collect())),
        }
    }
    let place = |lines: &[usize]| match lines {
        [] => String::new(),
        [one] => format!(", line {one}"),
        many => {
            let shown: Vec<String> = many.iter().take(MOST_LINES).map(ToString::to_string).collect();
            let more = if many.len() > MOST_LINES { " and others" } else { "" };
            format!(", lines {}{more}", shown.join(", "))
        }
    };
    let mut notes: Vec<String> =
        said.iter().map(|(text, lines)| format!("{file}{}: {text}.", place(lines))).collect();
    if matches!(set.written, Written::Log(_)) {
        let any = set.prompts.iter().any(|p| !p.asserts.is_empty());
        if any {
            notes.push(format!(
                "{file}: an answer passes if it contains one of the texts that the log expects; how its own program \
                 compared them does not stand in it."
            ));
        }
        if !set.answers.is_empty() {
            notes.push(format!(
                "{file} also holds finished answers: `bench --answers {file}` compares them without a call."
            ));
        }
    }
    notes
}

fn cost(
    asked: &Check<'_>,
    name: &str,
    repeats: u32,
    (bytes, likely, output): (u64, u64, u64),
    longest: u64,
) -> Result<CostOfRun, Refusal> {
    let found = asked.catalog.resolve_api_model(name).map_err(|e| {
        Refusal::input(format!("--model {name}: {e}")).hint("`freehold db list api-models` lists them.")
    })?;
    let price = PriceInForce::on(found.model(), asked.today);
    let times = u64::from(repeats);
    let usd = |input: u64| price.as_ref().and_then(|p| p.worst_case(input * times, output * times, longest));
    Ok(CostOfRun {
        model: found.model().id.clone(),
        likely_usd_at_most: usd(likely),
        worst_usd: usd(bytes),
        price_as_of: price.as_ref().map(|p| p.record.as_of.clone()),
        price_source: price.as_ref().map(|p| p.record.source.clone()),
    })
}

/// Number of prompts that repeat an earlier one.
fn repeated(prompts: &[Prompt]) -> u32 {
    let mut seen = BTreeSet::new();
    let talk = |p: &Prompt| p.conversation.as_ref().map(|c| format!("{:?}", c.messages));
    size(prompts.iter().filter(|p| !seen.insert((p.system.clone(), p.prompt.clone(), talk(p)))).count())
}

fn categories(prompts: &[Prompt]) -> Vec<CategoryOfPrompts> {
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for prompt in prompts {
        *counts.entry(prompt.category.as_deref().unwrap_or("")).or_default() += 1;
    }
    if counts.len() < 2 {
        return Vec::new();
    }
    let of = |(name, n): (&str, u32)| CategoryOfPrompts {
        category: name.to_owned(),
        prompts: n,
        can_move: n >= SMOKE,
    };
    counts.into_iter().map(of).collect()
}

fn warnings(result: &PromptsResult) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let mut warn =
        |code: &str, text: String| warnings.push(Warning { id: code.to_owned(), message: text, about: None });
    let n = result.prompts;
    let plural = |n: usize, one: &str, more: &str| format!("{n} {}", if n == 1 { one } else { more });
    let some = |n: u32, one: &str, more: &str| plural(n as usize, one, more);
    if n < SMOKE {
        let shown = some(n, "prompt shows", "prompts show");
        warn("smoke-only", format!("{shown} that it runs; nothing is decided with fewer than {SMOKE}."));
    }
    if result.graded < n {
        warn(
            "not-graded",
            match n - result.graded {
                1 => format!(
                    "1 of {n} prompts expects nothing of the answer: it measures speed and agreement only."
                ),
                ungraded => format!(
                    "{ungraded} of {n} prompts expect nothing of the answer: they measure speed and agreement only."
                ),
            },
        );
    }
    if result.repeated > 0 {
        warn(
            "repeated",
            format!(
                "{} the same as an earlier prompt: that is no further evidence.",
                some(result.repeated, "says", "say")
            ),
        );
    }
    if !result.not_run.is_empty() {
        warn(
            "not-run",
            format!(
                "{} not run: there is no grade then.",
                plural(result.not_run.len(), "assertion is", "assertions are")
            ),
        );
    }
    if result.needs_judge > 0 {
        warn(
            "needs-judge",
            format!(
                "{} a judge for a grade: --judge.",
                some(result.needs_judge, "prompt needs", "prompts need")
            ),
        );
    }
    warnings
}

/// Who else has to be asked for a grade, beside a judge.
fn others_needed(embedded: u32, programs: &BTreeMap<String, u32>) -> Vec<Warning> {
    let warning = |id: &str, n: u32, what: String| {
        let need = if n == 1 { "prompt needs" } else { "prompts need" };
        Warning { id: id.to_owned(), message: format!("{n} {need} {what}."), about: None }
    };
    let vectors = (embedded > 0).then(|| {
        warning("needs-embedder", embedded, "an embedding model for a grade: --embedder".to_owned())
    });
    let programs = programs.iter().map(|(name, n)| {
        warning("needs-program", *n, format!("the program {name:?} for a grade: --exec {name}=PROGRAM"))
    });
    vectors.into_iter().chain(programs).collect()
}

/// The result of a draw.
#[derive(Debug)]
pub struct Drawn {
    pub sample: Sample,
    /// Number of things removed from the drawn prompts: addresses, numbers, keys.
    pub redacted: u32,
}

/// The prompt of a record, as a prompt of a set. `n` is its number, from 1.
pub fn of_record(record: texts::Prompt, n: usize) -> Option<Prompt> {
    let mut messages: Vec<Message> = record
        .messages
        .into_iter()
        .map(|m| {
            let role = match m.role {
                texts::Role::System => Role::System,
                texts::Role::User => Role::User,
                texts::Role::Assistant => Role::Assistant,
            };
            Message::text(role, m.text)
        })
        .collect();
    // Answers at the end are dropped: they will be measured.
    while messages.last().is_some_and(|m| m.role == Role::Assistant) {
        messages.pop();
    }
    let text = |role: Role| messages.iter().rev().find(|m| m.role == role).and_then(|m| m.content.clone());
    let (prompt, system) = (text(Role::User)?, text(Role::System));
    let several = messages.iter().filter(|m| m.role != Role::System).count() > 1;
    let talk = Conversation { messages, tools: Vec::new() };
    let conversation = (several && talk.check().is_ok()).then_some(talk);
    Some(Prompt {
        id: format!("r{n}"),
        prompt,
        system,
        category: record.model,
        conversation,
        ..Prompt::default()
    })
}

/// Draws `n` of the prompts: every category in proportion, nothing twice, with personal data removed.
pub fn sample(prompts: Vec<Prompt>, n: usize, seed: u64) -> Result<Drawn, Refusal> {
    if n == 0 || n > MOST_DRAWN {
        return Err(Refusal::input(format!("-n {n} is not between 1 and {MOST_DRAWN}")));
    }
    if prompts.is_empty() {
        return Err(Refusal::input("the records hold no texts of prompts")
            .hint("Many exports keep counts only; give a log that holds requests."));
    }
    let mut sample = draw(prompts, n, seed);
    let mut redacted = 0;
    for prompt in &mut sample.prompts {
        let mut clean = |text: &mut String| {
            let (new, taken) = redact::redact(text);
            *text = new;
            redacted += taken;
        };
        if let Some(talk) = &mut prompt.conversation {
            talk.messages.iter_mut().filter_map(|m| m.content.as_mut()).for_each(&mut clean);
            prompt.prompt = redact::redact(&prompt.prompt).0;
            if let Some(system) = &mut prompt.system {
                *system = redact::redact(system).0;
            }
        } else {
            clean(&mut prompt.prompt);
            prompt.system.iter_mut().for_each(&mut clean);
        }
    }
    Ok(Drawn { sample, redacted })
}

/// A prompt set as JSON lines, as `bench --prompts` reads it.
pub fn lines(prompts: &[Prompt]) -> String {
    let mut out = String::new();
    for p in prompts {
        let mut row = serde_json::Map::new();
        row.insert("id".to_owned(), p.id.clone().into());
        if let Some(category) = &p.category {
            row.insert("category".to_owned(), category.clone().into());
        }
        if let Some(talk) = &p.conversation {
            row.insert("messages".to_owned(), serde_json::to_value(&talk.messages).unwrap_or_default());
        } else {
            if let Some(system) = &p.system {
                row.insert("system".to_owned(), system.clone().into());
            }
            row.insert("prompt".to_owned(), p.prompt.clone().into());
        }
        out.push_str(&serde_json::Value::Object(row).to_string());
        out.push('\n');
    }
    out
}
