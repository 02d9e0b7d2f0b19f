"""The demo content on a board: all of it, once, with counters and words as after a life of deeds."""

import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from blog.accounts import passwords, sessions
from blog.accounts.models import EmailAddress, LoginSession, Member, Role
from blog.acts.models import Act
from blog.clock import now
from blog.comments.models import Comment, CommentRevision, Thank
from blog.config import settings
from blog.db import db, writing
from blog.demo import filling
from blog.demo.reading import DemoContent, content
from blog.filters.models import HeldText
from blog.permissions import may_comment
from blog.posts.models import Post
from blog.topics.models import Topic
from blog.viewer import Viewer
from tests import factories
from tests.conftest import Board, close, empty, make_app


@pytest.fixture(scope="module")
def filled(database: str, instance: Path, request: pytest.FixtureRequest) -> Iterator[Flask]:
    """A board with all the demo content, filled once for the tests that only look; they stand first in this file."""
    address = request.getfixturevalue("postgresql").replace("postgresql://", "postgresql+psycopg://", 1) if database == "postgresql" else ""
    app = make_app(instance / f"filled-{database}", address)
    empty(app)
    with app.app_context():
        assert filling.fill() is True
    yield app
    close(app)


@pytest.fixture
def looking(filled: Flask) -> Iterator[Flask]:
    """A context on the filled board."""
    with filled.app_context():
        yield filled
        db.session.rollback()


@pytest.fixture
def small(inside: None, monkeypatch: pytest.MonkeyPatch) -> DemoContent:
    """An empty board to be filled with the members and the newest essay alone."""
    plan = content()
    plan = replace(plan, posts=plan.posts[-1:])
    monkeypatch.setattr(filling, "content", lambda: plan)
    return plan


def count(entity: type, *where: object) -> int:
    return db.session.execute(select(func.count()).select_from(entity).where(*where)).scalar_one()  # type: ignore[arg-type]


def member(username: str) -> Member:
    return db.session.execute(select(Member).where(Member.username == username)).scalar_one()


def test_everything_is_there_once_and_a_second_filling_adds_nothing(looking: Flask) -> None:
    plan = content()
    assert filling.fill() is False
    assert count(Member) == count(Member, Member.is_demo, Member.verified_at.is_not(None)) == len(plan.members)
    assert count(EmailAddress, EmailAddress.verified_at.is_not(None)) == len(plan.members)
    assert count(Post) == len(plan.posts)
    comments = [comment for post in plan.posts for comment in post.thread]
    assert count(Comment) == len(comments)
    assert count(CommentRevision) == len(comments) + sum(comment.earlier is not None for comment in comments)
    assert count(Thank) == sum(len(comment.thanks) for comment in comments)
    assert list(db.session.execute(select(Topic.name).order_by(Topic.id)).scalars()) == [topic.name for topic in plan.topics]


def test_one_text_waits_for_a_moderator_with_the_lists_sentence(looking: Flask) -> None:
    waits = db.session.execute(select(HeldText)).scalar_one()
    act = db.session.get_one(Act, waits.held_by)
    assert (waits.state, act.kind, act.filter_name, act.reason) == ("waiting", "hold", "Domain list, line 1", filling.LISTED[1])
    client = looking.test_client()
    assert all(filling.LISTED[0] not in client.get(path).text for path in ("/", f"/posts/{waits.post_id}", f"/held/{waits.id}", f"/acts/{act.number}"))


def test_counters_agree_with_rows(looking: Flask) -> None:
    comments = db.session.execute(select(Comment)).scalars().all()
    for post in db.session.execute(select(Post)).scalars():
        mine = [comment for comment in comments if comment.post_id == post.id]
        assert post.comment_count == sum(comment.deleted_at is None and comment.hidden_by is None for comment in mine)
        assert sorted(comment.seq for comment in mine) == list(range(1, post.last_seq + 1))
        assert post.active_at == max([comment.created_at for comment in mine], default=post.published_at)
    for comment in comments:
        assert comment.reply_count == sum(other.parent_id == comment.id and other.listed for other in comments)
        assert comment.thanks == count(Thank, Thank.comment_id == comment.id)


def test_everything_happened_in_its_order_and_before_now(looking: Flask) -> None:
    for entity in (Member, Post, Comment):
        moments = list(db.session.execute(select(entity.created_at).order_by(entity.id)).scalars())
        assert moments == sorted(moments)
        assert moments[-1] <= now()
    newest = db.session.execute(select(Post).order_by(Post.published_at.desc()).limit(1)).scalar_one()
    reader = member("reader")
    assert newest.published_at is not None and (now() - newest.published_at).total_seconds() < 12 * 3600
    assert may_comment(Viewer(id=reader.id, username="reader", role=reader.role, verified=reader.verified_at is not None), newest)


def test_the_four_accounts_have_their_roles_and_the_kept_password(looking: Flask) -> None:
    told = filling.password()
    kept = settings().instance_path / "demo_password"
    assert kept.read_text().strip() == told
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert filling.accounts() == ["reader", "author", "moderator", "admin"]
    for username, role in filling.ACCOUNTS.items():
        assert member(username).role is role
        assert passwords.verify(member(username).password_hash, told)
    assert count(Member, Member.password_hash.is_not(None)) == len(filling.ACCOUNTS)


def test_the_hidden_comment_has_its_act_and_no_stranger_reads_its_words(looking: Flask, database: str) -> None:
    hidden = db.session.execute(select(Comment).where(Comment.hidden_by.is_not(None))).scalar_one()
    act = db.session.get_one(Act, hidden.hidden_by)
    [plan] = [comment for post in content().posts for comment in post.thread if comment.hiding]
    assert (act.number, act.target_id) == (1, hidden.id)
    assert plan.hiding is not None and act.reason == plan.hiding.reason
    post = db.session.get_one(Post, hidden.post_id)
    words = plan.body[:40]
    places = ["/", f"/posts/{post.slug}", f"/comments/{hidden.id}", f"/comments/{hidden.id}/replies", f"/members/{plan.by}", "/feed.atom", "/acts/1"]
    cy = Board(looking, database).cy
    pages = {place: cy.get(place) for place in places}
    assert [place for place, page in pages.items() if words in page.text] == []
    assert plan.hiding.reason in pages["/acts/1"].text
    assert {page.status_code for page in pages.values()} == {200}


def test_the_appeal_is_answered_by_another_moderator_and_the_log_counts_it(looking: Flask, database: str) -> None:
    [plan] = [comment.hiding for post in content().posts for comment in post.thread if comment.hiding]
    assert plan.appeal
    log = Board(looking, database).cy.get("/log").text
    assert "M2 upheld act 1" in log
    assert "1 of 3" in log
    assert f"{(plan.appeal.answered - plan.appeal.after).total_seconds() / 3600:.1f}&nbsp;h" in log
    assert plan.appeal.statement not in log


def test_another_demo_password_takes_over_and_ends_their_visits(app: Flask, small: DemoContent) -> None:
    filling.fill()
    with writing():
        sessions.start(member("reader").id, "browser")
    before = app.config["PARLEY"]
    app.config["PARLEY"] = replace(before, demo_password="said from outside 12")
    try:
        with writing():
            filling.keep_password()
        assert passwords.verify(member("admin").password_hash, "said from outside 12")
        assert count(LoginSession) == 0
        hashes = {name: member(name).password_hash for name in filling.ACCOUNTS}
        with writing():
            filling.keep_password()
        assert {name: member(name).password_hash for name in filling.ACCOUNTS} == hashes
    finally:
        app.config["PARLEY"] = before


def test_a_board_with_members_is_left_alone(small: DemoContent) -> None:
    with writing():
        factories.make_member("reader", Role.ADMINISTRATOR)
    assert filling.fill() is False
    with writing():
        filling.keep_password()
    assert filling.accounts() == []
    assert (count(Member), count(Post)) == (1, 0)
    assert member("reader").password_hash is None


def test_a_filling_that_breaks_off_leaves_nothing(small: DemoContent, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_off(*_: object) -> None:
        raise RuntimeError("the lights went out")

    monkeypatch.setattr(filling._Filling, "_thank", break_off)
    with pytest.raises(RuntimeError):
        filling.fill()
    assert (count(Member), count(Post), count(Topic), count(Act)) == (0, 0, 0, 0)
