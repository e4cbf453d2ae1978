//! Lays the user's records over the shipped ones: a record replaces the one with the same id, or is added
//! if there is none.

use super::text::{Parsed, Problems, Records, parse_all};
use super::{ApiModel, Catalog, check};
use jiff::civil::Date;

impl Catalog {
    /// The catalogue with a layer of the user's records over it: the files of a folder, or one file.
    ///
    /// # Errors
    ///
    /// Returns all problems in the files, not only the first.
    pub fn overlaid(mut self, layer: &[(String, String)], today: Date) -> Result<Self, Problems> {
        let (parsed, mut problems) = parse_all(layer);
        self.lay(&parsed);
        problems.extend(check::files(&parsed, &self, today));
        if problems.is_empty() { Ok(self) } else { Err(Problems(problems)) }
    }

    /// Lay records over these, without checking them.
    pub fn lay(&mut self, files: &[Parsed<'_>]) {
        for file in files {
            self.lay_records(&file.records);
        }
        self.sort();
    }

    /// Lay API models over these.
    pub fn lay_api_models(&mut self, models: &[ApiModel]) {
        for model in models {
            match self.api_models.iter_mut().find(|m| m.id == model.id) {
                Some(old) => old.clone_from(model),
                None => self.api_models.push(model.clone()),
            }
        }
        self.sort();
    }

    fn lay_records(&mut self, records: &Records) {
        macro_rules! put {
            ($($list:ident),*) => {$(
                for entry in &records.$list {
                    match self.$list.iter_mut().find(|r| r.id == entry.record.id) {
                        Some(old) => *old = entry.record.clone(),
                        None => self.$list.push(entry.record.clone()),
                    }
                }
            )*};
        }
        put!(
            accelerators,
            machines,
            hosts,
            rentals,
            subscriptions,
            tariffs,
            open_models,
            api_models,
            currencies,
            providers,
            ranges
        );
    }
}
