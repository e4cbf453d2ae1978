//! `freehold.breakeven/1`.
