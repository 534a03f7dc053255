"""Deploys as jobs: queued, run one at a time, and stored so that they survive the process."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfcode.lazy_dataclasses import dataclass, replace
from sfcode.local import ids
from sfcode.local.auth import UserSession
from sfcode.local.context import OrgContext
from sfcode.local.errors import describe_failure
from sfcode.local.http.soap import SoapFault
from sfcode.local.metadata.deploy import options as options_of
from sfcode.local.metadata.deploy import result
from sfcode.local.metadata.deploy.messages import DeployRefused
from sfcode.local.metadata.deploy.options import DeployRequestOptions
from sfcode.local.store import OrgTransaction
from sfcode.process import is_running

if TYPE_CHECKING:
    from sfcode.local.metadata.deploy.engine import DeployOutcome

log = logging.getLogger(__name__)

PATIENCE = 0.25
"""Seconds that a request for a deploy's status waits for its end, so that most clients need no second request."""
LOST_AFTER = timedelta(minutes=5)
"""The time without an update after which the process of a deploy is considered dead."""
LOST = "An unexpected error occurred: the org was stopped while the deployment ran. Nothing was changed; deploy again."

MAX_KEPT = 100
"""The number of deploys that are kept, so that the state does not grow; an org keeps them for a month."""

LOCKED = (
    "The changes you requested require salesforce.com to temporarily lock your organization's administration setup. However, "
    "the administration setup has already been locked by another change. Please wait for the previous action to finish, "
    "then try again later."
)

DEPLOYED = frozenset({"Succeeded", "SucceededPartial"})
VALID_FOR = timedelta(days=10)
"""The time for which a validation can be deployed."""

Report = dict[str, Any]


# Keyed by state file and ID, since several servers of a process may share a state and its deploys.
_running: dict[tuple[Path, str], Future[None]] = {}
_lock = threading.Lock()


class _Cancelled(Exception):
    """Raised to roll back the transaction of a deploy that was canceled in time."""


class Deployments:
    """The deploy queue of one server; the reports are in the store, where every server finds them."""

    def __init__(self, context: OrgContext) -> None:
        self._context = context
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="deploy")
        self._cancelled: dict[str, UserSession] = {}
        self._waiting = DelayedDeploys()

    def start(self, data: bytes, options: DeployRequestOptions, session: UserSession) -> Report:
        """Queue a deploy and return its pending report. Raises SoapFault for options that the org refuses."""
        from sfcode.local.metadata.deploy.production import check_options

        with self._context.store.transaction() as tx:
            check_options(tx, options)
            deploy_id = tx.deploys.new_id()
            user = tx.records.get("User", session.user_id) or {}
            report = result.report_pending(deploy_id, options, session.user_id, str(user.get("Name")), self._now())
            self._put(tx, report, options, data if options.checkOnly and options.runs_tests else None)
            tx.deploys.drop_old(MAX_KEPT)
        slow = self._context.faults.take("slow_deploy")
        if slow is None:
            self._begin(deploy_id, data, options, session)
        else:
            self._waiting.hold(deploy_id, slow.polls, lambda: self._begin(deploy_id, data, options, session))
        return report

    def _begin(self, deploy_id: str, data: bytes, options: DeployRequestOptions, session: UserSession) -> None:
        with _lock:
            future = self._worker.submit(self._run, deploy_id, data, options, session)
            _running[self._key(deploy_id)] = future
        future.add_done_callback(lambda _: self._forget(deploy_id))

    def start_validated(self, validation_id: str, session: UserSession) -> Report:
        """Queue the deploy of a package whose validation with tests succeeded recently. Raises SoapFault for another."""
        report = self.status(validation_id)
        with self._context.store.read() as tx:
            data = tx.deploys.payload(validation_id)
            options = options_of.from_json((tx.deploys.get(validation_id) or {}).get("options") or {})
            later = [row["report"] for row in tx.deploys.list_all() if row["report"]["id"] > report["id"]]
        began = datetime.strptime(report["createdDate"], "%Y-%m-%dT%H:%M:%S.%f%z")
        if data is None or not report["success"] or self._now() - began > VALID_FOR:
            raise SoapFault(
                "INVALID_ID_FIELD",
                f"{report['id']} can't be deployed: it is no successful validation with tests of the last {VALID_FOR.days} days",
            )
        if any(later_report["status"] in DEPLOYED and not later_report["checkOnly"] for later_report in later):
            # https://salesforce.stackexchange.com/questions/187859 quotes the help: every deployment ends all validations.
            raise SoapFault(
                "INVALID_ID_FIELD",
                f"{report['id']} can't be deployed: something was deployed since. Validate it again.",
            )
        # The validation has already run the tests.
        return self.start(data, replace(options, checkOnly=False, testLevel=None, runTests=()), session)

    def busy(self) -> bool:
        """Return whether a deploy of this process is running or about to run."""
        with _lock:
            own_ids = [deploy_id for path, deploy_id in _running if path == self._context.store.path]
        # A deploy that has ended may remain in `_running` for a moment.
        return any(not self._row(deploy_id)["report"]["done"] for deploy_id in own_ids)

    def status(self, deploy_id: str) -> Report:
        """Return the report of a deploy. Raises SoapFault for an unknown ID."""
        waits = self._waiting.poll(ids.full(deploy_id))
        if waits is not None:
            delayed_report: Report = self._row(deploy_id)["report"]
            return delayed_report if waits == "Pending" else result.report_started(delayed_report, self._now())
        with _lock:
            future = _running.get(self._key(deploy_id))
        if future is not None:
            wait([future], timeout=PATIENCE)
        row = self._row(deploy_id)
        report: Report = row["report"]
        if report["done"] or not self._is_lost(row):
            return report
        with self._context.store.transaction() as tx:
            end = result.report_stopped(report, "Failed", self._now(), code="UNKNOWN_EXCEPTION", message=LOST)
            self._put(tx, end)
        return end

    def cancel(self, deploy_id: str, session: UserSession) -> Report:
        """Cancel a deploy: at once if it is pending, otherwise before it commits. Raises SoapFault."""
        deploy_id = ids.full(deploy_id)
        if self._waiting.drop(deploy_id):
            self._end(self._as_cancelled(self._row(deploy_id)["report"], session))
        elif self.status(deploy_id)["done"]:
            raise SoapFault("INVALID_ID_FIELD", "Deployment already completed")
        with _lock:
            if self._key(deploy_id) in _running:
                self._cancelled[deploy_id] = session
        with self._context.store.transaction() as tx:
            row = tx.deploys.get(deploy_id) or {}
            report: Report = row["report"]
            if report["status"] == "Pending":
                report = self._as_cancelled(report, session)
            elif not report["done"]:
                report |= {"status": "Canceling"}
            self._put(tx, report)
        return report

    def _run(self, deploy_id: str, data: bytes, options: DeployRequestOptions, session: UserSession) -> None:
        report: Report = self._row(deploy_id)["report"]
        if report["done"]:
            return
        try:
            if self._context.faults.take("locked_org") is not None:
                raise DeployRefused("ALREADY_IN_PROCESS", LOCKED)
            report = result.report_started(report, self._now())
            with self._context.store.transaction() as tx:
                self._put(tx, report)
            # Imported with the first deploy, so that a server starts faster.
            from sfcode.local.metadata.deploy.engine import deploy_zip

            def finish(tx: OrgTransaction, outcome: DeployOutcome) -> None:
                if deploy_id in self._cancelled:
                    raise _Cancelled
                self._put(tx, result.report_finished(report, outcome, self._now()))

            deploy_zip(self._context, data, options, session.user_id, finish)
        except _Cancelled:
            self._end(self._as_cancelled(report, self._cancelled[deploy_id]))
        except DeployRefused as error:
            message = f"{error.code}: {error.message}"
            self._end(result.report_stopped(report, "Failed", self._now(), code=error.code, message=message))
        except Exception as error:  # noqa: BLE001  (a job ends, whatever happens inside it)
            message = f"{describe_failure(log, f'deploy {deploy_id}', error)}. Nothing was changed."
            self._end(result.report_stopped(report, "Failed", self._now(), code="UNKNOWN_EXCEPTION", message=message))

    def _as_cancelled(self, report: Report, session: UserSession) -> Report:
        by = {"canceledBy": session.user_id, "canceledByName": session.username}
        return result.report_stopped(report, "Canceled", self._now()) | by

    def _end(self, report: Report) -> None:
        with self._context.store.transaction() as tx:
            self._put(tx, report)

    def _put(
        self, tx: OrgTransaction, report: Report, options: DeployRequestOptions | None = None, data: bytes | None = None
    ) -> None:
        option_values = options.json() if options else (tx.deploys.get(report["id"]) or {}).get("options")
        # The machine's clock is used, since tests may advance the org's.
        heartbeat = datetime.now(UTC).isoformat()
        body = {"report": report, "options": option_values, "process": os.getpid(), "seen": heartbeat}
        tx.deploys.put(report["id"], body, data)

    def _row(self, deploy_id: str) -> Mapping[str, Any]:
        with self._context.store.read() as tx:
            row = tx.deploys.get(deploy_id)
        if row is None:
            raise SoapFault("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
        return row

    def _is_lost(self, row: Mapping[str, Any]) -> bool:
        if row["process"] == os.getpid():
            with _lock:
                is_running_here = self._key(row["report"]["id"]) in _running
            # The deploy may have ended after its report was read, so the report is read again.
            return not is_running_here and not self._row(row["report"]["id"])["report"]["done"]
        if datetime.now(UTC) - datetime.fromisoformat(row["seen"]) > LOST_AFTER:
            return True
        return not is_running(row["process"])

    def _forget(self, deploy_id: str) -> None:
        with _lock:
            _running.pop(self._key(deploy_id), None)
            self._cancelled.pop(deploy_id, None)

    def _key(self, deploy_id: str) -> tuple[Path, str]:
        return self._context.store.path, ids.full(deploy_id)

    def _now(self) -> datetime:
        return self._context.clock.now()


@dataclass
class _Held:
    polls: int
    left: int
    begin: Callable[[], None]


class DelayedDeploys:
    """The deploys of one server that a fault delays. Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[str, _Held] = {}

    def hold(self, deploy_id: str, polls: int, begin: Callable[[], None]) -> None:
        """Delay a deploy until its status was requested a number of times."""
        with self._lock:
            self._held[deploy_id] = _Held(polls, polls, begin)

    def poll(self, deploy_id: str) -> str | None:
        """Count a status request and return the status, `Pending` or later `InProgress`; None if the deploy is not delayed."""
        with self._lock:
            deploy = self._held.get(deploy_id)
            if deploy is None:
                return None
            deploy.left -= 1
            if deploy.left >= 0:
                return "Pending" if deploy.left >= deploy.polls // 2 else "InProgress"
            del self._held[deploy_id]
        deploy.begin()
        return None

    def drop(self, deploy_id: str) -> bool:
        """Cancel a delayed deploy; return whether it was waiting."""
        with self._lock:
            return self._held.pop(deploy_id, None) is not None
