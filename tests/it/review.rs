//! `review`: an advice is decided again, and only what voids it ends with 3.

use crate::run::{Sandbox, program};
use serde_json::{Value, json};

/// An advice of a day, with numbers.
fn advice(sandbox: &Sandbox, day: &str) -> Value {
    let output = sandbox
        .command(program())
        .args([
            "--today",
            day,
            "advise",
            "--json",
            "--privacy",
            "standard",
            "--volume",
            "low",
            "--capability",
            "moderate",
        ])
        .args(["--operations", "limited", "--budget", "opex", "--need.requests-per-month", "30000"])
        .args(["--need.input-tokens", "600", "--need.output-tokens", "60", "--with", "small-team"])
        .output()
        .expect("runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// Exit code, the review, and what was said beside it.
fn review(sandbox: &Sandbox, document: &Value) -> (Option<i32>, Value, String) {
    let file = sandbox.write("advice.json", &document.to_string());
    let output = sandbox
        .command(program())
        .args(["--today", "2026-11-27", "review", "--json"])
        .arg(file)
        .output()
        .expect("runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), serde_json::from_slice(&output.stdout).unwrap_or(Value::Null), said)
}

#[test]
fn an_advice_of_two_months_back_is_decided_again() {
    let sandbox = Sandbox::new();
    let then = advice(&sandbox, "2026-09-27");
    let (code, found, said) = review(&sandbox, &then);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(found["holds"], true, "{found}");
    assert_eq!(found["then"]["placement"], then["result"]["placement"]);
    let options = found["options"].as_array().expect("options");
    assert!(
        options.iter().any(|o| o["monthly_usd_now"].is_number() && o["monthly_usd_then"].is_number()),
        "{found}"
    );
}

#[test]
fn only_what_voids_it_ends_with_3() {
    let sandbox = Sandbox::new();
    let now = advice(&sandbox, "2026-11-27");
    let chosen = now["result"]["chosen"].clone();
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut document = now.clone();
        change(&mut document);
        review(&sandbox, &document)
    };
    // A price that was another: it holds, and says by how much it moved.
    let (code, found, said) = changed(&|d| {
        for option in d["result"]["options"].as_array_mut().expect("options") {
            option["monthly_usd"] = json!(1_000_000.0);
        }
    });
    assert_eq!(code, Some(0), "{said}");
    assert!(
        found["options"].as_array().is_some_and(|o| o.iter().any(|o| o["monthly_usd_then"] == 1_000_000.0))
    );
    // Another placement, a model that is gone: it does not.
    let other = if now["result"]["placement"] == "cloud" { "local" } else { "cloud" };
    let (code, found, said) = changed(&|d| d["result"]["placement"] = json!(other));
    assert_eq!((code, &found["holds"]), (Some(3), &json!(false)), "{said}");
    assert!(said.contains("no longer holds"), "{said}");
    let (code, found, said) = changed(&|d| {
        for option in d["result"]["options"].as_array_mut().expect("options") {
            if option["id"] == chosen {
                option["api_model"] = json!("openai/gone");
            }
        }
    });
    assert_eq!(code, Some(3), "{said}");
    assert_eq!(found["retires"][0]["model"], "openai/gone");
}

#[test]
fn what_cannot_be_reviewed_is_refused() {
    let sandbox = Sandbox::new();
    let now = advice(&sandbox, "2026-11-27");
    let input =
        |value: Value| json!({ "value": value, "unit": null, "source": now["inputs"]["privacy"]["source"] });
    let mut rested = now.clone();
    rested["inputs"]["evidence"] = input(json!("bench.json"));
    let (code, _, said) = review(&sandbox, &rested);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("--evidence"), "{said}");
    // What it rested on is asked for at once.
    rested["inputs"]["cost"] = input(json!("cost.json"));
    let (code, _, said) = review(&sandbox, &rested);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("--evidence bench.json") && said.contains("--cost cost.json"), "{said}");
    let mut strange = now.clone();
    strange["inputs"]["privacy"] = input(json!("whatever"));
    let (code, _, said) = review(&sandbox, &strange);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("privacy"), "{said}");
    let (code, _, said) = review(&sandbox, &json!({ "schema": "freehold.advice/9" }));
    assert_eq!(code, Some(2), "{said}");
}
