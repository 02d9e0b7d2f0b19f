"""Branches that are hidden whole: one flag on the top comment, and nothing below it is shown. Pages are read top down and never look there;
what reaches a comment from aside (its own address, a list of somebody's comments, a feed) asks here.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Integer, bindparam, cast, exists, literal, select
from sqlalchemy.orm import aliased

from blog.comments.models import Comment
from blog.db import db

# How far down whoever wrote below is looked for: a chain deeper than that is no discussion.
MOST_LEVELS = 10_000


def _walk_up(start: Any) -> Any:
    """Ancestors of the comments that `start` picks: pairs of a comment's id and each of its ancestors'. Only in posts that have a closed branch
    at all, which a small index tells; elsewhere nothing is walked."""
    closed, above = aliased(Comment), aliased(Comment)
    somewhere = exists().where(closed.post_id == Comment.post_id, closed.closed)
    up = select(Comment.id.label("id"), Comment.parent_id.label("at")).where(start, Comment.parent_id.is_not(None), somewhere).cte("above", recursive=True)
    return up.union_all(select(up.c.id, above.parent_id).where(above.id == up.c.at, above.parent_id.is_not(None)))


def closed_above(name: str = "id") -> Any:
    """For the statement that loads one comment (bound as `name`): id of the topmost closed comment above it, NULL for none."""
    up, top = _walk_up(Comment.id == bindparam(name)), aliased(Comment)
    return select(top.id).join(up, up.c.at == top.id).where(top.closed).order_by(top.id).limit(1).scalar_subquery()


def below_closed(comment_ids: Iterable[int]) -> set[int]:
    """Those of the comments that stand below a closed one, and so are shown to nobody. One statement, none for no ids."""
    ids = list(comment_ids)
    if not ids:
        return set()
    up, top = _walk_up(Comment.id.in_(ids)), aliased(Comment)
    return set(db.session.execute(select(up.c.id).join(top, top.id == up.c.at).where(top.closed).distinct()).scalars())


def writers_below(comment_id: int) -> set[int]:
    """Who wrote something below this comment that is neither deleted nor hidden itself. One statement; it walks the whole branch."""
    reply = aliased(Comment)
    start = select(Comment.id.label("id"), cast(literal(1), Integer).label("level")).where(Comment.parent_id == comment_id).cte("below", recursive=True)
    down = start.union(select(reply.id, start.c.level + 1).where(reply.parent_id == start.c.id, start.c.level < MOST_LEVELS))
    wrote = select(Comment.author_id).join(down, down.c.id == Comment.id).where(Comment.deleted_at.is_(None), Comment.hidden_by.is_(None)).distinct()
    return set(db.session.execute(wrote).scalars())
