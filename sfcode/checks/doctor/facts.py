"""The facts that the checks need."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from sfcode.diagnostics import Diagnostic
from sfcode.errors import OrgError, OrgUnreachable, SignInError
from sfcode.lazy_dataclasses import dataclass, field
from sfcode.mapping.permissions import OtherRights
from sfcode.org import Seats

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Unknown:
    """A fact that could not be read, and why."""

    reason: str


@dataclass(frozen=True)
class OrgFacts:
    """Facts about the org, and the permissions of the signed-in user."""

    name: str
    username: str
    api_version: str
    versions: tuple[str, ...] | Unknown
    is_local: bool = False
    edition: str = ""
    language: str = ""
    """The default language, such as `en_US`."""
    features: frozenset[str] = frozenset()
    """Features that add standard fields, by their names in Setup."""
    api_disabled: str = ""
    """The org's error if the signed-in user has no API access; then all other facts are missing."""
    requests: tuple[int, int] | Unknown = Unknown("not asked")
    """Remaining API requests of today, and the daily limit."""
    rights: frozenset[str] | Unknown = Unknown("not asked")
    silent_users: tuple[str, ...] | Unknown | None = None
    """Active users whose changes send no outbound message; None if no mapping sends through the relay."""

    @property
    def answers(self) -> bool:
        """Whether the org accepts further requests."""
        return not self.api_disabled and (isinstance(self.versions, Unknown) or self.api_version in self.versions)


@dataclass(frozen=True, slots=True)
class UserRow:
    """The integration user's record."""

    active: bool
    profile: str
    email: str


@dataclass(frozen=True)
class UserFacts:
    """Facts about the integration user."""

    profiles: Mapping[str, str] | Unknown
    """User license by profile."""
    licenses: Mapping[str, Seats] | Unknown
    set_licenses: Mapping[str, Seats] | Unknown
    user: UserRow | Unknown | None
    alike: tuple[str, ...] = ()
    """Usernames that are similar to the configured one."""
    has_license: bool | Unknown = False
    has_set: bool | Unknown = False
    other_rights: OtherRights | Unknown = field(default_factory=OtherRights)
    """Rights of the user that are not from the project's permission sets."""


@dataclass(frozen=True, slots=True)
class ProbeFailure:
    """Why the relay cannot be reached: `connection`, `certificate` or `health`."""

    kind: str
    reason: str


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The relay's URL, and the result of a request from this machine."""

    url: str
    out_of_reach: str = ""
    """Why Salesforce cannot reach the URL; then no request is sent."""
    trouble: ProbeFailure | None = None
    config: str = ""
    """Digest of the relay's config; "" if the response does not contain it."""


@dataclass(frozen=True, slots=True)
class FieldFacts:
    """One field: whether it exists, whether the signed-in user sees it, and its properties."""

    name: str
    exists: bool | Unknown
    visible: bool = False
    type: str = ""
    formula: bool = False
    unique: bool = False
    indexed: bool = False


@dataclass(frozen=True, slots=True)
class SharedIds:
    """User IDs that several records share: their number, and for some of them the IDs of two records, joined by `=`."""

    ids: int = 0
    records: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DuplicateIds:
    """User IDs that several records share: the same text, or texts that differ only in case."""

    exact: SharedIds = SharedIds()
    case: SharedIds = SharedIds()
    complete: bool = True


@dataclass(frozen=True, slots=True)
class VisibleRecords:
    """What another user can read: the object, and the number of its records; None if the user ID field is hidden."""

    username: str
    reads_object: bool
    records: int | None


@dataclass(frozen=True, slots=True)
class RoleCounts:
    """Numbers of sent records by role."""

    roles: Mapping[str, int]
    """Records by role, the most frequent first."""
    blank: int
    """Records whose field is blank."""
    unlisted: int
    """Records whose value is not in `map`, if there is no `default`."""
    unlisted_values: tuple[str, ...] = ()
    """The most frequent values that are not in `map` and that several records share."""
    complete: bool = True
    """Whether all values were counted; if there are very many, the rarest are left out."""


@dataclass(frozen=True)
class MappingFacts:
    """Facts about the data of one mapping."""

    name: str
    object: str
    user_id: FieldFacts
    source: FieldFacts | None = None
    reads_object: bool = True
    counted_by: str = ""
    """The field that IDs were counted by: the user ID, or its source field if the user ID is hidden."""
    total: int | Unknown = 0
    with_id: int | Unknown = 0
    blank: tuple[str, ...] = ()
    """IDs of a few records without a user ID."""
    duplicates: DuplicateIds | Unknown | None = None
    """Duplicate user IDs; None if there were no records to check."""
    sharing: str | Unknown = ""
    """The org-wide default that applies to the object."""
    shared_as: str = ""
    """The object that has this default."""
    seen: VisibleRecords | Unknown | None = None
    without_account: int | Unknown | None = None
    """The number of contacts with a user ID and without an account; None for other objects."""
    person_accounts: bool = False
    """Whether the org has person accounts, as the contact's fields show."""
    required_activity_fields: tuple[str, ...] = ()
    """Custom fields of the activity object that are required and that the relay does not fill."""
    roles: RoleCounts | Unknown | None = None
    """The roles of records; None if the mapping sends no role."""
    old_activities: int | Unknown | None = None
    """Activities of the relay that Salesforce archives within a month; None for objects that it does not archive."""


@dataclass(frozen=True)
class Facts:
    """All facts of one run of the doctor."""

    org: OrgFacts
    user: UserFacts | None = None
    endpoint: Endpoint | None = None
    mappings: tuple[MappingFacts, ...] = ()
    misfits: tuple[Diagnostic, ...] | Unknown = ()
    """Problems of the config with the fields of the org."""
    messages: tuple[str, ...] | Unknown = ()
    """Full names of the org's outbound messages."""


MOST_GROUPS = 2000
"""The maximum number of rows of a grouped query, which has no second page."""
MOST_READ = 100_000
"""The maximum number of values that are read one by one, 2,000 per request."""


def find_too_many(values: int) -> Unknown | None:
    """Return why so many values are not read one by one; None if they are few enough."""
    if values <= MOST_READ:
        return None
    return Unknown(f"{values:,} values would have to be read one by one, which no query can group")


def ask_optional(question: Callable[[], Answer]) -> Answer | Unknown:
    """Return the result of a query, or why the org refuses it. Raises SignInError and OrgUnreachable."""
    try:
        return question()
    except (SignInError, OrgUnreachable):
        raise
    except OrgError as error:
        return Unknown(shorten_error(error))


def shorten_error(error: OrgError) -> str:
    """Shorten an org's message to its last line; in SOQL errors, the lines above quote the query."""
    last = error.message.strip().rpartition("\n")[2].strip()
    return last if error.code in last else f"{error.code}: {last}"
