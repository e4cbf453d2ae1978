//! What is missing is asked for in a real terminal (a pseudo-terminal), and only there.

use crate::run::{Sandbox, answer, in_terminal};
use rexpect::process::WaitStatus;
use rexpect::session::PtySession;

fn breakeven(sandbox: &Sandbox, args: &str) -> PtySession {
    in_terminal(sandbox, 120, &format!("breakeven {args}"))
}

#[test]
fn what_is_missing_is_asked_for() {
    let sandbox = Sandbox::new();
    let mut session = breakeven(&sandbox, "--model llama-3.1-8b-instruct -o asked.json");
    answer(&mut session, "Requests in the first month", "many\r");
    session.exp_string("must be a number").expect("says what is wrong");
    answer(&mut session, "> ", "200000\r");
    answer(&mut session, "Input tokens of one request", "1500\r");
    answer(&mut session, "Output tokens of one request", "400\r");
    answer(&mut session, "Id of a GPU, machine or rental in the catalogue", "nvidia-rtx-4091\r");
    session.exp_string("did you mean").expect("the nearest ids");
    answer(&mut session, "> ", "nvidia-rtx-4090\r");
    answer(&mut session, "Id of an API model in the catalogue", "anthropic/claude-haiku-4-5-20251001\r");
    session.exp_string("The same without questions:").expect("the command line");
    session.exp_string("freehold ").expect("the command line");
    let line = session.read_line().expect("the rest of the line");
    session.exp_eof().expect("ended");
    assert!(matches!(session.process().wait(), Ok(WaitStatus::Exited(_, 0))));
    let asked: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(sandbox.path("asked.json")).expect("written"))
            .expect("JSON");
    assert_eq!(asked["inputs"]["need.input_tokens"]["source"]["via"], "question: need.input_tokens");
    let by_flags = sandbox.shell(&format!("freehold {} --json", line.trim())).json();
    assert_eq!(by_flags["result"], asked["result"]);
}

#[test]
fn without_a_terminal_or_with_no_input_the_missing_keys_are_listed() {
    let sandbox = Sandbox::new();
    let mut session = breakeven(&sandbox, "--model llama-3.1-8b-instruct --no-input");
    session.exp_string("need.requests_per_month (--need.requests-per-month)").expect("the list");
    session.exp_string("local.hardware (--local.hardware)").expect("the list");
    session.exp_string("cloud.model (--cloud.model)").expect("the list");
    session.exp_eof().expect("ended");
    assert!(matches!(session.process().wait(), Ok(WaitStatus::Exited(_, 2))));
}

#[test]
fn ctrl_c_ends_with_130() {
    let sandbox = Sandbox::new();
    let mut session = breakeven(&sandbox, "");
    session.exp_string("Requests in the first month").expect("a question");
    session.send_control('c').expect("sent");
    session.exp_string("interrupted").expect("says so");
    session.exp_eof().expect("ended");
    assert!(matches!(session.process().wait(), Ok(WaitStatus::Exited(_, 130))));
}
