"""What is counted of a batch: what came of it, once, by whoever had it to the end."""

from __future__ import annotations

from datetime import UTC, datetime

from sfcode.relay.instrumentation import Instrumentation
from sfcode.relay.message import Claim, ClaimedMessage, Delivered, Delivery
from sfcode.relay.metrics import Metrics


def told(count: int) -> dict[str, float]:
    """Tell of a claim of two messages, both delivered, of which so many could be settled."""
    now = datetime(2026, 11, 23, tzinfo=UTC)
    messages = tuple(ClaimedMessage(id, "appcues", f"m{id}", "user:1", "e", {}, 0, now) for id in (1, 2))
    metrics = Metrics()
    delivery = Delivery(dict.fromkeys((1, 2), Delivered()))
    Instrumentation(metrics, lambda *_: None).settled(Claim("t", 0.0, messages), delivery, frozenset(), count)
    names = ("delivered", "lost_leases")
    found = {
        name: metrics.registry.get_sample_value(f"sfcode_relay_{name}_total", {"source": "appcues"}) for name in names
    }
    return {name: value or 0.0 for name, value in found.items()}


def test_what_was_settled_is_counted():
    assert told(2) == {"delivered": 2, "lost_leases": 0}


def test_what_somebody_else_delivers_again_is_not_counted_twice():
    assert told(0) == {"delivered": 0, "lost_leases": 2}
