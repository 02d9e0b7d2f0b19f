"""The queue: rolled back with its cause, claimed once, tried again, given up; and a worker that may die."""

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from blog.clock import now, stopped_at
from blog.db import db, writing
from blog.jobs import queue, worker
from blog.jobs.models import Job
from blog.jobs.queue import HANDLERS, PAUSES, Claimed, enqueue
from tests.conftest import Board, counted


@pytest.fixture
def done() -> Iterator[list[Claimed]]:
    """The jobs of kind "test" that were handled; one whose facts say so fails."""
    seen: list[Claimed] = []

    def handle(job: Claimed) -> None:
        seen.append(job)
        if job.facts.get("fail"):
            raise OSError("no route to the moon")

    HANDLERS["test"] = handle
    yield seen
    del HANDLERS["test"]


def ask(board: Board, **facts: object) -> None:
    with board.app.app_context(), writing():
        enqueue("test", facts)


def row(board: Board) -> Job:
    with board.app.app_context():
        return db.session.execute(select(Job)).scalar_one()


def test_a_job_is_done_once_with_its_facts(board: Board, done: list[Claimed]) -> None:
    ask(board, mail_id=5)
    assert worker.run_once(board.app) == 1
    assert worker.run_once(board.app) == 0
    assert [job.facts for job in done] == [{"mail_id": 5}]
    assert row(board).done_at is not None and row(board).error is None


def test_a_job_is_rolled_back_with_its_cause(board: Board, done: list[Claimed]) -> None:
    with board.app.app_context(), pytest.raises(ZeroDivisionError), writing():
        enqueue("test", {})
        _ = 1 / 0
    assert worker.run_once(board.app) == 0
    assert done == []


def test_jobs_are_done_in_the_order_of_their_time(board: Board, done: list[Claimed]) -> None:
    with board.app.app_context(), writing():
        for number, minutes in enumerate((0, -2, 60, -1)):
            enqueue("test", {"number": number}, run_at=now() + timedelta(minutes=minutes))
    assert worker.run_once(board.app) == 3
    assert [job.facts["number"] for job in done] == [1, 3, 0]


def test_of_many_workers_each_job_goes_to_one(board: Board) -> None:
    with board.app.app_context(), writing():
        for number in range(12):
            enqueue("nobody does this", {"number": number})
    start, taken = threading.Barrier(3), []

    def claim() -> None:
        with board.app.app_context():
            start.wait()
            for _ in range(4):
                with writing():
                    taken.extend(queue.claim(2))

    threads = [threading.Thread(target=claim) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(job.facts["number"] for job in taken) == list(range(12))


def test_a_worker_does_not_wait_for_what_another_holds(board: Board) -> None:
    if board.database != "postgresql":
        return  # on SQLite whoever writes first keeps the others out: the test above
    with board.app.app_context(), writing():
        for number in range(2):
            enqueue("nobody does this", {"number": number})
    with board.app.app_context(), writing():
        first = queue.claim(1)
        with db.engine.connect() as other, other.begin():
            rest = other.execute(select(Job.facts).with_for_update(skip_locked=True)).scalars().all()
    assert [job.facts for job in first] == [{"number": 0}] and rest == [{"number": 1}]


def test_a_failed_job_waits_longer_each_time_and_is_given_up_at_last(board: Board, done: list[Claimed]) -> None:
    ask(board, fail=True)
    moment = now()
    for attempt, pause in enumerate(PAUSES, 1):
        with stopped_at(moment):
            assert worker.run_once(board.app) == 1
            assert worker.run_once(board.app) == 0
        kept = row(board)
        assert (kept.attempts, kept.run_at - moment, kept.failed_at) == (attempt, pause, None)
        assert kept.error == "OSError: no route to the moon"
        moment += pause
    with stopped_at(moment):
        worker.run_once(board.app)
    assert row(board).failed_at == moment and done[-1].is_last and not done[-2].is_last
    with stopped_at(moment + timedelta(days=30)):
        assert worker.run_once(board.app) == 0


def test_a_worker_that_dies_loses_its_claim_and_nothing_else(board: Board, done: list[Claimed]) -> None:
    ask(board)
    with board.app.app_context(), writing():
        assert len(queue.claim()) == 1  # and then its power fails
    assert worker.run_once(board.app) == 0
    with stopped_at(now() + queue.CLAIM - timedelta(seconds=5)):
        assert worker.run_once(board.app) == 0
    with stopped_at(now() + queue.CLAIM + timedelta(seconds=5)):
        assert worker.run_once(board.app) == 1
    assert [job.attempts for job in done] == [2]


def test_a_job_that_kills_every_worker_is_given_up(board: Board, done: list[Claimed]) -> None:
    ask(board)
    moment = now()
    for _ in range(len(PAUSES) + 1):
        with stopped_at(moment), board.app.app_context(), writing():
            assert len(queue.claim()) == 1
        moment += queue.CLAIM
    with stopped_at(moment):
        assert worker.run_once(board.app) == 0
    assert row(board).failed_at == moment and "died" in (row(board).error or "")


def test_a_worker_that_was_too_slow_does_not_speak_for_the_next(board: Board, done: list[Claimed]) -> None:
    ask(board)
    with board.app.app_context(), writing():
        slow = queue.claim()[0]
    with stopped_at(now() + queue.CLAIM), board.app.app_context():
        with writing():
            queue.claim()
        with writing():
            queue.done(slow)
    assert row(board).done_at is None


def test_what_nobody_handles_waits_for_a_release_that_does(board: Board) -> None:
    with board.app.app_context(), writing():
        enqueue("of the future", {})
    assert worker.run_once(board.app) == 1
    assert row(board).done_at is None and "of the future" in (row(board).error or "")


def test_looking_at_an_empty_queue_is_one_statement(board: Board) -> None:
    with counted(board.app) as statements:
        worker.run_once(board.app)
    assert len(statements) == 1


def test_the_worker_thread_wakes_for_what_is_committed_and_not_for_what_is_rolled_back(board: Board, done: list[Claimed]) -> None:
    queue.wake.clear()
    with board.app.app_context():
        with pytest.raises(ZeroDivisionError), writing():
            enqueue("test", {})
            _ = 1 / 0
        with writing():
            db.session.execute(text("SELECT 1"))
        assert not queue.wake.is_set()
        with writing():
            enqueue("test", {})
            assert not queue.wake.is_set()
        assert queue.wake.is_set()


def test_a_worker_thread_does_jobs_until_it_is_told_to_stop(board: Board) -> None:
    seen = threading.Event()
    HANDLERS["test"] = lambda job: seen.set()
    running = worker.Worker(board.app)
    running.start()
    try:
        ask(board)
        assert seen.wait(20)
    finally:
        running.end(20)
        del HANDLERS["test"]
    assert not running.is_alive()


@pytest.mark.one_database
def test_a_process_has_one_worker_however_often_it_is_asked(board: Board) -> None:
    first = worker.start_worker(board.app)
    try:
        assert worker.start_worker(board.app) is first and first.daemon
    finally:
        first.end(20)
    second = worker.start_worker(board.app)
    assert second is not first
    second.end(20)


def test_the_shell_lists_what_waits(board: Board, done: list[Claimed]) -> None:
    ask(board, fail=True)
    worker.run_once(board.app)
    listed = board.app.test_cli_runner().invoke(args=["jobs", "list"])
    assert listed.exit_code == 0 and "waits  test  attempts 1  OSError: no route to the moon" in listed.output
