"""How both databases find a page of a thread: each statement of the readings, as it is really asked, by the index made for it.

On SQLite with an empty table, and after ANALYZE on one small thread, whose figures suit no other; on PostgreSQL with scans of the whole
table and sorts switched off where there is another way, so that what is left of them has none.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, text

from blog.comments import thread, visits
from blog.comments.thread import PostOf
from blog.db import db
from blog.viewer import STRANGER
from tests.comments.trees import grow, random_parents
from tests.conftest import Board
from tests.factories import make_post

# A thread larger than a page: read from the roots down. What a test asks of it need not be there.
LARGE = PostOf(1, "the-kitchen-table", 1, "published", None, None, None, 5_000, 5_000, "The kitchen table")
SMALL = PostOf(1, "the-kitchen-table", 1, "published", None, None, None, 5, 5, "The kitchen table")


def levels() -> None:
    """First replies level by level, then the chains: asked below rows that have replies, whether or not the table holds them."""
    dialect = db.session.get_bind().dialect.name
    ids: Any = [1, 2, 3] if dialect == "postgresql" else "[1, 2, 3]"
    db.session.execute(thread._first_replies(dialect), {"ids": ids, "k": 5}).all()
    db.session.execute(thread._chains(dialect), {"ids": ids, "steps": 8}).all()


def more_replies() -> None:
    thread._fetched_tops("parent", 1, "oldest", (7,), 1)


# What is read, and the indexes that its statements must name (the primary key, where one row is read by its id).
READINGS: dict[str, tuple[Callable[[], object], list[str]]] = {
    "small thread": (lambda: thread.discussion(SMALL), ["comment_number"]),
    "oldest": (lambda: thread.discussion(LARGE), ["comment_roots"]),
    "oldest, next": (lambda: thread.discussion(LARGE, after="7"), ["comment_roots"]),
    "newest": (lambda: thread.discussion(LARGE, sort="newest"), ["comment_roots"]),
    "newest, next": (lambda: thread.discussion(LARGE, sort="newest", after="700"), ["comment_roots"]),
    "active": (lambda: thread.discussion(LARGE, sort="active"), ["comment_roots_active"]),
    "active, next": (lambda: thread.discussion(LARGE, sort="active", after="700"), ["comment_roots_active"]),
    "thanked": (lambda: thread.discussion(LARGE, sort="thanked"), ["comment_roots_thanked"]),
    "thanked, next": (lambda: thread.discussion(LARGE, sort="thanked", after="3.700"), ["comment_roots_thanked"]),
    "levels": (levels, ["comment_replies", "comment_replies"]),
    "more replies": (more_replies, ["comment_replies"]),
    "by number": (lambda: thread.by_number(1, 3), ["comment_number"]),
    "first new": (lambda: visits.first_new(1, 3), ["comment_number"]),
    "an address": (lambda: thread.post_at(STRANGER, "the-kitchen-table"), ["post_slug"]),
}


@dataclass(frozen=True)
class Asked:
    """A statement as it went to the database."""

    sql: str
    values: Any


@contextmanager
def asked() -> Iterator[list[Asked]]:
    """The statements of what runs inside."""
    seen: list[Asked] = []

    def note(connection: Any, cursor: Any, statement: str, values: Any, *rest: Any) -> None:
        if statement.lstrip().upper().startswith(("SELECT", "WITH")):
            seen.append(Asked(statement, values))

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def plan(statement: Asked) -> str:
    """The database's way to the rows, in its own words."""
    connection = db.session.connection()
    how = "EXPLAIN QUERY PLAN " if connection.dialect.name == "sqlite" else "EXPLAIN (COSTS OFF) "
    rows = connection.exec_driver_sql(how + statement.sql, statement.values).all()
    return "\n".join(str(row[3] if connection.dialect.name == "sqlite" else row[0]) for row in rows)


def check(name: str) -> None:
    """Raises AssertionError with the plan for a statement that sorts, walks over all comments or uses another index."""
    reading, indexes = READINGS[name]
    with asked() as statements:
        reading()
    assert len(statements) >= len(indexes), statements
    # Where the table has rows, first replies follow.
    for number, statement in enumerate(statements):
        index = indexes[number] if number < len(indexes) else "comment_replies"
        way = plan(statement)
        for bad in ("TEMP B-TREE", "SCAN comment", "AUTOMATIC", "Sort", "Seq Scan on comment", "Seq Scan on post"):
            assert bad not in way, f"{name}: {bad}\n{way}\n{statement.sql}"
        assert index in way.replace("\n", " ").replace("sqlite_autoindex_post_slug_1", "post_slug"), f"{name} does not use {index}:\n{way}\n{statement.sql}"


@pytest.fixture
def a_post(app: Flask, board: Board, inside: None) -> Iterator[int]:
    """One post without comments; what a test sets on its connection ends with it."""
    yield make_post(board.anna.id).id
    db.session.rollback()


@pytest.fixture
def figures(database: str) -> Iterator[None]:
    """SQLite's figures about the tables, taken away again: the database is shared by other tests."""
    yield
    if database == "sqlite":
        with db.engine.begin() as connection:
            connection.execute(text("DELETE FROM sqlite_stat1"))
        db.engine.dispose()


@pytest.mark.parametrize("name", READINGS)
def test_each_reading_names_its_index_on_an_empty_board(a_post: int, database: str, name: str) -> None:
    if database == "postgresql":
        for switch in ("enable_seqscan", "enable_bitmapscan", "enable_sort", "enable_incremental_sort", "enable_hashjoin", "enable_mergejoin"):
            db.session.execute(text(f"SET LOCAL {switch} = off"))
    check(name)


@pytest.mark.parametrize("name", READINGS)
def test_and_after_the_figures_of_one_small_thread_were_taken(board: Board, a_post: int, figures: None, database: str, name: str) -> None:
    for username in ("bo", "mo", "cleo", "dan", "eva", "fay", "gus", "hal", "ida"):
        board.member(username)
    grow(a_post, board.anna.id, random_parents(30, seed=1))
    if database == "sqlite":
        with db.engine.begin() as connection:
            connection.execute(text("ANALYZE"))
        db.engine.dispose()  # a connection reads them when it opens
    else:
        for switch in ("enable_seqscan", "enable_bitmapscan", "enable_sort", "enable_incremental_sort", "enable_hashjoin", "enable_mergejoin"):
            db.session.execute(text(f"SET LOCAL {switch} = off"))
    check(name)
