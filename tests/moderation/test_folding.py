"""A comment put aside by the post's author: folded for everybody alike, open to whoever wants, answered for like any act."""

import pytest
from flask import Flask
from lxml import html as lxml_html
from sqlalchemy import select

from blog.acts.models import Act
from blog.comments import writing
from blog.db import db
from blog.db import writing as transaction
from tests.conftest import Board
from tests.factories import make_post

WHY = "Beside the matter of this post; it leads away from it."
PAGE = "/posts/the-kitchen-table"


@pytest.fixture
def comment_id(app: Flask, board: Board) -> int:
    anna, bo = board.anna, board.bo
    assert board.mo.id
    with app.app_context():
        post = make_post(anna.id)
        with transaction():
            found = writing.add(post.id, bo.viewer, writing.words("About the weather."))
            writing.add(post.id, anna.viewer, writing.words("My own."))
        return found


def article(page: str, comment_id: int) -> lxml_html.HtmlElement:
    return lxml_html.fromstring(page).xpath(f'//article[@id="comment-{comment_id}"]')[0]


def test_it_is_folded_with_the_reason_in_the_same_markup_for_all(board: Board, comment_id: int) -> None:
    assert board.anna.post(f"/comments/{comment_id}/aside", {"rule": "1", "reason": WHY}).status_code == 303
    folded = set()
    for visitor in (board.cy, board.bo, board.mo, board.anna):
        for path in (PAGE, f"/comments/{comment_id}"):
            found = article(visitor.get(path).text, comment_id).xpath('./details[contains(@class, "folded")]')[0]
            assert found.get("open") is None
            folded.add(lxml_html.tostring(found))
    assert len(folded) == 1
    text = lxml_html.fromstring(folded.pop()).text_content()
    assert WHY in text
    assert "About the weather." in text  # open to whoever wants
    assert "Act 1" in text


def test_it_is_an_act_of_the_posts_author_who_gets_no_moderators_handle(app: Flask, board: Board, comment_id: int) -> None:
    board.anna.post(f"/comments/{comment_id}/aside", {"rule": "1", "reason": WHY})
    board.mo.post(f"/comments/{comment_id}/hide", {"rule": "1", "reason": WHY})
    with app.app_context():
        acts = db.session.execute(select(Act).order_by(Act.number)).scalars().all()
        assert [(act.kind, act.actor_handle, act.person_id) for act in acts] == [("aside", "Author", board.bo.id), ("hide", "M1", board.bo.id)]
    assert "A comment was put aside, by the post’s author." in board.cy.get("/acts/1").text
    own = board.bo.get("/acts/1").text
    assert "Your comment was put aside" in own
    assert "You can appeal once" in own


def test_it_is_unfolded_at_once_without_and_later_with_a_reason(board: Board, comment_id: int) -> None:
    board.anna.post(f"/comments/{comment_id}/aside", {"rule": "1", "reason": WHY})
    answer = board.anna.post(f"/comments/{comment_id}/back", htmx=True)
    assert answer.status_code == 200
    assert "folded" not in board.cy.get(PAGE).text
    assert board.anna.post(f"/comments/{comment_id}/back", {"reason": WHY}).status_code == 409


def test_twice_is_refused_and_changes_nothing(app: Flask, board: Board, comment_id: int) -> None:
    for status in (303, 409):
        assert board.anna.post(f"/comments/{comment_id}/aside", {"rule": "1", "reason": WHY}).status_code == status
    with app.app_context():
        assert db.session.execute(select(Act.number)).scalars().all() == [1]


@pytest.mark.parametrize("htmx", [False, True])
def test_only_the_posts_author_and_not_their_own_words(board: Board, comment_id: int, htmx: bool) -> None:
    for visitor in (board.bo, board.mo):
        assert visitor.post(f"/comments/{comment_id}/aside", {"rule": "1", "reason": WHY}, htmx=htmx).status_code == 403
    assert board.anna.post("/comments/2/aside", {"rule": "1", "reason": WHY}, htmx=htmx).status_code == 403


def test_gone_words_are_not_put_aside(board: Board, comment_id: int) -> None:
    board.mo.post(f"/comments/{comment_id}/hide", {"rule": "1", "reason": WHY})
    assert board.anna.post(f"/comments/{comment_id}/aside", {"rule": "1", "reason": WHY}).status_code == 409


def test_only_the_author_finds_the_link_whoever_looked_first(board: Board, comment_id: int) -> None:
    """Lines under comments are shared by kinds of viewers; the post's author is alone of their kind."""
    for order in ((board.anna, board.bo, board.member("dora"), board.mo), (board.mo, board.member("dora"), board.bo, board.anna)):
        for visitor in order:
            assert ("Put aside" in visitor.get(PAGE).text) is (visitor is board.anna)
    links = article(board.anna.get(PAGE).text, 2).xpath('.//a[contains(@href, "/aside")]')
    assert links == []
