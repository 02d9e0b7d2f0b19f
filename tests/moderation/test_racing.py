"""Deeds at once: fifty acts of all kinds give fifty numbers without a gap, and of several moderators on one thing one wins and says so."""

import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from blog.accounts.models import Member
from blog.acts import recording
from blog.acts.models import Act, ActKind, TargetKind
from blog.clock import now
from blog.comments import checking, writing
from blog.comments.models import Comment
from blog.db import db
from blog.db import writing as transaction
from blog.errors import Conflict
from blog.mail.models import Mail
from blog.moderation import hiding, lifting, locking, sanctioning
from blog.notices.models import Notice
from blog.posts.models import Post
from tests import factories
from tests.conftest import Board

WHY = "Names a condition for another member."
POSTS, MEMBERS = 5, 10


def at_once(app: Flask, deeds: list[Callable[[], object]], hands: int = 10) -> list[BaseException]:
    """Do all deeds in `hands` threads that begin together, each deed in a transaction of its own; what they raised."""
    raised: list[BaseException] = []
    gate = threading.Barrier(hands)

    def work(mine: list[Callable[[], object]]) -> None:
        gate.wait()
        for deed in mine:
            try:
                with app.app_context(), transaction():
                    deed()
            except BaseException as error:
                raised.append(error)

    threads = [threading.Thread(target=work, args=(deeds[hand::hands],)) for hand in range(hands)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


def test_fifty_deeds_at_once_give_fifty_numbers_and_all_their_effects(app: Flask, board: Board) -> None:
    mo, max_ = board.mo.viewer, board.max.viewer
    with app.app_context():
        anna = factories.make_member("anna").id
        posts = [factories.make_post(anna, title=f"Post {number}").id for number in range(POSTS)]
        members = [factories.make_member(f"member{number}").id for number in range(MEMBERS)]
        db.session.commit()
        comments = []
        for number in range(30):
            with transaction():
                by = board_viewer(members[number % MEMBERS])
                comments.append(writing.add(posts[number % POSTS], by, writing.words(f"Number {number}.")))
    until = now() + timedelta(days=3)
    deeds: list[Callable[[], object]] = [lambda i=i: hiding.hide_comment(i, (mo, max_)[i % 2], rule_id=3, reason=WHY, with_replies=i % 3 == 0)
                                         for i in comments]
    deeds += [lambda i=i: locking.lock(i, mo, rule_id=3, reason=WHY, until=until) for i in posts]
    deeds += [lambda i=i: locking.slow(i, max_, seconds=60, rule_id=3, reason=WHY) for i in posts]
    deeds += [lambda i=i: sanctioning.suspend(i, mo, rule_id=3, reason=WHY, until=until) for i in members[:5]]
    deeds += [lambda i=i: sanctioning.warn(i, max_, rule_id=3, reason=WHY) for i in members[5:]]
    assert len(deeds) == 50
    assert at_once(app, deeds) == []
    with app.app_context():
        acts = db.session.execute(select(Act).order_by(Act.number)).scalars().all()
        assert [act.number for act in acts] == list(range(1, 51))
        assert Counter(act.kind for act in acts) == {"hide": 30, "lock": 5, "slow": 5, "suspend": 5, "warn": 5}
        assert {act.actor_handle for act in acts} == {"M1", "M2"}
        assert db.session.execute(select(func.count()).where(Comment.hidden_by.is_not(None))).scalar_one() == 30
        assert db.session.execute(select(func.count()).where(Post.locked_by.is_not(None), Post.slow_by.is_not(None))).scalar_one() == 5
        assert db.session.execute(select(func.count()).where(Member.suspended_by.is_not(None))).scalar_one() == 5
        assert db.session.execute(select(func.sum(Notice.count)).where(Notice.kind == "act")).scalar_one() == 50
        assert db.session.execute(select(func.count()).select_from(Mail)).scalar_one() == 50
        assert list(checking.differences()) == []


def board_viewer(member_id: int) -> object:
    return factories.Viewer(id=member_id, verified=True)


@pytest.mark.parametrize("what", ["hide", "lock", "suspend", "unhide"])
def test_of_several_moderators_at_once_one_acts_and_the_others_learn_who(app: Flask, board: Board, what: str) -> None:
    moderators = [board.mo.viewer, board.max.viewer, board.ad.viewer]
    anna, bo = board.anna, board.bo
    with app.app_context():
        post = factories.make_post(anna.id).id
        with transaction():
            comment = writing.add(post, bo.viewer, writing.words("A word."))
        if what == "unhide":
            with transaction():
                hiding.hide_comment(comment, moderators[0], rule_id=3, reason=WHY)
    until = now() + timedelta(days=3)
    deed: dict[str, Callable[..., object]] = {
        "hide": lambda by: hiding.hide_comment(comment, by, rule_id=3, reason=WHY),
        "unhide": lambda by: hiding.unhide_comment(comment, by, reason="It was within the rules."),
        "lock": lambda by: locking.lock(post, by, rule_id=3, reason=WHY),
        "suspend": lambda by: sanctioning.suspend(bo.id, by, rule_id=3, reason=WHY, until=until),
    }
    raised = at_once(app, [lambda by=by: deed[what](by) for by in moderators * 3], hands=9)
    assert len(raised) == 8
    assert all(isinstance(error, Conflict) for error in raised), raised
    if what != "unhide":
        assert all("already" in str(error) and "by M1" in str(error) and "just now" in str(error) for error in raised)
    with app.app_context():
        before = 1 if what == "unhide" else 0
        assert db.session.execute(select(Act.number).order_by(Act.number)).scalars().all() == list(range(1, before + 2))
        assert list(checking.differences()) == []


@pytest.mark.parametrize("target", [TargetKind.MEMBER, TargetKind.CASE])
def test_two_who_undo_one_act_undo_it_once(app: Flask, board: Board, target: TargetKind) -> None:
    mo, max_, bo = board.mo.viewer, board.max.viewer, board.bo
    with app.app_context(), transaction():
        act_id = recording.record(ActKind.WARN if target == TargetKind.MEMBER else ActKind.BAD_FAITH, mo, person_id=bo.id, target=(target, bo.id), rule_id=3,
                                  reason=WHY, scope="as told").id
    deeds: list[Callable[[], object]] = [
        lambda kind=kind: lifting.lift(db.session.get_one(Act, act_id), kind, max_, "It was somebody else.")
        for kind in (ActKind.OVERTURN, ActKind.LIFT) * 5]
    raised = at_once(app, deeds)
    assert len(raised) == 9
    assert all(isinstance(error, Conflict) for error in raised), raised
    with app.app_context():
        assert db.session.execute(select(Act.number).order_by(Act.number)).scalars().all() == [1, 2]
