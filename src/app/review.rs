//! `review`: decides a saved advice again with today's catalogue: what changed, what retires, and whether
//! it still holds.

use super::advise::{AdviceBasis, Asked, CostFile, advise};
use super::refusal::Refusal;
use crate::advise::Placement;
use crate::catalog::Catalog;
use crate::document::advice::{AdviceDocument, AdviceResult, OptionRow};
use crate::document::envelope::Input;
use crate::money::Currency;
use crate::provenance::UserInput;
use crate::render::Page;
use crate::render::view::{Block, Cell, Table, View};
use crate::workload::given::{Given, Value, value_from_text};
use crate::workload::keys::{Key, Kind, answers, need};
use crate::workload::{Evidence, NeedDraft};
use jiff::civil::Date;
use serde::Serialize;

/// A price that changed by less than this share is not listed.
const WORTH_SAYING: f64 = 0.005;
/// A model that retires within so many days is mentioned; one that is retired voids the advice.
const SOON_DAYS: i32 = 180;

/// What an advice was, and what it would be today.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Review {
    /// The day the advice was given for; if it does not say, when it was written (RFC 3339).
    pub written: String,
    /// The day it was looked at again, `YYYY-MM-DD`.
    pub reviewed: String,
    /// Does it still hold?
    pub holds: bool,
    /// Why it does not, one sentence each; empty where it holds.
    pub void_because: Vec<String>,
    /// What the reader should know even though it holds.
    pub notes: Vec<String>,
    /// The verdict then and now.
    pub then: Verdict,
    /// See [`Self::then`].
    pub now: Verdict,
    /// Options of either day.
    pub options: Vec<Moved>,
    /// Models of the chosen option that retire.
    pub retires: Vec<Retires>,
}

/// A verdict in short.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verdict {
    /// Where it runs.
    pub placement: Placement,
    /// Id of the chosen option; null where nothing was priced.
    pub chosen: Option<String>,
    /// Its name for people.
    pub name: Option<String>,
}

/// What an option costs, then and now, US dollars.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Moved {
    /// Id of the option.
    pub id: String,
    /// Its name for people: today's, or the earlier one where the option no longer exists.
    pub name: String,
    /// US dollars a month; null where the option did not exist or has no price.
    pub monthly_usd_then: Option<f64>,
    /// See [`Self::monthly_usd_then`].
    pub monthly_usd_now: Option<f64>,
    /// US dollars over the horizon.
    pub tco_usd_then: Option<f64>,
    /// See [`Self::tco_usd_then`].
    pub tco_usd_now: Option<f64>,
}

/// A model that is retired.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Retires {
    /// Its id in the catalogue.
    pub model: String,
    /// `YYYY-MM-DD`; null where it is no longer in the catalogue.
    pub date: Option<String>,
}

/// The measurements and costs that the advice rested on, given again.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rested<'a> {
    /// What was measured.
    pub evidence: Option<&'a Evidence>,
    /// What was computed.
    pub cost: Option<CostFile<'a>>,
    /// They may be of another need.
    pub allow_mismatch: bool,
}

/// Decides again. Refused where the document rests on files that were not given, or has answers that this
/// version does not read.
pub fn review(
    name: &str,
    then: &AdviceDocument,
    rested: Rested<'_>,
    known: &AdviceBasis<'_>,
) -> Result<Review, Refusal> {
    let rests_on: Vec<(&str, bool, String)> =
        [("evidence", rested.evidence.is_some()), ("cost", rested.cost.is_some())]
            .into_iter()
            .filter_map(|(input, given)| Some((input, given, then.inputs.get(input)?.shown())))
            .collect();
    if rests_on.iter().any(|(_, given, _)| !given) {
        let absent = rests_on.iter().filter(|(_, given, _)| !given);
        let files: Vec<&str> = absent.map(|(.., file)| file.as_str()).collect();
        let flags: Vec<String> =
            rests_on.iter().map(|(input, _, file)| format!("--{input} {}", plain(file))).collect();
        let flags = flags.join(" ");
        let files = files.join(" and ");
        return Err(Refusal::input(format!(
            "{name}: cannot be decided again without the files it rested on: {files}"
        ))
        .hint(format!("give them again, or newer ones: freehold review {} {flags}", plain(name))));
    }
    let draft = draft(name, then)?;
    let asked = Asked {
        draft: &draft,
        evidence: rested.evidence,
        cost: rested.cost,
        allow_mismatch: rested.allow_mismatch,
    };
    let now = advise(&asked, known)?;
    Ok(compare(then, &now.result, known.catalog, known.today))
}

/// The name of a file as a word of a command; `FILE` where it would have to be quoted.
fn plain(name: &str) -> &str {
    let word = |c: char| c.is_alphanumeric() || "._-/".contains(c);
    if name.chars().all(word) && !name.is_empty() { name } else { "FILE" }
}

/// The answers and numbers of a document, as its inputs have them.
fn draft(name: &str, then: &AdviceDocument) -> Result<NeedDraft, Refusal> {
    let mut draft = NeedDraft::default();
    for key in answers::KEYS.iter().chain(need::KEYS) {
        let Some(input) = then.inputs.get(&key.path()).filter(|i| !i.value.is_null()) else { continue };
        let value = value(key, input).ok_or_else(|| {
            Refusal::input(format!(
                "{name}: inputs.{} is {}, which this version does not read",
                key.path(),
                input.shown()
            ))
            .hint("make the advice again with `freehold advise --json`")
        })?;
        draft.set(key, Given { value, source: input.source.clone() });
    }
    Ok(draft.with_implied())
}

fn value(key: &'static Key, input: &Input) -> Option<Value> {
    let text = match (&input.value, key.kind) {
        (serde_json::Value::Bool(on), Kind::Flag) => return Some(Value::Flag(*on)),
        (serde_json::Value::Number(n), _) => n.to_string(),
        (serde_json::Value::String(text), _) => text.clone(),
        (serde_json::Value::Object(range), _) => {
            let part = |k: &str| range.get(k).and_then(serde_json::Value::as_f64);
            format!("{}:{}:{}", part("low")?, part("likely")?, part("high")?)
        }
        _ => return None,
    };
    let how = UserInput::Question { key: key.path() };
    value_from_text(key, how, &text).ok().map(|given| given.value)
}

fn chosen(of: &AdviceResult) -> Option<&OptionRow> {
    let id = of.chosen.as_deref()?;
    of.options.iter().find(|o| o.id == id)
}

fn verdict(of: &AdviceResult) -> Verdict {
    Verdict { placement: of.placement, chosen: of.chosen.clone(), name: chosen(of).map(|o| o.name.clone()) }
}

const fn word(placement: Placement) -> &'static str {
    match placement {
        Placement::Cloud => "a cloud API",
        Placement::Hybrid => "a split between own hardware and an API",
        Placement::Local => "your own hardware",
    }
}

fn compare(then: &AdviceDocument, now: &AdviceResult, catalog: &Catalog, today: Date) -> Review {
    let was = &then.result;
    let (mut void_because, mut notes, mut retires) = (Vec::new(), Vec::new(), Vec::new());
    if was.placement != now.placement {
        void_because.push(format!(
            "Today the verdict is {}; it was {}.",
            word(now.placement),
            word(was.placement)
        ));
    }
    let option = chosen(was);
    if let Some(option) = option {
        match now.options.iter().find(|o| o.id == option.id) {
            None if !now.options.is_empty() => {
                void_because.push(format!("{} can no longer be priced.", option.name));
            }
            Some(today) if option.excluded_because.is_none() => {
                if let Some(why) = &today.excluded_because {
                    void_because.push(format!("{} may no longer be taken: {why}.", option.name));
                }
            }
            _ => {}
        }
        if was.placement == now.placement && now.chosen.as_ref().is_some_and(|id| *id != option.id) {
            let better = chosen(now).map_or("another option", |o| o.name.as_str());
            notes.push(format!("{better} would be chosen today instead of {}.", option.name));
        }
    }
    let rented = was.placement != Placement::Local;
    let model =
        option.and_then(|o| o.api_model.clone()).or_else(|| was.models.api.as_ref().map(|m| m.id.clone()));
    if let Some(id) = model.filter(|_| rented) {
        match catalog.api_model(&id).map(|m| m.retires) {
            None => {
                void_because.push(format!("{id} is no longer in the catalogue."));
                retires.push(Retires { model: id, date: None });
            }
            Some(Some(day)) if day <= today => {
                void_because.push(format!("{id} was retired on {day}."));
                retires.push(Retires { model: id, date: Some(day.to_string()) });
            }
            Some(Some(day)) => {
                if (day - today).get_days() <= SOON_DAYS {
                    notes.push(format!("{id} retires on {day}."));
                }
                retires.push(Retires { model: id, date: Some(day.to_string()) });
            }
            Some(None) => {}
        }
    }
    let due = was.look_again.as_ref().and_then(|l| l.date.parse::<Date>().ok()).filter(|due| *due <= today);
    if let Some(due) = due {
        notes.push(format!(
            "The advice asked to be looked at again by {due}: make it anew, and keep the new one."
        ));
    }
    Review {
        written: then.inputs.get("today").and_then(|i| i.value.as_str()).unwrap_or(&then.created).to_owned(),
        reviewed: today.to_string(),
        holds: void_because.is_empty(),
        void_because,
        notes,
        then: verdict(was),
        now: verdict(now),
        options: moved(&was.options, &now.options),
        retires,
    }
}

fn moved(then: &[OptionRow], now: &[OptionRow]) -> Vec<Moved> {
    let was = |id: &str| then.iter().find(|o| o.id == id);
    let is = |id: &str| now.iter().find(|o| o.id == id);
    let gone = then.iter().filter(|o| is(&o.id).is_none());
    now.iter()
        .chain(gone)
        .map(|option| {
            let (was, is) = (was(&option.id), is(&option.id));
            Moved {
                id: option.id.clone(),
                name: option.name.clone(),
                monthly_usd_then: was.and_then(|o| o.monthly_usd),
                monthly_usd_now: is.and_then(|o| o.monthly_usd),
                tco_usd_then: was.and_then(|o| o.tco_usd),
                tco_usd_now: is.and_then(|o| o.tco_usd),
            }
        })
        .collect()
}

impl Page for Review {
    fn view(&self) -> View {
        let mut view = View::new("Review");
        view.paragraph(if self.holds {
            format!(
                "The advice of {} holds on {}: {}.",
                day(&self.written),
                self.reviewed,
                word(self.now.placement)
            )
        } else {
            format!("The advice of {} no longer holds on {}.", day(&self.written), self.reviewed)
        });
        for (heading, lines) in [("Why not", &self.void_because), ("Good to know", &self.notes)] {
            if !lines.is_empty() {
                view.heading(heading);
                view.push(Block::List(lines.clone()));
            }
        }
        let moved: Vec<&Moved> = self.options.iter().filter(|o| change(o) != NONE).collect();
        if moved.is_empty() && !self.options.is_empty() {
            view.paragraph(match self.options.len() {
                1 => "The one option costs what it cost then.".to_owned(),
                n => format!("All {n} options cost what they cost then."),
            });
        }
        if !moved.is_empty() {
            let mut table = Table::new(&["option", "#a month then", "#now", "change", "#total then", "#now"]);
            for option in &moved {
                table.row([
                    option.name.as_str().into(),
                    usd(option.monthly_usd_then),
                    usd(option.monthly_usd_now),
                    change(option).into(),
                    usd(option.tco_usd_then),
                    usd(option.tco_usd_now),
                ]);
            }
            view.heading("What moved");
            view.push(Block::Table(table));
            let others = match self.options.len() - moved.len() {
                0 => None,
                1 => Some("The other option costs what it cost then.".to_owned()),
                n => Some(format!("The other {n} options cost what they cost then.")),
            };
            if let Some(others) = others {
                view.paragraph(others);
            }
        }
        view
    }
    fn json(&self) -> Result<String, serde_json::Error> {
        crate::document::json::pretty(self)
    }
}

fn day(created: &str) -> &str {
    created.split('T').next().unwrap_or(created)
}

fn usd(amount: Option<f64>) -> Cell {
    amount.map_or(Cell::None, |a| Cell::Number(a, Currency::usd().show(a)))
}

/// What [`change`] says where nothing moved.
const NONE: &str = "none";

/// By how much the monthly cost changed; if it did not, the total.
fn change(option: &Moved) -> String {
    let share = |then: Option<f64>, now: Option<f64>| Some(now? / then.filter(|t| *t > 0.0)? - 1.0);
    match (option.monthly_usd_then, option.monthly_usd_now) {
        (None, Some(_)) => return "new".to_owned(),
        (Some(_), None) => return "gone".to_owned(),
        _ => {}
    }
    let month = share(option.monthly_usd_then, option.monthly_usd_now).filter(|s| s.abs() >= WORTH_SAYING);
    let total = share(option.tco_usd_then, option.tco_usd_now).filter(|s| s.abs() >= WORTH_SAYING);
    match (month, total) {
        (Some(s), _) => format!("{:+.0} %", s * 100.0),
        (None, Some(s)) => format!("total {:+.0} %", s * 100.0),
        (None, None) => NONE.to_owned(),
    }
}
