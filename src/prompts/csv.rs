//! Reads CSV into rows with line numbers. Rows are never merged silently: a quotation mark that is not
//! closed, or is closed in the middle of a cell, is an error on the line where it was opened.

use super::PromptError;

/// A table with named columns.
#[derive(Debug, Default)]
pub(crate) struct Table {
    pub(crate) headers: Vec<String>,
    /// Line number (from 1) and cells of each row; there are as many cells as headers.
    pub(crate) rows: Vec<(usize, Vec<String>)>,
}

const QUOTES: &str = "Put a cell with commas or line breaks into quotation marks, and write a quotation mark inside \
                      them twice.";

/// Read a table. Lines without any text are left out.
pub(crate) fn read(file: &str, text: &str) -> Result<Table, PromptError> {
    let error = |line: usize, message: String, remedy: &str| PromptError {
        file: file.to_owned(),
        line: Some(line),
        column: None,
        message,
        remedy: remedy.to_owned(),
    };
    check_quotes(text).map_err(|(line, message)| error(line, message.to_owned(), QUOTES))?;
    let mut reader = ::csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let from = |e: &::csv::Error| {
        let line = e.position().map_or(1, |p| usize::try_from(p.line()).unwrap_or(usize::MAX));
        error(line, e.to_string(), QUOTES)
    };
    let headers: Vec<String> =
        reader.headers().map_err(|e| from(&e))?.iter().map(|h| h.trim().to_owned()).collect();
    for (n, header) in headers.iter().enumerate() {
        if headers[..n].contains(header) {
            return Err(error(1, format!("the column {header:?} stands there twice"), "Remove one of them."));
        }
    }
    let mut table = Table { headers, rows: Vec::new() };
    for record in reader.records() {
        let record = record.map_err(|e| from(&e))?;
        let line = record.position().map_or(0, |p| usize::try_from(p.line()).unwrap_or(usize::MAX));
        if record.len() != table.headers.len() {
            let message =
                format!("the row has {} cells, the first line {}", record.len(), table.headers.len());
            return Err(error(line, message, QUOTES));
        }
        table.rows.push((line, record.iter().map(str::to_owned).collect()));
    }
    Ok(table)
}

/// Every cell that begins with a quotation mark must end with one, directly before a comma, the end of its
/// line or the end of the file.
///
/// # Errors
///
/// The line on which the quotation mark was opened, and what is wrong.
fn check_quotes(text: &str) -> Result<(), (usize, &'static str)> {
    let bytes = text.as_bytes();
    let (mut line, mut at, mut cell_starts) = (1, 0, true);
    while at < bytes.len() {
        match bytes[at] {
            b'"' if cell_starts => {
                let opened = line;
                at += 1;
                loop {
                    match (bytes.get(at), bytes.get(at + 1)) {
                        (None, _) => return Err((opened, "a quotation mark opened here is never closed")),
                        (Some(b'"'), Some(b'"')) => at += 2,
                        (Some(b'"'), None | Some(b',' | b'\n' | b'\r')) => {
                            at += 1;
                            break;
                        }
                        (Some(b'"'), Some(_)) => {
                            return Err((
                                opened,
                                "a quotation mark opened here is closed in the middle of a cell",
                            ));
                        }
                        (Some(c), _) => {
                            line += usize::from(*c == b'\n');
                            at += 1;
                        }
                    }
                }
                cell_starts = false;
            }
            c => {
                cell_starts = matches!(c, b',' | b'\n' | b'\r');
                line += usize::from(c == b'\n');
                at += 1;
            }
        }
    }
    Ok(())
}
