"""Chores of the night: planted once whoever plants, and what each of them takes away."""

import threading
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select

from blog.accounts import links, sessions
from blog.accounts.models import LinkPurpose, LoginSession, MailedLink
from blog.clock import now, stopped_at
from blog.db import db, writing
from blog.drafts import keeping
from blog.drafts.models import Draft
from blog.jobs import schedule, worker
from blog.jobs.models import Job
from blog.mail import sending
from blog.mail.models import Mail
from tests.conftest import Board


def kinds(board: Board) -> list[str]:
    with board.app.app_context():
        return sorted(db.session.execute(select(Job.kind).where(Job.done_at.is_(None), Job.kind.startswith("nightly"))).scalars())


def plant(board: Board) -> None:
    with board.app.app_context():
        schedule.plant()


def test_each_chore_waits_once_for_the_next_night_and_again_after_it(board: Board) -> None:
    plant(board)
    plant(board)
    chores = ("accounts", "deleted comments", "deleted posts", "drafts", "held texts", "jobs", "mail")
    assert kinds(board) == [f"nightly {chore}" for chore in chores]
    assert worker.run_once(board.app) == 0
    with stopped_at(schedule.next_night(now())):
        assert worker.run_once(board.app) == 7
        assert kinds(board) == []
        plant(board)
        assert worker.run_once(board.app) == 0
    assert len(kinds(board)) == 7


def test_two_processes_at_once_plant_a_chore_once(board: Board) -> None:
    start = threading.Barrier(3)

    def run() -> None:
        start.wait()
        plant(board)

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(kinds(board)) == 7


def test_the_next_night_is_never_now() -> None:
    night = datetime(2026, 3, 1, 3, 30, tzinfo=UTC)
    assert schedule.next_night(night - timedelta(seconds=1)) == night
    assert schedule.next_night(night) == night + timedelta(days=1)


def test_the_night_takes_away_what_has_had_its_time_and_leaves_the_rest(board: Board) -> None:
    member_id = board.anna.id
    with board.app.app_context():
        for days in (61, 59):  # unused for so long
            with stopped_at(now() - timedelta(days=days)), writing():
                sessions.start(member_id, f"{days} days ago")
        for days in (34, 30):  # used three days after it was made, at the latest
            with stopped_at(now() - timedelta(days=days)), writing():
                links.issue(LinkPurpose.VERIFY, member_id)
        for days in (31, 29):
            with stopped_at(now() - timedelta(days=days)), writing():
                sending.post("accounts/verify", f"{days}@example.org", {"link_id": 0})
                db.session.flush()
                sending.sent(db.session.execute(select(func.max(Mail.id))).scalar_one())
        with stopped_at(now() - timedelta(days=40)), writing():
            sending.post("accounts/verify", "waiting@example.org", {"link_id": 0})
        with stopped_at(now() - timedelta(days=3)), writing():
            keeping.keep("/posts/new", {"body": "old"}, visitor="somebody")
            keeping.keep("/posts/new", {"body": "mine"}, member_id=member_id)
        with writing():
            keeping.keep("/posts/new", {"body": "new"}, visitor="another")
            db.session.execute(Job.__table__.delete())
    plant(board)
    with stopped_at(schedule.next_night(now())):
        assert worker.run_once(board.app) == 7
    with board.app.app_context():
        assert set(db.session.execute(select(LoginSession.browser)).scalars()) == {"test browser", "59 days ago"}
        assert db.session.execute(select(func.count()).select_from(MailedLink)).scalar_one() == 1
        assert set(db.session.execute(select(Mail.to_address)).scalars()) == {"29@example.org", "waiting@example.org"}
        assert {fields["body"] for fields in db.session.execute(select(Draft.fields)).scalars()} == {"mine", "new"}
