"""The addresses that machines ask."""

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from blog.db import db
from blog.operations import health
from tests import factories
from tests.conftest import Board, counted

ADDRESSES = ("/healthz", "/readyz", "/metrics")


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.one_database
def test_any_host_gets_plain_text_that_is_not_kept_and_no_cookie(board: Board, address: str) -> None:
    for visitor in (board.cy, board.anna):
        answer = visitor.get(address, headers={"Host": "10.1.2.3:9000"})
        assert answer.status_code == 200
        assert answer.mimetype == "text/plain"
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Set-Cookie" not in answer.headers


@pytest.mark.one_database
def test_alive_needs_no_database(board: Board) -> None:
    with counted(board.app) as statements:
        assert board.cy.get("/healthz").text == "alive\n"
    assert statements == []


def test_ready_only_with_the_schema_of_this_release(board: Board, app: Flask) -> None:
    assert board.cy.get("/readyz").text == "ready\n"
    with app.app_context():
        newest = db.session.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
        try:
            _set_schema("0000")
            answer = board.cy.get("/readyz")
        finally:
            _set_schema(newest)
    assert answer.status_code == 503
    assert "0000" in answer.text and newest in answer.text
    assert answer.headers["Retry-After"]


def _set_schema(revision: str) -> None:
    db.session.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})
    db.session.commit()


@pytest.mark.one_database
def test_not_ready_when_the_database_does_not_answer(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> str:
        raise OperationalError("SELECT", {}, Exception("connection refused at 10.0.0.9"))

    monkeypatch.setattr(health, "current_revision", fail)
    answer = board.cy.get("/readyz")
    assert (answer.status_code, answer.text) == (503, "The database does not answer.\n")


def test_figures_count_what_is_there_in_one_statement(board: Board, app: Flask) -> None:
    with app.app_context():
        for name in ("anna", "bo"):
            factories.make_member(name)
        db.session.commit()
    with counted(app) as statements:
        lines = board.cy.get("/metrics").text.splitlines()
    assert len(statements) == 1
    figures = dict(line.split() for line in lines if not line.startswith("#"))
    assert figures == {"parley_members": "2", "parley_posts": "0", "parley_comments": "0", "parley_jobs_waiting": "0", "parley_jobs_failed": "0",
                       "parley_mails_waiting": "0"}


@pytest.mark.parametrize(("socket", "headers", "status"), [
    ("127.0.0.1", {}, 200),
    ("::1", {}, 200),
    ("10.0.3.4", {}, 200),
    ("::ffff:192.168.1.2", {}, 200),
    ("203.0.114.9", {}, 404),
    ("2a00:1450::1", {}, 404),
    ("::ffff:8.8.8.8", {}, 404),
    ("", {}, 404),
    ("127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}, 404),
    ("127.0.0.1", {"Forwarded": "for=10.0.0.1"}, 404),
])
@pytest.mark.one_database
def test_figures_are_for_the_operators_own_network(board: Board, socket: str, headers: dict[str, str], status: int) -> None:
    assert board.cy.get("/metrics", headers=headers, environ_base={"REMOTE_ADDR": socket}).status_code == status
