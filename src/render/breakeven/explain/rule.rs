//! How one number is computed: a rule in words, what goes into it, and the arithmetic.

/// The explanation of a number, which is built up from parts and printed as steps.
#[derive(Debug, Default)]
pub(super) struct Rule {
    pub(super) formula: String,
    /// Dotted names of inputs, with the name that the formula uses if that is different.
    pub(super) inputs: Vec<(String, Option<String>)>,
    /// Paths of other numbers of the result.
    pub(super) numbers: Vec<String>,
    pub(super) notes: Vec<String>,
    pub(super) computed: Option<(String, f64)>,
}

impl Rule {
    pub(super) fn new(formula: &str) -> Self {
        Self { formula: formula.to_owned(), ..Self::default() }
    }
    /// Add inputs of one table; those that the document does not have are left out.
    pub(super) fn inputs(mut self, table: &str, keys: &[&str]) -> Self {
        self.inputs.extend(keys.iter().map(|key| (format!("{table}.{key}"), None)));
        self
    }
    /// Add an input under the name that the formula uses.
    pub(super) fn input_as(mut self, name: &str, input: &str) -> Self {
        let same = input.rsplit('.').next() == Some(name);
        self.inputs.push((input.to_owned(), (!same).then(|| name.to_owned())));
        self
    }
    pub(super) fn number(mut self, path: impl Into<String>) -> Self {
        self.numbers.push(path.into());
        self
    }
    pub(super) fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }
    /// Add the arithmetic, if it can be written down.
    pub(super) fn computed(mut self, arithmetic: impl Into<String>, value: Option<f64>) -> Self {
        self.computed = value.filter(|v| v.is_finite()).map(|v| (arithmetic.into(), v));
        self
    }
}

/// A number with enough digits to check the arithmetic.
pub(super) fn digits(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    // Nine significant digits.
    #[allow(clippy::cast_possible_truncation)]
    let places = (8 - value.abs().log10().floor() as i32).clamp(0, 12);
    #[allow(clippy::cast_sign_loss)]
    let text = format!("{value:.*}", places as usize);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}
