"""Refusals before the first request to an org: the reason, the remedy, exit code 1, and no output."""

from __future__ import annotations

import pytest

from sfcode.relay.inbox import open_inbox
from tests.e2e.journey import Journey

CASES = [
    (
        "plan --refresh-only --destroy",
        "--refresh-only shows drift and makes no plan.",
        "Remove the options of a plan.",
    ),
    *(
        (
            f"plan --refresh-only {option}",
            "--refresh-only shows drift and makes no plan.",
            "Remove the options of a plan.",
        )
        for option in ("--out p.plan", "--check", "--adopt Flow:X", "--max-change 3")
    ),
    (
        "plan --destroy --target Flow:X",
        "--destroy removes the whole integration.",
        "Remove --adopt, --target, --max-destroy and --max-change.",
    ),
    (
        "plan --junit junit.xml",
        "--junit reports Apex tests, which a plan without --check does not run.",
        "Pass --check too, or pass it to `sfcode apply`.",
    ),
    (
        "plan --destroy --max-change 3",
        "--destroy removes the whole integration.",
        "Remove --adopt, --target, --max-destroy and --max-change.",
    ),
    (
        "plan --test-level RunLocalTests",
        "--test-level runs Apex tests, which a plan without --check does not run.",
        "Pass --check too, or pass it to `sfcode apply`.",
    ),
    (
        "plan --check --tests OrderTest",
        "--tests and --test-level RunSpecifiedTests go together.",
        "Pass both, or neither.",
    ),
    ("review --base main --note x", "--plan and --note add to the comment.", "Pass --comment too, or remove them."),
    (
        "init --auto-approve",
        "--auto-approve has no effect without --update.",
        "Pass --update as well, or remove --auto-approve.",
    ),
    (
        "init --update --with lead",
        "--update adds no objects and no recipes.",
        "Remove --with, or write the files by hand.",
    ),
    (
        "import",
        "No org to import from was passed.",
        "Pass --org alias:NAME, --org env:PREFIX, --org local or an instance URL.",
    ),
    ("fmt nowhere.yaml", "nowhere.yaml", "Pass sfcode.yaml, events.yaml or the files of mappings/, or no path."),
    (
        "explain nonsense",
        "'nonsense' is neither a rule nor an address.",
        "Pass the ID of a rule (SF203, D104), or an address such as CustomField:Contact.Plan__c.",
    ),
    ("explain CustomField:Contact.Nothing__c", "The config has no component CustomField:Contact.Nothing__c.", ""),
    ("relay discard", "No messages were chosen.", "Pass"),
    ("relay replay", "No messages were chosen.", "Pass"),
    (
        "relay replay --state leased",
        "Messages in state leased are being delivered at the moment.",
        "Pass --state parked, dead, ready or done.",
    ),
    (
        "relay discard --state leased",
        "Messages in state leased are being delivered at the moment.",
        "Pass --state parked, dead or ready, or no state.",
    ),
    (
        "relay discard --state done",
        "Messages in state done are done already.",
        "Pass --state parked, dead or ready, or no state.",
    ),
    (
        "relay pause",
        "Pass a mapping, or --to salesforce or --to appcues.",
        "Pass either a mapping or --to, not both.",
    ),
    (
        "relay pause contact --to appcues",
        "Pass a mapping, or --to salesforce or --to appcues.",
        "Pass either a mapping or --to, not both.",
    ),
    ("relay pause nothing", "The relay carries no mapping nothing.", "It carries contact, lead."),
    ("relay resume contact", "contact is not paused.", "`sfcode relay status` shows what is paused."),
    ("relay show 7", "No message has the ID 7.", "`sfcode relay list` shows the IDs of messages."),
    ("relay replay 7 8", "No message has the ID 7, 8.", "`sfcode relay list` shows the IDs of messages."),
    ("relay replay --reason unknown_usr", "There is no reason 'unknown_usr'.", "Did you mean unknown_user?"),
    (
        "relay list --since yesterday",
        "'yesterday' is not a time.",
        "Write it like 2026-11-23T17:00Z, or as an age: 30m, 12h, 7d.",
    ),
]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Journey:
    journey = Journey.start(tmp_path_factory.mktemp("project"))
    with open_inbox(f"sqlite:///{journey.folder / '.sfcode' / 'relay.db'}"):
        return journey


@pytest.mark.parametrize(("command", "message", "hint"), CASES, ids=[case[0] for case in CASES])
def test_a_verb_says_what_it_refuses_and_what_to_do(home: Journey, command: str, message: str, hint: str) -> None:
    result = home.run(*command.split())
    assert (result.code, result.out) == (1, "")
    first, _, rest = result.err.partition("\n")
    assert first.startswith(f"Error: {message}")
    assert hint in rest
