//! A language model as judge: its prompts, how its replies are read, and how reliable it is.
//!
//! The text that is judged is hostile: it may contain instructions, or a verdict. Therefore it is put
//! between marks that it cannot contain, and its length is limited. The verdict is read only from the last
//! line of the judge's own reply, or from the whole of it if it is one JSON object. It must contain a code
//! that the judged text cannot know, so that a verdict that the judge merely repeats from the text does not
//! count.

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
