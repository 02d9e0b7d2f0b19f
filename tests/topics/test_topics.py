"""Topics: the list with its numbers, one topic's posts in pages, and nothing about topics that no listed post has."""

from flask import Flask

from blog.db import writing
from blog.moderation import hiding
from blog.posts import publishing, revising
from blog.posts.models import PostState
from tests.conftest import Board, counted
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


def hide(board: Board, post_id: int) -> None:
    mo = board.mo.viewer
    with board.app.app_context(), writing():
        hiding.hide_post(post_id, mo, rule_id=1, reason="Names a client who did not agree.")


def unhide(board: Board, post_id: int) -> None:
    with board.app.app_context(), writing():
        hiding.unhide_post(post_id, board.mo.viewer, reason="The client did agree after all.")


def delete(board: Board, post_id: int) -> None:
    with board.app.app_context(), writing():
        publishing.delete(post_id, board.anna.viewer)


def is_known(board: Board) -> bool:
    """Whether the topic Zebrafinch is anywhere: all doors must agree, for everybody."""
    found = set()
    for visitor in (board.cy, board.bo, board.anna, board.mo):
        for path in ("/", "/?sort=active", "/?sort=thanked", "/topics", "/sitemap.xml", "/members/anna"):
            found.add((path, "zebrafinch" in visitor.get(path).text.lower()))
        assert "zebrafinch" not in visitor.get("/feed.atom").text.lower()  # feeds name no topics at all
        for path in ("/topics/zebrafinch", "/topics/zebrafinch/feed.atom"):
            answer = visitor.get(path)
            assert answer.status_code in {200, 404}
            assert answer.status_code == 200 or "Zebrafinch" not in answer.text
            found.add((path, answer.status_code == 200))
    told = {known for _, known in found}
    assert len(told) == 1, found
    return told.pop()


def test_a_topic_is_known_while_a_listed_post_has_it(app: Flask, board: Board) -> None:
    anna = board.anna
    with app.app_context():
        make_post(anna.id, "Another", topics=("Coaching",))
        draft = make_post(anna.id, "A draft", topics=("Zebrafinch", "Coaching"), state=PostState.DRAFT)
    assert not is_known(board)
    with app.app_context(), writing():
        publishing.publish(draft.id, anna.viewer)
    assert is_known(board)
    assert "/topics/zebrafinch" in board.cy.get("/topics/coaching").text
    hide(board, draft.id)
    assert not is_known(board)
    assert "zebrafinch" not in board.cy.get("/topics/coaching").text.lower()
    unhide(board, draft.id)
    assert is_known(board)
    with app.app_context():
        second = make_post(anna.id, "A second", topics=("zebrafinch",))
    hide(board, draft.id)
    assert is_known(board)
    delete(board, second.id)
    assert not is_known(board)
    with app.app_context():
        make_post(anna.id, "A third", topics=("Zebrafinch",))
    assert is_known(board)


def test_a_topic_that_its_posts_left_is_not_known(app: Flask, board: Board) -> None:
    with app.app_context():
        post = make_post(board.anna.id, topics=("Zebrafinch", "Coaching"))
    assert is_known(board)
    with app.app_context(), writing():
        revising.edit(post.id, board.anna.viewer, title=post.title, source="Words.", topics=["Coaching"], version=1)
    assert not is_known(board)


def test_a_hidden_post_names_its_topics_to_who_may_read_it_and_links_none(app: Flask, board: Board) -> None:
    with app.app_context():
        post = make_post(board.anna.id, topics=("Zebrafinch",))
    hide(board, post.id)
    for reader in (board.anna, board.mo):
        seen = reader.get(f"/posts/{post.id}").text
        assert "Zebrafinch" in seen and "/topics/zebrafinch" not in seen
    for other in (board.cy, board.bo):
        assert "zebrafinch" not in other.get(f"/posts/{post.id}").text.lower()


def test_a_topics_page_costs_the_same_however_many_of_its_posts_are_hidden(app: Flask, board: Board) -> None:
    costs = []
    with app.app_context():
        make_post(board.anna.id, "Listed", topics=("Zebrafinch",), published_days_ago=30)
    for _ in range(2):
        with counted(app) as statements:
            assert "Listed" in board.cy.get("/topics/zebrafinch").text
        costs.append(len(statements))
        for number in range(6):
            with app.app_context():
                hidden = make_post(board.anna.id, f"Hidden {number}", topics=("Zebrafinch",)).id
            hide(board, hidden)
    assert costs[0] == costs[1] <= 4


def many_topics(app: Flask, author_id: int, count: int) -> None:
    """`count` topics of one post each; then "Number 7" has three and "Number 100" two."""
    with app.app_context():
        for number in range(count):
            make_post(author_id, f"Post {number}", "Words.", topics=(f"Number {number}",))
        for number in (7, 7, 100):
            make_post(author_id, f"Another {number}", "Words.", topics=(f"Number {number}",))


def test_the_front_page_names_the_busiest_and_the_list_comes_in_pages(app: Flask, board: Board) -> None:
    anna, cy = board.anna, board.cy
    many_topics(app, anna.id, 104)
    front = page(cy.get("/"))
    named = [words(link) for link in find(front, ".topics li a")]
    assert len(named) == 12 and named[:2] == ["Number 73 posts", "Number 1002 posts"]
    assert find(front, ".topics a.more[href=/topics]")
    first = page(cy.get("/topics"))
    second = page(cy.get(find(first, "a[rel=next]")[0].get("href")))
    rows = [words(find(row, "h2")[0]) for seen in (first, second) for row in find(seen, ".lines > li")]
    assert len(rows) == 104 == len(set(rows))
    assert [len(find(seen, ".lines > li")) for seen in (first, second)] == [100, 4]
    assert not find(second, "a[rel=next]")
    assert "No more topics" in cy.get("/topics?after=zzz").text


def test_numbers_are_counted_once_and_anew_when_the_board_changes(app: Flask, board: Board) -> None:
    anna, cy = board.anna, board.cy
    with app.app_context():
        post = make_post(anna.id, topics=("Coaching",))

    def seen() -> list[str]:
        return [words(find(page(cy.get(path)), selector)[0]) for path, selector in (("/", ".topics li a"), ("/topics", ".lines > li"))]

    def counting(path: str) -> int:
        with counted(app) as statements:
            cy.get(path)  # counted() begins without anything kept
            del statements[:]
            cy.get(path)
        return sum("count(" in statement.lower() for statement in statements)

    assert [counting(path) for path in ("/", "/topics")] == [0, 0]
    assert seen() == ["Coaching1 post", "Coaching1 post"]
    with app.app_context():
        other = make_post(anna.id, "Another", topics=("Coaching",))
    assert seen() == ["Coaching2 posts", "Coaching2 posts"]
    hide(board, other.id)
    assert seen() == ["Coaching1 post", "Coaching1 post"]
    unhide(board, other.id)
    assert seen() == ["Coaching2 posts", "Coaching2 posts"]
    delete(board, other.id)
    assert seen() == ["Coaching1 post", "Coaching1 post"]
    with app.app_context(), writing():
        publishing.restore(other.id, anna.viewer)
    assert seen() == ["Coaching2 posts", "Coaching2 posts"]
    with app.app_context(), writing():
        revising.edit(post.id, anna.viewer, title=post.title, source="Words.", topics=["Money"])
    assert "Coaching1 post" in seen()[0]
