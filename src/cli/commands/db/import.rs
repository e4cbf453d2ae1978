//! `db import`: a price file others keep → records of one's own, after a look at what changes.

use super::document;
use crate::catalog::compare::{Change, Comparison, Implausible, compare};
use crate::catalog::import::{self, Format, Imported, Origin, Reason, Skipped, names};
use crate::catalog::{ApiModel, Catalog, Resolution, check, write};
use crate::cli::ask::{Ask as _, Terminal};
use crate::cli::catalog::{load, read_capped, user_folder};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output::{OutputArgs, write_atomic};
use crate::measure::page;
use crate::render::{Block, Cell, Table, View};
use std::path::{Path, PathBuf};

/// Take over prices from a file others keep; shows what changes, asks, writes records of your own.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  freehold db import data.json --from genai-prices
  freehold db import model_prices.json --from litellm --provider openai --provider anthropic
  freehold db import https://models.dev/api.json --from models.dev --provider groq --dry-run

The records are kept in the folder that `freehold db path --user` names, one file per source; delete
the file to go back to the shipped prices. A file is data only: no redirects are followed and
nothing in it is called.")]
pub struct Args {
    /// A file, or an https address.
    #[arg(value_name = "FILE|URL")]
    from_where: String,
    /// The format of the file.
    #[arg(long = "from", value_name = "FORMAT", value_parser = format_named)]
    from_format: Format,
    /// Only this provider's models (repeatable; default: all).
    #[arg(long = "provider", value_name = "NAME")]
    providers: Vec<String>,
    /// Only models that the catalogue has already.
    #[arg(long)]
    known: bool,
    /// Take implausible prices too (they are left out otherwise).
    #[arg(long)]
    implausible: bool,
    /// Show what would change, write nothing.
    #[arg(long)]
    dry_run: bool,
    /// Do not ask.
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) fn format_named(name: &str) -> Result<Format, String> {
    Format::named(name).ok_or_else(|| format!("expected one of {}", Format::ALL.map(Format::name).join(", ")))
}

/// Longest list of single models on the screen; JSON has all of them.
pub(super) const SHOWN: usize = 40;

pub(super) fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    let catalog = load(context)?;
    let mut imported = read(&args.from_where, args.from_format, context)?;
    choose(&mut imported, args, &catalog)?;
    skip(&mut imported, |m| retired(m, context));
    skip(&mut imported, |m| alias_of(m, &catalog));
    carry_over(&mut imported.models, &catalog, context);
    let mut comparison = compare(&catalog.api_models, &imported.models, context.today);
    if args.known {
        // What is not asked for cannot be missing.
        comparison.added.clear();
    }
    leave_out(&mut imported, &comparison, args, &catalog, context);
    let target =
        user_folder(context).join(format!("imported-{}.toml", args.from_format.name().replace('.', "-")));
    let plan = Plan { comparison: &comparison, imported: &imported, target: &target };
    args.output.write(context, || document("import", plan.json(), context), || plan.view(), None)?;
    if args.dry_run {
        return Ok(());
    }
    if imported.models.is_empty() {
        return Err(CliError::usage("no record of this file can be taken over")
            .hint("see the reasons above; `--provider` and `--known` narrow what is taken"));
    }
    if !args.yes {
        confirm(imported.models.len(), &target, context)?;
    }
    save(&imported.models, args.from_format, &target, context)
}

/// The file's records, from disk or from the network.
fn read(from_where: &str, format: Format, context: &Context) -> Result<Imported, CliError> {
    let is_address = from_where.contains("://");
    let text = if is_address {
        let shown = page::shown(from_where);
        context.note(&format!("fetching {shown}"));
        page::text(from_where, import::MAX_FILE_BYTES, crate::cli::proxy::of)
            .map_err(|e| CliError::failed(format!("cannot fetch {shown}: {e}")))?
    } else {
        read_capped(Path::new(from_where), import::MAX_FILE_BYTES)?
    };
    let file_name = Path::new(from_where).file_name().and_then(|n| n.to_str());
    let cited = if is_address { from_where } else { file_name.unwrap_or(from_where) };
    let origin = Origin {
        file: from_where.to_owned(),
        source: format!("{}: {cited}", format.name()),
        as_of: context.today,
    };
    import::read(format, &text, &origin).map_err(|problem| {
        CliError::usage(format!("this is not a price file of {}\n\n{problem}", format.name()))
            .hint("nothing was changed; `--from` names the format")
    })
}

/// Keep what was asked for.
fn choose(imported: &mut Imported, args: &Args, catalog: &Catalog) -> Result<(), CliError> {
    let mut known: Vec<String> = imported.models.iter().map(|m| m.provider.clone()).collect();
    known.dedup();
    for wanted in &args.providers {
        if !known.contains(wanted) {
            let near = crate::catalog::nearest(wanted, known.iter().map(String::as_str), 3);
            let hint = if near.is_empty() { known.join(", ") } else { near.join(", ") };
            return Err(CliError::usage(format!("the file has no provider `{wanted}`"))
                .hint(format!("it has {hint}")));
        }
    }
    let wanted = |m: &ApiModel| {
        (args.providers.is_empty() || args.providers.contains(&m.provider))
            && (!args.known || catalog.api_model(&m.id).is_some() || own_name(m, catalog).is_some())
    };
    imported.models.retain(wanted);
    if !args.providers.is_empty() {
        let of = |s: &Skipped| args.providers.iter().any(|p| s.id.starts_with(&format!("{p}/")));
        imported.skipped.retain(of);
    }
    Ok(())
}

/// Skip the models for which there is a reason.
fn skip(imported: &mut Imported, reason: impl Fn(&ApiModel) -> Option<Reason>) {
    let skipped = &mut imported.skipped;
    imported.models.retain(|m| match reason(m) {
        None => true,
        Some(reason) => {
            skipped.push(Skipped { id: m.id.clone(), reason });
            false
        }
    });
}

fn retired(model: &ApiModel, context: &Context) -> Option<Reason> {
    model.retires.filter(|d| *d <= context.today).map(|_| Reason::Retired)
}

/// Prices are kept by dated id: a name that is an alias here does not become a record.
fn alias_of(model: &ApiModel, catalog: &Catalog) -> Option<Reason> {
    let known_as = catalog.served_as(&model.provider, &model.model);
    let moving = names::is_moving(&model.model) || matches!(known_as, Some(Resolution::Alias { .. }));
    moving.then_some(Reason::MovingName)
}

/// The record that has this wire name for its own.
fn own_name<'a>(model: &ApiModel, catalog: &'a Catalog) -> Option<&'a ApiModel> {
    catalog.api_models.iter().find(|m| m.provider == model.provider && m.model == model.model)
}

/// What the file does not say but the catalogue knows stays: links, tiers, names, limits, and the
/// batch price where the list prices are the same. A record that the catalogue has under another id
/// keeps that id.
fn carry_over(models: &mut Vec<ApiModel>, catalog: &Catalog, context: &Context) {
    for model in models.iter_mut() {
        let found = catalog.api_model(&model.id).or_else(|| own_name(model, catalog));
        let Some(old) = found else { continue };
        carry_batch(model, old, context);
        if old.id != model.id {
            model.id.clone_from(&old.id);
            model.model.clone_from(&old.model);
        }
        model.open_model = model.open_model.take().or_else(|| old.open_model.clone());
        model.tier = model.tier.or(old.tier);
        model.name = model.name.take().or_else(|| old.name.clone());
        if model.aliases.is_empty() {
            model.aliases.clone_from(&old.aliases);
        }
        for (field, kept) in [
            ("context_tokens", (&mut model.context_tokens, old.context_tokens)),
            ("max_output_tokens", (&mut model.max_output_tokens, old.max_output_tokens)),
        ] {
            if kept.0.is_none() && kept.1.is_some() {
                *kept.0 = kept.1;
                model.cite.insert(field.to_owned(), old.cite(field));
            }
        }
    }
    models.sort_by(|a, b| a.id.cmp(&b.id));
    models.dedup_by(|later, first| later.id == first.id);
}

fn carry_batch(model: &mut ApiModel, old: &ApiModel, context: &Context) {
    let Some(known) = old.price_on(context.today) else { return };
    let cite = old.cite("price.batch_multiplier");
    let mut carried = false;
    for period in &mut model.price {
        let same = period.rates.input_per_mtok == known.rates.input_per_mtok
            && period.rates.output_per_mtok == known.rates.output_per_mtok;
        if same && period.batch_multiplier.is_none() && known.batch_multiplier.is_some() {
            period.batch_multiplier = known.batch_multiplier;
            carried = true;
        }
    }
    if carried {
        model.cite.insert("price.batch_multiplier".to_owned(), cite);
    }
}

/// Records that cannot be true, or that no catalogue file may hold, are skipped with the reason.
fn leave_out(
    imported: &mut Imported,
    comparison: &Comparison,
    args: &Args,
    catalog: &Catalog,
    context: &Context,
) {
    // An alias of a record that is already here stays there.
    for model in &mut imported.models {
        let (id, provider) = (model.id.clone(), model.provider.clone());
        let others = || catalog.api_models.iter().filter(|o| o.provider == provider && o.id != id);
        model.aliases.retain(|a| !others().any(|o| o.model == *a || o.aliases.contains(a)));
    }
    let mut merged = catalog.clone();
    merged.lay_api_models(&imported.models);
    let mut bad = check::unusable(&imported.models, &merged, context.today);
    if !args.implausible {
        bad.extend(comparison.implausible.iter().map(|i| (i.id.clone(), i.reason.clone())));
    }
    for (id, reason) in bad {
        let before = imported.models.len();
        imported.models.retain(|m| m.id != id);
        if imported.models.len() < before {
            imported.skipped.push(Skipped { id, reason: Reason::Unusable(reason) });
        }
    }
}

fn confirm(records: usize, target: &Path, context: &Context) -> Result<(), CliError> {
    let question = format!("Write {} to {}?", self::records(records), target.display());
    if !context.can_ask() {
        return Err(CliError::usage("nothing was written: there is no terminal to ask on")
            .hint("--yes writes without asking, --dry-run only looks"));
    }
    if Terminal::new().confirm(&question, false)? {
        Ok(())
    } else {
        Err(CliError::failed("nothing was written"))
    }
}

/// One file per source. Records of providers that this import says nothing about stay in it.
fn save(models: &[ApiModel], format: Format, target: &Path, context: &Context) -> Result<(), CliError> {
    let mut kept = Vec::new();
    if target.exists() {
        let (name, text) = crate::cli::catalog::read(target)?;
        let mut problems = Vec::new();
        let old = crate::catalog::text::parse(&name, &text, &mut problems);
        kept = old.records.api_models.into_iter().map(|e| e.record).collect();
        kept.retain(|m: &ApiModel| !models.iter().any(|new| new.id == m.id));
    }
    kept.extend_from_slice(models);
    kept.sort_by(|a, b| a.id.cmp(&b.id));
    let head = format!(
        "Imported by `freehold db import --from {}`, last on {}. These records replace the shipped ones\n\
         with the same ids; delete this file to go back to those.",
        format.name(),
        context.today
    );
    let folder = target.parent().map_or_else(PathBuf::new, Path::to_path_buf);
    std::fs::create_dir_all(&folder).map_err(|e| CliError::file("create", &folder, &e))?;
    write_atomic(target, write::api_models(&head, &kept).as_bytes())?;
    context.note(&format!("wrote {} to {}", records(models.len()), target.display()));
    Ok(())
}

struct Plan<'a> {
    comparison: &'a Comparison,
    imported: &'a Imported,
    target: &'a Path,
}

impl Plan<'_> {
    fn json(&self) -> serde_json::Value {
        serde_json::json!({
            "target": self.target.display().to_string(),
            "records": self.imported.models.len(),
            "comparison": comparison_json(self.comparison),
            "skipped": self.imported.skipped.iter()
                .map(|s| serde_json::json!({"id": s.id, "reason": s.reason.to_string()})).collect::<Vec<_>>(),
        })
    }

    fn view(&self) -> View {
        let mut view = View::new("");
        view.paragraph(format!(
            "{} to take over; {} skipped.",
            records(self.imported.models.len()),
            self.imported.skipped.len()
        ));
        comparison_view(&mut view, self.comparison, ["Now", "Then"]);
        if !self.imported.skipped.is_empty() {
            view.heading("Skipped");
            let mut reasons: std::collections::BTreeMap<&Reason, Vec<&str>> =
                std::collections::BTreeMap::new();
            for s in &self.imported.skipped {
                reasons.entry(&s.reason).or_default().push(&s.id);
            }
            let shown = reasons.iter().take(SHOWN);
            view.push(Block::List(shown.map(|(reason, ids)| format!("{reason}: {}", some(ids))).collect()));
            more(&mut view, reasons.len());
        }
        view
    }
}

fn records(n: usize) -> String {
    format!("{n} record{}", if n == 1 { "" } else { "s" })
}

/// The first few of many, and how many more.
fn some(ids: &[&str]) -> String {
    const FEW: usize = 6;
    if ids.len() <= FEW + 1 {
        ids.join(", ")
    } else {
        format!("{} and {} more", ids[..FEW].join(", "), ids.len() - FEW)
    }
}

pub(super) fn comparison_json(c: &Comparison) -> serde_json::Value {
    let change = |c: &Change| serde_json::json!({"id": c.id, "field": c.field, "old": c.old, "new": c.new});
    let odd = |i: &Implausible| serde_json::json!({"id": i.id, "reason": i.reason});
    serde_json::json!({
        "same": c.same,
        "added": c.added,
        "gone": c.gone,
        "changed": c.changed.iter().map(change).collect::<Vec<_>>(),
        "implausible": c.implausible.iter().map(odd).collect::<Vec<_>>(),
    })
}

pub(super) fn comparison_view(view: &mut View, c: &Comparison, [old, new]: [&str; 2]) {
    let mut changed: Vec<&str> = c.changed.iter().map(|c| c.id.as_str()).collect();
    changed.dedup();
    view.paragraph(format!(
        "{} unchanged, {} changed, {} new, {} not there any more, {} implausible.",
        c.same,
        changed.len(),
        c.added.len(),
        c.gone.len(),
        c.implausible.len()
    ));
    if !c.changed.is_empty() {
        view.heading("Changed");
        view.push(Block::Table(changes_table(&c.changed, [old, new])));
        more(view, c.changed.len());
    }
    for (heading, ids) in [("New", &c.added), ("Not there any more", &c.gone)] {
        if !ids.is_empty() {
            view.heading(heading);
            view.push(Block::List(ids.iter().take(SHOWN).cloned().collect()));
            more(view, ids.len());
        }
    }
    if !c.implausible.is_empty() {
        view.heading("Implausible");
        let list = c.implausible.iter().take(SHOWN);
        view.push(Block::List(list.map(|i| format!("{}: {}", i.id, i.reason)).collect()));
        more(view, c.implausible.len());
    }
}

pub(super) fn more(view: &mut View, all: usize) {
    if all > SHOWN {
        view.paragraph(format!("and {} more; --json has all of them", all - SHOWN));
    }
}

fn changes_table(changes: &[Change], [old, new]: [&str; 2]) -> Table {
    let (old, new) = (format!("#{old}"), format!("#{new}"));
    let mut table = Table::new(&["Model", "Figure", &old, &new, "#By"]);
    let shown = |value: Option<f64>| Cell::from(value.map(|v| Cell::Number(v, v.to_string())));
    for c in changes.iter().take(SHOWN) {
        let by = c.relative().map(|r| Cell::Number(r, format!("{:+.0} %", r * 100.0)));
        table.row([c.id.as_str().into(), c.field.as_str().into(), shown(c.old), shown(c.new), by.into()]);
    }
    table
}
