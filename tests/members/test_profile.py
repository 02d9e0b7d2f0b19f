"""A member's page: who they are and what they wrote, nothing withheld in it, a fixed number of statements."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from blog.accounts.models import Member
from blog.clock import now, stopped_at
from blog.comments import writing as comments
from blog.db import db, writing
from blog.moderation import hiding
from blog.posts import publishing
from blog.posts.models import Post, PostState
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


def test_what_was_deleted_is_found_again_by_its_writer_and_restored_from_there(app: Flask, board: Board) -> None:
    anna, bo, mo = board.anna, board.bo, board.mo
    with app.app_context():
        post, draft, on, veiled = (make_post(who.id, title, state=state) for who, title, state in (
            (anna, "A deleted title", PostState.PUBLISHED), (anna, "A deleted draft", PostState.DRAFT), (bo, "Open", PostState.PUBLISHED),
            (bo, "Hidden title", PostState.PUBLISHED)))
    said, under = say(app, on.id, anna, "I take *this* back."), say(app, veiled.id, anna, "And this.")
    with app.app_context(), writing():
        for post_id in (post.id, draft.id):
            publishing.delete(post_id, anna.viewer)
        for comment_id in (said, under):
            comments.delete(comment_id, anna.viewer)
        hiding.hide_post(veiled.id, mo.viewer, rule_id=1, reason=REASON)
    seen = page(anna.get("/settings/deleted"))
    assert "Hidden title" not in words(find(seen, "main")[0])
    assert [button.get("formaction") for button in find(seen, "main button")] == [
        f"/posts/{draft.id}/restore", f"/posts/{post.id}/restore", f"/comments/{under}/restore", f"/comments/{said}/restore"]
    assert "I take *this* back." in words(find(seen, "#comments")[0])
    for visitor in (bo, mo):
        assert not find(page(visitor.get("/settings/deleted")), "main button")
    for button in find(seen, "main button"):
        assert anna.post(button.get("formaction")).status_code == 303
    assert "No deleted posts." in anna.get("/settings/deleted").text and "No deleted comments." in anna.get("/settings/deleted").text
    assert "A deleted title" in board.cy.get("/").text and "I take" in board.cy.get(f"/comments/{said}").text


def test_the_list_of_the_deleted_ends_after_thirty_days_and_comes_in_pages(app: Flask, board: Board) -> None:
    anna, bo = board.anna, board.bo
    with app.app_context():
        on = make_post(bo.id, "Open")
    said = [say(app, on.id, anna, f"Number {number}.") for number in range(13)]
    with app.app_context():
        many_posts(anna.id, 13, topics.topic("coaching").id)
        posts = db.session.execute(select(Post.id).where(Post.author_id == anna.id).order_by(Post.id)).scalars().all()

    def statements() -> int:
        with counted(app) as seen:
            assert anna.get("/settings/deleted").status_code == 200
        return len(seen)

    at_none = statements()
    with app.app_context():
        for ids, deed in ((posts, publishing.delete), (said, comments.delete)):
            for number, key in enumerate(ids):
                with stopped_at(now() - timedelta(days=31 if number == 0 else 1)), writing():
                    deed(key, anna.viewer)
    first = page(anna.get("/settings/deleted"))
    assert [len(find(first, f"{part} li")) for part in ("#posts", "#comments")] == [10, 10]
    second = page(anna.get(find(first, "#posts a.more")[0].get("href")))
    assert [len(find(second, f"{part} li")) for part in ("#posts", "#comments")] == [2, 10]
    third = page(anna.get(find(second, "#comments a.more")[0].get("href")))
    assert [len(find(third, f"{part} li")) for part in ("#posts", "#comments")] == [2, 2]
    assert statements() == at_none <= 3
    assert anna.get("/settings/deleted?posts=x").status_code == anna.get("/settings/deleted?comments=1.2").status_code == 400
