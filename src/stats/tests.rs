use super::*;
use serde_json::Value;

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * b.abs().max(1.0)
}

fn oracles() -> Value {
    serde_json::from_str(include_str!("../../tests/fixtures/quality/statistics.json")).expect("JSON")
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().expect("a list").iter().map(|v| v.as_f64().expect("a number")).collect()
}

fn count(value: &Value) -> u32 {
    u32::try_from(value.as_u64().expect("a count")).expect("small")
}

/// statsmodels and `SciPy`.
#[test]
fn intervals_of_shares_are_wilsons_and_mcnemar_is_exact() {
    let oracles = oracles();
    for case in oracles["wilson"].as_array().expect("cases") {
        let found = wilson(count(&case["passed"]), count(&case["n"])).expect("n > 0");
        let wanted = numbers(&case["interval"]);
        assert!(near(found.low, wanted[0]) && near(found.high, wanted[1]), "{case}: {found:?}");
    }
    for case in oracles["mcnemar"].as_array().expect("cases") {
        let found = mcnemar(count(&case["b"]), count(&case["c"])).expect("pairs");
        assert!(near(found, case["p"].as_f64().expect("p")), "{case}: {found}");
    }
    assert_eq!((mcnemar(0, 0), wilson(0, 0)), (None, None));
}

/// The likelihood maximised and the equation solved by `SciPy`, without the closed form.
#[test]
fn paired_intervals_are_tangos() {
    for case in oracles()["tango"].as_array().expect("cases") {
        let paired = Paired { n: count(&case["n"]), only_a: count(&case["b"]), only_b: count(&case["c"]) };
        let found = paired.interval().expect("n > 0");
        let wanted = numbers(&case["interval"]);
        assert!(
            (found.low - wanted[0]).abs() < 1e-6 && (found.high - wanted[1]).abs() < 1e-6,
            "{case}: {found:?}"
        );
        let p = paired.non_inferiority_p(0.1).expect("n > 0");
        assert!((p - case["p_margin_10"].as_f64().expect("p")).abs() < 1e-6, "{case}: {p}");
    }
    assert_eq!(Paired { n: 0, only_a: 0, only_b: 0 }.interval(), None);
    let all = Paired { n: 5, only_a: 5, only_b: 0 }.interval().expect("n > 0");
    assert!(all.high <= 1.0 && all.low > 0.0, "{all:?}");
}

/// `SciPy`: `wilcoxon(zero_method="pratt")`, exact by all permutations of signs up to 25.
#[test]
fn signed_ranks_are_scipys() {
    let mut exact = 0;
    for case in oracles()["wilcoxon"].as_array().expect("cases") {
        let found = signed_rank(&numbers(&case["differences"])).expect("they differ");
        assert!((found.p - case["p"].as_f64().expect("p")).abs() < 1e-9, "{case}: {found:?}");
        assert_eq!(found.exact, case["exact"] == true, "{case}");
        exact += u32::from(found.exact);
    }
    assert!(exact > 5);
    assert_eq!(signed_rank(&[0.0, 0.0]), None);
}

/// statsmodels: `multipletests(method="holm")`.
#[test]
fn holm_is_statsmodels() {
    for case in oracles()["holm"].as_array().expect("cases") {
        let (found, wanted) = (holm(&numbers(&case["p"])), numbers(&case["adjusted"]));
        assert!(found.iter().zip(&wanted).all(|(a, b)| near(*a, *b)), "{case}: {found:?}");
    }
    assert!(holm(&[]).is_empty());
}

/// The published table of sample sizes (80 % power, two-sided 5 %).
#[test]
fn sample_sizes_are_the_published_ones() {
    for (margin, discordant, n) in
        [(0.10, 0.10, 77), (0.10, 0.20, 155), (0.10, 0.30, 234), (0.05, 0.20, 626), (0.20, 0.20, 37)]
    {
        let found = prompts_needed(margin, discordant).expect("possible");
        assert!(found.abs_diff(n) <= 1, "{margin} {discordant}: {found} for {n}");
    }
    assert_eq!(prompts_needed(0.0, 0.2), None);
}

/// The same bootstrap in `NumPy`, mean of several seeds.
#[test]
fn bootstrap_intervals_are_seeded_and_near_numpys() {
    for case in oracles()["bootstrap"].as_array().expect("cases") {
        let differences = numbers(&case["differences"]);
        let (mean, found) = mean_difference(&differences, 7).expect("prompts");
        assert_eq!(mean_difference(&differences, 7), Some((mean, found)));
        let wanted = numbers(&case["interval"]);
        let slack = 0.03 * (wanted[1] - wanted[0]);
        assert!(near(mean, case["mean"].as_f64().expect("mean")));
        assert!(
            (found.low - wanted[0]).abs() <= slack && (found.high - wanted[1]).abs() <= slack,
            "{found:?} {wanted:?}"
        );
    }
    assert_eq!(mean_difference(&[1.0], 0), None);
    assert_eq!(mean_difference(&[1.0, f64::NAN], 0), None);
}

#[test]
fn a_sequential_test_decides_and_stays_with_it() {
    let mut equal = Sequential::new(0.1, 0.025, 0.05);
    let mut decision = None;
    for _ in 0..400 {
        decision = equal.push(0.0);
        if decision.is_some() {
            break;
        }
    }
    assert_eq!(decision, Some(Decision::NonInferior));
    assert!(equal.prompts() < 120 && equal.p() <= 0.025, "{equal:?}");
    assert_eq!(equal.push(-1.0), Some(Decision::NonInferior), "decided is decided");
    let mut worse = Sequential::new(0.1, 0.025, 0.05);
    let found = (0..200).find_map(|i| worse.push(if i % 2 == 0 { -1.0 } else { 0.0 }));
    assert!(matches!(found, Some(Decision::Inferior | Decision::Futile)));
    assert_eq!(Sequential::new(0.1, 0.025, 0.05).push(f64::NAN), None);
}
