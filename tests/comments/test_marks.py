"""What is new, thanks, drafts, quotes, ready pages: marks laid around a thread that is the same for all."""

import gzip
import re
from datetime import timedelta

import pytest
from flask import Flask
from lxml import html as lxml_html
from sqlalchemy import select

from blog.clock import now, stopped_at
from blog.comments import visits
from blog.comments import writing as deeds
from blog.comments.models import Comment, Visit
from blog.db import db, writing
from blog.drafts import keeping
from blog.drafts.models import Draft
from blog.posts.models import Post
from tests.conftest import Board, Visitor, counted
from tests.factories import make_post

POST = "/posts/the-kitchen-table"


@pytest.fixture
def post_id(app: Flask, board: Board) -> int:
    anna = board.anna
    with app.app_context():
        found = make_post(anna.id, title="The kitchen table").id
        db.session.commit()
    return found


def say(board: Board, who: Visitor, body: str, parent: int | None = None) -> int:
    with board.app.app_context():
        text = deeds.words(body)
        with writing():
            return deeds.add(1, who.viewer, text, parent_id=parent)


def new_ones(page: str) -> list[str]:
    return [found.get("id") for found in lxml_html.fromstring(page).xpath('//article[.//*[contains(@class, "mine")]/*[@class="new"]]')]


def test_what_came_since_the_last_visit_is_marked_and_counted(board: Board, post_id: int) -> None:
    bo, anna = board.bo, board.anna
    say(board, anna, "one")
    assert new_ones(bo.get(POST).text) == []  # never here before: nothing is new
    later = now() + timedelta(hours=1)
    two, three = say(board, anna, "two"), say(board, anna, "three", parent=1)
    with stopped_at(later):
        assert re.search(r">2 new<", bo.get("/").text)
        page = bo.get(POST).text
        assert sorted(new_ones(page)) == sorted([f"comment-{two}", f"comment-{three}"])
        tree = lxml_html.fromstring(page)
        assert "2 new since" in tree.xpath('//nav[@class="jump"]')[0].text_content()
        assert tree.xpath('//*[@id="unread-1"]')[0].text_content() == ", 1 new"
        assert len(new_ones(bo.get(POST).text)) == 2  # a reload keeps the marks
        assert not re.search(r"\d new<", bo.get("/").text)
    with stopped_at(later + timedelta(minutes=40)):
        assert new_ones(bo.get(POST).text) == []  # the next visit


def test_each_new_mark_leads_to_the_next_and_the_last_says_so(board: Board, post_id: int) -> None:
    bo = board.bo
    say(board, board.anna, "one")
    bo.get(POST)
    ids = [say(board, board.anna, f"new {number}") for number in range(3)]
    with stopped_at(now() + timedelta(hours=1)):
        tree = lxml_html.fromstring(bo.get(POST).text)
    assert [found.get("href") for found in tree.xpath('//div[@class="mine"]/a[@class="new"]')] == [f"#comment-{ids[1]}", f"#comment-{ids[2]}", "#talk-h"]
    assert tree.xpath('//nav[@class="jump"]/a[@aria-keyshortcuts="n"]/@href') == [f"#comment-{ids[0]}"]


def test_own_words_are_never_new_and_move_the_visit(board: Board, post_id: int) -> None:
    bo = board.bo
    say(board, board.anna, "one")
    bo.get(POST)
    say(board, bo, "mine")
    with stopped_at(now() + timedelta(hours=1)):
        assert new_ones(bo.get(POST).text) == []
        assert not re.search(r"\d new<", bo.get("/").text)


def test_mark_all_read(board: Board, post_id: int) -> None:
    bo = board.bo
    say(board, board.anna, "one")
    bo.get(POST)
    say(board, board.anna, "two")
    with stopped_at(now() + timedelta(hours=1)):
        assert new_ones(bo.get(POST).text)
        assert bo.post(f"{POST}/read").status_code == 303
        assert new_ones(bo.get(POST).text) == []


def test_a_stranger_gets_no_marks_no_cookie_and_writes_nothing(app: Flask, board: Board, post_id: int) -> None:
    say(board, board.anna, "one")
    cy = board.cy
    answer = cy.get(POST)
    assert "Set-Cookie" not in answer.headers
    assert "csrf_token" not in answer.text
    with app.app_context():
        assert db.session.execute(select(Visit)).first() is None


def test_news_are_told_by_subtraction_and_304_when_there_are_none(board: Board, post_id: int) -> None:
    say(board, board.anna, "one")
    assert board.cy.get(f"{POST}/new?since=1").status_code == 304
    say(board, board.anna, "two")
    say(board, board.anna, "three")
    cy = board.cy
    with counted(board.app) as statements:
        answer = cy.get(f"{POST}/new?since=1")
    assert answer.status_code == 200
    assert "2 new replies, show" in answer.text
    assert len(statements) == 1
    assert not any("FROM comment" in statement for statement in statements)
    assert cy.get(f"{POST}/new?since=1", headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
    link = lxml_html.fromstring(answer.text).get("href")
    assert cy.get(link).headers["Location"].endswith("#comment-2")
    assert cy.get(f"{POST}/new?since=x").status_code == 400


def test_thanks_are_one_for_each_member_and_toggle(app: Flask, board: Board, post_id: int) -> None:
    comment = say(board, board.anna, "one")
    for expected in (1, 0, 1):
        answer = board.bo.post(f"/comments/{comment}/thank", htmx=True)
        assert answer.status_code == 200
        assert f'aria-pressed="{"true" if expected else "false"}"' in answer.text
        with app.app_context():
            assert db.session.get_one(Comment, comment).thanks == expected
    for _ in range(3):
        board.bo.post(f"/comments/{comment}/thank", {"on": "1"})  # pressed twice is once
    with app.app_context():
        assert db.session.get_one(Comment, comment).thanks == 1
    assert "1 thank" in board.cy.get(POST).text
    assert board.anna.post(f"/comments/{comment}/thank").status_code == 403
    board.bo.post(f"{POST}/thank")
    board.bo.post(f"{POST}/thank", {"on": "1"})
    with app.app_context():
        assert db.session.get_one(Post, post_id).thanks == 1


def test_a_press_that_changes_nothing_lets_kept_pages_stand(app: Flask, board: Board, post_id: int) -> None:
    comment = say(board, board.anna, "one")
    for path in (f"/comments/{comment}/thank", f"{POST}/thank"):
        for on, moves in (("0", 0), ("1", 1), ("1", 0), ("0", 1), ("0", 0)):
            with app.app_context():
                before = db.session.get_one(Post, post_id).version
            assert board.bo.post(path, {"on": on}).status_code == 303
            with app.app_context():
                assert db.session.get_one(Post, post_id).version == before + moves, (path, on)
        assert board.anna.post(path, {"on": "0"}).status_code == 403  # one's own words, moved or not


def test_a_draft_is_kept_and_stands_in_the_form_on_another_device(app: Flask, board: Board, post_id: int) -> None:
    bo = board.bo
    comment = say(board, board.anna, "one")
    target = f"{POST}/comments?parent_id={comment}"
    answer = bo.post("/drafts", {"target": target, "body": "half a thought"}, headers={"Accept": "*/*"})
    assert answer.status_code == 200
    assert answer.text.startswith("Draft kept, ")
    assert "half a thought" in bo.get(f"/comments/{comment}/reply").text
    assert "half a thought" in bo.get(target).text
    assert "half a thought" not in board.anna.get(target).text
    page = bo.post("/drafts", {"target": target, "body": "more of it"}, headers={"Accept": "text/html,*/*"})
    assert (page.status_code, page.headers["Location"]) == (303, target)
    bo.post(f"{POST}/comments", {"body": "more of it, sent", "parent_id": comment})
    with app.app_context():
        assert db.session.execute(select(Draft)).first() is None
    bo.post("/drafts", {"target": target, "body": "x"}, headers={"Accept": "*/*"})
    bo.post("/drafts", {"target": target, "body": ""}, headers={"Accept": "*/*"})
    with app.app_context():
        assert db.session.execute(select(Draft)).first() is None


def test_deleting_right_after_sending_gives_the_text_back_as_a_draft(board: Board, post_id: int) -> None:
    board.bo.post(f"{POST}/comments", {"body": "sent too soon"})
    answer = board.bo.post("/comments/1/delete")
    assert answer.status_code == 303
    assert "sent too soon" in board.bo.get(POST).text
    assert "sent too soon" not in board.cy.get(POST).text
    board.bo.post("/drafts", {"target": f"{POST}/comments", "body": ""}, headers={"Accept": "*/*"})
    board.bo.post(f"{POST}/comments", {"body": "an old one"})
    with stopped_at(now() + timedelta(days=1)):
        board.bo.post("/comments/2/delete")
        assert "an old one" not in board.bo.get(POST).text


def test_taking_back_what_was_sent_never_overwrites_what_is_being_typed(board: Board, post_id: int) -> None:
    board.bo.post(f"{POST}/comments", {"body": "sent too soon"})
    board.bo.post("/drafts", {"target": f"{POST}/comments", "body": "typed since"}, headers={"Accept": "*/*"})
    board.bo.post("/comments/1/delete")
    assert "typed since" in board.bo.get(POST).text


def test_the_slug_of_a_hidden_post_is_on_no_page(board: Board, post_id: int) -> None:
    comment = say(board, board.anna, "words")
    board.mo.post(f"{POST}/hide", {"rule": "2", "reason": "Names a client who did not agree."})
    for visitor in (board.cy, board.bo):
        for path in (f"/comments/{comment}", f"/comments/{comment}/reply?quote=1", f"/posts/{post_id}", f"/posts/{post_id}/comments", "/acts/1"):
            assert "kitchen-table" not in visitor.get(path).text, path
    assert "kitchen-table" not in board.bo.post(f"/posts/{post_id}/comments", {"body": "late"}).text


def test_a_ready_page_is_kept_for_its_orders_alone_and_a_damaged_cursor_refused(board: Board, post_id: int) -> None:
    etag = {"If-None-Match": board.cy.get(POST).headers["ETag"]}
    assert "ETag" not in board.cy.get(f"{POST}?x=1").headers
    assert board.cy.get(f"{POST}?after=x", headers=dict(etag)).status_code == 400


def test_two_that_mark_all_read_at_once_are_one(app: Flask, board: Board, post_id: int) -> None:
    bo = board.bo
    for _ in range(2):
        with app.app_context(), writing():
            visits.mark_read(bo.id, post_id)
    with app.app_context():
        assert db.session.get_one(Visit, (bo.id, post_id)).before_seq == 0


@pytest.mark.parametrize("target", ["", "//evil.example/comments", "https://evil.example", "/settings/security", "/posts/x/comments?parent_id=x", "x" * 400])
def test_a_draft_of_no_form_is_refused_with_its_text(board: Board, post_id: int, target: str) -> None:
    answer = board.bo.post("/drafts", {"target": target, "body": "half a thought"})
    assert answer.status_code == 422
    assert "half a thought" in answer.text


def test_a_quote_names_and_links_what_it_quotes(board: Board, post_id: int) -> None:
    comment = say(board, board.anna, "> somebody else\n\nA line of mine.\nAnd one more.")
    tree = lxml_html.fromstring(board.bo.get(f"/comments/{comment}/reply?quote=1").text)
    text = tree.xpath('//textarea[@name="body"]')[0].text_content().lstrip("\n")
    assert text == f"[Anna](/comments/{comment}):\n\n> A line of mine.\n> And one more.\n\n"


def test_the_reply_form_offers_a_quote_and_keeps_what_was_typed(board: Board, post_id: int) -> None:
    comment = say(board, board.anna, "A line of mine.")
    link = lxml_html.fromstring(board.bo.get(f"/comments/{comment}/reply").text).xpath("//a[@data-quote]/@href")[0]
    board.bo.post("/drafts", {"target": f"{POST}/comments?parent_id={comment}", "body": "My answer."})
    text = lxml_html.fromstring(board.bo.get(link).text).xpath('//textarea[@name="body"]')[0].text_content().strip()
    assert text == f"My answer.\n\n[Anna](/comments/{comment}):\n\n> A line of mine."


def test_without_script_one_is_told_and_may_undo(board: Board, post_id: int) -> None:
    place = board.bo.post(f"{POST}/comments", {"body": "sent too soon"}).headers["Location"]
    tree = lxml_html.fromstring(board.bo.get(place.partition("#")[0]).text)
    assert tree.xpath('//*[@id="flash"]//button/@formaction') == ["/comments/1/delete"]
    place = board.bo.post("/comments/1/edit", {"body": "other words", "version": "1"}).headers["Location"]
    assert "Saved." in lxml_html.fromstring(board.bo.get(place.partition("#")[0]).text).xpath('string(//*[@id="flash"])')


def test_a_form_on_a_page_of_its_own_leads_to_the_discussion(board: Board, post_id: int) -> None:
    comment = say(board, board.bo, "words")
    for path, to, fields in ((f"{POST}/comments", f"{POST}/comments", {"body": "one"}), (f"/comments/{comment}/reply", f"{POST}/comments", {"body": "two"}),
                             (f"/comments/{comment}/edit", f"/comments/{comment}/edit", {"body": "other words", "version": "1"})):
        answer = board.bo.post(to, fields, htmx=True, headers={"HX-Current-URL": f"http://localhost{path}"})
        assert answer.headers["HX-Redirect"].startswith(f"{POST}#comment-"), path
    assert "HX-Redirect" not in board.bo.post(f"{POST}/comments", {"body": "three"}, htmx=True, headers={"HX-Current-URL": f"http://localhost{POST}"}).headers


def test_a_reply_to_words_that_changed_since_says_so(board: Board, post_id: int) -> None:
    comment = say(board, board.anna, "first words")
    say(board, board.bo, "an answer", parent=comment)
    assert "Answered an" not in board.cy.get(POST).text
    board.anna.post(f"/comments/{comment}/edit", {"body": "other words", "version": "1"})
    for version in range(2, 14):
        board.anna.post(f"/comments/{comment}/edit", {"body": f"words number {version}", "version": str(version)})
    link = lxml_html.fromstring(board.cy.get(POST).text).xpath('//p[@class="hint"]/a[text()="earlier version"]/@href')[0]
    history = lxml_html.fromstring(board.cy.get(link.partition("#")[0]).text)
    change = history.get_element_by_id(link.partition("#")[2])  # what was changed right after the answer, however much came later
    assert "first" in change.xpath("string(.//del)")
    assert "other" in change.xpath("string(.//ins)")


def test_readers_get_ready_pages_that_hold_until_something_changes(board: Board, post_id: int) -> None:
    comment = say(board, board.anna, "the first words")
    first = board.cy.get(POST)
    etag = first.headers["ETag"]
    assert first.headers["Cache-Control"] == "public, no-cache"
    with counted(board.app):
        pass
    board.cy.get(POST)
    again = board.cy.get(POST)
    assert again.text == first.text
    assert board.cy.get(POST, headers={"If-None-Match": etag}).status_code == 304
    packed = board.cy.get(POST, headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data).decode() == first.text
    board.mo.post(f"/comments/{comment}/hide", {"rule": "1", "reason": "about the person"})
    after = board.cy.get(POST, headers={"If-None-Match": etag})
    assert after.status_code == 200
    assert "the first words" not in after.text


def test_a_changed_name_shows_at_once(board: Board, post_id: int) -> None:
    say(board, board.anna, "words")
    assert ">Anna</a>" in board.cy.get(POST).text
    board.anna.post("/settings/profile", {"display_name": "Annabel", "about": "", "theme": "system", "zone": ""})
    assert ">Annabel</a>" in board.cy.get(POST).text


def test_a_member_gets_a_304_until_something_of_theirs_changes(board: Board, post_id: int) -> None:
    comment = say(board, board.anna, "words")
    bo = board.bo
    bo.get(POST)
    first = bo.get(POST)
    etag = {"If-None-Match": first.headers["ETag"]}
    assert first.headers["Cache-Control"] == "private, no-cache"
    assert bo.get(POST, headers=dict(etag)).status_code == 304
    bo.post(f"/comments/{comment}/thank")
    assert bo.get(POST, headers=dict(etag)).status_code == 200
    assert board.anna.get(POST, headers=dict(etag)).status_code == 200


def test_a_kept_thread_costs_a_reader_no_comment_row(board: Board, post_id: int) -> None:
    say(board, board.anna, "words")
    bo = board.bo
    bo.get(POST)
    bo.get(POST)
    seen: list[str] = []
    with counted(board.app) as statements:
        bo.get(POST)
        drawn = len(statements)
        bo.get(POST)
        seen = statements[drawn:]
    assert not any("FROM comment " in statement or "FROM comment\n" in statement for statement in seen)


def test_visits_never_fall(app: Flask, board: Board, post_id: int) -> None:
    bo = board.bo
    for number in (5, 3):
        with app.app_context(), writing():
            visits.note(bo.id, post_id, number)
    with app.app_context():
        assert db.session.get_one(Visit, (bo.id, post_id)).last_seq == 5


def long_thread(board: Board) -> int:
    """A first comment with more replies than a page holds; gives its id."""
    root = say(board, board.anna, "the root")
    for number in range(120):
        say(board, board.anna, f"reply {number}", parent=root)
    return root


def marks(page: str) -> list[str]:
    return [str(href) for href in lxml_html.fromstring(page).xpath('//div[@class="mine"]/a[@class="new"]/@href')]


def test_what_came_while_the_first_visit_lasts_is_marked_too(board: Board, post_id: int) -> None:
    bo = board.bo
    say(board, board.anna, "one")
    bo.get(POST)
    two = say(board, board.anna, "two")
    assert re.search(r">1 new<", bo.get("/").text)
    assert new_ones(bo.get(POST).text) == [f"comment-{two}"]


def test_the_last_mark_of_a_page_leads_to_what_is_new_elsewhere(board: Board, post_id: int) -> None:
    root, bo = long_thread(board), board.bo
    bo.get(POST)
    here, away, further = say(board, board.anna, "on the page"), say(board, board.anna, "away", parent=root), say(board, board.anna, "further", parent=root)
    own = say(board, bo, "his own", parent=root)
    with stopped_at(now() + timedelta(hours=1)):
        page = bo.get(POST).text
        assert marks(page) == [f"/comments/{away}"]
        tree = lxml_html.fromstring(page)
        assert tree.xpath('//nav[@class="jump"]/a[@aria-keyshortcuts="n"]/@href') == [f"#comment-{here}"]
        assert tree.xpath(f'string(//*[@id="unread-{root}"])') == ", some new"
        assert marks(bo.get(f"/comments/{away}").text) == [f"/comments/{further}"]
        assert marks(bo.get(f"/comments/{further}").text) == ["#talk-h"]
        assert bo.get(f"{POST}?newer={own - 1}").headers["Location"] == f"{POST}#talk"  # one's own is nothing new
        thanked = bo.post(f"/comments/{here}/thank", htmx=True).text
        assert f"{POST}?newer=122" in thanked


def test_a_branch_whose_new_replies_are_not_on_the_page_says_that_there_are_some(board: Board, post_id: int) -> None:
    root, bo = long_thread(board), board.bo
    bo.get(POST)
    away = say(board, board.anna, "away", parent=root)
    with stopped_at(now() + timedelta(hours=1)):
        tree = lxml_html.fromstring(bo.get(POST).text)
        assert tree.xpath(f'string(//*[@id="unread-{root}"])') == ", some new"
        assert tree.xpath('//nav[@class="jump"]/a[@aria-keyshortcuts="n"]/@href') == [f"/comments/{away}"]


def test_reading_the_first_new_comment_on_its_own_page_is_reading_it(board: Board, post_id: int) -> None:
    root, bo = long_thread(board), board.bo
    bo.get(POST)
    first, second = say(board, board.anna, "first", parent=root), say(board, board.anna, "second", parent=root)
    with stopped_at(now() + timedelta(hours=1)):
        bo.get(f"/comments/{second}")
        assert re.search(r">2 new<", bo.get("/").text)  # the first is not read by that
        bo.get(f"/comments/{first}")
        assert re.search(r">1 new<", bo.get("/").text)
        bo.get(f"/comments/{second}")
        assert not re.search(r"\d new<", bo.get("/").text)


def draft(board: Board, who: Visitor, target: str) -> str:
    """The text that waits for a member in that form."""
    with board.app.app_context():
        found = db.session.execute(select(Draft.fields).where(Draft.member_id == who.id, Draft.target == target)).scalar_one_or_none()
    return str((found or {}).get("body", ""))


def test_undoing_a_deletion_takes_the_draft_back_too(board: Board, post_id: int) -> None:
    board.bo.post(f"{POST}/comments", {"body": "sent too soon"})
    board.bo.post("/comments/1/delete")
    assert draft(board, board.bo, f"/posts/{post_id}/comments") == "sent too soon"
    board.bo.post("/comments/1/restore")
    assert draft(board, board.bo, f"/posts/{post_id}/comments") == ""


def test_a_form_sent_once_more_leaves_what_is_typed_into_a_fresh_one(board: Board, post_id: int) -> None:
    sent = {"body": "sent", "submission_id": "a-form-of-bo-0001"}
    board.bo.post(f"{POST}/comments", sent)
    board.bo.post("/drafts", {"target": f"{POST}/comments", "body": "typed since", "submission_id": "a-form-of-bo-0002"})
    board.bo.post(f"{POST}/comments", sent)
    assert draft(board, board.bo, f"/posts/{post_id}/comments") == "typed since"
    with board.app.app_context():
        assert len(db.session.execute(select(Comment.id)).all()) == 1


def test_other_words_in_a_form_that_was_sent_are_sent_once_too(board: Board, post_id: int) -> None:
    for body in ("one", "two", "two", "one", "three", "two"):
        board.bo.post(f"{POST}/comments", {"body": body, "submission_id": "a-form-of-bo-0001"})
    with board.app.app_context():
        assert sorted(text_of(row) for row in db.session.execute(select(Comment.html)).scalars()) == ["one", "three", "two"]


def text_of(source: str) -> str:
    return str(lxml_html.fromstring(source).text_content()).strip()


def test_a_long_text_is_kept_whole_or_not_at_all(board: Board, post_id: int) -> None:
    long = "word " * 30_000
    assert board.bo.post("/drafts", {"target": "/posts/new", "title": "Long", "body": long}, headers={"Accept": "*/*"}).status_code == 200
    assert draft(board, board.bo, "/posts/new") == long
    assert draft(board, board.bo, "/posts/new") == long


@pytest.mark.parametrize(("typed", "before", "together"), [
    ("as a stranger", "as a member", "as a stranger\n\n---\n\nas a member"), ("half", "half a thought", "half a thought"),
    ("half a thought", "half", "half a thought"), ("words", "", "words"),
])
def test_what_a_stranger_typed_does_not_push_out_what_the_member_had(board: Board, post_id: int, typed: str, before: str, together: str) -> None:
    target, bo = f"/posts/{post_id}/comments", board.bo.id
    with board.app.app_context(), writing():
        if before:
            keeping.keep(target, {"body": before}, member_id=bo)
        keeping.keep(target, {"body": typed}, visitor="a-key")
        keeping.claim("a-key", bo)
    assert draft(board, board.bo, target) == together


def test_saving_what_stands_there_already_changes_nothing(board: Board, post_id: int) -> None:
    say(board, board.anna, "words")
    with board.app.app_context():
        before = db.session.get_one(Post, post_id).version
    assert board.anna.post("/comments/1/edit", {"body": "words", "version": "1"}).status_code == 303
    assert board.bo.post("/comments/1/edit", {"body": "words", "version": "1"}).status_code == 403
    with board.app.app_context():
        assert db.session.get_one(Post, post_id).version == before
