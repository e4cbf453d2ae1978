//! One progress bar per target: how far, how fast, how many failures, what it cost so far. Plain
//! lines where nobody watches.

use crate::cli::context::Context;
use crate::report::bench::build::TargetFacts;
use crate::report::sanitize;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::time::{Duration, Instant};

/// Longest name of a target on a bar.
const NAME: usize = 36;

/// Progress of one part of a run.
#[derive(Debug)]
pub struct Bars<'a> {
    context: &'a Context,
    targets: Vec<(String, bool)>,
    multi: Option<MultiProgress>,
    now: Vec<Option<Track>>,
}

/// One target in this part of the run.
#[derive(Debug)]
struct Track {
    bar: Option<ProgressBar>,
    begun: Instant,
    done: u64,
    failed: u64,
    /// USD; `None` where a price is missing.
    spent: Option<f64>,
}

impl<'a> Bars<'a> {
    pub fn new(context: &'a Context, targets: &[TargetFacts]) -> Self {
        let free = |t: &TargetFacts| t.origin.is_none() || t.stand_in;
        Self {
            context,
            targets: targets.iter().map(|t| (t.id.clone(), free(t))).collect(),
            multi: None,
            now: Vec::new(),
        }
    }

    /// A new part of the run: which targets take part, and with how many requests where that is
    /// known.
    pub fn begin(&mut self, title: &str, parts: &[(usize, Option<u64>)]) {
        self.end();
        self.context.note(title);
        let watched = self.context.stderr_terminal && !self.context.ci && !self.context.quiet;
        self.multi = watched.then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr()));
        let width = self.targets.iter().map(|(id, _)| id.chars().count().min(NAME)).max().unwrap_or(0);
        self.now = self.targets.iter().map(|_| None).collect();
        for &(target, total) in parts {
            let bar = self.multi.as_ref().map(|multi| multi.add(bar(&self.targets[target].0, width, total)));
            self.now[target] =
                Some(Track { bar, begun: Instant::now(), done: 0, failed: 0, spent: Some(0.0) });
        }
    }

    /// A request ended.
    pub fn ended(&mut self, target: usize, failed: bool, cost: Option<f64>) {
        let free = self.targets[target].1;
        let Some(Some(track)) = self.now.get_mut(target) else { return };
        track.done += 1;
        track.failed += u64::from(failed);
        track.spent = if free { None } else { track.spent.zip(cost).map(|(a, b)| a + b) };
        if let Some(bar) = &track.bar {
            bar.inc(1);
            bar.set_message(track.state(free));
        }
    }

    /// A line that stays.
    pub fn note(&self, text: &str) {
        match &self.multi {
            Some(multi) => multi.suspend(|| self.context.note(text)),
            None => self.context.note(text),
        }
    }

    /// This part is over: one line per target stays.
    pub fn end(&mut self) {
        let multi = self.multi.take();
        for ((id, free), track) in self.targets.iter().zip(std::mem::take(&mut self.now)) {
            let Some(track) = track else { continue };
            if let Some(bar) = &track.bar {
                bar.finish_and_clear();
            }
            if track.done > 0 {
                let seconds = track.begun.elapsed().as_secs_f64();
                let plural = if track.done == 1 { "" } else { "s" };
                let line = format!(
                    "  {id}: {} request{plural} in {seconds:.1} s, {}",
                    track.done,
                    track.state(*free)
                );
                self.context.note(&line);
            }
        }
        drop(multi);
    }
}

impl Track {
    /// `1.3/s · 0 failed · $0.0012`.
    fn state(&self, free: bool) -> String {
        let seconds = self.begun.elapsed().as_secs_f64().max(1e-3);
        let rate = self.done as f64 / seconds;
        let digits = usize::from(rate < 10.0);
        let spent = match self.spent {
            _ if free => String::new(),
            Some(usd) => format!(" · ${usd:.4}"),
            None => " · cost not known".to_owned(),
        };
        format!("{rate:.digits$}/s · {} failed{spent}", self.failed)
    }
}

fn bar(id: &str, width: usize, total: Option<u64>) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::hidden());
    let form = if total.is_some() {
        "  {prefix} {wide_bar} {pos}/{len} {msg}"
    } else {
        "  {prefix} {spinner} {pos} {msg} · {elapsed}"
    };
    if let Ok(style) = ProgressStyle::with_template(form) {
        bar.set_style(style.progress_chars("=> "));
    }
    let name = sanitize::line(id, NAME);
    bar.set_prefix(format!("{name:width$}"));
    bar.enable_steady_tick(Duration::from_millis(250));
    bar
}

impl Drop for Bars<'_> {
    fn drop(&mut self) {
        self.end();
    }
}
