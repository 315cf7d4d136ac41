"""Rules of the house that no linter knows."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHIPPED = sorted(
    path for room in ("api", "fhir_mappings", "service") for path in (ROOT / room).rglob("*.py")
)
LONGEST_FUNCTION = 30
LONGEST_FILE = 300
# The unit of work, and those that write no rows of the domain: revisions.
MAY_COMMIT = {
    "service/database.py",
    "service/migrations/__init__.py",
    "service/migrations/env.py",
}
# Who reads documents of every audience: the projection itself, which decides what they may have.
# The numbers of documents are nobody's answer.
EVERY_AUDIENCE = {
    "service/fhir/documents.py",
    "service/fhir/numbering.py",
    "service/migrations/versions/0025_document_numbers.py",
}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def nodes(path: Path) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", SHIPPED, ids=name_of)
def test_only_the_unit_of_work_commits(path):
    calls = [
        node
        for node in nodes(path)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "commit"
    ]
    assert not calls or name_of(path) in MAY_COMMIT


@pytest.mark.parametrize("path", SHIPPED, ids=name_of)
def test_whoever_reads_documents_says_whose(path):
    """A SELECT on documents without an audience would be a way round the wall."""
    if name_of(path) in EVERY_AUDIENCE:
        return
    for node in nodes(path):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            statement = node.value
            if "FROM documents" in statement and "SELECT" in statement:
                assert "audience" in statement, statement


@pytest.mark.parametrize("path", SHIPPED, ids=name_of)
def test_files_and_functions_can_be_taken_in_at_a_glance(path):
    if "migrations/versions" in name_of(path):
        return  # a revision is a list of columns
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE
    for node in nodes(path):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert length(node) <= LONGEST_FUNCTION, f"{name_of(path)}: {node.name}"


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function, its docstring not counted."""
    lines = (node.end_lineno or node.lineno) - node.lineno + 1
    first = node.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        lines -= (first.end_lineno or first.lineno) - first.lineno + 1
    return lines
