"""Are the packages of a requirements file installed, in these very versions? Exits with 1 where not.

    python scripts/has-packages.py REQUIREMENTS
"""

import re
import sys
from importlib import metadata

for name, version in re.findall(r"^([\w.-]+)==(\S+)", open(sys.argv[1], encoding="utf-8").read(), re.M):
    try:
        if metadata.version(name) != version:
            sys.exit(1)
    except metadata.PackageNotFoundError:
        sys.exit(1)
