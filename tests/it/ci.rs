//! The examples for continuous integration, run as a runner runs them: with gates that hold, one that does
//! not, and one that the measurement cannot decide.

use crate::run::{Run, Sandbox};
use std::path::Path;

fn example(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The shell scripts of a workflow: literal blocks (`|`) as they are, folded ones (`>-`) as one line, and
/// single lines.
fn scripts(yaml: &str) -> Vec<String> {
    let lines: Vec<&str> = yaml.lines().collect();
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut found = Vec::new();
    for (n, line) in lines.iter().enumerate() {
        let text = line.trim_start();
        let Some(rest) = text.strip_prefix("run: ").or_else(|| text.strip_prefix("- ")) else { continue };
        if rest.starts_with("freehold ") {
            found.push(rest.to_owned());
        } else if rest == "|" || rest == ">-" {
            let block = lines[n + 1..].iter().take_while(|l| indent(l) > indent(line));
            let block: Vec<&str> = block.map(|l| l.trim_start()).collect();
            found.push(block.join(if rest == "|" { "\n" } else { " " }));
        }
    }
    found
}

/// A repository as the examples expect it.
fn repository(purchase: &str, ttft: [f64; 3]) -> Sandbox {
    let sandbox = Sandbox::new();
    super::report::documents(&sandbox);
    std::fs::create_dir(sandbox.path("llm")).expect("a folder");
    let scenario = example("chatbot.toml");
    let from = scenario.lines().find(|l| l.starts_with("purchase_usd")).expect("a price").to_owned();
    sandbox.write("llm/scenario.toml", &scenario.replace(&from, purchase));
    let bench = std::fs::read_to_string(sandbox.path("bench.json")).expect("there");
    let mut bench: serde_json::Value = serde_json::from_str(&bench).expect("JSON");
    let [median, low, high] = ttft;
    bench["result"]["targets"][0]["metrics"]["ttft_ms"] =
        serde_json::json!({"n": 30, "median": median, "low": low, "high": high, "min": null, "max": null});
    sandbox.write("llm/bench.json", &bench.to_string());
    sandbox
}

/// Every script in its order, until one fails: `set -e`, as runners have it.
fn run(sandbox: &Sandbox, scripts: &[String]) -> Run {
    let together: Vec<String> =
        scripts.iter().map(|s| s.replace("breakeven ", "breakeven --today 2026-11-22 ")).collect();
    sandbox.shell(&format!("set -e\n{}", together.join("\n")))
}

const DEAR: &str = "purchase_usd = 500_000";
const CHEAP: &str = "purchase_usd = 5000";

#[test]
fn the_examples_for_ci_pass_fail_and_leave_undecided() {
    for name in ["ci/github.yml", "ci/gitlab-ci.yml"] {
        let scripts = scripts(&example(name));
        assert!(scripts.iter().filter(|s| s.contains("--require")).count() >= 2, "{name}: {scripts:#?}");

        let good = repository(CHEAP, [120.0, 108.0, 132.0]);
        let met = run(&good, &scripts);
        assert_eq!(met.code, Some(0), "{name}: {}", met.err);
        assert!(met.err.contains("gate met: payback_months<=18"), "{name}: {}", met.err);
        let page = if name.contains("github") { "out/memo.html" } else { "memo.html" };
        assert!(std::fs::read_to_string(good.path(page)).expect("kept").contains("<svg"), "{name}");
        let gates = std::fs::read_to_string(good.path("gates.xml")).expect("kept");
        assert!(gates.contains("failures=\"0\""), "{name}: {gates}");

        let dear = repository(DEAR, [120.0, 108.0, 132.0]);
        let missed = run(&dear, &scripts);
        assert_eq!(missed.code, Some(3), "{name}: {}", missed.err);
        assert!(missed.err.contains("not met: payback_months<=18"), "{name}: {}", missed.err);
        let gates = std::fs::read_to_string(dear.path("gates.xml")).expect("kept");
        assert!(gates.contains("<failure"), "{name}: {gates}");

        // The examples do not stop where an interval has the bound inside; without that word they do.
        let noisy = repository(CHEAP, [490.0, 450.0, 540.0]);
        let undecided = run(&noisy, &scripts);
        assert_eq!(undecided.code, Some(0), "{name}: {}", undecided.err);
        assert!(undecided.err.contains("gate undecided: local.ttft_ms<=500"), "{name}: {}", undecided.err);
        let strict: Vec<String> = scripts.iter().map(|s| s.replace("--inconclusive pass", "")).collect();
        let stopped = run(&noisy, &strict);
        assert_eq!(stopped.code, Some(3), "{name}: {}", stopped.err);
    }
}

#[test]
fn gitlab_gets_the_gates_as_findings() {
    let sandbox = repository(DEAR, [490.0, 450.0, 540.0]);
    let cost = "freehold breakeven --scenario llm/scenario.toml --today 2026-11-22";
    let run = sandbox.shell(&format!(
        "{cost} --require 'payback_months<=18' --require 'payback_months>0' --format code-quality -o quality.json"
    ));
    assert_eq!(run.code, Some(3), "{}", run.err);
    let text = std::fs::read_to_string(sandbox.path("quality.json")).expect("written");
    let findings: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(findings.as_array().map(Vec::len), Some(1), "{text}");
    assert_eq!(findings[0]["severity"], "major");
    assert_eq!(findings[0]["location"]["path"], "llm/scenario.toml");
    assert!(findings[0]["location"]["lines"]["begin"].as_u64().is_some_and(|n| n > 0), "{text}");
    let none = sandbox.shell(&format!("{cost} --require 'payback_months>0' --format code-quality"));
    assert_eq!((none.code, none.out.trim()), (Some(0), "[]"), "{}", none.err);
    sandbox.shell(&format!("{cost} --format code-quality")).refused(&["--require"]);
}
