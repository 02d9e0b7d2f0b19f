"""The outbox: written with its cause, put into words at sending, carried by SMTP or into a file."""

import stat
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from sqlalchemy import select, update

from blog.clock import now, stopped_at
from blog.db import db, writing
from blog.jobs import worker
from blog.jobs.models import Job
from blog.jobs.queue import PAUSES
from blog.mail import carrying, sending
from blog.mail.models import Mail
from blog.mail.sending import FILLERS, Letter
from tests.accounts.postbox import Postbox, having, join
from tests.conftest import Board
from tests.mail.sink import Sink


@pytest.fixture
def filled() -> Iterator[list[dict[str, Any]]]:
    """Mails of kind "test" are filled with the words of the reset letter; the facts they were filled from."""
    seen: list[dict[str, Any]] = []

    def fill(facts: dict[str, Any]) -> Letter | None:
        seen.append(facts)
        if facts.get("untrue"):
            return None
        return Letter(to="reader@example.org", template="accounts/reset", link="/reset/abc", facts={"username": facts.get("username", "nina")})

    FILLERS["test"] = fill
    yield seen
    del FILLERS["test"]


def ask(board: Board, **facts: Any) -> None:
    with board.app.app_context(), writing():
        assert sending.post("test", "reader@example.org", facts)


def row(board: Board) -> Mail:
    with board.app.app_context():
        return db.session.execute(select(Mail)).scalar_one()


def parsed(raw: bytes) -> EmailMessage:
    return message_from_bytes(raw, policy=default)


def test_without_a_server_each_mail_is_one_file_for_its_owner_alone(board: Board, post: Postbox, filled: list[dict[str, Any]]) -> None:
    with having(board.app, base_url="https://board.example"):
        ask(board)
        worker.run_once(board.app)
    with board.app.app_context():
        folder = carrying.folder()
    files = list(folder.iterdir())
    assert len(files) == 1 and files[0].suffix == ".eml"
    assert stat.S_IMODE(files[0].stat().st_mode) == 0o600 and stat.S_IMODE(folder.stat().st_mode) == 0o700
    message = parsed(files[0].read_bytes())
    assert message["To"] == "reader@example.org" and message["From"].addresses[0].addr_spec == "parley@board.example"
    assert message["From"].addresses[0].display_name == "Parley" and message["Subject"] == "A new password for Parley"
    assert message["Auto-Submitted"] == "auto-generated" and message["Message-ID"].endswith("@board.example>") and message["Date"].datetime.tzinfo
    assert message.get_content_type() == "text/plain"
    assert message.get_content().strip().splitlines()[-1] == "https://board.example/reset/abc"
    assert b"https://board.example/reset/abc\r\n" in files[0].read_bytes()  # as it is, not cut at a line's end
    assert row(board).sent_at is not None


def test_files_are_named_in_the_order_of_time(board: Board, post: Postbox, filled: list[dict[str, Any]]) -> None:
    for minutes in (3, 1, 2):
        with stopped_at(now() + timedelta(minutes=minutes)):
            ask(board)
            worker.run_once(board.app)
    assert [mail.number for mail in post.mails()] == [1, 3, 2]


def test_the_worker_thread_carries_a_mail_without_being_asked(board: Board, post: Postbox) -> None:
    running = worker.Worker(board.app)
    running.start()
    try:
        join(board, "nina")
        came = a_file_comes(board)
    finally:
        running.end(20)
    assert came


def a_file_comes(board: Board) -> bool:
    """Whether one does, however slow the machine is."""
    with board.app.app_context():
        folder = carrying.folder()
    for _ in range(400):
        if list(folder.glob("*.eml")):
            return True
        time.sleep(0.05)
    return False


def test_a_mail_is_rolled_back_with_its_cause(board: Board, post: Postbox, filled: list[dict[str, Any]]) -> None:
    with board.app.app_context(), pytest.raises(ZeroDivisionError), writing():
        sending.post("test", "reader@example.org", {})
        _ = 1 / 0
    assert post.mails() == [] and filled == []


def test_a_mail_that_is_no_longer_true_is_dropped(board: Board, post: Postbox, filled: list[dict[str, Any]]) -> None:
    ask(board, untrue=True)
    assert post.mails() == []
    assert row(board).dropped_at is not None and row(board).sent_at is None


def test_over_smtp_the_mail_arrives_with_the_login_that_is_set(board: Board, post: Postbox, filled: list[dict[str, Any]]) -> None:
    with Sink() as sink:
        smtp = {"mail_server": "127.0.0.1", "mail_port": sink.port, "mail_use_tls": False, "mail_username": "board", "mail_password": "of the operator"}
        with having(board.app, **smtp, title="Zwiegespräch"):
            ask(board, username="nina")
            worker.run_once(board.app)
    assert sink.logins == [("board", "of the operator")] and sink.recipients == ["TO:<reader@example.org>"]
    message = parsed(sink.mails[0])
    assert message["From"].addresses[0].display_name == "Zwiegespräch"
    assert "nina" in message.get_content() and "Zwiegespräch" in message.get_content()
    assert post.mails() == [] and row(board).sent_at is not None


def test_a_server_without_eight_bits_gets_seven(board: Board, post: Postbox, filled: list[dict[str, Any]]) -> None:
    with Sink(extensions=()) as sink, having(board.app, mail_server="127.0.0.1", mail_port=sink.port, mail_use_tls=False, title="Zwiegespräch"):
        ask(board)
        worker.run_once(board.app)
    assert sink.mails[0].isascii() and "Zwiegespräch" in parsed(sink.mails[0]).get_content()


def test_where_the_server_offers_no_encryption_nothing_goes_out_in_clear(board: Board, post: Postbox, filled: list[dict[str, Any]]) -> None:
    with Sink() as sink, having(board.app, mail_server="127.0.0.1", mail_port=sink.port, mail_use_tls=True, mail_username="board", mail_password="x"):
        ask(board)
        worker.run_once(board.app)
    assert sink.mails == [] and sink.logins == [] and sink.recipients == []
    assert row(board).sent_at is None and "STARTTLS" in (row(board).error or "")


def test_a_mail_that_the_server_refuses_is_tried_again_and_given_up_at_last(board: Board, post: Postbox, filled: list[dict[str, Any]]) -> None:
    ask(board)
    moment = now()
    with Sink(refusing=True) as sink, having(board.app, mail_server="127.0.0.1", mail_port=sink.port, mail_use_tls=False):
        for pause in (*PAUSES, timedelta()):
            with stopped_at(moment):
                assert worker.run_once(board.app) == 1
            assert row(board).sent_at is None
            moment += pause
    assert "451" in (row(board).error or "") or "not now" in (row(board).error or "")
    assert row(board).dropped_at is not None and len(filled) == len(PAUSES) + 1


def test_after_a_crash_between_sending_and_noting_it_the_same_mail_goes_again(board: Board, post: Postbox) -> None:
    join(board, "nina")
    first = post.mails()
    with board.app.app_context():
        db.session.execute(update(Mail).values(sent_at=None))
        db.session.execute(update(Job).values(done_at=None, claimed_until=None))
        db.session.commit()
        folder = carrying.folder()
    second = post.mails()
    assert len(first) == 1 and len(second) == 2
    assert len({mail.text for mail in second}) == 1  # the same link
    assert len({parsed(path.read_bytes())["Message-ID"] for path in folder.glob("*.eml")}) == 1


def test_a_mail_that_was_sent_is_not_sent_by_a_job_that_comes_again(board: Board, post: Postbox) -> None:
    join(board, "nina")
    assert len(post.mails()) == 1
    with board.app.app_context():
        db.session.execute(update(Job).values(done_at=None, claimed_until=None))
        db.session.commit()
    assert len(post.mails()) == 1


@pytest.mark.one_database
def test_no_name_can_add_a_header(board: Board, filled: list[dict[str, Any]], inside: None) -> None:
    honest = sending.Written(mail_id=1, to="a@example.org", subject="x", text="y\n", message_id="1", date="Thu, 01 Jan 2026 00:00:00 +0000")
    assert honest.message()["To"] == "a@example.org"
    for forged in ({"to": "a@example.org\r\nBcc: b@example.org"}, {"subject": "x\r\nBcc: b@example.org"}):
        with pytest.raises(ValueError):
            replace(honest, **forged).message()
    with having(board.app, title="Board\r\nBcc: b@example.org"), pytest.raises(ValueError):
        honest.message()


def test_only_so_many_of_a_kind_go_to_one_address_in_a_day(board: Board, inside: None) -> None:
    with having(board.app, ratelimit_enabled=True), writing():
        assert [sending.post("test", "a@example.org", {}) for _ in range(4)] == [True, True, True, False]
        assert sending.post("other", "a@example.org", {}) and sending.post("test", "b@example.org", {})
        with stopped_at(now() + timedelta(days=1, seconds=1)):
            assert sending.post("test", "a@example.org", {})
    with writing():
        assert all(sending.post("test", "a@example.org", {}) for _ in range(5))  # budgets are off


def test_three_a_day_are_three_though_all_are_asked_for_at_once(board: Board, post: Postbox, monkeypatch: pytest.MonkeyPatch) -> None:
    real = sending._of_today

    def slowly(*args: Any) -> int:
        count = real(*args)
        time.sleep(0.05)
        return count

    def ask_one() -> None:
        with board.app.app_context(), writing():
            sending.post("test", "b@example.org", {})

    monkeypatch.setattr(sending, "_of_today", slowly)
    with having(board.app, ratelimit_enabled=True):
        threads = [threading.Thread(target=ask_one) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    with board.app.app_context():
        assert len(db.session.execute(select(Mail).where(Mail.to_address == "b@example.org")).all()) == sending.DAILY


# -- the page of development


def test_in_development_the_mails_are_listed_with_links_that_work(board: Board, post: Postbox) -> None:
    assert "No mail yet" in board.cy.get("/dev/mail").text
    join(board, "nina")
    join(board, "petra")
    mails = post.mails()
    page = board.cy.get("/dev/mail")
    assert page.status_code == 200 and page.text.index("petra@example.net") < page.text.index("nina@example.net")
    assert "Set-Cookie" not in page.headers
    link = post.link("nina@example.net")
    assert f'href="{link}"' in page.text
    one = board.cy.get(f"/dev/mail/{mails[0].number}")
    assert one.status_code == 200 and "petra@example.net" in one.text and "nina@example.net" not in one.text
    assert board.cy.get("/dev/mail/999").status_code == 404


@pytest.mark.one_database
def test_in_production_there_is_no_such_page(board: Board, post: Postbox) -> None:
    join(board, "nina")
    post.mails()
    with having(board.app, env="production"):
        for path in ("/dev/mail", "/dev/mail/1"):
            assert board.cy.get(path).status_code == 404
            assert board.anna.get(path).status_code == 404


@pytest.mark.one_database
def test_words_in_a_mail_are_no_markup_on_the_page(board: Board, post: Postbox, filled: list[dict[str, Any]]) -> None:
    ask(board, username="<script>alert(1)</script>")
    post.mails()
    page = board.cy.get("/dev/mail").text
    assert "<script>alert" not in page and "&lt;script&gt;alert" in page
