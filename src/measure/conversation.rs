//! The requests that a prompt is made of: one, or one for each turn of a conversation.
//!
//! A *live* turn of a conversation is answered by the model itself; what follows is sent with that answer
//! in its history. Recorded turns are sent as they stand.

use super::schedule::{Place, Step};
use crate::prompts::Prompt;
use crate::prompts::conversation::{Conversation, Message, Role, Tool, ToolCall};
use std::collections::BTreeMap;
use std::time::Duration;

/// What a model answered on an earlier turn.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answered {
    pub text: String,
    pub tool_calls: Vec<ToolCall>,
}

/// How many requests one pass of a prompt is: the turns of its conversation, or one.
pub fn turns(prompt: &Prompt) -> u32 {
    prompt.conversation.as_ref().map_or(1, |talk| u32::try_from(talk.calls().len()).unwrap_or(u32::MAX))
}

/// How long the speaker of a turn takes before it, counted from the end of the answer before.
pub fn pause(prompt: &Prompt, turn: u32) -> Duration {
    let calls = prompt.conversation.as_ref().map(Conversation::calls).unwrap_or_default();
    // Before the first turn there is no wait.
    let call = calls.get(turn as usize).filter(|_| turn > 0);
    Duration::from_millis(call.map_or(0, |call| call.think_ms))
}

/// The tools that a prompt offers.
pub fn tools(prompt: &Prompt) -> &[Tool] {
    prompt.conversation.as_ref().map_or(&[], |talk| &talk.tools)
}

/// The messages of a turn; `said` has the answers to the turns before it.
///
/// The result of a tool belongs to the call that asked for it. Which calls a live answer makes is not known
/// beforehand: its n-th result goes to its n-th call, and where it made no such call, the result is sent as
/// the user's words.
pub fn messages(prompt: &Prompt, turn: u32, said: &[Answered]) -> Vec<Message> {
    let Some(talk) = &prompt.conversation else {
        let system = prompt.system.iter().map(|text| Message::text(Role::System, text.clone()));
        return system.chain([Message::text(Role::User, prompt.prompt.clone())]).collect();
    };
    let upto = talk.calls().get(turn as usize).map_or(talk.messages.len(), |call| call.upto);
    let mut answers = said.iter();
    // The calls of the last live answer, and how many of them have their result.
    let mut live: Option<(&[ToolCall], usize)> = None;
    let mut out = Vec::with_capacity(upto);
    for message in &talk.messages[..upto] {
        let mut sent = Message { think_ms: None, ..message.clone() };
        if message.is_live() {
            let answer = answers.next();
            let calls = answer.map_or(&[][..], |answer| &answer.tool_calls);
            live = Some((calls, 0));
            sent.content = answer.map(|answer| answer.text.clone()).filter(|text| !text.is_empty());
            sent.tool_calls = calls.to_vec();
        } else if message.role == Role::Assistant {
            live = None;
        } else if let (Role::Tool, Some((calls, answered))) = (message.role, &mut live) {
            match calls.get(*answered) {
                Some(call) => sent.tool_call_id = Some(call.id.clone()),
                None => sent = Message::text(Role::User, message.content.clone().unwrap_or_default()),
            }
            *answered += 1;
        }
        out.push(sent);
    }
    out
}

/// Moves the system message to the beginning of the user's first one.
pub fn system_as_user(prompt: &mut Prompt) {
    let joined = |system: &str, text: &str| format!("{system}\n\n{text}");
    let Some(talk) = &mut prompt.conversation else {
        if let Some(system) = prompt.system.take() {
            prompt.prompt = joined(&system, &prompt.prompt);
        }
        return;
    };
    let (system, mut rest): (Vec<Message>, Vec<Message>) =
        talk.messages.drain(..).partition(|m| m.role == Role::System);
    let words: Vec<String> = system.into_iter().filter_map(|m| m.content).collect();
    let first = rest.iter_mut().find(|m| m.role == Role::User);
    if let Some(text) = first.filter(|_| !words.is_empty()).and_then(|m| m.content.as_mut()) {
        *text = joined(&words.join("\n\n"), text);
    }
    talk.messages = rest;
    prompt.system = None;
}

/// The most that is sent on a turn: bytes that are known, and the number of live answers before it.
pub fn size(prompt: &Prompt, turn: u32) -> (usize, u32) {
    let Some(talk) = &prompt.conversation else {
        return (prompt.prompt.len() + prompt.system.as_ref().map_or(0, String::len), 0);
    };
    let upto = talk.calls().get(turn as usize).map_or(talk.messages.len(), |call| call.upto);
    let of_message = |m: &Message| {
        let calls: usize = m.tool_calls.iter().map(|c| c.name.len() + c.arguments.len() + c.id.len()).sum();
        m.content.as_ref().map_or(0, String::len) + calls
    };
    let of_tool = |t: &Tool| {
        let parameters = t.parameters.as_ref().map_or(0, |p| p.to_string().len());
        t.name.len() + t.description.as_ref().map_or(0, String::len) + parameters
    };
    let bytes = talk.messages[..upto].iter().map(of_message).sum::<usize>()
        + talk.tools.iter().map(of_tool).sum::<usize>();
    let live = talk.messages[..upto].iter().filter(|m| m.is_live()).count();
    (bytes, u32::try_from(live).unwrap_or(u32::MAX))
}

/// Identifies one pass of a prompt on one target: target, prompt, repeat, warm-up, place in the load phase.
type Pass = (usize, usize, u32, bool, Option<Place>);

fn pass(step: &Step) -> Pass {
    (step.target, step.prompt, step.repeat, step.warmup, step.load)
}

/// The answers so far of conversations that are under way.
#[derive(Debug, Clone, Default)]
pub struct Histories(BTreeMap<Pass, Vec<Answered>>);

impl Histories {
    /// The answers to the turns before a step. `None`: one of them is missing, so the step cannot be sent.
    pub fn before(&self, step: &Step) -> Option<&[Answered]> {
        let said = self.0.get(&pass(step)).map_or(&[][..], Vec::as_slice);
        said.get(..step.turn as usize)
    }

    /// Keeps an answer that a later one of `turns` turns needs. An answer without text and without a call
    /// leaves nothing to continue from.
    pub fn note(&mut self, step: &Step, turns: u32, answer: Option<Answered>) {
        if turns <= 1 {
            return;
        }
        if step.turn + 1 >= turns {
            self.0.remove(&pass(step));
            return;
        }
        let Some(answer) = answer.filter(|a| !a.text.is_empty() || !a.tool_calls.is_empty()) else { return };
        let said = self.0.entry(pass(step)).or_default();
        if said.len() == step.turn as usize {
            said.push(answer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prompts::Conversation;

    fn live() -> Message {
        Message { content: None, ..Message::text(Role::Assistant, "") }
    }
    fn tool_result(text: &str) -> Message {
        Message { tool_call_id: Some("?".to_owned()), ..Message::text(Role::Tool, text) }
    }
    fn prompt(messages: Vec<Message>) -> Prompt {
        let conversation = Conversation { messages, tools: Vec::new() };
        assert_eq!(conversation.check(), Ok(()));
        Prompt { conversation: Some(conversation), ..Prompt::default() }
    }
    fn said(text: &str) -> Answered {
        Answered { text: text.to_owned(), tool_calls: Vec::new() }
    }

    #[test]
    fn a_turn_is_sent_with_the_models_own_answers() {
        let user = |text: &str| Message::text(Role::User, text);
        let pause_of = |ms| Message { think_ms: Some(ms), ..user("c") };
        let prompt = prompt(vec![
            user("a"),
            live(),
            user("b"),
            Message::text(Role::Assistant, "recorded"),
            pause_of(70),
            live(),
            user("d"),
        ]);
        assert_eq!(turns(&prompt), 3);
        assert_eq!([0, 1, 2].map(|turn| pause(&prompt, turn).as_millis()), [0, 70, 0]);
        let texts = |turn, said: &[Answered]| -> Vec<String> {
            messages(&prompt, turn, said).into_iter().map(|m| m.content.unwrap_or_default()).collect()
        };
        assert_eq!(texts(0, &[]), ["a"]);
        assert_eq!(texts(1, &[said("A")]), ["a", "A", "b", "recorded", "c"]);
        assert_eq!(texts(2, &[said("A"), said("C")]), ["a", "A", "b", "recorded", "c", "C", "d"]);
        assert!(
            messages(&prompt, 1, &[said("A")]).iter().all(|m| m.think_ms.is_none()),
            "nobody is sent a pause"
        );
        assert_eq!(size(&prompt, 2), (12, 2));
    }

    #[test]
    fn a_tools_result_goes_to_the_call_that_asked_for_it() {
        let prompt =
            prompt(vec![Message::text(Role::User, "a"), live(), tool_result("42"), tool_result("43")]);
        let call =
            |id: &str| ToolCall { id: id.to_owned(), name: "f".to_owned(), arguments: "{}".to_owned() };
        let calling = Answered { text: String::new(), tool_calls: vec![call("x"), call("y")] };
        let sent = messages(&prompt, 1, &[calling]);
        assert_eq!(sent[1].tool_calls.len(), 2);
        assert_eq!(sent[1].content, None);
        let ids: Vec<_> = sent[2..].iter().map(|m| m.tool_call_id.clone()).collect();
        assert_eq!(ids, [Some("x".to_owned()), Some("y".to_owned())]);
        let silent = messages(&prompt, 1, &[said("I know it.")]);
        assert_eq!(silent[2], Message::text(Role::User, "42"), "no call asked for it");
    }
}
