//! Continuous batching: requests wait, get a sequence, are prefilled and decoded, and leave.

use super::choose::{Chooser, Rules};
use super::common::{engine_fault, fault};
use super::paused::{self, Paused};
use super::rendered::{Rendered, tokenize};
use crate::measure::backend::decode::{Searchers, Speller};
use crate::measure::backend::engine::{Progress, Round, Synthetic, nanos};
use crate::measure::backend::protocol::Prompt;
use crate::measure::event::{Channel, Event, Fault, FaultKind, FinishReason, Stamped, Usage};
use crate::measure::template::ChatTemplate;
use llama_cpp_2::DecodeError;
use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::llama_batch::LlamaBatch;
use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::token::LlamaToken;
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A loaded model with its context, its sequences, and the requests that wait for one.
#[derive(Debug)]
pub(super) struct Slots {
    pub(super) model: &'static LlamaModel,
    pub(super) context: LlamaContext<'static>,
    template: Option<ChatTemplate>,
    rules: Rules,
    pub(super) batch: LlamaBatch<'static>,
    /// Most tokens of one batch.
    pub(super) batch_size: usize,
    /// Tokens one sequence may hold.
    context_of_one: u32,
    waiting: VecDeque<(u32, Prompt, Instant)>,
    /// Running requests, in the order in which they came.
    running: Vec<Slot>,
    /// Sequences that no request uses; the lowest is used first.
    free: BTreeSet<i32>,
    /// Conversations between two turns, the one that waits longest first.
    paused: Vec<Paused>,
    /// Tokens that the model's sliding windows reach back; `None`: it has none, or does not say.
    window: Option<i64>,
    searchers: Searchers,
}

/// One request on its sequence.
#[derive(Debug)]
struct Slot {
    id: u32,
    sequence: i32,
    accepted: Instant,
    conversation: Option<u64>,
    prompt: Vec<LlamaToken>,
    /// Prompt tokens that the turn before had left in the cache.
    reused: usize,
    /// Prompt tokens already in the cache, or in the batch of this step.
    filled: usize,
    /// Tokens of the answer that were decoded.
    decoded: Vec<LlamaToken>,
    /// The token chosen last, not yet decoded.
    next: Option<LlamaToken>,
    /// Index of its logits in this step's output, if it has any.
    logits: Option<i32>,
    /// Its likeliest token, where that was searched together with the others', and its share of the time
    /// that took.
    likeliest: Option<(Option<LlamaToken>, Duration)>,
    produced: u32,
    limit: u32,
    ignore_end: bool,
    speller: Speller,
    chooser: Chooser,
    counters: Counters,
    /// The answer is complete, so that what was computed can serve the conversation's next turn.
    ended: bool,
}

/// Times that the engine itself spent, apart from the times of events.
#[derive(Debug, Default)]
struct Counters {
    prefill: Duration,
    /// Decode steps after prefill, and the time of the engine and of sampling for them.
    steps: u32,
    decode: Duration,
    /// Time to choose tokens and to make text of them.
    sampling: Duration,
}

type Emit<'a> = &'a mut dyn FnMut(u32, Stamped);

impl Slots {
    pub(super) fn new(
        model: &'static LlamaModel,
        context: LlamaContext<'static>,
        template: Option<ChatTemplate>,
        rules: Rules,
        parallel: u32,
        context_of_one: u32,
        batch: u32,
    ) -> Self {
        let batch_size = batch as usize;
        Self {
            model,
            context,
            template,
            rules,
            batch: LlamaBatch::new(batch_size, 1),
            batch_size,
            context_of_one,
            waiting: VecDeque::new(),
            running: Vec::new(),
            free: (0..i32::try_from(parallel).unwrap_or(1)).collect(),
            paused: Vec::new(),
            window: paused::window(model),
            searchers: Searchers::new(1),
        }
    }

    /// Look for the likeliest tokens of several sequences on this many threads; before, on one.
    pub(super) fn search_on(&mut self, threads: usize) {
        self.searchers = Searchers::new(threads);
    }

    pub(super) fn queue(&mut self, id: u32, prompt: Prompt, accepted: Instant) {
        self.waiting.push_back((id, prompt, accepted));
    }

    pub(super) fn is_busy(&self) -> bool {
        !self.waiting.is_empty() || !self.running.is_empty()
    }

    pub(super) fn cancel(&mut self, id: u32) {
        self.waiting.retain(|(waiting, ..)| *waiting != id);
        if let Some(at) = self.running.iter().position(|s| s.id == id) {
            self.release(at, false);
        }
    }

    /// One decode step of everything that runs.
    pub(super) fn step(&mut self, emit: Emit) {
        self.admit(emit);
        if self.running.is_empty() {
            return;
        }
        self.close_ranks();
        let begun = Instant::now();
        if let Err(fault) = self.fill_batch().and_then(|()| self.decode()) {
            self.fail_all(&fault, emit);
            return;
        }
        self.context.synchronize();
        let decoded = begun.elapsed();
        self.look_for_likeliest();
        let mut at = 0;
        while at < self.running.len() {
            let over = self.advance(at, decoded, emit);
            if over {
                let whole = self.running[at].ended;
                self.release(at, whole);
            } else {
                at += 1;
            }
        }
    }

    /// Finds the likeliest tokens of all greedy sequences together: with many sequences this is most of
    /// what the processor does between two steps of a GPU.
    fn look_for_likeliest(&mut self) {
        let begun = Instant::now();
        let greedy = self.running.iter().enumerate().filter(|(_, slot)| slot.chooser.is_greedy());
        let (places, rows): (Vec<usize>, Vec<&[f32]>) =
            greedy.filter_map(|(at, slot)| Some((at, self.context.get_logits_ith(slot.logits?)))).unzip();
        if rows.len() < 2 {
            return;
        }
        let found = self.searchers.greatest_of_each(&rows);
        let share = begun.elapsed() / u32::try_from(places.len()).unwrap_or(u32::MAX);
        for (at, greatest) in places.into_iter().zip(found) {
            let token = greatest.and_then(|i| i32::try_from(i).ok()).map(LlamaToken);
            self.running[at].likeliest = Some((token, share));
        }
    }

    /// Gives free sequences to the requests that wait longest. A request that cannot run fails here.
    fn admit(&mut self, emit: Emit) {
        while !(self.free.is_empty() && self.paused.is_empty()) {
            let Some((id, prompt, accepted)) = self.waiting.pop_front() else { return };
            let ready = tokenize(self.model, self.template.as_ref(), &prompt, self.context_of_one).and_then(
                |rendered| {
                    // Inside a thought that the template has opened a schema would be in the way: it is for
                    // the answer.
                    let free = rendered.thought_opened.is_some();
                    let schema = prompt.json_schema.as_deref().filter(|_| !free);
                    let chooser = self.rules.chooser(self.model, id, schema)?;
                    Ok((rendered, chooser))
                },
            );
            match ready {
                Ok((Rendered { tokens, thought_opened }, chooser)) => {
                    let prompt_tokens = u32::try_from(tokens.len()).unwrap_or(u32::MAX);
                    let thought_opened = thought_opened.map(str::to_owned);
                    say(emit, id, accepted, Event::Tokenized { prompt_tokens, thought_opened });
                    let Some((sequence, reused)) = self.place(prompt.conversation, &tokens) else { return };
                    self.running.push(Slot {
                        id,
                        sequence,
                        accepted,
                        conversation: prompt.conversation,
                        prompt: tokens,
                        reused,
                        filled: reused,
                        decoded: Vec::new(),
                        next: None,
                        logits: None,
                        likeliest: None,
                        produced: 0,
                        limit: prompt.max_output_tokens,
                        ignore_end: prompt.ignore_end,
                        speller: Speller::default(),
                        chooser,
                        counters: Counters::default(),
                        ended: false,
                    });
                }
                Err(fault) => say(emit, id, accepted, Event::Failed(fault)),
            }
        }
    }

    /// A sequence for a prompt, and how many of the prompt's tokens are computed there already: the
    /// sequence of its conversation, else a free one, else that of the conversation that has waited
    /// longest.
    fn place(&mut self, conversation: Option<u64>, prompt: &[LlamaToken]) -> Option<(i32, usize)> {
        let mine = |paused: &Paused| Some(paused.conversation) == conversation;
        if let Some(at) = self.paused.iter().position(mine) {
            let paused = self.paused.remove(at);
            return Some((paused.sequence, paused::reuse(&mut self.context, self.window, &paused, prompt)));
        }
        if let Some(sequence) = self.free.pop_first() {
            return Some((sequence, 0));
        }
        if self.paused.is_empty() {
            return None;
        }
        let sequence = self.paused.remove(0).sequence;
        paused::clear(&mut self.context, sequence);
        Some((sequence, 0))
    }

    /// Clears the whole cache. Nothing may be running.
    fn clear_all(&mut self) {
        self.context.clear_kv_cache();
        self.free.extend(self.paused.drain(..).map(|paused| paused.sequence));
    }

    /// Moves running sequences so that their numbers have no gap. llama.cpp computes sequences of one batch
    /// together only where their numbers follow each other; each run of numbers is another pass over the
    /// weights, so that one gap doubles the time of a step.
    fn close_ranks(&mut self) {
        loop {
            let Some(free) = self.free.first().copied() else { return };
            let Some(lowest) = self.running.iter().map(|s| s.sequence).min() else { return };
            let count = i32::try_from(self.running.len()).unwrap_or(i32::MAX);
            let Some(last) = self.running.iter_mut().max_by_key(|s| s.sequence) else { return };
            if last.sequence < free || last.sequence - lowest < count {
                return;
            }
            let from = last.sequence;
            // The cache moves along; a sequence that has none has nothing to move.
            if last.filled > 0 {
                let moved = self.context.copy_kv_cache_seq(from, free, None, None).is_ok();
                let removed = self.context.clear_kv_cache_seq(u32::try_from(from).ok(), None, None);
                debug_assert!(moved && removed.is_ok_and(|whole| whole));
            }
            last.sequence = free;
            self.free.remove(&free);
            self.free.insert(from);
        }
    }

    /// Fills the batch with one token of every sequence that decodes, and with prompts up to the batch
    /// size, oldest first; in the order of their sequences, so that they are computed together (see
    /// [`Self::close_ranks`]).
    fn fill_batch(&mut self) -> Result<(), Fault> {
        self.batch.clear();
        let decoding = self.running.iter().filter(|s| s.next.is_some()).count();
        let mut room = self.batch_size.saturating_sub(decoding);
        let mut turns: Vec<(i32, usize, usize)> = Vec::with_capacity(self.running.len());
        for (at, slot) in self.running.iter().enumerate() {
            let take = room.min(slot.prompt.len() - slot.filled);
            room -= take;
            turns.push((slot.sequence, at, take));
        }
        turns.sort_unstable();
        let full = |_| engine_fault("a batch overflowed");
        for (sequence, at, take) in turns {
            let slot = &mut self.running[at];
            slot.logits = None;
            if let Some(token) = slot.next.take() {
                slot.logits = Some(self.batch.n_tokens());
                self.batch.add(token, slot.position(), &[sequence], true).map_err(full)?;
                slot.decoded.push(token);
            }
            for _ in 0..take {
                let last = slot.filled + 1 == slot.prompt.len();
                if last {
                    slot.logits = Some(self.batch.n_tokens());
                }
                let position = i32::try_from(slot.filled).unwrap_or(i32::MAX);
                self.batch.add(slot.prompt[slot.filled], position, &[sequence], last).map_err(full)?;
                slot.filled += 1;
            }
        }
        Ok(())
    }

    pub(super) fn decode(&mut self) -> Result<(), Fault> {
        self.context.decode(&mut self.batch).map_err(|e| undecoded(&e))
    }

    /// After a decode step: chooses the next token of the request at `at`. `true` when its answer is over.
    fn advance(&mut self, at: usize, decoded: Duration, emit: Emit) -> bool {
        let Some(slot) = self.running.get_mut(at) else { return false };
        let in_prefill = slot.produced == 0;
        if in_prefill {
            slot.counters.prefill += decoded;
        }
        let Some(index) = slot.logits else { return false };
        if in_prefill {
            say(emit, slot.id, slot.accepted, Event::PrefillDone);
        }
        let choosing = Instant::now();
        let (chosen, searched) = match slot.likeliest.take() {
            Some(found) => found,
            None => (slot.chooser.next(&self.context, index), Duration::ZERO),
        };
        slot.counters.sampling += searched;
        let Some(token) = chosen else {
            let fault = engine_fault("the model computed no usable number for any token");
            say(emit, slot.id, slot.accepted, Event::Failed(fault));
            return true;
        };
        if !in_prefill {
            slot.counters.steps += 1;
            slot.counters.decode += decoded + searched + choosing.elapsed();
        }
        let vocab = self.model.vocab();
        let ends = vocab.is_eog(token);
        if ends && !slot.ignore_end {
            slot.end(FinishReason::Stop, emit);
            return true;
        }
        slot.produced += 1;
        if !ends {
            let bytes = slot.speller.bytes();
            bytes.reserve(32);
            vocab.token_to_piece_into(token, bytes, false, None);
        }
        let mut text = slot.speller.take();
        slot.counters.sampling += choosing.elapsed();
        let over = slot.produced >= slot.limit;
        if over {
            text.push_str(&slot.speller.finish());
        }
        say(emit, slot.id, slot.accepted, Event::Content { channel: Channel::Text, text, tokens: Some(1) });
        if over {
            slot.end(FinishReason::Length, emit);
        } else {
            slot.next = Some(token);
        }
        over
    }

    /// Removes a request. What a complete turn of a conversation has computed stays for the next one.
    fn release(&mut self, at: usize, whole: bool) {
        let Slot { sequence, conversation, prompt: mut tokens, decoded, .. } = self.running.remove(at);
        if let Some(conversation) = conversation.filter(|_| whole) {
            tokens.extend(decoded);
            self.paused.push(Paused { conversation, sequence, tokens });
            return;
        }
        self.free.insert(sequence);
        if self.running.is_empty() && self.paused.is_empty() {
            self.context.clear_kv_cache();
        } else {
            paused::clear(&mut self.context, sequence);
        }
    }

    fn fail_all(&mut self, fault: &Fault, emit: Emit) {
        while let Some(slot) = self.running.first() {
            say(emit, slot.id, slot.accepted, Event::Failed(fault.clone()));
            self.release(0, false);
        }
        // After a failed computation the caches of the others cannot be trusted.
        self.clear_all();
    }

    /// Runs a first pass, so that pages are read and buffers exist before anything is timed.
    pub(super) fn warm_up(&mut self) -> Result<(), Fault> {
        self.run_tokens(0, 2)?;
        self.run_tokens(2, 1)?;
        self.clear_all();
        Ok(())
    }

    /// Measures the engine as llama-bench does: arbitrary tokens, nothing sampled. Prefill is in full
    /// batches, decoding one token at a time, with `depth` tokens in the cache before the clock starts.
    pub(super) fn synthetic(
        &mut self,
        run: Synthetic,
        progress: &Arc<dyn Progress>,
        round: &mut dyn FnMut(Round),
    ) -> Result<(), Fault> {
        let needed = u64::from(run.depth) + u64::from(run.prompt) + u64::from(run.generate);
        if needed > u64::from(self.context_of_one) {
            return Err(fault(
                FaultKind::Context,
                format!(
                    "{needed} tokens do not fit the context of {}; use --context {needed}",
                    self.context_of_one
                ),
            ));
        }
        if self.is_busy() {
            return Err(engine_fault("requests are running"));
        }
        self.clear_all();
        // The first round warms up what this shape needs and is thrown away.
        for number in 0..=run.rounds {
            self.context.clear_kv_cache();
            self.run_tokens(0, run.depth)?;
            progress.tick();
            if number > 0 {
                round(Round::Begins);
            }
            let begun = Instant::now();
            self.run_tokens(run.depth, run.prompt)?;
            for done in 0..run.generate {
                self.run_tokens(run.depth + run.prompt + done, 1)?;
                progress.tick();
            }
            if number > 0 {
                round(Round::Took(begun.elapsed()));
            }
        }
        self.context.clear_kv_cache();
        Ok(())
    }

    /// Computes `count` arbitrary tokens from `position` on, and waits for the result.
    fn run_tokens(&mut self, position: u32, count: u32) -> Result<(), Fault> {
        let vocabulary = u32::try_from(self.model.n_vocab()).unwrap_or(1).max(1);
        let mut done = 0;
        while done < count {
            self.batch.clear();
            let take = (count - done).min(u32::try_from(self.batch_size).unwrap_or(u32::MAX));
            for i in 0..take {
                let at = position + done + i;
                // Spread over the vocabulary and different at every position.
                let token = at.wrapping_mul(2_654_435_761) % vocabulary;
                let as_i32 = |n: u32| i32::try_from(n).unwrap_or(0);
                self.batch
                    .add(LlamaToken(as_i32(token)), as_i32(at), &[0], i + 1 == take)
                    .map_err(|_| engine_fault("a batch overflowed"))?;
            }
            self.decode()?;
            done += take;
        }
        self.context.synchronize();
        Ok(())
    }
}

/// A fault for each error code of `llama_decode` (llama.h).
fn undecoded(error: &DecodeError) -> Fault {
    match error {
        DecodeError::NoKvCacheSlot => fault(FaultKind::Context, "the context is full (code 1)"),
        // The binding's name for -1 is only one of its causes.
        DecodeError::NTokensZero | DecodeError::Unknown(-1) => {
            engine_fault("the engine refused its input as invalid (code -1)")
        }
        DecodeError::Unknown(2) => engine_fault("the computation was broken off (code 2)"),
        DecodeError::Unknown(-2) => engine_fault(
            "memory for the computation ran out (code -2): try a smaller --context, --batch or --concurrency, \
             or fewer layers on the GPU",
        ),
        DecodeError::Unknown(-3) => engine_fault(
            "the computation failed on the device (code -3): the GPU, its driver or the model file",
        ),
        DecodeError::Unknown(code) => engine_fault(format!("the engine failed to compute (code {code})")),
    }
}

impl Slot {
    /// The position of the token decoded next.
    fn position(&self) -> i32 {
        let tokens = self.prompt.len() + self.produced.saturating_sub(1) as usize;
        i32::try_from(tokens).unwrap_or(i32::MAX)
    }

    fn end(&mut self, reason: FinishReason, emit: Emit) {
        let left = self.speller.finish();
        if !left.is_empty() {
            let event = Event::Content { channel: Channel::Text, text: left, tokens: Some(0) };
            say(emit, self.id, self.accepted, event);
        }
        let milliseconds = |d: Duration| d.as_secs_f64() * 1e3;
        self.ended = true;
        let computed = self.prompt.len() - self.reused;
        let timings = Event::EngineTimings {
            prompt_tokens: u32::try_from(computed).unwrap_or(u32::MAX),
            prompt_ms: milliseconds(self.counters.prefill),
            output_tokens: self.counters.steps,
            output_ms: milliseconds(self.counters.decode),
        };
        let sampling = Event::Sampling { tokens: self.produced, ms: milliseconds(self.counters.sampling) };
        say(emit, self.id, self.accepted, sampling);
        say(emit, self.id, self.accepted, timings);
        let usage = Usage {
            input_uncached: Some(computed as u64),
            cache_read: Some(self.reused as u64),
            output: Some(u64::from(self.produced)),
            ..Usage::default()
        };
        say(emit, self.id, self.accepted, Event::Usage(usage));
        say(emit, self.id, self.accepted, Event::Finished { reason });
    }
}

fn say(emit: Emit, id: u32, accepted: Instant, event: Event) {
    emit(id, Stamped { at: nanos(accepted.elapsed()), event });
}

#[cfg(test)]
#[allow(dead_code)]
#[path = "../../../../tests/it/needs.rs"]
mod needs;

#[cfg(test)]
mod tests {
    use super::super::LlamaEngine;
    use super::*;
    use crate::measure::backend::engine::Engine as _;
    use crate::measure::backend::protocol::LoadRequest;
    use crate::measure::backend::worker::Link;
    use crate::measure::event::{Message, Role};

    #[test]
    fn each_code_of_the_engine_has_its_words() {
        let say = |code| undecoded(&DecodeError::Unknown(code));
        for (code, words) in
            [(-1, "invalid"), (-2, "memory"), (-3, "device"), (2, "broken off"), (-9, "failed to compute")]
        {
            let fault = say(code);
            assert_eq!(fault.kind, FaultKind::Engine);
            assert!(fault.message.contains(words) && fault.message.contains(&code.to_string()), "{fault:?}");
        }
        assert_eq!(undecoded(&DecodeError::NoKvCacheSlot).kind, FaultKind::Context);
    }

    /// llama.cpp can be initialised only once at a time in a process.
    static ONE: std::sync::Mutex<()> = std::sync::Mutex::new(());

    /// A real refusal by llama.cpp; after it the engine still computes.
    #[test]
    fn a_batch_the_engine_refuses_is_a_fault_and_the_next_one_is_computed() {
        let Some(model) = super::needs::path("FREEHOLD_TEST_MODEL") else { return };
        let _one = ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut engine = LlamaEngine::new(None);
        let link: Arc<dyn Progress> = Arc::new(Link::new(tempfile::tempfile().expect("a file")));
        engine.load(&LoadRequest::new(model, 64), &link).expect("loads");
        let slots = engine.slots.as_mut().expect("loaded");
        let mut decode = |token: i32, sequence: i32| {
            slots.context.clear_kv_cache();
            slots.batch.clear();
            slots.batch.add(LlamaToken(token), 0, &[sequence], true).expect("room");
            slots.decode()
        };
        let beyond = i32::MAX;
        for (token, sequence) in [(beyond, 0), (-5, 0), (1, 77)] {
            let refused = decode(token, sequence).expect_err("cannot be computed");
            assert!(refused.message.contains("invalid"), "{refused:?}");
            decode(1, 0).expect("computed");
        }
    }

    /// llama.cpp computes sequences in one pass where their numbers follow each other. Whichever end first,
    /// those that go on have no gap between them, and answer as they do alone.
    #[test]
    fn sequences_that_go_on_close_ranks_and_answer_as_they_do_alone() {
        let Some(model) = super::needs::path("FREEHOLD_TEST_MODEL") else { return };
        let _one = ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut engine = LlamaEngine::new(None);
        let link: Arc<dyn Progress> = Arc::new(Link::new(tempfile::tempfile().expect("a file")));
        let request = LoadRequest { parallel: 4, ..LoadRequest::new(model, 128) };
        engine.load(&request, &link).expect("loads");
        let slots = engine.slots.as_mut().expect("loaded");
        let prompt = |id: u32, most: u32| Prompt {
            messages: vec![Message::text(Role::User, format!("Count from {id} on."))],
            max_output_tokens: most,
            ignore_end: true,
            ..Prompt::default()
        };
        let mut run = |wanted: &[(u32, u32)]| {
            let mut texts: std::collections::BTreeMap<u32, String> = std::collections::BTreeMap::new();
            for (id, most) in wanted {
                slots.queue(*id, prompt(*id, *most), Instant::now());
            }
            while slots.is_busy() {
                slots.step(&mut |id, stamped| {
                    if let Event::Content { text, .. } = stamped.event {
                        texts.entry(id).or_default().push_str(&text);
                    }
                });
                slots.close_ranks();
                let mut numbers: Vec<i32> = slots.running.iter().map(|slot| slot.sequence).collect();
                numbers.sort_unstable();
                assert!(numbers.windows(2).all(|two| two[0] + 1 == two[1]), "{numbers:?}");
            }
            texts
        };
        let wanted = [(1, 3), (2, 12), (3, 6), (4, 20), (5, 9)];
        let together = run(&wanted);
        let alone: std::collections::BTreeMap<u32, String> =
            wanted.iter().flat_map(|one| run(std::slice::from_ref(one))).collect();
        assert_eq!(together.len(), 5);
        // Sums in another order may decide a near tie otherwise; the beginnings are the same.
        for (id, text) in &alone {
            assert_eq!(text.chars().next(), together[id].chars().next(), "{id}");
        }
    }

    /// A turn begins with the turn before it: what that one has computed is not computed again, and the
    /// answer is the same. Another conversation that takes the sequence over is not disturbed by what was
    /// there.
    #[test]
    fn a_conversation_goes_on_from_what_its_last_turn_has_computed() {
        let Some(model) = super::needs::path("FREEHOLD_TEST_MODEL") else { return };
        let _one = ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut engine = LlamaEngine::new(None);
        let link: Arc<dyn Progress> = Arc::new(Link::new(tempfile::tempfile().expect("a file")));
        let request = LoadRequest { parallel: 2, ..LoadRequest::new(model, 1024) };
        engine.load(&request, &link).expect("loads");
        let slots = engine.slots.as_mut().expect("loaded");
        let mut ask = |conversation: Option<u64>, messages: &[Message]| {
            let prompt = Prompt {
                messages: messages.to_vec(),
                max_output_tokens: 12,
                conversation,
                ..Prompt::default()
            };
            slots.queue(1, prompt, Instant::now());
            let (mut text, mut usage) = (String::new(), Usage::default());
            while slots.is_busy() {
                slots.step(&mut |_, stamped| match stamped.event {
                    Event::Content { text: more, .. } => text.push_str(&more),
                    Event::Usage(said) => usage = said,
                    _ => {}
                });
            }
            (text, usage.cache_read.expect("said"), usage.input_uncached.expect("said"))
        };
        let mut messages = vec![Message::text(Role::User, "Name a colour. ".repeat(20))];
        let mut before = 0;
        for turn in 0..4 {
            let (text, reused, computed) = ask(Some(7), &messages);
            if turn == 0 {
                assert_eq!(reused, 0);
            } else {
                assert!(reused >= before, "turn {turn}: {reused} of {before} tokens of the turn before");
                assert!(computed < 60, "turn {turn}: {computed} tokens");
            }
            before = reused + computed;
            let (alone, none, all) = ask(None, &messages);
            assert_eq!((none, all), (0, before), "without a conversation nothing is reused");
            // Sums in another order may decide a near tie otherwise; the beginnings are the same.
            assert_eq!(text.chars().next(), alone.chars().next(), "{text} and {alone}");
            messages.push(Message::text(Role::Assistant, text));
            messages.push(Message::text(Role::User, format!("And number {turn}?")));
        }
        for other in [8, 9] {
            assert_eq!(ask(Some(other), &messages[..1]).1, 0, "another conversation has its own");
        }
        assert_eq!(ask(Some(7), &messages).1, 0, "its sequence was needed by others");
    }
}
