"""Readings of what waits for a moderator: texts, posts and newcomers, oldest first, each a keyset page in one statement."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import aliased

from blog.accounts.models import AT_THE_DOOR, EmailAddress, Member
from blog.acts.models import Act, Rule
from blog.comments.models import Comment
from blog.db import db
from blog.filters.models import WAITING, HeldKind, HeldText
from blog.paging import cursor, read_cursor
from blog.posts.listing import Page, path_of
from blog.posts.models import HELD, Post
from blog.text.excerpts import teaser

PAGE = 20

# Characters of what a reply answers, and of a post's beginning.
EXCERPT = 200

# More comments of a writer than this are "100 or more" to whoever decides.
MOST_COUNTED = 100


@dataclass(frozen=True, slots=True)
class WaitingText:
    """A comment, or a change, that waits; with what it answers or changes, and who wrote it."""

    id: int
    kind: str
    html: str
    title: str | None
    created_at: datetime
    author_id: int
    username: str
    author: str
    joined_at: datetime
    comments: int  # of the writer, standing; MOST_COUNTED at most
    filter_name: str
    sentence: str
    act_number: int
    rule_number: int
    rule_title: str
    post_id: int
    slug: str
    post_title: str
    post_is_gone: bool
    above_id: int | None  # the comment that it answers or changes
    above: str  # its beginning, "" where it is gone
    above_is_gone: bool
    version: int

    @property
    def what(self) -> str:
        changes = {HeldKind.EDIT.value: "Change of a comment", HeldKind.POST_EDIT.value: "Change of a post"}
        return changes.get(self.kind, "Reply" if self.above_id else "Comment")

    @property
    def body_class(self) -> str:
        return "post-body" if self.kind == HeldKind.POST_EDIT else "comment-body"

    @property
    def post_path(self) -> str:
        return path_of(str(self.post_id) if self.post_is_gone else self.slug)

    @property
    def needs_choice(self) -> bool:
        """Whether a reply can't stand where it was meant to."""
        return self.kind == HeldKind.COMMENT and self.above_is_gone


@dataclass(frozen=True, slots=True)
class WaitingPost:
    """A post that waits."""

    id: int
    slug: str
    title: str
    excerpt: str
    words: int
    created_at: datetime
    author_id: int
    username: str
    author: str
    joined_at: datetime
    comments: int
    filter_name: str
    sentence: str
    act_number: int
    rule_number: int
    rule_title: str
    revision: int

    @property
    def path(self) -> str:
        return path_of(self.slug)


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Somebody who registered and was not admitted yet."""

    id: int
    username: str
    name: str
    about: str
    joined_at: datetime
    is_verified: bool
    mail_host: str  # of their address, never the address
    invited_by: str  # display name, "" for nobody

    @property
    def path(self) -> str:
        return f"/members/{quote(self.username)}"


_ABOVE = aliased(Comment)
_INVITING = aliased(Member)


def _comments_of(author_id: Any) -> Any:
    some = select(Comment.id).where(Comment.author_id == author_id, Comment.hidden_by.is_(None), Comment.deleted_at.is_(None)).limit(MOST_COUNTED)
    return select(func.count()).select_from(some.correlate_except(Comment).subquery()).scalar_subquery()


_TEXTS: Any = (
    select(
        HeldText.id, HeldText.kind, HeldText.html, HeldText.title, HeldText.created_at, HeldText.author_id, Member.username, Member.display_name,
        Member.created_at.label("joined_at"), _comments_of(Member.id).label("comments"), Act.filter_name, Act.reason, Act.number,
        Rule.number.label("rule_number"), Rule.title.label("rule_title"), HeldText.post_id, Post.slug, Post.title.label("post_title"),
        or_(Post.hidden_by.is_not(None), Post.deleted_at.is_not(None)).label("post_is_gone"), _ABOVE.id.label("above_id"), _ABOVE.html.label("above"),
        or_(_ABOVE.hidden_by.is_not(None), _ABOVE.deleted_at.is_not(None), _ABOVE.closed, ~_ABOVE.listed).label("above_is_gone"),
        HeldText.version,
    )
    .join(Member, Member.id == HeldText.author_id)
    .join(Act, Act.id == HeldText.held_by)
    .join(Rule, Rule.id == Act.rule_id)
    .join(Post, Post.id == HeldText.post_id)
    .outerjoin(_ABOVE, or_(_ABOVE.id == HeldText.parent_id, and_(HeldText.parent_id.is_(None), _ABOVE.id == HeldText.comment_id)))
    .where(WAITING)
)


def texts(after: str | None = None) -> Page[WaitingText]:
    """Texts that wait, oldest first. One statement. Raises Malformed for a bad cursor."""
    rows, more = _page(_TEXTS, HeldText.id, after)
    return Page([_text(row) for row in rows], more, after or "")


def _text(row: Any) -> WaitingText:
    gone = bool(row.above_is_gone)
    above = "" if gone or row.above is None else teaser(row.above, EXCERPT)
    title = f"Post {row.post_id}" if row.post_is_gone else row.post_title
    facts: list[Any] = [*row[:17], title, bool(row.post_is_gone), row.above_id, above, gone, row.version]
    return WaitingText(*facts)


_LAST_HOLD = (
    select(func.max(Act.id)).where(Act.target_kind == "post", Act.target_id == Post.id, Act.kind == "hold").correlate(Post).scalar_subquery()
)

_POSTS: Any = (
    select(Post.id, Post.slug, Post.title, Post.teaser, Post.words, Post.created_at, Post.author_id, Member.username, Member.display_name,
           Member.created_at.label("joined_at"), _comments_of(Member.id).label("comments"), Act.filter_name, Act.reason, Act.number,
           Rule.number.label("rule_number"), Rule.title.label("rule_title"), Post.revision)
    .join(Member, Member.id == Post.author_id)
    .join(Act, Act.id == _LAST_HOLD)
    .join(Rule, Rule.id == Act.rule_id)
    .where(HELD)
)


def posts(after: str | None = None) -> Page[WaitingPost]:
    """Posts that wait, oldest first. One statement. Raises Malformed for a bad cursor."""
    rows, more = _page(_POSTS, Post.id, after)
    return Page([WaitingPost(*row) for row in rows], more, after or "")


def newcomers(after: str | None = None) -> Page[Newcomer]:
    """Members whom nobody admitted or refused yet, the longest waiting first. One statement. Raises Malformed for a bad cursor."""
    address = select(EmailAddress.address_key).where(EmailAddress.member_id == Member.id).order_by(EmailAddress.verified_at.is_(None), EmailAddress.id.desc())
    asked = (
        select(Member.id, Member.username, Member.display_name, Member.about, Member.created_at, Member.verified_at,
               address.limit(1).correlate(Member).scalar_subquery().label("address"), _INVITING.display_name.label("inviting"))
        .outerjoin(_INVITING, _INVITING.id == Member.invited_by)
        .where(AT_THE_DOOR)
    )
    rows, more = _page(asked, Member.id, after)
    people = [Newcomer(row.id, row.username, row.display_name, row.about, row.created_at, row.verified_at is not None,
                       (row.address or "").rpartition("@")[2], row.inviting or "") for row in rows]
    return Page(people, more, after or "")


def _page(statement: Any, key: Any, after: str | None) -> tuple[list[Any], str]:
    parts = read_cursor(after)
    if parts is not None:
        statement = statement.where(key > parts[0])
    rows = db.session.execute(statement.order_by(key).limit(PAGE + 1)).all()
    return list(rows[:PAGE]), cursor(rows[PAGE - 1].id) if len(rows) > PAGE else ""
