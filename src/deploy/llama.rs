//! The recipe for llama-server on one machine: built from source, with weights that are downloaded or
//! converted, and started by systemd.

use super::input::{Deployment, Served, Weights};
use super::recipe::{File, LeftOut, Made, Recipe, Step};
use super::{accept, image, quote};
use crate::capacity::{Engine, KvType};
use crate::catalog::Vendor;
use std::fmt::Write as _;

/// Formats that llama.cpp's own tools can make from 16-bit weights without further data.
const MADE: &[&str] = &[
    "Q8_0", "Q6_K", "Q5_K_M", "Q5_K_S", "Q5_1", "Q5_0", "Q4_K_M", "Q4_K_S", "Q4_1", "Q4_0", "IQ4_NL",
    "IQ4_XS", "Q3_K_L", "Q3_K_M", "Q3_K_S", "Q2_K", "BF16", "F16", "MXFP4",
];

/// Can the format be made from the maker's weights?
pub(super) fn can_make(format: &str) -> bool {
    MADE.contains(&format)
}

/// The file that `get-weights.sh` makes, relative to the recipe's folder.
pub(super) fn model_file(served: &Served) -> String {
    format!("models/{}-{}.gguf", served.label(), quote::label(&served.format))
}

/// The arguments of a server for one copy, without the place of the weights and the port.
pub(super) fn arguments(of: &Deployment, served: &Served) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut option = |name: &str, value: String| words.extend([format!("--{name}"), value]);
    option("alias", served.name.clone());
    option("ctx-size", served.kept_tokens(of.request).to_string());
    option("parallel", served.concurrency.to_string());
    let cache = match served.kv {
        KvType::Q8_0 | KvType::Fp8 => Some("q8_0"),
        KvType::Q4_0 => Some("q4_0"),
        KvType::F16 => None,
    };
    if let Some(cache) = cache {
        option("cache-type-k", cache.to_owned());
        option("cache-type-v", cache.to_owned());
        option("flash-attn", "on".to_owned());
    }
    if served.accelerator.vendor.is_some() {
        option("n-gpu-layers", "999".to_owned());
    }
    // Requests share the memory for the KV cache, so that a long one may take more than its share.
    words.extend(["--kv-unified".to_owned(), "--metrics".to_owned()]);
    words
}

/// The arguments for weights that are published as GGUF; `None` for others.
pub(super) fn hub(served: &Served) -> Option<Vec<String>> {
    let Weights::Gguf { repository, file } = &served.weights else { return None };
    Some(match file {
        Some(file) => ["--hf-repo", repository, "--hf-file", file].map(str::to_owned).to_vec(),
        None => vec!["--hf-repo".to_owned(), format!("{repository}:{}", served.format)],
    })
}

pub(super) fn recipe(of: &Deployment) -> Made {
    let served = of.served.as_ref().filter(|s| s.engine == Engine::LlamaCpp)?;
    let copies = served.replicas_per_host();
    let several = copies > 1;
    let mut files = vec![File::script("install.sh", install(served))];
    if matches!(served.weights, Weights::Converted(_)) {
        files.push(File::script("get-weights.sh", get_weights(served)));
    }
    files.push(File::script("serve.sh", serve(of, served)));
    let mut left_out = Vec::new();
    let unit = if several { "llama-server@.service" } else { "llama-server.service" };
    let apple = served.accelerator.vendor == Some(Vendor::Apple);
    if apple {
        left_out.push(LeftOut::new(
            "llama-server/llama-server.service",
            "macOS has no systemd; start serve.sh by launchd",
        ));
    } else {
        files.push(File::new(unit, service(served, several)));
    }
    let mut steps = vec![Step::new(
        "Build llama.cpp (git, cmake, a C++ compiler and the driver's toolkit).",
        "./install.sh",
    )];
    if matches!(served.weights, Weights::Converted(_)) {
        steps.push(Step::new(
            format!(
                "Fetch the maker's weights and convert them to {} (Python 3.10 or newer).",
                served.format
            ),
            "./get-weights.sh",
        ));
    }
    if several {
        files.push(File::new("nginx.conf", balance(copies)));
        steps.push(Step::new(
            format!("Start copy 0 by hand; the copies are numbered from 0 to {}.", copies - 1),
            "./serve.sh 0",
        ));
    } else {
        steps.push(Step::new("Start it by hand; it answers on http://127.0.0.1:8080.", "./serve.sh"));
    }
    if !apple {
        let units: Vec<String> = if several {
            (0..copies).map(|n| format!("llama-server@{n}")).collect()
        } else {
            vec!["llama-server".to_owned()]
        };
        steps.push(Step::new(
            "Or let systemd start it now and after every boot.",
            format!(
                "sudo mkdir -p /opt/llama-server && sudo cp -r . /opt/llama-server/\n\
                 sudo install -m 644 {unit} /etc/systemd/system/\n\
                 sudo systemctl daemon-reload && sudo systemctl enable --now {}",
                units.join(" ")
            ),
        ));
    }
    let mut notes = vec![
        "It listens on 127.0.0.1. For others set HOST=0.0.0.0 and LLAMA_API_KEY in /etc/llama-server.env (mode 600), and put \
         TLS in front."
            .to_owned(),
        format!(
            "Memory for keys and values holds {} tokens, shared by {} requests at once.",
            served.kept_tokens(of.request),
            served.concurrency
        ),
    ];
    if several {
        notes.push("The copies listen on 8080 and the ports after it; nginx.conf spreads requests over them on port 8000.".to_owned());
    }
    let working = served.hosts - served.spare_hosts;
    if served.hosts > 1 {
        notes.push(format!(
            "The plan has {} machines, {} of them at work: do the same on each, and spread requests over them.",
            served.hosts, working
        ));
    }
    notes.extend(super::server::notes(served));
    let url = if several { "http://127.0.0.1:8000/v1" } else { "http://127.0.0.1:8080/v1" };
    Some(Ok(Recipe {
        folder: "llama-server",
        title: format!("{} with llama-server on one machine", served.name),
        files,
        steps,
        notes,
        accept: Some(accept::served(of, served, copies, url)),
        left_out,
    }))
}

fn install(served: &Served) -> String {
    let flag = match served.accelerator.vendor {
        Some(Vendor::Nvidia) => " -DGGML_CUDA=ON",
        Some(Vendor::Amd) => " -DGGML_HIP=ON",
        Some(Vendor::Intel | Vendor::Qualcomm | Vendor::Other) => " -DGGML_VULKAN=ON",
        Some(Vendor::Apple) | None => "",
    };
    let tag = image::LLAMA_CPP.name;
    format!(
        "#!/bin/sh\n\
         # Builds llama.cpp {tag} into ./llama.cpp; does nothing where that is there already.\n\
         set -eu\n\
         cd \"$(dirname -- \"$0\")\"\n\
         if [ ! -d llama.cpp ]; then\n    \
             git clone --depth 1 --branch {tag} https://github.com/ggml-org/llama.cpp llama.cpp\n\
         fi\n\
         cmake -S llama.cpp -B llama.cpp/build -DCMAKE_BUILD_TYPE=Release{flag}\n\
         cmake --build llama.cpp/build --parallel --target llama-server llama-quantize\n"
    )
}

/// The script that makes a file of the plan's format from the maker's safetensors. Large intermediate files
/// are removed.
fn get_weights(served: &Served) -> String {
    let repo = quote::shell(served.weights.repository());
    let file = model_file(served);
    let (first, then) = match served.format.as_str() {
        "BF16" => ("bf16", String::new()),
        "F16" => ("f16", String::new()),
        "Q8_0" => ("q8_0", String::new()),
        // Four-bit experts are kept as they were released.
        "MXFP4" => ("auto", String::new()),
        other => (
            "bf16",
            format!(
                "llama.cpp/build/bin/llama-quantize models/part.gguf models/part-small.gguf {}\n\
                 mv models/part-small.gguf models/part.gguf\n",
                quote::shell(other)
            ),
        ),
    };
    format!(
        "#!/bin/sh\n\
         # Fetches {} from the Hugging Face Hub and makes {file}.\n\
         # HF_TOKEN must hold a token where the repository asks for consent.\n\
         set -eu\n\
         cd \"$(dirname -- \"$0\")\"\n\
         [ ! -e {file} ] || exit 0\n\
         mkdir -p models\n\
         python3 -m venv .venv\n\
         .venv/bin/pip install --quiet -r llama.cpp/requirements/requirements-convert_hf_to_gguf.txt 'huggingface_hub[cli]'\n\
         .venv/bin/hf download {repo} --local-dir models/source\n\
         .venv/bin/python llama.cpp/convert_hf_to_gguf.py models/source --outtype {first} --outfile models/part.gguf\n\
         {then}mv models/part.gguf {file}\n\
         rm -rf models/source\n",
        served.weights.repository()
    )
}

fn serve(of: &Deployment, served: &Served) -> String {
    let found = hub(served).unwrap_or_else(|| vec!["--model".to_owned(), model_file(served)]);
    let several = served.replicas_per_host() > 1;
    let mut text = "#!/bin/sh\n\
         # Serves one copy of the model. LLAMA_SERVER, MODEL_FILE, HOST and PORT may be set from outside.\n\
         set -eu\n\
         cd \"$(dirname -- \"$0\")\"\n"
        .to_owned();
    if several {
        let devices = served.devices();
        let variable = if served.accelerator.vendor == Some(Vendor::Amd) {
            "HIP_VISIBLE_DEVICES"
        } else {
            "CUDA_VISIBLE_DEVICES"
        };
        let _ = write!(
            text,
            "copy=${{1:?which copy, from 0 to {}}}\n\
             PORT=$((8080 + copy))\n\
             first=$((copy * {devices}))\n\
             {variable}=$(seq -s , \"$first\" $((first + {devices} - 1)))\n\
             export {variable}\n\
             shift\n",
            served.replicas_per_host() - 1
        );
    }
    let options = quote::long_command(&arguments(of, served));
    let _ = write!(
        text,
        "if [ -n \"${{MODEL_FILE:-}}\" ]; then\n    \
             set -- --model \"$MODEL_FILE\"\n\
         else\n    \
             set -- {}\n\
         fi\n\
         exec \"${{LLAMA_SERVER:-./llama.cpp/build/bin/llama-server}}\" \"$@\" \\\n  \
         --host \"${{HOST:-127.0.0.1}}\" --port \"${{PORT:-8080}}\" \\\n  \
         {options}\n",
        quote::command(found.iter().map(String::as_str))
    );
    text
}

fn service(served: &Served, several: bool) -> String {
    let (which, copy) = if several { (" (copy %i)", " %i") } else { ("", "") };
    format!(
        "# Numbers and names of the model are in serve.sh; keys and addresses in /etc/llama-server.env.\n\
         [Unit]\n\
         Description=llama-server for {}{which}\n\
         Wants=network-online.target\n\
         After=network-online.target\n\
         \n\
         [Service]\n\
         Type=exec\n\
         ExecStart=/opt/llama-server/serve.sh{copy}\n\
         EnvironmentFile=-/etc/llama-server.env\n\
         Environment=LLAMA_CACHE=%S/llama-server\n\
         StateDirectory=llama-server\n\
         DynamicUser=yes\n\
         Restart=on-failure\n\
         RestartSec=5\n\
         LimitMEMLOCK=infinity\n\
         NoNewPrivileges=yes\n\
         ProtectSystem=strict\n\
         ProtectHome=yes\n\
         PrivateTmp=yes\n\
         \n\
         [Install]\n\
         WantedBy=multi-user.target\n",
        served.label()
    )
}

fn balance(copies: u32) -> String {
    let servers = (0..copies).fold(String::new(), |mut out, n| {
        let _ = writeln!(out, "    server 127.0.0.1:{};", 8080 + n);
        out
    });
    format!(
        "# For /etc/nginx/conf.d/: each request to the copy with the fewest.\n\
         upstream llama {{\n    least_conn;\n{servers}}}\n\
         server {{\n    listen 127.0.0.1:8000;\n    location / {{\n        proxy_pass http://llama;\n        \
         proxy_buffering off;\n        proxy_read_timeout 600s;\n    }}\n}}\n"
    )
}
