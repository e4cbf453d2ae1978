//! Money as it is shown. Every calculation is in US dollars; a currency only decides how amounts are
//! written. There is one formatter, so that no page mixes signs, rounding or currencies.

#![warn(missing_docs)]

use crate::number::grouped;

/// A currency amounts are shown in.
#[derive(Debug, Clone, PartialEq)]
pub struct Currency {
    /// ISO 4217: `USD`, `EUR`.
    code: String,
    /// How many of it one US dollar buys.
    per_usd: f64,
}

impl Default for Currency {
    fn default() -> Self {
        Self::usd()
    }
}

impl Currency {
    /// US dollars.
    pub fn usd() -> Self {
        Self { code: "USD".to_owned(), per_usd: 1.0 }
    }
    /// A currency and how many of it one US dollar buys.
    pub fn new(code: impl Into<String>, per_usd: f64) -> Self {
        Self { code: code.into(), per_usd }
    }
    /// The code of ISO 4217: `EUR`.
    pub fn code(&self) -> &str {
        &self.code
    }
    /// How many of it one US dollar buys.
    pub const fn per_usd(&self) -> f64 {
        self.per_usd
    }
    /// An amount of US dollars in this currency.
    pub fn convert(&self, usd: f64) -> f64 {
        usd * self.per_usd
    }
    /// A column or field name that ends in `usd`, in this currency: `cloud_usd` → `cloud_eur`.
    pub fn named(&self, name: &str) -> String {
        name.replace("usd", &self.code.to_lowercase())
    }
    /// An amount as people read it: no decimals from 100 on, two from a tenth on, three significant digits
    /// below.
    pub fn show(&self, usd: f64) -> String {
        let amount = self.convert(usd);
        let size = amount.abs();
        let digits = if size >= 100.0 || size == 0.0 {
            grouped(size, 0)
        } else if size >= 0.1 {
            grouped(size, 2)
        } else {
            let (mut decimals, mut first_digit) = (3, 0.1);
            while size < first_digit && decimals < 12 {
                first_digit /= 10.0;
                decimals += 1;
            }
            format!("{size:.decimals$}")
        };
        let sign = if amount < 0.0 && digits.bytes().any(|b| matches!(b, b'1'..=b'9')) { "-" } else { "" };
        if self.code == "USD" { format!("{sign}${digits}") } else { format!("{sign}{digits} {}", self.code) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_read_well() {
        let usd = Currency::usd();
        assert_eq!(usd.show(1_234_567.4), "$1,234,567");
        assert_eq!(
            (usd.show(18.0), usd.show(-1.5), usd.show(0.0)),
            ("$18.00".into(), "-$1.50".into(), "$0".into())
        );
        assert_eq!((usd.show(0.012_34), usd.show(0.000_012_34)), ("$0.0123".into(), "$0.0000123".into()));
        assert_eq!((usd.show(-0.0), usd.show(-1e-20)), ("$0".into(), "$0.000000000000".into()));
    }

    #[test]
    fn another_currency_has_no_dollar_sign() {
        let eur = Currency::new("EUR", 0.5);
        assert_eq!((eur.show(5000.0), eur.show(-3.0)), ("2,500 EUR".into(), "-1.50 EUR".into()));
        assert_eq!((eur.named("cloud_usd"), eur.named("month")), ("cloud_eur".into(), "month".into()));
    }
}
