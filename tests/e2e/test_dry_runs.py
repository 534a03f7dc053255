"""Dry runs of data show the writes of an event or a backfill without executing them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.e2e.journey import Journey
from tests.e2e.recipes import with_recipes
from tests.relay.salesforce.world import World

SCORE = {
    "name": "appcues:nps_score",
    "user_id": "10001",
    "timestamp": "2026-11-23T12:00:00Z",
    "attributes": {"score": 9, "flowName": "Q4"},
}
RECIPES = """\
nps_history:
group_progress:
  - when: {event: nps_score}
    set: {answered: true}
"""
STRANGER = {**SCORE, "user_id": "nobody"}


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Journey]]:
    with with_recipes(tmp_path_factory.mktemp("dry"), RECIPES) as (world, journey):
        answer = world.rest.session.post(
            f"{world.local.url}/services/sfcode/tokens", json={"username": "appcues.integration@example.com.local"}
        )
        journey.environ = {**journey.environ, "SF_ACCESS_TOKEN": answer.json()["access_token"]}
        yield world, journey


def test_an_event_is_explained_and_nothing_is_written(applied: tuple[World, Journey]) -> None:
    world, journey = applied
    (journey.folder / "event.json").write_text(json.dumps([SCORE, STRANGER]), encoding="utf-8")
    result = journey.run("--org", world.local.url, "--json", "relay", "explain", "event.json")
    assert result.code == 0, result.err
    known_event, stranger = result.json["result"]
    assert (known_event["state"], stranger["state"]) == ("done", "parked")
    assert stranger["note"].startswith("unknown_user")
    assert stranger["hint"]
    assert stranger["writes"] == []
    writes = {(write["verb"], write["object"]): write for write in known_event["writes"]}
    assert writes.keys() == {("update", "Contact"), ("upsert", "Event"), ("upsert", "Appcues_NPS_Response__c")}
    assert writes["update", "Contact"]["fields"] == {"Appcues_NPS_Score__c": 9}
    assert world.contact()["NPS_Score__c"] is None
    assert world.rest.rows("SELECT Id FROM Appcues_NPS_Response__c") == []
    text = journey.run("--org", world.local.url, "relay", "explain", "event.json").out
    assert "appcues:nps_score of user 10001: done\n  update Contact Id = 003" in text
    assert "    Appcues_NPS_Score__c = 9\n" in text
    assert "appcues:nps_score of user nobody: parked (unknown_user" in text


def test_an_event_that_sets_something_of_a_group_is_explained_without_an_inbox(
    applied: tuple[World, Journey],
) -> None:
    world, journey = applied
    (journey.folder / "group.json").write_text(json.dumps({**SCORE, "group_id": "acme"}), encoding="utf-8")
    environ = {**journey.environ, "SFCODE_RELAY_DATABASE_URL": f"sqlite:///{journey.folder}/none/relay.db"}
    fresh = replace(journey, environ=environ)
    out = fresh.run("--org", world.local.url, "relay", "explain", "group.json").out
    assert "recipes.group_progress of group acme: done\n  set group in Appcues id = acme\n    answered = True\n" in out
    assert not (journey.folder / "none").exists()
    missing = fresh.run("--org", world.local.url, "relay", "explain", "7")
    assert missing.code == 1
    assert "There is no inbox at" in missing.err
    absent = fresh.run("--org", world.local.url, "relay", "explain", "absent.json")
    assert (absent.code, "absent.json: No such file" in absent.err) == (1, True)


def test_a_backfill_shows_the_profiles_that_it_would_send(applied: tuple[World, Journey]) -> None:
    world, journey = applied
    result = journey.run(
        "--org", world.local.url, "--json", "relay", "backfill", "contact", "--dry-run", "--limit", "2"
    )
    assert result.code == 0, result.err
    (preview,) = result.json["result"]
    assert len(preview["profiles"]) == 2
    assert preview["records"] == world.rest.value("SELECT COUNT(Id) FROM Contact WHERE Product_User_Id__c != null")
    first = preview["profiles"][0]
    (row,) = world.rest.rows(f"SELECT Title, Email FROM Contact WHERE Product_User_Id__c = {first['id']}")
    assert (first["attributes"]["role"], first["attributes"]["email"]) == (row["Title"], row["Email"])
    text = journey.run("--org", world.local.url, "relay", "backfill", "contact", "--dry-run", "--limit", "2").out
    assert text.endswith(f"contact: 2 of {preview['records']:,} records shown; nothing was sent.\n")
    assert not (journey.folder / ".sfcode" / "relay.db").exists()


def test_a_load_is_checked_first_and_then_stored_once(applied: tuple[World, Journey]) -> None:
    _, journey = applied
    lines = ["user_id,time,score", "10001,2025-03-01T09:30:00Z,9", "10002,2025-04-01T09:30:00Z,12", ""]
    (journey.folder / "past.csv").write_text("\n".join(lines), encoding="utf-8")
    fresh = replace(journey, environ={**journey.environ, "SFCODE_RELAY_DATABASE_URL": "sqlite:///loaded.db"})
    dry = fresh.run("relay", "load", "past.csv", "--dry-run")
    counts = "2 rows: 1 answer from 2025-03-01 to 2025-03-01"
    bad = "past.csv:3: has a score that is not a whole number from 0 to 10\n"
    assert (dry.code, dry.out) == (1, f"{bad}{counts}, 1 row left out; nothing was stored.\n")
    assert not (journey.folder / "loaded.db").exists()
    stored = fresh.run("--json", "relay", "load", "past.csv")
    assert (stored.code, stored.json["result"]["new"], stored.json["result"]["bad"]) == (1, 1, 1)
    second = fresh.run("relay", "load", "past.csv")
    assert (
        second.out
        == f"{bad}{counts}, 1 of them already stored, 1 row left out; the relay writes the messages in the inbox.\n"
    )
    assert [row["state"] for row in fresh.run("--json", "relay", "list").json["result"]] == ["ready"]


def test_a_load_needs_the_recipe_and_columns_that_exist(applied: tuple[World, Journey]) -> None:
    _, journey = applied
    wrong = journey.run("relay", "load", "past.csv", "--column", "user=Id")
    assert (wrong.code, "there is no field user.\nPass user_id (or: " in wrong.err) == (1, True)
    path = journey.folder / "config" / "recipes.yaml"
    text = path.read_text(encoding="utf-8")
    try:
        path.write_text("version: 1\n", encoding="utf-8")
        refused = journey.run("relay", "load", "past.csv")
    finally:
        path.write_text(text, encoding="utf-8")
    assert (refused.code, "Add `nps_history:` to config/recipes.yaml" in refused.err) == (1, True)
