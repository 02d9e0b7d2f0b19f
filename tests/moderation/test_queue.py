"""The queue: what moderators see and do from a case; two of them; nobody sees cases about their own words; a page costs the same at any length."""

import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from lxml import html as lxml_html
from sqlalchemy import select

from blog.acts.models import Act, TargetKind
from blog.clock import now, stopped_at
from blog.comments import writing as comments
from blog.comments.models import Comment
from blog.db import db, writing
from blog.drafts import keeping
from blog.errors import NotAllowed
from blog.moderation import answering, cases, queue, reporting
from blog.moderation.models import Case, Report
from blog.notices.models import Notice
from tests.conftest import Board, Visitor, counted
from tests.factories import make_post
from tests.test_templates import element_with_id, plain

REASON = "Names a condition for another member."
KIND = "It is blunt, and it is about the article."
SECRET = "zebrafinch"


@pytest.fixture
def reported(app: Flask, board: Board) -> int:
    """Case 1: bo's comment, reported by cleo and dora."""
    fill(app, board, 1)
    return 1


def fill(app: Flask, board: Board, count: int) -> None:
    """So many comments by bo, each reported by cleo and the first by dora too."""
    bo, cleo, dora, anna = board.bo.viewer, board.member("cleo").viewer, board.member("dora").viewer, board.anna.viewer
    assert board.mo.id and board.max.id and board.ad.id
    with app.app_context():
        post = make_post(anna.id, title="The kitchen table").id
        with writing():
            above = comments.add(post, anna, comments.words("What do you make of it?"))
            for number in range(count):
                comment = comments.add(post, bo, comments.words(f"I saw a {SECRET}, number {number}."), parent_id=above)
                reporting.report((TargetKind.COMMENT, comment), cleo, rule_id=3, note="The second time; I asked for a stop.")
                if number == 0:
                    reporting.report((TargetKind.COMMENT, comment), dora, rule_id=1, note="")


def tree(answer: Any) -> Any:
    return lxml_html.fromstring(f"<div>{answer.text}</div>" if "<html" not in answer.text else answer.text)


def act(who: Visitor, case_id: int, deed: str = "hide", htmx: bool = False, **fields: str) -> Any:
    return who.post(f"/moderation/cases/{case_id}/{deed}", {"rule": "3", "reason": REASON, **fields}, htmx=htmx)


def state(app: Flask, case_id: int = 1) -> tuple[str, int | None, bool]:
    """The case's state, the number of the act that closed it, and whether its comment is hidden."""
    with app.app_context():
        row = db.session.execute(
            select(Case.state, Act.number, Comment.hidden_by).join(Comment, Comment.id == Case.target_id).outerjoin(Act, Act.id == Case.closed_by)
            .where(Case.id == case_id)).one()
        return row.state, row.number, row.hidden_by is not None


def told(app: Flask, member_id: int) -> list[tuple[str, int]]:
    with app.app_context():
        rows = db.session.execute(select(Notice.kind, Notice.subject_id).where(Notice.member_id == member_id, Notice.kind == "report")).all()
        return [tuple(row) for row in rows]  # type: ignore[misc]


def test_a_case_shows_what_is_needed_and_nobody_who_reported(board: Board, reported: int) -> None:
    page = tree(board.mo.get("/moderation"))
    case = page.xpath('//li[@id="case-1"]')[0]
    words = " ".join(case.text_content().split())
    assert case.xpath(".//h2")[0].text_content() == "Case 1: comment by Bo"
    for part in ("2 reports", SECRET, "Rule 3", "“The second time; I asked for a stop.”", "No note", "In reply to Anna", "What do you make of it?", "1 comment",
                 "no acts that stand", "The kitchen table"):
        assert part in words, part
    assert "Cleo" not in words
    assert "Dora" not in words
    assert page.xpath('//*[@id="case-count"]')[0].text_content() == "1 waiting"
    for path in ("/moderation/cases/1", "/moderation/cases/1/hide", "/moderation/cases/1/dismiss"):
        text = tree(board.mo.get(path)).text_content()
        assert SECRET in text
        assert "Cleo" not in text


@pytest.mark.parametrize("who", ["bo", "anna", "cleo"])
def test_the_queue_is_for_moderators(board: Board, reported: int, who: str) -> None:
    for path in ("/moderation", "/moderation/cases/1", "/moderation/cases/1/hide", "/moderation/hide?case=1"):
        assert board.member(who).get(path).status_code == 403
    assert act(board.member(who), 1).status_code == 403
    assert board.member(who).post("/moderation/cases/1/claim").status_code == 403


def test_a_reported_moderator_learns_nothing(app: Flask, board: Board, reported: int) -> None:
    board.mo.post("/posts/the-kitchen-table/comments", {"body": "A moderator speaks."})
    board.member("cleo").post("/comments/3/report", {"rule": "1"})
    assert "Case 2" in board.max.get("/moderation").text
    before = tree(board.mo.get("/moderation"))
    assert not before.xpath('//li[@id="case-2"]')
    assert before.xpath('//*[@id="case-count"]')[0].text_content() == "1 waiting"
    for path in ("/moderation/cases/2", "/moderation/cases/2/dismiss"):
        assert board.mo.get(path).status_code == 404
    for deed in ("claim", "pass", "dismiss", "hide"):
        assert act(board.mo, 2, deed).status_code == 404
    assert state(app, 2) == ("open", None, False)
    assert act(board.max, 2, "dismiss").status_code == 303
    assert "Case 2" not in board.mo.get("/moderation?show=closed").text


def test_hiding_answers_the_case_and_tells_reporters(app: Flask, board: Board, reported: int) -> None:
    answer = act(board.mo, 1)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/moderation")
    assert state(app) == ("closed", 1, True)
    for name in ("cleo", "dora"):
        assert told(app, board.member(name).id) == [("report", 1)]
    assert told(app, board.bo.id) == []
    page = tree(board.mo.get("/moderation"))
    assert "Nothing waits" in page.text_content()
    assert page.xpath('//*[@id="case-count"]')[0].text_content().strip() == ""
    words = " ".join(tree(board.member("cleo").get("/reports")).text_content().split())
    assert "Decided" in words
    assert f"It was hidden. “{REASON}” Act 1" in words
    with app.app_context():
        assert db.session.execute(select(Act.case_id)).scalar_one() == 1


def test_hiding_in_the_thread_answers_the_case_too(app: Flask, board: Board, reported: int) -> None:
    board.mo.post("/comments/2/hide", {"rule": "3", "reason": REASON})
    assert state(app) == ("closed", 1, True)
    assert told(app, board.member("cleo").id) == [("report", 1)]


def test_dismissing_leaves_the_words(app: Flask, board: Board, reported: int) -> None:
    assert act(board.mo, 1, "dismiss", reason=KIND).status_code == 303
    assert state(app) == ("closed", 1, False)
    words = " ".join(tree(board.member("dora").get("/reports")).text_content().split())
    assert f"The moderators left it as it is. “{KIND}” Act 1" in words
    with app.app_context():
        row = db.session.execute(select(Act.kind, Act.person_id, Act.target_kind, Act.target_id, Act.scope)).one()
        assert tuple(row) == ("dismiss", None, "case", 1, answering.REPORTS)
    again = board.member("cleo").post("/comments/2/report", {"rule": "3"})
    assert again.status_code == 303
    assert state(app, 2) == ("open", None, False)


def test_warning_answers_the_case_and_leaves_the_words(app: Flask, board: Board, reported: int) -> None:
    assert act(board.mo, 1, "warn").status_code == 303
    assert state(app) == ("closed", 1, False)
    assert "It led to a warning." in tree(board.member("cleo").get("/reports")).text_content()
    assert not tree(board.mo.get("/moderation")).xpath('//div[@id="flash"]//button')  # it was mailed: nothing to take back at once
    with app.app_context():
        row = db.session.execute(select(Act.kind, Act.person_id, Act.target_kind, Act.target_id)).one()
        assert tuple(row) == ("warn", board.bo.id, "comment", 2)


def test_taking_the_words_out_answers_the_case(app: Flask, board: Board, reported: int) -> None:
    assert board.mo.post("/comments/2/redact", {"rule": "2", "reason": "Gives a street and a number."}).status_code == 303
    assert state(app) == ("closed", 1, True)
    assert told(app, board.member("cleo").id) == [("report", 1)]
    assert SECRET not in board.mo.get("/moderation/cases/1").text


def test_a_branch_is_hidden_from_its_case(app: Flask, board: Board, reported: int) -> None:
    board.anna.post("/posts/the-kitchen-table/comments", {"body": "Under it.", "parent_id": "2"})
    assert "This comment and everything below it" in board.mo.get("/moderation/cases/1/hide").text
    assert act(board.mo, 1, scope="branch").status_code == 303
    assert "Under it." not in board.cy.get("/posts/the-kitchen-table").text
    assert board.mo.post("/moderation/undo?acts=1").status_code == 303
    assert "Under it." in board.cy.get("/posts/the-kitchen-table").text
    assert state(app)[0] == "open"


@pytest.mark.parametrize("deed", ["hide", "warn", "dismiss"])
@pytest.mark.parametrize("fields", [{"rule": ""}, {"reason": "too short"}, {"reason": "x" * 501}])
@pytest.mark.parametrize("htmx", [False, True])
def test_no_answer_without_rule_and_reason(app: Flask, board: Board, reported: int, deed: str, fields: dict[str, str], htmx: bool) -> None:
    answer = act(board.mo, 1, deed, htmx=htmx, **fields)
    assert answer.status_code == 422
    assert (tree(answer).xpath('//textarea[@name="reason"]')[0].text or "").strip() == fields.get("reason", REASON)
    assert state(app) == ("open", None, False)


def test_bad_faith_concerns_one_report_and_its_maker_alone(app: Flask, board: Board, reported: int) -> None:
    with app.app_context():
        of_cleo, of_dora = db.session.execute(select(Report.id).order_by(Report.reporter_id)).scalars()
    path = f"reports/{of_cleo}/bad-faith"
    assert act(board.mo, 1, path, reason="Reports everything that Bo writes.").status_code == 303
    assert state(app) == ("open", None, False)
    assert "dismissed as made in bad faith" in board.mo.get("/moderation").text
    assert act(board.max, 1, path).status_code == 409
    with app.app_context():
        row = db.session.execute(select(Act.kind, Act.person_id, Act.case_id)).one()
        assert tuple(row) == ("bad faith", board.member("cleo").id, 1)
    assert "made to harm" in board.member("cleo").get("/reports").text
    assert "made to harm" not in board.member("dora").get("/reports").text
    act(board.mo, 1, f"reports/{of_dora}/bad-faith", reason="The same for Dora, who joined in.")
    assert state(app) == ("closed", 2, False)
    assert told(app, board.member("cleo").id) == []  # told of the act itself
    assert act(board.mo, 1, "reports/999/bad-faith").status_code == 404


def test_a_claimed_case_is_one_moderators_for_half_an_hour(app: Flask, board: Board, reported: int) -> None:
    assert board.mo.post("/moderation/cases/1/claim").status_code == 303
    assert tree(board.mo.get("/moderation?show=yours")).xpath('//li[@id="case-1"]//button[contains(., "Pass")]')
    others = tree(board.max.get("/moderation")).xpath('//li[@id="case-1"]')[0]
    assert "Mo has this open since" in others.text_content()
    assert not others.xpath('.//a[contains(@class, "btn")] | .//button | .//input')
    words = " ".join(tree(board.member("cleo").get("/reports")).text_content().split())
    assert "Being looked at" in words
    for deed in ("claim", "pass", "hide", "dismiss"):
        answer = act(board.max, 1, deed)
        assert answer.status_code == 409
        assert "Mo has had this case open since" in answer.text
    assert state(app) == ("open", None, False)
    with stopped_at(now() + reporting.CLAIM):
        assert board.max.get("/moderation?show=yours").text.count("case-1-h") == 0
        assert board.max.post("/moderation/cases/1/claim").status_code == 303
        assert act(board.mo, 1).status_code == 409
        assert board.max.post("/moderation/cases/1/pass").status_code == 303
        assert act(board.mo, 1).status_code == 303
    assert state(app) == ("closed", 1, True)


def test_the_second_moderator_is_told_who_was_faster(app: Flask, board: Board, reported: int) -> None:
    act(board.mo, 1)
    late = act(board.max, 1, htmx=True, reason="I saw it too, but later.")
    assert late.status_code == 409
    assert "already hidden, by M1, just now (act 1)" in late.text
    assert "I saw it too, but later." in late.text
    late = act(board.max, 1, "dismiss")
    assert late.status_code == 409
    assert "closed already, by M1" in late.text
    with app.app_context():
        assert len(db.session.execute(select(Act.id)).all()) == 1


@pytest.mark.parametrize("deeds", [("hide", "hide"), ("hide", "dismiss"), ("dismiss", "dismiss")])
def test_of_two_moderators_at_once_one_acts(app: Flask, board: Board, reported: int, deeds: tuple[str, str]) -> None:
    came: list[str] = []
    together = threading.Barrier(2)

    def do(viewer: Any, deed: str) -> None:
        with app.app_context():
            together.wait()
            try:
                with writing():
                    getattr(answering, deed)(1, viewer, rule_id=3, reason=REASON)
                came.append("done")
            except Exception as refusal:
                came.append(type(refusal).__name__)

    threads = [threading.Thread(target=do, args=pair) for pair in zip((board.mo.viewer, board.max.viewer), deeds, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(came) == ["Conflict", "done"]
    with app.app_context():
        acts = db.session.execute(select(Act.number, Act.kind)).all()
        assert len(acts) == 1
        assert state(app) == ("closed", 1, acts[0].kind == "hide")


def test_an_act_is_taken_back_at_once_and_the_case_is_open_again(app: Flask, board: Board, reported: int) -> None:
    act(board.mo, 1)
    undo = tree(board.mo.get("/moderation")).xpath('//div[@id="flash"]//button/@formaction')
    assert undo == ["/moderation/undo?acts=1"]
    assert board.max.post(undo[0]).status_code == 403  # not their act
    assert board.mo.post(undo[0]).status_code == 303
    assert state(app) == ("open", None, False)
    assert told(app, board.member("cleo").id) == []
    assert board.mo.post(undo[0]).status_code in {404, 409}
    act(board.mo, 1, "dismiss")
    assert board.mo.post("/moderation/undo?acts=3").status_code == 303
    assert state(app) == ("open", None, False)
    with app.app_context():
        kinds = db.session.execute(select(Act.number, Act.kind, Act.undoes_id).order_by(Act.number)).all()
        assert [tuple(row) for row in kinds] == [(1, "hide", None), (2, "unhide", 1), (3, "dismiss", None), (4, "reopen", 3)]
    act(board.mo, 1)
    with stopped_at(now() + timedelta(minutes=1)):
        assert board.mo.post("/moderation/undo?acts=5").status_code == 409
    assert state(app) == ("closed", 5, True)


def test_several_are_hidden_together_and_taken_back_together(app: Flask, board: Board) -> None:
    fill(app, board, 4)
    act(board.max, 2, "dismiss")
    chosen = tree(board.mo.get("/moderation/hide?case=1&case=2&case=3&case=junk&case=99"))
    assert chosen.xpath('//input[@name="case"]/@value') == ["1", "2", "3"]
    refused = board.mo.post("/moderation/hide", {"case": ["1", "2", "3"], "reason": REASON})
    assert refused.status_code == 422
    assert tree(refused).xpath('//input[@name="case"]/@value') == ["1", "2", "3"]
    assert board.mo.post("/moderation/hide", {"case": ["1", "2", "3"], "rule": "3", "reason": REASON}).status_code == 303
    assert [state(app, case_id) for case_id in (1, 2, 3, 4)] == [("closed", 2, True), ("closed", 1, False), ("closed", 3, True), ("open", None, False)]
    page = tree(board.mo.get("/moderation")).xpath('//div[@id="flash"]')[0]
    assert "Hidden: 2 together, acts 2 to 3." in page.text_content()
    assert "Case 2: This case is closed already, by M1" in page.text_content()
    assert board.mo.post(page.xpath(".//button/@formaction")[0]).status_code == 303
    assert [state(app, case_id)[0] for case_id in (1, 2, 3, 4)] == ["open", "closed", "open", "open"]
    with app.app_context():
        assert [row.number for row in db.session.execute(select(Act.number).order_by(Act.id))] == [1, 2, 3, 4, 5]


def test_in_place_a_closed_case_leaves_one_line_the_counts_and_an_undo(board: Board, reported: int) -> None:
    answer = act(board.mo, 1, htmx=True)
    assert answer.status_code == 200
    assert answer.headers["HX-Retarget"] == "#case-1"
    assert answer.headers["HX-Reswap"] == "outerHTML"
    assert SECRET not in answer.text
    found = tree(answer)
    assert found.xpath('//li[@id="case-1"]')[0].get("class") == "case done"
    assert found.xpath('//*[@id="case-count"][@hx-swap-oob="true"]')[0].text_content().strip() == ""
    assert found.xpath('//*[@id="moderation-tabs"][@hx-swap-oob="true"]')
    button = found.xpath('//button[@hx-post="/moderation/undo?acts=1"]')[0]
    assert button.get("hx-target") == "#case-1"
    back = board.mo.post("/moderation/undo?acts=1", htmx=True)
    assert tree(back).xpath('//li[@id="case-1"]/article[@data-focus]')
    assert SECRET in back.text


def test_a_claimed_cases_piece_is_part_of_the_page(board: Board, reported: int) -> None:
    piece = board.mo.post("/moderation/cases/1/claim", htmx=True).text
    page = board.mo.get("/moderation").text
    assert plain(element_with_id(piece, "case-1")) in plain(page)
    assert plain(element_with_id(piece, "moderation-tabs")) in plain(page)


def test_words_that_are_gone_are_not_in_the_queue(app: Flask, board: Board, reported: int) -> None:
    board.bo.post("/comments/2/delete")
    page = board.mo.get("/moderation").text
    assert SECRET not in page
    assert "Its writer deleted it since." in page
    assert act(board.mo, 1, "dismiss").status_code == 303
    assert SECRET not in board.mo.get("/moderation?show=closed").text


def test_a_reported_post_is_hidden_from_its_case(app: Flask, board: Board, reported: int) -> None:
    board.member("cleo").post("/posts/the-kitchen-table/report", {"rule": "2"})
    assert "Case 2" in board.mo.get("/moderation").text
    assert act(board.mo, 2).status_code == 303
    assert "noindex" in board.cy.get("/posts/the-kitchen-table").text
    assert board.mo.post("/moderation/undo?acts=1").status_code == 303
    assert "noindex" not in board.cy.get("/posts/the-kitchen-table").text


def test_long_words_stand_as_an_excerpt(app: Flask, board: Board) -> None:
    anna, bo = board.anna.viewer, board.bo.viewer
    with app.app_context():
        post = make_post(anna.id, title="The kitchen table").id
        with writing():
            comment = comments.add(post, bo, comments.words("A very long speech. " * 700))
            reporting.report((TargetKind.COMMENT, comment), anna, rule_id=3, note="")
    page = board.mo.get("/moderation").text
    assert "Read the whole comment" in page
    assert page.count("A very long speech") < 50


def test_a_page_of_the_queue_costs_the_same_at_one_and_at_a_hundred_cases(app: Flask, board: Board) -> None:
    fill(app, board, 100)
    counts = {}
    for show in queue.SHOWS:
        with counted(app) as seen:
            assert board.mo.get(f"/moderation?show={show}").status_code == 200
        counts[show] = len(seen)
    with app.app_context(), counted(app) as page:
        queue.page(board.mo.viewer)
    assert len(page) == 4
    assert counts["open"] <= 8
    with counted(app) as claiming:
        board.mo.post("/moderation/cases/1/claim", htmx=True)
    for number in range(1, 100):
        assert act(board.mo, number, htmx=True).status_code == 200
    with counted(app) as seen:
        text = board.mo.get("/moderation").text
    assert text.count('<li class="case') == 1
    assert len(seen) == counts["open"]
    with counted(app) as claimed:
        board.mo.post("/moderation/cases/100/claim", htmx=True)
    assert len(claimed) == len(claiming)


def test_pages_of_the_queue_follow_each_other_without_loss(app: Flask, board: Board) -> None:
    fill(app, board, 45)
    found: list[str] = []
    path = "/moderation"
    while path:
        page = tree(board.mo.get(path))
        found += page.xpath('//li[contains(@class, "case")]/@id')
        path = next(iter(page.xpath('//a[@id="queue-more"]/@href')), "")
        if path and len(found) == 20:
            act(board.max, 3, "dismiss")  # what is decided meanwhile makes no case be skipped
    assert found == [f"case-{number}" for number in range(1, 46)]
    assert board.mo.get("/moderation?after=junk").status_code == 400


def test_answering_a_hundred_cases_costs_the_same_each(app: Flask, board: Board) -> None:
    fill(app, board, 100)
    costs = []
    for number in range(1, 101):
        with app.app_context(), counted(app) as seen, writing():
            answering.dismiss(number, board.mo.viewer, rule_id=3, reason=KIND)
        costs.append(len(seen))
    assert len(set(costs[1:])) == 1, costs
    assert costs[-1] <= 12


def test_where_new_reports_came_meanwhile_the_old_case_stays_closed(app: Flask, board: Board, reported: int) -> None:
    act(board.mo, 1, "dismiss")
    board.member("cleo").post("/comments/2/report", {"rule": "3"})
    assert board.mo.post("/moderation/undo?acts=1").status_code == 303
    assert (state(app, 1)[0], state(app, 2)[0]) == ("closed", "open")


def test_a_suspended_moderator_moderates_nothing(app: Flask, board: Board, reported: int) -> None:
    suspended = replace(board.mo.viewer, suspension=3)
    with app.app_context():
        for deed in (lambda by: cases.claim(1, by), lambda by: answering.dismiss(1, by, rule_id=3, reason=KIND),
                     lambda by: answering.hide_together([1], by, rule_id=3, reason=KIND), lambda by: answering.take_back([1], by)):
            with pytest.raises(NotAllowed), writing():
                deed(suspended)


@pytest.mark.parametrize("deed", ["hide", "warn", "dismiss"])
def test_what_was_begun_stands_in_the_form_again(app: Flask, board: Board, reported: int, deed: str) -> None:
    path = f"/moderation/cases/{reported}/{deed}"
    assert board.mo.post("/drafts", {"target": path, "reason": "Half a thought"}).status_code < 400
    assert "Half a thought" in board.mo.get(path).text
    assert act(board.mo, reported, deed).status_code == 303
    with app.app_context():
        assert keeping.kept(path, board.mo.id) is None
