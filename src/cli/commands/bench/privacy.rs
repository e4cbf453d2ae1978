//! The privacy that the user asked for, and what servers say about where their models run. It is enforced
//! before a name is resolved or a key is read ([`crate::app::bench::privacy`] decides).

use super::args::Args;
use crate::app::bench::privacy::Privacy;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::profiles;
use crate::cli::secrets::is_loopback;
use crate::measure::backend::http::ApiBackend;
use reqwest::Url;

/// The privacy that arguments and profile ask for. A profile that cannot be read is an error.
pub fn of(args: &Args, context: &Context) -> Result<Privacy, CliError> {
    let profile = args.profile.as_deref().map(|name| profiles::find(name, context)).transpose()?;
    let mut privacy = Privacy::of(args.privacy, profile.as_ref().map(|profile| &profile.draft))?;
    privacy.local_servers = args.local_server.iter().map(|text| origin(text)).collect::<Result<_, _>>()?;
    Ok(privacy)
}

/// Under strict privacy, asks a server where its model runs, before any prompt is sent.
pub async fn ask(privacy: &Privacy, id: &str, backend: &ApiBackend) -> Result<(), CliError> {
    if privacy.strict() {
        privacy.heard(id, backend.runs_elsewhere().await)?;
    }
    Ok(())
}

fn origin(text: &str) -> Result<String, CliError> {
    let bad = |why: &str| {
        CliError::usage(format!("--local-server {text:?} {why}"))
            .hint("Write the server's address, such as http://127.0.0.1:8080.")
    };
    let url = Url::parse(text).map_err(|_| bad("is not an address"))?;
    if is_loopback(&url) {
        Ok(url.origin().ascii_serialization())
    } else {
        Err(bad("is not on this machine"))
    }
}
