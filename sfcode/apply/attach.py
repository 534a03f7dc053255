"""Pick up a deployment that another process, or another machine, started."""

from __future__ import annotations

import re

from sfcode.apply.deploy import Say, watch
from sfcode.errors import UsageError
from sfcode.org import Org
from sfcode.org.results import DeployResult


def attach(org: Org, deploy_id: str, say: Say) -> DeployResult:
    """Follow the deployment to its end. Raises UsageError for what is no id of a deployment."""
    if not re.fullmatch(r"0Af[A-Za-z0-9]{12}(?:[A-Za-z0-9]{3})?", deploy_id):
        raise UsageError(
            f"{deploy_id!r} is no id of a deployment.",
            "It starts with 0Af and has 15 or 18 characters; apply prints it.",
        )
    return watch(org, deploy_id, say)
