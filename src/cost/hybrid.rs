//! Both at once: a routed share with escalations, and base load local with overflow to the cloud.

use super::scenario::Value;

/// Weights of the 168 hours of a week (Monday 00:00 UTC first), adding up to 1.
pub fn hours_of_week(value: &Value) -> Vec<f64> {
    let raw: Vec<f64> = match value {
        Value::Hours(hours) => hours.clone(),
        Value::Text(name) if name == "office-hours" => (0..168).map(office_hour).collect(),
        _ => vec![1.0; 168],
    };
    let sum: f64 = raw.iter().sum();
    raw.into_iter().map(|h| h / sum).collect()
}

/// Monday to Friday, 08:00 to 18:00 at full load; a tenth of that at other hours of those days, a
/// twentieth at weekends.
fn office_hour(hour: usize) -> f64 {
    let (day, hour) = (hour / 24, hour % 24);
    match (day < 5, (8..18).contains(&hour)) {
        (true, true) => 1.0,
        (true, false) => 0.1,
        (false, _) => 0.05,
    }
}
