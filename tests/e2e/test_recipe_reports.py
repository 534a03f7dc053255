"""The numbers in the reports of recipes equal the numbers that are computed from the events."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.e2e.recipes import RESPONSE, with_recipes
from tests.relay.salesforce.world import ACTIVITIES, NOON, World, event

DAY = 86_400.0
RECIPES = "completed_flows: {not_completed: [Onboarding]}\nnps_history: {account: detail}\nnps_by_account: {account_fields: true}\n"


@pytest.fixture(scope="module")
def private(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Return an org with private answers, and Events for activities."""
    with with_recipes(
        tmp_path_factory.mktemp("private"), "completed_flows:\nnps_history:\nnps_by_account:\n"
    ) as world_and_journey:
        yield world_and_journey[0]


@pytest.fixture(scope="module")
def detail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Return an org with answers as detail records of accounts, and custom records for activities."""
    own = ("sfcode.yaml", "activities_as: event", "activities_as: custom_object")
    with with_recipes(tmp_path_factory.mktemp("detail"), RECIPES, own) as world_and_journey:
        yield world_and_journey[0]


WRITTEN = {"private": [*ACTIVITIES, RESPONSE], "detail": ["Appcues_Activity__c", RESPONSE]}


@pytest.fixture(autouse=True)
def _cleaned(request: pytest.FixtureRequest) -> Iterator[None]:
    """Delete the records that a test delivered."""
    yield
    for name in WRITTEN.keys() & set(request.fixturenames):
        request.getfixturevalue(name).clean(WRITTEN[name])


def people(world: World) -> dict[str, str]:
    """Return the names of the accounts of contacts by user ID, without IDs that two contacts share."""
    rows = world.rest.rows(
        "SELECT Product_User_Id__c, Account.Name FROM Contact WHERE Product_User_Id__c != null AND AccountId != null"
    )
    users = [f"{row['Product_User_Id__c']:.0f}" for row in rows]
    return {user: row["Account"]["Name"] for user, row in zip(users, rows, strict=True) if users.count(user) == 1}


def report(world: World, name: str, **query: str) -> dict[str, Any]:
    id_ = world.rest.value(f"SELECT Id FROM Report WHERE DeveloperName = '{name}' AND FolderName = 'Appcues'")
    answer = world.rest("GET", f"/analytics/reports/{id_}", params=query)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def groups(document: dict[str, Any]) -> dict[str, tuple[float | None, int]]:
    """Return the first summary and the number of rows of each group, by its label."""
    return {
        group["label"]: tuple(
            aggregate["value"] for aggregate in document["factMap"][f"{group['key']}!T"]["aggregates"]
        )
        for group in document["groupingsDown"]["groupings"]
    }


def nps(scores: list[int]) -> float:
    """Compute the NPS from its definition."""
    return 100 * (sum(score > 8 for score in scores) - sum(score < 7 for score in scores)) / len(scores)


def answer_surveys(world: World, seed: int) -> list[tuple[str, int, int]]:
    """Deliver scores and feedback of all people on some days; return user, day and score."""
    dice = random.Random(seed)
    answers = [
        (user, day, dice.randint(0, 10))
        for user in sorted(people(world))[:16]
        for day in (0, 20, 40)
        if dice.random() < 0.8
    ]
    messages = [
        event("appcues:nps_score", user, at=day * DAY, score=score, flowName="Q4") for user, day, score in answers
    ]
    messages += [
        event("appcues:nps_feedback", user, at=day * DAY + 9, feedback="…", flowName="Q4") for user, day, _ in answers
    ]
    messages += [
        event("appcues:nps_feedback", user, at=90 * DAY, feedback="no score", flowName="Q4")
        for user in sorted(people(world))[:16]
    ]
    world.deliver(*messages)
    return answers


@pytest.mark.parametrize("kind", ["private", "detail"])
def test_nps_by_account_and_by_month(kind: str, request: pytest.FixtureRequest) -> None:
    world: World = request.getfixturevalue(kind)
    answers, accounts = answer_surveys(world, seed=7), people(world)
    by_account: dict[str, list[int]] = {}
    by_month: dict[str, list[int]] = {}
    for user, day, score in answers:
        by_account.setdefault(accounts[user], []).append(score)
        by_month.setdefault(f"{NOON + timedelta(days=day):%B %Y}", []).append(score)
    assert groups(report(world, "NPS_By_Account")) == {
        name: (pytest.approx(nps(scores)), len(scores)) for name, scores in by_account.items()
    }
    over_time = report(world, "NPS_Over_Time", includeDetails="true")
    assert groups(over_time) == {name: (pytest.approx(nps(scores)), len(scores)) for name, scores in by_month.items()}
    (total, count) = (aggregate["value"] for aggregate in over_time["factMap"]["T!T"]["aggregates"])
    assert (total, count) == (pytest.approx(nps([score for *_, score in answers])), len(answers))
    assert over_time["factMap"]["T!T"]["rows"] == []
    assert sum(len(fact["rows"]) for fact in over_time["factMap"].values()) == len(answers)


def test_the_numbers_on_accounts_are_those_of_the_report(detail: World) -> None:
    answer_surveys(detail, seed=7)
    fields = ("Appcues_NPS__c", "Appcues_NPS_Responses__c")
    rows = detail.rest.rows(f"SELECT Name, {', '.join(fields)} FROM Account WHERE Appcues_NPS_Responses__c > 0")
    numbers = {row["Name"]: (row[fields[0]], row[fields[1]]) for row in rows}
    expected = groups(report(detail, "NPS_By_Account"))
    assert numbers.keys() == expected.keys()
    for name, (value, count) in expected.items():
        assert numbers[name] == (pytest.approx(value, abs=0.5), count)
    detail.rest.create("Account", Name="Silent")
    (silent,) = detail.rest.rows(f"SELECT {', '.join(fields)} FROM Account WHERE Name = 'Silent'")
    assert (silent[fields[0]], silent[fields[1]]) == (None, 0)


@pytest.mark.parametrize("kind", ["private", "detail"])
def test_who_completed_which_flow(kind: str, request: pytest.FixtureRequest) -> None:
    world: World = request.getfixturevalue(kind)
    users = sorted(people(world))[:4]
    completions = [
        (user, flow, day)
        for user in users
        for flow, day in (("Onboarding", 0), ("Tour, part 2", 0), ("Tour, part 2", 30))
    ]
    world.deliver(
        *(event("appcues:flow_completed", user, at=day * DAY, flowName=flow) for user, flow, day in completions[:-3]),
        event("appcues:checklist_completed", users[3], checklistName="Onboarding"),
    )
    document = report(world, "Completed_Flows")
    assert {name: count for name, (count,) in groups(document).items()} == Counter(
        flow for _, flow, _ in completions[:-3]
    )
    months = {
        (flow["label"], month["label"]): document["factMap"][f"{month['key']}!T"]["aggregates"][0]["value"]
        for flow in document["groupingsDown"]["groupings"]
        for month in flow["groupings"]
    }
    assert months == Counter((flow, f"{NOON + timedelta(days=day):%B %Y}") for _, flow, day in completions[:-3])


def test_who_has_not_completed_a_flow(detail: World) -> None:
    users = sorted(people(detail))
    detail.deliver(event("appcues:flow_completed", users[0], flowName="Onboarding", id="again"))
    completed = {
        row["Contact__c"]
        for row in detail.rest.rows(
            "SELECT Contact__c FROM Appcues_Activity__c WHERE Appcues_Event__c = 'appcues:flow_completed' AND Appcues_Item__c = 'Onboarding'"
        )
    }
    everybody = {row["Id"] for row in detail.rest.rows("SELECT Id FROM Contact")}
    document = report(detail, "Not_Completed_Onboarding", includeDetails="true")
    assert document["factMap"]["T!T"]["aggregates"][0]["value"] == len(everybody - completed)
    assert 0 < len(completed) < len(everybody)


def test_a_report_that_the_local_org_does_not_support_is_refused(private: World) -> None:
    assert private.rest("GET", "/analytics/reports/00O000000000000AAA").status_code == 404
