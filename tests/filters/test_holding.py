"""What holds a text: lists, links of newcomers, first comments, what tells programs from people. Held, never lost, never refused for good."""

import re
from datetime import timedelta
from typing import Any

import pytest
from lxml import html as lxml_html
from sqlalchemy import func, select

from blog.accounts.models import Role
from blog.acts.models import Act
from blog.clock import now, stopped_at
from blog.comments.checking import differences
from blog.comments.models import Comment
from blog.db import db
from blog.filters import holding
from blog.filters.models import FilterKind
from blog.posts.models import Post
from tests.accounts.postbox import having
from tests.conftest import Board, Visitor, counted
from tests.factories import make_post
from tests.filters.lists import LIMITED, PATH, SENTENCE, held_texts, line, send

MARK = "lottery"
FOUR_LINKS = " ".join(f"https://elsewhere{number}.example/page" for number in range(4))


@pytest.fixture(autouse=True)
def post_id(board: Board) -> int:
    anna = board.anna.id
    with board.app.app_context():
        found = make_post(anna, source="An opening.").id
        db.session.commit()
    return found


def comments(board: Board) -> int:
    with board.app.app_context():
        return int(db.session.execute(select(func.count()).select_from(Comment)).scalar_one())


def test_a_word_on_the_list_holds_the_text_and_says_why(board: Board) -> None:
    number = line(board, MARK)
    answer = send(board.bo, "Win the **Lottery** now.")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/held/1")
    assert comments(board) == 0
    page = lxml_html.fromstring(board.bo.get("/held/1").text)
    assert "Your comment waits for a moderator" in page.xpath("//h1")[0].text_content()
    assert SENTENCE in page.xpath('//*[@class="bound"]')[0].text_content()
    assert "Win the Lottery now." in page.xpath('//*[contains(@class, "comment-body")]')[0].text_content()
    with board.app.app_context():
        act = db.session.execute(select(Act)).scalar_one()
        assert (act.kind, act.actor_id, act.actor_handle, act.person_id, act.target_kind, act.target_id) == ("hold", None, "Board", board.bo.id, "held", 1)
        assert (act.number, act.rule_id, act.reason, act.filter_name) == (1, 4, SENTENCE, f"Word list, line {number}")


@pytest.mark.one_database
@pytest.mark.parametrize(("pattern", "body", "is_held"), [
    ("lottery", "A LOTTERY ticket", True),
    ("lottery", "lotteryless", False),
    ("lottery", "the alottery", False),
    ("lottery", "lot**te**ry", True),  # as readers see it
    ("lottery", "lot\u200btery", True),  # a character of no width
    ("lottery", "ｌｏｔｔｅｒｙ", True),  # full width
    ("free money", "free\nmoney", True),
    ("free money", "free of money", False),
    ("a.b", "axb", False),  # no pattern is code
    ("straße", "STRASSE", True),
    ("c++", "I write c++.", True),
])
def test_words_match_whole_words_as_readers_see_them(board: Board, pattern: str, body: str, is_held: bool) -> None:
    line(board, pattern)
    assert send(board.bo, body).headers["Location"].startswith("/held/") == is_held


@pytest.mark.one_database
@pytest.mark.parametrize(("body", "is_held"), [
    ("[here](https://spam.example/a)", True),
    ("[here](https://www.SPAM.example./a?b=1&c=2)", True),
    ("https://deep.er.spam.example", True),
    ("Look at spam.example!", True),  # named, not linked
    ("https://notspam.example", False),  # whole labels are compared
    ("https://spam.example.org", False),
    ("https://elsewhere.example/?to=spamXexample", False),
    ("[here](https://user@spam.example/)", True),  # no link here, but named
])
def test_a_domain_holds_its_own_links_and_those_below_it(board: Board, body: str, is_held: bool) -> None:
    line(board, "spam.example", FilterKind.DOMAIN)
    assert send(board.bo, body).headers["Location"].startswith("/held/") == is_held


def test_what_waits_is_seen_by_its_writer_and_moderators_alone(board: Board) -> None:
    line(board, MARK)
    send(board.anna, "A first one.")
    send(board.bo, f"Win the {MARK} now.", parent_id="1")
    assert MARK in board.bo.get(PATH).text  # under the post, for the writer
    paths = ("/", PATH, f"{PATH}/feed.atom", "/feed.atom", "/comments/1", "/comments/1/replies", "/members/bo", "/members/anna", "/held/1", "/held/1/edit",
             "/acts/1")
    for visitor in (board.anna, board.member("dora"), board.cy):
        for path in paths:
            for htmx in (False, True):
                assert f"Win the {MARK}" not in visitor.get(path, htmx=htmx).text, path
    assert board.anna.get("/held/1").status_code == 404
    assert board.cy.get("/held/1").status_code == 303
    assert f"Win the {MARK}" in board.mo.get("/held/1").text
    assert board.mo.get("/held/1/edit").status_code == 403


def test_a_held_comment_counts_nowhere(board: Board) -> None:
    line(board, MARK)
    send(board.anna, "A first one.")
    send(board.bo, f"A {MARK}.", parent_id="1")
    with board.app.app_context():
        post = db.session.execute(select(Post)).scalar_one()
        assert (post.last_seq, post.comment_count) == (1, 1)
        assert db.session.get_one(Comment, 1).reply_count == 0
        assert list(differences()) == []


def test_in_place_the_text_stands_where_it_was_written(board: Board) -> None:
    line(board, MARK)
    send(board.anna, "A first one.")
    for fields, slot in (({"parent_id": "1"}, "slot-1"), ({}, "slot-root")):
        answer = board.bo.post(f"{PATH}/comments", {"body": f"The {MARK} {slot}.", **fields}, htmx=True)
        assert answer.status_code == 202
        tree = lxml_html.fromstring(f"<div>{answer.text}</div>")
        assert tree.xpath(f'//*[@id="{slot}"]')
        article = tree.xpath("//article[@data-focus]")[0]
        assert f"The {MARK} {slot}." in article.text_content()
        assert SENTENCE in article.text_content()
    assert tree.xpath('//form[@id="write"]//textarea')[0].text.strip() == ""


def test_a_form_sent_twice_waits_once(board: Board) -> None:
    line(board, MARK)
    key = "A" * 24
    first = send(board.bo, f"A {MARK}.", submission_id=key)
    again = send(board.bo, f"A {MARK}.", submission_id=key)
    assert first.headers["Location"] == again.headers["Location"] == "/held/1"
    other = send(board.bo, f"Another {MARK}.", submission_id=key)  # other words: nothing is lost
    assert other.headers["Location"] == "/held/2"
    third = send(board.bo, "Harmless words.", submission_id=key)
    assert third.headers["Location"].endswith("#comment-1")
    assert len(held_texts(board)) == 2


def test_the_writer_changes_and_takes_back_what_waits(board: Board) -> None:
    line(board, MARK)
    send(board.bo, f"A {MARK}.")
    form = lxml_html.fromstring(board.bo.get("/held/1/edit").text)
    assert form.xpath('//textarea[@name="body"]')[0].text.strip() == f"A {MARK}."
    saved = board.bo.post("/held/1/edit", {"body": "A better word.", "version": "1"})
    assert saved.headers["Location"] == "/held/1"
    assert "A better word." in board.bo.get("/held/1").text
    stale = board.bo.post("/held/1/edit", {"body": "A third word.", "version": "1"})
    assert stale.status_code == 409 and "A better word." in stale.text and "A third word." in stale.text
    assert board.anna.post("/held/1/edit", {"body": "Not mine."}).status_code == 404
    assert board.mo.post("/held/1/edit", {"body": "Not mine."}).status_code == 403
    assert board.mo.post("/held/1/withdraw").status_code == 403
    gone = board.bo.post("/held/1/withdraw")
    assert gone.headers["Location"] == f"{PATH}/comments"
    assert "A better word." in board.bo.get(f"{PATH}/comments").text  # back in the form that it came from
    assert held_texts(board)[0].state == "taken back"
    assert board.bo.post("/held/1/withdraw").status_code == 303  # twice is once
    assert board.bo.post("/held/1/edit", {"body": "Too late."}).status_code == 403


def test_an_edit_that_a_filter_holds_leaves_the_earlier_words_standing(board: Board) -> None:
    send(board.bo, "Harmless words.")
    line(board, MARK)
    answer = board.bo.post("/comments/1/edit", {"body": f"Now a {MARK}.", "version": "1"})
    assert answer.headers["Location"] == "/held/1"
    assert "Harmless words." in board.cy.get(PATH).text and MARK not in board.cy.get(PATH).text
    assert "change of a comment waits" in board.bo.get(PATH).text
    again = board.bo.post("/comments/1/edit", {"body": f"Now another {MARK}.", "version": "1"}, htmx=True)
    assert again.status_code == 202
    assert [(text.kind, text.version, text.source) for text in held_texts(board)] == [("edit", 2, f"Now another {MARK}.")]
    with board.app.app_context():
        assert db.session.execute(select(func.count()).select_from(Act)).scalar_one() == 1
    board.bo.post("/comments/1/edit", {"body": "Harmless again.", "version": "1"})
    assert held_texts(board)[0].state == "taken back"  # overtaken by what went through
    assert "Harmless again." in board.cy.get(PATH).text


def test_what_stood_before_the_list_had_it_holds_no_later_edit(board: Board) -> None:
    send(board.bo, f"A {MARK} and a slip.")
    line(board, MARK)
    assert board.bo.post("/comments/1/edit", {"body": f"A {MARK} and no slip.", "version": "1"}).headers["Location"].endswith("#comment-1")


def test_moderators_are_held_by_nothing(board: Board) -> None:
    line(board, MARK)
    assert send(board.mo, f"A {MARK}.").headers["Location"].endswith("#comment-1")


# -- newcomers


def test_a_newcomers_links_hold_and_their_own_boards_do_not(board: Board) -> None:
    with having(board.app, **LIMITED, newcomer_links=2):
        assert send(board.bo, FOUR_LINKS).headers["Location"] == "/held/1"
        page = board.bo.get("/held/1").text
        assert "This holds 4 links to elsewhere. A newcomer’s text with more than 2 waits for a moderator." in page
        assert "Rule 4" in page
        assert not send(board.bo, "https://a.example https://b.example").headers["Location"].startswith("/held")
        own = " ".join(f"http://127.0.0.1:8000/posts/{number}" for number in range(5))
        assert not send(board.bo, own).headers["Location"].startswith("/held")


def test_nobody_is_a_newcomer_where_budgets_are_off(board: Board) -> None:
    assert not send(board.bo, FOUR_LINKS).headers["Location"].startswith("/held")


def test_days_and_comments_make_a_newcomer_a_member(board: Board) -> None:
    bo = board.bo
    with having(board.app, **LIMITED, newcomer_days=3, newcomer_texts=2):
        with stopped_at(now() + timedelta(days=4)):
            assert send(bo, FOUR_LINKS).headers["Location"] == "/held/1"  # old enough, and has written nothing
            send(bo, "one")
            send(bo, "two")
            assert not send(bo, FOUR_LINKS).headers["Location"].startswith("/held")
        assert send(bo, FOUR_LINKS).headers["Location"] == "/held/2"  # has written, and is too new


def test_authors_are_no_newcomers(board: Board) -> None:
    with having(board.app, **LIMITED):
        assert not send(board.member("aline", Role.AUTHOR), FOUR_LINKS).headers["Location"].startswith("/held")


def test_first_texts_wait_where_the_board_says_so(board: Board) -> None:
    with having(board.app, first_texts_wait=1):
        assert send(board.bo, "My first.").headers["Location"] == "/held/1"
        assert "First comments and posts wait for a moderator on this board." in board.bo.get("/held/1").text
        assert send(board.mo, "Not mine.").headers["Location"].endswith("#comment-1")
    assert send(board.bo, "Now.").headers["Location"].endswith("#comment-2")
    with having(board.app, first_texts_wait=1):
        assert send(board.bo, "After one stands.").headers["Location"].endswith("#comment-3")


def test_the_hour_of_a_newcomer_states_when_it_goes_on(board: Board) -> None:
    start = now().replace(minute=10, second=0, microsecond=0)
    line(board, MARK)
    with having(board.app, **LIMITED, newcomer_comments_hourly=3, newcomer_texts=50):
        with stopped_at(start):
            send(board.bo, "one")
        with stopped_at(start + timedelta(minutes=5)):
            send(board.bo, f"a {MARK} that waits counts too")
            send(board.bo, "three")
        with stopped_at(start + timedelta(minutes=20)):
            refused = send(board.bo, "The fourth is kept.")
            assert refused.status_code == 429
            at = (start + timedelta(hours=1)).strftime("%H:%M")
            assert f"A newcomer can send 3 comments in an hour. You can go on at {at}." in refused.text
            assert "The fourth is kept." in refused.text
            assert board.bo.get(f"{PATH}/comments").text.count("The fourth is kept.") == 1
        with stopped_at(start + timedelta(minutes=61)):
            assert send(board.bo, "The fourth.").status_code == 303
            assert send(board.bo, "The fifth.").status_code == 429
    assert send(board.bo, "Without budgets.").status_code == 303


# -- programs


def test_the_field_that_nobody_sees_holds_a_newcomer(board: Board) -> None:
    page = lxml_html.fromstring(board.bo.get(PATH).text)
    trap = page.xpath('//form[@id="write"]//input[@name="homepage"]')[0]
    assert trap.get("tabindex") == "-1" and trap.getparent().get("aria-hidden") == "true"
    assert not send(board.bo, "Budgets are off.", homepage="https://me.example").headers["Location"].startswith("/held")
    with having(board.app, **LIMITED):
        assert send(board.bo, "A program.", homepage="https://me.example").headers["Location"] == "/held/1"
        assert "A field that people can’t see was filled in." in board.bo.get("/held/1").text
        assert not send(board.bo, "A person.", homepage="").headers["Location"].startswith("/held")
        assert not send(board.bo, "A form with the contract’s fields alone.").headers["Location"].startswith("/held")


def began(visitor: Visitor) -> str:
    found = re.search(r'name="began" value="([^"]+)"', visitor.get(f"{PATH}/comments").text)
    return found.group(1) if found else ""


def test_what_is_sent_sooner_than_people_type_waits(board: Board) -> None:
    start = now().replace(microsecond=0)
    assert began(board.bo) == ""  # nobody looks at the time unless the board says so
    with having(board.app, **LIMITED, typing_seconds=5):
        with stopped_at(start):
            token = began(board.bo)
            assert send(board.bo, "Fast.", began=token).headers["Location"] == "/held/1"
        with stopped_at(start + timedelta(seconds=4)):
            assert send(board.bo, "Still fast.", began=token).headers["Location"] == "/held/2"
            refused = board.bo.post(f"{PATH}/comments", {"body": "", "began": token})
            assert token in refused.text  # a form that comes back keeps its beginning
        with stopped_at(start + timedelta(seconds=6)):
            for value in (token, "", "1.forged", "x", f"{int(start.timestamp()) + 5}.{'a' * 43}"):
                assert not send(board.bo, "Slow enough.", began=value).headers["Location"].startswith("/held"), value


# -- costs


def test_sending_and_reading_stay_under_their_bounds(board: Board) -> None:
    for number in range(40):
        line(board, f"word{number}")
    send(board.anna, "A parent.")
    token = board.bo.token()
    with having(board.app, **LIMITED):
        for body, most in (("A reply.", 18), ("word3 in a reply.", 18)):
            with counted(board.app) as statements:
                answer = board.bo.post(f"{PATH}/comments", {"body": body, "parent_id": "1"}, token=token)
            assert answer.status_code == 303
            assert len(statements) <= most, statements
    board.bo.get(PATH)
    with counted(board.app) as statements:
        board.bo.get(PATH)
    few = len(statements)
    for number in range(15):
        send(board.bo, f"word1 {number}")
    with counted(board.app) as statements:
        board.bo.get(PATH)
    assert len(statements) == few <= 16


@pytest.mark.one_database
@pytest.mark.parametrize("html", ["", "<p>x</p>", '<p><a href="/posts/x">x</a> <a href="mailto:a@b.example">m</a></p>', '<p><a href="https://[::1">x</a></p>'])
def test_links_within_the_board_are_no_foreign_ones(board: Board, html: str) -> None:
    with board.app.app_context():
        assert list(holding.foreign_links(html)) == []


def test_the_etag_of_a_members_page_knows_what_waits(board: Board) -> None:
    line(board, MARK)
    bo = board.bo
    first: Any = bo.get(PATH)
    send(bo, f"A {MARK}.")
    again = bo.get(PATH, headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 200 and "waits for a moderator" in again.text
