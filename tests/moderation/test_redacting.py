"""Words taken out: gone from every table and every page, with a trace; and the reason of an act likewise."""

import pytest
from flask import Flask
from sqlalchemy import select

from blog.acts import recording
from blog.acts.models import Act, ActKind, TargetKind
from blog.comments import checking, writing
from blog.db import db
from blog.db import writing as transaction
from blog.drafts import keeping
from blog.filters.models import HeldState, HeldText
from blog.moderation import redacting
from blog.tables import metadata
from tests.conftest import Board
from tests.factories import make_post

SECRET = "zebrafinch"
WHY = "A court wants the address of a third person gone."
PAGE = "/posts/the-kitchen-table"


def rows_that_hold(app: Flask, word: str) -> list[str]:
    """Every table and column of the database where the word stands."""
    with app.app_context(), db.engine.connect() as connection:
        return [f"{table.name}.{column.name}" for table in metadata.sorted_tables for row in connection.execute(select(table)).mappings()
                for column in table.columns if word in str(row[column.name]).lower()]


@pytest.fixture
def comment_id(app: Flask, board: Board) -> int:
    """A comment by bo with two versions, a draft of a third and a waiting copy."""
    anna, bo, mo = board.anna, board.bo, board.mo
    assert board.max.id
    with app.app_context():
        post = make_post(anna.id)
        with transaction():
            found = writing.add(post.id, bo.viewer, writing.words(f"She lives at {SECRET} lane."))
        with transaction():
            writing.edit(found, bo.viewer, writing.words(f"She lives at {SECRET} lane 5."), version=1)
            keeping.keep(f"/comments/{found}/edit", {"body": f"At {SECRET} lane 6, that is"}, member_id=bo.id)
            keeping.keep(f"/posts/{post.slug}/comments", {"body": f"As I said: She lives at {SECRET} lane."}, member_id=bo.id)
            keeping.keep("/posts/new", {"body": "Something else"}, member_id=bo.id)
            act = recording.record(ActKind.HOLD, None, person_id=bo.id, target=(TargetKind.HELD, 1), rule_id=1, reason="Waits for approval.",
                                   scope="this comment only", filter_name="links")
            db.session.add(HeldText(post_id=post.id, author_id=bo.id, source=f"She lives at {SECRET} lane.", html=f"<p>She lives at {SECRET} lane.</p>",
                                    state=HeldState.APPROVED.value, held_by=act.id, comment_id=found, created_at=act.created_at))
        assert mo.id
        return found


def test_words_taken_out_are_in_no_table_and_the_trace_stays(app: Flask, board: Board, comment_id: int) -> None:
    assert rows_that_hold(app, SECRET)
    assert board.mo.post(f"/comments/{comment_id}/redact", {"rule": "2", "reason": WHY}).status_code == 303
    assert rows_that_hold(app, SECRET) == []
    for visitor in (board.cy, board.bo, board.mo):
        for path in (PAGE, f"/comments/{comment_id}"):
            page = visitor.get(path).text
            assert "Words taken out by a moderator" in page
            assert WHY in page
            assert "Act 2" in page
    with app.app_context():
        assert list(checking.differences()) == []
        assert keeping.kept("/posts/new", board.bo.id) is not None  # not a copy: what else was typed stays
    assert "0 comments" in board.cy.get(PAGE).text


def test_it_can_not_be_undone(board: Board, comment_id: int) -> None:
    board.mo.post(f"/comments/{comment_id}/redact", {"rule": "2", "reason": WHY})
    assert board.mo.post(f"/comments/{comment_id}/unhide", {"reason": WHY}).status_code in {403, 409, 410}
    assert "Unhide" not in board.mo.get(PAGE).text
    assert board.bo.post(f"/comments/{comment_id}/edit", {"body": "again", "version": "2"}).status_code == 403
    board.bo.post(f"/comments/{comment_id}/delete")
    board.bo.post(f"/comments/{comment_id}/restore")
    assert "Words taken out" in board.cy.get(PAGE).text


def test_hidden_and_deleted_words_can_be_taken_out_too(app: Flask, board: Board, comment_id: int) -> None:
    board.mo.post(f"/comments/{comment_id}/hide", {"rule": "2", "reason": WHY})
    board.bo.post(f"/comments/{comment_id}/delete")
    with app.app_context():
        with transaction():
            redacting.redact_comment(comment_id, board.max.viewer, rule_id=2, reason=WHY)
        assert list(checking.differences()) == []
    assert rows_that_hold(app, SECRET) == []


def test_a_deleted_comment_without_replies_is_taken_out_in_the_open(app: Flask, board: Board, comment_id: int) -> None:
    board.bo.post(f"/comments/{comment_id}/delete")
    with app.app_context():
        with transaction():
            redacting.redact_comment(comment_id, board.max.viewer, rule_id=2, reason=WHY)
        assert list(checking.differences()) == []
    assert rows_that_hold(app, SECRET) == []
    assert "Words taken out by a moderator" in board.cy.get(PAGE).text


def test_twice_tells_who_was_faster(board: Board, comment_id: int) -> None:
    board.mo.post(f"/comments/{comment_id}/redact", {"rule": "2", "reason": WHY})
    answer = board.max.post(f"/comments/{comment_id}/redact", {"rule": "2", "reason": WHY})
    assert answer.status_code == 409
    assert "already taken out, by M1" in answer.text


def test_a_post_loses_title_text_and_the_address_made_of_it(app: Flask, board: Board) -> None:
    anna = board.anna
    with app.app_context():
        post = make_post(anna.id, title=f"At {SECRET} lane", source=f"She lives at {SECRET} lane.")
    anna.post(f"/posts/{post.slug}/edit", {"title": f"In {SECRET} lane", "body": f"She lives in {SECRET} lane.", "version": "1"})
    board.bo.post(f"/posts/{post.id}/comments", {"body": "Others’ words stay."})
    assert board.mo.post(f"/posts/{post.id}/redact", {"rule": "2", "reason": WHY}).status_code == 303
    assert rows_that_hold(app, SECRET) == []
    for slug in (f"at-{SECRET}-lane", f"in-{SECRET}-lane"):
        assert board.cy.get(f"/posts/{slug}").status_code == 404
    for visitor in (board.cy, anna, board.mo):
        page = visitor.get(f"/posts/{post.id}").text
        assert "Words taken out by a moderator." in page
        assert "Others’ words stay." in page
        assert SECRET not in page
    for path in ("/", "/feed.atom", "/sitemap.xml", "/members/anna"):
        assert SECRET not in board.cy.get(path).text
    assert board.mo.post(f"/posts/{post.id}/unhide", {"reason": WHY}).status_code == 410
    assert board.max.post(f"/posts/{post.id}/redact", {"rule": "2", "reason": WHY}).status_code == 409


@pytest.mark.parametrize("who", ["anna", "bo"])
def test_only_moderators_and_not_their_own_words(board: Board, comment_id: int, who: str) -> None:
    assert getattr(board, who).post(f"/comments/{comment_id}/redact", {"rule": "2", "reason": WHY}).status_code == 403
    board.mo.post(f"{PAGE}/comments", {"body": "A moderator speaks."})
    assert board.mo.post(f"/comments/{comment_id + 1}/redact", {"rule": "2", "reason": WHY}).status_code == 403


def test_the_reason_of_an_act_is_taken_out_by_an_act_that_everybody_reads(app: Flask, board: Board, comment_id: int) -> None:
    board.mo.post(f"/comments/{comment_id}/hide", {"rule": "2", "reason": f"Names Mrs {SECRET.upper()} of the lane."})
    assert SECRET.upper() in board.cy.get(PAGE).text
    assert board.max.post("/acts/2/redact", {"rule": "2", "reason": "The reason itself named the person."}).status_code == 303
    assert SECRET.upper() not in board.cy.get(PAGE).text
    assert "Taken out by act 3." in board.cy.get(PAGE).text
    assert "Taken out by act 3." in board.cy.get("/acts/2").text
    told = board.cy.get("/acts/3").text
    assert "The reason of act 2 was taken out" in told
    assert 'href="/acts/2"' in told
    with app.app_context():
        assert not db.session.execute(select(Act.id).where(Act.reason.ilike(f"%{SECRET}%"))).all()
    answer = board.mo.post("/acts/2/redact", {"rule": "2", "reason": "The reason itself named the person."})
    assert answer.status_code == 409
    assert "by act 3" in answer.text


def test_nobody_clears_their_own_wrongs(board: Board, comment_id: int) -> None:
    fields = {"rule": "2", "reason": "The reason itself named the person."}
    board.mo.post(f"/comments/{comment_id}/hide", {"rule": "2", "reason": WHY})
    board.bo.post("/acts/2/appeal", {"statement": "Nobody lives in that lane at all."})
    board.max.post("/acts/2/decide", {"outcome": "overturn", "reason": "There is no such lane."})
    assert board.mo.post("/acts/2/redact", fields).status_code == 403  # their own act, overturned
    assert WHY in board.cy.get("/acts/2").text
    assert board.max.post("/acts/2/redact", fields).status_code == 303
    assert board.max.post("/acts/4/redact", fields).status_code == 403  # why a reason went
    assert fields["reason"] in board.cy.get("/acts/4").text


def test_nobody_takes_out_the_reason_of_an_act_about_themselves(board: Board, comment_id: int) -> None:
    board.mo.post(f"{PAGE}/comments", {"body": "A moderator speaks."})
    board.max.post(f"/comments/{comment_id + 1}/hide", {"rule": "2", "reason": WHY})
    assert board.mo.post("/acts/2/redact", {"rule": "2", "reason": "I would rather not have it read."}).status_code == 403
