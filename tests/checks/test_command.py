"""`sfcode lint`, and the findings of lint in `sfcode validate`."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from sfcode.cli.main import main
from tests.review.projects import FILES, edited, write

PERSONAL = edited(FILES, ("contact", "role: Title", "role: Title\n    mail: Email"))
TOKEN = "ghp_" + "a1B2" * 9
SECRET = edited(FILES, ("contact", "role: Title", f"role: Title # {TOKEN}"))


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as end:
        main(words)
    captured = capsys.readouterr()
    return int(str(end.value.code)), captured.out, captured.err


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_validate_shows_warnings_with_their_rule_and_passes(folder: Path, capsys) -> None:
    write(folder, PERSONAL)
    code, out, err = run(capsys, "validate")
    assert (code, out.partition(":")[0]) == (0, "Valid")
    [line] = err.splitlines()
    assert line.startswith("Warning: config/mappings/contact.yaml:")
    assert line.endswith("[SF203]")


def test_no_lint_leaves_out_lint_warnings(folder: Path, capsys) -> None:
    write(folder, PERSONAL)
    assert run(capsys, "validate", "--no-lint")[2] == ""


def test_validate_fails_on_an_error_of_the_linter(folder: Path, capsys) -> None:
    write(folder, SECRET)
    code, out, err = run(capsys, "validate")
    assert (code, out.partition(":")[0]) == (1, "Not valid")
    assert "[SF209]" in err
    assert "ghp_" not in out + err
    assert run(capsys, "validate", "--no-lint")[0] == 0


def test_validate_as_json_holds_each_diagnostic_and_its_line(folder: Path, capsys) -> None:
    write(folder, PERSONAL)
    code, out, _ = run(capsys, "--json", "validate")
    document = json.loads(out)
    [diagnostic] = document["result"]["diagnostics"]
    assert (code, document["status"], document["result"]["valid"]) == (0, 0, True)
    assert (diagnostic["rule"], diagnostic["name"], diagnostic["level"]) == ("SF203", "personal-data", "warning")
    assert diagnostic["position"]["file"] == "config/mappings/contact.yaml"
    assert len(document["warnings"]) == 1


def test_lint_shows_the_lint_warnings_of_validate(folder: Path, capsys) -> None:
    write(folder, PERSONAL)
    code, out, err = run(capsys, "lint")
    assert (code, err) == (0, "")
    assert out.splitlines()[0] == "Warnings"
    assert "SF203  config/mappings/contact.yaml:" in out
    assert out.splitlines()[-1] == "0 errors, 1 warning."


def test_lint_fails_on_an_error_and_on_a_config_that_does_not_load(folder: Path, capsys) -> None:
    write(folder, SECRET)
    assert run(capsys, "lint")[0] == 1
    write(folder, edited(FILES, ("contact", "object: Contact", "object: Contact\nnonsense: 1")))
    code, _, err = run(capsys, "lint")
    assert code == 1
    assert "nonsense" in err


@pytest.mark.parametrize("format_", ["json", "markdown", "sarif", "github", "text"])
def test_every_format_holds_the_finding_and_no_secret(folder: Path, capsys, format_: str) -> None:
    write(folder, SECRET)
    code, out, _ = run(capsys, "lint", "--format", format_)
    assert code == 1
    assert "SF209" in out
    assert "ghp_" not in out


def test_a_valid_config_has_no_findings(folder: Path, capsys) -> None:
    write(folder, FILES)
    assert run(capsys, "lint") == (0, "0 errors, 0 warnings.\n", "")
    assert run(capsys, "lint", "--format", "github") == (0, "", "")
    assert run(capsys, "validate")[2] == ""


def test_a_sarif_file_is_written_even_where_there_is_an_error(folder: Path, capsys) -> None:
    write(folder, SECRET)
    assert run(capsys, "lint", "--sarif", "lint.sarif")[0] == 1
    results = json.loads(Path("lint.sarif").read_text(encoding="utf-8"))["runs"][0]["results"]
    assert [result["ruleId"] for result in results] == ["SF209"]


def test_linting_imports_no_review(root: Path, folder: Path) -> None:
    """The review imports the checks, and the linter runs without the review."""
    write(folder, FILES)
    code = (
        "import sys; from sfcode.cli.main import main\n"
        "try:\n    main(['lint'])\nexcept SystemExit:\n    pass\n"
        "print([name for name in sys.modules if name.startswith('sfcode.review')])"
    )
    from sys import executable

    process = subprocess.run([executable, "-c", code], capture_output=True, text=True, cwd=folder, check=True)
    assert process.stdout.splitlines()[-1] == "[]"


def test_all_environments_are_checked_unless_one_is_named(folder: Path, capsys) -> None:
    settings = FILES["config/sfcode.yaml"].replace("url: https://relay.example.com", "url: ${relay}")
    settings += "  other:\n    org: local\n    variables: {relay: 'https://other.example.com'}\n"
    settings = settings.replace("org: env:PROD", "org: env:PROD\n    variables: {relay: 'https://relay.example.com'}")
    write(folder, {**PERSONAL, "config/sfcode.yaml": settings})
    code, out, err = run(capsys, "validate")
    assert (code, out.rpartition(" for ")[2]) == (0, "each of prod, other.\n")
    assert len(err.splitlines()) == 1  # a warning about both environments is printed once
    assert json.loads(run(capsys, "--json", "validate")[1])["result"]["environments"] == ["prod", "other"]
    assert run(capsys, "--env", "other", "validate")[1].endswith(" for environment other.\n")
    assert run(capsys, "lint")[0] == 0

    write(folder, {**FILES, "config/sfcode.yaml": settings.replace("https://other", "htp://other")})
    for verb in ("validate", "lint"):
        code, _, err = run(capsys, verb)
        assert code == 1
        assert '"htp://other.example.com" is not an http address (${relay} of config/sfcode.yaml:' in err
    assert run(capsys, "--env", "prod", "validate")[0] == 0
