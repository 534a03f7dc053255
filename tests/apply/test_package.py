"""The package of a deployment: its files, its applied state, and the digest that a check is bound to."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from typing import Any

import pytest

from sfcode.apply.package import (
    missing_users,
    package,
    package_digest,
    replace_missing_users,
    trial_package,
)
from sfcode.apply.steps import Deploy, Trial
from sfcode.metadata.component import Address, Component
from sfcode.metadata.package import read
from sfcode.plan.change import Change
from sfcode.plan.next_state import Mark
from sfcode.plan.plan import Plan
from sfcode.plan.state import Applied, Past, state_address
from sfcode.plan.state_format import from_component
from tests.plan.samples import TARGET, USER, number

SECRET = "value-0123456789abcdef"
MESSAGE = Component(
    "WorkflowOutboundMessage",
    "Contact.Appcues_contact",
    {
        "apiVersion": "63.0",
        "endpointUrl": "https://r.example.com/${secret:OUT}",
        "fields": ["Id"],
        "includeSessionId": False,
        "integrationUser": USER.full_name,
        "name": "Appcues_contact",
        "protected": False,
        "useDeadLetterQueue": False,
    },
)
A, B, C = number("A__c"), number("B__c"), number("C__c")
FLOW = Address("Flow", "Appcues_contact")
BEFORE = Past("0", "then", "them", None, {}, frozenset())
MARK = Mark("me@example.com", "2026-03-18T12:00:00Z", "1f2e3d", "cafe", Applied({A.address: A.body}, history=(BEFORE,)))
CHANGES = (
    Change(USER.address, None, USER),
    Change(A.address, A, number("A__c", 4)),
    Change(B.address, None, B),
    Change(C.address, C, C),
    Change(MESSAGE.address, None, MESSAGE),
)
SECRETS = {"OUT": "f1", "UNUSED": "f2"}
STEP = Deploy((number("A__c", 4), B, MESSAGE), (), (number("A__c", 4), B, C, MESSAGE))


def plan(*changes: Change, **more: Any) -> Plan:
    return Plan(
        TARGET,
        "production",
        "config-1",
        "63.0",
        state_address("Appcues"),
        changes or CHANGES,
        {},
        secrets=SECRETS,
        **more,
    )


def files(zipped: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(zipped)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def sent(zipped: bytes) -> dict[str, Component]:
    return {str(component.address): component for component in read(files(zipped))}


def state_of(zipped: bytes) -> Applied:
    return from_component(sent(zipped)[str(state_address("Appcues"))])


def test_secrets_are_in_what_is_sent_and_placeholders_in_the_state() -> None:
    zipped = package(plan(), STEP, MARK, {"OUT": SECRET})
    assert sent(zipped)[str(MESSAGE.address)].body["endpointUrl"] == f"https://r.example.com/{SECRET}"
    state = state_of(zipped)
    assert state.components[MESSAGE.address]["endpointUrl"] == "https://r.example.com/${secret:OUT}"
    assert SECRET not in str(state)


def test_the_state_contains_all_managed_components_and_the_replaced_values() -> None:
    state = state_of(package(plan(), STEP, MARK, {"OUT": SECRET}))
    assert state == Applied(
        components={component.address: component.body for component in STEP.owned},
        revision="1f2e3d",
        applied_by="me@example.com",
        applied_at="2026-03-18T12:00:00Z",
        config_digest="config-1",
        secrets={"OUT": "f1"},
        history=(
            Past(
                "cafe",
                "2026-03-18T12:00:00Z",
                "me@example.com",
                "1f2e3d",
                {A.address: A.body, B.address: None, USER.address: None, MESSAGE.address: None},
                frozenset({A.address}),
            ),
            BEFORE,
        ),
        org_id=TARGET.org_id,
        records={USER.address: USER.body},
    )


def test_an_apply_with_target_does_not_record_the_config() -> None:
    assert state_of(package(plan(kept=(C,)), STEP, MARK, {"OUT": SECRET})).config_digest is None


def test_the_state_is_deleted_with_the_last_managed_component() -> None:
    zipped = package(plan(), Deploy((), (A.address,), ()), MARK, {})
    (destructive,) = [data.decode() for name, data in files(zipped).items() if "destructive" in name]
    assert "<members>Contact.A__c</members>" in destructive
    assert "<members>Appcues_sfcode_state</members>" in destructive
    assert sent(zipped) == {}


def test_deletions_are_in_the_package_with_the_rest() -> None:
    zipped = package(plan(), replace(STEP, deleted=(C.address,)), MARK, {"OUT": SECRET})
    (destructive,) = [data.decode() for name, data in files(zipped).items() if "destructive" in name]
    assert "<members>Contact.C__c</members>" in destructive
    assert "Appcues_sfcode_state" not in destructive


class TestTheDigest:
    def test_contains_no_secret_and_depends_on_everything_that_is_sent(self) -> None:
        digest = package_digest(plan(), STEP, MARK)
        assert package_digest(plan(), STEP, MARK) == digest
        other_digests = [
            package_digest(plan(), replace(STEP, components=(B, MESSAGE)), MARK),
            package_digest(plan(), replace(STEP, deleted=(C.address,)), MARK),
            package_digest(plan(), replace(STEP, owned=(B, MESSAGE)), MARK),
            package_digest(plan(), STEP, replace(MARK, at="2026-03-18T12:00:01Z")),
            package_digest(plan(), STEP, replace(MARK, id="beef")),
            package_digest(replace(plan(), api_version="62.0"), STEP, MARK),
        ]
        assert len({digest, *other_digests}) == 1 + len(other_digests)

    def test_does_not_depend_on_the_order_of_the_files(self) -> None:
        reversed_step = replace(STEP, components=STEP.components[::-1])
        assert package_digest(plan(), reversed_step, MARK) == package_digest(plan(), STEP, MARK)


class TestUsersThatDoNotExistYet:
    def test_are_those_that_the_plan_creates(self) -> None:
        assert missing_users(plan()) == {USER.full_name}
        assert missing_users(plan(Change(USER.address, USER, USER))) == set()
        assert missing_users(plan(Change(A.address, None, A))) == set()

    def test_are_those_too_that_it_activates_again(self) -> None:
        inactive = replace(USER, body={**USER.body, "IsActive": False})
        assert missing_users(plan(Change(USER.address, inactive, USER))) == {USER.full_name}
        assert missing_users(plan(Change(USER.address, inactive, inactive))) == set()
        assert missing_users(plan(Change(USER.address, inactive, None))) == set()

    def test_are_those_too_that_it_renames(self) -> None:
        renamed = Change(USER.address, USER, USER, moved_from=Address("User", "former@example.com"))
        assert missing_users(plan(renamed)) == {USER.full_name}

    def test_are_replaced_by_the_signed_in_user_in_every_reference(self) -> None:
        app = Component("ExtlClntAppOauthConfigurablePolicies", "A", {"clientCredentialsFlowUser": USER.full_name})
        other_message = replace(MESSAGE, body={**MESSAGE.body, "integrationUser": "other@example.com"})
        replaced = replace_missing_users(plan(), (MESSAGE, app, other_message, A))
        assert replaced[0].body == {**MESSAGE.body, "integrationUser": TARGET.username}
        assert replaced[1].body == {"clientCredentialsFlowUser": TARGET.username}
        assert replaced[2:] == (other_message, A)


@pytest.mark.parametrize("versions", [{FLOW: (3, 2)}, {FLOW: ()}])
def test_a_trial_switches_flows_off_and_deletes_their_versions(versions: dict[Address, tuple[int, ...]]) -> None:
    trial = Trial((MESSAGE,), (A.address,), (FLOW,), ())
    zipped = trial_package(plan(), trial, {"OUT": SECRET}, versions)
    components = sent(zipped)
    assert components[str(MESSAGE.address)].body["integrationUser"] == TARGET.username
    assert components[str(MESSAGE.address)].body["endpointUrl"] == f"https://r.example.com/{SECRET}"
    assert str(state_address("Appcues")) not in components
    content = b"".join(files(zipped).values()).decode()
    assert ("<activeVersionNumber>0</activeVersionNumber>" in content) is bool(versions[FLOW])
    (destructive,) = [data.decode() for name, data in files(zipped).items() if "destructive" in name]
    assert "<members>Contact.A__c</members>" in destructive
    for version in (2, 3):
        assert (f"<members>Appcues_contact-{version}</members>" in destructive) is bool(versions[FLOW])
