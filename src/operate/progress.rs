//! How far a long job is: a bar on a terminal, a line now and then elsewhere.
//!
//! In: steps that are done, of how many. Out: standard error only, so that results can be piped.

use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

/// Between two lines where there is no terminal.
const SAY_EVERY: Duration = Duration::from_secs(2);

/// A job in steps.
#[derive(Debug)]
pub struct Progress {
    bar: Option<ProgressBar>,
    total: u64,
    done: u64,
    unit: &'static str,
    said: Instant,
}

impl Progress {
    /// Of a job that has `total` steps, called `unit`.
    #[must_use]
    pub fn new(total: u64, unit: &'static str) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let style = format!("{{bar:32}} {{pos}}/{{len}} {unit}, {{eta}} to go  {{msg}}");
            let style = ProgressStyle::with_template(&style)
                .unwrap_or_else(|_| ProgressStyle::default_bar());
            ProgressBar::new(total).with_style(style)
        });
        Self { bar, total, done: 0, unit, said: Instant::now() }
    }

    /// One step is done; `so_far` says what came of all of them.
    pub fn step(&mut self, so_far: impl FnOnce() -> String) {
        self.done += 1;
        match &self.bar {
            Some(bar) => {
                bar.set_message(so_far());
                bar.set_position(self.done);
            }
            None if self.said.elapsed() >= SAY_EVERY => {
                self.said = Instant::now();
                eprintln!("callsink: {} of {} {}, {}", self.done, self.total, self.unit, so_far());
            }
            None => {}
        }
    }

    /// Something a person should know now.
    pub fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| eprintln!("callsink: {line}")),
            None => eprintln!("callsink: {line}"),
        }
    }

    /// The job has come to its end, good or bad.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
