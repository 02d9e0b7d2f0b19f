"""The queue: work that a deed asks for in its own transaction and that a worker does after the answer.

A job is done at least once: a worker that dies, or that takes longer than its claim, leaves the job to the next one. So handlers
must bear being called twice. They register themselves with `@handles("kind")` in a module that the factory imports.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import event, or_, select, update
from sqlalchemy.orm import Session

from blog.clock import now
from blog.db import db
from blog.jobs.models import WAITING, Job

log = logging.getLogger(__name__)

# A worker that dies loses its claim after this: longer than any one job should take.
CLAIM = timedelta(minutes=5)

# How long a failed job waits for its next attempt; after the last of these it is given up.
PAUSES = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2), timedelta(hours=8))


@dataclass(frozen=True, slots=True)
class Claimed:
    """A job in the hands of one worker. `attempts` counts this one."""

    id: int
    kind: str
    facts: dict[str, Any]
    attempts: int

    @property
    def is_last(self) -> bool:
        """Whether a failure now is the end of it."""
        return self.attempts > len(PAUSES)


Handler = Callable[[Claimed], None]
HANDLERS: dict[str, Handler] = {}

# Set when this process has committed a job, so that its worker need not wait for the next look.
wake = threading.Event()


def handles(kind: str) -> Callable[[Handler], Handler]:
    """Decorator: this function does the jobs of that kind. It is called in an application context and opens its own transactions."""

    def register(handler: Handler) -> Handler:
        HANDLERS[kind] = handler
        return handler

    return register


def enqueue(kind: str, facts: dict[str, Any], run_at: datetime | None = None) -> None:
    """Ask for a job, in the transaction of its cause: rolled back with it, seen by workers once it is committed."""
    moment = now()
    db.session.add(Job(kind=kind, facts=facts, run_at=run_at or moment, created_at=moment))
    db.session.flush()
    db.session().info["asked_for_job"] = True


@event.listens_for(db.session, "after_commit")
def _committed(session: Session) -> None:
    if session.info.pop("asked_for_job", False):
        wake.set()


@event.listens_for(db.session, "after_rollback")
def _rolled_back(session: Session) -> None:
    session.info.pop("asked_for_job", None)


def is_due() -> bool:
    """Whether any job could be claimed. One statement, and on SQLite no lock."""
    return db.session.execute(select(Job.id).where(*_due(now())).limit(1)).first() is not None


def claim(limit: int = 1) -> list[Claimed]:
    """Take up to `limit` due jobs, oldest first, that no other worker holds. Call inside `writing()`.

    On PostgreSQL locked rows are passed over (SKIP LOCKED); on SQLite the transaction itself, begun IMMEDIATE, keeps others out.
    """
    moment = now()
    due = select(Job).where(*_due(moment)).order_by(Job.run_at, Job.id).limit(limit).with_for_update(skip_locked=True)
    taken = []
    for job in db.session.execute(due).scalars():
        if job.attempts > len(PAUSES):  # claimed for its last attempt, and no worker lived to tell
            job.failed_at, job.claimed_until, job.error = moment, None, job.error or "each worker that took it died"
            continue
        job.attempts += 1
        job.claimed_until = moment + CLAIM
        taken.append(Claimed(job.id, job.kind, job.facts, job.attempts))
    db.session.flush()
    return taken


def _due(moment: datetime) -> tuple[Any, ...]:
    return WAITING, Job.run_at <= moment, or_(Job.claimed_until.is_(None), Job.claimed_until <= moment)


def done(job: Claimed) -> None:
    """The job is done. Says nothing about one that another worker has taken over meanwhile."""
    _report(job, done_at=now(), error=None)


def failed(job: Claimed, error: Exception) -> None:
    """The job did not work: it waits for its next attempt, or is given up after the last."""
    words = f"{type(error).__name__}: {error}"[:500]
    if job.is_last:
        log.error("job %s (%s) is given up after %s attempts: %s", job.id, job.kind, job.attempts, words)
        _report(job, failed_at=now(), error=words)
    else:
        log.warning("job %s (%s) failed at attempt %s: %s", job.id, job.kind, job.attempts, words)
        _report(job, run_at=now() + PAUSES[job.attempts - 1], error=words)


def listed(everything: bool) -> list[Job]:
    """What waits and what was given up, done jobs too with `everything`; the newest 200, newest first. One statement."""
    asked = select(Job).order_by(Job.id.desc()).limit(200)
    return list(db.session.execute(asked if everything else asked.where(Job.done_at.is_(None))).scalars())


def _report(job: Claimed, **values: Any) -> None:
    mine = (Job.id == job.id, Job.attempts == job.attempts, WAITING)
    db.session.execute(update(Job).where(*mine).values(claimed_until=None, **values))
