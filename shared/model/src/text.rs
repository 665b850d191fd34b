//! The attacker's words. Tags, names, user agents and user data come from whoever made the
//! resource: they are cut, stripped of control and direction characters, and carried in a type of their own.
//! Escaping for a sink (HTML, Slack, SNS) is done by that sink.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Text from outside, at most 256 characters, one line, no control, direction-changing or invisible characters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String")]
pub struct Untrusted(String);

/// How many characters of a foreign string are kept.
pub const LONGEST: usize = 256;

impl Untrusted {
    /// Cleans and cuts `text`; what was cut is marked with `…`.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let mut kept = String::with_capacity(text.len().min(LONGEST));
        for (n, c) in text.chars().filter(|c| !is_hidden(*c)).enumerate() {
            if n == LONGEST {
                kept.push('…');
                break;
            }
            kept.push(if c.is_control() || c.is_whitespace() { ' ' } else { c });
        }
        Self(kept)
    }

    /// The cleaned text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether nothing is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.trim().is_empty()
    }
}

/// SHA-256 of `bytes` in lower-case hexadecimal; empty for no bytes.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    if bytes.is_empty() {
        return String::new();
    }
    sha2::Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

/// Characters that change how the rest is read without being seen: bidirectional controls, zero-width marks, tags.
fn is_hidden(c: char) -> bool {
    matches!(c, '\u{00AD}' | '\u{061C}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}')
}

impl From<String> for Untrusted {
    fn from(text: String) -> Self {
        Self::new(&text)
    }
}

impl From<&str> for Untrusted {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl fmt::Display for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_one_bounded_readable_line() {
        assert_eq!(Untrusted::new("web-1").as_str(), "web-1");
        assert_eq!(Untrusted::new("a\r\nSubject: b\u{7}\u{202E}c").as_str(), "a  Subject: b c");
        let long = Untrusted::new(&"x".repeat(1_000_000));
        assert_eq!(long.as_str().chars().count(), LONGEST + 1);
        assert!(long.as_str().ends_with('…'));
    }

    #[test]
    fn cleaning_twice_is_cleaning_once_for_text_that_fits() {
        let once = Untrusted::new("né<b>\u{200B}\t</b>");
        assert_eq!(Untrusted::new(once.as_str()), once);
    }
}
