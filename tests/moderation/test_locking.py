"""A discussion locked, closed or slowed: rule and reason above it for everybody, enforced on hand-made forms, ending by itself."""

from datetime import timedelta

import pytest
from flask import Flask
from lxml import html as lxml_html
from sqlalchemy import select

from blog.acts.models import Act
from blog.clock import now, stopped_at
from blog.comments import writing
from blog.db import db
from blog.db import writing as transaction
from blog.errors import TooFast
from blog.jobs.worker import run_once
from blog.moderation import locking
from blog.posts.models import Post
from tests.accounts.postbox import having
from tests.conftest import Board, counted
from tests.factories import make_post

WHY = "The same three people for two hundred comments."
BACK = "Everybody has slept over it."
PAGE = "/posts/the-kitchen-table"


@pytest.fixture
def post_id(app: Flask, board: Board) -> int:
    anna, bo = board.anna, board.bo
    assert board.mo.id
    assert board.max.id
    with app.app_context():
        post = make_post(anna.id)
        with transaction():
            writing.add(post.id, bo.viewer, writing.words("A first word."))
        return post.id


def bound(page: str) -> str:
    """The boundary lines above the discussion."""
    found = lxml_html.fromstring(page).xpath('//section[@id="talk"]/p[contains(@class, "bound") and starts-with(@id, "bound-")]')
    return " ".join(" ".join(line.text_content().split()) for line in found)


@pytest.mark.parametrize(("deed", "undo", "said"), [
    ("lock", "unlock", "M1 locked this discussion"), ("close", "reopen", "M1 closed this post to comments"),
])
def test_a_shut_discussion_tells_why_and_takes_no_comment(board: Board, post_id: int, deed: str, undo: str, said: str) -> None:
    assert board.mo.post(f"{PAGE}/{deed}", {"rule": "3", "reason": WHY}).status_code == 303
    for visitor in (board.cy, board.anna, board.bo, board.max):
        page = visitor.get(PAGE).text
        assert said in bound(page)
        assert "Rule 3" in bound(page)
        assert WHY in bound(page)
        assert "Act 1" in bound(page)
        assert "A first word." in page
        assert 'name="body"' not in page
    for fields in ({"body": "late"}, {"body": "late", "parent_id": "1"}):
        refused = board.bo.post(f"{PAGE}/comments", fields)
        assert refused.status_code == 403
        assert "late" in refused.text
    assert board.max.post(f"{PAGE}/{undo}", {"reason": BACK}).status_code == 303
    assert bound(board.cy.get(PAGE).text) == ""
    assert board.bo.post(f"{PAGE}/comments", {"body": "in time"}).status_code == 303


@pytest.mark.parametrize("deed", ["lock", "close", "slow"])
def test_the_kept_page_of_readers_changes_at_once(board: Board, post_id: int, deed: str) -> None:
    etag = board.cy.get(PAGE).headers["ETag"]
    board.mo.post(f"{PAGE}/{deed}", {"rule": "3", "reason": WHY, "seconds": "60"})
    answer = board.cy.get(PAGE, headers={"If-None-Match": etag})
    assert answer.status_code == 200
    assert WHY in answer.text


@pytest.mark.parametrize(("deed", "words"), [("lock", "locked"), ("close", "closed"), ("slow", "slowed down")])
def test_the_second_moderator_learns_who_was_faster(app: Flask, board: Board, post_id: int, deed: str, words: str) -> None:
    board.mo.post(f"{PAGE}/{deed}", {"rule": "3", "reason": WHY, "seconds": "60"})
    for visitor in (board.max, board.mo):
        answer = visitor.post(f"{PAGE}/{deed}", {"rule": "1", "reason": "also saw it, later", "seconds": "60"})
        assert answer.status_code == 409
        assert f"already {words}, by M1, just now (act 1)" in answer.text
        assert "also saw it, later" in answer.text
    with app.app_context():
        assert db.session.execute(select(Act.number)).scalars().all() == [1]


def test_a_lock_is_not_reopened_and_a_closing_not_unlocked(board: Board, post_id: int) -> None:
    board.mo.post(f"{PAGE}/lock", {"rule": "3", "reason": WHY})
    assert "unlock it" in board.mo.post(f"{PAGE}/reopen", {"reason": BACK}).text
    board.mo.post(f"{PAGE}/unlock", {"reason": BACK})
    board.mo.post(f"{PAGE}/close", {"rule": "3", "reason": WHY})
    assert "reopen it" in board.mo.post(f"{PAGE}/unlock", {"reason": BACK}).text
    assert board.mo.post(f"{PAGE}/unslow", {"reason": BACK}).status_code == 409


@pytest.mark.parametrize("deed", ["lock", "slow"])
def test_it_ends_by_itself_and_records_nothing(app: Flask, board: Board, post_id: int, deed: str) -> None:
    until = f"{now() + timedelta(hours=2):%Y-%m-%dT%H:%M}"
    board.mo.post(f"{PAGE}/{deed}", {"rule": "3", "reason": WHY, "seconds": "60", "until": until})
    assert "Until" in bound(board.cy.get(PAGE).text)
    with app.app_context():
        version = db.session.execute(select(Post.version).where(Post.id == post_id)).scalar_one()
    with stopped_at(now() + timedelta(hours=1)):
        while run_once(app):
            pass
        assert bound(board.cy.get(PAGE).text)
    with stopped_at(now() + timedelta(hours=3)):
        while run_once(app):
            pass
        assert bound(board.cy.get(PAGE).text) == ""
        assert board.mo.post(f"{PAGE}/un{deed}", {"reason": BACK}).status_code == 409
        assert "Ended" in board.cy.get("/acts/1").text
    with app.app_context():
        post = db.session.get_one(Post, post_id)
        assert (post.locked_by, post.locked_until, post.slow_by, post.slow_seconds, post.slow_until) == (None, None, None, 0, None)
        assert post.version > version
        assert db.session.execute(select(Act.number)).scalars().all() == [1]


@pytest.mark.parametrize("until", ["2020-01-01", "soon", "2026-13-01", "9999-12-31", "0001-01-01T00:00"])
def test_an_end_that_is_none_comes_back_with_the_text(board: Board, post_id: int, until: str) -> None:
    answer = board.mo.post(f"{PAGE}/lock", {"rule": "3", "reason": WHY, "until": until})
    assert answer.status_code == 422
    tree = lxml_html.fromstring(answer.text)
    assert tree.xpath('//input[@name="until"]')[0].get("value") == until
    assert tree.xpath('//textarea[@name="reason"]')[0].text.strip() == WHY


def test_slow_mode_holds_each_member_and_not_moderators(app: Flask, board: Board, post_id: int) -> None:
    anna, bo, mo = board.anna, board.bo, board.mo

    def say(who: object, words: str) -> int:
        with transaction():
            return writing.add(post_id, who.viewer, writing.words(words))  # type: ignore[attr-defined]

    moment = now().replace(microsecond=0)
    with having(app, ratelimit_enabled=True), app.app_context():
        with stopped_at(moment), transaction():
            locking.slow(post_id, mo.viewer, seconds=300, rule_id=3, reason=WHY)
        with stopped_at(moment + timedelta(minutes=10)):
            say(bo, "Once.")
            with pytest.raises(TooFast, match=r"one comment of each member in 5 minutes\. You can go on at") as refused:
                say(bo, "Twice.")
            assert (refused.value.seconds, refused.value.until) == (300, moment + timedelta(minutes=15))
            say(anna, "I am another.")
            say(mo, "One.")
            say(mo, "Two.")
        with stopped_at(moment + timedelta(minutes=14, seconds=59)), pytest.raises(TooFast):
            say(bo, "Nearly.")
        with stopped_at(moment + timedelta(minutes=15)):
            say(bo, "Now.")


def test_a_slowed_form_comes_back_with_text_and_wait(app: Flask, board: Board, post_id: int) -> None:
    board.mo.post(f"{PAGE}/slow", {"rule": "3", "reason": WHY, "seconds": "3600"})
    assert "one comment of each member in 1 hour" in bound(board.cy.get(PAGE).text)
    with having(app, ratelimit_enabled=True):
        answer = board.bo.post(f"{PAGE}/comments", {"body": "a second word"})
    assert answer.status_code == 429
    assert 3000 < int(answer.headers["Retry-After"]) <= 3600
    assert "a second word" in answer.text
    assert board.bo.post(f"{PAGE}/comments", {"body": "budgets are off"}).status_code == 303


@pytest.mark.parametrize("seconds", ["", "x", "-5", "9", "86401", "9999999", "²"])
def test_a_pace_that_is_none_is_refused(board: Board, post_id: int, seconds: str) -> None:
    assert board.mo.post(f"{PAGE}/slow", {"rule": "3", "reason": WHY, "seconds": seconds}).status_code == 422


@pytest.mark.parametrize("deed", ["lock", "close", "slow", "unlock"])
def test_only_other_moderators_act(board: Board, post_id: int, deed: str) -> None:
    assert board.anna.post(f"{PAGE}/{deed}", {"rule": "3", "reason": WHY, "seconds": "60"}).status_code == 403
    assert board.bo.get(f"{PAGE}/{deed}").status_code == 403


def test_the_authors_own_moderation_is_somebody_elses(app: Flask, board: Board, post_id: int) -> None:
    mo = board.mo
    with app.app_context():
        slug = make_post(mo.id, title="By a moderator").slug
    assert mo.post(f"/posts/{slug}/lock", {"rule": "3", "reason": WHY}).status_code == 403
    assert board.max.post(f"/posts/{slug}/lock", {"rule": "3", "reason": WHY}).status_code == 303


def test_a_moderator_finds_what_can_be_done_and_undoes_at_once(board: Board, post_id: int) -> None:
    def deeds() -> list[str]:
        links = lxml_html.fromstring(board.mo.get(PAGE).text).xpath('//article[contains(@class, "article")]//div[@class="actions"]/a/@href')
        return [link.rsplit("/", 1)[1] for link in links]

    assert deeds() == ["report", "hide", "lock", "close", "slow"]
    answer = board.mo.post(f"{PAGE}/lock", {"rule": "3", "reason": WHY}, htmx=True)
    assert 'formaction="/posts/1/unlock"' in answer.text
    assert deeds() == ["report", "hide", "unlock", "slow"]
    assert board.mo.post("/posts/1/unlock").status_code == 303  # at once, no reason asked
    board.mo.post(f"{PAGE}/close", {"rule": "3", "reason": WHY})
    board.mo.post(f"{PAGE}/slow", {"rule": "3", "reason": WHY, "seconds": "60"})
    assert deeds() == ["report", "hide", "reopen", "unslow"]


def test_a_shut_and_slowed_discussion_costs_one_statement_more(app: Flask, board: Board, post_id: int) -> None:
    def statements() -> int:
        with counted(app) as seen:
            board.cy.get(PAGE)
        return len(seen)

    before = statements()
    board.mo.post(f"{PAGE}/slow", {"rule": "3", "reason": WHY, "seconds": "60"})
    board.mo.post(f"{PAGE}/lock", {"rule": "3", "reason": WHY})
    assert statements() == before + 1 <= 8
