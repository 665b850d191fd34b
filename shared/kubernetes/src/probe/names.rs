//! The names in a certificate: DNS names and addresses of its subject alternative names, and no more. Nothing about the
//! certificate is trusted; it is the word of whoever answers.

use std::net::{Ipv4Addr, Ipv6Addr};

use picket_model::Untrusted;

/// The object identifier of subject alternative names, 2.5.29.17.
const ALTERNATIVE_NAMES: [u8; 5] = [0x06, 0x03, 0x55, 0x1d, 0x11];
const BOOLEAN: u8 = 0x01;
const OCTETS: u8 = 0x04;
const SEQUENCE: u8 = 0x30;
const DNS_NAME: u8 = 0x82;
const ADDRESS: u8 = 0x87;
/// At most so many names are told.
const MOST: usize = 32;

/// The names in a certificate in DER; none where it cannot be read.
pub(super) fn of(certificate: &[u8]) -> Vec<Untrusted> {
    read(certificate).unwrap_or_default()
}

fn read(certificate: &[u8]) -> Option<Vec<Untrusted>> {
    let at = certificate.windows(ALTERNATIVE_NAMES.len()).position(|w| w == ALTERNATIVE_NAMES)?;
    let mut rest = certificate.get(at + ALTERNATIVE_NAMES.len()..)?;
    let (mut tag, mut content, mut after) = value(rest)?;
    if tag == BOOLEAN {
        rest = after;
        (tag, content, after) = value(rest)?;
    }
    let _ = after;
    let (inner, mut names, _) = value(content).filter(|_| tag == OCTETS)?;
    let mut found = Vec::new();
    while inner == SEQUENCE && found.len() < MOST {
        let Some((tag, content, after)) = value(names) else { break };
        found.extend(name(tag, content));
        names = after;
    }
    Some(found)
}

fn name(tag: u8, content: &[u8]) -> Option<Untrusted> {
    match tag {
        DNS_NAME => Some(Untrusted::new(&String::from_utf8_lossy(content))),
        ADDRESS => match content.len() {
            4 => <[u8; 4]>::try_from(content).ok().map(|v4| Untrusted::new(&Ipv4Addr::from(v4).to_string())),
            16 => <[u8; 16]>::try_from(content).ok().map(|v6| Untrusted::new(&Ipv6Addr::from(v6).to_string())),
            _ => None,
        },
        _ => None,
    }
}

/// The first value of some DER: its tag, its content, and what follows it.
fn value(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = der.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0x81 => (usize::from(*rest.first()?), rest.get(1..)?),
        0x82 => (usize::from(u16::from_be_bytes([*rest.first()?, *rest.get(1)?])), rest.get(2..)?),
        short if *short < 0x80 => (usize::from(*short), rest),
        _ => return None,
    };
    Some((*tag, rest.get(..length)?, rest.get(length..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_are_read_and_broken_certificates_give_none() {
        let names = [&[DNS_NAME, 10][..], b"kubernetes", &[ADDRESS, 4, 10, 96, 0, 1]].concat();
        let sequence = [&[SEQUENCE, names.len() as u8][..], &names].concat();
        let octets = [&[OCTETS, sequence.len() as u8][..], &sequence].concat();
        let critical = [&ALTERNATIVE_NAMES[..], &[BOOLEAN, 1, 0xff], &octets].concat();
        let plain = [&[0x30, 0x03, 1, 2, 3][..], &ALTERNATIVE_NAMES, &octets].concat();
        for certificate in [&critical, &plain] {
            assert_eq!(of(certificate), [Untrusted::new("kubernetes"), Untrusted::new("10.96.0.1")]);
            for cut in 0..certificate.len() {
                let _ = of(&certificate[..cut]);
            }
        }
        assert_eq!(of(&[ALTERNATIVE_NAMES.as_slice(), &[OCTETS, 0xff, 1]].concat()), []);
        assert_eq!(of(b"no certificate"), []);
    }
}
