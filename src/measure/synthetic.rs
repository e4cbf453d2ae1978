//! Tests of the engine alone, in llama-bench's own terms: `pp512` processes a prompt of 512 tokens,
//! `tg128` generates 128, `pp512+tg128` does both on one clock, and `@d4096` puts 4096 tokens into
//! the cache before the clock starts.

use std::str::FromStr;

/// Most tokens that a test may name.
const MOST: u32 = 1 << 24;

/// One test, in tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Test {
    pub prompt: u32,
    pub generate: u32,
    pub depth: u32,
}

impl Test {
    /// Tokens that the context must hold.
    pub fn context(self) -> u32 {
        self.prompt + self.generate + self.depth
    }
    /// Tokens that the rate counts.
    pub fn counted(self) -> u32 {
        self.prompt + self.generate
    }
    /// As llama-bench prints it: `pp512 @ d4096`.
    pub fn label(self) -> String {
        let text = match (self.prompt, self.generate) {
            (prompt, 0) => format!("pp{prompt}"),
            (0, generate) => format!("tg{generate}"),
            (prompt, generate) => format!("pp{prompt}+tg{generate}"),
        };
        if self.depth > 0 { format!("{text} @ d{}", self.depth) } else { text }
    }
}

impl FromStr for Test {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!("`{text}` is not a test: use pp512, tg128 or pp512+tg128, each with @d4096 for a depth")
        };
        let (what, depth) = match text.trim().split_once('@') {
            Some((what, depth)) => (what.trim(), number(depth.trim(), "d").ok_or_else(wrong)?),
            None => (text.trim(), 0),
        };
        let (prompt, generate) = match what.split_once('+') {
            Some((prompt, generate)) => (number(prompt, "pp"), number(generate, "tg")),
            None if what.starts_with("tg") => (Some(0), number(what, "tg")),
            None => (number(what, "pp"), Some(0)),
        };
        let test = Self { prompt: prompt.ok_or_else(wrong)?, generate: generate.ok_or_else(wrong)?, depth };
        if test.counted() == 0 {
            return Err(format!("`{text}` measures no token"));
        }
        Ok(test)
    }
}

fn number(text: &str, prefix: &str) -> Option<u32> {
    let digits = text.trim().strip_prefix(prefix)?;
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    digits.parse().ok().filter(|n| plain && *n <= MOST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn llama_benchs_own_words_are_read() {
        let test = |text: &str| text.parse::<Test>().map(|t| (t.prompt, t.generate, t.depth));
        assert_eq!(test("pp512"), Ok((512, 0, 0)));
        assert_eq!(test("tg128@d4096"), Ok((0, 128, 4096)));
        assert_eq!(test("pp512+tg128 @ d0"), Ok((512, 128, 0)));
        for wrong in ["", "512", "pp", "pp-1", "tg128@512", "pp1e3", "tg128+pp512", "pp99999999999", "pp+5"] {
            assert!(test(wrong).expect_err("refused").contains("pp512"), "{wrong}");
        }
        assert!(test("pp0").expect_err("refused").contains("no token"));
    }

    proptest! {
        #[test]
        fn a_label_reads_back(prompt in 0u32..99_999, generate in 0u32..99_999, depth in 0u32..99_999) {
            prop_assume!(prompt + generate > 0);
            let test = Test { prompt, generate, depth };
            prop_assert_eq!(test.label().parse::<Test>(), Ok(test));
        }
    }
}
