//! Discount rate and currency.

use super::error::{ResolveError, impossible};
use super::resolver::{Resolver, Table, database};
use crate::cost::case::{Finance, Notice};
use crate::cost::keys::finance;
use crate::money::Currency;
use crate::workload::keys::Section;
use crate::workload::{Fields, Value};

/// A given exchange rate that is further from the known one than by this factor is worth a look.
const FAR_OFF: f64 = 1.15;

impl Resolver<'_> {
    pub(super) fn finance(&mut self, fields: &Fields) -> Result<Finance, ResolveError> {
        let table = Table { section: Section::Finance, fields, prefix: "finance" };
        let discount = self.number(table, finance::DISCOUNT_RATE, None, "");
        if let Some(currency) = self.text(table, finance::CURRENCY) {
            if currency.len() != 3 || !currency.bytes().all(|b| b.is_ascii_uppercase()) {
                return Err(impossible(
                    "finance.currency",
                    format!("`{currency}` is no ISO 4217 code, such as EUR"),
                ));
            }
            self.currency = currency;
        }
        let listed = self
            .basis
            .catalog
            .currencies
            .iter()
            .find(|c| c.id == self.currency && c.usd > 0.0)
            .map(|c| database(1.0 / c.usd, "currency", &c.id, &c.cite("usd")));
        let given = self.given(table, finance::USD_RATE);
        if let Some((rate, _)) = &given {
            if self.currency == "USD" && (rate.likely - 1.0).abs() > 1e-9 {
                let why = if table.has(finance::CURRENCY) {
                    "one US dollar is one US dollar: leave the rate out, or set finance.currency to another one"
                } else {
                    "a rate needs the currency it is of: set finance.currency, such as EUR"
                };
                return Err(impossible("finance.usd_rate", why));
            }
            // A rate written the wrong way round is nearer to the reciprocal of the known rate than to the
            // rate.
            if let Some((known, _)) = &listed {
                let off = (rate.likely / known.likely).ln().abs();
                let (currency, given, known) = (self.currency.clone(), rate.likely, known.likely);
                if (given * known).ln().abs() < off.min(0.1) {
                    self.notices.push(Notice::RateLooksInverted { currency, given, known });
                } else if off > FAR_OFF.ln() {
                    self.notices.push(Notice::RateFarOff { currency, given, known });
                }
            }
        }
        if let Some((rate, source)) = given.or(listed) {
            self.usd_rate = Some(rate.likely);
            self.echo(finance::USD_RATE.path(), finance::USD_RATE.unit, Value::Number(rate), source);
        } else if self.currency != "USD" {
            self.notices.push(Notice::CurrencyWithoutRate { currency: self.currency.clone() });
        }
        let currency = Currency::new(&self.currency, self.usd_rate.unwrap_or(1.0));
        Ok(Finance { discount, currency })
    }
}
