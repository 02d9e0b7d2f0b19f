"""Appeals: one for an act, by the person concerned, signed in or by their mailed link; talked over; decided by another moderator; undone as a whole."""

import re
import threading
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from lxml import html as lxml_html
from sqlalchemy import select, update

from blog.accounts.models import Member, Role
from blog.acts import recording
from blog.acts.letters import receipt_path
from blog.acts.models import Act, ActKind, TargetKind
from blog.clock import now, stopped_at
from blog.comments import writing
from blog.comments.models import Comment
from blog.db import db
from blog.db import writing as transaction
from blog.errors import Conflict, NotAllowed
from blog.moderation import answering, appeals, hiding, reporting
from blog.moderation.models import Appeal, AppealMessage, Case, Outcome, Report
from blog.notices.models import Notice
from blog.posts.models import Post
from tests.accounts.postbox import Postbox
from tests.conftest import Board, Visitor, counted
from tests.factories import make_post

SECRET = "zebrafinch"
REASON = "Names a client of hers, with the street."
STATEMENT = "She is a person in a novel, and not a client of anybody."
ANSWER = "The novel is well known, and nobody is harmed by it."


@pytest.fixture(autouse=True)
def cast(board: Board) -> None:
    """Members are made before a test opens a transaction."""
    for who in (board.anna, board.bo, board.mo, board.max):
        assert who.id


@pytest.fixture
def comment_id(app: Flask, board: Board) -> int:
    """bo's comment, with a reply, hidden by mo in act 1."""
    with app.app_context():
        post = make_post(board.anna.id, title="The kitchen table").id
        with transaction():
            found = writing.add(post, board.bo.viewer, writing.words(f"Mrs {SECRET} of Mill Lane."))
            writing.add(post, board.anna.viewer, writing.words("Who is that?"), parent_id=found)
        with transaction():
            hiding.hide_comment(found, board.mo.viewer, rule_id=2, reason=REASON)
    return found


def key_path(app: Flask, number: int = 1, what: str = "") -> str:
    """The address of the person's receipt, or of a form on it, with the key of their mail."""
    with app.app_context(), app.test_request_context():
        act = db.session.execute(select(Act).where(Act.number == number)).scalar_one()
        assert act.person_id
        path, _, key = receipt_path(act, act.person_id).partition("?")
    return f"{path}{what}?{key}"


def told(app: Flask, who: Visitor) -> list[tuple[str, int]]:
    """Kind and subject of the notices, oldest first."""
    with app.app_context():
        return [(row.kind, row.subject_id) for row in db.session.execute(select(Notice).where(Notice.member_id == who.id).order_by(Notice.id)).scalars()]


def acts(app: Flask) -> list[Act]:
    with app.app_context():
        found = list(db.session.execute(select(Act).order_by(Act.number)).scalars())
        db.session.expunge_all()
        return found


def file(who: Visitor, number: int = 1, **options: Any) -> Any:
    return who.post(f"/acts/{number}/appeal", {"statement": STATEMENT}, **options)


def decide(who: Visitor, outcome: str = "overturn", number: int = 1, **fields: str) -> Any:
    return who.post(f"/acts/{number}/decide", {"outcome": outcome, "reason": ANSWER, **fields})


# -- filing


@pytest.mark.parametrize("htmx", [False, True])
def test_the_person_appeals_once(app: Flask, board: Board, comment_id: int, htmx: bool) -> None:
    page = board.bo.get("/acts/1").text
    assert 'action="/acts/1/appeal"' in page
    assert "Another moderator decides, not M1." in page
    answer = file(board.bo, htmx=htmx)
    assert answer.status_code == (200 if htmx else 303)
    assert STATEMENT in board.bo.get("/acts/1").text
    assert 'name="statement"' not in board.bo.get("/acts/1").text
    assert told(app, board.mo)[-1] == ("appealed", acts(app)[0].id)
    assert "Your act 1 was appealed" in board.mo.get("/notices").text
    again = file(board.bo, htmx=htmx)
    assert again.status_code == 409
    assert "one appeal is possible" in again.text
    with app.app_context():
        assert len(db.session.execute(select(Appeal)).scalars().all()) == 1


def test_the_link_in_the_mail_appeals_without_signing_in(app: Flask, board: Board, comment_id: int) -> None:
    cy = board.cy
    path = key_path(app)
    page = cy.get(path)
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "same-origin"
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert token
    answer = cy.post(key_path(app, what="/appeal"), {"statement": STATEMENT}, token=token[1])
    assert answer.status_code == 303
    assert STATEMENT in cy.get(answer.headers["Location"].partition("#")[0]).text
    with app.app_context():
        assert db.session.execute(select(Appeal.person_id)).scalar_one() == board.bo.id


def test_a_damaged_link_opens_nothing(app: Flask, board: Board, comment_id: int) -> None:
    file(board.bo)
    good = key_path(app, what="/appeal")
    for path in (good[:-1] + "x", good.replace("/acts/1/", "/acts/1/") + "0", "/acts/1/appeal?key=x", "/acts/1/messages?key=x"):
        cy = board.cy
        answers = [cy.post(path, {"statement": STATEMENT, "body": "Hello"}, token=cy.token())]
        if "messages" not in path:
            answers.append(cy.get(path))
        for answer in answers:
            assert answer.status_code == 403
            assert STATEMENT not in answer.text or 'name="statement"' in answer.text  # what they typed themselves
    # Of another act it is good for nothing here.
    with app.app_context(), transaction():
        recording.record(ActKind.WARN, board.mo.viewer, person_id=board.bo.id, target=(TargetKind.MEMBER, board.bo.id), rule_id=2, reason=REASON,
                         scope="this account")
    other = key_path(app, 2, "/appeal").replace("/acts/2/", "/acts/1/")
    assert board.cy.get(other).status_code == 403


def test_a_suspended_member_appeals(app: Flask, board: Board, comment_id: int) -> None:
    with app.app_context(), transaction():
        act = recording.record(ActKind.SUSPEND, board.mo.viewer, person_id=board.bo.id, target=(TargetKind.MEMBER, board.bo.id), rule_id=2, reason=REASON,
                               scope="this account on the whole board", until=now() + timedelta(days=30))
        db.session.execute(update(Member).where(Member.id == board.bo.id).values(suspended_by=act.id, suspended_until=act.until))
    assert board.bo.post("/posts/the-kitchen-table/comments", {"body": "May I?"}).status_code == 403
    assert file(board.bo, 2).status_code == 303
    assert board.bo.post("/acts/2/messages", {"body": "Please ask."}).status_code == 303


def test_nobody_else_appeals_and_not_too_late(app: Flask, board: Board, comment_id: int) -> None:
    for who in (board.anna, board.mo, board.max):
        assert file(who).status_code == 403
        assert who.get("/acts/1/appeal").status_code == 403
    with app.app_context(), stopped_at(now() + timedelta(days=15)), transaction(), pytest.raises(NotAllowed, match="14 days"):
        appeals.file(1, board.bo.id, STATEMENT)
    with app.app_context(), transaction():
        hiding.unhide_comment(comment_id, board.max.viewer, reason=ANSWER)
    answer = file(board.bo)
    assert answer.status_code == 409
    assert STATEMENT in answer.text
    assert file(board.bo, 2).status_code == 403  # bringing back takes nothing from anybody


@pytest.mark.parametrize("statement", ["", "short", "x" * 4001])
def test_a_statement_of_the_wrong_length_comes_back(app: Flask, board: Board, comment_id: int, statement: str) -> None:
    for htmx in (False, True):
        answer = board.bo.post("/acts/1/appeal", {"statement": statement}, htmx=htmx)
        assert answer.status_code == 422
        assert statement in answer.text
    with app.app_context():
        assert not db.session.execute(select(Appeal)).first()


def test_what_was_begun_stands_in_the_form_again(board: Board, comment_id: int) -> None:
    board.bo.post("/drafts", {"target": "/acts/1/appeal", "statement": "Half a thought"})
    assert "Half a thought" in board.bo.get("/acts/1").text
    assert "Half a thought" in board.bo.get("/acts/1/appeal").text
    file(board.bo)
    assert "Half a thought" not in board.bo.get("/acts/1").text


# -- talking


def test_the_appellant_and_a_moderator_write_to_each_other(app: Flask, board: Board, comment_id: int) -> None:
    file(board.bo)
    postbox = Postbox(app)
    postbox.empty()
    assert board.max.post("/acts/1/messages", {"body": "Which novel is it?"}).status_code == 303
    assert told(app, board.bo)[-1] == ("message", acts(app)[0].id)
    mail = postbox.to("bo@example.org")
    assert "act 1" in mail.subject
    assert "Which novel" not in mail.text
    assert "/acts/1?key=" in mail.text
    page = board.bo.get("/acts/1").text
    assert "Which novel is it?" in page
    assert "Max" not in re.sub(r"(?s)<header.*?</header>", "", page)
    assert board.bo.post("/acts/1/messages", {"body": "The one about the parrot."}).status_code == 303
    assert told(app, board.max)[-1] == ("message", acts(app)[0].id)
    assert "The one about the parrot." in board.max.get("/acts/1/decide").text
    # Whoever acted reads along and says nothing.
    assert board.mo.post("/acts/1/messages", {"body": "No."}).status_code == 403
    for who in (board.anna, board.cy):
        assert "parrot" not in who.get("/acts/1").text
        assert STATEMENT not in who.get("/acts/1").text
    decide(board.max)
    late = board.bo.post("/acts/1/messages", {"body": "And thank you."})
    assert late.status_code == 410
    assert "And thank you." in late.text


def test_a_message_and_a_decision_that_were_begun_stand_there_again(board: Board, comment_id: int) -> None:
    file(board.bo)
    for who in (board.bo, board.max):
        assert who.post("/drafts", {"target": "/acts/1/messages", "body": "Half a thought"}).status_code < 400
        assert "Half a thought" in who.get("/acts/1").text
        assert who.post("/acts/1/messages", {"body": "A whole one."}).status_code == 303
        assert "Half a thought" not in who.get("/acts/1").text
    board.max.post("/drafts", {"target": "/acts/1/decide", "reason": "Begun to answer", "until": "2027-01-02T09:00"})
    assert "Begun to answer" in board.max.get("/acts/1/decide").text
    board.max.post("/drafts", {"target": "/acts/1/decide", "reason": "Begun to answer", "until": "soon"})
    assert "Begun to answer" in board.max.get("/acts/1/decide").text


def test_a_message_sent_again_is_one(app: Flask, board: Board, comment_id: int) -> None:
    file(board.bo)
    for _ in range(2):
        board.bo.post("/acts/1/messages", {"body": "Once.", "submission_id": "ABCDEFGHIJKLMNOPQRST"})
    with app.app_context():
        assert db.session.execute(select(AppealMessage.body)).scalars().all() == ["Once."]
    answer = board.bo.post("/acts/1/messages", {"body": "x" * 2001})
    assert answer.status_code == 422
    assert "x" * 2001 in answer.text


# -- deciding


def test_overturned_everything_is_as_before_and_all_are_told(app: Flask, board: Board, comment_id: int) -> None:
    with app.app_context():
        before = db.session.execute(select(Post.comment_count)).scalar_one()
    file(board.bo)
    postbox = Postbox(app)
    postbox.empty()
    assert SECRET not in board.cy.get("/posts/the-kitchen-table").text
    assert decide(board.max).status_code == 303
    page = board.cy.get("/posts/the-kitchen-table").text
    assert SECRET in page
    with app.app_context():
        assert db.session.execute(select(Comment.hidden_by).where(Comment.id == comment_id)).scalar_one() is None
        assert db.session.execute(select(Post.comment_count)).scalar_one() == before + 1
        appeal = db.session.execute(select(Appeal)).scalar_one()
        assert (appeal.state, appeal.outcome) == ("decided", "overturn")
    hide, overturn = acts(app)
    assert (overturn.kind, overturn.undoes_id, overturn.actor_handle, overturn.rule_id) == ("overturn", hide.id, "M2", 2)
    assert told(app, board.bo)[-1] == ("appeal", overturn.id)
    assert told(app, board.mo)[-1] == ("appealed", overturn.id)
    assert "Your appeal was granted: act 1 was overturned" in board.bo.get("/notices").text
    assert ANSWER in board.bo.get("/notices").text
    assert "Act 1 was overturned on appeal" in board.mo.get("/notices").text
    mail = postbox.to("bo@example.org")
    assert "Your appeal was granted: act 1 was overturned" in mail.subject
    assert ANSWER in mail.text
    link = re.search(r"https?://[^/\s]+(/acts/1\?key=\S+)", mail.text)
    assert link
    assert ANSWER in board.cy.get(link[1]).text
    log = board.cy.get("/log").text
    assert "M2 overturned" in log
    assert "; overturned by" in log


def test_upheld_the_act_stands(app: Flask, board: Board, comment_id: int) -> None:
    file(board.bo)
    assert decide(board.max, "uphold").status_code == 303
    assert SECRET not in board.cy.get("/posts/the-kitchen-table").text
    hide, uphold = acts(app)
    assert (uphold.kind, uphold.about_id, uphold.undoes_id) == ("uphold", hide.id, None)
    assert "Your appeal was not granted: act 1 stands" in board.bo.get("/notices").text
    assert "Upheld by M2" in board.bo.get("/acts/1").text


def test_a_suspension_is_softened_to_an_earlier_end(app: Flask, board: Board) -> None:
    with app.app_context(), transaction():
        act = recording.record(ActKind.SUSPEND, board.mo.viewer, person_id=board.bo.id, target=(TargetKind.MEMBER, board.bo.id), rule_id=2, reason=REASON,
                               scope="this account on the whole board", until=now() + timedelta(days=30))
        db.session.execute(update(Member).where(Member.id == board.bo.id).values(suspended_by=act.id, suspended_until=act.until))
    file(board.bo)
    assert "The act stands, and ends earlier." in board.max.get("/acts/1/decide").text
    for until in ("", (now() + timedelta(days=40)).strftime("%Y-%m-%dT%H:%M"), "2001-01-01T00:00", "tomorrow"):
        answer = decide(board.max, "soften", until=until)
        assert answer.status_code == 422, until
        assert ANSWER in answer.text
    ends = (now() + timedelta(days=2)).replace(second=0, microsecond=0)
    assert decide(board.max, "soften", until=ends.strftime("%Y-%m-%dT%H:%M")).status_code == 303
    with app.app_context():
        assert db.session.execute(select(Member.suspended_until).where(Member.id == board.bo.id)).scalar_one() == ends


def test_a_hidden_comment_alone_can_not_be_softened(app: Flask, board: Board, comment_id: int) -> None:
    file(board.bo)
    assert 'value="soften"' not in board.max.get("/acts/1/decide").text
    assert decide(board.max, "soften").status_code == 422
    assert len(acts(app)) == 1


def test_only_another_moderator_decides(app: Flask, board: Board, comment_id: int) -> None:
    file(board.bo)
    for who in (board.anna, board.bo, board.mo):
        assert decide(who).status_code == 403, who.viewer.username
    assert "This is your own act: another moderator decides." in board.mo.get("/acts/1").text
    assert 'name="outcome"' not in board.mo.get("/acts/1").text
    assert len(acts(app)) == 1


def test_a_moderator_does_not_decide_their_own_appeal(app: Flask, board: Board) -> None:
    with app.app_context():
        post = make_post(board.anna.id, title="The kitchen table").id
        with transaction():
            found = writing.add(post, board.max.viewer, writing.words("A moderator's words."))
        with transaction():
            hiding.hide_comment(found, board.mo.viewer, rule_id=2, reason=REASON)
    file(board.max)
    assert decide(board.max).status_code == 403
    # Nobody is left: the page says so, and an administrator who comes decides.
    assert "There is no other moderator on this board so far" in board.max.get("/acts/1").text
    assert decide(board.ad).status_code == 303


def test_where_there_is_one_moderator_the_administrator_decides_and_the_page_says_so(app: Flask, board: Board) -> None:
    with app.app_context():
        db.session.execute(update(Member).where(Member.id.in_([board.mo.id, board.max.id])).values(role=Role.MEMBER))
        db.session.commit()
    assert board.ad.id
    with app.app_context():
        post = make_post(board.anna.id, title="The kitchen table").id
        with transaction():
            found = writing.add(post, board.bo.viewer, writing.words(f"A {SECRET}."))
        with transaction():
            hiding.hide_comment(found, board.ad.viewer, rule_id=2, reason=REASON)
    sentence = "There is no other moderator on this board, so the administrator decides, who is M1 too."
    assert sentence in board.bo.get("/acts/1").text
    file(board.bo)
    assert sentence in board.ad.get("/acts/1/decide").text
    assert decide(board.ad).status_code == 303
    assert SECRET in board.cy.get("/posts/the-kitchen-table").text


def test_the_second_decision_is_refused_with_the_first(app: Flask, board: Board, comment_id: int) -> None:
    assert board.ad.id
    file(board.bo)
    decide(board.max, "uphold")
    answer = decide(board.ad, "overturn")
    assert answer.status_code == 409
    assert "decided already: upheld by M2 (act 2)" in answer.text
    assert len(acts(app)) == 2


def test_of_two_who_decide_at_once_one_does(app: Flask, board: Board, comment_id: int) -> None:
    assert board.ad.id
    file(board.bo)
    results: list[object] = []

    def run(who: Visitor, outcome: Outcome) -> None:
        try:
            with app.app_context(), transaction():
                appeals.decide(1, who.viewer, outcome=outcome, reason=ANSWER)
            results.append(outcome)
        except Conflict as refusal:
            results.append(refusal.sentence)

    threads = [threading.Thread(target=run, args=args) for args in ((board.max, Outcome.OVERTURN), (board.ad, Outcome.UPHOLD))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(type(result).__name__ for result in results) == ["Outcome", "str"]
    assert len(acts(app)) == 2


def test_two_filed_at_once_are_one(app: Flask, board: Board, comment_id: int) -> None:
    results: list[str] = []

    def run() -> None:
        try:
            with app.app_context(), transaction():
                appeals.file(1, board.bo.id, STATEMENT)
            results.append("filed")
        except Conflict:
            results.append("refused")

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["filed", "refused", "refused", "refused"]


def test_a_refused_decision_keeps_nothing_and_gives_the_text_back(app: Flask, board: Board, comment_id: int) -> None:
    file(board.bo)
    before = told(app, board.bo)
    for fields in ({"reason": "short"}, {"reason": "x" * 501}, {"outcome": "forgive"}):
        answer = board.max.post("/acts/1/decide", {"outcome": "overturn", "reason": ANSWER, **fields})
        assert answer.status_code == 422
        assert fields.get("reason", ANSWER) in answer.text
    assert told(app, board.bo) == before
    assert len(acts(app)) == 1


def test_an_appeal_outlives_that_the_act_was_taken_back(app: Flask, board: Board, comment_id: int) -> None:
    """Then the decision only says who was right."""
    file(board.bo)
    with app.app_context(), transaction():
        hiding.unhide_comment(comment_id, board.mo.viewer, reason=ANSWER)
    assert decide(board.max).status_code == 303
    hide, _, overturn = acts(app)
    assert (overturn.kind, overturn.about_id, overturn.undoes_id) == ("overturn", hide.id, None)
    assert SECRET in board.cy.get("/posts/the-kitchen-table").text


def test_whoever_reported_it_is_told_what_the_appeal_changed(app: Flask, board: Board, comment_id: int) -> None:
    with app.app_context(), transaction():
        case = Case(target_kind="comment", target_id=comment_id, person_id=board.bo.id, state="closed", report_count=1, opened_at=now(), reported_at=now(),
                    closed_at=now())
        db.session.add(case)
        db.session.flush()
        act = db.session.execute(select(Act)).scalar_one()
        act.case_id, case.closed_by = case.id, act.id
        db.session.add(Report(case_id=case.id, reporter_id=board.anna.id, rule_id=2, note="Mill Lane", created_at=now()))
    file(board.bo)
    decide(board.max)
    assert ("report", 1) in told(app, board.anna)
    page = board.anna.get("/notices?kind=reports").text
    assert "Your report was decided</a>: it was hidden, under rule 2; overturned on appeal" in page


# -- where it stands


def test_moderators_find_appeals_oldest_first(app: Flask, board: Board, comment_id: int) -> None:
    with app.app_context():
        post = db.session.execute(select(Post.id)).scalar_one()
        for number in range(2, 26):
            with transaction():
                found = writing.add(post, board.bo.viewer, writing.words(f"Words {number}"))
                hiding.hide_comment(found, board.mo.viewer if number % 2 else board.max.viewer, rule_id=2, reason=REASON)
        for number in range(1, 26):
            with transaction():
                appeals.file(number, board.bo.id, f"{STATEMENT} {number}")
    path, found_numbers = "/moderation/appeals", []
    while path:
        tree = lxml_html.fromstring(board.max.get(path).text)
        found_numbers += [int(a.text_content().removeprefix("Act ")) for a in tree.xpath('//ol[@class="ledger"]/li/p[@class="no"]/a')]
        path = next(iter(tree.xpath('//a[@rel="next"]/@href')), "")
    assert found_numbers == list(range(1, 26))
    assert "This is your own act or appeal" in board.max.get("/moderation/appeals").text
    for who in (board.anna, board.bo):
        assert who.get("/moderation/appeals").status_code == 403


def test_statements_have_a_bound(app: Flask, board: Board, comment_id: int) -> None:
    file(board.bo)
    board.max.post("/acts/1/messages", {"body": "Which novel is it?"})

    def statements() -> dict[str, int]:
        found = {}
        max_, paths = board.max, ("/acts/1", "/acts/1/decide", "/moderation/appeals")
        for who, path in ((board.bo, "/acts/1"), (board.cy, "/acts/1"), *((max_, path) for path in paths)):
            with counted(app) as seen:
                assert who.get(path).status_code == 200
            found[f"{who.viewer.username} {path}"] = len(seen)
        return found

    at_one = statements()
    for number in range(12):
        (board.bo if number % 2 else board.max).post("/acts/1/messages", {"body": f"Message {number}"})
    with app.app_context():
        post = db.session.execute(select(Post.id)).scalar_one()
        for number in range(2, 12):
            with transaction():
                hiding.hide_comment(writing.add(post, board.bo.viewer, writing.words(f"Words {number}")), board.mo.viewer, rule_id=2, reason=REASON)
                appeals.file(number, board.bo.id, STATEMENT)
    assert statements() == at_one
    assert max(at_one.values()) <= 10, at_one


def test_a_reported_moderator_does_not_learn_from_an_appeal_who_reported_them(app: Flask, board: Board) -> None:
    with app.app_context():
        post = make_post(board.anna.id, title="The kitchen table").id
        with transaction():
            comment = writing.add(post, board.mo.viewer, writing.words("A moderator speaks."))
            reporting.report((TargetKind.COMMENT, comment), board.bo.viewer, rule_id=3, note="It is rude.")
            report = db.session.execute(select(Report)).scalar_one()
            answering.call_bad_faith(report.case_id, board.max.viewer, report_id=report.id, rule_id=3, reason=REASON)
    ad = board.member("ad", Role.ADMINISTRATOR)
    assert file(board.bo).status_code == 303
    assert STATEMENT in ad.get("/acts/1/decide").text
    for path in ("/acts/1", "/acts/1/decide", "/moderation/appeals", "/notices"):
        page = board.mo.get(path).text
        assert STATEMENT not in page
        assert ">Bo<" not in page


def test_standing_offers_no_appeal_of_what_was_taken_back(app: Flask, board: Board, comment_id: int) -> None:
    assert "or appeal" in board.bo.get("/settings/standing").text
    board.max.post(f"/comments/{comment_id}/unhide", {"reason": ANSWER})
    page = board.bo.get("/settings/standing").text
    assert "/acts/1" in page
    assert "or appeal" not in page
