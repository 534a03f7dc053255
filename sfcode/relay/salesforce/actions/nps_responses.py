"""Store every NPS answer as its own record (the recipe `nps_history`)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sfcode.config.project import Project
from sfcode.lazy_dataclasses import asdict, dataclass, field, replace
from sfcode.mapping import naming
from sfcode.mapping.events import ITEM_ATTRIBUTES
from sfcode.mapping.limits import LONG_TEXT_LENGTH, TEXT_LENGTH
from sfcode.mapping.recipes import ACCOUNT_FIELD, RESPONSE_ID_FIELD, select_people_mappings
from sfcode.mapping.resolved import ResolvedMapping
from sfcode.relay.message import LatestState
from sfcode.relay.salesforce.actions.action import EventAction, PlanContext, RecordWrite, Row
from sfcode.relay.salesforce.event_reader import AppcuesEvent
from sfcode.relay.salesforce.template_sandbox import text
from sfcode.relay.salesforce.text_limits import cut
from sfcode.relay.state_names import name_record_state

ONE_ANSWER = timedelta(hours=24)
"""Events of a person and a survey within this time are one answer: a score, its feedback, a corrected score."""
KEPT = 10
"""The number of answers of a person to a survey that are stored, so that late events can be assigned to them."""
WRITTEN_AGAIN = 2 * ONE_ANSWER
"""The age up to which the fields of an answer are stored, so that the record can be written again."""

MILLISECONDS = len("2026-11-23T17:23:00.000")
"""The number of characters of a time with milliseconds, which is the precision of Salesforce."""

_FIELDS = {"score": "Score__c", "feedback": "Feedback__c"}


@dataclass(frozen=True, slots=True)
class Answer:
    """
    An answer: its external ID, the times of its first event and of its parts, and its record.

    The times have the form of `LatestState.stamp`. The state of an answer stores the fields by these names.
    """

    id: str
    begun: str
    score: str = ""
    feedback: str = ""
    object: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)
    """The known fields of the record; empty for older answers."""

    def is_near(self, event: AppcuesEvent, span: timedelta = ONE_ANSWER) -> bool:
        """Return whether the answer began near the time of an event, so that the event may belong to it."""
        return abs(event.time - datetime.fromisoformat(self.begun)) <= span


@dataclass(frozen=True, slots=True)
class NpsResponses(EventAction):
    """Upserts one record per answer, for its events in any order."""

    mapping: str
    person: str
    """The object of the matched record: Contact or Lead."""
    object: str
    """The object of answers."""
    needs_account: bool
    """Whether answers are detail records of accounts, so that answers of people without an account cannot be stored."""
    redact: bool = False
    """Whether feedback must not be stored outside of Salesforce."""

    @property
    def takes_past(self) -> bool:
        """True, since each answer is its own record."""
        return True

    @property
    def fields_to_read(self) -> tuple[str, ...]:
        """The account of a contact."""
        return ("AccountId",) if self.person == "Contact" else ()

    def handles(self, event: AppcuesEvent) -> bool:
        """Return whether the event is an NPS event, also if its answer is invalid."""
        return event.problem is not None or bool(event.answers)

    def state_names(self, event: AppcuesEvent, record_id: str, _related: Sequence[Row] = (), /) -> Iterable[str]:
        """Return the name of the state with the person's answers to the survey."""
        return [state_name(self.person, record_id, _survey(event))]

    def written_states(self, event: AppcuesEvent, record_id: str, _related: Sequence[Row] = (), /) -> Iterable[str]:
        """Return the name of the state with the person's answers to the survey, which the event may change."""
        return self.state_names(event, record_id)

    def plan(self, event: AppcuesEvent, context: PlanContext) -> list[RecordWrite]:
        """Return the upsert of the answer with the parts that are not older than the stored ones."""
        account = context.row.get("AccountId")
        if self.needs_account and not account:
            return []
        survey = _survey(event)
        name = state_name(self.person, context.record_id, survey)
        state = context.latest.get(name)
        answers = [Answer(**entry) for entry in json.loads(state.value)] if state and state.value else []
        answer = next((entry for entry in answers if entry.is_near(event)), None) or _begin(event, survey)
        new_answer = replace(answer, begun=min(answer.begun, event.stamp))
        values: dict[str, Any] = {}
        stamps: dict[str, Any] = {}
        for kind, value in event.answers.items():
            if getattr(answer, kind) <= event.stamp:
                values[_FIELDS[kind]] = cut(value, LONG_TEXT_LENGTH) if isinstance(value, str) else value
                stamps[kind] = event.stamp
        if not values:
            return []
        values |= {
            f"{self.person}__c": context.record_id,
            "Answered_At__c": f"{new_answer.begun[:MILLISECONDS]}Z",
            **_describe(event),
        }
        if account:
            values[ACCOUNT_FIELD] = account
        all_fields = {**answer.fields, **values}
        if self.redact:
            all_fields.pop(_FIELDS["feedback"], None)
        new_answer = replace(new_answer, object=self.object, fields=all_fields, **stamps)
        other_answers = sorted((entry for entry in answers if entry.id != answer.id), key=lambda entry: entry.begun)
        other_answers = [
            entry if entry.is_near(event, WRITTEN_AGAIN) else replace(entry, fields={}) for entry in other_answers
        ]
        value = json.dumps([asdict(entry) for entry in [*other_answers, new_answer][-KEPT:]])
        stamp = max(event.stamp, state.stamp if state else "")
        return [
            RecordWrite(
                self.mapping,
                "upsert",
                self.object,
                RESPONSE_ID_FIELD,
                answer.id,
                values,
                notes=(LatestState(name, stamp, value),),
            )
        ]


def keep_nps_responses(project: Project, mapping: ResolvedMapping) -> NpsResponses | None:
    """Return the action for the recipe `nps_history`; None for a mapping without users who answer surveys."""
    history = project.recipes.nps_history
    if history is None or not select_people_mappings([mapping]):
        return None
    return NpsResponses(
        mapping.name,
        mapping.object,
        naming.response_object(project.settings.name),
        history.account == "detail",
        project.settings.relay.redact_feedback,
    )


def state_name(person: str, record_id: str, survey: str) -> str:
    """Return the name of the state with a record's answers to a survey."""
    return name_record_state("answers", person, record_id, hashlib.sha256(survey.encode()).hexdigest()[:16])


def plan_rewrites(state: LatestState) -> list[RecordWrite]:
    """Return the upserts that write the records of a person's latest answers again."""
    answers = [Answer(**entry) for entry in json.loads(state.value or "[]")]
    return [
        RecordWrite("", "upsert", entry.object, RESPONSE_ID_FIELD, entry.id, entry.fields, notes=(state,))
        for entry in answers
        if entry.fields
    ]


def _begin(event: AppcuesEvent, survey: str) -> Answer:
    """Create an answer. Its ID depends only on its first event, so that a repeated delivery gives the same record."""
    parts = json.dumps([event.user_id, survey, event.message_id])
    return Answer(hashlib.sha256(parts.encode("utf-8", "surrogatepass")).hexdigest(), event.stamp)


def _survey(event: AppcuesEvent) -> str:
    name, id_ = _survey_names(event)
    return id_ or name


def _survey_names(event: AppcuesEvent) -> tuple[str, str]:
    name, id_ = (text(event.value(attribute)) for attribute in ITEM_ATTRIBUTES["survey"])
    return name, id_


def _describe(event: AppcuesEvent) -> dict[str, str]:
    """Return the fields about the survey that the event has."""
    name, id_ = _survey_names(event)
    fields = {"Survey__c": name, "Survey_Id__c": id_, "Page__c": text(event.value("currentPageUrl"))}
    return {field: cut(value, TEXT_LENGTH) for field, value in fields.items() if value}
