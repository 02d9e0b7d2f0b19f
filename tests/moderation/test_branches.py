"""A branch hidden whole: its top is a tombstone, and what hangs on it is nowhere for readers, by whatever way they come."""

import pytest
from flask import Flask
from sqlalchemy import select

from blog.acts.models import Act, ActKind
from blog.comments import branches, checking, writing
from blog.db import db
from blog.db import writing as transaction
from blog.jobs.worker import run_once
from blog.notices.models import Notice, NoticeKind
from tests.comments.trees import grow
from tests.conftest import Board, counted
from tests.factories import make_post

SECRET = "zebrafinch"
WHY = "A whole quarrel about a third person."
PAGE = "/posts/the-kitchen-table"
# 1 bo: top
#   2 anna
#     3 dora
#       4 anna
#   5 bo
# 6 anna: another branch
PARENTS = (None, 0, 1, 2, 0, None)
WRITERS = ("bo", "anna", "dora", "anna", "bo", "anna")


@pytest.fixture
def ids(app: Flask, board: Board) -> list[int]:
    who = {name: board.member(name) for name in ("anna", "bo", "dora")}
    assert board.mo.id
    assert board.max.id
    with app.app_context():
        post = make_post(board.max.id)
        made: list[int] = []
        for number, (parent, name) in enumerate(zip(PARENTS, WRITERS, strict=True), 1):
            with transaction():
                text = writing.words(f"Words of {number}: {SECRET}-{number}.")
                made.append(writing.add(post.id, who[name].viewer, text, parent_id=made[parent] if parent is not None else None))
    return made


def hide(board: Board, comment_id: int, scope: str = "branch") -> int:
    return board.mo.post(f"/comments/{comment_id}/hide", {"rule": "3", "reason": WHY, "scope": scope}).status_code


def paths(ids: list[int]) -> list[str]:
    own = [f"/comments/{comment_id}{rest}" for comment_id in ids[:5] for rest in ("", "/replies", "/reply", "/reply?quote=1", "/history", "/replies?after=1")]
    return ["/", PAGE, f"{PAGE}?sort=newest", f"{PAGE}?sort=active", f"{PAGE}?number=4", f"{PAGE}?newer=2", "/members/anna", "/members/bo", "/members/dora",
            "/feed.atom", f"{PAGE}/feed.atom", "/acts/1", f"{PAGE}/comments?parent_id={ids[3]}", *own]


@pytest.mark.parametrize("htmx", [False, True])
def test_words_below_are_nowhere_for_readers(board: Board, ids: list[int], htmx: bool) -> None:
    assert SECRET in "".join(board.cy.get(path).text for path in paths(ids))
    assert hide(board, ids[0]) == 303
    for visitor in (board.cy, board.member("eva")):
        for path in paths(ids):
            answer = visitor.get(path, htmx=htmx, follow_redirects=True)
            assert answer.status_code < 500, path
            for number in range(1, 6):
                assert f"{SECRET}-{number}" not in answer.text, path
    assert f"{SECRET}-6" in board.cy.get(PAGE).text


def test_a_writer_below_reads_their_own_words_and_nobody_elses(board: Board, ids: list[int]) -> None:
    hide(board, ids[0])
    page = board.member("dora").get(f"/comments/{ids[2]}").text
    assert f"{SECRET}-3" in page
    for number in (1, 2, 4, 5):
        assert f"{SECRET}-{number}" not in page


def test_moderators_read_the_branch_at_its_own_page(board: Board, ids: list[int]) -> None:
    hide(board, ids[0])
    page = board.max.get(f"/comments/{ids[0]}").text
    assert all(f"{SECRET}-{number}" in page for number in range(1, 6))
    assert f"{SECRET}-3" in board.max.get(f"/comments/{ids[2]}").text


def test_a_link_into_the_branch_leads_to_its_top(board: Board, ids: list[int]) -> None:
    hide(board, ids[0])
    for path in (f"/comments/{ids[3]}", f"{PAGE}?number=4"):
        answer = board.cy.get(path)
        assert (answer.status_code, answer.headers["Location"]) == (303, f"/comments/{ids[0]}"), path


def test_the_branch_takes_no_replies_thanks_or_quotes(board: Board, ids: list[int]) -> None:
    hide(board, ids[0])
    for visitor, status in ((board.member("eva"), {410}), (board.member("dora"), {403}), (board.max, {403})):
        answer = visitor.post(f"{PAGE}/comments", {"body": "late", "parent_id": str(ids[2])})
        assert answer.status_code in status
        assert "late" in answer.text
    assert board.member("eva").post(f"/comments/{ids[2]}/thank").status_code == 403
    assert board.bo.post(f"{PAGE}/comments", {"body": "late", "parent_id": str(ids[0])}).status_code == 403


def test_bringing_the_top_back_brings_everything_back(app: Flask, board: Board, ids: list[int]) -> None:
    before = board.cy.get(PAGE).text
    hide(board, ids[0])
    assert board.max.post(f"/comments/{ids[0]}/unhide", {"reason": "It was about a bird after all."}).status_code == 303
    after = board.cy.get(PAGE).text
    assert before[before.index('id="thread"'):] == after[after.index('id="thread"'):]
    with app.app_context():
        assert list(checking.differences()) == []


def test_hiding_the_comment_alone_leaves_its_replies(board: Board, ids: list[int]) -> None:
    assert hide(board, ids[0], "comment") == 303
    page = board.cy.get(PAGE).text
    assert f"{SECRET}-1" not in page
    assert all(f"{SECRET}-{number}" in page for number in range(2, 7))


def test_the_act_says_how_far_it_goes_and_everybody_below_is_told_once(app: Flask, board: Board, ids: list[int]) -> None:
    hide(board, ids[0])
    for _ in range(2):
        while run_once(app):
            pass
    assert "Scope: this comment and everything below it." in board.cy.get("/acts/1").text
    with app.app_context():
        act_id = db.session.execute(select(Act.id)).scalar_one()
        acts = select(Notice.member_id, Notice.subject_id, Notice.count).where(Notice.kind == NoticeKind.ACT)
        told = db.session.execute(acts).all()
    assert {tuple(row) for row in told} == {(board.member(name).id, act_id, 1) for name in ("anna", "bo", "dora")}


def test_nobody_is_told_of_what_was_taken_back_meanwhile(app: Flask, board: Board, ids: list[int]) -> None:
    hide(board, ids[0])
    board.mo.post(f"/comments/{ids[0]}/unhide")
    while run_once(app):
        pass
    with app.app_context():
        assert set(db.session.execute(select(Notice.member_id).where(Notice.kind == NoticeKind.ACT)).scalars()) == {board.bo.id}


def test_a_scope_that_is_none_is_refused(board: Board, ids: list[int]) -> None:
    assert hide(board, ids[0], "everything") == 422


def test_asking_whether_a_comment_is_below_a_closed_one(app: Flask, board: Board, ids: list[int]) -> None:
    with app.app_context():
        assert branches.below_closed(ids) == set()
    hide(board, ids[1])
    with app.app_context():
        assert branches.below_closed(ids) == {ids[2], ids[3]}
        assert branches.below_closed([]) == set()
        assert branches.writers_below(ids[0]) == {board.anna.id, board.bo.id, board.member("dora").id}


def test_one_comment_is_one_statement_however_deep(app: Flask, board: Board, ids: list[int]) -> None:
    hide(board, ids[0])
    with app.app_context():
        deep = grow(make_post(board.max.id, title="Deep").id, board.anna.id, [None, *range(200)])
        with counted(app) as seen:
            assert branches.below_closed(deep) == set()
        assert len(seen) == 1


@pytest.mark.one_database
def test_sqlite_finds_closed_branches_by_their_index(app: Flask) -> None:
    with app.app_context():
        plan = db.session.connection().exec_driver_sql("EXPLAIN QUERY PLAN SELECT 1 FROM comment WHERE post_id = 1 AND closed = 1").all()
        assert "comment_closed" in str(plan)


@pytest.mark.parametrize("htmx", [False, True])
def test_a_notice_tells_no_words_from_below(board: Board, ids: list[int], htmx: bool) -> None:
    dora = board.member("dora")
    assert f"{SECRET}-4" in dora.get("/notices", htmx=htmx).text
    hide(board, ids[0])
    for who in (board.anna, board.bo, dora):
        assert SECRET not in who.get("/notices", htmx=htmx).text


def test_whoever_was_told_of_a_hidden_branch_is_told_that_it_is_back(app: Flask, board: Board, ids: list[int]) -> None:
    dora = board.member("dora")
    hide(board, ids[0])
    while run_once(app):
        pass
    page = dora.get("/notices").text
    assert "A branch that you wrote in was hidden" in page
    assert "Your comment was hidden" not in page
    for _ in range(2):
        board.max.post(f"/comments/{ids[0]}/unhide", {"reason": "It was about a bird after all."})
        while run_once(app):
            pass
    for who, is_told in ((dora, True), (board.anna, True), (board.bo, False)):
        assert ("A branch that you wrote in was brought back" in who.get("/notices").text) == is_told
    with app.app_context():
        told = select(Notice.member_id).join(Act, Act.id == Notice.subject_id).where(Notice.kind == NoticeKind.ACT, Act.kind == ActKind.UNHIDE)
        assert sorted(db.session.execute(told).scalars()) == sorted(who.id for who in (board.anna, board.bo, dora))


def test_what_hangs_on_words_taken_out_can_be_brought_back(app: Flask, board: Board, ids: list[int]) -> None:
    hide(board, ids[0])
    assert board.mo.post(f"/comments/{ids[0]}/redact", {"rule": "3", "reason": WHY}).status_code == 303
    assert board.bo.post("/acts/1/appeal", {"statement": "What the others wrote broke no rule."}).status_code == 303
    assert board.max.post("/acts/1/decide", {"outcome": "soften", "reason": "The others may stay."}).status_code == 303
    page = board.cy.get(PAGE).text
    assert f"{SECRET}-1" not in page
    assert all(f"{SECRET}-{number}" in page for number in range(2, 6))
    with app.app_context():
        assert list(checking.differences()) == []
