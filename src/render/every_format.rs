//! Renders anything in every format.

use super::view::View;
use crate::document::Document;
use crate::document::advice::AdviceDocument;
use crate::document::bench::BenchDocument;
use crate::document::breakeven::BreakevenDocument;
use crate::document::doctor::DoctorDocument;
use crate::document::fit::FitDocument;
use crate::document::plan::PlanDocument;
use crate::document::prompts::PromptsDocument;
use crate::document::usage::UsageDocument;

/// The result of a command, before a format is chosen.
pub trait Page {
    /// The full view.
    fn view(&self) -> View;
    /// The view for a terminal, where that is shorter.
    fn brief(&self) -> View {
        self.view().with_one_chart()
    }
    /// The result as JSON.
    fn json(&self) -> Result<String, serde_json::Error>;
    /// The table for spreadsheets, where it differs from those of the view.
    fn csv(&self) -> Option<String> {
        None
    }
}

impl Page for Document {
    fn view(&self) -> View {
        self.view()
    }
    fn brief(&self) -> View {
        self.brief()
    }
    fn json(&self) -> Result<String, serde_json::Error> {
        self.to_json()
    }
    fn csv(&self) -> Option<String> {
        self.csv()
    }
}

impl Page for AdviceDocument {
    fn view(&self) -> View {
        self.memo()
    }
    fn brief(&self) -> View {
        Self::brief(self)
    }
    fn json(&self) -> Result<String, serde_json::Error> {
        crate::document::json::pretty(self)
    }
}

/// Implements `Page` for single kinds of document, by their own view.
macro_rules! page {
    ($($document:ty $(, $csv:ident)?;)*) => {$(
        impl Page for $document {
            fn view(&self) -> View {
                <$document>::view(self)
            }
            fn json(&self) -> Result<String, serde_json::Error> {
                crate::document::json::pretty(self)
            }
            $(fn csv(&self) -> Option<String> {
                Some(self.$csv())
            })?
        }
    )*};
}

page! {
    BenchDocument, samples_csv;
    BreakevenDocument, csv;
    DoctorDocument;
    FitDocument;
    PlanDocument;
    PromptsDocument;
    UsageDocument, csv;
}
