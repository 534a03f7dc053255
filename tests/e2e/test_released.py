"""Components that the config still refers to are never deleted."""

from __future__ import annotations

import pytest

from sfcode.local import serve
from sfcode.metadata.component import Address
from tests.e2e.org import component

SCORE = Address("CustomField", "Contact.Appcues_NPS_Score__c")
USER_ID = Address("CustomField", "Contact.Appcues_User_Id__c")


@pytest.mark.parametrize(
    ("old", "new", "address"),
    [
        ("{field: Appcues_NPS_Score__c, create: true}", "Appcues_NPS_Score__c", SCORE),
        ("  from: Product_User_Id__c\n", "", USER_ID),
    ],
)
def test_a_field_that_a_mapping_still_uses_is_released(applied, old, new, address):
    applied.edit("mappings/contact.yaml", old, new)
    planned = applied.run("plan")
    assert f"# {address} will no longer be managed, and remains unchanged" in planned.out, planned.out + planned.err
    assert "to destroy" not in planned.last_line or ", 0 to destroy." in planned.last_line
    assert applied.apply().code == 0
    with serve(applied.folder / ".sfcode" / "local-org") as org:
        assert component(org, address) is not None
    second_result = applied.run("plan", "--detailed-exitcode")
    assert second_result.code == 0, second_result.out
