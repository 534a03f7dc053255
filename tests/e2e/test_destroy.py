"""Destroy deletes managed components, and nothing else."""

from __future__ import annotations

import os
import pty

import pytest

from sfcode.local import serve
from sfcode.metadata.component import Address, Component
from tests.e2e.org import component, deploy, opened
from tests.waiting import PATIENCE

USER = "appcues.integration@example.com.local"
THEIRS = Component("CustomField", "Contact.Theirs__c", {"label": "Theirs", "length": 20, "type": "Text"})


def local_org(journey):
    return serve(journey.folder / ".sfcode" / "local-org")


def test_destroy_deletes_managed_components_and_no_others(visible):
    with local_org(visible) as org:
        deploy(org, THEIRS)
    result = visible.plan("--destroy", "--detailed-exitcode")
    assert result.code == 2
    assert "# (because the integration is removed)" in result.out
    assert "~ IsActive = true -> false" in result.out
    second_result = visible.run("destroy", "--auto-approve")
    assert second_result.code == 0, second_result.err
    assert "Destroy complete! Resources: 0 added, 1 changed, 15 destroyed." in second_result.out
    assert "Left to do in Appcues" not in second_result.out
    with local_org(visible) as org:
        assert component(org, THEIRS.address) is not None
        for address in ("StaticResource:Appcues_sfcode_state", "Flow:Appcues_lead", "PermissionSet:Appcues_Viewer"):
            assert component(org, Address.parse(address)) is None
        with opened(org) as client:
            assert client.query("SELECT IsActive FROM User WHERE Username = {}", USER) == [{"IsActive": False}]
            assert client.query("SELECT Id FROM PermissionSetLicenseAssign") == []
    rerun = visible.run("destroy", "--auto-approve")
    assert (rerun.code, rerun.out.startswith("No changes. No managed components are left in ")) == (0, True)


def test_a_destroyed_project_can_be_applied_again(visible):
    assert visible.run("destroy", "--auto-approve").code == 0
    assert visible.actions()[f"User:{USER}"] == "update"
    assert visible.apply().code == 0
    assert visible.actions() == {}


def test_a_field_with_values_refuses_a_destroy_without_allow_delete(visible):
    allow = "CustomField:Contact.Appcues_NPS_Score__c"
    with local_org(visible) as org, opened(org) as client:
        (contact,) = client.query("SELECT Id FROM Contact LIMIT 1")
        client.update("Contact", contact["Id"], {"Appcues_NPS_Score__c": 9})
    refused = visible.run("destroy", "--auto-approve")
    assert refused.code == 1
    assert f"{allow} would be deleted with the values that 1 record holds in it" in refused.err
    assert "would be deleted with the values" not in refused.out, "a refusal is named once"
    assert visible.actions() == {}, "nothing was touched"
    assert visible.run("destroy", "--auto-approve", "--allow-delete", allow).code == 0


def test_a_saved_plan_to_destroy_is_applied_like_any_other(visible):
    assert visible.plan("--destroy", "--out", "down.json").code == 0
    result = visible.run("apply", "down.json")
    assert result.code == 0, result.err
    assert "Destroy complete!" in result.out
    assert visible.run("apply", "down.json").code == 1, "the org has moved since"


def test_destroy_and_adopt_do_not_go_together(applied):
    assert applied.plan("--destroy", "--adopt", "Flow:X").code == 1


@pytest.mark.parametrize(("typed", "code"), [("Northwind Traders", 0), ("yes", 1)])
def test_a_protected_environment_requires_the_name_of_the_org(visible, typed, code):
    visible.edit("sfcode.yaml", "org: local", "protected: true\n    org: local")
    assert visible.run("destroy", "--auto-approve").code == 1, "nobody at a terminal"
    terminal, end = pty.openpty()
    process = visible.spawn("destroy", "--auto-approve", stdin=end)
    os.close(end)
    os.write(terminal, f"{typed}\n".encode())
    out, err = process.communicate(timeout=PATIENCE)
    os.close(terminal)
    assert process.returncode == code, err
    assert "type the name of the org (Northwind Traders)" in out
    assert ("Destroy complete!" in out) is (code == 0)
    assert ("Canceled; nothing was changed." in err) is (code == 1)
