"""`sfcode init` writes a project that is valid at once, and overwrites nothing."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from sfcode.cli.main import main
from sfcode.config import load
from sfcode.config.recipe_models import RECIPES
from sfcode.config.schema import KINDS, render_json_schema

WRITTEN = [
    ".github/actions/sfcode/action.yml",
    ".github/actions/sfcode/requirements.txt",
    ".github/workflows/apply.yml",
    ".github/workflows/drift.yml",
    ".github/workflows/plan.yml",
    ".gitignore",
    "README.md",
    "config/.schema/events.json",
    "config/.schema/mapping.json",
    "config/.schema/recipes.json",
    "config/.schema/sfcode.json",
    "config/events.yaml",
    "config/mappings/contact.yaml",
    "config/sfcode.yaml",
]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as end:
        main(list(words))
    captured = capsys.readouterr()
    return int(str(end.value.code)), captured.out, captured.err


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("environment", ["local", "sandbox", "production"])
def test_the_written_project_is_valid_in_every_environment(
    capsys: pytest.CaptureFixture[str], environment: str
) -> None:
    assert run(capsys, "init")[0] == 0
    assert files(Path()) == WRITTEN
    assert load(Path("config"), environment).warnings == ()
    code, out, err = run(capsys, "--env", environment, "validate")
    assert code == 0
    assert [line for line in err.splitlines() if not line.endswith("[SF203]")] == [], err
    assert out.startswith("Valid: 1 mapping, ")


def test_init_lists_the_files_and_the_next_commands(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "init", "my project")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert sorted(line.removeprefix("wrote my project/") for line in lines[: len(WRITTEN)]) == WRITTEN
    assert [line for line in lines if line.startswith("  ")] == [
        "  sfcode --config 'my project/config' --env local validate",
        "  sfcode --config 'my project/config' --env local plan",
        "  sfcode --config 'my project/config' --env local apply",
        "  export SFCODE_RELAY_OUTBOUND_SECRET=$(openssl rand -hex 24)",
    ]


def test_in_the_current_folder_the_commands_need_no_config_option(capsys: pytest.CaptureFixture[str]) -> None:
    assert "\n  sfcode --env local validate\n" in run(capsys, "init", ".")[1]


def test_init_overwrites_nothing_and_lists_existing_files(capsys: pytest.CaptureFixture[str]) -> None:
    Path("p/config/mappings").mkdir(parents=True)
    Path("p/config/mappings/contact.yaml").write_text("mine", encoding="utf-8")
    Path("p/README.md").write_text("mine too", encoding="utf-8")
    code, out, err = run(capsys, "init", "p")
    assert (code, out) == (1, "")
    assert err.splitlines() == [
        "Error: These files exist already:",
        "  p/README.md",
        "  p/config/mappings/contact.yaml",
        "Nothing was written. Pass an empty folder, or --update to update the workflows of an existing project.",
    ]
    assert files(Path("p")) == ["README.md", "config/mappings/contact.yaml"]


def test_init_writes_nothing_through_a_dangling_link(capsys: pytest.CaptureFixture[str]) -> None:
    Path("config").mkdir()
    Path("config/sfcode.yaml").symlink_to("elsewhere.yaml")
    assert run(capsys, "init")[0] == 1
    assert not Path("config/elsewhere.yaml").exists()


def test_an_existing_readme_and_gitignore_are_kept(capsys: pytest.CaptureFixture[str]) -> None:
    Path("README.md").write_text("mine", encoding="utf-8")
    Path(".gitignore").write_text("dist/", encoding="utf-8")
    code, out, _ = run(capsys, "init")
    assert code == 0
    assert "kept  README.md, which already existed\n" in out
    assert "kept  .gitignore, which already existed; add .sfcode/ to it\n" in out
    assert (Path("README.md").read_text(encoding="utf-8"), Path(".gitignore").read_text(encoding="utf-8")) == (
        "mine",
        "dist/",
    )
    assert load(Path("config"), "local")


def test_a_file_in_place_of_the_folder_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    Path("p").write_text("", encoding="utf-8")
    code, out, err = run(capsys, "init", "p")
    assert (code, out) == (1, "")
    assert err == "Error: p cannot be created: File exists\nPass another folder.\n"


def test_a_failed_init_leaves_no_files(capsys: pytest.CaptureFixture[str]) -> None:
    Path("p").mkdir()
    Path("p/config").write_text("", encoding="utf-8")
    code, _, err = run(capsys, "init", "p")
    assert (code, err) == (1, "Error: p/config cannot be created: File exists\nPass another folder.\n")
    assert files(Path("p")) == ["config"]


def test_editors_find_the_schema_of_this_version(capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "init")
    for kind in KINDS:
        assert Path(f"config/.schema/{kind}.json").read_text(encoding="utf-8") == render_json_schema(kind)
    for name in ("sfcode.yaml", "events.yaml", "mappings/contact.yaml"):
        path = Path("config") / name
        first = path.read_text(encoding="utf-8").splitlines()[0]
        assert (path.parent / first.partition("$schema=")[2]).is_file()


def test_git_ignores_the_local_org_the_variables_of_a_relay_and_every_plan_that_a_page_saves(
    capsys: pytest.CaptureFixture[str], root: Path
) -> None:
    pages = [root / "README.md", *(root / "docs").rglob("*.md")]
    command = re.compile(r"sfcode [^\n`]*\bplan [^\n`]*--out ([\w.]+)")
    plans = {name for page in pages for name in command.findall(page.read_text(encoding="utf-8"))}
    assert len(plans) > 5
    run(capsys, "init")
    subprocess.run(["git", "init", "--quiet"], check=True)
    files = [".sfcode/local-org", "relay.env", *sorted(plans)]
    ignored = subprocess.run(["git", "check-ignore", *files], capture_output=True, text=True, check=False).stdout
    assert ignored.splitlines() == files


def test_the_workflows_equal_those_of_this_repository(capsys: pytest.CaptureFixture[str], root: Path) -> None:
    run(capsys, "init")
    for name in WRITTEN:
        if name.startswith(".github/") and name.endswith(".yml"):
            assert Path(name).read_bytes() == (root / name).read_bytes(), name


def test_json_lists_files_and_commands(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "--json", "init", "p")
    answer = json.loads(out)
    assert code == answer["status"] == 0
    assert sorted(answer["result"]["written"]) == [os.path.join("p", name) for name in WRITTEN]  # noqa: PTH118
    assert answer["result"]["kept"] == []
    assert answer["result"]["next"][0] == "sfcode --config p/config --env local validate"


ADDED = ("lead,account,Subscriber__c", ["lead.yaml", "account.yaml", "subscriber.yaml"])


def test_mappings_of_more_objects_are_written_and_apply_to_a_shipped_company(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SFCODE_RELAY_OUTBOUND_SECRET", "s3cr3t-outbound-0123456789abcdef")
    assert run(capsys, "init", "--with", ADDED[0])[0] == 0
    assert sorted(files(Path())) == sorted([*WRITTEN, *(f"config/mappings/{name}" for name in ADDED[1])])
    for environment in ("local", "production"):
        assert load(Path("config"), environment).warnings == ()
        assert run(capsys, "--env", environment, "validate")[0] == 0
    assert run(capsys, "local", "load", "subscribers")[0] == 0
    code, out, err = run(capsys, "--env", "local", "apply", "--auto-approve")
    assert code == 0, out + err
    code, out, err = run(capsys, "--env", "local", "plan", "--detailed-exitcode")
    assert code == 0, out + err


@pytest.mark.parametrize(
    ("objects", "paths"),
    [
        ("Contact, LEAD ,lead,", ["contact.yaml", "lead.yaml"]),
        ("ns__Team_Seat__c,Lead__c,lead", ["contact.yaml", "lead.yaml", "lead_custom.yaml", "ns_team_seat.yaml"]),
    ],
)
def test_objects_are_named_in_any_case_and_once(
    capsys: pytest.CaptureFixture[str], objects: str, paths: list[str]
) -> None:
    assert run(capsys, "init", "--with", objects)[0] == 0
    assert sorted(path.name for path in Path("config/mappings").iterdir()) == paths
    assert len(load(Path("config"), "local").mappings) == len(paths)


@pytest.mark.parametrize("name", ["Opportunity", "Not an object__c", "../x__c"])
def test_an_object_without_a_mapping_to_start_from_is_refused(capsys: pytest.CaptureFixture[str], name: str) -> None:
    code, _, err = run(capsys, "init", "--with", f"lead,{name}")
    assert code == 1
    assert err.startswith(f"Error: There is no mapping to start from for {name!r}.\nPass contact, lead, account, or ")
    assert files(Path()) == []


@pytest.mark.parametrize(
    ("requested", "paths"),
    [
        ("nps_by_account", ["nps_history", "nps_by_account"]),
        ("lead,Completed_Flows", ["completed_flows"]),
        ("completed_flows,nps_history,nps_by_account", ["completed_flows", "nps_history", "nps_by_account"]),
        ("role_onboarding,group_progress", ["role_onboarding", "group_progress"]),
        ("event_registration", ["event_registration"]),
    ],
)
def test_recipes_are_written_with_what_they_need(
    requested: str, paths: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(capsys, "init", "--with", requested)[0] == 0
    recipes = load(Path("config"), "local").recipes
    assert [name for name in RECIPES if getattr(recipes, name)] == sorted(paths, key=RECIPES.index)
    assert Path("config/mappings/lead.yaml").exists() is ("lead" in requested)


@pytest.mark.parametrize("requested", ["account", "lead", "Subscriber__c", "account,lead,Subscriber__c"])
@pytest.mark.parametrize("recipe", [*RECIPES, ",".join(RECIPES)])
def test_every_recipe_is_valid_with_every_object(
    requested: str, recipe: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(capsys, "init", "--with", f"{requested},{recipe}")[0] == 0
    code, _, err = run(capsys, "--env", "local", "validate", "--no-lint")
    assert code == 0, err


def test_without_recipes_no_recipes_file_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "init", "--with", "lead")
    assert not Path("config/recipes.yaml").exists()
    code, _, err = run(capsys, "init", "--with", "nps_histry", "p")
    assert code == 1
    assert (
        "or a recipe: completed_flows, event_registration, group_progress, nps_by_account, nps_history, role_onboarding."
        in err
    )


def test_the_workflows_take_the_branch_and_the_prefix_of_the_repository(capsys: pytest.CaptureFixture[str]) -> None:
    subprocess.run(["git", "init", "--quiet", "--initial-branch=release/crm"], check=True)
    assert run(capsys, "init", "--prefix", "EMEA")[0] == 0
    texts = {path: path.read_text(encoding="utf-8") for path in Path(".github").rglob("*.yml")}
    workflows = "".join(texts.values())
    assert "branches: [release/crm]" in workflows
    assert workflows.count("refs/heads/release/crm") == 2
    assert "secrets.EMEA_SF_JWT_KEY" in workflows
    assert "org: env:EMEA" in Path("config/sfcode.yaml").read_text(encoding="utf-8")
    for path, text in {**texts, Path("README.md"): Path("README.md").read_text(encoding="utf-8")}.items():
        assert not re.search(r"\bmain\b|PROD", text), path
    assert run(capsys, "--env", "production", "validate")[0] == 0


def test_a_branch_that_is_passed_counts_more_than_the_repositorys(capsys: pytest.CaptureFixture[str]) -> None:
    subprocess.run(["git", "init", "--quiet", "--initial-branch=trunk"], check=True)
    assert run(capsys, "init", "--branch", "live")[0] == 0
    assert "branches: [live]" in Path(".github/workflows/apply.yml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--branch", "release/*"), "The workflows cannot be written for the branch 'release/*'."),
        (("--branch", "on"), "The workflows cannot be written for the branch 'on'."),
        (("--branch", "it's"), "The workflows cannot be written for the branch"),
        (("--prefix", "prod"), "'prod' cannot be in front of the names of secrets."),
        (("--prefix", "GITHUB"), "'GITHUB' cannot be in front of the names of secrets."),
        (("--prefix", "1A"), "'1A' cannot be in front of the names of secrets."),
    ],
)
def test_names_that_cannot_be_in_a_workflow_are_refused(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], message: str
) -> None:
    code, _, err = run(capsys, "init", *words)
    assert (code, message in err) == (1, True), err
    assert files(Path()) == []
