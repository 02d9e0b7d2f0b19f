"""A post, its revisions, its slugs for ever, and its topics."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint, and_
from sqlalchemy.orm import Mapped, mapped_column

from blog.db import Base, BigId, UTCDateTime


class PostState(StrEnum):
    DRAFT = "draft"
    PUBLISHED = "published"
    HELD = "held"  # written, and waiting for a moderator's approval


class Post(Base):
    __tablename__ = "post"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    slug: Mapped[str] = mapped_column(String(100), unique=True)
    title: Mapped[str] = mapped_column(String(300))
    html: Mapped[str] = mapped_column(Text)  # rendered when written
    headings: Mapped[list[Any]] = mapped_column(JSON)  # contents list: [level, id, text] each
    teaser: Mapped[str] = mapped_column(String(400))
    words: Mapped[int] = mapped_column(default=0)
    renderer: Mapped[int] = mapped_column(default=1)
    revision: Mapped[int] = mapped_column(default=1)  # number of the newest PostRevision; an edit form carries it as `version`
    state: Mapped[str] = mapped_column(String(10))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    published_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    edited_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    deleted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    hidden_by: Mapped[int | None] = mapped_column(ForeignKey("act.id"))
    # Acts are never removed, so that what points to them needs no foreign key.
    locked_by: Mapped[int | None] = mapped_column(BigId)  # the lock or closing: no more comments
    locked_until: Mapped[datetime | None] = mapped_column(UTCDateTime)  # None with locked_by: until it is unlocked
    slow_by: Mapped[int | None] = mapped_column(BigId)
    slow_seconds: Mapped[int] = mapped_column(default=0, server_default="0")  # between two comments of one member; 0: as fast as they like
    slow_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    submission_id: Mapped[str | None] = mapped_column(String(64))
    # The thread's own counters (comments/counting.py).
    version: Mapped[int] = mapped_column(default=0, server_default="0")  # rises with every deed that changes what the thread shows
    last_seq: Mapped[int] = mapped_column(default=0, server_default="0")  # number of the newest comment
    comment_count: Mapped[int] = mapped_column(default=0, server_default="0")  # live ones: neither deleted nor hidden
    thanks: Mapped[int] = mapped_column(default=0, server_default="0")
    active_at: Mapped[datetime | None] = mapped_column(UTCDateTime)  # newest comment, else published_at

    __table_args__ = (UniqueConstraint("author_id", "submission_id"), {"sqlite_autoincrement": True})


# Declared after the class, so that the stored index and the statements say the same.
LISTED = and_(Post.state == "published", Post.deleted_at.is_(None), Post.hidden_by.is_(None))
Index("post_newest", Post.published_at, Post.id, sqlite_where=LISTED, postgresql_where=LISTED)
Index("post_active", Post.active_at, Post.id, sqlite_where=LISTED, postgresql_where=LISTED)
Index("post_thanked", Post.thanks, Post.id, sqlite_where=LISTED, postgresql_where=LISTED)
HELD = and_(Post.state == "held", Post.deleted_at.is_(None))
Index("post_held", Post.id, sqlite_where=HELD, postgresql_where=HELD)
Index("post_author", Post.author_id, Post.published_at, Post.id)


class PostSlug(Base):
    """Every slug a post ever had. An old one leads to the newest for ever and is never given to another post."""

    __tablename__ = "post_slug"

    slug: Mapped[str] = mapped_column(String(100), primary_key=True)
    post_id: Mapped[int] = mapped_column(ForeignKey("post.id"), index=True)


class PostRevision(Base):
    __tablename__ = "post_revision"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    post_id: Mapped[int] = mapped_column(ForeignKey("post.id"))
    revision: Mapped[int]
    title: Mapped[str] = mapped_column(String(300))
    source: Mapped[str] = mapped_column(Text)  # Markdown as typed
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)

    __table_args__ = (UniqueConstraint("post_id", "revision"),)


class PostThank(Base):
    __tablename__ = "post_thank"

    post_id: Mapped[int] = mapped_column(ForeignKey("post.id"), primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), primary_key=True, index=True)


class PostTopic(Base):
    __tablename__ = "post_topic"

    topic_id: Mapped[int] = mapped_column(ForeignKey("topic.id"), primary_key=True)
    post_id: Mapped[int] = mapped_column(ForeignKey("post.id"), primary_key=True)
    place: Mapped[int] = mapped_column(default=0)  # order in which the author named them
    published_at: Mapped[datetime | None] = mapped_column(UTCDateTime)  # the post's, so that a topic's page reads in index order


Index("post_topic_newest", PostTopic.topic_id, PostTopic.published_at, PostTopic.post_id)
Index("post_topic_post", PostTopic.post_id)
