"""Environments and variables."""

from __future__ import annotations

from tests.config.projects import CONTACT, ENVIRONMENTS, SETTINGS, Case, Folder, parametrize_cases

CASES: list[Case] = [
    Case(
        "no environment named",
        {"settings": SETTINGS + ENVIRONMENTS},
        [
            "config/sfcode.yaml:5:1: environments: several environments are defined, and none was chosen; pass one with --env or SFCODE_ENV: local, prod",
        ],
    ),
    Case(
        "unknown environment",
        {"settings": SETTINGS + ENVIRONMENTS},
        [
            "config/sfcode.yaml:5:1: environments: the environment pord is not defined; choose prod (or: local)",
        ],
        environment="pord",
    ),
    Case(
        "unknown environment of none",
        {},
        [
            "config/sfcode.yaml:1:1: environments: the environment prod is not defined; add it under environments",
        ],
        environment="prod",
    ),
    Case(
        "missing variable",
        {
            "settings": SETTINGS.replace("https://relay", '"https://${hots}').replace("com}\n", 'com"}\n')
            + ENVIRONMENTS,
            "contact": CONTACT.replace("Title", "${field}"),
        },
        [
            "config/mappings/contact.yaml:6:11: to_appcues.attributes.role: the environment local has no variable field; add it under environments.local.variables, or write one of: host, Host",
            "config/sfcode.yaml:4:23: relay.url: the environment local has no variable hots; add it under environments.local.variables, or write Host (or: host)",
        ],
        environment="local",
    ),
    Case(
        "missing variable in an environment without variables",
        {"settings": SETTINGS + ENVIRONMENTS, "contact": CONTACT.replace("Title", "a ${host} b")},
        [
            "config/mappings/contact.yaml:6:13: to_appcues.attributes.role: the environment prod has no variable host; add it under environments.prod.variables",
        ],
        environment="prod",
    ),
    Case(
        "malformed variables",
        {
            "contact": CONTACT.replace("Title", '"${x ${a b}"')
            + """    q: ${secret:}
    r: ${secret:A B}
    z: "$${secret:A}"
    x${y}: A
"""
        },
        [
            "config/mappings/contact.yaml:6:12: to_appcues.attributes.role: unterminated ${...}; write ${name} or ${secret:NAME}, or $${ for these two characters",
            "config/mappings/contact.yaml:6:16: to_appcues.attributes.role: unterminated ${...}; write ${name} or ${secret:NAME}, or $${ for these two characters",
            "config/mappings/contact.yaml:7:8: to_appcues.attributes.q: unterminated ${...}; write ${name} or ${secret:NAME}, or $${ for these two characters",
            "config/mappings/contact.yaml:8:8: to_appcues.attributes.r: unterminated ${...}; write ${name} or ${secret:NAME}, or $${ for these two characters",
            "config/mappings/contact.yaml:9:10: to_appcues.attributes.z: the text ${secret: cannot be written literally; remove it",
            'config/mappings/contact.yaml:10:5: to_appcues.attributes."x${y}": variables are not replaced in keys; write the name itself; variables are only possible in values',
        ],
    ),
    Case(
        "variables inside environments",
        {"settings": SETTINGS + "environments: {a: {org: '${x}', variables: {y: '${x}', z: '${'}}}\n"},
        [
            "config/sfcode.yaml:5:26: environments.a.org: ${x} cannot be used inside environments; write the value itself",
            "config/sfcode.yaml:5:49: environments.a.variables.y: ${x} cannot be used inside environments; write the value itself",
            "config/sfcode.yaml:5:60: environments.a.variables.z: unterminated ${...}; write ${name} or ${secret:NAME}, or $${ for these two characters",
        ],
    ),
    Case(
        "variables are not judged when no environment is named",
        {
            "settings": SETTINGS.replace('"1"', '"${host}"') + ENVIRONMENTS,
            "contact": CONTACT.replace("Title", "${host}") + "    plan: Plan c\n",
        },
        [
            'config/mappings/contact.yaml:7:11: to_appcues.attributes.plan: "Plan c" is not the API name of an object or field; write it as Object Manager shows it (Title, Plan__c); for a field of a related record create a formula field',
            "config/sfcode.yaml:5:1: environments: several environments are defined, and none was chosen; pass one with --env or SFCODE_ENV: local, prod",
        ],
    ),
]


@parametrize_cases(CASES)
def test_faults_of_variables_are_reported_at_their_position(case: Case, folder: Folder) -> None:
    case.check(folder)
