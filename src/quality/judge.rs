//! A model as judge: what it is asked, what its answer is taken for, and how good an instrument it is.
//!
//! The text that is judged is hostile: it may hold instructions, or a verdict. So it stands between
//! marks that it cannot contain, its length is bounded, the verdict is read only from the last line of
//! the judge's own answer (or from all of it, where it is one JSON object), and a line that repeats what
//! the judged text says counts for nothing by itself: the verdict carries a code that the judged text
//! cannot know.

mod agreement;
mod correction;
mod family;
mod prompt;
mod verdict;

pub use agreement::{BothOrders, DOUBTFUL_FLIPS, JudgeReport, JudgedPair, Share, Winner, report};
pub use correction::{Confusion, corrected_difference};
pub use family::{family, own_family};
pub use prompt::{Codes, Form, JudgePrompt, LONGEST_SHOWN, pairwise_prompt, rubric_prompt};
pub use verdict::{Choice, babbled, read_choice, read_rubric};
