"""The relay's Prometheus metrics, in a separate registry."""

from __future__ import annotations

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from sfcode import __version__

PREFIX = "sfcode_relay_"
SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
LATENCIES = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0, 86400.0)
SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500)


class Metrics:
    """The counters and gauges of one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=False)
        registry = self.registry

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(PREFIX + name, text, labels, registry=registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(PREFIX + name, text, labels, registry=registry)

        def histogram(name: str, text: str, buckets: Sequence[float], *labels: str) -> Histogram:
            return Histogram(PREFIX + name, text, labels, registry=registry, buckets=buckets)

        self.build = gauge("build_info", "1 for the version of sfcode that runs.", "version")
        self.build.labels(__version__).set(1)
        self.ready = gauge("ready", "1 while `/readyz` answers 200; the test of a write is not part of it.")
        self.received = counter(
            "received", "Requests with messages, by the HTTP status of the response.", "source", "answer"
        )
        self.refused = counter(
            "refused",
            "Refused requests; without a source, refused connections; with `admin`, refused tokens.",
            "source",
            "reason",
        )
        self.accepted = counter("accepted", "Messages that were committed to the inbox.", "source")
        self.duplicates = counter("duplicates", "Messages that were already in the inbox.", "source")
        self.parked = counter("parked", "Messages that wait for a person, by reason.", "source", "reason")
        self.delivered = counter("delivered", "Messages that were delivered, or needed no delivery.", "source")
        self.retried = counter("retried", "Deliveries that failed and will be retried.", "source")
        self.dead = counter("dead", "Messages that became dead letters.", "source")
        self.lost_leases = counter(
            "lost_leases", "Messages whose lease ended before they were settled; they are delivered again.", "source"
        )
        self.bugs = counter(
            "bugs", "Batches that ended in an unexpected exception of the relay; please report them.", "source"
        )
        self.calls = counter("calls", "Calls to Salesforce and Appcues, by outcome.", "side", "operation", "outcome")
        self.call_seconds = histogram(
            "call_seconds", "Duration of the calls to Salesforce and Appcues.", SECONDS, "side", "operation"
        )
        self.held_until = gauge(
            "held_until",
            "Unix time until which nothing of a mapping is sent to the org after a failure; without a mapping, nothing at all.",
            "mapping",
        )
        self.commit_seconds = histogram(
            "commit_seconds",
            "From the receipt of a message to its commit, for which its sender waits.",
            SECONDS,
            "source",
        )
        self.delivery_seconds = histogram(
            "delivery_seconds", "From the receipt of a message to its delivery.", LATENCIES, "source"
        )
        self.database_seconds = histogram(
            "database_seconds", "Duration of the transactions `commit`, `claim` and `settle`.", SECONDS, "operation"
        )
        self.commit_messages = histogram("commit_messages", "Messages per committed transaction.", SIZES)
        self.alarms = counter("alarms", "Alarms that were raised, by name.", "name")
        self.notifications = counter(
            "notifications",
            "Notifications of alarms: the HTTP status of the response, `timeout`, `no_connection` or `unreachable`.",
            "receiver",
            "outcome",
        )
        self.backlog = gauge("backlog", "Messages that are `ready`, `leased`, `parked` or `dead`.", "source", "state")
        self.oldest_seconds = gauge("oldest_seconds", "Age of the oldest message that waits for delivery.", "source")
        self.oldest_blocked_seconds = gauge(
            "oldest_blocked_seconds", "Age of the oldest parked message or dead letter.", "source"
        )
        self.paused = gauge("paused", "1 for each mapping and direction that a person has paused.", "scope", "name")
        self.processes = gauge("processes", "Relay processes that use this inbox.")
        self.clock_offset = gauge(
            "clock_offset_seconds",
            "Sum of the jumps of the database's clock since the inbox was created, in seconds.",
        )
        self.config = gauge("config", "1 for the digest of the config that this process uses.", "digest")
        self.config_loads = counter(
            "config_loads", "Attempts to load the config: `loaded`, `unchanged` or `refused`.", "outcome"
        )
        self.scheduled_runs = counter(
            "scheduled_runs",
            "Runs of the jobs of `relay.schedule` in this process: `done`, `failed`, or `stopped` with it.",
            "schedule",
            "outcome",
        )
        self.scheduled_done = gauge(
            "scheduled_done", "Unix time at which a job of `relay.schedule` was last done, by any process.", "schedule"
        )
        self.api_calls = counter(
            "api_calls",
            "Requests to the org by this process, by direction, mapping and purpose; without a mapping, they are for several or for none.",
            "direction",
            "mapping",
            "purpose",
        )
        self.api_budget_used = gauge(
            "api_budget_used", "Requests to the org in the last 24 hours, of all processes that work on this inbox."
        )
        self.api_budget_limit = gauge(
            "api_budget_limit", "The value of `relay.api_calls_per_day`; `+Inf` if it is not set."
        )
        self.quota_used = gauge("quota_used", "API requests of the org that were used in the last 24 hours.")
        self.quota_limit = gauge("quota_limit", "API requests that the org has in 24 hours.")

    def text(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return generate_latest(self.registry)
