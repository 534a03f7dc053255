"""A plan with every kind of change as whole JSON, Markdown and text."""

from __future__ import annotations

from typing import Any

import pytest

from sfcode import __version__
from sfcode.metadata.component import Address, Component
from sfcode.plan.change import Change
from sfcode.plan.document import to_document
from sfcode.plan.foreign import Preserved
from sfcode.plan.modes import Mode
from sfcode.plan.plan import ObsoleteVersions, Plan, Refusal
from sfcode.plan.reports.html import html
from sfcode.plan.reports.markdown import markdown
from sfcode.plan.reports.text import text
from tests.plan.samples import TARGET, number

USER = Component("User", "u@example.com", {"IsActive": True, "Profile": "P"})
RULE = Component("WorkflowRule", "Contact.Old", {"active": True})
NUMBER = {"label": "Score", "precision": 3, "scale": 0, "type": "Number"}
CHANGES = (
    Change(USER.address, None, USER),
    Change(number("A__c").address, number("A__c"), number("A__c", 4), number("A__c", 5), adopted=True),
    Change(number("B__c").address, number("B__c"), None),
    Change(number("C__c").address, number("C__c"), number("C__c")),
    Change(RULE.address, RULE, None, replaced=True),
)
STATE = Address("StaticResource", "Appcues_sfcode_state")


def plan(*changes: Change, **more: Any) -> Plan:
    return Plan(TARGET, "production", "config-1", "63.0", STATE, changes, **{"fingerprints": {}, **more})


@pytest.fixture
def full() -> Plan:
    return plan(
        *CHANGES,
        fingerprints={"CustomField:Contact.A__c": "f1"},
        refusals=(Refusal(number("A__c").address, "is bad", "correct it"), Refusal(None, "too much", "do less")),
        warnings=("Mind this.",),
        secrets={"SECRET": "1"},
        kept=(number("D__c"),),
        released=frozenset({number("F__c").address, number("E__c").address}),
        preserved=(Preserved("Workflow:Contact", {"WorkflowRule": 2}),),
        obsolete=(ObsoleteVersions(Address("Flow", "Appcues_contact"), (1, 2), (number("B__c").address,)),),
    )


def attribute(path: str, before: Any, after: Any, **more: str) -> dict[str, Any]:
    return {"path": path, "before": before, "after": after, **more}


def entry(type_: str, name: str, change: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"address": f"{type_}:{name}", "mode": "managed", "type": type_, "name": name, "change": change, **more}


def test_the_json_document(full: Plan) -> None:
    document = to_document(full)
    kinds: dict[str, Any] = {"adopted": False, "replaced": False, "previous_address": None}
    removed_attributes = [attribute(name, value, None, cause="config") for name, value in NUMBER.items()]
    assert {name: value for name, value in document.items() if name not in ("parts", "digest")} == {
        "format_version": "1.4",
        "sfcode_version": __version__,
        "org": {
            "id": "00D000000000001EAA",
            "name": "Northwind Traders",
            "instance_url": "http://127.0.0.1:1",
            "username": "admin@example.com",
        },
        "project": "",
        "moves": [],
        "environment": "production",
        "config_digest": "config-1",
        "api_version": "63.0",
        "state": "StaticResource:Appcues_sfcode_state",
        "records_state": False,
        "refresh_only": False,
        "destroy": False,
        "kept": {"CustomField:Contact.D__c": NUMBER},
        "released": ["CustomField:Contact.E__c", "CustomField:Contact.F__c"],
        "resource_changes": [
            entry(
                "User",
                "u@example.com",
                {
                    "actions": ["create"],
                    "before": None,
                    "after": {"IsActive": True, "Profile": "P"},
                    "attributes": [
                        attribute('["IsActive"]', None, True, cause="config"),
                        attribute('["Profile"]', None, "P", cause="config"),
                    ],
                },
                **kinds,
            ),
            entry(
                "CustomField",
                "Contact.A__c",
                {
                    "actions": ["update"],
                    "before": NUMBER,
                    "after": {**NUMBER, "precision": 4},
                    "attributes": [attribute("precision", 3, 4, cause="both")],
                },
                **{**kinds, "adopted": True},
            ),
            entry(
                "CustomField",
                "Contact.B__c",
                {"actions": ["delete"], "before": NUMBER, "after": None, "attributes": removed_attributes},
                **kinds,
            ),
            entry(
                "CustomField",
                "Contact.C__c",
                {"actions": ["no-op"], "before": NUMBER, "after": NUMBER, "attributes": []},
                **kinds,
            ),
            entry(
                "WorkflowRule",
                "Contact.Old",
                {
                    "actions": ["delete"],
                    "before": {"active": True},
                    "after": None,
                    "attributes": [attribute("active", True, None, cause="config")],
                },
                **{**kinds, "replaced": True},
            ),
        ],
        "resource_drift": [
            entry(
                "CustomField",
                "Contact.A__c",
                {
                    "actions": ["update"],
                    "before": {**NUMBER, "precision": 5},
                    "after": NUMBER,
                    "attributes": [attribute("precision", 5, 3)],
                },
            )
        ],
        "summary": {"create": 1, "update": 1, "delete": 2},
        "preserved": [{"container": "Workflow:Contact", "counts": {"WorkflowRule": 2}}],
        "left_state": None,
        "obsolete_versions": [
            {"flow": "Flow:Appcues_contact", "numbers": [1, 2], "names": ["CustomField:Contact.B__c"]}
        ],
        "observed": {"CustomField:Contact.A__c": "f1"},
        "secrets": {"SECRET": "1"},
        "refusals": [
            {"address": "CustomField:Contact.A__c", "reason": "is bad", "cure": "correct it"},
            {"address": None, "reason": "too much", "cure": "do less"},
        ],
        "warnings": ["Mind this."],
        "validation": None,
        "flows": [],
        "previous_flows": None,
        "provenance": None,
        "relay": None,
    }


def test_drift_of_a_refresh_is_in_the_json_although_nothing_is_changed() -> None:
    drifted = Change(number("A__c").address, number("A__c"), number("A__c"), number("A__c", 5))
    deletion = Change(number("B__c").address, None, None, number("B__c"))
    document = to_document(plan(drifted, deletion, mode=Mode.REFRESH))
    assert (document["refresh_only"], document["destroy"]) == (True, False)
    assert [(entry["address"], entry["change"]["actions"]) for entry in document["resource_drift"]] == [
        ("CustomField:Contact.A__c", ["update"]),
        ("CustomField:Contact.B__c", ["delete"]),
    ]
    assert document["resource_drift"][1]["change"]["after"] is None
    assert to_document(plan(drifted))["resource_drift"] == []


def test_the_markdown(full: Plan) -> None:
    assert markdown(full) == (
        """\
### Plan: 1 to add, 1 to change, 2 to destroy.

Org **Northwind Traders** (`00D000000000001EAA`), environment `production`

> **Warning:** Mind this.

> **Refused:** CustomField:Contact.A__c is bad; correct it

> **Refused:** too much; do less

2 rules in Contact.workflow are not managed by sfcode, and not changed; versions 1, 2 of Flow:Appcues_contact still name \
CustomField:Contact.B__c and are deleted too.

| | address | |
| --- | --- | --- |
| `+` | `User:u@example.com` | will be created |
| `~` | `CustomField:Contact.A__c` | will be updated in-place; adopted: it existed before sfcode; it was changed in the org since the last apply |
| `-` | `CustomField:Contact.B__c` | will be destroyed; because it is no longer in the configuration |
| `-` | `WorkflowRule:Contact.Old` | will be destroyed; because the relay replaces it |

<details><summary>Details of 4 changes</summary>

<code>+ User:u@example.com</code>

```diff
+ IsActive = true
+ Profile  = "P"
```

<code>~ CustomField:Contact.A__c</code>

```diff
! precision = 3 -> 4  # changed in the org and in the config
  # (3 unchanged attributes hidden)
```

<code>- CustomField:Contact.B__c</code>

```diff
- label     = "Score"
- precision = 3
- scale     = 0
- type      = "Number"
```

<code>- WorkflowRule:Contact.Old</code>

```diff
- active = true
```

</details>"""
    )


def test_markdown_without_changes_ends_after_the_org() -> None:
    lines = ["### No changes.", "", "Org **Northwind Traders** (`00D000000000001EAA`), environment `production`"]
    assert markdown(plan()) == "\n".join(lines)
    assert markdown(plan(), limit=1000) == "\n".join(lines)


def test_a_refused_plan_without_changes_announces_no_apply() -> None:
    refused = plan(records_state=True, refusals=(Refusal(None, "the org has another state", "write its ID"),))
    last = text(refused).splitlines()[-1]
    assert (
        last == "No changes to make in Northwind Traders (00D000000000001EAA, http://127.0.0.1:1): the plan is refused."
    )
    assert markdown(refused).startswith("### No changes; the plan is refused.")


@pytest.mark.parametrize(
    ("changes", "more", "line"),
    [
        ((), {}, "No changes. {} matches the configuration."),
        ((), {"mode": Mode.DESTROY}, "No changes. No managed components are left in {}."),
        ((), {"mode": Mode.ROLLBACK}, "No changes. In {}, everything that this apply replaced is already restored."),
        ((), {"mode": Mode.REFRESH}, "Nothing to compare: no apply of this project is known in {}."),
        ((CHANGES[3],), {"mode": Mode.REFRESH}, "No drift. {} has not changed since the last apply."),
        (
            (),
            {"records_state": True},
            "No changes to make in {}; apply will update StaticResource:Appcues_sfcode_state.",
        ),
    ],
)
def test_each_kind_of_empty_plan_has_its_line(changes: tuple[Change, ...], more: dict[str, Any], line: str) -> None:
    org = "Northwind Traders (00D000000000001EAA, http://127.0.0.1:1)"
    assert text(plan(*changes, **more)) == line.format(org)


@pytest.mark.parametrize(
    ("changes", "more", "line"),
    [
        ((), {}, "No changes."),
        ((), {"records_state": True}, "No changes; apply will update the state."),
        ((CHANGES[3],), {"mode": Mode.REFRESH}, "No drift."),
        (
            (
                Change(number("A__c").address, number("A__c"), number("A__c"), number("A__c", 5)),
                Change(number("B__c").address, None, None, number("B__c")),
                CHANGES[3],
            ),
            {"mode": Mode.REFRESH},
            "Drift: 1 changed, 1 deleted.",
        ),
    ],
)
def test_each_headline(changes: tuple[Change, ...], more: dict[str, Any], line: str) -> None:
    assert markdown(plan(*changes, **more)).splitlines()[0] == f"### {line}"
    assert line in html(plan(*changes, **more))


DESTROYED = Change(number("B__c").address, number("B__c"), None)
ASSIGNMENT = Component("PermissionSetAssignment", "Set/u@example.com", {})
UNASSIGNED = Change(ASSIGNMENT.address, ASSIGNMENT, None)


@pytest.mark.parametrize(
    ("change", "mode", "reason"),
    [
        (DESTROYED, Mode.APPLY, "it is no longer in the configuration"),
        (DESTROYED, Mode.ROLLBACK, "it was created by the apply that is rolled back"),
        (DESTROYED, Mode.DESTROY, "the integration is removed"),
        (UNASSIGNED, Mode.APPLY, "it is no longer in the configuration"),
        (UNASSIGNED, Mode.DESTROY, "the integration is removed"),
        (CHANGES[4], Mode.APPLY, "the relay replaces it"),
    ],
)
def test_destroyed_components_have_a_reason(change: Change, mode: Mode, reason: str) -> None:
    assert f"will be destroyed\n  # (because {reason})\n" in text(plan(change, mode=mode))


def test_an_assignment_is_deleted_with_its_permission_set() -> None:
    viewers = Component("PermissionSet", "Set", {"label": "Set"})
    report = text(plan(Change(viewers.address, viewers, None), UNASSIGNED))
    assert (
        "PermissionSetAssignment:Set/u@example.com will be destroyed\n  # (because its permission set is destroyed)"
        in report
    )


def test_notes_about_the_user_are_shown() -> None:
    before = Component("User", "u@example.com", {"IsActive": False, "Profile": "Sales"})
    report = text(plan(Change(USER.address, before, USER)))
    assert (
        "# (the user exists with the profile Sales: other applications that sign in as this user lose the rights of that profile;"
        in report
    )
    assert "# (the user is inactive and will be activated, which uses a license)\n" in report
    destroy_report = text(plan(Change(USER.address, USER, before), mode=Mode.DESTROY))
    assert "# (because the integration is removed)\n" in destroy_report
    assert "uses a license" not in destroy_report
    assert "#" not in text(plan(Change(USER.address, None, USER))).replace("# User:u@example.com will be created", "")


def test_drift_is_marked_by_its_cause() -> None:
    a, b = number("A__c"), number("B__c")
    drift = Change(a.address, a, number("A__c", 4), number("A__c", 4))
    deletion = Change(b.address, None, b, b)
    report = text(plan(drift, deletion))
    assert "# (it was changed in the org since the last apply)\n" in report
    assert "~ precision = 3 -> 4  # changed in the org\n" in report
    assert "# (it was deleted in the org since the last apply)\n" in report
