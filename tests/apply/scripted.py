"""An org and a lock that behave as a test specifies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace

from sfcode.apply.lock import Lock
from sfcode.errors import Refused
from sfcode.org.results import DeployOptions, DeployResult

ID = "0Af000000000001AAA"


@dataclass
class CountingLock(Lock):
    """A lock that is lost after a number of steps, and that records the IDs of deployments."""

    holds_for: float = float("inf")
    confirmed: int = 0
    deployments: list[str] = field(default_factory=list)

    def confirm(self) -> None:
        if self.confirmed >= self.holds_for:
            raise Refused("Another run has taken over the lock of this org; no further changes are made.")
        self.confirmed += 1

    def record_deployment(self, deploy_id: str) -> None:
        self.deployments.append(deploy_id)


@dataclass
class ScriptedOrg:
    """An org with a list of statuses for each deployment, and a clock that advances only when the client sleeps."""

    courses: list[list[DeployResult | BaseException]]
    time: float = 100.0
    sent: list[DeployOptions] = field(default_factory=list)
    packages: list[bytes] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    tooled: list[str] = field(default_factory=list)
    quick: list[str] = field(default_factory=list)
    quick_error: BaseException | None = None
    cancel_error: BaseException | None = None
    sandbox: bool = True
    active: str = "3012"

    @property
    def metadata(self) -> ScriptedOrg:
        return self

    @property
    def identity(self) -> SimpleNamespace:
        return SimpleNamespace(sandbox=self.sandbox)

    @property
    def runtime(self) -> SimpleNamespace:
        return SimpleNamespace(clock=lambda: self.time, sleep=self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds

    def deploy(self, zipped: bytes, options: DeployOptions) -> str:
        self.packages.append(zipped)
        self.sent.append(options)
        return f"{ID[:-4]}{len(self.sent):04}"

    def quick_deploy(self, validation: str) -> str:
        self.quick.append(validation)
        if self.quick_error:
            raise self.quick_error
        return f"{ID[:-4]}Q{len(self.quick):03}"

    def tooling_query(self, soql: str, _value: object) -> list[dict[str, object]]:
        """Return the two versions of one flow, of which the second is active."""
        if "FROM FlowDefinition" in soql:
            return [{"Id": "300", "DeveloperName": "Appcues_contact", "ActiveVersionId": self.active}]
        return [{"Id": f"301{number}", "DefinitionId": "300", "VersionNumber": number} for number in (2, 1)]

    def tooling_update(self, type_: str, id_: str, _values: object) -> None:
        self.tooled.append(f"update {type_} {id_}")

    def tooling_delete(self, type_: str, id_: str) -> None:
        self.tooled.append(f"delete {type_} {id_}")

    def cancel_deploy(self, deploy_id: str) -> None:
        self.cancelled.append(deploy_id)
        if self.cancel_error:
            raise self.cancel_error

    def follow(self, _deploy_id: str, progress: Callable[[DeployResult], None]) -> DeployResult:
        for result in self.courses.pop(0):
            if isinstance(result, BaseException):
                raise result
            progress(result)
        assert isinstance(result, DeployResult)
        return result
