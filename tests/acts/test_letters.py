"""Telling the person: a notice and a mailed receipt, whose link opens it without signing in, and for nobody else."""

import pytest
from flask import Flask
from sqlalchemy import select

from blog import tokens
from blog.acts import letters, recording
from blog.acts.models import Act, ActKind, TargetKind
from blog.comments import writing
from blog.db import db
from blog.db import writing as transaction
from blog.moderation import hiding
from blog.notices.models import Notice, NoticeKind
from tests.accounts.postbox import Postbox, path_in
from tests.conftest import Board
from tests.factories import make_post

SECRET = "zebrafinch"
REASON = "Names a client of hers, with the street."


@pytest.fixture
def postbox(app: Flask) -> Postbox:
    box = Postbox(app)
    box.empty()
    return box


@pytest.fixture
def hidden(app: Flask, board: Board) -> int:
    """Number of the act by which mo hid what bo wrote."""
    anna, bo, mo = board.anna, board.bo, board.mo
    with app.app_context():
        post = make_post(anna.id)
        with transaction():
            comment = writing.add(post.id, bo.viewer, writing.words(f"I saw a {SECRET}."))
        with transaction():
            return hiding.hide_comment(comment, mo.viewer, rule_id=2, reason=REASON).number


def notices(app: Flask, member_id: int) -> list[tuple[str, int]]:
    with app.app_context():
        found = db.session.execute(select(Notice.kind, Notice.subject_id).where(Notice.member_id == member_id).order_by(Notice.id))
        return [(row.kind, row.subject_id) for row in found]


def test_the_person_gets_a_notice_and_a_mail_in_the_transaction_of_the_act(app: Flask, board: Board, hidden: int, postbox: Postbox) -> None:
    with app.app_context():
        act_id = db.session.execute(select(Act.id).where(Act.number == hidden)).scalar_one()
    assert notices(app, board.bo.id) == [(NoticeKind.ACT, act_id)]
    assert notices(app, board.mo.id) == []
    assert [kind for kind, _ in notices(app, board.anna.id)] == [NoticeKind.COMMENT]  # that bo wrote under her post, and nothing of the act
    [mail] = postbox.mails()
    assert mail.to == "bo@example.org"
    assert mail.subject == f"Your comment was hidden (act {hidden}, Parley)"
    assert REASON in mail.text
    assert "by M1" in mail.text
    assert "You can appeal once, until" in mail.text
    assert SECRET not in mail.text + mail.subject
    assert "&#" not in mail.text
    assert "<" not in mail.text


def test_an_act_that_is_rolled_back_tells_nobody(app: Flask, board: Board, postbox: Postbox) -> None:
    bo, mo = board.bo, board.mo
    with app.app_context(), pytest.raises(RuntimeError), transaction():
        recording.record(ActKind.WARN, mo.viewer, person_id=bo.id, target=(TargetKind.MEMBER, bo.id), rule_id=1, reason=REASON, scope="this account")
        raise RuntimeError
    assert notices(app, bo.id) == []
    assert postbox.mails() == []


def test_the_mails_link_opens_the_personal_face_without_signing_in(board: Board, hidden: int, postbox: Postbox) -> None:
    path = path_in(postbox.to("bo@example.org"))
    answer = board.cy.get(path)
    assert answer.status_code == 200
    assert SECRET in answer.text
    assert "Your comment was hidden" in answer.text
    assert "You can appeal once" in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "same-origin"  # the key goes nowhere else, and the page's form still says where it is from
    assert "noindex" in answer.text


@pytest.mark.parametrize("key", ["", "x", "é", "0" * 43])
def test_without_the_right_key_the_page_is_everybodys(board: Board, hidden: int, key: str) -> None:
    answer = board.cy.get(f"/acts/{hidden}", query_string={"key": key})
    assert answer.status_code == 200
    assert SECRET not in answer.text
    assert ">Bo<" not in answer.text
    assert "/members/bo" not in answer.text
    assert "A comment was hidden, by M1." in answer.text
    assert "no-store" not in answer.headers["Cache-Control"]


def test_a_key_opens_its_own_act_for_its_own_person_alone(app: Flask, board: Board, hidden: int) -> None:
    bo, anna, max_ = board.bo, board.anna, board.max
    with app.app_context():
        with transaction():
            other = recording.record(ActKind.WARN, max_.viewer, person_id=anna.id, target=(TargetKind.MEMBER, anna.id), rule_id=1, reason=REASON,
                                     scope="this account").number
        assert letters.holds_key(tokens.sign("act", hidden, bo.id), hidden, bo.id)
        assert not letters.holds_key(tokens.sign("act", hidden, anna.id), hidden, bo.id)
        assert not letters.holds_key(tokens.sign("act", other, bo.id), hidden, bo.id)
        assert not letters.holds_key(tokens.sign("act", hidden, 0), hidden, None)
        wrong = [tokens.sign("act", hidden, anna.id), tokens.sign("act", other, anna.id), tokens.sign("mail", hidden, bo.id)]
    for key in wrong:
        assert SECRET not in board.cy.get(f"/acts/{hidden}", query_string={"key": key}).text


def test_taking_an_act_back_at_once_tells_by_notice_and_drops_the_mail(app: Flask, board: Board, hidden: int, postbox: Postbox) -> None:
    assert board.mo.post("/comments/1/unhide").status_code == 303
    assert postbox.mails() == []
    assert len(notices(app, board.bo.id)) == 2


def test_another_moderator_who_brings_it_back_is_told_by_mail(board: Board, hidden: int, postbox: Postbox) -> None:
    assert [mail.subject.split(" (")[0] for mail in postbox.mails()] == ["Your comment was hidden"]
    assert board.max.post("/comments/1/unhide", {"reason": "It spoke of a bird, not of a person."}).status_code == 303
    assert [mail.subject.split(" (")[0] for mail in postbox.mails()] == ["Your comment was brought back", "Your comment was hidden"]


def test_an_address_that_is_not_confirmed_gets_no_mail(app: Flask, board: Board, postbox: Postbox) -> None:
    nina, mo = board.member("nina", verified=False), board.mo
    with app.app_context(), transaction():
        recording.record(ActKind.WARN, mo.viewer, person_id=nina.id, target=(TargetKind.MEMBER, nina.id), rule_id=1, reason=REASON, scope="this account")
    assert postbox.mails() == []
    assert len(notices(app, nina.id)) == 1


def test_what_the_board_itself_does_is_told_by_notice_alone(app: Flask, board: Board, postbox: Postbox) -> None:
    bo = board.bo
    with app.app_context(), transaction():
        act = recording.record(ActKind.HOLD, None, person_id=bo.id, target=(TargetKind.HELD, 1), rule_id=1, reason=REASON, scope="this comment only",
                               filter_name="links")
        assert act.actor_handle == "Board"
    assert postbox.mails() == []
    assert len(notices(app, bo.id)) == 1
