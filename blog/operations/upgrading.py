"""Bringing the database to the schema of this release: under a lock, so that two processes may start at once."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import alembic.command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from blog.config import ROOT, settings
from blog.db import APPLICATION_ID, db

# Any number, as long as it is always the same: it names our lock among PostgreSQL's advisory locks.
LOCK = 0x5041524C


class WrongDatabase(Exception):
    """The database is not ours, or newer than this release. `sentence` says which and what to do."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def alembic_config() -> Config:
    config = Config(str(ROOT / "migrations" / "alembic.ini"))
    config.set_main_option("script_location", str(ROOT / "migrations"))
    return config


def newest_revision() -> str:
    return str(ScriptDirectory.from_config(alembic_config()).get_current_head())


def current_revision() -> str | None:
    """The schema's revision, None for a database without tables of ours."""
    with db.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def upgrade() -> None:
    """Bring the schema to the newest revision. Raises WrongDatabase for another program's file or a newer release's."""
    with one_at_a_time():
        check_identity()
        known = {script.revision for script in ScriptDirectory.from_config(alembic_config()).walk_revisions()}
        current = current_revision()
        if current is not None and current not in known:
            raise WrongDatabase(f"The database has schema {current}, which this release does not know. Start the newer release, or restore a backup.")
        if current != newest_revision():
            alembic.command.upgrade(alembic_config(), "head")


def check_identity() -> None:
    """Refuse, and don't alter, a SQLite file that belongs to another program."""
    if db.engine.dialect.name != "sqlite":
        return
    with db.engine.connect() as connection:
        found = connection.execute(text("PRAGMA application_id")).scalar_one()
        tables = connection.execute(text("SELECT count(*) FROM sqlite_master")).scalar_one()
        if found == APPLICATION_ID:
            return
        if found != 0 or tables != 0:
            raise WrongDatabase(f"{db.engine.url.database} is another program’s database; set PARLEY_INSTANCE or DATABASE_URL to a place of our own.")
        connection.execute(text(f"PRAGMA application_id = {APPLICATION_ID}"))
        connection.commit()


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Hold the upgrade lock: an advisory lock on PostgreSQL, a locked file in the instance folder on SQLite."""
    if db.engine.dialect.name == "postgresql":
        with db.engine.connect() as connection:
            connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": LOCK})
            connection.commit()
            try:
                yield
            finally:
                connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": LOCK})
                connection.commit()
        return
    path = Path(settings().instance) / "upgrade.lock"
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
