"""Readings of a member's page: who they are, what they wrote. The same for every reader, but for their own drafts and what they deleted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from sqlalchemy import select

from blog.accounts.models import Member, Role
from blog.clock import now
from blog.comments import branches
from blog.comments.models import Comment, CommentRevision
from blog.db import db
from blog.errors import NotFound
from blog.paging import cursor, read_cursor
from blog.permissions import RESTORE_DAYS, is_listed_post, open_comments
from blog.posts.listing import Page, path_of
from blog.posts.models import Post, PostState
from blog.text.excerpts import teaser
from blog.text.names import fold_username

PAGE = 10

# Characters of a comment that the list shows.
EXCERPT = 200


@dataclass(frozen=True, slots=True)
class Person:
    """A member as everybody sees them."""

    id: int
    username: str
    name: str
    about: str
    role: Role
    joined_at: datetime
    left_at: datetime | None

    @property
    def path(self) -> str:
        return f"/members/{quote(self.username)}"

    @property
    def badge(self) -> str:
        """The role in a word, for those who act for the board; "" for others."""
        return self.role.word.capitalize() if self.role >= Role.MODERATOR else ""

    @property
    def paragraphs(self) -> Sequence[Sequence[str]]:
        """What they say of themselves, as paragraphs of lines."""
        return [part.splitlines() for part in self.about.replace("\r\n", "\n").split("\n\n") if part.strip()]


@dataclass(frozen=True, slots=True)
class Written:
    """A comment in the list of what somebody wrote. A hidden or deleted post has no title there, and no slug."""

    id: int
    excerpt: str
    created_at: datetime
    post_path: str
    post_title: str


@dataclass(frozen=True, slots=True)
class Deleted:
    """A post or comment that its writer deleted and can still bring back. `title` is a post's, or that of the post a comment stands under."""

    id: int
    title: str
    excerpt: str
    deleted_at: datetime
    is_draft: bool = False

    @property
    def until(self) -> datetime:
        """When its words are emptied."""
        return self.deleted_at + timedelta(days=RESTORE_DAYS)


def person(username: str) -> Person:
    """The member of that name, in whatever case it is written. One statement. Raises NotFound."""
    row: Any = db.session.execute(
        select(Member.id, Member.username, Member.display_name, Member.about, Member.role, Member.created_at, Member.left_at)
        .where(Member.username_key == fold_username(username))
    ).one_or_none()
    # Names that only look alike share a key, so that nobody can take one; they are not the same address.
    if row is None or row.username.casefold() != username.casefold():
        raise NotFound("There is no member of that name here. It may have been typed wrong.")
    return Person(*row)


def comments(member_id: int, after: str | None = None) -> Page[Written]:
    """The member's comments that everybody reads, newest first; those in hidden branches make a page shorter. Two statements. Raises Malformed."""
    parts = read_cursor(after)
    written: Any = (
        select(Comment.id, Comment.html, Comment.created_at, Comment.post_id, Post.slug, Post.title, Post.author_id, Post.state, Post.deleted_at,
               Post.hidden_by)
        .join(Post, Post.id == Comment.post_id)
        .where(Comment.author_id == member_id, open_comments())
        .order_by(Comment.id.desc())
        .limit(PAGE + 1)
    )
    if parts is not None:
        written = written.where(Comment.id < parts[0])
    rows = db.session.execute(written).all()
    buried = branches.below_closed(row.id for row in rows[:PAGE])
    shown = [_written(row) for row in rows[:PAGE] if row.id not in buried]
    return Page(shown, cursor(rows[PAGE - 1].id) if len(rows) > PAGE else "", after or "")


def _written(row: Any) -> Written:
    listed = is_listed_post(row)
    return Written(row.id, teaser(row.html, EXCERPT), row.created_at, path_of(row.slug if listed else str(row.post_id)),
                   row.title if listed else f"Post {row.post_id}")


def deleted_posts(member_id: int, after: str | None = None) -> Page[Deleted]:
    """The member's own posts and drafts that they can restore, the newest post first. One statement. Raises Malformed for a bad cursor."""
    gone: Any = select(Post.id, Post.title, Post.deleted_at, Post.state).where(Post.author_id == member_id, _restorable(Post))
    rows, more = _keyset(gone, Post.id, after)
    return Page([Deleted(row.id, row.title, "", row.deleted_at, row.state == PostState.DRAFT) for row in rows], more, after or "")


def deleted_comments(member_id: int, after: str | None = None) -> Page[Deleted]:
    """The member's own comments that they can restore, the newest comment first. One statement. Raises Malformed for a bad cursor."""
    gone: Any = (
        select(Comment.id, Comment.deleted_at, CommentRevision.source, Comment.post_id, Post.title, Post.author_id, Post.state,
               Post.deleted_at.label("post_deleted_at"), Post.hidden_by)
        .join(Post, Post.id == Comment.post_id)
        .join(CommentRevision, (CommentRevision.comment_id == Comment.id) & (CommentRevision.version == Comment.version))
        .where(Comment.author_id == member_id, _restorable(Comment))
    )
    rows, more = _keyset(gone, Comment.id, after)
    shown = [
        Deleted(row.id, row.title if row.post_deleted_at is None and row.hidden_by is None else f"Post {row.post_id}", teaser(row.source, EXCERPT),
                row.deleted_at)
        for row in rows
    ]
    return Page(shown, more, after or "")


def _restorable(table: Any) -> Any:
    return table.deleted_at > now() - timedelta(days=RESTORE_DAYS)


def _keyset(statement: Any, key: Any, after: str | None) -> tuple[list[Any], str]:
    """A page of rows, descending by `key`, and the cursor of the next."""
    parts = read_cursor(after)
    if parts is not None:
        statement = statement.where(key < parts[0])
    rows = db.session.execute(statement.order_by(key.desc()).limit(PAGE + 1)).all()
    return list(rows[:PAGE]), cursor(rows[PAGE - 1].id) if len(rows) > PAGE else ""
