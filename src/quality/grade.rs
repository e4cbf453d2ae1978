//! Grades an answer by its graders.

use super::answer::{Answer, Given};
use super::grader::{Check, Graders, Item, Similarity};
use super::{html, json, refusal, sql, text, tools, xml};
use crate::prompts::js;
use serde_json::Value;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// The result of grading an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Grade {
    Scored(Score),
    /// No verdict: neither a pass nor a failure.
    Missing(Why),
}

/// Why an answer has no grade.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    #[error("an assertion cannot be graded")]
    Broken,
    #[error("the time the answer took is not known")]
    NoLatency,
    #[error("the cost of the answer is not known")]
    NoCost,
    #[error("the tokens of the answer are not known")]
    NoTokens,
    #[error("the probabilities of the tokens are not known")]
    NoLogprobs,
    #[error("the answer is empty, which this score is not defined for")]
    Empty,
    #[error("the pattern took too many steps")]
    Runaway,
    #[error("the statement is too long to be read")]
    TooLong,
    #[error("the schema cannot be used")]
    Schema,
    #[error("the verdict of a judge or a program, or an embedding, is missing")]
    NotTold,
}

/// A verdict, with those of the single graders.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    pub pass: bool,
    /// Weighted mean of the graders' scores, 0 to 1.
    pub score: f64,
    /// The result of each grader; a set is followed by its members.
    pub components: Vec<Component>,
    /// Weighted mean score of each named metric.
    pub named: BTreeMap<String, f64>,
}

/// The result of one grader.
#[derive(Debug, Clone, PartialEq)]
pub struct Component {
    /// The assertion's type, as written.
    pub kind: String,
    pub pass: bool,
    /// From 0 to 1; some text scores lie outside where their formula does.
    pub score: f64,
}

/// For each metric the sum of score × weight, and the sum of weights.
type Named = BTreeMap<String, (f64, f64)>;

/// Sums of scores and weights, added as promptfoo does.
#[derive(Default)]
struct Sum {
    score: f64,
    weight: f64,
    failed: bool,
    named: Named,
}

impl Sum {
    fn add(&mut self, pass: bool, score: f64, weight: f64, metric: Option<&str>, inner: &Named) {
        self.score += score * weight;
        self.weight += weight;
        self.failed |= !pass;
        if let Some(metric) = metric {
            let entry = self.named.entry(metric.to_owned()).or_default();
            entry.0 += score * weight;
            entry.1 += weight;
        }
        for (name, (sum, of)) in inner.iter().filter(|(name, _)| Some(name.as_str()) != metric) {
            let mean = if *of > 0.0 { sum / of } else { 0.0 };
            let entry = self.named.entry(name.clone()).or_default();
            entry.0 += mean * of * weight;
            entry.1 += of * weight;
        }
    }

    /// Without a threshold every grader must pass; with one, only the mean score counts.
    fn verdict(&self, threshold: Option<f64>) -> (bool, f64) {
        let score = if self.weight > 0.0 { self.score / self.weight } else { 0.0 };
        (threshold.map_or(!self.failed, |t| score >= t), score)
    }
}

impl Graders {
    /// Grade an answer. `given` has replies for what [`Graders::needs`] lists, by the same indices.
    pub fn grade(&self, answer: &Answer<'_>, given: &BTreeMap<usize, Given>) -> Grade {
        match self.score(answer, given) {
            Ok(score) => Grade::Scored(score),
            Err(why) => Grade::Missing(why),
        }
    }

    fn score(&self, answer: &Answer<'_>, given: &BTreeMap<usize, Given>) -> Result<Score, Why> {
        if self.items.is_empty() {
            // No graders: nothing is expected of the answer.
            return Ok(Score { pass: true, score: 1.0, components: Vec::new(), named: BTreeMap::new() });
        }
        let mut sum = Sum::default();
        // As in promptfoo, sets count after the other graders; components stay in the order of the file.
        let mut sets: Vec<(&Item, bool, f64, Named)> = Vec::new();
        let mut components = Vec::new();
        let mut place = 0;
        for item in &self.items {
            let own = place;
            place += 1;
            if let Check::Set(members) = &item.check {
                let mut inner = Sum::default();
                let at = components.len();
                for member in members {
                    let component = graded(member, answer, given.get(&place))?;
                    place += 1;
                    inner.add(
                        component.pass,
                        component.score,
                        member.weight,
                        member.metric.as_deref(),
                        &BTreeMap::new(),
                    );
                    components.push(component);
                }
                let (pass, score) = inner.verdict(item.threshold);
                components.insert(at, Component { kind: item.kind.clone(), pass, score });
                sets.push((item, pass, score, inner.named));
            } else {
                let component = graded(item, answer, given.get(&own))?;
                sum.add(
                    component.pass,
                    component.score,
                    item.weight,
                    item.metric.as_deref(),
                    &BTreeMap::new(),
                );
                components.push(component);
            }
        }
        for (item, pass, score, named) in &sets {
            sum.add(*pass, *score, item.weight, item.metric.as_deref(), named);
        }
        let (pass, score) = sum.verdict(self.threshold);
        let mean = |(sum, of): (f64, f64)| if of > 0.0 { sum / of } else { 0.0 };
        let named = sum.named.into_iter().map(|(name, parts)| (name, mean(parts))).collect();
        Ok(Score { pass, score, components, named })
    }
}

/// The result of one grader. A grader with weight 0 never fails a prompt.
fn graded(item: &Item, answer: &Answer<'_>, given: Option<&Given>) -> Result<Component, Why> {
    let (pass, score) = outcome(item, answer, given)?;
    Ok(Component { kind: item.kind.clone(), pass: pass || item.weight == 0.0, score })
}

/// A yes-or-no result, also as a score.
fn yes(found: bool, inverse: bool) -> (bool, f64) {
    let pass = found != inverse;
    (pass, if pass { 1.0 } else { 0.0 })
}

/// A score that passes from a threshold on; `not-` inverts it.
fn from(threshold: f64, score: f64, inverse: bool) -> (bool, f64) {
    ((score >= threshold) != inverse, if inverse { 1.0 - score } else { score })
}

fn outcome(item: &Item, answer: &Answer<'_>, given: Option<&Given>) -> Result<(bool, f64), Why> {
    let inverse = item.inverse;
    let yes = |found| Ok(yes(found, inverse));
    let from = |default, score| Ok(from(item.threshold.unwrap_or(default), score, inverse));
    let text = answer.text;
    match &item.check {
        Check::Set(_) | Check::Broken => Err(Why::Broken),
        Check::EqualsText(wanted) => yes(text == wanted),
        Check::EqualsJson(wanted) => yes(json::parse(text).is_some_and(|v| json::equal(&v, wanted))),
        Check::Contains { needles, all, fold } => {
            let (text, fold) =
                if *fold { (Cow::Owned(text.to_lowercase()), true) } else { (Cow::Borrowed(text), false) };
            let holds = |n: &String| if fold { text.contains(&n.to_lowercase()) } else { text.contains(n) };
            yes(if *all { needles.iter().all(holds) } else { needles.iter().any(holds) })
        }
        Check::StartsWith(wanted) => yes(text.starts_with(wanted)),
        // An invalid pattern fails under `not-`, too.
        Check::Regex(None) => Ok((false, 0.0)),
        Check::Regex(Some(regex)) => regex.test(text).map_err(|_| Why::Runaway).and_then(yes),
        Check::Json { whole: true, schema } => match (json::parse(text), schema) {
            (None, _) => yes(false),
            (Some(_), None) => yes(true),
            (Some(value), Some(Ok(schema))) => yes(schema.holds(&value)),
            (Some(_), Some(Err(_))) => Err(Why::Schema),
        },
        Check::Json { whole: false, schema } => {
            let found = json::objects(text);
            match schema {
                None => yes(!found.is_empty()),
                Some(_) if found.is_empty() => yes(false),
                Some(Ok(schema)) => yes(found.iter().any(|v| schema.holds(v))),
                Some(Err(_)) => Err(Why::Schema),
            }
        }
        Check::Sql { whole: true, wanted } => sql::is(text, wanted).map_err(|_| Why::TooLong).and_then(yes),
        Check::Sql { whole: false, wanted } => {
            sql::contains(text, wanted).map_err(|_| Why::TooLong).and_then(yes)
        }
        Check::Xml { whole: true, elements } => yes(xml::is(text, elements.as_deref())),
        Check::Xml { whole: false, elements } => yes(xml::contains(text, elements.as_deref())),
        Check::Html { whole: true } => yes(html::is(text)),
        Check::Html { whole: false } => yes(html::contains(text)),
        Check::ToolsCall => {
            let output = output(answer);
            let fits = tools::tools_call_fits(text, &output, answer.tools);
            // As in promptfoo, this is not inverted, whatever the name says.
            Ok((fits, if fits { 1.0 } else { 0.0 }))
        }
        Check::FunctionCall => {
            let fits = tools::function_call_fits(&output(answer), answer.functions);
            Ok((fits, if fits { 1.0 } else { 0.0 }))
        }
        Check::ToolCallF1(expected) => {
            let as_text = answer.value.is_none().then_some(text);
            let f1 = tools::f1(&output(answer), as_text, expected);
            // The score stays the F1 under `not-`, too.
            Ok(((f1 >= item.threshold.unwrap_or(1.0)) != inverse, f1))
        }
        Check::Levenshtein(wanted) => {
            yes(text::levenshtein(text, wanted) as f64 <= item.threshold.unwrap_or(5.0))
        }
        Check::RougeN(reference) => from(0.75, text::rouge_n(text, reference)),
        Check::RougeL(reference) => from(0.75, text::rouge_l(text, reference, true)),
        Check::Bleu(references) => from(0.5, text::bleu(text, references).unwrap_or(0.0)),
        Check::Gleu(references) => from(0.5, text::gleu(text, references).unwrap_or(0.0)),
        Check::Meteor(references) => from(0.5, text::meteor(text, references).ok_or(Why::Empty)?),
        Check::Chrf(references) => from(0.5, text::chrf(text, references).unwrap_or(0.0)),
        Check::WordCount { min, max } => {
            let words = js::words(text).count() as f64;
            yes(min.is_none_or(|min| words >= min) && max.is_none_or(|max| words <= max))
        }
        Check::Latency => {
            let ms = answer.latency_ms.ok_or(Why::NoLatency)?;
            yes(ms <= item.threshold.unwrap_or(f64::INFINITY))
        }
        Check::Cost => {
            let usd = answer.cost_usd.ok_or(Why::NoCost)?;
            yes(usd <= item.threshold.unwrap_or(f64::INFINITY))
        }
        Check::FinishReason(wanted) => {
            let found = answer.finish_reason.filter(|r| !r.is_empty());
            yes(found.is_some_and(|r| r.to_lowercase() == wanted.to_lowercase()))
        }
        // An empty answer counts as a refusal, and scores 0 in either case.
        Check::Refusal if answer.value.is_some() || js::trim(text).is_empty() => Ok((!inverse, 0.0)),
        Check::Refusal => yes(refusal::refuses(text)),
        Check::Perplexity { as_score } => {
            let logs = answer.logprobs.filter(|l| !l.is_empty()).ok_or(Why::NoLogprobs)?;
            let perplexity = (-logs.iter().sum::<f64>() / logs.len() as f64).exp();
            if *as_score {
                let score = 1.0 / (1.0 + perplexity);
                let pass = item.threshold.is_none_or(|t| score >= t) != inverse;
                Ok((pass, if inverse { 1.0 - score } else { score }))
            } else {
                yes(item.threshold.is_none_or(|t| perplexity <= t))
            }
        }
        Check::Numeric { value, tolerance } => {
            yes(last_number(text).is_some_and(|n| near(n, *value, *tolerance)))
        }
        Check::Choice(letters) => yes(choice(text).is_some_and(|c| letters.contains(&c))),
        Check::MaxTokens(most) => yes(answer.output_tokens.ok_or(Why::NoTokens)? as f64 <= *most),
        Check::Similar { references, metric } => match given {
            Some(Given::Vectors { answer, references: vectors }) if vectors.len() == *references => {
                similar(answer, vectors, *metric, item.threshold.unwrap_or(0.75), inverse).ok_or(Why::NotTold)
            }
            _ => Err(Why::NotTold),
        },
        Check::Told => match given {
            Some(Given::Verdict { pass, score }) if score.is_finite() => {
                let pass = (*pass && item.threshold.is_none_or(|t| *score >= t)) != inverse;
                Ok((pass, if inverse { 1.0 - score } else { *score }))
            }
            _ => Err(Why::NotTold),
        },
    }
}

/// The answer as a value: the tool calls as they came, or else its text.
fn output<'a>(answer: &'a Answer<'_>) -> Cow<'a, Value> {
    match answer.value {
        Some(value) => Cow::Borrowed(value),
        None => Cow::Owned(Value::String(answer.text.to_owned())),
    }
}

/// Equal within the tolerance, plus a relative 1e-9 for floating-point rounding.
fn near(found: f64, wanted: f64, tolerance: f64) -> bool {
    (found - wanted).abs() <= tolerance + 1e-9 * wanted.abs().max(1.0)
}

/// The last number in a text. It includes commas between thousands, but not a full stop at the end of a
/// sentence.
fn last_number(text: &str) -> Option<f64> {
    let chars: Vec<char> = text.chars().collect();
    let digit = |i: usize| chars.get(i).is_some_and(char::is_ascii_digit);
    let mut last = None;
    let mut at = 0;
    while at < chars.len() {
        let fraction = chars[at] == '.' && digit(at + 1);
        if !digit(at) && !fraction {
            at += 1;
            continue;
        }
        let word = at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_');
        let negative = at > 0
            && matches!(chars[at - 1], '-' | '−')
            && !(at > 1 && (chars[at - 2].is_alphanumeric() || chars[at - 2] == ')'));
        let mut number = String::from(if negative { "-" } else { "" });
        while digit(at) || (chars.get(at) == Some(&',') && thousands(&chars, at)) {
            if chars[at] != ',' {
                number.push(chars[at]);
            }
            at += 1;
        }
        if chars.get(at) == Some(&'.') && digit(at + 1) {
            number.push('.');
            at += 1;
            while digit(at) {
                number.push(chars[at]);
                at += 1;
            }
        }
        if chars.get(at).is_some_and(|c| *c == 'e' || *c == 'E') {
            let sign = usize::from(matches!(chars.get(at + 1), Some('+' | '-')));
            if digit(at + 1 + sign) {
                number.extend(&chars[at..=at + sign]);
                at += 1 + sign;
                while digit(at) {
                    number.push(chars[at]);
                    at += 1;
                }
            }
        }
        if !word {
            last = number.parse().ok().or(last);
        }
    }
    last
}

/// Is a comma followed by exactly three digits?
fn thousands(chars: &[char], comma: usize) -> bool {
    let digit = |i: usize| chars.get(i).is_some_and(char::is_ascii_digit);
    (1..=3).all(|i| digit(comma + i)) && !digit(comma + 4)
}

/// The letter of the option that an answer chose: the whole answer, the letter after "answer is", a letter
/// at the start, or the only letter that is a word of its own. `None` where there is no such letter, or
/// several.
fn choice(text: &str) -> Option<char> {
    let text = js::trim(text).trim_matches(['*', '`', '"', '\'']);
    let alone = alone(text);
    if let [(_, letter)] = alone[..]
        && text.chars().filter(|c| c.is_alphanumeric()).count() == 1
    {
        return Some(letter.to_ascii_uppercase());
    }
    let lower = text.to_ascii_lowercase();
    // The last occurrence of "answer" that is directly followed by a letter.
    let named = lower.match_indices("answer").filter_map(|(at, word)| {
        let rest = &text[at + word.len()..];
        let rest = rest.trim_start_matches(|c: char| c.is_whitespace() || ":*-=\"'(`".contains(c));
        let rest = rest.strip_prefix("is").unwrap_or(rest);
        let rest = rest.trim_start_matches(|c: char| c.is_whitespace() || ":*-=\"'(`".contains(c));
        let rest = rest.strip_prefix("option ").or_else(|| rest.strip_prefix("Option ")).unwrap_or(rest);
        let mut chars = rest.chars();
        let letter = chars.next().filter(char::is_ascii_uppercase)?;
        chars.next().is_none_or(|c| !c.is_alphanumeric() && c != '\'').then_some(letter)
    });
    if let Some(letter) = named.last() {
        return Some(letter);
    }
    let body = text.trim_start_matches(['(', '[', '*']);
    let mut chars = body.chars();
    if let (Some(first), Some(')' | '.' | ':' | ']' | '\n')) =
        (chars.next().filter(char::is_ascii_uppercase), chars.next())
    {
        return Some(first);
    }
    // "I" is a word, and so is "A" if another word follows that does not connect it to a second letter.
    let article = |at: usize| {
        let rest = &text[at + 1..];
        let next: String = rest.trim_start().chars().take_while(|c| c.is_alphabetic()).collect();
        rest.starts_with(' ')
            && next.starts_with(char::is_lowercase)
            && !["or", "and", "is", "because", "since", "as", "but"].contains(&next.as_str())
    };
    let sure: BTreeSet<char> = alone
        .iter()
        .filter(|(at, c)| c.is_ascii_uppercase() && *c != 'I' && !(*c == 'A' && article(*at)))
        .map(|(_, c)| *c)
        .collect();
    let bracketed: BTreeSet<char> =
        alone.iter().filter(|(at, _)| text[..*at].ends_with('(')).map(|(_, c)| *c).collect();
    let found = if bracketed.is_empty() { sure } else { bracketed };
    if found.len() == 1 { found.first().copied() } else { None }
}

/// Letters that are words of their own, with their positions.
fn alone(text: &str) -> Vec<(usize, char)> {
    let word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '\'' || c == '’' || c == '_');
    text.char_indices()
        .filter(|(at, c)| {
            c.is_ascii_alphabetic()
                && !word(text[..*at].chars().last())
                && !word(text[at + 1..].chars().next())
        })
        .collect()
}

/// Similarity to the best reference; with `not-` every reference must be different enough.
fn similar(
    answer: &[f32],
    references: &[Vec<f32>],
    metric: Similarity,
    threshold: f64,
    inverse: bool,
) -> Option<(bool, f64)> {
    let likeness: Option<Vec<f64>> = references.iter().map(|r| likeness(answer, r, metric)).collect();
    let best = likeness?.into_iter().reduce(f64::max)?;
    Some(if inverse { (best <= threshold, 1.0 - best) } else { (best >= threshold, best) })
}

/// Similarity of two embeddings; 1 for the same direction (cosine) or the same point (Euclidean).
fn likeness(a: &[f32], b: &[f32], metric: Similarity) -> Option<f64> {
    if a.len() != b.len() || a.is_empty() {
        return None;
    }
    let pairs = || a.iter().zip(b).map(|(a, b)| (f64::from(*a), f64::from(*b)));
    let dot: f64 = pairs().map(|(a, b)| a * b).sum();
    let found = match metric {
        Similarity::Dot => dot,
        Similarity::Euclidean => 1.0 / (1.0 + pairs().map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()),
        Similarity::Cosine => {
            let norm = |v: &[f32]| v.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
            dot / (norm(a) * norm(b))
        }
    };
    found.is_finite().then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prompts::Assertion;
    use serde_json::json;

    fn grade(kind: &str, value: Value, threshold: Option<f64>, text: &str) -> Grade {
        let assertion = Assertion { threshold, ..Assertion::of(kind, value) };
        let graders = Graders::new(&[assertion], None);
        assert!(graders.problems().is_empty(), "{:?}", graders.problems());
        graders.grade(&Answer { text, ..Answer::default() }, &BTreeMap::new())
    }

    fn passes(kind: &str, value: Value, threshold: Option<f64>, text: &str) -> bool {
        matches!(grade(kind, value, threshold, text), Grade::Scored(s) if s.pass)
    }

    #[test]
    fn numbers_are_found_and_compared_with_tolerance() {
        for (text, value, tolerance) in [
            ("The total is $1,234.50.", 1234.5, 0.0),
            ("3 apples and 4 pears make 7 fruits.", 7.0, 0.0),
            ("about 2.5", 2.504, 0.01),
            ("It is −5 degrees", -5.0, 0.0),
            ("x = 1.5e3", 1500.0, 0.0),
            ("1,2,3", 3.0, 0.0),
            ("= .5", 0.5, 0.0),
        ] {
            assert!(passes("numeric", json!(value), Some(tolerance), text), "{text}");
        }
        for (text, value) in [("no number", 1.0), ("42 (see note1)", 1.0), ("10-5", -5.0), ("7.5", 7.0)] {
            assert!(!passes("numeric", json!(value), None, text), "{text}");
        }
        assert!(passes("numeric", json!({"value": 10, "tolerance": 1}), None, "9"));
    }

    #[test]
    fn the_letter_of_a_choice_is_found_or_not_guessed() {
        for text in [
            "B",
            "b",
            "(B)",
            "**B**",
            "B.",
            "B) Paris",
            "The answer is B.",
            "Answer: (B)",
            "The correct answer is **B**",
            "I think it is B",
            "A is wrong because of x. The answer is B",
        ] {
            assert!(passes("choice", json!("B"), None, text), "{text}");
        }
        for text in
            ["", "A", "A or B", "Because it is so", "The answer is A, not B", "Bananas", "Both B and C"]
        {
            assert!(!passes("choice", json!("b"), None, text), "{text}");
        }
        assert!(passes("choice", json!(["A", "C"]), None, "Answer: C"));
    }

    #[test]
    fn what_is_not_known_is_missing_and_never_a_pass() {
        let missing = |kind: &str, value: Value, threshold| {
            let graders = Graders::new(&[Assertion { threshold, ..Assertion::of(kind, value) }], Some(0.0));
            graders.grade(&Answer { text: "x", ..Answer::default() }, &BTreeMap::new())
        };
        assert_eq!(missing("latency", json!(null), Some(1.0)), Grade::Missing(Why::NoLatency));
        assert_eq!(missing("cost", json!(null), Some(1.0)), Grade::Missing(Why::NoCost));
        assert_eq!(missing("max-tokens", json!(5), None), Grade::Missing(Why::NoTokens));
        assert_eq!(missing("llm-rubric", json!("be kind"), None), Grade::Missing(Why::NotTold));
        assert_eq!(missing("similar", json!("y"), None), Grade::Missing(Why::NotTold));
        assert_eq!(missing("javascript", json!("true"), None), Grade::Missing(Why::Broken));
        let runaway = Graders::new(&[Assertion::of("not-regex", json!("^(a+)+$"))], None);
        let text = "a".repeat(60) + "!";
        let grade = runaway.grade(&Answer { text: &text, ..Answer::default() }, &BTreeMap::new());
        assert_eq!(grade, Grade::Missing(Why::Runaway));
    }

    /// A chain of operators is a deep tree to a parser: as long as may be it is read, longer it has no grade.
    #[test]
    fn a_long_statement_takes_no_stack_away() {
        let graders = Graders::new(&[Assertion::of("is-sql", Value::Null)], None);
        for (terms, grade) in [(900, true), (100_000, false)] {
            let text = format!("SELECT a FROM t WHERE {}1=1", "a=1 AND ".repeat(terms));
            let answer = Answer { text: &text, ..Answer::default() };
            match graders.grade(&answer, &BTreeMap::new()) {
                Grade::Scored(score) => assert!(grade && score.pass, "{terms}"),
                missing @ Grade::Missing(_) => {
                    assert!(!grade && missing == Grade::Missing(Why::TooLong), "{terms}: {missing:?}");
                }
            }
        }
    }

    #[test]
    fn verdicts_of_others_are_taken_and_turned() {
        let graders = Graders::new(&[Assertion::of("not-llm-rubric", json!("rude"))], None);
        let told = BTreeMap::from([(0, Given::Verdict { pass: false, score: 0.25 })]);
        let Grade::Scored(score) = graders.grade(&Answer::default(), &told) else { panic!("told") };
        assert_eq!((score.pass, score.score), (true, 0.75));
        let nothing = BTreeMap::from([(0, Given::Nothing)]);
        assert_eq!(graders.grade(&Answer::default(), &nothing), Grade::Missing(Why::NotTold));
        let similar = Graders::new(&[Assertion::of("similar", json!(["a", "b"]))], None);
        let vectors =
            Given::Vectors { answer: vec![1.0, 0.0], references: vec![vec![0.0, 1.0], vec![0.6, 0.8]] };
        let Grade::Scored(score) = similar.grade(&Answer::default(), &BTreeMap::from([(0, vectors)])) else {
            panic!("given")
        };
        assert!((score.score - 0.6).abs() < 1e-6 && !score.pass);
        let zero = Given::Vectors { answer: vec![0.0], references: vec![vec![0.0]; 2] };
        assert_eq!(
            similar.grade(&Answer::default(), &BTreeMap::from([(0, zero)])),
            Grade::Missing(Why::NotTold)
        );
    }
}
