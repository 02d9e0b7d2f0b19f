"""Acts that end by themselves: a suspension, a locked or slowed discussion. A job clears what the act left; that is no act, so nothing is recorded.

Whoever reads a suspension checks its end too, so that a late job makes nobody wait; a discussion opens when the job has run.
"""

from datetime import datetime

from sqlalchemy import select, update

from blog.accounts.models import Member
from blog.acts.models import Act, TargetKind
from blog.clock import now
from blog.comments import counting
from blog.db import db
from blog.jobs.queue import enqueue
from blog.posts.models import Post

END = "moderation end"


def plan(act: Act, until: datetime) -> None:
    """Have what `act` did looked at when it ends, in the act's transaction."""
    enqueue(END, {"target": act.target_kind, "id": act.target_id}, run_at=until)


def end(target: str, target_id: int) -> None:
    """Clear whatever on this post or member has come to its end. One whose end was changed meanwhile stays; twice is once."""
    moment = now()
    if target == TargetKind.MEMBER:
        over = (Member.id == target_id, Member.suspended_until <= moment)
        db.session.execute(update(Member).where(*over).values(suspended_by=None, suspended_until=None))
        return
    found = db.session.execute(select(Post.locked_until, Post.slow_until).where(Post.id == target_id)).one_or_none()
    if found is None or not any(at is not None and at <= moment for at in found):
        return
    counting.lock_post(target_id)
    db.session.execute(update(Post).where(Post.id == target_id, Post.locked_until <= moment).values(locked_by=None, locked_until=None))
    db.session.execute(update(Post).where(Post.id == target_id, Post.slow_until <= moment).values(slow_by=None, slow_seconds=0, slow_until=None))
