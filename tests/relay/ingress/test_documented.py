"""The examples of docs/relay-ingress.md are accepted by the relay, and its table lists every response."""

from __future__ import annotations

import ast
import base64
import os
import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from sfcode.config import load
from sfcode.relay.reasons import REASONS
from tests.relay.ingress.asking import CONTACT, SETTINGS, TOKEN, Answer, Relay, project, secrets
from tests.relay.ingress.test_hostile import MESSAGES, WEBHOOKS

KEY = "whsec_" + base64.b64encode(b"k" * 24).decode()
TABLED_ELSEWHERE = {"unauthorized", "not_found", "unavailable", "internal_error"}


@pytest.fixture(scope="module")
def page(root: Path) -> str:
    return (root / "docs" / "relay-ingress.md").read_text()


@pytest.fixture(scope="module")
def examples(page: str) -> list[str]:
    return re.findall(r"^```sh\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


def sent(example: str, secret: str, relay: Relay) -> Answer:
    """Run an example with a curl that prints its request, and send this request to the relay."""
    process = subprocess.run(
        ["bash", "-c", 'curl() { printf "%s\\0" "$@"; }\n' + example],
        env={"PATH": os.environ["PATH"], "SFCODE_RELAY_WEBHOOK_SECRET": secret},
        capture_output=True,
        check=True,
    )
    url, *words = process.stdout.decode().split("\0")[:-1]
    options = list(zip(words[::2], words[1::2], strict=True))
    headers = [tuple(value.split(": ", 1)) for option, value in options if option == "-H"]
    (body,) = (value for option, value in options if option == "-d")
    relay.now = datetime.now(UTC)
    return relay.ask(url.removeprefix("https://relay.example.com"), body, kind=None, headers=headers)


def test_the_example_with_a_token_is_taken(examples: list[str], relay: Relay) -> None:
    assert sent(examples[0], TOKEN, relay).status == 200
    assert [m.kind for m in relay.inbox.messages] == ["appcues:flow_completed"]


needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not here")


@needs_openssl
def test_the_example_with_a_signature_is_taken_with_the_config_beside_it(
    page: str, examples: list[str], tmp_path: Path
) -> None:
    config = next(example for example in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL) if "scheme: hmac" in example)
    auth = yaml.safe_load(config)["relay"]["webhook_auth"]
    settings = ", ".join(
        f'{key}: "{value}"' if isinstance(value, str) else f"{key}: {value}" for key, value in auth.items()
    )
    relay = Relay(project(tmp_path, f"webhook_auth: {{{settings}}}"))
    assert sent(examples[1], TOKEN, relay).status == 200
    assert sent(examples[1], "another-secret-of-24-chars", relay).status == 401


@needs_openssl
def test_the_example_of_standard_webhooks_is_taken(examples: list[str], tmp_path: Path) -> None:
    relay = Relay(project(tmp_path, "webhook_auth: {scheme: standard_webhooks}"), secrets(KEY, None))
    assert sent(examples[2], KEY, relay).status == 200
    assert [m.message_id for m in relay.inbox.messages] == ["msg_1"]
    assert sent(examples[2], "whsec_" + base64.b64encode(b"x" * 24).decode(), relay).status == 401


def test_the_example_of_networks_is_a_config(page: str, tmp_path: Path) -> None:
    config = next(
        example for example in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL) if "trusted_proxies" in example
    )
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings" / "contact.yaml").write_text(CONTACT)
    settings = SETTINGS.format(url="", more="").partition("relay:")[0]
    (tmp_path / "sfcode.yaml").write_text(settings + config + "  url: https://relay.example.com\n")
    assert load(tmp_path).settings.relay.outbound.networks


def test_every_answer_is_in_the_table_and_every_row_is_an_answer(page: str, root: Path) -> None:
    rows = {(int(status), name) for status, name in re.findall(r"^\| (\d+) \| `(\w+)` \|", page, re.MULTILINE)}
    tried = {(case.status, case.reason) for case in [*WEBHOOKS, *MESSAGES]}
    assert tried <= rows
    assert {name for _, name in rows - tried} == TABLED_ELSEWHERE
    assert raised(root) <= {name for _, name in rows}


def raised(root: Path) -> set[str]:
    """List the reasons with which the code refuses requests."""
    names = set()
    for path in (root / "sfcode" / "relay" / "ingress").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in ("HttpError", "_Wrong")
            ):
                reason = node.args[-1] if node.func.id == "_Wrong" else node.args[1]
                names |= {part.value for part in ast.walk(reason) if isinstance(part, ast.Constant)}
    assert len(names) > 20
    return names


def test_every_reason_for_parking_is_on_the_page_and_has_words_for_people(page: str, root: Path) -> None:
    texts = [
        (root / "sfcode" / "relay" / "ingress" / f"{name}.py").read_text()
        for name in ("appcues_parser", "salesforce_parser")
    ]
    parked = {name for text in texts for name in re.findall(r'"((?:no|not|other)_[a-z_]+)"', text)}
    assert len(parked) == 5
    assert parked <= set(REASONS)
    assert {name for name in parked if f"`{name}`" not in page} == set()
