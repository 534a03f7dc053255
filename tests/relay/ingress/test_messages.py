"""The message of an outbound message, and when it is acknowledged."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from pathlib import Path

import pytest
from lxml import etree

from sfcode.config.models import Moved
from sfcode.local.automation.message import MessageItem, MessageSource, check_ack, envelope
from sfcode.relay.ingress import IngressLimits
from sfcode.relay.message import InboxMessage
from tests.relay.ingress.asking import (
    MESSAGE,
    OLD_SALESFORCE_TOKEN,
    ORG,
    SALESFORCE_TOKEN,
    Answer,
    Relay,
    project,
)

XML = "text/xml; charset=utf-8"
SENDER = MessageSource(ORG, "https://yourInstance.salesforce.com", "04kxx00000000blBAA", "60.0", "Contact")
SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"

RECORD = (
    ("Id", "003xx000004TmiQAAS"),
    ("Appcues_User_Id__c", "1001"),
    ("Plan__c", "pro & <more>"),
    ("SystemModstamp", "2026-09-09T00:41:57.000Z"),
)


def notification(number: int = 1, fields: tuple[tuple[str, str], ...] | None = RECORD) -> MessageItem:
    return MessageItem(f"04lxx00000{number:05}AAA", fields)


def wire(*items: MessageItem, sender: MessageSource = SENDER) -> bytes:
    """Return a message in Salesforce's format."""
    return envelope(sender, items or [notification()])


def fault(answer: Answer) -> tuple[int, str, str]:
    """Read a fault as a client of SOAP 1.1 does: status, code and text."""
    assert answer.headers["content-type"] == XML
    root = etree.fromstring(answer.body)
    assert root.tag == f"{SOAP}Envelope"
    (only,) = root.find(f"{SOAP}Body")
    assert only.tag == f"{SOAP}Fault"
    code, text = only.find("faultcode"), only.find("faultstring")
    prefix, _, name = code.text.partition(":")
    assert code.nsmap[prefix] == SOAP.strip("{}")
    assert check_ack(answer.status, answer.body) is not None
    return answer.status, name, text.text


def receive(relay: Relay, body: bytes, path: str = MESSAGE) -> list[InboxMessage]:
    answer = relay.ask(path, body, kind=XML)
    assert check_ack(answer.status, answer.body) is None
    return relay.inbox.messages


def test_a_notification_becomes_a_message_of_its_user(relay: Relay) -> None:
    assert receive(relay, wire(), f"{MESSAGE}?v=0a1b2c3d") == [
        InboxMessage(
            source="salesforce",
            message_id="04lxx0000000001AAA",
            key="user:1001",
            kind="contact",
            payload={
                "mapping": "contact",
                "version": "0a1b2c3d",
                "record": dict(RECORD),
                "notification": "04lxx0000000001AAA",
                "origin": "message",
            },
        )
    ]


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("Sales&#x0B;Lead", "Sales\ufffdLead"),
        ("a\x1fb", "a\ufffdb"),
        ("\x00", "\ufffd"),
        ("&#0;", "\ufffd"),
        ("x &#55357;&#56832;", "x \U0001f600"),
        ("x &#xD83D;&#xDE00;", "x \U0001f600"),
        ("&#xD83D;", "\ufffd"),
        ("&#xDE00;&#xD83D;", "\ufffd\ufffd"),
        ("&#xFFFE;&#99999999;", "\ufffd\ufffd"),
        ("&#x9;&#x41;&#128512;", "\tA\U0001f600"),
        ("&#x10000;&#xDBFF;&#xDFFF;", "\U00010000\U0010ffff"),
        ("&#55000;&#57000;", "\ud6d8\ufffd"),
        ("a&#13;b&#10;", "a\rb\n"),
        ("&amp;#x0B;", "&#x0B;"),
    ],
)
def test_a_character_that_xml_forbids_is_replaced(relay: Relay, sent: str, stored: str) -> None:
    body = wire(notification(1), notification(2), notification(3)).replace(b"pro", sent.encode(), 1)
    messages = receive(relay, body)
    assert [message.payload["record"]["Plan__c"] for message in messages] == [
        f"{stored} & <more>",
        *["pro & <more>"] * 2,
    ]


def test_one_acknowledgment_as_published_is_sent_for_all_notifications(relay: Relay) -> None:
    answer = relay.ask(MESSAGE, wire(*map(notification, range(100))), kind=XML)
    assert answer.body.count(b"<Ack>true</Ack>") == 1
    assert etree.fromstring(answer.body).find(f"{SOAP}Body")[0].tag == (
        "{http://soap.sforce.com/2005/09/outbound}notificationsResponse"
    )
    assert [m.message_id for m in relay.inbox.messages] == [f"04lxx00000{n:05}AAA" for n in range(100)]


def test_the_acknowledgment_is_sent_after_the_commit(relay: Relay) -> None:
    async def scenario() -> None:
        relay.inbox.wait = asyncio.Event()
        task = asyncio.create_task(relay.ask_async(MESSAGE, wire(), kind=XML))
        for _ in range(20):
            await asyncio.sleep(0)
        assert not task.done()
        assert relay.inbox.messages == []
        relay.inbox.wait.set()
        assert check_ack(200, (await task).body) is None

    asyncio.run(scenario())
    assert len(relay.inbox.messages) == 1


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        (None, "no_data"),
        ((), "no_data"),
        (RECORD[:1], "no_data"),
        ((RECORD[0], RECORD[2]), "no_user_id"),
        ((RECORD[0], ("Appcues_User_Id__c", "  "), RECORD[2]), "no_user_id"),
    ],
)
def test_a_deleted_record_or_one_without_user_id_is_acknowledged_and_parked(
    relay: Relay, fields: tuple[tuple[str, str], ...] | None, reason: str
) -> None:
    """A repetition of the message would have the same result."""
    first, second = receive(relay, wire(notification(1, fields), notification(2)))
    assert (first.key, first.parked, first.kind) == ("", reason, "contact")
    assert (second.key, second.parked) == ("user:1001", "")


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("<Id>04lxx0000000001AAA</Id>", "", "not_understood"),
        ("04lxx0000000001AAA", "not an ID", "not_understood"),
        ("</Id>\n", "</Id><Id>04lxx0000000002AAA</Id>\n", "not_understood"),
        ("<sf:Plan__c>", "<sf:Id>", "not_understood"),
        ("<sf:Plan__c>", "<sf:Plan__c><b/>", "not_understood"),
        ("sf:Contact", "sf:Lead", "other_object"),
        (">1001<", f">{'1' * 256}<", "not_understood"),
    ],
)
def test_an_authenticated_unparsed_message_is_acknowledged_and_parked(
    relay: Relay, old: str, new: str, reason: str
) -> None:
    text = wire().decode()
    assert old in text
    changed = text.replace(old, new).replace("</sf:Plan__c>", "</sf:Id>" if new == "<sf:Id>" else "</sf:Plan__c>")
    (message,) = receive(relay, changed.encode())
    assert message.parked == reason
    assert message.message_id


def test_a_notification_without_a_record_has_no_data(relay: Relay) -> None:
    text = re.sub(r"<sObject.*</sObject>", "", wire().decode(), flags=re.DOTALL)
    (message,) = receive(relay, text.encode())
    assert (message.message_id, message.parked) == ("04lxx0000000001AAA", "no_data")


def test_a_nil_value_counts_as_missing(relay: Relay) -> None:
    text = wire().decode().replace("<sf:Plan__c>", '<sf:Plan__c xsi:nil="true">')
    (message,) = receive(relay, text.encode())
    assert "Plan__c" not in message.payload["record"]


def test_fields_have_the_names_that_the_mapping_gives_them(relay: Relay) -> None:
    """Salesforce ignores the case of names, and a mapping may have names in any case."""
    text = wire().decode().replace("Appcues_User_Id__c", "appcues_user_ID__c").replace("Plan__c", "PLAN__C")
    (message,) = receive(relay, text.encode())
    assert message.payload["record"] == dict(RECORD)
    assert message.key == "user:1001"


@pytest.mark.parametrize("version", ["", "a-b", "ü", "x" * 65])
def test_an_invalid_version_is_ignored(relay: Relay, version: str) -> None:
    (message,) = receive(relay, wire(), f"{MESSAGE}?v={version}")
    assert message.payload["version"] is None


def test_records_of_accounts_are_messages_of_their_groups(tmp_path: Path) -> None:
    relay = Relay(project(tmp_path, groups=True))
    body = wire(
        notification(1, (("Id", "001xx"), ("Appcues_Group_Id__c", "acme"))),
        sender=replace(SENDER, object_name="Account"),
    )
    (message,) = receive(relay, body, f"/outbound-messages/account/{SALESFORCE_TOKEN}")
    assert (message.key, message.kind) == ("group:acme", "account")


@pytest.mark.parametrize(
    ("id_", "other_id"), [(ORG, ORG), (ORG[:15], ORG), (ORG, ORG[:15]), (ORG[:15], ORG[:15]), (f"  {ORG}", ORG)]
)
def test_ids_of_orgs_are_the_same_with_and_without_their_checksum(relay: Relay, id_: str, other_id: str) -> None:
    relay.organization = other_id
    assert len(receive(relay, wire(sender=replace(SENDER, org_id=id_)))) == 1


@pytest.mark.parametrize("org", ["00Dxx0000001gPGEAY", ORG[:15].lower(), ORG[:14], "", ORG + "A"])
def test_a_message_of_another_org_is_refused_and_raises_an_alarm(relay: Relay, org: str) -> None:
    """A sandbox is a copy of the org, including the message with its address and secret."""
    assert fault(relay.ask(MESSAGE, wire(sender=replace(SENDER, org_id=org)), kind=XML)) == (403, "Client", "forbidden")
    assert relay.inbox.messages == []
    assert relay.instrumentation.raised == ["other_organization"]


def test_messages_are_refused_until_the_org_is_known(relay: Relay) -> None:
    relay.organization = None
    answer = relay.ask(MESSAGE, wire(), kind=XML)
    assert fault(answer) == (503, "Server", "unavailable")
    assert answer.headers["retry-after"] == "5"


class TestSender:
    def test_accepts_the_present_or_the_previous_token(self, relay: Relay) -> None:
        for token in (SALESFORCE_TOKEN, OLD_SALESFORCE_TOKEN):
            answer = relay.ask(f"/outbound-messages/contact/{token}", wire(), kind=XML)
            assert check_ack(answer.status, answer.body) is None

    @pytest.mark.parametrize("token", ["wrong", SALESFORCE_TOKEN[:-1], SALESFORCE_TOKEN + "x", "%FF"])
    def test_with_another_token_is_refused(self, relay: Relay, token: str) -> None:
        answer = relay.ask(f"/outbound-messages/contact/{token}", wire(), kind=XML)
        assert fault(answer) == (401, "Client", "unauthorized")

    def test_names_its_mapping_in_any_case(self, relay: Relay) -> None:
        """If the case of a mapping's file name changes, queued messages with the old name are accepted."""
        answer = relay.ask(f"/outbound-messages/Contact/{SALESFORCE_TOKEN}", wire(), kind=XML)
        assert check_ack(answer.status, answer.body) is None
        assert {message.kind for message in relay.inbox.messages} == {"contact"}

    def test_names_its_mapping_by_the_former_name(self, tmp_path: Path) -> None:
        """After a mapping is renamed, messages that were queued before may arrive for a day."""
        renamed = project(tmp_path)
        moved = Moved.model_validate({"mappings": {"person": "contact"}})
        relay = Relay(replace(renamed, settings=renamed.settings.model_copy(update={"moved": moved})))
        answer = relay.ask(f"/outbound-messages/Person/{SALESFORCE_TOKEN}", wire(), kind=XML)
        assert check_ack(answer.status, answer.body) is None
        assert {message.kind for message in relay.inbox.messages} == {"contact"}

    @pytest.mark.parametrize("mapping", ["other", "contacts", "lead", "%20"])
    def test_of_a_mapping_that_does_not_send_is_asked_to_send_again(self, relay: Relay, mapping: str) -> None:
        """
        The relay may get a mapping later than the org.

        After a fault, Salesforce sends the message again for a day.
        """
        answer = relay.ask(f"/outbound-messages/{mapping}/{SALESFORCE_TOKEN}", wire(), kind=XML)
        assert fault(answer) == (404, "Client", "not found")
        assert relay.inbox.messages == []

    def test_without_the_token_is_refused_in_the_same_way_for_any_mapping(self, relay: Relay) -> None:
        known_answer, unknown = (
            relay.ask(f"/outbound-messages/{name}/wrong", wire(), kind=XML) for name in ("contact", "x")
        )
        assert known_answer == unknown


class TestNetworks:
    MORE = "outbound: {networks: [203.0.113.0/24, 2001:db8::/32]}"
    PROXIES = "trusted_proxies: [10.0.0.0/8, '::1']"

    @staticmethod
    def status(relay: Relay, client: str | None, *forwarded: str) -> int:
        headers = [("x-forwarded-for", forwarded_for) for forwarded_for in forwarded]
        address = None if client is None else (client, 1)
        return relay.ask(MESSAGE, wire(), kind=XML, client=address, headers=headers).status

    @pytest.mark.parametrize(
        ("client", "status"),
        [
            ("203.0.113.7", 200),
            ("::ffff:203.0.113.7", 200),
            ("2001:db8::1", 200),
            ("192.0.2.1", 403),
            ("10.0.0.1", 403),
            ("not an address", 403),
            (None, 403),
        ],
    )
    def test_the_peer_of_the_connection_counts(self, tmp_path: Path, client: str | None, status: int) -> None:
        assert self.status(Relay(project(tmp_path, self.MORE)), client) == status

    def test_forwarding_headers_of_other_clients_do_not_count(self, tmp_path: Path) -> None:
        relay = Relay(project(tmp_path, self.MORE))
        assert self.status(relay, "192.0.2.1", "203.0.113.7") == 403
        assert self.status(relay, "10.0.0.1", "203.0.113.7") == 403

    @pytest.mark.parametrize(
        ("forwarded", "status"),
        [
            (["203.0.113.7"], 200),
            (["203.0.113.7:4711"], 200),
            (["[2001:db8::1]:4711"], 200),
            (["198.51.100.1, 203.0.113.7"], 200),
            (["198.51.100.1", "203.0.113.7"], 200),
            (["203.0.113.7, 10.0.0.2"], 200),
            (["203.0.113.7, 198.51.100.1"], 403),
            (["203.0.113.7, 198.51.100.1, 10.0.0.2"], 403),
            (["203.0.113.7, unknown"], 403),
            (["unknown"], 403),
            ([""], 403),
            ([], 403),
        ],
    )
    def test_headers_of_a_trusted_proxy_count_up_to_the_first_untrusted_one(
        self, tmp_path: Path, forwarded: list[str], status: int
    ) -> None:
        relay = Relay(project(tmp_path, f"{self.MORE}, {self.PROXIES}"))
        assert self.status(relay, "10.0.0.1", *forwarded) == status


class TestCertificate:
    MORE = "trusted_proxies: [10.0.0.0/8], outbound: {client_certificate: {header: X-Cert, value: 'CN=sf, O=x'}}"

    @pytest.mark.parametrize(
        ("client", "headers", "status"),
        [
            ("10.0.0.1", [("x-cert", "CN=sf, O=x")], 200),
            ("10.0.0.1", [("x-cert", "CN=other")], 403),
            ("10.0.0.1", [("x-cert", "")], 403),
            ("10.0.0.1", [], 403),
            ("10.0.0.1", [("x-cert", "CN=sf, O=x")] * 2, 403),
            ("192.0.2.1", [("x-cert", "CN=sf, O=x")], 403),
            ("192.0.2.1", [("x-cert", "CN=sf, O=x"), ("x-forwarded-for", "10.0.0.1")], 403),
        ],
    )
    def test_only_a_trusted_proxy_can_vouch_for_it(
        self, tmp_path: Path, client: str, headers: list[tuple[str, str]], status: int
    ) -> None:
        answer = Relay(project(tmp_path, self.MORE)).ask(MESSAGE, wire(), kind=XML, client=(client, 1), headers=headers)
        assert answer.status == status


class TestTrouble:
    @pytest.mark.parametrize(
        "error",
        [RuntimeError("the password is hunter2"), TimeoutError(), OSError("disk full"), asyncio.CancelledError()],
    )
    def test_of_the_database_is_a_fault_without_details(self, relay: Relay, error: BaseException) -> None:
        relay.inbox.trouble = error
        answer = relay.ask(MESSAGE, wire(), kind=XML)
        assert fault(answer) == (503, "Server", "unavailable")
        assert answer.headers["retry-after"] == "5"

    def test_with_a_timeout_is_a_fault_too(self, relay: Relay) -> None:
        relay = Relay(relay.project, limits=IngressLimits(accept_seconds=0.01))

        async def scenario() -> Answer:
            relay.inbox.wait = asyncio.Event()
            answer = await relay.ask_async(MESSAGE, wire(), kind=XML)
            relay.inbox.wait.set()
            await asyncio.sleep(0)
            return answer

        assert fault(asyncio.run(scenario())) == (503, "Server", "unavailable")

    def test_of_webhooks_is_answered_in_the_same_way(self, relay: Relay) -> None:
        relay.inbox.trouble = RuntimeError("the password is hunter2")
        answer = relay.ask("/webhooks/appcues/a-token-of-24-characters", '{"name": "x", "user_id": 1}')
        assert (answer.status, answer.json) == (503, {"error": "unavailable"})
        assert answer.headers["retry-after"] == "5"
