//! The live report as one HTML page that loads nothing: styles, script and findings are inside, and its own
//! Content-Security-Policy lets no other script run, whatever a name or a tag holds.

mod chart;
mod data;
mod page;
mod words;

use askama::Template as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

pub use words::escaped;

use crate::Report;

const STYLE: &str = include_str!("../../templates/report.css");
const SCRIPT: &str = include_str!("../../templates/report.js");

/// A report that could not be written.
#[derive(Debug, thiserror::Error)]
pub enum HtmlError {
    /// The findings could not be written as JSON.
    #[error("writing the findings into the report")]
    Data(#[from] serde_json::Error),
    /// The page could not be put together.
    #[error("putting the report together")]
    Page(#[from] askama::Error),
}

/// The page of a report.
///
/// # Errors
/// If a value cannot be written as JSON or HTML, which none of ours can bring about.
pub fn render(report: &Report) -> Result<String, HtmlError> {
    Ok(page::Page::of(report, policy(), STYLE, SCRIPT, data::findings(report)?).render()?)
}

/// Nothing is loaded, and of scripts and styles only ours, by their digests.
fn policy() -> String {
    let digest = |text: &str| STANDARD.encode(Sha256::digest(text.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        digest(STYLE),
        digest(SCRIPT)
    )
}

#[cfg(test)]
mod tests;
