"""
Deploy a package in one transaction, all or nothing.

All components are stored first and checked afterwards, so that references need no order and every
check uses the final state; after an error the transaction is rolled back.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterable
from typing import Any

from sfcode.lazy_dataclasses import dataclass, replace
from sfcode.local.context import OrgContext
from sfcode.local.metadata.deploy import apex, production
from sfcode.local.metadata.deploy.apex import Test
from sfcode.local.metadata.deploy.checks import problems
from sfcode.local.metadata.deploy.destroy import destroy
from sfcode.local.metadata.deploy.manifests import Deletion
from sfcode.local.metadata.deploy.messages import ComponentMessage, DeployRefused
from sfcode.local.metadata.deploy.options import DeployRequestOptions
from sfcode.local.metadata.deploy.org_view import DeployView, Subject
from sfcode.local.metadata.deploy.package import Package, open_package
from sfcode.local.metadata.deploy.package_items import PackageItem
from sfcode.local.metadata.deploy.store import Author, StoredItem, store_item
from sfcode.local.store import OrgTransaction, Store, Undo
from sfcode.metadata.errors import MetadataError
from sfcode.metadata.manifest import PACKAGE


@dataclass(frozen=True)
class DeployOutcome:
    """The result of a deploy: all messages, and whether anything changed."""

    status: str
    messages: tuple[ComponentMessage, ...]
    tests: tuple[Test, ...] = ()
    coverage_warnings: tuple[dict[str, Any], ...] = ()
    """Active flows that too few tests cover."""

    @property
    def failures(self) -> tuple[ComponentMessage, ...]:
        """The messages of failures."""
        return tuple(message for message in self.messages if not message.success)


Finish = Callable[[OrgTransaction, DeployOutcome], None]


def deploy(
    store: Store, package: Package, options: DeployRequestOptions, author: Author, finish: Finish
) -> DeployOutcome:
    """Deploy a package; `finish` stores the outcome, in the same transaction as the components if they are stored."""
    failed = _index(_apply_warnings(package.problems, options))
    if failed and not package.api_version:
        # Without a readable manifest it is unknown what the package contains.
        return _finish_unchanged(store, _make_outcome(failed.values(), [], options), finish)
    while True:
        # Repeat without the components that failed, until no other component fails.
        stands = False
        with store.transaction() as tx:
            messages = _apply_warnings(_attempt(store, tx, package, author, failed), options)
            new = _index(message for message in messages if not message.success)
            outcome = _make_outcome(
                [*failed.values(), *new.values()], [message for message in messages if message.success], options
            )
            if not new:
                outcome = _run_tests(tx, package, options, outcome)
            covered = not outcome.coverage_warnings
            stands = not new and covered and (not failed or not options.rollbackOnError) and not options.checkOnly
            if not stands:
                raise Undo
            finish(tx, outcome)
        failed |= new
        if stands:
            return outcome
        if not new or options.rollbackOnError:
            return _finish_unchanged(store, outcome, finish)


def _run_tests(
    tx: OrgTransaction, package: Package, options: DeployRequestOptions, outcome: DeployOutcome
) -> DeployOutcome:
    types = {item.component.type for item in package.items}
    tests = apex.find_tests(tx, production.with_default_tests(tx, options, types))
    active = {item.component.full_name for item in package.items if item.component.body.get("status") == "Active"}
    warnings = apex.find_coverage_warnings(tx, active) if active and production.requires_coverage(tx) else ()
    return replace(outcome, tests=tests, coverage_warnings=warnings, status="Failed" if warnings else outcome.status)


def _finish_unchanged(store: Store, outcome: DeployOutcome, finish: Finish) -> DeployOutcome:
    with store.transaction() as tx:
        finish(tx, outcome)
    return outcome


def _make_outcome(
    failures: Iterable[ComponentMessage], successes: list[ComponentMessage], options: DeployRequestOptions
) -> DeployOutcome:
    failed = list(failures)
    if not failed:
        status = "Succeeded"
    else:
        components = [message for message in successes if message.component_type]
        status = "SucceededPartial" if components and not options.rollbackOnError else "Failed"
    return DeployOutcome(status, (*failed, *successes))


def _apply_warnings(messages: Iterable[ComponentMessage], options: DeployRequestOptions) -> list[ComponentMessage]:
    """Return the messages with warnings as failures, unless the options ignore warnings."""
    return [
        message.as_failure() if message.problem_type == "Warning" and not options.ignoreWarnings else message
        for message in messages
    ]


Key = tuple[str, str, str, str]


def _key(message: ComponentMessage) -> Key:
    return message.component_type, message.full_name, message.file_name, message.problem


def _index(messages: Iterable[ComponentMessage]) -> dict[Key, ComponentMessage]:
    return {_key(message): message for message in messages}


def _attempt(
    store: Store, tx: OrgTransaction, package: Package, author: Author, failed: Collection[Key]
) -> list[ComponentMessage]:
    out = {(key[0], key[1]) for key in failed}

    def left(deletions: tuple[Deletion, ...]) -> list[Deletion]:
        return [deletion for deletion in deletions if (deletion.address.type, deletion.address.full_name) not in out]

    messages = destroy(tx, left(package.before), author)
    items = [item for item in package.items if (item.component.type, item.component.full_name) not in out]
    messages += _store_and_check(store, tx, items, author)
    messages += destroy(tx, left(package.after), author)
    name = package.root + PACKAGE
    messages.append(ComponentMessage(PACKAGE, "", name))
    return [message for message in messages if _key(message) not in failed]


def _store_and_check(
    store: Store, tx: OrgTransaction, items: list[PackageItem], author: Author
) -> list[ComponentMessage]:
    stored_items: list[tuple[PackageItem, StoredItem | None]] = []
    for item in items:
        store.check_open()
        stored_items.append((item, None if item.bare else store_item(tx, item, author)))
    view = DeployView(tx)
    messages = []
    for item, stored_item in stored_items:
        store.check_open()
        name, type_ = item.component.full_name, item.component.type
        message = ComponentMessage(name, type_, item.file)
        if stored_item is None:
            messages.append(message)
            continue
        subject = Subject(stored_item.component, stored_item.before, view, author.api_version)
        # An org stops at the first fault of a component.
        faults = [item.error(problem) for problem in itertools.islice(problems(subject), 1)]
        outcome = stored_item.put
        messages += faults or [replace(message, id=outcome.id, changed=outcome.changed, created=outcome.created)]
    return messages


def deploy_zip(context: OrgContext, data: bytes, options: DeployRequestOptions, user_id: str, finish: Finish) -> None:
    """Open a zip and deploy it; `finish` stores the outcome. Raises DeployRefused for a package that is too large."""
    try:
        package = open_package(data, options, context.store.check_open)
    except MetadataError as error:
        raise DeployRefused(*_describe_limit(error.problem)) from error
    author = Author(user_id, context.clock.now(), package.api_version)
    deploy(context.store, package, options, author, finish)


def _describe_limit(problem: str) -> tuple[str, str]:
    if problem.endswith("are not read"):
        # https://github.com/forcedotcom/cli/issues/2910
        return "INVALID_OPERATION", "Too many files in zip"
    return "LIMIT_EXCEEDED", problem
