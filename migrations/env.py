"""Alembic's environment: our engine and metadata, batch mode on SQLite, short waits for locks on PostgreSQL."""

from alembic import context
from sqlalchemy import Connection, text

from blog.db import db
from blog.tables import metadata

if context.is_offline_mode():
    raise SystemExit("Migrations run against a database: flask --app app db upgrade")


def check_foreign_keys(connection: Connection, *, on: bool) -> None:
    """SQLite's pragma, past SQLAlchemy: it has no effect inside a transaction, and our engine begins one with the first statement."""
    connection.connection.cursor().execute(f"PRAGMA foreign_keys = {'ON' if on else 'OFF'}")


with db.engine.connect() as connection:
    postgresql = connection.dialect.name == "postgresql"
    if postgresql:
        connection.execute(text("SET lock_timeout = '10s'"))
        connection.commit()
    else:
        check_foreign_keys(connection, on=False)  # batch mode copies a table and drops the old one, to which others point
    try:
        context.configure(connection=connection, target_metadata=metadata, render_as_batch=not postgresql, compare_type=True)
        with context.begin_transaction():
            context.run_migrations()
            if not postgresql:
                broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
                if broken:
                    raise RuntimeError(f"Rows that point to nothing: {broken[:5]}")
    finally:
        if not postgresql:
            connection.rollback()
            check_foreign_keys(connection, on=True)
