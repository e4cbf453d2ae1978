//! Makes the names of offers unique.

use crate::cost::case::Offer;

/// Give offers with the same name different ones: by the computer that the cards are in, or else by a
/// number.
pub(super) fn make_names_unique(offers: &mut [Offer]) {
    for n in 1..offers.len() {
        let (before, rest) = offers.split_at_mut(n);
        let taken = |name: &str| before.iter().any(|o| o.name == name);
        if !taken(&rest[0].name) {
            continue;
        }
        // The same cards in different computers.
        if let Some(plan) = rest[0].plan.as_deref().filter(|p| p.machine.in_host) {
            rest[0].name = format!("{} in {}", rest[0].name, plan.machine.name);
        }
        let base = rest[0].name.clone();
        let mut count = 2;
        while before.iter().any(|o| o.name == rest[0].name) {
            rest[0].name = format!("{base} ({count})");
            count += 1;
        }
    }
}
