"""
Random journeys: a project is applied to an org, edited, renamed, interrupted, rolled back, and finally destroyed.

A journey is determined by its seed. `Traveler` executes the steps and checks after each of them: a successful apply
leaves an empty plan; a refused apply has changed nothing, and its hint works; a rollback restores components and
records; and a destroy deletes everything of the project and nothing of others.

`python -m tests.e2e.random_journeys 200` runs the first 200 journeys and prints those that fail; `17-17` runs one.
"""

from __future__ import annotations

import json
import random
import re
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sfcode.apply.execute import ApplyResult
from sfcode.apply.session import ApplyCallbacks, ApplyOptions, apply_plan
from sfcode.config.project import Project
from sfcode.errors import OrgUnreachable, Refused
from sfcode.local import LocalOrg, serve
from sfcode.local.store import Store
from sfcode.metadata.component import Address, Component
from sfcode.metadata.normalize import normalize
from sfcode.org import Org, connect
from sfcode.org.options import Runtime
from sfcode.plan.change import Action
from sfcode.plan.modes import Mode, PlanRequest
from sfcode.plan.planner import make_plan
from tests.e2e.org import API, component, deploy
from tests.generate.projects import project, settings

SECRETS = {"SFCODE_RELAY_OUTBOUND_SECRET": "0123456789abcdef0123456789abcdef"}
ADMIN = "admin@northwind.example"
SENT = ("Title", "Email", "Phone", "FirstName", "OwnerId", "LastModifiedDate")
ADVICE = re.compile(r"--(adopt|allow-delete) (\S+?)(?= |,|;|$)")
LONG, SHORT = 4, 1
"""The maximum number of changes in a journey: in `make journeys`, and in every run of the tests."""
THEIRS = Component(
    "CustomField", "Contact.Theirs__c", {"label": "Theirs", "type": "Number", "precision": 3, "scale": 0}
)
Config = dict[str, Any]
Step = Callable[["Traveler"], None]


class KilledError(BaseException):
    """Raised by every request after the simulated process was killed."""


@dataclass
class Traveler:
    """One project, its org, and the random generator."""

    org: LocalOrg
    store: Path
    seed: int
    steps_so_far: list[str] = field(default_factory=list)
    """The steps so far, to find the cause of a failure."""
    config: Config = field(default_factory=dict)
    mappings: dict[str, Config] = field(default_factory=dict)
    released: set[str] = field(default_factory=set)
    """Fields that the project has released, or adopted again: a destroy may leave them."""
    responses_left: int | None = None
    """The number of responses after which the process is killed; None if it is not killed."""
    normal_forms: dict[Address, tuple[Mapping[str, Any], str]] = field(default_factory=dict)
    """The last body of each component with its normal form, cached since most bodies do not change."""

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        self.config = settings(name=f"J{self.seed}", id=f"journey_{self.seed}")
        self.config["integration_user"]["username"] = f"j{self.seed}@example.com"
        self.mappings = {"contact": self.make_mapping("Contact")}

    # The config of a project

    def make_mapping(self, object_name: str) -> Config:
        dice = self.dice
        direction = dice.choice(["both", "to_appcues", "to_salesforce"])
        mapping: Config = {
            "object": object_name,
            "direction": direction,
            "delivery": dice.choice(["relay", "relay", "connector"]),
            "user_id": {"field": f"J{self.seed}_Id__c", "from": "Product_User_Id__c"},
        }
        if direction != "to_salesforce":
            names = dice.sample(["role", "mail", "plan", "owner"], dice.randint(1, 4))
            mapping["to_appcues"] = {
                "attributes": {name: {"field": dice.choice(SENT)} for name in names},
                "on": dice.choice([["create"], ["update"], ["create", "update"]]),
                "trigger": dice.choice(["flow", "flow", "workflow_rule"]),
            }
        if direction != "to_appcues":
            score = {"field": f"J{self.seed}_{dice.choice(['Score', 'NPS'])}__c", "create": True}
            mapping["to_salesforce"] = {
                "nps": {"score": score} if dice.random() < 0.7 else {},
                "activities": dice.choice([["nps_score"], ["nps_score", "flow_completed"]]),
            }
        return mapping

    @property
    def project(self) -> Project:
        project_of_config = project(self.mappings, self.config)
        digest = json.dumps([self.config, self.mappings], sort_keys=True)
        return Project(**{**project_of_config.__dict__, "digest": digest})

    # The changes of a journey

    def edit(self) -> None:
        name = self.dice.choice([*self.mappings])
        self.mappings[name] = self.make_mapping(self.mappings[name]["object"])

    def add_or_remove_a_mapping(self) -> None:
        if "lead" in {name.lower() for name in self.mappings}:
            self.mappings = {name: spec for name, spec in self.mappings.items() if name.lower() != "lead"}
        else:
            self.mappings["lead"] = self.make_mapping("Lead")

    def change_settings(self) -> None:
        self.config["relay"]["activities_as"] = self.dice.choice(["event", "task", "custom_object"])
        self.config["integration_user"]["access"] = self.dice.choice(["least_privilege", "documented"])
        self.config["integration_user"]["email"] = self.dice.choice(["admin@example.com", "crm@example.com"])

    def list_viewers(self) -> None:
        self.config["viewers"] = [] if self.config.get("viewers") else [ADMIN]

    def recase(self) -> None:
        """Write names in another case, which an org ignores."""
        text = json.dumps(self.mappings)
        for name in set(re.findall(rf"(?i)J{self.seed}_\w+?__c", text)):
            text = text.replace(name, self.dice.choice([name.lower(), name.upper().replace("__C", "__c")]))
        self.mappings = {self.dice.choice([name, name.title()]): spec for name, spec in json.loads(text).items()}
        self.spell_as_org()
        user = self.config["integration_user"]
        user["username"] = self.dice.choice([user["username"].title(), user["username"].lower()])

    def spell_as_org(self) -> None:
        """Write the names of existing fields as the org has them; other spellings are refused."""
        with Store(self.store) as store, store.read() as tx:
            names_in_org = {
                entry.component.full_name.lower(): entry.component.full_name
                for entry in tx.components.list_all("CustomField")
            }
        for spec in self.mappings.values():
            for score in self.list_scores(spec):
                full_name = names_in_org.get(f"{spec['object']}.{score['field']}".lower())
                if full_name and not score["create"]:
                    score["field"] = full_name.partition(".")[2]

    def rename_user(self) -> None:
        user = self.config["integration_user"]
        head, _, host = user["username"].partition("@")
        new = f"{head}x@{host}"
        moved = {"user": user["username"]} if self.dice.random() < 0.5 else {}
        user["username"], self.config["moved"] = new, moved

    def rename_field(self) -> None:
        """Rename a field that the project creates, with a line of `moved`."""
        nps_settings = [spec["to_salesforce"]["nps"] for spec in self.mappings.values() if "to_salesforce" in spec]
        scores = [nps["score"] for nps in nps_settings if nps.get("score", {}).get("create")]
        if scores:
            (name, _), *_ = [
                (mapping["object"], mapping)
                for mapping in self.mappings.values()
                if scores[0] in self.list_scores(mapping)
            ]
            old = scores[0]["field"]
            scores[0]["field"] = old.replace("__c", "x__c")
            self.config["moved"] = {"fields": {f"{name}.{old}": f"{name}.{scores[0]['field']}"}}

    def list_scores(self, spec: Config) -> list[Config]:
        return [*spec.get("to_salesforce", {}).get("nps", {}).values()]

    def release_fields(self) -> None:
        """Stop creating fields and only use them, or create them again."""
        for spec in self.mappings.values():
            for score in self.list_scores(spec):
                score["create"] = not score["create"]
                self.released.add(f"CustomField:{spec['object']}.{score['field']}".lower())
        self.spell_as_org()

    def rename_mapping(self) -> None:
        name = self.dice.choice([*self.mappings])
        new = f"{name}x"
        self.mappings = {new if key == name else key: spec for key, spec in self.mappings.items()}
        if self.dice.random() < 0.5:
            self.config["moved"] = {"mappings": {name: new}}

    def rename_project(self) -> None:
        old = self.config["name"]
        self.config["name"], self.config["moved"] = f"{old}x", {"name": old}

    def drift(self) -> None:
        """Change something in the org by hand."""
        steps = [
            self.relabel,
            self.unassign,
            self.deactivate_user,
            self.add_unmanaged,
            self.revoke_field_permission,
            self.delete_set,
        ]
        self.dice.choice(steps)()

    def relabel(self) -> None:
        with Store(self.store) as store, store.read() as tx:
            fields = [field.component for field in tx.components.list_all("CustomField")]
        own_fields = sorted(field for field in fields if f".j{self.seed}" in field.full_name.lower())
        if own_fields:
            field = self.dice.choice(own_fields)
            deploy(self.org, Component(field.type, field.full_name, {**field.body, "label": "By hand"}))

    def unassign(self) -> None:
        with self.client() as client:
            user = self.config["integration_user"]["username"]
            for row in client.query("SELECT Id FROM PermissionSetAssignment WHERE Assignee.Username = {}", user):
                client.delete("PermissionSetAssignment", row["Id"])

    def deactivate_user(self) -> None:
        with self.client() as client:
            user = self.config["integration_user"]["username"]
            for row in client.query("SELECT Id FROM User WHERE Username = {} AND IsActive = TRUE", user):
                client.update("User", row["Id"], {"IsActive": False})

    def revoke_field_permission(self) -> None:
        """Remove a field from one of the project's permission sets."""
        target = self.find_set()
        if target and isinstance(rows := target.body.get("fieldPermissions"), Mapping) and rows:
            name = self.dice.choice(sorted(rows))
            others_rows = {key: row for key, row in rows.items() if key != name}
            deploy(self.org, Component(target.type, target.full_name, {**target.body, "fieldPermissions": others_rows}))

    def delete_set(self) -> None:
        permission_set = self.find_set()
        if permission_set:
            with self.client() as client:
                soql = "SELECT Id FROM PermissionSetAssignment WHERE PermissionSet.Name = {}"
                for row in client.query(soql, permission_set.full_name):
                    client.delete("PermissionSetAssignment", row["Id"])
            deploy(self.org, deleted=(permission_set.address,))

    def find_set(self) -> Component | None:
        with Store(self.store) as store, store.read() as tx:
            sets = [candidate.component.address for candidate in tx.components.list_all("PermissionSet")]
        own_sets = sorted(candidate for candidate in sets if candidate.full_name.lower().startswith(f"j{self.seed}"))
        return component(self.org, self.dice.choice(own_sets)) if own_sets else None

    def add_unmanaged(self) -> None:
        deploy(self.org, THEIRS)

    # Requests to the org

    @contextmanager
    def client(self) -> Iterator[Org]:
        environ = {"SF_ACCESS_TOKEN": self.org.access_token}
        runtime = Runtime(sleep=lambda _: None, on_response=self.count_down)
        with connect(self.org.url, environ=environ, api_version=API, runtime=runtime) as client:
            yield client

    def count_down(self) -> None:
        if self.responses_left is not None:
            self.responses_left -= 1
            if self.responses_left < 0:
                # An error in the thread that renews the lock has no effect; the thread ends with the apply.
                renews = threading.current_thread().name == "sfcode-lock"
                raise OrgUnreachable("The process is gone.") if renews else KilledError

    def read_org(self) -> dict[str, str]:
        """Return everything in the org that this project may change: components and people, without state and lock."""
        with Store(self.store) as store, store.read() as tx:
            contents = {
                str(entry.component.address): self.normalize(entry.component) for entry in tx.components.list_all()
            }
            users = {row["Id"]: row for row in tx.records.list_all("User")}
            sets = {entry.id: entry.component.full_name for entry in tx.components.list_all("PermissionSet")}
            licenses = {row["Id"]: row["DeveloperName"] for row in tx.records.list_all("PermissionSetLicense")}
            for row in users.values():
                values = {key: row[key] for key in ("LastName", "Email", "ProfileId", "IsActive")}
                contents[f"User:{str(row['Username']).lower()}"] = json.dumps(values, sort_keys=True)
            for row in tx.records.list_all("PermissionSetAssignment"):
                set_name = sets.get(row["PermissionSetId"], "")
                contents[f"Assigned:{set_name}/{users[row['AssigneeId']]['Username']}".lower()] = ""
            for row in tx.records.list_all("PermissionSetLicenseAssign"):
                contents[
                    f"Licensed:{licenses[row['PermissionSetLicenseId']]}/{users[row['AssigneeId']]['Username']}".lower()
                ] = ""
            versions = {(entry.full_name, entry.status == "Active") for entry in tx.flows.versions()}
            contents |= {f"Active:{name}": "" for name, active in versions if active}
        return {key: body for key, body in contents.items() if "_sfcode_" not in key}

    def normalize(self, component: Component) -> str:
        body, normal_form = self.normal_forms.get(component.address, (None, ""))
        if body != component.body:
            normal_form = normalize(component).canonical
            self.normal_forms[component.address] = (component.body, normal_form)
        return normal_form

    def apply(self, mode: Mode = Mode.APPLY) -> ApplyResult:
        """Apply, and follow the hints of refusals until the apply is not refused any more."""
        request = PlanRequest(mode)
        for _ in range(4):
            before = self.read_org()
            try:
                return self.apply_once(request)
            except Refused as refused:
                refusal = str(refused)
            assert_equal(before, self.read_org(), f"a refused {mode.value} changed something: {refusal}")
            if former := re.search(r"write `moved: \{name: (\w+)\}`", refusal):
                self.config["moved"] = {"name": former[1]}  # an earlier rollback has restored the former name
                continue
            advice = {kind: tuple(map(Address.parse, names)) for kind, names in read_advice(refusal).items()}
            assert advice, f"a {mode.value} is refused and says nothing to do: {refusal}"
            request = PlanRequest(
                mode,
                adopt=tuple({*request.adopt, *advice.get("adopt", ())}),
                allow_delete=tuple({*request.allow_delete, *advice.get("allow-delete", ())}),
            )
        raise AssertionError(f"the advice of a refused {mode.value} does not work: {request}")

    def apply_once(self, request: PlanRequest) -> ApplyResult:
        with self.client() as client:
            callbacks = ApplyCallbacks(approve=lambda _: True)
            options = ApplyOptions(auto_approve=True, verb=request.mode.value)
            return apply_plan(self.project, client, SECRETS, request, callbacks=callbacks, options=options)

    def plan(self) -> list[str]:
        with self.client() as client:
            plan = make_plan(self.project, client, SECRETS).plan
        return [f"{change.action.value} {change.address}" for change in plan.effective]

    # Checks after each step

    def apply_and_check(self) -> None:
        result = self.apply()
        remaining_changes = self.plan()
        assert remaining_changes == [], f"the plan after an apply is not empty: {remaining_changes}"
        if self.config.pop("moved", None):
            remaining_changes = self.plan()
            assert remaining_changes == [], f"the plan after `moved` was taken away is not empty: {remaining_changes}"
        self.steps_so_far.append(f"  applied {len(result.plan.effective)} changes")

    def apply_and_roll_back(self) -> None:
        before, result = self.read_org(), self.apply()
        if not result.apply_id:
            return
        self.apply(Mode.ROLLBACK)
        assert_equal(
            without_new_users(before, before), without_new_users(self.read_org(), before), "a rollback restores"
        )
        self.steps_so_far.append("  applied and rolled back")
        self.apply_and_check()

    def apply_killed(self) -> None:
        self.responses_left = self.dice.randint(1, 40)
        try:
            self.apply_once(PlanRequest())
        except (KilledError, Refused):
            self.steps_so_far.append("  killed")
        finally:
            self.responses_left = None
        self.apply_and_check()

    def roll_back_killed(self) -> None:
        """Kill a rollback, then apply: the org must match the config."""
        self.apply()
        self.responses_left = self.dice.randint(1, 60)
        try:
            self.apply_once(PlanRequest(Mode.ROLLBACK))
        except (KilledError, Refused):
            self.steps_so_far.append("  rollback killed")
        finally:
            self.responses_left = None
        self.apply_and_check()

    def recase_and_check(self) -> None:
        self.recase()
        with self.client() as client:
            plan = make_plan(self.project, client, SECRETS).plan
        wrong = [str(change.address) for change in plan.effective if change.action in {Action.CREATE, Action.DELETE}]
        assert wrong == [], f"another case creates or deletes {wrong}"
        self.apply_and_check()

    def destroy(self, base: Mapping[str, str]) -> None:
        self.apply(Mode.DESTROY)
        remains, other_key = self.read_org(), str(THEIRS.address)
        own_keys = {f"User:j{self.seed}", f"Licensed:salesforceapiintegrationpsl/j{self.seed}".lower()}
        expected = {key: body for key, body in remains.items() if key in base or key == other_key}
        missing_keys = {key for key in base if key not in remains}
        assert not missing_keys, f"a destroy took what is not ours: {missing_keys}"
        expected |= {key: body for key, body in remains.items() if key.lower() in self.released}
        extra_keys = {key for key in remains if key not in expected and not key.startswith(tuple(own_keys))}
        assert not extra_keys, f"a destroy left something of ours: {extra_keys}"
        active = [key for key in remains if key.startswith(f"User:j{self.seed}") and '"IsActive": true' in remains[key]]
        assert not active, f"a destroy left {active} active"

    def travel(self, max_steps: int) -> None:
        """Run one complete journey."""
        base = self.read_org()
        self.steps_so_far.append("starts")
        self.apply_and_check()
        steps: list[Step] = [
            Traveler.edit,
            Traveler.edit,
            Traveler.add_or_remove_a_mapping,
            Traveler.change_settings,
            Traveler.list_viewers,
            Traveler.rename_user,
            Traveler.rename_project,
            Traveler.rename_field,
            Traveler.rename_mapping,
            Traveler.release_fields,
            Traveler.drift,
            Traveler.drift,
        ]
        ends: list[Step] = [
            Traveler.apply_and_check,
            Traveler.apply_and_check,
            Traveler.apply_killed,
            Traveler.roll_back_killed,
        ]
        for _ in range(self.dice.randint(1, max_steps)):
            if self.dice.random() < 0.2:
                self.steps_so_far.append("recase")
                self.recase_and_check()
                continue
            step = self.dice.choice(steps)
            end = self.dice.choice(ends if step is Traveler.drift else [*ends, Traveler.apply_and_roll_back])
            self.steps_so_far.append(f"{step.__name__}, {end.__name__}: {json.dumps([self.config, self.mappings])}")
            step(self)
            end(self)
        self.steps_so_far.append("destroy")
        self.destroy(base)


def read_advice(text: str) -> dict[str, list[str]]:
    names_by_kind: dict[str, list[str]] = {}
    for kind, name in ADVICE.findall(text):
        names_by_kind.setdefault(kind, []).append(name)
    return names_by_kind


def without_new_users(contents: Mapping[str, str], before: Mapping[str, str]) -> dict[str, str]:
    """Leave out users that were created since, because an org deletes no users and a rollback only deactivates them."""
    new = {
        key
        for key, body in contents.items()
        if key.startswith("User:") and key not in before and '"IsActive": false' in body
    }
    return {key: body for key, body in contents.items() if key not in new}


def assert_equal(before: Mapping[str, str], after: Mapping[str, str], subject: str) -> None:
    differ = sorted(key for key in {*before, *after} if before.get(key) != after.get(key))
    differences = [f"{key}: {describe_difference(before.get(key), after.get(key))}" for key in differ[:4]]
    assert not differ, f"{subject}: {len(differ)} differ: {differences}"


def describe_difference(before: str | None, after: str | None) -> str:
    sides = [json.loads(side) if side else {} for side in (before, after)]
    differ = sorted(key for key in {*sides[0], *sides[1]} if sides[0].get(key) != sides[1].get(key))
    return "; ".join(f"{key} = {sides[0].get(key)} -> {sides[1].get(key)}" for key in differ) or "is gone or new"


@contextmanager
def open_org(folder: Path) -> Iterator[Callable[[int], Traveler]]:
    """Serve one org that all journeys share, since each journey leaves it unchanged."""
    with serve(folder) as org:
        yield lambda seed: Traveler(org, folder / "org.db", seed)


def main(seeds: Sequence[int]) -> int:
    """Run journeys and print those that fail; after a failure the next journey gets a new org."""
    wrong: list[int] = []
    remaining_seeds, began = [*seeds], time.monotonic()
    while remaining_seeds:
        with tempfile.TemporaryDirectory() as folder, open_org(Path(folder)) as start:
            while remaining_seeds:
                traveler = start(remaining_seeds.pop(0))
                try:
                    traveler.travel(LONG)
                except Exception:  # noqa: BLE001  (every wrong end is listed)
                    wrong.append(traveler.seed)
                    steps = "\n".join(traveler.steps_so_far)
                    print(f"\n== seed {traveler.seed}\n{steps}\n{traceback.format_exc(limit=-3)}")  # noqa: T201
                    break
                finally:
                    print(f"{len(seeds) - len(remaining_seeds)} of {len(seeds)}", end="\r", flush=True, file=sys.stderr)  # noqa: T201
    print(f"{len(seeds)} journeys in {time.monotonic() - began:.0f} s, wrong ends: {wrong or 'none'}")  # noqa: T201
    return int(bool(wrong))


if __name__ == "__main__":
    first, _, last = (sys.argv[1] if len(sys.argv) > 1 else "200").rpartition("-")
    sys.exit(main(range(int(first or 0), int(last) + bool(first))))
