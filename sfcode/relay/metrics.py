"""The relay's Prometheus metrics, in a separate registry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from sfcode import __version__

PREFIX = "sfcode_relay_"
SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
LATENCIES = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0, 86400.0)
SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500)

M = TypeVar("M")


class _Metric(Generic[M]):
    """The definition of a metric, which each `Metrics` object creates in its registry under the name of the attribute."""

    def __init__(self, create: Callable[..., M], text: str, *labels: str, **options: Any) -> None:
        self._create, self._text, self._labels, self._options = create, text, labels, options

    def __set_name__(self, _owner: type, name: str) -> None:
        self._name = name

    def __get__(self, metrics: Metrics, _owner: type) -> M:
        metric = self._create(PREFIX + self._name, self._text, self._labels, registry=metrics.registry, **self._options)
        vars(metrics)[self._name] = metric
        return metric


class Metrics:
    """The counters and gauges of one process."""

    build_info = _Metric(Gauge, "1 for the version of sfcode that runs.", "version")
    ready = _Metric(Gauge, "1 while `/readyz` answers 200; the test of a write is not part of it.")
    received = _Metric(Counter, "Requests with messages, by the HTTP status of the response.", "source", "answer")
    refused = _Metric(
        Counter,
        "Refused requests; without a source, refused connections; with `admin`, refused tokens.",
        "source",
        "reason",
    )
    accepted = _Metric(Counter, "Messages that were committed to the inbox.", "source")
    duplicates = _Metric(Counter, "Messages that were already in the inbox.", "source")
    parked = _Metric(Counter, "Messages that wait for a person, by reason.", "source", "reason")
    delivered = _Metric(Counter, "Messages that were delivered, or needed no delivery.", "source")
    retried = _Metric(Counter, "Deliveries that failed and will be retried.", "source")
    dead = _Metric(Counter, "Messages that became dead letters.", "source")
    lost_leases = _Metric(
        Counter, "Messages whose lease ended before they were settled; they are delivered again.", "source"
    )
    bugs = _Metric(Counter, "Batches that ended in an unexpected exception of the relay; please report them.", "source")
    calls = _Metric(Counter, "Calls to Salesforce and Appcues, by outcome.", "side", "operation", "outcome")
    call_seconds = _Metric(
        Histogram, "Duration of the calls to Salesforce and Appcues.", "side", "operation", buckets=SECONDS
    )
    held_until = _Metric(
        Gauge,
        "Unix time until which the relay sends nothing of a mapping to the org after a failure; without a mapping, of all mappings.",
        "mapping",
    )
    commit_seconds = _Metric(
        Histogram, "From the receipt of a message to its commit, for which its sender waits.", "source", buckets=SECONDS
    )
    delivery_seconds = _Metric(Histogram, "From the receipt of a message to its delivery.", "source", buckets=LATENCIES)
    database_seconds = _Metric(
        Histogram, "Duration of the transactions `commit`, `claim` and `settle`.", "operation", buckets=SECONDS
    )
    commit_messages = _Metric(Histogram, "Messages per committed transaction.", buckets=SIZES)
    alarms = _Metric(Counter, "Alarms that were raised, by name.", "name")
    notifications = _Metric(
        Counter,
        "Notifications of alarms: the HTTP status of the response, `timeout`, `no_connection` or `unreachable`.",
        "receiver",
        "outcome",
    )
    backlog = _Metric(Gauge, "Messages that are `ready`, `leased`, `parked` or `dead`.", "source", "state")
    oldest_seconds = _Metric(Gauge, "Age of the oldest message that waits for delivery.", "source")
    oldest_blocked_seconds = _Metric(Gauge, "Age of the oldest parked message or dead letter.", "source")
    paused = _Metric(Gauge, "1 for each mapping and direction that a person has paused.", "scope", "name")
    processes = _Metric(Gauge, "Relay processes that use this inbox.")
    clock_offset_seconds = _Metric(
        Gauge, "Sum of the jumps of the database's clock since the inbox was created, in seconds."
    )
    config = _Metric(Gauge, "1 for the digest of the config that this process uses.", "digest")
    config_loads = _Metric(Counter, "Attempts to load the config: `loaded`, `unchanged` or `refused`.", "outcome")
    scheduled_runs = _Metric(
        Counter,
        "Runs of the jobs of `relay.schedule` in this process: `done`, `failed`, or `stopped` with it.",
        "schedule",
        "outcome",
    )
    scheduled_done = _Metric(
        Gauge, "Unix time at which a job of `relay.schedule` was last done, by any process.", "schedule"
    )
    api_calls = _Metric(
        Counter,
        "Requests to the org by this process, by direction, mapping and purpose; without a mapping, they are for several or for none.",
        "direction",
        "mapping",
        "purpose",
    )
    api_budget_used = _Metric(
        Gauge, "Requests to the org in the last 24 hours, of all processes that work on this inbox."
    )
    api_budget_limit = _Metric(Gauge, "The value of `relay.api_calls_per_day`; `+Inf` if it is not set.")
    quota_used = _Metric(Gauge, "API requests of the org that were used in the last 24 hours.")
    quota_limit = _Metric(Gauge, "API requests that the org has in 24 hours.")

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=False)
        for name, row in vars(type(self)).items():
            if isinstance(row, _Metric):
                getattr(self, name)
        self.build_info.labels(__version__).set(1)

    def text(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return generate_latest(self.registry)
