"""The request of doctor to the relay's URL."""

from __future__ import annotations

from pathlib import Path

import pytest

from sfcode.checks.doctor.facts import ProbeFailure
from sfcode.checks.doctor.probe import probe
from sfcode.config import load
from sfcode.local import serve
from tests.checks.doctor.clinic import Clinic, find_only
from tests.org.servers import Answer, HangUp, refusing, script, serving


def test_a_relay_that_answers_passes() -> None:
    """The request goes to `/healthz`, and none of its headers contains a secret or a sign-in."""
    with serving(script(Answer(200, b"ok"))) as server:
        assert probe(server.url, {"SFCODE_RELAY_OUTBOUND_SECRET": "s3cr3t-of-the-relay"}) == ""
    (request,) = server.requests
    assert (request.method, request.path) == ("GET", "/healthz")
    assert {"authorization", "cookie"}.isdisjoint(name.lower() for name in request.headers)
    assert "s3cr3t" not in f"{request}"


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (Answer(503, b"starting"), "answers 503"),
        (Answer(404), "answers 404"),
        (Answer(302, headers={"Location": "https://elsewhere.example/"}), "elsewhere.example"),
    ],
)
def test_an_error_response_of_the_relay_is_reported(answer: Answer, text: str) -> None:
    """A response other than 200 is reported, and redirects are not followed."""
    with serving(script(answer)) as server:
        failure = probe(server.url, {})
    assert isinstance(failure, ProbeFailure)
    assert (failure.kind, len(server.requests)) == ("health", 1)
    assert text in failure.reason


def test_a_broken_connection_is_reported() -> None:
    with serving(script(HangUp)) as server:
        result = probe(server.url, {})
    with refusing() as url:
        answer = probe(url, {})
    assert isinstance(result, ProbeFailure)
    assert isinstance(answer, ProbeFailure)
    assert (result.kind, answer.kind) == ("connection", "connection")
    assert "refused" in answer.reason


def test_an_untrusted_certificate_is_reported(tmp_path: Path) -> None:
    """If the certificate is trusted, only the response decides."""
    with serve(tmp_path / "state", tls=True) as org:
        assert org.tls_url is not None
        stranger = probe(org.tls_url, {})
        answer = probe(org.tls_url, {"REQUESTS_CA_BUNDLE": str(org.certificate)})
    assert isinstance(stranger, ProbeFailure)
    assert stranger.kind == "certificate"
    assert isinstance(answer, str) or answer.kind == "health"


def test_the_relay_names_the_digest_of_its_config() -> None:
    with serving(script(Answer(200, b"ok\nconfig 0123456789ab\n"))) as server:
        assert probe(server.url, {}) == "0123456789ab"
    with serving(script(Answer(200, b"<html>config of a proxy</html>"))) as server:
        assert probe(server.url, {}) == ""


def test_a_relay_with_another_config_is_reported(clinic: Clinic) -> None:
    from sfcode.config.relay_config import digest_relay_config, render_relay_config
    from sfcode.diagnostics import Level

    digest = digest_relay_config(render_relay_config(load(clinic.folder / "config", "local")))
    with serving(script(Answer(200, f"ok\nconfig {digest}\n".encode()))) as server:
        clinic.set_relay_url(server.url)
        assert digest in find_only(clinic.run_doctor(), "D407", Level.OK).message
    with serving(script(Answer(200, b"ok\nconfig 0123456789ab\n"))) as other_server:
        clinic.set_relay_url(other_server.url)
        message = find_only(clinic.run_doctor(), "D407", Level.WARNING).message
    assert message == f"the relay uses config 0123456789ab, and this project has {digest}"


def test_a_relay_on_this_machine_passes_with_the_local_org(clinic: Clinic) -> None:
    """The relay is queried; a problem is only a note, and a healthy relay is reported as passed."""
    from sfcode.diagnostics import Level

    findings = clinic.run_doctor()
    assert "only the local org can reach it" in find_only(findings, "D402", Level.NOTE).message
    assert "refused" in find_only(findings, "D403", Level.NOTE).message
    with serving(script(Answer(200))) as server:
        clinic.set_relay_url(server.url)
        assert "answers from here" in find_only(clinic.run_doctor(), "D405", Level.OK).message
