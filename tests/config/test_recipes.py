"""`recipes.yaml`: the requirements of recipes, and problems at their lines."""

from __future__ import annotations

from tests.config.projects import CONTACT, SENDING, SETTINGS, Case, Folder, parametrize_cases

LOGGING = SENDING + "  activities: [flow_completed]\n"
ROLES = CONTACT.replace("role: Title", "role: {field: Title, map: {VP: sale, AE: sales}, default: other}")
GROUP = CONTACT.replace("Contact", "Account").replace("direction", "match: group\ndirection").replace("role", "plan")
PROGRESS = """\
group_progress:
  - when: {event: checklist_completed, flow: [A]}
    set: {plan: x, done: true}
  - when: {event: checklist_completed}
    set: {done: false}
  - when: {event: flow_completed}
    set: {done: 1}
  - when: {event: goal_reached}
    set: {Done: true}
"""
OWN = SETTINGS.replace("relay.example.com}", "relay.example.com, activities_as: custom_object}")


def recipes(text: str, **more: str) -> dict[str, str]:
    return {"../recipes": f"version: 1\n{text}", **more}


CASES = [
    Case(
        "no mapping receives",
        recipes("completed_flows:\nnps_history:\n"),
        [
            "config/recipes.yaml:2:1: completed_flows: needs a mapping that lists flow_completed under to_salesforce.activities; list it in a mapping, or remove the recipe",
            "config/recipes.yaml:3:1: nps_history: needs a mapping of contacts or leads that receives events through the relay; add one with direction: both, or remove the recipe",
        ],
    ),
    Case(
        "NPS by account without its answers",
        recipes("nps_by_account:\n", contact=LOGGING),
        ["config/recipes.yaml:2:1: nps_by_account: needs the answers of nps_history; add nps_history"],
    ),
    Case(
        "roll-ups over private answers",
        recipes("nps_history:\nnps_by_account: {account_fields: true}\n", contact=LOGGING),
        [
            "config/recipes.yaml:3:34: nps_by_account.account_fields: needs answers that are detail records of their account, since Salesforce only rolls up these; write nps_history: {account: detail}, so that everybody who can read an account can read its answers",
        ],
    ),
    Case(
        "who has not, of activities",
        recipes("completed_flows: {not_completed: [A, A]}\n", contact=LOGGING),
        [
            "config/recipes.yaml:2:19: completed_flows.not_completed: is not possible with standard activities: the report column for it depends on the Shared Activities setting of the org; write `activities_as: custom_object` in sfcode.yaml, or remove it",
            "config/recipes.yaml:2:38: completed_flows.not_completed[1]: A is listed twice; keep one of them",
        ],
    ),
    Case(
        "who has not, without contacts",
        recipes("completed_flows: {not_completed: [A]}\n", contact=LOGGING.replace("Contact", "Lead"), settings=OWN),
        [
            "config/recipes.yaml:2:19: completed_flows.not_completed: lists contacts, and no mapping of contacts logs flow_completed; list the event in a mapping of contacts, or remove it",
        ],
    ),
    Case(
        "roles without a mapping that sends them",
        recipes("role_onboarding: {attribute: job, values: [sales]}\n"),
        [
            "config/recipes.yaml:2:30: role_onboarding.attribute: no mapping of users sends job through the relay; add it under to_appcues.attributes, with a `map:` from the field's values to roles",
        ],
    ),
    Case(
        "roles that are sent of groups alone",
        recipes("role_onboarding: {attribute: plan, values: [sales]}\n", account=GROUP),
        [
            "config/recipes.yaml:2:30: role_onboarding.attribute: no mapping of users sends plan through the relay; add it under to_appcues.attributes, with a `map:` from the field's values to roles",
        ],
    ),
    Case(
        "roles as people typed them",
        recipes("role_onboarding: {attribute: role, values: [sales, sales]}\n"),
        [
            "config/mappings/contact.yaml:6:11: to_appcues.attributes.role: sends Title unchanged, but segments need the roles of recipes.yaml; add `map:`, and `default:` for all other values",
            "config/recipes.yaml:2:52: role_onboarding.values[1]: sales is listed twice; keep one of them",
        ],
    ),
    Case(
        "roles that a mapping misspells or does not make",
        recipes("role_onboarding: {attribute: role, values: [sales, admin]}\n", contact=ROLES),
        [
            "config/mappings/contact.yaml:6:36: to_appcues.attributes.role.map.VP: sale is not a role of recipes.yaml, so no segment selects it; write sales (or: admin), or add it to role_onboarding.values",
            "config/mappings/contact.yaml:6:63: to_appcues.attributes.role.default: other is not a role of recipes.yaml, so no segment selects it; write one of: sales, admin, or add it to role_onboarding.values",
            "config/recipes.yaml:2:52: role_onboarding.values[1]: no mapping sends role as admin, so a segment of it would be empty; add a value of the field to `map:`, or remove the role",
        ],
    ),
    Case(
        "progress of a group that is sent, spelled or typed in two ways",
        recipes(PROGRESS, account=GROUP),
        [
            "config/recipes.yaml:3:40: group_progress[0].when.flow: checklist_completed belongs to a checklist and has no flow; write checklist, or remove it",
            "config/recipes.yaml:4:11: group_progress[0].set.plan: plan is sent from Account already, but an attribute has one source; choose another attribute",
            "config/recipes.yaml:6:17: group_progress[1].set.done: the same event sets done to another value in group_progress[0]; keep one of them, or limit them to different items",
            "config/recipes.yaml:8:17: group_progress[2].set.done: done has another type in group_progress[0], and an attribute has one type; write values of one type",
            "config/recipes.yaml:10:11: group_progress[3].set.Done: Done is spelled done in group_progress[0], and would be another attribute in Appcues; write done",
        ],
    ),
    Case(
        "registrations that cannot work",
        recipes(
            "event_registration:\n"
            "  - {when: {event: flow_completed, form: [A]}, campaign: 701Hs000001LnYRIA0, status: Registered}\n"
            "  - {when: {event: click_to_track}, campaign: {name: A, id: 701Hs000001LnYR}, status: Registered}\n"
            "  - {when: {event: form_submitted}, campaign: {id: 701Hs000001LnYR, create: true}, status: Registered}\n"
            "  - {when: {event: form_submitted}, campaign: {create: true}, status: Registered}\n"
            "  - {when: {event: flow_completed}, campaign: {name: B}, status: Registered}\n"
            "  - {when: {event: flow_completed}, campaign: {name: B}, status: Registered}\n"
        ),
        [
            "config/recipes.yaml:2:1: event_registration: needs a mapping of contacts or leads that receives events through the relay; add one with direction: both, or remove the recipe",
            "config/recipes.yaml:3:36: event_registration[0].when.form: flow_completed has no form; write flow, or remove it",
            "config/recipes.yaml:4:12: event_registration[1].when: has no names of click-to-track events; add name: with their names in Appcues",
            "config/recipes.yaml:4:47: event_registration[1].campaign: needs the ID or the name of the campaign, not both; write the ID, or {name: NAME}",
            "config/recipes.yaml:5:69: event_registration[2].campaign.create: has no effect with an ID: the campaign exists already; remove it, or write a name",
            "config/recipes.yaml:6:47: event_registration[3].campaign: has no campaign; write the ID, or {name: NAME}",
            "config/recipes.yaml:8:5: event_registration[5]: is listed twice; keep one of them",
        ],
    ),
    Case(
        "a registration with values that Salesforce does not take",
        recipes(
            f"event_registration:\n  - {{when: {{event: flow_started}}, campaign: Spring, status: {'x' * 41}}}\n",
            contact=LOGGING,
        ),
        [
            'config/recipes.yaml:3:20: event_registration[0].when.event: unknown value "flow_started"; write form_submitted (or: flow_completed, click_to_track)',
            'config/recipes.yaml:3:45: event_registration[0].campaign: "Spring" is not the ID of a campaign; copy the 15 or 18 characters from its address in Salesforce, which begin with 701; or write {name: NAME}',
            f'config/recipes.yaml:3:61: event_registration[0].status: "{"x" * 41}" is 41 characters long, more than 40; shorten it',
        ],
    ),
    Case(
        "people that a folder cannot be shared with",
        recipes("reports: {share_with: [Appcues_Viewer], foldr: A}\n"),
        [
            'config/recipes.yaml:2:24: reports.share_with[0]: "Appcues_Viewer" is not a public group, role or user that a report folder can be shared with; write all_internal_users, role:NAME, role_and_subordinates:NAME, group:NAME or user:USERNAME',
            "config/recipes.yaml:2:41: reports.foldr: unknown key; write folder (or: share_with)",
        ],
    ),
]


@parametrize_cases(CASES)
def test_a_recipe_that_cannot_work_is_refused_at_its_line(case: Case, folder: Folder) -> None:
    case.check(folder)


def test_rules_about_different_items_may_set_an_attribute_to_different_values(folder: Folder) -> None:
    rules = """\
group_progress:
  - when: {event: checklist_completed, checklist: [A]}
    set: {stage: first}
  - when: {event: checklist_completed, checklist: [B]}
    set: {stage: second}
  - when: {event: nps_score}
    set: {stage: third}
"""
    folder.write("recipes.yaml", f"version: 1\n{rules}")
    recipes = folder.load().recipes
    assert [rule.set_ for rule in recipes.group_progress] == [{"stage": name} for name in ("first", "second", "third")]
    assert recipes.webhook_events == {"checklist_completed", "nps_score", "nps_score_and_feedback"}


def test_answers_need_the_events_of_all_surveys(folder: Folder) -> None:
    folder.write("mappings/contact.yaml", LOGGING)
    folder.write("recipes.yaml", "version: 1\nnps_history:\n")
    assert folder.load().recipes.webhook_events == {"nps_score", "nps_feedback", "nps_score_and_feedback"}


def test_a_key_alone_turns_a_recipe_on(folder: Folder) -> None:
    folder.write("mappings/contact.yaml", LOGGING)
    folder.write("recipes.yaml", "version: 1\nnps_history:\n")
    recipes = folder.load().recipes
    assert recipes.nps_history is not None
    assert recipes.nps_history.account == "lookup"
    assert recipes.completed_flows is None


def test_a_misspelled_file_of_recipes_is_advised(folder: Folder) -> None:
    folder.write("recipe.yaml", "version: 1\n")
    (advice,) = folder.load().advice
    assert str(advice) == "config/recipe.yaml: sfcode does not read this file; rename it to recipes.yaml"
