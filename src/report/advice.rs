//! `freehold.advice/1`.
