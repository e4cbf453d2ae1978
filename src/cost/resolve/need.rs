//! `[need]`: volume, request shape, peak, growth, calendar.

use super::{ResolveError, Resolver, Table, default_of, impossible};
use crate::cost::defaults;
use crate::cost::keys::Section;
use crate::cost::plan::{Need, Notice, Peak, Shape, Volume};
use crate::cost::scenario::{Fields, Value};
use crate::provenance::Source;
use crate::workload::TargetKind;
use jiff::civil::Date;

impl Resolver<'_> {
    pub(super) fn need(&mut self, fields: &Fields) -> Result<Need, ResolveError> {
        let table = Table { section: Section::Need, fields, prefix: "need" };
        let at_capacity = table.flag("at_capacity");
        let volume = self.volume(table, at_capacity)?;
        let shape = self.shape(table)?;
        let peak = self.peak(table, at_capacity)?;
        let horizon = defaults::of("need.horizon_months").map(|d| {
            // A declared whole number.
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let months = d.number() as u32;
            (months, d.source())
        });
        Ok(Need {
            volume,
            shape,
            cached: self.number(table, "cached_input_share", None, ""),
            cache_write: self.number(table, "cache_write_input_share", None, ""),
            batch: self.number(table, "batch_share", None, ""),
            peak,
            growth: self.number(table, "growth_per_month", None, ""),
            horizon: self.whole(table, "horizon_months", horizon).unwrap_or(36),
            hours: self.number(table, "hours_per_month", None, ""),
            start: self.start(table)?,
        })
    }

    fn volume(&mut self, table: Table<'_>, at_capacity: bool) -> Result<Volume, ResolveError> {
        let requests = table.has("requests_per_month");
        let tokens = table.has("tokens_per_month");
        if at_capacity {
            if requests || tokens {
                return Err(impossible(
                    "need.at_capacity",
                    "the volume is either a number or everything the local side can generate, not both",
                ));
            }
            if let Some(given) = table.fields.get("at_capacity") {
                let source = Source::User { via: given.via.clone() };
                self.echo(table.path("at_capacity"), "", Value::Flag(true), source);
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
            return Ok(Volume::Tokens(self.number(table, "tokens_per_month", None, "")));
        }
        Ok(Volume::Requests(self.number(
            table,
            "requests_per_month",
            None,
            "the volume (or need.tokens_per_month with need.input_share)",
        )))
    }

    fn shape(&mut self, table: Table<'_>) -> Result<Shape, ResolveError> {
        let per_request = table.has("input_tokens") || table.has("output_tokens");
        if table.has("input_share") {
            if table.has("requests_per_month") {
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
            return Ok(Shape::ShareOnly { input_share: self.number(table, "input_share", None, "") });
        }
        // What the API counted is what the API bills; the local count only stands in for it.
        let target = self.target(TargetKind::Api).or_else(|| self.target(TargetKind::Local));
        let measured = |field: &str, value: fn(&crate::workload::MeasuredTarget) -> Option<f64>| {
            target.and_then(|t| self.measured(t, field, value(t)))
        };
        let input = measured("input_tokens", |t| t.input_tokens);
        let output = measured("output_tokens", |t| t.output_tokens);
        let reasoning = measured("reasoning_tokens", |t| t.reasoning_tokens);
        if !per_request && input.is_none() && table.has("tokens_per_month") {
            self.miss(
                "need.input_share",
                "which part of the tokens is input: the same total can differ five-fold in price",
            );
        }
        if !per_request && input.is_none() && table.flag("at_capacity") {
            self.miss(
                "need.input_share",
                "which part of the tokens is input (or need.input_tokens and need.output_tokens)",
            );
        }
        if self.missing.iter().any(|m| m.key == "need.input_share") {
            return Ok(Shape::ShareOnly {
                input_share: self.slot(
                    String::new(),
                    "",
                    (crate::cost::scenario::Range::exactly(0.5), Source::User { via: String::new() }),
                ),
            });
        }
        Ok(Shape::PerRequest {
            input: self.number(table, "input_tokens", input, "input tokens of one request (mean)"),
            output: self.number(table, "output_tokens", output, "output tokens of one request (mean)"),
            reasoning: self.number(table, "reasoning_tokens", reasoning, ""),
        })
    }

    fn peak(&mut self, table: Table<'_>, at_capacity: bool) -> Result<Peak, ResolveError> {
        if table.has("peak_requests_per_second") {
            if table.has("peak_to_mean") {
                return Err(impossible(
                    "need.peak_to_mean",
                    "give peak_requests_per_second or peak_to_mean, not both",
                ));
            }
            return Ok(Peak::Rate(self.number(table, "peak_requests_per_second", None, "")));
        }
        if at_capacity {
            let flat = default_of("need.peak_to_mean.at_capacity");
            return Ok(Peak::ToMean(self.number_or(table, "peak_to_mean", flat, "")));
        }
        Ok(Peak::ToMean(self.number(table, "peak_to_mean", None, "")))
    }

    /// First day of the first month: as given, else of the current month.
    fn start(&mut self, table: Table<'_>) -> Result<Date, ResolveError> {
        let first = |d: Date| d.first_of_month();
        let Some(text) = self.text(table, "start") else {
            let today = first(self.known.today);
            let source = Source::Assumed {
                rule: "this-month".to_owned(),
                reason: "the comparison begins in the current month".to_owned(),
            };
            self.echo(table.path("start"), "", Value::Text(today.strftime("%Y-%m").to_string()), source);
            return Ok(today);
        };
        format!("{text}-01").parse().map_err(|_| impossible("need.start", format!("`{text}` is no month")))
    }
}
