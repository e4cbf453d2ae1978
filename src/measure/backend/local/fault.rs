//! Faults of the local engine, in short.

use crate::measure::event::{Fault, FaultKind};

/// A fault of this kind.
pub(super) fn fault(kind: FaultKind, message: impl Into<String>) -> Fault {
    Fault { kind, message: message.into() }
}
