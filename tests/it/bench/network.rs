//! Below HTTP: connections, certificates, proxies, HTTP/2, and streams cut anywhere.

use super::server::{Do, HEAD, ROLE, STOP, Server, TEXT, USAGE, good, send};
use super::{Place, code};
use freehold::measure::address::Address;
use freehold::measure::backend::http::{ApiBackend, ApiTarget, Limits};
use freehold::measure::counts::Counted;
use freehold::measure::event::{FaultKind, Message, Request, Role};
use freehold::measure::fetch::{self, FetchConfig};
use freehold::measure::figures::{Figures, figures};
use freehold::measure::net::Proxy;
use freehold::measure::trace::Trace;
use freehold::measure::wire::WireKind;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use std::io::{Cursor, Write as _};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

fn backend(base: &str, limits: Limits) -> ApiBackend {
    let address = Address::of(WireKind::OpenAiChat, &base.parse().expect("a URL"), "", "m");
    let target = ApiTarget::new(WireKind::OpenAiChat, "m", address);
    ApiBackend::new(target, limits).expect("a client")
}

fn ask(backend: &mut ApiBackend) -> Figures {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let messages = vec![Message::text(Role::User, "Capital of France?")];
    let request = Request { messages, max_output_tokens: 8, ..Request::default() };
    let mut events = Vec::new();
    runtime.block_on(backend.generate(&request, &mut |event| events.push(event)));
    figures(&Trace::of(&events), Counted::ByProvider)
}

/// The terminal condition decides, wherever the bytes end: in a head, a line, a character, JSON.
#[test]
fn a_stream_cut_at_any_byte_is_a_success_only_after_its_end() {
    let word = TEXT.replace("Paris", "Ærøskøbing €");
    let end = format!("{HEAD}\u{feff}{ROLE}{word}{word}{STOP}").len();
    let whole = format!("{HEAD}\u{feff}{ROLE}{word}{word}{STOP}{USAGE}").into_bytes();
    let scripts = (0..=whole.len()).map(|at| vec![Do::Send(whole[..at].to_vec())]).collect();
    let server = Server::start(scripts);
    let mut backend = backend(&format!("http://127.0.0.1:{}/v1/", server.port), Limits::default());
    for at in 0..=whole.len() {
        let figures = ask(&mut backend);
        assert_eq!(figures.error.is_none(), at >= end, "{at} of {} bytes: {:?}", whole.len(), figures.error);
    }
}

/// A server may close an idle connection just when it is used again.
#[test]
fn a_connection_closed_while_idle_is_no_failure() {
    let frames = format!("{ROLE}{TEXT}{TEXT}{TEXT}{STOP}{USAGE}");
    let kept = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{frames}\r\n0\r\n\r\n",
        frames.len()
    );
    let server = Server::start(vec![vec![send(&kept), Do::Keep], vec![], good()]);
    let place = Place::new();
    let output = place.bench_once(&[server.target("openai")], &["--repeats", "2", "--retries", "0"]);
    assert_eq!(code(&output), 0, "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!((server.requests().len(), server.connections()), (3, 2));
    let document = place.document();
    let reused: Vec<_> =
        (0..2).map(|n| document["result"]["samples"][n]["connection_reused"].as_bool()).collect();
    assert_eq!(reused, [Some(false), Some(false)]);
    assert_eq!(document["result"]["samples"][1]["attempts"], 1);
}

/// A host that does not answer at all: its queue of connections is full.
#[test]
fn a_connection_that_hangs_has_a_deadline() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound");
    let mut queue = Vec::new();
    while let Ok(stream) = std::net::TcpStream::connect_timeout(&address, Duration::from_millis(300)) {
        queue.push(stream);
        assert!(queue.len() < 10_000, "the queue does not fill");
    }
    let limits = Limits { connect: Duration::from_millis(300), ..Limits::default() };
    let figures = ask(&mut backend(&format!("http://{address}/v1/"), limits));
    assert_eq!(figures.error.map(|e| e.kind), Some(FaultKind::ConnectTimeout));
}

#[test]
fn a_name_that_does_not_exist_is_said() {
    let limits = Limits { connect: Duration::from_secs(5), ..Limits::default() };
    let figures = ask(&mut backend("https://llm.invalid/v1/", limits));
    let fault = figures.error.expect("it fails");
    assert_eq!(fault.kind, FaultKind::ConnectDns, "{}", fault.message);
}

/// In a network of its own, where the name server is behind a way that leads nowhere.
#[cfg(target_os = "linux")]
#[test]
fn a_name_server_that_does_not_answer_is_tried_again() {
    let place = Place::new();
    std::fs::write(place.path("prompts.jsonl"), "{\"prompt\":\"a\"}\n").expect("written");
    std::fs::write(place.path("resolv.conf"), "nameserver 192.0.2.53\n").expect("written");
    let script = "mount --bind \"$0\" /etc/resolv.conf && ip link add nowhere type dummy \
                  && ip addr add 192.0.2.2/24 dev nowhere && ip link set nowhere up || exit 99; \"$@\"";
    let mut command = std::process::Command::new("unshare");
    command.args(["-rmn", "--", "sh", "-c", script]).arg(place.path("resolv.conf"));
    command.arg(env!("CARGO_BIN_EXE_freehold")).args(["bench", "--warmup", "0", "--repeats", "1", "--yes"]);
    command.args(["--retries", "1", "--api", OTHER, "--prompts"]).arg(place.path("prompts.jsonl"));
    command.arg("-o").arg(place.path("out.json"));
    command.env("FREEHOLD_API_KEY", "sk-canary-0123456789").env("FREEHOLD_DATA_DIR", place.path("data"));
    for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        command.env_remove(name);
    }
    let begun = std::time::Instant::now();
    let Ok(output) = command.output() else { return crate::needs::skipped("there is no unshare") };
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.code() == Some(99) || said.contains("unshare") {
        crate::needs::skipped(&format!("namespaces are not permitted here: {said}"));
        return;
    }
    assert_eq!(place.kind(), "connect-dns", "{said}");
    assert!(said.contains("no name server answered"), "{said}");
    assert_eq!(
        place.document()["result"]["samples"][0]["attempts"],
        2,
        "it may answer the next time: {said}"
    );
    assert!(begun.elapsed() < Duration::from_secs(30), "neither the run nor its end waits for the system");
}

/// The address of a proxy, for a function that takes nothing along.
static PROXY: std::sync::OnceLock<String> = std::sync::OnceLock::new();

/// Imports and downloads go the way that the API client goes.
#[test]
fn imports_and_downloads_use_the_same_proxy() {
    let refuse = vec![send("HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n")];
    let proxy = Server::start(vec![refuse]);
    let address = format!("http://me:hunter2-hunter2@127.0.0.1:{}", proxy.port);
    let place = Place::new();
    let import = |url: &str, no_proxy: &str| {
        let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_freehold"));
        command.args(["db", "import", url, "--from", "litellm", "--dry-run"]);
        for name in ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "http_proxy"] {
            command.env(name, &address);
        }
        command.env("NO_PROXY", no_proxy).env("FREEHOLD_DATA_DIR", place.path("data"));
        let output = command.timeout(Duration::from_mins(1)).output().expect("it ran");
        (code(&output), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (exit, said) = import("https://prices.invalid/prices.json", "");
    assert_eq!(exit, 1, "{said}");
    let seen = proxy.requests().concat();
    assert!(seen.starts_with("CONNECT prices.invalid:443 "), "{seen}");
    assert!(seen.to_ascii_lowercase().contains("proxy-authorization: basic "), "{seen}");
    assert!(!said.contains("hunter2"), "{said}");
    let before = proxy.connections();
    let (exit, said) = import("https://prices.invalid/prices.json", "prices.invalid");
    assert_eq!((exit, proxy.connections()), (1, before), "{said}");
    let here = Server::start(vec![super::status("200 OK", "", "{}")]);
    let (_, said) = import(&format!("http://127.0.0.1:{}/prices.json", here.port), "");
    assert_eq!((here.requests().len(), proxy.connections()), (1, before), "{said}");

    PROXY.get_or_init(|| format!("http://127.0.0.1:{}", proxy.port));
    let mut config = FetchConfig::new(place.path("cache"), None, None).expect("a configuration");
    config.proxy = |_| Some(Proxy { url: PROXY.get()?.clone(), authorization: None });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let spec = "https://models.invalid/a.gguf".parse().expect("a model");
    let asked = runtime.block_on(fetch::resolve(&spec, &config, &mut |_, _| ()));
    assert!(asked.is_err() && proxy.requests().concat().contains("CONNECT models.invalid:443 "));
}

/// With every look the wall clock jumps a day on, or two back: a library that the system puts before
/// its own says so.
#[cfg(target_os = "linux")]
#[test]
fn a_wall_clock_that_jumps_moves_no_figure() {
    const JUMPS: &str = "
        #define _GNU_SOURCE
        #include <dlfcn.h>
        #include <time.h>
        int clock_gettime(clockid_t id, struct timespec *t) {
            static int (*real)(clockid_t, struct timespec *);
            static long looks;
            if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, \"clock_gettime\");
            int done = real(id, t);
            if (id == CLOCK_REALTIME) t->tv_sec += 86400 * (++looks % 3 - 1);
            return done;
        }";
    let place = Place::new();
    std::fs::write(place.path("jumps.c"), JUMPS).expect("written");
    let library = place.path("jumps.so");
    let mut compile = std::process::Command::new("cc");
    compile.args(["-shared", "-fPIC", "-o"]).arg(&library).arg(place.path("jumps.c")).arg("-ldl");
    if !compile.status().is_ok_and(|s| s.success()) {
        crate::needs::missing("a C compiler");
        return;
    }
    let mut script = good();
    script.insert(2, Do::Wait(200));
    let server = Server::start(vec![script]);
    let preload = [("LD_PRELOAD", library.to_str().expect("UTF-8"))];
    let more = ["--warmup", "1", "--repeats", "3", "--concurrency", "2", "--requests", "4"];
    let output = place.run(&[server.target("openai")], &more, &preload, &[]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(code(&output), 0, "{said}");
    let document = place.document();
    let list = |name: &str| document["result"][name].as_array().expect("samples").clone();
    assert_eq!((list("samples").len(), list("load_samples").len()), (3, 12));
    for sample in list("samples").iter().chain(&list("load_samples")) {
        for (name, least) in [("ttft_ms", 200.0), ("e2e_ms", 200.0)] {
            let ms = sample[name].as_f64().expect("a time");
            assert!((least..30_000.0).contains(&ms), "{name}: {ms}");
        }
        // A busy machine may read all words at once: then there is no time per token.
        let tpot = sample["tpot_ms"].as_f64().unwrap_or(0.0);
        assert!((0.0..30_000.0).contains(&tpot), "tpot_ms: {tpot}");
    }
    let marked = list("samples").iter().filter(|s| !s["clock_gap_ms"].is_null()).count();
    assert!(marked > 0, "the jumps are seen");
    assert!(document["warnings"].to_string().contains("clock-gap"), "{}", document["warnings"]);
}

const OTHER: &str = "compatible:m@https://llm.invalid/v1";

#[test]
fn proxies_are_used_as_everywhere_and_never_for_this_machine() {
    let key = "sk-canary-7f3a9c1e5b2d8f4a6c0e";
    let refuse = vec![send("HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n")];
    let proxy = Server::start(vec![refuse]);
    let address = format!("http://me:hunter2-hunter2@127.0.0.1:{}", proxy.port);
    let run = |target: &str, no_proxy: &str| {
        let place = Place::new();
        let variables = [
            ("HTTPS_PROXY", address.as_str()),
            ("HTTP_PROXY", &address),
            ("ALL_PROXY", &address),
            ("NO_PROXY", no_proxy),
            ("FREEHOLD_API_KEY", key),
        ];
        let output = place.bench_with(&[target.to_owned()], &["--yes", "--retries", "0"], &variables);
        (place, output)
    };
    let server = Server::start(vec![good()]);
    for host in ["127.0.0.1", "localhost"] {
        let (_, output) = run(&format!("openai:m@http://{host}:{}", server.port), "");
        assert_eq!(code(&output), 0, "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!((proxy.connections(), server.requests().len()), (0, 2));

    let (place, output) = run(OTHER, "");
    let seen = proxy.requests();
    assert!(seen.iter().all(|r| r.starts_with("CONNECT llm.invalid:443 ")) && !seen.is_empty(), "{seen:?}");
    assert!(!seen.concat().contains("sk-canary"), "the proxy sees no key");
    let document = place.document();
    let recorded = document["result"]["targets"][0]["proxy"].as_str().expect("recorded").to_owned();
    assert!(recorded.starts_with(&format!("http://127.0.0.1:{}", proxy.port)), "{recorded}");
    let written = format!("{document}{}", String::from_utf8_lossy(&output.stderr));
    assert!(!written.contains("hunter2") && !written.contains("bWU6aHVudGVyMi1odW50ZXIy"), "{written}");

    assert_eq!(place.kind(), "proxy");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains(&format!("the proxy http://127.0.0.1:{}", proxy.port)), "{told}");

    let before = proxy.connections();
    let (place, _) = run(OTHER, "llm.invalid");
    assert_eq!(proxy.connections(), before);
    assert!(place.document()["result"]["targets"][0]["proxy"].is_null());
}

/// A certificate for a name, signed by an authority of ours, and that authority's own.
struct Certified {
    certificate: rustls::pki_types::CertificateDer<'static>,
    key: rustls::pki_types::PrivateKeyDer<'static>,
    authority: String,
}

fn certified(name: &str, expired: bool) -> Certified {
    let mut authority = CertificateParams::new(Vec::<String>::new()).expect("parameters");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate().expect("a key");
    let own = authority.self_signed(&authority_key).expect("signed");
    let issuer = Issuer::new(authority, authority_key);
    let mut parameters = CertificateParams::new(vec![name.to_owned()]).expect("parameters");
    if expired {
        parameters.not_before = rcgen::date_time_ymd(2020, 1, 1);
        parameters.not_after = rcgen::date_time_ymd(2020, 2, 1);
    }
    let key = KeyPair::generate().expect("a key");
    let certificate = parameters.signed_by(&key, &issuer).expect("signed");
    Certified {
        certificate: certificate.der().clone(),
        key: rustls::pki_types::PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        authority: own.pem(),
    }
}

/// A certificate that signs itself, as `openssl req -x509` makes it: an authority's, by its own word.
fn self_signed(name: &str, expired: bool) -> Certified {
    let mut parameters = CertificateParams::new(vec![name.to_owned()]).expect("parameters");
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    if expired {
        parameters.not_before = rcgen::date_time_ymd(2020, 1, 1);
        parameters.not_after = rcgen::date_time_ymd(2020, 2, 1);
    }
    let key = KeyPair::generate().expect("a key");
    let own = parameters.self_signed(&key).expect("signed");
    Certified {
        certificate: own.der().clone(),
        key: rustls::pki_types::PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        authority: own.pem(),
    }
}

/// How a TLS server ends its answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Whole,
    ResetStream,
    GoAway,
}

/// An HTTP server over TLS; its port.
fn tls_server(certified: &Certified, http2: bool, end: End) -> u16 {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certified.certificate.clone()], certified.key.clone_key())
        .expect("a certificate and its key");
    config.alpn_protocols = if http2 { vec![b"h2".to_vec(), b"http/1.1".to_vec()] } else { Vec::new() };
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    listener.set_nonblocking(true).expect("set");
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
                        http2_answers(stream, end).await;
                    } else {
                        http1_answer(stream).await;
                    }
                });
            }
        });
    });
    port
}

type Tls = tokio_rustls::server::TlsStream<tokio::net::TcpStream>;

async fn http1_answer(mut stream: Tls) {
    let mut bytes = [0; 8192];
    let _ = stream.read(&mut bytes).await;
    let _ = stream.write_all(format!("{HEAD}{ROLE}{TEXT}{TEXT}{TEXT}{STOP}{USAGE}").as_bytes()).await;
    let _ = stream.shutdown().await;
}

async fn http2_answers(stream: Tls, end: End) {
    let Ok(mut connection) = h2::server::Builder::new().handshake::<_, Cursor<Vec<u8>>>(stream).await else {
        return;
    };
    while let Some(Ok((_, mut respond))) = connection.accept().await {
        let head =
            http::Response::builder().header("content-type", "text/event-stream").body(()).expect("a head");
        let Ok(mut body) = respond.send_response(head, false) else { return };
        let part = |text: String| Cursor::new(text.into_bytes());
        let _ = body.send_data(part(format!("{ROLE}{TEXT}{TEXT}")), false);
        if end == End::Whole {
            let _ = body.send_data(part(format!("{TEXT}{STOP}{USAGE}")), true);
            continue;
        }
        // What was sent leaves before the end does.
        let drive = tokio::time::timeout(
            Duration::from_millis(100),
            std::future::poll_fn(|cx| connection.poll_closed(cx)),
        );
        let _ = drive.await;
        match end {
            End::ResetStream => body.send_reset(h2::Reason::INTERNAL_ERROR),
            _ => connection.abrupt_shutdown(h2::Reason::ENHANCE_YOUR_CALM),
        }
    }
}

/// Run against an address with a file of trusted authorities.
fn bench_tls(port: u16, trusted: &str) -> (Place, std::process::Output) {
    let place = Place::new();
    let bundle = place.path("authorities.pem");
    std::fs::write(&bundle, trusted).expect("written");
    let target = format!("openai:m@https://localhost:{port}/v1");
    let variables = [("SSL_CERT_FILE", bundle.to_str().expect("UTF-8"))];
    let output = place.bench_with(&[target], &["--retries", "0"], &variables);
    (place, output)
}

#[test]
fn certificates_are_checked_and_an_authority_of_ones_own_can_be_named() {
    let good = certified("localhost", false);
    let other = certified("localhost", false);
    let (place, output) = bench_tls(tls_server(&good, false, End::Whole), &good.authority);
    assert_eq!(code(&output), 0, "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(place.document()["result"]["samples"][0]["text"], "ParisParisParis");
    let bad = [
        ("an unknown authority", certified("localhost", false), Some(&other)),
        ("expired", certified("localhost", true), None),
        ("another name", certified("llm.example.com", false), None),
    ];
    for (name, certified, trusted) in bad {
        let trusted = trusted.unwrap_or(&certified).authority.clone();
        let (place, output) = bench_tls(tls_server(&certified, false, End::Whole), &trusted);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((code(&output), place.kind().as_str()), (1, "tls"), "{name}: {said}");
        assert!(said.contains("no secure connection"), "{name}: {said}");
    }
}

/// What curl takes with the same file is taken, and nothing more.
#[test]
fn a_servers_own_certificate_can_be_named() {
    let own = self_signed("localhost", false);
    let (_, output) = bench_tls(tls_server(&own, false, End::Whole), &own.authority);
    assert_eq!(code(&output), 0, "{}", String::from_utf8_lossy(&output.stderr));
    let other = self_signed("localhost", false);
    let bad = [
        ("not named", self_signed("localhost", false), Some(&other), "SSL_CERT_FILE"),
        ("expired", self_signed("localhost", true), None, "expired"),
        ("another name", self_signed("llm.example.com", false), None, "another name"),
    ];
    for (name, certified, trusted, says) in bad {
        let trusted = trusted.unwrap_or(&certified).authority.clone();
        let (place, output) = bench_tls(tls_server(&certified, false, End::Whole), &trusted);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((code(&output), place.kind().as_str()), (1, "tls"), "{name}: {said}");
        assert!(said.contains(says), "{name}: {said}");
    }
}

#[test]
fn what_is_not_tls_is_said() {
    let authority = certified("localhost", false).authority;
    let plain = "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";
    // The second is the alert of a server that knows TLS 1.0 only.
    let cases: [(&str, &[u8]); 3] = [
        ("plain HTTP", plain.as_bytes()),
        ("TLS 1.0", &[0x15, 3, 1, 0, 2, 2, 70]),
        ("garbage", &[0x16, 3, 3, 0, 4, 0xff, 0xff, 0xff, 0xff]),
    ];
    for (name, bytes) in cases {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let bytes = bytes.to_vec();
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut hello = [0; 512];
                let _ = std::io::Read::read(&mut stream, &mut hello);
                let _ = stream.write_all(&bytes);
            }
        });
        let (place, output) = bench_tls(port, &authority);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((code(&output), place.kind().as_str()), (1, "tls"), "{name}: {said}");
        if name == "plain HTTP" {
            assert!(said.contains("may not speak TLS on this port"), "{said}");
        }
    }
}

#[test]
fn http_2_is_used_where_offered_and_its_breaks_are_seen() {
    let certified = certified("localhost", false);
    let (place, output) = bench_tls(tls_server(&certified, true, End::Whole), &certified.authority);
    assert_eq!(code(&output), 0, "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(place.document()["result"]["samples"][0]["text"], "ParisParisParis");
    for end in [End::ResetStream, End::GoAway] {
        let (place, output) = bench_tls(tls_server(&certified, true, end), &certified.authority);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((code(&output), place.kind().as_str()), (1, "truncated"), "{end:?}: {said}");
    }
}
