//! The READMEs: what the folder contains, what to do, how it is accepted, and what was left out.

use super::image;
use super::input::{Deployment, Place, Served, Weights};
use super::recipe::{LeftOut, Recipe};
use crate::capacity::KvType;
use crate::render::view::{Block, Table, View};

/// The README of one recipe's folder.
pub(super) fn of(recipe: &Recipe) -> String {
    let mut view = View::new(recipe.title.clone());
    for step in &recipe.steps {
        view.paragraph(step.text.clone());
        if !step.command.is_empty() {
            view.push(Block::Code(step.command.clone()));
        }
    }
    if let Some(accept) = &recipe.accept {
        view.heading("Does it hold?");
        let when = match (accept.contains("--slo"), accept.contains("--concurrency")) {
            (true, true) => "It is accepted when most requests keep the limits at this load.",
            (true, false) => "It is accepted when most requests keep the limits.",
            (false, _) => {
                "The need has no limit on latency that could be kept or missed: this measures how much gets done, \
                 and every request must be answered."
            }
        };
        view.paragraph(format!(
            "{when} Put your own prompts in place of the made-up ones to measure quality, too."
        ));
        view.push(Block::Code(accept.clone()));
    }
    if !recipe.notes.is_empty() {
        view.heading("Good to know");
        view.push(Block::List(recipe.notes.clone()));
    }
    left_out(&mut view, &recipe.left_out);
    view.to_markdown()
}

/// The README of the whole folder.
pub(super) fn whole(of: &Deployment, recipes: &[Recipe], lacking: &[LeftOut]) -> String {
    let mut view = View::new(format!("Deployment: {}", of.title));
    view.paragraph(format!(
        "Written by freehold {} from {}. Nothing in here is secret: keys are read from the environment or from \
         secrets that you make.",
        env!("CARGO_PKG_VERSION"),
        of.from
    ));
    if let Some(served) = &of.served {
        view.push(Block::Table(facts(of, served)));
    }
    if recipes.is_empty() {
        view.paragraph("No recipe could be written; what is missing stands below.");
    } else {
        let mut table = Table::new(&["!folder", "what it does"]);
        for recipe in recipes {
            table.row([recipe.folder.into(), recipe.title.as_str().into()]);
        }
        view.heading("Recipes");
        if recipes.len() > 1 {
            view.paragraph(
                "Each stands alone unless it says otherwise; take the one that fits your machines.",
            );
        }
        view.push(Block::Table(table));
        view.paragraph(
            "Each folder has a README with the steps and with the command that accepts the result.",
        );
    }
    left_out(&mut view, lacking);
    view.to_markdown()
}

fn left_out(view: &mut View, lacking: &[LeftOut]) {
    if !lacking.is_empty() {
        view.heading("Not written");
        view.push(Block::List(lacking.iter().map(|l| format!("{}: {}", l.path, l.because)).collect()));
    }
}

fn facts(of: &Deployment, served: &Served) -> Table {
    let mut table = Table::new(&["what", "as planned"]);
    let mut row = |name: &str, value: String| table.row([name.into(), value.into()]);
    row("model", served.name.clone());
    row("weights", weights(served));
    row("engine", super::server::product(served.engine).to_owned());
    row("weight format", served.format.clone());
    row("KV cache", kv(served.kv).to_owned());
    let hosts = match served.spare_hosts {
        0 => count(served.hosts, "machine"),
        spare => format!("{}, {spare} of them spare", count(served.hosts, "machine")),
    };
    row("machines", format!("{hosts}, with {}", served.accelerator.name));
    if let Place::Rented { provider: Some(provider), instance: Some(instance), .. } = &served.place {
        row("rented", format!("{instance} of {provider}"));
    }
    let split = match (served.tensor, served.pipeline) {
        (1, 1) => "1 accelerator each".to_owned(),
        (t, 1) => format!("{t} accelerators each, every layer split over them"),
        (t, p) => format!("{} accelerators each: {t} for every layer, {p} groups of layers", t * p),
    };
    row("copies of the model", format!("{}, {split}", count(served.replicas, "copy")));
    row("requests at once", format!("{} for each copy", served.concurrency));
    row("longest request", format!("{} tokens, input and output", served.context_tokens));
    if let Some(ms) = of.limits.ttft_ms {
        row("limit on the first token", format!("{ms} ms (95th percentile)"));
    }
    if let Some(ms) = of.limits.tpot_ms {
        row("limit on each further token", format!("{ms} ms (95th percentile)"));
    }
    table
}

fn weights(served: &Served) -> String {
    match &served.weights {
        Weights::Repository(repo) => format!("{repo} on the Hugging Face Hub"),
        Weights::RoundedToFp8(repo) => {
            format!(
                "{repo} on the Hugging Face Hub: 16-bit weights, rounded to FP8 while the server loads them"
            )
        }
        Weights::Converted(repo) => {
            format!(
                "{repo} on the Hugging Face Hub, converted to {} with llama.cpp {}",
                served.format,
                image::LLAMA_CPP.name
            )
        }
        Weights::Gguf { repository, file: Some(file) } => {
            format!("{file} of {repository} on the Hugging Face Hub")
        }
        Weights::Gguf { repository, file: None } => {
            format!("the {} file of {repository} on the Hugging Face Hub", served.format)
        }
    }
}

/// A KV cache format, as people write it.
pub(super) const fn kv(kv: KvType) -> &'static str {
    match kv {
        KvType::F16 => "16 bits",
        KvType::Q8_0 => "Q8_0",
        KvType::Q4_0 => "Q4_0",
        KvType::Fp8 => "FP8",
    }
}

/// `1 machine`, `2 machines`, `2 copies`.
pub(super) fn count(number: u32, what: &str) -> String {
    match (number, what.strip_suffix('y')) {
        (1, _) => format!("1 {what}"),
        (n, Some(stem)) => format!("{n} {stem}ies"),
        (n, None) => format!("{n} {what}s"),
    }
}
