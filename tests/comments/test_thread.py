"""A page of a thread: the right rows in the right order, bounded in statements and rows whatever the size."""

import random

import pytest
from flask import Flask
from lxml import html as lxml_html
from sqlalchemy import update

from blog.comments import thread
from blog.comments.models import Comment
from blog.db import db
from blog.errors import Malformed
from blog.viewer import STRANGER
from tests.comments.trees import Model, grow, random_parents
from tests.conftest import Board, counted
from tests.factories import make_post


@pytest.fixture
def post_id(app: Flask, board: Board) -> int:
    anna = board.anna
    with app.app_context():
        found = make_post(anna.id, title="The kitchen table").id
        db.session.commit()
    return found


def ids_on_page(page: thread.Discussion) -> list[int]:
    return [row.id for row in page.listing.rows]


def walk_all(post: thread.PostOf, sort: str = "oldest") -> list[list[int]]:
    pages, after = [], ""
    for _ in range(1000):
        page = thread.discussion(post, sort=sort, after=after)
        pages.append(ids_on_page(page))
        after = page.more
        if not after:
            return pages
    raise AssertionError("the pages never end")


def test_a_small_thread_is_shown_whole_in_reading_order_in_one_statement(app: Flask, board: Board, post_id: int) -> None:
    parents = random_parents(100, seed=7)
    with app.app_context():
        ids = grow(post_id, board.anna.id, parents)
        post = thread.post_at(STRANGER, str(post_id))
        with counted(app) as statements:
            page = thread.discussion(post)
    assert len(statements) == 1
    model = Model(parents)
    depth_of = {}
    for index, parent in enumerate(parents):
        depth_of[index] = 1 if parent is None else depth_of[parent] + 1
    expected = [ids[index] for index in model.preorder() if depth_of[index] <= thread.DEEPEST]
    assert ids_on_page(page) == expected
    assert page.more == ""


@pytest.mark.parametrize(("size", "roots"), [(101, 0.2), (400, 0.5), (900, 0.03)])
def test_every_comment_is_reachable_by_pages_replies_and_continue_links(app: Flask, board: Board, post_id: int, size: int, roots: float) -> None:
    parents = random_parents(size, seed=size, roots=roots)
    with app.app_context():
        ids = grow(post_id, board.anna.id, parents)
        post = thread.post_at(STRANGER, str(post_id))
        seen: set[int] = set()
        waiting: list[tuple[int, str]] = []

        def note(listing: thread.Listing) -> None:
            for row in listing.rows:
                assert row.id not in seen, "shown twice"
                seen.add(row.id)
            for end in [end for row in listing.rows for end in row.closes] + listing.closes:
                if end.missing:
                    waiting.append((end.of.id, "" if end.continues else str(end.of.last_reply)))

        after = ""
        while True:
            page = thread.discussion(post, after=after)
            note(page.listing)
            after = page.more
            if not after:
                break
        while waiting:
            comment_id, cursor = waiting.pop()
            listing, more = thread.replies(thread.one(STRANGER, comment_id), after=cursor)
            note(listing)
            if more:
                waiting.append((comment_id, more))
    assert seen == set(ids)


@pytest.mark.parametrize("sort", thread.SORTS)
def test_a_large_thread_costs_six_statements_and_bounded_rows(app: Flask, board: Board, post_id: int, sort: str) -> None:
    with app.app_context():
        grow(post_id, board.anna.id, random_parents(1500, seed=3))
        post = thread.post_at(STRANGER, str(post_id))
        with counted(app) as statements:
            page = thread.discussion(post, sort=sort)
        assert len(statements) <= 6
        assert len(page.listing.rows) <= thread.PAGE
        with counted(app) as statements:
            further = thread.discussion(post, sort=sort, after=page.more)
        assert len(statements) <= 6
        assert not set(ids_on_page(page)) & set(ids_on_page(further))


@pytest.mark.parametrize("sort", thread.SORTS)
def test_pages_of_every_order_show_each_root_once_even_with_ties(app: Flask, board: Board, post_id: int, sort: str) -> None:
    dice = random.Random(5)
    with app.app_context():
        ids = grow(post_id, board.anna.id, [None] * 320)
        for comment_id in ids:
            if dice.random() < 0.2:
                db.session.execute(update(Comment).where(Comment.id == comment_id).values(thanks=dice.randint(1, 2)))
        db.session.commit()
        post = thread.post_at(STRANGER, str(post_id))
        pages = walk_all(post, sort)
        shown = [comment_id for page in pages for comment_id in page]
        thanks = {comment.id: comment.thanks for comment in db.session.query(Comment)}
    assert sorted(shown) == ids
    order = {
        "oldest": sorted(ids),
        "newest": sorted(ids, reverse=True),
        "active": sorted(ids, reverse=True),
        "thanked": sorted(ids, key=lambda comment_id: (thanks[comment_id], comment_id), reverse=True),
    }[sort]
    assert shown == order


@pytest.mark.parametrize("after", ["x", "1.2", "-1", "9" * 30, "1e5", "１"])
def test_a_damaged_cursor_is_refused(app: Flask, board: Board, post_id: int, after: str) -> None:
    with app.app_context():
        post = thread.post_at(STRANGER, str(post_id))
        with pytest.raises(Malformed):
            thread.discussion(post, after=after)
    assert board.cy.get(f"/posts/the-kitchen-table?after={after}").status_code == 400


def test_the_permalink_shows_the_root_and_the_nearest_ancestors(app: Flask, board: Board, post_id: int) -> None:
    chain: list[int | None] = [None, *range(30)]
    with app.app_context():
        ids = grow(post_id, board.anna.id, chain + [None] * 100)
        on = thread.one(STRANGER, ids[30])
        with counted(app) as statements:
            above = thread.ancestors(on)
    assert len(statements) == 1
    assert [row.id for row in above] == [ids[0], *ids[30 - thread.ANCESTORS : 30]]
    page = board.cy.get(f"/comments/{ids[30]}")
    assert page.status_code == 200
    assert f'id="comment-{ids[30]}"' in page.text
    assert f'id="comment-{ids[0]}"' in page.text
    assert f'id="comment-{ids[5]}"' not in page.text


def test_a_deep_chain_ends_in_a_link_that_continues_it(app: Flask, board: Board, post_id: int) -> None:
    with app.app_context():
        ids = grow(post_id, board.anna.id, [None, *range(20)])
    page = board.cy.get("/posts/the-kitchen-table").text
    assert f'id="comment-{ids[11]}"' in page
    assert f'id="comment-{ids[12]}"' not in page
    assert f'<a class="more" href="/comments/{ids[11]}">Continue this thread' in page
    assert f'id="comment-{ids[12]}"' in board.cy.get(f"/comments/{ids[11]}").text


@pytest.mark.one_database
def test_the_markup_nests_as_the_replies_do(app: Flask, board: Board, post_id: int) -> None:
    parents = random_parents(90, seed=11)
    with app.app_context():
        ids = grow(post_id, board.anna.id, parents)
    tree = lxml_html.fromstring(board.cy.get("/posts/the-kitchen-table").text)
    shown = tree.xpath('//ol[@id="thread"]//article')
    assert len(shown) > 60
    for article in shown:
        index = ids.index(int(article.get("id").removeprefix("comment-")))
        above = article.xpath("ancestor::li[1]/ancestor::li[1]/article")
        expected = [] if parents[index] is None else [f"comment-{ids[parents[index]]}"]  # type: ignore[index]
        assert [found.get("id") for found in above] == expected
    for identifier in tree.xpath("//@id"):
        assert len(tree.xpath(f'//*[@id="{identifier}"]')) == 1, f"{identifier} stands twice"


def test_more_replies_come_as_a_piece_and_as_a_page(app: Flask, board: Board, post_id: int) -> None:
    with app.app_context():
        ids = grow(post_id, board.anna.id, [None] + [0] * 180)
    first = board.cy.get("/posts/the-kitchen-table").text
    link = next(line for line in first.splitlines() if 'class="more"' in line and "replies?after=" in line)
    after = link.split("after=")[1].split('"')[0]
    assert f"{180 - 5} more replies" in link
    piece = board.cy.get(f"/comments/{ids[0]}/replies?after={after}", htmx=True)
    assert piece.headers["Cache-Control"] == "no-store"
    assert "<html" not in piece.text
    assert f'id="comment-{ids[6]}"' in piece.text
    assert f'id="comment-{ids[5]}"' not in piece.text
    assert "More replies" in piece.text
    page = board.cy.get(f"/comments/{ids[0]}/replies?after={after}")
    assert "<html" in page.text
    assert f'id="comment-{ids[6]}"' in page.text


@pytest.mark.parametrize("size", [1, 200, 1200])
def test_a_thread_page_stays_under_its_bound_of_statements(app: Flask, board: Board, post_id: int, size: int) -> None:
    with app.app_context():
        grow(post_id, board.anna.id, random_parents(size, seed=1))
    stranger, bo = board.cy, board.bo
    with counted(app) as statements:
        assert stranger.get("/posts/the-kitchen-table").status_code == 200
    assert len(statements) <= 8
    with counted(app) as statements:
        assert bo.get("/posts/the-kitchen-table").status_code == 200
    assert len(statements) <= 16
