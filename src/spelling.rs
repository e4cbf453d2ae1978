//! Guesses which known name somebody meant to type: "did you mean" for ids, keys, profiles and metrics.

/// At most `most` names close to what was typed, the closest first. A name that contains what was typed, or
/// most of which it contains, counts as one slip away; the others may differ by a third of their letters. A
/// slip is one letter too many, missing, wrong, or swapped with its neighbour. Case, `_` and `-` do not
/// matter, and of `maker/model` the second part alone may be meant.
pub fn nearest<'a>(typed: &str, names: impl IntoIterator<Item = &'a str>, most: usize) -> Vec<String> {
    let typed = plain(typed);
    let mut ranked: Vec<(usize, usize, &str)> =
        names.into_iter().filter_map(|name| Some((slips(&typed, &plain(name))?, name.len(), name))).collect();
    ranked.sort_unstable();
    ranked.dedup();
    ranked.into_iter().take(most).map(|(_, _, name)| name.to_owned()).collect()
}

/// Characters of a name that are compared; the rest is ignored.
const LONGEST: usize = 100;
/// Fewest characters of a text that is looked for inside a longer one.
const SHORTEST_INSIDE: usize = 3;

fn plain(name: &str) -> String {
    name.chars().take(LONGEST).map(|c| if c == '_' { '-' } else { c }).collect::<String>().to_lowercase()
}

/// How many slips lie between the two; `None` where they are too many. One name inside the other
/// counts as a single slip.
fn slips(typed: &str, name: &str) -> Option<usize> {
    if typed.is_empty() {
        return None;
    }
    let holds = typed.len() >= SHORTEST_INSIDE && name.contains(typed);
    let is_most_of_it =
        name.len() >= SHORTEST_INSIDE && 2 * name.len() >= typed.len() && typed.contains(name);
    if holds || is_most_of_it {
        return Some(usize::from(typed != name));
    }
    let last = name.rsplit('/').next().unwrap_or(name);
    [name, last]
        .into_iter()
        .map(|name| {
            let letters = typed.chars().count().max(name.chars().count());
            (strsim::osa_distance(typed, name), (letters / 3).max(1))
        })
        .filter_map(|(slips, allowed)| (slips <= allowed).then_some(slips))
        .min()
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn slips_are_forgiven() {
        let names = ["privacy", "volume", "privacy_reason", "requests_per_month", "acme/small"];
        for (typed, meant) in [
            ("volmue", "volume"),
            ("privcy", "privacy"),
            ("privacy-reason", "privacy_reason"),
            ("REQUEST_PER_MONTH", "requests_per_month"),
            ("smal", "acme/small"),
            ("acme/smll", "acme/small"),
        ] {
            assert_eq!(nearest(typed, names, 3).first().map(String::as_str), Some(meant), "{typed}");
        }
    }

    #[test]
    fn nonsense_means_nothing() {
        for typed in ["", "zzzzzz", "x", &"colour".repeat(10_000)] {
            assert!(nearest(typed, ["privacy", "volume"], 3).is_empty(), "{typed}");
        }
    }

    #[test]
    fn what_holds_the_word_comes_first_the_shortest_before() {
        let names = ["nvidia-h100-sxm-80gb", "nvidia-h100-pcie", "h20", "nvidia-h200"];
        assert_eq!(nearest("h100", names, 2), ["nvidia-h100-pcie", "nvidia-h100-sxm-80gb"]);
        assert_eq!(nearest("nvidia-h200-card", names, 1), ["nvidia-h200"]);
        assert_eq!(nearest("nvidia-h20-pcie", names, 1), ["nvidia-h100-pcie"]);
    }
}
