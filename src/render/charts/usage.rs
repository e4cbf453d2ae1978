//! Load by hour of the week.

use crate::document::usage::UsageDocument;
use crate::number::percent;
use crate::render::chart::{Axis, Body, Chart, NumberStyle, Plot, Rule, Series};

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// The capacity of the units of a plan.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Carried {
    /// Number of units.
    pub units: u32,
    /// Capacity of all units together, as a multiple of the mean load.
    pub times: f64,
}

/// The most units that have lines of their own.
const MOST_LINES: u32 = 4;

/// Load by hour of the week, from 168 shares or weights, beginning Monday 00:00 UTC.
pub fn week(hours: &[f64], whose: &str, carried: Option<Carried>) -> Option<Chart> {
    let sum: f64 = hours.iter().sum();
    if hours.len() != 168 || !(sum > 0.0 && sum.is_finite()) {
        return None;
    }
    let hour = |n: usize| f64::from(u32::try_from(n).unwrap_or(0));
    let ticks = DAYS.iter().enumerate().map(|(n, day)| (hour(n) * 24.0, (*day).to_owned())).collect();
    let mut plot = Plot::new(
        Axis::new("hour of the week, UTC", NumberStyle::Number).ticks(ticks),
        Axis::new("load, mean hour = 1", NumberStyle::Number),
    );
    // Relative to the mean, because the capacity of a machine is a multiple of it.
    let level = |share: f64| share / sum * 168.0;
    let mut points: Vec<(f64, f64)> = Vec::with_capacity(337);
    for (n, share) in hours.iter().enumerate() {
        points.extend([(hour(n), level(*share)), (hour(n + 1), level(*share))]);
    }
    plot.series.push(Series { name: "load".to_owned(), points, ..Series::default() });
    plot.rules.push(Rule { at: 1.0, upright: false, label: "mean hour".to_owned() });
    let busiest = hours.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |h| h.0);
    let quiet = hours.iter().filter(|h| level(**h) < 0.1).count();
    let highest = hours.iter().map(|h| level(*h)).fold(0.0, f64::max);
    let units = |n: u32| if n == 1 { "1 unit carries".to_owned() } else { format!("{n} units carry") };
    let mut said = String::new();
    if let Some(carried) = carried {
        said = format!(" {} {:.1} times the mean.", units(carried.units), carried.times);
        let each = carried.times / f64::from(carried.units);
        // If capacity is so far above the load that its line would tell nothing, words are enough.
        if carried.times <= highest * 3.0 {
            for n in (1..=carried.units).filter(|n| *n == carried.units || carried.units <= MOST_LINES) {
                let at = each * f64::from(n);
                plot.rules.push(Rule { at, upright: false, label: format!("{} {at:.1} times", units(n)) });
            }
        }
    }
    let alt = format!(
        "Load by hour of the week, {whose}. The busiest hour is {} {:02}:00 UTC with {:.1} times the mean; {} of the hours have less than a tenth of it.{said}",
        DAYS[busiest / 24],
        busiest % 24,
        level(hours[busiest]),
        percent(hour(quiet) / 168.0),
    );
    Some(Chart {
        id: "hours-of-the-week",
        title: "Load by hour of the week".to_owned(),
        alt,
        body: Body::Plot(plot),
    })
}

/// All charts of the document.
pub fn all(document: &UsageDocument) -> Vec<Chart> {
    let need = document.result.need.hour_of_week_utc.as_deref();
    need.and_then(|hours| week(hours, "from the usage records", None)).into_iter().collect()
}
