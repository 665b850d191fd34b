//! A file of rules that cannot be used: where, and what would be right.

use serde::de::DeserializeOwned;

/// A refusal, with file, line and column.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}:{column}: {reason}")]
pub struct Refused {
    /// Where the text came from.
    pub file: String,
    /// 1-based; 0 where the whole file is meant.
    pub line: u64,
    /// 1-based; 0 where the whole line is meant.
    pub column: u64,
    /// What is wrong and what would be right.
    pub reason: String,
}

impl Refused {
    /// A refusal of the whole file.
    #[must_use]
    pub fn whole(file: &str, reason: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line: 0, column: 0, reason: reason.into() }
    }
}

/// Reads strict YAML.
///
/// # Errors
/// At the first field that is unknown, missing or of the wrong type.
pub fn parse<T: DeserializeOwned>(text: &str, file: &str) -> Result<T, Refused> {
    // Otherwise `on`, `y` and `no` would be booleans, and half of the world's configuration is made of them.
    let options = serde_saphyr::options! { strict_booleans: true };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let error = error.without_snippet();
        let at = error.location();
        let message = error.to_string();
        let line = message.lines().next().unwrap_or("is not YAML").trim();
        Refused {
            file: file.to_owned(),
            line: at.as_ref().map_or(0, |l| l.line()),
            column: at.as_ref().map_or(0, |l| l.column()),
            reason: line.split(" at line ").next().unwrap_or(line).to_owned(),
        }
    })
}
