//! What to do first: steps that can be followed with what is there, and commands that run.

use super::decided::usd;
use crate::advise::Placement;
use crate::advise::options::{Kind, Terms};
use crate::catalog::{ApiModel, Catalog};
use crate::deploy::{self, read};
use crate::document::advice::{AdviceDocument, Models, RecipeStep, target};
use crate::document::repeat::{self, quoted};
use crate::workload::{Modifier, Privacy};

/// The command that writes the files of an advice.
const DEPLOY: &str = "freehold deploy advice.json";

/// What the steps towards an option depend on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Start<'a> {
    pub kind: Kind,
    /// Its own side runs on machines that are rented.
    pub rented: bool,
    /// Its model that is paid by the token.
    pub api: Option<&'a ApiModel>,
    /// What the provider of that model is expected to be paid, US dollars a month.
    pub api_usd: Option<f64>,
    /// Id and name of the accelerator of its own side.
    pub accelerator: Option<(&'a str, &'a str)>,
    pub terms: &'a Terms,
}

/// A step without a command.
fn said(text: impl Into<String>) -> RecipeStep {
    RecipeStep { text: text.into(), code: None }
}

/// The first steps towards an option, but for the files that run it.
pub(super) fn towards(start: &Start<'_>, catalog: &Catalog) -> Vec<RecipeStep> {
    let mut steps = Vec::new();
    match (start.kind, start.api) {
        (_, Some(model)) => steps.push(measured(catalog, model)),
        (Kind::Api | Kind::SameModel | Kind::Routed | Kind::Overflow, None) => steps.push(RecipeStep {
            text: "Take a few dozen of your own prompts and measure the API on them; put its service and its model in the place of PROVIDER:MODEL (`freehold bench --help` lists the services).".to_owned(),
            code: Some("freehold bench --api PROVIDER:MODEL --prompts prompts.jsonl --dry-run".to_owned()),
        }),
        _ => {}
    }
    steps.push(match start.kind {
        Kind::Api | Kind::SameModel => limit(start.api_usd),
        Kind::Seats => said("Buy seats for one team first, and see in a month who uses them."),
        Kind::Have => said(
            "Serve the model on one of your machines for a day, and measure speed and answers under your load beside what runs there now.",
        ),
        Kind::Rented | Kind::Owned | Kind::Routed | Kind::Overflow => tried(start, catalog),
    });
    if start.kind.placement() != Placement::Cloud {
        steps.push(person());
    }
    steps
}

/// The first steps where nothing was priced. `without_numbers`: the need has none.
pub(super) fn unpriced(
    document: &AdviceDocument,
    models: &Models,
    catalog: &Catalog,
    without_numbers: bool,
) -> Vec<RecipeStep> {
    let placement = document.result.placement;
    let mut steps = Vec::new();
    if without_numbers {
        steps.push(RecipeStep {
            text: "Count requests and tokens of a month in your logs, exports or bills; their names go in the place of RECORDS.".to_owned(),
            code: Some("freehold usage RECORDS -o usage.json".to_owned()),
        });
        steps.push(RecipeStep {
            text: "Advise again with them (or with estimates: `--requests-per-month`, `--input-tokens`, `--output-tokens`), so that every option is priced.".to_owned(),
            code: Some(format!("{} --usage usage.json", repeat::command("advice", &document.inputs))),
        });
    }
    let api = models.api.as_ref().and_then(|api| catalog.api_model(&api.id));
    if placement != Placement::Local {
        steps.extend(api.map(|model| measured(catalog, model)));
    }
    if placement != Placement::Cloud {
        if let Some(open) = &models.open {
            steps.push(RecipeStep {
                text: "See which hardware carries the model, and how fast.".to_owned(),
                code: Some(format!("freehold fit --model {}", quoted(&open.id))),
            });
        }
        steps.push(person());
    }
    steps
}

/// An API model measured on the user's own prompts.
fn measured(catalog: &Catalog, model: &ApiModel) -> RecipeStep {
    let target = target(catalog, model);
    let known = !target.ends_with("BASE_URL");
    let place = if known { "" } else { " Put the address in its documentation in the place of BASE_URL." };
    RecipeStep {
        text: format!(
            "Take a few dozen of your own prompts and measure {} on them; the first call of this command costs nothing.{place}",
            if known { "the API" } else { &model.id }
        ),
        code: Some(format!("freehold bench --api {} --prompts prompts.jsonl --dry-run", quoted(&target))),
    }
}

/// Least limit on spending that is worth setting, US dollars a month.
const LEAST_LIMIT: f64 = 10.0;

fn limit(expected: Option<f64>) -> RecipeStep {
    let Some(expected) = expected else {
        return said("Set a limit at the provider of twice what a month is expected to cost.");
    };
    let twice = expected * 2.0;
    said(if twice >= LEAST_LIMIT {
        format!("Set a limit of about {} a month at the provider, twice what is expected.", usd(twice))
    } else {
        format!(
            "Set a limit of about {} a month at the provider (expected: {}).",
            usd(LEAST_LIMIT),
            usd(expected)
        )
    })
}

fn person() -> RecipeStep {
    said("Name the person who looks after it, and who does when that person is away.")
}

/// The machine tried out before it is paid for.
fn tried(start: &Start<'_>, catalog: &Catalog) -> RecipeStep {
    let guarded =
        start.terms.answers.privacy != Privacy::Standard || start.terms.modifiers.contains(Modifier::Offline);
    let stays =
        start.terms.answers.privacy == Privacy::Strict || start.terms.modifiers.contains(Modifier::Offline);
    if start.rented {
        return said(if guarded {
            "Sign the agreement, rent one machine for a day, serve the model, and measure it under your load before you commit; before it is signed, with made-up prompts of the same size."
        } else {
            "Rent one machine for a day, serve the model, and measure it under your load before you commit."
        });
    }
    let Some((id, name)) = start.accelerator else {
        return said(if stays {
            "Before you order more than one: serve the model on the first machine in your own rooms, and measure speed and answers under your load."
        } else {
            "Before you order: try the same accelerator (rented for a day, or bought with a right of return), serve the model, and measure speed and answers under your load."
        });
    };
    if !catalog.rentals.iter().any(|r| r.accelerator == id) {
        return said(format!(
            "No offer to rent {name} is known: buy one with a right of return, serve the model, and measure speed and answers under your load before you keep it or order more."
        ));
    }
    said(if guarded {
        format!(
            "Before you order: rent {name} for a day, serve the model, and measure its speed with made-up prompts of the same size, because your own would leave with it. Measure the answers to your own prompts on the first machine that is yours."
        )
    } else {
        format!(
            "Before you order: rent {name} for a day, serve the model, and measure speed and answers under your load."
        )
    })
}

/// Can `deploy` write the files of a document?
enum Files {
    Written,
    /// Only where the user names a repository with the weights.
    WithWeights,
    No,
}

fn files(document: &AdviceDocument, catalog: &Catalog) -> Files {
    let Ok(value) = serde_json::to_value(document) else { return Files::No };
    let made = |weights: Option<&str>| {
        let asked = read::Asked { weights: weights.map(str::to_owned), ..read::Asked::default() };
        let folder = deploy::folder(&read::deployment("advice.json", &value, catalog, &asked).ok()?);
        let lacking = folder.left_out.iter().any(|l| l.because.contains("--weights"));
        // A README that only says what is missing is not a deployment.
        (folder.files.len() > 1).then_some(lacking)
    };
    match (made(None), made(Some("OWNER/REPO"))) {
        (Some(false), _) => Files::Written,
        (_, Some(false)) => Files::WithWeights,
        (Some(true), _) => Files::Written,
        (None, _) => Files::No,
    }
}

/// Adds the step that writes the files, where `deploy` can write them, and mends or removes such a step in
/// the recipes. Comes last, because `deploy` reads the whole document.
pub(in crate::app::advise) fn write_files(document: &mut AdviceDocument, catalog: &Catalog) {
    let files = files(document, catalog);
    let command = match files {
        Files::Written => Some(format!("{DEPLOY} -o deployment")),
        Files::WithWeights => Some(format!("{DEPLOY} --weights OWNER/REPO -o deployment")),
        Files::No => None,
    };
    let result = &mut document.result;
    let plan = result.options.iter().find(|o| result.chosen.as_ref() == Some(&o.id));
    let which = match (&files, plan.and_then(|o| o.plan.as_ref())) {
        (Files::WithWeights, Some(plan)) => format!(
            " Put a repository of the Hugging Face Hub that has {} weights of {} for {} in the place of OWNER/REPO.",
            plan.quantisation, plan.model, plan.engine
        ),
        _ => String::new(),
    };
    if let Some(code) = &command
        && result.chosen.is_some()
    {
        result.first_steps.push(RecipeStep {
            text: format!("Save this advice (`-o advice.json`), and write the files that run it.{which}"),
            code: Some(code.clone()),
        });
    }
    let unplanned = plan_is_missing(result.chosen.is_some());
    for step in result.recipes.iter_mut().flat_map(|r| &mut r.steps) {
        if !step.code.as_deref().is_some_and(|c| c.starts_with(DEPLOY)) {
            continue;
        }
        match &command {
            Some(code) => {
                step.code = Some(code.clone());
                step.text.push_str(&which);
            }
            None => *step = said(unplanned),
        }
    }
}

/// What to do where there is no plan whose files could be written.
const fn plan_is_missing(priced: bool) -> &'static str {
    if priced {
        "Serve it with a server that batches requests; `freehold fit --plan` plans machines and copies, and `freehold deploy` writes the files of that plan where it has a recipe."
    } else {
        "Say how many requests there are and how long they are (`--requests-per-month`, `--input-tokens`, `--output-tokens`) and advise again: the machines are then planned, and `freehold deploy` writes the files that run them."
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// "Twice what is expected" is only said of what is twice as much.
    #[test]
    fn a_limit_is_what_its_sentence_says() {
        assert!(limit(Some(2.56)).text.contains("$10.00 a month at the provider (expected: $2.56)"));
        assert!(limit(Some(0.0)).text.contains("(expected: $0"));
        assert!(limit(Some(150.0)).text.contains("$300 a month at the provider, twice"));
        assert!(!limit(None).text.contains('$'));
    }
}
