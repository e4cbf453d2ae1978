//! Gates from the outside: exit codes, one line each, `JUnit`, the summary of a workflow.

use crate::run::{Run, Sandbox};

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    super::report::documents(&sandbox);
    sandbox
}

#[track_caller]
fn ends(run: &Run, code: i32, says: &str) {
    assert_eq!(run.code, Some(code), "{}", run.err);
    assert!(run.err.contains(says), "{}", run.err);
}

#[test]
fn a_gate_that_holds_is_silent_success_and_one_that_does_not_is_exit_3() {
    let sandbox = sandbox();
    let met = sandbox.run(&["report", "cost.json", "--require", "payback_months<=36"]);
    ends(&met, 0, "gate met: payback_months<=36");
    let missed = sandbox.run(&[
        "report",
        "cost.json",
        "--require",
        "payback_months<=0.01",
        "--require",
        "saving_usd>=-1e9",
    ]);
    ends(&missed, 3, "1 of 2 gates not met");
    assert!(missed.out.contains("What it costs"), "the result is there all the same: {}", missed.out);
    // On the page of several documents each gate finds the document that has its metric.
    ends(
        &sandbox.run(&[
            "report",
            "advice.json",
            "cost.json",
            "bench.json",
            "--require",
            "payback_months<=36",
            "--require",
            "placement!=nowhere",
            "--require",
            "local.ttft_ms<=5s",
        ]),
        2,
        "is no number",
    );
    ends(
        &sandbox.run(&[
            "report",
            "advice.json",
            "cost.json",
            "bench.json",
            "--require",
            "placement!=nowhere",
            "--require",
            "local.ttft_ms<=5000",
        ]),
        0,
        "local:m.gguf.ttft_ms",
    );
}

#[test]
fn an_interval_that_straddles_the_bound_decides_nothing() {
    let sandbox = sandbox();
    // 120 ms, between 108 and 132.
    let gate = ["report", "bench.json", "--require", "local.ttft_ms<=121"];
    ends(&sandbox.run(&gate), 3, "undecided: local.ttft_ms<=121");
    let lenient: Vec<&str> = gate.iter().copied().chain(["--inconclusive", "pass"]).collect();
    ends(&sandbox.run(&lenient), 0, "gate undecided");
}

#[test]
fn a_metric_that_is_not_there_is_bad_usage_and_names_what_is_near() {
    let sandbox = sandbox();
    ends(&sandbox.run(&["report", "cost.json", "--require", "paybak_months<=5"]), 2, "payback_months");
    ends(&sandbox.run(&["report", "cost.json", "--require", "local.ttft_ms<=5"]), 2, "no such metric");
    ends(&sandbox.run(&["report", "bench.json", "--require", "locl.ttft_ms<=5"]), 2, "did you mean");
    ends(&sandbox.run(&["schema", "bench", "--require", "x<=5"]), 2, "");
}

#[test]
fn machines_read_the_same() {
    let sandbox = sandbox();
    let run = sandbox.run(&["report", "cost.json", "--require", "payback_months<=0.01", "-o", "gates.xml"]);
    ends(&run, 3, "not met");
    let xml = std::fs::read_to_string(sandbox.path("gates.xml")).expect("written");
    assert!(
        xml.contains("<testsuites")
            && xml.contains("failures=\"1\"")
            && xml.contains("payback_months&lt;=0.01"),
        "{xml}"
    );
    ends(&sandbox.run(&["report", "cost.json", "--format", "junit"]), 2, "--require");
    let summary = sandbox.path("summary.md");
    let output = sandbox
        .command(crate::run::program())
        .args([
            "report",
            "cost.json",
            "--require",
            "payback_months<=0.01",
            "--github-summary",
            "-o",
            "cost.html",
        ])
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_STEP_SUMMARY", &summary)
        .output()
        .expect("starts");
    assert_eq!(output.status.code(), Some(3));
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(err.contains("::error title=freehold::not met"), "{err}");
    let text = std::fs::read_to_string(summary).expect("written");
    assert!(
        text.contains("## Gates") && text.contains("not met") && text.contains("# Cloud or local"),
        "{text}"
    );
}

#[test]
fn numbers_are_explained_by_their_names() {
    let sandbox = sandbox();
    let said = sandbox.run(&["explain", "payback_months", "cost.json"]).ok();
    assert!(said.contains("What it is") && said.contains("cost.json"), "{said}");
    assert!(sandbox.run(&["explain", "local.ttft_ms", "bench.json"]).ok().contains("120 ms"));
    assert!(sandbox.run(&["explain", "local.usd_per_kwh", "cost.json"]).ok().contains("$0.30 per kWh"));
    ends(&sandbox.run(&["explain", "paybak_months", "cost.json"]), 2, "payback_months");
}

#[test]
fn the_same_inputs_give_the_same_bytes() {
    let sandbox = sandbox();
    let make = |name: &str| {
        let output = sandbox
            .command(crate::run::program())
            .args([
                "breakeven",
                "--requests-per-month",
                "5000",
                "--input-tokens",
                "100",
                "--output-tokens",
                "100",
                "--cloud.input-usd-per-mtok",
                "1",
                "--cloud.output-usd-per-mtok",
                "5",
                "--local.purchase-usd",
                "3000",
                "--local.idle-watts",
                "40",
                "--local.load-watts",
                "400",
                "--local.usd-per-kwh",
                "0.3",
                "--local.decode-tokens-per-second",
                "900",
                "--local.prefill-tokens-per-second",
                "4000",
                "-o",
                name,
            ])
            .env("SOURCE_DATE_EPOCH", "1763800000")
            .output()
            .expect("starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        std::fs::read(sandbox.path(name)).expect("written")
    };
    let first = make("a.json");
    assert_eq!(first, make("b.json"));
    assert!(String::from_utf8_lossy(&first).contains("2025-11-22T"), "the time that was given");
    let odd = sandbox
        .command(crate::run::program())
        .args(["report", "a.json"])
        .env("SOURCE_DATE_EPOCH", "soon")
        .output()
        .expect("starts");
    assert_eq!(odd.status.code(), Some(2));
}

#[test]
fn markdown_in_a_file_has_its_charts_beside_it() {
    let sandbox = sandbox();
    sandbox.run(&["report", "cost.json", "-o", "memo.md"]).ok();
    let text = std::fs::read_to_string(sandbox.path("memo.md")).expect("written");
    let pictures: Vec<&str> =
        text.lines().filter_map(|l| l.strip_prefix("![")?.split('<').nth(1)?.split('>').next()).collect();
    assert!(pictures.len() >= 3, "{text}");
    for picture in pictures {
        let svg = std::fs::read_to_string(sandbox.path(picture)).expect("a picture");
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"), "{picture}");
    }
}

/// A page, its pictures and its findings are the same bytes for the same documents, whatever the clock says.
#[test]
fn the_same_documents_give_the_same_page() {
    let sandbox = sandbox();
    for format in ["html", "markdown", "csv", "json", "table"] {
        let page =
            || sandbox.run(&["report", "advice.json", "bench.json", "cost.json", "--format", format]).ok();
        assert_eq!(page(), page(), "{format}");
    }
}

/// Ten thousand samples: a page of less than a megabyte, soon enough.
#[test]
fn a_long_run_makes_a_short_page() {
    let sandbox = sandbox();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/bench/smollm2-on-a-processor.json");
    let mut bench: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(file).expect("there")).expect("JSON");
    let samples = bench["result"]["samples"].as_array().expect("samples").clone();
    let many: Vec<_> = samples.iter().cycle().take(10_000).cloned().collect();
    bench["result"]["samples"] = many.into();
    sandbox.write("long.json", &bench.to_string());
    for format in ["html", "markdown"] {
        let page = sandbox.run(&["report", "long.json", "--format", format]).ok();
        assert!(page.len() < 1_000_000, "{format}: {}", page.len());
    }
}

/// A metric of another kind of document, and one that nothing has: exit 2 before anything is written.
#[test]
fn a_gate_on_what_the_document_lacks_leaves_the_old_file_alone() {
    let sandbox = sandbox();
    for (metric, format) in
        [("local.ttft_ms.p95<=500", "html"), ("hosts<=3", "markdown"), ("no_such<=1", "json")]
    {
        for name in ["memo.html", "memo.md"] {
            sandbox.write(name, "the page of last week");
        }
        let args = ["report", "cost.json", "--require", metric, "--format", format, "-o"];
        for name in ["memo.html", "memo.md"] {
            let run = sandbox.run(&[&args[..], &[name]].concat());
            ends(&run, 2, metric.split("<=").next().unwrap_or_default());
            let kept = std::fs::read_to_string(sandbox.path(name)).expect("there");
            assert_eq!(kept, "the page of last week", "{metric}");
        }
        assert!(!sandbox.path("memo-cost-over-time.svg").exists(), "{metric}: a chart without its page");
    }
}
