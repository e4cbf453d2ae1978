//! The speed of one unit, as given or as measured.

use super::error::{ResolveError, impossible};
use super::resolver::{Resolver, Table};
use crate::capacity::Quantisation;
use crate::catalog::device::format_of_file;
use crate::cost::case::{Need, Notice, Prefill, Speed};
use crate::cost::keys::local;
use crate::workload::Value;
use crate::workload::evidence::{MeasuredLevel, MeasuredTarget};

impl Resolver<'_> {
    pub(super) fn speed(
        &mut self,
        table: Table<'_>,
        name: &str,
        target: Option<&MeasuredTarget>,
        need: &Need,
    ) -> Result<Option<Speed>, ResolveError> {
        let (free, as_output) = (table.flag(local::PREFILL_FREE), table.flag(local::INPUT_AS_OUTPUT));
        if free && as_output {
            return Err(impossible(
                &table.path(local::PREFILL_FREE),
                "input is either free or charged as output, not both",
            ));
        }
        for (on, key) in [(free, local::PREFILL_FREE), (as_output, local::INPUT_AS_OUTPUT)] {
            if let Some(given) = table.fields.get(key.name).filter(|_| on) {
                self.echo(table.path(key), "", Value::Flag(true), given.source.clone());
            }
        }
        let by_hand = table.has(local::DECODE);
        let level = if by_hand { None } else { self.level(table, name, target) };
        let file = self.basis.evidence.map_or("", |e| e.file.as_str());
        let at_once = level.map(|l| (l.concurrency, l.at.source(file)));
        self.whole(table, local::CONCURRENCY, at_once);
        let decode = self.measured(level.and_then(|l| l.decode_tps.as_ref()));
        if !by_hand && decode.is_none() {
            if table.has(local::PREFILL) || matches!(need.volume, crate::cost::case::Volume::AtCapacity) {
                self.miss(&table.path(local::DECODE), "how fast one unit writes");
            }
            return Ok(None);
        }
        let decode = self.number(table, local::DECODE, decode, "");
        let prefill = if free {
            self.notices.push(Notice::PrefillFree { offer: name.to_owned() });
            Prefill::Free
        } else if as_output {
            self.notices.push(Notice::InputAsOutput { offer: name.to_owned() });
            Prefill::AsOutput
        } else {
            let found = self.measured(level.and_then(|l| l.prefill_tps.as_ref()));
            let no_input = self.largest_request(need).input.get() <= 0.0;
            if no_input && found.is_none() && !table.has(local::PREFILL) {
                Prefill::Free
            } else {
                Prefill::Speed(self.number(
                    table,
                    local::PREFILL,
                    found,
                    "how fast one unit reads the input; reading is not free",
                ))
            }
        };
        Ok(Some(Speed { prefill, decode }))
    }

    /// The weight format that was named, or that of the measured file.
    pub(super) fn quantisation(
        &mut self,
        table: Table<'_>,
        target: Option<&MeasuredTarget>,
    ) -> Result<Option<&'static Quantisation>, ResolveError> {
        let Some(name) = self.text(table, local::QUANTISATION) else {
            // The format of the file that was measured, on whatever hardware.
            let measured = target.filter(|_| !table.has(local::MODEL));
            return Ok(measured.and_then(|t| Quantisation::find(&format_of_file(&t.model)?)));
        };
        match Quantisation::find(&name) {
            Some(format) => Ok(Some(format)),
            None => Err(impossible(
                &table.path(local::QUANTISATION),
                format!("`{name}` is no known format; for example Q4_K_M, Q8_0, F16"),
            )),
        }
    }

    /// The measured level to use: that of the concurrency that was asked for, or else the one with the
    /// highest throughput.
    fn level<'t>(
        &mut self,
        table: Table<'_>,
        name: &str,
        target: Option<&'t MeasuredTarget>,
    ) -> Option<&'t MeasuredLevel> {
        let levels = &target?.levels;
        let asked = table.fields.get(local::CONCURRENCY.name).and_then(|g| g.value.range()).map(|r| r.likely);
        let decode = |l: &MeasuredLevel| l.decode_tps.as_ref().map_or(0.0, |d| d.value);
        let usable = levels.iter().filter(|l| decode(l) > 0.0);
        let chosen = match asked {
            Some(c) => usable.filter(|l| f64::from(l.concurrency) <= c).max_by_key(|l| l.concurrency),
            None => usable.max_by(|a, b| decode(a).total_cmp(&decode(b))),
        };
        let level = chosen?;
        if level.concurrency <= 1 {
            self.notices.push(Notice::SpeedAtOne { offer: name.to_owned() });
        }
        Some(level)
    }
}
