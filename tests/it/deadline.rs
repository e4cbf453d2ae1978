//! A server whose frames leave at exact instants: the first token `ttft` after the request was read,
//! each further one `gap` later, by absolute deadlines, so that no delay adds up. It notes when it
//! really wrote. Against it the error of a client's clock can be told.
//!
//! Standard library only: `benchmarks/client-overhead` builds it by itself. One thread reads each
//! connection, one thread writes all frames of all connections.

use std::collections::{BTreeMap, BinaryHeap};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// When the tokens of an answer leave.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    pub ttft: Duration,
    pub gap: Duration,
    /// Where the request does not say.
    pub tokens: u32,
}

/// One request and what became of it.
#[derive(Debug, Clone)]
pub struct Served {
    pub body: String,
    /// The last byte was written.
    pub complete: bool,
    /// Request read → first token really written.
    pub ttft: Option<Duration>,
    /// Mean of the gaps really written.
    pub tpot: Option<Duration>,
}

/// The server, on a port of its own.
pub struct Server {
    pub port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    pace: Pace,
    log: Mutex<Log>,
    pacer: Mutex<Pacer>,
    wake: Condvar,
}

#[derive(Default)]
struct Log {
    served: Vec<Served>,
    /// How late each frame was written.
    late: Vec<Duration>,
    /// Streams under way, now and at most.
    open: usize,
    most: usize,
}

#[derive(Default)]
struct Pacer {
    due: BinaryHeap<std::cmp::Reverse<(Instant, usize)>>,
    streams: BTreeMap<usize, Stream>,
}

/// One answer on its way out.
struct Stream {
    socket: TcpStream,
    entry: usize,
    read: Instant,
    ttft: Duration,
    gap: Duration,
    tokens: u32,
    written: u32,
    first: Option<Instant>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Server {
    /// On any free port, or on the one given.
    pub fn start(pace: Pace, port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let shared =
            Arc::new(Shared { pace, log: Mutex::default(), pacer: Mutex::default(), wake: Condvar::new() });
        let pacing = Arc::clone(&shared);
        std::thread::spawn(move || pacing.write_when_due());
        let accepting = Arc::clone(&shared);
        std::thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let shared = Arc::clone(&accepting);
                let reading = std::thread::Builder::new().stack_size(128 << 10);
                drop(reading.spawn(move || shared.read(&socket)));
            }
        });
        Self { port, shared }
    }

    /// Every request so far, in the order they came.
    pub fn served(&self) -> Vec<Served> {
        lock(&self.shared.log).served.clone()
    }
}

impl Shared {
    /// Requests of one connection, one after the other.
    fn read(&self, socket: &TcpStream) {
        let _ = socket.set_nodelay(true);
        let _ = socket.set_write_timeout(Some(Duration::from_secs(1)));
        let Ok(reading) = socket.try_clone() else { return };
        let mut reader = BufReader::new(reading);
        while let Some((line, body)) = request(&mut reader) {
            let read = Instant::now();
            if line.starts_with("GET") {
                let body = self.get(&line);
                let head = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
                    body.len()
                );
                if (&*socket).write_all((head + &body).as_bytes()).is_err() {
                    return;
                }
                continue;
            }
            if let Some(first) = number_after(&line, "refuse=")
                && self.refuse(first, &body)
            {
                let head = "HTTP/1.1 429 Too Many Requests\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n";
                if (&*socket).write_all(head.as_bytes()).is_err() {
                    return;
                }
                continue;
            }
            let Ok(socket) = socket.try_clone() else { return };
            self.accept(socket, &line, body, read);
        }
    }

    /// One of the first so many requests?
    fn refuse(&self, first: u64, body: &str) -> bool {
        let mut log = lock(&self.log);
        let refused = (log.served.len() as u64) < first;
        if refused {
            log.served.push(Served { body: body.to_owned(), complete: false, ttft: None, tpot: None });
        }
        refused
    }

    fn accept(&self, mut socket: TcpStream, line: &str, body: String, read: Instant) {
        let tokens = ["max_completion_tokens", "max_tokens", "max_output_tokens"]
            .iter()
            .find_map(|name| number_after(&body, &format!("\"{name}\":")))
            .unwrap_or(u64::from(self.pace.tokens));
        let tokens = u32::try_from(tokens).unwrap_or(u32::MAX).max(1);
        // The path may say another pace: /ttft=50,gap=2/v1/chat/completions.
        let of = |name: &str, or: Duration| number_after(line, name).map_or(or, Duration::from_millis);
        let (ttft, gap) = (of("ttft=", self.pace.ttft), of("gap=", self.pace.gap));
        let entry = {
            let mut log = lock(&self.log);
            log.served.push(Served { body, complete: false, ttft: None, tpot: None });
            log.open += 1;
            log.most = log.most.max(log.open);
            log.served.len() - 1
        };
        // Headers and the role chunk go at once: neither is a token.
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
        let role = chunk(&event("{\"role\":\"assistant\",\"content\":\"\"}", "null"));
        if socket.write_all((head.to_owned() + &role).as_bytes()).is_err() {
            lock(&self.log).open -= 1;
            return;
        }
        let mut pacer = lock(&self.pacer);
        pacer
            .streams
            .insert(entry, Stream { socket, entry, read, ttft, gap, tokens, written: 0, first: None });
        pacer.due.push(std::cmp::Reverse((read + ttft, entry)));
        self.wake.notify_one();
    }

    fn write_when_due(&self) {
        let token = chunk(&event("{\"content\":\"word \"}", "null"));
        let mut pacer = lock(&self.pacer);
        loop {
            let now = Instant::now();
            let wait = match pacer.due.peek() {
                None => Duration::from_secs(1),
                Some(std::cmp::Reverse((due, _))) if *due > now => *due - now,
                Some(_) => {
                    if let Some(std::cmp::Reverse((due, id))) = pacer.due.pop()
                        && let Some(mut stream) = pacer.streams.remove(&id)
                    {
                        drop(pacer);
                        let next = self.write(&mut stream, due, &token);
                        pacer = lock(&self.pacer);
                        if let Some(next) = next {
                            pacer.due.push(std::cmp::Reverse((next, id)));
                            pacer.streams.insert(id, stream);
                        }
                    }
                    continue;
                }
            };
            pacer = self.wake.wait_timeout(pacer, wait).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Write the token that is due; when the next one is.
    fn write(&self, stream: &mut Stream, due: Instant, token: &str) -> Option<Instant> {
        let at = Instant::now();
        let sent = stream.socket.write_all(token.as_bytes());
        stream.written += 1;
        let first = *stream.first.get_or_insert(at);
        let last = stream.written == stream.tokens;
        let whole = sent.is_ok() && last && stream.socket.write_all(ending(stream.tokens).as_bytes()).is_ok();
        let mut log = lock(&self.log);
        log.late.push(at.saturating_duration_since(due));
        if sent.is_err() || last {
            log.open -= 1;
            let gaps = stream.written - 1;
            let entry = &mut log.served[stream.entry];
            entry.complete = whole;
            entry.ttft = Some(first - stream.read);
            entry.tpot = (gaps > 0).then(|| (at - first) / gaps);
            return None;
        }
        Some(stream.read + stream.ttft + stream.gap * stream.written)
    }

    /// `/stats`: what was written and how exactly, as JSON; then the record begins anew. Everything
    /// else: the list of models.
    fn get(&self, line: &str) -> String {
        if !line.contains("/stats") {
            return "{\"object\":\"list\",\"data\":[{\"id\":\"m\",\"object\":\"model\",\"created\":1,\"owned_by\":\"x\"}]}"
                .to_owned();
        }
        let mut log = lock(&self.log);
        let done: Vec<&Served> = log.served.iter().filter(|s| s.complete).collect();
        let ms = |values: Vec<Duration>| {
            let mut v: Vec<f64> = values.iter().map(|d| d.as_secs_f64() * 1000.0).collect();
            v.sort_by(f64::total_cmp);
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let at = |share: f64| v.get(((v.len() as f64 * share) as usize).min(v.len().saturating_sub(1)));
            let mean = v.iter().sum::<f64>() / v.len().max(1) as f64;
            let shown = |share| at(share).copied().unwrap_or(0.0);
            format!(
                "{{\"mean\":{mean:.4},\"median\":{:.4},\"p99\":{:.4},\"max\":{:.4}}}",
                shown(0.5),
                shown(0.99),
                shown(1.0)
            )
        };
        let text = format!(
            "{{\"requests\":{},\"complete\":{},\"events\":{},\"most_at_once\":{},\"ttft_ms\":{},\"tpot_ms\":{},\"late_ms\":{}}}",
            log.served.len(),
            done.len(),
            log.late.len(),
            log.most,
            ms(done.iter().filter_map(|s| s.ttft).collect()),
            ms(done.iter().filter_map(|s| s.tpot).collect()),
            ms(log.late.clone()),
        );
        if log.open == 0 {
            *log = Log::default();
        }
        text
    }
}

/// The number right after a word of the text.
fn number_after(text: &str, word: &str) -> Option<u64> {
    let rest = text[text.find(word)? + word.len()..].trim_start();
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest[..end].parse().ok()
}

/// Request line and body of the next request.
fn request(reader: &mut BufReader<TcpStream>) -> Option<(String, String)> {
    let mut first = String::new();
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim_end();
        if let Some(n) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = n.trim().parse().ok()?;
        }
        if first.is_empty() {
            line.clone_into(&mut first);
        } else if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((first, String::from_utf8_lossy(&body).into_owned()))
}

/// One event in the shape and size of the real ones.
fn event(delta: &str, finish: &str) -> String {
    format!(
        "data: {{\"id\":\"chatcmpl-CkQ2vWb8dY1fN0sJt5uXo7aLr3mZe\",\"object\":\"chat.completion.chunk\",\"created\":1795356000,\"model\":\"m\",\"service_tier\":\"default\",\"system_fingerprint\":\"fp_0123456789\",\"choices\":[{{\"index\":0,\"delta\":{delta},\"logprobs\":null,\"finish_reason\":{finish}}}],\"usage\":null}}\n\n"
    )
}

fn ending(tokens: u32) -> String {
    let usage = format!(
        "data: {{\"id\":\"chatcmpl-CkQ2vWb8dY1fN0sJt5uXo7aLr3mZe\",\"object\":\"chat.completion.chunk\",\"created\":1795356000,\"model\":\"m\",\"choices\":[],\"usage\":{{\"prompt_tokens\":20,\"completion_tokens\":{tokens},\"total_tokens\":{}}}}}\n\ndata: [DONE]\n\n",
        u64::from(tokens) + 20
    );
    format!("{}0\r\n\r\n", chunk(&(event("{}", "\"stop\"") + &usage)))
}

fn chunk(text: &str) -> String {
    format!("{:x}\r\n{text}\r\n", text.len())
}
