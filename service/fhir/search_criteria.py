"""What a parameter asks of a document: a condition on it, and keys of those that fulfil it.

https://hl7.org/fhir/R4/search.html#modifiers
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from service.errors import ForbiddenError, InvalidError
from service.fhir.mapping import ResourceType, SearchParameter
from service.fhir.search_plan import Criterion, Driver, Rules, UnsupportedError
from service.fhir.search_values import Condition, also, one_of

MOST_LEVELS = 3
MOST_JOINS = 10
# The order in which the levels of a chain name their documents.
ALIASES = ("d", "e", "f", "g")


@dataclass
class Joins:
    """How many documents one search joins."""

    count: int = 0

    def another(self) -> None:
        self.count += 1
        if self.count > MOST_JOINS:
            rule = f"more than {MOST_JOINS} types are joined; name those that chains lead to"
            raise InvalidError(rule, element="query")


@dataclass(frozen=True)
class Scope:
    """A document in the statement that parameters are about, at some level of a chain.

    `named` is what the statement calls it, where that is another alias than the level's.
    """

    kind: ResourceType
    rules: Rules
    joins: Joins = field(default_factory=Joins)
    level: int = 0
    named: str = ""

    @property
    def alias(self) -> str:
        return self.named or ALIASES[self.level]

    def joined(self, name: str) -> "Scope":
        """Return the scope of a document of this type that is joined to this one.

        Raises:
            ForbiddenError: the caller may not search that type.
            InvalidError: there are too many.
        """
        if self.rules.access is None or not self.rules.access.may(name, "s"):
            raise ForbiddenError(f"the token does not grant system/{name}.s")
        if self.level == MOST_LEVELS:
            raise InvalidError(f"a chain of more than {MOST_LEVELS} levels", element="query")
        self.joins.another()
        return Scope(self.rules.types[name], self.rules, self.joins, self.level + 1)

    def visible(self) -> Condition:
        """Return the access filter: what makes a joined document one that the caller may see."""
        access, a = self.rules.access, self.alias
        own = self.audience(a)
        limits = f"{a}.confidentiality <= ? AND {a}.purposes & ? <> 0"
        found = f"{own.sql} AND NOT {a}.deleted AND {limits}"
        seen = Condition(found, (*own.args, *((-1, 0) if access is None else access.limits)))
        limit = self.rules.limit(self.kind.name, a)
        return seen if limit is None else also(seen, limit.test)

    def audience(self, alias: str) -> Condition:
        """Return that a row is of this type, in an audience where the caller may find it."""
        where = one_of(f"{alias}.audience", self.rules.where(self.kind.name))
        return Condition(f"{where.sql} AND {alias}.type = ?", (*where.args, self.kind.name))


Values = Sequence[str]
Criteria = Callable[[Scope, SearchParameter, Values, str], Criterion]


def indexed(
    scope: Scope, table: str, param: str, wanted: Condition, *, certain: bool = False
) -> Criterion:
    """Return the criterion that an index table has a row `i` for the document."""
    own = scope.audience("i")
    keys = Condition(
        f"SELECT i.document AS key FROM {table} i WHERE {own.sql} AND i.param = ? AND {wanted.sql}",  # noqa: S608 - no value is in the text
        (*own.args, param, *wanted.args),
    )
    return Criterion(exists(scope, table, param, wanted), Driver(keys, "number", certain))


def exists(scope: Scope, table: str, param: str, wanted: Condition | None = None) -> Condition:
    """Return that a row of an index table is there.

    OFFSET keeps PostgreSQL from turning it into a join: it is asked of each document met on the
    way, which stops when the page is full. What is rare is found by its keys instead.
    """
    found = f"{table} i WHERE i.document = {scope.alias}.number AND i.param = ?"
    if wanted is None:
        return Condition(f"EXISTS (SELECT 1 FROM {found} LIMIT 1 OFFSET 0)", (param,))  # noqa: S608
    sql = f"EXISTS (SELECT 1 FROM {found} AND {wanted.sql} LIMIT 1 OFFSET 0)"  # noqa: S608
    return Condition(sql, (param, *wanted.args))


def lacking(found: Iterable[Condition]) -> Criterion:
    """Return the criterion that none of these holds."""
    parts = list(found)
    sql = " AND ".join(f"NOT {part.sql}" for part in parts)
    return Criterion(Condition(f"({sql})", tuple(arg for part in parts for arg in part.args)))


def unsupported(modifier: str) -> UnsupportedError:
    if not modifier:
        return UnsupportedError("the parameter is not searched here")
    return UnsupportedError("the modifier is not supported")
