//! Typed references to the numbers of a case.

use crate::units::{
    Hours, Requests, RequestsPerSec, Tokens, TokensPerSec, Usd, UsdPerHour, UsdPerKwh, UsdPerMtok, Watts,
};
use std::marker::PhantomData;

/// A quantity that a slot can hold.
pub trait Quantity: Copy {
    fn of(value: f64) -> Self;
}

macro_rules! quantities {
    ($($name:ident),*) => { $(impl Quantity for $name {
        fn of(value: f64) -> Self { $name::new(value) }
    })* };
}

quantities!(
    Hours,
    Requests,
    RequestsPerSec,
    Tokens,
    TokensPerSec,
    Usd,
    UsdPerHour,
    UsdPerKwh,
    UsdPerMtok,
    Watts
);

impl Quantity for f64 {
    fn of(value: f64) -> Self {
        value
    }
}

/// The index of a number among the values of a case, with the quantity it is in.
#[derive(Debug)]
pub struct Slot<Q> {
    pub(super) index: usize,
    quantity: PhantomData<fn() -> Q>,
}

impl<Q> Clone for Slot<Q> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<Q> Copy for Slot<Q> {}

impl<Q> Slot<Q> {
    pub(in crate::cost) const fn at(index: usize) -> Self {
        Self { index, quantity: PhantomData }
    }
    pub const fn index(self) -> usize {
        self.index
    }
}
