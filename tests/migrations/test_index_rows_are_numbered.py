"""Index rows that named their document by its id find it by its number, on both databases."""

import pytest
from sqlalchemy import Engine, text

from service.engine import WRITING, create_engine
from service.migrations import upgrade
from tests.migrations.test_migrations import to_revision

DOCUMENT = (
    "INSERT INTO documents (id, audience, type, version, last_updated, content, deleted, source,"
    " confidentiality, sensitivity, owner, revision, created, indexed)"
    " VALUES (:id, 2, 'Patient', 1, 0, '', false, '', 1, '', 'programme', 1, :created, 2)"
)
ROWS = (
    (
        "INSERT INTO document_tokens (id, audience, type, param, system, code)"
        " VALUES (:id, 2, 'Patient', 'gender', 's', :id)"
    ),
    (
        "INSERT INTO document_strings (id, audience, type, param, value, original)"
        " VALUES (:id, 2, 'Patient', 'name', :id, :id)"
    ),
    (
        "INSERT INTO document_dates (id, audience, type, param, low, high)"
        " VALUES (:id, 2, 'Patient', 'death-date', :created, :created)"
    ),
    (
        "INSERT INTO document_numbers (id, audience, type, param, low, high, system, code, unit)"
        " VALUES (:id, 2, 'Patient', 'number', :created, :created, '', '', '')"
    ),
    (
        "INSERT INTO document_references (id, audience, type, param, target, target_type)"
        " VALUES (:id, 2, 'Patient', 'link', :id, 'Patient')"
    ),
)
FOUND = (
    ("tokens", "i.code"),
    ("strings", "i.value"),
    ("dates", "i.low"),
    ("numbers", "i.low"),
    ("references", "i.target"),
)


def change(engine: Engine, *statements: tuple[str, dict[str, object]]) -> None:
    with engine.connect().execution_options(**{WRITING: True}) as connection:
        for sql, values in statements:
            connection.execute(text(sql), values)
        connection.commit()


def test_each_row_goes_on_naming_its_document(older_url):
    to_revision(older_url, "0018_audit_chain")
    engine = create_engine(older_url)
    documents = [{"id": f"{9 - n}" * 32, "created": n} for n in range(3)]
    for each in documents:
        change(engine, (DOCUMENT, each), *((sql, each) for sql in ROWS))
    engine.dispose()
    upgrade(older_url)
    engine = create_engine(older_url)
    with engine.connect() as connection:
        numbers = connection.execute(text("SELECT number FROM documents ORDER BY created"))
        assert [number for (number,) in numbers] == [1, 2, 3]
        for table, value in FOUND:
            sql = (
                f"SELECT d.id, d.created, {value} FROM document_{table} i"
                " JOIN documents d ON d.number = i.document ORDER BY d.created"
            )
            found = [tuple(row) for row in connection.execute(text(sql))]
            wanted = "created" if value == "i.low" else "id"
            assert found == [(each["id"], each["created"], each[wanted]) for each in documents]
    engine.dispose()


@pytest.mark.postgres
def test_blocks_begin_after_the_numbers_given(postgres_url):
    engine = create_engine(postgres_url)
    with engine.connect() as connection:
        last = connection.execute(text("SELECT max(number) FROM documents")).scalar() or 0
        block = connection.execute(text("SELECT nextval('document_blocks')")).scalar()
    engine.dispose()
    assert block * 1000 > last
