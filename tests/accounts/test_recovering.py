"""A forgotten password."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from blog.accounts import registering
from blog.accounts.models import MailedLink, Member, Role
from blog.clock import now, stopped_at
from blog.db import db, writing
from tests.accounts.postbox import PASSWORD, Postbox, having, join, name_in, sign_in
from tests.conftest import Board, counted

OTHER = "nine patient otters"


def make(board: Board, username: str) -> None:
    with board.app.app_context(), writing():
        registering.create_verified(username, f"{username}@example.org", Role.MEMBER, PASSWORD)


def test_the_mailed_link_shows_a_form_that_changes_the_password_once_and_signs_out_everywhere(board: Board, post: Postbox) -> None:
    make(board, "nina")
    inside = sign_in(board, "nina")
    cy = board.cy
    assert cy.post("/forgot", {"email": "NINA@example.org"}).headers["Location"] == "/login"
    link = post.link("nina@example.org")
    assert link.startswith("/reset/")
    page = cy.get(link)
    assert page.status_code == 200 and 'autocomplete="new-password"' in page.text and page.headers["Cache-Control"] == "no-store"
    assert name_in(inside) == "nina"  # looking is not pressing
    answer = cy.post(link, {"password": OTHER})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/login")
    assert "new password holds" in cy.get("/login").text
    assert name_in(inside) == "" and name_in(cy) == ""
    assert board.cy.post("/login", {"username": "nina", "password": PASSWORD}).status_code == 422
    sign_in(board, "nina", OTHER)
    for again in (cy.get(link), cy.post(link, {"password": "yet another phrase"})):
        assert again.status_code == 410 and 'href="/forgot"' in again.text
    sign_in(board, "nina", OTHER)


def test_a_link_lasts_an_hour(board: Board, post: Postbox) -> None:
    make(board, "nina")
    board.cy.post("/forgot", {"email": "nina@example.org"})
    link = post.link("nina@example.org")
    with stopped_at(now() + timedelta(minutes=59)):
        assert board.cy.get(link).status_code == 200
    with stopped_at(now() + timedelta(minutes=61)):
        assert board.cy.post(link, {"password": OTHER}).status_code == 410
    sign_in(board, "nina")


def test_a_weak_password_is_refused_and_the_link_stays_good(board: Board, post: Postbox) -> None:
    make(board, "nina")
    board.cy.post("/forgot", {"email": "nina@example.org"})
    link = post.link("nina@example.org")
    cy = board.cy
    for weak in ("short", "nina-nina-nina", "password1234", "x" * 1001):
        answer = cy.post(link, {"password": weak})
        assert answer.status_code == 422 and 'aria-invalid="true"' in answer.text and weak not in answer.text
    assert cy.post(link, {"password": OTHER}).status_code == 303


def test_known_and_unknown_addresses_have_the_same_answer_at_the_same_cost(board: Board, post: Postbox) -> None:
    make(board, "nina")
    join(board, "petra", "petra@example.org")  # a claim, not confirmed
    answers = []
    for email in ("nina@example.org", "petra@example.org", "nobody@example.org"):
        visitor = board.cy
        token = visitor.token()
        with counted(board.app) as statements:
            answer = visitor.post("/forgot", {"email": email}, token=token)
        answers.append((answer.status_code, answer.headers["Location"], answer.text, len(statements), visitor.get("/login").text.split("<main")[0]))
    assert answers[0] == answers[1] == answers[2]
    assert [mail.to for mail in post.mails() if "/reset/" in mail.text] == ["nina@example.org"]


def test_what_is_no_address_is_said_to_be_none(board: Board) -> None:
    answer = board.cy.post("/forgot", {"email": "nina"})
    assert answer.status_code == 422 and 'value="nina"' in answer.text


def test_choosing_a_password_ends_the_other_links(board: Board, post: Postbox) -> None:
    make(board, "nina")
    links = []
    for _ in range(2):
        board.cy.post("/forgot", {"email": "nina@example.org"})
        links.append(post.link("nina@example.org"))
    assert links[0] != links[1]
    assert board.cy.post(links[0], {"password": OTHER}).status_code == 303
    assert board.cy.get(links[1]).status_code == 410
    board.cy.post("/forgot", {"email": "nina@example.org"})
    third = post.link("nina@example.org")
    here = sign_in(board, "nina", OTHER)
    here.post("/settings/security", {"current_password": OTHER, "password": PASSWORD})
    assert board.cy.get(third).status_code == 410


def test_two_presses_at_once_change_the_password_once(board: Board, post: Postbox) -> None:
    make(board, "nina")
    board.cy.post("/forgot", {"email": "nina@example.org"})
    link = post.link("nina@example.org")
    visitors = [board.cy, board.cy]
    tokens = [visitor.token() for visitor in visitors]
    start, statuses = threading.Barrier(2), []

    def press(number: int) -> None:
        start.wait()
        statuses.append(visitors[number].post(link, {"password": f"{OTHER} {number}"}, token=tokens[number]).status_code)

    threads = [threading.Thread(target=press, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [303, 410]


@pytest.mark.one_database
def test_a_verify_link_is_no_reset_link_and_the_other_way_round(board: Board, post: Postbox) -> None:
    join(board, "petra")
    verify = post.link("petra@example.net")
    make(board, "nina")
    board.cy.post("/forgot", {"email": "nina@example.org"})
    reset = post.link("nina@example.org")
    assert board.cy.post(verify.replace("/verify/", "/reset/"), {"password": OTHER}).status_code == 410
    assert board.cy.post(reset.replace("/reset/", "/verify/")).status_code == 410


def test_three_reset_mails_a_day_go_to_one_address(board: Board, post: Postbox) -> None:
    make(board, "nina")
    with having(board.app, ratelimit_enabled=True):
        answers = {board.cy.post("/forgot", {"email": email}).headers["Location"] for email in ["nina@example.org", "NINA@example.org"] * 3}
        assert answers == {"/login"}
        assert len(post.mails()) == 3


def test_an_address_that_is_confirmed_elsewhere_meanwhile_gets_no_link_of_the_old_account(board: Board, post: Postbox) -> None:
    make(board, "nina")
    board.cy.post("/forgot", {"email": "nina@example.org"})
    with board.app.app_context():  # the address is given up before the worker comes to it
        db.session.execute(update(registering.EmailAddress).values(verified_at=None))
        db.session.commit()
    assert post.mails() == []
    with board.app.app_context():
        assert db.session.execute(select(MailedLink)).first() is None


def test_the_operator_hands_over_a_link_that_sets_the_first_password(board: Board) -> None:
    answer = board.app.test_cli_runner().invoke(args=["members", "create", "root", "root@example.org", "--role", "administrator", "--display-name", "Ada Root"])
    assert answer.exit_code == 0, answer.output
    link = answer.output.strip().rsplit("http://127.0.0.1:8000", 1)[1]
    with stopped_at(now() + timedelta(days=2)):
        assert board.cy.post(link, {"password": OTHER}).status_code == 303
    sign_in(board, "root@example.org", OTHER)
    with board.app.app_context():
        root = db.session.execute(select(Member)).scalar_one()
        assert (root.role, root.display_name, root.verified_at is not None) == (Role.ADMINISTRATOR, "Ada Root", True)


def test_the_shell_takes_a_password_and_says_what_it_refuses(board: Board) -> None:
    runner = board.app.test_cli_runner()
    made = runner.invoke(args=["members", "create", "mod-1", "mod@example.org", "--role", "moderator", "--password-stdin"], input="short\n")
    assert made.exit_code == 0 and "http" not in made.output
    sign_in(board, "mod-1", "short")
    refusals = (["MOD-1", "other@example.org"], ["mod-2", "MOD@example.org"], ["a b", "ab@example.org"], ["mod-3", "nowhere"],
                ["mod-4", "x@example.org", "--display-name", "www.x.org"])
    for arguments in refusals:
        refused = runner.invoke(args=["members", "create", *arguments, "--role", "member"])
        assert refused.exit_code == 1 and refused.output.startswith("Error: ") and "Traceback" not in refused.output
    assert runner.invoke(args=["members", "create", "x-y", "xy@example.org", "--password-stdin"], input="").exit_code == 1
    assert runner.invoke(args=["members", "role", "mod-1", "author"]).exit_code == 0
    assert runner.invoke(args=["members", "role", "nobody", "author"]).exit_code == 1
    assert runner.invoke(args=["members", "role", "mod-1", "king"]).exit_code == 2
    listed = runner.invoke(args=["members", "list"]).output
    assert "mod-1  author" in listed and "confirmed" in listed and len(listed.splitlines()) == 1
