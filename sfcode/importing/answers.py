"""The options of an import."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from sfcode.config.mapping_models import Direction
from sfcode.config.models import Region
from sfcode.config.names import make_identity
from sfcode.lazy_dataclasses import dataclass, field, replace
from sfcode.mapping.naming import find_name

NONE = "none"
"""The value of an option that means no field."""


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """
    Answers to questions that the org leaves open; None or empty if not passed.

    A field is `Field`, for every object, or `Object.Field`.
    """

    objects: tuple[str, ...] = ()
    user_id: tuple[str, ...] = ()
    attributes: tuple[tuple[str, str], ...] = ()
    """Pairs of an attribute in Appcues and a field."""
    nps_score: tuple[str, ...] = ()
    nps_feedback: tuple[str, ...] = ()
    direction: Direction | None = None
    user: str | None = None
    permission_set: str | None = None
    name: str = "Appcues"
    identity: str = field(default_factory=make_identity)
    """The `id` of the project."""
    account: str | None = None
    region: Region = "us"
    relay_url: str | None = None
    environment: str | None = None
    org: str = ""
    """The value of `org` in the environment."""

    def field(self, names: tuple[str, ...], object_name: str) -> str | None:
        """Return the field that was passed for an object: `Object.Field` before a plain `Field`."""
        qualified = [name.partition(".")[2] for name in names if name.startswith(f"{object_name}.")]
        plain = [name for name in names if "." not in name]
        return next(iter((*qualified, *plain)), None)

    def list_fields(self) -> Iterator[tuple[str, str]]:
        """Return each option with a field that it was passed with."""
        named_fields = {
            "--user-id-field": self.user_id,
            "--nps-score": self.nps_score,
            "--nps-feedback": self.nps_feedback,
        }
        named_fields["--attribute"] = tuple(name for _, name in self.attributes)
        return ((option, name) for option, names in named_fields.items() for name in names)

    def spell_as(self, fields: Mapping[str, Collection[str]], permission_sets: Collection[str]) -> ImportOptions:
        """Return the answers with the names of objects, fields and permission sets as an org spells them; unknown names stay."""

        def spell(name: str) -> str:
            owner, dot, last = name.rpartition(".")
            owner = find_name(owner, fields) or owner
            owners = [fields.get(owner, ())] if dot else fields.values()
            spellings = (find_name(last, candidates) for candidates in owners)
            return f"{owner}{dot}{next(filter(None, spellings), last)}"

        def spell_all(names: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(map(spell, names))

        return replace(
            self,
            objects=tuple(find_name(name, fields) or name for name in self.objects),
            user_id=spell_all(self.user_id),
            attributes=tuple((attribute, spell(name)) for attribute, name in self.attributes),
            nps_score=spell_all(self.nps_score),
            nps_feedback=spell_all(self.nps_feedback),
            permission_set=self.permission_set
            and (find_name(self.permission_set, permission_sets) or self.permission_set),
        )
