//! The exact-deadline server of the tests as a program.
//! usage: server PORT TTFT_MS GAP_MS TOKENS

#[path = "../../tests/it/deadline.rs"]
#[allow(dead_code)]
mod deadline;

use std::time::Duration;

fn main() {
    let numbers: Vec<u64> = std::env::args().skip(1).map(|a| a.parse().expect("a number")).collect();
    let [port, ttft, gap, tokens] = numbers[..] else { panic!("usage: server PORT TTFT_MS GAP_MS TOKENS") };
    let pace = deadline::Pace {
        ttft: Duration::from_millis(ttft),
        gap: Duration::from_millis(gap),
        tokens: u32::try_from(tokens).expect("a small number"),
    };
    let server = deadline::Server::start(pace, u16::try_from(port).expect("a port"));
    println!("http://127.0.0.1:{}", server.port);
    // Until whoever started it closes its input.
    let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
}
