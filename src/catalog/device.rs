//! Finds catalogue records by what a driver calls a device, and by the name of a model file.

use super::{Accelerator, Catalog, HardwareClass, OpenModel, Vendor};

const GIB: f64 = 1_073_741_824.0;

/// The record whose name is contained in a driver's text; the longest name wins. Of equal ones, the record
/// with the number of cores in the text wins, then the one with the nearest memory and the form factor that
/// the driver names.
pub fn card_named<'a>(
    catalog: &'a Catalog,
    text: &str,
    memory_bytes: Option<u64>,
) -> Option<&'a Accelerator> {
    /// A different form factor counts like this many GiB of difference: it decides between cards with the
    /// same memory.
    const FORM: f64 = 4.0;
    let found = words(text);
    let cores = cores(&found);
    let mut best: Option<(usize, bool, f64, &Accelerator)> = None;
    for card in catalog.accelerators.iter().filter(|c| c.class != HardwareClass::Cpu) {
        let wanted = telling_words(&card.name);
        if wanted.is_empty() || !wanted.iter().all(|w| found.contains(w)) {
            continue;
        }
        // A name for laptops or for low power stands for another, slower chip.
        if SLOWER.iter().any(|word| found.iter().any(|w| w == word) && !wanted.iter().any(|w| w == word)) {
            continue;
        }
        let off = match (memory_bytes, card.memory_gib) {
            (Some(bytes), Some(gib)) => (bytes as f64 / GIB - gib).abs(),
            _ => 0.0,
        };
        let off = if other_form(text, card) { off + FORM } else { off };
        let as_many = cores.is_some() && cores == self::cores(&words(&card.name));
        let better = best.is_none_or(|(n, many, d, _)| {
            wanted.len().cmp(&n).then(as_many.cmp(&many)).then(d.total_cmp(&off)).is_gt()
        });
        if better {
            best = Some((wanted.len(), as_many, off, card));
        }
    }
    best.map(|(.., card)| card)
}

/// Words in a name that stand for another chip: `RTX 4090 Laptop GPU`, `GTX 1080 with Max-Q Design`.
const SLOWER: [&str; 2] = ["laptop", "q"];

/// The number of cores in a name: `M3 Max 30-core GPU`.
fn cores(words: &[String]) -> Option<u32> {
    let at = words.iter().position(|w| w == "core" || w == "cores")?;
    words.get(at.checked_sub(1)?)?.parse().ok()
}

fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|w| !w.is_empty())
        .map(str::to_ascii_lowercase)
        .collect()
}

/// The words of a name without those that drivers omit or write differently: makers, memory sizes, numbers
/// of cores.
fn telling_words(name: &str) -> Vec<String> {
    const SILENT: &[&str] =
        &["nvidia", "amd", "intel", "geforce", "radeon", "instinct", "sxm", "pcie", "gpu"];
    let all = words(name.split('(').next().unwrap_or(name));
    let counts = |n: usize| matches!(all.get(n).map(String::as_str), Some("gb" | "core"));
    let kept = |(n, word): &(usize, &String)| {
        let number_of = word.bytes().all(|b| b.is_ascii_digit()) && counts(n + 1);
        !number_of && !counts(*n) && !SILENT.contains(&word.as_str())
    };
    all.iter().enumerate().filter(kept).map(|(_, word)| word.clone()).collect()
}

/// Did a measurement run on this card? `record` is the id that its device was taken for, `description` the
/// driver's text for one device. `None` where that cannot be told.
pub fn is_card(
    catalog: &Catalog,
    record: Option<&str>,
    description: Option<&str>,
    card: &Accelerator,
) -> Option<bool> {
    let found =
        record.and_then(|id| catalog.accelerator(id)).or_else(|| card_named(catalog, description?, None))?;
    if found.id == card.id {
        return Some(true);
    }
    // Several records can share a driver's name: it contains neither the number of cores of an Apple chip
    // nor always the form factor. So a similar record may be the right one.
    let close = |a: Option<f64>, b: Option<f64>| a.zip(b).is_none_or(|(a, b)| (a - b).abs() < 0.02 * a);
    let alike = telling_words(&found.name) == telling_words(&card.name)
        && (card.vendor == Vendor::Apple || close(found.memory_gib, card.memory_gib));
    Some(alike && !description.is_some_and(|d| other_form(d, card)))
}

/// Do the driver's text and the record name different form factors: a card in a slot, a module on a board?
fn other_form(description: &str, card: &Accelerator) -> bool {
    let (said, own) = (words(description), words(&card.name));
    let form = |words: &[String], form: &str| words.iter().any(|w| w.starts_with(form));
    let (said_pcie, said_sxm) = (form(&said, "pcie"), form(&said, "sxm") || form(&said, "hbm3"));
    (said_pcie && form(&own, "sxm")) || (said_sxm && form(&own, "pcie"))
}

/// The open model in a file, by the file's name: `Meta-Llama-3.1-8B-Instruct-Q4_K_M.gguf`.
pub fn model_of_file<'a>(catalog: &'a Catalog, name: &str) -> Option<&'a OpenModel> {
    if let Some(model) = catalog.open_model(name) {
        return Some(model);
    }
    let (wanted, _) = split_format(name);
    let named = |text: &str| plain(text) == wanted;
    catalog.open_models.iter().find(|m| {
        named(&m.id) || m.repository.as_deref().and_then(|r| r.rsplit('/').next()).is_some_and(named)
    })
}

/// The weight format at the end of a file's name, as it is written there: `q4_k_m`.
pub fn format_of_file(name: &str) -> Option<String> {
    split_format(name).1
}

/// A file's name without extension, maker and format; and the format.
fn split_format(name: &str) -> (String, Option<String>) {
    let name = name.rsplit(['/', '\\']).next().unwrap_or(name).to_ascii_lowercase();
    let stem = name.strip_suffix(".gguf").unwrap_or(&name);
    match stem.rfind(['-', '.']).map(|at| (&stem[..at], &stem[at + 1..])) {
        Some((model, format)) if is_format(format) => (plain(model), Some(format.to_owned())),
        _ => (plain(stem), None),
    }
}

/// Is this a weight format, such as `q4_k_m`, `iq3_xxs`, `f16`, `bf16`, `mxfp4`?
fn is_format(word: &str) -> bool {
    let number = |rest: &str| rest.starts_with(|c: char| c.is_ascii_digit());
    ["q", "iq", "tq"].iter().any(|p| word.strip_prefix(p).is_some_and(number))
        || ["f16", "bf16", "f32", "fp16", "mxfp4", "nvfp4"].contains(&word)
}

/// A model's name for comparison: lower case, with hyphens, without the maker in front.
fn plain(name: &str) -> String {
    const MAKERS: &[&str] = &["meta-", "google-", "microsoft-", "mistralai-", "qwen-", "openai-"];
    let name = name.to_ascii_lowercase().replace(['_', ' '], "-");
    MAKERS.iter().find_map(|maker| name.strip_prefix(maker)).unwrap_or(&name).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drivers_names_find_their_record() {
        let catalog = Catalog::embedded();
        let id = |text: &str, gib: f64| {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let bytes = Some((gib * GIB) as u64);
            card_named(&catalog, text, bytes).map(|c| c.id.clone()).unwrap_or_default()
        };
        assert_eq!(id("NVIDIA GeForce RTX 4090", 24.0), "nvidia-rtx-4090");
        assert_eq!(id("NVIDIA GeForce RTX 3080 Ti", 12.0), "nvidia-rtx-3080-ti");
        assert_eq!(id("NVIDIA GeForce RTX 3080", 10.0), "nvidia-rtx-3080-10gb");
        assert_eq!(id("NVIDIA RTX A6000", 48.0), "nvidia-rtx-a6000");
        // The module for a socket has HBM3 memory, the card for a slot does not.
        assert_eq!(id("NVIDIA H100 80GB HBM3", 79.6), "nvidia-h100-sxm-80gb");
        assert_eq!(id("NVIDIA H100 PCIe", 79.6), "nvidia-h100-pcie-80gb");
        assert_eq!(id("NVIDIA A100-SXM4-40GB", 39.4), "nvidia-a100-sxm-40gb");
        assert_eq!(id("NVIDIA A100 80GB PCIe", 79.2), "nvidia-a100-pcie-80gb");
        assert_eq!(id("AMD EPYC 9554", 512.0), "");
        assert!(id("Apple M2 Max", 64.0).starts_with("apple-m2-max"));
        // With the number of cores, where the system says it.
        assert_eq!(id("Apple M2 Max, 38 cores", 64.0), "apple-m2-max-38");
        assert_eq!(id("Apple M3 Max 30-core GPU", 36.0), "apple-m3-max-30");
        // A laptop's chip is not the card of the same name, and is never taken for it.
        assert_eq!(id("NVIDIA GeForce RTX 4090 Laptop GPU", 16.0), "nvidia-rtx-4090-laptop");
        assert_eq!(id("NVIDIA RTX 5000 Ada Generation Laptop GPU", 16.0), "nvidia-rtx-5000-ada-laptop");
        assert_eq!(id("NVIDIA GeForce GTX 1080 with Max-Q Design", 8.0), "");
        assert_eq!(id("NVIDIA GeForce RTX 9090 Laptop GPU", 32.0), "");
        let max_q = "NVIDIA RTX PRO 6000 Blackwell Max-Q Workstation Edition";
        assert_eq!(id(max_q, 96.0), "nvidia-rtx-pro-6000-blackwell-max-q");
        assert_eq!(
            id("NVIDIA RTX PRO 6000 Blackwell Workstation Edition", 96.0),
            "nvidia-rtx-pro-6000-blackwell"
        );
        assert_eq!(id("NVIDIA GeForce RTX 3060", 12.0), "nvidia-rtx-3060-12gb");
        assert_eq!(id("NVIDIA GeForce RTX 3060", 8.0), "nvidia-rtx-3060-8gb");
        assert_eq!(id("NVIDIA GeForce RTX 4090 D", 24.0), "nvidia-rtx-4090-d");
        assert_eq!(id("AMD Radeon 890M Graphics", 0.0), "amd-radeon-890m");
    }

    #[test]
    fn a_card_is_told_from_its_neighbours() {
        let catalog = Catalog::embedded();
        let card = |id: &str| catalog.accelerator(id).expect(id);
        let is = |record: &str, text: &str, wanted: &str| {
            is_card(&catalog, Some(record), Some(text), card(wanted)).expect("known")
        };
        assert!(is("nvidia-rtx-4090", "NVIDIA GeForce RTX 4090", "nvidia-rtx-4090"));
        assert!(!is("nvidia-rtx-4090", "NVIDIA GeForce RTX 4090", "nvidia-rtx-3090"));
        assert!(!is("nvidia-rtx-3080-10gb", "NVIDIA GeForce RTX 3080", "nvidia-rtx-3080-12gb"));
        // The driver does not say how many cores an Apple chip has.
        assert!(is("apple-m5-max-40", "Apple M5 Max", "apple-m5-max-32"));
        assert!(!is("apple-m5-max-40", "Apple M5 Max", "apple-m5-ultra-80"));
        // Both are H100s with 80 GB; the driver's text tells which is meant.
        assert!(is("nvidia-h100-pcie-80gb", "NVIDIA H100 80GB HBM3", "nvidia-h100-sxm-80gb"));
        assert!(!is("nvidia-h100-pcie-80gb", "NVIDIA H100 PCIe", "nvidia-h100-sxm-80gb"));
        let unknown = is_card(&catalog, None, Some("GPU of tomorrow"), card("nvidia-rtx-4090"));
        assert_eq!(unknown, None);
        let told = is_card(&catalog, None, Some("NVIDIA GeForce RTX 3060"), card("nvidia-rtx-4090"));
        assert_eq!(told, Some(false));
    }

    #[test]
    fn files_are_named_after_models() {
        let catalog = Catalog::embedded();
        let id = |name: &str| model_of_file(&catalog, name).map(|m| m.id.as_str());
        assert_eq!(id("smollm2-135m-instruct-q4_1.gguf"), Some("smollm2-135m-instruct"));
        assert_eq!(id("SmolLM2-135M-Instruct.Q4_1.gguf"), Some("smollm2-135m-instruct"));
        assert_eq!(id("Meta-Llama-3.1-8B-Instruct-Q4_K_M.gguf"), Some("llama-3.1-8b-instruct"));
        assert_eq!(id("llama-3.1-8b-instruct"), Some("llama-3.1-8b-instruct"));
        assert_eq!(id("my-own-tune.gguf"), None);
        assert_eq!(format_of_file("smollm2-135m-instruct-q4_1.gguf").as_deref(), Some("q4_1"));
        assert_eq!(format_of_file("llama-3.1-8b-instruct"), None);
    }
}
