//! A program of the user as grader: what it is told on its input, and what its output is taken for.
//! The program is named on the command line; a prompt file can only say that it is wanted.

use super::Given;
use serde_json::{Value, json};

/// Longest output that is read, bytes.
pub const LONGEST_OUTPUT: usize = 64 << 10;

/// One line of JSON for the program's standard input.
pub fn request(prompt_id: &str, prompt: &str, answer: &str, vars: &serde_json::Map<String, Value>) -> String {
    json!({"id": prompt_id, "prompt": prompt, "answer": answer, "vars": vars}).to_string()
}

/// What the program said: `{"pass": true, "score": 0.5}` with one of the two at least, or nothing and an
/// exit code, 0 for a pass and 1 for a failure. Anything else is no verdict, and the sample is missing.
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
