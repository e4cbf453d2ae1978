//! The arguments of `freehold bench`. The doc comments are the help text.

mod judging;
mod load;
mod local;
mod range;

use crate::app::bench::asked::{Asked, Cache, RETRIES};
use crate::app::bench::range::{MOST_OUTPUT_TOKENS, MOST_REPEATS, MOST_WARMUP};
use crate::cli::output::OutputArgs;
use clap::builder::PossibleValue;
pub use judging::JudgingArgs;
pub use load::LoadArgs;
pub use local::LocalArgs;
use range::up_to;
use std::path::PathBuf;

/// Parses the words of a command line after the program's name.
pub type ReadArguments = fn(&[String]) -> Result<Args, String>;

/// Arguments that a resumed run takes from its journal.
const PLANNED: [&str; 42] = [
    "answers",
    "replay",
    "explain",
    "repeats",
    "warmup",
    "max_output_tokens",
    "seed",
    "cache",
    "margin",
    "api_greedy",
    "stand_in",
    "limit_field",
    "concurrency",
    "rate",
    "arrivals",
    "duration",
    "requests",
    "slo",
    "load_only",
    "rubric",
    "criterion",
    "no_rubrics",
    "no_preferences",
    "context",
    "threads",
    "gpu_layers",
    "device",
    "require_gpu",
    "batch",
    "flash_attention",
    "kv_type",
    "load_times",
    "synthetic",
    "embed",
    "vectors",
    "sampling",
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "raw",
    "system_as_user",
];

/// Measure models on this machine and APIs side by side, on your own prompts.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  freehold bench --model model.gguf --api openai:MODEL --prompts prompts.jsonl -o bench.json
  freehold bench --api anthropic:MODEL --prompts prompts.csv --dry-run
  freehold bench --model default --api openai:MODEL@http://127.0.0.1:8080/v1 --prompts prompts.toml
  freehold bench --api openai:MODEL --prompts prompts.jsonl --concurrency 1,4,16 --requests 100
  freehold bench --api openai:MODEL --prompts prompts.jsonl --rate 2/s --duration 60s --slo ttft=1s
  freehold bench --model model.gguf --synthetic pp512,tg128,tg128@d4096   the engine alone
  freehold bench --model model.gguf --prompts prompts.jsonl --embed   vectors instead of answers
  freehold bench --resume bench.json --api openai:MODEL --yes   go on with an interrupted run
  freehold bench --replay bench.json --slo e2e=5s   the figures again, without a call
  freehold bench --model a.gguf --api openai:MODEL --prompts p.jsonl --judge anthropic:MODEL
  freehold bench --replay bench.json --judge anthropic:MODEL   judge answers that are there

A prompt file has one prompt per line (JSONL), row (CSV) or [[prompts]] table (TOML), with the keys
prompt (required), id, system, max_output_tokens and expect (text the answer must contain). Instead of
prompt it may have messages (not in CSV), as in OpenAI's API, and tools: an assistant message without
content is a turn that the model answers itself, and what follows is sent with that answer. think_ms on
a message is the pause before it. Each turn is a request with figures of its own, and warms caches for
the next as a real conversation does; expect is about the last answer. assert takes promptfoo's assertions.

A promptfoo configuration is read as promptfoo reads it; its providers are not asked, and no program in it
is run. Of a log the prompts are asked. `freehold help graders` has every assertion.

API targets: openai:MODEL, openai-responses:, anthropic:, gemini:, groq:, mistral:, deepseek:, xai:,
together:, openrouter:, ollama: and others of `freehold db list providers`; azure:DEPLOYMENT[@URL],
bedrock:MODEL@URL, vllm:MODEL@URL, compatible:MODEL@URL. Each takes @BASE_URL. Keys come from the
environment, from the variable of the provider (OPENAI_API_KEY and so on) for its own hosts, and
from FREEHOLD_API_KEY or --api-key-env for others. HTTPS_PROXY and NO_PROXY are honoured, but never
for this machine; SSL_CERT_FILE names a file of certificates to trust in place of the system's, a
server's own among them. Plain http:// is for this machine, and with --allow-http HOST for a machine on
your own network; a key goes there with --allow-http-keys only.")]
pub struct Args {
    /// A local model (repeatable): PATH.gguf, a URL, hf:OWNER/REPO:QUANT, hf:OWNER/REPO/FILE,
    /// ollama:NAME:TAG, lmstudio:OWNER/REPO, or `default`.
    #[arg(long, value_name = "MODEL")]
    pub model: Vec<String>,
    /// An API: `PROVIDER:MODEL[@BASE_URL]` (repeatable).
    #[arg(long, value_name = "TARGET")]
    pub api: Vec<String>,
    /// Finished answers of a log (Inspect, lm-evaluation-harness, OpenAI evals) as one more target (repeatable):
    /// they are graded and compared as they stand, and nothing is sent for them. Without --prompts the first log
    /// gives the prompts.
    #[arg(long, value_name = "LOG")]
    pub answers: Vec<PathBuf>,
    /// The prompts: a .jsonl, .csv, .toml or .txt file, a promptfoo configuration (.yaml, .json), samples of
    /// OpenAI evals, or a log of Inspect or lm-evaluation-harness.
    #[arg(long, value_name = "FILE", required_unless_present_any = ["resume", "replay", "synthetic", "explain", "answers"])]
    pub prompts: Option<PathBuf>,
    /// Go on with an interrupted run: its .journal.jsonl file, or the report beside it. Prompts and plan
    /// are the run's; its targets, keys, limits and output are given again, or asked for.
    #[arg(long, value_name = "RUN", conflicts_with_all = PLANNED)]
    pub resume: Option<PathBuf>,
    /// Make the report of a run again from its journal, without a single call. --margin, --slo and --graders
    /// may be given anew. With --judge the judge is asked about the answers that are there, and no one else.
    #[arg(long, value_name = "RUN", conflicts_with_all = ["prompts", "model", "api", "answers", "resume"])]
    pub replay: Option<PathBuf>,
    /// Say what a metric means (`ttft`, `goodput`, …; without a name: all of them), and measure nothing.
    #[arg(long, value_name = "METRIC", num_args = 0..=1, default_missing_value = "")]
    pub explain: Option<String>,
    /// How often each prompt is asked [default: 3], and each load is put on each target [default: 1].
    #[arg(long, value_name = "N", value_parser = up_to(1, MOST_REPEATS))]
    pub repeats: Option<u32>,
    /// Warm-up requests per target; under load, for each concurrent request, or seconds of a rate [default:
    /// 1].
    #[arg(long, value_name = "N", value_parser = up_to(0, MOST_WARMUP))]
    pub warmup: Option<u32>,
    /// Output limit where a prompt has none of its own [default: 256].
    #[arg(long, value_name = "N", value_parser = up_to(1, MOST_OUTPUT_TOKENS))]
    pub max_output_tokens: Option<u32>,
    /// Seed of the order of the requests and of the bootstrap [default: 0].
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// `bust`: a unique marker begins every prompt and conversation, so that no prompt cache of
    /// another one answers (the default); `cold`: also every turn, so that no turn finds the one before in
    /// a cache; `natural`: prompts as they are.
    #[arg(long, value_enum, value_name = "MODE")]
    pub cache: Option<Cache>,
    /// Largest loss of pass rate that still counts as good enough [default: 0.10].
    #[arg(long, value_name = "SHARE")]
    pub margin: Option<f64>,
    /// Stop asking as soon as it is clear for every pair of targets whether the first is worse than the
    /// second by the margin. One may look after every prompt: the chance of a wrong verdict stays at
    /// 2.5 %. Repeats of a prompt come together.
    #[arg(long, requires = "prompts", conflicts_with_all = ["concurrency", "rate"])]
    pub until_decided: bool,
    /// With --replay: grade the answers anew by what this prompt file expects of the same prompts.
    #[arg(long, value_name = "FILE", requires = "replay")]
    pub graders: Option<PathBuf>,
    /// The targets are the same open weights from several sellers, or on this machine: say of each how often it
    /// gives the same text as the reference, whether its tool calls fit, how much worse it is, its speed and price.
    #[arg(long)]
    pub same_weights: bool,
    /// Ask APIs for temperature 0 (many cloud models refuse it).
    #[arg(long)]
    pub api_greedy: bool,
    /// The API targets only stand in for a cloud API (always so for servers on this machine).
    #[arg(long)]
    pub stand_in: bool,

    #[command(flatten)]
    pub judging: JudgingArgs,

    #[command(flatten, next_help_heading = "Load")]
    pub load: LoadArgs,

    /// How private the prompts are. `strict`: none leaves this machine; APIs are refused.
    #[arg(long, value_name = "ANSWER", help_heading = "Privacy", value_parser = privacy_answer())]
    pub privacy: Option<crate::workload::Privacy>,
    /// A need written down (see `advise --profile`): its privacy answer holds here too.
    #[arg(long, value_name = "PROFILE", help_heading = "Privacy")]
    pub profile: Option<String>,
    /// Under strict privacy: this server on this machine generates the answers itself and passes
    /// nothing on (repeatable).
    #[arg(long, value_name = "ORIGIN", help_heading = "Privacy")]
    pub local_server: Vec<String>,
    /// Start without asking.
    #[arg(long, help_heading = "Spending")]
    pub yes: bool,
    /// Start without asking, and stop before more than this is spent.
    #[arg(long, value_name = "USD", help_heading = "Spending")]
    pub max_cost: Option<f64>,
    /// Show what would be sent and what it may cost; send nothing.
    #[arg(long, help_heading = "Spending")]
    pub dry_run: bool,
    /// Environment variable with the key of a server that is not a provider's own: NAME, or
    /// ORIGIN=NAME (repeatable).
    #[arg(long, value_name = "NAME", help_heading = "API options")]
    pub api_key_env: Vec<String>,
    /// The field of a chat request that limits the answer [default: what the provider takes]. If one is
    /// refused, the other is tried.
    #[arg(long, value_enum, value_name = "NAME", help_heading = "API options")]
    pub limit_field: Option<LimitName>,
    /// Send prompts to this host of your own network over plain http, unencrypted (repeatable).
    #[arg(long, value_name = "HOST", help_heading = "API options")]
    pub allow_http: Vec<String>,
    /// Send keys to the hosts of --allow-http, too.
    #[arg(long, requires = "allow_http", help_heading = "API options")]
    pub allow_http_keys: bool,
    /// Attempts after a failed one, where trying again can help.
    #[arg(long, value_name = "N", default_value_t = RETRIES, help_heading = "API options")]
    pub retries: u32,
    /// Longest wait for the first content.
    #[arg(long, value_name = "SECONDS", default_value_t = 180.0, help_heading = "API options")]
    pub first_timeout: f64,
    /// Longest silence in the middle of an answer.
    #[arg(long, value_name = "SECONDS", default_value_t = 60.0, help_heading = "API options")]
    pub idle_timeout: f64,
    /// Longest time for one answer.
    #[arg(long, value_name = "SECONDS", default_value_t = 600.0, help_heading = "API options")]
    pub timeout: f64,

    #[command(flatten, next_help_heading = "Local options")]
    pub local: LocalArgs,

    #[command(flatten)]
    pub output: OutputArgs,
}

impl Args {
    /// The arguments as plain values.
    pub fn asked(&self) -> Asked {
        Asked {
            models: self.model.clone(),
            apis: self.api.clone(),
            answers: self.answers.clone(),
            prompts: self.prompts.clone(),
            repeats: self.repeats,
            warmup: self.warmup,
            max_output_tokens: self.max_output_tokens,
            seed: self.seed,
            cache: self.cache,
            margin: self.margin,
            until_decided: self.until_decided,
            same_weights: self.same_weights,
            stand_in: self.stand_in,
            api_greedy: self.api_greedy,
            limit_field: self.limit_field.map(LimitName::field),
            key_variables: self.api_key_env.clone(),
            allow_http: self.allow_http.clone(),
            allow_http_keys: self.allow_http_keys,
            retries: self.retries,
            max_cost: self.max_cost,
            load: self.load.options(),
            judging: self.judging.options(),
            local: self.local.options(),
        }
    }
}

impl clap::ValueEnum for Cache {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Bust, Self::Cold, Self::Natural]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let value = PossibleValue::new(self.name());
        Some(match self {
            Self::Bust => value.help("Every prompt is new, and so is the beginning of every conversation"),
            Self::Cold => value.help("Every turn of a conversation is new, too"),
            Self::Natural => value,
        })
    }
}

/// The field of a chat request that limits the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LimitName {
    #[value(name = "max_tokens")]
    MaxTokens,
    #[value(name = "max_completion_tokens")]
    MaxCompletionTokens,
}

impl LimitName {
    pub(super) const fn field(self) -> crate::measure::wire::LimitField {
        match self {
            Self::MaxTokens => crate::measure::wire::LimitField::MaxTokens,
            Self::MaxCompletionTokens => crate::measure::wire::LimitField::MaxCompletionTokens,
        }
    }
}

/// The answers of `--privacy`, from the table of keys.
fn privacy_answer() -> impl clap::builder::TypedValueParser<Value = crate::workload::Privacy> {
    use crate::workload::{Answer as _, Privacy};
    use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser as _};
    let words = Privacy::WORDS.iter().map(|w| PossibleValue::new(w.word).help(w.means));
    PossibleValuesParser::new(words).try_map(|word| Privacy::from_word(&word).ok_or("no answer"))
}
