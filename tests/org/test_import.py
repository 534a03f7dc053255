from __future__ import annotations

import subprocess
import sys

HEAVY = ["requests", "lxml", "simple_salesforce", "zeep", "jwt", "cryptography"]


def test_importing_the_package_loads_nothing_that_only_a_request_needs() -> None:
    code = f"import sys, sfcode.org; print([name for name in {HEAVY} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_the_metadata_client_does_without_simple_salesforce() -> None:
    code = f"import sys, sfcode.org.metadata_api; print([name for name in {HEAVY[2:]} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
