//! cloud-init's `#cloud-config` and Ignition: files with their modes, units, and commands.

use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::files::{self, File};
use super::script;
use super::told::Told;
use crate::kubernetes::objects::{list, text};

/// The most that a packed file may come to, in bytes.
const MOST: u64 = 1024 * 1024;

/// A `#cloud-config`.
pub fn read(content: &str, told: &mut Told) {
    let Ok(document) = serde_saphyr::from_str::<Value>(content) else { return };
    let commands = ["/bootcmd", "/runcmd"].iter().flat_map(|at| list(&document, at)).map(command).collect::<Vec<_>>();
    for entry in list(&document, "/write_files") {
        // What is appended is not the whole of a file.
        if entry.get("append").and_then(Value::as_bool) != Some(true) {
            written(entry, told);
            let path = text(entry, "/path");
            if let Some(content) = content_of(entry).filter(|c| c.starts_with("#!") && is_run(path, &commands)) {
                script::read(&content, told);
            }
        }
    }
    script::read(&commands.join("\n"), told);
}

/// Whether one of these commands runs a script.
fn is_run(path: &str, commands: &[String]) -> bool {
    !path.is_empty() && commands.iter().any(|c| c.split_whitespace().any(|w| w == path))
}

fn command(entry: &Value) -> String {
    let words = entry.as_array().map(|all| all.iter().filter_map(Value::as_str).collect::<Vec<_>>());
    let quoted = |words: Vec<&str>| shlex::try_join(words).unwrap_or_default();
    words.map_or_else(|| entry.as_str().unwrap_or_default().to_owned(), quoted)
}

fn written(entry: &Value, told: &mut Told) {
    let Some(content) = content_of(entry) else { return };
    let mode = entry.get("permissions").and_then(|p| u32::from_str_radix(p.as_str()?.trim_start_matches("0o"), 8).ok());
    let (owner, group) = match text(entry, "/owner").split_once(':') {
        Some((owner, group)) => (Some(owner), Some(group)),
        None => (None, None),
    };
    files::read(&File { path: text(entry, "/path"), content: &content, mode, owner, group }, told);
}

fn content_of(entry: &Value) -> Option<String> {
    let content = text(entry, "/content");
    let packed = |c: &str| STANDARD.decode(c.split_whitespace().collect::<String>()).ok();
    match text(entry, "/encoding") {
        "" | "text/plain" => Some(content.to_owned()),
        "b64" | "base64" => String::from_utf8(packed(content)?).ok(),
        "gz+b64" | "gz+base64" | "gzip+b64" | "gzip+base64" => {
            let mut out = String::new();
            flate2::read::GzDecoder::new(packed(content)?.as_slice()).take(MOST).read_to_string(&mut out).ok()?;
            Some(out)
        }
        _ => None,
    }
}

/// Ignition: files and units, their contents in `data:` URLs.
pub fn ignition(document: &Value, told: &mut Told) {
    for file in list(document, "/storage/files") {
        let mode = file.get("mode").and_then(Value::as_u64).and_then(|m| u32::try_from(m).ok());
        let source = text(file, "/contents/source");
        if let Some(content) = data(source).filter(|_| text(file, "/contents/compression").is_empty()) {
            files::read(&File { path: text(file, "/path"), content: &content, mode, owner: None, group: None }, told);
        }
    }
    for unit in list(document, "/systemd/units") {
        files::unit(text(unit, "/contents"), told);
    }
}

fn data(url: &str) -> Option<String> {
    let (kind, content) = url.strip_prefix("data:")?.split_once(',')?;
    if kind.ends_with(";base64") {
        return String::from_utf8(STANDARD.decode(content).ok()?).ok();
    }
    let mut out = Vec::new();
    let mut bytes = content.bytes();
    while let Some(byte) = bytes.next() {
        let code = if byte == b'%' { [bytes.next()?, bytes.next()?] } else { [b'0', b'0'] };
        let code = std::str::from_utf8(&code).ok().and_then(|h| u8::from_str_radix(h, 16).ok())?;
        out.push(if byte == b'%' { code } else { byte });
    }
    String::from_utf8(out).ok()
}
