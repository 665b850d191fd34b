//! One `GET` and the start of its answer. HTTP/1.0, so that the answer comes in one piece and the connection ends with it.

use std::net::SocketAddr;

use picket_model::Untrusted;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// How much of an answer is read.
const LONGEST: u64 = 8 * 1024;

/// What an answer may come by.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Duplex for T {}

/// A connection, encrypted or not.
pub(super) type Stream<'a> = dyn Duplex + 'a;

/// An answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Got {
    pub status: u16,
    pub body: Untrusted,
}

/// Gets a path; none where the answer is not HTTP.
pub(super) async fn get(stream: &mut Stream<'_>, at: SocketAddr, path: &str) -> Option<Got> {
    let asked = format!(
        "GET {path} HTTP/1.0\r\nHost: {at}\r\nAccept: application/json, text/plain\r\nUser-Agent: picket-probe\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(asked.as_bytes()).await.ok()?;
    let mut answer = Vec::new();
    // A connection that ends without a farewell has told what it had to tell.
    let _ended = stream.take(LONGEST).read_to_end(&mut answer).await;
    parse(&answer)
}

fn parse(answer: &[u8]) -> Option<Got> {
    let text = String::from_utf8_lossy(answer);
    let rest = text.strip_prefix("HTTP/1.")?;
    let status = rest.split_whitespace().nth(1)?.parse().ok()?;
    let body = rest.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let body: Vec<&str> = body.split_whitespace().collect();
    Some(Got { status, body: Untrusted::new(&body.join(" ")) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_its_status_and_the_start_of_its_body_in_one_line() {
        let answer = b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n{\n  \"major\": \"1\"\n}";
        assert_eq!(parse(answer), Some(Got { status: 200, body: Untrusted::new("{ \"major\": \"1\" }") }));
        assert_eq!(parse(b"SSH-2.0-OpenSSH_9.6\r\n"), None);
        assert_eq!(parse(b"HTTP/1.1 abc"), None);
        assert_eq!(parse(b""), None);
    }
}
