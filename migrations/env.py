"""Alembic's environment: our engine and metadata, batch mode on SQLite, short waits for locks on PostgreSQL."""

from alembic import context
from sqlalchemy import text

from blog.db import db
from blog.tables import metadata

if context.is_offline_mode():
    raise SystemExit("Migrations run against a database: flask --app app db upgrade")

with db.engine.connect() as connection:
    postgresql = connection.dialect.name == "postgresql"
    if postgresql:
        connection.execute(text("SET lock_timeout = '10s'"))
        connection.commit()
    else:
        # Batch mode copies tables; the pragma has no effect inside a transaction.
        connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
        connection.rollback()
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=not postgresql, compare_type=True)
    with context.begin_transaction():
        context.run_migrations()
    if not postgresql:
        connection.exec_driver_sql("PRAGMA foreign_keys = ON")
        connection.rollback()
