"""Find the records of a claim's events, and what is related to them, in as few requests as the org takes."""

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
"""Holds a mapping that the org refuses, and returns the wait of its messages."""


@dataclass(frozen=True, slots=True)
class FoundRecords:
    """The records of a claim; or why nothing is known of any, in `failure`."""

    matches: Mapping[tuple[str, str], LookupMatch] = field(default_factory=dict)
    """By mapping and user or group id."""
    related: Mapping[tuple[str, str], Sequence[Row]] = field(default_factory=dict)
    """By mapping and record id, the rows that actions asked for."""
    failure: Settlement | None = None


@dataclass(frozen=True)
class RecordFinder:
    """Asks one org on behalf of one claim. Mappings that the org refuses are added to `refusals`."""

    destinations: Sequence[Destination]
    calls: Calls
    deadline: float
    hold: Hold
    refusals: MutableMapping[str, Retry]

    def find(self, ids: Mapping[str, Collection[str]]) -> FoundRecords:
        """Find the records with ids, by mapping, and what is related to each that is found."""
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
                # A row that is about none of the records, such as a setting, is about all of them.
                owners = records[name].intersection(value for value in row.values() if isinstance(value, str))
                for record_id in owners or records[name]:
                    related.setdefault((name, record_id), []).append(row)
        return related

    def _ask(self, queries: Sequence[LookupQuery]) -> list[tuple[LookupQuery, Sequence[Row]]]:
        """Return the rows of each query that the org answers; hold the mappings of the others."""
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
    """Group the ids of pairs of mapping and id by mapping."""
    ids: dict[str, set[str]] = {}
    for name, id_ in pairs:
        ids.setdefault(name, set()).add(id_)
    return ids
