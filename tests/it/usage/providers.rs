//! What providers and clouds export: OpenAI, Anthropic, OpenRouter, DeepSeek, Bedrock, Azure, Vertex.

use super::{requests, skipped, source, tokens, usage_of, usd};
use freehold::usage::Import;
use freehold::usage::summary::{Granularity, Note};
use std::io::Write as _;

fn page(results: &str, more: bool) -> String {
    format!(
        "{{\"object\":\"page\",\"data\":[{{\"object\":\"bucket\",\"start_time\":1788771600,\"end_time\":1788775200,\
         \"results\":[{results}]}}],\"has_more\":{more},\"next_page\":null}}\n"
    )
}

const RESULT: &str = r#"{"object":"organization.usage.completions.result","input_tokens":"120","output_tokens":9.0,"input_cached_tokens":80,"num_model_requests":4,"project_id":null,"model":null,"batch":null}"#;

#[test]
fn openai_pages_without_a_group_have_no_model_and_say_if_they_are_cut_off() {
    let usage = usage_of(&[&page(RESULT, true)]);
    assert_eq!(
        (source(&usage), requests(&usage), tokens(&usage)),
        ("openai-usage-api", Some(4), [40, 80, 0, 9, 0])
    );
    assert_eq!(usage.by_model[0].name, "unknown");
    assert!(usage.sources[0].notes.contains_key(&Note::CutOff));
    // The page that follows takes the remark back; the same page again adds nothing.
    let usage = usage_of(&[&(page(RESULT, true) + &page(RESULT, false))]);
    assert!(!usage.sources[0].notes.contains_key(&Note::CutOff));
    assert_eq!((requests(&usage), usage.duplicates_dropped), (Some(4), 1));
    assert_eq!(usage.distribution.err(), Some(freehold::usage::summary::Missing::OnlyBuckets));
}

#[test]
fn an_openai_bucket_that_was_still_open_grows() {
    let grown = RESULT.replace("\"120\"", "220");
    for files in [[page(RESULT, false), page(&grown, false)], [page(&grown, false), page(RESULT, false)]] {
        let usage = usage_of(&[&files[0], &files[1]]);
        assert_eq!((requests(&usage), tokens(&usage)[0]), (Some(4), 140));
    }
}

#[test]
fn openai_rows_grouped_differently_are_said_to_be() {
    let by_model = RESULT.replace("\"model\":null", "\"model\":\"gpt\"");
    let usage = usage_of(&[&page(RESULT, false), &page(&by_model, false)]);
    assert!(usage.sources[0].notes.contains_key(&Note::GroupedDifferently));
}

#[test]
fn openai_pages_may_be_printed_over_many_lines() {
    let value: serde_json::Value = serde_json::from_str(&page(RESULT, false)).expect("JSON");
    let pretty = serde_json::to_string_pretty(&value).expect("JSON");
    assert_eq!(requests(&usage_of(&[&pretty])), Some(4));
    assert_eq!(requests(&usage_of(&[&(pretty.clone() + &pretty)])), Some(4));
    let list = serde_json::to_string(&[&value, &value]).expect("JSON");
    assert_eq!(requests(&usage_of(&[&list])), Some(4));
}

#[test]
fn a_quiet_openai_export_has_four_columns() {
    let csv = "start_time,end_time,start_time_iso,end_time_iso\n\
               1788771600,1788858000,2026-09-07T09:00:00+00:00,2026-09-08T09:00:00+00:00\n";
    let usage = usage_of(&[csv]);
    assert_eq!(
        (requests(&usage), skipped(&usage)),
        (Some(0), vec![("empty bucket row (no counters)".into(), 1)])
    );
}

#[test]
fn openai_exports_of_days_have_no_hours_and_batches_no_peak() {
    let csv = "model,batch,num_model_requests,input_tokens,output_tokens,start_time,end_time,start_time_iso,end_time_iso,api_key_id\n\
               gpt,False,3.0,30.0,6.0,1788739200,1788825600,,,a\n\
               gpt,False,4.0,30.0,6.0,1788739200,1788825600,,,b\n\
               gpt,True,50.0,10.0,1.0,1788739200,1788825600,,,b\n";
    let usage = usage_of(&[csv, csv]);
    assert_eq!((requests(&usage), usage.duplicates_dropped), (Some(57), 3));
    assert_eq!((usage.requests_by_hour_of_week_utc, usage.peak.hour), (None, None));
    assert_eq!((usage.by_day.len(), usage.batch.requests()), (1, Some(50)));
    assert_eq!(usage.sources[0].granularity, Some(Granularity::Bucket(86_400)));
    let minutes = csv.replace("1788825600", "1788739260");
    let peak = usage_of(&[&minutes]).peak;
    assert_eq!(peak.minute.map(|b| b.requests), Some(7));
}

#[test]
fn an_openai_cost_export_is_a_bill_without_tokens() {
    let csv = "start_time,end_time,start_time_iso,end_time_iso,amount_value,amount_currency,line_item\n\
               1788739200,1788825600,,,1.5,usd,gpt input\n1788739200,1788825600,,,2,eur,gpt input\n";
    let usage = usage_of(&[csv]);
    assert_eq!(usd(&usage), Some(1.5));
    assert!(usage.bill.from_report);
    let other: Vec<_> = usage.bill.other.iter().map(|(c, a)| (c.code().to_owned(), a.get())).collect();
    assert_eq!(other, [("EUR".to_owned(), 2.0)]);
}

#[test]
fn anthropic_reports_count_no_requests_and_bill_in_cents() {
    let report = r#"{"data":[{"starting_at":"2026-09-07T00:00:00Z","ending_at":"2026-09-08T00:00:00Z","results":[
        {"uncached_input_tokens":5,"cache_creation":{"ephemeral_5m_input_tokens":1,"ephemeral_1h_input_tokens":2},
         "cache_read_input_tokens":3,"output_tokens":4,"model":"c","service_tier":"batch","context_window":"200k-1M"}]}],
        "has_more":false,"next_page":null}"#;
    let cost = r#"{"data":[{"starting_at":"2026-09-07T00:00:00Z","ending_at":"2026-09-08T00:00:00Z","results":[
        {"amount":"123.78912","currency":"USD","token_type":"output_tokens"}]}],"has_more":true,"next_page":"x"}"#;
    let usage = usage_of(&[report, cost, cost]);
    assert_eq!(
        (source(&usage), requests(&usage), tokens(&usage)),
        ("anthropic-usage-api", None, [5, 3, 3, 4, 0])
    );
    assert_eq!(
        (usage.totals.cache_write_5m, usage.totals.cache_write_1h, usd(&usage)),
        (1, 2, Some(1.237_891_2))
    );
    // A bucket of a day has no hour.
    assert_eq!((usage.tokens_by_hour_of_week_utc, usage.by_day.len(), usage.batch.input), (None, 1, 5));
    assert!(usage.sources[0].notes.contains_key(&Note::CutOff));
}

#[test]
fn console_exports_of_days_have_no_hour() {
    let csv = "usage_date_utc,model_version,api_key,workspace,usage_type,context_window,usage_input_tokens_no_cache,\
               usage_input_tokens_cache_write_5m,usage_input_tokens_cache_write_1h,usage_input_tokens_cache_read,usage_output_tokens\n\
               2026-09-07,c,k,\"Team, one\",standard,≤ 200k,10,1,2,3,4\n";
    let usage = usage_of(&[csv]);
    assert_eq!((requests(&usage), tokens(&usage)), (None, [10, 3, 3, 4, 0]));
    assert_eq!((usage.tokens_by_hour_of_week_utc, usage.by_day.len()), (None, 1));
}

const OPENROUTER: &str = "generation_id,created_at,cost_total,cost_cache,byok_usage_inference,tokens_prompt,tokens_completion,tokens_reasoning,model_permaslug\n";

#[test]
fn openrouter_bills_what_it_charged_and_names_own_keys_apart() {
    let csv = OPENROUTER.to_owned()
        + "gen-1788772200-aaaaaaaaaaaa,2026-09-07 09:10:00,0.5,-0.1,0,100,10,5,m\n"
        + "gen-1788772201-bbbbbbbbbbbb,2026-09-07 09:10:01,1.2e-05,0,0.25,100,10,0,m\n"
        + "gen-1788772201-bbbbbbbbbbbb,2026-09-07 09:10:01,1.2e-05,0,0.25,100,10,0,m\n";
    let usage = usage_of(&[&csv]);
    assert_eq!(
        (usd(&usage), usage.bill.byok_usd.map(freehold::usage::summary::Usd::get)),
        (Some(0.500_012), Some(0.25))
    );
    // An older export does not say what was cached: unknown, not 0.
    assert_eq!((usage.totals.records_stating_cache_read, tokens(&usage)), (0, [200, 0, 0, 20, 5]));
}

#[test]
fn openrouters_activity_api_counts_days() {
    let json = r#"{"data":[{"date":"2026-09-07","model":"m","model_permaslug":"m-1","provider_name":"P","usage":0.5,
        "byok_usage_inference":0.1,"requests":7,"prompt_tokens":100,"completion_tokens":20,"reasoning_tokens":4}]}"#;
    let usage = usage_of(&[json, json]);
    assert_eq!(
        (source(&usage), requests(&usage), tokens(&usage)),
        ("openrouter-activity-api", Some(7), [100, 0, 0, 20, 4])
    );
    assert_eq!(
        (usd(&usage), usage.bill.byok_usd.map(freehold::usage::summary::Usd::get), usage.duplicates_dropped),
        (Some(0.5), Some(0.1), 1)
    );
    assert_eq!(usage.by_model[0].name, "m-1");
    assert_eq!(usage.requests_by_hour_of_week_utc, None);
}

#[test]
fn deepseek_rows_are_one_kind_of_amount_each() {
    let csv = "\u{feff}user_id,start_time_iso,end_time_iso,model,api_key_name,api_key,type,price,amount\r\n\
        u,2026-09-07T08:00:00+08:00,2026-09-07T09:00:00+08:00,d,n,k,output_tokens,0.000002,10\r\n\
        u,2026-09-07T08:00:00+08:00,2026-09-07T09:00:00+08:00,d,n,k,request_count,,2\r\n\
        u,2026-09-07T08:00:00+08:00,2026-09-07T09:00:00+08:00,d,n,k,coupons,,2\r\n";
    let usage = usage_of(&[csv, csv]);
    assert_eq!((requests(&usage), tokens(&usage), usd(&usage)), (Some(2), [0, 0, 0, 10, 0], Some(0.000_02)));
    assert!(usage.bill.currency_assumed);
    assert_eq!(
        usage.requests_by_hour_of_week_utc.map(|h| h.into_iter().collect::<Vec<_>>()),
        Some(vec![(0, 2)])
    );
}

const BEDROCK: &str = r#"{"schemaType":"ModelInvocationLog","timestamp":"2026-09-07T09:00:00Z","requestId":"ID","operation":"OP","modelId":"MODEL","input":{"inputTokenCount":3,"cacheReadInputTokenCount":7,"cacheWriteInputTokenCount":100},"output":{"outputBodyJson":BODY,"outputTokenCount":13}}"#;

#[test]
fn bedrock_lifetimes_are_in_the_body_and_may_be_missing() {
    let row = |id: &str, body: &str| {
        BEDROCK.replace("ID", id).replace("OP", "InvokeModel").replace("MODEL", "m").replace("BODY", body)
    };
    let split = |body: &str| {
        let t = usage_of(&[&row("a", body)]).totals;
        [t.input, t.cache_read, t.cache_write_5m, t.cache_write_1h, t.cache_write_other]
    };
    assert_eq!(split("{}"), [3, 7, 0, 0, 100]);
    assert_eq!(
        split(r#"{"usage":{"cacheDetails":[{"inputTokens":60,"ttl":"1h"},{"ttl":"5m","inputTokens":40}]}}"#),
        [3, 7, 40, 60, 0]
    );
    assert_eq!(
        split(
            r#"{"usage":{"cache_creation":{"ephemeral_5m_input_tokens":40,"ephemeral_1h_input_tokens":50}}}"#
        ),
        [3, 7, 40, 50, 10]
    );
    // A stream's body is the list of its events.
    assert_eq!(
        split(
            r#"[{"type":"message_start","message":{"usage":{"cache_creation":{"ephemeral_1h_input_tokens":100}}}},{"x":1}]"#
        ),
        [3, 7, 0, 100, 0]
    );
}

#[test]
fn bedrock_logs_come_packed_and_in_envelopes() {
    let row = BEDROCK
        .replace("ID", "a")
        .replace("OP", "Converse")
        .replace("MODEL", "arn:aws:bedrock:r:1:application-inference-profile/x")
        .replace("BODY", "{}");
    let envelope = format!(
        "{{\"messageType\":\"DATA_MESSAGE\",\"logEvents\":[{{\"id\":\"1\",\"timestamp\":1788771600000,\"message\":{}}}]}}\n",
        serde_json::to_string(&row).expect("text")
    );
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(row.as_bytes()).expect("packs");
    let packed = packed.finish().expect("packs");
    let mut import = Import::new(freehold::usage::Settings::default(), None);
    import.read(packed.as_slice()).expect("unpacks");
    import.read(envelope.as_bytes()).expect("unwraps");
    let usage = import.finish();
    assert_eq!(
        (source(&usage), requests(&usage), usage.duplicates_dropped),
        ("bedrock-invocation-log", Some(1), 1)
    );
    assert!(usage.sources[0].notes.contains_key(&Note::HiddenModel));
}

#[test]
fn azure_metrics_are_joined_by_deployment_and_time() {
    let metric = |name: &str, points: &str| {
        format!(
            "{{\"name\":{{\"value\":\"{name}\"}},\"timeseries\":[{{\"metadatavalues\":[{{\"value\":\"gpt\",\
             \"name\":{{\"value\":\"modelname\"}}}}],\"data\":[{points}]}}]}}"
        )
    };
    let at = |hour: u32, total: &str| {
        format!("{{\"timeStamp\":\"2026-09-07T{hour:02}:00:00Z\",\"total\":{total}}}")
    };
    let json = format!(
        "{{\"interval\":\"PT1H\",\"value\":[{},{},{},{}]}}",
        metric("AzureOpenAIRequests", &[at(9, "3.0"), at(10, "0.0"), at(11, "null")].join(",")),
        metric("ProcessedPromptTokens", &[at(9, "100.0"), at(10, "0.0")].join(",")),
        metric("GeneratedTokens", &at(9, "20.0")),
        metric("TokenTransaction", &at(9, "120.0")),
    );
    let usage = usage_of(&[&json, &json]);
    assert_eq!(
        (source(&usage), requests(&usage), tokens(&usage)),
        ("azure-metrics", Some(3), [100, 0, 0, 20, 0])
    );
    assert_eq!(usage.by_model[0].name, "gpt");
    assert_eq!(
        usage.requests_by_hour_of_week_utc.map(|h| h.into_iter().collect::<Vec<_>>()),
        Some(vec![(9, 3)])
    );
    assert!(usage.sources[0].notes.contains_key(&Note::RequestsIncludeFailed));
    assert_eq!(
        (usage.totals.records_stating_cache_read, usage.sources[0].granularity),
        (0, Some(Granularity::Bucket(3600)))
    );
}

#[test]
fn azure_requests_with_their_status_leave_the_failed_out() {
    let series = |status: &str, total: u32| {
        format!(
            "{{\"metadatavalues\":[{{\"name\":{{\"value\":\"statuscode\"}},\"value\":\"{status}\"}}],\
             \"data\":[{{\"timeStamp\":\"2026-09-07T09:00:00Z\",\"total\":{total}}}]}}"
        )
    };
    let json = format!(
        "{{\"interval\":\"PT1M\",\"value\":[{{\"name\":{{\"value\":\"AzureOpenAIRequests\"}},\"timeseries\":[{},{}]}}]}}",
        series("200", 5),
        series("429", 2)
    );
    let usage = usage_of(&[&json]);
    assert_eq!(
        (requests(&usage), skipped(&usage)),
        (Some(5), vec![("failed requests (status 429)".into(), 1)])
    );
}

#[test]
fn vertex_numbers_are_strings_and_thoughts_stand_beside() {
    let row = r#"{"logging_time":"2026-09-07 09:00:00.123 UTC","model":"publishers/google/models/gemini-3","request_id":"123456789012","full_request":{"contents":[]},"full_response":{"usageMetadata":{"promptTokenCount":"100","cachedContentTokenCount":"60","candidatesTokenCount":"20","thoughtsTokenCount":"30","toolUsePromptTokenCount":"5","totalTokenCount":"155"}},"samplingRate":0.25}"#;
    let usage = usage_of(&[&format!("{row}\n{row}\n")]);
    assert_eq!(
        (source(&usage), requests(&usage), usage.duplicates_dropped),
        ("vertex-request-log", Some(1), 1)
    );
    assert_eq!(tokens(&usage), [45, 60, 0, 50, 30]);
    assert_eq!(usage.sources[0].sampling, Some(0.25));
    // As BigQuery's CSV export: the answer is JSON in a cell.
    let csv = "logging_time,model,request_id,full_response\n\
               2026-09-07 09:00:00 UTC,g,1,\"{\"\"usageMetadata\"\":{\"\"promptTokenCount\"\":7,\"\"candidatesTokenCount\"\":2}}\"\n";
    assert_eq!(tokens(&usage_of(&[csv])), [7, 0, 0, 2, 0]);
}
