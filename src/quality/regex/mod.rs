//! JavaScript's regular expressions, without flags, over UTF-16 units, with a limit on steps.
//!
//! `regex` in prompt files means JavaScript's dialect: lookbehind, back references, a `\d` that is ASCII
//! only, lax braces, and a `.` that matches half of an astral character. A pattern comes from a file and
//! must not hang a run, so every step is counted, and [`Regex::test`] gives up at a limit instead of
//! answering. No crate offers both: `regress` has the dialect but no limit, `fancy-regex` has a limit but
//! another dialect. The tests compare this implementation with `regress`.
//!
//! The dialect is that of ECMA-262, 16th edition (2025), section 22.2 with Annex B.1.2. So `(?i:x)` is
//! supported, and a name may occur in two alternatives (Node 24 and later; Node 22 refuses both).

mod compile;
mod exec;
mod limits;
mod parse;

pub use limits::{Groups, Invalid, LONGEST_PATTERN, Runaway, STEP_LIMIT};

use compile::Program;

/// A compiled pattern.
#[derive(Debug, Clone)]
pub struct Regex {
    program: Program,
}

impl Regex {
    /// Compile a pattern as `new RegExp(pattern)` would.
    pub fn new(pattern: &str) -> Result<Self, Invalid> {
        let units: Vec<u16> = pattern.encode_utf16().collect();
        if units.len() > LONGEST_PATTERN {
            return Err(Invalid { message: "the pattern is longer than 10,000 characters" });
        }
        let parsed = parse::parse(&units)?;
        Ok(Self { program: compile::compile(&parsed)? })
    }

    /// Does the pattern occur anywhere in the text?
    pub fn test(&self, text: &str) -> Result<bool, Runaway> {
        let units: Vec<u16> = text.encode_utf16().collect();
        self.find(&units).map(|found| found.is_some())
    }

    /// The first match and its groups, as ranges of UTF-16 units.
    pub fn find(&self, text: &[u16]) -> Result<Option<Groups>, Runaway> {
        exec::Matcher::new(&self.program, text).find()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(pattern: &str, text: &str) -> bool {
        Regex::new(pattern).unwrap_or_else(|e| panic!("{pattern}: {e}")).test(text).expect("no runaway")
    }

    #[test]
    fn the_dialect_is_javascripts() {
        for (pattern, text) in [
            (r"^..$", "😀"),
            (r"a[^]b", "a\nb"),
            (r"x{,3}$", "x{,3}"),
            (r"\101", "A"),
            (r"\8", "8"),
            (r"[\w-z]+$", "a-"),
            (r"(?<=\$)\d+", "$5"),
            (r"(?<=(\d)(\d))x", "12x"),
            (r"(a*)*b", "aab"),
            (r"(?:(a)|b)*\1$", "ab"),
            (r"\k<x>", "k<x>"),
            (r"(?<x>a)\k<x>", "aa"),
            (r"(?i:straße)", "STRAßE"),
            (r"(?<y>a)|(?<y>b)", "b"),
            (r"\cJ", "\n"),
            (r"\c", "\\c"),
            (r"[\b]", "\u{8}"),
            (r"(?=a)*a", "a"),
            (r"^(?:.|\n)+$", "a\nb"),
            (r"a{0}b", "b"),
            (r"(?:){3}", ""),
            (r"(z)((a+)?(b+)?(c))*", "zaacbbbcac"),
        ] {
            assert!(test(pattern, text), "{pattern} on {text:?}");
        }
        for (pattern, text) in [
            (r"^.$", "😀"),
            (r"a.b", "a\u{2028}b"),
            (r"^abc$", "x\nabc"),
            (r"[]a", "a"),
            (r"\p{L}", "Ω"),
            (r"(?:a|b)*\1(c)", "d"),
            (r"\Bx", "x"),
            (r"(?<!a)b", "ab"),
            (r"^\w+$", "naïve"),
        ] {
            assert!(!test(pattern, text), "{pattern} on {text:?}");
        }
        for bad in [
            "(",
            ")",
            "[a",
            "*a",
            "a**",
            "a++",
            "a{2,1}",
            "a\\",
            "(?>a)",
            "(?P<x>a)",
            "(?i)a",
            "[z-a]",
            "(?<x>a)\\k",
            "(?<x>a)(?<x>b)",
            "{2}",
            "(?<=a)*",
            "(?ii:a)",
            "(?-:a)",
            "(?<1>a)",
            "\\1{3,2}",
        ] {
            assert!(Regex::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn groups_are_reset_at_each_turn_of_a_loop() {
        let text: Vec<u16> = "zaacbbbcac".encode_utf16().collect();
        let found =
            Regex::new("(z)((a+)?(b+)?(c))*").expect("good").find(&text).expect("fast").expect("match");
        // ECMA-262 22.2.2.3.1, note 3.
        assert_eq!(found, [Some((0, 10)), Some((0, 1)), Some((8, 10)), Some((8, 9)), None, Some((9, 10))]);
    }

    #[test]
    fn a_runaway_pattern_stops() {
        let text = "a".repeat(200) + "!";
        for pattern in ["^(a+)+$", "^(a|aa)*$", r"^(?:a*)*b", r"(\w+\s?)*$!x", r"^(a?){200}a{200}$x"] {
            let result = Regex::new(pattern).expect("good").test(&text);
            assert!(matches!(result, Err(Runaway) | Ok(false)), "{pattern}");
        }
        assert_eq!(Regex::new("^(a+)+$").expect("good").test(&text), Err(Runaway));
        assert!(Regex::new(&"(".repeat(5_000)).is_err());
        assert!(Regex::new(&("(?:".repeat(3_000) + &")".repeat(3_000))).is_err());
        assert!(test(&("a".repeat(100) + "$"), &"a".repeat(50_000)));
    }
}
