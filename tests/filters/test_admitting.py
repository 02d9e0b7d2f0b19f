"""Who comes in: open, approved, invited, closed; invitations; mail domains; programs. Nobody is refused by a machine for good."""

import re
import threading
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from lxml import html as lxml_html
from sqlalchemy import func, select

from blog.accounts.models import Member
from blog.acts.models import Act
from blog.clock import now, stopped_at
from blog.db import db
from blog.filters.models import FilterKind, Invitation
from tests.accounts.postbox import PASSWORD, Postbox, having, join, name_in
from tests.conftest import Board, Visitor, counted
from tests.factories import make_post
from tests.filters.lists import LIMITED, PATH, SENTENCE, line, send

HELD = "/moderation/held"
REASON = "Joined three times today to sell something."


@pytest.fixture
def post(app: Flask) -> Postbox:
    box = Postbox(app)
    box.empty()
    return box


def row(board: Board, username: str) -> Member:
    with board.app.app_context():
        return db.session.execute(select(Member).where(Member.username == username)).scalar_one()


def members(board: Board) -> int:
    with board.app.app_context():
        return int(db.session.execute(select(func.count()).select_from(Member)).scalar_one())


def fields(username: str, **more: str) -> dict[str, str]:
    return {"username": username, "email": f"{username}@example.net", "password": PASSWORD, **more}


def invitation(who: Visitor, **more: str) -> str:
    """The token of a new invitation, from the link that its maker is shown once."""
    assert who.post("/settings/invitations", more).status_code == 303
    page = who.get("/settings/invitations").text
    found = re.search(r'value="http[^"]+/register\?invitation=([\w-]+)"', page)
    assert found, page
    assert found.group(1) not in who.get("/settings/invitations").text  # once
    return found.group(1)


# -- closed


def test_a_closed_board_says_so_and_lets_members_in(board: Board) -> None:
    assert board.anna.id
    with having(board.app, registration="closed"):
        cy = board.cy
        page = cy.get("/register")
        assert page.status_code == 403
        assert "This board takes no new members at present." in page.text and 'href="/login"' in page.text
        assert 'href="/register"' not in cy.get("/").text
        answer = cy.post("/register", fields("nina"))
        assert answer.status_code == 403 and "takes no new members" in answer.text
        assert members(board) == 1
        assert 'name="password"' in cy.get("/login").text
    assert board.cy.get("/register").status_code == 200


# -- approved


def test_a_newcomer_waits_until_a_moderator_admits_them(board: Board, post: Postbox) -> None:
    anna = board.anna.id
    with board.app.app_context():
        make_post(anna)
    with having(board.app, registration="approved"):
        assert "A moderator admits each new member." in board.cy.get("/register").text
        nina = join(board, "nina")
        assert "A moderator admits new members here." in nina.get("/").text
        assert name_in(nina) == "nina"  # signed in at once
        nina.post(post.link("nina@example.net"))
        refused = send(nina, "May I?")
        assert refused.status_code == 403 and "May I?" in refused.text
        assert "A moderator admits new members here and has not come to you yet." in refused.text
        assert nina.post("/posts/new", {"title": "T", "body": "B"}).status_code == 403
        assert nina.get(PATH).status_code == 200
    nina.post("/settings/profile", {"about": "I teach fractions."})
    page = lxml_html.fromstring(board.mo.get(HELD).text)
    assert page.xpath('//*[@id="case-count"]')[0].text_content().strip().startswith("1")
    found = page.xpath('//li[starts-with(@id, "member-")]')[0].text_content()
    assert "nina" in found and "I teach fractions." in found and "address at example.net" in found and "nina@" not in found
    assert board.mo.post("/members/nina/admit").headers["Location"] == HELD
    assert row(board, "nina").is_waiting is False
    mail = post.to("nina@example.net")
    assert "You are a member of" in mail.subject
    assert send(nina, "Thank you.").status_code == 303
    second = board.max.post("/members/nina/admit")
    assert second.status_code == 409 and "already admitted, by M1, just now" in second.text
    with board.app.app_context():
        act = db.session.execute(select(Act)).scalar_one()
        assert (act.kind, act.target_kind, act.target_id, act.person_id) == ("approve", "member", row(board, "nina").id, row(board, "nina").id)


def test_a_refused_newcomer_reads_the_reason_and_may_be_admitted_later(board: Board, post: Postbox) -> None:
    anna = board.anna.id
    with board.app.app_context():
        make_post(anna)
    with having(board.app, registration="approved"):
        nina = join(board, "nina")
        nina.post(post.link("nina@example.net"))
    assert board.mo.get("/members/nina/refuse").status_code == 200
    short = board.mo.post("/members/nina/refuse", {"rule": "4", "reason": "short"}, htmx=True)
    assert short.status_code == 422 and "short" in short.text
    assert board.mo.post("/members/nina/refuse", {"rule": "4", "reason": REASON}).status_code == 303
    mail = post.to("nina@example.net")
    assert "You were not admitted" in mail.subject and REASON in mail.text
    assert re.search(r"/acts/1\?key=[\w]{43}", mail.text)
    refused = send(nina, "May I?")
    assert refused.status_code == 403 and "A moderator did not admit you." in refused.text and "act 1" in refused.text
    assert "nina" not in board.mo.get(HELD).text  # decided
    assert board.max.post("/members/nina/refuse", {"rule": "4", "reason": REASON}).status_code == 409
    assert board.max.post("/members/nina/admit").status_code == 303
    assert send(nina, "Thank you.").status_code == 303
    with board.app.app_context():
        first, second = db.session.execute(select(Act).order_by(Act.number)).scalars()
        assert (first.kind, second.kind, second.undoes_id) == ("reject", "approve", first.id)


def test_only_moderators_admit(board: Board) -> None:
    with having(board.app, registration="approved"):
        nina = join(board, "nina")
    for who in (nina, board.bo):
        assert who.post("/members/nina/admit").status_code == 403
        assert who.get("/members/nina/refuse").status_code == 403
    assert row(board, "nina").is_waiting is True
    assert board.mo.post("/members/bo/admit").status_code == 409  # who does not wait
    assert board.mo.post("/members/nobody/admit").status_code == 404


def test_a_mail_of_admission_goes_to_confirmed_addresses_alone(board: Board, post: Postbox) -> None:
    with having(board.app, registration="approved"):
        join(board, "nina")
    assert len(post.mails()) == 1
    assert "address not confirmed" in board.mo.get(HELD).text
    board.mo.post("/members/nina/admit")
    assert len(post.mails()) == 1


# -- invited


def test_an_invitation_lets_one_person_in(board: Board) -> None:
    with having(board.app, registration="invited"):
        assert "/settings/invitations" in board.bo.get("/").text
        token = invitation(board.bo)
        cy = board.cy
        assert cy.get("/register").status_code == 403
        assert "Joining here needs an invitation." in cy.get("/register").text
        assert cy.post("/register", fields("nina")).status_code == 403
        assert cy.post("/register", fields("nina", invitation="rubbish")).status_code == 403
        page = cy.get(f"/register?invitation={token}")
        assert page.status_code == 200 and "Bo invites you." in page.text
        form = lxml_html.fromstring(page.text).xpath('//form[@id="register-form"]')[0]
        assert form.xpath('.//input[@name="invitation"]/@value') == [token]
        kept = cy.post("/register", fields("nina", invitation=token, password="short"))
        assert kept.status_code == 422 and token in kept.text
        assert cy.post("/register", fields("nina", invitation=token)).status_code == 303
        assert row(board, "nina").invited_by == board.bo.id
        late = board.cy.post("/register", fields("petra", invitation=token))
        assert late.status_code == 403 and "petra@example.net" in late.text  # what was typed is still there
        assert "has been used" in board.cy.get(f"/register?invitation={token}").text
    with board.app.app_context():
        kept_row = db.session.execute(select(Invitation)).scalar_one()
        assert kept_row.uses_left == 0 and token not in kept_row.token_hash


def test_an_invitation_ends_by_time_and_by_its_maker(board: Board) -> None:
    with having(board.app, registration="invited"):
        token = invitation(board.bo)
        with stopped_at(now() + timedelta(days=14, minutes=1)):
            assert board.cy.post("/register", fields("nina", invitation=token)).status_code == 403
        assert board.anna.post("/settings/invitations", {"end": "1"}).status_code == 422
        assert board.cy.get(f"/register?invitation={token}").status_code == 200
        assert board.bo.post("/settings/invitations", {"end": "1"}).status_code == 303
        assert board.cy.get(f"/register?invitation={token}").status_code == 403
        assert "None of yours is open." in board.bo.get("/settings/invitations").text


def test_who_may_invite_how_many(board: Board) -> None:
    with having(board.app, registration="invited", **LIMITED):
        answer = board.bo.post("/settings/invitations")
        assert answer.status_code == 403 and "Members who have been here for a while can invite others." in answer.text
        assert board.mo.post("/settings/invitations", {"uses": "25"}).status_code == 303
        assert board.mo.post("/settings/invitations", {"uses": "26"}).status_code == 422
        for uses in ("0", "-1", "99999999999999999999", "x"):
            assert board.mo.post("/settings/invitations", {"uses": uses}).status_code == 422, uses
    with having(board.app, registration="invited", inviting="moderators"):
        assert board.bo.post("/settings/invitations").status_code == 403
        assert "moderators make the invitations" in board.bo.get("/settings/invitations").text
    with having(board.app, registration="invited"):
        assert board.bo.post("/settings/invitations", {"uses": "2"}).status_code == 422
        assert board.member("nina", verified=False).post("/settings/invitations").status_code == 403
        for _ in range(10):
            board.bo.post("/settings/invitations")
        assert board.bo.post("/settings/invitations").status_code == 409


def test_of_two_at_once_one_has_the_last_use(board: Board) -> None:
    with having(board.app, registration="invited"):
        token = invitation(board.bo)
        visitors = [board.cy, board.cy]
        tokens = [visitor.token() for visitor in visitors]
        answers: list[Any] = [None, None]
        barrier = threading.Barrier(2)

        def press(number: int) -> None:
            barrier.wait()
            answers[number] = visitors[number].post("/register", fields(f"twin-{number}x", invitation=token), token=tokens[number])

        threads = [threading.Thread(target=press, args=(number,)) for number in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(answer.status_code for answer in answers) == [303, 403]
    assert members(board) == 2


# -- mail domains


def test_an_address_at_a_listed_mail_domain_is_refused_with_its_sentence(board: Board) -> None:
    line(board, "throwaway.example", FilterKind.EMAIL_DOMAIN, sentence="Addresses that last ten minutes can’t be written to. Give another.")
    cy = board.cy
    for email in ("nina@throwaway.example", "nina@MX.Throwaway.example"):
        answer = cy.post("/register", fields("nina", email=email))
        assert answer.status_code == 422
        error = lxml_html.fromstring(answer.text).xpath('//*[@id="email-error"]')[0].text_content()
        assert "Addresses that last ten minutes" in error and email in answer.text
    nina = join(board, "nina")
    assert nina.post("/verify", {"email": "nina@throwaway.example"}).status_code == 422
    assert nina.post("/verify", {"email": "nina@other.example"}).status_code == 303


def test_a_taken_address_costs_what_a_free_one_costs_with_lists(board: Board) -> None:
    assert board.anna.id
    line(board, "throwaway.example", FilterKind.EMAIL_DOMAIN)
    costs = []
    for name, email in (("petra", "petra@example.org"), ("paula", "anna@example.org")):
        with counted(board.app) as statements:
            board.cy.post("/register", fields(name, email=email))
        costs.append(len(statements))
    assert costs[0] == costs[1]


# -- programs


def test_a_form_that_looks_filled_in_by_a_program_waits_for_a_moderator(board: Board) -> None:
    page = lxml_html.fromstring(board.cy.get("/register").text)
    trap = page.xpath('//form[@id="register-form"]//input[@name="homepage"]')[0]
    assert trap.get("tabindex") == "-1" and trap.getparent().get("aria-hidden") == "true"
    join(board, "off", homepage="https://me.example")
    assert row(board, "off").is_waiting is False  # budgets are switched off
    start = now().replace(microsecond=0)
    with having(board.app, **LIMITED, typing_seconds=4):
        assert name_in(join(board, "robo", homepage="https://me.example")) == "robo"  # in, and waiting
        with stopped_at(start):
            token = re.search(r'name="began" value="([^"]+)"', board.cy.get("/register").text)
            assert token
            join(board, "quick", began=token.group(1))
        with stopped_at(start + timedelta(seconds=5)):
            join(board, "slow", began=token.group(1))
        join(board, "plain")  # the contract's fields alone
    assert [row(board, name).is_waiting for name in ("robo", "quick", "slow", "plain")] == [True, True, False, False]
    assert "robo" in board.mo.get(HELD).text
    assert SENTENCE not in board.mo.get(HELD).text
