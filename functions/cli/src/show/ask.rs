//! Asking before something is changed, where somebody can be asked.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use super::{Show, plain};

/// What came of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// Yes.
    Yes,
    /// No, or anything that is not a clear yes.
    No,
    /// Standard input or error is no terminal.
    Nobody,
}

impl Show {
    /// Asks `question` and waits for `y` or `yes`.
    #[must_use]
    pub fn ask(&self, question: &str) -> Asked {
        if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
            return Asked::Nobody;
        }
        let mut err = std::io::stderr().lock();
        let _ = write!(err, "{} [y/N] ", plain(question)).and_then(|()| err.flush());
        let mut line = String::new();
        match std::io::stdin().lock().read_line(&mut line) {
            Ok(_) if is_yes(&line) => Asked::Yes,
            _ => Asked::No,
        }
    }
}

fn is_yes(line: &str) -> bool {
    matches!(line.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clear_yes_is_a_yes() {
        assert!(is_yes("y\n") && is_yes(" Yes\n"));
        assert!(!is_yes("") && !is_yes("\n") && !is_yes("yep\n"));
    }
}
