import json
import re
from dataclasses import replace

import jsonschema
import pytest

from sfcode.errors import Refused, UsageError
from sfcode.plan.document import _render_parts, load, save, to_document
from sfcode.plan.signature import _name, plan_key, seal
from sfcode.secret import Secret
from tests.json_output import check_output
from tests.plan.samples import SECRETS, USER, build, desired, number, observed, permissions

KEY, OTHER = Secret("0123456789abcdef"), Secret("fedcba9876543210")
NAME = _name(KEY)


@pytest.fixture
def plan(project):
    desired_state = desired(number("A__c", 4), permissions(A__c=True), records=(USER,))
    snapshot = observed(
        number("A__c"), number("B__c"), applied=(number("A__c"), number("B__c")), warnings=("Mind this.",)
    )
    return build(project, desired_state, snapshot, secrets=SECRETS)


def test_a_saved_plan_reads_back_as_the_same_plan(plan, tmp_path):
    save(plan, tmp_path / "plan.json")
    assert load(tmp_path / "plan.json") == plan


@pytest.mark.parametrize("key", [None, KEY], ids=["unsigned", "signed"])
@pytest.mark.parametrize("changes", [True, False], ids=["changes", "no-changes"])
def test_a_plan_that_is_saved_change_by_change_is_the_document_as_a_whole(plan, tmp_path, key, changes):
    plan = plan if changes else replace(plan, changes=())
    save(plan, tmp_path / "plan.json", key)
    assert (tmp_path / "plan.json").read_text() == json.dumps(
        to_document(plan, key), indent=2, ensure_ascii=False
    ) + "\n"


def test_a_large_change_is_saved_without_its_text_as_a_whole(project):
    many_fields = {f"Field{number}__c": True for number in range(1_000)}
    large_plan = build(project, desired(permissions(**many_fields)), observed())
    lengths = list(map(len, _render_parts(large_plan, None)))
    assert max(lengths) < sum(lengths) / 3


def test_the_document_has_the_structure_of_terraforms_plans(plan):
    document = to_document(plan)
    assert document["format_version"] == "1.4"
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
        (lambda d: d["resource_changes"].pop(2), "the plan was changed after it was made: CustomField:Contact.B__c$"),
        (lambda d: d["org"].update(id="00Dxx"), "the plan was changed after it was made: org$"),
        (lambda d: d.update(more=1), "the plan was changed after it was made: more$"),
        (lambda d: d.update(warnings=[], parts={}), "the plan was changed after it was made: "),
        (lambda d: d.update(warnings=[], parts=1), "the plan was changed after it was made$"),
        (lambda d: d.update(seal({"format_version": "1.1"}, None), org=[]), "the plan was changed after it was made"),
        (lambda d: d.update(format_version="2.0"), "the plan has format 2.0, this sfcode reads 1.4"),
        (lambda d: d.pop("format_version"), "this is not a saved plan"),
    ],
)
def test_an_edited_plan_is_refused(plan, tmp_path, change, message):
    path = tmp_path / "plan.json"
    save(plan, path)
    edit(path, change)
    with pytest.raises(Refused) as refused:
        load(path)
    assert re.search(message, refused.value.message)
    assert refused.value.hint == "Make a new one with `sfcode plan --out FILE`."


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.pop("org"),
        lambda d: d.update(resource_changes=[1]),
        lambda d: d.update(secrets=None, refusals=[{}]),
        lambda d: d["resource_changes"][0].update(address="nonsense"),
    ],
)
def test_a_forged_plan_with_a_valid_digest_is_refused_without_a_traceback(plan, tmp_path, change):
    document = to_document(plan)
    change(document)
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(seal(document, None)))
    with pytest.raises(Refused, match="this is not a saved plan"):
        load(path)


class TestSigned:
    """With a key, only plans that were signed with this key are applied."""

    @pytest.fixture
    def path(self, plan, tmp_path):
        save(plan, tmp_path / "plan.json", KEY)
        return tmp_path / "plan.json"

    def refused(self, path, key=KEY):
        with pytest.raises(Refused) as refused:
            load(path, key)
        return refused.value.message.removeprefix(f"{path}: ")

    def test_a_signed_plan_is_read_with_and_without_the_key(self, plan, path):
        assert load(path, KEY) == load(path) == plan
        assert KEY.reveal() not in path.read_text()

    def test_an_edit_is_located_even_if_the_digests_were_recomputed(self, path):
        edit(path, lambda d: d["org"].update(id="00Dxx"))
        assert self.refused(path) == "the plan was changed after it was signed: org"
        document = json.loads(path.read_text())
        path.write_text(json.dumps(seal(document, None) | {"signature": document["signature"]}))
        load(path)
        assert self.refused(path) == "the plan was changed after it was signed"

    def test_another_key_is_distinguished_from_an_edit(self, path):
        message = self.refused(path, OTHER)
        assert message.startswith("the plan was signed with another key (")
        assert KEY.reveal() not in message

    @pytest.mark.parametrize("signature", [None, 1, {}, {"key": 1}])
    def test_an_unsigned_plan_is_refused_with_a_key(self, path, signature):
        edit(path, lambda d: d.update(signature=signature))
        assert self.refused(path) in (
            "the plan is not signed, and SFCODE_PLAN_KEY is set",
            *(
                f"the plan was signed with another key ({key_name}) than the one in SFCODE_PLAN_KEY ({NAME})"
                for key_name in ("", "1", "None")
            ),
        )


def test_a_short_key_is_refused():
    assert plan_key({}) is None
    assert plan_key({"SFCODE_PLAN_KEY": ""}) is None
    with pytest.raises(UsageError, match="fewer than 16 characters"):
        plan_key({"SFCODE_PLAN_KEY": "short"})


@pytest.mark.parametrize("content", ["", "[]", "nonsense", "\x00", "[" * 100_000], ids=len)
def test_a_file_that_is_not_a_plan_is_refused(tmp_path, content):
    path = tmp_path / "plan.json"
    path.write_text(content)
    with pytest.raises(Refused, match="this is not a saved plan"):
        load(path)


def test_a_missing_plan_file_is_refused(tmp_path):
    with pytest.raises(Refused, match="cannot be read: No such file"):
        load(tmp_path / "none.json")


def test_a_key_of_sixteen_characters_is_accepted():
    key = plan_key({"SFCODE_PLAN_KEY": "0123456789abcdef"})
    assert key is not None
    assert key.reveal() == "0123456789abcdef"
    with pytest.raises(UsageError):
        plan_key({"SFCODE_PLAN_KEY": "0123456789abcde"})


@pytest.mark.parametrize("key", [None, Secret("0123456789abcdef")])
def test_a_plan_fits_its_schema(plan, key):
    document = json.loads(json.dumps(to_document(plan, key)))
    check_output(document)
    with pytest.raises(jsonschema.ValidationError):
        check_output(document | {"surprise": 1})


def test_the_digest_of_a_document_is_the_same_in_every_release_and_key_order():
    document = {
        "format_version": "1.1",
        "b": ["ö", 1],
        "a": {"y": None, "x": True},
        "resource_changes": [{"address": "A:b"}],
    }
    reversed_document = dict(reversed(document.items()))
    sealed_document = seal(document, KEY)
    assert sealed_document == seal(reversed_document, KEY)
    assert (sealed_document["digest"], sealed_document["signature"]["key"], sealed_document["signature"]["hmac"]) == (
        "50101c5ac6fbc8886a252e2fecf350a6b991366bef29929a832565ccb850cdeb",
        "28f6b30e",
        "5bd34e5cdfeabeefac6a95891587823169220201ff5d8f82b8d591bc7acb3463",
    )
    assert sealed_document["parts"] == {
        "format_version": "e7a84a5fb23a",
        "b": "189798fecdd5",
        "a": "1785ca8636f7",
        "A:b": "a2d123857205",
    }


def test_parts_that_differ_are_named_in_order(plan, tmp_path):
    path = tmp_path / "plan.json"
    save(plan, path)
    edit(path, lambda d: d.update(warnings=[], environment="x", api_version="1"))
    with pytest.raises(Refused, match="after it was made: api_version, environment, warnings\n"):
        load(path)


def test_a_signed_plan_with_a_lone_surrogate_is_read(plan, tmp_path):
    path = tmp_path / "plan.json"
    save(plan, path)
    edit(path, lambda d: d.update(seal({**d, "warnings": ["\ud800"]}, None)))
    assert load(path).warnings == ("\ud800",)
