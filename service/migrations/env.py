"""Runs the revisions; forward only. https://alembic.sqlalchemy.org/en/latest/tutorial.html"""

from typing import Any, Literal

from alembic import context
from sqlalchemy import Connection

from service.engine import create_engine
from service.migrations.schema import metadata_of
from service.settings import Settings


def render_item(kind: str, item: Any, _autogen_context: Any) -> str | Literal[False]:  # noqa: ANN401 - Alembic's types
    """Write our column types as what they are in the database: a revision outlives the code."""
    if kind != "type":
        return False
    name = type(item).__name__
    if name == "UtcDateTime":
        return "sa.DateTime(timezone=True)"
    if name in ("AutoString", "Enum"):
        length = getattr(item, "length", None)
        return f"sa.String({length})" if length else "sa.String()"
    return False


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata_of(connection),
        compare_type=True,
        render_item=render_item,
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    with create_engine(Settings().database_url).connect() as opened:
        run(opened)
        opened.commit()
