//! Which measurements apply to an offer. Speed and power belong to a machine with a model; retries and the
//! tokeniser ratio belong to the model alone. Measurements of anything else are not applied.

use super::error::{ResolveError, impossible};
use super::hardware::Hardware;
use super::resolver::{Resolver, Table};
use crate::catalog::device::{format_of_file, is_card, model_of_file};
use crate::cost::case::{Elsewhere, Notice};
use crate::cost::keys::local;
use crate::workload::keys::Section;
use crate::workload::{MeasuredTarget, TargetKind};

/// The measurements in a bench document that apply to one offer.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct OfferEvidence<'a> {
    /// Speed and power: this machine with this model.
    pub machine: Option<&'a MeasuredTarget>,
    /// Retries and tokens: this model, on any machine.
    pub model: Option<&'a MeasuredTarget>,
}

impl<'a> Resolver<'a> {
    /// The measurements that apply to this offer; a notice where there are only others.
    pub(super) fn own(
        &mut self,
        table: Table<'_>,
        hardware: Option<Hardware<'_>>,
        gpus: u32,
    ) -> Result<OfferEvidence<'a>, ResolveError> {
        let Some(evidence) = self.basis.evidence else { return Ok(OfferEvidence::default()) };
        let mut own = OfferEvidence::default();
        let mut first: Option<Elsewhere> = None;
        for target in evidence.targets.iter().filter(|t| t.kind == TargetKind::Local) {
            let of_model = self.other_model(table, target);
            if own.model.is_none() && of_model.is_none() {
                own.model = Some(target);
            }
            let elsewhere = of_model.or_else(|| self.other_hardware(table, target, hardware, gpus));
            match elsewhere {
                None => {
                    own.machine = Some(target);
                    return Ok(own);
                }
                Some(elsewhere) => first = first.or(Some(elsewhere)),
            }
        }
        let Some(elsewhere) = first else { return Ok(own) };
        if table.flag(local::SAME_AS_MEASURED) {
            let (measured, wanted) = elsewhere.both();
            return Err(impossible(
                &table.path(local::SAME_AS_MEASURED),
                format!("{} was measured with {measured}, which is not {wanted}", evidence.file),
            ));
        }
        self.elsewhere = Some(elsewhere);
        Ok(own)
    }

    /// Note that the measurement is not applied, now that the offer has a name. Returns the same in words,
    /// for the error message if no other speed is known.
    pub(super) fn note_elsewhere(&mut self, table: Table<'_>, name: &str) -> Option<String> {
        let elsewhere = self.elsewhere.take()?;
        // An offer added for comparison runs at the speed of the one that was asked for.
        if table.prefix.starts_with("comparator") || table.has(local::DECODE) {
            return None;
        }
        let file = self.basis.evidence.map_or_else(String::new, |e| e.file.clone());
        let (measured, wanted) = elsewhere.both();
        let words = format!("{file} was measured with {measured}, not with {wanted}");
        self.notices.push(Notice::MeasuredElsewhere { offer: name.to_owned(), file, elsewhere });
        Some(words)
    }

    /// Is the model that was measured on this machine the model of one of these offers?
    pub(super) fn measured_model_is_of(&self, locals: &[crate::workload::Fields]) -> bool {
        let Some(target) = self.target(TargetKind::Local) else { return false };
        let of = |fields| {
            let table = Table { section: Section::Local, fields, prefix: "local" };
            self.other_model(table, target).is_none()
        };
        locals.is_empty() || locals.iter().any(of)
    }

    /// Why the measured model is not the offer's; `None` where it is, or where the offer names none.
    fn other_model(&self, table: Table<'_>, target: &MeasuredTarget) -> Option<Elsewhere> {
        let named = model_of_file(self.basis.catalog, &target.model);
        if let Some(wanted) = table.text(local::MODEL) {
            let (measured, wanted) = (target.model.clone(), wanted.to_owned());
            match named {
                Some(model) if model.id == wanted => {}
                Some(_) => return Some(Elsewhere::Model { measured, wanted }),
                None if table.flag(local::SAME_AS_MEASURED) => {}
                None => return Some(Elsewhere::PerhapsModel { measured, wanted }),
            }
        }
        let format = format_of_file(&target.model)?;
        let wanted = table.text(local::QUANTISATION)?;
        let other = !wanted.eq_ignore_ascii_case(&format);
        other.then(|| Elsewhere::Model { measured: target.model.clone(), wanted: wanted.to_owned() })
    }

    /// Why the measurement did not run on the offer's hardware; `None` where it did, or where none is
    /// named.
    fn other_hardware(
        &self,
        table: Table<'_>,
        target: &MeasuredTarget,
        hardware: Option<Hardware<'_>>,
        gpus: u32,
    ) -> Option<Elsewhere> {
        let hardware = hardware?;
        // If the user names no hardware, the document's own is meant.
        let wanted = table.text(local::HARDWARE_ID)?.to_owned();
        let measured = place(target);
        let same = match (hardware.gpus(gpus), target.on_gpu) {
            (Some(_), Some(false)) | (None, Some(true)) => Some(false),
            (Some((card, count)), _) => {
                let card = self.basis.catalog.accelerator(card);
                let device = target.devices.first().map(String::as_str);
                let record = target.hardware.as_deref();
                let is = card.and_then(|card| is_card(self.basis.catalog, record, device, card));
                let counts = target.devices.is_empty() || target.devices.len() == count as usize;
                is.map(|is| is && counts)
            }
            // A computer without a GPU: documents do not say which one it is.
            (None, _) => None,
        };
        match same {
            Some(true) => None,
            Some(false) => Some(Elsewhere::Hardware { measured, wanted }),
            None if table.flag(local::SAME_AS_MEASURED) => None,
            None => Some(Elsewhere::PerhapsHardware { measured, wanted }),
        }
    }
}

/// The hardware that a target ran on, in words.
fn place(target: &MeasuredTarget) -> String {
    let device = target.devices.join(" + ");
    match (device.is_empty(), target.on_gpu) {
        (true, _) => "a machine it does not name".to_owned(),
        (false, Some(false)) if device != "CPU" => format!("{device} (processor)"),
        (false, _) => device,
    }
}
