"""An org with a message to send, an endpoint, and the control route of the org."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.local.automation.building import Control
from tests.local.automation.receiver import Receiver, receiving
from tests.local.conftest import Rest


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def control(rest: Rest) -> Control:
    return Control(rest)


@pytest.fixture
def contact(rest: Rest) -> dict[str, Any]:
    """Return a contact with a number as its user ID."""
    query = (
        "SELECT Id, Title, Email, Product_User_Id__c FROM Contact WHERE Product_User_Id__c != null ORDER BY Id LIMIT 1"
    )
    return rest.rows(query)[0]
