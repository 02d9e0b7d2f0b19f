"""The database: base class, column types, and how a transaction is opened. The same code runs on SQLite and PostgreSQL.

Doors open and close transactions (`with writing():`), deeds work inside one, readings read in whatever is open.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from flask import g, has_request_context
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import BigInteger, DateTime, Dialect, Executable, Integer, MetaData, event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator

log = logging.getLogger(__name__)

# Written into SQLite's header: another program's file is refused, not altered. "PRLY"
APPLICATION_ID = 0x50524C59

BUSY_MILLISECONDS = 10_000

BigId = BigInteger().with_variant(Integer, "sqlite")  # on SQLite only INTEGER PRIMARY KEY counts up by itself


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    })


db = SQLAlchemy(metadata=Base.metadata)


class UTCDateTime(TypeDecorator[datetime]):
    """An instant. Takes aware values only, gives aware UTC back on both databases."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime has no place in the database; use clock.now()")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


@contextmanager
def writing() -> Iterator[None]:
    """One transaction that may write: committed at the end, rolled back on any exception.

    On SQLite it begins IMMEDIATE, so that a deed never reads what another changes before it writes. What was read before
    is forgotten: load inside. In a request whose token or origin did not hold, raises that refusal instead of opening:
    no route can write by forgetting to ask. Never one inside another, whose work it would take back: RuntimeError.
    """
    if has_request_context() and g.get("refusal") is not None:
        raise g.refusal
    with _transaction():
        yield


def note(statement: Executable) -> bool:
    """Run a statement that reading itself causes (when a session was last used), in a transaction of its own. Best effort: a page is read
    on a busy or full database too, and the next one notes it again. Inside `writing()` nothing is done, for the same reason.
    Gives whether it was noted."""
    if db.session().info.get("writing"):
        return False
    try:
        with _transaction():
            db.session.execute(statement)
    except OperationalError:
        log.warning("the database is busy or can’t be written: a visit was not noted")
        return False
    return True


@contextmanager
def at_one_moment() -> Iterator[None]:
    """Everything read inside is of one moment, however many statements ask for it. On SQLite every transaction is so; PostgreSQL is told."""
    session = db.session()
    session.rollback()
    try:
        if db.engine.dialect.name == "postgresql":
            session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        yield
    finally:
        session.rollback()


@contextmanager
def plain_cursor() -> Iterator[Any]:
    """A driver's cursor for one statement that only reads, outside of any transaction: without BEGIN and ROLLBACK, which on PostgreSQL
    cost a way to the server each, more than a short statement does. Takes a connection of its own from the pool."""
    connection = db.engine.raw_connection()
    try:
        raw: Any = connection.driver_connection
        if db.engine.dialect.name == "postgresql":
            raw.autocommit = True
        cursor = raw.cursor()
        try:
            yield cursor
        finally:
            cursor.close()
            if db.engine.dialect.name == "postgresql" and not raw.closed:
                raw.autocommit = False
    finally:
        connection.close()


@contextmanager
def _transaction() -> Iterator[None]:
    session = db.session()
    if session.info.get("writing"):
        raise RuntimeError("writing() inside writing(): the outer one would lose its work")
    session.rollback()  # a snapshot that was read from can't always be written to
    session.info["writing"] = True
    try:
        session.connection(execution_options={"writing": True})
        yield
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        session.info.pop("writing", None)


def prepare(engine: Engine) -> None:
    """Give an engine our SQLite manners (nothing on PostgreSQL)."""
    if engine.dialect.name != "sqlite":
        return

    @event.listens_for(engine, "connect")
    def _manners(connection: Any, record: Any) -> None:
        connection.isolation_level = None  # BEGIN is ours, see below
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA cache_size = -16000")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        immediate = connection.get_execution_options().get("writing")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")
