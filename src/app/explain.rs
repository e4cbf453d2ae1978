//! `explain`: where one number of a saved document comes from.

use super::refusal::Refusal;
use crate::document::figure::{self, Why};
use crate::document::gates::shown;
use crate::document::{Document, Input};
use crate::money::Currency;
use crate::render::breakeven::explain as derivation;
use crate::render::{Block, Page, View, names};
use crate::spelling::nearest;

/// The explanation of a number.
#[derive(Debug)]
pub struct Explanation {
    view: View,
}

/// Explains an input or a figure by its name. Refused where there is none, with similar names.
pub fn explain(path: &str, file: &str, document: &Document) -> Result<Explanation, Refusal> {
    let mut view = View::new(format!("{path} in {file}"));
    if let Some(input) = document.inputs().get(path) {
        of_input(&mut view, path, input);
        return Ok(Explanation { view });
    }
    let found = figure::resolve(path, document);
    let steps = match document {
        Document::Breakeven(cost) => derivation(cost, path),
        _ => None,
    };
    match (&found, &steps) {
        (Err(_), None) => {
            let error = found.err().map(|e| (e.why.clone(), e.to_string()));
            let (why, message) = error.unwrap_or((Why::UnknownMetric, path.to_owned()));
            let like = nearest(path, document.inputs().keys().map(String::as_str), 3);
            let mut refusal = Refusal::input(format!("{file}: {message}"));
            if why == Why::UnknownMetric && !like.is_empty() {
                refusal = refusal.hint(format!("inputs that are like it: {}", like.join(", ")));
            }
            return Err(refusal);
        }
        (Ok(figure), _) => {
            view.push(Block::Lead(format!("{}: {}", figure.path, shown(figure))));
            view.paragraph(format!("What it is: {}.", figure.metric.definition));
            if let Some(n) = figure.n {
                view.paragraph(format!("Of {} values.", crate::number::grouped(n as f64, 0)));
            }
            if figure.interval.is_some() && figure.n.is_some() {
                view.paragraph("The interval holds the true value in 95 of 100 such measurements.");
            }
        }
        (Err(_), Some(_)) => {}
    }
    if let Some(steps) = steps {
        view.heading("How it comes about").push(Block::List(steps));
    }
    view.paragraph(format!(
        "{file} was made by freehold {} at {}.",
        document.tool_version(),
        document.created()
    ));
    Ok(Explanation { view })
}

fn of_input(view: &mut View, path: &str, input: &Input) {
    view.push(Block::Lead(format!(
        "{}: {}",
        names::of_input_and_side(path),
        names::value(input, &Currency::usd())
    )));
    view.paragraph(format!("An input: {}.", input.source.describe()));
}

impl Page for Explanation {
    fn view(&self) -> View {
        self.view.clone()
    }
    fn json(&self) -> Result<String, serde_json::Error> {
        self.view.to_json()
    }
}
