"""Texts that wait: whose they are, how much of them, how many."""

import pytest
from flask import Flask
from sqlalchemy import func, select

from blog.db import db, writing
from blog.drafts import keeping
from blog.drafts.models import Draft
from blog.errors import TooLarge
from tests.conftest import Board

KEY = "the random key of a cookie"


def keep(target: str, text: str, **owner: object) -> None:
    with writing():
        keeping.keep(target, {"body": text}, **owner)  # type: ignore[arg-type]


def test_the_newest_words_of_a_form_are_kept_for_their_writer_alone(app: Flask, board: Board) -> None:
    anna, bo = board.anna.id, board.bo.id
    with app.app_context():
        keep("/posts/new", "first", member_id=anna)
        keep("/posts/new", "second", member_id=anna)
        assert keeping.kept("/posts/new", anna) == {"body": "second"}
        assert keeping.kept("/posts/new", bo) is None


def test_what_a_visitor_typed_is_theirs_once_they_come_in(app: Flask, board: Board) -> None:
    anna, bo = board.anna.id, board.bo.id
    with app.app_context():
        keep("/posts/a/comments", "typed outside", visitor=KEY)
        assert keeping.words_waiting(KEY) == 2 and keeping.words_waiting("another") == 0
        with writing():
            assert keeping.claim("another", bo) == []
            assert keeping.claim(KEY, anna) == ["/posts/a/comments"]
        assert keeping.kept("/posts/a/comments", anna) == {"body": "typed outside"}
        assert keeping.words_waiting(KEY) == 0


def test_secrets_are_never_kept(app: Flask, board: Board) -> None:
    anna = board.anna.id
    with app.app_context():
        with writing():
            keeping.keep("/posts/new", {"title": "A", "csrf_token": "t", "password": "p", "current_password": "c", "action": "publish"}, member_id=anna)
        assert keeping.kept("/posts/new", anna) == {"title": "A"}


def test_all_fields_together_have_one_bound_and_nothing_is_kept_in_part(app: Flask, board: Board) -> None:
    anna = board.anna.id
    fields = {"title": "t" * 300, "body": "b" * (keeping.LONGEST - 300)}
    with app.app_context():
        with writing():
            keeping.keep("/posts/new", fields, member_id=anna)
        assert keeping.kept("/posts/new", anna) == fields
        with pytest.raises(TooLarge), writing():
            keeping.keep("/posts/new", {**fields, "topics": "x"}, member_id=anna)
        assert keeping.kept("/posts/new", anna) == fields


@pytest.mark.parametrize("owner", ["member", "visitor"])
def test_of_one_writer_the_newest_forms_are_kept(app: Flask, board: Board, owner: str) -> None:
    anna, bo = board.anna.id, board.bo.id
    mine = {"member_id": anna} if owner == "member" else {"visitor": KEY}
    with app.app_context():
        keep("/posts/theirs/edit", "another's", member_id=bo)
        keep("/posts/theirs/edit", "another visitor's", visitor="another")
        for number in range(keeping.MOST + 3):
            keep(f"/posts/post-{number}/edit", f"text {number}", **mine)
        assert db.session.execute(select(func.count()).select_from(Draft)).scalar_one() == keeping.MOST + 2
        with writing():
            keeping.claim(KEY, anna)
        assert keeping.kept("/posts/post-2/edit", anna) is None
        assert keeping.kept(f"/posts/post-{keeping.MOST + 2}/edit", anna) == {"body": f"text {keeping.MOST + 2}"}
        assert keeping.kept("/posts/theirs/edit", bo) == {"body": "another's"}
