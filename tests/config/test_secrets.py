"""Secrets are read from the environment of the process, all of them or none."""

from __future__ import annotations

import pytest

from sfcode.config import resolve_secrets
from sfcode.errors import ConfigError
from tests.config.projects import SENDING, SETTINGS, Folder

NAME = "SFCODE_RELAY_OUTBOUND_SECRET"


def test_every_secret_is_read_from_the_environment(folder: Folder) -> None:
    folder.write("mappings/lead.yaml", SENDING.replace("Contact", "Lead") + "  click_to_track: ['${secret:OTHER}']\n")
    environ = {NAME: "a-b-0123456789abc", "OTHER": "c d 0123456789abc"}
    assert resolve_secrets(folder.load(), {**environ, "MORE": "e"}) == environ


def test_every_missing_secret_is_named_at_its_place(folder: Folder) -> None:
    folder.write("mappings/lead.yaml", SENDING.replace("Contact", "Lead") + "  click_to_track: ['a ${secret:OTHER}']\n")
    with pytest.raises(ConfigError) as caught:
        resolve_secrets(folder.load(), {NAME: ""})
    assert str(caught.value).splitlines() == [
        (
            "config/mappings/lead.yaml:5:23: to_salesforce.click_to_track[0]: the secret OTHER is not set; set the "
            "environment variable OTHER"
        ),
        (
            f"config/sfcode.yaml:4:1: relay.outbound_secret: the secret {NAME} is not set; set the environment variable "
            f"{NAME}, for a trial to the output of `openssl rand -hex 24`"
        ),
    ]


def test_a_secret_that_a_url_cannot_contain_is_refused_without_showing_it(folder: Folder) -> None:
    folder.write("sfcode.yaml", SETTINGS.replace("relay: {", "relay: {outbound_secret: '${secret:TOKEN}', "))
    with pytest.raises(ConfigError) as caught:
        resolve_secrets(folder.load(), {"TOKEN": "hunter/2hunter/2"})
    assert str(caught.value) == (
        "config/sfcode.yaml:4:27: relay.outbound_secret: the value of the secret TOKEN contains characters that a URL path cannot contain; "
        "use letters, digits and . _ ~ - only"
    )


def test_a_short_secret_is_refused_at_its_place_without_showing_it(folder: Folder) -> None:
    folder.write("sfcode.yaml", SETTINGS.replace("relay: {", "relay: {outbound_secret: '${secret:TOKEN}', "))
    with pytest.raises(ConfigError) as caught:
        resolve_secrets(folder.load(), {"TOKEN": "tiny"})
    assert str(caught.value) == (
        "config/sfcode.yaml:4:27: relay.outbound_secret: the secret TOKEN is shorter than 16 characters; "
        "use a random one, for example from `openssl rand -hex 24`"
    )
