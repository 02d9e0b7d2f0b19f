"""The clockwork: chores that run once a night, whatever number of processes there is.

Each chore is a job like any other; what makes it come again is `plant`, which puts back those that are not waiting.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select, text

from blog.clock import now
from blog.db import db, writing
from blog.jobs.models import WAITING, Job
from blog.jobs.queue import HANDLERS, enqueue

# A quiet time for most boards; a board that sleeps then does its chores when it wakes.
NIGHT = timedelta(hours=3, minutes=30)

# Done and failed jobs are kept for the operator's questions.
KEEP_JOBS = timedelta(days=30)

# Any number, as long as it is always the same: it names our lock among PostgreSQL's advisory locks.
LOCK = 0x5041524D

Chore = Callable[[], None]
CHORES: set[str] = set()


def nightly(name: str) -> Callable[[Chore], Chore]:
    """Decorator: this function is called once a night, in an application context; it opens its own transactions."""

    def register(chore: Chore) -> Chore:
        kind = f"nightly {name}"
        CHORES.add(kind)
        HANDLERS[kind] = lambda job: chore()
        return chore

    return register


def plant() -> None:
    """Put every chore that is not waiting into the queue for the next night. Two processes at once plant it once."""
    if not _missing():
        db.session.rollback()
        return
    with writing():
        if db.engine.dialect.name == "postgresql":
            db.session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        for kind in sorted(_missing()):
            enqueue(kind, {}, run_at=next_night(now()))


def _missing() -> set[str]:
    return CHORES - set(db.session.execute(select(Job.kind).where(WAITING, Job.kind.in_(CHORES))).scalars())


def next_night(moment: datetime) -> datetime:
    """The next time that it is NIGHT o'clock (UTC)."""
    tonight = moment.replace(hour=0, minute=0, second=0, microsecond=0) + NIGHT
    return tonight if tonight > moment else tonight + timedelta(days=1)


@nightly("jobs")
def forget_jobs() -> None:
    """Take away jobs that ended long ago."""
    ended = or_(Job.done_at < now() - KEEP_JOBS, Job.failed_at < now() - KEEP_JOBS)
    with writing():
        db.session.execute(delete(Job).where(ended))
