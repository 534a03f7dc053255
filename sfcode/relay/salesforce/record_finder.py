"""Find the records of a claim's events, and related records, in as few requests as possible."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, MutableMapping, Sequence

from sfcode.lazy_dataclasses import dataclass, field
from sfcode.relay.api_calls import for_mappings
from sfcode.relay.message import Retry, Settlement
from sfcode.relay.salesforce import lookup
from sfcode.relay.salesforce.calls import CallFailedError, Calls
from sfcode.relay.salesforce.destinations import Destination
from sfcode.relay.salesforce.lookup import LookupMatch, LookupQuery, Row

Hold = Callable[[str, CallFailedError], Retry]
"""Holds a mapping that the org refuses, and returns the settlement of its messages."""


@dataclass(frozen=True, slots=True)
class FoundRecords:
    """The records of a claim, or in `failure` the settlement of all its messages."""

    matches: Mapping[tuple[str, str], LookupMatch] = field(default_factory=dict)
    """Matches by mapping and user or group ID."""
    related: Mapping[tuple[str, str], Sequence[Row]] = field(default_factory=dict)
    """The rows of the actions' queries, by mapping and record ID."""
    failure: Settlement | None = None


@dataclass(frozen=True)
class RecordFinder:
    """Finds the records of one claim in one org. Mappings that the org refuses are added to `refusals`."""

    destinations: Sequence[Destination]
    calls: Calls
    deadline: float
    hold: Hold
    refusals: MutableMapping[str, Retry]

    def find(self, ids: Mapping[str, Collection[str]]) -> FoundRecords:
        """Find the records with IDs, by mapping, and the related records of each."""
        queries = lookup.queries(
            (destination, ids[destination.name]) for destination in self.destinations if destination.name in ids
        )
        try:
            answers = self._ask(queries)
            found_matches = lookup.matches([query for query, _ in answers], [rows for _, rows in answers])
            matches = lookup.prefer_contacts(
                self.destinations, lookup.follow_converted(self.destinations, found_matches)
            )
            return FoundRecords(matches, self._read_related(matches))
        except CallFailedError as error:
            return FoundRecords(failure=error.end)

    def _read_related(self, matches: Mapping[tuple[str, str], LookupMatch]) -> dict[tuple[str, str], list[Row]]:
        records: dict[str, set[str]] = {}
        for (name, _), match in matches.items():
            if len(match.records) == 1:
                records.setdefault(name, set()).update(match.records)
        queries = [
            LookupQuery(destination, soql)
            for destination in self.destinations
            if destination.name in records
            for action in destination.actions
            for soql in action.related_queries(records[destination.name])
        ]
        related: dict[tuple[str, str], list[Row]] = {}
        for query, rows in self._ask(queries):
            name = query.destination.name
            for row in rows:
                # A row that belongs to none of the records, such as a setting, belongs to all of them.
                owners = records[name].intersection(value for value in row.values() if isinstance(value, str))
                for record_id in owners or records[name]:
                    related.setdefault((name, record_id), []).append(row)
        return related

    def _ask(self, queries: Sequence[LookupQuery]) -> list[tuple[LookupQuery, Sequence[Row]]]:
        """Return the rows of each successful query, and hold the mappings of the others."""
        answers: list[tuple[LookupQuery, Sequence[Row]]] = []
        with for_mappings(query.destination.name for query in queries):
            results = self.calls.look_up(queries, self.deadline) if queries else []
        for query, result in zip(queries, results, strict=True):
            if not isinstance(result, CallFailedError):
                answers.append((query, result))
            elif query.destination.name not in self.refusals:
                self.refusals[query.destination.name] = self.hold(query.destination.name, result)
        return answers


def list_ids(pairs: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    """Group pairs of mapping and ID by mapping."""
    ids: dict[str, set[str]] = {}
    for name, id_ in pairs:
        ids.setdefault(name, set()).add(id_)
    return ids
