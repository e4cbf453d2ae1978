//! Coding agents: Claude Code, Codex, Gemini CLI, opencode.

use super::{requests, skipped, source, tokens, usage_of};
use freehold::usage::summary::Note;

/// A row of Claude Code: id, request, output, whether a side conversation, time.
fn claude(id: &str, request: &str, output: u64, side: bool, time: &str) -> String {
    let request = if request.is_empty() { String::new() } else { format!("\"requestId\":\"{request}\",") };
    format!(
        "{{\"type\":\"assistant\",\"isSidechain\":{side},{request}\"uuid\":\"u{output}{time}\",\"sessionId\":\"s\",\
         \"parentUuid\":null,\"timestamp\":\"2026-09-0{time}Z\",\"message\":{{\"id\":\"{id}\",\"model\":\"m\",\
         \"usage\":{{\"input_tokens\":10,\"cache_read_input_tokens\":100,\"cache_creation_input_tokens\":30,\
         \"output_tokens\":{output}}}}}}}\n"
    )
}

#[test]
fn an_answer_in_many_rows_counts_once_with_its_last_output() {
    let rows = [1, 5, 350].map(|n| claude("msg_a", "r1", n, false, "7T09:00:00")).concat();
    let usage = usage_of(&[&rows]);
    assert_eq!((requests(&usage), tokens(&usage)), (Some(1), [10, 100, 30, 350, 0]));
    assert_eq!(usage.duplicates_dropped, 2);
    // The fullest row may come first, too.
    let rows = [350, 1, 5].map(|n| claude("msg_a", "r1", n, false, "7T09:00:00")).concat();
    assert_eq!(tokens(&usage_of(&[&rows]))[3], 350);
}

#[test]
fn with_and_without_a_request_id_is_the_same_answer() {
    for (first, second) in [("", ""), ("r1", ""), ("", "r1")] {
        let rows =
            claude("msg_a", first, 5, false, "7T09:00:00") + &claude("msg_a", second, 9, false, "7T09:00:01");
        let usage = usage_of(&[&rows]);
        assert_eq!((requests(&usage), tokens(&usage)[3]), (Some(1), 9), "{first} {second}");
    }
    // Two requests of a gateway that gives every answer one id are two.
    let rows = claude("gw", "r1", 5, false, "7T09:00:00") + &claude("gw", "r2", 9, false, "7T09:00:01");
    assert_eq!(requests(&usage_of(&[&rows])), Some(2));
}

#[test]
fn side_questions_repeat_their_parent_and_sub_agents_do_not() {
    let main = claude("msg_a", "r1", 5, false, "7T09:00:00");
    let replay = claude("msg_a", "r9", 5, true, "7T11:00:00") + &claude("msg_b", "r2", 7, true, "7T11:00:01");
    for files in [[main.as_str(), replay.as_str()], [replay.as_str(), main.as_str()]] {
        let usage = usage_of(&files);
        assert_eq!((requests(&usage), tokens(&usage)[3], usage.duplicates_dropped), (Some(2), 12, 1));
        // The main conversation's hour counts, whichever file is read first.
        let hours = usage.requests_by_hour_of_week_utc.expect("hours");
        assert_eq!(hours.into_iter().collect::<Vec<_>>(), [(9, 1), (11, 1)]);
    }
}

#[test]
fn resumed_sessions_copy_rows_and_count_once() {
    let first = claude("msg_a", "r1", 5, false, "7T09:00:00");
    let resumed = first.clone() + &claude("msg_b", "r2", 6, false, "8T09:00:00");
    let usage = usage_of(&[&first, &resumed, &resumed, ""]);
    assert_eq!((requests(&usage), tokens(&usage)[3], usage.duplicates_dropped), (Some(2), 11, 3));
}

#[test]
fn rows_of_claude_code_that_are_no_answer_are_passed_over() {
    let rows = claude("msg_a", "r1", 5, false, "7T09:00:00")
        + "{\"type\":\"progress\",\"data\":{\"message\":{\"usage\":{\"input_tokens\":99,\"output_tokens\":99}}}}\n"
        + "{\"type\":\"assistant\",\"message\":{\"id\":\"msg_x\",\"model\":\"m\",\"usage\":null}}\n"
        + "{\"type\":\"assistant\",\"isApiErrorMessage\":true,\"message\":{\"id\":\"y\",\"model\":\"m\",\"usage\":{\"input_tokens\":9,\"output_tokens\":9}}}\n";
    let usage = usage_of(&[&rows]);
    assert_eq!((requests(&usage), tokens(&usage)[3]), (Some(1), 5));
    assert_eq!(skipped(&usage).iter().map(|(_, n)| n).sum::<u64>(), 3);
}

#[test]
fn the_oldest_days_of_claude_code_are_not_whole() {
    let old = claude("msg_a", "r1", 5, false, "7T09:00:00").replace("2026-09-07", "2026-07-01");
    let usage = usage_of(&[&(old + &claude("msg_b", "r2", 5, false, "7T09:00:00"))]);
    let source = &usage.sources[0];
    assert!(source.notes.contains_key(&Note::Retention));
    // Thirty days back, without the day at the edge.
    let last = source.days.keys().next_back().expect("days");
    assert_eq!(source.kept_from, Some(last - 28));
}

#[test]
fn speed_and_tier_are_kept_apart() {
    let fast = claude("msg_a", "r1", 5, false, "7T09:00:00")
        .replace("\"output_tokens\":5", "\"output_tokens\":5,\"service_tier\":\"batch\"");
    let usage = usage_of(&[&fast]);
    assert_eq!((usage.batch.requests(), usage.peak.hour), (Some(1), None));
}

/// A header, and events of Codex: total and last as (input, cached, output).
fn header(id: &str, parent: &str) -> String {
    let parent = if parent.is_empty() { String::new() } else { format!(",\"forked_from_id\":\"{parent}\"") };
    format!(
        "{{\"timestamp\":\"2026-09-10T06:00:00Z\",\"type\":\"session_meta\",\"payload\":{{\"id\":\"{id}\",\
         \"cli_version\":\"1\",\"originator\":\"x\"{parent}}}}}\n"
    )
}
fn model(name: &str) -> String {
    format!(
        "{{\"timestamp\":\"2026-09-10T06:00:01Z\",\"type\":\"turn_context\",\"payload\":{{\"model\":\"{name}\",\
         \"approval_policy\":\"never\"}}}}\n"
    )
}
fn event(time: &str, total: [u64; 3], last: Option<[u64; 3]>) -> String {
    let usage = |[input, cached, output]: [u64; 3]| {
        format!(
            "{{\"input_tokens\":{input},\"cached_input_tokens\":{cached},\"output_tokens\":{output},\
             \"reasoning_output_tokens\":0,\"total_tokens\":{}}}",
            input + output
        )
    };
    let last = last.map_or(String::new(), |last| format!(",\"last_token_usage\":{}", usage(last)));
    format!(
        "{{\"timestamp\":\"2026-09-{time}Z\",\"type\":\"event_msg\",\"payload\":{{\"type\":\"token_count\",\
         \"info\":{{\"total_token_usage\":{}{last}}}}}}}\n",
        usage(total)
    )
}

#[test]
fn codex_events_that_come_again_are_dropped_and_falls_start_anew() {
    let file = header("a", "")
        + &event("10T06:01:00", [100, 0, 10], Some([100, 0, 10]))
        + &event("10T06:01:01", [100, 0, 10], Some([100, 0, 10]))
        + &model("gpt")
        + &event("10T06:02:00", [250, 90, 30], None)
        + &event("10T06:03:00", [60, 0, 5], Some([60, 0, 5]))
        + "{\"timestamp\":\"2026-09-10T06:04:00Z\",\"type\":\"event_msg\",\"payload\":{\"type\":\"token_count\",\"info\":null}}\n"
        + "{\"timestamp\":\"2026-09-10T06:04:00Z\",\"type\":\"event_msg\",\"payload\":{\"type\":\"token_usage_record\",\"info\":{\"total_token_usage\":{\"input_tokens\":9,\"output_tokens\":9}}}}\n";
    let usage = usage_of(&[&file]);
    assert_eq!((source(&usage), requests(&usage), usage.duplicates_dropped), ("codex-cli", Some(3), 1));
    assert_eq!(tokens(&usage), [100 + 60 + 60, 90, 0, 10 + 20 + 5, 0]);
    // Without a turn context yet, the model is unknown.
    assert_eq!(usage.by_model.iter().map(|m| m.name.as_str()).collect::<Vec<_>>(), ["unknown", "gpt"]);
}

#[test]
fn forks_of_codex_repeat_their_parent_in_whatever_order_the_files_come() {
    let shared = event("10T06:01:00", [100, 0, 10], Some([100, 0, 10]))
        + &event("10T06:02:00", [250, 90, 30], Some([150, 90, 20]));
    let parent =
        header("p", "") + &model("m") + &shared + &event("10T06:03:00", [300, 90, 40], Some([50, 0, 10]));
    // A fork repeats the parent's header, and its calls at the second of the fork.
    let replayed = shared.replace("10T06:01:00", "11T20:00:00").replace("10T06:02:00", "11T20:00:00");
    let child = header("c", "p")
        + &header("p", "")
        + &model("m")
        + &replayed
        + &event("11T20:05:00", [260, 90, 35], Some([10, 0, 5]));
    let grandchild = header("g", "c")
        + &model("m")
        + &replayed
        + &event("12T01:00:00", [260, 90, 35], Some([10, 0, 5]))
        + &event("12T02:00:00", [270, 90, 36], Some([10, 0, 1]));
    let all = [parent.as_str(), &child, &grandchild];
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [1, 0, 2], [0, 2, 1], [2, 0, 1]] {
        let usage = usage_of(&order.map(|n| all[n]));
        assert_eq!((requests(&usage), usage.duplicates_dropped), (Some(5), 5), "{order:?}");
        assert_eq!(tokens(&usage), [100 + 60 + 50 + 10 + 10, 90, 0, 10 + 20 + 10 + 5 + 1, 0], "{order:?}");
        // Nothing is at the second of the fork.
        let hours = usage.requests_by_hour_of_week_utc.expect("hours");
        assert_eq!(hours.get(&(4 * 24 + 20)), Some(&1), "{order:?}");
    }
}

#[test]
fn forks_whose_parent_is_gone_count_its_calls_once() {
    let shared = event("10T06:01:00", [100, 0, 10], Some([100, 0, 10]));
    let fork = |id: &str, n: u64| {
        header(id, "gone") + &shared + &event("10T07:00:00", [100 + n, 0, 10 + n], Some([n, 0, n]))
    };
    let usage = usage_of(&[&fork("a", 1), &fork("b", 2)]);
    assert_eq!((requests(&usage), usage.duplicates_dropped), (Some(3), 1));
    assert_eq!(tokens(&usage)[0], 103);
    assert!(usage.sources[0].notes.contains_key(&Note::ParentMissing));
}

#[test]
fn an_archived_copy_of_a_session_counts_once() {
    let session = header("a", "") + &event("10T06:01:00", [100, 0, 10], None);
    let longer = session.clone() + &event("10T06:02:00", [150, 0, 20], None);
    for files in [[session.as_str(), longer.as_str()], [longer.as_str(), session.as_str()]] {
        let usage = usage_of(&files);
        assert_eq!((requests(&usage), tokens(&usage)[0], usage.duplicates_dropped), (Some(2), 150, 1));
    }
}

const GEMINI: &str = r#"{"type":"gemini","id":"ID","timestamp":"2026-09-07T09:00:00.000Z","model":"gemini-3","tokens":{"input":100,"output":OUT,"cached":40,"thoughts":7,"tool":3,"total":TOTAL}}"#;

fn gemini(id: &str, output: u64) -> String {
    GEMINI.replace("ID", id).replace("OUT", &output.to_string()).replace("TOTAL", &(110 + output).to_string())
}

#[test]
fn gemini_rows_are_rewritten_and_the_last_counts() {
    let rows = [
        r#"{"sessionId":"s","projectHash":"h","startTime":"2026-09-07T09:00:00Z"}"#.to_owned(),
        r#"{"type":"user","id":"u","content":"text"}"#.to_owned(),
        gemini("a", 5),
        gemini("a", 20),
        gemini("b", 1),
        format!("{{\"$set\":{{\"messages\":[{},{}]}}}}", gemini("a", 20), gemini("b", 1)),
        // What a rewind hides was paid all the same.
        r#"{"$rewindTo":"a"}"#.to_owned(),
    ];
    let usage = usage_of(&[&rows.join("\n")]);
    assert_eq!((source(&usage), requests(&usage), usage.duplicates_dropped), ("gemini-cli", Some(2), 3));
    // Tools' answers are input, thoughts are output, cached tokens are inside the input.
    assert_eq!(tokens(&usage), [2 * 63, 80, 0, 21 + 14, 14]);
}

#[test]
fn a_gemini_document_says_the_same_as_its_rows() {
    let document = format!(
        "{{\n \"sessionId\": \"s\",\n \"projectHash\": \"h\",\n \"messages\": [\n{},\n{}\n ]\n}}\n",
        r#"{"type":"user","id":"u","content":"text"}"#,
        gemini("a", 20)
    );
    let usage = usage_of(&[&document, &gemini("a", 20)]);
    assert_eq!(
        (source(&usage), requests(&usage), tokens(&usage)),
        ("gemini-cli", Some(1), [63, 40, 0, 27, 7])
    );
}

#[test]
fn opencode_messages_are_read_from_files_and_from_an_export() {
    let message = r#"{"id":"msg_1","sessionID":"s","role":"assistant","modelID":"claude-x","providerID":"anthropic",
        "cost":0.01,"tokens":{"input":10,"output":20,"reasoning":5,"cache":{"read":30,"write":40}},
        "time":{"created":1788771600000}}"#;
    let export = format!("[{{\"id\":\"msg_1\",\"data\":{}}}]", serde_json::to_string(message).expect("text"));
    for files in [vec![message], vec![export.as_str()], vec![message, export.as_str()]] {
        let usage = usage_of(&files);
        assert_eq!((source(&usage), requests(&usage)), ("opencode", Some(1)));
        assert_eq!(tokens(&usage), [10, 30, 40, 25, 5]);
        assert_eq!(super::usd(&usage), Some(0.01));
    }
    let user = r#"{"id":"m","role":"user","modelID":"x","providerID":"y","tokens":{"cache":{"read":0}}}"#;
    assert_eq!(requests(&usage_of(&[user])), Some(0));
}
