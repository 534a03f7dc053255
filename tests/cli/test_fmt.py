"""`sfcode fmt`: which files are rewritten, and the results of --check."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from sfcode.cli.main import main

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    shutil.copytree(ROOT / "config", tmp_path / "config")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "config"


def run(capsys, *words) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as end:
        main(["fmt", *words])
    out, err = capsys.readouterr()
    return int(end.value.code or 0), out, err


def untidy(path: Path) -> str:
    """Rewrite a file with the last key of a mapping at the beginning."""
    text = path.read_text(encoding="utf-8")
    path.write_text("delivery:   relay\n" + text.replace("delivery: relay\n", ""), encoding="utf-8")
    return path.read_text(encoding="utf-8")


def test_only_files_in_another_form_are_rewritten_and_named(folder, capsys):
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*.yaml")}
    lead = folder / "mappings" / "lead.yaml"
    untidy(lead)
    assert run(capsys) == (0, "config/mappings/lead.yaml\n", "")
    assert [path for path, time in before.items() if path.stat().st_mtime_ns != time] == [lead]
    assert run(capsys) == (0, "", "")
    assert run(capsys, "--check") == (0, "", "")


def test_a_check_writes_nothing_and_shows_what_would_change(folder, capsys):
    lead = folder / "mappings" / "lead.yaml"
    text = untidy(lead)
    code, out, _ = run(capsys, "--check", "--diff")
    assert code == 1
    assert out.startswith("config/mappings/lead.yaml\n--- ")
    assert "\n-delivery:   relay\n" in out
    assert "\n+delivery: relay\n" in out
    assert lead.read_text(encoding="utf-8") == text


def test_only_the_passed_files_are_formatted(folder, capsys):
    untidy(folder / "mappings" / "lead.yaml")
    assert run(capsys, "--check", "config/mappings/contact.yaml")[0] == 0
    assert run(capsys, "--check", "config/mappings/lead.yaml", "config/sfcode.yaml")[0] == 1


def test_json_names_the_files(folder, capsys):
    untidy(folder / "mappings" / "lead.yaml")
    code, out, _ = run(capsys, "--check", "--json")
    assert code == 1
    assert json.loads(out)["result"] == {"changed": ["config/mappings/lead.yaml"], "written": False}


def test_an_invalid_file_does_not_prevent_the_formatting_of_others(folder, capsys):
    lead, contact = folder / "mappings" / "lead.yaml", folder / "mappings" / "contact.yaml"
    untidy(lead)
    contact.write_text("object: [\n", encoding="utf-8")
    code, out, err = run(capsys)
    assert code == 1
    assert out == "config/mappings/lead.yaml\n"
    assert "config/mappings/contact.yaml:" in err
    assert contact.read_text(encoding="utf-8") == "object: [\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["README.md"], "README.md is not a file of a project."),
        (["config/events.yaml", "config/mappings/nope.yaml"], "nope.yaml: cannot be read"),
        (["--config", "nowhere"], "the folder does not exist"),
    ],
)
def test_a_file_outside_the_project_is_refused(folder, capsys, words, message):
    code, _, err = run(capsys, *words)
    assert code == 1
    assert message in err


def test_a_file_keeps_its_mode(folder, capsys):
    lead = folder / "mappings" / "lead.yaml"
    untidy(lead)
    lead.chmod(0o600)
    run(capsys)
    assert lead.stat().st_mode & 0o777 == 0o600
