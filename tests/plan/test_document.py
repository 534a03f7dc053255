import json

import pytest

from sfcode.errors import Refused
from sfcode.plan.build import build
from sfcode.plan.document import load, save, to_document
from tests.plan.samples import SECRETS, USER, desired, number, observed, permissions


@pytest.fixture
def plan(project):
    wanted = desired(number("A__c", 4), permissions(A__c=True), records=(USER,))
    seen = observed(number("A__c"), number("B__c"), applied=(number("A__c"), number("B__c")), warnings=("Mind this.",))
    return build(project, wanted, seen, secrets=SECRETS)


def test_a_saved_plan_reads_back_as_the_same_plan(plan, tmp_path):
    save(plan, tmp_path / "plan.json")
    assert load(tmp_path / "plan.json") == plan


def test_the_document_has_terraforms_shape(plan):
    document = to_document(plan)
    assert document["format_version"] == "1.1"
    actions = {change["address"]: change["change"]["actions"] for change in document["resource_changes"]}
    assert actions == {
        "CustomField:Contact.A__c": ["update"],
        "CustomField:Contact.B__c": ["delete"],
        "PermissionSet:Appcues_Integration": ["create"],
        "User:appcues@example.com": ["create"],
    }
    assert document["summary"] == {"create": 2, "update": 1, "delete": 1}
    assert document["resource_drift"] == []


def test_no_secret_is_in_the_document(plan):
    text = json.dumps(to_document(plan))
    assert not [value for value in SECRETS.values() if value in text]
    assert set(to_document(plan)["secrets"]) == set(SECRETS)


def edit(path, change):
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d["resource_changes"].pop(), "the plan was changed after it was made"),
        (lambda d: d["org"].update(id="00Dxx"), "the plan was changed after it was made"),
        (lambda d: d.update(format_version="2.0"), "the plan has format 2.0, this sfcode reads 1.1"),
        (lambda d: d.pop("format_version"), "this is not a saved plan"),
    ],
)
def test_an_edited_plan_is_refused(plan, tmp_path, change, message):
    path = tmp_path / "plan.json"
    save(plan, path)
    edit(path, change)
    with pytest.raises(Refused, match=message):
        load(path)


@pytest.mark.parametrize("content", ["", "[]", "nonsense", "\x00"])
def test_a_file_that_is_no_plan_is_refused(tmp_path, content):
    path = tmp_path / "plan.json"
    path.write_text(content)
    with pytest.raises(Refused, match="this is not a saved plan"):
        load(path)


def test_a_plan_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(Refused, match="cannot be read: No such file"):
        load(tmp_path / "none.json")
