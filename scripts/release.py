"""
The checks of a release.

`python scripts/release.py check TAG` fails unless the tag names the version of the package and the changelog has a
section for it. `python scripts/release.py notes TAG` prints that section.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_VERSION = re.compile(r'^__version__ = "([^"]+)"$', re.MULTILINE)
_HEADING = re.compile(r"^## \[([^\]]+)\].*$", re.MULTILINE)


def notes_of(version: str, changelog: str) -> str:
    """Return the section of a version in a changelog, without its heading; "" if there is none."""
    headings = list(_HEADING.finditer(changelog))
    for heading, following in zip(headings, [*headings[1:], None], strict=True):
        if heading[1] == version:
            return changelog[heading.end() : following.start() if following else len(changelog)].strip()
    return ""


def check(tag: str, package: str, changelog: str) -> list[str]:
    """Return the reasons not to release a tag; `package` is the text of sfcode/__init__.py."""
    match = _VERSION.search(package)
    version = match[1] if match else "unknown"
    problems = []
    if tag != f"v{version}":
        problems.append(f"The tag is {tag}, and sfcode/__init__.py has version {version}: tag v{version}.")
    if not notes_of(version, changelog):
        problems.append(f"CHANGELOG.md has no section [{version}]: rename [Unreleased], and begin a new one.")
    return problems


def main(command: str, tag: str) -> int:
    """Run a command; return its exit code."""
    package = (ROOT / "sfcode/__init__.py").read_text(encoding="utf-8")
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    problems = check(tag, package, changelog)
    for problem in problems:
        print(problem, file=sys.stderr)
    if not problems and command == "notes":
        print(notes_of(tag.removeprefix("v"), changelog))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
