"""
The functions of the formula language: their parameters and result types.

https://help.salesforce.com/s/articleView?id=platform.customize_functions.htm&type=5 lists them.
"""

from __future__ import annotations

from dataclasses import dataclass

from sfcode.local.formula.types import LETTERS, Type


@dataclass(frozen=True, slots=True)
class Function:
    """A function: the types that each parameter accepts (none: all), and its result type."""

    parameters: tuple[frozenset[Type], ...]
    required: int
    repeats: bool
    result: Type | None
    like_first: bool
    """The result has the type of the first argument."""

    def accepts(self, count: int) -> bool:
        """Return whether a call with this number of arguments is valid."""
        return self.required <= count and (self.repeats or count <= len(self.parameters))

    def parameter(self, index: int) -> frozenset[Type]:
        """Return the types that the argument at an index may have."""
        return self.parameters[min(index, len(self.parameters) - 1)]


# One letter per type (see types.py), several for alternatives, `*` for anything, `?` after an
# optional parameter, `+` after one that repeats. After the arrow the result; `=` is the first argument's.
TABLE = """
ABS N -> N | ACOS N -> N | ADDMONTHS DM N -> = | AND B+ -> B | ASCII T -> N | ASIN N -> N | ATAN N -> N
ATAN2 N N -> N | BEGINS T T -> B | BLANKVALUE * * -> = | BR -> T | CASESAFEID T -> T | CEILING N -> N | CHR N -> T
CONTAINS T T -> B | COS N -> N | CURRENCYRATE T -> N | DATE N N N -> D | DATETIMEVALUE TDM -> M | DATEVALUE TDM -> D
DAY D -> N | DAYOFYEAR D -> N | DISTANCE * * T -> N | EXP N -> N | FIND T T N? -> N | FLOOR N -> N
FORMATDURATION * *? -> T | FROMUNIXTIME N -> M | GEOLOCATION N N -> * | GETRECORDIDS * -> * | GETSESSIONID -> T
HOUR I -> N | HTMLENCODE T -> T | HYPERLINK T T T? -> T | IF B * * -> * | IMAGE T T N? N? -> T
IMAGEPROXYURL T -> T | INCLUDE * *? *? -> T | INCLUDES V T -> B | INITCAP T -> T | ISBLANK * -> B | ISCHANGED * -> B
ISCLONE -> B | ISNEW -> B | ISNULL * -> B | ISNUMBER T -> B | ISOWEEK D -> N | ISOYEAR D -> N | ISPICKVAL P T -> B
JSENCODE T -> T | JSINHTMLENCODE T -> T | JUNCTIONIDLIST * * * -> * | LEFT T N -> T | LEN T -> N
LINKTO * * * *? *? -> T | LN N -> N | LOG N -> N | LOWER T T? -> T | LPAD T N T? -> T | MAX N+ -> N | MCEILING N -> N
MFLOOR N -> N | MID T N N -> T | MILLISECOND I -> N | MIN N+ -> N | MINUTE I -> N | MOD N N -> N | MONTH D -> N
NOT B -> B | NOW -> M | NULLVALUE * * -> = | OR B+ -> B | PARENTGROUPVAL * * *? -> * | PI -> N | PICKLISTCOUNT V -> N
PREDICT * *+ -> * | PREVGROUPVAL * * N? -> * | PRIORVALUE * -> = | REGEX T T -> B | REQUIRESCRIPT T -> T
REVERSE T -> T | RIGHT T N -> T | ROUND N N -> N | RPAD T N T? -> T | SECOND I -> N | SIN N -> N | SQRT N -> N
SUBSTITUTE T T T -> T | TAN N -> N | TEXT NDMIP -> T | TIMENOW -> I | TIMEVALUE TM -> I | TODAY -> D | TRIM T -> T
TRUNC N N? -> N | UNIXTIMESTAMP DMI -> N | UPPER T T? -> T | URLENCODE T -> T | URLFOR * *? *? *? -> T | VALUE T -> N
VLOOKUP * * * -> * | WEEKDAY D -> N | YEAR D -> N | CASE * * * *+ -> *
"""

CHANGE = frozenset({"ISCHANGED", "PRIORVALUE"})
"""They compare with the record as it was; their argument is a field."""

TAKES_PICKLISTS = frozenset({"TEXT", "ISPICKVAL", "CASE", "ISBLANK", "ISNULL", "BLANKVALUE", "NULLVALUE", "INCLUDES"})
TAKES_PICKLISTS |= CHANGE | {"PICKLISTCOUNT"}
"""All others refuse a picklist: https://help.salesforce.com/s/articleView?id=platform.tips_on_building_formulas.htm&type=5 ."""

OF_BUTTONS_AND_REPORTS = frozenset(
    {
        "GETRECORDIDS",
        "HTMLENCODE",
        "INCLUDE",
        "JSENCODE",
        "JSINHTMLENCODE",
        "LINKTO",
        "PARENTGROUPVAL",
        "PREVGROUPVAL",
        "REQUIRESCRIPT",
        "URLENCODE",
        "URLFOR",
    }
)
NOT_IN_FIELDS = OF_BUTTONS_AND_REPORTS | CHANGE | {"ISCLONE", "ISNEW", "REGEX", "VLOOKUP"}
NOT_IN_RULES = OF_BUTTONS_AND_REPORTS | {"VLOOKUP", "HYPERLINK", "IMAGE"}


def _types(letters: str) -> frozenset[Type]:
    return frozenset() if letters == "*" else frozenset(LETTERS[letter] for letter in letters)


def _read(line: str) -> tuple[str, Function]:
    head, _, result = line.partition(" -> ")
    name, *parameters = head.split()
    required = sum(not parameter.endswith("?") for parameter in parameters)
    repeats = bool(parameters) and parameters[-1].endswith("+")
    types = tuple(_types(parameter.rstrip("?+") if len(parameter) > 1 else parameter) for parameter in parameters)
    return name, Function(types, required, repeats, LETTERS.get(result), result == "=")


FUNCTIONS = dict(_read(entry.strip()) for entry in TABLE.replace("\n", "|").split("|") if entry.strip())
