//! Is an answer good enough, and is one side as good as the other?
//!
//! ```text
//! assertions ─► Graders ─┐
//!                        ├─► Grade per answer ─► pairs ─► verdict, by category, the split
//! answers (journal) ─────┘
//! ```
//!
//! Pure: an answer and what was measured with it go in, verdicts come out. What a grader needs from
//! outside (a judge, embeddings, a program of the user) is a [`Need`]; somebody else asks and hands the
//! result in as [`Given`]. So grading can be done again, or extended, from a stored run without a call.

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
pub use grader::{Fault, Graders, KINDS, Need, Problem, Similarity};
pub use verdict::{
    Agreement, CategoryVerdict, Pairs, Place, SMOKE, ScoreVerdict, Verdict, agreement, non_inferiority,
    pass_hat, passes, score_non_inferiority, split,
};
