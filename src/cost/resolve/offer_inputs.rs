//! The inputs from which a hardware offer is made.

use super::hardware::Hardware;
use super::machine_class::MachineClass;
use super::measured::OfferEvidence;
use crate::capacity::Quantisation;
use crate::cost::case::Need;
use crate::plan;
use crate::workload::MeasuredTarget;

/// What a table of the scenario asks for, and what was measured of it.
#[derive(Debug, Clone)]
pub(super) struct OfferInputs<'a> {
    pub hardware_id: Option<String>,
    pub hardware: Option<Hardware<'a>>,
    /// Accelerators in one unit.
    pub gpus: u32,
    /// A plan may choose another number of accelerators: nobody said how many one unit has.
    pub number_is_open: bool,
    pub own: OfferEvidence<'a>,
    pub open_model: Option<String>,
    pub format: Option<&'static Quantisation>,
    pub target: Option<&'a MeasuredTarget>,
}

impl OfferInputs<'_> {
    /// Accelerators in one unit; `None` where a plan chooses.
    pub(super) fn number(&self) -> Option<u32> {
        (!self.number_is_open).then_some(self.gpus)
    }
    /// Was this model's speed measured on this machine?
    pub(super) fn speed_is_measured(&self) -> bool {
        self.own.machine.is_some_and(|t| t.levels.iter().any(|l| l.decode_tps.is_some()))
    }
}

/// Everything that the parts of one offer are made from.
#[derive(Clone, Copy)]
pub(super) struct OfferParts<'a> {
    pub asked: &'a OfferInputs<'a>,
    pub host: Option<&'a plan::Machine>,
    pub class: MachineClass,
    pub need: &'a Need,
}
