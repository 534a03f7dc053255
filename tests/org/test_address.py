from __future__ import annotations

import pytest

from sfcode.errors import SignInError
from sfcode.hosts import is_loopback, is_metadata_service
from sfcode.org.address import normalize_url


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://acme.my.salesforce.com", "https://acme.my.salesforce.com"),
        (" https://ACME.my.salesforce.com/ ", "https://acme.my.salesforce.com"),
        ("https://acme.my.salesforce.com/services/data?x=1", "https://acme.my.salesforce.com"),
        ("https://acme.my.salesforce.com:443", "https://acme.my.salesforce.com"),
        ("https://acme.my.salesforce.com:8443", "https://acme.my.salesforce.com:8443"),
        ("http://127.0.0.1:8300/", "http://127.0.0.1:8300"),
        ("http://localhost:8300", "http://localhost:8300"),
        ("http://[::1]:8300", "http://[::1]:8300"),
    ],
)
def test_reduces_an_address_to_scheme_host_and_port(text: str, expected: str) -> None:
    assert normalize_url(text) == expected


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is not a URL"),
        ("acme.my.salesforce.com", "is not a URL"),
        ("ftp://acme.my.salesforce.com", "is not a URL"),
        ("https://", "is not a URL"),
        ("https://acme:x", "is not a URL"),
        ("http://acme.my.salesforce.com", "is not encrypted"),
        ("http://127.0.0.1.evil.example", "is not encrypted"),
        ("http://localhost.evil.example", "is not encrypted"),
        ("https://user:pa55@acme.my.salesforce.com", "contains a user name or password"),
        ("https://acme.lightning.force.com/lightning", "the user interface"),
    ],
)
def test_refuses_addresses_that_must_not_receive_a_token(text: str, problem: str) -> None:
    with pytest.raises(SignInError, match=problem) as caught:
        normalize_url(text)
    assert caught.value.hint
    assert "pa55" not in str(caught.value)


def test_recognizes_loopback_without_a_name_lookup() -> None:
    assert is_loopback("127.9.9.9")
    assert not is_loopback("loopback.example")


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("169.254.169.254", True),
        ("fe80::1", True),
        ("::ffff:169.254.169.254", True),
        ("100.100.100.200", True),
        ("fd00:ec2::254", True),
        ("METADATA.google.internal.", True),
        ("127.0.0.1", False),
        ("10.0.0.8", False),
        ("::1", False),
        ("metadata.example.com", False),
    ],
)
def test_recognizes_the_hosts_that_return_credentials_of_clouds(host: str, expected: bool) -> None:
    assert is_metadata_service(host) is expected
