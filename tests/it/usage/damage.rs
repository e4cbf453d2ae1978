//! Files that are damaged, foreign, mixed, huge or in another encoding.

use super::{refused, requests, skipped, tokens, usage_of, with};
use freehold::usage::recognise::Mixed;
use freehold::usage::{Foreign, Import, Outcome, Settings, Unreadable, by_name};
use std::io::Read as _;

fn row(n: usize) -> String {
    format!(
        "{{\"id\":\"id-{n}\",\"model\":\"m\",\"created\":1788771600,\"usage\":{{\"prompt_tokens\":10,\"completion_tokens\":1}}}}\n"
    )
}

#[test]
fn damaged_lines_are_skipped_and_named_by_their_line() {
    let log = row(1)
        + "{\"usage\":\nnot JSON at all\n"
        + &row(2)
        + "\u{0}\n[1,2\n\n"
        + &row(3)
        + "{\"id\":\"x\",\"usa";
    let usage = usage_of(&[&log]);
    assert_eq!(
        (requests(&usage), skipped(&usage)),
        (Some(3), vec![("damaged line".into(), 4), ("torn JSON line (file still being written)".into(), 1)])
    );
    let lines: Vec<_> = usage.skipped[0].lines.iter().map(|p| (p.file, p.line)).collect();
    assert_eq!(lines, [(1, 2), (1, 3), (1, 5)]);
    assert_eq!(usage.skipped[1].lines[0].line, 9);
}

#[test]
fn a_log_cut_at_any_byte_is_read_up_to_there() {
    let log: String = (0..4).map(row).collect();
    let whole = row(0).len();
    for cut in 0..log.len() {
        let mut import = Import::new(Settings::default(), None);
        let read = import.read(&log.as_bytes()[..cut]);
        // A first line that is cut cannot be recognised; nothing else may fail.
        if cut >= whole - 1 {
            read.unwrap_or_else(|e| panic!("{cut}: {e:?}"));
            let full = (cut + 1) / whole;
            assert_eq!(import.finish().totals.requests(), Some(full as u64), "{cut}");
        }
    }
}

#[test]
fn a_file_that_begins_in_the_middle_of_a_line_is_read() {
    let log = "ens\":10,\"completion_tokens\":1}}\n".to_owned() + &row(1) + &row(2);
    assert_eq!(requests(&usage_of(&[&log])), Some(2));
}

#[test]
fn any_byte_changed_is_no_panic_and_adds_nothing_wild() {
    let samples = [
        row(1) + &row(2),
        "generation_id,created_at,cost_total,tokens_prompt,tokens_completion,model_permaslug\ngen-1,2026-09-07 09:10:00,0.5,10,1,m\n".to_owned(),
        "vllm:prompt_tokens_total{model_name=\"q\"} 10\n".to_owned(),
        "{\"status\":\"success\",\"data\":{\"result\":[{\"metric\":{\"__name__\":\"vllm:prompt_tokens_total\"},\"values\":[[1788771600,\"1\"],[1788775200,\"11\"]]}]}}".to_owned(),
    ];
    for sample in samples {
        for at in 0..sample.len() {
            for byte in [0u8, b'"', b'{', b'}', b',', b'\n', 0xff, b'9'] {
                let mut bytes = sample.clone().into_bytes();
                bytes[at] = byte;
                let mut import = Import::new(Settings::default(), None);
                let _ = import.read(bytes.as_slice());
                let _ = import.finish();
            }
        }
    }
}

#[test]
fn dates_in_the_future_and_absurd_counts_are_skipped() {
    let now = Some(1_788_771_600 + 3600);
    let future = row(2).replace("1788771600", "1799999999");
    let absurd = row(3).replace("\"prompt_tokens\":10", "\"prompt_tokens\":5000000000");
    let negative = row(4).replace("\"prompt_tokens\":10", "\"prompt_tokens\":-10");
    let huge = row(5).replace("\"prompt_tokens\":10", "\"prompt_tokens\":1e300");
    let half = row(6).replace("\"prompt_tokens\":10", "\"prompt_tokens\":1.5");
    let log = row(1) + &future + &absurd + &negative + &huge + &half;
    let usage = with(&[&log], Settings { now, ..Settings::default() });
    assert_eq!((requests(&usage), tokens(&usage)[0]), (Some(1), 10));
    let mut reasons = skipped(&usage);
    reasons.sort();
    let wanted =
        [("absurd count", 2), ("negative count", 1), ("time in the future", 1), ("unreadable count", 1)];
    assert_eq!(reasons, wanted.map(|(r, n)| (r.to_owned(), n)));
}

#[test]
fn counters_that_would_overflow_are_absurd() {
    let bucket = |n: u64| {
        format!(
            "{{\"object\":\"page\",\"data\":[{{\"start_time\":{n},\"end_time\":{},\"results\":[{{\"input_tokens\":18446744073709551000,\"output_tokens\":5,\"num_model_requests\":1}}]}}],\"has_more\":false}}\n",
            n + 60
        )
    };
    let usage = usage_of(&[&(bucket(1_788_771_600) + &bucket(1_788_771_660))]);
    assert_eq!(
        (usage.totals.input, skipped(&usage)),
        (18_446_744_073_709_551_000, vec![("absurd count".into(), 1)])
    );
}

#[test]
fn other_encodings_are_the_same_text() {
    let csv = "generation_id,created_at,cost_total,tokens_prompt,tokens_completion,model_permaslug\r\ngen-1,2026-09-07 09:10:00,0.5,10,1,modèle\r\n";
    let utf16: Vec<u8> =
        std::iter::once(0xfeff).chain(csv.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let mut import = Import::new(Settings::default(), None);
    import.read(utf16.as_slice()).expect("UTF-16");
    let usage = import.finish();
    assert_eq!((requests(&usage), usage.by_model[0].name.as_str()), (Some(1), "modèle"));
    // Latin-1: numbers are right, the name cannot be.
    let latin: Vec<u8> = csv.replace('è', "\u{1}").bytes().map(|b| if b == 1 { 0xe8 } else { b }).collect();
    let mut import = Import::new(Settings::default(), None);
    import.read(latin.as_slice()).expect("Latin-1");
    assert_eq!(import.finish().totals.input, 10);
}

#[test]
fn what_is_no_text_is_named() {
    for (bytes, foreign) in [
        (&b"SQLite format 3\0rest"[..], Foreign::Sqlite),
        (b"PK\x03\x04rest", Foreign::Zip),
        (b"PAR1rest", Foreign::Parquet),
        (b"\0\0\0\0\x01\x02", Foreign::Binary),
    ] {
        match Import::new(Settings::default(), None).read(bytes) {
            Err(Unreadable::Foreign(found)) => assert_eq!(found, foreign),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(Import::new(Settings::default(), None).read(&b" \n"[..]).expect("empty"), Outcome::Empty);
    assert!(matches!(refused("just some words\nand more\n"), Unreadable::Unknown(_)));
}

#[test]
fn two_formats_in_one_file_are_named_and_one_can_be_read() {
    let litellm = r#"{"request_id":"a","call_type":"acompletion","spend":0.1,"prompt_tokens":5,"completion_tokens":1,"startTime":"2026-09-07T09:00:00"}"#;
    let log = row(1) + &row(2) + litellm + "\n";
    match refused(&log) {
        Unreadable::Mixed(Mixed(formats)) => {
            assert_eq!(formats, [("api-responses", 2), ("litellm-spend-logs", 1)]);
        }
        other => panic!("{other:?}"),
    }
    let usage = with(&[&log], Settings { from: by_name("litellm-spend-logs"), ..Settings::default() });
    assert_eq!((requests(&usage), skipped(&usage).len()), (Some(1), 1));
}

#[test]
fn exports_put_one_after_the_other_are_one_table() {
    let csv = "generation_id,created_at,tokens_prompt,tokens_completion\n";
    let log = format!("{csv}gen-1,2026-09-07 09:10:00,10,1\n{csv}gen-2,2026-09-07 09:10:00,10,1\n");
    let usage = usage_of(&[&log]);
    assert_eq!((requests(&usage), usage.skipped.len()), (Some(2), 0));
}

#[test]
fn rows_of_a_table_with_cells_missing_are_damaged_or_torn() {
    let csv = "generation_id,created_at,tokens_prompt,tokens_completion\ngen-1,2026-09-07 09:10:00,10\ngen-2,2026-09-07 09:10:00,10,1,9\n\
               gen-3,2026-09-07 09:10:00,10,1\ngen-4,2026-09-07 09:";
    let usage = usage_of(&[csv]);
    assert_eq!(
        (requests(&usage), skipped(&usage)),
        (Some(1), vec![("damaged line".into(), 2), ("torn row (file still being written)".into(), 1)])
    );
    let open = "generation_id,created_at,tokens_prompt,tokens_completion\ngen-1,2026-09-07 09:10:00,10,1\n\"gen-2,2026-09-07 09:10:00,10,1\n";
    assert!(skipped(&usage_of(&[open]))[0].0.contains("never closed"));
}

#[test]
fn nothing_deep_or_long_is_kept() {
    let deep = "[".repeat(100_000);
    assert!(matches!(refused(&deep), Unreadable::Unknown(_)));
    let mut import = Import::new(Settings::default(), None);
    let nested = row(1) + &"{\"usage\":".repeat(5000) + "\n" + &row(2);
    import.read(nested.as_bytes()).expect("reads");
    assert_eq!(import.finish().totals.requests(), Some(2));
    // A line of 40 MiB, and a document whose text never ends.
    let long = std::io::Cursor::new(row(1).into_bytes())
        .chain(std::io::repeat(b'x').take(40 << 20))
        .chain(&b"\n"[..]);
    let mut import = Import::new(Settings::default(), None);
    import.read(long.chain(std::io::Cursor::new(row(2).into_bytes()))).expect("reads");
    let usage = import.finish();
    assert_eq!((requests(&usage), skipped(&usage)), (Some(2), vec![("line longer than 32 MiB".into(), 1)]));
    let document = &b"{\n\"data\":[\n{\"id\":\"a\",\"type\":\"GENERATION\",\"startTime\":\"2026-09-07T09:00:00Z\",\"usageDetails\":{\"input\":5}},{\"id\":\""[..];
    let mut import = Import::new(Settings::default(), None);
    import.read(document.chain(std::io::repeat(b'x').take(200 << 20))).expect("reads");
    let usage = import.finish();
    assert_eq!((requests(&usage), skipped(&usage)[0].1), (Some(1), 1));
}
