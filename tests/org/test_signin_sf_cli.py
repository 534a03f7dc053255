"""Sign-in through the sf CLI: a program of that name on the PATH answers like the real one."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from sfcode.errors import SignInError
from sfcode.org import Runtime, connect
from tests.org.servers import TOKEN, script, serving, soap
from tests.org.servers import fault as soap_fault

HIDDEN = "[REDACTED] Use 'sf org auth show-access-token' to view"
ORG = {"instanceUrl": "https://acme.my.salesforce.com", "username": "a@b.c", "connectedStatus": "Connected"}

PROGRAM = """#!{python}
import json, pathlib, sys
here = pathlib.Path(__file__).parent
with (here / "calls").open("a") as calls:
    calls.write(json.dumps(sys.argv[1:]) + "\\n")
name = "display" if "display" in sys.argv else "token"
answer = json.loads((here / name).read_text())
print(answer["out"])
sys.exit(answer["code"])
"""


class Sf:
    """A program `sf` in a separate folder on the PATH."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        program = folder / "sf"
        program.write_text(PROGRAM.format(python=sys.executable))
        program.chmod(0o755)

    @property
    def environ(self) -> dict[str, str]:
        return {**os.environ, "PATH": str(self.folder)}

    def answers(self, name: str, result: object = None, *, error: tuple[str, str] | None = None) -> None:
        document = {"name": error[0], "message": error[1], "exitCode": 1} if error else {"status": 0, "result": result}
        self.prints(name, json.dumps(document), 1 if error else 0)

    def prints(self, name: str, text: str, code: int = 0) -> None:
        (self.folder / name).write_text(json.dumps({"out": text, "code": code}))

    @property
    def calls(self) -> list[list[str]]:
        return [json.loads(line) for line in (self.folder / "calls").read_text().splitlines()]


@pytest.fixture
def sf(tmp_path: Path) -> Sf:
    return Sf(tmp_path)


def sign_in(sf: Sf, alias: str = "uat", runtime: Runtime | None = None):
    return connect(f"alias:{alias}", environ=sf.environ, api_version="63.0", runtime=runtime)


def test_token_and_url_are_read_from_org_display(sf: Sf) -> None:
    sf.answers("display", {**ORG, "accessToken": TOKEN})
    with sign_in(sf) as org:
        assert org.instance_url == ORG["instanceUrl"]
    assert sf.calls == [["org", "display", "--target-org=uat", "--json"]]


def test_asks_for_the_token_by_name_where_display_hides_it(sf: Sf) -> None:
    """Newer versions of the CLI print a placeholder, which is neither empty nor a token."""
    sf.answers("display", {**ORG, "accessToken": HIDDEN})
    sf.answers("token", {"accessToken": TOKEN})
    sign_in(sf).close()
    assert sf.calls[1] == ["org", "auth", "show-access-token", "--target-org=uat", "--json"]


def test_a_token_that_stays_hidden_is_never_sent(sf: Sf) -> None:
    sf.answers("display", {**ORG, "accessToken": HIDDEN})
    sf.answers("token", {"accessToken": HIDDEN})
    with pytest.raises(SignInError, match="returns no access token for uat"):
        sign_in(sf)


def test_an_alias_is_an_argument_and_nothing_else(sf: Sf, tmp_path: Path) -> None:
    alias = f"x; touch {tmp_path}/owned $(touch {tmp_path}/owned)"
    sf.answers("display", {**ORG, "accessToken": TOKEN})
    sign_in(sf, alias).close()
    assert sf.calls[0][2] == f"--target-org={alias}"
    assert not (tmp_path / "owned").exists()


def test_without_sf_the_error_lists_other_sign_in_methods(tmp_path: Path) -> None:
    with pytest.raises(SignInError, match="not installed") as caught:
        connect("alias:uat", environ={"PATH": str(tmp_path)}, api_version="63.0")
    assert "SF_ACCESS_TOKEN" in caught.value.hint


def test_an_unknown_alias_says_how_to_sign_in(sf: Sf) -> None:
    sf.answers("display", error=("NamedOrgNotFoundError", "No authorization information found for uat."))
    with pytest.raises(SignInError, match="has no org 'uat'") as caught:
        sign_in(sf)
    assert "sf org login web --alias uat" in caught.value.hint


def test_an_ended_sign_in_says_how_to_sign_in(sf: Sf) -> None:
    status = "Unable to refresh session due to: Error authenticating: expired access/refresh token"
    sf.answers("display", {**ORG, "accessToken": TOKEN, "connectedStatus": status})
    with pytest.raises(SignInError, match="has ended") as caught:
        sign_in(sf)
    assert "sf org login web --alias uat" in caught.value.hint


def test_a_cli_that_cannot_show_the_token_has_to_be_updated(sf: Sf) -> None:
    sf.answers("display", {**ORG, "accessToken": HIDDEN})
    sf.answers("token", error=("command_not_found", "org:auth:show-access-token is not a sf command."))
    with pytest.raises(SignInError, match="hides the token") as caught:
        sign_in(sf)
    assert "sf update" in caught.value.hint


def test_other_errors_are_reported_with_the_message_of_sf(sf: Sf) -> None:
    sf.answers("display", error=("SomeError", "the keychain is locked"))
    with pytest.raises(SignInError, match="the keychain is locked"):
        sign_in(sf)


def test_output_that_is_not_json_is_not_printed(sf: Sf) -> None:
    sf.prints("display", f"Warning: {TOKEN}")
    with pytest.raises(SignInError, match="without JSON") as caught:
        sign_in(sf)
    assert TOKEN not in str(caught.value)


def test_a_hanging_sf_is_terminated(tmp_path: Path) -> None:
    program = tmp_path / "sf"
    program.write_text(f"#!{sys.executable}\nimport signal\nsignal.pause()\n")
    program.chmod(0o755)
    with pytest.raises(SignInError, match="did not finish"):
        connect("alias:uat", environ={"PATH": str(tmp_path)}, api_version="63.0", runtime=Runtime(cli_timeout=0.3))


def test_a_session_that_ends_is_renewed_by_asking_sf_again(sf: Sf, runtime: Runtime) -> None:
    answers = script(
        soap_fault("INVALID_SESSION_ID", "Session expired"),
        soap("listMetadata", "<type>Flow</type><fullName>F</fullName>"),
    )
    with serving(answers) as server:
        sf.answers("display", {**ORG, "instanceUrl": server.url, "accessToken": TOKEN})
        with sign_in(sf, runtime=runtime) as org:
            sf.answers("display", {**ORG, "instanceUrl": server.url, "accessToken": "00D!renewed"})
            assert [file.full_name for file in org.metadata.list_metadata("Flow")] == ["F"]
        assert [b"00D!renewed" in request.body for request in server.requests] == [False, True]
