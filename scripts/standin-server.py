"""A real OpenAI-compatible server on loopback, for demonstrations and tests without a key.

It is llama.cpp's own HTTP server, prebuilt in the package xllamacpp. It stands in for a cloud API:
the protocol is real, the model is small and local, so its speed says nothing about any provider.

    python scripts/standin-server.py --model FILE.gguf --alias NAME --url-file FILE [--threads N]

The address is written to the url file (`-`: to standard output) once the server answers; the server ends when its standard
input closes, so it cannot outlive whoever started it.
"""

import argparse
import json
import os
import sys
import urllib.error
import urllib.request

import xllamacpp


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--alias", required=True, help="the model name clients ask for")
    parser.add_argument("--url-file", required=True)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--context", type=int, default=4096)
    parser.add_argument("--parallel", type=int, default=1)
    options = parser.parse_args()

    params = xllamacpp.CommonParams()
    model = params.model
    model.path = options.model
    params.model = model
    params.model_alias = {options.alias}
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.n_ctx = options.context
    params.n_parallel = options.parallel
    params.cpuparams.n_threads = options.threads
    params.cpuparams_batch.n_threads = options.threads
    params.ui = False
    server = xllamacpp.Server(params)
    url = server.listening_address

    with urllib.request.urlopen(f"{url}/health", timeout=60) as answer:
        if json.load(answer).get("status") != "ok":
            print(f"{url}/health does not say ok", file=sys.stderr)
            return 1
    if options.url_file == "-":
        print(url, flush=True)
    else:
        temporary = options.url_file + ".tmp"
        with open(temporary, "w", encoding="utf-8") as file:
            file.write(url + "\n")
        os.replace(temporary, options.url_file)
    sys.stdin.read()
    # The server's threads have no clean stop from here; nothing of ours is open.
    os._exit(0)


if __name__ == "__main__":
    raise SystemExit(main())
