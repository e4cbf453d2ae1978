//! Several requests at once on the local engine: a closed loop at a fixed number, and what it
//! says about the system as a whole.
//!
//! Rates are taken from the window in which the loop was full: from the first request's start to
//! the last one's. Before its end every finished request was replaced at once, so exactly the
//! stated number was under way.

use super::event::{Event, Nanos, Stamped};
use super::fold::{Counted, Figures, fold};

/// One answer of a closed loop.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// When its clock started, on the one clock of all answers of the loop.
    pub accepted: Nanos,
    pub events: Vec<Stamped>,
}

/// One level of concurrency, folded.
#[derive(Debug, Clone, PartialEq)]
pub struct LevelFigures {
    pub requests: u32,
    pub failures: u32,
    /// Tokens per second of all sequences together, while the loop was full.
    pub output_tps_system: Option<f64>,
    /// Requests finished per second, while the loop was full.
    pub requests_per_s: Option<f64>,
    /// Of each successful request: queueing is inside.
    pub ttft_ms: Vec<f64>,
    pub tpot_ms: Vec<f64>,
    /// Of all successful requests.
    pub output_tokens: u64,
}

/// The figures of a closed loop. Throughput is unknown where nothing failed to end the window:
/// with fewer than two answers, or none successful.
pub fn figures(answers: &[Answer]) -> LevelFigures {
    let folded: Vec<Figures> = answers.iter().map(|a| fold(&a.events, Counted::ByEngine)).collect();
    let good: Vec<&Figures> = folded.iter().filter(|f| f.error.is_none()).collect();
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let tokens: Vec<u64> = good.iter().filter_map(|f| f.output_tokens).collect();
    let mean_tokens = tokens.iter().sum::<u64>() as f64 / tokens.len() as f64;
    let output_tps = window(answers).map(|(from, to)| {
        let seconds = (to - from) as f64 / 1e9;
        tokens_within(answers, from, to) as f64 / seconds
    });
    let output_tps = output_tps.filter(|_| good.len() == folded.len() && mean_tokens > 0.0);
    LevelFigures {
        requests: count(answers.len()),
        failures: count(folded.len() - good.len()),
        output_tps_system: output_tps,
        requests_per_s: output_tps.map(|rate| rate / mean_tokens),
        ttft_ms: good.iter().filter_map(|f| f.ttft_ms).collect(),
        tpot_ms: good.iter().filter_map(|f| f.tpot_ms).collect(),
        output_tokens: tokens.iter().sum(),
    }
}

/// From the first start to the last.
fn window(answers: &[Answer]) -> Option<(Nanos, Nanos)> {
    let from = answers.iter().map(|a| a.accepted).min()?;
    let to = answers.iter().map(|a| a.accepted).max()?;
    (to > from).then_some((from, to))
}

fn tokens_within(answers: &[Answer], from: Nanos, to: Nanos) -> u64 {
    answers
        .iter()
        .flat_map(|a| a.events.iter().map(|e| (a.accepted + e.at, &e.event)))
        .filter(|(at, _)| (from..to).contains(at))
        .map(|(_, event)| match event {
            Event::Content { tokens, .. } => u64::from(tokens.unwrap_or(0)),
            _ => 0,
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::event::{Channel, FinishReason};

    /// `tokens` words of 10 ms each, then the end.
    fn answer(accepted_ms: u64, tokens: u64) -> Answer {
        let ms = 1_000_000;
        let mut events: Vec<Stamped> = (1..=tokens)
            .map(|n| Stamped {
                at: n * 10 * ms,
                event: Event::Content { channel: Channel::Text, text: "x".into(), tokens: Some(1) },
            })
            .collect();
        let end = Event::Finished { reason: FinishReason::Length };
        events.push(Stamped { at: tokens * 10 * ms, event: end });
        Answer { accepted: accepted_ms * ms, events }
    }

    #[test]
    fn throughput_is_that_of_the_full_loop() {
        // Two at once, each 10 tokens in 100 ms: 200 tok/s and 20 requests/s, whatever the tail.
        let answers = [answer(0, 10), answer(0, 10), answer(100, 10), answer(100, 10), answer(200, 10)];
        let level = figures(&answers);
        assert_eq!((level.requests, level.failures), (5, 0));
        // The last token of a pair falls on the end of its window.
        let rate = level.output_tps_system.expect("known");
        assert!((190.0..=200.0).contains(&rate), "{rate}");
        assert!((level.requests_per_s.expect("known") - rate / 10.0).abs() < 1e-9);
        assert_eq!(level.ttft_ms, [10.0; 5]);
        assert_eq!(level.tpot_ms, [10.0; 5]);
    }

    #[test]
    fn one_answer_or_a_failure_gives_no_rate() {
        assert_eq!(figures(&[answer(0, 5)]).output_tps_system, None);
        let mut cut = answer(100, 5);
        cut.events.pop();
        let level = figures(&[answer(0, 5), cut]);
        assert_eq!((level.failures, level.output_tps_system), (1, None));
        assert_eq!(figures(&[]).requests, 0);
    }
}
