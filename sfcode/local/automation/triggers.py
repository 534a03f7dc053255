"""Run the flows and workflow rules of a save."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import cached_property

from sfcode.local.automation import flows, rules, setup_rules
from sfcode.local.automation.compare import NotModeled
from sfcode.local.automation.record import RecordSave
from sfcode.local.errors import ApiError, make_error
from sfcode.local.sobjects.access import UserAccess
from sfcode.local.sobjects.catalog import Catalog
from sfcode.local.store import OrgTransaction, Record, Stored, StoredFlowVersion

MAY_SEND = "EnableNotifications"
"""
The user permission without which a user's saves send no messages: "Send Outbound Messages" in Setup.

An integration user without this permission does not get its own changes back as messages.

https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_om_outboundmessaging_setting_up.htm
"""
MESSAGE = "OutboundMessage"


class Automation:
    """The automation of one transaction for one user; it caches what it reads."""

    def __init__(
        self,
        tx: OrgTransaction,
        access: UserAccess,
        now: datetime,
        create: Callable[[str, Record], object],
        *,
        assigns: bool = False,
    ) -> None:
        self._tx = tx
        self._access = access
        self._now = now
        self._create = create
        """Creates a record for a flow."""
        self._assigns = assigns
        self._known: dict[str, tuple[list[StoredFlowVersion], list[Stored]]] = {}

    def after_save(self, object_name: str, before: Record | None, record_id: str) -> None:
        """Run the automation of a saved record; messages are queued in the same transaction."""
        started, active = self._of(object_name)
        if not (started or active or self._assigns):
            return
        target, after = self._catalog.object(object_name), self._tx.records.get(object_name, record_id)
        if target is None or after is None:
            return
        saved = RecordSave(self._tx, self._catalog, target, before, after, self._access, self._now, before is None)
        # An org runs assignment rules first, then workflow rules.
        owner = setup_rules.find_owner(saved) if self._assigns else None
        if owner and owner != after.get("OwnerId"):
            self._tx.records.update(
                object_name, record_id, {"OwnerId": owner}, user_id=self._access.user_id, now=self._now
            )
            saved = replace(saved, after={**after, "OwnerId": owner})
        for rule in active:
            self._rule(saved, rule)
        for version in started:
            self._flow(saved, version)

    def _of(self, object_name: str) -> tuple[list[StoredFlowVersion], list[Stored]]:
        if object_name not in self._known:
            workflow_rules = self._tx.components.children("WorkflowRule", object_name)
            active = [stored for stored in workflow_rules if stored.component.body.get("active")]
            self._known[object_name] = (self._tx.flows.list_triggered(object_name, flows.AFTER_SAVE), active)
        return self._known[object_name]

    def _flow(self, saved: RecordSave, version: StoredFlowVersion) -> None:
        source = f"Flow:{version.full_name}"
        try:
            if flows.starts(saved, version.body):
                self._send(saved, source, flows.run_flow(saved, version.body, self._create))
        except ApiError as error:
            label = version.body.get("label") or version.full_name
            raise make_error("flow_failed", flow=label, error=f"{error.code}: {error.message}") from error
        except NotModeled as error:
            self._log(saved, source, str(error))

    def _rule(self, saved: RecordSave, rule: Stored) -> None:
        source = f"WorkflowRule:{rule.component.full_name}"
        try:
            if not rules.runs(saved, rule.component.body):
                return
        except NotModeled as error:
            self._log(saved, source, str(error))
            return
        actions = rule.component.body.get("actions")
        by_name = actions if isinstance(actions, Mapping) else {}
        messages = [name for name, row in by_name.items() if isinstance(row, Mapping) and row.get("type") == MESSAGE]
        self._send(saved, source, (f"{saved.target.name}.{name}" for name in messages))
        for name in sorted(set(by_name) - set(messages)):
            self._log(saved, source, f"its action {name} is not run by the local org: it is no outbound message")
        if rule.component.body.get("workflowTimeTriggers"):
            self._log(saved, source, "its time triggers are not run by the local org")

    def _send(self, saved: RecordSave, source: str, names: Iterable[str]) -> None:
        for name in names:
            message = self._tx.components.get("WorkflowOutboundMessage", name)
            if message is None:
                self._log(saved, source, f"there is no outbound message {name}")
            elif not self._access.has(MAY_SEND):
                self._log(saved, source, f"{name} is not sent: the saving user has no right to send outbound messages")
            else:
                self._tx.notifications.queue(message.id, saved.id, now=self._now)

    @cached_property
    def _catalog(self) -> Catalog:
        """All objects: automation runs without the saving user's restrictions."""
        return Catalog(self._tx)

    def _log(self, saved: RecordSave, source: str, text: str) -> None:
        self._tx.automation_log.add(source, saved.id, text, now=self._now)
