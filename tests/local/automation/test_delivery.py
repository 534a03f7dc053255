"""Delivery over real sockets: batches, Acks, and retries on an advanced clock."""

from __future__ import annotations

import pytest

from tests.local.automation.building import deploy, flow, message
from tests.local.automation.receiver import ACK

TITLE = {"filterFormula": "OR(ISNEW(), ISCHANGED({!$Record.Title}))"}
FIELDS = ["Email", "Id", "Title"]


@pytest.fixture
def sends(org, receiver):
    """Deploy a flow that sends title and address of contacts when the title changes."""
    deploy(org, message(f"{receiver.url}/hook?v=1", FIELDS), flow(TITLE))


def change(rest, record_id, **values):
    assert rest("PATCH", f"/sobjects/Contact/{record_id}", json=values).status_code == 204


@pytest.mark.usefixtures("sends")
def test_250_changed_contacts_arrive_as_three_messages(rest, control, receiver):
    contact_ids = []
    for count in (200, 50):
        records = [{"attributes": {"type": "Contact"}, "LastName": f"C{number}"} for number in range(count)]
        contact_ids += [
            answer["id"] for answer in rest("POST", "/composite/sobjects", json={"records": records}).json()
        ]
    assert control.deliver() == {"messages": 3, "delivered": 250, "failed": 0, "dropped": 0}
    posts = receiver.take()
    assert sorted(len(post.notifications) for post in posts) == [50, 100, 100]
    assert sorted(fields["Id"] for post in posts for fields in post.records) == sorted(contact_ids)
    assert len({id_ for post in posts for id_, _ in post.notifications}) == 250
    assert control.queue == []


@pytest.mark.usefixtures("sends")
def test_a_message_has_the_org_and_the_values_of_its_fields(rest, org, control, receiver, contact):
    change(rest, contact["Id"], Title="Chief <Cook> & Baker")
    control.deliver()
    (post,) = receiver.take()
    assert post.path == "/hook?v=1"
    assert post.headers["Content-Type"] == "text/xml; charset=utf-8"
    assert post.body.decode().splitlines()[3:9] == [
        '  <notifications xmlns="http://soap.sforce.com/2005/09/outbound">',
        f"   <OrganizationId>{org.org_id}</OrganizationId>",
        f"   <ActionId>{post.body.decode().partition('<ActionId>')[2][:18]}</ActionId>",
        '   <SessionId xsi:nil="true"/>',
        f"   <EnterpriseUrl>{org.url}/services/Soap/c/60.0/{org.org_id[:15]}</EnterpriseUrl>",
        f"   <PartnerUrl>{org.url}/services/Soap/u/60.0/{org.org_id[:15]}</PartnerUrl>",
    ]
    ((notification, fields),) = post.notifications
    assert notification.startswith("04l")
    assert post.body.decode().partition("<ActionId>")[2].startswith("04k")
    assert fields == {"Id": contact["Id"], "Email": contact["Email"], "Title": "Chief <Cook> & Baker"}
    assert list(fields) == ["Id", "Email", "Title"]


@pytest.mark.usefixtures("sends")
def test_only_the_latest_data_is_sent_and_nulls_are_left_out(rest, control, receiver, contact):
    change(rest, contact["Id"], Title="First")
    change(rest, contact["Id"], Title="Second")
    change(rest, contact["Id"], Email=None)
    control.deliver()
    (post,) = receiver.take()
    assert post.records == [{"Id": contact["Id"], "Title": "Second"}] * 2


@pytest.mark.usefixtures("sends")
def test_a_record_deleted_before_delivery_is_a_notification_without_data(rest, control, receiver, contact):
    change(rest, contact["Id"], Title="Gone soon")
    assert rest("DELETE", f"/sobjects/Contact/{contact['Id']}").status_code == 204
    control.deliver()
    (post,) = receiver.take()
    assert post.records == [{}]


@pytest.mark.usefixtures("sends")
def test_an_unacknowledged_message_is_retried_at_growing_intervals_for_a_day(rest, control, receiver, contact):
    receiver.answer = lambda _number: (500, b"no")
    change(rest, contact["Id"], Title="Again")
    assert control.deliver()["failed"] == 1
    for wait in (30, 60, 120, 240, 480, 960, 1920, 3840, 7200, 7200):
        assert control.advance(seconds=wait - 1)["messages"] == 0, wait
        assert control.advance(seconds=1)["failed"] == 1, wait
    (waiting,) = control.queue
    assert (waiting["attempts"], waiting["error"], waiting["action"]) == (
        11,
        "the endpoint answered 500",
        "Contact.Changed",
    )
    ids = {id_ for post in receiver.take() for id_, _ in post.notifications}
    assert len(ids) == 1, "a notification keeps its ID"
    assert control.advance(hours=24)["dropped"] == 1
    assert control.queue == []
    receiver.answer = lambda _number: (200, ACK)
    assert control.advance(hours=24)["messages"] == 0


@pytest.mark.usefixtures("sends")
@pytest.mark.parametrize(
    "answer", [(200, b"OK"), (200, ACK.replace(b"true", b"false")), (302, ACK), (200, b"")], ids=repr
)
def test_only_an_ack_ends_a_delivery(rest, control, receiver, contact, answer):
    receiver.answer = lambda number: answer if number == 1 else (200, ACK)
    change(rest, contact["Id"], Title="Please confirm")
    assert control.deliver()["failed"] == 1
    assert control.deliver()["messages"] == 0, "not before its time"
    assert control.advance(seconds=30)["delivered"] == 1
    assert [post.path for post in receiver.take()] == ["/hook?v=1"] * 2, "a redirect is not followed"


def test_a_dead_letter_queue_keeps_expired_messages(rest, org, control, receiver, contact):
    receiver.answer = lambda _number: (503, b"")
    deploy(org, message(receiver.url, FIELDS, dead_letters=True), flow(TITLE))
    change(rest, contact["Id"], Title="Keep me")
    control.deliver()
    assert control.advance(hours=25)["dropped"] == 1
    assert [entry["state"] for entry in control.queue] == ["dead"]
    receiver.take()
    assert control.advance(hours=1)["messages"] == 0
    assert receiver.take() == []


def test_a_missing_response_is_retried(rest, org, control, receiver, contact):
    deploy(org, message("http://127.0.0.1:9/hook", FIELDS), flow(TITLE))
    change(rest, contact["Id"], Title="Hello?")
    assert control.deliver()["failed"] == 1
    assert control.queue[0]["error"] == "127.0.0.1: Connection refused"
    deploy(org, message(receiver.url, FIELDS))
    assert control.advance(seconds=30)["delivered"] == 1, "the endpoint is read when a message is sent"


def test_no_other_host_is_contacted_unless_it_is_named(rest, org, control, contact):
    deploy(org, message("https://relay.example.com/outbound-messages/contact/s3cret", FIELDS), flow(TITLE))
    change(rest, contact["Id"], Title="Stay at home")
    assert control.deliver()["failed"] == 1
    error = control.queue[0]["error"]
    assert error.startswith("relay.example.com is not contacted: the local org reaches this machine only")
    assert "s3cret" not in error
