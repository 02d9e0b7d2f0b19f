"""Who is a newcomer, and how much one may send in an hour. Nothing here is kept: it follows from the rows each time."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import func, or_, select, union_all

from blog.accounts.models import Role
from blog.clock import now
from blog.comments.models import Comment
from blog.config import settings
from blog.dates import clock_time
from blog.db import db
from blog.errors import TooFast
from blog.filters.models import HeldKind, HeldText
from blog.permissions import listed_posts
from blog.posts.models import Post, PostState
from blog.viewer import Viewer

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Standing:
    """How long somebody is here, as far as it matters to what they send."""

    is_newcomer: bool  # few days or few comments; nobody is while budgets are switched off
    texts: int  # comments and posts that stand on the board, counted up to what the settings ask about


SETTLED = Standing(is_newcomer=False, texts=200)


def standing(by: Viewer) -> Standing:
    """The member's standing now. One statement; none for authors and moderators, and where no setting asks."""
    chosen = settings()
    if by.role >= Role.AUTHOR:
        return SETTLED
    limited = chosen.ratelimit_enabled and bool(chosen.newcomer_days or chosen.newcomer_texts)
    most = max(chosen.newcomer_texts if limited else 0, chosen.first_texts_wait)
    young = limited and by.joined_at is not None and now() - by.joined_at < timedelta(days=chosen.newcomer_days)
    if not most:
        return Standing(young, 0)
    comments = select(Comment.id).where(Comment.author_id == by.id, Comment.hidden_by.is_(None), Comment.deleted_at.is_(None)).limit(most)
    posts = select(Post.id).where(Post.author_id == by.id, listed_posts()).limit(most)
    counted = (select(func.count()).select_from(some.subquery()).scalar_subquery() for some in (comments, posts))
    texts = sum(db.session.execute(select(*counted)).one())
    return Standing(young or (limited and texts < chosen.newcomer_texts), texts)


def spend_comment(by: Viewer, standing: Standing) -> None:
    """Whether a newcomer may send one more comment within the hour; what waits or was rejected counts too. One statement for newcomers.

    Raises TooFast with the clock time.
    """
    if standing.is_newcomer:
        sent = select(Comment.created_at).where(Comment.author_id == by.id, Comment.created_at > now() - HOUR)
        held = select(HeldText.created_at).where(HeldText.author_id == by.id, HeldText.created_at > now() - HOUR, HeldText.comment_id.is_(None),
                                                HeldText.kind == HeldKind.COMMENT.value)
        _spend(union_all(sent, held), settings().newcomer_comments_hourly, "comments")


def spend_post(by: Viewer, standing: Standing) -> None:
    """The same for posts that are not drafts any more."""
    if standing.is_newcomer:
        sent = or_(Post.published_at > now() - HOUR, (Post.state == PostState.HELD.value) & (Post.created_at > now() - HOUR))
        _spend(select(Post.created_at).where(Post.author_id == by.id, sent), settings().newcomer_posts_hourly, "posts")


def _spend(sent: Any, most: int, what: str) -> None:
    at = sent.subquery().c.created_at
    newest = db.session.execute(select(at).order_by(at.desc()).limit(most)).scalars().all()
    if len(newest) < most:
        return
    until = newest[-1] + HOUR
    seconds = max(1, int((until - now()).total_seconds()) + 1)
    raise TooFast(f"A newcomer can send {most} {what} in an hour. You can go on at {clock_time(until)}. What you typed is still here.", seconds, until)
