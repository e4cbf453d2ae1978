//! Azure OpenAI's metrics (`az monitor metrics list`): requests, prompt tokens and generated tokens as
//! separate series, which are joined by deployment and time. Prompt tokens include cached ones; their
//! number is only given as a percentage, so it stays unknown. `TokenTransaction` is the sum of the other
//! series and is ignored.

use crate::usage::collect::Collector;
use crate::usage::reader::{Format, Reader};
use crate::usage::record::{Class, Clock, Keep, ModelId, Reason, Record, Skip, Tokens, When};
use crate::usage::row::{Row, usage_fields};
use crate::usage::summary::Note;
use std::collections::{BTreeMap, HashSet};

usage_fields! {
    INTERVAL = "interval",
    NAME = "name/value",
    DEPLOYMENT = "timeseries*/metadatavalues{name.value=value}/modeldeploymentname",
    MODEL = "timeseries*/metadatavalues{name.value=value}/modelname",
    STATUS = "timeseries*/metadatavalues{name.value=value}/statuscode",
    REGION = "timeseries*/metadatavalues{name.value=value}/region",
    TIME = "timeseries*/data*/timeStamp",
    TOTAL = "timeseries*/data*/total",
}

static ONLY_A_SUM: Reason =
    Reason::new(Class::NotACall, "metric that sums up others or is no count of tokens or requests");
static FAILED: Reason = Reason::new(Class::Failed, "failed requests (status {detail})");

pub static FORMAT: Format = Format {
    name: "azure-metrics",
    about: "Azure OpenAI metrics (az monitor metrics list)",
    fields: FIELDS,
    rows: &["value[]"],
    marks: &[&["value[]/timeseries", "value[]/name/value"]],
    reader: || Box::<AzureMetrics>::default(),
    ..Format::PLAIN
};

#[derive(Debug, Default, Clone, Copy)]
struct Bucket {
    requests: Option<u64>,
    prompt: u64,
    generated: u64,
}

#[derive(Debug, Default)]
struct AzureMetrics {
    buckets: BTreeMap<(ModelId, i64), Bucket>,
    /// Points that were counted, so that reading an export twice changes nothing.
    seen: HashSet<u64>,
    /// Width of a bucket, seconds.
    span: Option<u32>,
    with_status: bool,
}

#[derive(Clone, Copy)]
enum Metric {
    Requests,
    Prompt,
    Generated,
}

fn metric(name: &str) -> Option<Metric> {
    // Names used by Azure OpenAI, and those used for models in Foundry.
    match name {
        "AzureOpenAIRequests" | "ModelRequests" => Some(Metric::Requests),
        "ProcessedPromptTokens" | "InputTokens" => Some(Metric::Prompt),
        "GeneratedTokens" | "OutputTokens" => Some(Metric::Generated),
        _ => None,
    }
}

/// `PT1M`, `PT1H` or `P1D` in seconds.
fn interval(text: &str) -> Option<u32> {
    let (time, digits) =
        text.strip_prefix("PT").map_or((false, text.strip_prefix('P')?), |rest| (true, rest));
    let (number, unit) = digits.split_at(digits.len().checked_sub(1)?);
    let number: u32 = number.parse().ok()?;
    match (time, unit) {
        (true, "S") => Some(number),
        (true, "M") => number.checked_mul(60),
        (true, "H") => number.checked_mul(3600),
        (false, "D") => number.checked_mul(86_400),
        _ => None,
    }
}

impl Reader for AzureMetrics {
    fn row(&mut self, row: &Row, out: &mut Collector) -> Result<(), Skip> {
        if let Some(span) = row.text(INTERVAL).and_then(interval) {
            self.span = Some(self.span.map_or(span, |s| s.max(span)));
        }
        if !row.has(NAME) {
            return Ok(());
        }
        let name = row.text(NAME).unwrap_or_default();
        let Some(metric) = metric(name) else { return Err(Skip::of(&ONLY_A_SUM)) };
        for series in row.children() {
            let model = out.model(series.text(MODEL).or(series.text(DEPLOYMENT)))?;
            let status = series.count(STATUS)?;
            self.with_status |= status.is_some();
            let labels = [DEPLOYMENT, MODEL, STATUS, REGION].map(|slot| series.hash(slot));
            for point in series.children() {
                let (Some(time), Some(total)) = (point.time(TIME)?, point.count(TOTAL)?) else { continue };
                let id = crate::usage::ids::key(FORMAT.name, (name, labels, time.start));
                if !self.seen.insert(id) {
                    out.duplicate();
                    continue;
                }
                if let (Metric::Requests, Some(code)) = (metric, status.filter(|code| *code >= 400)) {
                    if total > 0 {
                        let code = i64::try_from(code).unwrap_or(0);
                        out.skip(Skip::of(&FAILED).detail(crate::usage::record::Detail::Number(code)));
                    }
                    continue;
                }
                let bucket = self.buckets.entry((model, time.start)).or_default();
                match metric {
                    Metric::Requests => {
                        bucket.requests = Some(bucket.requests.unwrap_or(0).saturating_add(total));
                    }
                    Metric::Prompt => bucket.prompt = bucket.prompt.saturating_add(total),
                    Metric::Generated => bucket.generated = bucket.generated.saturating_add(total),
                }
            }
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Collector) {
        let mut starts: Vec<i64> = self.buckets.keys().map(|(_, start)| *start).collect();
        starts.sort_unstable();
        starts.dedup();
        // Where the file does not name its interval, it is the distance between its points.
        let apart = starts.windows(2).map(|pair| pair[1] - pair[0]).min();
        let span = self.span.or(apart.and_then(|s| u32::try_from(s).ok())).unwrap_or(60);
        // Requests and tokens cannot be joined if only one of them is split by a dimension; such a model
        // has no number of requests.
        let counts_requests = self.buckets.values().any(|b| b.requests.is_some());
        for ((model, start), bucket) in std::mem::take(&mut self.buckets) {
            let requests = bucket.requests.or(counts_requests.then_some(0));
            let tokens = Tokens { input: bucket.prompt, output: bucket.generated, ..Tokens::default() };
            let when = When { start, span, clock: Clock::Utc };
            let record = Record::bucket(model, Some(when), requests, tokens);
            if !record.is_empty() {
                out.record(record, Keep::All);
            }
        }
        if counts_requests && !self.with_status {
            out.note(Note::RequestsIncludeFailed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_iso_durations() {
        assert_eq!(interval("PT1M"), Some(60));
        assert_eq!(interval("PT1H"), Some(3600));
        assert_eq!(interval("P1D"), Some(86_400));
        assert_eq!(interval("1h"), None);
    }
}
