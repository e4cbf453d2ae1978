//! The questions in a real terminal (a pseudo-terminal): to the end, and interrupted.

use crate::run::{Sandbox, answer, in_terminal};
use rexpect::process::WaitStatus;
use rexpect::session::PtySession;

const DOWN: &str = "\u{1b}[B";
const SHOW_CURSOR: &str = "\u{1b}[?25h";

fn wizard(sandbox: &Sandbox, columns: u16, args: &str) -> PtySession {
    in_terminal(sandbox, columns, &format!("advise {args}"))
}

#[test]
fn to_the_end_and_the_printed_command_says_the_same() {
    let sandbox = Sandbox::new();
    let mut session = wizard(&sandbox, 100, "-o wizard.json");
    answer(&mut session, "May a provider see the data?", &format!("{DOWN}\r"));
    answer(&mut session, "How much will it be used?", &format!("{DOWN}{DOWN}\r"));
    answer(&mut session, "Requests in a month", "100000\r");
    answer(&mut session, "Input tokens of one request", "1500\r");
    answer(&mut session, "Output tokens of one request", "300\r");
    answer(&mut session, "How strong must the model be?", "\r");
    answer(&mut session, "Who would run servers?", &format!("{DOWN}\r"));
    answer(&mut session, "How is it paid?", &format!("{DOWN}\r"));
    answer(&mut session, "What else holds?", &format!("{DOWN} \r"));
    session.exp_string("The same without questions:").expect("the command line");
    session.exp_string("freehold ").expect("the command line");
    let line = session.read_line().expect("the rest of the line");
    answer(&mut session, "Save these answers as a profile?", "y");
    answer(&mut session, "Name, or a file", "\r");
    session.exp_string("Use it with: freehold advise --profile my-need").expect("saved");
    session.exp_eof().expect("ended");
    assert!(matches!(session.process().wait(), Ok(WaitStatus::Exited(_, 0))));

    let asked: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(sandbox.path("wizard.json")).expect("written"))
            .expect("JSON");
    assert_eq!(asked["inputs"]["privacy"]["value"], "sensitive");
    assert_eq!(asked["inputs"]["privacy"]["source"]["via"], "question: privacy");
    assert_eq!(asked["result"]["rule"], "fine-tuning");
    let by_flags = sandbox.shell(&format!("freehold {} --json", line.trim())).json();
    let by_profile = sandbox.run(&["advise", "--profile", "my-need", "--json"]).json();
    assert_eq!(by_flags["result"], asked["result"]);
    assert_eq!(by_profile["result"], asked["result"]);
}

#[test]
fn ctrl_c_restores_the_cursor_and_loses_nothing() {
    let sandbox = Sandbox::new();
    let mut session = wizard(&sandbox, 40, "");
    answer(&mut session, "May a provider see the data?", &format!("{DOWN}{DOWN}\r"));
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
    answer(&mut session, "Save these answers as a profile?", "n");
    session.exp_eof().expect("ended");
    assert!(matches!(session.process().wait(), Ok(WaitStatus::Exited(_, 0))));
}
