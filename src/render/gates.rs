//! Results of gates: as a table, as `JUnit` XML, and as annotations for CI systems.

use super::view::{Block, Table, View};
use crate::document::gates::{Checked, Outcome};
use crate::sanitize;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use sha2::{Digest as _, Sha256};

/// As a section of a page.
pub fn view(checked: &[Checked]) -> View {
    let mut view = View::new("");
    let mut table = Table::new(&["gate", "outcome", "found"]);
    for c in checked {
        table.row([c.gate.clone().into(), c.outcome.word().into(), c.value.clone().into()]);
    }
    view.heading("Gates").push(Block::Table(table));
    view
}

/// As `JUnit` XML with one test case for each gate. An undecided gate is a failure if `undecided_fails`,
/// and otherwise skipped.
pub fn junit(checked: &[Checked], undecided_fails: bool) -> Result<String, String> {
    let mut suite = TestSuite::new("gates");
    for c in checked {
        let line = sanitize::line(&c.line(), 2000);
        let status = match c.outcome {
            Outcome::Met => TestCaseStatus::success(),
            Outcome::Undecided if !undecided_fails => {
                let mut status = TestCaseStatus::skipped();
                status.set_message(line);
                status
            }
            Outcome::Missed | Outcome::Undecided => {
                let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                status.set_message(line).set_type(c.outcome.word());
                status
            }
        };
        let mut case = TestCase::new(sanitize::line(&c.gate, 500), status);
        case.set_classname(sanitize::line(&c.figure, 500));
        suite.add_test_case(case);
    }
    let mut report = Report::new("freehold");
    report.add_test_suite(suite);
    report.to_string().map(|text| format!("{text}\n")).map_err(|e| e.to_string())
}

/// As findings for GitLab's code quality, one for each gate that is not met. Every finding needs a place in
/// the repository, which is the file that the result was computed from.
pub fn code_quality(checked: &[Checked], undecided_fails: bool) -> String {
    let findings: Vec<serde_json::Value> = checked
        .iter()
        .filter_map(|c| {
            let severity = match c.outcome {
                Outcome::Met => return None,
                Outcome::Missed => "major",
                Outcome::Undecided if undecided_fails => "minor",
                Outcome::Undecided => "info",
            };
            let (path, line) = c.file.as_ref().map_or(("freehold", None), |(f, l)| (f.as_str(), *l));
            // The same gate on the same figure must be recognised as the same finding in the next run.
            let same = Sha256::digest(format!("{}\n{}\n{path}", c.gate, c.figure).as_bytes());
            let fingerprint: String =
                same.iter().take(16).map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
            Some(serde_json::json!({
                "description": sanitize::line(&c.line(), 2000),
                "check_name": "freehold gate",
                "fingerprint": fingerprint,
                "severity": severity,
                "location": { "path": sanitize::line(path, 500), "lines": { "begin": line.unwrap_or(1) } },
            }))
        })
        .collect();
    format!("{:#}\n", serde_json::Value::Array(findings))
}

/// As commands of a GitHub workflow, one per line: an error for each gate that fails, and a warning for
/// each that is undecided if that does not count as a failure.
pub fn annotations(checked: &[Checked], undecided_fails: bool) -> Vec<String> {
    let escaped =
        |text: &str| sanitize::line(text, 2000).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    checked
        .iter()
        .filter_map(|c| {
            let level = match c.outcome {
                Outcome::Met => return None,
                Outcome::Undecided if !undecided_fails => "warning",
                Outcome::Missed | Outcome::Undecided => "error",
            };
            Some(format!("::{level} title=freehold::{}", escaped(&c.line())))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(outcome: Outcome) -> Checked {
        Checked {
            gate: "payback_months<=18".into(),
            outcome,
            figure: "payback_months".into(),
            value: "20 % <&>\n::error::x".into(),
            file: Some(("llm/scenario.toml".into(), Some(7))),
        }
    }

    #[test]
    fn machines_read_what_people_read() {
        let all = [checked(Outcome::Met), checked(Outcome::Missed), checked(Outcome::Undecided)];
        let xml = junit(&all, false).expect("XML");
        assert!(
            xml.contains("tests=\"3\"") && xml.contains("failures=\"1\"") && xml.contains("<skipped"),
            "{xml}"
        );
        assert!(junit(&all, true).expect("XML").contains("failures=\"2\""));
        let findings: serde_json::Value = serde_json::from_str(&code_quality(&all, false)).expect("JSON");
        assert_eq!(findings.as_array().map(Vec::len), Some(2));
        assert_eq!(findings[0]["severity"], "major");
        assert_eq!(findings[1]["severity"], "info");
        assert_eq!(findings[0]["location"]["path"], "llm/scenario.toml");
        assert_eq!(findings[0]["location"]["lines"]["begin"], 7);
        assert_eq!(findings[0]["fingerprint"].as_str().map(str::len), Some(32));
        let lines = annotations(&all, false);
        assert_eq!(lines.len(), 2);
        assert!(
            lines[0].starts_with("::error title=freehold::not met") && lines[1].starts_with("::warning"),
            "{lines:?}"
        );
        // A value cannot start a command of its own.
        assert!(lines.iter().all(|l| !l.contains('\n') && l.contains("20 %25")), "{lines:?}");
    }
}
