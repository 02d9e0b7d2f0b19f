"""Reports: ten make one case, twice is once, and whoever wrote it never learns who told or how many did."""

import re
import threading
from dataclasses import replace

import pytest
from flask import Flask
from lxml import html as lxml_html
from sqlalchemy import select

from blog.acts.models import TargetKind
from blog.comments.models import Comment
from blog.db import db, writing
from blog.errors import NotAllowed
from blog.moderation import reporting
from blog.moderation.models import Case, Report
from blog.posts.models import Post
from tests.conftest import Board, counted
from tests.factories import make_post

NOTE = "The second time in this thread; I asked for a stop."


@pytest.fixture
def comment_id(app: Flask, board: Board) -> int:
    with app.app_context():
        make_post(board.anna.id, title="The kitchen table")
    board.bo.post("/posts/the-kitchen-table/comments", {"body": "You are one of those, aren't you?"})
    return 1


def cases(app: Flask) -> list[tuple[str, int, int, str, int]]:
    with app.app_context():
        rows = db.session.execute(select(Case.target_kind, Case.target_id, Case.person_id, Case.state, Case.report_count).order_by(Case.id)).all()
        return [tuple(row) for row in rows]  # type: ignore[misc]


def test_ten_reports_make_one_case(app: Flask, board: Board, comment_id: int) -> None:
    for number in range(10):
        answer = board.member(f"reader{number}").post("/comments/1/report", {"rule": str(number % 5 + 1), "note": f"Note {number}."})
        assert answer.status_code == 303
        assert answer.headers["Location"].endswith("#comment-1")
    assert cases(app) == [("comment", 1, board.bo.id, "open", 10)]
    board.member("reader0").post("/posts/the-kitchen-table/report", {"rule": "2"})
    assert cases(app)[1:] == [("post", 1, board.anna.id, "open", 1)]


def test_a_second_report_changes_the_first(app: Flask, board: Board, comment_id: int) -> None:
    board.anna.post("/comments/1/report", {"rule": "3", "note": NOTE})
    form = lxml_html.fromstring(board.anna.get("/comments/1/report").text)
    assert form.xpath('//textarea[@name="note"]')[0].text.strip() == NOTE
    assert form.xpath('//input[@name="rule"][@checked]/@value') == ["3"]
    board.anna.post("/comments/1/report", {"rule": "1", "note": "Not about the article either."})
    assert cases(app) == [("comment", 1, board.bo.id, "open", 1)]
    with app.app_context():
        assert db.session.execute(select(Report.rule_id, Report.note)).all() == [(1, "Not about the article either.")]


@pytest.mark.parametrize("fields", [{"rule": ""}, {"rule": "77"}, {"rule": "x"}, {"note": "n" * 1001}])
@pytest.mark.parametrize("htmx", [False, True])
def test_a_refused_report_keeps_the_note(app: Flask, board: Board, comment_id: int, fields: dict[str, str], htmx: bool) -> None:
    answer = board.anna.post("/comments/1/report", {"rule": "3", "note": NOTE, **fields}, htmx=htmx)
    assert answer.status_code == 422
    tree = lxml_html.fromstring(answer.text)
    assert tree.xpath('//*[@role="alert"]')
    assert tree.xpath('//textarea[@name="note"]')[0].text.strip() == fields.get("note", NOTE)
    assert cases(app) == []


def test_own_words_and_words_that_are_gone_are_not_reported(app: Flask, board: Board, comment_id: int) -> None:
    assert board.bo.post("/comments/1/report", {"rule": "3"}).status_code == 403
    board.mo.post("/comments/1/hide", {"rule": "3", "reason": "Names a condition for another member."})
    answer = board.anna.post("/comments/1/report", {"rule": "3"})
    assert (answer.status_code, "gone already" in answer.text) == (403, True)
    assert board.anna.get("/comments/1/report").status_code == 403
    assert cases(app) == []


def test_the_reported_learn_neither_who_nor_how_many(app: Flask, board: Board, comment_id: int) -> None:
    """Not one byte of any page of theirs changes, nor what caches hang on."""
    pages = ("/posts/the-kitchen-table", "/comments/1", "/members/bo", "/reports", "/", "/posts/the-kitchen-table/feed.atom", "/rules")

    def seen() -> list[tuple[int, str, str | None]]:
        found = []
        for path in pages:
            answer = board.bo.get(path)
            words = re.sub(r'name="(csrf_token|submission_id)" value="[^"]*"', "", answer.text)
            found.append((answer.status_code, words, answer.headers.get("ETag")))
        return found

    with app.app_context():
        version = db.session.execute(select(Post.version)).scalar_one()
    seen()  # a first visit differs from the next
    before = seen()
    for name in ("anna", "cleo", "dora"):
        board.member(name).post("/comments/1/report", {"rule": "3", "note": NOTE})
    assert seen() == before
    with app.app_context():
        assert db.session.execute(select(Post.version)).scalar_one() == version
    assert NOTE not in board.member("cleo").get("/comments/1").text


def test_in_place_the_form_gives_way_to_what_is_said(board: Board, comment_id: int) -> None:
    form = board.anna.get("/comments/1/report", htmx=True)
    assert form.text.lstrip().startswith("<form")
    answer = board.anna.post("/comments/1/report", {"rule": "3", "note": NOTE}, htmx=True)
    assert answer.status_code == 200
    tree = lxml_html.fromstring(answer.text)
    assert tree.get("id") == "slot-1"
    assert "told what came of it" in tree.text_content()
    assert not tree.xpath(".//form")


def test_report_stands_under_others_words_for_members_alone(board: Board, comment_id: int) -> None:
    def offered(who: str) -> list[str]:
        page = (board.cy if who == "cy" else board.member(who)).get("/posts/the-kitchen-table").text
        return sorted(set(lxml_html.fromstring(page).xpath('//a[contains(@href, "/report")]/@href')) - {"/reports"})

    assert offered("cy") == []
    assert offered("bo") == ["/posts/the-kitchen-table/report"]
    assert offered("anna") == ["/comments/1/report"]
    assert offered("dora") == ["/comments/1/report", "/posts/the-kitchen-table/report"]


def test_what_a_stranger_wrote_waits_behind_sign_in(board: Board, comment_id: int) -> None:
    cy = board.cy
    assert cy.post("/comments/1/report", {"rule": "3", "note": NOTE}).status_code == 303
    fields = {"username": "latecomer", "email": "latecomer@example.org", "password": "nine green bottles hang", "next": "/comments/1/report"}
    assert cy.post("/register", fields, token=cy.token()).status_code == 303
    tree = lxml_html.fromstring(cy.get("/comments/1/report").text)
    assert tree.xpath('//textarea[@name="note"]')[0].text.strip() == NOTE
    assert tree.xpath('//input[@name="rule"][@checked]/@value') == ["3"]


def test_reports_at_once_on_one_thing_are_one_case(app: Flask, board: Board, comment_id: int) -> None:
    viewers = [board.member(f"reader{number}").viewer for number in range(6)]
    failed: list[BaseException] = []

    def tell(viewer: object) -> None:
        try:
            with app.app_context(), writing():
                reporting.report((TargetKind.COMMENT, 1), viewer, rule_id=3, note="")  # type: ignore[arg-type]
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=tell, args=(viewer,)) for viewer in viewers * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert cases(app) == [("comment", 1, board.bo.id, "open", 6)]
    with app.app_context():
        assert len(db.session.execute(select(Report.id)).all()) == 6


def test_a_suspended_member_reports_nothing(app: Flask, board: Board, comment_id: int, inside: None) -> None:
    with pytest.raises(NotAllowed, match="suspended"), writing():
        reporting.report((TargetKind.COMMENT, 1), replace(board.anna.viewer, suspension=4), rule_id=3, note="")


def test_my_reports_are_one_statement_whatever_their_number(app: Flask, board: Board, comment_id: int) -> None:
    for number in range(2, 27):
        board.bo.post("/posts/the-kitchen-table/comments", {"body": f"Number {number}"})
    board.anna.post("/comments/1/report", {"rule": "3", "note": NOTE})
    with counted(app) as few:
        board.anna.get("/reports")
    for number in range(2, 27):
        board.anna.post(f"/comments/{number}/report", {"rule": "2"})
    with counted(app) as many:
        page = board.anna.get("/reports").text
    assert len(many) == len(few) <= 4
    tree = lxml_html.fromstring(page)
    assert len(tree.xpath('//ol[@class="ledger"]/li')) == 20
    older = lxml_html.fromstring(board.anna.get(tree.xpath('//a[contains(., "Older")]/@href')[0]).text)
    assert len(older.xpath('//ol[@class="ledger"]/li')) == 6
    assert NOTE in older.text_content()
    assert board.anna.get("/reports?after=junk").status_code == 400


def test_my_reports_name_nothing_that_is_hidden(app: Flask, board: Board, comment_id: int) -> None:
    board.member("dora").post("/comments/1/report", {"rule": "3"})
    board.member("dora").post("/posts/the-kitchen-table/report", {"rule": "3"})
    assert "Comment by Bo" in board.member("dora").get("/reports").text
    board.mo.post("/comments/1/hide", {"rule": "3", "reason": "Names a condition for another member."})
    board.mo.post("/posts/the-kitchen-table/hide", {"rule": "2", "reason": "Names a client who did not agree."})
    page = board.member("dora").get("/reports").text
    assert "Comment by Bo" not in page
    assert "The hidden comment" in page
    assert "kitchen" not in page.lower()
    with app.app_context():
        assert db.session.get_one(Comment, 1).hidden_by is not None
