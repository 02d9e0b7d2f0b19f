"""A member's page: who they are and what they wrote, nothing withheld in it, a fixed number of statements."""

import pytest
from flask import Flask
from sqlalchemy import update

from blog.accounts.models import Member
from blog.comments import writing as comments
from blog.db import db, writing
from blog.moderation import hiding
from blog.posts import publishing
from blog.posts.models import PostState
from blog.topics import listing as topics
from tests.comments.trees import grow
from tests.conftest import Board, Visitor, counted
from tests.factories import make_post
from tests.posts.pages import find, page, words
from tests.posts.rows import many_posts

REASON = "For the sake of this test."


def say(app: Flask, post_id: int, by: Visitor, body: str) -> int:
    with app.app_context(), writing():
        return comments.add(post_id, by.viewer, comments.words(body))


def describe(app: Flask, member: Visitor, about: str) -> None:
    with app.app_context(), writing():
        db.session.execute(update(Member).where(Member.id == member.id).values(about=about))


def test_a_page_tells_who_and_what(app: Flask, board: Board) -> None:
    anna = board.anna
    describe(app, anna, "Line one\nline <b>two</b>\n\nAnother thought")
    with app.app_context():
        post = make_post(anna.id)
    comment_id = say(app, post.id, anna, "## Loud\n\nI *said* something.")
    seen = page(board.cy.get("/members/anna"))
    assert words(find(seen, "h1")[0]) == "Anna"
    assert [words(part) for part in find(seen, ".lede")] == ["Line oneline <b>two</b>", "Another thought"]
    assert len(find(seen, ".lede br")) == 1
    assert "here since 20" in words(find(seen, ".pagehead")[0])
    assert [words(title) for title in find(seen, "#posts h3")] == ["The kitchen table"]
    row = find(seen, "#comments li")[0]
    assert [link.get("href") for link in find(row, "a")] == [f"/comments/{comment_id}", "/posts/the-kitchen-table"]
    assert words(find(row, ".prose")[0]) == "Loud I said something."
    assert not find(seen, ".badge")


def test_who_acts_for_the_board_wears_the_word(board: Board) -> None:
    for visitor, word in ((board.mo, "Moderator"), (board.ad, "Administrator")):
        assert [words(badge) for badge in find(page(board.cy.get(f"/members/{visitor.viewer.username}")), ".badge")] == [word]


def test_another_spelling_leads_to_the_true_one(board: Board) -> None:
    board.member("BeaTrix")
    answer = board.cy.get("/members/beatrix?posts=1.1")
    assert (answer.status_code, answer.headers["Location"]) == (301, "/members/BeaTrix?posts=1.1")
    assert board.cy.get("/members/BeaTrix").status_code == 200
    # A look-alike can't be registered beside it, but is not its address either.
    for name in ("8eatrix", "beatr1x", "nobody", "x" * 300, "%00", "be atrix"):
        assert board.cy.get(f"/members/{name}").status_code in (400, 404), name


def test_lists_have_their_own_pages(app: Flask, board: Board) -> None:
    anna = board.anna
    with app.app_context():
        ids = [make_post(anna.id, f"Number {number}").id for number in range(12)]
    for number in range(13):
        say(app, ids[0], anna, f"Comment number {number}.")
    first = page(board.cy.get("/members/anna"))
    more_posts = next(link.get("href") for link in find(first, "#posts a.more"))
    second = page(board.cy.get(more_posts))
    assert [words(title) for title in find(second, "#posts h3")] == ["Number 1", "Number 0"]
    assert len(find(second, "#comments li")) == 10
    more_comments = find(second, "#comments a.more")[-1].get("href")
    third = page(board.cy.get(more_comments))
    assert [words(title) for title in find(third, "#posts h3")] == ["Number 1", "Number 0"]
    assert [words(text) for text in find(third, "#comments .prose")] == [f"Comment number {number}." for number in (2, 1, 0)]
    for query in ("posts=x", "comments=x", "posts=1", "comments=1.1"):
        assert board.cy.get(f"/members/anna?{query}").status_code == 400


def test_withheld_words_are_not_here_for_anybody(app: Flask, board: Board) -> None:
    anna, bo, mo = board.anna, board.bo, board.mo
    with app.app_context():
        hidden = make_post(anna.id, "A hidden title", "Zebrafinch.")
        deleted = make_post(anna.id, "A deleted title", "Zebrafinch.")
        make_post(anna.id, "A draft title", "Zebrafinch.", state=PostState.DRAFT)
        on = make_post(bo.id, "Open")
    say(app, hidden.id, anna, "Under a hidden post.")
    say(app, deleted.id, anna, "Under a deleted post.")
    gone, veiled = say(app, on.id, anna, "I take this back."), say(app, on.id, anna, "A moderator took this.")
    with app.app_context(), writing():
        comments.delete(gone, anna.viewer)
        hiding.hide_comment(veiled, mo.viewer, rule_id=1, reason=REASON)
        hiding.hide_post(hidden.id, mo.viewer, rule_id=1, reason=REASON)
        publishing.delete(deleted.id, anna.viewer)
    for visitor in (board.cy, bo, mo, anna):
        answer = visitor.get("/members/anna")
        for word in ("Zebrafinch", "A hidden title", "a-hidden-title", "A deleted title", "a-deleted-title", "I take this back", "A moderator took this"):
            assert word not in answer.text, word
        assert ("A draft title" in answer.text) == (visitor is anna)
        rows = find(page(answer), "#comments li")
        assert [find(row, "a")[1].get("href") for row in rows] == [f"/posts/{deleted.id}", f"/posts/{hidden.id}"]
        assert words(find(rows[1], "a")[1]) == f"Post {hidden.id}"


def test_an_empty_page_says_so(board: Board) -> None:
    assert "Anna has not published a post yet." in board.cy.get(f"/members/{board.anna.viewer.username}").text
    own = page(board.anna.get("/members/anna"))
    assert find(own, "main a[href=/posts/new]")


@pytest.mark.parametrize("own", [False, True])
def test_statements_do_not_grow_with_what_was_written(app: Flask, board: Board, own: bool) -> None:
    anna = board.anna
    visitor = anna if own else board.cy

    def statements() -> int:
        with counted(app) as seen:
            assert visitor.get("/members/anna").status_code == 200
        return len(seen)

    with app.app_context():
        post = make_post(anna.id)
        make_post(anna.id, "A draft", state=PostState.DRAFT)
    say(app, post.id, anna, "One.")
    at_one = statements()
    with app.app_context():
        grow(make_post(anna.id, "A busy one").id, anna.id, [None] * 200)
        topic_id = topics.topic("coaching").id
        many_posts(anna.id, 60, topic_id)
        many_posts(anna.id, 60, topic_id, PostState.DRAFT)
    assert statements() == at_one <= 7
