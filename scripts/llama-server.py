"""llama-server's command line, as far as the recipes use it, over the same server as a Python package.

It lets a recipe's `serve.sh` run for real where no llama-server is built:

    LLAMA_SERVER=scripts/llama-server.py MODEL_FILE=FILE.gguf PORT=0 sh serve.sh

An option that is not listed here is refused, as llama-server does. The address is written to standard output
once the server answers; it ends when its standard input closes.
"""

import argparse
import os
import sys
import urllib.request

import xllamacpp


def main() -> int:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--model", required=True)
    parser.add_argument("--alias", required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--ctx-size", type=int, required=True)
    parser.add_argument("--parallel", type=int, required=True)
    parser.add_argument("--n-gpu-layers", type=int, default=-1)
    parser.add_argument("--cache-type-k", choices=["q8_0", "q4_0"])
    parser.add_argument("--cache-type-v", choices=["q8_0", "q4_0"])
    parser.add_argument("--flash-attn", choices=["on", "off", "auto"])
    parser.add_argument("--kv-unified", action="store_true")
    parser.add_argument("--metrics", action="store_true")
    options = parser.parse_args()

    params = xllamacpp.CommonParams()
    model = params.model
    model.path = options.model
    params.model = model
    params.model_alias = {options.alias}
    params.hostnames = [options.host]
    params.port = options.port
    params.n_ctx = options.ctx_size
    params.n_parallel = options.parallel
    params.kv_unified = options.kv_unified
    params.endpoint_metrics = options.metrics
    types = {"q8_0": xllamacpp.ggml_type.GGML_TYPE_Q8_0, "q4_0": xllamacpp.ggml_type.GGML_TYPE_Q4_0}
    if options.cache_type_k:
        params.cache_type_k = types[options.cache_type_k]
    if options.cache_type_v:
        params.cache_type_v = types[options.cache_type_v]
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = os.cpu_count() or 1
    params.ui = False
    server = xllamacpp.Server(params)
    url = server.listening_address
    with urllib.request.urlopen(f"{url}/health", timeout=60) as answer:
        answer.read()
    print(url, flush=True)
    sys.stdin.read()
    # The server's threads have no clean stop from here; nothing of ours is open.
    os._exit(0)


if __name__ == "__main__":
    raise SystemExit(main())
