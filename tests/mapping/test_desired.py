"""A desired component and an equal observed one share one Python object, so that a plan needs less memory."""

from __future__ import annotations

import pytest

from sfcode.mapping.desired import Desired
from sfcode.metadata.component import Component

LABEL = Component("CustomField", "Contact.Plan__c", {"label": "Plan", "length": 1})


def test_an_equal_observed_component_is_replaced_by_the_desired_one() -> None:
    observed = Component("CustomField", "Contact.Plan__c", {"length": 1, "label": "Plan"})
    assert Desired((LABEL,), (), ()).share(observed) is LABEL


@pytest.mark.parametrize(
    "observed",
    [
        Component("CustomField", "Contact.Plan__c", {"label": "Plan", "length": True}),
        Component("CustomField", "Contact.PLAN__c", {"label": "Plan", "length": 1}),
        Component("CustomField", "Contact.Other__c", {"label": "Plan", "length": 1}),
    ],
    ids=["another value", "another spelling", "another name"],
)
def test_an_observed_component_that_differs_is_kept(observed: Component) -> None:
    assert Desired((LABEL,), (), ()).share(observed) is observed
