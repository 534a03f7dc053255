"""Find records by user or group ID: build the queries, and match their rows."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from simple_salesforce.format import format_soql

from sfcode.lazy_dataclasses import dataclass, field
from sfcode.mapping.limits import FORMULA_TEXT_LENGTH
from sfcode.relay.salesforce.destinations import Destination

URI = 14_000
"""The maximum length of one query in a URL; Salesforce accepts URLs of 16,384 characters."""

_WHOLE = re.compile(r"0|-?[1-9][0-9]{0,17}")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,13})\.[0-9]{0,8}[1-9]")
_NEVER = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class LookupQuery:
    """A query and the mapping that it is for."""

    destination: Destination
    soql: str


@dataclass(frozen=True, slots=True)
class LookupMatch:
    """The records that have a user or group ID, and the converted leads that have it."""

    records: tuple[str, ...] = ()
    converted: bool = False
    rows: Mapping[str, Row] = field(default_factory=dict, compare=False)
    """The fields that actions need, by record ID."""
    passed_over: int = 0
    """The number of older records with the ID, which the mapping ignores."""
    contacts: Mapping[str, Row] = field(default_factory=dict, compare=False)
    """The contacts of converted leads with the ID, and their known fields."""


def queries(lookups: Iterable[tuple[Destination, Collection[str]]]) -> list[LookupQuery]:
    """Return queries for all IDs of all mappings, as few as fit into a URL each."""
    return [query for destination, ids in lookups for query in _of_one(destination, sorted(ids))]


def _of_one(destination: Destination, ids: Sequence[str]) -> Iterator[LookupQuery]:
    values = [value for id_ in ids if (value := _value(destination, id_)) is not None]
    # Identifiers are from the config, which is validated to contain only valid names of Salesforce.
    fields, key_field = ", ".join(destination.fields_to_read), destination.number or destination.key
    head = f"SELECT {fields} FROM {destination.object} WHERE {key_field}"  # noqa: S608
    tail = "".join(f" AND {condition.soql()}" for condition in destination.where)
    room = URI - len(quote(head)) - len(quote(f" IN (){tail}"))
    for chunk in _chunks(values, room, lambda value: len(quote(format_soql("{},", value), safe=""))):
        yield LookupQuery(destination, head + format_soql(" IN {}", chunk) + tail)


def _value(destination: Destination, text: str) -> str | float | None:
    """Convert an ID to the type of the queried field; None if the field cannot contain it."""
    if destination.number:
        if _WHOLE.fullmatch(text):
            return int(text)
        return float(text) if _DECIMAL.fullmatch(text) else None
    if not text or len(text) > FORMULA_TEXT_LENGTH or text != text.strip() or _NEVER.search(text):
        return None
    return text


def _chunks(values: Sequence[Any], room: int, size: Callable[[Any], int]) -> Iterator[list[Any]]:
    chunk: list[Any] = []
    used = 0
    for value in values:
        needed = size(value)
        if chunk and used + needed > room:
            yield chunk
            chunk, used = [], 0
        chunk.append(value)
        used += needed
    if chunk:
        yield chunk


def matches(lookups: Sequence[LookupQuery], answers: Sequence[Sequence[Row]]) -> dict[tuple[str, str], LookupMatch]:
    """
    Return matches by mapping and ID.

    IDs are compared again and exactly, since SOQL ignores case, and the number 7 is not the ID `07`.
    """
    records: dict[tuple[str, str], dict[str, Row]] = defaultdict(dict)
    converted: dict[tuple[str, str], dict[str, Row]] = defaultdict(dict)
    newest = {query.destination.name for query in lookups if query.destination.several == "newest"}
    for query, rows in zip(lookups, answers, strict=True):
        destination = query.destination
        for row in rows:
            key = (destination.name, str(row[destination.key]))
            if not row.get("IsConverted"):
                records[key][str(row["Id"])] = row
            elif contact := row.get("ConvertedContactId"):
                converted[key][str(contact)] = {"Id": contact, "AccountId": row.get("ConvertedAccountId")}
            else:
                converted.setdefault(key, {})
    return {
        key: _match(records.get(key, {}), converted.get(key), newest=key[0] in newest) for key in {*records, *converted}
    }


def _match(rows: Mapping[str, Row], contacts: Mapping[str, Row] | None, *, newest: bool) -> LookupMatch:
    ids = tuple(rows)
    if newest and len(ids) > 1:
        # The choice between equally new records must not depend on the order of the rows.
        ids = (max(ids, key=lambda record_id: (str(rows[record_id]["LastModifiedDate"]), record_id)),)
    return LookupMatch(ids, contacts is not None, rows, len(rows) - len(ids), contacts or {})


def follow_converted(
    destinations: Iterable[Destination], found_matches: Mapping[tuple[str, str], LookupMatch]
) -> dict[tuple[str, str], LookupMatch]:
    """
    Return the matches with contacts that are found by the ID of their converted lead.

    The contact is used if no contact has the ID itself. A mapping with `where` does not follow the conversion, since it
    is unknown whether the contact matches.
    """
    mappings = list(destinations)
    followed = dict(found_matches)
    for lead in (target for target in mappings if target.follows_conversion):
        contact = next(
            (
                target
                for target in mappings
                if target.object == "Contact"
                and (target.match, target.recipe) == (lead.match, lead.recipe)
                and not target.where
            ),
            None,
        )
        if contact is None:
            continue
        for (name, id_), match in found_matches.items():
            own = found_matches.get((contact.name, id_), LookupMatch())
            if name == lead.name and match.contacts and not (match.records or own.records):
                followed[contact.name, id_] = LookupMatch(tuple(match.contacts), rows=match.contacts)
    return followed


def prefer_contacts(
    destinations: Iterable[Destination], found_matches: Mapping[tuple[str, str], LookupMatch]
) -> Mapping[tuple[str, str], LookupMatch]:
    """Leave out the leads of people who are also contacts, so that recipes count a person once."""
    by_name = {target.name: target for target in destinations if target.recipe}
    contacts = {
        (by_name[name].recipe, id_)
        for (name, id_), match in found_matches.items()
        if name in by_name and by_name[name].object == "Contact" and match.records
    }
    return {
        (name, id_): match
        for (name, id_), match in found_matches.items()
        if name not in by_name or by_name[name].object == "Contact" or (by_name[name].recipe, id_) not in contacts
    }
