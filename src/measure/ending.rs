//! Where an answer ends, and whether it is complete: one state machine for every wire format.
//!
//! A finish reason alone is no end. Some servers send one with every chunk, some send text after it;
//! what ends an answer is the wire's terminator, or the end of the stream.
//!
//! ```text
//!             content                    reason                      terminator
//! unfinished ─────────► unfinished ─────────────► reason stands ───────────────► over
//!                            ▲                         │ content: the reason is withdrawn
//!                            └─────────────────────────┘
//! ```
//!
//! | at the end of the stream | terminator | complete | closed | broken |
//! |---|---|---|---|---|
//! | a reason stands, none was withdrawn | whole | whole | whole | whole |
//! | a reason stands, one was withdrawn | whole | whole | whole if confirmed | cut |
//! | a reason was withdrawn, none stands | whole | cut | cut | cut |
//! | there was no reason | cut | cut | cut | cut |
//!
//! *Complete* means that the transport itself said so (a last chunk, a length that was reached, the end of
//! an HTTP/2 stream); *closed* is an orderly end of the connection, which does not say how much was to
//! come; *broken* is everything else. A reason is *confirmed* where a frame without content after the last
//! content repeats it or has the token counts, or where the wire format has no terminator that could be
//! missing.

use super::event::{Event, Fault, FaultKind, FinishReason};

/// How a stream ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamEnd {
    /// The transport says that nothing is missing.
    Complete,
    /// The connection was closed in order.
    Closed,
    /// Reset, silent for too long, or cut within what was announced.
    Broken,
}

/// What is known of the end of one answer.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ending {
    /// The finish reason that stands.
    reason: Option<FinishReason>,
    /// The last reason that was withdrawn, since content came after it.
    withdrawn: Option<FinishReason>,
    confirmed: bool,
    over: bool,
    /// The wire has no terminator: the end of the stream is all that can come.
    without_terminator: bool,
}

impl Ending {
    /// A new answer, in a wire format with or without a terminator.
    pub fn new(has_terminator: bool) -> Self {
        Self { without_terminator: !has_terminator, ..Self::default() }
    }

    /// Takes in all events of one frame, in their order.
    pub fn frame(&mut self, events: &[Event]) {
        let mut content = false;
        let mut counted = false;
        let mut stated = false;
        for event in events {
            match event {
                Event::Content { text, .. } if !text.is_empty() => {
                    content = true;
                    self.withdrawn = self.reason.take().or(self.withdrawn);
                    self.confirmed = false;
                }
                Event::Finished { reason } => {
                    stated = true;
                    self.state(*reason);
                }
                Event::Usage(_) => counted = true,
                Event::End => self.over = true,
                _ => {}
            }
        }
        self.confirmed |= !content && self.reason.is_some() && (counted || stated);
    }

    /// States a reason. Of two without content between them the one that says more than "stop" counts: some
    /// servers repeat a reason beside the usage, and not always the same.
    fn state(&mut self, reason: FinishReason) {
        let says_more = |r: FinishReason| !matches!(r, FinishReason::Stop | FinishReason::Other);
        match self.reason {
            Some(standing) if says_more(standing) || !says_more(reason) => {}
            _ => self.reason = Some(reason),
        }
    }

    /// Did the terminator come, so that nothing more is to be read?
    pub const fn is_over(&self) -> bool {
        self.over
    }

    /// Is there a finish reason that was not withdrawn?
    pub const fn reason_stands(&self) -> bool {
        self.reason.is_some()
    }

    /// Why the answer ended, where it is whole; `None` where it was cut.
    pub fn whole(&self, end: StreamEnd) -> Option<FinishReason> {
        if self.over {
            return self.reason.or(self.withdrawn);
        }
        let reason = self.reason?;
        let trusted = match end {
            _ if self.withdrawn.is_none() => true,
            StreamEnd::Complete => true,
            StreamEnd::Closed => self.confirmed || self.without_terminator,
            StreamEnd::Broken => false,
        };
        trusted.then_some(reason)
    }
}

/// The failure of an answer that ended for this reason without any content. `None`: a call without
/// arguments and a refusal are answers, too.
pub fn without_content(reason: FinishReason) -> Option<Fault> {
    let message = match reason {
        FinishReason::ToolCalls | FinishReason::ContentFilter => return None,
        FinishReason::Length => {
            "the answer reached its limit of tokens before any text was sent (a model may reason without \
             sending it): raise --max-output-tokens"
        }
        FinishReason::Stop | FinishReason::Other => "the answer was ended without any text in it",
    };
    Some(Fault { kind: FaultKind::Empty, message: message.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::event::{Channel, Usage};
    use proptest::prelude::*;

    fn text() -> Event {
        Event::Content { channel: Channel::Text, text: "x".into(), tokens: None }
    }
    fn stop() -> Event {
        Event::Finished { reason: FinishReason::Stop }
    }
    fn length() -> Event {
        Event::Finished { reason: FinishReason::Length }
    }
    fn after(frames: &[&[Event]]) -> Ending {
        let mut ending = Ending::new(true);
        for frame in frames {
            ending.frame(frame);
        }
        ending
    }
    /// Whole at the terminator, complete, closed, broken.
    fn row(frames: &[&[Event]]) -> [bool; 4] {
        let ending = after(frames);
        let mut over = ending;
        over.frame(&[Event::End]);
        [
            over.whole(StreamEnd::Broken).is_some(),
            ending.whole(StreamEnd::Complete).is_some(),
            ending.whole(StreamEnd::Closed).is_some(),
            ending.whole(StreamEnd::Broken).is_some(),
        ]
    }

    #[test]
    fn the_table_holds() {
        assert_eq!(row(&[&[text()], &[stop()]]), [true, true, true, true]);
        assert_eq!(row(&[&[text(), stop()], &[text(), stop()]]), [true, true, false, false]);
        assert_eq!(row(&[&[text(), stop()], &[text()], &[stop()]]), [true, true, true, false]);
        let usage = Event::Usage(Usage::default());
        assert_eq!(row(&[&[text(), stop()], &[text(), stop()], &[usage]]), [true, true, true, false]);
        assert_eq!(row(&[&[text(), stop()], &[text()]]), [true, false, false, false]);
        assert_eq!(row(&[&[text()]]), [false; 4]);
    }

    #[test]
    fn a_wire_without_a_terminator_is_whole_at_an_orderly_end() {
        let mut ending = Ending::new(false);
        for _ in 0..3 {
            ending.frame(&[text(), stop()]);
        }
        assert_eq!(ending.whole(StreamEnd::Closed), Some(FinishReason::Stop));
        assert_eq!(ending.whole(StreamEnd::Broken), None);
    }

    #[test]
    fn the_last_reason_is_the_true_one_and_a_bare_stop_takes_nothing_back() {
        let reason = |frames: &[&[Event]]| after(frames).whole(StreamEnd::Complete);
        assert_eq!(reason(&[&[text(), stop()], &[text(), length()]]), Some(FinishReason::Length));
        assert_eq!(reason(&[&[text(), stop()], &[length()]]), Some(FinishReason::Length));
        assert_eq!(reason(&[&[text()], &[length()], &[stop()]]), Some(FinishReason::Length));
    }

    fn event() -> impl Strategy<Value = Event> {
        prop_oneof![
            Just(text()),
            Just(stop()),
            Just(length()),
            Just(Event::Usage(Usage::default())),
            Just(Event::Unknown),
        ]
    }

    proptest! {
        /// A better end of the stream never makes a whole answer a cut one, and content after everything is
        /// only whole at a terminator.
        #[test]
        fn what_is_whole_broken_is_whole_closed_and_complete(
            frames in proptest::collection::vec(proptest::collection::vec(event(), 1..4), 0..6),
        ) {
            let frames: Vec<&[Event]> = frames.iter().map(Vec::as_slice).collect();
            let row = row(&frames);
            prop_assert!(row.is_sorted_by(|a, b| a >= b), "{:?}", row);
            let mut more = frames.clone();
            let last = [text()];
            more.push(&last);
            let cut = self::row(&more);
            prop_assert_eq!(&cut[1..], &[false; 3]);
        }
    }
}
