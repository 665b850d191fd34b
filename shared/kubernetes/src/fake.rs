//! A small API server for tests: real HTTP on loopback, one thread, answers by path.
#![allow(clippy::unwrap_used, reason = "a test file: what cannot be read fails the test that wanted it")]

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What was asked: the path with its query, and the headers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    pub path: String,
    pub headers: Vec<(String, String)>,
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
    let mut lines = BufReader::new(stream).lines();
    while let Some(Ok(first)) = lines.next() {
        let mut asked = Asked { path: first.split(' ').nth(1).unwrap_or("").to_owned(), headers: Vec::new() };
        while let Some(Ok(line)) = lines.next() {
            let Some((name, value)) = line.split_once(": ") else { break };
            asked.headers.push((name.to_lowercase(), value.to_owned()));
        }
        seen.lock().unwrap().push(asked.clone());
        let (code, body) = answers(&asked);
        let head =
            format!("HTTP/1.1 {code} x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
        if (&*stream).write_all(format!("{head}{body}").as_bytes()).is_err() {
            return;
        }
    }
}
