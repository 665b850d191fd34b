//! Nodes that Systems Manager does not reach: what their user data says of them, and nothing else. Defaults are not known:
//! an image, a script of later or a person may have changed them.
//!
//! Which user data a node has is `source`'s. Each form has a file here; what they say is gathered in `told`.

mod bottlerocket;
mod cloud_config;
mod documents;
mod files;
mod flags;
mod kops;
mod manifest;
mod rancher;
mod script;
pub mod source;
mod told;

use picket_checks::user_data::Decoded;
use serde_json::Value;

use told::Told;

/// The facts of a `node` document that user data says; none where it says nothing. `why` is why the rest is not known.
#[must_use]
pub fn facts(decoded: &Decoded, why: &str) -> Option<Value> {
    let mut told = Told::default();
    for part in &decoded.parts {
        one(part, &mut told);
    }
    told.facts(why)
}

/// One part, by its form.
fn one(text: &str, told: &mut Told) {
    let begin = text.trim_start();
    if begin.starts_with("#cloud-config") {
        return cloud_config::read(text, told);
    }
    if begin.starts_with('{') {
        match serde_json::from_str::<Value>(text) {
            Ok(document) if document.get("ignition").is_some() => return cloud_config::ignition(&document, told),
            _ => {}
        }
    }
    if begin.starts_with("#!") || !(documents::read(text, told) || bottlerocket::read(text, told)) {
        script::read(text, told);
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
