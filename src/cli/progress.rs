//! Progress on stderr: a bar where stderr is a terminal, one plain line per phase elsewhere.

use super::context::Context;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::time::Duration;

/// Progress of one command.
#[derive(Debug)]
pub struct Progress<'a> {
    context: &'a Context,
    bar: Option<ProgressBar>,
}

impl<'a> Progress<'a> {
    /// A progress that shows nothing before its first phase.
    pub fn new(context: &'a Context) -> Self {
        Self { context, bar: None }
    }

    fn watched(&self) -> bool {
        self.context.stderr_terminal && !self.context.ci && !self.context.quiet
    }

    /// Begins a phase of `steps` steps.
    pub fn phase(&mut self, name: &str, steps: u64) {
        self.done();
        if !self.watched() {
            self.context.note(name);
            return;
        }
        let bar = ProgressBar::with_draw_target(Some(steps), ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{prefix} {wide_bar} {pos}/{len} {msg} {elapsed}") {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_prefix(name.to_owned());
        bar.enable_steady_tick(Duration::from_millis(250));
        self.bar = Some(bar);
    }

    /// Begins a phase that is counted in bytes, of `total` where it is known.
    pub fn phase_bytes(&mut self, name: &str, total: Option<u64>) {
        self.done();
        if !self.watched() {
            let size = total.map(|t| format!(" ({:.0} MB)", t as f64 / 1e6)).unwrap_or_default();
            self.context.note(&format!("{name}{size}"));
            return;
        }
        let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr());
        let form = "{prefix} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
        if let Ok(style) = ProgressStyle::with_template(form) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_prefix(crate::sanitize::line(name, 60));
        self.bar = Some(bar);
    }

    /// Says what is being done now.
    pub fn doing(&self, what: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(crate::sanitize::line(what, 60));
        }
    }

    /// Sets the position, in a phase without steps of its own.
    pub fn at(&self, position: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(position);
        }
    }

    /// Counts one step.
    pub fn step(&self) {
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
    }

    /// Prints a line that stays.
    pub fn note(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| self.context.note(text)),
            None => self.context.note(text),
        }
    }

    /// Ends the phase.
    pub fn done(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        self.done();
    }
}
