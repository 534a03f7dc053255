"""Generate the reports of recipes, and their folder. Formats and column names are those of files retrieved from orgs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sfcode.config.project import Project
from sfcode.diagnostics import Diagnostic
from sfcode.generate.custom_fields import field_blueprint
from sfcode.generate.template_context import (
    Blueprint,
    CustomFieldView,
    ReportCrossFilter,
    ReportFilter,
    ReportFolderShare,
    ReportFolderView,
    ReportFormula,
    ReportGrouping,
    ReportView,
    View,
    origin,
)
from sfcode.mapping import naming
from sfcode.mapping.activities import own_activities
from sfcode.mapping.events import PREFIX
from sfcode.mapping.limits import REPORT_NAME_LENGTH, TEXT_LENGTH
from sfcode.mapping.naming import MANAGED
from sfcode.mapping.place import Place
from sfcode.metadata.component import Address

_SHARE_TYPES = {
    "role": "Role",
    "role_and_subordinates": "RoleAndSubordinates",
    "group": "Group",
    "user": "User",
}
_EVERYBODY = ReportFolderShare("AllInternalUsers", "Organization")
_COMPLETED = "flow_completed"
_ID_LENGTH = 15
"""The length of an ID in reports, in characters."""


def blueprints(project: Project) -> Iterator[Blueprint]:
    """Return the reports of the recipes, and their folder if there are any."""
    reports = list(_reports(project))
    if not reports:
        return
    settings = project.recipes.reports
    place = project.recipe_place("reports")
    view = ReportFolderView(settings.folder, tuple(map(_share, settings.share_with)))
    yield _blueprint(Address("ReportFolder", settings.folder), view, place)
    for name, report, report_place in reports:
        yield _blueprint(Address("Report", f"{settings.folder}/{name}"), report, report_place)


def activity_fields(project: Project) -> Iterator[Blueprint]:
    """Return the fields of activities that reports filter and group by, since users can edit a subject."""
    logging = [mapping for mapping in project.resolved if mapping.logs_items and mapping.activity_object]
    if not logging:
        return
    prefix, place = project.settings.name, project.recipe_place("completed_flows")
    own = own_activities(logging)
    owner = naming.activities(prefix) if own else "Activity"
    event, item = naming.item_fields(prefix)
    fields = {item: "The flow, survey, checklist or goal in Appcues that it is about."}
    if not own:
        fields = {event: "The event in Appcues.", **fields}
    for name, description in fields.items():
        view = CustomFieldView("text", owner, name, naming.label(name), f"{MANAGED} {description}", length=TEXT_LENGTH)
        yield field_blueprint(view, place, {})


def problems(project: Project) -> Iterator[Diagnostic]:
    """Find reports with the same name."""
    owners: dict[str, str] = {}
    for name, report, place in _reports(project):
        first = owners.setdefault(name.lower(), report.name)
        if first != report.name:
            yield place.problem(
                f"{report.name} and {first} would have the same report name {name}", "remove one of them"
            )


def _reports(project: Project) -> Iterator[tuple[str, ReportView, Place]]:
    """Yield each report with its developer name and its origin."""
    recipes = project.recipes
    if recipes.completed_flows is not None:
        yield "Completed_Flows", _completed_flows(project), project.recipe_place("completed_flows")
        for index, flow in enumerate(recipes.completed_flows.not_completed):
            name = f"Not_Completed_{_slug(flow)}"[:REPORT_NAME_LENGTH].rstrip("_")
            yield (
                name,
                _not_completed_report(project, flow),
                project.recipe_place("completed_flows", "not_completed", index),
            )
    if recipes.nps_history is not None:
        yield "NPS_Over_Time", _nps_over_time(project), project.recipe_place("nps_history")
    if recipes.nps_by_account is not None and recipes.nps_history is not None:
        yield "NPS_By_Account", _nps_by_account(project), project.recipe_place("nps_by_account")
    if recipes.event_registration:
        yield "Event_Registrations", _event_registrations(project), project.recipe_place("event_registration")


def _completed_flows(project: Project) -> ReportView:
    prefix = project.settings.name
    event, item = naming.item_fields(prefix)
    own = own_activities(mapping for mapping in project.resolved if mapping.logs_items)
    name, description = "Completed flows", f"{MANAGED} Who completed which Appcues flow, by flow and month."
    if not own:
        return ReportView(
            name,
            description,
            "Activity",
            columns=("CONTACT", "LEAD", "ACCOUNT", "SUBJECT"),
            date_column="DUE_DATE",
            groupings=(ReportGrouping(f"Activity.{item}"), ReportGrouping("DUE_DATE", "Month")),
            filters=(ReportFilter(f"Activity.{event}", "equals", _COMPLETED),),
            of_activities=True,
        )
    owner = naming.activities(prefix)
    people = sorted({mapping.link_field for mapping in own})
    return ReportView(
        name,
        description,
        f"CustomEntity${owner}",
        columns=("CUST_NAME", *(f"{owner}.{field}" for field in people)),
        date_column=f"{owner}.{naming.activity_field(prefix, 'Time')}",
        groupings=(
            ReportGrouping(f"{owner}.{item}"),
            ReportGrouping(f"{owner}.{naming.activity_field(prefix, 'Time')}", "Month"),
        ),
        filters=(ReportFilter(f"{owner}.{event}", "equals", _completed_names(project)),),
    )


def _not_completed_report(project: Project, flow: str) -> ReportView:
    prefix = project.settings.name
    event, item = naming.item_fields(prefix)
    return ReportView(
        f"Not completed: {flow}"[:REPORT_NAME_LENGTH],
        f"{MANAGED} Contacts who have not completed an Appcues flow.",
        "ContactList",
        columns=("FIRST_NAME", "LAST_NAME", "ACCOUNT.NAME", "EMAIL"),
        date_column="CREATED_DATE",
        without=ReportCrossFilter(
            "CONTACT_ID",
            naming.activities(prefix),
            naming.lookup_field("Contact"),
            (
                ReportFilter(event, "equals", _completed_names(project)),
                ReportFilter(item, "equals", _quote(flow)),
            ),
        ),
    )


def _nps_over_time(project: Project) -> ReportView:
    answers = naming.response_object(project.settings.name)
    return ReportView(
        "NPS over time",
        f"{MANAGED} NPS of all answers, by month.",
        _response_type(project),
        columns=("CUST_NAME", f"{answers}.Score__c", f"{answers}.Category__c", f"{answers}.Survey__c"),
        date_column=f"{answers}.Answered_At__c",
        groupings=(ReportGrouping(f"{answers}.Answered_At__c", "Month"),),
        filters=(_score_filter(answers),),
        formulas=(_nps(answers),),
        chart=True,
    )


def _nps_by_account(project: Project) -> ReportView:
    answers = naming.response_object(project.settings.name)
    history = project.recipes.nps_history
    detail = history is not None and history.account == "detail"
    return ReportView(
        "NPS by account",
        f"{MANAGED} NPS of all answers, by account. A score of few answers is not reliable: see their number.",
        _response_type(project),
        columns=("CUST_NAME", f"{answers}.Answered_At__c", f"{answers}.Score__c", f"{answers}.Category__c"),
        date_column=f"{answers}.Answered_At__c",
        groupings=(ReportGrouping("ACCOUNT.NAME" if detail else f"{answers}.Account__c"),),
        filters=(_score_filter(answers),),
        formulas=(_nps(answers),),
    )


def _event_registrations(project: Project) -> ReportView:
    campaigns = [registration.campaign for registration in project.recipes.event_registration]
    listed = {
        "CAMPAIGN_ID": sorted({campaign.id[:_ID_LENGTH] for campaign in campaigns if campaign.id}),
        "CAMPAIGN_NAME": sorted({_quote(campaign.name) for campaign in campaigns if campaign.name}),
    }
    filters = tuple(ReportFilter(column, "equals", ",".join(keys)) for column, keys in listed.items() if keys)
    return ReportView(
        "Event registrations",
        f"{MANAGED} Who registered through Appcues, by campaign and status.",
        "CampaignWithCampaignMembers",
        columns=("FIRST_NAME", "LAST_NAME", "COMPANY", "EMAIL", "MEMBER_TYPE"),
        groupings=(ReportGrouping("CAMPAIGN_NAME"), ReportGrouping("MEMBER_STATUS")),
        filters=filters,
        any_filter=len(filters) > 1,
    )


def _response_type(project: Project) -> str:
    """Return the report type of answers, whose name differs if answers are detail records of accounts."""
    answers = naming.response_object(project.settings.name)
    history = project.recipes.nps_history
    return f"{'Account' if history and history.account == 'detail' else ''}CustomEntity${answers}"


def _score_filter(answers: str) -> ReportFilter:
    return ReportFilter(f"{answers}.Score__c", "notEqual", "")


def _nps(answers: str) -> ReportFormula:
    # Computed from sums, so that subtotals are correct too; an average of averages would not be.
    return ReportFormula("NPS", f"({answers}.Promoter__c:SUM-{answers}.Detractor__c:SUM)/RowCount*100")


def _completed_names(project: Project) -> str:
    """List the names of the event for completed flows in Appcues, which the custom object stores."""
    aliases = [name for name, alias in project.events.aliases.items() if alias.as_ == _COMPLETED]
    return ",".join(f"{PREFIX}{name}" for name in (_COMPLETED, *aliases))


def _quote(value: str) -> str:
    """Quote a value of a filter, in which a comma means "or"."""
    return f'"{value}"' if "," in value else value


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_") or "Flow"


def _share(text: str) -> ReportFolderShare:
    kind, _, name = text.partition(":")
    return ReportFolderShare(name, _SHARE_TYPES[kind]) if name else _EVERYBODY


def _blueprint(address: Address, view: View, place: Place) -> Blueprint:
    return Blueprint(address, view, place, (origin(address, address.full_name, place), origin(address, "", place)))
