//! `db import`: turns a price file that others keep into records of one's own, after showing what changes.

use crate::app::db::{self as app, Import, Wish};
use crate::catalog::ApiModel;
use crate::catalog::import::{self, Format, Imported, Origin};
use crate::cli::ask::{Ask as _, Terminal};
use crate::cli::catalog::{load, needed_user_folder};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::files::read_capped;
use crate::cli::output::{OutputArgs, write_atomic};
use crate::document::db::document;
use crate::measure::fetch_text;
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

pub(super) fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    let catalog = load(context)?;
    let imported = read(&args.from_where, args.from_format, context)?;
    let wish = Wish {
        format: args.from_format,
        providers: args.providers.clone(),
        known: args.known,
        implausible: args.implausible,
    };
    let name = format!("imported-{}.toml", args.from_format.name().replace('.', "-"));
    let target = needed_user_folder(context)?.join(name);
    let Import { plan, models } =
        app::import(imported, &wish, &catalog, target.display().to_string(), context.today)?;
    args.output.show(context, &document("import", plan, &context.now))?;
    if args.dry_run {
        return Ok(());
    }
    if models.is_empty() {
        return Err(CliError::usage("no record of this file can be taken over")
            .hint("see the reasons above; `--provider` and `--known` narrow what is taken"));
    }
    if !args.yes {
        confirm(models.len(), &target, context)?;
    }
    save(&models, args.from_format, &target, context)
}

/// The file's records, from disk or from the network.
fn read(from_where: &str, format: Format, context: &Context) -> Result<Imported, CliError> {
    let is_address = from_where.contains("://");
    let text = if is_address {
        let shown = fetch_text::shown(from_where);
        context.note(&format!("fetching {shown}"));
        fetch_text::text(from_where, import::MAX_FILE_BYTES, crate::cli::proxy::of)
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

/// Writes one file per source. Records of providers that this import does not mention stay in it.
fn save(models: &[ApiModel], format: Format, target: &Path, context: &Context) -> Result<(), CliError> {
    let before = if target.exists() { Some(crate::cli::catalog::read(target)?) } else { None };
    let before = before.as_ref().map(|(name, text)| (name.as_str(), text.as_str()));
    let text = app::file(models, before, format, context.today);
    let folder = target.parent().map_or_else(PathBuf::new, Path::to_path_buf);
    std::fs::create_dir_all(&folder).map_err(|e| CliError::file("create", &folder, &e))?;
    write_atomic(target, text.as_bytes())?;
    context.note(&format!("wrote {} to {}", records(models.len()), target.display()));
    Ok(())
}

fn records(n: usize) -> String {
    format!("{n} record{}", if n == 1 { "" } else { "s" })
}
