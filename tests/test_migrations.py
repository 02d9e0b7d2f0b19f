"""Migrations, on both databases: from nothing they give what the models say, they run backwards, and they leave other people's files alone."""

import hashlib
import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import alembic.command
import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy import Connection, Index, MetaData, Table, inspect, select, text
from sqlalchemy.dialects import postgresql, sqlite

from blog import config
from blog.config import ROOT
from blog.db import APPLICATION_ID, db
from blog.factory import create_app
from blog.operations.upgrading import WrongDatabase, alembic_config, current_revision, newest_revision, upgrade
from blog.tables import metadata
from tests.conftest import close

DIALECTS: dict[str, Any] = {"sqlite": sqlite.dialect(), "postgresql": postgresql.dialect()}

# What only the migration makes: its own row of which revision stands.
OWN = {"alembic_version"}

# A process that waits for the file `go`, then upgrades. Prints the revision that it found afterwards.
PROCESS = """
import sys, time
from pathlib import Path
from blog import config
from blog.factory import create_app
from blog.operations.upgrading import current_revision, upgrade

app = create_app(config.load({}, instance=sys.argv[1], database_url=sys.argv[2], env="development", log_level="error"))
ready, go = Path(sys.argv[3]), Path(sys.argv[4])
ready.touch()
while not go.exists():
    time.sleep(0.002)
with app.app_context():
    upgrade()
    print(current_revision())
"""


class Empty:
    """Databases without a table, made on demand and dropped at the end of the test."""

    def __init__(self, kind: str, folder: Path, server: str) -> None:
        self.kind, self.folder, self.server = kind, folder, server
        self.apps: list[Flask] = []
        self.made: list[str] = []

    def address(self) -> str:
        """The address of a new database; "" for SQLite in the instance folder."""
        if self.kind == "sqlite":
            return ""
        name = f"parley_empty_{len(self.made)}_{time.monotonic_ns()}"
        self.made.append(name)
        with psycopg.connect(self.server, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')  # type: ignore[call-overload]
        return re.sub(r"/[^/?]*(\?|$)", rf"/{name}\1", self.server, count=1).replace("postgresql://", "postgresql+psycopg://", 1)

    def app(self, name: str = "one", address: str | None = None) -> Flask:
        """An application on a new database (or on the one at `address`), nothing upgraded yet."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        chosen = config.load({}, instance=str(folder), database_url=self.address() if address is None else address, env="development", log_level="error")
        app = create_app(chosen)
        self.apps.append(app)
        return app

    def drop(self) -> None:
        for app in self.apps:
            close(app)
        if self.made:
            with psycopg.connect(self.server, autocommit=True) as connection:
                for name in self.made:
                    connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')  # type: ignore[call-overload]


@pytest.fixture
def empty(database: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Empty]:
    server = request.getfixturevalue("postgresql").replace("postgresql+psycopg://", "postgresql://", 1) if database == "postgresql" else ""
    made = Empty(database, tmp_path, server)
    yield made
    made.drop()


def described(connection: Connection) -> dict[str, str]:
    """Everything that the database says of its tables, columns, constraints and indexes, by name: for comparing two databases."""
    inspector = inspect(connection)
    facts: dict[str, str] = {}
    for table in inspector.get_table_names():
        if table in OWN:
            continue
        for column in inspector.get_columns(table):
            facts[f"{table}.{column['name']}"] = f"{column['type']!r} null={column['nullable']} default={column['default']}"
        facts[f"{table} primary key"] = str(inspector.get_pk_constraint(table))
        for key in inspector.get_foreign_keys(table):
            facts[f"{table} foreign key {key['name']}"] = str(sorted(key.items(), key=lambda item: item[0]))
        for unique in inspector.get_unique_constraints(table):
            facts[f"{table} unique {unique['name']}"] = str(unique["column_names"])
        for check in inspector.get_check_constraints(table):
            facts[f"{table} check {check['name']}"] = plain(str(check["sqltext"]))
    facts |= {f"index {name}": sql for name, sql in stored_indexes(connection).items()}
    if connection.dialect.name == "sqlite":
        for name, sql in connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'table'")):
            facts[f"{name} counts up"] = str("AUTOINCREMENT" in (sql or ""))
    return {name: fact for name, fact in facts.items() if name.split()[0].split(".")[0] not in OWN | {"sqlite_sequence"}}


def stored_indexes(connection: Connection) -> dict[str, str]:
    """The SQL of each index as the database keeps it, spelled plainly."""
    if connection.dialect.name == "sqlite":
        rows = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"))
    else:
        rows = connection.execute(text("SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version'"))
    return {name: plain(sql) for name, sql in rows}


def plain(sql: str) -> str:
    """One spelling: no quotes around names, casts or brackets, single spaces."""
    sql = re.sub(r"::[a-z]+( varying)?(\(\d+\))?", "", sql)
    return " ".join(re.sub(r'["()`]', " ", sql).replace(" ,", ",").split())


def partial_indexes() -> list[Index]:
    found = [index for table in metadata.tables.values() for index in table.indexes if index.dialect_options["sqlite"]["where"] is not None]
    assert len(found) >= 7
    return sorted(found, key=lambda index: str(index.name))


def in_statements(index: Index, database: str) -> str:
    """The index's condition as a statement with the same condition spells it."""
    table = index.table
    assert table is not None
    condition = index.dialect_options[database]["where"]
    sql = str(select(table).where(condition).compile(dialect=DIALECTS[database], compile_kwargs={"literal_binds": True}))
    return plain(sql.split("WHERE", 1)[1].replace(f"{table.name}.", ""))


def test_from_nothing_the_migrations_give_what_the_models_say(empty: Empty) -> None:
    migrated, modelled = empty.app("migrated"), empty.app("modelled")
    with migrated.app_context():
        upgrade()
        with db.engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True, "render_as_batch": True})
            differences = compare_metadata(context, metadata)
            found = described(connection)
    assert not differences, f"Write a migration for: {differences}"
    with modelled.app_context(), db.engine.connect() as connection:
        metadata.create_all(connection)
        wanted = described(connection)
    assert found.keys() == wanted.keys(), "Only in the migrations or only in the models."
    wrong = {name: (found[name], wanted[name]) for name in wanted if found[name] != wanted[name]}
    assert not wrong, f"Name: (what the migrations make, what the models say): {wrong}"


def test_partial_indexes_are_stored_as_the_statements_say_them(empty: Empty) -> None:
    """SQLite uses a partial index only for a condition spelled as the index spells it, and says nothing when it does not."""
    app = empty.app()
    with app.app_context():
        upgrade()
        with db.engine.connect() as connection:
            stored = stored_indexes(connection)
    for index in partial_indexes():
        assert str(index.name) in stored, f"{index.name} is in the models, not in the migrations."
        condition = stored[str(index.name)].split("WHERE", 1)[1].strip()
        assert condition == in_statements(index, empty.kind), f"{index.name}: spell its condition in the migration as the statements do."


@pytest.mark.one_database
def test_sqlite_reads_roots_and_replies_by_their_partial_indexes(empty: Empty) -> None:
    app = empty.app()
    asked = {
        "comment_roots": "WHERE post_id = 1 AND {where} ORDER BY id LIMIT 51",
        "comment_roots_active": "WHERE post_id = 1 AND {where} ORDER BY active_seq DESC LIMIT 51",
        "comment_roots_thanked": "WHERE post_id = 1 AND {where} ORDER BY thanks DESC, seq DESC LIMIT 51",
        "comment_replies": "WHERE parent_id = 1 AND listed = 1 AND id > 7 ORDER BY id LIMIT 51",
        "post_newest": "WHERE {where} ORDER BY published_at DESC, id DESC LIMIT 21",
        "job_waiting": "WHERE {where} AND run_at <= '2026-01-01' ORDER BY run_at LIMIT 1",
    }
    by_name = {str(index.name): index for index in partial_indexes()}
    with app.app_context():
        upgrade()
        with db.engine.connect() as connection:
            for name, rest in asked.items():
                table = by_name[name].table
                assert table is not None
                sql = f"SELECT * FROM {table.name} " + rest.format(where=in_statements(by_name[name], "sqlite"))
                plan = " ".join(row[3] for row in connection.execute(text("EXPLAIN QUERY PLAN " + sql)))
                assert f"INDEX {name} " in plan + " ", f"{sql} does not use {name}: {plan}"
                assert "TEMP B-TREE" not in plan, f"{sql} sorts: {plan}"


def test_it_goes_down_to_nothing_and_up_again(empty: Empty) -> None:
    app = empty.app()
    with app.app_context():
        upgrade()
        with db.engine.connect() as connection:
            first = described(connection)
        alembic.command.downgrade(alembic_config(), "base")
        with db.engine.connect() as connection:
            assert set(inspect(connection).get_table_names()) <= OWN, "downgrade() leaves these tables behind."
        upgrade()
        assert current_revision() == newest_revision()
        with db.engine.connect() as connection:
            assert described(connection) == first
            assert connection.execute(text("SELECT count(*) FROM rule")).scalar_one() == 5


def test_every_migration_is_one_of_a_single_line_and_says_what_it_changes() -> None:
    scripts = list(ScriptDirectory.from_config(alembic_config()).walk_revisions())
    assert len(ScriptDirectory.from_config(alembic_config()).get_heads()) == 1, "Two migrations follow the same one: put one after the other."
    for script in scripts:
        assert script.doc
        assert Path(script.path).name.startswith(f"{script.revision}_"), "Name the file NNNN_what_changes.py."
        source = Path(script.path).read_text(encoding="utf-8")
        assert "from blog" not in source and "import blog" not in source, "A migration keeps what the models were: write its tables out."


def test_three_processes_may_upgrade_at_once(empty: Empty) -> None:
    address = empty.address()
    folder = empty.folder / "shared"
    folder.mkdir()
    go = empty.folder / "go"
    ready = [empty.folder / f"ready{n}" for n in range(3)]
    processes = [
        subprocess.Popen([sys.executable, "-c", PROCESS, str(folder), address, str(mark), str(go)], cwd=ROOT, text=True,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for mark in ready
    ]
    try:
        end = time.monotonic() + 60
        while not all(mark.exists() for mark in ready) and time.monotonic() < end and all(process.poll() is None for process in processes):
            time.sleep(0.01)
        go.touch()
        ended = [(*process.communicate(timeout=60), process.returncode) for process in processes]
    finally:
        for process in processes:
            process.kill()
    assert [code for _, _, code in ended] == [0, 0, 0], "\n".join(trouble for _, trouble, _ in ended)
    assert {said.strip() for said, _, _ in ended} == {newest_revision()}
    app = empty.app("shared", address)
    with app.app_context(), db.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM rule")).scalar_one() == 5
        assert connection.execute(text("SELECT last FROM act_number")).scalar_one() == 0


def test_a_newer_schema_is_refused_and_left_alone(empty: Empty) -> None:
    app = empty.app()
    with app.app_context():
        upgrade()
        with db.engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
            before = described(connection)
        with pytest.raises(WrongDatabase) as refused:
            upgrade()
        assert "9999" in refused.value.sentence
        assert refused.value.sentence.endswith(".")
        with db.engine.connect() as connection:
            assert described(connection) == before
            assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one() == "9999"


def test_upgrading_twice_changes_nothing_the_second_time(empty: Empty) -> None:
    app = empty.app()
    with app.app_context():
        upgrade()
        with db.engine.begin() as connection:
            connection.execute(text("UPDATE rule SET title = 'Ours' WHERE id = 1"))
        upgrade()
        with db.engine.connect() as connection:
            assert connection.execute(text("SELECT title FROM rule WHERE id = 1")).scalar_one() == "Ours"


def told(connection: Connection, table: str, **values: Any) -> None:
    """Put a row into a table as it is at this revision, whatever the models say by now; nothing ("", 0, false) where no value is given."""
    found = Table(table, MetaData(), autoload_with=connection)
    needed = (column for column in found.columns if not column.nullable and column.server_default is None and not column.primary_key)
    nothing = {column.name: column.type.python_type() for column in needed if column.name not in values}
    connection.execute(found.insert().values(**nothing, **values))


def test_drafts_of_before_go_by_the_numbers_of_their_posts(empty: Empty) -> None:
    app = empty.app()
    day = datetime(2026, 3, 1, tzinfo=UTC)
    with app.app_context():
        steps = list(ScriptDirectory.from_config(alembic_config()).walk_revisions())
        step = next(step for step in steps if step.path.endswith("drafts_by_number.py"))
        alembic.command.upgrade(alembic_config(), str(step.down_revision))
        with db.engine.begin() as connection:
            told(connection, "member", id=1, username="anna", username_key="anna", display_name="Anna", role=1, created_at=day)
            for number, slug in ((7, "küche"), (8, "other")):
                told(connection, "post", id=number, author_id=1, slug=slug, title="T", html="", headings=[], teaser="", state="published", created_at=day)
                told(connection, "post_slug", slug=slug, post_id=number)
            told(connection, "post_slug", slug="old-name", post_id=8)
            for age, (owner, target) in enumerate([
                ("anna", "/posts/küche/comments"), ("anna", "/posts/k%C3%BCche/comments?parent_id=5"), ("anna", "/posts/other/comments"),
                ("anna", "/posts/old-name/comments"), ("anna", "/posts/old-name/edit"), ("anna", "/posts/8/edit"), ("anna", "/posts/nowhere/edit"),
                ("anna", "/posts/new"), ("anna", "/comments/5/edit"), ("visitor", "/posts/other/comments"),
            ]):
                whose = {"member_id": 1} if owner == "anna" else {"visitor_hash": "0" * 64}
                told(connection, "draft", target=target, fields={"body": target}, updated_at=day - timedelta(days=age), **whose)

        def standing() -> dict[tuple[int | None, str], str]:
            with db.engine.connect() as connection:
                table = Table("draft", MetaData(), autoload_with=connection)
                return {(row.member_id, row.target): row.fields["body"] for row in connection.execute(select(table))}

        alembic.command.upgrade(alembic_config(), step.revision)
        assert standing() == {
            (1, "/posts/7/comments"): "/posts/küche/comments",
            (1, "/posts/7/comments?parent_id=5"): "/posts/k%C3%BCche/comments?parent_id=5",
            (1, "/posts/8/comments"): "/posts/other/comments",  # the newer of two texts for one form
            (1, "/posts/8/edit"): "/posts/old-name/edit",
            (1, "/posts/nowhere/edit"): "/posts/nowhere/edit",
            (1, "/posts/new"): "/posts/new",
            (1, "/comments/5/edit"): "/comments/5/edit",
            (None, "/posts/8/comments"): "/posts/other/comments",
        }
        alembic.command.downgrade(alembic_config(), str(step.down_revision))
        assert {target for _, target in standing()} == {
            "/posts/k%C3%BCche/comments", "/posts/k%C3%BCche/comments?parent_id=5", "/posts/other/comments", "/posts/other/edit",
            "/posts/nowhere/edit", "/posts/new", "/comments/5/edit",
        }


def test_acts_go_up_with_what_points_to_them_and_down_as_far_as_the_older_release_knows_them(empty: Empty) -> None:
    app = empty.app()
    day = datetime(2026, 3, 1, tzinfo=UTC)

    def act(connection: Connection, number: int, kind: str, target: str = "comment", **more: object) -> None:
        told(connection, "act", id=number, number=number, kind=kind, actor_handle="M1", rule_id=1, target_kind=target, target_id=1,
             reason="Names a client.", scope="this comment only", created_at=day, **more)

    with app.app_context():
        steps = list(ScriptDirectory.from_config(alembic_config()).walk_revisions())
        step = next(step for step in steps if step.path.endswith("0004_moderation.py"))
        alembic.command.upgrade(alembic_config(), str(step.down_revision))
        with db.engine.begin() as connection:
            told(connection, "member", id=1, username="anna", username_key="anna", display_name="Anna", role=1, created_at=day)
            told(connection, "post", id=1, author_id=1, slug="one", title="T", html="", headings=[], teaser="", state="published", created_at=day)
            act(connection, 1, "hide", person_id=1)
            told(connection, "comment", id=1, post_id=1, author_id=1, html="", hidden_by=1, created_at=day)
        alembic.command.upgrade(alembic_config(), step.revision)
        with db.engine.begin() as connection:
            assert connection.execute(text("SELECT hidden_by FROM comment")).scalar_one() == 1
            act(connection, 2, "warn", "member", person_id=1)
            act(connection, 3, "redact", person_id=1)
            act(connection, 4, "redact", "act", about_id=3)
            act(connection, 5, "hold", "post", person_id=1)
            told(connection, "post", id=2, author_id=1, slug="two", title="T", html="", headings=[], teaser="", state="held", created_at=day)
            told(connection, "comment", id=2, post_id=1, seq=2, author_id=1, html="", hidden_by=3, redacted=True, created_at=day)
        alembic.command.downgrade(alembic_config(), str(step.down_revision))
        with db.engine.connect() as connection:
            assert [tuple(row) for row in connection.execute(text("SELECT id, kind FROM act ORDER BY id"))] == [(1, "hide"), (3, "hide")]
            assert connection.execute(text("SELECT hidden_by FROM comment ORDER BY id")).scalars().all() == [1, 3]
            assert connection.execute(text("SELECT state FROM post ORDER BY id")).scalars().all() == ["published", "draft"]
        alembic.command.upgrade(alembic_config(), step.revision)


@pytest.mark.one_database
def test_our_sqlite_file_says_that_it_is_ours(empty: Empty) -> None:
    app = empty.app()
    with app.app_context():
        upgrade()
    file = empty.folder / "one" / "parley.db"
    with sqlite3.connect(file) as connection:
        assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


def others_table(file: Path) -> None:
    """A photo album's database: no application_id, a table of its own."""
    connection = sqlite3.connect(file)
    connection.execute("CREATE TABLE photo (id INTEGER PRIMARY KEY, title TEXT)")
    connection.execute("INSERT INTO photo (title) VALUES ('The lake')")
    connection.commit()
    connection.close()


def others_mark(file: Path) -> None:
    """Another program's database that has no table yet."""
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA application_id = 252006674")
    connection.execute("PRAGMA user_version = 3")
    connection.commit()
    connection.close()


def others_text(file: Path) -> None:
    """No database at all."""
    file.write_text("Dear diary, today I named a file parley.db.\n" * 100, encoding="utf-8")


@pytest.mark.one_database
@pytest.mark.parametrize("make", [others_table, others_mark, others_text])
def test_another_programs_file_is_refused_with_a_sentence_and_unaltered(empty: Empty, make: Any) -> None:
    folder = empty.folder / "one"
    folder.mkdir()
    file = folder / "parley.db"
    make(file)
    before = hashlib.sha256(file.read_bytes()).hexdigest()
    app = empty.app()
    with app.app_context():
        with pytest.raises(WrongDatabase) as refused:
            upgrade()
        db.session.remove()
        db.engine.dispose()
    assert str(file) in refused.value.sentence
    assert refused.value.sentence.endswith(".")
    assert hashlib.sha256(file.read_bytes()).hexdigest() == before, "The file was altered (PRAGMA journal_mode = WAL writes into the header)."
    assert not list(folder.glob("parley.db-*"))


@pytest.mark.one_database
def test_an_empty_file_is_nobodys_and_taken(empty: Empty) -> None:
    folder = empty.folder / "one"
    folder.mkdir()
    (folder / "parley.db").touch()
    app = empty.app()
    with app.app_context():
        upgrade()
        assert current_revision() == newest_revision()
