//! Layout of text: its approximate width, how it is broken into lines, and how labels avoid each other.

use unicode_width::UnicodeWidthChar as _;

/// Approximate width of a text in a sans-serif font of this size.
pub(super) fn width(text: &str, size: f64) -> f64 {
    text.chars()
        .map(|c| match c {
            'i' | 'l' | 'j' | '.' | ',' | '\'' | '|' | ':' | ';' | '!' | 'I' => 0.3,
            'f' | 't' | 'r' | ' ' | '(' | ')' | '-' | '/' => 0.38,
            'm' | 'w' | 'M' | 'W' | '%' | '@' => 0.88,
            'A'..='Z' => 0.68,
            c if c.is_ascii() => 0.58,
            c => 0.58 * c.width().unwrap_or(0).max(1) as f64,
        })
        .sum::<f64>()
        * size
}

/// Break a text into at most `most` lines no wider than `room`. The last one ends in an ellipsis if text is
/// left.
pub(super) fn wrap(text: &str, size: f64, room: f64, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace().flat_map(|w| pieces(w, size, room)) {
        let longer = if line.is_empty() { word.clone() } else { format!("{line} {word}") };
        if !line.is_empty() && width(&longer, size) > room {
            lines.push(std::mem::replace(&mut line, word));
        } else {
            line = longer;
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    if lines.len() > most {
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            while width(last, size) + size > room && last.pop().is_some() {}
            last.push('…');
        }
    }
    lines
}

/// Split a word that is wider than `room`, after a slash or a hyphen if possible.
fn pieces(word: &str, size: f64, room: f64) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest: Vec<char> = word.chars().collect();
    while width(&rest.iter().collect::<String>(), size) > room && rest.len() > 1 {
        let mut fits = 1;
        while fits < rest.len() && width(&rest[..=fits].iter().collect::<String>(), size) <= room {
            fits += 1;
        }
        let at =
            rest[..fits].iter().rposition(|c| matches!(c, '/' | '-' | '_' | '.')).map_or(fits, |at| at + 1);
        found.push(rest[..at].iter().collect());
        rest.drain(..at);
    }
    found.push(rest.into_iter().collect());
    found
}

/// Positions for labels with these wishes and heights between `top` and `bottom`, each as near to its wish
/// as the others allow. The order of the wishes is kept.
pub(super) fn apart(wanted: &[(f64, f64)], top: f64, bottom: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by(|a, b| wanted[*a].0.total_cmp(&wanted[*b].0));
    let mut places = vec![0.0; wanted.len()];
    let mut next = top;
    for &n in &order {
        let (middle, height) = wanted[n];
        places[n] = middle.max(next + height / 2.0);
        next = places[n] + height / 2.0;
    }
    // Labels that would extend beyond the bottom push the others up.
    let mut limit = bottom;
    for &n in order.iter().rev() {
        let height = wanted[n].1;
        places[n] = places[n].min(limit - height / 2.0);
        limit = places[n] - height / 2.0;
    }
    places
}

/// The rectangle of a label.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Boxed {
    /// Left edge.
    pub x: f64,
    /// Upper edge.
    pub y: f64,
    pub wide: f64,
    pub high: f64,
}

impl Boxed {
    fn has(&self, at: (f64, f64)) -> bool {
        let (x, y) = at;
        x > self.x - 2.0 && x < self.x + self.wide + 2.0 && y > self.y - 1.0 && y < self.y + self.high + 1.0
    }
    fn meets(&self, other: &Self) -> bool {
        self.x < other.x + other.wide
            && other.x < self.x + self.wide
            && self.y < other.y + other.high
            && other.y < self.y + self.high
    }
}

/// What a label should not cover: curves (as close points), and other labels.
pub(super) struct Clutter {
    across: (f64, f64),
    down: (f64, f64),
    points: Vec<(f64, f64)>,
    labels: Vec<Boxed>,
}

impl Clutter {
    /// Nothing to avoid yet, within these edges.
    pub(super) const fn new(across: (f64, f64), down: (f64, f64)) -> Self {
        Self { across, down, points: Vec::new(), labels: Vec::new() }
    }
    /// Add a curve through these points.
    pub(super) fn curve(&mut self, path: impl Iterator<Item = (f64, f64)>) {
        const EVERY: f64 = 4.0;
        let mut before: Option<(f64, f64)> = None;
        for at in path {
            let from = before.unwrap_or(at);
            let steps = ((at.0 - from.0).hypot(at.1 - from.1) / EVERY).ceil().clamp(1.0, 500.0);
            let mut step = 1.0;
            while step <= steps {
                let share = step / steps;
                self.points.push((from.0 + (at.0 - from.0) * share, from.1 + (at.1 - from.1) * share));
                step += 1.0;
            }
            before = Some(at);
        }
    }
    /// Add a label that was drawn.
    pub(super) fn label(&mut self, label: Boxed) {
        self.labels.push(label);
    }
    /// How much a label would cover; another label counts as much as 50 points of a curve.
    pub(super) fn covered(&self, label: Boxed) -> usize {
        let points = self.points.iter().filter(|p| label.has(**p)).count();
        points + 50 * self.labels.iter().filter(|other| label.meets(other)).count()
    }
    /// Of the wishes within the edges, the first one that covers least. If none is within the edges, the
    /// first is moved inwards.
    pub(super) fn clearest(&self, wishes: impl Iterator<Item = Boxed>) -> Option<Boxed> {
        let mut outside = None;
        let mut best: Option<(usize, Boxed)> = None;
        for wish in wishes {
            let inside = wish.x >= self.across.0
                && wish.x + wish.wide <= self.across.1
                && wish.y >= self.down.0
                && wish.y + wish.high <= self.down.1;
            if !inside {
                outside = outside.or(Some(wish));
                continue;
            }
            let covered = self.covered(wish);
            if best.is_none_or(|(least, _)| covered < least) {
                best = Some((covered, wish));
            }
        }
        best.map(|b| b.1).or_else(|| {
            let wish = outside?;
            let within = |at: f64, long: f64, (from, to): (f64, f64)| at.min(to - long).max(from);
            Some(Boxed {
                x: within(wish.x, wish.wide, self.across),
                y: within(wish.y, wish.high, self.down),
                ..wish
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_do_not_overlap() {
        let places = apart(&[(50.0, 20.0), (52.0, 20.0), (98.0, 20.0)], 0.0, 100.0);
        assert!(places[1] - places[0] >= 19.99 && places[2] - places[1] >= 19.99, "{places:?}");
        assert!(places[2] <= 90.0);
    }

    #[test]
    fn a_label_stands_where_nothing_is() {
        let mut clutter = Clutter::new((0.0, 100.0), (0.0, 100.0));
        clutter.curve([(0.0, 20.0), (100.0, 20.0)].into_iter());
        let at = |y: f64| Boxed { x: 10.0, y, wide: 40.0, high: 14.0 };
        assert_eq!(clutter.clearest([at(12.0), at(50.0), at(70.0)].into_iter()), Some(at(50.0)));
        clutter.label(at(50.0));
        assert_eq!(clutter.clearest([at(12.0), at(50.0), at(70.0)].into_iter()), Some(at(70.0)));
        let outside = Boxed { x: 90.0, ..at(95.0) };
        assert_eq!(clutter.clearest([outside].into_iter()), Some(Boxed { x: 60.0, y: 86.0, ..outside }));
    }

    #[test]
    fn lines_keep_to_their_room() {
        let name = "qwen3.5-9b on Desktop with Ryzen 9 9950X for one card and more words than fit";
        let lines = wrap(name, 12.0, 150.0, 3);
        assert_eq!(lines.len(), 3);
        assert!(lines.iter().all(|l| width(l, 12.0) <= 151.0), "{lines:?}");
        assert!(lines[2].ends_with('…'));
        assert_eq!(wrap("short", 12.0, 150.0, 3), ["short"]);
        let long = wrap("azure/global.anthropic.claude-haiku-5-5-with-a-long-name", 12.0, 120.0, 9);
        assert_eq!(long.concat(), "azure/global.anthropic.claude-haiku-5-5-with-a-long-name");
    }
}
