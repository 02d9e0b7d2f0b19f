"""Bringing the database to the schema of this release: under a lock, so that two processes may start at once."""

import fcntl
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from urllib.parse import quote

import alembic.command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from blog.config import ROOT, settings
from blog.db import APPLICATION_ID, BUSY_MILLISECONDS, db
from blog.tables import metadata

# Any number, as long as it is always the same: it names our lock among PostgreSQL's advisory locks.
LOCK = 0x5041524C

log = logging.getLogger(__name__)
# Alembic tells each time it looks; what it does is told below.
logging.getLogger("alembic").setLevel(logging.WARNING)


class WrongDatabase(Exception):
    """The database is not ours, or newer than this release. `sentence` says which and what to do."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def alembic_config() -> Config:
    config = Config(str(ROOT / "migrations" / "alembic.ini"))
    config.set_main_option("script_location", str(ROOT / "migrations"))
    return config


@cache
def newest_revision() -> str:
    """The schema of this release. Reads the migrations' files, once."""
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
            log.log(logging.INFO if current else logging.DEBUG, "the database went from schema %s to %s", current, newest_revision())


def check_identity() -> None:
    """Refuse, and don't alter, a database that belongs to another program. Raises WrongDatabase."""
    if db.engine.dialect.name != "sqlite":
        there = set(inspect(db.engine).get_table_names())
        if "alembic_version" not in there and there & set(metadata.tables):
            raise WrongDatabase("The database in DATABASE_URL holds another program’s tables; set it to an empty database of our own.")
        return
    path = Path(db.engine.url.database or "")
    if path.parent.is_dir() and not path.exists():
        path.touch(mode=0o600)  # it holds addresses and hashes, and the folder may be open to others
    if path.is_file() and path.stat().st_size:
        # Not through our engine: its first words to a new connection (WAL) are written into the file.
        found, tables = _header(path)
        if found == APPLICATION_ID:
            return
        if found != 0 or tables != 0:
            raise WrongDatabase(f"{path} is another program’s database; set PARLEY_INSTANCE or DATABASE_URL to a place of our own.")
    with db.engine.connect() as connection:
        connection.execute(text(f"PRAGMA application_id = {APPLICATION_ID}"))
        connection.commit()


def _header(path: Path) -> tuple[int, int]:
    """Application id and number of tables of a SQLite file, read without leaving a trace."""
    # Without a journal beside it the file is all there is, and SQLite need not make the journal's own files to read it.
    mode = "mode=ro" if path.with_name(path.name + "-wal").exists() else "mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path.absolute()))}?{mode}", uri=True, timeout=BUSY_MILLISECONDS / 1000)) as connection:
            found = connection.execute("PRAGMA application_id").fetchone()[0]
            return int(found), int(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
    except sqlite3.DatabaseError as error:
        raise WrongDatabase(f"{path} can’t be read as a database ({error}); set PARLEY_INSTANCE or DATABASE_URL to a place of our own.") from None


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
