"""Readings of a member's page: who they are, what they wrote. The same for every reader, but for their own drafts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from sqlalchemy import select

from blog.accounts.models import Member, Role
from blog.comments import branches
from blog.comments.models import Comment
from blog.db import db
from blog.errors import NotFound
from blog.paging import cursor, read_cursor
from blog.permissions import is_listed_post, open_comments
from blog.posts.listing import Page, path_of
from blog.posts.models import Post
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


def person(username: str) -> Person:
    """The member of that name, in whatever case it is written. One statement. Raises NotFound."""
    row: Any = db.session.execute(
        select(Member.id, Member.username, Member.display_name, Member.about, Member.role, Member.created_at)
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
