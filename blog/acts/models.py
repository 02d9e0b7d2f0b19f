"""The board's rules, and the one append-only table of moderation acts that receipts, appeals and the log read."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from blog.db import Base, BigId, UTCDateTime


class ActKind(StrEnum):
    HIDE = "hide"
    UNHIDE = "unhide"


class TargetKind(StrEnum):
    POST = "post"
    COMMENT = "comment"
    MEMBER = "member"


class Rule(Base):
    """One rule of the board. A change retires the row and makes a new one, so that an act keeps the words it was made under."""

    __tablename__ = "rule"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    number: Mapped[int]
    title: Mapped[str] = mapped_column(String(120))
    text: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    retired_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class Act(Base):
    """One act. Rows are only ever added: what undoes an act is another act that names it."""

    __tablename__ = "act"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    number: Mapped[int] = mapped_column(unique=True)  # 1, 2, 3 ... without a gap (ActNumber)
    kind: Mapped[str] = mapped_column(String(20))
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))  # None: the board itself (a filter)
    actor_handle: Mapped[str] = mapped_column(String(20))  # "M2", as the log shows it
    person_id: Mapped[int] = mapped_column(ForeignKey("member.id"))  # whose words or account it concerns
    target_kind: Mapped[str] = mapped_column(String(10))
    target_id: Mapped[int] = mapped_column(BigId)
    rule_id: Mapped[int] = mapped_column(ForeignKey("rule.id"))
    reason: Mapped[str] = mapped_column(String(500))
    scope: Mapped[str] = mapped_column(String(60))  # what it covers, in words: "this comment only"
    until: Mapped[datetime | None] = mapped_column(UTCDateTime)  # when it ends by itself
    undoes_id: Mapped[int | None] = mapped_column(ForeignKey("act.id"), unique=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)

    rule: Mapped[Rule] = relationship(lazy="raise")

    __table_args__ = (CheckConstraint("length(reason) >= 10", name="reason_given"),)


Index("act_target", Act.target_kind, Act.target_id, Act.id)
Index("act_person", Act.person_id, Act.id)


class ActNumber(Base):
    """The last number given: one row, taken with UPDATE in the act's transaction, so a rollback gives it back."""

    __tablename__ = "act_number"

    id: Mapped[int] = mapped_column(primary_key=True)
    last: Mapped[int] = mapped_column(default=0)
