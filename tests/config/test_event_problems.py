"""Events and their templates."""

from __future__ import annotations

from sfcode.config.events_file import default_events
from sfcode.config.template import find_template_names
from sfcode.mapping.events import event_attributes
from tests.config.projects import CONTACT, Case, Folder, parametrize_cases

CASES: list[Case] = [
    Case(
        "a template with an error in its third line",
        {
            "events": """\
version: 1
activities:
  flow_completed:
    subject: |
      A {{ flowName }}
      and
      {{ oops
    comment: fine
"""
        },
        [
            "config/events.yaml:7:7: activities.flow_completed.subject: not a template: unexpected end of template, expected 'end of print statement'; write {{ attribute }}, as in the shipped texts; the language is Jinja2",
        ],
    ),
    Case(
        "a template in one line",
        {
            "events": """\
version: 1
activities:
  flow_completed: {subject: "{{ flowName", comment: "{{ a | shout }}"}
  goal_reached: {subject: "{% if goal is shiny %}x{% endif %}", comment: "{% include 'x' %}"}
"""
        },
        [
            "config/events.yaml:3:29: activities.flow_completed.subject: not a template: unexpected end of template, expected 'end of print statement'; write {{ attribute }}, as in the shipped texts; the language is Jinja2",
            "config/events.yaml:3:53: activities.flow_completed.comment: not a template: there is no filter named shout; write {{ attribute }}, as in the shipped texts; the language is Jinja2",
            "config/events.yaml:4:27: activities.goal_reached.subject: not a template: there is no test named shiny; write {{ attribute }}, as in the shipped texts; the language is Jinja2",
            "config/events.yaml:4:74: activities.goal_reached.comment: not a template: {% include %} refers to other templates, which do not exist; write {{ attribute }}, as in the shipped texts; the language is Jinja2",
        ],
    ),
    Case(
        "a template that is not quoted",
        {
            "events": """\
version: 1
activities:
  goal_reached:
    subject: {{ goalName }}
"""
        },
        [
            "config/events.yaml:4:15: a key must be plain text; put a value that begins with { or [ in quotes",
        ],
    ),
    Case(
        "events that do not exist",
        {
            "events": """\
version: 1
activities:
  flow_finished: {subject: a, comment: b}
  goal_reached: {subject: "", comment: b}
properties: {nps_scor: {score: score}, nps_score: {stars: score}}
"""
        },
        [
            'config/events.yaml:3:3: activities.flow_finished: unknown event "flow_finished"; write one of: nps_score, nps_feedback, flow_completed, checklist_item_completed, checklist_completed, goal_reached, click_to_track',
            'config/events.yaml:4:27: activities.goal_reached.subject: "" is empty; write some text, or remove the key',
            'config/events.yaml:5:14: properties.nps_scor: unknown event "nps_scor"; write nps_score (or: nps_feedback, nps_score_and_feedback)',
            'config/events.yaml:5:52: properties.nps_score.stars: unknown value "stars"; write one of: score, feedback',
        ],
    ),
    Case(
        "a template next to another problem",
        {
            "events": """\
version: 1
activities:
  flow_completed: {subject: 7, comment: a}
  goal_reached: {subject: '{{', comment: a}
"""
        },
        [
            'config/events.yaml:3:29: activities.flow_completed.subject: expected text, found the number 7; put it in quotes: "7"',
            "config/events.yaml:4:27: activities.goal_reached.subject: not a template: unexpected 'end of template'; write {{ attribute }}, as in the shipped texts; the language is Jinja2",
        ],
    ),
    Case(
        "aliases of what is no other event",
        {
            "events": """\
version: 1
aliases:
  goal_reached: {as: goal_reached}
  flow_completed: {as: goal_reached}
  appcues:v2:step_seen: {as: goal_reached}
"""
        },
        [
            "config/events.yaml:4:3: aliases.flow_completed: flow_completed is an event that sfcode already handles; list other events of Appcues, such as v2:experience_completed",
            'config/events.yaml:5:3: aliases."appcues:v2:step_seen": appcues:v2:step_seen begins with appcues:; write v2:step_seen',
        ],
    ),
    Case(
        "aliases that are not written right",
        {
            "events": """\
version: 1
aliases:
  2nd seen: {as: goal_reached}
  v2:seen: {as: flow_finished}
  v2:shown: {attributes: {flowName: ""}}
"""
        },
        [
            """config/events.yaml:3:3: aliases."2nd seen": "2nd seen" is not the name of an event of Appcues itself; write it as in Appcues' list of events, without appcues:, such as v2:experience_completed""",
            'config/events.yaml:4:17: aliases."v2:seen".as: unknown value "flow_finished"; write one of: nps_score, nps_feedback, flow_completed, checklist_item_completed, checklist_completed, goal_reached, nps_score_and_feedback, form_submitted',
            'config/events.yaml:5:3: aliases."v2:shown".as: missing; add the key as, for example `as: flow_completed`',
            'config/events.yaml:5:37: aliases."v2:shown".attributes.flowName: "" is empty; write some text, or remove the key',
        ],
    ),
]


@parametrize_cases(CASES)
def test_a_template_error_is_reported_at_its_line(case: Case, folder: Folder) -> None:
    case.check(folder)


def test_a_name_of_another_event_or_a_misspelled_one_is_advised_at_its_place(folder: Folder) -> None:
    folder.write(
        "events.yaml",
        """\
version: 1
activities:
  flow_completed:
    subject: "{{ flowNme }} on {{ plan }} by {{ companyTier }}"
    comment: |-
      {{ flowName }} in
      {{ checklistName }} at {{ currentPageUrl }} for {{ _custom }}
""",
    )
    assert [str(advice) for advice in folder.load().advice] == [
        "config/events.yaml:4:18: activities.flow_completed.subject: flowNme is not a known attribute of flow_completed events, and would be blank; write flowName",
        "config/events.yaml:7:10: activities.flow_completed.comment: checklistName is not a known attribute of flow_completed events, and would be blank; use one of: currentPageTitle, currentPageUrl, email, eventName, flowId, flowName, flowType, flowVersion, interaction, sessionId, stepChildId, stepChildNumber, stepId, stepType, timestamp, userId",
    ]


def test_the_shipped_texts_name_attributes_that_their_events_have() -> None:
    for name, text in default_events().activities.items():
        names = {*find_template_names(text.subject), *find_template_names(text.comment)}
        assert names <= event_attributes(name), name


def test_a_field_that_is_sent_twice_in_the_same_form_is_advised(folder: Folder) -> None:
    attributes = "role: Title\n    job: Title\n    kind: {field: Title, map: {CFO: boss}}\n"
    folder.write("mappings/contact.yaml", CONTACT.replace("role: Title\n", attributes))
    assert [str(advice) for advice in folder.load().advice] == [
        "config/mappings/contact.yaml:7:5: to_appcues.attributes.job: Title is already sent as role, with the same values; remove one of them"
    ]
