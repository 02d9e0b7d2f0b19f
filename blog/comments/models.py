"""A comment as a plain row, its revisions, thanks and visits.

Reading order follows from (parent_id, id): no path, no closure table, no nested sets. The indexes stand after the class on
purpose: inside it SQLAlchemy spells a partial index's condition otherwise than the statements do, and SQLite then never
uses it and says nothing.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Index, SmallInteger, String, Text, UniqueConstraint, and_, false
from sqlalchemy.orm import Mapped, mapped_column

from blog.db import Base, BigId, UTCDateTime


class Comment(Base):
    __tablename__ = "comment"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    post_id: Mapped[int] = mapped_column(ForeignKey("post.id"))
    seq: Mapped[int]  # 1, 2, 3 ... in its post
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("comment.id"))
    root_id: Mapped[int | None] = mapped_column(BigId)  # NULL for a root; derived, as depth is, so no foreign key
    depth: Mapped[int] = mapped_column(SmallInteger)  # 1 for a root
    reply_count: Mapped[int] = mapped_column(default=0, server_default="0")  # listed direct replies
    thanks: Mapped[int] = mapped_column(default=0, server_default="0")
    active_seq: Mapped[int]  # of a root: seq of the newest comment in its branch; else its own seq
    deleted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)  # by its writer; two facts, so that undoing one leaves the other
    hidden_by: Mapped[int | None] = mapped_column(ForeignKey("act.id"))
    closed: Mapped[bool] = mapped_column(default=False)  # nothing below it is shown
    aside_by: Mapped[int | None] = mapped_column(BigId)  # the act by which the post's author folded it away; acts are never removed
    redacted: Mapped[bool] = mapped_column(default=False, server_default=false())  # its words were taken out and exist nowhere any more
    listed: Mapped[bool] = mapped_column(default=True)  # false: deleted by its writer with nothing listed below, or not yet approved
    author_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    html: Mapped[str] = mapped_column(Text)  # rendered when written; empty while deleted
    renderer: Mapped[int] = mapped_column(default=1)
    version: Mapped[int] = mapped_column(default=1)  # number of the newest CommentRevision
    parent_version: Mapped[int | None]  # the parent's version that this answered
    submission_id: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    edited_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    __table_args__ = (
        CheckConstraint("parent_id < id", name="older_parent"),  # no cycles
        UniqueConstraint("author_id", "submission_id"),
        {"sqlite_autoincrement": True},  # no id is ever used twice
    )


def only(condition: ColumnElement[bool]) -> dict[str, Any]:
    """A partial index's condition for both databases."""
    return {"sqlite_where": condition, "postgresql_where": condition}


ROOT = and_(Comment.parent_id.is_(None), Comment.listed)  # the page statements use this very object
Index("comment_roots", Comment.post_id, Comment.id, **only(ROOT))
Index("comment_roots_active", Comment.post_id, Comment.active_seq, **only(ROOT))
Index("comment_roots_thanked", Comment.post_id, Comment.thanks, Comment.seq, **only(ROOT))
Index("comment_replies", Comment.parent_id, Comment.listed, Comment.id, **only(Comment.parent_id.is_not(None)))
Index("comment_number", Comment.post_id, Comment.seq, unique=True)
CLOSED = and_(Comment.closed)
Index("comment_closed", Comment.post_id, **only(CLOSED))
Index("comment_author", Comment.author_id, Comment.id)


class CommentRevision(Base):
    """The Markdown of one version. Pages never read it; edit forms, histories and restoring do."""

    __tablename__ = "comment_revision"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    comment_id: Mapped[int] = mapped_column(ForeignKey("comment.id"))
    version: Mapped[int]
    source: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)

    __table_args__ = (UniqueConstraint("comment_id", "version"),)


class Thank(Base):
    __tablename__ = "thank"

    comment_id: Mapped[int] = mapped_column(ForeignKey("comment.id"), primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), primary_key=True, index=True)


class Visit(Base):
    """How far a member has read a post's thread: all of it up to `last_seq`, at the last visit. What was new then stays marked for a
    while (`before_seq`, since `began_at`), so that a reload does not take the marks away. The first visit finds nothing new: its
    `before_seq` is what stood there."""

    __tablename__ = "visit"

    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), primary_key=True)
    post_id: Mapped[int] = mapped_column(ForeignKey("post.id"), primary_key=True)
    last_seq: Mapped[int]
    before_seq: Mapped[int] = mapped_column(default=0, server_default="0")
    began_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    before_at: Mapped[datetime | None] = mapped_column(UTCDateTime)  # when the visit before began: "7 new since Friday"
