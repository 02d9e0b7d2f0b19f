"""Undoing an act, whatever it was: by the same moderator at once, by another one with a reason, or as what an appeal came to.

Works in the caller's transaction, and the caller has asked whether it may be done. What an act did is told by its own row and by the row
that points to it; where that row points elsewhere by now (the act ended by itself, or another took its place), there is nothing left to undo.
"""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import or_, select, update

from blog.accounts.models import Member
from blog.acts import recording
from blog.acts.models import Act, ActKind, TargetKind
from blog.acts.words import DECISIONS
from blog.board import versions
from blog.clock import now
from blog.comments import counting
from blog.comments.models import Comment
from blog.db import db
from blog.errors import Conflict, Gone, Invalid
from blog.filters import admitting
from blog.filters.models import HeldKind, HeldState, HeldText
from blog.moderation import approving, below, cases, ending, targets
from blog.moderation.models import Report
from blog.posts import publishing
from blog.posts.models import Post, PostRevision, PostState
from blog.viewer import Viewer

# Taking back one's own act at once is an act too, with a reason that nobody has to type.
UNDO_REASON = "Taken back by the same moderator right after the act."
# The page offers it for ten seconds; a slow line needs a few more.
UNDO_SECONDS = 20

# A mail goes out so long after its act.
UNMAILED_SECONDS = 2

# Takes the effect away if it still stands; says whether it did.
End = Callable[[Act], bool]


def lift(act: Act, kind: ActKind, by: Viewer, reason: str) -> Act:
    """Undo `act` by an act of `kind` (UNHIDE, UNLOCK, REOPEN, UNSLOW, LIFT, BACK, or OVERTURN for an appeal), under the rule of the one it ends.
    Everything that the act changed is as it would be without it; counters and versions too.

    No reason is asked of whoever takes back their own act within UNDO_SECONDS, and a case that it had closed is open again. Nothing is mailed of
    what is taken back before its own mail can have gone.
    Raises Conflict where it is undone already or (but for OVERTURN, which is recorded all the same) has no effect left; Gone for words
    that were taken out; Invalid without a reason.
    """
    if act.kind == ActKind.REDACT and kind != ActKind.OVERTURN:
        raise Gone("These words were taken out for good; no act can bring them back.")
    _lock(act)
    undone_by = db.session.execute(select(Act.number).where(Act.undoes_id == act.id)).scalar_one_or_none()
    if undone_by is not None:
        raise Conflict(f"Act {act.number} is taken back already, by act {undone_by}. Nothing was changed.")
    seconds = (now() - act.created_at).total_seconds()
    is_fresh = act.actor_id == by.id and seconds <= UNDO_SECONDS
    at_once = is_fresh and not reason.strip()
    undoing = recording.record(kind, by, person_id=act.person_id, target=(TargetKind(act.target_kind), act.target_id), rule_id=act.rule_id,
                               reason=UNDO_REASON if at_once else reason, scope=act.scope, undoes_id=act.id,
                               is_mailed=not at_once or seconds > UNMAILED_SECONDS)
    end = ENDS.get(ActKind(act.kind))
    stood = end(act) if end is not None else True
    if not stood and kind not in DECISIONS:
        raise Conflict(f"Act {act.number} has no effect any more: it ended by itself, or another act took its place. Nothing was changed.")
    if softening(act) == TOP_ONLY:
        below.plan(undoing, act.target_id)
    if is_fresh:
        cases.reopened(act)
    return undoing


def soften(act: Act, by: Viewer, reason: str, *, until: datetime | None = None) -> Act:
    """Make less of `act` without ending it, as what an appeal came to: an earlier end (`until`) for a suspension or whatever shuts or slows a
    discussion; the comment alone for the hiding of a branch. The act of softening names the softened one as `about_id`.

    Raises Invalid where the act can't be softened so (`softening` tells), Conflict where it has no effect any more.
    """
    how = softening(act)
    if not how:
        raise Invalid("This act can’t be made less: uphold it or overturn it.", "outcome")
    _lock(act)
    if how == UNTIL:
        now_ends = _end_of(act)
        if until is None or until <= now() or (now_ends is not None and until >= now_ends):
            raise Invalid("Say an end that is still to come and earlier than the present one.", "until")
    softer = recording.record(ActKind.SOFTEN, by, person_id=act.person_id, target=(TargetKind(act.target_kind), act.target_id), rule_id=act.rule_id,
                              reason=reason, scope=targets.COMMENT_ONLY if how == TOP_ONLY else act.scope, until=until if how == UNTIL else None,
                              about_id=act.id)
    if not (_open_branch(act) if how == TOP_ONLY else _end_earlier(act, until)):
        raise Conflict(f"Act {act.number} has no effect any more: it ended by itself, or another act took its place. Nothing was changed.")
    if how == TOP_ONLY:
        below.plan(softer, act.target_id)
    return softer


# How an act can be made less.
UNTIL = "until"  # it ends earlier
TOP_ONLY = "top only"  # of a hidden branch, what hangs on the comment comes back


def softening(act: Act) -> str:
    """How this act can be made less: UNTIL, TOP_ONLY, or "" for not at all."""
    if act.kind in (ActKind.SUSPEND, ActKind.LOCK, ActKind.CLOSE, ActKind.SLOW):
        return UNTIL
    return TOP_ONLY if act.kind == ActKind.HIDE and act.scope == targets.BRANCH else ""


def _lock(act: Act) -> None:
    """Take what the act is about, so that nobody changes it meanwhile; a thread's version rises with it (once more, if the caller took it too)."""
    if act.target_kind == TargetKind.POST:
        counting.lock_post(act.target_id)
    elif act.target_kind == TargetKind.COMMENT:
        counting.lock_post(db.session.execute(select(Comment.post_id).where(Comment.id == act.target_id)).scalar_one())
    elif act.target_kind == TargetKind.HELD:
        counting.lock_post(db.session.execute(select(HeldText.post_id).where(HeldText.id == act.target_id)).scalar_one())
    elif act.target_kind == TargetKind.MEMBER:
        targets.member(act.target_id)
    else:
        db.session.execute(select(Act.id).where(Act.id == act.id).with_for_update(key_share=True))


# -- what each act did, taken away


def _unhide(act: Act) -> bool:
    if act.target_kind == TargetKind.POST:
        stood = _update(update(Post).where(Post.id == act.target_id, Post.hidden_by == act.id).values(hidden_by=None))
        versions.rise()
        return stood
    comment = db.session.execute(select(Comment).where(Comment.id == act.target_id)).scalar_one()
    if comment.redacted and act.scope == targets.BRANCH and comment.closed:  # its own words are gone for good; what hangs on it comes back
        comment.closed = False
        db.session.flush()
        return True
    if comment.hidden_by != act.id:
        return False
    comment.hidden_by = None
    if act.scope == targets.BRANCH:
        comment.closed = False
    db.session.flush()
    if comment.deleted_at is None:
        counting.count_live(comment.post_id, 1)
    counting.settle(comment.id)
    db.session.expire(comment)
    return True


def _unlock(act: Act) -> bool:
    return _update(update(Post).where(Post.id == act.target_id, Post.locked_by == act.id).values(locked_by=None, locked_until=None))


def _unslow(act: Act) -> bool:
    return _update(update(Post).where(Post.id == act.target_id, Post.slow_by == act.id).values(slow_by=None, slow_seconds=0, slow_until=None))


def _unsuspend(act: Act) -> bool:
    return _update(update(Member).where(Member.id == act.target_id, Member.suspended_by == act.id).values(suspended_by=None, suspended_until=None))


def _bring_back(act: Act) -> bool:
    return _update(update(Comment).where(Comment.id == act.target_id, Comment.aside_by == act.id).values(aside_by=None))


def _believe(act: Act) -> bool:
    """The report counts again; a case that had no other waits again for somebody to look at it."""
    stood = _update(update(Report).where(Report.bad_faith_by == act.id).values(bad_faith_by=None))
    cases.reopened(act)
    return stood


def _let_in(act: Act) -> bool:
    """What was rejected comes to its place: a text (a reply to what is gone, as a comment of its own), a post, a newcomer."""
    if act.target_kind == TargetKind.HELD:
        held = db.session.get_one(HeldText, act.target_id, with_for_update=True)
        if held.decided_by != act.id or held.state != HeldState.REJECTED or not held.source:
            return False
        edited = {HeldKind.EDIT: select(Comment.edited_at).where(Comment.id == held.comment_id),
                  HeldKind.POST_EDIT: select(Post.edited_at).where(Post.id == held.post_id)}.get(HeldKind(held.kind))
        since = db.session.execute(edited).scalar_one() if edited is not None else None
        if since is not None and since > held.created_at:
            return False  # newer words stand there: an older change would take them away
        try:
            approving.let_out(held, past_locks=True)
        except approving.ParentGone:
            approving.let_out(held, as_root=True, past_locks=True)
        except Conflict:  # what it belongs to is hidden or gone: there is no place to come to
            return False
        return True
    if act.target_kind == TargetKind.POST:
        post = db.session.get_one(Post, act.target_id, populate_existing=True)
        rewritten = select(PostRevision.id).where(PostRevision.post_id == post.id, PostRevision.created_at > act.created_at).limit(1)
        if post.state != PostState.DRAFT or post.deleted_at is not None or db.session.execute(rewritten).first() is not None:
            return False  # published, taken down or written anew since: what stands there now is not what was rejected
        publishing.put_out(post)
        return True
    member = db.session.get_one(Member, act.target_id, populate_existing=True)
    if member.refused_by != act.id:
        return False
    admitting.open_door(member)
    return True


# Kinds that are not here left nothing behind but their own row (a warning, a dismissed report) or can't be undone (words taken out).
ENDS: dict[ActKind, End] = {
    ActKind.HIDE: _unhide, ActKind.LOCK: _unlock, ActKind.CLOSE: _unlock, ActKind.SLOW: _unslow, ActKind.SUSPEND: _unsuspend, ActKind.ASIDE: _bring_back,
    ActKind.BAD_FAITH: _believe, ActKind.REJECT: _let_in,
}


# -- less of it


def _open_branch(act: Act) -> bool:
    mine = or_(Comment.hidden_by == act.id, Comment.redacted)  # words taken out since are hidden by that act, and the branch by this one
    return _update(update(Comment).where(Comment.id == act.target_id, mine, Comment.closed).values(closed=False))


def _end_of(act: Act) -> datetime | None:
    """When it ends by itself, as things stand."""
    if act.kind == ActKind.SUSPEND:
        return db.session.execute(select(Member.suspended_until).where(Member.id == act.target_id)).scalar_one()
    column = Post.slow_until if act.kind == ActKind.SLOW else Post.locked_until
    return db.session.execute(select(column).where(Post.id == act.target_id)).scalar_one()


def _end_earlier(act: Act, until: datetime | None) -> bool:
    if act.kind == ActKind.SUSPEND:
        stood = _update(update(Member).where(Member.id == act.target_id, Member.suspended_by == act.id).values(suspended_until=until))
    elif act.kind == ActKind.SLOW:
        stood = _update(update(Post).where(Post.id == act.target_id, Post.slow_by == act.id).values(slow_until=until))
    else:
        stood = _update(update(Post).where(Post.id == act.target_id, Post.locked_by == act.id).values(locked_until=until))
    if until is not None:
        ending.plan(act, until)
    return stood


def _update(statement: object) -> bool:
    """Run it; whether it changed the one row that it is about."""
    return bool(db.session.execute(statement).rowcount)  # type: ignore[call-overload]
