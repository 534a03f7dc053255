"""Limits of the config on the changes of a plan."""

from __future__ import annotations

import json


def test_a_plan_beyond_the_limit_is_refused_not_saved_and_possible_with_the_option(visible):
    visible.edit("sfcode.yaml", "environments:", "safety: {max_destroy: 20%}\n\nenvironments:")
    (visible.folder / "config/mappings/lead.yaml").unlink()
    refused = visible.plan("--out", "plan.json")
    assert refused.code == 1
    message = (
        "this plan would destroy 5 components where sfcode manages 13, and safety.max_destroy in sfcode.yaml allows 20%, "
        "which is 2; if this is intended, pass --max-destroy 5"
    )
    assert f"Refused: {message}" in refused.out
    assert not (visible.folder / "plan.json").exists()
    document = json.loads(visible.plan("--format", "json").out)
    assert document["refusals"][0]["address"] is None
    assert visible.apply().code == 1
    assert message in visible.run("--json", "apply", "--auto-approve").json["message"]
    assert visible.apply("--max-destroy", "4").code == 1
    assert visible.plan("--max-destroy", "5", "--out", "plan.json").code == 0
    assert visible.run("apply", "plan.json", "--max-destroy", "5").code == 1
    assert visible.run("apply", "plan.json").code == 0
    assert visible.actions() == {}


def test_destroy_has_no_limit(visible):
    visible.edit("sfcode.yaml", "environments:", "safety: {max_destroy: 0}\n\nenvironments:")
    assert visible.run("destroy", "--auto-approve").code == 0


def test_an_invalid_limit_is_a_usage_error(journey):
    refused = journey.plan("--max-destroy", "many")
    assert refused.code == 1
    assert "'many' is not a limit. Write 3 or 25%." in refused.err
