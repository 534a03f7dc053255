"""Load a company file: licenses, profiles, fields, users and records, with the checks of regular writes."""

from __future__ import annotations

import random
from datetime import datetime
from typing import Any

from sfcode.local import ids
from sfcode.local.errors import ApiError
from sfcode.local.record_writer import RecordWriter
from sfcode.local.seed.document import Path, SeedDocument
from sfcode.local.signin import apps
from sfcode.local.sobjects import sharing
from sfcode.local.sobjects.catalog import Catalog
from sfcode.local.sobjects.custom import DESCRIBE_TYPES
from sfcode.local.sobjects.grants import OBJECT_RIGHTS
from sfcode.local.sobjects.rows import VIEWS, Rows
from sfcode.local.sobjects.setup_objects import setup_objects
from sfcode.local.store import OrgTransaction, Record
from sfcode.local.tables.base import PRODUCTION
from sfcode.metadata.component import Address, Component

SECTIONS = {
    "version": int,
    "company": dict,
    "production": bool,
    "user_licenses": list,
    "permission_set_licenses": list,
    "profiles": dict,
    "users": list,
    "components": dict,
    "records": dict,
    "apps": list,
    "sharing": dict,
}
KIND_NAMES = {dict: "mapping", list: "list", int: "number", bool: "true or false"}
REQUIRED = ("version", "company", "user_licenses", "profiles", "users")
ROW_LISTS = ("user_licenses", "permission_set_licenses", "users", "apps")
RIGHTS = {word: element for element, (word, _, _) in OBJECT_RIGHTS.items()}
OBJECTS_WITH_RIGHTS = ("Account", "Campaign", "Contact", "Lead")
"""Objects with object permissions. Activities have none, since user permissions give access to them."""


class CompanyLoader:
    """Replaces the data of an org with a company, in one transaction. Raises ConfigError with all problems."""

    def __init__(self, tx: OrgTransaction, document: SeedDocument, *, now: datetime, rng: random.Random) -> None:
        self._tx = tx
        self._document = document
        self._now = now
        self._rng = rng
        # The org keeps its ID when another company is loaded, so that sessions remain valid.
        self._org_id = tx.settings.get("org_id") or ids.nth("00D", rng.randrange(62**8, 62**9))
        self._user_id = ""

    def run(self) -> None:
        """Check the structure of the file, then write its data section by section."""
        self._check_shape()
        self._document.raise_problems()
        self._tx.clear()
        self._tx.settings.set("org_id", self._org_id)
        self._user_id = self._tx.records.next_id("005")
        self._tx.settings.set("admin_id", self._user_id)
        self._tx.settings.set(PRODUCTION, str(self._section("production")).lower())
        self._rows("UserLicense", "user_licenses", {"Status": "Active", "UsedLicenses": 0})
        self._rows("PermissionSetLicense", "permission_set_licenses", {"Status": "Active", "UsedLicenses": 0})
        self._organization()
        self._components()
        self._document.raise_problems()
        self._profiles()
        self._sharing()
        self._document.raise_problems()
        self._writer = RecordWriter(self._tx, Catalog(self._tx), self._user_id, self._now)
        self._users()
        for name, rows in self._section("records").items():
            for number, row in enumerate(rows):
                self._create(name, row, ("records", name, number))
        self._apps()
        self._document.raise_problems()

    def _section(self, name: str) -> Any:
        return self._document.value.get(name) or SECTIONS[name]()

    def _check_shape(self) -> None:
        document = self._document
        if not isinstance(document.value, dict):
            document.add_problem(
                (), "a company file is a mapping", f"start from the shipped one: {', '.join(SECTIONS)}"
            )
            return
        for name, value in document.value.items():
            if name not in SECTIONS:
                document.add_problem((name,), "there is no such section", f"the sections are {', '.join(SECTIONS)}")
            elif value is not None and not isinstance(value, SECTIONS[name]):
                document.add_problem((name,), f"this must be a {KIND_NAMES[SECTIONS[name]]}")
        for name in REQUIRED:
            if name not in document.value or document.value[name] in (None, [], {}):
                document.add_problem((name,), f"the section {name} is missing or empty")
        if document.value.get("version", 1) != 1:
            document.add_problem(("version",), "this sfcode reads version 1 of company files")
        for path, rows in self._row_lists():
            if not isinstance(rows, list):
                document.add_problem(path, "this must be a list of records")
                continue
            for number, row in enumerate(rows):
                if not isinstance(row, dict):
                    document.add_problem((*path, number), "a record is a mapping of fields to values")

    def _row_lists(self) -> list[tuple[Path, Any]]:
        value = self._document.value
        lists: list[tuple[Path, Any]] = [((name,), value[name]) for name in ROW_LISTS if value.get(name)]
        records = value.get("records")
        if isinstance(records, dict):
            lists += [(("records", name), rows) for name, rows in records.items()]
        return lists

    def _organization(self) -> None:
        values = {"Id": self._org_id, "NamespacePrefix": None, "IsReadOnly": False, "TrialExpirationDate": None}
        self._plain("Organization", values | self._section("company"), ("company",))

    def _rows(self, name: str, section: str, common: Record) -> None:
        for number, row in enumerate(self._section(section)):
            values = {"MasterLabel": row.get("Name")} | common | row
            self._plain(name, values, (section, number))

    def _plain(self, name: str, values: Record, path: Path) -> None:
        """Write a row of a Setup object that no API can write; only the field names are checked."""
        target = Catalog(self._tx).object(name)
        for key in values:
            if target is None or target.field(key) is None:
                self._document.add_problem((*path, key), f"{name} has no field {key}")
        self._tx.records.insert(name, values, user_id=self._user_id, now=self._now)

    def _components(self) -> None:
        for text, body in self._section("components").items():
            path = ("components", text)
            try:
                address = Address.parse(text)
            except ValueError as error:
                self._document.add_problem(path, str(error))
                continue
            if not isinstance(body, dict):
                self._document.add_problem(path, "a component's body is a mapping")
                continue
            if address.type == "CustomField" and body.get("type") not in DESCRIBE_TYPES:
                self._document.add_problem(
                    (*path, "type"), f"there is no field type {body.get('type')}", _one_of(DESCRIBE_TYPES)
                )
                continue
            component = Component(address.type, address.full_name, body)
            if address.type == "Flow":
                self._tx.flows.add_version(component, user_id=self._user_id, now=self._now)
            else:
                self._tx.components.put(component, user_id=self._user_id, now=self._now)

    def _profiles(self) -> None:
        licenses = {row["Name"] for row in self._tx.records.list_all("UserLicense")}
        for name, spec in self._section("profiles").items():
            path = ("profiles", name)
            spec = spec if isinstance(spec, dict) else {}  # noqa: PLW2901
            for key in spec.keys() - {"license", "objects", "fields", "user_permissions", "description"}:
                self._document.add_problem(
                    (*path, key), "a profile has license, objects, fields, user_permissions, description"
                )
            if spec.get("license") not in licenses:
                self._document.add_problem((*path, "license"), f"there is no user license {spec.get('license')}")
            for right in spec.get("objects") or ():
                if right not in RIGHTS:
                    self._document.add_problem((*path, "objects"), f"there is no object right {right}", _one_of(RIGHTS))
            body = self._profile_body(spec)
            self._tx.components.put(Component("Profile", name, body), user_id=self._user_id, now=self._now)

    def _profile_body(self, spec: dict[str, Any]) -> dict[str, Any]:
        body: dict[str, Any] = {"custom": False, "userLicense": str(spec.get("license"))}
        if spec.get("description"):
            body["description"] = str(spec["description"])
        object_rights = set(spec.get("objects") or ())
        if object_rights:
            custom = [stored.component.full_name for stored in self._tx.components.list_all("CustomObject")]
            rights = {element: word in object_rights for word, element in RIGHTS.items()}
            names = [*OBJECTS_WITH_RIGHTS, *(name for name in custom if name.endswith("__c"))]
            body["objectPermissions"] = dict.fromkeys(names, rights)
        if spec.get("fields") == "all":
            body["fieldPermissions"] = _grant_all_fields(self._tx)
        body["userPermissions"] = {str(name): {"enabled": True} for name in spec.get("user_permissions") or ()}
        return body

    def _sharing(self) -> None:
        for name, model in self._section("sharing").items():
            if name != "Activity" and Catalog(self._tx).object(name) is None:
                self._document.add_problem(("sharing", name), f"there is no object {name}")
            elif model not in sharing.MODELS:
                self._document.add_problem(
                    ("sharing", name), f"there is no sharing model {model}", _one_of(sharing.MODELS)
                )
            else:
                sharing.set_model(self._tx, name, model)

    def _users(self) -> None:
        for number, row in enumerate(self._section("users")):
            # The first user is the creator of all records, including itself.
            self._create("User", row, ("users", number), self._user_id if number == 0 else None)

    def _apps(self) -> None:
        usernames = {row["Username"] for row in self._tx.records.list_all("User")}
        for number, values in enumerate(self._section("apps")):

            def add_problem(key: str, message: str, hint: str, number: int = number) -> None:
                self._document.add_problem(("apps", number, key), message, hint)

            app = apps.parse_app(values, add_problem, self._rng)
            self._tx.apps.put(app.consumer_key, app.body)
            for key, name in (("run_as", app.run_as), *(("users", user) for user in app.users)):
                if name and name not in usernames:
                    add_problem(key, f"there is no user {name}", "write the user into the section users")

    def _create(self, name: str, row: dict[str, Any], path: Path, record_id: str | None = None) -> None:
        if self._writer.catalog.object(name) is None:
            self._document.add_problem(path[:2], f"there is no object {name}", "declare it under components")
            return
        values: dict[str, Any] = {}
        for key, value in row.items():
            values[key] = self._find_named(name, key, value, (*path, key)) if isinstance(value, dict) else value
        try:
            self._writer.create(name, values, record_id=record_id)
        except ApiError as error:
            field = next((field_name for field_name in error.fields or () if field_name in row), None)
            self._document.add_problem((*path, field) if field else path, f"{error.code}: {error.message}")

    def _find_named(self, name: str, key: str, attributes: dict[str, Any], path: Path) -> str | None:
        """Find the record that a value such as `{Name: Bluefin Logistics}` refers to, among the records written so far."""
        target = self._writer.catalog.object(name)
        field = target.field(key) if target else None
        names = field.reference_to if field else ()
        row = next((row for object_name in names for row in self._candidates(object_name, attributes)), None)
        if row is not None:
            return str(row["Id"])
        description = ", ".join(f"{field} {value}" for field, value in attributes.items())
        self._document.add_problem(path, f"no record with {description}", "write it further up")
        return None

    def _candidates(self, object_name: str, attributes: dict[str, Any]) -> list[Record]:
        (field, value), *other_fields = attributes.items()
        if object_name in VIEWS:
            matches = [row for row in Rows(self._tx).all(object_name) if row.get(field) == value]
        else:
            matches = self._tx.records.find(object_name, field, value)
        return [row for row in matches if all(row.get(key) == expected_value for key, expected_value in other_fields)]


def _grant_all_fields(tx: OrgTransaction) -> dict[str, dict[str, bool]]:
    """Return field permissions for every field that has them: read, and edit if it is writable."""
    catalog = Catalog(tx)
    permissions: dict[str, dict[str, bool]] = {}
    for name in catalog.names():
        target = catalog.object(name) if name not in setup_objects() else None
        for field in target.fields.values() if target else ():
            if field.permissionable:
                # A compound address has one permission for all of its parts, and is editable if they are.
                full_name = f"{name}.{field.compound or field.name}"
                before = permissions.get(full_name, {"editable": False})
                permissions[full_name] = {
                    "editable": before["editable"] or (field.createable or field.updateable),
                    "readable": True,
                }
    return dict(sorted(permissions.items()))


def _one_of(names: Any) -> str:
    return f"one of {', '.join(sorted(names))}"
