"""The journeys of tests/e2e/journeys.py, one by one."""

from __future__ import annotations

import ast
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sfcode.local import LocalOrg, serve
from sfcode.local.store import Store
from sfcode.metadata.component import Address, Component
from tests.e2e.journey import Journey
from tests.e2e.journeys import CONTACT, ELSEWHERE, MESSAGE, PEOPLE, STORIES, THEIR_MESSAGE, THEIR_RULE
from tests.e2e.org import component, deploy, opened
from tests.e2e.stories import USER, Story, set_record


def state(journey: Journey) -> Path:
    return journey.folder / ".sfcode" / "local-org"


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_a_journey_plans_and_applies_as_described(
    story: Story, starts: Callable[[str, Path], Journey], tmp_path: Path
) -> None:
    """
    The plan has the expected actions.

    The apply executes them and leaves an empty plan, or it refuses and changes nothing.
    """
    journey = starts(story.start, tmp_path / "project")
    with serve(state(journey)) as org:
        for step in story.steps:
            step(journey, org)
    planned = journey.run("plan", "--format", "json", *story.words)
    assert actions(planned.json) == dict(story.plan)
    if story.says:
        output = journey.plan(*story.words).out
        assert [words for words in story.says if words not in output] == [], output
    applied = journey.apply(*story.words)
    if story.refused:
        assert applied.code == 1
        assert story.refused in applied.err + applied.out
        assert actions(journey.run("plan", "--format", "json", *story.words).json) == dict(story.plan)
    else:
        assert applied.code == 0, applied.err
        assert journey.actions() == {}


def actions(document: dict[str, list[dict[str, dict[str, list[str]]]]]) -> dict[str, str]:
    actions_by_address = {
        str(resource_change["address"]): resource_change["change"]["actions"][0]
        for resource_change in document["resource_changes"]
    }
    return {address: action for address, action in actions_by_address.items() if action != "no-op"}


def test_unmanaged_rules_and_messages_remain_after_a_mapping_is_removed(
    starts: Callable[[str, Path], Journey], tmp_path: Path
) -> None:
    journey = starts("visible", tmp_path / "project")
    with serve(state(journey)) as org:
        deploy(org, THEIR_MESSAGE, THEIR_RULE)
    (journey.folder / "config" / CONTACT).unlink()
    assert journey.apply().code == 0
    with serve(state(journey)) as org:
        assert component(org, Address.parse(MESSAGE)) is None
        for component_of_others in (THEIR_MESSAGE, THEIR_RULE):
            assert component(org, component_of_others.address) is not None


def test_a_saved_plan_is_refused_after_the_user_was_changed(
    starts: Callable[[str, Path], Journey], tmp_path: Path
) -> None:
    """A saved plan also depends on the records of the org."""
    journey = starts("applied", tmp_path / "project")
    journey.edit(CONTACT, "    plan: Plan__c\n", "")
    assert journey.plan("--out", "plan.json").code == 0
    with serve(state(journey)) as org:
        set_record("User", f"Username = '{USER}'", IsActive=False)(journey, org)
    refused = journey.run("apply", "plan.json")
    assert refused.code == 1
    assert f"User:{USER} was changed" in refused.err


@pytest.mark.parametrize("who", PEOPLE)
def test_a_user_without_permissions_changes_nothing_and_another_user_can_continue(
    who: str, starts: Callable[[str, Path], Journey], tmp_path: Path
) -> None:
    """Missing permissions are reported with the org's message, and a user with these permissions can continue."""
    profile, permissions, message = PEOPLE[who]
    journey = starts("new", tmp_path / "project")
    with serve(state(journey)) as org:
        token = sign_in(org, state(journey), profile, permissions)
        journey.environ = {**journey.environ, "SF_ACCESS_TOKEN": token}
        applied = journey.run("--org", org.url, "apply", "--auto-approve")
        assert applied.code == (1 if message else 0), applied.err
        assert message in applied.err
        assert "Traceback" not in applied.err
        assert token not in applied.err + applied.out
        journey.environ = {**journey.environ, "SF_ACCESS_TOKEN": org.access_token}
        assert journey.run("--org", org.url, "apply", "--auto-approve").code == 0
        assert journey.run("--org", org.url, "plan", "--detailed-exitcode").code == 0


def sign_in(org: LocalOrg, folder: Path, profile: str, permissions: tuple[str, ...]) -> str:
    """Create a user, and sign in as this user."""
    enabled = {name: {"enabled": True} for name in permissions}
    deploy(org, Component("PermissionSet", "Person", {"label": "Person", "userPermissions": enabled}))
    with opened(org) as client:
        (row,) = client.query("SELECT Id FROM Profile WHERE Name = {}", profile)
        (granted,) = client.query("SELECT Id FROM PermissionSet WHERE Name = 'Person'")
        values = {"Username": "pat@northwind.example", "LastName": "Pat", "Alias": "pat", "Email": "pat@x.example"}
        locale = {"TimeZoneSidKey": "GMT", "LocaleSidKey": "en_US", "LanguageLocaleKey": "en_US"}
        person = client.create("User", {**values, **locale, "EmailEncodingKey": "UTF-8", "ProfileId": row["Id"]})
        client.create("PermissionSetAssignment", {"AssigneeId": person, "PermissionSetId": granted["Id"]})
    token = f"{org.org_id[:15]}!PAT"
    with Store(folder / "org.db") as store, store.transaction() as tx:
        tx.sessions.put(token, person, now=datetime.now(UTC))
    return token


def test_the_table_has_enough_journeys_and_names_existing_tests() -> None:
    """The table has at least forty journeys, with every kind of start and interruption."""
    assert len(STORIES) + len(ELSEWHERE) + len(PEOPLE) >= 40
    named_tests = set(ELSEWHERE.values())
    tests = {
        f"{path.name}::{node.name}"
        for path in Path(__file__).parent.glob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
    }
    assert named_tests <= tests, named_tests - tests
