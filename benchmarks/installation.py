"""The size of installations on the disk: of sfcode with all tools for its development, and of sfcode with the relay."""

from __future__ import annotations

import subprocess
import tempfile
import venv
from pathlib import Path

from benchmarks.measure import ROOT, ProgramMissing

TOOLS = ROOT / ".venv"


def table() -> str:
    """
    Install sfcode into a new environment, and return the sizes as Markdown.

    Raises:
        ProgramMissing: pip cannot install it, for example without a package index.

    """
    with tempfile.TemporaryDirectory(prefix="sfcode-bench-") as folder:
        venv.create(folder, with_pip=True)
        command = [str(Path(folder) / "bin" / "python"), "-m", "pip", "install", "--quiet", f"{ROOT}[relay]"]
        completed = subprocess.run(command, capture_output=True, text=True, check=False)
        if completed.returncode:
            raise ProgramMissing(completed.stderr.strip())
        installed = measure_size(Path(folder))
    rows = (("the tools of development (`.venv`)", measure_size(TOOLS)), ("`pip install './sfcode[relay]'`", installed))
    lines = ["| environment | size |", "| --- | ---: |", *(f"| {name} | {size:.0f} MB |" for name, size in rows)]
    return "\n".join(lines)


def measure_size(folder: Path) -> float:
    """Return the size on disk of the files in a folder, in megabytes; a file with several names counts once."""
    stats = {(stat.st_dev, stat.st_ino): stat for stat in (path.lstat() for path in folder.rglob("*"))}
    return sum(stat.st_blocks for stat in stats.values()) * 512 / 1e6


if __name__ == "__main__":
    print(table())
