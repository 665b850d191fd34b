//! A small API server for tests: real HTTP on loopback, one thread, answers by path.
#![allow(clippy::unwrap_used, reason = "a test file: what cannot be read fails the test that wanted it")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What was asked: the method, the path with its query, the headers, the body.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

/// Answers with a status and a body.
pub(crate) type Answers = Arc<dyn Fn(&Asked) -> (u16, String) + Send + Sync>;

/// A server that lives as long as the test's process.
pub(crate) struct Fake {
    pub url: String,
    pub asked: Arc<Mutex<Vec<Asked>>>,
}

impl Fake {
    pub(crate) fn new(answers: impl Fn(&Asked) -> (u16, String) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let (answers, seen): (Answers, _) = (Arc::new(answers), asked.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answers, seen) = (answers.clone(), seen.clone());
                std::thread::spawn(move || serve(&stream, &answers, &seen));
            }
        });
        Self { url, asked }
    }

    pub(crate) fn paths(&self) -> Vec<String> {
        self.asked.lock().unwrap().iter().map(|a| a.path.clone()).collect()
    }
}

fn serve(stream: &TcpStream, answers: &Answers, seen: &Mutex<Vec<Asked>>) {
    let mut reader = BufReader::new(stream);
    while let Some(asked) = next(&mut reader) {
        seen.lock().unwrap().push(asked.clone());
        let (code, body) = answers(&asked);
        let head =
            format!("HTTP/1.1 {code} x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
        if (&*stream).write_all(format!("{head}{body}").as_bytes()).is_err() {
            return;
        }
    }
}

/// The next request of a connection, as far as it is understood here: lines, and a body of a known length.
fn next(reader: &mut BufReader<&TcpStream>) -> Option<Asked> {
    let mut asked = Asked::default();
    let first = line(reader)?;
    let mut words = first.split(' ').map(ToOwned::to_owned);
    (asked.method, asked.path) = (words.next()?, words.next()?);
    while let Some((name, value)) = line(reader)?.split_once(": ") {
        asked.headers.push((name.to_lowercase(), value.to_owned()));
    }
    let length = asked.headers.iter().find(|(n, _)| n == "content-length").and_then(|(_, v)| v.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    asked.body = String::from_utf8(body).unwrap();
    Some(asked)
}

fn line(reader: &mut BufReader<&TcpStream>) -> Option<String> {
    let mut line = String::new();
    let read = reader.read_line(&mut line).ok()?;
    (read > 0).then(|| line.trim_end().to_owned())
}
