"""What tests of filters share: lines of the lists, texts that wait, a board that limits newcomers."""

from typing import Any

from sqlalchemy import select

from blog.clock import now
from blog.db import db, writing
from blog.filters.models import Filter, FilterKind, HeldText
from tests.conftest import Board, Visitor

SENTENCE = "This board is careful about offers of lottery tickets."
PATH = "/posts/the-kitchen-table"

# A board that looks at newcomers.
LIMITED: dict[str, Any] = {"ratelimit_enabled": True}


def line(board: Board, pattern: str, kind: FilterKind = FilterKind.WORD, sentence: str = SENTENCE, rule_id: int = 4) -> int:
    """A line of the board's lists; gives its id."""
    mo = board.mo.id
    with board.app.app_context(), writing():
        made = Filter(kind=kind.value, pattern=pattern, sentence=sentence, rule_id=rule_id, made_by=mo, created_at=now())
        db.session.add(made)
        db.session.flush()
        return made.id


def held_texts(board: Board) -> list[HeldText]:
    """All texts that wait or waited, in order."""
    with board.app.app_context():
        return list(db.session.execute(select(HeldText).order_by(HeldText.id)).scalars())


def send(visitor: Visitor, body: str, **fields: Any) -> Any:
    return visitor.post(f"{PATH}/comments", {"body": body, **fields})
