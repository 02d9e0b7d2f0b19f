"""Members' standing: what moderators find and note, and what members read of themselves."""

from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from lxml import html as lxml_html
from sqlalchemy import func, select, update

from blog.accounts.models import Member
from blog.clock import now
from blog.db import db, writing
from blog.errors import NotAllowed
from blog.moderation import standing
from blog.moderation.models import MemberNote
from tests.conftest import Board, counted
from tests.factories import make_post

REASON = "Names a condition for another member."
NOTE = "Twice asked in private to stop; answers politely."


@pytest.fixture
def hidden(app: Flask, board: Board) -> None:
    """Two comments by bo, hidden by mo as acts 1 and 2; the second is brought back by act 3."""
    with app.app_context():
        make_post(board.anna.id, title="The kitchen table")
    for number in (1, 2):
        board.bo.post("/posts/the-kitchen-table/comments", {"body": f"I saw a zebrafinch, {number}."})
        board.mo.post(f"/comments/{number}/hide", {"rule": "3", "reason": REASON})
    board.max.post("/comments/2/unhide", {"reason": "It spoke of a bird, not of a person."})


def words(page: str, xpath: str = "//main") -> str:
    return " ".join(lxml_html.fromstring(page).xpath(xpath)[0].text_content().split())


def test_a_member_reads_how_they_stand_and_every_act_about_them(board: Board, hidden: None) -> None:
    page = words(board.bo.get("/settings/standing").text)
    assert "You are in good standing." in page
    assert "Your comment was hidden." in page
    assert REASON in page
    assert "Taken back by act 3." in page
    assert "appeal" in page
    assert "ever done anything about you" in words(board.anna.get("/settings/standing").text)


def test_a_suspended_member_reads_it_too(app: Flask, board: Board, hidden: None) -> None:
    with app.app_context():
        db.session.execute(update(Member).where(Member.username == "bo").values(suspended_by=1, suspended_until=now() + timedelta(days=3)))
        db.session.commit()
    answer = board.bo.get("/settings/standing")
    assert answer.status_code == 200
    assert "Your account is suspended until" in words(answer.text)
    assert "Suspended until" in words(board.mo.get("/moderation/members/bo").text)


def test_an_undone_act_does_not_count_in_the_history(app: Flask, board: Board, hidden: None) -> None:
    assert "1 act before: 1 text hidden" in words(board.mo.get("/moderation/members/bo").text)
    with app.app_context():
        history = standing.histories([board.bo.id])[board.bo.id]
        assert (history.acts, history.comments) == ({"hide": 1}, 2)


@pytest.mark.parametrize("path", ["/moderation/members", "/moderation/members/bo"])
def test_standing_of_others_is_for_moderators(board: Board, hidden: None, path: str) -> None:
    for who in (board.bo, board.anna):
        assert who.get(path).status_code == 403
        assert who.post("/moderation/members/bo", {"body": NOTE}).status_code == 403
    assert board.mo.get(path).status_code == 200


def test_members_are_found_by_name_or_username(board: Board) -> None:
    for name in ("anna", "annabel", "bo", "mo"):
        board.member(name) if name != "mo" else board.mo

    def found(search: str) -> list[str]:
        page = lxml_html.fromstring(board.mo.get("/moderation/members", query_string={"q": search}).text)
        return [path.rpartition("/")[2] for path in page.xpath('//ul[@class="lines"]//h2/a/@href')]

    assert found("") == ["mo", "bo", "annabel", "anna"]
    assert found("ANN") == ["annabel", "anna"]
    assert found("nnabe") == ["annabel"]
    assert found("%") == found("_") == found("zz") == []


def test_a_name_that_only_looks_alike_is_no_member(board: Board) -> None:
    assert board.bo.id
    assert board.mo.get("/moderation/members/b0").status_code == 404
    assert board.mo.get("/moderation/members/BO").status_code == 200


def test_notes_are_read_by_moderators_and_never_by_the_member(app: Flask, board: Board) -> None:
    assert board.bo.id
    assert board.mo.post("/moderation/members/bo", {"body": NOTE}).status_code == 303
    board.mo.post("/moderation/members/bo", {"body": NOTE})  # pressed twice
    page = words(board.max.get("/moderation/members/bo").text)
    assert page.count(NOTE) == 1
    assert "Mo, " in page
    for path in ("/members/bo", "/settings/standing"):
        assert NOTE not in board.bo.get(path).text
    with app.app_context():
        assert db.session.execute(select(func.count()).select_from(MemberNote)).scalar_one() == 1


def test_nobody_reads_or_writes_notes_about_themselves(app: Flask, board: Board) -> None:
    assert board.mo.id
    board.max.post("/moderation/members/mo", {"body": NOTE})
    assert NOTE in board.ad.get("/moderation/members/mo").text
    own = board.mo.get("/moderation/members/mo")
    assert (own.status_code, NOTE in own.text) == (200, False)
    assert board.mo.post("/moderation/members/mo", {"body": "A fine moderator."}).status_code == 403
    with app.app_context(), pytest.raises(NotAllowed):
        standing.notes(board.mo.id, board.mo.viewer)
    with app.app_context(), pytest.raises(NotAllowed), writing():
        standing.note(board.mo.id, replace(board.max.viewer, suspension=2), NOTE)


@pytest.mark.parametrize("body", ["", "   ", "x" * 1001])
def test_a_refused_note_comes_back(board: Board, body: str) -> None:
    assert board.bo.id
    answer = board.mo.post("/moderation/members/bo", {"body": body})
    assert answer.status_code == 422
    assert (lxml_html.fromstring(answer.text).xpath('//textarea[@name="body"]')[0].text or "").strip() == body.strip()


def test_pages_of_standing_cost_the_same_at_any_length(app: Flask, board: Board, hidden: None) -> None:
    pages = (("/moderation/members", board.mo), ("/moderation/members/bo", board.mo), ("/settings/standing", board.bo))
    few = []
    for path, who in pages:
        with counted(app) as seen:
            who.get(path)
        few.append(len(seen))
    with app.app_context(), writing():
        for number in range(45):
            standing.note(board.bo.id, board.mo.viewer if number % 2 else board.max.viewer, f"{NOTE} {number}")
    for number in range(30):
        board.member(f"reader{number}")
        board.bo.post("/posts/the-kitchen-table/comments", {"body": f"Number {number}."})
        board.mo.post(f"/comments/{number + 3}/hide", {"rule": "3", "reason": REASON})
    for (path, who), before in zip(pages, few, strict=True):
        with counted(app) as seen:
            page = who.get(path).text
        assert len(seen) == before <= 9, path
        assert "Older" in page or "More members" in page
    notes = [note for path in ("/moderation/members/bo", "/moderation/members/bo?notes=26", "/moderation/members/bo?notes=6")
             for note in lxml_html.fromstring(board.mo.get(path).text).xpath('//section[@id="notes-part"]//li//p[@class="prose"]/text()')]
    assert [int(note.split()[-1]) for note in notes] == list(range(44, -1, -1))


def test_the_page_says_whether_notes_are_given_out(board: Board) -> None:
    assert board.bo.id
    assert "write nothing here that they should not read" in words(board.mo.get("/moderation/members/bo").text)
    assert "yours to ask for" in words(board.bo.get("/settings/standing").text)
