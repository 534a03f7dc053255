"""Reading a config imports no module that only an org needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HEAVY = ("requests", "zeep", "simple_salesforce", "sqlalchemy", "git", "lxml", "starlette", "uvicorn", "lark")
PROGRAM = """
import sys
from pathlib import Path
from sfcode.config import load
load(Path(sys.argv[1]), "local")
print(*[name for name in sys.argv[2:] if name in sys.modules])
"""


def imported(folder: Path, root: Path, *names: str) -> list[str]:
    command = [sys.executable, "-c", PROGRAM, str(folder), *names]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout.split()


def test_load_imports_nothing_heavy_and_no_template_engine(root: Path) -> None:
    assert imported(root / "config", root, *HEAVY, "jinja2") == []


def test_load_imports_the_template_engine_for_texts_of_the_project(root: Path, tmp_path: Path) -> None:
    (tmp_path / "mappings").mkdir()
    for name in ("sfcode.yaml", "mappings/contact.yaml"):
        (tmp_path / name).write_bytes((root / "config" / name).read_bytes())
    text = "version: 1\nactivities: {goal_reached: {subject: '{{ goalName }}', comment: ''}}\n"
    (tmp_path / "events.yaml").write_text(text, encoding="utf-8")
    assert imported(tmp_path, root, *HEAVY, "jinja2") == ["jinja2"]
