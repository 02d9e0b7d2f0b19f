"""In and out: passwords, cookies, own browsers, and one answer to every failure."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import argon2
import pytest
from itsdangerous import TimestampSigner
from sqlalchemy import func, select, update

from blog.accounts import passwords, recovering, registering, sessions, signing_in
from blog.accounts.models import LoginSession, Member, Role
from blog.clock import now, stopped_at
from blog.db import db, writing
from tests.accounts.postbox import PASSWORD, Postbox, cookie, having, join, name_in, sign_in
from tests.conftest import Board, Visitor, counted

OTHER = "nine patient otters"


def make(board: Board, username: str, **facts: object) -> None:
    """A confirmed member with a password, address username@example.org."""
    with board.app.app_context(), writing():
        registering.create_verified(username, f"{username}@example.org", Role.MEMBER, PASSWORD, **facts)  # type: ignore[arg-type]


def with_cookie(board: Board, held: dict[str, object]) -> Visitor:
    """A browser that somebody gave an old cookie."""
    visitor = board.cy
    with visitor.client.session_transaction() as session:
        session.update(held)
    return visitor


@contextmanager
def computations(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The argon2 computations that happen inside."""
    seen: list[str] = []
    with monkeypatch.context() as patch:
        for name in ("hash_secret", "verify_secret"):
            real = getattr(argon2._password_hasher, name)

            def count(*args: object, real: object = real, name: str = name, **facts: object) -> object:
                seen.append(name)
                return real(*args, **facts)  # type: ignore[operator]

            patch.setattr(argon2._password_hasher, name, count)
        yield seen


@pytest.mark.parametrize("name", ["nina", "NINA", "nina@example.org", "Nina@Example.ORG", "  nina "])
def test_a_member_signs_in_by_name_or_confirmed_address(board: Board, name: str) -> None:
    make(board, "nina")
    visitor = board.cy
    with counted(board.app) as statements:
        answer = visitor.client.post("/login", data={"username": name, "password": PASSWORD, "csrf_token": visitor.token()})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert len(statements) <= 8
    assert name_in(visitor) == "nina"
    assert cookie(visitor)["_permanent"] is True


@pytest.mark.parametrize("fields", [
    {"username": "nina", "password": "wrong"}, {"username": "nobody", "password": PASSWORD},
    {"username": "no@example.org", "password": PASSWORD}, {"username": "", "password": ""}, {},
    {"username": "nina", "password": PASSWORD + " "}, {"username": "ä" * 5000, "password": "x" * 50_000},
])
def test_every_failure_has_one_answer(board: Board, fields: dict[str, str]) -> None:
    make(board, "nina")
    visitor = board.cy
    answer = visitor.post("/login", {**fields, "next": "/topics"})
    assert answer.status_code == 422
    assert signing_in.WRONG in answer.text.replace("&#39;", "’")
    assert 'role="alert"' in answer.text and "autofocus" in answer.text
    assert 'name="next" value="/topics"' in answer.text
    assert f'value="{fields.get("username", "")}"' in answer.text
    assert PASSWORD not in answer.text
    assert name_in(visitor) == ""


def test_known_and_unknown_names_cost_the_same_work(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    make(board, "nina")
    assert board.anna.id  # has no password yet
    make(board, "exhibit", is_demo=True)
    work = []
    with having(board.app, env="production"):
        for name in ("nina", "nobody", "anna", "exhibit", "nina@example.org", "nobody@example.org"):
            visitor = board.cy
            token = visitor.token()
            with computations(monkeypatch) as hashes, counted(board.app) as statements:
                answer = visitor.post("/login", {"username": name, "password": OTHER if name.startswith("nina") else PASSWORD}, token=token)
            work.append((answer.status_code, len(answer.text.replace(name, "")), hashes, len(statements)))
    assert work[0][0] == 422
    assert all(each == work[0] for each in work)
    assert work[0][2] == ["verify_secret"]


def test_joining_costs_one_computation_whether_the_address_is_taken_or_the_name(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    make(board, "nina")
    for name, email in (("petra", "petra@example.org"), ("paula", "nina@example.org"), ("nina", "other@example.org")):
        visitor = board.cy
        token = visitor.token()
        with computations(monkeypatch) as hashes:
            visitor.post("/register", {"username": name, "email": email, "password": PASSWORD}, token=token)
        assert hashes == ["hash_secret"]


def test_signing_in_rotates_the_session_and_every_form_token(board: Board) -> None:
    make(board, "nina")
    visitor = sign_in(board, "nina")
    token, before = visitor.token(), cookie(visitor)
    sign_in(board, "nina", visitor=visitor)
    after = cookie(visitor)
    assert after["_user_id"] != before["_user_id"]
    assert visitor.token() != token and cookie(visitor)["csrf_token"] != before["csrf_token"]
    assert name_in(with_cookie(board, before)) == ""  # the row it had is ended
    with board.app.app_context():
        assert db.session.execute(select(func.count()).select_from(LoginSession)).scalar_one() == 1
    assert visitor.post("/settings/profile", {"about": "x"}, token=token).status_code == 400


def test_a_strangers_form_token_is_worth_nothing_after_signing_in(board: Board) -> None:
    make(board, "nina")
    visitor = board.cy
    token = visitor.token()
    visitor.post("/login", {"username": "nina", "password": PASSWORD}, token=token)
    assert visitor.post("/settings/profile", {"about": "x"}, token=token).status_code == 400


def test_signing_out_ends_the_session_for_good(board: Board) -> None:
    make(board, "nina")
    visitor = sign_in(board, "nina")
    old = cookie(visitor)
    answer = visitor.post("/logout")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert "_user_id" not in cookie(visitor)
    assert name_in(visitor) == "" and name_in(with_cookie(board, old)) == ""
    with board.app.app_context():
        assert db.session.execute(select(func.count()).select_from(LoginSession)).scalar_one() == 0
    assert board.cy.post("/logout", token="").status_code == 303  # nothing to end, nothing to complain about


def test_signing_out_needs_the_token(board: Board) -> None:
    anna = board.anna
    assert anna.post("/logout", token="").status_code == 400
    assert anna.client.get("/logout").status_code == 405
    assert name_in(anna) == "anna"


def test_a_form_without_token_is_answered_with_the_form_and_a_fresh_one(board: Board) -> None:
    make(board, "nina")
    visitor = board.cy
    answer = visitor.post("/login", {"username": "nina", "password": PASSWORD}, token="")
    assert answer.status_code == 400
    assert 'value="nina"' in answer.text and 'name="csrf_token"' in answer.text
    assert name_in(visitor) == ""


def test_whoever_is_signed_in_needs_no_login_page(board: Board) -> None:
    for page in ("/login", "/register"):
        assert board.anna.get(f"{page}?next=/topics").headers["Location"] == "/topics"
        assert board.anna.get(f"{page}?next=//evil.example").headers["Location"] == "/"


@pytest.mark.parametrize("next", [
    "//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "/\tevil", "evil", "", "http:evil", "/%0d%0a\nx",
    "////x",
])
@pytest.mark.one_database
def test_next_leads_to_own_pages_only(board: Board, next: str) -> None:
    make(board, "nina")
    answer = board.cy.post("/login", {"username": "nina", "password": PASSWORD, "next": next})
    assert answer.headers["Location"] == "/"
    joined = board.cy.post("/register", {"username": "petra", "email": "p@example.net", "password": PASSWORD, "next": next})
    assert joined.headers["Location"] == "/verify"
    assert "evil" not in board.cy.get("/login", query_string={"next": next}).text


def test_next_is_carried_between_the_two_pages(board: Board) -> None:
    page = board.cy.get("/login?next=/posts/a%3Fb=1%23comment-5").text
    assert 'href="/register?next=/posts/a%3Fb%3D1%23comment-5"' in page
    assert 'name="next" value="/posts/a?b=1#comment-5"' in page
    assert 'href="/login?next=/topics"' in board.cy.get("/register?next=/topics").text


def test_old_parameters_of_a_password_are_renewed_at_sign_in(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    make(board, "nina")
    old = argon2.PasswordHasher(time_cost=2, memory_cost=16, parallelism=1).hash(PASSWORD)
    with board.app.app_context():
        db.session.execute(update(Member).values(password_hash=old))
        db.session.commit()
    sign_in(board, "nina")
    with board.app.app_context():
        kept = db.session.execute(select(Member.password_hash)).scalar_one()
        assert kept != old and not passwords.is_outdated(kept) and passwords.verify(kept, PASSWORD)


def test_a_password_changed_between_check_and_entry_lets_nobody_in(board: Board, inside: None) -> None:
    make(board, "nina")
    known = signing_in.recognise("nina", PASSWORD)
    with writing():
        db.session.execute(update(Member).values(password_hash=passwords.hash_password(OTHER)))
    with pytest.raises(signing_in.Invalid), writing():
        signing_in.begin(known, "test", instead_of=0)


def test_demo_accounts_stay_closed_in_production_unless_their_password_is_set(board: Board, post: Postbox) -> None:
    make(board, "exhibit", is_demo=True)
    inside = sign_in(board, "exhibit")
    with having(board.app, env="production"):
        answer = board.cy.post("/login", {"username": "exhibit", "password": PASSWORD})
        assert answer.status_code == 422 and signing_in.WRONG in answer.text
        assert name_in(inside) == ""  # a cookie is a door too
        board.cy.post("/forgot", {"email": "exhibit@example.org"})
        assert post.mails() == []  # and so is a mailed link
        with having(board.app, demo_password="set by the operator"):
            assert name_in(inside) == "exhibit"
            sign_in(board, "exhibit")
    assert name_in(inside) == "exhibit"


def test_after_twenty_sign_ins_the_wait_is_stated_and_the_name_kept(board: Board) -> None:
    make(board, "nina")
    with having(board.app, ratelimit_enabled=True):
        visitor = board.cy
        token = visitor.token()
        for number in range(20):
            assert visitor.post("/login", {"username": f"n{number}", "password": "x"}, token=token).status_code == 422
        answer = visitor.post("/login", {"username": "nina", "password": PASSWORD, "next": "/topics"}, token=token)
        assert answer.status_code == 429
        assert 0 < int(answer.headers["Retry-After"]) <= 300
        assert 'value="nina"' in answer.text and 'value="/topics"' in answer.text and "20 sign-ins" in answer.text
        right = {"username": "nina", "password": PASSWORD, "csrf_token": token}
        elsewhere = visitor.client.post("/login", data=right, environ_base={"REMOTE_ADDR": "192.0.2.7"})
        assert elsewhere.status_code == 303


def try_from(visitor: Visitor, address: str, password: str, token: str, name: str = "nina") -> int:
    """The answer to a sign-in from that address."""
    fields = {"username": name, "password": password, "csrf_token": token}
    return visitor.client.post("/login", data=fields, environ_base={"REMOTE_ADDR": address}).status_code


def test_who_guesses_from_one_address_keeps_the_owner_out_nowhere_else(board: Board) -> None:
    make(board, "nina")
    with having(board.app, ratelimit_enabled=True):
        visitor = board.cy
        token = visitor.token()
        names = ("nina", "NINA", "n1na")
        answers = [try_from(visitor, "192.0.2.1", "x", token, names[number % 3]) for number in range(22)]
        assert answers == [422] * 20 + [429] * 2
        assert try_from(visitor, "198.51.100.7", PASSWORD, token) == 303


def test_an_account_guessed_at_from_everywhere_gives_few_tries_to_each_address_and_one_to_its_owner(board: Board) -> None:
    make(board, "nina")
    with having(board.app, ratelimit_enabled=True):
        visitor = board.cy
        token = visitor.token()
        before = [try_from(visitor, f"192.0.2.{number // 10}", "x", token) for number in range(100)]
        after = [try_from(visitor, "203.0.113.5", "x", token) for number in range(5)]
        assert (before, after) == ([422] * 100, [422] * 3 + [429] * 2)
        assert try_from(visitor, "198.51.100.7", PASSWORD, token) == 303


# -- the member's own say


def test_changing_the_password_ends_every_other_browser_and_renews_this_one(board: Board) -> None:
    make(board, "nina")
    here, there = sign_in(board, "nina"), sign_in(board, "nina")
    old = cookie(here)
    token = here.token()
    answer = here.post("/settings/security", {"current_password": PASSWORD, "password": OTHER}, token=token)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/settings/security")
    assert name_in(here) == "nina" and name_in(there) == ""
    assert name_in(with_cookie(board, old)) == ""
    assert here.token() != token
    assert board.cy.post("/login", {"username": "nina", "password": PASSWORD}).status_code == 422
    sign_in(board, "nina", OTHER)


@pytest.mark.parametrize(("current", "chosen", "field"), [
    ("wrong", OTHER, "current_password"), (PASSWORD, "short", "password"), (PASSWORD, "nina-nina-nina", "password"),
    ("", "", "current_password"), (PASSWORD, "password1234", "password"),
])
def test_a_refused_change_changes_nothing(board: Board, current: str, chosen: str, field: str) -> None:
    make(board, "nina")
    here, there = sign_in(board, "nina"), sign_in(board, "nina")
    answer = here.post("/settings/security", {"current_password": current, "password": chosen})
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert name_in(here) == name_in(there) == "nina"
    sign_in(board, "nina")


def test_own_browsers_are_listed_and_can_be_ended_one_by_one(board: Board) -> None:
    make(board, "nina")
    here = sign_in(board, "nina")
    there = board.cy
    agent = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}
    there.client.post("/login", data={"username": "nina", "password": PASSWORD, "csrf_token": there.token()}, headers=agent)
    with counted(board.app) as statements:
        page = here.get("/settings/security").text
    assert "Firefox on Linux" in page and page.count("(this one)") == 1
    assert len(statements) <= 4
    with board.app.app_context():
        number = db.session.execute(select(LoginSession.id).where(LoginSession.browser == agent["User-Agent"])).scalar_one()
    assert here.post("/settings/security", {"end": str(number)}).status_code == 303
    assert name_in(there) == "" and name_in(here) == "nina"
    assert here.post("/settings/security", {"end": str(number)}).status_code == 422  # ended already


def test_ending_this_browser_signs_it_out_and_ending_all_others_leaves_it(board: Board) -> None:
    make(board, "nina")
    here, one, two = sign_in(board, "nina"), sign_in(board, "nina"), sign_in(board, "nina")
    assert here.post("/settings/security", {"end": "others"}).status_code == 303
    assert [name_in(visitor) for visitor in (here, one, two)] == ["nina", "", ""]
    with board.app.app_context():
        number = db.session.execute(select(LoginSession.id)).scalar_one()
    assert here.post("/settings/security", {"end": str(number)}).headers["Location"] == "/"
    assert name_in(here) == ""


def test_nobody_ends_the_browser_of_somebody_else(board: Board) -> None:
    anna, bo = board.anna, board.bo
    for number in (bo.viewer.session_id, 10**18, 0):
        assert anna.post("/settings/security", {"end": str(number)}).status_code == 422
    assert anna.post("/settings/security", {"end": "others"}).status_code == 303
    assert name_in(bo) == "bo"


@pytest.mark.one_database
@pytest.mark.parametrize("end", ["x", "-1", "1" * 30, "1;2", "٣", "others "])
def test_a_browser_that_is_no_number_is_refused(board: Board, end: str) -> None:
    assert board.anna.post("/settings/security", {"end": end}).status_code == 422
    assert name_in(board.anna) == "anna"


def test_the_security_page_says_whether_the_address_is_confirmed(board: Board) -> None:
    assert "anna@example.org, confirmed" in board.anna.get("/settings/security").text
    nina = join(board, "nina")
    assert "nina@example.net is not confirmed yet" in nina.get("/settings/security").text


def test_a_session_that_was_not_used_for_long_has_ended(board: Board) -> None:
    anna = board.anna
    with board.app.app_context():
        db.session.execute(update(LoginSession).values(expires_at=sessions.now()))
        db.session.commit()
    assert name_in(anna) == ""


@pytest.mark.one_database
def test_full_price_passwords_are_argon2id_with_our_parameters(board: Board, inside: None) -> None:
    board.app.config["CHEAP_PASSWORDS"] = False
    try:
        kept = passwords.hash_password("Grüße, 友達 🦩")
        assert kept.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
        assert passwords.verify(kept, "Grüße, 友達 🦩") and not passwords.verify(kept, "Grüße, 友達")
        assert not passwords.verify(None, "x") and not passwords.verify("no hash at all", "x")
    finally:
        board.app.config["CHEAP_PASSWORDS"] = True
    assert passwords.is_outdated(kept)


@pytest.mark.one_database
def test_all_of_a_long_password_counts(board: Board, inside: None) -> None:
    kept = passwords.hash_password("ä" * 999 + "b")
    assert passwords.verify(kept, "ä" * 999 + "b") and not passwords.verify(kept, "ä" * 999 + "c")
    assert passwords.verify(passwords.hash_password(" two spaces "), " two spaces ") and not passwords.verify(kept, "ä" * 999)
    assert passwords.verify(passwords.hash_password("caf\u00e9 caf\u00e9"), "cafe\u0301 cafe\u0301")  # the same letters from another keyboard


def test_two_sign_ins_at_once_give_two_sessions(board: Board) -> None:
    make(board, "nina")
    visitors = [board.cy, board.cy]
    threads = [threading.Thread(target=sign_in, args=(board, "nina", PASSWORD, visitor)) for visitor in visitors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [name_in(visitor) for visitor in visitors] == ["nina", "nina"]


def test_a_sign_in_with_the_old_password_does_not_outlive_the_new_one(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new password is set in the moment between checking the old one and the session that it opens."""
    make(board, "nina")
    with board.app.app_context(), writing():
        member = db.session.execute(select(Member).where(Member.username == "nina")).scalar_one()
        link, member_id = recovering.link_by_hand(member), member.id
    real, threads = sessions.start, []

    def reset() -> None:
        with board.app.app_context(), writing():
            recovering.reset(link.removeprefix("/reset/"), passwords.hash_password(OTHER))

    def start(*args: object) -> str:
        threads.append(threading.Thread(target=reset))
        threads[0].start()
        threads[0].join(0.5)
        return real(*args)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(sessions, "start", start)
        board.cy.post("/login", {"username": "nina", "password": PASSWORD})
    threads[0].join(10)
    with board.app.app_context():
        assert db.session.execute(select(func.count()).select_from(LoginSession).where(LoginSession.member_id == member_id)).scalar_one() == 0


def test_who_signs_in_or_joins_as_somebody_else_after_hours_does_it_in_one_piece(board: Board) -> None:
    """Noting that the session they leave was used is no part of it, and no end of it."""
    make(board, "nina")
    visitor = sign_in(board, "nina")
    with board.app.app_context():
        db.session.execute(update(LoginSession).values(seen_at=now() - timedelta(hours=2)))
        db.session.commit()
    make(board, "petra")
    assert name_in(sign_in(board, "petra", visitor=visitor)) == "petra"
    with board.app.app_context():
        db.session.execute(update(LoginSession).values(seen_at=now() - timedelta(hours=2)))
        db.session.commit()
    assert name_in(join(board, "greta", visitor=visitor)) == "greta"
    with board.app.app_context():
        assert db.session.execute(select(func.count()).select_from(LoginSession)).scalar_one() == 1


@pytest.fixture
def dated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cookies are dated by our clock, so that a test may let time pass."""
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda self: int(now().timestamp()))


def is_given_a_cookie(visitor: Visitor, path: str = "/", **options: bool) -> bool:
    answer = visitor.get(path, **options)
    assert answer.status_code == 200, answer.headers
    cookies = answer.headers.getlist("Set-Cookie")
    assert all(cookie.startswith("parley=") and "Expires=" in cookie for cookie in cookies)
    return bool(cookies)


def test_who_comes_by_is_not_signed_out_sixty_days_after_signing_in(board: Board, dated: None) -> None:
    make(board, "nina")
    visitor = sign_in(board, "nina")
    start = now()
    for days in range(20, 161, 20):
        with stopped_at(start + timedelta(days=days)):
            assert name_in(visitor) == "nina", f"signed out after {days} days"
    with stopped_at(start + timedelta(days=160 + 61)):
        assert name_in(visitor) == ""


def test_a_cookie_goes_out_once_an_hour_and_not_with_every_page(board: Board, dated: None) -> None:
    make(board, "nina")
    visitor = sign_in(board, "nina")
    start = now()
    with stopped_at(start):
        visitor.get("/")  # a page with a form: the secret of forms goes into the cookie once
        assert not any(is_given_a_cookie(visitor, path) for path in ("/", "/topics", "/settings/profile", "/"))
    for hours in (1, 3, 5):
        with stopped_at(start + timedelta(hours=hours, minutes=5)):
            assert is_given_a_cookie(visitor, htmx=hours == 3)
            assert not any(is_given_a_cookie(visitor, path) for path in ("/", "/topics", "/settings/profile"))
        with stopped_at(start + timedelta(hours=hours, minutes=50)):
            assert not is_given_a_cookie(visitor)


def test_no_cookie_goes_out_where_the_visit_could_not_be_noted(board: Board, dated: None, monkeypatch: pytest.MonkeyPatch) -> None:
    make(board, "nina")
    visitor = sign_in(board, "nina")
    visitor.get("/")
    monkeypatch.setattr(sessions, "note", lambda statement: False)
    with stopped_at(now() + timedelta(hours=2)):
        assert not any(is_given_a_cookie(visitor) for _ in range(3))


def test_a_strangers_pages_set_no_cookie_however_long_they_read(board: Board, dated: None) -> None:
    visitor = board.cy
    start = now()
    for hours in (0, 2, 30, 24 * 70):
        with stopped_at(start + timedelta(hours=hours)):
            assert not any(is_given_a_cookie(visitor, path) for path in ("/", "/topics", "/rules", "/feed.atom"))


def test_who_signs_out_after_hours_leaves_no_cookie(board: Board, dated: None) -> None:
    make(board, "nina")
    visitor = sign_in(board, "nina")
    token = visitor.token()
    with stopped_at(now() + timedelta(hours=2)):
        visitor.post("/logout", token=token)
        assert cookie(visitor) == {}
        assert name_in(visitor) == ""
