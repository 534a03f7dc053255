"""The names of this machine are the same in URLs of orgs, in Host headers, and for the local org."""

from __future__ import annotations

import re

import pytest

from sfcode.config import names
from sfcode.hosts import LOOPBACK_NAMES, is_loopback, is_loopback_header
from sfcode.local.http import LOOPBACK


@pytest.mark.parametrize("name", LOOPBACK_NAMES)
def test_a_usual_name_of_this_machine_is_accepted_everywhere(name: str) -> None:
    assert re.match(names.ORG, f"http://{name}:8080")
    assert is_loopback(name.strip("[]"))
    assert is_loopback_header(name)
    assert is_loopback_header(f"{name.upper()}:8080")
    assert name.strip("[]") in LOOPBACK


@pytest.mark.parametrize("name", ["127.0.0.1.evil.example", "evil.localhost", "127x0x0x1", "[::2]", "", "::1"])
def test_another_name_is_refused_in_headers_and_without_encryption(name: str) -> None:
    assert not is_loopback_header(name)
    assert not is_loopback_header(f"{name}:8080")
    assert not re.match(names.ORG, f"http://{name}:8080")


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("org.localhost", True),
        ("127.8.9.10", True),
        ("::1", True),
        (".localhost.example", False),
        ("evillocalhost", False),
    ],
)
def test_every_address_and_name_of_this_machine_is_local(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected
