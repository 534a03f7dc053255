"""Turn queried records into messages like those of Salesforce, but complete: an empty field is null."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, Protocol, TypeVar

from sfcode.config.project import Project
from sfcode.errors import OrgError, OrgUnreachable, SignInError, UsageError
from sfcode.mapping.conditions import and_where
from sfcode.mapping.resolved import ResolvedMapping
from sfcode.relay.message import InboxMessage

T = TypeVar("T")
Origin = Literal["reconcile", "backfill", "refresh"]


def sending_mappings(project: Project, name: str | None) -> list[ResolvedMapping]:
    """Return the mappings whose records the relay sends to Appcues: all, or the one with a given name."""
    mappings = [mapping for mapping in project.resolved if mapping.sends and mapping.by_relay]
    if name is None:
        if not mappings:
            raise UsageError(
                "No mapping of this project sends to Appcues through the relay.", "There is nothing to do."
            )
        return mappings
    matching_mappings = [mapping for mapping in mappings if name.lower() in mapping.names]
    if not matching_mappings:
        names = ", ".join(mapping.name for mapping in mappings) or "none"
        raise UsageError(f"No mapping {name} sends to Appcues through the relay.", f"The mappings that do: {names}.")
    return matching_mappings


class SettingReader(Protocol):
    """Reads settings by name."""

    def recall(self, name: str) -> str | None:
        """Return a setting; None if it does not exist."""


def setting_of(mapping: ResolvedMapping, name: str) -> str:
    """Return the name under which a setting of a mapping is stored."""
    return f"{name}:{mapping.names[0]}"


def recall_setting(inbox: SettingReader, mapping: ResolvedMapping, name: str) -> str | None:
    """Return a setting of a mapping, also if it was stored under a former name; None if it does not exist."""
    # The name itself, as earlier versions stored it.
    names = (mapping.names[0], mapping.name, *mapping.names[1:])
    return next((text for key in names if (text := inbox.recall(f"{name}:{key}")) is not None), None)


def run_each(mappings: Iterable[ResolvedMapping], run: Callable[[ResolvedMapping], T]) -> list[T]:
    """
    Run a function for each mapping, and return the results. If the org refuses one mapping, the others are run all the same.

    Raises:
        MappingsRefusedError: The org refused some of the mappings.

    """
    results: list[T] = []
    refused: list[OrgError] = []
    for mapping in mappings:
        try:
            results.append(run(mapping))
        except (OrgUnreachable, SignInError):
            raise  # it concerns every mapping
        except OrgError as error:
            refused.append(error)
    if refused:
        raise MappingsRefusedError(refused, results)
    return results


class MappingsRefusedError(OrgError):
    """Raised when the org refused some mappings; has the message of the first refusal."""

    def __init__(self, refused: Sequence[OrgError], results: Sequence[Any]) -> None:
        first = refused[0]
        super().__init__("\n".join(error.message for error in refused), first.hint, code=first.code)
        self.results = results
        """The results of the other mappings."""


def select(mapping: ResolvedMapping) -> str:
    """Return the SOQL query for the records that fit the mapping's `where` and have a user ID."""
    query = f"SELECT {', '.join(mapping.message_fields)} FROM {mapping.object} WHERE {mapping.id_condition}"  # noqa: S608 (names of the config, checked there)
    return and_where(query, mapping.where)


def changed_since(mapping: ResolvedMapping, since: datetime) -> str:
    """Return the SOQL query for records that changed since a time, the oldest first."""
    return f"{select(mapping)} AND SystemModstamp >= {soql_time(since)} ORDER BY SystemModstamp, Id"


def message(mapping: ResolvedMapping, record: Mapping[str, Any], origin: Origin, run: str = "") -> InboxMessage | None:
    """
    Return the message of a record; None if the record has no user ID.

    The same state of a record gives the same message ID, so that a second reconcile queues nothing twice. A backfill passes
    its own `run`, so that it queues every record again.
    """
    user = record.get(mapping.user_id.field)
    if user is None or str(user) == "":
        return None
    version = mapping.message_version
    stamp = soql_time(datetime.fromisoformat(str(record["SystemModstamp"])))
    name = [origin, run, str(record["Id"]), stamp, version]
    match = mapping.match
    return InboxMessage(
        source="salesforce",
        message_id=":".join(filter(None, name)),
        key=f"{match}:{user}",
        kind=mapping.name,
        payload={
            "mapping": mapping.name,
            "version": version,
            "record": {field: record.get(field) for field in mapping.message_fields},
            "notification": None,
            "origin": origin,
            "complete": True,
        },
    )


def soql_time(moment: datetime) -> str:
    """Format a time as SOQL does."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def explain_query_error(mapping: ResolvedMapping, error: OrgError) -> OrgError:
    """Explain a refused query in terms of the mapping."""
    if error.code == "INVALID_FIELD":
        return OrgError(
            f"{mapping.object} cannot be read for mapping {mapping.name}: {error.message}",
            "The field does not exist, or the signed-in user cannot read it. `sfcode plan` shows whether the org matches the "
            "config, and `sfcode doctor` which access is missing; sign in as the integration user.",
            code=error.code,
        )
    if error.code == "INVALID_TYPE":
        return OrgError(
            f"The user signed in does not see {mapping.object}, which mapping {mapping.name} sends: {error.message}",
            "Sign in as the integration user, after `sfcode apply`.",
            code=error.code,
        )
    return error
