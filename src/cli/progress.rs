//! What happens during a smoke run, on stderr: a moving line on a terminal, plain lines elsewhere.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::{quote::terminal::line, verify::Event};

/// Shows events.
pub struct Progress {
    bar: Option<ProgressBar>,
    stage: String,
}

impl Progress {
    /// Returns a display; `moving` where stderr is a terminal.
    pub fn new(moving: bool) -> Self {
        let bar = moving.then(|| {
            let bar = ProgressBar::new_spinner();
            bar.set_style(
                ProgressStyle::with_template("{spinner} {elapsed} {wide_msg}")
                    .expect("the template is right"),
            );
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        Self {
            bar,
            stage: String::new(),
        }
    }

    /// Shows one event.
    pub fn show(&mut self, event: Event) {
        match event {
            Event::Stage(stage) => {
                self.line(&format!("{stage} …"));
                self.stage = stage;
            }
            Event::BuildStep { name, cached } => {
                let cached = if cached { " (cached)" } else { "" };
                self.line(&format!("  {name}{cached}"));
            }
            Event::Log(line) => {
                if let Some(bar) = &self.bar {
                    bar.set_message(self::line(&format!("{}: {line}", self.stage)));
                }
            }
            Event::Reached(what) => self.line(&format!("  ✓ {what}")),
        }
    }

    /// Takes the moving line away.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn line(&self, text: &str) {
        let text = line(text);
        let shown: String = text.chars().take(160).collect();
        match &self.bar {
            Some(bar) => bar.println(shown),
            None => eprintln!("{shown}"),
        }
    }
}
