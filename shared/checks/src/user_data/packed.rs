//! Text that is packed within text: base64 as scripts, cloud-config and PowerShell carry it, and `data:` URLs of Ignition.

use base64::Engine as _;

/// At most so many pieces are looked at in one text.
const MOST_PIECES: usize = 128;
/// Shorter words are no scripts.
const SHORTEST: usize = 40;

/// What may be packed in `text`, unpacked by one layer, in order of appearance.
pub(super) fn within(text: &str) -> Vec<Vec<u8>> {
    let mut pieces = Vec::new();
    for url in text.split("data:").skip(1).take(MOST_PIECES) {
        pieces.extend(data_url(url));
    }
    for word in codes(text) {
        if pieces.len() >= MOST_PIECES {
            break;
        }
        pieces.extend(base64_of(&word).filter(|p| is_worth(p)));
    }
    pieces
}

/// The content of a `data:` URL, given what follows the scheme; none where it is not one.
fn data_url(rest: &str) -> Option<Vec<u8>> {
    let end = rest.find(['"', '\'', ' ', '\n', '\r', '\\', ')']).unwrap_or(rest.len());
    let (kind, content) = rest.get(..end)?.split_once(',')?;
    if kind.len() > 100 || content.is_empty() {
        return None;
    }
    let plain = percent_decoded(content);
    if kind.ends_with(";base64") { base64_of(&String::from_utf8_lossy(&plain)) } else { Some(plain) }
}

fn percent_decoded(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let code = text.get(at + 1..at + 3).filter(|_| bytes[at] == b'%').and_then(|h| u8::from_str_radix(h, 16).ok());
        out.push(code.unwrap_or(bytes[at]));
        at += if code.is_some() { 3 } else { 1 };
    }
    out
}

/// Long words of base64, and blocks of lines that hold nothing else.
fn codes(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut block = String::new();
    for line in text.lines() {
        let line = line.trim();
        if !line.is_empty() && line.chars().all(is_code) && (line.len() >= SHORTEST || !block.is_empty()) {
            block.push_str(line);
            continue;
        }
        found.extend((block.len() >= SHORTEST).then(|| std::mem::take(&mut block)));
        block.clear();
        found.extend(line.split(|c| !is_code(c)).filter(|w| w.len() >= SHORTEST).map(ToOwned::to_owned));
        if found.len() >= MOST_PIECES {
            return found;
        }
    }
    found.extend((block.len() >= SHORTEST).then_some(block));
    found
}

fn is_code(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=')
}

fn base64_of(word: &str) -> Option<Vec<u8>> {
    let engine = &base64::engine::general_purpose::STANDARD_NO_PAD;
    engine.decode(word.trim_end_matches('=')).ok()
}

/// Whether what came out is packed again or reads as text; keys, hashes and certificates do not.
fn is_worth(bytes: &[u8]) -> bool {
    if bytes.starts_with(&[0x1f, 0x8b]) || wide(bytes).is_some() {
        return true;
    }
    let head = &bytes[..bytes.len().min(512)];
    let readable = head.iter().filter(|b| matches!(b, b' '..=b'~' | b'\n' | b'\r' | b'\t')).count();
    !head.is_empty() && readable * 100 >= head.len() * 92
}

/// The text in UTF-16, as PowerShell encodes commands; none if it is not that.
pub(super) fn wide(bytes: &[u8]) -> Option<String> {
    let head = &bytes[..bytes.len().min(512)];
    let zeros = head.iter().skip(1).step_by(2).filter(|b| **b == 0).count();
    if bytes.len() < 8 || zeros * 10 < head.len() / 2 * 8 {
        return None;
    }
    let units: Vec<u16> = bytes.chunks_exact(2).map(|c| u16::from_le_bytes([c[0], c[1]])).collect();
    Some(String::from_utf16_lossy(&units))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_data_url_is_unpacked_in_each_of_its_forms() {
        let text = r#"{"source":"data:,KUBELET_IMAGE%3Dquay.io%0A"}, {"source":"data:text/plain;charset=utf-8;base64,aGVsbG8="}"#;
        assert_eq!(within(text), [b"KUBELET_IMAGE=quay.io\n".to_vec(), b"hello".to_vec()]);
        assert_eq!(within("data: nothing, to see"), Vec::<Vec<u8>>::new());
    }

    #[test]
    fn keys_and_certificates_are_not_taken_for_scripts() {
        let noise: Vec<u8> = (0..400_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        let text = format!("ca: {}", base64::engine::general_purpose::STANDARD.encode(noise));
        assert_eq!(within(&text), Vec::<Vec<u8>>::new());
    }

    #[test]
    fn percent_signs_that_mean_nothing_stay() {
        assert_eq!(percent_decoded("100%25 %zz %2"), b"100% %zz %2");
    }
}
