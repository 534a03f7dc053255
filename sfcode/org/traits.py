"""Traits of an org, read in one composite request: edition, language, profiles, licenses, sharing, features."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sfcode.errors import OrgError
from sfcode.lazy_dataclasses import dataclass, field
from sfcode.mapping.org_features import feature_fields
from sfcode.metadata.objects import OrgSchema
from sfcode.org.identity import ORGANIZATION

if TYPE_CHECKING:
    from sfcode.org.rest import Rest, Row

FEATURE_OBJECT = "Account"
"""The object whose fields depend on the features of an org."""
_DESCRIBE = "describe_"
_QUERIES = {
    "organization": ORGANIZATION.replace(" FROM ", ", LanguageLocaleKey FROM "),
    "profiles": "SELECT Id, Name, UserLicense.Name FROM Profile",
    "user_licenses": "SELECT Name, TotalLicenses, UsedLicenses FROM UserLicense",
    "permission_set_licenses": "SELECT DeveloperName, TotalLicenses, UsedLicenses FROM PermissionSetLicense",
}
_SHARING = "SELECT QualifiedApiName, InternalSharingModel FROM EntityDefinition WHERE QualifiedApiName IN {}"


@dataclass(frozen=True, slots=True)
class Seats:
    """The total and the used seats of a license."""

    total: int
    used: int

    @property
    def left(self) -> int:
        """The number of free seats."""
        return self.total - self.used


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile: its ID, its name in the language of the signed-in user, and its user license."""

    id: str
    name: str
    license: str


@dataclass(frozen=True)
class OrgTraits:
    """
    Traits of an org. A part that the org refused raises its OrgError when it is used.

    `schema` has the objects that were passed when the traits were read, and Account.
    """

    parts: Mapping[str, Any] = field(repr=False)
    """Results by part: a document, rows, a described object, or the OrgError of a refusal."""

    @property
    def organization(self) -> Row:
        """The record of the organization."""
        rows: list[Row] = self._part("organization")
        if len(rows) != 1:
            raise OrgError("The org returned no organization.")
        return rows[0]

    @property
    def edition(self) -> str:
        """The edition, such as `Enterprise Edition`."""
        return str(self.organization["OrganizationType"] or "")

    @property
    def language(self) -> str:
        """The default language, such as `en_US`."""
        return str(self.organization.get("LanguageLocaleKey") or "")

    @property
    def profiles(self) -> tuple[Profile, ...]:
        """All profiles."""
        return tuple(
            Profile(str(row["Id"]), str(row["Name"]), str((row["UserLicense"] or {}).get("Name", "")))
            for row in self._part("profiles")
        )

    @property
    def user_licenses(self) -> dict[str, Seats]:
        """The seats of every user license, by name."""
        return {row["Name"]: _seats(row) for row in self._part("user_licenses")}

    @property
    def permission_set_licenses(self) -> dict[str, Seats]:
        """The seats of every permission set license, by developer name."""
        return {row["DeveloperName"]: _seats(row) for row in self._part("permission_set_licenses")}

    @property
    def sharing(self) -> dict[str, str]:
        """The org-wide defaults by object; "" if the org does not return one."""
        return {row["QualifiedApiName"]: row["InternalSharingModel"] or "" for row in self._part("sharing")}

    @property
    def requests(self) -> tuple[int, int]:
        """Remaining API requests of today, and the daily limit."""
        limit = self._part("limits")["DailyApiRequests"]
        return int(limit["Remaining"]), int(limit["Max"])

    @cached_property
    def schema(self) -> OrgSchema:
        """The described objects, without those that do not exist or are not readable."""
        objects = {}
        for part, answer in self.parts.items():
            name = part.removeprefix(_DESCRIBE)
            if name != part and not (isinstance(answer, OrgError) and answer.code == "NOT_FOUND"):
                objects[name] = self._part(part)
        return OrgSchema(objects, online=True)

    @property
    def features(self) -> frozenset[str]:
        """The features of the org, by their names in Setup, detected by fields of accounts."""
        account = self.schema.objects.get(FEATURE_OBJECT)
        fields = feature_fields(FEATURE_OBJECT)
        return frozenset(fields[name][1] for name in (account.fields if account else ()) if name in fields)

    def _part(self, name: str) -> Any:
        answer = self.parts[name]
        if isinstance(answer, OrgError):
            raise answer
        return answer


def read_traits(rest: Rest, objects: Iterable[str]) -> OrgTraits:
    """
    Read the traits of an org, and describe some objects.

    Needs one API request for up to 19 objects besides Account.

    Raises:
        OrgError: The org refuses the whole request, or the query for the organization.

    """
    described = sorted({*objects, FEATURE_OBJECT})
    queries: dict[str, tuple[str, tuple[Any, ...]]] = {name: (soql, ()) for name, soql in _QUERIES.items()}
    queries["sharing"] = (_SHARING, (described,))
    documents = {"limits": "limits", **{f"{_DESCRIBE}{name}": f"sobjects/{name}/describe" for name in described}}
    traits = OrgTraits(rest.read_together(queries, documents, _parse))
    _ = traits.organization
    return traits


def _parse(part: str, document: Any) -> Any:
    """Parse the describe of an object."""
    from sfcode.org.describe import parse_object

    name = part.removeprefix(_DESCRIBE)
    return document if name == part else parse_object(name, document)


def _seats(row: Row) -> Seats:
    return Seats(int(row["TotalLicenses"] or 0), int(row["UsedLicenses"] or 0))
