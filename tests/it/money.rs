//! One currency on every page: rates that are missing or written the wrong way round, and what each
//! format shows.

use crate::run::Sandbox;

const PLAN: [&str; 12] = [
    "breakeven",
    "--requests-per-month",
    "200000",
    "--input-tokens",
    "1000",
    "--output-tokens",
    "300",
    "--cloud.name=our api",
    "--cloud.input-usd-per-mtok=1",
    "--cloud.output-usd-per-mtok=4",
    "--local.name=box",
    "--units=1",
];

fn run(sandbox: &Sandbox, more: &[&str]) -> crate::run::Run {
    sandbox.run(&[&PLAN[..], &["--today", "2026-11-22"], more].concat())
}

const EUR: [&str; 2] = ["--currency=EUR", "--usd-rate=0.9"];

#[test]
fn a_report_in_euros_has_no_dollars() {
    let sandbox = Sandbox::new();
    let box_of = [
        "--local.purchase-usd=5000",
        "--local.other-usd-per-month=100",
        "--usd-per-kwh=0.2:0.3:0.4",
        "--load-watts=400",
    ];
    for format in ["table", "markdown", "html", "csv"] {
        let text = run(&sandbox, &[&box_of[..], &EUR, &["--format", format]].concat()).ok();
        assert!(!text.contains('$') && text.to_lowercase().contains("eur"), "{format}: {text}");
        assert!(format == "csv" || !text.contains('$'), "{text}");
    }
    // 5,000 dollars are 4,500 euros, in the first month of the cash flow as well.
    let csv = run(&sandbox, &[&box_of[..], &EUR, &["--format", "csv"]].concat()).ok();
    let first = csv.lines().nth(1).expect("a month");
    assert!(csv.starts_with("\"cloud\",\"local\",\"month\",\"date\",\"requests\",\"cloud_eur\""), "{csv}");
    assert!(first.contains(",4500,"), "{first}");
    let report = run(&sandbox, &[&box_of[..], &EUR, &["-o", "cost.json"]].concat());
    report.ok();
    let memo = sandbox.run(&["report", "cost.json", "--format", "markdown"]).ok();
    assert!(!memo.contains('$'), "{memo}");
}

#[test]
fn a_currency_without_a_rate_meets_no_dollar_price() {
    let sandbox = Sandbox::new();
    // The defaults are nothing, and every amount is the user's: shown as given.
    let own = ["--local.purchase-usd=5000", "--local.other-usd-per-month=100", "--currency=XAU"];
    run(&sandbox, &own).ok();
    run(&sandbox, &[&own[..], &["--hardware=nvidia-rtx-4090", "--model=llama-3.1-8b-instruct"]].concat())
        .refused(&["finance.usd_rate", "no rate is known for XAU", "in US dollars"]);
}

#[test]
fn a_rate_written_the_wrong_way_round_is_questioned() {
    let sandbox = Sandbox::new();
    let warned = |rate: &str| {
        let d = run(&sandbox, &["--local.purchase-usd=5000", "--currency=EUR", rate, "--json"]).json();
        d["warnings"].as_array().expect("warnings").iter().any(|w| w["id"] == "rate-looks-inverted")
    };
    assert!(warned("--usd-rate=1.117"), "a euro is worth 1.117 dollars, not the other way round");
    assert!(!warned("--usd-rate=0.9") && !warned("--usd-rate=0.85"));
    run(&sandbox, &["--local.purchase-usd=5000", "--usd-rate=0.9"]).refused(&["set finance.currency"]);
}
