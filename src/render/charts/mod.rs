//! Documents → charts. Every number is one of the document; what it does not have is not drawn.

pub mod advice;
pub mod cost;
pub mod measured;
pub mod ranked;
pub mod usage;
