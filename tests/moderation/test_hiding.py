"""Hide and unhide: never without rule and reason, the words gone everywhere for everybody but the writer and moderators."""

import pytest
from flask import Flask
from lxml import html as lxml_html
from sqlalchemy import func, select

from blog.acts.models import Act
from blog.comments.models import Comment
from blog.db import db
from blog.posts.models import Post
from tests.conftest import Board, Visitor
from tests.factories import make_post

SECRET = "zebrafinch"
REASON = "Names a condition for another member."


@pytest.fixture
def post_id(app: Flask, board: Board) -> int:
    anna = board.anna
    with app.app_context():
        found = make_post(anna.id, title="The kitchen table", source=f"An opening.\n\n## A part\n\nAbout a {SECRET}-post.").id
        db.session.commit()
    return found


@pytest.fixture
def comment_id(board: Board, post_id: int) -> int:
    board.bo.post("/posts/the-kitchen-table/comments", {"body": f"I saw a {SECRET}."})
    board.anna.post("/posts/the-kitchen-table/comments", {"body": "Did you?", "parent_id": "1"})
    return 1


def hide(visitor: Visitor, comment_id: int, **fields: str) -> object:
    return visitor.post(f"/comments/{comment_id}/hide", {"rule": "3", "reason": REASON, **fields})


PUBLIC = (
    "/", "/posts/the-kitchen-table", "/posts/the-kitchen-table?sort=newest", "/comments/1", "/comments/2", "/comments/1/replies", "/comments/1/reply",
    "/comments/1/history", "/members/bo", "/members/anna", "/feed.atom", "/posts/the-kitchen-table/feed.atom", "/topics", "/acts/1", "/sitemap.xml",
)


@pytest.mark.parametrize("htmx", [False, True])
def test_hidden_words_are_nowhere_for_readers(board: Board, comment_id: int, htmx: bool) -> None:
    assert any(SECRET in board.cy.get(path).text for path in PUBLIC)
    hide(board.mo, comment_id)
    for visitor in (board.cy, board.anna, board.member("dora")):
        for path in PUBLIC:
            answer = visitor.get(path, htmx=htmx)
            assert answer.status_code < 500, path
            assert "I saw a" not in answer.text, path


def test_the_writer_and_moderators_read_the_words_at_the_comment_and_its_act(board: Board, comment_id: int) -> None:
    hide(board.mo, comment_id)
    for visitor in (board.bo, board.mo, board.max, board.ad):
        assert SECRET in visitor.get("/comments/1").text
        assert SECRET in visitor.get("/acts/1").text
        assert "I saw a" not in visitor.get("/posts/the-kitchen-table").text  # the same tombstone for all


def test_the_tombstone_tells_rule_reason_and_act(board: Board, comment_id: int) -> None:
    hide(board.mo, comment_id)
    tree = lxml_html.fromstring(board.cy.get("/posts/the-kitchen-table").text)
    tomb = tree.xpath('//article[@id="comment-1"]')[0]
    assert "tomb" in tomb.get("class")
    assert REASON in tomb.text_content()
    assert "Rule 3" in tomb.text_content()
    assert tomb.xpath('.//a[@href="/acts/1"]')
    assert "Bo" not in tomb.text_content()
    assert tree.xpath('//*[@id="talk-count"]')[0].text_content() == "1 comment"


def test_unhide_brings_the_words_back_at_their_place(board: Board, comment_id: int) -> None:
    before = board.cy.get("/posts/the-kitchen-table").text
    hide(board.mo, comment_id)
    answer = board.max.post("/comments/1/unhide", {"reason": "It spoke of a bird, not of a person."})
    assert answer.status_code == 303
    assert _thread(board.cy.get("/posts/the-kitchen-table").text) == _thread(before)


def _thread(page: str) -> str:
    return str(lxml_html.fromstring(page).xpath('//ol[@id="thread"]')[0].text_content())


def test_effect_and_act_are_one(app: Flask, board: Board, comment_id: int) -> None:
    hide(board.mo, comment_id)
    board.mo.post("/comments/1/unhide", {"reason": "I read it again and was wrong."})
    with app.app_context():
        acts = db.session.execute(select(Act).order_by(Act.number)).scalars().all()
        assert [(act.number, act.kind, act.actor_id, act.person_id, act.target_kind, act.target_id) for act in acts] == [
            (1, "hide", board.mo.id, board.bo.id, "comment", 1),
            (2, "unhide", board.mo.id, board.bo.id, "comment", 1),
        ]
        assert acts[1].undoes_id == acts[0].id
        assert acts[1].rule_id == acts[0].rule_id == 3  # unhide keeps the rule it lifts
        assert acts[0].actor_handle == acts[1].actor_handle == "M1"
        assert db.session.get(Comment, 1).hidden_by is None  # type: ignore[union-attr]


@pytest.mark.parametrize("fields", [{"rule": ""}, {"rule": "99"}, {"rule": "x"}, {"reason": ""}, {"reason": "too short"}, {"reason": "x" * 501}])
@pytest.mark.parametrize("htmx", [False, True])
def test_no_act_without_rule_and_reason(app: Flask, board: Board, comment_id: int, fields: dict[str, str], htmx: bool) -> None:
    answer = board.mo.post("/comments/1/hide", {"rule": "3", "reason": REASON, **fields}, htmx=htmx)
    assert answer.status_code == 422
    tree = lxml_html.fromstring(answer.text)
    assert tree.xpath('//*[@role="alert"]')
    kept = tree.xpath('//textarea[@name="reason"]')[0].text
    assert (kept or "").strip() == fields.get("reason", REASON)
    with app.app_context():
        assert db.session.execute(select(func.count()).select_from(Act)).scalar_one() == 0
        assert db.session.get(Comment, 1).hidden_by is None  # type: ignore[union-attr]


@pytest.mark.parametrize("who", ["bo", "anna"])
def test_only_moderators_hide(board: Board, comment_id: int, who: str) -> None:
    assert hide(getattr(board, who), comment_id).status_code == 403  # type: ignore[attr-defined]
    assert SECRET in board.cy.get("/comments/1").text


def test_nobody_judges_their_own_words(board: Board, post_id: int) -> None:
    board.mo.post("/posts/the-kitchen-table/comments", {"body": "A moderator speaks."})
    assert hide(board.mo, 1).status_code == 403  # type: ignore[attr-defined]
    assert hide(board.max, 1).status_code == 303  # type: ignore[attr-defined]


def test_the_second_moderator_learns_who_was_faster(board: Board, comment_id: int) -> None:
    hide(board.mo, comment_id)
    answer = board.max.post("/comments/1/hide", {"rule": "1", "reason": "also saw it, later"}, htmx=True)
    assert answer.status_code == 409
    assert "already hidden, by M1" in answer.text
    assert "also saw it, later" in answer.text


def test_hide_in_place_answers_the_slot_the_tombstone_and_an_undo(board: Board, comment_id: int) -> None:
    form = board.mo.get("/comments/1/hide", htmx=True)
    assert form.text.lstrip().startswith("<form")
    answer = board.mo.post("/comments/1/hide", {"rule": "3", "reason": REASON}, htmx=True)
    assert answer.status_code == 200
    assert answer.text.lstrip().startswith('<div id="slot-1"></div>')
    tree = lxml_html.fromstring(f"<div>{answer.text}</div>")
    article = tree.xpath('//article[@id="comment-1"]')[0]
    assert article.get("hx-swap-oob") == "true"
    assert "I saw a" not in answer.text
    undo = tree.xpath('//button[@formaction="/comments/1/unhide"]')
    assert undo
    assert board.mo.post("/comments/1/unhide", htmx=True).status_code == 200  # at once, no reason asked
    assert SECRET in board.cy.get("/comments/1").text


def test_undo_by_another_moderator_needs_a_reason(board: Board, comment_id: int) -> None:
    hide(board.mo, comment_id)
    assert board.max.post("/comments/1/unhide").status_code == 422
    assert SECRET not in board.cy.get("/comments/1").text


def test_deleted_and_hidden_are_two_facts(board: Board, comment_id: int) -> None:
    hide(board.mo, comment_id)
    board.bo.post("/comments/1/delete")
    board.mo.post("/comments/1/unhide", {"reason": "It spoke of a bird, not of a person."})
    assert SECRET not in board.cy.get("/comments/1").text  # still deleted
    board.bo.post("/comments/1/restore")
    assert SECRET in board.cy.get("/comments/1").text


def test_a_hidden_post_is_a_tombstone_and_in_no_list(board: Board, comment_id: int) -> None:
    assert board.mo.post("/posts/the-kitchen-table/hide", {"rule": "2", "reason": "Names a client who did not agree."}).status_code == 303
    page = board.cy.get("/posts/the-kitchen-table")
    assert page.status_code == 200
    assert "noindex" in page.text
    assert "The kitchen table" not in page.text
    assert f"{SECRET}-post" not in page.text
    assert "Names a client who did not agree." in page.text
    assert "/acts/1" in page.text
    assert "Did you?" in page.text  # others' words stay
    for path in PUBLIC:
        answer = board.cy.get(path)
        assert f"{SECRET}-post" not in answer.text, path
        assert "The kitchen table" not in answer.text, path
    assert board.bo.post("/posts/the-kitchen-table/comments", {"body": "late"}).status_code == 403
    assert f"{SECRET}-post" in board.anna.get("/posts/the-kitchen-table").text
    assert board.mo.post("/posts/1/unhide", {"reason": "The client had agreed after all."}).status_code == 303
    assert f"{SECRET}-post" in board.cy.get("/posts/the-kitchen-table").text


def test_hiding_raises_the_version_that_caches_hang_on(app: Flask, board: Board, comment_id: int) -> None:
    def version() -> int:
        with app.app_context():
            return int(db.session.execute(select(Post.version).where(Post.id == 1)).scalar_one())

    before = version()
    hide(board.mo, comment_id)
    assert version() == before + 1
