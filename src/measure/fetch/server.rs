//! Tests of the downloader against a server that cuts off, redirects, refuses and lies.

use super::*;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What the server does with the next request.
#[derive(Clone)]
enum Act {
    /// The file, or the range asked for, cut after so many bytes.
    File {
        cut: Option<usize>,
    },
    /// The whole file, whatever range is asked for.
    Whole,
    Redirect(String),
    Status(&'static str),
    Html,
}

/// Answers requests by a script, one act each; keeps the text of every request.
struct Server {
    address: String,
    seen: Arc<Mutex<Vec<String>>>,
}

fn body() -> Vec<u8> {
    let mut body = b"GGUF".to_vec();
    body.extend((0..300_000_u32).flat_map(u32::to_le_bytes));
    body
}

async fn serve(acts: Vec<Act>) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let seen = Arc::new(Mutex::new(Vec::new()));
    let kept = seen.clone();
    tokio::spawn(async move {
        for act in acts {
            let Ok((stream, _)) = listener.accept().await else { return };
            let text = answer(stream, act).await;
            kept.lock().expect("not poisoned").push(text);
        }
    });
    Server { address, seen }
}

async fn answer(mut stream: TcpStream, act: Act) -> String {
    let mut text = String::new();
    let mut buffer = [0; 1024];
    while !text.contains("\r\n\r\n") {
        let read = stream.read(&mut buffer).await.unwrap_or(0);
        if read == 0 {
            break;
        }
        text.push_str(&String::from_utf8_lossy(&buffer[..read]));
    }
    let whole = body();
    let from = text
        .lines()
        .find_map(|l| {
            l.to_ascii_lowercase().strip_prefix("range: bytes=").map(|r| r.trim_end_matches('-').to_owned())
        })
        .and_then(|n| n.parse::<usize>().ok());
    let (head, content) = match act {
        Act::File { cut } => {
            let start = from.unwrap_or(0);
            let status = match from {
                Some(_) => {
                    format!("206 OK\r\nContent-Range: bytes {start}-{}/{}", whole.len() - 1, whole.len())
                }
                None => "200 OK".to_owned(),
            };
            let head = format!("{status}\r\nETag: \"v1\"\r\nContent-Length: {}", whole.len() - start);
            let end = cut.map_or(whole.len(), |n| (start + n).min(whole.len()));
            (head, whole[start..end].to_vec())
        }
        Act::Whole => (format!("200 OK\r\nContent-Length: {}", whole.len()), whole),
        Act::Redirect(to) => (format!("302 Found\r\nLocation: {to}\r\nContent-Length: 0"), Vec::new()),
        Act::Status(status) => (format!("{status}\r\nContent-Length: 0"), Vec::new()),
        Act::Html => {
            ("200 OK\r\nContent-Type: text/html\r\nContent-Length: 6".to_owned(), b"<html>".to_vec())
        }
    };
    let _ = stream.write_all(format!("HTTP/1.1 {head}\r\nConnection: close\r\n\r\n").as_bytes()).await;
    let _ = stream.write_all(&content).await;
    text
}

/// Fetch `hf:o/r/m.gguf` with the canary token from this hub.
async fn fetch(hub: &Server, cache: &Path) -> Result<Fetched, Fault> {
    let token = Some(SecretString::from("canary-token"));
    let config = FetchConfig::new(cache.to_owned(), Some(&hub.address), token)?;
    resolve(&"hf:o/r/m.gguf".parse()?, &config, &mut |_, _| ()).await
}

fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(test);
}

fn seen(server: &Server) -> Vec<String> {
    server.seen.lock().expect("not poisoned").clone()
}

#[test]
fn a_cut_download_goes_on_where_it_was() {
    run(async {
        let cache = tempfile::tempdir().expect("a folder");
        let hub = serve(vec![
            Act::File { cut: Some(1000) },
            Act::File { cut: Some(500_000) },
            Act::File { cut: None },
        ])
        .await;
        let fetched = fetch(&hub, cache.path()).await.expect("fetched");
        assert!(fetched.downloaded);
        assert_eq!(std::fs::read(&fetched.path).expect("there"), body());
        let ranges: Vec<bool> =
            seen(&hub).iter().map(|r| r.to_lowercase().contains("range: bytes=")).collect();
        assert_eq!(ranges, [false, true, true]);
        assert!(seen(&hub)[2].contains("\"v1\""), "asks for the same version");
        // Nothing is left beside it, and the next time nothing is asked for.
        let names: Vec<_> =
            std::fs::read_dir(fetched.path.parent().expect("a folder")).expect("read").collect();
        assert_eq!(names.len(), 1);
        assert!(!fetch(&hub, cache.path()).await.expect("in the cache").downloaded);
        let sum = sha256(Some(cache.path()), &[fetched.path], &mut |_| panic!("hashed again")).expect("kept");
        assert_eq!(sum.len(), 64);
    });
}

#[test]
fn a_run_that_was_ended_is_gone_on_with() {
    run(async {
        let cache = tempfile::tempdir().expect("a folder");
        let cut = vec![Act::File { cut: Some(700) }, Act::Status("503 No"), Act::Status("503 No")];
        let hub = serve([cut, vec![Act::Status("503 No"); 2]].concat()).await;
        let fault = fetch(&hub, cache.path()).await.expect_err("the server went away");
        assert!(fault.message.contains("goes on from there"), "{}", fault.message);
        let hub = serve(vec![Act::File { cut: None }]).await;
        let fetched = fetch(&hub, cache.path()).await.expect("fetched");
        assert!(seen(&hub)[0].to_lowercase().contains("range: bytes=700-"));
        assert_eq!(std::fs::read(&fetched.path).expect("there"), body());
    });
}

#[test]
fn a_server_without_ranges_begins_again() {
    run(async {
        let cache = tempfile::tempdir().expect("a folder");
        let hub = serve(vec![Act::File { cut: Some(1000) }, Act::Whole]).await;
        let fetched = fetch(&hub, cache.path()).await.expect("fetched");
        assert_eq!(std::fs::read(&fetched.path).expect("there"), body());
    });
}

#[test]
fn the_token_stays_with_the_hub() {
    run(async {
        let cache = tempfile::tempdir().expect("a folder");
        let storage = serve(vec![Act::File { cut: None }]).await;
        // A relative redirect within the hub keeps it; the storage host never sees it.
        let hub = serve(vec![
            Act::Redirect("/o/renamed/resolve/main/m.gguf".into()),
            Act::Redirect(format!("{}/blob?signature=x", storage.address)),
        ])
        .await;
        fetch(&hub, cache.path()).await.expect("fetched");
        assert!(seen(&hub).iter().all(|r| r.contains("canary-token")), "{:?}", seen(&hub));
        assert!(!seen(&storage)[0].contains("canary"), "{:?}", seen(&storage));
    });
}

#[test]
fn what_is_not_the_file_is_refused_and_named() {
    run(async {
        let endless = Act::Redirect("/again".into());
        let cases = [
            (vec![Act::Status("404 Not Found")], FaultKind::NotFound, "no such file"),
            (vec![Act::Status("401 Unauthorized")], FaultKind::Auth, "HF_TOKEN"),
            (vec![Act::Html], FaultKind::Model, "text/html"),
            (vec![endless; 7], FaultKind::Model, "without end"),
            (vec![Act::Redirect("http://192.0.2.1/m".into())], FaultKind::Model, "only fetched over https"),
        ];
        for (acts, kind, says) in cases {
            let cache = tempfile::tempdir().expect("a folder");
            let hub = serve(acts).await;
            let fault = fetch(&hub, cache.path()).await.expect_err("refused");
            assert_eq!(fault.kind, kind, "{}", fault.message);
            assert!(fault.message.contains(says) && !fault.message.contains("canary"), "{}", fault.message);
        }
    });
}

#[test]
fn a_wrong_file_is_discarded() {
    run(async {
        let cache = tempfile::tempdir().expect("a folder");
        let hub = serve(vec![Act::File { cut: None }]).await;
        let config = FetchConfig::new(cache.path().to_owned(), Some(&hub.address), None).expect("a hub");
        let fault = resolve(&ModelSpec::Default, &config, &mut |_, _| ()).await.expect_err("not that file");
        assert!(fault.message.contains(DEFAULT_SHA256), "{}", fault.message);
        assert_eq!(std::fs::read_dir(cache.path().join("models")).expect("read").count(), 0);
    });
}
