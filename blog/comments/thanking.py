"""Thanks: one positive mark per member and comment or post. No downvotes, no karma; the number orders, nothing else."""

from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from blog.comments import branches, counting
from blog.comments.models import Comment, Thank
from blog.config import settings
from blog.db import db
from blog.errors import NotFound
from blog.permissions import may_thank
from blog.posts.models import Post, PostThank
from blog.viewer import Viewer


def thank_comment(comment_id: int, by: Viewer, *, on: bool | None = None) -> bool:
    """Thank for a comment, or take it back; `on` says which (None: the other of what stands). Says what stands now.

    Raises NotFound, NotAllowed (own words, hidden, deleted, not verified).
    """
    post_id = db.session.execute(select(Comment.post_id).where(Comment.id == comment_id)).scalar_one_or_none()
    if post_id is None:
        raise NotFound("There is no such comment. It may have been typed wrong.")
    key = {"comment_id": comment_id, "member_id": by.id}
    moves = on is None or on is not _has(Thank, key)  # asked before the thread is locked and its version raised for nothing
    if moves:
        counting.lock_post(post_id)
    comment = db.session.execute(
        select(Comment.author_id, Comment.deleted_at, Comment.hidden_by, Comment.listed, branches.closed_above().label("buried_by"))
        .where(Comment.id == comment_id), {"id": comment_id}
    ).one()
    is_open = comment.listed and comment.deleted_at is None and comment.hidden_by is None and comment.buried_by is None
    may_thank(by, comment.author_id, is_open, settings().writing_needs_verified).require()
    change = _mark(Thank, key, on) if moves else 0
    if change:
        db.session.execute(update(Comment).where(Comment.id == comment_id).values(thanks=Comment.thanks + change))
    return _has(Thank, key)


def thank_post(post_id: int, by: Viewer, *, on: bool | None = None) -> bool:
    """Thank for a post, or take it back. Raises as thank_comment."""
    key = {"post_id": post_id, "member_id": by.id}
    moves = on is None or on is not _has(PostThank, key)
    if moves:
        counting.lock_post(post_id)
    post = db.session.execute(select(Post.author_id, Post.state, Post.deleted_at, Post.hidden_by).where(Post.id == post_id)).one_or_none()
    if post is None or post.state != "published":
        raise NotFound()
    may_thank(by, post.author_id, post.deleted_at is None and post.hidden_by is None, settings().writing_needs_verified).require()
    change = _mark(PostThank, key, on) if moves else 0
    if change:
        db.session.execute(update(Post).where(Post.id == post_id).values(thanks=Post.thanks + change))
    return _has(PostThank, key)


def thanked_by(member_id: int, comment_ids: list[int]) -> frozenset[int]:
    """Which of these comments the member has thanked for. One statement, none for nothing."""
    if not member_id or not comment_ids:
        return frozenset()
    return frozenset(db.session.execute(select(Thank.comment_id).where(Thank.member_id == member_id, Thank.comment_id.in_(comment_ids))).scalars())


def has_thanked_post(member_id: int, post_id: int) -> bool:
    """Whether the member has thanked for the post. One statement."""
    return db.session.execute(select(PostThank.post_id).where(PostThank.member_id == member_id, PostThank.post_id == post_id)).first() is not None


def _has(table: Any, key: dict[str, int]) -> bool:
    return db.session.execute(select(table.member_id).filter_by(**key)).first() is not None


def _mark(table: Any, key: dict[str, int], on: bool | None) -> int:
    """Set or take the mark: 1 if it came, -1 if it went, 0 if all stays."""
    if on is not False:
        insert = postgresql.insert if db.session.get_bind().dialect.name == "postgresql" else sqlite.insert
        came = db.session.execute(insert(table).values(**key).on_conflict_do_nothing().returning(table.member_id))
        if came.first() is not None:
            return 1
        if on:
            return 0
    went = db.session.execute(delete(table).filter_by(**key).returning(table.member_id))
    return -1 if went.first() is not None else 0
