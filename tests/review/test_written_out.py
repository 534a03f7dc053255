"""A review with every kind of content as complete text, Markdown and JSON."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sfcode import __version__
from sfcode.checks.access_changes import Access
from sfcode.diagnostics import Diagnostic, Level, Position
from sfcode.metadata.component import Address
from sfcode.plan.change import Action, Change
from sfcode.plan.plan import Plan
from sfcode.plan.snapshot import Move
from sfcode.review.model import Effect, Group, ReviewReport, Revision, Risk, Statement
from sfcode.review.reports.document import to_document
from sfcode.review.reports.markdown import markdown
from sfcode.review.reports.text import text
from tests.plan.samples import TARGET, number

CONTACT = "config/mappings/contact.yaml"
SENT = "Contact.Email will be sent to Appcues as `mail`"
REPLACED = Move(number("C__c").address, number("B__c").address)
PERSONAL = Diagnostic("SF203", Level.WARNING, Position(CONTACT, 5, 5), "to_appcues.attributes.mail", "is personal", "")
KNOWN = Diagnostic("SF301", Level.NOTE, Position("config/sfcode.yaml", 2, 1), "name", "is a note", "Think.")


def plan(environment: str, *changes: Change, moves: tuple[Move, ...] = ()) -> Plan:
    return Plan(TARGET, environment, "1", "63.0", Address("StaticResource", "S"), changes, {}, moves=moves)


REPORT = ReviewReport(
    base=Revision("main", "0123456789abcdef", "where HEAD left main"),
    head=Revision("0123456", "0123456fedcba987"),
    environments=("local", "test", "prod"),
    statements=(
        Statement(Group.LEAVING, "Account.Plan__c will be sent to Appcues as `plan`", Risk.MEDIUM, "more data"),
        Statement(Group.LEAVING, SENT, Risk.HIGH, "personal data", Position(CONTACT, 5, 5)),
        Statement(Group.SETUP, "The host is another one", environments=("test", "prod")),
    ),
    effects=(
        Effect(
            ("local", "test"),
            plan(
                "local",
                Change(number("A__c").address, number("A__c"), number("A__c", 4)),
                Change(number("B__c").address, None, number("B__c")),
                Change(number("C__c").address, number("C__c"), None),
                Change(number("D__c").address, number("D__c"), number("D__c")),
                moves=(REPLACED,),
            ),
            (
                Access("object", "Contact", ("Read",), ("Read", "Edit"), "direction", Position(CONTACT, 2, 1)),
                Access("field", "Contact.Email", (), ("Read",)),
                Access("field", "Contact.Title", ("Read",), ("Read",), "to_appcues.attributes.role"),
            ),
        ),
        Effect(("prod",), plan("prod", Change(number("E__c").address, None, number("E__c"))), (), protected=True),
    ),
    findings=(PERSONAL, KNOWN),
    older=frozenset({KNOWN}),
    notes=("main and HEAD met more than once.",),
    base_problems=(Diagnostic.error(Position("config/sfcode.yaml", 1, 1), "name", "is wrong"),),
    touched=("prod",),
)
INVALID = replace(
    REPORT,
    statements=(),
    effects=(),
    findings=(),
    base_problems=(),
    problems=(Diagnostic.error(Position("config/sfcode.yaml", 4, 2), "name", "is wrong", "change it"),),
    notes=(),
    touched=(),
)


def mark(text_: str, sign: str) -> str:
    return f"<{sign}|{text_}>" if sign else text_


def test_the_text_of_a_terminal() -> None:
    assert (
        text(REPORT, mark)
        == """\
Compares 0123456fed with main (0123456789), where HEAD left main.
Note: main and HEAD met more than once.
  config/sfcode.yaml:1:1: name: is wrong

Data leaving Salesforce
  * Contact.Email will be sent to Appcues as `mail`.<!|  [high: personal data]>
  * Account.Plan__c will be sent to Appcues as `plan`.<~|  [medium: more data]>

Set-up
  * The host is another one (in test, prod).

Effective access of the integration user in local, test
  Contact        Read -> Read, Edit  direction
  Contact.Email  - -> Read

Components and records in local, test
  <~|~> CustomField:Contact.A__c
      <~|~> precision = 3 -> 4
      < | > # (3 unchanged attributes hidden)
  <+|+> CustomField:Contact.B__c (it replaces CustomField:Contact.C__c)
      <+|+> label     = "Score"
      <+|+> precision = 3
      <+|+> scale     = 0
      <+|+> type      = "Number"
  <-|-> CustomField:Contact.C__c (CustomField:Contact.B__c replaces it)
  (values as in local)

Components and records in prod
  <+|+> CustomField:Contact.E__c
      <+|+> label     = "Score"
      <+|+> precision = 3
      <+|+> scale     = 0
      <+|+> type      = "Number"

Findings
  <~|warning SF203> config/mappings/contact.yaml:5:5: to_appcues.attributes.mail: is personal

1 older finding of the base: --format json or sarif lists them.

<!|High risk: 1 to add, 1 to change, 1 to destroy.>"""
    )


def test_the_text_of_a_config_that_does_not_load() -> None:
    assert (
        text(INVALID, mark)
        == """\
Compares 0123456fed with main (0123456789), where HEAD left main.

<!|The config does not load:>
  config/sfcode.yaml:4:2: name: is wrong; change it

The config does not load."""
    )


def test_the_markdown() -> None:
    assert (
        markdown(REPORT)
        == """\
### High risk: 1 to add, 1 to change, 1 to destroy

Compares 0123456fed with main (0123456789), where HEAD left main; environments: `local`, `test`, `prod`.

> This changes a protected environment: `prod`.

> main and HEAD met more than once.
> - config/sfcode.yaml:1:1: name: is wrong

| risk | topic | what changes | where |
| --- | --- | --- | --- |
| **high** | Data leaving Salesforce | Contact.Email will be sent to Appcues as `mail`. _(personal data)_ | `config/mappings/contact.yaml:5` |
| medium | Data leaving Salesforce | Account.Plan__c will be sent to Appcues as `plan`. _(more data)_ |  |
| low | Set-up | The host is another one (in `test`, `prod`). |  |

#### Effective access of the integration user in `local`, `test`

| what | before | after | asked for by |
| --- | --- | --- | --- |
| `Contact` | Read | **Read, Edit** | `direction` `config/mappings/contact.yaml:2` |
| `Contact.Email` | nothing | **Read** |  |

<details><summary>All 3 rights, unchanged ones too</summary>

| what | before | after | asked for by |
| --- | --- | --- | --- |
| `Contact` | Read | **Read, Edit** | `direction` `config/mappings/contact.yaml:2` |
| `Contact.Email` | nothing | **Read** |  |
| `Contact.Title` | Read | Read | `to_appcues.attributes.role` |

</details>

#### Findings

- **warning SF203** `config/mappings/contact.yaml:5:5` is personal

<details><summary>3 components and records that change</summary>

#### Changes in `local`, `test`

- `~` `CustomField:Contact.A__c`
- `+` `CustomField:Contact.B__c` (it replaces CustomField:Contact.C__c)
- `-` `CustomField:Contact.C__c` (CustomField:Contact.B__c replaces it)

Values as in `local`.

<code>~ CustomField:Contact.A__c</code>

```diff
! precision = 3 -> 4
  # (3 unchanged attributes hidden)
```

<code>+ CustomField:Contact.B__c</code>

```diff
+ label     = "Score"
+ precision = 3
+ scale     = 0
+ type      = "Number"
```

#### Changes in `prod`

- `+` `CustomField:Contact.E__c`

<code>+ CustomField:Contact.E__c</code>

```diff
+ label     = "Score"
+ precision = 3
+ scale     = 0
+ type      = "Number"
```

</details>

<details><summary>1 finding of the base</summary>

- **note SF301** `config/sfcode.yaml:2:1` is a note. Think.

</details>
"""
    )


def test_the_json_document() -> None:
    document = to_document(REPORT)
    listed = [[entry["address"] for entry in effect.pop("resource_changes")] for effect in document["effects"]]
    assert listed == [[str(change.address) for change in effect.changes] for effect in REPORT.effects]
    assert document == {
        "format_version": "1.0",
        "sfcode_version": __version__,
        "base": {"name": "main", "commit": "0123456789abcdef", "how": "where HEAD left main"},
        "head": {"name": "0123456", "commit": "0123456fedcba987", "how": ""},
        "environments": ["local", "test", "prod"],
        "protected": ["prod"],
        "changes": True,
        "risk": "high",
        "summary": {"create": 1, "update": 1, "delete": 1},
        "statements": [
            {
                "group": "leaving",
                "text": "Contact.Email will be sent to Appcues as `mail`",
                "risk": "high",
                "because": "personal data",
                "position": {"file": "config/mappings/contact.yaml", "line": 5, "column": 5},
                "environments": [],
            },
            {
                "group": "leaving",
                "text": "Account.Plan__c will be sent to Appcues as `plan`",
                "risk": "medium",
                "because": "more data",
                "position": None,
                "environments": [],
            },
            {
                "group": "setup",
                "text": "The host is another one",
                "risk": "low",
                "because": "",
                "position": None,
                "environments": ["test", "prod"],
            },
        ],
        "effects": [
            {
                "environments": ["local", "test"],
                "protected": False,
                "access": [
                    {
                        "kind": "object",
                        "name": "Contact",
                        "before": ["Read"],
                        "after": ["Read", "Edit"],
                        "changed": True,
                        "why": "direction",
                        "position": {"file": "config/mappings/contact.yaml", "line": 2, "column": 1},
                    },
                    {
                        "kind": "field",
                        "name": "Contact.Email",
                        "before": [],
                        "after": ["Read"],
                        "changed": True,
                        "why": "",
                        "position": None,
                    },
                    {
                        "kind": "field",
                        "name": "Contact.Title",
                        "before": ["Read"],
                        "after": ["Read"],
                        "changed": False,
                        "why": "to_appcues.attributes.role",
                        "position": None,
                    },
                ],
            },
            {"environments": ["prod"], "protected": True, "access": []},
        ],
        "findings": [
            {
                "rule": "SF203",
                "name": "personal-data",
                "level": "warning",
                "message": "is personal",
                "hint": "",
                "path": "to_appcues.attributes.mail",
                "position": {"file": "config/mappings/contact.yaml", "line": 5, "column": 5},
                "related": None,
                "new": True,
            },
            {
                "rule": "SF301",
                "name": "plan-refused",
                "level": "note",
                "message": "is a note",
                "hint": "Think.",
                "path": "name",
                "position": {"file": "config/sfcode.yaml", "line": 2, "column": 1},
                "related": None,
                "new": False,
            },
        ],
        "notes": ["main and HEAD met more than once."],
        "problems": [],
        "base_problems": ["config/sfcode.yaml:1:1: name: is wrong"],
    }


def test_sections_name_their_environments_unless_they_concern_all() -> None:
    [all_but_one, single_effect] = REPORT.effects
    everywhere = replace(REPORT, effects=(replace(all_but_one, environments=REPORT.environments),))
    unnamed = replace(REPORT, environments=("",), effects=(replace(all_but_one, environments=("",)),))
    for report, in_text, in_markdown in (
        (replace(REPORT, effects=(all_but_one,)), " in local, test", " in `local`, `test`"),
        (everywhere, "", ""),
        (unnamed, "", ""),
    ):
        lines = {*text(report).splitlines(), *markdown(report).splitlines()}
        assert f"Effective access of the integration user{in_text}" in lines
        assert f"Components and records{in_text}" in lines
        assert f"#### Effective access of the integration user{in_markdown}" in lines
        assert (f"#### Changes{in_markdown}" in lines) is bool(in_markdown)
    assert "Effective access" not in text(replace(REPORT, effects=(single_effect,)))


def test_values_of_one_environment_need_no_name() -> None:
    single = replace(REPORT, effects=(replace(REPORT.effects[0], environments=("local",)),))
    assert "values as in" not in (text(single) + markdown(single)).lower()


@pytest.mark.parametrize(
    ("fail_on", "risk", "older", "level", "fails"),
    [
        ("error", Risk.HIGH, False, Level.WARNING, False),
        ("error", Risk.LOW, True, Level.ERROR, True),
        ("warning", Risk.HIGH, False, Level.WARNING, True),
        ("warning", Risk.HIGH, True, Level.WARNING, False),
        ("warning", Risk.HIGH, False, Level.NOTE, False),
        ("warning", Risk.LOW, True, Level.ERROR, True),
        ("high", Risk.HIGH, True, Level.WARNING, True),
        ("high", Risk.MEDIUM, False, Level.WARNING, False),
        ("high", Risk.LOW, True, Level.ERROR, True),
        ("never", Risk.HIGH, False, Level.ERROR, False),
    ],
)
def test_a_pipeline_stops_at_the_level_that_it_asks_for(
    fail_on: str, risk: Risk, older: bool, level: Level, fails: bool
) -> None:
    finding = replace(PERSONAL, level=level)
    report = ReviewReport(
        Revision("main"),
        Revision("HEAD"),
        statements=(Statement(Group.LEAVING, SENT, risk),),
        findings=(finding,),
        older=frozenset({finding}) if older else frozenset(),
    )
    assert report.fails(fail_on) is fails
    assert replace(report, problems=(PERSONAL,)).fails(fail_on), "a config that does not load fails always"


@pytest.mark.parametrize(
    ("revision", "rendered"),
    [
        (Revision("main", "0123456789abcdef"), "main (0123456789)"),
        (Revision("0123456", "0123456789abcdef"), "0123456789"),
        (Revision("the work tree"), "the work tree"),
    ],
)
def test_a_revision_is_named_with_its_commit_once(revision: Revision, rendered: str) -> None:
    assert str(revision) == rendered


def test_the_headline_counts_the_environment_with_the_most_changes() -> None:
    assert [REPORT.count(action) for action in (Action.CREATE, Action.UPDATE, Action.DELETE)] == [1, 1, 1]
    assert replace(REPORT, effects=()).count(Action.CREATE) == 0
    assert text(replace(REPORT, effects=())).endswith("High risk: no component changes.")
