"""
Show the main job on this machine: plan, apply, plan again, against an org that sfcode serves to itself.

Works on a copy of config/ in a temporary folder, so it leaves nothing behind. Exits 1 if the second
plan still finds something to change.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OUTBOUND = "SFCODE_RELAY_OUTBOUND_SECRET"


def say(text: str) -> None:
    """Print one paragraph of explanation."""
    print(f"\n# {text}", flush=True)


def sfcode(folder: Path, environment: dict[str, str], *arguments: str) -> int:
    """Run one command as a user would, and show it."""
    shown = ("sfcode", "--config", "config", "--env", "local", *arguments)
    print(f"\n$ {' '.join(shown)}\n", flush=True)
    command = [str(Path(sys.executable).with_name("sfcode")), *shown[1:]]
    return subprocess.run(command, cwd=folder, env=environment, check=False).returncode


def demo(folder: Path) -> int:
    """Plan, apply, plan again in `folder`; return the exit code of the whole."""
    shutil.copytree(ROOT / "config", folder / "config")
    environment = {**os.environ, OUTBOUND: secrets.token_urlsafe(24)}
    for name in ("SFCODE_CONFIG", "SFCODE_ENV", "SFCODE_ORG"):
        environment.pop(name, None)

    say("The integration of this repository's config/ against an org that runs on this machine.")
    print(f"# Everything is in {folder} and goes away at the end.")
    print(f"# {OUTBOUND} is made up for this run; a real one comes from your secret store.")

    say("1. What would change in the org? Nothing is touched.")
    if sfcode(folder, environment, "plan"):
        return 1
    say("2. Do it: one package, one transaction, with the user before and the assignments after.")
    if sfcode(folder, environment, "apply", "--auto-approve"):
        return 1
    say("3. Ask again. An exit code of 0 says that the org is what config/ asks for; 2 would say that it is not.")
    answer = sfcode(folder, environment, "plan", "--detailed-exitcode")
    if answer:
        say(f"The second plan ended with {answer}: it should have found nothing to change.")
        return 1
    return 0


def main() -> int:
    """Run the demo in a temporary folder."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="sfcode-demo-") as folder:
        code = demo(Path(folder))
    if code == 0:
        say(f"Done in {time.monotonic() - started:.1f} s. Change a mapping in config/mappings/ and run it again.")
    return code


if __name__ == "__main__":
    sys.exit(main())
