"""The statements of the search index's tables, in one order: tokens, strings, dates and so on.

https://hl7.org/fhir/R4/search.html
"""

INDEX_TABLES = ("tokens", "strings", "dates", "numbers", "references")
COLUMNS = (
    "param, system, code",
    "param, value, original",
    "param, low, high",
    "param, low, high, system, code, unit",
    "param, target, target_type",
)


def _insert(table: str, columns: str) -> str:
    marks = ", ".join("?" * (columns.count(",") + 4))
    return f"INSERT INTO document_{table} (document, audience, type, {columns}) VALUES ({marks})"  # noqa: S608 - names of ours


INSERTS = tuple(map(_insert, INDEX_TABLES, COLUMNS))
CLEAR = tuple(f"DELETE FROM document_{table} WHERE document = ?" for table in INDEX_TABLES)  # noqa: S608
