//! Text with the place in its file, so that what is wrong with it can be pointed at after reading.

use serde::Deserialize;
use serde_saphyr::Spanned;

use super::refused::Refused;

/// A string and where it stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) text: String,
    pub(crate) line: u64,
    pub(crate) column: u64,
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<String>::deserialize(deserializer)?;
        let at = spanned.referenced;
        Ok(Self { text: spanned.value, line: at.line(), column: at.column() })
    }
}

impl Text {
    pub(crate) fn refuse(&self, file: &str, reason: impl Into<String>) -> Refused {
        Refused { file: file.to_owned(), line: self.line, column: self.column, reason: reason.into() }
    }
}
