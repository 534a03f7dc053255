"""After a crash PostgreSQL still has all acknowledged messages, and all states announced before a call."""

from __future__ import annotations

from sfcode.relay.inbox import open_inbox
from sfcode.relay.message import Delivered
from tests.relay import postgres
from tests.relay.inbox.samples import keyed, settle, states, take

LAZY = ("fsync = off", "wal_writer_delay = 10s", "bgwriter_lru_maxpages = 0", "autovacuum = off")
"""
Settings with which the server passes data to the operating system as late as possible; passed data survives a crash of
the server.
"""


def test_announced_states_survive_a_crash_together_with_their_claim() -> None:
    """
    A call may have been sent after the announcement.

    The states that it writes must be known, although claims do not wait for the disk.
    """
    with postgres.own_server(*LAZY) as server, open_inbox(server.url) as inbox:
        inbox.accept(keyed("a", "b"))
        claim = take(inbox, limit=1)
        inbox.announce(claim, ["field:Contact:003A:Score__c"])
        take(inbox, limit=1)
        server.restart("immediate")
        with inbox._database.read() as tx:
            rows = tx.db.exec_driver_sql("SELECT token, names FROM relay_intents").all()
        assert [tuple(row) for row in rows] == [(claim.token, '["field:Contact:003A:Score__c"]')]
        assert states(inbox) == {0: "leased", 1: "ready"}, "the second claim has waited for nothing, and is undone"
        assert settle(inbox, claim, Delivered()) == 1
