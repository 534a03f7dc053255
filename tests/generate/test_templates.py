"""Templates are escaped, sandboxed, and replaceable by a project's own; their problems are reported at their lines."""

from __future__ import annotations

import re
import shutil
from dataclasses import fields, replace
from pathlib import Path
from typing import get_args

import pytest

import sfcode
from scripts.translate_templates import UnsupportedError, translate
from sfcode.config.files import shipped_templates
from sfcode.diagnostics import Diagnostic
from sfcode.errors import ConfigError
from sfcode.generate import generate
from sfcode.generate.template_context import VARIABLES, View
from sfcode.metadata.schema import validate_strictly
from sfcode.metadata.xml import to_bytes, to_element
from tests.generate.projects import CONTACT, OFFLINE, body, by_address, changed, project, settings

HOSTILE = '<b a="1">Zoë & O\'Neil ]]> <!-- é 日本 \U0001f600 ${secret:X} {{ 1 }} {% raw %}'
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIB\nAAAA\n-----END CERTIFICATE-----\n"
RECIPES = {
    "completed_flows": {"not_completed": ["A & b", "c, d"]},
    "nps_history": {"account": "detail"},
    "nps_by_account": {"account_fields": True},
    "event_registration": [
        {"when": {"event": "flow_completed"}, "campaign": {"name": "A & b, c"}, "status": "Registered"},
        {"when": {"event": "flow_completed"}, "campaign": "701Hs000001LnYRIA0", "status": "Registered"},
    ],
    "reports": {"share_with": ["role:Sales_Lead", "role_and_subordinates:VP", "group:Sales", "user:a@example.com"]},
}
NAMESPACE = 'xmlns="http://soap.sforce.com/2006/04/metadata"'


def failures(folder: Path) -> tuple[Diagnostic, ...]:
    with pytest.raises(ConfigError) as caught:
        generate(project(templates=folder), OFFLINE)
    return caught.value.problems


def write_template(text: str, folder: Path) -> None:
    """Write the project's own template of outbound messages."""
    (folder / "WorkflowOutboundMessage.xml.j2").write_text(text)


def message(*lines: str) -> str:
    return "\n".join((f"<WorkflowOutboundMessage {NAMESPACE}>", *lines, "</WorkflowOutboundMessage>", ""))


VALID = (
    "<apiVersion>63.0</apiVersion>",
    "<endpointUrl>{{ message.endpoint_url }}</endpointUrl>",
    "{% for name in message.fields %}",
    "<fields>{{ name }}</fields>",
    "{% endfor %}",
    "<includeSessionId>false</includeSessionId>",
    "<integrationUser>{{ message.integration_user }}</integrationUser>",
    "<name>{{ message.label }}</name>",
    "<protected>false</protected>",
)


def test_the_output_of_every_template_is_valid_in_the_strict_schema() -> None:
    """Components of all types are tested, also after they are parsed and rendered again."""
    lead = changed(CONTACT, object="Lead", trigger__in__to_appcues="workflow_rule")
    config = settings()
    config["relay"]["activities_as"] = "custom_object"
    config["relay"]["sign_in"] = {"flow": "jwt", "certificate": CERTIFICATE}
    components = generate(project({"contact": CONTACT, "lead": lead}, config, recipes=RECIPES), OFFLINE).components
    assert {component.type for component in components} == {
        path.name.removesuffix(".xml.j2") for path in shipped_templates().glob("*.j2")
    }
    for component in components:
        assert validate_strictly(to_bytes(to_element(component))) == ()


def test_values_are_escaped_whatever_they_contain() -> None:
    """Markup, quotes, CDATA ends, other scripts and template syntax are unchanged in the parsed result."""
    base = project()
    url, user = f"https://relay.example.com/{HOSTILE}", f"x{HOSTILE}@example.com"
    relay = base.settings.relay.model_copy(update={"url": url})
    integration_user = base.settings.integration_user.model_copy(update={"username": user, "last_name": HOSTILE})
    config = base.settings.model_copy(update={"relay": relay, "integration_user": integration_user})
    components = by_address(generate(type(base)(**{**vars(base), "settings": config}), OFFLINE))
    component_body = body(components, "WorkflowOutboundMessage:Contact.Appcues_contact")
    assert component_body["endpointUrl"].startswith(f"{url}/outbound-messages/contact/${{secret:")
    assert component_body["integrationUser"] == user
    assert validate_strictly(to_bytes(to_element(components["WorkflowOutboundMessage:Contact.Appcues_contact"]))) == ()
    assert body(components, f"User:{user}")["LastName"] == HOSTILE


def test_a_hostile_field_name_cannot_leave_its_element() -> None:
    base = project()
    (named_mapping,) = base.mappings
    inner = named_mapping.spec.to_appcues
    assert inner is not None
    bad = inner.attributes["role"].model_copy(update={"field": "X</fields><fields>Y__c"})
    spec = named_mapping.spec.model_copy(
        update={"to_appcues": inner.model_copy(update={"attributes": {**inner.attributes, "role": bad}})}
    )
    hostile = type(base)(**{**vars(base), "mappings": (type(named_mapping)("contact", spec, named_mapping.positions),)})
    components = by_address(generate(hostile, OFFLINE))
    fields = body(components, "WorkflowOutboundMessage:Contact.Appcues_contact")["fields"]
    assert "X</fields><fields>Y__c" in fields
    assert "Y__c" not in fields


def test_a_character_that_xml_cannot_hold_is_a_problem_not_a_crash() -> None:
    base = project()
    relay = base.settings.relay.model_copy(update={"url": "https://a.example\x0b"})
    config = base.settings.model_copy(update={"relay": relay})
    with pytest.raises(ConfigError, match="not well-formed XML"):
        generate(type(base)(**{**vars(base), "settings": config}), OFFLINE)


def test_a_projects_own_template_replaces_the_shipped_one_by_name(tmp_path: Path) -> None:
    write_template(message("<apiVersion>62.0</apiVersion>", *VALID[1:]), tmp_path)
    components = by_address(generate(project(templates=tmp_path), OFFLINE))
    assert body(components, "WorkflowOutboundMessage:Contact.Appcues_contact")["apiVersion"] == "62.0"
    assert body(components, "Flow:Appcues_contact")["apiVersion"] == "63.0"


def test_an_own_template_may_share_parts_with_others(tmp_path: Path) -> None:
    (tmp_path / "_version.xml.j2").write_text("<apiVersion>61.0</apiVersion>")
    write_template(message("{% include '_version.xml.j2' %}", *VALID[1:]), tmp_path)
    components = by_address(generate(project(templates=tmp_path), OFFLINE))
    assert body(components, "WorkflowOutboundMessage:Contact.Appcues_contact")["apiVersion"] == "61.0"


CASES = {
    "undefined name": (
        message("<apiVersion>63.0</apiVersion>", "<name>{{ message.lable }}</name>"),
        3,
        (
            "template error: 'sfcode.generate.template_context.OutboundMessageView object' has no attribute 'lable'; "
            "a WorkflowOutboundMessage template is given `message`"
        ),
    ),
    "undefined variable": (
        message("<name>{{ field.label }}</name>"),
        2,
        "template error: 'field' is undefined; a WorkflowOutboundMessage template is given `message`",
    ),
    "syntax": (
        message("<apiVersion>63.0</apiVersion>", "{% for name in %}"),
        3,
        "template error: Expected an expression, got 'end of statement block'",
    ),
    "unsafe": (
        message("{{ message.__class__.__mro__ }}"),
        2,
        "template error: access to attribute '__class__' of 'OutboundMessageView' object is unsafe.",
    ),
    "failing expression": (message("", "{{ 1 / 0 }}"), 3, "template error: division by zero"),
    "missing include": (message("{% include 'none.j2' %}"), 2, "template error: 'none.j2' not found in search paths:"),
}


@pytest.mark.parametrize(("text", "line", "expected"), CASES.values(), ids=CASES)
def test_a_template_that_fails_is_reported_at_its_line(text: str, line: int, expected: str, tmp_path: Path) -> None:
    write_template(text, tmp_path)
    (problem,) = failures(tmp_path)
    assert str(problem).startswith(f"{tmp_path / 'WorkflowOutboundMessage.xml.j2'}:{line}:1: {expected}")


WHAT = "the result of this template for WorkflowOutboundMessage:Contact.Appcues_contact is invalid: "
HINT = "; correct the template, or remove it to use sfcode's own"
OUTPUTS = {
    "not XML": (
        message(*VALID[:6], "<name>", *VALID[7:]),
        11,
        "not well-formed XML: Opening and ending tag mismatch: name line 8 and",
    ),
    "out of order": (
        message(*VALID[1:6], VALID[0], *VALID[6:]),
        2,
        "Element 'endpointUrl': This element is not expected.",
    ),
    "unknown element": (message(*VALID[:5], "<color>red</color>", *VALID[5:]), 7, "Element 'color'"),
    "wrong value, behind a loop": (
        message(*VALID[:5], "<includeSessionId>maybe</includeSessionId>", *VALID[6:]),
        7,
        "Element 'includeSessionId': 'maybe' is not a valid value",
    ),
    "wrong value in a loop": (
        message(*VALID[:3], "<fields><b>{{ name }}</b></fields>", *VALID[4:]),
        5,
        "Element 'fields': Element content is not allowed",
    ),
    "another type": (
        (
            f"{{# a remark #}}\n<WorkflowRule {NAMESPACE}>\n<active>true</active><triggerType>onAllChanges</triggerType>\n"
            "</WorkflowRule>\n"
        ),
        2,
        "the root must be <WorkflowOutboundMessage>",
    ),
    "another name": (
        message("", "<fullName>Contact.Other</fullName>", *VALID),
        3,
        "the name must stay Contact.Appcues_contact",
    ),
    "DTD": ("<!DOCTYPE a>\n" + message(*VALID), 1, "a DOCTYPE is not allowed"),
}


@pytest.mark.parametrize(("text", "line", "expected"), OUTPUTS.values(), ids=OUTPUTS)
def test_invalid_metadata_is_reported_at_the_template_line_that_wrote_it(
    text: str, line: int, expected: str, tmp_path: Path
) -> None:
    """Lines of the output are traced back through loops and tags to lines of the template."""
    write_template(text, tmp_path)
    problems = failures(tmp_path)
    assert str(problems[0]).startswith(f"{tmp_path / 'WorkflowOutboundMessage.xml.j2'}:{line}:1: {WHAT}{expected}")
    assert all(str(problem).endswith(HINT) for problem in problems)


def test_an_error_in_an_included_file_is_reported_at_its_line_there(tmp_path: Path) -> None:
    part = tmp_path / "_part.xml.j2"
    part.write_text("\n<includeSessionId>maybe</includeSessionId>\n")
    write_template(message(*VALID[:5], "{% include '_part.xml.j2' %}", *VALID[6:]), tmp_path)
    assert str(failures(tmp_path)[0]).startswith(f"{part}:2:1: {WHAT}Element 'includeSessionId'")


def test_a_template_may_write_the_name_of_its_component(tmp_path: Path) -> None:
    write_template(message("<fullName>Appcues_contact</fullName>", *VALID), tmp_path)
    component_body = body(
        by_address(generate(project(templates=tmp_path), OFFLINE)), "WorkflowOutboundMessage:Contact.Appcues_contact"
    )
    assert "fullName" not in component_body


def test_a_misnamed_template_is_not_silently_ignored(tmp_path: Path) -> None:
    (tmp_path / "Flows.xml.j2").write_text("")
    (problem,) = failures(tmp_path)
    assert str(problem) == (f"{tmp_path / 'Flows.xml.j2'}:1:1: this template is not used; did you mean Flow.xml.j2?")


def test_template_problems_and_config_problems_come_together(tmp_path: Path) -> None:
    write_template(message("{{ nothing }}"), tmp_path)
    mapping = changed(CONTACT, attributes__in__to_appcues={"a": {"field": "Titel"}})
    with pytest.raises(ConfigError) as caught:
        generate(project({"contact": mapping}, templates=tmp_path), OFFLINE)
    assert len(caught.value.problems) == 2


def test_one_broken_template_is_reported_once_for_all_its_components(tmp_path: Path) -> None:
    """Five fields use CustomField.xml.j2; its syntax error is one problem."""
    (tmp_path / "CustomField.xml.j2").write_text("{% if %}")
    assert len(failures(tmp_path)) == 1


def test_templates_are_found_inside_an_installed_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a wheel the templates are in the package, in the repository in its top folder."""
    assert shipped_templates() == Path(sfcode.__file__).parent.parent / "templates" / "metadata"
    package = tmp_path / "site-packages" / "sfcode"
    shutil.copytree(shipped_templates(), package / "templates" / "metadata")
    monkeypatch.setattr(sfcode, "__file__", str(package / "__init__.py"))
    assert shipped_templates() == package / "templates" / "metadata"
    assert generate(project(), OFFLINE).components


def test_labels_are_derived_from_names() -> None:
    component_body = body(
        by_address(generate(project({"my_mapping": CONTACT}, settings(name="Ab_Cd")), OFFLINE)), "Flow:Ab_Cd_my_mapping"
    )
    assert component_body["label"] == "Ab Cd my mapping"


@pytest.mark.parametrize("flow", ["jwt", "client_credentials"])
@pytest.mark.parametrize("trigger", ["flow", "workflow_rule"])
def test_the_translated_templates_have_the_same_output_as_jinja(tmp_path: Path, flow: str, trigger: str) -> None:
    """A project with its own copies of all templates is rendered by Jinja2."""
    shutil.copytree(shipped_templates(), tmp_path / "templates")
    config = settings()
    config["relay"]["activities_as"] = "custom_object"
    config["relay"]["sign_in"] = {"flow": flow} | ({"certificate": CERTIFICATE} if flow == "jwt" else {})
    lead = changed(CONTACT, object="Lead", trigger__in__to_appcues=trigger)
    base = project({"contact": CONTACT, "lead": lead}, config, recipes=RECIPES)
    user = base.settings.integration_user.model_copy(update={"username": f"x{HOSTILE}@example.com"})
    hostile = replace(base, settings=base.settings.model_copy(update={"integration_user": user}))
    for sample in (base, hostile):
        translated = generate(sample, OFFLINE)
        assert translated.components == generate(replace(sample, templates=tmp_path / "templates"), OFFLINE).components


@pytest.mark.parametrize(
    "text", ["{% set a = 1 %}", "{{ a | upper }}", "{% for a in b if a %}{% endfor %}", "{{ a + b }}", "{{ a if b }}"]
)
def test_a_template_that_cannot_be_translated_is_refused(text: str) -> None:
    with pytest.raises(UnsupportedError, match=r"^line 2: \w+$"):
        list(translate(f"<a>\n{text}</a>"))


def test_the_documentation_lists_every_variable_of_every_template(root: Path) -> None:
    page = (root / "docs/guide/what-is-generated.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `\w+\.xml\.j2`[^|]*\| `(\w+)`: (.*) \|$", page, re.MULTILINE))
    assert rows.keys() == set(VARIABLES.values())
    for view in get_args(View):
        variable = view.__doc__.split("`")[1]
        documented = re.findall(r"`(\w+)`", rows[variable])
        assert {field.name for field in fields(view)} - {*documented} == set(), variable
