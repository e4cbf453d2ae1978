//! Totals for each model, and the sizes of its requests: one distribution for each of the first models, and
//! a common one for all others.

use crate::usage::record::{ModelId, Record, Tokens};
use crate::usage::shape::{Grid, Sketch};
use crate::usage::summary::{Distribution, Totals};

/// Number of models that have a distribution of their own.
const MODELS_WITH_SIZES: usize = 64;
/// Number of representative requests that a distribution is reduced to.
const SIZES: usize = 32;

/// Totals and sizes by model.
#[derive(Debug, Default)]
pub(super) struct ByModel {
    /// In order of appearance.
    pub models: Vec<(ModelId, PerModel)>,
    /// For each model id its index in `models` plus one, or 0 where it has none yet.
    places: Vec<u16>,
    /// Sizes of the models beyond the first [`MODELS_WITH_SIZES`].
    other_sizes: Sizes,
}

impl ByModel {
    pub(super) fn add(&mut self, record: &Record, batch: bool) {
        let place = self.place_of(record.model).unwrap_or_else(|| {
            let next = self.models.len();
            let sizes = (next < MODELS_WITH_SIZES).then(Box::<Sizes>::default);
            self.models.push((record.model, PerModel { sizes, ..PerModel::default() }));
            let id = usize::from(record.model);
            if self.places.len() <= id {
                self.places.resize(id + 1, 0);
            }
            self.places[id] = u16::try_from(next + 1).unwrap_or(0);
            next
        });
        let model = &mut self.models[place].1;
        model.totals.add(record);
        if batch {
            model.batch.add(record);
        }
        if record.single {
            model.sizes.as_deref_mut().unwrap_or(&mut self.other_sizes).add(&record.tokens);
        }
    }
    /// Note that no price is known for a record that was added before.
    pub(super) fn add_unpriced(&mut self, record: &Record) {
        if let Some(place) = self.place_of(record.model) {
            self.models[place].1.unpriced.add(record);
        }
    }
    fn place_of(&self, model: ModelId) -> Option<usize> {
        let place = self.places.get(usize::from(model)).copied().unwrap_or(0);
        usize::from(place).checked_sub(1)
    }
    /// Are there more models than have a distribution of their own?
    pub(super) const fn are_many(&self) -> bool {
        self.models.len() > MODELS_WITH_SIZES
    }
    /// The distribution over the requests of all models.
    pub(super) fn distribution(&mut self) -> Option<Distribution> {
        let mut sizes = std::mem::take(&mut self.other_sizes);
        for (_, model) in &self.models {
            if let Some(part) = &model.sizes {
                sizes.merge(part);
            }
        }
        sizes.distribution()
    }
}

/// Totals and sizes of one model.
#[derive(Debug, Default)]
pub(super) struct PerModel {
    pub totals: Totals,
    pub batch: Totals,
    pub sizes: Option<Box<Sizes>>,
    pub unpriced: Totals,
}

/// Distributions of the sizes of requests, by part.
#[derive(Debug, Default)]
pub(super) struct Sizes {
    grid: Grid,
    prompt: Sketch,
    /// Prompt and output together.
    context: Sketch,
    input: Sketch,
    cache_read: Sketch,
    output: Sketch,
    reasoning: Sketch,
}

impl Sizes {
    fn merge(&mut self, other: &Self) {
        self.grid.merge(&other.grid);
        self.prompt.merge(&other.prompt);
        self.context.merge(&other.context);
        self.input.merge(&other.input);
        self.cache_read.merge(&other.cache_read);
        self.output.merge(&other.output);
        self.reasoning.merge(&other.reasoning);
    }
    fn add(&mut self, tokens: &Tokens) {
        self.grid.add(tokens);
        self.prompt.add(tokens.prompt());
        self.context.add(tokens.all());
        self.input.add(tokens.input);
        self.output.add(tokens.output);
        if tokens.stated.cache_read {
            self.cache_read.add(tokens.cache_read);
        }
        if tokens.stated.reasoning {
            self.reasoning.add(tokens.reasoning);
        }
    }
    pub(super) fn distribution(&self) -> Option<Distribution> {
        Some(Distribution {
            requests: self.grid.requests(),
            prompt: self.prompt.spread()?,
            context: self.context.spread()?,
            input: self.input.spread()?,
            cache_read: self.cache_read.spread(),
            output: self.output.spread()?,
            reasoning: self.reasoning.spread(),
            boundary: self.grid.boundary(),
            clusters: self.grid.clusters(),
            sizes: self.grid.sizes(SIZES),
        })
    }
}
