//! How fast one unit is: as given, as measured, or as predicted.

use super::hardware::Hardware;
use super::{Found, ResolveError, Resolver, Table, impossible};
use crate::capacity::{
    CannotPredict, HardwareShape, Load as CapacityLoad, ModelShape, Placement, Quantisation, fits, predict,
};
use crate::catalog::device::format_of_file;
use crate::cost::case::{Need, Notice, Prefill, Speed};
use crate::cost::keys::local;
use crate::provenance::Source;
use crate::workload::evidence::{MeasuredLevel, MeasuredTarget, TargetKind};
use crate::workload::{Range, Value};

/// What runs on what.
#[derive(Clone, Copy)]
pub(super) struct Runs<'r> {
    pub hardware: Option<Hardware<'r>>,
    pub gpus: u32,
    pub model: Option<&'r str>,
    pub format: Option<&'static Quantisation>,
}

impl Resolver<'_> {
    pub(super) fn speed(
        &mut self,
        table: Table<'_>,
        name: &str,
        target: Option<&MeasuredTarget>,
        need: &Need,
        runs: Runs<'_>,
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
        let predicted =
            if decode.is_none() { self.predicted(table, name, need, runs, by_hand)? } else { None };
        let decode = decode.or_else(|| predicted.as_ref().map(|p| p.0.clone()));
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
            let found = found.or_else(|| predicted.map(|p| p.1));
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

    /// The format named, or that of the file that was measured.
    pub(super) fn quantisation(
        &mut self,
        table: Table<'_>,
        target: Option<&MeasuredTarget>,
    ) -> Result<Option<&'static Quantisation>, ResolveError> {
        let Some(name) = self.text(table, local::QUANTISATION) else {
            // The file that was measured, wherever it runs.
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

    /// Speeds from the predictor, where hardware and model are in the catalogue. Stops where the
    /// model does not fit, whoever gave the speeds.
    fn predicted(
        &mut self,
        table: Table<'_>,
        name: &str,
        need: &Need,
        runs: Runs<'_>,
        by_hand: bool,
    ) -> Result<Option<(Found, Found)>, ResolveError> {
        let (Some(hardware), Some(model)) = (runs.hardware, runs.model) else { return Ok(None) };
        let Some(model) = self.basis.catalog.open_model(model) else { return Ok(None) };
        let (Ok(shape), Some(hardware)) =
            (ModelShape::from_catalogue(model), self.shape_of(hardware, runs.gpus))
        else {
            return Ok(None);
        };
        let declared = crate::cost::defaults::of("local.quantisation");
        let format = runs.format.or_else(|| declared.and_then(|d| Quantisation::find(d.value.as_str()?)));
        let Some(format) = format else { return Ok(None) };
        let tokens = self.likely_request(need);
        // Positive and far below the limit by the checks of the scenario.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let whole = |t: f64| t.ceil().clamp(1.0, 1e9) as u64;
        let given = table.fields.get(local::CONCURRENCY.name).and_then(|g| g.value.range()).map(|r| r.likely);
        let declared_concurrency = crate::cost::defaults::of("local.concurrency");
        let wanted =
            given.or_else(|| declared_concurrency.map(crate::cost::defaults::Default::number)).unwrap_or(1.0);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let mut concurrency = wanted as u32;
        let load = |concurrency: u32| CapacityLoad {
            prompt_tokens: whole(tokens.input.get()),
            ..CapacityLoad::new(whole(tokens.total().get()), concurrency)
        };
        // As many at once as memory holds, up to the default; a number that was asked for stays.
        while given.is_none()
            && concurrency > 1
            && fits(&shape, &hardware, format, &load(concurrency)).placement != Placement::Fits
        {
            concurrency /= 2;
        }
        let prediction = match predict(&shape, &hardware, format, &load(concurrency)) {
            Ok(prediction) => prediction,
            Err(error @ CannotPredict::DoesNotFit { .. }) => {
                return Err(ResolveError::DoesNotFit {
                    key: table.path(local::HARDWARE_ID),
                    error: Box::new(error),
                });
            }
            Err(CannotPredict::Unknown(_)) => return Ok(None),
        };
        if by_hand {
            return Ok(None);
        }
        if runs.format.is_some()
            && !table.has(local::QUANTISATION)
            && let (Some(evidence), Some(target)) = (self.basis.evidence, self.target(TargetKind::Local))
        {
            let source = Source::measured(&evidence.file, format!("{}.model", target.path));
            self.echo(table.path(local::QUANTISATION), "", Value::Text(format.id.to_owned()), source);
        }
        if let (None, Some(d)) = (runs.format, declared) {
            self.echo(table.path(local::QUANTISATION), "", Value::Text(format.id.to_owned()), d.source());
        }
        if let (None, Some(d)) = (given, declared_concurrency) {
            let value = Value::Number(Range::exactly(f64::from(concurrency)));
            self.echo(table.path(local::CONCURRENCY), "requests", value, d.source());
        }
        if !table.prefix.starts_with("comparator") {
            self.notices.push(Notice::PredictedSpeed { offer: name.to_owned() });
        }
        self.uncertain = true;
        let source = prediction.basis.source();
        let found = |band: crate::capacity::Band| {
            (Range { low: band.low.get(), likely: band.likely.get(), high: band.high.get() }, source.clone())
        };
        Ok(Some((found(prediction.decode_tps), found(prediction.prefill_tps))))
    }

    fn shape_of(&self, hardware: Hardware<'_>, gpus: u32) -> Option<HardwareShape> {
        let catalog = self.basis.catalog;
        match hardware {
            Hardware::Gpu(g) => HardwareShape::from_accelerator(g, gpus).ok(),
            Hardware::Machine(m) => {
                HardwareShape::from_machine(m, m.accelerator.as_deref().and_then(|a| catalog.accelerator(a)))
                    .ok()
            }
            Hardware::Rental(r) => {
                HardwareShape::from_accelerator(catalog.accelerator(&r.accelerator)?, r.accelerators).ok()
            }
        }
    }

    /// The measured level to case with: the concurrency asked for, else the one with the highest
    /// throughput.
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
