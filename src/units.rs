//! Quantities with their unit in the type. Every value is finite by construction, so no engine
//! ever has to ask whether a price is NaN.
//!
//! Only operators with a physical meaning exist: `Watts × Hours = Kwh`,
//! `Kwh × UsdPerKwh = Usd`, `Tokens × UsdPerMtok = Usd`, `Tokens ÷ TokensPerSec = Seconds`.

#![warn(missing_docs)]

use serde::{Deserialize, Serialize};
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub, SubAssign};

/// A number that cannot be a quantity: NaN or infinite.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("{0} is not a finite number")]
pub struct NotFinite(pub f64);

/// Arithmetic on finite values can only leave the finite range by overflow or by dividing by
/// zero; both end at the largest representable magnitude (zero for 0 ÷ 0) rather than in a NaN
/// that would spread.
fn finite(value: f64) -> f64 {
    if value.is_finite() { value } else { brought_into_range(value) }
}

/// A function of its own, so that the usual branch above stays cheap: ten thousand Monte Carlo draws spend
/// their time in these operators.
#[cold]
fn brought_into_range(value: f64) -> f64 {
    if value.is_nan() { 0.0 } else { value.clamp(f64::MIN, f64::MAX) }
}

macro_rules! quantity {
    ($(#[$doc:meta])* $name:ident, $unit:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default, Serialize, Deserialize, schemars::JsonSchema)]
        #[serde(try_from = "f64", into = "f64")]
        #[schemars(with = "f64")]
        pub struct $name(f64);

        impl $name {
            /// Unit as written in documents.
            pub const UNIT: &'static str = $unit;
            /// Zero.
            pub const ZERO: Self = Self(0.0);

            /// A value known to be finite; anything else is brought into range (NaN becomes 0).
            /// For values from outside use `try_from`.
            pub fn new(value: f64) -> Self {
                debug_assert!(value.is_finite(), concat!(stringify!($name), " from {}"), value);
                Self(finite(value))
            }
            /// The bare number, in [`Self::UNIT`].
            pub const fn get(self) -> f64 {
                self.0
            }
            /// The larger of the two.
            #[must_use]
            pub fn max(self, other: Self) -> Self {
                Self(self.0.max(other.0))
            }
            /// The smaller of the two.
            #[must_use]
            pub fn min(self, other: Self) -> Self {
                Self(self.0.min(other.0))
            }
            /// `self ÷ other`, or nothing where `other` is zero.
            pub fn ratio(self, other: Self) -> Option<f64> {
                (other.0 != 0.0).then(|| finite(self.0 / other.0))
            }
        }
        impl TryFrom<f64> for $name {
            type Error = NotFinite;
            fn try_from(value: f64) -> Result<Self, NotFinite> {
                if value.is_finite() { Ok(Self(value)) } else { Err(NotFinite(value)) }
            }
        }
        impl From<$name> for f64 {
            fn from(value: $name) -> f64 {
                value.0
            }
        }
        impl Add for $name {
            type Output = Self;
            fn add(self, other: Self) -> Self {
                Self(finite(self.0 + other.0))
            }
        }
        impl Sub for $name {
            type Output = Self;
            fn sub(self, other: Self) -> Self {
                Self(finite(self.0 - other.0))
            }
        }
        impl AddAssign for $name {
            fn add_assign(&mut self, other: Self) {
                *self = *self + other;
            }
        }
        impl SubAssign for $name {
            fn sub_assign(&mut self, other: Self) {
                *self = *self - other;
            }
        }
        impl Neg for $name {
            type Output = Self;
            fn neg(self) -> Self {
                Self(-self.0)
            }
        }
        impl Mul<f64> for $name {
            type Output = Self;
            fn mul(self, factor: f64) -> Self {
                Self(finite(self.0 * factor))
            }
        }
        impl Mul<$name> for f64 {
            type Output = $name;
            fn mul(self, quantity: $name) -> $name {
                quantity * self
            }
        }
        impl Div<f64> for $name {
            type Output = Self;
            fn div(self, divisor: f64) -> Self {
                Self(finite(self.0 / divisor))
            }
        }
        impl Sum for $name {
            fn sum<I: Iterator<Item = Self>>(items: I) -> Self {
                items.fold(Self::ZERO, Add::add)
            }
        }
    };
}

quantity!(
    /// Money. Forecasts, not ledgers: rounded only when shown.
    Usd, "USD");
quantity!(
    /// Price of one million tokens.
    UsdPerMtok, "USD/Mtok");
quantity!(
    /// Price of one hour (rent, staff).
    UsdPerHour, "USD/h");
quantity!(
    /// Price of electric energy.
    UsdPerKwh, "USD/kWh");
quantity!(
    /// A count of tokens; fractional because means are.
    Tokens, "tokens");
quantity!(
    /// Speed of prefill or decode.
    TokensPerSec, "tokens/s");
quantity!(
    /// A count of requests; fractional because means are.
    Requests, "requests");
quantity!(
    /// Arrival rate.
    RequestsPerSec, "requests/s");
quantity!(
    /// Electric power.
    Watts, "W");
quantity!(
    /// Electric energy.
    Kwh, "kWh");
quantity!(
    /// Electric energy, small.
    Joules, "J");
quantity!(
    /// Time.
    Hours, "h");
quantity!(
    /// Time.
    Seconds, "s");
quantity!(
    /// Time, as latencies are quoted.
    Millis, "ms");
quantity!(
    /// Time, in the step of the cost model.
    Months, "months");
quantity!(
    /// Memory or file size.
    Bytes, "bytes");
quantity!(
    /// Memory bandwidth, decimal gigabytes.
    GigabytesPerSec, "GB/s");
quantity!(
    /// Arithmetic rate, dense.
    Teraflops, "TFLOP/s");

impl Mul<UsdPerMtok> for Tokens {
    type Output = Usd;
    fn mul(self, price: UsdPerMtok) -> Usd {
        Usd(finite(self.0 / 1e6 * price.0))
    }
}
impl Mul<Hours> for Watts {
    type Output = Kwh;
    fn mul(self, time: Hours) -> Kwh {
        Kwh(finite(self.0 * time.0 / 1000.0))
    }
}
impl Mul<UsdPerKwh> for Kwh {
    type Output = Usd;
    fn mul(self, tariff: UsdPerKwh) -> Usd {
        Usd(finite(self.0 * tariff.0))
    }
}
impl Mul<Hours> for UsdPerHour {
    type Output = Usd;
    fn mul(self, time: Hours) -> Usd {
        Usd(finite(self.0 * time.0))
    }
}
impl Div<TokensPerSec> for Tokens {
    type Output = Seconds;
    fn div(self, speed: TokensPerSec) -> Seconds {
        Seconds(finite(self.0 / speed.0))
    }
}
impl Div<Tokens> for Usd {
    type Output = UsdPerMtok;
    fn div(self, tokens: Tokens) -> UsdPerMtok {
        UsdPerMtok(finite(self.0 / tokens.0 * 1e6))
    }
}
impl From<Seconds> for Millis {
    fn from(time: Seconds) -> Self {
        Self(finite(time.0 * 1000.0))
    }
}
impl From<Hours> for Seconds {
    fn from(time: Hours) -> Self {
        Self(finite(time.0 * 3600.0))
    }
}

/// A part of a whole, 0 to 1.
#[derive(
    Debug, Clone, Copy, PartialEq, PartialOrd, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(try_from = "f64", into = "f64")]
#[schemars(with = "f64")]
pub struct Share(f64);

/// A number that is not a share.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("{0} is not a share: it must lie between 0 and 1")]
pub struct NotAShare(pub f64);

impl Share {
    /// Nothing of the whole.
    pub const ZERO: Self = Self(0.0);
    /// All of it.
    pub const ONE: Self = Self(1.0);
    /// The bare number, 0 to 1.
    pub const fn get(self) -> f64 {
        self.0
    }
    /// What is left of the whole.
    #[must_use]
    pub fn rest(self) -> Self {
        Self(1.0 - self.0)
    }
}
impl TryFrom<f64> for Share {
    type Error = NotAShare;
    fn try_from(value: f64) -> Result<Self, NotAShare> {
        if (0.0..=1.0).contains(&value) { Ok(Self(value)) } else { Err(NotAShare(value)) }
    }
}
impl From<Share> for f64 {
    fn from(share: Share) -> f64 {
        share.0
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::float_cmp)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_million_tokens_cost_the_price() {
        assert_eq!((Tokens::new(1e6) * UsdPerMtok::new(15.0)).get(), 15.0);
        // 450 W for 730 h is 328.5 kWh; at 0.30 USD/kWh, 98.55 USD.
        let usd = Watts::new(450.0) * Hours::new(730.0) * UsdPerKwh::new(0.30);
        assert!((usd.get() - 98.55).abs() < 1e-9);
    }

    #[test]
    fn outside_values_must_be_finite() {
        assert!(Usd::try_from(f64::NAN).is_err());
        assert!(Share::try_from(1.01).is_err());
        assert!(serde_json::from_str::<Share>("-0.1").is_err());
    }

    proptest! {
        #[test]
        fn arithmetic_stays_finite(a in any::<f64>(), b in any::<f64>()) {
            prop_assume!(a.is_finite() && b.is_finite());
            let (x, y) = (Usd::new(a), Usd::new(b));
            for v in [x + y, x - y, x * b, x / b, -x] {
                prop_assert!(v.get().is_finite());
            }
        }
    }
}
