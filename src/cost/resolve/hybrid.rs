//! `[hybrid]`: which share of the requests goes to which side.

use super::resolver::{Resolver, Table};
use crate::cost::case::Hybrid;
use crate::cost::hybrid::hours_of_week;
use crate::cost::keys::hybrid;
use crate::workload::Fields;
use crate::workload::keys::Section;

impl Resolver<'_> {
    pub(super) fn hybrid(&mut self, fields: &Fields, locals: &[Fields]) -> Option<Hybrid> {
        if fields.is_empty() {
            return None;
        }
        let table = Table { section: Section::Hybrid, fields, prefix: "hybrid" };
        // The kinds of work that the local model was shown to take over, and the share of its answers to
        // them that fail.
        let quality = self
            .basis
            .evidence
            .filter(|_| self.measured_model_is_of(locals))
            .and_then(|e| e.quality.as_ref());
        let moved = self.measured(quality.and_then(|q| q.moved_share.as_ref()));
        let fails = self.measured(quality.and_then(|q| q.escalation_share.as_ref()));
        let local_share = self.number(table, hybrid::LOCAL_SHARE, moved, "");
        let escalation = self.number(table, hybrid::ESCALATION_SHARE, fails, "");
        let profile = fields.get(hybrid::PROFILE.name).map(|g| {
            self.echo("hybrid.profile".to_owned(), "", g.value.clone(), g.source.clone());
            hours_of_week(&g.value)
        });
        let routed = table.has(hybrid::LOCAL_SHARE) || table.has(hybrid::ESCALATION_SHARE);
        Some(Hybrid { local_share, escalation, profile, routed })
    }
}
