"""Feeds and sitemap: well-formed whatever people typed, stable ids, 304 for who has them, nothing withheld, nothing too fresh."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from lxml import etree
from sqlalchemy import update
from werkzeug.http import http_date

from blog.accounts.models import Member
from blog.clock import now, stopped_at
from blog.comments import writing as comments
from blog.db import db, writing
from blog.moderation import hiding
from blog.posts import publishing, revising
from blog.posts.models import Post, PostState
from blog.topics import listing as topics
from tests.conftest import Board, Visitor
from tests.factories import make_post

ATOM = "{http://www.w3.org/2005/Atom}"
PLACE = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
REASON = "For the sake of this test."
NASTY = "“Quotes” \"double\" 'single' <b>bold</b> &amp; ]]> \u202eleft 🧑🏽‍🏫 \ufffe"


def read(answer: Any) -> Any:
    assert answer.status_code == 200, answer.text
    return etree.fromstring(answer.data)


def titles(answer: Any) -> list[str]:
    return [title.text for title in read(answer).iterfind(f"{ATOM}entry/{ATOM}title")]


def say(app: Flask, post_id: int, by: Visitor, body: str, seconds_ago: float = 60) -> int:
    with app.app_context(), stopped_at(now() - timedelta(seconds=seconds_ago)), writing():
        return comments.add(post_id, by.viewer, comments.words(body))


@pytest.fixture
def post(app: Flask, board: Board) -> Post:
    anna = board.anna
    with app.app_context():
        return make_post(anna.id, published_days_ago=1)


def test_the_boards_feed_is_an_atom_feed(app: Flask, board: Board, post: Post) -> None:
    answer = board.cy.get("/feed.atom")
    assert answer.headers["Content-Type"] == "application/atom+xml; charset=utf-8"
    assert "Set-Cookie" not in answer.headers
    feed = read(answer)
    assert [child.tag.removeprefix(ATOM) for child in feed][:5] == ["id", "title", "updated", "link", "link"]
    assert {(link.get("rel"), link.get("href")) for link in feed.iterfind(f"{ATOM}link")} == {
        ("self", "http://127.0.0.1:8000/feed.atom"), ("alternate", "http://127.0.0.1:8000/")}
    entry = feed.find(f"{ATOM}entry")
    assert entry.findtext(f"{ATOM}id") == f"tag:127.0.0.1,2026:post/{post.id}"
    assert entry.findtext(f"{ATOM}title") == "The kitchen table"
    assert entry.find(f"{ATOM}link").get("href") == "http://127.0.0.1:8000/posts/the-kitchen-table"
    assert entry.findtext(f"{ATOM}author/{ATOM}name") == "Anna"
    content = entry.find(f"{ATOM}content")
    assert content.get("type") == "html" and '<h2 id="user-content-what-the-table-is-for">' in content.text
    assert entry.findtext(f"{ATOM}updated") == entry.findtext(f"{ATOM}published") == feed.findtext(f"{ATOM}updated")


def test_an_edit_keeps_the_id_and_moves_the_date(app: Flask, board: Board, post: Post) -> None:
    before = read(board.cy.get("/feed.atom")).find(f"{ATOM}entry")
    with app.app_context(), writing():
        revising.edit(post.id, board.anna.viewer, title="A new name", source="New words.")
    after = read(board.cy.get("/feed.atom")).find(f"{ATOM}entry")
    assert after.findtext(f"{ATOM}id") == before.findtext(f"{ATOM}id")
    assert after.findtext(f"{ATOM}published") == before.findtext(f"{ATOM}published")
    assert after.findtext(f"{ATOM}updated") > before.findtext(f"{ATOM}updated")


def test_feeds_hold_the_twenty_newest(app: Flask, board: Board) -> None:
    with app.app_context():
        for number in range(23):
            make_post(board.anna.id, f"Number {number}", published_days_ago=30 - number, topics=("Coaching",) if number % 2 else ("Zeal",))
    assert titles(board.cy.get("/feed.atom")) == [f"Number {number}" for number in range(22, 2, -1)]
    assert titles(board.cy.get("/topics/zeal/feed.atom")) == [f"Number {number}" for number in range(22, -1, -2)]


def test_a_posts_feed_holds_its_newest_comments(app: Flask, board: Board, post: Post) -> None:
    ids = [say(app, post.id, board.bo, f"Number {number}.") for number in range(22)]
    answer = board.cy.get("/posts/the-kitchen-table/feed.atom")
    entries = list(read(answer).iterfind(f"{ATOM}entry"))
    assert [entry.find(f"{ATOM}link").get("href").rsplit("/")[-1] for entry in entries] == [str(found) for found in reversed(ids[2:])]
    assert entries[0].findtext(f"{ATOM}title") == "Bo on The kitchen table"
    assert entries[0].findtext(f"{ATOM}id") == f"tag:127.0.0.1,2026:comment/{ids[-1]}"
    old = board.cy.get(f"/posts/{post.id}/feed.atom")
    assert (old.status_code, old.headers["Location"]) == (301, "/posts/the-kitchen-table/feed.atom")


def test_nothing_younger_than_ten_seconds_is_in_a_feed(app: Flask, board: Board, post: Post) -> None:
    anna = board.anna
    with app.app_context():
        make_post(anna.id, "Just now", published_days_ago=8 / 86_400)
        make_post(anna.id, "A while ago", published_days_ago=20 / 86_400)
    say(app, post.id, board.bo, "Just said.", seconds_ago=5)
    say(app, post.id, board.bo, "Said a while ago.", seconds_ago=20)
    assert titles(board.cy.get("/feed.atom")) == ["A while ago", "The kitchen table"]
    assert titles(board.cy.get("/topics/coaching/feed.atom")) == ["A while ago", "The kitchen table"]
    feed = board.cy.get("/posts/the-kitchen-table/feed.atom").text
    assert "Said a while ago." in feed and "Just said." not in feed


def test_what_is_withheld_is_in_no_feed_at_once(app: Flask, board: Board, post: Post) -> None:
    anna, bo, mo = board.anna, board.bo, board.mo
    with app.app_context():
        hidden, deleted = (make_post(anna.id, f"{word} title", "Zebrafinch.", published_days_ago=1) for word in ("Hidden", "Deleted"))
        make_post(anna.id, "Draft title", "Zebrafinch.", state=PostState.DRAFT, published_days_ago=1)
    gone, veiled = say(app, post.id, bo, "Zebrafinch one."), say(app, post.id, bo, "Zebrafinch two.")
    say(app, deleted.id, bo, "Words.")
    addresses = ("/feed.atom", "/topics/coaching/feed.atom", "/posts/the-kitchen-table/feed.atom", "/sitemap.xml")
    before = {address: board.cy.get(address) for address in addresses}
    assert "Zebrafinch" in before["/feed.atom"].text and "Zebrafinch" in before["/posts/the-kitchen-table/feed.atom"].text
    with app.app_context(), writing():
        hiding.hide_post(hidden.id, mo.viewer, rule_id=1, reason=REASON)
        publishing.delete(deleted.id, anna.viewer)
        hiding.hide_comment(veiled, mo.viewer, rule_id=1, reason=REASON)
        comments.delete(gone, bo.viewer)
    for address in addresses:
        for visitor in (board.cy, anna, mo):
            answer = visitor.get(address)
            for word in ("Zebrafinch", "Hidden title", "hidden-title", "Deleted title", "deleted-title", "Draft title", "draft-title"):
                assert word not in answer.text, (address, word)
        # By date alone nobody is told to keep what they have: within one second a hide would pass unseen.
        for asked in ({"If-None-Match": before[address].headers["ETag"]}, {"If-Modified-Since": http_date(now() + timedelta(hours=1))}):
            assert board.cy.get(address, headers=asked).status_code == 200, (address, asked)
    assert board.cy.get("/posts/hidden-title/feed.atom").status_code == 404
    assert board.cy.get("/posts/deleted-title/feed.atom").status_code == 410
    assert anna.get("/posts/draft-title/feed.atom").status_code == 404


@pytest.mark.parametrize("address", ["/feed.atom", "/topics/coaching/feed.atom", "/posts/the-kitchen-table/feed.atom", "/sitemap.xml"])
def test_who_has_it_gets_304_until_something_changes(app: Flask, board: Board, post: Post, address: str) -> None:
    say(app, post.id, board.bo, "Something.")
    first = board.cy.get(address)
    again = board.cy.get(address, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert "Last-Modified" not in first.headers
    with app.app_context():
        make_post(board.anna.id, "Another", published_days_ago=0.5)
    say(app, post.id, board.bo, "Something more.", seconds_ago=30)
    assert board.cy.get(address, headers={"If-None-Match": first.headers["ETag"]}).status_code == 200


def test_feeds_are_well_formed_whatever_people_typed(app: Flask, board: Board) -> None:
    anna = board.anna
    with app.app_context():
        db.session.execute(update(Member).values(display_name=NASTY[:60]))
        make_post(anna.id, NASTY, f"Text {NASTY}\n\n```\n]]>\n```\n\n[link](/rules?a=1&b=2) &#12; &#xFFFE;", published_days_ago=1, topics=(NASTY[:30],))
        made = db.session.get_one(Post, 1)
        path, topic = f"/posts/{made.slug}", topics.page().rows[0].path
    say(app, 1, anna, f"Comment {NASTY}")
    entry = read(board.cy.get("/feed.atom")).find(f"{ATOM}entry")
    assert entry.findtext(f"{ATOM}title") == NASTY.replace(" \ufffe", "")
    assert "&lt;b&gt;bold" in entry.findtext(f"{ATOM}content")
    for address in (f"{path}/feed.atom", f"{topic}/feed.atom", "/sitemap.xml"):
        read(board.cy.get(address))


def test_an_empty_board_has_an_empty_feed(board: Board) -> None:
    assert titles(board.cy.get("/feed.atom")) == []
    assert board.cy.get("/posts/nothing/feed.atom").status_code == board.cy.get("/topics/nothing/feed.atom").status_code == 404


def test_the_sitemap_names_posts_and_topics(app: Flask, board: Board, post: Post) -> None:
    with app.app_context():
        make_post(board.anna.id, "Über uns", topics=("Öl",))
    found = {place.text for place in read(board.cy.get("/sitemap.xml")).iterfind(f"{PLACE}url/{PLACE}loc")}
    host = "http://127.0.0.1:8000"
    assert found == {f"{host}/", f"{host}/posts/the-kitchen-table", f"{host}/posts/%C3%BCber-uns", f"{host}/topics/coaching", f"{host}/topics/%C3%B6l"}
