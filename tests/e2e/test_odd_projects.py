"""Unusual folders, interruptions and orders of steps."""

from __future__ import annotations

import os
import pty
import resource
import signal
import subprocess
from pathlib import Path

import pytest

from sfcode.apply.deploy import watch
from sfcode.local import serve
from sfcode.metadata.component import Component
from sfcode.process import FEWEST_FILES, RAISE_LIMIT
from tests.e2e.journey import Journey
from tests.e2e.org import assign, deploy, opened

USER = "appcues.integration@example.com.local"
INTEGRATION = "PermissionSetAssignment:Appcues_Integration"


def local_org(journey):
    return serve(journey.folder / ".sfcode" / "local-org")


def assign_viewer(journey):
    """Assign the permission set of viewers, as its description says."""
    with local_org(journey) as org, opened(org) as client:
        assign(client, "Appcues_Viewer")


def test_destroy_removes_all_assignments_of_the_permission_sets(visible):
    assign_viewer(visible)
    result = visible.plan("--destroy")
    assert "# PermissionSetAssignment:Appcues_Viewer/admin@northwind.example will be destroyed" in result.out
    second_result = visible.run("destroy", "--auto-approve")
    assert second_result.code == 0, second_result.err
    assert visible.plan("--destroy").out.startswith("No changes. No managed components are left in ")


def test_a_rollback_of_the_first_apply_removes_all_assignments(visible):
    assign_viewer(visible)
    result = visible.run("rollback", "--auto-approve")
    assert result.code == 0, result.err
    assert "# (because it was created by the apply that is rolled back)" in result.out
    assert "# (because its permission set is destroyed)" in result.out
    assert "it is no longer in the configuration" not in result.out
    assert "Rollback complete!" in result.out


def test_another_assignee_is_reported_and_does_not_prevent_a_destroy(visible):
    with local_org(visible) as org, opened(org) as client:
        assign(client, "Appcues_Integration")
    planned = visible.plan()
    assert "Warning: PermissionSet:Appcues_Integration is assigned to admin@northwind.example too" in planned.out
    assert planned.last_line.startswith("No changes.")
    result = visible.run("destroy", "--auto-approve")
    assert result.code == 0, result.err
    for name in (USER, "admin@northwind.example"):
        assert f"{INTEGRATION}/{name}: deleted" in result.out


def test_an_empty_rollback_does_not_mention_the_config(applied):
    applied.environ = {**applied.environ, "SFCODE_RELAY_OUTBOUND_SECRET": "another-0123456789abcdef"}
    assert applied.apply().code == 0
    answer = applied.run("rollback")
    assert answer.code == 0
    assert answer.out.startswith("No changes. In Northwind Traders ")
    assert answer.out.rstrip().endswith("everything that this apply replaced is already restored.")


def test_a_secret_that_occurs_twice_in_the_url_is_no_change(journey):
    journey.environ = {**journey.environ, "SFCODE_RELAY_OUTBOUND_SECRET": "outbound-messages"}
    assert journey.apply().code == 0
    assert journey.actions() == {}


def test_refresh_only_before_the_first_apply_has_nothing_to_compare(journey):
    assert journey.plan("--refresh-only").out.startswith("Nothing to compare: no apply of this project is known in ")


@pytest.mark.parametrize("name", ["there/is/none.plan", "config/sfcode.yaml/x.plan"])
def test_a_plan_that_cannot_be_saved_is_a_usage_error(journey, name):
    refused = journey.plan("--out", name)
    assert refused.code == 1
    assert f"{name}: the plan cannot be saved: " in refused.err


def test_a_file_in_place_of_a_folder_is_a_usage_error(journey):
    (journey.folder / ".sfcode").write_text("not a folder")
    refused = journey.plan()
    assert refused.code == 1
    assert ".sfcode/local-org: Not a directory\n" in refused.err


def test_printed_commands_quote_folders_with_spaces(journey):
    config = (journey.folder / "config").rename(journey.folder / "my config")
    journey.environ = {**journey.environ, "SFCODE_ENV": ""}
    answer = journey.run("--config", config.name, "--env", "local", "plan", "--out", "my plan")
    assert answer.out.endswith("sfcode --config 'my config' --env local apply 'my plan'\n")


def test_apex_tests_are_named_together_with_their_level(journey):
    for words in (("--tests", "MyTest"), ("--test-level", "RunSpecifiedTests")):
        refused = journey.plan(*words)
        assert refused.code == 1
        assert "--tests and --test-level RunSpecifiedTests go together." in refused.err


def test_attach_prints_json_after_the_local_org_has_ended(applied):
    applied.edit("mappings/contact.yaml", "    plan: Plan__c\n", "")
    (deploy_id,) = applied.run("--json", "apply", "--auto-approve").json["result"]["deployments"]
    attached = applied.run("--json", "apply", "--attach", deploy_id)
    assert attached.code == 0, attached.out
    assert attached.json["result"]["org"].startswith("00D")


def test_ctrl_c_after_the_end_of_a_deployment_cancels_nothing(applied):
    applied.edit("mappings/contact.yaml", "    plan: Plan__c\n", "")
    (deploy_id,) = applied.run("--json", "apply", "--auto-approve").json["result"]["deployments"]
    reports = []

    def say(line):
        reports.append(line)
        if len(reports) == 1:
            raise KeyboardInterrupt

    with local_org(applied) as org, opened(org) as client:
        assert watch(client, deploy_id, say).success
    assert reports[1].startswith(f"Cancelling {deploy_id}")


def test_sfcode_without_a_verb_shows_its_help_and_no_error(journey):
    answer = journey.run()
    assert (answer.code, answer.out) == (1, "")
    assert answer.err.startswith("Usage: sfcode ")


@pytest.mark.parametrize(
    ("words", "environ"), [(["--no-color"], {}), ([], {"NO_COLOR": "1"})], ids=["option", "variable"]
)
def test_no_color_applies_to_errors_too(journey, words, environ):
    master, end = pty.openpty()
    journey.environ = {**journey.environ, **environ}
    assert journey.spawn(*words, "--env", "nope", "validate", stdout=subprocess.DEVNULL, stderr=end).wait() == 1
    os.close(end)
    assert os.read(master, 65536).startswith(b"Error: ")
    os.close(master)


def test_a_username_with_capitals_is_the_same_user_in_any_case_that_the_org_stores(journey):
    journey.edit("sfcode.yaml", "appcues.integration@", "Appcues.Integration@")
    assert journey.apply().code == 0
    assert journey.actions() == {}
    with serve(journey.folder / ".sfcode" / "local-org") as org, opened(org) as client:
        (row,) = client.query("SELECT Id, Username FROM User WHERE Username LIKE 'appcues.integration@%'")
        client.update("User", row["Id"], {"Username": row["Username"].lower()})
    assert journey.actions() == {}


def test_a_refused_apply_prints_each_reason_once(journey):
    with local_org(journey) as org:
        deploy(
            org, Component("CustomField", "Contact.Appcues_User_Id__c", {"label": "Id", "type": "Text", "length": 40})
        )
    refused = journey.apply()
    assert refused.code == 1
    assert (refused.out + refused.err).count("cannot convert to Formula; choose another name in the config") == 1
    assert "--adopt" not in refused.err, "an org would refuse to change the adopted field"
    assert "Plan: " in refused.out


def test_a_config_that_is_a_link_keeps_its_state_where_the_link_is(journey):
    shared = journey.folder / "shared"
    shared.mkdir()
    (journey.folder / "config").rename(shared / "config")
    (journey.folder / "config").symlink_to(shared / "config")
    assert journey.apply().code == 0
    assert (journey.folder / ".sfcode").is_dir()
    assert not (shared / ".sfcode").exists()


def test_templates_beside_the_config_that_a_link_leads_to_are_still_the_projects_own(journey):
    shared = journey.folder / "shared"
    templates = shared / "templates" / "metadata"
    templates.mkdir(parents=True)
    (templates / "Unheard_of.xml.j2").write_text("x")
    (journey.folder / "config").rename(shared / "config")
    (journey.folder / "config").symlink_to(shared / "config")
    assert "Unheard_of.xml.j2:1:1: this template is not used" in journey.run("validate").err


@pytest.mark.parametrize("words", [("apply", "--auto-approve"), ("plan",)])
def test_a_full_disk_is_reported_without_a_traceback(journey, words):
    assert journey.plan().code == 0
    room = 60_000 if words[0] == "apply" else 4096  # an apply must write some data before the disk is full
    argv, options = journey.command(*words)

    def little_room():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

    process = subprocess.run(argv, check=False, capture_output=True, text=True, preexec_fn=little_room, **options)
    assert process.returncode == 1
    assert "Traceback" not in process.stderr
    assert "bug" not in process.stderr
    assert "state of " in process.stderr
    assert "disk I/O error" in process.stderr or "full" in process.stderr
    assert journey.apply().code == 0


@pytest.mark.parametrize(("soft", "hard"), [(16, FEWEST_FILES), (16, 16), (FEWEST_FILES - 1, FEWEST_FILES - 1)])
def test_a_plan_raises_the_limit_of_open_files_or_reports_it(journey, soft, hard):
    argv, options = journey.command("plan")

    def limit_files():
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    process = subprocess.run(argv, check=False, capture_output=True, text=True, preexec_fn=limit_files, **options)
    refusal = f"Error: A process may open {hard} files here, and a server needs {FEWEST_FILES}.\n{RAISE_LIMIT}\n"
    assert (process.returncode, process.stderr) == ((0, "") if hard >= FEWEST_FILES else (1, refusal))


def test_a_project_has_one_local_org_wherever_a_command_is_started(journey, tmp_path):
    """`local` uses the same org as plan and apply: beside the config folder, not in the current folder."""
    elsewhere = Journey(tmp_path / "elsewhere")
    elsewhere.folder.mkdir()
    config = ("--config", str(journey.folder / "config"))
    assert elsewhere.run(*config, "apply", "--auto-approve").code == 0
    assert journey.actions() == {}
    reset = elsewhere.run(*config, "--json", "local", "reset")
    assert Path(reset.json["result"]["state"]) == journey.folder / ".sfcode" / "local-org"
    assert journey.actions() != {}
    app = elsewhere.run("local", "app", "CI", "--all-users", *config)
    assert app.code == 0, app.err
    imported = elsewhere.run(*config, "--org", "local", "import", "--dry-run", "--overwrite")
    assert "--user-id-field" in imported.out + imported.err
    assert not (elsewhere.folder / ".sfcode").exists()


def test_an_import_through_a_link_reads_the_local_org_beside_the_link(journey):
    shared = journey.folder / "shared"
    shared.mkdir()
    (journey.folder / "config").rename(shared / "config")
    (journey.folder / "config").symlink_to(shared / "config")
    journey.run("--org", "local", "import", "--dry-run")
    assert (journey.folder / ".sfcode").is_dir()
    assert not (shared / ".sfcode").exists()
