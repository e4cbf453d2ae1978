//! `[need]`: volume, request shape, peak, growth, calendar.

use super::error::{ResolveError, impossible};
use super::resolver::{Resolver, Table, default_of, unknown};
use crate::cost::case::{Asks, Need, Notice, Peak, Portion, Shape, Volume};
use crate::cost::defaults;
use crate::provenance::Source;
use crate::workload::evidence::{Figure, MeasuredTarget};
use crate::workload::given::RequestSize;
use crate::workload::keys::{Key, Section, need};
use crate::workload::{Answer as _, TargetKind, Use};
use crate::workload::{Fields, Value};
use jiff::civil::Date;

impl Resolver<'_> {
    pub(super) fn need(&mut self, fields: &Fields) -> Result<Need, ResolveError> {
        let table = Table { section: Section::Need, fields, prefix: "need" };
        let at_capacity = table.flag(need::AT_CAPACITY);
        let volume = self.volume(table, at_capacity)?;
        let shape = self.shape(table)?;
        let peak = self.peak(table, at_capacity)?;
        let horizon = defaults::of("need.horizon_months").map(|d| {
            // A whole number, as declared.
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let months = d.number() as u32;
            (months, d.source())
        });
        Ok(Need {
            volume,
            volume_factor: self.number(table, need::VOLUME_FACTOR, None, ""),
            shape,
            mix: self.mix(table),
            cached: self.number(table, need::CACHED_INPUT_SHARE, None, ""),
            cache_write: self.number(table, need::CACHE_WRITE_INPUT_SHARE, None, ""),
            batch: self.number(table, need::BATCH_SHARE, None, ""),
            peak,
            growth: self.number(table, need::GROWTH_PER_MONTH, None, ""),
            horizon: self.whole(table, need::HORIZON_MONTHS, horizon).unwrap_or(36),
            hours: self.number(table, need::HOURS_PER_MONTH, None, ""),
            start: self.start(table)?,
            asks: self.asks(table),
        })
    }

    /// What else a plan must keep: purpose, latency limits, availability.
    fn asks(&mut self, table: Table<'_>) -> Asks {
        self.text(table, need::NAME);
        let said = self.text(table, need::USE).and_then(|word| Use::from_word(&word));
        let purpose = said.unwrap_or_else(|| {
            let waits = table.fields.get(need::BATCH_SHARE.name).and_then(|g| g.value.range());
            let (purpose, reason) = if waits.is_some_and(|r| r.likely >= 1.0) {
                (Use::Batch, "every request can wait")
            } else {
                (Use::Chat, "people wait for the answers unless it is said otherwise")
            };
            let source = Source::assumed("use", reason);
            self.echo(table.path(need::USE), "", Value::Text(purpose.key().to_owned()), source);
            purpose
        });
        let mut number = |key: &'static Key| {
            let (range, source) = self.given(table, key)?;
            self.echo(table.path(key), key.unit, Value::Number(range), source);
            Some(range.likely)
        };
        let (ttft_ms, tpot_ms) = (number(need::TTFT_MS), number(need::TPOT_MS));
        let context = number(need::CONTEXT_TOKENS);
        let e2e_ms = number(need::E2E_MS);
        let must_stay_up = table.flag(need::MUST_STAY_UP);
        if let Some(given) = table.fields.get(need::MUST_STAY_UP.name) {
            self.echo(table.path(need::MUST_STAY_UP), "", given.value.clone(), given.source.clone());
        }
        Asks { purpose, ttft_ms, tpot_ms, e2e_ms, must_stay_up, context }
    }

    fn volume(&mut self, table: Table<'_>, at_capacity: bool) -> Result<Volume, ResolveError> {
        let requests = table.has(need::REQUESTS_PER_MONTH);
        let tokens = table.has(need::TOKENS_PER_MONTH);
        if at_capacity {
            if requests || tokens {
                return Err(impossible(
                    "need.at_capacity",
                    "the volume is either a number or everything the local side can generate, not both",
                ));
            }
            if let Some(given) = table.fields.get(need::AT_CAPACITY.name) {
                self.echo(table.path(need::AT_CAPACITY), "", Value::Flag(true), given.source.clone());
            }
            self.notices.push(Notice::AtCapacity);
            return Ok(Volume::AtCapacity);
        }
        if requests && tokens {
            return Err(impossible(
                "need.tokens_per_month",
                "give requests_per_month or tokens_per_month, not both: one follows from the other",
            ));
        }
        if tokens {
            return Ok(Volume::Tokens(self.number(table, need::TOKENS_PER_MONTH, None, "")));
        }
        Ok(Volume::Requests(self.number(
            table,
            need::REQUESTS_PER_MONTH,
            None,
            "the volume (or need.tokens_per_month with need.input_share)",
        )))
    }

    fn shape(&mut self, table: Table<'_>) -> Result<Shape, ResolveError> {
        let per_request = table.has(need::INPUT_TOKENS) || table.has(need::OUTPUT_TOKENS);
        if table.has(need::INPUT_SHARE) {
            if table.has(need::REQUESTS_PER_MONTH) {
                return Err(impossible(
                    "need.input_share",
                    "with requests_per_month give input_tokens and output_tokens: a share does not say how long a request is",
                ));
            }
            if per_request {
                return Err(impossible(
                    "need.input_share",
                    "it follows from input_tokens and output_tokens; give one or the other",
                ));
            }
            return Ok(Shape::ShareOnly { input_share: self.number(table, need::INPUT_SHARE, None, "") });
        }
        // The API bills by its own count of tokens, so that count takes precedence over the local one.
        let target = self.target(TargetKind::Api).or_else(|| self.target(TargetKind::Local));
        let measured = |value: fn(&MeasuredTarget) -> Option<&Figure>| self.measured(target.and_then(value));
        let input = measured(|t| t.input_tokens.as_ref());
        let output = measured(|t| t.visible_output_tokens.as_ref());
        let reasoning = measured(|t| t.reasoning_tokens.as_ref());
        if !per_request && input.is_none() && table.has(need::TOKENS_PER_MONTH) {
            self.miss(
                "need.input_share",
                "which part of the tokens is input: the same total can differ five-fold in price",
            );
        }
        if !per_request && input.is_none() && table.flag(need::AT_CAPACITY) {
            self.miss(
                "need.input_share",
                "which part of the tokens is input (or need.input_tokens and need.output_tokens)",
            );
        }
        if self.missing.iter().any(|m| m.key == "need.input_share") {
            return Ok(Shape::ShareOnly { input_share: self.slot(String::new(), "", unknown()) });
        }
        Ok(Shape::PerRequest {
            input: self.number(table, need::INPUT_TOKENS, input, "input tokens of one request (mean)"),
            output: self.number(table, need::OUTPUT_TOKENS, output, "output tokens of one request (mean)"),
            reasoning: self.number(table, need::REASONING_TOKENS, reasoning, ""),
        })
    }

    /// Kinds of request, each relative to the mean of all.
    fn mix(&mut self, table: Table<'_>) -> Vec<Portion> {
        let Some(given) = table.fields.get(need::SIZES.name) else { return Vec::new() };
        let Value::Sizes(sizes) = &given.value else { return Vec::new() };
        self.echo(table.path(need::SIZES), "", given.value.clone(), given.source.clone());
        let all: f64 = sizes.iter().map(|s| s.share).sum();
        let parts = |s: &RequestSize| {
            let (read, written) =
                (s.input_tokens * s.cached_input_share, s.input_tokens * s.cache_write_input_share);
            let uncached = (s.input_tokens - read - written).max(0.0);
            [s.input_tokens, uncached, read, written, s.output_tokens, s.reasoning_tokens]
        };
        let mut mean = [0.0; 6];
        for size in sizes {
            for (sum, part) in mean.iter_mut().zip(parts(size)) {
                *sum += part * size.share / all;
            }
        }
        let portion = |size: &RequestSize| {
            let part = parts(size);
            // Tokens of a class that no kind has are spread evenly.
            let times = |n: usize| if mean[n] > 0.0 { part[n] / mean[n] } else { 1.0 };
            Portion {
                share: size.share / all,
                input: times(0),
                uncached: times(1),
                read: times(2),
                written: times(3),
                output: times(4),
                reasoning: times(5),
            }
        };
        sizes.iter().map(portion).collect()
    }

    fn peak(&mut self, table: Table<'_>, at_capacity: bool) -> Result<Peak, ResolveError> {
        if table.has(need::PEAK_REQUESTS_PER_SECOND) {
            if table.has(need::PEAK_TO_MEAN) {
                return Err(impossible(
                    "need.peak_to_mean",
                    "give peak_requests_per_second or peak_to_mean, not both",
                ));
            }
            return Ok(Peak::Rate(self.number(table, need::PEAK_REQUESTS_PER_SECOND, None, "")));
        }
        if at_capacity {
            let flat = default_of("need.peak_to_mean.at_capacity");
            return Ok(Peak::ToMean(self.number_or(table, need::PEAK_TO_MEAN, flat, "")));
        }
        // `asks` decides the purpose in the same way.
        let waits = table.fields.get(need::BATCH_SHARE.name).and_then(|g| g.value.range());
        let batch = match table.text(need::USE) {
            Some(word) => Use::from_word(word) == Some(Use::Batch),
            None => waits.is_some_and(|r| r.likely >= 1.0),
        };
        if batch {
            let even = default_of("need.peak_to_mean.batch");
            return Ok(Peak::ToMean(self.number_or(table, need::PEAK_TO_MEAN, even, "")));
        }
        Ok(Peak::ToMean(self.number(table, need::PEAK_TO_MEAN, None, "")))
    }

    /// First day of the first month: as given, or else of the current month.
    fn start(&mut self, table: Table<'_>) -> Result<Date, ResolveError> {
        let first = |d: Date| d.first_of_month();
        let Some(text) = self.text(table, need::START) else {
            let today = first(self.basis.today);
            let source = Source::Assumed {
                rule: "this-month".to_owned(),
                reason: "the comparison begins in the current month".to_owned(),
            };
            self.echo(table.path(need::START), "", Value::Text(today.strftime("%Y-%m").to_string()), source);
            return Ok(today);
        };
        format!("{text}-01").parse().map_err(|_| impossible("need.start", format!("`{text}` is no month")))
    }
}
