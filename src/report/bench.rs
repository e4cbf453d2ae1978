//! `freehold.bench/1`.
