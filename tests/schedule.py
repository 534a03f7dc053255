"""
The order in which workers of pytest-xdist take tests: slow files first, so that none of them is left at the end.

A file is assigned to one worker as a whole, because its tests share what they prepare. Files of LONG that are marked
are assigned test by test.
"""

from __future__ import annotations

import pytest
from xdist.scheduler import LoadScopeScheduling

WHOLE, APART = False, True

LONG = {
    "tests/test_demo_relay.py": APART,
    "tests/relay/e2e/test_serve.py": WHOLE,
    "tests/e2e/test_cut.py": APART,
    "tests/e2e/test_github_journey.py": WHOLE,
    "tests/contract/test_named_org.py": WHOLE,
    "tests/e2e/test_faults.py": APART,
    "tests/e2e/test_random_journeys.py": APART,
    "tests/contract/test_sf_deploy.py": APART,
    "tests/contract/test_sf_anywhere.py": APART,
    "tests/contract/test_sf_org.py": APART,
    "tests/relay/ingress/test_sockets.py": WHOLE,
    "tests/github/test_body.py": APART,
    "tests/e2e/test_drift.py": WHOLE,
    "tests/relay/inbox/test_machine.py": APART,
    "tests/test_docs.py": APART,
    "tests/test_docs_served.py": WHOLE,
    "tests/contract/cumulusci/test_cumulusci.py": APART,
    "tests/relay/inbox/test_plans.py": WHOLE,
    "tests/relay/inbox/test_processes.py": WHOLE,
    "tests/test_demo.py": APART,
    "tests/test_growth.py": WHOLE,
    "tests/test_wheel.py": WHOLE,
}
"""The files that take more than ten seconds, longest first."""


def order(items: list[pytest.Item]) -> None:
    """Put the slow files first, each group in the order of collection."""
    places = {path: place for place, path in enumerate(LONG)}
    items.sort(key=lambda item: places.get(item.nodeid.partition("::")[0], len(places)))


class LongFirst(LoadScopeScheduling):
    """Assigns files in the order of collection, and single tests of the files that are marked."""

    def __init__(self, config: pytest.Config, log: object) -> None:
        config.option.loadscopereorder = False
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        return nodeid if LONG.get(path) is APART else path
