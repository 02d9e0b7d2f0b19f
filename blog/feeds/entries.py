"""What feeds and the sitemap hold: the newest posts, a topic's, a post's comments, the newest acts. The same for every reader.

An entry waits ten seconds, the time in which its writer may think better of it. Hidden and deleted things and drafts are in no feed.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from markupsafe import escape
from sqlalchemy import select

from blog.accounts.models import Member
from blog.clock import now
from blog.comments import branches
from blog.comments.models import Comment
from blog.db import db
from blog.moderation import log
from blog.permissions import listed_posts, open_comments
from blog.posts.listing import path_of
from blog.posts.models import Post, PostTopic

MOST = 20
WAIT = timedelta(seconds=10)

# One sitemap may name 50,000 addresses (sitemaps.org), the front page among them.
MOST_PLACES = 49_000
MOST_TOPICS = 999


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a feed. `path` is its address on this board."""

    id: int
    title: str
    path: str
    author: str
    author_path: str
    published_at: datetime
    updated_at: datetime
    html: str
    summary: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """An address for the sitemap, and since when it is as it is."""

    path: str
    updated_at: datetime | None = None


_POSTS: Any = select(
    Post.id, Post.title, Post.slug, Post.published_at, Post.edited_at, Post.html, Post.teaser, Member.display_name, Member.username,
).join(Member, Member.id == Post.author_id).where(listed_posts())


def newest_posts() -> list[Entry]:
    """The newest listed posts. One statement."""
    return _posts(_POSTS.order_by(Post.published_at.desc(), Post.id.desc()), Post.published_at)


def newest_posts_of(topic_id: int) -> list[Entry]:
    """The newest listed posts of a topic. One statement."""
    of_topic = _POSTS.join(PostTopic, PostTopic.post_id == Post.id).where(PostTopic.topic_id == topic_id)
    return _posts(of_topic.order_by(PostTopic.published_at.desc(), PostTopic.post_id.desc()), PostTopic.published_at)


def _posts(statement: Any, moment: Any) -> list[Entry]:
    rows = db.session.execute(statement.where(moment <= now() - WAIT).limit(MOST))
    return [
        Entry(row.id, row.title, path_of(row.slug), row.display_name, f"/members/{row.username}", row.published_at,
              max(row.published_at, row.edited_at or row.published_at), row.html, row.teaser)
        for row in rows
    ]


def newest_comments(post_id: int, post_title: str) -> list[Entry]:
    """The newest comments of a post that everybody reads. Two statements."""
    statement: Any = (
        select(Comment.id, Comment.created_at, Comment.edited_at, Comment.html, Member.display_name, Member.username)
        .join(Post, Post.id == Comment.post_id)
        .join(Member, Member.id == Comment.author_id)
        .where(Comment.post_id == post_id, open_comments(), Comment.created_at <= now() - WAIT)
        .order_by(Comment.seq.desc())
        .limit(MOST)
    )
    rows = db.session.execute(statement).all()
    buried = branches.below_closed(row.id for row in rows)
    return [
        Entry(row.id, f"{row.display_name} on {post_title}", f"/comments/{row.id}", row.display_name, f"/members/{row.username}", row.created_at,
              max(row.created_at, row.edited_at or row.created_at), row.html)
        for row in rows if row.id not in buried
    ]


def newest_acts() -> list[Entry]:
    """The newest acts, as the public log tells them: by whom, under which rule, why. One statement."""
    lines, _ = log.page(log.Asked())
    return [_act(line) for line in lines if line.created_at <= now() - WAIT][:MOST]


def _act(line: log.Line) -> Entry:
    reason = f"The reason was taken out by act {line.redacted_by}." if line.redacted_by else line.reason
    html = f"<p>Rule {line.rule_number}: {escape(line.rule_title)}</p><p>{escape(reason)}</p>"
    return Entry(line.number, f"Act {line.number}: {line.did}", f"/acts/{line.number}", line.by, "", line.created_at, line.created_at, html)


def places() -> list[Place]:
    """Every listed post, newest first, as far as one sitemap holds them. One statement."""
    listed: Any = select(Post.slug, Post.published_at, Post.edited_at).where(listed_posts()).order_by(Post.published_at.desc(), Post.id.desc())
    return [Place(path_of(row.slug), row.edited_at or row.published_at) for row in db.session.execute(listed.limit(MOST_PLACES))]
