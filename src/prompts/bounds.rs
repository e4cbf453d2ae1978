//! How much of anything a prompt file may hold. Beyond it a file is refused, never cut.

/// Longest prompt file, bytes.
pub const LARGEST_FILE: u64 = 64 << 20;
/// Longest line of a JSONL file, and longest prompt, bytes.
pub const LARGEST_LINE: usize = 4 << 20;
/// Most prompts of one set, after lists of variables are multiplied out.
pub const MOST_PROMPTS: usize = 100_000;
/// Most assertions on one answer, and most members of one set of them.
pub const MOST_ASSERTIONS: usize = 1_000;
/// Most messages of one conversation.
pub const MOST_MESSAGES: usize = 1_000;
/// Most tools a conversation may offer.
pub const MOST_TOOLS: usize = 128;
/// Longest pause before a message, milliseconds: one hour.
pub const LONGEST_THINK_MS: u64 = 3_600_000;
/// Longest id of a prompt, characters.
pub const LONGEST_ID: usize = 200;
/// Longest name of a category, characters.
pub const LONGEST_CATEGORY: usize = 100;
/// Most categories of one set.
pub const MOST_CATEGORIES: usize = 200;
/// Most values of one YAML file, with what aliases repeat.
pub const MOST_YAML_NODES: usize = 2_000_000;
/// Lists and mappings inside each other.
pub const DEEPEST_YAML: usize = 100;
/// Largest set that a configuration multiplies out to, bytes.
pub const LARGEST_SET: usize = 512 << 20;
