"""The keys that a search can be sorted by: columns, or the lowest or highest value of an index.

A document without a value comes first where the order ascends, and last where it descends.
https://hl7.org/fhir/R4/search.html#_sort
"""

from service.fhir.index_values import MOST, START_OF_TIME
from service.fhir.mapping import ResourceType, SearchParameter
from service.fhir.search_plan import BY_ID, BY_UPDATE, Sort

# For each type: its table, the column ascending and descending, and what stands for no value.
TOKENS = ("document_tokens", "code", "code", "''")
STRINGS = ("document_strings", "value", "value", "''")
DATES = ("document_dates", "low", "high", str(START_OF_TIME))
NUMBERS = ("document_numbers", "low", "high", f"-{MOST}")
REFERENCES = ("document_references", "target", "target", "''")
TABLES = {
    "token": TOKENS,
    "uri": TOKENS,
    "string": STRINGS,
    "date": DATES,
    "number": NUMBERS,
    "quantity": NUMBERS,
    "reference": REFERENCES,
}
SUBJECT = frozenset({"patient", "subject"})
COLUMNS = {"_id": BY_ID.column, "_lastUpdated": BY_UPDATE.column}


def sort_key(kind: ResourceType, text: str) -> Sort | None:
    """Return the key that `-date` or `status` names, or None where it cannot be sorted by."""
    name = text.removeprefix("-")
    descending = text.startswith("-")
    if name in COLUMNS:
        return Sort(COLUMNS[name], descending)
    parameter = kind.by_name.get(name)
    if parameter is None or parameter.type not in TABLES:
        return None
    if name == kind.date:
        return Sort("d.date_low", descending)
    return Sort(_value(parameter, descending=descending), descending)


def _value(parameter: SearchParameter, *, descending: bool) -> str:
    """Return the subquery; the name it holds is one of the registry's, never a caller's."""
    table, lowest, highest, nothing = TABLES[parameter.type]
    found = f"max(o.{highest})" if descending else f"min(o.{lowest})"
    where = f"o.document = d.number AND o.param = '{parameter.name}'"
    value = f"(SELECT {found} FROM {table} o WHERE {where})"  # noqa: S608
    own = "d.subject, " if parameter.name in SUBJECT else ""
    return f"coalesce({value}, {own}{nothing})"
