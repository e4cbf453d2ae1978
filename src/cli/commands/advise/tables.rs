//! `--list-profiles` and `--table`: the comparisons behind the questions.

use crate::advise::{Guide, Matrix, decide};
use crate::catalog::Catalog;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output::OutputArgs;
use crate::render::guide;
use crate::render::view::{Block, Table, View};
use crate::workload::profile::SHIPPED;
use crate::workload::{NeedDraft, Profile};

/// The values that `--table` takes.
pub(super) fn names() -> clap::builder::PossibleValuesParser {
    clap::builder::PossibleValuesParser::new(guide::NAMES.iter().copied().chain(["all"]))
}

pub(super) fn run(
    name: &str,
    need: &NeedDraft,
    output: &OutputArgs,
    catalog: &Catalog,
    context: &Context,
) -> Result<(), CliError> {
    let (matrix, words) = (Matrix::shipped(), Guide::shipped());
    let source = guide::Tables { matrix: &matrix, guide: &words, catalog, today: context.today, need };
    let view = source.view(name);
    output.write(context, || view.to_json(), || view.clone(), None)
}

/// Every shipped profile with its verdict.
pub(super) fn profiles(output: &OutputArgs, context: &Context) -> Result<(), CliError> {
    let matrix = Matrix::shipped();
    let mut table = Table::new(&["profile", "situation", "verdict"]);
    for (name, text) in SHIPPED {
        let profile = Profile::parse(name, text).map_err(|e| CliError::failed(e.to_string()))?;
        let verdict = profile
            .draft
            .clone()
            .with_implied()
            .complete()
            .map_or("needs more answers", |need| decide(&matrix, &need, None, None).placement.key());
        table.row([(*name).into(), profile.title.into(), verdict.into()]);
    }
    let mut view = View::new("Profiles");
    view.push(Block::Table(table));
    output.write(context, || view.to_json(), || view.clone(), None)
}
