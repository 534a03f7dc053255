"""Apps that may request tokens: connected apps and External Client Apps."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any

from sfcode.lazy_dataclasses import asdict, dataclass
from sfcode.local.auth import generate_secret
from sfcode.local.sobjects.rows import Rows
from sfcode.local.store import OrgTransaction, Record
from sfcode.metadata.component import Component, Value

PERMITTED = ("admin_approved", "all")
LISTS = ("callback_urls", "permission_sets", "profiles", "users")
TEXTS = ("name", "consumer_key", "consumer_secret", "certificate", "run_as", "permitted_users")
SHORTEST, LONGEST = 1, 24 * 60
KEY_LENGTH = 85
SECRET_LENGTH = 64

SWITCHES = "ExtlClntAppConfigurablePolicies"

AddProblem = Callable[[str, str, str], None]
"""Called with the key, the problem of its value, and the hint."""


@dataclass(frozen=True)
class RegisteredApp:
    """One app and its policies."""

    name: str
    consumer_key: str
    consumer_secret: str = ""
    certificate: str = ""
    """The certificate or public key, in PEM form, with which the app's JWT assertions are verified."""
    callback_urls: tuple[str, ...] = ()
    run_as: str = ""
    """The username of the user that the app signs in as with its own credentials."""
    permitted_users: str = "admin_approved"
    """The users who may use the app: `admin_approved`, those that an administrator has approved; `all`, those who
    approved the app themselves."""
    users: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    permission_sets: tuple[str, ...] = ()
    session_minutes: int = 120

    @property
    def body(self) -> dict[str, Any]:
        """The stored form."""
        return asdict(self)

    def admits(self, tx: OrgTransaction, user: Record) -> bool:
        """Return whether an administrator has pre-authorized a user for this app."""
        if user["Username"] in self.users:
            return True
        rows = Rows(tx)
        profile = rows.get("Profile", str(user.get("ProfileId")))
        if profile is not None and profile["Name"] in self.profiles:
            return True
        assigned = tx.records.find("PermissionSetAssignment", "AssigneeId", user["Id"]) if self.permission_sets else []
        assigned_sets = (rows.get("PermissionSet", str(row["PermissionSetId"])) for row in assigned)
        return any(row is not None and row["Name"] in self.permission_sets for row in assigned_sets)


def find_app(tx: OrgTransaction, consumer_key: str) -> RegisteredApp | None:
    """Find an app by its consumer key."""
    body = tx.apps.find(consumer_key)
    return find_deployed_app(tx, consumer_key) if body is None else from_body(body)


def find_deployed_app(tx: OrgTransaction, consumer_key: str) -> RegisteredApp | None:
    """Find an External Client App that a package deployed, by the consumer key that the org generated."""
    parts = {
        kind: [stored.component.body for stored in tx.components.list_all(kind)]
        for kind in ("ExtlClntAppGlobalOauthSettings", "ExtlClntAppOauthConfigurablePolicies", SWITCHES)
    }
    own = next(
        (body for body in parts["ExtlClntAppGlobalOauthSettings"] if body.get("consumerKey") == consumer_key), None
    )
    name = "" if own is None else str(own["externalClientApplication"])
    policies, switches = (
        next((body for body in parts[kind] if body.get("externalClientApplication") == name), {})
        for kind in ("ExtlClntAppOauthConfigurablePolicies", SWITCHES)
    )
    if own is None or not switches.get("isEnabled") or not switches.get("isOauthPluginEnabled"):
        return None
    flows = own.get("isClientCredentialsFlowEnabled") and policies.get("isClientCredentialsFlowEnabled")
    certificate = str(own.get("certificate") or "")
    return RegisteredApp(
        name=name,
        consumer_key=consumer_key,
        consumer_secret=str(own.get("consumerSecret") or ""),
        certificate=certificate and f"-----BEGIN CERTIFICATE-----\n{certificate}\n-----END CERTIFICATE-----\n",
        callback_urls=tuple(str(own.get("callbackUrl") or "").split()),
        run_as=str(policies.get("clientCredentialsFlowUser") or "") if flows else "",
        permitted_users="all" if policies.get("permittedUsersPolicyType") == "AllSelfAuthorized" else "admin_approved",
        profiles=_split_names(policies, "commaSeparatedProfile"),
        permission_sets=_split_names(policies, "commaSeparatedPermissionSet"),
    )


DEFAULT_POLICIES = {
    "ExternalClientApplication": SWITCHES,
    "ExtlClntAppOauthSettings": "ExtlClntAppOauthConfigurablePolicies",
}
"""The policies that an org creates for each part of an app."""


def make_default_policies(tx: OrgTransaction, part: Component) -> Component | None:
    """
    Return the policies that an org creates when a part of an app is deployed; None if the app already has policies.

    https://help.salesforce.com/s/articleView?id=xcloud.meta_configure_external_client_app_policies.htm
    """
    type_ = DEFAULT_POLICIES[part.type]
    app = part.full_name if type_ == SWITCHES else str(part.body.get("externalClientApplication"))
    if any(stored.component.body.get("externalClientApplication") == app for stored in tx.components.list_all(type_)):
        return None
    body: dict[str, Value] = {"externalClientApplication": app, "label": f"{part.full_name}_defaultPolicy"}
    switches: dict[str, Value] = {"isEnabled": True, "isOauthPluginEnabled": True} if type_ == SWITCHES else {}
    return Component(type_, f"{part.full_name}_defaultPolicy", {**body, **switches})


def find_orphaned_policies(tx: OrgTransaction) -> list[Component]:
    """List the policies whose app was deleted: an org deletes them with it."""
    return [
        stored.component
        for type_ in DEFAULT_POLICIES.values()
        for stored in tx.components.list_all(type_)
        if tx.components.get("ExternalClientApplication", str(stored.component.body["externalClientApplication"]))
        is None
    ]


def with_keys(body: Mapping[str, Value], before: Mapping[str, Value]) -> dict[str, Value]:
    """Add the existing or new consumer key and secret to an app's settings; a package does not change them."""
    chance = random.SystemRandom()
    keys = {
        "consumerKey": before.get("consumerKey") or f"3MVG9{generate_secret(KEY_LENGTH - 5, chance)}",
        "consumerSecret": before.get("consumerSecret") or generate_secret(SECRET_LENGTH, chance).upper(),
    }
    return {**body, **{name: body.get(name) or value for name, value in keys.items()}}


def _split_names(body: Mapping[str, Value], key: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in str(body.get(key) or "").split(",") if name.strip())


def from_body(body: Mapping[str, Any]) -> RegisteredApp:
    """Read the stored form."""
    values: dict[str, Any] = {key: tuple(value) if key in LISTS else value for key, value in body.items()}
    return RegisteredApp(**values)


def parse_app(values: Mapping[str, Any], add_problem: AddProblem, rng: random.Random) -> RegisteredApp:
    """Parse the settings of an app and report all errors; generate key and secret if they are missing."""
    settings = (*TEXTS, *LISTS, "session_minutes")
    for key in values.keys() - {*settings}:
        add_problem(key, "an app has no such setting", f"the settings are {', '.join(settings)}")
    texts = {key: _text(key, values.get(key), add_problem) for key in TEXTS}
    if not texts["name"]:
        add_problem("name", "an app needs a name", "")
    if texts["permitted_users"] not in ("", *PERMITTED):
        add_problem(
            "permitted_users", f"there is no policy {texts['permitted_users']}", f"one of {', '.join(PERMITTED)}"
        )
    if texts["certificate"] and not _usable(texts["certificate"]):
        add_problem("certificate", "this is neither a certificate nor a public key of RSA", "give it in PEM form")
    minutes = values.get("session_minutes", 120)
    if isinstance(minutes, bool) or not isinstance(minutes, int) or not SHORTEST <= minutes <= LONGEST:
        add_problem("session_minutes", "this must be a number of minutes", f"from {SHORTEST} to {LONGEST}")
    defaults = {"consumer_key": f"3MVG9{generate_secret(KEY_LENGTH - 5, rng)}", "permitted_users": PERMITTED[0]}
    if "consumer_secret" not in values:
        defaults["consumer_secret"] = generate_secret(SECRET_LENGTH, rng).upper()
    filled: dict[str, Any] = {key: text or defaults.get(key, "") for key, text in texts.items()}
    filled |= {key: _list(key, values.get(key), add_problem) for key in LISTS}
    return RegisteredApp(**filled, session_minutes=minutes)


def _text(key: str, value: object, add_problem: AddProblem) -> str:
    if value is not None and not isinstance(value, str):
        add_problem(key, "this must be text", "put it in quotes")
        return ""
    return value or ""


def _list(key: str, value: object, add_problem: AddProblem) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        add_problem(key, "this must be a list of names", "")
        return ()
    return tuple(value)


def _usable(pem: str) -> bool:
    from sfcode.local.signin.assertion import public_key  # imports the cryptography package, which is slow

    return public_key(pem) is not None
