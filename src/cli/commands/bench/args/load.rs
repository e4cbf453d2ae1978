//! `--concurrency`, `--rate` and what belongs to them.

use super::range::up_to;
use crate::app::bench::asked::LoadOptions;
use crate::app::bench::range::{LONGEST, MOST_AT_ONCE, MOST_REQUESTS, is_rate};
use crate::measure::load::{Arrivals, Extent, Shape, Slo};
use std::collections::BTreeSet;
use std::str::FromStr;

/// Options of the load. The doc comments are the help text.
#[derive(Debug, clap::Args)]
pub struct LoadArgs {
    /// Closed loops: so many requests under way at any time, one level after the other: 1,4,16,64.
    #[arg(long, value_name = "N,...", value_delimiter = ',', value_parser = up_to(1, MOST_AT_ONCE))]
    pub concurrency: Vec<u32>,
    /// Open loops: requests sent at a rate, whatever the answers do: 2/s, 30/min.
    #[arg(long, value_name = "RATE,...", value_delimiter = ',')]
    pub rate: Vec<Rate>,
    /// How the requests of an open loop are spread [default: poisson].
    #[arg(long, value_enum, value_name = "HOW")]
    pub arrivals: Option<Arrivals>,
    /// How long each level and rate is kept up: 60s, 5m.
    #[arg(long, value_name = "TIME")]
    pub duration: Option<Seconds>,
    /// Measured requests of each level and rate; a conversation counts once, with all of its turns
    /// [default: 4 for each concurrent request; what arrives in 30 s of a rate].
    #[arg(long, value_name = "N", value_parser = up_to(1, MOST_REQUESTS))]
    pub requests: Option<u32>,
    /// Limits that a request must keep to count as good: ttft=500ms,tpot=30ms,e2e=5s. If given, higher
    /// concurrency is left out once most requests of a level break a limit [default: ttft=500ms,tpot=30ms].
    #[arg(long, value_name = "LIMIT,...", value_delimiter = ',')]
    pub slo: Vec<Limit>,
    /// Measure only under load, without requests one at a time.
    #[arg(long)]
    pub load_only: bool,
}

/// Requests per second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate(f64);

impl FromStr for Rate {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (number, per) = text.split_once('/').unwrap_or((text, "s"));
        let seconds = match per.trim() {
            "s" | "sec" | "second" => 1.0,
            "min" | "m" | "minute" => 60.0,
            "h" | "hour" => 3600.0,
            other => return Err(format!("{other:?} is not s, min or h")),
        };
        let rate = number.trim().parse::<f64>().map_err(|e| e.to_string())? / seconds;
        if is_rate(rate) { Ok(Self(rate)) } else { Err("a rate is above 0 and at most 100000/s".to_owned()) }
    }
}

/// A length of time: `60s`, `5m`, `1h 30m`; without a unit seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seconds(pub f64);

impl FromStr for Seconds {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let bare = text.trim().parse::<f64>().is_ok();
        let time = humantime::parse_duration(&if bare { format!("{text}s") } else { text.to_owned() })
            .map_err(|e| e.to_string())?;
        if time.is_zero() || time > LONGEST {
            return Err("a time is above 0 and at most 30 days".to_owned());
        }
        Ok(Self(time.as_secs_f64()))
    }
}

/// One limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Limit {
    Ttft(f64),
    Tpot(f64),
    E2e(f64),
}

impl FromStr for Limit {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) =
            text.split_once('=').ok_or("a limit is NAME=TIME, such as ttft=500ms".to_owned())?;
        // Limits are thought of in milliseconds: a bare number would be taken for either.
        if value.trim().ends_with(|c: char| c.is_ascii_digit()) {
            return Err(format!("{value} has no unit: write {value}ms or {value}s"));
        }
        let ms = value.trim().parse::<Seconds>()?.0 * 1000.0;
        match name.trim() {
            "ttft" => Ok(Self::Ttft(ms)),
            "tpot" => Ok(Self::Tpot(ms)),
            "e2e" => Ok(Self::E2e(ms)),
            other => Err(format!("{other:?} is not ttft, tpot or e2e")),
        }
    }
}

impl LoadArgs {
    /// The limits that `--slo` gives.
    pub fn limits(&self) -> Option<Slo> {
        let mut slo = Slo::default();
        for limit in &self.slo {
            match *limit {
                Limit::Ttft(ms) => slo.ttft_ms = Some(ms),
                Limit::Tpot(ms) => slo.tpot_ms = Some(ms),
                Limit::E2e(ms) => slo.e2e_ms = Some(ms),
            }
        }
        (!self.slo.is_empty()).then_some(slo)
    }

    /// Levels ascending, then rates ascending, each once.
    fn shapes(&self) -> Vec<Shape> {
        let levels: BTreeSet<u32> = self.concurrency.iter().copied().collect();
        let mut rates: Vec<f64> = self.rate.iter().map(|r| r.0).collect();
        rates.sort_by(f64::total_cmp);
        rates.dedup();
        let arrivals = self.arrivals.unwrap_or(Arrivals::Poisson);
        let closed = levels.into_iter().map(|concurrency| Shape::Closed { concurrency });
        closed.chain(rates.into_iter().map(|rate_per_s| Shape::Open { rate_per_s, arrivals })).collect()
    }

    /// The arguments as plain values.
    pub fn options(&self) -> LoadOptions {
        LoadOptions {
            shapes: self.shapes(),
            extent: Extent { requests: self.requests, seconds: self.duration.map(|d| d.0) },
            arrivals: self.arrivals,
            limits: self.limits(),
            only: self.load_only,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_times_and_limits_are_read_with_their_units() {
        assert_eq!("2/s".parse(), Ok(Rate(2.0)));
        assert_eq!("30/min".parse(), Ok(Rate(0.5)));
        assert_eq!("0.5".parse(), Ok(Rate(0.5)));
        assert!(["0/s", "-1", "x/s", "2/day", "inf"].iter().all(|t| t.parse::<Rate>().is_err()));
        assert_eq!("5m".parse(), Ok(Seconds(300.0)));
        assert_eq!("250ms".parse(), Ok(Seconds(0.25)));
        assert_eq!("90".parse(), Ok(Seconds(90.0)));
        assert_eq!("1h 30m".parse(), Ok(Seconds(5400.0)));
        assert_eq!("1.5s".parse(), Ok(Seconds(1.5)));
        assert!(
            ["0s", "", "s", "-3s", "1 fortnight", "inf", "nan", "1e9", "31d"]
                .iter()
                .all(|t| t.parse::<Seconds>().is_err())
        );
        assert_eq!("ttft=0.5s".parse(), Ok(Limit::Ttft(500.0)));
        assert_eq!("tpot=30ms".parse(), Ok(Limit::Tpot(30.0)));
        assert!(["ttft=500", "ttft", "itl=3ms", "e2e=-1s"].iter().all(|t| t.parse::<Limit>().is_err()));
    }
}
