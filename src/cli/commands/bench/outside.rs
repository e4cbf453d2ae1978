//! The state that graders outside of this program work on: a run whose answers are there.

use super::args::Args;
use super::journal::Journal;
use crate::app::bench::privacy::Privacy;
use crate::app::bench::tally::Tally;
use crate::cli::context::Context;
use crate::document::bench::build::Asking;
use std::fmt;

/// A run whose answers are there, for graders outside of this program.
pub struct Outside<'o, 'a> {
    pub args: &'o Args,
    pub context: &'o Context,
    pub seed: u64,
    pub privacy: &'o Privacy,
    pub run_id: &'o str,
    pub tally: &'o mut Tally<'a>,
    pub journal: &'o mut Journal,
}

impl Outside<'_, '_> {
    /// The questions about the answers.
    pub fn asking(&self) -> Asking<'_> {
        self.tally.asking(self.run_id)
    }
}

impl fmt::Debug for Outside<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outside").field("run_id", &self.run_id).finish_non_exhaustive()
    }
}
