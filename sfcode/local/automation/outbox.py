"""Build messages from queued notifications, with the current values as the message's user sees them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sfcode.lazy_dataclasses import dataclass
from sfcode.local.auth import find_active_user
from sfcode.local.automation.message import MessageItem, MessageSource, envelope, format_value
from sfcode.local.sobjects.access import UserAccess
from sfcode.local.sobjects.catalog import Catalog
from sfcode.local.sobjects.formulas import FormulaRows
from sfcode.local.sobjects.model import ObjectDef
from sfcode.local.sobjects.rows import Rows
from sfcode.local.store import OrgTransaction
from sfcode.local.tables.outbound import QueuedNotification

ALWAYS = ("Id",)


@dataclass(frozen=True)
class OutgoingMessage:
    """One message for one endpoint, with its notifications."""

    notifications: tuple[QueuedNotification, ...]
    endpoint: str
    body: bytes
    problem: str | None = None
    """Why the message can never be sent; None if it can be sent."""


def build_message(
    tx: OrgTransaction, batch: tuple[QueuedNotification, ...], url: str, now: datetime
) -> OutgoingMessage | None:
    """Build the message of one batch; None if its outbound message no longer exists in the org."""
    stored = tx.components.get_by_id(batch[0].action_id)
    if stored is None:
        return None
    body: Mapping[str, object] = stored.component.body
    object_name = stored.component.full_name.partition(".")[0]
    catalog = Catalog(tx)
    target = catalog.object(object_name)
    endpoint = str(body.get("endpointUrl") or "")
    user = find_active_user(tx, body.get("integrationUser"))
    if target is None or user is None:
        return OutgoingMessage(batch, endpoint, b"", f"the message's user {body.get('integrationUser')} is not active")
    access = UserAccess(tx, str(user["Id"]))
    names = [name for name in _list(body.get("fields")) if _readable(access, target, name)]
    records = _Records(tx, catalog, target, order_fields(names), now)
    sender = MessageSource(
        tx.settings.get("org_id") or "", url, stored.id, str(body.get("apiVersion") or "0"), target.name
    )
    return OutgoingMessage(batch, endpoint, envelope(sender, [records.item(notification) for notification in batch]))


def order_fields(names: Sequence[str]) -> tuple[str, ...]:
    """Order the fields of a message: `Id` first, which is always present, then by name."""
    return (*ALWAYS, *sorted({name for name in names if name not in ALWAYS}))


def _list(value: object) -> list[str]:
    return [str(entry) for entry in value] if isinstance(value, list) else [str(value)] if value else []


def _readable(access: UserAccess, target: ObjectDef, name: str) -> bool:
    field = target.field(name)
    return field is not None and access.object(target.name).read and access.field(target.name, field)[0]


class _Records:
    def __init__(
        self, tx: OrgTransaction, catalog: Catalog, target: ObjectDef, names: Sequence[str], now: datetime
    ) -> None:
        self._tx = tx
        self._target = target
        self._fields = [field for field in map(target.field, names) if field is not None]
        self._computing = FormulaRows(catalog, Rows(tx), now)

    def item(self, notification: QueuedNotification) -> MessageItem:
        record = self._tx.records.get(self._target.name, notification.record_id)
        if record is None:
            return MessageItem(notification.id, None)
        (row,) = self._computing.rows(self._target, [record])
        texts = ((field.name, format_value(field, row.get(field.name))) for field in self._fields)
        return MessageItem(notification.id, tuple((name, text) for name, text in texts if text is not None))
