//! Sampling: the next token is the likeliest or is drawn as asked, within a grammar where there is one.

use crate::measure::backend::decode::greatest;
use crate::measure::backend::protocol::Sampling;
use crate::measure::event::{Fault, FaultKind};
use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::sampling::LlamaSampler;
use llama_cpp_2::token::LlamaToken;
use llama_cpp_2::token::data::LlamaTokenData;
use llama_cpp_2::token::data_array::LlamaTokenDataArray;

/// How tokens are chosen, for every request to a model.
#[derive(Debug, Clone, Default)]
pub(super) struct Rules {
    /// `None`: greedy.
    pub sampling: Option<Sampling>,
    /// A grammar in llama.cpp's language (GBNF).
    pub grammar: Option<String>,
}

impl Rules {
    /// What was asked for, with the values that the model's file recommends where nothing was asked. Fails
    /// where the schema cannot be made into a grammar.
    pub(super) fn new(
        model: &LlamaModel,
        sampling: Option<Sampling>,
        schema: Option<&str>,
    ) -> Result<Self, Fault> {
        let sampling = match sampling {
            Some(asked) if asked.recommended => Some(recommended(model, asked)?),
            other => other,
        };
        let grammar = schema.map(grammar_of).transpose()?;
        let rules = Self { sampling, grammar };
        // A grammar that does not parse is found here, not in the first request.
        rules.chooser(model, 0, None)?;
        Ok(rules)
    }

    /// The settings in words, for the document.
    pub(super) fn describe(&self) -> String {
        let mut text = match &self.sampling {
            None => "greedy".to_owned(),
            Some(s) => {
                let parts = [
                    Some(format!("temperature {}", s.temperature)),
                    s.top_k.map(|k| format!("top-k {k}")),
                    s.top_p.map(|p| format!("top-p {p}")),
                    s.min_p.map(|p| format!("min-p {p}")),
                    Some(format!("seed {}", s.seed)),
                ];
                parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
            }
        };
        if self.grammar.is_some() {
            text.push_str(", held to a JSON schema");
        }
        text
    }

    /// Makes the sampler of one request. Each request draws other random numbers, and the same ones in
    /// another run. `schema`: the JSON schema of this answer alone, in place of that of all.
    pub(super) fn chooser(
        &self,
        model: &LlamaModel,
        request: u32,
        schema: Option<&str>,
    ) -> Result<Chooser, Fault> {
        let own = schema.map(grammar_of).transpose()?;
        let grammar = match own.as_ref().or(self.grammar.as_ref()) {
            None => None,
            Some(text) => Some(
                LlamaSampler::grammar(model, text, "root")
                    .map_err(|e| refused(format!("llama.cpp does not accept its own grammar ({e})")))?,
            ),
        };
        let chain = self.sampling.map(|s| {
            let keep = 1;
            let steps = [
                s.top_k.map(|k| LlamaSampler::top_k(i32::try_from(k).unwrap_or(i32::MAX))),
                s.top_p.map(|p| LlamaSampler::top_p(p, keep)),
                s.min_p.map(|p| LlamaSampler::min_p(p, keep)),
                Some(LlamaSampler::temp(s.temperature)),
                Some(LlamaSampler::dist(s.seed.wrapping_add(request))),
            ];
            LlamaSampler::chain(steps.into_iter().flatten(), true)
        });
        Ok(Chooser { grammar, chain })
    }
}

/// A JSON schema in llama.cpp's grammar language.
fn grammar_of(schema: &str) -> Result<String, Fault> {
    llama_cpp_2::json_schema_to_grammar(schema).map_err(|_| {
        refused("llama.cpp cannot make a grammar of this JSON schema; leave out what it does not know")
    })
}

/// The sampling values that the model's maker recommends in the file, where the user has set none.
fn recommended(model: &LlamaModel, asked: Sampling) -> Result<Sampling, Fault> {
    let number = |key: &str| {
        let text = model.meta_val_str(&format!("general.sampling.{key}")).ok()?;
        text.trim().parse::<f32>().ok().filter(|n| n.is_finite() && *n >= 0.0)
    };
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "finite, not negative, and capped"
    )]
    let top_k = number("top_k").map(|k| k.min(1e6) as u32).filter(|k| *k > 0);
    let temperature = number("temp").ok_or_else(|| {
        refused("the model file recommends no sampling; name one with --temperature, --top-p and --top-k")
    })?;
    Ok(Sampling { temperature, top_k, top_p: number("top_p"), min_p: number("min_p"), ..asked })
}

/// Chooses the tokens of one request.
#[derive(Debug)]
pub(super) struct Chooser {
    grammar: Option<LlamaSampler>,
    chain: Option<LlamaSampler>,
}

impl Chooser {
    /// Is the likeliest token chosen, whatever it is?
    pub(super) fn is_greedy(&self) -> bool {
        self.grammar.is_none() && self.chain.is_none()
    }

    /// The next token after the output at `index`; `None` where no token is left.
    pub(super) fn next(&mut self, context: &LlamaContext<'_>, index: i32) -> Option<LlamaToken> {
        let Some(grammar) = &mut self.grammar else {
            return match &mut self.chain {
                None => likeliest(context, index),
                Some(chain) => sampled(chain, context.token_data_array_ith(index)),
            };
        };
        let free = match &mut self.chain {
            None => likeliest(context, index)?,
            Some(chain) => sampled(chain, context.token_data_array_ith(index))?,
        };
        // The token that would be chosen without the grammar mostly fits it, and testing one token is
        // cheaper than testing all.
        let mut one = LlamaTokenDataArray::new(vec![LlamaTokenData::new(free, 1.0, 0.0)], false);
        grammar.apply(&mut one);
        let token = if one.data.first().is_some_and(|t| t.logit().is_finite()) {
            free
        } else {
            let mut all = context.token_data_array_ith(index);
            grammar.apply(&mut all);
            all.data.retain(|t| t.logit().is_finite());
            match &mut self.chain {
                None => all.data.iter().max_by(|a, b| a.logit().total_cmp(&b.logit()))?.id(),
                Some(chain) => sampled(chain, LlamaTokenDataArray::new(all.data, false))?,
            }
        };
        grammar.accept(token);
        Some(token)
    }
}

/// The first of the most likely tokens, without a list of candidates.
fn likeliest(context: &LlamaContext<'_>, index: i32) -> Option<LlamaToken> {
    greatest(context.get_logits_ith(index)).and_then(|i| i32::try_from(i).ok()).map(LlamaToken)
}

fn sampled(chain: &mut LlamaSampler, mut candidates: LlamaTokenDataArray) -> Option<LlamaToken> {
    if candidates.data.is_empty() || candidates.data.iter().all(|t| t.logit().is_nan()) {
        return None;
    }
    candidates.apply_sampler(chain);
    let token = candidates.selected_token()?;
    chain.accept(token);
    Some(token)
}

fn refused(message: impl Into<String>) -> Fault {
    Fault { kind: FaultKind::Request, message: message.into() }
}
