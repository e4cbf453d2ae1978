//! The view of the tables of graders.

use super::view::{Block, Table, View};
use crate::quality::{Kind, OF_PROMPTFOO, OUR_OWN};

/// All graders: those that promptfoo has under the same names, and ours.
pub fn all() -> View {
    let mut view = View::new("Graders");
    view.paragraph(
        "Types of the assertions of a prompt (`assert`) or of a promptfoo configuration. With `not-` in front, \
         one passes where it would fail.",
    );
    for (heading, kinds) in [("As in promptfoo", OF_PROMPTFOO), ("Our own", OUR_OWN)] {
        view.heading(heading);
        view.push(Block::Table(table(kinds)));
    }
    view
}

fn table(kinds: &[Kind]) -> Table {
    let mut table = Table::new(&["!Type", "Passes where the answer", "Value, threshold"]);
    for kind in kinds {
        table.row([kind.names.join(", ").into(), kind.passes.into(), kind.value.into()]);
    }
    table
}
