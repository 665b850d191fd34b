//! User data, from base64 through gzip and MIME to text, within bounds. What it says is looked up by `miners` and
//! `fingerprints`; the text itself may hold secrets and goes no further.

mod packed;

use std::borrow::Cow;
use std::io::Read;

use base64::Engine as _;
use flate2::read::MultiGzDecoder;
use mail_parser::{MessageParser, MimeHeaders as _};

/// At most this much text comes out, however small the input: gzip inflates up to about 1032 times.
pub const MOST_TEXT: usize = 1024 * 1024;
/// How often what was unpacked may be unpacked again.
pub const DEEPEST: usize = 3;
/// EC2's limit on raw user data is 16 KiB; launch templates carry the same. More is not looked at.
pub const MOST_INPUT: usize = 64 * 1024;

/// User data as far as it could be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decoded {
    /// The raw bytes, after base64.
    pub raw: Vec<u8>,
    /// All text parts, one after the other.
    pub text: String,
    /// The parts, each a text of its own, without what was found packed within them.
    pub parts: Vec<String>,
    /// Why some of it was not decoded.
    pub undecoded: Option<String>,
    /// How much came out of gzip so far: all pieces share one allowance.
    inflated: usize,
    /// Whether what is unpacked was found within a part.
    within: bool,
}

/// Decodes what `DescribeInstanceAttribute(userData)` answers.
#[must_use]
pub fn decode(base64_text: &str) -> Decoded {
    let compact: String = base64_text.chars().filter(|c| !c.is_ascii_whitespace()).take(MOST_INPUT * 4 / 3).collect();
    match base64::engine::general_purpose::STANDARD.decode(&compact) {
        Ok(raw) => decode_raw(raw),
        // Some tools store plain text; EC2 hands back what it was given.
        Err(_) => decode_raw(base64_text.bytes().take(MOST_INPUT).collect()),
    }
}

/// Decodes raw user data.
#[must_use]
pub fn decode_raw(raw: Vec<u8>) -> Decoded {
    let mut out = Decoded::default();
    unpack(&raw, 0, &mut out);
    out.raw = raw;
    out
}

fn unpack(bytes: &[u8], depth: usize, out: &mut Decoded) {
    if out.text.len() >= MOST_TEXT {
        out.undecoded.get_or_insert_with(|| format!("more than {MOST_TEXT} bytes of text"));
        return;
    }
    if depth > DEEPEST {
        out.undecoded.get_or_insert_with(|| format!("packed more than {DEEPEST} times"));
        return;
    }
    if bytes.starts_with(&[0x1f, 0x8b]) {
        return unpack_gzip(bytes, depth, out);
    }
    if is_mime(bytes) {
        return unpack_mime(bytes, depth, out);
    }
    let text = packed::wide(bytes).map_or_else(|| String::from_utf8_lossy(bytes), Cow::Owned);
    let whole = !std::mem::replace(&mut out.within, true);
    for inner in packed::within(&text).into_iter().chain(strings_of(&text)) {
        unpack(&inner, depth + 1, out);
    }
    let room = MOST_TEXT.saturating_sub(out.text.len());
    let end = text.floor_char_boundary(room);
    if whole {
        out.within = false;
        out.parts.push(text[..end].to_owned());
    }
    out.text.push_str(&text[..end]);
    out.text.push('\n');
}

/// The strings of several lines in a JSON document, such as the units in Ignition: there `\n` is two characters.
fn strings_of(text: &str) -> Option<Vec<u8>> {
    if !text.trim_start().starts_with('{') || !text.contains("\\n") {
        return None;
    }
    let document: serde_json::Value = serde_json::from_str(text).ok()?;
    let (mut left, mut lines) = (vec![&document], String::new());
    while let Some(value) = left.pop() {
        match value {
            serde_json::Value::String(s) if s.contains('\n') => {
                lines.push_str(s);
                lines.push('\n');
            }
            serde_json::Value::Array(all) => left.extend(all),
            serde_json::Value::Object(all) => left.extend(all.values()),
            _ => {}
        }
    }
    (!lines.is_empty()).then(|| lines.into_bytes())
}

fn unpack_gzip(bytes: &[u8], depth: usize, out: &mut Decoded) {
    let room = MOST_TEXT.saturating_sub(out.inflated);
    let mut inner = Vec::new();
    // One byte more than fits tells a full buffer from a cut one.
    let read = MultiGzDecoder::new(bytes).take(room as u64 + 1).read_to_end(&mut inner);
    if let Err(error) = read {
        out.undecoded.get_or_insert_with(|| format!("gzip is damaged: {error}"));
    }
    if inner.len() > room {
        out.undecoded.get_or_insert_with(|| format!("gzip holds more than {MOST_TEXT} bytes"));
        inner.truncate(room);
    }
    out.inflated += inner.len();
    unpack(&inner, depth + 1, out);
}

fn is_mime(bytes: &[u8]) -> bool {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(2048)]).to_ascii_lowercase();
    head.trim_start().starts_with("content-type: multipart/")
        || head.trim_start().starts_with("mime-version:")
        || head.contains("\ncontent-type: multipart/")
}

fn unpack_mime(bytes: &[u8], depth: usize, out: &mut Decoded) {
    let Some(message) = MessageParser::default().parse(bytes) else {
        out.undecoded.get_or_insert_with(|| "a MIME message that cannot be parsed".to_owned());
        push(out, bytes);
        return;
    };
    let parts: Vec<_> = message.parts.iter().filter(|p| !p.is_multipart()).collect();
    for part in &parts {
        if let Some(name) = part.attachment_name() {
            out.text.push_str(name);
            out.text.push('\n');
        }
        unpack(part.contents(), depth + 1, out);
    }
    if parts.is_empty() {
        push(out, bytes);
    }
}

fn push(out: &mut Decoded, bytes: &[u8]) {
    let room = MOST_TEXT.saturating_sub(out.text.len());
    out.text.push_str(&String::from_utf8_lossy(&bytes[..bytes.len().min(room)]));
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        gz.write_all(bytes).unwrap();
        gz.finish().unwrap()
    }

    fn b64(bytes: &[u8]) -> String {
        base64::engine::general_purpose::STANDARD.encode(bytes)
    }

    const SCRIPT: &str = "#!/bin/sh\n./xmrig -o pool\n";

    #[test]
    fn plain_gzip_mime_and_nested_user_data_all_show_their_script() {
        let mime = format!(
            "Content-Type: multipart/mixed; boundary=\"B\"\nMIME-Version: 1.0\n\n--B\nContent-Type: text/cloud-config\n\n#cloud-config\n\n\
             --B\nContent-Type: text/x-shellscript\nContent-Transfer-Encoding: base64\n\n{}\n--B--\n",
            b64(SCRIPT.as_bytes())
        );
        let hidden = format!("#!/bin/sh\necho {} | base64 -d | sh\n", b64(SCRIPT.repeat(3).as_bytes()));
        let wide: Vec<u8> = SCRIPT.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let unit = serde_json::json!({"ignition": {"version": "3.4.0"}, "storage": {"files": [{"path": "/x", "contents":
            {"compression": "gzip", "source": format!("data:;base64,{}", b64(&gzip(SCRIPT.as_bytes())))}}]}});
        let units = serde_json::json!({"systemd": {"units": [{"contents": format!("[Service]\n{SCRIPT}")}]}});
        let files = format!(
            "#cloud-config\nwrite_files:\n- encoding: gz+b64\n  content: {}\n",
            b64(&gzip(SCRIPT.repeat(9).as_bytes()))
        );
        let block = b64(SCRIPT.repeat(9).as_bytes());
        let lines: Vec<_> =
            block.as_bytes().chunks(76).map(|c| format!("    {}\n", String::from_utf8_lossy(c))).collect();
        for raw in [
            format!("powershell -EncodedCommand {}", b64(&wide)).into_bytes(),
            unit.to_string().into_bytes(),
            units.to_string().into_bytes(),
            files.into_bytes(),
            format!("- encoding: b64\n  content: |\n{}  path: /x\n", lines.concat()).into_bytes(),
            SCRIPT.as_bytes().to_vec(),
            gzip(SCRIPT.as_bytes()),
            mime.clone().into_bytes(),
            gzip(mime.as_bytes()),
            hidden.into_bytes(),
        ] {
            let decoded = decode(&b64(&raw));
            assert!(decoded.text.contains("xmrig -o pool"), "{decoded:?}");
            assert_eq!(decoded.undecoded, None);
        }
    }

    #[test]
    fn a_bomb_is_cut_and_said_to_be_cut() {
        let bomb = gzip(&vec![b'a'; 40 * 1024 * 1024]);
        let decoded = decode_raw(bomb);
        assert!(decoded.text.len() <= MOST_TEXT + 1);
        assert!(decoded.undecoded.is_some_and(|u| u.contains("more than")));
    }

    #[test]
    fn packing_deeper_than_the_bound_is_reported_not_followed() {
        let mut packed = SCRIPT.as_bytes().to_vec();
        for _ in 0..=DEEPEST {
            packed = gzip(&packed);
        }
        assert!(decode_raw(packed).undecoded.is_some());
    }

    #[test]
    fn damaged_input_never_panics() {
        let mut gz = gzip(SCRIPT.as_bytes());
        gz.truncate(12);
        for raw in [gz, vec![0xff; 300], b"MIME-Version: 1.0\nContent-Type: multipart/mixed\n".to_vec(), Vec::new()] {
            let _ = decode_raw(raw);
        }
        assert_eq!(decode("not base64 !!").text, "not base64 !!\n");
    }
}
