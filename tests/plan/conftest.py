from __future__ import annotations

from pathlib import Path

import pytest

from sfcode.config.event_models import Events
from sfcode.config.mapping_models import Mapping
from sfcode.config.models import Environment, Settings
from sfcode.config.project import NamedMapping, Project
from sfcode.diagnostics import Position


@pytest.fixture(scope="session")
def project() -> Project:
    settings = Settings.model_validate(
        {
            "version": 1,
            "integration_user": {"username": "appcues@example.com", "email": "admin@example.com"},
            "appcues": {"account_id": "1"},
            "relay": {"url": "https://relay.example.com"},
        }
    )
    spec = Mapping.model_validate(
        {"object": "Contact", "direction": "to_salesforce", "user_id": {"field": "Id__c"}, "to_salesforce": {}}
    )
    mapping = NamedMapping("contact", spec, {(): Position("config/mappings/contact.yaml", 1, 1)})
    events = Events(version=1, activities={})
    return Project(Path(), settings, (mapping,), events, "local", Environment(org="local"), (), "digest-1")
