"""What was chosen, why, and what is still open."""

from __future__ import annotations

from dataclasses import dataclass, field

from sfcode.importing.answers import Options
from sfcode.importing.scan_result import Found, Message


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing that the config will say, and what speaks for it."""

    what: str
    value: str
    because: str


@dataclass(frozen=True, slots=True)
class Question:
    """Something that the org does not settle, and the option that does."""

    text: str
    answer: str

    def __str__(self) -> str:
        return f"{self.text}\n      {self.answer}"


@dataclass(frozen=True, slots=True)
class UserDraft:
    """The integration user."""

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
class MappingDraft:
    """One object."""

    name: str
    object: str
    direction: str
    user_id: str
    source: str
    """The number field behind the user id; "" where the field is used as it is."""
    attributes: dict[str, str]
    attributes_because: str
    score: str | None
    feedback: str | None
    activities: bool
    replaces: tuple[str, ...] = ()

    @property
    def sends(self) -> bool:
        """Whether data goes to Appcues."""
        return self.direction != "to_salesforce"

    @property
    def receives(self) -> bool:
        """Whether data comes from Appcues."""
        return self.direction != "to_appcues"


@dataclass(frozen=True, slots=True)
class Draft:
    """A config in the making."""

    user: UserDraft
    mappings: tuple[MappingDraft, ...]
    as_is: tuple[str, ...]
    choices: tuple[Choice, ...]
    leftovers: tuple[Message, ...] = ()
    """Messages to Appcues that a relay takes the place of."""
    by_hand: tuple[str, ...] = ()
    """What stands in the way of that, in sentences."""
    notes: tuple[str, ...] = ()


@dataclass
class Inquiry:
    """What was found and said, and what gathers while choosing."""

    found: Found
    options: Options
    choices: list[Choice] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    by_hand: list[str] = field(default_factory=list)

    def chose(self, what: str, value: str, because: str) -> None:
        """Note a choice."""
        self.choices.append(Choice(what, value, because))

    def ask(self, text: str, answer: str) -> None:
        """Note a question."""
        self.questions.append(Question(text, answer))
