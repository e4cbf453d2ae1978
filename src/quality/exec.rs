//! Programs of the user as graders: their input, and how their output is read. Programs are named on the
//! command line; a prompt file can only ask for one by its name.

use super::Given;
use serde_json::{Value, json};

/// The most output that is read, bytes.
pub const LONGEST_OUTPUT: usize = 64 << 10;

/// The line of JSON for the program's standard input.
pub fn request(prompt_id: &str, prompt: &str, answer: &str, vars: &serde_json::Map<String, Value>) -> String {
    json!({"id": prompt_id, "prompt": prompt, "answer": answer, "vars": vars}).to_string()
}

/// The program's verdict: `{"pass": true, "score": 0.5}` with at least one of the two, or no output and an
/// exit code (0 means pass, 1 means fail). Anything else is no verdict, and the answer has no grade.
pub fn read(output: &[u8], exit_code: Option<i32>) -> Given {
    let verdict = |pass: bool| Given::Verdict { pass, score: if pass { 1.0 } else { 0.0 } };
    let text = match std::str::from_utf8(output) {
        Ok(text) if output.len() <= LONGEST_OUTPUT => text.trim(),
        _ => return Given::Nothing,
    };
    if text.is_empty() {
        return match exit_code {
            Some(0) => verdict(true),
            Some(1) => verdict(false),
            _ => Given::Nothing,
        };
    }
    if exit_code != Some(0) {
        return Given::Nothing;
    }
    let Ok(Value::Object(map)) = serde_json::from_str::<Value>(text) else { return Given::Nothing };
    let pass = map.get("pass").and_then(Value::as_bool);
    let score = map.get("score").and_then(Value::as_f64).filter(|s| (0.0..=1.0).contains(s));
    match (pass, score, map.contains_key("score")) {
        (Some(pass), Some(score), _) => Given::Verdict { pass, score },
        (Some(pass), None, false) => verdict(pass),
        (None, Some(score), _) => Given::Verdict { pass: score >= 0.5, score },
        _ => Given::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clear_verdict_is_one() {
        assert_eq!(read(b"{\"pass\": true}", Some(0)), Given::Verdict { pass: true, score: 1.0 });
        assert_eq!(read(b"{\"score\": 0.25}\n", Some(0)), Given::Verdict { pass: false, score: 0.25 });
        assert_eq!(read(b"", Some(1)), Given::Verdict { pass: false, score: 0.0 });
        for (output, code) in [
            (&b"yes"[..], Some(0)),
            (b"{\"pass\": 1}", Some(0)),
            (b"", Some(2)),
            (b"", None),
            (b"{\"pass\": true}", Some(1)),
            (b"{\"pass\": true, \"score\": 7}", Some(0)),
            (b"\xff", Some(0)),
            (b"{}", Some(0)),
        ] {
            assert_eq!(read(output, code), Given::Nothing, "{output:?}");
        }
        let line = request("p1", "a\n\"b\"", "c", &serde_json::Map::new());
        assert_eq!(line.lines().count(), 1);
    }
}
