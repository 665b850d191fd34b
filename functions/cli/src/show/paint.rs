//! Colour, where it is wanted. What a colour says is also said in words.

use anstyle::{AnsiColor, Style};

/// What a colour means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// As it is.
    Plain,
    /// A heading.
    Strong,
    /// All is well.
    Good,
    /// Worth a look.
    Warn,
    /// Wrong.
    Bad,
    /// Less important.
    Dim,
}

/// Whether to colour, and how wide the reader's window is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Paint {
    /// Whether to colour.
    pub on: bool,
    /// Columns to wrap tables at; none where nobody looks.
    pub width: Option<u16>,
}

impl Paint {
    /// `text` in its tone.
    #[must_use]
    pub fn tone(self, tone: Tone, text: &str) -> String {
        if !self.on || tone == Tone::Plain {
            return text.to_owned();
        }
        let style = match tone {
            Tone::Plain => Style::new(),
            Tone::Strong => Style::new().bold(),
            Tone::Dim => Style::new().dimmed(),
            Tone::Good => AnsiColor::Green.on_default(),
            Tone::Warn => AnsiColor::Yellow.on_default(),
            Tone::Bad => AnsiColor::Red.on_default().bold(),
        };
        format!("{style}{text}{style:#}")
    }
}

/// The width of the terminal.
pub(super) fn terminal_width() -> Option<u16> {
    comfy_table::Table::new().width()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_coloured_unless_it_is_wanted() {
        assert_eq!(Paint::default().tone(Tone::Bad, "x"), "x");
        let on = Paint { on: true, width: None };
        assert!(on.tone(Tone::Bad, "x").starts_with('\u{1b}'));
        assert_eq!(on.tone(Tone::Plain, "x"), "x");
    }
}
