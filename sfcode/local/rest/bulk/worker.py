"""The thread that runs bulk jobs, and the wait for the end of a job in a request for its status."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait

from sfcode.local.context import OrgContext
from sfcode.local.errors import ApiError, describe_failure
from sfcode.local.rest.bulk import ingest, query
from sfcode.local.rest.bulk.job import ENDED, FAILED, QUERY, RUNNING, UPLOADED, Job, change
from sfcode.local.rest.bulk.table import BadTableError
from sfcode.local.store import OrgTransaction

PATIENCE = 0.25
"""Seconds that a request for the state of a job waits for its end, so that most clients need no second request."""
WAITING = frozenset({UPLOADED, RUNNING})

log = logging.getLogger(__name__)


class BulkWorker:
    """Runs one job after the other. All state is in the store, so a request for an unfinished job resumes it."""

    def __init__(self, context: OrgContext) -> None:
        self._context = context
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="bulk")
        self._lock = threading.Lock()
        self._running: dict[str, Future[None]] = {}

    def start(self, job_id: str) -> None:
        """Queue a job, unless it is queued."""
        with self._lock:
            if job_id not in self._running:
                self._running[job_id] = self._thread.submit(self._run, job_id)

    def wait_for_job(self, find: Callable[[], Job]) -> Job:
        """Return a job, after a short wait for it to finish."""
        job = find()
        if job["state"] not in WAITING:
            return job
        self.start(job["id"])
        with self._lock:
            future = self._running.get(job["id"])
        if future is not None:
            wait([future], timeout=PATIENCE)
        return find()

    def _run(self, job_id: str) -> None:
        began = time.monotonic()
        try:
            job = change(self._context, job_id, _begin)
            runner = query if job["jobType"] == QUERY else ingest
            runner.run(self._context, job, is_running=lambda: not self._context.store.closed)
        except BadTableError as error:
            self._fail(job_id, str(error))
        except ApiError as error:
            self._fail(job_id, f"{error.code}: {error.message}")
        except Exception as error:  # noqa: BLE001  (a job ends, whatever happens inside it)
            self._fail(job_id, f"InternalServerError : {describe_failure(log, f'bulk job {job_id}', error)}")
        finally:
            with contextlib.suppress(ApiError):  # the job was deleted in the meantime
                self._measure(job_id, began)
            with self._lock:
                self._running.pop(job_id, None)

    def _fail(self, job_id: str, message: str) -> None:
        def step(_tx: OrgTransaction, job: Job) -> None:
            if job["state"] not in ENDED:
                job |= {"state": FAILED, "errorMessage": message}

        change(self._context, job_id, step)

    def _measure(self, job_id: str, began: float) -> None:
        def step(_tx: OrgTransaction, job: Job) -> None:
            job["totalProcessingTime"] += round(1000 * (time.monotonic() - began))
            if "apiActiveProcessingTime" in job:
                job["apiActiveProcessingTime"] = job["totalProcessingTime"]

        change(self._context, job_id, step)


def _begin(_tx: OrgTransaction, job: Job) -> None:
    if job["state"] == UPLOADED:
        job["state"] = RUNNING
