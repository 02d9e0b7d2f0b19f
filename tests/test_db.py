"""Transactions: what one writes is whole, never lost inside another; and a database that is busy or away costs nobody their text."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, select, text, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from blog.accounts.models import LoginSession, Member
from blog.clock import now
from blog.db import db, note, plain_cursor, writing
from tests.conftest import Board, Visitor


def last_used(visitor: Visitor, board: Board, hours_ago: int) -> None:
    with board.app.app_context():
        db.session.execute(update(LoginSession).where(LoginSession.member_id == visitor.id).values(seen_at=now() - timedelta(hours=hours_ago)))
        db.session.commit()


def seen(visitor: Visitor, board: Board) -> Any:
    with board.app.app_context():
        return db.session.execute(select(LoginSession.seen_at).where(LoginSession.member_id == visitor.id)).scalar_one()


def test_writing_inside_writing_is_refused_and_the_outer_one_undone(board: Board) -> None:
    anna = board.anna
    rename = update(Member).where(Member.id == anna.id).values(display_name="Somebody else")
    with board.app.app_context():
        with pytest.raises(RuntimeError), writing():
            db.session.execute(rename)
            with writing():
                pass
        assert db.session.execute(select(Member.display_name).where(Member.id == anna.id)).scalar_one() == "Anna"
        with writing():
            db.session.execute(rename)
            note(update(Member).values(about="written by a reading"))
        assert db.session.execute(select(Member.display_name, Member.about).where(Member.id == anna.id)).one() == ("Somebody else", "")


def test_a_plain_reading_leaves_its_connection_as_it_was(board: Board) -> None:
    """It comes back to the pool; whoever gets it next can still take back what they wrote."""
    anna = board.anna
    with board.app.app_context():
        name = select(Member.display_name).where(Member.id == anna.id)
        for _ in range(3):
            with plain_cursor() as cursor:
                cursor.execute("SELECT display_name FROM member WHERE username = 'anna'")
                assert cursor.fetchone()[0] == "Anna"
            with pytest.raises(ZeroDivisionError), writing():
                db.session.execute(update(Member).where(Member.id == anna.id).values(display_name="Somebody else"))
                raise ZeroDivisionError
            assert db.session.execute(name).scalar_one() == "Anna"
            db.session.rollback()
            with pytest.raises(db.engine.dialect.loaded_dbapi.Error), plain_cursor() as cursor:
                cursor.execute("SELECT no_such_column FROM member")


def test_a_visit_is_noted_by_the_hour(board: Board) -> None:
    last_used(board.bo, board, hours_ago=2)
    assert board.bo.get("/").status_code == 200
    assert now() - seen(board.bo, board) < timedelta(minutes=5)


@pytest.mark.one_database
def test_a_visit_is_noted_though_somebody_wrote_since_it_was_read(board: Board) -> None:
    """SQLite lets nobody write from a snapshot that is not the newest any more."""
    last_used(board.bo, board, hours_ago=2)
    with board.app.app_context():
        engine = db.engine
    written = []

    def write_meanwhile(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if "FROM member JOIN login_session" in statement and not written:
            written.append(statement)
            cursor.execute(statement, *rest[:1])
            with engine.connect() as other:
                other.execute(text("UPDATE member SET about = 'meanwhile'"))
                other.commit()

    event.listen(engine, "before_cursor_execute", write_meanwhile)
    try:
        answer = board.bo.get("/")
    finally:
        event.remove(engine, "before_cursor_execute", write_meanwhile)
    assert written and answer.status_code == 200
    assert now() - seen(board.bo, board) < timedelta(minutes=5)


@pytest.mark.one_database
def test_a_page_is_read_while_nothing_can_be_written(board: Board) -> None:
    last_used(board.bo, board, hours_ago=2)
    with board.app.app_context():
        engine = db.engine

    def busy(connection: Any) -> None:
        if connection.get_execution_options().get("writing"):
            raise OperationalError("BEGIN IMMEDIATE", {}, Exception("database is locked"))

    event.listen(engine, "begin", busy)
    try:
        answer = board.bo.get("/")
    finally:
        event.remove(engine, "begin", busy)
    assert answer.status_code == 200 and "Bo" in answer.text
    assert now() - seen(board.bo, board) > timedelta(hours=1)


@pytest.mark.one_database
@pytest.mark.parametrize("htmx", [False, True])
def test_a_database_that_is_away_is_a_503_for_members_too_and_gives_the_text_back(board: Board, monkeypatch: pytest.MonkeyPatch, htmx: bool) -> None:
    bo = board.bo
    token = bo.token()

    def away(*args: Any, **facts: Any) -> None:
        raise OperationalError("SELECT", {}, Exception("the server closed the connection"))

    with monkeypatch.context() as patch:
        patch.setattr(Session, "execute", away)
        read = bo.get("/", htmx=htmx)
        lost = bo.get("/nowhere", htmx=htmx)
        typed = {"csrf_token": token, "title": "A title", "body": "Typed with care."}
        sent = bo.client.post("/posts/new", data=typed, headers={"HX-Request": "true"} if htmx else {})
    assert (read.status_code, lost.status_code, sent.status_code) == (503, 404, 503)
    assert all(answer.headers["X-Parley"] and answer.headers["Cache-Control"] == "no-store" for answer in (read, lost, sent))
    assert "Typed with care." in sent.text


@pytest.mark.one_database
def test_a_crash_is_a_500_of_ours_that_gives_the_text_back(app: Flask, board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    bo = board.bo
    token = bo.token()

    def broken(*args: Any, **facts: Any) -> None:
        raise LookupError("nobody thought of this")

    with monkeypatch.context() as patch:
        patch.setattr(Session, "execute", broken)
        sent = bo.client.post("/posts/new", data={"csrf_token": token, "title": "A title", "body": "Typed with care."})
    assert sent.status_code == 500 and sent.headers["X-Parley"] and "Typed with care." in sent.text


@pytest.mark.one_database
def test_the_log_of_a_crash_names_the_address_but_never_a_mailed_link(app: Flask, board: Board, monkeypatch: pytest.MonkeyPatch,
                                                                      caplog: pytest.LogCaptureFixture) -> None:
    bo = board.bo

    def broken(*args: Any, **facts: Any) -> None:
        raise LookupError("nobody thought of this")

    key = "Kx7-the-key-of-a-mailed-link"
    told = {
        f"/reset/{key}": "/reset/<token>", f"/verify/{key}?again={key}": "/verify/<token>", f"/nowhere/{key}": "(no address of ours)",
        f"/posts/{key}": "/posts/<slug>", "/comments/77/edit": "/comments/<key:comment_id>/edit (comment_id 77)",
    }
    with monkeypatch.context() as patch:
        patch.setattr(Session, "execute", broken)
        for path, place in told.items():
            for method in ("GET", "POST"):
                caplog.clear()
                answer = bo.client.open(path, method=method, data={"password": "x"} if method == "POST" else None)
                if (method, path) == ("POST", f"/posts/{key}"):
                    place = "(no address of ours)"  # only its parts can be sent to
                assert answer.status_code == 500 and answer.headers["X-Parley"]
                assert f"a request failed: {method} {place}\n" in caplog.text, path
                assert "nobody thought of this" in caplog.text
                assert key not in caplog.text
