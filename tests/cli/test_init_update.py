"""`sfcode init --update` brings workflows of an older version to this version, and changes nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sfcode.install_source import InstallSource, SourceUnknown
from tests.cli.test_init import files, run

APPLY = Path(".github/workflows/apply.yml")
REQUIREMENTS = Path(".github/actions/sfcode/requirements.txt")


PINNED = "sfcode @ git+https://git.example/sfcode@0123456\n"


def unknown_source() -> InstallSource:
    raise SourceUnknown("no source is recorded")


def known_source() -> InstallSource:
    return InstallSource("git+https://git.example/sfcode@89abcde")


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sfcode.scaffold.find_install_source", unknown_source)
    assert run(capsys, "init", "--branch", "trunk", "--prefix", "ACME")[0] == 0
    REQUIREMENTS.write_text(PINNED, encoding="utf-8")


def contents() -> dict[str, bytes]:
    return {name: Path(name).read_bytes() for name in files(Path())}


def test_a_project_of_this_version_has_nothing_to_update(capsys: pytest.CaptureFixture[str]) -> None:
    before = contents()
    code, out, _ = run(capsys, "init", "--update")
    assert (code, out) == (0, "The workflows and schemas are those of this version.\n")
    assert contents() == before


def test_files_of_an_older_version_are_updated_with_their_branch_and_prefix(capsys: pytest.CaptureFixture[str]) -> None:
    before = contents()
    APPLY.write_text(APPLY.read_text(encoding="utf-8").replace("name: apply", "name: old"), encoding="utf-8")
    Path("config/.schema/events.json").unlink()
    Path("config/sfcode.yaml").write_text("mine", encoding="utf-8")
    Path("README.md").write_text("mine", encoding="utf-8")
    code, out, err = run(capsys, "init", "--update", "--auto-approve")
    assert code == 0, err
    assert "-name: old\n+name: apply\n" in out
    assert "--- /dev/null\n+++ config/.schema/events.json\n" in out
    assert out.endswith("updated .github/workflows/apply.yml\nupdated config/.schema/events.json\n")
    assert contents() == {**before, "config/sfcode.yaml": b"mine", "README.md": b"mine"}


def test_without_a_terminal_an_update_shows_the_difference_and_changes_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    APPLY.write_text("# refs/heads/trunk secrets.ACME_SF_USERNAME", encoding="utf-8")
    before = contents()
    code, out, err = run(capsys, "init", "--update")
    assert code == 1
    assert "+    branches: [trunk]\n" in out
    assert "Pass --auto-approve to update the files." in err
    assert contents() == before


def test_a_branch_and_a_prefix_that_are_passed_are_written(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "--json", "init", "--update", "--auto-approve", "--branch", "next", "--prefix", "EU")
    assert code == 0
    assert str(APPLY) in json.loads(out)["result"]["updated"]
    text = APPLY.read_text(encoding="utf-8")
    assert "refs/heads/next" in text
    assert "secrets.EU_SF_USERNAME" in text
    assert "ACME" not in text


def test_the_source_of_a_project_is_replaced_by_a_known_one_only(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(capsys, "init", "--update", "--auto-approve")[0] == 0
    assert REQUIREMENTS.read_text(encoding="utf-8") == PINNED
    monkeypatch.setattr("sfcode.scaffold.find_install_source", known_source)
    assert run(capsys, "init", "--update", "--auto-approve")[0] == 0
    assert "@89abcde\n" in REQUIREMENTS.read_text(encoding="utf-8")


def test_a_project_without_a_source_is_refused_with_a_hint(capsys: pytest.CaptureFixture[str]) -> None:
    REQUIREMENTS.write_text("# nothing yet\n\n!! Replace this line\n", encoding="utf-8")
    code, out, _ = run(capsys, "init", "--update", "--auto-approve")
    assert code == 0
    assert "requirements.txt has to be edited before the workflows run" in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("elsewhere", "--update"),
            "elsewhere/.github/workflows/apply.yml does not exist, so there is nothing to update.",
        ),
        (("--auto-approve",), "--auto-approve has no effect without --update."),
        (("--update", "--with", "lead"), "--update adds no objects and no recipes."),
    ],
)
def test_an_update_names_the_files_that_it_cannot_update(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], message: str
) -> None:
    code, out, err = run(capsys, "init", *words)
    assert (code, out) == (1, "")
    assert f"Error: {message}" in err


@pytest.mark.parametrize("linked", [".github/workflows/apply.yml", ".github/workflows", "config/.schema"])
def test_nothing_is_written_through_a_link(capsys: pytest.CaptureFixture[str], linked: str) -> None:
    Path(linked).rename("elsewhere")
    Path(linked).symlink_to(Path("elsewhere").resolve())
    before = contents()
    code, _, err = run(capsys, "init", "--update", "--auto-approve", "--branch", "next")
    assert (code, f"{linked} is a symbolic link" in err) == (1, True)
    assert contents() == before


def test_the_folder_of_a_project_may_be_a_link(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    Path("../linked").symlink_to(tmp_path)
    assert run(capsys, "init", "../linked", "--update")[0] == 0
