"""What holds a text before it is shown, and the texts that wait. A filter holds, it never hides and never refuses for good."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, SmallInteger, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from blog.db import Base, BigId, UTCDateTime


class FilterKind(StrEnum):
    WORD = "word"  # a word or phrase, whole words, without case
    DOMAIN = "domain"  # a link to this host or one below it
    EMAIL_DOMAIN = "email domain"  # nobody registers with an address there


class Filter(Base):
    """One line of the board's lists. Taken out it is retired, so that acts keep what they name."""

    __tablename__ = "filter"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    pattern: Mapped[str] = mapped_column(String(120))
    sentence: Mapped[str] = mapped_column(String(300))  # what the writer is told
    rule_id: Mapped[int] = mapped_column(ForeignKey("rule.id"))
    made_by: Mapped[int] = mapped_column(ForeignKey("member.id"))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    retired_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    retired_by: Mapped[int | None] = mapped_column(ForeignKey("member.id"))


class HeldKind(StrEnum):
    """What a text becomes when it is approved."""

    COMMENT = "comment"
    EDIT = "edit"  # of a comment that stands: comment_id
    POST_EDIT = "post edit"  # of a post that stands


class HeldState(StrEnum):
    WAITING = "waiting"
    APPROVED = "approved"
    REJECTED = "rejected"
    TAKEN_BACK = "taken back"  # by its writer


class HeldText(Base):
    """A comment that waits, or a change of what stands: it has no number and no place in the thread until it is approved. Held posts are
    posts in the state "held"."""

    __tablename__ = "held_text"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[str] = mapped_column(String(10), default=HeldKind.COMMENT.value)
    post_id: Mapped[int] = mapped_column(ForeignKey("post.id"))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("comment.id"))
    parent_version: Mapped[int | None]  # the parent's version that this answers
    author_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    source: Mapped[str] = mapped_column(Text)
    html: Mapped[str] = mapped_column(Text)
    title: Mapped[str | None] = mapped_column(String(300))  # of a post's change
    topics: Mapped[list[Any] | None] = mapped_column(JSON)  # of a post's change, by name; None: as they are
    version: Mapped[int] = mapped_column(default=1)  # rises when its writer changes it while it waits
    submission_id: Mapped[str | None] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(10), default=HeldState.WAITING.value)
    held_by: Mapped[int | None] = mapped_column(ForeignKey("act.id"))  # None only until its act is written, which names this row
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("act.id"))  # the approval or rejection
    comment_id: Mapped[int | None] = mapped_column(ForeignKey("comment.id"))  # what it became, or what it changes
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)

    __table_args__ = (UniqueConstraint("author_id", "submission_id"),)


WAITING = HeldText.state == "waiting"
Index("held_text_waiting", HeldText.id, sqlite_where=WAITING, postgresql_where=WAITING)
Index("held_text_author", HeldText.author_id, HeldText.post_id)
Index("held_text_comment", HeldText.comment_id)


class Invitation(Base):
    """A way in while registration is by invitation. The link's token is random; the row keeps its SHA-256."""

    __tablename__ = "invitation"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    made_by: Mapped[int] = mapped_column(ForeignKey("member.id"), index=True)
    uses_left: Mapped[int] = mapped_column(SmallInteger, default=1)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
