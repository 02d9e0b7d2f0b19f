"""Lists of posts: newest first in keyset pages, nothing withheld in them, and a number of statements that rows don't change."""

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import chain

import pytest
from flask import Flask
from sqlalchemy import text, update

from blog.db import db, writing
from blog.errors import Gone, Malformed, NotFound
from blog.moderation import hiding
from blog.paging import micros
from blog.posts import listing, publishing
from blog.posts.models import Post, PostState
from blog.topics import listing as topics
from tests.conftest import Board, counted
from tests.factories import make_post
from tests.posts.rows import many_posts


@pytest.fixture
def many(app: Flask, board: Board) -> list[int]:
    """25 posts by two members in one topic, some published in the same microsecond. Ids, newest first."""
    with app.app_context():
        ids = [make_post((board.anna if n % 2 else board.bo).id, f"Number {n}", "Words.", topics=("Coaching", f"Topic {n % 3}")).id for n in range(25)]
        same = datetime(2024, 8, 10, 4, 22, 0, 123456, UTC)
        db.session.execute(update(Post).where(Post.id.in_(ids[:12])).values(published_at=same))
        db.session.execute(text("UPDATE post_topic SET published_at = (SELECT p.published_at FROM post p WHERE p.id = post_id)"))
        db.session.commit()
    return list(reversed(ids[12:])) + list(reversed(ids[:12]))


def pages(read: Callable[[str | None], listing.Page[listing.Teaser]]) -> list[list[int]]:
    found, after = [], None
    while True:
        page = read(after)
        found.append([row.id for row in page.rows])
        if not page.more:
            return found
        after = page.more


def test_pages_follow_each_other_without_gap_or_twin(app: Flask, board: Board, many: list[int]) -> None:
    with app.app_context():
        found = pages(listing.front)
        assert [len(page) for page in found] == [10, 10, 5]
        assert list(chain(*found)) == many
        assert list(chain(*pages(lambda after: listing.by_topic(topics.topic("coaching").id, after)))) == many
        mine = list(chain(*pages(lambda after: listing.by_author(board.anna.id, after))))
        assert mine == [post_id for post_id in many if post_id % 2 == 0]


def test_a_teaser_says_who_when_and_about_what(app: Flask, board: Board) -> None:
    with app.app_context():
        make_post(board.anna.id, "A title", "## Heading first\n\nThen *words*.", topics=("Zeal", "Coaching"))
        row = listing.front().rows[0]
    assert (row.author, row.username, row.teaser, row.comment_count, row.path) == ("Anna", "anna", "Then words.", 0, "/posts/a-title")
    assert [(topic.name, topic.path) for topic in row.topics] == [("Zeal", "/topics/zeal"), ("Coaching", "/topics/coaching")]


@pytest.mark.parametrize("withhold", ["draft", "deleted", "hidden"])
def test_what_is_withheld_is_in_no_list_and_no_count(app: Flask, board: Board, withhold: str) -> None:
    moderator = board.mo.viewer
    with app.app_context():
        other = make_post(board.anna.id, "Another").id
        post_id = make_post(board.anna.id, "Withheld", state=PostState.DRAFT if withhold == "draft" else PostState.PUBLISHED).id
        with writing():
            if withhold == "deleted":
                publishing.delete(post_id, board.anna.viewer)
            elif withhold == "hidden":
                hiding.hide_post(post_id, moderator, rule_id=1, reason="For the sake of this test.")
        topic = topics.topic("coaching")
        for page in (listing.front(), listing.by_topic(topic.id), listing.by_author(board.anna.id)):
            assert [row.id for row in page.rows] == [other]
        assert [(row.name, row.posts) for row in topics.page().rows] == [("Coaching", 1)]
        assert [row.id for row in listing.around(0)[1]] == [other]


def test_drafts_are_listed_for_their_author_alone(app: Flask, board: Board) -> None:
    with app.app_context():
        make_post(board.anna.id, "Mine", state=PostState.DRAFT)
        make_post(board.bo.id, "His", state=PostState.DRAFT)
        assert [draft.title for draft in listing.drafts(board.anna.id)] == ["Mine"]


def test_read_more_are_the_three_newest_others_cut_at_a_word(app: Flask, board: Board) -> None:
    with app.app_context():
        ids = [make_post(board.anna.id, f"Number {n}", "A sentence of several words. " * 20, published_days_ago=n).id for n in range(5)]
        named, more = listing.around(ids[1])
    assert [row.id for row in more] == [ids[0], ids[2], ids[3]]
    assert all(len(row.teaser) <= 131 and row.teaser.endswith(("words…", "several…", "of…", "sentence…", "A…", ".…")) for row in more)
    assert [topic.name for topic in named] == ["Coaching"]


def test_statements_do_not_grow_with_rows(app: Flask, board: Board) -> None:
    anna = board.anna

    def statements() -> list[int]:
        with app.app_context():
            topic_id = topics.topic("coaching").id
            readings: tuple[Callable[[], object], ...] = (
                listing.front, lambda: listing.by_topic(topic_id), lambda: listing.by_author(anna.id), topics.page, topics.busiest,
                lambda: listing.around(1), lambda: listing.article(anna.viewer, "1"),
            )
            numbers = []
            for reading in readings:
                with counted(app) as seen:
                    reading()
                numbers.append(len(seen))
            return numbers

    with app.app_context():
        make_post(anna.id)
    at_one = statements()
    assert at_one == [2, 2, 2, 1, 1, 1, 1]
    with app.app_context():
        many_posts(anna.id, 199, topics.topic("coaching").id)
    assert statements() == at_one


def test_pages_ask_the_same_number_of_statements_at_one_post_and_at_two_hundred(app: Flask, board: Board) -> None:
    anna, cy = board.anna, board.cy
    paths = ("/", "/topics", "/topics/coaching", "/members/anna", "/posts/the-kitchen-table", "/feed.atom", "/topics/coaching/feed.atom", "/sitemap.xml")

    def statements() -> dict[str, int]:
        numbers = {}
        for path in paths:
            with counted(app) as seen:
                assert cy.get(path).status_code == 200
            numbers[path] = len(seen)
        return numbers

    with app.app_context():
        make_post(anna.id)
    at_one = statements()
    assert at_one["/"] <= 3
    assert at_one["/posts/the-kitchen-table"] <= 4
    with app.app_context():
        many_posts(anna.id, 199, topics.topic("coaching").id)
    assert statements() == at_one


@pytest.mark.parametrize("after", ["x", "1", "1.2.3", "-1.2", "9223372036854775807.1", "٣.١", "9" * 30 + ".1"])
def test_a_damaged_cursor_is_malformed(app: Flask, board: Board, after: str) -> None:
    with app.app_context(), pytest.raises(Malformed):
        listing.front(after)


@pytest.mark.one_database
def test_the_front_page_is_read_from_its_index(app: Flask, board: Board) -> None:
    with app.app_context(), counted(app) as seen:
        listing.front(f"{micros(datetime(2024, 8, 10, tzinfo=UTC))}.7")
    with app.app_context():
        values = {"state_1": "published", "param_1": "2024-08-10 00:00:00.000000", "param_2": 7}
        plan = db.session.connection().exec_driver_sql(
            "EXPLAIN QUERY PLAN " + seen[0], ("published", values["param_1"], 7, 11, 0)[: seen[0].count("?")]
        ).all()
    assert any("post_newest" in str(row) for row in plan), plan
    assert not any("TEMP B-TREE" in str(row) for row in plan), plan


def test_an_address_is_a_slug_an_older_one_or_a_number(app: Flask, board: Board) -> None:
    with app.app_context():
        post_id = make_post(board.anna.id).id
        for slug in ("the-kitchen-table", str(post_id)):
            assert listing.article(board.cy.viewer, slug).id == post_id
        for slug in ("nothing", "0", "9" * 30, "00000000000000000000001", "²"):
            with pytest.raises(NotFound):
                listing.article(board.cy.viewer, slug)


def test_a_deleted_post_without_comments_is_gone(app: Flask, board: Board) -> None:
    with app.app_context():
        post_id = make_post(board.anna.id).id
        with writing():
            publishing.delete(post_id, board.anna.viewer)
        with pytest.raises(Gone):
            listing.article(board.anna.viewer, str(post_id))
