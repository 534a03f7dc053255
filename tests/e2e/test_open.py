"""`sfcode open`: the page of a plan is private, and a browser is started if there is one."""

from __future__ import annotations

import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from sfcode.cli.open_ import has_browser


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove all signs of a CI, a display and a browser from the environment."""
    for name in ("CI", "DISPLAY", "WAYLAND_DISPLAY", "BROWSER", "SSH_CONNECTION"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("environ", "platform", "answer"),
    [
        ({"DISPLAY": ":0"}, "linux", True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", True),
        ({}, "linux", False),
        ({"DISPLAY": ":0", "CI": "true"}, "linux", False),
        ({}, "darwin", True),
        ({}, "win32", True),
        ({"SSH_CONNECTION": "1 2 3 4"}, "darwin", False),
        ({"CI": "true"}, "win32", False),
    ],
)
def test_a_browser_is_started_only_on_a_machine_with_a_display(
    environ: dict[str, str], platform: str, answer: bool
) -> None:
    assert has_browser(environ, platform) is answer


@pytest.mark.usefixtures("elsewhere")
def test_a_new_plan_is_written_to_a_private_file_and_a_saved_one_to_the_passed_path(
    starts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    journey = starts("new", tmp_path / "project")
    seen = tmp_path / "seen"
    browser = f"{sys.executable} -c \"import sys; open('{seen}', 'w').write(sys.argv[1])\" %s"
    journey.environ = {**journey.environ, "DISPLAY": ":0", "BROWSER": browser}
    opened = journey.run("open")
    assert opened.code == 0, opened.err
    page = Path(opened.out.strip())
    assert seen.read_text(encoding="utf-8") == page.as_uri()
    assert opened.err.endswith("Opened in the browser.\n")
    assert stat.S_IMODE(page.parent.stat().st_mode) == 0o700
    text = page.read_text(encoding="utf-8")
    assert "What flows where" in text
    assert "Who may do what" in text
    assert "Asked for by config/mappings/contact.yaml:" in text
    assert journey.run("plan", "--out", "plan.json", "--quiet").code == 0
    del journey.environ["DISPLAY"]
    seen.unlink()
    result = journey.run("open", "plan.json", "--output", "page.html", "--json")
    assert result.json["result"] == {"page": str(journey.folder / "page.html"), "opened": False}
    assert not seen.exists()
    assert "Asked for by config/mappings/contact.yaml:" in (journey.folder / "page.html").read_text(encoding="utf-8")


def test_lines_are_named_from_the_top_of_the_repository(starts, tmp_path: Path) -> None:
    journey = starts("new", tmp_path / "repository" / "crm")
    top = tmp_path / "repository"

    def git(*words: str) -> None:
        subprocess.run(["git", *words], cwd=top, check=True, capture_output=True)

    git("init", "--quiet")
    git("add", "crm/config")
    git("-c", "user.name=A", "-c", "user.email=a@example.com", "commit", "--quiet", "--message", "A change")
    git("remote", "add", "origin", "https://user:t0ken@github.com/acme/crm.git")
    unpushed = journey.run("plan", "--format", "html").out
    assert "crm/config/mappings/contact.yaml:" in unpushed
    assert "github.com" not in unpushed, "nobody else has this commit"
    git("update-ref", "refs/remotes/origin/main", "HEAD")
    pushed = journey.run("plan", "--format", "html").out
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=top, check=True, capture_output=True, text=True)
    assert f"https://github.com/acme/crm/blob/{commit.stdout.strip()}/crm/config/mappings/contact.yaml#L" in pushed
    assert "t0ken" not in pushed
    assert "not committed" not in pushed
    journey.edit("mappings/contact.yaml", "role: Title", "role: Department")
    dirty = journey.run("plan", "--format", "html").out
    assert "/blob/" not in dirty
    assert "with changes that are not committed" in dirty
