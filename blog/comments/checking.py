"""Recomputing what a thread's pages rely on, from the rows alone, and telling where the two differ."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.orm import aliased

from blog.comments.models import Comment, Thank
from blog.db import db
from blog.posts.models import Post, PostThank


@dataclass(frozen=True, slots=True)
class Difference:
    """A stored value that the rows do not bear out."""

    what: str  # "comment 5", "post 3"
    name: str
    stored: Any
    computed: Any

    def __str__(self) -> str:
        return f"{self.what}: {self.name} is {self.stored}, the rows say {self.computed}"


def differences() -> Iterator[Difference]:
    """Every stored counter and derived column that differs from the rows. Eight statements, each a walk over the whole table."""
    parent, child = aliased(Comment), aliased(Comment)
    counted = (
        select(child.parent_id.label("id"), func.count().label("n")).where(child.listed, child.parent_id.is_not(None)).group_by(child.parent_id).subquery()
    )
    replies = func.coalesce(counted.c.n, 0)
    yield from _compare(
        "comment",
        "reply_count",
        select(Comment.id, Comment.reply_count, replies).outerjoin(counted, counted.c.id == Comment.id).where(Comment.reply_count != replies),
    )
    should = or_(Comment.deleted_at.is_(None), Comment.hidden_by.is_not(None), replies > 0)
    yield from _compare(
        "comment",
        "listed",
        select(Comment.id, Comment.listed, case((should, True), else_=False))
        .outerjoin(counted, counted.c.id == Comment.id)
        .where(or_(and_(Comment.listed, ~should), and_(~Comment.listed, should))),
    )
    root = func.coalesce(parent.root_id, parent.id)
    of_parent = select(Comment.id, Comment.depth, parent.depth + 1, Comment.root_id, root, Comment.post_id, parent.post_id).join(
        parent, parent.id == Comment.parent_id
    )
    for row in db.session.execute(
        of_parent.where(or_(Comment.depth != parent.depth + 1, Comment.root_id.is_(None), Comment.root_id != root, Comment.post_id != parent.post_id))
    ):
        for name, stored, computed in (("depth", row[1], row[2]), ("root_id", row[3], row[4]), ("post_id", row[5], row[6])):
            if stored != computed:
                yield Difference(f"comment {row[0]}", name, stored, computed)
    newest = (
        select(child.root_id.label("id"), func.max(child.seq).label("n")).where(child.listed, child.root_id.is_not(None)).group_by(child.root_id).subquery()
    )
    # A branch never sinks: it may be further up than its newest listed comment, never further down.
    yield from _compare(
        "comment",
        "active_seq",
        select(Comment.id, Comment.active_seq, newest.c.n)
        .join(newest, newest.c.id == Comment.id)
        .where(Comment.parent_id.is_(None), Comment.active_seq < newest.c.n),
    )
    live = and_(Comment.deleted_at.is_(None), Comment.hidden_by.is_(None))
    of_post = (
        select(Comment.post_id.label("id"), func.sum(case((live, 1), else_=0)).label("live"), func.max(Comment.seq).label("last"))
        .group_by(Comment.post_id)
        .subquery()
    )
    alive, last = func.coalesce(of_post.c.live, 0), func.coalesce(of_post.c.last, 0)
    yield from _compare(
        "post", "comment_count", select(Post.id, Post.comment_count, alive).outerjoin(of_post, of_post.c.id == Post.id).where(Post.comment_count != alive)
    )
    for what, of, key, mark in (("comment", Comment, Thank.comment_id, Thank), ("post", Post, PostThank.post_id, PostThank)):
        given = select(key.label("id"), func.count().label("n")).select_from(mark).group_by(key).subquery()
        thanks = func.coalesce(given.c.n, 0)
        yield from _compare(what, "thanks", select(of.id, of.thanks, thanks).outerjoin(given, given.c.id == of.id).where(of.thanks != thanks))
    yield from _compare("post", "last_seq", select(Post.id, Post.last_seq, last).outerjoin(of_post, of_post.c.id == Post.id).where(Post.last_seq < last))


def _compare(what: str, name: str, statement: Any) -> Iterator[Difference]:
    for row in db.session.execute(statement):
        yield Difference(f"{what} {row[0]}", name, row[1], row[2])
