"""Shutting a discussion for a while or for good, and slowing it down. What was written stays readable; rule and reason stand above it."""

from datetime import datetime

from blog.acts import recording
from blog.acts.models import Act, ActKind, TargetKind
from blog.dates import span
from blog.db import db
from blog.errors import Conflict, Invalid, NotFound
from blog.moderation import ending, lifting, targets
from blog.permissions import may_lock
from blog.posts.models import Post, PostState
from blog.viewer import Viewer

# Between two comments of one member. Below there is nothing to slow, above there is no discussion left.
LEAST_SECONDS = 10
MOST_SECONDS = 86_400


def lock(post_id: int, by: Viewer, *, rule_id: int, reason: str, until: datetime | None = None) -> Act:
    """No comments until the lock is lifted, or until it ends by itself.

    Raises NotFound, NotAllowed, Invalid (rule, reason, end), Conflict (somebody was faster).
    """
    return _shut(ActKind.LOCK, post_id, by, rule_id, reason, until)


def unlock(post_id: int, by: Viewer, *, reason: str) -> Act:
    """Lift a lock. Raises NotFound, NotAllowed, Invalid (reason), Conflict (it is not locked)."""
    return _open(ActKind.LOCK, ActKind.UNLOCK, post_id, by, reason)


def close(post_id: int, by: Viewer, *, rule_id: int, reason: str) -> Act:
    """No comments any more: a closed post does not open by itself. Raises as lock."""
    return _shut(ActKind.CLOSE, post_id, by, rule_id, reason, None)


def reopen(post_id: int, by: Viewer, *, reason: str) -> Act:
    """Open a closed post to comments again. Raises as unlock."""
    return _open(ActKind.CLOSE, ActKind.REOPEN, post_id, by, reason)


def slow(post_id: int, by: Viewer, *, seconds: int, rule_id: int, reason: str, until: datetime | None = None) -> Act:
    """One comment of each member in so many seconds, until it is lifted or ends by itself; moderators are not slowed. Raises as lock."""
    post = _discussion(post_id, by)
    if post.slow_by is not None:
        raise recording.already(post.slow_by, "slowed down")
    if not LEAST_SECONDS <= seconds <= MOST_SECONDS:
        raise Invalid(f"Between two comments of one member, {LEAST_SECONDS} to {MOST_SECONDS:,} seconds are possible.", "seconds")
    act = _record(ActKind.SLOW, post, by, rule_id, reason, f"one comment of each member in {span(seconds)}", until)
    post.slow_by, post.slow_seconds, post.slow_until = act.id, seconds, until
    db.session.flush()
    return act


def unslow(post_id: int, by: Viewer, *, reason: str) -> Act:
    """Let a slowed discussion run at its own pace. Raises as unlock."""
    post = _discussion(post_id, by)
    if post.slow_by is None:
        raise Conflict("This discussion is not slowed down any more.")
    return lifting.lift(recording.of(post.slow_by)[0], ActKind.UNSLOW, by, reason)


def _shut(kind: ActKind, post_id: int, by: Viewer, rule_id: int, reason: str, until: datetime | None) -> Act:
    post = _discussion(post_id, by)
    if post.locked_by is not None:
        standing, _ = recording.of(post.locked_by)
        raise recording.already(standing.id, "closed" if standing.kind == ActKind.CLOSE else "locked")
    act = _record(kind, post, by, rule_id, reason, targets.DISCUSSION, until)
    post.locked_by, post.locked_until = act.id, until
    db.session.flush()
    return act


def _open(shut: ActKind, kind: ActKind, post_id: int, by: Viewer, reason: str) -> Act:
    post = _discussion(post_id, by)
    if post.locked_by is None:
        raise Conflict(f"This discussion is not {'locked' if shut == ActKind.LOCK else 'closed'} any more.")
    standing, _ = recording.of(post.locked_by)
    if standing.kind != shut:
        raise Conflict("This discussion is locked, not closed: unlock it." if shut == ActKind.CLOSE else "This post is closed, not locked: reopen it.")
    return lifting.lift(standing, kind, by, reason)


def _discussion(post_id: int, by: Viewer) -> Post:
    post = targets.post(post_id, by)
    if post.state != PostState.PUBLISHED:
        raise NotFound()
    may_lock(by, post.author_id).require()
    return post


def _record(kind: ActKind, post: Post, by: Viewer, rule_id: int, reason: str, scope: str, until: datetime | None) -> Act:
    ending.check(until)
    rule = recording.rule_in_force(rule_id)
    act = recording.record(kind, by, person_id=post.author_id, target=(TargetKind.POST, post.id), rule_id=rule.id, reason=reason, scope=scope,
                           until=until)
    if until is not None:
        ending.plan(act, until)
    return act
