//! DeepSeek's export `amount-*.csv`: one row for each bucket, model, key and kind of amount.

use crate::usage::collect::Collector;
use crate::usage::ids;
use crate::usage::reader::{Format, Occurrences, Reader};
use crate::usage::record::{Class, Keep, Reason, Record, Repeat, Skip, Stated, Tokens, When, reason};
use crate::usage::row::{Row, usage_fields};

usage_fields! {
    START = "start_time_iso",
    END = "end_time_iso",
    DATE = "utc_date",
    USER = "user_id",
    MODEL = "model",
    KEY = "api_key",
    KEY_NAME = "api_key_name",
    TYPE = "type",
    PRICE = "price",
    AMOUNT = "amount",
}

static OTHER_TYPE: Reason = Reason::new(Class::NotACall, "amount of another kind");

pub static FORMAT: Format = Format {
    name: "deepseek-amount-csv",
    about: "DeepSeek's usage export (amount-*.csv)",
    fields: FIELDS,
    marks: &[
        &["type", "price", "amount", "model", "start_time_iso"],
        &["type", "price", "amount", "model", "utc_date"],
    ],
    reader: || Box::<DeepSeek>::default(),
    ..Format::PLAIN
};

#[derive(Debug, Default)]
struct DeepSeek {
    occurrences: Occurrences,
}

impl Reader for DeepSeek {
    fn open(&mut self, _: &mut Collector) {
        self.occurrences.clear();
    }

    fn row(&mut self, row: &Row, out: &mut Collector) -> Result<(), Skip> {
        let when = match (row.time(START)?, row.time(END)?) {
            (Some(start), Some(end)) => Some(When::between(start.start, end.start)),
            (start, _) => start.or(row.time(DATE)?),
        };
        let group = [USER, MODEL, KEY, KEY_NAME, TYPE, PRICE].map(|slot| row.hash(slot));
        let id = self.occurrences.next(ids::key(FORMAT.name, (when.map(|w| (w.start, w.span)), group)));
        let amount = row.count(AMOUNT)?.ok_or(&reason::NO_COUNTS)?;
        let mut tokens = Tokens::default();
        let mut requests = 0;
        match row.text(TYPE) {
            Some("request_count") => requests = amount,
            Some("input_cache_hit_tokens") => {
                tokens.cache_read = amount;
                tokens.stated = Stated { cache_read: true, ..Stated::default() };
            }
            Some("input_cache_miss_tokens" | "input_tokens") => tokens.input = amount,
            Some("output_tokens") => tokens.output = amount,
            _ => return Err(Skip::of(&OTHER_TYPE)),
        }
        let mut record = Record::bucket(out.model(row.text(MODEL))?, when, Some(requests), tokens);
        // The currency of the account is in another export.
        if let Some(price) = row.amount(PRICE)? {
            record.usd = Some(price * amount as f64);
            out.assume_usd();
        }
        out.user(row.hash(USER));
        out.record(record, Keep::Largest(Repeat { id, request: 0, copy: false }));
        Ok(())
    }
}
