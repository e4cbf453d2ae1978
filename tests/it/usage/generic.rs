//! Any table and any JSON log, with a mapping.

use super::{mapped, refused, requests, skipped, tokens, usd, with};
use freehold::usage::{Import, Mapping, Settings, Unreadable};

#[test]
fn json_keys_may_be_nested_or_have_dots() {
    let rows = "{\"t\":1788771600,\"usage\":{\"in\":100,\"out\":9,\"hit\":60},\"who\":\"m\"}\n\
                {\"t\":1788771600000,\"usage.in\":100,\"usage.out\":9,\"who\":\"m\"}\n";
    let usage = mapped(
        rows,
        "time=t,model=who,input=usage.in,output=usage.out,cache_read=usage.hit,input.includes_cached=true",
    );
    assert_eq!((requests(&usage), tokens(&usage)), (Some(2), [140, 60, 0, 18, 0]));
    let mut fields: Vec<_> = usage.sources[0].fields.iter().map(|(n, c)| (n.as_str(), *c)).collect();
    fields.sort_unstable();
    assert_eq!(fields, [("t", 2), ("usage.hit", 1), ("usage.in", 2), ("usage.out", 2), ("who", 2)]);
}

#[test]
fn documents_say_where_their_rows_are() {
    let json = "{\"records\": [\n {\"a\": 5, \"b\": 1},\n {\"a\": 6, \"b\": 2}\n]}";
    assert_eq!(tokens(&mapped(json, "input=a,output=b,rows=records")), [11, 0, 0, 3, 0]);
    assert_eq!(tokens(&mapped("[{\"a\":5},{\"a\":6}]", "input=a")), [11, 0, 0, 0, 0]);
}

#[test]
fn what_the_mapping_does_not_say_is_not_guessed() {
    let csv = "t;in;out\n07/09/2026 11:00;1;1\n2026-09-07T11:00:00Z;1.200;1\n2026-09-07T11:00:00Z;1,200;1\n\
               2026-09-07T11:00:00Z;-1;1\n2026-09-07T11:00:00Z;x;1\n2026-09-07T11:00:00Z;99999999999999999999;1\n\
               2026-09-07T11:00:00Z;5;\n2026-09-07T11:00:00Z;;\n";
    let usage = mapped(csv, "time=t,input=in,output=out");
    assert_eq!((requests(&usage), tokens(&usage)), (Some(1), [5, 0, 0, 0, 0]));
    let reasons: Vec<(String, u64)> = skipped(&usage);
    let count = |word: &str| reasons.iter().filter(|(r, _)| r.contains(word)).map(|(_, n)| n).sum::<u64>();
    assert_eq!((count("ambiguous date"), count("ambiguous number"), count("negative")), (1, 2, 1));
    assert_eq!((count("unreadable count"), count("absurd"), count("without token counts")), (1, 1, 1));
    // Damage is named by its line, and by nothing else.
    let lines: Vec<u64> = usage.skipped.iter().flat_map(|s| s.lines.iter().map(|p| p.line)).collect();
    assert_eq!(lines, [2, 3, 4, 5, 6, 7]);
}

#[test]
fn other_currencies_are_no_dollars() {
    let csv = "in,cost,id\n5,\"1,5\",a\n5,\"1,5\",a\n";
    let usage = mapped(csv, "input=in,cost=cost,cost.currency=EUR,cost.decimal=;,id=id");
    assert_eq!(usd(&usage), None);
    let mapping = r#"{"input":"in","id":"id","cost":{"column":"cost","decimal":",","currency":"EUR"}}"#;
    let mapping = Some(Mapping::from_json(mapping).expect("good"));
    let usage = with(&[csv], Settings { mapping, ..Settings::default() });
    let other: Vec<_> = usage.bill.other.iter().map(|(c, a)| (c.code().to_owned(), a.get())).collect();
    assert_eq!((other, usd(&usage), usage.duplicates_dropped), (vec![("EUR".to_owned(), 1.5)], None, 1));
}

#[test]
fn rows_may_be_buckets_and_have_one_model() {
    let csv = "day,n,in,out\n2026-09-07,10,1000,100\n2026-09-08,30,3000,300\n";
    let usage = mapped(csv, "time=day,requests=n,input=in,output=out,model.value=gpt-x");
    assert_eq!(
        (requests(&usage), usage.by_model[0].name.as_str(), usage.by_day.len()),
        (Some(40), "gpt-x", 2)
    );
    assert!(usage.distribution.is_err());
    assert_eq!(usage.mean.map(|m| m.input), Some(100.0));
    let hourly = mapped("h,in\n2026-09-07T09:00:00Z,1000\n", "time=h,time.span=1h,input=in");
    assert_eq!((requests(&hourly), hourly.tokens_by_hour_of_week_utc.map(|h| h.len())), (None, Some(1)));
}

#[test]
fn equal_rows_without_an_id_are_two_requests() {
    assert_eq!(requests(&mapped("in,out\n5,5\n5,5\n", "input=in,output=out")), Some(2));
    assert_eq!(requests(&mapped("id,in\na,5\na,5\nb,5\n", "input=in,id=id")), Some(2));
}

#[test]
fn a_time_zone_moves_hours_with_the_season() {
    let csv = "t,in\n2026-01-05 10:00:00,1\n2026-07-06 10:00:00,1\n";
    let usage = mapped(csv, "time=t,time.zone=Europe/Berlin,input=in");
    let hours: Vec<_> = usage.requests_by_hour_of_week_utc.expect("hours").into_iter().collect();
    assert_eq!(hours, [(8, 1), (9, 1)]);
}

#[test]
fn columns_that_are_not_there_are_named() {
    let mapping = Some(Mapping::from_pairs("input=tokns_in").expect("good"));
    let mut import = Import::new(Settings { mapping, ..Settings::default() }, None);
    match import.read(&b"tokens_in,tokens_out,name\n5,6,x\n"[..]) {
        Err(Unreadable::NoSuchColumns { wanted, found }) => {
            assert_eq!(
                (wanted, found.fields),
                (vec!["tokns_in".to_owned()], vec!["tokens_in".to_owned(), "tokens_out".to_owned()])
            );
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_unknown_table_comes_with_a_mapping_that_may_be_right() {
    match refused("when,model,prompt_tokens,completion_tokens,customer\n2026-09-07,m,5,6,ACME\n") {
        Unreadable::Unknown(unknown) => {
            assert_eq!(
                unknown.suggested.as_deref(),
                Some("model=model,input=prompt_tokens,output=completion_tokens")
            );
            assert_eq!(unknown.others, 2);
        }
        other => panic!("{other:?}"),
    }
    match refused("{\"request_id\":\"a\",\"call_type\":\"x\",\"prompt_tokens\":5}\n") {
        Unreadable::Unknown(unknown) => assert_eq!(unknown.nearest, Some("litellm-spend-logs")),
        other => panic!("{other:?}"),
    }
}
