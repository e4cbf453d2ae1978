//! What a total over the horizon must not forget: loans and commitments that go on, growth, hours in
//! which hardware is switched off, prices of large requests, prices that change on a date; and a
//! ranking that says what each pair says by itself.

use freehold::catalog::Catalog;
use freehold::cost::ranking::{RATED_SHOWN, Rows, UNRATED_SHOWN};
use freehold::cost::{self, Basis, Case, Drawing, Evaluation, Scenario};
use freehold::document::breakeven::BreakevenDocument;
use proptest::prelude::*;
use proptest::test_runner::Config;

const DRAWING: Drawing = Drawing { count: 300, seed: 7 };

fn known(catalog: &Catalog) -> Basis<'_> {
    Basis { catalog, evidence: None, today: "2026-11-22".parse().expect("a date"), comparators: true }
}

fn evaluate(text: &str) -> (Case, Evaluation) {
    let catalog = Catalog::default();
    let scenario = Scenario::parse(text, "test.toml").unwrap_or_else(|e| panic!("{e}\n{text}"));
    let plan = cost::resolve(&scenario, known(&catalog)).unwrap_or_else(|e| panic!("{e}\n{text}"));
    let evaluation = cost::evaluate(&plan, DRAWING);
    (plan, evaluation)
}

fn document(text: &str) -> BreakevenDocument {
    let (plan, evaluation) = evaluate(text);
    BreakevenDocument::new(&plan, &evaluation, "")
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1.0)
}

const NEED: &str = "[need]\nrequests_per_month = 100_000\ninput_tokens = 1000\noutput_tokens = 500\n";
const API: &str = "[[cloud]]\nname = \"api\"\ninput_usd_per_mtok = 1\noutput_usd_per_mtok = 4\n";

/// 3,600 over 36 months is 100 a month, and power 20 more, against 100 for the API: behind in every
/// month. The sale after 36 months brings 721, which is one dollar more than what is missing then and
/// gone before the month is over.
#[test]
fn a_sale_is_no_payback_where_the_next_month_takes_it_away() {
    let text = |residual: f64| {
        document(&format!(
            "[need]\nrequests_per_month = 100_000\ninput_tokens = 1000\noutput_tokens = 0\nhorizon_months = 36\n\
             [[cloud]]\nname = \"api\"\ninput_usd_per_mtok = 1\noutput_usd_per_mtok = 4\n\
             [[local]]\nkind = \"financed\"\nname = \"box\"\npurchase_usd = 3600\nunits = 1\nterm_months = 36\n\
             life_months = 36\nrate_per_year = 0\nresidual_share = {residual}\nother_usd_per_month = 20\n\
             idle_watts = 0\nload_watts = 0\n"
        ))
    };
    let d = text(721.0 / 3600.0);
    assert_eq!(d.result.comparisons[0].payback_months, None);
    // With 400 more it is ahead for twenty months, which is a payback, and said to be undone.
    assert_eq!(text(1120.0 / 3600.0).result.comparisons[0].payback_months, Some(36.0));
}

/// 3,600 over 60 months without interest is 60 a month; after 36 months 24 × 60 = 1,440 are still
/// owed, so that the total is the whole price, however long the loan.
#[test]
fn a_loan_that_goes_on_is_still_owed() {
    let loan = |term: u32, rate: f64| {
        document(&format!(
            "{NEED}{API}[[local]]\nkind = \"financed\"\nname = \"box\"\npurchase_usd = 3600\nunits = 1\n\
             term_months = {term}\nrate_per_year = {rate}\n"
        ))
    };
    let d = loan(60, 0.0);
    assert!(close(d.result.local[0].monthly_usd, 60.0));
    assert!(close(d.result.local[0].still_owed_usd, 1440.0));
    assert!(close(d.result.comparisons[0].tco_local_usd, 3600.0));
    assert!(d.warnings.iter().any(|w| w.id == "owed-at-horizon"), "{:?}", d.warnings);
    let d = loan(36, 0.0);
    assert!(close(d.result.comparisons[0].tco_local_usd, 3600.0));
    assert!(d.warnings.iter().all(|w| w.id != "owed-at-horizon"));
    // At 6 % the balance after 36 of 60 months is 69.60 × (1 − 1.005^−24) ÷ 0.005 = 1,570.33.
    let d = loan(60, 0.06);
    assert!(
        (d.result.local[0].still_owed_usd - 1570.33).abs() < 0.01,
        "{}",
        d.result.local[0].still_owed_usd
    );
}

/// Rent of 2 × 730 = 1,460 a month with a commitment of 24 months: a comparison of 12 months still
/// owes twelve more. A commitment holds units that are no longer needed, too.
#[test]
fn a_commitment_to_rent_is_paid_to_its_end() {
    let rent = |more: &str, need: &str| {
        document(&format!(
            "{need}{API}[[local]]\nkind = \"rented\"\nname = \"gpu\"\nusd_per_hour = 2\n{more}"
        ))
    };
    let year = format!("{NEED}horizon_months = 12\n");
    let d = rent("units = 1\nterm_months = 24\n", &year);
    assert!(close(d.result.comparisons[0].tco_local_usd, 24.0 * 1460.0));
    assert!(d.warnings.iter().any(|w| w.id == "owed-at-horizon"));
    let d = rent("units = 1\nterm_months = 12\n", &year);
    assert!(close(d.result.comparisons[0].tco_local_usd, 12.0 * 1460.0));
    // The load halves every month: without a commitment the second unit is given back at once.
    let shrinking = "[need]\nrequests_per_month = 3_000_000\ninput_tokens = 0\noutput_tokens = 500\n\
                     peak_to_mean = 1\ngrowth_per_month = -0.5\nhorizon_months = 12\n";
    let speed = "decode_tokens_per_second = 500\nutilisation_ceiling = 1\n";
    let free = rent(speed, shrinking);
    assert_eq!(free.result.local[0].units, 2);
    assert!(close(free.result.comparisons[0].tco_local_usd, 13.0 * 1460.0));
    let bound = rent(&format!("{speed}term_months = 6\n"), shrinking);
    assert!(close(bound.result.comparisons[0].tco_local_usd, (2.0 * 6.0 + 6.0) * 1460.0));
}

/// With growth, the option without units is the cloud's own total, and the option with enough units
/// for every peak is close to nothing in the cloud.
#[test]
fn growth_is_in_what_overflows() {
    let d = document(&format!(
        "{}growth_per_month = 0.03\n{API}[[local]]\nname = \"box\"\npurchase_usd = 2000\nusd_per_kwh = 0.25\n\
         load_watts = 400\nprefill_tokens_per_second = 4000\ndecode_tokens_per_second = 500\n\
         [hybrid]\nprofile = \"office-hours\"\n",
        NEED.replace("100_000", "2_000_000")
    ));
    let overflow = d.result.hybrid.and_then(|h| h.overflow).expect("asked for");
    assert!(close(overflow.options[0].tco_usd, d.result.comparisons[0].tco_cloud_usd));
    assert!(close(overflow.options.last().expect("some").local_share, 1.0));
}

/// Switched on for 365 of 730 hours, a unit is on in the 84 busiest hours of the week: those of a
/// flat week hold half of its load.
#[test]
fn hardware_that_is_off_half_the_month_serves_half_a_flat_week() {
    let d = document(&format!(
        "{NEED}{API}[[local]]\nname = \"box\"\npurchase_usd = 2000\nload_watts = 400\npowered_hours_per_month = 365\n\
         prefill_tokens_per_second = 4000\ndecode_tokens_per_second = 500\n[hybrid]\nprofile = \"flat\"\n"
    ));
    let overflow = d.result.hybrid.and_then(|h| h.overflow).expect("asked for");
    assert!(close(overflow.options.last().expect("some").local_share, 0.5));
}

/// The price per million tokens that is shown is that of the request's tier.
#[test]
fn a_large_request_shows_the_price_it_pays() {
    let catalog = Catalog::embedded();
    let tiered = catalog.api_models.iter().find_map(|m| {
        let period = m.price_on("2026-11-22".parse().ok()?)?;
        let tier = period.tiers.first().filter(|_| period.currency == "USD")?;
        Some((m.id.clone(), tier.above_input_tokens, tier.rates.input_per_mtok?, tier.rates.output_per_mtok?))
    });
    let (id, above, input, output) = tiered.expect("a tiered price");
    let text = format!(
        "[need]\nrequests_per_month = 1000\ninput_tokens = {}\noutput_tokens = 100\n[[cloud]]\nmodel = \"{id}\"\n\
         [[local]]\nname = \"box\"\npurchase_usd = 1\nunits = 1\n",
        above + 1
    );
    let scenario = Scenario::parse(&text, "test.toml").expect("valid");
    let plan = cost::resolve(&scenario, known(&catalog)).expect("complete");
    let d = BreakevenDocument::new(&plan, &cost::evaluate(&plan, DRAWING), "");
    let cloud = &d.result.cloud[0];
    assert!(close(cloud.usd_per_mtok_input.expect("a price"), input), "{id}");
    assert!(close(cloud.usd_per_mtok_output.expect("a price"), output), "{id}");
    let month = ((above + 1) as f64 * input + 100.0 * output) / 1e6 * 1000.0;
    assert!(close(cloud.monthly_usd, month));
}

/// 300 a month against 100 until prices fall to a tenth in month 13: the lead is 12 × 200 less
/// 1,000 = 1,400 then, and shrinks by 70 a month after. Nothing drifts.
#[test]
fn a_price_cut_on_a_date_has_a_best_point() {
    let text = format!(
        "{NEED}start = \"2026-12\"\n{API}[[cloud.change]]\nfrom = \"2027-12-01\"\ninput_usd_per_mtok = 0.1\n\
         output_usd_per_mtok = 0.4\n[[local]]\nname = \"box\"\npurchase_usd = 1000\nother_usd_per_month = 100\nunits = 1\n"
    );
    let c = document(&text).result.comparisons[0].clone();
    assert!(close(c.payback_months.expect("pays back"), 5.0));
    assert!(close(c.best_point_months.expect("a best point"), 12.0));
    assert!(close(c.best_point_usd.expect("a best point"), 1400.0));
    assert!(close(c.saving_usd, 1400.0 - 24.0 * 70.0));
    // The same change in a year's time makes no difference to a comparison that ends before it.
    let before =
        document(&text.replace("[[cloud]]", "horizon_months = 6\n[[cloud]]")).result.comparisons[0].clone();
    assert!(close(before.saving_usd, 200.0));
    assert!(close(before.best_point_usd.expect("known past the horizon"), 1400.0));
    // Twelve times 200 never earn 3,000 back, also where the comparison ends just before the cut.
    for months in [6, 11, 12, 13, 36] {
        let text = text.replace("[[cloud]]", &format!("horizon_months = {months}\n[[cloud]]"));
        let c = document(&text.replace("purchase_usd = 1000", "purchase_usd = 3000")).result.comparisons[0]
            .clone();
        assert_eq!(c.payback_months, None, "{months}");
        assert_eq!(c.never_reason.as_deref(), Some("saving-ends"), "{months}");
    }
}

#[test]
fn a_ranking_says_what_each_pair_says_by_itself() {
    let catalog = Catalog::embedded();
    let need = "[need]\nrequests_per_month = 400_000\ninput_tokens = 1500\noutput_tokens = 400\nhorizon_months = 60\ntier = 2\n";
    let scenario = |rest: &str| Scenario::parse(&format!("{need}{rest}"), "test.toml").expect("valid");
    for growth in ["", "growth_per_month = 0.01\n"] {
        let all = scenario(&format!("{growth}[[local]]\nmodel = \"llama-3.1-8b-instruct\"\n"));
        let (plan, _) = cost::resolve_all(&all, known(&catalog)).expect("complete");
        let drawing = Drawing { count: 40, seed: 3 };
        let every = cost::rank(&plan, Rows::EveryPair, drawing, 2);
        let rows = &every.rows;
        assert_eq!((rows.len(), every.pairs), (plan.pairs.len(), plan.pairs.len()));
        assert_eq!(every.local_cheaper, rows.iter().filter(|r| r.saving() > 0.0).count());
        let single = cost::rank(&plan, Rows::EveryPair, drawing, 1).rows;
        for (a, b) in rows.iter().zip(&single) {
            assert_eq!((a.pair, a.local_cheaper, a.outcome), (b.pair, b.local_cheaper, b.outcome));
        }
        // Each offer has a row, the same as among all; a table's rows have odds, the same too.
        let each = cost::rank(&plan, Rows::EachOffer, drawing, 1);
        assert_eq!((each.pairs, each.local_cheaper), (every.pairs, every.local_cheaper));
        assert!(each.shown.len() <= RATED_SHOWN + UNRATED_SHOWN + 1 && each.shown.len() >= RATED_SHOWN);
        let mut all = rows.iter();
        for row in &each.rows {
            let same = all.find(|r| r.pair == row.pair).expect("in the same order");
            assert_eq!((row.outcome, row.local_cheaper), (same.outcome, same.local_cheaper));
        }
        let found: std::collections::BTreeSet<usize> =
            each.rows.iter().flat_map(|r| [r.pair.cloud, r.pair.local]).collect();
        assert_eq!(found.len(), plan.offers.len());
        let drawn = |r: &cost::ranking::Ranking| r.rows.iter().filter(|r| r.local_cheaper.is_some()).count();
        assert_eq!((drawn(&each), drawn(&every)), (each.shown.len(), each.shown.len()));
        // For a model what saves most, for a machine what is hardest to beat.
        let (cloud, local) = (each.rows[0].pair.cloud, each.rows[0].pair.local);
        let best = |of: fn(&cost::ranking::Row) -> usize, which: usize, sign: f64| {
            let same = |r: &&cost::ranking::Row| of(r) == which;
            let most = |all: &[cost::ranking::Row]| {
                all.iter().filter(same).map(|r| sign * r.saving()).fold(f64::MIN, f64::max)
            };
            assert!((most(&each.rows) - most(rows)).abs() < 1e-9);
        };
        best(|r| r.pair.cloud, cloud, 1.0);
        best(|r| r.pair.local, local, -1.0);
        let v = plan.likely();
        let mut scratch = cost::Scratch::default();
        for row in rows.iter().step_by(97) {
            let v = cost::Values::of(&v);
            let flow = cost::compare::flow(&plan, row.pair, v);
            let own = cost::compare::compare(&plan, row.pair, v, flow, &mut scratch, |_| ());
            assert_eq!(own, row.outcome, "{:?}", row.pair);
        }
    }
}

proptest! {
    #![proptest_config(Config { cases: 64, ..Config::default() })]

    /// A loan without interest costs what the purchase costs, whatever its term, the horizon, the
    /// growth and the life.
    #[test]
    fn a_loan_without_interest_is_the_price(
        term in 1_u32..90, horizon in 1_u32..72, life in 3_u32..80, growth in 0.0..0.05f64, residual in 0.0..0.5f64,
    ) {
        let text = |kind: &str| format!(
            "[need]\nrequests_per_month = 1e6\ninput_tokens = 1000\noutput_tokens = 500\ngrowth_per_month = {growth}\n\
             horizon_months = {horizon}\n{API}[[local]]\nname = \"box\"\npurchase_usd = 2000\nlife_months = {life}\n\
             residual_share = {residual}\nprefill_tokens_per_second = 4000\ndecode_tokens_per_second = 500\n{kind}"
        );
        let owned = evaluate(&text("")).1.comparisons[0].outcome.tco_local.get();
        let loan = format!("kind = \"financed\"\nterm_months = {term}\nrate_per_year = 0\n");
        let financed = evaluate(&text(&loan)).1.comparisons[0].outcome.tco_local.get();
        prop_assert!(close(owned, financed), "{owned} {financed}");
    }

    /// What is sold pays its loan back first, with the interest so far and none of what is to come: all
    /// that is ever paid for a unit is its instalments and the balance, which is worked out here
    /// instalment by instalment.
    #[test]
    fn what_is_sold_pays_its_loan_back(
        term in 1_u32..90, life in 1_u32..60, lives in 1_u32..4, rate in 0.0..0.2f64, residual in 0.0..0.5f64,
    ) {
        let horizon = life * lives;
        let text = format!(
            "[need]\nrequests_per_month = 1000\ninput_tokens = 1000\noutput_tokens = 500\n\
             horizon_months = {horizon}\n{API}[[local]]\nname = \"box\"\npurchase_usd = 2000\nunits = 1\n\
             life_months = {life}\nresidual_share = {residual}\nidle_watts = 0\nload_watts = 0\n\
             kind = \"financed\"\nterm_months = {term}\nrate_per_year = {rate}\n"
        );
        let r = rate / 12.0;
        let n = f64::from(term);
        let instalment = if r > 0.0 { 2000.0 * r / (1.0 - (1.0 + r).powf(-n)) } else { 2000.0 / n };
        let (mut balance, mut paid) = (2000.0, 0.0);
        for _ in 0..life.min(term) {
            balance = balance * (1.0 + r) - instalment;
            paid += instalment;
        }
        let each = paid + balance.max(0.0) - 2000.0 * residual;
        let total = evaluate(&text).1.comparisons[0].outcome.tco_local.get();
        let wanted = each * f64::from(lives);
        prop_assert!((total - wanted).abs() < 1e-6 * wanted.abs().max(1.0), "{total} {wanted}\n{text}");
    }

    /// Nothing pays back in a month at whose end it is behind: what the sale of a unit brings is no
    /// payback where the next instalments take it away.
    #[test]
    fn what_is_behind_has_not_paid_back(
        term in 6_u32..72, life in 6_u32..40, rate in 0.0..0.15f64, residual in 0.0..0.6f64,
        requests in 20_000.0..60_000.0f64, financed in any::<bool>(),
    ) {
        let kind = if financed {
            format!("kind = \"financed\"\nterm_months = {term}\nrate_per_year = {rate}\n")
        } else {
            String::new()
        };
        let text = format!(
            "[need]\nrequests_per_month = {requests}\ninput_tokens = 1000\noutput_tokens = 500\nhorizon_months = 120\n\
             {API}[[local]]\nname = \"box\"\npurchase_usd = 3600\nunits = 1\nlife_months = {life}\n\
             residual_share = {residual}\nidle_watts = 100\nload_watts = 100\nusd_per_kwh = 0.2\n{kind}"
        );
        let d = document(&text);
        if let Some(payback) = d.result.comparisons[0].payback_months.filter(|p| *p < 120.0) {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let month = &d.result.cash_flow[payback.floor() as usize];
            prop_assert!(month.position_usd >= -1e-6, "{payback}: {}\n{text}", month.position_usd);
        }
    }

    /// A commitment never makes rent cheaper, and none that ends with the month changes nothing.
    #[test]
    fn a_commitment_never_saves(term in 1_u32..60, horizon in 1_u32..60, growth in -0.2..0.1f64) {
        let text = |term: String| format!(
            "[need]\nrequests_per_month = 2e6\ninput_tokens = 0\noutput_tokens = 500\ngrowth_per_month = {growth}\n\
             horizon_months = {horizon}\n{API}[[local]]\nkind = \"rented\"\nname = \"gpu\"\nusd_per_hour = 2\n\
             decode_tokens_per_second = 500\n{term}"
        );
        let total = |term| evaluate(&text(term)).1.comparisons[0].outcome.tco_local.get();
        let free = total(String::new());
        prop_assert!(close(free, total("term_months = 1\n".to_owned())));
        let bound = total(format!("term_months = {term}\n"));
        prop_assert!(bound >= free * (1.0 - 1e-12));
    }
}
