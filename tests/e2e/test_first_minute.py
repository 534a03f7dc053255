"""After the first apply nobody can read the new fields, and rollback and destroy are possible."""

from __future__ import annotations

import pytest

from sfcode.local import serve
from sfcode.metadata.component import Address
from tests.e2e.org import component, opened

SCORE = Address("CustomField", "Contact.Appcues_NPS_Score__c")


@pytest.mark.parametrize("verb", ["rollback", "destroy"])
def test_a_first_apply_can_be_rolled_back_at_once(applied, verb):
    result = applied.run(verb, "--auto-approve")
    assert result.code == 0, result.err
    with serve(applied.folder / ".sfcode" / "local-org") as org:
        assert component(org, SCORE) is None


def test_a_hidden_field_is_not_assumed_empty_once_a_record_was_written(applied):
    with serve(applied.folder / ".sfcode" / "local-org") as org, opened(org) as client:
        (contact,) = client.query("SELECT Id FROM Contact LIMIT 1")
        client.update("Contact", contact["Id"], {"Title": "Somebody"})
    refused = applied.run("destroy", "--auto-approve")
    assert refused.code == 1
    assert f"{SCORE} would be deleted, and admin@northwind.example cannot see whether" in refused.err
    assert "Activity.Appcues_Event_Id__c" not in refused.err, "no event was written"
