"""Write the parse tables of the local org's grammars, which shorten its start; with --check, list outdated tables."""

from __future__ import annotations

import sys
from importlib.resources import files
from pathlib import Path

from sfcode.local.grammars import GRAMMARS, TABLE, load_table, render_table


def main() -> int:
    """Write outdated tables, or only list them."""
    stale = 0
    for package in GRAMMARS:
        path = Path(str(files(package).joinpath(TABLE)))
        if load_table(package) is not None:
            continue
        stale += 1
        if "--check" in sys.argv[1:]:
            print(f"{path} is stale: run make grammars", file=sys.stderr)
        else:
            path.write_text(render_table(package), encoding="utf-8")
            print(f"wrote {path}")
    return 1 if stale and "--check" in sys.argv[1:] else 0


if __name__ == "__main__":
    sys.exit(main())
