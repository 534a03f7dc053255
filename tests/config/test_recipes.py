"""`recipes.yaml`: what a recipe needs, and what is said at its line."""

from __future__ import annotations

from tests.config.projects import SENDING, SETTINGS, Case, Folder, each

LOGGING = SENDING + "  activities: [flow_completed]\n"
OWN = SETTINGS.replace("relay.example.com}", "relay.example.com, activities_as: custom_object}")


def recipes(text: str, **more: str) -> dict[str, str]:
    return {"../recipes": f"version: 1\n{text}", **more}


CASES = [
    Case(
        "no mapping receives",
        recipes("completed_flows:\nnps_history:\n"),
        [
            "config/recipes.yaml:2:1: completed_flows: needs a mapping that lists flow_completed under to_salesforce.activities; list it in a mapping, or leave the recipe out",
            "config/recipes.yaml:3:1: nps_history: needs a mapping of contacts or leads that receives events through the relay; add one with direction: both, or leave the recipe out",
        ],
    ),
    Case(
        "NPS by account without its answers",
        recipes("nps_by_account:\n", contact=LOGGING),
        ["config/recipes.yaml:2:1: nps_by_account: needs the answers that nps_history keeps; add nps_history"],
    ),
    Case(
        "roll-ups over private answers",
        recipes("nps_history:\nnps_by_account: {account_fields: true}\n", contact=LOGGING),
        [
            "config/recipes.yaml:3:34: nps_by_account.account_fields: needs answers that are details of their account: Salesforce rolls up nothing else; write nps_history: {account: detail}, by which everybody who may read an account reads its answers",
        ],
    ),
    Case(
        "who has not, of activities",
        recipes("completed_flows: {not_completed: [A, A]}\n", contact=LOGGING),
        [
            "config/recipes.yaml:2:19: completed_flows.not_completed: cannot be told from activities: the column for it depends on the Shared Activities setting of the org; write `activities_as: custom_object` in sfcode.yaml, or leave it out",
            "config/recipes.yaml:2:38: completed_flows.not_completed[1]: A is listed twice; keep one of them",
        ],
    ),
    Case(
        "who has not, without contacts",
        recipes("completed_flows: {not_completed: [A]}\n", contact=LOGGING.replace("Contact", "Lead"), settings=OWN),
        [
            "config/recipes.yaml:2:19: completed_flows.not_completed: lists contacts, and no mapping of contacts logs flow_completed; list the event in a mapping of contacts, or leave it out",
        ],
    ),
    Case(
        "people that a folder cannot be shared with",
        recipes("reports: {share_with: [Appcues_Viewer], foldr: A}\n"),
        [
            'config/recipes.yaml:2:24: reports.share_with[0]: "Appcues_Viewer" is nobody that a report folder can be shared with; write all_internal_users, role:NAME, role_and_subordinates:NAME, group:NAME or user:USERNAME',
            "config/recipes.yaml:2:41: reports.foldr: unknown key; write folder (or: share_with)",
        ],
    ),
]


@each(CASES)
def test_a_recipe_that_cannot_work_is_refused_at_its_line(case: Case, folder: Folder) -> None:
    case.check(folder)


def test_a_key_alone_turns_a_recipe_on(folder: Folder) -> None:
    folder.write("mappings/contact.yaml", LOGGING)
    folder.write("recipes.yaml", "version: 1\nnps_history:\n")
    found = folder.load().recipes
    assert found.nps_history is not None
    assert found.nps_history.account == "lookup"
    assert found.completed_flows is None


def test_a_misspelled_file_of_recipes_is_advised(folder: Folder) -> None:
    folder.write("recipe.yaml", "version: 1\n")
    (advice,) = folder.load().advice
    assert str(advice) == "config/recipe.yaml: nothing reads this file; rename it to recipes.yaml"
