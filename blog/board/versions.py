"""The board's version: it rises with every deed that pages show beside their own subject (a post in "Read more", a changed name, a rule).

What is kept ready for readers hangs on it and on the post's own version; reading both is one statement.
"""

from typing import Any

from sqlalchemy import select, update

from blog.board.models import Board
from blog.db import db

# For the statement that reads a post's version along.
CURRENT: Any = select(Board.version).where(Board.id == 1).scalar_subquery()


def rise() -> None:
    """Everything that was kept ready is out of date. In the deed's transaction, as its last statement: the row is one for all."""
    db.session.execute(update(Board).where(Board.id == 1).values(version=Board.version + 1))
