"""What `sfcode init` writes."""

from __future__ import annotations

from pathlib import Path

from sfcode import __version__
from sfcode.errors import UsageError

HERE = Path(__file__).parent
OPTIONAL = (".gitignore", "README.md")
"""Files that a folder may have already: its own are kept."""
REQUIREMENTS = ".github/actions/sfcode/requirements.txt"
"""What the workflows install: this version. A lock with hashes may stand in its place."""

_EVENTS = "# yaml-language-server: $schema=.schema/events.json\n\n"


def project_files() -> dict[str, str]:
    """Make the files of a new project, by their path in it."""
    from sfcode.config.load import EVENTS_FILE
    from sfcode.config.schema import KINDS, schema_text

    files = {name.removesuffix(".txt"): (HERE / name).read_text(encoding="utf-8") for name in _shipped()}
    files["config/events.yaml"] = _EVENTS + EVENTS_FILE.read_text(encoding="utf-8")
    files[REQUIREMENTS] = f"sfcode=={__version__}\n"
    files |= {f"config/.schema/{kind}.json": schema_text(kind) for kind in KINDS}
    return files


def write_project(folder: Path) -> tuple[list[Path], list[Path]]:
    """Write a new project; list what was written, and what was there and is kept. Raises UsageError."""
    files = {folder / name: text for name, text in project_files().items()}
    there = [path for path in files if path.exists() or path.is_symlink()]
    kept = [path for path in there if str(path.relative_to(folder)) in OPTIONAL]
    if len(there) > len(kept):
        listed = "\n".join(f"  {path}" for path in there)
        raise UsageError(f"These files exist already:\n{listed}", "Nothing was written. Name an empty folder.")
    new = [path for path in files if path not in kept]
    try:
        for parent in sorted({path.parent for path in new}):
            parent.mkdir(parents=True, exist_ok=True)
        for path in new:
            with path.open("x", encoding="utf-8", newline="\n") as stream:
                stream.write(files[path])
    except OSError as error:
        raise UsageError(
            f"{error.filename or folder} cannot be made: {error.strerror}", "Name another folder."
        ) from error
    return new, kept


def _shipped() -> list[str]:
    found = (path for path in HERE.rglob("*") if path.is_file() and path.suffix in (".txt", ".yaml", ".yml"))
    return sorted(path.relative_to(HERE).as_posix() for path in found)
