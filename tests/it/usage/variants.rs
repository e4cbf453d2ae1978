//! The samples as other people have them: in other encodings, wrapped, with columns in another order, times
//! written otherwise, numbers as texts, cut off, or with counts that cannot be. The same records give the
//! same totals, and what cannot be true is named. The ways are tried on every sample, so that a format that
//! is added is tried in all of them.

use super::samples::{all, files, samples, settings_of};
use freehold::usage::{Import, Settings};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

/// A file of a sample, as lines of JSON, as one JSON document, as a table or as other text.
enum Kind {
    Lines(Vec<Value>),
    Document(Value),
    Table(Vec<Vec<String>>, u8),
    Text,
}

fn kind(text: &str) -> Kind {
    let text = text.trim_start_matches('\u{feff}');
    if let Ok(value) = serde_json::from_str(text) {
        return Kind::Document(value);
    }
    if text.starts_with('{') {
        // A damaged line stands in no variant that is made of values.
        return Kind::Lines(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect());
    }
    let first = text.lines().next().unwrap_or_default();
    let mark = if first.contains(';') { b';' } else { b',' };
    if text.starts_with('#') || !first.contains(char::from(mark)) {
        return Kind::Text;
    }
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(mark)
        .from_reader(text.as_bytes());
    let rows = reader.records().map(|row| row.expect("a row").iter().map(str::to_owned).collect());
    Kind::Table(rows.collect(), mark)
}

fn table(rows: &[Vec<String>], mark: u8, quoted: bool) -> String {
    let style = if quoted { csv::QuoteStyle::Always } else { csv::QuoteStyle::Necessary };
    let mut out =
        csv::WriterBuilder::new().flexible(true).delimiter(mark).quote_style(style).from_writer(Vec::new());
    for row in rows {
        out.write_record(row).expect("written");
    }
    String::from_utf8(out.into_inner().expect("whole")).expect("text")
}

fn lines(values: &[Value]) -> String {
    values.iter().fold(String::new(), |mut text, value| {
        let _ = writeln!(text, "{value}");
        text
    })
}

/// With the keys of every object the other way round.
fn backwards(value: &Value) -> String {
    match value {
        Value::Object(object) => {
            let pairs = object.iter().rev().map(|(k, v)| format!("{}:{}", json!(k), backwards(v)));
            format!("{{{}}}", pairs.collect::<Vec<_>>().join(" , "))
        }
        Value::Array(list) => format!("[ {} ]", list.iter().map(backwards).collect::<Vec<_>>().join(",")),
        other => other.to_string(),
    }
}

/// Every value of a JSON value, changed by its key.
fn changed(value: &Value, key: &str, change: &impl Fn(&str, &Value) -> Option<Value>) -> Value {
    if let Some(new) = change(key, value) {
        return new;
    }
    match value {
        Value::Object(object) => {
            Value::Object(object.iter().map(|(k, v)| (k.clone(), changed(v, k, change))).collect())
        }
        Value::Array(list) => list.iter().map(|v| changed(v, key, change)).collect(),
        other => other.clone(),
    }
}

/// With fields that no format knows, in every object.
fn crowded(value: &Value) -> Value {
    match value {
        Value::Object(object) => {
            let mut more: Map<String, Value> = object.iter().map(|(k, v)| (k.clone(), crowded(v))).collect();
            more.insert("x_unheard_of".to_owned(), json!({"tokens": -5, "list": [[1], {"a": null}]}));
            more.insert("x_big".to_owned(), json!(1e300));
            Value::Object(more)
        }
        Value::Array(list) => list.iter().map(crowded).collect(),
        other => other.clone(),
    }
}

fn is_count(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    let other = ["total", "details", "max", "per", "bucket", "window"];
    (key.contains("token") || ["input", "output", "cached"].contains(&key.as_str()))
        && !other.iter().any(|o| key.contains(o))
}

/// A time in UTC, if it is one of the forms that the samples have.
fn moment(text: &str) -> Option<Timestamp> {
    if text.len() < 19 || !text.starts_with("2026-") {
        return None;
    }
    let text = text.replacen(' ', "T", 1);
    text.parse().ok().or_else(|| format!("{text}Z").parse().ok())
}

fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(bytes).collect()
}

fn gzip(text: &str) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(text.as_bytes()).expect("packed");
    out.finish().expect("packed")
}

/// The ways in which the same records may be written down, each with its name.
fn same(text: &str) -> Vec<(String, Vec<u8>)> {
    let mut all: Vec<(String, Vec<u8>)> = Vec::new();
    let mut add = |name: &str, bytes: Vec<u8>| all.push((name.to_owned(), bytes));
    let plain = text.trim_start_matches('\u{feff}');
    add("with a byte order mark", format!("\u{feff}{plain}").into_bytes());
    add("without a byte order mark", plain.into());
    add("with CRLF", plain.replace("\r\n", "\n").replace('\n', "\r\n").into_bytes());
    add("in UTF-16, little end first", utf16(plain, u16::to_le_bytes));
    add("in UTF-16, big end first", utf16(plain, u16::to_be_bytes));
    add("packed", gzip(text));
    add("with blank lines at its ends", format!("\n\n{plain}\n\n").into_bytes());
    match kind(text) {
        Kind::Text => {}
        Kind::Document(document) => {
            add("on one line", document.to_string().into_bytes());
            add("over many lines", serde_json::to_vec_pretty(&document).expect("JSON"));
            add("with its keys the other way round", backwards(&document).into_bytes());
            add("with unknown fields", crowded(&document).to_string().into_bytes());
            if document.is_object() {
                add("in a list", json!([document]).to_string().into_bytes());
            }
            add(
                "as the answer of something",
                json!({"ok": true, "answer": document}).to_string().into_bytes(),
            );
        }
        Kind::Lines(values) => {
            add("as a list", json!(values).to_string().into_bytes());
            add("as a list over many lines", serde_json::to_vec_pretty(&values).expect("JSON"));
            let pretty = values.iter().map(|v| serde_json::to_string_pretty(v).expect("JSON"));
            add("each over many lines", pretty.collect::<Vec<_>>().join("\n").into_bytes());
            let reversed = values.iter().map(backwards).collect::<Vec<_>>().join("\n");
            add("with their keys the other way round", reversed.into_bytes());
            add("with unknown fields", lines(&values.iter().map(crowded).collect::<Vec<_>>()).into_bytes());
            for (name, wrap) in [
                ("in data", (|v: &Value| json!({"data": v})) as fn(&Value) -> Value),
                ("in an event", |v| json!({"time": 5, "level": "info", "event": {"body": v, "n": 1}})),
                ("as the text of a log line", |v| json!({"log": format!("{v}\n"), "stream": "stdout"})),
            ] {
                add(name, lines(&values.iter().map(wrap).collect::<Vec<_>>()).into_bytes());
            }
            let hits: Vec<Value> = values.iter().map(|v| json!({"_index": "x", "_source": v})).collect();
            let found = json!({"took": 3, "hits": {"total": {"value": 3}, "hits": hits}});
            add("as what a search found", found.to_string().into_bytes());
        }
        Kind::Table(rows, mark) => {
            let other = if mark == b',' { b'\t' } else { b'|' };
            add("with another delimiter", table(&rows, other, false).into_bytes());
            add("with every cell in quotes", table(&rows, mark, true).into_bytes());
            let reversed: Vec<Vec<String>> = rows.iter().map(|r| r.iter().rev().cloned().collect()).collect();
            add("with its columns the other way round", table(&reversed, mark, false).into_bytes());
            let more: Vec<Vec<String>> = rows
                .iter()
                .enumerate()
                .map(|(n, r)| {
                    let cell = if n == 0 { "x_unheard_of" } else { "-5, or \"so\"" };
                    std::iter::once(cell.to_owned()).chain(r.iter().cloned()).collect()
                })
                .collect();
            add("with an unknown column", table(&more, mark, false).into_bytes());
            let mut again = rows.clone();
            again.insert(2.min(rows.len()), rows[0].clone());
            add("with its header repeated", table(&again, mark, false).into_bytes());
            let shouted: Vec<Vec<String>> = rows
                .iter()
                .enumerate()
                .map(|(n, r)| {
                    r.iter()
                        .map(|c| if n == 0 { format!(" {} ", c.to_uppercase()) } else { c.clone() })
                        .collect()
                })
                .collect();
            add("with its header in capitals", table(&shouted, mark, false).into_bytes());
        }
    }
    all
}

/// Values written otherwise: times in other forms and zones, numbers as texts and as fractions.
fn rewritten(text: &str) -> Vec<(String, Vec<u8>)> {
    type Change = (&'static str, fn(Timestamp) -> String);
    let times: [Change; 4] = [
        ("with times to the microsecond", |t| t.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()),
        ("with a time and a space", |t| t.strftime("%Y-%m-%d %H:%M:%S%.3f+00:00").to_string()),
        ("with times of another zone", |t| {
            t.to_zoned(jiff::tz::TimeZone::fixed(jiff::tz::offset(5)))
                .strftime("%Y-%m-%dT%H:%M:%S%.3f%:z")
                .to_string()
        }),
        ("with times that end in UTC", |t| t.strftime("%Y-%m-%d %H:%M:%S%.3f UTC").to_string()),
    ];
    let mut all = Vec::new();
    let kind = kind(text);
    let mut change = |name: &str, change: &dyn Fn(&str, &Value) -> Option<Value>| {
        let bytes = match &kind {
            Kind::Document(document) => changed(document, "", &change).to_string(),
            Kind::Lines(values) => lines(&values.iter().map(|v| changed(v, "", &change)).collect::<Vec<_>>()),
            Kind::Table(rows, mark) => {
                let mut rows = rows.clone();
                let header = rows[0].clone();
                for row in rows.iter_mut().skip(1) {
                    for (key, cell) in header.iter().zip(row) {
                        if let Some(Value::String(new)) = change(key, &json!(cell)) {
                            *cell = new;
                        }
                    }
                }
                table(&rows, *mark, false)
            }
            Kind::Text => return,
        };
        all.push((name.to_owned(), bytes.into_bytes()));
    };
    for (name, form) in times {
        change(name, &|_, value| Some(json!(form(moment(value.as_str()?)?))));
    }
    change("with counts as texts", &|key, value| {
        Some(json!(value.as_u64().filter(|_| is_count(key))?.to_string()))
    });
    change("with counts as fractions", &|key, value| {
        Some(json!(format!("{}.0", value.as_u64().filter(|_| is_count(key))?)))
    });
    all
}

fn totals(usage: &freehold::usage::summary::Usage) -> String {
    let t = &usage.totals;
    let hours = &usage.requests_by_hour_of_week_utc;
    let models: Vec<_> = usage.by_model.iter().map(|m| (&m.name, m.totals.tokens())).collect();
    let mut models = models;
    models.sort();
    format!(
        "{:?} input {} read {} writes {}+{}+{} output {} reasoning {} bill {:?} {hours:?} {models:?}",
        t.requests(),
        t.input,
        t.cache_read,
        t.cache_write_5m,
        t.cache_write_1h,
        t.cache_write_other,
        t.output,
        t.reasoning,
        usage.bill.usd,
    )
}

fn read(files: &[&[u8]], settings: &Settings) -> Result<freehold::usage::summary::Usage, String> {
    let mut import = Import::new(settings.clone(), None);
    for bytes in files {
        import.read(*bytes).map_err(|e| format!("{e:?}"))?;
    }
    Ok(import.finish())
}

/// Every file of every sample that is one file.
fn each(folder: &Path, mut with: impl FnMut(&str, &str, &Settings)) {
    for (name, sample) in all(folder) {
        let mut found = Vec::new();
        files(&sample, &mut found);
        for file in found {
            let text = std::fs::read_to_string(&file).expect("text");
            with(&name, &text, &settings_of(folder, &name));
        }
    }
}

#[test]
fn the_same_records_written_otherwise_give_the_same_totals() {
    let Some(folder) = samples() else { return };
    let mut wrong = Vec::new();
    let mut tried = 0;
    each(&folder, |name, text, settings| {
        let plain = totals(&read(&[text.as_bytes()], settings).expect("reads"));
        for (variant, bytes) in same(text).into_iter().chain(rewritten(text)) {
            // A mapping says how its times and its columns are written.
            if settings.mapping.is_some() && (variant.contains("time") || variant.contains("delimiter")) {
                continue;
            }
            tried += 1;
            let ours = read(&[&bytes], settings).map_or_else(|e| e, |usage| totals(&usage));
            if ours != plain {
                let head = String::from_utf8_lossy(&bytes[..bytes.len().min(300)]).into_owned();
                wrong.push(format!("{name} {variant}:\n  {ours}\n  {plain}\n  {head}"));
            }
        }
    });
    assert!(wrong.is_empty(), "{} of {tried}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(tried > 300, "{tried}");
}

/// Formats whose records have nothing that tells them apart.
const WITHOUT_IDS: [&str; 3] = ["azure-llm-trace", "burstgpt", "generic"];

#[test]
fn the_same_records_in_two_files_count_once() {
    let Some(folder) = samples() else { return };
    let mut wrong = Vec::new();
    each(&folder, |name, text, settings| {
        let once = read(&[text.as_bytes()], settings).expect("reads");
        // Not byte for byte the same, as an export made again is not.
        let again = format!("{}\n\n", text.trim_start_matches('\u{feff}'));
        let twice = read(&[text.as_bytes(), again.as_bytes()], settings).expect("reads");
        let tokens = |u: &freehold::usage::summary::Usage| (u.totals.requests(), u.totals.tokens());
        let wanted = match tokens(&once) {
            (requests, n) if WITHOUT_IDS.contains(&name) => (requests.map(|r| 2 * r), 2 * n),
            other => other,
        };
        if tokens(&twice) != wanted {
            wrong.push(format!("{name}: {:?} instead of {wanted:?}", tokens(&twice)));
        }
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_file_cut_anywhere_gives_no_more_than_the_whole_and_says_what_it_lost() {
    let Some(folder) = samples() else { return };
    let mut wrong = Vec::new();
    each(&folder, |name, text, settings| {
        let whole = read(&[text.as_bytes()], settings).expect("reads").totals;
        if whole.tokens() == 0 {
            return;
        }
        // Counters and conversations that are written again and again are known by their last state only.
        for part in [50, 70, 90, 97, 99] {
            let cut = &text.as_bytes()[..text.len() * part / 100];
            let Ok(usage) = read(&[cut], settings) else { continue };
            if usage.totals.tokens() > whole.tokens() {
                wrong.push(format!("{name} to {part} %: {} of {}", usage.totals.tokens(), whole.tokens()));
            }
            let says = usage.skipped.iter().any(|s| !s.lines.is_empty());
            if usage.totals.tokens() == 0 && !says && usage.skipped.is_empty() {
                wrong.push(format!("{name} to {part} %: nothing, without a word"));
            }
        }
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Counts below zero, and counts that no request can have: nothing of them is added up, and their number and
/// their lines are named.
#[test]
fn counts_that_cannot_be_are_in_no_total_of_any_format() {
    let Some(folder) = samples() else { return };
    let mut wrong = Vec::new();
    each(&folder, |name, text, settings| {
        let whole = read(&[text.as_bytes()], settings).expect("reads").totals.tokens();
        for (what, count) in [("negative", "-7"), ("wild", "98765432109876543210"), ("a word", "many")] {
            let change = |key: &str, value: &Value| {
                let is_number = value.is_number() || value.as_str().is_some_and(|t| t.parse::<f64>().is_ok());
                (is_count(key) && is_number).then(|| json!(count))
            };
            let bytes = match kind(text) {
                Kind::Document(document) => changed(&document, "", &change).to_string(),
                Kind::Lines(values) => {
                    lines(&values.iter().map(|v| changed(v, "", &change)).collect::<Vec<_>>())
                }
                _ => continue,
            };
            if bytes == text || !bytes.contains(count) {
                continue;
            }
            let usage = match read(&[bytes.as_bytes()], settings) {
                Ok(usage) => usage,
                Err(e) => {
                    wrong.push(format!("{name} {what}: {e}"));
                    continue;
                }
            };
            // A document on one line has no lines to name.
            let damaged = super::skipped(&usage).iter().any(|(reason, _)| reason.ends_with(" count"));
            if usage.totals.tokens() > whole || !damaged {
                let reasons = super::skipped(&usage);
                wrong.push(format!("{name} {what}: {} of {whole} {reasons:?}", usage.totals.tokens()));
            }
        }
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn times_to_come_are_skipped_in_every_format() {
    let Some(folder) = samples() else { return };
    let mut wrong = Vec::new();
    each(&folder, |name, text, settings| {
        // A year before the samples.
        if read(&[text.as_bytes()], settings).expect("reads").totals.tokens() == 0 {
            return;
        }
        let settings = Settings { now: Some(1_757_000_000), ..settings.clone() };
        let usage = read(&[text.as_bytes()], &settings).expect("reads");
        let counted = usage.totals.tokens();
        let named = super::skipped(&usage).iter().any(|(reason, _)| reason.contains("future"));
        // A scrape and a trace that counts from zero have no date.
        let undated = ["vllm-metrics", "burstgpt"].contains(&name);
        if (counted > 0 || !named) && !undated {
            wrong.push(format!("{name}: {counted} tokens, {:?}", super::skipped(&usage)));
        }
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_format_that_is_named_is_found_inside_something_foreign_too() {
    let Some(folder) = samples() else { return };
    let text = std::fs::read_to_string(folder.join("litellm-spend-logs.json")).expect("reads");
    let plain = totals(&read(&[text.as_bytes()], &Settings::default()).expect("reads"));
    let Kind::Document(Value::Array(rows)) = kind(&text) else { panic!("a list") };
    let wrapped = lines(&rows.iter().map(|row| json!({"level": "info", "payload": row})).collect::<Vec<_>>());
    let from = freehold::usage::by_name("litellm-spend-logs");
    assert!(from.is_some());
    let named = Settings { from, ..Settings::default() };
    // The same request wrapped and not, in two files, is one.
    for files in [&[wrapped.as_bytes()][..], &[wrapped.as_bytes(), text.as_bytes(), wrapped.as_bytes()]] {
        for settings in [&named, &Settings::default()] {
            assert_eq!(
                totals(&read(files, settings).expect("reads")).split(" bill ").next(),
                plain.split(" bill ").next()
            );
        }
    }
    // An answer of an API somewhere in a row of one's own has its time and model outside: a mapping says where.
    let own = json!({"ts": 1_788_771_600, "log": {"usage": {"prompt_tokens": 5, "completion_tokens": 2}}});
    let refused = read(&[own.to_string().as_bytes()], &Settings::default()).expect_err("unknown");
    assert!(refused.contains("time=ts") && refused.contains("input=log.usage.prompt_tokens"), "{refused}");
}
