//! A raw TCP server that answers as a script says: exact bytes, exact delays, any ending.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// One step of a scripted answer.
#[derive(Debug, Clone)]
pub enum Do {
    Send(Vec<u8>),
    /// The same bytes over and over, until the other side goes away.
    Forever(Vec<u8>),
    Wait(u64),
    /// Keep the connection open and say nothing more.
    Hang,
    /// End the connection with a reset instead of an orderly end.
    Reset,
    /// End the connection in order.
    Close,
    /// Take the next request on the same connection.
    Keep,
}

/// The n-th request gets the n-th script, the last one over and over.
pub struct Server {
    pub port: u16,
    seen: Arc<Seen>,
}

/// Requests so far; whoever waits is told of each.
#[derive(Default)]
struct Seen {
    requests: Mutex<Vec<String>>,
    more: Condvar,
    connections: Mutex<usize>,
}

impl Server {
    pub fn start(scripts: Vec<Vec<Do>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let seen = Arc::new(Seen::default());
        let server = Self { port, seen: Arc::clone(&seen) };
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                *seen.connections.lock().unwrap_or_else(PoisonError::into_inner) += 1;
                let (seen, scripts) = (Arc::clone(&seen), scripts.clone());
                std::thread::spawn(move || while answer(&stream, &seen, &scripts) {});
            }
        });
        server
    }
    pub fn target(&self, provider: &str) -> String {
        format!("{provider}:m@http://127.0.0.1:{}", self.port)
    }
    pub fn requests(&self) -> Vec<String> {
        self.seen.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
    pub fn connections(&self) -> usize {
        *self.seen.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// Return once so many requests came.
    pub fn wait_for(&self, requests: usize) {
        let seen = self.seen.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let (seen, late) = self
            .seen
            .more
            .wait_timeout_while(seen, Duration::from_mins(1), |r| r.len() < requests)
            .unwrap_or_else(PoisonError::into_inner);
        assert!(!late.timed_out(), "{} requests came, {requests} were waited for", seen.len());
    }
}

/// Answer one request. True: take another on this connection.
fn answer(mut stream: &TcpStream, seen: &Seen, scripts: &[Vec<Do>]) -> bool {
    // A connection that is closed with something unread is reset.
    let resets = scripts.iter().flatten().any(|step| matches!(step, Do::Reset));
    let Some(request) = read_request(stream, resets) else { return false };
    let n = {
        let mut requests = seen.requests.lock().unwrap_or_else(PoisonError::into_inner);
        requests.push(request);
        seen.more.notify_all();
        requests.len() - 1
    };
    for step in &scripts[n.min(scripts.len() - 1)] {
        match step {
            Do::Send(bytes) => {
                if stream.write_all(bytes).is_err() {
                    return false;
                }
            }
            Do::Forever(bytes) => while stream.write_all(bytes).is_ok() {},
            Do::Wait(ms) => std::thread::sleep(Duration::from_millis(*ms)),
            Do::Hang => while stream.read(&mut [0; 64]).is_ok_and(|n| n > 0) {},
            Do::Reset => return false,
            Do::Close => break,
            Do::Keep => return true,
        }
    }
    let _ = stream.shutdown(std::net::Shutdown::Both);
    false
}

/// Head and body; where the connection will be reset, all but the last byte.
fn read_request(mut stream: &TcpStream, leave_one: bool) -> Option<String> {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        bytes.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&bytes).to_ascii_lowercase();
    let length = head.lines().find_map(|l| l.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
    let mut body = vec![0; usize::saturating_sub(length, usize::from(leave_one))];
    stream.read_exact(&mut body).ok()?;
    bytes.extend(body);
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

pub fn send(text: &str) -> Do {
    Do::Send(text.as_bytes().to_vec())
}

/// A whole answer that is not a stream.
pub fn status(line: &str, headers: &str, body: &str) -> Vec<Do> {
    vec![send(&format!(
        "HTTP/1.1 {line}\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    ))]
}

/// Frames in a 200 answer that ends with the connection.
pub fn stream(frames: &str) -> Vec<Do> {
    vec![send(HEAD), send(frames)]
}

pub const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
pub const ROLE: &str =
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n";
pub const TEXT: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Paris\"}}]}\n\n";
pub const STOP: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
pub const USAGE: &str = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":3,\"total_tokens\":12}}\n\ndata: [DONE]\n\n";

/// Three words, 5 ms apart.
pub fn good() -> Vec<Do> {
    vec![
        send(HEAD),
        send(ROLE),
        Do::Wait(5),
        send(TEXT),
        Do::Wait(5),
        send(TEXT),
        Do::Wait(5),
        send(TEXT),
        send(STOP),
        send(USAGE),
    ]
}
