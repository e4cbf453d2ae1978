//! The cost engine: worked examples checked by hand, closed forms against the simulation, and what
//! must hold for any scenario.

#![allow(clippy::float_cmp)] // what must be equal, must be equal

use freehold::catalog::Catalog;
use freehold::cost::{self, Basis, Case, Drawing, Evaluation, Never, Scenario};
use freehold::document::breakeven::BreakevenDocument;
use proptest::prelude::*;
use proptest::test_runner::Config;

const DRAWING: Drawing = Drawing { count: 200, seed: 1 };

fn known(catalog: &Catalog) -> Basis<'_> {
    Basis { catalog, evidence: None, today: "2026-11-22".parse().expect("a date"), comparators: true }
}

fn plan_with(text: &str, catalog: &Catalog) -> Case {
    let scenario = Scenario::parse(text, "test.toml").unwrap_or_else(|e| panic!("{e}\n{text}"));
    cost::resolve(&scenario, known(catalog)).unwrap_or_else(|e| panic!("{e}\n{text}"))
}

fn evaluate(text: &str) -> (Case, Evaluation) {
    let plan = plan_with(text, &Catalog::default());
    let evaluation = cost::evaluate(&plan, DRAWING);
    (plan, evaluation)
}

fn document(text: &str) -> BreakevenDocument {
    let (plan, evaluation) = evaluate(text);
    BreakevenDocument::new(&plan, &evaluation, "2026-11-22T00:00:00Z")
}

fn error(text: &str) -> String {
    let catalog = Catalog::default();
    let scenario = match Scenario::parse(text, "test.toml") {
        Ok(scenario) => scenario,
        Err(e) => return e.to_string(),
    };
    cost::resolve(&scenario, known(&catalog)).expect_err("must be refused").to_string()
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-6 * a.abs().max(b.abs()).max(1.0)
}

fn payback(text: &str) -> Option<f64> {
    evaluate(text).1.comparisons[0].outcome.payback
}

/// An owned machine that costs 5,000 and 100 a month, against an API at the given prices.
fn simple(need: &str, input: f64, output: f64) -> String {
    format!(
        "[need]\n{need}\n[[cloud]]\nname = \"api\"\ninput_usd_per_mtok = {input}\noutput_usd_per_mtok = {output}\n\
         [[local]]\nname = \"box\"\npurchase_usd = 5000\nother_usd_per_month = 100\nunits = 1\n"
    )
}

/// The brief: 500 a month for 30M tokens, 5,000 of hardware and 100 a month: 5,000 ÷ (500 − 100) =
/// 12.5 months ("~12 months").
#[test]
fn the_briefs_break_even_example() {
    let price = 500.0 / 30.0;
    let text = simple("tokens_per_month = 30_000_000\ninput_share = 0.5", price, price);
    let (_, e) = evaluate(&text);
    assert!(close(e.comparisons[0].outcome.payback.expect("pays back"), 12.5));
    // Over 36 months: 36 × 500 against 5,000 + 36 × 100.
    assert!(close(e.comparisons[0].outcome.tco_cloud.get(), 18_000.0));
    assert!(close(e.comparisons[0].outcome.tco_local.get(), 8_600.0));
    // Both cost the same where 36 × volume × price = 8,600: 14.33M tokens a month.
    let volume = e.comparisons[0].break_even.tokens_per_month.expect("a volume");
    assert!((volume - 8_600.0 / 36.0 / price * 1e6).abs() < 1.0, "{volume}");
    // And at the same volume where a million tokens costs 8,600 ÷ 36 ÷ 30.
    assert!(close(e.comparisons[0].break_even.price.expect("a price").blended.get(), 8_600.0 / 36.0 / 30.0));
}

/// What the API costs beside its tokens (people, a fee, what is paid once) stays where its prices change: at the
/// break-even price both sides cost the same.
#[test]
fn at_the_break_even_price_both_cost_the_same() {
    let more = "staff_hours_per_month = 1\nstaff_usd_per_hour = 60\nfixed_usd_per_month = 7\none_off_usd = 300\nretry_share = 0.1\n";
    for (credits, price) in [(0.0, 3.0), (0.0, 30.0), (900.0, 30.0)] {
        let at = |price: f64| {
            let text = simple("tokens_per_month = 30_000_000\ninput_share = 0.5", price, price);
            let text = text.replace("[[local]]", &format!("{more}credits_usd = {credits}\n[[local]]"));
            evaluate(&text).1.comparisons.swap_remove(0)
        };
        let turn = at(price).break_even.price.expect("a price").blended.get();
        let there = at(turn / 1.1).outcome;
        let (cloud, local) = (there.tco_cloud.get(), there.tco_local.get());
        assert!((cloud - local).abs() < 1e-6 * local, "{credits}, {price}: {turn}: {cloud} and {local}");
    }
}

/// The brief's price table holds only if "1M tokens" means a million in *and* a million out:
/// Claude Sonnet 3 + 15 = 18, GPT-4o 2.50 + 10 = 12.50. A million tokens in all, half and half,
/// costs half of that.
#[test]
fn the_briefs_price_table() {
    for (input, output, printed) in [(3.0, 15.0, 18.0), (2.5, 10.0, 12.5)] {
        for (millions, factor) in [(1.0, 1.0), (10.0, 10.0), (100.0, 100.0), (1000.0, 1000.0)] {
            let need = format!(
                "requests_per_month = {}\ninput_tokens = 1000\noutput_tokens = 1000",
                millions * 1000.0
            );
            let (_, e) = evaluate(&simple(&need, input, output));
            assert!(close(e.offers[0].parts.total().get(), printed * factor));
            let need = format!("tokens_per_month = {}\ninput_share = 0.5", millions * 1e6);
            let (_, e) = evaluate(&simple(&need, input, output));
            assert!(close(e.offers[0].parts.total().get(), printed * factor / 2.0));
        }
    }
}

/// The brief's "~5M tokens" for a 2,000 USD machine with 50 a month: at 18 USD per million that is
/// 2,000 ÷ (90 − 50) = 50 months, at 12.50 it is 2,000 ÷ (62.50 − 50) = 160. "~50M" for 30,000 and
/// 200 a month: 30,000 ÷ (900 − 200) = 42.9 months, or 30,000 ÷ (625 − 200) = 70.6. So the table's
/// break-evens are volumes at which hardware pays back in four years at best.
#[test]
fn the_briefs_break_even_volumes() {
    for (millions, capex, running, input, output, months) in [
        (5.0, 2000.0, 50.0, 3.0, 15.0, 50.0),
        (5.0, 2000.0, 50.0, 2.5, 10.0, 160.0),
        (50.0, 30_000.0, 200.0, 3.0, 15.0, 30_000.0 / 700.0),
        (50.0, 30_000.0, 200.0, 2.5, 10.0, 30_000.0 / 425.0),
    ] {
        let text = format!(
            "[need]\nrequests_per_month = {}\ninput_tokens = 1000\noutput_tokens = 1000\n\
             [[cloud]]\nname = \"api\"\ninput_usd_per_mtok = {input}\noutput_usd_per_mtok = {output}\n\
             [[local]]\nname = \"box\"\npurchase_usd = {capex}\nother_usd_per_month = {running}\nunits = 1\n",
            millions * 1000.0
        );
        assert!(close(payback(&text).expect("pays back"), months), "{text}");
    }
}

const WORK: &str = "[need]\nrequests_per_month = 100_000\ninput_tokens = 1000\noutput_tokens = 500\npeak_to_mean = 3\n\
    [[cloud]]\nname = \"api\"\ninput_usd_per_mtok = 1\noutput_usd_per_mtok = 4\n\
    [[local]]\nname = \"box\"\npurchase_usd = 2000\nidle_watts = 100\nload_watts = 400\nusd_per_kwh = 0.25\n\
    prefill_tokens_per_second = 4000\ndecode_tokens_per_second = 500\nstaff_hours_per_month = 0\n";

/// 1,000 ÷ 4,000 + 500 ÷ 500 = 1.25 s of work. 100,000 requests in 730 h are 0.03805/s, three times
/// that at the peak: 0.1142 × 1.25 ÷ 0.7 = 0.204: one unit. Busy 125,000 s of 2,628,000 = 4.756 %.
/// Power: 100 + 0.04756 × 300 = 114.27 W; × 730 h = 83.42 kWh; × 0.25 = 20.85 USD.
/// API: 100,000 × (1,000 × 1 + 500 × 4) ÷ 1e6 = 300 USD. Payback 2,000 ÷ 279.15 = 7.165 months.
#[test]
fn work_units_and_power() {
    let (_, e) = evaluate(WORK);
    let local = &e.offers[1];
    assert_eq!(local.units, Some(1));
    assert!(close(local.utilisation.expect("speeds"), 125_000.0 / 2_628_000.0));
    let power = (100.0 * 730.0 + 300.0 * 125_000.0 / 3600.0) / 1000.0 * 0.25;
    assert!(close(local.parts.power.get(), power));
    assert!(close(e.comparisons[0].outcome.payback.expect("pays back"), 2000.0 / (300.0 - power)));
    // 2,628,000 ÷ 1.25 requests of 1,500 tokens.
    assert!(close(local.capacity_tokens.expect("speeds"), 2_628_000.0 / 1.25 * 1500.0));
    // Ten times the load: 2.04 units, so three.
    let (_, e) = evaluate(&WORK.replace("100_000", "1_000_000"));
    assert_eq!(e.offers[1].units, Some(3));
}

/// Reading for nothing: 1 s of work. Reading at the speed of writing: 3 s.
#[test]
fn published_conventions_are_possible_and_warned_about() {
    for (key, seconds, id) in
        [("prefill_free", 1.0, "prefill-free"), ("charge_input_as_output", 3.0, "input-charged-as-output")]
    {
        let text = format!("{WORK}{key} = true\n");
        let d = document(&text);
        let capacity = d.result.local[0].capacity_tokens_per_month.expect("speeds");
        assert!(close(capacity, 2_628_000.0 / seconds * 1500.0));
        assert!(d.warnings.iter().any(|w| w.id == id), "{:?}", d.warnings);
    }
}

/// At capacity the volume follows from the hardware: 200 tokens/s for 160 h are 115.2M tokens;
/// at 1:2 input to output and 3/15 per million that is 38.4 × 3 + 76.8 × 15 = 1,267.20 USD.
#[test]
fn everything_the_hardware_can_generate() {
    let text = "[need]\nat_capacity = true\ninput_share = 0.3333333333333333\nhours_per_month = 160\n\
        [[cloud]]\nname = \"api\"\ninput_usd_per_mtok = 3\noutput_usd_per_mtok = 15\n\
        [[local]]\nname = \"box\"\npurchase_usd = 2000\nidle_watts = 575\nload_watts = 575\nusd_per_kwh = 0.15\nunits = 1\n\
        decode_tokens_per_second = 200\ncharge_input_as_output = true\n";
    let d = document(text);
    assert!(close(d.result.tokens_per_month, 115.2e6));
    assert!(close(d.result.cloud[0].monthly_usd, 1267.2));
    // 575 W × 160 h × 0.15 = 13.80.
    assert!(close(d.result.comparisons[0].payback_months.expect("pays back"), 2000.0 / (1267.2 - 13.8)));
    assert!(close(d.result.local[0].utilisation.expect("speeds"), 1.0));
}

/// A loan pays the same price in instalments: with no interest the total is the same and nothing
/// is paid up front.
#[test]
fn financing_spreads_the_price() {
    let owned = evaluate(WORK).1;
    let text = format!("{WORK}kind = \"financed\"\nterm_months = 36\nrate_per_year = 0\n");
    let financed = evaluate(&text).1;
    assert!(close(
        owned.comparisons[0].outcome.tco_local.get(),
        financed.comparisons[0].outcome.tco_local.get()
    ));
    assert_eq!(financed.comparisons[0].outcome.payback, Some(0.0));
    // 6 % over 36 months on 2,000: 60.844 a month, 2,190.38 in all.
    let financed = evaluate(&text.replace("rate_per_year = 0", "rate_per_year = 0.06")).1;
    let interest =
        financed.comparisons[0].outcome.tco_local.get() - owned.comparisons[0].outcome.tco_local.get();
    assert!((interest - 190.38).abs() < 0.01, "{interest}");
}

/// Residual value and replacement: 2,000 every 24 months, twice in 36. A tenth comes back from the first
/// at the end of its life; the second is half way there, and 0.1^½ of its price with it.
#[test]
fn units_wear_out_and_fetch_something() {
    let base = evaluate(WORK).1.comparisons[0].outcome.tco_local.get();
    let text = format!("{WORK}life_months = 24\nresidual_share = 0.1\n");
    let with = evaluate(&text).1.comparisons[0].outcome.tco_local.get();
    assert!(close(with - base, 2000.0 - 200.0 - 2000.0 * 0.1_f64.sqrt()));
}

/// Rent is paid for every billed hour, however idle: 2 USD × 730 = 1,460 whatever the volume.
#[test]
fn utilisation_never_multiplies_rent() {
    let text = |requests: u32| {
        format!(
            "[need]\nrequests_per_month = {requests}\ninput_tokens = 1000\noutput_tokens = 500\n\
             [[cloud]]\nname = \"api\"\ninput_usd_per_mtok = 1\noutput_usd_per_mtok = 4\n\
             [[local]]\nkind = \"rented\"\nname = \"gpu\"\nusd_per_hour = 2\n\
             prefill_tokens_per_second = 4000\ndecode_tokens_per_second = 500\n"
        )
    };
    for requests in [10, 100_000] {
        assert!(close(evaluate(&text(requests)).1.offers[1].parts.rent.get(), 1460.0));
    }
    assert!(matches!(evaluate(&text(10)).1.comparisons[0].outcome.never, Some(Never::RunningCost { .. })));
}

/// Owned hardware against the same GPUs rented: 800,000 against 98.32 USD an hour and 730 h a month
/// is 800,000 ÷ 71,773.60 = 11.15 months.
#[test]
fn a_rented_baseline() {
    for rented in [
        "[[local]]\nkind = \"rented\"\nname = \"rented\"\nusd_per_hour = 98.32\nunits = 1\n",
        "[[cloud]]\nname = \"rented\"\nusd_per_hour = 98.32\nunits = 1\n",
    ] {
        let text = format!(
            "[need]\nrequests_per_month = 1000\ninput_tokens = 1000\noutput_tokens = 500\n{rented}\
             [[local]]\nname = \"owned\"\npurchase_usd = 800_000\nunits = 1\n"
        );
        let d = document(&text);
        let c = d.result.comparisons.iter().find(|c| c.local == "owned").expect("compared");
        assert_eq!(c.cloud, "rented");
        assert!(close(c.payback_months.expect("pays back"), 800_000.0 / (98.32 * 730.0)));
        let hours = d.result.cloud.iter().filter_map(|c| c.billed_hours_per_month);
        let hours: Vec<f64> =
            hours.chain(d.result.local.iter().filter_map(|l| l.billed_hours_per_month)).collect();
        assert_eq!(hours, [730.0]);
    }
}

/// A price that doubles in month 13 and a request of 1,000 in, 500 out.
#[test]
fn scheduled_changes_and_caching() {
    let text = "[need]\nrequests_per_month = 1_000_000\ninput_tokens = 1000\noutput_tokens = 500\ncached_input_share = 0.4\nbatch_share = 0.5\n\
        start = \"2026-12\"\nhorizon_months = 24\n\
        [[cloud]]\nname = \"api\"\ninput_usd_per_mtok = 1\noutput_usd_per_mtok = 4\ncache_read_usd_per_mtok = 0.1\nbatch_multiplier = 0.5\n\
        [[cloud.change]]\nfrom = \"2027-12-01\"\noutput_usd_per_mtok = 8\n\
        [[local]]\nname = \"box\"\npurchase_usd = 1\nunits = 1\n";
    let (_, e) = evaluate(text);
    // 600 × 1 + 400 × 0.1 + 500 × 4 = 2,640 per million requests ÷ 1e6 ...; half of it at half price.
    let month = 2640.0 * 0.75;
    assert!(close(e.offers[0].parts.api.get(), month));
    let later = (600.0 + 40.0 + 4000.0) * 0.75;
    assert!(close(e.comparisons[0].outcome.tco_cloud.get(), 12.0 * month + 12.0 * later));
}

/// A hybrid: 80 % go to the local side, a tenth of those on to the cloud as well.
#[test]
fn escalated_requests_are_paid_twice() {
    let d = document(&format!("{WORK}[hybrid]\nlocal_share = 0.8\nescalation_share = 0.1\n"));
    let h = d.result.hybrid.expect("asked for");
    let routed = h.routed.expect("asked for");
    // Cloud: 300 × (0.2 + 0.08) = 84 a month; power at 80 % of the work.
    let power = (100.0 * 730.0 + 300.0 * 0.8 * 125_000.0 / 3600.0) / 1000.0 * 0.25;
    assert!(close(routed.tco_usd, 2000.0 + 36.0 * (84.0 + power)), "{routed:?}");
    assert!(close(routed.payback_months.expect("pays back"), 2000.0 / (300.0 - 84.0 - power)));
}

/// Overflow: as many units as are cheapest, never more than the peak needs, and no worse than
/// cloud only.
#[test]
fn overflow_searches_the_cheapest_number_of_units() {
    let text = format!("{}[hybrid]\nprofile = \"office-hours\"\n", WORK.replace("100_000", "3_000_000"));
    let d = document(&text);
    let o = d.result.hybrid.and_then(|h| h.overflow).expect("asked for");
    let least = o.options.iter().map(|t| t.tco_usd).fold(f64::INFINITY, f64::min);
    assert!(close(o.tco_usd, least));
    assert_eq!(o.options[0].units, 0);
    assert!(close(o.options[0].tco_usd, d.result.comparisons[0].tco_cloud_usd));
    assert!(close(o.options.last().expect("some").local_share, 1.0));
    assert!(o.options.windows(2).all(|w| w[0].local_share <= w[1].local_share + 1e-12));
}

/// Falling prices: the saving of 300 falls by 40 % a year; local costs 100 a month. The position
/// peaks where 300 × 0.6^t = 100: t = ln 3 ÷ −ln 0.6 = 2.1507 years = 25.81 months. The payback
/// solves 300 × 12 × (1 − 0.6^t) ÷ −ln 0.6 − 1,200 t = 1,500 with t in years: 10.6 months.
#[test]
fn falling_prices_have_a_best_point() {
    let text = "[need]\nrequests_per_month = 100_000\ninput_tokens = 1000\noutput_tokens = 500\n\
        [[cloud]]\nname = \"api\"\ninput_usd_per_mtok = 1\noutput_usd_per_mtok = 4\nprice_change_per_year = -0.4\n\
        [[local]]\nname = \"box\"\npurchase_usd = 1500\nother_usd_per_month = 100\nunits = 1\n";
    let o = evaluate(text).1.comparisons[0].outcome;
    let position = |months: f64| {
        let years = months / 12.0;
        3600.0 * (1.0 - 0.6f64.powf(years)) / -(0.6f64.ln()) - 1200.0 * years - 1500.0
    };
    let months = o.payback.expect("pays back");
    // Straight within the month: a hundredth of a month off.
    assert!(position(months).abs() < 2.0, "{months}: {}", position(months));
    let (best, usd) = o.best.expect("a best point");
    assert!((best - 12.0 * 3.0f64.ln() / -(0.6f64.ln())).abs() < 0.05, "{best}");
    assert!((usd.get() - position(best)).abs() < 5.0);
    // A price that falls faster than the outlay comes back: never, and it says since when.
    let never = evaluate(&text.replace("1500", "9000")).1.comparisons[0].outcome.never;
    assert!(matches!(never, Some(Never::SavingEnds { best_month: 25, .. })), "{never:?}");
}

#[test]
fn contradictions_stop_with_the_key() {
    let need = "[need]\nrequests_per_month = 1000\ninput_tokens = 100\noutput_tokens = 100\n";
    let cloud = "[[cloud]]\nname = \"api\"\ninput_usd_per_mtok = 1\noutput_usd_per_mtok = 4\n";
    let local = "[[local]]\nname = \"box\"\npurchase_usd = 100\nunits = 1\n";
    for (text, part) in [
        (format!("{need}tokens_per_month = 5\n{cloud}{local}"), "need.tokens_per_month"),
        (format!("{need}peak_requests_per_second = 0.0001\n{cloud}{local}"), "below the mean"),
        (format!("{need}at_capacity = true\n{cloud}{local}"), "need.at_capacity"),
        (
            format!("{need}[[cloud]]\nname = \"api\"\ninput_usd_per_mtok = 1\n{local}"),
            "cloud.output_usd_per_mtok",
        ),
        (format!("{need}cached_input_share = 0.5\n{cloud}{local}"), "cloud.cache_read_usd_per_mtok"),
        (format!("{need}batch_share = 0.5\n{cloud}{local}"), "cloud.batch_multiplier"),
        (format!("{need}{cloud}[[local]]\nname = \"box\"\nunits = 1\n"), "local.purchase_usd"),
        (
            format!("{need}{cloud}[[local]]\nname = \"box\"\npurchase_usd = 5\n"),
            "local.decode_tokens_per_second",
        ),
        (format!("{need}{cloud}{local}decode_tokens_per_second = 5\n"), "local.prefill_tokens_per_second"),
        (
            format!("{need}{cloud}{local}decode_tokens_per_second = 0.01\nprefill_tokens_per_second = 5\n"),
            "local.units",
        ),
        (format!("{need}{cloud}"), "local.hardware"),
        (format!("{need}{local}"), "cloud.model"),
        (format!("[need]\ntokens_per_month = 5\n{cloud}{local}"), "need.input_share"),
        (format!("{cloud}{local}"), "need.requests_per_month"),
        (format!("{need}{cloud}{local}usd_per_hour = 2\n"), "local.usd_per_hour"),
        (
            format!("{need}{cloud}[[local]]\nhardware = \"rtx\"\n"),
            "local.hardware: `rtx` is not in the catalogue",
        ),
    ] {
        assert!(error(&text).contains(part), "{text}\n{}", error(&text));
    }
}

#[test]
fn suspicious_inputs_are_warned_about() {
    let busy = WORK.replace("100_000", "1_800_000") + "units = 1\n";
    let d = document(&busy);
    assert!(d.warnings.iter().any(|w| w.id == "utilisation-above-ceiling"), "{:?}", d.warnings);
    let d = document(&(WORK.replace("100_000", "1_000_000") + "units = 1\n"));
    assert!(d.warnings.iter().any(|w| w.id == "peak-above-capacity"), "{:?}", d.warnings);
}

/// A plan that is just beyond the step to one more unit says so, and no other does.
#[test]
fn a_unit_for_the_tip_of_the_peak_is_pointed_out() {
    let at = |requests: u32| {
        let d = document(&WORK.replace("100_000", &requests.to_string()));
        (d.result.local[0].units, d.warnings.iter().any(|w| w.id == "unit-for-the-tip"))
    };
    let (mut told, mut silent) = (0, 0);
    for requests in (100_000..4_000_000).step_by(130_000) {
        let (units, tip) = at(requests);
        let fewer = at(requests * 100 / 116).0;
        if tip {
            assert!(units > 1 && fewer < units, "{requests}: {units} units, {fewer} with a seventh less");
        }
        told += u32::from(tip);
        silent += u32::from(units > 1 && !tip);
    }
    assert!(told > 0 && silent > 0, "{told} told, {silent} not");
}

/// Every input of the document has a source, and the summary is at most six lines.
#[test]
fn documents_are_whole() {
    let d = document(WORK);
    assert!(d.result.summary.len() <= 6 && !d.result.summary.is_empty());
    assert_eq!(d.result.cash_flow.len(), 36);
    assert!(d.view().to_terminal(60).lines().all(|l| l.chars().count() <= 60));
    let text = serde_json::to_string(&d).expect("JSON");
    let again: BreakevenDocument = serde_json::from_str(&text).expect("its own JSON");
    assert_eq!(again.view(), d.view());
}

/// A flat fee is a price: 500 a month whatever the tokens.
#[test]
fn a_flat_fee_is_the_whole_price() {
    let text = "[need]\ntokens_per_month = 30e6\ninput_share = 0.5\n[[cloud]]\nname = \"api\"\nfixed_usd_per_month = 500\n\
        [[local]]\nname = \"box\"\npurchase_usd = 5000\nother_usd_per_month = 100\nunits = 1\n";
    assert!(close(payback(text).expect("pays back"), 12.5));
}

/// Measured speed, power and tokens are used, and the document says which file they are from.
#[test]
fn what_was_measured_beats_the_catalogue() {
    use freehold::workload::evidence::{Evidence, Figure, MeasuredLevel, MeasuredTarget, TargetKind};
    let at = |value: f64| Figure::at(Some(value), "result.targets[0]".into());
    let level = |concurrency, decode| MeasuredLevel {
        concurrency,
        at: at(f64::from(concurrency)).expect("a figure"),
        prefill_tps: at(4000.0),
        decode_tps: at(decode),
        ttft_ms: None,
    };
    let target = |kind, model: &str, tokens| MeasuredTarget {
        path: "result.targets[0]".into(),
        id: model.into(),
        kind,
        model: model.into(),
        stand_in: false,
        hardware: None,
        devices: Vec::new(),
        on_gpu: None,
        levels: vec![level(1, 60.0), level(8, 500.0)],
        input_tokens: at(tokens),
        output_tokens: at(500.0),
        visible_output_tokens: at(500.0),
        reasoning_tokens: None,
        idle_watts: at(100.0),
        load_watts: at(400.0),
        failure_share: at(0.0),
        pass_rate: None,
        cost_usd_per_request: None,
    };
    let evidence = Evidence {
        file: "bench.json".into(),
        targets: vec![target(TargetKind::Local, "mine", 1100.0), target(TargetKind::Api, "theirs", 1000.0)],
        quality: None,
    };
    let catalog = Catalog::default();
    let known = Basis { evidence: Some(&evidence), ..known(&catalog) };
    let text = "[need]\nrequests_per_month = 100_000\n[[cloud]]\nname = \"theirs\"\ninput_usd_per_mtok = 1\noutput_usd_per_mtok = 4\n\
        [[local]]\npurchase_usd = 2000\nusd_per_kwh = 0.25\n";
    let scenario = Scenario::parse(text, "test.toml").expect("valid");
    let plan = cost::resolve(&scenario, known).expect("complete");
    let d = BreakevenDocument::new(&plan, &cost::evaluate(&plan, DRAWING), "");
    let value = |name: &str| d.inputs[name].value.as_f64().expect("a number");
    assert!(close(value("local.decode_tokens_per_second"), 500.0));
    assert!(close(value("need.input_tokens"), 1000.0));
    // The local tokeniser makes 1,100 tokens of what the API counts as 1,000.
    assert!(close(value("local.tokeniser_ratio"), 1.1));
    assert!(close(d.result.local[0].utilisation.expect("speeds"), 1.1 * 1.25 * 100_000.0 / 2_628_000.0));
    assert_eq!(d.inputs["local.load_watts"].source.word(), "measured");
}

/// Every shipped API model, machine and GPU can be used: what cannot be priced says which key is
/// missing.
#[test]
fn the_shipped_catalogue_can_be_priced() {
    let catalog = Catalog::embedded();
    let mut priced = 0;
    for model in &catalog.api_models {
        let text = format!(
            "[need]\nrequests_per_month = 1000\ninput_tokens = 1000\noutput_tokens = 500\n\
             [[cloud]]\nmodel = \"{}\"\n[[local]]\nname = \"box\"\npurchase_usd = 100\nunits = 1\n",
            model.id
        );
        let scenario = Scenario::parse(&text, "test.toml").expect("valid");
        match cost::resolve(&scenario, known(&catalog)) {
            Ok(plan) => {
                let monthly = cost::evaluate(&plan, DRAWING).offers[0].parts.total().get();
                assert!(monthly.is_finite() && monthly >= 0.0, "{}", model.id);
                priced += 1;
            }
            Err(e) => assert!(e.to_string().contains("cloud."), "{}: {e}", model.id),
        }
    }
    assert!(priced * 10 >= catalog.api_models.len() * 8, "{priced} of {}", catalog.api_models.len());
}

prop_compose! {
    /// A scenario with everything in it.
    fn scenarios()(
        requests in 1_000.0..2e6f64, input in 10.0..5e3f64, output in 10.0..2e3f64,
        price_in in 0.05..10.0f64, price_out in 0.1..50.0f64, drift in -0.5..0.3f64, growth in -0.02..0.04f64,
        purchase in 500.0..50_000.0f64, load in 100.0..1000.0f64, tariff in 0.02..0.6f64,
        prefill in 500.0..20_000.0f64, decode in 50.0..5_000.0f64, other in 0.0..500.0f64,
        life in 12_u32..80, horizon in 6_u32..72, residual in 0.0..0.5f64,
    ) -> Parts {
        Parts { requests, input, output, price_in, price_out, drift, growth, purchase, load, tariff, prefill, decode, other, life, horizon, residual, money: 1.0, currency: None }
    }
}

#[derive(Debug, Clone)]
struct Parts {
    requests: f64,
    input: f64,
    output: f64,
    price_in: f64,
    price_out: f64,
    drift: f64,
    growth: f64,
    purchase: f64,
    load: f64,
    tariff: f64,
    prefill: f64,
    decode: f64,
    other: f64,
    life: u32,
    horizon: u32,
    residual: f64,
    money: f64,
    currency: Option<&'static str>,
}

impl Parts {
    fn text(&self) -> String {
        let m = self.money;
        let finance = self
            .currency
            .map_or_else(String::new, |c| format!("[finance]\ncurrency = \"{c}\"\nusd_rate = 0.9\n"));
        format!(
            "[need]\nrequests_per_month = {}\ninput_tokens = {}\noutput_tokens = {}\ngrowth_per_month = {}\nhorizon_months = {}\n\
             [[cloud]]\nname = \"api\"\ninput_usd_per_mtok = {}\noutput_usd_per_mtok = {}\nprice_change_per_year = {}\n\
             [[local]]\nname = \"box\"\npurchase_usd = {}\nidle_watts = {}\nload_watts = {}\nusd_per_kwh = {}\n\
             prefill_tokens_per_second = {}\ndecode_tokens_per_second = {}\nother_usd_per_month = {}\nlife_months = {}\nresidual_share = {}\n{finance}",
            self.requests,
            self.input,
            self.output,
            self.growth,
            self.horizon,
            self.price_in * m,
            self.price_out * m,
            self.drift,
            self.purchase * m,
            self.load * 0.3,
            self.load,
            self.tariff * m,
            self.prefill,
            self.decode,
            self.other * m,
            self.life,
            self.residual,
        )
    }
    fn payback(&self) -> f64 {
        payback(&self.text()).unwrap_or(f64::INFINITY)
    }
    fn totals(&self) -> (f64, f64) {
        let o = evaluate(&self.text()).1.comparisons[0].outcome;
        (o.tco_cloud.get(), o.tco_local.get())
    }
}

proptest! {
    #![proptest_config(Config { cases: 48, ..Config::default() })]

    #[test]
    fn more_volume_never_lowers_cloud_cost(s in scenarios(), more in 1.0..3.0f64) {
        let bigger = Parts { requests: s.requests * more, ..s.clone() };
        prop_assert!(bigger.totals().0 >= s.totals().0 * (1.0 - 1e-12));
    }

    #[test]
    fn cheaper_electricity_never_lengthens_payback(s in scenarios(), factor in 0.0..1.0f64) {
        let cheaper = Parts { tariff: s.tariff * factor, ..s.clone() };
        prop_assert!(cheaper.payback() <= s.payback() + 1e-9);
    }

    #[test]
    fn adding_a_cost_never_shortens_payback(s in scenarios(), usd in 0.0..300.0f64) {
        let dearer = Parts { other: s.other + usd, ..s.clone() };
        prop_assert!(dearer.payback() >= s.payback() - 1e-9);
        let dearer = Parts { purchase: s.purchase + usd, ..s.clone() };
        prop_assert!(dearer.payback() >= s.payback() - 1e-9);
    }

    #[test]
    fn scaling_all_money_scales_all_money(s in scenarios(), money in 0.1..10.0f64) {
        let scaled = Parts { money, ..s.clone() };
        let (a, b) = (s.totals(), scaled.totals());
        prop_assert!(close(a.0 * money, b.0) && close(a.1 * money, b.1));
        prop_assert!(s.payback() == scaled.payback() || close(s.payback(), scaled.payback()));
    }

    #[test]
    fn currency_changes_nothing_but_the_symbol(s in scenarios()) {
        let euro = Parts { currency: Some("EUR"), ..s.clone() };
        let (mut a, mut b) = (document(&s.text()).result, document(&euro.text()).result);
        for r in [&mut a, &mut b] {
            r.summary.clear();
            r.currency.clear();
            r.usd_rate = 1.0;
            r.derivations.retain(|d| d.figure != "result.usd_rate");
            for c in &mut r.comparisons {
                c.never_because = c.never_because.take().map(|_| String::new());
            }
        }
        prop_assert_eq!(a, b);
    }

    /// No growth, no drift, no replacement: capex ÷ monthly saving, and the geometric series of the
    /// discounted saving.
    #[test]
    fn the_simulation_equals_the_closed_form(s in scenarios()) {
        let s = Parts { growth: 0.0, drift: 0.0, life: 5000, residual: 0.0, ..s };
        let (_, e) = evaluate(&s.text());
        let (cloud, local) = (e.offers[0].parts.total().get(), e.offers[1].parts.total().get());
        let capex = e.offers[1].capex.get();
        let o = e.comparisons[0].outcome;
        let n = f64::from(s.horizon);
        prop_assert!(close(o.tco_cloud.get(), cloud * n));
        prop_assert!(close(o.tco_local.get(), capex + local * n));
        let q = 1.08f64.powf(-1.0 / 12.0);
        prop_assert!(close(o.npv.get(), (cloud - local) * q * (1.0 - q.powf(n)) / (1.0 - q) - capex));
        match o.payback {
            Some(m) => prop_assert!(close(m, capex / (cloud - local)), "{m}"),
            None => prop_assert!(cloud <= local || capex / (cloud - local) > 1000.0),
        }
    }

    /// Growth by itself is a geometric series of the API bill.
    #[test]
    fn growth_is_a_geometric_series(s in scenarios()) {
        let s = Parts { drift: 0.0, ..s };
        let (_, e) = evaluate(&s.text());
        let q = 1.0 + s.growth;
        let n = i32::try_from(s.horizon).expect("small");
        let sum: f64 = (0..n).map(|m| q.powi(m)).sum();
        prop_assert!(close(e.comparisons[0].outcome.tco_cloud.get(), e.offers[0].parts.total().get() * sum));
    }

    /// At the break-even volume both sides cost the same, or local is cheaper at any smaller step.
    #[test]
    fn break_even_volume_breaks_even(s in scenarios()) {
        let (_, e) = evaluate(&s.text());
        if let Some(r) = e.comparisons[0].break_even.requests.filter(|r| r.get() > 0.0) {
            let at = Parts { requests: r.get() * (1.0 + 1e-9), ..s.clone() };
            let (cloud, local) = at.totals();
            prop_assert!(cloud >= local * (1.0 - 1e-6), "{cloud} {local}");
        }
    }

    #[test]
    fn ranges_without_width_change_nothing(s in scenarios()) {
        let text = s.text();
        let exact = |key: &str, v: f64| (format!("{key} = {v}\n"), format!("{key} = {{ low = {v}, likely = {v}, high = {v} }}\n"));
        let mut wide = text.clone();
        for (key, v) in [("purchase_usd", s.purchase), ("usd_per_kwh", s.tariff), ("decode_tokens_per_second", s.decode)] {
            let (from, to) = exact(key, v);
            prop_assert!(wide.contains(&from));
            wide = wide.replace(&from, &to);
        }
        let (point, drawn) = (evaluate(&text).1, evaluate(&wide).1);
        let draws = drawn.draws.expect("ranges were given");
        let o = point.comparisons[0].outcome;
        prop_assert_eq!(draws.payback, [o.payback; 3]);
        prop_assert_eq!(draws.local_cheaper, if o.tco_local < o.tco_cloud { 1.0 } else { 0.0 });
        prop_assert!(point.draws.is_none());
    }
}
