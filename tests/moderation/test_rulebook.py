"""The board's rules: changed with their history kept, by administrators alone; and the reasons that moderators begin with."""

import threading
from typing import Any

import pytest
from flask import Flask
from lxml import html as lxml_html
from sqlalchemy import select

from blog.acts.models import Rule
from blog.db import db, writing
from blog.errors import Conflict
from blog.moderation import rulebook
from blog.moderation.models import ReasonTemplate
from tests.conftest import Board, Visitor
from tests.factories import make_post

REASON = "Names a condition for another member."


def words(page: str, xpath: str = "//main") -> str:
    return " ".join(lxml_html.fromstring(page).xpath(xpath)[0].text_content().split())


def in_force(app: Flask) -> list[tuple[int, str]]:
    with app.app_context():
        return [(entry.rule.number, entry.rule.title) for entry in rulebook.rules()]


def test_a_changed_rule_keeps_its_number_and_its_earlier_words(app: Flask, board: Board) -> None:
    was = in_force(app)[2][1]
    assert board.ad.post("/moderation/rules/3", {"title": "Diagnose nobody", "text": "Not even yourself."}).status_code == 303
    assert in_force(app)[2] == (3, "Diagnose nobody")
    page = words(board.cy.get("/rules").text)
    assert "Diagnose nobody" in page
    assert "What it said before" in page
    assert was in page
    with app.app_context():
        rows = db.session.execute(select(Rule.title, Rule.retired_at.is_(None)).where(Rule.number == 3).order_by(Rule.id)).all()
        assert [tuple(row) for row in rows] == [(was, False), ("Diagnose nobody", True)]


def test_an_act_keeps_the_words_it_was_made_under(app: Flask, board: Board) -> None:
    with app.app_context():
        make_post(board.anna.id, title="The kitchen table")
    board.bo.post("/posts/the-kitchen-table/comments", {"body": "You are one of those."})
    was = in_force(app)[2][1]
    board.mo.post("/comments/1/hide", {"rule": "3", "reason": REASON})
    board.ad.post("/moderation/rules/3", {"title": "Diagnose nobody"})
    assert was in words(board.cy.get("/acts/1").text)
    assert was in words(board.cy.get("/posts/the-kitchen-table").text)
    board.bo.post("/posts/the-kitchen-table/comments", {"body": "And so are you."})
    late = board.mo.post("/comments/2/hide", {"rule": "3", "reason": REASON})
    assert late.status_code == 422
    assert "Diagnose nobody" in late.text
    with app.app_context():
        present = rulebook.rules()[2].rule.id
    assert board.mo.post("/comments/2/hide", {"rule": str(present), "reason": REASON}).status_code == 303


def test_the_same_words_change_nothing(app: Flask, board: Board) -> None:
    with app.app_context():
        present = rulebook.one(2)
        title, text = present.title, present.text
    assert board.ad.post("/moderation/rules/2", {"title": title, "text": text}).status_code == 303
    with app.app_context():
        assert len(db.session.execute(select(Rule.id)).all()) == 5


def test_a_new_rule_takes_a_number_that_none_ever_had(app: Flask, board: Board) -> None:
    assert board.ad.post("/moderation/rules/5/retire").status_code == 303
    assert [number for number, _ in in_force(app)] == [1, 2, 3, 4]
    assert board.ad.post("/moderation/rules", {"title": "Answer what was asked"}).status_code == 303
    assert in_force(app)[-1] == (6, "Answer what was asked")
    form = lxml_html.fromstring(board.bo.get("/moderation/rules").text)  # no moderator: refused, and nothing of it is told
    assert "Answer what" not in form.text_content()


def test_a_retired_rule_is_still_read_by_whoever_comes_from_an_act(app: Flask, board: Board) -> None:
    assert "Rules that hold no longer" not in words(board.cy.get("/rules").text)
    title = in_force(app)[1][1]
    assert board.ad.post("/moderation/rules/2/retire").status_code == 303
    hold, _, retired = words(board.cy.get("/rules").text).partition("Rules that hold no longer")
    assert title not in hold
    assert title in retired


def test_the_last_rule_stays(app: Flask, board: Board) -> None:
    for rule_id in (1, 2, 3, 4):
        assert board.ad.post(f"/moderation/rules/{rule_id}/retire").status_code == 303
    answer = board.ad.post("/moderation/rules/5/retire")
    assert answer.status_code == 409
    assert len(in_force(app)) == 1


@pytest.mark.parametrize("who", ["mo", "bo"])
def test_rules_are_changed_by_administrators_alone(app: Flask, board: Board, who: str) -> None:
    before = in_force(app)
    visitor: Visitor = getattr(board, who)
    assert visitor.post("/moderation/rules", {"title": "Mine"}).status_code == 403
    assert visitor.post("/moderation/rules/3", {"title": "Mine"}).status_code == 403
    assert visitor.post("/moderation/rules/3/retire").status_code == 403
    assert visitor.get("/moderation/rules/3").status_code == 403
    assert in_force(app) == before


def test_moderators_see_the_rules_and_why_they_have_no_button(board: Board) -> None:
    page = lxml_html.fromstring(board.mo.get("/moderation/rules").text)
    assert "Only administrators change the board’s rules." in page.text_content()
    assert not page.xpath('//form[@action="/moderation/rules"] | //button[contains(@formaction, "/moderation/rules/")]')


@pytest.mark.parametrize("path", ["/moderation/rules", "/moderation/rules/3"])
@pytest.mark.parametrize("fields", [{"title": ""}, {"title": "t" * 121}, {"title": "Fine", "text": "t" * 2001}])
def test_a_refused_rule_comes_back(app: Flask, board: Board, path: str, fields: dict[str, str]) -> None:
    before = in_force(app)
    answer = board.ad.post(path, fields)
    assert answer.status_code == 422
    tree = lxml_html.fromstring(answer.text)
    assert tree.xpath('//input[@name="title"]')[0].get("value", "") == fields["title"]
    assert (tree.xpath('//textarea[@name="text"]')[0].text or "").strip() == fields.get("text", "")
    assert in_force(app) == before


def test_of_two_administrators_at_once_one_changes_the_rule(app: Flask, board: Board) -> None:
    came: list[str] = []
    together = threading.Barrier(2)

    def do(viewer: Any, title: str) -> None:
        with app.app_context():
            together.wait()
            try:
                with writing():
                    rulebook.change(3, viewer, title=title, text="")
                came.append("done")
            except Conflict:
                came.append("conflict")

    viewer = board.ad.viewer
    threads = [threading.Thread(target=do, args=(viewer, title)) for title in ("Diagnose nobody", "No diagnoses")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(came) == ["conflict", "done"]
    assert len(in_force(app)) == 5


def test_a_reason_to_begin_with_is_kept_once_and_retired(app: Flask, board: Board) -> None:
    for _ in range(2):
        assert board.mo.post("/moderation/reasons", {"title": "Names a client", "reason": REASON}).status_code == 303
    page = lxml_html.fromstring(board.max.get("/moderation/rules").text)
    assert page.xpath('//button[@formaction="/moderation/reasons/1/retire"]')
    assert words(board.max.get("/moderation/rules").text).count(REASON) == 1
    for _ in range(2):
        assert board.max.post("/moderation/reasons/1/retire").status_code == 303
    assert REASON not in board.mo.get("/moderation/rules").text
    with app.app_context():
        assert db.session.execute(select(ReasonTemplate.retired_at)).scalar_one() is not None


@pytest.mark.parametrize("fields", [{"title": "", "reason": REASON}, {"title": "x" * 61, "reason": REASON}, {"title": "Short", "reason": "too short"}])
def test_a_refused_reason_comes_back(board: Board, fields: dict[str, str]) -> None:
    answer = board.mo.post("/moderation/reasons", fields)
    assert answer.status_code == 422
    assert lxml_html.fromstring(answer.text).xpath('//textarea[@name="reason"]')[0].text.strip() == fields["reason"]
    assert board.bo.post("/moderation/reasons", {"title": "Mine", "reason": REASON}).status_code == 403


def test_reasons_stand_as_buttons_where_one_is_asked_for(board: Board, app: Flask) -> None:
    with app.app_context():
        make_post(board.anna.id, title="The kitchen table")
    board.bo.post("/posts/the-kitchen-table/comments", {"body": "You are one of those."})
    board.anna.post("/comments/1/report", {"rule": "3"})
    board.mo.post("/moderation/reasons", {"title": "Names a condition", "reason": REASON})
    for path in ("/moderation/cases/1/dismiss", "/moderation/cases/1/hide", "/moderation/cases/1/warn", "/comments/1/hide", "/members/bo/warn",
                 "/moderation/cases/1/reports/1/bad-faith", "/moderation/hide?case=1"):
        page = lxml_html.fromstring(board.mo.get(path).text)
        [button] = page.xpath('//button[@data-fill][@type="button"]')
        assert (button.text, button.get("data-fill")) == ("Names a condition", REASON)
        assert page.xpath(f'//textarea[@id="{button.get("data-for")}"][@name="reason"]')
