"""The client of an org that the rest of sfcode uses."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from sfcode.metadata.objects import OrgSchema
from sfcode.org.identity import OrgIdentity, SignedInUser, find_user, identify

if TYPE_CHECKING:
    from simple_salesforce.api import Salesforce

    from sfcode.org.bulk import Bulk
    from sfcode.org.collections import RecordCollections
    from sfcode.org.connection import Connection
    from sfcode.org.metadata_api import MetadataClient
    from sfcode.org.options import Runtime
    from sfcode.org.rest import Rest, Row
    from sfcode.org.traits import OrgTraits


class Org:
    """
    A signed-in org: `metadata` for components, the methods here for records. Use it with `with`.

    Each part is created on first use, so that a command loads only the parts that it uses.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rest_lock = threading.Lock()
        self._traits: OrgTraits | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Org {self.instance_url}>"

    def close(self) -> None:
        """Close the connections; the session remains valid."""
        self._connection.close()

    @property
    def instance_url(self) -> str:
        """Scheme, host and port of the org."""
        return self._connection.instance_url

    @property
    def api_version(self) -> str:
        """The API version of every call."""
        return self._connection.api_version

    @cached_property
    def identity(self) -> OrgIdentity:
        """The identity of the org and of the signed-in user, read once."""
        organization = self._traits.organization if self._traits else None
        return identify(self._rest, self.user, self.instance_url, self.api_version, organization)

    @cached_property
    def user(self) -> SignedInUser:
        """The signed-in user, read once."""
        return find_user(self._rest, self.api_version)

    @property
    def traits(self) -> OrgTraits:
        """The traits of the org as they were last read; the first access reads them."""
        return self._traits or self.read_traits()

    def read_traits(self, objects: Iterable[str] = ()) -> OrgTraits:
        """Read the traits of the org and describe some objects, in one request."""
        from sfcode.org.traits import read_traits

        self._traits = read_traits(self._rest, objects)
        return self._traits

    @cached_property
    def metadata(self) -> MetadataClient:
        """The client of the Metadata API."""
        from sfcode.org.metadata_api import MetadataClient

        return MetadataClient(self._connection)

    @cached_property
    def collections(self) -> RecordCollections:
        """Calls for up to 200 records each."""
        from sfcode.org.collections import RecordCollections

        return RecordCollections(self._connection)

    @cached_property
    def bulk(self) -> Bulk:
        """Bulk queries, for results that are too long for REST."""
        from sfcode.org.bulk import Bulk

        return Bulk(self._connection)

    @cached_property
    def rest(self) -> Salesforce:
        """simple-salesforce on this session, for what the methods here do not cover; it raises its own errors."""
        return self._rest.client

    @property
    def _rest(self) -> Rest:
        with self._rest_lock:  # several threads may need it at the same time
            return self._lazy_rest

    @cached_property
    def _lazy_rest(self) -> Rest:
        from sfcode.org.rest import Rest

        return Rest(self._connection)

    def renew(self, *, older_than: float) -> bool:
        """
        Renew the session if it is older than `older_than` seconds; return whether it was renewed.

        Return False also if the sign-in method cannot get another token, such as a token in a variable.
        """
        session = self._connection.session
        return session.renewable and session.age > older_than and session.renew(session.token)

    @property
    def runtime(self) -> Runtime:
        """Clocks, timeouts and limits, as passed to `connect`."""
        return self._connection.runtime

    def now(self, *, within: float = 0.0) -> datetime:
        """Return the org's time, from the last response if it is less than `within` seconds old, else from a new one."""
        return self._connection.now(within=within)

    def get(self, path: str) -> Any:
        """Return a JSON document of this org by its path, such as `/services/data`."""
        return self._rest.get(path)

    def describe(self, names: Iterable[str]) -> OrgSchema:
        """Return the schema of some objects, without those that do not exist or are not readable."""
        from sfcode.org.describe import describe

        return describe(names, self._rest.describe)

    def query(self, soql: str, *values: Any, **named_values: Any) -> list[Row]:
        """
        Run a query and read all pages: `org.query("SELECT Id FROM User WHERE Username = {}", name)`.

        `{}` and `{name}` are replaced by quoted values; a query without values is not changed.
        """
        return self._rest.query(soql, values, named_values)

    def count(self, soql: str, *values: Any, **named_values: Any) -> int:
        """Run `SELECT COUNT() FROM ...`."""
        return self._rest.count(soql, values, named_values)

    def create(self, sobject: str, values: Mapping[str, Any]) -> str:
        """Create a record and return its ID."""
        return self._rest.create(sobject, values)

    def update(self, sobject: str, record_id: str, values: Mapping[str, Any]) -> None:
        """Update fields of a record."""
        self._rest.update(sobject, record_id, values)

    def delete(self, sobject: str, record_id: str) -> None:
        """Delete a record."""
        self._rest.delete(sobject, record_id)

    def tooling_query(self, soql: str, *values: Any, **named_values: Any) -> list[Row]:
        """Run a query of the Tooling API, like `query`."""
        return self._rest.query(soql, values, named_values, tooling=True)

    def tooling_update(self, sobject: str, record_id: str, values: Mapping[str, Any]) -> None:
        """Update a record of the Tooling API, such as the active version of a flow definition."""
        self._rest.tooling("PATCH", sobject, record_id, values)

    def tooling_delete(self, sobject: str, record_id: str) -> None:
        """Delete a record of the Tooling API, such as a flow version."""
        self._rest.tooling("DELETE", sobject, record_id)
