"""Fetch the source package of a pinned version: fetch.py NAME VERSION FILE.

`pip download` builds a source package's metadata before it hands the file over, which first installs
that package's build tools: minutes for nothing. This asks the same pip, with the index, proxies and
certificates that it is configured with, for the file alone.
"""

import os, sys

from pip._internal.commands import create_command
from pip._vendor.packaging.specifiers import SpecifierSet


def main():
    name, version, file = sys.argv[1:]
    command = create_command("download")
    options, _ = command.parse_args(["--quiet", "--disable-pip-version-check", "--no-binary", ":all:", name])
    with command.main_context():
        session = command.get_default_session(options)
        finder = command._build_package_finder(options=options, session=session)
        found = finder.find_best_candidate(name, SpecifierSet(f"=={version}")).best_candidate
        if found is None:
            sys.exit(f"the package index has no source package of {name} {version}")
        response = session.get(found.link.url_without_fragment, headers={"Accept-Encoding": "identity"}, stream=True)
        response.raise_for_status()
        with open(file + ".part", "wb") as out:
            for chunk in response.iter_content(1 << 20):
                out.write(chunk)
    os.replace(file + ".part", file)


main()
