"""The proposed config: its values with their reasons, and the open questions."""

from __future__ import annotations

from sfcode.importing.answers import ImportOptions
from sfcode.importing.scan_result import Message, ScanResult
from sfcode.lazy_dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of the proposed config, and the reason for it."""

    what: str
    value: str
    because: str


@dataclass(frozen=True, slots=True)
class Question:
    """A decision that the org does not determine, and the option that answers it."""

    text: str
    answer: str

    def __str__(self) -> str:
        return f"{self.text}\n      {self.answer}"


@dataclass(frozen=True, slots=True)
class UserProposal:
    """The proposed integration user."""

    username: str
    last_name: str
    email: str
    license: str
    profile: str
    set_license: str
    permission_set: str | None
    access: str
    record_access: str
    is_new: bool


@dataclass(frozen=True, slots=True)
class MappingProposal:
    """The proposed mapping of one object."""

    name: str
    object: str
    direction: str
    user_id: str
    source: str
    """The number field from which the user ID is generated; "" if the field itself is the user ID."""
    attributes: dict[str, str]
    attributes_because: str
    score: str | None
    feedback: str | None
    activities: bool
    replaces: tuple[str, ...] = ()

    @property
    def sends(self) -> bool:
        """Whether the mapping sends data to Appcues."""
        return self.direction != "to_salesforce"

    @property
    def receives(self) -> bool:
        """Whether the mapping receives data from Appcues."""
        return self.direction != "to_appcues"


@dataclass(frozen=True, slots=True)
class ConfigProposal:
    """A proposed config."""

    user: UserProposal
    mappings: tuple[MappingProposal, ...]
    as_is: tuple[str, ...]
    choices: tuple[Choice, ...]
    leftovers: tuple[Message, ...] = ()
    """Messages to Appcues that a relay replaces."""
    by_hand: tuple[str, ...] = ()
    """Manual steps before the first apply."""
    notes: tuple[str, ...] = ()


@dataclass
class Decisions:
    """The input of a proposal, and the choices, questions and notes so far."""

    found: ScanResult
    options: ImportOptions
    choices: list[Choice] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    by_hand: list[str] = field(default_factory=list)

    def choose(self, subject: str, value: str, because: str) -> None:
        """Record a choice."""
        self.choices.append(Choice(subject, value, because))

    def ask(self, text: str, answer: str) -> None:
        """Record a question."""
        self.questions.append(Question(text, answer))
