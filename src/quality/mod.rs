//! Is an answer good enough, and is one side as good as the other?
//!
//! ```text
//! assertions ─► Graders ─┐
//!                        ├─► Grade per answer ─► pairs ─► verdict, by category, the split
//! answers (journal) ─────┘
//! ```
//!
//! Everything is pure: an answer and what was measured of it go in, and verdicts come out. What a grader
//! needs from a judge, an embedding model or a program of the user is described by a [`Need`]; the caller
//! obtains it and passes it in as [`Given`]. A stored run can therefore be graded again, or by further
//! graders, without new requests.

mod answer;
mod compare;
pub mod exec;
mod grade;
mod grader;
mod html;
mod json;
pub mod judge;
mod refusal;
pub mod regex;
pub mod schema;
mod sql;
pub mod text;
mod tools;
mod verdict;
mod xml;

pub use answer::{Answer, Given};
pub use compare::{CategoryCompared, Compared, Method, PairedPrompt, Side, compare};
pub use grade::{Component, Grade, Score, Why};
pub use grader::{Fault, Graders, Kind, Need, OF_PROMPTFOO, OUR_OWN, Problem, Similarity};
pub use verdict::{
    Agreement, CategoryVerdict, Pairs, Place, SMOKE, ScoreVerdict, Verdict, agreement, non_inferiority,
    pass_hat, passes, score_non_inferiority, split,
};
