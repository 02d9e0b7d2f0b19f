"""Acts: numbers without a gap and without a twin, whatever happens at once."""

import threading

import pytest
from flask import Flask
from sqlalchemy import select

from blog.acts import recording
from blog.acts.models import Act, ActKind, TargetKind
from blog.db import db, writing
from blog.errors import Invalid
from tests.conftest import Board


def act(app: Flask, board: Board, reason: str = "a reason long enough") -> int:
    mo, bo = board.mo, board.bo
    with app.app_context(), writing():
        return recording.record(ActKind.HIDE, mo.viewer, person_id=bo.id, target=(TargetKind.COMMENT, 1), rule_id=1,
                                reason=reason, scope="this comment only").number


def numbers(app: Flask) -> list[int]:
    with app.app_context():
        return list(db.session.execute(select(Act.number).order_by(Act.number)).scalars())


def test_fifty_acts_at_once_give_fifty_numbers_without_a_gap(app: Flask, board: Board) -> None:
    assert board.mo.id
    assert board.bo.id
    errors: list[BaseException] = []

    def run() -> None:
        try:
            for _ in range(5):
                act(app, board)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert numbers(app) == list(range(1, 51))


def test_an_act_that_is_rolled_back_gives_its_number_back(app: Flask, board: Board) -> None:
    act(app, board)
    mo, bo = board.mo, board.bo
    with app.app_context(), pytest.raises(RuntimeError), writing():
        recording.record(ActKind.HIDE, mo.viewer, person_id=bo.id, target=(TargetKind.COMMENT, 1), rule_id=1,
                         reason="a reason long enough", scope="this comment only")
        raise RuntimeError
    act(app, board)
    assert numbers(app) == [1, 2]


@pytest.mark.parametrize("reason", ["", "short", " " * 20, "x" * 501])
def test_no_act_without_a_reason(app: Flask, board: Board, reason: str) -> None:
    with pytest.raises(Invalid):
        act(app, board, reason)
    assert numbers(app) == []


def test_moderators_get_handles_in_the_order_of_their_first_acts(app: Flask, board: Board) -> None:
    act(app, board)
    other, bo = board.max, board.bo
    with app.app_context(), writing():
        second = recording.record(ActKind.HIDE, other.viewer, person_id=bo.id, target=(TargetKind.COMMENT, 1), rule_id=1,
                                  reason="a reason long enough", scope="this comment only").actor_handle
    assert second == "M2"
    act(app, board)
    with app.app_context():
        assert list(db.session.execute(select(Act.actor_handle).order_by(Act.number)).scalars()) == ["M1", "M2", "M1"]


def test_an_act_tells_everyone_the_rule_and_nobody_the_name(board: Board, app: Flask) -> None:
    act(app, board)
    page = board.cy.get("/acts/1").text
    assert "Speak to the text" in page
    assert "a reason long enough" in page
    assert "M1" in page
    assert ">Bo<" not in page
    assert "Bo’s" not in page
    assert board.cy.get("/acts/2").status_code == 404
    assert board.cy.get("/acts/" + "9" * 30).status_code == 404


def test_the_rules_are_listed(board: Board) -> None:
    assert "Accept a no the first time" in board.cy.get("/rules").text
