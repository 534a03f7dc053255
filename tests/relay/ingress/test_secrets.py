"""Usable secrets by scheme; a new secret is accepted beside the previous one."""

from __future__ import annotations

from pathlib import Path

import pytest

from sfcode.errors import ConfigError
from sfcode.relay.ingress import IngressSecrets, build_router, read_secrets, secret_problems
from sfcode.relay.instrumentation import Instrumentation
from sfcode.secret import Secret
from tests.relay.ingress.asking import Inbox, project

GOOD = "not-a-real-secret-but-long"


def test_secrets_are_read_from_the_environment_with_their_predecessors(tmp_path: Path) -> None:
    loaded = project(tmp_path, "outbound_secret: '${secret:OTHER_NAME}'")
    environ = {
        "SFCODE_RELAY_WEBHOOK_SECRET": "1",
        "SFCODE_RELAY_WEBHOOK_SECRET_PREVIOUS": " 2 ",
        "OTHER_NAME": "3",
        "OTHER_NAME_PREVIOUS": "",
        "SFCODE_RELAY_OUTBOUND_SECRET": "not asked for",
    }
    secrets = read_secrets(loaded, environ)
    assert [secret.reveal() for secret in secrets.of_webhooks()] == ["1", "2"]
    assert [secret.reveal() for secret in secrets.of_outbound()] == ["3"]
    assert read_secrets(loaded, {}) == IngressSecrets()
    assert "3" not in repr(secrets)


@pytest.mark.parametrize(
    ("auth", "value", "words"),
    [
        ("scheme: path", "tiny", "is shorter than 16 characters and could be guessed"),
        ("scheme: path", "with a space in it and more", "contains characters that a URL path cannot contain"),
        ("scheme: path", GOOD + "/", "contains characters that a URL path cannot contain"),
        ("scheme: header, header: X-A", "tiny", "is shorter than 16 characters and could be guessed"),
        ("scheme: header, header: X-A", "ünot-in-a-header-please", "contains characters that a header cannot contain"),
        ("scheme: bearer", "with a space in it and more", "contains characters that a header cannot contain"),
        ("scheme: basic", "a-user-of-23-characters:tiny", "is shorter than 16 characters and could be guessed"),
        ("scheme: hmac, header: X-A", "tiny", "is shorter than 16 characters and could be guessed"),
        ("scheme: standard_webhooks", "whsec_!!!", "is not base64 of 24 bytes or more"),
        ("scheme: standard_webhooks", "whsec_c2hvcnQ=", "is not base64 of 24 bytes or more"),
        ("scheme: standard_webhooks", "whsec_" + "A" * 31, "is not base64 of 24 bytes or more"),
        ("scheme: standard_webhooks", "whpk_" + "A" * 44, "is an asymmetric key, which is not supported"),
        ("scheme: standard_webhooks", "whsk_" + "A" * 44, "is an asymmetric key, which is not supported"),
    ],
)
def test_an_unusable_secret_is_refused_by_its_name_without_its_value(
    tmp_path: Path, auth: str, value: str, words: str
) -> None:
    loaded = project(tmp_path, f"webhook_auth: {{{auth}}}")
    for ingress_secrets, name in (
        (IngressSecrets(webhook=Secret(value)), "SFCODE_RELAY_WEBHOOK_SECRET"),
        (IngressSecrets(webhook_previous=Secret(value)), "SFCODE_RELAY_WEBHOOK_SECRET_PREVIOUS"),
    ):
        (problem,) = secret_problems(loaded, ingress_secrets)
        assert (problem.path, problem.message) == (name, words)
        assert problem.hint, "it says what to do"
        assert value not in str(problem)


def test_the_secret_of_outbound_messages_is_part_of_an_address(tmp_path: Path) -> None:
    ingress_secrets = IngressSecrets(outbound=Secret("tiny"), outbound_previous=Secret("one with spaces in it"))
    problems = list(secret_problems(project(tmp_path), ingress_secrets))
    assert [str(problem).partition(";")[0] for problem in problems] == [
        "SFCODE_RELAY_OUTBOUND_SECRET: is shorter than 16 characters and could be guessed",
        "SFCODE_RELAY_OUTBOUND_SECRET_PREVIOUS: contains characters that a URL path cannot contain",
    ]


@pytest.mark.parametrize(
    ("auth", "value"),
    [
        ("scheme: path", GOOD),
        ("scheme: header, header: X-A", GOOD + "/=+"),
        ("scheme: bearer", GOOD),
        ("scheme: basic", "user:" + GOOD),
        ("scheme: basic", GOOD),
        ("scheme: hmac, header: X-A", "any text with 16 characters, ü"),
        ("scheme: standard_webhooks", "whsec_" + "A" * 43 + "="),
        ("scheme: standard_webhooks", "A" * 43),
        ("scheme: standard_webhooks", "whsec_" + "A" * 32),
    ],
)
def test_usable_secrets_are_accepted(tmp_path: Path, auth: str, value: str) -> None:
    loaded = project(tmp_path, f"webhook_auth: {{{auth}}}")
    assert list(secret_problems(loaded, IngressSecrets(webhook=Secret(value)))) == []


def test_no_route_is_created_with_an_unusable_secret(tmp_path: Path) -> None:
    ingress_secrets = IngressSecrets(webhook=Secret("tiny"))
    with pytest.raises(ConfigError, match="SFCODE_RELAY_WEBHOOK_SECRET: is shorter"):
        build_router(project(tmp_path), Inbox().accept, ingress_secrets, lambda: None, Instrumentation())
