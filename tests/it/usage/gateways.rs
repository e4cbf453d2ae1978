//! Gateways and observability: LiteLLM, Langfuse, Helicone, OpenTelemetry, answers as they came.

use super::{requests, skipped, source, tokens, usage_of, usd};
use freehold::usage::summary::Note;
use serde_json::{Value, json};

fn litellm(id: &str, extra: Value) -> String {
    let mut row = json!({"request_id": id, "call_type": "acompletion", "spend": 0.01, "prompt_tokens": 100,
        "completion_tokens": 10, "total_tokens": 110, "startTime": "2026-09-07T09:00:00", "model": "m",
        "cache_hit": "False", "status": "success", "metadata": {}});
    for (key, value) in extra.as_object().expect("an object") {
        row[key] = value.clone();
    }
    row.to_string() + "\n"
}

#[test]
fn litellm_metadata_is_an_object_or_a_text() {
    let usage_object = json!({"usage_object": {"prompt_tokens_details": {"cached_tokens": 60}}});
    for metadata in [usage_object.clone(), json!(usage_object.to_string())] {
        let usage = usage_of(&[&litellm("a", json!({"metadata": metadata}))]);
        assert_eq!((source(&usage), tokens(&usage)), ("litellm-spend-logs", [40, 60, 0, 10, 0]));
    }
    let additional = json!({"additional_usage_values": {"cache_read_input_tokens": 60, "cache_creation_input_tokens": 30}});
    assert_eq!(tokens(&usage_of(&[&litellm("a", json!({"metadata": additional}))])), [10, 60, 30, 10, 0]);
}

#[test]
fn litellm_anthropic_rows_may_leave_the_cache_out() {
    let usage_object =
        json!({"usage_object": {"cache_read_input_tokens": 2495, "cache_creation_input_tokens": 100}});
    let row = litellm("a", json!({"call_type": "anthropic_messages", "metadata": usage_object}));
    assert_eq!(tokens(&usage_of(&[&row])), [100, 2495, 100, 10, 0]);
}

#[test]
fn litellm_rows_without_a_model_call_are_apart_and_their_spend_is_billed() {
    let rows = litellm("a", json!({}))
        + &litellm("a_cache_hit1788771999", json!({"cache_hit": "True", "spend": 0}))
        + &litellm("e", json!({"call_type": "aembedding", "completion_tokens": 0, "spend": 0.002}))
        + &litellm("f", json!({"status": "failure", "prompt_tokens": 0, "completion_tokens": 0, "spend": 0}))
        + &litellm("i", json!({"call_type": "aimage_generation", "spend": 0.04}))
        + &litellm("e", json!({"call_type": "aembedding", "completion_tokens": 0, "spend": 0.002}));
    let usage = usage_of(&[&rows]);
    assert_eq!((requests(&usage), usd(&usage), usage.duplicates_dropped), (Some(1), Some(0.052), 1));
    assert_eq!((usage.embeddings.requests, usage.embeddings.input), (1, 100));
    assert_eq!((usage.failed, usage.response_cache_hits), (1, 1));
}

#[test]
fn litellm_dumps_come_as_csv_too() {
    let csv = "request_id,call_type,spend,prompt_tokens,completion_tokens,total_tokens,startTime,model,cache_hit,metadata\n\
        a,acompletion,1e-05,100,10,110,2026-09-07 09:00:00.123,m,False,\"{\"\"usage_object\"\":{\"\"prompt_tokens_details\"\":{\"\"cached_tokens\"\":60}}}\"\n";
    let usage = usage_of(&[csv]);
    assert_eq!(
        (source(&usage), tokens(&usage), usd(&usage)),
        ("litellm-spend-logs", [40, 60, 0, 10, 0], Some(1e-5))
    );
}

#[test]
fn litellms_daily_tables_repeat_each_other() {
    let csv = |entity: &str| {
        format!(
            "id,{entity},date,api_key,model,prompt_tokens,completion_tokens,cache_read_input_tokens,cache_creation_input_tokens,spend,api_requests,successful_requests,failed_requests\n\
             1,x,2026-09-07,k,m,100,10,60,0,0.5,5,4,1\n"
        )
    };
    let usage = usage_of(&[&csv("user_id"), &csv("user_id")]);
    assert_eq!(
        (source(&usage), requests(&usage), tokens(&usage)),
        ("litellm-daily-spend", Some(4), [40, 60, 0, 10, 0])
    );
    let both = usage_of(&[&csv("user_id"), &csv("team_id")]);
    assert!(both.sources[0].notes.contains_key(&Note::GroupedDifferently));
}

fn langfuse(id: &str, extra: Value) -> Value {
    let mut row = json!({"id": id, "traceId": "t", "type": "GENERATION", "startTime": "2026-09-07T09:00:00.000Z",
        "model": "m", "level": "DEFAULT", "usageDetails": {}, "costDetails": {}});
    for (key, value) in extra.as_object().expect("an object") {
        row[key] = value.clone();
    }
    row
}

#[test]
fn langfuse_totals_tell_what_is_inside_what() {
    let of = |details: Value| {
        let rows = json!({"data": [langfuse("o", json!({"usageDetails": details}))], "meta": {"page": 1}});
        let usage = usage_of(&[&rows.to_string()]);
        assert_eq!(source(&usage), "langfuse-observations");
        tokens(&usage)
    };
    assert_eq!(
        of(
            json!({"input": 86, "input_cached_tokens": 900, "output": 200, "output_reasoning_tokens": 100, "total": 1286})
        ),
        [86, 900, 0, 300, 100]
    );
    assert_eq!(
        of(json!({"input": 1000, "input_cached_tokens": 900, "output": 300, "total": 1300})),
        [100, 900, 0, 300, 0]
    );
    assert_eq!(
        of(
            json!({"input": 1000, "input_cached_tokens": 900, "output": 300, "output_reasoning_tokens": 100, "total": 1300})
        ),
        [100, 900, 0, 300, 100]
    );
    // Without a total, the convention: nothing overlaps.
    assert_eq!(
        of(
            json!({"input": 1000, "cache_read_input_tokens": 900, "cache_creation_input_tokens": 5, "output": 300})
        ),
        [1000, 900, 5, 300, 0]
    );
    assert_eq!(of(json!({"input": 1, "input_cache_creation": 7, "output": 2})), [1, 0, 7, 2, 0]);
}

#[test]
fn langfuse_exports_of_every_kind_are_read() {
    let details = json!({"input": 7, "output": 2, "total": 9});
    let ui = json!([langfuse("o", json!({"usageDetails": details, "totalCost": 0.5}))]);
    let cell = "\"{\"\"input\"\":7,\"\"output\"\":2,\"\"total\"\":9}\"";
    let csv = format!(
        "id,traceId,type,startTime,model,usageDetails,totalCost\no,t,GENERATION,2026-09-07 09:00:00,m,{cell},0.5\n"
    );
    let blob = json!({"id": "o", "trace_id": "t", "type": "GENERATION", "start_time": "2026-09-07 09:00:00.123456",
        "provided_model_name": "m", "usage_details": details, "total_cost": 0.5});
    for file in [ui.to_string(), csv, blob.to_string()] {
        let usage = usage_of(&[&file]);
        assert_eq!(
            (source(&usage), tokens(&usage), usd(&usage)),
            ("langfuse-observations", [7, 0, 0, 2, 0], Some(0.5)),
            "{file}"
        );
        assert_eq!(usage.by_model[0].name, "m");
        assert_eq!(usage.requests_by_hour_of_week_utc.map(|h| h.len()), Some(1));
    }
}

#[test]
fn langfuse_old_fields_and_other_units() {
    let rows = json!([
        langfuse(
            "a",
            json!({"usage": {"input": 10, "output": 5, "total": 15, "unit": "TOKENS"}, "calculatedTotalCost": 0.1})
        ),
        langfuse("b", json!({"promptTokens": 3, "completionTokens": 1})),
        langfuse("c", json!({"usage": {"input": 999, "output": 9, "unit": "CHARACTERS"}})),
        langfuse("d", json!({"type": "SPAN"})),
        langfuse("e", json!({"type": "EMBEDDING", "usageDetails": {"input": 64}})),
        langfuse("f", json!({"level": "ERROR"})),
    ]);
    let usage = usage_of(&[&rows.to_string()]);
    assert_eq!((requests(&usage), tokens(&usage), usd(&usage)), (Some(2), [13, 0, 0, 6, 0], Some(0.1)));
    assert_eq!((usage.embeddings.input, skipped(&usage).len()), (64, 4));
}

const HELICONE: &str = "request_id,request_created_at,request_prompt,request_model,response_status,response_body,prompt_tokens,completion_tokens,total_tokens\n";

#[test]
fn helicone_bodies_say_what_was_cached_in_their_providers_way() {
    let row = |body: &str, columns: &str| {
        let body = body.replace('"', "\"\"");
        let usage = usage_of(&[&format!(
            "{HELICONE}h,2026-09-07T09:00:00Z,\"a, \"\"b\"\"\nc\",m,200,\"{body}\",{columns}\n"
        )]);
        assert_eq!(source(&usage), "helicone-csv");
        tokens(&usage)
    };
    assert_eq!(
        row(
            r#"{"usage":{"prompt_tokens":120,"completion_tokens":8,"prompt_tokens_details":{"cached_tokens":100},"completion_tokens_details":{"reasoning_tokens":3}}}"#,
            "120,8,128"
        ),
        [20, 100, 0, 8, 3]
    );
    // Anthropic's cached tokens stand beside its input.
    assert_eq!(
        row(
            r#"{"usage":{"input_tokens":120,"output_tokens":8,"cache_read_input_tokens":100,"cache_creation_input_tokens":10}}"#,
            "120,8,128"
        ),
        [120, 100, 10, 8, 0]
    );
    assert_eq!(row("", "120,8,128"), [120, 0, 0, 8, 0]);
}

#[test]
fn a_helicone_export_at_its_limit_is_said_to_be() {
    let rows: Vec<String> = (0..1000).map(|n| format!("h{n},2026-09-07T09:00:00Z,,m,200,,1,1,2\n")).collect();
    let usage = usage_of(&[&(HELICONE.to_owned() + &rows.concat())]);
    assert!(usage.sources[0].notes.contains_key(&Note::ExportLimit));
    assert_eq!(requests(&usage), Some(1000));
}

fn span(id: &str, attributes: Value) -> Value {
    let attributes: Vec<Value> = attributes
        .as_object()
        .expect("an object")
        .iter()
        .map(|(key, value)| match value {
            Value::String(text) => json!({"key": key, "value": {"stringValue": text}}),
            Value::Number(n) => json!({"key": key, "value": {"intValue": n.to_string()}}),
            other => json!({"key": key, "value": other}),
        })
        .collect();
    json!({"traceId": "t", "spanId": id, "startTimeUnixNano": "1788771601000000000", "attributes": attributes})
}
fn trace(spans: &[Value]) -> String {
    json!({"resourceSpans": [{"resource": {}, "scopeSpans": [{"scope": {"name": "x"}, "spans": spans}]}]})
        .to_string()
}
fn spans(attributes: Value) -> [u64; 5] {
    let usage = usage_of(&[&trace(&[span("a", attributes)])]);
    assert_eq!(source(&usage), "otlp-genai");
    tokens(&usage)
}

#[test]
fn spans_are_read_under_new_and_old_names() {
    assert_eq!(
        spans(
            json!({"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 100, "gen_ai.usage.prompt_tokens": 100,
            "gen_ai.usage.output_tokens": 9, "gen_ai.usage.completion_tokens": 9, "gen_ai.usage.cache_read.input_tokens": 60,
            "gen_ai.usage.cache_creation.input_tokens": 10, "gen_ai.usage.reasoning.output_tokens": 4})
        ),
        [30, 60, 10, 9, 4]
    );
    assert_eq!(
        spans(
            json!({"gen_ai.system": "openai", "gen_ai.usage.prompt_tokens": 100, "gen_ai.usage.completion_tokens": 9})
        ),
        [100, 0, 0, 9, 0]
    );
    // Old instrumentations of Anthropic leave the cache out, even where that would fit inside.
    assert_eq!(
        spans(
            json!({"gen_ai.system": "Anthropic", "gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 9,
            "gen_ai.usage.cache_read_input_tokens": 60, "llm.usage.total_tokens": 109})
        ),
        [100, 60, 0, 9, 0]
    );
    assert_eq!(
        spans(
            json!({"gen_ai.usage.input_tokens": 100, "gen_ai.usage.input_tokens.cached": 60, "gen_ai.usage.output_tokens": 9,
            "gen_ai.usage.output_tokens.reasoning": 2})
        ),
        [40, 60, 0, 9, 2]
    );
    assert_eq!(
        spans(json!({"openinference.span.kind": "LLM", "llm.model_name": "m", "llm.token_count.prompt": 100,
            "llm.token_count.completion": 9, "llm.token_count.prompt_details.cache_read": 60})),
        [40, 60, 0, 9, 0]
    );
}

#[test]
fn spans_that_sum_up_others_are_passed_over() {
    let usage = usage_of(&[&trace(&[
        span("a", json!({"gen_ai.operation.name": "invoke_agent", "gen_ai.usage.input_tokens": 500})),
        span(
            "b",
            json!({"ai.operationId": "ai.generateText", "ai.usage.promptTokens": 100, "ai.usage.completionTokens": 9}),
        ),
        span(
            "c",
            json!({"ai.operationId": "ai.generateText.doGenerate", "ai.usage.promptTokens": 100, "ai.usage.completionTokens": 9,
            "gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 9, "ai.model.id": "m"}),
        ),
        span("c", json!({"gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 9})),
        span("d", json!({"gen_ai.operation.name": "execute_tool"})),
        span("e", json!({"gen_ai.operation.name": "embeddings", "gen_ai.usage.input_tokens": 55})),
        span("f", json!({"gen_ai.operation.name": "chat"})),
        span("g", json!({"http.method": "GET"})),
        span("h", json!({"openinference.span.kind": "CHAIN", "llm.token_count.prompt": 100})),
    ])]);
    assert_eq!((requests(&usage), tokens(&usage), usage.duplicates_dropped), (Some(1), [100, 0, 0, 9, 0], 1));
    assert_eq!((usage.embeddings.input, usage.requests_without_usage), (55, 1));
    // No attribute about the cache is unknown, not 0; and nobody knows whether the trace is whole.
    assert_eq!(usage.totals.records_stating_cache_read, 0);
    assert!(usage.sources[0].notes.contains_key(&Note::MaybeSampled));
}

#[test]
fn traces_come_one_a_line_and_over_many_lines() {
    let one = trace(&[span("a", json!({"gen_ai.usage.input_tokens": 1, "gen_ai.usage.output_tokens": 1}))]);
    let two = trace(&[span("b", json!({"gen_ai.usage.input_tokens": 1, "gen_ai.usage.output_tokens": 1}))]);
    assert_eq!(requests(&usage_of(&[&format!("{one}\n{two}\n")])), Some(2));
    let value: Value = serde_json::from_str(&one).expect("JSON");
    assert_eq!(requests(&usage_of(&[&serde_json::to_string_pretty(&value).expect("JSON")])), Some(1));
}

#[test]
fn answers_as_they_came_are_read_in_each_providers_way() {
    let of = |row: Value| {
        let usage = usage_of(&[&(row.to_string() + "\n")]);
        assert_eq!((source(&usage), requests(&usage)), ("api-responses", Some(1)), "{row}");
        tokens(&usage)
    };
    assert_eq!(
        of(
            json!({"id": "chatcmpl-1", "created": 1788771600, "model": "m", "usage": {"prompt_tokens": 100, "completion_tokens": 9,
        "total_tokens": 109, "prompt_tokens_details": {"cached_tokens": 60}, "completion_tokens_details": {"reasoning_tokens": 3}}})
        ),
        [40, 60, 0, 9, 3]
    );
    assert_eq!(
        of(
            json!({"id": "resp_1", "created_at": 1788771600, "model": "m", "usage": {"input_tokens": 100, "output_tokens": 9,
        "total_tokens": 109, "input_tokens_details": {"cached_tokens": 60}}})
        ),
        [40, 60, 0, 9, 0]
    );
    assert_eq!(
        of(
            json!({"id": "msg_1", "type": "message", "model": "m", "usage": {"input_tokens": 100, "output_tokens": 9,
        "cache_read_input_tokens": 60, "cache_creation_input_tokens": 5}})
        ),
        [100, 60, 5, 9, 0]
    );
    assert_eq!(
        of(
            json!({"modelVersion": "g", "responseId": "r", "usageMetadata": {"promptTokenCount": 100, "candidatesTokenCount": 9,
        "thoughtsTokenCount": 4, "cachedContentTokenCount": 60, "totalTokenCount": 113}})
        ),
        [40, 60, 0, 13, 4]
    );
    // xAI leaves reasoning out of the completion count; DeepSeek splits the prompt.
    assert_eq!(
        of(
            json!({"id": "x", "model": "grok", "usage": {"prompt_tokens": 12, "completion_tokens": 1, "total_tokens": 303,
        "completion_tokens_details": {"reasoning_tokens": 290}}})
        ),
        [12, 0, 0, 291, 290]
    );
    assert_eq!(
        of(
            json!({"id": "y", "model": "d", "usage": {"prompt_tokens": 100, "prompt_cache_hit_tokens": 60, "prompt_cache_miss_tokens": 40,
        "completion_tokens": 5, "total_tokens": 105}})
        ),
        [40, 60, 0, 5, 0]
    );
    assert_eq!(
        of(
            json!({"model": "l", "created_at": "2026-09-07T09:00:00.1Z", "prompt_eval_count": 7, "eval_count": 3})
        ),
        [7, 0, 0, 3, 0]
    );
}

#[test]
fn batch_results_and_streams_are_read() {
    let openai = json!({"id": "batch_req_1", "custom_id": "a", "response": {"status_code": 200, "body": {"id": "chatcmpl-1",
        "created": 1788771600, "model": "m", "usage": {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12}}}});
    let anthropic = json!({"custom_id": "b", "result": {"type": "succeeded", "message": {"id": "msg_1", "model": "m",
        "usage": {"input_tokens": 10, "output_tokens": 2}}}});
    let failed = json!({"custom_id": "c", "result": {"type": "errored", "error": {"type": "x"}}});
    let usage = usage_of(&[&format!("{openai}\n{anthropic}\n{failed}\n")]);
    assert_eq!((requests(&usage), usage.batch.requests(), usage.failed), (Some(2), Some(2), 1));
    let chunk = |n: Value| {
        json!({"id": "c1", "object": "chat.completion.chunk", "created": 1788771600, "model": "m", "usage": n}).to_string()
    };
    let stream =
        [chunk(Value::Null), chunk(Value::Null), chunk(json!({"prompt_tokens": 5, "completion_tokens": 2}))];
    let usage = usage_of(&[&stream.join("\n")]);
    assert_eq!((requests(&usage), tokens(&usage)), (Some(1), [5, 0, 0, 2, 0]));
}

#[test]
fn openrouter_answers_do_not_add_the_providers_price_to_their_own() {
    let row = json!({"id": "gen-1", "created": 1788771600, "model": "m", "usage": {"prompt_tokens": 5, "completion_tokens": 2,
        "cost": 0.95, "is_byok": false, "cost_details": {"upstream_inference_cost": 0.95}}});
    let usage = usage_of(&[&row.to_string()]);
    assert_eq!((usd(&usage), usage.bill.byok_usd), (Some(0.95), None));
}
