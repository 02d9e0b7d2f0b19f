"""Undoing any act restores what stood before it; softening makes less of it; both are acts of their own."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from blog.accounts.models import Member
from blog.acts import recording
from blog.acts.models import Act, ActKind, TargetKind
from blog.clock import now, stopped_at
from blog.comments import checking, writing
from blog.comments.models import Comment
from blog.db import db
from blog.db import writing as transaction
from blog.errors import Conflict, Gone, Invalid
from blog.moderation import ending, hiding, lifting, targets
from blog.posts.models import Post
from tests.conftest import Board
from tests.factories import make_post

WHY = "Names a condition for another member."
WHY_NOT = "It spoke of a bird, not of a person."
HOUR = timedelta(hours=1)


@pytest.fixture
def place(app: Flask, board: Board) -> tuple[int, int]:
    """Ids of anna's post and of bo's comment under it, which has a reply."""
    anna, bo, mo = board.anna, board.bo, board.mo
    assert mo.id
    assert board.max.id
    with app.app_context():
        post = make_post(anna.id)
        with transaction():
            comment = writing.add(post.id, bo.viewer, writing.words("A heron."))
            writing.add(post.id, anna.viewer, writing.words("Two herons."), parent_id=comment)
        return post.id, comment


# What an act of each kind leaves on its target, as its deed writes it.
def did(board: Board, place: tuple[int, int], kind: ActKind, target: TargetKind, *, scope: str = "as told", until: Any = None, **left: Any) -> Act:
    target_id = {TargetKind.POST: place[0], TargetKind.COMMENT: place[1], TargetKind.MEMBER: board.bo.id}[target]
    act = recording.record(kind, board.mo.viewer, person_id=board.bo.id, target=(target, target_id), rule_id=2, reason=WHY, scope=scope, until=until)
    table: Any = {TargetKind.POST: Post, TargetKind.COMMENT: Comment, TargetKind.MEMBER: Member}[target]
    if left:
        values = {name: act.id if value == "act" else value for name, value in left.items()}
        db.session.execute(update(table).where(table.id == target_id).values(**values))
    return act


def stands(board: Board, place: tuple[int, int]) -> dict[str, Any]:
    """Everything that acts change, but for versions."""
    db.session.rollback()
    post = db.session.execute(select(Post.hidden_by, Post.locked_by, Post.locked_until, Post.slow_by, Post.slow_seconds, Post.slow_until,
                                     Post.comment_count).where(Post.id == place[0])).one()
    comment = db.session.execute(select(Comment.hidden_by, Comment.closed, Comment.aside_by, Comment.listed, Comment.html, Comment.reply_count)
                                 .where(Comment.id == place[1])).one()
    member = db.session.execute(select(Member.suspended_by, Member.suspended_until).where(Member.id == board.bo.id)).one()
    return {"post": tuple(post), "comment": tuple(comment), "member": tuple(member)}


EFFECTS = [
    (ActKind.LOCK, TargetKind.POST, {"locked_by": "act"}),
    (ActKind.CLOSE, TargetKind.POST, {"locked_by": "act"}),
    (ActKind.SLOW, TargetKind.POST, {"slow_by": "act", "slow_seconds": 60}),
    (ActKind.SUSPEND, TargetKind.MEMBER, {"suspended_by": "act"}),
    (ActKind.ASIDE, TargetKind.COMMENT, {"aside_by": "act"}),
    (ActKind.WARN, TargetKind.MEMBER, {}),
    (ActKind.BAD_FAITH, TargetKind.COMMENT, {}),
]


@pytest.mark.parametrize(("kind", "target", "left"), EFFECTS, ids=[kind for kind, _, _ in EFFECTS])
def test_an_overturned_act_leaves_nothing_behind(app: Flask, board: Board, place: tuple[int, int], kind: ActKind, target: TargetKind,
                                                 left: dict[str, Any]) -> None:
    with app.app_context():
        before = stands(board, place)
        with transaction():
            act_id = did(board, place, kind, target, **left).id
        assert (stands(board, place) != before) is bool(left)
        with transaction():
            undoing = lifting.lift(db.session.get_one(Act, act_id), ActKind.OVERTURN, board.max.viewer, WHY_NOT)
            assert (undoing.undoes_id, undoing.rule_id, undoing.target_kind, undoing.reason) == (act_id, 2, target, WHY_NOT)
        assert stands(board, place) == before


@pytest.mark.parametrize("what", ["comment", "branch", "post"])
def test_an_overturned_hiding_brings_the_words_and_every_counter_back(app: Flask, board: Board, place: tuple[int, int], what: str) -> None:
    with app.app_context():
        before = stands(board, place)
        with transaction():
            if what == "post":
                act_id = hiding.hide_post(place[0], board.mo.viewer, rule_id=2, reason=WHY).id
            elif what == "comment":
                act_id = hiding.hide_comment(place[1], board.mo.viewer, rule_id=2, reason=WHY).id
            else:
                act_id = did(board, place, ActKind.HIDE, TargetKind.COMMENT, scope=targets.BRANCH, hidden_by="act", closed=True).id
                db.session.execute(update(Post).where(Post.id == place[0]).values(comment_count=Post.comment_count - 1))
        version = db.session.execute(select(Post.version).where(Post.id == place[0])).scalar_one()
        assert stands(board, place) != before
        with transaction():
            lifting.lift(db.session.get_one(Act, act_id), ActKind.OVERTURN, board.max.viewer, WHY_NOT)
        assert stands(board, place) == before
        assert list(checking.differences()) == []
        assert db.session.execute(select(Post.version).where(Post.id == place[0])).scalar_one() > version


def test_an_act_is_undone_once(app: Flask, board: Board, place: tuple[int, int]) -> None:
    with app.app_context():
        with transaction():
            act_id = did(board, place, ActKind.LOCK, TargetKind.POST, locked_by="act").id
            lifting.lift(db.session.get_one(Act, act_id), ActKind.UNLOCK, board.max.viewer, WHY_NOT)
        for kind in (ActKind.UNLOCK, ActKind.OVERTURN):
            with pytest.raises(Conflict, match="taken back already, by act 2"), transaction():
                lifting.lift(db.session.get_one(Act, act_id), kind, board.max.viewer, WHY_NOT)
        assert recording.receipt(1).undone_by is not None
        with pytest.raises(recording.NotFound):
            recording.receipt(3)


def test_what_ended_by_itself_can_be_overturned_on_record_but_not_lifted(app: Flask, board: Board, place: tuple[int, int]) -> None:
    with app.app_context():
        with transaction():
            act_id = did(board, place, ActKind.SUSPEND, TargetKind.MEMBER, until=now() + HOUR, suspended_by="act", suspended_until=now() + HOUR).id
        with stopped_at(now() + 2 * HOUR), transaction():
            ending.end(TargetKind.MEMBER, board.bo.id)
        with pytest.raises(Conflict, match="has no effect any more"), transaction():
            lifting.lift(db.session.get_one(Act, act_id), ActKind.LIFT, board.max.viewer, WHY_NOT)
        with transaction():
            assert lifting.lift(db.session.get_one(Act, act_id), ActKind.OVERTURN, board.max.viewer, WHY_NOT).number == 2


def test_an_older_act_does_not_take_a_newer_ones_effect_away(app: Flask, board: Board, place: tuple[int, int]) -> None:
    with app.app_context():
        with transaction():
            older = did(board, place, ActKind.SUSPEND, TargetKind.MEMBER, suspended_by="act").id
            newer = did(board, place, ActKind.SUSPEND, TargetKind.MEMBER, suspended_by="act").id
        with transaction():
            lifting.lift(db.session.get_one(Act, older), ActKind.OVERTURN, board.max.viewer, WHY_NOT)
        assert stands(board, place)["member"] == (newer, None)


def test_words_taken_out_never_come_back_whatever_an_appeal_says(app: Flask, board: Board, place: tuple[int, int]) -> None:
    with app.app_context():
        with transaction():
            act_id = did(board, place, ActKind.REDACT, TargetKind.COMMENT, hidden_by="act", html="", redacted=True).id
            db.session.execute(update(Post).where(Post.id == place[0]).values(comment_count=Post.comment_count - 1))
        after = stands(board, place)
        with pytest.raises(Gone), transaction():
            lifting.lift(db.session.get_one(Act, act_id), ActKind.UNHIDE, board.max.viewer, WHY_NOT)
        with transaction():
            lifting.lift(db.session.get_one(Act, act_id), ActKind.OVERTURN, board.max.viewer, WHY_NOT)
        assert stands(board, place) == after


SOFTER = [
    (ActKind.SUSPEND, TargetKind.MEMBER, "suspended"), (ActKind.LOCK, TargetKind.POST, "locked"), (ActKind.CLOSE, TargetKind.POST, "locked"),
    (ActKind.SLOW, TargetKind.POST, "slow"),
]


@pytest.mark.parametrize(("kind", "target", "name"), SOFTER, ids=[kind for kind, _, _ in SOFTER])
@pytest.mark.parametrize("had_end", [True, False])
def test_what_lasts_can_be_made_to_end_earlier(app: Flask, board: Board, place: tuple[int, int], kind: ActKind, target: TargetKind, name: str,
                                               had_end: bool) -> None:
    moment = now().replace(microsecond=0)
    until = moment + 10 * HOUR if had_end else None
    table: Any = Member if target == TargetKind.MEMBER else Post
    with app.app_context(), stopped_at(moment):
        with transaction():
            act_id = did(board, place, kind, target, until=until, **{f"{name}_by": "act", f"{name}_until": until}).id
        act = db.session.get_one(Act, act_id)
        assert lifting.softening(act) == lifting.UNTIL
        for wrong in (None, moment, moment - HOUR, *([until] if until else [])):
            with pytest.raises(Invalid), transaction():
                lifting.soften(db.session.get_one(Act, act_id), board.max.viewer, WHY_NOT, until=wrong)
        with transaction():
            softer = lifting.soften(db.session.get_one(Act, act_id), board.max.viewer, WHY_NOT, until=moment + 2 * HOUR)
            assert (softer.kind, softer.about_id, softer.undoes_id, softer.until) == (ActKind.SOFTEN, act_id, None, moment + 2 * HOUR)
        ends, by = getattr(table, f"{name}_until"), getattr(table, f"{name}_by")
        row = db.session.execute(select(ends, by).where(table.id == softer.target_id)).one()
        assert tuple(row) == (moment + 2 * HOUR, act_id)
        for later, still in ((HOUR, act_id), (2 * HOUR, None)):
            with stopped_at(moment + later), transaction():
                ending.end(target, softer.target_id)
            assert db.session.execute(select(by).where(table.id == softer.target_id)).scalar_one() == still


def test_a_hidden_branch_can_be_softened_to_the_comment_alone(app: Flask, board: Board, place: tuple[int, int]) -> None:
    with app.app_context():
        with transaction():
            act_id = did(board, place, ActKind.HIDE, TargetKind.COMMENT, scope=targets.BRANCH, hidden_by="act", closed=True).id
        with transaction():
            softer = lifting.soften(db.session.get_one(Act, act_id), board.max.viewer, WHY_NOT)
            assert softer.scope == targets.COMMENT_ONLY
        assert stands(board, place)["comment"][:2] == (act_id, False)


def test_what_has_no_lesser_form_is_not_softened(app: Flask, board: Board, place: tuple[int, int]) -> None:
    with app.app_context():
        with transaction():
            act_id = hiding.hide_comment(place[1], board.mo.viewer, rule_id=2, reason=WHY).id
        assert lifting.softening(db.session.get_one(Act, act_id)) == ""
        with pytest.raises(Invalid), transaction():
            lifting.soften(db.session.get_one(Act, act_id), board.max.viewer, WHY_NOT, until=now() + HOUR)
