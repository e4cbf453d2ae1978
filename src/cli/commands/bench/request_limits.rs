//! Time limits and retries of one request.

use super::args::Args;
use crate::app::bench::asked::RETRIES;
use crate::cli::error::CliError;
use crate::measure::backend::http::Limits;
use std::time::Duration;

/// The limits from the arguments.
pub fn of(args: &Args, local_only: bool) -> Result<Limits, CliError> {
    Ok(Limits {
        first: seconds("--first-timeout", args.first_timeout)?,
        idle: seconds("--idle-timeout", args.idle_timeout)?,
        total: seconds("--timeout", args.timeout)?,
        local_only,
        ..Limits::default()
    })
}

fn seconds(flag: &str, value: f64) -> Result<Duration, CliError> {
    Duration::try_from_secs_f64(value)
        .ok()
        .filter(|d| !d.is_zero() && d.as_secs() < 1 << 32)
        .ok_or_else(|| CliError::usage(format!("{flag} {value} is not a number of seconds above 0")))
}

/// The limits of one request as text: flag, value and default.
pub fn written(args: &Args) -> [(&'static str, String, String); 4] {
    let seconds = |flag, value: f64, default: f64| (flag, value.to_string(), default.to_string());
    [
        ("--retries", args.retries.to_string(), RETRIES.to_string()),
        seconds("--first-timeout", args.first_timeout, 180.0),
        seconds("--idle-timeout", args.idle_timeout, 60.0),
        seconds("--timeout", args.timeout, 600.0),
    ]
}
