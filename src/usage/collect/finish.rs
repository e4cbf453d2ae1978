//! Turns everything that was collected into a summary.

use super::Collector;
use super::source::{PerSource, all_days, coverage, whole_bill};
use crate::usage::growth;
use crate::usage::record::{Class, ModelId};
use crate::usage::shape::Size;
use crate::usage::summary::{Missing, Model, Note, Source, Usage};
use jiff::tz::TimeZone;

impl Collector<'_> {
    /// The summary of everything that was read.
    pub fn finish(mut self) -> Usage {
        self.release();
        self.by_time.close();
        let hours = self.by_time.hours_of_week(&TimeZone::UTC);
        let local = self.by_time.hours_of_week(&self.zone);
        let days = all_days(&self.sources);
        let coverage = coverage(&self.sources, &days);
        let whole = self.sources.iter().all(PerSource::states_requests);
        let growth = match coverage {
            None if self.totals.records == 0 => Err(Missing::Nothing),
            None => Err(Missing::NoTimes),
            Some(_) => growth::growth(&days, |t| if whole { t.requests_stated } else { t.tokens() }),
        };
        let by_day = self.by_time.by_day(&self.zone);
        let peak = self.by_time.peak(&self.totals, coverage);
        let distribution = match self.by_model.distribution() {
            Some(distribution) => Ok(distribution),
            None if self.only_buckets => Err(Missing::OnlyBuckets),
            None => Err(Missing::Nothing),
        };
        let mean = (self.mean.0 > 0 && self.mean.1.iter().any(|n| *n > 0)).then(|| {
            let of = |n: u64| n as f64 / self.mean.0 as f64;
            let [input, read, five, hour, other, output, reasoning] = self.mean.1;
            Size {
                share: 1.0,
                input: of(input),
                cache_read: of(read),
                cache_write_5m: of(five),
                cache_write_1h: of(hour),
                cache_write_other: of(other),
                output: of(output),
                reasoning: of(reasoning),
            }
        });
        if self.by_model.are_many() && !self.sources.is_empty() {
            self.note(Note::ManyModels);
        }
        let names = self.models.into_names();
        let name = |id: ModelId| names.get(usize::from(id)).cloned().unwrap_or_default();
        let mut repriced = self.repriced;
        let by_model = self
            .by_model
            .models
            .into_iter()
            .map(|(id, model)| {
                if model.unpriced.records > 0 {
                    repriced.unpriced.push((name(id), model.unpriced));
                }
                Model {
                    name: name(id),
                    totals: model.totals,
                    batch: model.batch,
                    distribution: model.sizes.and_then(|s| s.distribution()),
                }
            })
            .collect();
        let of_class =
            |class: Class| self.skipped.iter().filter(|s| s.class() == class).map(|s| s.records).sum::<u64>();
        let (failed, response_cache_hits, requests_without_usage) =
            (of_class(Class::Failed), of_class(Class::ResponseCache), of_class(Class::WithoutUsage));
        let sources: Vec<Source> = self.sources.into_iter().map(PerSource::finish).collect();
        Usage {
            totals: self.totals,
            batch: self.batch,
            by_model,
            by_day,
            requests_by_hour_of_week_utc: hours.clone().and_then(|h| h.0),
            tokens_by_hour_of_week_utc: hours.map(|h| h.1),
            requests_by_hour_of_week: local.clone().and_then(|h| h.0),
            tokens_by_hour_of_week: local.map(|h| h.1),
            requests_by_hour_of_day_local: self.by_time.hours_of_day(),
            distribution,
            mean,
            prompt_bounds: self.prompt_bounds,
            output_bounds: self.output_bounds,
            peak,
            growth,
            coverage,
            duplicates_dropped: sources.iter().map(|s| s.duplicates_dropped).sum(),
            skipped: self.skipped,
            bill: whole_bill(&sources),
            repriced,
            embeddings: self.embeddings,
            failed,
            response_cache_hits,
            requests_without_usage,
            users: (!self.users.is_empty()).then_some(self.users.len() as u64),
            undated: self.by_time.undated,
            names,
            sources,
        }
    }
}
