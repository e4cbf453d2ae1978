//! What a total over the horizon must not forget: loans and commitments that go on, growth, hours in
//! which hardware is switched off, prices of large requests, prices that change on a date; and a
//! ranking that says what each pair says by itself.

// Prices that are taken over are the same numbers, bit for bit.
#![allow(clippy::float_cmp)]

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

/// While hardware is awaited the API is paid, and that belongs to the choice: the total of a choice is the
/// one that is compared, the page recommends the side that the comparison says costs less, and nothing pays
/// back before it is there.
#[test]
fn what_is_paid_until_hardware_works_belongs_to_the_choice() {
    for delivery in [0, 1, 3, 18, 30] {
        for overlap in [0, 2] {
            for one_off in [0, 500, 3000] {
                let d = document(&format!(
                    "{NEED}start = \"2026-12\"\nhorizon_months = 24\n{API}one_off_usd = {one_off}\n\
                     price_change_per_year = 0\n[[local]]\nname = \"box\"\npurchase_usd = 2500\nunits = 1\nidle_watts = 0\n\
                     load_watts = 0\nresidual_share = 0\nlife_months = 100\ndelivery_months = {delivery}\n\
                     overlap_months = {overlap}\n"
                ));
                let said = format!("{delivery} {overlap} {one_off}");
                let (r, head) = (&d.result, &d.result.comparisons[0]);
                let paid = f64::from((delivery + overlap).min(24)) * 300.0;
                let once = if delivery + overlap > 0 { f64::from(one_off) } else { 0.0 };
                let bought = if delivery < 24 { 2500.0 } else { 0.0 };
                assert!(close(head.tco_local_usd, bought + paid + once), "{said}: {}", head.tco_local_usd);
                assert!(close(r.total_usd(&r.local[0]), head.tco_local_usd), "{said}");
                let months = head.payback_months;
                assert!(months.is_none_or(|m| m >= f64::from(delivery)), "{said}: {months:?}");
                let last =
                    r.cumulative.iter().find(|c| c.name == "box").and_then(|c| c.paid_usd.last().copied());
                assert!(last.is_some_and(|usd| (usd - head.tco_local_usd).abs() < 1.0), "{said}: {last:?}");
                let named =
                    ("cost.json".to_owned(), freehold::document::Document::Breakeven(Box::new(d.clone())));
                let page = freehold::render::memo::memo(&[named], &[]).to_markdown();
                let less = if head.saving_usd > 0.0 { "**Buy box" } else { "**Use api" };
                assert!(head.saving_usd.abs() < 0.01 || page.contains(less), "{said}: {page}");
            }
        }
    }
}

/// A change of one's own starts from the prices in force on its day: it replaces the rate that it names, and
/// leaves other rates, later periods, and prices of long requests as they are.
#[test]
fn a_change_replaces_the_rate_that_it_names_alone() {
    use freehold::cost::case::{Api, Supply};
    let catalog = Catalog::embedded();
    let api_of = |text: &str| -> (Case, Api) {
        let scenario = Scenario::parse(text, "test.toml").expect(text);
        let plan = cost::resolve(&scenario, known(&catalog)).unwrap_or_else(|e| panic!("{e}\n{text}"));
        let Supply::Api(api) = plan.offers[0].supply.clone() else { panic!("an API") };
        (plan, api)
    };
    let today: jiff::civil::Date = "2026-11-22".parse().expect("a date");
    let dated = |m: &&freehold::catalog::ApiModel| {
        let later = m.price.iter().any(|p| p.from.is_some_and(|d| d > today));
        let tiers = m.price_on(today).is_some_and(|p| !p.tiers.is_empty());
        m.price_on(today).is_some_and(|p| p.rates.output_per_mtok.is_some()) && (later || tiers)
    };
    let models: Vec<_> = catalog.api_models.iter().filter(dated).take(12).collect();
    assert!(models.len() > 3, "{models:?}");
    for m in models {
        let text = format!("{NEED}start = \"2026-11\"\n[[cloud]]\nmodel = \"{}\"\n", m.id);
        let local = "[[local]]\npurchase_usd = 2500\nunits = 1\n";
        let change = "change = [{from = \"2027-09-01\", input_usd_per_mtok = 77}]\n";
        let (case, before) = api_of(&format!("{text}{local}"));
        let (changed, after) = api_of(&format!("{text}{change}{local}"));
        let (old, new) = (case.likely(), changed.likely());
        let (old, new) = (case.values(&old), changed.values(&new));
        let at = |api: &Api, month: u32| {
            api.periods.iter().rev().find(|p| p.from_month <= month).cloned().expect("a period")
        };
        for month in 0..36 {
            let (a, b) = (at(&before, month), at(&after, month));
            assert_eq!(a.tiers.len(), b.tiers.len(), "{} in {month}", m.id);
            let both = std::iter::once((a.rates, b.rates))
                .chain(a.tiers.iter().zip(&b.tiers).map(|(a, b)| (a.1, b.1)))
                .chain(a.windows.iter().zip(&b.windows).map(|(a, b)| (a.1, b.1)));
            for (a, b) in both {
                assert!(
                    close(f64::from(old.get(a.output)), f64::from(new.get(b.output))),
                    "{} in {month}",
                    m.id
                );
                let input = if month >= 10 { 77.0 } else { f64::from(old.get(a.input)) };
                assert!(close(f64::from(new.get(b.input)), input), "{} in {month}", m.id);
            }
        }
        // A price of one's own replaces its own rate, everywhere.
        let (hand, api) = api_of(&format!("{text}input_usd_per_mtok = 77\n{local}"));
        let likely = hand.likely();
        let v = hand.values(&likely);
        for (a, b) in before.periods.iter().zip(&api.periods) {
            assert!(close(f64::from(old.get(a.rates.output)), f64::from(v.get(b.rates.output))), "{}", m.id);
            assert!(
                std::iter::once(&b.rates)
                    .chain(b.tiers.iter().map(|t| &t.1))
                    .all(|r| close(f64::from(v.get(r.input)), 77.0))
            );
        }
        let said = hand.notices.iter().any(|n| matches!(n, cost::Notice::ListPricesReplaced { .. }));
        let price = m.price_on(today).expect("a price");
        let differs = price
            .tiers
            .iter()
            .any(|t| t.rates.input_per_mtok.is_some_and(|p| Some(p) != price.rates.input_per_mtok));
        assert!(said || !differs, "{}", m.id);
    }
}

/// What is there already costs nothing once. What replaces it does, and another key cannot say that there
/// is more of it.
#[test]
fn hardware_that_is_there_is_replaced_for_its_price() {
    let catalog = Catalog::embedded();
    let resolve = |more: &str| {
        let text = format!(
            "{NEED}horizon_months = 36\n{API}[[local]]\nhosts = [\"2x nvidia-rtx-5090\"]\nmodel = \"qwen3.5-9b\"\n{more}"
        );
        let scenario = Scenario::parse(&text, "test.toml").expect("a scenario");
        cost::resolve(&scenario, known(&catalog))
    };
    let of = |more: &str| {
        let plan = resolve(more).unwrap_or_else(|e| panic!("{e}"));
        let evaluation = cost::evaluate(&plan, DRAWING);
        BreakevenDocument::new(&plan, &evaluation, "")
    };
    let kept = of("life_months = 60\n");
    let l = &kept.result.local[0];
    assert!([l.capex_usd, l.total_upfront_usd, l.residual_usd].into_iter().all(|usd| close(usd, 0.0)));
    let replaced = of("life_months = 20\nresidual_share = 0.1\n");
    let l = &replaced.result.local[0];
    assert!(close(l.capex_usd, 0.0));
    let price = replaced.inputs["local.purchase_usd"].value.clone();
    let price = price.as_f64().or_else(|| price.get("likely")?.as_f64()).expect("a price");
    assert!(price > 1000.0 && l.total_upfront_usd >= price * 0.99, "{price} {}", l.total_upfront_usd);
    let residual = price * 0.1_f64.powf(16.0 / 20.0);
    assert!(close(l.residual_usd, residual), "{} {residual}", l.residual_usd);
    let said = |name: &str| replaced.inputs[name].source.word();
    assert_eq!((said("local.units"), said("local.gpus_per_unit")), ("assumed", "user"));
    for more in [
        "units = 3\n",
        "gpus_per_unit = 4\n",
        "hardware = \"nvidia-l40s\"\n",
        "kind = \"financed\"\n",
        "kind = \"rented\"\n",
    ] {
        let error = resolve(more).expect_err(more).to_string();
        assert!(error.contains("local.hosts"), "{error}");
    }
    resolve("units = 1\ngpus_per_unit = 2\nhardware = \"nvidia-rtx-5090\"\n").expect("the same again");
    let spare = of("spare_units = 1\nlife_months = 60\n");
    assert!(close(spare.result.local[0].capex_usd, spare.result.local[0].total_upfront_usd));
    assert!(spare.result.local[0].capex_usd > 1000.0, "a spare is bought");
}
