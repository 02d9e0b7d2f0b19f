"""Acts that end by themselves: a suspension, a locked or slowed discussion. A job clears what the act left; that is no act, so nothing is recorded.

Whoever reads a suspension checks its end too, so that a late job makes nobody wait; a discussion opens when the job has run.
"""

from datetime import datetime, timedelta

from sqlalchemy import select, update

from blog.accounts.models import Member
from blog.acts.models import Act, TargetKind
from blog.clock import now
from blog.comments import counting
from blog.db import db
from blog.errors import Invalid
from blog.jobs.queue import enqueue
from blog.posts.models import Post

END = "moderation end"


# What is to last longer has no end that anybody waits for.
LONGEST = timedelta(days=5 * 366)
# An end that is nearly now is a slip of the pen.
SHORTEST = timedelta(minutes=1)


def check(until: datetime | None) -> None:
    """Raises Invalid for an end that is past, nearly now, or further away than LONGEST."""
    if until is None:
        return
    if until < now() + SHORTEST:
        raise Invalid("That end is past already. Choose one that is still to come.", "until")
    if until > now() + LONGEST:
        raise Invalid("That end is more than five years away. Choose an earlier one, or leave the end open.", "until")


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
