"""The page of an act, for every kind and target: everybody's face without a name and without words, the person's with both."""

import html as entities

import pytest
from flask import Flask
from sqlalchemy import update

from blog.acts import letters, recording, words
from blog.acts.models import Act, ActKind, TargetKind
from blog.clock import now
from blog.comments import writing
from blog.comments.models import Comment
from blog.db import db
from blog.db import writing as transaction
from blog.filters.models import HeldText
from blog.permissions import APPEALABLE
from blog.posts.models import Post
from tests.acts.test_words import EVERY
from tests.conftest import Board
from tests.factories import make_post

SECRET = "zebrafinch"
WHY = "Names a condition for another member."


@pytest.fixture
def ids(app: Flask, board: Board) -> dict[TargetKind, int]:
    """What acts can be about; bo wrote it, and it is hidden."""
    bo, anna, mo = board.bo, board.anna, board.mo
    assert anna.id
    with app.app_context():
        post = make_post(bo.id, title="The kitchen table", source=f"A {SECRET}-post.")
        with transaction():
            comment = writing.add(post.id, bo.viewer, writing.words(f"A {SECRET}."))
            first = recording.record(ActKind.HIDE, mo.viewer, person_id=bo.id, target=(TargetKind.COMMENT, comment), rule_id=3, reason=WHY, scope="first")
            db.session.execute(update(Comment).values(hidden_by=first.id))
            db.session.execute(update(Post).values(hidden_by=first.id))
        with transaction():
            db.session.add(HeldText(id=1, post_id=post.id, author_id=bo.id, source="", html=f"<p>A held {SECRET}.</p>", held_by=first.id, created_at=now()))
        return {TargetKind.COMMENT: comment, TargetKind.POST: post.id, TargetKind.MEMBER: bo.id, TargetKind.ACT: first.id, TargetKind.HELD: 1,
                TargetKind.CASE: 1}


@pytest.mark.one_database
@pytest.mark.parametrize(("kind", "target"), EVERY)
def test_both_faces(app: Flask, board: Board, ids: dict[TargetKind, int], kind: ActKind, target: TargetKind) -> None:
    bo = board.bo
    about_id = ids[TargetKind.ACT] if kind in words.DECISIONS or target == TargetKind.ACT else None
    with app.app_context():
        with transaction():
            recording.record(kind, board.mo.viewer, person_id=bo.id, target=(target, ids[target]), rule_id=3, reason=WHY, scope="as told", about_id=about_id)
        act = db.session.get_one(Act, ids[TargetKind.ACT] + 1)
        own_words = words.passive(act, True, about=1 if about_id else 0)
        everybodys = words.passive(act, False, about=1 if about_id else 0)
        by_mail = letters.receipt_path(act, bo.id)
    for visitor in (board.cy, board.anna):
        page = entities.unescape(visitor.get("/acts/2").text)
        assert f"{everybodys}, by " in page
        for told in (SECRET, ">Bo<", "Bo’s", "/members/bo", "Your text", "/redact"):
            assert told not in page.split("<main")[1], told
        assert WHY in page
        assert "No diagnoses of other members" in page
    for page in (board.bo.get("/acts/2").text, board.cy.get(by_mail).text):
        page = entities.unescape(page)
        assert f"{own_words}, by " in page
        assert "This is the whole record" in page
        assert ("You can appeal once" in page) is (kind in APPEALABLE)
        if kind in (ActKind.HIDE, ActKind.WARN, ActKind.HOLD, ActKind.REJECT) and target in (TargetKind.COMMENT, TargetKind.POST, TargetKind.HELD):
            assert SECRET in page
    moderators = board.max.get("/acts/2").text
    assert "/acts/2/redact" in moderators
    if kind == ActKind.HIDE:
        assert SECRET in moderators
        assert "The words" in moderators


def test_an_act_that_was_softened_or_decided_says_by_which_act(app: Flask, board: Board, ids: dict[TargetKind, int]) -> None:
    decider = board.max.viewer
    with app.app_context(), transaction():
        recording.record(ActKind.UPHOLD, decider, person_id=board.bo.id, target=(TargetKind.COMMENT, ids[TargetKind.COMMENT]), rule_id=3, reason=WHY,
                         scope="as told", about_id=ids[TargetKind.ACT])
    assert 'upheld by <a href="/acts/2">act 2</a>' in board.cy.get("/acts/1").text
    assert "Act 1 was upheld on appeal, by M2." in board.cy.get("/acts/2").text
    assert 'is about <a href="/acts/1">act 1</a>' in board.cy.get("/acts/2").text


def test_no_act_about_a_warning_leads_to_the_warned_persons_words(app: Flask, board: Board) -> None:
    anna, bo = board.anna, board.bo
    assert anna.id and board.mo.id and board.max.id
    with app.app_context():
        post = make_post(anna.id, title="The kitchen table")
        with transaction():
            comment = writing.add(post.id, bo.viewer, writing.words("A heron."))
            recording.record(ActKind.WARN, board.mo.viewer, person_id=bo.id, target=(TargetKind.COMMENT, comment), rule_id=3, reason=WHY, scope="a warning")
    assert bo.post("/acts/1/appeal", {"statement": "It was about a bird, nothing else."}).status_code == 303
    assert board.max.post("/acts/1/decide", {"outcome": "uphold", "reason": "It was not about a bird."}).status_code == 303
    for number in (1, 2):
        assert f"/comments/{comment}" not in board.cy.get(f"/acts/{number}").text
        assert f"/comments/{comment}" in bo.get(f"/acts/{number}").text
