//! Do the statistics keep their promises, and is grading fast enough? Prints one table a promise.
//!
//! `cargo bench --no-default-features --bench quality`, about a minute on two cores.
//!
//! With `-- compare PROMPTS.jsonl A.jsonl B.jsonl` it grades two files of stored answers (`id`, `answer`,
//! `tokens` a line) and prints the verdict, over all and by category.

#![allow(clippy::print_stdout, clippy::cast_precision_loss, clippy::cast_possible_truncation)]

use freehold::prompts::Assertion;
use freehold::quality::judge::corrected_difference;
use freehold::quality::{
    Answer, Grade, Graders, Pairs, Place, non_inferiority, score_non_inferiority, split,
};
use freehold::stats::{Decision, Sequential, fixed_number, mean_difference};
use rand::{RngExt as _, SeedableRng as _, rngs::ChaCha8Rng};
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Instant;

const TRIALS: usize = 10_000;
const MARGIN: f64 = 0.1;

/// One prompt: did A pass, did B? Sides disagree on a share `discordant`, and A passes `difference` more.
fn prompt(rng: &mut ChaCha8Rng, discordant: f64, difference: f64) -> (bool, bool) {
    let only_a = f64::midpoint(discordant, difference);
    let u: f64 = rng.random();
    if u < only_a {
        (true, false)
    } else if u < discordant {
        (false, true)
    } else {
        let both = u < f64::midpoint(discordant, 1.0);
        (both, both)
    }
}

fn pairs(rng: &mut ChaCha8Rng, n: usize, discordant: f64, difference: f64) -> Pairs {
    let mut pairs = Pairs::default();
    for _ in 0..n {
        let (a, b) = prompt(rng, discordant, difference);
        pairs.count(a, b);
    }
    pairs
}

fn percent(count: usize, of: usize) -> f64 {
    100.0 * count as f64 / of as f64
}

fn coverage(rng: &mut ChaCha8Rng) {
    println!("Coverage of the 95 % interval of a paired difference (Tango), {TRIALS} trials a cell, in %");
    println!("{:>5} {:>10} {:>10} {:>10}", "n", "disagree", "difference", "coverage");
    let mut cells = Vec::new();
    for n in [20, 50, 120, 300] {
        for discordant in [0.15, 0.25, 0.4] {
            for difference in [0.0, 0.05, -0.1] {
                let held = (0..TRIALS)
                    .filter(|_| {
                        let found =
                            non_inferiority(pairs(rng, n, discordant, difference), MARGIN).expect("n > 0");
                        found.interval.low <= difference && difference <= found.interval.high
                    })
                    .count();
                println!("{n:>5} {discordant:>10} {difference:>10} {:>10.1}", percent(held, TRIALS));
                cells.push(percent(held, TRIALS));
            }
        }
    }
    let (low, high) = cells.iter().fold((100.0f64, 0.0f64), |(l, h), c| (l.min(*c), h.max(*c)));
    println!("lowest {low:.1}, highest {high:.1}\n");
}

fn type_one(rng: &mut ChaCha8Rng) {
    println!(
        "Worse by exactly the margin of {MARGIN}, and called non-inferior all the same, in % (nominal 2.5)"
    );
    println!("{:>5} {:>10} {:>10}", "n", "disagree", "called so");
    for n in [20, 50, 120, 300] {
        for discordant in [0.12, 0.25, 0.4] {
            let wrong = (0..TRIALS)
                .filter(|_| {
                    let found = non_inferiority(pairs(rng, n, discordant, -MARGIN), MARGIN).expect("n > 0");
                    found.non_inferior == Some(true)
                })
                .count();
            println!("{n:>5} {discordant:>10} {:>10.2}", percent(wrong, TRIALS));
        }
    }
    println!();
}

fn families(rng: &mut ChaCha8Rng) {
    println!("Six categories: any that is worse by the margin moved all the same (Holm), in %");
    println!("{:>14} {:>18} {:>10}", "prompts each", "worse categories", "any moved");
    for n in [20usize, 40, 100] {
        for worse in [1usize, 3, 6] {
            let wrong = (0..TRIALS)
                .filter(|_| {
                    let categories: BTreeMap<String, Pairs> = (0..6)
                        .map(|c| {
                            let difference = if c < worse { -MARGIN } else { 0.05 };
                            (format!("{c}"), pairs(rng, n, 0.25, difference))
                        })
                        .collect();
                    split(&categories, MARGIN).iter().take(worse).any(|c| c.place == Place::CanMove)
                })
                .count();
            println!("{n:>14} {worse:>18} {:>10.2}", percent(wrong, TRIALS));
        }
    }
    println!();
}

fn scores(rng: &mut ChaCha8Rng) {
    println!("Coverage of the 95 % interval of a mean difference of scores (bootstrap), in %");
    println!("{:>5} {:>10} {:>10} {:>22}", "n", "trials", "coverage", "wrongly non-inferior");
    for (n, trials) in [(20, TRIALS), (50, TRIALS), (150, TRIALS / 5)] {
        let (mut held, mut wrong) = (0, 0);
        for trial in 0..trials {
            // Scores in fifths; B's is often the same, and A loses a tenth on average.
            let prompts: Vec<(Vec<f64>, Vec<f64>)> = (0..n)
                .map(|_| {
                    let b = f64::from(rng.random_range(2..=5u32)) / 5.0;
                    let u: f64 = rng.random();
                    let a = if u < 0.5 {
                        b
                    } else if u < 0.75 {
                        b - 0.4
                    } else {
                        b
                    };
                    (vec![a], vec![b])
                })
                .collect();
            let found = score_non_inferiority(&prompts, MARGIN, trial as u64).expect("prompts");
            held += usize::from(found.interval.low <= -0.1 && -0.1 <= found.interval.high);
            wrong += usize::from(found.non_inferior == Some(true));
        }
        println!("{n:>5} {trials:>10} {:>10.1} {:>22.2}", percent(held, trials), percent(wrong, trials));
    }
    println!();
}

fn sequential(rng: &mut ChaCha8Rng) {
    let (alpha, beta) = (0.025, 0.05);
    println!("Sequential test, margin {MARGIN}, looked at after every prompt, at most 3,000 prompts");
    println!(
        "{:>10} {:>10} {:>10} {:>10} {:>10} {:>9} {:>9} {:>7}",
        "disagree", "difference", "good %", "inferior %", "futile %", "mean n", "fixed n", "ratio"
    );
    for discordant in [0.1, 0.15, 0.2, 0.3] {
        for difference in [0.0, -MARGIN, 0.05, -0.2] {
            if f64::abs(difference) > discordant {
                continue;
            }
            let mut counts = [0usize; 3];
            let mut seen = 0usize;
            for _ in 0..TRIALS {
                let mut test = Sequential::new(MARGIN, alpha, beta);
                while test.decided().is_none() && test.prompts() < 3_000 {
                    let (a, b) = prompt(rng, discordant, difference);
                    test.push(f64::from(u8::from(a)) - f64::from(u8::from(b)));
                }
                seen += test.prompts() as usize;
                match test.decided() {
                    Some(Decision::NonInferior) => counts[0] += 1,
                    Some(Decision::Inferior) => counts[1] += 1,
                    Some(Decision::Futile) => counts[2] += 1,
                    None => {}
                }
            }
            let mean = seen as f64 / TRIALS as f64;
            let [good, bad, futile] = counts.map(|c| percent(c, TRIALS));
            // The plan of fixed size with the same error rate and the same power at equal sides.
            let power = if difference == 0.0 { (good / 100.0).clamp(0.5, 0.999) } else { 0.95 };
            let fixed = fixed_number(MARGIN, discordant, alpha, power).unwrap_or(0);
            println!(
                "{discordant:>10} {difference:>10} {good:>10.2} {bad:>10.2} {futile:>10.2} {mean:>9.0} {fixed:>9} {:>6.0} %",
                100.0 * mean / f64::from(fixed)
            );
        }
    }
    println!();
}

fn judges(rng: &mut ChaCha8Rng) {
    println!(
        "Coverage of a difference corrected by a person's sample (judge: 85 % right on A, 70 % on B), in %"
    );
    println!("{:>8} {:>8} {:>10}", "prompts", "graded", "coverage");
    for (n, graded) in [(200, 50), (400, 100), (1_000, 100)] {
        let held = (0..TRIALS)
            .filter(|_| {
                let prompts: Vec<(f64, Option<f64>)> = (0..n)
                    .map(|i| {
                        let (a, b) = prompt(rng, 0.3, -0.05);
                        let mut judged = |truth: bool, right: f64| truth == rng.random_bool(right);
                        let number = |p: bool| f64::from(u8::from(p));
                        let judge = number(judged(a, 0.85)) - number(judged(b, 0.7));
                        (judge, (i < graded).then(|| number(a) - number(b)))
                    })
                    .collect();
                let (_, i) = corrected_difference(&prompts).expect("enough");
                i.low <= -0.05 && -0.05 <= i.high
            })
            .count();
        println!("{n:>8} {graded:>8} {:>10.1}", percent(held, TRIALS));
    }
    println!();
}

/// Every deterministic grader on one answer.
fn every_grader() -> Graders {
    let a = |kind: &str, value| Assertion::of(kind, value);
    let with =
        |kind: &str, value, threshold| Assertion { threshold: Some(threshold), ..Assertion::of(kind, value) };
    let reference = "The capital of France is Paris, on the river Seine.";
    let schema = json!({"type": "object", "required": ["city"], "properties": {"city": {"type": "string"}}});
    let asserts = [
        a("equals", json!("Paris")),
        a("contains", json!("Paris")),
        a("icontains", json!("PARIS")),
        a("contains-any", json!(["Paris", "Rome"])),
        a("contains-all", json!(["Paris", "France"])),
        a("icontains-any", json!(["paris", "rome"])),
        a("icontains-all", json!(["paris", "france"])),
        a("starts-with", json!("The")),
        a("regex", json!(r"\b[A-Z][a-z]+(?= is)")),
        a("not-regex", json!("sorry|unable")),
        a("is-json", schema.clone()),
        a("contains-json", schema),
        a("is-sql", json!(null)),
        a("contains-sql", json!(null)),
        a("is-xml", json!(null)),
        a("contains-xml", json!("city")),
        a("is-html", json!(null)),
        a("contains-html", json!(null)),
        a("is-valid-openai-tools-call", json!(null)),
        a("tool-call-f1", json!(["lookup"])),
        with("levenshtein", json!(reference), 20.0),
        a("rouge-n", json!(reference)),
        a("rouge-l", json!(reference)),
        a("bleu", json!(reference)),
        a("gleu", json!(reference)),
        a("meteor", json!(reference)),
        a("chrf", json!(reference)),
        a("word-count", json!({"max": 200})),
        with("latency", json!(null), 5_000.0),
        with("cost", json!(null), 0.01),
        a("finish-reason", json!("stop")),
        a("is-refusal", json!(null)),
        a("numeric", json!(2_100_000)),
        a("choice", json!("B")),
        a("max-tokens", json!(300)),
    ];
    let graders = Graders::new(&asserts, None);
    assert!(graders.problems().is_empty(), "{:?}", graders.problems());
    graders
}

fn speed(rng: &mut ChaCha8Rng) {
    let graders = every_grader();
    let words: Vec<&str> =
        "the capital of France is Paris with 2,100,000 people on a river called Seine and {\"city\": \
                            \"Paris\"} so the answer is B because it says so in <b>bold</b> text"
            .split(' ')
            .collect();
    let answers: Vec<String> = (0..10_000)
        .map(|_| {
            let len = rng.random_range(40..160usize);
            (0..len).map(|_| words[rng.random_range(0..words.len())]).collect::<Vec<_>>().join(" ")
        })
        .collect();
    let given = BTreeMap::new();
    let start = Instant::now();
    let graded = answers
        .iter()
        .filter(|text| {
            let answer = Answer {
                text,
                latency_ms: Some(900.0),
                cost_usd: Some(0.001),
                finish_reason: Some("stop"),
                output_tokens: Some(120),
                ..Answer::default()
            };
            matches!(graders.grade(&answer, &given), Grade::Scored(_))
        })
        .count();
    let bytes: usize = answers.iter().map(String::len).sum();
    println!(
        "10,000 answers of {} bytes on average, 35 graders each: {:.2} s ({graded} graded; bar 2 s)",
        bytes / answers.len(),
        start.elapsed().as_secs_f64()
    );
    let differences: Vec<f64> = (0..500).map(|_| f64::from(rng.random_range(-1..=1i32))).collect();
    let start = Instant::now();
    let found = mean_difference(&differences, 1).expect("prompts");
    let ms = start.elapsed().as_secs_f64() * 1e3;
    println!("10,000 paired bootstraps over 500 prompts: {ms:.0} ms ({:.3}; bar 200 ms)", found.0);
}

/// Stored answers by prompt: text and tokens.
fn stored(path: &str) -> BTreeMap<String, (String, Option<u64>)> {
    let text = std::fs::read_to_string(path).expect("answers can be read");
    let line = |l: &str| {
        let value: serde_json::Value = serde_json::from_str(l).expect("JSON");
        let field = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
        (field("id"), (field("answer"), value["tokens"].as_u64()))
    };
    text.lines().map(line).collect()
}

/// Grade two sets of stored answers and say what follows.
fn compare(prompts: &str, a: &str, b: &str) {
    let bytes = std::fs::read(prompts).expect("prompts can be read");
    let prompts =
        freehold::prompts::parse(prompts, freehold::prompts::FileFormat::Jsonl, &bytes).expect("prompts");
    let (a, b) = (stored(a), stored(b));
    let mut all = Pairs::default();
    let mut categories: BTreeMap<String, Pairs> = BTreeMap::new();
    let (mut missing, mut agreed) = (0, Vec::new());
    for prompt in &prompts {
        let graders = Graders::new(&prompt.asserts, prompt.threshold);
        assert!(graders.problems().is_empty(), "{}: {:?}", prompt.id, graders.problems());
        let pass = |answers: &BTreeMap<String, (String, Option<u64>)>| {
            let (text, tokens) = answers.get(&prompt.id)?;
            let answer = Answer { text, output_tokens: *tokens, ..Answer::default() };
            match graders.grade(&answer, &BTreeMap::new()) {
                Grade::Scored(score) => Some(score.pass),
                Grade::Missing(_) => None,
            }
        };
        let (Some(pass_a), Some(pass_b)) = (pass(&a), pass(&b)) else {
            missing += 1;
            continue;
        };
        all.count(pass_a, pass_b);
        let category = prompt.category.clone().unwrap_or_default();
        categories.entry(category).or_default().count(pass_a, pass_b);
        agreed.push((a[&prompt.id].0.as_str(), b[&prompt.id].0.as_str()));
    }
    let show = |name: &str, pairs: &Pairs| {
        let v = non_inferiority(*pairs, MARGIN).expect("prompts");
        println!(
            "{name:<12} {:>4} {:>6} {:>6} {:>7.1} {:>7.1} to {:>5.1}  {:?}, needed {:?}",
            pairs.total(),
            pairs.both + pairs.only_a,
            pairs.both + pairs.only_b,
            100.0 * v.difference,
            100.0 * v.interval.low,
            100.0 * v.interval.high,
            v.non_inferior,
            v.prompts_needed
        );
    };
    println!("margin {MARGIN}; {missing} prompts without a grade");
    println!("{:<12} {:>4} {:>6} {:>6} {:>7} {:>16}", "", "n", "A", "B", "A - B", "95 %");
    show("all", &all);
    for (category, pairs) in &categories {
        show(category, pairs);
    }
    for part in split(&categories, MARGIN) {
        println!("{:<12} {:?} (p {:.4}, {:.4})", part.category, part.place, part.move_p, part.stay_p);
    }
    let agreement = freehold::quality::agreement(agreed).expect("prompts");
    println!("equal texts {} of {}, chrF {:.2}", agreement.equal, agreement.prompts, agreement.chrf);
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    if let [command, prompts, a, b] = &args[..]
        && command == "compare"
    {
        return compare(prompts, a, b);
    }
    let mut rng = ChaCha8Rng::seed_from_u64(17);
    speed(&mut rng);
    println!();
    coverage(&mut rng);
    type_one(&mut rng);
    families(&mut rng);
    sequential(&mut rng);
    judges(&mut rng);
    scores(&mut rng);
}
