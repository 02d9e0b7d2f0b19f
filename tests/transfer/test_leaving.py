"""Leaving: what goes, what stays, and that no door opens again."""

import re
import threading
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, func, select

from blog.accounts import links, recovering, registering, sessions, signing_in
from blog.accounts.models import EmailAddress, LinkPurpose, LoginSession, MailedLink, Member, Role
from blog.acts.letters import receipt_path
from blog.acts.models import Act, TargetKind
from blog.comments import writing as comments
from blog.comments.models import Comment, Thank, Visit
from blog.db import db, writing
from blog.drafts import keeping
from blog.drafts.models import Draft
from blog.errors import Gone, Invalid, NotAllowed, NotFound
from blog.filters import admitting, holding
from blog.filters.holding import Cause
from blog.filters.models import HeldKind, HeldText, Invitation
from blog.moderation import cases, hiding, reporting, sanctioning
from blog.moderation.models import Appeal, Case, Report
from blog.notices.models import Notice, NoticeKind
from blog.notices.telling import tell, tell_each
from blog.posts import publishing
from blog.posts.models import Post, PostRevision, PostState
from blog.transfer import leaving
from blog.viewer import Viewer
from tests.accounts.postbox import PASSWORD, Postbox, having, name_in, sign_in
from tests.conftest import Board, Visitor, counted
from tests.factories import make_post

REASON = "Names a client of hers, with the street."
ABOUT = "I teach at the kitchen table."


def with_password(board: Board, username: str = "nora", role: Role = Role.MEMBER) -> Visitor:
    """A member who has a password, signed in."""
    with board.app.app_context(), writing():
        registering.create_verified(username, f"{username}@example.org", role, PASSWORD, about=ABOUT)
    client = sign_in(board, username).client
    return Visitor(client, viewer_of(board, client))


def viewer_of(board: Board, client: Any) -> Viewer:
    with client.session_transaction() as cookie:
        token = cookie["_user_id"]
    with board.app.app_context():
        found = sessions.load(token)
    assert found
    return found


def go(who: Visitor, **fields: str) -> Any:
    return who.post("/settings/data", {"action": "leave", **fields})


def of(table: Any, owner: Any, member_id: int) -> int:
    return int(db.session.execute(select(func.count()).select_from(table).where(owner == member_id)).scalar_one())


def fill(board: Board, who: Visitor) -> dict[str, int]:
    """Somebody with everything that goes and everything that stays."""
    made: dict[str, int] = {}
    viewer, anna, mo = who.viewer, board.anna.viewer, board.mo.viewer
    with board.app.app_context():
        made["post"] = make_post(who.id, "My table").id
        made["draft"] = make_post(who.id, "Not yet", "Nobody has read this.", state=PostState.DRAFT).id
        made["waits"] = make_post(who.id, "Waiting", "Nobody has approved this.", state=PostState.HELD).id
        theirs = make_post(anna.id, "Their table").id
        with writing():
            because = Cause("Word list, line 1", 4, "This board is careful about offers.")
            holding.hold_post(viewer, because, made["waits"])
            made["comment"] = comments.add(theirs, viewer, comments.words("Words that stay."))
            made["reply"] = comments.add(theirs, anna, comments.words("An answer."), parent_id=made["comment"])
            made["hidden"] = comments.add(theirs, viewer, comments.words("Words that were hidden."))
            made["held"] = holding.hold(viewer, because, HeldKind.COMMENT, post_id=theirs, source="Held words.", html="<p>Held words.</p>")
            keeping.keep("/posts/new", {"body": "Half a thought"}, member_id=who.id)
            admitting.invite(viewer)
            links.issue(LinkPurpose.RESET, who.id)
            db.session.add_all([Thank(comment_id=made["reply"], member_id=who.id), Visit(member_id=who.id, post_id=theirs, last_seq=1)])
            reporting.report((TargetKind.COMMENT, made["reply"]), viewer, rule_id=3, note="It names my sister.")
        with writing():
            made["act"] = hiding.hide_comment(made["hidden"], mo, rule_id=2, reason=REASON).number
    return made


def test_everything_of_the_account_goes_and_what_was_published_stays(app: Flask, board: Board) -> None:
    nora = with_password(board)
    made = fill(board, nora)
    page = board.cy.get("/posts/their-table").text
    assert ">nora<" in page
    answer = go(nora, current_password=PASSWORD)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert "You have left." in nora.client.get("/").text
    with app.app_context():
        member = db.session.get_one(Member, nora.id)
        assert member.left_at
        assert (member.username, member.display_name, member.about, member.password_hash, member.verified_at) == ("nora", "Former member", "", None, None)
        for table, owner in ((LoginSession, LoginSession.member_id), (EmailAddress, EmailAddress.member_id), (MailedLink, MailedLink.member_id),
                             (Draft, Draft.member_id), (Notice, Notice.member_id), (Invitation, Invitation.made_by), (Visit, Visit.member_id)):
            assert of(table, owner, nora.id) == 0, table.__name__
        for table, owner in ((Thank, Thank.member_id), (Report, Report.reporter_id), (Comment, Comment.author_id), (Act, Act.person_id)):
            assert of(table, owner, nora.id) > 0, table.__name__
        for name in ("draft", "waits"):
            post = db.session.get_one(Post, made[name])
            assert (post.title, post.html, post.teaser) == ("", "", "")
            assert post.deleted_at
            assert set(db.session.execute(select(PostRevision.source).where(PostRevision.post_id == post.id)).scalars()) == {""}
        held = db.session.get_one(HeldText, made["held"])
        assert (held.state, held.source, held.html) == ("taken back", "", "")
        assert db.session.get_one(Post, made["post"]).title == "My table"
    page = board.cy.get("/posts/their-table").text
    assert "Words that stay." in page
    assert "Former member" in page
    assert ">nora<" not in page
    person = board.cy.get("/members/nora").text
    assert "Former member" in person
    assert ABOUT not in person
    assert "My table" in person
    assert "Left on " in board.mo.get("/moderation/members/nora").text


def test_no_door_opens_again(app: Flask, board: Board) -> None:
    nora = with_password(board)
    other = sign_in(board, "nora")
    with app.app_context(), writing():
        reset = links.token_of(links.issue(LinkPurpose.RESET, nora.id))
    with app.app_context():
        known = signing_in.recognise("nora", PASSWORD)
    assert go(nora, current_password=PASSWORD).status_code == 303
    for browser in (nora, other):
        assert name_in(browser) == ""
        assert browser.client.get("/settings/profile").status_code == 303
    for name in ("nora", "nora@example.org"):
        answer = board.cy.post("/login", {"username": name, "password": PASSWORD})
        assert (answer.status_code, signing_in.WRONG in answer.text) == (422, True)
    assert board.cy.get(f"/reset/{reset}").status_code == 410
    with app.app_context():
        assert sessions.load(nora.viewer.token) is None
        with pytest.raises(Invalid), writing():
            signing_in.begin(known, "a browser", instead_of=0)  # the password was right a moment before
        with writing():  # whatever row is left or made by hand
            token, again = sessions.start(nora.id, "a browser"), links.token_of(links.issue(LinkPurpose.RESET, nora.id))
        assert sessions.load(token) is None
        with pytest.raises(Gone):
            recovering.look(again)
        with pytest.raises(NotFound), writing():
            registering.give_role("nora", Role.ADMINISTRATOR)


def test_a_session_that_ends_in_the_moment_of_signing_in_opens_nothing_and_breaks_nothing(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    nora = with_password(board)
    browser, begin = board.cy, signing_in.begin

    def begin_and_lose(*args: Any, **facts: Any) -> str:
        token = begin(*args, **facts)
        db.session.execute(delete(LoginSession).where(LoginSession.member_id == nora.id))
        return token

    with monkeypatch.context() as patch:
        patch.setattr(signing_in, "begin", begin_and_lose)
        assert browser.post("/login", {"username": "nora", "password": PASSWORD}).status_code == 303
    assert name_in(browser) == ""


def test_a_forgotten_password_sends_nothing(app: Flask, board: Board) -> None:
    post = Postbox(app)
    post.empty()
    nora = with_password(board)
    assert go(nora, current_password=PASSWORD).status_code == 303
    assert board.cy.post("/forgot", {"email": "nora@example.org"}).status_code == 303
    assert [mail for mail in post.mails() if mail.to == "nora@example.org"] == []


def test_the_username_is_never_given_again_and_the_address_is_free(app: Flask, board: Board) -> None:
    assert go(with_password(board), current_password=PASSWORD).status_code == 303
    with app.app_context():
        for name in ("nora", "NORA"):
            with pytest.raises(Invalid) as refused, writing():
                registering.create_verified(name, "new@example.org", Role.MEMBER, PASSWORD)
            assert refused.value.field == "username"
        with writing():
            registering.create_verified("eleonora", "nora@example.org", Role.MEMBER, PASSWORD)


@pytest.mark.parametrize("htmx", [False, True])
@pytest.mark.parametrize("given", ["", "nine green bottles hang"])
def test_a_wrong_password_is_refused_in_words(app: Flask, board: Board, given: str, htmx: bool) -> None:
    nora = with_password(board)
    answer = nora.post("/settings/data", {"action": "leave", "current_password": given}, htmx=htmx)
    assert answer.status_code == 422
    assert "That is not your present password, so you have not left." in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert PASSWORD not in answer.text
    with app.app_context():
        assert db.session.get_one(Member, nora.id).left_at is None
    assert nora.client.get("/settings/profile").status_code == 200


def test_guessing_the_password_there_is_slow(board: Board) -> None:
    nora = with_password(board)
    with having(board.app, ratelimit_enabled=True):
        assert [go(nora, current_password="no").status_code for _ in range(21)] == [422] * 20 + [429]


def test_who_has_no_password_types_their_username(app: Flask, board: Board) -> None:
    assert 'name="current_password"' not in board.bo.get("/settings/data").text
    for wrong in ("", "anna"):
        answer = go(board.bo, username=wrong, current_password="x")
        assert answer.status_code == 422
        assert "Type your username, bo, so that nobody leaves by a slip." in answer.text
    assert go(board.bo, username=" Bo ").status_code == 303
    with app.app_context():
        assert db.session.get_one(Member, board.bo.id).left_at


def test_twice_is_once(app: Flask, board: Board) -> None:
    nora = with_password(board)
    with app.app_context():
        kept = leaving.approve(nora.viewer, PASSWORD, "")
    assert go(nora, current_password=PASSWORD).status_code == 303
    with app.app_context():
        left = db.session.get_one(Member, nora.id).left_at
        with writing():
            leaving.leave(nora.viewer, kept)
        assert db.session.get_one(Member, nora.id).left_at == left
    again = nora.post("/settings/data", {"action": "leave", "current_password": PASSWORD}, token="")
    assert again.status_code == 303
    assert again.headers["Location"].startswith("/login")


def test_a_password_changed_meanwhile_keeps_the_account(app: Flask, board: Board) -> None:
    nora = with_password(board)
    with app.app_context():
        kept = leaving.approve(nora.viewer, PASSWORD, "")
        with writing():
            db.session.get_one(Member, nora.id).password_hash = "another"
        with pytest.raises(Invalid) as refused, writing():
            leaving.leave(nora.viewer, kept)
        assert refused.value.field == "current_password"
        assert db.session.get_one(Member, nora.id).left_at is None


def test_a_suspended_member_leaves_and_still_appeals_by_the_mailed_link(app: Flask, board: Board) -> None:
    nora, ad = with_password(board), board.ad
    with app.app_context():
        with writing():
            act = sanctioning.suspend(nora.id, ad.viewer, rule_id=2, reason=REASON)
        with app.test_request_context():
            path = receipt_path(act, nora.id)
    assert "suspended" in nora.get("/posts/new").text
    assert go(nora, current_password=PASSWORD).status_code == 303
    cy = board.cy
    page = cy.get(path)
    assert page.status_code == 200
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert token
    answer = cy.post(path.replace("?", "/appeal?"), {"statement": "She is a person in a novel, and not a client."}, token=token[1])
    assert answer.status_code == 303
    with app.app_context():
        assert db.session.execute(select(Appeal.person_id)).scalar_one() == nora.id


def test_open_reports_are_still_answered_and_nobody_is_told(app: Flask, board: Board) -> None:
    nora = with_password(board)
    made = fill(board, nora)
    assert go(nora, current_password=PASSWORD).status_code == 303
    bo, max_ = board.bo, board.max
    with app.app_context():
        with writing():
            hiding.hide_comment(made["reply"], max_.viewer, rule_id=3, reason=REASON)
            comments.add(made["post"], bo.viewer, comments.words("Where are you?"))
            tell(nora.id, NoticeKind.ACT, 1)
            tell_each([board.anna.id, nora.id], NoticeKind.REPORT, 1)
        assert db.session.execute(select(Case.state).join(Report, Report.case_id == Case.id).where(Report.reporter_id == nora.id)).scalar_one() == "closed"
        assert of(Notice, Notice.member_id, nora.id) == 0
        assert db.session.execute(select(Notice.id).where(Notice.member_id == board.anna.id, Notice.kind == "report")).first()


def test_a_moderator_leaves_what_they_had_claimed_to_others(app: Flask, board: Board) -> None:
    vera = with_password(board, "vera", Role.MODERATOR)
    fill(board, board.bo)
    with app.app_context():
        case = db.session.execute(select(Case.id)).scalar_one()
        with writing():
            cases.claim(case, vera.viewer)
    assert go(vera, current_password=PASSWORD).status_code == 303
    with app.app_context():
        assert db.session.execute(select(Case.claimed_by)).scalar_one() is None
        assert db.session.get_one(Member, vera.id).role == Role.MEMBER
        with writing():
            cases.claim(case, board.mo.viewer)


def test_the_last_administrator_stays(app: Flask, board: Board) -> None:
    ada = with_password(board, "ada", Role.ADMINISTRATOR)
    page = ada.get("/settings/data").text
    assert "You are the only administrator, and a board needs one." in page
    assert 'value="leave"' not in page
    answer = go(ada, current_password=PASSWORD)
    assert answer.status_code == 403
    assert "Give somebody else that role first" in answer.text
    assert ada.client.get("/settings/profile").status_code == 200
    assert board.ad.id
    assert go(ada, current_password=PASSWORD).status_code == 303
    answer = go(board.ad, username="ad")
    assert answer.status_code == 403


def test_of_two_administrators_who_leave_at_once_one_stays(app: Flask, board: Board) -> None:
    both = [board.ad.viewer, board.member("ava", Role.ADMINISTRATOR).viewer]
    ready, refused = threading.Barrier(2), list[str]()

    def run(number: int) -> None:
        with app.app_context():
            ready.wait()
            try:
                with writing():
                    leaving.leave(both[number], None)
            except NotAllowed as error:
                refused.append(error.sentence)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1
    with app.app_context():
        assert len(db.session.execute(select(Member.id).where(Member.role == Role.ADMINISTRATOR, Member.left_at.is_(None))).all()) == 1


def test_it_costs_the_same_however_much_there_is(app: Flask, board: Board) -> None:
    seen = []
    for name, count in (("nora", 1), ("vera", 12)):
        who = with_password(board, name)
        with app.app_context():
            for number in range(count):
                make_post(who.id, f"Draft {name} {number}", state=PostState.DRAFT)
                with writing():
                    keeping.keep(f"/posts/{number + 1}/edit", {"body": "x"}, member_id=who.id)
            kept = db.session.get_one(Member, who.id).password_hash
            with counted(app) as statements, writing():
                leaving.leave(who.viewer, kept)
        seen.append(len(statements))
    assert seen == [16, 16]  # one more for an administrator


def test_the_page_says_what_happens_before_the_button(board: Board) -> None:
    page = board.bo.get("/settings/data").text
    assert page.index("under the name “Former member”") < page.index('value="leave"')
    assert page.index("Your username is never given to anybody else.") < page.index('value="leave"')


def test_a_deleted_draft_stays_gone(app: Flask, board: Board) -> None:
    assert board.bo.id
    with app.app_context():
        draft = make_post(board.bo.id, "Not yet", state=PostState.DRAFT).id
        with writing():
            publishing.delete(draft, board.bo.viewer)
            leaving.leave(board.bo.viewer, None)
        assert db.session.get_one(Post, draft).title == ""
