"""
The use cases from a click of an end user to the number in a report, with Appcues, relay and org as processes.

The expected numbers are computed from the clicks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.journey import Journey
from tests.relay.e2e.world import API, WEBHOOK, World, world
from tests.waiting import PATIENCE, free_port, until

RECIPES = """\
version: 1
completed_flows:
nps_history:
nps_by_account:
event_registration:
  - when: {event: form_submitted, form: [Webinar]}
    campaign: {name: Webinar, create: true}
    status: Registered
role_onboarding: {attribute: role, values: [boss, sales, other]}
group_progress:
  - when: {event: checklist_completed, checklist: [Onboarding]}
    set: {onboarding_done: true}
"""
ROLES = {"CFO": "boss", "CTO": "boss", "VP Sales": "sales", "Account Executive": "sales"}
MAPPED = f"""\
role:
      field: Title
      map: {{{", ".join(f"{title}: {role}" for title, role in ROLES.items())}}}
      default: other
"""


@pytest.fixture(scope="module")
def around(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Apply a project with the recipes, and run a scheduled relay that receives events from Appcues."""
    folder, port = tmp_path_factory.mktemp("stories"), free_port()

    def prepare(journey: Journey, _url: str, _token: str) -> None:
        (journey.folder / "config" / "recipes.yaml").write_text(RECIPES, encoding="utf-8")
        journey.edit("mappings/contact.yaml", "role: Title # role-specific onboarding\n", MAPPED)
        journey.edit("mappings/lead.yaml", "role: Title", "title: Title")
        journey.edit("sfcode.yaml", "http://127.0.0.1:8400", f"http://127.0.0.1:{port}")
        journey.edit("sfcode.yaml", "\nrelay:\n", "\nrelay:\n  schedule: {refresh_hours: 1}\n")

    with world(folder, f"sqlite:///{folder / 'relay.db'}", prepare, deliver=True) as around:
        (viewer,) = around.far.rows("SELECT Id FROM PermissionSet WHERE Name = 'Appcues_Viewer'")
        (admin,) = around.far.rows("SELECT Id FROM User WHERE Profile.Name = 'System Administrator'")
        values = {"PermissionSetId": viewer["Id"], "AssigneeId": admin["Id"]}
        around.far.create([{"attributes": {"type": "PermissionSetAssignment"}, **values}])
        relay = around.relay(port)
        until(lambda: relay.answers("/readyz") or not relay.runs, f"readiness: {relay.text()[-2000:]}")
        hook = {"url": f"{relay.url}/webhooks/appcues", "auth": {"scheme": "path", "secret": WEBHOOK}}
        control(around, "PUT", "webhook", hook)
        yield around


def control(around: World, method: str, path: str, body: Any = None) -> Any:
    answer = around.far.account.request(method, f"{around.far.appcues}/sfcode/{path}", json=body, timeout=PATIENCE)
    assert answer.ok, answer.text
    return answer.json() if answer.content else None


def click(user: str, name: str, day: int = 1, group: str = "", **attributes: Any) -> dict[str, Any]:
    """Return an event of a user; `day` counts from the first of October."""
    month, day = divmod(day - 1, 28)
    time = f"2025-{10 + month:02}-{day + 1:02}T09:00:00Z"
    ids = {"user_id": user, **({"group_id": group} if group else {})}
    return {**ids, "name": f"appcues:{name}", "timestamp": time, "attributes": attributes}


def people(around: World) -> dict[str, dict[str, Any]]:
    """Return contacts with an account by their user IDs, without IDs that two contacts share."""
    rows = around.far.rows(
        "SELECT Id, Title, Product_User_Id__c, Account.Name FROM Contact "
        "WHERE Product_User_Id__c != null AND AccountId != null ORDER BY Product_User_Id__c"
    )
    counts = Counter(row["Product_User_Id__c"] for row in rows)
    return {f"{row['Product_User_Id__c']:.0f}": row for row in rows if counts[row["Product_User_Id__c"]] == 1}


def report(around: World, name: str) -> dict[str, tuple[float | None, ...]]:
    """Run a report; return the summaries of its first groups by label, and those of the whole report as `""`."""
    (row,) = around.far.rows(f"SELECT Id FROM Report WHERE DeveloperName = '{name}' AND FolderName = 'Appcues'")
    answer = around.far.org.get(f"{around.far.url}{API}/analytics/reports/{row['Id']}", timeout=PATIENCE)
    assert answer.status_code == 200, answer.text
    document = answer.json()
    labels = {"": "T"} | {group["label"]: group["key"] for group in document["groupingsDown"]["groupings"]}
    return {
        label: tuple(aggregate["value"] for aggregate in document["factMap"][f"{key}!T"]["aggregates"])
        for label, key in labels.items()
    }


def nps(scores: list[int]) -> float:
    return 100 * (sum(score > 8 for score in scores) - sum(score < 7 for score in scores)) / len(scores)


def test_who_completes_a_flow_is_in_the_report(around: World) -> None:
    users = list(people(around))[:4]
    clicks = [click(user, "flow_completed", day, flowName="Welcome") for user in users for day in (1, 30)]
    clicks += [click(users[0], "flow_completed", 3, flowName="Tour")]
    clicks += [click("nobody-knows", "flow_completed", 3, flowName="Tour")]
    control(around, "POST", "trigger", clicks)
    expected = {"": (9,), "Welcome": (8,), "Tour": (1,)}
    groups = until(
        lambda: current if (current := report(around, "Completed_Flows"))[""] == (9,) else None, "the report"
    )
    assert groups == expected


def test_answers_of_surveys_are_nps_by_account_and_over_time(around: World) -> None:
    contacts = people(around)
    answers = [(user, day, (number * 7 + day) % 11) for number, user in enumerate(contacts) for day in (2, 40)][:24]
    clicks = [click(user, "nps_score", day, score=score, flowName="Q4") for user, day, score in answers]
    clicks += [click(user, "nps_feedback", day, feedback="…", flowName="Q4") for user, day, _ in answers]
    control(around, "POST", "trigger", clicks)
    by_account: dict[str, list[int]] = {}
    by_month: dict[str, list[int]] = {}
    for user, day, score in answers:
        by_account.setdefault(contacts[user]["Account"]["Name"], []).append(score)
        by_month.setdefault("October 2025" if day < 28 else "November 2025", []).append(score)
    all_scores = [score for *_, score in answers]

    def summarize(groups: dict[str, list[int]]) -> dict[str, Any]:
        return {name: (pytest.approx(nps(scores)), len(scores)) for name, scores in {**groups, "": all_scores}.items()}

    until(lambda: report(around, "NPS_By_Account")[""][1] == len(answers), "all answers")
    assert report(around, "NPS_By_Account") == summarize(by_account)
    assert report(around, "NPS_Over_Time") == summarize(by_month)


def test_a_person_who_registers_is_a_member_of_the_campaign(around: World) -> None:
    contacts = people(around)
    users = list(contacts)[4:8]
    clicks = [click(user, "form_submitted", day, flowName="Webinar") for user in users for day in (1, 2)]
    clicks += [click(list(contacts)[8], "form_submitted", 1, flowName="Another")]
    clicks += [click("nobody-knows", "form_submitted", 1, flowName="Webinar")]
    control(around, "POST", "trigger", clicks)
    expected = {"": (len(users),), "Webinar": (len(users),)}
    until(lambda: report(around, "Event_Registrations") == expected, "the report")
    members = around.far.rows("SELECT ContactId, Status FROM CampaignMember")
    assert {(row["ContactId"], row["Status"]) for row in members} == {
        (contacts[user]["Id"], "Registered") for user in users
    }


def test_segments_find_people_by_role_at_once_and_after_a_promotion(around: World) -> None:
    """The schedule sends every record that Appcues does not have yet; a change is sent by a message of the org."""
    contacts = people(around)
    roles = {user: ROLES.get(row["Title"] or "", "other" if row["Title"] else None) for user, row in contacts.items()}

    def summarize() -> dict[str, Any]:
        profiles = around.far.profiles()
        return {user: profiles.get(user, {}).get("role") for user in contacts}

    until(lambda: summarize() == roles, f"roles of all: {roles}")
    user = next(user for user, role in roles.items() if role != "boss")
    answer = around.far.org.patch(
        f"{around.far.url}{API}/sobjects/Contact/{contacts[user]['Id']}", json={"Title": " cfo "}, timeout=PATIENCE
    )
    assert answer.ok, answer.text
    until(lambda: summarize() == {**roles, user: "boss"}, "the promotion")


def test_a_completed_flow_of_one_user_counts_for_the_group(around: World) -> None:
    users = list(people(around))
    attributes = {"checklistName": "Onboarding"}
    control(
        around,
        "POST",
        "trigger",
        [
            click(users[0], "checklist_completed", group="acme", **attributes),
            click(users[1], "checklist_completed", group="globex", checklistName="Another"),
            click("nobody-knows", "checklist_completed", group="initech", **attributes),
        ],
    )

    def groups() -> Any:
        return control(around, "GET", "profiles")["groups"]

    expected = {"acme": {"onboarding_done": True}, "initech": {"onboarding_done": True}}
    until(lambda: len(groups()) == 2, "two groups")
    assert groups() == expected
