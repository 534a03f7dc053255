"""The authentication of webhooks with each scheme; Standard Webhooks are signed by their reference library."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from sfcode.relay.ingress.auth.scheme import matches_any
from tests.relay.ingress.asking import NOW, OLD_TOKEN, TOKEN, WEBHOOK, Answer, Relay, event, project, secrets

BODY = json.dumps(event())
PLAIN = "/webhooks/appcues"

Made = Callable[..., Relay]


@pytest.fixture
def make_auth(tmp_path: Path) -> Made:
    """Return a function that creates a relay whose webhooks use a scheme."""

    def make(auth: str, webhook: str | None = TOKEN, previous: str | None = OLD_TOKEN, **more: str) -> Relay:
        return Relay(project(tmp_path, f"webhook_auth: {{{auth}}}", **more), secrets(webhook, previous))

    return make


def refused(answer: Answer, challenge: str) -> bool:
    """Return whether an answer is a refusal without details."""
    assert (answer.status, answer.json) in ((401, {"error": "unauthorized"}), (200, {"status": "stored"}))
    if answer.status == 401:
        assert answer.headers["www-authenticate"] == challenge
    return answer.status == 401


class TestPath:
    @pytest.mark.parametrize("token", [TOKEN, OLD_TOKEN])
    def test_accepts_the_present_and_the_previous_token(self, relay: Relay, token: str) -> None:
        assert relay.ask(f"{PLAIN}/{token}", BODY).status == 200

    @pytest.mark.parametrize(
        "path", [PLAIN, f"{PLAIN}/x", f"{WEBHOOK}x", f"{PLAIN}/{TOKEN.upper()}", f"{PLAIN}/%C3%BC"]
    )
    def test_refuses_any_other(self, relay: Relay, path: str) -> None:
        assert refused(relay.ask(path, BODY), "Token")

    @pytest.mark.parametrize("path", [f"{PLAIN}/", f"{WEBHOOK}/", f"{WEBHOOK}/x", "/webhooks", "/webhooks/other"])
    def test_accepts_no_other_path(self, relay: Relay, path: str) -> None:
        assert relay.ask(path, BODY).status == 404

    def test_refuses_every_request_without_a_secret(self, make_auth: Made) -> None:
        relay = make_auth("scheme: path", None, None)
        assert relay.ask(PLAIN, BODY).status == relay.ask(WEBHOOK, BODY).status == 401


class TestHeader:
    @pytest.mark.parametrize("token", [TOKEN, OLD_TOKEN, f" {TOKEN} "])
    def test_accepts_the_token(self, make_auth: Made, token: str) -> None:
        relay = make_auth("scheme: header, header: X-Token")
        assert relay.ask(PLAIN, BODY, headers={"x-token": token}).status == 200

    @pytest.mark.parametrize(
        "headers", [[], [("x-token", "")], [("x-token", "wrong")], [("x-token", TOKEN)] * 2, [("x-other", TOKEN)]]
    )
    def test_refuses_another_a_missing_and_a_repeated_token(
        self, make_auth: Made, headers: list[tuple[str, str]]
    ) -> None:
        relay = make_auth("scheme: header, header: X-Token")
        assert refused(relay.ask(PLAIN, BODY, headers=headers), "Token")

    def test_has_no_token_in_its_path(self, make_auth: Made) -> None:
        relay = make_auth("scheme: header, header: X-Token")
        assert relay.ask(WEBHOOK, BODY, headers={"x-token": TOKEN}).status == 404


class TestAuthorization:
    @pytest.mark.parametrize("value", [f"Bearer {TOKEN}", f"bearer  {TOKEN}", f"BEARER {OLD_TOKEN}"])
    def test_bearer_takes_the_token(self, make_auth: Made, value: str) -> None:
        assert make_auth("scheme: bearer").ask(PLAIN, BODY, headers={"authorization": value}).status == 200

    @pytest.mark.parametrize("value", ["", "Bearer", "Bearer x", TOKEN, f"Basic {TOKEN}", f"Bearer {TOKEN}, x"])
    def test_bearer_refuses_any_other(self, make_auth: Made, value: str) -> None:
        assert refused(make_auth("scheme: bearer").ask(PLAIN, BODY, headers={"authorization": value}), "Bearer")

    @pytest.mark.parametrize(
        ("secret", "user", "password", "right"),
        [
            (TOKEN, "anybody", TOKEN, True),
            (TOKEN, "", TOKEN, True),
            (TOKEN, "anybody", "wrong", False),
            (TOKEN, TOKEN, "", False),
            (f"appcues:{TOKEN}", "appcues", TOKEN, True),
            (f"appcues:{TOKEN}", "other", TOKEN, False),
            (f"appcues:{TOKEN}", "appcues", "wrong", False),
            ("appcues:pässwörd-of-16-chars", "appcues", "pässwörd-of-16-chars", True),
        ],
    )
    def test_basic_compares_the_password_and_a_user_where_one_is_set(
        self, make_auth: Made, secret: str, user: str, password: str, right: bool
    ) -> None:
        value = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        answer = make_auth("scheme: basic", secret, None).ask(PLAIN, BODY, headers={"authorization": value})
        assert refused(answer, 'Basic realm="sfcode relay", charset="UTF-8"') is not right

    @pytest.mark.parametrize("value", ["Basic", "Basic !!!", "Basic YQ", f"Basic {TOKEN}", f"Bearer {TOKEN}"])
    def test_basic_refuses_invalid_credentials(self, make_auth: Made, value: str) -> None:
        assert make_auth("scheme: basic").ask(PLAIN, BODY, headers={"authorization": value}).status == 401


class TestNone:
    AUTH = "scheme: none"
    URL = "http://127.0.0.1:8400"

    def test_accepts_requests_of_this_machine(self, make_auth: Made) -> None:
        for client in (("127.0.0.1", 1), ("::1", 1), ("::ffff:127.0.0.1", 1)):
            assert make_auth(self.AUTH, None, None, url=self.URL).ask(PLAIN, BODY, client=client).status == 200

    @pytest.mark.parametrize(
        ("client", "headers"),
        [
            (("192.0.2.1", 1), {}),
            (None, {}),
            (("127.0.0.1", 1), {"host": "rebound.example.com"}),
            (("127.0.0.1", 1), {"host": "127.0.0.1:8400", "origin": "https://evil.example.com"}),
            (("127.0.0.1", 1), {"host": "127.0.0.1:8400", "x-forwarded-for": "192.0.2.1"}),
            (("127.0.0.1", 1), {"host": "127.0.0.1:8400", "forwarded": "for=192.0.2.1"}),
        ],
    )
    def test_refuses_other_machines_web_pages_and_proxies(
        self, make_auth: Made, client: tuple[str, int] | None, headers: dict[str, str]
    ) -> None:
        relay = make_auth(self.AUTH, None, None, url=self.URL)
        assert refused(relay.ask(PLAIN, BODY, client=client, headers=headers), "Token")


def sign(body: str, *, key: str = TOKEN, algorithm: str = "sha256") -> bytes:
    return hmac.new(key.encode(), body.encode(), getattr(hashlib, algorithm)).digest()


class TestHmac:
    @pytest.mark.parametrize("key", [TOKEN, OLD_TOKEN])
    @pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha512"])
    @pytest.mark.parametrize("encoding", ["hex", "base64"])
    def test_accepts_a_signature_of_the_body(self, make_auth: Made, algorithm: str, encoding: str, key: str) -> None:
        relay = make_auth(
            f"scheme: hmac, header: X-Sig, algorithm: {algorithm}, encoding: {encoding}, prefix: '{algorithm}='"
        )
        signature = sign(BODY, key=key, algorithm=algorithm)
        texts = [signature.hex(), signature.hex().upper()]
        if encoding == "base64":
            usual = base64.b64encode(signature).decode()
            texts = [usual, usual.rstrip("="), base64.urlsafe_b64encode(signature).decode()]
        for text in texts:
            assert relay.ask(PLAIN, BODY, headers={"x-sig": f"{algorithm}={text}"}).status == 200

    @pytest.mark.parametrize(
        "value",
        [
            "",
            "sha256=",
            "sha256=zz",
            sign(BODY).hex(),
            f"SHA256={sign(BODY).hex()}",
            f"sha256={sign(BODY).hex()[:-2]}",
            f"sha256={sign(BODY).hex()}00",
            f"sha256= {sign(BODY).hex()}",
            f"sha256={sign(BODY + ' ').hex()}",
            f"sha256={sign(BODY, key='another-secret-of-24-chars').hex()}",
            f"sha256={sign(BODY, algorithm='sha1').hex()}",
            f"sha256={base64.b64encode(sign(BODY)).decode()}",
        ],
    )
    def test_refuses_any_other(self, make_auth: Made, value: str) -> None:
        relay = make_auth("scheme: hmac, header: X-Sig, prefix: sha256=")
        assert refused(relay.ask(PLAIN, BODY, headers={"x-sig": value}), "Signature")
        assert relay.inbox.messages == []

    def test_refuses_two_signatures_of_which_one_is_right(self, make_auth: Made) -> None:
        relay = make_auth("scheme: hmac, header: X-Sig")
        headers = [("x-sig", sign(BODY).hex()), ("x-sig", "00" * 32)]
        assert relay.ask(PLAIN, BODY, headers=headers).status == 401

    def test_refuses_every_request_without_a_secret(self, make_auth: Made) -> None:
        relay = make_auth("scheme: hmac, header: X-Sig", None, None)
        assert relay.ask(PLAIN, BODY, headers={"x-sig": sign(BODY, key="").hex()}).status == 401

    @pytest.mark.parametrize(
        ("timestamp", "right"),
        [
            ("{seconds}", True),
            ("{millis}", True),
            ("2026-11-23T17:23:00Z", True),
            ("2026-11-23T17:18:00Z", True),
            ("2026-11-23T17:17:59Z", False),
            ("2026-11-23T17:28:01Z", False),
            ("yesterday", False),
            ("", False),
        ],
    )
    def test_accepts_a_recent_time_of_signing(self, make_auth: Made, timestamp: str, right: bool) -> None:
        """An old request is refused if it is sent again."""
        relay = make_auth('scheme: hmac, header: X-Sig, timestamp_header: X-Time, signed: "v0:{timestamp}:{body}"')
        seconds = int(NOW.timestamp())
        timestamp = timestamp.format(seconds=seconds, millis=seconds * 1000)
        headers = {"x-time": timestamp, "x-sig": sign(f"v0:{timestamp}:{BODY}").hex()}
        assert refused(relay.ask(PLAIN, BODY, headers=headers), "Signature") is not right

    def test_signs_the_id_too_so_that_it_cannot_be_changed(self, tmp_path: Path) -> None:
        auth = 'webhook_auth: {scheme: hmac, header: X-Sig, signed: "{id}.{body}"}, message_id: {header: X-Id}'
        relay = Relay(project(tmp_path, auth))
        signature = hmac.new(TOKEN.encode(), f"abc.{BODY}".encode(), "sha256").hexdigest()
        assert relay.ask(PLAIN, BODY, headers={"x-sig": signature, "x-id": "other"}).status == 401
        assert relay.ask(PLAIN, BODY, headers={"x-sig": signature}).status == 401
        assert relay.ask(PLAIN, BODY, headers={"x-sig": signature, "x-id": "abc"}).status == 200
        assert [message.message_id for message in relay.inbox.messages] == ["abc"]

    def test_refuses_a_time_that_was_not_signed(self, make_auth: Made) -> None:
        relay = make_auth('scheme: hmac, header: X-Sig, timestamp_header: X-Time, signed: "{timestamp}.{body}"')
        old, new = "1795454000", str(int(NOW.timestamp()))
        assert relay.ask(PLAIN, BODY, headers={"x-time": new, "x-sig": sign(f"{old}.{BODY}").hex()}).status == 401

    def test_signs_the_bytes_of_the_body(self, make_auth: Made) -> None:
        relay = make_auth("scheme: hmac, header: X-Sig")
        spaced = BODY.replace(":", " : ")
        assert relay.ask(PLAIN, spaced, headers={"x-sig": sign(BODY).hex()}).status == 401
        assert relay.ask(PLAIN, spaced, headers={"x-sig": sign(spaced).hex()}).status == 200


KEY, OLD_KEY = ("whsec_" + base64.b64encode(bytes([seed]) * 32).decode() for seed in (1, 2))


class TestStandardWebhooks:
    AUTH = "scheme: standard_webhooks"

    @staticmethod
    def headers(key: str = KEY, *, body: str = BODY, at: datetime = NOW, id_: str = "msg_1") -> dict[str, str]:
        """Return the headers with a signature of the reference library."""
        return {
            "webhook-id": id_,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": Webhook(key).sign(id_, at.astimezone(UTC), body),
        }

    @pytest.mark.parametrize("key", [KEY, OLD_KEY])
    def test_takes_a_signature_with_the_present_key_or_the_one_before(self, make_auth: Made, key: str) -> None:
        relay = make_auth(self.AUTH, KEY, OLD_KEY)
        assert relay.ask(PLAIN, BODY, headers=self.headers(key)).status == 200
        assert relay.inbox.messages[0].message_id == "msg_1"

    def test_accepted_signatures_are_valid_to_the_reference_library(self, make_auth: Made) -> None:
        headers = self.headers(at=datetime.now(UTC))
        Webhook(KEY).verify(BODY, headers)
        relay = make_auth(self.AUTH, KEY, None)
        relay.now = datetime.now(UTC)
        assert relay.ask(PLAIN, BODY, headers=headers).status == 200

    def test_takes_a_secret_without_its_prefix(self, make_auth: Made) -> None:
        relay = make_auth(self.AUTH, KEY.removeprefix("whsec_"), None)
        assert relay.ask(PLAIN, BODY, headers=self.headers()).status == 200

    def test_one_right_signature_among_several_is_enough(self, make_auth: Made) -> None:
        relay = make_auth(self.AUTH, KEY, None)
        headers = self.headers()
        wrong = self.headers(OLD_KEY)["webhook-signature"]
        right = headers["webhook-signature"]
        for several in (f"{wrong} {right}", f"{right} {wrong}", f"v1a,AAAA {right} v2,x junk"):
            assert relay.ask(PLAIN, BODY, headers=headers | {"webhook-signature": several}).status == 200

    @pytest.mark.parametrize("away", [timedelta(seconds=301), -timedelta(seconds=301)])
    def test_old_and_future_signatures_are_refused(self, make_auth: Made, away: timedelta) -> None:
        relay = make_auth(self.AUTH, KEY, None)
        headers = self.headers()
        assert relay.ask(PLAIN, BODY, headers=headers).status == 200
        relay.now += away
        assert refused(relay.ask(PLAIN, BODY, headers=headers), "Signature")

    def test_a_request_sent_twice_is_stored_once(self, make_auth: Made) -> None:
        relay = make_auth(self.AUTH, KEY, None)
        for _ in range(2):
            assert relay.ask(PLAIN, BODY, headers=self.headers()).status == 200
        assert len(relay.inbox.messages) == 1

    @pytest.mark.parametrize(
        "change",
        [
            {"webhook-id": "msg_2"},
            {"webhook-id": ""},
            {"webhook-timestamp": str(int(NOW.timestamp()) + 1)},
            {"webhook-timestamp": ""},
            {"webhook-timestamp": "now"},
            {"webhook-timestamp": f"{int(NOW.timestamp())}.0"},
            {"webhook-timestamp": "9" * 30},
            {"webhook-signature": ""},
            {"webhook-signature": "v1,"},
            {"webhook-signature": "v1"},
            {"webhook-signature": "v1,AAAA"},
            {"webhook-signature": "v2,AAAA"},
            {"webhook-signature": "v1,!"},
        ],
    )
    def test_nothing_that_is_signed_can_be_changed(self, make_auth: Made, change: dict[str, str]) -> None:
        assert refused(make_auth(self.AUTH, KEY, None).ask(PLAIN, BODY, headers=self.headers() | change), "Signature")

    def test_another_body_is_refused(self, make_auth: Made) -> None:
        assert make_auth(self.AUTH, KEY, None).ask(PLAIN, BODY + " ", headers=self.headers()).status == 401

    def test_the_tolerance_can_be_set(self, make_auth: Made) -> None:
        relay = make_auth(f"{self.AUTH}, tolerance: 10", KEY, None)
        assert relay.ask(PLAIN, BODY, headers=self.headers(at=NOW - timedelta(seconds=10))).status == 200
        assert relay.ask(PLAIN, BODY, headers=self.headers(at=NOW - timedelta(seconds=11))).status == 401


def test_an_empty_token_is_refused_even_with_an_empty_secret() -> None:
    assert not matches_any(b"", [b""])


def test_an_unauthenticated_request_has_no_body_received(relay: Relay) -> None:
    """A client without the token cannot use memory of the relay."""

    def received() -> None:
        raise AssertionError("the body was asked for")

    assert relay.ask("/webhooks/appcues/wrong", BODY, before=received).status == 401
    wrong = "/outbound-messages/contact/wrong"
    assert relay.ask(wrong, b"<x/>", kind="text/xml", before=received).status == 401
