"""The number of requests of plan and doctor, each of which costs a round trip to a real org."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sfcode.checks.doctor import collect_facts
from sfcode.config import load
from sfcode.org import Org
from sfcode.plan.planner import make_plan
from tests.checks.doctor.clinic import Clinic
from tests.e2e.journey import SECRET

SECRETS = {"SFCODE_RELAY_OUTBOUND_SECRET": SECRET}


@contextmanager
def counted(org: Org) -> Iterator[list[str]]:
    """List the URLs of all requests of a client."""
    paths: list[str] = []
    org.rest.session.hooks["response"].append(lambda response, **_: paths.append(response.request.path_url))
    yield paths


def test_a_plan_requests_the_traits_of_the_org_once(clinic: Clinic) -> None:
    project = load(clinic.folder / "config", "local")
    with clinic.org() as (_, org), counted(org) as paths:
        make_plan(project, org, SECRETS)
    assert sum("/composite" in path for path in paths) == 1
    assert not [path for path in paths if "/describe" in path or "FROM+Profile" in path or "FROM+Organization" in path]
    assert len(paths) <= 13, paths


def test_doctor_requests_the_traits_of_the_org_once(clinic: Clinic) -> None:
    project = load(clinic.folder / "config", "local")
    with clinic.org() as (_, org), counted(org) as paths:
        collect_facts(project, org, None, {})
    assert sum("/composite" in path for path in paths) == 1
    parts_of_paths = ("/describe", "/limits", "License&", "+FROM+Profile", "+FROM+UserLicense", "EntityDefinition")
    assert not [path for path in paths if any(words in path for words in parts_of_paths)]
    assert len(paths) <= 24, paths


def test_a_plan_warns_of_an_edition_without_outbound_messages(clinic: Clinic) -> None:
    clinic.change_setup_row("Organization", {}, OrganizationType="Professional Edition")
    project = load(clinic.folder / "config", "local")
    with clinic.org() as (_, org):
        warnings = make_plan(project, org, SECRETS).plan.warnings
    assert [
        text
        for text in warnings
        if text.startswith("Professional Edition has no outbound messages, with which contact")
    ]
