"""Notices: who is told of what, once; what they say when they are shown; read, all read, unread again; pages and statements."""

import re
import threading
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from lxml import html as lxml_html
from sqlalchemy import select, update

from blog.clock import now, stopped_at
from blog.comments import writing
from blog.db import db
from blog.db import writing as transaction
from blog.moderation import hiding
from blog.notices import inbox
from blog.notices.models import Notice, NoticeKind
from blog.notices.telling import tell
from tests.conftest import Board, Visitor, counted
from tests.factories import make_post

SECRET = "zebrafinch"


@pytest.fixture(autouse=True)
def cast(board: Board) -> None:
    """Members are made before a test opens a transaction."""
    assert board.anna.id
    assert board.bo.id
    assert board.mo.id


@pytest.fixture
def post_id(app: Flask, board: Board) -> int:
    anna = board.anna
    with app.app_context():
        return int(make_post(anna.id, title="The kitchen table").id)


def say(app: Flask, post_id: int, by: Visitor, body: str, parent_id: int | None = None) -> int:
    with app.app_context():
        words = writing.words(body)
        with transaction():
            return writing.add(post_id, by.viewer, words, parent_id=parent_id)


def told(app: Flask, who: Visitor) -> list[tuple[str, int, int, bool]]:
    """Kind, subject, count and whether unread, newest first."""
    with app.app_context():
        rows = db.session.execute(select(Notice).where(Notice.member_id == who.id).order_by(Notice.told_at.desc(), Notice.id.desc())).scalars()
        return [(row.kind, row.subject_id, row.count, row.seen_at is None) for row in rows]


def lines(who: Visitor, path: str = "/notices") -> list[str]:
    """What the notices on the page say."""
    tree = lxml_html.fromstring(who.get(path).text)
    return [" ".join(line.text_content().split()) for line in tree.xpath('//ul[@class="notices"]/li//p[@class="what"]')]


def test_the_writer_of_what_is_answered_is_told_and_the_posts_author(app: Flask, board: Board, post_id: int) -> None:
    first = say(app, post_id, board.bo, "first")
    assert told(app, board.anna) == [("comment", first, 1, True)]
    reply = say(app, post_id, board.member("dora"), "an answer", first)
    assert told(app, board.bo) == [("reply", reply, 1, True)]
    assert told(app, board.anna) == [("comment", reply, 2, True)]


def test_nobody_is_told_twice_of_one_comment_nor_of_their_own(app: Flask, board: Board, post_id: int) -> None:
    by_author = say(app, post_id, board.anna, "from the post's author")
    assert told(app, board.anna) == []
    reply = say(app, post_id, board.bo, "an answer", by_author)
    assert told(app, board.anna) == [("reply", reply, 1, True)]
    say(app, post_id, board.bo, "and to myself", reply)
    assert told(app, board.bo) == []


def test_a_refused_comment_tells_nobody(app: Flask, board: Board, post_id: int) -> None:
    first = say(app, post_id, board.bo, "first")
    with app.app_context(), transaction():
        hiding.hide_comment(first, board.mo.viewer, rule_id=2, reason="Names a client of hers.")
    board.anna.post("/posts/the-kitchen-table/comments", {"body": "late", "parent_id": str(first)})
    assert told(app, board.bo) == [] or all(kind == "act" for kind, *_ in told(app, board.bo))


def test_a_form_sent_again_tells_once(app: Flask, board: Board, post_id: int) -> None:
    for _ in range(2):
        board.bo.post("/posts/the-kitchen-table/comments", {"body": "once", "submission_id": "ABCDEFGHIJKLMNOPQRST"})
    assert [count for _, _, count, _ in told(app, board.anna)] == [1]


def test_unread_ones_of_one_thread_are_one_line_that_counts(app: Flask, board: Board, post_id: int) -> None:
    first = say(app, post_id, board.bo, "first")
    for name in ("dora", "emil", "fay"):
        say(app, post_id, board.member(name), f"an answer of {name}", first)
    assert lines(board.bo) == ["Unread: 3 replies to your comment, the newest by Fay in “The kitchen table”"]
    assert "an answer of fay" in board.bo.get("/notices").text
    board.bo.post("/notices")
    say(app, post_id, board.member("gil"), "one more", first)
    assert lines(board.bo) == ["Unread: Gil replied to you in “The kitchen table”", "3 replies to your comment, the newest by Fay in “The kitchen table”"]


def test_two_at_once_make_one_line(app: Flask, board: Board) -> None:
    """On both databases: the unique index decides, not the order of reading and writing."""
    bo, anna = board.bo.id, board.anna.id
    errors: list[BaseException] = []

    def run() -> None:
        try:
            for _ in range(5):
                with app.app_context(), transaction():
                    tell(bo, NoticeKind.REPLY, 7, by_id=anna, group="3")
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert told(app, board.bo) == [("reply", 7, 30, True)]


def test_hidden_words_are_told_no_more(app: Flask, board: Board, post_id: int) -> None:
    first = say(app, post_id, board.bo, f"a {SECRET}")
    assert SECRET in board.anna.get("/notices").text
    with app.app_context(), transaction():
        hiding.hide_comment(first, board.mo.viewer, rule_id=2, reason="Names a client of hers.")
    for htmx in (False, True):
        page = board.anna.get("/notices", htmx=htmx).text
        assert SECRET not in page
        assert "A comment on your post that was hidden since" in page
        assert "Bo commented" not in page


def test_a_hidden_posts_title_is_told_no_more(app: Flask, board: Board) -> None:
    anna = board.anna
    with app.app_context():
        post = make_post(anna.id, title=f"About a {SECRET}").id
    first = say(app, post, board.bo, "first")
    say(app, post, anna, "an answer", first)
    assert SECRET in board.bo.get("/notices").text
    with app.app_context(), transaction():
        hiding.hide_post(post, board.mo.viewer, rule_id=2, reason="Names a client of hers.")
    page = board.bo.get("/notices").text
    assert SECRET not in page
    assert f"Post {post}" in page


def test_a_deleted_reply_is_told_as_deleted_and_leads_nowhere(app: Flask, board: Board, post_id: int) -> None:
    first = say(app, post_id, board.bo, "first")
    reply = say(app, post_id, board.anna, f"a {SECRET}", first)
    with app.app_context(), transaction():
        writing.delete(reply, board.anna.viewer)
    page = board.bo.get("/notices").text
    assert "A reply to you that was deleted since" in page
    assert SECRET not in page
    assert f'href="/comments/{reply}"' not in page


def test_the_masthead_counts_what_is_unread(app: Flask, board: Board, post_id: int) -> None:
    def count() -> str:
        tree = lxml_html.fromstring(board.anna.get("/").text)
        return str(tree.xpath('//*[@id="notice-count"]')[0].text_content())

    assert count() == ""
    say(app, post_id, board.bo, "first")
    assert count() == "1 unread"
    for number in range(120):
        with app.app_context(), transaction():
            tell(board.anna.id, NoticeKind.REPORT, 1000 + number)
    assert count() == "99+ unread"


@pytest.mark.parametrize("htmx", [False, True])
def test_one_is_marked_as_read(app: Flask, board: Board, post_id: int, htmx: bool) -> None:
    first = say(app, post_id, board.bo, "first")
    say(app, post_id, board.anna, "an answer", first)
    second = say(app, post_id, board.bo, "second")
    with app.app_context():
        notice = db.session.execute(select(Notice.id).where(Notice.member_id == board.bo.id)).scalar_one()
        others = db.session.execute(select(Notice.id).where(Notice.member_id == board.anna.id)).scalar_one()
    answer = board.bo.post("/notices", {"notice": str(notice)}, htmx=htmx)
    assert answer.status_code == (200 if htmx else 303)
    assert not told(app, board.bo)[0][3]
    assert told(app, board.anna) == [("comment", second, 2, True)]
    if htmx:
        assert f'<li id="notice-{notice}">' in answer.text
        assert "Mark as read" not in answer.text
        assert re.search(r'id="notice-count" hx-swap-oob="true"></span>', answer.text)
    # Somebody else's notice is nobody's.
    assert board.bo.post("/notices", {"notice": str(others)}, htmx=htmx).status_code == 404
    assert told(app, board.anna)[0][3]
    assert board.bo.post("/notices", {"notice": "x"}, htmx=htmx).status_code == 400


@pytest.mark.parametrize("htmx", [False, True])
def test_all_are_marked_and_that_is_taken_back(app: Flask, board: Board, post_id: int, htmx: bool) -> None:
    first = say(app, post_id, board.bo, "first")
    say(app, post_id, board.anna, "an answer", first)
    with app.app_context(), transaction():
        tell(board.bo.id, NoticeKind.COMMENT, first, group="9")
    answer = board.bo.post("/notices", htmx=htmx)
    assert [unread for *_, unread in told(app, board.bo)] == [False, False]
    page = answer.text if htmx else board.bo.get("/notices").text
    undo = re.search(r'formaction="(/notices\?undo=\d+)"', page)
    assert undo, page
    board.bo.post(undo[1], htmx=htmx)
    assert [unread for *_, unread in told(app, board.bo)] == [True, True]


def test_taking_back_leaves_out_what_is_told_again(app: Flask, board: Board) -> None:
    bo, anna = board.bo.id, board.anna.id
    with app.app_context():
        with transaction():
            tell(bo, NoticeKind.REPLY, 7, by_id=anna, group="3")
        with transaction():
            moment = inbox.read_all(bo)
        with transaction():
            tell(bo, NoticeKind.REPLY, 8, by_id=anna, group="3")
        assert moment
        with transaction():
            inbox.unread_again(bo, moment)
    assert told(app, board.bo) == [("reply", 8, 1, True), ("reply", 7, 1, False)]


def test_what_came_after_the_page_was_opened_stays_unread(app: Flask, board: Board, post_id: int) -> None:
    say(app, post_id, board.bo, "first")
    page = board.anna.get("/notices").text
    until = re.search(r'name="until" value="(\d+)"', page)
    assert until
    say(app, post_id, board.bo, "second")
    board.anna.post("/notices", {"until": until[1]})
    assert [unread for *_, unread in told(app, board.anna)] == [True]


def test_tabs_part_the_kinds_and_mark_their_own(app: Flask, board: Board, post_id: int) -> None:
    first = say(app, post_id, board.bo, "first")
    say(app, post_id, board.anna, "an answer", first)
    assert lines(board.bo, "/notices?kind=replies") == ["Unread: Anna replied to you in “The kitchen table”"]
    assert lines(board.bo, "/notices?kind=acts") == []
    assert "No act about you" in board.bo.get("/notices?kind=acts").text
    board.bo.post("/notices", {"kind": "acts"})
    assert [unread for *_, unread in told(app, board.bo)] == [True]
    board.bo.post("/notices", {"kind": "replies"})
    assert [unread for *_, unread in told(app, board.bo)] == [False]
    assert board.bo.get("/notices?kind=nonsense").status_code == 200


def test_pages_follow_each_other_without_a_gap_and_days_have_names(app: Flask, board: Board) -> None:
    with app.app_context():
        anna = board.anna.viewer
        post = make_post(anna.id, title="The kitchen table").id
        with transaction():
            written = [writing.add(post, anna, writing.words(f"comment {number}")) for number in range(65)]
        for number, comment in enumerate(written):
            # Three at each moment, so that a cursor of the time alone would lose some.
            with stopped_at(now() - timedelta(hours=number // 3 * 7)), transaction():
                tell(board.bo.id, NoticeKind.REPLY, comment, by_id=anna.id, group=str(comment))
        with transaction():
            instants = db.session.execute(select(Notice.told_at, Notice.id)).all()
            for moment, notice_id in instants:
                db.session.execute(update(Notice).where(Notice.id == notice_id).values(told_at=moment.replace(microsecond=0)))
    path, seen, days = "/notices", [], []
    while path:
        tree = lxml_html.fromstring(board.bo.get(path).text)
        seen += [li.get("id") for li in tree.xpath('//ul[@class="notices"]/li')]
        days += [h2.text_content() for h2 in tree.xpath('//h2[@class="daymark"]')]
        path = next(iter(tree.xpath('//a[@rel="next"]/@href')), "")
    assert len(seen) == len(set(seen)) == 65
    assert "Today" in days
    assert "Yesterday" in days
    assert board.bo.get("/notices?after=junk").status_code == 400
    assert board.bo.get("/notices?after=99999999999999999.1").status_code in {200, 400}


def test_statements_do_not_grow_with_the_notices(app: Flask, board: Board, post_id: int) -> None:
    def statements() -> dict[str, int]:
        found: dict[str, int] = {}
        for path in ("/notices", "/notices?kind=replies"):
            with counted(app) as seen:
                assert board.bo.get(path).status_code == 200
            found[path] = len(seen)
        return found

    first = say(app, post_id, board.bo, "first")
    say(app, post_id, board.anna, "an answer", first)
    at_one = statements()
    for number in range(40):
        mine = say(app, post_id, board.bo, f"mine {number}")
        say(app, post_id, board.anna, "an answer", mine)
    assert statements() == at_one
    assert max(at_one.values()) <= 7, at_one


def test_telling_costs_two_statements_at_most(app: Flask, board: Board, post_id: int) -> None:
    first = say(app, post_id, board.bo, "first")
    dora: Any = board.member("dora")
    with counted(app) as seen:
        say(app, post_id, dora, "an answer", first)
    assert len([statement for statement in seen if "notice" in statement]) == 2
