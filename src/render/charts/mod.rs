//! Documents → charts. Every number comes out of the document; what a document does not have is not
//! drawn.

pub mod advice;
pub mod cost;
pub mod measured;
pub mod ranked;
pub mod usage;
