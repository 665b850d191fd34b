//! A page of text: labelled lines and aligned tables, one thought a line.

use std::fmt::Write as _;

use comfy_table::{Attribute, Cell, CellAlignment, Color, ContentArrangement, Table, presets};

use super::paint::{Paint, Tone};

/// The width of a label and what stands between it and its value.
const LABEL: usize = 10;

/// A cell of a table.
#[derive(Debug, Clone)]
pub struct Text {
    text: String,
    tone: Tone,
}

impl Text {
    /// `text` in a tone.
    #[must_use]
    pub fn toned(tone: Tone, text: impl Into<String>) -> Self {
        Self { text: plain(&text.into()), tone }
    }
}

impl<T: Into<String>> From<T> for Text {
    fn from(text: T) -> Self {
        Self::toned(Tone::Plain, text)
    }
}

/// A page in the making.
#[derive(Debug)]
pub struct Page {
    text: String,
    paint: Paint,
    indent: &'static str,
}

impl Page {
    /// An empty page.
    #[must_use]
    pub fn new(paint: Paint) -> Self {
        Self { text: String::new(), paint, indent: "" }
    }

    /// What follows stands two columns further right.
    pub fn indent(&mut self, on: bool) -> &mut Self {
        self.indent = if on { "  " } else { "" };
        self
    }

    /// A line.
    pub fn line(&mut self, tone: Tone, text: impl AsRef<str>) -> &mut Self {
        let text = self.paint.tone(tone, &plain(text.as_ref()));
        let _ = writeln!(self.text, "{}{text}", self.indent);
        self
    }

    /// A labelled line; an empty label goes on with the one before.
    pub fn field(&mut self, label: &str, value: impl Into<Text>) -> &mut Self {
        let value = value.into();
        let value = self.paint.tone(value.tone, &value.text);
        let label = self.paint.tone(Tone::Dim, &format!("{label:<LABEL$}"));
        let line = format!("{}{label}{value}", self.indent);
        self.text.push_str(line.trim_end());
        self.text.push('\n');
        self
    }

    /// An empty line, unless the page is empty or there is one already.
    pub fn gap(&mut self) -> &mut Self {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
        self
    }

    /// A table. Columns in `right` hold numbers.
    pub fn table(&mut self, head: &[&str], right: &[usize], rows: Vec<Vec<Text>>) -> &mut Self {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).force_no_tty();
        if let Some(width) = self.paint.width {
            table.set_content_arrangement(ContentArrangement::Dynamic);
            table.set_width(width.saturating_sub(u16::try_from(self.indent.len()).unwrap_or(0)));
        }
        if self.paint.on {
            table.enforce_styling();
        }
        table.set_header(head.iter().map(|h| Cell::new(h).add_attribute(Attribute::Bold)));
        for row in rows {
            table.add_row(row.into_iter().map(cell));
        }
        for (n, column) in table.column_iter_mut().enumerate() {
            column.set_padding((0, 2));
            if right.contains(&n) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        for line in table.lines() {
            let _ = writeln!(self.text, "{}{}", self.indent, line.trim_end());
        }
        self
    }

    /// The command to run next.
    pub fn next(&mut self, command: Option<&str>) -> &mut Self {
        if let Some(command) = command {
            let word = self.paint.tone(Tone::Strong, "next:");
            self.gap();
            let _ = writeln!(self.text, "{word} {}", plain(command));
        }
        self
    }

    /// The finished page.
    #[must_use]
    pub fn done(&mut self) -> String {
        std::mem::take(&mut self.text)
    }
}

fn cell(text: Text) -> Cell {
    let cell = Cell::new(text.text);
    match text.tone {
        Tone::Plain => cell,
        Tone::Strong => cell.add_attribute(Attribute::Bold),
        Tone::Dim => cell.add_attribute(Attribute::Dim),
        Tone::Good => cell.fg(Color::Green),
        Tone::Warn => cell.fg(Color::Yellow),
        Tone::Bad => cell.fg(Color::Red).add_attribute(Attribute::Bold),
    }
}

/// `text` on one line, without control characters: file names and other people's words cannot steer the terminal.
#[must_use]
pub fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_aligned_and_leave_no_blanks_at_the_end_of_a_line() {
        let rows = vec![vec!["7".into(), "a".into(), "x".into()], vec!["100".into(), "bcd".into(), "y".into()]];
        let text = Page::new(Paint::default()).table(&["N", "NAME", "WHY"], &[0], rows).done();
        assert_eq!(text, "  N  NAME  WHY\n  7  a     x\n100  bcd   y\n");
    }

    #[test]
    fn fields_are_aligned_and_foreign_words_stay_on_their_line() {
        let mut page = Page::new(Paint::default());
        let text = page.field("case", "one\u{1b}[31m\ntwo").field("", "more").next(Some("picket holds")).done();
        assert_eq!(text, "case      one [31m two\n          more\n\nnext: picket holds\n");
    }

    #[test]
    fn a_narrow_window_wraps_and_a_pipe_does_not() {
        let rows = || vec![vec!["word ".repeat(30).into()]];
        let lines = |width| Page::new(Paint { on: false, width }).table(&["A"], &[], rows()).done().lines().count();
        assert_eq!(lines(None), 2);
        assert!(lines(Some(40)) > 2);
    }
}
