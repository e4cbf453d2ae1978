//! The view of the tables of graders.

use super::view::{Block, View};
use crate::quality::{Kind, OF_PROMPTFOO, OUR_OWN};

/// All graders: those that promptfoo has under the same names, and ours.
pub fn all() -> View {
    let mut view = View::new("Graders");
    view.paragraph(
        "Types of the assertions of a prompt (`assert`) or of a promptfoo configuration, where each passes, and what \
         it takes as value. With `not-` in front, one passes where it would fail.",
    );
    for (heading, kinds) in [("As in promptfoo", OF_PROMPTFOO), ("Our own", OUR_OWN)] {
        view.heading(heading);
        view.push(Block::List(kinds.iter().map(described).collect()));
    }
    view
}

fn described(kind: &Kind) -> String {
    let value = if kind.value.is_empty() { String::new() } else { format!(" [{}]", kind.value) };
    format!("{}: the answer {}{value}", kind.names.join(", "), kind.passes)
}
