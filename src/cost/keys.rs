//! The table of keys of offers, hybrids and finance. Together with those of the need
//! ([`crate::workload::keys`]) these are all keys of a scenario: the TOML reader, the flags, the checks,
//! the list of inputs in documents and the schema come from them. `applies` says for which kinds of offer a
//! key has an effect; for others it is refused.

use crate::workload::keys::{self, Applies, Key, Section};

const NONE: Applies = Applies::ALL;
const API: Applies = Applies::API;
const RENTED: Applies = Applies::RENTED;
const BOUGHT: Applies = Applies::BOUGHT;
const HARDWARE: Applies = Applies::HARDWARE;

/// Keys of `[[cloud]]`.
pub mod cloud {
    use super::{API, NONE, RENTED};
    use crate::workload::keys::{AMOUNT, CHANGE, Key, Kind, SHARE, WHOLE, Word, declare_keys};

    /// The prices that a `[[cloud.change]]` may set, beside `from`.
    pub const RATES: &[&Key] = &[INPUT, OUTPUT, CACHE_READ, CACHE_WRITE, REASONING];
    const KINDS: &[Word] = &[
        Word { word: "api", means: "an API, paid by the token" },
        Word { word: "rented", means: "a GPU rented by the hour" },
    ];
    declare_keys! { Cloud:
        MODEL = "model", Kind::Text, "", API, "Id of an API model in the catalogue";
        NAME = "name", Kind::Text, "", NONE, "Name of the offer";
        SUBSCRIPTION = "subscription", Kind::Text, "", API, "Id of a subscription in the catalogue: seats for people; past what they hold, the prices of `model`";
        SEATS = "seats", WHOLE, "seats", API, "People who have a seat of the subscription";
        INPUT = "input_usd_per_mtok", AMOUNT, "USD/Mtok", API, "Price of a million input tokens";
        OUTPUT = "output_usd_per_mtok", AMOUNT, "USD/Mtok", API, "Price of a million output tokens";
        CACHE_READ = "cache_read_usd_per_mtok", AMOUNT, "USD/Mtok", API, "Price of a million cached input tokens";
        CACHE_WRITE = "cache_write_usd_per_mtok", AMOUNT, "USD/Mtok", API, "Price of a million input tokens written to the cache";
        REASONING = "reasoning_usd_per_mtok", AMOUNT, "USD/Mtok", API, "Price of a million reasoning tokens, where not billed as output";
        BATCH_MULTIPLIER = "batch_multiplier", SHARE, "x", API, "Factor on every price for batch requests";
        PRICE_CHANGE = "price_change_per_year", CHANGE, "per year", API, "Change of the prices per year; signed (-0.2 falls by 20 %)";
        FIXED = "fixed_usd_per_month", AMOUNT, "USD/month", API, "Paid every month whatever the volume";
        RETRY_SHARE = "retry_share", AMOUNT, "share", API, "Requests paid again because the first answer was unusable";
        STAFF_HOURS = "staff_hours_per_month", AMOUNT, "h/month", API, "Hours somebody spends on the API: keys, limits, new model versions";
        STAFF_RATE = "staff_usd_per_hour", AMOUNT, "USD/h", API, "Cost of one staff hour";
        ONE_OFF = "one_off_usd", AMOUNT, "USD", API, "Paid once at the start: contract, security review, integration";
        UPLIFT = "uplift_share", AMOUNT, "share", API, "On top of every payment: support, egress, tax";
        CREDITS = "credits_usd", AMOUNT, "USD", API, "Credits that pay for the first requests";
        MINIMUM = "minimum_usd_per_month", AMOUNT, "USD/month", API, "Least that is paid for a month's requests";
        FREE_REQUESTS = "free_requests_per_month", AMOUNT, "requests/month", API, "Requests of a month that cost nothing";
        DISCOUNTS = "discount", Kind::Discounts, "", API, "Off the part of a month's bill above an amount: `{above_usd = 1000, share = 0.1}`";
        CHANGES = "change", Kind::Changes(RATES), "", API, "Prices from a day on: {from = \"YYYY-MM-DD\", input_usd_per_mtok = ...}";
        KIND = "kind", Kind::Choice(KINDS), "", NONE, "rented: the baseline is a GPU rented by the hour";
        USD_PER_HOUR = "usd_per_hour", AMOUNT, "USD/h", RENTED, "Rent of one unit, all its GPUs (rented baseline)";
        BILLED_HOURS = "billed_hours_per_month", AMOUNT, "h/month", RENTED, "Hours billed in a month (rented baseline)";
        UNITS = "units", WHOLE, "units", RENTED, "Units rented (rented baseline)";
    }
}

/// Keys of `[[local]]`.
pub mod local {
    use super::{BOUGHT, HARDWARE, NONE, RENTED};
    use crate::workload::keys::{AMOUNT, Applies, FACTOR, Kind, SHARE, WHOLE, Word, declare_keys};

    const FINANCED: Applies = Applies::FINANCED;
    const TERM: Applies = FINANCED.and(RENTED);
    const COUNT: Kind = Kind::Whole { min: 0, max: 1000 };
    const WAIT: Kind = Kind::Whole { min: 0, max: 60 };
    const BACKENDS: &[Word] = &[
        Word { word: "vllm", means: "vLLM" },
        Word { word: "sglang", means: "SGLang, predicted as vLLM" },
        Word { word: "llama.cpp", means: "llama.cpp's server" },
        Word { word: "mlx", means: "MLX, on Apple chips" },
    ];
    const KINDS: &[Word] = &[
        Word { word: "owned", means: "bought" },
        Word { word: "financed", means: "bought with a loan" },
        Word { word: "rented", means: "rented by the hour" },
    ];
    declare_keys! { Local:
        KIND = "kind", Kind::Choice(KINDS), "", NONE, "How it is paid for";
        HARDWARE_ID = "hardware", Kind::Text, "", HARDWARE, "Id of a GPU, machine or rental in the catalogue";
        HOSTS = "hosts", Kind::Texts, "", BOUGHT, "What is owned already and costs nothing to buy: `4x nvidia-h100-sxm-80gb`, `4x ID@HOST`, `2x dgx-h100`";
        MODEL = "model", Kind::Text, "", HARDWARE, "Id of an open model in the catalogue";
        QUANTISATION = "quantisation", Kind::Text, "", HARDWARE, "Quantisation of the weights";
        NAME = "name", Kind::Text, "", NONE, "Name of the offer";
        PURCHASE = "purchase_usd", AMOUNT, "USD", BOUGHT, "Purchase price of one unit";
        INSTALL = "install_usd", AMOUNT, "USD", BOUGHT, "Installation of one unit, once";
        UNITS = "units", WHOLE, "units", HARDWARE, "Units; without it, as many as the peak needs";
        GPUS_PER_UNIT = "gpus_per_unit", WHOLE, "GPUs", HARDWARE, "GPUs in one unit, where the hardware is a GPU";
        LIFE = "life_months", Kind::Months, "months", BOUGHT, "Months until a unit is replaced";
        RESIDUAL = "residual_share", SHARE, "share", BOUGHT, "Share of the purchase price a unit still fetches when it leaves service";
        SPARES = "spare_share", AMOUNT, "share", BOUGHT, "Spare parts, as a share of the purchase price";
        IDLE_WATTS = "idle_watts", AMOUNT, "W", BOUGHT, "Power of one unit without load, at the wall";
        LOAD_WATTS = "load_watts", AMOUNT, "W", BOUGHT, "Power of one unit under load, at the wall";
        USD_PER_KWH = "usd_per_kwh", AMOUNT, "USD/kWh", BOUGHT, "Electricity price";
        TARIFF = "tariff", Kind::Text, "", BOUGHT, "Id of an electricity tariff in the catalogue";
        PUE = "pue", FACTOR, "x", BOUGHT, "Power usage effectiveness: cooling and losses";
        POWERED_HOURS = "powered_hours_per_month", Kind::Positive, "h/month", BOUGHT, "Hours in a month a unit is switched on";
        STAFF_HOURS = "staff_hours_per_month", AMOUNT, "h/month", HARDWARE, "Staff hours for the whole deployment";
        STAFF_RATE = "staff_usd_per_hour", AMOUNT, "USD/h", HARDWARE, "Cost of one staff hour";
        HOSTING = "hosting_usd_per_month", AMOUNT, "USD/month", HARDWARE, "Rack, room, network: of one unit";
        MAINTENANCE = "maintenance_share_per_year", SHARE, "per year", BOUGHT, "Maintenance, as a share of the purchase price";
        STAFF_FURTHER = "staff_hours_per_further_unit", AMOUNT, "h/month", HARDWARE, "Staff hours a month for each unit after the first";
        ONE_OFF = "one_off_usd", AMOUNT, "USD", HARDWARE, "Paid once at the start, for the whole deployment: planning, moving, integration";
        UPLIFT = "uplift_share", AMOUNT, "share", HARDWARE, "On top of every payment: support, tax";
        SPARE_UNITS = "spare_units", COUNT, "units", HARDWARE, "Units that stand by for one that fails";
        DELIVERY = "delivery_months", WAIT, "months", HARDWARE, "Months until it works; the other side is paid meanwhile";
        OVERLAP = "overlap_months", WAIT, "months", HARDWARE, "Months in which both sides run, from delivery on";
        LICENCE = "licence_usd_per_month", AMOUNT, "USD/month", HARDWARE, "Software licences of one unit";
        OTHER = "other_usd_per_month", AMOUNT, "USD/month", HARDWARE, "Anything else, for the whole deployment";
        USD_PER_HOUR = "usd_per_hour", AMOUNT, "USD/h", RENTED, "Rent of one unit, all its GPUs";
        BILLED_HOURS = "billed_hours_per_month", Kind::Positive, "h/month", RENTED, "Hours of rent billed in a month";
        TERM_MONTHS = "term_months", Kind::Months, "months", TERM, "Months of the loan, or of the commitment to rent";
        RATE = "rate_per_year", SHARE, "per year", FINANCED, "Interest of the loan";
        PREFILL = "prefill_tokens_per_second", Kind::Positive, "tokens/s", HARDWARE, "Input tokens one unit reads in a second, all requests together";
        DECODE = "decode_tokens_per_second", Kind::Positive, "tokens/s", HARDWARE, "Output tokens one unit writes in a second, all requests together";
        BACKEND = "backend", Kind::Choice(BACKENDS), "", HARDWARE, "Engine that serves the model";
        KV_TYPE = "kv_type", Kind::Text, "", HARDWARE, "Format of keys and values in the cache: `F16`, `Q8_0`, `FP8`";
        TENSOR_PARALLEL = "tensor_parallel", WHOLE, "accelerators", HARDWARE, "Accelerators that share the work on every layer";
        CACHED_INPUT_SHARE = "cached_input_share", SHARE, "share", HARDWARE, "Share of the input that its own prefix cache holds";
        CONCURRENCY = "concurrency", WHOLE, "requests", HARDWARE, "Requests served at once, at which the speeds hold";
        CEILING = "utilisation_ceiling", Kind::Number { min: 0.01, max: 1.0 }, "share", HARDWARE, "Share of its capacity a unit is loaded with at the peak";
        SAME_AS_MEASURED = "same_as_measured", Kind::Flag, "", HARDWARE, "This is the machine and the model of the bench document, where it does not say so";
        TOKENISER_RATIO = "tokeniser_ratio", Kind::Positive, "x", HARDWARE, "Local tokens per cloud token of the same text";
        RETRY_SHARE = "retry_share", AMOUNT, "share", HARDWARE, "Requests run again because the first answer was unusable";
        PREFILL_FREE = "prefill_free", Kind::Flag, "", HARDWARE, "Reading the input takes no time (only to reproduce published models)";
        INPUT_AS_OUTPUT = "charge_input_as_output", Kind::Flag, "", HARDWARE, "Input is read at the speed of output (only to reproduce published models)";
    }
}

/// Keys of `[hybrid]`.
pub mod hybrid {
    use super::NONE;
    use crate::workload::keys::{Kind, SHARE, declare_keys};
    declare_keys! { Hybrid:
        LOCAL_SHARE = "local_share", SHARE, "share", NONE, "Share of the requests sent to the local side first";
        ESCALATION_SHARE = "escalation_share", SHARE, "share", NONE, "Share of those that are sent on to the cloud, and so paid twice";
        PROFILE = "profile", Kind::Profile, "", NONE, "Load by hour of the week: office-hours, flat, or 168 numbers";
    }
}

/// Keys of `[finance]`.
pub mod finance {
    use super::NONE;
    use crate::workload::keys::{Kind, SHARE, declare_keys};
    declare_keys! { Finance:
        DISCOUNT_RATE = "discount_rate_per_year", SHARE, "per year", NONE, "Discount rate";
        CURRENCY = "currency", Kind::Text, "", NONE, "Currency of the report, ISO 4217";
        USD_RATE = "usd_rate", Kind::Positive, "per USD", NONE, "Units of that currency for one USD";
    }
}

/// The keys of a section of a scenario.
pub const fn of(section: Section) -> &'static [&'static Key] {
    match section {
        Section::Answers => keys::answers::KEYS,
        Section::Need => keys::need::KEYS,
        Section::Cloud => cloud::KEYS,
        Section::Local => local::KEYS,
        Section::Hybrid => hybrid::KEYS,
        Section::Finance => finance::KEYS,
    }
}

/// Every key of a scenario, in the order in which help shows them.
pub fn all() -> impl Iterator<Item = &'static Key> {
    Section::OF_SCENARIO.into_iter().flat_map(|s| of(s).iter().copied())
}

/// The key with this name in a section.
pub fn find(section: Section, name: &str) -> Option<&'static Key> {
    keys::find(of(section), name)
}

/// The key that a dotted name stands for, and the index of its offer, from 0: `local.2.units` is a key of
/// the second.
pub fn of_path(path: &str) -> Option<(&'static Key, usize)> {
    let parts: Vec<&str> = path.split('.').collect();
    let (section, key, offer) = match parts[..] {
        [section, key] => (section, key, 0),
        [section, n, key] => (section, key, n.parse::<usize>().ok()?.checked_sub(1)?),
        _ => return None,
    };
    Some((find(Section::named(section)?, key)?, offer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_stands_twice_and_each_is_explained() {
        let all: Vec<&Key> = all().collect();
        for (n, key) in all.iter().enumerate() {
            assert!(
                !all[..n].iter().any(|k| k.section == key.section && k.name == key.name),
                "{}",
                key.path()
            );
            assert!(!key.help.is_empty(), "{}", key.path());
        }
    }

    #[test]
    fn dotted_names_are_keys() {
        assert_eq!(of_path("local.2.units"), Some((local::UNITS, 1)));
        assert_eq!(of_path("need.start").map(|k| k.0.name), Some("start"));
        assert_eq!(of_path("local.0.units"), None);
        assert_eq!(of_path("nothing.here"), None);
    }
}
