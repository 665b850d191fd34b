//! What commands say, and how: answers on standard output as text or JSON, remarks and progress on standard error.
//! Colour and wrapping are for terminals alone.

mod ask;
mod page;
mod paint;
mod reasons;
mod time;
mod wait;

use std::io::{ErrorKind, IsTerminal as _, Write as _};

use clap::ValueEnum;
use serde::Serialize;

use crate::failure::Failure;

pub use ask::Asked;
pub use page::{Page, Text, plain};
pub use paint::{Paint, Tone};
pub use reasons::Reasons;
pub use time::{age, millis};
pub use wait::bar;

/// Text for people, JSON for machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Tables and lines.
    Text,
    /// One JSON document.
    Json,
    /// Rows for a spreadsheet, where a command has rows.
    Csv,
    /// A page for a browser, where a command has one.
    Html,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// JUnit XML, for pipelines.
    Junit,
    /// OCSF events, one a line.
    Ocsf,
    /// Findings as Security Hub takes them.
    Asff,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What a command answers.
pub trait Reply: Serialize {
    /// It, for people.
    fn text(&self, paint: Paint) -> String;
}

/// Where a command's words go.
#[derive(Debug, Clone, Copy)]
pub struct Show {
    format: Format,
    out: Paint,
    err: Paint,
}

impl Show {
    /// For this process's standard output and error.
    #[must_use]
    pub fn of_process(format: Format, color: Color) -> Self {
        let (out, err) = (std::io::stdout().is_terminal(), std::io::stderr().is_terminal());
        let plain = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty());
        let on = |terminal: bool| match color {
            Color::Auto => terminal && !plain,
            Color::Always => true,
            Color::Never => false,
        };
        Self {
            format,
            out: Paint { on: on(out), width: out.then(paint::terminal_width).flatten() },
            err: Paint { on: on(err), width: None },
        }
    }

    /// `text` as standard output shows that tone.
    #[must_use]
    pub fn tone(&self, tone: Tone, text: &str) -> String {
        self.out.tone(tone, text)
    }

    /// Whether a machine reads it.
    #[must_use]
    pub fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// Prints the answer.
    ///
    /// # Errors
    /// If it cannot be written. A reader that went away, such as `head`, is no error.
    pub fn answer(&self, reply: &impl Reply) -> Result<(), Failure> {
        match self.format {
            Format::Text => self.print(&reply.text(self.out)),
            Format::Json => self.json(reply),
            _ => Err(Failure::usage("this command has no such output").hint(
                "`--output text` or `--output json`; `picket assess` knows them all, `picket scan` csv and html",
            )),
        }
    }

    /// How to answer, for commands that have more than text and JSON, or write large answers bit by bit.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format
    }

    /// How text on standard output is painted.
    #[must_use]
    pub fn paint(&self) -> Paint {
        self.out
    }

    /// Prints a value as JSON, whatever the format.
    ///
    /// # Errors
    /// As `answer`.
    pub fn json(&self, value: &impl Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(value).map_err(|e| Failure::usage("writing JSON").because(e))?;
        self.print(&text)
    }

    /// Prints text that was made safe before, with one line feed at its end.
    ///
    /// # Errors
    /// As `answer`.
    pub fn print(&self, text: &str) -> Result<(), Failure> {
        let mut out = std::io::stdout().lock();
        match writeln!(out, "{}", text.trim_end_matches('\n')).and_then(|()| out.flush()) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                Err(Failure::usage("writing to standard output").because(error))
            }
            _ => Ok(()),
        }
    }

    /// A remark beside the answer; machines are spared it.
    pub fn remark(&self, text: &str) {
        if self.format == Format::Text {
            self.say(&plain(text));
        }
    }

    /// A failure, with its causes and the next step.
    pub fn failure(&self, failure: &Failure) {
        self.say(&format!("{} {}", self.err.tone(Tone::Bad, "error:"), plain(&failure.chain())));
        if let Some(hint) = failure.next_step() {
            self.say(&format!("{} {}", self.err.tone(Tone::Strong, "hint:"), plain(hint)));
        }
    }

    /// There is nobody to tell if standard error is closed.
    fn say(&self, text: &str) {
        let _ = writeln!(std::io::stderr().lock(), "{text}");
    }
}
