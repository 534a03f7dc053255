"""The origin of a plan: links to the commit and to YAML lines."""

from __future__ import annotations

import pytest

from sfcode.diagnostics import Position
from sfcode.mapping.desired import Desired, Origin
from sfcode.metadata.component import Address, Component
from sfcode.plan.change import Change
from sfcode.plan.plan import Plan
from sfcode.plan.provenance import Provenance, list_lines, web_address
from sfcode.plan.reports.html import html
from tests.plan.samples import TARGET, number, permissions

PLACE = "config/mappings/my contact.yaml:12"


def make_plan(*changes: Change, provenance: Provenance | None = None) -> Plan:
    return Plan(TARGET, "local", "1", "63.0", Address("StaticResource", "S"), changes, {}, provenance=provenance)


@pytest.mark.parametrize(
    ("remote", "address"),
    [
        ("git@github.com:acme/crm.git", "https://github.com/acme/crm"),
        ("https://github.com/acme/crm", "https://github.com/acme/crm"),
        ("https://user:t0ken@gitlab.example.com:8443/a/b/crm.git/", "https://gitlab.example.com:8443/a/b/crm"),
        ("ssh://git@git.example.com:2222/acme/crm.git", "https://git.example.com/acme/crm"),
        ("/srv/git/crm.git", ""),
        ("file:///srv/git/crm.git", ""),
        ("https://localhost/crm", ""),
        ("git@github.com:", ""),
        ("", ""),
    ],
)
def test_the_web_address_of_a_remote_holds_no_user_and_no_password(remote: str, address: str) -> None:
    assert web_address(remote) == address


@pytest.mark.parametrize(
    ("repository", "commit", "line"),
    [
        ("https://github.com/a/b", "/commit/c0ffee", "/blob/c0ffee/config/mappings/my%20contact.yaml#L12"),
        ("https://gitlab.com/a/b", "/-/commit/c0ffee", "/-/blob/c0ffee/config/mappings/my%20contact.yaml#L12"),
        ("https://bitbucket.org/a/b", "/commits/c0ffee", "/src/c0ffee/config/mappings/my%20contact.yaml#lines-12"),
    ],
)
def test_links_have_the_form_of_the_host(repository: str, commit: str, line: str) -> None:
    provenance = Provenance("2026-01-02T03:04:05Z", "c0ffee", repository)
    assert provenance.commit_link == repository + commit
    assert provenance.line_link(PLACE) == repository + line


def test_a_line_of_an_uncommitted_file_has_no_link() -> None:
    dirty = Provenance("2026-01-02T03:04:05Z", "c0ffee-dirty", "https://github.com/a/b")
    assert (dirty.commit_link, dirty.line_link(PLACE)) == ("https://github.com/a/b/commit/c0ffee", "")
    for unknown in (Provenance("2026-01-02T03:04:05Z", "c0ffee"), Provenance("2026-01-02T03:04:05Z")):
        assert (unknown.commit_link, unknown.line_link(PLACE)) == ("", "")


def test_an_update_has_the_lines_of_its_changes_and_a_new_component_its_own_line() -> None:
    def origin(component: Component, token: str, line: int) -> Origin:
        return Origin(component.address, token, Position("c.yaml", line, 1), "path")

    field, before = number("B__c"), permissions(A__c=True, B__c=False)
    after = permissions(A__c=True, B__c=True)
    origins = (
        origin(after, "Contact.A__c", 4),
        origin(after, "Contact.B__c", 5),
        origin(after, "", 1),
        origin(field, "B__c", 5),
        origin(field, "", 6),
    )
    plan = make_plan(Change(after.address, before, after), Change(field.address, None, field))
    desired = Desired((), (), origins)
    assert list_lines(plan.effective, desired, lambda file: f"top/{file}") == {
        str(after.address): ("top/c.yaml:5",),
        str(field.address): ("top/c.yaml:6",),
    }
    assert list_lines(make_plan(Change(after.address, after, None)).effective, Desired((), (), ())) == {}


def test_the_page_has_author_time_and_commit_and_links_to_lines() -> None:
    field = number("B__c")
    change = Change(field.address, None, field)
    lines = {str(field.address): ("c.yaml:6",)}
    provenance = Provenance("2026-01-02T03:04:05Z", "c0ffee" * 6, "https://github.com/a/b", lines)
    page = html(make_plan(change, provenance=provenance))
    assert '<time datetime="2026-01-02T03:04:05Z">2026-01-02 03:04:05 UTC</time> by admin@example.com' in page
    assert f'<a href="https://github.com/a/b/commit/{"c0ffee" * 6}">commit c0ffeec0ff</a> of github.com/a/b' in page
    assert f'<a href="https://github.com/a/b/blob/{"c0ffee" * 6}/c.yaml#L6">c.yaml:6</a>' in page
    dirty = html(make_plan(change, provenance=Provenance("2026-01-02T03:04:05Z", "c0ffee-dirty", "", lines)))
    assert "commit c0ffee, with changes that are not committed" in dirty
    assert "Asked for by c.yaml:6<" in dirty
    assert '<p class="about">Made by admin@example.com</p>' in html(make_plan(change))
