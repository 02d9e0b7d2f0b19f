"""Joining: a name, an address, a password; and confirming the address."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from blog.accounts.models import EmailAddress, MailedLink, Member
from blog.clock import now, stopped_at
from blog.config import settings
from blog.db import db
from blog.jobs.models import Job
from blog.mail.models import Mail
from tests.accounts.postbox import PASSWORD, Postbox, cookie, having, join, name_in, path_in
from tests.conftest import Board, counted


def row(board: Board, username: str) -> Member:
    with board.app.app_context():
        return db.session.execute(select(Member).where(Member.username == username)).scalar_one()


def test_registering_signs_in_at_once_and_mails_a_link_that_confirms(board: Board, post: Postbox) -> None:
    nina = board.cy
    answer = nina.post("/register", {"username": "nina", "email": "Nina@Example.net", "password": PASSWORD, "display_name": "Nina  Berg"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/verify")
    assert name_in(nina) == "nina"
    assert row(board, "nina").display_name == "Nina Berg"
    assert row(board, "nina").verified_at is None
    link = post.link("Nina@example.net")
    assert link.startswith("/verify/")
    shown = nina.get(link)
    assert shown.status_code == 200 and "Confirm this address" in shown.text
    assert row(board, "nina").verified_at is None  # looking is not pressing
    pressed = nina.post(link)
    assert pressed.status_code == 303
    assert row(board, "nina").verified_at is not None
    assert "is confirmed" in nina.get("/verify").text


def test_a_stranger_may_press_the_link_and_is_not_signed_in_by_it(board: Board, post: Postbox) -> None:
    join(board, "nina")
    link = post.link("nina@example.net")
    cy = board.cy
    assert cy.get(link).headers["Cache-Control"] == "no-store"
    assert cy.post(link).headers["Location"] == "/login"
    assert row(board, "nina").verified_at is not None
    assert name_in(cy) == ""


def test_a_link_pressed_twice_says_that_it_is_confirmed(board: Board, post: Postbox) -> None:
    nina = join(board, "nina")
    link = post.link("nina@example.net")
    nina.post(link)
    first = row(board, "nina").verified_at
    again = nina.post(link, htmx=True)
    assert again.headers["HX-Redirect"] == "/"
    assert "was confirmed already" in nina.get("/verify").text
    assert "is confirmed already" in nina.get(link).text
    assert row(board, "nina").verified_at == first


def test_a_link_that_expired_or_never_was_shows_the_way_to_a_new_one(board: Board, post: Postbox) -> None:
    nina = join(board, "nina")
    link = post.link("nina@example.net")
    for path in ("/verify/nothing", "/verify/" + "x" * 500, "/verify/%F0%9F%A6%A9"):
        assert nina.get(path).status_code == 410
        assert nina.post(path).status_code == 410
    with stopped_at(now() + timedelta(days=3, minutes=1)):
        late = nina.post(link)
        assert late.status_code == 410
        assert 'href="/verify"' in late.text
        assert row(board, "nina").verified_at is None


def test_a_token_is_needed_to_press(board: Board, post: Postbox) -> None:
    nina = join(board, "nina")
    link = post.link("nina@example.net")
    assert nina.post(link, token="").status_code == 400
    assert row(board, "nina").verified_at is None


def test_a_taken_address_is_answered_like_a_free_one(board: Board, post: Postbox) -> None:
    assert board.anna.id  # owns anna@example.org
    free, taken = board.cy, board.cy
    answers = []
    for visitor, name, email in ((free, "petra", "petra@example.org"), (taken, "paula", "anna@example.org")):
        with counted(board.app) as statements:
            answer = visitor.post("/register", {"username": name, "email": email, "password": PASSWORD})
        answers.append((answer.status_code, answer.headers["Location"], answer.headers.get("Cache-Control"), answer.text.replace(name, ""), len(statements)))
        assert name_in(visitor) == name
    assert answers[0] == answers[1]
    pages = [visitor.get("/verify").text.replace(email, "").replace(name, "") for visitor, name, email
             in ((free, "petra", "petra@example.org"), (taken, "paula", "anna@example.org"))]
    without_tokens = [" ".join(word for word in page.split() if not word.startswith("value=")) for page in pages]
    assert without_tokens[0] == without_tokens[1]


def test_the_mail_to_a_taken_address_says_so_and_holds_no_link_that_confirms(board: Board, post: Postbox) -> None:
    assert board.anna.id
    paula = join(board, "paula", "ANNA@example.org")
    mail = post.to("anna@example.org")
    assert "already" in mail.subject and "anna" in mail.text and "paula" not in mail.text
    assert "/verify/" not in mail.text and "/forgot" in mail.text
    assert row(board, "paula").verified_at is None
    assert paula.post("/verify").status_code == 303
    assert all("/verify/" not in mail.text for mail in post.mails())


def test_of_two_accounts_that_claim_an_address_the_first_to_press_has_it(board: Board, post: Postbox) -> None:
    one, two = join(board, "one-1", "shared@example.net"), join(board, "two-2", "shared@example.net")
    links = [mail for mail in post.mails() if mail.to == "shared@example.net"]
    assert len(links) == 2
    second, first = (path_in(mail) for mail in links)
    assert two.post(second).status_code == 303
    late = one.post(first)
    assert late.status_code == 409
    assert "belongs to another account" in late.text
    assert row(board, "one-1").verified_at is None
    assert row(board, "two-2").verified_at is not None
    assert one.get(first).status_code == 200


def test_two_presses_at_the_same_moment_give_the_address_to_one(board: Board, post: Postbox) -> None:
    visitors = [join(board, "one-1", "shared@example.net"), join(board, "two-2", "shared@example.net")]
    links = [path_in(mail) for mail in reversed(post.mails())]
    tokens = [visitor.token() for visitor in visitors]
    start, statuses = threading.Barrier(2), []

    def press(number: int) -> None:
        start.wait()
        statuses.append(visitors[number].post(links[number], token=tokens[number]).status_code)

    threads = [threading.Thread(target=press, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [303, 409]
    with board.app.app_context():
        assert db.session.execute(select(func.count()).select_from(EmailAddress).where(EmailAddress.verified_at.is_not(None))).scalar_one() == 1


@pytest.mark.parametrize("name", ["anna", "ANNA", "Anna", "mo", "m0", "rno"])
def test_a_taken_username_or_one_that_looks_like_it_is_refused_plainly(board: Board, name: str) -> None:
    assert board.anna.id and board.mo.id
    answer = board.cy.post("/register", {"username": name, "email": "x@example.net", "password": PASSWORD, "next": "/topics"})
    assert answer.status_code == 422
    assert "taken" in answer.text
    assert f'value="{name}"' in answer.text and 'value="x@example.net"' in answer.text and 'value="/topics"' in answer.text
    assert PASSWORD not in answer.text
    assert 'role="alert"' in answer.text


@pytest.mark.one_database
@pytest.mark.parametrize("name", ["admin", "Admin", "adm1n", "moderator", "parley", "a", "-anna", "anna lind", "änna", "a" * 31, "", "anna@example.org"])
def test_reserved_and_malformed_usernames_are_refused(board: Board, name: str) -> None:
    answer = board.cy.post("/register", {"username": name, "email": "x@example.net", "password": PASSWORD})
    assert answer.status_code == 422
    with board.app.app_context():
        assert db.session.execute(select(func.count()).select_from(Member)).scalar_one() == 0


@pytest.mark.one_database
@pytest.mark.parametrize("fields", [{"email": "no address"}, {"email": ""}, {"email": "a@b.org\r\nBcc: c@d.org"}, {"password": ""}, {"password": "short"},
                                    {"password": "nina-nina-nina"}, {"display_name": "www.example.org"}, {"display_name": "a\u202eb"}])
def test_a_bad_field_is_named_and_nobody_is_made(board: Board, fields: dict[str, str]) -> None:
    answer = board.cy.post("/register", {"username": "nina", "email": "x@example.net", "password": PASSWORD, **fields})
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    with board.app.app_context():
        assert db.session.execute(select(func.count()).select_from(Member)).scalar_one() == 0


def test_two_registrations_of_one_name_at_the_same_moment_make_one_member(board: Board) -> None:
    visitors = [board.cy, board.cy]
    tokens = [visitor.token() for visitor in visitors]
    start, statuses = threading.Barrier(2), []

    def register(number: int) -> None:
        start.wait()
        fields = {"username": "nina", "email": f"n{number}@example.net", "password": PASSWORD}
        statuses.append(visitors[number].post("/register", fields, token=tokens[number]).status_code)

    threads = [threading.Thread(target=register, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [303, 422]


@pytest.mark.parametrize("answered", [True, False], ids=["after the answer", "before the answer"])
def test_the_same_form_pressed_twice_leads_in_twice(board: Board, post: Postbox, answered: bool) -> None:
    first = board.cy
    fields = {"username": "nina", "email": "Nina@example.net", "password": PASSWORD, "csrf_token": first.token(), "next": "/topics"}
    waiting = cookie(first)
    assert first.client.post("/register", data=fields).headers["Location"] == "/topics"
    second = first if answered else board.cy
    if not answered:
        with second.client.session_transaction() as held:
            held.update(waiting)
    answer = second.client.post("/register", data=fields)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/topics")
    assert name_in(second) == "nina"
    assert len(post.mails()) == 1


@pytest.mark.parametrize(("changed", "later"), [({"password": "nine other herons"}, 0), ({"email": "other@example.net"}, 0), ({}, 5)])
def test_a_taken_name_lets_nobody_in_but_who_took_it_a_moment_ago(board: Board, changed: dict[str, str], later: int) -> None:
    join(board, "nina")
    other = board.cy
    with stopped_at(now() + timedelta(minutes=later)):
        answer = other.post("/register", {"username": "nina", "email": "nina@example.net", "password": PASSWORD, **changed})
    assert answer.status_code == 422 and "is taken" in answer.text
    assert name_in(other) == ""


def test_a_refused_registration_leaves_no_mail_behind(board: Board, post: Postbox) -> None:
    assert board.anna.id
    board.cy.post("/register", {"username": "anna", "email": "x@example.net", "password": PASSWORD})
    with board.app.app_context():
        assert [db.session.execute(select(func.count()).select_from(table)).scalar_one() for table in (Mail, Job, MailedLink)] == [0, 0, 0]


def test_no_row_of_the_outbox_or_the_queue_holds_a_token(board: Board, post: Postbox) -> None:
    nina = join(board, "nina")
    nina.post(post.link("nina@example.net"))
    board.cy.post("/forgot", {"email": "nina@example.net"})
    tokens = [mail.text.rsplit("/", 1)[1].strip() for mail in post.mails()]
    assert len(tokens) == 2 and all(len(token) > 40 for token in tokens)
    with board.app.app_context():
        kept = "".join(str(dict(found)) for table in (Mail, Job, MailedLink) for found in db.session.execute(select(table.__table__)).mappings())
    assert not any(token in kept for token in tokens)


def test_a_link_that_is_out_stays_good_when_the_key_changes(board: Board, post: Postbox) -> None:
    nina = join(board, "nina")
    link = post.link("nina@example.net")
    old = board.app.config["SECRET_KEY"]
    with having(board.app, secret_key="another key of thirty-two letters", secret_key_fallbacks=()):
        assert nina.post(link).status_code == 303
    assert board.app.config["SECRET_KEY"] == old
    assert row(board, "nina").verified_at is not None


def test_a_mail_that_waits_while_the_key_changes_goes_out_with_its_link(board: Board, post: Postbox) -> None:
    join(board, "nina")
    with board.app.app_context():
        old = settings().secret_key
    with having(board.app, secret_key="another key of thirty-two letters", secret_key_fallbacks=(old,)):
        link = post.link("nina@example.net")
    assert board.cy.post(link).status_code == 303


def test_another_address_takes_the_place_of_a_wrong_one_and_ends_its_link(board: Board, post: Postbox) -> None:
    nina = join(board, "nina", "wrong@example.net")
    old = post.link("wrong@example.net")
    assert nina.post("/verify", {"email": "right@example.net"}).status_code == 303
    assert "right@example.net" in nina.get("/verify").text
    new = post.link("right@example.net")
    assert nina.post(old).status_code == 410
    assert nina.post(new).status_code == 303
    with board.app.app_context():
        assert db.session.execute(select(EmailAddress.address)).scalars().all() == ["right@example.net"]


def test_another_address_must_be_one(board: Board, post: Postbox) -> None:
    nina = join(board, "nina")
    answer = nina.post("/verify", {"email": "none of that"})
    assert answer.status_code == 422
    assert "none of that" in answer.text
    assert "nina@example.net" in nina.get("/verify").text


def test_a_confirmed_address_is_not_changed_by_asking_again(board: Board, post: Postbox) -> None:
    anna = board.anna
    assert anna.post("/verify", {"email": "other@example.net"}).status_code == 303
    assert post.mails() == []
    assert "anna@example.org is confirmed" in anna.get("/verify").text


def test_after_three_mails_in_a_day_the_answer_is_the_same_and_no_mail_goes(board: Board, post: Postbox) -> None:
    with having(board.app, ratelimit_enabled=True):
        nina = join(board, "nina")
        answers = [nina.post("/verify") for _ in range(4)]
        assert len(post.mails()) == 3
        assert {(answer.status_code, answer.headers["Location"]) for answer in answers} == {(303, "/verify")}
        paula = join(board, "paula", "nina@example.net")  # counted by address, whoever asks
        assert len(post.mails()) == 3
        with stopped_at(now() + timedelta(days=1, minutes=1)):
            paula.post("/verify")
            assert len(post.mails()) == 4


def test_what_is_said_is_true_when_the_days_mails_are_used_up(board: Board, post: Postbox) -> None:
    with having(board.app, ratelimit_enabled=True):
        nina = join(board, "nina")
        for _ in range(4):
            nina.post("/verify")
            assert "unless 3 went there today already" in nina.get("/verify").text
        assert "on its way" not in nina.get("/verify").text
        assert len(post.mails()) == 3


def test_one_member_writes_to_few_strangers_and_one_place_to_few_more(board: Board, post: Postbox) -> None:
    with having(board.app, ratelimit_enabled=True):
        answers = []
        for name in ("nina", "paula", "quinn", "rosa", "sven", "tess", "ugo"):
            visitor = board.member(name, verified=False)
            token = visitor.token()
            answers.append([visitor.post("/verify", {"email": f"{name}{number}@example.net"}, token=token).status_code for number in range(6)])
        assert answers == [[303] * 5 + [429]] * 6 + [[429] * 6]
        assert len(post.mails()) == 6  # what a member asked for before is true no longer


def test_whoever_was_going_somewhere_gets_there_after_joining_and_again_after_confirming(board: Board, post: Postbox) -> None:
    nina = board.cy
    assert 'name="next" value="/topics?after=x"' in nina.get("/register?next=/topics%3Fafter%3Dx").text
    answer = nina.post("/register", {"username": "nina", "email": "nina@example.net", "password": PASSWORD, "next": "/topics?after=x"})
    assert answer.headers["Location"] == "/topics?after=x"
    assert nina.post(post.link("nina@example.net")).headers["Location"] == "/topics?after=x"
    assert "onward" not in cookie(nina)


def test_a_member_who_registers_again_leaves_the_old_session_behind(board: Board) -> None:
    anna = board.anna
    before = anna.viewer.token
    join(board, "nina", visitor=anna)
    assert name_in(anna) == "nina"
    other = board.cy
    with other.client.session_transaction() as held:
        held["_user_id"] = before
    assert name_in(other) == ""


def test_claims_that_were_never_confirmed_sign_nobody_in(board: Board) -> None:
    join(board, "nina")
    answer = board.cy.post("/login", {"username": "nina@example.net", "password": PASSWORD})
    assert answer.status_code == 422
    with board.app.app_context():
        db.session.execute(update(EmailAddress).values(verified_at=now()))
        db.session.commit()
    assert board.cy.post("/login", {"username": "NINA@example.net", "password": PASSWORD}).status_code == 303
