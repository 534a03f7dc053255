"""
Propose the paths of a webhook's values.

Candidates are weighted by their keys, by their values, and by values that the user passes (such as the ID of the user who
caused the webhook). Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sfcode.config.names import EVENT_PATH
from sfcode.config.project import Project
from sfcode.config.webhook_models import WebhookPaths
from sfcode.lazy_dataclasses import dataclass
from sfcode.mapping.events import APPCUES_EVENTS, PREFIX
from sfcode.relay.appcues_payload import attribute, value_at
from sfcode.relay.ingress.appcues_parser import format_user_id
from sfcode.relay.ingress.message_id import format_id
from sfcode.relay.ingress.timestamps import parse_time
from sfcode.relay.learn.capture import CapturedWebhook
from sfcode.relay.message import LONGEST_NAME

Path = tuple[str | int, ...]

DEEPEST = 8
MOST_VALUES = 5_000

_PATH = re.compile(EVENT_PATH)

CERTAIN = 1_000
"""The weight of a value that the user of the command has passed."""
_BY_VALUE = 200

_NAME_KEYS = ("eventname", "event", "name", "eventtype", "type", "action", "topic", "kind", "trigger")
_USER_KEYS = {
    "userid": 100,
    "externaluserid": 95,
    "externalid": 90,
    "enduserid": 90,
    "distinctid": 80,
    "uid": 80,
    "useridentifier": 80,
    "profileid": 75,
    "personid": 75,
    "user": 70,
    "customerid": 60,
    "contactid": 60,
    "memberid": 60,
    "email": 30,
    "anonymousid": 20,
}
_USER_OBJECTS = frozenset(
    {"user", "profile", "person", "enduser", "identity", "actor", "customer", "subject", "contact"}
)
_GROUP_KEYS = {
    "groupid": 100,
    "companyid": 80,
    "organizationid": 80,
    "orgid": 80,
    "tenantid": 70,
    "group": 70,
    "workspaceid": 50,
}
_GROUP_OBJECTS = frozenset({"group", "company", "organization", "tenant"})
_TIME_KEYS = {
    "timestamp": 100,
    "occurredat": 95,
    "eventtime": 90,
    "happenedat": 90,
    "triggeredat": 85,
    "time": 80,
    "createdat": 70,
    "ts": 70,
    "at": 60,
    "datetime": 60,
    "date": 50,
    "sentat": 40,
    "receivedat": 30,
}
_ID_KEYS = {"eventid": 100, "messageid": 80, "uuid": 75, "id": 70, "deliveryid": 40}
_ATTRIBUTE_KEYS = (
    "attributes",
    "properties",
    "props",
    "params",
    "parameters",
    "traits",
    "details",
    "fields",
    "metadata",
)
KNOWN_ATTRIBUTES = frozenset(
    {
        "flowName",
        "flowId",
        "flowType",
        "flowVersion",
        "score",
        "feedback",
        "itemLabel",
        "itemIndex",
        "itemId",
        "checklistName",
        "checklistId",
        "goalName",
        "goalId",
        "stepId",
        "experienceName",
        "experienceId",
        "currentPageUrl",
        "_currentPageUrl",
        "currentPageTitle",
        "_currentPageTitle",
    }
)
"""Attributes of Appcues' own events, from its SDKs and exports."""


@dataclass(frozen=True, slots=True)
class KnownValues:
    """Values of a webhook that the user of the command has passed."""

    user_id: str = ""
    event: str = ""


_NOTHING_KNOWN = KnownValues()


@dataclass(frozen=True, slots=True)
class Leaf:
    """A value in a body, and its path of keys and positions."""

    path: Path
    value: object

    @property
    def key(self) -> str:
        """The last key, reduced to letters and digits: the same for `user_id`, `userId` and `User-ID`."""
        return plain(self.keys[-1]) if self.keys else ""

    @property
    def parent(self) -> str:
        """The key before the last one."""
        return plain(self.keys[-2]) if len(self.keys) > 1 else ""

    @property
    def keys(self) -> list[str]:
        """The keys without positions in lists."""
        return [part for part in self.path if isinstance(part, str)]


def plain(key: str) -> str:
    """Return the letters and digits of a key, in lower case."""
    return re.sub(r"[^a-z0-9]", "", key.lower())


def propose_paths(
    capture: CapturedWebhook, project: Project, known_values: KnownValues = _NOTHING_KNOWN
) -> dict[str, tuple[str, ...]]:
    """Return the keys of `appcues.webhook` that should change, with their proposed paths."""
    current = project.settings.appcues.webhook
    name = _best(_leaves(capture.body), lambda leaf: _name_weight(leaf, project, known_values))
    proposal: dict[str, tuple[str, ...]] = {}
    base, enclosing = capture.body, capture.enclosing
    if name is not None:
        events, base, enclosing, relative = _locate(capture, name, current)
        if events:
            proposal["events"] = (events,)
        proposal["name"] = (relative,)
    scopes = (base, *reversed(enclosing))
    # A name in an envelope is used only if the config sets its path, since a batch may have its own name.
    for key, weigh in (
        ("user_id", lambda leaf: _user_weight(leaf, project, known_values)),
        ("group_id", lambda leaf: _group_weight(leaf, project)),
        ("timestamp", _time_weight),
        ("id", _id_weight),
    ):
        path = _best_in(scopes, weigh)
        if path is not None and not (key == "id" and project.settings.relay.message_id):
            proposal[key] = (path,)
    attributes = _attribute_places(scopes)
    if attributes:
        proposal["attributes"] = attributes
    return _select_needed(proposal, current, scopes)


def _select_needed(
    proposal: Mapping[str, tuple[str, ...]], current: WebhookPaths, scopes: Sequence[object]
) -> dict[str, tuple[str, ...]]:
    """Leave out proposed paths if the present paths lead to the same values."""
    needed: dict[str, tuple[str, ...]] = {}
    # An empty key, or one with spaces around it, cannot be part of a path.
    writable = {key: tuple(path for path in paths if _PATH.fullmatch(path)) for key, paths in proposal.items()}
    for key, paths in writable.items():
        if not paths:
            continue
        present: tuple[str, ...] = getattr(current, key) or ()
        if key == "attributes":
            new = tuple(path for path in paths if path not in present)
            if new:
                needed[key] = (*new, *(path for path in present if isinstance(value_at(scopes[0], path), Mapping)))
        elif key == "events" or _first(scopes, present) != _first(scopes, paths):
            needed[key] = paths
    return needed


def _first(scopes: Sequence[object], paths: Sequence[str]) -> Any:
    first = next((value for scope in scopes for path in paths if (value := value_at(scope, path)) is not None), None)
    event = scopes[0]
    if first is not None or not isinstance(event, Mapping):
        return first
    return next((value for path in paths if (value := attribute(event, path)) is not None), None)


def _locate(
    capture: CapturedWebhook, name: Leaf, current: WebhookPaths
) -> tuple[str, object, tuple[Mapping[str, Any], ...], str]:
    """Return the path to the events, the event with the name, its enclosing objects, and the name's path in the event."""
    chain = list(_chain(capture.body, name.path))
    for event, enclosing in capture.events(current):
        depth = next((depth for depth, node in enumerate(chain) if node is event), None)
        if depth is not None and not any(isinstance(part, int) for part in name.path[depth:]):
            return "", event, enclosing, _join(name.path[depth:])
    positions = [index for index, part in enumerate(name.path) if isinstance(part, int)]
    if not positions:
        return "", capture.body, capture.enclosing, _join(name.path)
    start = positions[-1] + 1
    path = _join(name.path[:start])
    paths = current.model_copy(update={"events": (path,)})
    matches = (enclosed for enclosed in capture.events(paths) if enclosed[0] is chain[start])
    event, enclosing = next(matches, (chain[start], ()))
    return path, event, enclosing, _join(name.path[start:])


def _chain(body: object, path: Path) -> Iterator[object]:
    """Yield the nodes on the path to a value, the body first."""
    node: Any = body
    yield node
    for part in path:
        node = node[part]
        yield node


def _join(path: Path) -> str:
    return ".".join(part for part in path if isinstance(part, str))


def _leaves(node: object) -> list[Leaf]:
    """List the values of a body in document order, up to a maximum number and depth."""
    leaves: list[Leaf] = []

    def walk(node: object, path: Path) -> None:
        if len(leaves) >= MOST_VALUES or len(path) > DEEPEST:
            return
        if isinstance(node, Mapping):
            for key, value in node.items():
                walk(value, (*path, key))
        elif isinstance(node, list):
            for index, value in enumerate(node):
                walk(value, (*path, index))
        elif node is not None:
            leaves.append(Leaf(path, node))

    walk(node, ())
    return leaves


def _best(leaves: Sequence[Leaf], weigh: Callable[[Leaf], int]) -> Leaf | None:
    """Return the leaf with the greatest weight; if several have it, the first of the least nested ones."""
    candidates = [(weigh(leaf), -len(leaf.path), -number, leaf) for number, leaf in enumerate(leaves)]
    best = max(candidates, key=lambda entry: entry[:3], default=None)
    return best[3] if best and best[0] > 0 else None


def _best_in(scopes: Sequence[object], weigh: Callable[[Leaf], int]) -> str | None:
    """Return the path of the best value in the event, or else in its enclosing objects."""
    for scope in scopes:
        # A value in a list belongs to one of several items, so values outside of lists are preferred.
        leaves = _leaves(scope)
        direct = [leaf for leaf in leaves if not any(isinstance(part, int) for part in leaf.path)]
        best = _best(direct, weigh) or _best(leaves, weigh)
        if best is not None:
            return ".".join(map(str, best.path))
    return None


def _name_weight(leaf: Leaf, project: Project, known_values: KnownValues) -> int:
    value = leaf.value
    if not isinstance(value, str) or not value.strip() or len(value) > LONGEST_NAME or not leaf.keys:
        return 0
    if known_values.event and value == known_values.event:
        return CERTAIN
    click_events = {use.name for mapping in project.resolved for use in mapping.click_to_track}
    is_known = (
        value.startswith(PREFIX) or value in click_events or plain(value) in {plain(name) for name in APPCUES_EVENTS}
    )
    by_key = 2 * (len(_NAME_KEYS) - _NAME_KEYS.index(leaf.key)) if leaf.key in _NAME_KEYS else 0
    if leaf.parent in _USER_OBJECTS | _GROUP_OBJECTS or leaf.parent in _ATTRIBUTE_KEYS:
        by_key = 0
    return _BY_VALUE + by_key if is_known else by_key


def _user_weight(leaf: Leaf, project: Project, known_values: KnownValues) -> int:
    value = format_user_id(leaf.value)
    if not value or value == project.settings.appcues.account_id:
        return 0
    if known_values.user_id:
        return CERTAIN if value == known_values.user_id else 0
    if leaf.parent in _USER_OBJECTS and leaf.key in ("id", "externalid", "key", "value"):
        return 95 if leaf.key == "externalid" else 85
    return _USER_KEYS.get(leaf.key, 0)


def _group_weight(leaf: Leaf, project: Project) -> int:
    value = format_user_id(leaf.value)
    if not value or value == project.settings.appcues.account_id:
        return 0
    if leaf.parent in _GROUP_OBJECTS and leaf.key in ("id", "externalid", "key"):
        return 75
    return _GROUP_KEYS.get(leaf.key, 0)


def _time_weight(leaf: Leaf) -> int:
    return _TIME_KEYS.get(leaf.key, 0) if parse_time(leaf.value) is not None else 0


def _id_weight(leaf: Leaf) -> int:
    text = format_id(leaf.value)
    if leaf.key == "id" and ((len(leaf.keys) > 1 and leaf.parent != "event") or len(text) < 6):
        return 0
    return _ID_KEYS.get(leaf.key, 0) if text and len(leaf.keys) < 3 else 0


def _attribute_places(scopes: Sequence[object]) -> tuple[str, ...]:
    """Return the objects with attributes of an event, objects with known attributes first."""
    weights: dict[str, int] = {}
    for scope in scopes:
        for path, node in _objects(scope, ()):
            hits = len({plain(key) for key in node} & {plain(name) for name in KNOWN_ATTRIBUTES})
            by_key = len(path) == 1 and plain(path[-1]) in _ATTRIBUTE_KEYS
            if hits or by_key:
                weights.setdefault(".".join(path), 2 * hits + by_key)
    return tuple(sorted(weights, key=lambda path: -weights[path]))


def _objects(node: object, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    """Yield the objects below a node with their keys, without those inside of lists."""
    if not isinstance(node, Mapping) or len(path) > DEEPEST:
        return
    if path:
        yield path, node
    for key, value in node.items():
        yield from _objects(value, (*path, str(key)))
