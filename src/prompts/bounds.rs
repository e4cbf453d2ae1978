//! Limits for prompt files. A file beyond a limit is refused, never cut.

/// The largest prompt file, bytes.
pub const LARGEST_FILE: u64 = 64 << 20;
/// The longest line of a JSONL file, and the longest prompt, bytes.
pub const LARGEST_LINE: usize = 4 << 20;
/// The most prompts of one set, after lists of variables have been combined.
pub const MOST_PROMPTS: usize = 100_000;
/// The most assertions on one answer, and the most members of one assertion set.
pub const MOST_ASSERTIONS: usize = 1_000;
/// The most messages of one conversation.
pub const MOST_MESSAGES: usize = 1_000;
/// The most tools that a conversation may offer.
pub const MOST_TOOLS: usize = 128;
/// The longest pause before a message, milliseconds: one hour.
pub const LONGEST_THINK_MS: u64 = 3_600_000;
/// The longest id of a prompt, characters.
pub const LONGEST_ID: usize = 200;
/// The longest name of a category, characters.
pub const LONGEST_CATEGORY: usize = 100;
/// The most categories of one set.
pub const MOST_CATEGORIES: usize = 200;
/// The most values in one YAML file, counting what aliases repeat.
pub const MOST_YAML_NODES: usize = 2_000_000;
/// The deepest nesting of lists and mappings.
pub const DEEPEST_YAML: usize = 100;
/// The largest set that a configuration may expand to, bytes.
pub const LARGEST_SET: usize = 512 << 20;
