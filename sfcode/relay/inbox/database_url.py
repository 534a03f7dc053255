"""Parse the inbox's URL, and describe databases and their errors without a secret in the text."""

from __future__ import annotations

import sqlalchemy as sa

from sfcode.errors import UsageError

FORMS = (
    "Use sqlite:///PATH (four slashes for an absolute path) or postgresql://USER:PASSWORD@HOST/DATABASE; several hosts as "
    "HOST1:PORT,HOST2:PORT."
)
_ESCAPES = "Percent-encode such characters: @ is %40, / is %2F, # is %23, ? is %3F, % is %25."


def parse_database_url(text: str) -> sa.URL:
    """Parse a URL, which may have several hosts as in libpq. Raises UsageError, whose text contains no part of the URL."""
    scheme, colon, rest = text.partition("://")
    if scheme == "postgres":
        scheme = "postgresql"
    authority = rest[: next((index for index, character in enumerate(rest) if character in "/?#"), len(rest))]
    userinfo, at, hosts = authority.rpartition("@")
    if scheme.startswith("postgresql") and ("@" in userinfo or "#" in rest or "@" in rest[len(authority) :]):
        raise UsageError(
            "The user or the password in the relay's database URL contains a character that must be percent-encoded.",
            _ESCAPES,
        )
    several = scheme.startswith("postgresql") and "," in hosts
    try:
        parsed = sa.make_url(f"{scheme}{colon}{userinfo}{at}{'' if several else hosts}{rest[len(authority) :]}")
        if several:
            parsed = parsed.update_query_pairs([("host", host) for host in hosts.split(",")])
    except (sa.exc.ArgumentError, ValueError):
        raise UsageError("The relay's database URL cannot be parsed.", FORMS) from None
    backend = parsed.get_backend_name()
    if backend == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if backend != "sqlite":
        raise UsageError(f"The relay cannot use a database of {backend!r}.", FORMS)
    if parsed.database in (None, "", ":memory:") or parsed.host or parsed.query:
        raise UsageError("The relay's database must be a file: a database in memory is lost at the end.", FORMS)
    return parsed.set(drivername="sqlite+pysqlite")


def describe_database(url: sa.URL) -> str:
    """Return a database's URL without password and query."""
    hosts = url.query.get("host", ())
    several = ",".join(hosts) if isinstance(hosts, tuple) and len(hosts) > 1 else ""
    parts = sa.URL.create(
        url.get_backend_name(),
        username=url.username,
        host="HOSTS" if several else url.host,
        port=url.port,
        database=url.database,
    )
    return parts.render_as_string().replace("HOSTS", several, 1)


def first_line(error: sa.exc.DBAPIError) -> str:
    """Return the first line of a driver's message: the following lines may quote the statement."""
    return (str(error.orig).strip().splitlines() or [type(error.orig).__name__])[0]


def is_read_only(error: sa.exc.DBAPIError) -> bool:
    """Return whether PostgreSQL refused to write because the server or the session is read-only, as after a failover."""
    return getattr(error.orig, "sqlstate", None) == "25006"


def is_locked(error: sa.exc.DBAPIError) -> bool:
    """Return whether PostgreSQL gave up waiting for a row that another transaction has locked."""
    return getattr(error.orig, "sqlstate", None) == "55P03"


def is_timed_out(error: sa.exc.DBAPIError) -> bool:
    """Return whether a statement was ended because it took too long."""
    by_server = getattr(error.orig, "sqlstate", None) == "57014"
    return by_server or getattr(error.orig, "sqlite_errorname", "") == "SQLITE_INTERRUPT"


def is_damaged(error: sa.exc.DBAPIError) -> bool:
    """Return whether SQLite reports that the file is not an SQLite database, or is corrupted."""
    return getattr(error.orig, "sqlite_errorname", "").partition("_")[2].startswith(("CORRUPT", "NOTADB"))


def hint_for_error(error: sa.exc.DBAPIError) -> str:
    """Return the hint for an error while a database is opened."""
    if is_damaged(error):
        return "The file is damaged or not an SQLite database: restore a backup, or move the file away and start again."
    if is_read_only(error):
        return "The server is read-only: list all servers of the cluster in the URL, or wait for the failover to end."
    return "Check that the database exists and is writable, and that the user and the password are correct."
