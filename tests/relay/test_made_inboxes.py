"""Inboxes that tests use one after another: each test gets an empty inbox, as the relay creates it."""

from __future__ import annotations

import psycopg
import pytest

from sfcode.relay.inbox import open_inbox
from sfcode.relay.message import InboxMessage
from tests.relay.made_inboxes import PostgresqlInboxes

MESSAGE = InboxMessage("appcues", "m", "user:1", "k", {})


def test_an_inbox_comes_back_empty_even_if_a_session_still_holds_it(postgres_inboxes: PostgresqlInboxes) -> None:
    with postgres_inboxes.take() as url, open_inbox(url) as inbox:
        inbox.accept([MESSAGE])
        inbox.tokens.create("grafana", "viewer", None)  # sessions refer to tokens
    with psycopg.connect(url) as left:
        left.execute("LOCK TABLE relay_inbox")
        with postgres_inboxes.take() as second_url:
            assert second_url == url
            with open_inbox(second_url) as inbox:
                assert inbox.stats().counts == {}
                assert inbox.tokens.all() == ()
                inbox.accept([MESSAGE])
                assert inbox.find(1) is not None, "numbers begin at 1 again"
        left.close()


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE relay_lanes SET (autovacuum_enabled = false)",
        "ANALYZE relay_lanes",
        "DELETE FROM relay_migrations WHERE version = 1",
    ],
)
def test_an_inbox_whose_tables_are_not_as_they_were_is_not_used_again(
    postgres_inboxes: PostgresqlInboxes, statement: str
) -> None:
    with postgres_inboxes.take() as url, psycopg.connect(url) as db:
        db.execute(statement)
    with postgres_inboxes.take() as second_url:
        assert second_url != url
