//! Graders: the first line is a list of assertions, the rest an answer. A grade, or a reason why there is
//! none; a score is a number.

use freehold::prompts::{Assertion, NoFiles, filled, resolved};
use freehold::quality::{Answer, Grade, Graders};
use std::collections::BTreeMap;

pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (first, answer) = text.split_once('\n').unwrap_or((text, ""));
    let Ok(list) = serde_json::from_str(first) else { return };
    let mut unknown = Vec::new();
    let Ok(asserts) = Assertion::read_all(&list, Some(1), &mut unknown) else { return };
    let asserts = filled(&asserts, &resolved(&serde_json::Map::new()), &NoFiles);
    let graders = Graders::new(&asserts, None);
    let answer = Answer { text: answer, latency_ms: Some(5.0), ..Answer::default() };
    if let Grade::Scored(score) = graders.grade(&answer, &BTreeMap::new()) {
        assert!(score.score.is_finite(), "{score:?}");
    }
}
