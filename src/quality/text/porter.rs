//! Porter's stemmer for English (Porter 1980, "An algorithm for suffix stripping").

/// The stem of a word in lower case. Words in other scripts and short words are returned unchanged.
pub(super) fn stem(word: &str) -> String {
    if word.len() < 3 || !word.bytes().all(|b| b.is_ascii_lowercase()) {
        return word.to_owned();
    }
    let mut w = Word(word.as_bytes().to_vec());
    w.step_1();
    w.map(&[
        ("ational", "ate"),
        ("tional", "tion"),
        ("enci", "ence"),
        ("anci", "ance"),
        ("izer", "ize"),
        ("abli", "able"),
        ("alli", "al"),
        ("entli", "ent"),
        ("eli", "e"),
        ("ousli", "ous"),
        ("ization", "ize"),
        ("ation", "ate"),
        ("ator", "ate"),
        ("alism", "al"),
        ("iveness", "ive"),
        ("fulness", "ful"),
        ("ousness", "ous"),
        ("aliti", "al"),
        ("iviti", "ive"),
        ("biliti", "ble"),
    ]);
    w.map(&[
        ("icate", "ic"),
        ("ative", ""),
        ("alize", "al"),
        ("iciti", "ic"),
        ("ical", "ic"),
        ("ful", ""),
        ("ness", ""),
    ]);
    w.step_4();
    w.step_5();
    String::from_utf8(w.0).unwrap_or_else(|_| word.to_owned())
}

struct Word(Vec<u8>);

impl Word {
    fn consonant(&self, at: usize) -> bool {
        match self.0[at] {
            b'a' | b'e' | b'i' | b'o' | b'u' => false,
            b'y' => at == 0 || !self.consonant(at - 1),
            _ => true,
        }
    }

    /// Number of times that a vowel is followed by a consonant in the first `len` letters.
    fn measure(&self, len: usize) -> usize {
        (1..len).filter(|i| self.consonant(*i) && !self.consonant(i - 1)).count()
    }

    fn has_vowel(&self, len: usize) -> bool {
        (0..len).any(|i| !self.consonant(i))
    }

    fn double_consonant(&self) -> bool {
        let n = self.0.len();
        n >= 2 && self.0[n - 1] == self.0[n - 2] && self.consonant(n - 1)
    }

    /// Do the first `len` letters end with consonant, vowel, consonant, the last of which is not w, x or y?
    fn short_end(&self, len: usize) -> bool {
        len >= 3
            && self.consonant(len - 3)
            && !self.consonant(len - 2)
            && self.consonant(len - 1)
            && !b"wxy".contains(&self.0[len - 1])
    }

    /// Length of the word without this suffix; `None` where it does not end with it.
    fn before(&self, suffix: &str) -> Option<usize> {
        self.0.ends_with(suffix.as_bytes()).then(|| self.0.len() - suffix.len())
    }

    fn replace(&mut self, len: usize, with: &str) {
        self.0.truncate(len);
        self.0.extend(with.bytes());
    }

    fn step_1(&mut self) {
        if let Some(len) = self.before("sses").or_else(|| self.before("ies")) {
            self.0.truncate(len + if self.0.ends_with(b"sses") { 2 } else { 1 });
        } else if self.before("ss").is_none()
            && let Some(len) = self.before("s")
        {
            self.0.truncate(len);
        }
        if let Some(len) = self.before("eed") {
            if self.measure(len) > 0 {
                self.0.truncate(len + 2);
            }
        } else if let Some(len) = self.before("ed").or_else(|| self.before("ing"))
            && self.has_vowel(len)
        {
            self.0.truncate(len);
            if ["at", "bl", "iz"].iter().any(|s| self.before(s).is_some()) {
                self.0.push(b'e');
            } else if self.double_consonant() && !b"lsz".contains(&self.0[self.0.len() - 1]) {
                self.0.pop();
            } else if self.measure(self.0.len()) == 1 && self.short_end(self.0.len()) {
                self.0.push(b'e');
            }
        }
        if let Some(len) = self.before("y")
            && self.has_vowel(len)
        {
            self.replace(len, "i");
        }
    }

    /// Replace the longest suffix that matches, if the rest of the word has a measure above 0.
    fn map(&mut self, suffixes: &[(&str, &str)]) {
        let longest = suffixes.iter().filter(|(s, _)| self.before(s).is_some()).max_by_key(|(s, _)| s.len());
        if let Some((suffix, with)) = longest
            && let Some(len) = self.before(suffix)
            && self.measure(len) > 0
        {
            self.replace(len, with);
        }
    }

    fn step_4(&mut self) {
        const SUFFIXES: &[&str] = &[
            "al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ion", "ou",
            "ism", "ate", "iti", "ous", "ive", "ize",
        ];
        let longest = SUFFIXES.iter().filter(|s| self.before(s).is_some()).max_by_key(|s| s.len());
        if let Some(suffix) = longest
            && let Some(len) = self.before(suffix)
            && self.measure(len) > 1
            && (*suffix != "ion" || (len > 0 && b"st".contains(&self.0[len - 1])))
        {
            self.0.truncate(len);
        }
    }

    fn step_5(&mut self) {
        if let Some(len) = self.before("e") {
            let m = self.measure(len);
            if m > 1 || (m == 1 && !self.short_end(len)) {
                self.0.truncate(len);
            }
        }
        if self.measure(self.0.len()) > 1 && self.double_consonant() && self.0.ends_with(b"l") {
            self.0.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::stem;

    /// Examples of the paper.
    #[test]
    fn stems_are_porters() {
        for (word, stemmed) in [
            ("caresses", "caress"),
            ("ponies", "poni"),
            ("cats", "cat"),
            ("feed", "feed"),
            ("agreed", "agre"),
            ("plastered", "plaster"),
            ("motoring", "motor"),
            ("sing", "sing"),
            ("conflated", "conflat"),
            ("troubled", "troubl"),
            ("sized", "size"),
            ("hopping", "hop"),
            ("falling", "fall"),
            ("hissing", "hiss"),
            ("filing", "file"),
            ("happy", "happi"),
            ("sky", "sky"),
            ("relational", "relat"),
            ("rational", "ration"),
            ("triplicate", "triplic"),
            ("hopeful", "hope"),
            ("revival", "reviv"),
            ("adoption", "adopt"),
            ("controlling", "control"),
            ("rate", "rate"),
            ("is", "is"),
            ("naïve", "naïve"),
        ] {
            assert_eq!(stem(word), stemmed, "{word}");
        }
    }
}
