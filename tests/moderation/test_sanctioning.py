"""Warned, suspended, lifted: what a suspended member still can, what they can't by any door, and an end that needs nobody."""

from datetime import datetime, timedelta

import pytest
from flask import Flask
from lxml import html as lxml_html
from sqlalchemy import select

from blog.accounts.models import Member, Role
from blog.acts.models import Act, TargetKind
from blog.clock import now, stopped_at
from blog.comments import writing
from blog.db import db
from blog.db import writing as transaction
from blog.drafts import keeping
from blog.errors import Conflict
from blog.jobs.worker import run_once
from blog.moderation import sanctioning
from tests.accounts.postbox import Postbox, path_in
from tests.conftest import Board
from tests.factories import make_post

WHY = "Writes to people who had asked to be left alone."
BACK = "It was somebody else with a similar name."
PAGE = "/posts/the-kitchen-table"


@pytest.fixture
def place(app: Flask, board: Board) -> int:
    """Id of bo's comment under anna's post."""
    anna, bo = board.anna, board.bo
    assert board.mo.id
    assert board.max.id
    with app.app_context():
        post = make_post(anna.id)
        make_post(bo.id, title="Another evening")
        with transaction():
            writing.add(post.id, anna.viewer, writing.words("By anna."))
            return writing.add(post.id, bo.viewer, writing.words("By bo."))


def in_days(days: float) -> str:
    return f"{now() + timedelta(days=days):%Y-%m-%dT%H:%M}"


def suspend(board: Board, days: float = 7) -> None:
    assert board.mo.post("/members/bo/suspend", {"rule": "5", "reason": WHY, "until": in_days(days)}).status_code == 303


def test_a_suspended_member_reads_and_is_told_why_nothing_else_works(board: Board, place: int) -> None:
    suspend(board)
    page = board.bo.get(PAGE)
    assert "By anna." in page.text
    assert "Your account is suspended until" in page.text
    assert "act 1" in page.text
    assert "read, export, appeal and leave" in page.text
    tree = lxml_html.fromstring(page.text)
    assert not tree.xpath('//*[@id="thread"]//a[contains(@href, "/reply")]')
    assert not tree.xpath('//button[contains(@formaction, "/thank")]')
    assert board.bo.get("/acts/1").status_code == 200
    assert board.bo.post("/comments/2/delete").status_code == 303  # what is theirs they may take away


@pytest.mark.parametrize(("path", "fields"), [
    (f"{PAGE}/comments", {"body": "a zebrafinch"}), (f"{PAGE}/comments", {"body": "a zebrafinch", "parent_id": "1"}),
    ("/comments/2/edit", {"body": "a zebrafinch", "version": "1"}), ("/posts/new", {"title": "T", "body": "a zebrafinch"}),
    ("/posts/another-evening/edit", {"title": "T", "body": "a zebrafinch", "version": "1"}), ("/settings/profile", {"about": "a zebrafinch"}),
    ("/comments/1/thank", {}), (f"{PAGE}/thank", {}),
])
@pytest.mark.parametrize("htmx", [False, True])
def test_every_door_of_writing_says_the_same_sentence_and_keeps_the_text(app: Flask, board: Board, place: int, path: str, fields: dict[str, str],
                                                                          htmx: bool) -> None:
    suspend(board)
    answer = board.bo.post(path, fields, htmx=htmx)
    assert answer.status_code == 403
    assert "Your account is suspended until" in answer.text
    if fields:
        assert "zebrafinch" in answer.text
    with app.app_context():
        assert db.session.execute(select(Member.about).where(Member.id == board.bo.id)).scalar_one() == ""
    assert "zebrafinch" not in board.cy.get(PAGE).text


def test_drafts_and_the_own_look_of_pages_stay_open(app: Flask, board: Board, place: int) -> None:
    suspend(board)
    assert board.bo.post("/drafts", {"target": f"{PAGE}/comments", "body": "for later"}).status_code == 200
    assert board.bo.post("/settings/profile", {"display_name": "Bo", "about": "", "theme": "dark"}).status_code == 303
    with app.app_context():
        assert keeping.kept(keeping.of_comments(1), board.bo.id)


def test_others_of_the_same_kind_keep_their_buttons(board: Board, place: int) -> None:
    """Lines under comments are drawn once for each kind of viewer: a suspended one is a kind of their own."""
    suspend(board)
    for first, second in ((board.bo, board.member("dora")), (board.member("dora"), board.bo)):
        pages = {visitor.id: visitor.get(PAGE).text for visitor in (first, second)}
        assert "Reply<" in pages[board.member("dora").id]
        assert "Reply<" not in pages[board.bo.id]


def test_it_ends_by_itself_to_the_second_and_records_nothing(app: Flask, board: Board, place: int) -> None:
    until = now().replace(microsecond=0) + timedelta(days=7)
    with app.app_context(), transaction():
        sanctioning.suspend(board.bo.id, board.mo.viewer, rule_id=5, reason=WHY, until=until)
    with stopped_at(until - timedelta(seconds=1)):
        assert board.bo.post(f"{PAGE}/comments", {"body": "early"}).status_code == 403
    with stopped_at(until):  # no job has run
        assert board.bo.post(f"{PAGE}/comments", {"body": "in time"}).status_code == 303
        while run_once(app):
            pass
    with app.app_context():
        member = db.session.get_one(Member, board.bo.id)
        assert (member.suspended_by, member.suspended_until) == (None, None)
        assert db.session.execute(select(Act.number)).scalars().all() == [1]


def test_one_whose_end_came_can_be_suspended_anew_before_any_job(app: Flask, board: Board, place: int) -> None:
    until = now() + timedelta(hours=1)
    with app.app_context():
        with transaction():
            sanctioning.suspend(board.bo.id, board.mo.viewer, rule_id=5, reason=WHY, until=until)
        with stopped_at(until + timedelta(seconds=1)):
            assert sanctioning.suspension(board.bo.id) is None
            with transaction():
                sanctioning.suspend(board.bo.id, board.mo.viewer, rule_id=5, reason=WHY, until=until + timedelta(days=1))
            while run_once(app):  # the first one's job finds a newer end
                pass
            assert sanctioning.suspension(board.bo.id) is not None


def test_lifting_opens_every_door_at_once(board: Board, place: int) -> None:
    suspend(board)
    assert board.max.post("/members/bo/lift").status_code == 422  # somebody else's act needs a reason
    assert board.max.post("/members/bo/lift", {"reason": BACK}).status_code == 303
    assert board.bo.post(f"{PAGE}/comments", {"body": "back again"}).status_code == 303
    assert board.max.post("/members/bo/lift", {"reason": BACK}).status_code == 409
    assert "Taken back" not in board.cy.get("/acts/2").text
    assert "taken back by" in board.cy.get("/acts/1").text


def test_the_second_moderator_learns_who_was_faster(app: Flask, board: Board, place: int) -> None:
    suspend(board)
    answer = board.max.post("/members/bo/suspend", {"rule": "1", "reason": "also saw it, later", "until": in_days(30)})
    assert answer.status_code == 409
    assert "already suspended, by M1, just now (act 1)" in answer.text
    assert "also saw it, later" in answer.text
    board.mo.post("/members/bo/warn", {"rule": "5", "reason": WHY})
    again = board.max.post("/members/bo/warn", {"rule": "5", "reason": WHY})
    assert again.status_code == 409
    assert "already warned about, by M1" in again.text
    with app.app_context():
        assert db.session.execute(select(Act.number).order_by(Act.number)).scalars().all() == [1, 2]


def test_a_warning_of_something_else_or_after_a_while_is_another_one(app: Flask, board: Board, place: int) -> None:
    mo, bo = board.mo, board.bo

    def warn(about: tuple[TargetKind, int] | None = None) -> int:
        with transaction():
            return sanctioning.warn(bo.id, mo.viewer, rule_id=5, reason=WHY, about=about).number

    with app.app_context():
        assert warn() == 1
        assert warn((TargetKind.COMMENT, place)) == 2
        with pytest.raises(Conflict):
            warn((TargetKind.COMMENT, place))
        with stopped_at(now() + timedelta(minutes=11)):
            assert warn() == 3


def test_a_warning_of_a_comment_shows_it_to_the_person_and_names_nobody(app: Flask, board: Board, place: int) -> None:
    with app.app_context(), transaction():
        sanctioning.warn(board.bo.id, board.mo.viewer, rule_id=5, reason=WHY, about=(TargetKind.COMMENT, place))
    own = board.bo.get("/acts/1").text
    assert "You were warned about your comment" in own
    assert "By bo." in own
    everybodys = board.cy.get("/acts/1").text
    assert "A member was warned about a comment" in everybodys
    for told in ("By bo.", f"/comments/{place}", "/members/bo", ">Bo<"):
        assert told not in everybodys


def test_only_administrators_suspend_without_an_end(board: Board, place: int) -> None:
    answer = board.mo.post("/members/bo/suspend", {"rule": "5", "reason": WHY})
    assert answer.status_code == 422
    assert "Say until when" in answer.text
    assert WHY in answer.text
    assert board.ad.post("/members/bo/suspend", {"rule": "5", "reason": WHY}).status_code == 303
    assert "suspended until a moderator lifts it" in board.bo.get(PAGE).text


@pytest.mark.parametrize("deed", ["warn", "suspend", "lift"])
def test_nobody_acts_on_themselves_on_their_own_role_or_above(board: Board, place: int, deed: str) -> None:
    fields = {"rule": "5", "reason": WHY, "until": in_days(7)}
    assert board.mo.post(f"/members/mo/{deed}", fields).status_code == 403
    assert board.mo.post(f"/members/max/{deed}", fields).status_code == 403
    assert board.mo.post(f"/members/ad/{deed}" if board.ad.id else "", fields).status_code == 403
    assert board.anna.post(f"/members/bo/{deed}", fields).status_code == 403
    assert board.mo.post(f"/members/nobody/{deed}", fields).status_code == 404


def test_a_suspended_moderator_moderates_nothing(board: Board, place: int) -> None:
    assert board.ad.post("/members/mo/suspend", {"rule": "5", "reason": WHY, "until": in_days(7)}).status_code == 303
    for path in ("/comments/2/hide", f"{PAGE}/lock", "/members/bo/warn", "/acts/1/redact"):
        assert board.mo.post(path, {"rule": "5", "reason": WHY}).status_code == 403


def test_moderators_see_the_standing_and_nobody_else_does(board: Board, place: int) -> None:
    before = board.cy.get("/members/bo").text
    assert [link.get("href") for link in lxml_html.fromstring(board.max.get("/members/bo").text).xpath('//section[@class="standing"]//a')] == [
        "/members/bo/warn", "/members/bo/suspend"]
    suspend(board)
    page = board.max.get("/members/bo").text
    assert "Suspended" in page
    assert "/members/bo/lift" in page
    for visitor in (board.cy, board.anna):
        assert "uspended" not in visitor.get("/members/bo").text
    assert board.cy.get("/members/bo").text == before
    assert "standing" not in board.mo.get("/members/mo").text.split("<main")[1]


def test_the_mailed_receipt_opens_for_a_suspended_member_even_after_other_mails(app: Flask, board: Board, place: int) -> None:
    postbox = Postbox(app)
    postbox.empty()
    suspend(board)
    mail = postbox.to("bo@example.org")
    assert mail.subject.startswith("Your account was suspended")
    assert "It ends by itself on" in mail.text
    assert "sign in and read, export what you wrote, appeal and leave" in mail.text
    for visitor in (board.cy, board.bo):
        page = visitor.get(path_in(mail)).text
        assert "Your account was suspended" in page
        assert "You can appeal once" in page
        assert WHY in page


def test_an_end_is_read_in_the_zone_that_the_moderators_pages_show(app: Flask, board: Board, place: int) -> None:
    mo = board.mo
    with app.app_context(), transaction():
        db.session.get_one(Member, mo.id).zone = "Asia/Tokyo"
    day = now() + timedelta(days=3)
    assert mo.post("/members/bo/suspend", {"rule": "5", "reason": WHY, "until": f"{day:%Y-%m-%d}T09:00"}).status_code == 303
    with app.app_context():
        until = db.session.execute(select(Member.suspended_until).where(Member.id == board.bo.id)).scalar_one()
        assert isinstance(until, datetime)
        assert f"{until:%Y-%m-%dT%H:%M}" == f"{day:%Y-%m-%d}T00:00"


def test_roles_are_asked_again_inside_the_deed(app: Flask, board: Board, place: int) -> None:
    """Bo became a moderator between the page and the press."""
    with app.app_context():
        with transaction():
            db.session.get_one(Member, board.bo.id).role = Role.MODERATOR
        with pytest.raises(Exception, match="Only an administrator"), transaction():
            sanctioning.warn(board.bo.id, board.mo.viewer, rule_id=5, reason=WHY)
