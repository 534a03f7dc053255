"""Start of the command line: `sfcode`, and `python -m sfcode`."""

from __future__ import annotations

import sys


def start() -> None:
    """Import and run the command line; Ctrl-C during the import is no traceback either."""
    try:
        from sfcode.cli.main import main
    except KeyboardInterrupt:
        sys.stderr.write("Error: Interrupted; nothing was changed.\n")
        sys.exit(130)
    main()


if __name__ == "__main__":
    start()
