"""The calls to Salesforce, with time limits, instrumentation, and settlements for failures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Literal, TypeVar

from sfcode.config.notify_models import AlarmName
from sfcode.config.relay_models import Relay
from sfcode.errors import OrgError
from sfcode.lazy_dataclasses import dataclass, field
from sfcode.metadata.objects import OrgSchema
from sfcode.org import Org
from sfcode.org.collections import MAX_RECORDS, CallRefused, RecordResult
from sfcode.org.deadline import set_deadline
from sfcode.org.rest import MAX_QUERIES
from sfcode.org.retry import NoAnswer
from sfcode.relay.api_calls import using_api
from sfcode.relay.instrumentation import CallEvents
from sfcode.relay.message import Released, Retry
from sfcode.relay.salesforce import error_policy
from sfcode.relay.salesforce.actions.action import Record
from sfcode.relay.salesforce.breaker import Breaker, MappingHolds
from sfcode.relay.salesforce.error_policy import is_concurrency_limit
from sfcode.relay.salesforce.lookup import LookupQuery, Row
from sfcode.relay.salesforce.quota import Quota
from sfcode.relay.tracing import trace

LONGEST = 60.0
"""Time limit of one call in seconds."""
SHORTEST = 1.0
"""The seconds that must be left before a call is started."""

SMALLEST = 5
"""The smallest number of records per call, also if triggers of the org run into limits."""

Answer = TypeVar("Answer")
Item = TypeVar("Item")


class CallFailedError(Exception):
    """Raised when a call failed; `end` is the settlement of its messages."""

    def __init__(
        self,
        end: Retry | Released,
        *,
        of_mapping: bool = False,
        alarm: AlarmName | Literal[""] = "",
        is_unknown: bool = False,
    ) -> None:
        super().__init__(str(end))
        self.end = end
        self.alarm = alarm
        """The alarm for a refused mapping; "" for none."""
        self.is_unknown = is_unknown
        """Whether Salesforce may have carried out the call, or may still do so."""
        self.of_mapping = of_mapping
        """Whether the org refuses the call because of one object, so that calls for other objects may succeed."""


@dataclass
class CallSize:
    """Records per call: 200, or fewer if triggers of the org run into limits."""

    most: int = MAX_RECORDS

    def shrink(self, count: int) -> None:
        """Halve the size after a call with `count` records exceeded a limit."""
        self.most = max(SMALLEST, min(self.most, count // 2))


@dataclass(frozen=True)
class Calls:
    """The calls of the relay. None of them creates a lead, a contact or an account."""

    org: Org
    instrumentation: CallEvents
    clock: Callable[[], float]
    quota: Quota
    breaker: Breaker = field(default_factory=Breaker)
    holds: MappingHolds = field(default_factory=MappingHolds)
    size: CallSize = field(default_factory=CallSize)
    headers: Mapping[str, str] = field(default_factory=dict)
    """The HTTP headers of calls that write."""

    def look_up(self, lookup_queries: Sequence[LookupQuery], deadline: float) -> list[Sequence[Row] | CallFailedError]:
        """Run the queries of a lookup, several per request; return the rows or the refusal of each."""
        collections = self.org.collections
        texts = [query.soql for query in lookup_queries]
        if len(texts) == 1:
            try:
                return [self._call("lookup", deadline, lambda: collections.query(texts[0]))]
            except CallFailedError as error:
                if error.of_mapping:
                    return [error]
                raise
        answers: list[Sequence[Row] | CallFailedError] = []
        for chunk in chunks(texts, MAX_QUERIES):
            results = self._call("lookup", deadline, partial(collections.queries, chunk))
            answers += [self._check_query(result) for result in results]
        return answers

    def _check_query(self, result: Sequence[Row] | CallRefused) -> Sequence[Row] | CallFailedError:
        """Return the rows or the refusal of a query. Raises CallFailedError for errors that concern all queries."""
        if not isinstance(result, CallRefused):
            return result
        failure = self._fail(result)
        if not failure.of_mapping:
            raise failure
        return failure

    def update(self, records: Sequence[Record], deadline: float) -> list[RecordResult]:
        """Update existing records."""
        return self._call("update", deadline, lambda: self.org.collections.update(records, self.headers))

    def create(self, records: Sequence[Record], deadline: float) -> list[RecordResult]:
        """Create records."""
        return self._call("create", deadline, lambda: self.org.collections.create(records, self.headers))

    def upsert(self, sobject: str, external_id: str, records: Sequence[Record], deadline: float) -> list[RecordResult]:
        """Upsert records by an external ID."""
        return self._call(
            "upsert", deadline, lambda: self.org.collections.upsert(sobject, external_id, records, self.headers)
        )

    def describe(self, objects: Iterable[str], deadline: float) -> OrgSchema:
        """Describe objects with their fields."""
        return self._call("describe", deadline, lambda: self.org.describe(objects))

    def limits(self, deadline: float) -> None:
        """Read the usage of API requests."""
        self._call("limits", deadline, self.org.collections.limits)
        self.quota.record_answer()

    def _call(self, operation: str, deadline: float, call: Callable[[], Answer]) -> Answer:
        began = self.clock()
        if deadline - began < SHORTEST:
            raise CallFailedError(Released())
        outcome = "200"
        try:
            with (
                set_deadline(min(deadline, began + LONGEST)),
                using_api(operation, direction="to_salesforce"),
                trace(f"call salesforce {operation}") as end,
            ):
                try:
                    answer = call()
                except OrgError as error:
                    end(_outcome(error))
                    raise
                end(outcome)
            if self.breaker.record_success():
                self.instrumentation.record_hold("", 0)
            return answer
        except (OrgError, KeyError, TypeError, ValueError) as error:
            failure = error if isinstance(error, OrgError) else OrgError(f"an answer of another shape: {error!r}")
            outcome = _outcome(failure)
            raise self._fail(failure) from error
        finally:
            self.instrumentation.record_call("salesforce", operation, outcome, self.clock() - began)
            self._record_usage()

    def _fail(self, error: OrgError) -> CallFailedError:
        """Return the error of a failed call. Unless it concerns one mapping only, hold all calls and raise the alarm."""
        end, alarm = error_policy.settle_call(error)
        if error_policy.is_refusal_of_mapping(error):
            return CallFailedError(end, of_mapping=True, alarm=alarm)
        if isinstance(error, CallRefused) and error.code == error_policy.QUOTA and not is_concurrency_limit(error):
            self.quota.record_exceeded()
        elif not end.counts:
            wait = self.breaker.record_failure(self.clock(), end.after, error.retry_after)
            self.instrumentation.record_hold("", wait)
        if alarm:
            self.instrumentation.raise_alarm(alarm, end.error)
        is_unknown = (error.sent and not error.permanent) if isinstance(error, NoAnswer) else not error.code
        return CallFailedError(end, is_unknown=is_unknown)

    def _record_usage(self) -> None:
        usage = self.org.collections.usage
        if usage is not None:
            self.instrumentation.record_quota(usage.used, usage.limit)


def write_headers(relay: Relay) -> dict[str, str]:
    """
    Return the headers of calls that write.

    Without Sforce-Auto-Assign, assignment rules run, and a new score could change the owner of a lead. Without
    Sforce-Duplicate-Rule-Header, a duplicate rule that alerts would refuse updates of records with duplicates.
    https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/headers_autoassign.htm
    https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/headers_duplicaterules.htm
    """
    return {
        "Sforce-Auto-Assign": "TRUE" if relay.run_assignment_rules else "FALSE",
        "Sforce-Duplicate-Rule-Header": f"allowSave={'true' if relay.allow_duplicates else 'false'}",
    }


def _outcome(error: OrgError) -> str:
    if isinstance(error, CallRefused):
        return error.code or str(error.status)
    if isinstance(error, NoAnswer):
        return "no_answer" if error.sent else "no_connection"
    return error.code or "unreadable"


def chunks(items: Sequence[Item], size: int) -> list[Sequence[Item]]:
    """Split a list into parts of at most `size` items."""
    return [items[start : start + size] for start in range(0, len(items), size)]
