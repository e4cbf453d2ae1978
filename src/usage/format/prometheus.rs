//! Metrics of vLLM, SGLang and llama-server: scrapes of `/metrics`, and results of Prometheus' `query` and
//! `query_range`.
//!
//! All are counters since the start of a process. A single scrape is a sum without hours. In a range, the
//! difference between two points belongs to the time between them, the first point only gives the start
//! value, and a decrease means a restart (as in Prometheus' `increase`).

use crate::usage::collect::Collector;
use crate::usage::ids;
use crate::usage::reader::{Format, Occurrences, Reader};
use crate::usage::record::{
    Class, Clock, Detail, Keep, ModelId, Reason, Record, Skip, Stated, Tokens, When, reason,
};
use crate::usage::row::{Row, usage_fields};
use crate::usage::summary::{Bounds, Granularity, Note};
use std::collections::{BTreeMap, HashMap, HashSet};

usage_fields! {
    NAME = "metric/__name__",
    MODEL = "metric/model_name",
    MODEL_OTHER = "metric/model",
    ENGINE = "metric/engine",
    INSTANCE = "metric/instance",
    JOB = "metric/job",
    POD = "metric/pod",
    FINISHED = "metric/finished_reason",
    CACHE_SOURCE = "metric/cache_source",
    LE = "metric/le",
    VALUES = "values#",
    VALUE = "value#",
}

/// The three servers differ only in the names of their metrics.
const SERVER: Format = Format {
    fields: FIELDS,
    rows: &["data/result[]"],
    marks: &[
        &["data/result[]/metric", "data/result[]/values"],
        &["data/result[]/metric", "data/result[]/value"],
    ],
    lines: true,
    ..Format::PLAIN
};

pub static VLLM: Format = Format {
    name: "prometheus-vllm",
    about: "vLLM's metrics (scrapes, or Prometheus results as JSON)",
    words: &["vllm:"],
    reader: || Box::<Prometheus>::default(),
    ..SERVER
};
pub static SGLANG: Format = Format {
    name: "prometheus-sglang",
    about: "SGLang's metrics (scrapes, or Prometheus results as JSON)",
    words: &["sglang:"],
    reader: || Box::<Prometheus>::default(),
    ..SERVER
};
pub static LLAMA: Format = Format {
    name: "prometheus-llama-server",
    about: "llama-server's metrics (scrapes, or Prometheus results as JSON)",
    words: &["llamacpp:"],
    reader: || Box::<Prometheus>::default(),
    ..SERVER
};

static ABORTED: Reason = Reason::new(Class::NotACall, "aborted requests: {detail}");
static ABORTED_RANGE: Reason = Reason::new(
    Class::NotACall,
    "aborted requests (finished_reason=abort): {detail}, not counted as requests",
);
static UNKNOWN_SERIES: Reason = Reason::new(
    Class::NotACall,
    "series of another metric (ask for the plain counters, not for rate() or sum())",
);

/// The quantity that a counter counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Counter {
    /// All prompt tokens, cached ones included.
    Prompt,
    /// Prompt tokens without those from a cache.
    Processed,
    Cached,
    /// Hits of the prefix cache, for servers that do not count cached prompt tokens.
    Hits,
    Generated,
    Requests,
    Aborted,
    PromptBound,
    OutputBound,
}

fn counter(name: &str, finished: Option<&str>) -> Option<Counter> {
    Some(match name {
        "vllm:prompt_tokens_total" | "sglang:prompt_tokens_total" => Counter::Prompt,
        "llamacpp:prompt_tokens_total" => Counter::Processed,
        "vllm:prompt_tokens_cached_total" | "sglang:cached_tokens_total" => Counter::Cached,
        "vllm:prefix_cache_hits_total" | "vllm:gpu_prefix_cache_hits_total" => Counter::Hits,
        "vllm:generation_tokens_total"
        | "sglang:generation_tokens_total"
        | "llamacpp:tokens_predicted_total" => Counter::Generated,
        "vllm:request_success_total" if finished == Some("abort") => Counter::Aborted,
        "vllm:request_success_total" | "sglang:num_requests_total" => Counter::Requests,
        "vllm:request_prompt_tokens_bucket" => Counter::PromptBound,
        "vllm:request_generation_tokens_bucket" => Counter::OutputBound,
        _ => return None,
    })
}

/// How the points of a series are to be interpreted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Points {
    /// From `query_range`: the first point only gives the start value.
    Range,
    /// Scrapes of one process whose start is known: counters only rise, in whatever order the files are.
    OneProcess,
    /// Scrapes or `query` results in order; a decrease means a restart.
    InOrder,
}

#[derive(Debug)]
struct Series {
    counter: Counter,
    model: ModelId,
    /// Upper bound of a histogram's bucket.
    le: Option<f64>,
    points: Points,
    /// Values by time in seconds, or by number of the scrape.
    values: BTreeMap<i64, f64>,
}

/// A sample of a scrape whose process is not known yet.
#[derive(Debug)]
struct Sample {
    labels: u64,
    counter: Counter,
    model: ModelId,
    le: Option<f64>,
    value: f64,
}

/// Increase of each counter; a counter that does not exist is absent.
type Sums = BTreeMap<Counter, f64>;
/// Start in seconds since 1970, and duration in seconds; `None` for the life of a process.
type Stretch = Option<(i64, u32)>;
type Buckets = BTreeMap<(ModelId, Stretch), Sums>;

#[derive(Debug, Default)]
struct Prometheus {
    series: HashMap<u64, Series>,
    occurrences: Occurrences,
    scrape: Vec<Sample>,
    in_scrape: HashSet<u64>,
    /// Start time of the process that the current scrape is of.
    process: Option<u64>,
    scrapes: i64,
}

/// Value of a label in `a="x",b="y"`.
fn label(labels: &str, name: &str) -> Option<String> {
    let mut rest = labels;
    loop {
        let (key, after) = rest.split_once('=')?;
        let quoted = after.trim_start().strip_prefix('"')?;
        let mut value = String::new();
        let mut chars = quoted.char_indices();
        let end = loop {
            match chars.next()? {
                (at, '"') => break at,
                (_, '\\') => match chars.next()?.1 {
                    'n' => value.push('\n'),
                    c => value.push(c),
                },
                (_, c) => value.push(c),
            }
        };
        if key.trim() == name {
            return Some(value);
        }
        rest = quoted[end + 1..].trim_start().trim_start_matches(',');
    }
}

impl Prometheus {
    /// End of a scrape: its samples belong to the process that it names.
    fn end_scrape(&mut self) {
        self.scrapes += 1;
        let process = self.process.take();
        for sample in std::mem::take(&mut self.scrape) {
            let points = if process.is_some() { Points::OneProcess } else { Points::InOrder };
            let series = self.series.entry(ids::key("series", (process, sample.labels))).or_insert(Series {
                counter: sample.counter,
                model: sample.model,
                le: sample.le,
                points,
                values: BTreeMap::new(),
            });
            series.values.insert(self.scrapes, sample.value);
        }
        self.in_scrape.clear();
    }
}

/// Increases from point to point: where they began, how long they took, and how much they were.
fn increases(series: &Series) -> Vec<(Stretch, f64)> {
    let values: Vec<(i64, f64)> = series.values.iter().map(|(at, value)| (*at, *value)).collect();
    let between = |pair: &[(i64, f64)]| {
        let grown = pair[1].1 - pair[0].1;
        if grown < 0.0 { pair[1].1 } else { grown }
    };
    match series.points {
        Points::Range => values
            .windows(2)
            .map(|pair| {
                let span = u32::try_from(pair[1].0 - pair[0].0).unwrap_or(u32::MAX);
                (Some((pair[0].0, span)), between(pair))
            })
            .collect(),
        Points::OneProcess => {
            vec![(None, values.iter().map(|(_, value)| *value).fold(0.0, f64::max))]
        }
        Points::InOrder => {
            let first = values.first().map_or(0.0, |(_, value)| *value);
            vec![(None, first + values.windows(2).map(between).sum::<f64>())]
        }
    }
}

impl Reader for Prometheus {
    fn open(&mut self, _: &mut Collector) {
        self.occurrences.clear();
    }

    fn row(&mut self, row: &Row, out: &mut Collector) -> Result<(), Skip> {
        if row.points().is_empty() {
            return Ok(());
        }
        let Some(counter) = row.text(NAME).and_then(|name| counter(name, row.text(FINISHED))) else {
            return Err(Skip::of(&UNKNOWN_SERIES));
        };
        let model = out.model(row.text(MODEL).or(row.text(MODEL_OTHER)))?;
        let labels = [NAME, MODEL, MODEL_OTHER, ENGINE, INSTANCE, JOB, POD, FINISHED, CACHE_SOURCE, LE];
        let id = self.occurrences.next(ids::key("range", labels.map(|slot| row.hash(slot))));
        let points = if row.has(VALUES) { Points::Range } else { Points::InOrder };
        let le = row.text(LE).and_then(bound);
        let series =
            self.series.entry(id).or_insert(Series { counter, model, le, points, values: BTreeMap::new() });
        for (time, value) in row.points() {
            if time.is_finite() && value.is_finite() && *value >= 0.0 {
                #[allow(clippy::cast_possible_truncation)]
                series.values.insert(time.floor() as i64, *value);
            }
        }
        Ok(())
    }

    fn line(&mut self, line: &str, out: &mut Collector) -> Result<(), Skip> {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return Ok(());
        }
        let damaged = || Skip::of(&reason::DAMAGED);
        let name_end = line.find(['{', ' ', '\t']).ok_or_else(damaged)?;
        let name = &line[..name_end];
        let (labels, rest) = match line[name_end..].strip_prefix('{') {
            Some(inside) => {
                // The values of labels may contain braces.
                let end = inside.rfind('}').ok_or_else(damaged)?;
                (&inside[..end], &inside[end + 1..])
            }
            None => ("", &line[name_end..]),
        };
        let value = rest.split_whitespace().next().and_then(|v| v.parse::<f64>().ok()).ok_or_else(damaged)?;
        if name == "process_start_time_seconds" {
            // The process is named above the counters, so the next scrape's name ends this one.
            if self.process.is_some() && !self.scrape.is_empty() {
                self.end_scrape();
            }
            self.process = Some(value.to_bits());
            return Ok(());
        }
        let finished = label(labels, "finished_reason");
        // `…_created` series are times, not counts; `counter` does not know them.
        let Some(counter) = counter(name, finished.as_deref()) else { return Ok(()) };
        if !value.is_finite() || value < 0.0 {
            return Err(damaged());
        }
        let id = ids::key("scrape", (name, labels));
        if !self.in_scrape.insert(id) {
            // The same series comes again: the next scrape in the same file begins.
            self.end_scrape();
            self.in_scrape.insert(id);
        }
        let model = label(labels, "model_name").or_else(|| label(labels, "model"));
        let model = out.model(model.as_deref())?;
        let le = label(labels, "le").as_deref().and_then(bound);
        self.scrape.push(Sample { labels: id, counter, model, le, value });
        Ok(())
    }

    fn close(&mut self, _: &mut Collector) {
        if !self.scrape.is_empty() {
            self.end_scrape();
        }
        self.process = None;
    }

    fn finish(&mut self, out: &mut Collector) {
        let mut buckets: Buckets = BTreeMap::new();
        let mut bounds: [BTreeMap<u64, f64>; 2] = Default::default();
        let (mut aborted, mut in_range) = (0.0, false);
        for series in self.series.values() {
            in_range |= series.points == Points::Range;
            for (place, grown) in increases(series) {
                match (series.counter, series.le) {
                    (Counter::PromptBound, Some(le)) => *bounds[0].entry(le.to_bits()).or_default() += grown,
                    (Counter::OutputBound, Some(le)) => *bounds[1].entry(le.to_bits()).or_default() += grown,
                    (Counter::PromptBound | Counter::OutputBound, None) => {}
                    (Counter::Aborted, _) => aborted += grown,
                    (counter, _) => {
                        let sums = buckets.entry((series.model, place)).or_default();
                        *sums.entry(counter).or_default() += grown;
                    }
                }
            }
        }
        if aborted > 0.0 {
            let reason = if in_range { &ABORTED_RANGE } else { &ABORTED };
            let count = i64::try_from(whole(aborted)).unwrap_or(i64::MAX);
            out.skip(Skip::of(reason).detail(Detail::Number(count)));
        }
        let [prompt_bounds, output_bounds] = bounds.map(|of| {
            let upper: Vec<(f64, u64)> = of.iter().map(|(le, n)| (f64::from_bits(*le), whole(*n))).collect();
            let requests = upper.iter().map(|(_, n)| *n).max().unwrap_or(0);
            let finite: Vec<_> = upper.into_iter().filter(|(le, _)| le.is_finite()).collect();
            (requests > 0).then_some(Bounds { upper: finite, requests })
        });
        out.bounds(prompt_bounds, output_bounds);
        emit(&buckets, out);
    }
}

/// Make records from the increases of each model and period.
fn emit(buckets: &Buckets, out: &mut Collector) {
    let has = |model: ModelId, counter: Counter| {
        buckets.iter().any(|((m, _), sums)| *m == model && sums.contains_key(&counter))
    };
    let models: std::collections::BTreeSet<ModelId> = buckets.keys().map(|(model, _)| *model).collect();
    for model in models {
        let counted = has(model, Counter::Requests);
        let cached = if has(model, Counter::Cached) { Counter::Cached } else { Counter::Hits };
        let stated = has(model, cached);
        // A cache hit can be counted a moment before the prompt that it belongs to.
        let mut early = 0.0;
        for ((_, place), sums) in buckets.range((model, None)..).take_while(|((m, _), _)| *m == model) {
            let of = |counter| sums.get(&counter).copied().unwrap_or(0.0);
            let read = (of(cached) + early).min(of(Counter::Prompt));
            early += of(cached) - read;
            let tokens = Tokens {
                input: whole(of(Counter::Prompt) - read + of(Counter::Processed)),
                cache_read: whole(read),
                output: whole(of(Counter::Generated)),
                stated: Stated { cache_read: stated, ..Stated::default() },
                ..Tokens::default()
            };
            let when = place.map(|(start, span)| When { start, span, clock: Clock::Utc });
            let requests = counted.then(|| whole(of(Counter::Requests)));
            let record = Record::bucket(model, when, requests, tokens);
            if record.is_empty() {
                continue;
            }
            if let Some((_, span)) = place {
                out.granularity(Granularity::Difference(*span));
            } else {
                out.granularity(Granularity::Lifetime);
                out.note(Note::NoHours);
            }
            out.record(record, Keep::All);
        }
        if early >= 1.0 {
            out.note(Note::CacheExceedsPrompt);
        }
    }
}

/// The upper bound of a bucket; `+Inf` is one, too.
fn bound(text: &str) -> Option<f64> {
    if text == "+Inf" { Some(f64::INFINITY) } else { text.parse().ok().filter(|n: &f64| *n >= 0.0) }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn whole(value: f64) -> u64 {
    value.round().max(0.0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_read_with_their_escapes() {
        let labels = r#"engine="0",finished_reason="a \"b\", c=\"d",model_name="x}""#;
        assert_eq!(label(labels, "model_name").as_deref(), Some("x}"));
        assert_eq!(label(labels, "finished_reason").as_deref(), Some("a \"b\", c=\"d"));
        assert_eq!(label(labels, "nothing"), None);
        assert_eq!(label("broken", "a"), None);
    }

    #[test]
    fn a_fall_is_a_restart_and_the_first_point_of_a_range_is_none() {
        let series = |points, values: &[f64]| Series {
            counter: Counter::Prompt,
            model: 0,
            le: None,
            points,
            values: (0i64..).map(|n| n * 60).zip(values.iter().copied()).collect(),
        };
        let sum = |points| -> f64 {
            increases(&series(points, &[100.0, 150.0, 5.0, 9.0])).iter().map(|(_, n)| n).sum()
        };
        assert!((sum(Points::Range) - 59.0).abs() < 1e-9);
        assert!((sum(Points::InOrder) - 159.0).abs() < 1e-9);
        assert!((sum(Points::OneProcess) - 150.0).abs() < 1e-9);
    }
}
