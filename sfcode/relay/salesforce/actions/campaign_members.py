"""Add people to campaigns, or set a later status of members (the recipe `event_registration`)."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from simple_salesforce.format import format_soql

from sfcode.config.project import Project
from sfcode.config.recipe_models import CampaignReference, EventRegistration
from sfcode.lazy_dataclasses import dataclass
from sfcode.mapping.recipes import select_people_mappings
from sfcode.mapping.resolved import ResolvedMapping
from sfcode.relay.message import LatestState
from sfcode.relay.salesforce.actions.action import ActionError, EventAction, PlanContext, RecordWrite, Row
from sfcode.relay.salesforce.event_reader import CLICK_TO_TRACK, AppcuesEvent
from sfcode.relay.state_names import name_record_state

MEMBER = "CampaignMember"
CHUNK = 300
"""The maximum number of IDs of people in one query, which must fit into a URL."""


@dataclass(frozen=True, slots=True)
class CampaignMembers(EventAction):
    """
    Creates or updates the member of each campaign that an event registers for. Never creates a person, and ignores past events.

    The statuses of a campaign are read with its members. A status that the campaign does not have is not sent, since the org
    could store the default status instead. Their order in the campaign (SortOrder) determines which of two is later.
    """

    mapping: str
    person: str
    """The object of the matched record: Contact or Lead."""
    registrations: tuple[EventRegistration, ...]

    def related_queries(self, record_ids: Collection[str], /) -> Sequence[str]:
        """Return the queries for the statuses of the campaigns, and for the people's memberships."""
        ids = sorted({registration.campaign.id for registration in self.registrations if registration.campaign.id})
        names = sorted(
            {registration.campaign.name for registration in self.registrations if registration.campaign.name}
        )
        parts = [format_soql("CampaignId IN {}", ids)] if ids else []
        parts += [format_soql("Campaign.Name IN {}", names)] if names else []
        campaigns = f"({' OR '.join(parts)})"
        people = sorted(record_ids)
        return [
            f"SELECT CampaignId, Campaign.Name, Label, SortOrder FROM CampaignMemberStatus WHERE {campaigns}",  # noqa: S608
            *(
                f"SELECT Id, CampaignId, {self.person}Id, Status FROM {MEMBER} WHERE {campaigns} AND "  # noqa: S608
                + format_soql(f"{self.person}Id IN {{}}", people[start : start + CHUNK])
                for start in range(0, len(people), CHUNK)
            ),
        ]

    def handles(self, event: AppcuesEvent) -> bool:
        """Return whether the event registers for a campaign."""
        return any(True for _ in self._registrations_for(event))

    def state_names(self, event: AppcuesEvent, record_id: str, related: Sequence[Row] = (), /) -> Iterable[str]:
        """Return the names of the states of the person's campaign members."""
        return self.written_states(event, record_id, related)

    def written_states(self, event: AppcuesEvent, record_id: str, related: Sequence[Row] = (), /) -> Iterable[str]:
        """Return the names of the states of the members that the event may update."""
        if not self.handles(event):
            return []
        return [
            self._state_name(record_id, str(row["Id"])) for row in related if row.get(f"{self.person}Id") == record_id
        ]

    def plan(self, event: AppcuesEvent, context: PlanContext) -> list[RecordWrite]:
        """
        Return the member to create or update; none if it has that status or a later one.

        Raises:
            ActionError: The campaign does not exist, or does not have the status.

        """
        writes = (self._write(registration, context) for registration in self._registrations_for(event))
        return [write for write in writes if write is not None]

    def _registrations_for(self, event: AppcuesEvent) -> Iterator[EventRegistration]:
        name = event.message.kind if event.name == CLICK_TO_TRACK else ""
        for registration in self.registrations:
            items = registration.when.items
            if registration.when.event == event.name and (not items or {*event.item, name} & {*items}):
                yield registration

    def _write(self, registration: EventRegistration, context: PlanContext) -> RecordWrite | None:
        campaign_id, statuses = _find_statuses(registration.campaign, context.related)
        if registration.status.casefold() not in statuses:
            detail = f"the campaign {registration.campaign.key} has no status {registration.status}"
            raise ActionError("no_member_status", detail)
        label, order = statuses[registration.status.casefold()]
        # Of two statuses in one claim the later one is sent, in whatever order their events arrive.
        stamp = f"{order:010d}"
        member = next(
            (row for row in context.related if f"{self.person}Id" in row and row["CampaignId"] == campaign_id), None
        )
        if member is None:
            state = LatestState(self._state_name(context.record_id, campaign_id), stamp)
            fields = {"CampaignId": campaign_id, f"{self.person}Id": context.record_id, "Status": label}
            key = f"{context.record_id}.{campaign_id}"
            return RecordWrite(self.mapping, "create", MEMBER, "", key, fields, {"Status": state})
        _, present = statuses.get(str(member["Status"]).casefold(), ("", order))
        member_id = str(member["Id"])
        name = self._state_name(context.record_id, member_id)
        delivered = context.latest.get(name)
        if present >= order or (delivered is not None and delivered.stamp > stamp):
            return None  # the same status, a later one, or one with an unknown order
        state = LatestState(name, stamp, json.dumps(label))
        return RecordWrite(self.mapping, "update", MEMBER, "Id", member_id, {"Status": label}, {"Status": state})

    def _state_name(self, record_id: str, member_id: str) -> str:
        """Return the name of the state with the last delivered status of a member; its stamp is the status's order."""
        return name_record_state("member", self.person, record_id, member_id)


def plan_rewrites(state: LatestState) -> list[RecordWrite]:
    """Return the update that sets a member to its last delivered status again."""
    if not state.value:
        return []
    member_id, status = state.name.rpartition(":")[2], json.loads(state.value)
    return [RecordWrite("", "update", MEMBER, "Id", member_id, {"Status": status}, {"Status": state})]


def register_campaign_members(project: Project, mapping: ResolvedMapping) -> CampaignMembers | None:
    """Return the action for the recipe `event_registration`; None for a mapping of an object other than people."""
    registrations = project.recipes.event_registration
    if not registrations or not select_people_mappings([mapping]):
        return None
    return CampaignMembers(mapping.name, mapping.object, registrations)


def _find_statuses(campaign: CampaignReference, related: Iterable[Row]) -> tuple[str, Mapping[str, tuple[str, int]]]:
    """Return a campaign's ID, and its statuses with their order by label in lower case."""
    rows = [row for row in related if "Label" in row and _is_of(row, campaign)]
    ids = {str(row["CampaignId"]) for row in rows}
    if len(ids) != 1:
        detail = (
            f"there is no campaign {campaign.key}" if not ids else f"several campaigns have the name {campaign.key}"
        )
        raise ActionError("no_campaign", detail)
    statuses = {str(row["Label"]).casefold(): (str(row["Label"]), int(row["SortOrder"] or 0)) for row in rows}
    return ids.pop(), statuses


def _is_of(row: Row, campaign: CampaignReference) -> bool:
    if campaign.id:
        # An ID may be written with its first 15 characters, which are case-sensitive and identify the record.
        return str(row["CampaignId"])[:15] == campaign.id[:15]
    return str(row["Campaign"]["Name"]).casefold() == str(campaign.name).casefold()
