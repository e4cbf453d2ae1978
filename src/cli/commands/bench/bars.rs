//! One progress bar per target: how far, how fast, how many failures, what it has cost so far. Plain lines
//! where stderr is no terminal.

use crate::cli::context::Context;
use crate::document::bench::build::TargetFacts;
use crate::sanitize;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::time::{Duration, Instant};

/// Most characters of a target's name on a bar.
const NAME: usize = 36;

/// Progress of one part of a run.
#[derive(Debug)]
pub struct Bars<'a> {
    context: &'a Context,
    targets: Vec<(String, bool)>,
    multi: Option<MultiProgress>,
    now: Vec<Option<Track>>,
}

/// The progress of one target in this part of the run.
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
        let most = parts.iter().filter_map(|(_, total)| *total).max().unwrap_or(0);
        // The bars are on stderr; the result's width is that of stdout.
        let (_, columns) = dialoguer::console::Term::stderr().size();
        let layout = Layout::new(usize::from(columns), most);
        let longest = self.targets.iter().map(|(id, _)| id.chars().count()).max().unwrap_or(0);
        let width = longest.min(layout.name);
        self.now = self.targets.iter().map(|_| None).collect();
        for &(target, total) in parts {
            let bar = self
                .multi
                .as_ref()
                .map(|multi| multi.add(bar(&self.targets[target].0, width, total, layout)));
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
            // A rate over less than a second says nothing yet.
            let settled = track.begun.elapsed() >= Duration::from_secs(1);
            bar.set_message(track.state(free, settled));
        }
    }

    /// Prints a line that stays.
    pub fn note(&self, text: &str) {
        match &self.multi {
            Some(multi) => multi.suspend(|| self.context.note(text)),
            None => self.context.note(text),
        }
    }

    /// This part of the run is over: prints one line per target, which stays.
    pub fn end(&mut self) {
        // All bars are removed before the first line that stays: one still there would be left behind.
        for bar in self.now.iter().flatten().filter_map(|track| track.bar.as_ref()) {
            bar.finish_and_clear();
        }
        drop(self.multi.take());
        for ((id, free), track) in self.targets.iter().zip(std::mem::take(&mut self.now)) {
            let Some(track) = track else { continue };
            if track.done > 0 {
                let seconds = track.begun.elapsed().as_secs_f64();
                let plural = if track.done == 1 { "" } else { "s" };
                let line = format!(
                    "  {id}: {} request{plural} in {seconds:.1} s, {}",
                    track.done,
                    track.state(*free, true)
                );
                self.context.note(&line);
            }
        }
    }
}

impl Track {
    /// `1.3/s · 0 failed · $0.0012`.
    fn state(&self, free: bool, settled: bool) -> String {
        let seconds = self.begun.elapsed().as_secs_f64().max(1e-3);
        let rate = self.done as f64 / seconds;
        let digits = usize::from(rate < 10.0);
        let rate = if settled { format!("{rate:.digits$}/s · ") } else { String::new() };
        let spent = match self.spent {
            _ if free => String::new(),
            Some(usd) => format!(" · ${usd:.4}"),
            None => " · cost not known".to_owned(),
        };
        format!("{rate}{} failed{spent}", self.failed)
    }
}

/// What fits on one line of the terminal: a bar that wraps is never cleared away.
#[derive(Debug, Clone, Copy)]
struct Layout {
    name: usize,
    bar: bool,
}

impl Layout {
    /// `most` is the largest number of requests that a bar counts.
    fn new(width: usize, most: u64) -> Self {
        /// `1234/s · 1234 failed · $1234.5678`, and the spaces between the parts.
        const STATE: usize = 33 + 6;
        let counts = 2 * most.to_string().len() + 1;
        let left = width.saturating_sub(STATE + counts);
        let name = left.clamp(6, NAME);
        Self { name, bar: left >= name + 8 }
    }
}

fn bar(id: &str, width: usize, total: Option<u64>, layout: Layout) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::hidden());
    let form = match total {
        Some(_) if layout.bar => "  {prefix} {wide_bar} {pos}/{len} {msg}",
        Some(_) => "  {prefix} {pos}/{len} {msg}",
        None => "  {prefix} {spinner} {pos} {msg} · {elapsed}",
    };
    if let Ok(style) = ProgressStyle::with_template(form) {
        bar.set_style(style.progress_chars("=> "));
    }
    let name = sanitize::line(id, width);
    bar.set_prefix(format!("{name:width$}"));
    bar.enable_steady_tick(Duration::from_millis(250));
    bar
}

impl Drop for Bars<'_> {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_fits_on_its_line() {
        for width in [40, 60, 80, 100, 200] {
            for most in [9, 640, 10_000_000] {
                let layout = Layout::new(width, most);
                let line = 2 + layout.name + 1 + 2 * most.to_string().len() + 1 + 1 + 33;
                assert!(line <= width || layout.name == 6, "{width}: {line}");
            }
        }
        assert!(Layout::new(100, 640).bar && !Layout::new(60, 640).bar);
        assert_eq!(Layout::new(120, 64).name, NAME);
    }
}
