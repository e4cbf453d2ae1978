"""Are the packages of a requirements file installed, in these very versions? Exits with 1 where not.

    python scripts/has-packages.py REQUIREMENTS

A line for another system or Python (`name==1.0 ; marker`) does not count.
"""

import re
import sys
from importlib import metadata


def applies(marker: str) -> bool:
    # Part of pip, which every environment of ours has.
    from pip._vendor.packaging.markers import Marker

    return not marker or Marker(marker).evaluate()


text = open(sys.argv[1], encoding="utf-8").read()
for name, version, marker in re.findall(r"^([\w.-]+)==(\S+)(?: *; *([^\n]*?))?(?= --hash|\s*\\?$)", text, re.M):
    if not applies(marker):
        continue
    try:
        if metadata.version(name) != version:
            sys.exit(1)
    except metadata.PackageNotFoundError:
        sys.exit(1)
