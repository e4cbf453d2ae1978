use super::*;
use crate::measure::event::FaultKind;
use crate::measure::schedule::Place;
use proptest::prelude::*;

/// `tokens` tokens of 10 ms each, sent at `at` ms.
fn row(index: u32, at: f64, tokens: u64) -> Sent {
    let step = Step {
        target: 0,
        prompt: 0,
        repeat: index,
        warmup: false,
        load: Some(Place { phase: 0, index }),
        turn: 0,
    };
    let end = tokens as f64 * 10.0;
    Sent {
        step,
        session: 0,
        scheduled_ms: None,
        sent_ms: at,
        took_ms: end,
        error: None,
        ttft_ms: Some(10.0),
        tpot_ms: (tokens > 1).then_some(10.0),
        e2e_ms: Some(end),
        input_tokens: Some(5),
        cached_input_tokens: Some(0),
        output_tokens: Some(tokens),
        content_events: 3,
        client_lag_ms: None,
        connection_reused: None,
        cost_usd: None,
        pass: None,
        meter_j: None,
        doubts: Vec::new(),
    }
}
fn of(rows: &[Sent], slo: &Slo) -> LoadFigures {
    figures(&rows.iter().collect::<Vec<_>>(), slo)
}
fn failed(mut row: Sent) -> Sent {
    row.error = Some(Fault { kind: FaultKind::Rate, message: "429".to_owned() });
    (row.ttft_ms, row.tpot_ms, row.e2e_ms, row.output_tokens) = (None, None, None, None);
    row
}

/// What a report takes of memory for each request under load, and a run for the newest ones.
#[test]
fn a_row_stays_small() {
    assert!(size_of::<Sent>() <= 320, "{} bytes", size_of::<Sent>());
}

#[test]
fn throughput_is_that_of_the_full_loop() {
    // Two at once, each 10 tokens in 100 ms: 200 tok/s and 20 requests/s, whatever the tail.
    let starts = [0.0, 0.0, 100.0, 100.0, 200.0];
    let rows: Vec<Sent> = starts.iter().zip(0..).map(|(at, n)| row(n, *at, 10)).collect();
    let f = of(&rows, &Slo::default());
    assert_eq!((f.requests, f.failures, f.in_flight_max), (5, 0, 2));
    assert!((f.output_tps_system.expect("known") - 200.0).abs() < 1e-9, "{f:?}");
    assert!((f.requests_per_s.expect("known") - 20.0).abs() < 1e-9);
    assert!((f.in_flight_mean.expect("known") - 2.0).abs() < 1e-9);
    assert!((f.seconds - 0.2).abs() < 1e-12);
    assert_eq!(f.good, None, "no limits were given");
}

#[test]
fn warm_up_fills_the_loop_and_counts_for_nothing_else() {
    // The second place is still on its warm-up request while the first is measured.
    let mut warm = row(9, -50.0, 10);
    warm.step.warmup = true;
    let rows = [warm, row(0, 0.0, 10), row(1, 50.0, 10), row(2, 100.0, 10)];
    let f = of(&rows, &Slo::default());
    assert_eq!(f.requests, 3);
    // Of the window's 100 ms: 10 tokens of the first, 5 of the warm-up, 5 of the second, a little
    // less at each first token.
    let tps = f.output_tps_system.expect("known");
    assert!((190.0..=200.0).contains(&tps), "{tps}");
    assert_eq!(f.ttft_ms.len(), 3);
}

#[test]
fn one_answer_has_no_window_and_no_rate() {
    let f = of(&[row(0, 0.0, 5)], &Slo::default());
    assert_eq!((f.output_tps_system, f.requests_per_s), (None, None));
    assert_eq!(of(&[], &Slo::default()).requests, 0);
}

#[test]
fn failures_have_no_latency_and_meet_no_limit() {
    let slo = Slo { ttft_ms: Some(500.0), ..Slo::default() };
    let f = of(&[row(0, 0.0, 10), failed(row(1, 50.0, 10)), row(2, 100.0, 10)], &slo);
    assert_eq!((f.failures, f.ttft_ms.len(), f.good), (1, 2, Some((2, 3))));
    // A load under which everything fails has no throughput, and does not divide by zero.
    let f = of(&[failed(row(0, 0.0, 10)), failed(row(1, 50.0, 10))], &slo);
    assert_eq!((f.requests_per_s, f.goodput_rps, f.good), (None, None, Some((0, 2))));
}

#[test]
fn limits_are_kept_together() {
    let all = Slo { ttft_ms: Some(10.0), tpot_ms: Some(10.0), e2e_ms: Some(100.0) };
    assert_eq!(row(0, 0.0, 10).meets(&all), Some(true), "a limit is kept up to its very value");
    assert_eq!(row(0, 0.0, 11).meets(&all), Some(false), "too long in all");
    assert_eq!(row(0, 0.0, 1).meets(&all), Some(true), "one token has no time per token");
    let mut uncounted = row(0, 0.0, 5);
    (uncounted.output_tokens, uncounted.tpot_ms) = (None, None);
    assert_eq!(uncounted.meets(&all), None, "not measured is not kept");
    uncounted.ttft_ms = Some(11.0);
    assert_eq!(uncounted.meets(&all), Some(false), "one broken limit decides");
}

/// The server hangs for a second; a request that is due in that second waits, and so does its user.
#[test]
fn an_open_loop_counts_the_wait_from_the_schedule() {
    let mut late = row(1, 1500.0, 10);
    late.scheduled_ms = Some(500.0);
    let mut on_time = row(0, 0.0, 10);
    on_time.scheduled_ms = Some(0.0);
    let slo = Slo { ttft_ms: Some(100.0), ..Slo::default() };
    let f = of(&[on_time, late], &slo);
    assert_eq!(f.ttft_ms, [10.0, 10.0], "from the send");
    assert_eq!(f.ttft_scheduled_ms, [10.0, 1010.0], "from the schedule");
    assert_eq!(f.e2e_scheduled_ms, [100.0, 1100.0]);
    assert_eq!(f.good, Some((1, 2)), "the one who waited was not served in time");
    assert!(f.lagging, "and the report says that the sender was late");
}

#[test]
fn parts_of_a_resumed_run_do_not_mix_their_clocks() {
    let mut rows: Vec<Sent> = (0..3).map(|n| row(n, f64::from(n) * 100.0, 10)).collect();
    let mut later: Vec<Sent> = (3..6).map(|n| row(n, f64::from(n - 3) * 100.0, 10)).collect();
    for row in &mut later {
        row.session = 1;
    }
    rows.append(&mut later);
    let f = of(&rows, &Slo::default());
    assert!((f.seconds - 0.4).abs() < 1e-12, "two windows of 200 ms");
    assert_eq!(f.in_flight_max, 1);
    assert!((f.requests_per_s.expect("known") - 10.0).abs() < 1e-9);
}

proptest! {
    /// Tighter limits never let more requests through, and the order of the rows does not matter.
    #[test]
    fn goodput_falls_with_the_limit(
        starts in proptest::collection::vec((0.0f64..1000.0, 1u64..40), 2..20),
        limit in 1.0f64..400.0, less in 0.0f64..1.0,
    ) {
        let rows: Vec<Sent> = starts.iter().zip(0..).map(|((at, n), i)| row(i, *at, *n)).collect();
        let slo = |e2e| Slo { e2e_ms: Some(e2e), ..Slo::default() };
        let (wide, tight) = (of(&rows, &slo(limit)), of(&rows, &slo(limit * less)));
        prop_assert!(tight.good <= wide.good);
        prop_assert!(tight.goodput_rps.unwrap_or(0.0) <= wide.goodput_rps.unwrap_or(0.0) + 1e-9);
        let turned: Vec<Sent> = rows.iter().rev().cloned().collect();
        let again = of(&turned, &slo(limit));
        prop_assert_eq!(again.good, wide.good);
        prop_assert_eq!(again.in_flight_max, wide.in_flight_max);
    }
}

/// The window is from the first measured send to the last: what the counter says there.
#[test]
fn power_under_load_is_that_of_the_window() {
    let metered = |index, at, meter_j| Sent { meter_j, ..row(index, at, 100) };
    // 60 J in 2 s; one request of 100 tokens a second on average.
    let rows = [metered(0, 500.0, Some(7.0)), metered(1, 1500.0, Some(40.0)), metered(2, 2500.0, Some(67.0))];
    let f = of(&rows, &Slo::default());
    let tps = f.output_tps_system.expect("known");
    assert_eq!(f.watts, Some(30.0));
    assert!((f.output_token_j.expect("known") - 30.0 / tps).abs() < 1e-9);
    // A reading that is not trusted any more, and a target without a meter.
    let lost = [metered(0, 500.0, Some(7.0)), metered(1, 1500.0, Some(40.0)), metered(2, 2500.0, None)];
    assert_eq!(of(&lost, &Slo::default()).watts, None);
    let none = [row(0, 0.0, 100), row(1, 900.0, 100)];
    assert_eq!((of(&none, &Slo::default()).watts, of(&none, &Slo::default()).output_token_j), (None, None));
}
