//! The targets of a run beside each other.

use crate::document::bench::build::TargetFacts;

/// Two targets may be the same model twice (an A/A run): their ids must differ.
pub fn distinct_ids(facts: &mut [TargetFacts]) {
    for n in 0..facts.len() {
        let earlier =
            facts[..n].iter().filter(|f| f.id.split('#').next() == facts[n].id.split('#').next()).count();
        if earlier > 0 {
            facts[n].id = format!("{}#{}", facts[n].id, earlier + 1);
        }
    }
}
