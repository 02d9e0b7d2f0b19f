"""The worker: does the jobs of the queue, in a thread beside the server or in a process of its own."""

import logging
import os
import threading

from flask import Flask

from blog.db import db, writing
from blog.jobs import queue, schedule
from blog.jobs.queue import Claimed

log = logging.getLogger(__name__)

# How often the queue is looked at for what other processes asked for; a job of this process wakes the worker at once.
LOOK_SECONDS = 1.0
# At most so many in one go, so that a stop is heard.
AT_ONCE = 20
# How often the clockwork's jobs are put back into the queue, in looks.
LOOKS_BETWEEN_PLANTING = 600


def run_once(app: Flask) -> int:
    """Do what is due now, one job after the other, each in a context of its own. Gives how many were tried (at most AT_ONCE)."""
    tried = 0
    while tried < AT_ONCE:
        with app.app_context():
            job = _next()
            if job is None:
                break
            _do(job)
        tried += 1
    return tried


def _next() -> Claimed | None:
    if not queue.is_due():
        db.session.rollback()
        return None
    with writing():
        taken = queue.claim(1)
    return taken[0] if taken else None


def _do(job: Claimed) -> None:
    try:
        handler = queue.HANDLERS.get(job.kind)
        if handler is None:
            raise LookupError(f"nobody here handles {job.kind}")
        handler(job)
    except Exception as error:
        with writing():
            queue.failed(job, error)
    else:
        with writing():
            queue.done(job)


def work(app: Flask, stop: threading.Event) -> None:
    """Do jobs until `stop` is set; returns within the job in hand. What a server calls beside its requests."""
    looks = 0
    while not stop.is_set():
        queue.wake.clear()  # before looking: what is committed from here on wakes again
        tried = 0
        try:
            if looks % LOOKS_BETWEEN_PLANTING == 0:
                with app.app_context():
                    schedule.plant()
            looks += 1
            tried = run_once(app)
        except Exception:  # the database is away: look again in a moment
            log.exception("the worker could not look at its queue")
        if not tried:
            queue.wake.wait(LOOK_SECONDS)


class Worker(threading.Thread):
    """`work` in a thread of its own. It ends with the process, or when asked by `end`."""

    def __init__(self, app: Flask) -> None:
        super().__init__(name="jobs", daemon=True)
        self.app = app
        self.stop = threading.Event()

    def run(self) -> None:
        work(self.app, self.stop)

    def end(self, seconds: float = 5.0) -> None:
        """Ask it to stop and wait for the job in hand, at most `seconds`."""
        self.stop.set()
        queue.wake.set()
        self.join(seconds)


_starting = threading.Lock()
_worker: Worker | None = None
_forked = False


def start_worker(app: Flask) -> Worker:
    """The worker thread of this process, started at the first call. After a fork the child has none: call it there."""
    global _worker, _forked
    with _starting:
        if _worker is None or not _worker.is_alive():
            if _forked:
                with app.app_context():
                    db.engine.dispose(close=False)  # the parent's connections are the parent's
                _forked = False
            _worker = Worker(app)
            _worker.start()
        return _worker


def _after_fork() -> None:
    global _starting, _worker, _forked
    _starting, _worker, _forked = threading.Lock(), None, True
    queue.wake = threading.Event()


os.register_at_fork(after_in_child=_after_fork)
