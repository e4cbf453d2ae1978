//! `db check`: every shipped record and every record of the user's, all problems at once.

use super::document;
use crate::catalog::{Catalog, Problem, check, shipped_files, text};
use crate::cli::catalog::{read, toml_files, user_folder};
use crate::cli::context::Context;
use crate::cli::error::{CliError, Exit};
use crate::cli::output::OutputArgs;
use crate::render::{Block, Cell, Table, View};
use std::path::PathBuf;

/// Check records: ids, units, ranges, references, dates, duplicates.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  freehold db check                        the shipped records, your own, and --catalog files
  freehold db check my-prices.toml         only this file, against the shipped records
  freehold db check hardware-db            a folder, with the folders in it")]
pub struct Args {
    /// Files or folders (default: the shipped records and your own).
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    output: OutputArgs,
}

type Files = Vec<(String, String)>;

pub(super) fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    let mut checked = Checked::default();
    let mut catalog = Catalog::embedded();
    if args.paths.is_empty() {
        let shipped: Files =
            shipped_files().iter().map(|(n, t)| ((*n).to_owned(), (*t).to_owned())).collect();
        checked.layer(&mut catalog, &shipped, context);
        checked.layer(&mut catalog, &toml_files(&user_folder(context))?, context);
        for file in &context.catalog_files {
            checked.layer(&mut catalog, &[read(file)?], context);
        }
    } else {
        let mut files = Files::new();
        for path in &args.paths {
            collect(path, &mut files)?;
        }
        checked.layer(&mut catalog, &files, context);
    }
    let json = || document("check", checked.json(), context);
    args.output.write(context, json, || checked.view(), None)?;
    if checked.problems.is_empty() {
        return Ok(());
    }
    Err(CliError::new(Exit::Usage, format!("{} problems in the catalogue", checked.problems.len())))
}

fn collect(path: &std::path::Path, files: &mut Files) -> Result<(), CliError> {
    if !path.is_dir() {
        files.push(read(path)?);
        return Ok(());
    }
    files.extend(toml_files(path)?);
    let entries = std::fs::read_dir(path).map_err(|e| CliError::file("read", path, &e))?;
    let mut folders: Vec<PathBuf> = entries.flatten().map(|e| e.path()).filter(|p| p.is_dir()).collect();
    folders.sort();
    folders.iter().try_for_each(|folder| collect(folder, files))
}

#[derive(Default)]
struct Checked {
    /// File and number of records.
    files: Vec<(String, usize)>,
    problems: Vec<Problem>,
}

impl Checked {
    /// Check files against the records they are laid over, and lay them over.
    fn layer(&mut self, catalog: &mut Catalog, files: &[(String, String)], context: &Context) {
        let (parsed, problems) = text::parse_all(files);
        self.files.extend(parsed.iter().map(|p| (p.name.to_owned(), p.records.len())));
        self.problems.extend(problems);
        catalog.lay(&parsed);
        self.problems.extend(check::files(&parsed, catalog, context.today));
    }

    fn json(&self) -> serde_json::Value {
        let problems: Vec<serde_json::Value> = self
            .problems
            .iter()
            .map(|p| {
                serde_json::json!({
                    "file": p.file, "line": p.line, "column": p.column, "message": p.message,
                    "expected": p.expected, "excerpt": p.excerpt,
                })
            })
            .collect();
        let files: Vec<serde_json::Value> = self
            .files
            .iter()
            .map(|(file, records)| serde_json::json!({"file": file, "records": records}))
            .collect();
        serde_json::json!({"files": files, "problems": problems})
    }

    fn view(&self) -> View {
        let mut view = View::new("");
        let mut table = Table::new(&["File", "#Records", "#Problems"]);
        for (file, records) in &self.files {
            let problems = self.problems.iter().filter(|p| p.file == *file).count();
            let count = |n: usize| Cell::Number(n as f64, n.to_string());
            table.row([file.as_str().into(), count(*records), count(problems)]);
        }
        view.push(Block::Table(table));
        for problem in &self.problems {
            view.push(Block::Code(problem.to_string()));
        }
        if self.problems.is_empty() {
            let records: usize = self.files.iter().map(|(_, n)| n).sum();
            view.paragraph(format!("{records} records, no problem found."));
        }
        view
    }
}
