//! A double of an API server, which notes what it is asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::stage::{Outcome, command, outcome};

/// A request: method, path without the query, content type, body.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) content_type: String,
    pub(crate) body: Value,
}

/// A code and a body; none is never answered.
pub(crate) type Answer = Option<(u16, Value)>;

/// A server with scripted answers.
pub(crate) struct Double {
    asked: Arc<Mutex<Vec<Asked>>>,
    kubeconfig: PathBuf,
    _directory: TempDir,
}

impl Double {
    pub(crate) fn start(answer: impl Fn(&Asked) -> Answer + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let server = format!("http://{}", listener.local_addr().expect("an address"));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let notes = Arc::clone(&asked);
        std::thread::spawn(move || {
            let mut unanswered = Vec::new();
            for mut stream in listener.incoming().map_while(Result::ok) {
                let request = read(&stream);
                notes.lock().expect("the notes").push(request.clone());
                match answer(&request) {
                    Some(answer) => write(&mut stream, &answer),
                    None => unanswered.push(stream),
                }
            }
        });
        let directory = tempfile::tempdir().expect("a folder");
        let kubeconfig = directory.path().join("config");
        let text = json!({
            "current-context": "c", "clusters": [{"name": "c", "cluster": {"server": server}}],
            "contexts": [{"name": "c", "context": {"cluster": "c"}}],
        });
        std::fs::write(&kubeconfig, text.to_string()).expect("a file");
        Self { asked, kubeconfig, _directory: directory }
    }

    /// Runs the program under a name to its end.
    pub(crate) fn run(&self, name: &str, args: &[&str]) -> Outcome {
        outcome(&mut command(name, &self.kubeconfig, args))
    }

    /// The requests since the last call.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.asked.lock().expect("the notes"))
    }
}

fn read(stream: &TcpStream) -> Asked {
    let mut reader = BufReader::new(stream);
    let mut line = || {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a line");
        line.trim_end().to_owned()
    };
    let first = line();
    let mut words = first.split(' ');
    let method = words.next().unwrap_or_default().to_owned();
    let path = words.next().unwrap_or_default().split('?').next().unwrap_or_default().to_owned();
    let headers: Vec<String> = std::iter::from_fn(|| Some(line()).filter(|line| !line.is_empty())).collect();
    let header = |name: &str| {
        let values = headers.iter().filter_map(|line| line.split_once(": "));
        values
            .filter(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
            .next()
            .unwrap_or_default()
    };
    let mut body = vec![0; header("content-length").parse().unwrap_or(0)];
    reader.read_exact(&mut body).expect("a body");
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    Asked { method, path, content_type: header("content-type").to_owned(), body }
}

fn write(stream: &mut TcpStream, (code, body): &(u16, Value)) {
    let body = body.to_string();
    let head = format!("HTTP/1.1 {code} Answer\r\nContent-Type: application/json\r\nConnection: close\r\n");
    let answer = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
    // A client that does not wait needs no answer.
    let _gone = stream.write_all(answer.as_bytes());
}
