"""Changes of the state without an apply: what is written, where, and under which lock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from sfcode.apply.edit_state import adopt_components, forget_components
from sfcode.apply.lock import find_lock, hold_lock
from sfcode.apply.lock_holder import describe_run
from sfcode.config.project import Project
from sfcode.errors import DeployFailed, Refused
from sfcode.local import serve
from sfcode.local.faults import InjectedFault
from sfcode.metadata.component import Component
from sfcode.metadata.package import write, zip_files
from sfcode.org import DeployOptions, Org
from sfcode.plan.gather import find_state
from sfcode.plan.state import Applied, state_address
from sfcode.plan.state_format import from_component, to_component
from tests.e2e.org import opened
from tests.plan.samples import USER, number

FIELDS = [number(f"{letter}__c") for letter in "DCBA"]
NAMES = ", ".join(f"CustomField:Contact.{letter}__c" for letter in "ABCD")


@pytest.fixture
def org(tmp_path) -> Iterator[Org]:
    with serve(tmp_path) as served, opened(served) as client:
        yield client


def adopt(org: Org, project: Project, *components: Component) -> None:
    adopt_components(org, project, components, lambda _: None)


def forget(org: Org, project: Project, *components: Component) -> None:
    forget_components(org, project, [component.address for component in components], lambda _: None)


def read_state(org: Org, project: Project) -> Applied:
    return from_component(find_state(org, project))


def write_state(org: Org, project: Project, identity: str, /, **values: object) -> None:
    applied = Applied({number("Z__c").address: number("Z__c").body}, **values)
    package = write([to_component(state_address(identity), applied)], project.settings.salesforce.api_version)
    deploy_id = org.metadata.deploy(zip_files(package), DeployOptions())
    assert org.metadata.follow(deploy_id, lambda _: None).success


def test_components_and_records_are_stored_separately(org: Org, project: Project) -> None:
    adopt(org, project, FIELDS[0], USER)
    applied = read_state(org, project)
    assert dict(applied.components) == {FIELDS[0].address: FIELDS[0].body}
    assert dict(applied.records) == {USER.address: USER.body}


def test_a_refusal_names_all_addresses_in_order_and_changes_nothing(org: Org, project: Project) -> None:
    with pytest.raises(Refused) as not_managed:
        forget(org, project, *FIELDS)
    assert not_managed.value.message == f"sfcode does not manage {NAMES}."
    adopt(org, project, *FIELDS)
    with pytest.raises(Refused) as managed:
        adopt(org, project, *FIELDS, number("E__c"))
    assert managed.value.message == f"sfcode already manages {NAMES}."
    with pytest.raises(Refused):
        forget(org, project, *FIELDS, number("E__c"))
    assert read_state(org, project).addresses() == {component.address for component in FIELDS}


def test_a_new_state_contains_the_name_of_the_project_and_the_id_of_the_org(org: Org, project: Project) -> None:
    adopt(org, project, FIELDS[0])
    applied = read_state(org, project)
    assert (applied.project, applied.org_id) == (project.settings.name, org.identity.org_id)


def test_an_existing_state_keeps_its_project_and_its_org(org: Org, project: Project) -> None:
    write_state(org, project, project.identity, project="Former", org_id="00D000000000009EAA")
    adopt(org, project, FIELDS[0])
    applied = read_state(org, project)
    assert (applied.project, applied.org_id) == ("Former", "00D000000000009EAA")
    assert number("Z__c").address in applied.components


def test_the_state_of_a_renamed_project_stays_at_its_address_until_the_next_apply(org: Org, project: Project) -> None:
    moved = project.settings.moved.model_copy(update={"name": "Former"})
    renamed = replace(project, settings=project.settings.model_copy(update={"moved": moved}))
    write_state(org, project, "Former")
    adopt(org, renamed, FIELDS[0])
    state = find_state(org, renamed)
    assert state
    assert state.address == state_address("Former")
    assert find_state(org, project) is None


def test_a_state_without_addresses_is_deleted(org: Org, project: Project) -> None:
    adopt(org, project, FIELDS[0], USER)
    forget(org, project, FIELDS[0])
    assert find_state(org, project)
    forget(org, project, USER)
    assert find_state(org, project) is None


def test_the_org_is_locked_meanwhile(org: Org, project: Project) -> None:
    verbs = []

    def report(_line: str) -> None:
        lock = find_lock(org, project.identity)
        assert lock
        assert lock.holder
        verbs.append(lock.holder.verb)

    adopt_components(org, project, FIELDS, report)
    assert set(verbs) == {"state"}
    assert find_lock(org, project.identity) is None


def test_a_lock_of_another_run_is_not_waited_for(org: Org, project: Project) -> None:
    lines: list[str] = []
    other = replace(describe_run("apply"), machine="another")
    with (
        hold_lock(org, project.identity, other, patience=0.0, report=lines.append),
        pytest.raises(Refused, match="The org is locked by `sfcode apply`"),
    ):
        adopt_components(org, project, FIELDS, lines.append)
    assert lines == []
    assert find_state(org, project) is None


def test_a_refused_deployment_of_the_state_is_an_error(tmp_path, project: Project) -> None:
    with serve(tmp_path, faults=[InjectedFault("locked_org")]) as served, opened(served) as org:
        with pytest.raises(DeployFailed, match="ALREADY_IN_PROCESS"):
            adopt(org, project, FIELDS[0])
        assert find_lock(org, project.identity) is None
