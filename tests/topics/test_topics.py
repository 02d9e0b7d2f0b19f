"""Topics: the list with its numbers, one topic's posts in pages, and nothing about topics that only a draft knows."""

from flask import Flask

from blog.db import writing
from blog.posts import publishing
from blog.posts.models import PostState
from tests.conftest import Board
from tests.factories import make_post
from tests.posts.pages import find, page, words


def test_the_list_has_every_topic_with_its_number_by_name(app: Flask, board: Board) -> None:
    with app.app_context():
        make_post(board.anna.id, "One", topics=("zeal", "Coaching"))
        make_post(board.anna.id, "Two", topics=("Coaching",))
    rows = [words(row) for row in find(page(board.cy.get("/topics")), ".lines > li")]
    assert rows == ["Coaching2 posts", "zeal1 post"]


def test_a_board_without_topics_says_what_makes_one(board: Board) -> None:
    seen = page(board.cy.get("/topics"))
    assert words(find(seen, ".empty h2")[0]) == "No topics yet"
    assert find(seen, ".empty a[href=/posts/new]")


def test_a_topics_posts_come_in_pages(app: Flask, board: Board) -> None:
    with app.app_context():
        for number in range(12):
            make_post(board.anna.id, f"Number {number}", topics=("Money and time",))
        make_post(board.anna.id, "Elsewhere", topics=("Coaching",))
    first = page(board.cy.get("/topics/money-and-time"))
    assert words(find(first, "h1")[0]) == "Money and time"
    assert {link.get("href") for link in find(first, "link[rel=alternate]")} == {"/feed.atom", "/topics/money-and-time/feed.atom"}
    older = page(board.cy.get(find(first, "a[rel=next]")[0].get("href")))
    titles = [words(title) for seen in (first, older) for title in find(seen, "main article h2")]
    assert titles == [f"Number {number}" for number in range(11, -1, -1)]
    assert board.cy.get("/topics/money-and-time?after=nonsense").status_code == 400


def test_an_unknown_topic_is_404(board: Board) -> None:
    for slug in ("nothing", "x" * 300, "%F0%9F%99%82"):
        assert board.cy.get(f"/topics/{slug}").status_code == 404


def test_a_topic_is_known_once_one_of_its_posts_was_published(app: Flask, board: Board) -> None:
    anna = board.anna
    with app.app_context():
        draft = make_post(anna.id, "A draft", topics=("Secret",), state=PostState.DRAFT)
    assert board.cy.get("/topics/secret").status_code == board.cy.get("/topics/secret/feed.atom").status_code == 404
    with app.app_context(), writing():
        publishing.publish(draft.id, anna.viewer)
    assert "A draft" in board.cy.get("/topics/secret").text
    with app.app_context(), writing():
        publishing.delete(draft.id, anna.viewer)
    answer = board.cy.get("/topics/secret")
    assert answer.status_code == 200 and "A draft" not in answer.text
    assert words(find(page(answer), ".empty h2")[0]) == "No posts in Secret any more"
    assert "Secret" not in board.cy.get("/topics").text
