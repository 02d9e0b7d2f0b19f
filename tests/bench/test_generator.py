"""The threads that measurements stand on are right, and what they measure keeps its bounds: statements and rows, never time."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, select

from bench import threads
from bench.ground import tallied
from blog.comments import checking, thread, visits
from blog.comments.models import Comment, CommentRevision, Thank
from blog.db import db
from blog.posts.models import Post
from blog.viewer import STRANGER
from tests.conftest import Board

Reading = Callable[[threads.Loaded], Any]


@pytest.fixture
def loaded(app: Flask) -> Iterator[Callable[..., threads.Loaded]]:
    """Load a thread of a shape and size in an open context."""
    with app.app_context():
        yield threads.load
        db.session.rollback()


def columns_of(post_id: int) -> list[dict[str, Any]]:
    statement = select(Comment.__table__).where(Comment.post_id == post_id).order_by(Comment.id)
    return [dict(row._mapping) for row in db.session.execute(statement)]


@pytest.mark.parametrize("shape", threads.SHAPES)
@pytest.mark.parametrize("size", [100, 1000])
def test_every_derived_column_is_what_the_rows_say(loaded: Callable[..., threads.Loaded], shape: str, size: int) -> None:
    threads.load("real", 30, slug="another")  # ids don't begin at 1
    found = loaded(shape, size, complete=True)
    rows = columns_of(found.post_id)
    by_id = {row["id"]: row for row in rows}
    assert [row["seq"] for row in rows] == list(range(1, size + 1))
    children: dict[int | None, list[dict[str, Any]]] = {}
    for row in rows:
        children.setdefault(row["parent_id"], []).append(row)

    def listed(row: dict[str, Any]) -> bool:
        return row["deleted_at"] is None or any(listed(child) for child in children.get(row["id"], []))

    for row in rows:
        above = []
        at = row["parent_id"]
        while at is not None:
            assert at < row["id"]
            above.append(at)
            at = by_id[at]["parent_id"]
        branch, waiting = [row], [row]
        while waiting:
            below = children.get(waiting.pop()["id"], [])
            branch += below
            waiting += below
        assert row["depth"] == len(above) + 1
        assert row["root_id"] == (above[-1] if above else None)
        assert row["listed"] == listed(row)
        assert row["reply_count"] == sum(listed(child) for child in children.get(row["id"], []))
        assert row["active_seq"] == (row["seq"] if above else max(member["seq"] for member in branch))
        assert (row["html"] == "") == (row["deleted_at"] is not None)
        assert (row["parent_version"], row["closed"], row["hidden_by"]) == (1 if above else None, False, None)
    post = db.session.execute(select(Post.last_seq, Post.comment_count, Post.version).where(Post.id == found.post_id)).one()
    assert tuple(post) == (size, sum(row["deleted_at"] is None for row in rows), size)
    marks: dict[int, int] = {}
    for comment_id in db.session.execute(select(Thank.comment_id)).scalars():
        marks[comment_id] = marks.get(comment_id, 0) + 1
    assert all(row["thanks"] == marks.get(row["id"], 0) for row in rows)
    assert len({row["thanks"] for row in rows}) > 3
    revised = db.session.execute(select(CommentRevision.comment_id, CommentRevision.source).where(CommentRevision.comment_id.in_(list(by_id)))).all()
    assert {row.comment_id for row in revised} == set(by_id)
    assert len({row.source for row in revised}) == size


@pytest.mark.parametrize("shape", threads.SHAPES)
def test_the_check_command_finds_nothing_to_say(loaded: Callable[..., threads.Loaded], shape: str) -> None:
    threads.load("wide", 120, complete=True)
    loaded(shape, 1000, complete=True)
    assert [str(found) for found in checking.differences()] == []


def test_shapes_are_what_they_are_called() -> None:
    wide, deep, real = (threads.plan(shape, 20_000) for shape in ("wide", "deep", "real"))
    assert 0.28 < sum(parent < 0 for parent in wide.parent) / len(wide) < 0.32
    assert 0.31 < wide.reply_count[wide.busiest()] / len(wide) < 0.36
    assert max(deep.depth) == threads.DEEPEST_CHAIN
    assert 0.18 < sum(parent < 0 for parent in real.parent) / len(real) < 0.22
    assert 3.4 < sum(real.depth) / len(real) < 4.0


@pytest.mark.parametrize("shape", threads.SHAPES)
def test_the_same_seed_gives_the_same_rows(loaded: Callable[..., threads.Loaded], shape: str) -> None:
    def told(found: threads.Loaded) -> list[str]:
        keys = {"id", "parent_id", "root_id"}
        rows = columns_of(found.post_id)
        return [
            json.dumps({name: value - found.first_id if name in keys and value is not None else str(value) for name, value in row.items() if name != "post_id"})
            for row in rows
        ]

    first, again, other = (told(loaded(shape, 300, slug=slug, seed=seed)) for slug, seed in (("a", 1), ("b", 1), ("c", 2)))
    assert first == again
    assert first != other


READINGS: dict[str, Reading] = {
    **{f"first page, {sort}": lambda at, sort=sort: thread.discussion(thread.post_at(STRANGER, at.slug), sort=sort) for sort in thread.SORTS},
    **{
        f"page in the middle, {sort}": lambda at, sort=sort: thread.discussion(
            thread.post_at(STRANGER, at.slug), sort=sort, after=at.middle_cursors[sort]
        )
        for sort in thread.SORTS
    },
    "replies of the busiest": lambda at: thread.replies(thread.one(STRANGER, at.busiest_id)),
    "more replies of the busiest": lambda at: thread.replies(thread.one(STRANGER, at.busiest_id), after=str(at.first_id + at.size // 2)),
    "ancestors of the deepest": lambda at: thread.ancestors(thread.one(STRANGER, at.deepest_id)),
    "replies of the deepest": lambda at: thread.replies(thread.one(STRANGER, at.deepest_id)),
    "number N": lambda at: thread.by_number(at.post_id, at.size // 2),
    "first new": lambda at: visits.first_new(at.post_id, at.size // 2),
    "new since, count": lambda at: visits.first_new(at.post_id, at.size // 2),
}


@pytest.mark.parametrize("shape", threads.SHAPES)
@pytest.mark.parametrize("size", [100, 10_000])
def test_no_reading_takes_more_statements_or_rows_in_a_large_thread(app: Flask, loaded: Callable[..., threads.Loaded], shape: str, size: int) -> None:
    found = loaded(shape, size)
    taken = {}
    for name, reading in READINGS.items():
        with tallied(app) as tally:
            assert reading(found) is not None
        # What tells of the post or of the comment asked for comes first: one statement, one row.
        taken[name] = (len(tally.statements) - ("page" in name or "of the" in name), tally.rows)
    assert all(0 < statements <= 6 and 0 < rows <= 1000 for statements, rows in taken.values()), taken
    assert max(rows for _, rows in taken.values()) >= 90, "rows were not counted"


@pytest.mark.parametrize("shape", threads.SHAPES)
def test_no_page_takes_more_statements_or_rows_in_a_large_thread(app: Flask, board: Board, shape: str) -> None:
    with app.app_context():
        found = threads.load(shape, 10_000)
    stranger, bo = board.cy, board.bo
    paths = [f"/posts/{found.slug}?sort={sort}{after}" for sort in thread.SORTS for after in ("", f"&after={found.middle_cursors[sort]}")]
    paths += [f"/comments/{found.busiest_id}", f"/comments/{found.deepest_id}", f"/comments/{found.busiest_id}/replies?after={found.middle_id}"]
    for path in paths:
        for visitor, most in ((stranger, 8), (bo, 16)):
            with tallied(app) as tally:
                assert visitor.get(path).status_code == 200
            assert len(tally.statements) <= most, (path, tally.statements)
            assert tally.rows <= 1000, (path, tally.rows)


# -- work: what the database does for a page, not only what comes back


def rows_touched(plan: dict[str, Any]) -> int:
    """Rows that PostgreSQL took up for a statement, those it threw away included: an EXPLAIN (ANALYZE, FORMAT JSON) added up over its nodes."""
    own = sum(plan.get(name, 0) for name in ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Join Filter", "Rows Removed by Index Recheck"))
    return int(own * plan.get("Actual Loops", 1)) + sum(map(rows_touched, plan.get("Plans", ())))


def work_of(reading: Callable[[], object]) -> int:
    """Rows that PostgreSQL touched for the dearest statement of a reading; steps of SQLite's machine, in hundreds."""
    db.session.rollback()
    if db.engine.dialect.name == "sqlite":
        raw: Any = db.session.connection().connection.driver_connection
        steps = 0

        def count() -> int:
            nonlocal steps
            steps += 1
            return 0

        raw.set_progress_handler(count, 100)
        try:
            reading()
        finally:
            raw.set_progress_handler(None, 0)
        return steps
    seen: list[tuple[str, Any]] = []

    def note(connection: Any, cursor: Any, statement: str, parameters: Any, *rest: Any) -> None:
        seen.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        reading()
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    connection = db.session.connection()
    plans = [connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", parameters).scalar_one() for statement, parameters in seen]
    return max(rows_touched(plan[0]["Plan"]) for plan in plans)


def test_the_database_does_no_more_for_a_page_of_a_large_thread(app: Flask, loaded: Callable[..., threads.Loaded]) -> None:
    """On the board where it is hardest: the large thread came late, is half of all there is, and others came after it."""
    loaded("real", 5_000)
    large = loaded("wide", 20_000)
    loaded("real", 5_000, slug="later")
    threads.settle()
    end = str(large.first_id + large.size - 20)
    readings: dict[str, Reading] = {
        **READINGS,
        "last replies of the busiest": lambda at: thread.replies(thread.one(STRANGER, at.busiest_id), after=end),
        "last page, oldest": lambda at: thread.discussion(thread.post_at(STRANGER, at.slug), after=end),
        "last page, newest": lambda at: thread.discussion(thread.post_at(STRANGER, at.slug), sort="newest", after=str(at.first_id + 20)),
    }
    # A full page measures 923 rows (each is taken up by several nodes) or 8,300 steps; walking past other comments, many thousands.
    most = 1_500 if db.engine.dialect.name == "postgresql" else 150
    work = {name: work_of(lambda reading=reading: reading(large)) for name, reading in readings.items()}  # type: ignore[misc]
    assert {name: done for name, done in work.items() if done > most} == {}
