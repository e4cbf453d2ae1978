//! The wizard: the five questions and their follow-ups. It asks only what is not answered yet, and
//! follow-ups only where they can change the verdict. Every answer can be taken back.

use crate::cli::ask::{Ask, AskError};
use crate::number;
use crate::provenance::{Source, UserInput};
use crate::workload::given::{Given, Range, Value, value_from_text};
use crate::workload::keys::{Key, Kind, answers, need};
use crate::workload::need::Question;
use crate::workload::{Answer as _, Budget, Capability, Modifier, NeedDraft, Operations, Privacy, Use};

/// One question of the wizard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Main(Question),
    Reason,
    Use,
    HowMany,
    People,
    PerPerson,
    Requests,
    Input,
    Output,
    UpFront,
    Have,
    Circumstances,
    SimpleShare,
}

/// The questions in the order in which they are asked.
const STEPS: [Step; 17] = [
    Step::Main(Question::Privacy),
    Step::Reason,
    Step::Main(Question::Volume),
    Step::Use,
    Step::HowMany,
    Step::People,
    Step::PerPerson,
    Step::Requests,
    Step::Input,
    Step::Output,
    Step::Main(Question::Capability),
    Step::Main(Question::Operations),
    Step::Main(Question::Budget),
    Step::UpFront,
    Step::Have,
    Step::Circumstances,
    Step::SimpleShare,
];

/// How the person gives the number of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counting {
    PerMonth,
    ByPeople,
    Unknown,
}

/// The state of the wizard.
#[derive(Debug, Clone)]
struct State {
    draft: NeedDraft,
    counting: Option<Counting>,
    done: Vec<Step>,
    /// Answers that were taken back: they are offered again.
    before: NeedDraft,
}

/// Checks that the catalogue knows some hardware; the error says what is wrong.
pub(super) type HardwareCheck<'a> = &'a dyn Fn(&str) -> Result<(), String>;

/// Asks for everything that is missing. `again` makes the command line of a draft, to print if the person
/// interrupts.
pub(super) fn run(
    ask: &mut dyn Ask,
    draft: NeedDraft,
    again: &dyn Fn(&NeedDraft) -> String,
    known: HardwareCheck<'_>,
) -> Result<NeedDraft, AskError> {
    // Questions that were answered by flags or files are neither asked nor counted.
    let main = draft.missing();
    let mut before: Vec<State> = Vec::new();
    let mut state = State { draft, counting: None, done: Vec::new(), before: NeedDraft::default() };
    while let Some(step) = STEPS.into_iter().find(|s| !state.done.contains(s) && wanted(*s, &state, &main)) {
        remember(ask, &state.draft, again);
        let mut next = state.clone();
        match ask_step(ask, step, &mut next, known) {
            Ok(()) => {
                next.done.push(step);
                before.push(std::mem::replace(&mut state, next));
            }
            Err(AskError::Back) => {
                if let Some(earlier) = before.pop() {
                    let taken_back = std::mem::take(&mut state.draft).or(std::mem::take(&mut state.before));
                    state = State { before: taken_back, ..earlier };
                }
            }
            Err(error) => return Err(error),
        }
    }
    remember(ask, &state.draft, again);
    Ok(state.draft)
}

/// Can this question still change the verdict?
fn wanted(step: Step, state: &State, main: &[Question]) -> bool {
    let draft = &state.draft;
    let strict = draft.answer(answers::PRIVACY) == Some(Privacy::Strict);
    let people = draft.answer(answers::OPERATIONS) == Some(Operations::Available) || strict;
    let asked = |question: Question| main.contains(&question);
    let counted = draft.has(need::REQUESTS_PER_MONTH) || draft.has(need::TOKENS_PER_MONTH);
    match step {
        Step::Main(question) => asked(question),
        Step::Reason => asked(Question::Privacy) && strict && !draft.has(answers::PRIVACY_REASON),
        Step::Use => asked(Question::Volume) && !draft.has(need::USE),
        Step::HowMany => asked(Question::Volume) && !counted,
        Step::People => state.counting == Some(Counting::ByPeople) && !draft.has(answers::PEOPLE),
        Step::PerPerson => state.counting == Some(Counting::ByPeople) && !counted,
        Step::Requests => state.counting == Some(Counting::PerMonth) && !counted,
        Step::Input => {
            draft.has(need::REQUESTS_PER_MONTH) && asked(Question::Volume) && !draft.has(need::INPUT_TOKENS)
        }
        Step::Output => {
            draft.has(need::REQUESTS_PER_MONTH) && asked(Question::Volume) && !draft.has(need::OUTPUT_TOKENS)
        }
        Step::UpFront => {
            asked(Question::Budget)
                && draft.answer(answers::BUDGET) == Some(Budget::Capex)
                && people
                && !draft.has(answers::UP_FRONT)
        }
        Step::Have => asked(Question::Operations) && people && !draft.has(answers::HAVE),
        Step::Circumstances => !main.is_empty() && draft.modifiers().is_empty(),
        Step::SimpleShare => {
            let split = draft.answer(answers::CAPABILITY) == Some(Capability::Maximum)
                || draft.modifiers().contains(Modifier::MixedComplexity)
                || draft.modifiers().contains(Modifier::CostOptimization);
            !main.is_empty() && split && people && !strict && !draft.has(answers::SIMPLE_SHARE)
        }
    }
}

/// Asks one question.
fn ask_step(
    ask: &mut dyn Ask,
    step: Step,
    state: &mut State,
    known: HardwareCheck<'_>,
) -> Result<(), AskError> {
    let before = state.before.clone();
    let draft = &mut state.draft;
    match step {
        Step::Main(question) => {
            let (text, default) = wording(question);
            choose(ask, draft, &before, question.answers(), text, default)
        }
        Step::Reason => reason(ask, draft, &before),
        Step::Use => {
            let text = "What are the requests for?\nIt decides how fast an answer must be. A support desk is chat; sorting texts at night is batch.";
            choose(ask, draft, &before, need::USE, text, 0)
        }
        Step::HowMany => {
            let text = "How can you say how many requests there are?\nLogs or bills know it best: quit, and begin with `--usage FILE`. Without a number nothing is priced.";
            let lines = [
                "requests: I know about how many a month",
                "people: I know how many people ask, and how often",
                "unknown: I cannot say yet",
            ]
            .map(str::to_owned);
            let chosen = ask.choose(text, &lines, 0)?;
            state.counting = [Counting::PerMonth, Counting::ByPeople, Counting::Unknown].get(chosen).copied();
            Ok(())
        }
        Step::People => {
            let text = "How many people ask?\nFor example 40. With people, seats are priced too.";
            number(ask, draft, &before, answers::PEOPLE, text, "")
        }
        Step::PerPerson => per_person(ask, draft, &before),
        Step::Requests => {
            let text = "Requests in a month\nFor example 20k or 1.5M; your provider's bill has the number.";
            number(ask, draft, &before, need::REQUESTS_PER_MONTH, text, "")
        }
        Step::Input => {
            let text = "Input tokens of one request\nEverything that is sent: instructions, documents, history. A page of text is about 500.";
            typical(ask, draft, &before, need::INPUT_TOKENS, text)
        }
        Step::Output => {
            let text = "Output tokens of one request\nWhat comes back. A short paragraph is about 100.";
            typical(ask, draft, &before, need::OUTPUT_TOKENS, text)
        }
        Step::UpFront => {
            let text = "At most how many US dollars up front?\nFor example 20k. Enter: no limit.";
            number(ask, draft, &before, answers::UP_FRONT, text, "")
        }
        Step::Have => {
            let text = "Which accelerators are there already?\nFor example 4x nvidia-h100-sxm-80gb (`freehold db search h100`). Enter: none.";
            let key = answers::HAVE;
            let check = |typed: &str| if typed.trim().is_empty() { Ok(()) } else { known(typed.trim()) };
            let typed = ask.text(text, &offered(&before, key).unwrap_or_default(), &check)?;
            if !typed.is_empty() {
                draft.set(key, answered(key, Value::Text(typed)));
            }
            Ok(())
        }
        Step::Circumstances => circumstances(ask, draft),
        Step::SimpleShare => {
            let text = "Which share of the requests is simple enough for a weaker model?\nFor example 30 %. Enter: not known; half is assumed.";
            number(ask, draft, &before, answers::SIMPLE_SHARE, text, "")
        }
    }
}

/// The question with one line of help, and the index of the answer that is marked first: never the risky
/// one.
const fn wording(question: Question) -> (&'static str, usize) {
    match question {
        Question::Privacy => (
            "1/5 May a provider see the data?\nHealth records and case files often may not leave; a newsletter may.",
            1,
        ),
        Question::Volume => (
            "2/5 How much will it be used?\nA few hundred requests a day are low; the same millions every month are high.",
            0,
        ),
        Question::Capability => (
            "3/5 How strong must the model be?\nSorting and extracting are basic, summaries and code moderate, hard reasoning maximum.",
            1,
        ),
        Question::Operations => (
            "4/5 Who would run servers?\nSomebody who updates and restarts them, also when the usual person is away.",
            0,
        ),
        Question::Budget => (
            "5/5 How is it paid?\nBuying needs money up front; an API and rented machines are paid as one goes.",
            0,
        ),
    }
}

/// What to do after the verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Then {
    End,
    Details,
    Save(String),
}

/// Asks what to do after the verdict.
pub(super) fn then(ask: &mut dyn Ask) -> Result<Then, AskError> {
    let lines =
        ["end: that is all", "details: reasons, sources, recipes", "save: keep these answers as a profile"]
            .map(str::to_owned);
    match ask.choose("What next?", &lines, 0) {
        Ok(0) | Err(AskError::Back | AskError::Quit(_)) => return Ok(Then::End),
        Ok(1) => return Ok(Then::Details),
        Ok(_) => {}
        Err(error) => return Err(error),
    }
    let name = ask.text("Name, or a file ending in .toml", "my-need", &|name| {
        let name = name.trim();
        if name.is_empty() || name.contains('\0') { Err("a name is needed".to_owned()) } else { Ok(()) }
    });
    match name {
        Ok(name) => Ok(Then::Save(name.trim().to_owned())),
        Err(AskError::Back) => then(ask),
        Err(error) => Err(error),
    }
}

fn remember(ask: &mut dyn Ask, draft: &NeedDraft, again: &dyn Fn(&NeedDraft) -> String) {
    let text =
        if draft.is_empty() { String::new() } else { format!("Go on from here with:\n  {}", again(draft)) };
    ask.remember(&text);
}

fn answered(key: &Key, value: Value) -> Given {
    Given { value, source: Source::User(UserInput::question(key.name)) }
}

fn choose(
    ask: &mut dyn Ask,
    draft: &mut NeedDraft,
    before: &NeedDraft,
    key: &'static Key,
    question: &str,
    default: usize,
) -> Result<(), AskError> {
    let Kind::Choice(words) = key.kind else { return Ok(()) };
    let lines: Vec<String> = words.iter().map(|w| format!("{}: {}", w.word, w.means)).collect();
    let earlier = offered(before, key).and_then(|word| words.iter().position(|w| w.word == word));
    let chosen = ask.choose(question, &lines, earlier.unwrap_or(default))?;
    if let Some(word) = words.get(chosen) {
        draft.set(key, answered(key, Value::Text(word.word.to_owned())));
    }
    Ok(())
}

/// An answer that was taken back, as one would type it.
fn offered(before: &NeedDraft, key: &'static Key) -> Option<String> {
    Some(before.fields().get(key.name)?.value.to_flag())
}

fn reason(ask: &mut dyn Ask, draft: &mut NeedDraft, before: &NeedDraft) -> Result<(), AskError> {
    let key = answers::PRIVACY_REASON;
    let Kind::Choice(words) = key.kind else { return Ok(()) };
    let laws: Vec<_> = words.iter().filter(|w| w.word != "none").collect();
    let mut lines = vec!["our own policy: no law or contract asks for it".to_owned()];
    lines.extend(laws.iter().map(|w| format!("{}: {}", w.word, w.means)));
    let text =
        "Who requires it?\nA law or a contract is firm; an own policy can be weighed against its price.";
    let earlier = offered(before, key).and_then(|word| laws.iter().position(|w| w.word == word));
    let chosen = ask.choose(text, &lines, earlier.map_or(0, |n| n + 1))?;
    if let Some(word) = chosen.checked_sub(1).and_then(|n| laws.get(n)) {
        draft.set(key, answered(key, Value::Text(word.word.to_owned())));
    }
    Ok(())
}

/// Asks for a number; an empty line without a default leaves it out.
fn number(
    ask: &mut dyn Ask,
    draft: &mut NeedDraft,
    before: &NeedDraft,
    key: &'static Key,
    question: &str,
    default: &str,
) -> Result<(), AskError> {
    let how = || UserInput::question(key.name);
    let read = |text: &str| {
        let shown = format!("{} {}: ", how(), text.trim());
        value_from_text(key, how(), text.trim())
            .map_err(|e| e.to_string().trim_start_matches(&shown).to_owned())
    };
    let earlier = offered(before, key);
    let text = ask.text(question, earlier.as_deref().unwrap_or(default), &|text| {
        if text.trim().is_empty() { Ok(()) } else { read(text).map(drop) }
    })?;
    if let Ok(given) = read(&text) {
        draft.set(key, given);
    }
    Ok(())
}

/// Working days in a month.
const WORKING_DAYS: f64 = 21.0;

/// Asks for the number of people and how often each sends a request, which gives the requests.
fn per_person(ask: &mut dyn Ask, draft: &mut NeedDraft, before: &NeedDraft) -> Result<(), AskError> {
    let people = draft.number(answers::PEOPLE).unwrap_or(1.0);
    let key = need::REQUESTS_PER_MONTH;
    let read = |text: &str| {
        crate::workload::given::number_of(text, Kind::Positive)
            .filter(|n| *n > 0.0)
            .ok_or_else(|| "how many times, as a number: 20".to_owned())
    };
    let text = "How often does one of them ask on a working day?\nFor example 20. A month is counted with 21 working days.";
    let earlier =
        before.number(key).map(|requests| number::plain((requests / people / WORKING_DAYS).round()));
    let typed = ask.text(text, earlier.as_deref().unwrap_or("20"), &|text| read(text).map(drop))?;
    if let Ok(times) = read(&typed) {
        draft.set(key, answered(key, Value::Number(Range::exactly((people * times * WORKING_DAYS).round()))));
    }
    Ok(())
}

/// Asks for tokens of a request, with the usual number for this use as the default.
fn typical(
    ask: &mut dyn Ask,
    draft: &mut NeedDraft,
    before: &NeedDraft,
    key: &'static Key,
    question: &str,
) -> Result<(), AskError> {
    let purpose = draft.answer::<Use>(need::USE).unwrap_or(Use::Chat);
    let (input, output) = match purpose {
        Use::Chat => (1_000, 250),
        Use::Code => (2_000, 100),
        Use::Rag => (4_000, 400),
        Use::Documents => (8_000, 800),
        Use::Agent => (20_000, 500),
        Use::Batch => (1_000, 150),
    };
    let usual = if key == need::INPUT_TOKENS { input } else { output };
    let shown = number::plain(f64::from(usual));
    number(ask, draft, before, key, question, &shown)?;
    // A default that is accepted is an assumption, not the user's number.
    if draft.number(key).is_some_and(|n| (n - f64::from(usual)).abs() < 0.5) {
        let reason = format!("usual for {}, as the question offered it", purpose.key());
        draft.set(
            key,
            Given::chosen(Value::Number(Range::exactly(f64::from(usual))), "usual-request", reason),
        );
    }
    Ok(())
}

fn circumstances(ask: &mut dyn Ask, draft: &mut NeedDraft) -> Result<(), AskError> {
    let lines: Vec<String> = Modifier::WORDS.iter().map(|w| format!("{}: {}", w.word, w.means)).collect();
    let chosen =
        ask.choose_many("Does any of these apply?\nMark those that do; most needs have none.", &lines)?;
    for word in chosen.into_iter().filter_map(|n| Modifier::WORDS.get(n)) {
        let name = format!("{}{}", answers::MODIFIER, word.word);
        if let Some(key) = crate::workload::keys::find(answers::KEYS, &name) {
            draft.set(key, answered(key, Value::Flag(true)));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::ask::{Answer, Script};
    use crate::workload::Volume;

    fn asked(answers: &[Answer]) -> (Result<NeedDraft, AskError>, Vec<String>) {
        let mut script = Script::new(answers.iter().cloned());
        let draft = run(&mut script, NeedDraft::default(), &|_| "again".to_owned(), &|_| Ok(()));
        (draft, script.asked)
    }

    const SHORT: [Answer; 8] = [
        Answer::Item("standard"),
        Answer::Item("low"),
        Answer::Item("batch"),
        Answer::Item("unknown"),
        Answer::Item("moderate"),
        Answer::Item("limited"),
        Answer::Item("opex"),
        Answer::Items(&[]),
    ];

    #[test]
    fn only_what_can_change_the_answer_is_asked() {
        let (draft, asked) = asked(&SHORT);
        let draft = draft.expect("answered");
        assert!(draft.missing().is_empty());
        assert_eq!(asked.len(), SHORT.len(), "{asked:?}");
        assert_eq!(draft.answer(answers::VOLUME), Some(Volume::Low));
    }

    #[test]
    fn every_answer_can_be_taken_back() {
        for back in 1..SHORT.len() {
            let mut answers: Vec<Answer> = SHORT[..back].to_vec();
            answers.push(Answer::Back);
            answers.extend_from_slice(&SHORT[back - 1..]);
            let (draft, asked) = asked(&answers);
            assert!(draft.expect("answered").missing().is_empty());
            assert_eq!(asked[back - 1], asked[back + 1], "{asked:?}");
        }
        // From the first there is nothing to go back to: it is asked again.
        let mut answers = vec![Answer::Back];
        answers.extend_from_slice(&SHORT);
        assert!(super::tests::asked(&answers).0.is_ok());
    }

    #[test]
    fn what_was_taken_back_is_offered_again() {
        let (draft, _) = asked(&[
            Answer::Item("standard"),
            Answer::Item("high"),
            Answer::Item("chat"),
            Answer::Item("requests"),
            Answer::Text("20k"),
            Answer::Text("1.5k"),
            Answer::Back,
            Answer::Text(""),
            Answer::Text(""),
            Answer::Item("moderate"),
            Answer::Item("limited"),
            Answer::Item("opex"),
            Answer::Items(&[]),
        ]);
        let draft = draft.expect("answered");
        assert_eq!(draft.number(need::INPUT_TOKENS), Some(1_500.0));
        assert_eq!(draft.source(need::INPUT_TOKENS).map(Source::word), Some("user"));
    }

    #[test]
    fn people_and_how_often_they_ask_make_the_requests() {
        let (draft, _) = asked(&[
            Answer::Item("standard"),
            Answer::Item("variable"),
            Answer::Item("chat"),
            Answer::Item("people"),
            Answer::Text("40"),
            Answer::Text(""),
            Answer::Text("1.5k"),
            Answer::Text(""),
            Answer::Item("moderate"),
            Answer::Item("available"),
            Answer::Item("capex"),
            Answer::Text("20k"),
            Answer::Text(""),
            Answer::Items(&[]),
        ]);
        let draft = draft.expect("answered");
        assert_eq!(draft.number(need::REQUESTS_PER_MONTH), Some(16_800.0));
        assert_eq!(draft.number(need::INPUT_TOKENS), Some(1_500.0));
        assert_eq!(draft.number(need::OUTPUT_TOKENS), Some(250.0));
        assert_eq!(draft.source(need::OUTPUT_TOKENS).map(Source::word), Some("assumed"));
        assert_eq!(draft.number(answers::UP_FRONT), Some(20_000.0));
    }

    #[test]
    fn a_mandate_is_asked_for_only_where_the_data_stays() {
        let (draft, asked) = asked(&[Answer::Item("strict"), Answer::Item("hipaa"), Answer::Item("low")]);
        assert!(matches!(draft, Err(AskError::Interrupted(_))));
        assert_eq!(asked[1], "Who requires it?");
    }
}
