"""What members say of themselves, and how they like their pages."""

import re

import pytest
from sqlalchemy import select

from blog.accounts.models import Member
from blog.board.models import Board as BoardRow
from blog.db import db
from tests.conftest import Board

TOKEN = re.compile(r'value="[^"]+"')  # it holds the second in which the page was made


def row(board: Board) -> Member:
    with board.app.app_context():
        return db.session.execute(select(Member).where(Member.username == "anna")).scalar_one()


def test_a_profile_is_kept_and_shown_again(board: Board) -> None:
    anna = board.anna
    fields = {"display_name": " Anna  Lind ", "about": "Two lines,\r\nplain.", "theme": "dark", "zone": "Europe/Amsterdam"}
    answer = anna.post("/settings/profile", fields)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/settings/profile")
    kept = row(board)
    assert (kept.display_name, kept.about, kept.theme, kept.zone) == ("Anna Lind", "Two lines,\nplain.", "dark", "Europe/Amsterdam")
    page = anna.get("/settings/profile").text
    assert 'data-theme="dark"' in page and 'value="Anna Lind"' in page and "Two lines," in page
    assert '<option selected value="Europe/Amsterdam">' in page
    assert 'value="dark" checked' in page


def test_a_field_that_was_not_sent_stays_and_an_empty_one_is_emptied(board: Board) -> None:
    anna = board.anna
    anna.post("/settings/profile", {"display_name": "Anna Lind", "about": "x", "theme": "dark", "zone": "UTC"})
    anna.post("/settings/profile", {"about": ""})
    kept = row(board)
    assert (kept.display_name, kept.about, kept.theme, kept.zone) == ("Anna Lind", "", "dark", "UTC")
    anna.post("/settings/profile", {"zone": ""})
    assert row(board).zone is None


@pytest.mark.parametrize(("field", "value"), [
    ("display_name", ""), ("display_name", "x" * 61), ("display_name", "see www.example.org"), ("display_name", "a\u202eb"),
    ("about", "x" * 2001), ("theme", "pink"), ("theme", ""), ("zone", "../etc/passwd"), ("zone", "Mars/Base"), ("zone", "x" * 5000),
])
def test_a_bad_field_is_named_and_the_rest_kept_in_the_form(board: Board, field: str, value: str) -> None:
    answer = board.anna.post("/settings/profile", {"about": "Typed with care.", field: value})
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text and 'class="err"' in answer.text
    if field != "about":
        assert "Typed with care." in answer.text
    kept = row(board)
    assert (kept.display_name, kept.about, kept.theme, kept.zone) == ("Anna", "", "system", None)


@pytest.mark.one_database
def test_under_htmx_the_form_alone_comes_back(board: Board) -> None:
    answer = board.anna.post("/settings/profile", {"display_name": ""}, htmx=True)
    assert answer.status_code == 422 and "<html" not in answer.text and 'id="profile-form"' in answer.text
    for path in ("/settings/profile", "/settings/security", "/verify"):
        fragment, page = (TOKEN.sub("", board.anna.get(path, htmx=htmx).text).strip() for htmx in (True, False))
        assert "<html" not in fragment and fragment in page
        assert page.count("<h1") == 1


@pytest.mark.one_database
def test_a_wrong_token_keeps_what_was_typed(board: Board) -> None:
    answer = board.anna.post("/settings/profile", {"about": "Typed with care."}, token="wrong")
    assert answer.status_code == 400 and "Typed with care." in answer.text
    assert row(board).about == ""


def test_a_save_that_changes_no_name_lets_kept_pages_stand(board: Board) -> None:
    anna = board.anna

    def version() -> int:
        with board.app.app_context():
            return int(db.session.execute(select(BoardRow.version)).scalar_one())

    before = version()
    anna.post("/settings/profile", {"display_name": " Anna ", "about": "Something new.", "theme": "dark"})
    assert version() == before
    anna.post("/settings/profile", {"display_name": "Anna Lind"})
    assert version() == before + 1
