//! Checks HTML in an answer: is the answer HTML, does it contain some?

use super::regex::Regex;
use crate::prompts::js;
use std::sync::LazyLock;

/// The longest answer that is examined, as in promptfoo: 10 MiB.
const LONGEST: usize = 10 << 20;

const ELEMENTS: &str = " html head title base link meta style body article section nav aside h1 h2 h3 h4 h5 h6 header \
    footer address p hr pre blockquote ol ul li dl dt dd figure figcaption main div a em strong small s cite q dfn abbr \
    ruby rt rp data time code var samp kbd sub sup i b u mark bdi bdo span br wbr img iframe embed object param picture \
    source video audio track map area svg math script noscript canvas ins del table caption colgroup col tbody thead \
    tfoot tr td th form label input button select datalist optgroup option textarea output progress meter fieldset \
    legend details summary dialog menu slot template ";
/// Parts of a table, which a browser leaves out where no table is open.
const TABLE_PARTS: &str = " caption col colgroup tbody td tfoot th thead tr ";
const VOID: &str = " area base br col embed hr img input link meta param source track wbr ";
/// What may stand before the body without opening one.
const HEAD: &str = " base basefont bgsound link meta noframes noscript script style template title ";
/// Elements of the head, whose text is no text of the body.
const RAW: &str = " script style title textarea template noscript ";

/// Signs of HTML with their weights; a sum of two is enough.
static SIGNS: LazyLock<Vec<(Option<Regex>, u32)>> = LazyLock::new(|| {
    [
        (r"<[a-zA-Z][a-zA-Z0-9-]*(?:\s[^>]*)?\/>", 1),
        (r"&(?:[a-zA-Z]+|#[0-9]+|#x[0-9a-fA-F]+);", 1),
        (r"(?i:<!DOCTYPE\s+html)", 2),
        (r"<!--(?:[^-]|-[^-])*-->", 1),
        (r#"\s[a-zA-Z-]+=\s*["'][^"']*["']"#, 1),
        (
            r"(?i:<(?:html|head|body|div|span|p|a|img|h[1-6]|ul|ol|li|table|tr|td|th|form|input|button|script|style|link|meta|br|hr)\b)",
            2,
        ),
    ]
    .into_iter()
    .map(|(pattern, weight)| (Regex::new(pattern).ok(), weight))
    .collect()
});
static TAGS: LazyLock<[Option<Regex>; 2]> = LazyLock::new(|| {
    [r"<[a-zA-Z][a-zA-Z0-9-]*(?:\s[^>]*)?>", r"<\/[a-zA-Z][a-zA-Z0-9-]*\s*>"].map(|p| Regex::new(p).ok())
});

fn found(regex: Option<&Regex>, text: &[u16]) -> bool {
    regex.is_some_and(|r| matches!(r.find(text), Ok(Some(_))))
}

/// Are there enough signs of HTML?
pub(super) fn contains(text: &str) -> bool {
    if text.len() > LONGEST || !text.contains(['<', '&']) {
        return false;
    }
    let units: Vec<u16> = text.encode_utf16().collect();
    let text = units.as_slice();
    let [opening, closing] = &*TAGS;
    let tags = u32::from(found(opening.as_ref(), text)) + u32::from(found(closing.as_ref(), text));
    let signs = SIGNS.iter().filter(|(regex, _)| found(regex.as_ref(), text)).map(|(_, weight)| weight);
    tags + signs.sum::<u32>() >= 2
}

/// Is the whole answer HTML: known elements, and no text outside of them?
pub(super) fn is(text: &str) -> bool {
    let text = js::trim(text);
    let lower = text.to_lowercase();
    if text.is_empty() || text.len() > LONGEST || lower.starts_with("<?xml") {
        return false;
    }
    let mut open: Vec<String> = Vec::new();
    let (mut known, mut top_text, mut at) = (false, false, 0);
    // Was the body opened by its own tag? What comes before that tag opens one without it.
    let mut own_body: Option<bool> = None;
    while at < lower.len() {
        let rest = &lower[at..];
        let tag = rest
            .strip_prefix('<')
            .filter(|t| t.starts_with(|c: char| c.is_ascii_alphabetic() || "/!?".contains(c)));
        let Some(tag) = tag else {
            let end = rest.char_indices().skip(1).find(|(_, c)| *c == '<').map_or(rest.len(), |(i, _)| i);
            let words = rest[..end].replace("&nbsp;", " ");
            if open.is_empty() && !js::trim(&words).is_empty() {
                top_text = true;
            }
            if open.is_empty() && !rest[..end].trim_ascii().is_empty() {
                own_body.get_or_insert(false);
            }
            at += end;
            continue;
        };
        if tag.starts_with("!--") {
            at += rest.find("-->").map_or(rest.len(), |e| e + 3);
            continue;
        }
        let end = tag_end(rest);
        at += end;
        if tag.starts_with(['!', '?']) {
            continue;
        }
        let closing = tag.starts_with('/');
        let name: String = tag
            .trim_start_matches('/')
            .chars()
            .take_while(|c| !(js::is_space(*c) || "/>".contains(*c)))
            .collect();
        if name.is_empty() || end == rest.len() && !rest.ends_with('>') {
            continue;
        }
        if closing {
            if let Some(depth) = open.iter().rposition(|o| *o == name) {
                open.truncate(depth);
            }
            continue;
        }
        let spaced = format!(" {name} ");
        if TABLE_PARTS.contains(&spaced) && !open.iter().any(|o| o == "table") {
            continue;
        }
        let is_wrapper = matches!(name.as_str(), "html" | "head" | "body");
        if name == "body" {
            own_body.get_or_insert(true);
        } else if !is_wrapper && !HEAD.contains(&spaced) {
            own_body.get_or_insert(false);
        }
        known |= if is_wrapper {
            wrapper(&lower, &name)
        } else {
            ELEMENTS.contains(&spaced) || name.contains('-')
        };
        if RAW.contains(&spaced) {
            let close = format!("</{name}");
            at += lower[at..].find(&close).unwrap_or(lower.len() - at);
        }
        if !is_wrapper
            && !VOID.contains(&spaced)
            && (!rest[..end].ends_with("/>") || !matches!(name.as_str(), "svg" | "math"))
        {
            // A new block ends an open paragraph.
            if open.last().is_some_and(|o| o == "p")
                && " p div ul ol table h1 h2 h3 h4 h5 h6 pre section form hr ".contains(&spaced)
            {
                open.pop();
            }
            open.push(name);
        }
    }
    known && (own_body == Some(true) || !top_text)
}

/// Does the tag of a document's frame stand there literally?
fn wrapper(lower: &str, name: &str) -> bool {
    lower.match_indices(&format!("<{name}")).any(|(at, found)| {
        lower[at + found.len()..].starts_with(|c: char| js::is_space(c) || c == '/' || c == '>')
    })
}

/// Length of a tag with its closing bracket; attributes may contain brackets in quotation marks.
fn tag_end(rest: &str) -> usize {
    let mut quote = None;
    for (i, c) in rest.char_indices() {
        match quote {
            Some(q) if c == q => quote = None,
            None if (c == '"' || c == '\'') && rest[..i].trim_end().ends_with('=') => quote = Some(c),
            None if c == '>' => return i + 1,
            _ => {}
        }
    }
    rest.len()
}
