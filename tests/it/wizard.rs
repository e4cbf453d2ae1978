//! The questions in a real terminal (a pseudo-terminal): to the end, and interrupted.

use crate::run::{Sandbox, answer, in_terminal};
use rexpect::process::WaitStatus;
use rexpect::session::PtySession;

const DOWN: &str = "\u{1b}[B";
const LEFT: &str = "\u{1b}[D";
const SHOW_CURSOR: &str = "\u{1b}[?25h";

fn wizard(sandbox: &Sandbox, columns: u16, args: &str) -> PtySession {
    in_terminal(sandbox, columns, &format!("advise {args}"))
}

#[test]
fn to_the_end_and_the_printed_command_says_the_same() {
    let sandbox = Sandbox::new();
    let mut session = wizard(&sandbox, 100, "-o wizard.json");
    answer(&mut session, "May a provider see the data?", "\r");
    answer(&mut session, "How much will it be used?", &format!("{DOWN}{DOWN}\r"));
    answer(&mut session, "What are the requests for?", "\r");
    answer(&mut session, "How can you say how many", "\r");
    answer(&mut session, "Requests in a month", "100k\r");
    answer(&mut session, "Input tokens of one request", "1.5k\r");
    // Back from a line of text: what was typed before is offered again.
    answer(&mut session, "Output tokens of one request", "\u{1b}");
    answer(&mut session, "[1500] > ", "\r");
    answer(&mut session, "Output tokens of one request", "300\r");
    answer(&mut session, "How strong must the model be?", "\r");
    answer(&mut session, "Who would run servers?", &format!("{DOWN}\r"));
    // Back to the question before, with the arrow, and forth again.
    answer(&mut session, "How is it paid?", LEFT);
    // The answer that was taken back stands there.
    answer(&mut session, "Who would run servers?", "\r");
    answer(&mut session, "How is it paid?", &format!("{DOWN}\r"));
    answer(&mut session, "At most how many US dollars up front?", "\r");
    answer(&mut session, "Which accelerators are there already?", "h100\r");
    answer(&mut session, "did you mean", "\r");
    answer(&mut session, "Does any of these apply?", &format!("{DOWN} \r"));
    session.exp_string("The same without questions:").expect("the command line");
    session.exp_string("freehold ").expect("the command line");
    let line = session.read_line().expect("the rest of the line");
    answer(&mut session, "What next?", &format!("{DOWN}{DOWN}\r"));
    answer(&mut session, "Name, or a file", "\r");
    session.exp_string("Use it with: freehold advise --profile my-need").expect("saved");
    answer(&mut session, "What next?", "\r");
    session.exp_eof().expect("ended");
    assert!(matches!(session.process().wait(), Ok(WaitStatus::Exited(_, 0))));

    let asked: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(sandbox.path("wizard.json")).expect("written"))
            .expect("JSON");
    assert_eq!(asked["inputs"]["privacy"]["value"], "sensitive");
    assert_eq!(asked["inputs"]["privacy"]["source"]["via"], "question: privacy");
    assert_eq!(asked["result"]["matrix"]["rule"], "fine-tuning");
    assert_eq!(asked["inputs"]["need.input_tokens"]["value"], 1500.0);
    assert!(asked["result"]["options"].as_array().is_some_and(|o| o.len() >= 4));
    let by_flags = sandbox.shell(&format!("freehold {} --json", line.trim())).json();
    let by_profile = sandbox.run(&["advise", "--profile", "my-need", "--json"]).json();
    assert_eq!(by_flags["result"], asked["result"]);
    assert_eq!(by_profile["result"], asked["result"]);
}

#[test]
fn ctrl_c_restores_the_cursor_and_loses_nothing() {
    let sandbox = Sandbox::new();
    let mut session = wizard(&sandbox, 40, "");
    answer(&mut session, "May a provider see the data?", &format!("{DOWN}\r"));
    answer(&mut session, "Who requires it?", &format!("{DOWN}\r"));
    session.exp_string("How much will it be used?").expect("the second question");
    session.send_control('c').expect("sent");
    session.exp_string(SHOW_CURSOR).expect("the cursor is shown again");
    session.exp_string("freehold advise --privacy strict --privacy-reason hipaa").expect("how to go on");
    session.exp_eof().expect("ended");
    assert!(matches!(session.process().wait(), Ok(WaitStatus::Exited(_, 130))));
}

#[test]
fn given_answers_are_not_asked_again() {
    let sandbox = Sandbox::new();
    let mut session = wizard(
        &sandbox,
        100,
        "--privacy standard --volume low --capability basic --budget opex --with bursts",
    );
    answer(&mut session, "Who would run servers?", "\r");
    session.exp_string("Use a cloud API.").expect("the verdict");
    answer(&mut session, "What next?", "\r");
    session.exp_eof().expect("ended");
    assert!(matches!(session.process().wait(), Ok(WaitStatus::Exited(_, 0))));
}

#[test]
fn q_ends_and_says_how_to_go_on() {
    let sandbox = Sandbox::new();
    let mut session = wizard(&sandbox, 60, "");
    answer(&mut session, "May a provider see the data?", "\r");
    answer(&mut session, "How much will it be used?", "q");
    session.exp_string("freehold advise --privacy sensitive").expect("how to go on");
    session.exp_eof().expect("ended");
    assert!(matches!(session.process().wait(), Ok(WaitStatus::Exited(_, 130))));
}
