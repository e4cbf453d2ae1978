//! The recipe for MLX on a Mac: weights are converted once, and served by mlx-lm.

use super::input::{Deployment, Weights};
use super::recipe::{File, LeftOut, Made, Recipe, Step};
use super::{accept, image, quote};
use crate::capacity::Engine;

pub(super) fn recipe(of: &Deployment) -> Made {
    let served = of.served.as_ref().filter(|s| s.engine == Engine::Mlx)?;
    let convert = match (
        &served.weights,
        served.format.strip_prefix("MLX-").and_then(|f| f.strip_suffix("bit")),
    ) {
        (Weights::Converted(repo), Some(bits)) => Some((repo, bits)),
        (Weights::Repository(_), _) => None,
        _ => {
            return Some(Err(LeftOut::new(
                "mlx",
                format!(
                    "it is not known here how {} weights of MLX are made; name a repository with --weights",
                    served.format
                ),
            )));
        }
    };
    let model =
        if convert.is_some() { "models/mlx".to_owned() } else { served.weights.repository().to_owned() };
    let made = convert.map_or_else(String::new, |(repo, bits)| {
        format!(
            "if [ ! -d models/mlx ]; then\n    mkdir -p models\n    \
             .venv/bin/mlx_lm.convert --hf-path {} --mlx-path models/part --quantize --q-bits {}\n    \
             mv models/part models/mlx\nfi\n",
            quote::shell(repo),
            quote::shell(bits)
        )
    });
    let serve = format!(
        "#!/bin/sh\n# Installs mlx-lm {0}, makes the weights once, and serves them. HOST and PORT may be set from outside.\n\
         set -eu\ncd \"$(dirname -- \"$0\")\"\n\
         [ -d .venv ] || python3 -m venv .venv\n\
         .venv/bin/pip install --quiet mlx-lm=={0}\n{made}\
         exec .venv/bin/mlx_lm.server --model {1} --host \"${{HOST:-127.0.0.1}}\" --port \"${{PORT:-8080}}\"\n",
        image::MLX_LM.name,
        quote::shell(&model),
    );
    Some(Ok(Recipe {
        folder: "mlx",
        title: format!("{} with mlx-lm on a Mac", served.name),
        files: vec![File::script("serve.sh", serve)],
        steps: vec![Step::new(
            "Install it, convert the weights once, and serve them on http://127.0.0.1:8080.",
            "./serve.sh",
        )],
        notes: super::server::notes(served),
        accept: Some(accept::named(of, &model, served.concurrency, "http://127.0.0.1:8080/v1")),
        left_out: Vec::new(),
    }))
}
