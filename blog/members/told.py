"""What a member's notices say: made when they are shown, from what everybody may read at that moment. Nothing hidden since is told."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import select

from blog.accounts.models import Member
from blog.clock import now
from blog.comments.models import Comment
from blog.dates import DAYS, MONTHS, local
from blog.db import db
from blog.notices.inbox import Told, subjects
from blog.notices.models import NoticeKind
from blog.permissions import is_listed_post, is_open_comment
from blog.posts.models import Post
from blog.text.excerpts import teaser

# Characters of what was written.
EXCERPT = 160

ABOUT_COMMENTS = (NoticeKind.REPLY, NoticeKind.COMMENT, NoticeKind.APPROVED)


@dataclass(frozen=True, slots=True)
class Line:
    """A notice in words: `lead` leads to `to` ("" where there is nothing to see any more), `rest` goes on after it, `said` quotes."""

    id: int
    told_at: datetime
    is_unread: bool
    lead: str
    to: str = ""
    rest: str = ""
    post_title: str = ""
    said: str = ""


@dataclass(frozen=True, slots=True)
class Day:
    """The notices of one day in the viewer's zone."""

    name: str
    lines: list[Line]


def lines(told: Sequence[Told]) -> list[Line]:
    """The notices in words, in the order given. One statement for what was written, however many they are."""
    comments = _comments(subjects(told, *ABOUT_COMMENTS))
    return [_line(notice, comments) for notice in told]


def by_day(lines: Iterable[Line]) -> list[Day]:
    """Lines under the day on which they were told: "Today", "Yesterday", a weekday of the last week, else a date."""
    today = local(now()).date()

    def name(line: Line) -> str:
        at = local(line.told_at)
        ago = (today - at.date()).days
        if ago < 2:
            return ("Today", "Yesterday")[max(0, ago)]
        date = f"{at.day} {MONTHS[at.month - 1]} {at.year}"
        return f"{DAYS[at.weekday()]} {date}"

    return [Day(day, list(of_day)) for day, of_day in groupby(lines, name)]


def _line(notice: Told, comments: dict[int, Any]) -> Line:
    line = Line(notice.id, notice.told_at, notice.seen_at is None, "")
    return _of_comment(line, notice, comments[notice.subject_id])


# -- what was written


def _comments(ids: set[int]) -> dict[int, Any]:
    """The comments with these ids, with whose and where they are. One statement, none for no ids."""
    if not ids:
        return {}
    asked: Any = (
        select(Comment.id, Comment.html, Comment.author_id, Comment.deleted_at, Comment.hidden_by, Comment.listed, Comment.closed, Comment.post_id,
               Member.display_name, Post.slug, Post.title, Post.state, Post.deleted_at.label("post_deleted_at"), Post.hidden_by.label("post_hidden_by"))
        .join(Post, Post.id == Comment.post_id).join(Member, Member.id == Comment.author_id).where(Comment.id.in_(ids))
    )
    return {row.id: row for row in db.session.execute(asked)}


@dataclass(frozen=True, slots=True)
class _OfPost:
    """What the rulings ask of the post that a comment stands under."""

    state: str
    deleted_at: datetime | None
    hidden_by: int | None
    author_id: int = 0
    locked_by: int | None = None


def _of_comment(line: Line, notice: Told, comment: Any) -> Line:
    """A reply, a comment on a post, a text that was approved."""
    post = _OfPost(comment.state, comment.post_deleted_at, comment.post_hidden_by)
    line = replace(line, post_title=comment.title if is_listed_post(post) else f"Post {comment.post_id}")
    if is_open_comment(comment, post):
        line = replace(line, to=f"/comments/{comment.id}", said=teaser(comment.html, EXCERPT))
        if notice.kind == NoticeKind.APPROVED:
            return replace(line, lead="Your comment was approved", said="")
        to_whom = "replied to you" if notice.kind == NoticeKind.REPLY else "commented on your post"
        if notice.count == 1:
            return replace(line, lead=f"{comment.display_name} {to_whom}")
        return replace(line, lead=f"{_some(notice)}, the newest by {comment.display_name}")
    gone = "hidden since" if comment.hidden_by is not None else "deleted since"
    # Where replies hang on it a tombstone stands, and the way leads there.
    line = replace(line, to=f"/comments/{comment.id}" if comment.listed else "")
    if notice.kind == NoticeKind.APPROVED:
        return replace(line, lead=f"Your comment was approved, and {gone}")
    if notice.count == 1:
        return replace(line, lead=f"{'A reply to you' if notice.kind == NoticeKind.REPLY else 'A comment on your post'} that was {gone}")
    return replace(line, lead=f"{_some(notice)}; the newest was {gone}")


def _some(notice: Told) -> str:
    return f"{notice.count} replies to your comment" if notice.kind == NoticeKind.REPLY else f"{notice.count} comments on your post"
