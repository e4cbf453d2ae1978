//! Embeddings of the prompts: how fast a local model makes them, and the vectors where they are wanted.

use super::summary::Summary;
use crate::document::metrics::definition;
use crate::measure::backend::local;
use crate::measure::backend::protocol::EmbeddingKind;
use crate::measure::energy::Used;
use crate::measure::event::Fault;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What `--embed` measured on one target. Texts are embedded one after another, without a chat template.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Embedding {
    /// Numbers in one vector.
    pub dimensions: u32,
    /// How the vectors of the tokens become one for the text: `mean`, `cls`, `last`.
    pub pooling: String,
    /// The model's file names this pooling; otherwise it is the usual one of such models.
    pub pooling_from_file: bool,
    /// Vectors have length 1.
    pub normalised: bool,
    /// How often every text was embedded.
    pub rounds: u32,
    /// Texts that failed, in any round.
    pub failures: u32,
    /// Input tokens of all texts together, each counted once.
    pub input_tokens: u64,
    #[doc = definition!(embedding_tps)]
    pub tps: Summary,
    #[doc = definition!(embedding_text_ms)]
    pub text_ms: Summary,
    /// Milliseconds to turn the texts into tokens.
    pub tokenize_ms: Summary,
    #[doc = definition!(busy_watts)]
    /// Null where its energy cannot be read.
    pub busy_watts: Option<f64>,
    /// Energy of the device per input token, joules; null where it cannot be read.
    pub input_token_j: Option<f64>,
    /// One entry for each text.
    pub texts: Vec<EmbeddedText>,
    #[serde(skip)]
    #[schemars(skip)]
    state: Rounds,
}

/// One text of the prompt file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EmbeddedText {
    /// Id of the prompt.
    pub prompt_id: String,
    /// Its input tokens, with the special tokens that the model wants around it; null where it failed.
    pub input_tokens: Option<u32>,
    /// Median time to embed it over all rounds, milliseconds; null where it failed.
    pub median_ms: Option<f64>,
    /// Why it failed; null where it did not.
    pub error: Option<Fault>,
    /// Its vector, where `--vectors` asked for it; otherwise null.
    pub vector: Option<Vec<f32>>,
}

/// One text's vector, and how long it took.
#[derive(Debug, Clone, PartialEq)]
pub struct Made {
    tokens: u32,
    tokenize_ms: f64,
    total_ms: f64,
    vector: Vec<f32>,
}

impl Made {
    pub fn of(made: local::Embedding) -> Self {
        let ms = |d: std::time::Duration| d.as_secs_f64() * 1e3;
        Self {
            tokens: made.tokens,
            tokenize_ms: ms(made.tokenizing),
            total_ms: ms(made.total),
            vector: made.vector,
        }
    }
}

/// What the rounds so far came to, before figures are made of it.
#[derive(Debug, Clone, Default, PartialEq)]
struct Rounds {
    keep: bool,
    /// Milliseconds of each round, for each text by its index in the file.
    times: Vec<Vec<f64>>,
    tokenizing: Vec<f64>,
    /// Index of the next text in the current round.
    place: usize,
    tokens: u64,
    ms: f64,
    rates: Vec<f64>,
    /// Energy in joules, time in seconds, and tokens of all rounds; `None` once the energy of a round is
    /// not known.
    used: Option<(f64, f64, u64)>,
}

impl Embedding {
    /// An empty record; `keep` says whether vectors are kept.
    pub fn new(kind: &EmbeddingKind, keep: bool) -> Self {
        Self {
            dimensions: kind.dimensions,
            pooling: kind.pooling.clone(),
            pooling_from_file: kind.pooling_named,
            normalised: true,
            rounds: 0,
            failures: 0,
            input_tokens: 0,
            tps: Summary::default(),
            text_ms: Summary::default(),
            tokenize_ms: Summary::default(),
            busy_watts: None,
            input_token_j: None,
            texts: Vec::new(),
            state: Rounds { keep, used: Some((0.0, 0.0, 0)), ..Rounds::default() },
        }
    }

    /// Add one text of a round; texts come in the order of the file.
    pub fn add(&mut self, prompt_id: &str, made: Result<Made, Fault>) {
        let state = &mut self.state;
        if state.place == self.texts.len() {
            let text = EmbeddedText {
                prompt_id: prompt_id.to_owned(),
                input_tokens: None,
                median_ms: None,
                error: None,
                vector: None,
            };
            self.texts.push(text);
            state.times.push(Vec::new());
        }
        let text = &mut self.texts[state.place];
        match made {
            Ok(made) => {
                text.input_tokens = Some(made.tokens);
                state.times[state.place].push(made.total_ms);
                state.tokenizing.push(made.tokenize_ms);
                state.tokens += u64::from(made.tokens);
                state.ms += made.total_ms;
                if state.keep {
                    text.vector = Some(made.vector);
                }
            }
            Err(fault) => text.error = Some(fault),
        }
        state.place += 1;
    }

    /// End a round; `energy` is what the device used for it.
    pub fn end_round(&mut self, energy: Option<Used>) {
        let state = &mut self.state;
        if state.ms > 0.0 {
            state.rates.push(state.tokens as f64 / state.ms * 1e3);
        }
        state.used = state.used.zip(energy).map(|((joules, seconds, tokens), now)| {
            (joules + now.joules, seconds + now.over.as_secs_f64(), tokens + state.tokens)
        });
        (state.place, state.tokens, state.ms) = (0, 0, 0.0);
        self.rounds += 1;
    }

    /// The figures of all rounds.
    #[must_use]
    pub fn finished(mut self) -> Self {
        let state = std::mem::take(&mut self.state);
        for (text, times) in self.texts.iter_mut().zip(&state.times) {
            text.median_ms = Summary::of(times).median;
        }
        self.failures = u32::try_from(self.texts.iter().filter(|t| t.error.is_some()).count()).unwrap_or(0);
        self.input_tokens = self.texts.iter().filter_map(|t| t.input_tokens).map(u64::from).sum();
        self.tps = Summary::of(&state.rates);
        self.text_ms = Summary::of(&state.times.concat());
        self.tokenize_ms = Summary::of(&state.tokenizing);
        let used = state.used.filter(|(_, seconds, _)| *seconds > 0.0);
        self.busy_watts = used.map(|(joules, seconds, _)| joules / seconds);
        self.input_token_j =
            used.filter(|(.., tokens)| *tokens > 0).map(|(joules, _, tokens)| joules / tokens as f64);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::event::FaultKind;
    use std::time::Duration;

    #[allow(clippy::unnecessary_wraps, reason = "as a backend gives it")]
    fn made(tokens: u32, total_ms: f64) -> Result<Made, Fault> {
        Ok(Made { tokens, tokenize_ms: 0.5, total_ms, vector: vec![0.6, 0.8] })
    }
    fn kind() -> EmbeddingKind {
        EmbeddingKind { dimensions: 2, pooling: "mean".into(), pooling_named: false }
    }

    #[test]
    fn a_rounds_rate_is_its_tokens_over_its_time() {
        let mut e = Embedding::new(&kind(), false);
        for slower in [1.0, 2.0, 4.0] {
            e.add("a", made(10, 10.0 * slower));
            e.add("b", made(30, 30.0 * slower));
            e.end_round(Some(Used { joules: 8.0, over: Duration::from_secs(2) }));
        }
        let e = e.finished();
        assert_eq!((e.rounds, e.input_tokens, e.failures), (3, 40, 0));
        assert_eq!(e.tps.median, Some(500.0));
        assert_eq!((e.texts[0].median_ms, e.texts[1].median_ms), (Some(20.0), Some(60.0)));
        assert_eq!((e.busy_watts, e.input_token_j), (Some(4.0), Some(0.2)));
        assert_eq!(e.texts[0].vector, None, "nobody asked for it");
    }

    #[test]
    fn a_text_that_fails_is_named_and_counts_for_no_speed() {
        let mut e = Embedding::new(&kind(), true);
        e.add("a", Err(Fault { kind: FaultKind::Context, message: "too long".into() }));
        e.add("b", made(10, 10.0));
        e.end_round(None);
        let e = e.finished();
        assert_eq!((e.failures, e.text_ms.n, e.tps.median), (1, 1, Some(1000.0)));
        assert_eq!((e.busy_watts, e.texts[0].input_tokens), (None, None));
        assert_eq!(e.texts[1].vector.as_deref(), Some(&[0.6, 0.8][..]));
    }
}
